//! A server in a process of its own whose clock is only counted: the receiver, the SQLite store, the worker with its rounds
//! and the client are the real ones, and weeks pass in seconds. GitHub is the simulated one, over HTTP, in the test's
//! process, and goes by the same clock.
//!
//! The time of the child's runtime stands still and jumps to the next thing that is waited for when nothing is left to do.
//! While it waits for the disk or the network it goes like any other ([`Hold`]).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use wardroom::domain::checklist::template;
use wardroom::domain::incident::Subject;
use wardroom::domain::observed::Edit;
use wardroom::domain::policy::Policy;
use wardroom::engine::{Clock, Engine};
use wardroom::github::auth::{Auth, Credentials};
use wardroom::github::octo::{Address, OctoTransport};
use wardroom::github::pace::{Budget, Paced};
use wardroom::github::rest::{Identity, Rest};
use wardroom::github::transport::{Request, Response, Transport, TransportError};
use wardroom::github::{GitHub, Reach};
use wardroom::server::listen::listen;
use wardroom::server::metrics::Metrics;
use wardroom::server::rounds::Rounds;
use wardroom::server::run_worker;
use wardroom::server::webhook::{self, Receiver};
use wardroom::sim::http::{Served, send_webhook, serve};
use wardroom::sim::{CallRecord, Delivery, World};
use wardroom::store::sqlite::SqliteStore;
use wardroom::store::{Asked, Delivery as Received, Finished, Lease, Result, Row, Store, Taken, Told};

use super::canaries::{self, SECRET};
use super::room::Room;
use super::town::TOKEN;

/// The child's name in its binary: `--exact` finds it.
pub(crate) const CHILD: &str = "a_server_whose_clock_is_counted";

/// Under this name the child finds what it is to do, one thing a line.
const SETTINGS: &str = "WARDROOM_TEST_COUNTED";

/// The test's side: the world, and the child, if it runs.
pub(crate) struct Counted {
    pub(crate) room: Room,
    pub(crate) world: Arc<World>,
    dir: tempfile::TempDir,
    served: Served,
    clock: String,
    child: Option<Running>,
}

struct Running {
    process: Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
    url: String,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            canaries::none_in(&[("TOKEN".to_owned(), TOKEN.to_owned())], "the log", &self.log());
        }
    }
}

impl Counted {
    pub(crate) async fn new() -> Counted {
        let room = Room::new();
        let world = room.world.clone();
        canaries::introduce(&world, &room.tracker);
        let served = serve(world.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let clock = listener.local_addr().unwrap().to_string();
        let follows = world.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|child| follow(child, &follows)));
        let mut counted = Counted { room, world, dir: tempfile::tempdir().unwrap(), served, clock, child: None };
        counted.start();
        counted
    }

    /// A new process on the same database.
    pub(crate) fn start(&mut self) {
        self.kill();
        let settings = [
            self.served.url.clone(),
            self.clock.clone(),
            self.dir.path().join("wardroom.db").display().to_string(),
            self.world.now().to_string(),
        ];
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", CHILD, "--nocapture"])
            .env(SETTINGS, settings.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let asks = process.stdin.take().unwrap();
        let tells = BufReader::new(process.stdout.take().unwrap());
        let mut child = Running { process, asks, tells, url: String::new() };
        child.url = child.hear("webhooks ");
        self.child = Some(child);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _dead_already = child.process.kill();
            let _dead_already = child.process.wait();
        }
    }

    fn running(&mut self) -> &mut Running {
        self.child.as_mut().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Sends a delivery; returns the answer.
    pub(crate) async fn send(&mut self, delivery: &Delivery) -> u16 {
        send_webhook(&self.running().url, SECRET.as_bytes(), delivery).await.unwrap_or(0)
    }

    /// Lets so much time pass, for the world as for the server.
    pub(crate) async fn pass(&mut self, time: SignedDuration) {
        let until = self.world.now() + time;
        let mut child = self.child.take().unwrap();
        // Elsewhere, so that the world can answer meanwhile.
        let passed = tokio::task::spawn_blocking(move || {
            writeln!(child.asks, "{until}").unwrap();
            child.hear("passed ");
            child
        });
        self.child = Some(passed.await.unwrap());
        self.world.advance_to(until);
    }

    /// The server's memory in use, in bytes.
    pub(crate) fn memory(&mut self) -> usize {
        let id = self.running().process.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// The calls since it was asked last.
    pub(crate) fn new_calls(&self) -> Vec<CallRecord> {
        let calls = self.world.calls();
        self.world.clear_calls();
        calls
    }
}

impl Running {
    /// The rest of the next line that begins so.
    fn hear(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.tells.read_line(&mut line).unwrap() > 0, "the server has died");
            // The harness's own words may stand before it.
            if let Some((_, rest)) = line.split_once(beginning) {
                return rest.trim().to_owned();
            }
        }
    }
}

/// Sets the world's clock by what the child tells, until it dies.
fn follow(mut child: TcpStream, world: &World) {
    let mut micros = [0; 8];
    while child.read_exact(&mut micros).is_ok() {
        world.advance_to(Timestamp::from_microsecond(i64::from_be_bytes(micros)).unwrap());
        if child.write_all(&[1]).is_err() {
            return;
        }
    }
}

/// How much waits for something outside.
static HOLDS: AtomicUsize = AtomicUsize::new(0);

/// While one of them lives the clock goes like any other, and does not jump.
struct Hold;

