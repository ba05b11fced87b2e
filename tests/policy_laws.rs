//! The laws of the policy, driven by generated and damaged files; `cargo fuzz run policy` drives the same laws.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;

#[path = "../fuzz/laws/policy.rs"]
mod law;

/// The policy of `docs/policy.md` that names every key.
fn full() -> &'static str {
    let page = include_str!("../docs/policy.md");
    page.split("```yaml\n").nth(2).unwrap().split_once("```").unwrap().0
}

#[test]
fn the_full_policy_keeps_the_laws() {
    assert!(law::holds(full().as_bytes()));
    assert!(law::holds(b""));
    assert!(!law::holds(b"mode: \x1b[31m\nzone: \"\xe2\x80\xae\""));
}

proptest! {
    #[test]
    fn any_text_is_a_policy_or_its_problems(text in "\\PC{0,200}|[a-z:\\-\\[\\]{},&*!|>'\"#%@ \n\t~?]{0,120}") {
        law::holds(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_policy_or_its_problems(bytes: Vec<u8>) {
        law::holds(&bytes);
    }

    #[test]
    fn a_damaged_policy_is_a_policy_or_its_problems(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), 0..30usize, "\\PC{0,8}|\n *|[\r\u{85}\u{2028}]"), 1..4),
    ) {
        let mut text: Vec<char> = full().chars().collect();
        for (at, gone, put) in damage {
            let at = at.index(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, put.chars());
        }
        law::holds(text.iter().collect::<String>().as_bytes());
    }

    #[test]
    fn lines_in_another_order_are_a_policy_or_their_problems(lines in Just(full().lines().collect::<Vec<_>>()).prop_shuffle(), kept in 0..40usize) {
        let kept = lines.into_iter().take(kept).collect::<Vec<_>>().join("\n");
        law::holds(kept.as_bytes());
    }
}
