//! Byte-exact edits: a tick, a not-applicable remark, a field's value. An edit is a [`Splice`]; the bytes outside it
//! stay what they are.
//!
//! What is put in comes from people, so it is made one line and escaped. Escaping alone cannot promise what Markdown will
//! make of it beside the text that is there (a lone backtick before it is enough), so an edit is read back: it is given
//! out only if the body then says what it said before, but for the one change.

use std::ops::Range;

use super::run::one_line;
use super::{Checklist, Field, Marker, Splice, Task, TaskState};

/// GitHub refuses a body of more characters with 422 "body is too long (maximum is 65536 characters)".
pub const LONGEST_BODY: usize = 65_536;

/// Splices that cannot be applied. The body is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A range that does not lie in the body, or cuts a character.
    #[error("bytes {} to {} are no stretch of the body; nothing was changed, read the body again", .0.start, .0.end)]
    OutOfRange(Range<usize>),
    /// Two ranges that share bytes.
    #[error("two edits both change the bytes from {0} on; nothing was changed, apply them one after the other")]
    Overlap(usize),
    /// The body would be longer than GitHub takes.
    #[error(
        "the body would have {0} characters and GitHub takes {LONGEST_BODY}; nothing was changed, shorten it first"
    )]
    TooLong(usize),
}

