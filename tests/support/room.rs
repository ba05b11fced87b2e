//! A team at work: the simulated GitHub, Wardroom beside it, and people who act. Tests speak in users' verbs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use wardroom::domain::facts::{Issue, RepoName, Role};
use wardroom::domain::incident::Subject;
use wardroom::domain::policy::Policy;
use wardroom::engine::worker::Step;
use wardroom::engine::{Engine, Guards, Looked, intake};
use wardroom::github::GitHub;
use wardroom::github::rest::{Identity, Rest};
use wardroom::sim::{CallRecord, Delivery, Person, SimTransport, Visibility, World};
use wardroom::store::memory::MemoryStore;
use wardroom::store::{Delivery as Received, Store};

pub(crate) const TEMPLATE: &str = include_str!("../../templates/checklist.md");

/// The bot's login.
pub(crate) const BOT: &str = "wardroom[bot]";

pub(crate) struct Room {
    pub(crate) world: Arc<World>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) engine: Engine,
    pub(crate) tracker: RepoName,
    policy: Policy,
    guards: Guards,
    /// The login that Wardroom acts as.
    bot: String,
    /// Looks that failed, in words.
    pub(crate) failures: Vec<String>,
    /// Whether a crash takes the store with it.
    pub(crate) crash_loses_store: bool,
}

pub(crate) fn repo(name: &str) -> RepoName {
    name.parse().unwrap()
}

impl Room {
    /// One private repository, `octo/security`, with reports and tracking issues; alice is its admin, bob writes, tina
    /// triages, rita only reads and reports.
    pub(crate) fn new() -> Self {
        Self::with_policy(Policy { roster: vec!["alice".into(), "bob".into()], ..Policy::default() })
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        let world = Arc::new(World::new());
        for login in ["alice", "bob", "tina", "rita", "mallory"] {
            world.add_user(login);
        }
        let tracker = repo("octo/security");
        let public = repo("octo/mail");
        world.add_repo(&tracker, Visibility::Private);
        world.add_repo(&public, Visibility::Public);
        world.add_repo(&repo("octo/private-reports"), Visibility::Private);
        for name in ["octo/security", "octo/mail", "octo/private-reports"] {
            for (login, role) in
                [("alice", Role::Admin), ("bob", Role::Write), ("tina", Role::Triage), ("rita", Role::Read)]
            {
                world.collaborator(&repo(name), login, role);
            }
        }
        let reached = [tracker.clone(), public, repo("octo/private-reports")];
        world.add_app(
            "wardroom",
            &reached,
            &[("issues", "write"), ("metadata", "read"), ("contents", "read"), ("repository_advisories", "write")],
        );
        let store = Arc::new(MemoryStore::new());
        let guards = Guards::default();
        let engine = make_engine(&world, &store, &policy, &tracker, guards, BOT);
        Room {
            bot: BOT.to_owned(),
            world,
            store,
            engine,
            tracker,
            policy,
            guards,
            failures: Vec::new(),
            crash_loses_store: false,
        }
    }

    pub(crate) fn with_guards(guards: Guards) -> Self {
        Self::new().guarded(guards)
    }

    /// Some safeguards are off from now on.
    pub(crate) fn guarded(mut self, guards: Guards) -> Self {
        self.guards = guards;
        self.restart();
        self
    }

    /// A server that only looks like GitHub: no Apps, so Wardroom acts with a person's token; no GraphQL, no roles.
    pub(crate) fn on_a_lesser_server() -> Self {
        let mut room = Self::new();
        room.world.add_user("warden");
        room.world.collaborator(&room.tracker, "warden", Role::Admin);
        room.world.without_graphql();
        room.world.without_roles();
        room.bot = "warden".to_owned();
        room.restart();
        room
    }

    /// Wardroom acts with a person's own token.
    pub(crate) fn with_the_token_of(login: &str) -> Self {
        let mut room = Self::new();
        room.bot = login.to_owned();
        room.restart();
        room
    }

    /// The team names a place for its advisories.
    pub(crate) fn with_advisories_in(&mut self, name: &str) {
        self.policy.advisories.repository = Some(repo(name));
        self.restart();
    }

    /// A new process with the same store.
    pub(crate) fn restart(&mut self) {
        self.world.restart();
        self.engine = make_engine(&self.world, &self.store, &self.policy, &self.tracker, self.guards, &self.bot);
    }

    /// A new process with an empty store.
    pub(crate) fn lose_store(&mut self) {
        self.store = Arc::new(MemoryStore::new());
        self.restart();
    }

