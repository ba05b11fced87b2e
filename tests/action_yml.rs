//! `action.yml` as a runner runs it: its steps by bash, with a runner's environment and files, a folder in place of the
//! release, and the simulated GitHub. The runner is a Linux one; what it runs is bash, so any Unix can play it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use support::workflow::{TOKEN, Workflow};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const TARGET: &str = "x86_64-unknown-linux-musl";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "author")]
    _author: String,
    #[serde(rename = "branding")]
    _branding: BTreeMap<String, String>,
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    description: String,
    required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    description: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(rename = "name")]
    _name: String,
    id: String,
    shell: String,
    env: BTreeMap<String, String>,
    run: String,
}

fn action() -> Action {
    serde_saphyr::from_str(&fs::read_to_string(Path::new(ROOT).join("action.yml")).unwrap()).unwrap()
}

/// A runner with this action's files, a release to download, and a workflow's environment.
struct Runner {
    workflow: Workflow,
    dir: tempfile::TempDir,
    inputs: BTreeMap<&'static str, String>,
    env: BTreeMap<&'static str, String>,
}

/// How the steps ended.
struct Ran {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
}

impl Runner {
    async fn new() -> Runner {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["action/action", "bin", "release", "tools", "temp"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::copy(Path::new(ROOT).join("action/get"), dir.path().join("action/action/get")).unwrap();
        let at = |folder: &str| dir.path().join(folder).display().to_string();
        // Answers from the release's folder, writes down what was asked for, and wants to be held to https.
        let curl = format!(
            "#!/bin/bash\n[[ \" $* \" == *' --proto =https '* ]] || exit 2\nfor last; do :; done\necho \"$last\" \
             >>'{0}/asked'\nwhile [ \"$1\" != --output ]; do shift; done\ncase \"$last\" in \
             https://github.com/octo/wardroom/releases/download/*) cp '{0}/release/'\"${{last##*/}}\" \"$2\" ;; *) exit 22 \
             ;; esac\n",
            dir.path().display()
        );
        program(&dir.path().join("bin/curl"), &curl);
        let env = BTreeMap::from([
            ("GITHUB_ACTION_PATH", at("action")),
            ("GITHUB_SERVER_URL", "https://github.test".to_owned()),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", "X64".to_owned()),
            ("RUNNER_TEMP", at("temp")),
            ("RUNNER_TOOL_CACHE", at("tools")),
            ("PATH", format!("{}:/usr/bin:/bin", at("bin"))),
        ]);
        let inputs = BTreeMap::from([("token", TOKEN.to_owned())]);
        let runner = Runner { workflow: Workflow::new().await, dir, inputs, env };
        let built = fs::read(env!("CARGO_BIN_EXE_wardroom")).unwrap();
        fs::write(runner.asset(), &built).unwrap();
        runner.release(&hex(&built));
        runner
    }

    fn asset(&self) -> PathBuf {
        self.dir.path().join(format!("release/wardroom-{TARGET}"))
    }

    fn release(&self, sum: &str) {
        let text = format!(
            "{{\n  \"version\": \"1.2.3\",\n  \"repository\": \"octo/wardroom\",\n  \"assets\": {{\n    \"{TARGET}\": \
             \"{sum}\"\n  }}\n}}\n"
        );
        fs::write(self.dir.path().join("action/action/release.json"), text).unwrap();
    }

    /// What was downloaded so far.
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.dir.path().join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    /// An expression of `action.yml`, as the runner evaluates it.
    fn value(&self, text: &str, steps: &BTreeMap<String, BTreeMap<String, String>>) -> String {
        let Some(name) = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
            assert!(!text.contains("${{"), "{text}");
            return text.to_owned();
        };
        let parts: Vec<&str> = name.split('.').collect();
        match parts[..] {
            ["inputs", input] => self.inputs.get(input).cloned().unwrap_or_default(),
            ["steps", step, "outputs", output] => {
                steps.get(step).and_then(|step| step.get(output)).cloned().unwrap_or_default()
            }
            ["github", "token"] => "token-of-the-job".to_owned(),
            _ => panic!("{name} is not known"),
        }
    }

