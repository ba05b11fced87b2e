//! npm packages that tests need, installed by the test that first needs them: GitHub's own descriptions of its API for
//! `tests/conformance`, and the judge of accessibility for `tests/browser`.
//!
//! Where npm is missing a test that needs them says so and is skipped; under `CI=true` it fails instead. The versions are
//! pinned by the `package-lock.json` of each folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the npm packages of `tests/conformance`, installed if it is not yet; `None` (said aloud) where npm is
/// missing.
pub(crate) fn packages() -> Option<PathBuf> {
    packages_of("tests/conformance")
}

/// The `node_modules` of a folder, installed if it is not yet; `None` (said aloud) where npm is missing.
pub(crate) fn packages_of(folder: &str) -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if let Err(error) = Command::new("npm").arg("--version").stdout(Stdio::null()).status() {
        missing(&format!("npm does not run ({error})"));
        return None;
    }
    let modules = home.join("node_modules");
    fs::create_dir_all(&modules).unwrap();
    // One at a time, also across test binaries. The lock lies outside `node_modules`, which npm empties.
    let lock_path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm.lock");
    let lock = File::create(&lock_path).unwrap();
    lock.lock().unwrap();
    let wanted = [fs::read(home.join("package-lock.json")).unwrap(), fs::read(home.join(".npmrc")).unwrap()].concat();
    let stamp = modules.join(".wardroom-installed");
    if fs::read(&stamp).is_ok_and(|found| found == wanted) {
        return Some(modules);
    }
    let output = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&home).output().unwrap();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("npm ci failed in {folder}. Are the package registries within reach?\n{said}");
    }
    fs::write(&stamp, wanted).unwrap();
    Some(modules)
}

/// Runs a script of `tests/conformance` with node, feeds it `input` and returns whether it succeeded and what it said.
pub(crate) fn node(script: &str, input: &str) -> Option<(bool, String)> {
    packages()?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let started = Command::new("node")
        .arg(script)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            missing(&format!("node does not run ({error})"));
            return None;
        }
    };
    // A script reads all of its input before it writes, so one pipe after the other cannot block.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

/// Says that a test is skipped; under `CI=true` fails it.
fn missing(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}, and CI=true demands these tests");
    // Not `eprintln!`, which the test harness keeps to itself where a test passes.
    let text =
        format!("skipped: {why}; the npm packages that this test needs are not at hand. Install Node.js with npm.\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}
