//! Where the fields and the advisory say different things. Nothing is overwritten silently: each difference is a row of a
//! table, and a command says which side is right. The title and the text have no field: whoever writes them in the
//! advisory is right.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::str::FromStr;

use super::facts::{Advisory, Credit, CreditType, PackageName, Vulnerability};
use super::fields::{self, Known};
use super::request::AdvisoryPatch;
use super::{Rating, Wanted};
use crate::domain::checklist::Checklist;
use crate::domain::{fence, findings, version};

/// A part of an advisory that a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The severity's word.
    Severity,
    /// The affected versions.
    Affected,
    /// The fixed versions.
    Patched,
    /// The CVSS vector.
    Vector,
    /// The weaknesses.
    Cwe,
    /// Who is thanked.
    Credits,
    /// The CVE ID.
    Cve,
    /// The packages of the policy.
    Packages,
}

impl Part {
    /// All parts, in the order of the checklist.
    pub const ALL: [Part; 8] = [
        Part::Severity,
        Part::Affected,
        Part::Patched,
        Part::Vector,
        Part::Cwe,
        Part::Credits,
        Part::Cve,
        Part::Packages,
    ];

    /// The checklist's field, or the policy's key.
    pub fn field(self) -> &'static str {
        match self {
            Part::Severity => findings::SEVERITY,
            Part::Affected => findings::AFFECTED,
            Part::Patched => fields::PATCH,
            Part::Vector => findings::VECTOR,
            Part::Cwe => fields::CWE,
            Part::Credits => fields::CREDITS,
            Part::Cve => findings::CVE,
            Part::Packages => fields::PACKAGES,
        }
    }

    /// The word that a command names it by.
    pub fn word(self) -> &'static str {
        match self {
            Part::Severity => "severity",
            Part::Affected => "affected",
            Part::Patched => "patched",
            Part::Vector => "vector",
            Part::Cwe => "cwe",
            Part::Credits => "credits",
            Part::Cve => "cve",
            Part::Packages => "packages",
        }
    }
}

/// The text names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no part of an advisory: write severity, affected, patched, vector, cwe, credits, cve or packages")]
pub struct BadPart(pub String);

impl FromStr for Part {
    type Err = BadPart;

    /// Reads the word or the field's name, without regard to case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().trim_matches('`');
        let fits = |part: &Part| part.word().eq_ignore_ascii_case(text) || part.field().eq_ignore_ascii_case(text);
        Part::ALL.into_iter().find(fits).ok_or_else(|| BadPart(text.chars().take(60).collect()))
    }
}

/// One difference. A side that says nothing is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What differs.
    pub part: Part,
    /// What the issue's fields (or the policy) say.
    pub issue: Option<String>,
    /// What the advisory says.
    pub advisory: Option<String>,
}

/// The differences, in the order of the checklist. A field that cannot be read is not compared: it is asked about.
pub fn rows(wanted: &Wanted, known: &Known, advisory: &Advisory) -> Vec<Row> {
    let mut rows = Vec::new();
    for part in Part::ALL {
        let (issue, other) = (of_issue(part, wanted, known), of_advisory(part, wanted, advisory));
        if issue != other && !known.unreadable.contains(part.field()) {
            rows.push(Row { part, issue, advisory: other });
        }
    }
    // The same ranges and the same fixes can still be paired differently.
    let pairs = |all: &[Vulnerability]| all.iter().map(pair).collect::<BTreeSet<_>>();
    let versions = |row: &Row| matches!(row.part, Part::Affected | Part::Patched | Part::Packages);
    let readable = !known.unreadable.contains(findings::AFFECTED) && !known.unreadable.contains(fields::PATCH);
    let (ours, theirs) = (pairs(&wanted.vulnerabilities), pairs(&advisory.vulnerabilities));
    if readable && !wanted.vulnerabilities.is_empty() && ours != theirs && !rows.iter().any(versions) {
        let shown = |pairs: &BTreeSet<(String, String, String)>| {
            let lines = pairs.iter().map(|(package, range, fix)| format!("{package} {range}: {fix}"));
            Some(lines.collect::<Vec<_>>().join("; "))
        };
        let row = Row { part: Part::Patched, issue: shown(&ours), advisory: shown(&theirs) };
        rows.insert(rows.partition_point(|known| known.part < Part::Patched), row);
    }
    rows
}

