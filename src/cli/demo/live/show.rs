//! The stage as the page shows it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{CAST, Live, Wait};
use crate::cli::demo::wires::{BOT, BUDGET};
use crate::domain::checklist::{Checklist, template};
use crate::domain::facts::{Issue, Label};
use crate::domain::policy::LabelKey;
use crate::domain::status;
use crate::server::page::scene::{
    Act, CommentView, Done, Fault, FaultButton, FieldView, IssueLine, IssueView, LabelView, Next, Scene, Someone,
    Stage, clock,
};
use crate::store::QUIET_BEFORE_LOOK;

/// Labels that people hang by hand here.
const BY_HAND: [&str; 3] = ["security-report", "needs-info", "bug"];

/// The colour of a label that GitHub makes by itself.
const PLAIN: &str = "ededed";

/// The stage, as it is shared with the page.
pub(in crate::cli::demo) struct Shared(Arc<Live>);

impl Shared {
    pub(in crate::cli::demo) fn new(live: Arc<Live>) -> Shared {
        Shared(live)
    }
}

#[async_trait]
impl Stage for Shared {
    fn cast(&self) -> &[Someone] {
        &CAST
    }

    fn colours(&self) -> Vec<String> {
        let policy = &self.0.wires.policy;
        let phases = Checklist::parse(template::DEFAULT).phases;
        let phases = phases.iter().filter_map(|phase| policy.phase_label(phase.number, &phase.title));
        let others = LabelKey::ALL.into_iter().map(|key| policy.label(key));
        let mut colours: Vec<String> = phases.chain(others).map(|label| label.color.to_lowercase()).collect();
        colours.push(PLAIN.to_owned());
        colours.sort();
        colours.dedup();
        colours
    }

    async fn scene(&self, issue: Option<u64>) -> Scene {
        self.0.scene(issue).await
    }

    async fn act(&self, who: &str, act: Act) -> Result<Done, String> {
        self.0.clone().do_act(who, act).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }
}

impl Live {
    async fn scene(&self, number: Option<u64>) -> Scene {
        let now = self.time.now();
        let next = self.next(now).await;
        let (repo, world) = (&self.wires.tracker, self.world());
        let mut issues: Vec<IssueLine> = world.issues_of(repo).iter().map(|issue| self.line(issue)).collect();
        issues.reverse();
        let issue = number.and_then(|number| world.issue_now(repo, number)).map(|issue| self.issue(&issue));
        let faults = self.faults(number);
        let told = self.told();
        Scene {
            repository: repo.to_string(),
            now,
            next,
            issues,
            issue,
            label_names: BY_HAND.map(str::to_owned).to_vec(),
            log: told.log.iter().rev().cloned().collect(),
            budget_left: world.budget(BOT),
            budget: BUDGET,
            calls: told.calls,
            faults,
            trials: told.trials.shown(),
        }
    }

    async fn next(&self, now: jiff::Timestamp) -> Option<Next> {
        let house = self.house.lock().await;
        let due = house.as_ref()?.process.engine.store.next_due().await.ok()??;
        drop(house);
        let left = due.duration_since(now);
        let seconds = (left.as_secs() + i64::from(left.subsec_nanos() > 0)).max(0);
        let waits = self.told().waits.filter(|(at, _)| *at == due).map(|(_, why)| why);
        let why = match waits {
            Some(Wait::Failed) => "The last look failed, so it tries again with growing pauses.".to_owned(),
            Some(Wait::Lag) => "It waits until reads can show what was written last: GitHub’s replicas lag.".to_owned(),
            Some(Wait::Quiet) => "It writes into a text only when nobody has touched the issue for 30 s.".to_owned(),
            None => format!(
                "After an event it waits for {} s of quiet, so that ten quick ticks are one look.",
                QUIET_BEFORE_LOOK.as_secs()
            ),
        };
        Some(Next { seconds, at: due, why: format!("At {}. {why}", clock(due)) })
    }

    fn line(&self, issue: &Issue) -> IssueLine {
        IssueLine {
            number: issue.number,
            title: issue.title.clone(),
            open: issue.is_open(),
            incident: self.truth().is_incident(issue),
            by: issue.user.as_ref().map_or_else(|| "ghost".to_owned(), |user| user.login.clone()),
            labels: issue.labels.iter().map(label).collect(),
        }
    }

    fn issue(&self, issue: &Issue) -> IssueView {
        let checklist = Checklist::parse(issue.text());
        let mut fields: Vec<FieldView> = Vec::new();
        for field in &checklist.fields {
            if !fields.iter().any(|known| known.name == field.name) {
                let value = if field.empty { String::new() } else { field.value.clone() };
                fields.push(FieldView { name: field.name.clone(), value });
            }
        }
        let comments =
            self.world().comments_of(&self.wires.tracker, issue.number).into_iter().map(|said| CommentView {
                id: said.id,
                at: said.at,
                status: said.by == BOT && said.text.starts_with(status::HEAD),
                wardroom: said.by == BOT,
                by: said.by,
                text: said.text,
                reactions: said.reactions,
            });
        IssueView {
            line: self.line(issue),
            reason: issue.state_reason.clone().filter(|_| !issue.is_open()),
            progress: match checklist.tasks().next() {
                Some(_) => status::progress_line(&checklist),
                None => String::new(),
            },
            opened: issue.created_at.unwrap_or_default(),
            body: issue.text().to_owned(),
            fields,
            comments: comments.collect(),
        }
    }

    fn faults(&self, issue: Option<u64>) -> Vec<FaultButton> {
        let no_tasks = self.two_open_tasks(issue).is_none();
        let told = self.told();
        let going = |fault| told.trials.is_going(fault);
        let tasks = || no_tasks.then(|| "First there must be a tracking issue with two open tasks.".to_owned());
        let button = |fault, name, tells, not_now: Option<String>| {
            let on = going(fault) || (fault == Fault::Up && told.down);
            FaultButton { fault, name, tells, not_now, on }
        };
        let down = match told.down {
            true => button(Fault::Up, "GitHub is up again", "Its API answers 502 to every call now.", None),
            false => button(
                Fault::Down,
                "GitHub is down",
                "Its API answers 502 to every call, until you switch it on again. People’s pages still work.",
                None,
            ),
        };
        let lose = told.lose_next.then(|| "It waits for the next act.".to_owned());
        let collides = going(Fault::Collide).then(|| "It waits for Wardroom’s write.".to_owned());
        vec![
            down,
            button(
                Fault::LoseWebhook,
                "Lose the next webhook",
                "The webhook of the next act never arrives, and GitHub does not send it again.",
                lose,
            ),
            button(
                Fault::TwoTicks,
                "Two people tick at once",
                "alice and bob tick the next two open boxes in the same moment.",
                tasks(),
            ),
            button(
                Fault::Collide,
                "Save while Wardroom writes",
                "alice gives a command that changes the text; bob saves between Wardroom’s last read and its write.",
                collides.or_else(tasks),
            ),
            button(
                Fault::Restart,
                "Restart with an empty store",
                "Wardroom is stopped wherever it is and starts anew, knowing nothing.",
                None,
            ),
        ]
    }
}

fn label(label: &Label) -> LabelView {
    LabelView {
        name: label.name.clone(),
        color: label.color.clone().unwrap_or_else(|| PLAIN.to_owned()).to_lowercase(),
        description: label.description.clone().unwrap_or_default(),
    }
}
