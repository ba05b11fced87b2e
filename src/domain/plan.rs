//! What should be done about a tracking issue, from what is true now. Pure: planning again after the plan was carried out
//! gives an empty plan.

use jiff::{SignedDuration, Timestamp};

use super::advisory::Ghsa;
use super::answers::{self, Deed, Desk, Join};
use super::body::{self, BodyChange, Grounds};
use super::checklist::{Checklist, TaskState};
use super::decisions::{self, Decisions, Ruling, Verdict};
use super::disclosure::{self, Disclosure};
use super::drafting;
use super::facts::{Comment, Issue, IssueState, Reaction, RepoName};
use super::findings::Findings;
use super::incident::{self, ReportId, Standing};
use super::labels::{self, LabelChange};
use super::memory::{CveIntent, Memory, Repair, short_digest};
use super::observed::{Edit, Needs, Observed, ReportSight};
use super::orders;
use super::policy::{DraftWhen, Policy};
use super::record;
use super::status::{self, Parts};
use super::texts;

/// The body is edited only when nobody has changed the issue for so long.
pub const QUIET: SignedDuration = SignedDuration::from_secs(30);

/// How long GitHub's single reads may lag behind a write, with a margin.
pub const READ_LAG: SignedDuration = SignedDuration::from_secs(6);

/// How long an edit history that does not show the newest body is waited for.
const HISTORY_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// One thing to do on a tracking issue.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Change the body, if it still is `expected` byte for byte.
    EditBody {
        /// The body that the change was made from.
        expected: String,
        /// The body afterwards.
        body: String,
        /// What changes, in words.
        why: Vec<String>,
    },
    /// Do something with the advisory, and mark the command that asked for it.
    Advisory {
        /// Where.
        repository: RepoName,
        /// What.
        deed: Box<Deed>,
    },
    /// Close the issue.
    Close {
        /// `not_planned` or `duplicate`.
        reason: &'static str,
    },
    /// Close another incident as a double of this one.
    CloseDouble(Join),
    /// Hang a label on the issue or take it off.
    Label(LabelChange),
    /// Say something once; the marker at its head is looked for before.
    Say {
        /// The issue to say it on, by number.
        on: u64,
        /// The text, beginning with its marker.
        body: String,
    },
    /// Leave the mark that a command was answered.
    React {
        /// The command's comment.
        to: u64,
        /// The mark.
        reaction: Reaction,
    },
    /// Write the status comment.
    Status {
        /// The comment to rewrite; `None` to write the first one.
        id: Option<u64>,
        /// All of its text.
        body: String,
    },
    /// Delete a comment of our own that says the same as an older one.
    DropDouble {
        /// The newer comment.
        id: u64,
    },
}

/// What to do, when to look again, and what to tell the operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In this order; the first that fails for now ends the look.
    pub actions: Vec<Action>,
    /// When something becomes due by the passing of time alone.
    pub wake_at: Option<Timestamp>,
    /// Where the incident stands, for outputs and logs.
    pub summary: Summary,
}

/// Where the incident stands, for outputs, tables and logs. It names no private text.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// The tracking issue's number.
    pub incident: u64,
    /// The phase's label, or the label of the closed state; empty if there is none.
    pub phase: String,
    /// The severity's word; empty if not known.
    pub severity: String,
    /// `12 of 38 tasks settled`.
    pub progress: String,
    /// The tracking issue's page.
    pub url: String,
    /// The next open tasks of the phase, by their anchors; those without one are not named.
    pub next: Vec<String>,
    /// How many things do not fit together or need a person, as the status comment lists them.
    pub to_look_at: usize,
    /// Whether Wardroom is paused here.
    pub paused: bool,
    /// The last edit of the issue, for the operator's table.
    pub updated_at: Option<Timestamp>,
}

