//! What people did, kept so that each act can be looked for again: this is how the page knows that nothing was lost.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::checklist::{Checklist, TaskState};
use crate::domain::facts::RepoName;
use crate::domain::record::{self, Item, Value};
use crate::sim::World;

/// Something that a person did.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) at: Timestamp,
    pub(super) who: String,
    /// `ticked “Reproduce the vulnerability”`.
    pub(super) what: String,
    pub(super) trace: Trace,
}

/// What a deed leaves behind, if nothing is lost.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trace {
    /// There is such an issue.
    Issue(u64),
    /// A task or field of an issue has this value; `None`: it is gone.
    Item { issue: u64, key: String, value: Option<Value> },
    /// A line stands in an issue's text, or does not.
    Line { issue: u64, line: String, there: bool },
    /// An issue has a comment with these words.
    Comment { issue: u64, id: u64, text: String },
    /// A label hangs on an issue, or does not.
    Label { issue: u64, name: String, on: bool },
    /// An issue is open, or not.
    Open { issue: u64, open: bool },
}

impl Trace {
    /// Whether it is there now.
    fn is_there(&self, world: &World, repo: &RepoName) -> bool {
        match self {
            Trace::Issue(number) => world.issue_now(repo, *number).is_some(),
            Trace::Item { issue, key, value } => {
                let items = record::items(&Checklist::parse(&world.body(repo, *issue)));
                items.get(key).map(|item| &item.value) == value.as_ref()
            }
            Trace::Line { issue, line, there } => {
                world.body(repo, *issue).lines().any(|found| found.trim() == line) == *there
            }
            Trace::Comment { issue, id, text } => {
                world.comments_of(repo, *issue).iter().any(|said| said.id == *id && said.text == *text)
            }
            Trace::Label { issue, name, on } => {
                world.labels_of(repo, *issue).iter().any(|known| known.eq_ignore_ascii_case(name)) == *on
            }
            Trace::Open { issue, open } => world.issue_now(repo, *issue).is_some_and(|found| found.is_open()) == *open,
        }
    }

    /// Whether a later deed is about the same thing, so that it alone has to stand.
    fn is_overtaken_by(&self, later: &Trace) -> bool {
        match (self, later) {
            (Trace::Item { issue: a, key: x, .. }, Trace::Item { issue: b, key: y, .. }) => a == b && x == y,
            (Trace::Label { issue: a, name: x, .. }, Trace::Label { issue: b, name: y, .. }) => {
                a == b && x.eq_ignore_ascii_case(y)
            }
            (Trace::Open { issue: a, .. }, Trace::Open { issue: b, .. }) => a == b,
            (Trace::Line { issue: a, line: x, .. }, Trace::Line { issue: b, line: y, .. }) => a == b && x == y,
            _ => false,
        }
    }
}

/// The deeds of an edit of a text: one for each task and field that it changed, and one for each other line it added.
pub(super) fn of_edit(at: Timestamp, who: &str, issue: u64, before: &str, after: &str) -> Vec<Deed> {
    let (old, new) = (Checklist::parse(before), Checklist::parse(after));
    let (was, is) = (record::items(&old), record::items(&new));
    let deed = |what: String, trace: Trace| Deed { at, who: who.to_owned(), what, trace };
    let mut deeds = Vec::new();
    for (key, item) in &is {
        let old = was.get(key).map(|item| &item.value);
        if old != Some(&item.value) {
            let trace = Trace::Item { issue, key: key.clone(), value: Some(item.value.clone()) };
            deeds.push(deed(words(item), trace));
        }
    }
    let gone = was.iter().filter(|(key, _)| !is.contains_key(*key));
    deeds.extend(gone.map(|(key, item)| {
        deed(format!("removed “{}”", item.name), Trace::Item { issue, key: key.clone(), value: None })
    }));
    let (had, has) = (other_lines(before, &old), other_lines(after, &new));
    for (from, to, there, verb) in [(&had, &has, true, "wrote"), (&has, &had, false, "removed")] {
        for line in to.difference(from) {
            let trace = Trace::Line { issue, line: (*line).to_owned(), there };
            deeds.push(deed(format!("{verb} “{}”", short(line)), trace));
        }
    }
    deeds
}

