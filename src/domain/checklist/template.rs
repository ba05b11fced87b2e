//! The checklist as a new incident gets it: a template with the policy's names in it.
//!
//! A team's own template is input like any other: its size, its work, its depth and its output are limited, and it may
//! use only what cannot be made to grow: values, `if` and `for`.

use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::LONGEST_BODY;
use super::run::one_line;
use crate::domain::policy::{Policy, Product};

/// The checklist that is used where the policy names no template.
pub const DEFAULT: &str = include_str!("../../../templates/checklist.md");

/// A template has at most so many bytes; the default one has about 6,000.
const LONGEST_TEMPLATE: usize = 64 * 1024;

/// A rendering takes at most so many of the engine's instructions; the default template takes about 200.
const FUEL: u64 = 100_000;

/// Blocks and brackets may stand so deep in each other.
const DEEPEST: usize = 50;

/// The tags that a template may use.
const TAGS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// What a template can name, for the error about a name it does not have.
const NAMES: &str = "product.name, product.named, product.community, product.has_community, product.security_policy, \
                     product.private_reporting, contacts (each with role and reach)";

/// A template that cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is larger than a template may be.
    #[error("the checklist template has {0} bytes and may have {LONGEST_TEMPLATE}; shorten it")]
    TooLarge(usize),
    /// Something in it is wrong.
    #[error("line {line} of the checklist template: {problem}")]
    Wrong {
        /// The line, from 1.
        line: usize,
        /// What is wrong there and what would be right.
        problem: String,
    },
    /// What it makes is longer than an issue may be.
    #[error(
        "the checklist made from the template is longer than an issue may be, {LONGEST_BODY} characters; shorten it"
    )]
    TooLong,
}

/// What a template can name.
#[derive(Serialize)]
struct Names {
    product: ProductNames,
    contacts: Vec<ContactNames>,
}

#[derive(Serialize)]
struct ProductNames {
    /// The policy's name, or `the product`.
    name: String,
    /// Whether the policy gives a name.
    named: bool,
    community: String,
    /// Whether the policy says where the community is.
    has_community: bool,
    security_policy: Option<String>,
    private_reporting: Option<String>,
}

#[derive(Serialize)]
struct ContactNames {
    role: String,
    reach: String,
}

/// Renders a checklist template with the policy's product and contacts. A value is put in as one line, so it cannot
/// add a line of its own to the checklist.
///
/// # Errors
/// If the template is too large, is wrong or asks for too much work, or if the checklist would be longer than an issue
/// may be.
pub fn render(template: &str, policy: &Policy) -> Result<String, TemplateError> {
    if template.len() > LONGEST_TEMPLATE {
        return Err(TemplateError::TooLarge(template.len()));
    }
    check_tags(template)?;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    let names = names(policy);
    let product = names.product;
    let contacts = names.contacts;
    let rendered = environment.render_str(template, context! { product, contacts }).map_err(|error| explain(&error))?;
    if rendered.chars().count() > LONGEST_BODY {
        return Err(TemplateError::TooLong);
    }
    Ok(rendered)
}

fn names(policy: &Policy) -> Names {
    let line = |text: &str| one_line(std::iter::once(text));
    let product = &policy.product;
    let usual = Product::default();
    let contacts = policy.contacts.iter();
    Names {
        product: ProductNames {
            name: line(&product.name),
            named: product.name != usual.name,
            community: line(&product.community),
            has_community: product.community != usual.community,
            security_policy: product.security_policy.as_deref().map(line),
            private_reporting: product.private_reporting.as_deref().map(line),
        },
        contacts: contacts.map(|one| ContactNames { role: line(&one.role), reach: line(&one.reach) }).collect(),
    }
}

/// Refuses every tag but those of [`TAGS`], and in tags the signs `*` and `{`. A text that is multiplied, or kept under
/// a name and doubled again and again, would fill the memory long before the work is limited.
fn check_tags(template: &str) -> Result<(), TemplateError> {
    let mut at = 0;
    while let Some((start, kind)) = next_tag(template, at) {
        let wrong = |problem: String| {
            let line = template.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            Err(TemplateError::Wrong { line, problem })
        };
        let inside = template.get(start + 2..).unwrap_or_default();
        let Some(length) = kind.end(inside) else {
            return wrong(format!("`{}` is never closed; close it with `{}`", kind.open(), kind.close()));
        };
        let code = inside.get(..length).unwrap_or_default();
        let sign = outside_strings(code).map(|(_, c)| c).find(|c| matches!(c, '*' | '{'));
        if let (Some(sign), true) = (sign, kind != Delimiter::Comment) {
            return wrong(format!("a template may not use `{sign}` between `{}` and `{}`", kind.open(), kind.close()));
        }
        let word = code.trim_start_matches(['-', '+']).trim_start();
        let word = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if kind == Delimiter::Block && !TAGS.contains(&word) {
            return wrong(format!("a template may not use the tag `{word}`; it may use `if` and `for`"));
        }
        at = start + 2 + length + 2;
    }
    Ok(())
}

/// What `{{`, `{%` and `{#` open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Value,
    Block,
    Comment,
}

