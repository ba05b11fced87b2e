//! A response checklist as people write it: phases, groups, tasks, fields, empty slots; and byte-exact edits of it.
//!
//! A task is a list item that begins with a box and has words: `- [ ] Reproduce it`, with any bullet or number, nested
//! or not. A field is a list item that begins with a bold name and a colon: `- **CVSS Score**: 9.8`. Nothing is read in
//! quotes, fences, comments and raw HTML: there a report's text may stand. Reading costs time in proportion to the
//! body's length, whatever the body is, and never fails.

mod edit;
mod find;
mod guard;
mod outline;
mod placeholder;
mod run;
mod scan;
pub mod template;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::Serialize;

pub use edit::{EditError, LONGEST_BODY, apply};
pub use find::TaskLookup;

use outline::Outline;
use scan::{Found, RawField, TaskBox};

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checklist {
    /// Phases in the order of the document.
    pub phases: Vec<Phase>,
    /// Fields in the order of the document.
    pub fields: Vec<Field>,
    /// Boxes without text: slots to be filled, never tasks.
    pub empty_slots: usize,
    /// The review after the phases, if there is one.
    pub review: Option<Review>,
    /// `<!-- wardroom:KIND CONTENT -->` comments outside fences, quotes and code, anchors of tasks left out.
    pub markers: Vec<Marker>,
}

/// A phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The number in its heading, if it has one.
    pub number: Option<u32>,
    /// The title after the number; empty for tasks that stand under no heading.
    pub title: String,
    /// The heading's line, from 1.
    pub line: usize,
    /// Its tasks.
    pub tasks: Vec<Task>,
}

/// A box with text.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// `T12` of `<!-- wardroom:T12 -->`.
    pub anchor: Option<String>,
    /// The text in one line, without anchor, strike-through and not-applicable remark.
    pub text: String,
    /// The bold line above it.
    pub group: Option<String>,
    /// Open, done or not applicable.
    pub state: TaskState,
    /// Its line, from 1.
    pub line: usize,
    key: String,
    ticked: bool,
    /// The offset of the character between the brackets.
    tick_at: usize,
    /// From the first word to the last.
    words: Range<usize>,
}

/// A task's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Not ticked.
    Open,
    /// Ticked.
    Done,
    /// Struck through or marked `N/A`: settled, not done.
    NotApplicable,
}

/// `- **Name**: value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The index in [`Checklist::phases`] of the phase it stands in.
    pub phase: Option<usize>,
    /// The bold name.
    pub name: String,
    /// The value without surrounding white space and backticks; its lines, if it has several, joined by `\n`.
    pub value: String,
    /// Whether the value is none or a placeholder.
    pub empty: bool,
    /// Its line, from 1.
    pub line: usize,
    key: String,
    /// From behind the colon to the end of the value.
    range: Range<usize>,
    /// Whether the value stands in backticks.
    ticked: bool,
}

/// The review section.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The heading's line, from 1.
    pub line: usize,
    /// Whether a person has written anything under its headings.
    pub written: bool,
    /// What stands under its headings, stretch by stretch.
    texts: Vec<String>,
}

/// A hidden marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The word after `wardroom:`.
    pub kind: String,
    /// The rest, trimmed.
    pub content: String,
}

/// Bytes to put in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// The bytes of the body that are replaced.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}

/// How many tasks there are, and how many of them are settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All tasks.
    pub tasks: usize,
    /// Those that are done, not-applicable ones not counted.
    pub done: usize,
    /// Those that do not apply.
    pub not_applicable: usize,
}

impl Checklist {
    /// Reads a body. A field counts as empty if its value is the default template's or a placeholder.
    pub fn parse(body: &str) -> Checklist {
        let mark = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let text = guard::tame(body.get(mark..).unwrap_or_default());
        let found = scan::scan(&text);
        Assembly::new(&text, mark).checklist(found)
    }

