//! The tree against the schema: known keys, the right kind of value, the right words. Every problem is collected; what
//! is wrong is left out, so that the rest can be checked as well.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::problem::{At, MAX_PROBLEMS, Problem, nearest, quote, quote_key, words};
use super::schema::REPOSITORY;
use super::yaml::{Kind, Node};
use crate::domain::cvss::Score;
use crate::domain::facts::RepoName;

/// Where the values of a policy stand, by path: `labels.high.color`, `roster[2]`.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<String, At>);

impl Places {
    /// The place of a value; for one that the file does not hold, the place of what it would stand in.
    pub(super) fn of(&self, path: &str) -> At {
        let mut path = path;
        loop {
            if let Some(at) = self.0.get(path) {
                return *at;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return At { line: 1, column: 1 },
            }
        }
    }

    /// Whether the file holds the value.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// What came out: a value that fits the types, where its parts stand, and what was left out of it.
pub(super) struct Shaped {
    pub(super) value: Value,
    pub(super) places: Places,
    pub(super) problems: Vec<Problem>,
    /// How many problems there are beyond those.
    pub(super) counted: usize,
}

/// Walks the tree along the schema.
pub(super) fn shape(root: &Node, schema: &Value) -> Shaped {
    let mut walk = Walk { schema, places: Places::default(), problems: Vec::new(), counted: 0 };
    let value = match &root.kind {
        Kind::Map(entries) => walk.map(root, entries, schema, ""),
        other => {
            let message =
                format!("a policy is a map of keys, for example `mode: watch`; this file is {}", name_of(other));
            walk.problem(root.at, message);
            None
        }
    };
    let value = value.unwrap_or_else(|| Value::Object(Map::new()));
    Shaped { value, places: walk.places, problems: walk.problems, counted: walk.counted }
}

struct Walk<'a> {
    schema: &'a Value,
    places: Places,
    problems: Vec<Problem>,
    counted: usize,
}

impl<'a> Walk<'a> {
    fn problem(&mut self, at: At, message: String) {
        self.problems.push(Problem { at, message });
    }

    /// Whether there are more problems than will be shown: the rest is counted, without looking for what was meant.
    fn is_full(&mut self) -> bool {
        let full = self.problems.len() >= MAX_PROBLEMS;
        self.counted += usize::from(full);
        full
    }

    /// One value. `None`: it is left out, because it is empty or because it is wrong, which was said.
    fn value(&mut self, node: &Node, schema: &'a Value, path: &str) -> Option<Value> {
        self.places.0.insert(path.to_owned(), node.at);
        let mut forms = Vec::new();
        self.forms(schema, &mut forms);
        if node.is_null() {
            if !forms.iter().any(Form::may_be_empty) {
                let wanted = wanted(&forms, schema);
                self.problem(node.at, format!("{} has no value; write {wanted}, or remove it", subject(path)));
            }
            return None;
        }
        let fits = |form: &&Form| match node.kind {
            Kind::Scalar { .. } => !matches!(form.kind(), FormKind::List | FormKind::Map | FormKind::Null),
            Kind::List(_) => form.kind() == FormKind::List,
            Kind::Map(_) => form.kind() == FormKind::Map,
        };
        let Some(form) = forms.iter().find(fits) else {
            self.problem(node.at, wrong_kind(node, &forms, schema, path));
            return None;
        };
        match &node.kind {
            Kind::Scalar { text, plain } => self.scalar(node.at, text, *plain, form, path),
            Kind::List(items) => self.list(items, form.schema, path),
            Kind::Map(entries) => self.map(node, entries, form.schema, path),
        }
    }

    /// The forms that a value may have: the schema itself, or its alternatives.
    fn forms(&self, schema: &'a Value, forms: &mut Vec<Form<'a>>) {
        let (schema, definition) = self.resolve(schema);
        match schema.get("anyOf").and_then(Value::as_array) {
            Some(alternatives) => alternatives.iter().for_each(|alternative| self.forms(alternative, forms)),
            None => forms.push(Form { schema, definition }),
        }
    }

    /// What `$ref` points to, and its name.
    fn resolve(&self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
        match name.and_then(|name| self.schema.get("$defs")?.get(name)) {
            Some(definition) => (definition, name),
            None => (schema, None),
        }
    }

