//! The port's calls about advisories and releases, and what refuses them, judged like the rest.

use jiff::Timestamp;
use serde_json::json;
use wardroom::domain::advisory::approval::{Act, Approval, Order};
use wardroom::domain::facts::{Account, Role};
use wardroom::domain::policy::Policy;
use wardroom::github::types::{Advisory, AdvisoryPatch, AdvisoryState, Ghsa, NewAdvisory, Release, RepoName};
use wardroom::github::{Advisories, Error};
use wardroom::sim::Visibility;

use crate::judge::Judge;
use crate::port::{client, token};
use crate::simulated::{Stage, faults};
use crate::tap::Tap;

/// What [`every_call`] was answered.
pub(crate) struct Answers {
    /// As it was created, changed, read and published.
    pub(crate) advisory: [Advisory; 4],
    pub(crate) drafts: Vec<Advisory>,
    pub(crate) release: Option<Release>,
    pub(crate) releases: Vec<Release>,
}

/// An approval of this act, by the checks that every approval passes.
pub(crate) fn approval(act: Act, ghsa: &Ghsa) -> Approval {
    let now = Timestamp::UNIX_EPOCH;
    let by = Account { id: 1, login: "ada".to_owned(), kind: "User".to_owned() };
    let order = Order { comment: 1, by: &by, role: Role::Admin, unedited: true, said_at: now, ghsa };
    let policy = Policy::load("publish: allowed\npublish_needs_two: false").unwrap();
    Approval::check(act, &order, None, ghsa, &policy, now).unwrap()
}

/// A draft with everything that may be said in one.
pub(crate) fn full_draft(credited: &str) -> NewAdvisory {
    NewAdvisory {
        summary: "A crafted message gives an attacker full control".to_owned(),
        description: "## Summary\n\nUpdate now.".to_owned(),
        vulnerabilities: serde_json::from_value(json!([{
            "package": { "ecosystem": "rust", "name": "ledger-mail" }, "vulnerable_version_range": ">= 0.11.0, < 0.15.6",
            "patched_versions": "0.15.6", "vulnerable_functions": ["parser::header"],
        }]))
        .unwrap(),
        cve_id: None,
        cwe_ids: vec!["CWE-787".to_owned()],
        credits: serde_json::from_value(json!([{ "login": credited, "type": "remediation_developer" }])).unwrap(),
        severity: None,
        cvss_vector_string: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N".to_owned()),
    }
}

/// Drives every method of this part of the port once. An answer's own id is used where it is one.
pub(crate) async fn every_call(github: &dyn Advisories, repo: &RepoName, tag: &str, credited: &str) -> Answers {
    let draft = full_draft(credited);
    let created = github.create_advisory(repo, &draft).await.unwrap();
    let id = created.id().unwrap_or_else(|| "GHSA-2c3f-4gh5-6jm7".parse().unwrap());
    let patch = AdvisoryPatch {
        summary: Some("Another title".to_owned()),
        description: Some("Another text".to_owned()),
        vulnerabilities: Some(draft.vulnerabilities.clone()),
        severity: Some(Some("high".parse().unwrap())),
        cvss_vector_string: Some(None),
        cwe_ids: Some(vec!["CWE-20".to_owned()]),
        credits: Some(draft.credits.clone()),
        cve_id: Some(None),
    };
    let changed = github.update_advisory(repo, &id, &patch).await.unwrap();
    let read = github.advisory(repo, &id).await.unwrap();
    let drafts = github.advisories(repo, AdvisoryState::Draft).await.unwrap();
    github.request_cve(repo, &approval(Act::RequestCve, &id)).await.unwrap();
    let published = github.conclude_advisory(repo, &approval(Act::Publish, &id)).await.unwrap();
    let release = github.release(repo, tag).await.unwrap();
    let releases = github.releases(repo).await.unwrap();
    Answers { advisory: [created, changed, read, published], drafts, release, releases }
}

