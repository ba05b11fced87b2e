//! The scheduled look at everything: what no event told of, doubles, clashes of titles, reports that wait.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::observe::seen_key;
use super::report::asked_key;
use super::{Engine, LookError, Looked};
use crate::domain::advisory::Ghsa;
use crate::domain::checklist::Checklist;
use crate::domain::facts::Issue;
use crate::domain::incident::{self, ReportId, Subject};
use crate::domain::policy::LabelKey;
use crate::github::Error;
use crate::github::types::{IssueFilter, IssuePatch};

/// Closed incidents are looked at for so long after their last change, in case the closing was not seen.
const CLOSED_SEEN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// One that carries its last label already is looked at for so long, in case an edit after the closing was not seen: the
/// record would lack it. Where the store remembers the look, once is enough.
const SETTLED_SEEN: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A plain issue of the tracker that changed within so long may hold an `adopt` that no event told of.
const ADOPT_SEEN: SignedDuration = SignedDuration::from_hours(24);

/// What a sweep found to look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swept {
    /// To be looked at now.
    pub subjects: Vec<Subject>,
    /// What the sweep itself did and noticed. Unfinished: the next one should come soon.
    pub looked: Looked,
}

impl Engine {
    /// Lists reports and incidents, heals doubles, and names what needs a look. `adopt`: reports that a person wants
    /// opened whatever their age.
    ///
    /// # Errors
    /// [`LookError`]; nothing is lost, the next sweep starts anew.
    pub async fn sweep(&self, adopt: &[ReportId]) -> Result<Swept, LookError> {
        let now = self.now();
        // Also where there is nothing to write yet: who tries it out should learn it now.
        self.refuse_public_tracker().await?;
        let mut swept = Swept::default();
        for report in adopt {
            self.store.put(&asked_key(report), "adopt", now + SignedDuration::from_hours(24)).await?;
        }
        let incidents = self.labelled_incidents().await?;
        let me = self.me().await?.id;
        let mut by_report: BTreeMap<ReportId, Vec<&Issue>> = BTreeMap::new();
        let mut subjects = BTreeSet::new();
        for issue in &incidents {
            let mine = issue.user.as_ref().is_some_and(|user| user.id == me);
            let report = incident::marked_report(&Checklist::parse(issue.text())).filter(|_| mine);
            if let Some(report) = report {
                by_report.entry(report).or_default().push(issue);
            }
            let settled = [LabelKey::Resolved, LabelKey::Rejected].map(|key| self.policy.label(key).name);
            let age = issue.updated_at.map(|at| now.duration_since(at));
            let is_settled = settled.iter().any(|name| issue.has_label(name));
            let limit = if is_settled { SETTLED_SEEN } else { CLOSED_SEEN };
            let recent = age.is_some_and(|age| age < limit);
            let is_news = match issue.is_open() {
                true => !self.is_steady(issue).await?,
                false => recent && !(is_settled && self.has_seen(issue).await?),
            };
            if is_news {
                subjects.insert(Subject::Tracker(issue.number));
            }
        }
        self.heal(&by_report, &incidents, &mut swept.looked).await?;
        subjects.extend(self.plain_issues(&incidents).await?);
        let mut present = BTreeSet::new();
        for repo in self.report_repositories() {
            let filter = IssueFilter { labels: vec![self.policy.reports.label.clone()], ..IssueFilter::default() };
            let reports = match self.github.issues(&repo, &filter).await {
                Ok(reports) => reports,
                // The other repositories have reports too.
                Err(Error::Moved { .. }) if repo != self.tracker => {
                    swept.looked.notes.push(format!(
                        "{repo} has gone to another owner, so its reports are not read: put its new name into the policy"
                    ));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for issue in reports {
                present.insert(ReportId::issue(repo.clone(), issue.number));
            }
        }
        let private = self.private_reports(&mut swept.looked).await?;
        let named: BTreeSet<Ghsa> =
            incidents.iter().filter_map(|issue| incident::named_advisory(&Checklist::parse(issue.text()))).collect();
        let is_named = |id: &ReportId| id.advisory().is_some_and(|advisory| named.contains(advisory));
        present.extend(private.into_iter().filter(|id| !is_named(id)));
        let doubled = self.note_doubled(&incidents, &by_report, &mut swept.looked).await?;
        subjects.extend(doubled.into_iter().map(Subject::Tracker));
        // A report without an incident may need one; an open incident whose report is not in the list any more may need
        // a word about it.
        let open = |issues: &Vec<&Issue>| issues.iter().any(|issue| issue.is_open());
        subjects.extend(present.iter().filter(|id| !by_report.contains_key(id)).cloned().map(Subject::Report));
        // One whose report is private shows the advisory itself.
        let missing =
            by_report.iter().filter(|(id, issues)| id.advisory().is_none() && !present.contains(id) && open(issues));
        subjects.extend(missing.map(|(id, _)| Subject::Report(id.clone())));
        subjects.extend(adopt.iter().cloned().map(Subject::Report));
        swept.subjects = subjects.into_iter().collect();
        Ok(swept)
    }

    /// Whether every change of an issue is accounted for.
    async fn has_seen(&self, issue: &Issue) -> Result<bool, LookError> {
        let seen = self.store.get(&seen_key(issue.number), self.now()).await?;
        let seen: Option<Timestamp> = seen.and_then(|text| text.parse().ok());
        Ok(seen.zip(issue.updated_at).is_some_and(|(seen, at)| seen >= at))
    }

    /// Issues of the tracker that changed of late and are neither incidents nor reports.
    async fn plain_issues(&self, incidents: &[Issue]) -> Result<Vec<Subject>, LookError> {
        let filter = IssueFilter { since: Some(self.now() - ADOPT_SEEN), ..IssueFilter::default() };
        let changed = self.github.issues(&self.tracker, &filter).await?;
        let known = |issue: &Issue| {
            issue.has_label(&self.policy.reports.label) || incidents.iter().any(|known| known.number == issue.number)
        };
        Ok(changed.iter().filter(|issue| !known(issue)).map(|issue| Subject::Tracker(issue.number)).collect())
    }

    fn report_repositories(&self) -> Vec<crate::domain::facts::RepoName> {
        if self.policy.reports.repositories.is_empty() {
            return vec![self.tracker.clone()];
        }
        self.policy.reports.repositories.clone()
    }

    /// Closes doubled tracking issues (the lowest number stays) and gives a later one of two equal titles a new number.
    async fn heal(
        &self,
        by_report: &BTreeMap<ReportId, Vec<&Issue>>,
        incidents: &[Issue],
        looked: &mut Looked,
    ) -> Result<(), LookError> {
        let mut closed = BTreeSet::new();
        for issues in by_report.values() {
            let Some(stays) = issues.iter().map(|issue| issue.number).min() else { continue };
            for double in issues.iter().filter(|issue| issue.number != stays && issue.is_open()) {
                closed.insert(double.number);
                if self.write {
                    self.refuse_public_tracker().await?;
                    self.close_double(double.number, stays, looked).await?;
                } else {
                    looked.steps.push(format!("close #{}, a double of #{stays}", double.number));
                }
            }
        }
        let mut titles: BTreeMap<(i16, u32), u64> = BTreeMap::new();
        let mut all: Vec<&Issue> =
            by_report.values().flatten().copied().filter(|i| !closed.contains(&i.number)).collect();
        all.sort_by_key(|issue| issue.number);
        let mut known: Vec<String> = incidents.iter().map(|issue| issue.title.clone()).collect();
        for issue in all {
            let Some(number) = incident::title_number(&issue.title) else { continue };
            if *titles.entry(number).or_insert(issue.number) == issue.number || !issue.is_open() {
                continue;
            }
            let opened = issue.created_at.unwrap_or_else(|| self.now());
            let title = incident::next_title(known.iter().map(String::as_str), opened);
            known.push(title.clone());
            looked.steps.push(format!("retitle #{}: {title}", issue.number));
            if self.write {
                self.refuse_public_tracker().await?;
                let patch = IssuePatch { title: Some(title), ..IssuePatch::default() };
                self.github.edit_issue(&self.tracker, issue.number, &patch).await?;
                looked.writes += 1;
            }
        }
        Ok(())
    }
}
