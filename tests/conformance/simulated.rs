//! The real client against the simulated GitHub over HTTP, each request and answer judged by GitHub's own descriptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use wardroom::domain::facts::Role;
use wardroom::github::auth::Credentials;
use wardroom::github::types::{Account, AdvisoryState, IssueState, Reaction, RepoName};
use wardroom::github::{Advisories as _, Error, GitHub as _, Reach};
use wardroom::sim::{Visibility, World, http};

use crate::advisories;
use crate::graphql;
use crate::judge::Judge;
use crate::operations::USED;
use crate::port::{app, client_for, client_with, every_call, token};
use crate::tap::{Exchange, Tap};

/// A private tracker with a policy and a public repository with a release; Ada owns them, the App `wardroom` is installed
/// there.
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) tracker: RepoName,
    /// The repository that publishes advisories.
    pub(crate) mail: RepoName,
    pub(crate) ada: Account,
    /// The App's id.
    pub(crate) app: u64,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let world = Arc::new(World::new());
        let tracker: RepoName = "octo/security".parse().unwrap();
        world.add_repo(&tracker, Visibility::Private);
        world.file(&tracker, ".github/wardroom.yml", "mode: watch\n");
        let id = world.add_user("ada");
        world.collaborator(&tracker, "ada", Role::Admin);
        let mail: RepoName = "octo/ledger-mail".parse().unwrap();
        world.add_repo(&mail, Visibility::Public);
        world.collaborator(&mail, "ada", Role::Admin);
        world.person("ada").publish_release(&mail, "v0.15.6", &["ledger-mail-0.15.6.tar.gz"]).unwrap();
        let permissions = [("issues", "write"), ("contents", "read"), ("repository_advisories", "write")];
        let app = world.add_app("wardroom", &[tracker.clone(), mail.clone()], &permissions);
        Stage { world, tracker, mail, ada: Account { id, login: "ada".to_owned(), kind: "User".to_owned() }, app }
    }

    /// Serves the world over HTTP, recording; returns its address.
    pub(crate) async fn serve(&self, tap: &Tap) -> String {
        let address = tap.serve(http::router(self.world.clone())).await;
        self.world.set_base(&address);
        address
    }
}

/// All faults of what went over the wire, each with the call that it is in.
pub(crate) fn faults(judge: &Judge, exchanges: &[Exchange]) -> Vec<String> {
    let (graphql, rest): (Vec<&Exchange>, Vec<&Exchange>) = exchanges.iter().partition(|one| one.is_graphql());
    let mut faults = Vec::new();
    for exchange in rest {
        let call = format!("{} {} {}", exchange.method, exchange.path_with_query, exchange.status);
        let found = judge.check(exchange).into_iter();
        faults.extend(found.map(|one| format!("{call}: {} {} ({})", one.rule, one.at, one.why)));
    }
    faults.extend(graphql::faults_of_exchanges(&graphql).unwrap().into_iter().flatten());
    faults
}

