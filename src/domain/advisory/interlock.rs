//! Release and advisory belong together. A fix that is out while its advisory is a draft tells attackers and not users; an
//! advisory without its release tells users and leaves them without help.

use jiff::Timestamp;

use super::evidence::VersionRelease;
use super::facts::{Advisory, AdvisoryState};
use crate::domain::fence;
use crate::domain::policy::Policy;
use crate::domain::texts::utc;

/// The two are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Apart {
    /// A fixed version is released, and the advisory is not published.
    ReleasedFirst {
        /// The tags that are out.
        tags: Vec<String>,
        /// When the first of them came out.
        since: Option<Timestamp>,
    },
    /// The advisory is published, and a fixed version is not released.
    PublishedFirst {
        /// The tags that lack something, each with what.
        lacking: Vec<String>,
        /// When the advisory was published.
        since: Option<Timestamp>,
    },
}

/// Whether release and advisory are apart. Without fixed versions there is nothing to compare.
pub fn apart(advisory: &Advisory, releases: &[VersionRelease]) -> Option<Apart> {
    match advisory.state {
        AdvisoryState::Published => {
            let lacking: Vec<String> = releases
                .iter()
                .filter_map(|one| Some(format!("{} {}", fence::code_span(&one.tag, 100), one.lacks()?)))
                .collect();
            (!lacking.is_empty()).then_some(Apart::PublishedFirst { lacking, since: advisory.published_at })
        }
        AdvisoryState::Draft | AdvisoryState::Triage => {
            let out: Vec<&VersionRelease> = releases.iter().filter(|one| one.out().is_some()).collect();
            let since = out.iter().filter_map(|one| one.out_at()).min();
            let tags: Vec<String> = out.iter().map(|one| fence::code_span(&one.tag, 100)).collect();
            (!tags.is_empty()).then_some(Apart::ReleasedFirst { tags, since })
        }
        AdvisoryState::Closed | AdvisoryState::Withdrawn | AdvisoryState::Other => None,
    }
}

impl Apart {
    /// Since when; `None` where GitHub does not say.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Apart::ReleasedFirst { since, .. } | Apart::PublishedFirst { since, .. } => *since,
        }
    }

    /// When a person is reminded: the policy's `advisory_gap` later.
    pub fn remind_at(&self, policy: &Policy) -> Option<Timestamp> {
        self.since()?.checked_add(policy.advisory_gap()).ok()
    }

    /// The line for the status comment, in Markdown.
    pub fn words(&self) -> String {
        let since = self.since().map_or_else(String::new, |at| format!(" since {}", utc(at)));
        match self {
            Apart::ReleasedFirst { tags, .. } => {
                let be = if tags.len() == 1 { "is" } else { "are" };
                format!(
                    "**The fix is out and the advisory is not.** {} {be} public{since}: whoever compares versions can find \
                     the vulnerability, and users do not know that they must update. Publish the advisory now.",
                    tags.join(", ")
                )
            }
            Apart::PublishedFirst { lacking, .. } => format!(
                "**The advisory is public and the fix is not.** It was published{}, and {}. Release the fixed version now.",
                self.since().map_or_else(String::new, |at| format!(" {}", utc(at))),
                lacking.join("; ")
            ),
        }
    }
}