    fn scalar(&mut self, at: At, text: &str, plain: bool, form: &Form, path: &str) -> Option<Value> {
        let result = match form.kind() {
            FormKind::Words => one_of(text, form, path).map(|()| text.into()),
            FormKind::Boolean => boolean(text, plain, path).map(Value::from),
            FormKind::Integer => integer(text, plain, form.schema, path).map(Value::from),
            FormKind::Number => score(text, plain, path).map(Value::from),
            _ if form.definition == Some(REPOSITORY) => repository(text, path).map(|()| text.into()),
            _ => Ok(text.into()),
        };
        result.map_err(|message| self.problem(at, message)).ok()
    }

    fn list(&mut self, items: &[Node], schema: &'a Value, path: &str) -> Option<Value> {
        let item_schema = schema.get("items")?;
        let most = schema.get("maxItems").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        if let Some(most) = most.filter(|most| items.len() > *most) {
            let at = self.places.of(path);
            self.problem(at, format!("`{}` has {} entries; {most} is the most", shown(path), items.len()));
            return None;
        }
        let mut kept = Vec::new();
        for item in items {
            // The path counts what is kept: it is the path in the typed policy.
            kept.extend(self.value(item, item_schema, &format!("{path}[{}]", kept.len())));
        }
        Some(Value::Array(kept))
    }

    fn map(&mut self, node: &Node, entries: &[(Node, Node)], schema: &'a Value, path: &str) -> Option<Value> {
        let known = schema.get("properties").and_then(Value::as_object)?;
        let mut seen: HashMap<&str, At> = HashMap::new();
        let mut kept = Map::new();
        for (key, value) in entries {
            let Kind::Scalar { text: key_text, .. } = &key.kind else {
                self.problem(key.at, format!("a key must be a word, not {}", name_of(&key.kind)));
                continue;
            };
            let Some(property) = known.get(key_text) else {
                if self.is_full() {
                    continue;
                }
                let message = self.unknown_key(key_text, known, path);
                self.problem(key.at, message);
                continue;
            };
            if let Some(first) = seen.get(key_text.as_str()) {
                if self.is_full() {
                    continue;
                }
                let message =
                    format!("{} stands here again; the first is in line {}; keep one", quote_key(key_text), first.line);
                self.problem(key.at, message);
                continue;
            }
            seen.insert(key_text, key.at);
            let value_path = if path.is_empty() { key_text.clone() } else { format!("{path}.{key_text}") };
            if let Some(value) = self.value(value, property, &value_path) {
                kept.insert(key_text.clone(), value);
            }
        }
        self.required(node, schema, &seen, &kept, path).then_some(Value::Object(kept))
    }

    /// Whether all required keys were kept. One that is not there at all is a problem of its own.
    fn required(
        &mut self,
        node: &Node,
        schema: &Value,
        seen: &HashMap<&str, At>,
        kept: &Map<String, Value>,
        path: &str,
    ) -> bool {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut complete = true;
        for key in required {
            complete &= kept.contains_key(key);
            if !seen.contains_key(key) {
                self.problem(node.at, format!("{} needs the key `{key}`", subject(path)));
            }
        }
        complete
    }

    /// An unknown key: the near one, or where it belongs, or what there is.
    fn unknown_key(&self, key: &str, known: &Map<String, Value>, path: &str) -> String {
        let unknown = format!("unknown key {}", quote_key(key));
        let within = if path.is_empty() { String::new() } else { format!(" in `{}`", shown(path)) };
        if let Some(home) = self.home(key) {
            return match home {
                "" => format!("{unknown}{within}; it belongs at the top, without indentation"),
                home => format!("{unknown}{within}; it belongs under `{home}`"),
            };
        }
        let longer: Vec<&str> = known.keys().map(String::as_str).filter(|word| begins_with_word(word, key)).collect();
        if !longer.is_empty() {
            return format!("{unknown}{within}; did you mean {}?", words(longer, "or"));
        }
        match nearest(key, known.keys().map(String::as_str)) {
            Some(meant) => format!("{unknown}{within}; did you mean `{meant}`?"),
            None => format!("{unknown}{within}; the keys here are {}", words(known.keys().map(String::as_str), "and")),
        }
    }

