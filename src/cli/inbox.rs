//! `wardroom inbox`: what `wardroom serve` received, and one delivery once more.

use std::io::Write;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use super::checklist::{Format, shown};
use super::{Exit, Usage};
use crate::store::sqlite::operator::{Kept, Operator};
use crate::store::sqlite::{Location, OpenError};

/// Shows what was received, and has one delivery done once more.
///
/// It reads the database of a `wardroom serve`, which may run meanwhile. Payloads are kept for 30 days.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wardroom inbox list\n  wardroom inbox show 72d3162e-cc78-11e3-81ab-4c9367dc0958\n  \
                        wardroom inbox replay 72d3162e-cc78-11e3-81ab-4c9367dc0958"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// The database of `wardroom serve`.
    #[arg(long, global = true, value_name = "sqlite:PATH", default_value = "sqlite:wardroom.db")]
    pub database: Location,
    /// How the result is printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// What to do with the inbox.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// The newest deliveries, newest first.
    List {
        /// How many.
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        most: u32,
    },
    /// One delivery, with its payload: private text.
    Show {
        /// GitHub's id of the delivery.
        guid: String,
    },
    /// Has one delivery taken in once more, as if GitHub had sent it again. Doing it twice is harmless.
    Replay {
        /// GitHub's id of the delivery.
        guid: String,
    },
}

/// Does it.
///
/// # Errors
/// If there is no such database or delivery, or `out` takes no more.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let path = &args.database.0;
    let wrong = |error: OpenError| Usage(error.to_string());
    match &args.action {
        Action::List { most } => list(&Operator::read(path).map_err(wrong)?.deliveries(*most)?, args.format, out)?,
        Action::Show { guid } => {
            let Some((kept, body)) = Operator::read(path).map_err(wrong)?.delivery(guid)? else { return unknown(guid) };
            show(&kept, body.as_deref(), args.format, out)?;
        }
        Action::Replay { guid } => match Operator::write(path).map_err(wrong)?.replay(guid)? {
            Some(kept) => {
                let shown = &kept.guid;
                writeln!(
                    out,
                    "{shown} is taken in once more: within seconds if `wardroom serve` runs, else at its start"
                )?;
            }
            None => bail!(
                "there is no delivery {guid} whose payload is still kept. GitHub keeps its own for 3 days: redeliver it from \
                 the App's settings, Advanced, Recent deliveries"
            ),
        },
    }
    Ok(Exit::Done)
}

fn unknown(guid: &str) -> anyhow::Result<Exit> {
    bail!("there is no delivery {guid}; `wardroom inbox list` shows those that came")
}

/// A moment as it is shown: UTC, to the second.
pub(super) fn utc(at: Timestamp) -> String {
    at.strftime("%F %H:%M:%S UTC").to_string()
}

/// What a delivery came to.
fn asked(kept: &Kept) -> String {
    match (&kept.why_nothing, kept.waiting) {
        (_, true) => "waits to be taken in".to_owned(),
        (Some(why), _) => format!("nothing: {why}"),
        (None, _) => kept.subjects.join(", "),
    }
}

fn list(deliveries: &[Kept], format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    if format == Format::Json {
        for kept in deliveries {
            writeln!(out, "{}", as_json(kept))?;
        }
        return Ok(());
    }
    if deliveries.is_empty() {
        writeln!(out, "nothing was received yet")?;
    }
    for kept in deliveries {
        let times = if kept.times == 1 { String::new() } else { format!(", {} times", kept.times) };
        writeln!(out, "{}  {}  {:<14}  {}{times}", utc(kept.again), kept.guid, kept.event, asked(kept))?;
    }
    Ok(())
}

fn as_json(kept: &Kept) -> serde_json::Value {
    json!({
        "guid": kept.guid, "event": kept.event, "arrived": kept.arrived, "again": kept.again, "times": kept.times,
        "subjects": kept.subjects, "why_nothing": kept.why_nothing, "waiting": kept.waiting, "bytes": kept.size,
        "payload_kept": kept.has_body,
    })
}

fn show(kept: &Kept, body: Option<&[u8]>, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    let payload = body.map(serde_json::from_slice::<serde_json::Value>);
    if format == Format::Json {
        let mut shown = as_json(kept);
        shown["payload"] = payload.and_then(Result::ok).unwrap_or_default();
        writeln!(out, "{shown}")?;
        return Ok(());
    }
    writeln!(out, "delivery  {}", kept.guid)?;
    writeln!(out, "event     {}", kept.event)?;
    writeln!(out, "arrived   {}, {} time(s), last {}", utc(kept.arrived), kept.times, utc(kept.again))?;
    writeln!(out, "asked     {}", asked(kept))?;
    match payload {
        Some(Ok(json)) => {
            writeln!(out, "payload   {} bytes", kept.size)?;
            // JSON escapes most of what a terminal would take for its own language, but not DEL and C1.
            for line in format!("{json:#}").lines() {
                writeln!(out, "{}", shown(line))?;
            }
        }
        Some(Err(_)) => writeln!(out, "payload   {} bytes that are no JSON", kept.size)?,
        None => writeln!(out, "payload   {} bytes, dropped after 30 days", kept.size)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_payload_speaks_to_the_terminal() {
        let at: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let kept = Kept {
            guid: "g".to_owned(),
            event: "issues".to_owned(),
            arrived: at,
            again: at,
            times: 1,
            subjects: Vec::new(),
            why_nothing: None,
            waiting: false,
            size: 9,
            has_body: true,
        };
        let body = json!({ "title": "a\u{7f}b\u{9b}31mc\u{1b}[31md\u{85}e", "body": "two\nlines" });
        let mut out = Vec::new();
        show(&kept, Some(&serde_json::to_vec(&body).unwrap()), Format::Text, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(
            text.contains("a\u{fffd}b\u{fffd}31mc\\u001b[31md\u{fffd}e") && text.contains("two\\nlines"),
            "{text:?}"
        );
    }
}
