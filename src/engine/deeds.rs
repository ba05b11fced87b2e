//! Doing something with the advisory for a command: draft it, change its fields, publish it, ask for a CVE ID.
//!
//! The races, and the decision for each:
//!
//! - The answer to a draft or to a publication is lost: the next look reads what is true, and goes on from there.
//! - The answer to a request for a CVE ID is lost: GitHub does not show whether it was made. The intent was written into the
//!   status comment before, and the store knows how far this process came; where it does not, a person looks.
//! - The answer to closing a report is lost, and a person opens it again: it is not closed a second time.
//! - A person changes the advisory between our read and our change: it is read again just before, and must be the same.
//! - The mark of a command is lost after its words were said: the words are looked for first.

use jiff::{SignedDuration, Timestamp};

use super::advisory::{in_words, out_of_reach};
use super::apply::Outcome;
use super::{Engine, LookError};
use crate::domain::advisory::Ghsa;
use crate::domain::advisory::approval::{Act, Approval};
use crate::domain::advisory::cve;
use crate::domain::advisory::request::AdvisoryPatch;
use crate::domain::answers::Deed;
use crate::domain::facts::{Reaction, RepoName};
use crate::domain::observed::{CveStep, Observed};
use crate::domain::plan::head_marker;
use crate::domain::texts;
use crate::github::{Error, Result as Called};

/// How long the store keeps how far a request for a CVE ID came: longer than the command for it is honoured.
const STEP_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The store's key for how far a request for a CVE ID came.
fn step_key(number: u64) -> String {
    format!("cve {number}")
}

impl Engine {
    pub(super) async fn act_on_advisory(
        &self,
        observed: &Observed,
        repo: &RepoName,
        deed: &Deed,
    ) -> Result<Outcome, LookError> {
        let writes = match deed {
            Deed::Draft { to, advisory, paste } => {
                let done = self.github.create_advisory(repo, advisory).await;
                let otherwise =
                    format!("A person can paste it at <https://github.com/{repo}/security/advisories/new>:\n\n{paste}");
                self.finish(observed, to.as_slice(), done, &format!("No draft was made in `{repo}`"), &otherwise)
                    .await?
            }
            Deed::Edit { to, id, seen, patch, marks } => {
                return self.change_advisory(observed, repo, *to, id, *seen, patch, *marks).await;
            }
            Deed::Conclude { approval, otherwise } => {
                if approval.act() == Act::Reject && self.was_reopened(repo, approval).await? {
                    let text = format!(
                        "`{}` was not closed: the answer to the first try was lost, and someone has changed it since. Look \
                         at it, and say it again if it should be closed.",
                        approval.ghsa()
                    );
                    let said = self.say_once(observed, approval.comments(), &text).await?;
                    return Ok(Outcome::Done(
                        said + self.mark(observed, approval.comments(), Reaction::Confused).await?,
                    ));
                }
                let done = self.github.conclude_advisory(repo, approval).await;
                let id = approval.ghsa();
                let failed = match approval.act() {
                    Act::Publish => format!("`{id}` was not published"),
                    Act::Accept => format!("`{id}` was not accepted"),
                    Act::Reject => format!("`{id}` was not closed"),
                    Act::RequestCve => format!("No CVE ID was asked for `{id}`"),
                };
                self.finish(observed, approval.comments(), done, &failed, otherwise).await?
            }
            Deed::RequestCve { approval } => self.request_cve(observed, repo, approval).await?,
        };
        Ok(Outcome::Done(writes))
    }

    /// Whether an advisory that is to be closed was changed since an earlier try whose answer was lost: that try may have
    /// closed it, and a person opened it again. Notes this try.
    async fn was_reopened(&self, repo: &RepoName, approval: &Approval) -> Result<bool, LookError> {
        let key = format!("closing {}", approval.comments().first().copied().unwrap_or_default());
        let now = self.now();
        if let Some(tried) = self.store.get(&key, now).await?.and_then(|text| text.parse::<Timestamp>().ok()) {
            let changed = match self.github.advisory(repo, approval.ghsa()).await {
                Ok(advisory) => advisory.updated_at.is_some_and(|at| at > tried),
                Err(error) if out_of_reach(&error) => false,
                Err(error) => return Err(error.into()),
            };
            return Ok(changed);
        }
        let tried = self.github.server_time().unwrap_or(now);
        self.store.put(&key, &tried.to_string(), now + STEP_LIFE).await?;
        Ok(false)
    }

    /// Marks the commands of a deed that was done. Where GitHub refuses it for good, says why and what a person can do.
    async fn finish<T>(
        &self,
        observed: &Observed,
        comments: &[u64],
        done: Called<T>,
        failed: &str,
        otherwise: &str,
    ) -> Result<usize, LookError> {
        let mut writes = 0;
        let reaction = match done {
            Ok(_) => {
                writes += 1;
                Reaction::Rocket
            }
            Err(error) if out_of_reach(&error) || matches!(error, Error::Invalid { .. }) => {
                let text = format!("{failed}: {}\n\n{otherwise}", in_words(&error));
                writes += self.say_once(observed, comments, &text).await?;
                Reaction::Confused
            }
            Err(error) => return Err(error.into()),
        };
        Ok(writes + self.mark(observed, comments, reaction).await?)
    }

