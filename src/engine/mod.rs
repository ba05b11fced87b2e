//! The loop: an event names an incident; look at what is true, decide, act. Start reading here.
//!
//! ```text
//! event -> intake -> work row -> look { observe -> plan -> apply } -> work row
//! ```
//!
//! The wanted properties, and the races with the decision for each:
//!
//! - A delivery is lost, doubled or late: a look reads the present, so the next one ends in the same place.
//! - A read is older than our own last write: no look within [`READ_LAG`](plan::READ_LAG) after a write, so nothing is said twice.
//! - A read is older than the event that asked for it: the event's own time is kept, and the look waits for it.
//! - The answer to a write is lost: nothing is repeated; the next look, after the lag, sees whether it happened.
//! - The answer to *opening* is lost: lists lag most, so the intent is kept in the store and the report waits them out.
//! - A person edits between our read and our write of the body: the write is checked just before and verified just after,
//!   and what it overwrote is put back (`domain/record.rs`).
//! - The process dies anywhere: marks on GitHub say what was done; comments carry markers and are looked for first.

mod access;
mod advisory;
mod apply;
mod deeds;
pub mod filing;
mod heal;
mod inbox;
pub mod intake;
mod labels;
mod observe;
mod opening;
mod private_report;
mod report;
pub mod sweep;
pub mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::domain::checklist::{Checklist, template};
use crate::domain::facts::{Account, RepoName};
use crate::domain::incident::Subject;
use crate::domain::observed::{AdvisoryTemplate, ReportSight};
use crate::domain::plan::{self, Plan, Summary};
use crate::domain::policy::{Mode, Policy};
use crate::github::{self, GitHub};
use crate::store::{Store, StoreError};

/// Everything a look works with.
pub struct Engine {
    /// GitHub.
    pub github: Arc<dyn GitHub>,
    /// The local store.
    pub store: Arc<dyn Store>,
    /// The policy in force.
    pub policy: Policy,
    /// The checklist template, unrendered.
    pub template: String,
    /// The repository that holds the tracking issues.
    pub tracker: RepoName,
    /// Tells the time.
    pub clock: Clock,
    /// Seals the status comment's machine part, where the process has a secret.
    pub key: Option<Vec<u8>>,
    /// Whether to write, or only to say what would be written.
    pub write: bool,
    /// Safeguards.
    pub guards: Guards,
    /// Whether an event told of something that a sweep should see before its time.
    sweep_soon: AtomicBool,
    me: OnceCell<Account>,
    blank: OnceLock<Arc<Checklist>>,
    advisory_text: OnceCell<AdvisoryTemplate>,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Safeguards that the test suite turns off one by one, to prove that it notices. All are on by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Keep the intent of opening an issue until its outcome is known.
    pub journal: bool,
    /// Read the body again just before writing it, and verify just after.
    pub recheck: bool,
    /// Ask GitHub for the role of a command's author.
    pub roles: bool,
    /// Believe what GitHub says of edited comments.
    pub unedited: bool,
    /// Tell bots from people.
    pub people: bool,
    /// Let orders grow old by GitHub's clock.
    pub clock: bool,
    /// Ask that an order repeats the advisory's id.
    pub ids: bool,
}

impl Default for Guards {
    fn default() -> Self {
        Guards { journal: true, recheck: true, roles: true, unedited: true, people: true, clock: true, ids: true }
    }
}

/// How a look ended well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// What was done, or would be done, in words without private text.
    pub steps: Vec<String>,
    /// How many writes reached GitHub.
    pub writes: usize,
    /// Where the incident stands; `None` if there is none.
    pub summary: Option<Summary>,
    /// What a person should know, without private text.
    pub notes: Vec<String>,
    /// The last call that GitHub refused for good, in words without private text: what it was for is not done.
    pub refused: Option<String>,
    /// When to look again.
    pub wake_at: Option<Timestamp>,
    /// The look is not finished: a read was older than what it must show, or a person edited at the same moment.
    pub unfinished: bool,
    /// Another subject to look at, and when.
    pub next: Option<(Subject, Timestamp)>,
}

impl Looked {
    /// Goes on without a call that GitHub refused for good.
    fn refuse(&mut self, error: &github::Error) {
        self.notes.push(error.to_string());
        self.refused = Some(error.to_string());
    }
}

/// Why a look failed. The words hold no private text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// A call to GitHub failed.
    #[error(transparent)]
    GitHub(#[from] github::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing would make private things public, or the policy forbids it. Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The code panicked. The words of a panic may hold private text, so they are not here.
    #[error("this ran into a bug of Wardroom's; please report it with the version and the log's lines around it")]
    Bug,
    /// Another process took the row meanwhile, because this one did not hold it in time.
    #[error("another process looks at it by now")]
    Lost,
}

