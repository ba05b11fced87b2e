//! The port's calls, each a path, a method and a small type.

use std::collections::HashMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::hooks::Attempt;
use super::rest::{Identity, Rest, repo_path, segment};
use super::transport::{Method, Transport};
use super::types::{
    Account, Comment, History, Issue, IssueFilter, IssuePatch, Label, NewIssue, Permission, Reaction, RepoName,
    Repository, Role,
};
use super::{Error, GitHub, Result, classify, graphql};

/// A policy or template larger than this is not read (bytes).
const MOST_FILE_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    encoding: String,
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
struct AppFacts {
    slug: String,
}

#[derive(Deserialize)]
struct ViewerAnswer {
    data: Option<ViewerData>,
}

#[derive(Deserialize)]
struct ViewerData {
    viewer: Option<Viewer>,
}

#[derive(Deserialize)]
struct Viewer {
    login: String,
}

fn issue_name(repo: &RepoName, number: u64) -> String {
    format!("issue {repo}#{number}")
}

impl<T: Transport> Rest<T> {
    /// The account behind a token that is no person's: `GET /user` refuses it, GraphQL knows it.
    async fn viewer(&self) -> Result<Account> {
        let what = "the account of the token";
        let login = match self.query::<ViewerAnswer>(what, &json!({ "query": graphql::VIEWER })).await {
            Ok(answer) => answer.data.and_then(|data| data.viewer).map(|viewer| viewer.login),
            Err(Error::Unsupported(_)) => None,
            Err(error) => return Err(error),
        };
        // In a workflow GITHUB_TOKEN acts as this account (GitHub Docs, "Automatic token authentication").
        let login = login.unwrap_or_else(|| "github-actions[bot]".to_owned());
        self.get(what, &format!("/users/{}", segment(&login))).await
    }

