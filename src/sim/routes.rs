//! Which path is which call.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::handle::{Call, Reply};
use super::world::{Identity, Repo, State, Visibility};
use crate::domain::facts::{RepoName, Role};

/// Path segments and query of a call, decoded.
pub(super) struct Target {
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
}

impl Target {
    pub(super) fn new(path: &str) -> Target {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let query = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                (decode(name), decode(&value.replace('+', " ")))
            })
            .collect();
        Target { segments, query }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The moment that a list is to begin with.
    pub(super) fn since(&self) -> Option<jiff::Timestamp> {
        self.get("since")?.parse().ok()
    }

    pub(super) fn number(&self, name: &str, default: usize) -> usize {
        self.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

/// The route of a path in normal form, for counting calls.
pub(super) fn route_of(path: &str) -> &'static str {
    let target = Target::new(path);
    let parts: Vec<&str> = target.segments.iter().map(String::as_str).collect();
    match parts[..] {
        ["user"] => "/user",
        ["users", _] => "/users/{login}",
        ["app"] => "/app",
        ["app", "hook", "deliveries"] => "/app/hook/deliveries",
        ["app", "hook", "deliveries", _] => "/app/hook/deliveries/{id}",
        ["app", "installations", _, "access_tokens"] => "/app/installations/{id}/access_tokens",
        ["rate_limit"] => "/rate_limit",
        ["graphql"] => "/graphql",
        ["repos", _, _] => "R",
        ["repos", _, _, "installation"] => "R/installation",
        ["repos", _, _, "contents", ..] => "R/contents/{path}",
        ["repos", _, _, "collaborators", _, "permission"] => "R/collaborators/{login}/permission",
        ["repos", _, _, "labels"] => "R/labels",
        ["repos", _, _, "labels", _] => "R/labels/{name}",
        ["repos", _, _, "issues"] => "R/issues",
        ["repos", _, _, "issues", "comments", _] => "R/issues/comments/{id}",
        ["repos", _, _, "issues", "comments", _, "reactions"] => "R/issues/comments/{id}/reactions",
        ["repos", _, _, "issues", _] => "R/issues/{n}",
        ["repos", _, _, "issues", _, "comments"] => "R/issues/{n}/comments",
        ["repos", _, _, "issues", _, "labels"] => "R/issues/{n}/labels",
        ["repos", _, _, "issues", _, "labels", _] => "R/issues/{n}/labels/{name}",
        ["repos", _, _, "issues", _, "assignees"] => "R/issues/{n}/assignees",
        ["repos", _, _, "security-advisories"] => "R/security-advisories",
        ["repos", _, _, "security-advisories", "reports"] => "R/security-advisories/reports",
        ["repos", _, _, "security-advisories", _] => "R/security-advisories/{ghsa}",
        ["repos", _, _, "security-advisories", _, "cve"] => "R/security-advisories/{ghsa}/cve",
        ["repos", _, _, "releases"] => "R/releases",
        ["repos", _, _, "releases", "tags", _] => "R/releases/tags/{tag}",
        _ => "unknown route",
    }
}

impl State {
    pub(super) fn dispatch(&mut self, call: &Call, identity: &Identity, route: String) -> (String, Reply) {
        let target = Target::new(&call.path);
        let body = call.body.clone().unwrap_or(Value::Null);
        let reply = match (call.method.as_str(), route.as_str()) {
            ("GET", "/user") if identity.app.is_some() => Reply::error(403, "Resource not accessible by integration"),
            ("GET", "/user") => Reply::ok(self.profile_json(identity.user)),
            ("GET", "/users/{login}") => match target.segments.get(1).and_then(|login| self.user_id(login)) {
                Some(id) => Reply::ok(self.profile_json(id)),
                None => Reply::not_found(),
            },
            ("GET", "/rate_limit") => Reply::ok(self.rate_json(identity)),
            ("GET", "/app") => match identity.app.as_deref() {
                Some(slug) if identity.permissions.is_none() => Reply::ok(self.app_json(Some(slug))),
                _ => Reply::error(401, "A JSON web token could not be decoded"),
            },
            ("GET", "/app/hook/deliveries" | "/app/hook/deliveries/{id}")
                if identity.app.is_none() || identity.permissions.is_some() =>
            {
                Reply::error(401, "A JSON web token could not be decoded")
            }
            ("GET", "/app/hook/deliveries") => self.list_attempts(&target),
            ("GET", "/app/hook/deliveries/{id}") => self.get_attempt(&target),
            ("POST", "/app/installations/{id}/access_tokens") => self.mint(identity, &target, &body),
            ("POST", "/graphql") if self.graphql => self.graphql(identity, &body),
            (method, route) if route.starts_with("R") => match self.moved(&call.path) {
                Some(address) => Reply::moved(address),
                None => self.repo_call(method, route, identity, &target, &body),
            },
            _ => Reply::not_found(),
        };
        (route, reply)
    }

