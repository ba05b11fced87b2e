//! A report: does it have its tracking issue, and if not, may one be opened?

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LookError, Looked};
use crate::domain::checklist::{Checklist, template};
use crate::domain::facts::{Comment, Issue, IssueState, RepoName, Repository};
use crate::domain::fence;
use crate::domain::incident::{self, ReportId, Standing, Subject};
use crate::domain::labels::phase_label;
use crate::domain::memory::short_digest;
use crate::domain::observed::ReportSight;
use crate::domain::plan::{READ_LAG, head_marker};
use crate::domain::policy::{LabelKey, LabelSpec};
use crate::domain::texts;
use crate::github::Error;
use crate::github::types::{IssueFilter, IssuePatch, NewIssue};

/// How long GitHub's issue lists may lag behind a write (12 minutes were seen), with a margin.
pub(super) const LIST_LAG: SignedDuration = SignedDuration::from_mins(13);

/// How long the store keeps which tracking issue belongs to a report.
const KNOWN_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The store's key for "a person asked for this report by label or command", whatever its age.
pub(super) fn asked_key(report: &ReportId) -> String {
    format!("asked {report}")
}

/// The store's key for the moments of the openings within the last hour.
const OPENINGS: &str = "openings";

fn tracker_key(report: &ReportId, tracker: &RepoName) -> String {
    format!("tracker of {report} in {tracker}")
}

