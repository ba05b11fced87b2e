//! The texts that Wardroom writes to people, each a pure function. The status comment has a file of its own.
//!
//! A hidden marker at the head of each says what it answers, so that it is said once, whatever crashes.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::checklist::{Checklist, Phase, Task, TaskState};
use super::facts::RepoName;
use super::fence;
use super::incident::ReportId;
use super::memory::short_digest;
use super::policy::Policy;

/// GitHub refuses a longer body (422 "body is too long (maximum is 65536 characters)").
pub const MAX_BODY_CHARS: usize = 65_536;

/// A hidden marker, `<!-- wardroom:KIND CONTENT -->`.
pub fn marker(kind: &str, content: &str) -> String {
    format!("<!-- wardroom:{kind} {content} -->")
}

/// A moment in UTC, to the minute: `2026-03-02 14:00 UTC`.
pub fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `2026-03-02 14:05 UTC`, and behind it the same moment in the policy's zone where that is another one.
pub fn time(at: Timestamp, policy: &Policy) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    let text = utc.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let zone = policy.time_zone();
    let local = at.to_zoned(zone);
    if local.datetime() == utc.datetime() {
        return text;
    }
    let pattern = if local.date() == utc.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    format!("{text} ({} {})", local.strftime(pattern), policy.zone)
}

/// An address that came from GitHub, if it can stand in Markdown as it is.
pub(super) fn plain_link(address: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#%&=+".contains(c);
    (address.starts_with("https://") && address.chars().all(plain)).then_some(address)
}

/// The kind of the marker in an acknowledgement; its content is the tracking issue's number and a digest of the
/// tracker's name.
pub const ACKNOWLEDGED: &str = "acknowledged";

/// The first answer to a private report.
pub fn acknowledgement(number: u64, tracker: &RepoName, policy: &Policy) -> String {
    let product = &policy.product.name;
    let link = policy.product.security_policy.as_ref().map_or_else(String::new, |url| {
        format!(" What you can expect from us, and when, is in our [security policy]({url}).")
    });
    format!(
        "{}\nThank you for the report. It has reached the people who look after the security of {product}, and they will \
         answer you here. Please keep it private until a fix is out.{link}\n",
        marker(ACKNOWLEDGED, &format!("{number} {}", short_digest(&tracker.to_string())))
    )
}

/// The comment on a report that came by mail: its sender does not read it, so it is for whoever answers them.
pub fn acknowledgement_by_mail(number: u64, tracker: &RepoName, policy: &Policy) -> String {
    let product = &policy.product.name;
    let link = policy.product.security_policy.as_ref().map_or_else(String::new, |url| {
        format!(" What you can expect from us, and when, is in our security policy: {url}")
    });
    format!(
        "{}\nThe work on this report goes on in #{number}. Its sender has no answer yet. A draft, to be changed and sent to \
         them by a person:\n\n> Thank you for the report. It has reached the people who look after the security of \
         {product}, and they will answer you. Please keep it private until a fix is out.{link}\n",
        marker(ACKNOWLEDGED, &format!("{number} {}", short_digest(&tracker.to_string())))
    )
}

/// The only thing a public report is ever told, and only if the policy says so.
pub fn please_report_privately(policy: &Policy, repo: &RepoName) -> String {
    let place = policy
        .product
        .private_reporting
        .clone()
        .unwrap_or_else(|| format!("https://github.com/{repo}/security/advisories/new"));
    format!("{}\nThank you. Please report security problems privately, at {place}.\n", marker("private-please", "1"))
}

/// The comment on a tracking issue that was closed as completed while tasks are open.
pub fn closed_early(checklist: &Checklist, closed_at: &str) -> String {
    let mut text = format!(
        "{}\nThis incident was closed as completed, and these tasks are open:\n\n",
        marker(CLOSED_EARLY, closed_at)
    );
    for phase in checklist.phases.iter().filter(|phase| !phase.is_settled()) {
        let _ = writeln!(text, "- {}: {}", phase_name(phase), open_tasks(phase, 4));
    }
    let first = checklist.tasks().find(|task| task.state == TaskState::Open);
    let name = first.map_or_else(
        || "TASK".to_owned(),
        |task| task.anchor.clone().unwrap_or_else(|| format!("\"{}\"", shorten_words(&task.text, 30))),
    );
    let command = fence::code_span(&format!("/wardroom na {name} REASON"), 120);
    let _ = write!(
        text,
        "\nNothing was changed. Reopen it to go on; mark what does not apply, for example with {command}; or close it as \
         not planned if it is not an incident after all.\n",
    );
    text
}

/// The kind of the marker of [`closed_early`].
pub const CLOSED_EARLY: &str = "closed-early";

/// `Phase 2, Immediate Response & Mitigation`, as plain text.
pub fn phase_name(phase: &Phase) -> String {
    match (phase.number, phase.title.is_empty()) {
        (Some(number), true) => format!("Phase {number}"),
        (Some(number), false) => format!("Phase {number}, {}", fence::plain(&phase.title)),
        (None, true) => "Tasks".to_owned(),
        (None, false) => fence::plain(&phase.title),
    }
}

