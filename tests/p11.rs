//! P11: only a fresh, unedited command by an allowed person ever reaches a call that cannot be taken back, and the allowed
//! sequence does reach it. And each check matters: without it, something that must not happen happens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use proptest::prelude::*;
use support::desk::{Desk, mail, may_publish};
use support::room::{Room, repo};
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::facts::Role;
use wardroom::domain::policy::Policy;
use wardroom::engine::Guards;
use wardroom::sim::Delivery;

/// Something that must never lead to a call that cannot be taken back, however it is mixed with the others. Each is about
/// one of the orders there are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    /// A box is ticked or unticked.
    Tick(u8, bool),
    /// A field is filled.
    Field(u8),
    /// A label is hung there.
    Label(u8),
    /// Someone orders it who may not, in the tracker or in the advisories' repository.
    Stranger(u8, u8),
    /// A bot orders it that has every right.
    Bot(u8),
    /// One admin says everything that takes two.
    Alone,
    /// Two admins order it for the advisory of another incident.
    OfAnother(u8),
    /// An admin's harmless words are made an order by someone who may write.
    Edited(u8, bool),
    /// An admin's order in the very second in which it was something else.
    EditedAtOnce(u8),
    /// An admin's order that nobody saw for too long.
    Late(u8),
    /// Two admins' orders, seen too late.
    BothLate,
    /// An admin orders it, and is one no more when it is read.
    Demoted(u8),
    /// Every event of before comes again.
    Replay,
    /// The local store is gone.
    LostStore,
    /// The status comment is gone.
    LostStatus,
    /// Time passes.
    Wait(u8),
}

const ORDERS: u8 = 3;

fn order(which: u8, id: &str) -> String {
    match which % ORDERS {
        0 => format!("/wardroom publish {id}"),
        1 => format!("/wardroom approve {id}"),
        _ => format!("/wardroom cve request {id}"),
    }
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        (0_u8..38, any::<bool>()).prop_map(|(task, done)| Move::Tick(task + 1, done)),
        (0_u8..4).prop_map(Move::Field),
        (0_u8..3).prop_map(Move::Label),
        (0_u8..4, 0..ORDERS).prop_map(|(who, which)| Move::Stranger(who, which)),
        (0..ORDERS).prop_map(Move::Bot),
        Just(Move::Alone),
        (0..ORDERS).prop_map(Move::OfAnother),
        (0..ORDERS, any::<bool>()).prop_map(|(which, seen)| Move::Edited(which, seen)),
        (0..ORDERS).prop_map(Move::EditedAtOnce),
        (0..ORDERS).prop_map(Move::Late),
        Just(Move::BothLate),
        (0..ORDERS).prop_map(Move::Demoted),
        Just(Move::Replay),
        Just(Move::LostStore),
        Just(Move::LostStatus),
        (1_u8..90).prop_map(Move::Wait),
    ]
}

/// Every kind of move, and each order in each of them.
fn every_move() -> Vec<Move> {
    let mut all = vec![Move::Tick(31, true), Move::Tick(34, true), Move::Alone];
    all.extend((0..4).map(Move::Field));
    all.extend((0..3).map(Move::Label));
    for which in 0..ORDERS {
        all.extend((0..4).map(|who| Move::Stranger(who, which)));
        all.extend([Move::Bot(which), Move::OfAnother(which), Move::Edited(which, false), Move::Edited(which, true)]);
        all.extend([Move::EditedAtOnce(which), Move::Late(which), Move::Demoted(which)]);
    }
    all.extend([Move::BothLate, Move::Replay, Move::LostStore, Move::LostStatus, Move::Replay]);
    all
}

/// Two incidents of a team with two admins, each with an advisory, the first one ready to be published.
struct Trial {
    desk: Desk,
    id: String,
    other: String,
    told: Vec<Delivery>,
}

impl Trial {
    async fn new(policy: Policy, guards: Guards) -> Trial {
        let mut desk = Desk::with(Room::with_policy(policy).guarded(guards)).await;
        let world = desk.room.world.clone();
        world.add_app("robot", &[repo("octo/security"), repo("octo/mail")], &[("issues", "write")]);
        world.add_user("erin");
        for name in ["octo/security", "octo/mail"] {
            world.collaborator(&repo(name), "robot[bot]", Role::Admin);
            world.collaborator(&repo(name), "erin", Role::Admin);
        }
        // dave is an admin of the tracker, and nobody in the advisories' repository.
        world.add_user("dave");
        world.collaborator(&repo("octo/security"), "dave", Role::Admin);
        desk.fill().await;
        desk.say("bob", "/wardroom draft").await;
        let id = desk.only_advisory();
        desk.complete(&id).await;
        let other = desk.room.as_("rita").report_privately(&mail(), "Another", "x").unwrap();
        let draft = serde_json::json!({"state": "draft", "vulnerabilities": [{"package":
            {"ecosystem": "other", "name": "ledger-mail"}, "vulnerable_version_range": "< 1.0", "patched_versions": "1.4.3"}],
            "severity": "low", "cwe_ids": ["CWE-79"]});
        desk.room.as_("alice").edit_advisory(&mail(), &other, &draft).unwrap();
        desk.room.settle().await;
        Trial { desk, id, other, told: Vec::new() }
    }