/// Puts the splices into the body. Their order does not matter, except that insertions at one place keep theirs.
///
/// # Errors
/// If a range is not the body's, if two overlap, or if the result is longer than [`LONGEST_BODY`] characters.
pub fn apply(body: &str, splices: &[Splice]) -> Result<String, EditError> {
    let mut ordered: Vec<&Splice> = splices.iter().collect();
    ordered.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut edited = String::with_capacity(body.len() + ordered.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut copied = 0;
    for splice in ordered {
        let range = &splice.range;
        if body.get(range.clone()).is_none() {
            return Err(EditError::OutOfRange(range.clone()));
        }
        let kept = body.get(copied..range.start).ok_or(EditError::Overlap(range.start))?;
        edited.push_str(kept);
        edited.push_str(&splice.text);
        copied = range.end;
    }
    edited.push_str(body.get(copied..).unwrap_or_default());
    let characters = edited.chars().count();
    if !splices.is_empty() && characters > LONGEST_BODY {
        return Err(EditError::TooLong(characters));
    }
    Ok(edited)
}

impl Task {
    /// Ticks or unticks the box. `body` is the one the task was read from.
    ///
    /// `None` if the box is so already, or is not where it was.
    pub fn set_done(&self, body: &str, done: bool) -> Option<Splice> {
        let range = self.tick_at..self.tick_at + 1;
        let is_box = matches!(body.get(range.clone()), Some(" " | "\t" | "x" | "X"));
        (is_box && self.ticked != done).then(|| Splice { range, text: if done { "x" } else { " " }.to_owned() })
    }

    /// Strikes the text through and puts ` N/A: remark` behind it, before the anchor, in the same line; where the text
    /// cannot be struck (it has strikes of its own), only the remark. `body` is the one the task was read from.
    ///
    /// `None` if it is not applicable already, is not where it was, or no writing of it would change this alone.
    pub fn mark_not_applicable(&self, body: &str, remark: &str) -> Option<Splice> {
        if self.state == TaskState::NotApplicable {
            return None;
        }
        let words = body.get(self.words.clone())?;
        // An escaped backtick still closes a code span that was open.
        let remark = escape(&clean(remark).replace('`', "'"));
        let remark = if remark.is_empty() { "N/A".to_owned() } else { format!("N/A: {remark}") };
        let writings = [format!("~~{words}~~ {remark}"), format!("{words} {remark}"), format!("{words} — {remark}")];
        let change = |checklist: &mut Checklist| {
            let mut tasks = checklist.phases.iter_mut().flat_map(|phase| &mut phase.tasks);
            let task = tasks.find(|task| task.key == self.key)?;
            task.state = TaskState::NotApplicable;
            Some(())
        };
        first_that(body, &self.words, writings, change)
    }
}

impl Field {
    /// Puts a value in the place of the field's, in backticks if the one there is in backticks. The value is made one
    /// line. `body` is the one the field was read from.
    ///
    /// `None` if the field has this value already or the value is blank, if the field is not where it was, or if no
    /// writing of the value would change this alone.
    pub fn fill(&self, body: &str, value: &str) -> Option<Splice> {
        let value = clean(value);
        if value.is_empty() || value == self.value {
            return None;
        }
        // A link or an address may stay one, HTML may not.
        let has_html = value.split('<').skip(1).any(|behind| behind.starts_with(opens_html));
        let bare = (!has_html).then(|| value.clone());
        let bare = bare.into_iter().chain([escape(&value)]);
        let in_code = [code(&value)].into_iter();
        let writings: Vec<String> =
            if self.ticked { in_code.chain(bare).collect() } else { bare.chain(in_code).collect() };
        let writings = writings.into_iter().map(|writing| format!(" {writing}"));
        let change = |checklist: &mut Checklist| {
            let field = checklist.fields.iter_mut().find(|field| field.key == self.key)?;
            field.value.clone_from(&value);
            Some(())
        };
        first_that(body, &self.range, writings, change)
    }
}

/// The first writing of the range after which the body says the same but for the change.
fn first_that(
    body: &str,
    range: &Range<usize>,
    writings: impl IntoIterator<Item = String>,
    change: impl FnOnce(&mut Checklist) -> Option<()>,
) -> Option<Splice> {
    let mut wanted = Checklist::parse(body);
    change(&mut wanted)?;
    writings.into_iter().map(|text| Splice { range: range.clone(), text }).find(|splice| {
        let edited = apply(body, std::slice::from_ref(splice));
        edited.is_ok_and(|edited| says(&Checklist::parse(&edited)) == says(&wanted))
    })
}

/// All that a checklist says, its places in the body left out.
fn says(checklist: &Checklist) -> impl PartialEq + '_ {
    let tasks = |task: &'_ Task| (task.key.clone(), task.text.clone(), task.group.clone(), task.state, task.ticked);
    let phases: Vec<_> = checklist
        .phases
        .iter()
        .map(|phase| (phase.number, &phase.title, phase.tasks.iter().map(tasks).collect::<Vec<_>>()))
        .collect();
    let fields: Vec<_> = checklist.fields.iter().map(|field| (&field.key, &field.value, field.phase)).collect();
    let review = checklist.review.as_ref().map(|review| &review.texts);
    let markers: &Vec<Marker> = &checklist.markers;
    (phases, fields, checklist.empty_slots, review, markers)
}

/// The text in one line, without control characters and those that turn the direction of writing.
fn clean(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && !c.is_whitespace())
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String = text.chars().filter(|&c| !is_hidden(c)).collect();
    one_line(std::iter::once(kept.as_str()))
}

/// The line with every sign escaped that would be markup in the middle of a paragraph.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len() + 8);
    let mut before = ' ';
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_markup = match c {
            '\\' | '`' | '*' | '~' | '[' | ']' | '|' => true,
            // Elsewhere they are signs of order: `>= 0.14, < 0.15.7`.
            '<' => opens_html(next),
            '>' => before == '-',
            // Within a word it is no emphasis, and an address stays readable.
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '&' => next.is_alphanumeric() || next == '#',
            _ => false,
        };
        if is_markup {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}

/// Whether `<` before this character may be the beginning of a tag, a comment or an address.
fn opens_html(next: char) -> bool {
    next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')
}

/// The line as a code span: as many backticks as it takes.
fn code(line: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in line.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let ticks = "`".repeat(longest + 1);
    let gap = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{ticks}{gap}{line}{gap}{ticks}")
}
