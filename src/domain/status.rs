//! The status comment: where the incident is, what is next, what does not fit, who did what.
//!
//! Every time in it is absolute, so that the text changes only when something happened.

use std::fmt::Write as _;

use super::checklist::{Checklist, Phase, TaskState};
use super::cvss::Severity;
use super::decisions::{Decisions, Ruling, Verdict};
use super::disclosure::Disclosure;
use super::fence;
use super::findings::Findings;
use super::incident::{Standing, phase_order};
use super::memory::{Entry, Memory};
use super::observed::{Missing, Observed};
use super::policy::Policy;
use super::template::TemplateError;
use super::texts::{MAX_BODY_CHARS, open_tasks, phase_name, shorten, time};

/// The head of every status comment, by which Wardroom finds its own.
pub const HEAD: &str = "<!-- wardroom:status -->";

/// Lines of the record that are shown at once; the rest is folded away.
const SHOWN: usize = 8;

/// What the status comment says, besides the observed facts.
pub struct Parts<'a> {
    /// The body as it is after this look's own edits.
    pub checklist: &'a Checklist,
    /// Where the incident stands.
    pub standing: &'a Standing,
    /// What the fields amount to.
    pub findings: &'a Findings,
    /// The decisions that hold.
    pub decisions: &'a Decisions<'a>,
    /// All commands.
    pub rulings: &'a [Ruling<'a>],
    /// The record.
    pub memory: &'a Memory,
    /// Edits of the body that wait until the issue has been quiet.
    pub waiting: &'a [String],
    /// Edits of the body that would not fit into it.
    pub blocked: &'a [String],
    /// The advisory, where the policy has a place for one; or why its text cannot be made.
    pub disclosure: Result<Option<&'a Disclosure<'a>>, &'a TemplateError>,
}

/// The comment as it is written.
pub struct Fitted {
    /// What people see of it.
    pub visible: String,
    /// What it remembers.
    pub memory: Memory,
    /// All of it.
    pub body: String,
}

/// Renders the comment and cuts what it remembers until GitHub takes it: first the oldest lines of the record, then, for
/// a checklist of many hundred tasks, the last state of each of them.
pub fn fit(observed: &Observed, policy: &Policy, parts: &Parts<'_>, key: Option<&[u8]>) -> Fitted {
    let mut memory = parts.memory.clone();
    loop {
        let visible = render(observed, policy, &Parts { memory: &memory, ..*parts });
        let body = format!("{visible}{}\n", memory.seal(key));
        if body.chars().count() <= MAX_BODY_CHARS || !memory.shrink() {
            return Fitted { visible, memory, body };
        }
    }
}

/// The comment's visible text.
pub fn render(observed: &Observed, policy: &Policy, parts: &Parts<'_>) -> String {
    let mut text = format!("{HEAD}\n### Where we are\n\n{}\n\n", headline(parts));
    if let Some(pause) = parts.decisions.paused {
        let at = pause.comment.created_at.map_or_else(String::new, |at| format!(" on {}", time(at, policy)));
        let _ = writeln!(
            text,
            "**Paused** by {}{at}. Wardroom writes nothing here until someone comments `/wardroom resume`; ticks and edits \
             made meanwhile are not lost.\n",
            fence::login(&pause.author.login)
        );
    }
    text.push_str(&progress(parts.checklist, parts.standing));
    text.push_str(&next(parts.checklist, parts.standing));
    let warnings = warnings(observed, policy, parts);
    let advisory = parts.disclosure.ok().flatten();
    if !warnings.is_empty() {
        text.push_str("\n### Please look at\n\n");
        for warning in warnings {
            let _ = writeln!(text, "- {warning}");
        }
    }
    if let Some(advisory) = advisory {
        text.push_str(&advisory.section(policy, parts.memory, parts.checklist));
    }
    text.push_str(&record(parts.memory, policy));
    text.push_str(
        "\n<sub>Wardroom keeps this comment up to date; it is never posted again. Commands: `/wardroom help`.</sub>\n",
    );
    text
}

fn headline(parts: &Parts<'_>) -> String {
    let checklist = parts.checklist;
    let mut words = vec![match parts.standing {
        Standing::Phase(index) => checklist.phases.get(*index).map_or_else(String::new, |phase| {
            let order = phase_order(checklist, *index);
            let last = (0..checklist.phases.len()).map(|i| phase_order(checklist, i)).max().unwrap_or(order);
            let title =
                if phase.title.is_empty() { String::new() } else { format!(": {}", fence::plain(&phase.title)) };
            format!("**Phase {order} of {last}**{title}")
        }),
        Standing::Review => "**Review**: all phases are done".to_owned(),
        Standing::NoTasks => "**No tasks** were found in the issue’s text".to_owned(),
        Standing::Resolved => "**Resolved**".to_owned(),
        Standing::Rejected => "**Closed without a fix**".to_owned(),
        Standing::ClosedEarly(_) => "**Closed** with tasks open".to_owned(),
    }];
    words.push(match (parts.findings.severity, parts.findings.score) {
        (None, _) => "severity not known yet".to_owned(),
        (Some(Severity::None), _) => "no severity (score 0.0)".to_owned(),
        (Some(level), Some(score)) => format!("severity **{}** (CVSS {score})", level.title()),
        (Some(level), None) => format!("severity **{}**", level.title()),
    });
    if parts.findings.exploited {
        words.push("**exploited**".to_owned());
    }
    words.join(" · ")
}

