//! `wardroom check` through the binary: what a maintainer sees, and the exit code that a workflow sees.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A directory of files, as in a copy of the tracker's repository.
struct Repository(tempfile::TempDir);

impl Repository {
    fn with(files: &[(&str, &str)]) -> Self {
        let repository = Repository(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let path = repository.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Exit code, standard output and standard error of `wardroom check`, in one text.
    fn check(&self, arguments: &[&str]) -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_wardroom"))
            .arg("check")
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
        format!("exit {}\n{out}{err}", run.status.code().unwrap())
    }
}

const POLICY: &str = "\
mode: watch
tracker: octo-org/mail-security
reports: {repositories: [octo-org/mail-server], since: 2026-01-31}
advisories:
  repository: octo-org/mail-server
  packages: [{ecosystem: rust, name: ledger-mail}]
labels: {high: {name: 'sev: high', was: high}, low: minor}
phases: [{number: 1, label: triage}]
roster: [ada, grace]
roles: {close: admin, publish: [ada], approve: []}
zone: Europe/Madrid
";

#[test]
fn a_good_policy_is_told_in_a_few_lines() {
    let repository = Repository::with(&[(".github/wardroom.yml", POLICY)]);
    insta::assert_snapshot!(repository.check(&[]), @r#"
    exit 0
    .github/wardroom.yml: can be used
      mode        watch: Wardroom prints its plan and writes nothing
      tracker     octo-org/mail-security
      reports     octo-org/mail-server, labelled security-report, opened since 2026-01-31 00:00 UTC; at most 5 become incidents an hour
      advisories  octo-org/mail-server; packages ledger-mail
      labels      high is "sev: high" (renamed from "high"), low is "minor", phase 1 is "triage"
      roster      ada, grace
      roles       approve: nobody
      roles       close: at least admin
      roles       publish: only ada
      zone        Europe/Madrid
    "#);
    assert_eq!(repository.check(&["--policy", ".github/wardroom.yml"]), repository.check(&[]));
}

#[test]
fn an_empty_policy_is_one_of_defaults() {
    insta::assert_snapshot!(Repository::with(&[("p.yml", "")]).check(&["--policy", "p.yml"]), @"
    exit 0
    p.yml: can be used
      mode        on: Wardroom works
      tracker     the repository Wardroom runs for
      reports     the tracker's own issues, labelled security-report; at most 5 become incidents an hour
      advisories  none
      labels      the usual ones
      roster      nobody is assigned
      zone        UTC
    ");
}

#[test]
fn a_bad_policy_ends_with_two_and_names_every_place() {
    let repository = Repository::with(&[("p.yml", "mode: wach\nreports:\n  lable: x\nroster: ada\n")]);
    insta::assert_snapshot!(repository.check(&["--policy", "p.yml"]), @r#"
    exit 2
    error: the policy cannot be used as it is, 3 problems:
    p.yml:1:7: `mode` cannot be "wach": write `off`, `watch` or `on`
    p.yml:3:3: unknown key `lable` in `reports`; did you mean `label`?
    p.yml:4:9: `roster` wants a list, not a text; write `roster: [ada]`
    "#);
}

#[test]
fn what_is_no_policy_file_ends_with_two() {
    let repository = Repository::with(&[("p.yml", "mode: on\0"), ("long.yml", &" ".repeat(70_000))]);
    insta::assert_snapshot!(repository.check(&["--policy", "p.yml"]), @"
    exit 2
    error: the policy cannot be used as it is, one problem:
    p.yml:1:9: a NUL byte stands here; this is not a text file, or it was damaged
    ");
    insta::assert_snapshot!(repository.check(&["--policy", "long.yml"]), @"
    exit 2
    error: the policy cannot be used as it is, one problem:
    long.yml:1:1: the file has more than 65536 bytes (64 KiB), which is the most for a policy
    ");
    insta::assert_snapshot!(repository.check(&[]), @"
    exit 2
    error: there is no .github/wardroom.yml; name a policy with --policy FILE
    ");
    let missing = repository.check(&["--policy", "none.yml"]);
    assert!(missing.starts_with("exit 2\nerror: could not read the policy none.yml: "), "{missing}");
    let folder = repository.check(&["--policy", "."]);
    assert!(folder.starts_with("exit 2\nerror: could not read the policy .: "), "{folder}");
    assert!(repository.check(&["--polcy", "p.yml"]).starts_with("exit 2\n"));
}

#[test]
fn the_built_in_checklist_lacks_nothing() {
    let repository = Repository::with(&[("c.md", wardroom::domain::checklist::template::DEFAULT)]);
    insta::assert_snapshot!(repository.check(&["--checklist", "c.md"]), @"
    exit 0
    c.md: can be used
      4 phases, 38 tasks, 25 fields, 5 empty slots
      Phase 1: Initial Assessment & Validation: 6 tasks, phase/1-assessment
      Phase 2: Immediate Response & Mitigation: 7 tasks, phase/2-mitigation
      Phase 3: Impact Assessment & User Analysis: 6 tasks, phase/3-impact
      Phase 4: Communication & Release: 19 tasks, phase/4-release
    ");
}

#[test]
fn a_checklist_that_lacks_tasks_can_be_used_and_is_noted() {
    let checklist = "## Phase 1: Triage\n- [ ] Reproduce <!-- wardroom:T1 -->\n## Release it\n- [ ] Ship\n";
    let policy = format!("{POLICY}template: c.md\n");
    let repository = Repository::with(&[(".github/wardroom.yml", &policy), ("c.md", checklist)]);
    let said = repository.check(&[]);
    insta::assert_snapshot!(said.split_once("c.md").unwrap().1, @"
    : can be used
      2 phases, 2 tasks, 0 fields, 0 empty slots
      Phase 1: Triage: 1 task, triage
      Release it: 1 task, phase/2-release-it
      note: built-in tasks that are not in it: T2, T3, T4, T5, T6, T7, T8, T9 and 29 more
      note: built-in fields that are not in it, so that nothing is read from them: Severity Level, CVSS Score, Affects versions, Root cause, Introduced in commit/version, Attack vector, Estimated timeline for fix, Workaround available and 17 more
    ");
}

#[test]
fn a_bad_checklist_ends_with_two() {
    let policy = format!("{POLICY}template: gone.md\n");
    let long = "- [ ] task\n".repeat(7_000);
    let repository = Repository::with(&[
        (".github/wardroom.yml", &policy),
        ("p.yml", ""),
        ("value.md", "# {{ product.nam }}\n"),
        ("long.md", &long),
    ]);
    let with = |checklist| {
        let said = repository.check(&["--policy", "p.yml", "--checklist", checklist]);
        assert!(said.starts_with("exit 2\n"), "{said}");
        said.lines().last().unwrap().to_owned()
    };
    insta::assert_snapshot!(with("value.md"), @"error: value.md: line 1 of the checklist template: it names something that is not there; there are product.name, product.named, product.community, product.has_community, product.security_policy, product.private_reporting, contacts (each with role and reach)");
    insta::assert_snapshot!(with("long.md"), @"error: long.md: the checklist template has 77000 bytes and may have 65536; shorten it");
    insta::assert_snapshot!(with("none.md"), @"error: could not open none.md: No such file or directory (os error 2)");
    let gone = repository.check(&[]);
    insta::assert_snapshot!(gone.lines().last().unwrap(), @"error: the policy's template gone.md is not there");
    assert!(gone.starts_with("exit 2\n"));
}

#[test]
fn the_examples_of_the_help_run() {
    let help = Command::new(env!("CARGO_BIN_EXE_wardroom")).args(["check", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let repository = Repository::with(&[(".github/checklist.md", "## Phase 1: A\n- [ ] b\n")]);
    let binary = Path::new(env!("CARGO_BIN_EXE_wardroom")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(binary.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let examples: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Examples:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .collect();
    assert_eq!(examples.len(), 2, "{help}");
    for example in examples {
        let run = Command::new("sh")
            .args(["-c", example])
            .env("PATH", &path)
            .current_dir(repository.path())
            .output()
            .unwrap();
        assert!(run.status.success(), "{example}: {}", String::from_utf8_lossy(&run.stderr));
    }
}