    fn comment(&self, who: &str, text: &str) -> u64 {
        self.desk.room.as_(who).comment(&self.desk.room.tracker, self.desk.number, text).unwrap()
    }

    /// Takes the events that wait, and lets Wardroom work.
    async fn settle(&mut self) {
        for delivery in self.desk.room.world.take_deliveries() {
            self.desk.room.receive_one(&delivery).await;
            self.told.push(delivery);
        }
        self.desk.room.settle().await;
    }

    /// Nothing tells Wardroom of what was said; it finds it by itself, too late.
    async fn found_late(&mut self) {
        self.told.extend(self.desk.room.world.take_deliveries());
        self.desk.room.wait(31 * 60);
        self.desk.room.sweep().await;
    }

    async fn perform(&mut self, step: Move) {
        let (room, number) = (&self.desk.room, self.desk.number);
        let tracker = room.tracker.clone();
        let id = self.id.clone();
        match step {
            Move::Tick(task, true) => room.as_("bob").tick(&tracker, number, &format!("T{task}")).unwrap(),
            Move::Tick(task, false) => room.as_("bob").untick(&tracker, number, &format!("T{task}")).unwrap(),
            Move::Field(which) => {
                let (name, value) = [
                    ("CVE ID", "please"),
                    ("Security release published", "2026-03-02 14:00 UTC"),
                    ("Community announcement", "/wardroom publish"),
                    ("Evidence of exploitation", "Found"),
                ][usize::from(which)];
                room.as_("bob").edit_body(&tracker, number, |body| with_field(body, name, value)).unwrap();
            }
            Move::Label(which) => {
                let name = ["cve-pending", "resolved", "phase/4-release"][usize::from(which)];
                room.as_("tina").label(&tracker, number, name).unwrap();
            }
            Move::Stranger(who, which) => {
                let who = ["bob", "tina", "rita", "dave"][usize::from(who)];
                self.comment(who, &order(which, &id));
            }
            Move::Bot(which) => {
                self.comment("robot[bot]", &order(which, &id));
            }
            Move::Alone => {
                self.comment("alice", &order(0, &id));
                self.settle().await;
                self.comment("alice", &order(1, &id));
            }
            Move::OfAnother(which) => {
                for (who, which) in [("alice", which), ("carol", 1)] {
                    self.comment(who, &order(which, &self.other.clone()));
                    self.settle().await;
                }
            }
            Move::Edited(which, seen) => {
                let words = self.comment("carol", if seen { "/wardroom help" } else { "I will do that." });
                if seen {
                    self.settle().await;
                }
                self.desk.room.wait(3);
                self.desk.room.as_("bob").edit_comment(&tracker, words, &order(which, &id)).unwrap();
            }
            Move::EditedAtOnce(which) => {
                let words = self.comment("carol", "I will do that.");
                self.desk.room.look(number).await;
                self.desk.room.as_("bob").edit_comment(&tracker, words, &order(which, &id)).unwrap();
                self.desk.room.look(number).await;
            }
            Move::Late(which) => {
                self.comment("carol", &order(which, &id));
                self.found_late().await;
            }
            Move::BothLate => {
                self.comment("alice", &order(0, &id));
                self.comment("carol", &order(1, &id));
                self.found_late().await;
            }
            Move::Demoted(which) => {
                self.comment("erin", &order(which, &id));
                room.world.collaborator(&mail(), "erin", Role::Maintain);
                self.settle().await;
                // Also where replicas showed her words late.
                self.desk.room.wait(60);
                self.desk.room.sweep().await;
                self.desk.room.world.collaborator(&mail(), "erin", Role::Admin);
            }
            Move::Replay => {
                for delivery in &self.told {
                    self.desk.room.receive_one(delivery).await;
                }
            }
            Move::LostStore => self.desk.room.lose_store(),
            Move::LostStatus => {
                let said = room.world.comments_of(&tracker, number);
                if let Some(status) = said.iter().find(|said| said.text.starts_with("<!-- wardroom:status")) {
                    room.as_("bob").delete_comment(&tracker, status.id).unwrap();
                }
            }
            Move::Wait(minutes) => room.wait(i64::from(minutes) * 60),
        }
        self.settle().await;
    }

