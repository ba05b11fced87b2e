//! What people do on GitHub's pages, checked against their roles as the pages do.

use jiff::Timestamp;
use serde_json::json;

use super::handle::Reply;
use super::issues::{BODY_CHARS, BODY_TOO_LONG};
use super::world::{Identity, Repo, State, Visibility, World};
use crate::domain::facts::{RepoName, Role};

/// Someone at a browser.
#[derive(Clone)]
pub struct Person<'a> {
    world: &'a World,
    login: String,
}

/// The page refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("GitHub's page refuses: {0}")]
pub struct PageRefuses(pub String);

/// What an act on a page gives.
pub type Done<T = ()> = Result<T, PageRefuses>;

fn refused<T>(why: &str) -> Done<T> {
    Err(PageRefuses(why.to_owned()))
}

impl World {
    /// Someone who acts.
    pub fn person(&self, login: &str) -> Person<'_> {
        Person { world: self, login: login.to_owned() }
    }

    /// The body of an issue as it is now; empty if there is none.
    pub fn body(&self, repo: &RepoName, number: u64) -> String {
        self.state().issue(repo, number).map(|issue| issue.body.clone()).unwrap_or_default()
    }

    /// The labels of an issue, sorted.
    pub fn labels_of(&self, repo: &RepoName, number: u64) -> Vec<String> {
        let mut names = self.state().issue(repo, number).map(|issue| issue.labels.clone()).unwrap_or_default();
        names.sort();
        names
    }

    /// An issue as REST shows it now, without any lag.
    pub fn issue_now(&self, repo: &RepoName, number: u64) -> Option<crate::domain::facts::Issue> {
        let state = self.state();
        let (repo, issue) = state.repo(repo).zip(state.issue(repo, number))?;
        serde_json::from_value(state.issue_json(repo, issue)).ok()
    }

    /// All issues of a repository that were not deleted or moved, by number.
    pub fn issues_of(&self, repo: &RepoName) -> Vec<crate::domain::facts::Issue> {
        let state = self.state();
        let Some(row) = state.repo(repo) else { return Vec::new() };
        let there = row.issues.values().filter(|issue| !issue.now.deleted && issue.now.moved.is_none());
        there.filter_map(|issue| serde_json::from_value(state.issue_json(row, &issue.now)).ok()).collect()
    }

    /// The comments of an issue, as its page shows them.
    pub fn comments_of(&self, repo: &RepoName, number: u64) -> Vec<Said> {
        let state = self.state();
        let comments = state.issue(repo, number).map(|issue| issue.comments.clone()).unwrap_or_default();
        comments
            .into_iter()
            .map(|comment| Said {
                id: comment.id,
                by: comment.user.map_or_else(|| "ghost".to_owned(), |id| state.login(id)),
                at: comment.created,
                text: comment.body,
                reactions: comment
                    .reactions
                    .iter()
                    .map(|(user, reaction)| (state.login(*user), reaction.rest_name()))
                    .collect(),
            })
            .collect()
    }
}

/// A comment, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its id.
    pub id: u64,
    /// Its author.
    pub by: String,
    /// When it was written.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
    /// Who reacted, and how.
    pub reactions: Vec<(String, &'static str)>,
}

