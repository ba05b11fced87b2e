//! Laws that hold for any text in any field.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

/// Texts that try to be more than text.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("@octo/all ".to_owned()),
        Just("<!-- wardroom:incident report=a/b#1 -->".to_owned()),
        Just("`".to_owned()),
        Just("```\n".to_owned()),
        Just("\n\n- [x] done\n".to_owned()),
        Just("[x](javascript:alert)".to_owned()),
        Just("<b>".to_owned()),
        Just("{{ product.name }}".to_owned()),
        Just("<< ask >>".to_owned()),
        Just("| a | b |\n|---|---|\n".to_owned()),
        Just("https://evil.example ".to_owned()),
        Just("octo/mail#12 ".to_owned()),
        "\\PC{0,8}",
        "[a-zA-Z0-9 .,:-]{0,12}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn fields() -> impl Strategy<Value = Known> {
    let names = ["root", "introduced", "workaround", "configuration", "data", "credit"];
    (names.map(|_| words()), any::<bool>()).prop_map(|(texts, filled)| {
        let [root, introduced, workaround, configuration, data, credit] = texts;
        let mut known = known(if filled { FIELDS } else { "" });
        known.root_cause = Some(root);
        known.introduced = Some(introduced);
        known.workaround = Some(workaround);
        known.default_configuration = Some(configuration);
        known.data_at_risk = Some(data);
        known.thanked.push(credit);
        known
    })
}

/// What a renderer makes of a text: the shape of its blocks, and its words outside code.
fn rendered(text: &str) -> (Vec<String>, String) {
    let (mut shape, mut words, mut code) = (Vec::new(), String::new(), false);
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => shape.push(format!("html {html}")),
            Event::TaskListMarker(_) => shape.push("box".to_owned()),
            Event::Start(Tag::Heading { level, .. }) => shape.push(format!("heading {level}")),
            Event::Start(Tag::CodeBlock(_)) => {
                code = true;
                shape.push("code".to_owned());
            }
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Start(Tag::Table(_)) => shape.push("table".to_owned()),
            Event::Start(Tag::Link { dest_url, .. }) => shape.push(format!("link {dest_url}")),
            Event::Start(Tag::BlockQuote(_)) => shape.push("quote".to_owned()),
            Event::Text(text) if !code => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak => words.push('\n'),
            _ => {}
        }
    }
    (shape, words)
}

proptest! {
    #[test]
    fn p10_field_text_stays_text_in_the_advisory(known in fields()) {
        let text = text::description(&known, &policy(), text::DEFAULT).unwrap();
        prop_assert!(!text.contains("<!--"), "{text}");
        let mut quiet = known.clone();
        for value in [&mut quiet.root_cause, &mut quiet.introduced, &mut quiet.workaround, &mut quiet.default_configuration, &mut quiet.data_at_risk] {
            *value = Some("words".to_owned());
        }
        *quiet.thanked.last_mut().unwrap() = "words".to_owned();
        let (shape, words) = rendered(&text);
        let (expected, _) = rendered(&text::description(&quiet, &policy(), text::DEFAULT).unwrap());
        prop_assert_eq!(shape, expected, "{}", text);
        // The one address that is ours stands in the last section.
        let words = words.replace("security@example.org", "");
        let chars: Vec<char> = words.chars().collect();
        let live = chars.windows(2).any(|pair| pair[0] == '@' && pair[1].is_ascii_alphanumeric());
        prop_assert!(!live, "a mention: {words}");
        prop_assert!(!words.contains("://evil"), "a link: {words}");
    }

    #[test]
    fn an_advisory_made_from_its_draft_has_no_drift(
        affected in proptest::collection::vec("[0-3][.][0-9]{1,2}[.][0-9]( to [4-6][.][0-9]{1,2}[.][0-9])?|< [1-9][.]0|[0-9][.]x|all", 0..3),
        patched in proptest::collection::vec("[0-9][.][0-9]{1,2}[.][0-9]", 0..4),
        severity in "Critical|High|Low|None|dire|",
        vector in "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:(H|N)/A:N|CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N|AV:N|",
        credits in "(@[a-z]{1,5}(, | [(]tool[)], )){0,3}Jane",
    ) {
        let body = format!(
            "- **Severity Level**: {severity}\n- **Affects versions**: {}\n- **Patch/hotfix version**: {}\n\
             - **CVSS vector**: {vector}\n- **CWE**: CWE-79\n- **Credits**: {credits}\n",
            affected.join("; "), patched.join(", "),
        );
        let (known, wanted) = (known(&body), wanted(&body));
        let advisory = made(&wanted);
        prop_assert_eq!(drift::rows(&wanted, &known, &advisory), vec![], "{}", body);
        prop_assert!(drift::to_advisory(&Part::ALL, &wanted, &advisory).is_done(&advisory), "{}", body);
    }
}
