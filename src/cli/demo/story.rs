//! The story, act by act. Each act ends with what must be true then.

use super::screen::Ink;
use super::stage::Stage;
use crate::domain::checklist::{Checklist, TaskState};

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

const REPORT: &str = "A mail with a Received header of more than 64 KB overruns a buffer while it is parsed.\n\
                      No login is needed. The attached mail stops 1.4.2 at once; I believe it can do more.\n\
                      - [x] this is not a task, only how I list things\n";

/// What the end of the demo tells.
pub(super) struct Told {
    /// The tracking issue's number.
    pub(super) incident: u64,
    /// How many boxes people ticked.
    pub(super) ticks: usize,
}

/// Tells the story.
pub(super) async fn tell(stage: &mut Stage<'_>) -> anyhow::Result<Told> {
    let incident = report(stage).await?;
    let mut told = Told { incident, ticks: 0 };
    first_ticks(stage, &mut told).await?;
    vector(stage, &told).await?;
    commands(stage, &told).await?;
    lost_webhook(stage, &mut told).await?;
    race(stage, &mut told).await?;
    phases(stage, &mut told).await?;
    review(stage, &told).await?;
    Ok(told)
}

async fn report(stage: &mut Stage<'_>) -> anyhow::Result<u64> {
    stage.act("A report comes in", 0).await?;
    let repo = stage.tracker.clone();
    let text = "opens issue #1, “Long Received header crashes the server”";
    let report = stage
        .person("rita", text, |rita| rita.open_issue(&repo, "Long Received header crashes the server", REPORT, &[]))
        .await?;
    stage.wait(40);
    stage.person("alice", "labels it security-report", |alice| alice.label(&repo, report, "security-report")).await?;
    stage.settle().await?;
    let incidents: Vec<u64> = stage.world.issues_of(&repo).iter().map(|issue| issue.number).collect();
    stage.expect(incidents == [report, report + 1], "there is not exactly one tracking issue")?;
    let incident = report + 1;
    stage
        .screen
        .more(Ink::Dim, "(The 403 is as it should be: an App’s token is nobody’s, so GraphQL is asked whose it is.)")?;
    let answer = stage.said_last(report);
    stage.screen.more(Ink::Plain, &format!("rita reads: “{answer}”"))?;
    stage.expect(answer.starts_with("Thank you"), "the report was not acknowledged")?;
    stage.expect_labels(incident, &["incident", "phase/1-assessment"])?;
    Ok(incident)
}

async fn first_ticks(stage: &mut Stage<'_>, told: &mut Told) -> anyhow::Result<()> {
    stage.act("Two people tick at the same moment", 35).await?;
    tick(stage, told, "bob", "T1").await?;
    tick(stage, told, "alice", "T2").await?;
    stage.wait(1);
    tick(stage, told, "bob", "T3").await?;
    stage.settle().await?;
    stage.expect(done(stage, told.incident) == 3, "not all three ticks are there")?;
    stage.expect_labels(told.incident, &["incident", "phase/1-assessment"])
}

async fn tick(stage: &mut Stage<'_>, told: &mut Told, who: &str, anchor: &str) -> anyhow::Result<()> {
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let text = format!("ticks {}", task(stage, incident, anchor));
    stage.person(who, &text, |person| person.tick(&repo, incident, anchor)).await?;
    told.ticks += 1;
    Ok(())
}

/// Ticks without a line for each; the line above tells of all.
async fn tick_all(stage: &mut Stage<'_>, told: &mut Told, who: &str, from: u32, to: u32) -> anyhow::Result<()> {
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let text = format!("ticks T{from} to T{to}, {} boxes in as many edits", to - from + 1);
    stage
        .person(who, &text, |person| (from..=to).try_for_each(|n| person.tick(&repo, incident, &format!("T{n}"))))
        .await?;
    told.ticks += (from..=to).count();
    Ok(())
}

async fn fill(stage: &mut Stage<'_>, told: &Told, who: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let list: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let text = format!("fills in {}", list.join("; "));
    stage
        .person(who, &text, |person| {
            fields.iter().try_for_each(|(name, value)| person.set_field(&repo, incident, name, value))
        })
        .await
}

