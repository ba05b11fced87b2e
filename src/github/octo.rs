//! octocrab as the transport: TLS, authentication and raw calls. Its retries and redirects are off, its types unused.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use octocrab::Octocrab;
use secrecy::SecretString;

use super::auth::{Auth, ConnectError};
use super::transport::{Request, Response, Transport, TransportError};

/// A connection that is not there by then will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// GitHub itself gives up on a request after 10 s.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A whole exchange, the body included, ends by then.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A larger answer is not read. 100 issues with full bodies in escaped JSON are about 40 MB.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The version of the REST API that this client was written against.
const API_VERSION: &str = "2022-11-28";

/// Where GitHub's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port.
    origin: String,
    /// What stands before every REST path: empty on github.com, `/api/v3` on GitHub Enterprise Server.
    prefix: String,
    /// The path of GraphQL.
    graphql: String,
    /// `origin` and `prefix`.
    pub(super) base: String,
}

impl Address {
    /// From `GITHUB_API_URL` and `GITHUB_GRAPHQL_URL`; without the second one it is derived from the first.
    ///
    /// # Errors
    /// [`ConnectError::Address`] if an address is not one, or the two are on different hosts; [`ConnectError::Open`] if it
    /// is `http` and not on this machine.
    pub fn new(api: &str, graphql: Option<&str>) -> Result<Address, ConnectError> {
        let (origin, prefix) = split(api).ok_or(ConnectError::Address("GITHUB_API_URL"))?;
        if !is_guarded(&origin) {
            return Err(ConnectError::Open("GITHUB_API_URL"));
        }
        let graphql = match graphql {
            Some(address) => {
                let (host, path) = split(address).ok_or(ConnectError::Address("GITHUB_GRAPHQL_URL"))?;
                if host != origin {
                    return Err(ConnectError::Address("GITHUB_GRAPHQL_URL"));
                }
                path
            }
            // GitHub Docs, "Forming calls with GraphQL": /graphql on github.com, /api/graphql on Enterprise Server.
            None => format!("{}/graphql", prefix.strip_suffix("/v3").unwrap_or(&prefix)),
        };
        let base = format!("{origin}{prefix}");
        Ok(Address { origin, prefix, graphql, base })
    }

    /// A client with these credentials: no retries, no redirects, with time limits.
    pub(super) fn client(&self, proof: Proof) -> Result<Octocrab, ConnectError> {
        let agent = concat!("wardroom/", env!("CARGO_PKG_VERSION")).to_owned();
        let builder = Octocrab::builder()
            .base_uri(self.origin.as_str())
            .map_err(|_| ConnectError::Address("GITHUB_API_URL"))?
            .set_connect_timeout(Some(CONNECT_TIMEOUT))
            .set_read_timeout(Some(READ_TIMEOUT))
            .set_write_timeout(Some(READ_TIMEOUT))
            .add_header(http::header::ACCEPT, "application/vnd.github+json".to_owned())
            .add_header(http::header::USER_AGENT, agent);
        let builder = match proof {
            Proof::Token(token) => builder.personal_token(token),
            Proof::App(id, key) => builder.app(id.into(), key),
        };
        builder.build().map_err(|_| ConnectError::Client)
    }
}

/// What a client proves itself with.
pub(super) enum Proof {
    /// A token.
    Token(SecretString),
    /// An App's id and key, for a JWT.
    App(u64, octocrab::EncodingKey),
}

/// Origin and path (without a trailing slash) of an address.
fn split(address: &str) -> Option<(String, String)> {
    let uri: http::Uri = address.trim().parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "https" | "http"))?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    Some((format!("{scheme}://{authority}"), uri.path().trim_end_matches('/').to_owned()))
}

/// Whether a token can be sent there without being read on the way.
fn is_guarded(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else { return true };
    let host =
        authority.parse::<http::uri::Authority>().map(|authority| authority.host().to_owned()).unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// The transport over octocrab.
pub struct OctoTransport {
    address: Address,
    auth: Auth,
}

impl OctoTransport {
    /// A transport to this address with these credentials.
    pub fn new(address: Address, auth: Auth) -> Self {
        OctoTransport { address, auth }
    }

    async fn exchange(&self, client: &Octocrab, request: &Request) -> Result<Response, TransportError> {
        raw(client, &self.address, request).await
    }
}

#[async_trait]
impl Transport for OctoTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Some(client) = self.auth.client_for(&self.address, &request).await? else { return Ok(out_of_reach()) };
        let response = self.exchange(&client, &request).await?;
        if !(response.status == 401 || is_suspended(&response)) || !self.auth.renew(&request).await {
            return Ok(response);
        }
        // A refused call had no effect: with a new token the same call is made for the first time. Asking for one tells of
        // a suspended installation where it is and what to do.
        let Some(client) = self.auth.client_for(&self.address, &request).await? else { return Ok(out_of_reach()) };
        self.exchange(&client, &request).await
    }

    fn base(&self) -> &str {
        &self.address.base
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn forget_tokens(&self) {
        self.auth.forget().await;
    }
}

