//! Publishing an advisory: by two people's word where the policy allows it, else by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::{Desk, mail, may_publish, policy};
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::checklist::TaskState;
use wardroom::domain::policy::Policy;
use wardroom::sim::{Fault, When};

fn alone() -> Policy {
    Policy { publish_needs_two: false, ..may_publish() }
}

fn is_public(desk: &Desk, id: &str) -> bool {
    desk.advisory(id).state == AdvisoryState::Published
}

/// How often Wardroom asked GitHub to publish.
fn tries(desk: &Desk) -> usize {
    let state = |call: &&wardroom::sim::CallRecord| call.method == "PATCH" && call.route.ends_with("{ghsa}");
    desk.room.world.calls().iter().filter(state).count()
}

#[tokio::test]
async fn two_people_publish_and_what_follows_is_filled_in_and_ticked() {
    let (mut desk, id) = Desk::ready(may_publish()).await;
    desk.room.world.clear_calls();
    let first = desk.say("alice", &format!("/wardroom publish {id}")).await;
    assert!(!is_public(&desk, &id));
    insta::assert_snapshot!("waiting", desk.answer(first).replace(&id, "GHSA-ID"));
    assert_eq!(desk.marks(first), ["eyes"]);
    // Waiting, a look writes nothing.
    desk.is_steady().await;
    let second = desk.say("carol", &format!("/wardroom approve {id}")).await;
    assert!(is_public(&desk, &id), "{}\n{}", desk.last_said(), desk.room.call_log(30));
    assert_eq!(tries(&desk), 1);
    insta::assert_snapshot!("published", desk.answer(second).replace(&id, "GHSA-ID"));
    assert_eq!(
        (desk.marks(first), desk.marks(second)),
        (vec!["eyes".to_owned(), "rocket".to_owned()], vec!["rocket".to_owned()])
    );
    desk.room.wait(60);
    desk.room.heal().await;
    assert_eq!([desk.task("T31"), desk.task("T29"), desk.task("T24")], [TaskState::Done; 3]);
    assert_ne!(desk.field("Security release published"), "YYYY-MM-DD HH:MM UTC");
    let status = desk.room.status(desk.number);
    let line = status.lines().find(|line| line.contains("ticked “Publish GitHub")).unwrap().replace(&id, "GHSA-ID");
    insta::assert_snapshot!(line.split(" | ").last().unwrap(), @"ticked “Publish GitHub Security Advisory”, because `GHSA-ID` is published, 2026-03-02 09:03 UTC ([proof](https://github.test/octo/mail/security/advisories/GHSA-ID)) |");
    desk.is_steady().await;
    // Said again, it is published already.
    let again = desk.say("alice", &format!("/wardroom publish {id}")).await;
    insta::assert_snapshot!(desk.answer(again).replace(&id, "GHSA-ID"), @"`GHSA-ID` is published already, 2026-03-02 09:03 UTC. Nothing was done.");
}

#[tokio::test]
async fn one_person_publishes_where_the_policy_asks_for_no_second() {
    let (mut desk, id) = Desk::ready(alone()).await;
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    assert!(is_public(&desk, &id), "{}", desk.last_said());
    insta::assert_snapshot!(desk.answer(said).replace(&id, "GHSA-ID"), @"[`GHSA-ID`](https://github.com/octo/mail/security/advisories/GHSA-ID) is public, 2026-03-02 09:02 UTC, on the word of `alice`. Everyone can read it now.");
    let late = desk.say("carol", &format!("/wardroom approve {id}")).await;
    assert_eq!(desk.marks(late), ["confused"]);
}

