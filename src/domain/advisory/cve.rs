//! Whether a CVE ID is wanted, whether GitHub may be asked for one, and what its answers mean.
//!
//! GitHub shows nowhere that a CVE was asked for (only `cve_id` turns up later), so the request is written down before it
//! is sent, and is never sent again.

use jiff::Timestamp;

use super::facts::{Advisory, AdvisoryState};
use super::fields::Known;
use super::ids::{Cve, Ghsa};
use crate::domain::cvss::Score;
use crate::domain::policy::Policy;
use crate::domain::{fence, texts};

/// What is true about the CVE of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is one.
    Assigned(Cve),
    /// The score asks for one.
    Wanted(Score),
    /// The score is below the policy's threshold.
    NotNeeded(Score),
    /// Without a score nobody can say.
    NoScore,
}

/// Decides by the field, the advisory and the score.
pub fn decide(known: &Known, advisory: Option<&Advisory>, policy: &Policy) -> Decision {
    if let Some(cve) = advisory.and_then(Advisory::cve).or_else(|| known.cve.clone()) {
        return Decision::Assigned(cve);
    }
    let vector = known.vector.clone().or_else(|| advisory.and_then(Advisory::vector));
    match vector.map(|vector| vector.score()).or(known.score) {
        Some(score) if score >= policy.cve_threshold => Decision::Wanted(score),
        Some(score) => Decision::NotNeeded(score),
        None => Decision::NoScore,
    }
}

impl Decision {
    /// The decision, and what became of it, as sentences in Markdown. `id`: the incident's advisory.
    pub fn words(&self, policy: &Policy, asked: Asked, id: Option<&Ghsa>) -> String {
        match (self, asked) {
            (Decision::Assigned(_), _) | (_, Asked::Never) => {}
            (_, Asked::At(at)) => {
                return format!(
                    "A CVE ID was asked for, {}. GitHub usually answers within a few days, sometimes after weeks; nothing \
                     waits for it.",
                    texts::utc(at)
                );
            }
            (_, Asked::Perhaps(at)) => {
                return format!(
                    "A CVE ID may have been asked for, {}: the answer was lost. Look on the advisory’s page whether it says \
                     “CVE requested”; if not, ask there. Wardroom does not ask twice.",
                    texts::utc(at)
                );
            }
        }
        match self {
            Decision::Assigned(cve) => format!("The CVE ID is `{cve}`."),
            Decision::Wanted(score) => format!(
                "The score {score} is at or above {}: ask for a CVE ID now{}, because the answer takes days, sometimes weeks.",
                policy.cve_threshold,
                id.map_or_else(String::new, |id| format!(" with `/wardroom cve request {id}`"))
            ),
            Decision::NotNeeded(score) => format!(
                "The score {score} is below {}: no CVE ID is needed. A person can ask for one all the same.",
                policy.cve_threshold
            ),
            Decision::NoScore => "Without a CVSS vector or score nobody can say whether a CVE ID is needed.".to_owned(),
        }
    }
}

/// What is known about an earlier request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// None was made.
    Never,
    /// It was made, and GitHub took it.
    At(Timestamp),
    /// Its intent was written down, and the answer was lost: it may have been made.
    Perhaps(Timestamp),
}

/// Why GitHub is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// There is one.
    #[error("there is a CVE ID already: `{0}`")]
    Assigned(Cve),
    /// It was asked for.
    #[error("it was asked for already, {}; asking again does not help. GitHub usually answers within a few days, sometimes after weeks", texts::utc(*.0))]
    Asked(Timestamp),
    /// It may have been asked for.
    #[error("it may have been asked for already, {}: the answer was lost. Look on the advisory’s page whether it says “CVE requested”; if not, ask there. Wardroom does not ask twice", texts::utc(*.0))]
    Perhaps(Timestamp),
    /// GitHub gives them for public repositories only.
    #[error(
        "GitHub gives CVE IDs for advisories of public repositories only; ask another CNA, and write it down with `/wardroom cve set CVE-…`"
    )]
    NotPublic,
    /// Drafts and published advisories only.
    #[error("the advisory is {0}: GitHub gives CVE IDs for drafts and published advisories")]
    WrongState(&'static str),
    /// It needs affected versions.
    #[error(
        "the advisory does not say which versions are affected, and GitHub asks for that; fill **Affects versions**, then `/wardroom sync to-advisory affected`"
    )]
    NoRange,
}

/// Whether GitHub may be asked now. Only a command by someone who may reaches this question.
///
/// # Errors
/// Why not, in words that end a sentence.
pub fn may_ask(advisory: &Advisory, known: &Known, repository_is_public: bool, asked: Asked) -> Result<(), NotNow> {
    if let Some(cve) = advisory.cve().or_else(|| known.cve.clone()) {
        return Err(NotNow::Assigned(cve));
    }
    match asked {
        Asked::At(at) => return Err(NotNow::Asked(at)),
        Asked::Perhaps(at) => return Err(NotNow::Perhaps(at)),
        Asked::Never => {}
    }
    if !repository_is_public {
        return Err(NotNow::NotPublic);
    }
    if !matches!(advisory.state, AdvisoryState::Draft | AdvisoryState::Published) {
        return Err(NotNow::WrongState(advisory.state.word()));
    }
    let says_range = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !advisory.vulnerabilities.iter().any(|one| says_range(&one.vulnerable_version_range)) {
        return Err(NotNow::NoRange);
    }
    Ok(())
}

/// What GitHub's answer to a request means, as a text for the tracking issue. `status` is 202, 400, 403, 404 or 422;
/// `message` is GitHub's own, which quotes nothing that was sent.
pub fn answer(status: u16, message: &str, at: Timestamp) -> String {
    let said =
        if message.is_empty() { String::new() } else { format!(" GitHub says: {}.", fence::code_span(message, 160)) };
    match status {
        202 => format!(
            "A CVE ID was asked for, {}. GitHub’s team looks at each request, usually within a few days, sometimes after \
             weeks. Nothing waits for it: the advisory can be published before, and the ID is filled in when it comes.",
            texts::utc(at)
        ),
        400 => format!("GitHub did not understand the request for a CVE ID.{said} Ask on the advisory’s page instead."),
        403 => format!(
            "GitHub does not let Wardroom ask for a CVE ID.{said} It needs the permission “Repository security advisories: \
             write” on a public repository. An admin can ask on the advisory’s page."
        ),
        404 => {
            "GitHub does not know this advisory, or Wardroom may not see it: no CVE ID was asked for. Check the GHSA \
                id, and that the App is installed on the advisory’s repository."
                .to_owned()
        }
        422 => format!(
            "GitHub does not take the request for a CVE ID as it is.{said} Usually something in the advisory is missing, \
             or another CNA is responsible for this product. Put it right and say it again, or ask on the advisory’s page."
        ),
        _ => {
            format!("GitHub did not take the request for a CVE ID (status {status}).{said} Ask on the advisory’s page.")
        }
    }
}
