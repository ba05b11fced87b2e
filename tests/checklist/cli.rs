//! `wardroom checklist`, run as a person runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

const CHECKLIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/checklist.md");

fn wardroom(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops before it has read all closes the pipe; its exit code says what went wrong.
    let _closed = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn failed(arguments: &[&str], input: &[u8]) -> String {
    let output = wardroom(arguments, input);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    text(&output.stderr)
}

#[test]
fn the_shared_checklist_as_json_has_its_38_tasks_and_21_empty_fields() {
    let output = wardroom(&["checklist", CHECKLIST, "--format", "json"], b"");
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["totals"], serde_json::json!({ "tasks": 38, "done": 0, "not_applicable": 0 }));
    assert_eq!(json["phases"].as_array().unwrap().len(), 4);
    let mut groups: Vec<&str> =
        json["phases"][3]["tasks"].as_array().unwrap().iter().filter_map(|task| task["group"].as_str()).collect();
    groups.dedup();
    assert_eq!(groups.len(), 4);
    let fields = json["fields"].as_array().unwrap();
    assert_eq!((fields.len(), fields.iter().filter(|field| field["empty"] == true).count()), (21, 21));
    assert_eq!(json["empty_slots"], 5);
}

#[test]
fn the_json_keeps_its_keys() {
    let body = "\u{feff}- [ ] before\r\n\r\n## Phase 2 : Fix\r\n\r\n**Now:**\r\n\r\n1. [X] done <!-- wardroom:T7 -->\r\n   * [ ] ~~not ours~~ N/A: upstream\r\n\r\n- **CVSS Score**: `9.8`\r\n- **CVE ID** (if applicable): `CVE-YYYY-XXXXX`\r\n\r\n## More\r\n\r\n- **Note**: \"x\"\r\n- [ ] \r\n";
    let output = wardroom(&["checklist", "-", "--format", "json"], body.as_bytes());
    insta::assert_snapshot!(text(&output.stdout), @r#"
    {
      "phases": [
        {
          "number": null,
          "title": "",
          "state": "open",
          "tasks": [
            {
              "anchor": null,
              "text": "before",
              "group": null,
              "state": "open",
              "line": 1
            }
          ]
        },
        {
          "number": 2,
          "title": "Fix",
          "state": "done",
          "tasks": [
            {
              "anchor": "T7",
              "text": "done",
              "group": "Now",
              "state": "done",
              "line": 7
            },
            {
              "anchor": null,
              "text": "not ours",
              "group": "Now",
              "state": "not-applicable",
              "line": 8
            }
          ]
        }
      ],
      "fields": [
        {
          "phase": 2,
          "name": "CVSS Score",
          "value": "9.8",
          "empty": false,
          "line": 10
        },
        {
          "phase": 2,
          "name": "CVE ID",
          "value": "CVE-YYYY-XXXXX",
          "empty": true,
          "line": 11
        },
        {
          "phase": null,
          "name": "Note",
          "value": "\"x\"",
          "empty": false,
          "line": 15
        }
      ],
      "empty_slots": 1,
      "totals": {
        "tasks": 3,
        "done": 1,
        "not_applicable": 1
      }
    }
    "#);
}

#[test]
fn the_text_reads_well() {
    let body = "- [ ] before\n\n## Phase 2 : Fix\n\n- [ ] plain\n\n**Now:**\n\n- [X] done <!-- wardroom:T7 -->\n- [ ] ~~not ours~~ N/A: upstream\n- [ ] red \u{1b}[31mtext\n\n- **CVSS Score**: `9.8`\n- **Affects versions**:\n  - 0.14\n  - 0.15\n- **CVE ID**: `CVE-YYYY-XXXXX`\n\n## More\n\n- **Note**: x\n- [ ] \n";
    let output = wardroom(&["checklist", "-"], body.as_bytes());
    insta::assert_snapshot!(text(&output.stdout), @"
    Under no heading (0 of 1 done)
      [ ] before

    Phase 2: Fix (1 of 4 done, 1 not applicable)
      [ ] plain
      Now
        [x] done (T7)
        N/A not ours
        [ ] red �[31mtext
      CVSS Score: 9.8
      Affects versions: 0.14, 0.15
      CVE ID: (empty)

    Outside the phases
      Note: x

    Tasks: 1 of 5 done, 1 not applicable
    Fields: 3 of 4 filled
    Empty slots: 1
    ");
}

#[test]
fn input_that_is_no_checklist_is_an_error_that_says_what_to_do() {
    let errors = [
        failed(&["checklist", "no/such/file.md"], b""),
        failed(&["checklist", "-"], b"- [ ] a\n\xff"),
        failed(&["checklist", "-"], &vec![b'a'; 1024 * 1024 + 1]),
    ];
    insta::assert_snapshot!(errors.concat(), @"
    error: could not open no/such/file.md: No such file or directory (os error 2)
    error: standard input is not UTF-8 text: byte 8 (counted from 0) begins no character; save it as UTF-8
    error: standard input has more than 1048576 bytes; a checklist fits into an issue of 65,536 characters
    ");
    let directory = failed(&["checklist", env!("CARGO_MANIFEST_DIR")], b"");
    assert!(directory.starts_with("error: could not read "), "{directory}");
    assert_eq!(wardroom(&["checklist"], b"").status.code(), Some(2));
    assert_eq!(wardroom(&["checklist", "-", "--format", "xml"], b"").status.code(), Some(2));
    let nul = wardroom(&["checklist", "-"], b"- [x] a\0b\n");
    assert_eq!(nul.status.code(), Some(0));
    assert_eq!(wardroom(&["checklist", "-"], &vec![b'a'; 1024 * 1024]).status.code(), Some(0));
}

#[test]
fn the_example_of_the_help_runs() {
    let help = text(&wardroom(&["checklist", "--help"], b"").stdout);
    let example = help.lines().find_map(|line| line.trim().strip_prefix("printf ")).expect("an example");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_wardroom")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").args(["-c", &format!("printf {example}")]).env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Tasks: 1 of 1 done"));
}
