//! The record of ticks and edits: who did what and when, and which edit of a person a write of ours overwrote.
//!
//! The record is evidence, not meaning: labels and phases follow the body as it is.
//!
//! GitHub has no compare-and-swap on a body. So a write of ours may land on top of an edit that a person saved a moment
//! before, undoing it. The wanted properties, and each race with its decision:
//!
//! - A person saves between our second read and our write: the history shows base, theirs, ours. What theirs changed and
//!   ours set back is *lost* and is put back ([`restore`]).
//! - A person saves after our write: theirs is the last act, nothing is lost.
//! - A person's own stale save undoes another person's tick: nobody but they can know; it is recorded, not undone.
//! - After theirs was overwritten, someone changes the same item again before we put it back: their act is the last one
//!   and stands; the older edit is not put back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::checklist::{self, Checklist, TaskState};
use super::fence;
use super::memory::{Entry, Last, Memory, short_digest};
use super::observed::Edit;

/// A task's or field's value at one moment, with what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What people call it.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A value that an edit can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A task's state.
    Task(TaskState),
    /// A field's text, and whether it is a placeholder.
    Field(String, bool),
}

impl Value {
    fn brief(&self) -> String {
        match self {
            Value::Task(TaskState::Open) => "open".to_owned(),
            Value::Task(TaskState::Done) => "done".to_owned(),
            Value::Task(TaskState::NotApplicable) => "na".to_owned(),
            Value::Field(text, _) => short_digest(text),
        }
    }
}

/// All items of a body, by key.
pub fn items(checklist: &Checklist) -> BTreeMap<String, Item> {
    let tasks = checklist
        .tasks()
        .map(|task| (task.key().to_owned(), Item { name: task.text.clone(), value: Value::Task(task.state) }));
    let fields = checklist.fields.iter().map(|field| {
        let value = Value::Field(field.value.clone(), field.empty);
        (field.key().to_owned(), Item { name: field.name.clone(), value })
    });
    tasks.chain(fields).collect()
}

/// What one edit did, in words for the record, in the order of the new body.
fn changes(before: &BTreeMap<String, Item>, after: &Checklist) -> Vec<(String, Item, String)> {
    let now = items(after);
    let order = after.tasks().map(|t| t.key().to_owned()).chain(after.fields.iter().map(|f| f.key().to_owned()));
    let mut found = Vec::new();
    for key in order {
        let Some(item) = now.get(&key) else { continue };
        match before.get(&key) {
            Some(old) if old.value == item.value => {}
            Some(old) => found.push((key, item.clone(), words(&item.name, Some(&old.value), &item.value))),
            None => {
                if let Some(words) = words_for_new(item) {
                    found.push((key, item.clone(), words));
                }
            }
        }
    }
    for (key, old) in before {
        if !now.contains_key(key) {
            found.push((key.clone(), old.clone(), format!("removed {}", named(&old.name))));
        }
    }
    found
}

fn named(name: &str) -> String {
    format!("“{}”", fence::plain(&shorten(name, 80)))
}

fn shorten(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(chars - 1).collect();
    short.push('…');
    short
}

fn words(name: &str, before: Option<&Value>, after: &Value) -> String {
    let name = named(name);
    match (before, after) {
        (_, Value::Task(TaskState::Done)) => format!("ticked {name}"),
        (_, Value::Task(TaskState::NotApplicable)) => format!("marked {name} not applicable"),
        (Some(Value::Task(TaskState::NotApplicable)), Value::Task(TaskState::Open)) => format!("reopened {name}"),
        (_, Value::Task(TaskState::Open)) => format!("unticked {name}"),
        (_, Value::Field(_, true)) => format!("emptied {name}"),
        (_, Value::Field(text, false)) => format!("set {name} to {}", fence::code_span(text, 80)),
    }
}

fn words_for_new(item: &Item) -> Option<String> {
    match &item.value {
        Value::Task(TaskState::Open) => Some(format!("added {}", named(&item.name))),
        Value::Task(_) => Some(words(&item.name, None, &item.value)),
        Value::Field(_, true) => None,
        Value::Field(..) => Some(words(&item.name, None, &item.value)),
    }
}

