//! GraphQL calls, judged by GitHub's own schema with the reference implementation of GraphQL.

use serde_json::{Value, json};
use wardroom::github::graphql::{LOOK, OPERATION, VIEWER};

use crate::support::npm;
use crate::tap::Exchange;

/// The faults of each call (see `graphql.mjs`); `None` (said aloud) where npm is missing.
fn faults(calls: &[Value]) -> Option<Vec<Vec<String>>> {
    let (done, said) = npm::node("graphql.mjs", &json!(calls).to_string())?;
    assert!(done, "{said}");
    Some(serde_json::from_str(&said).unwrap())
}

/// The faults of recorded calls: of the query, its variables, and the form of the answer.
pub(crate) fn faults_of_exchanges(exchanges: &[&Exchange]) -> Option<Vec<Vec<String>>> {
    let calls = exchanges.iter().map(|exchange| {
        let mut call = exchange.request_body.clone().unwrap();
        call["answer"] = exchange.response_body.clone().unwrap_or_default();
        call
    });
    faults(&calls.collect::<Vec<_>>())
}

#[test]
fn the_queries_are_valid_and_wrong_ones_are_refused() {
    let calls = [
        json!({ "query": LOOK, "operationName": OPERATION }),
        json!({ "query": VIEWER }),
        json!({ "query": LOOK, "operationName": "AnotherLook" }),
        json!({ "query": VIEWER.replace("login", "logins") }),
        json!({ "query": LOOK.replace("$number: Int!", "$number: String!") }),
        json!({ "query": LOOK.replace("viewerHasReacted", "viewerReacted") }),
        json!({ "query": LOOK.trim_end().trim_end_matches('}') }),
    ];
    let Some(found) = faults(&calls) else { return };
    let expected = [
        "",
        "",
        "no operation is named AnotherLook",
        "Cannot query field \"logins\" on type \"User\". Did you mean \"login\"?",
        "Variable \"$number\" of type \"String!\" used in position expecting type \"Int!\".",
        "Cannot query field \"viewerReacted\" on type \"ReactionGroup\". Did you mean \"viewerHasReacted\"?",
        "Syntax Error: Expected Name, found <EOF>.",
    ];
    let found: Vec<String> = found.into_iter().map(|faults| faults.join("; ")).collect();
    assert_eq!(found, expected);
}

/// A call with its answer, as GitHub gives it.
pub(crate) fn look() -> Value {
    json!({
        "query": LOOK,
        "operationName": OPERATION,
        "variables": {
            "owner": "acme", "name": "tracker", "number": 7, "ids": ["IC_1"], "history": true, "first": 25, "after": null,
        },
        "answer": { "data": {
            "repository": { "issue": {
                "lastEditedAt": "2026-11-02T10:00:00Z",
                "userContentEdits": {
                    "nodes": [{
                        "editedAt": "2026-11-02T10:00:00Z", "editor": { "__typename": "User", "login": "ada" }, "diff": "text", "deletedAt": null,
                    }],
                    "pageInfo": { "hasNextPage": false, "endCursor": "Y3Vyc29yOjE" },
                },
            } },
            "nodes": [{
                "id": "IC_1",
                "lastEditedAt": null,
                "reactionGroups": [{ "content": "ROCKET", "viewerHasReacted": true }],
            }, null],
        } },
    })
}

#[test]
fn an_answer_that_github_would_not_give_is_refused() {
    let changed = |pointer: &str, to: Value| {
        let mut call = look();
        *call.pointer_mut(pointer).unwrap() = to;
        call
    };
    let issue = "/answer/data/repository/issue";
    let calls = [
        look(),
        json!({ "query": LOOK, "variables": look()["variables"], "answer": { "errors": [{ "message": "no" }], "data": null } }),
        changed("/variables/number", json!("7")),
        changed("/variables/name", Value::Null),
        changed(&format!("{issue}/lastEditedAt"), json!("today")),
        changed(issue, json!({ "lastEditedAt": null, "userContentEdits": null, "body": "text" })),
        changed(&format!("{issue}/userContentEdits/pageInfo"), Value::Null),
        changed("/answer/data/nodes/0/reactionGroups/0/content", json!("rocket")),
        changed("/answer/data/nodes/0", json!({ "lastEditedAt": null })),
        changed(&format!("{issue}/userContentEdits/nodes/0/editor/__typename"), json!("Issue")),
        changed("/variables/history", json!(false)),
        changed("/answer", json!({ "data": null })),
    ];
    let Some(found) = faults(&calls) else { return };
    let found: Vec<String> = found.into_iter().map(|faults| faults.join("; ")).collect();
    let expected = [
        "",
        "",
        "Variable \"$number\" got invalid value \"7\"; Int cannot represent non-integer value: \"7\"",
        "Variable \"$name\" of non-null type \"String!\" must not be null.",
        "/data/repository/issue/lastEditedAt: \"today\" is no DateTime",
        "/data/repository/issue/body: nobody asked for it",
        "/data/repository/issue/userContentEdits/pageInfo: null, which it never is",
        "/data/nodes/0/reactionGroups/0/content: \"rocket\" is no ReactionContent",
        "/data/nodes/0/id: it was asked for and is missing",
        "/data/repository/issue/userContentEdits/nodes/0/editor/__typename: \"Issue\" is no Actor",
        "/data/repository: nobody asked for it",
        "/data: neither data nor errors",
    ];
    assert_eq!(found, expected);
}
