//! The webhooks that the simulated GitHub sends: GitHub's schemas know them, and GitHub's own library accepts their
//! signatures.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use wardroom::domain::facts::{RepoName, Role};
use wardroom::sim::{Visibility, http as sim_http};

use crate::simulated::Stage;
use crate::support::npm;
use crate::support::webhooks::validate_webhook;

const SECRET: &str = "a secret with an umlaut: ä";

/// What a receiver got: headers and the body as it was sent.
type Received = Arc<Mutex<Vec<(HeaderMap, String)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    received.lock().unwrap().push((headers, body));
    StatusCode::ACCEPTED
}

async fn receiver() -> (String, Received) {
    let received = Received::default();
    let router = Router::new().route("/webhook", post(receive)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

/// People do on the pages all that makes GitHub send something.
fn a_busy_day(stage: &Stage) {
    let (world, tracker) = (&stage.world, &stage.tracker);
    let mails: RepoName = "octo/mail".parse().unwrap();
    world.add_repo(&mails, Visibility::Private);
    for repo in [tracker, &mails] {
        world.add_user("bob");
        world.collaborator(repo, "bob", Role::Write);
        world.collaborator(repo, "ada", Role::Admin);
    }
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let body = "- [ ] Reproduce the vulnerability\n- **Severity**: `<critical|high>`\n\u{202e}\u{0}<!-- -->";
    let issue = ada.open_issue(tracker, "A hole 🕳️", body, &["security-report"]).unwrap();
    ada.tick(tracker, issue, "Reproduce").unwrap();
    bob.set_field(tracker, issue, "Severity", "high").unwrap();
    bob.label(tracker, issue, "phase/1-assessment").unwrap();
    bob.unlabel(tracker, issue, "phase/1-assessment").unwrap();
    let comment = bob.comment(tracker, issue, "/wardroom help").unwrap();
    ada.edit_comment(tracker, comment, "/wardroom pause").unwrap();
    ada.delete_comment(tracker, comment).unwrap();
    ada.close(tracker, issue, "not_planned").unwrap();
    ada.reopen(tracker, issue).unwrap();
    ada.lock(tracker, issue).unwrap();
    let second = bob.open_issue(tracker, "Another one", "", &[]).unwrap();
    ada.transfer(tracker, second, &mails).unwrap();
    let third = bob.open_issue(tracker, "To be forgotten", "", &[]).unwrap();
    ada.close(tracker, third, "duplicate").unwrap();
    ada.delete_issue(tracker, third).unwrap();
    ada.make_public(tracker).unwrap();
    world.add_user("eve");
    let vulnerability =
        json!([{ "package": { "ecosystem": "other", "name": "mail" }, "vulnerable_version_range": "< 2" }]);
    let fields = json!({ "summary": "A hole", "description": "Deep.", "vulnerabilities": vulnerability });
    let report = world.person("eve").report_with(&stage.mail, &fields).unwrap();
    ada.edit_advisory(&stage.mail, &report, &json!({ "state": "draft" })).unwrap();
    ada.publish_advisory(&stage.mail, &report).unwrap();
}

#[tokio::test]
async fn webhooks_are_githubs_and_signed_as_github_signs() {
    let stage = Stage::new();
    a_busy_day(&stage);
    let sent = stage.world.take_deliveries();
    let (url, received) = receiver().await;
    for delivery in &sent {
        assert_eq!(sim_http::send_webhook(&url, SECRET.as_bytes(), delivery).await, Ok(202));
    }
    let received = received.lock().unwrap().clone();
    assert_eq!(received.len(), sent.len());

    let mut kinds = BTreeSet::new();
    let mut guids = BTreeSet::new();
    let mut checks: Vec<Value> = Vec::new();
    let mut wrong = Vec::new();
    for (headers, body) in &received {
        let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
        let (event, payload): (String, Value) = (header("x-github-event"), serde_json::from_str(body).unwrap());
        let action = payload["action"].as_str();
        wrong.extend(validate_webhook(&event, action, &payload).err());
        kinds.insert(format!("{event} {}", action.unwrap_or_default()));
        guids.insert(header("x-github-delivery"));
        checks.push(json!({ "secret": SECRET, "payload": body, "signature": header("x-hub-signature-256") }));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(guids.len(), sent.len(), "every delivery has an id of its own");
    let kinds: Vec<String> = kinds.into_iter().collect();
    assert_eq!(kinds, KINDS);

    let good = checks.len();
    let mut other_body = checks[0].clone();
    other_body["payload"] = checks[1]["payload"].clone();
    let mut other_secret = checks[0].clone();
    other_secret["secret"] = json!("another secret");
    checks.extend([other_body, other_secret]);
    let Some((done, said)) = npm::node("verify.mjs", &json!(checks).to_string()) else { return };
    assert!(done, "{said}");
    let right: Vec<bool> = serde_json::from_str(&said).unwrap();
    assert_eq!(right, [vec![true; good], vec![false; 2]].concat());
}

/// All that [`a_busy_day`] makes GitHub send.
const KINDS: &[&str] = &[
    "issue_comment created",
    "issue_comment deleted",
    "issue_comment edited",
    "issues closed",
    "issues deleted",
    "issues edited",
    "issues labeled",
    "issues locked",
    "issues opened",
    "issues reopened",
    "issues transferred",
    "issues unlabeled",
    "repository publicized",
    "repository_advisory published",
    "repository_advisory reported",
];
