//! Advisories and releases as GitHub gives them. As in [`crate::domain::facts`], every field that GitHub may leave out,
//! null or extend is optional or open: one strict field would lose a security report.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::ids::{Cve, Ghsa};
use crate::domain::cvss::{Severity, Vector};
use crate::domain::facts::{Account, lenient_time};

/// A repository security advisory, as the single read, the list and the webhook payload give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id, `GHSA-…`, kept as GitHub writes it.
    pub ghsa_id: String,
    /// The CVE ID once there is one.
    #[serde(default)]
    pub cve_id: Option<String>,
    /// The page a person opens.
    #[serde(default, deserialize_with = "or_default")]
    pub html_url: String,
    /// The title; at most 1,024 characters.
    #[serde(default, deserialize_with = "or_default")]
    pub summary: String,
    /// The text; at most 65,535 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// `critical`, `high`, `medium`, `low`, null, or a word to come.
    #[serde(default)]
    pub severity: Option<String>,
    /// Who wrote it: the reporter of a private report.
    #[serde(default)]
    pub author: Option<Account>,
    /// Who published it.
    #[serde(default)]
    pub publisher: Option<Account>,
    /// Where it is in its life.
    #[serde(default, deserialize_with = "or_default")]
    pub state: AdvisoryState,
    /// When it was made.
    #[serde(default, with = "lenient_time")]
    pub created_at: Option<Timestamp>,
    /// When anything about it last changed.
    #[serde(default, with = "lenient_time")]
    pub updated_at: Option<Timestamp>,
    /// When it was published.
    #[serde(default, with = "lenient_time")]
    pub published_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, with = "lenient_time")]
    pub closed_at: Option<Timestamp>,
    /// Present if it came in as a private report.
    #[serde(default)]
    pub submission: Option<Submission>,
    /// Packages with the versions affected and fixed.
    #[serde(default, deserialize_with = "or_default")]
    pub vulnerabilities: Vec<Vulnerability>,
    /// The vectors by version of CVSS.
    #[serde(default)]
    pub cvss_severities: Option<CvssSeverities>,
    /// The one vector, as older servers give it.
    #[serde(default)]
    pub cvss: Option<Cvss>,
    /// `CWE-79`.
    #[serde(default, deserialize_with = "or_default")]
    pub cwe_ids: Vec<String>,
    /// Who is thanked.
    #[serde(default, deserialize_with = "or_default")]
    pub credits: Vec<Credit>,
    /// The same with whether they accepted; only accepted ones are public.
    #[serde(default, deserialize_with = "or_default")]
    pub credits_detailed: Vec<CreditDetail>,
    /// The temporary private fork, if there is one. Publishing deletes it.
    #[serde(default)]
    pub private_fork: Option<serde_json::Value>,
}

/// Where an advisory is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdvisoryState {
    /// A private report that nobody accepted yet.
    Triage,
    /// A draft.
    Draft,
    /// Public.
    Published,
    /// Closed; the end of what is not published.
    Closed,
    /// Published once, and taken back by GitHub.
    Withdrawn,
    /// Something that GitHub adds one day, or nothing.
    #[default]
    #[serde(other)]
    Other,
}

impl AdvisoryState {
    /// GitHub's word, as a query and a change write it.
    pub fn word(self) -> &'static str {
        match self {
            AdvisoryState::Triage => "triage",
            AdvisoryState::Draft => "draft",
            AdvisoryState::Published => "published",
            AdvisoryState::Closed => "closed",
            AdvisoryState::Withdrawn => "withdrawn",
            AdvisoryState::Other => "unknown",
        }
    }
}

/// What became of a private report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Whether it was accepted as a draft.
    #[serde(default)]
    pub accepted: bool,
}

/// A package with a range of affected versions and the version that fixes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// The package; null in no payload seen, and optional all the same.
    #[serde(default)]
    pub package: Option<PackageName>,
    /// In GitHub's syntax: `>= 1.0, < 1.2`.
    #[serde(default)]
    pub vulnerable_version_range: Option<String>,
    /// Usually one version.
    #[serde(default)]
    pub patched_versions: Option<String>,
    /// Functions that are vulnerable; a person's work, kept as it is.
    #[serde(default, deserialize_with = "or_default")]
    pub vulnerable_functions: Vec<String>,
}

/// A package's name in its ecosystem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageName {
    /// GitHub's word: `rust`, `npm`, `other`, …
    #[serde(default, deserialize_with = "or_default")]
    pub ecosystem: String,
    /// The name; GitHub allows none.
    #[serde(default)]
    pub name: Option<String>,
}