fn task(stage: &Stage<'_>, incident: u64, anchor: &str) -> String {
    let checklist = Checklist::parse(&stage.world.body(&stage.tracker, incident));
    let found = checklist.tasks().find(|task| task.anchor.as_deref() == Some(anchor));
    found.map_or_else(|| anchor.to_owned(), |task| format!("{anchor}, “{}”", task.text))
}

fn state(stage: &Stage<'_>, incident: u64, anchor: &str) -> Option<TaskState> {
    let checklist = Checklist::parse(&stage.world.body(&stage.tracker, incident));
    checklist.tasks().find(|task| task.anchor.as_deref() == Some(anchor)).map(|task| task.state)
}

fn done(stage: &Stage<'_>, incident: u64) -> usize {
    Checklist::parse(&stage.world.body(&stage.tracker, incident)).totals().done
}

fn field(stage: &Stage<'_>, incident: u64, name: &str) -> String {
    let checklist = Checklist::parse(&stage.world.body(&stage.tracker, incident));
    checklist.field(name).map_or_else(String::new, |field| field.value.clone())
}

async fn vector(stage: &mut Stage<'_>, told: &Told) -> anyhow::Result<()> {
    stage.act("A CVSS vector gives score, severity and label", 20).await?;
    fill(stage, told, "alice", &[("CVSS vector", VECTOR)]).await?;
    stage.settle().await?;
    let filled = field(stage, told.incident, "CVSS Score") == "9.8"
        && field(stage, told.incident, "Severity Level") == "Critical";
    stage.expect(filled, "score and severity were not filled in")?;
    stage.expect_labels(told.incident, &["incident", "phase/1-assessment", "severity/critical"])
}

async fn commands(stage: &mut Stage<'_>, told: &Told) -> anyhow::Result<()> {
    stage.act("Commands, from people who may and people who may not", 15).await?;
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let words = "/wardroom na T4 there is no LTS branch yet";
    stage.person("bob", &format!("comments: {words}"), |bob| bob.comment(&repo, incident, words)).await?;
    stage.settle().await?;
    let settled = state(stage, incident, "T4") == Some(TaskState::NotApplicable);
    stage.expect(settled, "T4 was not marked as not applicable")?;
    let words = "/wardroom close invalid I was wrong";
    stage.person("rita", &format!("comments: {words}"), |rita| rita.comment(&repo, incident, words)).await?;
    stage.settle().await?;
    let answer = stage.said_last(incident);
    stage.screen.more(Ink::Plain, &format!("rita reads: “{answer}”"))?;
    let open = stage.world.issue_now(&repo, incident).is_some_and(|issue| issue.is_open());
    stage.expect(open, "someone without the right closed the incident")?;
    stage.expect(answer.contains("Nothing was changed"), "rita got no answer")?;
    stage.expect_labels(incident, &["incident", "phase/1-assessment", "severity/critical"])
}

async fn lost_webhook(stage: &mut Stage<'_>, told: &mut Told) -> anyhow::Result<()> {
    stage.act("Webhooks get lost and forged; the sweep finds what is true", 60).await?;
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let text = format!("ticks {}; GitHub’s webhook never arrives", task(stage, incident, "T5"));
    let forged = stage.unheard("alice", &text, |alice| alice.tick(&repo, incident, "T5")).await?;
    told.ticks += 1;
    for delivery in &forged {
        let status = stage.forge(delivery).await?;
        let text = format!("sends a webhook of the same words, signed with a guess: refused with {status}");
        stage.screen.says(stage.world.now(), "mallory", Ink::Blue, &text)?;
    }
    let calls = stage.world.calls().len();
    stage.settle().await?;
    stage.expect(stage.world.calls().len() == calls, "a webhook that never arrived, or a forged one, led to a look")?;
    stage.wait(900);
    stage.sweep().await?;
    stage.expect(
        stage.status(incident).contains("Determine if this requires immediate action"),
        "the sweep missed the tick",
    )
}

