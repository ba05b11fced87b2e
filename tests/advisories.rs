//! The client's calls about advisories and releases, over the simulated GitHub: pages, lost answers, refusals.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use wardroom::domain::advisory::approval::{Act, Approval, Order};
use wardroom::domain::facts::{Account, RepoName, Role};
use wardroom::domain::policy::Policy;
use wardroom::github::rest::{Identity, Rest};
use wardroom::github::types::{Advisory, AdvisoryPatch, AdvisoryState, Ghsa, NewAdvisory};
use wardroom::github::{Advisories, Error};
use wardroom::sim::{Fault, SimTransport, Visibility, When, World};

struct Town {
    world: Arc<World>,
    repo: RepoName,
}

impl Town {
    fn new() -> Town {
        let world = Arc::new(World::new());
        let repo: RepoName = "octo/mail".parse().unwrap();
        world.add_repo(&repo, Visibility::Public);
        for (login, role) in [("ada", Role::Admin), ("bob", Role::Write)] {
            world.add_user(login);
            world.collaborator(&repo, login, role);
        }
        world.add_user("eve");
        let rights = [("repository_advisories", "write"), ("contents", "read")];
        world.add_app("wardroom", std::slice::from_ref(&repo), &rights);
        Town { world, repo }
    }

    fn client(&self, who: &str) -> Rest<SimTransport> {
        Rest::new(SimTransport::new(self.world.clone(), &format!("token-{who}")), Identity::Token)
    }

    fn approved(&self, act: Act, ghsa: &Ghsa) -> Approval {
        let ada = Account { id: 1, login: "ada".to_owned(), kind: "User".to_owned() };
        let policy = Policy::load("publish: allowed\npublish_needs_two: false").unwrap();
        let now: Timestamp = self.world.now();
        let order = Order { comment: 1, by: &ada, role: Role::Admin, unedited: true, said_at: now, ghsa };
        Approval::check(act, &order, None, ghsa, &policy, now).unwrap()
    }

    fn writes(&self) -> usize {
        self.world.calls().iter().filter(|call| call.method != "GET").count()
    }
}

fn new(summary: &str) -> NewAdvisory {
    let vulnerability = json!({
        "package": { "ecosystem": "rust", "name": "mail" }, "vulnerable_version_range": "< 1.2", "patched_versions": "1.2",
    });
    NewAdvisory {
        summary: summary.to_owned(),
        description: "Deep.".to_owned(),
        vulnerabilities: vec![serde_json::from_value(vulnerability).unwrap()],
        cve_id: None,
        cwe_ids: vec!["CWE-79".to_owned()],
        credits: Vec::new(),
        severity: None,
        cvss_vector_string: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
    }
}

async fn drafted(town: &Town) -> Ghsa {
    town.client("wardroom").create_advisory(&town.repo, &new("A hole")).await.unwrap().id().unwrap()
}