/// The lines that are neither empty nor a task or field, which are told of by themselves.
fn other_lines<'t>(text: &'t str, checklist: &Checklist) -> BTreeSet<&'t str> {
    let items: BTreeSet<usize> =
        checklist.tasks().map(|task| task.line).chain(checklist.fields.iter().map(|field| field.line)).collect();
    let lines = text.lines().map(str::trim).enumerate();
    lines.filter(|(index, line)| !line.is_empty() && !items.contains(&(index + 1))).map(|(_, line)| line).collect()
}

fn words(item: &Item) -> String {
    let name = short(&item.name);
    match &item.value {
        Value::Task(TaskState::Done) => format!("ticked “{name}”"),
        Value::Task(TaskState::Open) => format!("unticked “{name}”"),
        Value::Task(TaskState::NotApplicable) => format!("marked “{name}” not applicable"),
        Value::Field(_, true) => format!("emptied “{name}”"),
        Value::Field(text, false) => format!("set “{name}” to {}", short(text)),
    }
}

/// At most 70 characters of one line.
pub(super) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 70 && line.len() == text.len() {
        return text.to_owned();
    }
    line.chars().take(69).chain(['…']).collect()
}

/// Each deed since a moment, and whether it stands. Of several about the same thing only the last has to.
pub(super) fn check(deeds: &[Deed], world: &World, repo: &RepoName) -> Vec<(String, bool)> {
    let mut checks = Vec::new();
    for (index, deed) in deeds.iter().enumerate() {
        let later = deeds.get(index + 1..).unwrap_or_default();
        let overtaken = later.iter().find(|later| deed.trace.is_overtaken_by(&later.trace));
        let what = format!("{} {}", deed.who, deed.what);
        match overtaken {
            Some(later) => checks.push((format!("{what}, until {} {}", later.who, later.what), true)),
            None => checks.push((what, deed.trace.is_there(world, repo))),
        }
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Role;
    use crate::sim::Visibility;

    const BODY: &str = "## Phase 1: A\n\n- [ ] one\n- [ ] two\n- **Root cause**: \n\nWords.\n";

    fn world() -> (World, RepoName, u64) {
        let world = World::new();
        let repo: RepoName = "octo/security".parse().unwrap();
        world.add_repo(&repo, Visibility::Private);
        world.add_user("bob");
        world.collaborator(&repo, "bob", Role::Write);
        let number = world.person("bob").open_issue(&repo, "t", BODY, &[]).unwrap();
        (world, repo, number)
    }

    #[test]
    fn what_an_edit_did_is_looked_for_item_by_item_and_a_loss_is_seen() {
        let (world, repo, number) = world();
        let before = world.body(&repo, number);
        let after =
            before.replace("[ ] one", "[x] one").replace("cause**:", "cause**: a bug").replace("Words.", "More.");
        let deeds = of_edit(world.now(), "bob", number, &before, &after);
        let words: Vec<&str> = deeds.iter().map(|deed| deed.what.as_str()).collect();
        assert_eq!(words.len(), 4, "{words:?}");
        for part in ["ticked “one”", "set “Root cause” to a bug", "wrote “More.”", "removed “Words.”"] {
            assert!(words.contains(&part), "{words:?}");
        }
        assert!(check(&deeds, &world, &repo).iter().all(|(_, stands)| !stands), "nothing was saved yet");
        world.person("bob").edit_body(&repo, number, |_| after.clone()).unwrap();
        assert!(check(&deeds, &world, &repo).iter().all(|(_, stands)| *stands));
        world.person("bob").edit_body(&repo, number, |_| after.replace("[x]", "[ ]")).unwrap();
        let lost: Vec<String> =
            check(&deeds, &world, &repo).into_iter().filter(|(_, stands)| !stands).map(|(what, _)| what).collect();
        assert_eq!(lost, ["bob ticked “one”"]);
    }

    #[test]
    fn of_two_acts_on_one_thing_the_last_has_to_stand() {
        let (world, repo, number) = world();
        let deed = |name: &str, on| Deed {
            at: world.now(),
            who: "bob".to_owned(),
            what: if on { "labelled".to_owned() } else { "took it off".to_owned() },
            trace: Trace::Label { issue: number, name: name.to_owned(), on },
        };
        let deeds = [deed("bug", true), deed("Bug", false)];
        let found = check(&deeds, &world, &repo);
        assert_eq!(
            found,
            [("bob labelled, until bob took it off".to_owned(), true), ("bob took it off".to_owned(), true)]
        );
        assert_eq!(check(&deeds[..1], &world, &repo), [("bob labelled".to_owned(), false)]);
    }
}
