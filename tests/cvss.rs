//! Whether a CVE ID is wanted, judged by a second implementation of CVSS on a few thousand vectors that are not kept.
//!
//! It is the Python package `cvss`, installed by the test that needs it. Where Python or the package index is missing the
//! test says so and is skipped; under `CI=true` it fails instead.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use wardroom::domain::advisory::Known;
use wardroom::domain::advisory::cve::{Decision, decide};
use wardroom::domain::checklist::Checklist;
use wardroom::domain::cvss::{Score, Severity};
use wardroom::domain::decisions::Decisions;
use wardroom::domain::findings::Findings;
use wardroom::domain::policy::Policy;

/// Another seed than the one of the kept sample, so that other vectors are judged.
const SEED: &str = "5";
/// So many times the kept sample's 860.
const TIMES: &str = "5";

/// Says that the test is skipped; under `CI=true` fails it.
fn missing(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}, and CI=true demands this test");
    // Not `eprintln!`, which the test harness keeps to itself where a test passes.
    let text =
        format!("skipped: {why}; the second implementation of CVSS is not at hand. Install Python 3 with venv.\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A Python that has the package; why not, otherwise.
fn python(data: &Path) -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cvss-venv");
    let lock = File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if run(Command::new(&python).args(["-c", "import cvss"])).is_ok() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let requirements = data.join("requirements.txt");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--require-hashes", "--disable-pip-version-check", "-r"])
        .arg(requirements))?;
    Ok(python)
}

#[test]
fn the_decision_about_a_cve_is_the_one_that_a_second_implementation_makes() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cvss");
    let python = match python(&data) {
        Ok(python) => python,
        Err(why) => return missing(&format!("Python’s package cvss cannot be installed ({})", why.trim())),
    };
    let said = run(Command::new(python).arg(data.join("generate.py")).args([SEED, TIMES])).unwrap();
    let policy = Policy::default();
    let mut decided = [0, 0];
    for line in String::from_utf8(said.stdout).unwrap().lines() {
        let [vector, score, severity] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}")
        };
        let checklist = Checklist::parse(&format!("- **CVSS vector**: `{vector}`\n"));
        let found = Findings::of(&checklist, &Decisions::default(), &BTreeSet::new());
        assert_eq!(found.contradictions, Vec::<String>::new(), "{vector}");
        assert_eq!(found.severity, Some(severity.parse::<Severity>().unwrap()), "{vector}");
        let wanted = score.parse::<f64>().unwrap() >= 4.0;
        let score: Score = score.parse().unwrap();
        let expected = if wanted { Decision::Wanted(score) } else { Decision::NotNeeded(score) };
        assert_eq!(decide(&Known::of(&checklist, &found), None, &policy), expected, "{vector}");
        decided[usize::from(wanted)] += 1;
    }
    assert_eq!(decided.iter().sum::<usize>(), 4300);
    assert!(decided.iter().all(|count| *count > 100), "both answers come often: {decided:?}");
}
