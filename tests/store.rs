//! What every store must do, run against each of them; and what only one that outlives its process can do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use wardroom::domain::incident::Subject;
use wardroom::domain::observed::Edit;
use wardroom::store::memory::MemoryStore;
use wardroom::store::sqlite::operator::Operator;
use wardroom::store::sqlite::{OpenError, SqliteStore};
use wardroom::store::{Asked, BODIES_KEPT, Delivery, Finished, LEASE, ROWS_KEPT, Store, Taken, Told};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_442_000 + seconds).unwrap()
}

fn tracker(number: u64) -> Subject {
    Subject::Tracker(number)
}

fn delivery(guid: &str, at: Timestamp, body: &[u8]) -> Delivery {
    Delivery { guid: guid.to_owned(), event: "issues".to_owned(), at, body: body.to_vec() }
}

async fn event_on(store: &dyn Store, subject: Subject, guid: &str, seconds: i64) -> bool {
    let asked = Asked { subjects: vec![subject], ..Asked::default() };
    store.receive(delivery(guid, at(seconds), b"{}"), asked).await.unwrap()
}

async fn event(store: &dyn Store, guid: &str, seconds: i64) -> bool {
    event_on(store, tracker(1), guid, seconds).await
}

async fn edit(store: &dyn Store, guid: &str, heard: i64, edit: Edit) {
    let payload = json!({ "issue": { "body": edit.after }, "changes": { "body": { "from": edit.before } } });
    let asked = Asked { edit: Some((1, edit)), ..Asked::default() };
    store.receive(delivery(guid, at(heard), &serde_json::to_vec(&payload).unwrap()), asked).await.unwrap();
}

fn edit_at(seconds: i64, after: &str) -> Edit {
    Edit { at: at(seconds), editor: Some("alice".into()), before: "- [ ] a\r\n".into(), after: after.into() }
}

const DONE: Finished = Finished::Done(None);

fn told() -> Told {
    Told::default()
}

/// Each law for each store.
macro_rules! laws {
    ($($law:ident),+ $(,)?) => {
        mod in_memory {
            use super::*;
            $(#[tokio::test] async fn $law() { super::$law(Arc::new(MemoryStore::new())).await; })+
        }
        mod in_sqlite {
            use super::*;
            $(#[tokio::test] async fn $law() {
                let dir = tempfile::tempdir().unwrap();
                super::$law(Arc::new(SqliteStore::open(&dir.path().join("wardroom.db")).unwrap())).await;
            })+
        }
    };
}

laws!(
    many_events_are_one_look_and_none_waits_for_ever,
    one_worker_at_a_time_and_dirty_runs_again,
    a_lost_worker_loses_its_lease,
    a_heartbeat_keeps_the_lease,
    an_event_does_not_skip_a_backoff,
    waking_does_not_skip_a_backoff,
    what_was_refused_waits_until_rights_change,
    the_earliest_row_is_first,
    every_outcome_sets_the_next_look,
    a_released_row_is_as_it_was,
    waking_only_makes_it_earlier,
    repositories_know_no_case,
    facts_end_with_their_time,
    a_late_event_does_not_lower_the_floor,
    edits_are_kept_once_in_their_order,
    the_newest_edits_are_kept,
    what_a_look_learned_is_kept,
    what_never_came_is_missing,
    what_is_kept_waits_to_be_taken_in,
    a_redelivery_waits_again,
    old_things_are_dropped,
    many_at_once_are_all_kept,
);

async fn many_events_are_one_look_and_none_waits_for_ever(store: Arc<dyn Store>) {
    for n in 0..30 {
        event(&*store, &n.to_string(), n).await;
        assert_eq!(store.claim(at(n)).await.unwrap().is_some(), n == 15, "second {n}");
    }
}

async fn one_worker_at_a_time_and_dirty_runs_again(store: Arc<dyn Store>) {
    assert!(event(&*store, "a", 0).await);
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    assert!(store.claim(at(3)).await.unwrap().is_none());
    assert!(!event(&*store, "a", 3).await, "a redelivery is not new");
    assert!(store.claim(at(9)).await.unwrap().is_none(), "held");
    store.finish(&lease, DONE, told()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(5)));
    assert!(store.claim(at(9)).await.unwrap().is_some(), "and still asked for");
}

