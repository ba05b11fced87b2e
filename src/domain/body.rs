//! Which splices of the body are due: what a write of ours overwrote is put back, `na` is carried out, empty fields are
//! filled from others. Nothing else in a body is ever Wardroom's.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::advisory::drift::Part;
use super::answers::Answers;
use super::checklist::{self, Checklist, Splice, TaskState};
use super::command::{Command, Side};
use super::decisions::{Decisions, Ruling, Verdict};
use super::disclosure::Disclosure;
use super::facts::Account;
use super::findings::{self, Findings};
use super::memory::{Memory, short_digest};
use super::observed::{Edit, Observed};
use super::record::{self, OnBehalf, Value};
use super::texts;

/// A due change of the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BodyChange {
    /// The body afterwards; `None` if nothing is due.
    pub body: Option<String>,
    /// What changes, in words.
    pub why: Vec<String>,
    /// Commands that are carried out by it.
    pub applied: Vec<u64>,
    /// Fields that it fills, for [`Memory::filled`].
    pub filled: Vec<String>,
    /// Fields that Wardroom filled before and a person emptied, as the edit history tells.
    pub refilled: Vec<String>,
    /// Whether it puts back what a write of ours overwrote.
    pub repairs: bool,
    /// What would not fit into the body, in words.
    pub blocked: Vec<String>,
    /// Commands that need no change any more: done already, or a person acted on the task since.
    pub settled: Vec<u64>,
}

/// What a change of the body rests on.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The decisions that hold.
    pub decisions: &'a Decisions<'a>,
    /// All commands.
    pub rulings: &'a [Ruling<'a>],
    /// The answers that this look gives.
    pub answers: &'a Answers,
    /// All edits that are known without a gap.
    pub edits: &'a [Edit],
    /// What the status comment remembers.
    pub memory: &'a Memory,
    /// Keys of the fields that hold what Wardroom wrote there, untouched since.
    pub own: &'a BTreeSet<String>,
    /// The advisory, where the policy has a place for one.
    pub disclosure: Option<&'a Disclosure<'a>>,
    /// There was no room to remember who touched which box last: nothing is ticked by proof.
    pub blind: bool,
}

/// Computes the change. Each splice is made from the body as the splices before left it.
pub fn change(observed: &Observed, grounds: &Grounds<'_>) -> BodyChange {
    let Grounds { decisions, rulings, answers, edits, memory, own, disclosure, blind } = *grounds;
    let mut change = BodyChange::default();
    let old = observed.issue.text();
    let mut body = old.to_owned();
    // With a person's own token that person's edits look like Wardroom's, so none of them is put back.
    let restored = if observed.is_bot() {
        let checklist = observed.read(old);
        let ordered = |key: &str, at: Timestamp| is_ordered(grounds, &checklist, key, at);
        record::restore(edits, &observed.me.login, old, ordered)
    } else {
        None
    };
    if let Some((restored, why)) = restored {
        body = restored;
        change.repairs = true;
        change.why.extend(why);
    }
    for ruling in rulings {
        let Ok(Command::NotApplicable { task, reason }) = &ruling.command else { continue };
        let counts = ruling.verdict == Verdict::Counted || answers.accepted(ruling.comment.id);
        if !counts || memory.applied.contains(&ruling.comment.id) {
            continue;
        }
        let checklist = observed.read(&body);
        let Ok(found) = checklist.find_task(task) else {
            change.settled.push(ruling.comment.id);
            continue;
        };
        let said_at = ruling.comment.created_at;
        let touched = touched_since(edits, memory, found.key(), said_at);
        // In a body a name behind an @ would call that person.
        let remark = super::fence::plain(&texts::shorten(reason, 200));
        if touched || found.state == TaskState::NotApplicable {
            change.settled.push(ruling.comment.id);
            continue;
        }
        let what = format!("marking “{}” not applicable", super::fence::plain(&texts::shorten(&found.text, 80)));
        match found.mark_not_applicable(&body, &remark).and_then(|splice| put(&body, splice)) {
            Some(next) => {
                body = next;
                change.why.push(what);
                change.applied.push(ruling.comment.id);
            }
            None if is_full(&body, &remark) => change.blocked.push(what),
            None => change.settled.push(ruling.comment.id),
        }
    }
    if let Some(disclosure) = disclosure {
        take_over(&mut body, &mut change, observed, grounds, disclosure);
    }
    if let Some(disclosure) = disclosure.filter(|_| !blind) {
        tick_what_is_proven(&mut body, &mut change, observed, edits, memory, disclosure);
    }
    let facts = disclosure.map_or_else(Vec::new, Disclosure::facts);
    // A vector gives a score, a score a severity: one round fills them all, for each is computed from the same facts.
    let mut rounds = 0;
    loop {
        let checklist = observed.read(&body);
        let found = Findings::of(&checklist, decisions, own);
        let mut refilled = Vec::new();
        // A fact goes before what a command said.
        let derived = found.derived.iter().filter(|(name, _)| !facts.iter().any(|(known, _)| known == name));
        let due = derived.chain(&facts).find_map(|(name, value)| {
            let field = checklist.field(name)?;
            // A person's value stands, and one that is right needs no writing.
            if !field.empty && (!own.contains(field.key()) || field.value == *value) {
                return None;
            }
            let mark = fill_mark(field.key(), value);
            // What is not empty here is Wardroom's own, and no person emptied it.
            if !field.empty {
                return Some((field.fill(&body, value), mark, *name, value.clone()));
            }
            if memory.filled.contains(&mark) || change.filled.contains(&mark) || change.refilled.contains(&mark) {
                return None;
            }
            if filled_before(edits, &observed.me.login, field.key(), value) {
                refilled.push(mark);
                return None;
            }
            Some((field.fill(&body, value), mark, *name, value.clone()))
        });
        change.refilled.extend(refilled);
        let Some((splice, mark, name, value)) = due else { break };
        let what = format!("filling “{name}” with {}", super::fence::code_span(&value, 120));
        let Some(next) = splice.and_then(|splice| put(&body, splice)) else {
            if is_full(&body, &value) {
                change.blocked.push(what);
            }
            break;
        };
        body = next;
        change.filled.push(mark);
        change.why.push(what);
        rounds += 1;
        if rounds > 8 {
            break;
        }
    }
    change.body = (body != old).then_some(body);
    change
}

