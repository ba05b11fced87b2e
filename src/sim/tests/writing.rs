//! Writes: limits of titles and bodies, states, assignees, who may do what, and the webhooks that each write makes.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Bench, name};
use crate::sim::Visibility;

#[test]
fn an_issue_keeps_its_body_as_it_was_sent_and_says_through_which_app_it_came() {
    let bench = Bench::new();
    let got = bench.post("wardroom", "R/issues", json!({ "title": "One", "body": "a\nb\r\nc" }));
    assert_eq!((got.status, &got.json["body"]), (201, &json!("a\nb\r\nc")));
    assert_eq!((&got.json["user"]["login"], &got.json["user"]["type"]), (&json!("wardroom[bot]"), &json!("Bot")));
    assert_eq!(got.json["performed_via_github_app"]["slug"], "wardroom");
    let comment = bench.post("wardroom", "R/issues/1/comments", json!({ "body": "x" }));
    assert_eq!(comment.json["performed_via_github_app"]["slug"], "wardroom");
    let by_hand = bench.post("bob", "R/issues", json!({ "title": "Two" }));
    assert!(by_hand.json["performed_via_github_app"].is_null() && by_hand.json["body"].is_null());
    assert_eq!([&got.json["author_association"], &by_hand.json["author_association"]], ["NONE", "COLLABORATOR"]);
}

#[test]
fn titles_and_bodies_have_limits() {
    let bench = Bench::new();
    let open = |title: &str, body: &str| bench.post("bob", "R/issues", json!({ "title": title, "body": body }));
    assert_eq!(open(&"ä".repeat(256), &"ä".repeat(65_536)).status, 201, "characters are counted, not bytes");
    let title = ["title", "custom", "title is too long (maximum is 256 characters)"];
    let body = ["body", "custom", "body is too long (maximum is 65536 characters)"];
    assert_eq!((open(&"x".repeat(257), "").status, open(&"x".repeat(257), "").fault()), (422, title));
    assert_eq!((open("x", &"x".repeat(65_537)).status, open("x", &"x".repeat(65_537)).fault()), (422, body));
    assert_eq!(open(" ", "").fault()[..2], ["title", "missing_field"]);
    assert_eq!(bench.patch("bob", "R/issues/1", json!({ "body": "x".repeat(65_537) })).fault(), body);
    let comment = |text: &str| bench.post("bob", "R/issues/1/comments", json!({ "body": text }));
    assert_eq!((comment(&"x".repeat(65_537)).fault(), comment("").status), (body, 422));
    assert_eq!(bench.world.issues_of(&bench.repo).len(), 1);
    assert_eq!(bench.get("bob", "R/issues/1/comments").each("id").len(), 0);
}

#[test]
fn an_issue_takes_2500_comments_and_then_no_more() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let alice = bench.world.person("alice");
    for _ in 0..2500 {
        alice.comment(&bench.repo, number, "x").unwrap();
    }
    let got = bench.post("wardroom", &format!("R/issues/{number}/comments"), json!({ "body": "x" }));
    assert_eq!((got.status, got.message()), (403, "Commenting is disabled on issues with more than 2500 comments"));
}

#[test]
fn closing_and_reopening_say_why_and_when() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    bench.world.advance(SignedDuration::from_millis(1_500));
    bench.events();
    let closed = bench.patch("bob", &path, json!({ "state": "closed", "state_reason": "not_planned" }));
    assert_eq!([&closed.json["state"], &closed.json["state_reason"]], ["closed", "not_planned"]);
    assert_eq!(closed.json["closed_at"], "2026-03-02T09:00:01Z", "times are in whole seconds");
    assert_eq!(bench.patch("bob", &path, json!({ "state": "closed" })).json["state_reason"], "not_planned");
    let open = bench.patch("bob", &path, json!({ "state": "open" }));
    assert_eq!([&open.json["state_reason"], &open.json["closed_at"]], [&json!("reopened"), &Value::Null]);
    assert_eq!(bench.events(), ["issues closed", "issues reopened"], "closing what is closed is nothing");
    assert_eq!(bench.patch("bob", &path, json!({ "state": "closed" })).json["state_reason"], "completed");
    assert_eq!(bench.patch("bob", &path, json!({ "state": "done" })).fault()[..2], ["state", "invalid"]);
    let odd = bench.patch("bob", &path, json!({ "state": "open", "state_reason": "bored" }));
    assert_eq!((odd.status, bench.get("bob", &path).json["state"].as_str()), (422, Some("closed")));
}

