//! Private vulnerability reports: advisories that someone handed in and nobody accepted yet. GitHub tells of them by one
//! event, which a workflow never gets; the list of those in triage tells of all.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::advisory::{out_of_reach, with_remedy};
use super::report::{KNOWN_LIFE, asked_key, note, tracker_key};
use super::{Engine, LookError, Looked};
use crate::domain::advisory::{Advisory, AdvisoryState, Ghsa};
use crate::domain::answers::Join;
use crate::domain::checklist::Checklist;
use crate::domain::facts::{Issue, IssueState};
use crate::domain::incident::{self, ReportId, Subject};
use crate::domain::opening::Source;
use crate::domain::plan::READ_LAG;
use crate::github::Error;
use crate::github::types::IssuePatch;

/// How long a sweep's word is kept that an incident has a double.
const DOUBLED_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The store's key for the sweep's word that an incident names the private report of another one.
pub(super) fn doubled_key(number: u64) -> String {
    format!("doubled {number}")
}

/// For so long it is not said again that private reports cannot be listed.
const SAID_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The store's key for having said that private reports cannot be listed.
const SAID: &str = "said that private reports are out of reach";

impl Engine {
    /// Looks at the incident of a private report, and opens it where there is none yet.
    pub(super) async fn look_at_private_report(
        &self,
        id: &ReportId,
        advisory: &Ghsa,
        failures: u32,
    ) -> Result<Looked, LookError> {
        if self.policy.advisories.repository.as_ref() != Some(&id.repo) {
            return Ok(note(format!("{} is not the policy's advisories.repository", id.repo)));
        }
        if self.is_open_to_all().await? {
            return Ok(note(format!("{id} is private and the tracker is not: no incident is opened for it")));
        }
        if let Some(number) = self.find_tracker(id).await? {
            return self.look_at_tracker(number, Default::default(), failures).await;
        }
        let (now, subject) = (self.now(), Subject::Report(id.clone()));
        let report = match self.github.advisory(&id.repo, advisory).await {
            Ok(report) => report,
            Err(Error::NotFound(_)) if self.has_fresh_event(&subject, now).await? => {
                return Ok(Looked { wake_at: Some(now + READ_LAG), unfinished: true, ..Looked::default() });
            }
            Err(error) if out_of_reach(&error) => {
                return self.nothing_to_open(id, &format!("cannot be read ({error})")).await;
            }
            Err(error) => return Err(error.into()),
        };
        if self.is_older_than_its_event(&subject, report.updated_at, now).await? {
            return Ok(Looked { wake_at: Some(now + READ_LAG), unfinished: true, ..Looked::default() });
        }
        let adopted = self.store.get(&asked_key(id), now).await?.as_deref() == Some("adopt");
        if is_report(&report) || (adopted && report.state == AdvisoryState::Draft) {
            return self.consider_opening(id, &Source::Private(&report)).await;
        }
        self.nothing_to_open(id, &format!("is no private report that waits (it is {})", report.state.word())).await
    }

    async fn nothing_to_open(&self, id: &ReportId, why: &str) -> Result<Looked, LookError> {
        if self.store.get(&asked_key(id), self.now()).await?.as_deref() == Some("adopt") {
            return Err(LookError::Refused(format!("{id} {why}. No incident was opened for it.")));
        }
        Ok(note(format!("{id} {why}: no incident is opened for it")))
    }

    /// The tracking issue of a private report by the tracker's list: one that was opened for it, or whose fields name the
    /// advisory because a person linked it; one that is open, if there is one.
    pub(super) async fn find_by_advisory(&self, id: &ReportId, advisory: &Ghsa) -> Result<Option<u64>, LookError> {
        let listed = self.labelled_incidents().await?;
        let me = self.me().await?.id;
        let read: Vec<(&Issue, Checklist)> =
            listed.iter().map(|issue| (issue, Checklist::parse(issue.text()))).collect();
        let opened_for = |issue: &Issue, checklist: &Checklist| {
            issue.user.as_ref().is_some_and(|user| user.id == me)
                && incident::marked_report(checklist).as_ref() == Some(id)
        };
        let found = read.iter().filter_map(|(issue, checklist)| {
            let opened_for = opened_for(issue, checklist);
            let is_it = opened_for || incident::named_advisory(checklist).as_ref() == Some(advisory);
            is_it.then_some((!issue.is_open(), !opened_for, issue.number))
        });
        Ok(found.min().map(|(.., number)| number))
    }

    /// The tracking issue of a private report that was opened a moment ago and that no list shows yet: the newest numbers
    /// are read one by one.
    pub(super) async fn opened_of_late(&self, id: &ReportId) -> Result<Option<u64>, LookError> {
        let me = self.me().await?.id;
        let newest = self.beyond_the_lists(&[]).await?;
        let ours = newest.iter().filter(|issue| issue.user.as_ref().is_some_and(|user| user.id == me));
        let found = ours.filter(|issue| incident::marked_report(&Checklist::parse(issue.text())).as_ref() == Some(id));
        Ok(found.map(|issue| issue.number).min())
    }

