//! What an incident's fields say for the advisory, and what they leave open.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::facts::{Credit, CreditType};
use super::ids::{Cve, Ghsa};
use super::{Question, Rating};
use crate::domain::checklist::Checklist;
use crate::domain::cvss::{Score, Severity, Vector};
use crate::domain::fence;
use crate::domain::findings::{self, Findings, filled};
use crate::domain::version::{self, Range, Version};

/// The field that holds the fixed versions.
pub(super) const PATCH: &str = "Patch/hotfix version";
/// The field that holds weaknesses.
pub(super) const CWE: &str = "CWE";
/// The field that says whom to thank.
pub(super) const CREDITS: &str = "Credits";
/// The field that says who reported it.
pub(super) const REPORTER: &str = "Reporter";
/// The key of the policy that names the packages.
pub(super) const PACKAGES: &str = "advisories.packages";

/// The order in which questions are asked: that of the checklist.
const ORDER: [&str; 9] =
    [PACKAGES, findings::SEVERITY, findings::AFFECTED, PATCH, findings::VECTOR, CWE, CREDITS, REPORTER, findings::CVE];

/// Where a field's question stands among the others.
pub(super) fn order(field: &str) -> usize {
    ORDER.iter().position(|known| *known == field).unwrap_or(ORDER.len())
}

/// What is known for the advisory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The versions affected.
    pub affected: Vec<Range>,
    /// The versions that fix it.
    pub patched: Vec<Version>,
    /// The severity that counts.
    pub severity: Option<Severity>,
    /// The score that counts.
    pub score: Option<Score>,
    /// The CVSS vector.
    pub vector: Option<Vector>,
    /// `CWE-79`, sorted.
    pub cwe_ids: Vec<String>,
    /// Accounts to thank, in the order of the fields.
    pub credits: Vec<Credit>,
    /// Names in `Credits` as they were written, for the text.
    pub thanked: Vec<String>,
    /// The CVE ID.
    pub cve: Option<Cve>,
    /// The advisory that the fields name.
    pub ghsa: Option<Ghsa>,
    /// `Root cause`.
    pub root_cause: Option<String>,
    /// `Introduced in commit/version`.
    pub introduced: Option<String>,
    /// `Workaround available`.
    pub workaround: Option<String>,
    /// `Default configuration vulnerable`.
    pub default_configuration: Option<String>,
    /// `User data potentially at risk`.
    pub data_at_risk: Option<String>,
    /// Whether evidence of exploitation was found.
    pub exploited: bool,
    /// `Fix implemented on`, a date.
    pub fixed_on: Option<String>,
    /// `Security release published`.
    pub released_at: Option<Timestamp>,
    /// When the report came in. No field says so: whoever knows sets it.
    pub reported_at: Option<Timestamp>,
    /// Fields that hold something that cannot be read: nothing is compared with them.
    pub unreadable: BTreeSet<&'static str>,
    /// What is missing or cannot be read.
    pub questions: Vec<Question>,
}

impl Known {
    /// Reads the fields. `found` is what they amount to, by [`Findings::of`].
    pub fn of(checklist: &Checklist, found: &Findings) -> Known {
        let mut known = Known {
            severity: found.severity,
            score: found.score,
            vector: found.vector.clone(),
            exploited: found.exploited,
            ..Known::default()
        };
        let value = |name: &str| filled(checklist, name).map(|field| field.value.clone());
        known.versions(value(findings::AFFECTED).as_deref(), value(PATCH).as_deref());
        known.weaknesses(value(CWE).as_deref());
        known.people(value(CREDITS).as_deref(), value(REPORTER).as_deref());
        let cve = value(findings::CVE).filter(|text| !findings::does_not_apply(text));
        known.cve = cve.as_deref().and_then(|text| findings::identifier(text).parse().ok()).or(found.cve.clone());
        let ghsa = |text: String| findings::identifier(&text).parse().ok();
        known.ghsa = findings::GHSA_FIELDS.into_iter().filter_map(value).find_map(ghsa);
        known.root_cause = value("Root cause");
        known.introduced = value("Introduced in commit/version");
        known.workaround = value("Workaround available");
        known.default_configuration = value("Default configuration vulnerable");
        known.data_at_risk = value("User data potentially at risk");
        let date = value(findings::FIX_DATE).filter(|text| text.parse::<jiff::civil::Date>().is_ok());
        known.fixed_on = date.map(|text| text.trim().to_owned());
        known.released_at = value(findings::RELEASE_TIME).and_then(|text| findings::utc_minute(&text));
        if value(findings::VECTOR).is_some() && known.vector.is_none() {
            known.unreadable.insert(findings::VECTOR);
        }
        if known.rating().is_none() {
            known.ask(findings::VECTOR, "is empty: write a CVSS vector, or at least a word in **Severity Level**");
        }
        if cve.is_some() && known.cve.is_none() {
            known.unreadable.insert(findings::CVE);
        }
        known
    }

