//! What the operator's commands do with the file of a `serve` that may be running: read, and make one row due.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow};

use super::{OpenError, file, inbox, moment, words, work};
use crate::store::{Result, Row, StoreError};

/// A delivery of the inbox, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// GitHub's id of the delivery.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// When it came first.
    pub arrived: Timestamp,
    /// When it came last.
    pub again: Timestamp,
    /// How often it came.
    pub times: u32,
    /// What it asked to look at: `report octo/mail#3`, `tracker #7`. Empty if it asked for nothing.
    pub subjects: Vec<String>,
    /// Why it asked for nothing.
    pub why_nothing: Option<String>,
    /// Whether it waits to be taken in.
    pub waiting: bool,
    /// Bytes of its payload.
    pub size: u64,
    /// Whether the payload is still there.
    pub has_body: bool,
}

/// The database, read beside a running `serve`.
pub struct Operator {
    db: Connection,
}

const COLUMNS: &str = "guid, event, arrived, again, times, subjects, size, body IS NOT NULL, why_nothing, waiting";

impl Operator {
    /// Opens to read only.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn read(path: &Path) -> std::result::Result<Operator, OpenError> {
        Ok(Operator { db: file::open_beside(path, false)? })
    }

    /// Opens to change one row.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn write(path: &Path) -> std::result::Result<Operator, OpenError> {
        Ok(Operator { db: file::open_beside(path, true)? })
    }

    /// The newest deliveries, newest first.
    ///
    /// # Errors
    /// That of the file.
    pub fn deliveries(&self, most: u32) -> Result<Vec<Kept>> {
        let sql = format!("SELECT {COLUMNS} FROM delivery ORDER BY id DESC LIMIT ?1");
        self.all(&sql, i64::from(most)).map_err(|error| words(&error))
    }

    fn all(&self, sql: &str, most: i64) -> rusqlite::Result<Vec<Kept>> {
        self.db.prepare(sql)?.query_map([most], kept)?.collect()
    }

    /// One delivery with its payload; `None` if it is not there.
    ///
    /// # Errors
    /// That of the file; or the payload is damaged.
    pub fn delivery(&self, guid: &str) -> Result<Option<(Kept, Option<Vec<u8>>)>> {
        let sql = format!("SELECT {COLUMNS}, body FROM delivery WHERE guid = ?1");
        let found = self.db.query_row(&sql, [guid], |row| Ok((kept(row)?, row.get::<_, Option<Vec<u8>>>(10)?)));
        let Some((kept, packed)) = found.optional().map_err(|error| words(&error))? else { return Ok(None) };
        let body = match packed {
            Some(packed) => Some(inbox::unpack(&packed).ok_or_else(damaged)?),
            None => None,
        };
        Ok(Some((kept, body)))
    }

    /// The work rows.
    ///
    /// # Errors
    /// That of the file.
    pub fn rows(&self) -> Result<Vec<Row>> {
        work::rows(&self.db).map_err(|error| words(&error))
    }

    /// Has a delivery taken in once more, by the policy that holds now, as if GitHub had sent it again. Returns the delivery
    /// as it was; `None` if there is none, or its payload was dropped.
    ///
    /// # Errors
    /// That of the file; nothing was changed then.
    pub fn replay(&mut self, guid: &str) -> Result<Option<Kept>> {
        let Some((kept, Some(_))) = self.delivery(guid)? else { return Ok(None) };
        let changed = self.db.execute("UPDATE delivery SET waiting = 1 WHERE guid = ?1 AND body IS NOT NULL", [guid]);
        let changed = changed.map_err(|error| words(&error))?;
        Ok((changed == 1).then_some(kept))
    }
}

fn kept(row: &SqlRow<'_>) -> rusqlite::Result<Kept> {
    let subjects: String = row.get(5)?;
    Ok(Kept {
        guid: row.get(0)?,
        event: row.get(1)?,
        arrived: moment(row.get(2)?)?,
        again: moment(row.get(3)?)?,
        times: row.get(4)?,
        subjects: subjects.lines().map(str::to_owned).collect(),
        size: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        has_body: row.get(7)?,
        why_nothing: row.get(8)?,
        waiting: row.get(9)?,
    })
}

fn damaged() -> StoreError {
    StoreError("the delivery's payload is damaged".to_owned())
}
