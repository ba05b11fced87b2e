//! What each new command is answered: with a mark, with words where they are due, and with a closed issue where it asks
//! for one.

mod advisory;
mod publishing;
mod triage;

pub(super) use publishing::FORK;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::advisory::Ghsa;
use super::advisory::approval::{Act, Approval};
use super::advisory::request::{AdvisoryPatch, NewAdvisory};
use super::checklist::{Checklist, TaskLookup};
use super::command::{self, Close, Command};
use super::cvss::{Severity, Vector};
use super::decisions::{Ruling, Verdict};
use super::disclosure::Disclosure;
use super::facts::{Issue, Reaction, Role};
use super::fence;
use super::findings::{SEVERITY, VECTOR};
use super::incident;
use super::memory::{Answer, Memory};
use super::observed::Observed;
use super::policy::{LabelKey, Place, Policy};
use super::template::TemplateError;
use super::texts::{self, TurnedDown};

/// The answers that are due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Marks to leave: the comment, what it means, the reaction.
    pub marks: Vec<(u64, Answer, Reaction)>,
    /// Replies to write: the comment they answer, the text.
    pub replies: Vec<(u64, String)>,
    /// Comments to write on other tracking issues.
    pub elsewhere: Vec<(u64, String)>,
    /// Another incident, opened for the same private report, is to be closed as a double of this one.
    pub join: Option<Join>,
    /// The issue is to be closed, with this `state_reason`.
    pub close: Option<&'static str>,
    /// What is to be done with the advisory: one thing a look, the next one when this one is seen to be done.
    pub deed: Option<Deed>,
    /// When an order can be judged that is too young now.
    pub wait_until: Option<Timestamp>,
}

/// Another incident of the same private report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its number.
    pub number: u64,
    /// The report.
    pub report: Ghsa,
}

/// Something to do with the advisory, for a command. Whoever does it marks the command, unless it says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Make a draft.
    Draft {
        /// The command's comment; none where the policy asks for it.
        to: Option<u64>,
        /// What it says.
        advisory: Box<NewAdvisory>,
        /// The same for a person to paste.
        paste: String,
    },
    /// Change fields.
    Edit {
        /// The command's comment.
        to: u64,
        /// Which advisory.
        id: Ghsa,
        /// When it was last changed, as the change was made from it.
        seen: Option<Timestamp>,
        /// The change.
        patch: Box<AdvisoryPatch>,
        /// Whether the command is marked by its outcome; else it counts however this ends.
        marks: bool,
    },
    /// Publish, accept or close.
    Conclude {
        /// Who ordered what.
        approval: Approval,
        /// What a person can do where GitHub refuses, in Markdown.
        otherwise: String,
    },
    /// Ask for a CVE ID.
    RequestCve {
        /// Who ordered it.
        approval: Approval,
    },
}

impl Deed {
    /// The comments that it answers.
    fn comments(&self) -> Vec<u64> {
        match self {
            Deed::Draft { to, .. } => to.iter().copied().collect(),
            Deed::Edit { to, .. } => vec![*to],
            Deed::Conclude { approval, .. } | Deed::RequestCve { approval } => approval.comments().to_vec(),
        }
    }
}

impl Answers {
    /// Whether this look accepts the command in this comment.
    pub fn accepted(&self, comment: u64) -> bool {
        self.marks.iter().any(|(to, answer, _)| *to == comment && *answer == Answer::Yes)
    }

    /// Whether this look does what the command in this comment asks for.
    pub fn acts_on(&self, comment: u64) -> bool {
        self.deed.as_ref().is_some_and(|deed| deed.comments().contains(&comment))
    }

    /// Puts a deed down, if there is none yet. A command whose turn has not come stays as it is.
    fn act(&mut self, deed: Deed) {
        self.deed.get_or_insert(deed);
    }

    fn wait(&mut self, until: Timestamp) {
        self.wait_until = Some(self.wait_until.map_or(until, |known| known.min(until)));
    }

    fn yes(&mut self, ruling: &Ruling<'_>) {
        self.marks.push((ruling.comment.id, Answer::Yes, Reaction::Rocket));
    }