    /// What the advisory is graded by: the vector where there is one.
    pub fn rating(&self) -> Option<Rating> {
        let severity = self.severity.filter(|severity| *severity != Severity::None);
        match &self.vector {
            Some(vector) => Some(Rating::Vector(vector.clone())),
            None => severity.map(Rating::Severity),
        }
    }

    fn ask(&mut self, field: &'static str, what: &str) {
        self.questions.push(Question { field, text: format!("**{field}** {what}.") });
    }

    fn cannot_read(&mut self, field: &'static str, value: &str, why: &str) {
        self.unreadable.insert(field);
        self.ask(field, &format!("says {}: {why}", fence::code_span(value, 120)));
    }

    fn versions(&mut self, affected: Option<&str>, patched: Option<&str>) {
        match affected {
            None => self.ask(findings::AFFECTED, "is empty: write for example `0.11.0 to 0.15.5`"),
            Some(value) => {
                for line in version::field_lines(value) {
                    match version::ranges(line) {
                        Ok(ranges) => self.affected.extend(ranges),
                        Err(why) => self.cannot_read(findings::AFFECTED, line, &why),
                    }
                }
            }
        }
        match patched.map(version::versions) {
            None => self.ask(PATCH, "is empty: without a fixed version nobody can be told what to install"),
            Some(Ok(versions)) => self.patched = versions,
            Some(Err(why)) => self.cannot_read(PATCH, patched.unwrap_or_default(), &why),
        }
    }

    fn weaknesses(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            self.ask(CWE, "is empty: name the kind of weakness, for example `CWE-79`");
            return;
        };
        let words = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let ids: BTreeSet<u32> = words
            .filter_map(|word| {
                let head = word.get(..4)?;
                let digits = word.get(4..).filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()))?;
                if head.eq_ignore_ascii_case("CWE-") { digits.parse().ok() } else { None }
            })
            .collect();
        self.cwe_ids = ids.into_iter().map(|id| format!("CWE-{id}")).collect();
        if self.cwe_ids.is_empty() {
            self.cannot_read(CWE, value, "a weakness is written as `CWE-79`");
        }
    }

    fn people(&mut self, credits: Option<&str>, reporter: Option<&str>) {
        let thanks_nobody = credits.is_some_and(|value| value.split(['\n', ',', ';']).any(is_nobody));
        let reporter = reporter.filter(|_| !thanks_nobody);
        for (field, value, usual) in
            [(CREDITS, credits, CreditType::Finder), (REPORTER, reporter, CreditType::Reporter)]
        {
            let entries = value.into_iter().flat_map(|value| value.split(['\n', ',', ';']));
            for entry in entries.map(|entry| entry.trim().trim_matches('`').trim()).filter(|entry| !entry.is_empty()) {
                if field == CREDITS {
                    self.thanked.push(entry.to_owned());
                }
                let Some((login, kind)) = account(entry, usual) else { continue };
                let there = |known: &Credit| known.login.eq_ignore_ascii_case(login);
                if !self.credits.iter().any(there) {
                    self.credits.push(Credit { login: login.to_owned(), kind });
                }
            }
        }
        if self.thanked.is_empty() && self.credits.is_empty() {
            self.ask(CREDITS, "is empty: say whom to thank, as `@login`, or `nobody`");
        }
    }
}

/// Whether an entry of `Credits` says that nobody is thanked.
pub(super) fn is_nobody(entry: &str) -> bool {
    let entry = entry.trim().trim_matches('`').trim();
    ["nobody", "none", "n/a"].iter().any(|word| entry.eq_ignore_ascii_case(word))
}

/// `@ada`, `@ada (remediation developer)`. A name without `@` is nobody that GitHub could ask.
fn account(entry: &str, usual: CreditType) -> Option<(&str, CreditType)> {
    let (head, remark) = entry.split_once('(').unwrap_or((entry, ""));
    let login = head.trim().strip_prefix('@')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let good = login.len() <= 39 && login.starts_with(|c: char| c.is_ascii_alphanumeric()) && login.chars().all(fits);
    let remark = remark.trim().trim_end_matches(')').replace('_', " ");
    let said = CreditType::ALL.into_iter().find(|kind| kind.words().eq_ignore_ascii_case(remark.trim()));
    good.then_some((login, said.unwrap_or(usual)))
}