/// A part as the issue says it.
fn of_issue(part: Part, wanted: &Wanted, known: &Known) -> Option<String> {
    match part {
        Part::Severity => match &wanted.rating {
            Some(Rating::Severity(severity)) => Some(severity.title().to_owned()),
            _ => None,
        },
        Part::Vector => match &wanted.rating {
            Some(Rating::Vector(vector)) => Some(vector.to_string()),
            _ => None,
        },
        // Without a package the advisory can hold no versions: then the fields themselves are compared.
        Part::Affected if wanted.vulnerabilities.is_empty() => list(known.affected.iter().map(version::Range::github)),
        Part::Affected => ranges_of(&wanted.vulnerabilities),
        Part::Patched if wanted.vulnerabilities.is_empty() => list(known.patched.iter().map(ToString::to_string)),
        Part::Patched => patched_of(&wanted.vulnerabilities),
        Part::Cwe => list(wanted.cwe_ids.iter().cloned()),
        Part::Credits => list(wanted.credits.iter().map(credit)),
        Part::Cve => wanted.cve.as_ref().map(ToString::to_string),
        Part::Packages => packages_of(&wanted.vulnerabilities),
    }
}

/// A part as the advisory says it.
fn of_advisory(part: Part, wanted: &Wanted, advisory: &Advisory) -> Option<String> {
    let vector = advisory.vector();
    match part {
        // With a vector GitHub computes the word.
        Part::Severity if vector.is_some() || matches!(wanted.rating, Some(Rating::Vector(_))) => None,
        Part::Severity => advisory.severity().map(|severity| severity.title().to_owned()),
        Part::Vector => vector.map(|vector| vector.to_string()),
        Part::Affected => ranges_of(&advisory.vulnerabilities),
        Part::Patched => patched_of(&advisory.vulnerabilities),
        Part::Cwe => list(advisory.cwe_ids.iter().map(|id| id.to_ascii_uppercase())),
        Part::Credits => list(advisory.credits.iter().map(credit)),
        Part::Cve => advisory.cve().map(|cve| cve.to_string()),
        // A policy that names no package has no opinion.
        Part::Packages if wanted.vulnerabilities.is_empty() => None,
        Part::Packages => packages_of(&advisory.vulnerabilities),
    }
}

fn patched_of(all: &[Vulnerability]) -> Option<String> {
    let texts = all.iter().filter_map(|one| one.patched_versions.as_deref());
    list(texts.flat_map(|text| version::versions(text).map_or_else(|_| vec![text.trim().to_owned()], shown)))
}

fn shown(versions: Vec<version::Version>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

/// Sorted, without doubles, parted by semicolons; `None` if there is nothing.
fn list(all: impl Iterator<Item = String>) -> Option<String> {
    let all: BTreeSet<String> = all.filter(|text| !text.is_empty()).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join("; "))
}

fn ranges_of(all: &[Vulnerability]) -> Option<String> {
    list(all.iter().filter_map(|one| one.vulnerable_version_range.as_deref()).map(canonical))
}

/// A range in one spelling; one that cannot be read as it stands.
fn canonical(text: &str) -> String {
    match version::ranges(text) {
        Ok(ranges) if !ranges.is_empty() => ranges.iter().map(version::Range::github).collect::<Vec<_>>().join(", "),
        _ => text.trim().to_owned(),
    }
}

fn package(name: Option<&PackageName>) -> String {
    name.map_or_else(String::new, |name| format!("{} {}", name.ecosystem, name.name.as_deref().unwrap_or("(no name)")))
}

fn packages_of(all: &[Vulnerability]) -> Option<String> {
    list(all.iter().map(|one| package(one.package.as_ref())))
}

fn pair(one: &Vulnerability) -> (String, String, String) {
    let range = one.vulnerable_version_range.as_deref().map(canonical).unwrap_or_default();
    let fix = one.patched_versions.as_deref().unwrap_or_default();
    let fix = version::versions(fix).map_or_else(|_| fix.trim().to_owned(), |all| shown(all).join(", "));
    (package(one.package.as_ref()), range, fix)
}

