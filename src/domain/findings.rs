//! What the fields say together: the severity that counts, fields that follow from others, and contradictions.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::advisory::{Cve, Ghsa};
use super::checklist::{Checklist, Field};
use super::cvss::{CvssError, Score, Severity, Vector};
use super::decisions::Decisions;
use super::fence;
use super::version;

/// The field that holds the severity's word.
pub const SEVERITY: &str = "Severity Level";
/// The field that holds the base score.
pub const SCORE: &str = "CVSS Score";
/// The field that holds the CVSS vector, in the section Wardroom adds.
pub const VECTOR: &str = "CVSS vector";
pub(super) const AFFECTED: &str = "Affects versions";
pub(super) const FIX_DATE: &str = "Fix implemented on";
pub(super) const RELEASE_TIME: &str = "Security release published";
pub(super) const EXPLOITATION: &str = "Evidence of exploitation";
pub(super) const CVE: &str = "CVE ID";
pub(super) const GHSA_FIELDS: [&str; 2] = ["GitHub Security Advisory ID", "GitHub Security Advisory"];

/// What the fields amount to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The severity that the label shows.
    pub severity: Option<Severity>,
    /// The score that goes with it.
    pub score: Option<Score>,
    /// The vector, where one can be read.
    pub vector: Option<Vector>,
    /// The CVE ID by command, where no field of this checklist can hold it.
    pub cve: Option<Cve>,
    /// Whether evidence of exploitation was found.
    pub exploited: bool,
    /// Fields that follow from others, with their value: placeholders that may be filled.
    pub derived: Vec<(&'static str, String)>,
    /// What does not fit together, as lines for a person.
    pub contradictions: Vec<String>,
}

/// A field's value, unless it is a placeholder or missing.
pub(super) fn filled<'a>(checklist: &'a Checklist, name: &str) -> Option<&'a Field> {
    checklist.field(name).filter(|field| !field.empty)
}

impl Findings {
    /// Reads the fields. A field that a person filled wins over a command; a command fills what is empty. `own`: keys of
    /// the fields that hold what Wardroom wrote there, untouched since; it may bring them up to date.
    pub fn of(checklist: &Checklist, decisions: &Decisions<'_>, own: &BTreeSet<String>) -> Findings {
        let mut found = Findings::default();
        let vector = found.vector(checklist, decisions, own);
        let score = found.score(checklist, vector.as_ref(), own);
        found.severity(checklist, decisions, vector.as_ref(), score, own);
        found.vector = vector;
        found.dates(checklist);
        found.identifiers(checklist);
        found.cve(checklist, decisions, own);
        if let Some(field) = filled(checklist, AFFECTED) {
            for line in version::field_lines(&field.value) {
                if let Err(why) = version::check_range(line) {
                    found.say(AFFECTED, line, &why);
                }
            }
        }
        if let Some(field) = filled(checklist, EXPLOITATION) {
            match says_found(&field.value) {
                Some(is_found) => found.exploited = is_found,
                None => found.say(EXPLOITATION, &field.value, "write `Found`, `Not found` or `Unknown`"),
            }
        }
        found
    }

    fn say(&mut self, name: &str, value: &str, why: &str) {
        self.contradictions.push(format!("**{name}** says {}: {why}", fence::code_span(value, 120)));
    }

    fn vector(&mut self, checklist: &Checklist, decisions: &Decisions<'_>, own: &BTreeSet<String>) -> Option<Vector> {
        let commanded = decisions.vector.and_then(|vector| Vector::parse(vector).ok());
        let outdated = |field: &&Field| {
            let differs = |vector: &Vector| Vector::parse(&field.value).as_ref() != Ok(vector);
            own.contains(field.key()) && commanded.as_ref().is_some_and(differs)
        };
        if let Some(field) = filled(checklist, VECTOR).filter(|field| !outdated(field)) {
            return match Vector::parse(&field.value) {
                Ok(vector) => Some(vector),
                Err(error) => {
                    // The error repeats what was written, which this line shows already.
                    let why = match error {
                        CvssError::NoPrefix(_) => "it must begin with CVSS:3.1/ or CVSS:4.0/".to_owned(),
                        other => fence::plain(&other.to_string()),
                    };
                    self.say(VECTOR, &field.value, &why);
                    None
                }
            };
        }
        // A vector by command fills the empty field; where there is no such field the command itself holds.
        let vector = commanded?;
        match checklist.field(VECTOR) {
            Some(_) => {
                self.derived.push((VECTOR, vector.to_string()));
                None
            }
            None => Some(vector),
        }
    }

