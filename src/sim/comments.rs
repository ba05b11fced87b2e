//! Comments and reactions.

use serde_json::{Value, json};

use super::handle::Reply;
use super::issues::{BODY_CHARS, BODY_TOO_LONG};
use super::routes::Target;
use super::world::{CommentRow, Identity, Repo, SINGLE_READ_LAG, State};
use crate::domain::facts::{Reaction, Role};

/// Comments that an issue takes (GitHub's own words say so).
const COMMENTS: usize = 2500;

impl State {
    pub(super) fn list_comments(&self, repo: &Repo, number: u64, target: &Target) -> Reply {
        let Some(issue) = repo.issues.get(&number).and_then(|versions| self.seen(versions, SINGLE_READ_LAG)) else {
            return Reply::not_found();
        };
        let since = target.since();
        let later = issue.comments.iter().filter(|comment| since.is_none_or(|since| comment.updated >= since));
        let items = later.map(|comment| self.comment_json(repo, number, comment)).collect();
        self.page(items, &format!("/repos/{}/issues/{number}/comments", repo.name), target)
    }

    pub(super) fn create_comment(&mut self, repo: &Repo, identity: &Identity, number: u64, body: &Value) -> Reply {
        let Some(text) = body.get("body").and_then(Value::as_str).filter(|text| !text.trim().is_empty()) else {
            return Reply::invalid("IssueComment", "body", "missing_field", "body can't be blank");
        };
        if text.chars().count() > BODY_CHARS {
            return Reply::invalid("IssueComment", "body", "custom", BODY_TOO_LONG);
        }
        let issue = self.issue(&repo.name, number);
        if issue.is_some_and(|issue| issue.comments.len() >= COMMENTS) {
            return Reply::error(403, "Commenting is disabled on issues with more than 2500 comments");
        }
        // Write access lets a person through, but no App's token, whatever it may.
        let may_pass = identity.permissions.is_none() && self.access(repo, identity) >= Role::Write;
        if issue.is_some_and(|issue| issue.locked) && !may_pass {
            return Reply::error(403, "Unable to create comment because issue is locked.");
        }
        let id = self.comment(repo, number, identity.user, identity.app.clone(), text);
        let comment = self.issue(&repo.name, number).and_then(|issue| issue.comments.iter().find(|c| c.id == id));
        comment.map_or_else(Reply::not_found, |comment| Reply::with(201, self.comment_json(repo, number, comment)))
    }

    pub(super) fn comment(&mut self, repo: &Repo, number: u64, user: u64, app: Option<String>, text: &str) -> u64 {
        let id = self.fresh_id();
        let now = self.now;
        let row = CommentRow {
            id,
            user: Some(user),
            body: text.to_owned(),
            created: now,
            updated: now,
            edited: None,
            app,
            reactions: Vec::new(),
        };
        self.change(&repo.name, number, |issue| {
            issue.comments.push(row);
            issue.updated = now;
        });
        self.comment_event(&repo.name, number, id, "created", user, json!({}));
        id
    }

    /// The issue that holds a comment.
    pub(super) fn holder(&self, repo: &Repo, id: u64) -> Option<u64> {
        let current = self.repo(&repo.name)?;
        let holds = |(number, versions): (&u64, &super::world::Versions)| {
            let issue = &versions.now;
            let there =
                !issue.deleted && issue.moved.is_none() && issue.comments.iter().any(|comment| comment.id == id);
            there.then_some(*number)
        };
        current.issues.iter().find_map(holds)
    }

