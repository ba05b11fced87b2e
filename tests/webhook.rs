//! The webhook receiver over a real socket: what is signed is kept, all else learns a status and nothing more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use wardroom::domain::incident::Subject;
use wardroom::engine::Engine;
use wardroom::server::metrics::Metrics;
use wardroom::server::webhook::{self, MOST_BYTES, Receiver, SecretError};
use wardroom::sim::{self, World};
use wardroom::store::Store;
use wardroom::store::memory::MemoryStore;

use support::room::Room;

/// GitHub's own example (GitHub Docs, "Validating webhook deliveries").
const DOCS_SECRET: &str = "It's a Secret to Everybody";
const DOCS_BODY: &str = "Hello, World!";
const DOCS_SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

const OLD: &str = "the secret of last year";
const NEW: &str = "the secret of this year";

fn receiver(engine: &Engine, secrets: Vec<SecretString>) -> Result<Receiver, SecretError> {
    Receiver::new(engine.store.clone(), engine.clock.clone(), secrets)
}

/// What was counted.
struct Counts(Arc<Metrics>);

impl Counts {
    fn kept(&self) -> u64 {
        ["issues", "ping", "push"]
            .iter()
            .map(|event| self.0.deliveries(event, "kept") + self.0.deliveries(event, "again"))
            .sum()
    }

    fn refused(&self) -> u64 {
        [400, 401, 408, 413, 415, 503].iter().map(|status| self.0.deliveries("unverified", &status.to_string())).sum()
    }
}

/// A receiver on a socket, with the team's simulated GitHub behind its engine.
struct Post {
    address: String,
    world: Arc<World>,
    store: Arc<MemoryStore>,
    counts: Counts,
    engine: Arc<Engine>,
    tracker: wardroom::domain::facts::RepoName,
}

