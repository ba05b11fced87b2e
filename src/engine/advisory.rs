//! Reading the advisory, its releases and its drafts.

use super::{Engine, LookError};
use crate::domain::advisory::evidence::VersionRelease;
use crate::domain::advisory::{AdvisoryState, Ghsa, text};
use crate::domain::checklist::Checklist;
use crate::domain::facts::RepoName;
use crate::domain::fence;
use crate::domain::incident::{self, ReportId};
use crate::domain::observed::{AdvisorySight, AdvisoryTemplate, Needs, Observed, ReleaseSight};
use crate::github::Error;

/// Why advisories are often out of reach, and what helps.
const REMEDY: &str = "Advisories are read and written by a GitHub App, or a token of a person, with the permission \
                      “Repository security advisories: write” on that repository; a workflow’s own token cannot, private \
                      repositories and GitHub Enterprise Server have none. Everything else goes on without.";

impl Engine {
    /// Reads what a decision about the advisory needs.
    pub(super) async fn complete_advisory(&self, observed: &mut Observed, needs: &Needs) -> Result<(), LookError> {
        let Some(repo) = &self.policy.advisories.repository else { return Ok(()) };
        if let Some(id) = &needs.advisory {
            observed.advisory = self.read_advisory(repo, id).await?;
        }
        if needs.drafts {
            let listed = match self.github.advisories(repo, AdvisoryState::Draft).await {
                Ok(drafts) => drafts,
                Err(error) if out_of_reach(&error) => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            observed.linked_elsewhere = self.linked_elsewhere(observed.issue.number).await?;
            observed.drafts = Some(listed);
        }
        if !needs.releases.is_empty() {
            observed.releases = self.read_releases(&needs.releases).await?;
        }
        if needs.visibility {
            observed.advisories_public = match self.github.repository(repo).await {
                Ok(found) => Some(!found.is_private()),
                // GitHub will say what it thinks of the request.
                Err(error) if out_of_reach(&error) => Some(true),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(())
    }

    async fn read_advisory(&self, repo: &RepoName, id: &Ghsa) -> Result<AdvisorySight, LookError> {
        match self.github.advisory(repo, id).await {
            Ok(advisory) if advisory.state != AdvisoryState::Published && self.is_open_to_all().await? => {
                Ok(AdvisorySight::Unreadable(format!(
                    "`{id}` is not public, and this repository is: nothing of it is shown here. Use a private tracker."
                )))
            }
            Ok(advisory) => Ok(AdvisorySight::Seen(Box::new(advisory))),
            Err(Error::NotFound(_)) => Ok(AdvisorySight::Unreadable(format!(
                "`{repo}` has no `{id}` that Wardroom may see. Is it the right id, and is {repo} the policy’s \
                 `advisories.repository`? {REMEDY}"
            ))),
            Err(error) if out_of_reach(&error) => Ok(AdvisorySight::Unreadable(in_words(&error))),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_releases(&self, wanted: &[VersionRelease]) -> Result<ReleaseSight, LookError> {
        let Some(repo) = self.policy.release_repository() else { return Ok(ReleaseSight::default()) };
        let mut releases = wanted.to_vec();
        for one in &mut releases {
            one.release = match self.github.release(repo, &one.tag).await {
                Ok(release) => release,
                Err(error) if out_of_reach(&error) => {
                    return Ok(ReleaseSight::Unreadable(format!(
                        "{}. It needs Contents: read on `{repo}`.",
                        fence::plain(&error.to_string())
                    )));
                }
                Err(error) => return Err(error.into()),
            };
        }
        // A token that may not see the repository gets 404 for every tag, as if nothing were released.
        if releases.iter().all(|one| one.release.is_none())
            && let Err(error) = self.github.repository(repo).await
        {
            if !out_of_reach(&error) {
                return Err(error.into());
            }
            return Ok(ReleaseSight::Unreadable(format!(
                "{}. It needs Contents: read on `{repo}`.",
                fence::plain(&error.to_string())
            )));
        }
        Ok(ReleaseSight::Seen(releases))
    }

    /// The advisories that the other incidents are about.
    async fn linked_elsewhere(&self, here: u64) -> Result<Vec<Ghsa>, LookError> {
        let others = self.incidents().await?;
        let others = others.iter().filter(|(_, issue)| issue.number != here);
        let named = |report: &ReportId, body: &str| {
            incident::named_advisory(&Checklist::parse(body)).or_else(|| report.advisory().cloned())
        };
        Ok(others.filter_map(|(report, issue)| named(report, issue.text())).collect())
    }

    /// The text that advisories are drafted from: the policy's own, read once as the policy is, or the built-in one.
    pub(super) async fn advisory_template(&self) -> Result<AdvisoryTemplate, LookError> {
        let read = || async {
            let path = self.policy.advisories.repository.as_ref().and(self.policy.advisory_template.as_ref());
            let own = match path {
                Some(path) => self.github.file(&self.tracker, path).await?,
                None => None,
            };
            let missing = path.filter(|_| own.is_none()).cloned();
            Ok::<_, LookError>(AdvisoryTemplate { text: own.map_or_else(|| text::DEFAULT.into(), Into::into), missing })
        };
        Ok(self.advisory_text.get_or_try_init(read).await?.clone())
    }
}

/// An error of a call about advisories, and what helps, for a log.
pub(super) fn with_remedy(error: &Error) -> String {
    let text = error.to_string();
    let why = text.trim_end_matches('.');
    match error {
        // These say it themselves.
        Error::Forbidden { .. } | Error::Invalid { .. } => format!("{why}."),
        _ => format!("{why}. {REMEDY}"),
    }
}

/// The same for a comment.
pub(super) fn in_words(error: &Error) -> String {
    fence::plain(&with_remedy(error))
}

/// Whether this account can have no answer here, however often it asks.
pub(super) fn out_of_reach(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. } | Error::Forbidden { .. } | Error::Unsupported(_)
    )
}
