//! Works everything that is due, once, and says how it went: what `action`, `replay` and `sweep` share.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Exit;
use super::checklist::Format;
use crate::domain::incident::{ReportId, Subject};
use crate::domain::plan::{READ_LAG, Summary};
use crate::domain::policy::Mode;
use crate::engine::worker::Step;
use crate::engine::{Engine, LookError, Looked};
use crate::store::{Asked, Delivery, StoreError};

/// So long one run waits, in all, for reads to show what was written and for failed looks to be tried again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);

/// How a run is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The policy, instead of .github/wardroom.yml on the tracker's default branch.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Print the plan and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: exit with 3 if there is something to do.
    #[arg(long, requires = "dry_run")]
    pub check: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// No subject needs more looks in one run; a bound for what should not happen.
const MOST_LOOKS: u32 = 20;

/// What one run did.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Each report and tracking issue that was looked at.
    pub subjects: Vec<Outcome>,
    /// What a person should know about the run itself, without private text.
    pub notes: Vec<String>,
    /// What the sweep itself did, or would do.
    pub steps: Vec<String>,
    /// Whether anything was written.
    pub changed: bool,
    /// Whether something did not work.
    pub failed: bool,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// What `open` filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
}

/// What `open` filed, or would file.
#[derive(Debug, PartialEq, Serialize)]
pub struct Opened {
    /// The report; `None` as long as it is not filed.
    pub report: Option<Place>,
    /// Its tracking issue; `None` as long as there is none.
    pub incident: Option<Place>,
    /// The moment that starts the clocks.
    pub received: Timestamp,
    /// The report issue's title and body, where it is not filed.
    pub draft: Option<Draft>,
}

/// An issue as a person finds it.
#[derive(Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
}

/// An issue that would be opened.
#[derive(Debug, PartialEq, Serialize)]
pub struct Draft {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}

/// How the looks at one subject went.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// `report octo/mail#12` or `tracker #3`.
    pub subject: String,
    /// What was done, or would be done, in order.
    pub steps: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Where the incident stands, if there is one.
    pub summary: Option<Summary>,
    /// When something is due here by the passing of time alone: a run or sweep after that goes on with it.
    pub wake_at: Option<Timestamp>,
    /// Why it is not done.
    pub error: Option<String>,
}

impl Report {
    /// A run that had nothing to do, and why.
    pub fn nothing(why: String) -> Report {
        Report { notes: vec![why], ..Report::default() }
    }

    /// Whether there was anything to do.
    pub fn has_steps(&self) -> bool {
        !self.steps.is_empty() || self.subjects.iter().any(|outcome| !outcome.steps.is_empty())
    }

    /// How the process ends. `check`: a plan that is not empty is drift.
    pub fn exit(&self, check: bool) -> Exit {
        match self.failed {
            true => Exit::Failed,
            false if check && self.has_steps() => Exit::Drift,
            false => Exit::Done,
        }
    }

    /// Where the incident of this run stands, for outputs. A run about several has none: one of them would be taken for
    /// the one that matters.
    pub fn summary(&self) -> Option<&Summary> {
        let mut newest_first = self.subjects.iter().rev().filter_map(|outcome| outcome.summary.as_ref());
        let newest = newest_first.next()?;
        newest_first.all(|other| other.incident == newest.incident).then_some(newest)
    }

