//! What a checklist says, to be compared before and after an edit. The fuzz target uses it too.

use wardroom::domain::checklist::{Checklist, Splice, TaskState};

/// A task or field as it is compared: key, text or value, state, group.
pub(crate) type Said = Vec<(String, String, Option<TaskState>, Option<String>)>;

/// All that a checklist says but for lines and for the tick and value under `except`.
pub(crate) fn says(checklist: &Checklist, except: &[String]) -> (Said, usize, String, Vec<String>) {
    let tasks = checklist.tasks().map(|task| {
        let state = (!except.iter().any(|key| key == task.key())).then_some(task.state);
        (task.key().to_owned(), task.text.clone(), state, task.group.clone())
    });
    let fields = checklist.fields.iter().map(|field| {
        let value = if except.iter().any(|key| key == field.key()) { String::new() } else { field.value.clone() };
        (field.key().to_owned(), value, None, field.phase.map(|phase| phase.to_string()))
    });
    let phases = checklist.phases.iter().map(|phase| format!("{:?} {}", phase.number, phase.title)).collect();
    (tasks.chain(fields).collect(), checklist.empty_slots, format!("{:?}", checklist.markers), phases)
}

/// The body with one stretch replaced, worked out here and not by the code under test.
pub(crate) fn replaced(body: &str, splice: &Splice) -> String {
    format!("{}{}{}", &body[..splice.range.start], splice.text, &body[splice.range.end..])
}
