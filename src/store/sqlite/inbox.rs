//! The inbox: every delivery that was acknowledged, once each, and the edits they tell of.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::{facts, micros, moment, number, work};
use crate::domain::observed::Edit;
use crate::store::{Asked, BODIES_KEPT, Delivery, EDITS_KEPT, ROWS_KEPT};

/// Rows that one round of [`tidy`] changes at the most: a few milliseconds.
const A_FEW: i64 = 200;

/// What of a delivery is made before the writer's thread has it: compressing is slower than inserting.
pub(super) struct Packed {
    body: Vec<u8>,
    subjects: String,
}

impl Packed {
    pub(super) fn new(delivery: &Delivery, asked: &Asked) -> Packed {
        let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
        Packed { body: lz4_flex::compress_prepend_size(&delivery.body), subjects: subjects.join("\n") }
    }
}

/// Keeps a delivery and makes its incidents due. Returns whether it was new.
pub(super) fn receive(db: &Connection, delivery: &Delivery, packed: &Packed, asked: &Asked) -> rusqlite::Result<bool> {
    let at = micros(delivery.at);
    let sql =
        "INSERT INTO delivery (guid, event, arrived, again, subjects, size, body) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)
        ON CONFLICT (guid) DO NOTHING";
    let size = number(delivery.body.len() as u64);
    let new = db.prepare_cached(sql)?.execute(params![
        delivery.guid,
        delivery.event,
        at,
        packed.subjects,
        size,
        packed.body
    ])? == 1;
    let id = if new {
        db.last_insert_rowid()
    } else {
        let sql = "UPDATE delivery SET again = ?2, times = times + 1 WHERE guid = ?1 RETURNING id";
        db.prepare_cached(sql)?.query_row(params![delivery.guid, at], |row| row.get(0))?
    };
    for subject in &asked.subjects {
        work::event(db, subject, delivery.at)?;
    }
    if let Some((tracker, edit)) = &asked.edit {
        let sql = "INSERT OR IGNORE INTO edit (tracker, at, delivery, editor) VALUES (?1, ?2, ?3, ?4)";
        db.prepare_cached(sql)?.execute(params![number(*tracker), micros(edit.at), id, edit.editor])?;
    }
    for fact in &asked.facts {
        facts::told(db, fact, delivery.at)?;
    }
    Ok(new)
}

/// An edit with the delivery's body that holds its texts.
pub(super) struct PackedEdit {
    at: Timestamp,
    editor: Option<String>,
    body: Vec<u8>,
}

/// The newest edits of one tracking issue, oldest first.
pub(super) fn packed_edits(db: &Connection, tracker: u64) -> rusqlite::Result<Vec<PackedEdit>> {
    let sql = "SELECT edit.at, edit.editor, delivery.body FROM edit JOIN delivery ON delivery.id = edit.delivery
        WHERE edit.tracker = ?1 AND delivery.body IS NOT NULL ORDER BY edit.at DESC, edit.delivery DESC LIMIT ?2";
    let mut newest = db.prepare_cached(sql)?;
    let rows = newest.query_map(params![number(tracker), number(EDITS_KEPT as u64)], |row| {
        Ok(PackedEdit { at: moment(row.get(0)?)?, editor: row.get(1)?, body: row.get(2)? })
    })?;
    let mut edits = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    edits.reverse();
    Ok(edits)
}

#[derive(Deserialize)]
struct Texts {
    changes: Changes,
    issue: Now,
}

#[derive(Deserialize)]
struct Changes {
    body: Before,
}

#[derive(Deserialize)]
struct Before {
    from: String,
}

#[derive(Deserialize)]
struct Now {
    #[serde(default)]
    body: Option<String>,
}

/// The edits with their texts, each once: two deliveries may tell of the same one.
pub(super) fn unpack_edits(packed: &[PackedEdit]) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    for PackedEdit { at, editor, body } in packed {
        let Some(texts) = unpack(body).and_then(|body| serde_json::from_slice::<Texts>(&body).ok()) else {
            continue;
        };
        let edit = Edit {
            at: *at,
            editor: editor.clone(),
            before: texts.changes.body.from,
            after: texts.issue.body.unwrap_or_default(),
        };
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    edits
}

/// A body as it came; `None` if the file is damaged.
pub(super) fn unpack(body: &[u8]) -> Option<Vec<u8>> {
    lz4_flex::decompress_size_prepended(body).ok()
}

pub(super) fn missing(db: &Connection, guids: &[String]) -> rusqlite::Result<Vec<String>> {
    let mut find = db.prepare_cached("SELECT 1 FROM delivery WHERE guid = ?1")?;
    let mut missing = Vec::new();
    for guid in guids {
        if find.query_row([guid], |_| Ok(())).optional()?.is_none() {
            missing.push(guid.clone());
        }
    }
    Ok(missing)
}

/// Drops old bodies, then old rows, a few at a time. Returns whether there may be more.
pub(super) fn tidy(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let bodies = "UPDATE delivery SET body = NULL WHERE id IN
        (SELECT id FROM delivery WHERE arrived <= ?1 AND body IS NOT NULL LIMIT ?2)";
    let bodies = db.prepare_cached(bodies)?.execute([micros(now - BODIES_KEPT), A_FEW])?;
    let rows = "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE arrived <= ?1 LIMIT ?2)";
    let rows = db.prepare_cached(rows)?.execute([micros(now - ROWS_KEPT), A_FEW])?;
    Ok(number(bodies.max(rows) as u64) == A_FEW)
}
