use super::*;
use crate::domain::advisory::show::{credits, proposals, to_paste};
use crate::domain::checklist::template;

#[test]
fn a_private_report_proposes_what_is_empty_and_only_that() {
    let checklist = |body: &str| Checklist::parse(body);
    let blank = template::render(template::DEFAULT, &policy()).unwrap();
    let report = Advisory { state: AdvisoryState::Triage, ..made(&wanted(FIELDS)) };
    let proposed = proposals(&report, &checklist(&blank));
    assert_eq!(
        proposed,
        [
            ("Affects versions", ">= 0.11.0, <= 0.15.5".to_owned()),
            ("Patch/hotfix version", "0.15.6".to_owned()),
            ("CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
            ("CWE", "CWE-20; CWE-787".to_owned()),
            ("Credits", "@ada; @eve (reporter); @grace (remediation developer)".to_owned()),
        ]
    );
    assert_eq!(proposals(&report, &checklist(FIELDS)), []);
}

#[test]
fn credits_show_whether_they_were_accepted() {
    let mut advisory = made(&wanted(FIELDS));
    assert_eq!(credits(&advisory)[0], "`Ada` (finder): offered");
    let detail =
        |state: &str| serde_json::from_value(serde_json::json!({ "user": null, "type": "tool", "state": state }));
    advisory.credits_detailed = ["accepted", "pending", "@all"].map(|state| detail(state).unwrap()).to_vec();
    assert_eq!(
        credits(&advisory),
        [
            "`a deleted account` (tool): accepted",
            "`a deleted account` (tool): offered, no answer yet",
            "`a deleted account` (tool): not known"
        ]
    );
}

#[test]
fn a_draft_to_paste_has_the_forms_fields_and_the_whole_text() {
    let wanted = wanted(FIELDS);
    let text = to_paste(&wanted);
    let (fields, block) = text.split_once("\n\nDescription:\n\n").unwrap();
    insta::assert_snapshot!(fields, @"
    - **Title**: `Ledger Mail: << what an attacker can do, in one sentence >>`
    - **Affected product**: `rust ledger-mail, affected >= 0.11.0, <= 0.15.5, patched 0.15.6`
    - **CVSS vector**: `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`
    - **CWE**: `CWE-20, CWE-787`
    - **Credit**: `Ada (finder)`
    - **Credit**: `grace (remediation developer)`
    - **Credit**: `eve (reporter)`
    ");
    assert!(block.starts_with("~~~text\n") && block.contains(&wanted.description));
}
