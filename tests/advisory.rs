//! An incident and its advisory, in users' verbs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::policy;
use support::room::{Room, repo};
use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::domain::policy::{DraftWhen, Policy};
use wardroom::sim::{Fault, When};

async fn incident() -> (Room, u64) {
    let mut room = Room::with_policy(policy());
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    (room, number)
}

async fn say(room: &mut Room, who: &str, number: u64, text: &str) {
    let tracker = room.tracker.clone();
    room.wait(2);
    room.as_(who).comment(&tracker, number, text).unwrap();
    room.settle().await;
}

async fn fill(room: &mut Room, number: u64) {
    let tracker = room.tracker.clone();
    for (name, value) in [
        ("CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
        ("Affects versions", "1.2.0 to 1.4.2"),
        ("Patch/hotfix version", "1.4.3"),
        ("Root cause", "The length of a header is not checked"),
    ] {
        room.as_("alice").set_field(&tracker, number, name, value).unwrap();
    }
    room.settle().await;
}

fn field(room: &Room, number: u64, name: &str) -> String {
    Checklist::parse(&room.body(number)).field(name).unwrap().value.clone()
}

fn state(room: &Room, number: u64, task: &str) -> TaskState {
    Checklist::parse(&room.body(number)).find_task(task).unwrap().state
}

/// The advisory's part of the status comment.
fn section(room: &Room, number: u64) -> String {
    let status = room.status(number);
    let part = status.split("### The advisory\n\n").nth(1).unwrap_or_else(|| panic!("{status}"));
    part.split("\n###").next().unwrap().split("\n<sub>").next().unwrap().trim_end().to_owned()
}

fn only_advisory(room: &Room) -> String {
    let all = room.world.advisories_of(&repo("octo/mail"));
    assert_eq!(all.len(), 1, "{all:?}\n{}", room.call_log(40));
    all[0].clone()
}

#[tokio::test]
async fn a_draft_is_made_from_the_fields_once_and_linked() {
    let (mut room, number) = incident().await;
    insta::assert_snapshot!(section(&room, number), @"None is linked. `/wardroom draft` makes one from the fields; `/wardroom link GHSA-…` names one that there is.");
    fill(&mut room, number).await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    let id = only_advisory(&room);
    assert_eq!(
        [field(&room, number, "GitHub Security Advisory ID"), field(&room, number, "GitHub Security Advisory")],
        [id.clone(), id.clone()]
    );
    assert_eq!(state(&room, number, "T12"), TaskState::Done);
    assert_eq!(state(&room, number, "T31"), TaskState::Open);
    let advisory = room.world.advisory_now(&repo("octo/mail"), &id).unwrap();
    insta::assert_snapshot!(advisory.summary, @"Ledger Mail: << what an attacker can do, in one sentence >>");
    insta::assert_snapshot!("draft", advisory.text());
    insta::assert_snapshot!("drafted", section(&room, number).replace(&id, "GHSA-ID"));
    assert!(room.status(number).contains("because"), "{}", room.status(number));
    // Said again, it makes no second one; and a steady look writes nothing.
    say(&mut room, "bob", number, "/wardroom draft").await;
    only_advisory(&room);
    room.wait(60);
    room.world.clear_calls();
    room.look(number).await;
    assert_eq!(room.writes(), []);
    let reads: Vec<String> = room.world.calls().iter().map(|call| format!("{} {}", call.method, call.route)).collect();
    assert!(reads.len() <= 5, "{reads:?}");
}

#[tokio::test]
async fn a_draft_whose_answer_was_lost_is_found_again() {
    for when in [When::Before, When::After] {
        for fault in [Fault::TimeOut, Fault::CutBody, Fault::BadGateway] {
            let (mut room, number) = incident().await;
            fill(&mut room, number).await;
            room.world.faults(|faults| faults.fail_route("POST R/security-advisories", 1, fault, when));
            say(&mut room, "bob", number, "/wardroom draft").await;
            room.lose_store();
            room.heal().await;
            let id = only_advisory(&room);
            assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id, "{fault:?} {when:?}");
        }
    }
}

