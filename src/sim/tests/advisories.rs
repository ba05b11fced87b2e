use super::*;
use crate::domain::advisory::AdvisoryState;

/// A public `octo/mail`: alice is its admin, mia maintains it, sam is its security manager, the App may write advisories.
struct Mail {
    bench: Bench,
    repo: RepoName,
}

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn draft() -> Value {
    json!({
        "summary": "A hole", "description": "Deep.", "severity": "high",
        "vulnerabilities": [{
            "package": { "ecosystem": "rust", "name": "mail" }, "vulnerable_version_range": "< 1.2",
            "patched_versions": "1.2", "vulnerable_functions": [],
        }],
    })
}

impl Mail {
    fn new() -> Mail {
        let bench = Bench::new();
        let repo = name("octo/mail");
        bench.world.add_repo(&repo, Visibility::Public);
        for (login, role) in [("alice", Role::Admin), ("mia", Role::Maintain), ("sam", Role::Write)] {
            bench.world.add_user(login);
            bench.world.collaborator(&repo, login, role);
        }
        bench.world.security_manager(&repo, "sam");
        bench.world.add_app("publisher", std::slice::from_ref(&repo), &[("repository_advisories", "write")]);
        Mail { bench, repo }
    }

    fn send(&self, token: &str, method: &str, rest: &str, body: Value) -> Got {
        self.bench.send(token, method, &format!("/repos/octo/mail{rest}"), body)
    }

    fn create(&self, body: Value) -> Got {
        self.send("token-alice", "POST", "/security-advisories", body)
    }

    fn drafted(&self) -> String {
        self.create(draft()).json["ghsa_id"].as_str().unwrap().to_owned()
    }

    fn patch(&self, ghsa: &str, body: Value) -> Got {
        self.send("token-alice", "PATCH", &format!("/security-advisories/{ghsa}"), body)
    }

    fn state(&self, ghsa: &str) -> AdvisoryState {
        self.bench.world.advisory_now(&self.repo, ghsa).unwrap().state
    }
}

#[test]
fn admins_security_managers_and_apps_draft_and_nobody_else() {
    let mail = Mail::new();
    let actions =
        mail.bench.world.add_actions_token(&mail.repo, &[("contents", "write"), ("repository_advisories", "write")]);
    for (token, status) in [
        ("token-alice", 201),
        ("token-sam", 201),
        ("token-publisher", 201),
        ("token-mia", 403),
        (actions.as_str(), 403),
    ] {
        assert_eq!(mail.send(token, "POST", "/security-advisories", draft()).status, status, "{token}");
    }
    // The token of a workflow may list, and sees what everyone sees.
    let listed = mail.send(&actions, "GET", "/security-advisories", Value::Null);
    assert_eq!((listed.status, listed.json.as_array().unwrap().len()), (200, 0));
    let private = mail.bench.send("token-alice", "POST", "R/security-advisories", draft());
    assert_eq!(private.status, 403, "private repositories have none");
}

#[test]
fn a_draft_is_hidden_and_a_published_advisory_is_not() {
    let mail = Mail::new();
    let ghsa = mail.drafted();
    let path = format!("/security-advisories/{ghsa}");
    let sees = |token: &str| mail.send(token, "GET", &path, Value::Null).status;
    assert_eq!(
        ["token-alice", "token-sam", "token-publisher", "token-mia", "token-mallory"].map(sees),
        [200, 200, 200, 404, 404]
    );
    assert_eq!(mail.patch(&ghsa, json!({ "state": "published" })).status, 200);
    assert_eq!(sees("token-mallory"), 200);
    assert_eq!(mail.send("token-mallory", "PATCH", &path, json!({ "summary": "Mine" })).status, 403);
}