    fn words(&mut self, ruling: &Ruling<'_>, text: String) {
        self.replies.push((ruling.comment.id, text));
        self.marks.push((ruling.comment.id, Answer::Words, Reaction::Eyes));
    }

    fn no(&mut self, ruling: &Ruling<'_>, why: String) {
        self.replies.push((ruling.comment.id, why));
        self.marks.push((ruling.comment.id, Answer::No, Reaction::Confused));
    }
}

/// What a command finds on the tracking issue.
pub struct Desk<'a> {
    /// The body as it is.
    pub checklist: &'a Checklist,
    /// Keys of the fields that hold what Wardroom wrote there, untouched since.
    pub own: &'a BTreeSet<String>,
    /// Whether Wardroom is paused here.
    pub paused: bool,
    /// What the status comment remembers.
    pub memory: &'a Memory,
    /// The time by our own clock.
    pub now: Timestamp,
    /// The advisory, where the policy has a place for one; or why its text cannot be made.
    pub disclosure: Result<Option<&'a Disclosure<'a>>, &'a TemplateError>,
}

/// Answers every command that has none yet.
pub fn answer(observed: &Observed, policy: &Policy, rulings: &[Ruling<'_>], desk: &Desk<'_>) -> Answers {
    let mut answers = Answers::default();
    for ruling in rulings {
        match (ruling.verdict, &ruling.command) {
            (Verdict::New, Ok(command)) => accept(&mut answers, observed, policy, desk, rulings, ruling, command),
            (Verdict::Unreadable, Err(error)) => answers.no(ruling, error.to_string()),
            (Verdict::Waiting | Verdict::Counted, Ok(command)) => {
                match command {
                    Command::Link(id) => advisory::join(&mut answers, observed, ruling, desk, id),
                    Command::Accept(id) => triage::follow_up(&mut answers, ruling, desk, Act::Accept, id),
                    Command::Reject { ghsa, .. } => triage::follow_up(&mut answers, ruling, desk, Act::Reject, ghsa),
                    _ => publishing::follow_up(&mut answers, observed, policy, rulings, ruling, desk, command),
                }
            }
            (Verdict::NotAllowed { need, has, named, on }, Ok(command)) => {
                answers.no(ruling, not_allowed(command.word(), need, has, named, on));
            }
            (Verdict::Edited, _) => answers.no(
                ruling,
                "This comment was edited, and anyone with write access can edit another person’s words. So it does not \
                 count. Nothing was done. Please say it again in a new comment."
                    .to_owned(),
            ),
            _ => {}
        }
    }
    answers
}

fn accept(
    answers: &mut Answers,
    observed: &Observed,
    policy: &Policy,
    desk: &Desk<'_>,
    rulings: &[Ruling<'_>],
    ruling: &Ruling<'_>,
    command: &Command,
) {
    let checklist = desk.checklist;
    match command {
        Command::Help => answers.words(ruling, command::help_text(policy)),
        Command::Adopt if observed.is_mine(observed.issue.user.as_ref()) => answers.words(
            ruling,
            "This is a tracking issue of Wardroom’s already. Nothing was changed.".to_owned(),
        ),
        Command::Adopt => {
            let text = format!(
                "From now on this is a tracking issue: {}, {} fields. Labels and the status comment follow the ticks here.",
                super::status::progress_line(checklist),
                checklist.fields.len()
            );
            answers.replies.push((ruling.comment.id, text));
            answers.yes(ruling);
        }
        Command::Pause | Command::Resume => answers.yes(ruling),
        Command::NotApplicable { task, .. } => match checklist.find_task(task) {
            Ok(_) => answers.yes(ruling),
            Err(TaskLookup::NotFound) => answers.no(
                ruling,
                format!(
                    "There is no task {} here. Nothing was changed. Name it by its anchor (`T12`, as the status comment \
                     shows it) or by the beginning of its text in quotes: `/wardroom na \"Prepare updated\" REASON`.",
                    fence::code_span(task, 80)
                ),
            ),
            Err(TaskLookup::Ambiguous(texts)) => {
                let names: Vec<String> = texts.iter().take(5).map(|text| fence::code_span(text, 100)).collect();
                answers.no(
                    ruling,
                    format!(
                        "More than one task begins with {}: {}. Nothing was changed. Please write more of it.",
                        fence::code_span(task, 80),
                        names.join(", ")
                    ),
                );
            }
        },
        Command::Severity(level) => set_field(answers, ruling, desk, SEVERITY, level.title(), |value| {
            value.parse::<Severity>().is_ok_and(|said| said == *level)
        }),
        Command::Cvss(vector) => set_field(answers, ruling, desk, VECTOR, vector, |value| {
            Vector::parse(value).is_ok_and(|said| said.to_string() == *vector)
        }),
        Command::Close(_) | Command::Merge { .. } if desk.paused => answers.no(
            ruling,
            "Wardroom is paused here, so the issue was not closed. Say `/wardroom resume` and then this again, or close \
             the issue by hand."
                .to_owned(),
        ),
        Command::Close(close) => close_as(answers, observed, policy, ruling, close),
        Command::Merge { into } => merge(answers, observed, policy, ruling, *into),
        _ if desk.paused => answers.no(
            ruling,
            "Wardroom is paused here, so nothing was done. Say `/wardroom resume` and then this again.".to_owned(),
        ),
        // One thing a look: the next one has to see what this one did.
        _ if answers.deed.is_some() => answers.wait(desk.now + super::plan::READ_LAG),
        Command::Draft => advisory::draft(answers, observed, ruling, desk),
        Command::Link(id) => advisory::link(answers, observed, ruling, desk, id),
        Command::Sync { from, parts } => advisory::sync(answers, ruling, desk, *from, parts),
        Command::CveSet(cve) => advisory::set_cve(answers, ruling, desk, cve),
        Command::Accept(id) => triage::decide(answers, observed, policy, ruling, desk, Act::Accept, id),
        Command::Reject { ghsa, .. } => triage::decide(answers, observed, policy, ruling, desk, Act::Reject, ghsa),
        Command::CveRequest(id) => publishing::request_cve(answers, observed, policy, rulings, ruling, desk, id),
        Command::Publish { .. } | Command::Approve(_) => {
            publishing::publish(answers, observed, policy, rulings, ruling, desk, command);
        }
    }
}

/// A command fills an empty field and changes what an earlier command wrote. It overwrites nothing of a person's.
fn set_field(
    answers: &mut Answers,
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    name: &str,
    value: &str,
    same: impl Fn(&str) -> bool,
) {
    match desk.checklist.field(name) {
        Some(field) if !field.empty && !same(&field.value) && !desk.own.contains(field.key()) => answers.no(
            ruling,
            format!(
                "The field **{name}** says {}, which a person wrote, and a command does not overwrite that. Nothing was \
                 changed. Edit the field in the issue if {} is right.",
                fence::code_span(&field.value, 120),
                fence::code_span(value, 120)
            ),
        ),
        _ => answers.yes(ruling),
    }
}

fn close_as(answers: &mut Answers, observed: &Observed, policy: &Policy, ruling: &Ruling<'_>, close: &Close) {
    if let Close::Duplicate { of } = close
        && let Some(why) = bad_target(observed, policy, *of)
    {
        answers.no(ruling, why);
        return;
    }
    answers.close = Some(if matches!(close, Close::Duplicate { .. }) { "duplicate" } else { "not_planned" });
    answers.yes(ruling);
}

fn merge(answers: &mut Answers, observed: &Observed, policy: &Policy, ruling: &Ruling<'_>, into: u64) {
    if let Some(why) = bad_target(observed, policy, into) {
        answers.no(ruling, why);
        return;
    }
    let target = observed.others.get(&into).and_then(Option::as_ref);
    if target.is_some_and(|issue| !issue.is_open()) {
        answers.no(
            ruling,
            format!(
                "`#{into}` is closed, and nobody works there. Nothing was changed. Reopen it first; or, if this \
                 one needs no work of its own, say `/wardroom close duplicate #{into}`."
            ),
        );
        return;
    }
    let here = Checklist::parse(observed.issue.text());
    let report = incident::marked_report(&here);
    let note = texts::merged_here(observed.issue.number, report.as_ref(), &ruling.author.login);
    answers.elsewhere.push((into, note));
    answers.replies.push((ruling.comment.id, format!("Merged into #{into}. Work goes on there.")));
    answers.close = Some("duplicate");
    answers.yes(ruling);
}

/// Why an issue cannot be the other incident, in words; `None` if it can. One that was adopted is known by its label.
fn bad_target(observed: &Observed, policy: &Policy, number: u64) -> Option<String> {
    if number == observed.issue.number {
        return Some("That is this incident itself. Nothing was changed.".to_owned());
    }
    let other = observed.others.get(&number).and_then(Option::as_ref);
    let label = policy.label(LabelKey::Incident).name;
    let is_incident = other.is_some_and(|issue| {
        let opened =
            observed.is_mine(issue.user.as_ref()) && incident::marked_report(&Checklist::parse(issue.text())).is_some();
        issue.pull_request.is_none() && (opened || issue.has_label(&label))
    });
    (!is_incident).then(|| {
        format!(
            "`#{number}` is not a tracking issue of Wardroom’s in this repository. Nothing was changed. Give the number of \
             the other incident’s tracking issue."
        )
    })
}

fn not_allowed(word: &str, need: Role, has: Role, named: bool, on: Place) -> String {
    let role = |role: Role| match role {
        Role::None => "no role",
        Role::Read => "the read role",
        Role::Triage => "the triage role",
        Role::Write => "the write role",
        Role::Maintain => "the maintain role",
        Role::Admin => "the admin role",
    };
    if has < need && on == Place::Advisories {
        format!(
            "`/wardroom {word}` needs {} on the advisories’ repository, and as far as Wardroom can see you have {} there. \
             Nothing was done. Someone with that role can say it; roles are set under Settings, Collaborators and teams.",
            role(need),
            role(has)
        )
    } else if has < need {
        format!(
            "`/wardroom {word}` needs {} on this repository, and you have {}. Nothing was changed. Someone with that role \
             can say it; roles are set under Settings, Collaborators and teams.",
            role(need),
            role(has)
        )
    } else {
        debug_assert!(named);
        format!(
            "The policy’s `roles` names who may say `/wardroom {word}`, and you are not among them. Nothing was changed. The \
             policy is `.github/wardroom.yml` in this repository."
        )
    }
}

/// A closing so long after a command is taken to be another one's, as after a reopening.
const CLOSING_TAKES: SignedDuration = SignedDuration::from_hours(1);

/// Why the incident was turned down, and in whose words: the `close` or `merge` that closed it, else the issue's own
/// `state_reason`.
pub fn turned_down<'a>(rulings: &'a [Ruling<'_>], issue: &Issue) -> (TurnedDown, Option<&'a str>) {
    let closed_it = |ruling: &&Ruling<'_>| {
        let took = issue.closed_at.zip(ruling.comment.created_at).map(|(closed, said)| closed.duration_since(said));
        took.is_none_or(|took| took <= CLOSING_TAKES)
    };
    let counts = |ruling: &&Ruling<'_>| match ruling.verdict {
        Verdict::New => true,
        Verdict::Counted => closed_it(ruling),
        _ => false,
    };
    let by_command = rulings.iter().rev().filter(counts).find_map(|ruling| match &ruling.command {
        Ok(Command::Close(Close::Invalid { reason })) => Some((TurnedDown::Invalid, reason.as_deref())),
        Ok(Command::Close(Close::Duplicate { .. }) | Command::Merge { .. }) => Some((TurnedDown::Duplicate, None)),
        Ok(Command::Close(Close::OutOfScope { reason })) => Some((TurnedDown::OutOfScope, Some(reason.as_str()))),
        _ => None,
    });
    by_command.unwrap_or(match issue.state_reason.as_deref() {
        Some("duplicate") => (TurnedDown::Duplicate, None),
        _ => (TurnedDown::NotPlanned, None),
    })
}
