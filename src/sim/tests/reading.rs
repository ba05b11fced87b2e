//! Reads: paging, filters, conditional requests, who is told what, and reads that lag behind writes.

use jiff::SignedDuration;
use serde_json::json;

use super::{Bench, link, name};
use crate::domain::facts::Role;
use crate::sim::{LIST_LAG, SINGLE_READ_LAG, Visibility};

#[test]
fn lists_come_in_pages_with_absolute_links() {
    let bench = Bench::new();
    bench.world.set_base("https://github.example/api/v3/");
    for number in 1..=5 {
        bench.issue(&format!("issue {number}"));
    }
    let first = bench.get("bob", "R/issues?per_page=2&state=all");
    assert_eq!(first.each("number"), [5, 4], "newest first");
    assert!(link(&first, "prev").is_none());
    let next = link(&first, "next").unwrap();
    assert!(next.starts_with("https://github.example/api/v3/"), "{next}");
    assert!(next.contains("per_page=2") && next.contains("state=all") && next.contains("page=2"), "{next}");
    assert!(link(&first, "last").unwrap().contains("page=3"));
    let second = bench.get("bob", next.strip_prefix("https://github.example/api/v3").unwrap());
    assert_eq!(second.each("number"), [3, 2]);
    assert!(link(&second, "first").is_some() && link(&second, "prev").is_some());
    let third = bench.get("bob", "R/issues?per_page=2&page=3");
    assert_eq!((third.each("number"), link(&third, "next")), (vec![&json!(1)], None));
    assert_eq!(bench.get("bob", "R/issues?page=2").each("number").len(), 0, "past the end");
    assert!(bench.get("bob", "R/issues").header("link").is_none(), "30 a page where nothing is asked");
}

#[test]
fn a_page_has_at_most_100_items_and_links_keep_what_was_asked() {
    let bench = Bench::new();
    for number in 0..101 {
        bench.world.person("bob").open_issue(&bench.repo, &format!("{number}"), "", &["a b/c&d"]).unwrap();
    }
    let first = bench.get("bob", "R/issues?labels=a%20b%2Fc%26d&per_page=500");
    assert_eq!(first.each("number").len(), 100);
    let next = link(&first, "next").unwrap();
    let second = bench.get("bob", next.strip_prefix("https://api.github.test").unwrap());
    assert_eq!(second.each("number"), [1]);
}

#[test]
fn issues_are_filtered_and_sorted() {
    let bench = Bench::new();
    let (alice, bob) = (bench.world.person("alice"), bench.world.person("bob"));
    let minute = || bench.world.advance(SignedDuration::from_mins(1));
    let one = alice.open_issue(&bench.repo, "one", "", &["incident", "Severity/High"]).unwrap();
    minute();
    let two = bob.open_issue(&bench.repo, "two", "", &["incident"]).unwrap();
    minute();
    let three = bob.open_issue(&bench.repo, "three", "", &[]).unwrap();
    minute();
    alice.comment(&bench.repo, one, "x").unwrap();
    alice.close(&bench.repo, three, "completed").unwrap();
    let numbers = |query: &str| {
        let got = bench.get("bob", &format!("R/issues?{query}"));
        got.each("number").iter().map(|number| number.as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(""), [two, one]);
    assert_eq!(numbers("state=closed"), [three]);
    assert_eq!(numbers("state=all"), [three, two, one]);
    assert_eq!(numbers("labels=incident,severity/high"), [one], "all of the labels, without regard to case");
    assert_eq!(numbers("creator=BOB&state=all"), [three, two]);
    assert_eq!(numbers("sort=updated&direction=asc&state=all"), [two, one, three]);
    assert_eq!(numbers("sort=comments"), [one, two]);
    assert_eq!(numbers("since=2026-03-02T09:03:00Z&state=all"), [three, one]);
    assert_eq!(numbers("since=2026-03-02T09:03:01Z&state=all"), [] as [u64; 0]);
}

#[test]
fn whoever_may_not_read_is_not_told_that_something_is_there() {
    let bench = Bench::new();
    let number = bench.issue("One");
    for path in ["R".to_owned(), "R/issues".to_owned(), format!("R/issues/{number}"), "R/labels".to_owned()] {
        let got = bench.get("mallory", &path);
        assert_eq!((got.status, got.message()), (404, "Not Found"), "{path}");
    }
    assert_eq!(bench.post("mallory", "R/issues", json!({ "title": "x" })).status, 404);
    bench.world.set_visibility(&bench.repo, Visibility::Public);
    assert_eq!(bench.get("mallory", "R").json["visibility"], "public");
    assert_eq!(bench.patch("mallory", &format!("R/issues/{number}"), json!({ "title": "x" })).status, 403);
}

#[test]
fn a_file_comes_in_base64_with_line_ends() {
    use base64::Engine as _;
    let bench = Bench::new();
    let text = "mode: watch\n".repeat(20);
    bench.world.file(&bench.repo, ".github/wardroom.yml", &text);
    let got = bench.get("wardroom", "R/contents/.github/wardroom.yml");
    let content = got.json["content"].as_str().unwrap();
    assert!(content.lines().count() > 2 && content.lines().all(|line| line.len() <= 60));
    let plain: String = content.split_whitespace().collect();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(plain).unwrap(), text.as_bytes());
    assert_eq!(bench.get("wardroom", "R/contents/README.md").status, 404);
}

