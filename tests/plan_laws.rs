//! The laws of planning, on facts alone: no client, no store, no simulated GitHub.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use wardroom::domain::advisory::evidence::VersionRelease;
use wardroom::domain::checklist::{Checklist, template};
use wardroom::domain::facts::{
    Account, Comment, CommentFacts, Issue, IssueState, Label, Reaction, RepoName, Revision, Role,
};
use wardroom::domain::incident::ReportId;
use wardroom::domain::labels::LabelChange;
use wardroom::domain::observed::{AdvisoryTemplate, Missing, Observed, ReportSight};
use wardroom::domain::opening::{self, Source};
use wardroom::domain::plan::{self, Action};
use wardroom::domain::policy::{Place, Policy};
use wardroom::domain::version::Version;

fn account(id: u64, login: &str) -> Account {
    Account { id, login: login.to_owned(), kind: if login.ends_with("[bot]") { "Bot" } else { "User" }.to_owned() }
}

fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// A tracking issue as GitHub would hold it, and what people and Wardroom do to it.
#[derive(Clone)]
struct Desk {
    observed: Observed,
    history: Vec<Revision>,
    now: Timestamp,
    next_id: u64,
    policy: Policy,
}

fn issue(number: u64, user: Account, body: &str, at: Timestamp) -> Issue {
    let json = serde_json::json!({
        "number": number, "title": "Incident 2026-001", "body": body, "state": "open",
        "created_at": at.to_string(), "updated_at": at.to_string(),
        "user": {"id": user.id, "login": user.login, "type": user.kind},
    });
    serde_json::from_value(json).unwrap()
}

impl Desk {
    fn new() -> Self {
        Self::with_report("It crashes.")
    }