impl Post {
    async fn open(secrets: &[&str], patience: Duration) -> Post {
        let Room { world, store, engine, tracker, .. } = Room::new();
        let engine = Arc::new(engine);
        let receiver = receiver(&engine, secrets.iter().map(|text| secret(text)).collect()).unwrap();
        let receiver = receiver.with_patience(patience);
        let counts = Counts(receiver.metrics());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, webhook::router(receiver)).await.unwrap() });
        Post { address, world, store, counts, tracker, engine }
    }

    async fn new() -> Post {
        Post::open(&[OLD, NEW], Duration::from_secs(10)).await
    }

    /// A labelled report's deliveries, as they would be sent.
    fn report(&self) -> Vec<sim::Delivery> {
        let rita = self.world.person("rita");
        let number = rita.open_issue(&self.tracker, "It crashes", "A canary-in-a-body", &[]).unwrap();
        self.world.person("alice").label(&self.tracker, number, "security-report").unwrap();
        self.world.take_deliveries()
    }

    /// Sends raw bytes and returns the status and the body of the answer.
    async fn send(&self, request: &[u8]) -> (u16, String) {
        let (address, request) = (self.address.clone(), request.to_vec());
        tokio::task::spawn_blocking(move || exchange(&address, &request)).await.unwrap()
    }

    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        self.send(&request(headers, body)).await
    }

    async fn status(&self, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let (status, text) = self.post(headers, body).await;
        assert_eq!(text, "", "no detail");
        status
    }

    async fn waiting(&self) -> Vec<String> {
        self.engine.take_in().await.unwrap();
        self.store.rows().await.unwrap().iter().map(|row| row.subject.to_string()).collect()
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn request(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("connection: close\r\n\r\n");
    [text.as_bytes(), body].concat()
}

fn exchange(address: &str, request: &[u8]) -> (u16, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The receiver may answer and close before it has read all, which cuts off the one and resets the other.
    let _cut_off = socket.write_all(request);
    let mut bytes = Vec::new();
    let _reset = socket.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// HMAC-SHA256 by the book (RFC 2104), not by the library that the receiver uses.
fn sign(secret: &str, body: &[u8]) -> String {
    let mut key = [0_u8; 64];
    if secret.len() > 64 {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret.as_bytes());
    }
    let inner = Sha256::digest([&key.map(|byte| byte ^ 0x36)[..], body].concat());
    let outer = Sha256::digest([&key.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat());
    let hex: String = outer.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn headers<'a>(event: &'a str, guid: &'a str, signature: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("x-github-event", event),
        ("x-github-delivery", guid),
        ("x-hub-signature-256", signature),
        ("content-type", "application/json"),
    ]
}

#[test]
fn the_book_agrees_with_githubs_example() {
    assert_eq!(sign(DOCS_SECRET, DOCS_BODY.as_bytes()), DOCS_SIGNATURE);
}

#[tokio::test]
async fn no_receiver_without_a_secret_or_with_an_empty_one() {
    let engine = || Arc::new(Room::new().engine);
    assert_eq!(receiver(&engine(), Vec::new()).err(), Some(SecretError::Missing));
    assert_eq!(receiver(&engine(), vec![secret(NEW), secret("")]).err(), Some(SecretError::Empty));
}

#[tokio::test]
async fn githubs_own_example_is_kept_and_asks_for_nothing() {
    let post = Post::open(&[DOCS_SECRET], Duration::from_secs(10)).await;
    assert_eq!(post.status(&headers("ping", "guid-1", DOCS_SIGNATURE), DOCS_BODY.as_bytes()).await, 202);
    assert_eq!((post.counts.kept(), post.counts.refused()), (1, 0));
    assert!(post.waiting().await.is_empty());
}

#[tokio::test]
async fn a_labelled_report_becomes_due_and_either_secret_signs() {
    let post = Post::new().await;
    for (delivery, secret) in post.report().iter().zip([OLD, NEW]) {
        let body = serde_json::to_vec(&delivery.payload).unwrap();
        let signature = sign(secret, &body);
        assert_eq!(post.status(&headers(&delivery.event, &delivery.guid, &signature), &body).await, 202);
    }
    assert!(post.world.calls().is_empty(), "nothing is asked of GitHub while GitHub waits for the answer");
    assert_eq!(post.waiting().await, ["report octo/security#1"]);
    assert_eq!((post.counts.kept(), post.counts.refused()), (2, 0));
}

#[tokio::test]
async fn what_is_not_signed_as_it_should_be_learns_nothing() {
    let post = Post::new().await;
    let delivery = post.report().remove(1);
    let body = serde_json::to_vec(&delivery.payload).unwrap();
    let good = sign(NEW, &body);
    let upper = good.to_uppercase().replace("SHA256=", "sha256=");
    let mut wrong = vec![
        String::new(),
        "sha256=".to_owned(),
        sign("a secret of nobody", &body),
        sign(NEW, &body[1..]),
        sign("", &body),
        good.replace("sha256=", ""),
        good.replace("sha256=", "sha1="),
        good[..good.len() - 2].to_owned(),
        format!("{good}00"),
        format!("{good},{good}"),
    ];
    // One bit of each byte.
    let flipped = |at: usize| {
        let mut text = good.clone().into_bytes();
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        String::from_utf8(text).unwrap()
    };
    wrong.extend((7..good.len()).step_by(2).map(flipped));
    for signature in &wrong {
        let answer = post.post(&headers("issues", "guid-1", signature), &body).await;
        assert_eq!(answer, (401, String::new()), "{signature}");
    }
    let unsigned: Vec<_> =
        headers("issues", "guid-1", &good).into_iter().filter(|(name, _)| !name.contains("sig")).collect();
    assert_eq!(post.status(&unsigned, &body).await, 401);
    let twice = [headers("issues", "guid-1", &good), vec![("x-hub-signature-256", good.as_str())]].concat();
    assert_eq!(post.status(&twice, &body).await, 401, "of two signatures none counts");
    let mut changed = body.clone();
    *changed.last_mut().unwrap() = b' ';
    assert_eq!(post.status(&headers("issues", "guid-1", &good), &changed).await, 401);

    assert!(post.waiting().await.is_empty());
    assert_eq!((post.counts.kept(), post.counts.refused()), (0, wrong.len() as u64 + 3));
    assert_eq!(post.status(&headers("issues", "guid-1", &upper), &body).await, 202, "hex is hex");
}

#[tokio::test]
async fn a_signed_delivery_needs_its_headers_and_a_kind_that_github_sends() {
    let post = Post::new().await;
    let signature = sign(NEW, b"{}");
    let all = headers("issues", "guid-1", &signature);
    for name in ["x-github-event", "x-github-delivery"] {
        let without: Vec<_> = all.iter().copied().filter(|(header, _)| *header != name).collect();
        assert_eq!(post.status(&without, b"{}").await, 400, "{name}");
    }
    for hostile in ["", " ", "a b", "../../etc/passwd", "{{x}}", "é", "\u{1b}[2J", "issues\tx", &"x".repeat(101)] {
        assert_eq!(post.status(&headers(hostile, "guid-1", &signature), b"{}").await, 400, "{hostile:?}");
        assert_eq!(post.status(&headers("issues", hostile, &signature), b"{}").await, 400, "{hostile:?}");
    }
    for kind in ["text/plain", "application/jsonp", "multipart/form-data"] {
        let mut other = all.clone();
        other[3].1 = kind;
        assert_eq!(post.status(&other, b"{}").await, 415, "{kind}");
    }
    assert_eq!(post.status(&all[..3], b"{}").await, 415, "no kind at all");
    assert_eq!(post.counts.kept(), 0);
}

#[tokio::test]
async fn only_post_webhook_is_there() {
    let post = Post::new().await;
    for (method, path, status) in [("GET", "/webhook", 405), ("PUT", "/webhook", 405), ("POST", "/", 404)] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        assert_eq!(post.send(request.as_bytes()).await, (status, String::new()), "{method} {path}");
    }
}