    /// Reads a body that was made from a template. A field also counts as empty if its value is the one it has in
    /// `template`, and the review as unwritten if it says only what the template says.
    pub fn parse_against(body: &str, template: &Checklist) -> Checklist {
        let mut checklist = Checklist::parse(body);
        let mut originals: HashMap<String, Vec<&str>> = HashMap::new();
        for field in &template.fields {
            originals.entry(field.name.to_lowercase()).or_default().push(&field.value);
        }
        for field in &mut checklist.fields {
            let Some(originals) = originals.get(&field.name.to_lowercase()) else { continue };
            if originals.iter().any(|original| placeholder::is_templates(&field.value, original)) {
                field.empty = true;
            } else if originals.iter().any(|original| placeholder::is_part_of(&field.value, original)) {
                field.empty = false;
            }
        }
        if let (Some(review), Some(original)) = (&mut checklist.review, &template.review) {
            let original: HashSet<&String> = original.texts.iter().collect();
            review.written = review.texts.iter().any(|text| !original.contains(text));
        }
        checklist
    }

    /// All tasks, phase by phase.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.phases.iter().flat_map(|phase| &phase.tasks)
    }

    /// How many tasks there are, done and not applicable.
    pub fn totals(&self) -> Totals {
        self.phases.iter().fold(Totals::default(), |sum, phase| Totals {
            tasks: sum.tasks + phase.tasks.len(),
            done: sum.done + phase.done(),
            not_applicable: sum.not_applicable + phase.not_applicable(),
        })
    }
}

impl Phase {
    /// How many of its tasks are done.
    pub fn done(&self) -> usize {
        self.count(TaskState::Done)
    }

    /// How many of its tasks do not apply.
    pub fn not_applicable(&self) -> usize {
        self.count(TaskState::NotApplicable)
    }

    /// How many of its tasks are open.
    pub fn open(&self) -> usize {
        self.count(TaskState::Open)
    }

    /// Whether no task is open. A phase without tasks is settled.
    pub fn is_settled(&self) -> bool {
        self.open() == 0
    }

    fn count(&self, state: TaskState) -> usize {
        self.tasks.iter().filter(|task| task.state == state).count()
    }
}

impl Task {
    /// What names the task within its checklist, the same after ticks, remarks and moves: the anchor, else phase and
    /// text. Of several alike, each after the first gets its number. At most some 250 characters.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Field {
    /// What names the field within its checklist: phase and name. Of several alike, each after the first gets its
    /// number. At most some 250 characters.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Some editors put it before a text; it is no part of the first heading.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A phase's or a text's part of a key has at most so many characters: every task of a phase carries its title.
const LONGEST_KEY_PART: usize = 120;

/// Puts a checklist together from what was found.
struct Assembly<'a> {
    text: &'a str,
    /// The length of the byte-order mark before the text.
    mark: usize,
    /// The offset of each line's beginning.
    lines: Vec<usize>,
    keys: HashMap<String, usize>,
}

impl<'a> Assembly<'a> {
    fn new(text: &'a str, mark: usize) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Assembly { text, mark, lines, keys: HashMap::new() }
    }

    fn checklist(mut self, found: Found) -> Checklist {
        let outline = Outline::new(&found);
        let empty_slots = found.boxes.iter().filter(|one| one.text.is_none()).count();
        let review = self.review(&found, &outline);
        let (mut phases, index) = self.phases(&found, &outline);
        for one in found.boxes {
            let home = outline.home(one.heading);
            if outline.is_review(one.heading) {
                continue;
            }
            if let Some(phase) = index.get(&home).and_then(|&phase| phases.get_mut(phase)) {
                let of_phase = phase_key(phase);
                phase.tasks.extend(self.task(one, &of_phase));
            }
        }
        let fields = found
            .fields
            .into_iter()
            .filter(|field| !outline.is_review(field.heading) && !outline.is_contacts(field.heading));
        let mut all = Vec::new();
        for field in fields {
            let phase = index.get(&outline.home(field.heading)).copied();
            let of_phase = phase.and_then(|phase| phases.get(phase)).map(phase_key).unwrap_or_default();
            all.push(self.field(field, phase, &of_phase));
        }
        Checklist { phases, fields: all, empty_slots, review, markers: found.markers }
    }

