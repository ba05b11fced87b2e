//! The thread that owns the connection. It takes all jobs that wait and commits them together: with `synchronous=FULL` a
//! commit waits for the disk, and a hundred deliveries need not wait a hundred times.

use std::thread::JoinHandle;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::file::{Held, OpenError};
use super::{schema, words, work};
use crate::store::{Result, StoreError};

/// Jobs that wait at the most; whoever comes then waits to be let in.
const QUEUE: usize = 1024;

/// Jobs of one commit at the most: a commit of a thousand large bodies would keep all of them waiting.
const TOGETHER: usize = 256;

/// The writer's thread, seen from outside. Dropped, it ends after what was asked before.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

/// Work on the database with someone who waits for its result.
trait Job: Send {
    /// Does the work inside a transaction. It may be called again after the transaction failed.
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()>;
    /// Tells the result, once the transaction is on the disk, or that there is none.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

struct Waiting<T, F> {
    work: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Waiting<T, F>
where
    T: Send,
    F: FnMut(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.result = Some((self.work)(db)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Waiting { result, reply, .. } = *self;
        // Whoever asked may have hung up; what is stored stays stored.
        let _hung_up = reply.send(outcome.and_then(|()| result.ok_or_else(gone)));
    }
}

fn gone() -> StoreError {
    StoreError("the database was closed".to_owned())
}

impl Writer {
    /// Brings the schema up to date, frees what a dead process held, and starts the thread.
    pub(super) fn start(mut held: Held) -> std::result::Result<Writer, OpenError> {
        schema::migrate(&mut held.db)?;
        // The lock on the file says that nobody else lives who could hold a row.
        held.db.execute_batch(work::FREE_ALL).map_err(|error| OpenError::Database(words(&error)))?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || work_off(&held, queue));
        let thread = thread.map_err(|error| OpenError::File("its thread could not be started", error))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs work inside a transaction, and returns when that is on the disk. The work may be run twice, so it must do the
    /// same both times.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Waiting { work, result: None, reply });
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).await.map_err(|_closed| gone())?;
        answer.await.map_err(|_closed| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported; here it only means that the thread is gone.
            let _panicked = thread.join();
        }
    }
}

fn work_off(held: &Held, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch: Vec<Box<dyn Job>> = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        batch.push(first);
        while batch.len() < TOGETHER
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        match commit(&held.db, &mut batch) {
            Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
            // Nobody is to wait as long again for a lock that was not given up: not these, and not who came meanwhile.
            Err(error) if is_locked(&error) => {
                while let Ok(next) = queue.try_recv() {
                    batch.push(next);
                }
                batch.drain(..).for_each(|job| job.answer(Err(words(&error))));
            }
            // One of them failed, and nothing is stored. Alone, each fails or works for its own reasons.
            Err(_) if batch.len() > 1 => {
                let mut locked = None;
                for job in batch.drain(..) {
                    let mut alone = [job];
                    let outcome = match locked.clone() {
                        Some(error) => Err(error),
                        None => commit(&held.db, &mut alone).map_err(|error| {
                            locked = is_locked(&error).then(|| words(&error));
                            words(&error)
                        }),
                    };
                    let [job] = alone;
                    job.answer(outcome);
                }
            }
            Err(error) => batch.drain(..).for_each(|job| job.answer(Err(words(&error)))),
        }
    }
}

/// Whether another program holds the lock, and held it for as long as a job waits.
fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn commit(db: &Connection, jobs: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    // IMMEDIATE: an operator's command may write at the same time, and a read that turns into a write would fail then.
    // Where nothing is changed nothing is written either.
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = jobs.iter_mut().try_for_each(|job| job.run(db));
    let done = done.and_then(|()| db.prepare_cached("COMMIT")?.execute([]).map(|_| ()));
    if done.is_err() && !db.is_autocommit() {
        // After a full disk SQLite has often rolled back by itself; else this does, and if it cannot, the next BEGIN says so.
        let _said_by_the_next = db.execute_batch("ROLLBACK");
    }
    done
}
