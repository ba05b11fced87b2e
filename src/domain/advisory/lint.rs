//! What stands between a draft and its publication. The advisory is judged as GitHub shows it, so that a person's own
//! words are judged like ours.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::facts::{Advisory, Vulnerability};
use super::fields::{Known, is_nobody};
use crate::domain::cvss::Severity;
use crate::domain::fence;
use crate::domain::policy::Ecosystem;
use crate::domain::version::{self, Version};

/// Which rule an advisory breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It names no package.
    NoPackage,
    /// It does not say which versions are affected, or not so that it can be read.
    UnclearRange,
    /// A range holds no version.
    EmptyRange,
    /// A range has no end, so that every future version is affected.
    EndlessRange,
    /// It names no fixed version.
    NoPatch,
    /// A fixed version is said to be affected.
    PatchAffected,
    /// Neither severity nor vector.
    NoRating,
    /// Score and severity say different things.
    ScoreAgainstSeverity,
    /// No CWE.
    NoWeakness,
    /// Nobody is thanked.
    NoCredit,
    /// Text that asks to be replaced.
    Placeholder,
    /// Text that looks like a working attack.
    ProofOfConcept,
    /// `rust` for something that cannot be on crates.io.
    NotOnCratesIo,
    /// `rust`, which is right only for what is on crates.io.
    IsItOnCratesIo,
}

/// Whether a finding holds publication up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// `publish` needs a reason to go on in spite of it.
    Stops,
    /// Worth a thought.
    Note,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// How much it matters.
    pub weight: Weight,
    /// What is wrong and what to do, as a sentence in Markdown.
    pub text: String,
}

/// Whether nothing holds publication up.
pub fn is_clean(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.weight == Weight::Note)
}

/// Judges an advisory. `known` is what the fields say: a severity there that the vector denies is a finding too.
pub fn lint(advisory: &Advisory, known: &Known) -> Vec<Finding> {
    let mut lint = Lint::default();
    lint.vulnerabilities(&advisory.vulnerabilities);
    lint.rating(advisory, known);
    if advisory.cwe_ids.is_empty() {
        lint.stop(Rule::NoWeakness, "It names no weakness: add a CWE id.".to_owned());
    }
    let nobody = known.thanked.iter().any(|name| is_nobody(name));
    if advisory.credits.is_empty() && !nobody {
        lint.stop(Rule::NoCredit, "It thanks nobody: add a credit, or write `nobody` into **Credits**.".to_owned());
    }
    lint.text("title", &advisory.summary);
    lint.text("text", advisory.text());
    lint.attack(advisory.text());
    lint.findings
}

#[derive(Default)]
struct Lint {
    findings: Vec<Finding>,
}

impl Lint {
    fn stop(&mut self, rule: Rule, text: String) {
        self.add(rule, Weight::Stops, text);
    }

