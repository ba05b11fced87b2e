//! Taking in what the receiver kept: what does each delivery ask for? The receiver itself does not ask, so that nothing in
//! a payload, and no rule, keeps it from answering.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::intake::{self, Ignored};
use crate::store::{Asked, Delivery, StoreError, Taken};

impl Engine {
    /// Takes in all that waits. Returns how many deliveries that were.
    ///
    /// # Errors
    /// Those of the store; what was not taken in waits on.
    pub async fn take_in(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        loop {
            let waiting = self.store.waiting().await?;
            if waiting.is_empty() {
                return Ok(count);
            }
            // Who we are only spares looks at what we did ourselves. If it cannot be told, those looks are made.
            let _unknown = self.me().await;
            count += waiting.len();
            self.store.take_in(waiting.iter().map(|delivery| self.taken(delivery)).collect()).await?;
        }
    }

    fn taken(&self, delivery: &Delivery) -> Taken {
        let Delivery { guid, event, body, .. } = delivery;
        let now = self.now();
        let asked = || intake::of_bytes(event, body, &self.policy, &self.tracker, self.known_me(), now);
        // A payload that runs into a bug must not keep all later ones waiting, start after start.
        let asked = catch_unwind(AssertUnwindSafe(asked)).unwrap_or_else(|_panic| {
            tracing::error!(event, guid, "reading a delivery ran into a bug of Wardroom's; please report it");
            Err(Ignored::Unreadable)
        });
        let asked = asked.unwrap_or_else(|why| Asked { why_nothing: Some(why.to_string()), ..Asked::default() });
        let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
        match &asked.why_nothing {
            Some(why) => tracing::debug!(event, guid, %why, "a delivery asks for nothing"),
            None => tracing::info!(event, guid, subjects = subjects.join(", "), "a delivery asks for a look"),
        }
        // The receiver's clock is the machine's, which may be ahead of GitHub's.
        Taken { guid: guid.clone(), at: delivery.at.min(now), asked }
    }
}
