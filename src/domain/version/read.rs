//! How people write ranges. Their words are many; what cannot be read is said, never guessed.

use super::{Bound, NOT_A_VERSION, Range, UNREADABLE, Version, is_wild};

const EMPTY: &str = "the range ends before it begins, so nothing is in it";

/// Words between the ends of a range.
const BETWEEN: [&str; 7] = [" to ", " through ", " until ", " - ", " – ", "–", ".."];

/// Words behind a version that make it the last one of a range.
const AND_BEFORE: [&str; 6] = ["earlier", "below", "older", "prior", "lower", "before"];

/// Words behind a version that make it the first one of a range.
const AND_AFTER: [&str; 6] = ["later", "above", "newer", "higher", "after", "up"];

/// Words in front of a version that say nothing.
const FILLERS: [&str; 4] = ["all versions ", "versions ", "version ", "all "];

/// What stands before a version, longest first where one begins another.
const OPERATORS: [(&str, Operator); 11] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
    ("=", Operator::Is),
    ("before ", Operator::Below),
    ("up to ", Operator::AtMost),
    ("until ", Operator::AtMost),
    ("from ", Operator::AtLeast),
    ("since ", Operator::AtLeast),
    ("after ", Operator::Above),
];

#[derive(Clone, Copy)]
enum Operator {
    AtMost,
    AtLeast,
    Below,
    Above,
    Is,
}

/// The lines of a field that holds ranges or versions: by line ends, semicolons and `||`, without bullets and backticks.
pub fn field_lines(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().flat_map(|line| line.split(';')).flat_map(|line| line.split("||"));
    lines
        .map(|line| {
            let line = line.trim();
            let line = ["- ", "* ", "+ "].iter().find_map(|bullet| line.strip_prefix(bullet)).unwrap_or(line);
            line.trim().trim_matches('`').trim()
        })
        .filter(|line| !line.is_empty())
}

/// Reads the ranges of a line: `0.11.0 to 0.15.5`, `>= 0.11.0, < 0.15.6`, `0.15.x`, `1.4.2 and earlier`, `all versions`,
/// one version, or several of these parted by commas or "and". `none` gives no range.
///
/// # Errors
/// In words for the person who wrote it: what does not read, or that a range holds nothing.
pub fn ranges(text: &str) -> Result<Vec<Range>, String> {
    let text = text.trim().replace('≤', "<=").replace('≥', ">=");
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["none", "n/a"]) {
        return Ok(Vec::new());
    }
    if is(&["all", "all versions", "any", "*"]) {
        return Ok(vec![Range::default()]);
    }
    let mut reading = Reading::default();
    for part in text.split(',') {
        if part.trim().is_empty() {
            return Err(if text.contains(',') { COMMA } else { UNREADABLE }.to_owned());
        }
        for clause in clauses(part) {
            reading.clause(&clause)?;
        }
    }
    reading.close()?;
    Ok(reading.done)
}

const COMMA: &str = "there is a comma with nothing beside it";

/// Reads the versions of a field, such as the fixed ones: `0.15.6`, or several parted by commas, lines or "and".
///
/// # Errors
/// In words for the person who wrote it.
pub fn versions(value: &str) -> Result<Vec<Version>, String> {
    let mut all: Vec<Version> = Vec::new();
    for line in field_lines(value) {
        for part in line.split(',').flat_map(|part| part.split(" and ")).map(str::trim) {
            if part.is_empty() {
                return Err(COMMA.to_owned());
            }
            let version = Version::parse(part)?;
            if !all.contains(&version) {
                all.push(version);
            }
        }
    }
    if all.is_empty() { Err(NOT_A_VERSION.to_owned()) } else { Ok(all) }
}

