//! What the policy says about advisories, releases and CVE IDs.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::schema::{LINE, Repository};
use crate::domain::facts::RepoName;
use crate::domain::version::Version;

/// How a time is written: minutes, hours or days.
pub(super) const GAP: &str = "^[1-9][0-9]{0,3}[mhd]$";
/// The tag of a release, with a place for the version.
pub(super) const TAG: &str = "^[^\\s{}]{0,100}\\{version\\}[^\\s{}]{0,100}$";
/// Stands for the version in `releases.tag` and `releases.assets`.
pub(super) const VERSION: &str = "{version}";

/// Where advisories live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Advisories {
    /// The repository that publishes the advisories. Its private vulnerability reports become incidents.
    #[schemars(with = "Option<Repository>")]
    pub repository: Option<RepoName>,
    /// The packages that an advisory names.
    #[schemars(length(max = 100))]
    pub packages: Vec<Package>,
}

/// A package, as GitHub's advisories name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// GitHub's own word for the ecosystem.
    pub ecosystem: Ecosystem,
    /// The package's name there.
    #[schemars(regex(pattern = LINE), extend("examples" = ["ledger-mail"]))]
    pub name: String,
}

/// The ecosystems that GitHub's repository advisories accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each name is GitHub's own word")]
pub enum Ecosystem {
    Rubygems,
    Npm,
    Pip,
    Maven,
    Nuget,
    Composer,
    Go,
    Rust,
    Erlang,
    Actions,
    Pub,
    Other,
    Swift,
}

impl Ecosystem {
    /// GitHub's word.
    pub fn word(self) -> &'static str {
        match self {
            Ecosystem::Rubygems => "rubygems",
            Ecosystem::Npm => "npm",
            Ecosystem::Pip => "pip",
            Ecosystem::Maven => "maven",
            Ecosystem::Nuget => "nuget",
            Ecosystem::Composer => "composer",
            Ecosystem::Go => "go",
            Ecosystem::Rust => "rust",
            Ecosystem::Erlang => "erlang",
            Ecosystem::Actions => "actions",
            Ecosystem::Pub => "pub",
            Ecosystem::Other => "other",
            Ecosystem::Swift => "swift",
        }
    }
}

/// When an advisory is drafted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DraftWhen {
    /// When someone says `/wardroom draft`.
    #[default]
    ByCommand,
    /// By itself when phase 2 begins, or by command before.
    AtMitigation,
}

/// Who publishes an advisory in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Publishing {
    /// Wardroom, when it is told to.
    Allowed,
    /// A person, on the advisory's page, where Wardroom's finished draft lies.
    #[default]
    Handoff,
}

/// Where fixed versions are released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Releases {
    /// The repository of the releases. Without it, the one of the advisories.
    #[schemars(with = "Option<Repository>")]
    pub repository: Option<RepoName>,
    /// The tag of a version's release; `{version}` stands for the version, without a `v` in front.
    #[schemars(regex(pattern = TAG), extend("examples" = ["release-{version}"]))]
    pub tag: String,
    /// The files that a release must carry to be complete; `{version}` may stand in their names.
    #[schemars(length(max = 100), inner(regex(pattern = LINE)), extend("examples" = [["ledger-mail-{version}.tar.gz"]]))]
    pub assets: Vec<String>,
}

impl Default for Releases {
    fn default() -> Self {
        Releases { repository: None, tag: format!("v{VERSION}"), assets: Vec::new() }
    }
}

impl Releases {
    /// The tag of a version's release.
    pub fn tag_of(&self, version: &Version) -> String {
        self.tag.replace(VERSION, &version.to_string())
    }

    /// The names of the files that a version's release must carry.
    pub fn assets_of(&self, version: &Version) -> Vec<String> {
        self.assets.iter().map(|name| name.replace(VERSION, &version.to_string())).collect()
    }
}

/// Reads `90m`, `1h` or `2d`, up to 9999 of each.
pub(super) fn parse_gap(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back().filter(char::is_ascii)?;
    let number = text.get(..text.len() - 1)?;
    let digits = (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let count: i64 = number.parse().ok().filter(|count| digits && *count > 0 && !number.starts_with('0'))?;
    match unit {
        'm' => Some(SignedDuration::from_mins(count)),
        'h' => Some(SignedDuration::from_hours(count)),
        'd' => Some(SignedDuration::from_hours(24 * count)),
        _ => None,
    }
}

impl Policy {
    /// How long a release and its advisory may be apart before a reminder. A text that is no time, which a loaded policy
    /// cannot hold, is an hour.
    pub fn advisory_gap(&self) -> SignedDuration {
        parse_gap(&self.advisory_gap).unwrap_or(SignedDuration::from_hours(1))
    }

    /// The repository whose releases carry the fixed versions, if the policy names one.
    pub fn release_repository(&self) -> Option<&RepoName> {
        self.releases.repository.as_ref().or(self.advisories.repository.as_ref())
    }
}
