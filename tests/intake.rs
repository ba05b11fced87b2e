//! What GitHub's recorded deliveries ask for: each of the 329 goes through `intake`, and each of the 29 about issues gives
//! the look it should, or the reason why it gives none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use support::webhooks::{RECORDED, Recorded, recorded_payloads, validate_webhook};
use wardroom::domain::facts::{Account, RepoName};
use wardroom::domain::policy::Policy;
use wardroom::engine::intake::{Ignored, intake};
use wardroom::store::Asked;

/// Reports come from a public repository, tracking issues are in a private one.
const POLICY: &str = "reports: {repositories: [octo-org/mail-server]}\n";
const REPORTS: &str = "octo-org/mail-server";
const TRACKER: &str = "octo-org/mail-security";

fn asked(event: &str, payload: &Value, me: Option<&Account>) -> Result<Asked, Ignored> {
    let policy = Policy::load(POLICY).unwrap();
    let tracker: RepoName = TRACKER.parse().unwrap();
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    intake(event, payload, &policy, &tracker, me, now)
}

/// What an event asks for, in a word or two.
fn outcome(event: &str, payload: &Value) -> String {
    match asked(event, payload, None) {
        Ok(asked) => {
            let number = payload.pointer("/issue/number").unwrap();
            let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
            assert_eq!(subjects.len(), 1, "{subjects:?}");
            match subjects[0].as_str() {
                report if report == format!("report {REPORTS}#{number}") => "the report".to_owned(),
                tracker if tracker == format!("tracker #{number}") => "the incident".to_owned(),
                other => panic!("an event about #{number} asks for {other}"),
            }
        }
        Err(why) => format!("{why:?}"),
    }
}

/// The payload as if its issue were in this repository with this one label; the label that an event is about as well.
fn rewritten(payload: &Value, repository: &str, label: &str) -> Value {
    let mut payload = payload.clone();
    let (owner, name) = repository.split_once('/').unwrap();
    payload["repository"]["full_name"] = json!(repository);
    payload["repository"]["name"] = json!(name);
    payload["repository"]["owner"]["login"] = json!(owner);
    payload["issue"]["labels"] = json!([{
        "id": 1, "node_id": "MDU6TGFiZWwx", "url": "https://api.github.com/repos/o/r/labels/x", "name": label,
        "color": "d93f0b", "default": false, "description": null,
    }]);
    if let Some(about) = payload.get_mut("label") {
        about["name"] = json!(label);
    }
    payload
}

/// The payload with its own labels, in this repository.
fn moved(payload: &Value, repository: &str) -> Value {
    let mut payload = payload.clone();
    payload["repository"]["full_name"] = json!(repository);
    payload
}

/// Counts rows that are the same, as lines of a table.
fn table(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    rows.for_each(|row| *counts.entry(row).or_default() += 1);
    counts.iter().map(|(row, count)| format!("{count:>3}  {}\n", row.join(" | "))).collect()
}

fn of_event(recorded: &[Recorded], event: &str) -> Vec<Recorded> {
    recorded.iter().filter(|one| one.event == event).cloned().collect()
}