    pub(crate) fn as_(&self, login: &str) -> Person<'_> {
        self.world.person(login)
    }

    /// rita files a report and alice labels it. Returns the report's number.
    pub(crate) fn report(&self, title: &str, body: &str) -> u64 {
        let number = self.as_("rita").open_issue(&self.tracker, title, body, &[]).unwrap();
        self.as_("alice").label(&self.tracker, number, "security-report").unwrap();
        number
    }

    /// Takes what webhooks wait.
    pub(crate) async fn receive(&mut self) {
        for delivery in self.world.take_deliveries() {
            self.receive_one(&delivery).await;
        }
    }

    pub(crate) async fn receive_one(&self, delivery: &Delivery) {
        let now = self.world.now();
        let me = self.engine.me().await.ok().cloned();
        let asked = intake::intake(&delivery.event, &delivery.payload, &self.policy, &self.tracker, me.as_ref(), now);
        let received = Received {
            guid: delivery.guid.clone(),
            event: delivery.event.clone(),
            at: now,
            body: serde_json::to_vec(&delivery.payload).unwrap(),
        };
        self.store.receive(received, asked.unwrap_or_default()).await.unwrap();
    }

    /// One step of the worker, with the webhooks of before it. `None` when nothing is due for good.
    pub(crate) async fn step(&mut self) -> Option<Result<Looked, String>> {
        if self.world.crashed() {
            if self.crash_loses_store { self.lose_store() } else { self.restart() }
        }
        self.receive().await;
        match self.engine.step().await.unwrap() {
            Step::Worked(subject, ended) => Some(match *ended {
                Ok(looked) => Ok(looked),
                Err(error) => {
                    self.failures.push(format!("{subject}: {error}"));
                    Err(error.to_string())
                }
            }),
            Step::Idle(Some(due)) => {
                self.world.advance_to(due);
                Some(Ok(Looked::default()))
            }
            Step::Idle(None) => None,
        }
    }

    /// Lets Wardroom work and time pass until nothing is due.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..400 {
            if self.step().await.is_none() {
                return;
            }
        }
        panic!("it never settles; the last calls:\n{}", self.call_log(30));
    }

    /// A sweep, and everything it finds.
    pub(crate) async fn sweep(&mut self) {
        if self.world.crashed() {
            if self.crash_loses_store { self.lose_store() } else { self.restart() }
        }
        match self.engine.sweep(&[]).await {
            Ok(swept) => {
                for subject in &swept.subjects {
                    self.store.wake(subject, self.world.now()).await.unwrap();
                }
                if swept.looked.unfinished {
                    self.settle().await;
                    self.wait(60);
                    return Box::pin(self.sweep()).await;
                }
            }
            Err(error) => self.failures.push(format!("sweep: {error}")),
        }
        self.settle().await;
    }

    /// Sweeps after faults have ended until nothing is written any more: within a few rounds, and then never again.
    pub(crate) async fn heal(&mut self) {
        self.world.faults(wardroom::sim::Faults::clear);
        for _ in 0..6 {
            let before = self.writes().len();
            self.sweep().await;
            if self.writes().len() == before {
                return;
            }
        }
        panic!("it never comes to rest; the last calls:\n{}", self.call_log(40));
    }

    /// What matters of the end, without the times that waiting changes.
    pub(crate) fn outcome(&self) -> String {
        let mut text = String::new();
        for issue in self.incidents() {
            let number = issue.number;
            let status = self.status(number);
            let head = status.split("### Who did what").next().unwrap_or_default();
            text.push_str(&format!(
                "#{number} {:?} {:?} labels {:?}\nbody {}\n{}\n",
                issue.state,
                issue.state_reason,
                self.labels(number),
                wardroom::domain::memory::short_digest(&without_times(&self.body(number))),
                without_times(head),
            ));
            let mut acts: Vec<String> = status
                .lines()
                .filter(|line| line.starts_with("| ") && line.contains(" | `"))
                .map(|line| {
                    line.split(" | ").nth(1).unwrap_or_default().to_owned()
                        + line.rsplit(" | ").next().unwrap_or_default()
                })
                .collect();
            acts.sort();
            text.push_str(&without_times(&acts.join("\n")));
            // Which number a comment got depends on what failed before it.
            let unnumbered = |text: String| match text.split_once("<!-- wardroom:reply ") {
                Some((_, rest)) => rest.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned(),
                None => text,
            };
            let mut said: Vec<String> = self.said(&self.tracker, number).into_iter().map(unnumbered).collect();
            said.sort();
            text.push_str(&without_times(&said.join("\n")));
            let mut marks: Vec<String> = self
                .world
                .comments_of(&self.tracker, number)
                .into_iter()
                .filter(|comment| comment.by != self.bot)
                .map(|comment| format!("{} {:?}", comment.text, comment.reactions))
                .collect();
            marks.sort();
            text.push_str(&marks.join("\n"));
        }
        text.push_str(&format!("{} advisories\n", self.world.advisories_of(&repo("octo/mail")).len()));
        for name in ["octo/security", "octo/mail", "octo/private-reports"] {
            for issue in self.world.issues_of(&repo(name)) {
                if issue.user.as_ref().is_some_and(|user| user.login != self.bot) {
                    text.push_str(&format!("{name}#{} {:?}\n", issue.number, self.said(&repo(name), issue.number)));
                }
            }
        }
        text
    }

    pub(crate) async fn look(&self, number: u64) -> Looked {
        self.engine.look(&Subject::Tracker(number), 0).await.unwrap()
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.world.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// The tracking issues, by number.
    pub(crate) fn incidents(&self) -> Vec<Issue> {
        let bot = |issue: &Issue| issue.user.as_ref().is_some_and(|user| user.login == self.bot);
        self.world.issues_of(&self.tracker).into_iter().filter(bot).collect()
    }

    /// The only open tracking issue.
    pub(crate) fn incident(&self) -> u64 {
        let open: Vec<u64> =
            self.incidents().iter().filter(|issue| issue.is_open()).map(|issue| issue.number).collect();
        assert_eq!(open.len(), 1, "open tracking issues: {open:?}\n{}", self.call_log(30));
        open[0]
    }

    pub(crate) fn labels(&self, number: u64) -> Vec<String> {
        self.world.labels_of(&self.tracker, number)
    }

    pub(crate) fn body(&self, number: u64) -> String {
        self.world.body(&self.tracker, number)
    }

    /// The visible part of the status comment.
    pub(crate) fn status(&self, number: u64) -> String {
        let said = self.world.comments_of(&self.tracker, number);
        let found: Vec<_> =
            said.iter().filter(|c| c.by == self.bot && c.text.starts_with("<!-- wardroom:status")).collect();
        assert!(found.len() <= 1, "{} status comments", found.len());
        let text = found.first().map_or("", |comment| comment.text.as_str());
        text[..text.find("<!-- wardroom:memory").unwrap_or(text.len())].to_owned()
    }

    /// What the bot said on an issue besides the status comment.
    pub(crate) fn said(&self, on: &RepoName, number: u64) -> Vec<String> {
        let said = self.world.comments_of(on, number).into_iter();
        said.filter(|c| c.by == self.bot && !c.text.starts_with("<!-- wardroom:status")).map(|c| c.text).collect()
    }

    /// The bot's writes.
    pub(crate) fn writes(&self) -> Vec<CallRecord> {
        let write = |call: &CallRecord| call.who == self.bot && call.method != "GET" && call.route != "/graphql";
        self.world.calls().into_iter().filter(write).collect()
    }

    pub(crate) fn call_log(&self, last: usize) -> String {
        let calls = self.world.calls();
        let from = calls.len().saturating_sub(last);
        let line = |call: &CallRecord| {
            format!("{:>4} {} {:>3} {} {} {}\n", call.seq, call.at, call.status, call.who, call.method, call.path)
        };
        let failures: String = self.failures.iter().map(|failure| format!("failed: {failure}\n")).collect();
        calls[from..].iter().map(line).collect::<String>() + &failures
    }
}

