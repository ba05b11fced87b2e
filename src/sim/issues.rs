//! Issues: list, open, read, change, assign.

use serde_json::{Value, json};

use super::handle::Reply;
use super::labels::{names_of, wrong_labels};
use super::routes::Target;
use super::world::{Edit, Identity, IssueRow, LIST_LAG, Repo, SINGLE_READ_LAG, State, Versions};
use crate::domain::facts::{IssueState, Role};

const TITLE_CHARS: usize = 256;
/// GitHub's limit of a body, and its words.
pub(super) const BODY_CHARS: usize = 65_536;
pub(super) const BODY_TOO_LONG: &str = "body is too long (maximum is 65536 characters)";
const ASSIGNEES: usize = 10;

/// The 422 for a title or body that is too long.
fn too_long(title: Option<&str>, body: Option<&str>) -> Option<Reply> {
    if title.is_some_and(|title| title.trim().is_empty()) {
        return Some(Reply::invalid("Issue", "title", "missing_field", "title can't be blank"));
    }
    if title.is_some_and(|title| title.chars().count() > TITLE_CHARS) {
        return Some(Reply::invalid("Issue", "title", "custom", "title is too long (maximum is 256 characters)"));
    }
    if body.is_some_and(|body| body.chars().count() > BODY_CHARS) {
        return Some(Reply::invalid("Issue", "body", "custom", BODY_TOO_LONG));
    }
    None
}

/// The 422 for a state or a reason that GitHub does not have.
fn wrong_state(state: Option<&str>, reason: Option<&str>) -> Option<Reply> {
    if state.is_some_and(|state| !matches!(state, "open" | "closed")) {
        return Some(Reply::invalid("Issue", "state", "invalid", ""));
    }
    let known = ["completed", "not_planned", "duplicate", "reopened"];
    let unknown = reason.is_some_and(|reason| !known.contains(&reason));
    unknown.then(|| Reply::invalid("Issue", "state_reason", "invalid", ""))
}

impl State {
    pub(super) fn list_issues(&self, repo: &Repo, target: &Target) -> Reply {
        let state = target.get("state").unwrap_or("open");
        let labels: Vec<&str> = target.get("labels").unwrap_or("").split(',').filter(|l| !l.is_empty()).collect();
        let since = target.since();
        let seen = repo.issues.values().filter_map(|versions| self.seen(versions, LIST_LAG));
        let mut rows: Vec<IssueRow> = seen
            .filter(|issue| !issue.deleted && issue.moved.is_none())
            .filter(|issue| match state {
                "open" => issue.state == IssueState::Open,
                "closed" => issue.state == IssueState::Closed,
                _ => true,
            })
            .filter(|issue| labels.iter().all(|name| issue.labels.iter().any(|l| l.eq_ignore_ascii_case(name))))
            .filter(|issue| match target.get("creator") {
                Some(login) => issue.user.is_some_and(|id| self.login(id).eq_ignore_ascii_case(login)),
                None => true,
            })
            .filter(|issue| since.is_none_or(|since| issue.updated >= since))
            .collect();
        match target.get("sort").unwrap_or("created") {
            "updated" => rows.sort_by_key(|issue| (issue.updated, issue.number)),
            "comments" => rows.sort_by_key(|issue| (issue.comments.len(), issue.number)),
            _ => rows.sort_by_key(|issue| (issue.created, issue.number)),
        }
        if target.get("direction").unwrap_or("desc") == "desc" {
            rows.reverse();
        }
        let items = rows.iter().map(|issue| self.issue_json(repo, issue)).collect();
        self.page(items, &format!("/repos/{}/issues", repo.name), target)
    }

    pub(super) fn get_issue(&self, repo: &Repo, number: u64) -> Reply {
        let seen = repo.issues.get(&number).and_then(|versions| self.seen(versions, SINGLE_READ_LAG));
        seen.map_or_else(Reply::not_found, |issue| Reply::ok(self.issue_json(repo, &issue)))
    }

    pub(super) fn create_issue(&mut self, repo: &Repo, identity: &Identity, body: &Value) -> Reply {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let Some(title) = text("title") else { return Reply::invalid("Issue", "title", "missing_field", "") };
        if let Some(wrong) = too_long(Some(title), text("body")) {
            return wrong;
        }
        let may_label = self.access(repo, identity) >= Role::Triage;
        let labels = if may_label { names_of(body.get("labels")) } else { Vec::new() };
        let assignees = if may_label { names_of(body.get("assignees")) } else { Vec::new() };
        if let Some(wrong) = wrong_labels(&labels).or_else(|| self.wrong_assignees(repo, &assignees)) {
            return wrong;
        }
        let number = self.open(repo, identity.user, identity.app.clone(), title, text("body").unwrap_or(""), &labels);
        self.put_assignees(repo, number, &assignees, identity.user);
        self.shown(repo, number, 201)
    }