    /// Two admins say what it takes, and what must come of it.
    async fn allowed(&mut self) -> Vec<String> {
        let id = self.id.clone();
        for (who, which) in [("alice", 2), ("alice", 0), ("carol", 1)] {
            self.comment(who, &order(which, &id));
            self.settle().await;
        }
        vec![format!("{id} is published"), "a CVE ID was asked for 1 times".to_owned()]
    }

    /// What cannot be taken back and happened all the same; empty if nothing did.
    fn happened(&self) -> Vec<String> {
        let mut all = Vec::new();
        for id in [&self.id, &self.other] {
            let advisory = self.desk.advisory(id);
            if advisory.state != AdvisoryState::Draft {
                all.push(format!("{id} is {}", advisory.state.word()));
            }
            let asked = self.desk.room.world.cve_requests(&mail(), id);
            if asked > 0 {
                all.push(format!("a CVE ID was asked for {asked} times"));
            }
        }
        all
    }
}

fn with_field(body: &str, name: &str, value: &str) -> String {
    let head = format!("- **{name}**");
    let line = |line: &str| match line.starts_with(&head) {
        true => format!("{head}: {value}"),
        false => line.to_owned(),
    };
    body.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p11_nothing_but_the_allowed_sequence_publishes_or_asks_for_a_cve(
        steps in proptest::collection::vec(moves(), 1..10),
        lag in proptest::option::of(any::<u64>()),
    ) {
        run(async {
            let mut trial = Trial::new(may_publish(), Guards::default()).await;
            if let Some(seed) = lag {
                trial.desk.room.world.set_lag_by_seed(seed);
            }
            for step in &steps {
                trial.perform(*step).await;
                prop_assert_eq!(trial.happened(), Vec::<String>::new(), "{:?} of {:?}\n{}", step, steps, trial.desk.room.call_log(40));
            }
            trial.desk.room.wait(3600);
            trial.desk.room.world.set_lag(false);
            trial.desk.room.heal().await;
            prop_assert_eq!(trial.happened(), Vec::<String>::new(), "{:?}", steps);
            // And then the allowed one does.
            let wanted = trial.allowed().await;
            let said = trial.desk.room.said(&trial.desk.room.tracker, trial.desk.number).join("\n");
            prop_assert_eq!(trial.happened(), wanted, "{:?}\n{}", steps, said);
            Ok(())
        })?;
    }
}

/// Every move once. What happened that must not?
async fn after_every_move(policy: Policy, guards: Guards) -> Trial {
    let mut trial = Trial::new(policy, guards).await;
    for step in every_move() {
        trial.perform(step).await;
        if !trial.happened().is_empty() {
            break;
        }
    }
    trial
}

#[test]
fn p11_every_move_once_does_nothing_that_cannot_be_taken_back_and_stops_nobody_who_may() {
    run(async {
        let mut trial = after_every_move(may_publish(), Guards::default()).await;
        assert_eq!(trial.happened(), Vec::<String>::new());
        let wanted = trial.allowed().await;
        assert_eq!(trial.happened(), wanted, "{}", trial.desk.last_said());
    });
}

#[test]
fn bite_without_each_of_its_checks_it_happens() {
    let on = Guards::default();
    for (check, guards) in [
        ("the role", Guards { roles: false, ..on }),
        ("unedited", Guards { unedited: false, ..on }),
        ("a person", Guards { people: false, ..on }),
        ("the age", Guards { clock: false, ..on }),
        ("the id", Guards { ids: false, ..on }),
    ] {
        assert_ne!(run(after_every_move(may_publish(), guards)).happened(), Vec::<String>::new(), "{check}");
    }
    let alone = Policy { publish_needs_two: false, ..may_publish() };
    assert_ne!(run(after_every_move(alone, on)).happened(), Vec::<String>::new(), "the second person");
}

/// Without the journal a lost answer asks for a second CVE ID.
#[test]
fn bite_without_the_journal_a_cve_is_asked_for_twice() {
    run(async {
        for (journal, times) in [(true, 1), (false, 2)] {
            let mut trial = Trial::new(may_publish(), Guards { journal, ..Guards::default() }).await;
            trial.desk.room.world.faults(|faults| {
                let route = "POST R/security-advisories/{ghsa}/cve";
                faults.fail_route(route, 1, wardroom::sim::Fault::TimeOut, wardroom::sim::When::After);
            });
            trial.comment("alice", &order(2, &trial.id.clone()));
            trial.settle().await;
            trial.desk.room.heal().await;
            assert_eq!(trial.desk.room.world.cve_requests(&mail(), &trial.id), times, "{journal}");
        }
    });
}
