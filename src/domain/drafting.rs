//! The policy `draft: at-mitigation`: when phase 2 begins the advisory is drafted without a command, once.
//!
//! The moment of the try goes into the status comment before it. If the answer is lost, the list of drafts shows what was
//! made. Once the fields have named an advisory, or the try is an hour old, none is made by itself any more: whoever takes
//! a draft away meant it.

use jiff::{SignedDuration, Timestamp};

use super::advisory::request::NewAdvisory;
use super::advisory::{Advisory, AdvisoryState, Ghsa};
use super::decisions::Decisions;
use super::incident::{self, Standing};
use super::memory::Memory;
use super::observed::Observed;
use super::plan::head_marker;
use super::policy::{DraftWhen, Policy};
use super::texts;

/// The phase with which the mitigation begins.
const MITIGATION: u32 = 2;

/// A try whose answer was lost is made again for so long.
const TRIES: SignedDuration = SignedDuration::from_hours(1);

/// The mark in [`Memory::filled`] that the fields have named an advisory.
pub const NAMED: &str = "draft=named";

/// A draft is due by the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it was tried before.
    pub tried: Option<Timestamp>,
}

impl Due {
    /// Whether it may be made now; else it is only looked for.
    pub fn may_be_made(&self, now: Timestamp) -> bool {
        self.tried.is_none_or(|at| now.duration_since(at) < TRIES)
    }
}

/// Whether a draft is due. A command for one, and a pause, come first.
pub fn due(observed: &Observed, policy: &Policy, decisions: &Decisions<'_>, memory: &Memory) -> Option<Due> {
    if policy.draft != DraftWhen::AtMitigation || policy.advisories.repository.is_none() {
        return None;
    }
    if decisions.paused.is_some() || decisions.drafted.is_some() || memory.filled.contains(NAMED) {
        return None;
    }
    let checklist = observed.read(observed.issue.text());
    let begun = match Standing::of(&observed.issue, &checklist) {
        Standing::Phase(index) => incident::phase_order(&checklist, index) >= MITIGATION,
        _ => false,
    };
    let refused = texts::marker(texts::DRAFT_REFUSED, "1");
    let mut mine = observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref()));
    let was_refused = mine.any(|comment| head_marker(comment.text()) == Some(refused.as_str()));
    (begun && !was_refused).then_some(Due { tried: memory.drafting })
}

/// Whether a draft was tried by itself, or an advisory was named.
pub fn was_tried(memory: &Memory) -> bool {
    memory.drafting.is_some() || memory.filled.contains(NAMED)
}

/// The draft that an earlier look made, if its answer was lost: one of the same words, else the oldest one since the try
/// that no other incident names.
pub fn found(observed: &Observed, due: Due, wanted: &NewAdvisory) -> Option<Ghsa> {
    let since =
        |advisory: &Advisory, at: Option<Timestamp>| at.zip(advisory.created_at).is_some_and(|(at, made)| made >= at);
    let own = |advisory: &&Advisory| {
        observed.is_mine(advisory.author.as_ref())
            && advisory.state == AdvisoryState::Draft
            && since(advisory, observed.issue.created_at)
            && advisory.id().is_some_and(|id| !observed.linked_elsewhere.contains(&id))
    };
    let drafts: Vec<&Advisory> = observed.drafts.iter().flatten().filter(own).collect();
    let same = drafts.iter().filter(|advisory| wanted.is(advisory)).min_by_key(|advisory| advisory.created_at);
    let later =
        || drafts.iter().filter(|advisory| since(advisory, due.tried)).min_by_key(|advisory| advisory.created_at);
    same.or_else(later).and_then(|advisory| advisory.id())
}
