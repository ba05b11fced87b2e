//! The advisory's public text, from a template. Everything that a person wrote into a field is escaped: in the text it
//! mentions nobody, links nowhere and forges no marker of ours.
//!
//! What nobody has said yet stands there as `<< … >>`, in the checklist's own manner, and [`super::lint`] finds it again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::fields::{Known, is_nobody};
use super::{SERVER, page, range};
use crate::domain::checklist::template::{ProductNames, product};
use crate::domain::fence;
use crate::domain::policy::Policy;
use crate::domain::template::{Kind, TemplateError};
use crate::domain::texts::shorten;

/// The text that is used where the policy names no template.
pub const DEFAULT: &str = include_str!("../../../templates/advisory.md");

/// GitHub's limit of a description (REST API, "Create a repository security advisory").
pub const LONGEST_DESCRIPTION: usize = 65_535;

/// GitHub's limit of a summary.
pub const LONGEST_SUMMARY: usize = 1024;

/// At most so many characters of one field go into the text.
const LONGEST_VALUE: usize = 4000;

/// What may stand in a tag's address as it is.
const TAG: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

const KIND: Kind = Kind {
    what: "advisory template",
    names: "product (name, named, community, has_community, security_policy, private_reporting), advisory (cve, ghsa, \
            page, severity, score, vector, cvss_version, prerequisites, root_cause, introduced, workaround, \
            no_workaround, default_configuration, data_at_risk, exploited), affected (each with package, versions and \
            fixed), fixes, metrics and weaknesses (each with name and value or number), timeline (each with when and \
            what), thanks, releases (each with name and page)",
    most: LONGEST_DESCRIPTION,
};

/// What a template can name.
#[derive(Serialize)]
struct Names {
    product: ProductNames,
    advisory: AdvisoryNames,
    affected: Vec<Affected>,
    fixes: String,
    metrics: Vec<Metric>,
    weaknesses: Vec<Weakness>,
    timeline: Vec<Moment>,
    thanks: Vec<String>,
    releases: Vec<ReleaseName>,
}

#[derive(Serialize)]
struct AdvisoryNames {
    cve: Option<String>,
    ghsa: Option<String>,
    page: Option<String>,
    severity: Option<String>,
    score: Option<String>,
    vector: Option<String>,
    cvss_version: Option<String>,
    prerequisites: Option<String>,
    root_cause: Option<String>,
    introduced: Option<String>,
    workaround: Option<String>,
    no_workaround: bool,
    default_configuration: Option<String>,
    data_at_risk: Option<String>,
    exploited: bool,
}

#[derive(Serialize)]
struct Affected {
    package: String,
    versions: Option<String>,
    fixed: Option<String>,
}

#[derive(Serialize)]
struct Metric {
    name: &'static str,
    value: &'static str,
}

#[derive(Serialize)]
struct Weakness {
    name: String,
    number: String,
}

#[derive(Serialize)]
struct Moment {
    when: String,
    what: &'static str,
}

#[derive(Serialize)]
struct ReleaseName {
    name: String,
    page: String,
}

/// The first title: who is concerned, and a place for the sentence that only a person can write.
pub fn summary(policy: &Policy) -> String {
    let name = policy.product.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let ask = "<< what an attacker can do, in one sentence >>";
    format!("{}: {ask}", shorten(&name, LONGEST_SUMMARY - ask.chars().count() - 2))
}

/// The text as far as it goes.
///
/// # Errors
/// If the template cannot be rendered, or what it makes is longer than GitHub takes.
pub fn description(known: &Known, policy: &Policy, template: &str) -> Result<String, TemplateError> {
    KIND.render(template, names(known, policy))
}

/// Text of a field, made harmless.
fn said(value: Option<&String>) -> Option<String> {
    value.map(|value| fence::plain(&shorten(value, LONGEST_VALUE)))
}

/// The workaround without the `Yes` that the field asks for, and whether the field says `No`.
fn workaround(value: &str) -> (Option<String>, bool) {
    let end = value.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (word, rest) = value.split_at(end);
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | ':' | ',' | '.')).trim();
    match word.to_ascii_lowercase().as_str() {
        "yes" => (Some(rest.to_owned()).filter(|rest| !rest.is_empty()), false),
        "no" | "none" => (None, true),
        _ => (Some(value.trim().to_owned()).filter(|text| !text.is_empty()), false),
    }
}

