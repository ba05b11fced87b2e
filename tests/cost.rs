//! What Wardroom costs in calls, beside the bot that one writes first. Measured by the simulated GitHub's call log, where
//! both really run; the table in `docs/cost.md` is kept current.
//!
//! `WARDROOM_WRITE_DOCS=1 cargo test --test cost` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use support::room::{Room, TEMPLATE, repo};
use wardroom::cli::demo::{self, Tally};
use wardroom::domain::facts::Role;
use wardroom::github::transport::{Method, Request, Transport};
use wardroom::sim::{CallRecord, SimTransport, Visibility, World};

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

/// The bot that one writes first, on the checklist of a fresh issue, for so many ticks, ten seconds apart.
async fn naive(ticks: usize) -> Cost {
    let world = Arc::new(World::new());
    let tracker = repo("octo/security");
    world.add_repo(&tracker, Visibility::Private);
    world.add_user("alice");
    world.collaborator(&tracker, "alice", Role::Admin);
    world.add_app("naive", std::slice::from_ref(&tracker), &[("issues", "write"), ("metadata", "read")]);
    let issue = world.person("alice").open_issue(&tracker, "Incident", TEMPLATE, &["progress-0"]).unwrap();
    let bot = SimTransport::new(world.clone(), "token-naive");
    for tick in 1..=ticks {
        world.person("alice").tick(&tracker, issue, &format!("T{tick}")).unwrap();
        world.advance(jiff::SignedDuration::from_secs(10));
        naive_look(&bot, issue).await;
        assert_eq!(world.labels_of(&tracker, issue), [format!("progress-{tick}")]);
    }
    cost(&world.calls())
}

async fn naive_look(bot: &SimTransport, issue: u64) {
    let at = format!("/repos/octo/security/issues/{issue}");
    let read = call(bot, Method::Get, at.clone(), None).await;
    let done = read["body"].as_str().unwrap().matches("- [x]").count();
    let old = read["labels"][0]["name"].as_str().unwrap();
    // Which labels there are, so as to create what is missing; GitHub creates it anyway.
    let there = call(bot, Method::Get, "/repos/octo/security/labels?per_page=100".to_owned(), None).await;
    assert!(there.as_array().is_some_and(|labels| labels.iter().any(|label| label["name"] == old)));
    call(bot, Method::Delete, format!("{at}/labels/{old}"), None).await;
    call(bot, Method::Post, format!("{at}/labels"), Some(json!({ "labels": [format!("progress-{done}")] }))).await;
    call(bot, Method::Post, format!("{at}/comments"), Some(json!({ "body": format!("{done} tasks are done.") }))).await;
}

async fn call(bot: &SimTransport, method: Method, path: String, body: Option<Value>) -> Value {
    let answer = bot.send(Request { method, path, body, etag: None }).await.unwrap();
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    serde_json::from_slice(&answer.body).unwrap_or_default()
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