    /// The phases without their tasks, and for each heading that opens one its index.
    fn phases(&self, found: &Found, outline: &Outline) -> (Vec<Phase>, HashMap<Option<usize>, usize>) {
        let with_tasks: HashSet<Option<usize>> = found
            .boxes
            .iter()
            .filter(|one| one.text.is_some() && !outline.is_review(one.heading))
            .map(|one| outline.home(one.heading))
            .collect();
        let (mut phases, mut index) = (Vec::new(), HashMap::new());
        if with_tasks.contains(&None) {
            index.insert(None, phases.len());
            phases.push(Phase { number: None, title: String::new(), line: 1, tasks: Vec::new() });
        }
        for (heading, found) in found.headings.iter().enumerate() {
            let (number, title) = match outline.number(heading) {
                Some((number, title)) => (Some(*number), title.clone()),
                None if with_tasks.contains(&Some(heading)) => (None, found.text.clone()),
                None => continue,
            };
            index.insert(Some(heading), phases.len());
            phases.push(Phase { number, title, line: self.line(found.at), tasks: Vec::new() });
        }
        (phases, index)
    }

    fn review(&self, found: &Found, outline: &Outline) -> Option<Review> {
        let first = (0..found.headings.len()).find(|&heading| outline.is_review(Some(heading)))?;
        let texts = found.texts.iter().filter(|(heading, _)| outline.is_review(*heading));
        let texts: Vec<String> = texts.map(|(_, text)| text.clone()).collect();
        let written = texts.iter().any(|text| !placeholder::is_placeholder(text));
        Some(Review { line: self.line(found.headings.get(first)?.at), written, texts })
    }

    fn task(&mut self, found: TaskBox, phase: &str) -> Option<Task> {
        let text = found.text?;
        let state = match (text.not_applicable, found.ticked) {
            (true, _) => TaskState::NotApplicable,
            (false, true) => TaskState::Done,
            (false, false) => TaskState::Open,
        };
        let base = found.anchor.clone().unwrap_or_else(|| format!("{phase}  {}", key_part(&text.text)));
        Some(Task {
            anchor: found.anchor,
            group: found.group,
            state,
            line: self.line(found.at),
            key: self.key(base),
            ticked: found.ticked,
            tick_at: found.at + self.mark,
            words: self.range(&text.range),
            text: text.text,
        })
    }

    fn field(&mut self, found: RawField, phase: Option<usize>, of_phase: &str) -> Field {
        let lines: Vec<&str> = found.value.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let value = lines.join("\n");
        Field {
            phase,
            empty: placeholder::is_placeholder(&value),
            value,
            line: self.line(found.at),
            key: self.key(format!("field  {of_phase}  {}", key_part(&found.name.to_lowercase()))),
            name: found.name,
            range: self.range(&found.range),
            ticked: found.ticked,
        }
    }

    /// Makes a key unique. Two spaces stand between its parts, which have only single ones.
    fn key(&mut self, base: String) -> String {
        let count = self.keys.entry(base.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { base } else { format!("{base}  {count}") }
    }

    /// The line of an offset, from 1.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&start| start <= at)
    }

    /// A range of the text as a range of the body: without the line end that was added to the text.
    fn range(&self, range: &Range<usize>) -> Range<usize> {
        let end = range.end.min(self.text.len());
        range.start.min(end) + self.mark..end + self.mark
    }
}

fn phase_key(phase: &Phase) -> String {
    match phase.number {
        Some(number) => format!("phase {number}"),
        None => format!("section {}", key_part(&phase.title)),
    }
}

fn key_part(text: &str) -> String {
    let part: String = text.chars().take(LONGEST_KEY_PART).collect();
    part.trim_end().to_owned()
}