fn progress(checklist: &Checklist, standing: &Standing) -> String {
    if checklist.phases.is_empty() {
        return String::new();
    }
    let mut text = "| Phase | Done | State |\n|---|---|---|\n".to_owned();
    for (index, phase) in checklist.phases.iter().enumerate() {
        let note = match standing {
            Standing::Phase(current) | Standing::ClosedEarly(current) if *current == index => "current",
            _ if phase.tasks.is_empty() => "no tasks",
            _ if phase.is_settled() => "settled",
            _ => "",
        };
        let _ = writeln!(text, "| {} | {} | {note} |", fence::table_cell(&phase_name(phase)), counts(phase));
    }
    text
}

fn counts(phase: &Phase) -> String {
    let skipped = phase.not_applicable();
    let done = format!("{} of {}", phase.done(), phase.tasks.len() - skipped);
    if skipped == 0 { done } else { format!("{done}, {skipped} not applicable") }
}

fn next(checklist: &Checklist, standing: &Standing) -> String {
    let line = match standing {
        Standing::Phase(index) => checklist.phases.get(*index).map(|phase| open_tasks(phase, 3)),
        Standing::Review => Some("write the review while it is fresh, then close the issue as completed".to_owned()),
        _ => None,
    };
    let mut text = line.map_or_else(String::new, |line| format!("\n**Next**: {line}\n"));
    if let Standing::Phase(index) = standing {
        let empty: Vec<String> = checklist
            .fields
            .iter()
            .filter(|field| field.empty && field.phase == Some(*index))
            .map(|field| fence::plain(&shorten(&field.name, 60)))
            .collect();
        if !empty.is_empty() {
            let _ = writeln!(text, "\n**Fields still empty in this phase**: {}", empty.join(", "));
        }
    }
    text
}

fn warnings(observed: &Observed, policy: &Policy, parts: &Parts<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    match &parts.disclosure {
        Ok(Some(advisory)) => {
            lines.extend(advisory.warnings());
            lines.extend(advisory.not_confirmed(parts.checklist, parts.memory, &observed.me.login));
        }
        Ok(None) => {}
        Err(error) => {
            lines.push(format!("The advisory’s template cannot be used: {}.", fence::plain(&error.to_string())))
        }
    }
    lines.extend(parts.findings.contradictions.iter().cloned());
    if let Some(report) = &parts.memory.report {
        lines.push(report.clone());
    }
    for ruling in parts.rulings.iter().filter(|ruling| ruling.verdict == Verdict::EditedLater) {
        let at = ruling.comment.created_at.map_or_else(String::new, |at| format!(" of {}", time(at, policy)));
        lines.push(format!(
            "A command by {}{at} was edited after it was carried out, so it counts no longer. Say it again in a new comment \
             if it should.",
            fence::login(&ruling.author.login)
        ));
    }
    if !parts.waiting.is_empty() {
        lines.push(format!(
            "As soon as nobody has changed the issue for 30 seconds (in a workflow: at its next run): {}.",
            parts.waiting.join("; ")
        ));
    }
    lines.extend(parts.blocked.iter().map(|what| {
        format!(
            "There is no room for {what}: the issue’s text may have 65,536 characters, a limit of GitHub’s. It is done as \
             soon as the text is shorter."
        )
    }));
    if !observed.is_bot() {
        lines.push(format!(
            "Wardroom uses the token of {}, so nobody can tell that person’s edits from Wardroom’s: a tick that a write of \
             Wardroom’s overwrites is not put back. A GitHub App or a workflow’s own token has an account of its own.",
            fence::login(&observed.me.login)
        ));
    }
    if observed.lacks(Missing::GraphQl) {
        lines.push(
            "This server has no GraphQL, so the record shows who ticked only where an event told it, and an edited comment \
             is known by its time of change alone."
                .to_owned(),
        );
    }
    if observed.lacks(Missing::Roles) {
        lines.push("This server does not tell who has which role, so no command counts here.".to_owned());
    }
    if observed.failures >= 10 {
        lines.push(format!(
            "The last {} looks at this incident failed. Wardroom goes on trying once an hour; its log says why.",
            observed.failures
        ));
    }
    lines
}

fn record(memory: &Memory, policy: &Policy) -> String {
    if memory.log.is_empty() {
        return String::new();
    }
    let line = |entry: &Entry| {
        let who = entry.by.as_deref().map_or_else(|| "someone".to_owned(), fence::login);
        let when = if entry.late { format!("before {}", time(entry.at, policy)) } else { time(entry.at, policy) };
        format!("| {when} | {who} | {} |\n", fence::table_cell(&entry.what))
    };
    let head = "| When | Who | What |\n|---|---|---|\n";
    let mut text = format!("\n### Who did what\n\n{head}");
    for entry in memory.log.iter().rev().take(SHOWN) {
        text.push_str(&line(entry));
    }
    if memory.log.len() > SHOWN {
        text.push_str("\n<details><summary>Earlier</summary>\n\n");
        text.push_str(head);
        for entry in memory.log.iter().rev().skip(SHOWN) {
            text.push_str(&line(entry));
        }
        if memory.dropped > 0 {
            let _ = writeln!(text, "\n{} older lines are in the issue’s own edit history.", memory.dropped);
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// `settled of all` over the whole checklist, for one-line reports.
pub fn progress_line(checklist: &Checklist) -> String {
    let settled = checklist.tasks().filter(|task| task.state != TaskState::Open).count();
    format!("{settled} of {} tasks settled", checklist.tasks().count())
}
