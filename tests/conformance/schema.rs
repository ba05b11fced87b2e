//! From the schemas of an OpenAPI 3.0 description to JSON Schema 2020-12 that bites.
//!
//! OpenAPI 3.0 says `nullable: true` where JSON Schema says `"type": [..., "null"]`. A JSON Schema library does not know
//! the word, and a schema that holds it beside a `$ref` or `allOf` would refuse every null that GitHub sends. And OpenAPI
//! leaves objects open: a misspelt key would pass. Here every object with known keys is closed.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// Where a description keeps its named schemas.
const COMPONENTS: &str = "#/components/schemas/";

/// Keywords that constrain a value and hold no schema.
const PLAIN: &[&str] = &[
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];

/// Whether an object may hold keys that its schema does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// None.
    Closed,
    /// Any, because a schema above closes the object: a part of an `allOf`.
    Open,
}

/// One schema of the description as JSON Schema, with those named schemas that it leads to.
pub(crate) fn json_schema(schema: &Value, named: &Value) -> Value {
    let mut rewriter = Rewriter::default();
    let mut root = rewriter.rewrite(schema, Keys::Closed);
    let mut kept = Map::new();
    while let Some((name, keys)) = rewriter.todo.pop() {
        let target = named.get(&name).unwrap_or_else(|| panic!("the description names no schema {name}"));
        let mut target = target.clone();
        // The description leaves this permission out; GitHub Docs, "Permissions required for GitHub Apps", has it.
        if name == "app-permissions" {
            target["properties"]["repository_advisories"] = json!({ "type": "string", "enum": ["read", "write"] });
        }
        let rewritten = rewriter.rewrite(&target, keys);
        kept.insert(local_name(&name, keys), rewritten);
    }
    root["components"] = json!({ "schemas": kept });
    root
}

fn local_name(name: &str, keys: Keys) -> String {
    match keys {
        Keys::Closed => name.to_owned(),
        Keys::Open => format!("{name}.open"),
    }
}

#[derive(Default)]
struct Rewriter {
    seen: HashSet<String>,
    /// Named schemas that are still to be rewritten.
    todo: Vec<(String, Keys)>,
}

impl Rewriter {
    fn rewrite(&mut self, schema: &Value, keys: Keys) -> Value {
        let Value::Object(from) = schema else { return schema.clone() };
        if let Some(name) = from.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(COMPONENTS)) {
            let local = local_name(name, keys);
            let address = format!("{COMPONENTS}{local}");
            if self.seen.insert(local) {
                self.todo.push((name.to_owned(), keys));
            }
            return or_null(from, Map::from_iter([("$ref".to_owned(), json!(address))]));
        }
        let mut to = Map::new();
        for word in PLAIN {
            to.extend(from.get(*word).map(|value| ((*word).to_owned(), value.clone())));
        }
        if let Some(Value::Object(properties)) = from.get("properties") {
            let each = properties.iter().map(|(name, schema)| (name.clone(), self.property(name, schema)));
            let each: Map<String, Value> = each.collect();
            to.insert("properties".to_owned(), Value::Object(each));
        }
        for word in ["items", "additionalProperties"] {
            if let Some(schema) = from.get(word) {
                to.insert(word.to_owned(), self.rewrite(schema, Keys::Closed));
            }
        }
        // Where this schema names keys itself, its branches must not refuse them: the whole is closed instead.
        let whole = from.contains_key("properties") || from.contains_key("allOf");
        for word in ["allOf", "anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = from.get(word) {
                let keys = if whole { Keys::Open } else { keys };
                let branches = branches.iter().map(|branch| self.rewrite(branch, keys));
                to.insert(word.to_owned(), branches.collect());
            }
        }
        if whole && keys == Keys::Closed && !from.contains_key("additionalProperties") {
            let in_parts = ["allOf", "anyOf", "oneOf"].into_iter().any(|word| from.contains_key(word));
            let word = if in_parts { "unevaluatedProperties" } else { "additionalProperties" };
            to.insert(word.to_owned(), json!(false));
        }
        or_null(from, to)
    }

    fn property(&mut self, name: &str, schema: &Value) -> Value {
        let mut schema = self.rewrite(schema, Keys::Closed);
        // The description calls a repository's home page an address; it is empty where there is none.
        if name == "homepage"
            && let Some(homepage) = schema.as_object_mut()
        {
            homepage.remove("format");
        }
        schema
    }
}

/// Lets null pass where the description says `nullable`.
fn or_null(from: &Map<String, Value>, mut to: Map<String, Value>) -> Value {
    if from.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(to);
    }
    if ["$ref", "allOf", "anyOf", "oneOf"].into_iter().any(|word| to.contains_key(word)) {
        return json!({ "anyOf": [{ "type": "null" }, to] });
    }
    if let Some(kind) = to.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = to.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(schema: &Value, named: &Value, instance: &Value) -> bool {
        jsonschema::validator_for(&json_schema(schema, named)).unwrap().is_valid(instance)
    }

    #[test]
    fn null_passes_exactly_where_the_description_says_nullable() {
        let named = json!({ "user": { "type": "object", "properties": { "login": { "type": "string" } } } });
        let to_user = json!("#/components/schemas/user");
        for nullable in [
            json!({ "type": "string", "nullable": true }),
            json!({ "type": "string", "enum": ["a"], "nullable": true }),
            json!({ "enum": ["a"], "nullable": true }),
            json!({ "nullable": true, "$ref": to_user }),
            json!({ "nullable": true, "allOf": [{ "$ref": to_user }] }),
            json!({ "nullable": true, "type": "object", "oneOf": [{ "$ref": to_user }] }),
            json!({ "nullable": true, "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
        ] {
            assert!(accepts(&nullable, &named, &Value::Null), "{nullable}");
            assert!(!accepts(&nullable, &named, &json!([])), "{nullable} must still refuse a list");
            let mut strict = nullable;
            strict.as_object_mut().unwrap().remove("nullable");
            assert!(!accepts(&strict, &named, &Value::Null), "{strict}");
        }
    }

    #[test]
    fn an_object_takes_only_the_keys_that_its_schema_or_a_part_of_it_names() {
        let part = json!({ "type": "object", "properties": { "a": { "type": "object", "properties": { "x": {} } } } });
        let named = json!({ "part": part });
        let whole = json!({ "allOf": [{ "$ref": "#/components/schemas/part" }, { "properties": { "b": {} } }] });
        assert!(accepts(&whole, &named, &json!({ "a": { "x": 1 }, "b": 2 })));
        assert!(!accepts(&whole, &named, &json!({ "a": { "x": 1 }, "b": 2, "c": 3 })));
        assert!(!accepts(&whole, &named, &json!({ "a": { "y": 1 } })));
        assert!(accepts(&part, &named, &json!({ "a": {} })));
        assert!(!accepts(&part, &named, &json!({ "b": {} })));
        let open = json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": true });
        assert!(accepts(&open, &named, &json!({ "b": {} })));
    }
}
