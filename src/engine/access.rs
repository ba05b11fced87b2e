//! Events that tell what Wardroom may reach: installations of the App, and what happens to whole repositories. They decide
//! nothing. What GitHub refused is tried again, and a sweep finds what is true now.

use serde::Deserialize;

use super::Engine;
use super::intake::Ignored;
use crate::domain::facts::RepoName;
use crate::domain::policy::Policy;
use crate::store::{Asked, StoreError};

/// The payload of such an event, as far as it is read.
#[derive(Deserialize)]
pub(super) struct Payload {
    #[serde(default)]
    action: String,
    #[serde(default)]
    installation: Option<Installation>,
    #[serde(default)]
    repositories_added: Vec<Named>,
    #[serde(default)]
    repositories_removed: Vec<Named>,
    #[serde(default)]
    repository: Option<Named>,
    #[serde(default)]
    changes: Option<Changes>,
}

#[derive(Deserialize)]
struct Installation {
    #[serde(default)]
    account: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    login: String,
}

#[derive(Deserialize)]
struct Named {
    full_name: RepoName,
}

/// What a `repository` event says of before: `renamed` the name, `transferred` the owner.
#[derive(Deserialize)]
struct Changes {
    #[serde(default)]
    repository: Option<Renamed>,
    #[serde(default)]
    owner: Option<Transferred>,
}

#[derive(Deserialize)]
struct Renamed {
    name: OldName,
}

#[derive(Deserialize)]
struct OldName {
    from: String,
}

#[derive(Deserialize)]
struct Transferred {
    from: OldOwner,
}

#[derive(Deserialize)]
struct OldOwner {
    #[serde(default)]
    user: Option<Owner>,
    #[serde(default)]
    organization: Option<Owner>,
}

/// Whether an event is of this kind.
pub(super) fn is_about_access(event: &str) -> bool {
    matches!(event, "installation" | "installation_repositories" | "repository")
}

/// What such an event asks for.
///
/// # Errors
/// The reason why it asks for nothing.
pub(super) fn of_payload(
    event: &str,
    payload: &Payload,
    policy: &Policy,
    tracker: &RepoName,
) -> Result<Asked, Ignored> {
    let ours: Vec<&RepoName> = [tracker]
        .into_iter()
        .chain(&policy.reports.repositories)
        .chain(&policy.advisories.repository)
        .chain(policy.release_repository())
        .collect();
    let is_ours = |named: &Named| ours.contains(&&named.full_name);
    let asks = Ok(Asked { access: true, ..Asked::default() });
    if event == "repository" {
        let now = payload.repository.as_ref().ok_or(Ignored::Unreadable)?;
        let before = payload.changes.as_ref().and_then(|changes| changes.before(&now.full_name));
        return match is_ours(now) || before.is_some_and(|before| ours.contains(&&before)) {
            true => asks,
            false => Err(Ignored::OtherRepository),
        };
    }
    let account = payload.installation.as_ref().and_then(|installation| installation.account.as_ref());
    let owner = &account.ok_or(Ignored::Unreadable)?.login;
    if !ours.iter().any(|repo| repo.owner().eq_ignore_ascii_case(owner)) {
        return Err(Ignored::OtherOwner);
    }
    match (event, payload.action.as_str()) {
        ("installation", "deleted") => Err(Ignored::Uninstalled),
        ("installation", "suspend") => Err(Ignored::Suspended),
        ("installation", _) => asks,
        _ if payload.repositories_added.iter().any(is_ours) => asks,
        _ if payload.repositories_removed.iter().any(is_ours) => Err(Ignored::Uninstalled),
        _ => Err(Ignored::OtherRepository),
    }
}

impl Changes {
    /// The repository's full name before the change.
    fn before(&self, now: &RepoName) -> Option<RepoName> {
        let name = self.repository.as_ref().map_or(now.name(), |renamed| &renamed.name.from);
        let from = self.owner.as_ref().map(|transferred| &transferred.from);
        let owner = from.and_then(|from| from.organization.as_ref().or(from.user.as_ref()));
        format!("{}/{name}", owner.map_or(now.owner(), |owner| &owner.login)).parse().ok()
    }
}

impl Engine {
    /// Rights or names have changed: what GitHub refused is tried again, with new tokens, and a sweep is due.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn try_refused_again(&self) -> Result<(), StoreError> {
        self.github.forget_tokens().await;
        self.store.retry_refused(self.now()).await
    }
}