#[test]
fn the_permission_call_folds_roles_and_the_role_name_tells_them_apart() {
    let bench = Bench::new();
    let says = |login: &str| {
        let got = bench.get("wardroom", &format!("R/collaborators/{login}/permission"));
        [got.json["permission"].clone(), got.json["role_name"].clone()].map(|value| value.as_str().unwrap().to_owned())
    };
    assert_eq!(says("alice"), ["admin", "admin"]);
    assert_eq!(says("mia"), ["write", "maintain"]);
    assert_eq!(says("bob"), ["write", "write"]);
    assert_eq!(says("tina"), ["read", "triage"]);
    assert_eq!(says("rita"), ["read", "read"]);
    assert_eq!(says("mallory")[0], "none");
    assert_eq!(bench.get("wardroom", "R/collaborators/nobody/permission").status, 404);
    assert_eq!(bench.get("tina", "R/collaborators/alice/permission").status, 403);
    bench.world.collaborator(&bench.repo, "bob", Role::Read);
    assert_eq!(says("bob"), ["read", "read"], "roles are live");
}

#[test]
fn a_renamed_person_keeps_the_number_and_a_deleted_one_leaves_null() {
    let bench = Bench::new();
    let number = bench.world.person("bob").open_issue(&bench.repo, "One", "a", &[]).unwrap();
    bench.world.person("bob").comment(&bench.repo, number, "x").unwrap();
    let id = bench.get("alice", "/users/bob").json["id"].clone();
    bench.world.person("bob").rename("robert");
    let user = &bench.get("alice", &format!("R/issues/{number}")).json["user"];
    assert_eq!((&user["login"], &user["id"]), (&json!("robert"), &id));
    assert_eq!(bench.get("alice", "/users/bob").status, 404);
    bench.world.person("robert").delete_account();
    assert!(bench.get("alice", &format!("R/issues/{number}")).json["user"].is_null());
    let comments = bench.get("alice", &format!("R/issues/{number}/comments"));
    assert_eq!(comments.each("user"), [&json!(null)]);
    assert_eq!(bench.get("robert", "R").status, 401, "the token went with the account");
}

#[test]
fn if_match_is_refused() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    let got = bench.send_with("token-bob", "PATCH", &path, json!({ "body": "x" }), |call| call.if_match = true);
    assert_eq!(got.status, 400);
    assert_ne!(bench.world.body(&bench.repo, number), "x");
}

#[test]
fn a_lagging_read_shows_what_was_true_then() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    bench.world.set_lag(true);
    assert_eq!(bench.get("bob", &path).status, 404, "too new for a single read");
    bench.world.advance(SINGLE_READ_LAG);
    assert_eq!(bench.get("bob", &path).status, 200);
    assert_eq!(bench.get("bob", "R/issues").each("number").len(), 0, "too new for a list");
    bench.world.advance(LIST_LAG);
    assert_eq!(bench.get("bob", "R/issues").each("number"), [number]);

    let alice = bench.world.person("alice");
    alice.label(&bench.repo, number, "incident").unwrap();
    alice.comment(&bench.repo, number, "hello").unwrap();
    alice.close(&bench.repo, number, "completed").unwrap();
    let (single, comments) = (|| bench.get("bob", &path), || bench.get("bob", &format!("{path}/comments")));
    assert_eq!((&single().json["state"], comments().each("id").len()), (&json!("open"), 0));
    bench.world.advance(SINGLE_READ_LAG);
    assert_eq!((&single().json["state"], comments().each("id").len()), (&json!("closed"), 1));
    assert_eq!(bench.get("bob", "R/issues?labels=incident&state=all").each("number").len(), 0);
    assert_eq!(bench.get("bob", "R/issues").each("state"), ["open"], "the list still shows it open");
    bench.world.advance(LIST_LAG - SINGLE_READ_LAG);
    assert_eq!(bench.get("bob", "R/issues?labels=incident&state=all").each("state"), ["closed"]);
}

