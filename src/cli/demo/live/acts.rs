//! What people do when someone presses a button, and what goes wrong on purpose.

use std::sync::Arc;

use super::Live;
use super::deeds::{self, Deed, Trace, short};
use super::trial::{Moment, keys_of};
use crate::domain::checklist::{Checklist, Task, TaskState};
use crate::server::page::markdown;
use crate::server::page::scene::{Act, Done, Fault, Kind, clock};
use crate::sim::{PageRefuses, World};

/// What is said where GitHub refuses.
fn refused(PageRefuses(why): PageRefuses) -> String {
    let why = match why.as_str() {
        "no edit button for this role" | "no such button for this role" | "no close button for this role" => {
            "GitHub offers this only to people with more rights. Act as alice or bob."
        }
        "404" => "There is no such issue.",
        "there is no such box" => "That box is not there any more, or it is so already.",
        other => other,
    };
    format!("{why} Nothing was changed.")
}

impl Live {
    pub(super) async fn do_act(self: Arc<Self>, who: &str, act: Act) -> Result<Done, String> {
        let _turn = self.turn.lock().await;
        self.time.now();
        let mut done = Done::default();
        match act {
            Act::Try { fault, issue } => self.clone().go_wrong(fault, issue).await?,
            Act::SkipWait => self.skip_wait().await,
            Act::Sweep => self.sweep().await?,
            act => {
                let (deeds, new) = self.person(who, act)?;
                done.issue = new;
                self.keep(who, deeds);
            }
        }
        self.deliver().await;
        let failing = self.is_failing().await;
        self.judge(self.time.now(), failing);
        self.ring();
        Ok(done)
    }

    /// Enters deeds into the log and keeps them.
    fn keep(&self, who: &str, deeds: Vec<Deed>) {
        if deeds.is_empty() {
            return;
        }
        let what: Vec<&str> = deeds.iter().map(|deed| deed.what.as_str()).collect();
        self.note(who, Kind::Person, &what.join(", "), Vec::new());
        self.told().keep(deeds);
    }

    /// A person acts on GitHub's pages. Returns what they did, and the number of a new issue.
    fn person(&self, who: &str, act: Act) -> Result<(Vec<Deed>, Option<u64>), String> {
        let (repo, person, at) = (&self.wires.tracker, self.world().person(who), self.world().now());
        let one = |what: String, trace: Trace| vec![Deed { at, who: who.to_owned(), what, trace }];
        Ok(match act {
            Act::File { title, text } => {
                let number = person.open_issue(repo, &title, &text, &[]).map_err(refused)?;
                (one(format!("opened #{number}, “{}”", short(&title)), Trace::Issue(number)), Some(number))
            }
            Act::Label { issue, name, on } => {
                let ended = if on { person.label(repo, issue, &name) } else { person.unlabel(repo, issue, &name) };
                ended.map_err(refused)?;
                let verb = if on { "labelled" } else { "took off" };
                let what = if on { format!("{verb} #{issue} {name}") } else { format!("{verb} {name} from #{issue}") };
                (one(what, Trace::Label { issue, name, on }), None)
            }
            Act::Boxes { issue, set } => {
                let click = |body: &str| {
                    let mut after = None;
                    for (key, done) in &set {
                        let text = after.as_deref().unwrap_or(body);
                        after = markdown::set_box(text, key, *done).or(after);
                    }
                    after
                };
                (self.click(who, issue, click)?, None)
            }
            Act::Field { issue, name, value } => {
                let before = self.world().body(repo, issue);
                person.set_field(repo, issue, &name, &value).map_err(refused)?;
                let after = self.world().body(repo, issue);
                (deeds::of_edit(at, who, issue, &before, &after), None)
            }
            Act::Body { issue, text } => (self.edit(who, issue, |_| text)?, None),
            Act::Comment { issue, text } => {
                let id = person.comment(repo, issue, &text).map_err(refused)?;
                let said = self.world().comments_of(repo, issue).into_iter().find(|said| said.id == id);
                let text = said.map(|said| said.text).unwrap_or(text);
                let what = format!("commented on #{issue}: {}", short(&text));
                (one(what, Trace::Comment { issue, id, text }), None)
            }
            Act::Close { issue, reason } => {
                person.close(repo, issue, reason).map_err(refused)?;
                let what = format!("closed #{issue} as {}", reason.replace('_', " "));
                (one(what, Trace::Open { issue, open: false }), None)
            }
            Act::Reopen { issue } => {
                person.reopen(repo, issue).map_err(refused)?;
                (one(format!("reopened #{issue}"), Trace::Open { issue, open: true }), None)
            }
            Act::Try { .. } | Act::SkipWait | Act::Sweep => (Vec::new(), None),
        })
    }