#[test]
fn every_recorded_delivery_is_read_and_as_it_is_asks_for_nothing() {
    let Some(recorded) = recorded_payloads() else { return };
    assert_eq!(recorded.len(), RECORDED);
    let about_issues = |one: &Recorded| matches!(one.event.as_str(), "issues" | "issue_comment");
    let rows = recorded.iter().map(|one| {
        let event = if about_issues(one) { one.event.as_str() } else { "all others" };
        vec![event.to_owned(), outcome(&one.event, &one.payload)]
    });
    // A milestone of a pull request comes as an event of `issues`.
    insta::assert_snapshot!(table(rows), @"
    268  all others | OtherEvent
     10  all others | OtherOwner
     13  all others | OtherRepository
      9  issue_comment | OtherRepository
     25  issues | OtherRepository
      4  issues | PullRequest
    ");
}

#[test]
fn each_recorded_event_about_an_issue_gives_its_look_or_a_named_reason() {
    let Some(recorded) = recorded_payloads() else { return };
    let events = [of_event(&recorded, "issues"), of_event(&recorded, "issue_comment")].concat();
    assert_eq!(events.len(), 29 + 9);
    let rows = events.iter().map(|one| {
        let (event, payload) = (one.event.as_str(), &one.payload);
        vec![
            format!("{event} {}", one.action().unwrap()),
            outcome(event, &rewritten(payload, REPORTS, "Security-Report")),
            outcome(event, &rewritten(payload, TRACKER, "incident")),
            outcome(event, &moved(payload, REPORTS)),
            outcome(event, &moved(payload, TRACKER)),
            outcome(event, &rewritten(payload, "octo-org/elsewhere", "security-report")),
        ]
    });
    let head =
        "     event | labelled report | labelled incident | plain in reports | plain in the tracker | elsewhere\n";
    insta::assert_snapshot!(head.to_owned() + &table(rows), @"
         event | labelled report | labelled incident | plain in reports | plain in the tracker | elsewhere
      5  issue_comment created | PlainIssue | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issue_comment deleted | PlainIssue | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issue_comment edited | PlainIssue | the incident | PlainIssue | PlainIssue | OtherRepository
      3  issues assigned | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      1  issues deleted | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues demilestoned | PullRequest | PullRequest | PullRequest | PullRequest | PullRequest
      3  issues edited | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues labeled | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues locked | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues milestoned | PullRequest | PullRequest | PullRequest | PullRequest | PullRequest
      4  issues opened | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      1  issues pinned | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      1  issues reopened | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      1  issues transferred | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues unassigned | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues unlabeled | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      2  issues unlocked | the report | the incident | PlainIssue | PlainIssue | OtherRepository
      1  issues unpinned | the report | the incident | PlainIssue | PlainIssue | OtherRepository
    ");
}

#[test]
fn what_wardroom_did_itself_asks_for_nothing_except_an_edit_of_the_body() {
    let Some(recorded) = recorded_payloads() else { return };
    for one in of_event(&recorded, "issues") {
        let mut payload = rewritten(&one.payload, TRACKER, "incident");
        let me: Account = serde_json::from_value(payload["sender"].clone()).unwrap();
        let look = asked("issues", &payload, None);
        assert_eq!(asked("issues", &payload, Some(&me)), look, "with a person's token the person still acts");
        payload["sender"]["type"] = json!("Bot");
        let expected = if look == Err(Ignored::PullRequest) { Ignored::PullRequest } else { Ignored::OwnWrite };
        assert_eq!(asked("issues", &payload, Some(&me)), Err(expected), "{:?}", one.action());
        let other = Account { id: me.id + 1, ..me };
        assert_eq!(asked("issues", &payload, Some(&other)), look, "{:?}", one.action());
    }
    let mut edited = edited(&recorded, "- [ ] Reproduce", "- [x] Reproduce");
    edited["sender"]["id"] = json!(7);
    edited["sender"]["type"] = json!("Bot");
    let me = Account { id: 7, login: "wardroom[bot]".to_owned(), kind: "Bot".to_owned() };
    assert!(asked("issues", &edited, Some(&me)).unwrap().edit.is_some(), "it may have overwritten a person's");
}

/// A recorded payload of an event that GitHub's own schema accepts.
fn sample(recorded: &[Recorded], event: &str, action: &str) -> Value {
    let valid =
        |one: &&Recorded| one.action() == Some(action) && validate_webhook(event, Some(action), &one.payload).is_ok();
    of_event(recorded, event).iter().find(valid).unwrap_or_else(|| panic!("no {event} {action}")).payload.clone()
}

/// An edit of a tracking issue's body, of which none was recorded: checked against GitHub's own schema.
fn edited(recorded: &[Recorded], before: &str, after: &str) -> Value {
    let mut payload = rewritten(&sample(recorded, "issues", "edited"), TRACKER, "incident");
    payload["changes"] = json!({ "body": { "from": before } });
    payload["issue"]["body"] = json!(after);
    payload["issue"]["updated_at"] = json!("2026-03-02T08:59:58Z");
    validate_webhook("issues", Some("edited"), &payload).unwrap();
    payload
}

#[test]
fn an_edit_tells_who_changed_what_and_when() {
    let Some(recorded) = recorded_payloads() else { return };
    let payload = edited(&recorded, "- [ ] Reproduce\r\n", "- [x] Reproduce\r\n");
    let (number, edit) = asked("issues", &payload, None).unwrap().edit.unwrap();
    assert_eq!((number, edit.editor.as_deref()), (1, Some("Codertocat")));
    assert_eq!(edit.at, "2026-03-02T08:59:58Z".parse::<Timestamp>().unwrap());
    assert_eq!((edit.before.as_str(), edit.after.as_str()), ("- [ ] Reproduce\r\n", "- [x] Reproduce\r\n"));

    // An edit of the title alone, and one of a body that was empty before and after: no text to compare.
    let mut title = payload.clone();
    title["changes"] = json!({ "title": { "from": "Old" } });
    validate_webhook("issues", Some("edited"), &title).unwrap();
    let titled = asked("issues", &title, None).unwrap();
    assert_eq!((titled.subjects.len(), titled.edit), (1, None));
}

/// Actions that GitHub sends and of which no payload was recorded, made from a neighbour and checked against GitHub's own
/// schemas.
#[test]
fn actions_that_nobody_recorded_give_looks_too() {
    let Some(recorded) = recorded_payloads() else { return };
    let mut closed = sample(&recorded, "issues", "reopened");
    closed["issue"]["state"] = json!("closed");
    closed["issue"]["state_reason"] = json!("not_planned");
    closed["issue"]["closed_at"] = json!("2026-03-02T08:59:00Z");
    let kind = json!({
        "id": 410, "node_id": "IT_kwDNAd3NAZo", "name": "Task", "description": "A specific piece of work",
        "created_at": "2024-12-11T14:39:09Z", "updated_at": "2024-12-11T14:39:09Z",
    });
    let mut typed = sample(&recorded, "issues", "opened");
    typed["type"] = kind.clone();
    let mut untyped = sample(&recorded, "issues", "opened");
    untyped["type"] = kind;
    // A form hangs its label whoever fills it in: one delivery, the label in the issue.
    let opened = sample(&recorded, "issues", "opened");
    for (action, mut payload) in [("closed", closed), ("typed", typed), ("untyped", untyped), ("opened", opened)] {
        payload["action"] = json!(action);
        let report = rewritten(&payload, REPORTS, "security-report");
        validate_webhook("issues", Some(action), &report).unwrap();
        assert_eq!(outcome("issues", &report), "the report", "{action}");
        assert_eq!(outcome("issues", &rewritten(&payload, TRACKER, "incident")), "the incident", "{action}");
    }
}

#[test]
fn adopt_is_looked_at_on_a_plain_issue_and_no_other_words_are() {
    let Some(recorded) = recorded_payloads() else { return };
    let comment = moved(&sample(&recorded, "issue_comment", "created"), TRACKER);
    for (text, expected) in [
        ("/wardroom adopt", "the incident"),
        ("/wardroom adopt\r\nplease", "the incident"),
        ("  /wardroom adopt", "PlainIssue"),
        ("please /wardroom adopt", "PlainIssue"),
        ("/wardroom help", "PlainIssue"),
        ("", "PlainIssue"),
    ] {
        let mut payload = comment.clone();
        payload["comment"]["body"] = json!(text);
        validate_webhook("issue_comment", Some("created"), &payload).unwrap();
        assert_eq!(outcome("issue_comment", &payload), expected, "{text:?}");
    }
}

/// Whatever key is missing, null or of another kind: a reason, never a crash, and never a look at something else.
#[test]
fn a_damaged_payload_is_read_or_refused() {
    let Some(recorded) = recorded_payloads() else { return };
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (event, action) in [("issues", "labeled"), ("issue_comment", "created")] {
        let whole = rewritten(&sample(&recorded, event, action), TRACKER, "incident");
        for pointer in pointers(&whole) {
            for damage in [Value::Null, json!("\u{0}"), json!(-1), json!([]), json!({}), json!(1e300)] {
                let mut payload = whole.clone();
                *payload.pointer_mut(&pointer).unwrap() = damage;
                let outcome = match asked(event, &payload, None) {
                    Ok(asked) => {
                        let subjects: Vec<String> = asked.subjects.iter().map(ToString::to_string).collect();
                        assert_eq!(subjects, ["tracker #1"], "{pointer}");
                        "the incident".to_owned()
                    }
                    Err(why) => format!("{why:?}"),
                };
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
    }
    let reasons: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["PlainIssue", "Unreadable", "the incident"]);
    // Most of a payload is nothing that Wardroom reads, and must not cost a report.
    assert!(outcomes["the incident"] > outcomes["Unreadable"] * 5, "{outcomes:?}");
}

/// The places of all values in it, except its root.
fn pointers(value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    let mut todo = vec![(String::new(), value)];
    while let Some((place, value)) = todo.pop() {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, value)| (format!("{place}/{key}"), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, value)| (format!("{place}/{at}"), value)).collect()
            }
            _ => Vec::new(),
        };
        all.extend(children.iter().map(|(place, _)| place.clone()));
        todo.extend(children);
    }
    all
}
