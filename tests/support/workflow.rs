//! A machine that runs a workflow: the binary with a hand-made environment, and the simulated GitHub over HTTP beside it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use wardroom::sim::http::{Served, serve};

use super::room::Room;

pub(crate) const TOKEN: &str = "token-wardroom";

/// A workflow's machine: its files, its environment, and GitHub beside it.
pub(crate) struct Workflow {
    pub(crate) room: Room,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) env: Vec<(&'static str, String)>,
    _served: Served,
}

/// How a run ended, with all that it left to read.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: String,
    pub(crate) summary: String,
}

impl Ran {
    pub(crate) fn all(&self) -> String {
        let Ran { code, stdout, stderr, outputs, summary } = self;
        format!("exit {code}\n--- stdout\n{stdout}--- stderr\n{stderr}--- outputs\n{outputs}--- summary\n{summary}")
    }

    /// The value of an output, as a runner reads it.
    pub(crate) fn output(&self, name: &str) -> String {
        let mut lines = self.outputs.lines();
        let end =
            lines.find_map(|line| line.strip_prefix(&format!("{name}<<"))).unwrap_or_else(|| panic!("{}", self.all()));
        lines.take_while(|line| *line != end).collect::<Vec<_>>().join("\n")
    }
}

impl Workflow {
    /// In the private tracker `octo/security`.
    pub(crate) async fn new() -> Self {
        let room = Room::new();
        let served = serve(room.world.clone()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let env = vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", served.url.clone()),
            ("GITHUB_GRAPHQL_URL", format!("{}/graphql", served.url)),
            ("GITHUB_REPOSITORY", "octo/security".to_owned()),
            ("GITHUB_OUTPUT", dir.path().join("output").display().to_string()),
            ("GITHUB_STEP_SUMMARY", dir.path().join("summary").display().to_string()),
            ("WARDROOM_TOKEN", TOKEN.to_owned()),
        ];
        Workflow { room, dir, env, _served: served }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| *known != name);
    }

    pub(crate) fn policy(&self, text: &str) {
        self.room.world.file(&self.room.tracker, ".github/wardroom.yml", text);
    }

    /// The event that a run is about.
    pub(crate) fn event(&mut self, name: &str, payload: impl AsRef<[u8]>) {
        let path = self.dir.path().join("event.json");
        fs::write(&path, payload).unwrap();
        self.set("GITHUB_EVENT_NAME", name);
        self.set("GITHUB_EVENT_PATH", &path.display().to_string());
    }

    /// The newest webhook that happened, as the event.
    pub(crate) fn newest_event(&mut self) {
        let newest = self.room.world.take_deliveries().pop().unwrap();
        self.event(&newest.event.clone(), newest.payload.to_string());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        for name in ["output", "summary"] {
            let _ = fs::remove_file(self.dir.path().join(name));
        }
        let mut process = Command::new(env!("CARGO_BIN_EXE_wardroom"))
            .args(arguments)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A process that refuses its arguments closes its input early.
        let _ = process.stdin.take().unwrap().write_all(input);
        let output = process.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            outputs: fs::read_to_string(self.dir.path().join("output")).unwrap_or_default(),
            summary: fs::read_to_string(self.dir.path().join("summary")).unwrap_or_default(),
        };
        assert!(!ran.all().contains(TOKEN), "the token was printed\n{}", ran.all());
        ran
    }

    pub(crate) fn untouched(&self, ran: &Ran) {
        assert_eq!(self.room.writes(), [], "{}", ran.all());
    }

    /// From now on GitHub's clock shows our time and goes as ours, as it does.
    pub(crate) fn ticking(&self) -> tokio::task::JoinHandle<()> {
        let world = self.room.world.clone();
        world.advance_to(jiff::Timestamp::now());
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                tick.tick().await;
                world.advance_to(jiff::Timestamp::now());
            }
        })
    }
}
