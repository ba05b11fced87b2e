//! Reports that come by mail: real-shaped mails with the issues made of them, and `wardroom open` through the binary
//! against the simulated GitHub.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use support::workflow::{Ran, Workflow};
use wardroom::domain::checklist::Checklist;
use wardroom::domain::facts::Issue;
use wardroom::domain::mail::{self, MailReport, issue};
use wardroom::domain::policy::Policy;
use wardroom::sim::{Fault, Visibility, When};

fn eml(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(name)).unwrap()
}

/// The day after most of the mails were written.
fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().unwrap()
}

fn rendered(mail: &MailReport) -> issue::Filing {
    issue::render(mail, mail.received(None, now()), &Policy::default(), now())
}

#[test]
fn every_mail_becomes_an_issue_that_shows_it_or_an_error_that_says_what_to_do() {
    let mut errors = BTreeMap::new();
    let mut mails = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".eml") else { continue };
        mails += 1;
        match mail::read(&eml(&file)) {
            Ok(mail) => {
                let filing = rendered(&mail);
                insta::assert_snapshot!(name, format!("{}\n====\n{}", filing.title, filing.body));
                let told = issue::told(&filing.body).unwrap();
                assert_eq!(told.text.trim_end(), mail.text.replace('\0', "\u{FFFD}"), "{name}");
                assert_eq!((told.id, told.total_bytes), (mail.key.id, mail.text.len()), "{name}");
            }
            Err(error) => {
                errors.insert(name.to_owned(), error.to_string());
            }
        }
    }
    assert!(mails >= 20, "{mails}");
    let said: String = errors.iter().map(|(name, error)| format!("{name}: {error}\n")).collect();
    insta::assert_snapshot!("errors", said);
}

/// A shell with a token for the tracker `octo/security`.
async fn shell() -> Workflow {
    let mut workflow = Workflow::new().await;
    for name in ["GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        workflow.unset(name);
    }
    workflow.set("WARDROOM_TRACKER", "octo/security");
    workflow
}