    async fn mark(&self, observed: &Observed, comments: &[u64], reaction: Reaction) -> Result<usize, LookError> {
        for comment in comments {
            self.github.react(&self.tracker, *comment, reaction).await?;
            self.keep_reaction(observed, *comment, reaction).await?;
        }
        Ok(comments.len())
    }

    /// Answers the last of the commands (without one, it is about a draft that the policy asked for), unless that was said and only its mark was lost.
    async fn say_once(&self, observed: &Observed, comments: &[u64], text: &str) -> Result<usize, LookError> {
        let text = match comments.last() {
            Some(comment) => texts::reply(*comment, text),
            None => format!("{}\n{}\n", texts::marker(texts::DRAFT_REFUSED, "1"), text.trim_end()),
        };
        let mut mine = observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref()));
        if mine.any(|comment| head_marker(comment.text()) == head_marker(&text)) {
            return Ok(0);
        }
        self.github.create_comment(&self.tracker, observed.issue.number, &text).await?;
        Ok(1)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one deed, named")]
    async fn change_advisory(
        &self,
        observed: &Observed,
        repo: &RepoName,
        to: u64,
        id: &Ghsa,
        seen: Option<Timestamp>,
        patch: &AdvisoryPatch,
        marks: bool,
    ) -> Result<Outcome, LookError> {
        let done = match self.github.advisory(repo, id).await {
            Ok(now) if now.updated_at != seen => return Ok(Outcome::LookAgain(0)),
            Ok(_) => self.github.update_advisory(repo, id, patch).await,
            Err(error) => Err(error),
        };
        let failed = format!("`{id}` was not changed");
        let otherwise = format!("A person can change it at <{}>.", crate::domain::advisory::page(repo, id));
        if marks {
            return Ok(Outcome::Done(self.finish(observed, &[to], done, &failed, &otherwise).await?));
        }
        match done {
            Ok(_) => Ok(Outcome::Done(1)),
            Err(error) if out_of_reach(&error) || matches!(error, Error::Invalid { .. }) => {
                let text = format!("The field is filled. {failed}: {}\n\n{otherwise}", in_words(&error));
                Ok(Outcome::Done(self.say_once(observed, &[to], &text).await?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How far this process came with the request for a CVE ID of an incident.
    pub(super) async fn cve_step(&self, number: u64, now: Timestamp) -> Result<Option<(u64, CveStep)>, LookError> {
        let kept = self.store.get(&step_key(number), now).await?;
        let read = |text: String| {
            let (comment, word) = text.split_once(' ')?;
            Some((comment.parse().ok()?, CveStep::of_word(word)?))
        };
        let step = kept.and_then(read);
        Ok(if self.guards.journal { step } else { step.map(|(comment, _)| (comment, CveStep::Planned)) })
    }

    pub(super) async fn keep_cve_step(&self, number: u64, comment: u64, step: CveStep) -> Result<(), LookError> {
        let text = format!("{comment} {}", step.word());
        Ok(self.store.put(&step_key(number), &text, self.now() + STEP_LIFE).await?)
    }

    /// Asks for a CVE ID. The intent stands in the status comment by now.
    async fn request_cve(&self, observed: &Observed, repo: &RepoName, approval: &Approval) -> Result<usize, LookError> {
        let number = observed.issue.number;
        let comments = approval.comments();
        let comment = comments.first().copied().unwrap_or_default();
        self.keep_cve_step(number, comment, CveStep::Sent).await?;
        let error = match self.github.request_cve(repo, approval).await {
            Ok(()) => {
                self.keep_cve_step(number, comment, CveStep::Taken).await?;
                return Ok(1 + self.mark(observed, comments, Reaction::Rocket).await?);
            }
            Err(error) => error,
        };
        let status = match &error {
            Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. } | Error::Unsupported(_) => 404,
            Error::Forbidden { .. } => 403,
            Error::Invalid { status, .. } => *status,
            // Nothing was done: the next look may ask.
            Error::Barred(_) | Error::Unauthorized | Error::Limited { .. } | Error::Unavailable { .. } => {
                self.keep_cve_step(number, comment, CveStep::Planned).await?;
                return Err(error.into());
            }
            Error::Unknown { .. } => return Err(error.into()),
        };
        let said = match &error {
            Error::Forbidden { message, .. } | Error::Invalid { message, .. } => message.as_str(),
            _ => "",
        };
        let words = self.say_once(observed, comments, &cve::answer(status, said, self.now())).await?;
        Ok(words + self.mark(observed, comments, Reaction::Confused).await?)
    }
}
