//! The simulated GitHub's state: accounts, repositories, issues, comments, and a clock of its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::advisories::AdvisoryRow;
use super::fault::Faults;
use super::limits::Used;
use super::releases::ReleaseRow;
use crate::domain::facts::{IssueState, Label, Reaction, RepoName, Role};

/// A single read may show an issue as it was so long ago.
pub const SINGLE_READ_LAG: SignedDuration = SignedDuration::from_secs(5);

/// A list may show what was true so long ago (12 minutes were seen on github.com).
pub const LIST_LAG: SignedDuration = SignedDuration::from_mins(12);

/// Where the clock starts: Monday 2026-03-02, 09:00 UTC.
const START: i64 = 1_772_442_000;

/// The App behind the token that a workflow is given.
pub(super) const ACTIONS: &str = "github-actions";

/// The simulated GitHub. Everything is behind one lock, and time moves only when it is told to.
pub struct World {
    state: Mutex<State>,
}

/// Who may see a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone.
    Public,
    /// Whoever was let in.
    Private,
    /// Every member of the enterprise.
    Internal,
}

/// An account.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) login: String,
    pub(super) kind: &'static str,
}

/// What a token stands for.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) user: u64,
    /// The App's slug, for an App's token.
    pub(super) app: Option<String>,
    /// What an installation's token may, `issues` → `write`; `None` for a person.
    pub(super) permissions: Option<BTreeMap<String, String>>,
    /// The repositories an installation's token reaches.
    pub(super) repositories: Option<Vec<RepoName>>,
    pub(super) ends: Option<Timestamp>,
}

impl Identity {
    /// Whether this is the token that a workflow is given.
    pub(super) fn is_actions(&self) -> bool {
        self.app.as_deref() == Some(ACTIONS)
    }
}

#[derive(Clone, Debug)]
pub(super) struct AppRow {
    pub(super) id: u64,
    pub(super) user: u64,
    pub(super) installation: u64,
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) repositories: Vec<RepoName>,
    pub(super) suspended: bool,
}

/// An edit of a body.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) at: Timestamp,
    pub(super) editor: u64,
    pub(super) body: String,
}

#[derive(Clone, Debug)]
pub(super) struct CommentRow {
    pub(super) id: u64,
    pub(super) user: Option<u64>,
    pub(super) body: String,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) edited: Option<Timestamp>,
    pub(super) app: Option<String>,
    pub(super) reactions: Vec<(u64, Reaction)>,
}

#[derive(Clone, Debug)]
pub(super) struct IssueRow {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) user: Option<u64>,
    pub(super) state: IssueState,
    pub(super) reason: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) assignees: Vec<u64>,
    pub(super) locked: bool,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) closed: Option<Timestamp>,
    pub(super) app: Option<String>,
    /// Oldest first; the first is the body as it was opened. Empty if never edited.
    pub(super) edits: Vec<Edit>,
    pub(super) comments: Vec<CommentRow>,
    pub(super) deleted: bool,
    pub(super) moved: Option<(RepoName, u64)>,
    pub(super) pull_request: bool,
}

/// Whether and how reads lag behind writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lag {
    /// Every read shows what is true.
    None,
    /// Every read shows what was true as long ago as it can.
    Most,
    /// Every read has a lag of its own, from this seed.
    Seeded(u64),
}

/// A number that a seed and a counter give, spread evenly (the finaliser of SplitMix64, Steele, Lea and Flood, 2014).
fn scattered(seed: u64, counter: u64) -> u64 {
    let mut bits = seed.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// An issue with its earlier versions, for reads that lag.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub(super) now: IssueRow,
    /// Each was true until its time. Shared, for every call copies its repository.
    pub(super) past: Vec<(Timestamp, Arc<IssueRow>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Repo {
    pub(super) id: u64,
    pub(super) name: RepoName,
    pub(super) visibility: Visibility,
    pub(super) archived: bool,
    pub(super) has_issues: bool,
    pub(super) collaborators: BTreeMap<u64, Role>,
    pub(super) labels: Vec<(u64, Label)>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) issues: BTreeMap<u64, Versions>,
    pub(super) security_managers: Vec<u64>,
    /// In the order in which they were made.
    pub(super) advisories: Vec<AdvisoryRow>,
    pub(super) releases: Vec<ReleaseRow>,
}

/// A webhook on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// GitHub's id of it.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// The payload.
    pub payload: Value,
}