impl Person<'_> {
    pub(super) fn act<T>(
        &self,
        repo: &RepoName,
        least: Role,
        act: impl FnOnce(&mut State, &Repo, u64) -> Done<T>,
    ) -> Done<T> {
        let mut state = self.world.state();
        let Some(user) = state.user_id(&self.login) else { return refused("not signed in") };
        let Some(row) = state.repo(repo).cloned() else { return refused("404") };
        let has = state.role(&row, user);
        if has < Role::Read {
            return refused("404");
        }
        if has < least {
            return refused("no such button for this role");
        }
        if row.archived {
            return refused("this repository was archived");
        }
        act(&mut state, &row, user)
    }

    /// Opens an issue; labels are kept only from people who may label. A form's default labels come from everyone.
    pub fn open_issue(&self, repo: &RepoName, title: &str, body: &str, labels: &[&str]) -> Done<u64> {
        self.open(repo, title, body, labels, false)
    }

    /// Opens an issue by a form that hangs its labels whoever fills it in.
    pub fn open_by_form(&self, repo: &RepoName, title: &str, body: &str, labels: &[&str]) -> Done<u64> {
        self.open(repo, title, body, labels, true)
    }

    fn open(&self, repo: &RepoName, title: &str, body: &str, labels: &[&str], form: bool) -> Done<u64> {
        self.act(repo, Role::Read, |state, row, user| {
            if !row.has_issues {
                return refused("issues are switched off");
            }
            let may = form || state.role(row, user) >= Role::Triage;
            let labels: Vec<String> = labels.iter().filter(|_| may).map(|label| (*label).to_owned()).collect();
            Ok(state.open(row, user, None, title, &crlf(body), &labels))
        })
    }

    /// Hangs a label on an issue.
    pub fn label(&self, repo: &RepoName, number: u64, name: &str) -> Done {
        self.act(repo, Role::Triage, |state, row, user| match state.hang(row, number, &[name.to_owned()], user) {
            Some(Reply { .. }) => refused("the label is not valid"),
            None => Ok(()),
        })
    }

    /// Takes a label off an issue.
    pub fn unlabel(&self, repo: &RepoName, number: u64, name: &str) -> Done {
        self.act(repo, Role::Triage, |state, row, user| {
            state.unhang(row, number, name, user);
            Ok(())
        })
    }

    /// Ticks the task whose text begins so. GitHub patches the tick into the body as it is now.
    pub fn tick(&self, repo: &RepoName, number: u64, beginning: &str) -> Done {
        self.set_box(repo, number, beginning, true)
    }

    /// Unticks the task whose text begins so.
    pub fn untick(&self, repo: &RepoName, number: u64, beginning: &str) -> Done {
        self.set_box(repo, number, beginning, false)
    }

    fn set_box(&self, repo: &RepoName, number: u64, beginning: &str, done: bool) -> Done {
        self.save_body(repo, number, |body| match box_at(body, beginning) {
            // One character changes. Unlike the editor, a click on a box leaves every other byte as it was.
            Some(at) => Ok(format!("{}{}{}", &body[..at], if done { "x" } else { " " }, &body[at + 1..])),
            None => refused("there is no such box"),
        })
    }

    /// Fills a field: what stands behind `- **Name**:`.
    pub fn set_field(&self, repo: &RepoName, number: u64, name: &str, value: &str) -> Done {
        self.save_body(repo, number, |body| {
            let head = format!("- **{name}**");
            let mut found = false;
            let set = |line: &str| {
                let text = line.trim_end_matches('\r');
                let end = if text.len() < line.len() { "\r" } else { "" };
                let Some(at) = text.strip_prefix(&head).and_then(|rest| rest.find(':')) else { return line.to_owned() };
                found = true;
                format!("{head}{} {value}{end}", &text[head.len()..=head.len() + at])
            };
            let lines: Vec<String> = body.split('\n').map(set).collect();
            if found { Ok(crlf(&lines.join("\n"))) } else { refused("there is no such field") }
        })
    }

    /// Saves the whole body from the editor, which turns every line end into CR LF.
    pub fn edit_body(&self, repo: &RepoName, number: u64, edit: impl FnOnce(&str) -> String) -> Done {
        self.save_body(repo, number, |body| Ok(crlf(&edit(body))))
    }

    /// Clicks on boxes, as the caller finds them in the text. Unlike the editor, a click leaves every other byte as it was.
    pub fn click(&self, repo: &RepoName, number: u64, clicked: impl FnOnce(&str) -> Option<String>) -> Done {
        self.save_body(repo, number, |body| clicked(body).map_or_else(|| refused("there is no such box"), Ok))
    }

    fn save_body(&self, repo: &RepoName, number: u64, edit: impl FnOnce(&str) -> Done<String>) -> Done {
        self.act(repo, Role::Read, |state, row, user| {
            let Some(issue) = state.issue(&row.name, number) else { return refused("404") };
            if issue.user != Some(user) && state.role(row, user) < Role::Write {
                return refused("no edit button for this role");
            }
            let text = edit(&issue.body)?;
            if text.chars().count() > BODY_CHARS {
                return refused(BODY_TOO_LONG);
            }
            state.save_body(row, number, user, &text);
            Ok(())
        })
    }

    /// Comments. Returns the comment's id.
    pub fn comment(&self, repo: &RepoName, number: u64, text: &str) -> Done<u64> {
        self.act(repo, Role::Read, |state, row, user| {
            let locked = state.issue(&row.name, number).is_some_and(|issue| issue.locked);
            if locked && state.role(row, user) < Role::Write {
                return refused("this conversation is locked");
            }
            Ok(state.comment(row, number, user, None, &crlf(text)))
        })
    }

    /// Edits a comment: one's own, or with write access anyone's.
    pub fn edit_comment(&self, repo: &RepoName, id: u64, text: &str) -> Done {
        self.act(repo, Role::Read, |state, row, user| {
            let identity = Identity { user, app: None, permissions: None, repositories: None, ends: None };
            match state.holder(row, id) {
                Some(number) if state.may_touch(row, number, id, &identity) => {
                    state.save_comment(row, number, id, user, &crlf(text));
                    Ok(())
                }
                _ => refused("no edit button for this role"),
            }
        })
    }

    /// Deletes a comment: one's own, or with write access anyone's.
    pub fn delete_comment(&self, repo: &RepoName, id: u64) -> Done {
        self.act(repo, Role::Read, |state, row, user| {
            let identity = Identity { user, app: None, permissions: None, repositories: None, ends: None };
            match state.holder(row, id) {
                Some(number) if state.may_touch(row, number, id, &identity) => {
                    state.drop_comment(row, number, id, user);
                    Ok(())
                }
                _ => refused("no delete button for this role"),
            }
        })
    }

    /// Closes an issue, as `completed`, `not_planned` or `duplicate`.
    pub fn close(&self, repo: &RepoName, number: u64, reason: &str) -> Done {
        self.act(repo, Role::Read, |state, row, user| {
            let mine = state.issue(&row.name, number).is_some_and(|issue| issue.user == Some(user));
            if !mine && state.role(row, user) < Role::Triage {
                return refused("no close button for this role");
            }
            state.close(row, number, user, reason);
            Ok(())
        })
    }

    /// Reopens an issue.
    pub fn reopen(&self, repo: &RepoName, number: u64) -> Done {
        self.act(repo, Role::Triage, |state, row, user| {
            state.reopen(row, number, user);
            Ok(())
        })
    }

    /// Deletes an issue.
    pub fn delete_issue(&self, repo: &RepoName, number: u64) -> Done {
        self.act(repo, Role::Admin, |state, row, user| {
            state.issue_event(&row.name, number, "deleted", user, json!({}));
            state.change(&row.name, number, |issue| issue.deleted = true);
            Ok(())
        })
    }

    /// Locks the conversation of an issue.
    pub fn lock(&self, repo: &RepoName, number: u64) -> Done {
        self.act(repo, Role::Write, |state, row, user| {
            state.change(&row.name, number, |issue| issue.locked = true);
            state.issue_event(&row.name, number, "locked", user, json!({}));
            Ok(())
        })
    }

    /// Transfers an issue into another repository, where it gets a new number.
    pub fn transfer(&self, repo: &RepoName, number: u64, to: &RepoName) -> Done<u64> {
        self.act(repo, Role::Write, |state, row, user| {
            let Some(target) = state.repo(to).cloned() else { return refused("404") };
            if state.role(&target, user) < Role::Write {
                return refused("no write access there");
            }
            let Some(old) = state.issue(&row.name, number).cloned() else { return refused("404") };
            let author = old.user.unwrap_or(user);
            let mark = state.deliveries.len();
            let new = state.open(&target, author, old.app.clone(), &old.title, &old.body, &[]);
            let comments = old.comments.clone();
            state.change(to, new, |issue| issue.comments = comments);
            // `opened` over there says where it came from, `transferred` over here where it went.
            state.deliveries.truncate(mark);
            let place = |state: &State, repo: &RepoName, number| {
                let (repo, issue) = state.repo(repo).zip(state.issue(repo, number))?;
                Some((state.issue_json(repo, issue), state.repo_json(repo)))
            };
            if let Some((issue, repository)) = place(state, &row.name, number) {
                let changes = json!({ "changes": { "old_issue": issue, "old_repository": repository } });
                state.issue_event(to, new, "opened", author, changes);
            }
            if let Some((issue, repository)) = place(state, to, new) {
                let changes = json!({ "changes": { "new_issue": issue, "new_repository": repository } });
                state.issue_event(&row.name, number, "transferred", user, changes);
            }
            state.change(&row.name, number, |issue| issue.moved = Some((to.clone(), new)));
            Ok(new)
        })
    }

    /// Makes a repository public.
    pub fn make_public(&self, repo: &RepoName) -> Done {
        self.act(repo, Role::Admin, |state, row, user| {
            if let Some(row) = state.repo_mut(&row.name) {
                row.visibility = Visibility::Public;
            }
            state.repository_event(&row.name, "publicized", user);
            Ok(())
        })
    }

    /// Takes another login. The number stays.
    pub fn rename(&self, login: &str) {
        let mut state = self.world.state();
        state.users.iter_mut().filter(|user| user.login == self.login).for_each(|user| user.login = login.to_owned());
    }

    /// Deletes the account: what it wrote stays, without an author.
    pub fn delete_account(&self) {
        let mut state = self.world.state();
        let Some(id) = state.user_id(&self.login) else { return };
        state.users.retain(|user| user.id != id);
    }
}

