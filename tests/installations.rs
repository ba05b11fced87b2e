//! What Wardroom may reach changes: an installation of the App, a repository's name, owner and visibility. The events are
//! GitHub's recorded ones with our names in them; the process is the real one.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::town::{SECRET, Server, Town};
use support::webhooks::recorded_payloads;
use wardroom::domain::facts::RepoName;
use wardroom::domain::policy::Policy;
use wardroom::engine::intake::{Ignored, intake};
use wardroom::sim::http::send_webhook;
use wardroom::sim::{Delivery, Visibility};

/// All recorded payloads of this event and action; `None` where npm is missing.
fn samples(event: &str, action: &str) -> Option<Vec<Value>> {
    let all = recorded_payloads()?.into_iter().filter(|one| one.event == event && one.action() == Some(action));
    let all: Vec<Value> = all.map(|one| one.payload).collect();
    assert!(!all.is_empty(), "no {event} {action} was recorded");
    Some(all)
}

/// A recorded event with our owner, and our repository where it names one.
fn ours(event: &str, action: &str, repository: &str) -> Option<Value> {
    let mut payload = samples(event, action)?.remove(0);
    let (owner, name) = repository.split_once('/').unwrap();
    if payload.get("installation").is_some_and(|installation| installation.get("account").is_some()) {
        payload["installation"]["account"]["login"] = json!(owner);
    }
    for list in ["repositories", "repositories_added", "repositories_removed"] {
        if payload.get(list).is_some_and(|list| list.get(0).is_some()) {
            payload[list][0]["full_name"] = json!(repository);
        }
    }
    if payload.get("repository").is_some() {
        payload["repository"]["full_name"] = json!(repository);
        payload["repository"]["name"] = json!(name);
        payload["repository"]["owner"]["login"] = json!(owner);
    }
    Some(payload)
}

async fn send(server: &Server, guid: &str, event: &str, payload: Value) {
    let delivery = Delivery { guid: guid.to_owned(), event: event.to_owned(), payload };
    assert_eq!(send_webhook(&server.url, SECRET.as_bytes(), &delivery).await, Ok(202));
}

#[test]
fn each_event_asks_for_a_new_try_or_says_why_not() {
    let policy =
        Policy::load("reports: {repositories: [octo-org/mail]}\nadvisories: {repository: octo-org/web}\n").unwrap();
    let tracker: RepoName = "octo-org/security".parse().unwrap();
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let asked = |event: &str, payload: &Value| intake(event, payload, &policy, &tracker, None, now);
    for (event, action, why_nothing) in [
        ("installation", "created", None),
        ("installation", "deleted", Some(Ignored::Uninstalled)),
        ("installation", "suspend", Some(Ignored::Suspended)),
        ("installation", "unsuspend", None),
        ("installation", "new_permissions_accepted", None),
        ("installation_repositories", "added", None),
        ("installation_repositories", "removed", Some(Ignored::Uninstalled)),
        ("repository", "renamed", None),
        ("repository", "transferred", None),
        ("repository", "publicized", None),
        ("repository", "privatized", None),
    ] {
        let Some(recorded) = samples(event, action) else { return };
        let elsewhere = if event == "repository" { Ignored::OtherRepository } else { Ignored::OtherOwner };
        for payload in &recorded {
            assert_eq!(asked(event, payload), Err(elsewhere), "{event} {action}");
        }
        for repository in ["octo-org/security", "octo-org/mail", "Octo-Org/Web"] {
            let payload = ours(event, action, repository).unwrap();
            match asked(event, &payload) {
                Ok(asked) => {
                    assert!(asked.access && asked.subjects.is_empty() && why_nothing.is_none(), "{event} {action}")
                }
                Err(why) => assert_eq!(Some(why), why_nothing, "{event} {action}"),
            }
        }
        if event == "installation_repositories" {
            let other = ours(event, action, "octo-org/another").unwrap();
            assert_eq!(asked(event, &other), Err(Ignored::OtherRepository));
        }
    }
    // What was ours is called otherwise now.
    let mut renamed = ours("repository", "renamed", "octo-org/incidents").unwrap();
    assert_eq!(asked("repository", &renamed), Err(Ignored::OtherRepository));
    renamed["changes"]["repository"]["name"]["from"] = json!("security");
    assert!(asked("repository", &renamed).unwrap().access);
    let mut transferred = ours("repository", "transferred", "stranger/mail").unwrap();
    transferred["changes"]["owner"]["from"]["user"]["login"] = json!("octo-org");
    assert!(asked("repository", &transferred).unwrap().access);
}

