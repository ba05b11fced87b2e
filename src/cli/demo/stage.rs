//! The stage of the story in the terminal: people act, time jumps, and each look is shown.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use jiff::{SignedDuration, Timestamp};

use super::screen::{Ink, Screen, clock_time};
use super::wires::{BOT, BUDGET, Process, SECRET, Tally, Wires, clock_of};
use crate::domain::facts::RepoName;
use crate::domain::incident::Subject;
use crate::engine::Looked;
use crate::engine::worker::Step;
use crate::sim::http::send_webhook;
use crate::sim::{CallRecord, Delivery, Done, Person, World};

/// So many looks in a row without an end are a bug.
const MOST_LOOKS: usize = 200;

/// The stage.
pub(super) struct Stage<'a> {
    pub(super) world: Arc<World>,
    pub(super) screen: Screen<'a>,
    pub(super) tracker: RepoName,
    pub(super) webhooks: Webhooks,
    shown_calls: usize,
    stands: String,
    lists: Vec<(String, Timestamp)>,
    fresh_webhooks: usize,
    title: &'static str,
    acts: usize,
    planned: Option<Planned>,
    process: Process,
    _wires: Wires,
}

/// What became of the webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Taken with 202.
    pub taken: usize,
    /// Never delivered.
    pub lost: usize,
    /// Refused with 401.
    pub forged: usize,
}

/// What someone will do in the middle of a look, and when they did.
struct Planned {
    login: &'static str,
    text: String,
    moment: Arc<OnceLock<Timestamp>>,
}