    /// The one top-level key that has this key, or `""` if it is itself a top-level key.
    fn home(&self, key: &str) -> Option<&'a str> {
        let top = self.schema.get("properties")?.as_object()?;
        if top.contains_key(key) {
            return Some("");
        }
        let has = |schema: &'a Value| {
            let (schema, _) = self.resolve(schema);
            schema.get("properties").is_some_and(|keys| keys.get(key).is_some())
        };
        let mut homes = top.iter().filter(|(_, schema)| has(schema)).map(|(home, _)| home.as_str());
        homes.next().filter(|_| homes.next().is_none())
    }
}

/// Whether a key of several words begins with this one: `cve set` with `cve`.
fn begins_with_word(key: &str, word: &str) -> bool {
    key.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '))
}

/// One form that a value may have.
struct Form<'a> {
    schema: &'a Value,
    definition: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormKind {
    Text,
    Words,
    Integer,
    /// The one kind of number with a decimal here: a CVSS score.
    Number,
    Boolean,
    List,
    Map,
    Null,
}

impl<'a> Form<'a> {
    fn kind(&self) -> FormKind {
        if !self.words().is_empty() {
            return FormKind::Words;
        }
        let kind = self.schema.get("type");
        match kind.and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str())) {
            Some("integer") => FormKind::Integer,
            Some("number") => FormKind::Number,
            Some("boolean") => FormKind::Boolean,
            Some("array") => FormKind::List,
            Some("object") => FormKind::Map,
            Some("null") => FormKind::Null,
            _ => FormKind::Text,
        }
    }

    /// Whether `key:` with nothing behind it is as good as no key: for what may be null, and for a list or map whose
    /// entries were all commented out.
    fn may_be_empty(&self) -> bool {
        let types = self.schema.get("type").and_then(Value::as_array);
        let nullable = types.is_some_and(|types| types.iter().any(|kind| kind == "null"));
        match self.kind() {
            FormKind::Null => true,
            FormKind::List => true,
            FormKind::Map => self.schema.get("required").is_none(),
            _ => nullable,
        }
    }

    /// The words that it may be, where it is one of a few.
    fn words(&self) -> Vec<&'a str> {
        let listed = self.schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let described = self.schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        listed.chain(described.filter_map(|word| word.get("const")?.as_str())).collect()
    }

    fn describe(&self) -> String {
        match self.kind() {
            FormKind::Text => "a text".to_owned(),
            FormKind::Words => words(self.words(), "or"),
            FormKind::Integer => "a whole number".to_owned(),
            FormKind::Number => "a score".to_owned(),
            FormKind::Boolean => "`true` or `false`".to_owned(),
            FormKind::List => "a list".to_owned(),
            FormKind::Map => {
                let keys = self.schema.get("properties").and_then(Value::as_object);
                let keys: Vec<&str> = keys.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                format!("a map with keys such as {}", words(keys.into_iter().take(4), "and"))
            }
            FormKind::Null => String::new(),
        }
    }
}

/// What is wanted, with an example where the schema has one.
fn wanted(forms: &[Form], schema: &Value) -> String {
    let kinds: Vec<String> = forms.iter().map(Form::describe).filter(|text| !text.is_empty()).collect();
    let example = std::iter::once(schema).chain(forms.iter().map(|form| form.schema)).find_map(example_of);
    match example {
        Some(example) => format!("{}, for example `{example}`", kinds.join(" or ")),
        None => kinds.join(" or "),
    }
}

/// The schema's first example, as YAML in one line.
fn example_of(schema: &Value) -> Option<String> {
    let example = schema.get("examples")?.get(0)?;
    Some(match example.as_array() {
        Some(items) => format!("[{}]", items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        None => example.as_str().map_or_else(|| example.to_string(), str::to_owned),
    })
}

fn wrong_kind(node: &Node, forms: &[Form], schema: &Value, path: &str) -> String {
    let name = shown(path);
    let key = name.rsplit('.').next().unwrap_or(&name);
    match &node.kind {
        // The commonest slip: one value where a list of values belongs.
        Kind::Scalar { text, .. } if matches!(forms, [form] if form.kind() == FormKind::List) && text.len() <= 40 => {
            format!("`{name}` wants a list, not a text; write `{key}: [{}]`", quote_key(text).trim_matches('`'))
        }
        kind => format!("{} wants {}, not {}", subject(path), wanted(forms, schema), name_of(kind)),
    }
}

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Scalar { .. } => "a text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map of keys",
    }
}

