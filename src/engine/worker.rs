//! The worker: claims the row that is due, looks, and hands it back with the time of the next look.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LookError, Looked};
use crate::domain::incident::Subject;
use crate::domain::plan::READ_LAG;
use crate::github::Error;
use crate::store::{Finished, LEASE, Lease, StoreError, Told};

/// The first wait after a failure; each further one doubles it.
const FIRST_WAIT_SECONDS: i64 = 5;

/// The longest wait after a failure.
const LONGEST_WAIT_SECONDS: i64 = 3600;

/// What was refused is tried again after so long even if no event told that rights have changed.
const REFUSED_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// A look that takes long holds its row so often anew.
const HEARTBEAT: Duration = Duration::from_secs(30);

const _: () = assert!(HEARTBEAT.as_secs() * 3 < LEASE.unsigned_abs().as_secs());

/// What one step of the worker did.
#[derive(Debug)]
pub enum Step {
    /// A look, and how it ended.
    Worked(Subject, Box<Result<Looked, LookError>>),
    /// Nothing is due before this moment; `None`: nothing is due at all.
    Idle(Option<Timestamp>),
}

impl Engine {
    /// Takes in what waits in the inbox, claims one row that is due, looks at it, hands it back.
    ///
    /// # Errors
    /// Only those of the store; a look that fails is part of the step, and its row is tried again later.
    pub async fn step(&self) -> Result<Step, StoreError> {
        match self.claim().await? {
            Some(lease) => self.work(&lease).await,
            None => Ok(Step::Idle(self.store.next_due().await?)),
        }
    }

    /// Takes in what waits in the inbox, and claims one row that is due.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn claim(&self) -> Result<Option<Lease>, StoreError> {
        self.take_in().await?;
        self.store.claim(self.now()).await
    }

    /// Looks at a claimed row, and hands it back. Dropped in the middle it leaves the row claimed, for
    /// [`Finished::Released`].
    ///
    /// # Errors
    /// Only those of the store; a look that fails is part of the step, and its row is tried again later.
    pub async fn work(&self, lease: &Lease) -> Result<Step, StoreError> {
        let ended = self.look_with_heartbeat(lease).await;
        let now = self.now();
        let outcome = match &ended {
            Ok(looked) if looked.unfinished => Finished::Later(looked.wake_at.unwrap_or(now + READ_LAG)),
            Ok(looked) => Finished::Done(looked.wake_at),
            Err(error) if error.is_lasting() => Finished::Refused(now + REFUSED_WAIT),
            Err(error) => Finished::Failed(retry_at(error, &lease.subject, lease.attempts, now)),
        };
        // Before the row is handed back: a crash between the two must not lose what comes next.
        if let Ok(Looked { next: Some((subject, at)), .. }) = &ended {
            self.store.wake(subject, *at).await?;
        }
        self.store.finish(lease, outcome, told(&ended)).await?;
        Ok(Step::Worked(lease.subject.clone(), Box::new(ended)))
    }

    async fn look_with_heartbeat(&self, lease: &Lease) -> Result<Looked, LookError> {
        let mut look = pin!(caught(self.look(&lease.subject, lease.attempts)));
        loop {
            match tokio::time::timeout(HEARTBEAT, look.as_mut()).await {
                Ok(ended) => return ended,
                Err(_still_looking) if self.store.extend(lease, self.now()).await? => {}
                Err(_still_looking) => return Err(LookError::Lost),
            }
        }
    }
}

/// What work comes to, or the bug that it ran into: one incident, or one round, must not stop the others.
///
/// # Errors
/// Those of the work, and [`LookError::Bug`].
pub async fn caught<T>(work: impl Future<Output = Result<T, LookError>>) -> Result<T, LookError> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or(Poll::Ready(Err(LookError::Bug)))
    })
    .await
}

/// What a look learned, for the operator's table.
fn told(ended: &Result<Looked, LookError>) -> Told {
    match ended {
        // A summary is plain data, which always serialises.
        Ok(looked) => Told {
            standing: looked.summary.as_ref().and_then(|s| serde_json::to_string(s).ok()),
            error: looked.refused.clone(),
        },
        Err(error) => Told { standing: None, error: Some(error.to_string()) },
    }
}

/// When to try again: a limit's own moment; after a lost answer not before reads show what happened; else a wait between
/// nothing and a bound that doubles from 5 s to 1 h ("full jitter"), so that many rows do not come back together.
pub fn retry_at(error: &LookError, subject: &Subject, attempts: u32, now: Timestamp) -> Timestamp {
    let bound = FIRST_WAIT_SECONDS.saturating_mul(1 << attempts.min(10)).min(LONGEST_WAIT_SECONDS);
    let mut hasher = DefaultHasher::new();
    (subject, attempts, now.as_nanosecond()).hash(&mut hasher);
    let part = i64::try_from(hasher.finish() % 1000).unwrap_or(0);
    let wait = SignedDuration::from_millis((bound * part).max(1000));
    let earliest = match error {
        LookError::GitHub(Error::Limited { until }) => *until,
        LookError::GitHub(Error::Unknown { .. }) => now + READ_LAG,
        _ => now,
    };
    (now + wait).max(earliest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bug_ends_one_look_and_no_more() {
        let look = async {
            tokio::task::yield_now().await;
            let nothing: Vec<Looked> = Vec::new();
            Ok(nothing[0].clone())
        };
        assert_eq!(caught(look).await, Err(LookError::Bug));
        assert_eq!(caught(async { Ok(Looked::default()) }).await, Ok(Looked::default()));
    }

    #[test]
    fn waits_grow_to_an_hour_and_respect_limits() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let failed = LookError::GitHub(Error::Unavailable { what: "x".into(), why: "502".into() });
        for attempts in 0..40 {
            for number in 0..50 {
                let wait = retry_at(&failed, &Subject::Tracker(number), attempts, now).duration_since(now);
                let bound = (5_i64 << attempts.min(10)).min(3600);
                assert!(wait.as_secs() >= 1 && wait.as_secs() <= bound, "{attempts}: {wait:?}");
            }
        }
        let until = now + SignedDuration::from_hours(2);
        assert!(retry_at(&LookError::GitHub(Error::Limited { until }), &Subject::Tracker(1), 0, now) >= until);
    }
}
