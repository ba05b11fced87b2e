use proptest::prelude::*;

use super::*;
use crate::domain::facts::Role;
use crate::domain::policy::{COMMANDS, Policy, RoleSetting};

/// How a comment reads: nothing, the command, or the answer its author gets.
fn read_as(comment: &str) -> String {
    match parse(comment) {
        None => "no command".to_owned(),
        Some(Ok(command)) => format!("{command:?}"),
        Some(Err(error)) => error.to_string(),
    }
}

#[test]
fn every_command_is_understood() {
    let lines = [
        "/wardroom help",
        "/wardroom help na",
        "/wardroom",
        "/wardroom adopt",
        "/wardroom pause",
        "/wardroom resume",
        "/wardroom na T12 only the development branch",
        "/wardroom na \"Check if vulnerability\" there is no LTS",
        "/wardroom severity high",
        "/wardroom severity Moderate",
        "/wardroom cvss cvss:3.1/ac:l/av:n/pr:n/ui:n/s:u/c:h/i:n/a:n",
        "/wardroom close invalid",
        "/wardroom close invalid needs root",
        "/wardroom close duplicate #12",
        "/wardroom close duplicate of 12",
        "/wardroom close out-of-scope not our plugin",
        "/wardroom close out of scope: not our plugin",
        "/wardroom merge #7",
        "/wardroom merge into #7",
    ];
    let all: Vec<String> = lines.iter().map(|line| format!("{line}  ->  {}", read_as(line))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    /wardroom help  ->  Help
    /wardroom help na  ->  Help
    /wardroom  ->  Help
    /wardroom adopt  ->  Adopt
    /wardroom pause  ->  Pause
    /wardroom resume  ->  Resume
    /wardroom na T12 only the development branch  ->  NotApplicable { task: "T12", reason: "only the development branch" }
    /wardroom na "Check if vulnerability" there is no LTS  ->  NotApplicable { task: "Check if vulnerability", reason: "there is no LTS" }
    /wardroom severity high  ->  Severity(High)
    /wardroom severity Moderate  ->  Severity(Medium)
    /wardroom cvss cvss:3.1/ac:l/av:n/pr:n/ui:n/s:u/c:h/i:n/a:n  ->  Cvss("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N")
    /wardroom close invalid  ->  Close(Invalid { reason: None })
    /wardroom close invalid needs root  ->  Close(Invalid { reason: Some("needs root") })
    /wardroom close duplicate #12  ->  Close(Duplicate { of: 12 })
    /wardroom close duplicate of 12  ->  Close(Duplicate { of: 12 })
    /wardroom close out-of-scope not our plugin  ->  Close(OutOfScope { reason: "not our plugin" })
    /wardroom close out of scope: not our plugin  ->  Close(OutOfScope { reason: "not our plugin" })
    /wardroom merge #7  ->  Merge { into: 7 }
    /wardroom merge into #7  ->  Merge { into: 7 }
    "#);
}

#[test]
fn the_way_people_write_does_not_matter() {
    for comment in [
        "/wardroom pause",
        "/wardroom pause\n",
        "/wardroom pause\r\nWe wait for the vendor.\r\n",
        "/wardroom pause\rmore",
        "\u{FEFF}/wardroom pause",
        "/Wardroom PAUSE   \t",
        "/WARDROOM\tpause",
        "/wardroom\u{A0}pause\u{A0}",
        "/wardroom    pause\n/wardroom resume",
    ] {
        assert_eq!(parse(comment), Some(Ok(Command::Pause)), "{comment:?}");
    }
    let expected = Command::NotApplicable { task: "Reproduce the".into(), reason: "seen in production".into() };
    for comment in [
        "/wardroom na \"Reproduce the\" seen in production",
        "/wardroom NA “Reproduce the” seen in production",
        "/wardroom n/a „Reproduce the“: seen in production",
        "/wardroom na \"Reproduce the\"seen in production",
        "/wardroom na \" Reproduce the \"   —  seen in production ",
    ] {
        assert_eq!(parse(comment), Some(Ok(expected.clone())), "{comment:?}");
    }
    for comment in ["/wardroom na T12: no", "/wardroom na T12 - no", "/wardroom na   T12   no"] {
        let expected = Command::NotApplicable { task: "T12".into(), reason: "no".into() };
        assert_eq!(parse(comment), Some(Ok(expected)), "{comment:?}");
    }
}

#[test]
fn what_does_not_begin_with_the_word_is_no_command() {
    for comment in [
        "",
        "wardroom pause",
        " /wardroom pause",
        "\n/wardroom pause",
        "> /wardroom pause",
        "    /wardroom pause",
        "\t/wardroom pause",
        "```\n/wardroom pause\n```",
        "`/wardroom pause`",
        "- /wardroom pause",
        "/wardroompause",
        "/wardroom: pause",
        "/wardroom\u{200B} pause",
        "\u{200B}/wardroom pause",
        "/wardro",
        "//wardroom pause",
        "Please say /wardroom pause",
        "<!-- -->/wardroom pause",
    ] {
        assert_eq!(parse(comment), None, "{comment:?}");
    }
}

#[test]
fn an_unknown_word_gets_the_nearest_one_and_the_list() {
    insta::assert_snapshot!(read_as("/wardroom serverity high"), @"
    There is no command `serverity`. Did you mean `severity`? The commands are `help`, `adopt`, `pause`, `resume`, `na`, `severity`, `cvss`, `close`, `merge`, `draft`, `link`, `accept`, `reject`, `sync`, `cve set`, `cve request`, `publish`, `approve`; `/wardroom help` says what each does.

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom frobnicate @octocat"), @"
    There is no command `frobnicate`. The commands are `help`, `adopt`, `pause`, `resume`, `na`, `severity`, `cvss`, `close`, `merge`, `draft`, `link`, `accept`, `reject`, `sync`, `cve set`, `cve request`, `publish`, `approve`; `/wardroom help` says what each does.

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom @octocat"), @"
    There is no command `@octocat`. The commands are `help`, `adopt`, `pause`, `resume`, `na`, `severity`, `cvss`, `close`, `merge`, `draft`, `link`, `accept`, `reject`, `sync`, `cve set`, `cve request`, `publish`, `approve`; `/wardroom help` says what each does.

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    let guesses = ["paus", "puase", "reusme", "clsoe", "mereg", "hlep", "adop", "cvvs", "nna", "nope", "x"];
    let guesses: Vec<String> = guesses
        .iter()
        .map(|word| {
            let answer = read_as(&format!("/wardroom {word}"));
            let guess = answer.split("Did you mean `").nth(1).and_then(|rest| rest.split('`').next());
            format!("{word}: {}", guess.unwrap_or("-"))
        })
        .collect();
    insta::assert_snapshot!(guesses.join(", "), @"paus: pause, puase: pause, reusme: resume, clsoe: close, mereg: merge, hlep: help, adop: adopt, cvvs: cvss, nna: na, nope: -, x: -");
}

#[test]
fn a_command_of_a_later_version_says_so() {
    insta::assert_snapshot!(read_as("/wardroom told"), @"
    `told` is not available in this version of Wardroom. The commands are `help`, `adopt`, `pause`, `resume`, `na`, `severity`, `cvss`, `close`, `merge`, `draft`, `link`, `accept`, `reject`, `sync`, `cve set`, `cve request`, `publish`, `approve`; `/wardroom help` says what each does.

    Nothing was done.
    ");
    for command in COMMANDS {
        let word = command.word.split(' ').next().unwrap();
        let here = ALL.iter().any(|row| row.word.split(' ').next() == Some(word));
        let answer = parse(&format!("{PREFIX} {word}")).unwrap();
        let not_here = matches!(answer, Err(CommandError::NotHere { word: named }) if named == word);
        assert_eq!(not_here, !here, "{word}");
    }
}

#[test]
fn what_is_done_with_the_advisory_is_read_and_what_is_wrong_is_explained() {
    use crate::domain::advisory::drift::Part;
    let ghsa = || "GHSA-2c3f-4gh5-6jm7".parse().unwrap();
    let read = |text: &str| parse(&format!("{PREFIX} {text}")).unwrap();
    let sync = |text: &str| match read(text) {
        Ok(Command::Sync { from: Side::Issue, parts }) => parts,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(sync("sync to-advisory"), []);
    assert_eq!(sync("sync TO-ADVISORY vector cwe"), [Part::Vector, Part::Cwe]);
    assert_eq!(sync("sync to-advisory CVSS vector"), [Part::Vector]);
    assert_eq!(sync("sync to-advisory CVSS vector, Affects versions"), [Part::Vector, Part::Affected]);
    assert_eq!(read("sync from-advisory cve"), Ok(Command::Sync { from: Side::Advisory, parts: vec![Part::Cve] }));
    assert_eq!(read("cve set cve-2026-12345"), Ok(Command::CveSet("CVE-2026-12345".parse().unwrap())));
    assert_eq!(read("cve request `ghsa-2C3F-4gh5-6jm7`"), Ok(Command::CveRequest(ghsa())));
    assert_eq!(read("approve GHSA-2c3f-4gh5-6jm7"), Ok(Command::Approve(ghsa())));
    assert_eq!(read("publish GHSA-2c3f-4gh5-6jm7"), Ok(Command::Publish { ghsa: ghsa(), despite: None }));
    for dashes in ["--", "—", "–"] {
        let despite = Some("no credit is wanted".to_owned());
        let text = format!("publish GHSA-2c3f-4gh5-6jm7 {dashes}despite no credit is wanted");
        assert_eq!(read(&text), Ok(Command::Publish { ghsa: ghsa(), despite }));
    }
    let wrong = [
        "sync",
        "sync severity",
        "sync to-advisory colour",
        "cve",
        "cve ask",
        "cve set",
        "cve set 12",
        "cve request",
        "publish",
        "publish CVE-2026-12345",
        "publish GHSA-2c3f-4gh5-6jm7 now",
        "publish GHSA-2c3f-4gh5-6jm7 --despite",
        "approve GHSA-2c3f-4gh5-6jm7 GHSA-2222-2222-2222",
    ];
    let answers = wrong.map(|text| {
        let answer = read_as(&format!("{PREFIX} {text}"));
        format!("{text}: {}", answer.lines().next().unwrap_or_default())
    });
    insta::assert_snapshot!(answers.join("\n"), @"
    sync: Which side is right? Nothing was said.
    sync severity: `severity` does not say which side is right: write `to-advisory` or `from-advisory`.
    sync to-advisory colour: `colour` is no line of that table.
    cve: What about the CVE ID? Nothing was said.
    cve ask: `cve` does not know `ask`.
    cve set: Which CVE ID? None was said.
    cve set 12: `12` is not a CVE ID.
    cve request: Which advisory? Its id is missing.
    publish: Which advisory? Its id is missing.
    publish CVE-2026-12345: `CVE-2026-12345` is not an advisory's id.
    publish GHSA-2c3f-4gh5-6jm7 now: `now` was not understood.
    publish GHSA-2c3f-4gh5-6jm7 --despite: A reason is needed: why is it published although something stands against it?
    approve GHSA-2c3f-4gh5-6jm7 GHSA-2222-2222-2222: `GHSA-2c3f-4gh5-6jm7 GHSA-2222-2222-2222` is not an advisory's id.
    ");
    insta::assert_snapshot!(read_as("/wardroom cve"), @"
    What about the CVE ID? Nothing was said.

    - `/wardroom cve set CVE` writes down a CVE ID that came from elsewhere. For example `/wardroom cve set CVE-2026-12345`
    - `/wardroom cve request GHSA` asks GitHub for a CVE ID, once; it cannot be taken back. For example `/wardroom cve request GHSA-2c3f-4gh5-6jm7`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
}

#[test]
fn a_wrong_task_is_explained() {
    insta::assert_snapshot!(read_as("/wardroom na"), @r#"
    Which task, and why? Neither was said.

    - `/wardroom na TASK REASON` marks a task as not applicable; it then counts as settled, not as done. For example `/wardroom na T12 only the development branch has the flaw`
    - `/wardroom na "BEGINNING" REASON` the same, with the task named by the beginning of its text. For example `/wardroom na "Check if vulnerability affects LTS" there is no LTS version`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
    insta::assert_snapshot!(read_as("/wardroom na Reproduce the vulnerability we saw it live"), @r#"
    `Reproduce` is not a task's anchor (such as `T12`). To name a task by the beginning of its text, put quotation marks around that beginning, so that it can be told from the reason.

    - `/wardroom na TASK REASON` marks a task as not applicable; it then counts as settled, not as done. For example `/wardroom na T12 only the development branch has the flaw`
    - `/wardroom na "BEGINNING" REASON` the same, with the task named by the beginning of its text. For example `/wardroom na "Check if vulnerability affects LTS" there is no LTS version`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
    insta::assert_snapshot!(read_as("/wardroom na \"Reproduce the we saw it live"), @r#"
    The quotation mark before the task's text is never closed.

    - `/wardroom na TASK REASON` marks a task as not applicable; it then counts as settled, not as done. For example `/wardroom na T12 only the development branch has the flaw`
    - `/wardroom na "BEGINNING" REASON` the same, with the task named by the beginning of its text. For example `/wardroom na "Check if vulnerability affects LTS" there is no LTS version`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
    insta::assert_snapshot!(read_as("/wardroom na T12"), @r#"
    A reason is needed: why does `T12` not apply? Whoever reads this in a year will ask.

    - `/wardroom na TASK REASON` marks a task as not applicable; it then counts as settled, not as done. For example `/wardroom na T12 only the development branch has the flaw`
    - `/wardroom na "BEGINNING" REASON` the same, with the task named by the beginning of its text. For example `/wardroom na "Check if vulnerability affects LTS" there is no LTS version`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
    for comment in [
        "/wardroom na \"\" because",
        "/wardroom na \"…\" because",
        "/wardroom na \"Reproduce\"",
        "/wardroom na T12 \u{200B}",
        "/wardroom na T12 ...",
        "/wardroom na TASK because",
        "/wardroom na 12 because",
        "/wardroom na <!-- because",
    ] {
        assert!(matches!(parse(comment), Some(Err(CommandError::Wrong { word: "na", .. }))), "{comment:?}");
    }
}

#[test]
fn a_wrong_level_or_vector_is_explained() {
    insta::assert_snapshot!(read_as("/wardroom severity"), @"
    Which severity? None was said.

    - `/wardroom severity LEVEL` sets the severity: critical, high, medium or low. For example `/wardroom severity high`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom severity high I think"), @"
    `high I think` is not a severity.

    - `/wardroom severity LEVEL` sets the severity: critical, high, medium or low. For example `/wardroom severity high`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom severity none"), @"
    An incident has a severity. If there is no vulnerability, close it with `/wardroom close invalid`.

    - `/wardroom severity LEVEL` sets the severity: critical, high, medium or low. For example `/wardroom severity high`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom cvss"), @"
    Not understood: the CVSS vector is empty; a vector looks like CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H.

    - `/wardroom cvss VECTOR` sets the CVSS vector (3.1 or 4.0), and with it score and severity. For example `/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom cvss 7.5 @octocat").replace('\u{200B}', "<ZWSP>"), @r#"
    Not understood: "7.5 @<ZWSP>octocat" is not a CVSS vector: it must begin with CVSS:3.1/ or CVSS:4.0/.

    - `/wardroom cvss VECTOR` sets the CVSS vector (3.1 or 4.0), and with it score and severity. For example `/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
    insta::assert_snapshot!(read_as("/wardroom cvss CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"), @r#"
    Not understood: AV (attack vector) cannot be "X": it is one of N, A, L, P.

    - `/wardroom cvss VECTOR` sets the CVSS vector (3.1 or 4.0), and with it score and severity. For example `/wardroom cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    "#);
}

#[test]
fn a_wrong_way_to_close_is_explained() {
    insta::assert_snapshot!(read_as("/wardroom close"), @"
    Close it as what? Nothing was said.

    - `/wardroom close invalid [REASON]` closes the incident: there is no vulnerability. For example `/wardroom close invalid the crash needs root to begin with`
    - `/wardroom close duplicate #N` closes the incident: the one with tracking issue N is about the same. For example `/wardroom close duplicate #12`
    - `/wardroom close out-of-scope REASON` closes the incident: it is not this project's to mend. For example `/wardroom close out-of-scope the plugin is not ours`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom close wontfix"), @"
    An incident cannot be closed as `wontfix`.

    - `/wardroom close invalid [REASON]` closes the incident: there is no vulnerability. For example `/wardroom close invalid the crash needs root to begin with`
    - `/wardroom close duplicate #N` closes the incident: the one with tracking issue N is about the same. For example `/wardroom close duplicate #12`
    - `/wardroom close out-of-scope REASON` closes the incident: it is not this project's to mend. For example `/wardroom close out-of-scope the plugin is not ours`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom close out-of-scope"), @"
    A reason is needed: what puts it out of scope? The reporter will ask.

    - `/wardroom close invalid [REASON]` closes the incident: there is no vulnerability. For example `/wardroom close invalid the crash needs root to begin with`
    - `/wardroom close duplicate #N` closes the incident: the one with tracking issue N is about the same. For example `/wardroom close duplicate #12`
    - `/wardroom close out-of-scope REASON` closes the incident: it is not this project's to mend. For example `/wardroom close out-of-scope the plugin is not ours`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom close duplicate"), @"
    Which incident? Its number is missing: the number of its tracking issue.

    - `/wardroom close invalid [REASON]` closes the incident: there is no vulnerability. For example `/wardroom close invalid the crash needs root to begin with`
    - `/wardroom close duplicate #N` closes the incident: the one with tracking issue N is about the same. For example `/wardroom close duplicate #12`
    - `/wardroom close out-of-scope REASON` closes the incident: it is not this project's to mend. For example `/wardroom close out-of-scope the plugin is not ours`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    insta::assert_snapshot!(read_as("/wardroom merge #12 and #13"), @"
    `#12 and #13` is not the number of a tracking issue. Nothing may follow the number.

    - `/wardroom merge #N` closes the incident as part of the one with tracking issue N. For example `/wardroom merge #12`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    for comment in [
        "/wardroom merge",
        "/wardroom merge #0",
        "/wardroom merge #",
        "/wardroom merge ##2",
        "/wardroom merge +2",
        "/wardroom merge 99999999999999999999",
        "/wardroom merge #١٢",
        "/wardroom close duplicate the other one",
        "/wardroom close out of",
        "/wardroom close out of scope",
    ] {
        assert!(matches!(parse(comment), Some(Err(CommandError::Wrong { .. }))), "{comment:?}");
    }
}

#[test]
fn a_word_too_many_is_an_error() {
    insta::assert_snapshot!(read_as("/wardroom pause until monday"), @"
    `pause` stands alone: `until monday` was not understood. Write anything else on the lines below it.

    - `/wardroom pause` stops everything Wardroom writes here, except answers to commands

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
    for word in ["adopt", "resume"] {
        let answer = parse(&format!("/wardroom {word} please"));
        assert!(matches!(answer, Some(Err(CommandError::Wrong { .. }))), "{word}");
    }
}

#[test]
fn a_reason_has_an_end_and_stays_the_text_it_was() {
    let reason = "@octocat <!-- wardroom:T1 --> \u{202E}`x` [a](b) 漢字";
    let command = parse(&format!("/wardroom na T12 {reason}"));
    assert_eq!(command, Some(Ok(Command::NotApplicable { task: "T12".into(), reason: reason.into() })));
    let fits = "ä".repeat(MAX_REASON_CHARS);
    assert!(matches!(parse(&format!("/wardroom close out-of-scope {fits}")), Some(Ok(_))));
    insta::assert_snapshot!(read_as(&format!("/wardroom close invalid {fits}ä")), @"
    The reason has 201 characters; at most 200 fit into the record. Say it in a sentence, and the rest on the lines below it.

    - `/wardroom close invalid [REASON]` closes the incident: there is no vulnerability. For example `/wardroom close invalid the crash needs root to begin with`
    - `/wardroom close duplicate #N` closes the incident: the one with tracking issue N is about the same. For example `/wardroom close duplicate #12`
    - `/wardroom close out-of-scope REASON` closes the incident: it is not this project's to mend. For example `/wardroom close out-of-scope the plugin is not ours`

    Nothing was done. Write a new comment to try again: an edited one does not count.
    ");
}

#[test]
fn the_help_is_a_table_of_everything() {
    insta::assert_snapshot!(help_text(&Policy::default()), @r#"
    A command is the first line of a new comment on this issue. An edited comment does not count.

    | Command | What it does | Who may use it |
    | --- | --- | --- |
    | `/wardroom help` | shows this list | write access here |
    | `/wardroom adopt` | makes this issue, a checklist already in use, a tracking issue | write access here |
    | `/wardroom pause` | stops everything Wardroom writes here, except answers to commands | write access here |
    | `/wardroom resume` | ends a pause | write access here |
    | `/wardroom na TASK REASON` | marks a task as not applicable; it then counts as settled, not as done | write access here |
    | `/wardroom na "BEGINNING" REASON` | the same, with the task named by the beginning of its text | write access here |
    | `/wardroom severity LEVEL` | sets the severity: critical, high, medium or low | write access here |
    | `/wardroom cvss VECTOR` | sets the CVSS vector (3.1 or 4.0), and with it score and severity | write access here |
    | `/wardroom close invalid [REASON]` | closes the incident: there is no vulnerability | write access here |
    | `/wardroom close duplicate #N` | closes the incident: the one with tracking issue N is about the same | write access here |
    | `/wardroom close out-of-scope REASON` | closes the incident: it is not this project's to mend | write access here |
    | `/wardroom merge #N` | closes the incident as part of the one with tracking issue N | write access here |
    | `/wardroom draft` | makes a draft advisory from the fields; only the project's admins can see it | write access here |
    | `/wardroom link GHSA` | names the advisory, draft or private report that this is about | write access here |
    | `/wardroom accept GHSA` | makes a draft of the private report; it cannot be taken back | admin on the advisories' repository |
    | `/wardroom reject GHSA REASON` | closes the private report, or the draft, and publishes nothing; its reporter sees that | admin on the advisories' repository |
    | `/wardroom sync to-advisory [FIELD…]` | where fields and advisory differ, writes what the fields say into the advisory; without FIELD all lines | write access here |
    | `/wardroom sync from-advisory [FIELD…]` | where fields and advisory differ, writes what the advisory says into the fields; without FIELD all lines | write access here |
    | `/wardroom cve set CVE` | writes down a CVE ID that came from elsewhere | write access here |
    | `/wardroom cve request GHSA` | asks GitHub for a CVE ID, once; it cannot be taken back | admin on the advisories' repository |
    | `/wardroom publish GHSA [--despite REASON]` | makes the advisory public; it cannot be taken back, and it deletes the private fork | admin on the advisories' repository |
    | `/wardroom approve GHSA` | agrees, as a second person, to a `publish` of the last 30 minutes | admin on the advisories' repository |

    `TASK` is a task's anchor, such as `T12`: it stands beside the task in the status comment. `#N` is the number of a tracking issue. `FIELD` is a line of the status comment’s table of differences: a field’s name, or severity, affected, patched, vector, cwe, credits, cve or packages; several are parted by commas.
    "#);
}

#[test]
fn the_help_tells_what_the_policy_narrows() {
    let mut policy = Policy::default();
    policy.roles.insert("close".to_owned(), RoleSetting::AtLeast(Role::Admin));
    policy.roles.insert("merge".to_owned(), RoleSetting::Logins(vec!["ada".to_owned(), "bob".to_owned()]));
    policy.roles.insert("pause".to_owned(), RoleSetting::Logins(Vec::new()));
    let rows = help_text(&policy);
    let rows: Vec<&str> =
        rows.lines().filter(|row| ["close", "merge", "pause"].iter().any(|w| row.contains(w))).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    | `/wardroom pause` | stops everything Wardroom writes here, except answers to commands | nobody |
    | `/wardroom resume` | ends a pause | write access here |
    | `/wardroom close invalid [REASON]` | closes the incident: there is no vulnerability | admin here |
    | `/wardroom close duplicate #N` | closes the incident: the one with tracking issue N is about the same | admin here |
    | `/wardroom close out-of-scope REASON` | closes the incident: it is not this project's to mend | admin here |
    | `/wardroom merge #N` | closes the incident as part of the one with tracking issue N | `ada`, `bob`, with write access here |
    | `/wardroom reject GHSA REASON` | closes the private report, or the draft, and publishes nothing; its reporter sees that | admin on the advisories' repository |
    ");
}

#[test]
fn the_table_is_true() {
    for row in ALL {
        assert!(row.form.starts_with(row.word), "{}", row.form);
        assert!(COMMANDS.iter().any(|command| command.word == row.word), "{} has no role", row.word);
        let command = parse(&format!("{PREFIX} {}", row.example)).unwrap().unwrap();
        assert_eq!(command.word(), row.word, "{}", row.example);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_that_does_not_begin_with_the_word_is_a_command(comment in any::<String>()) {
        let begins = comment.trim_start_matches('\u{FEFF}').to_ascii_lowercase().starts_with(PREFIX);
        prop_assert!(begins || parse(&comment).is_none());
    }

    #[test]
    fn any_first_line_is_read_without_panic_and_answered_safely(
        word in prop::sample::select(vec!["na", "severity", "cvss", "close", "merge", "pause", "close duplicate", "na \"", "sync to-advisory", "cve set", "cve request", "publish", "publish GHSA-2c3f-4gh5-6jm7 --despite", "approve", ""]),
        rest in prop_oneof![any::<String>(), "[ #\"“@<>`|T0-9a-z:!-]{0,40}", ".{600,700}"],
    ) {
        let comment = format!("{PREFIX} {word} {rest}");
        let first_line = comment.split(['\n', '\r']).next().unwrap().to_owned();
        prop_assert_eq!(parse(&comment), parse(&first_line));
        if let Some(Err(error)) = parse(&comment) {
            let text = error.to_string();
            // Whatever was echoed is code or broken up: no mention, no marker, no flood.
            prop_assert!(!text.contains("<!--") && text.chars().count() < 2000, "{text}");
            for event in pulldown_cmark::Parser::new(&text) {
                if let pulldown_cmark::Event::Text(outside) = event {
                    let mentions = outside.split('@').skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
                    prop_assert!(!mentions, "{text}");
                }
            }
        }
    }
}
