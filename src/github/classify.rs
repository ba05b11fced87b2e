//! From an answer's status and headers to the class of its failure. The words never hold anything that was sent.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Error;
use super::transport::{Method, Response};

/// Where GitHub names no time, the documentation asks for at least a minute (GitHub Docs, "Rate limits for the REST API").
const UNNAMED_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// At most so much of GitHub's own message is repeated.
const MESSAGE_CHARS: usize = 160;

/// GitHub's error body.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// The failure that an answer outside 200–299 stands for.
pub(super) fn failure(what: &str, (method, path): (Method, &str), response: &Response, now: Timestamp) -> Error {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    let what = what.to_owned();
    match response.status {
        301 | 302 | 307 | 308 => Error::Moved { what, to: response.header("location").map(str::to_owned) },
        401 => Error::Unauthorized,
        403 | 429 if is_limit(response, &body) => limited(response, now),
        403 => Error::Forbidden { hint: hint(&what, method, path, response), what, message: message(&body) },
        404 if is_page(response) => Error::Unsupported(what),
        404 => Error::NotFound(what),
        410 => Error::Gone(what),
        405 | 501 => Error::Unsupported(what),
        status @ 400..=499 => Error::Invalid { what, status, message: message(&body) },
        status if method == Method::Get => Error::Unavailable { what, why: format!("status {status}") },
        status => Error::Unknown { what, why: format!("status {status}") },
    }
}

/// Whether an answer is no JSON: GitHub's own 404 is JSON, so this is a server without that endpoint, or something in
/// between. It says nothing about what was asked for.
fn is_page(response: &Response) -> bool {
    !response.body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_err()
}

/// The failure of an answer that is known to be a limit.
pub(super) fn limited(response: &Response, now: Timestamp) -> Error {
    Error::Limited { until: limit_ends(response, now) }
}

fn is_limit(response: &Response, body: &Body) -> bool {
    let said = body.message.to_ascii_lowercase();
    response.status == 429
        || response.header("retry-after").is_some()
        || response.header("x-ratelimit-remaining") == Some("0")
        || said.contains("rate limit")
        || said.contains("abuse detection")
}

/// `retry-after` in seconds, else `x-ratelimit-reset` where nothing remains, else a minute.
fn limit_ends(response: &Response, now: Timestamp) -> Timestamp {
    let number = |name: &str| response.header(name).and_then(|text| text.trim().parse::<i64>().ok());
    if let Some(seconds) = number("retry-after") {
        return now + SignedDuration::from_secs(seconds.clamp(1, 86_400));
    }
    if response.header("x-ratelimit-remaining") == Some("0")
        && let Some(reset) = number("x-ratelimit-reset").and_then(|at| Timestamp::from_second(at).ok())
    {
        let latest = now + SignedDuration::from_hours(24);
        return reset.clamp(now + SignedDuration::from_secs(1), latest);
    }
    now + UNNAMED_WAIT
}

/// GitHub's own message and the names of the fields at fault, never their values.
fn message(body: &Body) -> String {
    let mut text: String = body.message.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS).collect();
    let fields: Vec<String> = body
        .errors
        .iter()
        .filter_map(|error| {
            let field = error.get("field")?.as_str()?;
            let code = error.get("code").and_then(|code| code.as_str()).unwrap_or("invalid");
            let plain = |text: &str| {
                text.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).take(40).collect::<String>()
            };
            Some(format!("{} {}", plain(field), plain(code)))
        })
        .take(5)
        .collect();
    if !fields.is_empty() {
        text.push_str(" (");
        text.push_str(&fields.join(", "));
        text.push(')');
    }
    text
}

/// Whether a validation failed only because the thing exists already.
pub(super) fn exists_already(response: &Response) -> bool {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    response.status == 422
        && body.errors.iter().any(|error| error.get("code").and_then(|code| code.as_str()) == Some("already_exists"))
}

/// Whether a label is not on an issue that is there: GitHub's 404 for an issue says something else.
pub(super) fn label_is_off(response: &Response) -> bool {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    response.status == 404 && body.message.contains("Label does not exist")
}

/// Which permission a call needs and where it is granted.
fn hint(what: &str, method: Method, path: &str, response: &Response) -> String {
    // By the path, which is ours: a repository or a file may be called advisories too.
    if path.contains("/security-advisories") {
        let level = if method == Method::Get { "read" } else { "write" };
        return format!(
            "It needs the permission “Repository security advisories: {level}”, which an App can have and a workflow’s \
             GITHUB_TOKEN cannot: Settings, Developer settings, GitHub Apps, Permissions & events, and then accept the \
             request under Settings, Integrations, GitHub Apps. The owner of a token must be an admin or a security \
             manager of the repository."
        );
    }
    let named = response.header("x-accepted-github-permissions").filter(|text| text.len() < 120);
    let needed = match named {
        Some(permissions) => format!("It needs one of these permissions: {permissions}."),
        None if what.starts_with("the file") => "It needs the permission “Contents: read”.".to_owned(),
        None if what.starts_with("the release") => "It needs the permission “Contents: read”.".to_owned(),
        None if what.contains("role") => "It needs the permission “Metadata: read”.".to_owned(),
        None => "It needs the permission “Issues: read and write”.".to_owned(),
    };
    format!(
        "{needed} For an App: Settings, Developer settings, GitHub Apps, Permissions & events, and then accept the request \
         under Settings, Integrations, GitHub Apps. For a workflow: its `permissions:` block. For a token: Settings, \
         Developer settings, Personal access tokens."
    )
}
