//! Apps, their installations and tokens; GraphQL, as far as it is asked.

use std::collections::BTreeMap;

use base64::Engine as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::handle::{Call, Reply};
use super::json::time;
use super::labels::names_of;
use super::routes::Target;
use super::world::{ACTIONS, AppRow, Delivery, Identity, SINGLE_READ_LAG, State, World};
use crate::domain::facts::{Reaction, RepoName};
use crate::github::graphql;

/// What a suspended installation is told.
pub(super) const SUSPENDED: &str = "This installation has been suspended";

/// Node ids that one GraphQL call may name.
const NODES: usize = 100;

impl World {
    /// Adds an App that is installed on these repositories with these permissions (`issues`, `write`). A token of the
    /// installation is `token-SLUG`; the App itself proves itself with `jwt-SLUG`, or a JWT whose `iss` is its id.
    pub fn add_app(&self, slug: &str, repositories: &[RepoName], permissions: &[(&str, &str)]) -> u64 {
        let mut state = self.state();
        let id = state.fresh_id();
        let installation = state.fresh_id();
        let user = state.add_user(&format!("{slug}[bot]"), "Bot");
        let permissions: BTreeMap<String, String> =
            permissions.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect();
        let row = AppRow {
            id,
            user,
            installation,
            permissions: permissions.clone(),
            repositories: repositories.to_vec(),
            suspended: false,
        };
        state.apps.insert(slug.to_owned(), row);
        let token = Identity {
            user,
            app: Some(slug.to_owned()),
            permissions: Some(permissions),
            repositories: Some(repositories.to_vec()),
            ends: None,
        };
        state.tokens.insert(format!("token-{slug}"), token);
        id
    }

    /// An owner changes what an App may do; nothing or `read` instead of `write`.
    pub fn app_may(&self, slug: &str, permission: &str, level: Option<&str>) {
        let mut state = self.state();
        let change = |all: &mut BTreeMap<String, String>| match level {
            Some(level) => {
                all.insert(permission.to_owned(), level.to_owned());
            }
            None => {
                all.remove(permission);
            }
        };
        if let Some(row) = state.apps.get_mut(slug) {
            change(&mut row.permissions);
        }
        let tokens = state.tokens.values_mut().filter(|identity| identity.app.as_deref() == Some(slug));
        tokens.filter_map(|identity| identity.permissions.as_mut()).for_each(change);
    }

    /// The token that a workflow in this repository is given, `GITHUB_TOKEN`: it reaches this repository alone, acts as
    /// `github-actions[bot]` and has a smaller budget than an App's.
    pub fn add_actions_token(&self, repo: &RepoName, permissions: &[(&str, &str)]) -> String {
        self.add_app(ACTIONS, std::slice::from_ref(repo), permissions);
        format!("token-{ACTIONS}")
    }

    /// Notes an attempt to deliver in the Apps' log: the receiver's status, 0 where it gave none.
    pub fn attempted(&self, delivery: &Delivery, status: u16) {
        let mut state = self.state();
        // A count of its own: how many are sent does not move the ids of issues and comments.
        let (id, now) = (state.attempts.len() as u64 + 1, state.now);
        state.attempts.push((id, now, delivery.clone(), status));
    }
}

impl State {
    /// The App behind a JWT. The signature is octocrab's business; who it names is ours.
    pub(super) fn app_identity(&self, call: &Call) -> Option<Identity> {
        let token = call.token.as_deref()?;
        let slug = match token.strip_prefix("jwt-") {
            Some(slug) => slug.to_owned(),
            None => {
                let payload = token.split('.').nth(1)?;
                let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
                let claims: Value = serde_json::from_slice(&bytes).ok()?;
                let iss = claims.get("iss")?;
                let id = iss.as_u64().or_else(|| iss.as_str()?.parse().ok())?;
                self.apps.iter().find(|(_, app)| app.id == id)?.0.clone()
            }
        };
        let app = self.apps.get(&slug)?;
        Some(Identity { user: app.user, app: Some(slug), permissions: None, repositories: None, ends: None })
    }

