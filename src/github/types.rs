//! What the client sends and receives beyond the [facts](crate::domain::facts) that the rules speak of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::domain::advisory::facts::{Advisory, AdvisoryState, Release};
pub use crate::domain::advisory::request::{AdvisoryPatch, NewAdvisory};
pub use crate::domain::advisory::{Cve, Ghsa};
pub use crate::domain::facts::{
    Account, App, Comment, CommentFacts, Issue, IssueState, Label, Reaction, RepoName, Repository, Revision, Role,
};

/// `GET …/collaborators/{login}/permission`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Permission {
    /// `admin`, `write`, `read` or `none`: maintain is reported as write, triage as read.
    pub permission: String,
    /// The exact role; a custom role's own name. Older servers leave it out.
    #[serde(default)]
    pub role_name: Option<String>,
    /// The account the answer is about.
    #[serde(default)]
    pub user: Option<Account>,
}

impl Permission {
    /// The role: `role_name` where it is one of GitHub's own, else what `permission` says (a custom role's base).
    pub fn role(&self) -> Role {
        let named = |name: &str| match name {
            "admin" => Some(Role::Admin),
            "maintain" => Some(Role::Maintain),
            "write" => Some(Role::Write),
            "triage" => Some(Role::Triage),
            "read" => Some(Role::Read),
            "none" => Some(Role::None),
            _ => None,
        };
        self.role_name.as_deref().and_then(named).or_else(|| named(&self.permission)).unwrap_or(Role::None)
    }
}

/// What only GraphQL tells about an issue and its comments, read in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the body was last edited; `None` if never.
    pub last_edited_at: Option<Timestamp>,
    /// The body's revisions, oldest first. When edits exist the first is the body as it was opened.
    pub revisions: Vec<Revision>,
    /// The comments that were asked about.
    pub comments: Vec<CommentFacts>,
}

/// Which issues a list call is to give. Pull requests are left out by the port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// All of these labels.
    pub labels: Vec<String>,
    /// Opened by this login.
    pub creator: Option<String>,
    /// Closed ones too.
    pub closed_too: bool,
    /// Changed at or after this moment.
    pub since: Option<Timestamp>,
}

/// An issue to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewIssue {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
    /// Labels to hang on it.
    pub labels: Vec<String>,
    /// Logins to assign. GitHub refuses all of it for one that cannot be, and drops them all where the token may not push.
    pub assignees: Vec<String>,
}

/// A change of an issue; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IssuePatch {
    /// A new title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A new body. Only the body-edit protocol sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Open or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<IssueState>,
    /// `completed`, `not_planned`, `duplicate` or `reopened`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
}
