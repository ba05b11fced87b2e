//! What is sent to GitHub to make an advisory or to change its fields.
//!
//! A change holds no state: nothing that fills in or corrects fields can publish, accept or close. Those acts ask for an
//! [`super::approval::Approval`].

use serde::Serialize;

use super::facts::{Advisory, AdvisoryState, Credit, CvssSeverities, Vulnerability};
use super::ids::Cve;
use super::{Rating, Wanted};
use crate::domain::cvss::Severity;

/// An advisory to make, or a private report to hand in. Of severity and vector GitHub takes one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewAdvisory {
    /// The title; at most 1,024 characters.
    pub summary: String,
    /// The text; at most 65,535 characters.
    pub description: String,
    /// Packages and versions. A new advisory may have none.
    pub vulnerabilities: Vec<Vulnerability>,
    /// A CVE ID that is known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve_id: Option<Cve>,
    /// `CWE-79`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cwe_ids: Vec<String>,
    /// Who is thanked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<Credit>,
    /// The word, where there is no vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The vector, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss_vector_string: Option<String>,
}

impl NewAdvisory {
    /// The advisory that is wanted.
    pub fn of(wanted: &Wanted) -> NewAdvisory {
        let (severity, cvss_vector_string) = match &wanted.rating {
            Some(Rating::Severity(severity)) => (Some(*severity), None),
            Some(Rating::Vector(vector)) => (None, Some(vector.to_string())),
            None => (None, None),
        };
        NewAdvisory {
            summary: wanted.summary.clone(),
            description: wanted.description.clone(),
            vulnerabilities: wanted.vulnerabilities.clone(),
            cve_id: wanted.cve.clone(),
            cwe_ids: wanted.cwe_ids.clone(),
            credits: wanted.credits.clone(),
            severity,
            cvss_vector_string,
        }
    }

    /// Whether an advisory is this one: the draft whose answer was lost is known by its text. GitHub may write line ends
    /// in its own way.
    pub fn is(&self, advisory: &Advisory) -> bool {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        advisory.state == AdvisoryState::Draft
            && plain(&advisory.summary) == plain(&self.summary)
            && plain(advisory.text()) == plain(&self.description)
    }
}

/// A change of an advisory's fields. `None` leaves a field as it is; `Some(None)` empties it, which is sent as `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AdvisoryPatch {
    /// A new title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// A new text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All packages and versions: GitHub replaces the whole list, and refuses an empty one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerabilities: Option<Vec<Vulnerability>>,
    /// The severity's word. GitHub refuses it while there is a vector, unless the vector goes in the same call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Option<Severity>>,
    /// The vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss_vector_string: Option<Option<String>>,
    /// All weaknesses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwe_ids: Option<Vec<String>>,
    /// All credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Vec<Credit>>,
    /// The CVE ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve_id: Option<Option<Cve>>,
}

impl AdvisoryPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == AdvisoryPatch::default()
    }

    /// Sets the rating: of severity and vector one, the other taken away.
    pub fn rate(&mut self, rating: &Rating) {
        match rating {
            Rating::Vector(vector) => self.cvss_vector_string = Some(Some(vector.to_string())),
            Rating::Severity(severity) => {
                self.severity = Some(Some(*severity));
                self.cvss_vector_string = Some(None);
            }
        }
    }

    /// Whether an advisory says already what this change would make it say: after a lost answer it tells whether the
    /// change was made.
    pub fn is_done(&self, advisory: &Advisory) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, have: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == have)
        }
        let vector = advisory.vector().map(|vector| vector.to_string());
        let description = advisory.description.clone().unwrap_or_default();
        same(self.summary.as_ref(), &advisory.summary)
            && same(self.description.as_ref(), &description)
            && same(self.vulnerabilities.as_ref(), &advisory.vulnerabilities)
            && same(self.severity.as_ref(), &advisory.severity())
            && same(self.cvss_vector_string.as_ref(), &vector)
            && same(self.cwe_ids.as_ref(), &advisory.cwe_ids)
            && same(self.credits.as_ref(), &advisory.credits)
            && same(self.cve_id.as_ref(), &advisory.cve())
    }
}

impl Wanted {
    /// The advisory as GitHub would show it once it was made: for trying a draft before there is one.
    pub fn preview(&self) -> Advisory {
        let (severity, vector) = match &self.rating {
            Some(Rating::Severity(severity)) => (Some(*severity), None),
            Some(Rating::Vector(vector)) => (Some(vector.severity()), Some(vector)),
            None => (None, None),
        };
        let cvss = |four: bool| {
            let vector = vector.filter(|vector| (vector.version() == "4.0") == four)?;
            Some(super::facts::Cvss { vector_string: Some(vector.to_string()) })
        };
        Advisory {
            ghsa_id: String::new(),
            cve_id: self.cve.as_ref().map(ToString::to_string),
            html_url: String::new(),
            summary: self.summary.clone(),
            description: Some(self.description.clone()),
            severity: severity.map(|severity| severity.word().to_owned()),
            author: None,
            publisher: None,
            state: AdvisoryState::Draft,
            created_at: None,
            updated_at: None,
            published_at: None,
            closed_at: None,
            submission: None,
            vulnerabilities: self.vulnerabilities.clone(),
            cvss_severities: Some(CvssSeverities { cvss_v3: cvss(false), cvss_v4: cvss(true) }),
            cvss: None,
            cwe_ids: self.cwe_ids.clone(),
            credits: self.credits.clone(),
            credits_detailed: Vec::new(),
            private_fork: None,
        }
    }
}
