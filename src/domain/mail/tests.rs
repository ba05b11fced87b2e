use jiff::Timestamp;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::domain::checklist::Checklist;
use crate::domain::policy::Policy;
use crate::domain::texts::MAX_BODY_CHARS;

fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().unwrap()
}

fn rendered(mail: &MailReport) -> issue::Filing {
    issue::render(mail, mail.received(None, now()), &Policy::default(), now())
}

/// A mail with these headers and this body.
fn mail(headers: &str, body: &str) -> MailReport {
    read(format!("From: a@example.org\n{headers}\n{body}").as_bytes()).unwrap()
}

/// What a renderer finds outside of code: nothing that acts, one marker, no tasks.
fn acts(body: &str) -> Option<String> {
    let mut inside = false;
    let mut comments = 0;
    let mut words = String::new();
    for event in Parser::new_ext(body, Options::all().difference(Options::ENABLE_SMART_PUNCTUATION)) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => inside = true,
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(_) if inside => {}
            Event::Text(text) => words.push_str(&text),
            Event::Html(html) if html.starts_with("<!-- wardroom:mail ") => comments += 1,
            Event::Html(_) | Event::InlineHtml(_) | Event::TaskListMarker(_) => return Some(format!("{event:?}")),
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Heading { .. } | Tag::HtmlBlock)
                if comments > 0 =>
            {
                return Some(format!("{event:?}"));
            }
            _ => {}
        }
    }
    let list = Checklist::parse(body);
    if list.tasks().count() + list.fields.len() + list.phases.len() > 0 || list.markers.len() != 1 || comments != 1 {
        return Some(format!("{} markers", list.markers.len()));
    }
    let live = words.contains('@') || words.contains('#') || words.contains("://") || words.contains("/wardroom");
    live.then_some(words)
}

fn check(mail: &MailReport) -> Result<(), TestCaseError> {
    let filing = rendered(mail);
    prop_assert_eq!(acts(&filing.body), None);
    prop_assert!(filing.body.chars().count() <= MAX_BODY_CHARS);
    prop_assert!(!filing.title.trim().is_empty() && filing.title.chars().count() <= 256);
    let unseen = filing.title.contains(['\n', '\r', '\0', '\u{202E}']);
    prop_assert!(!unseen, "{:?}", filing.title);
    let told = issue::told(&filing.body);
    prop_assert!(told.is_some());
    if let Some(told) = told {
        prop_assert_eq!(&told.id, &mail.key.id);
        prop_assert_eq!(told.received, mail.received(None, now()).at);
        let text = mail.text.replace('\0', "\u{FFFD}");
        prop_assert!(text.starts_with(told.text.strip_suffix('\n').unwrap_or(&told.text)));
    }
    Ok(())
}

/// Pieces that mean something to a mail's reader or to GitHub.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        proptest::sample::select(vec![
            "\n",
            "\r\n",
            "\n\n",
            "\r",
            "--b\n",
            "--b--\n",
            "--c\n",
            "Content-Type: multipart/mixed; boundary=b\n",
            "Content-Type: multipart/alternative; boundary=\"c\"\n",
            "Content-Type: message/rfc822\n",
            "Content-Type: text/html\n",
            "Content-Type: text/plain; charset=utf-16\n",
            "Content-Type: text/plain; name=x\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Transfer-Encoding: quoted-printable\n",
            "Content-Disposition: attachment; filename*0*=utf-8''%00; filename*1=|`\n",
            "Subject: =?utf-8?b?4oCuQA==?=\n",
            "Message-ID: <`|@x -->\n",
            "Date: Thu, 31 Dec 9999 23:59:60 -9999\n",
            "=\n",
            "=00=0D=0A",
            "- [ ] task\n",
            "<!-- wardroom:incident report=a/b#1 -->\n",
            "```\n",
            "~~~~\n",
            "@alice ",
            "#1 ",
            "/wardroom close invalid\n",
            "\u{202E}",
            "\0",
            "|",
            "`",
            "<pre>",
            "</pre>",
            "<a href=\"x\">",
            "<br>",
            "&#x202e;",
            "&;",
            "<li>",
            "<!--",
            "<script>",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn p10_whatever_the_bytes_are_the_outcome_is_an_error_or_a_report_that_can_do_nothing(bytes in any::<Vec<u8>>()) {
        for start in [&b""[..], b"Subject: x\n", b"From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"] {
            if let Ok(mail) = read(&[start, &bytes].concat()) {
                check(&mail)?;
            }
        }
        if let Ok(mail) = from_text("A title", &bytes) {
            check(&mail)?;
        }
    }

    #[test]
    fn p10_a_mail_of_hostile_pieces_can_do_nothing(
        head in prop::collection::vec(piece(), 0..6),
        body in prop::collection::vec(piece(), 0..30),
        subject in any::<String>(),
    ) {
        let (head, body) = (head.concat(), body.concat());
        for source in [format!("From: {subject}\nSubject: {body}\n{head}\n{body}"), format!("Subject: {subject}\n{head}\n\n{body}")] {
            if let Ok(mail) = read(source.as_bytes()) {
                check(&mail)?;
            }
        }
        if let Ok(mail) = from_text(&subject, body.as_bytes()) {
            check(&mail)?;
        }
    }

    #[test]
    fn html_becomes_text_without_a_tag_that_hides_words(words in "[a-z]{1,12}", html in prop::collection::vec(piece(), 0..20)) {
        let text = html::to_text(&html.concat());
        prop_assert!(text.len() <= html.concat().len() * 3 + 16);
        // Whatever stands before it: once every element, value and comment that hides is closed, words are seen.
        let hidden = format!("{}-->\"'></script></pre></a><div><b>{words}</b></div>", html.concat());
        let shown = html::to_text(&hidden);
        prop_assert!(shown.lines().last().is_some_and(|line| line.ends_with(&words)), "{hidden:?}\n{shown:?}");
    }
}

