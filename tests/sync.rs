//! Fields and advisory say different things, and a person says which side is right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::{Desk, mail, policy};
use wardroom::sim::{Fault, When};

const OTHER: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N";

#[tokio::test]
async fn the_advisory_takes_over_what_the_fields_say_in_the_lines_that_are_named() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.set("alice", "Affects versions", "1.2.0 to 1.4.4").await;
    desk.set("alice", "CVSS vector", OTHER).await;
    let before = desk.advisory(&id);
    let said = desk.say("bob", "/wardroom sync to-advisory affected").await;
    let now = desk.advisory(&id);
    assert_eq!(now.vulnerabilities[0].vulnerable_version_range.as_deref(), Some(">= 1.2.0, <= 1.4.4"));
    assert_eq!((now.vector(), now.text()), (before.vector(), before.text()), "only what was named");
    assert_eq!(desk.marks(said), ["rocket"]);
    let rows: Vec<String> = desk
        .section()
        .lines()
        .filter(|line| line.starts_with("| CVSS") || line.starts_with("| Affects"))
        .map(str::to_owned)
        .collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    // Without a name, every line that is left.
    desk.say("bob", "/wardroom sync to-advisory").await;
    assert_eq!(desk.advisory(&id).vector().unwrap().to_string(), OTHER);
    assert!(!desk.section().contains("differ"), "{}", desk.section());
    desk.is_steady().await;
}

#[tokio::test]
async fn the_fields_take_over_what_the_advisory_says_even_where_a_person_filled_them() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    let patch = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": ">= 1.0.0, <= 1.4.2", "patched_versions": "1.4.3"}], "cvss_vector_string": OTHER});
    desk.room.as_("alice").edit_advisory(&mail(), &id, &patch).unwrap();
    let said = desk.say("bob", "/wardroom sync from-advisory Affects versions").await;
    assert_eq!(
        desk.field("Affects versions"),
        ">= 1.0.0, <= 1.4.2",
        "{} {:?}\n{}\n{}",
        desk.answer(said),
        desk.marks(said),
        desk.section(),
        desk.room.call_log(30)
    );
    assert_ne!(desk.field("CVSS vector"), OTHER);
    assert_eq!(desk.marks(said), ["rocket"]);
    let status = desk.room.status(desk.number);
    let line = status.lines().find(|line| line.contains("1.0.0") && line.contains("set “Affects")).unwrap();
    insta::assert_snapshot!(line.split(" | ").last().unwrap(), @"set “Affects versions” to `>= 1.0.0, <= 1.4.2`, as the advisory says, by a command of `bob` |");
    // A person who changes it again has the last word, also after the store is lost.
    desk.set("alice", "Affects versions", "1.1.0 to 1.4.2").await;
    desk.room.lose_store();
    desk.room.heal().await;
    assert_eq!(desk.field("Affects versions"), "1.1.0 to 1.4.2");
    desk.say("bob", "/wardroom sync from-advisory").await;
    assert_eq!([desk.field("Affects versions"), desk.field("CVSS vector")], [">= 1.0.0, <= 1.4.2", OTHER]);
    desk.is_steady().await;
}

#[tokio::test]
async fn what_a_side_does_not_say_is_no_order_to_delete() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.set("alice", "CWE", "").await;
    let said = desk.say("bob", "/wardroom sync to-advisory cwe").await;
    assert_eq!(desk.advisory(&id).cwe_ids, ["CWE-120"]);
    assert_eq!(desk.marks(said), ["confused"]);
    insta::assert_snapshot!(desk.answer(said), @"The fields say nothing about **CWE** that the advisory could take over, so nothing was changed there: what is empty is no order to delete. Change it by hand.");
    // Nothing differs there: nothing to do, and no words.
    let said = desk.say("bob", "/wardroom sync from-advisory patched").await;
    assert_eq!((desk.marks(said), desk.answer(said)), (vec!["rocket".to_owned()], String::new()));
    // What a person may not say changes nothing.
    let said = desk.say("tina", "/wardroom sync from-advisory cwe").await;
    assert_eq!((desk.marks(said), desk.field("CWE")), (vec!["confused".to_owned()], String::new()));
}

