//! Untrusted text stays text.
//!
//! A reporter's words, a title, a login or a value that a person typed can hold anything: fences, boxes, mentions, HTML,
//! forged markers, characters that nobody sees. Here they become Markdown that shows them and does nothing else.
//! [`fence`] shows a whole text as one block with its bytes intact; [`code_span`], [`plain`] and [`login`] show a short
//! one within a line. All of it is Markdown: none of it belongs inside a tag of an HTML block such as `<summary>`, where
//! Markdown is not read.

mod inline;
mod invisible;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub use inline::{code_span, login, one_line, plain, table_cell};
pub use invisible::Hidden;

/// At most so many bytes of a report are copied into the tracking issue. An issue's body ends at 65,536 characters, and
/// the checklist needs its share.
pub const MAX_REPORT_BYTES: usize = 16 * 1024;

/// GitHub's Markdown library keeps a fence's length in one byte: a longer fence counts as this long, so a line of this
/// many marks would close it.
const LONGEST_FENCE: usize = 255;

/// [`Fenced::notes`] lists at most so many invisible characters one by one.
const LISTED: usize = 12;

/// A text as one fenced code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenced {
    /// The block, from its opening fence to the line end after its closing one. It must begin at the start of a line,
    /// after an empty line, and outside any list or quote.
    pub block: String,
    /// How many bytes of the text the block shows.
    pub shown_bytes: usize,
    /// How many bytes the text has.
    pub total_bytes: usize,
    /// Whether the end of the text is missing.
    pub cut: bool,
    /// Invisible characters in what is shown, in the order of their code points.
    pub hidden: Vec<Hidden>,
}

impl Fenced {
    /// What a reader must know beneath the block, as Markdown paragraphs: that the end is missing, and which invisible
    /// characters are there. Empty when there is nothing to say. `whole`: where all of the text is.
    pub fn notes(&self, whole: &str) -> String {
        let mut notes = String::new();
        if self.cut {
            let _ = writeln!(
                notes,
                "The text is cut here: {} of its {} bytes are shown. {whole} has all of it.",
                self.shown_bytes, self.total_bytes
            );
        }
        if !self.hidden.is_empty() {
            if self.cut {
                notes.push('\n');
            }
            notes.push_str("The text holds characters that cannot be seen and may mislead:\n\n");
            for hidden in self.hidden.iter().take(LISTED) {
                let times = if hidden.count == 1 { "once".to_owned() } else { format!("{} times", hidden.count) };
                let _ = writeln!(notes, "- U+{:04X} {}, {times}", u32::from(hidden.code), hidden.name);
            }
            let rest = self.hidden.get(LISTED..).unwrap_or_default();
            if !rest.is_empty() {
                let count: usize = rest.iter().map(|hidden| hidden.count).sum();
                let _ = writeln!(notes, "- {} other code points, {count} characters in all", rest.len());
            }
        }
        notes
    }
}

/// Shows a text as one fenced code block of at most `max_bytes` bytes between its fences.
///
/// The bytes stay as they are, with two exceptions. NUL becomes U+FFFD, as CommonMark demands; it is listed. A text that
/// does not end its last line gets a line feed before the closing fence. The fence is longer than any run of its own
/// mark in the text. A text with 255 or more backticks and as many tildes in a row has no such fence on GitHub: it is
/// cut within the run that would leave no mark to choose.
pub fn fence(text: &str, max_bytes: usize) -> Fenced {
    let mut shown = String::with_capacity(text.len().min(max_bytes) + 1);
    let mut backticks = Run::new('`');
    let mut tildes = Run::new('~');
    let mut shown_bytes = 0;
    for (at, c) in text.char_indices() {
        let visible = if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
        let (next_backticks, next_tildes) = (backticks.see(c), tildes.see(c));
        let fence_exists = next_backticks.longest.min(next_tildes.longest) < LONGEST_FENCE;
        if shown.len() + visible.len_utf8() > max_bytes || !fence_exists {
            break;
        }
        (backticks, tildes) = (next_backticks, next_tildes);
        shown.push(visible);
        shown_bytes = at + c.len_utf8();
    }
    let Run { mark, longest, .. } = if backticks.longest <= tildes.longest { backticks } else { tildes };
    let line: String = std::iter::repeat_n(mark, longest.max(2) + 1).collect();
    let end = if shown.is_empty() || shown.ends_with('\n') { "" } else { "\n" };
    Fenced {
        block: format!("{line}text\n{shown}{end}{line}\n"),
        shown_bytes,
        total_bytes: text.len(),
        cut: shown_bytes < text.len(),
        hidden: invisible::list(text.get(..shown_bytes).unwrap_or(text)),
    }
}

/// The longest run of one mark, as the characters go by.
#[derive(Clone, Copy)]
struct Run {
    mark: char,
    current: usize,
    longest: usize,
}

impl Run {
    fn new(mark: char) -> Self {
        Run { mark, current: 0, longest: 0 }
    }

    fn see(self, c: char) -> Self {
        let current = if c == self.mark { self.current + 1 } else { 0 };
        Run { mark: self.mark, current, longest: self.longest.max(current) }
    }
}