/// What must be read before [`plan`] can decide. Empty when nothing is missing.
pub fn needs(observed: &Observed, policy: &Policy, key: Option<&[u8]>) -> Needs {
    let memory = remembered(observed, key);
    let known = memory.clone().unwrap_or_default();
    let rulings = decisions::rulings(observed, &known, policy);
    let mut needs = decisions::needs(observed, &rulings, policy);
    let untouched = memory.is_none() && observed.issue.created_at == observed.issue.updated_at;
    let changed = known.body != short_digest(observed.issue.text());
    let wanted = (!untouched && (changed || may_hide_edits(observed, &known))) || known.repair.is_some();
    if wanted && observed.revisions.is_none() && !observed.lacks(super::observed::Missing::GraphQl) {
        needs.history = Some(known.repair.as_ref().map_or(known.at, |repair| repair.since));
    }
    let is_ours = || is_ours(observed, policy, key);
    if policy.advisories.repository.is_some() && needs.is_empty() && is_ours() {
        let mut decided = Decisions::fold(&rulings);
        decided.drafting = drafting::due(observed, policy, &decided, &known);
        disclosure::needs(observed, policy, &decided, &mut needs);
    }
    needs
}

/// Whether the issue was changed by something that nothing else tells of. It may have been a tick that was taken back:
/// then the body is what it was, and only the history knows.
fn may_hide_edits(observed: &Observed, memory: &Memory) -> bool {
    let status = status_comment(observed).and_then(|comment| comment.updated_at);
    let told = delivered(observed, memory);
    // Only a chain without a gap from the body that is accounted for tells of all that happened.
    let whole = told.first().is_some_and(|edit| short_digest(&edit.before) == memory.body)
        && told.windows(2).all(|pair| pair[0].after == pair[1].before);
    let told = told.last().filter(|_| whole).map(|edit| edit.at);
    let explained = observed.seen.max(status).max(told);
    observed.issue.updated_at.is_some_and(|at| explained.is_none_or(|explained| at > explained))
}

/// Wardroom's status comment: the oldest of its own that carries the head.
fn status_comment(observed: &Observed) -> Option<&Comment> {
    let mine = observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref()));
    mine.filter(|comment| comment.text().starts_with(status::HEAD)).min_by_key(|comment| comment.id)
}

fn remembered(observed: &Observed, key: Option<&[u8]>) -> Option<Memory> {
    status_comment(observed).and_then(|comment| Memory::unseal(comment.text(), key))
}

/// The report that still has to be answered, as far as the status comment knows.
pub fn unanswered(observed: &Observed, policy: &Policy, key: Option<&[u8]>) -> Option<ReportId> {
    let memory = remembered(observed, key).unwrap_or_default();
    let rulings = decisions::rulings(observed, &memory, policy);
    let answered = memory.acknowledged || Decisions::fold(&rulings).paused.is_some();
    let mine = observed.is_mine(observed.issue.user.as_ref());
    let report = incident::marked_report(&Checklist::parse(observed.issue.text()));
    // A private report cannot be answered where it is.
    report.filter(|id| mine && !answered && id.advisory().is_none())
}

/// The body's edits, oldest first.
struct Edits {
    /// All that are known without a gap up to the body as it is now; empty where there is one.
    all: Vec<Edit>,
    /// Those that the record does not hold yet.
    fresh: Vec<Edit>,
}

/// The edits from the history or else from deliveries. `None` while the history does not show the newest body yet.
fn edits(observed: &Observed, memory: &Memory, now: Timestamp) -> Option<Edits> {
    let body = observed.issue.text();
    let same = |text: &str| text.replace("\r\n", "\n").trim_end() == body.replace("\r\n", "\n").trim_end();
    let Some(revisions) = &observed.revisions else {
        let fresh = delivered(observed, memory);
        // A delivery may be lost: only a chain that ends in the body of now tells whose act was the last.
        let complete = observed.edits.last().is_some_and(|edit| same(&edit.after));
        return Some(Edits { all: if complete { observed.edits.clone() } else { Vec::new() }, fresh });
    };
    let newest = revisions.last().and_then(|revision| revision.body.as_deref());
    let waited = observed.issue.updated_at.is_some_and(|at| now.duration_since(at) > HISTORY_PATIENCE);
    let told = observed.edits.last().map(|edit| edit.at);
    let behind = told.is_some() && revisions.last().map(|revision| revision.at) < told;
    if (behind || newest.is_some_and(|text| !same(text))) && !waited {
        return None;
    }
    let pairs = revisions.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        Some(Edit {
            at: after.at,
            editor: after.editor.clone(),
            before: before.body.clone()?,
            after: after.body.clone()?,
        })
    });
    let all: Vec<Edit> = pairs.collect();
    Some(Edits { fresh: after_known(all.clone(), memory), all })
}