    fn comment_id(target: &Target) -> u64 {
        target.segments.get(5).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(super) fn get_comment(&self, repo: &Repo, target: &Target) -> Reply {
        let id = Self::comment_id(target);
        let Some(number) = self.holder(repo, id) else { return Reply::not_found() };
        let comment = self.issue(&repo.name, number).and_then(|issue| issue.comments.iter().find(|c| c.id == id));
        comment.map_or_else(Reply::not_found, |comment| Reply::ok(self.comment_json(repo, number, comment)))
    }

    /// Whether an identity may change or delete a comment: its author, or anyone with write access.
    pub(super) fn may_touch(&self, repo: &Repo, number: u64, id: u64, identity: &Identity) -> bool {
        let author = self.issue(&repo.name, number).and_then(|issue| issue.comments.iter().find(|c| c.id == id)?.user);
        author == Some(identity.user) || self.access(repo, identity) >= Role::Write
    }

    pub(super) fn edit_comment(&mut self, repo: &Repo, identity: &Identity, target: &Target, body: &Value) -> Reply {
        let id = Self::comment_id(target);
        let Some(number) = self.holder(repo, id) else { return Reply::not_found() };
        if !self.may_touch(repo, number, id, identity) {
            return Reply::error(403, "Must have admin rights to Repository.");
        }
        let Some(text) = body.get("body").and_then(Value::as_str).filter(|text| !text.trim().is_empty()) else {
            return Reply::invalid("IssueComment", "body", "missing_field", "body can't be blank");
        };
        if text.chars().count() > BODY_CHARS {
            return Reply::invalid("IssueComment", "body", "custom", BODY_TOO_LONG);
        }
        self.save_comment(repo, number, id, identity.user, text);
        let comment = self.issue(&repo.name, number).and_then(|issue| issue.comments.iter().find(|c| c.id == id));
        comment.map_or_else(Reply::not_found, |comment| Reply::ok(self.comment_json(repo, number, comment)))
    }

    pub(super) fn save_comment(&mut self, repo: &Repo, number: u64, id: u64, who: u64, text: &str) {
        let now = self.now;
        let mut old = String::new();
        self.change(&repo.name, number, |issue| {
            for comment in issue.comments.iter_mut().filter(|comment| comment.id == id) {
                old = std::mem::replace(&mut comment.body, text.to_owned());
                comment.updated = now;
                comment.edited = Some(now);
            }
            issue.updated = now;
        });
        self.comment_event(&repo.name, number, id, "edited", who, json!({ "changes": { "body": { "from": old } } }));
    }

    pub(super) fn delete_comment(&mut self, repo: &Repo, identity: &Identity, target: &Target) -> Reply {
        let id = Self::comment_id(target);
        let Some(number) = self.holder(repo, id) else { return Reply::not_found() };
        if !self.may_touch(repo, number, id, identity) {
            return Reply::error(403, "Must have admin rights to Repository.");
        }
        self.drop_comment(repo, number, id, identity.user);
        Reply::with(204, Value::Null)
    }

    pub(super) fn drop_comment(&mut self, repo: &Repo, number: u64, id: u64, who: u64) {
        self.comment_event(&repo.name, number, id, "deleted", who, json!({}));
        let now = self.now;
        self.change(&repo.name, number, |issue| {
            issue.comments.retain(|comment| comment.id != id);
            issue.updated = now;
        });
    }

    pub(super) fn react(&mut self, repo: &Repo, identity: &Identity, target: &Target, body: &Value) -> Reply {
        let id = Self::comment_id(target);
        let Some(number) = self.holder(repo, id) else { return Reply::not_found() };
        let wanted = body.get("content").and_then(Value::as_str).unwrap_or_default();
        let known = [Reaction::Rocket, Reaction::Confused, Reaction::Eyes];
        let Some(reaction) = known.into_iter().find(|known| known.rest_name() == wanted) else {
            return Reply::invalid("Reaction", "content", "invalid", "");
        };
        let mark = (identity.user, reaction);
        let mut new = false;
        self.change(&repo.name, number, |issue| {
            for comment in issue.comments.iter_mut().filter(|comment| comment.id == id) {
                new = !comment.reactions.contains(&mark);
                if new {
                    comment.reactions.push(mark);
                }
            }
        });
        let reaction_id = self.fresh_id();
        Reply::with(if new { 201 } else { 200 }, self.reaction_json(reaction_id, identity.user, reaction))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Call;
    use super::super::tests::team;
    use super::*;

    #[test]
    fn a_locked_conversation_takes_comments_of_people_with_write_access_and_of_no_app() {
        let (world, repo) = team();
        let issue = world.person("ada").open_issue(&repo, "A report", "words", &[]).unwrap();
        let comment = |token: &str| {
            let path = format!("/repos/{repo}/issues/{issue}/comments");
            let body = Some(json!({ "body": "hello" }));
            let token = Some(token.to_owned());
            world.handle(&Call { method: "POST".to_owned(), path, token, body, ..Call::default() }).unwrap()
        };
        assert_eq!(["token-bot", "token-tom", "token-ada"].map(|token| comment(token).status), [201, 201, 201]);
        world.person("ada").lock(&repo, issue).unwrap();
        assert_eq!(["token-bot", "token-tom", "token-ada"].map(|token| comment(token).status), [403, 403, 201]);
        let refused: Value = serde_json::from_slice(&comment("token-bot").body).unwrap();
        assert_eq!(refused["message"], "Unable to create comment because issue is locked.");
    }
}
