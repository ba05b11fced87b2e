//! Commands where something is out of the ordinary: said twice, while paused, about another incident, by someone whose
//! role changed, on a server that tells less, in a body that is full.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use support::room::{BOT, Room, repo};
use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::domain::facts::Role;
use wardroom::domain::memory::{Answer, Memory};
use wardroom::domain::policy::{LabelDetails, LabelKey, LabelSetting, Policy};

async fn incident() -> (Room, u64) {
    opened(Room::new()).await
}

async fn opened(mut room: Room) -> (Room, u64) {
    room.report("Crash", "x");
    room.settle().await;
    let number = room.incident();
    (room, number)
}

async fn say(room: &mut Room, who: &str, number: u64, text: &str) -> u64 {
    let tracker = room.tracker.clone();
    room.wait(2);
    let id = room.as_(who).comment(&tracker, number, text).unwrap();
    room.settle().await;
    id
}

fn field(room: &Room, number: u64, name: &str) -> String {
    Checklist::parse(&room.body(number)).field(name).unwrap().value.clone()
}

/// The words of Wardroom's newest comment, without the marker that names what it answers.
fn last_said(room: &Room, number: u64) -> String {
    let said = room.said(&room.tracker, number).pop().unwrap_or_default();
    said.split_once('\n').map_or_else(String::new, |(_, words)| words.to_owned())
}

#[tokio::test]
async fn a_second_severity_replaces_what_the_first_wrote_but_nothing_of_a_persons() {
    let (mut room, number) = incident().await;
    say(&mut room, "bob", number, "/wardroom severity critical").await;
    assert_eq!(field(&room, number, "Severity Level"), "Critical");
    say(&mut room, "alice", number, "/wardroom severity low").await;
    assert_eq!(field(&room, number, "Severity Level"), "Low");
    assert_eq!(room.labels(number), ["incident", "phase/1-assessment", "severity/low"]);
    room.lose_store();
    room.heal().await;
    assert_eq!(field(&room, number, "Severity Level"), "Low");
    let tracker = room.tracker.clone();
    room.as_("alice").set_field(&tracker, number, "Severity Level", "High").unwrap();
    room.settle().await;
    say(&mut room, "bob", number, "/wardroom severity medium").await;
    assert_eq!(field(&room, number, "Severity Level"), "High");
    insta::assert_snapshot!("not_over_a_person", last_said(&room, number));
}

#[tokio::test]
async fn a_second_vector_takes_score_and_severity_with_it() {
    let (mut room, number) = incident().await;
    say(&mut room, "bob", number, "/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").await;
    assert_eq!([field(&room, number, "CVSS Score"), field(&room, number, "Severity Level")], ["9.8", "Critical"]);
    say(&mut room, "bob", number, "/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N").await;
    assert_eq!([field(&room, number, "CVSS Score"), field(&room, number, "Severity Level")], ["5.3", "Medium"]);
    // And back: it was filled with these before.
    say(&mut room, "bob", number, "/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H").await;
    assert_eq!([field(&room, number, "CVSS Score"), field(&room, number, "Severity Level")], ["9.8", "Critical"]);
    // The score that a person writes is theirs.
    let tracker = room.tracker.clone();
    room.as_("alice").set_field(&tracker, number, "CVSS Score", "7.0").unwrap();
    room.settle().await;
    assert_eq!(field(&room, number, "CVSS Score"), "7.0");
    assert!(room.status(number).contains("the vector gives 9.8"), "{}", room.status(number));
}

#[tokio::test]
async fn while_paused_nothing_is_closed_by_command() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    say(&mut room, "alice", number, "/wardroom pause").await;
    say(&mut room, "alice", number, "/wardroom close invalid it is a feature").await;
    assert!(room.world.issue_now(&tracker, number).unwrap().is_open());
    insta::assert_snapshot!("paused_close", last_said(&room, number));
    say(&mut room, "alice", number, "/wardroom resume").await;
    say(&mut room, "alice", number, "/wardroom close invalid it is a feature").await;
    assert_eq!(room.labels(number), ["incident", "rejected"]);
}

