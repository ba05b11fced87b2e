//! Opening a tracking issue: whether it may be, and doing it once.

use jiff::{SignedDuration, Timestamp};

use super::report::{KNOWN_LIFE, LIST_LAG, asked_key, note, tracker_key};
use super::{Engine, LookError, Looked};
use crate::domain::checklist::{Checklist, template};
use crate::domain::facts::Issue;
use crate::domain::incident::{self, ReportId, Standing, Subject};
use crate::domain::labels::phase_label;
use crate::domain::opening::{self, Source};
use crate::domain::plan::READ_LAG;
use crate::domain::policy::{LabelKey, LabelSpec};
use crate::domain::texts;
use crate::github::Error;
use crate::github::types::NewIssue;

/// The store's key for the moments of the openings within the last hour.
const OPENINGS: &str = "openings";

fn intent_key(report: &ReportId) -> String {
    format!("intent open {report}")
}

impl Engine {
    /// Opens the tracking issue of a report that has none, if the policy's age and limit let it.
    pub(super) async fn consider_opening(&self, id: &ReportId, report: &Source<'_>) -> Result<Looked, LookError> {
        let now = self.now();
        // A label lifts the question of age; only `sweep --adopt` lifts the limit of the hour too.
        let wish = self.store.get(&asked_key(id), now).await?;
        let (asked, adopted) = (wish.is_some(), wish.as_deref() == Some("adopt"));
        let old = self.policy.reports.since().is_some_and(|since| report.created_at().is_none_or(|at| at < since));
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
        report: &Source<'_>,
        listed: &[(ReportId, Issue)],
        now: Timestamp,
    ) -> Result<Looked, LookError> {
        self.refuse_public_tracker().await?;
        // Everyone can read the repository of a private report, and nobody the report.
        let (is_private, repo) = match report {
            Source::Private(_) => (true, None),
            Source::Issue(_) | Source::Mail(..) => {
                let repo = self.github.repository(&id.repo).await?;
                (repo.is_private(), Some(repo))
            }
        };
        if self.policy.allow_public_tracker && is_private {
            let tracker = self.github.repository(&self.tracker).await?;
            if !tracker.is_private() {
                return Err(LookError::Refused(
                    "the report is private and the tracker is not. Nothing was written: what is private stays private \
                     whatever the policy says. Use a private tracker for private reports."
                        .to_owned(),
                ));
            }
        }
        let checklist = template::render(&self.template, &self.policy)
            .map_err(|error| LookError::Refused(format!("the checklist template: {error}")))?;
        let body = opening::body(report, id, !is_private, &checklist, &self.policy).map_err(|chars| {
            LookError::Refused(format!(
                "the checklist template makes a text of {chars} characters and GitHub takes {}; shorten the template",
                texts::MAX_BODY_CHARS
            ))
        })?;
        let by_mail = matches!(report, Source::Mail(..));
        if matches!(report, Source::Private(_))
            && let Some(number) = self.opened_of_late(id).await?
        {
            self.store.put(&tracker_key(id, &self.tracker), &number.to_string(), now + KNOWN_LIFE).await?;
            return Ok(Looked { next: Some((Subject::Tracker(number), now)), ..Looked::default() });
        }
        let mut looked = Looked::default();
        if !self.write {
            looked.steps.push(format!("open a tracking issue for {id}"));
            if let Some(repo) = &repo {
                self.acknowledge_in(id, 0, repo, by_mail, &mut looked).await?;
            }
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
        if let Some(repo) = &repo {
            self.acknowledge_in(id, created.number, repo, by_mail, &mut looked).await?;
        }
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
}