    /// Whether repository and account are both there for this token. GitHub knows the role of every account it knows, so
    /// a 404 for the role of one of them is a server without roles, and not an account without a role.
    async fn is_there(&self, repo: &RepoName, who: &Account) -> Result<bool> {
        let readable = self.get::<Repository>(&format!("repository {repo}"), &repo_path(repo, "")).await;
        let known = match readable {
            Ok(_) => self.get::<Account>("a person’s account", &format!("/users/{}", segment(&who.login))).await,
            Err(error) => Err(error),
        };
        match known {
            Ok(account) => Ok(account.id == who.id),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn history_page(
        &self,
        repo: &RepoName,
        number: u64,
        ids: &[&str],
        wanted: bool,
        after: Option<&str>,
    ) -> Result<graphql::Data> {
        let what = format!("the history of {}", issue_name(repo, number));
        let body = json!({
            "query": graphql::LOOK,
            "operationName": graphql::OPERATION,
            "variables": {
                "owner": repo.owner(), "name": repo.name(), "number": number, "ids": ids, "history": wanted,
                "first": graphql::EDITS_PER_PAGE, "after": after,
            },
        });
        let answer: graphql::Answer = self.query(&what, &body).await?;
        // A comment that was deleted meanwhile is a NOT_FOUND beside the data of the others.
        let fatal = answer.errors.iter().find(|problem| problem.kind.as_deref() != Some("NOT_FOUND"));
        match (answer.data, fatal) {
            (Some(data), None) => Ok(data),
            (_, Some(problem)) if problem.is_old_schema() => {
                Err(Error::Unsupported("GraphQL’s edit history".to_owned()))
            }
            (_, Some(problem)) if problem.kind.as_deref() == Some("FORBIDDEN") => Err(Error::Forbidden {
                what,
                message: String::new(),
                hint: "It needs the permission “Issues: read”.".to_owned(),
            }),
            (_, Some(problem)) => {
                let short: String = problem.message.chars().filter(|c| !c.is_control()).take(120).collect();
                Err(Error::Unavailable { what, why: format!("GraphQL says: {short}") })
            }
            (None, None) => Err(Error::NotFound(what)),
        }
    }
}

#[async_trait]
impl<T: Transport> GitHub for Rest<T> {
    async fn me(&self) -> Result<Account> {
        let what = "the account of the token";
        if self.identity() == Identity::App {
            let app: AppFacts = self.get("the App’s own facts", "/app").await?;
            return self.get(what, &format!("/users/{}", segment(&format!("{}[bot]", app.slug)))).await;
        }
        match self.get(what, "/user").await {
            Err(Error::Forbidden { .. } | Error::NotFound(_)) => self.viewer().await,
            other => other,
        }
    }

    fn server_time(&self) -> Option<Timestamp> {
        self.newest_date()
    }

    async fn delivery_log(&self, since: Timestamp) -> Result<Vec<Attempt>> {
        self.attempts(since).await
    }

    async fn forget_tokens(&self) {
        self.known().forget_refused();
        self.transport().forget_tokens().await;
    }

    fn renamed(&self) -> Vec<(RepoName, RepoName)> {
        self.known().new_names()
    }

    async fn delivered_payload(&self, attempt: u64) -> Result<Option<Value>> {
        self.sent_payload(attempt).await
    }

    async fn repository(&self, repo: &RepoName) -> Result<Repository> {
        self.get(&format!("repository {repo}"), &repo_path(repo, "")).await
    }

    async fn file(&self, repo: &RepoName, path: &str) -> Result<Option<String>> {
        let what = format!("the file {path} of {repo}");
        let encoded: Vec<String> = path.split('/').map(segment).collect();
        let found: Value = match self.get(&what, &repo_path(repo, &format!("/contents/{}", encoded.join("/")))).await {
            Ok(found) => found,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let invalid = |message: &str| Error::Invalid { what: what.clone(), status: 200, message: message.to_owned() };
        // A directory is answered with the list of what is in it.
        if found.is_array() {
            return Err(invalid("it is a directory"));
        }
        let file: File = serde_json::from_value(found).map_err(|_| invalid("it is described as nothing known"))?;
        if file.kind != "file" || file.encoding != "base64" || file.content.len() > MOST_FILE_BYTES * 2 {
            return Err(invalid("it is no text file of less than 1 MiB"));
        }
        let packed: String = file.content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new())
            .decode(packed)
            .map_err(|_| invalid("its content is no base64"))?;
        String::from_utf8(bytes).map(Some).map_err(|_| invalid("it is not UTF-8 text"))
    }

    async fn issue(&self, repo: &RepoName, number: u64) -> Result<Issue> {
        let what = issue_name(repo, number);
        let issue: Issue = self.get(&what, &repo_path(repo, &format!("/issues/{number}"))).await?;
        if issue.pull_request.is_some() { Err(Error::NotFound(what)) } else { Ok(issue) }
    }

    async fn issues(&self, repo: &RepoName, filter: &IssueFilter) -> Result<Vec<Issue>> {
        let mut query = vec![
            format!("state={}", if filter.closed_too { "all" } else { "open" }),
            "sort=created".to_owned(),
            "direction=desc".to_owned(),
        ];
        if !filter.labels.is_empty() {
            let names: Vec<String> = filter.labels.iter().map(|label| segment(label)).collect();
            query.push(format!("labels={}", names.join(",")));
        }
        query.extend(filter.creator.as_ref().map(|login| format!("creator={}", segment(login))));
        query.extend(filter.since.map(|since| format!("since={}", segment(&since.to_string()))));
        let path = repo_path(repo, &format!("/issues?{}", query.join("&")));
        let listed: Vec<Issue> = self.list(&format!("the issues of {repo}"), &path).await?;
        // An issue may move from one page to the next while they are read.
        let mut seen = std::collections::HashSet::new();
        Ok(listed.into_iter().filter(|issue| issue.pull_request.is_none() && seen.insert(issue.number)).collect())
    }

    async fn create_issue(&self, repo: &RepoName, issue: &NewIssue) -> Result<Issue> {
        let body = json!({
            "title": issue.title, "body": issue.body, "labels": issue.labels, "assignees": issue.assignees,
        });
        self.send(&format!("opening an issue in {repo}"), Method::Post, &repo_path(repo, "/issues"), body).await
    }

    async fn edit_issue(&self, repo: &RepoName, number: u64, patch: &IssuePatch) -> Result<Issue> {
        let what = format!("changing {}", issue_name(repo, number));
        let body = serde_json::to_value(patch).map_err(|error| Error::Invalid {
            what: what.clone(),
            status: 0,
            message: error.to_string(),
        })?;
        self.send(&what, Method::Patch, &repo_path(repo, &format!("/issues/{number}")), body).await
    }

    async fn comments(&self, repo: &RepoName, number: u64) -> Result<Vec<Comment>> {
        let what = format!("the comments of {}", issue_name(repo, number));
        let mut comments: Vec<Comment> =
            self.list(&what, &repo_path(repo, &format!("/issues/{number}/comments"))).await?;
        comments.sort_by_key(|comment| comment.id);
        comments.dedup_by_key(|comment| comment.id);
        Ok(comments)
    }

    async fn create_comment(&self, repo: &RepoName, number: u64, body: &str) -> Result<Comment> {
        let what = format!("commenting on {}", issue_name(repo, number));
        let path = repo_path(repo, &format!("/issues/{number}/comments"));
        self.send(&what, Method::Post, &path, json!({ "body": body })).await
    }

    async fn edit_comment(&self, repo: &RepoName, id: u64, body: &str) -> Result<Comment> {
        let what = format!("changing comment {id} of {repo}");
        self.send(&what, Method::Patch, &repo_path(repo, &format!("/issues/comments/{id}")), json!({ "body": body }))
            .await
    }

    async fn delete_comment(&self, repo: &RepoName, id: u64) -> Result<()> {
        let what = format!("deleting comment {id} of {repo}");
        match self.send_only(&what, Method::Delete, &repo_path(repo, &format!("/issues/comments/{id}")), None).await {
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    async fn react(&self, repo: &RepoName, comment: u64, reaction: Reaction) -> Result<()> {
        let what = format!("reacting to comment {comment} of {repo}");
        let path = repo_path(repo, &format!("/issues/comments/{comment}/reactions"));
        self.send_only(&what, Method::Post, &path, Some(json!({ "content": reaction.rest_name() }))).await
    }

    async fn labels(&self, repo: &RepoName) -> Result<Vec<Label>> {
        self.list(&format!("the labels of {repo}"), &repo_path(repo, "/labels")).await
    }

    async fn create_label(&self, repo: &RepoName, label: &Label) -> Result<()> {
        let what = format!("creating a label in {repo}");
        let path = repo_path(repo, "/labels");
        let body = json!({ "name": label.name, "color": label.color, "description": label.description });
        let response = self.write(&what, Method::Post, &path, Some(body)).await?;
        if classify::exists_already(&response) {
            return Ok(());
        }
        self.done(&what, (Method::Post, &path), &response)
    }

    async fn rename_label(&self, repo: &RepoName, old: &str, label: &Label) -> Result<()> {
        let what = format!("renaming a label in {repo}");
        let body = json!({ "new_name": label.name, "color": label.color, "description": label.description });
        self.send_only(&what, Method::Patch, &repo_path(repo, &format!("/labels/{}", segment(old))), Some(body)).await
    }

    async fn assign(&self, repo: &RepoName, number: u64, logins: &[String]) -> Result<Issue> {
        let what = format!("assigning people to {}", issue_name(repo, number));
        let path = repo_path(repo, &format!("/issues/{number}/assignees"));
        self.send(&what, Method::Post, &path, json!({ "assignees": logins })).await
    }

    async fn add_label(&self, repo: &RepoName, number: u64, name: &str) -> Result<()> {
        let what = format!("labelling {}", issue_name(repo, number));
        let path = repo_path(repo, &format!("/issues/{number}/labels"));
        self.send_only(&what, Method::Post, &path, Some(json!({ "labels": [name] }))).await
    }

    async fn remove_label(&self, repo: &RepoName, number: u64, name: &str) -> Result<()> {
        let what = format!("unlabelling {}", issue_name(repo, number));
        let path = repo_path(repo, &format!("/issues/{number}/labels/{}", segment(name)));
        let response = self.write(&what, Method::Delete, &path, None).await?;
        if classify::label_is_off(&response) {
            return Ok(());
        }
        self.done(&what, (Method::Delete, &path), &response)
    }

    async fn role(&self, repo: &RepoName, who: &Account) -> Result<Role> {
        let what = format!("a person’s role in {repo}");
        let path = repo_path(repo, &format!("/collaborators/{}/permission", segment(&who.login)));
        match self.get::<Permission>(&what, &path).await {
            // The login may belong to another account by now: only the numeric id is the person.
            Ok(found) if found.user.as_ref().is_some_and(|user| user.id == who.id) => Ok(found.role()),
            Ok(_) => Ok(Role::None),
            Err(Error::NotFound(_)) if self.is_there(repo, who).await? => Err(Error::Unsupported(what)),
            Err(Error::NotFound(_)) => Ok(Role::None),
            Err(error) => Err(error),
        }
    }

    async fn history(
        &self,
        repo: &RepoName,
        number: u64,
        since: Option<Timestamp>,
        comments: &[Comment],
    ) -> Result<History> {
        let by_node: HashMap<&str, u64> =
            comments.iter().map(|comment| (comment.node_id.as_str(), comment.id)).collect();
        let mut chunks = comments.chunks(graphql::NODES_PER_CALL);
        let mut history = History::default();
        let mut after: Option<String> = None;
        let mut wanted = true;
        let mut pages = 0;
        loop {
            let ids: Vec<&str> = chunks.next().unwrap_or_default().iter().map(|c| c.node_id.as_str()).collect();
            if !wanted && ids.is_empty() {
                break;
            }
            let data = self.history_page(repo, number, &ids, wanted, after.as_deref()).await?;
            let nodes = data.nodes.iter().flatten().flatten();
            history.comments.extend(nodes.filter_map(|node| Some(node.facts(*by_node.get(node.id.as_str())?))));
            if !wanted {
                continue;
            }
            let issue = data.repository.and_then(|repository| repository.issue);
            let issue = issue.ok_or_else(|| Error::NotFound(issue_name(repo, number)))?;
            pages += 1;
            history.last_edited_at = issue.last_edited_at;
            let edits = issue.user_content_edits;
            let (page, nodes) = edits.map_or((None, None), |edits| (Some(edits.page_info), edits.nodes));
            history.revisions.extend(nodes.into_iter().flatten().flatten().filter_map(graphql::EditNode::revision));
            // Newest first: the revision just before `since` is the base of the first edit that matters.
            let reached = history.revisions.last().is_some_and(|oldest| since.is_some_and(|since| oldest.at < since));
            let more = page.filter(|page| page.has_next_page && !reached && pages < graphql::MOST_EDIT_PAGES);
            match more.and_then(|page| page.end_cursor) {
                Some(cursor) => after = Some(cursor),
                None => wanted = false,
            }
        }
        history.revisions.reverse();
        Ok(history)
    }
}
