//! Any bytes are an error or a report issue that shows a mail and can do nothing, and what later looks need reads back.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use wardroom::domain::checklist::Checklist;
use wardroom::domain::mail::{self, MailReport, issue};
use wardroom::domain::policy::Policy;

fn check(mail: &MailReport) {
    let now = Timestamp::from_second(1_772_500_000).unwrap();
    let received = mail.received(None, now);
    assert!(received.at <= now);
    let filing = issue::render(mail, received, &Policy::default(), now);
    assert!(filing.body.chars().count() <= 65_536);
    assert!((1..=256).contains(&filing.title.chars().count()) && !filing.title.contains(['\n', '\r', '\0']));
    let told = issue::told(&filing.body).unwrap();
    assert_eq!((&told.id, told.received, told.total_bytes), (&mail.key.id, received.at, mail.text.len()));
    let list = Checklist::parse(&filing.body);
    assert_eq!((list.tasks().count(), list.fields.len(), list.phases.len(), list.markers.len()), (0, 0, 0, 1));
    let (mut inside, mut words, mut blocks) = (false, String::new(), 0);
    for event in Parser::new_ext(&filing.body, Options::all().difference(Options::ENABLE_SMART_PUNCTUATION)) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => (inside, blocks) = (true, blocks + 1),
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if !inside => words.push_str(&text),
            Event::Html(html) => assert!(html.starts_with("<!-- wardroom:mail id="), "{html}"),
            Event::InlineHtml(_) | Event::TaskListMarker(_) | Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                panic!("{}", filing.body)
            }
            _ => {}
        }
    }
    assert_eq!(blocks, usize::from(!mail.text.is_empty()));
    assert!(!["@", "#", "://", "/wardroom"].iter().any(|mark| words.contains(mark)), "{words}");
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mail) = mail::read(bytes) {
        check(&mail);
    }
    let title = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
    if let Ok(mail) = mail::from_text(&title, bytes) {
        check(&mail);
    }
});