/// Carries out `sync from-advisory`, once: the fields say what the advisory says. A field that someone changed since the
/// command stays as it is.
fn take_over(
    body: &mut String,
    change: &mut BodyChange,
    observed: &Observed,
    grounds: &Grounds<'_>,
    disclosure: &Disclosure<'_>,
) {
    for ruling in grounds.rulings {
        let Ok(Command::Sync { from: Side::Advisory, parts }) = &ruling.command else { continue };
        let id = ruling.comment.id;
        let counts = ruling.verdict == Verdict::Counted || grounds.answers.accepted(id);
        // An advisory that cannot be read now may be read at a later look.
        if !counts || grounds.memory.applied.contains(&id) || disclosure.advisory.is_none() {
            continue;
        }
        let mut applied = false;
        for (name, value) in disclosure.values(parts) {
            let checklist = observed.read(body);
            let Some(field) = checklist.field(name) else { continue };
            if field.value == value
                || touched_since(grounds.edits, grounds.memory, field.key(), ruling.comment.created_at)
            {
                continue;
            }
            let what = format!("writing {} into “{name}”", super::fence::code_span(&value, 120));
            match field.fill(body, &value).and_then(|splice| put(body, splice)) {
                Some(next) => {
                    *body = next;
                    change.why.push(what);
                    applied = true;
                }
                None if is_full(body, &value) => change.blocked.push(what),
                None => {}
            }
        }
        let list = if applied { &mut change.applied } else { &mut change.settled };
        list.push(id);
    }
}

/// Whether a `sync from-advisory` that counts was said about this field after a moment: it takes the place of what stood
/// there then.
fn is_ordered(grounds: &Grounds<'_>, checklist: &Checklist, key: &str, at: Timestamp) -> bool {
    grounds.rulings.iter().any(|ruling| {
        let Ok(Command::Sync { from: Side::Advisory, parts }) = &ruling.command else { return false };
        let counts = ruling.verdict == Verdict::Counted || grounds.answers.accepted(ruling.comment.id);
        let named = |part: &Part| parts.is_empty() || parts.contains(part);
        let is_it = |part: Part| checklist.field(part.field()).is_some_and(|field| field.key() == key);
        counts
            && ruling.comment.created_at.is_some_and(|said| said >= at)
            && Part::ALL.into_iter().filter(named).any(is_it)
    })
}