fn open(workflow: &Workflow, name: &str, more: &[&str]) -> Ran {
    workflow.run_with(&[&["open", "--eml", "-"], more].concat(), &eml(name))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// Reports that were filed, and incidents, by number.
fn issues(workflow: &Workflow) -> (Vec<Issue>, Vec<Issue>) {
    let all = workflow.room.world.issues_of(&workflow.room.tracker);
    all.into_iter().partition(|issue| issue::told(issue.text()).is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_becomes_a_report_and_an_incident_in_one_command() {
    let workflow = shell().await;
    let ran = open(&workflow, "plain.eml", &["--received", "2026-03-02 08:45 UTC"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    insta::assert_snapshot!("opened", ran.stdout);
    let (reports, incidents) = issues(&workflow);
    let ([report], [incident]) = (&reports[..], &incidents[..]) else { panic!("{reports:?}\n{incidents:?}") };
    assert_eq!(report.title, "Heap overflow in the IMAP parser");
    assert_eq!(workflow.room.labels(report.number), ["security-report"]);
    assert!(
        report.text().contains("| Received | 2026-03-02 08:45 UTC, as the person said who filed it |"),
        "{}",
        report.text()
    );
    let told = issue::told(report.text()).unwrap();
    assert_eq!(told.received.to_string(), "2026-03-02T08:45:00Z");
    let head = incident.text().split("# Security Incident").next().unwrap();
    insta::assert_snapshot!("incident", head);
    assert_eq!(workflow.room.labels(incident.number), ["incident", "phase/1-assessment"]);
    insta::assert_snapshot!("answer", workflow.room.said(&workflow.room.tracker, report.number).join("\n====\n"));
    // The reporter's boxes are text: the template's tasks are all there is.
    assert_eq!(Checklist::parse(incident.text()).tasks().count(), 38);
    assert_eq!(Checklist::parse(report.text()).tasks().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_message_id_is_one_report_however_long_lists_lag() {
    let workflow = shell().await;
    let ticking = workflow.ticking();
    workflow.room.world.set_lag(true);
    let first = open(&workflow, "plain.eml", &["--format", "json"]);
    assert_eq!(first.code, 0, "{}\n{}", first.all(), workflow.room.call_log(60));
    let (report, incident) = (json(&first)["opened"]["report"].clone(), json(&first)["opened"]["incident"].clone());
    assert_eq!((report["number"].as_u64(), incident["number"].as_u64()), (Some(1), Some(2)), "{}", first.all());
    assert!(report["url"].as_str().unwrap().ends_with("/octo/security/issues/1"), "{}", first.all());
    assert!(incident["url"].as_str().unwrap().ends_with("/octo/security/issues/2"), "{}", first.all());
    // Twelve minutes of lag lie ahead; soon after, a colleague does the same.
    workflow.room.wait(30);
    let mut changed = eml("plain.eml");
    changed.extend_from_slice(b"one line more\r\n");
    for (mail, note) in
        [(eml("plain.eml"), "filed before, as octo/security#1"), (changed, "only the message id is the same")]
    {
        let again =
            workflow.run_with(&["open", "--eml", "-", "--received", "2026-03-01T00:00:00Z", "--format", "json"], &mail);
        assert_eq!(again.code, 0, "{}\n{}", again.all(), workflow.room.call_log(60));
        let again_json = json(&again);
        assert_eq!(
            (&again_json["opened"]["report"], &again_json["opened"]["incident"]),
            (&report, &incident),
            "{}",
            again.all()
        );
        assert!(again_json["notes"].to_string().contains(note), "{}", again.all());
        assert!(again_json["notes"].to_string().contains("and that stays"), "{}", again.all());
        assert_eq!(again_json["changed"], Value::Bool(false), "{}", again.all());
    }
    ticking.abort();
    workflow.room.world.set_lag(false);
    let (reports, incidents) = issues(&workflow);
    assert_eq!((reports.len(), incidents.len()), (1, 1));
    // Closed and without its label it is still known.
    workflow.room.as_("alice").unlabel(&workflow.room.tracker, 1, "security-report").unwrap();
    workflow.room.as_("alice").close(&workflow.room.tracker, 1, "completed").unwrap();
    let ran = open(&workflow, "plain.eml", &[]);
    assert!(ran.code == 0 && ran.stdout.contains("this was filed before, as octo/security#1"), "{}", ran.all());
    assert_eq!(issues(&workflow).0.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_files_nothing_twice() {
    for when in [When::Before, When::After] {
        let workflow = shell().await;
        let ticking = workflow.ticking();
        workflow.room.world.set_lag(true);
        assert_eq!(open(&workflow, "plain.eml", &["--dry-run"]).code, 0);
        // The dry run's calls, then the one that files.
        let calls = workflow.room.world.calls().len();
        workflow.room.world.faults(|faults| faults.fail(calls + 1, Fault::TimeOut, when));
        let ran = open(&workflow, "plain.eml", &["--received", "2026-03-02T08:45:00Z"]);
        ticking.abort();
        let filed = workflow
            .room
            .call_log(80)
            .lines()
            .filter(|line| line.contains(" POST /repos/octo/security/issues"))
            .count();
        assert!(filed > 0, "{when:?}: {}\n{}", ran.all(), workflow.room.call_log(80));
        let (reports, incidents) = issues(&workflow);
        if when == When::After {
            assert_eq!(
                (ran.code, reports.len(), incidents.len()),
                (0, 1, 1),
                "{}\n{}",
                ran.all(),
                workflow.room.call_log(80)
            );
        } else {
            assert_eq!(
                (ran.code, reports.len(), incidents.len()),
                (1, 0, 0),
                "{}\n{}",
                ran.all(),
                workflow.room.call_log(80)
            );
            assert!(
                ran.stderr.contains("It may have been filed. Look at the newest issues of octo/security"),
                "{}",
                ran.all()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_the_issue_and_writes_nothing() {
    let workflow = shell().await;
    let ran = open(&workflow, "hostile.eml", &["--dry-run", "--check"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    workflow.untouched(&ran);
    insta::assert_snapshot!("dry_run", ran.stdout);
    assert!(ran.stdout.lines().all(|line| !line.trim_start().starts_with("::")), "{}", ran.all());
    assert!(
        !ran.stdout.contains("##[") && !ran.stdout.contains('\0') && !ran.stdout.contains('\u{1b}'),
        "{}",
        ran.all()
    );
    let ran = open(&workflow, "attachments.eml", &["--dry-run", "--format", "json"]);
    let draft = &json(&ran)["opened"]["draft"];
    assert_eq!((ran.code, draft["title"].as_str()), (0, Some("Crash with three files")), "{}", ran.all());
    assert!(draft["body"].as_str().unwrap().contains("naïve € crash.bin"), "{}", ran.all());
    // mode: watch writes nothing either, mode: off does not even look.
    workflow.policy("mode: watch\n");
    let ran = open(&workflow, "plain.eml", &[]);
    assert!(ran.code == 0 && ran.stdout.contains("would file this report in octo/security"), "{}", ran.all());
    workflow.policy("mode: off\n");
    assert_eq!(open(&workflow, "plain.eml", &[]).stdout, "note: the policy says mode: off\n");
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_filed_is_refused_with_what_to_do_and_nothing_is_written() {
    let workflow = shell().await;
    let huge = [eml("plain.eml"), vec![b'x'; 25 * 1024 * 1024]].concat();
    let headers = [b"Subject: x\r\n".to_vec(), b"X: y\r\n".repeat(60_000)].concat();
    let cases: [(&[&str], &[u8], i32, &str); 13] = [
        (&["--eml", "-"], &huge, 1, "longer than 25 MiB"),
        (&["--eml", "-"], b"", 1, "this is no mail"),
        (&["--eml", "-"], b"Hello,\n\nthis is only text.\n", 1, "Save the mail with all its headers"),
        (&["--eml", "-"], &[0; 4096], 1, "this is no mail"),
        (&["--eml", "-"], b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 1, "Outlook"),
        (&["--eml", "-"], &headers, 1, "256 KiB of headers"),
        (&["--eml", "-"], b"From: a@example.org\n\n \n", 1, "the mail is empty"),
        (&["--eml", "gone.eml"], b"", 2, "could not read gone.eml"),
        (&["--title", " ", "--text", "-"], b" \n", 1, "is empty"),
        (&["--title", "x"], b"", 2, "--text"),
        (&["--eml", "-", "--title", "x", "--text", "-"], b"", 2, "cannot be used with"),
        (&["--eml", "-", "--received", "yesterday"], b"Subject: x\n\ny\n", 2, "--received wants a moment and its zone"),
        (&["--eml", "-", "--received", "2099-01-01T00:00Z"], b"Subject: x\n\ny\n", 2, "--received lies in the future"),
    ];
    for (arguments, input, code, said) in cases {
        let ran = workflow.run_with(&[&["open"], arguments].concat(), input);
        assert!(ran.code == code && ran.stderr.contains(said) && ran.stdout.is_empty(), "{arguments:?}: {}", ran.all());
        workflow.untouched(&ran);
    }
    for name in ["pgp-encrypted.eml", "pgp-inline.eml", "smime-encrypted.eml", "smime-opaque.eml"] {
        let ran = open(&workflow, name, &[]);
        assert!(ran.code == 1 && ran.stderr.contains("--title and --text"), "{}", ran.all());
        workflow.untouched(&ran);
    }
    workflow.policy("reports:\n  repositories: [octo/mail]\n");
    let ran = open(&workflow, "plain.eml", &[]);
    assert!(ran.code == 2 && ran.stderr.contains("Add octo/security to reports.repositories"), "{}", ran.all());
    workflow.untouched(&ran);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_mail_never_goes_into_a_tracker_that_is_not_private() {
    let mut workflow = shell().await;
    workflow.room.as_("alice").make_public(&workflow.room.tracker).unwrap();
    for policy in ["mode: on\n", "allow_public_tracker: true\n"] {
        workflow.policy(policy);
        for more in [&[][..], &["--dry-run"]] {
            let ran = open(&workflow, "plain.eml", more);
            assert!(ran.code == 1 && ran.stderr.contains("the tracker is not a private repository"), "{}", ran.all());
            workflow.untouched(&ran);
        }
    }
    // Nor by a name that leads there.
    let (old, new) = (workflow.room.tracker.clone(), "octo/security-2".parse().unwrap());
    workflow.room.world.rename_repo(&old, &new);
    for visibility in [Visibility::Public, Visibility::Private] {
        workflow.room.world.set_visibility(&new, visibility);
        for more in [&[][..], &["--dry-run"]] {
            let ran = open(&workflow, "plain.eml", more);
            assert!(ran.code == 1 && ran.stderr.contains("the tracker has been renamed"), "{}", ran.all());
            workflow.untouched(&ran);
        }
    }
    workflow.room.world.rename_repo(&new, &old);
    // A workflow whose log everyone can read says nothing of it.
    workflow.set("GITHUB_ACTIONS", "true");
    workflow.set("GITHUB_REPOSITORY", "octo/mail");
    workflow.set("WARDROOM_TRACKER", "octo/private-reports");
    workflow.set("WARDROOM_LOG", "trace");
    for (name, code, said) in [("plain.eml", 0, "done\n"), ("pgp-inline.eml", 1, "failed\n")] {
        let ran = open(&workflow, name, &[]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (code, said, ""), "{}", ran.all());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_filed_like_a_mail_and_a_person_who_files_is_not_held_up_by_the_limit_of_the_hour() {
    let workflow = shell().await;
    workflow.policy("reports:\n  open_per_hour: 1\ncopy_report: false\n");
    let mail = open(&workflow, "koi8-r.eml", &["--format", "json"]);
    assert_eq!((mail.code, json(&mail)["opened"]["incident"]["number"].as_u64()), (0, Some(2)), "{}", mail.all());
    let text = ["open", "--title", "Told on the phone", "--text", "-", "--format", "json"];
    let told = workflow.run_with(&text, "The API answers without a token.\r\n".as_bytes());
    assert_eq!((told.code, json(&told)["opened"]["incident"]["number"].as_u64()), (0, Some(4)), "{}", told.all());
    let again = workflow.run_with(&text, b"The API answers without a token.");
    assert_eq!(json(&again)["opened"], json(&told)["opened"], "{}", again.all());
    let (reports, incidents) = issues(&workflow);
    assert_eq!((reports.len(), incidents.len()), (2, 2));
    insta::assert_snapshot!("by_hand", format!("{}\n====\n{}", reports[1].title, reports[1].text()));
    // The report is in the report; with copy_report: false the incident only links to it.
    assert!(incidents[0].text().contains("Its text is not copied here"), "{}", incidents[0].text());
    assert!(!incidents[0].text().contains("Сервер"), "{}", incidents[0].text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_hostile_mail_changes_nothing_but_the_words_in_its_fence() {
    let workflow = shell().await;
    let ran = open(&workflow, "hostile.eml", &[]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    // A colleague copies the marker of a report into an issue of their own: it is not believed.
    let (reports, _) = issues(&workflow);
    let copied = workflow.room.as_("bob").open_issue(&workflow.room.tracker, "mine", reports[0].text(), &[]).unwrap();
    let ran = open(&workflow, "plain.eml", &[]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let all = workflow.room.world.issues_of(&workflow.room.tracker);
    let numbers: Vec<u64> = all.iter().map(|issue| issue.number).collect();
    assert_eq!((numbers, copied), (vec![1, 2, 3, 4, 5], 3));
    let state = |number: u64| {
        let list = Checklist::parse(all[number as usize - 1].text());
        let tasks: Vec<String> = list.tasks().map(|task| format!("{:?} {:?}", task.anchor, task.state)).collect();
        let fields: Vec<String> = list.fields.iter().map(|field| field.value.clone()).collect();
        (tasks, fields, list.phases.len(), list.markers.len())
    };
    assert_eq!(state(2), state(5), "the incident of the hostile mail and that of the harmless one");
    assert_eq!(state(1), state(4));
    assert!(all.iter().all(Issue::is_open), "no command was carried out");
}