/// The edits that deliveries told of and the record does not hold yet.
fn delivered(observed: &Observed, memory: &Memory) -> Vec<Edit> {
    let moved = short_digest(observed.issue.text()) != memory.body;
    let is_new = |edit: &&Edit| memory.at.is_none_or(|at| edit.at > at || (moved && edit.at == at));
    after_known(observed.edits.iter().filter(is_new).cloned().collect(), memory)
}

/// The edits after the one that led to the body which is accounted for.
fn after_known(edits: Vec<Edit>, memory: &Memory) -> Vec<Edit> {
    let edits: Vec<Edit> = edits.into_iter().filter(|edit| memory.at.is_none_or(|at| edit.at >= at)).collect();
    // Several edits of one second share the moment: those up to the body that is accounted for are known.
    let known = edits.iter().rposition(|edit| memory.at == Some(edit.at) && short_digest(&edit.after) == memory.body);
    if let Some(known) = known {
        return edits.into_iter().skip(known + 1).collect();
    }
    let begins = edits.iter().position(|edit| short_digest(&edit.before) == memory.body);
    let ends = edits.iter().position(|edit| short_digest(&edit.after) == memory.body);
    let start = begins.or(ends.map(|at| at + 1)).unwrap_or(0);
    edits.into_iter().skip(start).collect()
}

