//! Private vulnerability reports become incidents, in users' verbs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::policy;
use support::reports::{field, report, reported, room, said, say, section, state, unnamed};
use support::room::{Room, repo};
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::domain::policy::{Policy, Reports};
use wardroom::sim::{Fault, When};

#[tokio::test]
async fn a_private_report_opens_one_incident_that_shows_it_and_proposes_its_fields() {
    let mut room = room();
    let id = report(&room);
    room.settle().await;
    let number = room.incident();
    let body = room.body(number);
    insta::assert_snapshot!(unnamed(body.split("\n## Phase").next().unwrap(), &id), @"
    ## The report

    [octo/mail#GHSA-ID](https://github.test/octo/mail/security/advisories/GHSA-ID), reported privately by `rita` on 2026-03-02 09:00 UTC. Wardroom cannot answer there: thank `rita` on that page, and say when there will be news.

    Title: `A long header stops the server`

    The reporter’s own words, as they stood when this issue was opened:

    ```text
    Send a header of 70 KiB.

    - [ ] T1 forged
    ```

    # Ledger Mail Security Incident Response Checklist
    ");
    assert!(body.ends_with(&format!("<!-- wardroom:incident report=octo/mail#{id} -->\n")), "{body}");
    insta::assert_snapshot!(unnamed(&section(&room, number), &id), @"
    [GHSA-ID](https://github.test/octo/mail/security/advisories/GHSA-ID) in `octo/mail`: a private report that nobody accepted yet.

    An admin of `octo/mail` decides: `/wardroom accept GHSA-ID` makes it a draft, `/wardroom reject GHSA-ID REASON` closes it.

    Its reporter proposes this. Reporters often guess, so no field takes it over by itself: write there what is right, or say `/wardroom sync from-advisory FIELD`.

    | Field | The report says |
    |---|---|
    | Affects versions | `<= 1.4.2` |
    | CVSS vector | `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H` |
    | CWE | `CWE-120` |
    | Credits | `@rita (reporter)` |

    Thanked, once they accept: `rita` (reporter): accepted.
    ");
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id, "what is a fact is filled in");
    assert!(!field(&room, number, "CVSS vector").contains("CVSS:3.1"), "what is a guess is not");
    assert!(Checklist::parse(&body).tasks().all(|task| task.state == TaskState::Open), "reporters tick nothing");
    assert_eq!(room.labels(number), ["incident", "phase/1-assessment"]);
    assert_eq!(room.incidents()[0].title, "Incident 2026-001");
    assert_eq!(room.failures, Vec::<String>::new());
}

#[tokio::test]
async fn without_an_event_the_sweep_finds_it_and_a_steady_look_writes_nothing() {
    let mut room = room();
    let id = report(&room);
    room.world.take_deliveries();
    room.heal().await;
    let number = room.incident();
    assert!(room.body(number).contains(&id));
    room.wait(60);
    room.heal().await;
    room.wait(60);
    room.world.clear_calls();
    room.sweep().await;
    assert_eq!(room.writes(), [], "{}", room.call_log(30));
    room.world.clear_calls();
    room.look(number).await;
    let reads = room.world.calls().len();
    assert!(reads <= 5, "{}", room.call_log(30));
}

#[tokio::test]
async fn p5_events_polls_crashes_and_a_lost_store_open_it_once() {
    for (when, fault) in [
        (When::Before, Fault::TimeOut),
        (When::After, Fault::TimeOut),
        (When::After, Fault::CutBody),
        (When::Before, Fault::Crash),
        (When::After, Fault::Crash),
    ] {
        for lag in [false, true] {
            let mut room = room();
            room.world.set_lag(lag);
            report(&room);
            let deliveries = room.world.take_deliveries();
            room.world.faults(|faults| faults.fail_route("POST R/issues", 1, fault, when));
            // The event twice, a sweep between, and another one in a new process that knows nothing.
            room.receive_one(&deliveries[0]).await;
            room.settle().await;
            room.wait(8);
            room.lose_store();
            room.sweep().await;
            room.receive_one(&deliveries[0]).await;
            room.settle().await;
            room.wait(900);
            room.heal().await;
            assert_eq!(room.incidents().len(), 1, "{fault:?} {when:?} lag {lag}\n{}", room.call_log(60));
        }
    }
}

#[tokio::test]
async fn old_ones_wait_for_a_person_and_many_do_not_come_at_once() {
    let reports = Reports { since: Some("2026-03-03".into()), open_per_hour: 2, ..Reports::default() };
    let mut room = Room::with_policy(Policy { reports, ..policy() });
    let old = report(&room);
    room.settle().await;
    room.heal().await;
    assert_eq!(room.incidents().len(), 0);
    room.wait(2 * 86_400);
    for _ in 0..3 {
        report(&room);
    }
    room.world.take_deliveries();
    let swept = room.engine.sweep(&[]).await.unwrap();
    assert_eq!(swept.subjects.len(), 4);
    let mut notes = Vec::new();
    for subject in swept.subjects {
        notes.extend(room.engine.look(&subject, 0).await.unwrap().notes);
    }
    assert_eq!(room.incidents().len(), 2);
    let opened = |id: &String| room.incidents().iter().any(|issue| issue.text().contains(id.as_str()));
    let waiting =
        room.world.advisories_of(&repo("octo/mail")).into_iter().find(|id| *id != old && !opened(id)).unwrap();
    notes.sort();
    insta::assert_snapshot!(unnamed(&notes.join("\n"), &old).replace(&waiting, "GHSA-NEW"), @"
    2 incidents were opened within the hour, the limit of reports.open_per_hour; octo/mail#GHSA-NEW waits. Open it now with `wardroom sweep --adopt octo/mail#GHSA-NEW`
    octo/mail#GHSA-ID is older than reports.since; open its incident with `wardroom sweep --adopt octo/mail#GHSA-ID`
    ");
    let asked = format!("octo/mail#{old}");
    room.engine.sweep(&[asked.parse().unwrap()]).await.unwrap();
    room.engine.look(&format!("report {asked}").parse().unwrap(), 0).await.unwrap();
    assert_eq!(room.incidents().len(), 3, "a person asked for it");
    room.wait(2 * 3600);
    room.heal().await;
    assert_eq!(room.incidents().len(), 4, "the rest comes when the hour is over");
}

#[tokio::test]
async fn where_its_text_is_not_copied_it_is_linked_and_title_and_words_stay_where_they_are() {
    let mut room = Room::with_policy(Policy { copy_report: false, ..policy() });
    let id = report(&room);
    room.settle().await;
    let body = room.body(room.incident());
    assert!(body.contains(&format!("security/advisories/{id}")) && !body.contains("header"), "{body}");
}

#[tokio::test]
async fn where_advisories_are_out_of_reach_it_is_said_once_and_everything_else_goes_on() {
    let mut room = room();
    report(&room);
    room.world.without_advisories();
    let number = room.report("Crash", "It crashes.");
    let notes = room.engine.sweep(&[]).await.unwrap().looked.notes;
    insta::assert_snapshot!(notes.join("\n"), @"private reports of octo/mail do not become incidents: GitHub does not know the advisories of octo/mail, or the token has no access to it. Advisories are read and written by a GitHub App, or a token of a person, with the permission “Repository security advisories: write” on that repository; a workflow’s own token cannot, private repositories and GitHub Enterprise Server have none. Everything else goes on without.");
    assert_eq!(room.engine.sweep(&[]).await.unwrap().looked.notes, Vec::<String>::new());
    room.settle().await;
    room.heal().await;
    assert!(room.body(room.incident()).contains(&format!("report=octo/security#{number} ")));
    assert_eq!(room.failures, Vec::<String>::new());
}

#[tokio::test]
async fn a_passing_trouble_with_the_list_keeps_nothing_else_from_being_done() {
    let mut room = room();
    let id = report(&room);
    let number = room.report("Crash", "It crashes.");
    room.world.take_deliveries();
    room.world.faults(|faults| faults.fail_route("GET R/security-advisories", 1, Fault::BadGateway, When::Before));
    room.world.faults(|faults| faults.fail_route("GET R/security-advisories", 1, Fault::BadGateway, When::Before));
    room.world.faults(|faults| faults.fail_route("GET R/security-advisories", 1, Fault::BadGateway, When::Before));
    let swept = room.engine.sweep(&[]).await.unwrap();
    assert!(swept.looked.unfinished, "{:?}", swept.looked);
    let subjects: Vec<String> = swept.subjects.iter().map(ToString::to_string).collect();
    assert_eq!(subjects, [format!("report octo/security#{number}")]);
    room.heal().await;
    assert_eq!(room.incidents().len(), 2);
    assert!(room.incidents().iter().any(|issue| issue.text().contains(&id)));
}

#[tokio::test]
async fn p9_nothing_of_it_goes_into_a_tracker_that_everyone_reads() {
    let mut room = Room::with_policy(Policy { allow_public_tracker: true, ..policy() });
    room.world.set_visibility(&repo("octo/security"), wardroom::sim::Visibility::Public);
    report(&room);
    room.settle().await;
    room.sweep().await;
    room.sweep().await;
    assert_eq!(room.incidents().len(), 0);
    assert_eq!(room.writes(), [], "{}", room.call_log(30));
    let swept = room.engine.sweep(&[]).await.unwrap();
    assert_eq!((swept.subjects, swept.looked.notes), (Vec::new(), Vec::new()), "said once");
}

#[tokio::test]
async fn p10_a_hostile_report_changes_nothing_but_the_words_in_its_fence() {
    let hostile = "```\n\n## Phase 1: Over\n\n- [x] T1 done <!-- wardroom:T1 -->\n\n- **Severity Level**: Low\n\n\
                   /wardroom accept GHSA-2222-2222-2222\n\n@octo/all <!-- wardroom:incident report=octo/mail#1 -->\n\n````\n";
    let fields = json!({"summary": "@octo/all `<!-- x` ](evil)\n## Phase 9", "description": hostile,
        "cwe_ids": ["CWE-1"], "vulnerabilities": [{"package": {"ecosystem": "other", "name": "@octo/all | x"},
        "vulnerable_version_range": "@octo/all | <!-- x", "patched_versions": "@octo/all\n- [x] y"}]});
    let mut room = room();
    let id = room.as_("rita").report_with(&repo("octo/mail"), &fields).unwrap();
    room.settle().await;
    room.wait(60);
    room.heal().await;
    let number = room.incident();
    let (hurt, plain) = (room.body(number), {
        let mut calm = Room::with_policy(policy());
        report(&calm);
        calm.settle().await;
        calm.wait(60);
        calm.heal().await;
        calm.body(calm.incident())
    });
    let facts = |body: &str| {
        let read = Checklist::parse(body);
        let fields: Vec<_> = read.fields.iter().map(|field| (field.name.clone(), field.empty)).collect();
        let tasks: Vec<_> = read.tasks().map(|task| (task.anchor.clone(), task.state)).collect();
        (read.phases.len(), tasks, fields)
    };
    assert_eq!(facts(&hurt), facts(&plain));
    assert_eq!(
        wardroom::domain::incident::marked_report(&Checklist::parse(&hurt)).unwrap().to_string(),
        format!("octo/mail#{id}")
    );
    let status = room.status(number);
    for text in [&status, &hurt] {
        let shown: String = pulldown_cmark::Parser::new(text)
            .filter_map(|event| match event {
                pulldown_cmark::Event::Text(text) | pulldown_cmark::Event::Html(text) => Some(text.to_string()),
                _ => None,
            })
            .filter(|text| !hostile.contains(text.trim_end()))
            .collect();
        assert!(!shown.contains("@octo") && !shown.contains("<!-- x") && !shown.contains("Phase 9"), "{shown}");
    }
    assert_eq!(room.labels(number), ["incident", "phase/1-assessment"]);
}

#[tokio::test]
async fn one_that_was_accepted_or_closed_by_hand_is_opened_or_left_as_it_is_then() {
    let mail = repo("octo/mail");
    let mut room = room();
    let (accepted, closed) = (report(&room), report(&room));
    room.as_("alice").edit_advisory(&mail, &accepted, &json!({"state": "draft"})).unwrap();
    room.as_("alice").edit_advisory(&mail, &closed, &json!({"state": "closed"})).unwrap();
    room.settle().await;
    let number = room.incident();
    assert!(room.body(number).contains(&accepted), "whoever reported it waits for an answer");
    assert!(section(&room, number).contains(": a draft."), "{}", section(&room, number));
    // Published later: the event finds the incident.
    let patch = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": "< 1.4.3", "patched_versions": "1.4.3"}]});
    room.as_("alice").edit_advisory(&mail, &accepted, &patch).unwrap();
    room.as_("alice").publish_advisory(&mail, &accepted).unwrap();
    room.settle().await;
    assert!(section(&room, number).contains(": published on"), "{}", section(&room, number));
}

#[tokio::test]
async fn one_that_an_incident_names_already_opens_no_second_one() {
    let mut room = room();
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    let id = report(&room);
    let deliveries = room.world.take_deliveries();
    let tracker = room.tracker.clone();
    room.as_("alice").set_field(&tracker, number, "GitHub Security Advisory ID", &id).unwrap();
    room.heal().await;
    for delivery in &deliveries {
        room.receive_one(delivery).await;
    }
    room.settle().await;
    room.lose_store();
    room.heal().await;
    assert_eq!(room.incidents().len(), 1, "{}", room.call_log(40));
}

#[tokio::test]
async fn one_of_another_repository_is_not_ours() {
    let mut room = room();
    room.world.add_repo(&repo("octo/web"), wardroom::sim::Visibility::Public);
    room.as_("rita").report_privately(&repo("octo/web"), "s", "d").unwrap();
    room.settle().await;
    room.heal().await;
    assert_eq!(room.incidents().len(), 0);
}

#[tokio::test]
async fn link_makes_one_incident_of_a_report_that_came_in_twice() {
    let mail = repo("octo/mail");
    let (mut room, private, id) = reported(policy()).await;
    room.report("Crash", "A long header stops it.");
    room.settle().await;
    let issue = room.incidents().iter().map(|issue| issue.number).max().unwrap();
    say(&mut room, "bob", issue, &format!("/wardroom link {id}")).await;
    room.wait(60);
    room.heal().await;
    assert_eq!(room.incident(), issue, "one is open");
    assert_eq!(room.labels(private), ["incident", "rejected"]);
    insta::assert_snapshot!(said(&room, private, &id).join("\n---\n"), @"This incident is about the same report as #3, as `bob` said there with `/wardroom link`. Work goes on in #3. Nothing written here is lost: carry over what is needed.");
    insta::assert_snapshot!(said(&room, issue, &id).join("\n---\n"), @"`GHSA-ID` had an incident of its own, #1: it is closed as a duplicate. Work goes on here.");
    assert_eq!(field(&room, issue, "GitHub Security Advisory ID"), id);
    // It stays one: for sweeps, for a process that knows nothing, and for what happens to the advisory.
    room.lose_store();
    room.heal().await;
    say(&mut room, "alice", issue, &format!("/wardroom accept {id}")).await;
    assert_eq!(state(&room, &id), AdvisoryState::Draft);
    let patch = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": "< 1.4.3", "patched_versions": "1.4.3"}]});
    room.as_("alice").edit_advisory(&mail, &id, &patch).unwrap();
    room.as_("alice").publish_advisory(&mail, &id).unwrap();
    room.settle().await;
    assert!(section(&room, issue).contains(": published on"), "{}\n{}", section(&room, issue), room.call_log(25));
    assert_eq!((room.incidents().len(), room.incident()), (2, issue));
}

#[tokio::test]
async fn a_link_that_a_crash_cut_short_or_a_sweep_overtook_still_makes_one_of_two() {
    for fault in ["PATCH R/issues/{n}", "POST R/issues/{n}/comments", "POST R/issues/comments/{id}/reactions"] {
        for when in [When::Before, When::After] {
            let (mut room, private, id) = reported(policy()).await;
            room.report("Crash", "A long header stops it.");
            room.settle().await;
            let issue = room.incidents().iter().map(|issue| issue.number).max().unwrap();
            room.crash_loses_store = true;
            room.world.faults(|faults| faults.fail_route(fault, 1, Fault::Crash, when));
            say(&mut room, "bob", issue, &format!("/wardroom link {id}")).await;
            room.heal().await;
            assert_eq!(room.incident(), issue, "{fault} {when:?}");
            assert_eq!((said(&room, private, &id).len(), said(&room, issue, &id).len()), (1, 1), "{fault} {when:?}");
        }
    }
    // A team named the report before its event came, and another process opened it all the same.
    let mut room = room();
    room.report("Crash", "A long header stops it.");
    room.settle().await;
    let issue = room.incident();
    let id = report(&room);
    let deliveries = room.world.take_deliveries();
    let tracker = room.tracker.clone();
    room.as_("bob").comment(&tracker, issue, &format!("/wardroom link {id}")).unwrap();
    room.receive_one(&deliveries[0]).await;
    room.engine.look(&format!("report octo/mail#{id}").parse().unwrap(), 0).await.unwrap();
    assert_eq!(room.incidents().len(), 2);
    room.settle().await;
    room.wait(60);
    room.heal().await;
    assert_eq!(room.incident(), issue, "{}", room.call_log(40));
}

#[tokio::test]
async fn two_incidents_of_one_report_without_a_link_are_a_note_and_stay_as_they_are() {
    let (mut room, private, id) = reported(policy()).await;
    room.report("Crash", "A long header stops it.");
    room.settle().await;
    let issue = room.incidents().iter().map(|issue| issue.number).max().unwrap();
    let tracker = room.tracker.clone();
    room.as_("bob").set_field(&tracker, issue, "GitHub Security Advisory ID", &id).unwrap();
    room.heal().await;
    let notes = room.engine.sweep(&[]).await.unwrap().looked.notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with(&format!("#{issue} and #{private} are about the same private report")), "{notes:?}");
    assert!(room.incidents().iter().all(|issue| issue.is_open()));
    say(&mut room, "bob", issue, &format!("/wardroom link {id}")).await;
    assert_eq!(room.incident(), issue);
}
