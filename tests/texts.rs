//! Every text that a person reads and that no other test shows, as it is rendered. They are looked at here, so that a
//! change of one is seen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use support::room::{Room, repo};
use wardroom::domain::policy::{Policy, Reports, RoleSetting};

async fn settled(mut room: Room) -> (Room, u64) {
    room.report("Crash", "x");
    room.settle().await;
    let number = room.incident();
    (room, number)
}

async fn say(room: &mut Room, who: &str, number: u64, text: &str) {
    let tracker = room.tracker.clone();
    room.as_(who).comment(&tracker, number, text).unwrap();
    room.settle().await;
}

fn last_said(room: &Room, number: u64) -> String {
    let said = room.said(&room.tracker, number).pop().unwrap_or_default();
    said.split_once('\n').map_or_else(String::new, |(_, words)| words.trim_end().to_owned())
}

/// The body of a new tracking issue up to the checklist.
fn beginning(room: &Room, number: u64) -> String {
    room.body(number).split("\n# ").next().unwrap().trim_end().to_owned()
}

/// The lines of the status comment that ask for a person.
fn to_look_at(room: &Room, number: u64) -> String {
    let status = room.status(number);
    let part = status.split("### Please look at\n\n").nth(1).unwrap_or_default();
    part.split("\n\n").next().unwrap().split("\n#").next().unwrap().trim_end().to_owned()
}

fn of_public_reports(policy: Policy) -> Policy {
    Policy { reports: Reports { repositories: vec![repo("octo/mail")], ..Reports::default() }, ..policy }
}

