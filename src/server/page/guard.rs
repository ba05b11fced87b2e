//! Who may ask for the page, and what a browser may do with it.
//!
//! The page listens on 127.0.0.1, but every web site that the person visits can make their browser send requests there.
//! So the name asked for must be this address itself (a name that was rebound to 127.0.0.1 is refused), a change must
//! come from the page itself, and each form carries a word that only this run knows.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, header};

use super::PageError;
use crate::domain::memory::hex;

/// What the page itself may load and do: its own sheet, script and requests, and nothing from elsewhere.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The address and the secret of one run.
pub(super) struct Guard {
    hosts: [String; 2],
    token: String,
}

impl Guard {
    pub(super) fn new(address: SocketAddr) -> Result<Guard, PageError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| PageError::NoRandom)?;
        let token = hex(&bytes);
        Ok(Guard { hosts: [address.to_string(), format!("localhost:{}", address.port())], token })
    }

    /// The word that each form carries.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether a request is for this address. A request without exactly one `Host` is for nobody.
    pub(super) fn is_for_us(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
    }

    /// Whether a request that changes something was sent by the page itself, as far as the browser tells: all of them
    /// send `Origin` with a POST, and newer ones `Sec-Fetch-Site`.
    pub(super) fn is_from_us(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let origin = text("origin").and_then(|origin| origin.strip_prefix("http://"));
        let own = origin.is_some_and(|host| self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)));
        own && text("sec-fetch-site").is_none_or(|site| site == "same-origin")
    }

    /// Whether a form carries the word. Compared without a hint of where it differs.
    pub(super) fn is_our_token(&self, given: &str) -> bool {
        let (ours, given) = (self.token.as_bytes(), given.as_bytes());
        ours.len() == given.len() && ours.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

/// The headers of every answer.
pub(super) fn put_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        // With `no-referrer` a browser sends `Origin: null` with the page's own forms (Fetch standard, section 3.2).
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
