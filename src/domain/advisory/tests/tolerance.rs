//! No strange field may lose a security report.

use serde_json::{Value, json};

use super::*;
use crate::domain::cvss::Severity;

fn read(value: Value) -> Advisory {
    serde_json::from_value(value).unwrap()
}

#[test]
fn an_id_is_all_that_a_report_needs() {
    let bare = read(json!({ "ghsa_id": "GHSA-2c3f-4gh5-6jm7" }));
    assert_eq!((bare.id(), bare.state), (Some(ghsa()), AdvisoryState::Other));
    assert_eq!((bare.text(), bare.vector(), bare.severity()), ("", None, None));
    assert!(!bare.has_fork());
}

#[test]
fn nulls_and_words_to_come_are_read() {
    let names = [
        "cve_id",
        "html_url",
        "summary",
        "description",
        "severity",
        "author",
        "publisher",
        "state",
        "created_at",
        "updated_at",
        "published_at",
        "closed_at",
        "submission",
        "vulnerabilities",
        "cvss_severities",
        "cvss",
        "cwe_ids",
        "credits",
        "credits_detailed",
        "private_fork",
    ];
    let mut nulls = json!({ "ghsa_id": "GHSA-abcd-1234-efgh" });
    names.iter().for_each(|name| nulls[*name] = Value::Null);
    assert_eq!(read(nulls).id(), None, "GitHub's own example has an id that is none");
    let strange = read(json!({
        "ghsa_id": "GHSA-2c3f-4gh5-6jm7", "state": "archived", "severity": "dire", "cve_id": "later",
        "created_at": "soon", "closed_at": 0, "unknown": { "x": [1] },
        "vulnerabilities": [{ "package": null, "vulnerable_functions": null }, {}],
        "credits": [{ "login": "ada", "type": "mascot" }, { "login": null, "type": null }],
        "credits_detailed": [{ "user": null, "type": "finder", "state": "thinking" }],
        "cvss_severities": { "cvss_v3": { "vector_string": null, "score": null }, "cvss_v4": { "vector_string": "?" } },
    }));
    assert_eq!((strange.state, strange.severity(), strange.cve()), (AdvisoryState::Other, None, None));
    assert_eq!((strange.vulnerabilities.len(), strange.credits[0].kind), (2, CreditType::Other));
    assert_eq!((strange.created_at, strange.vector()), (None, None));
}

#[test]
fn the_newest_vector_counts_and_older_servers_have_one() {
    let three = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let of = |value: Value| read(value).vector().unwrap().to_string();
    let vector = |text: &str| json!({ "vector_string": text, "score": 1.0 });
    let both = json!({ "ghsa_id": "", "cvss_severities": { "cvss_v3": vector(three), "cvss_v4": vector(four) } });
    assert_eq!(of(both), four);
    assert_eq!(of(json!({ "ghsa_id": "", "cvss": vector(three) })), three);
    let word = read(json!({ "ghsa_id": "", "severity": "moderate" }));
    assert_eq!(word.severity(), Some(Severity::Medium), "GitHub's older word");
}