#[tokio::test]
async fn a_list_is_followed_to_its_end() {
    let town = Town::new();
    let github = town.client("wardroom");
    for number in 0..201 {
        github.create_advisory(&town.repo, &new(&format!("Hole {number}"))).await.unwrap();
    }
    town.world.clear_calls();
    let drafts = github.advisories(&town.repo, AdvisoryState::Draft).await.unwrap();
    assert_eq!((drafts.len(), town.world.calls().len()), (201, 3));
    assert!(github.advisories(&town.repo, AdvisoryState::Triage).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_answer_sends_nothing_twice_and_the_draft_is_found_again() {
    for (fault, when) in [
        (Fault::TimeOut, When::After),
        (Fault::BadGateway, When::After),
        (Fault::CutBody, When::After),
        (Fault::TimeOut, When::Before),
    ] {
        let town = Town::new();
        let github = town.client("wardroom");
        town.world.faults(|faults| faults.fail(1, fault, when));
        let answer = github.create_advisory(&town.repo, &new("A hole")).await;
        assert!(matches!(answer, Err(Error::Unknown { .. })), "{fault:?}: {answer:?}");
        assert_eq!(town.writes(), 1, "{fault:?}");
        let drafts = github.advisories(&town.repo, AdvisoryState::Draft).await.unwrap();
        let found = drafts.iter().filter(|draft| new("A hole").is(draft)).count();
        assert_eq!(found, usize::from(when == When::After), "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_changes_what_it_names_and_never_the_state() {
    let town = Town::new();
    let (github, ghsa) = (town.client("wardroom"), drafted(&town).await);
    let patch = AdvisoryPatch {
        severity: Some(Some("low".parse().unwrap())),
        cvss_vector_string: Some(None),
        cve_id: Some(Some("CVE-2026-12345".parse().unwrap())),
        ..AdvisoryPatch::default()
    };
    let changed = github.update_advisory(&town.repo, &ghsa, &patch).await.unwrap();
    assert!(patch.is_done(&changed));
    assert_eq!((changed.vector(), changed.state), (None, AdvisoryState::Draft));
    assert_eq!((changed.summary.as_str(), changed.cwe_ids.len()), ("A hole", 1));
    let taken_back = AdvisoryPatch { cve_id: Some(None), ..AdvisoryPatch::default() };
    assert_eq!(github.update_advisory(&town.repo, &ghsa, &taken_back).await.unwrap().cve_id, None);
}

#[tokio::test]
async fn an_approval_is_good_for_its_own_act_only() {
    let town = Town::new();
    let (github, ghsa) = (town.client("wardroom"), drafted(&town).await);
    let publish = town.approved(Act::Publish, &ghsa);
    let request = town.approved(Act::RequestCve, &ghsa);
    let before = town.writes();
    assert!(matches!(github.request_cve(&town.repo, &publish).await, Err(Error::Invalid { .. })));
    assert!(matches!(github.conclude_advisory(&town.repo, &request).await, Err(Error::Invalid { .. })));
    assert_eq!(town.writes(), before, "nothing was sent");
    github.request_cve(&town.repo, &request).await.unwrap();
    assert_eq!(town.world.cve_requests(&town.repo, &ghsa.to_string()), 1);
    let published = github.conclude_advisory(&town.repo, &publish).await.unwrap();
    assert_eq!(published.state, AdvisoryState::Published);
    assert_eq!(published.publisher.unwrap().login, "wardroom[bot]");
}

#[tokio::test]
async fn a_private_report_is_accepted_or_closed() {
    let town = Town::new();
    let github = town.client("wardroom");
    let eve = town.world.person("eve");
    for (act, state, accepted) in
        [(Act::Accept, AdvisoryState::Draft, true), (Act::Reject, AdvisoryState::Closed, false)]
    {
        let ghsa: Ghsa = eve.report_privately(&town.repo, "A hole", "Deep.").unwrap().parse().unwrap();
        let reports = github.advisories(&town.repo, AdvisoryState::Triage).await.unwrap();
        assert_eq!(reports.iter().map(Advisory::id).collect::<Vec<_>>(), [Some(ghsa.clone())]);
        assert_eq!(reports[0].author.as_ref().unwrap().login, "eve");
        let after = github.conclude_advisory(&town.repo, &town.approved(act, &ghsa)).await.unwrap();
        assert_eq!((after.state, after.submission.unwrap().accepted), (state, accepted));
    }
}

#[tokio::test]
async fn refusals_are_told_apart_and_name_the_permission() {
    let town = Town::new();
    let ghsa = drafted(&town).await;
    let unknown: Ghsa = "GHSA-2222-2222-2222".parse().unwrap();
    let (github, bob) = (town.client("wardroom"), town.client("bob"));
    let actions = town.world.add_actions_token(&town.repo, &[("contents", "write")]);
    let workflow = Rest::new(SimTransport::new(town.world.clone(), &actions), Identity::Token);

    for refused in
        [bob.create_advisory(&town.repo, &new("x")).await, workflow.create_advisory(&town.repo, &new("x")).await]
    {
        let Err(error @ Error::Forbidden { .. }) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains("“Repository security advisories: write”"), "{error}");
    }
    assert!(matches!(github.advisory(&town.repo, &unknown).await, Err(Error::NotFound(_))));
    assert!(matches!(workflow.advisory(&town.repo, &ghsa).await, Err(Error::NotFound(_))));
    assert_eq!(workflow.advisories(&town.repo, AdvisoryState::Draft).await.unwrap(), []);
    let bad = AdvisoryPatch { vulnerabilities: Some(Vec::new()), ..AdvisoryPatch::default() };
    let refused = github.update_advisory(&town.repo, &ghsa, &bad).await;
    assert!(matches!(refused, Err(Error::Invalid { status: 422, .. })), "{refused:?}");
    let asked = github.request_cve(&town.repo, &town.approved(Act::RequestCve, &unknown)).await;
    assert!(matches!(asked, Err(Error::NotFound(_))), "{asked:?}");
    town.world.set_visibility(&town.repo, Visibility::Private);
    let asked = github.request_cve(&town.repo, &town.approved(Act::RequestCve, &ghsa)).await;
    assert!(matches!(asked, Err(Error::Forbidden { .. })), "{asked:?}");
    town.world.without_advisories();
    assert!(matches!(github.advisories(&town.repo, AdvisoryState::Draft).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_release_is_there_or_not() {
    let town = Town::new();
    let github = town.client("wardroom");
    let ada = town.world.person("ada");
    assert_eq!(github.release(&town.repo, "v1.2").await.unwrap(), None);
    ada.release(&town.repo, "v1.2", &["mail.tar.gz"], true, false).unwrap();
    assert_eq!(github.release(&town.repo, "v1.2").await.unwrap(), None, "a draft");
    ada.publish_release(&town.repo, "v1.2", &["mail.tar.gz"]).unwrap();
    ada.publish_release(&town.repo, "line/1 x", &[]).unwrap();
    let found = github.release(&town.repo, "v1.2").await.unwrap().unwrap();
    assert_eq!((found.published_at, found.assets[0].name.as_str()), (Some(town.world.now()), "mail.tar.gz"));
    assert!(github.release(&town.repo, "line/1 x").await.unwrap().is_some());
    let tags: Vec<String> = github.releases(&town.repo).await.unwrap().into_iter().map(|one| one.tag_name).collect();
    assert_eq!(tags, ["line/1 x", "v1.2"]);
}
