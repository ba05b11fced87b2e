//! Private vulnerability reports: advisories that someone handed in and nobody accepted yet. GitHub tells of them by one
//! event, which a workflow never gets; the list of those in triage tells of all.

use jiff::SignedDuration;

use super::advisory::{REMEDY, out_of_reach};
use super::report::{asked_key, note};
use super::{Engine, LookError, Looked};
use crate::domain::advisory::{Advisory, AdvisoryState, Ghsa};
use crate::domain::checklist::Checklist;
use crate::domain::facts::Issue;
use crate::domain::incident::{self, ReportId, Subject};
use crate::domain::opening::Source;
use crate::domain::plan::READ_LAG;
use crate::domain::policy::LabelKey;
use crate::github::Error;
use crate::github::types::IssueFilter;

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

    /// The tracking issue of a private report by the tracker's list: the one that was opened for it, else one whose fields
    /// name the advisory, because a person linked it.
    pub(super) async fn find_by_advisory(&self, id: &ReportId, advisory: &Ghsa) -> Result<Option<u64>, LookError> {
        let filter = IssueFilter {
            labels: vec![self.policy.label(LabelKey::Incident).name],
            closed_too: true,
            ..IssueFilter::default()
        };
        let listed = self.github.issues(&self.tracker, &filter).await?;
        let me = self.me().await?.id;
        let read: Vec<(&Issue, Checklist)> =
            listed.iter().map(|issue| (issue, Checklist::parse(issue.text()))).collect();
        let opened_for = |(issue, checklist): &&(&Issue, Checklist)| {
            issue.user.as_ref().is_some_and(|user| user.id == me)
                && incident::marked_report(checklist).as_ref() == Some(id)
        };
        let names =
            |(_, checklist): &&(&Issue, Checklist)| incident::named_advisory(checklist).as_ref() == Some(advisory);
        let lowest = |found: &mut dyn Iterator<Item = &(&Issue, Checklist)>| found.map(|(issue, _)| issue.number).min();
        Ok(lowest(&mut read.iter().filter(opened_for)).or_else(|| lowest(&mut read.iter().filter(names))))
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
                Err(error) if out_of_reach(&error) || matches!(error, Error::Invalid { .. }) => {
                    format!("{error}. {REMEDY}")
                }
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
