//! The simulated GitHub's objects as JSON, with every key that GitHub's OpenAPI description requires.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::world::{CommentRow, IssueRow, Repo, State, Visibility};
use crate::domain::facts::{IssueState, Label, Reaction, RepoName, Role};

/// Times as GitHub writes them: whole seconds.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn keys(base: &str, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| (format!("{name}_url"), json!(format!("{base}/{name}")))).collect()
}

impl State {
    /// A simple-user; `null` for a deleted account.
    pub(super) fn user_json(&self, id: Option<u64>) -> Value {
        let Some(user) = id.and_then(|id| self.user(id)) else { return Value::Null };
        let url = format!("{}/users/{}", self.base, user.login.replace('[', "%5B").replace(']', "%5D"));
        let page = match user.login.strip_suffix("[bot]") {
            Some(slug) => format!("https://github.test/apps/{slug}"),
            None => format!("https://github.test/{}", user.login),
        };
        let mut json = keys(
            &url,
            &[
                "followers",
                "following",
                "gists",
                "starred",
                "subscriptions",
                "organizations",
                "repos",
                "events",
                "received_events",
            ],
        );
        json.extend(object(json!({
            "login": user.login, "id": user.id, "node_id": format!("U_{}", user.id), "avatar_url": format!("{url}/avatar"),
            "gravatar_id": "", "url": url, "html_url": page, "type": user.kind,
            "site_admin": false,
        })));
        Value::Object(json)
    }

    /// A public-user, with what the profile page shows.
    pub(super) fn profile_json(&self, id: u64) -> Value {
        let mut json = object(self.user_json(Some(id)));
        let at = "2020-01-01T00:00:00Z";
        json.extend(object(json!({
            "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null, "bio": null,
            "public_repos": 1, "public_gists": 0, "followers": 0, "following": 0, "created_at": at, "updated_at": at,
        })));
        Value::Object(json)
    }

    pub(super) fn label_json(&self, repo: &Repo, id: u64, label: &Label) -> Value {
        json!({
            "id": id, "node_id": format!("LA_{id}"), "name": label.name, "default": false,
            "url": format!("{}/labels/{}", self.repo_url(&repo.name), label.name.replace(' ', "%20").replace('/', "%2F")),
            "color": label.color.as_deref().unwrap_or("ededed"), "description": label.description,
        })
    }

    pub(super) fn repo_url(&self, name: &RepoName) -> String {
        format!("{}/repos/{name}", self.base)
    }

    pub(super) fn issue_json(&self, repo: &Repo, issue: &IssueRow) -> Value {
        let url = format!("{}/issues/{}", self.repo_url(&repo.name), issue.number);
        let labels: Vec<Value> = issue
            .labels
            .iter()
            .filter_map(|name| repo.labels.iter().find(|(_, label)| label.name.eq_ignore_ascii_case(name)))
            .map(|(id, label)| self.label_json(repo, *id, label))
            .collect();
        let assignees: Vec<Value> = issue.assignees.iter().map(|id| self.user_json(Some(*id))).collect();
        let mut json = object(json!({
            "id": issue.id, "node_id": format!("I_{}", issue.id), "number": issue.number, "url": url,
            "repository_url": self.repo_url(&repo.name), "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "html_url": format!("https://github.test/{}/issues/{}", repo.name, issue.number),
            "title": issue.title, "user": self.user_json(issue.user), "labels": labels,
            "body": if issue.body.is_empty() { Value::Null } else { json!(issue.body) },
            "state": if issue.state == IssueState::Open { "open" } else { "closed" }, "state_reason": issue.reason,
            "locked": issue.locked, "assignee": assignees.first().cloned().unwrap_or(Value::Null),
            "assignees": assignees, "milestone": null, "comments": issue.comments.len(),
            "created_at": time(issue.created), "updated_at": time(issue.updated),
            "closed_at": issue.closed.map(time), "author_association": association(repo, issue.user), "active_lock_reason": null,
            "performed_via_github_app": self.app_json(issue.app.as_deref()), "reactions": self.reactions_json(&url, &[]),
            "timeline_url": format!("{url}/timeline"),
        }));
        if issue.pull_request {
            json.insert(
                "pull_request".into(),
                json!({ "url": url, "html_url": url, "diff_url": url, "patch_url": url }),
            );
        }
        Value::Object(json)
    }

    pub(super) fn comment_json(&self, repo: &Repo, number: u64, comment: &CommentRow) -> Value {
        let url = format!("{}/issues/comments/{}", self.repo_url(&repo.name), comment.id);
        json!({
            "id": comment.id, "node_id": format!("IC_{}", comment.id), "url": url,
            "html_url": format!("https://github.test/{}/issues/{number}#issuecomment-{}", repo.name, comment.id),
            "issue_url": format!("{}/issues/{number}", self.repo_url(&repo.name)), "body": comment.body,
            "user": self.user_json(comment.user), "created_at": time(comment.created),
            "updated_at": time(comment.updated), "author_association": association(repo, comment.user),
            "performed_via_github_app": self.app_json(comment.app.as_deref()),
            "reactions": self.reactions_json(&url, &comment.reactions),
        })
    }

    fn reactions_json(&self, url: &str, reactions: &[(u64, Reaction)]) -> Value {
        let count = |wanted| reactions.iter().filter(|(_, reaction)| *reaction == wanted).count();
        json!({
            "url": format!("{url}/reactions"), "total_count": reactions.len(), "+1": 0, "-1": 0, "laugh": 0, "hooray": 0,
            "confused": count(Reaction::Confused), "heart": 0, "rocket": count(Reaction::Rocket),
            "eyes": count(Reaction::Eyes),
        })
    }

