//! `wardroom checklist`: what a Markdown checklist holds, for people or as JSON.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

use super::Exit;
use crate::domain::checklist::{Checklist, Field, Phase, Task, TaskState, Totals};

/// A checklist file has at most so many bytes. An issue's body has at most 65,536 characters.
const LARGEST_INPUT: u64 = 1024 * 1024;

/// Shows the phases, tasks, fields and empty slots of a Markdown checklist.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  printf '## Phase 1: Assess\\n- [x] Reproduce it\\n' | wardroom checklist -\n  \
                        wardroom checklist --format json incident.md")]
pub struct Args {
    /// The Markdown file, or - for standard input.
    pub file: PathBuf,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; the keys do not change.
    Json,
}

/// Reads the file and writes what it holds.
///
/// # Errors
/// If the file cannot be read, is too large or is not UTF-8, or if `out` takes no more.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let checklist = Checklist::parse(&read(&args.file)?);
    match args.format {
        Format::Text => write_text(&checklist, out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &Report::new(&checklist)).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Done)
}

/// Reads a checklist as text, from a file or, for `-`, from standard input.
///
/// # Errors
/// If it cannot be read, is too large or is not UTF-8.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let (name, input): (String, Box<dyn Read>) = if path == Path::new("-") {
        ("standard input".to_owned(), Box::new(io::stdin()))
    } else {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("could not open {name}"))?;
        (name, Box::new(file))
    };
    let mut bytes = Vec::new();
    input.take(LARGEST_INPUT + 1).read_to_end(&mut bytes).with_context(|| format!("could not read {name}"))?;
    if bytes.len() as u64 > LARGEST_INPUT {
        bail!("{name} has more than {LARGEST_INPUT} bytes; a checklist fits into an issue of 65,536 characters");
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!("{name} is not UTF-8 text: byte {at} (counted from 0) begins no character; save it as UTF-8")
    })
}

/// The checklist as JSON.
#[derive(Serialize)]
struct Report<'a> {
    phases: Vec<PhaseReport<'a>>,
    fields: Vec<FieldReport<'a>>,
    empty_slots: usize,
    totals: Totals,
}

#[derive(Serialize)]
struct PhaseReport<'a> {
    number: Option<u32>,
    title: &'a str,
    state: &'static str,
    tasks: Vec<TaskReport<'a>>,
}

#[derive(Serialize)]
struct TaskReport<'a> {
    anchor: Option<&'a str>,
    text: &'a str,
    group: Option<&'a str>,
    state: TaskState,
    line: usize,
}

#[derive(Serialize)]
struct FieldReport<'a> {
    phase: Option<u32>,
    name: &'a str,
    value: &'a str,
    empty: bool,
    line: usize,
}

impl<'a> Report<'a> {
    fn new(checklist: &'a Checklist) -> Self {
        Report {
            phases: checklist.phases.iter().map(PhaseReport::new).collect(),
            fields: checklist.fields.iter().map(|field| FieldReport::new(field, checklist)).collect(),
            empty_slots: checklist.empty_slots,
            totals: checklist.totals(),
        }
    }
}

impl<'a> PhaseReport<'a> {
    fn new(phase: &'a Phase) -> Self {
        PhaseReport {
            number: phase.number,
            title: &phase.title,
            state: if phase.is_settled() { "done" } else { "open" },
            tasks: phase.tasks.iter().map(TaskReport::new).collect(),
        }
    }
}

impl<'a> TaskReport<'a> {
    fn new(task: &'a Task) -> Self {
        TaskReport {
            anchor: task.anchor.as_deref(),
            text: &task.text,
            group: task.group.as_deref(),
            state: task.state,
            line: task.line,
        }
    }
}

impl<'a> FieldReport<'a> {
    fn new(field: &'a Field, checklist: &Checklist) -> Self {
        FieldReport {
            phase: field.phase.and_then(|phase| checklist.phases.get(phase)).and_then(|phase| phase.number),
            name: &field.name,
            value: &field.value,
            empty: field.empty,
            line: field.line,
        }
    }
}

fn write_text(checklist: &Checklist, out: &mut dyn Write) -> io::Result<()> {
    let mut fields: HashMap<Option<usize>, Vec<&Field>> = HashMap::new();
    for field in &checklist.fields {
        fields.entry(field.phase).or_default().push(field);
    }
    for (index, phase) in checklist.phases.iter().enumerate() {
        writeln!(out, "{} ({})", shown(&title(phase)), progress(phase))?;
        let mut group = None;
        for task in &phase.tasks {
            if group != task.group.as_ref() {
                group = task.group.as_ref();
                writeln!(out, "  {}", shown(group.map_or("In no group", String::as_str)))?;
            }
            let sign = match task.state {
                TaskState::Open => "[ ]",
                TaskState::Done => "[x]",
                TaskState::NotApplicable => "N/A",
            };
            let anchor = task.anchor.as_ref().map(|anchor| format!(" ({anchor})")).unwrap_or_default();
            let indent = if group.is_some() { "    " } else { "  " };
            writeln!(out, "{indent}{sign} {}{anchor}", shown(&task.text))?;
        }
        write_fields(fields.get(&Some(index)), out)?;
        writeln!(out)?;
    }
    if let Some(fields) = fields.get(&None) {
        writeln!(out, "Outside the phases")?;
        write_fields(Some(fields), out)?;
        writeln!(out)?;
    }
    let totals = checklist.totals();
    let filled = checklist.fields.iter().filter(|field| !field.empty).count();
    writeln!(out, "Tasks: {} of {} done, {} not applicable", totals.done, totals.tasks, totals.not_applicable)?;
    writeln!(out, "Fields: {filled} of {} filled", checklist.fields.len())?;
    writeln!(out, "Empty slots: {}", checklist.empty_slots)
}

/// The phase as its heading has it.
pub(super) fn title(phase: &Phase) -> String {
    match (phase.number, phase.title.as_str()) {
        (Some(number), "") => format!("Phase {number}"),
        (Some(number), title) => format!("Phase {number}: {title}"),
        (None, "") => "Under no heading".to_owned(),
        (None, title) => title.to_owned(),
    }
}

fn progress(phase: &Phase) -> String {
    let done = format!("{} of {} done", phase.done(), phase.tasks.len());
    match phase.not_applicable() {
        0 => done,
        settled => format!("{done}, {settled} not applicable"),
    }
}

fn write_fields(fields: Option<&Vec<&Field>>, out: &mut dyn Write) -> io::Result<()> {
    for field in fields.into_iter().flatten() {
        let value = if field.empty { "(empty)".to_owned() } else { field.value.replace('\n', ", ") };
        writeln!(out, "  {}: {}", shown(&field.name), shown(&value))?;
    }
    Ok(())
}

/// The text without control characters: a terminal would obey them.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
