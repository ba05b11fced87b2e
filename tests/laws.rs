//! What must always hold, over the simulated GitHub and the real client. Each test is named by its law.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use support::room::{BOT, Room, repo};
use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::domain::incident::Subject;
use wardroom::domain::policy::{Policy, Product, Reports};
use wardroom::engine::{Guards, Looked};
use wardroom::sim::{Fault, When};

const VECTORS: [&str; 3] = [
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
];

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Lets reads lag behind writes from now on, where a case says so.
fn lagging(room: &Room, seed: Option<u64>) {
    if let Some(seed) = seed {
        room.world.set_lag_by_seed(seed);
    }
}

/// Time enough for every replica to know everything, and no lag from now on.
fn up_to_date(room: &Room) {
    room.wait(3600);
    room.world.set_lag(false);
}

/// The state of a task by its anchor.
fn state(body: &str, anchor: &str) -> Option<TaskState> {
    Checklist::parse(body).find_task(anchor).ok().map(|task| task.state)
}

// --- P6 -----------------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Act {
    Tick(u8),
    Untick(u8),
    Severity(u8),
    Pause,
    Resume,
    Close(bool),
    Reopen,
    Stranger,
    Wait(u8),
}

fn act_strategy() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1_u8..39).prop_map(Act::Tick),
        1 => (1_u8..39).prop_map(Act::Untick),
        1 => (0_u8..4).prop_map(Act::Severity),
        1 => Just(Act::Pause),
        1 => Just(Act::Resume),
        1 => any::<bool>().prop_map(Act::Close),
        1 => Just(Act::Reopen),
        1 => Just(Act::Stranger),
        2 => (1_u8..60).prop_map(Act::Wait),
    ]
}

fn perform(room: &Room, number: u64, act: &Act) {
    let tracker = &room.tracker;
    let done = match act {
        Act::Tick(task) => room.as_("bob").tick(tracker, number, &format!("T{task}")),
        Act::Untick(task) => room.as_("alice").untick(tracker, number, &format!("T{task}")),
        Act::Severity(level) => {
            let words = ["Critical", "high", "nonsense @all", "`Critical|High|Medium|Low`"];
            room.as_("bob").set_field(tracker, number, "Severity Level", words[usize::from(*level)])
        }
        Act::Pause => room.as_("alice").comment(tracker, number, "/wardroom pause").map(|_| ()),
        Act::Resume => room.as_("bob").comment(tracker, number, "/wardroom resume").map(|_| ()),
        Act::Close(planned) => {
            room.as_("tina").close(tracker, number, if *planned { "completed" } else { "not_planned" })
        }
        Act::Reopen => room.as_("tina").reopen(tracker, number),
        Act::Stranger => room.as_("rita").comment(tracker, number, "/wardroom close invalid").map(|_| ()),
        Act::Wait(seconds) => {
            room.wait(i64::from(*seconds));
            Ok(())
        }
    };
    done.unwrap();
}

/// What must be the same however the events arrived: labels, text and state. The record may know less.
fn meaning(room: &Room, number: u64) -> String {
    // While paused nothing follows: what stands there is from the moment when the pause was seen.
    if room.labels(number).contains(&"paused".to_owned()) {
        return format!("paused\n{}", room.body(number));
    }
    let status = room.status(number);
    let facts: Vec<&str> =
        status.lines().filter(|line| line.starts_with("**Phase") || line.starts_with("| Phase")).collect();
    format!("{:?}\n{}\n{facts:?}", room.labels(number), room.body(number))
}

/// Plays it, and gives what is left in the end and the calls that led there.
async fn play(acts: &[Act], fate: &[u8], lag: Option<u64>) -> (String, String) {
    let mut room = Room::new();
    room.report("Crash", "x");
    room.settle().await;
    let number = room.incident();
    lagging(&room, lag);
    let mut fates = fate.iter().cycle();
    let mut kept = Vec::new();
    for act in acts {
        perform(&room, number, act);
        for delivery in room.world.take_deliveries() {
            match fates.next().unwrap_or(&0) {
                0 => room.receive_one(&delivery).await,
                1 => {}
                2 => {
                    room.receive_one(&delivery).await;
                    room.receive_one(&delivery).await;
                }
                _ => kept.push(delivery),
            }
        }
        if fates.next().is_some_and(|fate| fate % 2 == 0) {
            room.step().await;
        }
        if fates.next().is_some_and(|fate| *fate == 3) {
            room.lose_store();
        }
    }
    for delivery in kept.iter().rev() {
        room.receive_one(delivery).await;
    }
    up_to_date(&room);
    room.heal().await;
    (meaning(&room, number), room.call_log(80))
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn p6_p7_any_order_loss_or_doubling_of_deliveries_and_the_loss_of_the_store_end_in_the_same_state(
        acts in proptest::collection::vec(act_strategy(), 1..10),
        fate in proptest::collection::vec(0_u8..4, 1..12),
        lag in proptest::option::of(any::<u64>()),
    ) {
        let (wanted, _) = run(play(&acts, &[0], None));
        let (got, calls) = run(play(&acts, &fate, lag));
        prop_assert_eq!(got, wanted, "{}", calls);
    }
}

