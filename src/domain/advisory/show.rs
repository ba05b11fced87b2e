//! What of an advisory is shown in the tracking issue: proposals from a private report, credits, and a draft to paste.

use std::fmt::Write as _;

use super::drift::{Part, from_advisory, rows};
use super::facts::{Advisory, Vulnerability};
use super::fields::Known;
use super::{Rating, Wanted};
use crate::domain::checklist::Checklist;
use crate::domain::fence;
use crate::domain::findings::filled;

/// Fields that are empty and that a private report has a value for: field and value. A reporter often guesses, so they
/// are proposals; whoever fills them in decides.
pub fn proposals(report: &Advisory, checklist: &Checklist) -> Vec<(&'static str, String)> {
    let nothing = Wanted {
        summary: String::new(),
        description: String::new(),
        vulnerabilities: Vec::new(),
        rating: None,
        cwe_ids: Vec::new(),
        credits: Vec::new(),
        cve: None,
    };
    let all = from_advisory(&Part::ALL, &rows(&nothing, &Known::default(), report), checklist);
    all.into_iter().filter(|(field, _)| filled(checklist, field).is_none()).collect()
}

/// Proposals as a table.
pub fn table_of(proposals: &[(&'static str, String)]) -> String {
    let mut table = "| Field | The report says |\n|---|---|\n".to_owned();
    for (field, value) in proposals {
        let _ = writeln!(table, "| {field} | {} |", fence::table_cell(&fence::code_span(value, 200)));
    }
    table
}

/// Each credit and whether it was accepted, a line each; only accepted ones are public.
pub fn credits(advisory: &Advisory) -> Vec<String> {
    let line = |login: &str, kind: &str, state: &str| format!("{} ({kind}): {state}", fence::login(login));
    let detailed = advisory.credits_detailed.iter().map(|credit| {
        let login = credit.user.as_ref().map_or("a deleted account", |user| user.login.as_str());
        let state = match credit.state.as_str() {
            "accepted" => "accepted",
            "declined" => "declined",
            "pending" => "offered, no answer yet",
            _ => "not known",
        };
        line(login, credit.kind.words(), state)
    });
    let detailed: Vec<String> = detailed.collect();
    if !detailed.is_empty() {
        return detailed;
    }
    advisory.credits.iter().map(|credit| line(&credit.login, credit.kind.words(), "offered")).collect()
}

/// Bytes of the text that a comment has room for, beside the form's fields and the words around them. A character has at
/// least one byte, and a comment at most 65,536 characters.
const ROOM: usize = 56 * 1024;

/// A draft for pasting into GitHub's form, where Wardroom may not make it itself: the form's fields, and the text as a
/// block of its own. A text that is longer than a comment is cut, which is said.
pub fn to_paste(wanted: &Wanted) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "- **{name}**: {}", fence::code_span(value, 1024));
    };
    field("Title", &wanted.summary);
    for one in &wanted.vulnerabilities {
        field("Affected product", &product(one));
    }
    match &wanted.rating {
        Some(Rating::Vector(vector)) => field("CVSS vector", &vector.to_string()),
        Some(Rating::Severity(severity)) => field("Severity", severity.title()),
        None => {}
    }
    if !wanted.cwe_ids.is_empty() {
        field("CWE", &wanted.cwe_ids.join(", "));
    }
    for credit in &wanted.credits {
        field("Credit", &format!("{} ({})", credit.login, credit.kind.words()));
    }
    if let Some(cve) = &wanted.cve {
        field("CVE ID", &cve.to_string());
    }
    let fenced = fence::fence(&wanted.description, ROOM);
    let _ = write!(text, "\nDescription:\n\n{}{}", fenced.block, fenced.notes("The template, filled in by hand,"));
    text
}

/// The same for an advisory as a person left it.
pub fn as_it_stands(advisory: &Advisory) -> String {
    let rating = advisory.vector().map(Rating::Vector).or_else(|| advisory.severity().map(Rating::Severity));
    to_paste(&Wanted {
        summary: advisory.summary.clone(),
        description: advisory.text().to_owned(),
        vulnerabilities: advisory.vulnerabilities.clone(),
        rating,
        cwe_ids: advisory.cwe_ids.clone(),
        credits: advisory.credits.clone(),
        cve: advisory.cve(),
    })
}

fn product(one: &Vulnerability) -> String {
    let package = one.package.as_ref();
    let name = package.and_then(|package| package.name.as_deref()).unwrap_or("?");
    let ecosystem = package.map_or("?", |package| package.ecosystem.as_str());
    let range = one.vulnerable_version_range.as_deref().unwrap_or("?");
    format!("{ecosystem} {name}, affected {range}, patched {}", one.patched_versions.as_deref().unwrap_or("?"))
}
