//! `wardroom open`: a report that came by mail becomes an issue, and the issue an incident.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::config::{self, Env};
use super::drive::{self, Draft, Opened, Options, Place, Report};
use super::voice;
use super::{Exit, Usage};
use crate::domain::incident::ReportId;
use crate::domain::mail::issue::{self, Filing};
use crate::domain::mail::{self, MailReport, Received, Source};
use crate::domain::plan::READ_LAG;
use crate::domain::policy::Mode;
use crate::domain::texts::utc;
use crate::engine::filing::Filed;
use crate::engine::{Engine, LookError};
use crate::github::Error;

/// Files a report that came by mail and opens its incident.
///
/// The report becomes an issue in the tracker with the policy's report label: who sent it, when, its text as text that can
/// do nothing, and the names of its attachments. The same mail twice is one report. Encrypted mail has to be decrypted
/// first. Attachments are not copied.
///
/// Environment: WARDROOM_TRACKER (owner/name), WARDROOM_TOKEN or WARDROOM_TOKEN_FILE, or WARDROOM_APP_ID with
/// WARDROOM_PRIVATE_KEY or WARDROOM_PRIVATE_KEY_FILE; GITHUB_API_URL and GITHUB_GRAPHQL_URL on an Enterprise Server.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wardroom open --eml report.eml --dry-run      print the issue, write nothing\n  wardroom open \
                        --eml - --received 2026-03-02T09:00:00Z < report.eml\n  wardroom open --title \"Overflow in the \
                        parser\" --text report.txt --received \"2026-03-02 09:00 UTC\""
)]
pub struct Args {
    /// The mail with its headers, as your mail program saves it (.eml); - for standard input.
    #[arg(long, value_name = "FILE", required_unless_present = "text", conflicts_with_all = ["title", "text"])]
    pub eml: Option<PathBuf>,
    /// The title of a report that is not a mail.
    #[arg(long, value_name = "WORDS", requires = "text")]
    pub title: Option<String>,
    /// The text of a report that is not a mail, UTF-8; - for standard input.
    #[arg(long, value_name = "FILE", requires = "title")]
    pub text: Option<PathBuf>,
    /// When the report reached you: the moment that starts the clocks. RFC 3339, or date and time with UTC behind it.
    /// Without it, the mail's own date if that is within the last 30 days, else now.
    #[arg(long, value_name = "MOMENT")]
    pub received: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a doc here instead of each option's own")]
    pub options: Options,
}

/// Files one report.
///
/// # Errors
/// Whatever kept it from its end; nothing is lost by it, and the same command again goes on from there.
pub async fn run(args: &Args, env: Env<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = config::settings(env)?;
    let work = async {
        let said = args.received.as_deref().map(moment).transpose()?;
        let mail = read(args)?;
        let engine = config::engine(&settings, &args.options).await?;
        open(&engine, &mail, said).await
    };
    voice::speak(env, &settings, &args.options, out, work).await
}

/// Files a report and looks at it.
///
/// # Errors
/// A [`Usage`] error if it cannot be filed like this, else what GitHub answered.
pub async fn open(engine: &Engine, mail: &MailReport, said: Option<Timestamp>) -> anyhow::Result<Report> {
    if engine.policy.mode == Mode::Off {
        return Ok(Report::nothing("the policy says mode: off".to_owned()));
    }
    if !engine.policy.is_report_repository(&engine.tracker, &engine.tracker) {
        return Err(Usage(format!(
            "the policy's reports.repositories leaves the tracker out, so a report that is filed there would be no report. \
             Nothing was filed. Add {} to reports.repositories in .github/wardroom.yml",
            engine.tracker
        ))
        .into());
    }
    let now = engine.now();
    if said.is_some_and(|at| at > now) {
        let now = utc(now);
        return Err(Usage(format!("--received lies in the future: it is {now}. Nothing was filed")).into());
    }
    let received = mail.received(said, now);
    let filing = issue::render(mail, received, &engine.policy, now);
    let (report, received, step, notes) = match file(engine, mail, &filing).await? {
        Filed::Would => return Ok(would(engine, received, filing)),
        Filed::New(report) => {
            let step = format!("file the report as {}#{}", engine.tracker, report.number);
            (report, received.at, Some(step), clocks(received).into_iter().collect())
        }
        Filed::Known(report, told) => {
            let mut notes = vec![format!("this was filed before, as {}#{}", engine.tracker, report.number)];
            if told.text_digest != mail.key.text {
                notes.push(
                    "its text is not the one that was filed then: only the message id is the same. Compare the two; if this is \
                     another report, file it with --title and --text"
                        .to_owned(),
                );
            }
            if said.is_some_and(|at| at != told.received) {
                notes.push(format!("it was filed as received on {}, and that stays", utc(told.received)));
            }
            (report, told.received, None, notes)
        }
    };
    let id = ReportId::issue(engine.tracker.clone(), report.number);
    let mut ran = drive::report(engine, id).await?;
    ran.changed |= step.is_some();
    ran.steps.splice(0..0, step);
    ran.notes.splice(0..0, notes);
    let incident = ran.summary().map(|summary| Place {
        number: summary.incident,
        url: neighbour(&report.html_url, report.number, summary.incident),
    });
    let report = Some(Place { number: report.number, url: report.html_url.clone() });
    ran.opened = Some(Opened { report, incident, received, draft: None });
    Ok(ran)
}

