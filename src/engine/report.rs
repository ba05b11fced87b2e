//! A report: does it have its tracking issue, and if not, may one be opened?

use jiff::SignedDuration;

use super::{Engine, LookError, Looked};
use crate::domain::checklist::Checklist;
use crate::domain::facts::{Comment, Issue, IssueState, RepoName, Repository};
use crate::domain::fence;
use crate::domain::incident::{self, ReportId, ReportKey, Subject};
use crate::domain::memory::short_digest;
use crate::domain::observed::ReportSight;
use crate::domain::opening::Source;
use crate::domain::plan::{READ_LAG, head_marker};
use crate::domain::policy::LabelKey;
use crate::domain::texts;
use crate::github::Error;
use crate::github::types::{IssueFilter, IssuePatch};

/// How long GitHub's issue lists may lag behind a write (12 minutes were seen), with a margin.
pub(super) const LIST_LAG: SignedDuration = SignedDuration::from_mins(13);

/// How long the store keeps which tracking issue belongs to a report.
pub(super) const KNOWN_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The store's key for "a person asked for this report by label or command", whatever its age.
pub(super) fn asked_key(report: &ReportId) -> String {
    format!("asked {report}")
}

pub(super) fn tracker_key(report: &ReportId, tracker: &RepoName) -> String {
    format!("tracker of {report} in {tracker}")
}

fn acknowledged_key(report: &ReportId) -> String {
    format!("acknowledged {report}")
}

/// What reading the report showed.
enum Report {
    Here(Box<Issue>),
    Gone(&'static str),
}

impl Engine {
    pub(super) async fn look_at_report(&self, id: &ReportId, failures: u32) -> Result<Looked, LookError> {
        let number = match &id.key {
            ReportKey::Issue(number) => *number,
            ReportKey::Private(advisory) => return self.look_at_private_report(id, advisory, failures).await,
        };
        if !self.policy.is_report_repository(&id.repo, &self.tracker) {
            return Ok(note(format!("{} is not one of the policy's report repositories", id.repo)));
        }
        let now = self.now();
        let report = match self.github.issue(&id.repo, number).await {
            Ok(issue) => Report::Here(Box::new(issue)),
            Err(Error::NotFound(_)) if self.has_fresh_event(&Subject::Report(id.clone()), now).await? => {
                return Ok(Looked { wake_at: Some(now + READ_LAG), unfinished: true, ..Looked::default() });
            }
            Err(Error::NotFound(_)) => Report::Gone("cannot be read"),
            Err(Error::Gone(_)) => Report::Gone("was deleted"),
            Err(Error::Moved { .. }) => Report::Gone("was transferred to another repository"),
            Err(error) => return Err(error.into()),
        };
        if let Report::Here(issue) = &report {
            if self.is_older_than_its_event(&Subject::Report(id.clone()), issue.updated_at, now).await? {
                return Ok(Looked { wake_at: Some(now + READ_LAG), unfinished: true, ..Looked::default() });
            }
            if self.is_tracking_issue(issue).await? {
                return Ok(note(format!("{id} is a tracking issue itself")));
            }
        }
        let existing = self.find_tracker(id).await?;
        let sight = self.sight(id, &report);
        match (existing, sight) {
            (Some(number), sight) => self.look_at_tracker(number, sight, failures).await,
            (None, ReportSight::Present) => match report {
                Report::Here(issue) => match self.told_by_mail(&issue).await? {
                    Some(told) => self.consider_opening(id, &Source::Mail(&issue, &told)).await,
                    None => self.consider_opening(id, &Source::Issue(&issue)).await,
                },
                Report::Gone(_) => Ok(Looked::default()),
            },
            (None, _) => {
                let why = match &report {
                    Report::Gone(what) => format!("{id} {what}, or the token may not see it"),
                    Report::Here(issue) if issue.is_open() => {
                        format!("{id} does not carry the label {}", self.policy.reports.label)
                    }
                    Report::Here(_) => format!("{id} is closed"),
                };
                let adopted = self.store.get(&asked_key(id), now).await?.as_deref() == Some("adopt");
                if adopted {
                    return Err(LookError::Refused(format!("{why}. No incident was opened for it.")));
                }
                Ok(note(format!("{why}: no incident is opened for it")))
            }
        }
    }

    /// Whether this issue is one of our tracking issues: in a single repository reports and tracking issues are neighbours.
    async fn is_tracking_issue(&self, issue: &Issue) -> Result<bool, LookError> {
        let mine = issue.user.as_ref().map(|user| user.id) == Some(self.me().await?.id);
        Ok(mine && incident::marked_report(&Checklist::parse(issue.text())).is_some())
    }

