//! Posts signed deliveries as fast as they are answered, and says how fast that was: `URL SECRET BYTES CONNECTIONS SECONDS
//! [forged]`. One line of JSON: deliveries a second, median and 99th percentile in milliseconds, answers that were not 2xx.
//! `github` is a simulated GitHub, and `limit PORT SECRET` the same server without a store: what the machine allows.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wardroom::server::listen::listen;
use wardroom::sim::sign;

/// An `issues.edited` with a text before and after an edit: the checklist twice, as a tick does. `bytes` in all.
fn body(bytes: usize) -> String {
    let template = include_str!("../../templates/checklist.md");
    let half = bytes / 2 - 400;
    let text: String = template.chars().cycle().take(half * 9 / 10).collect();
    let payload = serde_json::json!({
        "action": "edited",
        "issue": { "number": 7, "title": "Incident 2026-001", "body": text, "labels": [{ "name": "incident" }],
                   "user": { "login": "wardroom[bot]", "id": 1 }, "updated_at": "2026-03-02T09:00:00Z" },
        "changes": { "body": { "from": text.replacen("- [ ]", "- [x]", 1) } },
        "repository": { "id": 1, "name": "security", "full_name": "octo/security", "owner": { "login": "octo", "id": 2 } },
        "sender": { "login": "alice", "id": 3 }, "installation": { "id": 9 },
    });
    payload.to_string()
}

async fn post(url: &str, head: &str, guid: &str, body: &str, socket: &mut Option<TcpStream>) -> u16 {
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let path = &url["http://".len() + address.len()..];
    let stream = match socket {
        Some(stream) => stream,
        None => socket.insert(TcpStream::connect(address).await.unwrap()),
    };
    stream.set_nodelay(true).unwrap();
    let request = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n{head}x-github-delivery: {guid}\r\n\r\n{body}");
    if stream.write_all(request.as_bytes()).await.is_err() {
        *socket = None;
        return 0;
    }
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                *socket = None;
                return 0;
            }
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let done = match length {
            Some(length) => rest.len() >= length,
            None => !head.contains("transfer-encoding") || rest.ends_with("0\r\n\r\n"),
        };
        if done || read == 0 {
            let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            if head.contains("connection: close") {
                *socket = None;
            }
            return status;
        }
    }
}

/// A simulated GitHub for the Wardroom that is measured, so that it does all its work.
async fn github() {
    let world = std::sync::Arc::new(wardroom::sim::World::new());
    let tracker = "octo/security".parse().unwrap();
    world.add_repo(&tracker, wardroom::sim::Visibility::Private);
    world.add_app("wardroom", &[tracker], &[("issues", "write"), ("metadata", "read"), ("contents", "read")]);
    let served = wardroom::sim::http::serve(world).await.unwrap();
    println!("{}", served.url);
    std::future::pending::<()>().await;
}

/// Wardroom's server with a handler that verifies and keeps nothing.
async fn limit(port: u16, secret: String) {
    let take = async move |headers: HeaderMap, body: axum::body::Bytes| {
        let signed = headers.get("x-hub-signature-256").is_some_and(|given| given == &sign(secret.as_bytes(), &body));
        if signed { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
    };
    let app = axum::Router::new().route("/webhook", axum::routing::post(take));
    let (_never, stop) = tokio::sync::watch::channel(false);
    listen(TcpListener::bind(("127.0.0.1", port)).await.unwrap(), app, stop).await;
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [github] if github == "github" => return self::github().await,
        [limit, port, secret] if limit == "limit" => return self::limit(port.parse().unwrap(), secret.clone()).await,
        _ => {}
    }
    let [url, secret, bytes, connections, seconds, more @ ..] = &words[..] else {
        eprintln!("usage: bench-serve URL SECRET BYTES CONNECTIONS SECONDS [forged]");
        std::process::exit(2);
    };
    let body = body(bytes.parse().unwrap());
    let signature = sign(if more.is_empty() { secret.as_bytes() } else { b"a guess" }, body.as_bytes());
    let head = format!(
        "content-type: application/json\r\ncontent-length: {}\r\nuser-agent: GitHub-Hookshot/bench\r\nx-github-event: \
         issues\r\nx-hub-signature-256: {signature}\r\n",
        body.len()
    );
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let began = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for connection in 0..connections.parse::<u64>().unwrap() {
        let (url, head, body) = (url.clone(), head.clone(), body.clone());
        all.spawn(async move {
            let (mut times, mut wrong, mut socket) = (Vec::new(), 0_u64, None);
            let run = u64::from(std::process::id());
            for n in 0_u64.. {
                let sent = Instant::now();
                if sent - began > time {
                    break;
                }
                let guid = format!("{run:08x}-0000-4000-{connection:04x}-{n:012x}");
                match post(&url, &head, &guid, &body, &mut socket).await {
                    200..=299 => times.push(sent.elapsed()),
                    _ => wrong += 1,
                }
            }
            (times, wrong)
        });
    }
    let (mut times, mut wrong) = (Vec::new(), 0);
    for (more, bad) in all.join_all().await {
        times.extend(more);
        wrong += bad;
    }
    let took = began.elapsed().as_secs_f64();
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let rate = (times.len() as f64) / took;
    println!(
        "{{\"rate\":{rate:.0},\"p50\":{:.2},\"p99\":{:.2},\"not_2xx\":{wrong},\"not_2xx_rate\":{:.0}}}",
        at(50),
        at(99),
        wrong as f64 / took
    );
}
