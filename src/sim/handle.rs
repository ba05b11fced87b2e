//! One call in, one answer out: authentication, limits and faults around the routes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::fault::{Fault, When};
use super::world::{CallRecord, Identity, State, World};

/// A call as it arrives, from either face.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The token of the `Authorization` header, without `Bearer`.
    pub token: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// Whether `If-Match` was sent.
    pub if_match: bool,
    /// The body.
    pub body: Option<Value>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// No answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Whether the call may have reached GitHub.
    pub sent: bool,
    /// Whether the caller itself died.
    pub crashed: bool,
}

/// What a route answers.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Reply {
        Reply::with(200, body)
    }

    pub(super) fn with(status: u16, body: Value) -> Reply {
        Reply { status, body, headers: Vec::new() }
    }

    pub(super) fn error(status: u16, message: &str) -> Reply {
        let body = json!({
            "message": message, "documentation_url": "https://docs.github.test/rest", "status": status.to_string(),
        });
        Reply::with(status, body)
    }

    pub(super) fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Reply {
        let body = json!({
            "message": "Validation Failed", "documentation_url": "https://docs.github.test/rest",
            "errors": [{ "resource": resource, "field": field, "code": code, "message": message }],
        });
        Reply::with(422, body)
    }

    pub(super) fn moved(address: String) -> Reply {
        let reply = Reply::with(301, json!({ "message": "Moved Permanently", "url": address }));
        Reply { headers: vec![("location", address)], ..reply }
    }

    pub(super) fn not_found() -> Reply {
        Reply::error(404, "Not Found")
    }
}

impl World {
    /// Handles a call.
    ///
    /// # Errors
    /// [`Broken`] where a fault keeps the answer from the caller.
    pub fn handle(&self, call: &Call) -> Result<Answer, Broken> {
        let by_name = self.state().by_name(&call.path).map(|path| Call { path, ..call.clone() });
        let call = by_name.as_ref().unwrap_or(call);
        // People act outside the lock: what they do takes it again.
        let route = super::routes::route_of(&call.path);
        let hooks = self.faults(|faults| faults.due_hooks(&call.method, route));
        for hook in hooks {
            hook(self);
        }
        let mut state = self.state();
        let fault = state.faults.next(&call.method, route);
        let now = state.now;
        let (route, reply) = match fault {
            Some((fault, When::Before)) => (route.to_owned(), faulty_before(fault, now)),
            _ => {
                let (route, reply) = state.answer(call);
                (route, Some(reply))
            }
        };
        let struck = fault.map(|(fault, _)| fault);
        let answer = reply.map(|reply| state.finish(call, reply));
        let ended = match (struck, answer) {
            (Some(Fault::Crash), _) => Err(Broken { sent: true, crashed: true }),
            (Some(Fault::TimeOut), _) => Err(Broken { sent: true, crashed: false }),
            (Some(Fault::Refused), _) => Err(Broken { sent: false, crashed: false }),
            (Some(Fault::BadGateway), _) => Ok(bad_gateway()),
            (Some(Fault::ServiceUnavailable), _) => Ok(state.finish(call, busy())),
            (Some(Fault::Undecodable), Some(mut answer)) => {
                answer.body = b"<html>ok</html>".to_vec();
                Ok(answer)
            }
            (Some(Fault::CutBody), Some(mut answer)) => {
                answer.body.truncate(answer.body.len() / 2);
                Ok(answer)
            }
            (_, Some(answer)) => Ok(answer),
            (_, None) => Ok(bad_gateway()),
        };
        let who = state.identity(call).map_or_else(|| "nobody".to_owned(), |identity| state.login(identity.user));
        let seq = state.calls.len() + 1;
        let status = ended.as_ref().map_or(0, |answer| answer.status);
        state.calls.push(CallRecord {
            seq,
            at: now,
            who,
            method: call.method.clone(),
            path: call.path.clone(),
            route,
            status,
        });
        ended
    }
}

