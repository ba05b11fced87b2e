//! What facts prove or deny about tasks: those six, each with its proof. A person's last act on a box wins; a fact that
//! denies a person's tick is said beside it, and the tick stays.

use jiff::Timestamp;

use super::cve::Decision;
use super::drift::Row;
use super::facts::{Advisory, AdvisoryState, Release};
use super::lint::{Finding, Weight, is_clean};
use crate::domain::fence;
use crate::domain::policy::Policy;
use crate::domain::texts::{plain_link, utc};
use crate::domain::version::Version;

/// Draft security advisory.
pub const DRAFTED: &str = "T12";
/// Update security advisory draft.
pub const IN_STEP: &str = "T8";
/// Prepare GitHub Security Advisory.
pub const PREPARED: &str = "T24";
/// Publish patched version to GitHub releases.
pub const RELEASED: &str = "T29";
/// Publish GitHub Security Advisory.
pub const PUBLISHED: &str = "T31";
/// Submit CVE request if warranted.
pub const CVE: &str = "T34";

/// A fixed version and its release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRelease {
    /// The version.
    pub version: Version,
    /// The tag that its release should have.
    pub tag: String,
    /// The release of that tag, if there is one.
    pub release: Option<Release>,
    /// The files that must be there.
    pub wanted_assets: Vec<String>,
}

impl VersionRelease {
    /// What to look for: one release for each fixed version.
    pub fn to_look_for(patched: &[Version], policy: &Policy) -> Vec<VersionRelease> {
        let one = |version: &Version| VersionRelease {
            version: version.clone(),
            tag: policy.releases.tag_of(version),
            release: None,
            wanted_assets: policy.releases.assets_of(version),
        };
        patched.iter().map(one).collect()
    }

    /// The release, if people can install from it: published, and no pre-release.
    pub fn out(&self) -> Option<&Release> {
        self.release.as_ref().filter(|release| !release.draft && !release.prerelease)
    }

    /// When it came out.
    pub fn out_at(&self) -> Option<Timestamp> {
        self.out()?.published_at
    }

    /// What it lacks, as the end of a sentence that begins with its tag; `None` if it lacks nothing.
    pub fn lacks(&self) -> Option<String> {
        let Some(release) = &self.release else { return Some("has no release".to_owned()) };
        if release.draft {
            return Some("is a draft release".to_owned());
        }
        if release.prerelease {
            return Some("is a pre-release".to_owned());
        }
        let there = |name: &&String| release.assets.iter().any(|asset| asset.name == **name && asset.is_there());
        let missing: Vec<String> =
            self.wanted_assets.iter().filter(|name| !there(name)).map(|name| fence::code_span(name, 100)).collect();
        if missing.is_empty() { None } else { Some(format!("lacks {}", missing.join(", "))) }
    }
}

/// What a fact says about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done: the box may be ticked.
    Proven {
        /// How one knows, in Markdown.
        because: String,
        /// The page that shows it.
        link: Option<String>,
    },
    /// It is not done: a tick is not confirmed, for this reason.
    Denied(String),
    /// Nothing can be said.
    Silent,
}

/// A task and what the facts say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The task's anchor.
    pub task: &'static str,
    /// What the facts say.
    pub verdict: Verdict,
}

/// The facts.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The linked advisory; `None` where none is linked.
    pub advisory: Option<&'a Advisory>,
    /// Whether advisories can be read at all; without it nothing is said about them.
    pub advisories_readable: bool,
    /// Where it differs from the fields.
    pub rows: &'a [Row],
    /// What stands between it and publication.
    pub findings: &'a [Finding],
    /// The fixed versions with their releases; `None` where they could not be read.
    pub releases: Option<&'a [VersionRelease]>,
    /// The decision about a CVE ID.
    pub cve: &'a Decision,
}

/// Judges the six tasks.
pub fn evidence(facts: &Facts<'_>, policy: &Policy) -> Vec<Evidence> {
    let all = [
        (IN_STEP, in_step(facts)),
        (DRAFTED, drafted(facts)),
        (PREPARED, prepared(facts)),
        (RELEASED, released(facts)),
        (PUBLISHED, published(facts)),
        (CVE, cve(facts, policy)),
    ];
    all.into_iter().map(|(task, verdict)| Evidence { task, verdict }).collect()
}

/// What is said about an advisory that is not there, or what is known of the one that is.
fn linked<'a>(facts: &Facts<'a>) -> Result<&'a Advisory, Verdict> {
    match facts.advisory {
        Some(advisory) => Ok(advisory),
        None if facts.advisories_readable => Err(Verdict::Denied("no advisory is linked".to_owned())),
        None => Err(Verdict::Silent),
    }
}

