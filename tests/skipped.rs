//! Tests that this system cannot run are told of, and under `CI=true` there may be none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

/// What parts of tests are made for, and whether it is so here.
const MADE_FOR: [(&str, bool); 3] =
    [("test", cfg!(test)), ("unix", cfg!(unix)), ("target_os = \"linux\"", cfg!(target_os = "linux"))];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with(file!()) {
            found.push(path);
        }
    }
}

/// The conditions in a file, such as `unix`.
fn conditions(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let attributes = lines.filter_map(|line| line.strip_prefix("#![cfg(").or_else(|| line.strip_prefix("#[cfg(")));
    attributes.filter_map(|rest| rest.strip_suffix(")]")).collect()
}

#[test]
fn what_this_system_cannot_run_is_said() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    let (mut skipped, mut conditional) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for condition in conditions(&text) {
            let known = MADE_FOR.iter().find(|(name, _)| *name == condition);
            let (name, runs) = known.unwrap_or_else(|| panic!("{}: nobody is told of {condition}", file.display()));
            conditional += 1;
            if !runs {
                skipped.push(format!("{} needs {name}", file.display()));
            }
        }
    }
    assert!(conditional > 0, "nothing was found, so nothing was looked for");
    if !skipped.is_empty() {
        eprintln!("SKIPPED, in whole or in part:\n{}", skipped.join("\n"));
        assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "all tests must run here");
    }
}