    /// A person saves an issue's text.
    fn edit(&self, who: &str, issue: u64, edit: impl FnOnce(&str) -> String) -> Result<Vec<Deed>, String> {
        let (repo, at) = (&self.wires.tracker, self.world().now());
        let before = self.world().body(repo, issue);
        self.world().person(who).edit_body(repo, issue, edit).map_err(refused)?;
        Ok(deeds::of_edit(at, who, issue, &before, &self.world().body(repo, issue)))
    }

    /// A person clicks on boxes of an issue's text.
    fn click(&self, who: &str, issue: u64, click: impl FnOnce(&str) -> Option<String>) -> Result<Vec<Deed>, String> {
        let (repo, at) = (&self.wires.tracker, self.world().now());
        let before = self.world().body(repo, issue);
        self.world().person(who).click(repo, issue, click).map_err(refused)?;
        Ok(deeds::of_edit(at, who, issue, &before, &self.world().body(repo, issue)))
    }

    /// Lets the time until the next look pass.
    async fn skip_wait(&self) {
        let house = self.house.lock().await;
        let Some(house) = house.as_ref() else { return };
        if let Ok(Some(due)) = house.process.engine.store.next_due().await {
            self.time.skip_to(due);
            house.process.bell.notify_one();
        }
    }

    /// The scheduled look at everything. What it finds is looked at by the worker.
    async fn sweep(&self) -> Result<(), String> {
        let house = self.house.lock().await;
        let Some(house) = house.as_ref() else { return Ok(()) };
        self.sweep_with(house).await
    }

    async fn sweep_with(&self, house: &super::House) -> Result<(), String> {
        let engine = &house.process.engine;
        let ended = engine.sweep(&[]).await;
        let (calls, failed) = self.fresh_calls();
        let at = self.time.now();
        match ended {
            Ok(swept) => {
                for subject in &swept.subjects {
                    engine.store.wake(subject, at).await.map_err(|error| error.to_string())?;
                }
                house.process.bell.notify_one();
                let text = format!("swept: {} to look at", swept.subjects.len());
                let mut told = self.told();
                told.trials.looked(at, Kind::Looked, &format!("{text}; {}", calls.sum), failed);
                told.enter(at, "Wardroom", Kind::Looked, text, swept.looked.steps, calls);
                told.trials.swept(at, &swept.subjects);
            }
            Err(error) => {
                let mut told = self.told();
                told.trials.looked(at, Kind::Failed, "", failed);
                let text = "could not sweep; the next one starts anew".to_owned();
                told.enter(at, "Wardroom", Kind::Failed, text, vec![error.to_string()], calls);
                told.trials.could_not_sweep();
            }
        }
        Ok(())
    }

    pub(super) async fn is_failing(&self) -> bool {
        let house = self.house.lock().await;
        let Some(house) = house.as_ref() else { return false };
        house.process.engine.store.rows().await.unwrap_or_default().iter().any(|row| row.attempts > 0)
    }

    async fn go_wrong(self: Arc<Self>, fault: Fault, issue: Option<u64>) -> Result<(), String> {
        let now = self.time.now();
        match fault {
            Fault::Down => {
                self.world().faults(|faults| faults.set_down(true));
                let happened = vec!["GitHub’s API answers 502 to every call.".to_owned()];
                self.told().trials.begin(now, fault, "GitHub is down", happened);
                self.told().down = true;
                self.note("GitHub", Kind::Fault, "is down: its API answers 502 to every call", Vec::new());
            }
            Fault::Up => {
                self.world().faults(|faults| faults.set_down(false));
                let unswept = {
                    let mut told = self.told();
                    told.down = false;
                    let struck = told.trials.struck(Fault::Down);
                    let happened = format!("{struck} of Wardroom’s calls failed. Then GitHub was up again.");
                    told.trials.over(now, Fault::Down, &happened);
                    told.trials.is_going(Fault::Restart)
                };
                self.note("GitHub", Kind::Fault, "is up again", Vec::new());
                if unswept {
                    self.sweep().await?;
                }
            }
            Fault::LoseWebhook => {
                let mut told = self.told();
                told.lose_next = true;
                let happened = vec!["The webhook of the next act will be lost.".to_owned()];
                told.trials.begin(now, fault, "A lost webhook", happened);
                drop(told);
                self.note("GitHub", Kind::Fault, "will lose the webhook of the next act", Vec::new());
            }
            Fault::TwoTicks => self.two_ticks(issue).await?,
            Fault::Collide => self.collide(issue)?,
            Fault::Restart => self.clone().restart().await?,
        }
        Ok(())
    }

