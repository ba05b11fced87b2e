//! One stretch of inline text (a paragraph, the line of a list item) in its pieces, and what can be read in it: a
//! task's text, a field's name and value, a bold line.

use std::ops::Range;

use pulldown_cmark::CowStr;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words.
    Text,
    /// A code span; its range has the backticks, its text has not.
    Code,
    /// A line end.
    Break,
    /// `<!-- … -->`.
    Comment,
    /// Any other inline HTML.
    Html,
    /// The brackets and the address of a link or image: part of a value, not of a text.
    Link,
}

/// A piece of a run.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    pub(super) text: CowStr<'a>,
    pub(super) range: Range<usize>,
    pub(super) struck: bool,
    pub(super) strong: bool,
}

impl Piece<'_> {
    fn is_words(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Code)
    }

    fn is_blank(&self) -> bool {
        match self.kind {
            Kind::Text => self.text.trim().is_empty(),
            Kind::Code | Kind::Html | Kind::Link => false,
            Kind::Break | Kind::Comment => true,
        }
    }
}

/// The text of a run for people: words and code in one line, single spaces, no markup.
pub(super) fn plain(pieces: &[Piece<'_>]) -> String {
    plain_of(pieces.iter())
}

fn plain_of<'p, 't: 'p>(pieces: impl Iterator<Item = &'p Piece<'t>>) -> String {
    one_line(pieces.filter_map(|piece| match piece.kind {
        Kind::Text | Kind::Code => Some(piece.text.as_ref()),
        Kind::Break => Some(" "),
        Kind::Comment | Kind::Html | Kind::Link => None,
    }))
}

/// Joins the parts, every stretch of white space made one space, none at the ends.
pub(super) fn one_line<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    let mut line = String::new();
    let mut gap = false;
    for c in parts.flat_map(str::chars) {
        if c.is_whitespace() {
            gap = true;
        } else {
            if gap && !line.is_empty() {
                line.push(' ');
            }
            gap = false;
            line.push(c);
        }
    }
    line
}

/// `T12` if the comment is `<!-- wardroom:T12 -->`.
pub(super) fn anchor(comment: &str) -> Option<&str> {
    let word = comment.strip_prefix("<!--")?.strip_suffix("-->")?.trim().strip_prefix("wardroom:")?;
    is_anchor(word).then_some(word)
}

