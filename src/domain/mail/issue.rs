//! The report issue of a mail: its title, its body, and what can be read back from it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Attachment, DATE_TRUSTED, MailReport, Received, Source};
use crate::domain::fence;
use crate::domain::plan::head_marker;
use crate::domain::policy::Policy;
use crate::domain::texts;

/// The kind of the hidden marker in the first line of a report issue that was filed from a mail.
pub const MAIL_MARKER: &str = "mail";

/// GitHub takes titles of 256 characters; a shorter one can be read.
const TITLE_CHARS: usize = 180;

/// A value in the table, in characters.
const VALUE_CHARS: usize = 200;

/// An attachment's name, in characters.
const NAME_CHARS: usize = 80;

/// What to file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}

/// What a report issue that was filed from a mail tells. It counts only in an issue that Wardroom itself opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The digest of the message id.
    pub id: String,
    /// The digest of the text.
    pub text_digest: String,
    /// The moment that starts the clocks.
    pub received: Timestamp,
    /// The text, as far as it was copied.
    pub text: String,
    /// How many bytes the whole text had.
    pub total_bytes: usize,
}

/// The report issue of a mail. The mail's words stand in code and in a fence, where they are text and nothing else.
/// `now`: to say of a date that it lies in the future.
pub fn render(mail: &MailReport, received: Received, policy: &Policy, now: Timestamp) -> Filing {
    let marker = texts::marker(
        MAIL_MARKER,
        &format!("id={} text={} bytes={} received={}", mail.key.id, mail.key.text, mail.text.len(), received.at),
    );
    let came = if mail.is_mail { "came by mail" } else { "was filed by hand" };
    let mut body = format!(
        "{marker}\nThis report {came}. Whoever sent it does not see this issue: answer them where they wrote, and keep it \
         private.\n\n| | |\n|---|---|\n"
    );
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(body, "| {name} | {value} |");
    };
    let shown = |text: &str| fence::table_cell(&fence::code_span(text, VALUE_CHARS));
    if mail.is_mail {
        row("From", &mail.from.as_deref().map_or_else(|| "it does not say".to_owned(), shown));
        if let Some(to) = &mail.reply_to {
            row("Answers to", &shown(to));
        }
    }
    let subject = if mail.subject.trim().is_empty() { "none".to_owned() } else { shown(&mail.subject) };
    row(if mail.is_mail { "Subject" } else { "Title" }, &subject);
    row("Received", &format!("{}, {}", texts::time(received.at, policy), said_by(received.source)));
    if mail.is_mail {
        if received.source != Source::Date {
            row("The mail’s own date", &date(mail.date, received.source, now, policy));
        }
        row("Message id", &mail.message_id.as_deref().map_or_else(|| "none".to_owned(), shown));
    }
    row("Attachments", &count(mail));
    if !mail.notes.is_empty() {
        body.push_str("\nWhat to know about it:\n\n");
        for note in &mail.notes {
            let _ = writeln!(body, "- {note}");
        }
    }
    if mail.text.is_empty() {
        body.push_str("\nIt has no text.\n");
    } else {
        let fenced = fence::fence(&mail.text, fence::MAX_REPORT_BYTES);
        body.push_str("\nIts text:\n\n");
        body.push_str(&fenced.block);
        let notes = fenced.notes(if mail.is_mail { "The mail" } else { "The file" });
        if !notes.is_empty() {
            body.push('\n');
            body.push_str(&notes);
        }
    }
    if !mail.attachments.is_empty() {
        body.push_str(&attachments(mail));
    }
    Filing { title: title(mail), body }
}

/// The subject in one line, without anything that cannot be seen.
fn title(mail: &MailReport) -> String {
    let title = texts::shorten(&fence::one_line(&mail.subject, TITLE_CHARS), TITLE_CHARS);
    // Only zero-width joints are left over where nothing could be seen.
    if title.trim().is_empty() { "A report without a subject".to_owned() } else { title }
}

fn said_by(source: Source) -> &'static str {
    match source {
        Source::Said => "as the person said who filed it",
        Source::Date => "as the mail’s own date says; nobody confirmed it",
        Source::Filed => "the moment when it was filed here",
    }
}

fn date(date: Option<Timestamp>, source: Source, now: Timestamp, policy: &Policy) -> String {
    let Some(at) = date else { return "none that can be read".to_owned() };
    let shown = texts::time(at, policy);
    if at > now {
        format!("{shown}, in the future: not believed")
    } else if now.duration_since(at) > DATE_TRUSTED && source == Source::Filed {
        format!("{shown}, more than 30 days ago: not taken for the moment of receipt")
    } else {
        shown
    }
}

fn count(mail: &MailReport) -> String {
    match mail.attachments.len() + mail.more_attachments {
        0 => "none".to_owned(),
        1 => "1, below; not copied".to_owned(),
        many => format!("{many}, below; not copied"),
    }
}

fn attachments(mail: &MailReport) -> String {
    let mut text = String::from(
        "\nAttachments, which are in the mail and not here. Open them with care:\n\n| Name | Type | Bytes |\n|---|---|---:|\n",
    );
    for Attachment { name, kind, bytes } in &mail.attachments {
        let name = name.as_deref().filter(|name| !name.trim().is_empty());
        let name = name.map_or_else(|| "–".to_owned(), |name| fence::code_span(name, NAME_CHARS));
        let _ = writeln!(text, "| {} | {} | {bytes} |", fence::table_cell(&name), type_of(kind));
    }
    if mail.more_attachments > 0 {
        let _ = writeln!(text, "\nAnd {} more.", mail.more_attachments);
    }
    text
}

/// A type as code, if it is one (RFC 6838, section 4.2).
fn type_of(kind: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+/".contains(c);
    if kind.len() <= 80 && kind.chars().all(good) { format!("`{kind}`") } else { "unknown".to_owned() }
}

/// Reads back what [`render`] wrote. `None` if the body is not of a report that came by mail.
pub fn told(body: &str) -> Option<Told> {
    let content = head_marker(body.trim_start_matches('\u{FEFF}'))?;
    let content = content.strip_prefix("<!-- wardroom:mail ")?.strip_suffix(" -->")?;
    let value = |name: &str| content.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let hex = |text: &&str| !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = fenced_text(body);
    Some(Told {
        id: value("id").filter(hex)?.to_owned(),
        text_digest: value("text").filter(hex)?.to_owned(),
        received: value("received")?.parse().ok()?,
        total_bytes: value("bytes").and_then(|count| count.parse().ok()).unwrap_or(text.len()),
        text,
    })
}

/// The text in the first fence: only rows of the table and sentences of ours stand before it.
fn fenced_text(body: &str) -> String {
    let mut lines = body.lines();
    let opens = |line: &&str| line.strip_suffix("text").is_some_and(is_fence);
    let Some(close) = lines.find(opens).and_then(|line| line.strip_suffix("text")) else { return String::new() };
    lines.take_while(|line| *line != close).fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

fn is_fence(marks: &str) -> bool {
    marks.len() >= 3 && (marks.bytes().all(|byte| byte == b'`') || marks.bytes().all(|byte| byte == b'~'))
}
