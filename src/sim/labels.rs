//! Labels of a repository and of its issues, with GitHub's limits.

use std::sync::Arc;

use serde_json::{Value, json};

use super::handle::Reply;
use super::routes::Target;
use super::world::{Identity, Repo, State};
use crate::domain::facts::{Label, Role};

const NAME_CHARS: usize = 50;
const DESCRIPTION_CHARS: usize = 100;
const LABELS_PER_ISSUE: usize = 100;

fn is_color(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The 422 for a bad name, colour or description.
fn wrong(name: Option<&str>, color: Option<&str>, description: Option<&str>) -> Option<Reply> {
    if name.is_some_and(|name| name.trim().is_empty()) {
        return Some(Reply::invalid("Label", "name", "missing_field", "name can't be blank"));
    }
    if name.is_some_and(|name| name.chars().count() > NAME_CHARS) {
        return Some(Reply::invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)"));
    }
    if color.is_some_and(|color| !is_color(color)) {
        return Some(Reply::invalid("Label", "color", "custom", "color is not a hex code"));
    }
    if description.is_some_and(|text| text.chars().count() > DESCRIPTION_CHARS) {
        return Some(Reply::invalid(
            "Label",
            "description",
            "custom",
            "description is too long (maximum is 100 characters)",
        ));
    }
    None
}

/// The 422 for labels that cannot hang on an issue together.
pub(super) fn wrong_labels(names: &[String]) -> Option<Reply> {
    if let Some(wrong) = names.iter().find_map(|name| wrong(Some(name), None, None)) {
        return Some(wrong);
    }
    let too_many = names.len() > LABELS_PER_ISSUE;
    too_many.then(|| Reply::invalid("Issue", "labels", "custom", "Issues cannot have more than 100 labels"))
}

impl State {
    fn label_named(&self, repo: &Repo, name: &str) -> Option<(u64, Label)> {
        let current = self.repo(&repo.name)?;
        current.labels.iter().find(|(_, label)| label.name.eq_ignore_ascii_case(name)).cloned()
    }

    pub(super) fn list_labels(&self, repo: &Repo, target: &Target) -> Reply {
        let all = repo.labels.iter().map(|(id, label)| self.label_json(repo, *id, label)).collect();
        self.page(all, &format!("/repos/{}/labels", repo.name), target)
    }

    pub(super) fn get_label(&self, repo: &Repo, target: &Target) -> Reply {
        match target.segments.get(4).and_then(|name| self.label_named(repo, name)) {
            Some((id, label)) => Reply::ok(self.label_json(repo, id, &label)),
            None => Reply::not_found(),
        }
    }

    pub(super) fn create_label(&mut self, repo: &Repo, identity: &Identity, body: &Value) -> Reply {
        if self.access(repo, identity) < Role::Write {
            return Reply::not_found();
        }
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let Some(name) = text("name") else { return Reply::invalid("Label", "name", "missing_field", "") };
        if let Some(wrong) = wrong(Some(name), text("color"), text("description")) {
            return wrong;
        }
        if self.label_named(repo, name).is_some() {
            return Reply::invalid("Label", "name", "already_exists", "");
        }
        let label = Label {
            name: name.to_owned(),
            color: Some(text("color").unwrap_or("ededed").to_owned()),
            description: text("description").map(str::to_owned),
        };
        let id = self.put_label(repo, label.clone());
        Reply::with(201, self.label_json(repo, id, &label))
    }

    fn put_label(&mut self, repo: &Repo, label: Label) -> u64 {
        let id = self.fresh_id();
        if let Some(repo) = self.repo_mut(&repo.name) {
            repo.labels.push((id, label));
        }
        id
    }

    pub(super) fn edit_label(&mut self, repo: &Repo, identity: &Identity, target: &Target, body: &Value) -> Reply {
        let found = target.segments.get(4).and_then(|name| self.label_named(repo, name));
        let Some((id, mut label)) = found.filter(|_| self.access(repo, identity) >= Role::Write) else {
            return Reply::not_found();
        };
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        if let Some(wrong) = wrong(text("new_name"), text("color"), text("description")) {
            return wrong;
        }
        let old = label.name.clone();
        if let Some(name) = text("new_name") {
            if !name.eq_ignore_ascii_case(&old) && self.label_named(repo, name).is_some() {
                return Reply::invalid("Label", "name", "already_exists", "");
            }
            label.name = name.to_owned();
        }
        label.color = text("color").map(str::to_owned).or(label.color);
        label.description = text("description").map(str::to_owned).or(label.description);
        let Some(current) = self.repo_mut(&repo.name) else { return Reply::not_found() };
        current.labels.iter_mut().filter(|(known, _)| *known == id).for_each(|(_, known)| *known = label.clone());
        // A renamed label is renamed wherever it hangs, at once: an issue refers to it, not to its name.
        let rename = |names: &mut Vec<String>| {
            names.iter_mut().filter(|name| **name == old).for_each(|name| name.clone_from(&label.name));
        };
        for issue in current.issues.values_mut() {
            rename(&mut issue.now.labels);
            issue.past.iter_mut().for_each(|(_, row)| rename(&mut Arc::make_mut(row).labels));
        }
        Reply::ok(self.label_json(repo, id, &label))
    }

    /// Hangs labels on an issue; unknown ones are created with the default colour.
    pub(super) fn hang(&mut self, repo: &Repo, number: u64, names: &[String], sender: u64) -> Option<Reply> {
        let there = self.issue(&repo.name, number).map(|issue| issue.labels.clone()).unwrap_or_default();
        let mut new: Vec<&String> = Vec::new();
        for name in names {
            let same = |known: &String| known.eq_ignore_ascii_case(name);
            if !there.iter().any(same) && !new.iter().any(|known| same(known)) {
                new.push(name);
            }
        }
        let all: Vec<String> = there.iter().chain(new.iter().copied()).cloned().collect();
        if let Some(wrong) = wrong_labels(&all) {
            return Some(wrong);
        }
        for name in new {
            let label = match self.label_named(repo, name) {
                Some((_, label)) => label,
                None => {
                    let label = Label { name: name.clone(), color: Some("ededed".to_owned()), description: None };
                    self.put_label(repo, label.clone());
                    label
                }
            };
            let now = self.now;
            self.change(&repo.name, number, |issue| {
                issue.labels.push(label.name.clone());
                issue.updated = now;
            });
            self.issue_event(&repo.name, number, "labeled", sender, json!({ "label": label.name }));
        }
        None
    }

    /// Makes these the labels of an issue: what is too much goes, what is missing comes. They must be right.
    pub(super) fn replace_labels(&mut self, repo: &Repo, number: u64, names: &[String], sender: u64) {
        let there = self.issue(&repo.name, number).map(|issue| issue.labels.clone()).unwrap_or_default();
        for name in there.iter().filter(|known| !names.iter().any(|name| name.eq_ignore_ascii_case(known))) {
            self.unhang(repo, number, name, sender);
        }
        self.hang(repo, number, names, sender);
    }

    pub(super) fn unhang(&mut self, repo: &Repo, number: u64, name: &str, sender: u64) -> bool {
        let has = self
            .issue(&repo.name, number)
            .and_then(|issue| issue.labels.iter().find(|known| known.eq_ignore_ascii_case(name)).cloned());
        let Some(known) = has else { return false };
        let now = self.now;
        self.change(&repo.name, number, |issue| {
            issue.labels.retain(|label| *label != known);
            issue.updated = now;
        });
        self.issue_event(&repo.name, number, "unlabeled", sender, json!({ "label": known }));
        true
    }

    pub(super) fn issue_labels(&self, repo: &Repo, number: u64) -> Value {
        let Some(current) = self.repo(&repo.name) else { return json!([]) };
        let names = self.issue(&repo.name, number).map(|issue| issue.labels.clone()).unwrap_or_default();
        let found = names.iter().filter_map(|name| current.labels.iter().find(|(_, label)| label.name == *name));
        found.map(|(id, label)| self.label_json(current, *id, label)).collect()
    }

    pub(super) fn add_labels(&mut self, repo: &Repo, identity: &Identity, number: u64, body: &Value) -> Reply {
        let names = names_of(body.get("labels"));
        if names.is_empty() {
            return Reply::invalid("Label", "labels", "missing_field", "");
        }
        // Without push access labels are silently dropped.
        if self.access(repo, identity) >= Role::Triage
            && let Some(wrong) = self.hang(repo, number, &names, identity.user)
        {
            return wrong;
        }
        Reply::ok(self.issue_labels(repo, number))
    }

    pub(super) fn take_label(&mut self, repo: &Repo, identity: &Identity, number: u64, target: &Target) -> Reply {
        let name = target.segments.get(6).cloned().unwrap_or_default();
        if self.access(repo, identity) < Role::Triage || !self.unhang(repo, number, &name, identity.user) {
            return Reply::error(404, "Label does not exist");
        }
        Reply::ok(self.issue_labels(repo, number))
    }
}

/// Names in a JSON array of strings or of objects with a `name`.
pub(super) fn names_of(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |item: &Value| item.as_str().or_else(|| item.get("name")?.as_str()).map(str::to_owned);
    items.iter().filter_map(name).collect()
}
