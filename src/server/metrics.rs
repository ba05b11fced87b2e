//! What is counted, for Prometheus. Labels are names that GitHub or this code chose, never text of a person.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::github::pace::Watch;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Received {
    event: String,
    outcome: String,
}

/// A call to GitHub: `GET R/issues/{n}` and its status, or `lost`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    route: String,
    status: String,
}

/// How a look ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

/// All that is counted.
pub struct Metrics {
    registry: Registry,
    deliveries: Family<Received, Counter>,
    looks: Family<Ended, Counter>,
    look_seconds: Histogram,
    writes: Counter,
    calls: Family<Called, Counter>,
    budget: Gauge,
    queue_age: Gauge<f64, AtomicU64>,
    due: Gauge,
    /// The last call was lost or answered with 5xx.
    silent: AtomicBool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("wardroom");
        let deliveries = Family::default();
        registry.register("deliveries", "Deliveries by event and outcome", deliveries.clone());
        let looks = Family::default();
        registry.register("looks", "Looks by outcome; nothing is a look whose writes were all avoided", looks.clone());
        // 10 ms to about a minute.
        let look_seconds = Histogram::new(exponential_buckets(0.01, 2.5, 10));
        registry.register("look_seconds", "How long looks take", look_seconds.clone());
        let writes = Counter::default();
        registry.register("writes", "Writes that reached GitHub", writes.clone());
        let calls = Family::default();
        registry.register("api_calls", "Calls to GitHub by route and status", calls.clone());
        let budget = Gauge::default();
        registry.register("api_budget_left", "Calls that GitHub allows until the hour ends", budget.clone());
        let queue_age = Gauge::default();
        registry.register("queue_age_seconds", "How long the oldest due look waits", queue_age.clone());
        let due = Gauge::default();
        registry.register("queue_due", "Looks that are due", due.clone());
        Metrics {
            registry,
            deliveries,
            looks,
            look_seconds,
            writes,
            calls,
            budget,
            queue_age,
            due,
            silent: AtomicBool::new(false),
        }
    }
}

impl Metrics {
    /// A delivery was kept, new or again.
    pub fn kept(&self, event: &str, new: bool) {
        let outcome = if new { "kept" } else { "again" };
        self.deliveries.get_or_create(&Received { event: event.to_owned(), outcome: outcome.to_owned() }).inc();
    }

    /// A delivery was refused. Its headers prove nothing, so its event is not told.
    pub fn refused(&self, status: u16) {
        let labels = Received { event: "unverified".to_owned(), outcome: status.to_string() };
        self.deliveries.get_or_create(&labels).inc();
    }

    /// A look ended: `wrote`, `nothing`, `unfinished` or `failed`.
    pub fn looked(&self, outcome: &'static str, writes: usize, took: Duration) {
        self.looks.get_or_create(&Ended { outcome }).inc();
        self.writes.inc_by(writes as u64);
        self.look_seconds.observe(took.as_secs_f64());
    }

    /// How the queue stands.
    pub fn queue(&self, due: usize, oldest: Duration) {
        self.due.set(i64::try_from(due).unwrap_or(i64::MAX));
        self.queue_age.set(oldest.as_secs_f64());
    }

    /// Whether GitHub answered the last call.
    pub fn github_answers(&self) -> bool {
        !self.silent.load(Ordering::Relaxed)
    }

    /// How many deliveries had an outcome: `kept`, `again`, or a status that refused.
    pub fn deliveries(&self, event: &str, outcome: &str) -> u64 {
        self.deliveries.get_or_create(&Received { event: event.to_owned(), outcome: outcome.to_owned() }).get()
    }

    /// In the format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a text cannot fail.
        let _infallible = text::encode(&mut out, &self.registry);
        out
    }
}

impl Watch for Metrics {
    fn called(&self, route: &str, status: Option<u16>) {
        self.silent.store(status.is_none_or(|status| status >= 500), Ordering::Relaxed);
        let status = status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
        self.calls.get_or_create(&Called { route: route.to_owned(), status }).inc();
    }

    fn budget(&self, left: u64) {
        self.budget.set(i64::try_from(left).unwrap_or(i64::MAX));
    }
}
