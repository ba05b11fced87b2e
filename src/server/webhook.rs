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
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit};

use super::metrics::Metrics;
use crate::engine::Clock;
use crate::store::{Delivery, Store};

/// GitHub caps payloads at 25 MB (GitHub Docs, "Webhook events and payloads") and does not send a larger one.
pub const MOST_BYTES: usize = 25 * 1024 * 1024;

/// A body of so many bytes is read beside others; larger ones, which are rare, come one after the other.
const SMALL: usize = 256 * 1024;

/// So many bytes of small bodies may be in memory at once.
const SMALL_IN_FLIGHT: usize = 16 * 1024 * 1024;

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
    small: Semaphore,
    /// The one large body. Its memory is used again: the system's allocator would keep that of several.
    large: Mutex<Vec<u8>>,
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
            small: Semaphore::new(SMALL_IN_FLIGHT),
            large: Mutex::default(),
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

type Mac256 = Hmac<Sha256>;

fn given<'a>(room: Result<SemaphorePermit<'a>, tokio::sync::AcquireError>) -> Result<SemaphorePermit<'a>, StatusCode> {
    room.map_err(|_closed| StatusCode::SERVICE_UNAVAILABLE)
}

/// Room in memory. It is given back with the value, when the delivery is kept or refused.
struct Room<'a> {
    _small: SemaphorePermit<'a>,
    _large: Option<MutexGuard<'a, Vec<u8>>>,
}

impl Receiver {
    async fn take(&self, headers: &HeaderMap, body: Body) -> Result<(), StatusCode> {
        // Before the body: whoever does not even claim to sign sends it to nobody.
        let signature = only(headers, "x-hub-signature-256").and_then(signature).ok_or(StatusCode::UNAUTHORIZED)?;
        let length = only(headers, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
        if length.is_some_and(|length| length > MOST_BYTES) {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let read = self.read(body, length, &signature);
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

    /// Reads a body that is signed. It is verified while it comes, so that a long one keeps nobody else waiting. What is in
    /// memory is counted as it comes, not as it is announced: whoever only announces takes no room from others.
    async fn read(
        &self,
        mut body: Body,
        length: Option<usize>,
        signature: &[u8; 32],
    ) -> Result<(Vec<u8>, Room<'_>), StatusCode> {
        // An HMAC takes a key of any length, and a semaphore that nobody closes always gives: neither fails.
        let keyed = |secret: &SecretString| Mac256::new_from_slice(secret.expose_secret().as_bytes());
        let macs: Result<Vec<_>, _> = self.secrets.iter().map(keyed).collect();
        let mut macs = macs.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let mut small = given(self.small.acquire_many(0).await)?;
        let mut large: Option<MutexGuard<'_, Vec<u8>>> = None;
        let mut bytes = Vec::with_capacity(length.unwrap_or(SMALL).min(SMALL));
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_broken_off| StatusCode::BAD_REQUEST)?.into_data() else { continue };
            let whole = large.as_ref().map_or(bytes.len(), |large| large.len()) + data.len();
            if whole > MOST_BYTES {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            if whole > SMALL && large.is_none() {
                let mut room = self.large.lock().await;
                room.clear();
                // At once: a buffer that doubles would be held twice while it does. Untouched pages cost nothing.
                room.reserve_exact(MOST_BYTES);
                room.append(&mut bytes);
                large = Some(room);
            }
            if large.is_none() {
                small.merge(given(self.small.acquire_many(u32::try_from(data.len()).unwrap_or(u32::MAX)).await)?);
            }
            macs.iter_mut().for_each(|mac| mac.update(&data));
            large.as_deref_mut().unwrap_or(&mut bytes).extend_from_slice(&data);
        }
        // A comparison takes the same time wherever the first difference is.
        match macs.into_iter().any(|mac| mac.verify_slice(signature).is_ok()) {
            true => {
                let whole = large.as_deref_mut().map_or(bytes, std::mem::take);
                Ok((whole, Room { _small: small, _large: large }))
            }
            false => Err(StatusCode::UNAUTHORIZED),
        }
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
