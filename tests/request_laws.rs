//! The laws of the receiver and of intake, driven by GitHub's events, whole and damaged; `cargo fuzz run request` drives the
//! same laws.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proptest::prelude::*;
use support::room::{Room, repo};

#[path = "../fuzz/laws/request.rs"]
mod law;

use law::{FORGED, REPORTS, SIGNED, SIGNED_BEFORE, TRACKER, holds};

const JSON: &str = "content-type: application/json";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// An input of the law.
fn input(first: u8, headers: &[&str], body: &[u8]) -> Vec<u8> {
    [&[first], headers.join("\n").as_bytes(), b"\n\n", body].concat()
}

/// Headers as GitHub sends them.
fn headers<'a>(event: &'a str, kind: &'a str) -> [&'a str; 3] {
    [event, "x-github-delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958", kind]
}

/// What GitHub sends while a team works: reports, labels, edits, commands, our own writes, and what is not ours.
fn events() -> &'static [Vec<u8>] {
    static EVENTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut room = Room::new();
        assert_eq!(room.tracker, repo(TRACKER));
        let (rita, bob) = ("rita", "bob");
        let report = room.as_(rita).open_issue(&repo(REPORTS), "Crash", "It dies.", &[]).unwrap();
        room.as_("alice").label(&repo(REPORTS), report, "security-report").unwrap();
        room.report("Another", "It dies too.");
        let mut all = Vec::new();
        runtime.block_on(async {
            loop {
                for delivery in room.world.take_deliveries() {
                    room.receive_one(&delivery).await;
                    all.push(delivery);
                }
                if room.step().await.is_none() {
                    break;
                }
            }
        });
        let incident = room.incident();
        room.as_(bob).tick(&room.tracker, incident, "T1").unwrap();
        room.as_(bob).set_field(&room.tracker, incident, "Severity Level", "high").unwrap();
        room.as_(bob).comment(&room.tracker, incident, "/wardroom severity critical").unwrap();
        room.as_("alice").close(&room.tracker, incident, "completed").unwrap();
        let plain = room.as_(bob).open_issue(&room.tracker, "A chore", "Sweep the deck.", &[]).unwrap();
        room.as_(bob).comment(&room.tracker, plain, "/wardroom adopt").unwrap();
        all.extend(room.world.take_deliveries());
        let form = |payload: &[u8]| {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("payload", std::str::from_utf8(payload).unwrap()).finish().into_bytes()
        };
        let inputs = all.iter().flat_map(|delivery| {
            let payload = serde_json::to_vec(&delivery.payload).unwrap();
            let event = format!("x-github-event: {}", delivery.event);
            let form = input(SIGNED_BEFORE, &headers(&event, FORM), &form(&payload));
            [input(SIGNED, &headers(&event, JSON), &payload), form]
        });
        inputs.collect()
    })
}

#[test]
fn what_github_sends_is_kept_and_asks_for_what_it_is_about() {
    let mut looks = BTreeMap::new();
    for event in events() {
        let (status, subjects) = holds(event);
        assert_eq!(status, 202);
        *looks.entry(subjects).or_insert(0) += 1;
    }
    println!("{} events; how many ask for so many looks: {looks:?}", events().len());
    assert!(looks[&0] > 0 && looks[&1] >= 10, "{looks:?}");
}

#[test]
fn each_way_of_being_wrong_is_answered_with_its_own_status() {
    let issues = "x-github-event: issues";
    let good = headers(issues, JSON);
    let huge = format!("content-length: {}", 25 * 1024 * 1024 + 1);
    for (first, headers, body, status) in [
        (SIGNED, &good[..], &b"{}"[..], 202),
        (FORGED, &good, b"{}", 401),
        (b'-', &good, b"{}", 401),
        (SIGNED, &[&good[..], &["x-hub-signature-256: sha256=00"]].concat(), b"{}", 401),
        (SIGNED, &[&good[..], &[&huge]].concat(), b"{}", 413),
        (SIGNED, &good[1..], b"{}", 400),
        (SIGNED, &[issues, JSON], b"{}", 400),
        (SIGNED, &[&good[..], &[issues]].concat(), b"{}", 400),
        (SIGNED, &headers(issues, FORM), b"load=%7B%7D", 400),
        (SIGNED, &headers(issues, "content-type: text/plain"), b"{}", 415),
        (SIGNED, &good[..2], b"{}", 415),
        (SIGNED, &good, b"\xff[", 202),
    ] {
        assert_eq!(holds(&input(first, headers, body)), (status, 0), "{headers:?} {body:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_kept(bytes: Vec<u8>) {
        holds(&bytes);
    }

    #[test]
    fn any_headers_and_any_body_are_refused_or_kept(
        first in prop_oneof![Just(SIGNED), Just(SIGNED_BEFORE), Just(FORGED), Just(b'-')],
        names in prop::collection::vec("(X-GitHub-Event|x-github-delivery|Content-Type|content-length|x-hub-signature-256): [ -~]{0,40}", 0..6),
        body: Vec<u8>,
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        holds(&input(first, &names, &body));
    }

    #[test]
    fn a_damaged_event_is_refused_or_kept(
        which: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::collection::vec(any::<u8>(), 0..6)), 1..4),
    ) {
        let mut bytes = which.get(events()).clone();
        for (at, gone, put) in damage {
            let at = at.index(bytes.len());
            let end = (at + gone).min(bytes.len());
            bytes.splice(at..end, put);
        }
        holds(&bytes);
    }

    #[test]
    fn an_event_with_other_values_is_kept_and_asks_for_what_is_ours(
        which: prop::sample::Index,
        at: prop::sample::Index,
        value in prop::sample::select(vec![
            "null", "0", "-1", "1e999", "18446744073709551616", "\"\"", "[]", "{}", "true", "\"octo/security\"", "\"octo/mail\"",
            "\"a\\u0000\\n\\u202e/b\"", "\"9999-12-31T23:59:59Z\"", "\"-009999-01-01T00:00:00Z\"", "\"\\ud800\"",
        ]),
    ) {
        // Every second one is JSON.
        let event = &events()[which.index(events().len() / 2) * 2];
        let text = std::str::from_utf8(event).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap();
        // After a colon stands a value: a word, a number, a text, or the beginning of something larger.
        let colons: Vec<usize> = body.match_indices("\":").map(|(at, _)| at + 2).collect();
        let begins = colons[at.index(colons.len())];
        let mut old = serde_json::Deserializer::from_str(&body[begins..]).into_iter::<serde_json::Value>();
        prop_assume!(old.next().is_some_and(|value| value.is_ok()));
        let ends = begins + old.byte_offset();
        let damaged = format!("{head}\n\n{}{value}{}", &body[..begins], &body[ends..]);
        prop_assert_eq!(holds(damaged.as_bytes()).0, 202);
    }
}