impl Hold {
    fn new() -> Hold {
        if HOLDS.fetch_add(1, Ordering::SeqCst) == 0 {
            tokio::time::resume();
        }
        Hold
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if HOLDS.fetch_sub(1, Ordering::SeqCst) == 1 {
            tokio::time::pause();
        }
    }
}

/// Work that waits for something outside. The child has one thread, so nothing comes between the count and the clock.
async fn held<T>(work: impl Future<Output = T>) -> T {
    let _hold = Hold::new();
    work.await
}

/// The child. Not a test: it does nothing unless a test started it.
pub(crate) fn child() {
    let Ok(settings) = std::env::var(SETTINGS) else {
        eprintln!("nothing to serve: {SETTINGS} is not set");
        return;
    };
    let [github, clock, database, start] = settings.lines().collect::<Vec<_>>()[..] else { panic!("{settings}") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
    runtime.block_on(run(github, clock, Path::new(database), start.parse().unwrap()));
}

async fn run(github: &str, clock_at: &str, database: &Path, start: Timestamp) {
    let began = tokio::time::Instant::now();
    let clock: Clock = Arc::new(move || start + SignedDuration::try_from(began.elapsed()).unwrap());
    let store: Arc<dyn Store> = Arc::new(Held(SqliteStore::open(database).unwrap()));
    let (metrics, budget): (Arc<Metrics>, Arc<Budget>) = (Arc::default(), Arc::default());
    let address = Address::new(github, None).unwrap();
    let token = Credentials::Token(SecretString::from(TOKEN.to_owned()));
    let auth = Auth::new(&token, &address, Reach::default()).unwrap();
    let world = Mutex::new(TcpStream::connect(clock_at).unwrap());
    world.lock().unwrap().set_nodelay(true).unwrap();
    let transport = Timed { inner: OctoTransport::new(address, auth), clock: clock.clone(), world };
    let paced = Paced::new(transport, metrics.clone(), budget.clone());
    let github: Arc<dyn GitHub> = Arc::new(Rest::new(paced, Identity::Token));
    let tracker = "octo/security".parse().unwrap();
    let policy = Policy { roster: vec!["alice".into(), "bob".into()], ..Policy::default() };
    let engine = Engine::new(github, store.clone(), policy, template::DEFAULT.to_owned(), tracker, clock.clone());
    let secrets = vec![SecretString::from(SECRET.to_owned())];
    let receiver = Receiver::new(store, clock, secrets).unwrap().with_metrics(metrics.clone());
    let arrived = receiver.arrived();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("webhooks http://{}/webhook", listener.local_addr().unwrap());
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(listen(listener, webhook::router(receiver), stopped.clone()));
    tokio::spawn(async move { run_worker(&engine, &arrived, &metrics, Rounds::new(budget), stopped).await });
    // While the next line is read the clock stands still, and deliveries come in.
    while let Some(until) = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await.unwrap() {
        let until: Timestamp = until.unwrap().parse().unwrap();
        let at = began + std::time::Duration::try_from(until.duration_since(start)).unwrap();
        tokio::time::sleep_until(at).await;
        println!("passed {until}");
    }
}

/// The client's transport. The world learns the time of each call before it.
struct Timed {
    inner: OctoTransport,
    clock: Clock,
    world: Mutex<TcpStream>,
}

#[async_trait]
impl Transport for Timed {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        {
            let mut world = self.world.lock().unwrap();
            world.write_all(&(self.clock)().as_microsecond().to_be_bytes()).unwrap();
            world.read_exact(&mut [0]).unwrap();
        }
        held(self.inner.send(request)).await
    }

    fn base(&self) -> &str {
        self.inner.base()
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// The store, which holds the clock while it works.
struct Held(SqliteStore);

#[async_trait]
impl Store for Held {
    async fn keep(&self, delivery: Received) -> Result<bool> {
        held(self.0.keep(delivery)).await
    }

    async fn waiting(&self) -> Result<Vec<Received>> {
        held(self.0.waiting()).await
    }

    async fn take_in(&self, taken: Vec<Taken>) -> Result<()> {
        held(self.0.take_in(taken)).await
    }

    async fn receive(&self, delivery: Received, asked: Asked) -> Result<bool> {
        held(self.0.receive(delivery, asked)).await
    }

    async fn wake(&self, subject: &Subject, at: Timestamp) -> Result<()> {
        held(self.0.wake(subject, at)).await
    }

    async fn retry_refused(&self, at: Timestamp) -> Result<()> {
        held(self.0.retry_refused(at)).await
    }

    async fn claim(&self, now: Timestamp) -> Result<Option<Lease>> {
        held(self.0.claim(now)).await
    }

    async fn finish(&self, lease: &Lease, outcome: Finished, told: Told) -> Result<()> {
        held(self.0.finish(lease, outcome, told)).await
    }

    async fn extend(&self, lease: &Lease, now: Timestamp) -> Result<bool> {
        held(self.0.extend(lease, now)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        held(self.0.next_due()).await
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        held(self.0.rows()).await
    }

    async fn edits(&self, tracker: u64) -> Result<Vec<Edit>> {
        held(self.0.edits(tracker)).await
    }

    async fn get(&self, key: &str, now: Timestamp) -> Result<Option<String>> {
        held(self.0.get(key, now)).await
    }

    async fn put(&self, key: &str, value: &str, until: Timestamp) -> Result<()> {
        held(self.0.put(key, value, until)).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        held(self.0.forget(key)).await
    }

    async fn missing(&self, guids: &[String]) -> Result<Vec<String>> {
        held(self.0.missing(guids)).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool> {
        held(self.0.tidy(now)).await
    }
}
