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

fn only(text: &[String]) -> &str {
    assert_eq!(text.len(), 1, "{text:?}");
    &text[0]
}

/// A room with one open incident.
/// The routes of Wardroom's writes, and how often each was called.
fn writes(room: &Room) -> String {
    let mut routes: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for call in room.writes() {
        *routes.entry(format!("{} {}", call.method, call.route)).or_default() += 1;
    }
    routes.iter().map(|(route, count)| format!("{count} x {route}\n")).collect()
}

async fn incident() -> (Room, u64) {
    let mut room = Room::new();
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    room.world.clear_calls();
    (room, number)
}

#[tokio::test]
async fn two_people_tick_and_the_labels_follow() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    for task in ["T1", "T2", "T3"] {
        room.as_("alice").tick(&tracker, number, task).unwrap();
        room.as_("bob")
            .tick(
                &tracker,
                number,
                if task == "T1" {
                    "T4"
                } else if task == "T2" {
                    "T5"
                } else {
                    "T6"
                },
            )
            .unwrap();
    }
    room.as_("bob").set_field(&tracker, number, "CVSS Score", "7.5").unwrap();
    room.as_("alice").set_field(&tracker, number, "Affects versions", "1.4.0 to 1.2.0").unwrap();
    room.as_("alice").set_field(&tracker, number, "Evidence of exploitation", "Found").unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), ["exploited", "incident", "phase/2-mitigation", "severity/high"]);
    insta::assert_snapshot!("two_people", room.status(number));
    insta::assert_snapshot!(writes(&room), @"
    1 x DELETE R/issues/{n}/labels/{name}
    2 x PATCH R/issues/comments/{id}
    1 x PATCH R/issues/{n}
    3 x POST R/issues/{n}/labels
    3 x POST R/labels
    ");
}

#[tokio::test]
async fn all_done_and_closed_is_resolved() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    for task in 1..=38 {
        room.as_("bob").tick(&tracker, number, &format!("T{task}")).unwrap();
    }
    room.settle().await;
    assert_eq!(room.labels(number), ["incident", "phase/review"]);
    room.as_("alice").close(&tracker, number, "completed").unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), ["incident", "resolved"]);
    room.as_("alice").reopen(&tracker, number).unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), ["incident", "phase/review"]);
    assert_eq!(room.said(&tracker, number), Vec::<String>::new());
    insta::assert_snapshot!(writes(&room), @"
    3 x DELETE R/issues/{n}/labels/{name}
    3 x PATCH R/issues/comments/{id}
    3 x POST R/issues/{n}/labels
    2 x POST R/labels
    ");
}

#[tokio::test]
async fn whatever_becomes_of_the_report_is_one_line() {
    for (act, words) in [
        ("close", "was closed"),
        ("unlabel", "lost its label"),
        ("delete", "was deleted"),
        ("transfer", "was transferred"),
    ] {
        let (mut room, number) = incident().await;
        let tracker = room.tracker.clone();
        match act {
            "close" => room.as_("rita").close(&tracker, 1, "completed").unwrap(),
            "unlabel" => room.as_("alice").unlabel(&tracker, 1, "security-report").unwrap(),
            "delete" => room.as_("alice").delete_issue(&tracker, 1).unwrap(),
            _ => {
                room.as_("alice").transfer(&tracker, 1, &support::room::repo("octo/private-reports")).unwrap();
            }
        }
        room.settle().await;
        let line = room.status(number).lines().find(|line| line.contains("This incident goes on")).map(str::to_owned);
        assert!(line.as_ref().is_some_and(|line| line.contains(words)), "{act}: {line:?}\n{}", room.status(number));
        assert!(room.world.issue_now(&tracker, number).unwrap().is_open());
        room.heal().await;
        assert_eq!(writes(&room), "1 x PATCH R/issues/comments/{id}\n", "{act}");
    }
}

