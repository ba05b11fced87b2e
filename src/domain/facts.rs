//! The facts of GitHub that the rules speak of: repositories, accounts, issues, comments, labels, edits.
//!
//! Plain data, read from the wire and handed to the rules as it is. Every field that GitHub may leave out, null or extend is optional or open: one strict field would lose a security
//! report. Unknown keys are ignored, unknown enum values are kept as text.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A repository's full name, `owner/name`. Compared without regard to ASCII case, as GitHub does.
#[derive(Clone, Debug, Serialize)]
#[serde(into = "String")]
pub struct RepoName {
    owner: String,
    name: String,
}

impl RepoName {
    /// The account that owns the repository.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository's own name, without its owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> (String, String) {
        (self.owner.to_ascii_lowercase(), self.name.to_ascii_lowercase())
    }
}

impl PartialEq for RepoName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for RepoName {}

impl std::hash::Hash for RepoName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for RepoName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RepoName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl From<RepoName> for String {
    fn from(repo: RepoName) -> Self {
        repo.to_string()
    }
}

/// The text is not `owner/name` in the characters that GitHub allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a repository: write it as owner/name, for example octo-org/mail-server")]
pub struct BadRepoName(pub String);

impl FromStr for RepoName {
    type Err = BadRepoName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let good = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(allowed);
        match text.split_once('/') {
            Some((owner, name)) if good(owner) && good(name) && owner.len() <= 100 && name.len() <= 100 => {
                Ok(RepoName { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(BadRepoName(text.chars().take(220).collect())),
        }
    }
}

impl<'de> Deserialize<'de> for RepoName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An account: a person, an App's bot user, or an organisation. Known by its numeric id, which survives a rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// GitHub's numeric id of the account.
    pub id: u64,
    /// The login as it was when read; for an App's bot user it ends in `[bot]`.
    pub login: String,
    /// `User`, `Bot`, `Organization`, or whatever GitHub says next.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// `GET /repos/{owner}/{repo}`: what Wardroom needs to know before it writes anything there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// GitHub's numeric id: it survives a rename or a transfer.
    pub id: u64,
    /// The current full name.
    pub full_name: RepoName,
    /// Whether the repository is private. Missing is read as public: fail closed.
    #[serde(default)]
    pub private: bool,
    /// `public`, `private` or `internal`. An internal one is open to every member of the enterprise.
    #[serde(default)]
    pub visibility: Option<String>,
    /// An archived repository takes no writes.
    #[serde(default)]
    pub archived: bool,
    /// Whether issues are switched on.
    #[serde(default)]
    pub has_issues: Option<bool>,
    /// The branch that holds the policy.
    #[serde(default)]
    pub default_branch: Option<String>,
}

impl Repository {
    /// Whether only people who were let in can read it. `internal` is not private enough for a report.
    pub fn is_private(&self) -> bool {
        self.private && !matches!(self.visibility.as_deref(), Some("public" | "internal"))
    }
}

/// A label as it hangs on an issue or stands in a repository's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// At most 50 characters; compared without regard to case, as GitHub does.
    pub name: String,
    /// Six hex digits, no `#`.
    #[serde(default)]
    pub color: Option<String>,
    /// At most 100 characters.
    #[serde(default)]
    pub description: Option<String>,
}

/// An issue's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueState {
    /// Open.
    Open,
    /// Closed, for whatever reason.
    Closed,
}

/// An issue, as the single read, the list and the webhook payload give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// GitHub's numeric id of the issue, the same after a transfer within the payloads that name both.
    #[serde(default)]
    pub id: u64,
    /// The node id, by which GraphQL knows the issue.
    #[serde(default)]
    pub node_id: String,
    /// The number within its repository.
    pub number: u64,
    /// The title; at most 256 characters.
    #[serde(default)]
    pub title: String,
    /// The body; `null` when empty.
    #[serde(default)]
    pub body: Option<String>,
    /// Who opened it; `null` for a deleted account.
    #[serde(default)]
    pub user: Option<Account>,
    /// Open or closed; two recorded payloads leave it out.
    #[serde(default)]
    pub state: Option<IssueState>,
    /// `completed`, `not_planned`, `duplicate`, `reopened`, null, or a value to come.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// Labels as they hang there now.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Who is assigned; at most ten.
    #[serde(default)]
    pub assignees: Vec<Account>,
    /// Whether the conversation is locked.
    #[serde(default)]
    pub locked: bool,
    /// The page a person opens.
    #[serde(default)]
    pub html_url: String,
    /// When it was opened.
    #[serde(default, with = "lenient_time")]
    pub created_at: Option<Timestamp>,
    /// When anything about it last changed, comments included.
    #[serde(default, with = "lenient_time")]
    pub updated_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, with = "lenient_time")]
    pub closed_at: Option<Timestamp>,
    /// The App through which it was opened, if any.
    #[serde(default)]
    pub performed_via_github_app: Option<App>,
    /// Present when the "issue" is a pull request: never ours.
    #[serde(default)]
    pub pull_request: Option<serde_json::Value>,
}