#[test]
fn states_follow_each_other_and_no_other_way() {
    let mail = Mail::new();
    let become_of = |ghsa: &str, state: &str| mail.patch(ghsa, json!({ "state": state }));
    let ghsa = mail.drafted();
    assert_eq!(become_of(&ghsa, "triage").status, 422);
    assert_eq!(become_of(&ghsa, "closed").status, 200);
    assert_eq!(become_of(&ghsa, "published").message(), "Invalid state transition from `closed` to `published`.");
    assert_eq!(become_of(&ghsa, "draft").status, 200);
    assert_eq!(become_of(&ghsa, "published").status, 200);
    for state in ["draft", "closed"] {
        assert_eq!(become_of(&ghsa, state).status, 422, "{state}");
    }
    assert_eq!(mail.state(&ghsa), AdvisoryState::Published);
    let report = mail.bench.world.person("mallory").report_privately(&mail.repo, "A hole", "Deep.").unwrap();
    assert_eq!(become_of(&report, "published").status, 422, "a report is accepted first");
    let accepted = become_of(&report, "draft").json;
    assert_eq!((&accepted["state"], &accepted["submission"]["accepted"]), (&json!("draft"), &json!(true)));
    assert_eq!(become_of(&report, "published").fault()[2], "Advisory must have at least one vulnerability");
}

