//! What holds for the policy whatever the file holds. Used by the fuzz target and by `tests/policy_laws.rs`.

use wardroom::domain::policy::{COMMANDS, LabelKey, MAX_BYTES, MAX_DESCRIPTION, MAX_LABEL, Policy};

/// Reads the bytes as a policy; panics where a law is broken. Returns whether they are one.
pub(crate) fn holds(bytes: &[u8]) -> bool {
    match Policy::load_bytes(bytes) {
        Ok(policy) => {
            usable(&policy);
            true
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            assert!(error.problems().is_sorted());
            let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1;
            for problem in error.problems() {
                assert!((1..=lines + 1).contains(&problem.at.line) && problem.at.column >= 1, "{error}");
                assert!(!problem.message.contains(['\n', '\r', '\0', '\u{1b}', '\u{202e}']), "{error}");
            }
            assert!(error.to_string().len() < 100_000);
            false
        }
    }
}

/// A policy that was read is within GitHub's limits, widens nothing, and is read the same when it is written out.
fn usable(policy: &Policy) {
    let mut names = Vec::new();
    for label in LabelKey::ALL.map(|key| policy.label(key)) {
        assert!((1..=MAX_LABEL).contains(&label.name.chars().count()), "{label:?}");
        assert!(label.description.chars().count() <= MAX_DESCRIPTION, "{label:?}");
        assert!(label.color.len() == 6 && label.color.bytes().all(|b| b.is_ascii_hexdigit()), "{label:?}");
        assert!(policy.owns_label(&label.name).is_some(), "{label:?}");
        names.push(label.name.to_lowercase());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), LabelKey::ALL.len());
    assert!(policy.owns_label(&policy.reports.label).is_none());
    for command in COMMANDS {
        assert!(policy.required_role(command.word).at_least >= command.at_least);
    }
    assert!((1..=100).contains(&policy.reports.open_per_hour) && policy.roster.len() <= 10);
    assert_eq!(policy.reports.since.is_some(), policy.reports.since().is_some());
    assert!(policy.zone == "UTC" || policy.time_zone().iana_name().is_some());
    let written = serde_json::to_string(policy).unwrap();
    if written.len() <= MAX_BYTES {
        assert_eq!(&Policy::load(&written).unwrap_or_else(|error| panic!("{written}\n{error}")), policy);
    }
}
