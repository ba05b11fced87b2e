//! Strangers before `wardroom serve`: what they send costs little, tells them nothing, and keeps nobody else waiting.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::town::{SECRET, Server, Town};
use wardroom::sim::http::send_webhook;
use wardroom::sim::{Delivery, sign};

const MIB: usize = 1024 * 1024;

fn connect(server: &Server) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap().strip_suffix("/webhook").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

fn head(length: usize, signature: &str) -> String {
    format!(
        "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\ncontent-type: application/json\r\n\
         x-github-event: issues\r\nx-github-delivery: guid\r\nx-hub-signature-256: {signature}\r\nconnection: close\r\n\r\n"
    )
}

/// Sends all of it, and returns the status; 0 if it was cut off without one.
fn status(mut socket: TcpStream, parts: &[&[u8]]) -> u16 {
    for part in parts {
        if socket.write_all(part).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _reset = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    assert_eq!(body, "", "no detail");
    head.split(' ').nth(1).map_or(0, |code| code.parse().unwrap())
}

/// The most memory that the process ever had in use, in bytes.
fn peak(server: &Server) -> usize {
    memory(server, "VmHWM:")
}

/// The most of it that was its own: without the program's text, which is several times larger in a debug build.
fn own_peak(server: &Server) -> usize {
    peak(server) - memory(server, "RssFile:")
}

fn memory(server: &Server, name: &str) -> usize {
    let id = server.child.lock().unwrap().id();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A genuine delivery is taken, and quickly: nobody else is kept waiting.
async fn is_served(server: &Server, guid: &str) {
    let payload = serde_json::json!({ "zen": "x" });
    let delivery = Delivery { guid: guid.to_owned(), event: "ping".to_owned(), payload };
    let began = Instant::now();
    assert_eq!(send_webhook(&server.url, SECRET.as_bytes(), &delivery).await, Ok(202), "{guid}");
    assert!(began.elapsed() < Duration::from_secs(5), "{guid} waited for {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_forged_deliveries_of_25_mib_fit_into_64_mib() {
    let town = Town::new().await;
    let server = town.start();
    println!("at most {} MiB before", peak(&server) / MIB);
    let log_before = town.log().len();
    let body = vec![b'x'; 25 * MIB];
    let forged = sign(b"a guess", &body);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let send = || status(connect(&server), &[head(body.len(), &forged).as_bytes(), &body]);
        let all: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    // Whoever waits for room for longer than GitHub would is let go.
    assert!(answers.iter().all(|status| matches!(status, 401 | 408)) && answers.contains(&401), "{answers:?}");
    let peak = peak(&server);
    println!("at most {} MiB in use", peak / MIB);
    assert!(peak < 64 * MIB, "{peak} bytes were in use");
    is_served(&server, "after").await;
    assert!(town.operator().deliveries(10).unwrap().iter().all(|kept| kept.guid == "after"));
    let logged = town.log().len() - log_before;
    assert!(logged <= 16 * 300 + 1000, "{logged} bytes of log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_forged_deliveries_of_25_mib_keep_no_genuine_one_out() {
    let town = Town::new().await;
    let server = town.start();
    let body = Arc::new(vec![b'x'; 25 * MIB]);
    let forged = head(body.len(), &sign(b"a guess", &body));
    let strangers: Vec<_> = (0..100)
        .map(|_| {
            let (socket, forged, body) = (connect(&server), forged.clone(), body.clone());
            std::thread::spawn(move || status(socket, &[forged.as_bytes(), &body]))
        })
        .collect();
    for n in 0..10 {
        is_served(&server, &format!("among-{n}")).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let answers: Vec<u16> = strangers.into_iter().map(|one| one.join().unwrap()).collect();
    // Who is cut off while it still sends may miss the answer.
    assert!(answers.iter().all(|status| matches!(status, 0 | 401 | 408 | 503)), "{answers:?}");
    assert!(answers.contains(&503) && answers.contains(&401), "{answers:?}");
    let peak = own_peak(&server);
    println!("at most {} MiB of its own", peak / MIB);
    assert!(peak < 48 * MIB, "{peak} bytes were in use");
    is_served(&server, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_that_stop_in_the_middle_of_much_keep_no_genuine_one_out() {
    let town = Town::new().await;
    let server = town.start();
    let head = head(400_000, &sign(b"a guess", b""));
    let part = vec![b'x'; 250_000];
    let stalled: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut socket = connect(&server);
            socket.write_all(head.as_bytes()).unwrap();
            // What does not fit into the socket's own memory is not sent before there is room.
            socket.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
            let _no_room_yet = socket.write_all(&part);
            socket
        })
        .collect();
    for n in 0..3 {
        is_served(&server, &format!("among-{n}")).await;
    }
    let began = Instant::now();
    for mut socket in stalled {
        let _reset = socket.read_to_end(&mut Vec::new());
    }
    assert!(began.elapsed() < Duration::from_secs(12), "they are let go: {:?}", began.elapsed());
    assert!(own_peak(&server) < 48 * MIB);
    is_served(&server, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_only_announce_or_send_slowly_keep_nobody_waiting() {
    let town = Town::new().await;
    let server = town.start();
    let signature = sign(b"a guess", b"");
    let slow: Vec<TcpStream> = (0..300)
        .map(|n| {
            let mut socket = connect(&server);
            // A third sends half a head, a third announces much and sends nothing, a third stops in the middle.
            let whole = head(if n % 3 == 1 { 25 * MIB } else { 400_000 }, &signature);
            let text = if n % 3 == 0 { &whole[..60] } else { &whole };
            socket.write_all(text.as_bytes()).unwrap();
            if n % 3 == 2 {
                socket.write_all(&[b'x'; 1000]).unwrap();
            }
            socket
        })
        .collect();
    is_served(&server, "among").await;
    let began = Instant::now();
    for mut socket in slow {
        let _reset = socket.read_to_end(&mut Vec::new());
    }
    assert!(began.elapsed() < Duration::from_secs(15), "they are let go: {:?}", began.elapsed());
    is_served(&server, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_headers_and_what_is_no_http_is_turned_away() {
    let town = Town::new().await;
    let server = town.start();
    let many: String = (0..5000).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(MIB));
    for more in [&many, &long] {
        let text = format!("POST /webhook HTTP/1.1\r\nhost: x\r\n{more}\r\n");
        assert!(matches!(status(connect(&server), &[text.as_bytes()]), 0 | 400 | 431));
    }
    for noise in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\0\0\0\0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        assert!(matches!(status(connect(&server), &[noise]), 0 | 400 | 505));
    }
    assert!(peak(&server) < 64 * MIB);
    is_served(&server, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_are_all_kept() {
    let town = Town::new().await;
    let server = town.start();
    let text = "- [ ] a task of the checklist\r\n".repeat(700);
    let mut all = tokio::task::JoinSet::new();
    for n in 0..1000 {
        let payload = serde_json::json!({ "issue": { "body": text } });
        let delivery = Delivery { guid: format!("guid-{n}"), event: "ping".to_owned(), payload };
        let url = server.url.clone();
        all.spawn(async move { send_webhook(&url, SECRET.as_bytes(), &delivery).await });
    }
    let answers = all.join_all().await;
    assert!(answers.iter().all(|answer| *answer == Ok(202)), "{answers:?}");
    // As a process would that is killed now: nothing is only in memory.
    server.kill();
    assert_eq!(town.operator().deliveries(2000).unwrap().len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_payloads_that_are_bombs_are_kept_and_looked_at_by_nobody() {
    let town = Town::new().await;
    let server = town.start();
    let deep = "[".repeat(5 * MIB);
    let wide = format!("{{\"issue\":[{}0]}}", "0,".repeat(4 * MIB));
    let keys: String = (0..200_000).map(|n| format!("\"{n}\":{{}},")).collect();
    let keys = format!("{{{keys}\"issue\":{{\"number\":1e999}}}}");
    for (index, bomb) in [deep, wide, keys].iter().enumerate() {
        let signature = sign(SECRET.as_bytes(), bomb.as_bytes());
        let head = head(bomb.len(), &signature).replace("delivery: guid", &format!("delivery: bomb-{index}"));
        assert_eq!(status(connect(&server), &[head.as_bytes(), bomb.as_bytes()]), 202);
    }
    let taken = || {
        let kept = town.operator().deliveries(10).unwrap();
        kept.len() == 3 && kept.iter().all(|kept| !kept.waiting && kept.subjects.is_empty())
    };
    town.until("all are taken in", taken).await;
    is_served(&server, "after").await;
    assert!(server.stop().await.success());
}