#[test]
fn a_part_ends_at_its_boundary_line_and_not_in_the_middle_of_one() {
    let mail = mail(
        "Content-Type: multipart/mixed; boundary=b\n",
        "--b\n\nfirst --b--\n--bb is longer\n --b\n--b \t\n\nsecond\n--b--\n\nafter the end\n",
    );
    assert_eq!(mail.text, "first --b--\n--bb is longer\n --b\n\nsecond");
}

#[test]
fn what_nests_and_what_repeats_ends_soon() {
    let deep: String = (0..50_000).map(|_| "Content-Type: message/rfc822\n\n").collect();
    assert!(mail(&deep, "x").notes.iter().any(|note| note.contains("more than 10 levels deep")));
    let subject = |kind: &str| format!("Subject: many\nContent-Type: {kind}\n");
    let parts: String = (0..60_000).map(|n| format!("--b\nContent-Type: multipart/mixed; boundary=b{n}\n\n")).collect();
    let many = mail(&subject("multipart/mixed; boundary=b"), &parts);
    assert!(many.notes.iter().any(|note| note.contains("more than 300 parts")), "{:?}", many.notes);
    let files: String = (0..100).map(|n| format!("--b\nContent-Type: image/png; name={n}.png\n\nx\n")).collect();
    let files = mail("Content-Type: multipart/mixed; boundary=b\n", &files);
    assert_eq!((files.attachments.len(), files.more_attachments), (40, 60));
    assert!(rendered(&files).body.ends_with("\nAnd 60 more.\n"));
    for tags in
        ["<br><p>", "<pre>\n</pre>", "<a href=x>", "<a x='", "<a x=\"", "<!", "<li>", "&", "<!--x--", "<table>\u{A0}"]
    {
        let page = tags.repeat(200_000);
        assert!(mail(&subject("text/html"), &page).text.len() <= page.len() * 3, "{tags}");
    }
}

#[test]
fn a_header_field_that_is_made_to_be_decoded_again_and_again_is_cut_and_the_cut_is_said() {
    let opened = "=?aa?q?x".repeat(32_000);
    let subject = mail(&format!("Subject: {opened}\n"), "x");
    assert!(subject.subject.len() <= 4096 && opened.starts_with(&subject.subject), "{}", subject.subject.len());
    assert_eq!(subject.notes, ["A field of its headers is longer than 4 KiB; its end was not read."]);
    let parts = |field: &str| {
        let part = format!("--b\n{field}\n\nwords of a part\n");
        let parts = part.repeat(280.min(MAX_BYTES / part.len() - 1));
        mail("Subject: parts\nContent-Type: multipart/mixed; boundary=b\n", &parts)
    };
    let long = parts(&format!("Content-Transfer-Encoding: {opened}"));
    assert_eq!(long.notes, ["A part of the mail has more than 16 KiB of headers; it was not read."]);
    let long = |field: &str, piece: &str| parts(&format!("{field}{}", piece.repeat(15_000 / piece.len())));
    for part in [
        long("Content-Transfer-Encoding: ", "=?aa?q?x"),
        long("Content-Type: text/plain; x=", "=?aa?q?x"),
        long("Content-Type: text/plain", ";\n aaaa*1=b"),
    ] {
        assert_eq!(part.text.matches("words of a part").count(), 280);
        assert_eq!(part.notes, ["A field in the headers of a part is longer than 4 KiB; its end was not read."]);
    }
    let inner = format!("--b\nContent-Type: message/rfc822\n\nSubject: {opened}\n\ninner\n");
    let inner = mail("Content-Type: multipart/mixed; boundary=b\n", &inner);
    assert!(inner.text.ends_with("inner") && inner.text.len() < 5000, "{}", inner.text.len());
    assert!(inner.notes.iter().any(|note| note.contains("longer than 4 KiB")), "{:?}", inner.notes);
}

