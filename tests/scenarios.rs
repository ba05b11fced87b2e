//! What people do and what Wardroom does, told in users' verbs over the simulated GitHub and the real client.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use support::room::Room;

#[tokio::test]
async fn a_labelled_report_becomes_one_tracking_issue() {
    let mut room = Room::new();
    let report = room.report("Crash @everyone", "Send `[x]` and it dies.\n- [x] not a task\n");
    room.settle().await;
    let incident = room.incident();
    assert_eq!(room.failures, Vec::<String>::new());
    assert_eq!(room.labels(incident), ["incident", "phase/1-assessment"]);
    assert_eq!(room.incidents()[0].title, "Incident 2026-001");
    insta::assert_snapshot!("opened_body", room.body(incident));
    insta::assert_snapshot!("acknowledgement", room.said(&room.tracker, report).join("\n---\n"));
    let log = room.world.calls().iter().map(|c| format!("{} {} {}", c.method, c.route, c.status)).collect::<Vec<_>>();
    insta::assert_snapshot!("opening_calls", log.join("\n"));
}