impl Issue {
    /// The body as text; an empty body is `""`.
    pub fn text(&self) -> &str {
        self.body.as_deref().unwrap_or("")
    }

    /// Whether a label of this name hangs on it, without regard to case.
    pub fn has_label(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name))
    }

    /// Whether the issue is open. Where a payload does not say, it is.
    pub fn is_open(&self) -> bool {
        self.state != Some(IssueState::Closed)
    }
}

/// The App named in `performed_via_github_app`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// The App's numeric id.
    #[serde(default)]
    pub id: u64,
    /// Its slug; the bot user's login is `<slug>[bot]`.
    #[serde(default)]
    pub slug: Option<String>,
}

/// A comment on an issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// GitHub's numeric id; comments are listed in its order.
    pub id: u64,
    /// The node id, by which GraphQL knows the comment.
    #[serde(default)]
    pub node_id: String,
    /// The text.
    #[serde(default)]
    pub body: Option<String>,
    /// Who wrote it; `null` for a deleted account.
    #[serde(default)]
    pub user: Option<Account>,
    /// When it was written.
    #[serde(default, with = "lenient_time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed. Equal to `created_at` on a comment that was never edited.
    #[serde(default, with = "lenient_time")]
    pub updated_at: Option<Timestamp>,
    /// The page a person opens.
    #[serde(default)]
    pub html_url: String,
    /// The App through which it was written, if any.
    #[serde(default)]
    pub performed_via_github_app: Option<App>,
}

impl Comment {
    /// The body as text; an empty body is `""`.
    pub fn text(&self) -> &str {
        self.body.as_deref().unwrap_or("")
    }
}

/// A person's role in a repository, lowest first, so that roles can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// No access.
    None,
    /// May read.
    Read,
    /// May label and close, not push.
    Triage,
    /// May push.
    Write,
    /// May manage without access to destructive settings.
    Maintain,
    /// May do everything.
    Admin,
}

/// One edit of a body, oldest first in any list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// When it was saved.
    pub at: Timestamp,
    /// Who saved it; absent for a deleted account, or where GitHub does not say.
    pub editor: Option<String>,
    /// The whole body after this edit; absent where a person deleted that revision.
    pub body: Option<String>,
}

/// What GraphQL adds to a comment: whether its words are still its author's, and whether Wardroom answered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentFacts {
    /// The comment's numeric id.
    pub id: u64,
    /// When the text was last edited, by anyone; `None` if never.
    pub last_edited_at: Option<Timestamp>,
    /// The reactions that the asking account itself left there.
    pub own_reactions: Vec<Reaction>,
}

/// A reaction that Wardroom leaves on a command: the mark that it was answered, which only its own account can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reaction {
    /// `rocket`: done.
    #[serde(rename = "rocket")]
    Rocket,
    /// `confused`: not done; a reply says why.
    #[serde(rename = "confused")]
    Confused,
    /// `eyes`: answered with words, nothing to do.
    #[serde(rename = "eyes")]
    Eyes,
}

impl Reaction {
    /// The name in REST.
    pub fn rest_name(self) -> &'static str {
        match self {
            Reaction::Rocket => "rocket",
            Reaction::Confused => "confused",
            Reaction::Eyes => "eyes",
        }
    }

    /// The name in GraphQL's `ReactionContent`.
    pub fn graphql_name(self) -> &'static str {
        match self {
            Reaction::Rocket => "ROCKET",
            Reaction::Confused => "CONFUSED",
            Reaction::Eyes => "EYES",
        }
    }
}

/// Times as GitHub writes them: RFC 3339 text, an integer epoch in some old payloads, or null. Anything else is "not
/// said": a strange time must not lose a report.
pub mod lenient_time {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Raw {
        Text(String),
        Epoch(i64),
        Other(serde::de::IgnoredAny),
    }

    /// Reads text, seconds since 1970 or null; unreadable is `None`.
    ///
    /// # Errors
    /// Only those of the underlying format.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(match Option::<Raw>::deserialize(deserializer)? {
            Some(Raw::Text(text)) => text.parse().ok(),
            Some(Raw::Epoch(seconds)) => Timestamp::from_second(seconds).ok(),
            Some(Raw::Other(_)) | None => None,
        })
    }

    /// Writes RFC 3339 in UTC, or null.
    ///
    /// # Errors
    /// Only those of the underlying format.
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        time.serialize(serializer)
    }
}