    pub(super) fn reaction_json(&self, id: u64, user: u64, reaction: Reaction) -> Value {
        json!({
            "id": id, "node_id": format!("REA_{id}"), "user": self.user_json(Some(user)),
            "content": reaction.rest_name(), "created_at": time(self.now),
        })
    }

    pub(super) fn app_json(&self, slug: Option<&str>) -> Value {
        let Some((slug, app)) = slug.and_then(|slug| self.apps.get_key_value(slug)) else { return Value::Null };
        let owner = app.repositories.first().and_then(|repo| self.user_id(repo.owner()));
        json!({
            "id": app.id, "slug": slug, "node_id": format!("A_{}", app.id), "owner": self.user_json(owner), "name": slug,
            "client_id": format!("Iv1.{}", app.id), "description": null, "external_url": "https://wardroom.test",
            "html_url": format!("https://github.test/apps/{slug}"), "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z", "permissions": app.permissions,
            "events": ["issues", "issue_comment"], "installations_count": 1,
        })
    }

    pub(super) fn installation_json(&self, slug: &str) -> Value {
        let Some(app) = self.apps.get(slug) else { return Value::Null };
        let owner = app.repositories.first().and_then(|repo| self.user_id(repo.owner()));
        let url = format!("{}/app/installations/{}", self.base, app.installation);
        json!({
            "id": app.installation, "account": self.user_json(owner), "repository_selection": "selected",
            "access_tokens_url": format!("{url}/access_tokens"),
            "repositories_url": format!("{}/installation/repositories", self.base),
            "html_url": format!("https://github.test/settings/installations/{}", app.installation), "app_id": app.id,
            "app_slug": slug, "target_id": owner.unwrap_or(0), "target_type": "Organization",
            "permissions": app.permissions, "events": ["issues", "issue_comment"],
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "single_file_name": null,
            "suspended_by": null, "suspended_at": app.suspended.then(|| time(self.now)),
        })
    }

    pub(super) fn permission_json(&self, user: u64, role: Role) -> Value {
        let (permission, role_name) = match role {
            Role::None => ("none", ""),
            Role::Read => ("read", "read"),
            Role::Triage => ("read", "triage"),
            Role::Write => ("write", "write"),
            Role::Maintain => ("write", "maintain"),
            Role::Admin => ("admin", "admin"),
        };
        let mut account = object(self.user_json(Some(user)));
        account.insert("role_name".into(), json!(role_name));
        account.insert(
            "permissions".into(),
            json!({
                "pull": role >= Role::Read, "triage": role >= Role::Triage, "push": role >= Role::Write,
                "maintain": role >= Role::Maintain, "admin": role >= Role::Admin,
            }),
        );
        json!({ "permission": permission, "role_name": role_name, "user": account })
    }

    /// A full-repository, as `GET /repos/{owner}/{repo}` and webhooks give it.
    pub(super) fn repo_json(&self, repo: &Repo) -> Value {
        let url = self.repo_url(&repo.name);
        let html = format!("https://github.test/{}", repo.name);
        let mut json = keys(
            &url,
            &[
                "archive",
                "assignees",
                "blobs",
                "branches",
                "collaborators",
                "comments",
                "commits",
                "compare",
                "contents",
                "contributors",
                "deployments",
                "downloads",
                "events",
                "forks",
                "git_commits",
                "git_refs",
                "git_tags",
                "hooks",
                "issue_comment",
                "issue_events",
                "issues",
                "keys",
                "labels",
                "languages",
                "merges",
                "milestones",
                "notifications",
                "pulls",
                "releases",
                "stargazers",
                "statuses",
                "subscribers",
                "subscription",
                "tags",
                "teams",
                "trees",
            ],
        );
        let (private, visibility) = match repo.visibility {
            Visibility::Public => (false, "public"),
            Visibility::Private => (true, "private"),
            Visibility::Internal => (true, "internal"),
        };
        let open =
            repo.issues.values().filter(|issue| issue.now.state == IssueState::Open && !issue.now.deleted).count();
        json.extend(object(json!({
            "id": repo.id, "node_id": format!("R_{}", repo.id), "name": repo.name.name(),
            "full_name": repo.name.to_string(), "owner": self.user_json(self.user_id(repo.name.owner())),
            "private": private, "visibility": visibility, "html_url": html, "description": null, "fork": false, "url": url,
            "clone_url": format!("{html}.git"), "git_url": format!("git://github.test/{}.git", repo.name),
            "ssh_url": format!("git@github.test:{}.git", repo.name), "svn_url": html, "mirror_url": null, "homepage": null,
            "default_branch": "main", "forks": 0, "forks_count": 0, "has_issues": repo.has_issues, "has_projects": false,
            "has_wiki": false, "has_pages": false, "has_discussions": false, "language": null,
            "archived": repo.archived, "disabled": false, "open_issues": open, "open_issues_count": open,
            "license": null, "size": 1, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "network_count": 0,
            "subscribers_count": 0, "pushed_at": "2026-01-01T00:00:00Z", "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        })));
        json.extend(object(json!({ "has_downloads": false, "topics": [] })));
        Value::Object(json)
    }
}

/// How an author stands to a repository. It says little: whoever was let in with any role is a collaborator.
fn association(repo: &Repo, user: Option<u64>) -> &'static str {
    match user.and_then(|id| repo.collaborators.get(&id)) {
        Some(role) if *role >= Role::Read => "COLLABORATOR",
        _ => "NONE",
    }
}

/// The members of a JSON object; empty for anything else.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
