//! The tables, and how an older file becomes a newer one. Migrations go forward only.

use std::path::Path;

use rusqlite::Connection;

use super::file::OpenError;

/// Marks a database as Wardroom's, for `file(1)` and for us ("WRDR").
const APPLICATION: i64 = 0x5752_4452;

/// Each step brings the schema from its index to the next number. A step that was released is never changed.
const STEPS: &[&str] = &[
    "
    -- Every delivery that was acknowledged, once each.
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY,
        guid TEXT NOT NULL UNIQUE,
        event TEXT NOT NULL,
        -- When it came first and last, and how often.
        arrived INTEGER NOT NULL,
        again INTEGER NOT NULL,
        times INTEGER NOT NULL DEFAULT 1,
        -- Whether it waits to be taken in: it is not known yet what it asks for.
        waiting INTEGER NOT NULL,
        -- The subjects it asked for, one a line; or why it asked for nothing.
        subjects TEXT NOT NULL DEFAULT '',
        why_nothing TEXT,
        -- Bytes of the payload; the payload, LZ4 with its size before it, until it is dropped.
        size INTEGER NOT NULL,
        body BLOB
    ) STRICT;
    CREATE INDEX delivery_arrived ON delivery (arrived);
    CREATE INDEX delivery_waiting ON delivery (waiting) WHERE waiting = 1;
    CREATE INDEX delivery_body ON delivery (arrived) WHERE body IS NOT NULL;

    -- Which deliveries tell of an edit of a tracking issue's text. The texts are in the delivery.
    CREATE TABLE edit (
        tracker INTEGER NOT NULL,
        at INTEGER NOT NULL,
        delivery INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
        editor TEXT,
        PRIMARY KEY (tracker, at, delivery)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX edit_delivery ON edit (delivery);

    -- One row for each report and tracking issue. Names of repositories know no case.
    CREATE TABLE work (
        subject TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
        due INTEGER,
        first_event INTEGER,
        generation INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        holder INTEGER,
        held_until INTEGER,
        standing TEXT,
        error TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX work_due ON work (due) WHERE due IS NOT NULL;

    CREATE TABLE fact (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX fact_until ON fact (until);

    -- Tells one claim from another, over restarts too.
    CREATE TABLE claims (last INTEGER NOT NULL) STRICT;
    INSERT INTO claims VALUES (0);
",
    "
    -- Whether the last look was refused until a person changes something.
    ALTER TABLE work ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
",
];

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn known() -> i64 {
    super::number(STEPS.len() as u64)
}

/// Refuses a file that some other program uses as its database. An empty one may become ours.
pub(super) fn check_owner(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == APPLICATION || (application == 0 && tables == 0) {
        return Ok(());
    }
    Err(OpenError::Foreign(path.to_owned()))
}

/// Refuses a schema that is not this version's.
pub(super) fn check_current(db: &Connection) -> Result<(), OpenError> {
    match version(db)? {
        found if found > known() => Err(OpenError::TooNew { found, known: known() }),
        found if found < known() => Err(OpenError::TooOld),
        _ => Ok(()),
    }
}

/// Brings the schema up to date, all or nothing.
pub(super) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    let found = version(db)?;
    if found > known() {
        return Err(OpenError::TooNew { found, known: known() });
    }
    let begin = usize::try_from(found).unwrap_or(0);
    db.pragma_update(None, "foreign_keys", "ON")?;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(begin) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known())?;
    transaction.commit()?;
    Ok(())
}