/// A process that is an App, with an incident at rest. `None` where npm is missing.
async fn app_town() -> Option<(Town, Server, u64)> {
    let mut town = Town::new().await;
    let (done, key) = support::npm::node("rsa_key.mjs", "")?;
    assert!(done, "{key}");
    let rights = [("issues", "write"), ("contents", "read"), ("metadata", "read")];
    let app = town.world.add_app("guard", std::slice::from_ref(&town.tracker), &rights);
    town.env.retain(|(name, _)| name != "WARDROOM_TOKEN");
    town.env.push(("WARDROOM_APP_ID".to_owned(), app.to_string()));
    town.env.push(("WARDROOM_PRIVATE_KEY".to_owned(), key));
    let server = town.start();
    let number = opened(&town, &server).await;
    Some((town, server, number))
}

async fn opened(town: &Town, server: &Server) -> u64 {
    town.report();
    assert!(town.deliver(server).await.is_empty());
    let incident = || {
        let all = town.world.issues_of(&town.tracker);
        all.iter().find(|issue| issue.title.starts_with("Incident")).map(|issue| issue.number)
    };
    let status = |number| {
        let said = town.world.comments_of(&town.tracker, number);
        said.iter().any(|comment| comment.text.starts_with("<!-- wardroom:status"))
    };
    town.until("the status comment", || incident().is_some_and(status)).await;
    incident().unwrap()
}

fn error_of(town: &Town, number: u64) -> Option<String> {
    let row = town.rows().into_iter().find(|row| row.subject.to_string() == format!("tracker #{number}"));
    row.and_then(|row| row.told.error)
}

