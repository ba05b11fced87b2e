//! Small facts under a key, each until its time.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::micros;

/// Facts that one round drops at the most.
const A_FEW: i64 = 500;

pub(super) fn get(db: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<String>> {
    let mut find = db.prepare_cached("SELECT value FROM fact WHERE key = ?1 AND until > ?2")?;
    find.query_row(params![key, micros(now)], |row| row.get(0)).optional()
}

pub(super) fn put(db: &Connection, key: &str, value: &str, until: Timestamp) -> rusqlite::Result<()> {
    let mut put = db.prepare_cached("INSERT OR REPLACE INTO fact (key, value, until) VALUES (?1, ?2, ?3)")?;
    put.execute(params![key, value, micros(until)]).map(|_| ())
}

/// A fact that an event tells. An event that comes late must not lower what a read has to reach: RFC 3339 times order as
/// text.
pub(super) fn told(
    db: &Connection,
    (key, value, until): &(String, String, Timestamp),
    now: Timestamp,
) -> rusqlite::Result<()> {
    if key.starts_with("floor ") && get(db, key, now)?.is_some_and(|known| known > *value) {
        return Ok(());
    }
    put(db, key, value, *until)
}

pub(super) fn forget(db: &Connection, key: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM fact WHERE key = ?1")?.execute([key]).map(|_| ())
}

/// Drops facts whose time is over, a few at a time.
pub(super) fn tidy(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM fact WHERE key IN (SELECT key FROM fact WHERE until <= ?1 LIMIT ?2)";
    db.prepare_cached(sql)?.execute([micros(now), A_FEW]).map(|_| ())
}
