//! `wardroom action`: one run of a GitHub workflow. What it may say depends on who can read the workflow's log.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::checklist::Format;
use super::config::{self, Env, Settings, var};
use super::drive::{self, Options, Outcome, Report};
use super::voice::{self, Voice};
use super::{Exit, Usage, replay};
use crate::domain::plan::Summary;

/// GitHub takes no longer step summary (GitHub Docs, "Workflow commands": 1 MiB a step).
const MOST_SUMMARY_BYTES: usize = 1024 * 1024;

/// Runs inside a GitHub workflow: does what the event asks for.
///
/// Events: issues and issue_comment look at that issue; schedule and workflow_dispatch look at everything; others ask
/// for nothing. Outputs: incident, phase, severity, progress, changed. Where the event's repository is not private the
/// outputs are empty, and log and summary say only "done" or "failed".
///
/// Environment: WARDROOM_TOKEN, or WARDROOM_APP_ID with WARDROOM_PRIVATE_KEY; WARDROOM_TRACKER (owner/name) if the
/// tracking issues are not in the workflow's own repository. The rest is set by GitHub.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, a step of a workflow in the private tracker:\n  - run: wardroom action\n    env:\n      \
                        WARDROOM_TOKEN: ${{ github.token }}\n\nTry it from a shell, writing nothing, with a recorded \
                        event:\n  GITHUB_EVENT_NAME=issues GITHUB_EVENT_PATH=event.json \
                        GITHUB_REPOSITORY=octo-org/security-reports \\\n    WARDROOM_TOKEN_FILE=token.txt wardroom action \
                        --dry-run"
)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show a doc here instead of each option's own")]
    pub options: Options,
}

/// What a workflow's event says.
struct Event {
    name: String,
    body: Vec<u8>,
    payload: Value,
}

/// One run.
///
/// # Errors
/// If `out`, the outputs or the summary cannot be written. Whatever else goes wrong is said there.
pub async fn run(args: &Args, env: Env<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let begun = begin(args, env).await;
    let known = matches!(begun, Ok(Some(_)));
    let (voice, ended) = match begun {
        // What is wrong before a voice is known is the setup's, and names nothing private: the log may say it.
        Err(error) => (Voice::Open, Err(error)),
        Ok(None) => {
            let name = replay::name(&var(env, "GITHUB_EVENT_NAME").unwrap_or_default());
            let why = format!(
                "the event {name} asks for nothing; Wardroom works on issues, issue_comment, schedule and workflow_dispatch"
            );
            (Voice::Open, Ok(Report::nothing(why)))
        }
        Ok(Some((voice, settings, event))) => (voice, work(args, &settings, event).await),
    };
    let exit = ended.as_ref().map_or_else(voice::exit_of, |report| report.exit(args.options.check));
    let lasting = if known { voice } else { Voice::Hushed };
    if let Some(path) = var(env, "GITHUB_OUTPUT") {
        append(&path, &outputs(lasting, ended.as_ref().ok()), "GITHUB_OUTPUT")?;
    }
    if let Some(path) = var(env, "GITHUB_STEP_SUMMARY") {
        append(&path, &summary(lasting, &ended, exit), "GITHUB_STEP_SUMMARY")?;
    }
    match (voice, ended) {
        (Voice::Hushed, _) => writeln!(out, "{}", voice::hushed(exit))?,
        (Voice::Open, Ok(report)) => {
            voice::print(&report, args.options.format, out)?;
            say_errors(&errors(&report), args.options.format, out)?;
        }
        (Voice::Open, Err(error)) => {
            say_errors(&[command("error", "Wardroom", &format!("{error:#}"))], args.options.format, out)?;
        }
    }
    Ok(exit)
}

/// A line for each thing that did not work, which the runner shows at the head of the run.
fn errors(report: &Report) -> Vec<String> {
    let of_subject = |outcome: &Outcome| Some(command("error", &outcome.subject, outcome.error.as_ref()?));
    let errors: Vec<String> = report.subjects.iter().filter_map(of_subject).collect();
    match errors.is_empty() && report.failed {
        true => vec![command("error", "Wardroom", &report.notes.join(" "))],
        false => errors,
    }
}

/// Prints commands for the runner, which reads both streams: a program that reads JSON has the output for itself.
fn say_errors(lines: &[String], format: Format, out: &mut dyn Write) -> std::io::Result<()> {
    let mut stderr = std::io::stderr();
    let to: &mut dyn Write = if format == Format::Json { &mut stderr } else { out };
    lines.iter().try_for_each(|line| writeln!(to, "{line}"))
}

