//! The client on the wire: what it sends beside the call, when a token is made and renewed, and what a broken line means.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wardroom::github::auth::Credentials;
use wardroom::github::types::RepoName;
use wardroom::github::{Error, GitHub};

use crate::port::{app, client, token};

/// No text may hold it.
const CANARY: &str = "ghs_canary";

/// What the server was asked, and how many tokens it made.
#[derive(Clone, Default)]
struct Seen {
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    minted: Arc<Mutex<usize>>,
    /// The newest token that is refused, by its number.
    refused: usize,
}

/// The least of GitHub: an App's tokens, numbered, and one issue that wants a token not refused.
async fn answer(State(seen): State<Seen>, request: Request) -> Response {
    let call = format!("{} {}", request.method(), request.uri().path());
    seen.asked.lock().unwrap().push((call.clone(), request.headers().clone()));
    let reply = |status: u16, body: Value| (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    let bearer = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    match call.split_once(' ').unwrap() {
        (_, path) if path.ends_with("/installation") => reply(200, json!({ "id": 5 })),
        (_, path) if path.ends_with("/access_tokens") => {
            let mut minted = seen.minted.lock().unwrap();
            *minted += 1;
            let token = format!("{CANARY}{minted}");
            reply(201, json!({ "token": token, "expires_at": "2100-01-01T00:00:00Z" }))
        }
        (_, path) if path.ends_with("/comments") => {
            let address = "/repositories/1/issues/7/comments";
            (StatusCode::TEMPORARY_REDIRECT, [("location", address)]).into_response()
        }
        _ if (0..=seen.refused).any(|n| bearer == Some(format!("Bearer {CANARY}{n}"))) => {
            reply(401, json!({ "message": "Bad credentials" }))
        }
        _ => reply(200, json!({ "number": 7, "title": "t" })),
    }
}

async fn serve(seen: Seen) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/api/v3", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn repo() -> RepoName {
    "octo/security".parse().unwrap()
}

fn calls(seen: &Seen) -> Vec<String> {
    seen.asked.lock().unwrap().iter().map(|(call, _)| call.clone()).collect()
}

#[tokio::test]
async fn many_calls_at_once_make_one_token() {
    let Some(app) = app(7) else { return };
    let seen = Seen::default();
    let address = serve(seen.clone()).await;
    let client = client(&address, &app, &repo());
    let (client, repo) = (&client, &repo());
    let read = || client.issue(repo, 7);
    let (a, b, c, d) = tokio::join!(read(), read(), read(), read());
    assert!([a, b, c, d].iter().all(Result::is_ok));
    assert_eq!(*seen.minted.lock().unwrap(), 1);
    let asked = seen.asked.lock().unwrap();
    let (_, headers) = asked.iter().find(|(call, _)| call.ends_with("/issues/7")).unwrap();
    assert_eq!(headers["authorization"], format!("Bearer {CANARY}1"));
    assert_eq!(headers["accept"], "application/vnd.github+json");
    assert_eq!(headers["x-github-api-version"], "2022-11-28");
    let agents: Vec<&str> = headers.get_all("user-agent").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(agents.iter().any(|agent| agent.starts_with("wardroom/")), "{agents:?}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let Some(app) = app(7) else { return };
    for (refused, ends_well) in [(1, true), (9, false)] {
        let seen = Seen { refused, ..Seen::default() };
        let client = client(&serve(seen.clone()).await, &app, &repo());
        let read = client.issue(&repo(), 7).await;
        if ends_well {
            assert_eq!(read.unwrap().title, "t")
        } else {
            assert_eq!(read.unwrap_err(), Error::Unauthorized)
        }
        assert_eq!(*seen.minted.lock().unwrap(), 2);
        let tries = calls(&seen).iter().filter(|call| call.ends_with("/issues/7")).count();
        assert_eq!(tries, 2, "the call that had no effect is made again, once");
    }
}

#[tokio::test]
async fn a_token_of_the_configuration_is_not_renewed_and_a_redirected_write_is_not_followed() {
    let seen = Seen::default();
    let client = client(&serve(seen.clone()).await, &token(&format!("{CANARY}0")), &repo());
    assert_eq!(client.issue(&repo(), 7).await.unwrap_err(), Error::Unauthorized);
    assert!(matches!(client.create_comment(&repo(), 7, "words").await, Err(Error::Moved { .. })));
    assert_eq!(
        calls(&seen),
        [
            "GET /api/v3/repos/octo/security/issues/7".to_owned(),
            "POST /api/v3/repos/octo/security/issues/7/comments".to_owned()
        ]
    );
}

/// A server that takes one request a connection, and answers with these bytes before it hangs up.
async fn breaks(with: &'static str) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(Mutex::new(0));
    let seen = count.clone();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let read = loop {
                line.readable().await.unwrap();
                match line.try_read(&mut request) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    read => break read.unwrap(),
                }
            };
            *seen.lock().unwrap() += usize::from(read > 0);
            line.writable().await.unwrap();
            line.try_write(with.as_bytes()).unwrap();
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_write_whose_answer_broke_off_is_unknown_and_is_sent_once() {
    let cut = "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"id\": 1, ";
    for with in ["", "HTTP/1.1 20", cut, "no http at all\r\n\r\n"] {
        let (address, count) = breaks(with).await;
        let client = client(&address, &token(CANARY), &repo());
        let error = client.create_comment(&repo(), 7, "secret words").await.unwrap_err();
        assert!(matches!(error, Error::Unknown { .. }), "{with:?}: {error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(CANARY) && !text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
        assert_eq!(*count.lock().unwrap(), 1, "{with:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_refused_carried_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&address, &token(CANARY), &repo());
    let error = client.create_comment(&repo(), 7, "words").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[test]
fn credentials_show_nothing() {
    let credentials: Credentials = token(CANARY);
    assert!(!format!("{credentials:?}").contains(CANARY));
}