#[tokio::test]
async fn a_deleted_or_transferred_tracking_issue_is_left_alone() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    room.as_("alice").delete_issue(&tracker, number).unwrap();
    room.settle().await;
    room.heal().await;
    room.lose_store();
    room.heal().await;
    assert_eq!(room.incidents().len(), 0, "someone may be purging a leak");

    let (mut room, number) = incident().await;
    let new = room.as_("alice").transfer(&tracker, number, &support::room::repo("octo/mail")).unwrap();
    room.settle().await;
    room.heal().await;
    assert!(room.writes().iter().all(|call| !call.path.contains("octo/mail")), "{:?}", room.writes());
    assert!(room.world.labels_of(&support::room::repo("octo/mail"), new).is_empty());
}

#[tokio::test]
async fn a_merged_incident_points_to_the_other() {
    let (mut room, first) = incident().await;
    let tracker = room.tracker.clone();
    room.report("The same crash", "x");
    room.settle().await;
    let second = room.incidents().iter().map(|issue| issue.number).max().unwrap();
    room.as_("bob").comment(&tracker, second, "/wardroom merge #1").unwrap();
    room.as_("bob").comment(&tracker, second, &format!("/wardroom merge #{first}")).unwrap();
    room.settle().await;
    assert_eq!(room.labels(second), ["incident", "rejected"]);
    insta::assert_snapshot!("merged_into", only(&room.said(&tracker, first)));
    insta::assert_snapshot!("merged", room.said(&tracker, second).join("\n---\n"));
    insta::assert_snapshot!(writes(&room), @"
    1 x DELETE R/issues/{n}/labels/{name}
    1 x PATCH R/issues/comments/{id}
    1 x PATCH R/issues/{n}
    1 x POST R/issues
    2 x POST R/issues/comments/{id}/reactions
    6 x POST R/issues/{n}/comments
    1 x POST R/issues/{n}/labels
    1 x POST R/labels
    ");
}

#[tokio::test]
async fn help_is_a_reply_and_nothing_else() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    room.as_("bob").comment(&tracker, number, "/wardroom help").unwrap();
    room.settle().await;
    insta::assert_snapshot!("help", only(&room.said(&tracker, number)));
    let routes: Vec<String> = room.writes().iter().map(|call| format!("{} {}", call.method, call.route)).collect();
    assert_eq!(routes, ["POST R/issues/{n}/comments", "POST R/issues/comments/{id}/reactions"]);
}

#[tokio::test]
async fn a_checklist_that_is_already_running_is_adopted() {
    let mut room = Room::new();
    let tracker = room.tracker.clone();
    let body = "# Response\n\n## Triage\n\n- [x] Read it\n\n## Fix\n\n* [ ] Write it\n* [ ] Ship it\n";
    let number = room.as_("bob").open_issue(&tracker, "By hand", body, &[]).unwrap();
    room.as_("rita").comment(&tracker, number, "/wardroom adopt").unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), Vec::<String>::new());
    room.as_("bob").comment(&tracker, number, "/wardroom adopt").unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), ["incident", "phase/2-fix"]);
    insta::assert_snapshot!("adopted", room.said(&tracker, number).join("\n---\n"));
    room.as_("bob").edit_body(&tracker, number, |body| body.replace("[ ]", "[x]")).unwrap();
    room.settle().await;
    assert_eq!(room.labels(number), ["incident", "phase/review"]);
    insta::assert_snapshot!(writes(&room), @"
    1 x DELETE R/issues/{n}/labels/{name}
    1 x PATCH R/issues/comments/{id}
    2 x POST R/issues/comments/{id}/reactions
    3 x POST R/issues/{n}/comments
    3 x POST R/issues/{n}/labels
    3 x POST R/labels
    ");
}

