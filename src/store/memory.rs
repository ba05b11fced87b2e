//! The store in memory: for the Action, the demo and tests. What it holds ends with the process.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Asked, Delivery, Finished, LATEST_LOOK, LEASE, Lease, QUIET_BEFORE_LOOK, Result, Row, Store};
use crate::domain::incident::Subject;
use crate::domain::observed::Edit;

/// Edits of one tracking issue that are kept: more than a day's work of a whole team.
const EDITS_KEPT: usize = 500;

/// The store in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    guids: HashSet<String>,
    rows: BTreeMap<Subject, WorkRow>,
    edits: HashMap<u64, Vec<Edit>>,
    facts: HashMap<String, (String, Timestamp)>,
    tokens: u64,
}

#[derive(Default)]
struct WorkRow {
    due: Option<Timestamp>,
    /// When the first event came that no look has seen yet.
    first_event: Option<Timestamp>,
    generation: u64,
    attempts: u32,
    held: Option<(u64, Timestamp)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole rows: every change below is made under one lock without a call out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkRow {
    fn event(&mut self, at: Timestamp) {
        self.generation += 1;
        let first = *self.first_event.get_or_insert(at);
        let due = (at + QUIET_BEFORE_LOOK).min(first + LATEST_LOOK);
        // A row that backs off after a failure keeps its time: an event neither skips nor consumes a step.
        if self.attempts == 0 || self.due.is_none() {
            self.due = Some(due);
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn receive(&self, delivery: Delivery, asked: Asked) -> Result<bool> {
        let mut state = self.state();
        let new = state.guids.insert(delivery.guid);
        for subject in asked.subjects {
            state.rows.entry(subject).or_default().event(delivery.at);
        }
        if let Some((tracker, edit)) = asked.edit {
            let edits = state.edits.entry(tracker).or_default();
            if !edits.contains(&edit) {
                // Deliveries come in any order; the time they tell puts them right.
                let at = edits.partition_point(|known| known.at <= edit.at);
                edits.insert(at, edit);
                if edits.len() > EDITS_KEPT {
                    edits.remove(0);
                }
            }
        }
        for (key, value, until) in asked.facts {
            // An event that comes late must not lower what a read has to reach: RFC 3339 times order as text.
            let later =
                |known: &(String, Timestamp)| key.starts_with("floor ") && known.0 > value && known.1 > delivery.at;
            if !state.facts.get(&key).is_some_and(later) {
                state.facts.insert(key, (value, until));
            }
        }
        state.facts.retain(|_, (_, until)| *until > delivery.at);
        Ok(new)
    }

    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()> {
        let mut state = self.state();
        let row = state.rows.entry(subject.clone()).or_default();
        row.generation += 1;
        row.due = Some(row.due.map_or(at, |due| due.min(at)));
        Ok(())
    }

    async fn claim(&self, now: Timestamp) -> Result<Option<Lease>> {
        let mut state = self.state();
        state.tokens += 1;
        let token = state.tokens;
        let free = |row: &WorkRow| row.held.is_none_or(|(_, until)| until <= now);
        let due = state.rows.iter().filter(|(_, row)| free(row) && row.due.is_some_and(|due| due <= now));
        let Some(subject) = due.min_by_key(|(_, row)| row.due).map(|(subject, _)| subject.clone()) else {
            return Ok(None);
        };
        let Some(row) = state.rows.get_mut(&subject) else { return Ok(None) };
        row.held = Some((token, now + LEASE));
        row.first_event = None;
        Ok(Some(Lease { subject, generation: row.generation, attempts: row.attempts, token }))
    }

    async fn finish(&self, lease: &Lease, outcome: Finished) -> Result<()> {
        let mut state = self.state();
        let Some(row) = state.rows.get_mut(&lease.subject) else { return Ok(()) };
        if row.held.is_none_or(|(token, _)| token != lease.token) {
            return Ok(());
        }
        row.held = None;
        let dirty = row.generation != lease.generation;
        row.attempts = match outcome {
            Finished::Failed(_) => lease.attempts.saturating_add(1),
            Finished::Done(_) | Finished::Later(_) => 0,
        };
        row.due = match (outcome, dirty) {
            (Finished::Failed(at), _) => Some(at),
            // The events during the look set the time; `Later` waits for reads that show our own writes.
            (Finished::Later(at), true) => Some(row.due.map_or(at, |due| due.max(at))),
            (Finished::Done(_), true) => row.due,
            (Finished::Later(at), false) => Some(at),
            (Finished::Done(at), false) => at,
        };
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let state = self.state();
        let moment = |row: &WorkRow| match (row.due, row.held) {
            (Some(due), Some((_, until))) => Some(due.max(until)),
            (due, _) => due,
        };
        Ok(state.rows.values().filter_map(moment).min())
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        let state = self.state();
        let row = |(subject, row): (&Subject, &WorkRow)| Row {
            subject: subject.clone(),
            due: row.due,
            attempts: row.attempts,
        };
        Ok(state.rows.iter().map(row).collect())
    }

    async fn edits(&self, tracker: u64) -> Result<Vec<Edit>> {
        Ok(self.state().edits.get(&tracker).cloned().unwrap_or_default())
    }

    async fn get(&self, key: &str, now: Timestamp) -> Result<Option<String>> {
        let state = self.state();
        Ok(state.facts.get(key).filter(|(_, until)| *until > now).map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: &str, until: Timestamp) -> Result<()> {
        self.state().facts.insert(key.to_owned(), (value.to_owned(), until));
        Ok(())
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.state().facts.remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_442_000 + seconds).unwrap()
    }

    async fn event(store: &MemoryStore, guid: &str, seconds: i64) -> bool {
        let delivery =
            Delivery { guid: guid.to_owned(), event: "issues".to_owned(), at: at(seconds), body: b"{}".to_vec() };
        let asked = Asked { subjects: vec![Subject::Tracker(1)], ..Asked::default() };
        store.receive(delivery, asked).await.unwrap()
    }

    #[tokio::test]
    async fn many_events_are_one_look_and_none_waits_for_ever() {
        let store = MemoryStore::new();
        for n in 0..30 {
            event(&store, &n.to_string(), n).await;
            assert_eq!(store.claim(at(n)).await.unwrap().is_some(), n == 15, "second {n}");
        }
    }

    #[tokio::test]
    async fn one_worker_at_a_time_and_dirty_runs_again() {
        let store = MemoryStore::new();
        assert!(event(&store, "a", 0).await);
        let lease = store.claim(at(2)).await.unwrap().unwrap();
        assert!(store.claim(at(3)).await.unwrap().is_none());
        assert!(!event(&store, "a", 3).await, "a redelivery is not new");
        assert!(store.claim(at(9)).await.unwrap().is_none(), "held");
        store.finish(&lease, Finished::Done(None)).await.unwrap();
        assert!(store.claim(at(9)).await.unwrap().is_some(), "and still asked for");
    }

    #[tokio::test]
    async fn a_lost_worker_loses_its_lease() {
        let store = MemoryStore::new();
        event(&store, "a", 0).await;
        let lost = store.claim(at(2)).await.unwrap().unwrap();
        let late = at(2) + LEASE;
        let taken = store.claim(late).await.unwrap().unwrap();
        store.finish(&lost, Finished::Done(None)).await.unwrap();
        assert!(store.claim(late).await.unwrap().is_none(), "the old lease may not free the row");
        store.finish(&taken, Finished::Done(None)).await.unwrap();
        assert_eq!(store.next_due().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_event_does_not_skip_a_backoff() {
        let store = MemoryStore::new();
        event(&store, "a", 0).await;
        let lease = store.claim(at(2)).await.unwrap().unwrap();
        store.finish(&lease, Finished::Failed(at(60))).await.unwrap();
        event(&store, "b", 5).await;
        assert!(store.claim(at(30)).await.unwrap().is_none());
        assert_eq!(store.claim(at(60)).await.unwrap().unwrap().attempts, 1);
    }

    #[tokio::test]
    async fn facts_end_with_their_time() {
        let store = MemoryStore::new();
        store.put("k", "v", at(10)).await.unwrap();
        assert_eq!(store.get("k", at(9)).await.unwrap().as_deref(), Some("v"));
        assert_eq!(store.get("k", at(9) + SignedDuration::from_secs(1)).await.unwrap(), None);
    }
}