#[tokio::test]
async fn every_refusal_about_advisories_is_one_that_github_describes() {
    let Some(judge) = Judge::load() else { return };
    let (tap, stage) = (Tap::default(), Stage::new());
    let (world, mail) = (&stage.world, &stage.mail);
    world.add_user("eve");
    world.add_user("bob");
    world.collaborator(mail, "bob", Role::Write);
    let address = stage.serve(&tap).await;
    let as_person = |login: &str| client(&address, &token(&format!("token-{login}")), mail);
    let (ada, bob, eve) = (as_person("ada"), as_person("bob"), as_person("eve"));
    let unknown: Ghsa = "GHSA-2222-2222-2222".parse().unwrap();
    let report: Ghsa = world.person("eve").report_privately(mail, "A hole", "Deep.").unwrap().parse().unwrap();
    world.person("ada").start_private_fork(mail, &report.to_string()).unwrap();

    // What is there, in its other shapes: a report, with a private fork, seen by its reporter.
    assert_eq!(ada.advisories(mail, AdvisoryState::Triage).await.unwrap().len(), 1);
    assert!(eve.advisory(mail, &report).await.unwrap().has_fork());
    let accepted = ada.conclude_advisory(mail, &approval(Act::Accept, &report)).await.unwrap();
    assert!(accepted.submission.unwrap().accepted);

    // 404: not there, or not to be known.
    assert!(matches!(bob.advisory(mail, &report).await, Err(Error::NotFound(_))));
    assert!(matches!(ada.advisory(mail, &unknown).await, Err(Error::NotFound(_))));
    assert!(matches!(ada.request_cve(mail, &approval(Act::RequestCve, &unknown)).await, Err(Error::NotFound(_))));
    let patch = AdvisoryPatch { summary: Some("Mine".to_owned()), ..AdvisoryPatch::default() };
    assert!(matches!(ada.update_advisory(mail, &unknown, &patch).await, Err(Error::NotFound(_))));
    assert!(matches!(ada.release(mail, "v9").await, Ok(None)));

    // 403: not allowed.
    let draft = full_draft("ada");
    assert!(matches!(bob.create_advisory(mail, &draft).await, Err(Error::Forbidden { .. })));
    let publish = eve.conclude_advisory(mail, &approval(Act::Publish, &report)).await;
    assert!(matches!(publish, Err(Error::Forbidden { .. })));
    assert!(matches!(eve.request_cve(mail, &approval(Act::RequestCve, &report)).await, Err(Error::Forbidden { .. })));

    // 422: wrong and staying wrong.
    let invalid = |refused: wardroom::github::Result<Advisory>| {
        assert!(matches!(refused, Err(Error::Invalid { status: 422, .. })), "{refused:?}");
    };
    let nobody = full_draft("nobody-of-that-name");
    invalid(ada.create_advisory(mail, &nobody).await);
    let empty = AdvisoryPatch { vulnerabilities: Some(Vec::new()), ..AdvisoryPatch::default() };
    invalid(ada.update_advisory(mail, &report, &empty).await);
    invalid(ada.conclude_advisory(mail, &approval(Act::Publish, &report)).await);
    let asked = ada.request_cve(mail, &approval(Act::RequestCve, &report)).await;
    assert!(matches!(asked, Err(Error::Invalid { status: 422, .. })));

    world.set_visibility(mail, Visibility::Private);
    assert!(matches!(ada.create_advisory(mail, &draft).await, Err(Error::Forbidden { .. })));

    let exchanges = tap.exchanges();
    let mut statuses: Vec<u16> = exchanges.iter().map(|exchange| exchange.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 403, 404, 422]);
    let found = faults(judge, &exchanges);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn a_long_list_of_advisories_goes_on_behind_its_cursor() {
    let Some(judge) = Judge::load() else { return };
    let (tap, stage) = (Tap::default(), Stage::new());
    stage.world.add_user("eve");
    let eve = stage.world.person("eve");
    for number in 0..101 {
        eve.report_privately(&stage.mail, &format!("Hole {number}"), "Deep.").unwrap();
    }
    let address = stage.serve(&tap).await;
    let github = client(&address, &token("token-ada"), &stage.mail);
    assert_eq!(github.advisories(&stage.mail, AdvisoryState::Triage).await.unwrap().len(), 101);
    let exchanges = tap.exchanges();
    assert_eq!(exchanges.len(), 2);
    let found = faults(judge, &exchanges);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