#[tokio::test]
async fn old_reports_wait_for_a_person_and_many_do_not_come_at_once() {
    use wardroom::domain::policy::{Policy, Reports};
    let reports = Reports { since: Some("2026-03-03".into()), open_per_hour: 2, ..Reports::default() };
    let mut room = Room::with_policy(Policy { reports, ..Policy::default() });
    let tracker = room.tracker.clone();
    room.as_("rita").open_by_form(&tracker, "Old", "x", &["security-report"]).unwrap();
    room.world.take_deliveries();
    room.heal().await;
    assert_eq!(room.incidents().len(), 0);
    room.wait(2 * 86_400);
    for n in 0..4 {
        room.as_("rita").open_by_form(&tracker, &format!("New {n}"), "x", &["security-report"]).unwrap();
    }
    room.world.take_deliveries();
    let swept = room.engine.sweep(&[]).await.unwrap();
    assert_eq!(swept.subjects.len(), 5);
    let mut waiting = Vec::new();
    for subject in &swept.subjects {
        waiting.extend(room.engine.look(subject, 0).await.unwrap().notes);
    }
    insta::assert_snapshot!("waiting", waiting.join("\n"));
    assert_eq!(room.incidents().len(), 2);
    let old = "octo/security#1".parse().unwrap();
    room.engine.sweep(&[old]).await.unwrap();
    room.engine.look(&"report octo/security#1".parse().unwrap(), 0).await.unwrap();
    assert_eq!(room.incidents().len(), 3, "a person asked for it");
}

#[tokio::test]
async fn without_graphql_or_roles_the_look_goes_on_and_says_so() {
    let mut room = Room::on_a_lesser_server();
    room.report("Crash", "x");
    room.settle().await;
    let number = room.incident();
    let tracker = room.tracker.clone();
    room.as_("bob").tick(&tracker, number, "T1").unwrap();
    room.as_("bob").comment(&tracker, number, "/wardroom pause").unwrap();
    room.settle().await;
    room.as_("alice").comment(&tracker, number, "/wardroom na T2 no time").unwrap();
    room.settle().await;
    assert_eq!(room.failures, Vec::<String>::new());
    assert_eq!(room.labels(number), ["incident", "phase/1-assessment"]);
    insta::assert_snapshot!("degraded", room.status(number));
    assert_eq!(room.said(&tracker, number), Vec::<String>::new(), "nobody is told that they have no role");
    let asked = room.world.calls().iter().filter(|call| call.path.contains("/collaborators/")).count();
    assert_eq!(asked, 1, "once is enough to know that this server tells no roles");
}

#[tokio::test]
async fn who_cannot_be_assigned_costs_nobody_else_and_is_named_once() {
    use wardroom::domain::policy::Policy;
    let roster = ["alice", "mallory", "bob", "gone"].map(str::to_owned).to_vec();
    let mut room = Room::with_policy(Policy { roster, ..Policy::default() });
    room.report("Crash", "x");
    room.wait(5);
    let looked = room.engine.look(&"report octo/security#1".parse().unwrap(), 0).await.unwrap();
    let number = room.incident();
    let assigned = room.world.issue_now(&room.tracker, number).unwrap().assignees;
    assert_eq!(assigned.iter().map(|who| who.login.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    insta::assert_snapshot!("not_assigned", looked.notes.join("\n"));
    room.settle().await;
    assert_eq!((room.incidents().len(), room.failures.as_slice()), (1, [].as_slice()));
}

#[tokio::test]
async fn watch_mode_writes_nothing_and_says_what_it_would_do() {
    use wardroom::domain::policy::{Mode, Policy};
    let mut room = Room::with_policy(Policy { mode: Mode::Watch, ..Policy::default() });
    room.report("Crash", "x");
    let looked = room.engine.look(&"report octo/security#1".parse().unwrap(), 0).await.unwrap();
    assert_eq!(looked.steps, ["open a tracking issue for octo/security#1", "acknowledge octo/security#1"]);
    room.settle().await;
    assert_eq!(room.writes(), []);
}