    fn with_report(text: &str) -> Self {
        let me = account(1, "wardroom[bot]");
        let policy = Policy::default();
        let tracker: RepoName = "octo/security".parse().unwrap();
        let mut report = issue(7, account(9, "rita"), text, start());
        report.title = "Crash @everyone".to_owned();
        let id = ReportId::issue(tracker.clone(), 7);
        let checklist = template::render(include_str!("../templates/checklist.md"), &policy).unwrap();
        let body = opening::body(&Source::Issue(&report), &id, false, &checklist, &policy).unwrap();
        let observed = Observed {
            me: me.clone(),
            tracker,
            issue: issue(8, me, &body, start()),
            comments: Vec::new(),
            facts: BTreeMap::new(),
            roles: [(2, Role::Admin), (3, Role::Write), (9, Role::Read)]
                .map(|(id, role)| ((Place::Tracker, id), role))
                .into(),
            server_time: None,
            revisions: None,
            edits: Vec::new(),
            report: ReportSight::NotRead,
            acknowledged: true,
            others: BTreeMap::new(),
            holders: BTreeMap::new(),
            doubled: false,
            seen: None,
            missing: Vec::new(),
            failures: 0,
            advisory: Default::default(),
            drafts: None,
            linked_elsewhere: Vec::new(),
            releases: Default::default(),
            advisories_public: None,
            cve_step: None,
            advisory_template: AdvisoryTemplate {
                text: wardroom::domain::advisory::text::DEFAULT.into(),
                missing: None,
            },
            template: std::sync::Arc::new(Checklist::parse(&checklist)),
        };
        let history = vec![Revision { at: start(), editor: None, body: Some(body) }];
        Desk { observed, history, now: start() + SignedDuration::from_secs(60), next_id: 100, policy }
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn body(&self) -> String {
        self.observed.issue.text().to_owned()
    }

    fn save(&mut self, who: &str, body: String) {
        self.observed.issue.body = Some(body.clone());
        self.observed.issue.updated_at = Some(self.now);
        self.history.push(Revision { at: self.now, editor: Some(who.to_owned()), body: Some(body) });
    }

    fn set_task(&mut self, who: &str, anchor: &str, done: bool) {
        let body = self.body();
        let checklist = Checklist::parse(&body);
        let task = checklist.find_task(anchor).unwrap();
        let mark = if done { ("- [ ] ", "- [x] ") } else { ("- [x] ", "- [ ] ") };
        let new = body.replacen(&format!("{}{}", mark.0, task.text), &format!("{}{}", mark.1, task.text), 1);
        self.pass(1);
        self.save(who, new);
    }

    fn set_field(&mut self, who: &str, name: &str, value: &str) {
        let new: Vec<String> = self
            .body()
            .split('\n')
            .map(|line| {
                let head = format!("- **{name}**: ");
                if line.starts_with(&head) { format!("{head}{value}") } else { line.to_owned() }
            })
            .collect();
        self.pass(1);
        self.save(who, new.join("\n"));
    }

    fn comment(&mut self, id: u64, who: &str, text: &str) -> u64 {
        self.pass(1);
        self.next_id += 1;
        let at = Some(self.now);
        self.observed.comments.push(Comment {
            id: self.next_id,
            node_id: String::new(),
            body: Some(text.to_owned()),
            user: Some(account(id, who)),
            created_at: at,
            updated_at: at,
            html_url: String::new(),
            performed_via_github_app: None,
        });
        self.observed.issue.updated_at = at;
        self.observed
            .facts
            .insert(self.next_id, CommentFacts { id: self.next_id, last_edited_at: None, own_reactions: Vec::new() });
        self.next_id
    }

    fn plan(&mut self) -> plan::Plan {
        self.observed.revisions = None;
        let needs = plan::needs(&self.observed, &self.policy, None);
        if needs.history.is_some() {
            self.observed.revisions = Some(self.history.clone());
        }
        assert!(plan::needs(&self.observed, &self.policy, None).is_empty());
        plan::plan(&self.observed, &self.policy, self.now, None)
    }

    fn apply(&mut self, plan: &plan::Plan) {
        for action in &plan.actions {
            match action {
                Action::EditBody { expected, body, .. } => {
                    assert_eq!(*expected, self.body());
                    self.save("wardroom[bot]", body.clone());
                }
                // No policy here names a place for advisories.
                Action::Advisory { .. } | Action::CloseDouble(_) => panic!("{action:?}"),
                Action::Close { reason } => {
                    self.observed.issue.state = Some(IssueState::Closed);
                    self.observed.issue.state_reason = Some((*reason).to_owned());
                    self.observed.issue.closed_at = Some(self.now);
                }
                Action::Label(LabelChange::Add(label)) => {
                    self.observed.issue.labels.push(Label { name: label.name.clone(), color: None, description: None })
                }
                Action::Label(LabelChange::Remove(name)) => {
                    self.observed.issue.labels.retain(|label| label.name != *name);
                }
                Action::Say { on: 8, body } | Action::Status { id: None, body } => {
                    self.comment(1, "wardroom[bot]", body);
                }
                Action::Say { .. } => {}
                Action::React { to, reaction } => {
                    self.observed.facts.get_mut(to).unwrap().own_reactions.push(*reaction);
                }
                Action::Status { id: Some(id), body } => {
                    let comment = self.observed.comments.iter_mut().find(|comment| comment.id == *id).unwrap();
                    comment.body = Some(body.clone());
                }
                Action::DropDouble { id } => self.observed.comments.retain(|comment| comment.id != *id),
            }
        }
    }

    /// Looks until there is nothing to do, letting the quiet time pass. Panics if it never ends.
    fn settle(&mut self) -> usize {
        let mut writes = 0;
        for _ in 0..10 {
            let plan = self.plan();
            if plan.actions.is_empty() && plan.wake_at.is_none() {
                return writes;
            }
            writes += plan.actions.len();
            self.apply(&plan);
            self.now = plan.wake_at.unwrap_or(self.now).max(self.now) + SignedDuration::from_secs(1);
        }
        panic!("never settles: {:#?}", self.plan().actions);
    }

    fn labels(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.observed.issue.labels.iter().map(|label| label.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn status(&self) -> String {
        let found = self.observed.comments.iter().find(|comment| comment.text().starts_with("<!-- wardroom:status"));
        let text = found.map_or("", |comment| comment.text());
        text[..text.find("<!-- wardroom:memory").unwrap_or(text.len())].to_owned()
    }

    fn said(&self) -> Vec<String> {
        let mine = self.observed.comments.iter().filter(|comment| comment.user.as_ref().is_some_and(|u| u.id == 1));
        mine.map(|comment| comment.text().to_owned()).filter(|text| !text.starts_with("<!-- wardroom:status")).collect()
    }

    fn reactions(&self, comment: u64) -> &[Reaction] {
        &self.observed.facts[&comment].own_reactions
    }
}

#[test]
fn a_new_incident_gets_its_labels_and_status() {
    let mut desk = Desk::new();
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/1-assessment"]);
    insta::assert_snapshot!("new_status", desk.status());
    insta::assert_snapshot!("new_body", desk.body());
}

#[test]
fn ticks_move_the_phase_and_are_recorded() {
    let mut desk = Desk::new();
    desk.settle();
    for task in ["T1", "T2", "T3", "T4", "T5", "T6"] {
        desk.set_task("bob", task, true);
    }
    desk.set_field("alice", "CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/2-mitigation", "severity/critical"]);
    assert!(desk.body().contains("- **CVSS Score**: `9.8`"), "{}", desk.body());
    assert!(desk.body().contains("- **Severity Level**: `Critical`"));
    desk.set_task("bob", "T6", false);
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/1-assessment", "severity/critical"]);
    insta::assert_snapshot!("ticked_status", desk.status());
}

#[test]
fn a_field_that_a_person_empties_stays_empty() {
    let mut desk = Desk::new();
    desk.set_field("alice", "CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    desk.settle();
    desk.set_field("bob", "CVSS Score", "`X.X`");
    desk.settle();
    assert!(desk.body().contains("- **CVSS Score**: `X.X`"));
    let status = desk.observed.comments.iter().position(|c| c.text().starts_with("<!-- wardroom:status")).unwrap();
    desk.observed.comments.remove(status);
    desk.settle();
    assert!(desk.body().contains("- **CVSS Score**: `X.X`"), "nor after the memory is lost");
}

#[test]
fn not_applicable_is_carried_out_once_and_a_person_has_the_last_word() {
    let mut desk = Desk::new();
    desk.settle();
    let command = desk.comment(3, "bob", "/wardroom na T4 we have no LTS");
    desk.settle();
    assert_eq!(desk.reactions(command), [Reaction::Rocket]);
    let checklist = Checklist::parse(&desk.body());
    assert_eq!(checklist.totals().not_applicable, 1);
    let line = desk.body().lines().find(|line| line.contains("wardroom:T4")).unwrap().to_owned();
    insta::assert_snapshot!(line, @"- [ ] ~~Check if vulnerability affects LTS versions (if applicable)~~ N/A: we have no LTS <!-- wardroom:T4 -->");
    let undone = desk
        .body()
        .replace(&line, "- [ ] Check if vulnerability affects LTS versions (if applicable) <!-- wardroom:T4 -->");
    desk.pass(60);
    desk.save("alice", undone.clone());
    desk.settle();
    assert_eq!(desk.body(), undone);
    desk.observed.comments.retain(|comment| !comment.text().starts_with("<!-- wardroom:status"));
    desk.settle();
    assert_eq!(desk.body(), undone, "nor after the memory is lost");
}

#[test]
fn whoever_may_not_is_told_and_nothing_happens() {
    let mut desk = Desk::new();
    desk.settle();
    let before = (desk.body(), desk.labels().len());
    let refused = desk.comment(9, "rita", "/wardroom close invalid");
    let unreadable = desk.comment(3, "bob", "/wardroom na T99");
    let lost = desk.comment(3, "bob", "/wardroom na T99 because");
    let edited = desk.comment(2, "alice", "/wardroom pause");
    desk.observed.facts.get_mut(&edited).unwrap().last_edited_at = Some(desk.now);
    desk.settle();
    for comment in [refused, unreadable, lost, edited] {
        assert_eq!(desk.reactions(comment), [Reaction::Confused]);
    }
    assert_eq!((desk.body(), desk.labels().len()), before);
    assert!(desk.observed.issue.is_open());
    insta::assert_snapshot!("refusals", desk.said().join("\n"));
}

#[test]
fn pause_stops_all_writes_until_resume() {
    let mut desk = Desk::new();
    desk.settle();
    desk.comment(2, "alice", "/wardroom pause");
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "paused", "phase/1-assessment"]);
    desk.set_field("alice", "Severity Level", "High");
    desk.set_task("bob", "T1", true);
    assert_eq!(desk.settle(), 0);
    desk.comment(2, "alice", "/wardroom resume");
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/1-assessment", "severity/high"]);
    assert!(desk.status().contains("ticked “Reproduce the vulnerability"), "{}", desk.status());
}

#[test]
fn close_as_invalid_rejects_and_drafts_a_kind_answer() {
    let mut desk = Desk::new();
    desk.settle();
    desk.comment(2, "alice", "/wardroom close invalid cannot be reproduced");
    desk.settle();
    assert_eq!(desk.observed.issue.state_reason.as_deref(), Some("not_planned"));
    assert_eq!(desk.labels(), ["incident", "rejected"]);
    insta::assert_snapshot!("draft_answer", desk.said().join("\n"));
    desk.observed.issue.state = Some(IssueState::Open);
    desk.observed.issue.state_reason = Some("reopened".to_owned());
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/1-assessment"], "a person reopened it: the command is spent");
}

#[test]
fn closing_with_open_tasks_is_one_comment_and_nothing_else() {
    let mut desk = Desk::new();
    desk.settle();
    desk.observed.issue.state = Some(IssueState::Closed);
    desk.observed.issue.state_reason = Some("completed".to_owned());
    desk.observed.issue.closed_at = Some(desk.now);
    desk.settle();
    assert_eq!(desk.labels(), ["incident", "phase/1-assessment"]);
    insta::assert_snapshot!("closed_early", desk.said().join("\n"));
}

#[test]
fn p4_an_edit_that_a_write_of_ours_overwrote_is_put_back() {
    let mut desk = Desk::new();
    desk.settle();
    let base = desk.body();
    // bob ticks and writes between our read and our write; ours was made from the older body.
    desk.set_task("bob", "T1", true);
    let theirs = desk.body().replacen("Example:", "Notes of bob.\n\nExample:", 1);
    desk.save("bob", theirs.clone());
    let ours = base.replacen("`Critical|High|Medium|Low`", "`High`", 1);
    desk.save("wardroom[bot]", ours);
    desk.settle();
    let wanted = theirs.replacen("`Critical|High|Medium|Low`", "`High`", 1);
    assert_eq!(desk.body(), wanted);
}

#[test]
fn p4_text_that_a_write_overwrote_is_put_back_beside_what_others_wrote_since_and_only_once() {
    let mut desk = Desk::new();
    desk.settle();
    let base = desk.body();
    let note = |body: &str, text: &str| body.replacen("### Resources", &format!("{text}\n\n### Resources"), 1);
    desk.save("bob", note(&base, "Note of bob."));
    let ours = base.replacen("`Critical|High|Medium|Low`", "`High`", 1);
    desk.save("wardroom[bot]", ours.clone());
    desk.save("alice", note(&ours, "Note of alice."));
    desk.settle();
    for kept in ["Note of bob.", "Note of alice.", "`High`"] {
        assert_eq!(desk.body().matches(kept).count(), 1, "{kept}\n{}", desk.body());
    }
    // bob takes it out himself: then it stays out.
    desk.pass(60);
    let without = desk.body().replacen("Note of bob.\n\n", "", 1);
    desk.save("bob", without.clone());
    desk.settle();
    assert_eq!(desk.body(), without);
    desk.observed.comments.retain(|comment| !comment.text().starts_with("<!-- wardroom:status"));
    desk.settle();
    assert_eq!(desk.body(), without, "nor after the memory is lost");
}

#[test]
fn p4_a_repair_that_overwrote_text_itself_is_kept_beside_it_and_changed_words_stay_changed() {
    let mut desk = Desk::new();
    desk.settle();
    let base = desk.body();
    let note = |body: &str, text: &str| body.replacen("### Resources", &format!("{text}\n\n### Resources"), 1);
    desk.save("bob", note(&base, "Note of bob.").replacen("Example:", "Sample:", 1));
    let ours = base.replacen("`Critical|High|Medium|Low`", "`High`", 1);
    desk.save("wardroom[bot]", ours.clone());
    // Our repair was made before alice's note could be read.
    desk.save("alice", note(&ours, "Note of alice."));
    desk.save("wardroom[bot]", note(&ours, "Note of bob.").replacen("Example:", "Sample:", 1));
    desk.settle();
    for kept in ["Note of bob.", "Note of alice.", "`High`", "Sample:"] {
        assert_eq!(desk.body().matches(kept).count(), 1, "{kept}\n{}", desk.body());
    }
    let left = base.matches("Example:").count() - 1;
    assert_eq!(desk.body().matches("Example:").count(), left, "{}", desk.body());
}

#[test]
fn p4_text_that_a_person_took_out_and_a_write_brought_back_is_taken_out_again() {
    let mut desk = Desk::new();
    desk.settle();
    let base = desk.body();
    let without = base.replacen("Example:\n\n", "", 1);
    desk.save("bob", without.clone());
    desk.save("wardroom[bot]", base.replacen("`Critical|High|Medium|Low`", "`High`", 1));
    desk.settle();
    assert_eq!(desk.body(), without.replacen("`Critical|High|Medium|Low`", "`High`", 1));
}

#[test]
fn p4_what_a_person_did_after_the_overwriting_stands() {
    let mut desk = Desk::new();
    desk.settle();
    let base = desk.body();
    desk.set_task("bob", "T1", true);
    desk.save("wardroom[bot]", base.replacen("`Critical|High|Medium|Low`", "`High`", 1));
    desk.set_task("alice", "T1", true);
    desk.set_task("alice", "T1", false);
    desk.settle();
    let checklist = Checklist::parse(&desk.body());
    assert_eq!(checklist.totals().done, 0, "alice unticked it last");
}

fn acts() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    proptest::collection::vec((0_u8..9, 0_u8..38, 0_u8..4), 1..12)
}