// --- P4 -----------------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(config(32))]

    /// People tick, untick, write fields and free text at the very moments of Wardroom's own calls, while it edits the
    /// body: their last act on each thing stands.
    #[test]
    fn p4_no_write_of_ours_loses_a_persons_tick_or_edit(
        races in proptest::collection::vec((1_usize..30, 1_u8..20, any::<bool>(), 0_u8..7), 1..8),
        vector in 0_usize..3,
        lag in proptest::option::of(any::<u64>()),
    ) {
        run(async {
            let mut room = Room::new();
            room.report("Crash", "x");
            room.settle().await;
            let number = room.incident();
            lagging(&room, lag);
            room.as_("alice").set_field(&room.tracker, number, "CVSS vector", VECTORS[vector]).unwrap();
            let log: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
            for (nth, task, done, kind) in races.clone() {
                let (log, tracker) = (log.clone(), room.tracker.clone());
                room.world.faults(|faults| faults.on_call(nth, move |world| {
                    let person = world.person("bob");
                    let before = world.body(&tracker, number);
                    let (thing, value) = match kind {
                        0 => {
                            let text = format!("Note {nth}-{task}.");
                            person.edit_body(&tracker, number, |body| body.replacen("### Resources", &format!("{text}\n\n### Resources"), 1)).unwrap();
                            (text.clone(), text)
                        }
                        1 => {
                            let value = format!("cause {nth}");
                            person.set_field(&tracker, number, "Root cause", &value).unwrap();
                            ("Root cause".to_owned(), value)
                        }
                        2 => {
                            let text = format!("- [ ] Extra {nth}-{task}");
                            person.edit_body(&tracker, number, |body| body.replacen("### Resources", &format!("{text}\n\n### Resources"), 1)).unwrap();
                            (text.clone(), text)
                        }
                        3 | 4 => {
                            // Tasks that nobody ticks here: struck through, or taken out.
                            let anchor = format!("T{}", if kind == 3 { 21 + task % 4 } else { 26 + task % 4 });
                            let strike = |line: &str| match line.contains(&format!("wardroom:{anchor} ")) {
                                false => Some(line.to_owned()),
                                true if kind == 4 => None,
                                true if line.contains("~~") => Some(line.to_owned()),
                                true => Some(line.replace("- [ ] ", "- [ ] ~~").replace(" <!--", "~~ N/A <!--")),
                            };
                            person.edit_body(&tracker, number, |body| body.split('\n').filter_map(strike).collect::<Vec<_>>().join("\n")).unwrap();
                            (anchor, if kind == 3 { "N/A" } else { "gone" }.to_owned())
                        }
                        _ => {
                            let anchor = format!("T{task}");
                            if done { person.tick(&tracker, number, &anchor) } else { person.untick(&tracker, number, &anchor) }.unwrap();
                            (anchor, done.to_string())
                        }
                    };
                    // Unticking a box that stands open is no act: the page shows nothing to untick.
                    if world.body(&tracker, number) != before {
                        log.lock().unwrap().push((thing, value));
                    }
                }));
            }
            room.settle().await;
            up_to_date(&room);
            room.heal().await;
            let body = room.body(number);
            let acts = log.lock().unwrap().clone();
            for (index, (thing, value)) in acts.iter().enumerate() {
                if acts[index + 1..].iter().any(|(later, _)| later == thing) {
                    continue;
                }
                let stands = match thing.as_str() {
                    "Root cause" => body.contains(&format!("**Root cause**: {value}")),
                    note if note.starts_with("Note") => body.contains(value.as_str()),
                    added if added.starts_with("- [ ]") => body.contains(value.as_str()),
                    anchor if value == "N/A" => state(&body, anchor) == Some(TaskState::NotApplicable),
                    anchor if value == "gone" => state(&body, anchor).is_none(),
                    anchor => state(&body, anchor) == Some(if value == "true" { TaskState::Done } else { TaskState::Open }),
                };
                prop_assert!(stands, "{thing} should be {value}; acts {acts:?}\n{}\n{body}", room.call_log(60));
            }
            prop_assert!(body.contains("**CVSS Score**: `"), "the fill is still there\n{body}");
            Ok(())
        })?;
    }
}

