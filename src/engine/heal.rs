//! Deliveries that never arrived: the App's own log at GitHub knows them, for three days.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LookError, intake};
use crate::github::Error;
use crate::github::hooks::Attempt;
use crate::store::Delivery;

/// GitHub keeps its log for so long.
const LOG_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// The walk goes back a little beyond the last one: an attempt may have been under way then.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// Deliveries that one walk fetches at the most; the next one goes on.
const MOST_FETCHED: usize = 100;

/// The store's key for the time until which the log was walked.
const WALKED: &str = "walked";

impl Engine {
    /// Walks the App's delivery log back to where the last walk began, and fetches what was never taken with 2xx and never
    /// arrived otherwise. It then waits to be taken in like any other. Returns how many.
    ///
    /// # Errors
    /// [`LookError`]; the next walk begins where this one did. `Unsupported` where there is no App.
    pub async fn walk_log(&self) -> Result<usize, LookError> {
        let now = self.now();
        let walked = self.store.get(WALKED, now).await?.and_then(|text| text.parse::<Timestamp>().ok());
        let since = walked.map_or(now - LOG_KEPT, |walked| walked - OVERLAP);
        let failed = failed(self.github.delivery_log(since).await?);
        let guids: Vec<String> = failed.keys().cloned().collect();
        let missing = self.store.missing(&guids).await?;
        let mut fetched = 0;
        let mut unavailable = None;
        let mut rest = missing.iter().filter_map(|guid| failed.get(guid));
        while fetched < MOST_FETCHED
            && let Some(attempt) = rest.next()
        {
            let (guid, event) = (attempt.guid.clone(), attempt.event.clone());
            let payload = match self.github.delivered_payload(attempt.id).await {
                Ok(Some(payload)) => payload,
                // One that cannot be had does not keep the others. A sweep finds what it told of.
                Ok(None) | Err(Error::NotFound(_) | Error::Gone(_)) => {
                    tracing::warn!(guid, event, "a delivery that never arrived cannot be fetched any more");
                    continue;
                }
                // It may be this one alone, so the others come first; the next walk asks for it again.
                Err(error @ Error::Unavailable { .. }) if unavailable.is_none() => {
                    tracing::warn!(guid, event, %error, "a delivery that never arrived could not be fetched yet");
                    unavailable = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            tracing::warn!(guid, event, status = attempt.status_code, "a delivery that never arrived was fetched");
            self.store.keep(Delivery { guid, event, at: now, body: payload.to_string().into_bytes() }).await?;
            fetched += 1;
        }
        if let Some(error) = unavailable {
            return Err(error.into());
        }
        if rest.next().is_none() {
            self.store.put(WALKED, &now.to_string(), now + LOG_KEPT).await?;
        }
        Ok(fetched)
    }
}

/// The newest attempt of each delivery that may ask for something and was never taken with 2xx.
fn failed(attempts: Vec<Attempt>) -> BTreeMap<String, Attempt> {
    let mut failed: BTreeMap<String, Attempt> = BTreeMap::new();
    let taken: Vec<String> =
        attempts.iter().filter(|one| (200..300).contains(&one.status_code)).map(|one| one.guid.clone()).collect();
    for attempt in attempts {
        if intake::is_read(&attempt.event) && !taken.contains(&attempt.guid) {
            failed.entry(attempt.guid.clone()).or_insert(attempt);
        }
    }
    failed
}
