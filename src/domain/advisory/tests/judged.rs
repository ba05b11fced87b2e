use super::*;
use crate::domain::advisory::cve::{Asked, Decision, NotNow, answer, decide, may_ask};
use crate::domain::advisory::evidence::{Facts, Verdict, VersionRelease, evidence};
use crate::domain::advisory::facts::{Asset, Cvss, CvssSeverities, Release};
use crate::domain::advisory::interlock::{Apart, apart};
use crate::domain::advisory::lint::{Rule, Weight, is_clean, lint};
use crate::domain::version::Version;

/// The draft once a person has written their part.
fn finished(fields: &str) -> Advisory {
    let mut advisory = made(&wanted(fields));
    advisory.summary = "A crafted message gives an attacker full control".to_owned();
    advisory.description = Some("## Summary\n\nUpdate now.\n\n```toml\n[import]\nenabled = false\n```\n".to_owned());
    advisory
}

fn stops(advisory: &Advisory, fields: &str) -> Vec<Rule> {
    let found = lint(advisory, &known(fields)).into_iter().filter(|one| one.weight == Weight::Stops);
    found.map(|one| one.rule).collect()
}

#[test]
fn a_finished_advisory_is_clean_and_a_crate_is_worth_a_thought() {
    let found = lint(&finished(FIELDS), &known(FIELDS));
    assert!(is_clean(&found));
    assert_eq!(found.iter().map(|one| one.rule).collect::<Vec<_>>(), [Rule::IsItOnCratesIo]);
}

#[test]
fn a_fresh_draft_is_never_clean() {
    assert!(stops(&made(&wanted(FIELDS)), FIELDS).contains(&Rule::Placeholder));
}

