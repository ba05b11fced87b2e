//! The policy's schema for editors and its reference are generated from the types, committed, and kept current here.
//!
//! `WARDROOM_WRITE_DOCS=1 cargo test --test policy_reference` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;
use wardroom::domain::checklist::{Checklist, template};
use wardroom::domain::policy::{
    COMMANDS, Contact, Ecosystem, LabelDetails, LabelKey, Package, PhaseSetting, Place, Policy, schema,
};

const SCHEMA: &str = "docs/wardroom.schema.json";
const REFERENCE: &str = "docs/policy.md";
/// The last line that is written by hand.
const GENERATED: &str = "<!-- What follows is generated from the types in src/domain/policy; tests/policy_reference.rs keeps it current. -->\n";

fn committed(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

fn keep_current(path: &str, text: &str) {
    if std::env::var_os("WARDROOM_WRITE_DOCS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), text).unwrap();
    }
    assert!(
        committed(path) == text,
        "{path} is out of date: run `WARDROOM_WRITE_DOCS=1 cargo test --test policy_reference`, and commit it",
    );
}

#[test]
fn the_schema_is_current() {
    keep_current(SCHEMA, &format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap()));
}

#[test]
fn the_reference_is_current() {
    let page = committed(REFERENCE);
    let (by_hand, _) = page.split_once(GENERATED).expect("the line before the generated part");
    keep_current(REFERENCE, &format!("{by_hand}{GENERATED}\n{}", reference(&schema())));
}

/// The YAML examples of the page.
fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn every_example_of_the_page_is_a_policy() {
    let page = committed(REFERENCE);
    let examples = examples(&page);
    assert_eq!(examples.len(), 2);
    for example in &examples {
        Policy::load(example).unwrap_or_else(|error| panic!("{error}"));
        let schema = jsonschema::validator_for(&schema()).unwrap();
        let policy = serde_json::to_value(Policy::load(example).unwrap()).unwrap();
        assert!(schema.is_valid(&policy));
    }
}

#[test]
fn the_full_example_names_every_key() {
    let page = committed(REFERENCE);
    let example = examples(&page)[1];
    let schema = schema();
    let objects = std::iter::once(&schema).chain(schema["$defs"].as_object().unwrap().values());
    for object in objects {
        for key in object["properties"].as_object().into_iter().flat_map(|keys| keys.keys()) {
            let named = example.lines().any(|line| line.trim_start_matches([' ', '-']).starts_with(&format!("{key}:")));
            assert!(named, "{key} is not in the example");
        }
    }
}

#[test]
fn the_errors_on_the_page_are_the_real_ones() {
    let page = committed(REFERENCE);
    let shown = page.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let error = Policy::load("reports:\n  lable: security\n\nroster: ada\n").unwrap_err();
    let expected =
        format!("error: the policy cannot be used as it is, 2 problems:\n{}\n", error.named(".github/wardroom.yml"));
    assert_eq!(shown, expected);
}

/// The generated part of the page.
fn reference(schema: &Value) -> String {
    let mut page = String::new();
    let policy = Policy::default();
    table(&mut page, schema, schema, &keys(schema, &policy));
    for (heading, definition, order) in [
        ("`product`", "Product", keys(&schema["$defs"]["Product"], &policy.product)),
        ("`reports`", "Reports", keys(&schema["$defs"]["Reports"], &policy.reports)),
        ("`advisories`", "Advisories", keys(&schema["$defs"]["Advisories"], &policy.advisories)),
        ("An entry of `advisories.packages`", "Package", {
            keys(&schema["$defs"]["Package"], &Package { ecosystem: Ecosystem::Rust, name: String::new() })
        }),
        ("`releases`", "Releases", keys(&schema["$defs"]["Releases"], &policy.releases)),
        ("A label of `labels`, where it is more than a name", "LabelDetails", {
            keys(&schema["$defs"]["LabelDetails"], &LabelDetails::default())
        }),
        ("An entry of `phases`", "PhaseSetting", {
            keys(&schema["$defs"]["PhaseSetting"], &PhaseSetting { number: 1, label: None, owners: Vec::new() })
        }),
        ("An entry of `contacts`", "Contact", {
            keys(&schema["$defs"]["Contact"], &Contact { role: String::new(), reach: String::new() })
        }),
    ] {
        write!(page, "\n### {heading}\n\n").unwrap();
        table(&mut page, schema, &schema["$defs"][definition], &order);
    }
    labels(&mut page, &policy);
    commands(&mut page);
    page
}