/// What should be done now. [`needs`] must be empty.
pub fn plan(observed: &Observed, policy: &Policy, now: Timestamp, key: Option<&[u8]>) -> Plan {
    let remembered = remembered(observed, key);
    let mut memory = remembered.clone().unwrap_or_default();
    let rulings = decisions::rulings(observed, &memory, policy);
    let mut folded = Decisions::fold(&rulings);
    folded.drafting = drafting::due(observed, policy, &folded, &memory);
    let mut plan = Plan::default();
    let Some(edits) = edits(observed, &memory, now) else {
        plan.wake_at = Some(now + READ_LAG);
        return plan;
    };
    let old_body = observed.issue.text();
    let paused = folded.paused.is_some();

    let (memory_at, blind) = (memory.at, memory.sparse);
    // The body first: labels and status are computed from the body as it will be.
    let old_checklist = observed.read(old_body);
    let mut on_behalf = body::on_behalf(observed, &folded, &rulings, &old_checklist);
    let old_findings = Findings::of(&old_checklist, &folded, &Default::default());
    let asked = |memory: &Memory, id: &Ghsa| orders::asked(observed, memory, &rulings, id, None);
    let disclosure =
        Disclosure::of(observed, policy, &folded, &old_checklist, &old_findings, true, |id| asked(&memory, id));
    if let Ok(Some(disclosure)) = &disclosure {
        disclosure.remark(&old_checklist, &mut on_behalf);
        disclosure.remark_sync(&rulings, &mut on_behalf);
    }
    record::account(&mut memory, &edits.fresh, old_body, now, &on_behalf);
    let own = body::own_fields(observed, &old_checklist, &edits.all, &memory);
    let answers = answers::answer(
        observed,
        policy,
        &rulings,
        &Desk {
            checklist: &old_checklist,
            own: &own,
            paused,
            memory: &memory,
            now,
            disclosure: disclosure.as_ref().map(Option::as_ref),
        },
    );
    forget_fills(&mut memory, &rulings, &answers, &old_checklist);
    let wanted = if paused {
        BodyChange::default()
    } else {
        let grounds = Grounds {
            decisions: &folded,
            rulings: &rulings,
            answers: &answers,
            edits: &edits.all,
            memory: &memory,
            own: &own,
            disclosure: disclosure.as_ref().ok().and_then(Option::as_ref),
            blind,
        };
        body::change(observed, &grounds)
    };
    memory.filled.extend(wanted.refilled.iter().cloned());
    let since = memory.repair.take().map_or(memory_at, |repair| repair.since);
    let quiet_at = observed.issue.updated_at.and_then(|at| at.checked_add(QUIET).ok());
    let quiet = quiet_at.is_none_or(|at| now >= at);
    let new_body = if quiet { wanted.body.clone() } else { None };
    let waiting = if quiet { Vec::new() } else { wanted.why.clone() };
    match &new_body {
        Some(text) => {
            plan.actions.push(Action::EditBody {
                expected: old_body.to_owned(),
                body: text.clone(),
                why: wanted.why.clone(),
            });
            let edit = Edit {
                // GitHub's times are whole seconds: an edit of the same second must not look older than ours.
                at: whole_second(now),
                editor: Some(observed.me.login.clone()),
                before: old_body.to_owned(),
                after: text.clone(),
            };
            record::account(&mut memory, &[edit], text, now, &on_behalf);
            memory.applied.extend(wanted.applied.iter().copied());
            memory.filled.extend(wanted.filled.iter().cloned());
        }
        None if wanted.body.is_some() => {
            plan.wake_at = quiet_at;
            memory.repair = wanted.repairs.then_some(Repair { since });
        }
        None => {}
    }
    memory.applied.extend(wanted.settled.iter().copied());

    let mut issue = observed.issue.clone();
    if let Some(reason) = answers.close.filter(|_| issue.is_open()) {
        plan.actions.push(Action::Close { reason });
        issue.state = Some(IssueState::Closed);
        issue.state_reason = Some(reason.to_owned());
    }
    let checklist = observed.read(new_body.as_deref().unwrap_or(old_body));
    let standing = Standing::of(&issue, &checklist);
    let findings = Findings::of(&checklist, &folded, &own);
    if let Some(deed) = &answers.deed {
        plan.wake_at = Some(now + READ_LAG);
        // GitHub does not show that it was asked: the intent is written before.
        if let Deed::RequestCve { approval } = deed
            && let Some(comment) = approval.comments().first().copied()
            && memory.cve.as_ref().is_none_or(|intent| intent.comment != comment)
        {
            memory.cve = Some(CveIntent { comment, ghsa: approval.ghsa().clone(), at: whole_second(now) });
        }
    }
    plan.wake_at = [plan.wake_at, answers.wait_until].into_iter().flatten().min();
    let by_itself = disclosure.as_ref().ok().and_then(Option::as_ref).and_then(|disclosure| {
        let due = folded
            .drafting
            .filter(|due| due.may_be_made(now) && answers.deed.is_none() && observed.drafts.is_some())?;
        disclosure.linked.is_none().then(|| (due, disclosure.to_make()))
    });
    let by_itself = by_itself.map(|(due, (advisory, paste))| {
        plan.wake_at = Some(now + READ_LAG);
        memory.drafting = due.tried.or(Some(whole_second(observed.server_time.unwrap_or(now))));
        Deed::Draft { to: None, advisory: Box::new(advisory), paste }
    });
    // What must be written down before it is done comes after the status comment.
    let (deed, last_deed) = match answers.deed.clone().or(by_itself) {
        Some(deed @ (Deed::RequestCve { .. } | Deed::Draft { to: None, .. })) => (None, Some(deed)),
        deed => (deed, None),
    };
    let action = |deed: Deed| {
        let repository = policy.advisories.repository.clone()?;
        Some(Action::Advisory { repository, deed: Box::new(deed) })
    };
    let (deed, last_deed) = (deed.and_then(action), last_deed.and_then(action));
    plan.actions.extend(deed);
    // A command that this look refuses decides nothing, or the next look would say something else.
    let stands = |ruling: &&Ruling<'_>| {
        ruling.verdict != Verdict::New || answers.accepted(ruling.comment.id) || answers.acts_on(ruling.comment.id)
    };
    let standing_rulings: Vec<Ruling<'_>> = rulings.iter().filter(stands).cloned().collect();
    let mut decided = Decisions::fold(&standing_rulings);
    decided.drafting = folded.drafting;
    let refused_link = decided.linked.is_none() && folded.linked.is_some();
    let disclosure =
        Disclosure::of(observed, policy, &decided, &checklist, &findings, !refused_link, |id| asked(&memory, id));
    let cve_pending = disclosure.as_ref().ok().and_then(Option::as_ref).and_then(Disclosure::awaits_cve);
    let labels = labels::changes(&issue, &checklist, &standing, &findings, paused, cve_pending, policy);

    // A look that keeps failing writes the status first, before it has answered anything.
    let says_failing = observed.failures >= 10;
    if !says_failing {
        memory.answered.extend(answers.marks.iter().map(|(to, answer, _)| (*to, *answer)));
    }
    memory.acknowledged |= observed.acknowledged;
    if policy.draft == DraftWhen::AtMitigation && incident::named_advisory(&checklist).is_some() {
        memory.filled.insert(drafting::NAMED.to_owned());
    }
    match &observed.report {
        ReportSight::NotRead => {}
        ReportSight::Present => memory.report = None,
        ReportSight::Changed(words) => memory.report = Some(words.clone()),
    }
    say(observed, policy, &checklist, &standing, &issue, &rulings, &answers, paused, &mut plan);
    plan.actions.extend(answers.join.clone().map(Action::CloseDouble));
    for (to, _, reaction) in &answers.marks {
        plan.actions.push(Action::React { to: *to, reaction: *reaction });
    }
    let parts = Parts {
        checklist: &checklist,
        standing: &standing,
        findings: &findings,
        decisions: &folded,
        rulings: &rulings,
        memory: &memory,
        waiting: &waiting,
        blocked: &wanted.blocked,
        disclosure: disclosure.as_ref().map(Option::as_ref),
    };
    if let Some(action) = write_status(observed, policy, &parts, remembered.as_ref(), key) {
        let at = if says_failing { 0 } else { plan.actions.len() };
        plan.actions.insert(at, action);
    }
    plan.actions.extend(last_deed);
    if !paused {
        plan.actions.extend(doubles(observed));
    }
    // Labels come last: a closed issue that carries its last label needs no more looks, whatever crashed before.
    plan.actions.extend(labels.into_iter().map(Action::Label));
    plan.summary = Summary {
        incident: observed.issue.number,
        phase: labels::phase_label(&checklist, &standing, policy).map(|label| label.name).unwrap_or_default(),
        severity: findings.severity.map(|level| level.word().to_owned()).unwrap_or_default(),
        progress: status::progress_line(&checklist),
        url: observed.issue.html_url.clone(),
        next: next_anchors(&checklist, &standing),
        to_look_at: findings.contradictions.len() + usize::from(memory.report.is_some()),
        paused,
        updated_at: observed.issue.updated_at,
    };
    plan
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The anchors of the first open tasks of the phase that the incident is in.
fn next_anchors(checklist: &Checklist, standing: &Standing) -> Vec<String> {
    let phase = match standing {
        Standing::Phase(index) => checklist.phases.get(*index),
        _ => None,
    };
    let open = phase.into_iter().flat_map(|phase| &phase.tasks).filter(|task| task.state == TaskState::Open);
    open.filter_map(|task| task.anchor.clone()).take(3).collect()
}

