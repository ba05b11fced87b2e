//! Reading what is true now about a tracking issue. A read that is older than what it must show is not used.

use jiff::{SignedDuration, Timestamp};

use super::advisory::out_of_reach;
use super::private_report::doubled_key;
use super::{Engine, LookError};
use crate::domain::command::{self, Command};
use crate::domain::facts::{Account, Comment, CommentFacts, Issue, RepoName, Role};
use crate::domain::incident::Subject;
use crate::domain::memory::short_digest;
use crate::domain::observed::{AdvisorySight, Missing, Observed, ReleaseSight, ReportSight};
use crate::domain::orders;
use crate::domain::plan::{self, READ_LAG};
use crate::domain::policy::{LabelKey, Place};
use crate::github::Error;
use crate::github::pace::BETWEEN_WRITES;

/// How long facts about comments are kept in the local store. A comment that is edited is another fact, by its
/// `updated_at`.
const FACT_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How long the store keeps up to when an issue's changes are accounted for.
const SEEN_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long the store keeps that a look had nothing to do. A few things change without a trace in the list of issues.
const STEADY_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a look saw.
pub(super) enum Sight {
    /// A tracking issue of ours.
    Seen(Box<Observed>),
    /// A read was older than our own last write, or than the event that asked.
    TooOld(Timestamp),
    /// An issue that was never ours.
    Plain,
    /// Nothing to follow; the words say why.
    Nothing(String),
}

/// The store's key for the moment before which no read of this issue is used.
fn settle_key(number: u64) -> String {
    format!("settle {number}")
}

/// The store's key for the moment up to which every change of this issue is accounted for.
pub(super) fn seen_key(number: u64) -> String {
    format!("seen {number}")
}

/// The store's key for the state in which a look found nothing to do.
fn steady_key(number: u64) -> String {
    format!("steady {number}")
}

/// The store's key for the `updated_at` that a read must reach, as an event told it.
pub(super) fn floor_key(subject: &Subject) -> String {
    format!("floor {subject}")
}