/// On whose word Wardroom made an edit, for the record: what a command asked for, by the item's key and a digest of its
/// value then.
#[derive(Clone, Debug, Default)]
pub struct OnBehalf {
    /// Wardroom's own login.
    pub mine: String,
    said: BTreeMap<(String, String), String>,
}

impl OnBehalf {
    /// Nobody's commands yet.
    pub fn of(mine: &str) -> Self {
        OnBehalf { mine: mine.to_owned(), said: BTreeMap::new() }
    }

    /// A command asked for this value; the remark is Markdown that mentions nobody.
    pub fn add(&mut self, key: &str, value: &Value, remark: String) {
        self.said.insert((key.to_owned(), value.brief()), remark);
    }

    fn remark(&self, edit: &Edit, key: &str, value: &Value) -> Option<&String> {
        let ours = edit.editor.as_deref() == Some(self.mine.as_str());
        self.said.get(&(key.to_owned(), value.brief())).filter(|_| ours)
    }
}

/// Brings the memory up to the body as it is now: each edit becomes lines of the record, and what no edit explains is
/// "someone, before `now`". Returns whether every change was explained.
pub fn account(memory: &mut Memory, edits: &[Edit], body: &str, now: Timestamp, on_behalf: &OnBehalf) -> bool {
    let first = memory.items.is_empty() && memory.body.is_empty();
    if first {
        let start = edits.first().map_or(body, |edit| edit.before.as_str());
        for (key, item) in items(&Checklist::parse(start)) {
            memory.items.insert(key, Last { v: item.value.brief(), by: None, at: None });
        }
    }
    for edit in edits {
        let before = items(&Checklist::parse(&edit.before));
        let after = Checklist::parse(&edit.after);
        for (key, item, what) in changes(&before, &after) {
            let remark = on_behalf.remark(edit, &key, &item.value);
            let what = remark.map_or(what.clone(), |remark| format!("{what}, {remark}"));
            let removed = !items(&after).contains_key(&key);
            if removed {
                memory.items.remove(&key);
            } else {
                memory.items.insert(key, Last { v: item.value.brief(), by: edit.editor.clone(), at: Some(edit.at) });
            }
            memory.record(Entry { at: edit.at, by: edit.editor.clone(), late: edit.editor.is_none(), what });
        }
        memory.at = memory.at.max(Some(edit.at));
    }
    let checklist = Checklist::parse(body);
    let current = items(&checklist);
    let mut explained = true;
    if memory.sparse {
        for (key, item) in &current {
            memory.items.entry(key.clone()).or_insert(Last { v: item.value.brief(), by: None, at: None });
        }
        memory.sparse = false;
    }
    for (key, item) in &current {
        let brief = item.value.brief();
        let known = memory.items.get(key).map(|last| last.v.clone());
        if known.as_deref() == Some(brief.as_str()) {
            continue;
        }
        explained = false;
        let what = match known {
            Some(_) => Some(words(&item.name, None, &item.value)),
            None => words_for_new(item),
        };
        memory.items.insert(key.clone(), Last { v: brief, by: None, at: Some(now) });
        if let Some(what) = what {
            memory.record(Entry { at: now, by: None, late: true, what });
        }
    }
    memory.items.retain(|key, _| current.contains_key(key));
    memory.body = short_digest(body);
    explained
}

/// Who last touched an item and when, walking the edits from the newest.
pub fn last_touch<'a>(edits: &'a [Edit], key: &str) -> Option<&'a Edit> {
    edits.iter().rev().find(|edit| {
        let before = items(&Checklist::parse(&edit.before));
        let after = items(&Checklist::parse(&edit.after));
        before.get(key).map(|i| &i.value) != after.get(key).map(|i| &i.value)
    })
}