/// Where the mark of the box stands whose task begins so, or carries this anchor.
fn box_at(body: &str, beginning: &str) -> Option<usize> {
    let anchor = format!("<!-- wardroom:{beginning} -->");
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let text = &line[indent..];
        let task = ["- [ ] ", "- [x] ", "- [X] "].iter().find_map(|mark| text.strip_prefix(mark));
        if task.is_some_and(|task| task.trim_start_matches("~~").starts_with(beginning) || text.contains(&anchor)) {
            return Some(start + indent + "- [".len());
        }
        start += line.len();
    }
    None
}

/// A browser sends every line end as CR LF.
fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::team;
    use super::*;

    fn world(body: &str) -> (World, RepoName) {
        let (world, repo) = team();
        let call = super::super::Call {
            method: "POST".to_owned(),
            path: format!("/repos/{repo}/issues"),
            token: Some("token-bot".to_owned()),
            body: Some(json!({ "title": "An incident", "body": body })),
            ..super::super::Call::default()
        };
        assert_eq!(world.handle(&call).unwrap().status, 201);
        (world, repo)
    }

    #[test]
    fn a_tick_changes_one_character_and_leaves_the_line_ends_of_the_api() {
        let (world, repo) = world("## Phase\n- [ ] One\n  - [ ] Two <!-- wardroom:T2 -->\r\n- [X] Three\n");
        let ada = world.person("ada");
        ada.tick(&repo, 1, "One").unwrap();
        ada.tick(&repo, 1, "T2").unwrap();
        ada.untick(&repo, 1, "Three").unwrap();
        assert_eq!(world.body(&repo, 1), "## Phase\n- [x] One\n  - [x] Two <!-- wardroom:T2 -->\r\n- [ ] Three\n");
        world.take_deliveries();
        ada.tick(&repo, 1, "One").unwrap();
        assert_eq!(world.take_deliveries(), [], "a box that is ticked already is no edit");
    }

    #[test]
    fn the_editor_saves_with_carriage_returns() {
        let (world, repo) = world("one\n- **CVE ID**: none\n");
        world.person("ada").set_field(&repo, 1, "CVE ID", "CVE-2026-10000").unwrap();
        assert_eq!(world.body(&repo, 1), "one\r\n- **CVE ID**: CVE-2026-10000\r\n");
        world.person("ada").edit_body(&repo, 1, |body| format!("{body}two\n")).unwrap();
        assert_eq!(world.body(&repo, 1), "one\r\n- **CVE ID**: CVE-2026-10000\r\ntwo\r\n");
    }

    #[test]
    fn what_is_not_there_cannot_be_ticked_or_filled_in() {
        let (world, repo) = world("- [ ] One\n");
        let ada = world.person("ada");
        assert!(ada.tick(&repo, 1, "Two").is_err());
        assert!(ada.set_field(&repo, 1, "CVE ID", "CVE-2026-10000").is_err());
        assert_eq!(world.body(&repo, 1), "- [ ] One\n");
    }

    #[test]
    fn only_the_author_and_people_with_write_access_edit_a_body() {
        let (world, repo) = world("- [ ] One\n");
        assert!(world.person("tom").tick(&repo, 1, "One").is_err());
        assert!(world.person("nobody").tick(&repo, 1, "One").is_err());
        assert_eq!(world.body(&repo, 1), "- [ ] One\n");
    }
}
