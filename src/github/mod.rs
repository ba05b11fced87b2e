//! The port to GitHub: what the engine may ask and do there, and how an answer can fail.
//!
//! [`rest`] is the one client; it speaks over a [`transport::Transport`], which is octocrab in production and the
//! simulated GitHub in fast tests, so both run the same code for paths, paging, decoding and classification.

mod advisories;
pub mod auth;
mod calls;
mod classify;
pub mod graphql;
pub mod hooks;
mod known;
pub mod octo;
pub mod pace;
pub mod rest;
mod tags;
pub mod transport;
pub mod types;

use std::sync::Arc;

pub use advisories::Advisories;
use async_trait::async_trait;
use jiff::Timestamp;

use types::{
    Account, Comment, History, Issue, IssueFilter, IssuePatch, Label, NewIssue, Reaction, RepoName, Repository, Role,
};

/// How a call failed. The class says what may be done next, the words are for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 404: it does not exist, or this token may not know that it does.
    #[error("GitHub does not know {0}, or the token has no access to it")]
    NotFound(String),
    /// 410: it was deleted, or issues are switched off there.
    #[error("{0} was deleted, or issues are switched off in that repository")]
    Gone(String),
    /// 301 on a read or a write: the issue or repository now lives elsewhere.
    #[error("{what} has moved")]
    Moved {
        /// What was asked for.
        what: String,
        /// Where GitHub says it went (an API address), if it said so.
        to: Option<String>,
    },
    /// 401 after a renewal of the token.
    #[error("GitHub does not accept the token (401): check WARDROOM_TOKEN, or the App's id and private key")]
    Unauthorized,
    /// The App is kept out until a person changes something: not installed, suspended, a wrong key. The words name the page.
    #[error("{0}")]
    Barred(String),
    /// 403 that is not a limit: a permission is missing.
    #[error("GitHub refused {what} (403){}. {hint}", message_part(.message))]
    Forbidden {
        /// What was asked for.
        what: String,
        /// GitHub's own short message, without anything of a body that was sent.
        message: String,
        /// Which permission it needs and the settings page that grants it.
        hint: String,
    },
    /// 400 or 422: the call is wrong and stays wrong.
    #[error("GitHub found {what} invalid ({status}){}", message_part(.message))]
    Invalid {
        /// What was asked for.
        what: String,
        /// 400 or 422.
        status: u16,
        /// GitHub's message and the names of the fields at fault.
        message: String,
    },
    /// A primary or secondary rate limit (403 or 429): not before `until`.
    #[error("GitHub's rate limit: no call before {until}")]
    Limited {
        /// The moment from which a call may be tried again.
        until: Timestamp,
    },
    /// Nothing was done, or nothing can have been done: a read that failed, a refused connection.
    #[error("GitHub did not answer {what}: {why}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What happened, in a few words.
        why: String,
    },
    /// A write whose answer was lost: it may have happened. It is never repeated before a look has shown what is true.
    #[error("the answer to {what} was lost: {why}. It may have been done; the next look will tell")]
    Unknown {
        /// What was asked for.
        what: String,
        /// What happened, in a few words.
        why: String,
    },
    /// The server has no such endpoint (a GitHub-like server): go on without it.
    #[error("this server does not offer {0}")]
    Unsupported(String),
}