/// A body that puts back what writes of ours set back, and the words for it; `None` if nothing was lost.
///
/// `edits` are all known edits in order, `mine` is our login, `body` the body as it is now. `ordered`: whether a command
/// asked to overwrite what stood in a field, by the item's key, at a moment.
pub fn restore(
    edits: &[Edit],
    mine: &str,
    body: &str,
    ordered: impl Fn(&str, Timestamp) -> bool,
) -> Option<(String, Vec<String>)> {
    let parsed: Vec<BTreeMap<String, Item>> = edits.iter().map(|edit| items(&Checklist::parse(&edit.after))).collect();
    let mut restored = body.to_owned();
    let mut told = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        if edit.editor.as_deref() != Some(mine) || index == 0 {
            continue;
        }
        let later_changes = &edits[index + 1..];
        // Only right behind a person's edit: what ours changed behind one of our own was its repair.
        let behind_a_person = edits[index - 1].editor.as_deref() != Some(mine) && edits[index - 1].after == edit.before;
        if behind_a_person && let Some(next) = restore_text(&edits[..=index], mine, later_changes, &restored) {
            restored = next;
            told.push("putting back text that a write had overwritten".to_owned());
        }
        let before = items(&Checklist::parse(&edit.before));
        let after = &parsed[index];
        for (key, was) in &before {
            let Some(set) = after.get(key) else { continue };
            if set.value == was.value || !is_lost(edits, &parsed, index, key, was, set, mine, &ordered) {
                continue;
            }
            // Whoever touched it since has the last word, and so has our own repair.
            if last_touch(later_changes, key).is_some() {
                continue;
            }
            let checklist = Checklist::parse(&restored);
            if let Some(next) = set_item(&restored, &checklist, key, &was.value)
                && next != restored
            {
                restored = next;
                told.push(format!("putting back {}", named(&was.name)));
            }
        }
    }
    (restored != body).then_some((restored, told))
}

/// Whether the change of `key` in our write `index` set back a person's act.
#[expect(
    clippy::too_many_arguments,
    reason = "one question about one item of one edit; a struct would only rename them"
)]
fn is_lost(
    edits: &[Edit],
    parsed: &[BTreeMap<String, Item>],
    index: usize,
    key: &str,
    was: &Item,
    set: &Item,
    mine: &str,
    ordered: impl Fn(&str, Timestamp) -> bool,
) -> bool {
    let value_before = |at: usize| -> Option<Value> {
        let map = if at == 0 { items(&Checklist::parse(&edits[0].before)) } else { parsed[at - 1].clone() };
        map.get(key).map(|item| item.value.clone())
    };
    // The edit that gave the item the value our write found.
    let setter = (0..index).rev().find(|&at| value_before(at).as_ref() != parsed[at].get(key).map(|i| &i.value));
    let Some(setter) = setter else { return false };
    if edits[setter].editor.as_deref() == Some(mine) || ordered(key, edits[setter].at) {
        return false;
    }
    // An empty field that ours filled was filled on purpose, even if the same words stood there before.
    if matches!(was.value, Value::Field(_, true)) {
        return false;
    }
    let had_it_before = (0..=setter).any(|at| value_before(at).as_ref() == Some(&set.value));
    let never_ours = match (&was.value, &set.value) {
        (Value::Task(_), Value::Task(state)) => *state != TaskState::NotApplicable,
        _ => true,
    };
    had_it_before || never_ours
}

/// The body with one item set to a value; `None` if the item is gone.
fn set_item(body: &str, checklist: &Checklist, key: &str, value: &Value) -> Option<String> {
    let splice = match value {
        Value::Task(TaskState::NotApplicable) => return None,
        Value::Task(state) => checklist.task_by_key(key)?.set_done(body, *state == TaskState::Done),
        Value::Field(text, _) => checklist.field_by_key(key)?.fill(body, text),
    };
    match splice {
        Some(splice) => checklist::apply(body, &[splice]).ok(),
        None => Some(body.to_owned()),
    }
}

