//! The whole port, call by call, over the real client.

use secrecy::SecretString;
use wardroom::github::auth::{Auth, Credentials};
use wardroom::github::octo::{Address, OctoTransport};
use wardroom::github::rest::Rest;
use wardroom::github::types::{
    Account, Comment, History, Issue, IssueFilter, IssuePatch, IssueState, Label, NewIssue, Reaction, RepoName,
    Repository, Role,
};
use wardroom::github::{Error, GitHub, Reach};

use crate::support::npm;

/// The client as `wardroom` makes it.
pub(crate) fn client(address: &str, credentials: &Credentials, repo: &RepoName) -> Rest<OctoTransport> {
    client_for(address, credentials, std::slice::from_ref(repo))
}

/// The same for several repositories, the tracker first.
pub(crate) fn client_for(address: &str, credentials: &Credentials, repos: &[RepoName]) -> Rest<OctoTransport> {
    client_with(address, credentials, Reach { repositories: repos.to_vec(), ..Reach::default() })
}

/// The same, with repositories that an App need not reach.
pub(crate) fn client_with(address: &str, credentials: &Credentials, reach: Reach) -> Rest<OctoTransport> {
    let address = Address::new(address, None).unwrap();
    let auth = Auth::new(credentials, &address, reach).unwrap();
    let identity = auth.identity();
    Rest::new(OctoTransport::new(address, auth), identity)
}

/// A token of a person.
pub(crate) fn token(text: &str) -> Credentials {
    Credentials::Token(SecretString::from(text.to_owned()))
}

/// An App with a fresh key; `None` (said aloud) where node is missing.
pub(crate) fn app(id: u64) -> Option<Credentials> {
    let (done, key) = npm::node("rsa_key.mjs", "")?;
    assert!(done, "{key}");
    Some(Credentials::App { id, key: SecretString::from(key) })
}

/// What the calls of [`every_call`] answered.
pub(crate) struct Answers {
    pub(crate) me: Account,
    pub(crate) repository: Repository,
    pub(crate) file: Option<String>,
    /// As it was created, then changed, then read.
    pub(crate) issue: [Issue; 3],
    pub(crate) issues: Vec<Issue>,
    /// As it was created, then changed.
    pub(crate) comment: [Comment; 2],
    pub(crate) comments: Vec<Comment>,
    pub(crate) labels: Vec<Label>,
    pub(crate) role: Role,
    pub(crate) history: History,
    /// Events of the App's delivery log; `None` where there is no App.
    pub(crate) log: Option<Vec<String>>,
}

/// Drives every method of the port once, in an order that makes sense.
pub(crate) async fn every_call(github: &dyn GitHub, repo: &RepoName, file: &str, who: &Account) -> Answers {
    assert_eq!(github.server_time(), None);
    let me = github.me().await.unwrap();
    let repository = github.repository(repo).await.unwrap();
    let file = github.file(repo, file).await.unwrap();

    let label = |name: &str| Label {
        name: name.to_owned(),
        color: Some("d93f0b".to_owned()),
        description: Some("An incident is in this phase".to_owned()),
    };
    github.create_label(repo, &label("phase/1 assess")).await.unwrap();
    github.rename_label(repo, "phase/1 assess", &label("phase/1-assessment")).await.unwrap();

    let new = NewIssue {
        title: "Incident 2026-014".to_owned(),
        body: "## Phase 1\r\n\r\n- [ ] Reproduce the vulnerability".to_owned(),
        labels: vec!["incident".to_owned()],
        assignees: vec![who.login.clone()],
    };
    let created = github.create_issue(repo, &new).await.unwrap();
    let number = created.number;
    github.assign(repo, number, std::slice::from_ref(&who.login)).await.unwrap();
    github.add_label(repo, number, "phase/1-assessment").await.unwrap();
    github.remove_label(repo, number, "phase/1-assessment").await.unwrap();
    let first = github.create_comment(repo, number, "Progress: 0 of 38").await.unwrap();
    let second = github.edit_comment(repo, first.id, "Progress: 1 of 38").await.unwrap();
    github.react(repo, first.id, Reaction::Rocket).await.unwrap();
    let patch = IssuePatch {
        title: Some("Incident 2026-015".to_owned()),
        body: Some("## Phase 1\r\n\r\n- [x] Reproduce the vulnerability".to_owned()),
        state: Some(IssueState::Closed),
        state_reason: Some("completed".to_owned()),
    };
    let changed = github.edit_issue(repo, number, &patch).await.unwrap();

    let read = github.issue(repo, number).await.unwrap();
    let filter = IssueFilter {
        labels: vec!["incident".to_owned()],
        creator: Some(me.login.clone()),
        closed_too: true,
        since: Some("2020-01-01T00:00:00Z".parse().unwrap()),
    };
    let issues = github.issues(repo, &filter).await.unwrap();
    let comments = github.comments(repo, number).await.unwrap();
    let labels = github.labels(repo).await.unwrap();
    let role = github.role(repo, who).await.unwrap();
    let history = github.history(repo, number, None, &comments).await.unwrap();
    github.delete_comment(repo, first.id).await.unwrap();
    let log = match github.delivery_log("2010-01-01T00:00:00Z".parse().unwrap()).await {
        Err(Error::Unsupported(_)) => None,
        log => Some(log.unwrap()),
    };
    if let Some(newest) = log.as_ref().and_then(|log| log.first()) {
        assert!(github.delivered_payload(newest.id).await.unwrap().unwrap().is_object());
    }
    assert!(github.server_time().is_some());
    Answers {
        me,
        repository,
        file,
        issue: [created, changed, read],
        issues,
        comment: [first, second],
        comments,
        labels,
        role,
        history,
        log: log.map(|log| log.into_iter().map(|attempt| attempt.event).collect()),
    }
}
