//! Which values of a field say nothing yet.

/// The default template's values that no general rule knows as a placeholder.
const LITERALS: &[&str] = &["Brief technical explanation", "Yes|No - If yes, describe briefly"];

/// The default template's lists of which several may hold at once: what a person leaves of one is an answer.
const SEVERAL: &[&str] = &["Email content|Credentials|Configuration|None"];

/// Whether a value is a placeholder: nothing, or one of the forms that the checklist uses, whole and unchanged.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = fold(value);
    LITERALS.contains(&value.as_str())
        || is_atom(&value)
        || (is_choice(&value) && !SEVERAL.iter().any(|list| is_part_of(&value, list)))
        || pair(&value).is_some_and(|(one, other)| is_atom(one) && is_atom(other))
}

/// Whether a value is still `template`, the one that the template has for the same field.
pub(super) fn is_templates(value: &str, template: &str) -> bool {
    fold(value) == fold(template)
}

/// Whether a value is some, not all, of the choices that `template` offers: an answer with several parts.
pub(super) fn is_part_of(value: &str, template: &str) -> bool {
    let (value, template) = (fold(value), fold(template));
    let offered: Vec<&str> = template.split('|').map(str::trim).collect();
    let chosen: Vec<&str> = value.split('|').map(str::trim).collect();
    chosen.len() < offered.len() && chosen.iter().all(|choice| offered.contains(choice))
}

/// White space made single, backticks dropped.
fn fold(value: &str) -> String {
    let bare = value.replace('`', "");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `commit-hash or vX.Y.Z`, `X.Y.Z to X.Y.Z`.
fn pair(value: &str) -> Option<(&str, &str)> {
    value.split_once(" or ").or_else(|| value.split_once(" to ")).or_else(|| value.split_once(" - "))
}

/// A placeholder that is not a list of choices.
fn is_atom(value: &str) -> bool {
    matches!(value, "" | "-" | "–" | "—" | "?" | "…" | "..." | "_" | "TBD" | "TBA" | "TODO" | "commit-hash" | "@login")
        || value == "@login…"
        || (value.starts_with("CVSS:") && value.ends_with('…'))
        || is_version(value)
        || is_moment(value)
        || is_amount(value)
        || is_identifier(value)
        || (value.starts_with("<<") && value.ends_with(">>"))
        || (value.starts_with('[') && value.ends_with(']'))
}

/// `X.X`, `X.Y.Z`, `vX.Y.Z`.
fn is_version(value: &str) -> bool {
    let parts: Vec<&str> = value.strip_prefix('v').unwrap_or(value).split('.').collect();
    parts.len() >= 2 && parts.iter().all(|part| matches!(*part, "X" | "Y" | "Z"))
}

/// `YYYY-MM-DD`, `YYYY-MM-DD HH:MM UTC`.
fn is_moment(value: &str) -> bool {
    matches!(value.strip_prefix("YYYY-MM-DD"), Some("" | " HH:MM" | " HH:MM UTC" | "THH:MMZ" | " HH:MM:SS UTC"))
}

/// `X days/weeks`, `~X out of Y`.
fn is_amount(value: &str) -> bool {
    let Some(unit) = value.trim_start_matches('~').strip_prefix('X') else { return false };
    let units = ["hours", "days", "weeks", "months", "years"];
    matches!(unit, "" | " out of Y" | "%")
        || unit.strip_prefix(' ').is_some_and(|list| list.split('/').all(|unit| units.contains(&unit)))
}

/// `CVE-YYYY-XXXXX`, `GHSA-XXXX-XXXX-XXXX`, `CWE-XXX`.
fn is_identifier(value: &str) -> bool {
    let blank = |part: &str| !part.is_empty() && part.bytes().all(|b| matches!(b, b'X' | b'x' | b'N'));
    let mut parts = value.split('-');
    match parts.next() {
        Some("CVE") => {
            let year = parts.next().is_some_and(|year| {
                year == "YYYY" || (year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit())) || blank(year)
            });
            year && parts.next().is_some_and(blank) && parts.next().is_none()
        }
        Some("GHSA") => parts.clone().count() == 3 && parts.all(blank),
        Some("CWE") => parts.next().is_some_and(blank) && parts.next().is_none(),
        _ => false,
    }
}

/// `Critical|High|Medium|Low`: short alternatives of words.
fn is_choice(value: &str) -> bool {
    value.contains('|')
        && value.split('|').all(|choice| {
            let choice = choice.trim();
            !choice.is_empty()
                && choice.chars().count() <= 40
                && choice.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '/' | '_' | '\''))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_placeholder_is_known() {
        for value in [
            "",
            "X.X",
            "X.Y.Z",
            "vX.Y.Z",
            "`vX.Y.Z`",
            "X.Y.Z to X.Y.Z",
            "YYYY-MM-DD",
            "YYYY-MM-DD HH:MM UTC",
            "A|B|C",
            "Network|Local|Physical",
            "Found|Not found|Unknown",
            "Email content|Credentials|Configuration|None",
            "<< what went on >>",
            "[Link to forum/Discord post]",
            "[High/Medium/Low]",
            "X days/weeks",
            "X days",
            "~X out of Y",
            "CVE-YYYY-XXXXX",
            "CVE-2026-XXXX",
            "GHSA-XXXX-XXXX-XXXX",
            "GHSA-xxxx-xxxx-xxxx",
            "commit-hash",
            "commit-hash or vX.Y.Z",
            "`commit-hash` or `vX.Y.Z`",
            "CVSS:4.0/AV:…",
            "CWE-XXX",
            "@login…",
            "Brief technical explanation",
            "Yes|No - If yes, describe briefly",
            "TBD",
        ] {
            assert!(is_placeholder(value), "{value:?} is a placeholder");
        }
    }

    #[test]
    fn what_a_person_wrote_is_no_placeholder() {
        for value in [
            "High",
            "9.8",
            "0.15.0 to 0.15.6",
            "v0.15.7",
            "2026-08-01",
            "2026-08-01 10:00 UTC",
            "Yes - disable the feature",
            "No",
            "Unknown",
            "None",
            "Email content|Credentials",
            "3 days",
            "~40 out of 1200",
            "CVE-2026-12345",
            "GHSA-9c2x-4v6m-8fqr",
            "CWE-79",
            "[the post](https://forum.example/t/1)",
            "N/A",
            "it reads past the end…",
            "X-Forwarded-For is trusted",
            "the parser reads past its buffer",
            "a|b: the pipe in the header",
            "XSS in the webmail",
        ] {
            assert!(!is_placeholder(value), "{value:?} is an answer");
        }
    }

    #[test]
    fn part_of_the_templates_choices_is_an_answer() {
        assert!(is_part_of("Mail|Keys", "Mail|Keys|None"));
        assert!(!is_part_of("Mail|Keys|None", "Mail|Keys|None"));
        assert!(!is_part_of("Mail|Other", "Mail|Keys|None"));
        assert!(is_templates("`Mail|Keys`", "Mail|Keys"));
    }
}