#[test]
fn severity_and_vector_exclude_each_other() {
    let mail = Mail::new();
    let both = |mut body: Value| {
        body["cvss_vector_string"] = json!(VECTOR);
        body
    };
    assert_eq!(mail.create(both(draft())).status, 422);
    let ghsa = mail.drafted();
    let rated = mail.patch(&ghsa, json!({ "cvss_vector_string": VECTOR })).json;
    assert_eq!((&rated["severity"], &rated["cvss"]["score"]), (&json!("critical"), &json!(9.8)));
    let refused = mail.patch(&ghsa, json!({ "severity": "low" }));
    assert_eq!((refused.status, refused.message()), (422, "Cannot update severity value when CVSS is set."));
    let word = mail.patch(&ghsa, json!({ "severity": "low", "cvss_vector_string": null })).json;
    assert_eq!((&word["severity"], &word["cvss"]), (&json!("low"), &Value::Null));
    assert_eq!(mail.patch(&ghsa, json!({ "cvss_vector_string": "AV:N" })).status, 422);
    let four = mail.patch(
        &ghsa,
        json!({ "cvss_vector_string": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" }),
    );
    assert!(four.json["cvss_severities"]["cvss_v4"].is_object() && four.json["cvss_severities"]["cvss_v3"].is_null());
}

#[test]
fn lists_are_replaced_and_an_empty_one_is_taken_only_at_first() {
    let mail = Mail::new();
    let mut bare = draft();
    bare["vulnerabilities"] = json!([]);
    let ghsa = mail.create(bare).json["ghsa_id"].as_str().unwrap().to_owned();
    let refused = mail.patch(&ghsa, json!({ "vulnerabilities": [] }));
    assert_eq!((refused.status, refused.fault()[2]), (422, "Advisory must have at least one vulnerability"));
    for package in ["one", "two"] {
        let list = json!([{ "package": { "ecosystem": "other", "name": package } }]);
        let changed = mail.patch(&ghsa, json!({ "vulnerabilities": list })).json;
        assert_eq!(changed["vulnerabilities"].as_array().unwrap().len(), 1);
        assert_eq!(changed["vulnerabilities"][0]["package"]["name"], package);
    }
    for bad in [
        json!({ "vulnerabilities": [{ "package": { "ecosystem": "cargo", "name": "x" } }] }),
        json!({ "cwe_ids": ["79"] }),
        json!({ "credits": [{ "login": "nobody-here", "type": "finder" }] }),
        json!({ "summary": " " }),
        json!({ "summary": "x".repeat(1025) }),
        json!({ "cve_id": "CVE-1" }),
        json!({ "severity": "none" }),
    ] {
        assert_eq!(mail.patch(&ghsa, bad.clone()).status, 422, "{bad}");
    }
}

#[test]
fn publishing_deletes_the_private_fork_and_tells_the_world() {
    let mail = Mail::new();
    let alice = mail.bench.world.person("alice");
    let ghsa = mail.drafted();
    alice.start_private_fork(&mail.repo, &ghsa).unwrap();
    let fork = |token: &str| {
        mail.send(token, "GET", &format!("/security-advisories/{ghsa}"), Value::Null).json["private_fork"].clone()
    };
    assert_eq!(fork("token-alice")["name"], format!("mail-{}", ghsa.to_lowercase()));
    assert!(fork("token-publisher").is_null(), "an App is not told");
    mail.bench.world.take_deliveries();
    alice.publish_advisory(&mail.repo, &ghsa).unwrap();
    assert!(fork("token-alice").is_null());
    let events: Vec<_> = mail.bench.world.take_deliveries();
    let [event] = &events[..] else { panic!("one event, not {}", events.len()) };
    assert_eq!((event.event.as_str(), &event.payload["action"]), ("repository_advisory", &json!("published")));
    assert_eq!(event.payload["repository_advisory"]["ghsa_id"], json!(ghsa));
}

#[test]
fn no_event_tells_of_drafts_and_no_field_of_a_request() {
    let mail = Mail::new();
    mail.bench.world.take_deliveries();
    let ghsa = mail.drafted();
    mail.patch(&ghsa, json!({ "summary": "Another" }));
    let path = format!("/security-advisories/{ghsa}");
    let before = mail.send("token-alice", "GET", &path, Value::Null).json;
    let ask = |token: &str, path: &str| mail.send(token, "POST", &format!("{path}/cve"), Value::Null);
    let asked = ask("token-alice", &path);
    assert_eq!((asked.status, &asked.json), (202, &json!({})));
    assert_eq!(mail.send("token-alice", "GET", &path, Value::Null).json, before, "nothing shows that it was asked for");
    assert_eq!(mail.bench.world.cve_requests(&mail.repo, &ghsa), 1);
    assert_eq!(mail.bench.world.take_deliveries(), []);
    mail.bench.world.assign_cve(&mail.repo, &ghsa, "CVE-2026-12345");
    assert_eq!(mail.send("token-alice", "GET", &path, Value::Null).json["cve_id"], "CVE-2026-12345");
    assert_eq!(ask("token-alice", &path).status, 422);
    assert_eq!(ask("token-alice", "/security-advisories/GHSA-2222-2222-2222").status, 404);
    let other = mail.drafted();
    mail.patch(&other, json!({ "state": "closed" }));
    assert_eq!(ask("token-alice", &format!("/security-advisories/{other}")).status, 422);
    mail.patch(&other, json!({ "state": "draft" }));
    mail.bench.world.set_visibility(&mail.repo, Visibility::Private);
    assert_eq!(ask("token-alice", &format!("/security-advisories/{other}")).status, 403);
}

#[test]
fn lists_go_on_behind_a_cursor() {
    let mail = Mail::new();
    let all: Vec<String> = (0..5).map(|_| mail.drafted()).collect();
    let first = mail.send("token-alice", "GET", "/security-advisories?state=draft&per_page=2&page=2", Value::Null);
    assert_eq!(first.each("ghsa_id"), [&json!(all[4]), &json!(all[3])], "`page` means nothing");
    let link = first.header("link").unwrap();
    let (_, query) = link.split_once('?').unwrap();
    let (query, _) = query.split_once('>').unwrap();
    assert!(query.contains("after=") && !query.split('&').any(|part| part == "page=2"), "{query}");
    let second = mail.send("token-alice", "GET", &format!("/security-advisories?{query}"), Value::Null);
    assert_eq!(second.each("ghsa_id"), [&json!(all[2]), &json!(all[1])]);
    assert_eq!(mail.send("token-alice", "GET", "/security-advisories?after=x", Value::Null).status, 400);
    let none = mail.send("token-alice", "GET", "/security-advisories?state=triage", Value::Null);
    assert_eq!((none.status, none.json), (200, json!([])));
}

#[test]
fn a_private_report_comes_in_triage_and_only_its_reporter_sees_it() {
    let mail = Mail::new();
    let world = &mail.bench.world;
    world.take_deliveries();
    let ghsa = world.person("mallory").report_privately(&mail.repo, "A hole", "Deep.").unwrap();
    let seen = mail.send("token-mallory", "GET", &format!("/security-advisories/{ghsa}"), Value::Null).json;
    assert_eq!((&seen["state"], &seen["submission"]["accepted"]), (&json!("triage"), &json!(false)));
    assert_eq!((&seen["publisher"], &seen["cvss"]), (&Value::Null, &Value::Null));
    assert_eq!(seen["credits_detailed"][0]["state"], "accepted");
    assert_eq!(mail.send("token-mia", "GET", &format!("/security-advisories/{ghsa}"), Value::Null).status, 404);
    let events = world.take_deliveries();
    assert_eq!((events.len(), &events[0].payload["action"]), (1, &json!("reported")));
    assert!(world.person("mallory").edit_advisory(&mail.repo, &ghsa, &json!({ "summary": "Deeper" })).is_ok());
    assert!(world.person("mallory").edit_advisory(&mail.repo, &ghsa, &json!({ "state": "draft" })).is_err());
    assert!(world.person("mia").publish_advisory(&mail.repo, &ghsa).is_err());
    assert!(world.person("mallory").report_privately(&mail.bench.repo, "A hole", "Deep.").is_err(), "404");
}

#[test]
fn credits_are_offered_and_answered() {
    let mail = Mail::new();
    let ghsa = mail.drafted();
    mail.patch(&ghsa, json!({ "credits": [{ "login": "rita", "type": "finder" }] }));
    let state = || mail.bench.world.advisory_now(&mail.repo, &ghsa).unwrap().credits_detailed[0].state.clone();
    assert_eq!(state(), "pending");
    mail.bench.world.person("rita").answer_credit(&mail.repo, &ghsa, false).unwrap();
    assert_eq!(state(), "declined");
    mail.patch(&ghsa, json!({ "credits": [{ "login": "Rita", "type": "finder" }] }));
    assert_eq!(state(), "declined", "offering it again asks nobody twice");
    assert!(mail.bench.world.person("tina").answer_credit(&mail.repo, &ghsa, true).is_err());
}

#[test]
fn a_release_is_found_by_its_tag_once_it_is_published() {
    let mail = Mail::new();
    let alice = mail.bench.world.person("alice");
    let get = |token: &str, rest: &str| mail.send(token, "GET", rest, Value::Null);
    alice.release(&mail.repo, "v1.2", &["mail.tar.gz"], true, false).unwrap();
    assert_eq!(get("token-alice", "/releases/tags/v1.2").status, 404, "a draft has no tag yet");
    assert_eq!(get("token-alice", "/releases").each("draft"), [&json!(true)]);
    assert_eq!(get("token-mallory", "/releases").json, json!([]));
    alice.publish_release(&mail.repo, "v1.2", &["mail.tar.gz", "checksums.txt"]).unwrap();
    let found = get("token-mallory", "/releases/tags/v1.2").json;
    assert_eq!((&found["draft"], found["assets"].as_array().unwrap().len()), (&json!(false), 2));
    assert!(found["published_at"].is_string());
    assert!(mail.bench.world.person("rita").publish_release(&mail.repo, "v2", &[]).is_err());
}

#[test]
fn a_server_may_have_no_advisories() {
    let mail = Mail::new();
    mail.bench.world.without_advisories();
    assert_eq!(mail.send("token-alice", "GET", "/security-advisories", Value::Null).status, 404);
    assert_eq!(mail.create(draft()).status, 404);
}
