//! The identifiers of advisories and vulnerabilities.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The letters and digits of a GHSA id (GitHub Docs, "About the GitHub Advisory database", GHSA IDs).
const ALPHABET: &str = "23456789cfghjmpqrvwx";

/// A year and a number are shorter than this in every CVE ID there is.
const LONGEST_NUMBER: usize = 19;

/// An advisory's id, `GHSA-2c3f-4gh5-6jm7`: three groups of four out of GitHub's alphabet, kept in GitHub's spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ghsa(String);

/// The text is no GHSA id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an advisory's id: it looks like GHSA-2c3f-4gh5-6jm7")]
pub struct BadGhsa(pub String);

impl FromStr for Ghsa {
    type Err = BadGhsa;

    /// Reads an id without regard to case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadGhsa(text.chars().take(60).collect());
        let (head, rest) = text.trim().split_once('-').ok_or_else(bad)?;
        let rest = rest.to_ascii_lowercase();
        let groups: Vec<&str> = rest.split('-').collect();
        let good = |group: &&str| group.len() == 4 && group.chars().all(|c| ALPHABET.contains(c));
        if !head.eq_ignore_ascii_case("GHSA") || groups.len() != 3 || !groups.iter().all(good) {
            return Err(bad());
        }
        Ok(Ghsa(format!("GHSA-{rest}")))
    }
}

impl TryFrom<String> for Ghsa {
    type Error = BadGhsa;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Ghsa> for String {
    fn from(id: Ghsa) -> String {
        id.0
    }
}

impl fmt::Display for Ghsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A CVE ID: `CVE-`, a year, `-`, and at least four digits (CVE Program, CVE Record format).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cve(String);

/// The text is no CVE ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a CVE ID: it looks like CVE-2026-12345")]
pub struct BadCve(pub String);

impl FromStr for Cve {
    type Err = BadCve;

    /// Reads an id without regard to case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadCve(text.chars().take(60).collect());
        let parts: Vec<&str> = text.trim().splitn(3, '-').collect();
        let [head, year, number] = parts[..] else { return Err(bad()) };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let fits = head.eq_ignore_ascii_case("CVE") && year.len() == 4 && (4..=LONGEST_NUMBER).contains(&number.len());
        if fits && digits(year) && digits(number) { Ok(Cve(format!("CVE-{year}-{number}"))) } else { Err(bad()) }
    }
}

impl TryFrom<String> for Cve {
    type Error = BadCve;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cve> for String {
    fn from(id: Cve) -> String {
        id.0
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_in_any_case_and_written_in_one() {
        assert_eq!("ghsa-2C3F-4gh5-6jm7".parse::<Ghsa>().unwrap().to_string(), "GHSA-2c3f-4gh5-6jm7");
        for bad in
            ["", "GHSA", "GHSA-2c3f-4gh5", "GHSA-2c3f-4gh5-6jm7-2c3f", "GHSA-2c3f-4gh5-6jm1", "CVE-2c3f-4gh5-6jm7"]
        {
            assert!(bad.parse::<Ghsa>().is_err(), "{bad}");
        }
        assert_eq!(" cve-2026-12345 ".parse::<Cve>().unwrap().to_string(), "CVE-2026-12345");
        for bad in ["", "CVE-26-1234", "CVE-2026-123", "CVE-2026-12x45", "CVE-2026", "CVE-2026-12345-6"] {
            assert!(bad.parse::<Cve>().is_err(), "{bad}");
        }
    }
}