#[test]
fn whoever_may_triage_may_close_and_label_but_not_rewrite() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    for who in ["rita", "tina"] {
        assert_eq!(bench.patch(who, &path, json!({ "body": "mine now" })).status, 403, "{who}");
    }
    assert_eq!(bench.patch("rita", &path, json!({ "state": "closed" })).status, 403);
    assert_eq!(bench.patch("tina", &path, json!({ "state": "closed", "labels": ["a"] })).status, 200);
    assert_eq!(bench.patch("bob", &path, json!({ "body": "rewritten" })).json["body"], "rewritten");
    let own = bench.post("rita", "R/issues", json!({ "title": "hers" })).json["number"].clone();
    assert_eq!(bench.patch("rita", &format!("R/issues/{own}"), json!({ "body": "hers too" })).status, 200);
}

#[test]
fn labels_and_assignees_are_silently_dropped_without_the_right_to_set_them() {
    let bench = Bench::new();
    bench.post("bob", "R/labels", json!({ "name": "incident" }));
    let asked = json!({ "title": "One", "labels": ["incident"], "assignees": ["bob"] });
    let got = bench.post("rita", "R/issues", asked.clone());
    assert_eq!((got.status, &got.json["labels"], &got.json["assignees"]), (201, &json!([]), &json!([])));
    let got = bench.post("tina", "R/issues", asked);
    assert_eq!(
        (&got.json["labels"][0]["name"], &got.json["assignees"][0]["login"]),
        (&json!("incident"), &json!("bob"))
    );
    assert_eq!(
        bench.post("rita", "R/issues/1/assignees", json!({ "assignees": ["rita"] })).json["assignees"],
        json!([])
    );
}

#[test]
fn an_issue_has_at_most_ten_assignees_and_only_people_who_were_let_in() {
    let bench = Bench::new();
    bench.issue("One");
    let logins: Vec<String> = (0..12).map(|number| format!("person-{number}")).collect();
    for login in &logins {
        bench.world.add_user(login);
        bench.world.collaborator(&bench.repo, login, crate::domain::facts::Role::Read);
    }
    for stranger in ["mallory", "ghost"] {
        let names = json!({ "assignees": ["bob", stranger] });
        let create = json!({ "title": "Two", "assignees": ["bob", stranger] });
        for refused in [
            bench.post("wardroom", "R/issues/1/assignees", names.clone()),
            bench.patch("wardroom", "R/issues/1", names),
            bench.post("wardroom", "R/issues", create),
        ] {
            assert_eq!((refused.status, refused.fault()), (422, ["assignees", "invalid", ""]));
        }
    }
    assert_eq!(bench.get("wardroom", "R/issues/1").json["assignees"], json!([]), "one wrong name, and nobody is");
    assert_eq!(bench.get("wardroom", "R/issues/2").status, 404);
    let got = bench.post("wardroom", "R/issues/1/assignees", json!({ "assignees": ["bob", "BOB"] }));
    assert_eq!((got.status, got.json["assignees"].as_array().unwrap().len()), (201, 1));
    let got = bench.post("wardroom", "R/issues/1/assignees", json!({ "assignees": logins }));
    assert_eq!(got.json["assignees"].as_array().unwrap().len(), 10);
    bench.events();
    let got = bench.patch("bob", "R/issues/1", json!({ "assignees": ["bob", "alice"] }));
    let now: Vec<&Value> = got.json["assignees"].as_array().unwrap().iter().map(|user| &user["login"]).collect();
    assert_eq!(now, ["bob", "alice"], "a change of the list replaces it");
    let events = bench.events();
    let count = |kind: &str| events.iter().filter(|event| *event == kind).count();
    assert_eq!((count("issues unassigned"), count("issues assigned"), events.len()), (9, 1, 10));
}

#[test]
fn an_installation_reaches_what_it_covers_and_does_what_it_may() {
    let bench = Bench::new();
    let public = name("octo/mail");
    bench.world.add_repo(&public, Visibility::Public);
    bench.world.add_repo(&name("octo/hidden"), Visibility::Private);
    bench.world.add_app("reader", std::slice::from_ref(&bench.repo), &[("issues", "read")]);
    bench.issue("One");
    let refused = "Resource not accessible by integration";
    let got = bench.post("reader", "R/issues", json!({ "title": "x" }));
    assert_eq!((got.status, got.message()), (403, refused));
    assert_eq!(got.header("x-accepted-github-permissions"), Some("issues=write"));
    assert_eq!((bench.get("reader", "R/issues/1").status, bench.get("reader", "R/contents/x").status), (200, 403));
    assert_eq!(
        (bench.get("reader", "R").status, bench.get("reader", "R/collaborators/bob/permission").status),
        (200, 200)
    );
    assert_eq!(bench.get("wardroom", "/repos/octo/hidden").status, 404);
    assert_eq!(bench.get("wardroom", "/repos/octo/mail/issues").status, 200, "what is public anyone may read");
    let got = bench.post("wardroom", "/repos/octo/mail/issues", json!({ "title": "x" }));
    assert_eq!((got.status, got.message()), (403, refused));
    assert_eq!(
        (bench.get("wardroom", "/user").status, bench.get("bob", "/user").json["login"].as_str()),
        (403, Some("bob"))
    );
}

