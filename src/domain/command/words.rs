//! The table of commands, and the answers made from it.

use super::{ECHO_CHARS, PREFIX};
use crate::domain::facts::Role;
use crate::domain::fence;
use crate::domain::policy::{COMMANDS, Place, Policy, Rule};

/// One way to write a command. A word with several ways has several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The word.
    pub word: &'static str,
    /// What follows `/wardroom`: capitals stand for what a person fills in, brackets for what may be left out.
    pub form: &'static str,
    /// The same, filled in.
    pub example: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
}

const fn usage(word: &'static str, form: &'static str, example: &'static str, meaning: &'static str) -> Usage {
    Usage { word, form, example, meaning }
}

/// Every command of this version. Who may use one is the policy's business: [`Policy::required_role`].
pub const ALL: &[Usage] = &[
    usage("help", "help", "help", "shows this list"),
    usage("adopt", "adopt", "adopt", "makes this issue, a checklist already in use, a tracking issue"),
    usage("pause", "pause", "pause", "stops everything Wardroom writes here, except answers to commands"),
    usage("resume", "resume", "resume", "ends a pause"),
    usage(
        "na",
        "na TASK REASON",
        "na T12 only the development branch has the flaw",
        "marks a task as not applicable; it then counts as settled, not as done",
    ),
    usage(
        "na",
        "na \"BEGINNING\" REASON",
        "na \"Check if vulnerability affects LTS\" there is no LTS version",
        "the same, with the task named by the beginning of its text",
    ),
    usage("severity", "severity LEVEL", "severity high", "sets the severity: critical, high, medium or low"),
    usage(
        "cvss",
        "cvss VECTOR",
        "cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "sets the CVSS vector (3.1 or 4.0), and with it score and severity",
    ),
    usage(
        "close",
        "close invalid [REASON]",
        "close invalid the crash needs root to begin with",
        "closes the incident: there is no vulnerability",
    ),
    usage(
        "close",
        "close duplicate #N",
        "close duplicate #12",
        "closes the incident: the one with tracking issue N is about the same",
    ),
    usage(
        "close",
        "close out-of-scope REASON",
        "close out-of-scope the plugin is not ours",
        "closes the incident: it is not this project's to mend",
    ),
    usage("merge", "merge #N", "merge #12", "closes the incident as part of the one with tracking issue N"),
    usage("draft", "draft", "draft", "makes a draft advisory from the fields; only the project's admins can see it"),
    usage(
        "link",
        "link GHSA",
        "link GHSA-2c3f-4gh5-6jm7",
        "names the advisory, draft or private report that this is about",
    ),
    usage(
        "accept",
        "accept GHSA",
        "accept GHSA-2c3f-4gh5-6jm7",
        "makes a draft of the private report; it cannot be taken back",
    ),
    usage(
        "reject",
        "reject GHSA REASON",
        "reject GHSA-2c3f-4gh5-6jm7 the crash needs root to begin with",
        "closes the private report, or the draft, and publishes nothing; its reporter sees that",
    ),
    usage(
        "sync",
        "sync to-advisory [FIELD…]",
        "sync to-advisory affected patched",
        "where fields and advisory differ, writes what the fields say into the advisory; without FIELD all lines",
    ),
    usage(
        "sync",
        "sync from-advisory [FIELD…]",
        "sync from-advisory vector",
        "where fields and advisory differ, writes what the advisory says into the fields; without FIELD all lines",
    ),
    usage("cve set", "cve set CVE", "cve set CVE-2026-12345", "writes down a CVE ID that came from elsewhere"),
    usage(
        "cve request",
        "cve request GHSA",
        "cve request GHSA-2c3f-4gh5-6jm7",
        "asks GitHub for a CVE ID, once; it cannot be taken back",
    ),
    usage(
        "publish",
        "publish GHSA [--despite REASON]",
        "publish GHSA-2c3f-4gh5-6jm7",
        "makes the advisory public; it cannot be taken back, and it deletes the private fork",
    ),
    usage(
        "approve",
        "approve GHSA",
        "approve GHSA-2c3f-4gh5-6jm7",
        "agrees, as a second person, to a `publish` of the last 30 minutes",
    ),
];

/// Commands that are planned and not in this version, as [`COMMANDS`] knows them.
pub(super) fn planned(word: &str) -> Option<&'static str> {
    let known = COMMANDS.iter().map(|command| first_word(command.word));
    known.into_iter().find(|&known| known == word && ALL.iter().all(|row| first_word(row.word) != known))
}

