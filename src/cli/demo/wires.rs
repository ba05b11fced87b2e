//! What both demos stand on: the simulated GitHub, Wardroom's client, and a Wardroom that listens for webhooks. All of it
//! speaks HTTP on 127.0.0.1.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::domain::checklist::template;
use crate::domain::facts::{RepoName, Role};
use crate::domain::policy::Policy;
use crate::engine::{Clock, Engine};
use crate::github::auth::Credentials;
use crate::github::{self, Config, GitHub, Reach};
use crate::server::webhook::{self, Receiver};
use crate::sim::http::{Served, serve};
use crate::sim::{CallRecord, Visibility, World};
use crate::store::memory::MemoryStore;

/// Wardroom's login.
pub(super) const BOT: &str = "wardroom[bot]";

/// An hour's calls (GitHub Docs, "Rate limits for the REST API").
pub(super) const BUDGET: u64 = 5000;

/// The secret that the simulated GitHub signs with. It guards nothing: both ends are this process.
pub(super) const SECRET: &str = "signs-the-demo-only";

/// What the simulated GitHub takes for the App's installation.
const TOKEN: &str = "token-wardroom";

const POLICY: &str = "
product:
  name: Windlass Mail
  community: the forum
roster: [alice, bob]
contacts:
  - role: Security lead
    reach: alice
";

/// The simulated GitHub, and what Wardroom is started with.
pub(super) struct Wires {
    pub(super) world: Arc<World>,
    pub(super) tracker: RepoName,
    pub(super) policy: Policy,
    github: Arc<dyn GitHub>,
    _served: Served,
}

/// A Wardroom that listens.
pub(super) struct Process {
    pub(super) engine: Arc<Engine>,
    /// Where it takes webhooks.
    pub(super) hook_url: String,
    /// Rings at every webhook.
    pub(super) bell: Arc<Notify>,
    _receiver: ServedReceiver,
}

/// The receiver's task; it ends with the value.
struct ServedReceiver(tokio::task::JoinHandle<()>);

impl Drop for ServedReceiver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Wires {
    /// A private repository; alice is its admin, bob writes, rita only reads.
    pub(super) async fn lay() -> anyhow::Result<Wires> {
        let world = Arc::new(World::new());
        let tracker: RepoName = "octo/security".parse().context("the demo's repository")?;
        world.add_repo(&tracker, Visibility::Private);
        for (login, role) in [("alice", Role::Admin), ("bob", Role::Write), ("rita", Role::Read)] {
            world.add_user(login);
            world.collaborator(&tracker, login, role);
        }
        let permissions = [("issues", "write"), ("metadata", "read"), ("contents", "read")];
        world.add_app("wardroom", std::slice::from_ref(&tracker), &permissions);
        let served =
            serve(world.clone()).await.context("no port of 127.0.0.1 could be opened for the simulated GitHub")?;
        let github = github::connect(&Config {
            api_url: served.url.clone(),
            graphql_url: None,
            credentials: Credentials::Token(SecretString::from(TOKEN.to_owned())),
            reach: Reach { repositories: vec![tracker.clone()], ..Reach::default() },
        })?;
        let policy = Policy::load(POLICY).context("the demo's policy")?;
        Ok(Wires { world, tracker, policy, github, _served: served })
    }

    /// Starts a Wardroom with an empty store. It listens; what is due is looked at by whoever calls its engine.
    pub(super) async fn start(&self, clock: Clock) -> anyhow::Result<Process> {
        let template = template::DEFAULT.to_owned();
        let store = Arc::new(MemoryStore::new());
        let (github, policy) = (self.github.clone(), self.policy.clone());
        let engine = Arc::new(Engine::new(github, store, policy, template, self.tracker.clone(), clock));
        let receiver =
            Receiver::new(engine.store.clone(), engine.clock.clone(), vec![SecretString::from(SECRET.to_owned())])?;
        let bell = receiver.arrived();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("no port of 127.0.0.1 could be opened for the webhooks")?;
        let hook_url = format!("http://{}/webhook", listener.local_addr()?);
        let served = ServedReceiver(tokio::spawn(async move {
            // It ends only when its task is dropped.
            let _ = axum::serve(listener, webhook::router(receiver)).await;
        }));
        Ok(Process { engine, hook_url, bell, _receiver: served })
    }
}

/// A clock that shows the simulated GitHub's time.
pub(super) fn clock_of(world: &Arc<World>) -> Clock {
    let world = world.clone();
    Arc::new(move || -> Timestamp { world.now() })
}

/// A count of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// `GET`.
    pub reads: usize,
    /// What changes something.
    pub writes: usize,
    /// GraphQL, which Wardroom only reads with.
    pub graphql: usize,
}

impl Tally {
    /// Counts calls.
    pub fn of<'c>(calls: impl IntoIterator<Item = &'c CallRecord>) -> Tally {
        let mut tally = Tally::default();
        for call in calls {
            match (call.route.as_str(), call.method.as_str()) {
                ("/graphql", _) => tally.graphql += 1,
                (_, "GET") => tally.reads += 1,
                _ => tally.writes += 1,
            }
        }
        tally
    }

    /// All of them.
    pub fn total(self) -> usize {
        self.reads + self.writes + self.graphql
    }

    /// `6 calls (4 reads, 2 writes)`.
    pub(super) fn words(self) -> String {
        let parts =
            [(self.reads, "read", "reads"), (self.writes, "write", "writes"), (self.graphql, "GraphQL", "GraphQL")];
        let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many })).collect();
        let calls = if self.total() == 1 { "call" } else { "calls" };
        format!("{} {calls} ({})", self.total(), parts.join(", "))
    }
}