fn proven(because: String, address: &str) -> Verdict {
    Verdict::Proven { because, link: plain_link(address).map(str::to_owned) }
}

fn name(advisory: &Advisory) -> String {
    fence::code_span(&advisory.ghsa_id, 40)
}

fn drafted(facts: &Facts<'_>) -> Verdict {
    let advisory = match linked(facts) {
        Ok(advisory) => advisory,
        Err(verdict) => return verdict,
    };
    match advisory.state {
        AdvisoryState::Draft | AdvisoryState::Published => {
            proven(format!("{} exists", name(advisory)), &advisory.html_url)
        }
        AdvisoryState::Triage => Verdict::Denied(format!("{} is a report that nobody accepted yet", name(advisory))),
        AdvisoryState::Closed | AdvisoryState::Withdrawn => {
            Verdict::Denied(format!("{} is {}", name(advisory), advisory.state.word()))
        }
        AdvisoryState::Other => Verdict::Silent,
    }
}

fn in_step(facts: &Facts<'_>) -> Verdict {
    let exists = drafted(facts);
    let (Verdict::Proven { .. }, Some(advisory)) = (&exists, facts.advisory) else { return exists };
    if facts.rows.is_empty() {
        return proven(format!("{} says what the fields say", name(advisory)), &advisory.html_url);
    }
    let parts: Vec<&str> = facts.rows.iter().map(|row| row.part.field()).collect();
    Verdict::Denied(format!("{} and the fields differ in {}", name(advisory), parts.join(", ")))
}

fn prepared(facts: &Facts<'_>) -> Verdict {
    let exists = drafted(facts);
    let (Verdict::Proven { .. }, Some(advisory)) = (&exists, facts.advisory) else { return exists };
    if is_clean(facts.findings) {
        return proven(format!("nothing stands between {} and publication", name(advisory)), &advisory.html_url);
    }
    let count = facts.findings.iter().filter(|finding| finding.weight == Weight::Stops).count();
    let things = if count == 1 { "one thing stands".to_owned() } else { format!("{count} things stand") };
    Verdict::Denied(format!("{things} between {} and publication", name(advisory)))
}

fn released(facts: &Facts<'_>) -> Verdict {
    let Some(releases) = facts.releases else { return Verdict::Silent };
    if releases.is_empty() {
        return Verdict::Silent;
    }
    let lacking =
        releases.iter().filter_map(|one| Some(format!("{} {}", fence::code_span(&one.tag, 100), one.lacks()?)));
    let lacking: Vec<String> = lacking.collect();
    if !lacking.is_empty() {
        return Verdict::Denied(lacking.join("; "));
    }
    let tags = releases.iter().map(|one| {
        let at = one.out_at().map_or_else(String::new, |at| format!(", {}", utc(at)));
        format!("{} is released{at}", fence::code_span(&one.tag, 100))
    });
    let because = tags.collect::<Vec<_>>().join("; ");
    let page = releases.first().and_then(VersionRelease::out).map(|release| release.html_url.as_str());
    proven(because, page.unwrap_or_default())
}

fn published(facts: &Facts<'_>) -> Verdict {
    let advisory = match linked(facts) {
        Ok(advisory) => advisory,
        Err(verdict) => return verdict,
    };
    match advisory.state {
        AdvisoryState::Published => {
            let at = advisory.published_at.map_or_else(String::new, |at| format!(", {}", utc(at)));
            proven(format!("{} is published{at}", name(advisory)), &advisory.html_url)
        }
        AdvisoryState::Other => Verdict::Silent,
        state => Verdict::Denied(format!("{} is {}, not published", name(advisory), in_words(state))),
    }
}

fn in_words(state: AdvisoryState) -> &'static str {
    match state {
        AdvisoryState::Draft => "a draft",
        AdvisoryState::Triage => "a report that nobody accepted yet",
        other => other.word(),
    }
}

/// A tick without an ID is not denied: whether someone asked for one, GitHub does not show.
fn cve(facts: &Facts<'_>, policy: &Policy) -> Verdict {
    match facts.cve {
        Decision::Assigned(cve) => {
            proven(format!("`{cve}` is assigned"), &format!("https://www.cve.org/CVERecord?id={cve}"))
        }
        Decision::NotNeeded(score) => {
            let because = format!("not needed: the score {score} is below {}", policy.cve_threshold);
            Verdict::Proven { because, link: None }
        }
        Decision::Wanted(_) | Decision::NoScore => Verdict::Silent,
    }
}