fn first_word(words: &'static str) -> &'static str {
    words.split(' ').next().unwrap_or(words)
}

/// The answer to `help`: every command, what it does and who may use it under this policy.
pub fn help_text(policy: &Policy) -> String {
    let mut text = String::from(
        "A command is the first line of a new comment on this issue. An edited comment does not count.\n\n\
         | Command | What it does | Who may use it |\n| --- | --- | --- |\n",
    );
    for row in ALL {
        let form = fence::table_cell(&format!("`{PREFIX} {}`", row.form));
        let who = fence::table_cell(&who(&policy.required_role(row.word)));
        text.push_str(&format!("| {form} | {} | {who} |\n", row.meaning));
    }
    text.push_str(
        "\n`TASK` is a task's anchor, such as `T12`: it stands beside the task in the status comment. `#N` is \
         the number of a tracking issue. `FIELD` is a line of the status comment’s table of differences: a field’s name, or \
         severity, affected, patched, vector, cwe, credits, cve or packages; several are parted by commas.\n",
    );
    text
}

fn who(rule: &Rule) -> String {
    let place = match rule.on {
        Place::Tracker => "here",
        Place::Advisories => "on the advisories' repository",
    };
    let role = match rule.at_least {
        Role::None => "everyone".to_owned(),
        Role::Admin => format!("admin {place}"),
        Role::Read => format!("read access {place}"),
        Role::Triage => format!("triage access {place}"),
        Role::Write => format!("write access {place}"),
        Role::Maintain => format!("maintain access {place}"),
    };
    match &rule.logins {
        None => role,
        Some(logins) if logins.is_empty() => "nobody".to_owned(),
        Some(logins) => {
            let logins: Vec<String> = logins.iter().map(|login| fence::login(login)).collect();
            format!("{}, with {role}", logins.join(", "))
        }
    }
}

/// What an answer to a failed command ends with.
const AGAIN: &str = "Nothing was done. Write a new comment to try again: an edited one does not count.";

pub(super) fn unknown_text(word: &str) -> String {
    let guess = match nearest(word) {
        Some(known) => format!(" Did you mean `{known}`?"),
        None => String::new(),
    };
    format!("There is no command {}.{guess} {}\n\n{AGAIN}", fence::code_span(word, ECHO_CHARS), commands_there_are())
}

pub(super) fn not_here_text(word: &str) -> String {
    format!("`{word}` is not available in this version of Wardroom. {}\n\nNothing was done.", commands_there_are())
}

pub(super) fn wrong_text(word: &str, why: &str) -> String {
    let mut text = format!("{why}\n\n");
    let of_word = |row: &&Usage| row.word == word || first_word(row.word) == word;
    for row in ALL.iter().filter(of_word) {
        let form = format!("{PREFIX} {}", row.form);
        let example = format!("{PREFIX} {}", row.example);
        if form == example {
            text.push_str(&format!("- `{form}` {}\n", row.meaning));
        } else {
            text.push_str(&format!("- `{form}` {}. For example `{example}`\n", row.meaning));
        }
    }
    format!("{text}\n{AGAIN}")
}

fn commands_there_are() -> String {
    let mut words: Vec<&str> = ALL.iter().map(|row| row.word).collect();
    words.dedup();
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("The commands are {}; `{PREFIX} help` says what each does.", words.join(", "))
}

/// The one command that the word is likely meant to be: it differs in at most two letters, and less than by half.
fn nearest(word: &str) -> Option<&'static str> {
    let known = ALL.iter().map(|row| row.word);
    let close = known.map(|known| (distance(word, known), known)).min_by_key(|&(distance, _)| distance);
    close.filter(|&(distance, known)| distance <= 2 && distance * 2 <= known.len()).map(|(_, known)| known)
}

/// How many letters must be changed, added, dropped or swapped with their neighbour to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let far = other.len() + 3;
    // Rows of the usual table, only the last two kept; a word longer than any command is far from all of them.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, c) in one.chars().enumerate() {
        if row > far {
            return far;
        }
        let mut next = vec![row + 1];
        for (column, &wanted) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(far);
            let mut cost = at(&last, column) + usize::from(c != wanted);
            cost = cost.min(at(&last, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column > 0 && previous == Some(wanted) && other.get(column - 1) == Some(&c);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut last, next);
        previous = Some(c);
    }
    last.last().copied().unwrap_or(far)
}
