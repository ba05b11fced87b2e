//! Carrying a plan out, action by action. Each call is made once. What fails for good is noted and left; what may have
//! happened ends the look, and the next one sees what is true.

use super::{Engine, LookError, Looked};
use crate::domain::answers::Deed;
use crate::domain::facts::IssueState;
use crate::domain::labels::LabelChange;
use crate::domain::observed::{CveStep, Missing, Observed};
use crate::domain::plan::{Action, Plan, READ_LAG, head_marker};
use crate::github::Error;
use crate::github::types::IssuePatch;

/// What became of one action.
pub(super) enum Outcome {
    /// It was done, with so many writes.
    Done(usize),
    /// Someone else changed the issue at the same moment: look again. So many writes were made.
    LookAgain(usize),
}

impl Engine {
    pub(super) async fn apply(&self, observed: &Observed, plan: Plan) -> Result<Looked, LookError> {
        let number = observed.issue.number;
        let mut looked = Looked { summary: Some(plan.summary), wake_at: plan.wake_at, ..Looked::default() };
        let cve_command = plan.actions.iter().find_map(cve_command);
        if let Some(comment) = cve_command {
            // If the answer to the status comment is lost, this says that nothing was asked yet.
            self.keep_cve_step(number, comment, CveStep::Planned).await?;
        }
        let mut intent_is_written = true;
        for action in &plan.actions {
            if cve_command.is_some() && cve_command == self::cve_command(action) && !intent_is_written {
                looked.notes.push("the status comment cannot be written, so no CVE ID is asked for".to_owned());
                continue;
            }
            self.before_write(number).await?;
            let acted = self.act(observed, action).await;
            self.after_write(number).await?;
            match acted {
                Ok(Outcome::Done(writes)) => {
                    looked.writes += writes;
                    looked.steps.push(describe(action));
                }
                Ok(Outcome::LookAgain(writes)) => {
                    looked.writes += writes;
                    looked.notes.push("someone changed the issue at the same moment; looking again".to_owned());
                    looked.unfinished = true;
                    looked.wake_at = Some(self.now() + READ_LAG);
                    return Ok(looked);
                }
                Err(LookError::GitHub(
                    error @ (Error::NotFound(_)
                    | Error::Gone(_)
                    | Error::Forbidden { .. }
                    | Error::Invalid { .. }
                    | Error::Unsupported(_)),
                )) => {
                    intent_is_written &= !matches!(action, Action::Status { .. });
                    looked.refuse(&error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(looked)
    }

    async fn act(&self, observed: &Observed, action: &Action) -> Result<Outcome, LookError> {
        let (repo, number) = (&self.tracker, observed.issue.number);
        match action {
            Action::EditBody { expected, body, .. } => return self.edit_body(observed, expected, body).await,
            Action::Advisory { repository, deed } => return self.act_on_advisory(observed, repository, deed).await,
            Action::Close { reason } => {
                let patch = IssuePatch {
                    state: Some(IssueState::Closed),
                    state_reason: Some((*reason).to_owned()),
                    ..IssuePatch::default()
                };
                self.github.edit_issue(repo, number, &patch).await?;
            }
            Action::CloseDouble(join) => self.join(number, join).await?,
            Action::Label(LabelChange::Add(label)) => {
                let created = self.ensure_label(label).await?;
                self.github.add_label(repo, number, &label.name).await?;
                return Ok(Outcome::Done(1 + created));
            }
            Action::Label(LabelChange::Remove(name)) => self.github.remove_label(repo, number, name).await?,
            Action::Say { on, body } if *on == number => {
                self.github.create_comment(repo, number, body).await?;
            }
            Action::Say { on, body } => {
                let me = self.me().await?;
                let said = self.github.comments(repo, *on).await?;
                let mine = said.iter().filter(|comment| comment.user.as_ref().is_some_and(|user| user.id == me.id));
                if mine.into_iter().any(|comment| head_marker(comment.text()) == head_marker(body)) {
                    return Ok(Outcome::Done(0));
                }
                self.github.create_comment(repo, *on, body).await?;
            }
            Action::React { to, reaction } => {
                self.github.react(repo, *to, *reaction).await?;
                self.keep_reaction(observed, *to, *reaction).await?;
            }
            Action::Status { id: Some(id), body } => {
                self.github.edit_comment(repo, *id, body).await?;
            }
            Action::Status { id: None, body } => {
                self.github.create_comment(repo, number, body).await?;
            }
            Action::DropDouble { id } => self.github.delete_comment(repo, *id).await?,
        }
        Ok(Outcome::Done(1))
    }

    /// The body-edit protocol: GitHub has no compare-and-swap, so read, write, and look at what was overwritten.
    async fn edit_body(&self, observed: &Observed, expected: &str, body: &str) -> Result<Outcome, LookError> {
        let (repo, number) = (&self.tracker, observed.issue.number);
        let before = self.now();
        if self.guards.recheck {
            let fresh = self.github.issue(repo, number).await?;
            if fresh.text() != expected {
                return Ok(Outcome::LookAgain(0));
            }
        }
        let patch = IssuePatch { body: Some(body.to_owned()), ..IssuePatch::default() };
        self.github.edit_issue(repo, number, &patch).await?;
        if !self.guards.recheck || observed.lacks(Missing::GraphQl) {
            return Ok(Outcome::Done(1));
        }
        let history = match self.github.history(repo, number, Some(before), &[]).await {
            Ok(history) => history,
            Err(Error::Unsupported(_)) => return Ok(Outcome::Done(1)),
            Err(error) => return Err(error.into()),
        };
        let same = |text: Option<&str>, other: &str| text.is_some_and(|text| lines(text).eq(lines(other)));
        let ours = history.revisions.iter().rposition(|revision| {
            revision.editor.as_deref() == Some(observed.me.login.as_str()) && same(revision.body.as_deref(), body)
        });
        let base = ours.and_then(|at| at.checked_sub(1)).and_then(|at| history.revisions.get(at));
        // Not seen yet, or not made from what was expected: the status comment is not written, so the next look reads
        // the history again and puts back what was overwritten.
        if base.is_some_and(|base| same(base.body.as_deref(), expected)) {
            Ok(Outcome::Done(1))
        } else {
            Ok(Outcome::LookAgain(1))
        }
    }
}

/// The command that a request for a CVE ID is made for.
fn cve_command(action: &Action) -> Option<u64> {
    let Action::Advisory { deed, .. } = action else { return None };
    let Deed::RequestCve { approval } = &**deed else { return None };
    approval.comments().first().copied()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_end().lines()
}

/// An action in words, without private text: for the log, the dry run and the summary.
pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::EditBody { why, .. } if why.len() == 1 => "edit the issue's text in one place".to_owned(),
        Action::EditBody { why, .. } => format!("edit the issue's text in {} places", why.len()),
        Action::Advisory { repository, deed } => match &**deed {
            Deed::Draft { .. } => format!("draft an advisory in {repository}"),
            Deed::Edit { .. } => format!("change the advisory in {repository}"),
            Deed::Conclude { approval, .. } => format!("{} the advisory in {repository}", approval.act().command()),
            Deed::RequestCve { .. } => format!("ask for a CVE ID for the advisory in {repository}"),
        },
        Action::Close { reason } => format!("close the issue as {reason}"),
        Action::CloseDouble(join) => format!("close #{}, which is about the same private report", join.number),
        Action::Label(LabelChange::Add(label)) => format!("add the label {}", label.name),
        Action::Label(LabelChange::Remove(name)) => format!("remove the label {name}"),
        Action::Say { on, body } => {
            let what = head_marker(body).and_then(|marker| marker.split([':', ' ']).nth(2)).unwrap_or("comment");
            format!("comment on #{on} ({what})")
        }
        Action::React { to, reaction } => format!("react to comment {to} with {}", reaction.rest_name()),
        Action::Status { id: None, .. } => "write the status comment".to_owned(),
        Action::Status { .. } => "update the status comment".to_owned(),
        Action::DropDouble { id } => format!("delete the doubled comment {id}"),
    }
}
