//! `wardroom action`, `replay` and `sweep` through the binary, with a hand-made workflow environment, against the
//! simulated GitHub over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::room::repo;
use support::workflow::{TOKEN, Workflow};
use wardroom::domain::facts::RepoName;
use wardroom::sim::{Fault, When};

/// Variables of the environment that a case sets anew.
type Changes<'a> = &'a [(&'static str, &'a str)];

/// A workflow in the public repository `octo/mail`, where reports come from, with a private tracker.
async fn in_public() -> Workflow {
    let mut workflow = Workflow::new().await;
    workflow.policy("reports:\n  repositories: [octo/mail]\n");
    workflow.set("GITHUB_REPOSITORY", "octo/mail");
    workflow.set("WARDROOM_TRACKER", "octo/security");
    workflow
}

fn report_in(workflow: &Workflow, at: &RepoName) -> u64 {
    let room = &workflow.room;
    let number = room.as_("rita").open_issue(at, "CANARY-title", "CANARY-body", &[]).unwrap();
    room.as_("alice").label(at, number, "CANARY-label").unwrap();
    room.as_("alice").label(at, number, "security-report").unwrap();
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_labelled_report_becomes_an_incident_and_the_outputs_say_where_it_stands() {
    let mut workflow = Workflow::new().await;
    let report = workflow.room.report("Overflow in the parser", "It crashes.");
    workflow.newest_event();
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let incident = workflow.room.incident();
    assert_eq!(ran.output("incident"), incident.to_string(), "{}", ran.all());
    assert_eq!(ran.output("phase"), "phase/1-assessment", "{}", ran.all());
    assert_eq!(ran.output("progress"), "0 of 38 tasks settled", "{}", ran.all());
    assert_eq!(ran.output("severity"), "");
    assert_eq!(ran.output("changed"), "true");
    assert!(ran.summary.starts_with("### Wardroom did this\n"), "{}", ran.all());
    assert!(
        ran.summary.contains(&format!(
            "| [#{incident}](https://github.test/octo/security/issues/{incident}) | phase/1-assessment | – | 0 of 38 tasks \
             settled | T1, T2, T3 | – |"
        )),
        "{}",
        ran.all()
    );
    let step = format!("  open a tracking issue for octo/security#{report}: #{incident}\n");
    assert!(ran.stdout.contains(&step), "{}", ran.all());
    assert!(workflow.room.status(incident).contains("| 0 of 6 | current |"), "{}", workflow.room.status(incident));
    assert_eq!(ran.stderr, "");

    // A tick, by the event of its own edit.
    workflow.room.as_("bob").tick(&workflow.room.tracker, incident, "Reproduce").unwrap();
    workflow.newest_event();
    let ran = workflow.run(&["action", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed["changed"], json!(true), "{}", ran.all());
    assert_eq!(ran.output("progress"), "1 of 38 tasks settled", "{}", ran.all());

    // The same event once more changes nothing.
    let writes = workflow.room.writes().len();
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.output("changed").as_str()), (0, "false"), "{}", ran.all());
    assert_eq!(workflow.room.writes().len(), writes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_public_repository_a_run_says_done_and_nothing_else() {
    let mut workflow = in_public().await;
    report_in(&workflow, &repo("octo/mail"));
    workflow.newest_event();
    workflow.set("WARDROOM_LOG", "trace");
    let ran = workflow.run(&["action"]);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.summary.as_str()),
        ("done\n", "", "done\n"),
        "{}",
        ran.all()
    );
    assert_eq!(ran.code, 0);
    for name in ["incident", "phase", "severity", "progress", "changed"] {
        assert_eq!(ran.output(name), "", "{}", ran.all());
    }
    assert!(!ran.all().contains("CANARY"));
    assert_eq!(workflow.room.incidents().len(), 1, "it worked all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_public_repository_a_failure_says_failed_and_nothing_else() {
    let mut workflow = in_public().await;
    report_in(&workflow, &repo("octo/mail"));
    workflow.newest_event();
    workflow.set("WARDROOM_LOG", "trace");
    for (policy, code) in [("CANARY: 1\n", 2), ("template: CANARY.md\n", 2), ("- CANARY\n", 2)] {
        workflow.policy(policy);
        let ran = workflow.run(&["action"]);
        let said = (ran.stdout.as_str(), ran.stderr.as_str(), ran.summary.as_str());
        assert_eq!((said, ran.code), (("failed\n", "", "failed\n"), code), "{}", ran.all());
        assert_eq!(ran.output("changed"), "", "{}", ran.all());
    }
    workflow.set("WARDROOM_TRACKER", "octo/CANARY");
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (1, "failed\n", ""), "{}", ran.all());
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_the_log_is_asked_of_github_where_the_event_does_not_say() {
    let mut workflow = in_public().await;
    for payload in
        ["{}", r#"{"repository":{"id":1,"full_name":"octo/security","private":true}}"#, r#"{"repository":3}"#]
    {
        workflow.event("schedule", payload);
        let ran = workflow.run(&["action", "--dry-run"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"), "{payload}\n{}", ran.all());
        let ran = workflow.run(&["sweep", "--dry-run"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"), "{payload}\n{}", ran.all());
    }
    // An internal repository is read by a whole company.
    workflow
        .event("schedule", r#"{"repository":{"id":1,"full_name":"octo/mail","private":true,"visibility":"internal"}}"#);
    assert_eq!(workflow.run(&["action", "--dry-run"]).stdout, "done\n");
    let ran = workflow.run(&["action", "--dry-run", "--check"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stdout.contains("this workflow's log is public"), "{}", ran.all());
    // In the private tracker a schedule is told about.
    workflow.set("GITHUB_REPOSITORY", "octo/security");
    workflow.event("schedule", "{}");
    assert_eq!(workflow.run(&["action", "--dry-run"]).stdout, "nothing to do\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let mut workflow = Workflow::new().await;
    let report = workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    let plan = format!(
        "report octo/security#{report}\n  would open a tracking issue for octo/security#{report}\n  would acknowledge octo/security#{report}\n"
    );
    for arguments in [&["action", "--dry-run", "--check"][..], &["sweep", "--dry-run", "--check"]] {
        let ran = workflow.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, plan.as_str()), "{}", ran.all());
        workflow.untouched(&ran);
    }
    let ran = workflow.run(&["action", "--dry-run"]);
    assert_eq!((ran.code, ran.output("changed").as_str()), (0, "false"), "{}", ran.all());
    assert!(ran.summary.starts_with("### Wardroom would do this (nothing was written)\n"), "{}", ran.all());
    let ran = workflow.run(&["action", "--check"]);
    assert_eq!(ran.code, 2, "--check needs --dry-run\n{}", ran.all());

    // mode: watch is a dry run by itself; mode: off says so.
    workflow.policy("mode: watch\n");
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, plan.as_str()), "{}", ran.all());
    workflow.policy("mode: off\n");
    for arguments in [&["action"][..], &["sweep"]] {
        let ran = workflow.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "note: the policy says mode: off\n"), "{}", ran.all());
    }
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_event_is_refused_by_name_and_nothing_is_written() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    let whole = fs::read(workflow.dir.path().join("event.json")).unwrap();
    let half = whole[..whole.len() / 2].to_vec();
    let repository = &serde_json::from_slice::<Value>(&whole).unwrap()["repository"];
    let another = json!({ "zen": "Keep it logically awesome.", "repository": repository }).to_string().into_bytes();
    let mut nul = whole.clone();
    nul[10] = 0;
    let bad: [(&str, Vec<u8>, &str); 7] = [
        ("half", half, "the payload in GITHUB_EVENT_PATH ends too early"),
        ("empty", Vec::new(), "the payload in GITHUB_EVENT_PATH is empty"),
        ("NUL", nul, "is not JSON"),
        ("bytes", vec![0xff, 0xfe, 0, 0], "is not JSON"),
        ("deep", b"[".repeat(100_000), "is not JSON"),
        ("another event's", another, "is it really one of the event issues?"),
        ("no repository", b"[1]".to_vec(), "failed"),
    ];
    for (name, payload, said) in bad {
        workflow.unset("GITHUB_REPOSITORY");
        workflow.set("WARDROOM_TRACKER", "octo/security");
        workflow.event("issues", payload);
        let ran = workflow.run(&["action"]);
        assert!(ran.code == 2 && ran.stdout.contains(said), "{name}: {}", ran.all());
        assert!(!ran.stdout.contains("Overflow"), "{name}: {}", ran.all());
        workflow.untouched(&ran);
    }
    let missing = workflow.dir.path().join("missing.json").display().to_string();
    workflow.set("GITHUB_EVENT_PATH", &missing);
    let ran = workflow.run(&["action"]);
    assert!(
        ran.code == 2 && ran.stdout.starts_with("::error title=Wardroom::could not read the payload"),
        "{}",
        ran.all()
    );
    workflow.event("push", "{}");
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(ran.stdout.starts_with("note: the event push asks for nothing;"), "{}", ran.all());
    workflow.event("pu\nsh::error::", "{}");
    assert!(workflow.run(&["action"]).stdout.starts_with("note: the event pusherror asks for nothing;"));
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_setup_is_told_with_the_name_of_the_variable() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    let file = workflow.dir.path().join("secret");
    let path = file.display().to_string();
    let good = workflow.env.clone();
    let cases: [(Changes<'_>, i32, &str); 13] = [
        (&[("GITHUB_EVENT_NAME", "")], 2, "GITHUB_EVENT_NAME is not set"),
        (&[("GITHUB_EVENT_PATH", " ")], 2, "GITHUB_EVENT_PATH is not set"),
        (&[("WARDROOM_TOKEN", "")], 2, "WARDROOM_TOKEN is not set. In a workflow"),
        (&[("WARDROOM_TOKEN", "two\nlines")], 2, "WARDROOM_TOKEN holds characters"),
        (
            &[("WARDROOM_TOKEN", ""), ("WARDROOM_TOKEN_FILE", "gone")],
            2,
            "could not read the file that WARDROOM_TOKEN_FILE",
        ),
        (&[("WARDROOM_TOKEN", ""), ("WARDROOM_TOKEN_FILE", &path)], 2, "WARDROOM_TOKEN_FILE names an empty file"),
        (&[("WARDROOM_APP_ID", "1")], 2, "WARDROOM_TOKEN and WARDROOM_APP_ID are both set"),
        (&[("WARDROOM_TOKEN", ""), ("WARDROOM_APP_ID", "one")], 2, "WARDROOM_APP_ID must be the App's number"),
        (&[("WARDROOM_TOKEN", ""), ("WARDROOM_APP_ID", "1")], 2, "WARDROOM_PRIVATE_KEY is not"),
        (
            &[("WARDROOM_TOKEN", ""), ("WARDROOM_APP_ID", "1"), ("WARDROOM_PRIVATE_KEY", "no key")],
            2,
            "WARDROOM_PRIVATE_KEY is not an RSA private key",
        ),
        (&[("WARDROOM_TRACKER", "security")], 2, "WARDROOM_TRACKER must be a repository like"),
        (&[("GITHUB_API_URL", "not an address")], 2, "GITHUB_API_URL is not an address"),
        (&[("WARDROOM_TOKEN", "token-nobody")], 1, "does not accept the token (401)"),
    ];
    fs::write(&file, "\n").unwrap();
    for (changes, code, said) in cases {
        workflow.env.clone_from(&good);
        for (name, value) in changes {
            workflow.set(name, value);
        }
        let ran = workflow.run(&["action"]);
        assert!(ran.code == code && ran.stdout.contains(said), "{changes:?}: {}", ran.all());
        assert!(ran.stdout.starts_with("::error title="), "{}", ran.all());
        assert!(!ran.all().contains("token-nobody") && !ran.all().contains("two"), "{}", ran.all());
        workflow.untouched(&ran);
    }
    // The same token from a file, with the line break that editors leave.
    workflow.env.clone_from(&good);
    workflow.unset("WARDROOM_TOKEN");
    workflow.set("WARDROOM_TOKEN_FILE", &path);
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let ran = workflow.run(&["action", "--dry-run", "--check"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_cannot_be_used_stops_the_run() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    let long = format!("zone: {}\n", "x".repeat(70_000));
    let cases = [
        ("- mode: on\n", ".github/wardroom.yml:1:1: "),
        ("modes: on\n", ".github/wardroom.yml:1:1: "),
        (long.as_str(), "64 KiB"),
        ("template: no.md\n", "the policy says template: no.md"),
        ("tracker: octo/private-reports\n", "the policy says tracker: octo/private-reports"),
    ];
    for (policy, said) in cases {
        workflow.policy(policy);
        for arguments in [&["action"][..], &["sweep"]] {
            let ran = workflow.run(arguments);
            let all = ran.all();
            assert!(ran.code == 2 && all.contains(said), "{policy:.60}: {all}");
            workflow.untouched(&ran);
        }
    }
    let file = workflow.dir.path().join("own.yml");
    fs::write(&file, "mode: watch\n").unwrap();
    let ran = workflow.run(&["action", "--policy", "own.yml"]);
    assert_eq!((ran.code, workflow.room.writes().len()), (0, 0), "the file instead of the tracker's: {}", ran.all());
    let ran = workflow.run(&["action", "--policy", "gone.yml"]);
    assert!(ran.code == 2 && ran.stdout.contains("could not read the policy gone.yml"), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_delivery_is_replayed_from_a_shell() {
    let mut workflow = Workflow::new().await;
    let report = workflow.room.report("Overflow", "It crashes.");
    let payload = workflow.room.world.take_deliveries().pop().unwrap().payload.to_string();
    for name in ["GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        workflow.unset(name);
    }
    let replay = ["replay", "--event", "issues", "--payload", "-"];
    let ran = workflow.run_with(&replay, payload.as_bytes());
    assert!(ran.code == 2 && ran.stderr.contains("Set WARDROOM_TRACKER, for example"), "{}", ran.all());
    workflow.set("WARDROOM_TRACKER", "octo/security");
    let dry = [&replay[..], &["--dry-run", "--check", "--format", "json"]].concat();
    let ran = workflow.run_with(&dry, payload.as_bytes());
    assert_eq!(ran.code, 3, "{}", ran.all());
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        printed["subjects"][0]["steps"],
        json!([
            format!("open a tracking issue for octo/security#{report}"),
            format!("acknowledge octo/security#{report}"),
        ])
    );
    workflow.untouched(&ran);
    let ran = workflow.run_with(&["replay", "--event", "push", "--payload", "-"], payload.as_bytes());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "note: nothing to do: this kind of event asks for nothing\n"));
    let ran = workflow.run_with(&replay, payload.as_bytes());
    assert_eq!((ran.code, ran.outputs.as_str(), ran.summary.as_str()), (0, "", ""), "{}", ran.all());
    assert!(!workflow.room.status(workflow.room.incident()).is_empty(), "{}", ran.all());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_opens_what_was_missed_and_old_reports_only_when_adopted() {
    let mut workflow = Workflow::new().await;
    let report = workflow.room.report("Overflow", "It crashes.");
    workflow.policy("reports:\n  since: 2026-03-05\n");
    workflow.event("schedule", "{}");
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stdout.contains(&format!("open its incident with `wardroom sweep --adopt octo/security#{report}`")),
        "{}",
        ran.all()
    );
    let ran = workflow.run(&["sweep", "--adopt", "999"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stdout.contains("octo/security#999 cannot be read, or the token may not see it."), "{}", ran.all());
    workflow.untouched(&ran);
    for wrong in ["octo/mail#1", "one", "octo/security", "-1"] {
        let ran = workflow.run(&["sweep", &format!("--adopt={wrong}")]);
        assert!(ran.code == 2 && ran.stderr.contains("--adopt"), "{}", ran.all());
        workflow.untouched(&ran);
    }
    let ran = workflow.run(&["sweep", "--adopt", &report.to_string()]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    workflow.room.incident();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_work_fails_the_run_with_the_reason() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    workflow.room.world.set_repo(&workflow.room.tracker, true, true);
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stdout.contains("failed: the tracker is archived, so nothing can be written there"), "{}", ran.all());
    assert!(ran.stdout.contains("\n::error title=report octo/security#1::the tracker is archived"), "{}", ran.all());
    assert!(ran.summary.starts_with("### Wardroom: not everything worked\n"), "{}", ran.all());
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_from_before_the_repository_was_opened_to_everyone_is_not_believed() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    workflow.room.as_("alice").make_public(&workflow.room.tracker).unwrap();
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.stdout.trim(), ran.summary.trim()), (1, "failed", "failed"), "{}", ran.all());
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_cannot_learn_who_reads_its_log_says_only_that() {
    let mut workflow = Workflow::new().await;
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    workflow.room.world.faults(|faults| (1..60).for_each(|nth| faults.fail(nth, Fault::Unauthorized, When::Before)));
    let ran = workflow.run(&["action"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stdout.contains("could not be asked whether octo/security is private"), "{}", ran.all());
    assert!(!ran.all().contains("Overflow"), "{}", ran.all());
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_passes_is_waited_out() {
    let mut workflow = Workflow::new().await;
    let ticking = workflow.ticking();
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    workflow.room.world.clear_calls();
    let ran = workflow.run(&["action", "--dry-run"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    // The calls of a dry run, then those that write: one of them meets a limit.
    let calls = workflow.room.world.calls().len();
    workflow.room.world.faults(|faults| faults.fail(calls + 2, Fault::Secondary(Some(2)), When::Before));
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.output("changed").as_str()), (0, "true"), "{}", ran.all());
    let log = workflow.room.call_log(60);
    assert_eq!(log.lines().filter(|line| line.contains(" 403 ") && line.contains("/repos/")).count(), 1, "{log}");
    workflow.room.incident();
    // A limit that lasts longer than a run should is a failure that says until when.
    workflow.room.world.faults(|faults| faults.fail(1, Fault::Secondary(Some(300)), When::Before));
    let ran = workflow.run(&["action"]);
    assert!(ran.code == 1 && ran.stdout.contains("GitHub's rate limit: no call before "), "{}", ran.all());
    ticking.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_makes_tokens_for_the_tracker_and_the_repositories_of_reports() {
    let mut workflow = Workflow::new().await;
    let Some((true, key)) = support::npm::node("rsa_key.mjs", "") else { return };
    let reports = repo("octo/private-reports");
    let reached = [workflow.room.tracker.clone(), reports.clone()];
    let permissions = [("issues", "write"), ("metadata", "read"), ("contents", "read")];
    let id = workflow.room.world.add_app("sentinel", &reached, &permissions);
    workflow.policy("reports:\n  repositories: [octo/private-reports]\n");
    report_in(&workflow, &reports);
    workflow.newest_event();
    workflow.set("GITHUB_REPOSITORY", "octo/private-reports");
    workflow.set("WARDROOM_TRACKER", "octo/security");
    workflow.unset("WARDROOM_TOKEN");
    workflow.set("WARDROOM_APP_ID", &id.to_string());
    workflow.set("WARDROOM_PRIVATE_KEY", &key);
    let ran = workflow.run(&["action"]);
    assert_eq!((ran.code, ran.output("changed").as_str()), (0, "true"), "{}", ran.all());
    assert!(!ran.all().contains("PRIVATE KEY"), "{}", ran.all());
    let incident = ran.output("incident").parse().unwrap();
    let opened = workflow.room.world.issue_now(&workflow.room.tracker, incident).unwrap();
    assert_eq!(opened.user.unwrap().login, "sentinel[bot]");
    let said = workflow.room.world.comments_of(&reports, 1);
    assert_eq!(said.iter().map(|said| said.by.as_str()).collect::<Vec<_>>(), ["sentinel[bot]"], "the acknowledgement");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_opens_an_incident_although_reads_lag_behind_writes() {
    let mut workflow = Workflow::new().await;
    let ticking = workflow.ticking();
    workflow.room.world.set_lag(true);
    workflow.room.report("Overflow", "It crashes.");
    workflow.newest_event();
    let ran = workflow.run(&["action"]);
    ticking.abort();
    assert_eq!(ran.code, 0, "{}\n{}", ran.all(), workflow.room.call_log(60));
    assert!(!workflow.room.status(workflow.room.incident()).is_empty(), "{}", ran.all());
}