#[tokio::test]
async fn an_advisory_that_is_there_is_linked_and_what_differs_is_a_table() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    let mail = repo("octo/mail");
    let id = room.as_("rita").report_privately(&mail, "A header crashes it", "Long header.").unwrap();
    say(&mut room, "bob", number, &format!("/wardroom link {id}")).await;
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id);
    assert_eq!(state(&room, number, "T12"), TaskState::Open, "nobody accepted it yet");
    // A report is compared where both sides say something; once it is accepted, in everything.
    assert!(!section(&room, number).contains("differ"), "{}", section(&room, number));
    room.as_("alice").edit_advisory(&mail, &id, &json!({"state": "draft"})).unwrap();
    room.heal().await;
    assert_eq!(state(&room, number, "T12"), TaskState::Done);
    insta::assert_snapshot!(section(&room, number).replace(&id, "GHSA-ID"), @"
    [GHSA-ID](https://github.test/octo/mail/security/advisories/GHSA-ID) in `octo/mail`: a draft.

    The score 7.5 is at or above 4.0: ask for a CVE ID now with `/wardroom cve request GHSA-ID`, because the answer takes days, sometimes weeks.

    The fields and the advisory differ. Nothing is overwritten by itself: change the one that is wrong, or say `/wardroom sync to-advisory FIELD` or `/wardroom sync from-advisory FIELD`.

    | Field | The issue says | The advisory says | Changed last |
    |---|---|---|---|
    | Affects versions | `>= 1.2.0, <= 1.4.2` | – | `alice`, 2026-03-02 09:00 UTC |
    | Patch/hotfix version | `1.4.3` | – | `alice`, 2026-03-02 09:00 UTC |
    | CVSS vector | `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H` | – | `alice`, 2026-03-02 09:00 UTC |
    | Credits | – | `@rita (reporter)` | – |
    | advisories.packages | `other ledger-mail` | – | – |

    Thanked, once they accept: `rita` (reporter): accepted.

    Before it is published:

    - It names no package and no versions.
    - It has neither a CVSS vector nor a severity.
    - It names no weakness: add a CWE id.

    An admin publishes it on its page. Publishing deletes the advisory’s private fork with everything in it that is not merged (Wardroom cannot see it): save first what is still needed.

    Still missing for it:

    - **CWE** is empty: name the kind of weakness, for example `CWE-79`.
    - **Credits** is empty: say whom to thank, as `@login`, or `nobody`.
    ");
    say(&mut room, "bob", number, "/wardroom link GHSA-2222-2222-2222").await;
    let said = room.said(&room.tracker, number).pop().unwrap();
    assert!(said.contains(&format!("names `{id}` already")) && said.contains("GHSA-2222-2222-2222"), "{said}");
}

#[tokio::test]
async fn a_tick_that_a_fact_contradicts_stays_and_is_said() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    room.as_("alice").tick(&tracker, number, "T12").unwrap();
    room.settle().await;
    assert_eq!(state(&room, number, "T12"), TaskState::Done);
    assert!(room.world.advisories_of(&repo("octo/mail")).is_empty(), "a tick makes nothing");
    let status = room.status(number);
    let line = status.lines().find(|line| line.contains("not confirmed")).unwrap();
    insta::assert_snapshot!(line, @"- T12 Draft security advisory for GitHub Security Advisories is ticked and not confirmed: no advisory is linked.");
    // And a box that a person took out is not ticked again.
    fill(&mut room, number).await;
    room.as_("alice").untick(&tracker, number, "T12").unwrap();
    room.settle().await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    assert_eq!(state(&room, number, "T12"), TaskState::Open);
}