async fn race(stage: &mut Stage<'_>, told: &mut Told) -> anyhow::Result<()> {
    stage.act("A person saves in the very moment in which Wardroom writes", 30).await?;
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let words = "/wardroom na T7 the option cannot be switched off";
    stage.person("alice", &format!("comments: {words}"), |alice| alice.comment(&repo, incident, words)).await?;
    let text = format!("ticks {}, between Wardroom’s last read and its write", task(stage, incident, "T6"));
    stage.at_the_next_write("bob", text, move |bob| bob.tick(&repo, incident, "T6"));
    told.ticks += 1;
    stage.settle().await?;
    stage.expect(!stage.still_planned(), "bob found no write to collide with")?;
    let repaired = "| `wardroom[bot]` | ticked “Document technical details";
    stage.expect(stage.status(incident).contains(repaired), "nothing was overwritten and put back")?;
    stage.screen.more(
        Ink::Plain,
        "The first write had overwritten bob’s tick. The edit history told, and the second write put it back.",
    )?;
    stage.expect(state(stage, incident, "T6") == Some(TaskState::Done), "bob’s tick was lost")?;
    stage.expect(state(stage, incident, "T7") == Some(TaskState::NotApplicable), "T7 was not marked")?;
    stage.expect_labels(incident, &["incident", "phase/2-mitigation", "severity/critical"])
}

async fn phases(stage: &mut Stage<'_>, told: &mut Told) -> anyhow::Result<()> {
    stage.act("The fix: phases 2 to 4", 180).await?;
    tick_all(stage, told, "bob", 8, 13).await?;
    fill(stage, told, "bob", &[("Affects versions", "1.0.0 to 1.4.2"), ("Patch/hotfix version", "v1.4.3")]).await?;
    stage.settle().await?;
    stage.expect_labels(told.incident, &["incident", "phase/3-impact", "severity/critical"])?;
    stage.wait(7200);
    tick_all(stage, told, "alice", 14, 19).await?;
    let fields = [("Default configuration vulnerable", "Yes"), ("Evidence of exploitation", "Not found")];
    fill(stage, told, "alice", &fields).await?;
    stage.settle().await?;
    stage.expect_labels(told.incident, &["incident", "phase/4-release", "severity/critical"])?;
    stage.wait(64_800);
    tick_all(stage, told, "alice", 20, 29).await?;
    stage.settle().await?;
    tick_all(stage, told, "bob", 30, 38).await?;
    fill(stage, told, "bob", &[("Security release published", "2026-03-03 12:00 UTC")]).await?;
    stage.settle().await?;
    stage.expect_labels(told.incident, &["incident", "phase/review", "severity/critical"])
}

async fn review(stage: &mut Stage<'_>, told: &Told) -> anyhow::Result<()> {
    stage.act("The review, and the end", 120).await?;
    let (repo, incident) = (stage.tracker.clone(), told.incident);
    let notes = [
        ("What went well?", "- The fix was out a day after the report"),
        ("What could be improved?", "- The parser had no fuzz target"),
        ("Action items for future incidents:", "- [ ] bob: fuzz every parser that reads mail"),
    ];
    stage
        .person("alice", "writes the review", |alice| {
            alice.edit_body(&repo, incident, |body| {
                let mut wanted = None;
                let line = |line: &str| {
                    let text = line.trim();
                    if let Some(heading) = text.strip_prefix("### ") {
                        wanted = notes.iter().find(|(under, _)| *under == heading).map(|(_, note)| *note);
                    }
                    let is_empty_item = matches!(text, "-" | "- [ ]");
                    wanted.take_if(|_| is_empty_item).map_or_else(|| line.to_owned(), str::to_owned)
                };
                body.lines().map(line).collect::<Vec<_>>().join("\n")
            })
        })
        .await?;
    stage.settle().await?;
    stage.wait(60);
    stage
        .person("alice", "closes the incident as completed", |alice| alice.close(&repo, incident, "completed"))
        .await?;
    stage.settle().await?;
    let checklist = Checklist::parse(&stage.world.body(&stage.tracker, incident));
    stage.expect(checklist.review.is_some_and(|review| review.written), "the review is empty")?;
    stage.expect_labels(incident, &["incident", "resolved", "severity/critical"])
}