    /// The path by name of one that goes by the number of a repository, as redirects do.
    pub(super) fn by_name(&self, path: &str) -> Option<String> {
        let inside = path.strip_prefix("/repositories/")?;
        let end = inside.find(['/', '?']).unwrap_or(inside.len());
        let id: u64 = inside[..end].parse().ok()?;
        let repo = self.repos.iter().find(|repo| repo.id == id)?;
        Some(format!("/repos/{}{}", repo.name, &inside[end..]))
    }

    /// Where a call to a repository's old name belongs: GitHub's addresses go by number.
    fn moved(&self, path: &str) -> Option<String> {
        let inside = path.strip_prefix("/repos/")?;
        let (old, to) = self.renamed.iter().find(|(old, _)| {
            let rest = inside.strip_prefix(&old.to_string());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        })?;
        Some(format!("{}/repositories/{}{}", self.base, self.repo(to)?.id, &inside[old.to_string().len()..]))
    }

    fn repo_call(&mut self, method: &str, route: &str, identity: &Identity, target: &Target, body: &Value) -> Reply {
        let name = target.segments.get(1).zip(target.segments.get(2)).map(|(owner, name)| format!("{owner}/{name}"));
        let Some(name) = name.and_then(|name| name.parse::<RepoName>().ok()) else { return Reply::not_found() };
        if (method, route) == ("GET", "R/installation") {
            return match identity.app.as_deref().filter(|_| identity.permissions.is_none()) {
                Some(slug) if self.apps.get(slug).is_some_and(|app| app.repositories.contains(&name)) => {
                    Reply::ok(self.installation_json(slug))
                }
                _ => Reply::not_found(),
            };
        }
        let Some(repo) = self.repo(&name).cloned() else { return Reply::not_found() };
        // Whoever may not read a repository is not told that it exists.
        if self.access(&repo, identity) < Role::Read {
            return Reply::not_found();
        }
        let number = target.segments.get(4).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let is_write = method != "GET";
        if is_write && repo.archived {
            return Reply::error(403, "Repository was archived so is read-only.");
        }
        let wants = match route {
            "R/contents/{path}" | "R/releases" | "R/releases/tags/{tag}" => "contents",
            // A private report needs no permission, only an account.
            "R/security-advisories/reports" => "metadata",
            // What may be read is decided advisory by advisory: a published one by everyone.
            route if route.starts_with("R/security-advisories") && !is_write => "metadata",
            route if route.starts_with("R/security-advisories") => "repository_advisories",
            "R" | "R/collaborators/{login}/permission" => "metadata",
            _ => "issues",
        };
        if let Some(refused) = refuse(identity, &repo, wants, is_write) {
            return refused;
        }
        match (method, route) {
            ("GET", "R") => Reply::ok(self.repo_json(&repo)),
            ("GET", "R/contents/{path}") => self.contents(&repo, &target.segments[4..].join("/")),
            ("GET", "R/collaborators/{login}/permission") if self.roles => self.permission(&repo, identity, target),
            ("GET", "R/labels") => self.list_labels(&repo, target),
            ("POST", "R/labels") => self.create_label(&repo, identity, body),
            ("GET", "R/labels/{name}") => self.get_label(&repo, target),
            ("PATCH", "R/labels/{name}") => self.edit_label(&repo, identity, target, body),
            (method, route) if route.starts_with("R/security-advisories") => {
                self.advisory_call((method, route), &repo, identity, target, body)
            }
            ("GET", route) if route.starts_with("R/releases") => self.release_call(route, &repo, identity, target),
            (_, route) if route.contains("issues") && !repo.has_issues => {
                Reply::error(410, "Issues has been disabled in this repository.")
            }
            ("GET", "R/issues") => self.list_issues(&repo, target),
            ("POST", "R/issues") => self.create_issue(&repo, identity, body),
            ("PATCH", "R/issues/comments/{id}") => self.edit_comment(&repo, identity, target, body),
            ("GET", "R/issues/comments/{id}") => self.get_comment(&repo, target),
            ("DELETE", "R/issues/comments/{id}") => self.delete_comment(&repo, identity, target),
            ("POST", "R/issues/comments/{id}/reactions") => self.react(&repo, identity, target, body),
            (method, route) => self.issue_call(method, route, &repo, identity, target, number, body),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call, taken apart")]
    fn issue_call(
        &mut self,
        method: &str,
        route: &str,
        repo: &Repo,
        identity: &Identity,
        target: &Target,
        number: u64,
        body: &Value,
    ) -> Reply {
        match self.issue(&repo.name, number) {
            None => return Reply::not_found(),
            Some(issue) if issue.deleted => return Reply::error(410, "This issue was deleted"),
            Some(issue) => {
                if let Some((to, moved)) = &issue.moved {
                    let id = self.repo(to).map_or(0, |repo| repo.id);
                    let address = format!("{}/repositories/{id}/issues/{moved}", self.base);
                    return Reply::moved(address);
                }
            }
        }
        match (method, route) {
            ("GET", "R/issues/{n}") => self.get_issue(repo, number),
            ("PATCH", "R/issues/{n}") => self.edit_issue(repo, identity, number, body),
            ("GET", "R/issues/{n}/comments") => self.list_comments(repo, number, target),
            ("POST", "R/issues/{n}/comments") => self.create_comment(repo, identity, number, body),
            ("POST", "R/issues/{n}/labels") => self.add_labels(repo, identity, number, body),
            ("DELETE", "R/issues/{n}/labels/{name}") => self.take_label(repo, identity, number, target),
            ("POST", "R/issues/{n}/assignees") => self.assign(repo, identity, number, body),
            _ => Reply::not_found(),
        }
    }

    /// What an identity is in a repository: a person's role; an installation's writing is a question of permissions.
    pub(super) fn access(&self, repo: &Repo, identity: &Identity) -> Role {
        match &identity.repositories {
            Some(repositories) if repositories.contains(&repo.name) => Role::Write,
            Some(_) if repo.visibility == Visibility::Public => Role::Read,
            Some(_) => Role::None,
            None => self.role(repo, identity.user),
        }
    }

    fn permission(&self, repo: &Repo, identity: &Identity, target: &Target) -> Reply {
        if self.access(repo, identity) < Role::Write {
            return Reply::error(403, "Must have push access to view collaborator permission.");
        }
        match target.segments.get(4).and_then(|login| self.user_id(login)) {
            Some(user) => Reply::ok(self.permission_json(user, self.role(repo, user))),
            None => Reply::not_found(),
        }
    }

    fn contents(&self, repo: &Repo, path: &str) -> Reply {
        use base64::Engine as _;
        let Some(text) = repo.files.get(path) else { return Reply::not_found() };
        let packed = base64::engine::general_purpose::STANDARD.encode(text);
        let lines: Vec<&str> = packed.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let url = format!("{}/contents/{path}", self.repo_url(&repo.name));
        let html = format!("https://github.test/{}/blob/main/{path}", repo.name);
        Reply::ok(json!({
            "type": "file", "encoding": "base64", "size": text.len(), "name": path.rsplit('/').next().unwrap_or(path),
            "path": path, "content": format!("{}\n", lines.join("\n")), "sha": "0".repeat(40), "url": url,
            "git_url": url, "html_url": html, "download_url": html, "_links": { "self": url, "git": url, "html": html },
        }))
    }

    /// One page of a list, with `Link` as GitHub writes it: absolute addresses.
    pub(super) fn page(&self, items: Vec<Value>, path: &str, target: &Target) -> Reply {
        let size = target.number("per_page", 30).clamp(1, 100);
        let page = target.number("page", 1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let others: Vec<String> = target
            .query
            .iter()
            .filter(|(name, _)| name != "page")
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        let address = |page: usize| format!("<{}{path}?{}&page={page}>", self.base, others.join("&"));
        let mut links = Vec::new();
        if page > 1 {
            links.push(format!("{}; rel=\"prev\"", address(page - 1)));
            links.push(format!("{}; rel=\"first\"", address(1)));
        }
        if page < last {
            links.push(format!("{}; rel=\"next\"", address(page + 1)));
            links.push(format!("{}; rel=\"last\"", address(last)));
        }
        let headers = if links.is_empty() { Vec::new() } else { vec![("link", links.join(", "))] };
        Reply { headers, ..Reply::ok(Value::Array(shown)) }
    }
}

/// 403 where an installation's token lacks a permission; a person's token has none to lack. What is public may be read
/// by any token, and what an installation does not cover may be written by none of its tokens.
fn refuse(identity: &Identity, repo: &Repo, wants: &str, write: bool) -> Option<Reply> {
    let permissions = identity.permissions.as_ref()?;
    let covered = identity.repositories.as_ref().is_none_or(|covered| covered.contains(&repo.name));
    let has = permissions.get(wants).map(String::as_str);
    let enough = match write {
        true => covered && has == Some("write"),
        false => has.is_some() || wants == "metadata" || repo.visibility == Visibility::Public,
    };
    if enough {
        return None;
    }
    let level = if write { "write" } else { "read" };
    let reply = Reply::error(403, "Resource not accessible by integration");
    Some(Reply { headers: vec![("x-accepted-github-permissions", format!("{wants}={level}"))], ..reply })
}
