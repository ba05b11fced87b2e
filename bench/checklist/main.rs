//! How long the worst bodies take to read. `bench/checklist/run` runs it beside remark-gfm.
//!
//!     bench-checklist time DIRECTORY     writes each body there, and what it takes to `times.json`
//!     bench-checklist search SECONDS     looks for worse bodies and prints the worst it finds

#[path = "worst.rs"]
mod worst;

use std::cmp::Reverse;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use wardroom::domain::checklist::Checklist;

/// Readings of each body; the quickest is its time, the least disturbed by what else the machine does.
const READINGS: usize = 15;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["time", directory] => time(Path::new(directory)),
        ["search", seconds] => search(Duration::from_secs(seconds.parse()?)),
        _ => bail!("usage: bench-checklist time DIRECTORY, or bench-checklist search SECONDS"),
    }
}

fn quickest(body: &str, readings: usize) -> Duration {
    let reading = || {
        let start = Instant::now();
        black_box(Checklist::parse(black_box(body)));
        start.elapsed()
    };
    (0..readings).map(|_| reading()).min().unwrap_or_default()
}

fn time(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut rows = Vec::new();
    for (index, (name, body)) in worst::bodies().into_iter().enumerate() {
        let file = format!("{index:02}.md");
        std::fs::write(directory.join(&file), &body)?;
        let milliseconds = quickest(&body, READINGS).as_secs_f64() * 1e3;
        rows.push(serde_json::json!({ "name": name, "file": file, "milliseconds": milliseconds }));
    }
    let times = directory.join("times.json");
    std::fs::write(&times, serde_json::to_string_pretty(&rows)?).with_context(|| format!("writing {}", times.display()))
}

/// Pieces of which bodies are made at random.
const PIECES: &[&str] = &[
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
    "\n\n",
    "\r\n",
    "# ",
    "## Phase 1: ",
    "```",
    "~~~",
    "> ",
    "<!--",
    "-->",
    "**",
    "*",
    "_",
    "a",
    "b ",
    "**N**: ",
    "`",
    "~~",
    "N/A",
    "n/a",
    "(",
    ":",
    "[",
    "](",
    ")",
    "]",
    "![",
    "<",
    ">",
    "<a ",
    "=\"",
    "|",
    "|-|",
    "---",
    "===",
    "<details>",
    "\\",
    "&amp;",
    "&",
    "é",
    "\0",
    "<!-- wardroom:T1 -->",
    "[a]: b",
    "[a]",
    "<http:",
];

/// A small generator of numbers, so that a search can be repeated (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn unit(&mut self) -> String {
        (0..=self.below(6)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

/// Bodies of two or three stretches, each one unit again and again.
fn search(length: Duration) -> anyhow::Result<()> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut worst: Vec<(Duration, Vec<(String, usize)>)> = Vec::new();
    let start = Instant::now();
    while start.elapsed() < length {
        let stretches: Vec<(String, usize)> =
            (0..=numbers.below(3)).map(|_| (numbers.unit(), 1 + numbers.below(65_536))).collect();
        let all: usize = stretches.iter().map(|(_, length)| length).sum();
        let body: String =
            stretches.iter().flat_map(|(unit, length)| unit.chars().cycle().take(length * 65_536 / all)).collect();
        let mut took = quickest(&body, 1);
        if worst.last().is_none_or(|(least, _)| took > *least) || worst.len() < 12 {
            took = quickest(&body, 5);
            worst.push((took, stretches));
            worst.sort_by_key(|(took, _)| Reverse(*took));
            worst.truncate(12);
        }
    }
    for (took, stretches) in worst {
        println!("{:.2} ms {stretches:?}", took.as_secs_f64() * 1e3);
    }
    Ok(())
}