    fn sight(&self, id: &ReportId, report: &Report) -> ReportSight {
        let changed = |what: &str| {
            ReportSight::Changed(format!(
                "The report {} {what}. This incident goes on.",
                fence::code_span(&id.to_string(), 220)
            ))
        };
        match report {
            Report::Gone(what) => changed(what),
            Report::Here(issue) if !issue.is_open() => changed("was closed"),
            Report::Here(issue) if !issue.has_label(&self.policy.reports.label) => changed("lost its label"),
            Report::Here(_) => ReportSight::Present,
        }
    }

    /// The tracking issue of a report: from the store, else from the tracker's list, else from our own acknowledgement,
    /// which is written at once and does not lag as lists do.
    pub(super) async fn find_tracker(&self, id: &ReportId) -> Result<Option<u64>, LookError> {
        let now = self.now();
        if let Some(number) =
            self.store.get(&tracker_key(id, &self.tracker), now).await?.and_then(|text| text.parse().ok())
        {
            return Ok(Some(number));
        }
        let number = match &id.key {
            ReportKey::Issue(report) => self.find_by_issue(id, *report).await?,
            ReportKey::Private(advisory) => self.find_by_advisory(id, advisory).await?,
        };
        if let Some(number) = number {
            self.store.put(&tracker_key(id, &self.tracker), &number.to_string(), now + KNOWN_LIFE).await?;
        }
        Ok(number)
    }

