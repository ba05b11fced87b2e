//! The house rules that a compiler does not check: which layer may know which, what the rules (`domain`) may touch, how
//! long a file may grow, and what must not be left lying about.
//!
//! ```text
//!   domain  <-  github, store (ports)  <-  engine  <-  server, cli
//!                      ^
//!                     sim (the github port, its types and its transport; used by `cli::demo` and tests)
//! ```

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// A layer and the layers it may name, besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("github", &["domain"]),
    ("store", &["domain"]),
    ("engine", &["domain", "github", "store"]),
    ("server", &["domain", "github", "store", "engine"]),
    ("cli", &["domain", "github", "store", "engine", "server"]),
    ("sim", &["domain", "github"]),
];

/// Parts of `github` that the simulator must not know: it stands in for the other side of the wire, not for the client.
const NOT_FOR_SIM: &[&str] = &["rest", "octo", "auth"];

/// The part of `cli` that may use the simulator.
const SIM_USER: &str = "src/cli/demo";

/// Dependencies that the rules may use: data, text and arithmetic. A new dependency is refused until it is added here.
const PURE: &[&str] = &[
    "base64",
    "cvss",
    "hmac",
    "jiff",
    "mail_parser",
    "minijinja",
    "percent_encoding",
    "pulldown_cmark",
    "schemars",
    "serde",
    "serde_json",
    "serde_saphyr",
    "sha2",
    "similar",
    "thiserror",
];

/// Parts of the standard library that reach outside.
const OUTSIDE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "io"],
    &["std", "os"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
];

/// Lines that a file may have. A longer one is asking to be two.
const MAX_LINES: usize = 600;

// ---------------------------------------------------------------------------------------------------------------------
// Reading Rust, just enough: comments and literals go, paths stay.

/// The code with comments and literals blanked, and the comments with everything else blanked. Line ends stay in both, so
/// that line numbers do.
fn code_and_comments(source: &str) -> (String, String) {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let starts = |index: usize, text: &str| {
        chars.get(index..).unwrap_or_default().iter().copied().take(text.len()).eq(text.chars())
    };
    let (mut code, mut comments) = (String::new(), String::new());
    let mut i = 0;
    while i < chars.len() {
        let after_word = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_') && !matches!(at(i - 1), 'b' | 'c');
        let hashes = chars[i + 1..].iter().take_while(|&&c| c == '#').count();
        let raw = at(i) == 'r' && !after_word && at(i + 1 + hashes) == '"';
        let mut end = i + 1;
        let comment = starts(i, "//") || starts(i, "/*");
        if starts(i, "//") {
            while end < chars.len() && at(end) != '\n' {
                end += 1;
            }
        } else if starts(i, "/*") {
            let mut depth = 1;
            end = i + 2;
            while end < chars.len() && depth > 0 {
                let step = if starts(end, "/*") {
                    1
                } else if starts(end, "*/") {
                    -1
                } else {
                    0
                };
                depth += step;
                end += if step == 0 { 1 } else { 2 };
            }
        } else if raw {
            let close = format!("\"{}", "#".repeat(hashes));
            end = i + 2 + hashes;
            while end < chars.len() && !starts(end, &close) {
                end += 1;
            }
            end += close.len();
        } else if at(i) == '"' {
            while end < chars.len() && at(end) != '"' {
                end += if at(end) == '\\' { 2 } else { 1 };
            }
            end += 1;
        } else if at(i) == '\'' && at(i + 1) == '\\' {
            end = i + 3;
            while end < chars.len() && at(end) != '\'' {
                end += 1;
            }
            end += 1;
        } else if at(i) == '\'' && at(i + 2) == '\'' {
            end = i + 3;
        }
        let literal = end > i + 1 && !comment;
        for &c in chars.get(i..end.min(chars.len())).unwrap_or_default() {
            let blank = if c == '\n' { '\n' } else { ' ' };
            code.push(if comment || literal { blank } else { c });
            comments.push(if comment { c } else { blank });
        }
        i = end;
    }
    (code, comments)
}