/// Reads what the workflow gives. `None`: the event asks for nothing.
async fn begin(args: &Args, env: Env<'_>) -> anyhow::Result<Option<(Voice, Settings, Event)>> {
    let name = needed(env, "GITHUB_EVENT_NAME")?;
    if !matches!(name.as_str(), "issues" | "issue_comment" | "schedule" | "workflow_dispatch") {
        return Ok(None);
    }
    let path = needed(env, "GITHUB_EVENT_PATH")?;
    let body = replay::read(Path::new(&path))?;
    let payload = replay::parse(&body, "in GITHUB_EVENT_PATH")?;
    let settings = config::settings(env)?;
    let voice = Voice::of_workflow(&settings, Some(&payload)).await?;
    voice::may_check(voice, &args.options)?;
    Ok(Some((voice, settings, Event { name, body, payload })))
}

fn needed(env: Env<'_>, name: &str) -> Result<String, Usage> {
    var(env, name).ok_or_else(|| {
        Usage(format!(
            "{name} is not set. GitHub sets it in a workflow; from a shell, use `wardroom replay` or `wardroom sweep`"
        ))
    })
}

async fn work(args: &Args, settings: &Settings, event: Event) -> anyhow::Result<Report> {
    let engine = config::engine(settings, &args.options).await?;
    match event.name.as_str() {
        "schedule" | "workflow_dispatch" => Ok(drive::sweep(&engine, &[]).await?),
        name => replay::deliver(&engine, name, &event.payload, event.body).await,
    }
}

