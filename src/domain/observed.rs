//! Everything that a decision about a tracking issue may use, and what a look must still read before it can decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::advisory::evidence::VersionRelease;
use super::advisory::{Advisory, Ghsa};
use super::checklist::Checklist;
use super::facts::{Account, Comment, CommentFacts, Issue, RepoName, Revision, Role};
use super::policy::Place;

/// One edit of a tracking issue's body, as a delivery or the edit history tells it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Edit {
    /// When it was saved.
    pub at: Timestamp,
    /// Who saved it, by login.
    pub editor: Option<String>,
    /// The body before.
    pub before: String,
    /// The body after.
    pub after: String,
}

/// What the report looked like when it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReportSight {
    /// Not looked at this time: what the status comment says of it stays.
    #[default]
    NotRead,
    /// As it should be: open, with its label.
    Present,
    /// Something about it changed; the words say what.
    Changed(String),
}

/// What a server could not tell, so that the text says so once instead of failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// No GraphQL: edits of comments are seen by `updated_at`, edits of the body only by deliveries.
    GraphQl,
    /// No roles: only the repository's own list decides, so nobody's command counts.
    Roles,
}

/// What reading the linked advisory showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AdvisorySight {
    /// It was not read.
    #[default]
    NotRead,
    /// It was read.
    Seen(Box<Advisory>),
    /// It cannot be read; the words say why and what helps.
    Unreadable(String),
}

/// What reading the releases of the fixed versions showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReleaseSight {
    /// They were not read.
    #[default]
    NotRead,
    /// One for each fixed version.
    Seen(Vec<VersionRelease>),
    /// They cannot be read; the words say why and what helps.
    Unreadable(String),
}

/// How far a process came with a request for a CVE ID, as its own store tells. A store that was lost tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CveStep {
    /// Nothing was sent.
    Planned,
    /// It was sent, or was about to be.
    Sent,
    /// GitHub took it.
    Taken,
}

impl CveStep {
    /// The word that the store keeps.
    pub fn word(self) -> &'static str {
        match self {
            CveStep::Planned => "planned",
            CveStep::Sent => "sent",
            CveStep::Taken => "taken",
        }
    }

    /// Reads the word.
    pub fn of_word(word: &str) -> Option<CveStep> {
        [CveStep::Planned, CveStep::Sent, CveStep::Taken].into_iter().find(|step| step.word() == word)
    }
}

/// The text that an advisory is drafted from.
#[derive(Clone, Debug, PartialEq)]
pub struct AdvisoryTemplate {
    /// The text, unrendered.
    pub text: Arc<str>,
    /// The path that the policy names, if there is no such file.
    pub missing: Option<String>,
}

/// What is true now, as far as it was read.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The account that Wardroom acts as.
    pub me: Account,
    /// The tracker.
    pub tracker: RepoName,
    /// The tracking issue.
    pub issue: Issue,
    /// All its comments, oldest first.
    pub comments: Vec<Comment>,
    /// What GraphQL says of the command comments, by comment id.
    pub facts: BTreeMap<u64, CommentFacts>,
    /// Live roles, by the place where they are held and the account's id.
    pub roles: BTreeMap<(Place, u64), Role>,
    /// GitHub's own time, from its newest answer; `None` where it tells none.
    pub server_time: Option<Timestamp>,
    /// The body's revisions since the last one that is accounted for; `None` if they were not read.
    pub revisions: Option<Vec<Revision>>,
    /// Edits from kept deliveries, oldest first.
    pub edits: Vec<Edit>,
    /// Every change of the issue up to this moment is accounted for, as an earlier look of this process made sure.
    pub seen: Option<Timestamp>,
    /// The report.
    pub report: ReportSight,
    /// Whether this look made sure that the report was answered.
    pub acknowledged: bool,
    /// Other issues of the tracker that commands speak of; `None` if there is no such issue.
    pub others: BTreeMap<u64, Option<Issue>>,
    /// Open incidents that were opened for a private report of their own, by the report's id; `None` if there is none.
    pub holders: BTreeMap<Ghsa, Option<u64>>,
    /// The last sweep saw another open incident of the private report that this one names.
    pub doubled: bool,
    /// What this server cannot tell.
    pub missing: Vec<Missing>,
    /// How many looks at this incident failed in a row before this one.
    pub failures: u32,
    /// The linked advisory.
    pub advisory: AdvisorySight,
    /// Draft advisories, newest change first; `None` if they were not read.
    pub drafts: Option<Vec<Advisory>>,
    /// Advisories that the fields of other incidents name.
    pub linked_elsewhere: Vec<Ghsa>,
    /// The releases of the fixed versions.
    pub releases: ReleaseSight,
    /// Whether the advisories' repository is public; `None` if that was not asked, or cannot be told.
    pub advisories_public: Option<bool>,
    /// How far this process came with a request for a CVE ID: the command's comment, and the step.
    pub cve_step: Option<(u64, CveStep)>,
    /// The text that an advisory is drafted from.
    pub advisory_template: AdvisoryTemplate,
    /// The checklist that new incidents begin with: a field that says what it says there is empty.
    pub template: Arc<Checklist>,
}

impl Observed {
    /// Whether Wardroom itself wrote this.
    pub fn is_mine(&self, user: Option<&Account>) -> bool {
        user.is_some_and(|user| user.id == self.me.id)
    }

    /// Whether Wardroom acts as an account that no person uses. With a person's own token nobody can tell that person's
    /// edits from Wardroom's.
    pub fn is_bot(&self) -> bool {
        self.me.kind == "Bot"
    }

    /// Reads a body of this incident.
    pub fn read(&self, body: &str) -> Checklist {
        Checklist::parse_against(body, &self.template)
    }

    /// Whether this server cannot tell something.
    pub fn lacks(&self, what: Missing) -> bool {
        self.missing.contains(&what)
    }
}

/// What a look must read before [`super::plan::plan`] can decide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Command comments whose words or answers are not known for sure.
    pub facts: Vec<Comment>,
    /// Authors of commands that have not been answered, and where their role is asked.
    pub roles: Vec<(Place, Account)>,
    /// The edit history, from this moment on (`Some(None)`: all of it).
    pub history: Option<Option<Timestamp>>,
    /// Other tracking issues that commands speak of.
    pub others: Vec<u64>,
    /// Private reports that may have an incident of their own.
    pub holders: Vec<Ghsa>,
    /// The linked advisory.
    pub advisory: Option<Ghsa>,
    /// Whether the draft advisories must be listed, to find one whose answer was lost.
    pub drafts: bool,
    /// The fixed versions whose releases matter.
    pub releases: Vec<VersionRelease>,
    /// Whether it must be known that the advisories' repository is public.
    pub visibility: bool,
}

impl Needs {
    /// Whether everything is there.
    pub fn is_empty(&self) -> bool {
        let advisory = self.advisory.is_none() && !self.drafts && self.releases.is_empty() && !self.visibility;
        let others = self.others.is_empty() && self.holders.is_empty();
        self.facts.is_empty() && self.roles.is_empty() && self.history.is_none() && others && advisory
    }
}