    /// In plain lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let verb = if self.dry_run { "would " } else { "" };
        for note in &self.notes {
            line(&mut text, &format!("note: {note}"));
        }
        for step in &self.steps {
            line(&mut text, &format!("{verb}{step}"));
        }
        for outcome in &self.subjects {
            line(&mut text, &format!("{}{}", outcome.subject, standing(outcome.summary.as_ref())));
            for step in &outcome.steps {
                line(&mut text, &format!("  {verb}{step}"));
            }
            for note in &outcome.notes {
                line(&mut text, &format!("  note: {note}"));
            }
            if let Some(error) = &outcome.error {
                line(&mut text, &format!("  failed: {error}"));
            }
            if outcome.steps.is_empty() && outcome.notes.is_empty() && outcome.error.is_none() {
                line(&mut text, "  nothing to do");
            }
            if let Some(waits) = outcome.waits() {
                line(&mut text, &format!("  {waits}"));
            }
        }
        if self.subjects.is_empty() && self.notes.is_empty() && self.steps.is_empty() {
            line(&mut text, "nothing to do");
        }
        self.opened.iter().for_each(|opened| opened.tell(&mut text));
        text
    }

    fn outcome(&mut self, subject: &Subject) -> &mut Outcome {
        let name = subject.to_string();
        let at = self.subjects.iter().position(|outcome| outcome.subject == name).unwrap_or_else(|| {
            self.subjects.push(Outcome { subject: name, ..Outcome::default() });
            self.subjects.len() - 1
        });
        &mut self.subjects[at]
    }
}

impl Opened {
    fn tell(&self, text: &mut String) {
        for (name, place) in [("report", &self.report), ("incident", &self.incident)] {
            if let Some(Place { number, url }) = place {
                line(text, &format!("{name} #{number}: {url}"));
            }
        }
        if let Some(Draft { title, body }) = &self.draft {
            line(text, &format!("  | {title}"));
            line(text, "  |");
            // A bar before each: no line of a mail is taken for a command by what reads this.
            body.lines().for_each(|words| line(text, &format!("  | {words}")));
        }
    }
}

impl Outcome {
    /// What waits for its time, if anything does.
    pub fn waits(&self) -> Option<String> {
        let at = self.wake_at?.strftime("%F %H:%M:%S UTC");
        Some(format!("more is due at {at}; the next run or sweep after that does it"))
    }
}

fn line(text: &mut String, words: &str) {
    // Names from a payload are kept on their line and out of the terminal's own language.
    let clean: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _infallible = writeln!(text, "{clean}");
}

