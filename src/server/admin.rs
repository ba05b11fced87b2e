//! The operator's own port: is it alive, is it ready, what does it count? It is never the port that GitHub reaches.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use jiff::SignedDuration;
use tokio::sync::watch;

use super::metrics::Metrics;
use crate::engine::Clock;
use crate::store::Store;

/// A look that is due for longer than that means that the worker does not keep up, or hangs.
const LATE: Duration = Duration::from_secs(10 * 60);

/// A probe writes this fact.
const PROBE: &str = "probe";

/// Whether the worker knows GitHub and policy yet.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Not yet: why, without private text.
    Starting(String),
    /// It works, by this clock.
    Working(Clocked),
}

/// A clock that can be shown.
#[derive(Clone)]
pub struct Clocked(pub Clock);

impl std::fmt::Debug for Clocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clocked")
    }
}

/// What the port tells of.
#[derive(Clone)]
pub struct Admin {
    /// The store, whose health is asked.
    pub store: Arc<dyn Store>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How the worker stands.
    pub standing: watch::Receiver<Standing>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> Response {
    let mut wrong = Vec::new();
    let standing = admin.standing.borrow().clone();
    match standing {
        Standing::Starting(why) => wrong.push(format!("GitHub or the policy cannot be read yet: {why}")),
        Standing::Working(Clocked(clock)) => {
            let now = clock();
            let probe = admin.store.put(PROBE, &now.to_string(), now + SignedDuration::from_secs(60)).await;
            wrong.extend(probe.err().map(|error| format!("the database cannot be written: {error}")));
            let late = admin.oldest().await;
            wrong.extend(late.filter(|late| *late > LATE).map(|late| {
                format!("a look is due for {} s: is GitHub down, or the hour's budget spent?", late.as_secs())
            }));
        }
    }
    if !admin.metrics.github_answers() {
        wrong.push(
            "GitHub did not answer the last call, or keeps the App out; `wardroom incidents` and the log say which"
                .to_owned(),
        );
    }
    match wrong.is_empty() {
        true => (StatusCode::OK, "ready\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n") + "\n").into_response(),
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    // For the gauges; where the store fails, what was true before stays.
    admin.oldest().await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], admin.metrics.text()).into_response()
}

impl Admin {
    /// How long the oldest due look waits.
    async fn oldest(&self) -> Option<Duration> {
        let Standing::Working(Clocked(clock)) = self.standing.borrow().clone() else { return None };
        let now = clock();
        let rows = self.store.rows().await.ok()?;
        let due: Vec<_> = rows.iter().filter_map(|row| row.due).filter(|due| *due <= now).collect();
        let oldest = due.iter().min().map(|due| now.duration_since(*due).unsigned_abs()).unwrap_or_default();
        self.metrics.queue(due.len(), oldest);
        Some(oldest)
    }
}
