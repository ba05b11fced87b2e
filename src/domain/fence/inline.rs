//! Short untrusted texts within a line of ours.

use super::invisible;

/// Longest run of backticks that a code span keeps. Renderers give up on very long ones and would show the text bare.
const LONGEST_TICKS: usize = 8;

/// Longest login that is shown; GitHub's end at 39 characters, with `[bot]` or an enterprise's suffix a little more.
const MAX_LOGIN_CHARS: usize = 64;

/// Breaks what GitHub would make into a mention or a link. It takes no width and is not part of any login or address.
const BREAK: char = '\u{200B}';

/// A code span: for a title, a field's value or a word that a person typed. At most `max_chars` characters of the text,
/// an ellipsis where the rest is missing. One line; nothing in it mentions, links, formats or ends the span.
///
/// Invisible characters are written out (`<U+202E>`), white space becomes single spaces, and a run of more than eight
/// backticks is shown as eight. Not for a table's cell as it is: see [`table_cell`].
pub fn code_span(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    let mut ticks = 0;
    let mut longest = 0;
    for c in one_line(text, max_chars).chars() {
        ticks = if c == '`' { ticks + 1 } else { 0 };
        if ticks <= LONGEST_TICKS {
            longest = longest.max(ticks);
            shown.push(c);
        }
    }
    // No hidden marker of ours may appear in what a person wrote, not even for a reader that looks at the bare text.
    let shown = shown.replace("<!--", &format!("<!{BREAK}--"));
    let fence = "`".repeat(longest + 1);
    // The renderer strips one space from each side if there is one on both, so a backtick at the edge costs nothing.
    let pad = if shown.is_empty() || shown.starts_with('`') || shown.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// A login as code: shown, but nobody is notified.
pub fn login(login: &str) -> String {
    code_span(login, MAX_LOGIN_CHARS)
}

/// A name within prose: reads as written, formats nothing, and notifies nobody. Markdown's marks are escaped; mentions,
/// references (`#12`, `GH-12`), addresses and emoji codes are broken by a zero-width space; white space becomes single
/// spaces; invisible characters are written out (`<U+202E>`).
pub fn plain(text: &str) -> String {
    let line = one_line(text, usize::MAX);
    let chars: Vec<char> = line.chars().collect();
    let mut shown = String::with_capacity(line.len() + 8);
    for (at, &c) in chars.iter().enumerate() {
        let rest = chars.get(at + 1..).unwrap_or_default();
        let before = chars.get(..at).unwrap_or_default();
        if needs_escape(before, c) || marks_a_block(before, c, rest) {
            shown.push('\\');
        }
        shown.push(c);
        if starts_a_reference(before, c, rest) {
            shown.push(BREAK);
        }
    }
    shown
}

/// Makes the Markdown of [`code_span`] or [`plain`] fit for a cell of a table, where a bare `|` would end the cell and
/// with it the span.
pub fn table_cell(markdown: &str) -> String {
    let mut cell = String::with_capacity(markdown.len());
    let mut backslashes = 0;
    for c in markdown.chars() {
        // Two backslashes are one written out: only an odd number of them holds the bar.
        if c == '|' && backslashes % 2 == 0 {
            cell.push('\\');
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        cell.push(c);
    }
    cell
}

/// The text in one line: white space as single spaces, none at the ends, invisible characters written out. At most
/// `max_chars` characters of the text, an ellipsis where the rest is missing. No Markdown: for a title.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        let gap = if line.is_empty() { "" } else { " " };
        for c in gap.chars().chain(word.chars()) {
            if chars == max_chars {
                line.push('…');
                return line;
            }
            chars += 1;
            match invisible::name(c) {
                Some(_) => line.push_str(&format!("<U+{:04X}>", u32::from(c))),
                None => line.push(c),
            }
        }
    }
    line
}

/// White space that people mean as such; the separators and controls that only look like nothing are written out.
fn is_space(c: char) -> bool {
    c.is_whitespace() && (matches!(c, '\t' | '\n' | '\r') || invisible::name(c).is_none())
}

/// Marks that Markdown reads anywhere in a line. `!` only where it would make `<!--`, so that no marker of ours appears
/// even to a reader of the bare text.
fn needs_escape(before: &[char], c: char) -> bool {
    matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '&' | '|' | '$')
        || c == '!' && before.last() == Some(&'<')
}

/// Marks that open a block when they stand first in a line: a heading, a list, a rule, an underline.
fn marks_a_block(before: &[char], c: char, rest: &[char]) -> bool {
    match c {
        '#' | '-' | '+' | '=' => before.is_empty(),
        '.' | ')' => {
            !before.is_empty()
                && before.iter().all(char::is_ascii_digit)
                && rest.first().is_none_or(|&next| next == ' ')
        }
        _ => false,
    }
}

/// Whether GitHub would begin a mention, a reference, an address or an emoji code with this character.
fn starts_a_reference(before: &[char], c: char, rest: &[char]) -> bool {
    // What comes after the text is not known here: at its end, expect the worst.
    let next = rest.first().copied().unwrap_or('0');
    match c {
        '@' | '#' => next != ' ',
        ':' => next == '/' || is_emoji_code(rest),
        '-' => next.is_ascii_digit() && ends_with(before, "gh"),
        'w' | 'W' => next == '.' && ends_with(before, "ww"),
        _ => false,
    }
}

/// `:name:`, seen from after its first colon.
fn is_emoji_code(rest: &[char]) -> bool {
    let name = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')).count();
    name > 0 && rest.get(name) == Some(&':')
}

/// Whether the characters end with `word`, without regard to ASCII case.
fn ends_with(chars: &[char], word: &str) -> bool {
    chars.len() >= word.len()
        && chars.iter().rev().zip(word.chars().rev()).all(|(have, want)| have.eq_ignore_ascii_case(&want))
}
