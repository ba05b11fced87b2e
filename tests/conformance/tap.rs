//! A tap on the wire: remembers each HTTP exchange with a server that runs in the test.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// The verb, in capitals.
    pub(crate) method: String,
    /// Path and query below the API's base address, percent-encoded.
    pub(crate) path_with_query: String,
    /// The JSON sent, if any.
    pub(crate) request_body: Option<Value>,
    /// The answer's status.
    pub(crate) status: u16,
    /// The JSON received, if any. A body that is no JSON is kept as a string.
    pub(crate) response_body: Option<Value>,
}

impl Exchange {
    /// Whether it is a GraphQL call, which has its own schema.
    pub(crate) fn is_graphql(&self) -> bool {
        self.path_with_query == "/graphql"
    }
}

/// What went over the wire so far.
#[derive(Clone, Default)]
pub(crate) struct Tap {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Tap {
    /// Serves a router on a free port of this machine, recording; returns its address.
    pub(crate) async fn serve(&self, router: Router) -> String {
        let tapped = router.layer(from_fn_with_state(self.clone(), record));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, tapped).await.unwrap() });
        address
    }

    /// The exchanges so far, in the order in which they ended.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

async fn record(State(tap): State<Tap>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let path_with_query = request.uri().path_and_query().unwrap().to_string();
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, usize::MAX).await.unwrap();
    let answer = next.run(Request::from_parts(parts, Body::from(sent.clone()))).await;
    let (parts, body) = answer.into_parts();
    let received = to_bytes(body, usize::MAX).await.unwrap();
    tap.exchanges.lock().unwrap().push(Exchange {
        method,
        path_with_query,
        request_body: json(&sent),
        status: parts.status.as_u16(),
        response_body: json(&received),
    });
    Response::from_parts(parts, Body::from(received))
}

fn json(body: &[u8]) -> Option<Value> {
    let as_text = || Value::String(String::from_utf8_lossy(body).into_owned());
    (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap_or_else(|_| as_text()))
}
