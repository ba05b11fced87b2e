//! CVE IDs: from elsewhere, or asked of GitHub, once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::{Desk, mail, policy};
use wardroom::domain::checklist::TaskState;
use wardroom::sim::{Fault, Visibility, When};

fn asked(desk: &Desk, id: &str) -> u32 {
    desk.room.world.cve_requests(&mail(), id)
}

#[tokio::test]
async fn it_is_asked_for_once_and_filled_in_when_it_comes() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    let said = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    assert_eq!(asked(&desk, &id), 1);
    assert_eq!(desk.marks(said), ["rocket"]);
    insta::assert_snapshot!(desk.answer(said), @"A CVE ID was asked for, 2026-03-02 09:01 UTC. GitHub’s team looks at each request, usually within a few days, sometimes after weeks. Nothing waits for it: the advisory can be published before, and the ID is filled in when it comes.");
    let line = |desk: &Desk| desk.section().lines().find(|line| line.contains("CVE")).unwrap_or_default().to_owned();
    insta::assert_snapshot!(line(&desk), @"A CVE ID was asked for, 2026-03-02 09:01 UTC. GitHub usually answers within a few days, sometimes after weeks; nothing waits for it.");
    assert!(desk.room.labels(desk.number).contains(&"cve-pending".to_owned()));
    desk.is_steady().await;
    // Never again, also where the store is gone.
    desk.room.lose_store();
    let again = desk.say("carol", &format!("/wardroom cve request {id}")).await;
    assert_eq!(asked(&desk, &id), 1);
    insta::assert_snapshot!(desk.answer(again), @"GitHub was not asked for a CVE ID: it was asked for already, 2026-03-02 09:01 UTC; asking again does not help. GitHub usually answers within a few days, sometimes after weeks.");
    desk.room.wait(3 * 24 * 3600);
    desk.room.world.assign_cve(&mail(), &id, "CVE-2026-12345");
    desk.room.heal().await;
    assert_eq!((desk.field("CVE ID").as_str(), desk.task("T34")), ("CVE-2026-12345", TaskState::Done));
    assert!(!desk.room.labels(desk.number).contains(&"cve-pending".to_owned()));
    desk.is_steady().await;
}