    fn score(&mut self, checklist: &Checklist, vector: Option<&Vector>, own: &BTreeSet<String>) -> Option<Score> {
        let computed = vector.map(Vector::score);
        let Some(field) = filled(checklist, SCORE) else {
            if let Some(score) = computed
                && checklist.field(SCORE).is_some()
            {
                self.derived.push((SCORE, score.to_string()));
            }
            return computed;
        };
        // `9.8 (Critical)` and `9.8/10` say the score too.
        let number = field.value.split(['(', '/']).next().unwrap_or_default().trim();
        let said: Score = match number.parse() {
            Ok(score) => score,
            Err(_) => {
                self.say(SCORE, &field.value, "write a score from 0.0 to 10.0, for example `7.5`");
                return computed;
            }
        };
        if let Some(score) = computed.filter(|score| *score != said) {
            if own.contains(field.key()) {
                self.derived.push((SCORE, score.to_string()));
                return computed;
            }
            self.say(SCORE, &field.value, &format!("the vector gives {score}"));
        }
        Some(said)
    }

    fn severity(
        &mut self,
        checklist: &Checklist,
        decisions: &Decisions<'_>,
        vector: Option<&Vector>,
        score: Option<Score>,
        own: &BTreeSet<String>,
    ) {
        let computed = score.map(Score::severity).or_else(|| vector.map(Vector::severity));
        self.score = score;
        let Some(field) = filled(checklist, SEVERITY) else {
            let exists = checklist.field(SEVERITY).is_some();
            let wanted = decisions.severity.or(computed);
            if let Some(level) = wanted.filter(|level| exists && *level != Severity::None) {
                self.derived.push((SEVERITY, level.title().to_owned()));
            }
            // An empty field with a computed severity shows that one at once; a command waits until it is written
            // there, so that a person who empties the field again is not overruled.
            self.severity = if exists { computed } else { wanted };
            return;
        };
        match field.value.parse::<Severity>() {
            Ok(said) => {
                let wanted = decisions.severity.or(computed).filter(|level| *level != Severity::None);
                if let Some(level) = wanted.filter(|level| *level != said && own.contains(field.key())) {
                    self.derived.push((SEVERITY, level.title().to_owned()));
                    self.severity = Some(said);
                    return;
                }
                if let Some(level) = computed.filter(|level| *level != said) {
                    let from = score.map_or_else(|| "the vector".to_owned(), |score| format!("a score of {score}"));
                    self.say(SEVERITY, &field.value, &format!("{from} is {}", level.title()));
                }
                self.severity = Some(said);
            }
            Err(_) => {
                self.say(SEVERITY, &field.value, "write `Critical`, `High`, `Medium` or `Low`");
                self.severity = computed;
            }
        }
    }

    fn dates(&mut self, checklist: &Checklist) {
        if let Some(field) = filled(checklist, FIX_DATE)
            && !does_not_apply(&field.value)
            && field.value.parse::<Date>().is_err()
        {
            self.say(FIX_DATE, &field.value, "write a date as `YYYY-MM-DD`, for example `2026-03-02`");
        }
        if let Some(field) = filled(checklist, RELEASE_TIME)
            && !does_not_apply(&field.value)
            && utc_minute(&field.value).is_none()
        {
            self.say(
                RELEASE_TIME,
                &field.value,
                "write a time as `YYYY-MM-DD HH:MM UTC`, for example `2026-03-02 14:00 UTC`",
            );
        }
    }

    /// A CVE ID by command fills the empty field, and takes the place of an earlier one by command.
    fn cve(&mut self, checklist: &Checklist, decisions: &Decisions<'_>, own: &BTreeSet<String>) {
        let Some((cve, _)) = decisions.cve else { return };
        match checklist.field(CVE) {
            None => self.cve = Some(cve.clone()),
            Some(field) if field.empty || (own.contains(field.key()) && field.value != cve.to_string()) => {
                self.derived.push((CVE, cve.to_string()));
            }
            Some(_) => {}
        }
    }

    fn identifiers(&mut self, checklist: &Checklist) {
        if let Some(field) = filled(checklist, CVE)
            && !does_not_apply(&field.value)
            && identifier(&field.value).parse::<Cve>().is_err()
        {
            self.say(CVE, &field.value, "a CVE ID looks like `CVE-2026-12345`");
        }
        let mut ids: Vec<&Field> = Vec::new();
        for name in GHSA_FIELDS {
            let Some(field) = filled(checklist, name).filter(|field| !does_not_apply(&field.value)) else { continue };
            if identifier(&field.value).parse::<Ghsa>().is_ok() {
                ids.push(field);
            } else {
                self.say(name, &field.value, "an advisory's id looks like `GHSA-2c3f-4gh5-6jm7`");
            }
        }
        if let [first, second] = ids[..]
            && !identifier(&first.value).eq_ignore_ascii_case(identifier(&second.value))
        {
            let said = fence::code_span(identifier(&first.value), 40);
            self.say(GHSA_FIELDS[1], &second.value, &format!("**{}** says {said}", GHSA_FIELDS[0]));
        }
    }
}