    async fn find_by_issue(&self, id: &ReportId, number: u64) -> Result<Option<u64>, LookError> {
        let listed = self.incidents().await?;
        let known = listed.iter().filter(|(report, _)| report == id).map(|(_, issue)| issue.number).min();
        if known.is_some() {
            return Ok(known);
        }
        match self.github.comments(&id.repo, number).await {
            Ok(comments) => self.acknowledged(&comments).await,
            Err(Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All tracking issues that we opened, closed ones too, with the report that each is about.
    pub(super) async fn incidents(&self) -> Result<Vec<(ReportId, Issue)>, LookError> {
        let me = self.me().await?;
        let filter = IssueFilter {
            labels: vec![self.policy.label(LabelKey::Incident).name],
            creator: Some(me.login.clone()),
            closed_too: true,
            since: None,
        };
        let listed = self.github.issues(&self.tracker, &filter).await?;
        let ours = listed.into_iter().filter(|issue| issue.user.as_ref().is_some_and(|user| user.id == me.id));
        Ok(ours.filter_map(|issue| Some((incident::marked_report(&Checklist::parse(issue.text()))?, issue))).collect())
    }

    /// All issues of the tracker that have the incident's label, closed ones and those that people opened too.
    pub(super) async fn labelled_incidents(&self) -> Result<Vec<Issue>, LookError> {
        let filter = IssueFilter {
            labels: vec![self.policy.label(LabelKey::Incident).name],
            closed_too: true,
            ..IssueFilter::default()
        };
        Ok(self.github.issues(&self.tracker, &filter).await?)
    }

    async fn acknowledged(&self, comments: &[Comment]) -> Result<Option<u64>, LookError> {
        let me = self.me().await?;
        let head = format!("<!-- wardroom:{} ", texts::ACKNOWLEDGED);
        let mine = comments.iter().filter(|comment| comment.user.as_ref().is_some_and(|user| user.id == me.id));
        // A number means nothing without the tracker that it counts in.
        let tail = format!(" {} -->", short_digest(&self.tracker.to_string()));
        let mut numbers = mine
            .filter_map(|comment| head_marker(comment.text())?.strip_prefix(&head)?.strip_suffix(&tail)?.parse().ok());
        Ok(numbers.next())
    }

    /// Makes sure that a report was answered. One that is gone or closed needs no answer.
    pub(super) async fn acknowledge(&self, id: &ReportId, tracker: u64, looked: &mut Looked) -> Result<(), LookError> {
        let ReportKey::Issue(number) = id.key else { return Ok(()) };
        if self.store.get(&acknowledged_key(id), self.now()).await?.is_some() {
            return Ok(());
        }
        match self.github.issue(&id.repo, number).await {
            Ok(report) if report.is_open() => {
                let by_mail = self.told_by_mail(&report).await?.is_some();
                let repo = self.github.repository(&id.repo).await?;
                self.acknowledge_in(id, tracker, &repo, by_mail, looked).await
            }
            Ok(_) | Err(Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Answers the report once: in private with thanks, in public only with the request to write privately. Whoever wrote a
    /// mail does not read the answer, so there it is a draft for a person.
    pub(super) async fn acknowledge_in(
        &self,
        id: &ReportId,
        tracker: u64,
        repo: &Repository,
        by_mail: bool,
        looked: &mut Looked,
    ) -> Result<(), LookError> {
        let text = if by_mail {
            texts::acknowledgement_by_mail(tracker, &self.tracker, &self.policy)
        } else if repo.is_private() {
            texts::acknowledgement(tracker, &self.tracker, &self.policy)
        } else if self.policy.acknowledge_public {
            texts::please_report_privately(&self.policy, &id.repo)
        } else {
            return Ok(());
        };
        let ReportKey::Issue(number) = id.key else { return Ok(()) };
        let comments = self.github.comments(&id.repo, number).await?;
        let me = self.me().await?;
        let kind = |text: &str| head_marker(text).and_then(|marker| marker.split(' ').nth(1)).map(str::to_owned);
        let mine = comments.iter().filter(|comment| comment.user.as_ref().is_some_and(|user| user.id == me.id));
        let said = mine.into_iter().any(|comment| kind(comment.text()) == kind(&text));
        if !said && !self.write {
            looked.steps.push(format!("acknowledge {id}"));
            return Ok(());
        }
        if !said {
            // The next look at the tracking issue reads the report's comments again: it waits until they show this one.
            self.before_write(tracker).await?;
            let answer = self.github.create_comment(&id.repo, number, &text).await;
            self.after_write(tracker).await?;
            match answer {
                Ok(_) => {
                    looked.writes += 1;
                    looked.steps.push(format!("acknowledge {id}"));
                }
                // A locked conversation or a token without access there: the incident matters more than the thanks.
                Err(
                    error @ (Error::Forbidden { .. } | Error::NotFound(_) | Error::Gone(_) | Error::Invalid { .. }),
                ) => {
                    looked.refuse(&error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.store.put(&acknowledged_key(id), "yes", self.now() + KNOWN_LIFE).await?;
        Ok(())
    }

    /// Refuses to write where the tracker is not private.
    pub(super) async fn refuse_public_tracker(&self) -> Result<(), LookError> {
        if self.policy.allow_public_tracker {
            return Ok(());
        }
        let repo = match self.github.repository(&self.tracker).await {
            // A new name is followed. A new owner may be anyone.
            Ok(repo) if repo.full_name.owner().eq_ignore_ascii_case(self.tracker.owner()) => repo,
            Ok(_) | Err(Error::Moved { .. }) => {
                return Err(LookError::Refused(
                    "the tracker has been transferred to another owner. Nothing was written. Put its new name into the \
                     configuration."
                        .to_owned(),
                ));
            }
            Err(error) => return Err(error.into()),
        };
        if !repo.is_private() {
            return Err(LookError::Refused(
                "the tracker is not a private repository. Nothing was written. Make it private under Settings, General, \
                 Danger zone, or set allow_public_tracker: true in the policy if everyone may read your incidents."
                    .to_owned(),
            ));
        }
        if repo.archived {
            return Err(LookError::Refused("the tracker is archived, so nothing can be written there".to_owned()));
        }
        Ok(())
    }

    /// Closes a doubled tracking issue with a link to the one that stays. If its comments may be older than our own last
    /// one, that is left to the next sweep.
    pub(super) async fn close_double(&self, number: u64, stays: u64, looked: &mut Looked) -> Result<(), LookError> {
        if self.unsettled(number).await?.is_some() {
            looked
                .notes
                .push(format!("#{number}, a double of #{stays}, was written to a moment ago: it is closed later"));
            looked.unfinished = true;
            return Ok(());
        }
        let text = texts::double_of(stays);
        let said = self.github.comments(&self.tracker, number).await?;
        if !said.iter().any(|comment| head_marker(comment.text()) == head_marker(&text)) {
            self.before_write(number).await?;
            let said = self.github.create_comment(&self.tracker, number, &text).await;
            self.after_write(number).await?;
            said?;
            looked.writes += 1;
        }
        let patch = IssuePatch {
            state: Some(IssueState::Closed),
            state_reason: Some("duplicate".to_owned()),
            ..IssuePatch::default()
        };
        self.github.edit_issue(&self.tracker, number, &patch).await?;
        looked.writes += 1;
        looked.steps.push(format!("close #{number}, a double of #{stays}"));
        Ok(())
    }
}

/// A look that only tells something.
pub(super) fn note(text: String) -> Looked {
    Looked { notes: vec![text], ..Looked::default() }
}