fn names(known: &Known, policy: &Policy) -> Names {
    let vector = known.vector.as_ref();
    let severity = vector.map(|vector| vector.severity()).or(known.severity);
    let repo = policy.advisories.repository.as_ref();
    let (workaround, no_workaround) = workaround(known.workaround.as_deref().unwrap_or_default());
    Names {
        product: product(policy),
        advisory: AdvisoryNames {
            cve: known.cve.as_ref().map(ToString::to_string),
            ghsa: known.ghsa.as_ref().map(ToString::to_string),
            page: repo.zip(known.ghsa.as_ref()).map(|(repo, id)| page(repo, id)),
            severity: severity.map(|severity| severity.title().to_owned()),
            score: vector.map(|vector| vector.score()).or(known.score).map(|score| score.to_string()),
            vector: vector.map(ToString::to_string),
            cvss_version: vector.map(|vector| vector.version().to_owned()),
            prerequisites: vector.map(|vector| vector.prerequisites()),
            root_cause: said(known.root_cause.as_ref()),
            introduced: said(known.introduced.as_ref()),
            workaround: said(workaround.as_ref()),
            no_workaround: no_workaround && workaround.is_none(),
            default_configuration: said(known.default_configuration.as_ref()),
            data_at_risk: said(known.data_at_risk.as_ref()),
            exploited: known.exploited,
        },
        affected: affected(known, policy),
        fixes: known.patched.iter().map(|version| format!("`{version}`")).collect::<Vec<_>>().join(" or "),
        metrics: vector.map(|vector| vector.base_metrics()).unwrap_or_default().into_iter().map(metric).collect(),
        weaknesses: known.cwe_ids.iter().map(|id| weakness(id)).collect(),
        timeline: timeline(known),
        thanks: thanks(known),
        releases: releases(known, policy),
    }
}

fn affected(known: &Known, policy: &Policy) -> Vec<Affected> {
    let (lines, _) = range::lines(known);
    let packages = policy.advisories.packages.iter();
    let cell = |text: &str| fence::table_cell(&fence::code_span(text, 200));
    packages
        .flat_map(|package| {
            let name = cell(&package.name);
            lines.iter().map(move |line| Affected {
                package: name.clone(),
                versions: line.range.as_ref().map(|range| cell(&range.github())),
                fixed: line.fix.as_ref().map(|version| cell(&version.to_string())),
            })
        })
        .collect()
}

fn metric((name, value): (&'static str, &'static str)) -> Metric {
    Metric { name, value }
}

fn weakness(id: &str) -> Weakness {
    Weakness { name: id.to_owned(), number: id.trim_start_matches("CWE-").to_owned() }
}

fn timeline(known: &Known) -> Vec<Moment> {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let moments = [
        (known.reported_at.map(day), "reported to us"),
        (known.fixed_on.clone(), "fixed"),
        (known.released_at.map(day), "fixed versions released"),
    ];
    moments.into_iter().filter_map(|(when, what)| Some(Moment { when: when?, what })).collect()
}

/// The reporter is thanked by GitHub's own credits, which they can refuse; the text names only whom the team named.
fn thanks(known: &Known) -> Vec<String> {
    known
        .thanked
        .iter()
        .filter(|name| !is_nobody(name))
        .map(|name| fence::code_span(name.trim_start_matches('@'), 100))
        .collect()
}

fn releases(known: &Known, policy: &Policy) -> Vec<ReleaseName> {
    let Some(repo) = policy.release_repository() else { return Vec::new() };
    let link = |tag: &str| format!("{SERVER}/{repo}/releases/tag/{}", utf8_percent_encode(tag, TAG));
    let names = known.patched.iter().map(|version| (version, policy.releases.tag_of(version)));
    names.map(|(version, tag)| ReleaseName { name: version.to_string(), page: link(&tag) }).collect()
}

#[cfg(test)]
mod tests {
    use super::workaround;

    #[test]
    fn the_answer_to_yes_or_no_is_left_out_of_the_workaround() {
        assert_eq!(workaround("Yes - switch the import off"), (Some("switch the import off".to_owned()), false));
        assert_eq!(workaround("yes"), (None, false));
        assert_eq!(workaround("No."), (None, true));
        assert_eq!(workaround("Nobody should import"), (Some("Nobody should import".to_owned()), false));
    }
}