impl Delimiter {
    fn open(self) -> &'static str {
        match self {
            Delimiter::Value => "{{",
            Delimiter::Block => "{%",
            Delimiter::Comment => "{#",
        }
    }

    fn close(self) -> &'static str {
        match self {
            Delimiter::Value => "}}",
            Delimiter::Block => "%}",
            Delimiter::Comment => "#}",
        }
    }

    /// Where in the text the tag closes.
    fn end(self, inside: &str) -> Option<usize> {
        if self == Delimiter::Comment {
            return inside.find(self.close());
        }
        let closes = |at: usize| inside.get(at..).is_some_and(|rest| rest.starts_with(self.close()));
        outside_strings(inside).map(|(at, _)| at).find(|&at| closes(at))
    }
}

fn next_tag(template: &str, from: usize) -> Option<(usize, Delimiter)> {
    let bytes = template.as_bytes();
    (from..bytes.len()).find_map(|at| match (bytes.get(at)?, bytes.get(at + 1)?) {
        (b'{', b'{') => Some((at, Delimiter::Value)),
        (b'{', b'%') => Some((at, Delimiter::Block)),
        (b'{', b'#') => Some((at, Delimiter::Comment)),
        _ => None,
    })
}

/// The characters of a tag that stand in no string, with their offsets.
fn outside_strings(code: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut escaped) = (None, false);
    code.char_indices().filter(move |&(_, c)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(open) => {
            escaped = c == '\\';
            if c == open {
                quote = None;
            }
            false
        }
        None if matches!(c, '"' | '\'') => {
            quote = Some(c);
            false
        }
        None => true,
    })
}

/// The engine's error in our words.
fn explain(error: &minijinja::Error) -> TemplateError {
    use minijinja::ErrorKind;
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let problem = match error.kind() {
        ErrorKind::UndefinedError => format!("it names something that is not there; there are {NAMES}"),
        ErrorKind::OutOfFuel => "it takes too much work; use fewer loops within loops".to_owned(),
        ErrorKind::UnknownFilter => format!("{detail}; a template has no filters"),
        ErrorKind::UnknownFunction => format!("{detail}; a template has no functions"),
        _ => detail,
    };
    TemplateError::Wrong { line: error.line().unwrap_or(1), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(template: &str) -> String {
        render(template, &Policy::default()).expect_err("the template is wrong").to_string()
    }

    #[test]
    fn an_error_names_its_line_and_what_would_be_right() {
        let errors = [
            "# A\n\n{{ product.nam }}\n",
            "# A\n{% if product.name %}\n",
            "{{ product.name | upper }}",
            "a\n{{ product.name",
            "a\n\n\n{% set a = 1 %}",
            "{{ range(9) }}",
            "{% if %}{% endif %}",
        ];
        insta::assert_snapshot!(errors.map(wrong).join("\n"), @"
        line 3 of the checklist template: it names something that is not there; there are product.name, product.named, product.community, product.has_community, product.security_policy, product.private_reporting, contacts (each with role and reach)
        line 2 of the checklist template: unexpected end of input, expected end of block
        line 1 of the checklist template: filter upper is unknown; a template has no filters
        line 2 of the checklist template: `{{` is never closed; close it with `}}`
        line 4 of the checklist template: a template may not use the tag `set`; it may use `if` and `for`
        line 1 of the checklist template: range is unknown; a template has no functions
        line 1 of the checklist template: unexpected end of block
        ");
    }

    #[test]
    fn a_template_cannot_take_the_memory_or_the_time() {
        for bomb in [
            r#"{{ "a" * 100000000 }}"#,
            r#"{{ "}}" * 100000000 }}"#,
            r#"{{ '\'}}' * 100000000 }}"#,
            r#"{{ {"a": {}} ~ "a" }}"#,
            r#"{% set a = "aaaa" %}{% set a = a ~ a %}"#,
            r#"{% raw %}{{ " {% endraw %}{{ "a" * 9 }}"#,
            "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        ] {
            assert!(wrong(bomb).contains("may not use"), "{bomb}");
        }
        let mut policy = Policy::default();
        let contact = crate::domain::policy::Contact { role: "a".into(), reach: "b".into() };
        policy.contacts = vec![contact; 100];
        let loops = "{% for a in contacts %}".repeat(6) + "x" + &"{% endfor %}".repeat(6);
        assert!(render(&loops, &policy).unwrap_err().to_string().contains("too much work"));
        assert_eq!(render(&"a".repeat(70_000), &policy), Err(TemplateError::TooLarge(70_000)));
        let deep = format!("{{{{ {} }}}}", "(".repeat(30_000));
        assert!(render(&deep, &policy).is_err());
        let long = "{% for a in contacts %}".to_owned() + &"é".repeat(700) + "{% endfor %}";
        assert_eq!(render(&long, &policy), Err(TemplateError::TooLong));
    }

    #[test]
    fn a_value_stays_in_its_line() {
        let mut policy = Policy::default();
        policy.product.name = "Mail\n- [x] Server".into();
        assert_eq!(render("# {{ product.name }}\n", &policy).unwrap(), "# Mail - [x] Server\n");
    }
}