#[tokio::test]
async fn published_and_released_is_seen_and_the_gap_between_is_the_loudest_line() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    let (mail, id) = (repo("octo/mail"), only_advisory(&room));
    room.as_("alice").publish_release(&mail, "v1.4.3", &[]).unwrap();
    room.wait(60);
    room.heal().await;
    assert_eq!(state(&room, number, "T29"), TaskState::Done);
    let status = room.status(number);
    let first = status.split("### Please look at\n\n").nth(1).unwrap().lines().next().unwrap().to_owned();
    insta::assert_snapshot!(first, @"- **The fix is out and the advisory is not.** `v1.4.3` is public since 2026-03-02 09:01 UTC: whoever compares versions can find the vulnerability, and users do not know that they must update. Publish the advisory now.");
    let patch = json!({"cwe_ids": ["CWE-120"], "credits": [{"login": "rita", "type": "finder"}]});
    room.as_("alice").edit_advisory(&mail, &id, &patch).unwrap();
    room.as_("alice").publish_advisory(&mail, &id).unwrap();
    room.world.assign_cve(&mail, &id, "CVE-2026-12345");
    room.wait(60);
    room.heal().await;
    assert_eq!([state(&room, number, "T31"), state(&room, number, "T34")], [TaskState::Done; 2]);
    assert_eq!(field(&room, number, "CVE ID"), "CVE-2026-12345");
    assert!(!room.status(number).contains("The fix is out and the advisory is not"));
}

#[tokio::test]
async fn where_advisories_are_out_of_reach_the_text_is_offered_for_pasting() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    room.world.without_advisories();
    say(&mut room, "bob", number, "/wardroom draft").await;
    let said = room.said(&room.tracker, number).pop().unwrap();
    insta::assert_snapshot!("no_advisories", said.split_once('\n').unwrap().1);
    assert_eq!(room.failures, Vec::<String>::new());
    let tracker = room.tracker.clone();
    room.as_("bob").tick(&tracker, number, "T1").unwrap();
    room.settle().await;
    assert!(room.status(number).contains("ticked “Reproduce"), "everything else goes on");
    let said = room.said(&tracker, number).len();
    room.heal().await;
    assert_eq!(room.said(&tracker, number).len(), said, "it is said once");
}

#[tokio::test]
async fn whoever_may_not_write_drafts_and_links_nothing() {
    let (mut room, number) = incident().await;
    say(&mut room, "rita", number, "/wardroom draft").await;
    say(&mut room, "tina", number, "/wardroom link GHSA-2c3f-4gh5-6jm7").await;
    assert!(room.world.advisories_of(&repo("octo/mail")).is_empty());
    assert_eq!(room.said(&room.tracker, number).len(), 2);
    // Without a place for advisories the commands say what is missing.
    let mut room = Room::new();
    room.report("Crash", "x");
    room.settle().await;
    let number = room.incident();
    say(&mut room, "bob", number, "/wardroom draft").await;
    insta::assert_snapshot!(room.said(&room.tracker, number).pop().unwrap().split_once('\n').unwrap().1.trim_end(), @"The policy names no repository for advisories, so there is no place for one. Nothing was done. Set `advisories.repository` in `.github/wardroom.yml`.");
}

#[tokio::test]
async fn an_advisory_that_is_not_there_is_not_linked() {
    let (mut room, number) = incident().await;
    say(&mut room, "bob", number, "/wardroom link GHSA-2222-2222-2222").await;
    let said = room.said(&room.tracker, number).pop().unwrap();
    assert!(said.contains("was not linked") && said.contains("octo/mail"), "{said}");
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), "GHSA-XXXX-XXXX-XXXX");
    room.heal().await;
    assert!(section(&room, number).starts_with("None is linked."), "{}", section(&room, number));
}

