//! What the page shows and what people can do on it. A stage fills it in; the page only draws it.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

/// What stands behind the page: a repository, people, and Wardroom at work.
#[async_trait]
pub trait Stage: Send + Sync {
    /// The people who can act, in the order in which they are offered. There is at least one.
    fn cast(&self) -> &[Someone];

    /// The colours of the labels that can hang on an issue, six hex digits each.
    fn colours(&self) -> Vec<String>;

    /// What is there now; `issue` is the one that is shown whole, if there is one of that number.
    async fn scene(&self, issue: Option<u64>) -> Scene;

    /// Someone does something.
    ///
    /// # Errors
    /// Why it cannot be done, in words for that person. Nothing was changed then.
    async fn act(&self, who: &str, act: Act) -> Result<Done, String>;

    /// A number that grows with every change of the scene.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// What an act led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The issue to show next, where the act made a new one.
    pub issue: Option<u64>,
}

/// One of the cast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Someone {
    /// The login.
    pub login: &'static str,
    /// The role in the repository, in a word or two.
    pub role: &'static str,
    /// What the role means, in a sentence.
    pub may: &'static str,
    /// Whether GitHub offers them to edit any issue.
    pub writes: bool,
    /// Whether GitHub offers them to label and to reopen.
    pub labels: bool,
}

/// What a person can do on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Files an issue.
    File {
        /// Its title.
        title: String,
        /// Its text.
        text: String,
    },
    /// Hangs a label on an issue, or takes it off.
    Label {
        /// The issue.
        issue: u64,
        /// The label's name.
        name: String,
        /// Whether it is to hang there.
        on: bool,
    },
    /// Ticks and unticks boxes.
    Boxes {
        /// The issue.
        issue: u64,
        /// Each box by its key ([`super::markdown::TaskBox`]), and whether it is to be ticked.
        set: Vec<(String, bool)>,
    },
    /// Fills in one field of the checklist.
    Field {
        /// The issue.
        issue: u64,
        /// The field's name.
        name: String,
        /// What is to stand there.
        value: String,
    },
    /// Saves the whole text of an issue.
    Body {
        /// The issue.
        issue: u64,
        /// The text.
        text: String,
    },
    /// Comments.
    Comment {
        /// The issue.
        issue: u64,
        /// The words.
        text: String,
    },
    /// Closes an issue.
    Close {
        /// The issue.
        issue: u64,
        /// `completed`, `not_planned` or `duplicate`.
        reason: &'static str,
    },
    /// Reopens an issue.
    Reopen {
        /// The issue.
        issue: u64,
    },
    /// Something goes wrong on purpose.
    Try {
        /// What.
        fault: Fault,
        /// The issue that is shown.
        issue: Option<u64>,
    },
    /// Time passes until Wardroom's next look.
    SkipWait,
    /// The scheduled look at everything, now.
    Sweep,
}

/// `09:00:42`, in UTC.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// What can be made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// GitHub's API answers 502 to every call.
    Down,
    /// It answers again.
    Up,
    /// The webhooks of the next act are not delivered.
    LoseWebhook,
    /// Two people tick two boxes in the same moment.
    TwoTicks,
    /// Somebody saves between Wardroom's last read of a text and its write of it.
    Collide,
    /// Wardroom stops in the middle of whatever it does and starts with an empty store.
    Restart,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 6] =
        [Fault::Down, Fault::Up, Fault::LoseWebhook, Fault::TwoTicks, Fault::Collide, Fault::Restart];

    /// The word that a form sends.
    pub fn word(self) -> &'static str {
        match self {
            Fault::Down => "down",
            Fault::Up => "up",
            Fault::LoseWebhook => "lose-webhook",
            Fault::TwoTicks => "two-ticks",
            Fault::Collide => "collide",
            Fault::Restart => "restart",
        }
    }
}

/// Everything that is shown.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scene {
    /// The repository, `octo/security`.
    pub repository: String,
    /// The stage's own time.
    pub now: Timestamp,
    /// Wardroom's next look, if one is due.
    pub next: Option<Next>,
    /// The issues, newest first.
    pub issues: Vec<IssueLine>,
    /// The issue that is shown whole.
    pub issue: Option<IssueView>,
    /// The names that the label form offers.
    pub label_names: Vec<String>,
    /// What happened, newest first.
    pub log: Vec<Entry>,
    /// Calls that are left of the hourly budget.
    pub budget_left: u64,
    /// The hourly budget.
    pub budget: u64,
    /// Calls so far.
    pub calls: usize,
    /// The buttons of what can go wrong.
    pub faults: Vec<FaultButton>,
    /// What went wrong so far, newest first.
    pub trials: Vec<Trial>,
}

