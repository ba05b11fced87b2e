//! The worker of a long-running process: looks whenever something is due, and sleeps until then.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::engine::worker::Step;
use crate::engine::{Engine, LookError, Looked};

/// The longest sleep: a machine's clock may be set, and a bell may have rung in another process.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The wait after the store failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

/// Looks at what is due, one incident after the other, until `stop` says true. `arrived` wakes it early. A look that has
/// begun is ended, so that no write is cut off.
pub async fn run_worker(engine: &Engine, arrived: &Notify, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let sleep = match engine.step().await {
            Ok(Step::Worked(subject, ended)) => {
                match *ended {
                    Ok(looked) => told(&subject.to_string(), &looked),
                    Err(error) => failed(&subject.to_string(), &error),
                }
                continue;
            }
            Ok(Step::Idle(due)) => due.map_or(LONGEST_SLEEP, |due| until(due, engine.now())),
            Err(error) => {
                tracing::error!(%error, "the next look could not be chosen; trying again");
                AFTER_STORE_FAILURE
            }
        };
        tokio::select! {
            // The sender is gone: nobody can ask for an end any more, so this is one.
            ended = stop.wait_for(|stop| *stop) => { let _ = ended; return; }
            () = arrived.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// From now until a moment, at least a millisecond: a row that is due and cannot be claimed must not be asked for
/// without a pause.
fn until(due: Timestamp, now: Timestamp) -> Duration {
    let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
    wait.clamp(Duration::from_millis(1), LONGEST_SLEEP)
}

fn told(subject: &str, looked: &Looked) {
    tracing::info!(subject, writes = looked.writes, steps = looked.steps.len(), "looked");
    for note in &looked.notes {
        tracing::warn!(subject, note, "noticed");
    }
}

fn failed(subject: &str, error: &LookError) {
    tracing::warn!(subject, %error, "a look failed; it is tried again later");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_at_least_a_moment_and_at_most_a_minute() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let at = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        assert_eq!(until(at(-5), now), Duration::from_millis(1));
        assert_eq!(until(at(7), now), Duration::from_secs(7));
        assert_eq!(until(at(3600), now), LONGEST_SLEEP);
    }
}
