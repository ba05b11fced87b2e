//! Commands in comments: `/wardroom WORD …` as the first line of a comment on the tracking issue.
//!
//! Only the text is judged here. Whether the comment was edited, and whether its author may, is judged by the fold: a
//! command counts only unedited, and only from a person whose live role allows it.
//!
//! Reading is forgiving about case, spaces and the quotation marks that a telephone puts in, and strict about the rest:
//! a word too many is an error, not ignored, so that nobody believes in something that was not understood.

mod words;

#[cfg(test)]
mod tests;

use super::advisory::drift::Part;
use super::advisory::{Cve, Ghsa};
use super::cvss::{self, Severity};
use super::fence;

pub use words::{ALL, Usage, help_text};

/// What every command begins with.
pub const PREFIX: &str = "/wardroom";

/// Longest reason, in characters. It becomes part of the checklist and of the record, where one sentence has room.
pub const MAX_REASON_CHARS: usize = 200;

/// Longest piece of a person's text that an answer repeats, in characters.
const ECHO_CHARS: usize = 60;

/// A command that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Shows the commands.
    Help,
    /// Makes the issue, a checklist already in use, a tracking issue.
    Adopt,
    /// Stops all writes until `resume`.
    Pause,
    /// Ends `pause`.
    Resume,
    /// Marks a task as not applicable.
    NotApplicable {
        /// The task's anchor (`T12`) or the beginning of its text, as it was written.
        task: String,
        /// Why.
        reason: String,
    },
    /// Sets the severity; never [`Severity::None`].
    Severity(Severity),
    /// Sets the CVSS vector: a valid one in its canonical spelling.
    Cvss(String),
    /// Closes the incident as no incident of its own.
    Close(Close),
    /// Closes this incident as part of another.
    Merge {
        /// The number of the other's tracking issue.
        into: u64,
    },
    /// Makes a draft advisory from the fields.
    Draft,
    /// Links an advisory that there is.
    Link(Ghsa),
    /// Makes a draft of a private report.
    Accept(Ghsa),
    /// Closes a private report or a draft.
    Reject {
        /// Which.
        ghsa: Ghsa,
        /// Why.
        reason: String,
    },
    /// Settles lines of the table of differences.
    Sync {
        /// Which side is right.
        from: Side,
        /// The lines; none: all of them.
        parts: Vec<Part>,
    },
    /// Writes down a CVE ID that came from elsewhere.
    CveSet(Cve),
    /// Asks GitHub for a CVE ID.
    CveRequest(Ghsa),
    /// Publishes the advisory.
    Publish {
        /// Which.
        ghsa: Ghsa,
        /// Why it is published although the lint objects.
        despite: Option<String>,
    },
    /// A second person agrees to `publish`.
    Approve(Ghsa),
}

/// Which side of a difference is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The issue's fields: the advisory follows.
    Issue,
    /// The advisory: the fields follow.
    Advisory,
}

/// Why an incident is closed without being worked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    /// There is no vulnerability.
    Invalid {
        /// What was found, if it was said.
        reason: Option<String>,
    },
    /// Another incident is about the same.
    Duplicate {
        /// The number of the other's tracking issue.
        of: u64,
    },
    /// The project does not see it as its vulnerability.
    OutOfScope {
        /// Why not.
        reason: String,
    },
}

impl Command {
    /// The word, as the policy's `roles` names it.
    pub fn word(&self) -> &'static str {
        match self {
            Command::Help => "help",
            Command::Adopt => "adopt",
            Command::Pause => "pause",
            Command::Resume => "resume",
            Command::NotApplicable { .. } => "na",
            Command::Severity(_) => "severity",
            Command::Cvss(_) => "cvss",
            Command::Close(_) => "close",
            Command::Merge { .. } => "merge",
            Command::Draft => "draft",
            Command::Link(_) => "link",
            Command::Accept(_) => "accept",
            Command::Reject { .. } => "reject",
            Command::Sync { .. } => "sync",
            Command::CveSet(_) => "cve set",
            Command::CveRequest(_) => "cve request",
            Command::Publish { .. } => "publish",
            Command::Approve(_) => "approve",
        }
    }
}