#[tokio::test]
async fn what_stands_against_it_is_said_and_only_the_text_can_be_passed_over() {
    let (mut desk, id) = Desk::drafted(alone()).await;
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    insta::assert_snapshot!("against", desk.answer(said).replace(&id, "GHSA-ID"));
    let said = desk.say("alice", &format!("/wardroom publish {id} --despite it is known everywhere")).await;
    insta::assert_snapshot!(desk.answer(said).replace(&id, "GHSA-ID"), @"
    `GHSA-ID` was not published. This stands against it:

    - `v1.4.3` has no release.

    Put it right and say it again. What only the text or its fields lack can be passed over with `/wardroom publish GHSA-ID --despite REASON`; a release that is missing cannot.
    ");
    assert!(!is_public(&desk, &id));
    desk.room.as_("alice").publish_release(&mail(), "v1.4.3", &[]).unwrap();
    desk.say("alice", &format!("/wardroom publish {id} --despite it is known everywhere")).await;
    assert!(is_public(&desk, &id), "{}", desk.last_said());
}

#[tokio::test]
async fn a_release_must_carry_its_files_and_every_fixed_version_must_be_out() {
    let mut wanted = alone();
    wanted.releases.assets = vec!["ledger-mail-{version}.tar.gz".into()];
    let (mut desk, id) = Desk::ready(wanted).await;
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    assert!(desk.answer(said).contains("`v1.4.3` lacks `ledger-mail-1.4.3.tar.gz`"), "{}", desk.answer(said));
    // A fixed version that only the advisory names counts too.
    let (mut desk, id) = Desk::ready(alone()).await;
    let two = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": ">= 1.2.0, <= 1.4.2", "patched_versions": "1.4.3, 1.3.9"}]});
    desk.room.as_("alice").edit_advisory(&mail(), &id, &two).unwrap();
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    assert!(desk.answer(said).contains("`v1.3.9` has no release"), "{}", desk.answer(said));
    assert!(!is_public(&desk, &id));
}

#[tokio::test]
async fn without_leave_to_publish_a_person_gets_the_draft_and_the_page() {
    let (mut desk, id) = Desk::ready(policy()).await;
    desk.room.world.clear_calls();
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    insta::assert_snapshot!("handoff", desk.answer(said).replace(&id, "GHSA-ID"));
    let agreed = desk.say("carol", &format!("/wardroom approve {id}")).await;
    insta::assert_snapshot!(desk.answer(agreed).replace(&id, "GHSA-ID"), @"Nothing was published: the policy says `publish: handoff`: a person publishes, on the advisory’s page.");
    assert_eq!((is_public(&desk, &id), tries(&desk)), (false, 0));
    // By hand it is seen like any other.
    desk.room.as_("alice").publish_advisory(&mail(), &id).unwrap();
    desk.room.wait(60);
    desk.room.heal().await;
    assert_eq!(desk.task("T31"), TaskState::Done);
    desk.is_steady().await;
}

#[tokio::test]
async fn where_github_refuses_a_person_gets_the_draft_and_the_page_once() {
    let (mut desk, id) = Desk::ready(alone()).await;
    desk.room.world.app_may("wardroom", "repository_advisories", Some("read"));
    desk.room.world.clear_calls();
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    insta::assert_snapshot!("forbidden", desk.answer(said).replace(&id, "GHSA-ID"));
    assert_eq!((desk.marks(said), tries(&desk)), (vec!["confused".to_owned()], 1));
    assert_eq!(desk.room.failures, Vec::<String>::new());
    desk.room.world.without_advisories();
    let said = desk.say("alice", &format!("/wardroom publish {id}")).await;
    assert!(desk.answer(said).contains("cannot be read"), "{}", desk.answer(said));
    let tracker = desk.room.tracker.clone();
    desk.room.as_("bob").tick(&tracker, desk.number, "T1").unwrap();
    desk.room.settle().await;
    assert!(desk.room.status(desk.number).contains("ticked “Reproduce"), "everything else goes on");
    desk.room.wait(60);
    desk.room.heal().await;
    desk.is_steady().await;
}

#[tokio::test]
async fn whose_word_does_not_count_is_told_why() {
    let (mut desk, id) = Desk::ready(may_publish()).await;
    let mut told = Vec::new();
    let publish = format!("/wardroom publish {id}");
    let approve = format!("/wardroom approve {id}");
    for (who, text) in [
        ("bob", publish.clone()),
        ("rita", publish.clone()),
        ("carol", approve.clone()),
        ("alice", "/wardroom publish GHSA-2222-2222-2222".to_owned()),
        ("alice", publish.clone()),
        ("alice", approve.clone()),
        ("bob", approve.clone()),
    ] {
        let said = desk.say(who, &text).await;
        told.push(format!("{who} {text}\n{}", desk.answer(said).lines().next().unwrap_or_default()));
    }
    insta::assert_snapshot!("told", told.join("\n\n").replace(&id, "GHSA-ID").replace("/wardroom ", ""));
    assert!(!is_public(&desk, &id));
    desk.room.wait(31 * 60);
    let late = desk.say("carol", &approve).await;
    insta::assert_snapshot!(desk.answer(late).replace(&id, "GHSA-ID"), @"Nobody’s `/wardroom publish GHSA-ID` of the last 30 minutes waits for a second person. Nothing was done. One person says that first; then another one agrees.");
    assert!(!is_public(&desk, &id));
    // An old command that is found late does nothing.
    let tracker = desk.room.tracker.clone();
    let old = desk.room.as_("alice").comment(&tracker, desk.number, &publish).unwrap();
    desk.room.world.take_deliveries();
    desk.room.wait(31 * 60);
    desk.room.lose_store();
    desk.room.heal().await;
    let answer = desk.answer(old).replace(&id, "GHSA-ID");
    assert!(answer.contains("too old"), "{answer}");
    insta::assert_snapshot!(answer, @"Nothing was published: too old: said 2026-03-02 09:34 UTC, and it is honoured for 30 minutes; say it again.");
}

#[tokio::test]
async fn a_publication_whose_answer_was_lost_is_seen_and_finished() {
    for when in [When::Before, When::After] {
        for fault in [Fault::TimeOut, Fault::BadGateway, Fault::Crash] {
            let (mut desk, id) = Desk::ready(may_publish()).await;
            desk.room.world.faults(|faults| faults.fail_route("PATCH R/security-advisories/{ghsa}", 1, fault, when));
            let first = desk.say("alice", &format!("/wardroom publish {id}")).await;
            let second = desk.say("carol", &format!("/wardroom approve {id}")).await;
            desk.room.lose_store();
            desk.room.heal().await;
            assert!(is_public(&desk, &id), "{fault:?} {when:?}\n{}", desk.room.call_log(40));
            assert!(desk.marks(first).contains(&"rocket".to_owned()), "{fault:?} {when:?}");
            assert!(desk.answer(second).contains("is public"), "{fault:?} {when:?}: {}", desk.answer(second));
            desk.room.wait(60);
            desk.room.heal().await;
            assert_eq!(desk.task("T31"), TaskState::Done);
        }
    }
}

#[tokio::test]
async fn a_release_without_its_advisory_is_the_loudest_line_until_it_is_published() {
    let (mut desk, id) = Desk::ready(may_publish()).await;
    let first = |desk: &Desk| {
        let status = desk.room.status(desk.number);
        status.split("### Please look at\n\n").nth(1).map(|rest| rest.lines().next().unwrap_or_default().to_owned())
    };
    assert!(first(&desk).unwrap().contains("The fix is out and the advisory is not"));
    desk.say("alice", &format!("/wardroom publish {id}")).await;
    desk.say("carol", &format!("/wardroom approve {id}")).await;
    desk.room.heal().await;
    assert!(!first(&desk).unwrap_or_default().contains("The fix is out"), "{:?}", first(&desk));
}

#[tokio::test]
async fn p9_nothing_private_goes_into_the_advisory_or_the_log() {
    let mut desk = Desk::with(support::room::Room::with_policy(alone())).await;
    desk.room.report("canary-title", "canary-body");
    desk.room.settle().await;
    desk.number = desk.room.incidents().iter().map(|issue| issue.number).max().unwrap();
    let tracker = desk.room.tracker.clone();
    desk.fill().await;
    let note = |body: &str| body.replacen("### Analysis Notes", "### Analysis Notes\n\ncanary-note", 1);
    desk.room.as_("alice").edit_body(&tracker, desk.number, note).unwrap();
    desk.set("alice", "Reporter", "canary-reporter").await;
    desk.set("alice", "Evidence of exploitation", "Not found, canary-evidence").await;
    desk.say("bob", "canary-words").await;
    desk.say("bob", "/wardroom na T4 canary-reason").await;
    desk.say("bob", "/wardroom draft").await;
    let id = desk.only_advisory();
    desk.set("alice", "Affects versions", "1.1.0 to 1.4.2").await;
    desk.say("bob", "/wardroom sync to-advisory").await;
    desk.say("alice", &format!("/wardroom cve request {id}")).await;
    desk.room.as_("alice").publish_release(&mail(), "v1.4.3", &[]).unwrap();
    desk.say("alice", &format!("/wardroom publish {id} --despite canary-despite")).await;
    assert!(is_public(&desk, &id), "{}", desk.last_said());
    desk.room.wait(60);
    let words = format!("{:?} {:?}", desk.room.look(desk.number).await, desk.room.failures);
    assert!(!words.contains("canary"), "{words}");
    let public = serde_json::to_string(&desk.advisory(&id)).unwrap();
    assert!(!public.contains("canary") && !public.contains("octo/security"), "{public}");
    assert!(desk.room.world.issues_of(&mail()).is_empty(), "nothing else is written there");
    let there = desk.room.writes().into_iter().filter(|call| call.path.contains("octo/mail"));
    assert!(there.into_iter().all(|call| call.route.starts_with("R/security-advisories")));
}