/// Files it; after a lost answer looks once more, when reads show what was written.
async fn file(engine: &Engine, mail: &MailReport, filing: &Filing) -> Result<Filed, LookError> {
    match engine.file(mail, filing).await {
        Err(LookError::GitHub(Error::Unknown { .. })) => {
            tokio::time::sleep(READ_LAG.unsigned_abs()).await;
            engine.file(mail, filing).await
        }
        ended => ended,
    }
}

/// What would be filed.
fn would(engine: &Engine, received: Received, filing: Filing) -> Report {
    let label = &engine.policy.reports.label;
    let steps = vec![
        format!("file this report in {} with the label {label}", engine.tracker),
        "open its tracking issue".to_owned(),
    ];
    let draft = Some(Draft { title: filing.title, body: filing.body });
    let opened = Opened { report: None, incident: None, received: received.at, draft };
    Report {
        steps,
        notes: clocks(received).into_iter().collect(),
        dry_run: true,
        opened: Some(opened),
        ..Report::default()
    }
}

/// What to know about the moment that starts the clocks, where no person said it.
fn clocks(received: Received) -> Option<String> {
    let at = utc(received.at);
    match received.source {
        Source::Said => None,
        Source::Date => Some(format!(
            "the clocks start at {at}, as the mail's own date says, which nobody confirmed. --received says it better"
        )),
        Source::Filed => {
            Some(format!("the clocks start now, at {at}. If the report reached you earlier, say so with --received"))
        }
    }
}

/// The page of another issue of the same repository.
fn neighbour(url: &str, own: u64, other: u64) -> String {
    url.strip_suffix(&own.to_string()).map_or_else(String::new, |stem| format!("{stem}{other}"))
}

/// The moment that `--received` names.
fn moment(text: &str) -> Result<Timestamp, Usage> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    let utc = lower.strip_suffix("utc").map(|rest| format!("{}z", rest.trim_end()));
    utc.unwrap_or(lower).parse().map_err(|_| {
        Usage(
            "--received wants a moment and its zone, like 2026-03-02T09:00:00Z, 2026-03-02T10:00:00+01:00 or “2026-03-02 \
             09:00 UTC”. Nothing was filed"
                .to_owned(),
        )
    })
}

/// The mail or the text that the arguments name.
fn read(args: &Args) -> anyhow::Result<MailReport> {
    match (&args.eml, &args.title, &args.text) {
        (Some(eml), _, _) => Ok(mail::read(&bytes(eml)?)?),
        (None, Some(title), Some(text)) => Ok(mail::from_text(title, &bytes(text)?)?),
        _ => Err(Usage("give it a mail with --eml FILE, or --title WORDS and --text FILE".to_owned()).into()),
    }
}

/// A file's bytes, at most one more than a mail may have.
fn bytes(path: &Path) -> Result<Vec<u8>, Usage> {
    let unreadable = |error: io::Error| Usage(format!("could not read {}: {error}. Nothing was filed", path.display()));
    let mut bytes = Vec::new();
    let most = mail::MAX_BYTES as u64 + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unreadable)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_needs_its_zone() {
        let wanted: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        for text in [
            "2026-03-02T09:00:00Z",
            "2026-03-02T10:00:00+01:00",
            "2026-03-02 09:00 UTC",
            " 2026-03-02 09:00:00utc ",
            "2026-03-02 09:00Z",
        ] {
            assert_eq!(moment(text), Ok(wanted), "{text}");
        }
        for text in
            ["", "2026-03-02", "2026-03-02 09:00", "2026-03-02 UTC", "yesterday", "2026-02-30T09:00Z", "9:00 UTC"]
        {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_issue_next_to_it_has_its_own_page() {
        assert_eq!(neighbour("https://github.com/o/r/issues/17", 17, 18), "https://github.com/o/r/issues/18");
        assert_eq!(neighbour("", 17, 18), "");
    }
}
