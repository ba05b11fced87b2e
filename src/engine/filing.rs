//! Filing a report that came by mail: the report issue in the tracker, once for each message id.

use jiff::{SignedDuration, Timestamp};

use super::observe::floor_key;
use super::report::{LIST_LAG, asked_key};
use super::{Engine, LookError};
use crate::domain::facts::Issue;
use crate::domain::incident::{ReportId, Subject};
use crate::domain::mail::issue::{self, Filing, Told};
use crate::domain::mail::{Key, MailReport};
use crate::domain::texts::utc;
use crate::github::Error;
use crate::github::types::{IssueFilter, NewIssue};

/// How long a read that is older than the filing is not used.
const FLOOR_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// How long filing counts as a person's wish to open the incident, whatever the limit of the hour.
const ASKED_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Lists lag by minutes, reads of one issue by seconds: so many numbers beyond the newest listed one are looked at.
const MOST_PROBES: u64 = 20;

/// So many numbers in a row without an issue are taken for the end.
const MISSES: u32 = 3;

/// What became of a filing.
#[derive(Clone, Debug, PartialEq)]
pub enum Filed {
    /// There was no such report, and there is one now.
    New(Box<Issue>),
    /// It was filed before; nothing was written.
    Known(Box<Issue>, Told),
    /// Nothing is written in this run.
    Would,
}

fn intent_key(key: &Key) -> String {
    format!("intent file {}", key.id)
}

impl Engine {
    /// Files a report that came by mail, unless the same message id was filed before.
    ///
    /// # Errors
    /// [`LookError`]. After a lost answer the same call looks first, and refuses for as long as lists may lag.
    pub async fn file(&self, mail: &MailReport, filing: &Filing) -> Result<Filed, LookError> {
        self.refuse_to_file().await?;
        if let Some((found, told)) = self.find_filed(&mail.key).await? {
            self.expect(&found).await?;
            return Ok(Filed::Known(Box::new(found), told));
        }
        let now = self.now();
        let intent = intent_key(&mail.key);
        if let Some(since) = self.store.get(&intent, now).await?.and_then(|text| text.parse::<Timestamp>().ok()) {
            return Err(LookError::Refused(format!(
                "GitHub's answer was lost when the report was filed, and no list shows it yet. It may have been filed. Look at \
                 the newest issues of {}, or run the same command again after {}: then it is known for sure, and nothing is \
                 filed twice",
                self.tracker,
                utc(since + LIST_LAG),
            )));
        }
        if !self.write {
            return Ok(Filed::Would);
        }
        self.store.put(&intent, &now.to_string(), now + LIST_LAG).await?;
        let new = NewIssue {
            title: filing.title.clone(),
            body: filing.body.clone(),
            labels: vec![self.policy.reports.label.clone()],
            assignees: Vec::new(),
        };
        let created = match self.github.create_issue(&self.tracker, &new).await {
            Ok(created) => created,
            Err(error) => {
                if !matches!(error, Error::Unknown { .. }) {
                    self.store.forget(&intent).await?;
                }
                return Err(error.into());
            }
        };
        self.store.forget(&intent).await?;
        // GitHub drops labels in silence where the token may not hang them. Without it the report is none.
        if !created.has_label(&self.policy.reports.label) {
            let label = &self.policy.reports.label;
            self.github.add_label(&self.tracker, created.number, label).await.map_err(|error| {
                LookError::Refused(format!(
                    "the report was filed as {}#{}, and the label {label} could not be hung on it: {error}. Hang it there by \
                     hand, and run the same command again",
                    self.tracker, created.number,
                ))
            })?;
        }
        self.expect(&created).await?;
        Ok(Filed::New(Box::new(created)))
    }

    /// The next look must see this report, and a person wants its incident opened.
    async fn expect(&self, report: &Issue) -> Result<(), LookError> {
        let now = self.now();
        let id = ReportId::issue(self.tracker.clone(), report.number);
        if let Some(at) = report.updated_at {
            self.store.put(&floor_key(&Subject::Report(id.clone())), &at.to_string(), now + FLOOR_LIFE).await?;
        }
        Ok(self.store.put(&asked_key(&id), "adopt", now + ASKED_LIFE).await?)
    }

    /// A mail was written in private: it goes into a private tracker, whatever the policy allows.
    async fn refuse_to_file(&self) -> Result<(), LookError> {
        let repo = self.github.repository(&self.tracker).await?;
        if repo.full_name != self.tracker {
            return Err(LookError::Refused(
                "the tracker has been renamed or transferred. Nothing was filed. Put its new name into the configuration"
                    .to_owned(),
            ));
        }
        if !repo.is_private() {
            return Err(LookError::Refused(
                "the tracker is not a private repository, and a mail is private whatever the policy says. Nothing was filed. \
                 Make the tracker private under Settings, General, Danger zone, or name a private one with WARDROOM_TRACKER"
                    .to_owned(),
            ));
        }
        self.refuse_public_tracker().await
    }

    /// The report of the same mail, open or closed. Found in the list of our own issues, and beyond its end one by one,
    /// because lists lag.
    async fn find_filed(&self, key: &Key) -> Result<Option<(Issue, Told)>, LookError> {
        let me = self.me().await?.login.clone();
        let filter = IssueFilter { creator: Some(me), closed_too: true, ..IssueFilter::default() };
        let mine = self.github.issues(&self.tracker, &filter).await?;
        let newest = self.beyond_the_lists(&mine).await?;
        let mut found = Vec::new();
        for issue in mine.into_iter().chain(newest) {
            found.extend(self.same_mail(issue, key).await?);
        }
        // Of two that were filed in the same moment the older one counts, for everyone.
        Ok(found.into_iter().min_by_key(|(issue, _)| issue.number))
    }

    /// Issues of the tracker that are so new that no list shows them: the numbers beyond the newest one that is known.
    pub(super) async fn beyond_the_lists(&self, known: &[Issue]) -> Result<Vec<Issue>, LookError> {
        let recent = IssueFilter {
            since: Some(self.now() - SignedDuration::from_hours(24)),
            closed_too: true,
            ..IssueFilter::default()
        };
        let recent = self.github.issues(&self.tracker, &recent).await?;
        let last = known.iter().chain(&recent).map(|issue| issue.number).max().unwrap_or(0);
        let mut found = Vec::new();
        let mut misses = 0;
        for number in last + 1..=last + MOST_PROBES {
            match self.github.issue(&self.tracker, number).await {
                Ok(issue) => {
                    misses = 0;
                    found.push(issue);
                }
                Err(Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. }) => misses += 1,
                Err(error) => return Err(error.into()),
            }
            if misses == MISSES {
                break;
            }
        }
        Ok(found)
    }

    async fn same_mail(&self, issue: Issue, key: &Key) -> Result<Option<(Issue, Told)>, LookError> {
        let told = self.told_by_mail(&issue).await?.filter(|told| told.id == key.id);
        Ok(told.map(|told| (issue, told)))
    }

    /// What a report tells that we filed from a mail. A marker in an issue that someone else opened is not believed.
    pub(super) async fn told_by_mail(&self, report: &Issue) -> Result<Option<Told>, LookError> {
        let mine = report.user.as_ref().map(|user| user.id) == Some(self.me().await?.id);
        Ok(issue::told(report.text()).filter(|_| mine))
    }
}