#[test]
fn p7_a_tick_that_was_taken_back_while_nobody_looked_is_in_the_record_once() {
    run(async {
        let mut room = Room::new();
        room.report("Crash", "x");
        room.settle().await;
        let number = room.incident();
        room.wait(60);
        room.as_("bob").tick(&room.tracker, number, "T1").unwrap();
        room.as_("alice").untick(&room.tracker, number, "T1").unwrap();
        room.world.take_deliveries();
        for _ in 0..2 {
            room.lose_store();
            room.wait(60);
            room.sweep().await;
            let status = room.status(number);
            for act in ["`bob` | ticked “Reproduce", "`alice` | unticked “Reproduce"] {
                assert_eq!(status.matches(act).count(), 1, "{act} in\n{status}");
            }
        }
    });
}

// --- P8 -----------------------------------------------------------------------------------------------------------

#[test]
fn p8_a_steady_look_makes_no_writes_and_two_reads() {
    run(async {
        let mut room = Room::new();
        room.report("Crash", "x");
        room.settle().await;
        let number = room.incident();
        room.as_("bob").comment(&room.tracker, number, "/wardroom severity high").unwrap();
        room.as_("bob").tick(&room.tracker, number, "T1").unwrap();
        room.settle().await;
        room.wait(60);
        room.world.clear_calls();
        let looked = room.look(number).await;
        assert_eq!(looked.writes, 0);
        let routes: Vec<String> =
            room.world.calls().iter().map(|call| format!("{} {}", call.method, call.route)).collect();
        assert_eq!(routes, ["GET R/issues/{n}", "GET R/issues/{n}/comments"]);
        room.lose_store();
        room.world.clear_calls();
        room.sweep().await;
        assert_eq!(room.writes(), []);
    });
}

// --- P5, lag ------------------------------------------------------------------------------------------------------

#[test]
fn p5_lagging_reads_never_double_anything() {
    run(async {
        let mut room = Room::new();
        room.world.set_lag(true);
        room.as_("rita").open_by_form(&room.tracker.clone(), "Crash", "x", &["security-report"]).unwrap();
        room.settle().await;
        let number = room.incident();
        for task in ["T1", "T2", "T3"] {
            room.as_("bob").tick(&room.tracker, number, task).unwrap();
            room.as_("bob").comment(&room.tracker, number, "/wardroom help").unwrap();
            room.wait(1);
        }
        room.settle().await;
        room.sweep().await;
        assert_eq!(room.incidents().len(), 1);
        assert_eq!(room.said(&room.tracker, number).len(), 3, "{:?}", room.said(&room.tracker, number));
        assert_eq!(room.said(&room.tracker, 1).len(), 1);
        assert!(
            room.status(number).contains("ticked “Check if vulnerability affects current"),
            "{}",
            room.status(number)
        );
    });
}

#[test]
fn p5_two_processes_within_the_lists_lag_are_healed_to_one_incident() {
    run(async {
        let mut room = Room::new();
        room.world.set_lag(true);
        // A public report leaves no acknowledgement to find each other by.
        room.as_("rita").open_by_form(&repo("octo/mail"), "Crash", "x", &["security-report"]).unwrap();
        let policy = Policy {
            reports: Reports { repositories: vec![repo("octo/mail")], ..Reports::default() },
            ..Policy::default()
        };
        room.engine.policy = policy.clone();
        let subject: Subject = "report octo/mail#1".parse().unwrap();
        room.wait(10);
        let first: Looked = room.engine.look(&subject, 0).await.unwrap();
        room.lose_store();
        room.engine.policy = policy.clone();
        let second = room.engine.look(&subject, 0).await.unwrap();
        assert_eq!((first.writes > 0, second.writes > 0), (true, true));
        assert_eq!(room.incidents().len(), 2);
        room.wait(3600);
        room.sweep().await;
        let open: Vec<u64> =
            room.incidents().iter().filter(|issue| issue.is_open()).map(|issue| issue.number).collect();
        assert_eq!(open, [1]);
        let said = room.said(&room.tracker, 2);
        insta::assert_snapshot!("double", said.join("\n"));
        assert!(room.world.comments_of(&repo("octo/mail"), 1).is_empty());
    });
}

