//! The work rows: what is due when, and who holds it. The rules are those of the store in memory.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{micros, moment, number};
use crate::domain::incident::Subject;
use crate::store::{Finished, LATEST_LOOK, LEASE, Lease, QUIET_BEFORE_LOOK, Row, Told};

/// Frees every row: for a process that has just begun and knows that no other lives.
pub(super) const FREE_ALL: &str = "UPDATE work SET holder = NULL, held_until = NULL WHERE holder IS NOT NULL";

/// An event asks for a look: after some quiet, and at the latest some time after the first one that no look has seen. A row
/// that backs off after a failure keeps its time: an event neither skips nor consumes a step.
pub(super) fn event(db: &Connection, subject: &Subject, at: Timestamp) -> rusqlite::Result<()> {
    let quiet = micros(at + QUIET_BEFORE_LOOK);
    let latest = LATEST_LOOK.as_micros();
    let sql = "INSERT INTO work (subject, generation, first_event, due) VALUES (?1, 1, ?2, ?3)
        ON CONFLICT (subject) DO UPDATE SET
            generation = generation + 1,
            first_event = coalesce(first_event, ?2),
            due = CASE WHEN attempts = 0 OR due IS NULL
                THEN min(?3, coalesce(first_event, ?2) + ?4) ELSE due END";
    let latest = i64::try_from(latest).unwrap_or(i64::MAX);
    db.prepare_cached(sql)?.execute(params![subject.to_string(), micros(at), quiet, latest]).map(|_| ())
}

/// Asks for a look at a moment or earlier; like an event, it leaves a row that backs off its time.
pub(super) fn wake(db: &Connection, subject: &Subject, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO work (subject, generation, due) VALUES (?1, 1, ?2)
        ON CONFLICT (subject) DO UPDATE SET
            generation = generation + 1,
            due = CASE WHEN attempts = 0 OR due IS NULL THEN min(coalesce(due, ?2), ?2) ELSE due END";
    db.prepare_cached(sql)?.execute(params![subject.to_string(), micros(at)]).map(|_| ())
}

/// What a person had to change may be changed: rows that were refused are due, as if they had not failed.
pub(super) fn retry_refused(db: &Connection, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE work SET due = ?1, attempts = 0, refused = 0, generation = generation + 1 WHERE refused = 1";
    db.prepare_cached(sql)?.execute([micros(at)]).map(|_| ())
}

pub(super) fn claim(db: &Connection, now: Timestamp) -> rusqlite::Result<Option<Lease>> {
    let sql = "SELECT subject, generation, attempts FROM work
        WHERE due <= ?1 AND (holder IS NULL OR held_until <= ?1) ORDER BY due LIMIT 1";
    let mut find = db.prepare_cached(sql)?;
    let found: Option<(String, i64, u32)> =
        find.query_row([micros(now)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((text, generation, attempts)) = found else { return Ok(None) };
    let subject = parse(&text)?;
    let token: i64 =
        db.prepare_cached("UPDATE claims SET last = last + 1 RETURNING last")?.query_row([], |row| row.get(0))?;
    let sql = "UPDATE work SET holder = ?2, held_until = ?3, first_event = NULL WHERE subject = ?1";
    db.prepare_cached(sql)?.execute(params![text, token, micros(now + LEASE)])?;
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Some(Lease { subject, generation: unsigned(generation), attempts, token: unsigned(token) }))
}

pub(super) fn extend(db: &Connection, lease: &Lease, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "UPDATE work SET held_until = ?3 WHERE subject = ?1 AND holder = ?2";
    let changed = db.prepare_cached(sql)?.execute(params![
        lease.subject.to_string(),
        number(lease.token),
        micros(now + LEASE)
    ])?;
    Ok(changed == 1)
}

pub(super) fn finish(db: &Connection, lease: &Lease, outcome: Finished, told: &Told) -> rusqlite::Result<()> {
    let (key, token) = (lease.subject.to_string(), number(lease.token));
    if outcome == Finished::Released {
        let sql = "UPDATE work SET holder = NULL, held_until = NULL WHERE subject = ?1 AND holder = ?2";
        return db.prepare_cached(sql)?.execute(params![key, token]).map(|_| ());
    }
    let mut find = db.prepare_cached("SELECT generation, due FROM work WHERE subject = ?1 AND holder = ?2")?;
    let found: Option<(i64, Option<i64>)> =
        find.query_row(params![key, token], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((generation, due)) = found else { return Ok(()) };
    let dirty = generation != number(lease.generation);
    let attempts = match outcome {
        Finished::Failed(_) | Finished::Refused(_) => lease.attempts.saturating_add(1),
        Finished::Done(_) | Finished::Later(_) | Finished::Released => 0,
    };
    let due = match (outcome, dirty) {
        (Finished::Failed(at) | Finished::Refused(at), _) => Some(micros(at)),
        // The events during the look set the time; `Later` waits for reads that show our own writes.
        (Finished::Later(at), true) => Some(due.map_or(micros(at), |due| due.max(micros(at)))),
        (Finished::Done(_), true) | (Finished::Released, _) => due,
        (Finished::Later(at), false) => Some(micros(at)),
        (Finished::Done(at), false) => at.map(micros),
    };
    let sql = "UPDATE work SET holder = NULL, held_until = NULL, attempts = ?3, due = ?4,
            standing = coalesce(?5, standing), error = ?6, refused = ?7
        WHERE subject = ?1 AND holder = ?2";
    let refused = matches!(outcome, Finished::Refused(_));
    let values = params![key, token, attempts, due, told.standing, told.error, refused];
    db.prepare_cached(sql)?.execute(values).map(|_| ())
}

pub(super) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql =
        "SELECT min(CASE WHEN holder IS NULL THEN due ELSE max(due, held_until) END) FROM work WHERE due IS NOT NULL";
    let due: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    due.map(moment).transpose()
}

pub(super) fn rows(db: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut all = db.prepare_cached("SELECT subject, due, attempts, standing, error FROM work ORDER BY subject")?;
    let rows = all.query_map([], |row| {
        let text: String = row.get(0)?;
        Ok(Row {
            subject: parse(&text)?,
            due: row.get::<_, Option<i64>>(1)?.map(moment).transpose()?,
            attempts: row.get(2)?,
            told: Told { standing: row.get(3)?, error: row.get(4)? },
        })
    })?;
    rows.collect()
}

/// A kept subject. One that cannot be read is damage in the file.
fn parse(text: &str) -> rusqlite::Result<Subject> {
    text.parse().map_err(|_| rusqlite::Error::InvalidQuery)
}
