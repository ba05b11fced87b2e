//! From a webhook payload to the incidents it asks to look at. An event only names what to look at; nothing is decided
//! here, and nothing is written from a payload.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::access;
use super::observe::floor_key;
use super::report::asked_key;
use crate::domain::advisory::Ghsa;
use crate::domain::checklist::Checklist;
use crate::domain::command::{self, Command};
use crate::domain::facts::{Account, Comment, Issue, Label, RepoName, lenient_time};
use crate::domain::incident::{self, ReportId, Subject};
use crate::domain::observed::Edit;
use crate::domain::policy::{LabelKey, Policy};
use crate::store::Asked;

/// How long a read that is older than its event is not used. Then GitHub's clock is taken to be the odd one.
const FLOOR_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// How long a labelling counts as a person's wish to open an incident for an old report.
const ASKED_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Why an event asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Ignored {
    /// It is no event about issues or advisories.
    #[error("this kind of event asks for nothing")]
    OtherEvent,
    /// The payload names no repository, and no issue or advisory, that could be read.
    #[error("the payload names no repository and issue")]
    Unreadable,
    /// The repository is neither the tracker nor one of the policy's.
    #[error("the repository is not ours")]
    OtherRepository,
    /// The "issue" is a pull request.
    #[error("it is about a pull request")]
    PullRequest,
    /// Wardroom did it itself.
    #[error("Wardroom did it itself")]
    OwnWrite,
    /// The App is installed elsewhere too.
    #[error("it is about an installation of another owner than ours")]
    OtherOwner,
    /// The App lost a repository of ours.
    #[error(
        "the App was taken off repositories of ours: nothing there is looked at until it is installed again, under Settings, \
         Developer settings, GitHub Apps, Install App"
    )]
    Uninstalled,
    /// The App's installation was suspended.
    #[error(
        "the App’s installation was suspended: nothing is looked at until that is ended, under Settings, Integrations, \
         GitHub Apps"
    )]
    Suspended,
    /// The issue is neither a report nor a tracking issue.
    #[error("the issue is neither a report nor a tracking issue")]
    PlainIssue,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    issue: Option<Issue>,
    #[serde(default)]
    repository_advisory: Option<PayloadAdvisory>,
    #[serde(default)]
    comment: Option<Comment>,
    #[serde(default)]
    label: Option<Label>,
    #[serde(default)]
    changes: Option<Changes>,
    #[serde(default)]
    repository: Option<PayloadRepository>,
    #[serde(default)]
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct Changes {
    #[serde(default)]
    body: Option<From>,
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    from: Option<String>,
}

#[derive(Deserialize)]
struct PayloadRepository {
    full_name: RepoName,
}

/// Nothing more of it is read here: the look reads what is true then.
#[derive(Deserialize)]
struct PayloadAdvisory {
    ghsa_id: Ghsa,
    #[serde(default, with = "lenient_time")]
    updated_at: Option<Timestamp>,
}

/// What an event asks for.
///
/// # Errors
/// The reason why it asks for nothing.
pub fn intake(
    event: &str,
    payload: &serde_json::Value,
    policy: &Policy,
    tracker: &RepoName,
    me: Option<&Account>,
    now: Timestamp,
) -> Result<Asked, Ignored> {
    if access::is_about_access(event) {
        let payload = access::Payload::deserialize(payload).map_err(|_| Ignored::Unreadable)?;
        return access::of_payload(event, &payload, policy, tracker);
    }
    let read = || Payload::deserialize(payload);
    of_payload(event, read, policy, tracker, me, now)
}

/// What a delivery asks for, from its bytes.
///
/// # Errors
/// The reason why it asks for nothing.
pub fn of_bytes(
    event: &str,
    body: &[u8],
    policy: &Policy,
    tracker: &RepoName,
    me: Option<&Account>,
    now: Timestamp,
) -> Result<Asked, Ignored> {
    if access::is_about_access(event) {
        let payload = serde_json::from_slice(body).map_err(|_| Ignored::Unreadable)?;
        return access::of_payload(event, &payload, policy, tracker);
    }
    of_payload(event, || serde_json::from_slice(body), policy, tracker, me, now)
}

/// Whether events of this kind may ask for something.
pub(super) fn is_read(event: &str) -> bool {
    access::is_about_access(event) || is_about_incidents(event)
}

/// Whether an event is about issues or advisories.
pub(super) fn is_about_incidents(event: &str) -> bool {
    matches!(event, "issues" | "issue_comment" | "repository_advisory")
}