#[tokio::test]
async fn a_link_that_is_refused_lets_no_other_advisory_prove_anything() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    let (mail, ours) = (repo("octo/mail"), only_advisory(&room));
    // Another advisory of the project, long published.
    let other = room.as_("rita").report_privately(&mail, "An old one", "Old.").unwrap();
    let patch = json!({"state": "draft", "vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
        "vulnerable_version_range": "< 1.0", "patched_versions": "1.0"}], "severity": "low"});
    room.as_("alice").edit_advisory(&mail, &other, &patch).unwrap();
    room.as_("alice").publish_advisory(&mail, &other).unwrap();
    say(&mut room, "bob", number, &format!("/wardroom link {other}")).await;
    room.wait(120);
    room.heal().await;
    assert_eq!(state(&room, number, "T31"), TaskState::Open, "only its own advisory counts");
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), ours);
}

#[tokio::test]
async fn a_refused_draft_is_said_once_although_its_mark_was_lost() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    room.world.without_advisories();
    room.world.faults(|faults| faults.fail_route("POST R/issues/comments/*", 1, Fault::Crash, When::Before));
    say(&mut room, "bob", number, "/wardroom draft").await;
    room.restart();
    room.heal().await;
    assert_eq!(room.said(&room.tracker, number).len(), 1, "{:?}", room.said(&room.tracker, number));
    let words = room
        .world
        .calls()
        .iter()
        .filter(|call| call.method == "POST" && call.path.ends_with(&format!("/issues/{number}/comments")))
        .count();
    assert_eq!(words, 2, "the status comment and one answer\n{}", room.call_log(60));
}

#[tokio::test]
async fn a_template_that_is_not_there_is_said() {
    let mut room = Room::with_policy(Policy { advisory_template: Some(".github/advisory.md".into()), ..policy() });
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    let line = room.status(number).lines().find(|line| line.contains("advisory_template")).map(str::to_owned);
    insta::assert_snapshot!(line.unwrap(), @"- The policy’s `advisory_template` is `.github/advisory.md`, and there is no such file on the tracker’s default branch: the built-in text is used.");
    room.world.file(&room.tracker, ".github/advisory.md", "## What happened\n\n{{ issue.root_cause }}\n");
    room.restart();
    room.wait(60);
    room.heal().await;
    assert!(!room.status(number).contains("there is no such file"), "{}", room.status(number));
}

#[tokio::test]
async fn what_a_private_report_says_of_versions_is_no_fact_and_calls_nobody() {
    let (mut room, number) = incident().await;
    let range = "@octo/all\n\n<!-- gone";
    let report = json!({"summary": "s", "description": "d", "vulnerabilities": [
        {"package": {"ecosystem": "other", "name": "ledger-mail"}, "vulnerable_version_range": range}]});
    let mail = repo("octo/mail");
    let id = room.as_("rita").report_with(&mail, &report).unwrap();
    room.as_("bob").comment(&room.tracker, number, &format!("/wardroom link {id}")).unwrap();
    room.wait(7);
    room.look(number).await;
    let status = room.status(number);
    assert!(status.contains("As soon as nobody has changed the issue"), "{status}");
    assert!(!status.contains("<!-- gone") && !status.replace("`@octo/all", "").contains("@octo/all"), "{status}");
    // Accepted by a person it is a draft, and a range that nobody can read is still no fact.
    room.as_("alice").edit_advisory(&mail, &id, &json!({"state": "draft"})).unwrap();
    room.settle().await;
    room.heal().await;
    assert_eq!(field(&room, number, "Affects versions"), "X.Y.Z to X.Y.Z");
    assert!(!room.body(number).contains("@octo"), "{}", room.body(number));
}