impl Engine {
    pub(super) async fn observe(&self, number: u64, report: ReportSight, failures: u32) -> Result<Sight, LookError> {
        let now = self.now();
        if let Some(until) = self.unsettled(number).await? {
            return Ok(Sight::TooOld(until));
        }
        let issue = match self.github.issue(&self.tracker, number).await {
            Ok(issue) => issue,
            // An event told of it a moment ago: the read is older than that.
            Err(Error::NotFound(_)) if self.has_fresh_event(&Subject::Tracker(number), now).await? => {
                return Ok(Sight::TooOld(now + READ_LAG));
            }
            Err(Error::NotFound(_) | Error::Gone(_)) => {
                return Ok(Sight::Nothing(format!(
                    "tracking issue #{number} was deleted or cannot be read; it is not opened again by itself"
                )));
            }
            Err(Error::Moved { .. }) => {
                return Ok(Sight::Nothing(format!(
                    "tracking issue #{number} was transferred to another repository; nothing is written there"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let subject = Subject::Tracker(number);
        if self.is_older_than_its_event(&subject, issue.updated_at, now).await? {
            return Ok(Sight::TooOld(now + READ_LAG));
        }
        let me = self.me().await?.clone();
        let mine = issue.user.as_ref().is_some_and(|user| user.id == me.id);
        let known = issue.has_label(&self.policy.label(LabelKey::Incident).name);
        let comments = self.as_guarded(self.github.comments(&self.tracker, number).await?, &issue);
        let adopts = |text: &str| matches!(command::parse(text), Some(Ok(Command::Adopt)));
        if !mine && !known && !comments.iter().any(|comment| adopts(comment.text())) {
            // A sweep comes by every issue that changed: that one is a plain issue is no news.
            return Ok(Sight::Plain);
        }
        let mut observed = Observed {
            me,
            tracker: self.tracker.clone(),
            issue,
            comments,
            facts: Default::default(),
            roles: Default::default(),
            server_time: None,
            revisions: None,
            edits: self.store.edits(number).await?,
            seen: self.store.get(&seen_key(number), now).await?.and_then(|text| text.parse().ok()),
            report,
            acknowledged: false,
            others: Default::default(),
            holders: Default::default(),
            doubled: self.store.get(&doubled_key(number), now).await?.is_some(),
            missing: Vec::new(),
            failures,
            advisory: Default::default(),
            drafts: None,
            linked_elsewhere: Vec::new(),
            releases: Default::default(),
            advisories_public: None,
            cve_step: self.cve_step(number, now).await?,
            advisory_template: self.advisory_template().await?,
            template: self.blank(),
        };
        self.recall_facts(&mut observed, now).await?;
        if !self.complete(&mut observed, now).await? {
            return Ok(Sight::TooOld(now + READ_LAG));
        }
        if !plan::is_ours(&observed, &self.policy, self.key.as_deref()) {
            return Ok(Sight::Nothing(format!(
                "#{number} carries no marker of ours and nobody who may has adopted it"
            )));
        }
        Ok(Sight::Seen(Box::new(observed)))
    }

    /// Notes that a write to this tracking issue is about to begin: a crash right after it must not leave stale reads
    /// trusted. The write may have to wait for its turn first.
    pub(super) async fn before_write(&self, number: u64) -> Result<(), LookError> {
        self.trust_reads_from(number, self.now() + BETWEEN_WRITES + READ_LAG).await
    }

    /// Notes that a write to this tracking issue has ended, however it did: it may have taken long.
    pub(super) async fn after_write(&self, number: u64) -> Result<(), LookError> {
        self.trust_reads_from(number, self.now() + READ_LAG).await
    }

    async fn trust_reads_from(&self, number: u64, at: Timestamp) -> Result<(), LookError> {
        Ok(self.store.put(&settle_key(number), &at.to_string(), at).await?)
    }

    /// Until when reads of this tracking issue may be older than our own last write, if they may.
    pub(super) async fn unsettled(&self, number: u64) -> Result<Option<Timestamp>, LookError> {
        Ok(self.store.get(&settle_key(number), self.now()).await?.and_then(|text| text.parse().ok()))
    }

    /// Whether an event told of this issue so lately that a read may not show it yet.
    pub(super) async fn has_fresh_event(&self, subject: &Subject, now: Timestamp) -> Result<bool, LookError> {
        Ok(self.store.get(&floor_key(subject), now).await?.is_some())
    }

    /// Whether the read is from before the event that asked for the look.
    pub(super) async fn is_older_than_its_event(
        &self,
        subject: &Subject,
        updated_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, LookError> {
        let floor: Option<Timestamp> =
            self.store.get(&floor_key(subject), now).await?.and_then(|text| text.parse().ok());
        Ok(floor.zip(updated_at).is_some_and(|(floor, at)| at < floor))
    }

    /// Reads on until nothing that the plan needs is missing. Each round adds something, so it ends; the cap is for a
    /// server that answers with other comments than it was asked about. `false` if GraphQL lags behind what REST showed.
    async fn complete(&self, observed: &mut Observed, now: Timestamp) -> Result<bool, LookError> {
        for _ in 0..8 {
            observed.server_time = self.github_time(observed);
            let needs = plan::needs(observed, &self.policy, self.key.as_deref());
            if needs.is_empty() {
                return Ok(true);
            }
            let number = observed.issue.number;
            if !needs.facts.is_empty() || needs.history.is_some() {
                let since = needs.history.flatten();
                match self.github.history(&self.tracker, number, since, &needs.facts).await {
                    Ok(history) => {
                        if needs.history.is_some() {
                            observed.revisions = Some(history.revisions);
                        }
                        if needs.facts.iter().any(|comment| is_behind(&history.comments, comment, now)) {
                            return Ok(false);
                        }
                        for mut facts in history.comments {
                            if !self.guards.unedited {
                                facts.last_edited_at = None;
                            }
                            self.keep_facts(observed, &facts).await?;
                            observed.facts.insert(facts.id, facts);
                        }
                    }
                    Err(Error::Unsupported(_)) => observed.missing.push(Missing::GraphQl),
                    Err(error) => return Err(error.into()),
                }
            }
            self.complete_advisory(observed, &needs).await?;
            for (place, account) in &needs.roles {
                let repo = match place {
                    Place::Tracker => &self.tracker,
                    Place::Advisories => self.policy.advisories.repository.as_ref().unwrap_or(&self.tracker),
                };
                match self.role(repo, account).await {
                    Ok(role) => {
                        observed.roles.insert((*place, account.id), role);
                    }
                    // Where Wardroom cannot see who is who, nobody orders anything; the rest goes on.
                    Err(LookError::GitHub(error)) if *place == Place::Advisories && out_of_reach(&error) => {
                        observed.roles.insert((*place, account.id), Role::None);
                    }
                    Err(LookError::GitHub(Error::Unsupported(_))) => {
                        observed.missing.push(Missing::Roles);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            for report in needs.holders {
                let holder = self.holder(&report, number).await?;
                observed.holders.insert(report, holder);
            }
            for other in needs.others {
                let found = match self.github.issue(&self.tracker, other).await {
                    Ok(issue) => Some(issue),
                    Err(Error::NotFound(_) | Error::Gone(_) | Error::Moved { .. }) => None,
                    Err(error) => return Err(error.into()),
                };
                observed.others.insert(other, found);
            }
        }
        Ok(true)
    }

    /// The comments as they are, with all safeguards on.
    fn as_guarded(&self, mut comments: Vec<Comment>, issue: &Issue) -> Vec<Comment> {
        for comment in &mut comments {
            if let Some(user) = comment.user.as_mut().filter(|_| !self.guards.people) {
                user.kind = "User".to_owned();
            }
            if !self.guards.ids
                && let Some(text) = &comment.body
            {
                comment.body = Some(orders::about_its_own(text, issue.text()));
            }
        }
        comments
    }

    /// GitHub's own time, by which orders grow old.
    fn github_time(&self, observed: &Observed) -> Option<Timestamp> {
        if !self.guards.clock {
            return observed.comments.iter().filter_map(|comment| comment.created_at).min();
        }
        self.github.server_time()
    }

    /// The role that someone has now: a right that was taken a minute ago is gone.
    async fn role(&self, repo: &RepoName, account: &Account) -> Result<Role, LookError> {
        if !self.guards.roles {
            return Ok(Role::Admin);
        }
        let now = self.now();
        let no_roles = format!("no roles {repo}");
        if let Some(what) = self.store.get(&no_roles, now).await? {
            return Err(Error::Unsupported(what).into());
        }
        let answer = self.github.role(repo, account).await;
        if let Err(Error::Unsupported(what)) = &answer {
            self.store.put(&no_roles, what, now + FACT_LIFE).await?;
        }
        Ok(answer?)
    }

    async fn keep_facts(&self, observed: &Observed, facts: &CommentFacts) -> Result<(), LookError> {
        let Some(comment) = observed.comments.iter().find(|comment| comment.id == facts.id) else { return Ok(()) };
        let text = serde_json::to_string(facts).unwrap_or_default();
        self.store.put(&facts_key(comment.id, comment.updated_at), &text, self.now() + FACT_LIFE).await?;
        Ok(())
    }

    /// Facts that the store keeps of comments which have not changed since.
    async fn recall_facts(&self, observed: &mut Observed, now: Timestamp) -> Result<(), LookError> {
        for comment in &observed.comments {
            if command::parse(comment.text()).is_none() {
                continue;
            }
            let kept = self.store.get(&facts_key(comment.id, comment.updated_at), now).await?;
            let kept: Option<CommentFacts> = kept.and_then(|text| serde_json::from_str(&text).ok());
            // An edit in the second of the writing changes no time that REST shows. What cannot be taken back is done on
            // what GitHub says now.
            let asked_anew = orders::is_order(comment.text());
            if let Some(facts) = kept.filter(|facts| !asked_anew || !facts.own_reactions.is_empty()) {
                observed.facts.insert(comment.id, facts);
            }
        }
        Ok(())
    }

    /// Notes that whatever changed the issue until `at` is accounted for, so that the edit history need not be asked.
    pub(super) async fn keep_seen(&self, number: u64, at: Timestamp) -> Result<(), LookError> {
        Ok(self.store.put(&seen_key(number), &at.to_string(), self.now() + SEEN_LIFE).await?)
    }

    /// Notes that a look had nothing to do, so that a sweep need not look again before the issue changes. Not where the
    /// look read what changes without the issue: advisories, releases, other issues.
    pub(super) async fn keep_steady(&self, observed: &Observed) -> Result<(), LookError> {
        let Some(at) = observed.issue.updated_at else { return Ok(()) };
        let alone = observed.advisory == AdvisorySight::NotRead
            && observed.releases == ReleaseSight::NotRead
            && observed.drafts.is_none()
            && observed.others.is_empty()
            && observed.holders.is_empty();
        let now = self.now();
        // The comments may be from a replica that is older than the issue's.
        let settled = now.duration_since(at) >= READ_LAG;
        if alone && settled {
            self.store.put(&steady_key(observed.issue.number), &self.state_of(at), now + STEADY_LIFE).await?;
        }
        Ok(())
    }

    /// Whether a look found nothing to do in this very state of an issue.
    pub(super) async fn is_steady(&self, issue: &Issue) -> Result<bool, LookError> {
        let kept = self.store.get(&steady_key(issue.number), self.now()).await?;
        Ok(kept.is_some() && kept == issue.updated_at.map(|at| self.state_of(at)))
    }

    /// The state of an issue for a look by these rules: another version or policy may find something to do.
    fn state_of(&self, updated_at: Timestamp) -> String {
        let policy = serde_json::to_string(&self.policy).unwrap_or_default();
        let rules = short_digest(&format!("{}\n{policy}\n{}", env!("CARGO_PKG_VERSION"), self.template));
        format!("{updated_at} {rules}")
    }

    /// Notes that a command was answered, so that the next look need not ask.
    pub(super) async fn keep_reaction(
        &self,
        observed: &Observed,
        comment: u64,
        reaction: crate::domain::facts::Reaction,
    ) -> Result<(), LookError> {
        let Some(mut facts) = observed.facts.get(&comment).cloned() else { return Ok(()) };
        facts.own_reactions.push(reaction);
        self.keep_facts(observed, &facts).await
    }
}

/// Whether GraphQL may not know yet what REST showed of this comment: that it is there, or that it was edited. An edited
/// comment that passed for an unedited one would count as its author's command.
fn is_behind(facts: &[CommentFacts], comment: &Comment, now: Timestamp) -> bool {
    let fresh = comment.updated_at.is_some_and(|at| now.duration_since(at) < READ_LAG);
    let unedited = facts.iter().find(|facts| facts.id == comment.id).map(|facts| facts.last_edited_at.is_none());
    fresh && unedited.is_none_or(|unedited| unedited && comment.updated_at != comment.created_at)
}

fn facts_key(comment: u64, updated_at: Option<Timestamp>) -> String {
    let at = updated_at.map_or_else(String::new, |at| at.to_string());
    format!("facts {comment} {at}")
}