/// A call that reached the simulated GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Counts from 1.
    pub seq: usize,
    /// When.
    pub at: Timestamp,
    /// The login behind the token.
    pub who: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query as they came.
    pub path: String,
    /// The route in normal form, `R/issues/{n}`; `unknown route` for a path that GitHub does not have.
    pub route: String,
    /// The status that was answered; 0 where the answer was lost.
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) users: Vec<User>,
    pub(super) apps: BTreeMap<String, AppRow>,
    pub(super) tokens: HashMap<String, Identity>,
    pub(super) repos: Vec<Repo>,
    /// Names that repositories had, and those that they have.
    pub(super) renamed: Vec<(RepoName, RepoName)>,
    pub(super) last_id: u64,
    pub(super) last_delivery: u64,
    pub(super) deliveries: VecDeque<Delivery>,
    /// Every attempt to deliver, oldest first, with when it was made and the receiver's status.
    pub(super) attempts: Vec<(u64, Timestamp, Delivery, u16)>,
    pub(super) calls: Vec<CallRecord>,
    pub(super) faults: Faults,
    pub(super) lag: Lag,
    pub(super) base: String,
    pub(super) graphql: bool,
    pub(super) roles: bool,
    pub(super) advisories: bool,
    /// What each account has used of its limits.
    pub(super) used: HashMap<u64, Used>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty GitHub.
    pub fn new() -> Self {
        let state = State {
            now: Timestamp::from_second(START).unwrap_or(Timestamp::UNIX_EPOCH),
            users: Vec::new(),
            apps: BTreeMap::new(),
            tokens: HashMap::new(),
            repos: Vec::new(),
            renamed: Vec::new(),
            last_id: 1000,
            last_delivery: 0,
            deliveries: VecDeque::new(),
            attempts: Vec::new(),
            calls: Vec::new(),
            faults: Faults::default(),
            lag: Lag::None,
            base: "https://api.github.test".to_owned(),
            graphql: true,
            roles: true,
            advisories: true,
            used: HashMap::new(),
        };
        World { state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide behind a poisoned lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time here.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        self.state().now += by;
    }

    /// Lets time pass until a moment; a moment in the past changes nothing.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(moment);
    }

    /// Switches lagging reads on or off: each shows what was true as long ago as it can.
    pub fn set_lag(&self, on: bool) {
        self.state().lag = if on { Lag::Most } else { Lag::None };
    }

    /// Lets each read lag for itself, as replicas do: by any time up to the most, which the seed and the number of the
    /// call decide. The same seed gives the same lags.
    pub fn set_lag_by_seed(&self, seed: u64) {
        self.state().lag = Lag::Seeded(seed);
    }

    /// A server without GraphQL.
    pub fn without_graphql(&self) {
        self.state().graphql = false;
    }

    /// A server that does not tell roles.
    pub fn without_roles(&self) {
        self.state().roles = false;
    }

    /// The address that absolute links begin with.
    pub fn set_base(&self, base: &str) {
        self.state().base = base.trim_end_matches('/').to_owned();
    }

    /// The faults, to plan some.
    pub fn faults<A>(&self, plan: impl FnOnce(&mut Faults) -> A) -> A {
        plan(&mut self.state().faults)
    }

    /// The webhooks that wait to be delivered, in the order in which they happened.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        self.state().deliveries.drain(..).collect()
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.state().calls.clone()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.state().calls.clear();
    }

    /// Adds a person and a token of theirs, `token-LOGIN`. Returns the account's id; one that is there stays as it is.
    pub fn add_user(&self, login: &str) -> u64 {
        let mut state = self.state();
        if let Some(known) = state.user_id(login) {
            return known;
        }
        let id = state.add_user(login, "User");
        let identity = Identity { user: id, app: None, permissions: None, repositories: None, ends: None };
        state.tokens.insert(format!("token-{login}"), identity);
        id
    }

    /// Adds a repository. `octo/security`, with GitHub's default labels left out.
    pub fn add_repo(&self, name: &RepoName, visibility: Visibility) {
        let mut state = self.state();
        if !state.users.iter().any(|user| user.login.eq_ignore_ascii_case(name.owner())) {
            state.add_user(name.owner(), "Organization");
        }
        let id = state.fresh_id();
        state.repos.push(Repo {
            id,
            name: name.clone(),
            visibility,
            archived: false,
            has_issues: true,
            collaborators: BTreeMap::new(),
            labels: Vec::new(),
            files: BTreeMap::new(),
            issues: BTreeMap::new(),
            security_managers: Vec::new(),
            advisories: Vec::new(),
            releases: Vec::new(),
        });
    }

    /// Lets a person into a repository.
    pub fn collaborator(&self, repo: &RepoName, login: &str, role: Role) {
        let mut state = self.state();
        let Some(user) = state.user_id(login) else { return };
        if let Some(repo) = state.repo_mut(repo) {
            repo.collaborators.insert(user, role);
        }
    }

    /// Puts a text file on the default branch.
    pub fn file(&self, repo: &RepoName, path: &str, text: &str) {
        if let Some(repo) = self.state().repo_mut(repo) {
            repo.files.insert(path.to_owned(), text.to_owned());
        }
    }

    /// Archives a repository, or switches its issues off.
    pub fn set_repo(&self, repo: &RepoName, archived: bool, has_issues: bool) {
        if let Some(repo) = self.state().repo_mut(repo) {
            repo.archived = archived;
            repo.has_issues = has_issues;
        }
    }

    /// Gives a repository another name. Calls to the old one are redirected, reads and writes alike.
    pub fn rename_repo(&self, repo: &RepoName, to: &RepoName) {
        let mut state = self.state();
        let Some(row) = state.repo_mut(repo) else { return };
        row.name = to.clone();
        let State { apps, tokens, renamed, .. } = &mut *state;
        let of_tokens = tokens.values_mut().filter_map(|identity| identity.repositories.as_mut());
        for name in apps.values_mut().map(|app| &mut app.repositories).chain(of_tokens).flatten() {
            if name == repo {
                *name = to.clone();
            }
        }
        renamed.retain(|(old, _)| old != to);
        renamed.push((repo.clone(), to.clone()));
    }

    /// Suspends an App's installation, or ends that. Its tokens are refused meanwhile.
    pub fn suspend(&self, slug: &str, suspended: bool) {
        if let Some(app) = self.state().apps.get_mut(slug) {
            app.suspended = suspended;
        }
    }

    /// Installs an App on these repositories and no others; none uninstalls it. Tokens of before are worth nothing.
    pub fn install(&self, slug: &str, repositories: &[RepoName]) {
        let mut state = self.state();
        if let Some(app) = state.apps.get_mut(slug) {
            app.repositories = repositories.to_vec();
        }
        state.tokens.retain(|_, identity| identity.app.as_deref() != Some(slug) || identity.permissions.is_none());
    }

    /// Changes who may see a repository.
    pub fn set_visibility(&self, repo: &RepoName, visibility: Visibility) {
        if let Some(repo) = self.state().repo_mut(repo) {
            repo.visibility = visibility;
        }
    }
}

