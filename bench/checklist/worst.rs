//! Bodies of GitHub's greatest length, 65,536 characters, that cost a Markdown reader the most.

/// GitHub takes no longer body.
const LENGTH: usize = 65_536;

/// The unit again and again.
fn filled(unit: &str) -> String {
    unit.chars().cycle().take(LENGTH).collect()
}

/// A beginning, and the unit again and again behind it.
fn begun(start: &str, unit: &str) -> String {
    start.chars().chain(unit.chars().cycle()).take(LENGTH).collect()
}

/// Lines that the function makes of their number, from 0.
fn lines(line: impl Fn(usize) -> String) -> String {
    (0..).flat_map(|n| line(n).chars().collect::<Vec<_>>()).take(LENGTH).collect()
}

/// All of them, each with a name.
pub(crate) fn bodies() -> Vec<(&'static str, String)> {
    let half = LENGTH / 2;
    vec![
        ("the default checklist, again and again", filled(include_str!("../../tests/data/checklist.md"))),
        ("boxes", filled("- [ ] a\n")),
        ("empty boxes", filled("- [ ]\n")),
        ("boxes with one text and one anchor", filled("- [ ] a <!-- wardroom:T1 -->\n")),
        ("boxes under a long group", begun(&format!("**{}**\n\n", "g".repeat(half)), "- [ ] a\n")),
        ("boxes under a long heading", begun(&format!("## Phase 1: {}\n", "h".repeat(half)), "- [ ] a\n")),
        ("fields", filled("- **A**: b\n")),
        ("fields in fields", lines(|n| format!("{}- **A**: b\n", "  ".repeat(n % 40)))),
        ("a field of many lines", begun("- **A**:\n", "  - b\n")),
        ("N/A again and again", begun("- [ ] a", " N/A b")),
        ("(n/a without spaces", begun("- [ ] a", "(n/a")),
        ("struck words", begun("- [ ] ", "~~a~~ ")),
        ("phases", filled("## Phase 1: a\n- [ ] b\n")),
        ("headings going down and up", lines(|n| format!("{} a\n", "#".repeat(n % 6 + 1)))),
        ("markers", filled("<!-- wardroom:a b -->\n")),
        ("a line of lists in lists", "- ".repeat(half - 1) + "a\n"),
        ("lists in lists, then blank lines", begun(&("- ".repeat(half / 2) + "a"), "\n")),
        ("lists in lists, then lines of one letter", begun(&("- ".repeat(half / 2) + "a\n"), "a\n")),
        ("quotes in quotes, then lines of one letter", begun(&("> ".repeat(half / 2) + "a\n"), "a\n")),
        ("lists as deep as they are read, then lines of one letter", begun(&("- ".repeat(32) + "a\n"), "a\n")),
        ("quotes and lists as deep as they are read", lines(|_| format!("{}a\n", "> - ".repeat(16)))),
        ("steps of lists", lines(|n| format!("{}- [ ] a\n", "  ".repeat(n % 32)))),
        ("steps of lists by tabs", lines(|n| format!("{}- [ ] a\n", "\t".repeat(n % 16)))),
        ("fences", filled("```\n")),
        ("fences, each longer", lines(|n| "`".repeat(n + 3) + "\n")),
        ("fences in items", filled("- ```\n")),
        ("backticks, each run longer", lines(|n| "`".repeat(n + 1) + " ")),
        ("items with one backtick", filled("- =\"`\n")),
        ("paragraphs", filled("a\n\n")),
        ("links that are none, in items", filled("* [a]")),
        ("stars", filled("*a ")),
        ("stars and underscores", filled("*_a ")),
        ("double stars in words", filled("a**b")),
        ("tildes", filled("~~a ")),
        ("brackets", filled("[")),
        ("brackets that close", filled("[a](")),
        ("links without an end", filled("[a](<b")),
        ("bracket pairs", filled("[ [a] ")),
        ("images", filled("![")),
        ("definitions and references", begun(&"[a]: b\n".repeat(half / 7), "[a] ")),
        ("comments without an end", filled("a <!-- ")),
        ("tags without an end", filled("<a b=\"")),
        ("CDATA without an end", filled("a<![CDATA[")),
        ("a table of many rows", begun(&format!("{}\n{}|\n", "|".repeat(200), "|-".repeat(199)), "|\n")),
        ("tables", filled("|a|\n|-|\n")),
        ("underlined headings", filled("a\n=\n")),
        ("one paragraph", filled("a\n")),
        ("blank lines", filled("\n")),
        ("carriage returns", filled("\r")),
        ("details", filled("<details>\n\n- [ ] a\n\n")),
        ("ampersands", filled("&a;")),
        ("backslashes", filled("\\")),
        ("characters of four bytes", filled("- [ ] 🦀\n")),
    ]
}
