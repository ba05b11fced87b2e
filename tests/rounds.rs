//! What a server does by the clock, beside what events ask for: it keeps to limits, and a bug in it ends nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::room::{Room, TEMPLATE};
use wardroom::domain::policy::Policy;
use wardroom::engine::Engine;
use wardroom::github::rest::{Identity, Rest};
use wardroom::github::transport::{Request, Response, Transport, TransportError};
use wardroom::server::metrics::Metrics;
use wardroom::server::rounds::Rounds;
use wardroom::server::run_worker;
use wardroom::sim::{Fault, SimTransport, When};
use wardroom::store::Store;

/// A worker with its rounds, for so long of a time that is only counted. The world's clock stands still.
async fn work(engine: &Engine, span: Duration) {
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let bell = tokio::sync::Notify::new();
    let metrics = Metrics::default();
    let worker = run_worker(engine, &bell, &metrics, Rounds::new(Arc::default()), stopped);
    let ended = tokio::time::timeout(span, worker).await;
    assert!(ended.is_err(), "the worker ended by itself");
}

fn reads(room: &Room, route: &str) -> usize {
    room.world.calls().iter().filter(|call| call.method == "GET" && call.route == route).count()
}

#[tokio::test(start_paused = true)]
async fn a_sweep_does_not_end_the_wait_that_a_limit_asks_for() {
    let mut room = Room::new();
    room.report("It crashes", "Badly");
    room.settle().await;
    let number = room.incident();
    room.as_("bob").tick(&room.tracker, number, "Reproduce the vulnerability").unwrap();
    room.receive().await;
    room.wait(60);
    room.world.faults(|faults| faults.fail_route("GET R/issues/{n}", 1, Fault::Primary, When::Before));
    let before = reads(&room, "R/issues/{n}");
    // Three sweeps, and each finds the incident changed.
    work(&room.engine, Duration::from_secs(40 * 60)).await;
    assert_eq!(reads(&room, "R/issues/{n}") - before, 1, "{}", room.call_log(20));
    let row = room.store.rows().await.unwrap().into_iter().find(|row| row.attempts > 0).unwrap();
    assert!(row.due.unwrap() >= room.now() + SignedDuration::from_mins(9), "{row:?}");
    room.wait(11 * 60);
    work(&room.engine, Duration::from_secs(60)).await;
    assert!(room.status(number).contains("Reproduce"), "{}", room.status(number));
}

#[tokio::test(start_paused = true)]
async fn a_limited_sweep_waits_until_the_limit_ends() {
    let room = Room::new();
    room.world.faults(|faults| faults.fail_route("GET R/issues", 1, Fault::Primary, When::Before));
    work(&room.engine, Duration::from_secs(9 * 60)).await;
    assert_eq!(reads(&room, "R/issues"), 1, "{}", room.call_log(20));
    // The fault is over, and so an undisturbed worker lists at once.
    work(&room.engine, Duration::from_secs(60)).await;
    assert!(reads(&room, "R/issues") > 2, "{}", room.call_log(20));
}

/// An App's log at a GitHub that answers in its own way for some paths.
struct Odd {
    inner: SimTransport,
    answer: fn(&str) -> Option<(u16, Value)>,
}

