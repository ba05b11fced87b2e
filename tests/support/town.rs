//! A real `wardroom serve` on a real database, and the simulated GitHub over HTTP whose clock goes as ours.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use wardroom::domain::facts::RepoName;
use wardroom::sim::http::{Served, send_webhook, serve};
use wardroom::sim::{Delivery, World};
use wardroom::store::Row;
use wardroom::store::sqlite::operator::Operator;

pub(crate) use super::canaries::SECRET;
use super::canaries::{self, Canaries};
use super::room::Room;

pub(crate) const TOKEN: &str = "token-wardroom";

/// The world, its GitHub on a socket, and a folder for the database and the log.
pub(crate) struct Town {
    pub(crate) room: Room,
    pub(crate) world: Arc<World>,
    pub(crate) tracker: RepoName,
    pub(crate) dir: tempfile::TempDir,
    /// The program and what comes before its own arguments.
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    _served: Served,
    ticker: tokio::task::JoinHandle<()>,
}

impl Drop for Town {
    fn drop(&mut self) {
        self.ticker.abort();
        if !std::thread::panicking() {
            assert_eq!(self.leaks(), Vec::<String>::new(), "the log tells what is private");
        }
    }
}

/// A running `serve`. It dies with the value. Whatever it answers is searched for canaries.
pub(crate) struct Server {
    /// Shared, so that the simulated GitHub can kill it in the middle of a call.
    pub(crate) child: Arc<Mutex<Child>>,
    pub(crate) url: String,
    pub(crate) admin: String,
    env: Vec<(String, String)>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Town {
    pub(crate) async fn new() -> Town {
        let room = Room::new();
        let (world, tracker) = (room.world.clone(), room.tracker.clone());
        canaries::introduce(&world, &tracker);
        let served = serve(world.clone()).await.unwrap();
        let ticking = world.clone();
        let ticker = tokio::spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let now = Instant::now();
                ticking.advance(SignedDuration::try_from(now - last).unwrap());
                last = now;
            }
        });
        let env = vec![
            ("GITHUB_API_URL".to_owned(), served.url.clone()),
            ("WARDROOM_TRACKER".to_owned(), tracker.to_string()),
            ("WARDROOM_TOKEN".to_owned(), TOKEN.to_owned()),
            ("WARDROOM_WEBHOOK_SECRET".to_owned(), format!("an older secret\n{SECRET}")),
            ("WARDROOM_LOG".to_owned(), "wardroom=debug,info".to_owned()),
        ];
        let command = vec![env!("CARGO_BIN_EXE_wardroom").to_owned()];
        Town { room, world, tracker, dir: tempfile::tempdir().unwrap(), command, env, _served: served, ticker }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("wardroom.db")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self) -> Server {
        let mut command = self.command();
        self.arguments(&mut command);
        self.start_as(command)
    }

    pub(crate) fn arguments(&self, command: &mut Command) {
        let database = format!("sqlite:{}", self.database().display());
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log", "json"]);
        command.args(["--database", &database]);
    }

    pub(crate) fn start_as(&self, mut command: Command) -> Server {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut after = |words: &str| {
            lines.by_ref().find_map(|line| Some(line.ok()?.split_once(words)?.1.to_owned())).unwrap_or_default()
        };
        let url = after("receiving webhooks on ");
        let admin = after("health and metrics on ");
        // A process that was killed at once has told neither.
        Server { child: Arc::new(Mutex::new(child)), url, admin, env: self.env.clone() }
    }

    /// A report full of canaries, and its label. Returns the report's number.
    pub(crate) fn report(&self) -> u64 {
        canaries::report(&self.world, &self.tracker)
    }

    /// What the log tells that is private.
    pub(crate) fn leaks(&self) -> Vec<String> {
        Canaries::of(&self.env).found(&self.log())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Sends what waits; returns what was not taken.
    pub(crate) async fn deliver(&self, server: &Server) -> Vec<Delivery> {
        let mut failed = Vec::new();
        for delivery in self.world.take_deliveries() {
            if send_webhook(&server.url, SECRET.as_bytes(), &delivery).await != Ok(202) {
                failed.push(delivery);
            }
        }
        failed
    }

    pub(crate) fn operator(&self) -> Operator {
        Operator::read(&self.database()).unwrap()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.operator().rows().unwrap()
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < end, "{what} never comes about:\n{}\n{:?}", self.log(), self.rows());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Server {
    /// SIGKILL, and its end.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _dead_already = child.kill();
        let _dead_already = child.wait();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_some()
    }

    /// SIGTERM, and how it ended, within 25 s.
    pub(crate) async fn stop(&self) -> ExitStatus {
        for path in ["/readyz", "/metrics", "/nothing"] {
            self.ask(path).await;
        }
        let id = self.child.lock().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let end = Instant::now() + Duration::from_secs(25);
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// GET on the operator's port: status and text.
    pub(crate) async fn ask(&self, path: &str) -> (u16, String) {
        let answer = get(&format!("{}{path}", self.admin)).await;
        let (status, text) = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        canaries::none_in(&self.env, path, &text);
        (status, text)
    }
}

pub(crate) async fn get(url: &str) -> Result<(u16, String), String> {
    use http_body_util::BodyExt;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    let client: Client<_, http_body_util::Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.get(url.parse().unwrap()).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
