//! GitHub at its worst before a server in a process of its own: down for an hour, storms of 502, limits, a token that is
//! refused for a while. Afterwards everything is as if nothing had happened, nothing was said twice and nothing is lost.
//!
//! A full disk: `tests/serve.rs`. A wrong clock: every test of a real `serve`, for this machine's clock and that of the
//! simulated GitHub are months apart.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use jiff::SignedDuration;
use support::canaries;
use support::counted::{self, Counted};
use support::dice::{Dice, seed};
use support::town::{SECRET, Town};
use tokio::sync::OnceCell;
use wardroom::sim::http::send_webhook;
use wardroom::sim::{CallRecord, Delivery, Fault, Faults, When};

#[test]
#[ignore = "started by another test, as a process of its own"]
fn a_server_whose_clock_is_counted() {
    counted::child();
}

/// What befalls GitHub, in each scene just after people acted.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// Nothing is answered but 502, for an hour.
    Down,
    /// Half of the calls end with 502, with their effect or without.
    Storm,
    /// A third of the calls is refused with a limit that ends when it says, or does not say when.
    Limits,
    /// The token is refused for so many calls, and then taken again.
    Refused(usize),
}

struct Run {
    server: Counted,
    dice: Dice,
    calls: Vec<CallRecord>,
    sent: Vec<Delivery>,
}

impl Run {
    /// Lets time pass, with webhooks every few seconds.
    async fn pass(&mut self, time: SignedDuration) {
        let end = self.server.world.now() + time;
        while self.server.world.now() < end {
            for delivery in self.server.world.take_deliveries() {
                assert_eq!(self.server.send(&delivery).await, 202, "whatever GitHub's API does, deliveries are kept");
                self.sent.push(delivery);
            }
            let rest = end.duration_since(self.server.world.now());
            self.server.pass(rest.min(SignedDuration::from_secs(20))).await;
            self.calls.extend(self.server.new_calls());
        }
    }

    fn begin(&mut self, trouble: Trouble) {
        let Run { server, dice, .. } = self;
        server.world.faults(|faults| match trouble {
            Trouble::None => {}
            Trouble::Down => faults.set_down(true),
            Trouble::Storm => {
                let struck: Vec<usize> = (1..=60).filter(|_| dice.chance(2)).collect();
                for nth in struck {
                    let when = if dice.chance(2) { When::Before } else { When::After };
                    faults.fail(nth, Fault::BadGateway, when);
                }
            }
            Trouble::Limits => {
                let struck: Vec<usize> = (1..=24).filter(|_| dice.chance(3)).collect();
                for nth in struck {
                    let kinds =
                        [Fault::Secondary(Some(40)), Fault::TooMany(25), Fault::Secondary(None), Fault::Primary];
                    faults.fail(nth, kinds[usize::try_from(dice.below(4)).unwrap()], When::Before);
                }
            }
            Trouble::Refused(calls) => (1..=calls).for_each(|nth| faults.fail(nth, Fault::Unauthorized, When::Before)),
        });
    }

    /// People act, and then GitHub is in trouble. More happens meanwhile.
    async fn scene(&mut self, trouble: Trouble, act: impl FnOnce(&Counted), more: impl FnOnce(&Counted)) {
        act(&self.server);
        self.begin(trouble);
        self.pass(SignedDuration::from_mins(20)).await;
        more(&self.server);
        self.pass(SignedDuration::from_mins(40)).await;
        self.server.world.faults(Faults::clear);
        // A wait after failures, and after a token was refused, ends within an hour.
        self.pass(SignedDuration::from_mins(90)).await;
    }
}