/// The step's outputs. Each value stands between delimiters that nobody can guess, so that no value sets another.
fn outputs(voice: Voice, report: Option<&Report>) -> String {
    let report = report.filter(|_| voice == Voice::Open);
    let summary = report.and_then(Report::summary);
    let changed = report.map_or("", |report| if report.changed { "true" } else { "false" });
    let incident = summary.map_or_else(String::new, |summary| summary.incident.to_string());
    let values = [
        ("incident", incident.as_str()),
        ("phase", summary.map_or("", |summary| &summary.phase)),
        ("severity", summary.map_or("", |summary| &summary.severity)),
        ("progress", summary.map_or("", |summary| &summary.progress)),
        ("changed", changed),
    ];
    // The standard library seeds each hasher's state at random.
    let end = format!("end-{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
    values.iter().map(|(name, value)| format!("{name}<<{end}\n{value}\n{end}\n")).collect()
}

/// The step's summary, in Markdown.
fn summary(voice: Voice, ended: &anyhow::Result<Report>, exit: Exit) -> String {
    match (voice, ended) {
        (Voice::Hushed, _) => format!("{}\n", voice::hushed(exit)),
        (Voice::Open, Err(error)) => format!("### Wardroom failed\n\n{}\n", plain(&format!("{error:#}"))),
        (Voice::Open, Ok(report)) => shortened(&told(report)),
    }
}

fn told(report: &Report) -> String {
    let head = match (report.failed, report.dry_run, report.changed) {
        (true, ..) => "Wardroom: not everything worked",
        (_, true, _) if report.has_steps() => "Wardroom would do this (nothing was written)",
        (_, true, _) => "Wardroom would do nothing",
        (_, _, true) => "Wardroom did this",
        (_, _, false) => "Wardroom had nothing to do",
    };
    let mut text = format!("### {head}\n\n");
    let with_incident: Vec<&Outcome> = report.subjects.iter().filter(|outcome| outcome.summary.is_some()).collect();
    if !with_incident.is_empty() {
        text.push_str("| Incident | Phase | Severity | Progress | Next | To look at |\n|---|---|---|---|---|---|\n");
    }
    for outcome in with_incident {
        let Some(summary) = &outcome.summary else { continue };
        let paused = if summary.paused { " (paused)" } else { "" };
        text.push_str(&format!(
            "| {} | {} | {} | {}{paused} | {} | {} |\n",
            link(summary),
            or_none(&summary.phase),
            or_none(&summary.severity),
            or_none(&summary.progress),
            or_none(&summary.next.join(", ")),
            or_none(&if summary.to_look_at == 0 { String::new() } else { summary.to_look_at.to_string() }),
        ));
    }
    text.push('\n');
    for note in &report.notes {
        text.push_str(&format!("- {}\n", plain(note)));
    }
    for step in &report.steps {
        text.push_str(&format!("- {}\n", plain(step)));
    }
    for outcome in &report.subjects {
        let error = outcome.error.as_ref().map(|error| format!("**failed**: {}", plain(error)));
        let (answers, steps) = answered(&outcome.steps);
        let said = answers.into_iter().chain(steps.chain(&outcome.notes).map(|line| plain(line))).chain(error);
        let said = said.chain(outcome.waits());
        for line in said {
            text.push_str(&format!("- {}: {line}\n", plain(&outcome.subject)));
        }
    }
    text
}

/// The incident as a link, where GitHub gave an address that is one.
fn link(summary: &Summary) -> String {
    let plain_address = |c: char| c.is_ascii_alphanumeric() || "-._~:/#".contains(c);
    if summary.url.starts_with("https://") && summary.url.chars().all(plain_address) {
        format!("[#{}]({})", summary.incident, summary.url)
    } else {
        format!("#{}", summary.incident)
    }
}

/// The marks left on commands as one line, and the other steps. The replies that go with the marks are not told again.
fn answered(steps: &[String]) -> (Option<String>, impl Iterator<Item = &String>) {
    let is_mark = |step: &&String| step.starts_with("react to comment ");
    let marks: Vec<&String> = steps.iter().filter(is_mark).collect();
    let with = |mark: &str| marks.iter().filter(|step| step.ends_with(&format!(" with {mark}"))).count();
    let parts = [(with("rocket"), "carried out"), (with("confused"), "refused"), (with("eyes"), "answered in words")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let commands = if marks.len() == 1 { "command" } else { "commands" };
    let line = (!marks.is_empty()).then(|| format!("answered {} {commands}: {}", marks.len(), parts.join(", ")));
    let is_reply = |step: &String| step.starts_with("comment on #") && step.ends_with("(reply)");
    (line, steps.iter().filter(move |step| !is_mark(step) && !is_reply(step)))
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { plain(text) }
}

/// Text as one line of Markdown that means only itself.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// At most what GitHub takes, cut at the end of a line.
fn shortened(text: &str) -> String {
    const CUT: &str = "- and more, see the log\n";
    if text.len() <= MOST_SUMMARY_BYTES {
        return text.to_owned();
    }
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() + CUT.len() > MOST_SUMMARY_BYTES {
            break;
        }
        kept.push_str(line);
    }
    kept + CUT
}

/// A workflow command, escaped as GitHub's toolkit does it: a text from outside cannot end it or start another.
fn command(kind: &str, title: &str, message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{kind} title={property}::{}", data(message))
}

fn append(path: &str, text: &str, variable: &str) -> anyhow::Result<()> {
    let written =
        OpenOptions::new().create(true).append(true).open(path).and_then(|mut f| f.write_all(text.as_bytes()));
    written.map_err(|error| anyhow::anyhow!("could not write the file that {variable} names: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_cannot_be_ended_or_followed_by_another() {
        let text = command("error", "a,b:c\n::warning::x", "50% done\r\n::set-output name=x::y");
        assert_eq!(text, "::error title=a%2Cb%3Ac%0A%3A%3Awarning%3A%3Ax::50%25 done%0D%0A::set-output name=x::y");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_summary_counts_the_answers_and_links_the_incident() {
        let steps = ["comment on #2 (reply)", "react to comment 7 with rocket", "react to comment 8 with confused"];
        let summary = Summary {
            incident: 2,
            phase: "phase/1-assessment".into(),
            progress: "3 of 38 tasks settled".into(),
            url: "https://github.com/octo/security/issues/2".into(),
            next: vec!["T1".into(), "T4".into()],
            to_look_at: 1,
            ..Summary::default()
        };
        let outcome = Outcome {
            subject: "tracker #2".into(),
            steps: steps.map(str::to_owned).to_vec(),
            summary: Some(summary),
            ..Outcome::default()
        };
        insta::assert_snapshot!(told(&Report { subjects: vec![outcome], changed: true, ..Report::default() }), @"
        ### Wardroom did this

        | Incident | Phase | Severity | Progress | Next | To look at |
        |---|---|---|---|---|---|
        | [#2](https://github.com/octo/security/issues/2) | phase/1-assessment | – | 3 of 38 tasks settled | T1, T4 | 1 |

        - tracker #2: answered 2 commands: 1 carried out, 1 refused
        ");
    }

    #[test]
    fn delimiters_differ_from_run_to_run() {
        assert_ne!(outputs(Voice::Open, None), outputs(Voice::Open, None));
    }

    #[test]
    fn a_long_summary_is_cut_at_a_line() {
        let steps = (0..60_000).map(|n| format!("step number {n} of very many")).collect();
        let text = shortened(&told(&Report { steps, ..Report::default() }));
        assert!(text.len() <= MOST_SUMMARY_BYTES && text.len() > MOST_SUMMARY_BYTES - 200);
        assert!(text.ends_with("- and more, see the log\n"));
    }

    #[test]
    fn a_summary_quotes_markdown() {
        assert_eq!(plain("[x](y) <img> a|b\n# c"), "\\[x\\](y) \\<img\\> a\\|b # c");
    }
}