/// Ticks the boxes that facts prove and nobody has touched: a person's last act on a box stands.
fn tick_what_is_proven(
    body: &mut String,
    change: &mut BodyChange,
    observed: &Observed,
    edits: &[Edit],
    memory: &Memory,
    disclosure: &Disclosure<'_>,
) {
    for (anchor, _) in disclosure.proven() {
        let checklist = observed.read(body);
        let Some(task) = checklist.anchored(anchor) else { continue };
        let mark = fill_mark(task.key(), "proven");
        let touched = memory.items.get(task.key()).is_some_and(|last| last.at.is_some() || last.by.is_some())
            || record::last_touch(edits, task.key()).is_some();
        if task.state != TaskState::Open || touched || memory.filled.contains(&mark) {
            continue;
        }
        let what = format!("ticking “{}”", super::fence::plain(&texts::shorten(&task.text, 80)));
        let Some(next) = task.set_done(body, true).and_then(|splice| put(body, splice)) else { continue };
        *body = next;
        change.filled.push(mark);
        change.why.push(what);
    }
}

/// What commands asked for, and who gave them, for the record of Wardroom's own edits.
pub fn on_behalf(
    observed: &Observed,
    decisions: &Decisions<'_>,
    rulings: &[Ruling<'_>],
    checklist: &Checklist,
) -> OnBehalf {
    let mut said = OnBehalf::of(&observed.me.login);
    let by = |author: &Account| format!("by a command of {}", super::fence::login(&author.login));
    for ruling in rulings.iter().filter(|ruling| matches!(ruling.verdict, Verdict::Counted | Verdict::New)) {
        let Ok(Command::NotApplicable { task, reason }) = &ruling.command else { continue };
        let Ok(found) = checklist.find_task(task) else { continue };
        let reason = super::fence::plain(&texts::shorten(reason, 80));
        said.add(found.key(), &Value::Task(TaskState::NotApplicable), format!("{}: {reason}", by(ruling.author)));
    }
    let fields = [
        (findings::SEVERITY, decisions.severity.map(|level| level.title().to_owned()), decisions.severity_by),
        (findings::VECTOR, decisions.vector.map(str::to_owned), decisions.vector_by),
        (findings::CVE, decisions.cve.map(|(cve, _)| cve.to_string()), decisions.cve.map(|(_, author)| author)),
    ];
    for (name, value, author) in fields {
        if let (Some(field), Some(value), Some(author)) = (checklist.field(name), value, author) {
            said.add(field.key(), &Value::Field(value, false), by(author));
        }
    }
    said
}

/// The mark in [`Memory::filled`] of a field and the value that Wardroom wrote there.
fn fill_mark(key: &str, value: &str) -> String {
    format!("{key}={}", short_digest(value))
}

/// Keys of the fields that hold what Wardroom wrote there, untouched since.
pub fn own_fields(observed: &Observed, checklist: &Checklist, edits: &[Edit], memory: &Memory) -> BTreeSet<String> {
    let mine = observed.me.login.as_str();
    let is_own = |field: &&checklist::Field| {
        let last = memory.items.get(field.key()).and_then(|last| last.by.as_deref());
        let marked = || memory.filled.contains(&fill_mark(field.key(), &field.value));
        observed.is_bot()
            && !field.empty
            && last == Some(mine)
            && (marked() || filled_before(edits, mine, field.key(), &field.value))
    };
    checklist.fields.iter().filter(is_own).map(|field| field.key().to_owned()).collect()
}

/// Whether a body is too full for so much more text and the marks around it.
fn is_full(body: &str, more: &str) -> bool {
    body.chars().count() + more.chars().count() + 20 > texts::MAX_BODY_CHARS
}

fn put(body: &str, splice: Splice) -> Option<String> {
    checklist::apply(body, &[splice]).ok()
}

/// Whether someone acted on an item after a command was given: their act is the later one.
fn touched_since(edits: &[Edit], memory: &Memory, key: &str, said_at: Option<Timestamp>) -> bool {
    let later = |at: Timestamp| said_at.is_none_or(|said| at > said);
    let in_edits = record::last_touch(edits, key).is_some_and(|edit| later(edit.at));
    let in_memory = memory.items.get(key).and_then(|last| last.at).is_some_and(later);
    in_edits || in_memory
}

/// Whether Wardroom filled this field with this value before, as the edit history tells where the memory was lost.
fn filled_before(edits: &[Edit], mine: &str, key: &str, value: &str) -> bool {
    edits.iter().filter(|edit| edit.editor.as_deref() == Some(mine)).any(|edit| {
        let before = Checklist::parse(&edit.before);
        let after = Checklist::parse(&edit.after);
        let was_empty = before.field_by_key(key).is_some_and(|field| field.empty);
        was_empty && after.field_by_key(key).is_some_and(|field| field.value == value)
    })
}
