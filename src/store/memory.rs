//! The store in memory: for the Action, the demo and tests. What it holds ends with the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Asked, BODIES_KEPT, Delivery, EDITS_KEPT, Finished, LATEST_LOOK, LEASE, Lease, QUIET_BEFORE_LOOK, ROWS_KEPT,
    Result, Row, Store, Taken, Told,
};
use crate::domain::incident::Subject;
use crate::domain::observed::Edit;

/// The store in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    guids: HashMap<String, Timestamp>,
    waiting: Vec<Delivery>,
    rows: BTreeMap<Subject, WorkRow>,
    /// With the time when each was heard of.
    edits: HashMap<u64, Vec<(Timestamp, Edit)>>,
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
    refused: bool,
    held: Option<(u64, Timestamp)>,
    told: Told,
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

impl State {
    fn take_in(&mut self, heard: Timestamp, asked: Asked) {
        for subject in asked.subjects {
            self.rows.entry(subject).or_default().event(heard);
        }
        if let Some((tracker, edit)) = asked.edit {
            let edits = self.edits.entry(tracker).or_default();
            if !edits.iter().any(|(_, known)| *known == edit) {
                // Deliveries come in any order; the time they tell puts them right.
                let at = edits.partition_point(|(_, known)| known.at <= edit.at);
                edits.insert(at, (heard, edit));
                if edits.len() > EDITS_KEPT {
                    edits.remove(0);
                }
            }
        }
        for (key, value, until) in asked.facts {
            // An event that comes late must not lower what a read has to reach: RFC 3339 times order as text.
            let later = |known: &(String, Timestamp)| key.starts_with("floor ") && known.0 > value && known.1 > heard;
            if !self.facts.get(&key).is_some_and(later) {
                self.facts.insert(key, (value, until));
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn keep(&self, delivery: Delivery) -> Result<bool> {
        let mut state = self.state();
        let new = state.guids.insert(delivery.guid.clone(), delivery.at).is_none();
        state.waiting.retain(|waiting| waiting.guid != delivery.guid);
        state.waiting.push(delivery);
        Ok(new)
    }

    async fn waiting(&self) -> Result<Vec<Delivery>> {
        Ok(self.state().waiting.clone())
    }

    async fn take_in(&self, taken: Vec<Taken>) -> Result<()> {
        let mut state = self.state();
        for Taken { guid, at, asked } in taken {
            state.waiting.retain(|waiting| waiting.guid != guid);
            state.take_in(at, asked);
        }
        Ok(())
    }

    async fn receive(&self, delivery: Delivery, asked: Asked) -> Result<bool> {
        let mut state = self.state();
        let new = state.guids.insert(delivery.guid, delivery.at).is_none();
        state.take_in(delivery.at, asked);
        Ok(new)
    }

    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()> {
        let mut state = self.state();
        let row = state.rows.entry(subject.clone()).or_default();
        row.generation += 1;
        // As for an event: a row that backs off keeps its time.
        let backs_off = row.attempts > 0;
        row.due = Some(row.due.map_or(at, |due| if backs_off { due } else { due.min(at) }));
        Ok(())
    }

    async fn retry_refused(&self, at: Timestamp) -> Result<()> {
        for row in self.state().rows.values_mut().filter(|row| row.refused) {
            (row.due, row.attempts, row.refused) = (Some(at), 0, false);
            row.generation += 1;
        }
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

    async fn finish(&self, lease: &Lease, outcome: Finished, told: Told) -> Result<()> {
        let mut state = self.state();
        let Some(row) = state.rows.get_mut(&lease.subject) else { return Ok(()) };
        if row.held.is_none_or(|(token, _)| token != lease.token) {
            return Ok(());
        }
        row.held = None;
        if outcome == Finished::Released {
            return Ok(());
        }
        row.told = Told { standing: told.standing.or_else(|| row.told.standing.take()), error: told.error };
        let dirty = row.generation != lease.generation;
        row.attempts = match outcome {
            Finished::Failed(_) | Finished::Refused(_) => lease.attempts.saturating_add(1),
            Finished::Done(_) | Finished::Later(_) | Finished::Released => 0,
        };
        row.refused = matches!(outcome, Finished::Refused(_));
        row.due = match (outcome, dirty) {
            (Finished::Failed(at) | Finished::Refused(at), _) => Some(at),
            // The events during the look set the time; `Later` waits for reads that show our own writes.
            (Finished::Later(at), true) => Some(row.due.map_or(at, |due| due.max(at))),
            (Finished::Done(_), true) | (Finished::Released, _) => row.due,
            (Finished::Later(at), false) => Some(at),
            (Finished::Done(at), false) => at,
        };
        Ok(())
    }

    async fn extend(&self, lease: &Lease, now: Timestamp) -> Result<bool> {
        let mut state = self.state();
        let Some(row) = state.rows.get_mut(&lease.subject) else { return Ok(false) };
        let held = row.held.is_some_and(|(token, _)| token == lease.token);
        if held {
            row.held = Some((lease.token, now + LEASE));
        }
        Ok(held)
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
            told: row.told.clone(),
        };
        Ok(state.rows.iter().map(row).collect())
    }

    async fn edits(&self, tracker: u64) -> Result<Vec<Edit>> {
        let state = self.state();
        let edits = state.edits.get(&tracker).into_iter().flatten();
        Ok(edits.map(|(_, edit)| edit.clone()).collect())
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

    async fn missing(&self, guids: &[String]) -> Result<Vec<String>> {
        let state = self.state();
        Ok(guids.iter().filter(|guid| !state.guids.contains_key(*guid)).cloned().collect())
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool> {
        let mut state = self.state();
        state.facts.retain(|_, (_, until)| *until > now);
        state.guids.retain(|_, at| *at + ROWS_KEPT > now);
        state.edits.values_mut().for_each(|edits| edits.retain(|(heard, _)| *heard + BODIES_KEPT > now));
        state.edits.retain(|_, edits| !edits.is_empty());
        Ok(false)
    }
}