/// Blanks what is compiled for tests only: the item after `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let brace = rest.find('{').unwrap_or(rest.len());
        let semicolon = rest.find(';').unwrap_or(rest.len());
        let end = if semicolon < brace {
            semicolon + 1
        } else {
            let mut depth = 0;
            let close = rest.char_indices().skip_while(|&(at, _)| at < brace).find(|&(_, c)| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            close.map_or(rest.len(), |(at, c)| at + c.len_utf8())
        };
        let blanked: String = rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..start + end, &blanked);
    }
    out
}

/// A path as it is written (`use a::{b, c}` gives two), and its line from 1.
#[derive(Debug, PartialEq)]
struct Named {
    line: usize,
    path: Vec<String>,
}

fn paths(code: &str) -> Vec<Named> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    let mut line = 1;
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let mut word = String::from(c);
            while let Some(&next) = chars.peek().filter(|c| c.is_alphanumeric() || **c == '_') {
                word.push(next);
                chars.next();
            }
            tokens.push((line, word));
        } else if c == ':' && chars.peek() == Some(&':') {
            chars.next();
            tokens.push((line, "::".to_owned()));
        } else if !c.is_whitespace() {
            tokens.push((line, c.to_string()));
        }
    }
    let word = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut found = Vec::new();
    // The prefix of each open brace of a `use` tree; a brace elsewhere has an empty one.
    let mut prefixes: Vec<Vec<String>> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut started = 0;
    for (index, (line, token)) in tokens.iter().enumerate() {
        let after_colons = index > 0 && tokens[index - 1].1 == "::";
        let before_colons = tokens.get(index + 1).is_some_and(|(_, next)| next == "::");
        if token == "{" {
            prefixes.push(if after_colons { std::mem::take(&mut path) } else { Vec::new() });
        } else if token == "}" {
            prefixes.pop();
        } else if word(token) {
            if !after_colons {
                path = prefixes.last().cloned().unwrap_or_default();
                started = *line;
            }
            path.push(token.clone());
            if !before_colons {
                found.push(Named { line: started, path: std::mem::take(&mut path) });
            }
        } else if token == "*" && after_colons {
            found.push(Named { line: started, path: std::mem::take(&mut path) });
        }
    }
    found
}

// ---------------------------------------------------------------------------------------------------------------------
// The rules.

/// The path from the crate's root, where the path says so: `crate::…`, `wardroom::…`, or enough `super`s.
fn from_root(file: &str, path: &[String]) -> Option<Vec<String>> {
    match path.first()?.as_str() {
        "crate" | "wardroom" => Some(path[1..].to_vec()),
        "super" => {
            let supers = path.iter().take_while(|part| *part == "super").count();
            let inside = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
            // Inside an inline module one `super` more is needed; a name of a layer is taken at its word.
            (supers >= inside.split('/').count()).then(|| path[supers..].to_vec())
        }
        _ => None,
    }
}

/// What in this file breaks the layering or the purity of the rules, as `file:line: why`.
fn violations(file: &str, source: &str, dependencies: &[String]) -> Vec<String> {
    let layer = file.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
    let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == layer) else { return Vec::new() };
    let (code, _) = code_and_comments(source);
    let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let test_file = name == "tests.rs" || file.contains("/tests/");
    let shipped = if test_file { Vec::new() } else { paths(&without_tests(&code)) };
    let mut found = Vec::new();
    for named in paths(&code) {
        let Some(path) = from_root(file, &named.path) else { continue };
        let Some(target) = path.first().filter(|target| LAYERS.iter().any(|(name, _)| name == target)) else {
            continue;
        };
        let in_test = !shipped.contains(&named);
        let sim_is_fine = target == "sim" && (in_test || file.starts_with(SIM_USER));
        if target != layer && !may.contains(&target.as_str()) && !sim_is_fine {
            found.push(format!("{file}:{}: {layer} may not know {target}: {}", named.line, path.join("::")));
        }
        let part = path.get(1).map(String::as_str).unwrap_or_default();
        if layer == "sim" && target == "github" && NOT_FOR_SIM.contains(&part) && !in_test {
            found.push(format!("{file}:{}: sim may not know github::{part}", named.line));
        }
    }
    if layer == "domain" {
        for Named { line, path } in &shipped {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let outside = OUTSIDE.iter().any(|banned| path.starts_with(banned));
            let dependency =
                path.len() > 1 && dependencies.iter().any(|name| name == path[0]) && !PURE.contains(&path[0]);
            let clock = path.len() > 1 && path.last() == Some(&"now");
            let prints = matches!(path[0], "println" | "eprintln" | "print" | "eprint");
            if outside || dependency || clock || prints {
                found.push(format!("{file}:{line}: the rules touch nothing outside: {}", path.join("::")));
            }
        }
    }
    found
}