#[tokio::test]
async fn a_public_report_comes_with_the_steps_that_contain_it() {
    let mut room = Room::with_policy(of_public_reports(Policy::default()));
    room.as_("rita").open_by_form(&repo("octo/mail"), "Crash", "It crashes.", &["security-report"]).unwrap();
    room.settle().await;
    insta::assert_snapshot!(beginning(&room, room.incident()), @"
    ## The report

    [octo/mail#1](https://github.test/octo/mail/issues/1), opened by `rita` on 2026-03-02 09:00 UTC.

    Title: `Crash`

    The reporter’s own words, as they stood when this issue was opened:

    ```text
    It crashes.
    ```

    ### This report is public

    Everyone can read `octo/mail#1`. What can still be done, by a person:

    1. Ask the reporter to go on in private, and to say no more there.
    2. Lock the conversation, so that nobody adds details.
    3. Move what matters here. Transferring the issue into a private repository or deleting it takes the page away; editing it does not, because the edit history stays readable.
    4. Take it as known: mails with the text went out to everyone who watches the repository, and copies may exist. Plan for a fix without delay instead of an embargo.
    ");
}

#[tokio::test]
async fn a_report_without_text_and_one_that_is_only_linked_say_so() {
    let mut room = Room::new();
    room.report("Crash", "");
    room.settle().await;
    insta::assert_snapshot!(beginning(&room, room.incident()), @"
    ## The report

    [octo/security#1](https://github.test/octo/security/issues/1), opened by `rita` on 2026-03-02 09:00 UTC.

    Title: `Crash`

    The report has no text.
    ");
    let (room, number) = settled(Room::with_policy(Policy { copy_report: false, ..Policy::default() })).await;
    insta::assert_snapshot!(beginning(&room, number), @"
    ## The report

    [octo/security#1](https://github.test/octo/security/issues/1), opened by `rita` on 2026-03-02 09:00 UTC.

    Its text is not copied here: read it there.
    ");
}

#[tokio::test]
async fn an_incident_that_was_closed_as_not_planned_gets_a_draft_with_a_gap() {
    let (mut room, number) = settled(Room::new()).await;
    room.as_("alice").close(&room.tracker, number, "not_planned").unwrap();
    room.settle().await;
    insta::assert_snapshot!(last_said(&room, number), @"
    Closed without a fix. The reporter may still wait for an answer. A draft, to be changed and sent by a person:

    > Thank you for your report.
    >
    > We looked into it and will not handle it as a security problem of the product: REASON. If you see it differently, please tell us what we missed.
    ");
}

#[tokio::test]
async fn whoever_the_policy_does_not_name_is_told_where_it_names_people() {
    let mut policy = Policy::default();
    policy.roles.insert("close".into(), RoleSetting::Logins(vec!["alice".into()]));
    let (mut room, number) = settled(Room::with_policy(policy)).await;
    say(&mut room, "bob", number, "/wardroom close invalid").await;
    insta::assert_snapshot!(last_said(&room, number), @"The policy’s `roles` names who may say `/wardroom close`, and you are not among them. Nothing was changed. The policy is `.github/wardroom.yml` in this repository.");
}

#[tokio::test]
async fn an_incident_cannot_be_merged_into_itself_or_into_nothing() {
    let (mut room, number) = settled(Room::new()).await;
    say(&mut room, "bob", number, &format!("/wardroom merge #{number}")).await;
    insta::assert_snapshot!(last_said(&room, number), @"That is this incident itself. Nothing was changed.");
    say(&mut room, "bob", number, "/wardroom merge #99").await;
    insta::assert_snapshot!(last_said(&room, number), @"`#99` is not a tracking issue of Wardroom’s in this repository. Nothing was changed. Give the number of the other incident’s tracking issue.");
}

#[tokio::test]
async fn a_pause_is_said_with_who_and_when() {
    let (mut room, number) = settled(Room::new()).await;
    say(&mut room, "alice", number, "/wardroom pause").await;
    let status = room.status(number);
    insta::assert_snapshot!(status.lines().find(|line| line.starts_with("**Paused**")).unwrap(), @"**Paused** by `alice` on 2026-03-02 09:00 UTC. Wardroom writes nothing here until someone comments `/wardroom resume`; ticks and edits made meanwhile are not lost.");
}

#[tokio::test]
async fn what_waits_for_a_quiet_moment_is_one_line() {
    let (mut room, number) = settled(Room::new()).await;
    let tracker = room.tracker.clone();
    room.as_("bob").comment(&tracker, number, "/wardroom na T4 there is no LTS").unwrap();
    room.as_("bob").comment(&tracker, number, "/wardroom severity high").unwrap();
    room.receive().await;
    room.wait(7);
    room.look(number).await;
    insta::assert_snapshot!(to_look_at(&room, number), @"- As soon as nobody has changed the issue for 30 seconds (in a workflow: at its next run): marking “Check if vulnerability affects LTS versions (if applicable)” not applicable; filling “Severity Level” with `High`.");
    room.settle().await;
    assert_eq!(to_look_at(&room, number), "");
    insta::assert_snapshot!(room.status(number).split("### Who did what").nth(1).unwrap().split("<sub>").next().unwrap().trim(), @"
    | When | Who | What |
    |---|---|---|
    | 2026-03-02 09:00 UTC | `wardroom[bot]` | set “Severity Level” to `High`, by a command of `bob` |
    | 2026-03-02 09:00 UTC | `wardroom[bot]` | marked “Check if vulnerability affects LTS versions (if applicable)” not applicable, by a command of `bob`: there is no LTS |
    ");
}

#[tokio::test]
async fn ten_failures_in_a_row_are_said() {
    let (room, number) = settled(Room::new()).await;
    let subject = format!("tracker #{number}").parse().unwrap();
    room.wait(60);
    room.engine.look(&subject, 10).await.unwrap();
    insta::assert_snapshot!(to_look_at(&room, number), @"- The last 10 looks at this incident failed. Wardroom goes on trying once an hour; its log says why.");
}

#[tokio::test]
async fn a_roster_with_someone_who_left_is_said_to_the_operator() {
    let policy = Policy { roster: vec!["alice".into(), "nobody-here".into()], ..Policy::default() };
    let room = Room::with_policy(policy);
    room.report("Crash", "x");
    let looked = room.engine.look(&"report octo/security#1".parse().unwrap(), 0).await.unwrap();
    insta::assert_snapshot!(looked.notes.join("\n"), @"GitHub did not assign nobody-here to #2, whom the policy's roster names: let them into octo/security, or take them off the roster");
}

#[tokio::test]
async fn no_text_for_the_operator_has_a_hole() {
    // What is refused, waits or is left out, in one place.
    let mut said = Vec::new();
    let (room, _) = settled(Room::new()).await;
    room.as_("alice").make_public(&room.tracker).unwrap();
    said.push(room.engine.sweep(&[]).await.unwrap_err().to_string());
    let policy = of_public_reports(Policy { allow_public_tracker: true, ..Policy::default() });
    let room = Room::with_policy(Policy {
        reports: Reports { repositories: vec![repo("octo/private-reports")], ..Reports::default() },
        ..policy
    });
    room.as_("alice").make_public(&room.tracker).unwrap();
    room.as_("rita").open_by_form(&repo("octo/private-reports"), "Crash", "x", &["security-report"]).unwrap();
    let refused = room.engine.look(&"report octo/private-reports#1".parse().unwrap(), 0).await.unwrap_err();
    said.push(refused.to_string());
    insta::assert_snapshot!(said.join("\n"), @"
    the tracker is not a private repository. Nothing was written. Make it private under Settings, General, Danger zone, or set allow_public_tracker: true in the policy if everyone may read your incidents.
    the report is private and the tracker is not. Nothing was written: what is private stays private whatever the policy says. Use a private tracker for private reports.
    ");
    assert!(said.iter().all(|text| !text.contains("  ")), "{said:?}");
}

#[tokio::test]
async fn an_acknowledgement_of_another_tracker_ties_no_report_to_this_one() {
    let (mut room, number) = settled(Room::new()).await;
    let other = repo("octo/private-reports");
    // The team moves its incidents to another repository; the report stays where it is.
    room.tracker = other.clone();
    room.lose_store();
    room.engine.policy.reports.repositories = vec![repo("octo/security")];
    for n in 0..number {
        room.as_("bob").open_issue(&other, &format!("Plain {n}"), "x", &[]).unwrap();
    }
    let looked = room.engine.look(&"report octo/security#1".parse().unwrap(), 0).await.unwrap();
    assert!(looked.steps.iter().any(|step| step.starts_with("open a tracking issue")), "{looked:?}");
    assert!(room.world.comments_of(&other, number).is_empty(), "a plain issue of that number is left alone");
}