impl<'a> Stage<'a> {
    /// Sets everything up. Nothing has happened yet.
    pub(super) async fn set(screen: Screen<'a>) -> anyhow::Result<Stage<'a>> {
        let wires = Wires::lay().await?;
        let process = wires.start(clock_of(&wires.world)).await?;
        Ok(Stage {
            world: wires.world.clone(),
            screen,
            tracker: wires.tracker.clone(),
            webhooks: Webhooks::default(),
            shown_calls: 0,
            stands: String::new(),
            lists: Vec::new(),
            fresh_webhooks: 0,
            title: "the beginning",
            acts: 0,
            planned: None,
            process,
            _wires: wires,
        })
    }

    /// A new act; `minutes` pass before it.
    pub(super) async fn act(&mut self, title: &'static str, minutes: i64) -> anyhow::Result<()> {
        self.title = title;
        self.acts += 1;
        self.world.advance(SignedDuration::from_mins(minutes));
        Ok(self.screen.act(self.acts, title).await?)
    }

    /// Seconds pass.
    pub(super) fn wait(&self, seconds: i64) {
        self.world.advance(SignedDuration::from_secs(seconds));
    }

    /// Someone does something on GitHub's pages, and GitHub sends its webhooks.
    pub(super) async fn person<T>(
        &mut self,
        login: &str,
        text: &str,
        act: impl FnOnce(&Person<'_>) -> Done<T>,
    ) -> anyhow::Result<T> {
        self.screen.says(self.world.now(), login, Ink::Blue, text)?;
        let done = act(&self.world.person(login)).with_context(|| self.went_wrong(&format!("{login} was refused")))?;
        self.fresh_webhooks += self.deliver().await?;
        self.screen.rest(Duration::from_millis(500)).await?;
        Ok(done)
    }

    /// Sends the webhooks that wait; each must be taken.
    async fn deliver(&mut self) -> anyhow::Result<usize> {
        let deliveries = self.world.take_deliveries();
        let count = deliveries.len();
        for delivery in deliveries {
            let status =
                send_webhook(&self.process.hook_url, SECRET.as_bytes(), &delivery).await.map_err(anyhow::Error::msg)?;
            ensure!(status == 202, self.went_wrong(&format!("a webhook was answered with {status}")));
            self.webhooks.taken += 1;
        }
        Ok(count)
    }

    /// Someone does something, and none of GitHub's webhooks of it arrives. Returns those.
    pub(super) async fn unheard(
        &mut self,
        login: &str,
        text: &str,
        act: impl FnOnce(&Person<'_>) -> Done,
    ) -> anyhow::Result<Vec<Delivery>> {
        self.screen.says(self.world.now(), login, Ink::Blue, text)?;
        act(&self.world.person(login)).with_context(|| self.went_wrong(&format!("{login} was refused")))?;
        let lost = self.world.take_deliveries();
        self.webhooks.lost += lost.len();
        self.screen.rest(Duration::from_millis(500)).await?;
        Ok(lost)
    }

    /// Someone acts just before the next write of an issue's text reaches GitHub. It is shown with the look in whose
    /// middle it happens.
    pub(super) fn at_the_next_write(
        &mut self,
        login: &'static str,
        text: String,
        act: impl FnOnce(&Person<'_>) -> Done + Send + 'static,
    ) {
        let moment = Arc::new(OnceLock::new());
        let kept = moment.clone();
        let note = move |world: &World| {
            if act(&world.person(login)).is_ok() {
                // It is planned once, so it cannot be set already.
                let _ = kept.set(world.now());
            }
        };
        self.world.faults(|faults| faults.before("PATCH", "R/issues/{n}", note));
        self.planned = Some(Planned { login, text, moment });
    }

    /// Whether something planned has not happened.
    pub(super) fn still_planned(&self) -> bool {
        self.planned.is_some()
    }

    fn show_planned(&mut self) -> anyhow::Result<()> {
        let happened = self.planned.as_ref().and_then(|planned| planned.moment.get().copied());
        if let Some((at, planned)) = happened.and_then(|at| Some((at, self.planned.take()?))) {
            self.screen.says(at, planned.login, Ink::Blue, &planned.text)?;
        }
        Ok(())
    }

    /// Someone sends a webhook that says what GitHub's would, signed with a guess.
    pub(super) async fn forge(&mut self, delivery: &Delivery) -> anyhow::Result<u16> {
        let status = send_webhook(&self.process.hook_url, b"a guess", delivery).await.map_err(anyhow::Error::msg)?;
        ensure!(status == 401, self.went_wrong(&format!("a forged webhook was answered with {status}")));
        self.webhooks.forged += 1;
        Ok(status)
    }

    /// Lets Wardroom work and time pass until nothing is due, and shows each look that did something.
    pub(super) async fn settle(&mut self) -> anyhow::Result<()> {
        let mut quiet = false;
        for _ in 0..MOST_LOOKS {
            self.deliver().await?;
            match self.process.engine.step().await? {
                Step::Worked(subject, ended) => {
                    let looked = (*ended).with_context(|| self.went_wrong("a look failed"))?;
                    self.show_planned()?;
                    if looked.steps.is_empty() && looked.notes.is_empty() {
                        quiet |= self.world.calls().len() > self.shown_calls;
                    } else {
                        self.show(&subject, &looked).await?;
                        quiet = false;
                    }
                }
                Step::Idle(Some(due)) => self.world.advance_to(due),
                Step::Idle(None) => {
                    if quiet {
                        let calls = Tally::of(&self.fresh_calls()).words();
                        let text = format!("looks once more: nothing to do; {calls}");
                        self.screen.says(self.world.now(), "Wardroom", Ink::Green, &text)?;
                    }
                    self.fresh_webhooks = 0;
                    return Ok(());
                }
            }
        }
        bail!(self.went_wrong("Wardroom never came to rest"))
    }

    /// The scheduled look at everything.
    pub(super) async fn sweep(&mut self) -> anyhow::Result<()> {
        let swept = self.process.engine.sweep(&[]).await.with_context(|| self.went_wrong("the sweep failed"))?;
        for subject in &swept.subjects {
            self.process.engine.store.wake(subject, self.world.now()).await?;
        }
        let calls = self.fresh_calls();
        let text = format!("sweeps: {} to look at", swept.subjects.len());
        self.screen.says(self.world.now(), "Wardroom", Ink::Green, &text)?;
        self.show_calls(&calls)?;
        self.settle().await
    }

    async fn show(&mut self, subject: &Subject, looked: &Looked) -> anyhow::Result<()> {
        let webhooks = match std::mem::take(&mut self.fresh_webhooks) {
            0 => String::new(),
            1 => " after 1 webhook".to_owned(),
            more => format!(" after {more} webhooks"),
        };
        let what = match subject {
            Subject::Report(report) => format!("report {}", report.key),
            Subject::Tracker(number) => format!("incident #{number}"),
        };
        let mut steps: Vec<String> = looked.steps.iter().map(|step| plain_step(step)).collect();
        steps.extend(looked.notes.iter().cloned());
        let text = format!("looks at {what}{webhooks}: {}", steps.join("; "));
        self.screen.says(self.world.now(), "Wardroom", Ink::Green, &text)?;
        if let Some(summary) = &looked.summary {
            let labels = self.world.labels_of(&self.tracker, summary.incident).join(", ");
            let stands = format!("{labels} · {}", summary.progress);
            if stands != self.stands {
                self.screen.more(Ink::Bold, &stands)?;
                self.stands = stands;
            }
        }
        let calls = self.fresh_calls();
        self.show_calls(&calls)?;
        Ok(self.screen.rest(Duration::from_millis(700)).await?)
    }

    fn fresh_calls(&mut self) -> Vec<CallRecord> {
        let calls = self.world.calls();
        let fresh = calls.get(self.shown_calls..).unwrap_or_default().to_vec();
        self.shown_calls = calls.len();
        fresh
    }

    /// The calls, alike ones as one, in the order of the first of each. A list that was shown before is named by its time.
    fn show_calls(&mut self, calls: &[CallRecord]) -> anyhow::Result<()> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut kinds: Vec<(String, usize)> = Vec::new();
        for call in calls {
            // Each stays on one line.
            let name = format!("{} {} {}", call.method, call.route, call.status).replace(' ', "\u{a0}");
            match kinds.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => kinds.push((name, 1)),
            }
        }
        let times = |(name, count): (String, usize)| if count > 1 { format!("{name}\u{a0}×{count}") } else { name };
        let list = kinds.into_iter().map(times).collect::<Vec<_>>().join(", ");
        let head = format!("{}, {} of {BUDGET} left", Tally::of(calls).words(), self.world.budget(BOT));
        let text = match self.lists.iter().find(|(known, _)| *known == list) {
            Some((_, at)) => format!("{head}: as {}", clock_time(*at)),
            None => {
                self.lists.push((list.clone(), self.world.now()));
                format!("{head}: {list}")
            }
        };
        Ok(self.screen.calls(&text)?)
    }

    /// Checks that the story went as it is told.
    pub(super) fn expect_labels(&self, number: u64, wanted: &[&str]) -> anyhow::Result<()> {
        let labels = self.world.labels_of(&self.tracker, number);
        ensure!(labels == wanted, self.went_wrong(&format!("the labels are {labels:?}, not {wanted:?}")));
        Ok(())
    }

    /// Checks that the story went as it is told.
    pub(super) fn expect(&self, fine: bool, otherwise: &str) -> anyhow::Result<()> {
        ensure!(fine, self.went_wrong(otherwise));
        Ok(())
    }

    /// The words of an error in the story.
    pub(super) fn went_wrong(&self, what: &str) -> String {
        format!(
            "the demo did not go as it is told, in the act “{}”: {what}. This is a bug of Wardroom; please report it",
            self.title
        )
    }

    /// What Wardroom said last on an issue besides its status comment, without the hidden marker.
    pub(super) fn said_last(&self, number: u64) -> String {
        let said = self.world.comments_of(&self.tracker, number).into_iter();
        let mut words =
            said.filter(|comment| comment.by == BOT && !comment.text.starts_with(crate::domain::status::HEAD));
        let last = words.next_back().map_or_else(String::new, |comment| comment.text);
        last.lines().filter(|line| !line.starts_with("<!--")).collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// The status comment's text.
    pub(super) fn status(&self, number: u64) -> String {
        let said = self.world.comments_of(&self.tracker, number).into_iter();
        let mut status =
            said.filter(|comment| comment.by == BOT && comment.text.starts_with(crate::domain::status::HEAD));
        status.next().map_or_else(String::new, |comment| comment.text)
    }
}

/// A step without the numbers that mean nothing to a reader.
pub(super) fn plain_step(step: &str) -> String {
    match step.strip_prefix("react to comment ").and_then(|rest| rest.split_once(" with ")) {
        Some((_, reaction)) => format!("react to the command with {reaction}"),
        None => step.replace("in 1 place(s)", "in one place").replace("place(s)", "places"),
    }
}
