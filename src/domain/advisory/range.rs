//! From affected and fixed versions to the entries of an advisory: one for each maintained line and package.

use super::Question;
use super::facts::{PackageName, Vulnerability};
use super::fields::{Known, PACKAGES, PATCH};
use crate::domain::policy::Policy;
use crate::domain::version::{Bound, Range, Version};

/// A stretch of affected versions and what fixes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// `None` where nobody has said which versions are affected.
    pub(super) range: Option<Range>,
    pub(super) fix: Option<Version>,
}

/// The entries for all packages of the policy, and what cannot be said.
pub(super) fn vulnerabilities(known: &Known, policy: &Policy) -> (Vec<Vulnerability>, Vec<Question>) {
    let (lines, mut questions) = lines(known);
    let packages = &policy.advisories.packages;
    if packages.is_empty() {
        let text =
            "The policy names no package: add `advisories.packages`, so that an advisory can say what is affected.";
        questions.push(Question { field: PACKAGES, text: text.to_owned() });
    }
    let entries = packages.iter().flat_map(|package| {
        let name = PackageName { ecosystem: package.ecosystem.word().to_owned(), name: Some(package.name.clone()) };
        lines.iter().map(move |line| Vulnerability {
            package: Some(name.clone()),
            vulnerable_version_range: line.range.as_ref().map(Range::github),
            patched_versions: line.fix.as_ref().map(Version::to_string),
            vulnerable_functions: Vec::new(),
        })
    });
    (entries.collect(), questions)
}

/// The maintained lines: each range with the version that fixes it. A range that spans several fixed versions is parted
/// where a new line begins; one without an end ends at its last fixed version.
pub(super) fn lines(known: &Known) -> (Vec<Line>, Vec<Question>) {
    let mut patched = known.patched.clone();
    patched.sort();
    let mut lines: Vec<Line> = Vec::new();
    let mut questions = Vec::new();
    if known.affected.is_empty() {
        return (vec![Line { range: None, fix: patched.pop() }], questions);
    }
    for range in &known.affected {
        match part(range, &patched) {
            Ok(parts) => lines.extend(parts),
            Err(inside) => {
                let text = format!(
                    "**{PATCH}** says `{inside}`, which lies in the affected versions `{}`: a fixed version is not affected.",
                    range.github()
                );
                questions.push(Question { field: PATCH, text });
                lines.push(Line { range: Some(range.clone()), fix: patched.last().cloned() });
            }
        }
    }
    (lines, questions)
}

/// Parts one range. The error is a fixed version that lies in it and begins no line of its own.
fn part(range: &Range, patched: &[Version]) -> Result<Vec<Line>, Version> {
    let after = || patched.iter().find(|version| range.is_before(version)).cloned();
    let inside: Vec<&Version> = patched.iter().filter(|version| range.contains(version)).collect();
    if inside.is_empty() {
        return Ok(vec![Line { range: Some(range.clone()), fix: after() }]);
    }
    let mut parts = Vec::new();
    let mut lowest = range.lowest.clone();
    for (index, fix) in inside.iter().enumerate() {
        let stretch =
            Range { lowest: lowest.clone(), highest: Some(Bound { version: (*fix).clone(), included: false }) };
        if stretch.is_empty() {
            return Err((*fix).clone());
        }
        parts.push(Line { range: Some(stretch), fix: Some((*fix).clone()) });
        let next = inside.get(index + 1).map(|version| (*version).clone()).or_else(after);
        let Some(next) = next else {
            // Behind the last fix nothing is affected, unless someone said so.
            return if range.is_endless() { Ok(parts) } else { Err((*fix).clone()) };
        };
        let begins = next.line_from(fix).ok_or_else(|| (*fix).clone())?;
        lowest = Some(Bound { version: begins, included: true });
    }
    let rest = Range { lowest, highest: range.highest.clone() };
    if !rest.is_empty() {
        parts.push(Line { range: Some(rest), fix: after() });
    }
    Ok(parts)
}
