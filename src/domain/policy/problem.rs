//! What is wrong with a policy, said so that a maintainer sees what to change.

use std::fmt;

/// No answer is longer: who sees fifty problems fixes them before the fifty-first.
pub(super) const MAX_PROBLEMS: usize = 50;
/// Of what a person wrote, so many characters are repeated in an answer.
const MAX_QUOTE: usize = 60;
/// Longer words are no slip of a key, and are not compared.
const MAX_SUGGESTION: usize = 40;

/// A place in the file; line and column count from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// What, and what would be right.
    pub message: String,
}

/// The policy cannot be used. Displayed as one line for each problem: `wardroom.yml:12:5: unknown key …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    file: String,
    problems: Vec<Problem>,
    left_out: usize,
}

impl PolicyError {
    /// The problems that were found, and how many more were counted only.
    pub(super) fn new(mut problems: Vec<Problem>, counted: usize) -> Self {
        problems.sort();
        let left_out = counted + problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        PolicyError { file: "wardroom.yml".to_owned(), problems, left_out }
    }

    pub(super) fn one(at: At, message: impl Into<String>) -> Self {
        PolicyError::new(vec![Problem { at, message: message.into() }], 0)
    }

    /// The same, with the file's name as the person knows it.
    #[must_use]
    pub fn named(self, file: impl Into<String>) -> Self {
        PolicyError { file: file.into(), ..self }
    }

    /// The problems in the order of the file, at most fifty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { at, message }) in self.problems.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}:{}:{}: {message}", self.file, at.line, at.column)?;
        }
        if self.left_out > 0 {
            write!(f, "\n{}: and {} more", self.file, self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}

/// What a person wrote, in quotes: shortened, with control and invisible characters made visible.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_QUOTE).collect();
    if text.chars().nth(MAX_QUOTE).is_some() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// The same for a key, in backticks.
pub(super) fn quote_key(text: &str) -> String {
    let quoted = quote(text);
    format!("`{}`", quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted))
}

/// The known word that was probably meant, if one is near enough: at most a third of its letters differ, case and the
/// kind of hyphen aside.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.chars().count() > MAX_SUGGESTION {
        return None;
    }
    let written = plain(written);
    known
        .into_iter()
        .map(|word| (distance(&written, &plain(word)), word))
        .filter(|(distance, word)| *distance <= word.chars().count().div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A list of words for a sentence: `off`, `watch` or `on`.
pub(super) fn words<'a>(words: impl IntoIterator<Item = &'a str>, last_with: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {last_with} {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Lower case without hyphens, underscores and spaces: `openPerHour` and `open-per-hour` are the same slip.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be added, taken, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["label", "labels", "since", "open_per_hour", "zone"];
        for (written, meant) in [
            ("lable", Some("label")),
            ("Label", Some("label")),
            ("labells", Some("labels")),
            ("openPerHour", Some("open_per_hour")),
            ("open-per-hours", Some("open_per_hour")),
            ("zoen", Some("zone")),
            ("since ", Some("since")),
            ("template", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, keys), meant, "{written}");
        }
        assert_eq!(nearest(&"l".repeat(5000), keys), None);
    }

    #[test]
    fn what_was_written_is_shown_short_and_with_nothing_hidden() {
        assert_eq!(quote("a\u{202e}b\u{0}\n\u{200b}"), r#""a\u{202e}b\0\n\u{200b}""#);
        assert_eq!(quote(&"x".repeat(61)), format!("\"{}…\"", "x".repeat(60)));
        assert_eq!(quote_key("a b"), "`a b`");
    }

    #[test]
    fn many_problems_are_counted() {
        let at = |line| At { line, column: 1 };
        let problems = (1..=53).rev().map(|line| Problem { at: at(line), message: "bad".into() }).collect();
        let text = PolicyError::new(problems, 4).named("a.yml").to_string();
        assert!(text.starts_with("a.yml:1:1: bad\na.yml:2:1: bad\n"), "{text}");
        assert!(text.ends_with("a.yml:50:1: bad\na.yml: and 7 more"), "{text}");
    }
}
