//! Finding tasks and fields by what people and records call them.

use pulldown_cmark::{Event, Options, Parser};

use super::run::one_line;
use super::{Checklist, Field, Task};

/// So many tasks are named when words fit several.
const MOST_NAMED: usize = 8;

/// Words that do not name one task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskLookup {
    /// No task has this anchor or begins so.
    #[error("no task has this anchor or begins with these words")]
    NotFound,
    /// Several tasks begin so: their texts, each with its anchor or line; at most eight.
    #[error("several tasks begin with these words: {}", .0.join("; "))]
    Ambiguous(Vec<String>),
}

impl Checklist {
    /// The task with this [`Task::key`].
    pub fn task_by_key(&self, key: &str) -> Option<&Task> {
        self.tasks().find(|task| task.key() == key)
    }

    /// The field with this [`Field::key`].
    pub fn field_by_key(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key() == key)
    }

    /// The first field of this name, without regard to case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let name = name.trim().to_lowercase();
        self.fields.iter().find(|field| field.name.to_lowercase() == name)
    }

    /// The one task with this anchor. Without anchors nothing is said about tasks by what they are called.
    pub fn anchored(&self, anchor: &str) -> Option<&Task> {
        let mut tasks = self.tasks().filter(|task| has_anchor(task, anchor));
        tasks.next().filter(|_| tasks.next().is_none())
    }

    /// The task that a person means: by its anchor, by its whole text or by a beginning of its text that no other task
    /// has. Case and Markdown do not matter.
    ///
    /// # Errors
    /// If no task or several fit.
    pub fn find_task(&self, words: &str) -> Result<&Task, TaskLookup> {
        let words = one_line(std::iter::once(words));
        if words.is_empty() {
            return Err(TaskLookup::NotFound);
        }
        let anchored: Vec<&Task> = self.tasks().filter(|task| has_anchor(task, &words)).collect();
        if !anchored.is_empty() {
            return only(&anchored);
        }
        match self.find_text(&words) {
            Err(TaskLookup::NotFound) => self.find_text(&without_markup(&words)),
            found => found,
        }
    }

    fn find_text(&self, words: &str) -> Result<&Task, TaskLookup> {
        let words = words.to_lowercase();
        let texts: Vec<(&Task, String)> = self.tasks().map(|task| (task, task.text.to_lowercase())).collect();
        let fitting = |fits: &dyn Fn(&str) -> bool| -> Vec<&Task> {
            texts.iter().filter(|(_, text)| fits(text)).map(|(task, _)| *task).collect()
        };
        let whole = fitting(&|text| text == words);
        if words.is_empty() || !whole.is_empty() {
            return only(&whole);
        }
        only(&fitting(&|text| text.starts_with(&words)))
    }
}

fn has_anchor(task: &Task, words: &str) -> bool {
    task.anchor.as_deref().is_some_and(|anchor| anchor.eq_ignore_ascii_case(words))
}

fn only<'a>(tasks: &[&'a Task]) -> Result<&'a Task, TaskLookup> {
    match tasks {
        [] => Err(TaskLookup::NotFound),
        [task] => Ok(task),
        several => Err(TaskLookup::Ambiguous(several.iter().take(MOST_NAMED).map(|task| title(task)).collect())),
    }
}

/// A task as a choice is offered: its text, and what tells it from another with the same text.
fn title(task: &Task) -> String {
    match &task.anchor {
        Some(anchor) => format!("{} ({anchor}, line {})", task.text, task.line),
        None => format!("{} (line {})", task.text, task.line),
    }
}

/// The words as a task's text would have them.
fn without_markup(words: &str) -> String {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let parts: Vec<_> = Parser::new_ext(words, options)
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text),
            _ => None,
        })
        .collect();
    one_line(parts.iter().map(AsRef::as_ref))
}