async fn a_lost_worker_loses_its_lease(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lost = store.claim(at(2)).await.unwrap().unwrap();
    let late = at(2) + LEASE;
    assert_eq!(store.next_due().await.unwrap(), Some(late));
    let taken = store.claim(late).await.unwrap().unwrap();
    assert_ne!(lost.token, taken.token);
    store.finish(&lost, DONE, told()).await.unwrap();
    assert!(!store.extend(&lost, late).await.unwrap());
    assert!(store.claim(late).await.unwrap().is_none(), "the old lease may not free the row");
    store.finish(&taken, DONE, told()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn a_heartbeat_keeps_the_lease(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    for minute in 1..10 {
        assert!(store.extend(&lease, at(minute * 60)).await.unwrap());
        assert!(store.claim(at(minute * 60 + 90)).await.unwrap().is_none(), "minute {minute}");
    }
    store.finish(&lease, DONE, told()).await.unwrap();
    assert!(!store.extend(&lease, at(600)).await.unwrap(), "handed back");
}

async fn an_event_does_not_skip_a_backoff(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Failed(at(60)), told()).await.unwrap();
    event(&*store, "b", 5).await;
    assert!(store.claim(at(30)).await.unwrap().is_none());
    let lease = store.claim(at(60)).await.unwrap().unwrap();
    assert_eq!(lease.attempts, 1);
    store.finish(&lease, Finished::Failed(at(90)), told()).await.unwrap();
    assert_eq!(store.claim(at(90)).await.unwrap().unwrap().attempts, 2);
}

async fn what_was_refused_waits_until_rights_change(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Refused(at(9000)), told()).await.unwrap();
    store.wake(&tracker(1), at(5)).await.unwrap();
    event(&*store, "b", 6).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(9000)));
    store.wake(&tracker(2), at(5)).await.unwrap();
    let lease = store.claim(at(5)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Failed(at(900)), told()).await.unwrap();
    store.retry_refused(at(10)).await.unwrap();
    let lease = store.claim(at(10)).await.unwrap().unwrap();
    assert_eq!((&lease.subject, lease.attempts), (&tracker(1), 0));
    assert!(store.claim(at(10)).await.unwrap().is_none(), "what only failed keeps its time");
    store.finish(&lease, DONE, told()).await.unwrap();
    store.retry_refused(at(20)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(900)), "what went well is not refused any more");
}

async fn waking_does_not_skip_a_backoff(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Failed(at(900)), told()).await.unwrap();
    for seconds in [5, 600] {
        store.wake(&tracker(1), at(seconds)).await.unwrap();
        assert_eq!(store.next_due().await.unwrap(), Some(at(900)));
        assert!(store.claim(at(899)).await.unwrap().is_none(), "woken at {seconds}");
    }
    let lease = store.claim(at(900)).await.unwrap().unwrap();
    assert_eq!(lease.attempts, 1, "it consumes no step either");
    // Woken during the look, it is due again as soon as that look worked.
    store.wake(&tracker(1), at(901)).await.unwrap();
    store.finish(&lease, DONE, told()).await.unwrap();
    assert!(store.claim(at(901)).await.unwrap().is_some());
    assert_eq!(store.rows().await.unwrap()[0].attempts, 0);
    store.wake(&tracker(2), at(950)).await.unwrap();
    store.wake(&tracker(2), at(910)).await.unwrap();
    assert!(
        store.claim(at(910)).await.unwrap().is_some_and(|lease| lease.subject == tracker(2)),
        "no failure, no wait"
    );
}

async fn the_earliest_row_is_first(store: Arc<dyn Store>) {
    for (number, seconds) in [(3, 30), (1, 10), (2, 20)] {
        event_on(&*store, tracker(number), &number.to_string(), seconds).await;
    }
    let mut order = Vec::new();
    while let Some(lease) = store.claim(at(60)).await.unwrap() {
        order.push(lease.subject);
    }
    assert_eq!(order, [tracker(1), tracker(2), tracker(3)]);
}

