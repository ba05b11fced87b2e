//! CVSS: vectors of versions 3.0, 3.1 and 4.0, their scores, and the words for scores.
//!
//! The equations come from the `cvss` crate, checked against FIRST's examples and a second implementation
//! (`tests/data/cvss/`). What is ours is the reading: a vector typed by a person under pressure gets an answer that
//! names the wrong metric and the values it may have.

mod metrics;
mod words;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::metrics::{Metric, V3, V4};

/// Longer texts are not read. Every metric of version 4.0 with its longest value makes 178 characters.
const MAX_VECTOR: usize = 300;

/// How bad it is, in the words of the qualitative scale that CVSS 3.1 (section 5) and 4.0 (section 6) share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Score 0.0.
    None,
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// The word in lower case, as GitHub's advisories and Wardroom's labels and commands write it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::None => "none",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The word with a capital, as the checklist's fields write it.
    pub fn title(self) -> &'static str {
        match self {
            Severity::None => "None",
            Severity::Low => "Low",
            Severity::Medium => "Medium",
            Severity::High => "High",
            Severity::Critical => "Critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The text is not a severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a severity: write critical, high, medium, low or none")]
pub struct BadSeverity(pub String);

impl FromStr for Severity {
    type Err = BadSeverity;

    /// Reads the word without regard to case. `moderate` is GitHub's older word for medium.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" => Ok(Severity::None),
            "low" => Ok(Severity::Low),
            "medium" | "moderate" => Ok(Severity::Medium),
            "high" => Ok(Severity::High),
            "critical" => Ok(Severity::Critical),
            _ => Err(BadSeverity(shorten(text))),
        }
    }
}

/// A CVSS score, 0.0 to 10.0, kept in tenths so that scores compare exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score {
    tenths: u8,
}

impl Score {
    /// From this score on the checklist asks for a CVE ID: the least one of medium severity.
    pub const CVE: Score = Score { tenths: 40 };

    /// The score of so many tenths; `None` above 100.
    pub fn from_tenths(tenths: u8) -> Option<Self> {
        (tenths <= 100).then_some(Score { tenths })
    }

    /// The score in tenths, 0 to 100.
    pub fn tenths(self) -> u8 {
        self.tenths
    }

    /// The word for the score: CVSS 3.1, section 5 (version 4.0, section 6, is the same).
    pub fn severity(self) -> Severity {
        match self.tenths {
            0 => Severity::None,
            1..=39 => Severity::Low,
            40..=69 => Severity::Medium,
            70..=89 => Severity::High,
            _ => Severity::Critical,
        }
    }

    /// A computed score has one decimal already; rounding to tenths only removes the noise of binary fractions.
    fn from_computed(value: f64) -> Self {
        Score { tenths: (value * 10.0).round().clamp(0.0, 100.0) as u8 }
    }
}

impl Serialize for Score {
    /// A number with one decimal.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.tenths) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        value.to_string().parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

/// The text is not a score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a CVSS score: write a number from 0.0 to 10.0 with one decimal, for example 7.5")]
pub struct BadScore(pub String);

impl FromStr for Score {
    type Err = BadScore;

    /// Reads `7.5`, `7`, `10` or `10.0`. More decimals are refused: CVSS knows none, so they are a slip.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadScore(shorten(text));
        let (whole, tenth) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(tenth) || whole.len() > 2 || tenth.len() != 1 {
            return Err(bad());
        }
        let whole: u8 = whole.parse().map_err(|_| bad())?;
        let tenth: u8 = tenth.parse().map_err(|_| bad())?;
        if whole > 10 {
            return Err(bad());
        }
        Score::from_tenths(whole * 10 + tenth).ok_or_else(bad)
    }
}

/// A valid CVSS vector with all the metrics its version requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    inner: cvss::Cvss,
}

impl Vector {
    /// Reads a vector of CVSS 3.0, 3.1 or 4.0, in any order of metrics and any case.
    ///
    /// # Errors
    /// [`CvssError`] says which metric is wrong and what it may be.
    pub fn parse(text: &str) -> Result<Self, CvssError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(CvssError::Empty);
        }
        if text.chars().count() > MAX_VECTOR {
            return Err(CvssError::TooLong);
        }
        let (prefix, rest) = text.split_once('/').unwrap_or((text, ""));
        let Some((name, version)) = prefix.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("CVSS")) else {
            let version_2 = text.split('/').any(|part| part.to_ascii_uppercase().starts_with("AU:"));
            return Err(if version_2 { CvssError::Version2 } else { CvssError::NoPrefix(shorten(text)) });
        };
        let table = match version {
            "3.0" | "3.1" => V3,
            "4.0" => V4,
            "2" | "2.0" => return Err(CvssError::Version2),
            _ => return Err(CvssError::UnknownVersion(shorten(version))),
        };
        let canonical = format!("{}:{version}{}", name.to_ascii_uppercase(), check_metrics(rest, version, table)?);
        let inner = canonical.parse().map_err(|error: cvss::Error| CvssError::Other(error.to_string()))?;
        Ok(Vector { inner })
    }

    /// The score. For 3.0 and 3.1 it is the base score, the one that advisories and CVE records publish, also where the
    /// vector carries temporal or environmental metrics. Version 4.0 has one score, which counts every metric given.
    pub fn score(&self) -> Score {
        Score::from_computed(self.inner.score())
    }

    /// The word for [`Vector::score`].
    pub fn severity(&self) -> Severity {
        self.score().severity()
    }

    /// The base metric AV in one word, as the checklist's field `Attack vector` has it.
    pub fn attack_vector(&self) -> &'static str {
        let text = self.to_string();
        let value = text.split('/').find_map(|part| part.strip_prefix("AV:"));
        match value {
            Some("N") => "Network",
            Some("A") => "Adjacent",
            Some("L") => "Local",
            _ => "Physical",
        }
    }

    /// The version: `3.0`, `3.1` or `4.0`.
    pub fn version(&self) -> &'static str {
        match self.inner {
            cvss::Cvss::CvssV30(_) => "3.0",
            cvss::Cvss::CvssV31(_) => "3.1",
            _ => "4.0",
        }
    }
}

