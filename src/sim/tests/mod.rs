//! Each rule of the simulated GitHub, shown by calls to it: a rule that is wrong here hides a bug elsewhere.

mod advisories;
mod labels;
mod limits;
mod reading;
mod writing;

use serde_json::{Value, json};

use super::{Answer, Call, Delivery, Visibility, World};
use crate::domain::facts::{RepoName, Role};

/// A private `octo/security` with one person of each role and the App `wardroom`; mallory is nobody there.
struct Bench {
    world: World,
    repo: RepoName,
}

/// An answer, read.
struct Got {
    status: u16,
    json: Value,
    answer: Answer,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn message(&self) -> &str {
        self.json["message"].as_str().unwrap_or_default()
    }

    /// The first fault that a 422 names: field, code and message.
    fn fault(&self) -> [&str; 3] {
        ["field", "code", "message"].map(|key| self.json["errors"][0][key].as_str().unwrap_or_default())
    }

    /// One key of each item of a list.
    fn each(&self, key: &str) -> Vec<&Value> {
        self.json.as_array().unwrap().iter().map(|item| &item[key]).collect()
    }
}

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

/// A private repository with the App `bot`, with ada who writes and tom who triages.
pub(super) fn team() -> (World, RepoName) {
    let (world, repo) = (World::new(), name("octo/security"));
    world.add_repo(&repo, Visibility::Private);
    world.add_app("bot", std::slice::from_ref(&repo), &[("issues", "write")]);
    for (login, role) in [("ada", Role::Write), ("tom", Role::Triage)] {
        world.add_user(login);
        world.collaborator(&repo, login, role);
    }
    (world, repo)
}

impl Bench {
    fn new() -> Bench {
        let world = World::new();
        let repo = name("octo/security");
        world.add_repo(&repo, Visibility::Private);
        let people = [
            ("alice", Role::Admin),
            ("mia", Role::Maintain),
            ("bob", Role::Write),
            ("tina", Role::Triage),
            ("rita", Role::Read),
        ];
        for (login, role) in people {
            world.add_user(login);
            world.collaborator(&repo, login, role);
        }
        world.add_user("mallory");
        world.add_app(
            "wardroom",
            std::slice::from_ref(&repo),
            &[("issues", "write"), ("metadata", "read"), ("contents", "read")],
        );
        Bench { world, repo }
    }

    /// A call with a token; a path that begins with `R` is one of the repository.
    fn send(&self, token: &str, method: &str, path: &str, body: Value) -> Got {
        self.send_with(token, method, path, body, |_| {})
    }

    fn send_with(&self, token: &str, method: &str, path: &str, body: Value, change: impl FnOnce(&mut Call)) -> Got {
        let path = path.strip_prefix('R').map_or_else(|| path.to_owned(), |rest| format!("/repos/{}{rest}", self.repo));
        let mut call = Call {
            method: method.to_owned(),
            path,
            token: Some(token.to_owned()),
            body: Some(body).filter(|body| !body.is_null()),
            ..Call::default()
        };
        change(&mut call);
        let answer = self.world.handle(&call).unwrap();
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Got { status: answer.status, json, answer }
    }

    fn get(&self, who: &str, path: &str) -> Got {
        self.send(&format!("token-{who}"), "GET", path, Value::Null)
    }

    fn post(&self, who: &str, path: &str, body: Value) -> Got {
        self.send(&format!("token-{who}"), "POST", path, body)
    }

    fn patch(&self, who: &str, path: &str, body: Value) -> Got {
        self.send(&format!("token-{who}"), "PATCH", path, body)
    }

    fn delete(&self, who: &str, path: &str) -> Got {
        self.send(&format!("token-{who}"), "DELETE", path, Value::Null)
    }

    /// An issue that alice opened.
    fn issue(&self, title: &str) -> u64 {
        self.world.person("alice").open_issue(&self.repo, title, "- [ ] First\n- [ ] Second", &[]).unwrap()
    }

    /// The webhooks since the last time, as `event action`.
    fn events(&self) -> Vec<String> {
        self.world.take_deliveries().iter().map(kind).collect()
    }
}

fn kind(delivery: &Delivery) -> String {
    format!("{} {}", delivery.event, delivery.payload["action"].as_str().unwrap())
}

/// The next page that a `Link` header names.
fn link<'a>(got: &'a Got, rel: &str) -> Option<&'a str> {
    let wanted = format!("rel=\"{rel}\"");
    let part = got.header("link")?.split(", ").find(|part| part.ends_with(&wanted))?;
    part.strip_prefix('<')?.split_once('>').map(|(address, _)| address)
}

#[test]
fn an_unknown_path_is_a_404_that_the_log_names() {
    let bench = Bench::new();
    assert_eq!(bench.get("alice", "R/milestones").status, 404);
    assert_eq!(bench.get("alice", "/no/such/page").status, 404);
    let routes: Vec<String> = bench.world.calls().into_iter().map(|call| call.route).collect();
    assert_eq!(routes, ["unknown route", "unknown route"]);
}

#[test]
fn the_log_says_who_called_what_when_and_how_it_ended() {
    let bench = Bench::new();
    bench.post("wardroom", "R/issues", json!({ "title": "One" }));
    bench.world.advance(jiff::SignedDuration::from_secs(61));
    bench.get("nobody", "R/issues/1?x=1");
    let log: Vec<String> = bench
        .world
        .calls()
        .into_iter()
        .map(|c| format!("{} {} {} {} {} {}", c.seq, c.at, c.who, c.method, c.route, c.status))
        .collect();
    let wanted = [
        "1 2026-03-02T09:00:00Z wardroom[bot] POST R/issues 201",
        "2 2026-03-02T09:01:01Z nobody GET R/issues/{n} 401",
    ];
    assert_eq!(log, wanted);
}
