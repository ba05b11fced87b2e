//! Which labels should hang on a tracking issue, and the single changes that bring it there.

use super::checklist::Checklist;
use super::facts::Issue;
use super::findings::Findings;
use super::incident::{Standing, phase_order};
use super::policy::{LabelGroup, LabelKey, LabelSpec, Policy};

/// One change of one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelChange {
    /// Hang it there, creating it in the repository where it is missing.
    Add(LabelSpec),
    /// Take it off.
    Remove(String),
}

/// The label of the phase, the review or the closed state.
pub fn phase_label(checklist: &Checklist, standing: &Standing, policy: &Policy) -> Option<LabelSpec> {
    match standing {
        Standing::Phase(index) | Standing::ClosedEarly(index) => {
            let phase = checklist.phases.get(*index)?;
            // Tasks under no heading at all are no phase that a label could name.
            if phase.number.is_none() && phase.title.is_empty() {
                return None;
            }
            policy.phase_label(Some(phase_order(checklist, *index)), &phase.title)
        }
        Standing::Review => Some(policy.label(LabelKey::Review)),
        Standing::Resolved => Some(policy.label(LabelKey::Resolved)),
        Standing::Rejected => Some(policy.label(LabelKey::Rejected)),
        Standing::NoTasks => None,
    }
}

/// The changes that make the labels true: only single labels, only Wardroom's own. `cve_pending`: a CVE ID was asked for
/// and has not come; `None` where nobody can know, and then a person's label stays.
pub fn changes(
    issue: &Issue,
    checklist: &Checklist,
    standing: &Standing,
    findings: &Findings,
    paused: bool,
    cve_pending: Option<bool>,
    policy: &Policy,
) -> Vec<LabelChange> {
    let pause = policy.label(LabelKey::Paused);
    if paused {
        let missing = !issue.has_label(&pause.name);
        return missing.then_some(LabelChange::Add(pause)).into_iter().collect();
    }
    let mut wanted = vec![policy.label(LabelKey::Incident)];
    wanted.extend(phase_label(checklist, standing, policy));
    wanted.extend(findings.severity.and_then(LabelKey::of_severity).map(|key| policy.label(key)));
    if findings.exploited {
        wanted.push(policy.label(LabelKey::Exploited));
    }
    if cve_pending == Some(true) {
        wanted.push(policy.label(LabelKey::CvePending));
    }
    let is_wanted = |name: &str| wanted.iter().any(|label| label.name.eq_ignore_ascii_case(name));
    let managed = |name: &str| match policy.owns_label(name) {
        Some(LabelGroup::Phase | LabelGroup::Severity) => true,
        Some(LabelGroup::Flag(key)) => match key {
            LabelKey::Exploited | LabelKey::Paused => true,
            LabelKey::CvePending => cve_pending == Some(false),
            _ => false,
        },
        None => policy.owned_before(name),
    };
    let off = issue.labels.iter().filter(|label| managed(&label.name) && !is_wanted(&label.name));
    let mut changes: Vec<LabelChange> = off.map(|label| LabelChange::Remove(label.name.clone())).collect();
    let on = wanted.iter().filter(|label| !issue.has_label(&label.name));
    changes.extend(on.cloned().map(LabelChange::Add));
    changes
}