fn standing(summary: Option<&Summary>) -> String {
    let Some(summary) = summary else { return String::new() };
    let parts = [summary.phase.as_str(), summary.severity.as_str(), summary.progress.as_str()];
    let mut said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if summary.paused {
        said.push("paused");
    }
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

/// Keeps an event and works what it asks for.
///
/// # Errors
/// Those of the store. A look that fails is part of the report.
pub async fn event(engine: &Engine, delivery: Delivery, asked: Asked) -> Result<Report, StoreError> {
    let subjects = asked.subjects.clone();
    engine.store.receive(delivery, asked).await?;
    for subject in &subjects {
        engine.store.wake(subject, engine.now()).await?;
    }
    work(engine).await
}

/// Looks at one report at once.
///
/// # Errors
/// Those of the store. A look that fails is part of the report.
pub async fn report(engine: &Engine, id: ReportId) -> Result<Report, StoreError> {
    engine.store.wake(&Subject::Report(id), engine.now()).await?;
    work(engine).await
}

/// Looks at everything. `adopt`: reports to open whatever their age.
///
/// # Errors
/// Those of the store. A sweep that fails is part of the report.
pub async fn sweep(engine: &Engine, adopt: &[ReportId]) -> Result<Report, StoreError> {
    if engine.policy.mode == Mode::Off {
        return Ok(Report { dry_run: !engine.write, ..Report::nothing("the policy says mode: off".to_owned()) });
    }
    let swept = match engine.sweep(adopt).await {
        Ok(swept) => swept,
        Err(error) => {
            let note = format!("the sweep failed: {error}. Nothing is lost; the next one starts anew");
            return Ok(Report { failed: true, dry_run: !engine.write, ..Report::nothing(note) });
        }
    };
    for subject in &swept.subjects {
        engine.store.wake(subject, engine.now()).await?;
    }
    let mut report = work(engine).await?;
    report.changed |= swept.looked.writes > 0;
    report.steps = swept.looked.steps;
    report.notes.extend(swept.looked.notes);
    Ok(report)
}

/// Why a row that is not due yet is worth a wait.
enum Open {
    /// The last look failed, and another try may work.
    Failed,
    /// The last look is not finished, or another one asked for it.
    Unfinished,
    /// The last look is done, and reads will soon show what it waits for.
    Soon,
}

/// Steps until nothing is due that a short wait could help. What is due later is the next run's.
async fn work(engine: &Engine) -> Result<Report, StoreError> {
    let mut report = Report { dry_run: !engine.write, ..Report::default() };
    let mut open: BTreeMap<Subject, Open> = BTreeMap::new();
    let mut looks: BTreeMap<Subject, u32> = BTreeMap::new();
    let mut patience = PATIENCE;
    loop {
        match engine.step().await? {
            Step::Worked(subject, ended) => {
                open.remove(&subject);
                let count = looks.entry(subject.clone()).or_default();
                *count += 1;
                let tired = *count >= MOST_LOOKS;
                if let Some((next, why)) = record(&mut report, subject, *ended, engine.now()) {
                    open.insert(next, why);
                }
                if tired {
                    break;
                }
            }
            Step::Idle(Some(due)) if !open.is_empty() => {
                let wait = due.duration_since(engine.now()).max(SignedDuration::from_millis(1));
                if wait > patience {
                    break;
                }
                patience -= wait;
                tokio::time::sleep(wait.unsigned_abs()).await;
            }
            Step::Idle(_) => break,
        }
    }
    for (subject, _) in open.iter().filter(|(_, why)| matches!(why, Open::Unfinished)) {
        let error = "not finished: GitHub does not show yet what it must show first. Nothing is lost; the next run or sweep \
                     goes on";
        report.outcome(subject).error = Some(error.to_owned());
    }
    report.failed = report.subjects.iter().any(|outcome| outcome.error.is_some());
    Ok(report)
}

/// Whether the same look may work a moment later. A wrong setting or a missing permission does not pass.
fn may_pass(error: &LookError) -> bool {
    use crate::github::Error;
    match error {
        LookError::GitHub(error) => {
            matches!(error, Error::Limited { .. } | Error::Unavailable { .. } | Error::Unknown { .. })
        }
        LookError::Store(_) | LookError::Lost => true,
        LookError::Refused(_) | LookError::Bug => false,
    }
}

/// What happened, that nothing is lost, and what comes next.
fn told(error: &LookError) -> String {
    let what = error.to_string();
    let what = what.trim_end_matches('.');
    let next = if may_pass(error) {
        "the next run or sweep tries again"
    } else {
        "put it right, and the next run or sweep goes on from here"
    };
    format!("{what}. Nothing is lost: {next}")
}

/// Puts a look into the report. Returns what is worth a wait after it.
fn record(
    report: &mut Report,
    subject: Subject,
    ended: Result<Looked, LookError>,
    now: Timestamp,
) -> Option<(Subject, Open)> {
    let looked = match ended {
        Ok(looked) => looked,
        Err(error) => {
            report.outcome(&subject).error = Some(told(&error));
            return may_pass(&error).then_some((subject, Open::Failed));
        }
    };
    report.changed |= looked.writes > 0;
    let dry_run = report.dry_run;
    let outcome = report.outcome(&subject);
    // Without writes a second look plans the same again.
    if dry_run {
        outcome.steps.clear();
    }
    outcome.steps.extend(looked.steps);
    outcome.error = None;
    outcome.wake_at = looked.wake_at;
    for note in looked.notes {
        if !outcome.notes.contains(&note) {
            outcome.notes.push(note);
        }
    }
    if looked.summary.is_some() {
        outcome.summary = looked.summary;
    }
    if let Some((next, _)) = looked.next {
        return Some((next, Open::Unfinished));
    }
    if looked.unfinished {
        return Some((subject, Open::Unfinished));
    }
    // A row that waits longer than that waits for a body to be quiet. That is left to a later run.
    let soon = looked.wake_at.is_some_and(|at| at <= now + READ_LAG);
    soon.then_some((subject, Open::Soon))
}