#[tokio::test]
async fn two_incidents_that_ask_at_once_get_a_draft_each() {
    let (mut room, first) = incident().await;
    room.report("Another", "It leaks.");
    room.settle().await;
    let second = room.incidents().iter().map(|issue| issue.number).max().unwrap();
    let tracker = room.tracker.clone();
    room.as_("alice").set_field(&tracker, first, "Root cause", "The first").unwrap();
    room.as_("alice").set_field(&tracker, second, "Root cause", "The second").unwrap();
    room.settle().await;
    for number in [first, second] {
        room.as_("bob").comment(&tracker, number, "/wardroom draft").unwrap();
    }
    // The answer to the second draft is lost: what is found again must be its own, not the first one's.
    room.world.faults(|faults| faults.fail_route("POST R/security-advisories", 2, Fault::TimeOut, When::Before));
    room.settle().await;
    room.heal().await;
    let mail = repo("octo/mail");
    assert_eq!(room.world.advisories_of(&mail).len(), 2, "{}", room.call_log(60));
    for (number, words) in [(first, "The first"), (second, "The second")] {
        let id = field(&room, number, "GitHub Security Advisory ID");
        let advisory = room.world.advisory_now(&mail, &id).unwrap();
        assert!(advisory.text().contains(words), "#{number} names {id}: {}", advisory.text());
    }
}

#[tokio::test]
async fn a_refused_link_leaves_nothing_to_do_behind_it() {
    let (room, number) = incident().await;
    room.as_("bob").comment(&room.tracker, number, "/wardroom link GHSA-2222-2222-2222").unwrap();
    room.wait(7);
    room.look(number).await;
    let said = room.status(number);
    assert!(!said.contains("cannot be read"), "{said}");
    room.wait(60);
    room.world.clear_calls();
    room.look(number).await;
    assert_eq!(room.writes(), [], "{}", room.status(number));
}

#[tokio::test]
async fn an_id_that_is_a_link_is_an_id_and_nobody_is_thanked_where_the_team_says_so() {
    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    let (tracker, id) = (room.tracker.clone(), only_advisory(&room));
    let link = format!("[{id}](https://github.test/octo/mail/security/advisories/{id})");
    for name in ["GitHub Security Advisory ID", "GitHub Security Advisory"] {
        room.as_("alice").set_field(&tracker, number, name, &link).unwrap();
    }
    room.settle().await;
    assert!(section(&room, number).starts_with(&format!("[{id}]")), "{}", section(&room, number));
    say(&mut room, "bob", number, "/wardroom draft").await;
    only_advisory(&room);

    let (mut room, number) = incident().await;
    fill(&mut room, number).await;
    let tracker = room.tracker.clone();
    room.as_("alice").set_field(&tracker, number, "Credits", "nobody").unwrap();
    room.as_("alice").set_field(&tracker, number, "Reporter", "@rita").unwrap();
    room.settle().await;
    say(&mut room, "bob", number, "/wardroom draft").await;
    let advisory = room.world.advisory_now(&repo("octo/mail"), &only_advisory(&room)).unwrap();
    assert_eq!(advisory.credits, [], "{}", advisory.text());
}

#[tokio::test]
async fn without_anchors_nothing_is_ticked_by_proof() {
    let mut room = Room::with_policy(policy());
    room.engine.template =
        "## Work\n\n- [ ] T12 Notify the customers\n- [ ] Fix it\n\n- **GitHub Security Advisory ID**: \
                            `GHSA-XXXX-XXXX-XXXX`\n"
            .to_owned();
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    say(&mut room, "bob", number, "/wardroom draft").await;
    let id = only_advisory(&room);
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id);
    assert_eq!(state(&room, number, "T12 Notify"), TaskState::Open);
}

#[tokio::test]
async fn releases_that_the_token_may_not_see_raise_no_alarm() {
    let mut policy = policy();
    policy.releases.repository = Some(repo("octo/hidden"));
    let mut room = Room::with_policy(policy);
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    fill(&mut room, number).await;
    let tracker = room.tracker.clone();
    room.as_("alice").tick(&tracker, number, "T29").unwrap();
    room.settle().await;
    let status = room.status(number);
    assert!(status.contains("Whether the fixed versions are released cannot be told"), "{status}");
    assert!(!status.contains("has no release"), "{status}");
}

