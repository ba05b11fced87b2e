//! The demo in the browser: the simulated GitHub goes by our clock, people act when someone presses a button, and
//! Wardroom works beside it as it would in production.

mod acts;
mod deeds;
mod show;
mod trial;
mod truth;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::wires::{BOT, Process, SECRET, Tally, Wires};
use crate::domain::incident::Subject;
use crate::engine::worker::Step;
use crate::engine::{Clock, Engine, LookError, Looked};
use crate::server::page::scene::{CallLine, Calls, Entry, Kind, Someone};
use crate::sim::http::send_webhook;
use crate::sim::{Delivery, World};
use deeds::Deed;
pub(super) use show::Shared;
use trial::Trials;

/// Another App, which edits issues as bots do.
pub(super) const OTHER_BOT: &str = "sync[bot]";

/// Entries of the log that are kept.
const LOG: usize = 150;

/// Deeds that are kept.
const DEEDS: usize = 1000;

/// The worker's longest sleep, and its wait after the store failed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

const CAST: [Someone; 4] = [
    Someone { login: "alice", role: "admin", may: "may do everything", writes: true, labels: true },
    Someone { login: "bob", role: "write", may: "may tick, edit, label and command", writes: true, labels: true },
    Someone {
        login: "rita",
        role: "read",
        may: "reports, reads and comments; no rights beyond that",
        writes: false,
        labels: false,
    },
    Someone {
        login: OTHER_BOT,
        role: "another App",
        may: "edits as bots do; its commands never count",
        writes: true,
        labels: true,
    },
];

/// The stage behind the page.
pub(super) struct Live {
    wires: Wires,
    time: Arc<Time>,
    /// The Wardroom that runs now.
    house: tokio::sync::Mutex<Option<House>>,
    /// One act at a time.
    turn: tokio::sync::Mutex<()>,
    told: Mutex<Told>,
    changed: watch::Sender<u64>,
}

/// A running Wardroom and the task that lets it look.
struct House {
    process: Process,
    worker: JoinHandle<()>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// What was done and seen so far.
#[derive(Default)]
struct Told {
    log: Vec<Entry>,
    entries: u64,
    calls: usize,
    deeds: Vec<Deed>,
    trials: Trials,
    lose_next: bool,
    down: bool,
    /// Why the next look waits, where the last one said so.
    waits: Option<(Timestamp, Wait)>,
}

/// Why a look waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// Reads may not show its own last write yet.
    Lag,
    /// A text is edited only after a while of quiet.
    Quiet,
    /// The last look failed.
    Failed,
}

/// GitHub's clock here: it begins where the simulated GitHub's does and goes as ours, and can be put forward.
struct Time {
    world: Arc<World>,
    from: Timestamp,
    began: Instant,
    skipped: Mutex<SignedDuration>,
}

impl Time {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        let skipped = *self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        // A moment beyond the end of time is none that a demo reaches.
        self.world.advance_to(self.from.saturating_add(passed + skipped).unwrap_or(self.from));
        self.world.now()
    }

    fn skip_to(&self, moment: Timestamp) {
        let ahead = moment.duration_since(self.now());
        if ahead.is_positive() {
            *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) += ahead;
        }
    }
}

impl Live {
    /// Sets everything up and starts Wardroom.
    pub(super) async fn start() -> anyhow::Result<Arc<Live>> {
        let wires = Wires::lay().await?;
        wires.world.add_app("sync", std::slice::from_ref(&wires.tracker), &[("issues", "write"), ("metadata", "read")]);
        wires.world.collaborator(&wires.tracker, OTHER_BOT, crate::domain::facts::Role::Write);
        let world = wires.world.clone();
        let from = world.now();
        let time = Arc::new(Time { world, from, began: Instant::now(), skipped: Mutex::default() });
        let live = Arc::new(Live {
            wires,
            time,
            house: tokio::sync::Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            told: Mutex::default(),
            changed: watch::Sender::new(1),
        });
        *live.house.lock().await = Some(live.clone().build().await?);
        Ok(live)
    }

    /// Starts a Wardroom with an empty store.
    async fn build(self: Arc<Self>) -> anyhow::Result<House> {
        let time = self.time.clone();
        let clock: Clock = Arc::new(move || time.now());
        let process = self.wires.start(clock).await?;
        let (engine, bell) = (process.engine.clone(), process.bell.clone());
        let worker = tokio::spawn(async move { self.work(&engine, &bell).await });
        Ok(House { process, worker })
    }