/// The keys of an object in the order of the type, which is the order in which serde writes them.
fn keys(object: &Value, sample: &impl serde::Serialize) -> Vec<String> {
    let written = serde_json::to_string(sample).unwrap();
    let mut keys: Vec<String> = object["properties"].as_object().unwrap().keys().cloned().collect();
    keys.sort_by_key(|key| written.find(&format!("\"{key}\":")).unwrap());
    keys
}

fn table(page: &mut String, schema: &Value, object: &Value, order: &[String]) {
    page.push_str("| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for key in order {
        let property = &object["properties"][key];
        let default = if required.contains(&key.as_str()) { "must be there".into() } else { default(property) };
        let mut meaning = property["description"].as_str().unwrap().replace('\n', " ");
        if let Some(example) = property["examples"].get(0) {
            let example = match example.as_array() {
                Some(items) => {
                    format!("[{}]", items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(", "))
                }
                None => example.as_str().unwrap().to_owned(),
            };
            write!(meaning, " For example `{example}`.").unwrap();
        }
        writeln!(page, "| `{key}` | {} | {default} | {} |", kind(schema, property), meaning.replace('|', "\\|"))
            .unwrap();
    }
}

fn default(property: &Value) -> String {
    match &property["default"] {
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) if items.is_empty() => "empty".into(),
        Value::Null => "none".into(),
        Value::Object(keys) if keys.is_empty() => "empty".into(),
        Value::Object(_) => "see below".into(),
        other => format!("`{other}`"),
    }
}

/// What kind of value a property wants, in words.
fn kind(schema: &Value, property: &Value) -> String {
    if let Some(name) = property["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/")) {
        return match name {
            "Repository" => "owner/name".into(),
            "LabelSetting" => "a name, or a map".into(),
            name => kind(schema, &schema["$defs"][name]),
        };
    }
    if let Some(forms) = property["anyOf"].as_array() {
        let forms = forms.iter().filter(|form| form["type"] != "null");
        return forms.map(|form| kind(schema, form)).collect::<Vec<_>>().join(" or ");
    }
    let words: Vec<&str> = property["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(property["oneOf"].as_array().into_iter().flatten().map(|word| &word["const"]))
        .filter_map(Value::as_str)
        .collect();
    if !words.is_empty() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    let bound = |key: &str| property[key].as_u64();
    match property["type"].as_str().or_else(|| property["type"][0].as_str()).unwrap() {
        "boolean" => "`true` or `false`".into(),
        "number" => "a score, 0.0 to 10.0".into(),
        "integer" => match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (least, _) => format!("a number from {}", least.unwrap_or(0)),
        },
        "array" => {
            let most = bound("maxItems").map_or(String::new(), |most| format!(", at most {most}"));
            format!("a list{most}")
        }
        "object" => "a map".into(),
        _ => bound("maxLength").map_or("a text".into(), |most| format!("a text, at most {most} characters")),
    }
}

fn labels(page: &mut String, policy: &Policy) {
    page.push_str("\n### The keys of `labels`\n\n| Key | Default name | Colour | Description |\n|---|---|---|---|\n");
    for key in LabelKey::ALL {
        let label = policy.label(key);
        writeln!(page, "| `{}` | `{}` | `{}` | {} |", key.word(), label.name, label.color, label.description).unwrap();
    }
    page.push_str(
        "\nThe labels of the built-in checklist's phases:\n\n| Phase | Default name | Colour |\n|---|---|---|\n",
    );
    let checklist = Checklist::parse(&template::render(template::DEFAULT, policy).unwrap());
    for phase in &checklist.phases {
        let label = policy.phase_label(phase.number, &phase.title).unwrap();
        writeln!(page, "| {}: {} | `{}` | `{}` |", phase.number.unwrap(), phase.title, label.name, label.color)
            .unwrap();
    }
}

fn commands(page: &mut String) {
    page.push_str(
        "\n### The keys of `roles`\n\nA value is a role, `write`, `maintain` or `admin`, or a list of at most 100 logins.\n\n\
         | Command | Least role | Held on |\n|---|---|---|\n",
    );
    for command in COMMANDS {
        let role = format!("{:?}", command.at_least).to_lowercase();
        let place = match command.on {
            Place::Tracker => "the tracker",
            Place::Advisories => "the repository of the advisories",
        };
        writeln!(page, "| `{}` | {role} | {place} |", command.word).unwrap();
    }
    page.push_str("\nCommands of later versions can be named already.\n");
}
