//! The demo's page over HTTP, through the binary: who is let in, what a browser is told, and that words stay words.
//! `tests/browser` plays with it in a real browser.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use http::StatusCode;
use support::demo::{Answer, Demo, Http};

/// What a browser sends along when the page's own form is sent.
struct Visitor {
    demo: Demo,
    http: Http,
    token: String,
}

impl Visitor {
    async fn new() -> Visitor {
        let (demo, http) = (Demo::start(), Http::new());
        let page = http.get(&format!("{}/", demo.url)).await.text;
        let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Visitor { demo, http, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.http.get(&format!("{}{path}", self.demo.url)).await
    }

    async fn post_with(&self, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        fields.iter().for_each(|(name, value)| {
            form.append_pair(name, value);
        });
        let url = format!("{}/act", self.demo.url);
        self.http.send("POST", &url, headers, form.finish().into_bytes()).await
    }

    /// As the page itself sends it, as this person.
    async fn post(&self, who: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("token", self.token.as_str()), ("as", who)];
        all.extend(fields);
        self.post_with(&all, &[("origin", &self.demo.url), ("sec-fetch-site", "same-origin")]).await
    }

    /// The page as soon as it says this. It waits by the page's own news, so it is as fast as the demo.
    async fn until(&self, path: &str, words: &str) -> String {
        for _ in 0..100 {
            let page = self.get(path).await.text;
            if page.contains(words) {
                return page;
            }
            let version = page.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap();
            self.get(&format!("/changes?since={version}")).await;
        }
        unreachable!("{path} never said {words}")
    }
}

const FILE: [(&str, &str); 3] = [("do", "file"), ("title", "A bug"), ("text", "It breaks.")];

