//! The judge of REST calls: GitHub's own OpenAPI description decides whether a request is one that GitHub understands
//! and an answer one that GitHub gives.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::sync::{Mutex, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::schema::json_schema;
use crate::support::npm;
use crate::tap::Exchange;

/// Where an exchange breaks the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What kind of rule was broken, as the bad samples name it: `unknown-path`, `request-unknown-key`, ….
    pub(crate) rule: String,
    /// Where: a path, a parameter's name, a status, or a JSON pointer into the body.
    pub(crate) at: String,
    /// What is wrong there.
    pub(crate) why: String,
}

impl Violation {
    fn new(rule: &str, at: impl Into<String>, why: impl Into<String>) -> Self {
        Violation { rule: rule.to_owned(), at: at.into(), why: why.into() }
    }
}

/// The description, with the checks compiled so far.
pub(crate) struct Judge {
    paths: Map<String, Value>,
    components: Value,
    checks: Mutex<HashMap<String, &'static Validator>>,
}

/// An operation of the description that an exchange calls.
struct Call<'a> {
    /// The path with its parameters' names in braces.
    template: &'a str,
    operation: &'a Value,
    /// The parameters in the path: name and raw value.
    filled: Vec<(&'a str, String)>,
}

impl Judge {
    /// The judge, read once; `None` (said aloud) where npm is missing.
    pub(crate) fn load() -> Option<&'static Judge> {
        static JUDGE: OnceLock<Option<Judge>> = OnceLock::new();
        let load = || {
            let path = npm::packages()?.join("@octokit/openapi/generated/api.github.com.json");
            let mut document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let Value::Object(paths) = document["paths"].take() else { panic!("the description has no paths") };
            Some(Judge { paths, components: document["components"].take(), checks: Mutex::default() })
        };
        JUDGE.get_or_init(load).as_ref()
    }

    /// The operation that an exchange calls, as `GET /repos/{owner}/{repo}`; `None` if GitHub has no such operation.
    pub(crate) fn operation(&self, exchange: &Exchange) -> Option<String> {
        let call = self.call(exchange).ok()?;
        Some(format!("{} {}", exchange.method, call.template))
    }

    /// What the description says of an operation, named as [`Judge::operation`] does.
    pub(crate) fn described(&self, operation: &str) -> &Value {
        let (method, template) = operation.split_once(' ').unwrap();
        let described = self.paths.get(template).and_then(|item| item.get(method.to_ascii_lowercase()));
        described.unwrap_or_else(|| panic!("GitHub has no operation {operation}"))
    }

    /// All that GitHub's description says against an exchange; empty if it is in order.
    pub(crate) fn check(&self, exchange: &Exchange) -> Vec<Violation> {
        let call = match self.call(exchange) {
            Ok(call) => call,
            Err(violation) => return vec![violation],
        };
        let mut violations = self.check_parameters(exchange, &call);
        violations.extend(self.check_request(exchange, &call));
        violations.extend(self.check_answer(exchange, &call));
        violations
    }

    fn call<'a>(&'a self, exchange: &Exchange) -> Result<Call<'a>, Violation> {
        let path = exchange.path_with_query.split('?').next().unwrap_or_default();
        let matches = self.paths.iter().filter_map(|(template, item)| {
            let multi = has_multi_segment(item);
            Some((template, item, fill(template, path, multi)?))
        });
        // `…/issues/comments/{comment_id}` goes before `…/issues/{issue_number}/…`: the path with fewer holes is meant.
        let best = matches.min_by_key(|(_, _, filled)| filled.len());
        let Some((template, item, filled)) = best else {
            return Err(Violation::new("unknown-path", path, "GitHub has no such path"));
        };
        let Some(operation) = item.get(exchange.method.to_ascii_lowercase()) else {
            return Err(Violation::new("unknown-method", template, format!("not for {}", exchange.method)));
        };
        Ok(Call { template, operation, filled })
    }

    fn check_parameters(&self, exchange: &Exchange, call: &Call<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let known = call.operation["parameters"].as_array().into_iter().flatten().map(|one| self.follow(one));
        let known: Vec<&Value> = known.collect();
        let find = |place: &str, name: &str| {
            known.iter().find(|known| known["in"] == place && known["name"] == name).map(|known| &known["schema"])
        };
        for (name, raw) in &call.filled {
            let Some(schema) = find("path", name) else { panic!("{} does not describe {name}", call.template) };
            if let Err(why) = self.check_text(schema, &decoded(raw)) {
                violations.push(Violation::new("path-value", *name, why));
            }
        }
        let mut given = BTreeSet::new();
        let query = exchange.path_with_query.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            match find("query", name) {
                None => violations.push(Violation::new("unknown-query", name, "GitHub ignores it")),
                Some(schema) => {
                    if let Err(why) = self.check_text(schema, &decoded(&raw.replace('+', " "))) {
                        violations.push(Violation::new("query-value", name, why));
                    }
                    if !given.insert(name) {
                        violations.push(Violation::new("query-value", name, "it is given twice"));
                    }
                }
            }
        }
        let demanded = known.iter().filter(|one| one["in"] == "query" && one["required"] == true);
        let demanded = demanded.filter_map(|one| one["name"].as_str()).filter(|name| !given.contains(name));
        violations.extend(demanded.map(|name| Violation::new("query-missing", name, "GitHub demands it")));
        violations
    }

    /// A parameter's text against its schema: a number is written in digits.
    fn check_text(&self, schema: &Value, text: &str) -> Result<(), String> {
        let value = match schema["type"].as_str() {
            Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            _ => json!(text),
        };
        let check = self.compiled(&schema.to_string(), schema);
        check.validate(&value).map_err(|error| error.to_string())
    }

    fn check_request(&self, exchange: &Exchange, call: &Call<'_>) -> Vec<Violation> {
        let described = call.operation.get("requestBody").map(|body| self.follow(body));
        match (described, &exchange.request_body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![Violation::new("request-body-unexpected", "", "GitHub takes no body here")],
            (Some(described), None) if described["required"] == true => {
                vec![Violation::new("request-body-missing", "", "GitHub demands a body here")]
            }
            (Some(_), None) => Vec::new(),
            (Some(described), Some(body)) => {
                let schema = &described["content"]["application/json"]["schema"];
                let name = format!("{} {} request", exchange.method, call.template);
                body_violations("request", self.compiled(&name, schema), body)
            }
        }
    }

    fn check_answer(&self, exchange: &Exchange, call: &Call<'_>) -> Vec<Violation> {
        let status = exchange.status.to_string();
        let Some(described) = call.operation["responses"].get(&status).map(|answer| self.follow(answer)) else {
            let why = format!("GitHub does not answer {} {} so", exchange.method, call.template);
            return vec![Violation::new("unknown-status", status, why)];
        };
        let schema = described.get("content").map(|content| &content["application/json"]["schema"]);
        match (schema, &exchange.response_body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![Violation::new("response-body-unexpected", "", "GitHub sends no body here")],
            (Some(_), None) => vec![Violation::new("response-body-missing", "", "GitHub sends a body here")],
            (Some(schema), Some(body)) => {
                let name = format!("{} {} {status}", exchange.method, call.template);
                body_violations("response", self.compiled(&name, schema), body)
            }
        }
    }

    /// The check of a schema, compiled when it is first needed.
    fn compiled(&self, name: &str, schema: &Value) -> &'static Validator {
        self.checks.lock().unwrap().entry(name.to_owned()).or_insert_with(|| {
            assert!(schema.is_object(), "the description has no JSON schema for {name}: it cannot be judged");
            let schema = json_schema(schema, &self.components["schemas"]);
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Box::leak(Box::new(options.build(&schema).unwrap()))
        })
    }

    /// A part of the description, looked up where only its address stands.
    pub(crate) fn follow<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix("#/components")) {
            Some(pointer) => self.components.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")),
            None => node,
        }
    }
}

