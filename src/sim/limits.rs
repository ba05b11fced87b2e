//! GitHub's limits on calls: the hourly budget of each account and the secondary limit on creating content.
//!
//! Numbers from GitHub Docs, "Rate limits for the REST API".

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::handle::Reply;
use super::json::time;
use super::world::{Identity, State, World};

/// Calls in an hour, for a person or an App's installation.
const CALLS_PER_HOUR: u64 = 5000;

/// Calls in an hour for the token that a workflow is given, for each repository.
const CALLS_PER_HOUR_IN_ACTIONS: u64 = 1000;

/// Issues and comments that may be created in a minute, and in an hour.
const CONTENT_PER_MINUTE: usize = 80;
const CONTENT_PER_HOUR: usize = 500;

const HOUR: i64 = 3600;

/// What one account has used.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// The hour that `calls` counts, in hours since 1970.
    hour: i64,
    calls: u64,
    /// When content was created.
    content: VecDeque<Timestamp>,
}

fn limit_of(identity: &Identity) -> u64 {
    if identity.is_actions() { CALLS_PER_HOUR_IN_ACTIONS } else { CALLS_PER_HOUR }
}

impl World {
    /// What is left of an account's budget of calls in this hour; all of it for an account that never called.
    pub fn budget(&self, login: &str) -> u64 {
        let state = self.state();
        let Some(user) = state.user_id(login) else { return CALLS_PER_HOUR };
        let known = state.tokens.values().find(|identity| identity.user == user);
        known.map_or(CALLS_PER_HOUR, |identity| state.remaining(identity))
    }
}

impl State {
    pub(super) fn remaining(&self, identity: &Identity) -> u64 {
        let hour = self.now.as_second() / HOUR;
        let used = self.used.get(&identity.user).filter(|used| used.hour == hour).map_or(0, |used| used.calls);
        limit_of(identity).saturating_sub(used)
    }

    /// When the hour's budget begins anew, in seconds since 1970.
    fn reset(&self) -> i64 {
        (self.now.as_second() / HOUR + 1) * HOUR
    }

    /// Counts a call, or refuses it.
    pub(super) fn count_call(&mut self, identity: &Identity, creates: bool) -> Option<Reply> {
        if self.remaining(identity) == 0 {
            return Some(Reply::error(403, "API rate limit exceeded"));
        }
        let now = self.now;
        let used = self.used.entry(identity.user).or_default();
        let hour = now.as_second() / HOUR;
        if used.hour != hour {
            (used.hour, used.calls) = (hour, 0);
        }
        used.calls += 1;
        if !creates {
            return None;
        }
        used.content.retain(|at| now.duration_since(*at) < SignedDuration::from_hours(1));
        let within =
            |span: SignedDuration| used.content.iter().filter(move |at| now.duration_since(**at) < span).count();
        let wait = if within(SignedDuration::from_mins(1)) >= CONTENT_PER_MINUTE {
            Some(60)
        } else if used.content.len() >= CONTENT_PER_HOUR {
            Some(HOUR)
        } else {
            None
        };
        if let Some(seconds) = wait {
            let message =
                "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.";
            return Some(Reply { headers: vec![("retry-after", seconds.to_string())], ..Reply::error(403, message) });
        }
        used.content.push_back(now);
        None
    }

    /// A 304 with authentication does not count (GitHub Docs, "Best practices for using the REST API").
    pub(super) fn give_back(&mut self, identity: &Identity) {
        if let Some(used) = self.used.get_mut(&identity.user) {
            used.calls = used.calls.saturating_sub(1);
        }
    }

    /// The headers of every answer to an account.
    pub(super) fn rate_headers(&self, identity: &Identity) -> [(&'static str, String); 3] {
        [
            ("x-ratelimit-limit", limit_of(identity).to_string()),
            ("x-ratelimit-remaining", self.remaining(identity).to_string()),
            ("x-ratelimit-reset", self.reset().to_string()),
        ]
    }

    pub(super) fn rate_json(&self, identity: &Identity) -> Value {
        let (limit, remaining) = (limit_of(identity), self.remaining(identity));
        let part = json!({ "limit": limit, "remaining": remaining, "used": limit - remaining, "reset": self.reset() });
        json!({ "resources": { "core": part, "search": part, "graphql": part }, "rate": part, "at": time(self.now) })
    }
}
