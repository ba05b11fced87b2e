//! What a maintainer reads when the policy is wrong.

use super::*;

/// The errors of several policies, each under a line of its own.
fn errors<const N: usize>(texts: [&str; N]) -> String {
    let one = |text| match Policy::load(text) {
        Ok(_) => panic!("this is taken: {text}"),
        Err(error) => error.named("w.yml").to_string(),
    };
    texts.map(one).join("\n")
}

#[test]
fn what_is_not_a_policy() {
    insta::assert_snapshot!(errors([
        "- mode: on",
        "on",
        "mode: on\n---\nmode: off",
        "mode: on\nmode: off",
        "mode: on\n\tzone: UTC",
        "reports:\n\tlabel: x",
        "reports:\n  label: x\n since: 2026-01-31",
        "mode on",
        "product: name: Ledger",
        "product: {name: Ledger",
        "zone: 'UTC",
        "zone: @home",
        "%YAML 1.2\n---\nmode: on",
        "zone: !!str UTC",
        "[mode]: on",
        "mode: on\0",
        "a: &a [x]\nb: *a",
    ]), @r#"
    w.yml:1:1: a policy is a map of keys, for example `mode: watch`; this file is a list
    w.yml:1:1: a policy is a map of keys, for example `mode: watch`; this file is a text
    w.yml:2:1: a second document begins here; a policy is one document, so remove the `---`
    w.yml:2:1: `mode` stands here again; the first is in line 1; keep one
    w.yml:1:7: a tab stands where YAML wants spaces; indent with two spaces
    w.yml:2:2: a tab stands where YAML wants spaces; indent with two spaces
    w.yml:3:2: this line fits no key above it; check how far it is indented
    w.yml:1:1: a policy is a map of keys, for example `mode: watch`; this file is a text
    w.yml:1:14: a second `: ` in one line; put a text that contains `: ` in quotes, or begin a new line
    w.yml:1:10: a `{` is opened and never closed
    w.yml:1:7: a quote is opened and never closed
    w.yml:1:7: `@` cannot begin a text; write a login without it, or put the text in quotes
    w.yml:1:1: directives (`%YAML`) are not used in a policy; remove this line
    w.yml:1:7: tags (`!name`) are not used in a policy; put a text that begins with `!` in quotes
    w.yml:1:1: a key must be a word, not a list
    w.yml:1:9: a NUL byte stands here; this is not a text file, or it was damaged
    w.yml:1:7: anchors and aliases (`&name`, `*name`) are not used in a policy; write the value out, or put a text that begins with `&` or `*` in quotes
    "#);
    let bytes = |bytes: &[u8]| Policy::load_bytes(bytes).unwrap_err().named("w.yml").to_string();
    insta::assert_snapshot!(bytes(b"mode: on\nzone: \xe9t\xe9"), @"w.yml:2:7: this byte is not UTF-8 text; save the file as UTF-8");
    insta::assert_snapshot!(bytes(b"\xff\xfem\0o\0d\0e\0"), @"w.yml:1:1: the file is UTF-16; save it as UTF-8");
    insta::assert_snapshot!(bytes(&[b' '; 70_000]), @"w.yml:1:1: the file has more than 65536 bytes (64 KiB), which is the most for a policy");
}

#[test]
fn keys_that_are_not_there() {
    insta::assert_snapshot!(errors([
        "reports:\n  lable: security",
        "Mode: on",
        "since: 2026-01-31",
        "reports:\n  mode: on",
        "owners: [ada]",
        "labels:\n  urgent: x",
        "labels:\n  high:\n    colour: d93f0b",
        "roles:\n  cve: admin",
        "roles:\n  publsh: admin",
        "<<: {}",
        "advisories:\n  packages:\n    - name: x",
        "contacts:\n  - Ada",
        "contacts:\n  -",
    ]), @"
    w.yml:2:3: unknown key `lable` in `reports`; did you mean `label`?
    w.yml:1:1: unknown key `Mode`; did you mean `mode`?
    w.yml:1:1: unknown key `since`; it belongs under `reports`
    w.yml:2:3: unknown key `mode` in `reports`; it belongs at the top, without indentation
    w.yml:1:1: unknown key `owners`; the keys here are `acknowledge_public`, `advisories`, `advisory_gap`, `advisory_template`, `allow_public_tracker`, `contacts`, `copy_report`, `cve_threshold`, `draft`, `labels`, `mode`, `phases`, `product`, `publish`, `publish_needs_two`, `releases`, `reports`, `roles`, `roster`, `template`, `tracker` and `zone`
    w.yml:2:3: unknown key `urgent` in `labels`; the keys here are `critical`, `cve-pending`, `embargo`, `exploited`, `high`, `incident`, `low`, `medium`, `overdue`, `paused`, `rejected`, `resolved` and `review`
    w.yml:3:5: unknown key `colour` in `labels.high`; did you mean `color`?
    w.yml:2:3: unknown key `cve` in `roles`; did you mean `cve request` or `cve set`?
    w.yml:2:3: unknown key `publsh` in `roles`; did you mean `publish`?
    w.yml:1:1: unknown key `<<`; the keys here are `acknowledge_public`, `advisories`, `advisory_gap`, `advisory_template`, `allow_public_tracker`, `contacts`, `copy_report`, `cve_threshold`, `draft`, `labels`, `mode`, `phases`, `product`, `publish`, `publish_needs_two`, `releases`, `reports`, `roles`, `roster`, `template`, `tracker` and `zone`
    w.yml:3:7: an entry of `advisories.packages` needs the key `ecosystem`
    w.yml:2:5: an entry of `contacts` wants a map with keys such as `reach` and `role`, not a text
    w.yml:2:4: an entry of `contacts` has no value; write a map with keys such as `reach` and `role`, or remove it
    ");
}

#[test]
fn values_of_the_wrong_kind() {
    insta::assert_snapshot!(errors([
        "mode: true",
        "mode: wach",
        "mode:",
        "roster: ada",
        "roster: {ada: 1}",
        "reports: octo-org/mail-server",
        "product: [Ledger]",
        "product: {name: [Ledger]}",
        "copy_report: yes",
        "copy_report: 'true'",
        "reports: {open_per_hour: '5'}",
        "reports: {open_per_hour: 0}",
        "reports: {open_per_hour: 1e2}",
        "reports: {open_per_hour: 99999999999999999999}",
        "phases: [{number: 0}]",
        "labels: {high: [x]}",
        "advisories:\n  packages:\n    - {ecosystem: cargo, name: x}\n    - {ecosystem: PyPI, name: y}\n    - {ecosystem: composr, name: z}",
    ]), @r#"
    w.yml:1:7: `mode` cannot be "true": write `off`, `watch` or `on`
    w.yml:1:7: `mode` cannot be "wach": write `off`, `watch` or `on`
    w.yml:1:5: `mode` has no value; write `off`, `watch` or `on`, or remove it
    w.yml:1:9: `roster` wants a list, not a text; write `roster: [ada]`
    w.yml:1:9: `roster` wants a list, for example `[ada, grace]`, not a map of keys
    w.yml:1:10: `reports` wants a map with keys such as `label`, `open_per_hour`, `repositories` and `since`, not a text
    w.yml:1:10: `product` wants a map with keys such as `community`, `name`, `private_reporting` and `security_policy`, not a list
    w.yml:1:17: `product.name` wants a text, for example `Ledger Mail`, not a list
    w.yml:1:14: `copy_report` cannot be "yes": write `true` or `false`, without quotes
    w.yml:1:14: `copy_report` cannot be the text "true": write `true` or `false`, without quotes
    w.yml:1:26: `reports.open_per_hour` cannot be "5": write a whole number from 1 to 100, without quotes
    w.yml:1:26: `reports.open_per_hour` cannot be "0": write a whole number from 1 to 100
    w.yml:1:26: `reports.open_per_hour` cannot be "1e2": write a whole number from 1 to 100
    w.yml:1:26: `reports.open_per_hour` cannot be "99999999999999999999": write a whole number from 1 to 100
    w.yml:1:19: `phases.number` cannot be "0": write a whole number from 1
    w.yml:1:16: `labels.high` wants a text or a map with keys such as `color`, `description`, `name` and `was`, for example `sev: high`, not a list
    w.yml:3:19: `advisories.packages.ecosystem` cannot be "cargo": GitHub's word is `rust`
    w.yml:4:19: `advisories.packages.ecosystem` cannot be "PyPI": GitHub's word is `pip`
    w.yml:5:19: `advisories.packages.ecosystem` cannot be "composr": did you mean `composer`? write `rubygems`, `npm`, `pip`, `maven`, `nuget`, `composer`, `go`, `rust`, `erlang`, `actions`, `pub`, `other` or `swift`
    "#);
}

#[test]
fn values_that_cannot_be() {
    insta::assert_snapshot!(errors([
        "tracker: mail-security",
        "tracker: https://github.com/octo-org/mail-security.git",
        "reports: {repositories: [octo/a, Octo/A]}",
        "reports: {since: 31.01.2026}",
        "reports: {since: 2026-01-31T08:00:00}",
        "zone: Madrid",
        "zone: Europe/Madird",
        "zone: Home",
        "template: /etc/passwd",
        "template: a/../../b",
        "template: https://example.org/a.md",
        "template: C:\\a.md",
        "roster: ['@ada', octo-org/team, a b, Ada, ada]",
        "roster: [a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2]",
        "phases: [{number: 2}, {number: 2, owners: [-x]}]",
        "roles: {publish: write, close: read, help: none}",
        "product: {name: ''}",
        "product: {name: |\n    Ledger\n    Mail\n  }",
        "product:\n  name: |\n    Ledger",
        "product: {name: 'Led<!-- x'}",
        "product: {name: \"Led\\u202Eger\"}",
        "product: {security_policy: http://example.org}",
        "product: {security_policy: 'https://a.org/x)'}",
        "product: {security_policy: https://}",
        "product: {private_reporting: security at example.org}",
        "advisories: {packages: [{ecosystem: rust, name: a}, {ecosystem: rust, name: a}]}",
    ]), @r#"
    w.yml:1:10: `tracker` cannot be "mail-security": write owner/name, for example `octo-org/mail-server`
    w.yml:1:10: `tracker` wants the repository's name, not its link: write `octo-org/mail-security`
    w.yml:1:34: `reports.repositories` has this entry twice; the other is in line 1
    w.yml:1:18: `reports.since` cannot be "31.01.2026": write a date like `2026-01-31` or a time like `2026-01-31T08:00:00Z`
    w.yml:1:18: `reports.since` cannot be "2026-01-31T08:00:00": write a date like `2026-01-31` or a time like `2026-01-31T08:00:00Z`; a time ends in `Z` for UTC, or in its offset
    w.yml:1:7: `zone` cannot be "Madrid": no time zone has that name; did you mean `Europe/Madrid`?
    w.yml:1:7: `zone` cannot be "Europe/Madird": no time zone has that name; did you mean `Europe/Madrid`?
    w.yml:1:7: `zone` cannot be "Home": no time zone has that name; write an IANA name, for example `Europe/Madrid` or `UTC`
    w.yml:1:11: `template` must stay in the tracker's repository: no `/` in front, no `..`; write for example `.github/checklist.md`
    w.yml:1:11: `template` must stay in the tracker's repository: no `/` in front, no `..`; write for example `.github/checklist.md`
    w.yml:1:11: `template` wants a path in the tracker's repository, not a link; write for example `.github/checklist.md`
    w.yml:1:11: `template` is a path of names with `/` between them; it cannot hold any of \ : * ? " < > |; write for example `.github/checklist.md`
    w.yml:1:10: `roster` wants logins without `@`: write `ada`
    w.yml:1:18: `roster` cannot hold "octo-org/team": a team is not a login; name its people
    w.yml:1:33: `roster` cannot hold "a b": a login has letters, digits and hyphens, begins with a letter or digit, and is at most 39 long
    w.yml:1:43: `roster` has this entry twice; the other is in line 1
    w.yml:1:9: `roster` has 11 entries; 10 is the most
    w.yml:1:32: `phases` names phase 2 twice; the other is in line 1
    w.yml:1:44: `phases.owners` cannot hold "-x": a login has letters, digits and hyphens, begins with a letter or digit, and is at most 39 long
    w.yml:1:18: `roles.publish` cannot be `write`: `publish` itself asks for admin, and a policy narrows a rule, it never widens one; write `admin` or a list of logins
    w.yml:1:32: `roles.close` cannot be `read`: `close` itself asks for write, and a policy narrows a rule, it never widens one; write `write`, `maintain` or `admin` or a list of logins
    w.yml:1:44: `roles.help` cannot be `none`: `help` itself asks for write, and a policy narrows a rule, it never widens one; write `write`, `maintain` or `admin` or a list of logins
    w.yml:1:17: `product.name` is empty; write a text, or remove the key
    w.yml:1:17: "|" cannot begin a text; put the text in quotes
    w.yml:3:5: `product.name` must be one line; write it behind the colon, without `|` or `>`
    w.yml:1:17: `product.name` holds `<!--` or `-->`, which hides text in an issue; remove it
    w.yml:1:17: `product.name` holds the invisible character U+202E; remove it
    w.yml:1:28: `product.security_policy` cannot be "http://example.org": it must be a link that begins with `https://`
    w.yml:1:28: `product.security_policy` cannot be "https://a.org/x)": a link holds no spaces, quotes, brackets or invisible characters; write `(` as `%28` and `)` as `%29`
    w.yml:1:28: `product.security_policy` cannot be "https://": the host is missing or has a user in front of it
    w.yml:1:30: `product.private_reporting` cannot be "security at example.org": write a mail address, for example `security@example.org`, or a link that begins with `https://`
    w.yml:1:53: `advisories.packages` has this entry twice; the other is in line 1
    "#);
}

#[test]
fn labels_that_cannot_be() {
    let long = format!("labels: {{high: {}}}", "x".repeat(60));
    let description = format!("labels: {{high: {{description: {}}}}}", "x".repeat(101));
    insta::assert_snapshot!(errors([
        &long,
        &description,
        "labels: {high: ' '}",
        "labels: {high: 'a,b'}",
        "labels: {high: {color: '#d93f0b'}}",
        "labels: {high: {color: red}}",
        "labels: {high: urgent, low: Urgent}",
        "labels: {high: severity/low}",
        "labels: {high: phase/high}",
        "labels: {review: phase/5-review}",
        "labels: {high: {was: severity/high}}",
        "labels: {high: {was: severity/low}}",
        "labels: {high: {was: old}, low: {was: Old}}",
        "labels: {high: {was: security-report}}",
        "labels: {incident: security-report}",
        "reports: {label: incident}",
        "reports: {label: phase/1}",
        "phases: [{number: 1, label: phase/2-mitigation}]",
        "phases: [{number: 1, label: incident}]",
        "phases: [{number: 1, label: a}, {number: 2, label: {name: A}}]",
    ]), @r##"
    w.yml:1:16: `labels.high` has 60 characters; GitHub takes at most 50 for a label's name
    w.yml:1:30: `labels.high.description` has 101 characters; GitHub takes at most 100
    w.yml:1:16: `labels.high` is empty; a label needs a name
    w.yml:1:16: `labels.high` holds a comma, by which GitHub's lists separate labels; use another character
    w.yml:1:24: `labels.high.color` cannot be "#d93f0b": write `d93f0b`, without `#`
    w.yml:1:24: `labels.high.color` cannot be "red": write six hex digits, for example `d93f0b`
    w.yml:1:29: `labels.low` is named `Urgent`, as `labels.high` is; two labels need two names
    w.yml:1:16: `labels.high` is named `severity/low`, as `labels.low` is; two labels need two names
    w.yml:1:16: `labels.high` cannot begin with `phase/`, which only labels of phases do
    w.yml:1:18: `labels.review` cannot begin with `phase/5`, which phase 5 does
    w.yml:1:22: `labels.high.was` is the name that the label has now; remove `was`
    w.yml:1:22: `labels.high.was` is `severity/low`, the name of `labels.low`, which would lose it
    w.yml:1:39: `labels.low.was` is `Old`, as `labels.high.was` is; one label becomes one other
    w.yml:1:22: `labels.high.was` is `security-report`, the label of reports; renaming it would hide new reports
    w.yml:1:20: `labels.incident` cannot be `security-report`: that is the label of reports
    w.yml:1:18: `reports.label` cannot be `incident`: Wardroom sets and removes that label itself
    w.yml:1:18: `reports.label` cannot be `phase/1`: Wardroom sets and removes that label itself
    w.yml:1:29: `phases.label` begins with `phase/2`, but this is phase 1
    w.yml:1:29: `phases.label` is named `incident`, as `labels.incident` is; two labels need two names
    w.yml:1:52: `phases.label` is named `A`, as phase 1 is; two labels need two names
    "##);
}

#[test]
fn every_problem_is_said_at_once() {
    let text = "
mode: wach
reports:
  lable: x
  open_per_hour: 500
roster: [ada, '@grace']
labels:
  high: {color: red, name: severity/low}
zone: Madrid
";
    insta::assert_snapshot!(errors([text]), @r#"
    w.yml:2:7: `mode` cannot be "wach": write `off`, `watch` or `on`
    w.yml:4:3: unknown key `lable` in `reports`; did you mean `label`?
    w.yml:5:18: `reports.open_per_hour` cannot be "500": write a whole number from 1 to 100
    w.yml:6:15: `roster` wants logins without `@`: write `grace`
    w.yml:8:9: `labels.high` is named `severity/low`, as `labels.low` is; two labels need two names
    w.yml:8:17: `labels.high.color` cannot be "red": write six hex digits, for example `d93f0b`
    w.yml:9:7: `zone` cannot be "Madrid": no time zone has that name; did you mean `Europe/Madrid`?
    "#);
}