#[test]
fn each_rule_finds_its_fault() {
    type Spoil = Box<dyn Fn(&mut Advisory)>;
    let range = |text: &'static str| {
        move |one: &mut Advisory| one.vulnerabilities[0].vulnerable_version_range = Some(text.to_owned())
    };
    let text = |text: &'static str| move |one: &mut Advisory| one.description = Some(text.to_owned());
    let cases: Vec<(Rule, Spoil)> = vec![
        (Rule::NoPackage, Box::new(|one| one.vulnerabilities.clear())),
        (Rule::NoPatch, Box::new(|one| one.vulnerabilities[0].patched_versions = None)),
        (Rule::NoPatch, Box::new(|one| one.vulnerabilities[0].patched_versions = Some(" ".to_owned()))),
        (Rule::UnclearRange, Box::new(|one| one.vulnerabilities[0].vulnerable_version_range = None)),
        (Rule::UnclearRange, Box::new(range("most of them"))),
        (Rule::EmptyRange, Box::new(range(">= 2.0, < 1.0"))),
        (Rule::EmptyRange, Box::new(range("none"))),
        (Rule::EndlessRange, Box::new(range(">= 0.20"))),
        (Rule::PatchAffected, Box::new(range("<= 0.15.6"))),
        (Rule::NoRating, Box::new(|one| (one.severity, one.cvss_severities) = (None, None))),
        (Rule::ScoreAgainstSeverity, Box::new(|one| one.severity = Some("low".to_owned()))),
        (
            Rule::ScoreAgainstSeverity,
            Box::new(|one| {
                let cvss =
                    Some(Cvss { vector_string: Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N".to_owned()) });
                one.cvss_severities = Some(CvssSeverities { cvss_v3: cvss, cvss_v4: None });
                one.severity = Some("low".to_owned());
            }),
        ),
        (Rule::NoWeakness, Box::new(|one| one.cwe_ids.clear())),
        (Rule::NoCredit, Box::new(|one| one.credits.clear())),
        (Rule::Placeholder, Box::new(|one| one.summary.clear())),
        (Rule::Placeholder, Box::new(text("Update to << version >>."))),
        (Rule::Placeholder, Box::new(text("_What kind of vulnerability is it? Who is impacted?_"))),
        (Rule::Placeholder, Box::new(text("See GHSA-XXXX-XXXX-XXXX."))),
        (Rule::ProofOfConcept, Box::new(text("### PoC\n\nSend it a long header."))),
        (Rule::ProofOfConcept, Box::new(text("**Steps to reproduce**\n\n1. Send it."))),
        (Rule::ProofOfConcept, Box::new(text("Try:\n\n```sh\n$ curl -d @x https://mail.example/import\n```\n"))),
        (Rule::ProofOfConcept, Box::new(text("Try:\n\n    import socket\n    socket.socket()\n"))),
        (
            Rule::NotOnCratesIo,
            Box::new(|one| {
                one.vulnerabilities[0].package.as_mut().unwrap().name = Some("octo/mail server".to_owned());
            }),
        ),
    ];
    for (rule, spoil) in cases {
        let mut advisory = finished(FIELDS);
        spoil(&mut advisory);
        assert!(stops(&advisory, FIELDS).contains(&rule), "{rule:?}: {:?}", lint(&advisory, &known(FIELDS)));
    }
    let harmless: [fn(&mut Advisory); 3] = [
        |one| one.description = Some("It is fixed (epochs are checked). Signs: `GET /import`.".to_owned()),
        |one| one.description = Some(r"A \<< B >> C is a shift.".to_owned()),
        |one| one.description = Some("```log\ncurl GET /import 500\n```".to_owned()),
    ];
    for spoil in harmless {
        let mut advisory = finished(FIELDS);
        spoil(&mut advisory);
        assert_eq!(stops(&advisory, FIELDS), [], "{:?}", advisory.description);
    }
}

#[test]
fn whoever_thanks_nobody_says_so() {
    let fields =
        FIELDS.replace("@Ada, Jane Doe, @grace (remediation developer)", "nobody").replace("`@eve`", "`@login…`");
    let advisory = finished(&fields);
    assert_eq!((advisory.credits.len(), stops(&advisory, &fields)), (0, Vec::new()));
}

#[test]
fn the_cve_is_decided_by_the_score_and_the_policy() {
    let decided = |fields: &str, threshold: &str| {
        let policy = Policy::load(&format!("cve_threshold: {threshold}")).unwrap();
        decide(&known(fields), None, &policy)
    };
    let score = |text: &str| text.parse().unwrap();
    assert_eq!(decided(FIELDS, "4.0"), Decision::Wanted(score("9.8")));
    assert_eq!(decided("- **CVSS Score**: 4.0\n", "4.0"), Decision::Wanted(score("4.0")));
    assert_eq!(decided("- **CVSS Score**: 3.9\n", "4.0"), Decision::NotNeeded(score("3.9")));
    assert_eq!(decided("- **CVSS Score**: 6.9\n", "7"), Decision::NotNeeded(score("6.9")));
    assert_eq!(decided("- **Severity Level**: High\n", "4.0"), Decision::NoScore);
    let cve: Cve = "CVE-2026-12345".parse().unwrap();
    assert_eq!(
        decided("- **CVE ID**: CVE-2026-12345\n- **CVSS Score**: 1.0\n", "4.0"),
        Decision::Assigned(cve.clone())
    );
    let advisory = Advisory { cve_id: Some("CVE-2026-12345".to_owned()), ..finished(FIELDS) };
    assert_eq!(decide(&known(""), Some(&advisory), &Policy::default()), Decision::Assigned(cve));
    assert_eq!(decide(&known(""), Some(&finished(FIELDS)), &Policy::default()), Decision::Wanted(score("9.8")));
}

#[test]
fn github_is_asked_once_and_only_where_it_can_answer() {
    let (advisory, known) = (finished(FIELDS), known(FIELDS));
    let then = at("2026-03-02T09:00:00Z");
    assert_eq!(may_ask(&advisory, &known, true, Asked::Never), Ok(()));
    assert_eq!(may_ask(&advisory, &known, true, Asked::At(then)), Err(NotNow::Asked(then)));
    assert_eq!(may_ask(&advisory, &known, true, Asked::Perhaps(then)), Err(NotNow::Perhaps(then)));
    assert_eq!(may_ask(&advisory, &known, false, Asked::Never), Err(NotNow::NotPublic));
    let closed = Advisory { state: AdvisoryState::Closed, ..advisory.clone() };
    assert_eq!(may_ask(&closed, &known, true, Asked::Never), Err(NotNow::WrongState("closed")));
    let bare = Advisory { vulnerabilities: Vec::new(), ..advisory.clone() };
    assert_eq!(may_ask(&bare, &known, true, Asked::Never), Err(NotNow::NoRange));
    let has = Advisory { cve_id: Some("CVE-2026-12345".to_owned()), ..advisory };
    assert!(matches!(may_ask(&has, &known, true, Asked::Never), Err(NotNow::Assigned(_))));
}

#[test]
fn each_answer_of_github_has_its_words() {
    let then = at("2026-03-02T09:00:00Z");
    let texts: Vec<String> = [202, 400, 403, 404, 422, 409].map(|status| answer(status, "", then)).to_vec();
    let unlike: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(unlike.len(), texts.len());
    assert!(texts[0].contains("2026-03-02 09:00 UTC"));
    assert!(texts[2].contains("Repository security advisories: write"));
    assert!(answer(422, "@octo `x` <!-- y", then).contains("``@octo `x` <!\u{200B}-- y``"));
}

fn release(tag: &str, assets: &[&str]) -> Release {
    let assets = assets.iter().map(|name| Asset { name: (*name).to_owned(), state: Some("uploaded".to_owned()) });
    Release {
        tag_name: tag.to_owned(),
        html_url: format!("https://github.com/octo/mail/releases/tag/{tag}"),
        draft: false,
        prerelease: false,
        published_at: Some(at("2026-03-05T14:00:00Z")),
        assets: assets.collect(),
    }
}

fn looked_for(release: Option<Release>) -> Vec<VersionRelease> {
    let mut policy = policy();
    policy.releases.assets = vec!["mail-{version}.tar.gz".to_owned()];
    let mut all = VersionRelease::to_look_for(&[Version::parse("0.15.6").unwrap()], &policy);
    assert_eq!(
        (all[0].tag.as_str(), all[0].wanted_assets.as_slice()),
        ("v0.15.6", &["mail-0.15.6.tar.gz".to_owned()][..])
    );
    all[0].release = release;
    all
}

/// What the facts say, task by task: a proof with its link, a denial, or nothing.
fn said(fields: &str, advisory: Option<&Advisory>, releases: Option<&[VersionRelease]>) -> String {
    let known = known(fields);
    let policy = policy();
    let cve = decide(&known, advisory, &policy);
    let rows = advisory.map(|advisory| drift::rows(&wanted(fields), &known, advisory)).unwrap_or_default();
    let findings = advisory.map(|advisory| lint(advisory, &known)).unwrap_or_default();
    let facts = Facts { advisory, advisories_readable: true, rows: &rows, findings: &findings, releases, cve: &cve };
    let line = |one: evidence::Evidence| match one.verdict {
        Verdict::Proven { because, link } => format!("{} yes: {because} {}", one.task, link.unwrap_or_default()),
        Verdict::Denied(why) => format!("{} no: {why}", one.task),
        Verdict::Silent => format!("{} –", one.task),
    };
    evidence(&facts, &policy).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn facts_prove_and_deny_six_tasks() {
    let nothing = said(FIELDS, None, None);
    insta::assert_snapshot!(nothing, @"
    T8 no: no advisory is linked
    T12 no: no advisory is linked
    T24 no: no advisory is linked
    T29 –
    T31 no: no advisory is linked
    T34 –
    ");
    let mut draft = made(&wanted(FIELDS));
    draft.cwe_ids = vec!["CWE-1".to_owned()];
    insta::assert_snapshot!(said(FIELDS, Some(&draft), Some(&looked_for(None))), @"
    T8 no: `GHSA-2c3f-4gh5-6jm7` and the fields differ in CWE
    T12 yes: `GHSA-2c3f-4gh5-6jm7` exists https://github.com/octo/mail/security/advisories/GHSA-2c3f-4gh5-6jm7
    T24 no: 6 things stand between `GHSA-2c3f-4gh5-6jm7` and publication
    T29 no: `v0.15.6` has no release
    T31 no: `GHSA-2c3f-4gh5-6jm7` is a draft, not published
    T34 –
    ");
    let mut public = finished(FIELDS);
    public.state = AdvisoryState::Published;
    public.published_at = Some(at("2026-03-05T15:00:00Z"));
    public.cve_id = Some("CVE-2026-12345".to_owned());
    let fields = format!("{FIELDS}- **CVE ID**: CVE-2026-12345\n");
    let out = looked_for(Some(release("v0.15.6", &["mail-0.15.6.tar.gz"])));
    insta::assert_snapshot!(said(&fields, Some(&public), Some(&out)), @"
    T8 yes: `GHSA-2c3f-4gh5-6jm7` says what the fields say https://github.com/octo/mail/security/advisories/GHSA-2c3f-4gh5-6jm7
    T12 yes: `GHSA-2c3f-4gh5-6jm7` exists https://github.com/octo/mail/security/advisories/GHSA-2c3f-4gh5-6jm7
    T24 yes: nothing stands between `GHSA-2c3f-4gh5-6jm7` and publication https://github.com/octo/mail/security/advisories/GHSA-2c3f-4gh5-6jm7
    T29 yes: `v0.15.6` is released, 2026-03-05 14:00 UTC https://github.com/octo/mail/releases/tag/v0.15.6
    T31 yes: `GHSA-2c3f-4gh5-6jm7` is published, 2026-03-05 15:00 UTC https://github.com/octo/mail/security/advisories/GHSA-2c3f-4gh5-6jm7
    T34 yes: `CVE-2026-12345` is assigned https://www.cve.org/CVERecord?id=CVE-2026-12345
    ");
    assert!(said("- **CVSS Score**: 3.9\n", None, None).ends_with("T34 yes: not needed: the score 3.9 is below 4.0 "));
}

#[test]
fn a_release_counts_when_people_can_install_from_it() {
    let lacks = |change: fn(&mut Release)| {
        let mut one = release("v0.15.6", &["mail-0.15.6.tar.gz"]);
        change(&mut one);
        looked_for(Some(one))[0].lacks()
    };
    assert_eq!(lacks(|_| {}), None);
    assert_eq!(lacks(|one| one.draft = true).as_deref(), Some("is a draft release"));
    assert_eq!(lacks(|one| one.prerelease = true).as_deref(), Some("is a pre-release"));
    assert_eq!(lacks(|one| one.assets.clear()).as_deref(), Some("lacks `mail-0.15.6.tar.gz`"));
    let on_its_way = lacks(|one| one.assets[0].state = Some("open".to_owned()));
    assert_eq!(on_its_way.as_deref(), Some("lacks `mail-0.15.6.tar.gz`"));
}

#[test]
fn release_and_advisory_belong_together() {
    let draft = finished(FIELDS);
    assert_eq!(apart(&draft, &looked_for(None)), None);
    let out = looked_for(Some(release("v0.15.6", &[])));
    let found = apart(&draft, &out).unwrap();
    assert!(matches!(found, Apart::ReleasedFirst { .. }), "an incomplete release is out all the same");
    assert_eq!(found.remind_at(&policy()), Some(at("2026-03-05T15:00:00Z")));
    assert!(found.words().contains("`v0.15.6` is public since 2026-03-05 14:00 UTC"), "{}", found.words());

    let public = Advisory {
        state: AdvisoryState::Published,
        published_at: Some(at("2026-03-05T12:00:00Z")),
        ..finished(FIELDS)
    };
    let found = apart(&public, &looked_for(None)).unwrap();
    assert_eq!(found.remind_at(&policy()), Some(at("2026-03-05T13:00:00Z")));
    assert!(found.words().contains("`v0.15.6` has no release"), "{}", found.words());
    assert_eq!(apart(&public, &looked_for(Some(release("v0.15.6", &["mail-0.15.6.tar.gz"])))), None);
    let closed = Advisory { state: AdvisoryState::Closed, ..draft };
    assert_eq!(apart(&closed, &out), None);
}
