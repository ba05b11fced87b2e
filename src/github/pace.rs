//! A server's manners: one write at a time and about one a second (GitHub Docs, "Best practices for using the REST API"),
//! an eye on the hour's budget, and a watcher that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::transport::{Method, Request, Response, Transport, TransportError};

/// From the end of one write to the beginning of the next.
pub const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// What does not hurry (sweeps, the walk through the delivery log) leaves a fifth of the hour's calls to events.
const RESERVE_PART: u64 = 5;

/// Hears of every call.
pub trait Watch: Send + Sync {
    /// A call ended with this status; `None`: its answer was lost.
    fn called(&self, route: &str, status: Option<u16>);

    /// So many calls are left in this hour.
    fn budget(&self, left: u64);
}

/// The hour's budget as the newest answer told it.
#[derive(Debug, Default)]
pub struct Budget {
    limit: AtomicU64,
    left: AtomicU64,
    /// Seconds since 1970.
    reset: AtomicI64,
}

impl Budget {
    /// When what does not hurry may go on, if it must wait: only the reserve for events is left.
    pub fn spent_until(&self, now: Timestamp) -> Option<Timestamp> {
        let reset = Timestamp::from_second(self.reset.load(Ordering::Relaxed)).ok()?;
        let (limit, left) = (self.limit.load(Ordering::Relaxed), self.left.load(Ordering::Relaxed));
        (reset > now && left < limit / RESERVE_PART).then_some(reset)
    }

    fn see(&self, response: &Response) -> Option<u64> {
        let number = |name| response.header(name).and_then(|text| text.parse::<u64>().ok());
        // Search and GraphQL have budgets of their own.
        if response.header("x-ratelimit-resource").is_some_and(|resource| resource != "core") {
            return None;
        }
        let left = number("x-ratelimit-remaining")?;
        self.limit.store(number("x-ratelimit-limit")?, Ordering::Relaxed);
        self.reset.store(i64::try_from(number("x-ratelimit-reset")?).ok()?, Ordering::Relaxed);
        self.left.store(left, Ordering::Relaxed);
        Some(left)
    }
}

/// A transport with manners over another one.
pub struct Paced<T> {
    inner: T,
    watch: Arc<dyn Watch>,
    budget: Arc<Budget>,
    last_write: Mutex<Option<Instant>>,
}

impl<T> Paced<T> {
    /// Paces this transport.
    pub fn new(inner: T, watch: Arc<dyn Watch>, budget: Arc<Budget>) -> Self {
        Paced { inner, watch, budget, last_write: Mutex::default() }
    }
}

#[async_trait]
impl<T: Transport> Transport for Paced<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let route = format!("{} {}", request.method.as_str(), route_of(&request.path));
        let is_write = request.method != Method::Get && request.path != "/graphql";
        let ended = if is_write {
            let mut last = self.last_write.lock().await;
            if let Some(at) = *last {
                tokio::time::sleep_until(at + BETWEEN_WRITES).await;
            }
            let ended = self.inner.send(request).await;
            *last = Some(Instant::now());
            ended
        } else {
            self.inner.send(request).await
        };
        self.watch.called(&route, ended.as_ref().ok().map(|response| response.status));
        if let Some(left) = ended.as_ref().ok().and_then(|response| self.budget.see(response)) {
            self.watch.budget(left);
        }
        ended
    }

    fn base(&self) -> &str {
        self.inner.base()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn forget_tokens(&self) {
        self.inner.forget_tokens().await;
    }
}

/// A path in normal form, without names and numbers: `R/issues/{n}`.
pub fn route_of(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let mut route = String::new();
    let mut last = "";
    if path.starts_with("/repos/") {
        route.push('R');
        parts.by_ref().take(3).for_each(drop);
    }
    for part in parts {
        let known = part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let named = matches!(last, "labels" | "collaborators" | "users" | "contents" | "{path}");
        let part = match (last, part) {
            ("contents" | "{path}", _) => "{path}",
            _ if part.bytes().all(|byte| byte.is_ascii_digit()) => "{n}",
            _ if named || !known => "{name}",
            _ => part,
        };
        if part == "{path}" && last == "{path}" {
            continue;
        }
        if !route.is_empty() || !path.starts_with("/repos/") {
            route.push('/');
        }
        route.push_str(part);
        last = part;
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_nobody() {
        for (path, route) in [
            ("/repos/octo/security/issues/12/labels/phase%2F1?x=y", "R/issues/{n}/labels/{name}"),
            ("/repos/octo/security/issues/12/labels/embargo", "R/issues/{n}/labels/{name}"),
            ("/repos/octo/security/contents/.github/wardroom.yml", "R/contents/{path}"),
            ("/repos/octo/security/collaborators/alice/permission", "R/collaborators/{name}/permission"),
            ("/repos/octo/security", "R"),
            ("/repos/octo/security/issues/comments/7/reactions", "R/issues/comments/{n}/reactions"),
            ("/app/installations/9/access_tokens", "/app/installations/{n}/access_tokens"),
            ("/users/rita", "/users/{name}"),
            ("/users/Rita-2", "/users/{name}"),
            ("/graphql", "/graphql"),
        ] {
            assert_eq!(route_of(path), route, "{path}");
        }
    }

    #[test]
    fn events_have_a_reserve_until_the_hour_ends() {
        let budget = Budget::default();
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        assert_eq!(budget.spent_until(now), None, "nothing is known");
        let see = |left: u64, resource: &str| {
            let headers = [
                ("x-ratelimit-limit", "5000".to_owned()),
                ("x-ratelimit-remaining", left.to_string()),
                ("x-ratelimit-reset", (now.as_second() + 60).to_string()),
                ("x-ratelimit-resource", resource.to_owned()),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
            budget.see(&Response { headers, ..Response::default() })
        };
        assert_eq!((see(1000, "core"), budget.spent_until(now)), (Some(1000), None));
        assert_eq!((see(3, "graphql"), budget.spent_until(now)), (None, None));
        assert_eq!(see(999, "core"), Some(999));
        let reset = now + jiff::SignedDuration::from_secs(60);
        assert_eq!((budget.spent_until(now), budget.spent_until(reset)), (Some(reset), None));
    }
}
