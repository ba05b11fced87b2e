//! Taking in what the receiver kept: what does each delivery ask for? The receiver itself does not ask, so that nothing in
//! a payload, and no rule, keeps it from answering.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::Engine;
use super::intake::{self, Ignored};
use crate::domain::facts::RepoName;
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
            if waiting.iter().any(|delivery| intake::is_about_incidents(&delivery.event)) {
                let _unknown = self.me().await;
            }
            count += waiting.len();
            let taken: Vec<Taken> = waiting.iter().map(|delivery| self.taken(delivery)).collect();
            let access = taken.iter().any(|taken| taken.asked.access);
            self.store.take_in(taken).await?;
            if access {
                // A crash before this is made good at the next start, which tries what was refused again too.
                self.try_refused_again().await?;
                self.sweep_soon.store(true, Ordering::Relaxed);
            }
        }
    }

    /// The payload with its repository called as it is here, if that was renamed.
    fn by_known_name(&self, event: &str, body: &[u8]) -> Option<Vec<u8>> {
        let renamed = self.github.renamed();
        if renamed.is_empty() || !intake::is_about_incidents(event) {
            return None;
        }
        let mut payload: serde_json::Value = serde_json::from_slice(body).ok()?;
        let name = payload.pointer_mut("/repository/full_name")?;
        let present: RepoName = name.as_str()?.parse().ok()?;
        let (_, known) = renamed.into_iter().find(|(new, _)| *new == present)?;
        *name = known.to_string().into();
        serde_json::to_vec(&payload).ok()
    }

    fn taken(&self, delivery: &Delivery) -> Taken {
        let Delivery { guid, event, body, .. } = delivery;
        let now = self.now();
        let renamed = self.by_known_name(event, body);
        let body = renamed.as_ref().unwrap_or(body);
        let asked = || intake::of_bytes(event, body, &self.policy, &self.tracker, self.known_me(), now);
        // A payload that runs into a bug must not keep all later ones waiting, start after start.
        let asked = catch_unwind(AssertUnwindSafe(asked)).unwrap_or_else(|_panic| {
            tracing::error!(event, guid, "reading a delivery ran into a bug of Wardroom's; please report it");
            Err(Ignored::Unreadable)
        });
        match asked {
            Err(why @ (Ignored::Uninstalled | Ignored::Suspended)) => tracing::warn!(event, guid, %why, "kept out"),
            Err(why @ Ignored::OtherOwner) => tracing::info!(event, guid, %why, "a delivery asks for nothing"),
            Err(why) => tracing::debug!(event, guid, %why, "a delivery asks for nothing"),
            Ok(_) => {}
        }
        let asked = asked.unwrap_or_else(|why| Asked { why_nothing: Some(why.to_string()), ..Asked::default() });
        if asked.why_nothing.is_none() {
            let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
            let access = asked.access.then_some(true);
            tracing::info!(event, guid, subjects = subjects.join(", "), access, "a delivery asks for a look");
        }
        // The receiver's clock is the machine's, which may be ahead of GitHub's.
        Taken { guid: guid.clone(), at: delivery.at.min(now), asked }
    }
}
