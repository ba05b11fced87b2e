//! Budgets, secondary limits, and the headers that tell of them.

use jiff::SignedDuration;
use serde_json::json;

use super::Bench;
use crate::sim::{Fault, When};

#[test]
fn each_account_has_its_own_budget_which_begins_anew_with_the_hour() {
    let bench = Bench::new();
    bench.world.advance(SignedDuration::from_mins(50));
    for _ in 0..3 {
        bench.get("bob", "R");
    }
    let got = bench.get("bob", "R");
    assert_eq!(got.header("x-ratelimit-limit"), Some("5000"));
    assert_eq!(got.header("x-ratelimit-remaining"), Some("4996"));
    assert_eq!(got.header("date"), Some("Mon, 02 Mar 2026 09:50:00 GMT"));
    let reset: i64 = got.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!(reset - bench.world.now().as_second(), 600, "at ten o'clock");
    assert_eq!((bench.world.budget("bob"), bench.world.budget("alice")), (4996, 5000));
    bench.world.advance(SignedDuration::from_mins(10));
    assert_eq!(bench.world.budget("bob"), 5000);
}

#[test]
fn a_budget_that_is_used_up_refuses_until_the_hour_ends() {
    let bench = Bench::new();
    let token = bench.world.add_actions_token(&bench.repo, &[("issues", "write")]);
    for _ in 0..1000 {
        assert_eq!(bench.send(&token, "GET", "R", json!(null)).status, 200);
    }
    let got = bench.send(&token, "GET", "R", json!(null));
    assert_eq!((got.status, got.header("x-ratelimit-remaining")), (403, Some("0")));
    assert!(got.message().contains("API rate limit exceeded"));
    let limits = bench.send(&token, "GET", "/rate_limit", json!(null));
    assert_eq!((limits.status, &limits.json["resources"]["core"]["remaining"]), (200, &json!(0)));
    bench.world.advance(SignedDuration::from_hours(1));
    assert_eq!(bench.send(&token, "GET", "R", json!(null)).status, 200);
}

#[test]
fn asking_for_the_limits_and_an_unchanged_read_cost_nothing() {
    let bench = Bench::new();
    bench.get("bob", "/rate_limit");
    assert_eq!(bench.world.budget("bob"), 5000);
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    let tag = bench.get("bob", &path).header("etag").unwrap().to_owned();
    let same = bench.send_with("token-bob", "GET", &path, json!(null), |call| call.if_none_match = Some(tag.clone()));
    assert_eq!((same.status, same.answer.body.len(), bench.world.budget("bob")), (304, 0, 4999));
    bench.world.person("alice").tick(&bench.repo, number, "First").unwrap();
    let other = bench.send_with("token-bob", "GET", &path, json!(null), |call| call.if_none_match = Some(tag.clone()));
    assert_eq!((other.status, bench.world.budget("bob")), (200, 4998));
    assert_ne!(other.header("etag"), Some(tag.as_str()));
}

#[test]
fn content_may_be_created_80_times_a_minute_and_500_times_an_hour() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}/comments");
    let comment = || bench.post("bob", &path, json!({ "body": "x" }));
    for _ in 0..80 {
        assert_eq!(comment().status, 201);
    }
    let refused = comment();
    assert_eq!((refused.status, refused.header("retry-after")), (403, Some("60")));
    assert!(refused.message().contains("secondary rate limit"));
    assert_eq!(bench.get("bob", &path).status, 200, "reads go on");
    assert_eq!(bench.post("tina", &path, json!({ "body": "x" })).status, 201, "another account goes on");
    for _ in 0..5 {
        bench.world.advance(SignedDuration::from_mins(1));
        for _ in 0..80 {
            assert_eq!(comment().status, 201);
        }
    }
    bench.world.advance(SignedDuration::from_mins(1));
    for _ in 0..20 {
        assert_eq!(comment().status, 201);
    }
    assert_eq!((comment().status, comment().header("retry-after")), (403, Some("3600")));
    bench.world.advance(SignedDuration::from_mins(55));
    assert_eq!(comment().status, 201);
}

#[test]
fn a_fault_strikes_the_call_that_its_pattern_describes() {
    let bench = Bench::new();
    let number = bench.issue("One");
    let path = format!("R/issues/{number}");
    bench.world.faults(|faults| {
        faults.fail_route("* R/issues/{n}/*", 2, Fault::TooMany(7), When::Before);
        faults.fail_route("PATCH *", 1, Fault::ServiceUnavailable, When::After);
    });
    assert_eq!(bench.get("bob", &path).status, 200);
    assert_eq!(bench.post("bob", &format!("{path}/comments"), json!({ "body": "one" })).status, 201);
    assert_eq!(bench.get("bob", "R/labels").status, 200);
    let limited = bench.post("bob", &format!("{path}/comments"), json!({ "body": "two" }));
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    let busy = bench.patch("bob", &path, json!({ "title": "Two" }));
    assert_eq!((busy.status, busy.message()), (503, "Service unavailable"));
    let got = bench.get("bob", &path);
    assert_eq!((&got.json["title"], &got.json["comments"]), (&json!("Two"), &json!(1)));
    assert_eq!(bench.patch("bob", &path, json!({ "title": "Three" })).status, 200, "each strikes once");
}
