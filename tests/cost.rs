//! What Wardroom costs in calls, beside the bot that one writes first. Measured by the simulated GitHub's call log, where
//! both really run; the table in `docs/cost.md` is kept current.
//!
//! `WARDROOM_WRITE_DOCS=1 cargo test --test cost` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use support::room::Room;
use wardroom::cli::demo::{self, Tally};
use wardroom::sim::CallRecord;

const PAGE: &str = "docs/cost.md";
/// The last line that is written by hand.
const MEASURED: &str = "<!-- What follows is measured by tests/cost.rs, which keeps it current. -->\n";

/// What a measured stretch took.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cost {
    calls: Vec<String>,
    tally: Tally,
    /// New comments: each mails everyone who watches.
    comments: usize,
}

fn cost(calls: &[CallRecord]) -> Cost {
    let comments = calls.iter().filter(|call| call.method == "POST" && call.route == "R/issues/{n}/comments").count();
    let calls_in_words = calls.iter().map(|call| format!("{} {} {}", call.method, call.route, call.status));
    Cost { calls: calls_in_words.collect(), tally: Tally::of(calls), comments }
}

/// An incident at rest, an hour after it was opened.
async fn at_rest() -> (Room, u64) {
    let mut room = Room::new();
    room.report("Crash", "It dies.");
    room.settle().await;
    room.wait(3600);
    room.world.clear_calls();
    let incident = room.incident();
    (room, incident)
}

/// So many boxes ticked within a second, T1 left open so that the phase stays, and all that follows.
async fn ticks(count: usize) -> Cost {
    let (mut room, incident) = at_rest().await;
    for number in 2..2 + count {
        room.as_(["alice", "bob"][number % 2]).tick(&room.tracker, incident, &format!("T{number}")).unwrap();
    }
    room.settle().await;
    assert_eq!(room.failures, Vec::<String>::new());
    assert!(room.status(incident).contains(&format!("ticked “{}", "Assess CVSS")), "{}", room.status(incident));
    cost(&room.world.calls())
}

async fn steady_look() -> Cost {
    let (room, incident) = at_rest().await;
    let looked = room.look(incident).await;
    assert_eq!((looked.writes, looked.steps.len()), (0, 0));
    cost(&room.world.calls())
}

/// How many incidents the day of sweeps is about.
const OPEN: usize = 10;

/// A day of sweeps over incidents where nothing happens: each was looked at once since its opening.
async fn day_of_sweeps() -> Cost {
    let mut room = Room::new();
    for number in 0..OPEN {
        room.report(&format!("Crash {number}"), "It dies.");
        room.settle().await;
        room.wait(3600);
    }
    room.sweep().await;
    assert_eq!(room.incidents().len(), OPEN);
    room.world.clear_calls();
    for _ in 0..24 * 4 {
        room.wait(15 * 60);
        room.sweep().await;
    }
    assert_eq!(room.failures, Vec::<String>::new());
    cost(&room.world.calls())
}

async fn naive(ticks: usize) -> Cost {
    cost(&support::naive::naive(ticks, &[]).await)
}

#[tokio::test]
async fn a_steady_look_is_two_reads() {
    let cost = steady_look().await;
    assert_eq!(cost.calls, ["GET R/issues/{n} 200", "GET R/issues/{n}/comments 200"]);
}

#[tokio::test]
async fn ten_ticks_within_the_quiet_time_cost_as_much_as_one() {
    let one = ticks(1).await;
    assert_eq!(one, ticks(10).await);
    assert_eq!((one.tally.writes, one.comments), (1, 0), "{:?}", one.calls);
}

#[tokio::test]
async fn a_sweep_looks_at_what_changed_and_at_all_else_once_a_day() {
    let cost = day_of_sweeps().await;
    let looks = cost.calls.iter().filter(|call| call.starts_with("GET R/issues/{n} ")).count();
    assert_eq!((looks, cost.tally.writes), (OPEN, 0));
}

#[tokio::test]
async fn the_page_is_current() {
    let mut told = Vec::new();
    let played = demo::play(&mut told, false, false).await.unwrap();
    let whole = cost(&played.calls);
    let rows = [
        (format!("The whole incident of `wardroom demo`, {} ticks", played.ticks), whole, naive(played.ticks).await),
        ("One tick".to_owned(), ticks(1).await, naive(1).await),
        ("Ten ticks within the quiet time".to_owned(), ticks(10).await, naive(10).await),
        ("A look where nothing changed".to_owned(), steady_look().await, naive(0).await),
        (format!("A day of sweeps over {OPEN} incidents at rest"), day_of_sweeps().await, naive(0).await),
    ];
    let mut table =
        "| | Reads | Writes | GraphQL | All calls | New comments | The first bot’s calls | Its new comments |\n\
                     |---|--:|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for (what, ours, theirs) in &rows {
        let Tally { reads, writes, graphql } = ours.tally;
        let theirs = [theirs.tally.total(), theirs.comments].map(|n| n.to_string());
        let all = ours.tally.total();
        writeln!(
            table,
            "| {what} | {reads} | {writes} | {graphql} | {all} | {} | {} | {} |",
            ours.comments, theirs[0], theirs[1]
        )
        .unwrap();
    }
    keep_current(&table);
}

fn keep_current(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (by_hand, _) = page.split_once(MEASURED).expect("the line before the measured part");
    let wanted = format!("{by_hand}{MEASURED}\n{table}");
    if std::env::var_os("WARDROOM_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == wanted,
        "{PAGE} is out of date: run `WARDROOM_WRITE_DOCS=1 cargo test --test cost`, and commit it; measured now:\n{table}",
    );
}
