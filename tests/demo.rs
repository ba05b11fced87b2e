//! The demo through the binary: it ends well, says what it is told to say, and keeps its secrets.
//!
//! Whatever changes a look's steps or calls changes the snapshot: `INSTA_UPDATE=always cargo test --test demo` writes it
//! anew, to be read before it is committed.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output, Stdio};

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    // No variable of the person who runs the tests reaches it, not even a proxy.
    command.env_clear().stdin(Stdio::null()).arg("demo");
    command
}

fn text(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_script_tells_the_whole_story() {
    let output = demo().arg("--script").output().unwrap();
    let told = text(&output);
    insta::assert_snapshot!("script", told);
    for line in [
        "incident, phase/1-assessment · 0 of 38 tasks settled",
        "incident, resolved, severity/critical · 38 of 38 tasks settled",
        "signed with a guess: refused with 401",
        "the second write put it back",
        "☒ Check if vulnerability affects LTS versions (if applicable) · N/A: there is no LTS branch yet",
        "│ - [x] this is not a task, only how I list things",
    ] {
        let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(line), "{line}");
    }
    for secret in ["token-", "signs-the-demo-only", "sha256=", "127.0.0.1:", "Bearer", "<!--", "\u{1b}"] {
        assert!(!told.contains(secret), "{secret} is shown");
    }
    let widest = told.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = demo().arg("--script").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[tokio::test]
async fn a_terminal_gets_colours_and_the_same_words() {
    let (mut plain, mut coloured) = (Vec::new(), Vec::new());
    wardroom::cli::demo::play(&mut plain, false, false).await.unwrap();
    wardroom::cli::demo::play(&mut coloured, true, false).await.unwrap();
    let mut coloured = String::from_utf8(coloured).unwrap();
    assert!(coloured.contains("\u{1b}[1m") && coloured.contains("\u{1b}[0m"));
    for code in ["0", "1", "2", "32", "36"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, String::from_utf8(plain).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn where_nothing_can_be_written_it_fails() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = demo().arg("--script").stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: No space left"));
}