fn act(desk: &mut Desk, (kind, task, who): (u8, u8, u8)) {
    let (id, login) = [(2, "alice"), (3, "bob"), (9, "rita"), (2, "alice")][usize::from(who)];
    let anchor = format!("T{}", task + 1);
    match kind {
        0..=2 => desk.set_task(login, &anchor, true),
        3 => desk.set_task(login, &anchor, false),
        4 => desk.set_field(
            login,
            "Severity Level",
            ["High", "Low", "odd", "`Critical|High|Medium|Low`"][usize::from(who)],
        ),
        5 => {
            let vectors = ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:4.0/AV:N", "", "`X.X`"];
            desk.set_field(login, "CVSS vector", vectors[usize::from(task) % 4]);
        }
        6 => {
            desk.comment(id, login, &format!("/wardroom na {anchor} not here"));
        }
        7 => {
            let words =
                ["severity high", "pause", "resume", "cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L", "help"];
            desk.comment(id, login, &format!("/wardroom {}", words[usize::from(task) % 5]));
        }
        _ => desk.pass(i64::from(task) * 10),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Planning after applying a plan gives an empty plan, and an empty plan stays empty.
    #[test]
    fn p2_planning_after_applying_a_plan_gives_an_empty_plan(acts in acts(), graphql in any::<bool>()) {
        let mut desk = Desk::new();
        if !graphql {
            desk.observed.missing.push(Missing::GraphQl);
        }
        for step in acts {
            act(&mut desk, step);
            if step.1 % 3 == 0 {
                desk.pass(40);
                let plan = desk.plan();
                desk.apply(&plan);
                let again = desk.plan();
                prop_assert!(again.actions.is_empty(), "{:#?}\nafter\n{:#?}", again.actions, plan.actions);
            }
        }
        desk.settle();
        desk.pass(100_000);
        prop_assert!(desk.plan().actions.is_empty());
    }

    /// Whatever the reporter writes, the body holds the same tasks, fields and markers.
    #[test]
    fn p10_reporter_text_cannot_change_state(text in any::<String>()) {
        let plain = Checklist::parse(&Desk::new().body());
        let desk = Desk::with_report(&text);
        let checklist = Checklist::parse(&desk.body());
        prop_assert_eq!(checklist.totals(), plain.totals());
        prop_assert_eq!(checklist.fields.len(), plain.fields.len());
        prop_assert_eq!(&checklist.markers, &plain.markers);
    }
}

/// GitHub's times are whole seconds and ours are not: an edit in the second of a write of Wardroom's own is no older.
#[test]
fn an_edit_in_the_second_of_our_own_write_keeps_its_author() {
    let mut desk = Desk::new();
    desk.settle();
    desk.set_field("alice", "CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    desk.pass(60);
    let second = desk.now;
    desk.now += SignedDuration::from_millis(810);
    let plan = desk.plan();
    assert!(plan.actions.iter().any(|action| matches!(action, Action::EditBody { .. })));
    desk.apply(&plan);
    // Wardroom's edit and alice's next one carry the same whole second; only deliveries tell of them.
    desk.now = second;
    let before = desk.body();
    let after = before.replacen("- **Root cause**: ", "- **Root cause**: a length, ", 1);
    assert_ne!(before, after);
    desk.observed.issue.body = Some(after.clone());
    desk.observed.issue.updated_at = Some(second);
    desk.observed.edits.push(wardroom::domain::observed::Edit {
        at: second,
        editor: Some("alice".to_owned()),
        before,
        after,
    });
    desk.observed.missing.push(Missing::GraphQl);
    let plan = desk.plan();
    desk.apply(&plan);
    assert!(desk.status().contains("| `alice` | set “Root cause”"), "{}", desk.status());
}

#[test]
fn releases_that_cannot_be_read_deny_no_tick() {
    use wardroom::domain::observed::ReleaseSight;
    let mut desk = Desk::new();
    desk.policy.advisories.repository = Some("octo/mail".parse().unwrap());
    desk.set_field("alice", "Patch/hotfix version", "1.4.3");
    desk.set_task("alice", "T29", true);
    desk.pass(60);
    desk.observed.releases = ReleaseSight::Unreadable("GitHub refused it.".to_owned());
    desk.settle();
    assert!(desk.status().contains("Whether the fixed versions are released cannot be told"), "{}", desk.status());
    assert!(!desk.status().contains("T29 Publish patched version to GitHub releases is ticked and not confirmed"));
    let fixed = [Version::parse("1.4.3").unwrap()];
    desk.observed.releases = ReleaseSight::Seen(VersionRelease::to_look_for(&fixed, &desk.policy));
    desk.settle();
    assert!(desk.status().contains("is ticked and not confirmed: `v1.4.3` has no release"), "{}", desk.status());
}