fn message_part(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// What the engine may ask of GitHub and do there. Reads may be repeated by the client; a write is sent exactly once.
#[async_trait]
pub trait GitHub: Advisories {
    /// The account that this client acts as: an App's bot user, or the token's own user.
    async fn me(&self) -> Result<Account>;

    /// GitHub's own time, from the `Date` of the newest answer; `None` before the first.
    fn server_time(&self) -> Option<Timestamp>;

    /// A repository's facts.
    async fn repository(&self, repo: &RepoName) -> Result<Repository>;

    /// A text file on the default branch; `None` if there is no such file.
    async fn file(&self, repo: &RepoName, path: &str) -> Result<Option<String>>;

    /// One issue. A pull request of that number is `NotFound`.
    async fn issue(&self, repo: &RepoName, number: u64) -> Result<Issue>;

    /// All issues that pass the filter, newest first, over all pages, pull requests left out.
    async fn issues(&self, repo: &RepoName, filter: &IssueFilter) -> Result<Vec<Issue>>;

    /// Opens an issue.
    async fn create_issue(&self, repo: &RepoName, issue: &NewIssue) -> Result<Issue>;

    /// Changes an issue.
    async fn edit_issue(&self, repo: &RepoName, number: u64, patch: &IssuePatch) -> Result<Issue>;

    /// All comments of an issue, in the order of their ids, over all pages.
    async fn comments(&self, repo: &RepoName, number: u64) -> Result<Vec<Comment>>;

    /// Writes a comment.
    async fn create_comment(&self, repo: &RepoName, number: u64, body: &str) -> Result<Comment>;

    /// Rewrites a comment of our own.
    async fn edit_comment(&self, repo: &RepoName, id: u64, body: &str) -> Result<Comment>;

    /// Deletes a comment of our own: only to heal a doubled one.
    async fn delete_comment(&self, repo: &RepoName, id: u64) -> Result<()>;

    /// Leaves a reaction on a comment. Leaving it twice is leaving it once.
    async fn react(&self, repo: &RepoName, comment: u64, reaction: Reaction) -> Result<()>;

    /// All labels of a repository, over all pages.
    async fn labels(&self, repo: &RepoName) -> Result<Vec<Label>>;

    /// Creates a label. One that exists already is no error.
    async fn create_label(&self, repo: &RepoName, label: &Label) -> Result<()>;

    /// Renames a label (and with it every place where it hangs), and sets its colour and description.
    async fn rename_label(&self, repo: &RepoName, old: &str, label: &Label) -> Result<()>;

    /// Assigns people. `Invalid` where one of them cannot be; where the token may not assign, GitHub drops them in
    /// silence, so the issue that it answers with says who is assigned.
    async fn assign(&self, repo: &RepoName, number: u64, logins: &[String]) -> Result<Issue>;

    /// Hangs one label on an issue.
    async fn add_label(&self, repo: &RepoName, number: u64, name: &str) -> Result<()>;

    /// Takes one label off an issue. One that is not there is no error.
    async fn remove_label(&self, repo: &RepoName, number: u64, name: &str) -> Result<()>;

    /// A person's role in a repository, by login, checked against the numeric id: a login that now belongs to another
    /// account has no role. `Unsupported` where the server cannot tell.
    async fn role(&self, repo: &RepoName, who: &Account) -> Result<Role>;

    /// The body's edit history since `since` (with the revision just before it), and the facts of the given comments
    /// (by node id), in one GraphQL call where they fit. `Unsupported` where the server has no GraphQL.
    async fn history(
        &self,
        repo: &RepoName,
        number: u64,
        since: Option<Timestamp>,
        comments: &[Comment],
    ) -> Result<History>;

    /// The attempts to deliver webhooks to the App since a moment, newest first, at most 5,000. `Unsupported` where there is no App.
    async fn delivery_log(&self, since: Timestamp) -> Result<Vec<hooks::Attempt>>;

    /// Rights have changed, as an event told: what is kept of the old ones is not used any more.
    async fn forget_tokens(&self) {}

    /// Repositories that GitHub calls otherwise than the configuration: the new name, and the one that is configured, by
    /// which they are called here.
    fn renamed(&self) -> Vec<(RepoName, RepoName)> {
        Vec::new()
    }

    /// The payload of one attempt; `None` if GitHub's answer holds none that can be read.
    async fn delivered_payload(&self, attempt: u64) -> Result<Option<serde_json::Value>>;
}

/// Where GitHub is, what Wardroom proves itself with, and which repositories it is about.
#[derive(Clone, Debug)]
pub struct Config {
    /// `GITHUB_API_URL`; `https://api.github.com` by default.
    pub api_url: String,
    /// `GITHUB_GRAPHQL_URL`, if it is set.
    pub graphql_url: Option<String>,
    /// The token or the App.
    pub credentials: auth::Credentials,
    /// Which repositories it is about.
    pub reach: Reach,
}

/// The repositories that an App's tokens are made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Those without which nothing works: the tracker first, then the report repositories.
    pub repositories: Vec<RepoName>,
    /// Those of advisories and releases. Where the App is not installed there, a call about them is answered as GitHub
    /// answers a token without access (404), and everything else goes on.
    pub also: Vec<RepoName>,
}

/// The client for a configuration. Nothing is sent yet.
///
/// # Errors
/// [`auth::ConnectError`], in words for the person who set it up.
pub fn connect(config: &Config) -> std::result::Result<Arc<dyn GitHub>, auth::ConnectError> {
    let (transport, identity) = transport(config)?;
    Ok(Arc::new(rest::Rest::new(transport, identity)))
}

/// The client of a server that runs for long: it writes one thing at a time and slowly, keeps an eye on the hour's budget,
/// and tells the watcher of every call.
///
/// # Errors
/// As [`connect`].
pub fn connect_paced(
    config: &Config,
    watch: Arc<dyn pace::Watch>,
    budget: Arc<pace::Budget>,
) -> std::result::Result<Arc<dyn GitHub>, auth::ConnectError> {
    let (transport, identity) = transport(config)?;
    Ok(Arc::new(rest::Rest::new(pace::Paced::new(transport, watch, budget), identity)))
}

fn transport(config: &Config) -> std::result::Result<(octo::OctoTransport, rest::Identity), auth::ConnectError> {
    let address = octo::Address::new(&config.api_url, config.graphql_url.as_deref())?;
    let auth = auth::Auth::new(&config.credentials, &address, config.reach.clone())?;
    let identity = auth.identity();
    Ok((octo::OctoTransport::new(address, auth), identity))
}
