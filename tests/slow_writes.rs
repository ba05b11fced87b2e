//! Writes that wait their turn and take long, over reads that lag behind them: nothing is said twice, also after a crash.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use support::room::{Room, TEMPLATE, repo};
use wardroom::domain::incident::Subject;
use wardroom::domain::policy::{Policy, Reports};
use wardroom::engine::Engine;
use wardroom::github::rest::{Identity, Rest};
use wardroom::github::transport::{Method, Request, Response, Transport, TransportError};
use wardroom::sim::{Fault, SimTransport, When, World};

/// A transport whose writes take so long to come about: a second of that is the pace between writes.
struct Slow {
    world: Arc<World>,
    inner: SimTransport,
    takes: SignedDuration,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method != Method::Get && request.path != "/graphql" {
            self.world.advance(self.takes);
        }
        let answer = self.inner.send(request).await;
        if self.world.crashed() {
            // A dead process does nothing any more, not even with an error.
            std::future::pending::<()>().await;
        }
        answer
    }

    fn base(&self) -> &str {
        self.inner.base()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

/// A process that lives on this room's store, and whose writes are slow.
fn start(room: &mut Room, takes: SignedDuration) {
    room.world.restart();
    let world = room.world.clone();
    let inner = SimTransport::new(world.clone(), "token-wardroom");
    let client = Arc::new(Rest::new(Slow { world: world.clone(), inner, takes }, Identity::Token));
    let clock = Arc::new(move || world.now());
    let (store, policy) = (room.store.clone(), room.engine.policy.clone());
    room.engine = Engine::new(client, store, policy, TEMPLATE.to_owned(), room.tracker.clone(), clock);
}

/// Works until the process dies of it.
async fn dies<T>(room: &Room, work: impl Future<Output = T>) {
    let ended = tokio::time::timeout(Duration::from_secs(1), work).await;
    assert!(ended.is_err() && room.world.crashed(), "it lives on: {}", room.call_log(20));
}

/// How many comments were written on an issue, also those that were taken away again.
fn comments(room: &Room, number: u64) -> usize {
    let path = format!("/repos/octo/security/issues/{number}/comments");
    room.writes().iter().filter(|call| call.path == path).count()
}

/// A new process looks again and again, also at the earliest moment that it trusts a read.
async fn looks(room: &mut Room, number: u64) {
    start(room, TURN);
    for _ in 0..100 {
        room.look(number).await;
        room.world.advance(SignedDuration::from_millis(100));
    }
    room.settle().await;
}

const TURN: SignedDuration = SignedDuration::from_millis(1500);

#[tokio::test(start_paused = true)]
async fn p5_a_crash_after_a_write_that_waited_its_turn_says_nothing_twice() {
    let mut room = Room::new();
    start(&mut room, TURN);
    room.report("It crashes", "Badly");
    room.settle().await;
    let number = room.incident();
    room.wait(60);
    room.world.set_lag(true);
    room.world.clear_calls();
    room.as_("bob").comment(&room.tracker, number, "/wardroom help").unwrap();
    room.wait(10);
    room.world.faults(|faults| faults.fail_route("POST R/issues/{n}/comments", 1, Fault::Crash, When::After));
    dies(&room, room.engine.look(&Subject::Tracker(number), 0)).await;
    assert_eq!(comments(&room, number), 1, "{}", room.call_log(20));
    looks(&mut room, number).await;
    assert_eq!(comments(&room, number), 1, "{}", room.call_log(30));
}

#[tokio::test(start_paused = true)]
async fn p5_a_write_that_takes_long_is_not_looked_behind() {
    let mut room = Room::new();
    room.report("It crashes", "Badly");
    while room.incidents().is_empty() {
        room.step().await.unwrap().unwrap();
    }
    let number = room.incident();
    room.wait(60);
    room.world.set_lag(true);
    // The last write of its first look is the status comment.
    start(&mut room, SignedDuration::from_secs(9));
    for _ in 0..200 {
        room.look(number).await;
        room.world.advance(SignedDuration::from_millis(100));
    }
    assert_eq!(comments(&room, number), 1, "{}", room.call_log(30));
}

#[tokio::test(start_paused = true)]
async fn p5_a_crash_after_the_acknowledgement_thanks_once() {
    let mut room = Room::new();
    start(&mut room, TURN);
    room.world.set_lag(true);
    let report = room.report("It crashes", "Badly");
    room.wait(10);
    room.world.faults(|faults| faults.fail_route("POST R/issues/{n}/comments", 1, Fault::Crash, When::After));
    let subject = format!("report octo/security#{report}").parse().unwrap();
    dies(&room, room.engine.look(&subject, 0)).await;
    assert_eq!(comments(&room, report), 1, "{}", room.call_log(20));
    let number = room.incident();
    looks(&mut room, number).await;
    assert_eq!(comments(&room, report), 1, "{}", room.call_log(30));
}

#[tokio::test(start_paused = true)]
async fn p5_a_crash_between_the_link_and_the_closing_of_a_double_links_once() {
    let mut room = Room::new();
    room.world.set_lag(true);
    // A public report leaves no acknowledgement to find each other by, so two processes open it.
    let public = repo("octo/mail");
    room.as_("rita").open_by_form(&public, "Crash", "x", &["security-report"]).unwrap();
    room.wait(10);
    let reports = Reports { repositories: vec![public], ..Reports::default() };
    for _ in 0..2 {
        room.lose_store();
        room.engine.policy = Policy { reports: reports.clone(), ..Policy::default() };
        room.engine.look(&"report octo/mail#1".parse().unwrap(), 0).await.unwrap();
    }
    let (stays, double) = (room.incidents()[0].number, room.incidents()[1].number);
    room.wait(3600);
    start(&mut room, TURN);
    room.world.faults(|faults| faults.fail_route("POST R/issues/{n}/comments", 1, Fault::Crash, When::After));
    dies(&room, room.engine.sweep(&[])).await;
    assert_eq!(comments(&room, double), 1, "{}", room.call_log(20));
    start(&mut room, TURN);
    for _ in 0..100 {
        room.engine.sweep(&[]).await.unwrap();
        room.world.advance(SignedDuration::from_millis(100));
    }
    assert_eq!(comments(&room, double), 1, "{}", room.call_log(20));
    assert_eq!(room.incident(), stays);
}