/// A new `severity` or `cvss` asks for its field to be filled again, even if a person emptied it before.
fn forget_fills(memory: &mut Memory, rulings: &[Ruling<'_>], answers: &answers::Answers, checklist: &Checklist) {
    for ruling in rulings.iter().filter(|ruling| answers.accepted(ruling.comment.id)) {
        let name = match &ruling.command {
            Ok(super::command::Command::Severity(_)) => super::findings::SEVERITY,
            Ok(super::command::Command::Cvss(_)) => super::findings::VECTOR,
            _ => continue,
        };
        if let Some(field) = checklist.field(name).filter(|field| field.empty) {
            let prefix = format!("{}=", field.key());
            memory.filled.retain(|mark| !mark.starts_with(&prefix));
        }
    }
}

/// Comments that are due once: answers to commands, the closing note, the draft answer, the note on a merged incident.
#[expect(clippy::too_many_arguments, reason = "the parts of one look, named; a struct would only rename them")]
fn say(
    observed: &Observed,
    policy: &Policy,
    checklist: &Checklist,
    standing: &Standing,
    issue: &Issue,
    rulings: &[Ruling<'_>],
    answers: &answers::Answers,
    paused: bool,
    plan: &mut Plan,
) {
    let here = observed.issue.number;
    let mut due: Vec<String> = answers.replies.iter().map(|(to, text)| texts::reply(*to, text)).collect();
    if !paused {
        if let (Standing::ClosedEarly(_), Some(at)) = (standing, issue.closed_at) {
            due.push(texts::closed_early(checklist, &at.to_string()));
        }
        if *standing == Standing::Rejected && !is_double(observed) {
            let (why, reason) = answers::turned_down(rulings, issue);
            due.push(texts::draft_answer(why, reason, policy));
        }
    }
    for body in due {
        if !already_said(observed, &body) {
            plan.actions.push(Action::Say { on: here, body });
        }
    }
    for (into, body) in &answers.elsewhere {
        plan.actions.push(Action::Say { on: *into, body: body.clone() });
    }
}

/// The marker at the head of one of our own texts.
pub fn head_marker(body: &str) -> Option<&str> {
    let line = body.lines().next()?;
    (line.starts_with("<!-- wardroom:") && line.ends_with(" -->")).then_some(line)
}

/// Whether we closed this issue because it was opened twice: its reporter is answered in the other one.
fn is_double(observed: &Observed) -> bool {
    let head = format!("<!-- wardroom:{} ", texts::DOUBLE_OF);
    let mut mine = observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref()));
    mine.any(|comment| comment.text().starts_with(&head))
}

