//! The texts that Wardroom writes to people, each a pure function. The status comment has a file of its own.
//!
//! A hidden marker at the head of each says what it answers, so that it is said once, whatever crashes.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::checklist::{Checklist, Phase, Task, TaskState};
use super::facts::{Issue, RepoName};
use super::fence;
use super::incident::{self, ReportId};
use super::mail::issue::Told;
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

/// The body of a new tracking issue: the report, the containment steps where it is public, the checklist, the footer.
/// `told`: what came by mail, if the report is an issue that Wardroom filed from one.
///
/// # Errors
/// The number of characters, if the checklist leaves no room even for a report that is only linked.
pub fn tracker_body(
    report: &Issue,
    id: &ReportId,
    report_is_private: bool,
    told: Option<&Told>,
    checklist: &str,
    policy: &Policy,
) -> Result<String, usize> {
    let footer = footer(id);
    for limit in [fence::MAX_REPORT_BYTES, 4096, 0] {
        let copied = if policy.copy_report { limit } else { 0 };
        let mut body = match told {
            Some(told) => mail_block(report, told, id, copied, policy),
            None => report_block(report, id, copied, policy),
        };
        if !report_is_private {
            body.push_str(&containment(id));
        }
        body.push('\n');
        body.push_str(checklist.trim_end());
        body.push_str(&footer);
        if body.chars().count() <= MAX_BODY_CHARS {
            return Ok(body);
        }
    }
    Err(footer.chars().count() + checklist.chars().count())
}

fn report_block(report: &Issue, id: &ReportId, limit: usize, policy: &Policy) -> String {
    let who = report.user.as_ref().map_or_else(|| "a deleted account".to_owned(), |user| fence::login(&user.login));
    let when = report.created_at.map_or_else(String::new, |at| format!(" on {}", time(at, policy)));
    let mut block = format!("## The report\n\n[{id}]({}), opened by {who}{when}.\n\n", report_link(report, id));
    if limit == 0 {
        block.push_str("Its text is not copied here: read it there.\n");
        return block;
    }
    let _ = writeln!(block, "Title: {}\n", fence::code_span(&report.title, 256));
    if report.text().trim().is_empty() {
        block.push_str("The report has no text.\n");
        return block;
    }
    block.push_str("The reporter’s own words, as they stood when this issue was opened:\n\n");
    push_fenced(&mut block, &fence::fence(report.text(), limit), "The report itself");
    block
}

/// A report that came by mail: its text without the table and the fence that the report issue has around it.
fn mail_block(report: &Issue, told: &Told, id: &ReportId, limit: usize, policy: &Policy) -> String {
    let link = report_link(report, id);
    let when = time(told.received, policy);
    let mut block = format!(
        "## The report\n\n[{id}]({link}), received on {when}, outside of GitHub. Who sent it, and what was attached, stands \
         there.\n\n"
    );
    if limit == 0 {
        block.push_str("Its text is not copied here: read it there.\n");
        return block;
    }
    let _ = writeln!(block, "Subject: {}\n", fence::code_span(&report.title, 256));
    if told.text.trim().is_empty() {
        block.push_str("It has no text.\n");
        return block;
    }
    let mut fenced = fence::fence(&told.text, limit);
    fenced.cut |= told.total_bytes > told.text.len();
    fenced.total_bytes = fenced.total_bytes.max(told.total_bytes);
    block.push_str("The reporter’s own words:\n\n");
    push_fenced(&mut block, &fenced, "What was sent");
    block
}

fn push_fenced(block: &mut String, fenced: &fence::Fenced, whole: &str) {
    block.push_str(&fenced.block);
    let notes = fenced.notes(whole);
    if !notes.is_empty() {
        block.push('\n');
        block.push_str(&notes);
    }
}

/// The page of the report.
fn report_link(report: &Issue, id: &ReportId) -> String {
    plain_link(&report.html_url)
        .map_or_else(|| format!("https://github.com/{}/issues/{}", id.repo, id.number), str::to_owned)
}

/// An address that came from GitHub, if it can stand in Markdown as it is.
pub(super) fn plain_link(address: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#%&=+".contains(c);
    (address.starts_with("https://") && address.chars().all(plain)).then_some(address)
}

fn containment(id: &ReportId) -> String {
    format!(
        "\n### This report is public\n\nEveryone can read `{repo}#{number}`. What can still be done, by a person:\n\n\
         1. Ask the reporter to go on in private, and to say no more there.\n\
         2. Lock the conversation, so that nobody adds details.\n\
         3. Move what matters here. Transferring the issue into a private repository or deleting it takes the page away; \
         editing it does not, because the edit history stays readable.\n\
         4. Take it as known: mails with the text went out to everyone who watches the repository, and copies may exist. \
         Plan for a fix without delay instead of an embargo.\n",
        repo = id.repo,
        number = id.number,
    )
}

fn footer(id: &ReportId) -> String {
    format!(
        "\n\n---\n\n<sub>Tick boxes and fill fields here as you go: Wardroom keeps labels, progress and the record in a \
         comment below. No tick publishes anything. Comment `/wardroom help` for the commands.</sub>\n\n{}\n",
        incident::incident_marker(id)
    )
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