/// Wardroom's next look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Seconds until then; 0 while it looks.
    pub seconds: i64,
    /// When.
    pub at: Timestamp,
    /// Why it waits.
    pub why: String,
}

/// An issue in a list.
#[derive(Clone, Debug, Serialize)]
pub struct IssueLine {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether Wardroom keeps it as an incident.
    pub incident: bool,
    /// Who opened it.
    pub by: String,
    /// Its labels.
    pub labels: Vec<LabelView>,
}

/// A label as it hangs on an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelView {
    /// Its name.
    pub name: String,
    /// Its colour, six hex digits.
    pub color: String,
    /// What it means; may be empty.
    pub description: String,
}

/// An issue, whole.
#[derive(Clone, Debug, Serialize)]
pub struct IssueView {
    /// What the list shows of it too.
    #[serde(flatten)]
    pub line: IssueLine,
    /// `completed`, `not_planned`, …, where it was closed.
    pub reason: Option<String>,
    /// How far it is, `2 of 38 tasks settled`; empty where there are no tasks.
    pub progress: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Its text as it was written.
    pub body: String,
    /// The checklist's fields.
    pub fields: Vec<FieldView>,
    /// Its comments.
    pub comments: Vec<CommentView>,
}

/// A field of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// What stands there; empty for a placeholder.
    pub value: String,
}

/// A comment.
#[derive(Clone, Debug, Serialize)]
pub struct CommentView {
    /// Its id.
    pub id: u64,
    /// Its author.
    pub by: String,
    /// When it was written.
    pub at: Timestamp,
    /// Its text as it was written.
    pub text: String,
    /// Whether it is Wardroom's status comment.
    pub status: bool,
    /// Whether Wardroom wrote it.
    pub wardroom: bool,
    /// The reactions: who, and which (`rocket`).
    pub reactions: Vec<(String, &'static str)>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it: a login, `Wardroom` or `GitHub`.
    pub who: String,
    /// What kind of entry it is.
    pub kind: Kind,
    /// What happened.
    pub text: String,
    /// More about it, line by line.
    pub more: Vec<String>,
    /// The calls that it took.
    pub calls: Calls,
}

/// The kind of an [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person did something.
    Person,
    /// Wardroom looked, and wrote.
    Wrote,
    /// Wardroom looked, and had nothing to do.
    Looked,
    /// Wardroom could not do something.
    Failed,
    /// Something went wrong on purpose, or ended.
    Fault,
}

/// Calls to GitHub.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Calls {
    /// `6 calls (4 reads, 2 writes)`; empty if there were none.
    pub sum: String,
    /// One by one.
    pub lines: Vec<CallLine>,
}

/// A call to GitHub.
#[derive(Clone, Debug, Serialize)]
pub struct CallLine {
    /// `GET`, …
    pub method: String,
    /// The path as it was called.
    pub path: String,
    /// The status; 0 where no answer came.
    pub status: u16,
}

/// A button that makes something go wrong.
#[derive(Clone, Debug, Serialize)]
pub struct FaultButton {
    /// What it does.
    pub fault: Fault,
    /// Its words.
    pub name: &'static str,
    /// What will happen, in a sentence.
    pub tells: &'static str,
    /// Why it cannot be pressed now.
    pub not_now: Option<String>,
    /// Whether what it does goes on now.
    pub on: bool,
}

/// Something that was made to go wrong, and what came of it. All of it is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// Counts from 1.
    pub id: u64,
    /// What it was.
    pub title: &'static str,
    /// When it began.
    pub at: Timestamp,
    /// Whether it goes on, waits for Wardroom, or is healed.
    pub state: TrialState,
    /// What went wrong.
    pub happened: Vec<String>,
    /// What people did since, and whether it still stands.
    pub acts: Vec<ActCheck>,
    /// How many of the acts do not stand.
    pub lost: usize,
    /// What was found at the end, each with whether it is as it should be.
    pub checks: Vec<ActCheck>,
    /// What Wardroom did to get there.
    pub healing: Vec<String>,
    /// What a person can do next, where it does not heal by itself.
    pub hint: Option<&'static str>,
}

/// The state of a [`Trial`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialState {
    /// The fault has not struck yet, or goes on.
    Going,
    /// It is over, and Wardroom has not caught up.
    Behind,
    /// It is over, and everything is as it should be.
    Healed,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActCheck {
    /// What.
    pub what: String,
    /// Whether it holds.
    pub holds: bool,
}
