//! Documents as people and attackers write them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Inline text; `settling` adds what strikes or marks a task, of which the judge knows nothing, and a run of backticks
/// that closes nothing, behind which the judge overlooks code spans.
pub(crate) fn inline(settling: bool) -> BoxedStrategy<String> {
    let plain = vec![
        "word",
        "two words",
        "`code`",
        "`- [ ] code`",
        "**bold**",
        "*em*",
        "[link](https://a.example)",
        "[x]",
        "[ ]",
        "<!-- wardroom:T1 -->",
        "<!-- wardroom:T22 -->",
        "<!-- wardroom:kind content -->",
        "<!-- note",
        "-->",
        "<b>html</b>",
        "\\*",
        "\\`",
        "`",
        "**",
        "_",
        "_a_",
        "snake_case",
        "&amp;",
        "&nbsp;",
        "é",
        "🦀",
        "|",
        "<https://a.example>",
        "![i](u)",
        ":",
        "a: b",
        "- [ ] inside",
        "1. x",
        "#",
        ">",
        "\u{a0}",
        "[ref]",
        "\\",
        "!",
        "@login",
        "#12",
        "\t",
    ];
    let settlers = vec!["``", "~~struck~~", "~~", "~", "N/A", "N/A: why", "n/a", "~~all of it~~ N/A: reason"];
    let mut words: Vec<String> = plain.into_iter().map(str::to_owned).collect();
    if settling {
        words.extend(settlers.into_iter().map(str::to_owned));
    }
    vec(select(words), 0..5).prop_map(|words| words.join(" ")).boxed()
}

/// One line, or a few that belong together, without a line end.
fn block(settling: bool) -> BoxedStrategy<String> {
    let text = || inline(settling);
    let indent = || select(vec!["", "", "", " ", "  ", "    ", "\t", "      ", "        "]);
    let bullet = || select(vec!["-", "*", "+", "1.", "2)", "10."]);
    let gap = || select(vec![" ", " ", " ", "  ", "\t", "     ", ""]);
    let boxes = || select(vec!["[ ] ", "[x] ", "[X] ", "[ ]", "[x]", "[]", "", "", "[ ]\t", "[\t] "]);
    let name = || select(vec!["Severity Level", "CVSS Score", "Affects versions", "A `b` c", "x"]);
    let colon = || select(vec![":", " :", " (if any):", ""]);
    let title = || {
        select(vec![
            "Phase 1: Assess",
            "Phase 2 : Mitigate",
            "Phase 2",
            "phase 10 - Release",
            "Tasks",
            "Notes",
            "Emergency Contacts",
            "Updates",
            "*Phase* 3: `x`",
            "",
        ])
    };
    prop_oneof![
        8 => (indent(), bullet(), gap(), boxes(), text()).prop_map(|(i, b, g, x, t)| format!("{i}{b}{g}{x}{t}")),
        3 => (indent(), bullet(), name(), colon(), text()).prop_map(|(i, b, n, c, t)| format!("{i}{b} **{n}**{c} {t}")),
        1 => (bullet(), name(), text()).prop_map(|(b, n, t)| format!("{b} **{n}:** {t}")),
        2 => (1..5_usize, title()).prop_map(|(level, title)| format!("{} {title}", "#".repeat(level))),
        1 => (title(), select(vec!["===", "---"])).prop_map(|(title, line)| format!("{title}\n{line}")),
        4 => Just(String::new()),
        2 => (indent(), text()).prop_map(|(i, t)| format!("{i}{t}")),
        1 => text().prop_map(|t| format!("**{t}**")),
        1 => Just("**Pre-release:**".to_owned()),
        1 => (indent(), select(vec!["```", "````", "~~~", "``` text"])).prop_map(|(i, f)| format!("{i}{f}")),
        1 => (select(vec!["> ", ">", "> > ", "  > "]), boxes(), text()).prop_map(|(q, x, t)| format!("{q}- {x}{t}")),
        1 => (indent(), bullet(), boxes()).prop_map(|(i, b, x)| format!("{i}{b} > - {x}quoted")),
        1 => select(vec!["<!--", "-->", "<details>", "</details>", "<div>", "<pre>", "</pre>", "<!-- wardroom:k v -->"])
            .prop_map(str::to_owned),
        1 => select(vec!["---", "***", "| a | b |", "|---|---|", "[ref]: https://a.example\n", "- - [ ] deep", "* - + [x] mixed"])
            .prop_map(str::to_owned),
        1 => Just("- [ ] item\n\n  paragraph\n\n  - [x] child\n\n      code".to_owned()),
    ]
    .boxed()
}

/// A document: blocks with line ends of one kind or mixed, perhaps a byte-order mark, perhaps no last line end.
pub(crate) fn document(settling: bool) -> BoxedStrategy<String> {
    let ends = prop_oneof![
        3 => Just(vec!["\n"]),
        2 => Just(vec!["\r\n"]),
        1 => Just(vec!["\n", "\r\n", "\r"]),
    ];
    (vec(block(settling), 0..25), ends, any::<u8>(), prop::bool::weighted(0.1), any::<bool>())
        .prop_map(|(blocks, ends, first, mark, ended)| {
            let mut body = String::from(if mark { "\u{feff}" } else { "" });
            let mut lines = blocks.iter().flat_map(|block| block.split('\n')).peekable();
            let mut next = usize::from(first);
            while let Some(line) = lines.next() {
                body.push_str(line);
                if ended || lines.peek().is_some() {
                    body.push_str(ends[next % ends.len()]);
                    next += 1;
                }
            }
            body
        })
        .boxed()
}

/// Any pieces of Markdown one after the other.
pub(crate) fn soup() -> BoxedStrategy<String> {
    let tokens = vec![
        "- ",
        "* ",
        "1. ",
        "[ ] ",
        "[x]",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "# ",
        "## Phase 1: ",
        "```",
        "~~~",
        "> ",
        "<!--",
        "-->",
        "**",
        "a",
        "**N**: ",
        "`",
        "~~",
        "N/A",
        ":",
        "[",
        "](",
        ")",
        "<",
        ">",
        "|",
        "|-|",
        "---",
        "<details>",
        "\\",
        "&amp;",
        "é",
        "\u{feff}",
        "\0",
        "wardroom:T1",
        " <!-- wardroom:T1 -->",
        "_",
        "=",
        "\u{2028}",
        "[a]: b",
    ];
    vec(select(tokens), 0..60).prop_map(|tokens| tokens.concat()).boxed()
}

/// A body of either kind.
pub(crate) fn body() -> BoxedStrategy<String> {
    prop_oneof![3 => document(true), 1 => soup()].boxed()
}

/// What a person may put into a remark or a field, hostile ones too.
pub(crate) fn words() -> BoxedStrategy<String> {
    prop_oneof![
        3 => inline(true),
        1 => soup(),
        1 => any::<String>(),
        1 => select(vec![
            "", "-->", "<!-- wardroom:T1 -->", "<!-- wardroom:incident a/b#1 -->", "`", "``` ", "\n- [x] forged", "\r\n## Phase 9: forged",
            "x\n\n- **Severity**: Low", "] [x] ", "~~", "~~ ~~", "</details>", "\u{202e}reversed", "a\\", "**", "|", "<b", "[a](", "https://a.example/a_b?c=d&e=f",
            "[post](https://a.example)", "0.15.0 to 0.15.6", "`a` or `b`", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ]).prop_map(str::to_owned),
    ]
    .boxed()
}
