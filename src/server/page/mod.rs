//! A page in the browser: an issue as GitHub would show it, forms for what people do there, and what Wardroom did.
//!
//! Everything works by plain forms: a POST, then a redirect. The script only sends them without a jump and fetches the
//! page again when something changed. What stands behind the page is a [`Stage`]; the page itself keeps nothing.

mod draw;
mod form;
mod guard;
pub mod markdown;
pub mod scene;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::net::TcpListener;

pub use scene::{Act, Done, Scene, Stage};

/// How long a request for news waits. The browser then asks again.
const PATIENCE: Duration = Duration::from_secs(25);

/// What is escaped in a query.
const QUERY: &AsciiSet = NON_ALPHANUMERIC;

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The machine gave no random number, so forms could not be told from forged ones.
    #[error("this machine gave no random number, so the page could not be guarded; nothing was started")]
    NoRandom,
    /// A template is broken.
    #[error("the page could not be drawn: {0}")]
    Template(#[from] minijinja::Error),
    /// The listener failed.
    #[error("the page could not be served: {0}")]
    Listen(#[from] std::io::Error),
}

struct Page {
    stage: Arc<dyn Stage>,
    guard: guard::Guard,
    draw: draw::Draw,
}

/// Serves a stage at a listener on 127.0.0.1, until the caller drops it.
///
/// # Errors
/// [`PageError`].
pub async fn serve(stage: Arc<dyn Stage>, listener: TcpListener) -> Result<(), PageError> {
    let address = listener.local_addr()?;
    Ok(axum::serve(listener, router(stage, address)?).await?)
}

/// The page's routes, for the address at which they are served.
///
/// # Errors
/// [`PageError`].
pub fn router(stage: Arc<dyn Stage>, address: std::net::SocketAddr) -> Result<axum::Router, PageError> {
    let draw = draw::Draw::new(&stage.colours())?;
    let page = Arc::new(Page { stage, guard: guard::Guard::new(address)?, draw });
    Ok(axum::Router::new()
        .route("/", get(home))
        .route("/issues/{number}", get(issue))
        .route("/act", post(act))
        .route("/changes", get(changes))
        .route("/style.css", get(style))
        .route("/script.js", get(script))
        .fallback(lost)
        .layer(middleware::from_fn_with_state(page.clone(), guarded))
        .with_state(page))
}

/// Around every route: only requests for this address, and the headers that bind the browser.
async fn guarded(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    let mut answer = if page.guard.is_for_us(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "This page is at the address that the program printed.\n").into_response()
    };
    guard::put_headers(answer.headers_mut());
    answer
}

#[derive(Deserialize)]
struct Looker {
    #[serde(default, rename = "as")]
    who: String,
    #[serde(default)]
    example: String,
}

async fn home(State(page): State<Arc<Page>>, Query(looker): Query<Looker>) -> Response {
    page.show(None, &looker, StatusCode::OK, None).await
}

async fn issue(State(page): State<Arc<Page>>, Path(number): Path<u64>, Query(looker): Query<Looker>) -> Response {
    page.show(Some(number), &looker, StatusCode::OK, None).await
}

async fn lost() -> Response {
    (StatusCode::NOT_FOUND, "There is no such page here.\n").into_response()
}

async fn style(State(page): State<Arc<Page>>) -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page.draw.style().to_owned()).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], draw::SCRIPT).into_response()
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

/// Answers with the number of the newest change, as soon as there is a newer one than `since`.
async fn changes(State(page): State<Arc<Page>>, Query(Since { since }): Query<Since>) -> Response {
    let mut changes = page.stage.changes();
    // A time-out, or a stage that ends: the number as it is.
    let _ = tokio::time::timeout(PATIENCE, changes.wait_for(|now| *now > since)).await;
    let now = changes.borrow().to_string();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], now).into_response()
}

async fn act(State(page): State<Arc<Page>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !page.guard.is_from_us(&parts.headers) {
        return (StatusCode::FORBIDDEN, "Only the page itself may send this.\n").into_response();
    }
    let form = match read(body).await {
        Ok(form) => form,
        Err((status, why)) => return (status, why).into_response(),
    };
    if !page.guard.is_our_token(form.get("token")) {
        let old = "This form is from an earlier run. Load the page again and repeat what you did.\n";
        return (StatusCode::FORBIDDEN, old).into_response();
    }
    let looker = Looker { who: form.get("as").to_owned(), example: String::new() };
    let shown = form.issue();
    let me = page.me(&looker);
    let ended = match form.act() {
        Ok(act) => page.stage.act(me, act).await,
        Err(why) => Err(why),
    };
    match ended {
        Ok(done) => {
            let path = done.issue.or(shown).map_or_else(|| "/".to_owned(), |number| format!("/issues/{number}"));
            let to = format!("{path}?as={}", utf8_percent_encode(me, QUERY));
            let mut answer = StatusCode::SEE_OTHER.into_response();
            if let Ok(to) = HeaderValue::from_str(&to) {
                answer.headers_mut().insert(header::LOCATION, to);
            }
            answer
        }
        Err(why) => page.show(shown, &looker, StatusCode::UNPROCESSABLE_ENTITY, Some(&why)).await,
    }
}

async fn read(mut body: Body) -> Result<form::Form, (StatusCode, &'static str)> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    // What is too long is taken to its end, and dropped: a browser that is cut off while it sends reads no answer.
    while length <= form::MOST_TAKEN {
        match body.frame().await.map(|frame| frame.map(|frame| frame.into_data())) {
            None => break,
            Some(Err(_broken_off)) => {
                return Err((
                    StatusCode::BAD_REQUEST,
                    "The form did not arrive whole. Nothing was changed. Send it again.\n",
                ));
            }
            Some(Ok(Err(_trailers))) => {}
            Some(Ok(Ok(data))) => {
                length += data.len();
                if length <= form::MOST_BYTES {
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
    if length > form::MOST_BYTES {
        let why = "That is longer than an issue may be. Nothing was changed. Shorten it and send it again.\n";
        return Err((StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    Ok(form::Form::parse(&bytes))
}

impl Page {
    /// The login of who looks: one of the cast, the first one where none is named.
    fn me(&self, looker: &Looker) -> &str {
        let cast = self.stage.cast();
        let found = cast.iter().find(|someone| someone.login == looker.who).or(cast.first());
        found.map(|someone| someone.login).unwrap_or_default()
    }

    async fn show(&self, number: Option<u64>, looker: &Looker, status: StatusCode, notice: Option<&str>) -> Response {
        // Before the scene is read: what changes meanwhile is told of by the next request for news.
        let version = *self.stage.changes().borrow();
        let scene = self.stage.scene(number).await;
        let status = if number.is_some() && scene.issue.is_none() { StatusCode::NOT_FOUND } else { status };
        let around = draw::Around {
            cast: self.stage.cast(),
            me: self.me(looker),
            token: self.guard.token(),
            version,
            number,
            example: &looker.example,
            notice,
        };
        match self.draw.page(&scene, &around) {
            Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page could not be drawn");
                (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be drawn. Nothing was lost.\n").into_response()
            }
        }
    }
}