/// The vectors of an advisory by version of CVSS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CvssSeverities {
    /// CVSS 3.0 or 3.1.
    #[serde(default)]
    pub cvss_v3: Option<Cvss>,
    /// CVSS 4.0.
    #[serde(default)]
    pub cvss_v4: Option<Cvss>,
}

/// A vector. The score beside it is computed here instead of being believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cvss {
    /// The vector; null where only a severity was chosen.
    #[serde(default)]
    pub vector_string: Option<String>,
}

/// A thank-you.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Whom.
    #[serde(default, deserialize_with = "or_default")]
    pub login: String,
    /// For what.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: CreditType,
}

/// A thank-you and whether it was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditDetail {
    /// Whom; null for a deleted account.
    #[serde(default)]
    pub user: Option<Account>,
    /// For what.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: CreditType,
    /// `accepted`, `declined`, `pending`, or a word to come.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
}

/// For what someone is thanked: GitHub's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is GitHub's own word")]
pub enum CreditType {
    Analyst,
    Finder,
    Reporter,
    Coordinator,
    RemediationDeveloper,
    RemediationReviewer,
    RemediationVerifier,
    Tool,
    Sponsor,
    #[default]
    #[serde(other)]
    Other,
}

impl CreditType {
    /// Every kind, in GitHub's order.
    pub const ALL: [CreditType; 10] = [
        CreditType::Analyst,
        CreditType::Finder,
        CreditType::Reporter,
        CreditType::Coordinator,
        CreditType::RemediationDeveloper,
        CreditType::RemediationReviewer,
        CreditType::RemediationVerifier,
        CreditType::Tool,
        CreditType::Sponsor,
        CreditType::Other,
    ];

    /// In words: `remediation developer`.
    pub fn words(self) -> &'static str {
        match self {
            CreditType::Analyst => "analyst",
            CreditType::Finder => "finder",
            CreditType::Reporter => "reporter",
            CreditType::Coordinator => "coordinator",
            CreditType::RemediationDeveloper => "remediation developer",
            CreditType::RemediationReviewer => "remediation reviewer",
            CreditType::RemediationVerifier => "remediation verifier",
            CreditType::Tool => "tool",
            CreditType::Sponsor => "sponsor",
            CreditType::Other => "other",
        }
    }
}

/// A release, by its tag or in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The tag it is of.
    pub tag_name: String,
    /// The page a person opens.
    #[serde(default, deserialize_with = "or_default")]
    pub html_url: String,
    /// Only people with write access see it.
    #[serde(default, deserialize_with = "or_default")]
    pub draft: bool,
    /// Not for production.
    #[serde(default, deserialize_with = "or_default")]
    pub prerelease: bool,
    /// When it was published; null for a draft.
    #[serde(default, with = "lenient_time")]
    pub published_at: Option<Timestamp>,
    /// Its files.
    #[serde(default, deserialize_with = "or_default")]
    pub assets: Vec<Asset>,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// `uploaded`, or `open` while it is still on its way.
    #[serde(default)]
    pub state: Option<String>,
}

impl Asset {
    /// Whether it can be downloaded.
    pub fn is_there(&self) -> bool {
        self.state.as_deref().is_none_or(|state| state == "uploaded")
    }
}

impl Advisory {
    /// The id, if it has the form of one.
    pub fn id(&self) -> Option<Ghsa> {
        self.ghsa_id.parse().ok()
    }

    /// The CVE ID, if there is one.
    pub fn cve(&self) -> Option<Cve> {
        self.cve_id.as_deref()?.parse().ok()
    }

    /// The text; an empty one is `""`.
    pub fn text(&self) -> &str {
        self.description.as_deref().unwrap_or("")
    }

    /// The severity's word, where it is one that is known.
    pub fn severity(&self) -> Option<Severity> {
        self.severity.as_deref()?.parse().ok()
    }

    /// The vector: of CVSS 4.0 where there is one, else of 3.
    pub fn vector(&self) -> Option<Vector> {
        let versions = self.cvss_severities.as_ref();
        let four = versions.and_then(|all| all.cvss_v4.as_ref());
        let three = versions.and_then(|all| all.cvss_v3.as_ref());
        let texts =
            [four, three, self.cvss.as_ref()].into_iter().flatten().filter_map(|one| one.vector_string.as_deref());
        texts.filter_map(|text| Vector::parse(text).ok()).next()
    }

    /// Whether there is a temporary private fork, as far as this account may know.
    pub fn has_fork(&self) -> bool {
        self.private_fork.as_ref().is_some_and(|fork| !fork.is_null())
    }
}

/// Null, or nothing at all, is the type's own "nothing".
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