/// The parts of `>= 1.0 < 2.0` and `>= 1.0 and < 2.0`; `1.4 and earlier` is one.
fn clauses(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let begins = word.starts_with(['<', '>', '=']);
        let behind_operator = parts.last().is_some_and(|part| part.ends_with(['<', '>', '=']));
        match parts.last_mut() {
            Some(part) if !begins || behind_operator => {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    let ends = |rest: &str| AND_BEFORE.iter().chain(&AND_AFTER).any(|word| rest.trim().eq_ignore_ascii_case(word));
    let mut all = Vec::new();
    for part in parts {
        let mut rest = strip_end(&part, " and").unwrap_or(&part);
        while let Some((first, behind)) = split(rest, " and ").filter(|(_, behind)| !ends(behind)) {
            all.push(first.to_owned());
            rest = behind;
        }
        all.push(rest.to_owned());
    }
    all
}

/// The ranges read so far, and the one whose ends are still coming.
#[derive(Default)]
struct Reading {
    done: Vec<Range>,
    open: Option<Range>,
}

impl Reading {
    fn clause(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim();
        let text = FILLERS.iter().find_map(|word| strip_start(text, word)).unwrap_or(text);
        let ends = strip_start(text, "from ").unwrap_or(text);
        if !text.contains(['<', '>', '='])
            && let Some((from, to)) = BETWEEN.iter().find_map(|word| split(ends, word))
        {
            let from = Written::read(from)?;
            let highest = match to.trim().eq_ignore_ascii_case("latest") {
                true => None,
                false => Some(Written::read(to)?.at_most()),
            };
            return self.whole(Range { lowest: Some(from.at_least()), highest });
        }
        if let Some((head, word)) = text.rsplit_once(' ')
            && let Some(version) = strip_end(head, " and").or_else(|| strip_end(head, " or"))
        {
            let version = Written::read(version)?;
            let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
            return match (is(&AND_BEFORE), is(&AND_AFTER)) {
                (true, _) => self.high(version.at_most()),
                (_, true) => self.low(version.at_least()),
                _ => Err(UNREADABLE.to_owned()),
            };
        }
        let found = OPERATORS.iter().find_map(|(word, operator)| Some((strip_start(text, word)?, *operator)));
        let (rest, operator) = found.unwrap_or((text, Operator::Is));
        let version = Written::read(rest)?;
        match operator {
            Operator::AtMost => self.high(version.at_most()),
            Operator::Below => self.high(Bound { version: version.first, included: false }),
            Operator::AtLeast => self.low(version.at_least()),
            Operator::Above => {
                let included = version.next.is_some();
                self.low(Bound { version: version.next.unwrap_or(version.first), included })
            }
            Operator::Is => self.whole(Range { lowest: Some(version.at_least()), highest: Some(version.at_most()) }),
        }
    }

    fn low(&mut self, bound: Bound) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|range| range.lowest.is_some()) {
            self.close()?;
        }
        self.open.get_or_insert_default().lowest = Some(bound);
        Ok(())
    }

    fn high(&mut self, bound: Bound) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|range| range.highest.is_some()) {
            self.close()?;
        }
        self.open.get_or_insert_default().highest = Some(bound);
        Ok(())
    }

    fn whole(&mut self, range: Range) -> Result<(), String> {
        self.close()?;
        self.open = Some(range);
        self.close()
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(mut range) = self.open.take() else { return Ok(()) };
        if range.is_empty() {
            return Err(EMPTY.to_owned());
        }
        // From zero on without an end is every version there is.
        if range.highest.is_none() && range.lowest.as_ref().is_some_and(|low| low.included && low.version.is_zero()) {
            range.lowest = None;
        }
        if !self.done.contains(&range) {
            self.done.push(range);
        }
        Ok(())
    }
}

/// A version in a range: for `0.15.x` the first of its versions and the first behind them.
struct Written {
    first: Version,
    next: Option<Version>,
}

impl Written {
    fn read(text: &str) -> Result<Written, String> {
        let version = Version::read(text).ok_or_else(|| UNREADABLE.to_owned())?;
        let Some(wild) = version.parts.iter().position(|part| is_wild(part)) else {
            return Ok(Written { first: version, next: None });
        };
        let numbers: Option<Vec<u64>> = version.parts.iter().take(wild).map(|part| part.parse().ok()).collect();
        let all_wild = version.parts.iter().skip(wild).all(|part| is_wild(part));
        let numbers = numbers.filter(|numbers| all_wild && !numbers.is_empty());
        let mut numbers = numbers.ok_or("an `x` can only stand at the end of a version, as in `0.15.x`")?;
        let zeros = ".0".repeat(version.parts.len() - wild);
        let text = |numbers: &[u64]| {
            let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
            Version::of(format!("{}{zeros}", words.join(".")))
        };
        let first = text(&numbers);
        let next = numbers.last_mut().and_then(|last| {
            *last = last.checked_add(1)?;
            Some(())
        });
        next.ok_or(UNREADABLE)?;
        Ok(Written { first, next: Some(text(&numbers)) })
    }

    fn at_least(&self) -> Bound {
        Bound { version: self.first.clone(), included: true }
    }

    fn at_most(&self) -> Bound {
        match &self.next {
            Some(next) => Bound { version: next.clone(), included: false },
            None => Bound { version: self.first.clone(), included: true },
        }
    }
}

/// What follows a word at the beginning, without regard to ASCII case.
fn strip_start<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| text.get(word.len()..))?
}

/// What stands before a word at the end, without regard to ASCII case.
fn strip_end<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(word.len())?;
    text.get(at..)?.eq_ignore_ascii_case(word).then(|| text.get(..at))?
}

/// Both sides of a word, without regard to ASCII case.
fn split<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    // Lowering ASCII letters moves no byte.
    let at = text.to_ascii_lowercase().find(word)?;
    Some((text.get(..at)?, text.get(at + word.len()..)?))
}
