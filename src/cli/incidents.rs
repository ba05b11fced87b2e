//! `wardroom incidents`: where the incidents of a `wardroom serve` stand.

use std::io::Write;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::checklist::Format;
use super::inbox::utc;
use super::{Exit, Usage};
use crate::domain::incident::Subject;
use crate::store::Row;
use crate::store::sqlite::Location;
use crate::store::sqlite::operator::Operator;

/// Shows the incidents, as the last look at each saw it.
///
/// It reads the database of a `wardroom serve`, which may run meanwhile: number, phase, severity, progress, when the issue
/// last changed, when it is looked at next, and the last error. A report without a tracking issue is shown if something is
/// due or wrong there. Reports and tracking issues are named, their titles and texts are not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wardroom incidents --database sqlite:/var/lib/wardroom/wardroom.db")]
pub struct Args {
    /// The database of `wardroom serve`.
    #[arg(long, value_name = "sqlite:PATH", default_value = "sqlite:wardroom.db")]
    pub database: Location,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// A look's summary as it is kept. Whatever a newer or older version left out is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Standing {
    phase: String,
    severity: String,
    progress: String,
    paused: bool,
    updated_at: Option<Timestamp>,
}

/// Shows them.
///
/// # Errors
/// If there is no such database, or `out` takes no more.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let operator = Operator::read(&args.database.0).map_err(|error| Usage(error.to_string()))?;
    let rows = operator.rows()?;
    match args.format {
        Format::Json => {
            rows.iter().filter(|row| is_shown(row)).try_for_each(|row| writeln!(out, "{}", as_json(row)))?
        }
        Format::Text => write!(out, "{}", table(&rows, Timestamp::now()))?,
    }
    Ok(Exit::Done)
}

fn is_shown(row: &Row) -> bool {
    let tracker =
        matches!(row.subject, Subject::Tracker(_)) && (row.told.standing.is_some() || row.told.error.is_some());
    tracker || row.due.is_some() || row.told.error.is_some()
}

fn standing(row: &Row) -> Standing {
    row.told.standing.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn as_json(row: &Row) -> Value {
    let Standing { phase, severity, progress, paused, updated_at } = standing(row);
    json!({
        "subject": row.subject.to_string(), "phase": phase, "severity": severity, "progress": progress, "paused": paused,
        "updated_at": updated_at, "next": row.due, "failures": row.attempts, "error": row.told.error,
    })
}

/// How long ago, in one unit.
fn age(since: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(since).max(SignedDuration::ZERO).as_hours();
    match hours {
        0 => "under 1 h".to_owned(),
        1..48 => format!("{hours} h"),
        _ => format!("{} d", hours / 24),
    }
}

fn table(rows: &[Row], now: Timestamp) -> String {
    let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let mut lines = vec![
        ["NUMBER", "PHASE", "SEVERITY", "PROGRESS", "UNCHANGED FOR", "NEXT LOOK", "LAST ERROR"].map(str::to_owned),
    ];
    for row in rows.iter().filter(|row| is_shown(row)) {
        let Standing { phase, severity, progress, paused, updated_at } = standing(row);
        let number = match &row.subject {
            Subject::Tracker(number) => format!("#{number}"),
            Subject::Report(report) => format!("report {report}"),
        };
        let failures = if row.attempts > 1 { format!(" ({} times in a row)", row.attempts) } else { String::new() };
        lines.push([
            number,
            dash(if paused { format!("{phase} (paused)") } else { phase }),
            dash(severity),
            dash(progress),
            updated_at.map_or_else(|| "-".to_owned(), |at| age(at, now)),
            row.due.map_or_else(|| "at the next event".to_owned(), utc),
            dash(row.told.error.as_ref().map(|error| format!("{error}{failures}")).unwrap_or_default()),
        ]);
    }
    if lines.len() == 1 {
        return "no incidents yet\n".to_owned();
    }
    let widths: Vec<usize> =
        (0..7).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Told;

    #[test]
    fn the_table_shows_what_waits_and_what_is_wrong() {
        let now: Timestamp = "2026-03-05T09:00:00Z".parse().unwrap();
        let row = |subject: &str, standing: Option<&str>, error: Option<&str>, due: Option<Timestamp>| Row {
            subject: subject.parse().unwrap(),
            due,
            attempts: if error.is_some() { 3 } else { 0 },
            told: Told { standing: standing.map(str::to_owned), error: error.map(str::to_owned) },
        };
        let stands = r#"{"incident":7,"phase":"phase/2-mitigation","severity":"high","progress":"12 of 38 tasks settled",
            "paused":false,"updated_at":"2026-03-02T08:00:00Z"}"#;
        let rows = [
            row("report octo/mail#3", None, None, None),
            row("report octo/mail#4", None, None, Some(now)),
            row("tracker #7", Some(stands), None, Some(now)),
            row("tracker #8", None, Some("GitHub's rate limit: no call before 10:00"), None),
        ];
        let text = table(&rows, now);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[1].starts_with("report octo/mail#4  -"), "{text}");
        for part in ["#7 ", "phase/2-mitigation", "high", "12 of 38", "3 d", "2026-03-05 09:00:00 UTC"] {
            assert!(lines[2].contains(part), "{part}: {text}");
        }
        assert!(lines[3].ends_with("no call before 10:00 (3 times in a row)"), "{text}");
        assert!(lines[3].contains("at the next event"), "{text}");
        assert_eq!(table(&[], now), "no incidents yet\n");
    }
}
