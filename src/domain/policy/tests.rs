use super::*;

mod bad;
mod generated;

fn load(text: &str) -> Policy {
    Policy::load(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A policy that names every key.
const FULL: &str = r#"
mode: watch
product:
  name: Ledger Mail
  security_policy: https://github.com/octo-org/mail-server/blob/main/SECURITY.md
  private_reporting: security@example.org
  community: the forum
reports:
  repositories: [octo-org/mail-server, octo-org/mail-web]
  label: security-report
  since: 2026-01-31
  open_per_hour: 3
tracker: octo-org/mail-security
advisories:
  repository: octo-org/mail-server
  packages:
    - ecosystem: rust
      name: ledger-mail
advisory_template: .github/advisory.md
draft: at-mitigation
publish: allowed
publish_needs_two: false
cve_threshold: 7
releases:
  repository: octo-org/mail-releases
  tag: mail-{version}
  assets: ["mail-{version}.tar.gz", checksums.txt]
advisory_gap: 90m
template: .github/checklist.md
labels:
  incident: security incident
  high: { name: "sev: high", was: high, color: 5319e7, description: CVSS 7.0 to 8.9 }
phases:
  - number: 2
    label: phase/2-containment
    owners: [ada]
roster: [ada, grace]
roles:
  close: maintain
  cve request: [ada]
contacts:
  - role: Primary maintainer
    reach: hello@example.org
copy_report: false
acknowledge_public: true
allow_public_tracker: true
zone: Europe/Madrid
"#;

#[test]
fn a_file_of_nothing_is_the_defaults() {
    for text in ["", "\n\n", "# mode: off\n", "---\n# nothing\n", "{}", "reports:\n  # label: x\n", "\u{feff}# bom\r\n"]
    {
        assert_eq!(load(text), Policy::default(), "{text:?}");
    }
}

#[test]
fn every_key_is_read() {
    let policy = load(FULL);
    assert_eq!(policy.mode, Mode::Watch);
    assert_eq!(policy.product.name, "Ledger Mail");
    assert_eq!(policy.reports.repositories[1].to_string(), "octo-org/mail-web");
    assert_eq!(policy.reports.since().unwrap().to_string(), "2026-01-31T00:00:00Z");
    assert_eq!(policy.advisories.packages[0].ecosystem, Ecosystem::Rust);
    assert_eq!((policy.draft, policy.publish), (DraftWhen::AtMitigation, Publishing::Allowed));
    assert!(!policy.publish_needs_two);
    assert_eq!(policy.cve_threshold.to_string(), "7.0");
    assert_eq!(policy.release_repository().unwrap().to_string(), "octo-org/mail-releases");
    let version = crate::domain::version::Version::parse("v0.15.6").unwrap();
    assert_eq!(policy.releases.tag_of(&version), "mail-0.15.6");
    assert_eq!(policy.releases.assets_of(&version), ["mail-0.15.6.tar.gz", "checksums.txt"]);
    assert_eq!(policy.advisory_gap(), jiff::SignedDuration::from_mins(90));
    assert_eq!(policy.label(LabelKey::High).color, "5319e7", "text that looks like a number stays text");
    assert_eq!(policy.label(LabelKey::Incident).name, "security incident");
    assert_eq!(policy.required_role("close").at_least, Role::Maintain);
    assert_eq!(policy.required_role("cve request").logins.as_deref(), Some(&["ada".to_owned()][..]));
    assert_eq!(policy.contacts[0].reach, "hello@example.org");
    assert_eq!(policy.time_zone().iana_name(), Some("Europe/Madrid"));
    assert!(!policy.copy_report && policy.acknowledge_public && policy.allow_public_tracker);
}

#[test]
fn line_ends_byte_order_mark_and_a_document_start_do_not_matter() {
    assert_eq!(load(&format!("\u{feff}---{}", FULL.replace('\n', "\r\n"))), load(FULL));
}

#[test]
fn on_is_a_word_and_not_a_truth_value() {
    for text in ["mode: on", "mode: \"on\"", "mode: 'on'"] {
        assert_eq!(load(text).mode, Mode::On);
    }
}

#[test]
fn reports_come_from_the_tracker_unless_the_policy_names_repositories() {
    let repo = |name: &str| name.parse::<RepoName>().unwrap();
    let (tracker, other) = (repo("octo-org/security"), repo("octo-org/mail-server"));
    let policy = Policy::default();
    assert!(policy.is_report_repository(&repo("Octo-Org/Security"), &tracker));
    assert!(!policy.is_report_repository(&other, &tracker));

    let policy = load("reports: {repositories: [octo-org/Mail-Server]}");
    assert!(policy.is_report_repository(&other, &tracker));
    assert!(!policy.is_report_repository(&tracker, &tracker));
}

#[test]
fn since_is_a_date_in_utc_or_a_time_with_its_offset() {
    for (text, moment) in [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
        ("2026-01-31 08:00:00.25+02:00", "2026-01-31T06:00:00.25Z"),
        ("2024-02-29t23:59:59z", "2024-02-29T23:59:59Z"),
    ] {
        let reports = Reports { since: Some(text.into()), ..Reports::default() };
        assert_eq!(reports.since().unwrap().to_string(), moment, "{text}");
    }
    for text in ["2026-02-29", "2026-1-31", "20260131", "2026-01-31T08:00:00", "2026-01-31T08:00Z", "yesterday", ""] {
        assert_eq!(Reports { since: Some(text.into()), ..Reports::default() }.since(), None, "{text}");
    }
}

#[test]
fn an_error_carries_the_name_of_the_file() {
    let error = Policy::load("mod: on").unwrap_err().named(".github/wardroom.yml");
    insta::assert_snapshot!(error, @".github/wardroom.yml:1:1: unknown key `mod`; did you mean `mode`?");
    assert_eq!(error.problems().len(), 1);
    assert_eq!(error.problems()[0].at, At { line: 1, column: 1 });
}

#[test]
fn the_schema_says_what_the_reader_says() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let valid = |text: &str| schema.is_valid(&serde_json::to_value(load(text)).unwrap());
    assert!(valid(FULL) && valid(""));
    // What the reader refuses by a rule of one value, an editor marks as well.
    for value in [
        serde_json::json!({"mode": "of"}),
        serde_json::json!({"modes": "on"}),
        serde_json::json!({"tracker": "https://github.com/octo-org/security"}),
        serde_json::json!({"reports": {"open_per_hour": 0}}),
        serde_json::json!({"reports": {"open_per_hour": 101}}),
        serde_json::json!({"reports": {"since": "31.01.2026"}}),
        serde_json::json!({"labels": {"urgent": "x"}}),
        serde_json::json!({"labels": {"high": "x".repeat(51)}}),
        serde_json::json!({"labels": {"high": {"color": "#d93f0b"}}}),
        serde_json::json!({"phases": [{"number": 0}]}),
        serde_json::json!({"phases": [{}]}),
        serde_json::json!({"roster": ["@ada"]}),
        serde_json::json!({"roster": (0..11).map(|n| format!("a{n}")).collect::<Vec<_>>()}),
        serde_json::json!({"roles": {"close": "read"}}),
        serde_json::json!({"roles": {"publish": "maintain"}}),
        serde_json::json!({"roles": {"publish": ["@ada"]}}),
        serde_json::json!({"advisories": {"packages": [{"ecosystem": "cargo", "name": "x"}]}}),
        serde_json::json!({"publish": "yes"}),
        serde_json::json!({"draft": "at mitigation"}),
        serde_json::json!({"cve_threshold": 10.5}),
        serde_json::json!({"cve_threshold": "high"}),
        serde_json::json!({"advisory_gap": "1 h"}),
        serde_json::json!({"advisory_gap": "0h"}),
        serde_json::json!({"releases": {"tag": "latest"}}),
        serde_json::json!({"releases": {"tag": "{version}-{build}"}}),
        serde_json::json!({"product": {"security_policy": "http://example.org"}}),
        serde_json::json!({"product": {"name": "two\nlines"}}),
    ] {
        assert!(!schema.is_valid(&value), "the schema takes {value}");
        assert!(Policy::load(&value.to_string()).is_err(), "the reader takes {value}");
    }
}
