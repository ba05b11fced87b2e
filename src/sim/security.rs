//! What people do on a repository's security and release pages.

use serde_json::{Value, json};

use super::handle::Reply;
use super::people::{Done, PageRefuses, Person};
use super::releases::ReleaseRow;
use super::world::{Identity, Repo, State};
use crate::domain::facts::{RepoName, Role};

fn as_person(user: u64) -> Identity {
    Identity { user, app: None, permissions: None, repositories: None, ends: None }
}

/// The page shows what the API would answer.
fn shown(reply: &Reply) -> Done {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    let why = reply.body.pointer("/errors/0/message").or_else(|| reply.body.get("message"));
    Err(PageRefuses(why.and_then(Value::as_str).unwrap_or_default().to_owned()))
}

impl Person<'_> {
    /// Reports a vulnerability privately. Returns the report's id.
    pub fn report_privately(&self, repo: &RepoName, summary: &str, description: &str) -> Done<String> {
        self.report_with(repo, &json!({ "summary": summary, "description": description }))
    }

    /// Reports a vulnerability privately with further fields, as the API names them.
    pub fn report_with(&self, repo: &RepoName, fields: &Value) -> Done<String> {
        self.act(repo, Role::Read, |state, row, user| {
            let reply = state.report_privately(row, &as_person(user), fields);
            shown(&reply)?;
            Ok(reply.body.get("ghsa_id").and_then(Value::as_str).unwrap_or_default().to_owned())
        })
    }

    /// Edits an advisory by hand: fields as the API names them, `state` among them.
    pub fn edit_advisory(&self, repo: &RepoName, ghsa: &str, fields: &Value) -> Done {
        self.with_advisory(repo, ghsa, |state, row, user, before| {
            shown(&state.edit_advisory(row, &as_person(user), before, fields))
        })
    }

    /// Presses “Publish advisory”.
    pub fn publish_advisory(&self, repo: &RepoName, ghsa: &str) -> Done {
        self.edit_advisory(repo, ghsa, &json!({ "state": "published" }))
    }

    /// Presses “Request CVE”.
    pub fn request_cve(&self, repo: &RepoName, ghsa: &str) -> Done {
        self.with_advisory(repo, ghsa, |state, row, user, before| {
            shown(&state.request_cve(row, &as_person(user), before))
        })
    }

    /// Starts the temporary private fork.
    pub fn start_private_fork(&self, repo: &RepoName, ghsa: &str) -> Done {
        self.with_advisory(repo, ghsa, |state, row, user, _| {
            if !state.manages(row, &as_person(user)) {
                return Err(PageRefuses("no such button for this role".to_owned()));
            }
            state.change_advisory(&row.name, ghsa, |row| row.fork = true);
            Ok(())
        })
    }

    /// Accepts or declines the credit that an advisory offers them.
    pub fn answer_credit(&self, repo: &RepoName, ghsa: &str, accept: bool) -> Done {
        self.with_advisory(repo, ghsa, |state, row, user, before| {
            if !before.credits.iter().any(|(known, ..)| *known == user) {
                return Err(PageRefuses("no credit is offered".to_owned()));
            }
            let word = if accept { "accepted" } else { "declined" };
            state.change_advisory(&row.name, ghsa, |row| {
                row.credits.iter_mut().filter(|(known, ..)| *known == user).for_each(|credit| credit.2 = word);
            });
            Ok(())
        })
    }

    fn with_advisory<T>(
        &self,
        repo: &RepoName,
        ghsa: &str,
        act: impl FnOnce(&mut State, &Repo, u64, &super::advisories::AdvisoryRow) -> Done<T>,
    ) -> Done<T> {
        self.act(repo, Role::Read, |state, row, user| {
            let before = state.advisory(&row.name, ghsa).cloned();
            let mine = |known: &super::advisories::AdvisoryRow| {
                state.manages(row, &as_person(user))
                    || known.author == user
                    || known.credits.iter().any(|(credited, ..)| *credited == user)
            };
            match before.filter(mine) {
                Some(before) => act(state, row, user, &before),
                None => Err(PageRefuses("404".to_owned())),
            }
        })
    }

    /// Publishes a release of a tag with these files.
    pub fn publish_release(&self, repo: &RepoName, tag: &str, assets: &[&str]) -> Done {
        self.release(repo, tag, assets, false, false)
    }

    /// Saves a release as a draft, or publishes it as a pre-release.
    pub fn release(&self, repo: &RepoName, tag: &str, assets: &[&str], draft: bool, prerelease: bool) -> Done {
        self.act(repo, Role::Write, |state, row, user| {
            let now = state.now;
            let id = state.fresh_id();
            let assets = assets.iter().map(|name| (state.fresh_id(), (*name).to_owned())).collect();
            if let Some(repo) = state.repo_mut(&row.name) {
                repo.releases.retain(|known| known.tag != tag);
                repo.releases.push(ReleaseRow {
                    id,
                    tag: tag.to_owned(),
                    author: user,
                    draft,
                    prerelease,
                    created: now,
                    published: (!draft).then_some(now),
                    assets,
                });
            }
            Ok(())
        })
    }
}
