//! The client against a server that answers with GitHub's own examples: it asks only what GitHub understands, and
//! understands what GitHub answers.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use wardroom::github::auth::Credentials;
use wardroom::github::types::{Account, Reaction, Role};

use crate::advisories;
use crate::examples::exchanges;
use crate::graphql;
use crate::judge::Judge;
use crate::operations::USED;
use crate::port::{Answers, app, client, every_call, token};
use crate::tap::{Exchange, Tap};

/// Answers every call with GitHub's example of success.
async fn example(judge: &'static Judge, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut call = Exchange {
        method: parts.method.to_string(),
        path_with_query: parts.uri.path_and_query().unwrap().to_string(),
        request_body: None,
        status: 0,
        response_body: None,
    };
    if call.is_graphql() {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let mut answer = graphql::look()["answer"].clone();
        answer["data"]["nodes"][0]["id"] = asked["variables"]["ids"][0].clone();
        return json_response(200, &answer);
    }
    let Some(operation) = judge.operation(&call) else { return json_response(404, &json!({ "message": "Not Found" })) };
    let all = exchanges(judge, &operation).into_iter().filter(|(_, example)| (200..300).contains(&example.status));
    // Of the four things that a path may lead to, the file; of the answers to a new reaction, that it is new.
    let (_, found) = all.max_by_key(|(name, one)| (name.contains("is-a-file"), one.status)).unwrap();
    call.status = found.status;
    match found.response_body {
        Some(body) => json_response(found.status, &suited(body)),
        None => StatusCode::from_u16(found.status).unwrap().into_response(),
    }
}

/// An example as the client can use it: the file's content says "encoded content ...", and every issue is a pull request.
fn suited(mut body: Value) -> Value {
    match &mut body {
        Value::Object(object) => {
            object.remove("pull_request");
            if object.get("encoding").is_some_and(|encoding| encoding == "base64") {
                object.insert("content".to_owned(), json!("bW9kZTogd2F0\nY2gK\n"));
            }
            body
        }
        Value::Array(items) => items.drain(..).map(suited).collect(),
        _ => body,
    }
}

fn json_response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(http::header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn drive(judge: &'static Judge, tap: &Tap, credentials: &Credentials) -> (Answers, advisories::Answers) {
    let address = tap.serve(Router::new().fallback(move |request| example(judge, request))).await;
    let repo = "octocat/Hello-World".parse().unwrap();
    let github = client(&address, credentials, &repo);
    let octocat = Account { id: 1, login: "octocat".to_owned(), kind: "User".to_owned() };
    let issues = every_call(&github, &repo, ".github/wardroom.yml", &octocat).await;
    (issues, advisories::every_call(&github, &repo, "v1.0.0", "octocat").await)
}

#[tokio::test]
async fn the_client_asks_what_github_understands_and_understands_what_github_answers() {
    let Some(judge) = Judge::load() else { return };
    let Some(octoapp) = app(1) else { return };
    let tap = Tap::default();
    for (credentials, has_log) in [(token("ghp_example"), false), (octoapp, true)] {
        let (answers, advisories) = drive(judge, &tap, &credentials).await;
        assert_eq!(answers.me.login, "octocat");
        assert_eq!(answers.log.is_some_and(|log| log.len() == 2), has_log);
        assert_eq!(answers.repository.full_name.to_string(), "octocat/Hello-World");
        assert_eq!(answers.file.as_deref(), Some("mode: watch\n"));
        assert_eq!(answers.issue.map(|issue| issue.number), [1347; 3]);
        assert_eq!(answers.issues[0].labels[0].name, "bug");
        assert_eq!(answers.comment.map(|comment| comment.text().to_owned()), ["Me too"; 2]);
        assert_eq!(answers.comments.len(), 1);
        assert_eq!(answers.labels.len(), 2);
        assert_eq!(answers.role, Role::Admin);
        for advisory in &advisories.advisory {
            assert_eq!((advisory.ghsa_id.as_str(), advisory.id()), ("GHSA-abcd-1234-efgh", None));
            assert_eq!(advisory.vulnerabilities[0].package.as_ref().unwrap().name.as_deref(), Some("a-package"));
            assert_eq!(advisory.author.as_ref().unwrap().login, "octocat");
        }
        assert_eq!(advisories.drafts.len(), 2);
        assert_eq!(advisories.release.unwrap().assets[0].name, "example.zip");
        assert_eq!(advisories.releases[0].tag_name, "v1.0.0");
        assert_eq!(answers.history.revisions.len(), 1);
        assert_eq!(answers.history.comments[0].own_reactions, [Reaction::Rocket]);
    }
    let asked = tap.exchanges();
    let (graphql, rest): (Vec<&Exchange>, Vec<&Exchange>) = asked.iter().partition(|one| one.is_graphql());
    for exchange in &rest {
        // The answers are GitHub's, some of them older than its schema.
        let found = judge.check(exchange).into_iter().filter(|one| !one.rule.starts_with("response-"));
        assert_eq!(found.collect::<Vec<_>>(), [], "{} {}", exchange.method, exchange.path_with_query);
    }
    let hit: BTreeSet<String> = rest.iter().map(|exchange| judge.operation(exchange).unwrap()).collect();
    assert!(
        rest.iter().any(|one| one.path_with_query == "/users/octoapp%5Bbot%5D"),
        "the App's own bot user is asked for"
    );
    assert_eq!(hit.into_iter().collect::<Vec<_>>(), USED, "operations that the client calls");
    let faults = graphql::faults_of_exchanges(&graphql).unwrap();
    assert_eq!(faults, vec![Vec::<String>::new(); graphql.len()]);
}
