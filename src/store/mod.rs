//! The port to the local store: inbox, work rows with leases, journal and caches.
//!
//! Deleting it at any moment costs time, never correctness: all that matters lives on GitHub.

pub mod memory;
pub mod sqlite;

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

/// So long the bodies of deliveries are kept, and with them the edits they tell of.
pub const BODIES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// So long it is kept that a delivery came, without its body.
pub const ROWS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Edits of one tracking issue that are used: more than a day's work of a whole team.
pub const EDITS_KEPT: usize = 500;

/// An event as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// GitHub's id of the delivery; a redelivery has the same.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The payload as it came: JSON, unless it could not be read.
    pub body: Vec<u8>,
}

/// What an event asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The incidents to look at.
    pub subjects: Vec<Subject>,
    /// An edit of a tracking issue's body that the event tells of: the number and the edit. Its texts are those of
    /// the delivery's own body (`changes.body.from` and `issue.body`), so that a store need not keep them twice.
    pub edit: Option<(u64, Edit)>,
    /// Small facts for [`Store::put`]: key, value, and until when they matter.
    pub facts: Vec<(String, String, Timestamp)>,
    /// Rights or names of repositories have changed, so that what GitHub refused may be tried again.
    pub access: bool,
    /// Why it asks for nothing, for the operator's table.
    pub why_nothing: Option<String>,
}

/// What a kept delivery asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// GitHub's id of the delivery.
    pub guid: String,
    /// When it counts as arrived: its incidents become due some quiet after it.
    pub at: Timestamp,
    /// What it asks for.
    pub asked: Asked,
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
    /// It was refused, and stays so until a person changes something: [`Store::retry_refused`]. Try again then in any case.
    Refused(Timestamp),
    /// It was not made: the process ends. The row stays as it was, for the next process.
    Released,
}

/// What a look learned, for the operator's table. Without private text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Where the incident stands, as JSON. `None`: what was known stays.
    pub standing: Option<String>,
    /// Why the look failed, or which call was refused for good; `None` if all went well.
    pub error: Option<String>,
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
    /// What the last look learned.
    pub told: Told,
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
    /// Keeps a delivery, which then waits to be taken in. A GUID that is known already is kept once and waits again: a
    /// redelivery is someone asking again. Returns whether it was new.
    async fn keep(&self, delivery: Delivery) -> Result<bool>;

    /// Some of the deliveries that wait to be taken in, oldest first.
    async fn waiting(&self) -> Result<Vec<Delivery>>;

    /// Makes the incidents of kept deliveries due; these deliveries do not wait any more. All in one transaction.
    async fn take_in(&self, taken: Vec<Taken>) -> Result<()>;

    /// Keeps a delivery and takes it in, in one transaction.
    async fn receive(&self, delivery: Delivery, asked: Asked) -> Result<bool>;

    /// Makes an incident due at a moment, or earlier if it already was. A row that backs off after a failure keeps its
    /// time, as it does when an event comes: that time may be a limit's own.
    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()>;

    /// Makes every row due whose last look was [`Finished::Refused`], as if it had not failed.
    async fn retry_refused(&self, at: Timestamp) -> Result<()>;

    /// Claims the earliest row that is due and not held by another worker.
    async fn claim(&self, now: Timestamp) -> Result<Option<Lease>>;

    /// Hands a row back. An event since the claim makes it due again, whatever the outcome.
    async fn finish(&self, lease: &Lease, outcome: Finished, told: Told) -> Result<()>;

    /// Holds a row for longer, counted from now. Returns whether it is still held by this lease.
    async fn extend(&self, lease: &Lease, now: Timestamp) -> Result<bool>;

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

    /// Which of these deliveries were never kept here.
    async fn missing(&self, guids: &[String]) -> Result<Vec<String>>;

    /// Drops what is kept long enough: bodies after [`BODIES_KEPT`], the rest of a delivery after [`ROWS_KEPT`], facts at
    /// their end. Returns whether there may be more to drop; it does a little at a time, so that nothing waits for it.
    async fn tidy(&self, now: Timestamp) -> Result<bool>;
}