/// What a fault answers in the place of the effect; `None` where nothing is answered.
fn faulty_before(fault: Fault, now: Timestamp) -> Option<Reply> {
    let limited = |reply: Reply, headers: Vec<(&'static str, String)>| Some(Reply { headers, ..reply });
    match fault {
        Fault::Unauthorized => Some(Reply::error(401, "Bad credentials")),
        Fault::ServiceUnavailable => Some(busy()),
        Fault::TooMany(seconds) => limited(
            Reply::error(429, "You have exceeded a secondary rate limit."),
            vec![("retry-after", seconds.to_string())],
        ),
        Fault::Secondary(wait) => limited(
            Reply::error(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            ),
            wait.map(|seconds| ("retry-after", seconds.to_string())).into_iter().collect(),
        ),
        Fault::Primary => limited(
            Reply::error(403, "API rate limit exceeded"),
            vec![
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset", (now + SignedDuration::from_mins(10)).as_second().to_string()),
            ],
        ),
        Fault::CutBody | Fault::Undecodable => Some(Reply::ok(json!({ "cut": true }))),
        Fault::BadGateway | Fault::TimeOut | Fault::Refused | Fault::Crash => None,
    }
}

fn busy() -> Reply {
    Reply::error(503, "Service unavailable")
}

fn bad_gateway() -> Answer {
    Answer {
        status: 502,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html><body><h1>502 Bad Gateway</h1></body></html>".to_vec(),
    }
}

impl State {
    pub(super) fn identity(&self, call: &Call) -> Option<Identity> {
        let known = self.tokens.get(call.token.as_deref()?)?;
        known.ends.is_none_or(|ends| ends > self.now).then(|| known.clone())
    }

    fn answer(&mut self, call: &Call) -> (String, Reply) {
        let route = super::routes::route_of(&call.path).to_owned();
        if call.if_match {
            return (route, Reply::error(400, "If-Match is not supported"));
        }
        let Some(identity) = self.app_identity(call).or_else(|| self.identity(call)) else {
            return (route, Reply::error(401, "Bad credentials"));
        };
        let app = identity.app.as_ref().filter(|_| identity.permissions.is_some());
        if app.and_then(|slug| self.apps.get(slug)).is_some_and(|app| app.suspended) {
            return (route, Reply::error(403, super::apps::SUSPENDED));
        }
        let creates = call.method == "POST" && (route.ends_with("/issues") || route.ends_with("/comments"));
        // Asking for the limits costs nothing, and works when nothing is left.
        if route != "/rate_limit"
            && let Some(refused) = self.count_call(&identity, creates)
        {
            return (route, refused);
        }
        self.dispatch(call, &identity, route)
    }

    fn finish(&mut self, call: &Call, reply: Reply) -> Answer {
        let mut headers: Vec<(String, String)> =
            reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        headers.push(("content-type".to_owned(), "application/json; charset=utf-8".to_owned()));
        headers.push(("date".to_owned(), self.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        let identity = self.app_identity(call).or_else(|| self.identity(call));
        for (name, value) in identity.as_ref().map(|identity| self.rate_headers(identity)).into_iter().flatten() {
            if !headers.iter().any(|(known, _)| known == name) {
                headers.push((name.to_owned(), value));
            }
        }
        let mut status = reply.status;
        let mut body = if status == 204 { Vec::new() } else { serde_json::to_vec(&reply.body).unwrap_or_default() };
        if call.method == "GET" && status == 200 {
            let tag = format!("\"{}\"", crate::domain::memory::short_digest(&String::from_utf8_lossy(&body)));
            if call.if_none_match.as_deref() == Some(tag.as_str()) {
                status = 304;
                body = Vec::new();
                if let Some(identity) = identity.filter(|_| call.path != "/rate_limit") {
                    self.give_back(&identity);
                }
            }
            headers.push(("etag".to_owned(), tag));
        }
        Answer { status, headers, body }
    }
}