fn at_mitigation() -> Policy {
    Policy { draft: DraftWhen::AtMitigation, ..policy() }
}

/// Phase 1 is done.
async fn begin_mitigation(room: &mut Room, number: u64) {
    let tracker = room.tracker.clone();
    for task in ["T1", "T2", "T3", "T4", "T5", "T6"] {
        room.as_("bob").tick(&tracker, number, task).unwrap();
    }
    room.settle().await;
}

#[tokio::test]
async fn where_the_policy_says_so_the_draft_is_made_when_phase_2_begins_and_once() {
    let mut room = Room::with_policy(at_mitigation());
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    insta::assert_snapshot!(section(&room, number), @"None is linked yet. One is drafted from the fields when phase 2 begins; `/wardroom draft` makes it now, and `/wardroom link GHSA-…` names one that there is.");
    fill(&mut room, number).await;
    room.heal().await;
    assert!(room.world.advisories_of(&repo("octo/mail")).is_empty(), "not before");
    begin_mitigation(&mut room, number).await;
    room.wait(60);
    room.heal().await;
    let id = only_advisory(&room);
    assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id);
    assert_eq!(state(&room, number, "T12"), TaskState::Done);
    assert_eq!(room.said(&room.tracker, number), Vec::<String>::new(), "nobody asked, nobody is answered");
    // Whoever takes it away meant it.
    let tracker = room.tracker.clone();
    room.as_("alice").edit_advisory(&repo("octo/mail"), &id, &json!({"state": "closed"})).unwrap();
    for name in ["GitHub Security Advisory ID", "GitHub Security Advisory"] {
        room.as_("alice").set_field(&tracker, number, name, "`GHSA-XXXX-XXXX-XXXX`").unwrap();
    }
    room.settle().await;
    room.wait(7200);
    room.heal().await;
    only_advisory(&room);
    assert!(section(&room, number).starts_with("None is linked. `/wardroom draft` makes one"));
}

#[tokio::test]
async fn a_draft_by_the_policy_whose_answer_was_lost_is_found_again_although_the_fields_changed() {
    for fault in [Fault::TimeOut, Fault::Crash] {
        for when in [When::Before, When::After] {
            for lose in [false, true] {
                let mut room = Room::with_policy(at_mitigation());
                room.report("Crash", "It crashes.");
                room.settle().await;
                let number = room.incident();
                fill(&mut room, number).await;
                room.crash_loses_store = lose;
                room.world.faults(|faults| {
                    faults.fail_route("POST R/security-advisories", 1, fault, when);
                });
                let tracker = room.tracker.clone();
                room.world.faults(|faults| {
                    faults.before("GET", "R/security-advisories", move |world| {
                        world.person("bob").set_field(&tracker, number, "Root cause", "Something else").unwrap();
                    });
                });
                begin_mitigation(&mut room, number).await;
                room.heal().await;
                room.wait(60);
                room.heal().await;
                let id = only_advisory(&room);
                assert_eq!(field(&room, number, "GitHub Security Advisory ID"), id, "{fault:?} {when:?} {lose}");
            }
        }
    }
}

#[tokio::test]
async fn a_draft_by_the_policy_that_github_refuses_is_offered_for_pasting_once() {
    let mut room = Room::with_policy(at_mitigation());
    room.report("Crash", "It crashes.");
    room.settle().await;
    let number = room.incident();
    fill(&mut room, number).await;
    room.world.without_advisories();
    begin_mitigation(&mut room, number).await;
    room.heal().await;
    let said = room.said(&room.tracker, number);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("No draft was made in `octo/mail`") && said[0].contains("A person can paste it"),
        "{said:?}"
    );
    room.wait(60);
    room.world.clear_calls();
    room.look(number).await;
    assert_eq!(room.writes(), []);
    assert_eq!(room.failures, Vec::<String>::new());
}
