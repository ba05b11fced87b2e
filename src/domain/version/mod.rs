//! Versions and ranges of versions: as people write them in fields, and as GitHub's advisories want them.

mod read;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

pub use read::{field_lines, ranges, versions};

/// A longer text is no version (bytes).
const LONGEST: usize = 64;

/// What is said of a text that holds no range.
const UNREADABLE: &str =
    "that does not read as a version range; write for example `0.11.0 to 0.15.5` or `>= 0.11.0, < 0.15.6`";

/// A version, `v` in front left away. Compared part by part, numbers as numbers; a version that goes on with letters
/// (`1.0-rc.1`) comes before the one that ends there; `1.0` and `1.0.0` are the same.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: Vec<String>,
}

impl Version {
    /// Reads one version: `0.15.6`, `v0.15.6`, `1.0.0-rc.1`. A wildcard (`0.15.x`) is a range, not a version.
    ///
    /// # Errors
    /// In words for the person who wrote it.
    pub fn parse(text: &str) -> Result<Version, String> {
        let version = Version::read(text).ok_or_else(|| NOT_A_VERSION.to_owned())?;
        if version.parts.iter().any(|part| is_wild(part)) { Err(NOT_A_VERSION.to_owned()) } else { Ok(version) }
    }

    /// A version as it stands, wildcards and all.
    fn read(text: &str) -> Option<Version> {
        let text = text.trim().trim_matches('`').trim();
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_' | '~' | ':' | '*');
        let fits = bare.starts_with(|c: char| c.is_ascii_digit()) && bare.chars().all(allowed) && bare.len() <= LONGEST;
        fits.then(|| Version::of(bare.to_owned()))
    }

    fn of(text: String) -> Version {
        let core = text.split('+').next().unwrap_or(&text);
        let parts = core.split(['.', '-', '_', '~', ':']).map(str::to_owned).collect();
        Version { text, parts }
    }

    /// The first version of the line that this one belongs to, seen from another: up to the first number that differs,
    /// then zeros. `0.16.3` seen from `0.15.7` is of the line that begins with `0.16.0`. `None` if both are of one line:
    /// they differ in the last number only, or not in numbers.
    pub fn line_from(&self, other: &Version) -> Option<Version> {
        let number = |version: &Version, at: usize| match version.parts.get(at) {
            Some(part) => part.parse::<u64>().ok(),
            None => Some(0),
        };
        let longest = self.parts.len().max(other.parts.len());
        let differs = (0..longest).find(|&at| number(self, at) != number(other, at))?;
        let head: Option<Vec<String>> =
            (0..=differs).map(|at| number(self, at).map(|number| number.to_string())).collect();
        if differs + 1 >= longest {
            return None;
        }
        let mut parts = head?;
        // As many numbers as the version has, which are three as a rule; what comes behind them is no number.
        let numbers = self.parts.iter().take_while(|part| part.parse::<u64>().is_ok()).count();
        parts.resize(numbers.max(differs + 2), "0".to_owned());
        Some(Version::of(parts.join(".")))
    }

    fn is_zero(&self) -> bool {
        self.parts.iter().all(|part| part.parse::<u64>() == Ok(0))
    }
}

/// What is said of a text that is no version.
const NOT_A_VERSION: &str = "that does not read as a version; write for example `0.15.6`, several parted by commas";

fn is_wild(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.parts.len().max(other.parts.len());
        for index in 0..longest {
            let (left, right) = (self.parts.get(index).map(String::as_str), other.parts.get(index).map(String::as_str));
            let number = |part: Option<&str>| part.map_or(Some(0), |part| part.parse::<u64>().ok());
            let ordering = match (number(left), number(right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (None, None) => left.cmp(&right),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// One end of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The version at this end.
    pub version: Version,
    /// Whether it belongs to the range.
    pub included: bool,
}

/// A stretch of versions. An end that is missing is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub lowest: Option<Bound>,
    /// Where it ends.
    pub highest: Option<Bound>,
}

impl Range {
    /// The range of one version.
    pub fn only(version: Version) -> Range {
        let bound = Bound { version, included: true };
        Range { lowest: Some(bound.clone()), highest: Some(bound) }
    }

    /// Whether a version lies in it.
    pub fn contains(&self, version: &Version) -> bool {
        let above =
            self.lowest.as_ref().is_none_or(|low| low.version < *version || low.included && low.version == *version);
        let below = self
            .highest
            .as_ref()
            .is_none_or(|high| *version < high.version || high.included && high.version == *version);
        above && below
    }

    /// Whether a version comes after all of it.
    pub fn is_before(&self, version: &Version) -> bool {
        self.highest.as_ref().is_some_and(|high| high.version <= *version && !self.contains(version))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        let (Some(low), Some(high)) = (&self.lowest, &self.highest) else { return false };
        match low.version.cmp(&high.version) {
            Ordering::Greater => true,
            Ordering::Equal => !(low.included && high.included),
            Ordering::Less => false,
        }
    }

    /// Whether it has no end: it will hold every version to come, the fixed one too.
    pub fn is_endless(&self) -> bool {
        self.highest.is_none()
    }

    /// In the syntax of GitHub's advisories: `= 1.2.3`, `<= 1.0.8`, `< 1.1`, `>= 4.3.0, < 4.3.5`, and `>= 0` for all
    /// versions (GitHub Docs, "Best practices for writing repository security advisories", affected versions).
    pub fn github(&self) -> String {
        let low = |bound: &Bound| format!("{} {}", if bound.included { ">=" } else { ">" }, bound.version);
        let high = |bound: &Bound| format!("{} {}", if bound.included { "<=" } else { "<" }, bound.version);
        match (&self.lowest, &self.highest) {
            (None, None) => ">= 0".to_owned(),
            (Some(one), Some(other)) if one == other && one.included => format!("= {}", one.version),
            (Some(one), Some(other)) => format!("{}, {}", low(one), high(other)),
            (Some(one), None) => low(one),
            (None, Some(other)) => high(other),
        }
    }
}

/// Checks that a line reads as a range: see [`ranges`].
///
/// # Errors
/// In words for the person who wrote it: what does not read, or that the range holds nothing.
pub fn check_range(text: &str) -> Result<(), String> {
    ranges(text).map(drop)
}