/// The first open tasks of a phase, the rest as a number.
pub fn open_tasks(phase: &Phase, most: usize) -> String {
    let open: Vec<&Task> = phase.tasks.iter().filter(|task| task.state == TaskState::Open).collect();
    let names: Vec<String> = open.iter().take(most).map(|task| task_name(task)).collect();
    let rest = open.len().saturating_sub(most);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{}{more}", names.join("; "))
}

/// A task as texts name it: `T12 Draft security advisory`.
pub fn task_name(task: &Task) -> String {
    let text = fence::plain(&shorten(&task.text, 100));
    task.anchor.as_ref().map_or(text.clone(), |anchor| format!("{anchor} {text}"))
}

/// A text cut to a number of characters, with an ellipsis where it was cut.
pub fn shorten(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(chars.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The first words of a text, at most so many characters, as a command names a task.
fn shorten_words(text: &str, chars: usize) -> String {
    let mut short = String::new();
    for word in text.split(' ') {
        let more = if short.is_empty() { word.chars().take(chars).collect() } else { format!("{short} {word}") };
        if more.chars().count() > chars {
            break;
        }
        short = more;
    }
    short
}

/// The kind of the marker of a draft answer to the reporter; its content is why the report was turned down.
pub const DRAFT_ANSWER: &str = "draft-answer";

/// Why a report was turned down, for the draft answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedDown {
    /// It is not a vulnerability.
    Invalid,
    /// It is known already.
    Duplicate,
    /// It is about something the project does not cover.
    OutOfScope,
    /// Closed as not planned, without more words.
    NotPlanned,
}

impl TurnedDown {
    /// The word in the marker.
    pub fn word(self) -> &'static str {
        match self {
            TurnedDown::Invalid => "invalid",
            TurnedDown::Duplicate => "duplicate",
            TurnedDown::OutOfScope => "out-of-scope",
            TurnedDown::NotPlanned => "not-planned",
        }
    }
}

/// A kind answer to the reporter of a report that was turned down: a draft for a person to send.
/// `reason` is what the person who closed it said; without one the draft leaves a gap to fill.
pub fn draft_answer(why: TurnedDown, reason: Option<&str>, policy: &Policy) -> String {
    let product = &policy.product.name;
    let reason = reason.map_or_else(|| "REASON".to_owned(), |text| fence::plain(text.trim_end_matches('.')));
    let middle = match why {
        TurnedDown::Invalid => format!(
            "We looked into it and could not confirm a security problem in {product}: {reason}. If we missed a step, please \
             tell us which, and we will look again."
        ),
        TurnedDown::Duplicate => {
            "We had an earlier report of the same problem, and handle both together. Thank you for finding it on your \
             own; we will tell you how it ends."
                .to_owned()
        }
        TurnedDown::OutOfScope => format!(
            "What you describe lies outside what our security policy covers: {reason}. Thank you for looking at {product} \
             with care; please write again when you find something else."
        ),
        TurnedDown::NotPlanned => format!(
            "We looked into it and will not handle it as a security problem of {product}: {reason}. If you see it \
             differently, please tell us what we missed."
        ),
    };
    format!(
        "{}\nClosed without a fix. The reporter may still wait for an answer. A \
         draft, to be changed and sent by a person:\n\n> Thank you for your report.\n>\n\
         > {middle}\n",
        marker(DRAFT_ANSWER, why.word())
    )
}

/// The kind of the marker of the comment that says why no draft was made by the policy.
pub const DRAFT_REFUSED: &str = "draft-refused";

/// The kind of the marker of a reply; its content is the id of the comment it answers.
pub const REPLY: &str = "reply";

/// A reply to a command.
pub fn reply(to: u64, text: &str) -> String {
    format!("{}\n{}\n", marker(REPLY, &to.to_string()), text.trim_end())
}

/// The kind of the marker on the incident that another one was merged into; its content is the other one's number.
pub const MERGED: &str = "merged";

/// The comment on the incident that another one was merged into.
pub fn merged_here(from: u64, report: Option<&ReportId>, by: &str) -> String {
    let about = report.map_or_else(String::new, |id| format!(", about the report {id},"));
    format!(
        "{}\n#{from}{about} was merged into this incident by {}: both reports are about the same problem. Answer both \
         reporters.\n",
        marker(MERGED, &from.to_string()),
        fence::login(by)
    )
}

/// The comment on the incident of a private report that is part of another one by now.
pub fn joined(stays: u64, by: &str) -> String {
    format!(
        "{}\nThis incident is about the same report as #{stays}, as {} said there with `/wardroom link`. Work goes on in \
         #{stays}. Nothing written here is lost: carry over what is needed.\n",
        marker(DOUBLE_OF, &stays.to_string()),
        fence::login(by)
    )
}

/// The kind of the marker on a doubled tracking issue; its content is the number of the one that stays.
pub const DOUBLE_OF: &str = "double-of";

/// The comment on a tracking issue that was opened twice for one report.
pub fn double_of(stays: u64) -> String {
    format!(
        "{}\nThis is a second tracking issue for the same report; work goes on in #{stays}. It arises when two processes \
         open at the same moment. Nothing written here is lost.\n",
        marker(DOUBLE_OF, &stays.to_string())
    )
}
