//! An incident's identity and where it stands: its report, its tracking issue, its phase.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::advisory::{Ghsa, Known};
use super::checklist::Checklist;
use super::facts::{Issue, RepoName};
use super::findings::Findings;

/// The report that an incident is about: an issue in a report repository, or a private vulnerability report in the
/// repository of the advisories. Its text form is `owner/name#12` or `owner/name#GHSA-2c3f-4gh5-6jm7`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReportId {
    /// The report's repository.
    pub repo: RepoName,
    /// Which one of its reports.
    pub key: ReportKey,
}

/// What names a report within its repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReportKey {
    /// An issue, by its number.
    Issue(u64),
    /// A private vulnerability report, by the advisory's id.
    Private(Ghsa),
}

impl fmt::Display for ReportKey {
    /// As people name it: `#12`, `GHSA-2c3f-4gh5-6jm7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportKey::Issue(number) => write!(f, "#{number}"),
            ReportKey::Private(id) => write!(f, "{id}"),
        }
    }
}

impl ReportId {
    /// The report in an issue.
    pub fn issue(repo: RepoName, number: u64) -> Self {
        ReportId { repo, key: ReportKey::Issue(number) }
    }

    /// A private vulnerability report.
    pub fn private(repo: RepoName, id: Ghsa) -> Self {
        ReportId { repo, key: ReportKey::Private(id) }
    }

    /// The advisory, if this is a private vulnerability report.
    pub fn advisory(&self) -> Option<&Ghsa> {
        match &self.key {
            ReportKey::Issue(_) => None,
            ReportKey::Private(id) => Some(id),
        }
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            ReportKey::Issue(number) => write!(f, "{}#{number}", self.repo),
            ReportKey::Private(id) => write!(f, "{}#{id}", self.repo),
        }
    }
}

/// The text does not name a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} does not name a report: write it as owner/name#number, for example octo-org/mail-server#12, or with an \
     advisory's id, octo-org/mail-server#GHSA-2c3f-4gh5-6jm7"
)]
pub struct BadReportId(pub String);

impl FromStr for ReportId {
    type Err = BadReportId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadReportId(text.chars().take(220).collect());
        let (repo, key) = text.split_once('#').ok_or_else(bad)?;
        let repo = repo.parse().map_err(|_| bad())?;
        if let Ok(id) = key.parse() {
            return Ok(ReportId::private(repo, id));
        }
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        Ok(ReportId::issue(repo, key.parse().map_err(|_| bad())?))
    }
}

/// What one look is about. Its text form is the key of a work row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A report: does it need a tracking issue?
    Report(ReportId),
    /// A tracking issue, by its number in the tracker.
    Tracker(u64),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Report(id) => write!(f, "report {id}"),
            Subject::Tracker(number) => write!(f, "tracker #{number}"),
        }
    }
}

impl FromStr for Subject {
    type Err = BadReportId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(id) = text.strip_prefix("report ") {
            return id.parse().map(Subject::Report);
        }
        let number = text.strip_prefix("tracker #").and_then(|n| n.parse().ok());
        number.map(Subject::Tracker).ok_or_else(|| BadReportId(text.chars().take(220).collect()))
    }
}

/// The kind of the hidden marker that names the incident at the end of a tracking issue's body.
pub const INCIDENT_MARKER: &str = "incident";

/// The hidden marker for a report's incident.
pub fn incident_marker(report: &ReportId) -> String {
    format!("<!-- wardroom:{INCIDENT_MARKER} report={report} -->")
}

/// The report that a body's marker names: the last marker counts, for Wardroom writes it at the end.
pub fn marked_report(checklist: &Checklist) -> Option<ReportId> {
    let marker = checklist.markers.iter().rev().find(|marker| marker.kind == INCIDENT_MARKER)?;
    marker.content.strip_prefix("report=")?.parse().ok()
}

