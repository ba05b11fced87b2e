//! The webhook receiver: verify, keep, answer. What a delivery asks for is the worker's business, later.
//!
//! GitHub cuts the line after 10 s and never sends again by itself (GitHub Docs, "Handling webhook deliveries"). So a
//! delivery is answered with 202 as soon as it is kept, and nothing slow happens before: no call to GitHub, and nobody reads
//! the payload. Whoever cannot sign learns a status and nothing else. Nothing of a body reaches the log.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

pub use super::body::MOST_BYTES;
use super::body::Rooms;
use super::metrics::Metrics;
use crate::engine::Clock;
use crate::store::{Delivery, Store};

/// GitHub has given up by then; whoever is slower keeps a connection and memory for nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest event name and delivery id that are taken; GitHub's have up to 40 and 36 characters.
const LONGEST_NAME: usize = 100;

/// The secrets cannot be used. The words hold none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error("there is no webhook secret: set the one that the webhook or the App has on GitHub")]
    Missing,
    /// One of them is empty, so everyone could sign with it.
    #[error("a webhook secret is empty, so everyone could sign: set the one that the webhook or the App has on GitHub")]
    Empty,
}

/// What the receiver works with.
pub struct Receiver {
    store: Arc<dyn Store>,
    clock: Clock,
    secrets: Vec<SecretString>,
    arrived: Arc<Notify>,
    metrics: Arc<Metrics>,
    patience: Duration,
    rooms: Rooms,
}

impl Receiver {
    /// A receiver that takes what is signed with any of the secrets: two while one takes the other's place.
    ///
    /// # Errors
    /// [`SecretError`] if there is no secret, or one is empty.
    pub fn new(store: Arc<dyn Store>, clock: Clock, secrets: Vec<SecretString>) -> Result<Receiver, SecretError> {
        if secrets.is_empty() {
            return Err(SecretError::Missing);
        }
        if secrets.iter().any(|secret| secret.expose_secret().is_empty()) {
            return Err(SecretError::Empty);
        }
        Ok(Receiver {
            store,
            clock,
            secrets,
            arrived: Arc::default(),
            metrics: Arc::default(),
            patience: PATIENCE,
            rooms: Rooms::default(),
        })
    }

    /// Waits so long for a body, in place of 10 s.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Receiver {
        Receiver { patience, ..self }
    }

    /// Counts there.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Receiver {
        Receiver { metrics, ..self }
    }

    /// The bell that rings at every delivery; [`super::run_worker`] waits for it.
    pub fn arrived(&self) -> Arc<Notify> {
        self.arrived.clone()
    }

    /// The counts, which go on.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }
}

/// `POST /webhook`, and nothing else.
pub fn router(receiver: Receiver) -> axum::Router {
    axum::Router::new().route("/webhook", post(answer)).with_state(Arc::new(receiver))
}

async fn answer(State(receiver): State<Arc<Receiver>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    match receiver.take(&parts.headers, body).await {
        Ok(()) => {
            receiver.arrived.notify_one();
            StatusCode::ACCEPTED
        }
        Err(status) => {
            receiver.metrics.refused(status.as_u16());
            tracing::debug!(status = status.as_u16(), "a delivery was refused");
            status
        }
    }
}

impl Receiver {
    async fn take(&self, headers: &HeaderMap, body: Body) -> Result<(), StatusCode> {
        // Before the body: whoever does not even claim to sign sends it to nobody.
        let signature = only(headers, "x-hub-signature-256").and_then(signature).ok_or(StatusCode::UNAUTHORIZED)?;
        let length = only(headers, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
        if length.is_some_and(|length| length > MOST_BYTES) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let read = self.rooms.read(body, length, &self.secrets, &signature);
        let (bytes, _room) = match tokio::time::timeout(self.patience, read).await {
            Ok(ended) => ended?,
            Err(_elapsed) => return Err(StatusCode::REQUEST_TIMEOUT),
        };
        let name = |header: &str| only(headers, header).filter(|text| is_name(text));
        let (Some(event), Some(guid)) = (name("x-github-event"), name("x-github-delivery")) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let payload = payload(only(headers, header::CONTENT_TYPE.as_str()), bytes)?;
        self.keep(event, guid, payload).await
    }

    async fn keep(&self, event: &str, guid: &str, body: Vec<u8>) -> Result<(), StatusCode> {
        let delivery = Delivery { guid: guid.to_owned(), event: event.to_owned(), at: (self.clock)(), body };
        match self.store.keep(delivery).await {
            Ok(new) => {
                self.metrics.kept(event, new);
                Ok(())
            }
            Err(error) => {
                tracing::error!(event, guid, %error, "a delivery could not be kept; GitHub shows it as failed");
                Err(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }
}

/// A header's text, if it is there exactly once: of two, a proxy may have judged the other.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// Whether a text can be the name of an event or the id of a delivery, and so stand in a log.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// The bytes of `sha256=HEX`.
fn signature(header: &str) -> Option<[u8; 32]> {
    let hex = header.strip_prefix("sha256=")?.as_bytes();
    let mut bytes = [0; 32];
    if hex.len() != bytes.len() * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        for digit in pair {
            // 4 bits a digit: below 16, so it always fits.
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

/// The JSON of a delivery. A webhook is set to send JSON, or a form with the JSON in its field `payload`; the signature is
/// over what was sent (GitHub Docs, "Webhook events and payloads").
fn payload(content_type: Option<&str>, bytes: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
    let kind = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(bytes);
    }
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut fields = bytes.split(|byte| *byte == b'&');
    let encoded = fields.find_map(|field| field.strip_prefix(b"payload=")).ok_or(StatusCode::BAD_REQUEST)?;
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Ok(percent_encoding::percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_64_hex_digits() {
        let hex = "0aF".repeat(21) + "9";
        let bytes = signature(&format!("sha256={hex}")).unwrap();
        assert_eq!(bytes[..3], [0x0a, 0xf0, 0xaf]);
        let short = &hex[..62];
        for bad in ["", "sha256=", &hex, &format!("sha1={hex}"), &format!("sha256={short}"), &format!("sha256={hex}0")]
        {
            assert_eq!(signature(bad), None, "{bad}");
        }
        assert_eq!(signature(&format!("sha256={short}+1")), None);
        assert_eq!(signature(&format!("sha256={short}é")), None);
    }

    #[test]
    fn a_form_holds_the_payload_among_other_fields() {
        let form = |text: &str| payload(Some("application/x-www-form-urlencoded"), text.into());
        assert_eq!(form("a=b&payload=%7B%22a%22%3A+1%7D&c").unwrap(), br#"{"a": 1}"#);
        assert_eq!(form("payloads=1"), Err(StatusCode::BAD_REQUEST));
        let json = payload(Some("Application/JSON; charset=utf-8"), b"{}".to_vec());
        assert_eq!(json.unwrap(), b"{}");
        for kind in [None, Some("text/plain"), Some("application/jsonp")] {
            assert_eq!(payload(kind, b"{}".to_vec()), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{kind:?}");
        }
    }
}