/// Whether a word is `T` and one to six digits.
pub(super) fn is_anchor(word: &str) -> bool {
    word.strip_prefix('T').is_some_and(|n| (1..=6).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// What a task's run says.
#[derive(Debug)]
pub(super) struct TaskText {
    /// The text without strike-through and remark.
    pub(super) text: String,
    /// Struck through, or `N/A` after it.
    pub(super) not_applicable: bool,
    /// From the first word to the last, comments before and after left out.
    pub(super) range: Range<usize>,
}

/// Reads a task's text. `None` if there are no words in it.
pub(super) fn task_text(pieces: &[Piece<'_>]) -> Option<TaskText> {
    let solid = |piece: &&Piece<'_>| !piece.is_blank();
    let first = pieces.iter().find(solid)?;
    let last = pieces.iter().rfind(solid)?;
    let range = trimmed(first).start..trimmed(last).end;
    let (text, not_applicable) = settled(pieces);
    (!text.is_empty()).then_some(TaskText { text, not_applicable, range })
}

/// The range of a piece without the white space at its ends.
fn trimmed(piece: &Piece<'_>) -> Range<usize> {
    if piece.kind != Kind::Text {
        return piece.range.clone();
    }
    let before = piece.text.len() - piece.text.trim_start().len();
    let after = piece.text.len() - piece.text.trim_end().len();
    (piece.range.start + before).min(piece.range.end)..piece.range.end.saturating_sub(after).max(piece.range.start)
}

/// The text without what settles it, and whether something does.
fn settled(pieces: &[Piece<'_>]) -> (String, bool) {
    let words = |struck: bool| plain_of(pieces.iter().filter(|p| p.kind == Kind::Break || p.struck == struck));
    let struck = words(true);
    // A struck beginning with nothing behind it but a remark: the task as a whole was struck.
    if !struck.is_empty() {
        let is_solid_words = |piece: &Piece<'_>| piece.is_words() && !piece.is_blank();
        let begins = pieces.iter().find(|p| is_solid_words(p)).is_some_and(|p| p.struck);
        let last = pieces.iter().rposition(|p| p.struck).unwrap_or(0);
        let whole = pieces.iter().take(last).all(|p| p.struck || !is_solid_words(p));
        let behind = words(false);
        if begins && whole && (behind.is_empty() || begins_remark(&behind)) {
            return (struck, true);
        }
    }
    let visible = words(false);
    // A code span that says `N/A` is a value spoken of, not a remark: it is blanked where the remark is looked for.
    let masked: Vec<String> = pieces.iter().filter(|p| !p.struck || p.kind == Kind::Break).map(masked).collect();
    match remark(&one_line(masked.iter().map(String::as_str))) {
        Some(at) => {
            let before = visible.get(..at).map(before_remark).unwrap_or_default();
            // `N/A: Check LTS` says it in front.
            let behind = || visible.get(at + 3..).map(behind_remark).unwrap_or_default();
            (if before.is_empty() { behind() } else { before }, true)
        }
        None => (visible, false),
    }
}

/// The piece's words with the same bytes at the same offsets, code made unreadable.
fn masked(piece: &Piece<'_>) -> String {
    match piece.kind {
        Kind::Text => piece.text.to_string(),
        Kind::Code => piece.text.chars().map(|c| if c.is_ascii_alphanumeric() { 'x' } else { c }).collect(),
        Kind::Break => " ".to_owned(),
        Kind::Comment | Kind::Html | Kind::Link => String::new(),
    }
}

/// Whether what stands behind a struck text is a remark, not new words that replace it.
fn begins_remark(text: &str) -> bool {
    remark(text) == Some(0) || text.starts_with(['-', '–', '—', ':', '('])
}

fn before_remark(text: &str) -> String {
    text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | ':' | '(' | '[' | ',' | ';'))
        .into()
}

fn behind_remark(text: &str) -> String {
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | ':' | ')' | ']' | ',' | ';'))
        .into()
}

/// Where `N/A` begins, said of what stands before it: as a word of its own with nothing, or a remark, behind it; and
/// not as the end of a sentence about it (`decide whether it is N/A`).
fn remark(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let found = |at: &usize| {
        let word = bytes.get(*at..*at + 3).is_some_and(|word| word.eq_ignore_ascii_case(b"n/a"));
        word && text.get(..*at).is_some_and(ends_clause) && text.get(*at + 3..).is_some_and(begins_reason)
    };
    (0..bytes.len()).find(found)
}

fn ends_clause(before: &str) -> bool {
    if before.is_empty() {
        return true;
    }
    let open = before.ends_with(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '-' | '–' | '—'));
    // Only the last word counts, and only a short one can be on the list: the look back has an end.
    let word: String = before.trim_end().chars().rev().take(4).take_while(|c| !c.is_whitespace()).collect();
    open && !["si", "era", "ot", "sa", "ro", "fi", "eb", "ton"].contains(&word.to_lowercase().as_str())
}

fn begins_reason(after: &str) -> bool {
    let next = after.trim_start();
    next.is_empty()
        || after.starts_with([':', ')', ']', '.', ',', ';', '-', '–', '—'])
        || next.starts_with(['-', '–', '—', '(', ':'])
}

/// A group's name has at most so many characters: every task of the group carries it.
const LONGEST_GROUP: usize = 200;