/// What must not be left in a file, as `file:line: what`: a mark in a comment, a macro in code.
fn leftovers(file: &str, source: &str) -> Vec<String> {
    const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
    const MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
    let (code, comments) = code_and_comments(source);
    let mut found = Vec::new();
    for (index, (code, comment)) in code.lines().zip(comments.lines()).enumerate() {
        let marked = |word: &str| word.split([':', '(', '.', ',']).next().is_some_and(|word| MARKS.contains(&word));
        let mark = comment.split_whitespace().find(|word| marked(word));
        let left = mark.or_else(|| MACROS.into_iter().find(|name| code.contains(name)));
        if let Some(left) = left {
            found.push(format!("{file}:{}: {left} was left behind", index + 1));
        }
    }
    found
}

// ---------------------------------------------------------------------------------------------------------------------
// The tree.

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file with this extension below a folder, as its path from the root with `/`, and its text.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                walk(&path, into);
            } else if path.is_file() {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    let named = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    paths.iter().map(|path| (named(path), fs::read_to_string(path).unwrap())).collect()
}

/// The names of the dependencies as code writes them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let name = |line: &str| line.split_once(" = ").map(|(name, _)| name.replace('-', "_"));
    section.lines().filter(|line| line.starts_with(char::is_alphabetic)).filter_map(name).collect()
}