// --- P9 -----------------------------------------------------------------------------------------------------------

#[test]
fn p9_nothing_private_reaches_a_public_place() {
    run(async {
        for acknowledge in [false, true] {
            let policy = Policy {
                reports: Reports { repositories: vec![repo("octo/mail")], ..Reports::default() },
                product: Product { name: "canary-product".into(), ..Product::default() },
                roster: vec!["alice".into()],
                acknowledge_public: acknowledge,
                ..Policy::default()
            };
            let mut room = Room::with_policy(policy);
            let public = repo("octo/mail");
            room.as_("rita").open_by_form(&public, "canary-title", "canary-body", &["security-report"]).unwrap();
            room.settle().await;
            let number = room.incident();
            room.as_("alice").set_field(&room.tracker, number, "Root cause", "canary-cause").unwrap();
            room.as_("alice").comment(&room.tracker, number, "/wardroom na T4 canary-reason").unwrap();
            room.as_("alice").comment(&room.tracker, number, "/wardroom severity canary-level").unwrap();
            room.settle().await;
            let reporter_close = room.as_("rita").close(&public, 1, "completed");
            reporter_close.unwrap();
            room.settle().await;
            let said = room.world.comments_of(&public, 1);
            if acknowledge {
                insta::assert_snapshot!(
                    "public_answer",
                    said.iter().map(|c| c.text.as_str()).collect::<Vec<_>>().join("\n")
                );
            } else {
                assert!(said.is_empty(), "{said:?}");
            }
            assert!(said.iter().all(|comment| !comment.text.contains("canary") && !comment.text.contains("security#")));
            assert_eq!(room.world.labels_of(&public, 1), ["security-report"]);
            let public_writes = room.writes().into_iter().filter(|call| call.path.contains("octo/mail")).count();
            assert_eq!(public_writes, usize::from(acknowledge));
            // Words of a look go to logs.
            let words = format!("{:?} {:?}", room.look(number).await, room.failures);
            assert!(!words.contains("canary"), "{words}");
        }
    });
}

#[test]
fn p9_a_tracker_that_is_not_private_is_never_written_to() {
    run(async {
        let mut room = Room::new();
        room.report("Crash", "x");
        room.settle().await;
        let number = room.incident();
        room.as_("alice").make_public(&room.tracker).unwrap();
        room.world.clear_calls();
        room.as_("bob").tick(&room.tracker, number, "T1").unwrap();
        room.report("Another", "y");
        for _ in 0..20 {
            room.step().await;
        }
        assert_eq!(room.writes(), []);
        assert!(
            room.failures.iter().any(|failure| failure.contains("not a private repository")),
            "{:?}",
            room.failures
        );
    });
}

// --- P11 ----------------------------------------------------------------------------------------------------------

#[test]
fn p11_only_an_unedited_command_by_someone_who_may_counts() {
    run(async {
        let mut room = Room::new();
        room.report("Crash", "/wardroom close invalid\n\n- [x] Reproduce");
        room.settle().await;
        let number = room.incident();
        let tracker = room.tracker.clone();
        room.as_("rita").comment(&tracker, number, "/wardroom close invalid").unwrap();
        room.as_("tina").comment(&tracker, number, "/wardroom close invalid").unwrap();
        room.as_("bob").comment(&tracker, number, "> /wardroom close invalid").unwrap();
        room.as_("bob").comment(&tracker, number, "Please do not say\n/wardroom close invalid").unwrap();
        // rita's harmless words are edited into a command by someone who may write.
        let words = room.as_("rita").comment(&tracker, number, "Thank you.").unwrap();
        room.as_("bob").edit_comment(&tracker, words, "/wardroom close invalid").unwrap();
        // alice's own words, edited by bob.
        let words = room.as_("alice").comment(&tracker, number, "Hm.").unwrap();
        room.as_("bob").edit_comment(&tracker, words, "/wardroom close invalid").unwrap();
        room.settle().await;
        assert!(room.world.issue_now(&tracker, number).unwrap().is_open());
        insta::assert_snapshot!("not_counted", room.said(&tracker, number).join("\n"));
        room.as_("bob").comment(&tracker, number, "/wardroom close invalid it is a feature").unwrap();
        room.settle().await;
        assert_eq!(room.labels(number), ["incident", "rejected"]);
    });
}

