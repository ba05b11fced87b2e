//! Keeps a hostile body from costing more than a body of its size should, and from being read in two ways.
//!
//! The Markdown reader spends, for each line, a little time on each container (quote or list item) that is open. One
//! line of sixteen thousand markers followed by sixteen thousand short lines would cost half a second. So a line opens
//! or continues at most [`DEEPEST`] containers; a marker past that is read as text. Nobody writes so deep, and GitHub's
//! own rendering of it is unreadable.

use std::borrow::Cow;

/// The containers that one line may stand in, indentation counted as one for each two columns.
const DEEPEST: usize = 32;

/// A tab reaches to the next multiple of so many columns (CommonMark 0.31, section 2.2).
const TAB: usize = 4;

/// The body as the Markdown reader gets it. At every offset it has the same byte, with two exceptions: the first marker
/// that is too deep on its line is an `x`, and a carriage return alone is a line feed, since the reader does not always
/// see that it ends a line (CommonMark 0.31, section 2.1). After a last line without an end one is added: the reader
/// wants it after a box without text.
pub(super) fn tame(body: &str) -> Cow<'_, str> {
    let bytes = body.as_bytes();
    let mut changes = Vec::new();
    let mut start = 0;
    for line in bytes.split_inclusive(|&b| b == b'\n' || b == b'\r') {
        changes.extend(too_deep(line).map(|at| (start + at, 'x')));
        start += line.len();
        if line.ends_with(b"\r") && bytes.get(start) != Some(&b'\n') {
            changes.push((start - 1, '\n'));
        }
    }
    let ended = matches!(bytes.last(), None | Some(b'\n' | b'\r'));
    if changes.is_empty() && ended {
        return Cow::Borrowed(body);
    }
    let mut tamed = String::with_capacity(body.len() + 1);
    let mut copied = 0;
    for (at, sign) in changes {
        // What is replaced is ASCII, so both sides of it are character boundaries.
        tamed.push_str(body.get(copied..at).unwrap_or_default());
        tamed.push(sign);
        copied = at + 1;
    }
    tamed.push_str(body.get(copied..).unwrap_or_default());
    if !ended {
        tamed.push('\n');
    }
    Cow::Owned(tamed)
}

/// The offset of the first marker on the line that stands too deep.
fn too_deep(line: &[u8]) -> Option<usize> {
    let rule = rule_at_end(line);
    let (mut depth, mut at, mut column) = (0, 0, 0);
    loop {
        let from = column;
        while let Some(byte @ (b' ' | b'\t')) = line.get(at) {
            column = if *byte == b'\t' { (column / TAB + 1) * TAB } else { column + 1 };
            at += 1;
        }
        depth += (column - from) / 2;
        if at >= rule {
            return None;
        }
        let marker = marker(line.get(at..)?)?;
        depth += 1;
        if depth > DEEPEST {
            return Some(at + marker - 1);
        }
        at += marker;
        column += marker;
    }
}

/// The length of the container marker that the text begins with. Its last byte is what makes it one.
fn marker(text: &[u8]) -> Option<usize> {
    let spaced = |after: usize| matches!(text.get(after), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
    match text.first()? {
        b'>' => Some(1),
        b'-' | b'+' | b'*' => spaced(1).then_some(1),
        b'0'..=b'9' => {
            let digits = text.iter().take_while(|b| b.is_ascii_digit()).take(10).count();
            let closed = matches!(text.get(digits), Some(b'.' | b')'));
            (digits <= 9 && closed && spaced(digits + 1)).then_some(digits + 1)
        }
        _ => None,
    }
}

/// Where the line's last stretch of only one of `-`, `*` and white space begins: from there on it is a rule
/// (`- - - -`), not a nest of lists. Past the line's end if that stretch has fewer than three of them.
fn rule_at_end(line: &[u8]) -> usize {
    let mut sign = None;
    let (mut start, mut signs) = (line.len(), 0);
    for (at, byte) in line.iter().enumerate().rev() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'-' | b'*' if sign.is_none_or(|sign| sign == byte) => {
                sign = Some(byte);
                signs += 1;
                start = at;
            }
            _ => break,
        }
    }
    if signs >= 3 { start } else { line.len() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_body_is_not_copied() {
        let body = "## Phase 1: a\n\n- [ ] one\n  - [ ] two\n\n> quote\n";
        assert!(matches!(tame(body), Cow::Borrowed(same) if same == body));
    }

    #[test]
    fn every_line_has_an_end_that_the_reader_knows() {
        assert_eq!(tame("- [ ]"), "- [ ]\n");
        assert_eq!(tame(""), "");
        assert_eq!(tame("a\rb\r\nc\r"), "a\nb\r\nc\n");
    }

    #[test]
    fn only_the_first_marker_past_the_limit_becomes_text() {
        let line = format!("{}a\n", "- ".repeat(40));
        let want = format!("{}x {}a\n", "- ".repeat(32), "- ".repeat(7));
        assert_eq!(tame(&line), want);
        let line = format!("{}1. a\n", "> ".repeat(32));
        assert_eq!(tame(&line), format!("{}1x a\n", "> ".repeat(32)));
    }

    #[test]
    fn indentation_counts_as_the_containers_it_may_continue() {
        let line = format!("{}- a\n", "\t".repeat(16));
        assert_eq!(tame(&line), format!("{}x a\n", "\t".repeat(16)));
        let line = format!("{}- a\n", "\t".repeat(15));
        assert_eq!(tame(&line), line);
    }

    #[test]
    fn a_long_rule_stays_a_rule() {
        for rule in ["- ".repeat(100), "* ".repeat(100), format!("> {}", "- ".repeat(100))] {
            let line = format!("{rule}\n");
            assert_eq!(tame(&line), line);
        }
    }
}
