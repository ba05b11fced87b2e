//! The body of a new tracking issue: the report, the containment steps where it is public, the checklist, the footer.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::advisory::{self, Advisory};
use super::facts::{Account, Issue};
use super::fence;
use super::incident::{self, ReportId, ReportKey};
use super::mail::issue::Told;
use super::policy::Policy;
use super::texts::{MAX_BODY_CHARS, plain_link, time};

/// The report that a tracking issue is opened for.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// An issue that its reporter opened.
    Issue(&'a Issue),
    /// An issue that Wardroom filed from a mail, and what the mail told.
    Mail(&'a Issue, &'a Told),
    /// A private vulnerability report.
    Private(&'a Advisory),
}

impl Source<'_> {
    /// When it came in.
    pub fn created_at(&self) -> Option<Timestamp> {
        match self {
            Source::Issue(report) | Source::Mail(report, _) => report.created_at,
            Source::Private(report) => report.created_at,
        }
    }

    fn author(&self) -> Option<&Account> {
        match self {
            Source::Issue(report) | Source::Mail(report, _) => report.user.as_ref(),
            Source::Private(report) => report.author.as_ref(),
        }
    }

    /// Its page.
    fn link(&self, id: &ReportId) -> String {
        let known = match self {
            Source::Issue(report) | Source::Mail(report, _) => &report.html_url,
            Source::Private(report) => &report.html_url,
        };
        let usual = || match &id.key {
            ReportKey::Issue(number) => format!("https://github.com/{}/issues/{number}", id.repo),
            ReportKey::Private(advisory) => advisory::page(&id.repo, advisory),
        };
        plain_link(known).map_or_else(usual, str::to_owned)
    }
}

/// The body. `public`: everyone can read the report.
///
/// # Errors
/// The number of characters, if the checklist leaves no room even for a report that is only linked.
pub fn body(
    source: &Source<'_>,
    id: &ReportId,
    public: bool,
    checklist: &str,
    policy: &Policy,
) -> Result<String, usize> {
    let footer = footer(id);
    for limit in [fence::MAX_REPORT_BYTES, 4096, 0] {
        let copied = if policy.copy_report { limit } else { 0 };
        let mut body = report_block(source, id, copied, policy);
        if public {
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

fn report_block(source: &Source<'_>, id: &ReportId, limit: usize, policy: &Policy) -> String {
    let link = source.link(id);
    let who = source.author().map_or_else(|| "a deleted account".to_owned(), |user| fence::login(&user.login));
    let when = source.created_at().map_or_else(String::new, |at| format!(" on {}", time(at, policy)));
    let mut block = match source {
        Source::Issue(_) => format!("## The report\n\n[{id}]({link}), opened by {who}{when}.\n\n"),
        Source::Mail(_, told) => format!(
            "## The report\n\n[{id}]({link}), received on {}, outside of GitHub. Who sent it, and what was attached, stands \
             there.\n\n",
            time(told.received, policy)
        ),
        Source::Private(_) => format!(
            "## The report\n\n[{id}]({link}), reported privately by {who}{when}. Wardroom cannot answer there: thank {who} on \
             that page, and say when there will be news.\n\n"
        ),
    };
    if limit == 0 {
        block.push_str("Its text is not copied here: read it there.\n");
        return block;
    }
    match source {
        Source::Issue(report) => {
            let _ = writeln!(block, "Title: {}\n", fence::code_span(&report.title, 256));
            own_words(&mut block, report.text(), limit);
        }
        Source::Mail(report, told) => {
            let _ = writeln!(block, "Subject: {}\n", fence::code_span(&report.title, 256));
            mail_words(&mut block, told, limit);
        }
        Source::Private(report) => {
            let _ = writeln!(block, "Title: {}\n", fence::code_span(&report.summary, 256));
            own_words(&mut block, report.text(), limit);
        }
    }
    block
}

fn own_words(block: &mut String, text: &str, limit: usize) {
    if text.trim().is_empty() {
        block.push_str("The report has no text.\n");
        return;
    }
    block.push_str("The reporter’s own words, as they stood when this issue was opened:\n\n");
    push_fenced(block, &fence::fence(text, limit), "The report itself");
}

/// The text of a mail, without the table and the fence that the report issue has around it.
fn mail_words(block: &mut String, told: &Told, limit: usize) {
    if told.text.trim().is_empty() {
        block.push_str("It has no text.\n");
        return;
    }
    let mut fenced = fence::fence(&told.text, limit);
    fenced.cut |= told.total_bytes > told.text.len();
    fenced.total_bytes = fenced.total_bytes.max(told.total_bytes);
    block.push_str("The reporter’s own words:\n\n");
    push_fenced(block, &fenced, "What was sent");
}

fn push_fenced(block: &mut String, fenced: &fence::Fenced, whole: &str) {
    block.push_str(&fenced.block);
    let notes = fenced.notes(whole);
    if !notes.is_empty() {
        block.push('\n');
        block.push_str(&notes);
    }
}

fn containment(id: &ReportId) -> String {
    format!(
        "\n### This report is public\n\nEveryone can read `{id}`. What can still be done, by a person:\n\n\
         1. Ask the reporter to go on in private, and to say no more there.\n\
         2. Lock the conversation, so that nobody adds details.\n\
         3. Move what matters here. Transferring the issue into a private repository or deleting it takes the page away; \
         editing it does not, because the edit history stays readable.\n\
         4. Take it as known: mails with the text went out to everyone who watches the repository, and copies may exist. \
         Plan for a fix without delay instead of an embargo.\n",
    )
}

fn footer(id: &ReportId) -> String {
    format!(
        "\n\n---\n\n<sub>Tick boxes and fill fields here as you go: Wardroom keeps labels, progress and the record in a \
         comment below. No tick publishes anything. Comment `/wardroom help` for the commands.</sub>\n\n{}\n",
        incident::incident_marker(id)
    )
}
