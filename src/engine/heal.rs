//! Deliveries that never arrived: the App's own log at GitHub knows them, for three days.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, LookError};
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
        for attempt in missing.iter().take(MOST_FETCHED).filter_map(|guid| failed.get(guid)) {
            let payload = self.github.delivered_payload(attempt.id).await?;
            let (guid, event) = (attempt.guid.clone(), attempt.event.clone());
            tracing::warn!(guid, event, status = attempt.status_code, "a delivery that never arrived was fetched");
            self.store.keep(Delivery { guid, event, at: now, body: payload.to_string().into_bytes() }).await?;
        }
        if missing.len() <= MOST_FETCHED {
            self.store.put(WALKED, &now.to_string(), now + LOG_KEPT).await?;
        }
        Ok(missing.len().min(MOST_FETCHED))
    }
}

/// The newest attempt of each delivery about issues that was never taken with 2xx.
fn failed(attempts: Vec<Attempt>) -> BTreeMap<String, Attempt> {
    let mut failed: BTreeMap<String, Attempt> = BTreeMap::new();
    let taken: Vec<String> =
        attempts.iter().filter(|one| (200..300).contains(&one.status_code)).map(|one| one.guid.clone()).collect();
    for attempt in attempts {
        let ours = matches!(attempt.event.as_str(), "issues" | "issue_comment");
        if ours && !taken.contains(&attempt.guid) {
            failed.entry(attempt.guid.clone()).or_insert(attempt);
        }
    }
    failed
}