async fn every_outcome_sets_the_next_look(store: Arc<dyn Store>) {
    for (outcome, dirty, due) in [
        (DONE, false, None),
        (Finished::Done(Some(at(500))), false, Some(at(500))),
        (Finished::Done(Some(at(500))), true, Some(at(5))),
        (Finished::Later(at(8)), false, Some(at(8))),
        (Finished::Later(at(8)), true, Some(at(8))),
        (Finished::Failed(at(60)), false, Some(at(60))),
        (Finished::Failed(at(60)), true, Some(at(60))),
    ] {
        let number = store.rows().await.unwrap().len() as u64 + 1;
        event_on(&*store, tracker(number), &format!("{number}a"), 0).await;
        let lease = store.claim(at(2)).await.unwrap().unwrap();
        assert_eq!(lease.subject, tracker(number));
        if dirty {
            event_on(&*store, tracker(number), &format!("{number}b"), 3).await;
        }
        store.finish(&lease, outcome, told()).await.unwrap();
        let row = store.rows().await.unwrap().into_iter().find(|row| row.subject == tracker(number)).unwrap();
        assert_eq!(row.due, due, "{outcome:?}, dirty: {dirty}");
        assert_eq!(row.attempts, u32::from(matches!(outcome, Finished::Failed(_))));
    }
}

async fn a_released_row_is_as_it_was(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let lease = store.claim(at(2)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Failed(at(60)), told()).await.unwrap();
    let before = store.rows().await.unwrap();
    let lease = store.claim(at(60)).await.unwrap().unwrap();
    store.finish(&lease, Finished::Released, told()).await.unwrap();
    assert_eq!(store.rows().await.unwrap(), before);
    assert_eq!(store.claim(at(60)).await.unwrap().unwrap().attempts, 1);
}

async fn waking_only_makes_it_earlier(store: Arc<dyn Store>) {
    for (seconds, due) in [(50, 50), (90, 50), (20, 20)] {
        store.wake(&tracker(1), at(seconds)).await.unwrap();
        assert_eq!(store.next_due().await.unwrap(), Some(at(due)));
    }
    let lease = store.claim(at(20)).await.unwrap().unwrap();
    store.wake(&tracker(1), at(40)).await.unwrap();
    store.finish(&lease, DONE, told()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(20)), "asked for during the look");
}