fn credit(credit: &Credit) -> String {
    let login = credit.login.to_ascii_lowercase();
    match credit.kind {
        CreditType::Finder => format!("@{login}"),
        kind => format!("@{login} ({})", kind.words()),
    }
}

/// The table for the status comment. `who` says who changed a part last, where that is known.
pub fn table(rows: &[&Row], who: impl Fn(&Row) -> Option<String>) -> String {
    let mut table = "| Field | The issue says | The advisory says | Changed last |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let cell = |side: &Option<String>| {
            side.as_deref().map_or_else(|| "–".to_owned(), |text| fence::table_cell(&fence::code_span(text, 200)))
        };
        let last = who(row).map_or_else(|| "–".to_owned(), |text| fence::table_cell(&text));
        let _ = writeln!(table, "| {} | {} | {} | {last} |", row.part.field(), cell(&row.issue), cell(&row.advisory));
    }
    table
}

/// The change that makes the advisory say what the issue says in these parts. A part that the issue says nothing about
/// is left alone: an empty field is no order to delete. Packages that only the advisory has stay in it.
pub fn to_advisory(parts: &[Part], wanted: &Wanted, advisory: &Advisory) -> AdvisoryPatch {
    let mut patch = AdvisoryPatch::default();
    let named = |part: Part| parts.contains(&part);
    if let Some(rating) = wanted.rating.as_ref().filter(|_| named(Part::Severity) || named(Part::Vector)) {
        patch.rate(rating);
    }
    let versions = named(Part::Affected) || named(Part::Patched) || named(Part::Packages);
    if versions && !wanted.vulnerabilities.is_empty() {
        patch.vulnerabilities = Some(merge(&wanted.vulnerabilities, &advisory.vulnerabilities));
    }
    if named(Part::Cwe) && !wanted.cwe_ids.is_empty() {
        patch.cwe_ids = Some(wanted.cwe_ids.clone());
    }
    if named(Part::Credits) && !wanted.credits.is_empty() {
        patch.credits = Some(wanted.credits.clone());
    }
    if let Some(cve) = wanted.cve.as_ref().filter(|_| named(Part::Cve)) {
        patch.cve_id = Some(Some(cve.clone()));
    }
    patch
}

/// The wanted entries, with what only the advisory has: functions that a person named, ranges and fixes that no field
/// gives, other packages.
fn merge(wanted: &[Vulnerability], there: &[Vulnerability]) -> Vec<Vulnerability> {
    let of = |one: &Vulnerability| package(one.package.as_ref()).to_lowercase();
    let mut all: Vec<Vulnerability> = Vec::new();
    for one in wanted {
        let name = of(one);
        let same: Vec<&Vulnerability> = there.iter().filter(|known| of(known) == name).collect();
        if one.vulnerable_version_range.is_none() && !same.is_empty() {
            all.extend(same.into_iter().cloned());
            continue;
        }
        let mut one = one.clone();
        let functions: BTreeSet<&String> = same.iter().flat_map(|known| &known.vulnerable_functions).collect();
        one.vulnerable_functions = functions.into_iter().cloned().collect();
        if one.patched_versions.is_none() {
            let twin = same.iter().find(|known| pair(known).1 == pair(&one).1);
            one.patched_versions = twin.and_then(|known| known.patched_versions.clone());
        }
        all.push(one);
    }
    let ours: BTreeSet<String> = wanted.iter().map(of).collect();
    all.extend(there.iter().filter(|one| !ours.contains(&of(one))).cloned());
    all
}

/// The values that make the issue say what the advisory says: field and value. A part that the advisory says nothing
/// about, or that no field of this checklist holds, is left alone.
pub fn from_advisory(parts: &[Part], rows: &[Row], checklist: &Checklist) -> Vec<(&'static str, String)> {
    let chosen = rows.iter().filter(|row| parts.contains(&row.part) && row.part != Part::Packages);
    chosen
        .filter(|row| checklist.field(row.part.field()).is_some())
        .filter_map(|row| Some((row.part.field(), row.advisory.clone()?)))
        // A row about pairs of ranges and fixes says more than a field can hold.
        .filter(|(field, value)| *field != fields::PATCH || version::versions(value).is_ok())
        .collect()
}