#[tokio::test]
async fn an_incident_is_merged_into_an_open_one_and_may_double_a_closed_one() {
    let (mut room, first) = incident().await;
    let tracker = room.tracker.clone();
    room.report("The same crash", "x");
    room.settle().await;
    let second = room.incidents().iter().map(|issue| issue.number).max().unwrap();
    room.as_("alice").close(&tracker, first, "completed").unwrap();
    room.settle().await;
    say(&mut room, "bob", second, &format!("/wardroom merge #{first}")).await;
    assert!(room.world.issue_now(&tracker, second).unwrap().is_open());
    insta::assert_snapshot!("merge_into_closed", last_said(&room, second));
    say(&mut room, "bob", second, &format!("/wardroom close duplicate #{first}")).await;
    assert_eq!(room.labels(second), ["incident", "rejected"]);

    // One that was adopted is an incident like any other.
    let (mut room, number) = incident().await;
    let by_hand = room.as_("bob").open_issue(&tracker, "By hand", "## Fix\n\n- [ ] Write it\n", &[]).unwrap();
    say(&mut room, "bob", by_hand, "/wardroom adopt").await;
    say(&mut room, "bob", number, &format!("/wardroom merge #{by_hand}")).await;
    assert_eq!(room.labels(number), ["incident", "rejected"]);
    assert!(room.said(&tracker, by_hand).iter().any(|text| text.contains("was merged into this incident")));
}

#[tokio::test]
async fn the_reason_of_an_earlier_closing_is_not_repeated_after_a_reopening() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    say(&mut room, "bob", number, "/wardroom close out-of-scope it is the web shop").await;
    room.wait(3 * 86_400);
    room.as_("alice").reopen(&tracker, number).unwrap();
    room.settle().await;
    room.as_("alice").close(&tracker, number, "not_planned").unwrap();
    room.settle().await;
    let drafts = room.said(&tracker, number);
    assert_eq!(drafts.len(), 2, "{drafts:?}");
    assert!(drafts[0].contains("it is the web shop") && !drafts[1].contains("web shop"), "{drafts:?}");
}

#[tokio::test]
async fn a_right_that_was_taken_a_moment_ago_is_gone() {
    let (mut room, number) = incident().await;
    say(&mut room, "bob", number, "/wardroom pause").await;
    say(&mut room, "bob", number, "/wardroom resume").await;
    room.world.collaborator(&room.tracker, "bob", Role::Read);
    say(&mut room, "bob", number, "/wardroom pause").await;
    assert!(!room.labels(number).contains(&"paused".to_owned()));
    assert!(last_said(&room, number).contains("you have the read role"), "{}", last_said(&room, number));
}

#[tokio::test]
async fn a_person_who_lends_a_token_still_commands_and_edits() {
    let (mut room, number) = opened(Room::with_the_token_of("alice")).await;
    say(&mut room, "alice", number, "/wardroom severity high").await;
    assert!(room.labels(number).contains(&"severity/high".to_owned()), "{:?}", room.labels(number));
    let tracker = room.tracker.clone();
    room.as_("bob").tick(&tracker, number, "T1").unwrap();
    room.settle().await;
    room.as_("alice").untick(&tracker, number, "T1").unwrap();
    room.settle().await;
    room.heal().await;
    assert!(room.body(number).contains("- [ ] Reproduce"), "her untick is no overwriting to be put back");
    let line = room.status(number).lines().find(|line| line.contains("the token of")).map(str::to_owned);
    insta::assert_snapshot!("borrowed_token", line.unwrap());
}

#[tokio::test]
async fn a_forged_note_of_an_answer_gives_nobody_a_right() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    let id = say(&mut room, "rita", number, "Thank you.").await;
    room.world.without_graphql();
    let pause = room.as_("rita").comment(&tracker, number, "/wardroom pause").unwrap();
    // bob may edit every comment, so he writes into the memory that it was answered with yes.
    let status =
        room.world.comments_of(&tracker, number).into_iter().find(|said| said.text.contains("wardroom:status"));
    let status = status.unwrap();
    let mut memory = Memory::unseal(&status.text, None).unwrap();
    memory.answered.insert(pause, Answer::Yes);
    memory.answered.insert(id, Answer::Yes);
    let forged = format!("{}{}\n", Memory::visible(&status.text), memory.seal(None));
    room.as_("bob").edit_comment(&tracker, status.id, &forged).unwrap();
    room.settle().await;
    assert!(!room.labels(number).contains(&"paused".to_owned()));
}