fn intent_key(report: &ReportId) -> String {
    format!("intent open {report}")
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
        if !self.policy.is_report_repository(&id.repo, &self.tracker) {
            return Ok(note(format!("{} is not one of the policy's report repositories", id.repo)));
        }
        let now = self.now();
        let report = match self.github.issue(&id.repo, id.number).await {
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
            if self.is_older_than_its_event(&Subject::Report(id.clone()), issue, now).await? {
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
                Report::Here(issue) => self.consider_opening(id, &issue).await,
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

    /// Sees to it that the roster is assigned to a new issue: those who were not named when it was opened (`named`) are
    /// assigned each for themselves, so that one name that cannot be costs nobody else. Whoever is missing in the end is
    /// named in one note; the incident goes on.
    async fn assign_one_by_one(&self, created: &Issue, roster: &[String], named: bool, looked: &mut Looked) {
        let is_on = |issue: &Issue, login: &str| issue.assignees.iter().any(|on| on.login.eq_ignore_ascii_case(login));
        let mut missing = Vec::new();
        let mut goes_on = !named;
        for login in roster.iter().filter(|login| !is_on(created, login)) {
            if goes_on {
                match self.github.assign(&self.tracker, created.number, std::slice::from_ref(login)).await {
                    Ok(issue) => {
                        looked.writes += 1;
                        if is_on(&issue, login) {
                            continue;
                        }
                    }
                    Err(Error::Invalid { .. } | Error::NotFound(_)) => {}
                    // A limit, or no answer: the next name would fare no better.
                    Err(_) => goes_on = false,
                }
            }
            missing.push(login.as_str());
        }
        if !missing.is_empty() {
            looked.notes.push(format!(
                "GitHub did not assign {} to #{}, whom the policy's roster names: let them into {}, or take them off the \
                 roster",
                missing.join(", "),
                created.number,
                self.tracker
            ));
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
    async fn find_tracker(&self, id: &ReportId) -> Result<Option<u64>, LookError> {
        let now = self.now();
        if let Some(number) =
            self.store.get(&tracker_key(id, &self.tracker), now).await?.and_then(|text| text.parse().ok())
        {
            return Ok(Some(number));
        }
        let listed = self.incidents().await?;
        let mut number = listed.iter().filter(|(report, _)| report == id).map(|(_, issue)| issue.number).min();
        if number.is_none() {
            number = match self.github.comments(&id.repo, id.number).await {
                Ok(comments) => self.acknowledged(&comments).await?,
                Err(Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. }) => None,
                Err(error) => return Err(error.into()),
            };
        }
        if let Some(number) = number {
            self.store.put(&tracker_key(id, &self.tracker), &number.to_string(), now + KNOWN_LIFE).await?;
        }
        Ok(number)
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

    async fn consider_opening(&self, id: &ReportId, report: &Issue) -> Result<Looked, LookError> {
        let now = self.now();
        // A label lifts the question of age; only `sweep --adopt` lifts the limit of the hour too.
        let wish = self.store.get(&asked_key(id), now).await?;
        let (asked, adopted) = (wish.is_some(), wish.as_deref() == Some("adopt"));
        let old = self.policy.reports.since().is_some_and(|since| report.created_at.is_none_or(|at| at < since));
        if old && !asked {
            return Ok(note(format!(
                "{id} is older than reports.since; open its incident with `wardroom sweep --adopt {id}`"
            )));
        }
        if let Some(since) = self.store.get(&intent_key(id), now).await?.and_then(|text| text.parse::<Timestamp>().ok())
        {
            // The answer to an earlier attempt was lost, and the list does not show it: it may be the list that is late.
            return Ok(Looked { wake_at: Some(since + LIST_LAG), unfinished: true, ..Looked::default() });
        }
        let listed = self.incidents().await?;
        let hour_ago = now - SignedDuration::from_hours(1);
        let listed_lately = listed.iter().filter(|(_, issue)| issue.created_at.is_some_and(|at| at > hour_ago)).count();
        // The list may lag; what this process opened itself it knows.
        let recent = listed_lately.max(self.openings(hour_ago).await?.len());
        let limit = usize::try_from(self.policy.reports.open_per_hour).unwrap_or(usize::MAX);
        if recent >= limit && !adopted {
            let mut looked = note(format!(
                "{recent} incidents were opened within the hour, the limit of reports.open_per_hour; {id} waits. Open it now \
                 with `wardroom sweep --adopt {id}`"
            ));
            looked.wake_at = Some(now + SignedDuration::from_mins(15));
            return Ok(looked);
        }
        self.open(id, report, &listed, now).await
    }

    /// When this process opened incidents since a moment.
    async fn openings(&self, since: Timestamp) -> Result<Vec<Timestamp>, LookError> {
        let kept = self.store.get(OPENINGS, self.now()).await?;
        let all: Vec<Timestamp> = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(all.into_iter().filter(|at| *at > since).collect())
    }

    async fn open(
        &self,
        id: &ReportId,
        report: &Issue,
        listed: &[(ReportId, Issue)],
        now: Timestamp,
    ) -> Result<Looked, LookError> {
        self.refuse_public_tracker().await?;
        let report_repo = self.github.repository(&id.repo).await?;
        if self.policy.allow_public_tracker && report_repo.is_private() {
            let tracker = self.github.repository(&self.tracker).await?;
            if !tracker.is_private() {
                return Err(LookError::Refused(
                    "the report is private and the tracker is not. Nothing was written: what is private stays private \
                     whatever the policy says. Use a private tracker for private reports."
                        .to_owned(),
                ));
            }
        }
        let told = self.told_by_mail(report).await?;
        let checklist = template::render(&self.template, &self.policy)
            .map_err(|error| LookError::Refused(format!("the checklist template: {error}")))?;
        let body = texts::tracker_body(report, id, report_repo.is_private(), told.as_ref(), &checklist, &self.policy)
            .map_err(|chars| {
            LookError::Refused(format!(
                "the checklist template makes a text of {chars} characters and GitHub takes {}; shorten the template",
                texts::MAX_BODY_CHARS
            ))
        })?;
        let mut looked = Looked::default();
        if !self.write {
            looked.steps.push(format!("open a tracking issue for {id}"));
            self.acknowledge_in(id, 0, &report_repo, told.is_some(), &mut looked).await?;
            return Ok(looked);
        }
        let labels = self.first_labels(&body);
        for label in &labels {
            looked.writes += self.ensure_label(label).await?;
        }
        let mut new = NewIssue {
            title: incident::next_title(listed.iter().map(|(_, issue)| issue.title.as_str()), now),
            body,
            labels: labels.into_iter().map(|label| label.name).collect(),
            assignees: self.policy.roster.iter().take(10).cloned().collect(),
        };
        if self.guards.journal {
            self.store.put(&intent_key(id), &now.to_string(), now + LIST_LAG).await?;
        }
        let mut answer = self.github.create_issue(&self.tracker, &new).await;
        let roster = new.assignees.clone();
        // GitHub refuses all of it for one name that cannot be assigned, such as someone who has left. A 422 did nothing.
        if matches!(answer, Err(Error::Invalid { .. })) && !roster.is_empty() {
            new.assignees.clear();
            answer = self.github.create_issue(&self.tracker, &new).await;
        }
        let created = match answer {
            Ok(created) => created,
            Err(error) => {
                if !matches!(error, Error::Unknown { .. }) {
                    self.store.forget(&intent_key(id)).await?;
                }
                return Err(error.into());
            }
        };
        self.store.put(&tracker_key(id, &self.tracker), &created.number.to_string(), now + KNOWN_LIFE).await?;
        self.after_write(created.number).await?;
        self.store.forget(&intent_key(id)).await?;
        let mut openings = self.openings(now - SignedDuration::from_hours(1)).await?;
        openings.push(now);
        let openings = serde_json::to_string(&openings).unwrap_or_default();
        self.store.put(OPENINGS, &openings, now + SignedDuration::from_hours(1)).await?;
        looked.writes += 1;
        looked.steps.push(format!("open a tracking issue for {id}: #{}", created.number));
        self.assign_one_by_one(&created, &roster, !new.assignees.is_empty(), &mut looked).await;
        self.acknowledge_in(id, created.number, &report_repo, told.is_some(), &mut looked).await?;
        looked.next = Some((Subject::Tracker(created.number), self.now() + READ_LAG));
        Ok(looked)
    }

    fn first_labels(&self, body: &str) -> Vec<LabelSpec> {
        let checklist = Checklist::parse(body);
        let phase = incident::current_phase(&checklist).map(Standing::Phase);
        let mut labels = vec![self.policy.label(LabelKey::Incident)];
        labels.extend(phase.and_then(|standing| phase_label(&checklist, &standing, &self.policy)));
        labels
    }

    /// Makes sure that a report was answered. One that is gone or closed needs no answer.
    pub(super) async fn acknowledge(&self, id: &ReportId, tracker: u64, looked: &mut Looked) -> Result<(), LookError> {
        if self.store.get(&acknowledged_key(id), self.now()).await?.is_some() {
            return Ok(());
        }
        match self.github.issue(&id.repo, id.number).await {
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
    async fn acknowledge_in(
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
        let comments = self.github.comments(&id.repo, id.number).await?;
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
            let answer = self.github.create_comment(&id.repo, id.number, &text).await;
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
        let repo = self.github.repository(&self.tracker).await?;
        if repo.full_name != self.tracker {
            return Err(LookError::Refused(
                "the tracker has been renamed or transferred. Nothing was written. Put its new name into the configuration."
                    .to_owned(),
            ));
        }
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

fn note(text: String) -> Looked {
    Looked { notes: vec![text], ..Looked::default() }
}
