//! The checklist as a new incident gets it: a template with the policy's names in it.

use serde::Serialize;

use super::LONGEST_BODY;
use super::run::one_line;
use crate::domain::policy::{Policy, Product};
use crate::domain::template::{Kind, TemplateError};

/// The checklist that is used where the policy names no template.
pub const DEFAULT: &str = include_str!("../../../templates/checklist.md");

/// The template of a checklist.
const KIND: Kind = Kind {
    what: "checklist template",
    names: "product.name, product.named, product.community, product.has_community, product.security_policy, \
            product.private_reporting, contacts (each with role and reach)",
    most: LONGEST_BODY,
};

/// What a template can name.
#[derive(Serialize)]
struct Names {
    product: ProductNames,
    contacts: Vec<ContactNames>,
}

#[derive(Serialize)]
pub(in crate::domain) struct ProductNames {
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
    KIND.render(template, names(policy))
}

fn names(policy: &Policy) -> Names {
    let line = |text: &str| one_line(std::iter::once(text));
    let contacts = policy.contacts.iter();
    Names {
        product: product(policy),
        contacts: contacts.map(|one| ContactNames { role: line(&one.role), reach: line(&one.reach) }).collect(),
    }
}

/// The product as templates name it.
pub(in crate::domain) fn product(policy: &Policy) -> ProductNames {
    let line = |text: &str| one_line(std::iter::once(text));
    let product = &policy.product;
    let usual = Product::default();
    ProductNames {
        name: line(&product.name),
        named: product.name != usual.name,
        community: line(&product.community),
        has_community: product.community != usual.community,
        security_policy: product.security_policy.as_deref().map(line),
        private_reporting: product.private_reporting.as_deref().map(line),
    }
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
        assert_eq!(
            render(&"a".repeat(70_000), &policy),
            Err(TemplateError::TooLarge { what: "checklist template", bytes: 70_000 })
        );
        let deep = format!("{{{{ {} }}}}", "(".repeat(30_000));
        assert!(render(&deep, &policy).is_err());
        let long = "{% for a in contacts %}".to_owned() + &"é".repeat(700) + "{% endfor %}";
        assert_eq!(
            render(&long, &policy),
            Err(TemplateError::TooLong { what: "checklist template", most: LONGEST_BODY })
        );
    }

    #[test]
    fn a_value_stays_in_its_line() {
        let mut policy = Policy::default();
        policy.product.name = "Mail\n- [x] Server".into();
        assert_eq!(render("# {{ product.name }}\n", &policy).unwrap(), "# Mail - [x] Server\n");
    }
}