/// Whether a value says that exploitation was found; `None` if it says neither that nor the contrary.
fn says_found(value: &str) -> Option<bool> {
    let lower = value.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric() && c != '/').filter(|word| !word.is_empty());
    match (words.next()?, words.next()) {
        ("found", Some("nothing" | "none" | "no")) => Some(false),
        ("found" | "yes" | "confirmed", _) => Some(true),
        ("not" | "no" | "none" | "nothing" | "unknown" | "unclear" | "n/a", _) => Some(false),
        _ => None,
    }
}

/// Whether a value says that there is nothing to say here.
pub(super) fn does_not_apply(value: &str) -> bool {
    let word = value.trim().trim_matches('`').to_lowercase();
    ["n/a", "none", "not applicable", "no", "-", "\u{2013}", "\u{2014}"].contains(&word.as_str())
}

/// The identifier in a value: the value itself, or what a link shows or leads to.
pub(super) fn identifier(value: &str) -> &str {
    let value = value.trim();
    let shown = value.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(value, |(shown, _)| shown);
    let last = if shown.starts_with("https://") { shown.trim_end_matches('/').rsplit('/').next() } else { None };
    last.unwrap_or(shown).trim().trim_matches('`')
}

/// Reads `2026-03-02 14:00 UTC`.
pub(super) fn utc_minute(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = text.strip_suffix("UTC").or_else(|| text.strip_suffix("utc")).map(str::trim_end)?;
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(fields: &str) -> Findings {
        Findings::of(&Checklist::parse(fields), &Decisions::default(), &BTreeSet::new())
    }

    #[test]
    fn a_vector_gives_score_and_severity() {
        let found = findings(
            "- **Severity Level**: `Critical|High|Medium|Low`\n- **CVSS Score**: `X.X`\n\
             - **CVSS vector**: `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`\n",
        );
        assert_eq!(found.severity, Some(Severity::Critical));
        assert_eq!(found.derived, [(SCORE, "9.8".to_owned()), (SEVERITY, "Critical".to_owned())]);
        assert!(found.contradictions.is_empty());
    }

    #[test]
    fn a_plain_score_gives_the_severity() {
        let found = findings("- **Severity Level**: `Critical|High|Medium|Low`\n- **CVSS Score**: 7.5\n");
        assert_eq!(found.severity, Some(Severity::High));
    }

    #[test]
    fn contradictions_are_named() {
        let found = findings(
            "- **Severity Level**: Low\n- **CVSS Score**: 9.1\n\
             - **CVSS vector**: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n- **Affects versions**: 1.4.0 to 1.2.0\n\
             - **Fix implemented on**: 2026-02-30\n- **Security release published**: tomorrow\n\
             - **CVE ID** (if applicable): CVE-26-1\n- **GitHub Security Advisory ID**: GHSA-2345-6789-cfgh\n\
             - **GitHub Security Advisory**: GHSA-2345-6789-cfgj\n",
        );
        insta::assert_snapshot!(found.contradictions.join("\n"));
        assert_eq!(found.severity, Some(Severity::Low), "what a person wrote counts");
    }

    #[test]
    fn people_say_in_many_words_whether_it_was_exploited() {
        let says = |value: &str| findings(&format!("- **Evidence of exploitation**: {value}\n"));
        for found in
            ["Found", "Found in two installations", "Found - see the logs", "FOUND!", "Yes", "Confirmed, twice"]
        {
            assert!(says(found).exploited, "{found}");
        }
        for not in ["Not found", "found nothing", "None found", "No evidence", "Unknown", "n/a", "Nothing yet"] {
            let said = says(not);
            assert!(!said.exploited && said.contradictions.is_empty(), "{not}");
        }
        let said = says("see the mail of Tuesday");
        assert_eq!((said.exploited, said.contradictions.len()), (false, 1));
    }

    #[test]
    fn what_does_not_apply_and_what_is_linked_is_no_contradiction() {
        let found = findings(
            "- **CVSS Score**: 9.8 (Critical)\n- **Fix implemented on**: N/A\n- **Security release published**: none\n\
             - **CVE ID** (if applicable): N/A\n- **GitHub Security Advisory ID**: GHSA-2345-6789-cfgh\n\
             - **GitHub Security Advisory**: [GHSA-2345-6789-cfgh](https://example.org/GHSA-2345-6789-cfgh)\n",
        );
        assert_eq!(found.contradictions, Vec::<String>::new());
        assert_eq!(found.severity, Some(Severity::Critical));
    }

    #[test]
    fn nonsense_contradicts_itself_without_harm() {
        let found = findings("- **Severity Level**: dire @all\n- **CVSS Score**: 11\n- **CVSS vector**: AV:N\n");
        assert_eq!(found.severity, None);
        assert_eq!(found.contradictions.len(), 3);
        assert!(found.contradictions.iter().all(|line| !line.replace("`dire @all`", "").contains("@all")));
    }
}
