//! The judge against the examples in GitHub's own description.

use serde_json::Value;

use crate::judge::Judge;
use crate::operations::USED;
use crate::tap::Exchange;

/// All examples of the operations that the client calls, by name: operation, status and the example's own name.
pub(crate) fn all_examples(judge: &Judge) -> Vec<(String, Exchange)> {
    USED.iter().flat_map(|operation| exchanges(judge, operation)).collect()
}

/// The examples of one operation as exchanges: each answer with the request of the same name, else the first request.
pub(crate) fn exchanges(judge: &Judge, operation: &str) -> Vec<(String, Exchange)> {
    let described = judge.described(operation);
    let (method, template) = operation.split_once(' ').unwrap();
    let named = |content: &Value| -> Vec<(String, Value)> {
        let examples = content["application/json"]["examples"].as_object().into_iter().flatten();
        examples.map(|(name, example)| (name.clone(), value_of(judge, example).clone())).collect()
    };
    let requests = described.get("requestBody").map(|body| named(&body["content"])).unwrap_or_default();
    let mut exchanges = Vec::new();
    for (status, answer) in described["responses"].as_object().unwrap() {
        let answer = judge.follow(answer);
        let answers: Vec<(String, Option<Value>)> = match answer.get("content") {
            Some(content) => named(content).into_iter().map(|(name, body)| (name, Some(body))).collect(),
            None => vec![("no body".to_owned(), None)],
        };
        for (name, response_body) in answers {
            let request = requests.iter().find(|(of, _)| *of == name).or(requests.first());
            let exchange = Exchange {
                method: method.to_owned(),
                path_with_query: filled(template),
                request_body: request.map(|(_, body)| body.clone()),
                status: status.parse().unwrap(),
                response_body,
            };
            exchanges.push((format!("{operation} {status} {name}"), exchange));
        }
    }
    exchanges
}

/// The value of an example, which may stand elsewhere, and be another example there.
fn value_of<'a>(judge: &'a Judge, example: &'a Value) -> &'a Value {
    let value = &judge.follow(example)["value"];
    if value.get("$ref").is_some() { &judge.follow(value)["value"] } else { value }
}

/// A path of a template's form: every parameter that is a number is called so.
fn filled(template: &str) -> String {
    let pieces = template.split('/').map(|piece| match piece {
        "{issue_number}" | "{comment_id}" | "{installation_id}" => "42",
        piece if piece.starts_with('{') => "octocat",
        piece => piece,
    });
    pieces.collect::<Vec<_>>().join("/")
}

/// Where GitHub's own examples break GitHub's own schemas: they are older than these.
const OLD: &[&str] = &[
    "GET /app/hook/deliveries/{delivery_id} 200 default: path-value delivery_id",
    "GET /repos/{owner}/{repo} 200 default-response: response-missing-key ",
    "GET /repos/{owner}/{repo} 200 default-response: response-missing-key /source",
    "GET /repos/{owner}/{repo} 200 default-response: response-unknown-key /parent",
    "GET /repos/{owner}/{repo} 200 default-response: response-unknown-key /source",
    "GET /repos/{owner}/{repo} 200 default-response: response-unknown-key /template_repository",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission 200 response-if-user-has-admin-permissions: \
     response-missing-key /user",
    "GET /repos/{owner}/{repo}/security-advisories 200 default: response-missing-key /0/collaborating_teams/0",
    "GET /repos/{owner}/{repo}/security-advisories 200 default: response-missing-key /1/collaborating_teams/0",
    "GET /repos/{owner}/{repo}/security-advisories/{ghsa_id} 200 default: response-missing-key /collaborating_teams/0",
    "PATCH /repos/{owner}/{repo}/security-advisories/{ghsa_id} 200 add_credit: \
     response-missing-key /collaborating_teams/0",
    "PATCH /repos/{owner}/{repo}/security-advisories/{ghsa_id} 200 default: response-missing-key /collaborating_teams/0",
    "PATCH /repos/{owner}/{repo}/security-advisories/{ghsa_id} 422 invalid_state_transition: response-missing-key ",
    "PATCH /repos/{owner}/{repo}/security-advisories/{ghsa_id} 422 update_severity_with_cvss_set: response-missing-key ",
    "POST /app/installations/{installation_id}/access_tokens 201 default: response-unknown-key /repositories/0",
    "POST /repos/{owner}/{repo}/security-advisories 201 default: response-missing-key /collaborating_teams/0",
    "POST /repos/{owner}/{repo}/security-advisories/{ghsa_id}/cve 202 default: response-value ",
];

#[test]
fn github_accepts_its_own_examples_but_for_named_old_ones() {
    let Some(judge) = Judge::load() else { return };
    let mut wrong = Vec::new();
    let mut right = 0;
    for (name, exchange) in all_examples(judge) {
        let operation = judge.operation(&exchange).unwrap();
        assert!(name.starts_with(&format!("{operation} ")), "{name} was taken for {operation}");
        let violations = judge.check(&exchange);
        right += u32::from(violations.is_empty());
        wrong.extend(violations.into_iter().map(|one| format!("{name}: {} {}", one.rule, one.at)));
    }
    wrong.sort();
    assert_eq!(wrong, OLD);
    assert_eq!(right, 34, "examples that pass");
}
