//! Every call of every scenario under every fault: after the faults end, everything comes to the same rest.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use std::future::Future;
use std::pin::Pin;

use support::room::{Room, repo};
use wardroom::domain::policy::{Policy, Reports};
use wardroom::sim::{Fault, When};

type Act = for<'a> fn(&'a mut Room) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

/// The tracking issue, if it exists by now; under a fault it may come later.
fn incident(room: &Room) -> Option<u64> {
    room.incidents().iter().map(|issue| issue.number).min()
}

/// Lets Wardroom work, with sweeps, until it has done something that the scenario goes on from.
async fn until(room: &mut Room, what: impl Fn(&Room) -> bool) {
    room.settle().await;
    for _ in 0..4 {
        if what(room) {
            return;
        }
        room.sweep().await;
    }
    panic!("it does not come; the last calls:\n{}", room.call_log(40));
}

/// Opens an incident, waiting until it is there however long the faults last, and then lets people act on it.
async fn opened(room: &mut Room) -> u64 {
    room.report("Crash", "It crashes.");
    until(room, |room| incident(room).is_some()).await;
    incident(room).unwrap()
}

const OPEN: &str = "open";
const DRAFT: &str = "draft of an advisory";
const PRIVATE: &str = "private report";
const ACCEPT: &str = "accept a private report";

/// Opens the incident of a private report, waiting until it is there. Returns its number and the advisory's id.
async fn reported(room: &mut Room) -> (u64, String) {
    room.with_advisories_in("octo/mail");
    let id = room.as_("rita").report_privately(&repo("octo/mail"), "Crash", "It crashes.").unwrap();
    until(room, |room| incident(room).is_some()).await;
    (incident(room).unwrap(), id)
}

fn scenarios() -> Vec<(&'static str, Act)> {
    vec![
        (OPEN, |room| {
            Box::pin(async {
                opened(room).await;
            })
        }),
        ("open by form", |room| {
            Box::pin(async {
                let tracker = room.tracker.clone();
                room.as_("rita").open_by_form(&tracker, "Crash", "x", &["security-report", "bug"]).unwrap();
                room.settle().await;
            })
        }),
        ("open from a public repository", |room| {
            Box::pin(async {
                room.as_("rita").open_by_form(&repo("octo/mail"), "Crash", "x", &["security-report"]).unwrap();
                room.settle().await;
            })
        }),
        ("open two", |room| {
            Box::pin(async {
                room.report("One", "1");
                until(room, |room| room.incidents().len() == 1).await;
                room.report("Two", "2");
                until(room, |room| room.incidents().len() == 2).await;
            })
        }),
        ("tick", |room| {
            Box::pin(async {
                let number = opened(room).await;
                for task in ["T1", "T2", "T3", "T4", "T5", "T6"] {
                    room.as_("bob").tick(&room.tracker, number, task).unwrap();
                }
                room.settle().await;
            })
        }),
        ("tick and untick", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("bob").tick(&room.tracker, number, "T1").unwrap();
                room.settle().await;
                room.as_("alice").untick(&room.tracker, number, "T1").unwrap();
                room.settle().await;
            })
        }),
        ("vector", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("alice").set_field(&room.tracker, number, "CVSS vector", VECTOR).unwrap();
                room.settle().await;
            })
        }),
        ("severity command", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("bob").comment(&room.tracker, number, "/wardroom severity high").unwrap();
                room.settle().await;
            })
        }),
        ("cvss command", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("bob").comment(&room.tracker, number, &format!("/wardroom cvss {VECTOR}")).unwrap();
                room.settle().await;
            })
        }),
        ("not applicable", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("bob").comment(&room.tracker, number, "/wardroom na T4 no LTS").unwrap();
                room.settle().await;
            })
        }),
        ("not applicable, undone", |room| {
            Box::pin(async {
                let number = opened(room).await;
                let before = room.body(number);
                room.as_("bob").comment(&room.tracker, number, "/wardroom na T4 no LTS").unwrap();
                until(room, |room| room.body(number).contains("N/A: no LTS")).await;
                room.as_("alice").edit_body(&room.tracker, number, |_| before).unwrap();
                room.settle().await;
            })
        }),
        ("refused", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("rita").comment(&room.tracker, number, "/wardroom close invalid").unwrap();
                room.as_("tina").comment(&room.tracker, number, "/wardroom pause").unwrap();
                room.settle().await;
            })
        }),
        ("help and nonsense", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("bob").comment(&room.tracker, number, "/wardroom help").unwrap();
                room.as_("bob").comment(&room.tracker, number, "/wardroom dance").unwrap();
                room.settle().await;
            })
        }),
        ("pause and resume", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("alice").comment(&room.tracker, number, "/wardroom pause").unwrap();
                room.settle().await;
                room.as_("bob").tick(&room.tracker, number, "T1").unwrap();
                room.settle().await;
                room.as_("alice").comment(&room.tracker, number, "/wardroom resume").unwrap();
                room.settle().await;
            })
        }),
        ("close as invalid", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("alice").comment(&room.tracker, number, "/wardroom close invalid no such function").unwrap();
                room.settle().await;
            })
        }),
        ("close early, reopen", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("alice").close(&room.tracker, number, "completed").unwrap();
                until(room, |room| room.said(&room.tracker, number).len() == 1).await;
                room.as_("alice").reopen(&room.tracker, number).unwrap();
                room.settle().await;
            })
        }),
        ("close as not planned", |room| {
            Box::pin(async {
                let number = opened(room).await;
                room.as_("alice").close(&room.tracker, number, "not_planned").unwrap();
                room.settle().await;
            })
        }),
        ("merge", |room| {
            Box::pin(async {
                room.report("One", "1");
                until(room, |room| room.incidents().len() == 1).await;
                room.report("Two", "2");
                until(room, |room| room.incidents().len() == 2).await;
                let numbers: Vec<u64> = room.incidents().iter().map(|issue| issue.number).collect();
                if let [first, second] = numbers[..] {
                    let text = format!("/wardroom merge #{first}");
                    room.as_("alice").comment(&room.tracker, second, &text).unwrap();
                }
                room.settle().await;
            })
        }),
        ("adopt", |room| {
            Box::pin(async {
                let body = "## Phase 1: Look\n\n- [x] Read it\n- [ ] Try it\n";
                let number = room.as_("bob").open_issue(&room.tracker, "By hand", body, &[]).unwrap();
                room.as_("bob").comment(&room.tracker, number, "/wardroom adopt").unwrap();
                room.settle().await;
            })
        }),
        (DRAFT, |room| {
            Box::pin(async {
                room.with_advisories_in("octo/mail");
                let number = opened(room).await;
                room.as_("bob").comment(&room.tracker, number, "/wardroom draft").unwrap();
                room.settle().await;
            })
        }),
        (PRIVATE, |room| {
            Box::pin(async {
                reported(room).await;
            })
        }),
        (ACCEPT, |room| {
            Box::pin(async {
                let (number, id) = reported(room).await;
                room.as_("alice").comment(&room.tracker, number, &format!("/wardroom accept {id}")).unwrap();
                room.settle().await;
            })
        }),
        ("report closed", |room| {
            Box::pin(async {
                let number = room.report("Crash", "x");
                // A report that is closed before it was answered needs no answer: that would be another story.
                let answered = |room: &Room| !room.said(&room.tracker, number).is_empty();
                until(room, |room| incident(room).is_some() && answered(room)).await;
                room.as_("rita").close(&room.tracker, number, "completed").unwrap();
                room.settle().await;
            })
        }),
    ]
}