#[tokio::test]
async fn a_form_is_signed_as_it_was_sent_and_read_as_json() {
    let post = Post::new().await;
    let delivery = post.report().remove(1);
    let json = serde_json::to_string(&delivery.payload).unwrap();
    let encoded: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("payload={}", encoded.replace("%20", "+"));
    let signature = sign(NEW, form.as_bytes());
    let mut headers = headers("issues", "guid-1", &signature);
    headers[3].1 = "application/x-www-form-urlencoded";
    assert_eq!(post.status(&headers, form.as_bytes()).await, 202);
    assert_eq!(post.waiting().await, ["report octo/security#1"]);

    let empty = sign(NEW, b"other=1");
    headers[2].1 = &empty;
    assert_eq!(post.status(&headers, b"other=1").await, 400);
}

#[tokio::test]
async fn a_redelivery_is_taken_and_asks_again() {
    let post = Post::new().await;
    let delivery = post.report().remove(1);
    let body = serde_json::to_vec(&delivery.payload).unwrap();
    let signature = sign(NEW, &body);
    let headers = headers("issues", &delivery.guid, &signature);
    assert_eq!(post.status(&headers, &body).await, 202);
    assert_eq!(post.waiting().await.len(), 1);
    let now = post.world.now() + jiff::SignedDuration::from_secs(60);
    let lease = post.store.claim(now).await.unwrap().unwrap();
    post.store.finish(&lease, wardroom::store::Finished::Done(None), wardroom::store::Told::default()).await.unwrap();
    assert_eq!(post.store.next_due().await.unwrap(), None);

    assert_eq!(post.status(&headers, &body).await, 202);
    post.waiting().await;
    assert!(post.store.next_due().await.unwrap().is_some(), "someone asked for it again");
}