async fn drive(stage: &Stage, tap: &Tap, credentials: &Credentials, me: &str) {
    stage.world.person("ada").open_issue(&stage.tracker, "It crashes", "Badly", &[]).unwrap();
    let sent = stage.world.take_deliveries();
    stage.world.attempted(&sent[0], 502);
    stage.world.attempted(&sent[0], 202);
    let address = stage.serve(tap).await;
    let github = client_for(&address, credentials, &[stage.tracker.clone(), stage.mail.clone()]);
    let answers = every_call(&github, &stage.tracker, ".github/wardroom.yml", &stage.ada).await;
    assert_eq!(answers.me.login, me);
    let log = me.ends_with("[bot]").then(|| vec!["issues".to_owned(); 2]);
    assert_eq!(answers.log, log);
    assert!(answers.repository.is_private());
    assert_eq!(answers.file.as_deref(), Some("mode: watch\n"));
    let [created, changed, read] = answers.issue;
    assert_eq!((created.title.as_str(), created.is_open()), ("Incident 2026-014", true));
    assert_eq!((changed.title.as_str(), changed.state), ("Incident 2026-015", Some(IssueState::Closed)));
    assert_eq!((read.text(), read.assignees.len()), ("## Phase 1\r\n\r\n- [x] Reproduce the vulnerability", 1));
    assert_eq!(answers.issues, [read]);
    assert_eq!(answers.comment.map(|comment| comment.body.unwrap()), ["Progress: 0 of 38", "Progress: 1 of 38"]);
    assert_eq!(answers.comments.len(), 1);
    let names: Vec<&str> = answers.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(names, ["phase/1-assessment", "incident"]);
    assert_eq!(answers.role, Role::Admin);
    assert_eq!(answers.history.revisions.len(), 2);
    assert_eq!(answers.history.comments[0].own_reactions, [Reaction::Rocket]);
    assert!(answers.history.comments[0].last_edited_at.is_some());
    let answers = advisories::every_call(&github, &stage.mail, "v0.15.6", "ada").await;
    let [created, changed, read, published] = answers.advisory;
    assert!(advisories::full_draft("ada").is(&created));
    assert_eq!((changed.summary.as_str(), changed.vector()), ("Another title", None));
    assert_eq!(answers.drafts, [read]);
    assert_eq!((published.state, published.publisher.unwrap().login.as_str()), (AdvisoryState::Published, me));
    assert_eq!(answers.release.unwrap().assets[0].name, "ledger-mail-0.15.6.tar.gz");
    assert_eq!(answers.releases.len(), 1);
}

#[tokio::test]
async fn every_call_and_answer_is_one_that_github_describes() {
    let Some(judge) = Judge::load() else { return };
    let tap = Tap::default();
    let stage = Stage::new();
    drive(&stage, &tap, &token("token-ada"), "ada").await;
    let stage = Stage::new();
    let Some(wardroom) = app(stage.app) else { return };
    drive(&stage, &tap, &wardroom, "wardroom[bot]").await;

    let exchanges = tap.exchanges();
    let failed: Vec<&Exchange> = exchanges.iter().filter(|one| !(200..300).contains(&one.status)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let found = faults(judge, &exchanges);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let hit: BTreeSet<String> = exchanges.iter().filter_map(|exchange| judge.operation(exchange)).collect();
    assert_eq!(hit.into_iter().collect::<Vec<_>>(), USED, "operations that the client calls");
}

/// The App may be missing on the repository of the advisories, its owner's or another's: that costs the advisories, and
/// nothing else.
#[tokio::test]
async fn an_app_that_is_not_installed_where_the_advisories_are_still_follows_incidents() {
    let stage = Stage::new();
    let Some(wardroom) = app(stage.app) else { return };
    let address = stage.serve(&Tap::default()).await;
    let number = stage.world.person("ada").open_issue(&stage.tracker, "It crashes", "Badly", &[]).unwrap();
    let neighbour: RepoName = "octo/website".parse().unwrap();
    stage.world.add_repo(&neighbour, Visibility::Public);
    let stranger: RepoName = "elsewhere/mail".parse().unwrap();
    stage.world.add_repo(&stranger, Visibility::Public);
    let id = "GHSA-2c3f-4gh5-6jm7".parse().unwrap();
    for also in [neighbour, stranger, stage.mail.clone()] {
        let reach = Reach { repositories: vec![stage.tracker.clone()], also: vec![also.clone()] };
        let github = client_with(&address, &wardroom, reach);
        assert!(github.issue(&stage.tracker, number).await.is_ok(), "{also}");
        assert!(matches!(github.advisory(&also, &id).await, Err(Error::NotFound(_))), "{also}");
        assert!(github.issue(&stage.tracker, number).await.is_ok(), "{also}");
    }
    // Where it is installed, its token reaches it.
    let reach = Reach { repositories: vec![stage.tracker.clone()], also: vec![stage.mail.clone()] };
    assert!(client_with(&address, &wardroom, reach).advisories(&stage.mail, AdvisoryState::Draft).await.is_ok());
}
