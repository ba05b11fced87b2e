//! The worker of a long-running process: looks whenever something is due, does what is due by the clock, and sleeps until
//! then. One thing after the other: two looks at once could write to the same incident.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::metrics::Metrics;
use super::rounds::Rounds;
use crate::engine::worker::Step;
use crate::engine::{Engine, LookError, Looked};
use crate::store::{Finished, Lease, StoreError, Told};

/// The longest sleep: a machine's clock may be set, and an operator's command changes the store without ringing.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// The wait after the store failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

/// A look that has begun may go on for so long after the end was asked for. Then it is cut off and its row released; the
/// next process looks again, as after a crash.
pub const LAST_LOOK: Duration = Duration::from_secs(20);

/// Looks at what is due, one incident after the other, until `stop` says true. `arrived` wakes it early.
pub async fn run_worker(
    engine: &Engine,
    arrived: &Notify,
    metrics: &Metrics,
    mut rounds: Rounds,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let begun = Instant::now();
        let sleep = match step(engine, &mut stop).await {
            Ok(Some(Step::Worked(subject, ended))) => {
                match &*ended {
                    Ok(looked) => told(&subject.to_string(), looked),
                    Err(error) => failed(&subject.to_string(), error),
                }
                let writes = ended.as_ref().as_ref().map_or(0, |looked| looked.writes);
                metrics.looked(outcome(&ended), writes, begun.elapsed());
                continue;
            }
            Ok(Some(Step::Idle(due))) => due.map_or(LONGEST_SLEEP, |due| until(due, engine.now())),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the next look could not be chosen; trying again");
                AFTER_STORE_FAILURE
            }
        };
        // By the clock, and only when nothing is due: events go first.
        if unless_cut_off(&mut stop, rounds.go(engine)).await != Some(false) {
            continue;
        }
        tokio::select! {
            // The sender is gone: nobody can ask for an end any more, so this is one.
            ended = stop.wait_for(|stop| *stop) => { let _ = ended; return; }
            () = arrived.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// One step; `None` if it was cut off, and its row released.
async fn step(engine: &Engine, stop: &mut watch::Receiver<bool>) -> Result<Option<Step>, StoreError> {
    let Some(lease) = engine.claim().await? else {
        return Ok(Some(Step::Idle(engine.store.next_due().await?)));
    };
    match unless_cut_off(stop, engine.work(&lease)).await {
        Some(step) => step.map(Some),
        None => {
            release(engine, &lease).await;
            Ok(None)
        }
    }
}

/// The work, unless its time after the asked end runs out.
async fn unless_cut_off<T>(stop: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    let out_of_time = async {
        // A sender that is gone asks for an end too.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST_LOOK).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = out_of_time => None,
    }
}

async fn release(engine: &Engine, lease: &Lease) {
    let subject = lease.subject.to_string();
    match engine.store.finish(lease, Finished::Released, Told::default()).await {
        Ok(()) => tracing::warn!(subject, "a look took too long to wait for; the next start looks again"),
        Err(error) => tracing::error!(subject, %error, "a row could not be released; the next start frees it"),
    }
}

/// From now until a moment, at least a millisecond: a row that is due and cannot be claimed must not be asked for
/// without a pause.
fn until(due: Timestamp, now: Timestamp) -> Duration {
    let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
    wait.clamp(Duration::from_millis(1), LONGEST_SLEEP)
}

fn outcome(ended: &Result<Looked, LookError>) -> &'static str {
    match ended {
        Err(_) => "failed",
        Ok(looked) if looked.writes > 0 => "wrote",
        Ok(looked) if looked.unfinished => "unfinished",
        Ok(_) => "nothing",
    }
}

fn told(subject: &str, looked: &Looked) {
    let incident = looked.summary.as_ref().map(|summary| summary.incident);
    tracing::info!(subject, incident, writes = looked.writes, steps = looked.steps.len(), "looked");
    for note in &looked.notes {
        tracing::warn!(subject, incident, note, "noticed");
    }
}

fn failed(subject: &str, error: &LookError) {
    match error.is_lasting() {
        true => tracing::warn!(subject, %error, "a look was refused; it waits until that is put right"),
        false => tracing::warn!(subject, %error, "a look failed; it is tried again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_at_least_a_moment_and_not_long() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let at = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        assert_eq!(until(at(-5), now), Duration::from_millis(1));
        assert_eq!(until(at(3), now), Duration::from_secs(3));
        assert_eq!(until(at(3600), now), LONGEST_SLEEP);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_is_ended_if_it_does_not_take_long() {
        let (ask, mut stop) = watch::channel(false);
        let took = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        assert!(unless_cut_off(&mut stop, took(3600)).await.is_some(), "nobody asked for an end");
        ask.send(true).unwrap();
        assert!(unless_cut_off(&mut stop, took(19)).await.is_some());
        assert!(unless_cut_off(&mut stop, took(21)).await.is_none());
    }
}
