//! Reading signed bodies within a bound of memory, verifying them while they come.
//!
//! Anyone can send; only GitHub signs. Until a body's last byte it is not known who sent it, so nobody may take much room for
//! long: a little for each at once, as GitHub's deliveries are little; more for few; a large body for one at a time. Room is
//! taken whole before it is filled: bodies that each hold a part and wait for more would wait for each other.

use std::time::Duration;

use axum::body::Body;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use http_body_util::BodyExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// GitHub caps payloads at 25 MB (GitHub Docs, "Webhook events and payloads") and does not send a larger one.
pub const MOST_BYTES: usize = 25 * 1024 * 1024;

/// Most deliveries are smaller: a tick on the default checklist is 22 KB, which carries the body twice.
const SMALL: usize = 32 * 1024;

/// So many bytes of small bodies, and of the beginnings of others, may be in memory at once.
const SMALL_IN_FLIGHT: usize = 4 * 1024 * 1024;

/// A body of so many bytes is read beside others; larger ones, which are rare, come one after the other.
const MIDDLE: usize = 128 * 1024;

/// So many bodies above [`SMALL`] may be in memory at once; a larger one waits for its turn in such a place.
const PLACES: usize = 16;

/// The longest wait for the next part of a body, for the whole of a small one, and for a place. GitHub sends in one go;
/// whoever pauses holds room for nothing.
const SOON: Duration = Duration::from_secs(2);

/// The room that bodies are read into.
pub(super) struct Rooms {
    small: Semaphore,
    places: Semaphore,
    /// The one large body. Its memory is used again: the system's allocator would keep that of several.
    large: Mutex<Vec<u8>>,
}

/// What a body takes up. It is given back with the value, when the delivery is kept or refused.
pub(super) struct Room<'a> {
    _small: Option<SemaphorePermit<'a>>,
    _place: Option<SemaphorePermit<'a>>,
    _large: Option<MutexGuard<'a, Vec<u8>>>,
}

impl Default for Rooms {
    fn default() -> Self {
        Rooms { small: Semaphore::new(SMALL_IN_FLIGHT), places: Semaphore::new(PLACES), large: Mutex::default() }
    }
}

type Mac256 = Hmac<Sha256>;

impl Rooms {
    /// Reads a body that is signed with one of the secrets. It is verified while it comes, so that a long one keeps nobody
    /// else waiting. Whoever only announces, and sends nothing, takes no room.
    ///
    /// # Errors
    /// The status to answer with: 401 for a wrong signature, 413, 408 for whoever pauses, 503 where there is no room.
    pub(super) async fn read(
        &self,
        mut body: Body,
        length: Option<usize>,
        secrets: &[SecretString],
        signature: &[u8; 32],
    ) -> Result<(Vec<u8>, Room<'_>), StatusCode> {
        // An HMAC takes a key of any length, and a semaphore that nobody closes always gives: neither fails.
        let keyed = |secret: &SecretString| Mac256::new_from_slice(secret.expose_secret().as_bytes());
        let macs: Result<Vec<_>, _> = secrets.iter().map(keyed).collect();
        let mut macs = macs.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        let (mut small, mut place) = (None, None);
        let mut large: Option<MutexGuard<'_, Vec<u8>>> = None;
        let mut bytes = Vec::new();
        let mut small_until = Instant::now() + SOON;
        loop {
            let soon = Instant::now() + SOON;
            let until = if bytes.len() <= SMALL && large.is_none() { small_until.min(soon) } else { soon };
            let pause = |_elapsed| StatusCode::REQUEST_TIMEOUT;
            let Some(frame) = timeout_at(until, body.frame()).await.map_err(pause)? else { break };
            let Ok(data) = frame.map_err(|_broken_off| StatusCode::BAD_REQUEST)?.into_data() else { continue };
            let whole = large.as_ref().map_or(bytes.len(), |large| large.len()) + data.len();
            if whole > MOST_BYTES {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            if small.is_none() && large.is_none() && !data.is_empty() {
                let wanted = length.unwrap_or(SMALL).clamp(data.len().min(SMALL), SMALL);
                small = Some(given(self.small.acquire_many(u32::try_from(wanted).unwrap_or(u32::MAX)).await)?);
                bytes.reserve_exact(wanted);
                small_until = Instant::now() + SOON;
            }
            if whole > SMALL && place.is_none() && large.is_none() {
                let waited = timeout(SOON, self.places.acquire()).await;
                place = Some(given(waited.map_err(|_elapsed| StatusCode::SERVICE_UNAVAILABLE)?)?);
                bytes.reserve_exact(MIDDLE - bytes.len());
            }
            if whole > MIDDLE && large.is_none() {
                let mut room = self.large.lock().await;
                room.clear();
                // At once: a buffer that doubles would be held twice while it does. Untouched pages cost nothing.
                room.reserve_exact(MOST_BYTES);
                room.extend_from_slice(&std::mem::take(&mut bytes));
                large = Some(room);
                (small, place) = (None, None);
            }
            macs.iter_mut().for_each(|mac| mac.update(&data));
            large.as_deref_mut().unwrap_or(&mut bytes).extend_from_slice(&data);
        }
        // A comparison takes the same time wherever the first difference is.
        match macs.into_iter().any(|mac| mac.verify_slice(signature).is_ok()) {
            true => {
                let whole = large.as_deref_mut().map_or(bytes, std::mem::take);
                Ok((whole, Room { _small: small, _place: place, _large: large }))
            }
            false => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

fn given<'a>(room: Result<SemaphorePermit<'a>, tokio::sync::AcquireError>) -> Result<SemaphorePermit<'a>, StatusCode> {
    room.map_err(|_closed| StatusCode::SERVICE_UNAVAILABLE)
}
