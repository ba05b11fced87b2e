//! Whatever a report holds, it becomes one code block that shows it, and nothing around the block changes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use wardroom::domain::fence::{MAX_REPORT_BYTES, code_span, fence, plain, table_cell};

/// What a renderer makes of a document: the code in it, and everything else.
fn seen(markdown: &str) -> (Vec<String>, String) {
    let (mut code, mut rest, mut inside) = (Vec::new(), String::new(), false);
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                inside = true;
                code.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => code.last_mut().unwrap().push_str(&text),
            Event::Code(text) => code.push(text.to_string()),
            other => rest.push_str(&format!("{other:?}")),
        }
    }
    (code, rest)
}

fuzz_target!(|text: &str| {
    let around = |block: &str| format!("# Incident\n\n- [ ] First\n\n{block}\n- [ ] Second\n\n<!-- wardroom:x y -->\n");
    let fenced = fence(text, MAX_REPORT_BYTES);
    let (code, rest) = seen(&around(&fenced.block));
    let (_, expected) = seen(&around(&fence("harmless", MAX_REPORT_BYTES).block));
    assert_eq!(rest, expected);
    assert_eq!(code.len(), 1);
    assert_eq!(fenced.cut, fenced.shown_bytes < text.len());
    let shown = text[..fenced.shown_bytes].replace('\0', "\u{FFFD}");
    assert!(shown.len() <= MAX_REPORT_BYTES);
    if !shown.contains('\r') {
        assert_eq!(code[0].strip_suffix('\n').unwrap_or(&code[0]), shown.strip_suffix('\n').unwrap_or(&shown));
    }
    let cell = |cell: &str| format!("| a | b |\n| - | - |\n| {cell} | end |\n");
    let (code, rest) = seen(&cell(&table_cell(&code_span(text, 200))));
    assert_eq!((code.len(), rest), (1, seen(&cell("`x`")).1));
    let name = plain(text);
    let (code, _) = seen(&format!("By {name}.\n"));
    assert!(code.is_empty() && !name.contains("<!--") && !name.contains('\n'));
});