#[async_trait]
impl Transport for Odd {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Some((status, body)) = (self.answer)(&request.path) else { return self.inner.send(request).await };
        let link = "<https://github.test/app/hook/deliveries?cursor=next>; rel=\"next\"".to_owned();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned()), ("link".to_owned(), link)];
        Ok(Response { status, headers, body: serde_json::to_vec(&body).unwrap() })
    }

    fn base(&self) -> &str {
        self.inner.base()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

fn app_of(room: &Room, answer: fn(&str) -> Option<(u16, Value)>) -> Engine {
    let inner = SimTransport::new(room.world.clone(), "jwt-wardroom");
    over(room, Odd { inner, answer }, Identity::App)
}

/// An engine over the room's store, whose calls this transport carries.
fn over(room: &Room, transport: impl Transport + 'static, identity: Identity) -> Engine {
    let client = Arc::new(Rest::new(transport, identity));
    let clock = {
        let world = room.world.clone();
        Arc::new(move || world.now())
    };
    Engine::new(client, room.store.clone(), Policy::default(), TEMPLATE.to_owned(), room.tracker.clone(), clock)
}

#[tokio::test]
async fn a_bad_entry_of_the_log_does_not_stop_the_walk() {
    let room = Room::new();
    for n in 1..=6 {
        room.report(&format!("Report {n}"), "x");
    }
    let sent = room.world.take_deliveries();
    for delivery in &sent[..6] {
        room.world.attempted(delivery, 502);
    }
    let engine = app_of(&room, |path| match path.strip_prefix("/app/hook/deliveries/")? {
        "1" => Some((404, json!({ "message": "Not Found" }))),
        "2" => Some((410, json!({ "message": "Gone" }))),
        "3" => Some((200, json!({ "id": 3, "request": null }))),
        _ => None,
    });
    assert_eq!(engine.walk_log().await.unwrap(), 3);
    let kept = |room: &Room| {
        let store = room.store.clone();
        async move { store.waiting().await.unwrap().into_iter().map(|kept| kept.guid).collect::<BTreeSet<_>>() }
    };
    let guids = |of: &[wardroom::sim::Delivery]| of.iter().map(|one| one.guid.clone()).collect::<BTreeSet<_>>();
    assert_eq!(kept(&room).await, guids(&sent[3..6]));
    // It is done with them: the next walk begins after this one.
    room.wait(600);
    assert_eq!(engine.walk_log().await.unwrap(), 0);

    // One that GitHub cannot give now is asked for again, after all others.
    room.world.attempted(&sent[6], 502);
    room.world.attempted(&sent[7], 502);
    let failing = app_of(&room, |path| path.ends_with("/deliveries/7").then(|| (502, json!({}))));
    failing.walk_log().await.unwrap_err();
    assert_eq!(kept(&room).await, guids(&[&sent[3..6], &sent[7..8]].concat()));
    room.wait(600);
    assert_eq!(engine.walk_log().await.unwrap(), 1);
    assert_eq!(kept(&room).await, guids(&sent[3..8]));
}

#[tokio::test]
async fn a_log_that_does_not_end_or_holds_what_is_strange_gives_what_there_is() {
    let room = Room::new();
    let engine = app_of(&room, |path| {
        let entry = json!({ "id": 1, "guid": "g", "delivered_at": "2026-03-02T09:00:00Z", "status_code": 502, "event": "push" });
        path.starts_with("/app/hook/deliveries?").then(|| (200, json!([entry, { "id": 2, "guid": null }, 3])))
    });
    let log = engine.github.delivery_log(room.now()).await.unwrap();
    assert_eq!(log.len(), 50);
    assert!(log.iter().all(|attempt| attempt.guid == "g"));
}

/// A transport that runs into a bug at the first list of issues.
struct Buggy {
    inner: SimTransport,
    fell: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Buggy {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_list = request.path.contains("/issues?");
        assert!(!is_list || self.fell.swap(true, Ordering::Relaxed), "a bug in the middle of a sweep");
        self.inner.send(request).await
    }

    fn base(&self) -> &str {
        self.inner.base()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_a_sweep_ends_that_sweep_and_nothing_else() {
    let room = Room::new();
    room.report("It crashes", "Badly");
    room.world.take_deliveries();
    let fell = Arc::new(AtomicBool::new(false));
    let inner = SimTransport::new(room.world.clone(), "token-wardroom");
    let engine = over(&room, Buggy { inner, fell: fell.clone() }, Identity::Token);
    work(&engine, Duration::from_secs(50)).await;
    assert!(fell.load(Ordering::Relaxed) && room.incidents().is_empty());
    work(&engine, Duration::from_secs(70)).await;
    assert_eq!(room.incidents().len(), 1, "{}", room.call_log(20));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_cut_off_leaves_its_row_free() {
    let mut room = Room::new();
    room.report("It crashes", "Badly");
    room.receive().await;
    room.wait(20);
    let engine = hanging(&room);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (bell, metrics) = (tokio::sync::Notify::new(), Metrics::default());
    let worker = run_worker(&engine, &bell, &metrics, Rounds::never(), stopped);
    let ask = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(room.store.claim(room.now()).await.unwrap().is_none(), "it is being looked at");
        stop.send(true).unwrap();
        tokio::time::sleep(Duration::from_secs(19)).await;
        assert!(room.store.claim(room.now()).await.unwrap().is_none(), "it has time to end");
    };
    tokio::time::timeout(Duration::from_secs(25), futures_join(worker, ask)).await.unwrap();
    let lease = room.store.claim(room.now()).await.unwrap().expect("the next process need not wait for the lease");
    assert_eq!(lease.attempts, 0, "it was no failure");
}

async fn futures_join(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::join!(one, other);
}

/// An engine whose GitHub never answers.
fn hanging(room: &Room) -> Engine {
    struct Hanging(SimTransport);
    #[async_trait]
    impl Transport for Hanging {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            if request.path.contains("/issues") {
                std::future::pending::<()>().await;
            }
            self.0.send(request).await
        }
        fn base(&self) -> &str {
            self.0.base()
        }
        fn now(&self) -> Timestamp {
            self.0.now()
        }
    }
    over(room, Hanging(SimTransport::new(room.world.clone(), "token-wardroom")), Identity::Token)
}

#[tokio::test]
async fn a_call_that_is_refused_for_good_is_in_the_operators_table_until_it_is_not() {
    let mut room = Room::new();
    room.report("It crashes", "Badly");
    while room.incidents().is_empty() {
        room.step().await.unwrap().unwrap();
    }
    let number = room.incident();
    let usual = over(&room, SimTransport::new(room.world.clone(), "token-wardroom"), Identity::Token);
    let inner = SimTransport::new(room.world.clone(), "token-wardroom");
    let answer = |path: &str| {
        let refused = json!({ "message": "Resource not accessible by integration" });
        path.contains("/labels/").then_some((403, refused))
    };
    room.engine = over(&room, Odd { inner, answer }, Identity::Token);
    room.as_("alice").label(&room.tracker, number, "phase/4-release").unwrap();
    room.settle().await;
    let error =
        |row: wardroom::store::Row| (row.subject.to_string() == format!("tracker #{number}")).then_some(row.told.error);
    let told = room.store.rows().await.unwrap().into_iter().find_map(error).unwrap();
    assert!(told.as_ref().is_some_and(|told| told.contains("label")), "{told:?}");
    room.engine = usual;
    room.sweep().await;
    assert_eq!(room.store.rows().await.unwrap().into_iter().find_map(error), Some(None));
}
