//! The advisory: what it should say, how far it is from that, and what may be done with it.
//!
//! Everything here is a pure function of facts: an incident's fields, the policy, the advisory and the releases as GitHub
//! shows them. What is missing is a question for a person, never a guess. Nothing here publishes: an advisory that a
//! person wrote into is compared and judged, and changed only where a command says so.

pub mod approval;
pub mod cve;
pub mod drift;
pub mod evidence;
pub mod facts;
mod fields;
pub mod ids;
pub mod interlock;
pub mod lint;
mod range;
pub mod request;
pub mod show;
#[cfg(test)]
mod tests;
pub mod text;

pub use facts::{Advisory, AdvisoryState, Credit, CreditType, Release, Vulnerability};
pub use fields::Known;
pub use ids::{Cve, Ghsa};

use super::cvss::{Severity, Vector};
use super::facts::RepoName;
use super::policy::Policy;
use super::template::TemplateError;

/// What an advisory is graded by: GitHub takes one of the two, never both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rating {
    /// Only the word; where there is no vector.
    Severity(Severity),
    /// A CVSS vector, from which GitHub computes the severity.
    Vector(Vector),
}

/// The advisory that an incident's fields ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The title: one sentence.
    pub summary: String,
    /// The public text, in Markdown.
    pub description: String,
    /// Packages with the versions affected and fixed.
    pub vulnerabilities: Vec<Vulnerability>,
    /// Severity or vector.
    pub rating: Option<Rating>,
    /// `CWE-79`, sorted.
    pub cwe_ids: Vec<String>,
    /// Who is thanked, and for what.
    pub credits: Vec<Credit>,
    /// The CVE ID, where the field holds one.
    pub cve: Option<Cve>,
}

/// Something that only a person can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The field that lacks it, or the key of the policy.
    pub field: &'static str,
    /// What to do, as a sentence in Markdown.
    pub text: String,
}

/// A draft as far as it goes, and what is missing for the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The advisory.
    pub wanted: Wanted,
    /// What is missing or cannot be read, in the order of the checklist.
    pub questions: Vec<Question>,
}

/// Makes the draft from what is known. `template` is the text of `templates/advisory.md` or the policy's own.
///
/// # Errors
/// If the template cannot be rendered.
pub fn draft(known: &Known, policy: &Policy, template: &str) -> Result<Draft, TemplateError> {
    let (vulnerabilities, mut questions) = range::vulnerabilities(known, policy);
    questions.splice(0..0, known.questions.iter().cloned());
    questions.sort_by_key(|question| fields::order(question.field));
    let wanted = Wanted {
        summary: text::summary(policy),
        description: text::description(known, policy, template)?,
        vulnerabilities,
        rating: known.rating(),
        cwe_ids: known.cwe_ids.clone(),
        credits: known.credits.clone(),
        cve: known.cve.clone(),
    };
    Ok(Draft { wanted, questions })
}

/// GitHub Enterprise Server has no repository advisories, so their pages are all here.
const SERVER: &str = "https://github.com";

/// The page of an advisory.
pub fn page(repo: &RepoName, id: &Ghsa) -> String {
    format!("{SERVER}/{repo}/security/advisories/{id}")
}