async fn repositories_know_no_case(store: Arc<dyn Store>) {
    for (guid, name) in [("a", "report Octo/Mail#1"), ("b", "report octo/mail#1")] {
        event_on(&*store, name.parse().unwrap(), guid, 0).await;
    }
    assert_eq!(store.rows().await.unwrap().len(), 1);
    let lease = store.claim(at(20)).await.unwrap().unwrap();
    assert_eq!(lease.generation, 2);
    store.finish(&lease, DONE, told()).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn facts_end_with_their_time(store: Arc<dyn Store>) {
    store.put("k", "v", at(10)).await.unwrap();
    assert_eq!(store.get("k", at(9)).await.unwrap().as_deref(), Some("v"));
    assert_eq!(store.get("k", at(10)).await.unwrap(), None);
    store.put("k", "new", at(20)).await.unwrap();
    assert_eq!(store.get("k", at(10)).await.unwrap().as_deref(), Some("new"));
    store.forget("k").await.unwrap();
    assert_eq!(store.get("k", at(10)).await.unwrap(), None);
}

async fn a_late_event_does_not_lower_the_floor(store: Arc<dyn Store>) {
    let mut guid = 0;
    for (key, now, value, kept) in [
        ("floor tracker #1", 0, 5, 5),
        ("floor tracker #1", 1, 3, 5),
        ("floor tracker #1", 2, 9, 9),
        ("floor tracker #1", 200, 7, 7),
        ("asked x", 201, 5, 5),
        ("asked x", 202, 3, 3),
    ] {
        let facts = vec![(key.to_owned(), at(value).to_string(), at(now + 60))];
        guid += 1;
        let asked = Asked { facts, ..Asked::default() };
        store.receive(delivery(&guid.to_string(), at(now), b"{}"), asked).await.unwrap();
        assert_eq!(store.get(key, at(now)).await.unwrap(), Some(at(kept).to_string()), "{key} at {now}");
    }
}

async fn edits_are_kept_once_in_their_order(store: Arc<dyn Store>) {
    let (first, second) = (edit_at(10, "- [x] a\r\n"), edit_at(20, "- [x] \"ä\" \u{1f600}\r\n"));
    edit(&*store, "b", 21, second.clone()).await;
    edit(&*store, "a", 22, first.clone()).await;
    edit(&*store, "b", 23, second.clone()).await;
    edit(&*store, "c", 24, first.clone()).await;
    assert_eq!(store.edits(1).await.unwrap(), [first, second]);
    assert!(store.edits(2).await.unwrap().is_empty());
}

async fn the_newest_edits_are_kept(store: Arc<dyn Store>) {
    for n in 0..510 {
        edit(&*store, &n.to_string(), n, edit_at(n, &format!("text {n}"))).await;
    }
    let kept = store.edits(1).await.unwrap();
    assert_eq!((kept.len(), kept[0].at, kept[499].at), (500, at(10), at(509)));
}

async fn what_a_look_learned_is_kept(store: Arc<dyn Store>) {
    let mut seen = Vec::new();
    for (standing, error) in [(Some("{1}"), None), (None, Some("GitHub is down")), (None, None), (Some("{2}"), None)] {
        store.wake(&tracker(1), at(0)).await.unwrap();
        let lease = store.claim(at(9)).await.unwrap().unwrap();
        let told = Told { standing: standing.map(str::to_owned), error: error.map(str::to_owned) };
        store.finish(&lease, DONE, told).await.unwrap();
        let told = store.rows().await.unwrap().remove(0).told;
        seen.push((told.standing.unwrap_or_default(), told.error));
    }
    let down = Some("GitHub is down".to_owned());
    assert_eq!(seen, [("{1}".into(), None), ("{1}".into(), down), ("{1}".into(), None), ("{2}".into(), None)]);
}

async fn what_never_came_is_missing(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    let asked = ["a", "b"].map(str::to_owned);
    assert_eq!(store.missing(&asked).await.unwrap(), ["b"]);
    assert!(store.missing(&[]).await.unwrap().is_empty());
}

async fn what_is_kept_waits_to_be_taken_in(store: Arc<dyn Store>) {
    for (guid, seconds) in [("b", 1), ("a", 2), ("c", 3)] {
        assert!(store.keep(delivery(guid, at(seconds), guid.as_bytes())).await.unwrap());
    }
    let waiting = store.waiting().await.unwrap();
    assert_eq!(waiting, [("b", 1), ("a", 2), ("c", 3)].map(|(g, s)| delivery(g, at(s), g.as_bytes())), "oldest first");
    assert_eq!(store.next_due().await.unwrap(), None);
    let taken = |guid: &str, seconds, subjects| Taken {
        guid: guid.to_owned(),
        at: at(seconds),
        asked: Asked { subjects, ..Asked::default() },
    };
    store.take_in(vec![taken("b", 10, vec![tracker(1), tracker(2)]), taken("c", 11, vec![])]).await.unwrap();
    assert_eq!(store.waiting().await.unwrap(), [delivery("a", at(2), b"a")]);
    let due: Vec<_> = store.rows().await.unwrap().into_iter().map(|row| (row.subject, row.due)).collect();
    assert_eq!(due, [(tracker(1), Some(at(12))), (tracker(2), Some(at(12)))]);
}

async fn a_redelivery_waits_again(store: Arc<dyn Store>) {
    event(&*store, "a", 0).await;
    assert!(store.waiting().await.unwrap().is_empty());
    assert!(!store.keep(delivery("a", at(5), b"{}")).await.unwrap());
    assert_eq!(store.waiting().await.unwrap(), [delivery("a", at(5), b"{}")]);
}

async fn old_things_are_dropped(store: Arc<dyn Store>) {
    edit(&*store, "old", 0, edit_at(0, "x")).await;
    edit(&*store, "new", 60, edit_at(60, "y")).await;
    store.put("k", "v", at(10)).await.unwrap();
    let tidy = async |now| while store.tidy(now).await.unwrap() {};
    tidy(at(59) + BODIES_KEPT).await;
    assert_eq!(store.edits(1).await.unwrap(), [edit_at(60, "y")]);
    assert_eq!(store.get("k", at(9)).await.unwrap(), None);
    let asked = ["old", "new"].map(str::to_owned);
    assert!(store.missing(&asked).await.unwrap().is_empty(), "it is still known that they came");
    tidy(at(59) + ROWS_KEPT).await;
    assert_eq!(store.missing(&asked).await.unwrap(), ["old"]);
}

async fn many_at_once_are_all_kept(store: Arc<dyn Store>) {
    let mut all = tokio::task::JoinSet::new();
    for n in 0..500_i64 {
        let store = store.clone();
        all.spawn(async move { event(&*store, &(n / 2).to_string(), n % 2).await });
    }
    let new = all.join_all().await.into_iter().filter(|new| *new).count();
    assert_eq!(new, 250, "each of 250 came twice");
    assert_eq!(store.claim(at(60)).await.unwrap().unwrap().generation, 500);
}

// ---------------------------------------------------------------------------------------------------------------------
// The file.

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("wardroom.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path()).unwrap()
    }
}