/// The words of the status comment, whatever the repository is called.
fn tells(town: &Town, tracker: &RepoName, number: u64, words: &str) -> bool {
    town.world.comments_of(tracker, number).iter().any(|comment| comment.text.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_or_removed_installation_ends_looks_until_it_is_back() {
    let Some((town, server, number)) = app_town().await else { return };
    let tracker = town.tracker.to_string();
    let repositories = [town.tracker.clone()];
    let page = "is suspended: end that on https://github.test/settings/installations/";
    for (suspends, out, back, words) in [
        (true, "suspend", "unsuspend", page),
        (false, "deleted", "created", "the App is not installed on octo/security"),
    ] {
        let change = |out: bool| match suspends {
            true => town.world.suspend("guard", out),
            false => town.world.install("guard", if out { &[] } else { &repositories }),
        };
        change(true);
        town.world.person("bob").tick(&town.tracker, number, if suspends { "T1" } else { "T2" }).unwrap();
        send(&server, &format!("{out}-1"), "installation", ours("installation", out, &tracker).unwrap()).await;
        assert!(town.deliver(&server).await.is_empty());
        town.until("the refusal", || error_of(&town, number).is_some_and(|error| error.contains(words))).await;
        let refused = |line: &&str| line.contains("a look was refused") && line.contains(words);
        let lines = || town.log().lines().filter(refused).count();
        assert_eq!(lines(), 1, "{}", town.log());
        // More events, and no look: nothing has changed.
        town.world.person("bob").comment(&town.tracker, number, "Anyone?").unwrap();
        let waiting = || town.operator().deliveries(50).unwrap().iter().any(|kept| kept.waiting);
        assert!(town.deliver(&server).await.is_empty());
        town.until("they are taken in", || !waiting()).await;
        let due =
            town.rows().into_iter().find(|row| row.subject.to_string() == format!("tracker #{number}")).unwrap().due;
        assert!(due.unwrap() > town.world.now() + jiff::SignedDuration::from_hours(23), "{due:?}");
        change(false);
        send(&server, &format!("{back}-1"), "installation", ours("installation", back, &tracker).unwrap()).await;
        town.until("the look", || error_of(&town, number).is_none()).await;
        let done = if suspends { "1 of" } else { "2 of" };
        town.until("the tick", || tells(&town, &town.tracker, number, done)).await;
    }
    assert!(server.stop().await.success());
    assert_eq!(town.leaks(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_elsewhere_is_one_line_and_no_call() {
    let Some((town, server, _)) = app_town().await else { return };
    let rests = || {
        let rows = town.rows();
        rows.iter().all(|row| row.due.is_none_or(|due| due > town.world.now() + jiff::SignedDuration::from_secs(20)))
    };
    town.until("rest", rests).await;
    let calls = town.world.calls().len();
    send(&server, "elsewhere", "installation", samples("installation", "created").unwrap().remove(0)).await;
    town.until("it is taken in", || town.log().contains("an installation of another owner")).await;
    assert_eq!(town.world.calls().len(), calls, "{}", town.room.call_log(5));
    assert_eq!(town.log().lines().filter(|line| line.contains("\"elsewhere\"")).count(), 1, "{}", town.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_tracker_is_followed_and_one_that_went_to_another_owner_is_not() {
    let Some((town, server, number)) = app_town().await else { return };
    let new: RepoName = "octo/incidents".parse().unwrap();
    town.world.rename_repo(&town.tracker, &new);
    let mut renamed = ours("repository", "renamed", "octo/incidents").unwrap();
    renamed["changes"]["repository"]["name"]["from"] = json!("security");
    send(&server, "renamed-1", "repository", renamed).await;
    town.until("the new name", || town.log().contains("a repository was renamed")).await;
    town.world.person("bob").tick(&new, number, "T1").unwrap();
    assert!(town.deliver(&server).await.is_empty());
    town.until("the tick", || tells(&town, &new, number, "1 of")).await;
    let incidents = || {
        let all = town.world.issues_of(&new);
        all.into_iter()
            .filter(|issue| issue.title.starts_with("Incident"))
            .map(|issue| issue.number)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(incidents(), BTreeSet::from([number]));

    let stranger: RepoName = "stranger/incidents".parse().unwrap();
    town.world.rename_repo(&new, &stranger);
    let mut transferred = ours("repository", "transferred", "stranger/incidents").unwrap();
    transferred["changes"]["owner"]["from"] =
        json!({ "organization": transferred["changes"]["owner"]["from"]["user"] });
    transferred["changes"]["owner"]["from"]["organization"]["login"] = json!("octo");
    let writes = |town: &Town| town.world.calls().iter().filter(|call| call.method == "PATCH").count();
    let before = writes(&town);
    send(&server, "transferred-1", "repository", transferred).await;
    town.until("the refusal", || town.log().contains("no sweep, until that is put right")).await;
    assert_eq!(writes(&town), before, "{}", town.room.call_log(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_became_public_is_written_to_no_more_until_it_is_private_again() {
    let Some((town, server, number)) = app_town().await else { return };
    town.world.set_visibility(&town.tracker, Visibility::Public);
    let tracker = town.tracker.to_string();
    send(&server, "public-1", "repository", ours("repository", "publicized", &tracker).unwrap()).await;
    town.until("the sweep", || town.log().contains("the tracker is not a private repository")).await;
    let writes = |town: &Town| town.world.calls().iter().filter(|call| call.method != "GET").count();
    town.world.person("bob").tick(&town.tracker, number, "T1").unwrap();
    assert!(town.deliver(&server).await.is_empty());
    let public = || error_of(&town, number).is_some_and(|error| error.contains("is not a private repository"));
    town.until("the refusal", public).await;
    let before = writes(&town);
    town.world.set_visibility(&town.tracker, Visibility::Private);
    assert_eq!(writes(&town), before);
    send(&server, "private-1", "repository", ours("repository", "privatized", &tracker).unwrap()).await;
    town.until("the tick", || tells(&town, &town.tracker, number, "1 of")).await;
    town.until("the end of the refusal", || error_of(&town, number).is_none()).await;
}
