//! GitHub's recorded webhook payloads, and GitHub's own schemas of them.

use std::collections::HashMap;
use std::fs;
use std::sync::{Mutex, OnceLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::npm;

/// One recorded delivery.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The event's name, as in `X-GitHub-Event`.
    pub(crate) event: String,
    /// The payload.
    pub(crate) payload: Value,
}

impl Recorded {
    /// The payload's action, if it has one.
    pub(crate) fn action(&self) -> Option<&str> {
        self.payload.get("action").and_then(Value::as_str)
    }
}

/// How many payloads of api.github.com the pinned version of `@octokit/webhooks-examples` holds.
pub(crate) const RECORDED: usize = 329;

#[derive(Deserialize)]
struct Event {
    name: String,
    examples: Vec<Value>,
}

/// All recorded payloads of api.github.com, in the package's order; `None` where npm is missing.
pub(crate) fn recorded_payloads() -> Option<Vec<Recorded>> {
    let path = npm::packages()?.join("@octokit/webhooks-examples/api.github.com/index.json");
    let events: Vec<Event> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let recorded: Vec<Recorded> = events
        .into_iter()
        .flat_map(|event| {
            let name = event.name;
            event.examples.into_iter().map(move |payload| Recorded { event: name.clone(), payload })
        })
        .collect();
    assert_eq!(recorded.len(), RECORDED, "the package holds another number of payloads than the pinned one");
    Some(recorded)
}

/// GitHub's schemas of its webhooks.
struct Schemas {
    /// The request body's schema of each webhook, by its operation id: `issues/opened`, `ping`.
    bodies: HashMap<String, Value>,
    components: Value,
}

fn schemas() -> Option<&'static Schemas> {
    static SCHEMAS: OnceLock<Option<Schemas>> = OnceLock::new();
    let load = || {
        let path = npm::packages()?.join("@octokit/openapi-webhooks/generated/api.github.com.json");
        let mut document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        repair(&mut document);
        let body = "/post/requestBody/content/application~1json/schema";
        let bodies = document["webhooks"].as_object().unwrap().values();
        let bodies = bodies.filter_map(|hook| {
            let id = hook.pointer("/post/operationId")?.as_str()?.to_owned();
            Some((id, hook.pointer(body)?.clone()))
        });
        let bodies = bodies.collect();
        Some(Schemas { bodies, components: document["components"].take() })
    };
    SCHEMAS.get_or_init(load).as_ref()
}

/// In three places the description demands null and an object at once (`"type": ["null"]` beside `allOf`), which nothing
/// satisfies; either was meant. It also calls a repository's home page an address, which is empty where there is none.
fn repair(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map.contains_key("allOf") && map.get("type") == Some(&json!(["null"])) {
                map.remove("type");
                let all = map.remove("allOf").unwrap();
                map.insert("anyOf".to_owned(), json!([{ "type": "null" }, { "allOf": all }]));
            }
            if let Some(Value::Object(homepage)) = map.get_mut("homepage") {
                homepage.remove("format");
            }
            map.values_mut().for_each(repair);
        }
        Value::Array(items) => items.iter_mut().for_each(repair),
        _ => {}
    }
}

/// Whether a payload is one that GitHub sends, by its own description. `Err` names the first places where it is not,
/// or says that GitHub has no such webhook. Where npm is missing everything passes, which [`npm::packages`] says aloud
/// and `CI=true` forbids.
pub(crate) fn validate_webhook(event: &str, action: Option<&str>, payload: &Value) -> Result<(), String> {
    static CHECKS: Mutex<Option<HashMap<String, &'static jsonschema::Validator>>> = Mutex::new(None);
    let Some(schemas) = schemas() else { return Ok(()) };
    let event = event.replace('_', "-");
    let id = action.map_or_else(|| event.clone(), |action| format!("{event}/{}", action.replace('_', "-")));
    let body = schemas.bodies.get(&id).ok_or_else(|| format!("GitHub has no webhook {id}"))?;
    let mut checks = CHECKS.lock().unwrap();
    let check = *checks.get_or_insert_default().entry(id.clone()).or_insert_with(|| {
        let schema = trimmed(body, &schemas.components);
        Box::leak(Box::new(jsonschema::options().should_validate_formats(true).build(&schema).unwrap()))
    });
    let errors = check.iter_errors(payload).take(5);
    let errors: Vec<String> = errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(format!("no {id} of GitHub's:\n{}", errors.join("\n"))) }
}

/// A schema with only those components that it leads to: the whole description takes seconds to compile.
fn trimmed(body: &Value, components: &Value) -> Value {
    let mut kept: Map<String, Value> = Map::new();
    let mut todo = vec![body];
    while let Some(node) = todo.pop() {
        match node {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS_AT))
                    && !kept.contains_key(name)
                {
                    let target = &components["schemas"][name];
                    kept.insert(name.to_owned(), target.clone());
                    todo.push(target);
                }
                todo.extend(map.values());
            }
            Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    let mut root = body.clone();
    root["components"] = json!({ "schemas": kept });
    root
}

const SCHEMAS_AT: &str = "#/components/schemas/";