impl fmt::Display for Vector {
    /// The canonical text: upper case, metrics in the order of the specification.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl FromStr for Vector {
    type Err = CvssError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Vector::parse(text)
    }
}

/// Why a text is not a vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CvssError {
    /// Nothing was written.
    #[error("the CVSS vector is empty; a vector looks like CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")]
    Empty,
    /// Longer than any vector.
    #[error("this is too long for a CVSS vector: none has more than 178 characters")]
    TooLong,
    /// It does not begin with the version.
    #[error("{0:?} is not a CVSS vector: it must begin with CVSS:3.1/ or CVSS:4.0/")]
    NoPrefix(String),
    /// A vector of version 2.
    #[error("CVSS 2.0 is not supported: GitHub's advisories take none; score it again with CVSS 3.1 or 4.0")]
    Version2,
    /// A version nobody published.
    #[error("CVSS version {0:?} is not known: write CVSS:3.1/ or CVSS:4.0/")]
    UnknownVersion(String),
    /// A part between two slashes is not `METRIC:VALUE`.
    #[error("{0:?} in the CVSS vector is not METRIC:VALUE, for example AV:N")]
    NotAMetric(String),
    /// The metric does not exist in this version.
    #[error("CVSS {version} has no metric {metric:?}{hint}")]
    UnknownMetric {
        /// The version of the vector.
        version: String,
        /// What was written.
        metric: String,
        /// In which version it exists, or nothing.
        hint: &'static str,
    },
    /// The value is not one of the metric's.
    #[error("{metric} ({meaning}) cannot be {value:?}: it is one of {allowed}")]
    BadValue {
        /// The metric's letters.
        metric: &'static str,
        /// What the metric is about.
        meaning: &'static str,
        /// What was written.
        value: String,
        /// The values it may have.
        allowed: String,
    },
    /// The metric stands there twice.
    #[error("{metric} ({meaning}) stands twice in the CVSS vector; keep one")]
    Repeated {
        /// The metric's letters.
        metric: &'static str,
        /// What the metric is about.
        meaning: &'static str,
    },
    /// A base metric is missing.
    #[error("the CVSS {version} vector lacks {missing}; every base metric must be there")]
    Missing {
        /// The version of the vector.
        version: String,
        /// The missing metrics with their meaning.
        missing: String,
    },
    /// The `cvss` crate refuses what our table accepts.
    #[error("not a CVSS vector: {0}")]
    Other(String),
}

/// Checks `AV:N/AC:L/…` against a version's table. Returns it in the table's spelling, each metric after a `/`.
fn check_metrics(text: &str, version: &str, table: &'static [Metric]) -> Result<String, CvssError> {
    let mut written = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once(':').ok_or_else(|| CvssError::NotAMetric(shorten(part)))?;
        let metric = table.iter().find(|metric| metric.name.eq_ignore_ascii_case(name));
        let metric = metric.ok_or_else(|| CvssError::UnknownMetric {
            version: version.to_owned(),
            metric: shorten(name),
            hint: metrics::elsewhere(name),
        })?;
        written.push((metric, value));
    }
    // Values come second: in a vector that mixes two versions, the strange metric explains the strange values.
    let mut seen: Vec<&'static str> = Vec::new();
    let mut canonical = String::new();
    for (metric, value) in written {
        let known = metric.values.iter().find(|known| known.eq_ignore_ascii_case(value));
        let known = known.ok_or_else(|| CvssError::BadValue {
            metric: metric.name,
            meaning: metric.meaning,
            value: shorten(value),
            allowed: metric.values.join(", "),
        })?;
        if seen.contains(&metric.name) {
            return Err(CvssError::Repeated { metric: metric.name, meaning: metric.meaning });
        }
        seen.push(metric.name);
        canonical.push_str(&format!("/{}:{known}", metric.name));
    }
    let missing: Vec<String> = table
        .iter()
        .filter(|metric| metric.base && !seen.contains(&metric.name))
        .map(|metric| format!("{} ({})", metric.name, metric.meaning))
        .collect();
    if missing.is_empty() {
        Ok(canonical)
    } else {
        Err(CvssError::Missing { version: version.to_owned(), missing: missing.join(", ") })
    }
}

/// At most 60 characters of what a person wrote, so that an answer stays an answer.
fn shorten(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
