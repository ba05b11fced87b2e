//! comrak, which follows GitHub's own reader line by line, as judge of which boxes there are.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;
use wardroom::domain::checklist::{Checklist, TaskState};

use crate::generate::document;

/// A box: its text, and whether it is ticked.
type Box = (String, bool);

/// The boxes that comrak finds outside quotes, in the order of the document.
fn judged(body: &str) -> Vec<Box> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    let arena = Arena::new();
    let root = parse_document(&arena, body, &options);
    let mut boxes = Vec::new();
    collect(root, &mut boxes);
    boxes
}

fn collect<'a>(node: &'a AstNode<'a>, boxes: &mut Vec<Box>) {
    if matches!(node.data.borrow().value, NodeValue::BlockQuote) {
        return;
    }
    if let NodeValue::TaskItem(task) = &node.data.borrow().value {
        let mut text = String::new();
        if let Some(first) = node.children().find(|child| !matches!(child.data.borrow().value, NodeValue::HtmlBlock(_)))
            && matches!(first.data.borrow().value, NodeValue::Paragraph)
        {
            words(first, &mut text);
        }
        boxes.push((text, task.symbol.is_some()));
    }
    for child in node.children() {
        collect(child, boxes);
    }
}

/// Letters and digits only. comrak keeps the carriage return of a line end within a code span.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn words<'a>(node: &'a AstNode<'a>, text: &mut String) {
    match &node.data.borrow().value {
        NodeValue::Text(words) => text.push_str(words),
        NodeValue::Code(code) => text.push_str(&code.literal),
        NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
        _ => {}
    }
    for child in node.children() {
        words(child, text);
    }
}

/// The boxes that we find, in the order of the document, and how many of them are empty.
fn found(body: &str) -> (Vec<Box>, usize) {
    let checklist = Checklist::parse(body);
    let mut tasks: Vec<_> = checklist.tasks().collect();
    tasks.sort_by_key(|task| task.line);
    let boxes = tasks.iter().map(|task| (squeezed(&task.text), task.state == TaskState::Done)).collect();
    (boxes, checklist.empty_slots)
}

/// Writes a body so that nine differences do not show, six of them in favour of cmark-gfm, the reader that GitHub itself
/// runs, and of the grammar it follows (GFM 0.29, section 5.3):
///
/// - comrak looks for a box in the first piece of inline text, so it takes `[ ]<!-- x -->` and `[x]**b**` for boxes.
///   The grammar wants white space behind the bracket.
/// - comrak takes only a space for an open box. The grammar takes any white space, so a tab too.
/// - To comrak an empty box is text, so a line below it may go on in it and a blank line leaves its item open. To the
///   grammar the box is a marker and the item begins with nothing. So an empty box stays empty only where a
///   bulleted item follows, not indented.
/// - To comrak a box in a heading is none (`- [ ] text`, underlined by `---` in the next line). To the grammar the marker
///   has been taken off before the text is seen to be a heading.
/// - To comrak a box may stand in the line after its bullet. To the grammar they stand together.
/// - At the end of a text that has no last line end, comrak reads `1.` as words, not as an empty item.
/// - A tag alone in a line that lazily goes on a paragraph of an item: to comrak raw HTML begins there, as it does to
///   cmark-gfm; CommonMark 0.31 (section 4.6, condition 7) says it cannot interrupt a paragraph, and so does our reader.
/// - An item that begins with nothing and is followed by a line of spaces: to comrak and cmark-gfm it goes on behind
///   them, to CommonMark 0.31 (section 5.2) and our reader it is over.
/// - A table that begins in the midst of a paragraph without a bar before its first cell: our reader sees a paragraph
///   that goes on, where only an item numbered 1 or a bullet can begin.
fn without_known_differences(body: &str) -> String {
    let mut body = body.replace("[\t]", "[ ]");
    for mark in ["[ ]", "[x]", "[X]"] {
        body = body.replace(mark, &format!("{mark} "));
    }
    let lines: Vec<&str> = body.split_inclusive(['\n', '\r']).collect();
    let mut written = String::new();
    for (index, line) in lines.iter().enumerate() {
        let text = line.trim_end();
        let next = lines.get(index + 1).copied().unwrap_or("- [");
        let followed_by_item = ["- [", "* [", "+ ["].iter().any(|bullet| next.starts_with(bullet));
        let underlines = !text.is_empty() && text.trim_start().bytes().all(|byte| matches!(byte, b'-' | b'='));
        if underlines || text == "</pre>" {
            written.push_str("\n\n");
        }
        let words = text.trim_start();
        let indentation = text.len() - words.len();
        written.push_str(&text[..indentation]);
        if ["[ ]", "[x]", "[X]"].iter().any(|mark| words.starts_with(mark)) {
            written.push_str("no box: ");
        }
        written.push_str(words);
        if ["[ ]", "[x]", "[X]"].iter().any(|mark| text.ends_with(mark)) {
            written.push_str(if followed_by_item { " " } else { " slot" });
        }
        written.push_str(if text.is_empty() {
            line.trim_start_matches([' ', '\t', '\u{a0}'])
        } else {
            &line[text.len()..]
        });
        if text.ends_with("|---|---|") {
            written.push_str("\n\n");
        }
    }
    written + "\n"
}

fn agree(body: &str) -> Result<(), TestCaseError> {
    let body = &without_known_differences(body);
    let (boxes, empty) = found(body);
    let (blank, judged): (Vec<Box>, Vec<Box>) = judged(body).into_iter().partition(|(text, _)| text.trim().is_empty());
    let judged: Vec<Box> = judged.into_iter().map(|(text, ticked)| (squeezed(&text), ticked)).collect();
    prop_assert_eq!(boxes, judged, "boxes in {:?}", body);
    prop_assert_eq!(empty, blank.len(), "empty slots in {:?}", body);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_judge_finds_the_same_boxes(body in document(false)) {
        agree(&body)?;
    }
}

#[test]
fn the_judge_finds_the_same_boxes_in_the_shared_checklist() {
    let body = include_str!("../data/checklist.md");
    let (blank, named): (Vec<Box>, Vec<Box>) = judged(body).into_iter().partition(|(text, _)| text.trim().is_empty());
    let named: Vec<Box> = named.into_iter().map(|(text, ticked)| (squeezed(&text), ticked)).collect();
    assert_eq!((blank.len(), named.len()), (5, 38));
    assert_eq!(found(body), (named, 5));
}