#[tokio::test]
async fn it_says_where_it_is_and_what_to_do_without_a_browser() {
    let demo = Demo::start();
    assert!(demo.printed.starts_with(&format!("The demo is at {}/\n", demo.url)), "{}", demo.printed);
    assert!(demo.printed.contains("wardroom demo --script"));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_well_even_while_someone_waits_for_news() {
    let mut demo = Demo::start();
    let (http, url) = (Http::new(), demo.url.clone());
    http.get(&url).await;
    let waiting = tokio::spawn(async move { http.get(&format!("{url}/changes?since=99999999")).await });
    let pressed = std::process::Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap();
    assert!(pressed.success());
    assert_eq!(demo.wait(), Some(0));
    assert!(waiting.await.is_err(), "the connection is cut");
}

#[tokio::test]
async fn only_its_own_address_is_answered() {
    let visitor = Visitor::new().await;
    let url = format!("{}/", visitor.demo.url);
    let port = visitor.demo.host().split(':').nth(1).unwrap().to_owned();
    for (host, status) in [
        (visitor.demo.host(), StatusCode::OK),
        (&format!("localhost:{port}"), StatusCode::OK),
        ("127.0.0.1", StatusCode::MISDIRECTED_REQUEST),
        (&format!("rebound.example:{port}"), StatusCode::MISDIRECTED_REQUEST),
        (&format!("127.0.0.1:{port}.rebound.example"), StatusCode::MISDIRECTED_REQUEST),
    ] {
        let answer = visitor.http.send("GET", &url, &[("host", host)], Vec::new()).await;
        assert_eq!(answer.status, status, "{host}");
        assert!(status == StatusCode::OK || !answer.text.contains(&visitor.token), "{host}");
    }
}

#[tokio::test]
async fn a_change_comes_from_the_page_itself_or_from_nobody() {
    let visitor = Visitor::new().await;
    let own = visitor.demo.url.clone();
    let with_token = [&FILE[..], &[("token", visitor.token.as_str())]].concat();
    for headers in [
        vec![],
        vec![("origin", "null")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "http://127.0.0.1:1")],
        vec![("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
        vec![("origin", own.as_str()), ("sec-fetch-site", "same-site")],
    ] {
        let answer = visitor.post_with(&with_token, &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    for token in ["", "0", &visitor.token[1..], &visitor.token.replace(|_: char| true, "0")] {
        let fields = [&FILE[..], &[("token", token)]].concat();
        let answer = visitor.post_with(&fields, &[("origin", &own)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{token}");
    }
    assert!(visitor.get("/").await.text.contains("No issues yet"), "nothing was filed");
    let answer = visitor.post("rita", &FILE).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/issues/1?as=rita"));
    let other = Visitor::new().await;
    assert_ne!(other.token, visitor.token, "each run has its own");
}

#[tokio::test]
async fn a_form_that_is_too_long_is_taken_to_its_end_and_refused_in_words() {
    let visitor = Visitor::new().await;
    for (length, status) in [
        (60_000, StatusCode::SEE_OTHER),
        (513 * 1024, StatusCode::PAYLOAD_TOO_LARGE),
        (15 * 1024 * 1024, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let text = "x".repeat(length);
        let answer = visitor.post("rita", &[("do", "file"), ("title", "Long"), ("text", &text)]).await;
        assert_eq!(answer.status, status, "{length}");
        let said = answer.text.contains("Nothing was changed. Shorten it");
        assert_eq!(said, status != StatusCode::SEE_OTHER, "{length}: {}", answer.text);
    }
    assert_eq!(visitor.get("/issues/2").await.status, StatusCode::NOT_FOUND, "only the first was filed");
}

#[tokio::test]
async fn every_answer_binds_the_browser() {
    let visitor = Visitor::new().await;
    for path in ["/", "/issues/7", "/style.css", "/script.js", "/nowhere", "/changes?since=0", "/act"] {
        let answer = visitor.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|found| found == part), "{path}: {part} is not in {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    // What the policy forbids is not there either: the page would be broken by it.
    let page = visitor.get("/").await.text;
    for inline in [" style=", "<style", " onclick", " onload", "<script>", "http-equiv"] {
        assert!(!page.contains(inline), "{inline}");
    }
    assert_eq!(visitor.get("/issues/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(visitor.get("/act").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn words_of_a_report_stay_words_wherever_they_are_shown() {
    let visitor = Visitor::new().await;
    let canary = "<script>alert('canary')</script>";
    let text = format!("{canary}\n</textarea></main><img src=//x.example/c.png onerror=alert(1)>\n- [x] a");
    let fields = [("do", "file"), ("title", canary), ("text", text.as_str())];
    assert_eq!(visitor.post("rita", &fields).await.status, StatusCode::SEE_OTHER);
    let label = [("do", "label"), ("issue", "1"), ("name", "security-report")];
    assert_eq!(visitor.post("alice", &label).await.status, StatusCode::SEE_OTHER);
    let comment = [("do", "comment"), ("issue", "1"), ("text", text.as_str())];
    assert_eq!(visitor.post("rita", &comment).await.status, StatusCode::SEE_OTHER);
    let tracker = visitor.until("/issues/2?as=alice", "Kept up to date by Wardroom").await;
    for page in [tracker, visitor.get("/issues/1?as=alice").await.text, visitor.get("/").await.text] {
        assert!(page.contains("canary"), "it is shown");
        assert!(!page.contains("<script>") && !page.contains("<img"), "and does nothing");
        assert_eq!(page.matches("</main>").count(), 1);
        assert_eq!(page.matches("<textarea").count(), page.matches("</textarea>").count());
    }
    // The one who looks is named by the address: a name that nobody has is nobody's.
    let page = visitor.get("/?as=%22%3E%3Cscript%3E").await.text;
    assert!(!page.contains("<script>") && page.contains("File the report as alice"));
}

#[tokio::test]
async fn without_scripts_boxes_fields_and_commands_work_by_forms_alone() {
    let visitor = Visitor::new().await;
    visitor.post("rita", &FILE).await;
    visitor.post("alice", &[("do", "label"), ("issue", "1"), ("name", "security-report")]).await;
    let page = visitor.until("/issues/2?as=bob", "Kept up to date by Wardroom").await;
    let keys: Vec<String> =
        page.split("name=\"done\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert!(keys.len() > 38, "{}", keys.len());
    // Two people send what they were shown; the later one does not undo the earlier one's tick.
    for (who, key) in [("bob", &keys[0]), ("alice", &keys[1])] {
        let answer = visitor.post(who, &[("do", "boxes"), ("issue", "2"), ("done", key)]).await;
        assert_eq!(answer.header("location"), format!("/issues/2?as={who}"));
    }
    let field = [("do", "field"), ("issue", "2"), ("name", "CWE"), ("value", "CWE-120")];
    assert_eq!(visitor.post("bob", &field).await.status, StatusCode::SEE_OTHER);
    let page = visitor.until("/issues/2?as=bob", "ticked “Assess CVSS score and severity level”</td>").await;
    assert!(page.contains("2 of 38 tasks settled") && page.contains("CWE-120"), "{page}");
    assert!(page.contains("ticked “Reproduce the vulnerability in test environment”</td>"));
    // A reader gets no boxes, and is told why where they send one all the same.
    let refused = visitor.post("rita", &[("do", "boxes"), ("issue", "2"), ("done", &keys[2])]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Nothing was changed."), "{}", refused.text);
    assert!(visitor.get("/issues/2?as=rita").await.text.contains("rita has no write access"));
}
