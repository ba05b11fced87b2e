//! Advisories and releases: the part of the port for what becomes public in the end.
//!
//! Facts about these calls: GitHub Docs, "REST API endpoints for repository security advisories". Lists come in pages by
//! cursor, never by number. What cannot be taken back asks for an [`Approval`].

use async_trait::async_trait;
use serde_json::{Value, json};

use super::rest::{Rest, repo_path, segment};
use super::transport::{Method, Transport};
use super::types::{Advisory, AdvisoryPatch, AdvisoryState, Ghsa, NewAdvisory, Release, RepoName};
use super::{Error, Result};
use crate::domain::advisory::approval::{Act, Approval};

/// What the engine may ask about advisories and releases, and do with them.
#[async_trait]
pub trait Advisories: Send + Sync {
    /// All advisories of a repository in this state, the last changed first. Private reports are in `triage`. `NotFound`
    /// where the repository can have none that this account may see.
    async fn advisories(&self, repo: &RepoName, state: AdvisoryState) -> Result<Vec<Advisory>>;

    /// One advisory.
    async fn advisory(&self, repo: &RepoName, id: &Ghsa) -> Result<Advisory>;

    /// Makes a draft. After a lost answer the drafts are listed: [`NewAdvisory::is`] knows it again.
    async fn create_advisory(&self, repo: &RepoName, advisory: &NewAdvisory) -> Result<Advisory>;

    /// Changes fields of an advisory; it never changes its state.
    async fn update_advisory(&self, repo: &RepoName, id: &Ghsa, patch: &AdvisoryPatch) -> Result<Advisory>;

    /// Accepts, closes or publishes an advisory, as it was approved. An approval for anything else is `Invalid`.
    async fn conclude_advisory(&self, repo: &RepoName, approval: &Approval) -> Result<Advisory>;

    /// Asks GitHub for a CVE ID, as it was approved. Nothing shows later that this was done: whoever calls it writes that
    /// down first, and never calls it again. An approval for anything else is `Invalid`.
    async fn request_cve(&self, repo: &RepoName, approval: &Approval) -> Result<()>;

    /// The release of a tag; `None` if there is none that people can see. Draft releases have no tag yet.
    async fn release(&self, repo: &RepoName, tag: &str) -> Result<Option<Release>>;

    /// The newest releases, at most 100, newest first.
    async fn releases(&self, repo: &RepoName) -> Result<Vec<Release>>;
}

fn advisory_name(repo: &RepoName, id: &Ghsa) -> String {
    format!("advisory {id} of {repo}")
}

fn advisory_path(repo: &RepoName, id: &Ghsa) -> String {
    repo_path(repo, &format!("/security-advisories/{}", segment(&id.to_string())))
}

fn unwritable(what: &str) -> Error {
    Error::Invalid { what: what.to_owned(), status: 0, message: "it cannot be written as JSON".to_owned() }
}

fn wrong_act(what: &str, act: Act) -> Error {
    let message = format!("the approval is for `{}`", act.command());
    Error::Invalid { what: what.to_owned(), status: 0, message }
}

#[async_trait]
impl<T: Transport> Advisories for Rest<T> {
    async fn advisories(&self, repo: &RepoName, state: AdvisoryState) -> Result<Vec<Advisory>> {
        let query = format!("state={}&sort=updated&direction=desc", segment(state.word()));
        let what = format!("the advisories of {repo}");
        let found: Vec<Value> =
            self.list_by_cursor(&what, &repo_path(repo, &format!("/security-advisories?{query}"))).await?;
        // One that cannot be read must not hide the others.
        let mut all: Vec<Advisory> = Vec::new();
        for one in found {
            match serde_json::from_value::<Advisory>(one) {
                Ok(one) if all.iter().any(|known| known.ghsa_id == one.ghsa_id) => {}
                Ok(one) => all.push(one),
                Err(_) => tracing::warn!(%repo, "an advisory in the list cannot be read and is left out"),
            }
        }
        Ok(all)
    }

    async fn advisory(&self, repo: &RepoName, id: &Ghsa) -> Result<Advisory> {
        self.get(&advisory_name(repo, id), &advisory_path(repo, id)).await
    }

    async fn create_advisory(&self, repo: &RepoName, advisory: &NewAdvisory) -> Result<Advisory> {
        let what = format!("drafting an advisory in {repo}");
        let body = serde_json::to_value(advisory).map_err(|_| unwritable(&what))?;
        self.send(&what, Method::Post, &repo_path(repo, "/security-advisories"), body).await
    }

    async fn update_advisory(&self, repo: &RepoName, id: &Ghsa, patch: &AdvisoryPatch) -> Result<Advisory> {
        let what = format!("changing {}", advisory_name(repo, id));
        let body = serde_json::to_value(patch).map_err(|_| unwritable(&what))?;
        self.send(&what, Method::Patch, &advisory_path(repo, id), body).await
    }

    async fn conclude_advisory(&self, repo: &RepoName, approval: &Approval) -> Result<Advisory> {
        let id = approval.ghsa();
        let (verb, state) = match approval.act() {
            Act::Accept => ("accepting", AdvisoryState::Draft),
            Act::Reject => ("closing", AdvisoryState::Closed),
            Act::Publish => ("publishing", AdvisoryState::Published),
            Act::RequestCve => return Err(wrong_act(&advisory_name(repo, id), approval.act())),
        };
        let what = format!("{verb} {}", advisory_name(repo, id));
        self.send(&what, Method::Patch, &advisory_path(repo, id), json!({ "state": state.word() })).await
    }

    async fn request_cve(&self, repo: &RepoName, approval: &Approval) -> Result<()> {
        let what = format!("asking for a CVE ID for {}", advisory_name(repo, approval.ghsa()));
        if approval.act() != Act::RequestCve {
            return Err(wrong_act(&what, approval.act()));
        }
        let path = format!("{}/cve", advisory_path(repo, approval.ghsa()));
        self.send_only(&what, Method::Post, &path, None).await
    }

    async fn release(&self, repo: &RepoName, tag: &str) -> Result<Option<Release>> {
        let what = format!("the release {tag} of {repo}");
        match self.get(&what, &repo_path(repo, &format!("/releases/tags/{}", segment(tag)))).await {
            Ok(release) => Ok(Some(release)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn releases(&self, repo: &RepoName) -> Result<Vec<Release>> {
        self.first_page(&format!("the releases of {repo}"), &repo_path(repo, "/releases")).await
    }
}