/// What a sentence about a value begins with.
fn subject(path: &str) -> String {
    let name = shown(path);
    if path.ends_with(']') { format!("an entry of `{name}`") } else { format!("`{name}`") }
}

/// A path as a sentence names it: without the numbers of list items.
pub(super) fn shown(path: &str) -> String {
    let mut name = String::new();
    let mut within = false;
    for c in path.chars() {
        match c {
            '[' => within = true,
            ']' => within = false,
            c if !within => name.push(c),
            _ => {}
        }
    }
    name
}

fn one_of(text: &str, form: &Form, path: &str) -> Result<(), String> {
    let known = form.words();
    if known.contains(&text) {
        return Ok(());
    }
    let name = shown(path);
    if let Some(word) = other_ecosystem_name(text).filter(|word| known.contains(word)) {
        return Err(format!("`{name}` cannot be {}: GitHub's word is `{word}`", quote(text)));
    }
    let near = nearest(text, known.iter().copied()).filter(|_| known.len() > 3);
    let hint = near.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    Err(format!("`{name}` cannot be {}: {hint}write {}", quote(text), words(known, "or")))
}

/// Other names of the ecosystems of GitHub's advisories: registries, tools and languages.
fn other_ecosystem_name(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "cargo" | "crates.io" | "crates" => "rust",
        "pypi" | "python" | "poetry" => "pip",
        "golang" | "gomod" => "go",
        "php" | "packagist" => "composer",
        "ruby" | "gem" | "gems" | "bundler" => "rubygems",
        "node" | "nodejs" | "javascript" | "yarn" | "pnpm" => "npm",
        "java" | "gradle" | "kotlin" => "maven",
        "dotnet" | ".net" => "nuget",
        "elixir" | "hex" => "erlang",
        "dart" | "flutter" => "pub",
        "github-actions" | "github actions" | "githubactions" => "actions",
        "swiftpm" | "spm" => "swift",
        _ => return None,
    })
}

fn boolean(text: &str, plain: bool, path: &str) -> Result<bool, String> {
    match text {
        "true" if plain => Ok(true),
        "false" if plain => Ok(false),
        _ => {
            let quoted = if plain { quote(text) } else { format!("the text {}", quote(text)) };
            Err(format!("`{}` cannot be {quoted}: write `true` or `false`, without quotes", shown(path)))
        }
    }
}

fn integer(text: &str, plain: bool, schema: &Value, path: &str) -> Result<u32, String> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|bound| u32::try_from(bound).ok());
    let least = bound("minimum").unwrap_or(0);
    let most = bound("maximum");
    let digits = plain && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|_| digits);
    match number.filter(|number| *number >= least && *number <= most.unwrap_or(u32::MAX)) {
        Some(number) => Ok(number),
        None => {
            let range = most.map_or_else(|| format!("from {least}"), |most| format!("from {least} to {most}"));
            let quotes = if plain { "" } else { ", without quotes" };
            Err(format!("`{}` cannot be {}: write a whole number {range}{quotes}", shown(path), quote(text)))
        }
    }
}

fn score(text: &str, plain: bool, path: &str) -> Result<f64, String> {
    match text.parse::<Score>().ok().filter(|_| plain) {
        Some(score) => Ok(f64::from(score.tenths()) / 10.0),
        None => {
            let quotes = if plain { "" } else { ", without quotes" };
            let wanted = "write a CVSS score from 0.0 to 10.0 with at most one decimal";
            Err(format!("`{}` cannot be {}: {wanted}{quotes}", shown(path), quote(text)))
        }
    }
}

fn repository(text: &str, path: &str) -> Result<(), String> {
    if text.parse::<RepoName>().is_ok() {
        return Ok(());
    }
    let name = shown(path);
    // A link copied from the browser holds the name.
    let from_link = text.split_once("://").map(|(_, rest)| {
        let parts: Vec<&str> = rest.split('/').skip(1).take(2).map(|part| part.trim_end_matches(".git")).collect();
        parts.join("/")
    });
    match from_link.filter(|name| name.parse::<RepoName>().is_ok()) {
        Some(repo) => Err(format!("`{name}` wants the repository's name, not its link: write `{repo}`")),
        None => {
            Err(format!("`{name}` cannot be {}: write owner/name, for example `octo-org/mail-server`", quote(text)))
        }
    }
}
