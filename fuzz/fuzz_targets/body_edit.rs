//! Any body is read without a panic, and an edit of it changes what it was asked to and nothing else.
//!
//! The input is a body and, behind its last NUL, the words that a person puts into it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom::domain::checklist::{Checklist, Splice, TaskState, apply};

#[path = "../../tests/checklist/says.rs"]
mod says;

use says::{replaced, says};

/// So many tasks and fields of a body are edited, spread over all of it.
const EDITS: usize = 4;

/// The body after the edit, which must be the splice alone and change nothing but what `key` names.
fn edited(body: &str, before: &Checklist, splice: &Splice, key: &str) -> Checklist {
    assert!(!splice.text.contains(['\n', '\r']) || body[splice.range.clone()].contains(['\n', '\r']));
    let edited = apply(body, std::slice::from_ref(splice)).expect("the splice fits");
    assert_eq!(edited, replaced(body, splice));
    let after = Checklist::parse(&edited);
    let except = [key.to_owned()];
    assert!(says(&after, &except) == says(before, &except), "{body:?} became {edited:?}");
    after
}

fuzz_target!(|input: &str| {
    let (body, words) = input.rsplit_once('\0').unwrap_or((input, "words"));
    let checklist = Checklist::parse(body);
    assert_eq!(apply(body, &[]).as_deref(), Ok(body));
    let tasks: Vec<_> = checklist.tasks().collect();
    for task in tasks.iter().step_by(tasks.len() / EDITS + 1) {
        let done = task.state == TaskState::Done;
        if let Some(splice) = task.set_done(body, !done) {
            let after = edited(body, &checklist, &splice, task.key());
            let state = after.task_by_key(task.key()).expect("the task is there").state;
            assert!(state != task.state || state == TaskState::NotApplicable);
        }
        if let Some(splice) = task.mark_not_applicable(body, words) {
            let after = edited(body, &checklist, &splice, task.key());
            let task = after.task_by_key(task.key()).expect("the task is there");
            assert_eq!(task.state, TaskState::NotApplicable);
        }
    }
    for field in checklist.fields.iter().step_by(checklist.fields.len() / EDITS + 1) {
        if let Some(splice) = field.fill(body, words) {
            let after = edited(body, &checklist, &splice, field.key());
            assert_ne!(after.field_by_key(field.key()).expect("the field is there").value, field.value);
        }
    }
});