/// Whether GitHub refuses a token because its installation is suspended.
pub(super) fn is_suspended(response: &Response) -> bool {
    response.status == 403 && String::from_utf8_lossy(&response.body).contains("installation has been suspended")
}

/// What GitHub answers a token that may not know whether something is there.
fn out_of_reach() -> Response {
    Response { status: 404, body: br#"{"message":"Not Found"}"#.to_vec(), ..Response::default() }
}

/// One exchange. No address, header or body reaches an error.
pub(super) async fn raw(client: &Octocrab, address: &Address, request: &Request) -> Result<Response, TransportError> {
    let not_sent = |why: &str| TransportError { why: why.to_owned(), sent: false, barred: false };
    let path = if request.path == "/graphql" {
        address.graphql.clone()
    } else {
        format!("{}{}", address.prefix, request.path)
    };
    let mut builder =
        http::Request::builder().method(request.method.as_str()).uri(path).header("x-github-api-version", API_VERSION);
    if let Some(etag) = &request.etag {
        builder = builder.header(http::header::IF_NONE_MATCH, etag);
    }
    let bytes = match &request.body {
        Some(body) => {
            builder = builder.header(http::header::CONTENT_TYPE, "application/json");
            serde_json::to_vec(body).map_err(|_| not_sent("the request could not be written"))?
        }
        None => Vec::new(),
    };
    let http_request = builder.body(bytes).map_err(|_| not_sent("the request could not be written"))?;
    let lost = |why: &str| TransportError { why: why.to_owned(), sent: true, barred: false };
    let whole = async {
        let response = client.execute(http_request).await.map_err(|error| broken(&error))?;
        let (parts, body) = response.into_parts();
        let body = read(body).await.ok_or_else(|| lost("the answer broke off or was too large"))?;
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        Ok(Response { status: parts.status.as_u16(), headers: headers.collect(), body })
    };
    tokio::time::timeout(WHOLE_TIMEOUT, whole).await.unwrap_or_else(|_| Err(lost("no answer within a minute")))
}

async fn read<B>(mut body: B) -> Option<Vec<u8>>
where
    B: http_body_util::BodyExt<Data = Bytes> + Unpin,
{
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            if all.len() + data.len() > MOST_BYTES {
                return None;
            }
            all.extend_from_slice(&data);
        }
    }
    Some(all.to_vec())
}

/// Whether the request may have reached GitHub: only a connection that was never made did not carry it.
fn broken(error: &octocrab::Error) -> TransportError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(client) = current.downcast_ref::<hyper_util::client::legacy::Error>()
            && client.is_connect()
        {
            return TransportError { why: "no connection to GitHub".to_owned(), sent: false, barred: false };
        }
        cause = current.source();
    }
    TransportError { why: "the connection broke off or timed out".to_owned(), sent: true, barred: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_github_and_of_enterprise_servers() {
        let address = Address::new("https://api.github.com", None).unwrap();
        assert_eq!((address.base.as_str(), address.graphql.as_str()), ("https://api.github.com", "/graphql"));
        let address = Address::new("https://git.example.org/api/v3/", None).unwrap();
        assert_eq!((address.prefix.as_str(), address.graphql.as_str()), ("/api/v3", "/api/graphql"));
        let address = Address::new("http://127.0.0.1:9", Some("http://127.0.0.1:9/api/graphql")).unwrap();
        assert_eq!(address.graphql, "/api/graphql");
        for bad in ["", "api.github.com", "ftp://x", "https://token@host/", "https://"] {
            assert!(Address::new(bad, None).is_err(), "{bad}");
        }
        assert!(Address::new("https://api.github.com", Some("https://evil.example/graphql")).is_err());
    }

    #[test]
    fn a_token_does_not_cross_a_network_in_the_open() {
        for here in ["http://localhost:80", "http://127.0.0.1:8000", "http://[::1]:8000", "https://git.example.org"] {
            assert!(Address::new(here, None).is_ok(), "{here}");
        }
        for open in
            ["http://api.github.com", "http://127.0.0.1.example.org", "http://10.0.0.1", "http://localhost.example"]
        {
            assert_eq!(Address::new(open, None), Err(ConnectError::Open("GITHUB_API_URL")), "{open}");
        }
    }
}
