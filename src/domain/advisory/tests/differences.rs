use super::*;
use crate::domain::advisory::drift::{from_advisory, rows, table, to_advisory};
use crate::domain::advisory::facts::{Cvss, CvssSeverities, PackageName};

fn with_vector(advisory: Advisory, vector: &str) -> Advisory {
    let cvss = Some(Cvss { vector_string: Some(vector.to_owned()) });
    Advisory { cvss_severities: Some(CvssSeverities { cvss_v3: cvss, cvss_v4: None }), ..advisory }
}

#[test]
fn each_difference_is_a_row_and_says_both_sides() {
    let (known, wanted) = (known(FIELDS), wanted(FIELDS));
    let mut advisory = with_vector(made(&wanted), "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N");
    advisory.vulnerabilities[0].vulnerable_version_range = Some("<= 0.15.5".to_owned());
    advisory.cwe_ids = vec!["CWE-787".to_owned()];
    advisory.cve_id = Some("CVE-2026-12345".to_owned());
    advisory.credits.remove(1);
    let found = rows(&wanted, &known, &advisory);
    insta::assert_snapshot!(table(&found.iter().collect::<Vec<_>>(), |row| (row.part == Part::Cwe).then(|| "`ada`, 2026-03-02".to_owned())), @r"
    | Field | The issue says | The advisory says | Changed last |
    |---|---|---|---|
    | Affects versions | `>= 0.11.0, <= 0.15.5` | `<= 0.15.5` | – |
    | CVSS vector | `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H` | `CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N` | – |
    | CWE | `CWE-20; CWE-787` | `CWE-787` | `ada`, 2026-03-02 |
    | Credits | `@ada; @eve (reporter); @grace (remediation developer)` | `@ada; @eve (reporter)` | – |
    | CVE ID | – | `CVE-2026-12345` | – |
    ");
}

#[test]
fn the_same_in_another_spelling_is_no_difference() {
    let (known, wanted) = (known(FIELDS), wanted(FIELDS));
    let mut advisory = made(&wanted);
    advisory.vulnerabilities[0].vulnerable_version_range = Some(">=0.11.0,<=0.15.5".to_owned());
    advisory.vulnerabilities[0].patched_versions = Some("v0.15.6".to_owned());
    advisory.credits.iter_mut().for_each(|credit| credit.login = credit.login.to_uppercase());
    advisory.credits.reverse();
    advisory.summary = "What a person wrote".to_owned();
    advisory.description = Some("In a person's words".to_owned());
    assert_eq!(rows(&wanted, &known, &advisory), []);
}

#[test]
fn a_field_that_cannot_be_read_is_not_compared() {
    let fields = "- **Affects versions**: some\n- **CVE ID**: CVE-26-1\n- **Severity Level**: High\n";
    let (known, wanted) = (known(fields), wanted(fields));
    let mut advisory = made(&wanted);
    advisory.vulnerabilities[0].vulnerable_version_range = Some("< 1.0".to_owned());
    advisory.cve_id = Some("CVE-2026-12345".to_owned());
    assert_eq!(rows(&wanted, &known, &advisory), []);
}

#[test]
fn fixes_that_are_paired_with_other_ranges_are_a_difference() {
    let fields = "- **Affects versions**: 1.0 to 1.4; 2.0 to 2.1\n- **Patch/hotfix version**: 1.5, 2.2\n- **Severity Level**: High\n";
    let (known, wanted) = (known(fields), wanted(fields));
    let mut advisory = made(&wanted);
    let fixes: Vec<_> = advisory.vulnerabilities.iter().rev().map(|one| one.patched_versions.clone()).collect();
    advisory.vulnerabilities.iter_mut().zip(fixes).for_each(|(one, fix)| one.patched_versions = fix);
    let found = rows(&wanted, &known, &advisory);
    assert_eq!(found.iter().map(|row| row.part).collect::<Vec<_>>(), [Part::Patched]);
    assert_eq!(from_advisory(&[Part::Patched], &found, &Checklist::parse(fields)), [], "no field can hold that");
}

#[test]
fn the_advisory_is_made_to_follow_only_where_it_was_said() {
    let wanted = wanted(FIELDS);
    let mut advisory = made(&wanted);
    advisory.vulnerabilities[0].vulnerable_functions = vec!["parser::header".to_owned()];
    advisory.vulnerabilities.push(Vulnerability {
        package: Some(PackageName { ecosystem: "npm".to_owned(), name: Some("ledger-web".to_owned()) }),
        ..Vulnerability::default()
    });
    assert!(to_advisory(&[], &wanted, &advisory).is_empty());
    let patch = to_advisory(&[Part::Affected], &wanted, &advisory);
    let entries = patch.vulnerabilities.unwrap();
    assert_eq!(entries.len(), 2, "a package that a person added stays");
    assert_eq!(entries[0].vulnerable_functions, ["parser::header"], "so does what they wrote about functions");
    assert_eq!((patch.cwe_ids, patch.cvss_vector_string), (None, None));
}

#[test]
fn of_severity_and_vector_one_is_sent_and_the_other_taken_away() {
    let plain = wanted("- **Severity Level**: High\n");
    let patch = serde_json::to_value(to_advisory(&[Part::Severity], &plain, &made(&wanted(FIELDS)))).unwrap();
    assert_eq!(patch, serde_json::json!({ "severity": "high", "cvss_vector_string": null }));
    let patch = serde_json::to_value(to_advisory(&[Part::Vector], &wanted(FIELDS), &made(&plain))).unwrap();
    assert_eq!(patch, serde_json::json!({ "cvss_vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }));
}

#[test]
fn an_empty_field_is_no_order_to_delete() {
    let nothing = wanted("");
    let advisory = made(&wanted(FIELDS));
    let patch = to_advisory(&Part::ALL, &nothing, &advisory);
    assert!(patch.is_done(&advisory), "{patch:?}");
    let no_fix = wanted("- **Affects versions**: 0.11.0 to 0.15.5\n");
    let patch = to_advisory(&[Part::Affected], &no_fix, &advisory);
    assert_eq!(patch.vulnerabilities.unwrap()[0].patched_versions.as_deref(), Some("0.15.6"));
}

#[test]
fn the_issue_is_made_to_follow_in_words_that_it_reads_back() {
    let (known, wanted) = (known("- **Severity Level**: High\n"), wanted("- **Severity Level**: High\n"));
    let advisory = made(&super::wanted(FIELDS));
    let found = rows(&wanted, &known, &advisory);
    let checklist = Checklist::parse(crate::domain::checklist::template::DEFAULT);
    let values = from_advisory(&Part::ALL, &found, &checklist);
    let body: String = values.iter().map(|(field, value)| format!("- **{field}**: {value}\n")).collect();
    let (known, wanted) = (super::known(&body), super::wanted(&body));
    assert_eq!(rows(&wanted, &known, &advisory), [], "{body}");
    assert_eq!(from_advisory(&Part::ALL, &found, &Checklist::parse("")), [], "no field, nothing to fill");
}

#[test]
fn parts_are_named_by_word_or_field() {
    for part in Part::ALL {
        assert_eq!(part.word().parse::<Part>(), Ok(part));
        assert_eq!(part.field().to_uppercase().parse::<Part>(), Ok(part));
    }
    assert!("summary".parse::<Part>().is_err());
}
