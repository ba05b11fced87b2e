//! Labels: their limits, names without case, defaults, renames, and the events they make.

use serde_json::{Value, json};

use super::Bench;

#[test]
fn a_label_has_a_name_a_colour_and_a_description_within_limits() {
    let bench = Bench::new();
    let create = |body: Value| bench.post("wardroom", "R/labels", body);
    let got = create(json!({ "name": "ä".repeat(50), "color": "D93F0b", "description": "ä".repeat(100) }));
    assert_eq!((got.status, &got.json["color"]), (201, &json!("D93F0b")));
    let long = ["name", "custom", "name is too long (maximum is 50 characters)"];
    assert_eq!(create(json!({ "name": "x".repeat(51) })).fault(), long);
    assert_eq!(create(json!({ "name": "x", "description": "x".repeat(101) })).fault()[0], "description");
    assert_eq!(create(json!({ "name": "x", "color": "#d93f0b" })).fault()[0], "color");
    assert_eq!(create(json!({ "color": "d93f0b" })).fault()[..2], ["name", "missing_field"]);
    assert_eq!(create(json!({ "name": " " })).fault()[..2], ["name", "missing_field"]);
    assert_eq!(bench.get("bob", "R/labels").each("name").len(), 1);
    for who in ["rita", "tina"] {
        assert_eq!(bench.post(who, "R/labels", json!({ "name": "x" })).status, 404, "{who}");
    }
}

#[test]
fn names_are_compared_without_case() {
    let bench = Bench::new();
    bench.post("bob", "R/labels", json!({ "name": "Severity/High" }));
    let again = bench.post("bob", "R/labels", json!({ "name": "severity/high" }));
    assert_eq!((again.status, again.fault()[..2].to_vec()), (422, vec!["name", "already_exists"]));
    bench.issue("One");
    let hung = bench.post("bob", "R/issues/1/labels", json!({ "labels": ["SEVERITY/HIGH", "severity/high"] }));
    assert_eq!(hung.each("name"), ["Severity/High"]);
    assert_eq!(bench.get("bob", "R/labels/severity%2Fhigh").json["name"], "Severity/High");
    let left = bench.delete("bob", "R/issues/1/labels/severity%2FHIGH");
    assert_eq!((left.status, left.json), (200, json!([])));
    let gone = bench.delete("bob", "R/issues/1/labels/severity%2FHIGH");
    assert_eq!((gone.status, gone.message()), (404, "Label does not exist"));
}

#[test]
fn an_unknown_label_is_created_when_it_is_hung_up() {
    let bench = Bench::new();
    bench.issue("One");
    bench.post("tina", "R/issues/1/labels", json!({ "labels": ["new one", { "name": "another" }] }));
    let all = bench.get("bob", "R/labels");
    assert_eq!(
        (all.each("name"), all.each("color")),
        (vec![&json!("new one"), &json!("another")], vec![&json!("ededed"); 2])
    );
    assert_eq!(bench.post("bob", "R/issues/1/labels", json!({ "labels": [] })).status, 422);
    let got = bench.post("bob", "R/issues", json!({ "title": "Two", "labels": ["x".repeat(51)] }));
    assert_eq!((got.status, bench.world.issues_of(&bench.repo).len()), (422, 1), "and nothing is opened");
}

#[test]
fn an_issue_has_at_most_100_labels() {
    let bench = Bench::new();
    bench.issue("One");
    let names =
        |from: usize, to: usize| json!({ "labels": (from..to).map(|n| format!("label {n}")).collect::<Vec<_>>() });
    assert_eq!(bench.post("bob", "R/issues/1/labels", names(0, 99)).status, 200);
    let over = bench.post("bob", "R/issues/1/labels", names(99, 101));
    assert_eq!((over.status, over.fault()[2]), (422, "Issues cannot have more than 100 labels"));
    assert_eq!(bench.post("bob", "R/issues/1/labels", names(98, 100)).each("name").len(), 100, "one is there already");
    assert_eq!(bench.patch("bob", "R/issues/1", names(0, 101)).status, 422);
}

#[test]
fn a_renamed_label_keeps_hanging_where_it_hangs() {
    let bench = Bench::new();
    bench.world.person("alice").open_issue(&bench.repo, "One", "", &["security"]).unwrap();
    let id = bench.get("bob", "R/labels/security").json["id"].clone();
    bench.post("bob", "R/labels", json!({ "name": "taken" }));
    let clash = bench.patch("bob", "R/labels/security", json!({ "new_name": "Taken" }));
    assert_eq!((clash.status, clash.fault()[1]), (422, "already_exists"));
    let got = bench.patch("bob", "R/labels/security", json!({ "new_name": "incident", "color": "b60205" }));
    assert_eq!((got.status, &got.json["id"], &got.json["color"]), (200, &id, &json!("b60205")));
    assert_eq!(bench.world.labels_of(&bench.repo, 1), ["incident"]);
    assert_eq!(bench.get("bob", "R/issues?labels=incident").each("number"), [1]);
    assert_eq!(bench.patch("bob", "R/labels/security", json!({ "color": "b60205" })).status, 404);
    assert_eq!(bench.patch("tina", "R/labels/incident", json!({ "color": "b60205" })).status, 404);
}

#[test]
fn opening_with_labels_makes_one_event_for_the_issue_and_one_for_each_label() {
    let bench = Bench::new();
    let asked = json!({ "title": "One", "labels": ["incident", "embargo"], "assignees": ["alice"] });
    bench.post("wardroom", "R/issues", asked);
    let sent = bench.world.take_deliveries();
    let kinds: Vec<String> = sent.iter().map(super::kind).collect();
    assert_eq!(kinds, ["issues opened", "issues labeled", "issues labeled", "issues assigned"]);
    let labels = |n: usize| sent[n].payload["issue"]["labels"].as_array().unwrap().len();
    assert_eq!((labels(0), &sent[2].payload["label"]["name"]), (2, &json!("embargo")));
    assert_eq!(sent[3].payload["assignee"]["login"], "alice");
    for delivery in &sent {
        assert_eq!(delivery.payload["sender"]["login"], "wardroom[bot]");
        assert_eq!(delivery.payload["sender"]["type"], "Bot");
        assert_eq!(delivery.payload["repository"]["full_name"], "octo/security");
        assert!(delivery.payload["installation"]["id"].is_u64());
    }
}

#[test]
fn a_new_list_of_labels_replaces_the_old_one_label_by_label() {
    let bench = Bench::new();
    bench.world.person("alice").open_issue(&bench.repo, "One", "", &["a", "b"]).unwrap();
    bench.events();
    bench.patch("bob", "R/issues/1", json!({ "labels": ["B", "c"] }));
    assert_eq!(bench.world.labels_of(&bench.repo, 1), ["b", "c"]);
    let sent = bench.world.take_deliveries();
    let said: Vec<String> =
        sent.iter().map(|d| format!("{} {}", super::kind(d), d.payload["label"]["name"].as_str().unwrap())).collect();
    assert_eq!(said, ["issues unlabeled a", "issues labeled c"]);
}