#[tokio::test]
async fn whatever_is_lost_it_is_never_asked_for_twice() {
    for when in [When::Before, When::After] {
        for fault in [Fault::TimeOut, Fault::BadGateway, Fault::CutBody, Fault::Crash, Fault::Refused] {
            if when == When::After && fault.is_before() {
                continue;
            }
            let (mut desk, id) = Desk::drafted(policy()).await;
            desk.room.world.faults(|faults| faults.fail_route("POST R/security-advisories/{ghsa}/cve", 1, fault, when));
            let said = desk.say("alice", &format!("/wardroom cve request {id}")).await;
            desk.room.lose_store();
            desk.room.heal().await;
            let times = asked(&desk, &id);
            assert!(times <= 1, "{fault:?} {when:?}");
            if fault == Fault::Refused {
                assert_eq!(
                    (times, desk.marks(said)),
                    (1, vec!["rocket".to_owned()]),
                    "nothing was done, so it is tried again"
                );
                continue;
            }
            assert_eq!(desk.marks(said), ["eyes"], "{fault:?} {when:?}\n{}", desk.room.call_log(30));
            let again = desk.say("alice", &format!("/wardroom cve request {id}")).await;
            assert_eq!((asked(&desk, &id), desk.marks(again)), (times, vec!["confused".to_owned()]));
            if (when, fault) == (When::After, Fault::TimeOut) {
                insta::assert_snapshot!(
                    "lost",
                    format!("{}\n\n{}\n\n{}", desk.answer(said), desk.answer(again), desk.section())
                        .replace(&id, "GHSA-ID")
                );
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_status_comment_does_not_stop_it() {
    for when in [When::Before, When::After] {
        let (mut desk, id) = Desk::drafted(policy()).await;
        desk.room.world.faults(|faults| faults.fail_route("PATCH R/issues/comments/{id}", 1, Fault::TimeOut, when));
        desk.say("alice", &format!("/wardroom cve request {id}")).await;
        desk.room.heal().await;
        assert_eq!(asked(&desk, &id), 1, "{when:?}\n{}", desk.room.call_log(30));
    }
}

#[tokio::test]
async fn a_status_comment_that_cannot_be_written_asks_for_nothing() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    let tracker = desk.room.tracker.clone();
    desk.room.as_("alice").comment(&tracker, desk.number, &format!("/wardroom cve request {id}")).unwrap();
    let status = desk.room.world.comments_of(&tracker, desk.number);
    let status = status.iter().find(|said| said.text.starts_with("<!-- wardroom:status")).unwrap().id;
    desk.room.world.faults(|faults| {
        faults.before("PATCH", "R/issues/comments/{id}", move |world| {
            world.person("alice").delete_comment(&tracker, status).unwrap();
        });
    });
    desk.room.wait(7);
    desk.room.look(desk.number).await;
    assert_eq!(asked(&desk, &id), 0, "{}", desk.room.call_log(30));
    desk.room.settle().await;
    desk.room.heal().await;
    assert_eq!(asked(&desk, &id), 1, "{}", desk.room.call_log(30));
}

#[tokio::test]
async fn each_refusal_has_its_words() {
    let mut said = Vec::new();
    // Not public.
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.room.world.set_visibility(&mail(), Visibility::Private);
    let comment = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    said.push(format!("private: {}", desk.answer(comment)));
    // No affected versions: after that it may be asked again, for nothing was asked.
    let (mut desk, id) = Desk::drafted(policy()).await;
    let bare = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"}}]});
    desk.room.as_("alice").edit_advisory(&mail(), &id, &bare).unwrap();
    let comment = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    said.push(format!("no range: {}", desk.answer(comment)));
    desk.say("bob", "/wardroom sync to-advisory affected").await;
    desk.say("alice", &format!("/wardroom cve request {id}")).await;
    assert_eq!(asked(&desk, &id), 1, "{}", desk.last_said());
    // A right that is missing.
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.room.world.app_may("wardroom", "repository_advisories", Some("read"));
    let comment = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    said.push(format!("403: {}", desk.answer(comment)));
    assert_eq!(desk.room.failures, Vec::<String>::new());
    desk.is_steady().await;
    // Nobody who may, another advisory, none at all.
    let comment = desk.say("bob", &format!("/wardroom cve request {id}")).await;
    said.push(format!("bob: {}", desk.answer(comment)));
    let comment = desk.say("alice", "/wardroom cve request GHSA-2222-2222-2222").await;
    said.push(format!("another: {}", desk.answer(comment)));
    let mut desk = Desk::with(support::room::Room::with_policy(policy())).await;
    let comment = desk.say("alice", "/wardroom cve request GHSA-2222-2222-2222").await;
    said.push(format!("none: {}", desk.answer(comment)));
    insta::assert_snapshot!("refusals", said.join("\n\n").replace(&id, "GHSA-ID"));
}

#[tokio::test]
async fn one_from_elsewhere_goes_into_the_field_and_the_advisory() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    let said = desk.say("bob", "/wardroom cve set CVE-2026-12345").await;
    assert_eq!(desk.field("CVE ID"), "CVE-2026-12345");
    assert_eq!(desk.advisory(&id).cve_id.as_deref(), Some("CVE-2026-12345"));
    assert_eq!((desk.marks(said), desk.answer(said)), (vec!["rocket".to_owned()], String::new()));
    assert_eq!(desk.task("T34"), TaskState::Done);
    desk.is_steady().await;
    // Another one is not written over it.
    let said = desk.say("bob", "/wardroom cve set CVE-2026-54321").await;
    insta::assert_snapshot!(desk.answer(said).replace(&id, "GHSA-ID"), @"`GHSA-ID` has the CVE ID `CVE-2026-12345` already. Nothing was changed. If `CVE-2026-54321` is right, an admin corrects it on the advisory’s page, and the field follows.");
    assert_eq!(desk.field("CVE ID"), "CVE-2026-12345");
    // Nor is anybody asked for one any more.
    let said = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    insta::assert_snapshot!(desk.answer(said), @"GitHub was not asked for a CVE ID: there is a CVE ID already: `CVE-2026-12345`.");
    assert_eq!(asked(&desk, &id), 0);
}

#[tokio::test]
async fn without_an_advisory_it_waits_in_the_field_for_the_draft() {
    let mut desk = Desk::with(support::room::Room::with_policy(policy())).await;
    desk.say("bob", "/wardroom cve set CVE-2026-12345").await;
    // The earlier one by command gives way to the later one.
    desk.say("alice", "/wardroom cve set CVE-2026-12346").await;
    assert_eq!(desk.field("CVE ID"), "CVE-2026-12346");
    desk.say("bob", "/wardroom draft").await;
    let id = desk.only_advisory();
    assert_eq!(desk.advisory(&id).cve_id.as_deref(), Some("CVE-2026-12346"));
}

#[tokio::test]
async fn what_a_person_wrote_into_the_field_stands() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.set("alice", "CVE ID", "CVE-2026-11111").await;
    let said = desk.say("bob", "/wardroom cve set CVE-2026-12345").await;
    assert_eq!((desk.field("CVE ID").as_str(), desk.advisory(&id).cve_id), ("CVE-2026-11111", None));
    assert_eq!(desk.marks(said), ["confused"]);
}

#[tokio::test]
async fn where_the_advisory_cannot_be_changed_the_field_is_filled_all_the_same() {
    let (mut desk, _) = Desk::drafted(policy()).await;
    desk.room.world.app_may("wardroom", "repository_advisories", Some("read"));
    let said = desk.say("bob", "/wardroom cve set CVE-2026-12345").await;
    assert_eq!(desk.field("CVE ID"), "CVE-2026-12345");
    assert!(desk.answer(said).starts_with("The field is filled."), "{}", desk.answer(said));
    assert_eq!(desk.room.failures, Vec::<String>::new());
    desk.is_steady().await;
}
