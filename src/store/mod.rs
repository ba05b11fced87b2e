//! The port to the local store: inbox, work rows with leases, journal and caches.
//!
//! Deleting it at any moment costs time, never correctness: all that matters lives on GitHub.

pub mod memory;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::domain::incident::Subject;
use crate::domain::observed::Edit;

/// The first look waits for so much quiet after an event, so that ten ticks in a row are one look.
pub const QUIET_BEFORE_LOOK: SignedDuration = SignedDuration::from_secs(2);

/// At the latest so long after the first event, however many follow.
pub const LATEST_LOOK: SignedDuration = SignedDuration::from_secs(15);

/// How long a worker may hold a row before another may take it.
pub const LEASE: SignedDuration = SignedDuration::from_secs(120);

/// An event as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// GitHub's id of the delivery; a redelivery has the same.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The payload as it came.
    pub body: Vec<u8>,
}

/// What an event asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The incidents to look at.
    pub subjects: Vec<Subject>,
    /// An edit of a tracking issue's body that the event tells of: the number and the edit.
    pub edit: Option<(u64, Edit)>,
    /// Small facts for [`Store::put`]: key, value, and until when they matter.
    pub facts: Vec<(String, String, Timestamp)>,
}

/// A claimed row. It is handed back with [`Store::finish`]; a lease that ran out is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What to look at.
    pub subject: Subject,
    /// The row's generation when it was claimed: an event since then makes the row due again.
    pub generation: u64,
    /// How many looks failed in a row.
    pub attempts: u32,
    /// Tells this claim from another of the same row.
    pub token: u64,
}

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It worked; look again then, if a moment is given.
    Done(Option<Timestamp>),
    /// It worked as far as it went, and must go on then.
    Later(Timestamp),
    /// It failed; try again then.
    Failed(Timestamp),
}

/// A row of the work table, for tables and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What to look at.
    pub subject: Subject,
    /// When; `None` if nothing is due.
    pub due: Option<Timestamp>,
    /// How many looks failed in a row.
    pub attempts: u32,
}

/// The store failed. Nothing was half stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// The result of a call to the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Inbox, work, journal and caches.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a delivery and makes its incidents due, in one transaction. A GUID that is known already is kept once and
    /// still makes them due: a redelivery is someone asking again. Returns whether it was new.
    async fn receive(&self, delivery: Delivery, asked: Asked) -> Result<bool>;

    /// Makes an incident due at a moment, or earlier if it already was.
    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()>;

    /// Claims the earliest row that is due and not held by another worker.
    async fn claim(&self, now: Timestamp) -> Result<Option<Lease>>;

    /// Hands a row back. An event since the claim makes it due again, whatever the outcome.
    async fn finish(&self, lease: &Lease, outcome: Finished) -> Result<()>;

    /// When the next row is due.
    async fn next_due(&self) -> Result<Option<Timestamp>>;

    /// All rows.
    async fn rows(&self) -> Result<Vec<Row>>;

    /// The edits that kept deliveries tell of one tracking issue, oldest first, each once.
    async fn edits(&self, tracker: u64) -> Result<Vec<Edit>>;

    /// A small fact kept under a key, unless its time is over.
    async fn get(&self, key: &str, now: Timestamp) -> Result<Option<String>>;

    /// Keeps a small fact until a moment.
    async fn put(&self, key: &str, value: &str, until: Timestamp) -> Result<()>;

    /// Forgets a fact.
    async fn forget(&self, key: &str) -> Result<()>;
}