/// A report, work on it and its end, each with the trouble. Returns what it came to, and the run.
async fn run(trouble: Trouble, dice: Dice) -> (String, Run) {
    let server = Counted::new().await;
    let mut run = Run { server, dice, calls: Vec::new(), sent: Vec::new() };
    // Before it begins; the first scene is then the same for all.
    run.pass(SignedDuration::from_mins(1)).await;
    let tracker = run.server.room.tracker.clone();
    let report = |server: &Counted| {
        canaries::report(&server.world, &server.room.tracker);
    };
    run.scene(trouble, report, |_| {}).await;
    let incident = run.server.room.incident();
    let tick =
        |server: &Counted, who: &str, task: &str| server.world.person(who).tick(&tracker, incident, task).unwrap();
    let say = |server: &Counted, who: &str, text: &str| {
        server.world.person(who).comment(&tracker, incident, text).unwrap();
    };
    let work = |server: &Counted| {
        tick(server, "bob", "T1");
        tick(server, "alice", "T2");
        say(server, "bob", "/wardroom severity critical");
        say(server, "bob", &format!("/wardroom na T4 {}", canaries::REASON));
    };
    let more = |server: &Counted| {
        tick(server, "bob", "T3");
        server.world.person("alice").set_field(&tracker, incident, "Root cause", canaries::CAUSE).unwrap();
        say(server, canaries::LOGIN, "/wardroom pause");
    };
    run.scene(trouble, work, more).await;
    let close = |server: &Counted| server.world.person("alice").close(&tracker, incident, "completed").unwrap();
    run.scene(trouble, close, |_| {}).await;
    (run.server.room.outcome(), run)
}

/// How many comments were made, also those that were taken away again.
fn comments(run: &Run) -> usize {
    let made = |call: &&CallRecord| call.method == "POST" && call.route.ends_with("/comments") && call.status == 201;
    run.calls.iter().filter(made).count()
}

/// What the run without trouble comes to, and how many comments it takes.
async fn calm() -> &'static (String, usize) {
    static CALM: OnceCell<(String, usize)> = OnceCell::const_new();
    let play = async || {
        let (outcome, run) = run(Trouble::None, Dice(1)).await;
        for part in ["severity/critical", "ticked “Reproduce", "rocket", "confused", "set “Root cause"] {
            assert!(outcome.contains(part), "{part}: {outcome}");
        }
        (outcome, comments(&run))
    };
    CALM.get_or_init(play).await
}

/// The run with this trouble, which must end like the one without.
async fn ends_like_without(trouble: Trouble) -> Run {
    let seed = seed();
    println!("seed {seed}; the same again with WARDROOM_SEED={seed}");
    let (calm, said) = calm().await;
    let (rough, run) = run(trouble, Dice(seed | 1)).await;
    assert_eq!(&rough, calm, "{}", run.server.log());
    assert!(comments(&run) <= *said, "something was said twice:\n{}", run.server.log());
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github_down_for_an_hour() {
    let run = ends_like_without(Trouble::Down).await;
    let failed = run.calls.iter().filter(|call| call.status == 502).count();
    println!("{failed} calls in three hours of silence");
    assert!((20..5 * 180).contains(&failed), "it goes on asking, and at most five times a minute: {failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storms_of_502() {
    let run = ends_like_without(Trouble::Storm).await;
    assert!(run.calls.iter().filter(|call| call.status == 502).count() > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_waited_for() {
    let run = ends_like_without(Trouble::Limits).await;
    let refused: Vec<_> = run.calls.iter().filter(|call| matches!(call.status, 403 | 429)).collect();
    println!("{} calls were refused", refused.len());
    assert!(refused.len() >= 5, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_for_a_while() {
    let run = ends_like_without(Trouble::Refused(3)).await;
    let refused = run.calls.iter().filter(|call| call.status == 401).count();
    assert_eq!(refused, 9, "and it is not asked again and again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_program_locks() {
    let town = Town::new().await;
    let server = town.start();
    town.until("work", || town.log().contains("\"swept\"")).await;
    let other = rusqlite::Connection::open(town.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    town.report();
    let refused = town.deliver(&server).await;
    assert_eq!(refused.len(), 2, "nothing is acknowledged that is not kept");
    assert_eq!(server.ask("/readyz").await.0, 503);
    other.execute_batch("ROLLBACK").unwrap();
    for delivery in &refused {
        assert_eq!(send_webhook(&server.url, SECRET.as_bytes(), delivery).await, Ok(202), "someone sends it again");
    }
    town.until("an incident", || town.room.incidents().len() == 1).await;
    assert!(town.log().contains("another program holds the database's lock"), "{}", town.log());
    assert!(server.stop().await.success());
}
