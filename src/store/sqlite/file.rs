//! The database's file: where it is, who may hold it, how it is opened.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::words;
use crate::store::StoreError;

/// So long a write waits for a program that holds the lock. GitHub gives up on a delivery after 10 s.
const BUSY: Duration = Duration::from_secs(5);

/// Where the database is: `sqlite:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location(pub PathBuf);

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match path {
            Some(path) if !path.is_empty() && path != ":memory:" => Ok(Location(PathBuf::from(path))),
            _ => Err("a database is named like sqlite:wardroom.db or sqlite:/var/lib/wardroom/wardroom.db".to_owned()),
        }
    }
}

/// Why the database cannot be opened. Nothing was lost.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error(
        "the database {} is in use by another `wardroom serve`. Stop that one first, or give this one a file of its own with \
         --database; `wardroom inbox` and `wardroom incidents` read beside it",
        .0.display()
    )]
    InUse(PathBuf),
    /// It is not there, and this command does not create one.
    #[error("there is no database {}: name the one of `wardroom serve` with --database", .0.display())]
    None(PathBuf),
    /// A newer version has written it. Schemas only go forward.
    #[error(
        "the database was written by a newer version of Wardroom (schema {found}, this one knows {known}): use that version"
    )]
    TooNew {
        /// The schema's number in the file.
        found: i64,
        /// The newest number that this version knows.
        known: i64,
    },
    /// It is an older one, and this command does not change it.
    #[error("the database is of an older version of Wardroom: start `wardroom serve` once, which brings it up to date")]
    TooOld,
    /// It is a database of something else.
    #[error("{} is a database of another program: name another file with --database", .0.display())]
    Foreign(PathBuf),
    /// The file system refuses.
    #[error("the database cannot be opened: {0} ({1})")]
    File(&'static str, std::io::Error),
    /// SQLite refuses.
    #[error("the database cannot be opened: {}", .0.0)]
    Database(StoreError),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        OpenError::Database(words(&error))
    }
}

/// An open database that no other `serve` can open. The lock ends with the value, or with the process, however it dies.
pub(super) struct Held {
    pub(super) db: Connection,
    _lock: File,
}

/// Opens for writing, and holds.
pub(super) fn open(path: &Path) -> Result<Held, OpenError> {
    let lock = lock(path)?;
    create(path).map_err(|error| OpenError::File("the file could not be created", error))?;
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    super::schema::check_owner(&db, path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit is on the disk when it returns, whatever happens to the machine then.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(Held { db, _lock: lock })
}

/// Opens for an operator's command, beside a `serve` that may be running: to read, or to change one row.
pub(super) fn open_beside(path: &Path, write: bool) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::None(path.to_owned()));
    }
    let access = if write { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let db = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(BUSY)?;
    super::schema::check_owner(&db, path)?;
    super::schema::check_current(&db)?;
    if write {
        db.pragma_update(None, "synchronous", "FULL")?;
    }
    Ok(db)
}

/// The lock is on a file beside the database: SQLite's own locks on the database would be lost with a handle of ours.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let opened = private().truncate(false).open(PathBuf::from(name));
    let file = opened.map_err(|error| OpenError::File("the lock file beside it could not be opened", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::File("the lock file beside it could not be locked", error)),
    }
}

/// Creates the file before SQLite does, so that nobody else can ever read it. SQLite gives its journal the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    match private().create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is answered with 202 is on the disk: in WAL mode only `synchronous=FULL` syncs at each commit (SQLite
    /// documentation, "PRAGMA synchronous").
    #[test]
    fn a_commit_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wardroom.db");
        let held = open(&path).unwrap();
        super::super::schema::migrate(&mut { held }.db).unwrap();
        let held = open(&path).unwrap();
        let beside = open_beside(&path, true).unwrap();
        for db in [&held.db, &beside] {
            let journal: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
            let synchronous: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
            assert_eq!((journal.as_str(), synchronous), ("wal", 2));
        }
    }
}
