//! The inbox: every delivery that was acknowledged, once each, and the edits they tell of.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::{facts, micros, moment, number, work};
use crate::domain::observed::Edit;
use crate::store::{BODIES_KEPT, Delivery, EDITS_KEPT, ROWS_KEPT, Taken};

/// Rows that one round of [`tidy`] changes at the most: a few milliseconds.
const A_FEW: i64 = 200;

/// What waits is taken in so many bytes at a time, or one delivery.
const A_BITE: usize = 8 * 1024 * 1024;

/// A body as it is kept. It is made before the writer's thread has it: compressing is slower than inserting.
pub(super) fn pack(body: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(body)
}

/// Keeps a delivery, which then waits. Returns whether it was new.
pub(super) fn keep(db: &Connection, delivery: &Delivery, packed: &[u8]) -> rusqlite::Result<bool> {
    let at = micros(delivery.at);
    let sql =
        "INSERT INTO delivery (guid, event, arrived, again, waiting, size, body) VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5)
        ON CONFLICT (guid) DO NOTHING";
    let size = number(delivery.body.len() as u64);
    let row = params![delivery.guid, delivery.event, at, size, packed];
    if db.prepare_cached(sql)?.execute(row)? == 1 {
        return Ok(true);
    }
    // Whose body was dropped by now has it again.
    let sql =
        "UPDATE delivery SET again = ?2, times = times + 1, waiting = 1, body = coalesce(body, ?3) WHERE guid = ?1";
    db.prepare_cached(sql)?.execute(params![delivery.guid, at, packed])?;
    Ok(false)
}

/// What waits, oldest first, a bite of it.
pub(super) fn waiting(db: &Connection) -> rusqlite::Result<Vec<Waiting>> {
    let sql = "SELECT guid, event, again, size, body FROM delivery WHERE waiting = 1 ORDER BY id";
    let mut oldest = db.prepare_cached(sql)?;
    let mut rows = oldest.query([])?;
    let (mut bite, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()?
        && bytes < A_BITE
    {
        bytes += usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        bite.push(Waiting {
            guid: row.get(0)?,
            event: row.get(1)?,
            at: moment(row.get(2)?)?,
            packed: row.get::<_, Option<Vec<u8>>>(4)?,
        });
    }
    Ok(bite)
}

/// A delivery that waits, with its body as it is kept.
pub(super) struct Waiting {
    guid: String,
    event: String,
    at: Timestamp,
    packed: Option<Vec<u8>>,
}

impl Waiting {
    /// As it came. A body that is damaged or was dropped is empty, which asks for nothing.
    pub(super) fn unpacked(self) -> Delivery {
        let body = self.packed.as_deref().and_then(unpack).unwrap_or_default();
        Delivery { guid: self.guid, event: self.event, at: self.at, body }
    }
}

/// Makes the incidents of a kept delivery due; it does not wait any more.
pub(super) fn take_in(db: &Connection, Taken { guid, at, asked }: &Taken) -> rusqlite::Result<()> {
    let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
    let sql = "UPDATE delivery SET waiting = 0, subjects = ?2, why_nothing = ?3 WHERE guid = ?1 RETURNING id";
    let id: Option<i64> = db
        .prepare_cached(sql)?
        .query_row(params![guid, subjects.join("\n"), asked.why_nothing], |row| row.get(0))
        .optional()?;
    for subject in &asked.subjects {
        work::event(db, subject, *at)?;
    }
    if let Some(((tracker, edit), id)) = asked.edit.as_ref().zip(id) {
        let sql = "INSERT OR IGNORE INTO edit (tracker, at, delivery, editor) VALUES (?1, ?2, ?3, ?4)";
        db.prepare_cached(sql)?.execute(params![number(*tracker), micros(edit.at), id, edit.editor])?;
    }
    asked.facts.iter().try_for_each(|fact| facts::told(db, fact, *at))
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
        (SELECT id FROM delivery WHERE arrived <= ?1 AND body IS NOT NULL AND waiting = 0 LIMIT ?2)";
    let bodies = db.prepare_cached(bodies)?.execute([micros(now - BODIES_KEPT), A_FEW])?;
    let rows =
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE arrived <= ?1 AND waiting = 0 LIMIT ?2)";
    let rows = db.prepare_cached(rows)?.execute([micros(now - ROWS_KEPT), A_FEW])?;
    Ok(number(bodies.max(rows) as u64) == A_FEW)
}
