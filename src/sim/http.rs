//! The simulated GitHub over HTTP, and its sender of webhooks.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::handle::{Answer, Call};
use super::webhooks::sign;
use super::world::{Delivery, World};

/// A served world. It ends with the value.
pub struct Served {
    /// The address of its REST API, `http://127.0.0.1:PORT`.
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the world on a free port of 127.0.0.1.
///
/// # Errors
/// If no port can be opened.
pub async fn serve(world: Arc<World>) -> std::io::Result<Served> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    world.set_base(&url);
    let app = router(world);
    // An answer's end must not wait until its beginning is acknowledged.
    let listener = listener.tap_io(|socket| {
        let _slower = socket.set_nodelay(true);
    });
    let task = tokio::spawn(async move {
        // It ends only when its task is dropped.
        let _ = axum::serve(listener, app).await;
    });
    Ok(Served { url, task })
}

/// The world behind HTTP, to be served by the caller. Absolute links begin as [`World::set_base`] says.
pub fn router(world: Arc<World>) -> axum::Router {
    axum::Router::new().fallback(answer).with_state(world)
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: http::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let token = header(http::header::AUTHORIZATION)
        .and_then(|text| text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("token ")))
        .map(str::to_owned);
    let call = Call {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        token,
        if_none_match: header(http::header::IF_NONE_MATCH).map(str::to_owned),
        if_match: header(http::header::IF_MATCH).is_some(),
        body: serde_json::from_slice(&bytes).ok(),
    };
    match world.handle(&call) {
        Ok(answer) => response(answer),
        // A body that ends in an error closes the connection without an answer.
        Err(_) => Response::new(Body::from_stream(Gone)),
    }
}

fn response(answer: Answer) -> Response {
    let mut builder = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(answer.body)).unwrap_or_default()
}

/// A stream that breaks off at once.
struct Gone;

impl futures_core::Stream for Gone {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(Some(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))))
    }
}

/// Sends a delivery to a receiver as GitHub does, signed. Returns the receiver's status.
///
/// # Errors
/// If no connection comes about, or it breaks off.
pub async fn send_webhook(url: &str, secret: &[u8], delivery: &Delivery) -> Result<u16, String> {
    let body = serde_json::to_vec(&delivery.payload).map_err(|error| error.to_string())?;
    let request = http::Request::post(url)
        .header("user-agent", "GitHub-Hookshot/sim")
        .header("content-type", "application/json")
        .header("x-github-event", &delivery.event)
        .header("x-github-delivery", &delivery.guid)
        .header("x-github-hook-id", "1")
        .header("x-github-hook-installation-target-type", "integration")
        .header("x-hub-signature-256", sign(secret, &body))
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.map_err(|error| error.to_string())?;
    Ok(answer.status().as_u16())
}