    /// A new installation token, narrowed as asked, for an hour.
    pub(super) fn mint(&mut self, identity: &Identity, target: &Target, body: &Value) -> Reply {
        let slug = identity.app.clone().filter(|_| identity.permissions.is_none());
        let Some((slug, app)) = slug.and_then(|slug| Some((slug.clone(), self.apps.get(&slug)?.clone()))) else {
            return Reply::error(401, "A JSON web token could not be decoded");
        };
        if target.segments.get(2).and_then(|id| id.parse::<u64>().ok()) != Some(app.installation) {
            return Reply::not_found();
        }
        if app.suspended {
            return Reply::error(403, SUSPENDED);
        }
        let mut permissions = app.permissions.clone();
        if let Some(asked) = body.get("permissions").and_then(Value::as_object) {
            let level = |text: Option<&str>| match text {
                Some("write" | "admin") => 2,
                Some("read") => 1,
                _ => 0,
            };
            for (name, wanted) in asked {
                let has = if name == "metadata" { 1 } else { level(app.permissions.get(name).map(String::as_str)) };
                if level(wanted.as_str()) > has {
                    return Reply::error(422, "The permissions requested are not granted to this installation.");
                }
            }
            let kept = asked.iter().filter_map(|(name, level)| Some((name.clone(), level.as_str()?.to_owned())));
            permissions = kept.collect();
        }
        let names = names_of(body.get("repositories"));
        let repositories: Vec<RepoName> = match names.is_empty() {
            true => app.repositories.clone(),
            false => app.repositories.iter().filter(|repo| names.iter().any(|n| n == repo.name())).cloned().collect(),
        };
        if repositories.is_empty() || (!names.is_empty() && repositories.len() != names.len()) {
            return Reply::error(422, "There is at least one repository that does not exist or is not accessible.");
        }
        let ends = self.now + SignedDuration::from_hours(1);
        let token = format!("ghs_{}_{}", app.id, self.fresh_id());
        self.tokens.insert(
            token.clone(),
            Identity {
                user: app.user,
                app: Some(slug),
                permissions: Some(permissions.clone()),
                repositories: Some(repositories),
                ends: Some(ends),
            },
        );
        Reply::with(
            201,
            json!({
                "token": token, "expires_at": time(ends), "permissions": permissions,
                "repository_selection": "selected",
            }),
        )
    }

    /// The App's delivery log, newest first.
    pub(super) fn list_attempts(&self, target: &Target) -> Reply {
        let size = target.number("per_page", 30).clamp(1, 100);
        let skip = target.number("cursor", 0);
        let newest_first = self.attempts.iter().rev().skip(skip);
        let shown: Vec<Value> = newest_first.take(size).map(|attempt| self.attempt_json(attempt)).collect();
        let next = skip + shown.len();
        let mut reply = Reply::ok(Value::Array(shown));
        if next < self.attempts.len() {
            let address = format!("{}/app/hook/deliveries?per_page={size}&cursor={next}", self.base);
            reply.headers.push(("link", format!("<{address}>; rel=\"next\"")));
        }
        reply
    }

    /// One attempt, with what was sent.
    pub(super) fn get_attempt(&self, target: &Target) -> Reply {
        let id = target.segments.get(3).and_then(|id| id.parse::<u64>().ok());
        let Some(attempt) = self.attempts.iter().find(|(of, ..)| Some(*of) == id) else { return Reply::not_found() };
        let mut whole = self.attempt_json(attempt);
        whole["url"] = json!("https://wardroom.test/webhook");
        whole["request"] = json!({ "headers": { "X-GitHub-Event": attempt.2.event }, "payload": attempt.2.payload });
        whole["response"] = json!({ "headers": null, "payload": null });
        Reply::ok(whole)
    }

    fn attempt_json(&self, (id, at, delivery, status): &(u64, Timestamp, Delivery, u16)) -> Value {
        let before = self.attempts.iter().take_while(|(of, ..)| of < id);
        let again = before.into_iter().any(|(_, _, other, _)| other.guid == delivery.guid);
        let number = |pointer: &str| delivery.payload.pointer(pointer).and_then(Value::as_u64);
        json!({
            "id": id, "guid": delivery.guid, "delivered_at": time(*at), "redelivery": again, "duration": 0.2,
            "status": if (200..300).contains(status) { "OK" } else { "Invalid HTTP Response" }, "status_code": status,
            "event": delivery.event, "action": delivery.payload.get("action"), "throttled_at": null,
            "installation_id": number("/installation/id"), "repository_id": number("/repository/id"),
        })
    }