    fn world(&self) -> &World {
        &self.wires.world
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // A panic elsewhere leaves whole entries: nothing calls out while this is held.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the page that something changed.
    fn ring(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Looks at what is due, until the task is dropped.
    async fn work(&self, engine: &Engine, bell: &Notify) {
        loop {
            let sleep = match engine.step().await {
                Ok(Step::Worked(subject, ended)) => {
                    self.looked(engine, &subject, *ended).await;
                    self.deliver().await;
                    self.ring();
                    continue;
                }
                Ok(Step::Idle(due)) => due.map_or(LONGEST_SLEEP, |due| {
                    let wait = Duration::try_from(due.duration_since(self.time.now())).unwrap_or_default();
                    wait.clamp(Duration::from_millis(1), LONGEST_SLEEP)
                }),
                Err(error) => {
                    self.note("Wardroom", Kind::Failed, &error.to_string(), Vec::new());
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Takes the webhooks that GitHub has to send to the running Wardroom, or loses them, as was asked. Returns how many
    /// arrived.
    async fn deliver(&self) -> usize {
        let house = self.house.lock().await;
        let (mut lost, mut arrived, mut failed) = (Vec::new(), 0, 0);
        for delivery in self.world().take_deliveries() {
            if self.told().lose_next && !is_own(&delivery) {
                lost.push(name_of(&delivery));
                continue;
            }
            let Some(house) = house.as_ref() else { continue };
            match send_webhook(&house.process.hook_url, SECRET.as_bytes(), &delivery).await {
                Ok(202) => arrived += 1,
                _ => failed += 1,
            }
        }
        drop(house);
        if failed > 0 {
            self.note("GitHub", Kind::Failed, &format!("{failed} webhooks were not taken"), Vec::new());
        }
        if !lost.is_empty() {
            let now = self.time.now();
            let text = format!("lost a webhook: {}", lost.join(", "));
            self.note("GitHub", Kind::Fault, &text, Vec::new());
            let mut told = self.told();
            told.lose_next = false;
            told.trials.webhook_lost(now, &lost);
        }
        arrived
    }

    /// An entry of the log without calls.
    fn note(&self, who: &str, kind: Kind, text: &str, more: Vec<String>) {
        let at = self.time.now();
        self.told().enter(at, who, kind, text.to_owned(), more, Calls::default());
        self.ring();
    }

    /// The calls since the last time.
    fn fresh_calls(&self) -> (Calls, usize) {
        let calls = self.world().calls();
        self.world().clear_calls();
        let failed = calls.iter().filter(|call| call.status == 0 || call.status >= 500).count();
        if calls.is_empty() {
            return (Calls::default(), 0);
        }
        let lines = calls.iter().map(|call| CallLine {
            method: call.method.clone(),
            path: call.path.clone(),
            status: call.status,
        });
        self.told().calls += calls.len();
        (Calls { sum: Tally::of(&calls).words(), lines: lines.collect() }, failed)
    }

    /// Enters a look into the log, and sees what it means for what went wrong.
    async fn looked(&self, engine: &Engine, subject: &Subject, ended: Result<Looked, LookError>) {
        let (calls, failed) = self.fresh_calls();
        let at = self.time.now();
        let rows = engine.store.rows().await.unwrap_or_default();
        let due = rows.iter().find(|row| row.subject == *subject).and_then(|row| row.due);
        let (kind, text, more, wait) = described(subject, &ended);
        let again = ended.as_ref().is_ok_and(|looked| looked.unfinished);
        let read_after = again && read_history_after_its_write(&calls);
        {
            let mut told = self.told();
            told.waits = due.zip(wait);
            // A look that only waited for a moment to come is not worth a line.
            if kind != Kind::Looked || !calls.sum.is_empty() {
                let words = if calls.sum.is_empty() { text.clone() } else { format!("{text}; {}", calls.sum) };
                told.enter(at, "Wardroom", kind, text, more, calls);
                told.trials.looked(at, kind, &words, failed);
            }
            for deed in told.trials.happened(&self.truth(), read_after) {
                told.enter(deed.at, &deed.who, Kind::Person, deed.what.clone(), Vec::new(), Calls::default());
                told.keep(vec![deed]);
            }
            if ended.as_ref().is_ok_and(|looked| !looked.unfinished) {
                told.trials.seen(subject);
            }
        }
        self.judge(at, rows.iter().any(|row| row.attempts > 0));
    }

    /// Sees which of the things that went wrong are healed.
    fn judge(&self, now: Timestamp, failing: bool) {
        let truth = self.truth();
        let mut checks = truth.checks();
        checks.push(crate::server::page::scene::ActCheck { what: "no look is failing".to_owned(), holds: !failing });
        let mut told = self.told();
        let told = &mut *told;
        told.trials.judge(now, &told.deeds, &truth, &checks);
    }

    fn truth(&self) -> truth::Truth<'_> {
        truth::Truth { world: self.world(), repo: &self.wires.tracker, policy: &self.wires.policy }
    }
}

impl Told {
    fn enter(&mut self, at: Timestamp, who: &str, kind: Kind, text: String, more: Vec<String>, calls: Calls) {
        self.entries += 1;
        self.log.push(Entry { id: self.entries, at, who: who.to_owned(), kind, text, more, calls });
        if self.log.len() > LOG {
            self.log.remove(0);
        }
    }

    fn keep(&mut self, deeds: Vec<Deed>) {
        self.deeds.extend(deeds);
        // What happened in the middle of a look is told of after it.
        self.deeds.sort_by_key(|deed| deed.at);
        if self.deeds.len() > DEEDS {
            let extra = self.deeds.len() - DEEDS;
            self.deeds.drain(..extra);
        }
    }
}

/// Whether Wardroom itself did what a webhook tells of.
fn is_own(delivery: &Delivery) -> bool {
    delivery.payload.pointer("/sender/login").and_then(serde_json::Value::as_str) == Some(BOT)
}

/// Whether the edit history was read, with an answer, after the last write of a text.
fn read_history_after_its_write(calls: &Calls) -> bool {
    let is_write =
        |call: &CallLine| call.method == "PATCH" && call.path.contains("/issues/") && !call.path.contains("/comments/");
    let after = calls.lines.iter().rposition(is_write).map_or(&[][..], |at| &calls.lines[at + 1..]);
    after.iter().any(|call| call.path == "/graphql" && call.status == 200)
}

/// `issues edited`.
fn name_of(delivery: &Delivery) -> String {
    let action = delivery.payload.get("action").and_then(serde_json::Value::as_str).unwrap_or_default();
    format!("{} {action}", delivery.event)
}

/// A look in words: its kind, what it did, what is worth knowing, and why the next one waits.
fn described(subject: &Subject, ended: &Result<Looked, LookError>) -> (Kind, String, Vec<String>, Option<Wait>) {
    let what = match subject {
        Subject::Report(report) => format!("report {}", report.key),
        Subject::Tracker(number) => format!("incident #{number}"),
    };
    match ended {
        Ok(looked) => {
            let steps: Vec<String> = looked.steps.iter().map(|step| super::stage::plain_step(step)).collect();
            let wait = match (looked.unfinished, looked.wake_at) {
                (true, _) => Some(Wait::Lag),
                (false, Some(_)) => Some(Wait::Quiet),
                (false, None) => None,
            };
            let mut more = looked.notes.clone();
            if steps.is_empty() {
                let (kind, text) = match (looked.writes, wait) {
                    (1.., _) => (Kind::Wrote, format!("wrote into {what}, and looks again")),
                    (0, Some(Wait::Lag)) => (Kind::Looked, format!("looked at {what}, and looks again")),
                    (0, Some(_)) => (Kind::Looked, format!("looked at {what}: nothing to do yet")),
                    (0, None) => (Kind::Looked, format!("looked at {what}: nothing to do")),
                };
                return (kind, text, more, wait);
            }
            more.extend(looked.summary.as_ref().map(|summary| summary.progress.clone()));
            (Kind::Wrote, format!("looked at {what}: {}", steps.join("; ")), more, wait)
        }
        Err(error) => {
            let text = format!("could not look at {what} and tries again later");
            (Kind::Failed, text, vec![error.to_string()], Some(Wait::Failed))
        }
    }
}
