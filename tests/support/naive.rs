//! The bot that one writes first, to compare with: at every edit it reads the issue, lists the labels, takes the old label
//! off, hangs the new one on and comments.

use std::sync::Arc;

use serde_json::{Value, json};
use wardroom::domain::facts::Role;
use wardroom::github::transport::{Method, Request, Transport};
use wardroom::sim::{CallRecord, SimTransport, Visibility, World};

use super::room::{TEMPLATE, repo};

/// Its calls on the checklist of a fresh issue, for so many ticks and then these fields, ten seconds apart.
pub(crate) async fn naive(ticks: usize, fields: &[(&str, &str)]) -> Vec<CallRecord> {
    let world = Arc::new(World::new());
    let tracker = repo("octo/security");
    world.add_repo(&tracker, Visibility::Private);
    world.add_user("alice");
    world.collaborator(&tracker, "alice", Role::Admin);
    world.add_app("naive", std::slice::from_ref(&tracker), &[("issues", "write"), ("metadata", "read")]);
    let issue = world.person("alice").open_issue(&tracker, "Incident", TEMPLATE, &["progress-0"]).unwrap();
    let bot = SimTransport::new(world.clone(), "token-naive");
    for tick in 1..=ticks {
        world.person("alice").tick(&tracker, issue, &format!("T{tick}")).unwrap();
        world.advance(jiff::SignedDuration::from_secs(10));
        look(&bot, issue).await;
        assert_eq!(world.labels_of(&tracker, issue), [format!("progress-{tick}")]);
    }
    for (name, value) in fields {
        world.person("alice").set_field(&tracker, issue, name, value).unwrap();
        world.advance(jiff::SignedDuration::from_secs(10));
        look(&bot, issue).await;
    }
    world.calls()
}

async fn look(bot: &SimTransport, issue: u64) {
    let at = format!("/repos/octo/security/issues/{issue}");
    let read = call(bot, Method::Get, at.clone(), None).await;
    let done = read["body"].as_str().unwrap().matches("- [x]").count();
    let old = read["labels"][0]["name"].as_str().unwrap();
    // Which labels there are, so as to create what is missing; GitHub creates it anyway.
    let there = call(bot, Method::Get, "/repos/octo/security/labels?per_page=100".to_owned(), None).await;
    assert!(there.as_array().is_some_and(|labels| labels.iter().any(|label| label["name"] == old)));
    call(bot, Method::Delete, format!("{at}/labels/{old}"), None).await;
    call(bot, Method::Post, format!("{at}/labels"), Some(json!({ "labels": [format!("progress-{done}")] }))).await;
    call(bot, Method::Post, format!("{at}/comments"), Some(json!({ "body": format!("{done} tasks are done.") }))).await;
}

async fn call(bot: &SimTransport, method: Method, path: String, body: Option<Value>) -> Value {
    let answer = bot.send(Request { method, path, body, etag: None }).await.unwrap();
    assert!((200..300).contains(&answer.status), "{}", answer.status);
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