fn decoded(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// Whether the last parameter of a path takes slashes: a file's path does.
fn has_multi_segment(item: &Value) -> bool {
    let operations = item.as_object().into_iter().flat_map(Map::values);
    let parameters = operations.filter_map(|operation| operation["parameters"].as_array()).flatten();
    parameters.into_iter().any(|parameter| parameter["x-multi-segment"] == true)
}

/// The parameters of a path that has a template's form, raw as they stand; `None` if it has another form.
fn fill<'a>(template: &'a str, path: &str, multi: bool) -> Option<Vec<(&'a str, String)>> {
    let pieces: Vec<&str> = template.split('/').collect();
    let mut segments: Vec<&str> = path.split('/').collect();
    let tail = multi.then(|| segments.split_off(segments.len().min(pieces.len() - 1)).join("/"));
    segments.extend(tail.as_deref());
    if pieces.len() != segments.len() {
        return None;
    }
    let mut filled = Vec::new();
    for (piece, segment) in pieces.into_iter().zip(segments) {
        match piece.strip_prefix('{').and_then(|piece| piece.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => filled.push((name, segment.to_owned())),
            None if piece == segment => {}
            _ => return None,
        }
    }
    Some(filled)
}

fn body_violations(side: &str, check: &Validator, body: &Value) -> Vec<Violation> {
    let errors: Vec<ValidationError<'_>> = check.iter_errors(body).collect();
    let mut leaves = Vec::new();
    errors.iter().for_each(|error| collect_leaves(error, &mut leaves));
    // An object that is put together by `allOf` loses all keys of a part that fails: that they are unknown says nothing.
    let in_parts =
        |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::UnevaluatedProperties { .. });
    let failed: Vec<String> =
        leaves.iter().filter(|one| !in_parts(one)).map(|one| one.instance_path().to_string()).collect();
    leaves.retain(|one| !in_parts(one) || !failed.iter().any(|at| at.starts_with(one.instance_path().as_str())));
    leaves.into_iter().map(|error| of_error(side, error)).collect()
}

/// What is really wrong where none of several schemas fits: the errors of that schema which the value gets furthest into.
fn collect_leaves<'a, 'b>(error: &'a ValidationError<'b>, leaves: &mut Vec<&'a ValidationError<'b>>)
where
    'b: 'a,
{
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        leaves.push(error);
        return;
    };
    let wrong_kind = |errors: &[ValidationError<'_>]| {
        let here = error.instance_path();
        errors.iter().any(|one| matches!(one.kind(), ValidationErrorKind::Type { .. }) && one.instance_path() == here)
    };
    let branch = context.iter().min_by_key(|errors| (wrong_kind(errors), errors.len()));
    match branch {
        Some(branch) if !branch.is_empty() && !wrong_kind(branch) => {
            branch.iter().for_each(|error| collect_leaves(error, leaves));
        }
        _ => leaves.push(error),
    }
}

fn of_error(side: &str, error: &ValidationError<'_>) -> Violation {
    let at = error.instance_path().as_str();
    let kind = error.kind();
    if let ValidationErrorKind::UnevaluatedProperties { unexpected }
    | ValidationErrorKind::AdditionalProperties { unexpected } = kind
    {
        let names = unexpected.join(", ");
        return Violation::new(&format!("{side}-unknown-key"), at, format!("GitHub knows no {names} here"));
    }
    let rule = if matches!(kind, ValidationErrorKind::Required { .. }) { "missing-key" } else { "value" };
    Violation::new(&format!("{side}-{rule}"), at, error.to_string())
}