/// The advisory that a body's fields name.
pub fn named_advisory(checklist: &Checklist) -> Option<Ghsa> {
    Known::of(checklist, &Findings::default()).ghsa
}

/// `Incident 2026-014`: a title that says nothing secret. The number counts within the year (UTC), from 1.
pub fn title(year: i16, sequence: u32) -> String {
    format!("Incident {year}-{sequence:03}")
}

/// Year and sequence of a title that Wardroom gave; anything a person wrote behind it is theirs.
pub fn title_number(title: &str) -> Option<(i16, u32)> {
    let rest = title.strip_prefix("Incident ")?;
    let rest = rest.split([' ', ':']).next()?;
    let (year, sequence) = rest.split_once('-')?;
    if year.len() != 4 || sequence.len() < 3 {
        return None;
    }
    Some((year.parse().ok()?, sequence.parse().ok()?))
}

/// The next free title in the year of `now`.
pub fn next_title<'a>(titles: impl Iterator<Item = &'a str>, now: Timestamp) -> String {
    let year = now.to_zoned(TimeZone::UTC).year();
    let last = titles.filter_map(title_number).filter(|(y, _)| *y == year).map(|(_, n)| n).max();
    title(year, last.unwrap_or(0).saturating_add(1))
}

/// Where an incident stands, read from its body and its open or closed state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In a phase: the index in [`Checklist::phases`] of the lowest one with open tasks.
    Phase(usize),
    /// All phases are settled, the issue is open: the review.
    Review,
    /// The body has no tasks to follow.
    NoTasks,
    /// Closed with all settled.
    Resolved,
    /// Closed as not planned or duplicate.
    Rejected,
    /// Closed as completed while tasks of this phase are open: labels stay, a person is told.
    ClosedEarly(usize),
}

impl Standing {
    /// Reads the standing. A `state_reason` that GitHub adds one day counts as completed.
    pub fn of(issue: &Issue, checklist: &Checklist) -> Standing {
        let current = current_phase(checklist);
        if issue.is_open() {
            return match current {
                Some(index) => Standing::Phase(index),
                None if checklist.phases.iter().all(|phase| phase.tasks.is_empty()) => Standing::NoTasks,
                None => Standing::Review,
            };
        }
        match (issue.state_reason.as_deref(), current) {
            (Some("not_planned" | "duplicate"), _) => Standing::Rejected,
            (_, Some(index)) => Standing::ClosedEarly(index),
            (_, None) => Standing::Resolved,
        }
    }
}

/// The lowest phase with open tasks: by number, phases without one by their place.
pub fn current_phase(checklist: &Checklist) -> Option<usize> {
    let open = checklist.phases.iter().enumerate().filter(|(_, phase)| !phase.is_settled());
    open.min_by_key(|(index, _)| (phase_order(checklist, *index), *index)).map(|(index, _)| index)
}

/// The number of a phase for its label and its order: its own, or its place counted from 1.
pub fn phase_order(checklist: &Checklist, index: usize) -> u32 {
    let own = checklist.phases.get(index).and_then(|phase| phase.number);
    own.unwrap_or_else(|| u32::try_from(index + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_count_within_the_year() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        assert_eq!(next_title([].into_iter(), now), "Incident 2026-001");
        let titles = ["Incident 2026-013: parser", "Incident 2025-099", "Incident 2026-x", "Incident 2026-07"];
        assert_eq!(next_title(titles.into_iter(), now), "Incident 2026-014");
        assert_eq!(next_title(["Incident 2026-999"].into_iter(), now), "Incident 2026-1000");
    }

    #[test]
    fn subjects_read_back() {
        for text in ["report octo/mail#7", "report octo/mail#GHSA-2c3f-4gh5-6jm7", "tracker #12"] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for text in [
            "report octo#7",
            "tracker 12",
            "report octo/mail#",
            "report octo/mail#-1",
            "report octo/mail#+1",
            "report octo/mail#GHSA-2c3f-4gh5",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