fn already_said(observed: &Observed, body: &str) -> bool {
    let wanted = head_marker(body);
    let mut mine = observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref()));
    wanted.is_some() && mine.any(|comment| head_marker(comment.text()) == wanted)
}

fn write_status(
    observed: &Observed,
    policy: &Policy,
    parts: &Parts<'_>,
    remembered: Option<&Memory>,
    key: Option<&[u8]>,
) -> Option<Action> {
    let existing = status_comment(observed);
    let fitted = status::fit(observed, policy, parts, key);
    if let Some(existing) = existing {
        let pause_said = parts.decisions.paused.is_some() && existing.text().contains("\n**Paused** by ");
        let same = Memory::visible(existing.text()).trim_end() == fitted.visible.trim_end();
        // An answer's own mark is its reaction; where that can be read, the note of it waits for the next change.
        let mut known = remembered.cloned();
        if let Some(known) = known.as_mut().filter(|_| !observed.lacks(super::observed::Missing::GraphQl)) {
            known.answered.clone_from(&fitted.memory.answered);
        }
        if pause_said || (same && known.as_ref() == Some(&fitted.memory)) {
            return None;
        }
    }
    Some(Action::Status { id: existing.map(|comment| comment.id), body: fitted.body })
}

/// Our own comments that carry the same marker as an older one of ours.
fn doubles(observed: &Observed) -> Vec<Action> {
    let mut seen: Vec<&str> = Vec::new();
    let mut doubles = Vec::new();
    for comment in observed.comments.iter().filter(|comment| observed.is_mine(comment.user.as_ref())) {
        let Some(marker) = head_marker(comment.text()) else { continue };
        if seen.contains(&marker) {
            doubles.push(Action::DropDouble { id: comment.id });
        } else {
            seen.push(marker);
        }
    }
    doubles
}

/// Whether an issue is a tracking issue of ours: we opened it and it carries our marker, or someone who may adopted it.
pub fn is_ours(observed: &Observed, policy: &Policy, key: Option<&[u8]>) -> bool {
    let checklist = Checklist::parse(observed.issue.text());
    if observed.is_mine(observed.issue.user.as_ref()) && incident::marked_report(&checklist).is_some() {
        return true;
    }
    let memory = remembered(observed, key).unwrap_or_default();
    let rulings = decisions::rulings(observed, &memory, policy);
    Decisions::fold(&rulings).adopted.is_some()
}
