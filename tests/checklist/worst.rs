//! The worst bodies of the bench, read in a test: no panic, no time that grows with the square of the length.

use std::time::{Duration, Instant};

use wardroom::domain::checklist::{Checklist, LONGEST_BODY};

#[path = "../../bench/checklist/worst.rs"]
mod bodies;

/// Without optimisation and beside other tests a body takes some hundredths of a second. Where every line costs as much
/// as the containers around it, the worst of them takes more than five seconds.
const LIMIT: Duration = Duration::from_secs(2);

#[test]
fn the_worst_bodies_are_read_in_time() {
    for (name, body) in bodies::bodies() {
        let characters = body.chars().count();
        assert!(characters <= LONGEST_BODY && characters > LONGEST_BODY - 10, "{name}: {characters} characters");
        let start = Instant::now();
        let checklist = Checklist::parse(&body);
        assert!(start.elapsed() < LIMIT, "{name}: {:?}", start.elapsed());
        let said = checklist.tasks().map(|task| task.key().len() + task.text.len()).sum::<usize>();
        let group = checklist.tasks().filter_map(|task| task.group.as_ref()).map(String::len).max().unwrap_or(0);
        assert!(
            said <= 8 * body.len() + checklist.totals().tasks * 300 && group <= 800,
            "{name}: {said} bytes of text"
        );
    }
}

#[test]
fn what_is_nested_too_deep_is_text() {
    let tasks = |depth: usize| Checklist::parse(&format!("{}[x] a\n- [ ] b\n", "- ".repeat(depth))).totals().tasks;
    assert_eq!((tasks(32), tasks(33), tasks(30_000)), (2, 1, 1));
}