    /// An issue as it is now, in an answer of this status.
    fn shown(&self, repo: &Repo, number: u64, status: u16) -> Reply {
        let there = self.repo(&repo.name).zip(self.issue(&repo.name, number));
        there.map_or_else(Reply::not_found, |(repo, issue)| Reply::with(status, self.issue_json(repo, issue)))
    }

    /// Opens an issue: `opened`, and one `labeled` for each label.
    pub(super) fn open(
        &mut self,
        repo: &Repo,
        user: u64,
        app: Option<String>,
        title: &str,
        body: &str,
        labels: &[String],
    ) -> u64 {
        let id = self.fresh_id();
        let now = self.now;
        let Some(current) = self.repo_mut(&repo.name) else { return 0 };
        let number = current.issues.keys().next_back().map_or(1, |last| last + 1);
        let row = IssueRow {
            id,
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            user: Some(user),
            state: IssueState::Open,
            reason: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            locked: false,
            created: now,
            updated: now,
            closed: None,
            app,
            edits: Vec::new(),
            comments: Vec::new(),
            deleted: false,
            moved: None,
            pull_request: false,
        };
        current.issues.insert(number, Versions { now: row, past: Vec::new() });
        let mark = self.deliveries.len();
        self.hang(repo, number, labels, user);
        // The issue is opened with its labels; the events come after: first `opened`, then one for each label.
        let labeled: Vec<_> = self.deliveries.drain(mark..).collect();
        self.issue_event(&repo.name, number, "opened", user, json!({}));
        self.deliveries.extend(labeled);
        number
    }

    pub(super) fn edit_issue(&mut self, repo: &Repo, identity: &Identity, number: u64, body: &Value) -> Reply {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let mine = self.issue(&repo.name, number).is_some_and(|issue| issue.user == Some(identity.user));
        let role = self.access(repo, identity);
        // Who may triage may close and label; the words are for their author and for whoever may push.
        let words = text("title").or(text("body")).is_some();
        if !mine && role < if words { Role::Write } else { Role::Triage } {
            return Reply::error(403, "Must have admin rights to Repository.");
        }
        let labels = body.get("labels").filter(|_| role >= Role::Triage).map(|labels| names_of(Some(labels)));
        let assignees = body.get("assignees").filter(|_| role >= Role::Triage).map(|names| names_of(Some(names)));
        let wrong = too_long(text("title"), text("body"))
            .or_else(|| wrong_state(text("state"), text("state_reason")))
            .or_else(|| labels.as_deref().and_then(wrong_labels))
            .or_else(|| self.wrong_assignees(repo, assignees.as_deref().unwrap_or_default()));
        if let Some(wrong) = wrong {
            return wrong;
        }
        if let Some(title) = text("title") {
            let now = self.now;
            let old = self.issue(&repo.name, number).map(|issue| issue.title.clone()).unwrap_or_default();
            self.change(&repo.name, number, |issue| {
                issue.title = title.to_owned();
                issue.updated = now;
            });
            self.issue_event(
                &repo.name,
                number,
                "edited",
                identity.user,
                json!({ "changes": { "title": { "from": old } } }),
            );
        }
        if let Some(text) = text("body") {
            self.save_body(repo, number, identity.user, text);
        }
        match text("state") {
            Some("closed") => self.close(repo, number, identity.user, text("state_reason").unwrap_or("completed")),
            Some("open") => self.reopen(repo, number, identity.user),
            _ => {}
        }
        if let Some(labels) = labels {
            self.replace_labels(repo, number, &labels, identity.user);
        }
        if let Some(wanted) = assignees {
            self.drop_assignees(repo, number, identity.user, |login| {
                wanted.iter().any(|w| w.eq_ignore_ascii_case(login))
            });
            self.put_assignees(repo, number, &wanted, identity.user);
        }
        self.shown(repo, number, 200)
    }

