//! A response checklist as people write it: phases, groups, tasks, fields, empty slots; and byte-exact edits of it.

use std::ops::Range;

use serde::Serialize;

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checklist {
    /// Phases in the order of the document.
    pub phases: Vec<Phase>,
    /// Fields in the order of the document.
    pub fields: Vec<Field>,
    /// Boxes without text: slots to be filled, never tasks.
    pub empty_slots: usize,
    /// The review after the phases, if there is one.
    pub review: Option<Review>,
    /// `<!-- wardroom:KIND CONTENT -->` comments outside fences, quotes and code, anchors of tasks left out.
    pub markers: Vec<Marker>,
}

/// A phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The number in its heading, if it has one.
    pub number: Option<u32>,
    /// The title after the number; empty for tasks that stand under no heading.
    pub title: String,
    /// The heading's line, from 1.
    pub line: usize,
    /// Its tasks.
    pub tasks: Vec<Task>,
}

/// A box with text.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// `T12` of `<!-- wardroom:T12 -->`.
    pub anchor: Option<String>,
    /// The text in one line, without anchor, strike-through and not-applicable remark.
    pub text: String,
    /// The bold line above it.
    pub group: Option<String>,
    /// Open, done or not applicable.
    pub state: TaskState,
    /// Its line, from 1.
    pub line: usize,
}

/// A task's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Not ticked.
    Open,
    /// Ticked.
    Done,
    /// Struck through or marked `N/A`: settled, not done.
    NotApplicable,
}

/// `- **Name**: value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The index in [`Checklist::phases`] of the phase it stands in.
    pub phase: Option<usize>,
    /// The bold name.
    pub name: String,
    /// The value without surrounding white space and backticks.
    pub value: String,
    /// Whether the value is none or a placeholder.
    pub empty: bool,
    /// Its line, from 1.
    pub line: usize,
}

/// The review section.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The heading's line, from 1.
    pub line: usize,
    /// Whether a person has written anything under its headings.
    pub written: bool,
}

/// A hidden marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The word after `wardroom:`.
    pub kind: String,
    /// The rest, trimmed.
    pub content: String,
}

/// Bytes to put in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// The bytes of the body that are replaced.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}
