//! Policies from values: what is written out is read back as it was, and the schema takes what the reader takes.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn line() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9 :#'\"\\\\&*!|>%@{}\\[\\]é]{0,30}[a-z]"
}

fn link() -> impl Strategy<Value = String> {
    "https://[a-z]{1,10}[.]org/[A-Za-z0-9/_.?=#%-]{0,20}"
}

fn logins() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set("[a-z][a-z0-9-]{0,10}", 0..5).prop_map(|set| set.into_iter().collect())
}

fn repo() -> impl Strategy<Value = RepoName> {
    "[a-z]{1,10}/[A-Za-z._-]{0,8}[a-z]".prop_map(|name| name.parse().unwrap())
}

/// Details without names, so that no two labels clash.
fn label() -> impl Strategy<Value = LabelSetting> {
    (option::of("[0-9a-fA-F]{6}"), option::of("[a-z0-9 :#-]{0,100}"))
        .prop_map(|(color, description)| LabelSetting::Full(LabelDetails { color, description, ..Default::default() }))
}

fn phase() -> impl Strategy<Value = PhaseSetting> {
    (1..u32::MAX, option::of(label()), logins()).prop_map(|(number, label, owners)| PhaseSetting {
        number,
        label,
        owners,
    })
}

fn role() -> impl Strategy<Value = RoleSetting> {
    prop_oneof![Just(RoleSetting::AtLeast(Role::Admin)), logins().prop_map(RoleSetting::Logins)]
}

fn policy() -> impl Strategy<Value = Policy> {
    let product = (line(), option::of(link()), option::of(link()), line()).prop_map(
        |(name, security_policy, private, community)| Product {
            name,
            security_policy,
            private_reporting: private,
            community,
        },
    );
    let reports = (option::of(repo()), option::of("20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9])"), 1..=100u32).prop_map(
        |(repositories, since, open_per_hour)| Reports {
            repositories: repositories.into_iter().collect(),
            since,
            open_per_hour,
            ..Reports::default()
        },
    );
    let package = (prop_oneof![Just(Ecosystem::Rust), Just(Ecosystem::Pip)], line())
        .prop_map(|(ecosystem, name)| Package { ecosystem, name });
    let advisories = (option::of(repo()), option::of(package))
        .prop_map(|(repository, package)| Advisories { repository, packages: package.into_iter().collect() });
    let labels = btree_map(proptest::sample::select(LabelKey::ALL.to_vec()), label(), 0..4);
    let words = proptest::sample::select(COMMANDS.map(|command| command.word.to_owned()).to_vec());
    let contacts = vec((line(), line()).prop_map(|(role, reach)| Contact { role, reach }), 0..3);
    let releases = (option::of(repo()), "[a-z-]{0,5}", vec("[a-z]{1,9}-[{]version[}]", 0..1))
        .prop_map(|(repository, tag, assets)| Releases { repository, tag: format!("{tag}{{version}}"), assets });
    let publishing = (
        proptest::sample::select(vec![DraftWhen::ByCommand, DraftWhen::AtMitigation]),
        proptest::sample::select(vec![Publishing::Allowed, Publishing::Handoff]),
        any::<bool>(),
        0..=100u8,
        releases,
        "[1-9][0-9]{0,3}[mhd]",
    );
    let advisories = (advisories, publishing);
    let people = (option::of(phase()), logins(), btree_map(words, role(), 0..4), contacts);
    let rest =
        (proptest::sample::select(vec![Mode::Off, Mode::Watch, Mode::On]), option::of(repo()), any::<[bool; 3]>());
    (product, reports, advisories, labels, people, rest).prop_map(
        |(product, reports, advisories, labels, people, rest)| {
            let (phase, roster, roles, contacts) = people;
            let (advisories, (draft, publish, publish_needs_two, tenths, releases, advisory_gap)) = advisories;
            let (mode, tracker, [copy_report, acknowledge_public, allow_public_tracker]) = rest;
            Policy {
                mode,
                product,
                reports,
                tracker,
                advisories,
                advisory_template: Some(".github/advisory.md".into()),
                draft,
                publish,
                publish_needs_two,
                cve_threshold: Score::from_tenths(tenths).unwrap(),
                releases,
                advisory_gap,
                template: Some(".github/checklist.md".into()),
                labels,
                phases: phase.into_iter().collect(),
                roster,
                roles,
                contacts,
                copy_report,
                acknowledge_public,
                allow_public_tracker,
                zone: "Europe/Madrid".into(),
            }
        },
    )
}

#[test]
fn the_defaults_written_out_are_the_defaults() {
    let text = serde_json::to_string(&Policy::default()).unwrap();
    assert_eq!(load(&text), Policy::default());
}

#[test]
fn a_policy_written_out_is_read_back_and_fits_the_schema() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    proptest!(|(policy in policy())| {
        let value = serde_json::to_value(&policy).unwrap();
        // JSON is YAML, on one line and on many.
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(&Policy::load(&text).map_err(|error| TestCaseError::fail(error.to_string()))?, &policy);
        }
        prop_assert!(schema.is_valid(&value));
    });
}