#[tokio::test]
async fn a_restart_finds_everything_and_frees_what_was_held() {
    let dir = Dir::new();
    let store = dir.open();
    edit(&store, "edit", 0, edit_at(0, "x")).await;
    event(&store, "a", 0).await;
    store.put("k", "v", at(100)).await.unwrap();
    let held = store.claim(at(2)).await.unwrap().unwrap();
    store.keep(delivery("waits", at(0), b"{}")).await.unwrap();
    drop(store);

    let store = dir.open();
    assert_eq!(store.waiting().await.unwrap(), [delivery("waits", at(0), b"{}")]);
    assert_eq!(store.edits(1).await.unwrap(), [edit_at(0, "x")]);
    assert_eq!(store.get("k", at(9)).await.unwrap().as_deref(), Some("v"));
    assert!(!event_on(&store, tracker(2), "a", 1).await, "known over a restart");
    let again = store.claim(at(2)).await.unwrap().unwrap();
    assert_eq!(again.subject, held.subject, "it need not wait for the dead one's lease");
    assert_ne!(again.token, held.token);
    store.finish(&held, DONE, told()).await.unwrap();
    assert!(store.extend(&again, at(2)).await.unwrap(), "the dead one's lease counts for nothing");
}

#[tokio::test]
async fn a_second_one_is_refused_and_the_operator_reads_beside() {
    let dir = Dir::new();
    let store = dir.open();
    event(&store, "a", 0).await;
    let refused = SqliteStore::open(&dir.path()).err().unwrap();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("in use by another `wardroom serve`"), "{refused}");

    let mut operator = Operator::read(&dir.path()).unwrap();
    let kept = operator.deliveries(10).unwrap();
    assert_eq!((kept.len(), kept[0].guid.as_str(), kept[0].subjects.as_slice()), (1, "a", &["tracker #1".into()][..]));
    assert!(operator.replay("a").is_err(), "read only");
    assert!(store.waiting().await.unwrap().is_empty());
    let mut operator = Operator::write(&dir.path()).unwrap();
    assert_eq!(operator.replay("a").unwrap().unwrap().subjects, ["tracker #1"]);
    assert_eq!(operator.replay("unknown").unwrap(), None);
    assert_eq!(store.waiting().await.unwrap(), [delivery("a", at(0), b"{}")]);
    drop(store);
    drop(dir.open());
    assert_eq!(Operator::read(&dir.path()).unwrap().rows().unwrap().len(), 1, "nobody serves it");
}

