//! The store in a SQLite file: for `wardroom serve`. A delivery is on the disk before it is answered.
//!
//! One thread owns the connection and commits what waits together (`writer`), so that many deliveries share one sync of
//! the disk. One process at a time holds the file (`file`); operator commands read beside it ([`operator`]).

mod facts;
mod file;
mod inbox;
pub mod operator;
mod schema;
mod work;
mod writer;

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Asked, Delivery, Finished, Lease, Result, Row, Store, StoreError, Taken, Told};
use crate::domain::incident::Subject;
use crate::domain::observed::Edit;
use writer::Writer;

pub use file::{Location, OpenError};

/// The store in a file. It is closed, and free for another process, when the value is dropped.
pub struct SqliteStore {
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, or creates it with mode 0600, brings its schema up to date, and holds it against other processes.
    /// Rows that a dead process held are free again. It blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator. Nothing was changed, except by a migration that was completed.
    pub fn open(path: &Path) -> std::result::Result<SqliteStore, OpenError> {
        let held = file::open(path)?;
        Ok(SqliteStore { writer: Writer::start(held)? })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn keep(&self, delivery: Delivery) -> Result<bool> {
        let packed = inbox::pack(&delivery.body);
        self.writer.run(move |db| inbox::keep(db, &delivery, &packed)).await
    }

    async fn waiting(&self) -> Result<Vec<Delivery>> {
        let waiting = self.writer.run(inbox::waiting).await?;
        Ok(waiting.into_iter().map(inbox::Waiting::unpacked).collect())
    }

    async fn take_in(&self, taken: Vec<Taken>) -> Result<()> {
        self.writer.run(move |db| taken.iter().try_for_each(|taken| inbox::take_in(db, taken))).await
    }

    async fn receive(&self, delivery: Delivery, asked: Asked) -> Result<bool> {
        let packed = inbox::pack(&delivery.body);
        let taken = Taken { guid: delivery.guid.clone(), at: delivery.at, asked };
        self.writer
            .run(move |db| {
                let new = inbox::keep(db, &delivery, &packed)?;
                inbox::take_in(db, &taken)?;
                Ok(new)
            })
            .await
    }

    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()> {
        let subject = subject.clone();
        self.writer.run(move |db| work::wake(db, &subject, at)).await
    }

    async fn retry_refused(&self, at: Timestamp) -> Result<()> {
        self.writer.run(move |db| work::retry_refused(db, at)).await
    }

    async fn claim(&self, now: Timestamp) -> Result<Option<Lease>> {
        self.writer.run(move |db| work::claim(db, now)).await
    }

    async fn finish(&self, lease: &Lease, outcome: Finished, told: Told) -> Result<()> {
        let lease = lease.clone();
        self.writer.run(move |db| work::finish(db, &lease, outcome, &told)).await
    }

    async fn extend(&self, lease: &Lease, now: Timestamp) -> Result<bool> {
        let lease = lease.clone();
        self.writer.run(move |db| work::extend(db, &lease, now)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.writer.run(work::next_due).await
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        self.writer.run(work::rows).await
    }

    async fn edits(&self, tracker: u64) -> Result<Vec<Edit>> {
        // Unpacked here, not in the writer's thread: deliveries wait there.
        let packed = self.writer.run(move |db| inbox::packed_edits(db, tracker)).await?;
        Ok(inbox::unpack_edits(&packed))
    }

    async fn get(&self, key: &str, now: Timestamp) -> Result<Option<String>> {
        let key = key.to_owned();
        self.writer.run(move |db| facts::get(db, &key, now)).await
    }

    async fn put(&self, key: &str, value: &str, until: Timestamp) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.writer.run(move |db| facts::put(db, &key, &value, until)).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.writer.run(move |db| facts::forget(db, &key)).await
    }

    async fn missing(&self, guids: &[String]) -> Result<Vec<String>> {
        let guids = guids.to_vec();
        self.writer.run(move |db| inbox::missing(db, &guids)).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool> {
        self.writer
            .run(move |db| {
                facts::tidy(db, now)?;
                inbox::tidy(db, now)
            })
            .await
    }
}

/// A moment as it is kept: microseconds since 1970.
fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A kept moment. One that no calendar has is damage in the file.
fn moment(micros: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, micros))
}

/// A number that SQLite can keep; it has no unsigned ones. GitHub's are far below.
fn number(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// What went wrong, in words that hold nothing of what was to be stored.
fn words(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let words = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the database's lock".to_owned()
        }
        Some(ErrorCode::SystemIoFailure) => "the disk could not be written or read".to_owned(),
        Some(ErrorCode::ReadOnly) => "the database may not be written".to_owned(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "the database file is damaged".to_owned(),
        Some(code) => format!("SQLite says {code:?}"),
        None => "the database holds what this version does not understand".to_owned(),
    };
    StoreError(words)
}