/// A first line that begins as a command and is none. Its text is the answer that its author reads: Markdown in which
/// everything that came from the comment is code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// No command has this word.
    #[error("{}", words::unknown_text(.word))]
    Unknown {
        /// What was written, in lower case.
        word: String,
    },
    /// A command of Wardroom's plan that this version does not have.
    #[error("{}", words::not_here_text(.word))]
    NotHere {
        /// The word.
        word: &'static str,
    },
    /// The word is right, what follows is not.
    #[error("{}", words::wrong_text(.word, .why))]
    Wrong {
        /// The word.
        word: &'static str,
        /// What is wrong, as a sentence.
        why: String,
    },
}

/// Reads a comment. `None`: its first line is no command.
///
/// # Errors
/// [`CommandError`], when the line begins with `/wardroom` and cannot be understood.
pub fn parse(comment: &str) -> Option<Result<Command, CommandError>> {
    let comment = comment.strip_prefix('\u{FEFF}').unwrap_or(comment);
    let line = comment.split(['\n', '\r']).next().unwrap_or_default();
    let (start, rest) = line.split_at_checked(PREFIX.len())?;
    if !start.eq_ignore_ascii_case(PREFIX) || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let (word, rest) = first_word(rest);
    Some(read(&word.to_lowercase(), rest))
}

fn read(word: &str, rest: &str) -> Result<Command, CommandError> {
    match word {
        // Someone who knows no more than the prefix, or who asks about one command, is served by the same answer.
        "" | "help" => Ok(Command::Help),
        "adopt" => alone("adopt", rest, Command::Adopt),
        "pause" => alone("pause", rest, Command::Pause),
        "resume" => alone("resume", rest, Command::Resume),
        "na" | "n/a" => not_applicable(rest),
        "severity" => severity(rest),
        "cvss" => vector(rest),
        "close" => close(rest),
        "merge" => {
            let rest = skip_word(rest, "into");
            Ok(Command::Merge { into: number("merge", rest)? })
        }
        "draft" => alone("draft", rest, Command::Draft),
        "link" => ghsa("link", rest).map(Command::Link),
        "accept" => ghsa("accept", rest).map(Command::Accept),
        "reject" => reject(rest),
        "sync" => sync(rest),
        "cve" => cve(rest),
        "publish" => publish(rest),
        "approve" => ghsa("approve", rest).map(Command::Approve),
        _ => match words::planned(word) {
            Some(word) => Err(CommandError::NotHere { word }),
            None => Err(CommandError::Unknown { word: word.to_owned() }),
        },
    }
}

fn wrong(word: &'static str, why: impl Into<String>) -> CommandError {
    CommandError::Wrong { word, why: why.into() }
}

/// A person's text within an answer.
fn echo(text: &str) -> String {
    fence::code_span(text, ECHO_CHARS)
}

fn alone(word: &'static str, rest: &str, command: Command) -> Result<Command, CommandError> {
    if rest.is_empty() {
        return Ok(command);
    }
    Err(wrong(
        word,
        format!("`{word}` stands alone: {} was not understood. Write anything else on the lines below it.", echo(rest)),
    ))
}

fn not_applicable(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "na";
    if rest.is_empty() {
        return Err(wrong(WORD, "Which task, and why? Neither was said."));
    }
    let (task, reason) = match rest.strip_prefix(['"', '“', '”', '„']) {
        Some(quoted) => {
            let end = quoted.find(['"', '”', '“']);
            let end = end.ok_or_else(|| wrong(WORD, "The quotation mark before the task's text is never closed."))?;
            let (task, after) = quoted.split_at(end);
            let mut after = after.chars();
            after.next();
            (task.trim(), after.as_str())
        }
        None => {
            let (task, reason) = first_word(rest);
            let task = task.trim_end_matches(':');
            if !is_anchor(task) {
                return Err(wrong(
                    WORD,
                    format!(
                        "{} is not a task's anchor (such as `T12`). To name a task by the beginning of its text, put \
                         quotation marks around that beginning, so that it can be told from the reason.",
                        echo(task)
                    ),
                ));
            }
            (task, reason)
        }
    };
    if !says_something(task) {
        return Err(wrong(WORD, "The quotation marks hold no text of a task."));
    }
    let reason = after_separator(reason);
    let missing =
        format!("A reason is needed: why does {} not apply? Whoever reads this in a year will ask.", echo(task));
    Ok(Command::NotApplicable { task: task.to_owned(), reason: required_reason(WORD, reason, &missing)? })
}

