//! `wardroom serve` as a process: what it does in a good hour and in a bad one.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Stdio;

use support::canaries::{self, Canaries};
use support::town::{SECRET, Server, TOKEN, Town};
use wardroom::sim::http::send_webhook;

fn incidents(town: &Town) -> Vec<u64> {
    let all = town.world.issues_of(&town.tracker);
    all.iter().filter(|issue| issue.title.starts_with("Incident")).map(|issue| issue.number).collect()
}

async fn opened(town: &Town) -> u64 {
    town.until("an incident", || !incidents(town).is_empty()).await;
    incidents(town)[0]
}

fn has_status(town: &Town, number: u64) -> bool {
    let said = town.world.comments_of(&town.tracker, number);
    said.iter().any(|comment| comment.text.starts_with("<!-- wardroom:status"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_becomes_an_incident_and_the_operator_sees_it() {
    let town = Town::new().await;
    let server = town.start();
    town.report();
    assert!(town.deliver(&server).await.is_empty());
    let number = opened(&town).await;
    town.until("the status comment", || has_status(&town, number)).await;
    town.world.person("bob").tick(&town.tracker, number, "Reproduce the vulnerability").unwrap();
    assert!(town.deliver(&server).await.is_empty());

    let said = operator(&town, &["incidents"]);
    assert!(said.contains(&format!("#{number} ")) && said.contains("phase/1-assessment"), "{said}");
    let said = operator(&town, &["inbox", "list"]);
    assert!(said.contains("issues") && said.contains("report octo/security#1"), "{said}");
    let kept = town.operator().deliveries(20).unwrap();
    let guid = kept.into_iter().find(|kept| kept.subjects == ["report octo/security#1"]).unwrap().guid;
    let said = operator(&town, &["inbox", "show", &guid]);
    assert!(said.contains(&guid) && said.contains("canary-title"), "a payload is what it asks for: {said}");
    let times = |town: &Town| town.world.calls().len();
    let before = times(&town);
    assert!(operator(&town, &["inbox", "replay", &guid]).contains("is taken in once more"));
    town.until("another look", || times(&town) > before).await;

    assert_eq!(server.ask("/healthz").await, (200, "alive\n".to_owned()));
    let row = || town.rows().into_iter().find(|row| row.subject.to_string() == format!("tracker #{number}"));
    town.until("the summary", || row().is_some_and(|row| row.told.standing.is_some())).await;
    assert_eq!(server.ask("/readyz").await, (200, "ready\n".to_owned()));
    let (status, metrics) = server.ask("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "wardroom_deliveries_total{event=\"issues\",outcome=\"kept\"}",
        "wardroom_api_calls_total{route=\"POST R/issues\",status=\"201\"} 1",
        "wardroom_looks_total{outcome=\"wrote\"}",
        "wardroom_api_budget_left ",
        "wardroom_queue_age_seconds ",
        "wardroom_look_seconds_bucket",
    ] {
        assert!(metrics.contains(line), "{line}:\n{metrics}");
    }
    assert!(server.stop().await.success());
    let log = town.log();
    assert!(log.contains("\"told to stop: finishing what has begun\"") && log.contains("\"stopped\""), "{log}");
}

/// What an operator's command prints, beside the running server.
fn operator(town: &Town, arguments: &[&str]) -> String {
    let database = format!("sqlite:{}", town.database().display());
    let ended = town.command().args(arguments).args(["--database", &database]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = String::from_utf8(ended.stdout).unwrap();
    if arguments[..2.min(arguments.len())] != ["inbox", "show"] {
        canaries::none_in(&town.env, "a table", &said);
    }
    said
}

/// So that the search which every town makes at its end is known to find what it looks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_leak_is_found() {
    let town = Town::new().await;
    let server = town.start();
    town.until("a log", || town.log().contains("\"working\"")).await;
    drop(server);
    let (clean, path) = (town.log(), town.dir.path().join("log"));
    assert!(town.leaks().is_empty(), "{clean}");
    let canaries = Canaries::of(&town.env);
    assert!(["canary-title", TOKEN, SECRET, "an older secret"].iter().all(|word| canaries.words().any(|w| w == *word)));
    for word in canaries.words() {
        let line = format!("{{\"level\":\"DEBUG\",\"fields\":{{\"message\":\"x{}y\"}}}}\n", word.to_uppercase());
        std::fs::write(&path, clean.clone() + &line).unwrap();
        assert!(town.leaks().iter().any(|leak| leak.contains(&word.to_lowercase())), "{word}");
    }
    std::fs::write(&path, clean).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_file_is_refused() {
    let town = Town::new().await;
    let server = town.start();
    let mut second = town.command();
    town.arguments(&mut second);
    let refused = second.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "it passes: the other one may be about to end");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is in use by another `wardroom serve`. Stop that one first"), "{said}");
    server.kill();
    drop(town.start());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_file_that_stays_wrong_is_a_wrong_setting() {
    let town = Town::new().await;
    let start = || {
        let mut command = town.command();
        town.arguments(&mut command);
        let ended = command.output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    std::fs::create_dir(town.database()).unwrap();
    let (code, said) = start();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the database cannot be opened"), "{said}");
    std::fs::remove_dir(town.database()).unwrap();
    let db = rusqlite::Connection::open(town.database()).unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(db);
    let (code, said) = start();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is a database of another program"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_log_in_a_file_has_no_colours() {
    let town = Town::new().await;
    let mut command = town.command();
    let database = format!("sqlite:{}", town.database().display());
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--database", &database]);
    let server = town.start_as(command);
    town.until("a line", || town.log().contains("working")).await;
    assert!(server.stop().await.success());
    assert!(!town.log().contains('\u{1b}'), "{}", town.log());
}

/// systemd starts it again whatever ended it, and never gives up: five starts within ten seconds would be its limit.
#[test]
fn systemd_always_starts_it_again() {
    let unit = include_str!("../deploy/wardroom.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    assert_eq!(value("Restart"), Some("on-failure"));
    assert!(value("RestartSec").unwrap().parse::<u32>().unwrap() >= 3);
    for key in ["RestartPreventExitStatus", "StartLimitBurst", "StartLimitIntervalSec"] {
        assert_eq!(value(key), None, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_the_settings_is_said_at_once() {
    let town = Town::new().await;
    for (change, says) in [
        (("WARDROOM_WEBHOOK_SECRET", ""), "WARDROOM_WEBHOOK_SECRET is not set"),
        (("WARDROOM_TOKEN", ""), "WARDROOM_TOKEN is not set"),
        (("WARDROOM_TRACKER", "nowhere"), "WARDROOM_TRACKER must be a repository"),
    ] {
        let mut command = town.command();
        town.arguments(&mut command);
        let ended = command.env(change.0, change.1).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
        canaries::none_in(&town.env, "an error", &said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_while_github_is_down_is_kept_and_done_later() {
    let town = Town::new().await;
    town.world.faults(|faults| faults.set_down(true));
    let server = town.start();
    town.report();
    assert!(town.deliver(&server).await.is_empty());
    let (status, why) = server.ask("/readyz").await;
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("cannot be read yet"), "{why}");
    server.kill();

    let server = town.start();
    town.world.faults(|faults| faults.set_down(false));
    opened(&town).await;
    town.until("readiness", || town.rows().iter().all(|row| row.told.error.is_none())).await;
    let kept = town.operator().deliveries(10).unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().all(|kept| !kept.waiting), "{kept:?}");
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_in_a_look_it_finishes_that_look() {
    let town = Town::new().await;
    let server = town.start();
    town.report();
    assert!(town.deliver(&server).await.is_empty());
    // The issue is there, and the acknowledgement waits for the second between two writes.
    opened(&town).await;
    assert!(server.stop().await.success());
    let said = town.world.comments_of(&town.tracker, 1);
    assert_eq!(said.iter().filter(|comment| comment.by == "wardroom[bot]").count(), 1, "{said:?}");
    assert!(town.rows().iter().all(|row| row.attempts == 0), "{:?}", town.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_never_came_is_found_at_the_start() {
    let town = Town::new().await;
    town.report();
    town.world.take_deliveries();
    let server = town.start();
    opened(&town).await;
    assert!(town.operator().deliveries(10).unwrap().is_empty());
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_never_arrived_is_fetched_from_the_apps_log() {
    let mut town = Town::new().await;
    let Some((done, key)) = support::npm::node("rsa_key.mjs", "") else { return };
    assert!(done, "{key}");
    let app = town.room.world.add_app("guard", &[town.tracker.clone()], &[("issues", "write"), ("contents", "read")]);
    town.env.retain(|(name, _)| name != "WARDROOM_TOKEN");
    town.env.push(("WARDROOM_APP_ID".to_owned(), app.to_string()));
    town.env.push(("WARDROOM_PRIVATE_KEY".to_owned(), key));
    town.report();
    let sent = town.world.take_deliveries();
    // The first was taken at its second attempt, by whoever lost it then: the sweep finds what it told of.
    for (delivery, status) in [(&sent[0], 503), (&sent[1], 0), (&sent[0], 202), (&sent[1], 502)] {
        town.world.attempted(delivery, status);
    }
    let server = town.start();
    opened(&town).await;
    town.until("the walk", || town.log().contains("walked the App's delivery log")).await;
    let kept: Vec<String> = town.operator().deliveries(10).unwrap().into_iter().map(|kept| kept.guid).collect();
    assert_eq!(kept, [sent[1].guid.clone()]);
    assert_eq!(town.world.calls().iter().filter(|call| call.route == "/app/hook/deliveries/{id}").count(), 1);
    assert!(server.stop().await.success());
    assert!(!town.log().contains("PRIVATE KEY") && !town.log().contains("ghs_"), "{}", town.log());
}

/// A disk that takes no more: the process may write files of so many blocks of 1,024 bytes only, and learns an error beyond
/// (SIGXFSZ is ignored, as `trap '' XFSZ` is inherited).
fn start_on_a_small_disk(town: &Town, blocks: u32) -> Server {
    let mut command = std::process::Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "bash"]).arg(env!("CARGO_BIN_EXE_wardroom"));
    command.env_clear().envs(town.env.iter().cloned()).stdin(Stdio::null());
    town.arguments(&mut command);
    town.start_as(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_503_and_what_was_taken_stays() {
    let town = Town::new().await;
    drop(town.start());
    let server = start_on_a_small_disk(&town, 1024);
    // Bytes that do not compress, so that a few deliveries fill the disk.
    let mut noise = 88172645463325252_u64;
    let mut text = || {
        let mut byte = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            format!("{noise:016x}")
        };
        (0..600).map(|_| byte()).collect::<String>()
    };
    let (mut taken, mut refused) = (Vec::new(), 0);
    for n in 0..120 {
        let payload = serde_json::json!({ "zen": text() });
        let delivery = wardroom::sim::Delivery { guid: format!("guid-{n}"), event: "ping".to_owned(), payload };
        match send_webhook(&server.url, SECRET.as_bytes(), &delivery).await.unwrap() {
            202 => taken.push(delivery.guid),
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(taken.len() > 5 && refused > 5, "{} taken, {refused} refused", taken.len());
    server.kill();
    let server = town.start();
    let kept: Vec<String> = town.operator().deliveries(1000).unwrap().into_iter().map(|kept| kept.guid).rev().collect();
    assert_eq!(kept, taken, "what was answered with 202 is there, and nothing else");
    assert!(server.stop().await.success());
    assert!(town.log().contains("could not be kept"));
}