#[tokio::test]
async fn commands_are_not_answered_again_when_graphql_is_away_for_a_while() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    say(&mut room, "bob", number, "/wardroom close invalid it is a feature").await;
    room.as_("alice").reopen(&tracker, number).unwrap();
    room.settle().await;
    room.as_("bob").tick(&tracker, number, "T1").unwrap();
    room.settle().await;
    let said = room.said(&tracker, number).len();
    room.world.without_graphql();
    room.as_("bob").tick(&tracker, number, "T2").unwrap();
    room.settle().await;
    assert!(room.world.issue_now(&tracker, number).unwrap().is_open(), "an old close closes nothing");
    assert_eq!(room.said(&tracker, number).len(), said);
}

#[tokio::test]
async fn a_checklist_of_thousands_of_tasks_has_a_status_that_fits() {
    let mut room = Room::new();
    let tracker = room.tracker.clone();
    let tasks: Vec<String> = (0..2500).map(|n| format!("- [ ] Step {n}\n")).collect();
    let number = room.as_("bob").open_issue(&tracker, "Long", &format!("## All\n\n{}", tasks.concat()), &[]).unwrap();
    say(&mut room, "bob", number, "/wardroom adopt").await;
    assert_eq!(room.failures, Vec::<String>::new());
    assert_eq!(room.labels(number), ["incident", "phase/1-all"]);
    room.as_("bob").tick(&tracker, number, "Step 7").unwrap();
    room.settle().await;
    assert!(room.status(number).contains("1 of 2500"), "{}", room.status(number));
    assert!(room.status(number).contains("ticked “Step 7”"), "{}", room.status(number));
    assert!(!room.status(number).contains("added “"), "{}", room.status(number));
    room.wait(120);
    room.world.clear_calls();
    room.look(number).await;
    assert_eq!(room.writes(), []);
}

#[tokio::test]
async fn what_does_not_fit_into_the_body_is_said_and_done_when_it_does() {
    let (mut room, number) = incident().await;
    let tracker = room.tracker.clone();
    let fill = |body: &str| {
        let room_left = 65_536 - body.replace('\n', "\r\n").chars().count() - 300;
        body.replacen("### Resources", &format!("FILL{}\n\n### Resources", "x".repeat(room_left.saturating_sub(4))), 1)
    };
    room.as_("alice").edit_body(&tracker, number, fill).unwrap();
    room.settle().await;
    let reason = "because ".repeat(24);
    say(&mut room, "bob", number, &format!("/wardroom na T5 {reason}")).await;
    say(&mut room, "bob", number, &format!("/wardroom na T6 {reason}")).await;
    let line = room.status(number).lines().find(|line| line.contains("There is no room")).map(str::to_owned);
    insta::assert_snapshot!("no_room", line.unwrap());
    let empty = |body: &str| body.lines().filter(|line| !line.starts_with("FILL")).collect::<Vec<_>>().join("\n");
    room.as_("alice").edit_body(&tracker, number, empty).unwrap();
    room.settle().await;
    assert!(!room.status(number).contains("There is no room"));
    let done = |anchor: &str| Checklist::parse(&room.body(number)).find_task(anchor).unwrap().state;
    assert_eq!([done("T5"), done("T6")], [TaskState::NotApplicable; 2]);
}

#[tokio::test]
async fn a_teams_own_labels_stay_and_old_names_go() {
    let high = LabelSetting::Full(LabelDetails {
        name: Some("sev: high".into()),
        was: Some("severity/high".into()),
        ..LabelDetails::default()
    });
    let policy = Policy { labels: [(LabelKey::High, high)].into_iter().collect(), ..Policy::default() };
    let (mut room, number) = opened(Room::with_policy(policy)).await;
    let tracker = room.tracker.clone();
    for name in ["phase/beta", "sev: high", "severity/high"] {
        room.as_("alice").label(&tracker, number, name).unwrap();
    }
    say(&mut room, "bob", number, "/wardroom severity high").await;
    assert_eq!(room.labels(number), ["incident", "phase/1-assessment", "phase/beta", "sev: high"]);
}

#[tokio::test]
async fn a_field_that_says_what_the_teams_own_template_says_is_empty() {
    let mut room = Room::new();
    room.engine.template =
        "## Triage\n\n- **Severity Level**: to be judged\n- **Owner**: nobody yet\n\n- [ ] Read it\n".to_owned();
    let (mut room, number) = opened(room).await;
    say(&mut room, "bob", number, "/wardroom severity high").await;
    assert_eq!(field(&room, number, "Severity Level"), "High");
    assert!(room.status(number).contains("**Fields still empty in this phase**: Owner"), "{}", room.status(number));
    assert_eq!(room.engine.me().await.unwrap().login, BOT);
    assert!(room.world.issues_of(&repo("octo/mail")).is_empty());
}