#[test]
fn a_minted_token_is_narrowed_as_asked_and_ends_after_an_hour() {
    let bench = Bench::new();
    let id = bench.send("jwt-wardroom", "GET", "R/installation", Value::Null).json["id"].clone();
    let mint =
        |body: Value| bench.send("jwt-wardroom", "POST", &format!("/app/installations/{id}/access_tokens"), body);
    let got = mint(json!({ "repositories": ["security"], "permissions": { "issues": "read" } }));
    assert_eq!((got.status, &got.json["permissions"]), (201, &json!({ "issues": "read" })));
    assert_eq!(got.json["expires_at"], "2026-03-02T10:00:00Z");
    let token = got.json["token"].as_str().unwrap();
    assert_eq!(bench.send(token, "GET", "R/issues", Value::Null).status, 200);
    assert_eq!(bench.send(token, "POST", "R/issues", json!({ "title": "x" })).status, 403);
    assert_eq!(mint(json!({ "permissions": { "administration": "write" } })).status, 422, "more than it has");
    assert_eq!(mint(json!({ "repositories": ["another"] })).status, 422, "one it does not cover");
    bench.world.advance(SignedDuration::from_secs(3599));
    assert_eq!(bench.send(token, "GET", "R/issues", Value::Null).status, 200);
    bench.world.advance(SignedDuration::from_secs(1));
    let ended = bench.send(token, "GET", "R/issues", Value::Null);
    assert_eq!((ended.status, ended.message()), (401, "Bad credentials"));
    assert_eq!(bench.post("bob", &format!("/app/installations/{id}/access_tokens"), json!({})).status, 401);
}

#[test]
fn an_archived_repository_takes_no_writes_and_one_without_issues_has_none() {
    let bench = Bench::new();
    bench.issue("One");
    bench.world.set_repo(&bench.repo, true, true);
    assert_eq!(
        (bench.get("bob", "R/issues/1").status, bench.get("bob", "R").json["archived"].as_bool()),
        (200, Some(true))
    );
    let got = bench.post("bob", "R/issues/1/comments", json!({ "body": "x" }));
    assert_eq!((got.status, got.message()), (403, "Repository was archived so is read-only."));
    bench.world.set_repo(&bench.repo, false, false);
    assert_eq!(
        (bench.get("bob", "R/issues/1").status, bench.post("bob", "R/issues", json!({ "title": "x" })).status),
        (410, 410)
    );
}

#[test]
fn a_comment_belongs_to_its_author_and_to_whoever_may_push() {
    let bench = Bench::new();
    bench.issue("One");
    let id = bench.post("rita", "R/issues/1/comments", json!({ "body": "hers" })).json["id"].clone();
    let path = format!("R/issues/comments/{id}");
    assert_eq!(bench.patch("tina", &path, json!({ "body": "x" })).status, 403);
    assert_eq!(bench.delete("tina", &path).status, 403);
    bench.world.advance(SignedDuration::from_secs(7));
    bench.events();
    let edited = bench.patch("bob", &path, json!({ "body": "his words" }));
    assert_eq!(
        (&edited.json["user"]["login"], &edited.json["updated_at"]),
        (&json!("rita"), &json!("2026-03-02T09:00:07Z"))
    );
    let sent = bench.world.take_deliveries();
    assert_eq!(sent[0].payload["changes"]["body"]["from"], "hers");
    assert_eq!((bench.delete("rita", &path).status, bench.get("rita", &path).status), (204, 404));
    assert_eq!((bench.delete("rita", &path).status, bench.events()), (404, vec!["issue_comment deleted".to_owned()]));
}

#[test]
fn a_reaction_is_left_once() {
    let bench = Bench::new();
    bench.issue("One");
    let id = bench.post("bob", "R/issues/1/comments", json!({ "body": "/wardroom help" })).json["id"].as_u64().unwrap();
    let react = |who: &str, content: &str| {
        bench.post(who, &format!("R/issues/comments/{id}/reactions"), json!({ "content": content })).status
    };
    assert_eq!([react("wardroom", "eyes"), react("wardroom", "eyes"), react("bob", "eyes")], [201, 200, 201]);
    assert_eq!(react("wardroom", "shrug"), 422);
    let said = bench.world.comments_of(&bench.repo, 1);
    assert_eq!(said[0].reactions, [("wardroom[bot]".to_owned(), "eyes"), ("bob".to_owned(), "eyes")]);
}