#[test]
fn a_renamed_label_is_renamed_in_lagging_reads_too() {
    let bench = Bench::new();
    let number = bench.issue("One");
    bench.world.person("alice").label(&bench.repo, number, "old").unwrap();
    bench.world.advance(LIST_LAG);
    bench.world.set_lag(true);
    bench.world.person("alice").label(&bench.repo, number, "other").unwrap();
    assert_eq!(bench.patch("bob", "R/labels/old", json!({ "new_name": "new" })).status, 200);
    let labels = &bench.get("bob", &format!("R/issues/{number}")).json["labels"];
    assert_eq!((labels[0]["name"].as_str(), labels[1].as_object()), (Some("new"), None));
    assert_eq!(bench.world.labels_of(&bench.repo, number), ["new", "other"]);
}

#[test]
fn comments_come_in_the_order_of_their_ids_and_since_a_moment() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}/comments");
    let bob = bench.world.person("bob");
    let first = bob.comment(&bench.repo, number, "first").unwrap();
    bob.comment(&bench.repo, number, "second").unwrap();
    bench.world.advance(SignedDuration::from_mins(5));
    bob.comment(&bench.repo, number, "third").unwrap();
    bob.edit_comment(&bench.repo, first, "first, edited").unwrap();
    assert_eq!(bench.get("bob", &path).each("body"), ["first, edited", "second", "third"]);
    let later = bench.get("bob", &format!("{path}?since=2026-03-02T09:05:00Z"));
    assert_eq!(later.each("body"), ["first, edited", "third"]);
}

#[test]
fn another_repository_is_another_world() {
    let bench = Bench::new();
    bench.world.add_repo(&name("octo/mail"), Visibility::Public);
    bench.issue("One");
    assert_eq!(bench.get("alice", "/repos/octo/mail/issues/1").status, 404);
    assert_eq!(bench.get("alice", "/repos/OCTO/Security/issues/1").status, 200, "names have no case");
}

#[test]
fn graphql_lags_like_a_single_read() {
    let bench = Bench::new();
    let number = bench.issue("- [ ] One");
    let comment = bench.world.person("alice").comment(&bench.repo, number, "hello").unwrap();
    bench.world.advance(SINGLE_READ_LAG);
    bench.world.set_lag(true);
    bench.world.person("alice").edit_comment(&bench.repo, comment, "goodbye").unwrap();
    bench.world.person("bob").edit_body(&bench.repo, number, |body| format!("{body} more")).unwrap();
    let fresh = bench.world.person("alice").comment(&bench.repo, number, "new").unwrap();
    let asked = || {
        let variables = json!({
            "owner": "octo", "name": "security", "number": number, "history": true, "first": 10,
            "ids": [format!("IC_{comment}"), format!("IC_{fresh}")],
        });
        let query = crate::github::graphql::LOOK;
        let data =
            bench.post("bob", "/graphql", json!({ "query": query, "variables": variables })).json["data"].clone();
        let edits = data["repository"]["issue"]["userContentEdits"]["nodes"].as_array().unwrap().len();
        (edits, data["nodes"][0]["lastEditedAt"].is_string(), data["nodes"][1].is_object())
    };
    let before = asked();
    bench.world.advance(SINGLE_READ_LAG);
    assert_eq!((before, asked()), ((0, false, false), (2, true, true)));
}

#[test]
fn seeded_lags_differ_from_read_to_read_and_are_the_same_for_the_same_seed() {
    let seen = |seed| {
        let bench = Bench::new();
        let number = bench.issue("One");
        bench.world.advance(LIST_LAG);
        bench.world.set_lag_by_seed(seed);
        for title in ["Two", "Three"] {
            let path = format!("R/issues/{number}");
            assert_eq!(bench.patch("bob", &path, json!({ "title": title })).status, 200);
            bench.world.advance(jiff::SignedDuration::from_secs(2));
        }
        let read = || bench.get("bob", &format!("R/issues/{number}")).json["title"].clone();
        (0..20).map(|_| read()).collect::<Vec<_>>()
    };
    let titles = seen(7);
    for title in ["One", "Two", "Three"] {
        assert!(titles.contains(&json!(title)), "{titles:?}");
    }
    assert_eq!(titles, seen(7));
    assert_ne!(titles, seen(8));
}
