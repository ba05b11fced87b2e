//! The client over a scripted transport: how each answer is read, how each failure is classified, what is sent again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use wardroom::domain::facts::{Account, Label, RepoName, Role};
use wardroom::github::graphql;
use wardroom::github::rest::{Identity, Rest};
use wardroom::github::transport::{Method, Request, Response, Transport, TransportError};
use wardroom::github::types::{IssueFilter, IssuePatch};
use wardroom::github::{Error, GitHub};

type Scripted = Result<Response, TransportError>;

/// Answers in the order of the script, and keeps what was asked.
struct Script {
    answers: Mutex<Vec<Scripted>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Scripted {
        self.asked.lock().unwrap().push(request);
        let mut answers = self.answers.lock().unwrap();
        assert!(!answers.is_empty(), "a call that the script does not expect");
        answers.remove(0)
    }

    fn base(&self) -> &str {
        "https://api.example"
    }

    fn now(&self) -> Timestamp {
        now()
    }
}

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn repo() -> RepoName {
    "octo/security".parse().unwrap()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Scripted {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

fn lost(sent: bool) -> Scripted {
    Err(TransportError { why: "broke".to_owned(), sent, barred: false })
}

fn client(answers: Vec<Scripted>) -> Rest<Script> {
    Rest::new(Script { answers: Mutex::new(answers), asked: Mutex::new(Vec::new()) }, Identity::Token)
}

fn asked(client: &Rest<Script>) -> Vec<String> {
    let asked = client.transport().asked.lock().unwrap();
    assert!(client.transport().answers.lock().unwrap().is_empty(), "answers are left over");
    asked.iter().map(|request| format!("{} {}", request.method.as_str(), request.path)).collect()
}

const SECURITY: &str = r#"{"id": 1, "full_name": "octo/security", "private": true}"#;

const ISSUE: &str = r#"{"number": 7, "title": "t", "unknown": {"x": 1}, "user": null, "state_reason": "new one"}"#;

#[tokio::test]
async fn a_read_is_repeated_a_little_and_a_write_never() {
    let reads = client(vec![answer(502, &[], "<html>"), lost(true), answer(200, &[], ISSUE)]);
    assert_eq!(reads.issue(&repo(), 7).await.unwrap().number, 7);
    assert_eq!(asked(&reads).len(), 3);
    let reads = client(vec![answer(200, &[], "{\"number\": 7"), answer(200, &[], "<html>"), answer(503, &[], "")]);
    assert!(matches!(reads.issue(&repo(), 7).await, Err(Error::Unavailable { .. })));
    assert_eq!(asked(&reads).len(), 3);
    for (broken, unknown) in
        [(answer(502, &[], ""), true), (answer(201, &[], "{\"num"), true), (lost(true), true), (lost(false), false)]
    {
        let writes = client(vec![broken]);
        let error = writes.create_comment(&repo(), 7, "secret words").await.unwrap_err();
        assert_eq!(matches!(error, Error::Unknown { .. }), unknown, "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(asked(&writes).len(), 1);
    }
}

#[tokio::test]
async fn each_status_has_its_class() {
    let in_a_minute = now() + SignedDuration::from_secs(60);
    let cases = [
        (answer(401, &[], "{}"), Error::Unauthorized),
        (answer(404, &[], "{}"), Error::NotFound("changing issue octo/security#7".into())),
        (answer(410, &[], "{}"), Error::Gone("changing issue octo/security#7".into())),
        (
            answer(301, &[("location", "https://api.example/repositories/9/issues/1")], "{}"),
            Error::Moved {
                what: "changing issue octo/security#7".into(),
                to: Some("https://api.example/repositories/9/issues/1".into()),
            },
        ),
        (
            answer(
                422,
                &[],
                r#"{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"too_long","value":"secret"}]}"#,
            ),
            Error::Invalid {
                what: "changing issue octo/security#7".into(),
                status: 422,
                message: "Validation Failed (title too_long)".into(),
            },
        ),
        (answer(429, &[("retry-after", "30")], "{}"), Error::Limited { until: now() + SignedDuration::from_secs(30) }),
        (answer(429, &[], "{}"), Error::Limited { until: in_a_minute }),
        // By GitHub's clock, where this machine's differs; by this machine's, where the other is nonsense.
        (
            answer(429, &[("retry-after", "30"), ("date", "Mon, 02 Mar 2026 12:00:00 GMT")], "{}"),
            Error::Limited { until: "2026-03-02T12:00:30Z".parse().unwrap() },
        ),
        (answer(429, &[("date", "Fri, 31 Dec 9999 23:59:59 GMT")], "{}"), Error::Limited { until: in_a_minute }),
        (
            answer(403, &[], r#"{"message":"You have exceeded a secondary rate limit."}"#),
            Error::Limited { until: in_a_minute },
        ),
        (
            answer(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1772445600")], "{}"),
            Error::Limited { until: "2026-03-02T10:00:00Z".parse().unwrap() },
        ),
    ];
    for (scripted, wanted) in cases {
        // Whether it is the repository that has moved, only the repository can tell.
        let here = matches!(wanted, Error::Moved { .. }).then(|| answer(200, &[], SECURITY));
        let client = client([scripted].into_iter().chain(here).collect());
        assert_eq!(client.edit_issue(&repo(), 7, &IssuePatch::default()).await.unwrap_err(), wanted);
    }
    let refused = client(vec![answer(
        403,
        &[("x-accepted-github-permissions", "issues=write")],
        r#"{"message":"Resource not accessible by integration"}"#,
    )]);
    let error = refused.add_label(&repo(), 7, "x").await.unwrap_err().to_string();
    assert!(error.contains("issues=write") && error.contains("Permissions & events"), "{error}");
}

#[tokio::test]
async fn pages_are_asked_for_on_our_own_path() {
    let page = |from: u64, count: u64| {
        let items: Vec<String> = (from..from + count).map(|n| format!("{{\"number\": {n}}}")).collect();
        format!("[{}]", items.join(","))
    };
    let next = [("link", "<https://evil.example/repositories/1/issues?page=2>; rel=\"next\"")];
    let client = client(vec![
        answer(200, &next, &page(1, 100)),
        answer(200, &next, &page(100, 100)),
        answer(
            200,
            &[("link", "<https://api.example/x?page=1>; rel=\"first\"")],
            &format!("[{}]", r#"{"number": 900, "pull_request": {}}"#),
        ),
    ]);
    let filter =
        IssueFilter { labels: vec!["a b".into()], creator: Some("w[bot]".into()), closed_too: true, since: None };
    let issues = client.issues(&repo(), &filter).await.unwrap();
    assert_eq!(issues.len(), 199, "one moved between the pages, a pull request is none");
    let asked = asked(&client);
    assert_eq!(
        asked[1],
        "GET /repos/octo/security/issues?state=all&sort=created&direction=desc&labels=a%20b&creator=w%5Bbot%5D&per_page=100&page=2"
    );
}

#[tokio::test]
async fn redirects_are_followed_within_a_repository_only() {
    let renamed = client(vec![
        answer(301, &[("location", "https://api.example/repos/octo/new/issues/7")], ""),
        answer(200, &[], ISSUE),
    ]);
    assert!(renamed.issue(&repo(), 7).await.is_ok());
    for elsewhere in [
        "https://evil.example/repos/octo/new/issues/7",
        "https://api.example.evil/x",
        "https://api.example/repositories/9/issues/1",
    ] {
        let moved = client(vec![answer(301, &[("location", elsewhere)], ""), answer(200, &[], SECURITY)]);
        assert!(matches!(moved.issue(&repo(), 7).await, Err(Error::Moved { .. })), "{elsewhere}");
        assert_eq!(asked(&moved).len(), 2);
    }
}

#[tokio::test]
async fn a_renamed_repository_is_followed_by_reads_and_writes_and_asked_about_once() {
    let issue = [("location", "https://api.example/repositories/9/issues/7")];
    let root = [("location", "https://api.example/repositories/9")];
    let renamed = || answer(200, &[], r#"{"id":9,"full_name":"octo/incidents","private":true}"#);
    for first_is_write in [false, true] {
        let client = client(vec![
            answer(301, &issue, ""),
            answer(301, &root, ""),
            renamed(),
            answer(200, &[], ISSUE),
            answer(200, &[], ISSUE),
            answer(200, &[], r#"{"data":{"repository":null,"nodes":[]}}"#),
        ]);
        for write in [first_is_write, !first_is_write] {
            let ended = match write {
                true => client.edit_issue(&repo(), 7, &IssuePatch::default()).await,
                false => client.issue(&repo(), 7).await,
            };
            assert_eq!(ended.unwrap().number, 7);
        }
        let _no_such_issue = client.history(&repo(), 7, None, &[]).await;
        assert_eq!(client.renamed(), [("octo/incidents".parse().unwrap(), repo())]);
        let (first, second) = if first_is_write { ("PATCH", "GET") } else { ("GET", "PATCH") };
        assert_eq!(
            asked(&client),
            [
                &format!("{first} /repos/octo/security/issues/7"),
                "GET /repos/octo/security",
                "GET /repositories/9",
                &format!("{first} /repos/octo/incidents/issues/7"),
                &format!("{second} /repos/octo/incidents/issues/7"),
                "POST /graphql",
            ]
        );
        let query = client.transport().asked.lock().unwrap().pop().unwrap().body.unwrap();
        assert_eq!(query["variables"]["name"], "incidents");
    }
}

#[tokio::test]
async fn a_repository_that_went_to_another_owner_is_not_followed() {
    let client = client(vec![
        answer(301, &[("location", "https://api.example/repositories/9/issues/7")], ""),
        answer(301, &[("location", "https://api.example/repositories/9")], ""),
        answer(200, &[], r#"{"id":9,"full_name":"stranger/security","private":true}"#),
    ]);
    let moved = client.create_comment(&repo(), 7, "private words").await;
    assert!(matches!(moved, Err(Error::Moved { .. })));
    assert_eq!((client.renamed(), asked(&client).len()), (vec![], 3));
}

#[tokio::test]
async fn what_the_token_may_not_do_is_not_tried_again_before_rights_change() {
    let refused = || answer(403, &[], r#"{"message":"Resource not accessible by integration"}"#);
    let client = client(vec![refused(), answer(200, &[], "[]"), answer(201, &[], r#"{"id":1}"#)]);
    for number in 7..10 {
        let error = client.create_comment(&repo(), number, "x").await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    }
    assert!(client.comments(&repo(), 7).await.is_ok(), "another right");
    client.forget_tokens().await;
    assert!(client.create_comment(&repo(), 7, "x").await.is_ok());
    assert_eq!(asked(&client).len(), 3);
}

#[tokio::test]
async fn a_role_belongs_to_the_number_not_to_the_name() {
    let who = Account { id: 5, login: "alice".into(), kind: "User".into() };
    let user = |id: u64| format!(r#"{{"id": {id}, "login": "alice", "type": "User"}}"#);
    let reply = |permission: &str, role: &str, id: u64| {
        answer(200, &[], &format!(r#"{{"permission": "{permission}", "role_name": {role}, "user": {}}}"#, user(id)))
    };
    for (scripted, wanted) in [
        (reply("write", "\"maintain\"", 5), Role::Maintain),
        (reply("read", "\"triage\"", 5), Role::Triage),
        (reply("admin", "null", 5), Role::Admin),
        (reply("write", "\"our-own-role\"", 5), Role::Write),
        (reply("admin", "\"admin\"", 6), Role::None),
    ] {
        assert_eq!(client(vec![scripted]).role(&repo(), &who).await.unwrap(), wanted);
    }
    // A 404 says that nobody is there, unless repository and account are: then it is the call that is not there.
    let gone = || answer(404, &[], r#"{"message":"Not Found"}"#);
    let repository = || answer(200, &[], r#"{"id":1,"full_name":"octo/security","private":true}"#);
    let account = |id: u64| answer(200, &[], &format!(r#"{{"id":{id},"login":"{}"}}"#, who.login));
    for scripted in
        [vec![gone(), gone()], vec![gone(), repository(), gone()], vec![gone(), repository(), account(who.id + 1)]]
    {
        assert_eq!(client(scripted).role(&repo(), &who).await.unwrap(), Role::None);
    }
    let without_roles = client(vec![gone(), repository(), account(who.id)]);
    assert!(matches!(without_roles.role(&repo(), &who).await, Err(Error::Unsupported(_))));
    for none in [answer(404, &[], "404 page not found"), answer(405, &[], "")] {
        assert!(matches!(client(vec![none]).role(&repo(), &who).await, Err(Error::Unsupported(_))));
    }
}

#[tokio::test]
async fn what_is_there_already_or_gone_already_is_no_error() {
    let label = Label { name: "incident".into(), color: Some("ff0000".into()), description: None };
    let exists = client(vec![answer(422, &[], r#"{"errors":[{"code":"already_exists","field":"name"}]}"#)]);
    exists.create_label(&repo(), &label).await.unwrap();
    let gone = client(vec![answer(404, &[], r#"{"message":"Label does not exist"}"#)]);
    gone.remove_label(&repo(), 7, "a/b c").await.unwrap();
    assert_eq!(asked(&gone), ["DELETE /repos/octo/security/issues/7/labels/a%2Fb%20c"]);
    let no_issue = client(vec![answer(404, &[], r#"{"message":"Not Found"}"#)]);
    assert!(matches!(no_issue.remove_label(&repo(), 7, "incident").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_file_is_text_or_nothing() {
    let file =
        |content: &str| answer(200, &[], &format!(r#"{{"type":"file","encoding":"base64","content":"{content}"}}"#));
    let read = |scripted| async { client(vec![scripted]).file(&repo(), ".github/wardroom.yml").await };
    assert_eq!(read(file("bW9kZTog\\nb24=\\n")).await.unwrap().as_deref(), Some("mode: on"));
    assert_eq!(read(answer(404, &[], "{}")).await.unwrap(), None);
    let directory = answer(200, &[], r#"[{"type":"file","name":"wardroom.yml"}]"#);
    let too_large = answer(200, &[], r#"{"type":"file","encoding":"none","content":""}"#);
    for bad in [answer(200, &[], r#"{"type":"submodule"}"#), directory, too_large, file("/w=="), file("%%")] {
        assert!(matches!(read(bad).await, Err(Error::Invalid { .. })));
    }
}

#[tokio::test]
async fn history_is_read_back_to_its_base_and_no_further() {
    let page = |times: &[&str], cursor: Option<&str>| {
        let nodes: Vec<String> = times
            .iter()
            .map(|at| format!(r#"{{"editedAt":"{at}","editor":{{"login":"bob"}},"diff":"{at}","deletedAt":null}}"#))
            .collect();
        let info = cursor.map_or_else(
            || r#"{"hasNextPage":false,"endCursor":null}"#.to_owned(),
            |cursor| format!(r#"{{"hasNextPage":true,"endCursor":"{cursor}"}}"#),
        );
        answer(
            200,
            &[],
            &format!(
                r#"{{"data":{{"repository":{{"issue":{{"lastEditedAt":null,"userContentEdits":{{"nodes":[{}],"pageInfo":{info}}}}}}},"nodes":[]}}}}"#,
                nodes.join(",")
            ),
        )
    };
    let client = client(vec![
        page(&["2026-03-02T09:05:00Z", "2026-03-02T09:04:00Z"], Some("x")),
        page(&["2026-03-02T09:03:00Z", "2026-03-02T09:02:00Z"], Some("y")),
    ]);
    let since = "2026-03-02T09:03:00Z".parse().unwrap();
    let history = client.history(&repo(), 7, Some(since), &[]).await.unwrap();
    let bodies: Vec<&str> = history.revisions.iter().filter_map(|revision| revision.body.as_deref()).collect();
    assert_eq!(
        bodies,
        ["2026-03-02T09:02:00Z", "2026-03-02T09:03:00Z", "2026-03-02T09:04:00Z", "2026-03-02T09:05:00Z"]
    );
    assert_eq!(asked(&client).len(), 2);
}

#[tokio::test]
async fn a_server_without_graphql_is_told_apart_from_one_that_fails() {
    let none = client(vec![answer(404, &[], "{}")]);
    assert!(matches!(none.history(&repo(), 7, None, &[]).await, Err(Error::Unsupported(_))));
    let broken = client(vec![answer(502, &[], ""), answer(502, &[], ""), answer(502, &[], "")]);
    assert!(matches!(broken.history(&repo(), 7, None, &[]).await, Err(Error::Unavailable { .. })));
    let problem = r#"{"data":null,"errors":[{"type":"NOT_FOUND","message":"Could not resolve"}]}"#;
    assert!(matches!(
        client(vec![answer(200, &[], problem)]).history(&repo(), 7, None, &[]).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn graphql_says_its_limits_and_its_age_with_status_200() {
    let history = |headers: &[(&str, &str)], body: &str| {
        let client = client(vec![answer(200, headers, body)]);
        async move { client.history(&repo(), 7, None, &[]).await.unwrap_err() }
    };
    let limited = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#;
    let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1772445600")];
    let until = "2026-03-02T10:00:00Z".parse().unwrap();
    assert_eq!(history(&headers, limited).await, Error::Limited { until });
    let old = r#"{"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]}"#;
    assert!(matches!(history(&[], old).await, Error::Unsupported(_)));
    let odd = r#"{"data":null,"errors":[{"message":"Something went wrong"}]}"#;
    assert!(matches!(history(&[], odd).await, Error::Unavailable { .. }));
}

#[tokio::test]
async fn edits_without_an_end_are_not_read_for_ever() {
    let page = r#"{"data":{"repository":{"issue":{"lastEditedAt":null,"userContentEdits":{"nodes":[
        {"editedAt":"2026-03-02T09:00:00Z","diff":"x"}],"pageInfo":{"hasNextPage":true,"endCursor":"same"}}}},"nodes":[]}}"#;
    let pages = graphql::MOST_EDIT_PAGES;
    let client = client((0..pages).map(|_| answer(200, &[], page)).collect());
    assert_eq!(client.history(&repo(), 7, None, &[]).await.unwrap().revisions.len(), pages);
}

#[tokio::test]
async fn a_single_thing_is_asked_for_with_its_tag_and_a_list_is_not() {
    let changed = ISSUE.replace("\"t\"", "\"changed\"");
    let client = client(vec![
        answer(200, &[("etag", "\"a\"")], ISSUE),
        answer(304, &[("date", "Mon, 02 Mar 2026 09:30:00 GMT")], ""),
        answer(200, &[("etag", "\"b\"")], &changed),
        answer(304, &[], ""),
        answer(200, &[("etag", "\"c\"")], "[]"),
        answer(200, &[("etag", "\"c\"")], r#"[{"id": 1}]"#),
    ]);
    for title in ["t", "t", "changed", "changed"] {
        assert_eq!(client.issue(&repo(), 7).await.unwrap().title, title);
    }
    assert_eq!(client.server_time(), Some("2026-03-02T09:30:00Z".parse().unwrap()), "an unchanged answer has a date");
    assert!(client.comments(&repo(), 7).await.unwrap().is_empty());
    assert_eq!(client.comments(&repo(), 7).await.unwrap().len(), 1);
    let asked = client.transport().asked.lock().unwrap();
    let tags: Vec<Option<&str>> = asked.iter().map(|request| request.etag.as_deref()).collect();
    assert_eq!(tags, [None, Some("\"a\""), Some("\"a\""), Some("\"b\""), None, None]);
}

#[tokio::test]
async fn the_date_of_the_answers_is_githubs_time() {
    let client = client(vec![answer(200, &[("date", "Mon, 02 Mar 2026 09:30:00 GMT")], ISSUE)]);
    assert_eq!(client.server_time(), None);
    client.issue(&repo(), 7).await.unwrap();
    assert_eq!(client.server_time(), Some("2026-03-02T09:30:00Z".parse().unwrap()));
    assert_eq!(client.transport().asked.lock().unwrap()[0].method, Method::Get);
}
