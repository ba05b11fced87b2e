//! The JSON Schema of the policy. It is generated from the types; editors complete and check with it, the reader of
//! the policy takes its keys, words and examples from it, and the reference in `docs/policy.md` is written from it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::roles::{ROLES, role_word};
use super::{COMMANDS, LabelKey, LabelSetting, Policy, RoleSetting};

/// A login as GitHub forms it: letters, digits and hyphens, in accounts that an enterprise manages also `_`.
pub(super) const LOGIN: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$";
/// Six hex digits.
pub(super) const COLOR: &str = "^[0-9A-Fa-f]{6}$";
/// One line that is not empty.
pub(super) const LINE: &str = "^[^\\r\\n]{1,200}$";
/// A link that cannot be read on its way.
pub(super) const HTTPS: &str = "^https://[^\\s<>\"'()`]{1,492}$";
/// A mail address or such a link.
pub(super) const ADDRESS: &str = "^(https://[^\\s<>\"'()`]{1,492}|[^\\s<>\"'()`@/]{1,100}@[^\\s<>\"'()`@/]{1,99})$";
/// A date, or a date and time with its offset.
pub(super) const SINCE: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$";

/// The name by which a schema refers to [`Repository`].
pub(super) const REPOSITORY: &str = "Repository";

/// How a repository's name is written.
#[derive(JsonSchema)]
#[schemars(extend("examples" = ["octo-org/mail-server"]))]
#[allow(dead_code, reason = "only its schema is used: the value is read as a `RepoName`")]
pub(super) struct Repository(#[schemars(regex(pattern = "^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$"))] String);

/// The schema of the whole policy, JSON Schema 2020-12.
pub fn schema() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Policy>();
    schema.insert("title".to_owned(), "Wardroom's policy".into());
    schema.insert("$id".to_owned(), "wardroom.schema.json".into());
    schema.to_value()
}

/// One property for each label, so that an editor offers the keys.
pub(super) fn labels(generator: &mut SchemaGenerator) -> Schema {
    let setting = generator.subschema_for::<LabelSetting>();
    let defaults = Policy::default();
    closed(LabelKey::ALL.into_iter().map(|key| {
        let default = defaults.label(key);
        let description = format!("{}. By default `{}`.", default.description, default.name);
        (key.word(), beside(&setting, [("description", description.into())]))
    }))
}

/// One property for each command; a role below the command's own is marked as wrong in the editor already.
pub(super) fn roles(generator: &mut SchemaGenerator) -> Schema {
    let setting = generator.subschema_for::<RoleSetting>();
    closed(COMMANDS.into_iter().map(|command| {
        let below: Vec<Value> =
            ROLES.into_iter().filter(|role| *role < command.at_least).map(|role| role_word(role).into()).collect();
        let description = format!("Who may use `{}`. At least {}.", command.word, role_word(command.at_least));
        (command.word, beside(&setting, [("description", description.into()), ("not", json!({ "enum": below }))]))
    }))
}

/// A map with these keys and no others.
fn closed<'a>(properties: impl Iterator<Item = (&'a str, Value)>) -> Schema {
    let properties: Map<String, Value> = properties.map(|(key, schema)| (key.to_owned(), schema)).collect();
    let mut schema = Schema::default();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// A schema with further keywords beside its own.
fn beside<const N: usize>(schema: &Schema, keywords: [(&str, Value); N]) -> Value {
    let mut schema = schema.clone();
    for (keyword, value) in keywords {
        schema.insert(keyword.to_owned(), value);
    }
    schema.to_value()
}