#[tokio::test]
async fn signed_and_strange_is_kept_and_nothing_is_looked_at() {
    let post = Post::new().await;
    let strange: [&[u8]; 7] =
        [b"", b"{", b"\0\0", b"[]", b"\xff\xfe", br#"{"issue":{"number":-1},"repository":{}}"#, br#""text""#];
    for (index, body) in strange.iter().enumerate() {
        let signature = sign(NEW, body);
        let guid = format!("guid-{index}");
        assert_eq!(post.status(&headers("issues", &guid, &signature), body).await, 202, "{body:?}");
    }
    assert_eq!(post.counts.kept(), 7);
    assert!(post.waiting().await.is_empty());
}

#[tokio::test]
async fn nothing_of_a_body_reaches_the_log() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Log(log.clone());
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let post = Post::new().await;
    for delivery in post.report() {
        let body = serde_json::to_vec(&delivery.payload).unwrap();
        let good = sign(NEW, &body);
        for (event, body, signature) in [
            ("issues", &body[..], good.as_str()),
            ("push", &body[..], good.as_str()),
            ("issues", &body[..], "sha256=00"),
            ("issues", &body[1..], &sign(NEW, &body[1..])),
        ] {
            post.post(&headers(event, &delivery.guid, signature), body).await;
        }
        post.engine.take_in().await.unwrap();
    }
    assert_eq!((post.counts.kept(), post.counts.refused()), (6, 2));
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a delivery was refused"), "the log is heard at all: {log}");
    assert!(log.contains("the payload names no repository and issue"), "{log}");
    for canary in ["canary", "It crashes", "rita", "octo", OLD, NEW] {
        assert!(!log.contains(canary), "{canary}: {log}");
    }
}

/// A log to read afterwards.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_payload_of_25_mib_is_taken_and_one_byte_more_is_not() {
    let post = Post::new().await;
    let mut largest = vec![b' '; MOST_BYTES];
    largest[0] = b'{';
    largest[1] = b'}';
    let signature = sign(NEW, &largest);
    assert_eq!(post.status(&headers("push", "guid-1", &signature), &largest).await, 202);

    largest.push(b' ');
    let signature = sign(NEW, &largest);
    assert_eq!(post.status(&headers("push", "guid-2", &signature), &largest).await, 413, "by its length");
    // The length is not told beforehand: chunks.
    let mut text = String::from("POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n");
    for (name, value) in headers("push", "guid-3", &signature) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("connection: close\r\n\r\n{:x}\r\n", largest.len()));
    let request = [text.as_bytes(), &largest, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(post.send(&request).await, (413, String::new()), "by counting");
    assert_eq!(post.counts.kept(), 1);
}

#[tokio::test]
async fn a_slow_client_is_let_go() {
    let post = Post::open(&[NEW], Duration::from_millis(100)).await;
    let body = b"{\"action\":\"opened\"}";
    let signature = sign(NEW, body);
    let whole = request(&headers("issues", "guid-1", &signature), body);
    assert_eq!(post.send(&whole[..whole.len() - 1]).await, (408, String::new()));
    assert_eq!(post.counts.kept(), 0);
    // Others are served meanwhile and after.
    assert_eq!(post.status(&headers("issues", "guid-1", &signature), body).await, 202);
}

#[tokio::test]
async fn the_worker_opens_what_the_receiver_took_and_ends_when_asked() {
    let Room { world, engine, tracker, .. } = Room::new();
    let engine = Arc::new(engine);
    let receiver = receiver(&engine, vec![secret(NEW)]).unwrap();
    let bell = receiver.arrived();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let worker = {
        let engine = engine.clone();
        let (metrics, rounds) = (receiver.metrics(), wardroom::server::rounds::Rounds::never());
        tokio::spawn(async move { wardroom::server::run_worker(&engine, &bell, &metrics, rounds, stopped).await })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, webhook::router(receiver)).await.unwrap() });
    let number = world.person("rita").open_issue(&tracker, "It crashes", "Badly", &[]).unwrap();
    world.person("alice").label(&tracker, number, "security-report").unwrap();
    // The world's clock stands still; the worker asks it when it wakes. Deliveries wake it: the last one after the quiet.
    let deliveries = world.take_deliveries();
    for delivery in &deliveries {
        assert_eq!(sim::http::send_webhook(&url, NEW.as_bytes(), delivery).await, Ok(202));
    }
    world.advance(jiff::SignedDuration::from_secs(20));
    assert_eq!(sim::http::send_webhook(&url, NEW.as_bytes(), &deliveries[0]).await, Ok(202));
    let opened = async {
        while !world.issues_of(&tracker).iter().any(|issue| issue.title.starts_with("Incident")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), opened).await.unwrap();
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(30), worker).await.unwrap().unwrap();
    assert!(engine.known_me().is_some());
    let rows = engine.store.rows().await.unwrap();
    assert!(rows.iter().any(|row| row.subject == Subject::Tracker(2)), "{rows:?}");
}