/// A letter, then letters and digits, a digit among them: `T12`.
fn is_anchor(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_digit())
}

fn severity(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "severity";
    let level = unquoted(rest);
    if level.is_empty() {
        return Err(wrong(WORD, "Which severity? None was said."));
    }
    match level.parse() {
        Ok(Severity::None) => Err(wrong(
            WORD,
            "An incident has a severity. If there is no vulnerability, close it with `/wardroom close invalid`.",
        )),
        Ok(level) => Ok(Command::Severity(level)),
        Err(_) => Err(wrong(WORD, format!("{} is not a severity.", echo(level)))),
    }
}

fn vector(rest: &str) -> Result<Command, CommandError> {
    let vector = cvss::Vector::parse(unquoted(rest));
    let vector =
        vector.map_err(|error| wrong("cvss", format!("Not understood: {}.", fence::plain(&error.to_string()))))?;
    Ok(Command::Cvss(vector.to_string()))
}

fn close(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "close";
    let (why, rest) = first_word(skip_word(rest, "as"));
    let (why, rest) = match skip_word(skip_word(rest, "of"), "scope") {
        after if why.eq_ignore_ascii_case("out") && after != rest => ("out-of-scope", after),
        _ => (why, rest),
    };
    let rest = after_separator(rest);
    match why.trim_end_matches(':').to_lowercase().as_str() {
        "" => Err(wrong(WORD, "Close it as what? Nothing was said.")),
        "invalid" => {
            let reason = if says_something(rest) { Some(required_reason(WORD, rest, "")?) } else { None };
            Ok(Command::Close(Close::Invalid { reason }))
        }
        "duplicate" => Ok(Command::Close(Close::Duplicate { of: number(WORD, skip_word(rest, "of"))? })),
        "out-of-scope" => {
            let missing = "A reason is needed: what puts it out of scope? The reporter will ask.";
            Ok(Command::Close(Close::OutOfScope { reason: required_reason(WORD, rest, missing)? }))
        }
        other => Err(wrong(WORD, format!("An incident cannot be closed as {}.", echo(other)))),
    }
}

/// An advisory's id, and nothing after it.
fn ghsa(word: &'static str, rest: &str) -> Result<Ghsa, CommandError> {
    match unquoted(rest).parse() {
        Ok(id) => Ok(id),
        Err(_) if rest.is_empty() => Err(wrong(word, "Which advisory? Its id is missing.")),
        Err(_) => Err(wrong(word, format!("{} is not an advisory's id.", echo(rest)))),
    }
}

fn reject(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "reject";
    let (id, reason) = first_word(rest);
    let ghsa = ghsa(WORD, id.trim_end_matches(':'))?;
    let missing = "A reason is needed: why is it no vulnerability of yours? The reporter will ask.";
    Ok(Command::Reject { ghsa, reason: required_reason(WORD, after_separator(reason), missing)? })
}