#[test]
fn arrows_point_one_way_and_the_rules_touch_nothing_outside() {
    let dependencies = dependencies();
    assert!(dependencies.len() > 20 && dependencies.contains(&"async_trait".to_owned()), "{dependencies:?}");
    let sources = files("src", "rs");
    let seen = |layer: &str| sources.iter().any(|(file, _)| file.starts_with(&format!("src/{layer}")));
    assert!(LAYERS.iter().all(|(layer, _)| seen(layer)), "a layer has no file: was it renamed?");
    let found: Vec<String> =
        sources.iter().flat_map(|(file, source)| violations(file, source, &dependencies)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_module_of_the_library_has_a_place_in_the_picture() {
    let (_, library) = files("src", "rs").into_iter().find(|(file, _)| file == "src/lib.rs").unwrap();
    for line in library.lines() {
        if let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            assert!(LAYERS.iter().any(|(layer, _)| *layer == module), "{module} is in no layer");
        }
    }
}

#[test]
fn no_file_is_too_long_and_nothing_is_left_behind() {
    let mut found = Vec::new();
    for (file, source) in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let lines = source.lines().count();
        if lines > MAX_LINES {
            found.push(format!("{file}: {lines} lines, at most {MAX_LINES}: split it"));
        }
        found.extend(leftovers(&file, &source));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_checker_sees_an_arrow_that_runs_the_other_way() {
    let dependencies = ["tokio", "jiff", "async_trait"].map(str::to_owned);
    let wrong = [
        ("src/domain/plan.rs", "use crate::engine::Run;"),
        ("src/domain/plan.rs", "use crate::{domain::facts, github::types::Issue};"),
        ("src/domain/plan.rs", "fn f(x: &crate::store::Row) {}"),
        ("src/domain/plan.rs", "use super::super::github::Error;"),
        ("src/domain/checklist/mod.rs", "use super::super::store::Store;"),
        ("src/domain/plan.rs", "use wardroom::engine::Run;"),
        ("src/domain/plan.rs", "use crate::{\n    domain::x,\n    engine::{self, Run},\n};"),
        ("src/domain/plan.rs", "use crate::engine::*;"),
        ("src/domain/plan.rs", "#[cfg(test)]\nmod tests { fn f() { let x = '{'; } }\nuse crate::engine::Run;"),
        ("src/domain/plan.rs", "use std::fs;"),
        ("src/domain/plan.rs", "use std::{fmt, time::{Duration, SystemTime}};"),
        ("src/domain/plan.rs", "let t = std::time::Instant::now();"),
        ("src/domain/plan.rs", "let t = jiff::Timestamp::now();"),
        ("src/domain/plan.rs", "let t = Timestamp::now();"),
        ("src/domain/plan.rs", "use tokio::sync::Mutex;"),
        ("src/domain/plan.rs", "#[async_trait::async_trait] trait X {}"),
        ("src/domain/plan.rs", "println!(\"x\");"),
        ("src/github/rest.rs", "use crate::engine::Run;"),
        ("src/github/rest.rs", "use crate::store::Store;"),
        ("src/github/rest.rs", "use crate::sim::World;"),
        ("src/store/memory.rs", "use crate::github::Error;"),
        ("src/engine/mod.rs", "use crate::server::Router;"),
        ("src/engine/mod.rs", "use crate::sim::World;"),
        ("src/engine/mod.rs", "use super::cli::Args;"),
        ("src/server/mod.rs", "use crate::cli::Args;"),
        ("src/server/mod.rs", "use crate::sim::World;"),
        ("src/cli/action.rs", "use crate::sim::World;"),
        ("src/sim/world.rs", "use crate::engine::Run;"),
        ("src/sim/world.rs", "use crate::github::rest::Client;"),
        ("src/sim/world.rs", "use crate::github::{types::Issue, octo};"),
        ("src/engine/tests.rs", "use crate::server::Router;"),
    ];
    for (file, source) in wrong {
        assert!(!violations(file, source, &dependencies).is_empty(), "{file}: {source}");
    }
    let right = [
        ("src/domain/plan.rs", "use super::facts::Issue; use crate::domain::policy::Policy; use std::time::Duration;"),
        ("src/domain/plan.rs", "//! See crate::engine.\n/* crate::engine /* std::fs */ */ let x = \"crate::engine\";"),
        (
            "src/domain/plan.rs",
            "let x = r#\"\"use crate::engine\"\"#; let y = '\"'; let z = b\"std::fs\"; fn f<'a>() {}",
        ),
        ("src/domain/plan.rs", "#[cfg(test)]\nmod tests {\n use std::fs; use crate::sim::World;\n}"),
        ("src/domain/checklist/tests.rs", "use super::super::facts::Issue; use std::fs;"),
        ("src/domain/plan.rs", "fn now(now: Timestamp) -> Timestamp { now }"),
        ("src/github/rest.rs", "use super::types::Issue; use crate::domain::facts::Issue; use std::fs;"),
        ("src/engine/mod.rs", "use crate::{domain::plan, github::GitHub, store::Store};"),
        ("src/engine/tests.rs", "use crate::sim::World;"),
        ("src/server/mod.rs", "use crate::engine::Run;"),
        ("src/cli/demo.rs", "use crate::sim::World; use crate::server::router;"),
        ("src/cli/demo/stage.rs", "use crate::sim::World;"),
        ("src/sim/world.rs", "use crate::github::{types::Issue, transport::Transport}; use crate::github::GitHub;"),
        ("src/main.rs", "use wardroom::cli;"),
        ("src/lib.rs", "pub mod engine;"),
    ];
    for (file, source) in right {
        assert_eq!(violations(file, source, &dependencies), Vec::<String>::new(), "{file}: {source}");
    }
    let line = violations("src/domain/plan.rs", "//! Words.\n\nuse crate::{\n    engine::Run,\n};", &dependencies);
    assert_eq!(line, ["src/domain/plan.rs:4: domain may not know engine: engine::Run"]);
}

#[test]
fn the_checker_sees_what_was_left_behind() {
    for left in
        ["fn f() {}\n// TODO: later", "/* FIXME */", "let x = 1; // HACK(me) it", "/// XXX", "dbg!(1);", "todo!()"]
    {
        assert_eq!(leftovers("a.rs", left).len(), 1, "{left}");
    }
    for fine in
        ["let hint = \"TODO\"; // `CWE-XXX` is a placeholder", "// hackers, a toDo list", "let x = \"dbg!(1)\";"]
    {
        assert_eq!(leftovers("a.rs", fine), Vec::<String>::new(), "{fine}");
    }
}
