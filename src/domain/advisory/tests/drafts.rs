use super::*;
use crate::domain::cvss::Severity;

fn entries(fields: &str) -> Vec<String> {
    let entry = |one: &Vulnerability| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        format!("{} -> {}", text(&one.vulnerable_version_range), text(&one.patched_versions))
    };
    wanted(fields).vulnerabilities.iter().map(entry).collect()
}

fn lines(affected: &str, patched: &str) -> Vec<String> {
    entries(&format!("- **Affects versions**: {affected}\n- **Patch/hotfix version**: {patched}\n"))
}

#[test]
fn the_text_has_its_parts_in_order_and_asks_for_the_rest() {
    let mut known = known(FIELDS);
    known.reported_at = Some(at("2026-03-02T09:00:00Z"));
    insta::assert_snapshot!(draft_of(&known).wanted.description);
}

#[test]
fn an_empty_checklist_gives_a_draft_of_questions() {
    let draft = draft_of(&known(""));
    assert_eq!(draft.wanted.rating, None);
    let asked: Vec<&str> = draft.questions.iter().map(|question| question.field).collect();
    assert_eq!(asked, ["Affects versions", "Patch/hotfix version", "CVSS vector", "CWE", "Credits"]);
    let without = super::draft(&known(""), &Policy::default(), text::DEFAULT).unwrap();
    assert_eq!(without.questions[0].field, "advisories.packages");
    assert_eq!(without.wanted.vulnerabilities, []);
    let headings =
        |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(headings(&without.wanted.description), headings(&wanted(FIELDS).description), "the same parts");
    assert!(without.wanted.description.matches("<<").count() > 10);
}

#[test]
fn fields_become_what_github_takes() {
    let wanted = wanted(FIELDS);
    assert_eq!(wanted.rating, Some(Rating::Vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".parse().unwrap())));
    assert_eq!(wanted.cwe_ids, ["CWE-20", "CWE-787"]);
    let credits: Vec<_> = wanted.credits.iter().map(|credit| (credit.login.as_str(), credit.kind)).collect();
    assert_eq!(
        credits,
        [("Ada", CreditType::Finder), ("grace", CreditType::RemediationDeveloper), ("eve", CreditType::Reporter)]
    );
    assert_eq!(entries(FIELDS), [">= 0.11.0, <= 0.15.5 -> 0.15.6"]);
    let package = wanted.vulnerabilities[0].package.clone().unwrap();
    assert_eq!((package.ecosystem.as_str(), package.name.as_deref()), ("rust", Some("ledger-mail")));
    let request = serde_json::to_value(request::NewAdvisory::of(&wanted)).unwrap();
    assert!(request.get("severity").is_none() && request.get("cvss_vector_string").is_some(), "one of the two");
    assert_eq!(request["credits"][1]["type"], "remediation_developer");
}

#[test]
fn without_a_vector_the_word_is_sent() {
    let wanted = wanted("- **Severity Level**: High\n");
    assert_eq!(wanted.rating, Some(Rating::Severity(Severity::High)));
    let request = serde_json::to_value(request::NewAdvisory::of(&wanted)).unwrap();
    assert_eq!(request["severity"], "high");
    assert!(request.get("cvss_vector_string").is_none());
}

#[test]
fn each_maintained_line_has_its_own_entry() {
    assert_eq!(lines("0.11.0 to 0.15.5", "0.15.6"), [">= 0.11.0, <= 0.15.5 -> 0.15.6"]);
    assert_eq!(
        lines("0.11.0 to 0.16.2", "0.16.3, 0.15.7"),
        [">= 0.11.0, < 0.15.7 -> 0.15.7", ">= 0.16.0, <= 0.16.2 -> 0.16.3"]
    );
    assert_eq!(
        lines("1.0.0 to 1.4.1; 2.0.0 to 2.1.0", "1.4.2 and 2.1.1"),
        [">= 1.0.0, <= 1.4.1 -> 1.4.2", ">= 2.0.0, <= 2.1.0 -> 2.1.1"]
    );
    assert_eq!(lines("all versions", "0.15.7, 0.16.3"), ["< 0.15.7 -> 0.15.7", ">= 0.16.0, < 0.16.3 -> 0.16.3"]);
    assert_eq!(lines(">= 0.11.0", "0.15.7"), [">= 0.11.0, < 0.15.7 -> 0.15.7"]);
    assert_eq!(lines("0.15.x", "0.16.0"), [">= 0.15.0, < 0.16.0 -> 0.16.0"]);
    assert_eq!(lines("0.11.0 to 0.15.5", "vX.Y.Z"), [">= 0.11.0, <= 0.15.5 -> ?"]);
    assert_eq!(lines("X.Y.Z to X.Y.Z", "0.15.6"), ["? -> 0.15.6"]);
    assert_eq!(lines("all versions", "vX.Y.Z"), [">= 0 -> ?"]);
}

#[test]
fn a_fix_that_is_said_to_be_affected_is_asked_about() {
    for (affected, patched) in
        [("0.11.0 to 0.15.9", "0.15.7"), ("0.15.0 to 0.15.9", "0.15.3, 0.15.12"), ("= 1.0", "1.0")]
    {
        let fields = format!("- **Affects versions**: {affected}\n- **Patch/hotfix version**: {patched}\n");
        let draft = draft_of(&known(&fields));
        let asked =
            draft.questions.iter().any(|one| one.field == "Patch/hotfix version" && one.text.contains("lies in"));
        assert!(asked, "{affected} {patched}: {:?}", draft.questions);
    }
}

#[test]
fn what_cannot_be_read_is_asked_about_and_does_nothing() {
    let draft = draft_of(&known(
        "- **Affects versions**: some of @octo/all\n- **Patch/hotfix version**: soon\n- **CWE**: overflow\n\
         - **Credits**: nobody\n- **CVSS vector**: AV:N\n",
    ));
    let asked: Vec<&str> = draft.questions.iter().map(|question| question.field).collect();
    assert_eq!(asked, ["Affects versions", "Patch/hotfix version", "CVSS vector", "CWE"]);
    assert!(draft.questions[0].text.contains("`some of @octo/all`"));
    assert!(draft.wanted.description.contains("## Credits\n\n<< Whom we thank. >>"));
}

#[test]
fn a_template_of_ones_own_is_used_and_a_wrong_one_is_explained() {
    let known = known(FIELDS);
    let own = draft(&known, &policy(), "{{ product.name }}: {{ advisory.root_cause }} ({{ fixes }})\n").unwrap();
    assert_eq!(own.wanted.description, "Ledger Mail: The parser trusts the length in the header (`0.15.6`)\n");
    let error = draft(&known, &policy(), "a\n{{ advisory.cause }}\n").unwrap_err().to_string();
    assert!(error.starts_with("line 2 of the advisory template: it names something that is not there"), "{error}");
}

#[test]
fn a_draft_whose_answer_was_lost_is_known_again() {
    let wanted = wanted(FIELDS);
    let request = request::NewAdvisory::of(&wanted);
    let mut there = made(&wanted);
    there.description = there.description.map(|text| text.replace('\n', "\r\n"));
    assert!(request.is(&there));
    there.state = AdvisoryState::Published;
    assert!(!request.is(&there));
    assert!(!request.is(&Advisory { summary: "Another".to_owned(), ..made(&wanted) }));
}