fn of_payload(
    event: &str,
    read: impl FnOnce() -> serde_json::Result<Payload>,
    policy: &Policy,
    tracker: &RepoName,
    me: Option<&Account>,
    now: Timestamp,
) -> Result<Asked, Ignored> {
    if event == "repository_advisory" {
        return of_advisory(&read().map_err(|_| Ignored::Unreadable)?, policy, me, now);
    }
    if !matches!(event, "issues" | "issue_comment") {
        return Err(Ignored::OtherEvent);
    }
    let payload = read().map_err(|_| Ignored::Unreadable)?;
    let (Some(repository), Some(issue)) = (&payload.repository, &payload.issue) else {
        return Err(Ignored::Unreadable);
    };
    if issue.pull_request.is_some() {
        return Err(Ignored::PullRequest);
    }
    let repo = &repository.full_name;
    let in_tracker = repo == tracker;
    let in_reports = policy.is_report_repository(repo, tracker);
    if !in_tracker && !in_reports {
        return Err(Ignored::OtherRepository);
    }
    let edit = edit(event, &payload, issue);
    // Our own edit of a body is looked at: it may have overwritten a person's.
    if is_own(&payload, me) && edit.is_none() {
        return Err(Ignored::OwnWrite);
    }
    let label = |name: &str| payload.label.as_ref().is_some_and(|label| label.name.eq_ignore_ascii_case(name));
    let mut asked = Asked::default();
    let report = ReportId::issue(repo.clone(), issue.number);
    let report_label = &policy.reports.label;
    if in_reports && event == "issues" && (issue.has_label(report_label) || label(report_label)) {
        // A form hangs the label in the reporter's name: that is no person's wish to open an old report.
        let by_author = issue.user.as_ref().map(|user| user.id) == payload.sender.as_ref().map(|sender| sender.id);
        if payload.action.as_deref() == Some("labeled") && label(report_label) && !by_author {
            asked.facts.push((asked_key(&report), "label".to_owned(), now + ASKED_LIFE));
        }
        asked.subjects.push(Subject::Report(report));
    }
    let incident_label = policy.label(LabelKey::Incident).name;
    let adopts = payload
        .comment
        .as_ref()
        .is_some_and(|comment| matches!(command::parse(comment.text()), Some(Ok(Command::Adopt))));
    let followed = issue.has_label(&incident_label) || label(&incident_label) || adopts;
    if in_tracker && (followed || incident::marked_report(&Checklist::parse(issue.text())).is_some()) {
        asked.subjects.push(Subject::Tracker(issue.number));
        asked.edit = edit.map(|edit| (issue.number, edit));
    }
    if asked.subjects.is_empty() {
        return Err(Ignored::PlainIssue);
    }
    // A deleted or transferred issue has nothing left to be newer.
    let still_there = !matches!(payload.action.as_deref(), Some("deleted" | "transferred")) || event == "issue_comment";
    if let Some(at) = issue.updated_at.filter(|_| still_there) {
        let floors = asked.subjects.iter().map(|subject| (floor_key(subject), at.to_string(), now + FLOOR_LIFE));
        asked.facts.extend(floors.collect::<Vec<_>>());
    }
    Ok(asked)
}

/// A private report came in, or an advisory was published. There is no event for any other change of one.
fn of_advisory(payload: &Payload, policy: &Policy, me: Option<&Account>, now: Timestamp) -> Result<Asked, Ignored> {
    let (Some(repository), Some(advisory)) = (&payload.repository, &payload.repository_advisory) else {
        return Err(Ignored::Unreadable);
    };
    if policy.advisories.repository.as_ref() != Some(&repository.full_name) {
        return Err(Ignored::OtherRepository);
    }
    if is_own(payload, me) {
        return Err(Ignored::OwnWrite);
    }
    let subject = Subject::Report(ReportId::private(repository.full_name.clone(), advisory.ghsa_id.clone()));
    let floor = advisory.updated_at.map(|at| (floor_key(&subject), at.to_string(), now + FLOOR_LIFE));
    Ok(Asked { facts: floor.into_iter().collect(), subjects: vec![subject], ..Asked::default() })
}

/// Whether Wardroom did it itself. With a token of a person, what that person does is theirs as much as ours: better a
/// look too many than one too few.
fn is_own(payload: &Payload, me: Option<&Account>) -> bool {
    me.zip(payload.sender.as_ref()).is_some_and(|(me, sender)| me.id == sender.id && sender.kind == "Bot")
}

fn edit(event: &str, payload: &Payload, issue: &Issue) -> Option<Edit> {
    if event != "issues" || payload.action.as_deref() != Some("edited") {
        return None;
    }
    let before = payload.changes.as_ref()?.body.as_ref()?.from.clone()?;
    Some(Edit {
        at: issue.updated_at?,
        editor: payload.sender.as_ref().map(|sender| sender.login.clone()),
        before,
        after: issue.text().to_owned(),
    })
}