    /// Two open tasks of the incident that is shown, or of the newest one.
    pub(super) fn two_open_tasks(&self, issue: Option<u64>) -> Option<(u64, [Task; 2])> {
        let incidents = self.truth().incidents();
        let shown = incidents.iter().find(|found| Some(found.number) == issue).or(incidents.first())?;
        let checklist = Checklist::parse(shown.text());
        let mut open = checklist.tasks().filter(|task| task.state == TaskState::Open).cloned();
        Some((shown.number, [open.next()?, open.next()?]))
    }

    async fn two_ticks(&self, issue: Option<u64>) -> Result<(), String> {
        let (issue, tasks) = self.two_open_tasks(issue).ok_or(NO_TASKS)?;
        let at = self.time.now();
        let happened = vec![format!("alice and bob each tick a box of #{issue} at {}, in the same moment.", clock(at))];
        self.told().trials.begin(at, Fault::TwoTicks, "Two people tick at once", happened);
        let mut names = Vec::new();
        for (who, task) in ["alice", "bob"].into_iter().zip(&tasks) {
            let deeds = self.click(who, issue, |body| ticked(body, task))?;
            names.extend(keys_of(&deeds).into_iter().map(|key| (issue, key, who)));
            self.keep(who, deeds);
        }
        let arrived = self.deliver().await;
        let mut told = self.told();
        told.trials.must_name(Fault::TwoTicks, names);
        told.trials.over(at, Fault::TwoTicks, &format!("{arrived} webhooks arrived."));
        Ok(())
    }

    /// alice asks for something that Wardroom writes into the text, and bob saves just before that write.
    fn collide(&self, issue: Option<u64>) -> Result<(), String> {
        let (issue, [first, second]) = self.two_open_tasks(issue).ok_or(NO_TASKS)?;
        let at = self.time.now();
        let name = second.anchor.clone().unwrap_or_else(|| second.text.clone());
        let words = format!("/wardroom na {name} tried out in the demo");
        let happened = vec![format!(
            "alice asks Wardroom to mark “{}” as not applicable, so it has to write into the text of #{issue}.",
            short(&second.text)
        )];
        self.told().trials.begin(at, Fault::Collide, "Somebody saves while Wardroom writes", happened);
        let moment = Moment::default();
        let (kept, repo) = (moment.clone(), self.wires.tracker.clone());
        let save = move |world: &World| {
            let before = world.body(&repo, issue);
            if world.person("bob").click(&repo, issue, |body| ticked(body, &first)).is_ok() {
                // It is planned once, so it cannot be set already.
                let _ = kept.set((world.now(), before, world.body(&repo, issue)));
            }
        };
        self.world().faults(|faults| faults.before("PATCH", "R/issues/{n}", save));
        self.told().trials.plan(Fault::Collide, issue, "bob", moment);
        let (deeds, _) = self.person("alice", Act::Comment { issue, text: words })?;
        self.keep("alice", deeds);
        Ok(())
    }

    /// Wardroom is stopped wherever it is, and a new one starts with an empty store.
    async fn restart(self: Arc<Self>) -> Result<(), String> {
        let at = self.time.now();
        let mut house = self.house.lock().await;
        let rows = match house.take() {
            Some(old) => old.process.engine.store.rows().await.unwrap_or_default().len(),
            None => 0,
        };
        // Calls of a look that was cut off are told of with what comes next.
        let happened = vec![format!(
            "Wardroom was stopped wherever it was. Its store went with it: {rows} rows of work, the kept edits, all caches."
        )];
        self.told().trials.begin(at, Fault::Restart, "A restart with an empty store", happened);
        self.note("Wardroom", Kind::Fault, "was stopped, and starts with an empty store", Vec::new());
        let new = self.clone().build().await.map_err(|error| format!("Wardroom did not start again: {error:#}."))?;
        self.sweep_with(&new).await?;
        *house = Some(new);
        Ok(())
    }
}

const NO_TASKS: &str = "There is no tracking issue with two open tasks. File a report and label it first.";

/// The text with one task's box ticked, as GitHub's page does it.
fn ticked(body: &str, task: &Task) -> Option<String> {
    let line = body.lines().nth(task.line.saturating_sub(1)).unwrap_or_default().trim_end();
    let all = markdown::boxes(body);
    let found = all.iter().find(|found| !found.line.is_empty() && line.ends_with(&found.line) && !found.done)?;
    markdown::set_box(body, &found.key, true)
}