    /// GraphQL: the documents that Wardroom sends, and no others.
    pub(super) fn graphql(&self, identity: &Identity, body: &Value) -> Reply {
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
        if query == graphql::VIEWER {
            return Reply::ok(json!({ "data": { "viewer": { "login": self.login(identity.user) } } }));
        }
        if query != graphql::LOOK {
            return Reply::ok(json!({ "errors": [{ "type": "UNKNOWN", "message": "this query is not known here" }] }));
        }
        if let Some(refused) = too_much(body) {
            return refused;
        }
        let variable = |name: &str| body.pointer(&format!("/variables/{name}"));
        let text = |name: &str| variable(name).and_then(Value::as_str).unwrap_or_default();
        let mut errors = Vec::new();
        let mut data = serde_json::Map::new();
        if variable("history").and_then(Value::as_bool) == Some(true) {
            let name = format!("{}/{}", text("owner"), text("name")).parse::<RepoName>().ok();
            let number = variable("number").and_then(Value::as_u64).unwrap_or(0);
            let first = variable("first").and_then(Value::as_u64).unwrap_or(0);
            let repo = name.and_then(|name| self.repo(&name));
            let repo = repo.filter(|repo| self.access(repo, identity) >= crate::domain::facts::Role::Read);
            let issue = repo.and_then(|repo| self.seen(repo.issues.get(&number)?, SINGLE_READ_LAG));
            let issue = issue.filter(|issue| !issue.deleted && issue.moved.is_none());
            match issue {
                Some(issue) => {
                    let node = self.edits_json(&issue, usize::try_from(first).unwrap_or(0), text("after"));
                    data.insert("repository".into(), json!({ "issue": node }));
                }
                None => {
                    data.insert("repository".into(), Value::Null);
                    errors.push(json!({ "type": "NOT_FOUND", "message": "Could not resolve to an Issue" }));
                }
            }
        }
        let ids = names_of(variable("ids"));
        let nodes: Vec<Value> = ids.iter().map(|id| self.comment_node(identity, id)).collect();
        if nodes.iter().any(Value::is_null) {
            errors.push(json!({ "type": "NOT_FOUND", "message": "Could not resolve to a node" }));
        }
        data.insert("nodes".into(), Value::Array(nodes));
        let mut answer = json!({ "data": data });
        if !errors.is_empty() {
            answer["errors"] = Value::Array(errors);
        }
        Reply::ok(answer)
    }

    fn edits_json(&self, issue: &super::world::IssueRow, first: usize, after: &str) -> Value {
        let skip: usize = after.parse().unwrap_or(0);
        let newest_first: Vec<Value> = issue
            .edits
            .iter()
            .rev()
            .map(|edit| {
                let editor = self
                    .user(edit.editor)
                    .map(|user| json!({ "__typename": user.kind, "login": user.login.trim_end_matches("[bot]") }));
                json!({ "editedAt": time(edit.at), "editor": editor, "diff": edit.body, "deletedAt": null })
            })
            .collect();
        let page: Vec<Value> = newest_first.iter().skip(skip).take(first).cloned().collect();
        let end = skip + page.len();
        let last = issue.edits.last().filter(|_| issue.edits.len() > 1).map(|edit| time(edit.at));
        json!({
            "lastEditedAt": last,
            "userContentEdits": {
                "nodes": page,
                "pageInfo": { "hasNextPage": end < newest_first.len(), "endCursor": end.to_string() },
            },
        })
    }

    fn comment_node(&self, identity: &Identity, node: &str) -> Value {
        let Some(id) = node.strip_prefix("IC_").and_then(|id| id.parse::<u64>().ok()) else { return Value::Null };
        let readable = self.repos.iter().filter(|repo| self.access(repo, identity) >= crate::domain::facts::Role::Read);
        let mut issues = readable.flat_map(|repo| repo.issues.values());
        let issue = issues.find(|versions| versions.now.comments.iter().any(|comment| comment.id == id));
        let comments = issue.and_then(|versions| self.seen(versions, SINGLE_READ_LAG)).map(|row| row.comments);
        let comment = comments.into_iter().flatten().find(|comment| comment.id == id);
        let Some(comment) = comment else { return Value::Null };
        let groups: Vec<Value> = [Reaction::Rocket, Reaction::Confused, Reaction::Eyes]
            .into_iter()
            .map(|reaction| {
                let mine = comment.reactions.contains(&(identity.user, reaction));
                json!({ "content": reaction.graphql_name(), "viewerHasReacted": mine })
            })
            .collect();
        json!({ "id": node, "lastEditedAt": comment.edited.map(time), "reactionGroups": groups })
    }
}

/// GraphQL refuses to give more than 100 of anything at once, with status 200 as for all its errors.
fn too_much(body: &Value) -> Option<Reply> {
    let first = body.pointer("/variables/first").and_then(Value::as_u64).unwrap_or(0);
    let ids = body.pointer("/variables/ids").and_then(Value::as_array).map_or(0, Vec::len);
    let error = |kind: &str, message: String| {
        Some(Reply::ok(json!({ "data": null, "errors": [{ "type": kind, "message": message }] })))
    };
    if ids > NODES {
        return error("ARGUMENT_LIMIT", format!("You may not provide more than {NODES} node ids; you provided {ids}."));
    }
    if first > 100 {
        return error("EXCESSIVE_PAGINATION", format!("Requesting {first} records exceeds the `first` limit of 100."));
    }
    None
}
