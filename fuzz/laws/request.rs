//! What holds for the receiver and intake whatever is sent. Used by the fuzz target and by `tests/request_laws.rs`.
//!
//! An input is one byte, header lines (`name: value`), an empty line and a body. The byte says whether the sender knows a
//! secret: nobody guesses an HMAC, so without that nothing would come past the first check.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use wardroom::domain::facts::RepoName;
use wardroom::domain::incident::Subject;
use wardroom::domain::policy::{Policy, Reports};
use wardroom::engine::intake;
use wardroom::server::webhook::{self, MOST_BYTES, Receiver};
use wardroom::sim::sign;
use wardroom::store::memory::MemoryStore;
use wardroom::store::{Delivery, Store};

const OLD: &str = "the secret of last year";
const NEW: &str = "the secret of this year";

/// The first byte of an input whose sender knows the secret, and signs. Any other signs nothing.
pub(crate) const SIGNED: u8 = b's';

/// The same with the secret of last year, which is taken too.
pub(crate) const SIGNED_BEFORE: u8 = b'o';

/// The same with a guess.
pub(crate) const FORGED: u8 = b'f';

pub(crate) const TRACKER: &str = "octo/security";
pub(crate) const REPORTS: &str = "octo/mail";

fn now() -> Timestamp {
    Timestamp::from_second(1_772_442_000).unwrap()
}

/// The headers and the body of an input, as HTTP would let them through.
fn request(input: &[u8]) -> (HeaderMap, &[u8]) {
    let (first, rest) = input.split_first().unwrap_or((&0, &[]));
    let end = rest.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let secret = match *first {
        SIGNED => Some(NEW),
        SIGNED_BEFORE => Some(OLD),
        FORGED => Some("a guess"),
        _ => None,
    };
    if let Some(secret) = secret {
        let signature = sign(secret.as_bytes(), body);
        headers.append("x-hub-signature-256", signature.parse().unwrap());
    }
    (headers, body)
}

/// What must be answered, by GitHub's documents and in the order in which it must be found out; 202 with what must be kept.
fn wanted(headers: &HeaderMap, body: &[u8]) -> Result<(String, String, Option<Vec<u8>>), u16> {
    let one = |name: &str| match headers.get_all(name).iter().collect::<Vec<_>>()[..] {
        [value] => value.to_str().ok().map(str::to_owned),
        _ => None,
    };
    let given = one("x-hub-signature-256").ok_or(401_u16)?;
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hex = given.strip_prefix("sha256=").filter(|hex| is_hex(hex)).ok_or(401_u16)?;
    if one("content-length").and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length > MOST_BYTES) {
        return Err(413);
    }
    if ![OLD, NEW].iter().any(|secret| sign(secret.as_bytes(), body)[7..].eq_ignore_ascii_case(hex)) {
        return Err(401);
    }
    let is_name = |text: &String| {
        let ours = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        !text.is_empty() && text.len() <= 100 && text.chars().all(ours)
    };
    let event = one("x-github-event").filter(is_name).ok_or(400_u16)?;
    let guid = one("x-github-delivery").filter(is_name).ok_or(400_u16)?;
    let kind = one("content-type").unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok((event, guid, Some(body.to_vec()))),
        "application/x-www-form-urlencoded" => {
            // Another decoder, which reads text only: bytes that are none it would change.
            let has_field = body.split(|byte| *byte == b'&').any(|field| field.starts_with(b"payload="));
            let read = form_urlencoded::parse(body).find(|(name, _)| name == "payload").map(|(_, value)| value);
            let kept = read.filter(|text| !text.contains('\u{FFFD}')).map(|text| text.into_owned().into_bytes());
            // A name may be written in other ways than GitHub's; those are not taken.
            if has_field { Ok((event, guid, kept.filter(|_| is_plain(body)))) } else { Err(400) }
        }
        _ => Err(415),
    }
}

/// Whether the names of a form's fields are written as GitHub writes them: without escapes, and with a value.
fn is_plain(form: &[u8]) -> bool {
    let has_value = |field: &&[u8]| *field != b"payload";
    let name = |field: &[u8]| field.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
    form.split(|byte| *byte == b'&').all(|field| has_value(&field) && !name(field).contains(&b'%'))
}

async fn answer(store: &Arc<MemoryStore>, headers: HeaderMap, body: &[u8]) -> (u16, usize) {
    let secrets = [OLD, NEW].map(|secret| SecretString::from(secret.to_owned())).to_vec();
    let receiver = Receiver::new(store.clone(), Arc::new(now), secrets).unwrap();
    let mut request = Request::post("/webhook").body(Body::from(body.to_vec())).unwrap();
    *request.headers_mut() = headers;
    let answer = TowerToHyperService::new(webhook::router(receiver)).call(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes().len())
}

/// Sends the input; panics where a law is broken. Returns the status, and how many incidents it asks to look at.
pub(crate) fn holds(input: &[u8]) -> (u16, usize) {
    let (headers, body) = request(input);
    let wanted = wanted(&headers, body);
    let store = Arc::new(MemoryStore::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (status, told) = runtime.block_on(answer(&store, headers, body));
    assert_eq!(told, 0, "an answer tells nothing but its status");
    let kept = runtime.block_on(store.waiting()).unwrap();
    match wanted {
        Err(wanted) => {
            assert_eq!(status, wanted);
            assert_eq!(kept, [], "what is refused is not kept");
            (status, 0)
        }
        Ok((event, guid, payload)) => {
            assert_eq!(status, 202);
            let [delivery] = &kept[..] else { panic!("{} are kept", kept.len()) };
            assert_eq!((&delivery.event, &delivery.guid, delivery.at), (&event, &guid, now()));
            assert!(payload.is_none_or(|payload| payload == delivery.body), "it is kept as it came");
            (status, asked(delivery))
        }
    }
}

/// Takes a delivery in. It may ask for a look at what is ours, and for nothing else.
fn asked(delivery: &Delivery) -> usize {
    let (tracker, reports): (RepoName, RepoName) = (TRACKER.parse().unwrap(), REPORTS.parse().unwrap());
    let ours = vec![reports.clone()];
    let policy = Policy { reports: Reports { repositories: ours, ..Reports::default() }, ..Policy::default() };
    let asked = intake::of_bytes(&delivery.event, &delivery.body, &policy, &tracker, None, now());
    let Ok(asked) = asked else { return 0 };
    assert!(matches!(delivery.event.as_str(), "issues" | "issue_comment"));
    assert!((1..=2).contains(&asked.subjects.len()) && asked.why_nothing.is_none());
    for subject in &asked.subjects {
        // A command of an operator, or a look, reads it back.
        assert_eq!(&subject.to_string().parse::<Subject>().unwrap(), subject);
        assert!(matches!(subject, Subject::Tracker(_)) || matches!(subject, Subject::Report(id) if id.repo == reports));
    }
    if let Some((number, _)) = &asked.edit {
        assert!(delivery.event == "issues" && asked.subjects.contains(&Subject::Tracker(*number)));
    }
    for (key, value, until) in &asked.facts {
        assert!(key.starts_with("floor ") || key.starts_with("asked "), "{key}");
        assert!(value.len() < 100 && *until > now() && *until <= now() + SignedDuration::from_hours(24));
    }
    asked.subjects.len()
}