/// The text of the run's last line, if all of it is bold; a colon at its end left out.
pub(super) fn bold_line(pieces: &[Piece<'_>]) -> Option<String> {
    let start = pieces.iter().rposition(|piece| piece.kind == Kind::Break).map_or(0, |at| at + 1);
    let line = pieces.get(start..)?;
    let bold = line.iter().any(|piece| piece.strong && !piece.is_blank());
    let rest = line.iter().filter(|piece| !piece.strong);
    let all = rest.clone().all(|piece| match piece.kind {
        Kind::Text => piece.text.trim().trim_matches(':').is_empty(),
        Kind::Comment => true,
        _ => false,
    });
    let text = plain(line);
    let name = text.trim_end_matches(':').trim_end();
    (bold && all && !name.is_empty()).then(|| name.chars().take(LONGEST_GROUP).collect())
}

/// The beginning of a field: `**Name** (remark):`.
#[derive(Debug)]
pub(super) struct Head {
    /// The bold name, without a colon.
    pub(super) name: String,
    /// Where the name begins.
    pub(super) at: usize,
    /// The offset behind the colon.
    pub(super) colon: usize,
}

/// A note between name and colon may have so many characters; behind a longer one the colon belongs to a sentence.
const LONGEST_NOTE: usize = 60;

/// Reads a field's beginning. `body` is the text that the ranges are in.
pub(super) fn head(pieces: &[Piece<'_>], body: &str) -> Option<Head> {
    let start = pieces.iter().position(|piece| !piece.is_blank())?;
    let bold = pieces.get(start..)?;
    let length = bold.iter().position(|piece| !piece.strong).unwrap_or(bold.len());
    let (bold, rest) = bold.split_at(length);
    let at = bold.first()?.range.start;
    let text = plain(bold);
    let name = text.trim_end_matches(':').trim_end();
    if name.is_empty() {
        return None;
    }
    if name.len() < text.len() {
        // `**Name:** value`: the value begins behind the closing asterisks.
        let inside = bold.last()?.range.end;
        let behind = body.get(inside..)?;
        let marks = behind.len() - behind.trim_start_matches([' ', ':', '*', '_']).len();
        let end = rest.first().map_or(inside + marks, |piece| piece.range.start);
        return Some(Head { name: name.to_owned(), at, colon: end });
    }
    let mut note = 0;
    for piece in rest {
        if piece.kind != Kind::Text {
            break;
        }
        let raw = body.get(piece.range.clone())?;
        if let Some((before, behind)) = raw.split_once(':') {
            note += before.trim().chars().count();
            let near = note == 0 || before.trim_end().ends_with(')');
            let spaced = body.get(piece.range.start + before.len() + 1..)?.starts_with(char::is_whitespace);
            let colon = piece.range.end - behind.len();
            return (note <= LONGEST_NOTE && (near || spaced)).then(|| Head { name: name.to_owned(), at, colon });
        }
        note += raw.trim().chars().count();
    }
    None
}

/// A value, or a line of one.
#[derive(Debug, Default)]
pub(super) struct Value {
    /// Its lines, without comments.
    pub(super) text: String,
    /// Behind the last byte that belongs to it.
    pub(super) end: Option<usize>,
    /// Whether it begins with a code span.
    pub(super) ticked: bool,
}

/// What the run says from the offset on, as a value.
pub(super) fn value(pieces: &[Piece<'_>], from: usize, body: &str) -> Value {
    let mut value = Value::default();
    for piece in pieces.iter().filter(|piece| piece.range.end > from || piece.range.start >= from) {
        let cut = piece.kind == Kind::Text && piece.range.start < from;
        let text = if cut { body.get(from..piece.range.end).unwrap_or_default() } else { piece.text.as_ref() };
        match piece.kind {
            Kind::Comment => continue,
            Kind::Break => value.text.push('\n'),
            Kind::Text | Kind::Code | Kind::Html | Kind::Link => {
                if !text.trim().is_empty() {
                    value.ticked |= piece.kind == Kind::Code && value.text.trim().is_empty();
                    value.end = Some(trimmed(piece).end.max(from));
                }
                value.text.push_str(text);
            }
        }
    }
    value
}