fn sync(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "sync";
    let (direction, rest) = first_word(rest);
    let from = match direction.to_lowercase().as_str() {
        "to-advisory" => Side::Issue,
        "from-advisory" => Side::Advisory,
        "" => return Err(wrong(WORD, "Which side is right? Nothing was said.")),
        _ => {
            let why = format!(
                "{} does not say which side is right: write `to-advisory` or `from-advisory`.",
                echo(direction)
            );
            return Err(wrong(WORD, why));
        }
    };
    // `CVSS vector` is one name; `vector, cwe` and `vector cwe` are two.
    let names = match rest.parse::<Part>() {
        Ok(_) => vec![rest],
        Err(_) if rest.contains(',') => rest.split(',').collect(),
        Err(_) => rest.split_whitespace().collect(),
    };
    let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
    let mut parts = Vec::new();
    for name in names {
        let bad = |_| wrong(WORD, format!("{} is no line of that table.", echo(name)));
        parts.push(name.parse().map_err(bad)?);
    }
    Ok(Command::Sync { from, parts })
}

fn cve(rest: &str) -> Result<Command, CommandError> {
    let (what, rest) = first_word(rest);
    match what.to_lowercase().as_str() {
        "request" => ghsa("cve request", rest).map(Command::CveRequest),
        "set" => match unquoted(rest).parse() {
            Ok(id) => Ok(Command::CveSet(id)),
            Err(_) if rest.is_empty() => Err(wrong("cve set", "Which CVE ID? None was said.")),
            Err(_) => Err(wrong("cve set", format!("{} is not a CVE ID.", echo(rest)))),
        },
        "" => Err(wrong("cve", "What about the CVE ID? Nothing was said.")),
        other => Err(wrong("cve", format!("`cve` does not know {}.", echo(other)))),
    }
}

fn publish(rest: &str) -> Result<Command, CommandError> {
    const WORD: &str = "publish";
    let (id, rest) = first_word(rest);
    let ghsa = ghsa(WORD, id)?;
    if rest.is_empty() {
        return Ok(Command::Publish { ghsa, despite: None });
    }
    let (word, reason) = first_word(rest);
    // A telephone makes one dash of two.
    if !word.trim_start_matches(['-', '–', '—']).trim_end_matches(':').eq_ignore_ascii_case("despite") {
        return Err(wrong(WORD, format!("{} was not understood.", echo(rest))));
    }
    let missing = "A reason is needed: why is it published although something stands against it?";
    let reason = required_reason(WORD, after_separator(reason), missing)?;
    Ok(Command::Publish { ghsa, despite: Some(reason) })
}

/// The number of a tracking issue: `#12` or `12`, and nothing after it.
fn number(word: &'static str, rest: &str) -> Result<u64, CommandError> {
    if rest.is_empty() {
        return Err(wrong(word, "Which incident? Its number is missing: the number of its tracking issue."));
    }
    let digits = rest.strip_prefix('#').unwrap_or(rest);
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    number.filter(|&number| number > 0).ok_or_else(|| {
        wrong(word, format!("{} is not the number of a tracking issue. Nothing may follow the number.", echo(rest)))
    })
}

fn required_reason(word: &'static str, reason: &str, missing: &str) -> Result<String, CommandError> {
    if !says_something(reason) {
        return Err(wrong(word, missing));
    }
    let length = reason.chars().count();
    if length > MAX_REASON_CHARS {
        return Err(wrong(
            word,
            format!(
                "The reason has {length} characters; at most {MAX_REASON_CHARS} fit into the record. Say it in a \
                 sentence, and the rest on the lines below it."
            ),
        ));
    }
    Ok(reason.to_owned())
}

/// Whether there is a letter or a digit: dots and invisible characters are no reason.
fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// The first word and what follows it, both trimmed.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.find(char::is_whitespace) {
        Some(end) => {
            let (word, rest) = text.split_at(end);
            (word, rest.trim())
        }
        None => (text, ""),
    }
}

/// `T12: reason` and `T12 - reason` are how people write it.
fn after_separator(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—'))
}

/// The text without a first word that only makes a sentence of it: `duplicate of #12`.
fn skip_word<'a>(text: &'a str, word: &str) -> &'a str {
    match first_word(text) {
        (first, rest) if first.trim_end_matches(':').eq_ignore_ascii_case(word) => rest,
        _ => text,
    }
}

/// The text without the code or quotation marks that people copy along.
fn unquoted(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '“' | '”' | '„'))
}