/// Puts back the text that a write of ours removed or set back: lines that differ between the body it overwrote and its own
/// ([`is_text`]). Others may have saved since, so each run of lines goes to where its neighbours
/// stand now. A run that stood in a later body was put back already, or a person took it out: it stays as it is.
fn restore_text(until: &[Edit], mine: &str, later: &[Edit], current: &str) -> Option<String> {
    let (edit, earlier) = until.split_last()?;
    let lost = lost_lines(edit, earlier, mine);
    if lost.is_empty() {
        return None;
    }
    let since = similar::TextDiff::from_lines(edit.after.as_str(), current);
    let place_of = |ours: usize| {
        since.ops().iter().find_map(|op| {
            let (old, new) = (op.old_range(), op.new_range());
            (op.tag() == similar::DiffTag::Equal && old.contains(&ours)).then(|| new.start + (ours - old.start))
        })
    };
    let mut lines: Vec<String> = since.new_slices().iter().map(|line| (*line).to_owned()).collect();
    let mut changed = false;
    // From the end, so that the places before stay true.
    for (range, text) in lost.into_iter().rev() {
        let words = text.trim();
        let stood = edit.after.matches(words).count();
        if !words.is_empty() && later.iter().any(|edit| edit.after.matches(words).count() > stood) {
            continue;
        }
        let places: Option<Vec<usize>> = range.clone().map(place_of).collect();
        let start = if range.is_empty() {
            place_of(range.start).or_else(|| Some(place_of(range.start.checked_sub(1)?)? + 1))
        } else {
            places.as_ref().and_then(|places| places.first().copied())
        };
        let together = places.is_some_and(|places| places.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        if let Some(start) = start.filter(|_| together) {
            lines.splice(start..start + range.len(), [text]);
            changed = true;
        }
    }
    changed.then(|| lines.concat())
}

/// Whether a person, and not a write of ours, was the last to take these words out of the body.
fn person_took_out(words: &str, edits: &[Edit], mine: &str) -> bool {
    let fewer = |edit: &&Edit| edit.before.matches(words).count() > edit.after.matches(words).count();
    edits.iter().rev().find(fewer).is_some_and(|edit| edit.editor.as_deref() != Some(mine))
}

/// Whether these words stand in the body only because a write of ours brought back what a person had taken out.
fn stands_by_mistake(words: &str, edits: &[Edit], mine: &str) -> bool {
    let adder = edits.iter().rposition(|edit| edit.before.matches(words).count() < edit.after.matches(words).count());
    adder.is_some_and(|at| edits[at].editor.as_deref() == Some(mine) && person_took_out(words, &edits[..at], mine))
}

/// Whether a run of lines is to be put back as text: it holds no task or field, or a task that a person added, removed,
/// worded anew or marked as not applicable. States of boxes and values of fields are put back one by one, and a run in which
/// ours may have done something on purpose is left to that.
fn is_text(theirs: &[&str], ours: &[&str]) -> bool {
    let read =
        |lines: &[&str]| items(&Checklist::parse(&lines.iter().map(|line| line.trim_start()).collect::<String>()));
    let (theirs, ours) = (read(theirs), read(ours));
    let not_applicable = |item: &Item| item.value == Value::Task(TaskState::NotApplicable);
    let on_purpose = |(key, set): (&String, &Item)| match theirs.get(key) {
        Some(was) if was.value == set.value => false,
        Some(was) => {
            let filled = matches!(was.value, Value::Field(_, true));
            let ticked = (&was.value, &set.value) == (&Value::Task(TaskState::Open), &Value::Task(TaskState::Done));
            not_applicable(set) || filled || ticked
        }
        None => false,
    };
    if ours.iter().any(on_purpose) {
        return false;
    }
    let undone = |(key, was): (&String, &Item)| match ours.get(key) {
        Some(set) => set.name != was.name || (not_applicable(was) && !not_applicable(set)),
        None => true,
    };
    theirs.is_empty() && ours.is_empty()
        || theirs.iter().any(undone)
        || ours.keys().any(|key| !theirs.contains_key(key))
}

/// Runs of lines of the body that a write of ours made, each with the free text that stood there before it. Lines that
/// ours only added are lost work where a person had just taken them out; where a write of ours had, they are its repair,
/// and what stood there comes back behind them.
fn lost_lines(edit: &Edit, earlier: &[Edit], mine: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let diff = similar::TextDiff::from_lines(edit.before.as_str(), edit.after.as_str());
    let run = |op: &similar::DiffOp| {
        let theirs = diff.old_slices().get(op.old_range()).unwrap_or_default();
        let ours = diff.new_slices().get(op.new_range()).unwrap_or_default();
        if op.tag() == similar::DiffTag::Equal || !is_text(theirs, ours) {
            return None;
        }
        let (theirs, ours) = (theirs.concat(), ours.concat());
        let repairs = !ours.trim().is_empty() && !person_took_out(ours.trim(), earlier, mine);
        let nothing_lost = match theirs.trim() {
            "" => repairs || ours.trim().is_empty(),
            words => stands_by_mistake(words, earlier, mine),
        };
        let range = op.new_range();
        (!nothing_lost).then_some((if repairs { range.end..range.end } else { range }, theirs))
    };
    diff.ops().iter().filter_map(run).collect()
}
