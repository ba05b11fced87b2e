//! What is done by the clock: the sweep for events that never came, the walk through the App's delivery log, and tidying.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::domain::policy::Mode;
use crate::engine::worker::caught;
use crate::engine::{Engine, LookError};
use crate::github::Error;
use crate::github::pace::Budget;

/// From one sweep to the next.
const SWEEP_EVERY: Duration = Duration::from_secs(15 * 60);

/// From one round of tidying to the next.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);

/// After a round that failed.
const AGAIN: Duration = Duration::from_secs(60);

/// When each is due next.
pub struct Rounds {
    sweep: Instant,
    /// `None`: there is no App, and so no log.
    walk: Option<Instant>,
    tidy: Instant,
    budget: Arc<Budget>,
    /// Why the last sweep was refused, if a person has to change something. At the start what was refused before is tried.
    refused: Option<String>,
}

impl Rounds {
    /// All of them are due at the start.
    pub fn new(budget: Arc<Budget>) -> Rounds {
        let now = Instant::now();
        Rounds { sweep: now, walk: Some(now), tidy: now, budget, refused: Some(String::new()) }
    }

    /// None of them is ever due: for a test that looks at the rest.
    pub fn never() -> Rounds {
        let far = Instant::now() + Duration::from_secs(86_400 * 365);
        Rounds { sweep: far, walk: None, tidy: far, budget: Arc::default(), refused: None }
    }

    /// Makes one round that is due. Returns whether there was one.
    pub async fn go(&mut self, engine: &Engine) -> bool {
        let now = Instant::now();
        if engine.wants_sweep() || now >= self.sweep {
            self.sweep = now + self.sweep(engine).await;
            return true;
        }
        if self.walk.is_some_and(|at| now >= at) {
            self.walk = walk(engine).await.map(|wait| now + wait);
            return true;
        }
        if now >= self.tidy {
            self.tidy = now + tidy(engine).await;
            return true;
        }
        false
    }

    /// A sweep; then the wait until the next one.
    async fn sweep(&mut self, engine: &Engine) -> Duration {
        if engine.policy.mode == Mode::Off {
            return SWEEP_EVERY;
        }
        if let Some(until) = self.budget.spent_until(Timestamp::now()) {
            tracing::warn!(%until, "no sweep: what is left of the hour's calls is for events");
            let wait = until.duration_since(Timestamp::now()) + SignedDuration::from_secs(1);
            return Duration::try_from(wait).unwrap_or(AGAIN);
        }
        let ended = match caught(swept(engine)).await {
            Ok(done) if self.refused.is_some() => {
                caught(async { Ok(engine.try_refused_again().await?) }).await.map(|()| {
                    self.refused = None;
                    done
                })
            }
            ended => ended,
        };
        match ended {
            Ok(true) => SWEEP_EVERY,
            Ok(false) => AGAIN,
            Err(error) if error.is_lasting() => {
                let error = error.to_string();
                if self.refused.as_ref() != Some(&error) {
                    tracing::warn!(error, "no sweep, until that is put right; each sweep tries again");
                }
                self.refused = Some(error);
                SWEEP_EVERY
            }
            Err(error) => {
                let wait = again(&error, engine.now());
                tracing::warn!(%error, seconds = wait.as_secs(), "the sweep failed; it is tried again after a wait");
                wait
            }
        }
    }
}

/// Sweeps. Returns whether all of it was done.
async fn swept(engine: &Engine) -> Result<bool, LookError> {
    let swept = engine.sweep(&[]).await?;
    for subject in &swept.subjects {
        engine.store.wake(subject, engine.now()).await?;
    }
    tracing::info!(subjects = swept.subjects.len(), writes = swept.looked.writes, "swept");
    for note in &swept.looked.notes {
        tracing::warn!(note, "noticed");
    }
    Ok(!swept.looked.unfinished)
}

/// A walk through the App's log, whose calls count on a budget of their own; then the wait until the next one.
async fn walk(engine: &Engine) -> Option<Duration> {
    match caught(engine.walk_log()).await {
        Ok(fetched) => {
            tracing::info!(fetched, "walked the App's delivery log");
            Some(SWEEP_EVERY)
        }
        Err(LookError::GitHub(Error::Unsupported(_))) => None,
        Err(error) => {
            let wait = again(&error, engine.now());
            let seconds = wait.as_secs();
            tracing::warn!(%error, seconds, "the App's delivery log could not be walked; it is tried again after a wait");
            Some(wait)
        }
    }
}

/// The wait after a round that failed: to the end of a limit, as GitHub named it, and never less than a minute.
fn again(error: &LookError, now: Timestamp) -> Duration {
    match error {
        LookError::GitHub(Error::Limited { until }) => {
            Duration::try_from(until.duration_since(now)).unwrap_or_default().max(AGAIN)
        }
        error if error.is_lasting() => SWEEP_EVERY,
        _ => AGAIN,
    }
}

async fn tidy(engine: &Engine) -> Duration {
    let tidied = async { Ok(engine.store.tidy(engine.now()).await?) };
    match caught(tidied).await {
        // A little at a time: what arrives goes first.
        Ok(true) => Duration::from_millis(100),
        Ok(false) => TIDY_EVERY,
        Err(error) => {
            tracing::warn!(%error, "old deliveries could not be dropped; trying again in a minute");
            AGAIN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_waited_for() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let limited = |seconds| {
            let until = now + SignedDuration::from_secs(seconds);
            again(&LookError::GitHub(Error::Limited { until }), now)
        };
        assert_eq!(limited(600), Duration::from_secs(600));
        assert_eq!([limited(5), limited(-5), again(&LookError::Bug, now)], [AGAIN; 3]);
    }
}
