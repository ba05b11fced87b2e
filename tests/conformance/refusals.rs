//! Where the simulated GitHub refuses, it does so with a status and a body that GitHub's description has there, and the
//! real client says what kind of refusal it was. Long lists and histories come in pages.

use wardroom::domain::facts::Role;
use wardroom::github::types::{Account, IssueFilter, IssuePatch, Label, NewIssue, RepoName};
use wardroom::github::{Error, GitHub};
use wardroom::sim::{Fault, Visibility, When};

use crate::judge::Judge;
use crate::port::{client, token};
use crate::simulated::{Stage, faults};
use crate::tap::Tap;

fn new_issue(title: &str, body: &str) -> NewIssue {
    NewIssue { title: title.to_owned(), body: body.to_owned(), labels: Vec::new(), assignees: Vec::new() }
}

fn label(name: &str, description: &str) -> Label {
    Label { name: name.to_owned(), color: Some("d93f0b".to_owned()), description: Some(description.to_owned()) }
}

#[tokio::test]
async fn every_refusal_is_one_that_github_describes() {
    let Some(judge) = Judge::load() else { return };
    let (tap, stage) = (Tap::default(), Stage::new());
    let (world, tracker) = (&stage.world, &stage.tracker);
    let elsewhere: RepoName = "octo/mail".parse().unwrap();
    let closed: RepoName = "octo/closed".parse().unwrap();
    let archived: RepoName = "octo/archived".parse().unwrap();
    for repo in [&elsewhere, &closed, &archived] {
        world.add_repo(repo, Visibility::Private);
        world.collaborator(repo, "ada", Role::Admin);
    }
    world.set_repo(&closed, false, false);
    world.set_repo(&archived, true, true);
    world.add_user("eve");
    world.add_user("rita");
    world.collaborator(tracker, "rita", Role::Read);
    let ada = world.person("ada");
    let [kept, moved, deleted] = ["kept", "moved", "deleted"].map(|t| ada.open_issue(tracker, t, "", &[]).unwrap());
    ada.transfer(tracker, moved, &elsewhere).unwrap();
    ada.delete_issue(tracker, deleted).unwrap();
    ada.lock(tracker, kept).unwrap();

    let address = stage.serve(&tap).await;
    let as_person = |login: &str| client(&address, &token(&format!("token-{login}")), tracker);
    let (github, eve, rita) = (as_person("ada"), as_person("eve"), as_person("rita"));

    // 404: not there, or not to be known.
    assert!(matches!(eve.repository(tracker).await, Err(Error::NotFound(_))));
    assert!(matches!(eve.create_issue(tracker, &new_issue("a", "")).await, Err(Error::NotFound(_))));
    assert!(matches!(github.issue(tracker, 99).await, Err(Error::NotFound(_))));
    assert!(matches!(github.comments(tracker, 99).await, Err(Error::NotFound(_))));
    assert!(matches!(eve.issues(tracker, &IssueFilter::default()).await, Err(Error::NotFound(_))));
    assert!(matches!(eve.labels(tracker).await, Err(Error::NotFound(_))));
    assert_eq!(github.file(tracker, "no/such/file.yml").await, Ok(None));
    let nobody = Account { id: 9, login: "nobody".to_owned(), kind: "User".to_owned() };
    assert_eq!(github.role(tracker, &nobody).await, Ok(Role::None));
    assert_eq!(github.remove_label(tracker, kept, "overdue").await, Ok(()));

    // 410 and 301: gone and moved.
    assert!(matches!(github.issue(tracker, deleted).await, Err(Error::Gone(_))));
    assert!(matches!(github.comments(tracker, deleted).await, Err(Error::Gone(_))));
    assert!(matches!(github.create_comment(tracker, deleted, "a").await, Err(Error::Gone(_))));
    assert!(matches!(github.create_issue(&closed, &new_issue("a", "")).await, Err(Error::Gone(_))));
    assert!(matches!(github.issue(tracker, moved).await, Err(Error::Moved { .. })));
    let patch = IssuePatch { title: Some("a".to_owned()), ..IssuePatch::default() };
    assert!(matches!(github.edit_issue(tracker, moved, &patch).await, Err(Error::Moved { .. })));
    assert!(matches!(github.add_label(tracker, moved, "incident").await, Err(Error::Moved { .. })));

    // 403: not allowed.
    assert!(matches!(github.create_issue(&archived, &new_issue("a", "")).await, Err(Error::Forbidden { .. })));
    assert!(matches!(rita.create_comment(tracker, kept, "a").await, Err(Error::Forbidden { .. })));
    assert!(matches!(rita.edit_issue(tracker, kept, &patch).await, Err(Error::Forbidden { .. })));

    // 422: wrong and staying wrong.
    let long = "x".repeat(65_537);
    assert!(matches!(
        github.create_issue(tracker, &new_issue("a", &long)).await,
        Err(Error::Invalid { status: 422, .. })
    ));
    let stranger = NewIssue { assignees: vec!["nobody-here".to_owned()], ..new_issue("a", "") };
    assert!(matches!(github.create_issue(tracker, &stranger).await, Err(Error::Invalid { status: 422, .. })));
    assert!(matches!(github.create_comment(tracker, kept, &long).await, Err(Error::Invalid { status: 422, .. })));
    let patch = IssuePatch { body: Some(long.clone()), ..IssuePatch::default() };
    assert!(matches!(github.edit_issue(tracker, kept, &patch).await, Err(Error::Invalid { status: 422, .. })));
    let comment = github.create_comment(tracker, kept, "a").await.unwrap();
    assert!(matches!(github.edit_comment(tracker, comment.id, &long).await, Err(Error::Invalid { status: 422, .. })));
    let too_long = label("overdue", &"x".repeat(101));
    assert!(matches!(github.create_label(tracker, &too_long).await, Err(Error::Invalid { status: 422, .. })));
    assert!(matches!(github.add_label(tracker, kept, &"x".repeat(51)).await, Err(Error::Invalid { status: 422, .. })));
    for _ in 0..2 {
        assert_eq!(
            github.create_label(tracker, &label("overdue", "Late")).await,
            Ok(()),
            "the second time it is there"
        );
    }

    // 403: a limit.
    world.faults(|faults| faults.fail(1, Fault::Secondary(Some(60)), When::Before));
    assert!(matches!(github.repository(tracker).await, Err(Error::Limited { .. })));

    let exchanges = tap.exchanges();
    let mut statuses: Vec<u16> = exchanges.iter().map(|exchange| exchange.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    // 200: for a role of nobody, whether the repository at least is there.
    assert_eq!(statuses, [200, 201, 301, 403, 404, 410, 422]);
    let found = faults(judge, &exchanges);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn long_lists_and_histories_come_in_pages() {
    let Some(judge) = Judge::load() else { return };
    let (tap, stage) = (Tap::default(), Stage::new());
    let (world, tracker) = (&stage.world, &stage.tracker);
    let ada = world.person("ada");
    for number in 1..=201 {
        ada.open_issue(tracker, &format!("issue {number}"), "- [ ] a", &[&format!("label {number}")]).unwrap();
    }
    for number in 0..101 {
        ada.comment(tracker, 7, &format!("comment {number}")).unwrap();
    }
    for number in 0..30 {
        ada.edit_body(tracker, 7, |body| format!("{body}\n{number}")).unwrap();
    }
    let address = stage.serve(&tap).await;
    // A token that is no person's: who it is, only GraphQL tells.
    let github = client(&address, &token("token-wardroom"), tracker);
    assert_eq!(github.me().await.unwrap().login, "wardroom[bot]");
    assert_eq!(github.issues(tracker, &IssueFilter::default()).await.unwrap().len(), 201);
    assert_eq!(github.labels(tracker).await.unwrap().len(), 201);
    let comments = github.comments(tracker, 7).await.unwrap();
    assert_eq!(comments.len(), 101);
    let history = github.history(tracker, 7, None, &comments).await.unwrap();
    assert_eq!((history.revisions.len(), history.comments.len()), (31, 101));

    let exchanges = tap.exchanges();
    let count = |part: &str| exchanges.iter().filter(|one| one.path_with_query.contains(part)).count();
    assert_eq!([count("/issues?"), count("/labels?"), count("/comments?"), count("/graphql")], [3, 3, 2, 3]);
    let found = faults(judge, &exchanges);
    let refused = "GET /user 403";
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(exchanges.iter().any(|one| format!("{} {} {}", one.method, one.path_with_query, one.status) == refused));
}