#[tokio::test]
async fn text_that_a_person_wrote_in_the_advisory_is_never_replaced() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    let words = json!({"summary": "A long header crashes it", "description": "In a person’s own words."});
    desk.room.as_("alice").edit_advisory(&mail(), &id, &words).unwrap();
    for (name, value) in [("CVSS vector", OTHER), ("Root cause", "Another one"), ("Credits", "@bob")] {
        desk.set("alice", name, value).await;
    }
    desk.say("bob", "/wardroom sync to-advisory").await;
    let now = desk.advisory(&id);
    assert_eq!((now.summary.as_str(), now.text()), ("A long header crashes it", "In a person’s own words."));
    assert_eq!((now.vector().unwrap().to_string(), now.credits[0].login.as_str()), (OTHER.to_owned(), "bob"));
}

#[tokio::test]
async fn an_advisory_that_a_person_changes_at_the_same_moment_is_looked_at_again() {
    let (mut desk, id) = Desk::drafted(policy()).await;
    desk.set("alice", "CVSS vector", OTHER).await;
    let (tracker, advisory) = (desk.room.tracker.clone(), id.clone());
    desk.room.as_("bob").comment(&tracker, desk.number, "/wardroom sync to-advisory").unwrap();
    desk.room.wait(30);
    // alice adds a function between the look's read and its change.
    let changes = json!({"vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": ">= 1.2.0, <= 1.4.2", "patched_versions": "1.4.3", "vulnerable_functions": ["parse"]}]});
    const READ: &str = "R/security-advisories/{ghsa}";
    desk.room.world.faults(|faults| {
        faults.before("GET", READ, move |world| {
            world.faults(|faults| {
                faults.before("GET", READ, move |world| {
                    world.person("alice").edit_advisory(&mail(), &advisory, &changes).unwrap();
                });
            });
        });
    });
    desk.room.settle().await;
    desk.room.heal().await;
    let now = desk.advisory(&id);
    assert_eq!(now.vulnerabilities[0].vulnerable_functions, ["parse"]);
    assert_eq!(now.vector().unwrap().to_string(), OTHER);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once() {
    for when in [When::Before, When::After] {
        let (mut desk, id) = Desk::drafted(policy()).await;
        desk.set("alice", "CVSS vector", OTHER).await;
        desk.room
            .world
            .faults(|faults| faults.fail_route("PATCH R/security-advisories/{ghsa}", 1, Fault::TimeOut, when));
        let said = desk.say("bob", "/wardroom sync to-advisory vector").await;
        desk.room.heal().await;
        assert_eq!(desk.advisory(&id).vector().unwrap().to_string(), OTHER);
        assert_eq!(desk.marks(said), ["rocket"], "{when:?}");
    }
}

#[tokio::test]
async fn where_the_right_is_missing_the_words_name_it_and_the_rest_goes_on() {
    let (mut desk, _) = Desk::drafted(policy()).await;
    desk.set("alice", "CVSS vector", OTHER).await;
    desk.room.world.app_may("wardroom", "repository_advisories", Some("read"));
    let said = desk.say("bob", "/wardroom sync to-advisory").await;
    insta::assert_snapshot!(desk.answer(said).replace(&desk.only_advisory(), "GHSA-ID"), @r#"
    `GHSA-ID` was not changed: GitHub refused changing advisory GHSA-ID of octo/mail (403): Resource not accessible by integration. It needs the permission “Repository security advisories: write”, which an App can have and a workflow’s GITHUB\_TOKEN cannot: Settings, Developer settings, GitHub Apps, Permissions \& events, and then accept the request under Settings, Integrations, GitHub Apps. The owner of a token must be an admin or a security manager of the repository.

    A person can change it at <https://github.com/octo/mail/security/advisories/GHSA-ID>.
    "#);
    assert_eq!(desk.room.failures, Vec::<String>::new());
    desk.is_steady().await;
}