#[tokio::test]
async fn an_operator_sees_a_payload_until_it_is_dropped() {
    let dir = Dir::new();
    let store = dir.open();
    let body: Vec<u8> = (0..60_000_u32).flat_map(u32::to_le_bytes).collect();
    store.receive(delivery("a", at(0), &body), Asked::default()).await.unwrap();
    let (kept, found) = Operator::read(&dir.path()).unwrap().delivery("a").unwrap().unwrap();
    assert_eq!((kept.size, found), (240_000, Some(body)));
    while store.tidy(at(1) + BODIES_KEPT).await.unwrap() {}
    let (kept, found) = Operator::read(&dir.path()).unwrap().delivery("a").unwrap().unwrap();
    assert_eq!((kept.size, kept.has_body, found), (240_000, false, None));
    assert!(Operator::read(&dir.path()).unwrap().delivery("b").unwrap().is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let store = dir.open();
    event(&store, "a", 0).await;
    let mut seen = 0;
    for entry in std::fs::read_dir(dir.0.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 3, "database, journal and lock");
}

#[test]
fn what_is_not_ours_or_too_new_is_left_alone() {
    let dir = Dir::new();
    drop(dir.open());
    let db = rusqlite::Connection::open(dir.path()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    for refused in [SqliteStore::open(&dir.path()).err(), Operator::read(&dir.path()).err()] {
        assert!(matches!(refused.unwrap(), OpenError::TooNew { found: 99, .. }));
    }
    let foreign = dir.0.path().join("other.db");
    let db = rusqlite::Connection::open(&foreign).unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    for refused in [SqliteStore::open(&foreign).err(), Operator::write(&foreign).err()] {
        assert!(matches!(refused.unwrap(), OpenError::Foreign(_)));
    }
    let text = dir.0.path().join("text.db");
    std::fs::write(&text, "This is a text, and no database at all. ".repeat(100)).unwrap();
    let refused = SqliteStore::open(&text).err().unwrap();
    assert!(refused.to_string().contains("damaged"), "{refused}");
    assert!(matches!(Operator::read(&dir.0.path().join("none.db")).err().unwrap(), OpenError::None(_)));
    assert!(!dir.0.path().join("none.db").exists());
}

#[tokio::test]
async fn a_locked_database_fails_for_now_and_loses_nothing() {
    let dir = Dir::new();
    let store = dir.open();
    let other = rusqlite::Connection::open(dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = Asked { subjects: vec![tracker(1)], ..Asked::default() };
    let failed = store.receive(delivery("a", at(0), b"{}"), asked).await.unwrap_err();
    assert_eq!(failed.to_string(), "the store failed: another program holds the database's lock");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.rows().await.unwrap().is_empty(), "nothing was half stored");
    assert!(event(&store, "a", 1).await);
}

#[tokio::test]
async fn a_locked_database_keeps_nobody_waiting_for_the_others_too() {
    let dir = Dir::new();
    let store = Arc::new(dir.open());
    let other = rusqlite::Connection::open(dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..20 {
        let store = store.clone();
        all.spawn(async move { store.keep(delivery(&n.to_string(), at(n), b"{}")).await });
    }
    for failed in all.join_all().await {
        assert_eq!(failed.unwrap_err().to_string(), "the store failed: another program holds the database's lock");
    }
    // GitHub gives up after 10 s. One wait for the lock takes 5.
    assert!(began.elapsed() < std::time::Duration::from_millis(8500), "{:?}", began.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.waiting().await.unwrap().is_empty(), "nothing was half stored");
    assert!(store.keep(delivery("0", at(0), b"{}")).await.unwrap());
}

#[tokio::test]
async fn one_bad_job_does_not_take_the_others_with_it() {
    let dir = Dir::new();
    let store = Arc::new(dir.open());
    // A trigger that refuses one delivery, as damage in the file might.
    let db = rusqlite::Connection::open(dir.path()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER bad BEFORE INSERT ON delivery WHEN new.guid = '7' BEGIN SELECT raise(ABORT, 'bad'); END",
    )
    .unwrap();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..40_u64 {
        let store = store.clone();
        let asked = Asked { subjects: vec![tracker(n)], ..Asked::default() };
        all.spawn(async move { store.receive(delivery(&n.to_string(), at(0), b"{}"), asked).await.is_ok() });
    }
    assert_eq!(all.join_all().await.into_iter().filter(|ok| *ok).count(), 39);
    assert_eq!(store.rows().await.unwrap().len(), 39, "and of the bad one nothing is stored");
    assert_eq!(store.missing(&["7".to_owned()]).await.unwrap(), ["7"]);
}

#[test]
fn a_database_is_named_by_its_kind() {
    use wardroom::store::sqlite::Location;
    for (text, path) in [("sqlite:wardroom.db", "wardroom.db"), ("sqlite:///var/x.db", "/var/x.db")] {
        assert_eq!(text.parse::<Location>().unwrap().0, std::path::Path::new(path));
    }
    for text in ["wardroom.db", "postgres://x", "sqlite:", "sqlite::memory:", ""] {
        assert!(text.parse::<Location>().is_err(), "{text}");
    }
}
