//! GitHub's recorded payloads against GitHub's schemas: the check of webhooks accepts what it should and bites.

use serde_json::{Value, json};

use crate::judge::Judge;
use crate::support::webhooks::{Recorded, recorded_payloads, validate_webhook};

fn of_event<'a>(recorded: &'a [Recorded], event: &str) -> Vec<&'a Recorded> {
    recorded.iter().filter(|one| one.event == event).collect()
}

/// The actions of an event's recorded payloads that GitHub's schemas refuse: those are older than the schemas.
fn refused(recorded: &[Recorded], event: &str) -> Vec<String> {
    let refused = of_event(recorded, event).into_iter().filter(|one| check(one).is_err());
    refused.map(|one| one.action().unwrap_or_default().to_owned()).collect()
}

fn check(one: &Recorded) -> Result<(), String> {
    validate_webhook(&one.event, one.action(), &one.payload)
}

#[test]
fn recorded_payloads_pass_but_for_named_old_ones() {
    let Some(recorded) = recorded_payloads() else { return };
    assert_eq!(of_event(&recorded, "issues").len(), 29);
    assert_eq!(refused(&recorded, "issues"), ["edited", "transferred"]);
    assert_eq!(of_event(&recorded, "issue_comment").len(), 9);
    assert_eq!(refused(&recorded, "issue_comment"), ["created"]);
    assert_eq!(of_event(&recorded, "label").len(), 6);
    assert_eq!(refused(&recorded, "label"), ["deleted"]);
    assert_eq!(of_event(&recorded, "ping").len(), 4);
    assert_eq!(refused(&recorded, "ping"), [""; 0]);
}

/// One payload of an event that passes.
fn good(recorded: &[Recorded], event: &str, action: &str) -> Value {
    let mut all = of_event(recorded, event).into_iter();
    all.find(|one| one.action() == Some(action) && check(one).is_ok()).unwrap().payload.clone()
}

#[test]
fn a_payload_that_github_never_sends_is_refused() {
    let Some(recorded) = recorded_payloads() else { return };
    let refusal =
        |event: &str, action: &str, payload: &Value| validate_webhook(event, Some(action), payload).unwrap_err();
    let opened = good(&recorded, "issues", "opened");
    assert_eq!(refusal("issues", "ticked", &opened), "GitHub has no webhook issues/ticked");
    assert_eq!(refusal("issue", "opened", &opened), "GitHub has no webhook issue/opened");
    assert!(refusal("issues", "closed", &opened).contains("/action: "));

    let mut broken = opened.clone();
    broken["issue"]["number"] = json!("7");
    assert!(refusal("issues", "opened", &broken).contains("/issue/number: \"7\" is not of type"));
    let mut broken = opened.clone();
    broken["issue"]["created_at"] = json!("yesterday");
    assert!(refusal("issues", "opened", &broken).contains("/issue/created_at: \"yesterday\" is not a"));
    let mut broken = opened;
    broken.as_object_mut().unwrap().remove("repository");
    assert!(refusal("issues", "opened", &broken).contains("\"repository\" is a required property"));
}

#[test]
fn an_edit_with_the_text_before_it_passes_and_one_with_a_wrong_kind_of_text_does_not() {
    let Some(recorded) = recorded_payloads() else { return };
    let mut edited = good(&recorded, "issues", "edited");
    edited["changes"] = json!({ "body": { "from": "- [ ] Reproduce the vulnerability" } });
    validate_webhook("issues", Some("edited"), &edited).unwrap();
    edited["changes"] = json!({ "body": { "from": 7 } });
    assert!(validate_webhook("issues", Some("edited"), &edited).unwrap_err().contains("/changes/body/from"));
}

/// No payload of a private report was recorded: its envelope is that of an issue, its report GitHub's example.
#[test]
fn a_private_report_passes_with_and_without_an_author_and_never_with_half_of_one() {
    let Some(recorded) = recorded_payloads() else { return };
    let Some(judge) = Judge::load() else { return };
    let example = json!({ "$ref": "#/components/examples/repository-advisory-pvr" });
    let mut payload = good(&recorded, "issues", "opened");
    payload.as_object_mut().unwrap().remove("issue");
    payload["action"] = json!("reported");
    payload["repository_advisory"] = judge.follow(&example)["value"].clone();
    // Two places where the example of REST is not the schema of webhooks.
    payload["repository_advisory"]["collaborating_teams"] = Value::Null;
    payload["repository_advisory"]["identifiers"].as_array_mut().unwrap().retain(|one| !one["value"].is_null());
    let check = |payload: &Value| validate_webhook("repository_advisory", Some("reported"), payload);
    assert!(payload["repository_advisory"]["author"].is_object());
    check(&payload).unwrap();
    payload["repository_advisory"]["author"] = Value::Null;
    check(&payload).unwrap();
    payload["repository_advisory"]["author"] = json!({ "login": "octocat" });
    assert!(check(&payload).unwrap_err().contains("/repository_advisory/author"));
}