    /// Saves a body. The edit history keeps every version, the first being the body as it was opened.
    pub(super) fn save_body(&mut self, repo: &Repo, number: u64, editor: u64, body: &str) {
        let now = self.now;
        let Some(old) = self.issue(&repo.name, number).map(|issue| issue.body.clone()) else { return };
        if old == body {
            return;
        }
        self.change(&repo.name, number, |issue| {
            if issue.edits.is_empty() {
                let opener = issue.user.unwrap_or(0);
                issue.edits.push(Edit { at: issue.created, editor: opener, body: issue.body.clone() });
            }
            issue.edits.push(Edit { at: now, editor, body: body.to_owned() });
            issue.body = body.to_owned();
            issue.updated = now;
        });
        self.issue_event(&repo.name, number, "edited", editor, json!({ "changes": { "body": { "from": old } } }));
    }

    pub(super) fn close(&mut self, repo: &Repo, number: u64, who: u64, reason: &str) {
        let now = self.now;
        if self.issue(&repo.name, number).is_none_or(|issue| issue.state == IssueState::Closed) {
            return;
        }
        self.change(&repo.name, number, |issue| {
            issue.state = IssueState::Closed;
            issue.reason = Some(reason.to_owned());
            issue.closed = Some(now);
            issue.updated = now;
        });
        self.issue_event(&repo.name, number, "closed", who, json!({}));
    }

    pub(super) fn reopen(&mut self, repo: &Repo, number: u64, who: u64) {
        let now = self.now;
        if self.issue(&repo.name, number).is_none_or(|issue| issue.state == IssueState::Open) {
            return;
        }
        self.change(&repo.name, number, |issue| {
            issue.state = IssueState::Open;
            issue.reason = Some("reopened".to_owned());
            issue.closed = None;
            issue.updated = now;
        });
        self.issue_event(&repo.name, number, "reopened", who, json!({}));
    }

    /// Whether an account can be assigned: someone who was let in.
    fn is_assignable(&self, repo: &Repo, login: &str) -> bool {
        let role = self.user_id(login).and_then(|id| repo.collaborators.get(&id));
        role.is_some_and(|role| *role >= Role::Read)
    }

    /// The 422 for names that cannot be assigned: one such name, and none of the call is done.
    fn wrong_assignees(&self, repo: &Repo, logins: &[String]) -> Option<Reply> {
        let wrong = logins.iter().any(|login| !self.is_assignable(repo, login));
        wrong.then(|| Reply::invalid("Issue", "assignees", "invalid", ""))
    }

    /// Assigns people who can be assigned, as long as there is room.
    pub(super) fn put_assignees(&mut self, repo: &Repo, number: u64, logins: &[String], sender: u64) {
        for id in logins.iter().filter_map(|login| self.user_id(login)).collect::<Vec<_>>() {
            let there = self.issue(&repo.name, number).map(|issue| issue.assignees.clone()).unwrap_or_default();
            if !there.contains(&id) && there.len() < ASSIGNEES {
                self.set_assignees(repo, number, "assigned", id, sender, |all| all.push(id));
            }
        }
    }

    /// Takes everyone off an issue whose login is not to stay.
    pub(super) fn drop_assignees(&mut self, repo: &Repo, number: u64, sender: u64, stays: impl Fn(&str) -> bool) {
        let there = self.issue(&repo.name, number).map(|issue| issue.assignees.clone()).unwrap_or_default();
        for id in there.into_iter().filter(|id| !stays(&self.login(*id))).collect::<Vec<_>>() {
            self.set_assignees(repo, number, "unassigned", id, sender, |all| all.retain(|known| *known != id));
        }
    }

    fn set_assignees(
        &mut self,
        repo: &Repo,
        number: u64,
        action: &str,
        id: u64,
        sender: u64,
        change: impl FnOnce(&mut Vec<u64>),
    ) {
        let now = self.now;
        self.change(&repo.name, number, |issue| {
            change(&mut issue.assignees);
            issue.updated = now;
        });
        let assignee = self.user_json(Some(id));
        self.issue_event(&repo.name, number, action, sender, json!({ "assignee": assignee }));
    }

    pub(super) fn assign(&mut self, repo: &Repo, identity: &Identity, number: u64, body: &Value) -> Reply {
        // Without push access the names are dropped in silence.
        if self.access(repo, identity) >= Role::Triage {
            let logins = names_of(body.get("assignees"));
            if let Some(wrong) = self.wrong_assignees(repo, &logins) {
                return wrong;
            }
            self.put_assignees(repo, number, &logins, identity.user);
        }
        self.shown(repo, number, 201)
    }
}