#[test]
fn p11_words_that_became_a_command_do_not_count_while_graphql_still_shows_them_unedited() {
    run(async {
        for seed in 0..24 {
            let mut room = Room::new();
            room.report("Crash", "x");
            room.settle().await;
            let (number, tracker) = (room.incident(), room.tracker.clone());
            let words = room.as_("alice").comment(&tracker, number, "Hm.").unwrap();
            room.settle().await;
            room.wait(60);
            lagging(&room, Some(seed));
            room.as_("bob").edit_comment(&tracker, words, "/wardroom close invalid").unwrap();
            room.settle().await;
            assert!(room.world.issue_now(&tracker, number).unwrap().is_open(), "{seed}\n{}", room.call_log(30));
        }
    });
}

#[test]
fn p11_a_command_that_is_edited_after_it_counted_counts_no_longer() {
    run(async {
        let mut room = Room::new();
        room.report("Crash", "x");
        room.settle().await;
        let number = room.incident();
        let tracker = room.tracker.clone();
        let pause = room.as_("alice").comment(&tracker, number, "/wardroom pause").unwrap();
        room.settle().await;
        assert!(room.labels(number).contains(&"paused".to_owned()));
        room.wait(5);
        room.as_("bob").edit_comment(&tracker, pause, "/wardroom pause please").unwrap();
        room.settle().await;
        assert!(!room.labels(number).contains(&"paused".to_owned()));
        assert!(room.status(number).contains("was edited after it was carried out"), "{}", room.status(number));
    });
}

// --- The tests bite -------------------------------------------------------------------------------------------------

/// One answer is lost, each in turn, while the lists lag: how many tracking issues are there in the worst case?
async fn opened_under_a_lost_answer(guards: Guards) -> usize {
    let mut most = 0;
    for nth in 1..24 {
        let mut room = Room::with_guards(guards);
        room.world.set_lag(true);
        room.as_("rita").open_by_form(&room.tracker.clone(), "Crash", "x", &["security-report"]).unwrap();
        room.world.faults(|faults| faults.fail(nth, Fault::TimeOut, When::After));
        room.settle().await;
        most = most.max(room.incidents().len());
    }
    most
}

#[test]
fn bite_without_the_journal_a_lost_answer_opens_twice() {
    assert_eq!(run(opened_under_a_lost_answer(Guards::default())), 1);
    assert!(run(opened_under_a_lost_answer(Guards { journal: false, ..Guards::default() })) > 1);
}

/// bob ticks between the look's read and the write of the body: is his tick still there?
async fn tick_survives(guards: Guards) -> bool {
    for nth in 1..12 {
        let mut room = Room::with_guards(guards);
        room.report("Crash", "x");
        room.settle().await;
        let number = room.incident();
        room.as_("alice").set_field(&room.tracker, number, "CVSS vector", VECTORS[0]).unwrap();
        room.step().await;
        let tracker = room.tracker.clone();
        room.world.faults(|faults| {
            faults.on_call(nth, move |world| world.person("bob").tick(&tracker, number, "T1").unwrap());
        });
        // The webhooks of that moment are lost: they would tell of the tick.
        for _ in 0..40 {
            room.step().await;
            room.world.take_deliveries();
        }
        room.heal().await;
        if state(&room.body(number), "T1") != Some(TaskState::Done) {
            return false;
        }
    }
    true
}

#[test]
fn bite_without_the_precondition_check_a_tick_is_lost() {
    assert!(run(tick_survives(Guards::default())));
    assert!(!run(tick_survives(Guards { recheck: false, ..Guards::default() })));
}

#[test]
fn bite_without_the_role_check_a_stranger_closes() {
    run(async {
        for (roles, open) in [(true, true), (false, false)] {
            let mut room = Room::with_guards(Guards { roles, ..Guards::default() });
            room.report("Crash", "x");
            room.settle().await;
            let number = room.incident();
            room.as_("rita").comment(&room.tracker, number, "/wardroom close invalid").unwrap();
            room.settle().await;
            assert_eq!(room.world.issue_now(&room.tracker, number).unwrap().is_open(), open);
        }
    });
}

#[test]
fn the_bot_is_the_bot() {
    run(async {
        let room = Room::new();
        assert_eq!(room.engine.me().await.unwrap().login, BOT);
    });
}
