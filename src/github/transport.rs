//! One request, one answer: the seam between the client in [`super::rest`] and what carries its calls.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

/// The verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A read.
    Get,
    /// A write that creates.
    Post,
    /// A write that changes.
    Patch,
    /// A write that sets.
    Put,
    /// A write that removes.
    Delete,
}

impl Method {
    /// The verb as HTTP spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// A call to GitHub.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// Path and query below the API's base address, starting with `/`, percent-encoded.
    pub path: String,
    /// The JSON body, if any.
    pub body: Option<Value>,
    /// A tag from an earlier answer: `If-None-Match`.
    pub etag: Option<String>,
}

/// GitHub's answer, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// No answer came. `sent` decides whether a write may have taken effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TransportError {
    /// What happened, in a few words, with no address of a private repository and no secret.
    pub why: String,
    /// Whether the request may have reached GitHub. A refused connection did not; a time-out may have.
    pub sent: bool,
    /// Whether the App is kept out until a person changes something, which `why` names: not installed, suspended, a wrong
    /// key. Trying again does not help.
    pub barred: bool,
}

/// What carries one request and brings one answer. It neither retries nor follows redirects.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// The API's base address without a trailing slash, as absolute links in answers begin.
    fn base(&self) -> &str;

    /// The time that this transport's world shows: the system clock in production.
    fn now(&self) -> Timestamp;

    /// Rights have changed: the next calls ask for new tokens.
    async fn forget_tokens(&self) {}
}
