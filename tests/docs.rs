//! The pages are true: links lead somewhere, commands exist, and what is shown as output is output.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

const PAGES: [&str; 10] = [
    "README.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/bench.md",
    "docs/command-line.md",
    "docs/cost.md",
    "docs/mail.md",
    "docs/operating.md",
    "docs/policy.md",
    "docs/security.md",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The code blocks of a page: language and text.
fn code_blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                inside = true;
                blocks.push((language.to_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => blocks.last_mut().unwrap().1.push_str(&text),
            _ => {}
        }
    }
    blocks
}

#[test]
fn every_page_is_checked() {
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    for path in docs.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let name = format!("docs/{}", path.file_name().unwrap().to_str().unwrap());
        assert!(PAGES.contains(&name.as_str()), "{name} is not checked");
    }
}

#[test]
fn every_link_within_the_repository_leads_to_a_file() {
    let mut links = 0;
    for page in PAGES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(page).parent().unwrap().to_owned();
        for event in Parser::new(&read(page)) {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else { continue };
            if dest_url.contains("://") || dest_url.starts_with('#') {
                continue;
            }
            let file = dest_url.split('#').next().unwrap().to_owned();
            assert!(folder.join(&file).exists(), "{page} links to {file}, which is not there");
            links += 1;
        }
    }
    assert!(links > 8, "only {links} links were found");
}

#[test]
fn every_subcommand_that_a_page_names_exists_and_the_readme_names_them_all() {
    let help = Command::new(env!("CARGO_BIN_EXE_wardroom")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let known: Vec<&str> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(known.contains(&"demo") && known.len() > 4, "{known:?}");
    let mut named = Vec::new();
    for page in PAGES {
        let text = read(page);
        for start in ["`wardroom ", "\nwardroom ", "cargo run -- ", "run: wardroom "] {
            for rest in text.split(start).skip(1) {
                let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
                assert!(known.contains(&word.as_str()), "{page} names `wardroom {word}`, which does not exist");
                named.push((page, word));
            }
        }
    }
    for command in known.iter().filter(|command| **command != "help") {
        assert!(named.contains(&("README.md", (*command).to_owned())), "README.md does not name {command}");
    }
}

#[test]
fn the_readme_leads_with_the_two_commands_and_shows_what_the_demo_prints() {
    let blocks = code_blocks(&read("README.md"));
    assert_eq!(blocks[0], ("sh".to_owned(), "cargo run -- demo\n".to_owned()));
    assert_eq!(blocks[1], ("sh".to_owned(), "cargo test\n".to_owned()));
    let shown: Vec<&String> = blocks.iter().filter(|(language, _)| language == "text").map(|(_, text)| text).collect();
    assert_eq!(shown.len(), 1);
    let demo = Command::new(env!("CARGO_BIN_EXE_wardroom")).args(["demo", "--script"]).env_clear().output().unwrap();
    let printed = String::from_utf8(demo.stdout).unwrap();
    assert!(printed.contains(shown[0].trim_end()), "the demo prints something else by now:\n{printed}");
}

#[test]
fn every_law_of_the_architecture_has_a_test_that_is_named_by_it() {
    fn sources(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                sources(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs") {
                into.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut code = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut code);
    let page = read("docs/architecture.md");
    let laws: Vec<&str> = page.lines().filter_map(|row| row.strip_prefix("| P")?.split(' ').next()).collect();
    assert_eq!(laws, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    for law in laws {
        assert!(
            code.contains(&format!("fn p{law}_")) || code.contains(&format!("_p{law}_")),
            "no test is named p{law}_"
        );
    }
}