fn make_engine(
    world: &Arc<World>,
    store: &Arc<MemoryStore>,
    policy: &Policy,
    tracker: &RepoName,
    guards: Guards,
    bot: &str,
) -> Engine {
    let client: Arc<dyn GitHub> = Arc::new(Rest::new(
        SimTransport::new(world.clone(), &format!("token-{}", bot.trim_end_matches("[bot]"))),
        Identity::Token,
    ));
    let clock_world = world.clone();
    let clock = Arc::new(move || clock_world.now());
    let store: Arc<dyn Store> = store.clone();
    let mut engine = Engine::new(client, store, policy.clone(), TEMPLATE.to_owned(), tracker.clone(), clock);
    engine.guards = guards;
    engine
}

/// A text with every time of day and advisory's id replaced, to compare what else it says: which id is given depends on
/// what was made before.
fn without_times(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("GHSA-") {
        let end = (at + 19).min(rest.len());
        let id = rest.get(at..end).filter(|id| id.parse::<wardroom::domain::advisory::Ghsa>().is_ok());
        plain.push_str(&rest[..at]);
        plain.push_str(if id.is_some() { "GHSA-ID" } else { "GHSA-" });
        rest = &rest[if id.is_some() { end } else { at + 5 }..];
    }
    plain.push_str(rest);
    let mut out = String::new();
    let mut rest = plain.as_str();
    while let Some(at) = rest.find("2026-03-0") {
        out.push_str(&rest[..at]);
        out.push_str("TIME");
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit() || "-: TZ".contains(c));
        rest = rest.strip_prefix("UTC").unwrap_or(rest);
    }
    out + rest
}