impl State {
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn add_user(&mut self, login: &str, kind: &'static str) -> u64 {
        let id = self.fresh_id();
        self.users.push(User { id, login: login.to_owned(), kind });
        id
    }

    pub(super) fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn user_id(&self, login: &str) -> Option<u64> {
        self.users.iter().find(|user| user.login.eq_ignore_ascii_case(login)).map(|user| user.id)
    }

    pub(super) fn login(&self, id: u64) -> String {
        self.user(id).map_or_else(|| "ghost".to_owned(), |user| user.login.clone())
    }

    pub(super) fn repo(&self, name: &RepoName) -> Option<&Repo> {
        self.repos.iter().find(|repo| repo.name == *name)
    }

    pub(super) fn repo_mut(&mut self, name: &RepoName) -> Option<&mut Repo> {
        self.repos.iter_mut().find(|repo| repo.name == *name)
    }

    pub(super) fn issue(&self, name: &RepoName, number: u64) -> Option<&IssueRow> {
        self.repo(name)?.issues.get(&number).map(|versions| &versions.now)
    }

    /// Changes an issue and keeps the version before, for reads that lag.
    pub(super) fn change(&mut self, name: &RepoName, number: u64, change: impl FnOnce(&mut IssueRow)) {
        let now = self.now;
        let Some(repo) = self.repo_mut(name) else { return };
        let Some(versions) = repo.issues.get_mut(&number) else { return };
        // Reads lag by minutes at the most: older versions are never asked for again.
        versions.past.retain(|(at, _)| now.duration_since(*at) < LIST_LAG * 2);
        // Of several changes in one moment nobody can see the versions in between.
        if versions.past.last().is_none_or(|(at, _)| *at < now) {
            versions.past.push((now, Arc::new(versions.now.clone())));
        }
        change(&mut versions.now);
    }

    /// How much the read that is being answered lags; `None` where reads do not.
    fn lag_of(&self, most: SignedDuration) -> Option<SignedDuration> {
        match self.lag {
            Lag::None => None,
            Lag::Most => Some(most),
            Lag::Seeded(seed) => {
                let call = u64::try_from(self.faults.count).unwrap_or(u64::MAX);
                let steps = u64::try_from(most.as_secs()).unwrap_or(0) + 1;
                Some(SignedDuration::from_secs(i64::try_from(scattered(seed, call) % steps).unwrap_or(0)))
            }
        }
    }

    /// The issue as a read shows it that lags by so much; `None` if it did not exist then.
    pub(super) fn seen(&self, versions: &Versions, lag: SignedDuration) -> Option<IssueRow> {
        let Some(lag) = self.lag_of(lag) else { return Some(versions.now.clone()) };
        let then = self.now - lag;
        if versions.now.created > then {
            return None;
        }
        let until = versions.past.iter().find(|(at, _)| *at > then);
        Some(until.map_or_else(|| versions.now.clone(), |(_, row)| (**row).clone()))
    }

    /// The role of an account in a repository.
    pub(super) fn role(&self, repo: &Repo, user: u64) -> Role {
        let least = if repo.visibility == Visibility::Public { Role::Read } else { Role::None };
        repo.collaborators.get(&user).copied().unwrap_or(least)
    }
}
