use comrak::nodes::NodeValue;
use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::domain::checklist::Checklist;

/// Everything that a hostile report may be made of.
fn hostile() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "\t",
        " ",
        "    ",
        "`",
        "```",
        "````\n",
        "~",
        "~~~",
        "~~~~\n",
        "\n```\n",
        "\n~~~\n",
        "   ```",
        "- [ ] ",
        "- [x] done\n",
        "# ",
        "## Phase 2: x\n",
        "> ",
        "<!-- wardroom:T12 -->",
        "<!--",
        "-->",
        "<details>",
        "</details>\n\n",
        "<script>",
        "@octocat",
        "@octo-org/team",
        "#12",
        "GH-12",
        "octo/repo#7",
        "https://example.org/x",
        "www.example.org",
        "me@example.org",
        "mailto:me@example.org",
        ":smile:",
        "&amp;",
        "&#64;",
        "\\",
        "\\\\",
        "|",
        "\\|",
        "$x$",
        "*",
        "_",
        "~~",
        "[a](b)",
        "![a](b)",
        "[^1]",
        "[^1]: x",
        "1. ",
        "1) ",
        "---",
        "===",
        "+ ",
        "\0",
        "\u{202E}",
        "\u{200B}",
        "\u{FEFF}",
        "\u{E0041}",
        "\u{2028}",
        "\u{85}",
        "é",
        "😀",
        "word",
        "**Severity Level**: `High`",
        "/wardroom pause",
        "[!NOTE]",
        "closes #3",
        "<a@b.c>",
        "<https://a.b>",
    ]);
    let piece = prop_oneof![8 => bits.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[`~]{1,40}"];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// Line ends as line feeds, NUL as CommonMark wants it: what a renderer may do to the text of a block.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}")
}

/// The text of a block: normal, its last line ended.
fn normal_block(text: &str) -> String {
    let text = normal(text);
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

fn github_like<'a>() -> comrak::Options<'a> {
    let mut options = comrak::Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options.render.r#unsafe = true;
    options
}

/// A document as two independent parsers see it: its code (blocks and spans) apart, the structure without them.
#[derive(Debug, PartialEq)]
struct Seen {
    code: Vec<String>,
    rest: String,
}

fn seen_by_comrak(markdown: &str) -> Seen {
    let arena = comrak::Arena::new();
    let options = github_like();
    let root = comrak::parse_document(&arena, markdown, &options);
    let mut code = Vec::new();
    for node in root.descendants() {
        match &mut node.data_mut().value {
            NodeValue::CodeBlock(block) => code.push(std::mem::take(&mut block.literal)),
            NodeValue::Code(span) => code.push(std::mem::take(&mut span.literal)),
            _ => {}
        }
    }
    let mut rest = String::new();
    comrak::format_html(root, &options, &mut rest).unwrap();
    Seen { code: code.iter().map(|text| normal(text)).collect(), rest }
}

fn seen_by_pulldown(markdown: &str) -> Seen {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    let mut code = Vec::new();
    let mut rest = String::new();
    let mut inside = false;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                inside = true;
                code.push(String::new());
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => "indented".to_owned(),
                };
                rest.push_str(&format!("[block {info}]"));
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => code.last_mut().unwrap().push_str(&text),
            Event::Text(text) => rest.push_str(&text),
            Event::Code(text) => {
                code.push(text.to_string());
                rest.push_str("[span]");
            }
            other => rest.push_str(&format!("[{other:?}]")),
        }
    }
    Seen { code: code.iter().map(|text| normal(text)).collect(), rest }
}

const BODY_BEFORE: &str =
    "# Incident\n\n- [ ] First <!-- wardroom:T1 -->\n- [x] Second\n\n### Report\n\nBy `someone`:\n";
const BODY_AFTER: &str = "\nThe end of it.\n\n## Phase 2: Next\n\n- [ ] Third\n\n<!-- wardroom:incident a/b#1 -->\n";

/// What GitHub's filters would find in rendered text: a mention, a reference, an address, an emoji code.
fn acts(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    for (at, pair) in chars.windows(2).enumerate() {
        let here: String = chars[at..chars.len().min(at + 12)].iter().collect();
        match pair {
            ['@', next] if next.is_ascii_alphanumeric() => return Some(here),
            ['#', next] if next.is_ascii_digit() => return Some(here),
            _ => {}
        }
        let digits_after_gh =
            here.strip_prefix("gh-").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if digits_after_gh || here.starts_with("://") || here.starts_with("www.") || here.starts_with(":smile:") {
            return Some(here);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_fenced_text_is_one_block_that_shows_it_and_changes_nothing_around_it(text in hostile()) {
        let fenced = fence(&text, usize::MAX);
        prop_assert!(!fenced.cut);
        prop_assert_eq!(fenced.shown_bytes, text.len());
        let whole = format!("{BODY_BEFORE}\n{}{BODY_AFTER}", fenced.block);
        let harmless = format!("{BODY_BEFORE}\n{}{BODY_AFTER}", fence("harmless", usize::MAX).block);
        for look in [seen_by_comrak, seen_by_pulldown] {
            let (seen, expected) = (look(&whole), look(&harmless));
            prop_assert_eq!(&seen.rest, &expected.rest);
            prop_assert_eq!(seen.code.len(), 2);
            let (shown, wanted) = (&seen.code[1], normal_block(&text));
            if text.contains("\r\r") {
                // pulldown-cmark loses some of several carriage returns in a row, that is, empty lines.
                let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
                prop_assert_eq!(lines(shown), lines(&wanted));
            } else {
                prop_assert_eq!(shown, &wanted);
            }
        }
        let alone = seen_by_comrak(&fenced.block);
        prop_assert_eq!(alone.code, vec![normal_block(&text)]);
    }

    #[test]
    fn p10_reporter_text_cannot_change_what_the_checklist_holds(text in hostile()) {
        // Lines are left out: those below the block move with its length.
        let held = |report: &str| {
            let body = format!("{BODY_BEFORE}\n{}{BODY_AFTER}", fence(report, MAX_REPORT_BYTES).block);
            let list = Checklist::parse(&body);
            let tasks: Vec<String> = list.tasks().map(|task| format!("{:?} {:?} {}", task.anchor, task.state, task.text)).collect();
            let fields: Vec<String> = list.fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
            let phases: Vec<String> = list.phases.iter().map(|phase| format!("{:?} {}", phase.number, phase.title)).collect();
            (tasks, fields, phases, list.empty_slots, list.markers, list.review.is_some())
        };
        prop_assert_eq!(held(&text), held("harmless"));
    }

    #[test]
    fn a_fence_is_longer_than_any_run_inside_and_the_bytes_are_intact(text in hostile()) {
        let block = fence(&text, usize::MAX).block;
        let mark = block.chars().next().unwrap();
        let length = block.chars().take_while(|&c| c == mark).count();
        let runs = text.split(|c| c != mark).map(|run| run.chars().count());
        prop_assert!(length > runs.max().unwrap_or(0) && (3..=LONGEST_FENCE).contains(&length));
        let inside = &block[length + "text\n".len()..block.len() - length - 1];
        let text = text.replace('\0', "\u{FFFD}");
        prop_assert!(inside == text || inside.strip_suffix('\n') == Some(&text));
    }

    #[test]
    fn a_cut_text_is_a_prefix_within_the_limit_and_says_so(text in hostile(), max in 0_usize..120) {
        let fenced = fence(&text, max);
        let shown = &text[..fenced.shown_bytes];
        prop_assert_eq!(fenced.cut, fenced.shown_bytes < text.len());
        prop_assert_eq!(fenced.total_bytes, text.len());
        prop_assert!(normal(shown).len() <= max);
        let full = text.replace('\0', "\u{FFFD}").len();
        prop_assert!(fenced.cut || full <= max);
        prop_assert!(!fenced.cut || full > max);
        prop_assert_eq!(fenced.block, fence(shown, usize::MAX).block);
        prop_assert_eq!(fenced.hidden, fence(shown, usize::MAX).hidden);
    }

    #[test]
    fn a_code_span_is_one_span_in_a_line_of_ours(text in hostile(), max in 0_usize..200) {
        let span = code_span(&text, max);
        prop_assert!(!span.contains('\n') && !span.contains('\r') && !span.contains("<!--"));
        let around = |span: &str| format!("Field {span} differs.\n\n- {span}\n\n{span}\n");
        for look in [seen_by_comrak, seen_by_pulldown] {
            let (seen, expected) = (look(&around(&span)), look(&around("`x`")));
            prop_assert_eq!(&seen.rest, &expected.rest);
            prop_assert_eq!(seen.code.len(), 3);
        }
    }

    #[test]
    fn a_span_and_a_name_stay_in_their_cell(text in hostile(), max in 0_usize..200) {
        let table = |cell: &str| format!("| a | b |\n| - | - |\n| {cell} | end |\n");
        let span = table(&table_cell(&code_span(&text, max)));
        for look in [seen_by_comrak, seen_by_pulldown] {
            let (seen, expected) = (look(&span), look(&table("`x`")));
            prop_assert_eq!(&seen.rest, &expected.rest);
            prop_assert_eq!(seen.code.len(), 1);
        }
        let name = seen_by_comrak(&table(&table_cell(&plain(&text))));
        prop_assert!(name.rest.ends_with("</td>\n<td>end</td>\n</tr>\n</tbody>\n</table>\n"), "{}", name.rest);
        prop_assert!(name.code.is_empty() && name.rest.matches("<td>").count() == 2);
    }

    #[test]
    fn a_plain_name_reads_as_written_formats_nothing_and_calls_nobody(text in hostile()) {
        let name = plain(&text);
        prop_assert!(!name.contains("<!--"));
        for markdown in [name.clone(), format!("By {name}.")] {
            let arena = comrak::Arena::new();
            let options = github_like();
            let root = comrak::parse_document(&arena, &markdown, &options);
            let mut read = String::new();
            for node in root.descendants() {
                match &node.data().value {
                    NodeValue::Document | NodeValue::Paragraph => {}
                    NodeValue::Text(text) => read.push_str(text),
                    other => prop_assert!(false, "{markdown:?} holds {other:?}"),
                }
            }
            prop_assert_eq!(acts(&read), None);
            let parsed = seen_by_pulldown(&markdown);
            let paragraph = parsed.rest.replace("[Start(Paragraph)]", "").replace("[End(Paragraph)]", "");
            prop_assert_eq!(paragraph, read.clone());
            if markdown == name && text.chars().all(|c| invisible::name(c).is_none()) {
                let written: String = text.split_whitespace().collect();
                let read: String = read.replace('\u{200B}', "").split_whitespace().collect();
                prop_assert_eq!(read, written);
            }
        }
    }

    #[test]
    fn what_is_said_beneath_a_block_counts_every_invisible_character(text in hostile()) {
        let listed: usize = fence(&text, usize::MAX).hidden.iter().map(|hidden| hidden.count).sum();
        let looks = text.chars().filter(|c| matches!(c, '\u{FE0E}' | '\u{FE0F}')).count();
        let all = text.chars().filter(|&c| invisible::name(c).is_some()).count();
        prop_assert!(all - looks <= listed && listed <= all);
    }
}

/// What a source file cannot show.
fn visible(text: &str) -> String {
    text.replace('\r', "<CR>").replace('\u{202E}', "<RLO>").replace('\u{200B}', "<ZWSP>")
}

#[test]
fn a_report_looks_like_this() {
    let text = "Send `\u{202E}x` as user:\r\n```\r\n- [x] done\r\n```\r\n@octocat\u{200B}\u{200B}\0";
    insta::assert_snapshot!(visible(&fence(text, MAX_REPORT_BYTES).block), @"
        ~~~text
        Send `<RLO>x` as user:<CR>
        ```<CR>
        - [x] done<CR>
        ```<CR>
        @octocat<ZWSP><ZWSP>�
        ~~~
        ");
    insta::assert_snapshot!(fence(text, MAX_REPORT_BYTES).notes("The report itself"), @"
    The text holds characters that cannot be seen and may mislead:

    - U+0000 NUL (shown as U+FFFD), once
    - U+200B ZERO WIDTH SPACE, 2 times
    - U+202E RIGHT-TO-LEFT OVERRIDE, once
    ");
    insta::assert_snapshot!(fence(text, 20).notes("The report itself"), @"
    The text is cut here: 20 of its 59 bytes are shown. The report itself has all of it.

    The text holds characters that cannot be seen and may mislead:

    - U+202E RIGHT-TO-LEFT OVERRIDE, once
    ");
}

#[test]
fn many_kinds_of_invisible_characters_are_summed_up() {
    let text: String = ('\u{E0041}'..='\u{E005A}').chain(['\u{E0041}']).collect();
    insta::assert_snapshot!(fence(&text, MAX_REPORT_BYTES).notes("The report itself"), @"
    The text holds characters that cannot be seen and may mislead:

    - U+E0041 TAG CHARACTER, 2 times
    - U+E0042 TAG CHARACTER, once
    - U+E0043 TAG CHARACTER, once
    - U+E0044 TAG CHARACTER, once
    - U+E0045 TAG CHARACTER, once
    - U+E0046 TAG CHARACTER, once
    - U+E0047 TAG CHARACTER, once
    - U+E0048 TAG CHARACTER, once
    - U+E0049 TAG CHARACTER, once
    - U+E004A TAG CHARACTER, once
    - U+E004B TAG CHARACTER, once
    - U+E004C TAG CHARACTER, once
    - 14 other code points, 14 characters in all
    ");
}

#[test]
fn an_ordinary_text_needs_no_note() {
    assert_eq!(
        fence("A plain report.\n\tWith a tab, an é and ⚠\u{FE0F}.", MAX_REPORT_BYTES).notes("The report itself"),
        ""
    );
    assert_eq!(fence("", MAX_REPORT_BYTES).block, "```text\n```\n");
}

#[test]
fn every_named_range_is_found_and_the_ranges_are_in_order() {
    for c in
        "\u{202A}\u{202E}\u{2066}\u{2069}\u{200B}\u{200F}\u{061C}\u{FEFF}\u{00AD}\u{2060}\u{2064}\u{E0000}\u{E007F}\
              \u{E0100}\u{E01EF}\u{0}\u{1}\u{1B}\u{7F}\u{9F}\u{B}\u{C}\u{180E}\u{3164}\u{2028}"
            .chars()
    {
        assert!(invisible::name(c).is_some(), "U+{:04X}", u32::from(c));
    }
    for c in "\t\n\r aé😀\u{A0}\u{3000}\u{FFFD}\u{10FFFD}".chars() {
        assert_eq!(invisible::name(c), None, "U+{:04X}", u32::from(c));
    }
    assert!(invisible::RANGES.windows(2).all(|pair| pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0));
}

#[test]
fn the_shorter_of_two_fences_is_taken() {
    assert!(fence("```` and ~~~", MAX_REPORT_BYTES).block.starts_with("~~~~text\n"));
    assert!(fence("``` and ~~~~", MAX_REPORT_BYTES).block.starts_with("````text\n"));
}

#[test]
fn a_text_without_a_possible_fence_is_cut_before_it_could_break_out() {
    let long = |mark: &str| mark.repeat(400);
    let one = format!("{}\n- [x] x\n", long("`"));
    assert!(!fence(&one, MAX_REPORT_BYTES).cut, "tildes still fence it");
    let both = format!("{}\n{}\n- [x] forged\n", long("`"), long("~"));
    let fenced = fence(&both, MAX_REPORT_BYTES);
    assert!(fenced.cut);
    assert_eq!(fenced.shown_bytes, 400 + 1 + 254);
    assert!(fenced.block.starts_with(&format!("{}text\n", "~".repeat(255))));
    assert!(!fenced.block.contains("forged"));
}

#[test]
fn short_texts_look_like_this() {
    let shown = |text: &str| visible(&format!("{} | {}", code_span(text, 40), plain(text)));
    insta::assert_snapshot!(shown("Crash in `parse` for @octocat, see #12 and https://example.org"), @r"``Crash in `parse` for @octocat, see #12 a…`` | Crash in \`parse\` for @<ZWSP>octocat, see #<ZWSP>12 and https:<ZWSP>//example.org");
    insta::assert_snapshot!(shown("<!-- wardroom:status -->"), @r"`<!<ZWSP>-- wardroom:status -->` | \<\!-- wardroom:status --\>");
    insta::assert_snapshot!(shown("a|b \\| \u{202E}c\n\nd"), @r"`a|b \| <U+202E>c d` | a\|b \\\| \<U+202E\>c d");
    insta::assert_snapshot!(shown(""), @"`  ` |");
    insta::assert_snapshot!(login("octocat"), @"`octocat`");
    insta::assert_snapshot!(login("wardroom-app[bot]"), @"`wardroom-app[bot]`");
    insta::assert_snapshot!(code_span("0123456789", 4), @"`0123…`");
}