fn room() -> Room {
    let reports = Reports { repositories: vec![repo("octo/security"), repo("octo/mail")], ..Reports::default() };
    Room::with_policy(Policy { reports, roster: vec!["alice".into()], ..Policy::default() })
}

/// Runs a scenario with a fault, heals, and returns the outcome and the log.
async fn run(act: Act, fault: Option<(usize, Fault, When)>, lose: bool) -> (String, usize, String) {
    let mut room = room();
    room.crash_loses_store = lose;
    if let Some((nth, fault, when)) = fault {
        room.world.faults(|faults| faults.fail(nth, fault, when));
    }
    act(&mut room).await;
    let calls = room.world.calls().len();
    room.heal().await;
    (room.outcome(), calls, room.call_log(60))
}

fn matrix(from: usize, step: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut wrong = Vec::new();
    let mut runs = 0;
    // All of it takes minutes: outside CI one of seven, another seventh for each scenario.
    let every = if std::env::var("CI").is_ok_and(|value| value == "true") { 1 } else { 7 };
    let mut turn = 0_usize;
    for (name, act) in scenarios().into_iter().skip(from).step_by(step) {
        let (wanted, calls, _) = runtime.block_on(run(act, None, false));
        // What comes before is a scenario of its own, and looks with an advisory cost more.
        let before = match name {
            DRAFT => Some(OPEN),
            ACCEPT => Some(PRIVATE),
            _ => None,
        };
        let before = before.and_then(|before| scenarios().into_iter().find(|(name, _)| *name == before));
        let first = before.map_or(0, |(_, act)| runtime.block_on(run(act, None, false)).1);
        for nth in first + 1..=calls {
            for fault in Fault::ALL {
                for when in [When::Before, When::After] {
                    if when == When::After && fault.is_before() {
                        continue;
                    }
                    for lose in [false, true] {
                        if lose && fault != Fault::Crash {
                            continue;
                        }
                        turn += 1;
                        if !turn.is_multiple_of(every) {
                            continue;
                        }
                        runs += 1;
                        let (got, _, log) = runtime.block_on(run(act, Some((nth, fault, when)), lose));
                        if got != wanted {
                            wrong.push((format!("{name}: call {nth} {fault:?} {when:?} store lost: {lose}"), got, log));
                        }
                    }
                }
            }
        }
        if let Some((case, got, log)) = wrong.first() {
            let cases: Vec<&str> = wrong.iter().map(|(case, ..)| case.as_str()).collect();
            panic!(
                "{} of {runs} runs end differently:\n{}\nthe first, {case}:\n{got}\ninstead of\n{wanted}\n{log}",
                wrong.len(),
                cases.join("\n")
            );
        }
    }
    let share = if every == 1 { String::new() } else { format!(", one of {every}; all of them under CI=true") };
    eprintln!("{runs} runs{share}");
}

#[test]
fn p1_p7_every_call_under_every_fault_ends_in_the_same_place_first_half() {
    matrix(0, 2);
}

#[test]
fn p1_p7_every_call_under_every_fault_ends_in_the_same_place_second_half() {
    matrix(1, 2);
}