#[test]
fn a_long_text_is_cut_in_the_issue_and_the_cut_is_said() {
    let mail = mail("Subject: long\n", &"A line of a report.\n".repeat(5000));
    let filing = rendered(&mail);
    assert!(filing.body.contains("The text is cut here: 16384 of its 99999 bytes are shown. The mail has all of it."));
    let told = issue::told(&filing.body).unwrap();
    assert_eq!((told.text.len(), told.total_bytes), (16385, 99_999));
}

#[test]
fn the_mails_own_date_is_only_a_proposal() {
    let dated = |date: &str| mail(&format!("Date: {date}\n"), "x").received(None, now()).source;
    assert_eq!(dated("Mon, 2 Mar 2026 09:00:00 +0000"), Source::Date);
    assert_eq!(dated("Mon, 2 Feb 2026 09:00:00 +0000"), Source::Date);
    for wrong in [
        "Tue, 3 Mar 2026 12:00:01 +0000",
        "Thu, 31 Dec 2099 00:00:00 +0000",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "Sun, 1 Feb 2026 09:00:00 +0000",
        "yesterday",
    ] {
        assert_eq!(dated(wrong), Source::Filed, "{wrong}");
    }
    let said = "2026-01-01T00:00:00Z".parse().unwrap();
    let received = mail("Date: Mon, 2 Mar 2026 09:00:00 +0000\n", "x").received(Some(said), now());
    assert_eq!((received.at, received.source), (said, Source::Said));
}

#[test]
fn the_same_mail_has_the_same_key_and_another_has_another() {
    let id = |headers: &str, body: &str| mail(headers, body).key.id;
    assert_eq!(id("Message-ID: <1@x>\n", "a"), id("Message-Id:  <1@x> \nSubject: other\n", "b"));
    assert_ne!(id("Message-ID: <1@x>\n", "a"), id("Message-ID: <2@x>\n", "a"));
    assert_eq!(id("Subject: none\n", "a"), id("Subject: none\n", "a"));
    assert_ne!(id("Subject: none\n", "a"), id("Subject: none\n", "b"));
    assert_ne!(from_text("ab", b"c").unwrap().key.id, from_text("a", b"bc").unwrap().key.id);
}

#[test]
fn html_is_read_as_people_see_it() {
    let cases = [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("a &lt;b&gt; &amp;amp; &#x41;&#66; &nosuch; &; & c", "a <b> &amp; AB &nosuch; &; & c"),
        ("<pre>  x\n    y\n</pre>z", "x\n    y\n\nz"),
        (
            "<a href='https://e.org/'>https://e.org</a> <a href=mailto:a@e.org>a@e.org</a> <a href=\"#x\">top</a>",
            "https://e.org a@e.org top",
        ),
        ("<a href=\"https://evil.example/?a=1&amp;b=2\">our site</a>", "our site <https://evil.example/?a=1&b=2>"),
        ("1 < 2 and <b title=\"a>b\">bold</b>", "1 < 2 and bold"),
        ("<head><meta charset=x><title>t</title></head><body>seen", "seen"),
        ("<img src=cid:1 alt=\"a &quot;shot&quot;\"> <img src=x>", "[a \"shot\"]"),
        ("before <!-- hidden > still hidden --> after", "before after"),
        ("a <!--> b <!-- hidden --> c", "a b c"),
        ("a <!---> b <!-- hidden --> c", "a b c"),
        ("a <!-- hidden > --!> b --> c", "a b --> c"),
        ("a <!----> b <!-----> c <!----!> d <!---!> hidden --> e", "a b c d e"),
        ("a <!x=\"> b <?x=\"> c </ x=\"> d \">", "a b c d \">"),
        ("a <b x=y=\"> b <b x=\"> c", "a b c"),
        ("a <b/=\"> b <b=\"> c <b x = '>' y=1/ z=\"'>\" > d\">", "a b c d\">"),
        ("<style>p{}</style><script>if (a<b) {}</script>seen", "seen"),
    ];
    for (html, text) in cases {
        assert_eq!(html::to_text(html), text, "{html}");
    }
}