    fn add(&mut self, rule: Rule, weight: Weight, text: String) {
        let finding = Finding { rule, weight, text };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn vulnerabilities(&mut self, all: &[Vulnerability]) {
        if all.is_empty() {
            self.stop(Rule::NoPackage, "It names no package and no versions.".to_owned());
        }
        for one in all {
            let name = one.package.as_ref().and_then(|package| package.name.as_deref()).unwrap_or("the package");
            let name = fence::code_span(name, 100);
            let patched = one.patched_versions.as_deref().map(str::trim).filter(|text| !text.is_empty());
            if patched.is_none() {
                self.stop(
                    Rule::NoPatch,
                    format!("{name} has no fixed version: Dependabot would warn people and offer them nothing."),
                );
            }
            self.range(&name, one.vulnerable_version_range.as_deref(), patched);
            let ecosystem = one.package.as_ref().map(|package| package.ecosystem.as_str());
            if ecosystem == Some(Ecosystem::Rust.word()) {
                self.crates_io(&name, one.package.as_ref().and_then(|package| package.name.as_deref()));
            }
        }
    }

    fn range(&mut self, name: &str, range: Option<&str>, patched: Option<&str>) {
        let Some(range) = range.map(str::trim).filter(|text| !text.is_empty()) else {
            self.stop(Rule::UnclearRange, format!("{name} has no affected versions."));
            return;
        };
        let shown = fence::code_span(range, 100);
        let ranges = match version::ranges(range) {
            Ok(ranges) if !ranges.is_empty() => ranges,
            Ok(_) => {
                self.stop(Rule::EmptyRange, format!("{name}: {shown} holds no version."));
                return;
            }
            Err(why) => {
                let empty = why.contains("nothing is in it");
                let rule = if empty { Rule::EmptyRange } else { Rule::UnclearRange };
                self.stop(rule, format!("{name}: {shown}: {why}."));
                return;
            }
        };
        if ranges.iter().any(version::Range::is_endless) {
            self.stop(
                Rule::EndlessRange,
                format!(
                    "{name}: {shown} has no end, so every version to come is affected too, the fixed one with them."
                ),
            );
        }
        let patched: Vec<Version> = patched.and_then(|text| version::versions(text).ok()).unwrap_or_default();
        for fix in patched.iter().filter(|fix| ranges.iter().any(|range| range.contains(fix))) {
            self.stop(Rule::PatchAffected, format!("{name}: `{fix}` fixes it and is said to be affected ({shown})."));
        }
    }

    /// A crate's name on crates.io: ASCII letters, digits, `-` and `_`, a letter first, at most 64 (The Cargo Book, "The
    /// manifest format", the name field).
    fn crates_io(&mut self, shown: &str, name: Option<&str>) {
        let name = name.unwrap_or_default();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let can_be = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(good) && name.len() <= 64;
        if can_be {
            let text = format!(
                "{shown} is named as a crate. If it is not on crates.io, its ecosystem is `other`, and Dependabot warns nobody."
            );
            self.add(Rule::IsItOnCratesIo, Weight::Note, text);
        } else {
            let text =
                format!("{shown} cannot be the name of a crate on crates.io, which `rust` stands for: use `other`.");
            self.stop(Rule::NotOnCratesIo, text);
        }
    }

    fn rating(&mut self, advisory: &Advisory, known: &Known) {
        let vector = advisory.vector();
        let word = advisory.severity();
        let Some(computed) = vector.as_ref().map(|vector| vector.severity()) else {
            if word.is_none() {
                self.stop(Rule::NoRating, "It has neither a CVSS vector nor a severity.".to_owned());
            } else if let (Some(said), Some(score)) = (word, known.score)
                && score.severity() != said
            {
                let text = format!("It says {}, and the score {score} is {}.", said.title(), score.severity().title());
                self.stop(Rule::ScoreAgainstSeverity, text);
            }
            return;
        };
        let against: Vec<(&str, Severity)> = [("its own severity", word), ("the issue", known.severity)]
            .into_iter()
            .filter_map(|(who, said)| Some((who, said.filter(|said| *said != computed)?)))
            .collect();
        let score = vector.map(|vector| vector.score().to_string()).unwrap_or_default();
        for (who, said) in against {
            let text = format!("Its vector gives {score}, which is {}; {who} says {}.", computed.title(), said.title());
            self.stop(Rule::ScoreAgainstSeverity, text);
        }
    }

    fn text(&mut self, what: &str, text: &str) {
        if text.trim().is_empty() {
            self.stop(Rule::Placeholder, format!("Its {what} is empty."));
            return;
        }
        for found in placeholders(text).into_iter().take(20) {
            self.stop(Rule::Placeholder, format!("Its {what} still asks: {}", fence::code_span(&found, 120)));
        }
    }

    /// Headings that announce an attack, and code that looks like one.
    fn attack(&mut self, text: &str) {
        let mut heading: Option<String> = None;
        let mut block: Option<(String, String)> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. } | Tag::Strong) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_) | TagEnd::Strong) => {
                    if let Some(words) = heading.take().filter(|words| announces_attack(words)) {
                        let shown = fence::code_span(&words, 80);
                        let text = format!("Its text has a part {shown}: publish that later, or never.");
                        self.stop(Rule::ProofOfConcept, text);
                    }
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    block = Some((language, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((_, code)) = block.take().filter(|(language, code)| looks_like_attack(language, code)) {
                        let first = code.lines().next().unwrap_or_default();
                        let shown = fence::code_span(first, 80);
                        let text = format!("Its text holds what looks like an attack that works: {shown}");
                        self.stop(Rule::ProofOfConcept, text);
                    }
                }
                Event::Text(words) | Event::Code(words) => {
                    if let Some((_, code)) = &mut block {
                        code.push_str(&words);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                _ => {}
            }
        }
    }
}

/// `<< … >>` in a text, and the placeholders of GitHub's own form for advisories.
fn placeholders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<<") {
        let Some((inside, after)) = behind.split_once(">>") else { break };
        // Escaped ones are a person's own signs.
        if !before.ends_with('\\') {
            found.push(format!("<<{inside}>>"));
        }
        rest = after;
    }
    // GitHub's form asks its questions in italics under each heading.
    let asks =
        ["_What kind of vulnerability is it? Who is impacted?_", "_Has the problem been patched?", "_Is there a way"];
    found.extend(asks.iter().filter(|ask| text.contains(**ask)).map(|ask| ask.trim_matches('_').to_owned()));
    for word in ["GHSA-XXXX-XXXX-XXXX", "CVE-YYYY-XXXXX", "vX.Y.Z", "X.Y.Z"] {
        if text.contains(word) && !found.iter().any(|known| known.contains(word)) {
            found.push(word.to_owned());
        }
    }
    found
}

fn announces_attack(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let is_word = |wanted: &str| words.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == wanted);
    is_word("poc")
        || ["proof of concept", "proof-of-concept", "steps to reproduce", "reproduction steps", "exploit code"]
            .iter()
            .any(|wanted| words.contains(wanted))
}

/// Languages in which people write settings, not attacks.
const SETTINGS: [&str; 9] = ["toml", "yaml", "yml", "ini", "conf", "diff", "log", "text", "txt"];

/// Beginnings and parts of commands, requests and scripts.
const SIGNS: [&str; 19] = [
    "#!/",
    "curl ",
    "wget ",
    "nc ",
    "ncat ",
    "telnet ",
    "python",
    "import ",
    "require(",
    "fetch(",
    "get /",
    "post /",
    "put /",
    "<script",
    "' or ",
    "../..",
    "\\x",
    "$(",
    "msfconsole",
];

fn looks_like_attack(language: &str, code: &str) -> bool {
    let language = language.split([' ', ',']).next().unwrap_or_default().to_ascii_lowercase();
    let code = code.to_ascii_lowercase();
    let signed = |line: &str| {
        let line = line.trim_start_matches(['$', '>', ' ', '\t']);
        SIGNS.iter().any(|sign| if sign.ends_with(' ') { line.starts_with(sign) } else { line.contains(sign) })
    };
    !SETTINGS.contains(&language.as_str()) && code.lines().any(signed)
}