    /// The open incident that was opened for a private report, other than this one.
    pub(super) async fn holder(&self, report: &Ghsa, here: u64) -> Result<Option<u64>, LookError> {
        let listed = self.incidents().await?;
        let others = listed
            .iter()
            .filter(|(id, issue)| id.advisory() == Some(report) && issue.number != here && issue.is_open());
        Ok(others.map(|(_, issue)| issue.number).min())
    }

    /// Closes the incident of a private report that another one, `stays`, is about as well.
    pub(super) async fn join(&self, stays: u64, join: &Join) -> Result<(), LookError> {
        let patch = IssuePatch {
            state: Some(IssueState::Closed),
            state_reason: Some("duplicate".to_owned()),
            ..IssuePatch::default()
        };
        self.github.edit_issue(&self.tracker, join.number, &patch).await?;
        if let Some(repo) = &self.policy.advisories.repository {
            let key = tracker_key(&ReportId::private(repo.clone(), join.report.clone()), &self.tracker);
            self.store.put(&key, &stays.to_string(), self.now() + KNOWN_LIFE).await?;
        }
        self.store.forget(&doubled_key(stays)).await?;
        Ok(())
    }

    /// Finds open incidents whose fields name a private report that has an open incident of its own: by the numbers of the
    /// former, noted for their next look. A `link` there makes one of the two; without one a person is told.
    pub(super) async fn note_doubled(
        &self,
        incidents: &[Issue],
        by_report: &BTreeMap<ReportId, Vec<&Issue>>,
        looked: &mut Looked,
    ) -> Result<Vec<u64>, LookError> {
        let mut doubled = Vec::new();
        for issue in incidents.iter().filter(|issue| issue.is_open()) {
            let Some(named) = incident::named_advisory(&Checklist::parse(issue.text())) else { continue };
            let of_it = by_report.iter().filter(|(report, _)| report.advisory() == Some(&named));
            let all: Vec<&Issue> = of_it.flat_map(|(_, issues)| issues.iter().copied()).collect();
            if all.iter().any(|own| own.number == issue.number) {
                continue;
            }
            let Some(other) = all.iter().find(|own| own.is_open()) else { continue };
            self.store.put(&doubled_key(issue.number), "yes", self.now() + DOUBLED_LIFE).await?;
            looked.notes.push(format!(
                "#{} and #{} are about the same private report: `/wardroom link` in the one that stays makes one of them",
                issue.number, other.number
            ));
            doubled.push(issue.number);
        }
        Ok(doubled)
    }

    /// Whether everyone can read the tracker, as the policy allows: what is private never goes there.
    pub(super) async fn is_open_to_all(&self) -> Result<bool, LookError> {
        Ok(self.policy.allow_public_tracker && !self.github.repository(&self.tracker).await?.is_private())
    }

    /// The private reports that nobody accepted or closed yet. Where they cannot be listed that is said once, and nothing
    /// else waits for it.
    pub(super) async fn private_reports(&self, looked: &mut Looked) -> Result<Vec<ReportId>, LookError> {
        let Some(repo) = &self.policy.advisories.repository else { return Ok(Vec::new()) };
        let now = self.now();
        let why = if self.is_open_to_all().await? {
            "the tracker is public, and what is private never goes there".to_owned()
        } else {
            match self.github.advisories(repo, AdvisoryState::Triage).await {
                Ok(found) => {
                    self.store.forget(SAID).await?;
                    return Ok(found
                        .iter()
                        .filter_map(|report| Some(ReportId::private(repo.clone(), report.id()?)))
                        .collect());
                }
                Err(error @ Error::Unavailable { .. }) => {
                    looked.notes.push(format!("private reports were not listed this time: {error}"));
                    looked.unfinished = true;
                    return Ok(Vec::new());
                }
                Err(error) if out_of_reach(&error) || matches!(error, Error::Invalid { .. }) => with_remedy(&error),
                Err(error) => return Err(error.into()),
            }
        };
        if self.store.get(SAID, now).await?.is_none() {
            looked.notes.push(format!("private reports of {repo} do not become incidents: {why}"));
            self.store.put(SAID, "yes", now + SAID_LIFE).await?;
        }
        Ok(Vec::new())
    }
}

/// Whether an advisory came in as a private report and is open: waiting, or accepted before anyone looked.
fn is_report(advisory: &Advisory) -> bool {
    match advisory.state {
        AdvisoryState::Triage => true,
        AdvisoryState::Draft => advisory.submission.is_some(),
        _ => false,
    }
}
