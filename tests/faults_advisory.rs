//! From a draft to a published advisory with its CVE ID, under a fault at each call of the way. What must hold in the end
//! is the same, but for one thing: where the answer to the request for a CVE ID was lost, a person is told to look.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use serde_json::json;
use support::desk::{Desk, mail, may_publish};
use support::room::Room;
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::checklist::TaskState;
use wardroom::sim::{Fault, When};

/// A draft that a person made, its release, and an incident whose fields name it: set up in few calls.
async fn prepared() -> (Desk, String) {
    let mut desk = Desk::with(Room::with_policy(may_publish())).await;
    let (room, mail) = (&desk.room, mail());
    let id =
        room.as_("alice").report_privately(&mail, "Ledger Mail: a crash", "## Summary\n\nUpdate to 1.4.3.\n").unwrap();
    let draft = json!({"state": "draft", "cvss_vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
        "vulnerabilities": [{"package": {"ecosystem": "other", "name": "ledger-mail"},
            "vulnerable_version_range": ">= 1.2.0, <= 1.4.2", "patched_versions": "1.4.3"}],
        "cwe_ids": ["CWE-120"], "credits": [{"login": "rita", "type": "finder"}]});
    room.as_("alice").edit_advisory(&mail, &id, &draft).unwrap();
    room.as_("alice").publish_release(&mail, "v1.4.3", &[]).unwrap();
    let fields = [
        ("CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
        ("Affects versions", "1.2.0 to 1.4.2"),
        ("Patch/hotfix version", "1.4.3"),
        ("CWE", "CWE-120"),
        ("Credits", "@rita"),
        ("GitHub Security Advisory ID", id.as_str()),
    ];
    let line = |line: &str| {
        let known = fields.iter().find(|(name, _)| line.starts_with(&format!("- **{name}**")));
        known.map_or_else(|| line.to_owned(), |(name, value)| format!("- **{name}**: {value}"))
    };
    let fill = |body: &str| body.lines().map(line).collect::<Vec<_>>().join("\n");
    room.as_("alice").edit_body(&room.tracker, desk.number, fill).unwrap();
    desk.room.settle().await;
    (desk, id)
}

/// What people do: they ask for a CVE ID, it comes, and they publish. Returns the comments.
async fn live(desk: &mut Desk, id: &str) -> [u64; 3] {
    let asked = desk.say("alice", &format!("/wardroom cve request {id}")).await;
    desk.room.world.assign_cve(&mail(), id, "CVE-2026-12345");
    let first = desk.say("alice", &format!("/wardroom publish {id}")).await;
    let second = desk.say("carol", &format!("/wardroom approve {id}")).await;
    [asked, first, second]
}

/// What is not as it should be in the end.
fn wrong(desk: &Desk, id: &str, comments: [u64; 3]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |is_so: bool, what: &str| {
        if !is_so {
            wrong.push(what.to_owned());
        }
    };
    let [asked, first, second] = comments;
    must(desk.advisory(id).state == AdvisoryState::Published, "it is not published");
    must(desk.task("T31") == TaskState::Done && desk.task("T34") == TaskState::Done, "a box is not ticked");
    must(desk.field("CVE ID") == "CVE-2026-12345", "the field lacks the CVE ID");
    let times = desk.room.world.cve_requests(&mail(), id);
    let marks = desk.marks(asked);
    let told = match marks.first().map(String::as_str) {
        Some("rocket") => times == 1,
        Some("eyes") => times <= 1 && desk.answer(asked).contains("may have been asked for"),
        // It came before GitHub could be asked.
        Some("confused") => times == 0 && desk.answer(asked).contains("there is a CVE ID already"),
        _ => false,
    };
    must(told, &format!("asked {times} times, and told {marks:?} {}", desk.answer(asked)));
    must(desk.marks(first).contains(&"rocket".to_owned()), "the first word has no mark");
    must(desk.marks(second) == ["rocket"], "the second word has no mark");
    must(desk.answer(second).contains("is public"), &format!("the end is not told: {}", desk.answer(second)));
    let said = desk.room.said(&desk.room.tracker, desk.number);
    let mut heads: Vec<&str> = said.iter().filter_map(|text| text.lines().next()).collect();
    heads.sort_unstable();
    let all = heads.len();
    heads.dedup();
    must(heads.len() == all, "something is said twice");
    wrong
}

/// Each second call of the way, from this one on.
fn a_whole_life(from: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (before, after) = runtime.block_on(async {
        let (mut desk, id) = prepared().await;
        let before = desk.room.world.calls().len();
        let comments = live(&mut desk, &id).await;
        let after = desk.room.world.calls().len();
        desk.room.wait(60);
        desk.room.heal().await;
        assert_eq!(wrong(&desk, &id, comments), Vec::<String>::new());
        assert_eq!(desk.marks(comments[0]), ["rocket"]);
        (before, after)
    });
    let kinds = Fault::ALL.into_iter().flat_map(|fault| {
        let moments =
            [When::Before, When::After].into_iter().filter(move |when| *when == When::Before || !fault.is_before());
        moments.flat_map(move |when| [false, true].map(|lose| (fault, when, lose)))
    });
    let faults: Vec<(Fault, When, bool)> =
        kinds.filter(|(fault, _, lose)| !lose || matches!(fault, Fault::Crash | Fault::CutBody)).collect();
    // Outside CI one of five.
    let every = if std::env::var("CI").is_ok_and(|value| value == "true") { 1 } else { 5 };
    let mut all_wrong = Vec::new();
    let mut turn = 0_usize;
    let mut runs = 0;
    for nth in (from..=after - before).step_by(2) {
        for &(fault, when, lose) in &faults {
            turn += 1;
            if !turn.is_multiple_of(every) {
                continue;
            }
            runs += 1;
            runtime.block_on(async {
                let (mut desk, id) = prepared().await;
                desk.room.crash_loses_store = lose;
                desk.room.world.faults(|faults| faults.fail(nth, fault, when));
                let comments = live(&mut desk, &id).await;
                if lose {
                    desk.room.lose_store();
                }
                desk.room.wait(60);
                desk.room.heal().await;
                let wrong = wrong(&desk, &id, comments);
                if !wrong.is_empty() {
                    all_wrong.push(format!(
                        "call {nth} {fault:?} {when:?} store lost: {lose}: {wrong:?}\n{}",
                        desk.room.call_log(60)
                    ));
                }
            });
        }
    }
    let cases: Vec<&str> = all_wrong.iter().filter_map(|case| case.lines().next()).collect();
    assert!(all_wrong.is_empty(), "{} of {runs}:\n{}\n{}", cases.len(), cases.join("\n"), all_wrong[0]);
    eprintln!("{runs} runs over half of {} calls", after - before);
}

#[test]
fn p1_p7_p11_a_whole_life_under_a_fault_at_each_odd_call_is_published_once() {
    a_whole_life(1);
}

#[test]
fn p1_p7_p11_a_whole_life_under_a_fault_at_each_even_call_is_published_once() {
    a_whole_life(2);
}