impl LookError {
    /// Whether it stays so until a person changes something: rights, a setting, the tracker. A 401 may be one replica that
    /// does not know a new token yet, so it is none of these, and is tried again like any failure.
    pub fn is_lasting(&self) -> bool {
        use github::Error;
        matches!(self, LookError::Refused(_) | LookError::GitHub(Error::Barred(_) | Error::Forbidden { .. }))
    }
}

impl Engine {
    /// An engine that works, with all safeguards.
    pub fn new(
        github: Arc<dyn GitHub>,
        store: Arc<dyn Store>,
        policy: Policy,
        template: String,
        tracker: RepoName,
        clock: Clock,
    ) -> Self {
        let write = policy.mode == Mode::On;
        Engine {
            github,
            store,
            policy,
            template,
            tracker,
            clock,
            key: None,
            write,
            guards: Guards::default(),
            sweep_soon: AtomicBool::new(false),
            me: OnceCell::new(),
            blank: OnceLock::new(),
            advisory_text: OnceCell::new(),
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Whether a sweep is wanted before its time; asked once.
    pub fn wants_sweep(&self) -> bool {
        self.sweep_soon.swap(false, Ordering::Relaxed)
    }

    /// The account that Wardroom acts as, asked for once.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn me(&self) -> Result<&Account, LookError> {
        Ok(self.me.get_or_try_init(|| self.github.me()).await?)
    }

    /// The checklist that new incidents begin with; an empty one where the template cannot be rendered, which opening
    /// says.
    fn blank(&self) -> Arc<Checklist> {
        let read = || template::render(&self.template, &self.policy).map(|text| Checklist::parse(&text));
        self.blank.get_or_init(|| Arc::new(read().unwrap_or_default())).clone()
    }

    /// The account that Wardroom acts as, if it is known already: for those who cannot wait.
    pub fn known_me(&self) -> Option<&Account> {
        self.me.get()
    }

    /// One look at one subject: reads, decides, and acts if it may.
    ///
    /// # Errors
    /// [`LookError`]: what was done before it stays done, and the next look goes on from there.
    pub async fn look(&self, subject: &Subject, failures: u32) -> Result<Looked, LookError> {
        if self.policy.mode == Mode::Off {
            return Ok(Looked { notes: vec!["the policy says mode: off".to_owned()], ..Looked::default() });
        }
        match subject {
            Subject::Report(id) => self.look_at_report(id, failures).await,
            Subject::Tracker(number) => self.look_at_tracker(*number, ReportSight::NotRead, failures).await,
        }
    }

    async fn look_at_tracker(&self, number: u64, report: ReportSight, failures: u32) -> Result<Looked, LookError> {
        let mut observed = match self.observe(number, report, failures).await? {
            observe::Sight::Seen(observed) => observed,
            observe::Sight::TooOld(until) => {
                return Ok(Looked { wake_at: Some(until), unfinished: true, ..Looked::default() });
            }
            observe::Sight::Plain => return Ok(Looked::default()),
            observe::Sight::Nothing(why) => return Ok(Looked { notes: vec![why], ..Looked::default() }),
        };
        let mut before = Looked::default();
        if let Some(id) = plan::unanswered(&observed, &self.policy, self.key.as_deref()) {
            self.refuse_public_tracker().await?;
            self.acknowledge(&id, number, &mut before).await?;
            observed.acknowledged = true;
        }
        let plan = plan::plan(&observed, &self.policy, self.now(), self.key.as_deref());
        if !self.write || plan.actions.is_empty() {
            if plan.actions.is_empty() && before.steps.is_empty() {
                self.keep_steady(&observed).await?;
            }
            if plan.actions.is_empty() && plan.wake_at.is_none() {
                self.keep_seen(number, observed.issue.updated_at.unwrap_or_else(|| self.now())).await?;
            }
            let mut looked = described(&plan);
            looked.steps.splice(0..0, before.steps);
            looked.writes = before.writes;
            looked.notes = before.notes;
            looked.refused = before.refused;
            return Ok(looked);
        }
        self.refuse_public_tracker().await?;
        let mut looked = self.apply(&observed, plan).await?;
        if !looked.unfinished {
            // The newest changes are our own writes.
            self.keep_seen(number, self.now()).await?;
        }
        looked.writes += before.writes;
        looked.refused = looked.refused.or(before.refused);
        looked.steps.splice(0..0, before.steps);
        looked.notes.splice(0..0, before.notes);
        Ok(looked)
    }
}

fn described(plan: &Plan) -> Looked {
    Looked {
        steps: plan.actions.iter().map(apply::describe).collect(),
        summary: Some(plan.summary.clone()),
        wake_at: plan.wake_at,
        ..Looked::default()
    }
}