    fn run(&self) -> Ran {
        let action = action();
        let mut steps = BTreeMap::new();
        let mut ran = Ran { code: 0, log: String::new(), outputs: BTreeMap::new() };
        for step in &action.runs.steps {
            let outputs = self.dir.path().join(format!("output-{}", step.id));
            let _ = fs::remove_file(&outputs);
            // As the runner starts `shell: bash` (GitHub Docs, "Workflow syntax", jobs.<job_id>.steps[*].shell).
            let script = self.dir.path().join("temp/step.sh");
            fs::write(&script, &step.run).unwrap();
            assert_eq!(step.shell, "bash");
            let ended = Command::new("bash")
                .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
                .arg(&script)
                .env_clear()
                .envs(self.workflow.env.iter().filter(|(name, _)| !name.starts_with("WARDROOM_")).cloned())
                .envs(&self.env)
                .envs(step.env.iter().map(|(name, value)| (name, self.value(value, &steps))))
                .env("GITHUB_OUTPUT", &outputs)
                .current_dir(self.dir.path())
                .output()
                .unwrap();
            ran.log.push_str(&String::from_utf8(ended.stdout).unwrap());
            ran.log.push_str(&String::from_utf8(ended.stderr).unwrap());
            ran.code = ended.status.code().unwrap();
            steps.insert(step.id.clone(), read_outputs(&fs::read_to_string(&outputs).unwrap_or_default()));
            if ran.code != 0 {
                break;
            }
        }
        ran.outputs =
            action.outputs.iter().map(|(name, output)| (name.clone(), self.value(&output.value, &steps))).collect();
        assert!(!ran.log.contains(TOKEN), "{}", ran.log);
        ran
    }

    /// A run that fails with one line of its own, before anything of the release was run.
    fn fails(&self) -> String {
        let ran = self.run();
        assert_eq!(ran.code, 1, "{}", ran.log);
        let errors: Vec<&str> =
            ran.log.lines().filter_map(|line| line.strip_prefix("::error title=Wardroom::")).collect();
        assert_eq!(errors.len(), 1, "{}", ran.log);
        assert!(self.workflow.room.incidents().is_empty());
        errors[0].to_owned()
    }
}

fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file of outputs: `name=value`, or `name<<END` with lines up to `END`.
fn read_outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, end)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        } else {
            let (name, value) = line.split_once('=').unwrap();
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    outputs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_labelled_report_becomes_an_incident_and_the_second_run_downloads_nothing() {
    let mut runner = Runner::new().await;
    runner.workflow.room.report("Overflow in the parser", "It crashes.");
    runner.workflow.newest_event();
    let ran = runner.run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    let incident = runner.workflow.room.incident();
    assert_eq!(ran.outputs["incident"], incident.to_string(), "{}", ran.log);
    assert_eq!(ran.outputs["phase"], "phase/1-assessment");
    assert_eq!(ran.outputs["changed"], "true");
    let asked = [format!("https://github.com/octo/wardroom/releases/download/bin-v1.2.3/wardroom-{TARGET}")];
    assert_eq!(runner.asked(), asked);
    assert!(ran.log.contains("Its attestation was not checked"), "{}", ran.log);

    let ran = runner.run();
    assert_eq!((ran.code, ran.outputs["changed"].as_str()), (0, "false"), "{}", ran.log);
    assert_eq!(runner.asked(), asked, "it was kept");

    // What is kept is trusted as little as what comes.
    let kept = runner.dir.path().join(format!("tools/wardroom/1.2.3/{TARGET}/wardroom"));
    program(&kept, "#!/bin/sh\ntouch was-run\n");
    let ran = runner.run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert!(!runner.dir.path().join("was-run").exists());
    assert_eq!(runner.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_have_its_sum_is_not_run() {
    let runner = Runner::new().await;
    program(&runner.asset(), "#!/bin/sh\ntouch was-run\n");
    let error = runner.fails();
    assert!(error.contains("has the SHA-256") && error.contains("It was not run."), "{error}");
    assert!(!runner.dir.path().join("was-run").exists());
    assert_eq!(fs::read_dir(runner.dir.path().join(format!("tools/wardroom/1.2.3/{TARGET}"))).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_asset_a_strange_runner_and_a_commit_without_a_release_fail_with_one_line() {
    let mut runner = Runner::new().await;
    fs::remove_file(runner.asset()).unwrap();
    let error = runner.fails();
    assert!(error.ends_with(
        "could not be fetched. Run the job again; if it fails again, see whether the release is still there."
    ));
    for (os, arch) in [("Linux", "ARM"), ("Windows", "ARM64"), ("", "")] {
        runner.env.insert("RUNNER_OS", os.to_owned());
        runner.env.insert("RUNNER_ARCH", arch.to_owned());
        assert!(runner.fails().starts_with(&format!("There is no Wardroom for a runner with {os} on {arch}.")));
    }
    runner.env.insert("RUNNER_OS", "macOS".to_owned());
    runner.env.insert("RUNNER_ARCH", "ARM64".to_owned());
    assert!(runner.fails().starts_with("Release 1.2.3 has no binary for aarch64-apple-darwin."));
    let none = "{\n  \"version\": \"\",\n  \"repository\": \"\",\n  \"assets\": {\n  }\n}\n";
    fs::write(runner.dir.path().join("action/action/release.json"), none).unwrap();
    assert!(runner.fails().starts_with("This commit of the action has no release."));
    assert_eq!(runner.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_gh_is_there_the_attestation_counts() {
    let mut runner = Runner::new().await;
    runner.env.insert("GITHUB_SERVER_URL", "https://github.com".to_owned());
    let gh = |code: u8| {
        format!(
            "#!/bin/bash\n[ \"$GH_TOKEN\" = token-of-the-job ] || exit 3\necho \"$1 $2 $4 $5\" >>verified\nexit {code}\n"
        )
    };
    program(&runner.dir.path().join("bin/gh"), &gh(1));
    let error = runner.fails();
    assert!(error.starts_with(&format!("wardroom-{TARGET} has no valid attestation of octo/wardroom.")), "{error}");
    program(&runner.dir.path().join("bin/gh"), &gh(0));
    runner.workflow.room.report("Overflow in the parser", "It crashes.");
    runner.workflow.newest_event();
    let ran = runner.run();
    assert_eq!((ran.code, ran.outputs["changed"].as_str()), (0, "true"), "{}", ran.log);
    let verified = fs::read_to_string(runner.dir.path().join("verified")).unwrap();
    assert_eq!(verified, "attestation verify --repo octo/wardroom\n".repeat(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_build_downloads_nothing() {
    let mut runner = Runner::new().await;
    runner.inputs.insert("binary", "no/such/file".to_owned());
    assert!(runner.fails().starts_with("The input \"binary\" names no file."));
    runner.inputs.insert("binary", env!("CARGO_BIN_EXE_wardroom").to_owned());
    runner.workflow.room.report("Overflow in the parser", "It crashes.");
    runner.workflow.newest_event();
    let ran = runner.run();
    assert_eq!((ran.code, ran.outputs["changed"].as_str()), (0, "true"), "{}", ran.log);
    assert_eq!(runner.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_it_says_which_inputs_to_set() {
    let mut runner = Runner::new().await;
    runner.inputs.remove("token");
    runner.workflow.room.report("Overflow in the parser", "It crashes.");
    runner.workflow.newest_event();
    let ran = runner.run();
    assert_ne!(ran.code, 0, "{}", ran.log);
    assert!(ran.log.contains("WARDROOM_TOKEN") && ran.log.lines().count() <= 3, "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_in_every_variable_runs_nothing() {
    const HOSTILE: &str = "\"; touch was-run; $(touch was-run) `touch was-run` '\n::set-output name=x::y\n#";
    let mut runner = Runner::new().await;
    let room = &runner.workflow.room;
    room.report(HOSTILE, HOSTILE);
    runner.workflow.newest_event();
    for name in ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "GITHUB_ACTOR", "GITHUB_WORKFLOW"] {
        runner.env.insert(name, HOSTILE.to_owned());
    }
    let ran = runner.run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(runner.workflow.room.incidents().len(), 1);
    assert!(!ran.log.contains("::set-output"), "{}", ran.log);
    let usual = runner.inputs.clone();
    for inputs in [&["tracker"][..], &["policy"], &["app-id"], &["app-id", "private-key"], &["binary"], &["token"]] {
        runner.inputs = usual.clone();
        if inputs.contains(&"app-id") {
            runner.inputs.remove("token");
            runner.inputs.insert("app-id", "1".to_owned());
        }
        runner.inputs.insert(inputs[inputs.len() - 1], HOSTILE.to_owned());
        let ran = runner.run();
        assert_ne!(ran.code, 0, "{inputs:?}: {}", ran.log);
    }
    assert!(!runner.dir.path().join("was-run").exists());
}

#[test]
fn nothing_of_a_workflow_stands_in_a_line_that_is_run() {
    let action = action();
    assert_eq!(action.runs.using, "composite");
    for step in &action.runs.steps {
        assert!(!step.run.contains("${{"), "{}", step.run);
    }
    assert!(action.inputs.values().all(|input| !input.required && input.description.ends_with('.')));
    assert!(action.outputs.values().all(|output| output.description.ends_with('.')));
}

/// `action/get` reads the file line by line, without a parser of JSON, which a runner may lack.
#[test]
fn the_committed_release_is_written_as_it_is_read() {
    let text = fs::read_to_string(Path::new(ROOT).join("action/release.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut pairs = vec![("version", &json["version"]), ("repository", &json["repository"])];
    pairs.extend(json["assets"].as_object().unwrap().iter().map(|(target, sum)| (target.as_str(), sum)));
    for (key, value) in pairs {
        let line = format!("\"{key}\": \"{}\"", value.as_str().unwrap());
        let lines = text.lines().filter(|found| found.trim().trim_end_matches(',') == line);
        assert_eq!(lines.count(), 1, "{line}");
    }
}
