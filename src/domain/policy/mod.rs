//! The policy: one YAML file, `.github/wardroom.yml` on the tracker's default branch. Every key is optional.

mod advisories;
mod check;
mod labels;
mod load;
mod problem;
mod roles;
mod schema;
mod shape;
mod yaml;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::advisories::GAP;
pub use self::advisories::{Advisories, DraftWhen, Ecosystem, Package, Publishing, Releases};
pub use self::labels::{LabelGroup, LabelSpec, MAX_DESCRIPTION, MAX_LABEL};
pub use self::problem::{At, PolicyError, Problem};
pub use self::roles::{COMMANDS, CommandRole, Place, Rule};
pub use self::schema::schema;
use self::schema::{ADDRESS, COLOR, HTTPS, LINE, LOGIN, Repository, SINCE};
pub use self::yaml::MAX_BYTES;
use super::cvss::Score;
use super::facts::{RepoName, Role};

/// What a team decides about its incidents. Every key has a default that works for one private repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// `off`: do nothing. `watch`: print what would be done, write nothing. `on`: do it.
    pub mode: Mode,
    /// What the checklist and the texts call the product, and where they point.
    pub product: Product,
    /// Where reports come from and which of them become incidents.
    pub reports: Reports,
    /// The private repository that holds the tracking issues. Without it, the repository Wardroom runs for.
    #[schemars(with = "Option<Repository>")]
    pub tracker: Option<RepoName>,
    /// Where advisories are drafted and what they are about.
    pub advisories: Advisories,
    /// An advisory text of your own: a path in the tracker's repository. Without it, the built-in text.
    #[schemars(length(min = 1, max = 200), extend("examples" = [".github/advisory.md"]))]
    pub advisory_template: Option<String>,
    /// `by-command`: an advisory is drafted when someone says `/wardroom draft`. `at-mitigation`: also by itself, when
    /// phase 2 begins.
    pub draft: DraftWhen,
    /// `handoff`: a person publishes the finished draft on its page. `allowed`: `/wardroom publish` does.
    pub publish: Publishing,
    /// Whether `/wardroom publish` waits for `/wardroom approve` by a second person.
    pub publish_needs_two: bool,
    /// From this CVSS score on a CVE ID is asked for: 0.0 to 10.0.
    #[schemars(with = "f64", range(min = 0, max = 10))]
    pub cve_threshold: Score,
    /// Where fixed versions are released, and what belongs to such a release.
    pub releases: Releases,
    /// How long a release and its advisory may be apart before a reminder: minutes, hours or days, as `30m`, `1h`, `2d`.
    #[schemars(regex(pattern = GAP), extend("examples" = ["30m"]))]
    pub advisory_gap: String,
    /// A checklist of your own: a path in the tracker's repository. Without it, the built-in checklist.
    #[schemars(length(min = 1, max = 200), extend("examples" = [".github/checklist.md"]))]
    pub template: Option<String>,
    /// Names, colours and descriptions of labels, by their key.
    #[schemars(schema_with = "schema::labels")]
    pub labels: BTreeMap<LabelKey, LabelSetting>,
    /// Labels and owners of phases; a phase that is not named here keeps its defaults.
    #[schemars(length(max = 50))]
    pub phases: Vec<PhaseSetting>,
    /// Logins that are assigned to a new tracking issue; at most ten.
    #[schemars(length(max = 10), inner(regex(pattern = LOGIN)), extend("examples" = [["ada", "grace"]]))]
    pub roster: Vec<String>,
    /// Who may use a command, by its word. Narrows Wardroom's own rule, never widens it.
    #[schemars(schema_with = "schema::roles")]
    pub roles: BTreeMap<String, RoleSetting>,
    /// Emergency contacts, in the checklist's last section.
    #[schemars(length(max = 50))]
    pub contacts: Vec<Contact>,
    /// Whether the report's text is copied into the tracking issue; `false` leaves only a link.
    pub copy_report: bool,
    /// Whether a public report is answered with "please report privately".
    pub acknowledge_public: bool,
    /// Whether the tracker may be a repository that is not private. Leave it `false`.
    pub allow_public_tracker: bool,
    /// The IANA time zone shown beside UTC.
    #[schemars(length(min = 1), extend("examples" = ["Europe/Madrid"]))]
    pub zone: String,
}

/// How much Wardroom does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing.
    Off,
    /// Prints its plan, writes nothing.
    Watch,
    /// Works.
    #[default]
    On,
}

/// The product, as texts name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Product {
    /// Its name, in one line of at most 200 characters.
    #[schemars(regex(pattern = LINE), extend("examples" = ["Ledger Mail"]))]
    pub name: String,
    /// The address of its security policy.
    #[schemars(regex(pattern = HTTPS), extend("examples" = ["https://github.com/octo-org/mail-server/blob/main/SECURITY.md"]))]
    pub security_policy: Option<String>,
    /// Where a reporter can write privately: a mail address or a link, shown in "please report privately at …".
    /// Without it, GitHub's page for private reports of the repository.
    #[schemars(regex(pattern = ADDRESS), extend("examples" = ["security@example.org"]))]
    pub private_reporting: Option<String>,
    /// Where the community reads announcements, in one line of at most 200 characters.
    #[schemars(regex(pattern = LINE), extend("examples" = ["the forum and the chat"]))]
    pub community: String,
}

/// Which reports become incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reports {
    /// The repositories whose labelled issues are reports. Empty: the tracker itself.
    #[schemars(with = "Vec<Repository>", length(max = 100), extend("examples" = [["octo-org/mail-server"]]))]
    pub repositories: Vec<RepoName>,
    /// The label that makes an issue a report; at most 50 characters, and none of Wardroom's own. A private
    /// vulnerability report needs none.
    #[schemars(length(min = 1, max = 50), extend("examples" = ["security-report"]))]
    pub label: String,
    /// Reports opened before this moment are listed, not opened by themselves: a date, which
    /// begins at midnight UTC, or an RFC 3339 time.
    #[schemars(regex(pattern = SINCE), extend("examples" = ["2026-01-31"]))]
    pub since: Option<String>,
    /// At most so many incidents are opened by themselves within an hour; 1 to 100. The rest is
    /// listed for a person.
    #[schemars(range(min = 1, max = 100))]
    pub open_per_hour: u32,
}

/// The labels that Wardroom owns, except those of phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKey {
    /// On every tracking issue.
    Incident,
    /// All phases are done, the review is not.
    Review,
    /// Closed with all done.
    Resolved,
    /// Closed as invalid, duplicate or out of scope.
    Rejected,
    /// Severity critical.
    Critical,
    /// Severity high.
    High,
    /// Severity medium.
    Medium,
    /// Severity low.
    Low,
    /// Evidence of exploitation was found.
    Exploited,
    /// An embargo is active.
    Embargo,
    /// A CVE was asked for and has not come.
    CvePending,
    /// A promise is past its time.
    Overdue,
    /// Wardroom writes nothing until `resume`.
    Paused,
}

/// A label's setting: just its name, or all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LabelSetting {
    /// Only the name.
    Name(#[schemars(length(min = 1, max = 50), extend("examples" = ["sev: high"]))] String),
    /// Name, the name it had before, colour and description.
    Full(LabelDetails),
}

/// All of a label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LabelDetails {
    /// The name; at most 50 characters. Without it, the usual one.
    #[schemars(length(min = 1, max = 50), extend("examples" = ["sev: high"]))]
    pub name: Option<String>,
    /// The name it had: that label is renamed, so it moves everywhere it hangs.
    #[schemars(length(min = 1, max = 50), extend("examples" = ["high"]))]
    pub was: Option<String>,
    /// The colour: six hex digits, without `#`. Without it, the usual one.
    #[schemars(regex(pattern = COLOR), extend("examples" = ["d93f0b"]))]
    pub color: Option<String>,
    /// At most 100 characters. Without it, the usual one.
    #[schemars(length(max = 100), extend("examples" = ["CVSS 7.0 to 8.9"]))]
    pub description: Option<String>,
}

/// A phase's setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSetting {
    /// The number in the heading, `## Phase 2: …`; a phase without one counts by its place.
    #[schemars(range(min = 1))]
    pub number: u32,
    /// Its label; without it the default, `phase/2-mitigation`.
    #[serde(default)]
    pub label: Option<LabelSetting>,
    /// Logins that own the phase's next step.
    #[serde(default)]
    #[schemars(length(max = 10), inner(regex(pattern = LOGIN)), extend("examples" = [["ada"]]))]
    pub owners: Vec<String>,
}

/// Who may use a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RoleSetting {
    /// Everyone who has at least this role on the repository the command is about.
    AtLeast(Role),
    /// Only these logins, and only with the role that Wardroom's own rule asks for.
    Logins(#[schemars(length(max = 100), inner(regex(pattern = LOGIN)), extend("examples" = [["ada"]]))] Vec<String>),
}

/// An emergency contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What they are for, in one line of at most 200 characters.
    #[schemars(regex(pattern = LINE), extend("examples" = ["Primary maintainer"]))]
    pub role: String,
    /// How to reach them: an address, a link or a login, in one line of at most 200 characters.
    #[schemars(regex(pattern = LINE), extend("examples" = ["hello@example.org"]))]
    pub reach: String,
}

impl Default for Product {
    fn default() -> Self {
        Product {
            name: "the product".to_owned(),
            security_policy: None,
            private_reporting: None,
            community: "the community channels".to_owned(),
        }
    }
}

impl Default for Reports {
    fn default() -> Self {
        Reports { repositories: Vec::new(), label: "security-report".to_owned(), since: None, open_per_hour: 5 }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            mode: Mode::On,
            product: Product::default(),
            reports: Reports::default(),
            tracker: None,
            advisories: Advisories::default(),
            advisory_template: None,
            draft: DraftWhen::default(),
            publish: Publishing::default(),
            publish_needs_two: true,
            cve_threshold: Score::CVE,
            releases: Releases::default(),
            advisory_gap: "1h".to_owned(),
            template: None,
            labels: BTreeMap::new(),
            phases: Vec::new(),
            roster: Vec::new(),
            roles: BTreeMap::new(),
            contacts: Vec::new(),
            copy_report: true,
            acknowledge_public: false,
            allow_public_tracker: false,
            zone: "UTC".to_owned(),
        }
    }
}

impl Policy {
    /// Whether a labelled issue of `repo` is a report. Without `reports.repositories` only the tracker holds reports.
    pub fn is_report_repository(&self, repo: &RepoName, tracker: &RepoName) -> bool {
        if self.reports.repositories.is_empty() {
            return repo == tracker;
        }
        self.reports.repositories.contains(repo)
    }

    /// The time zone that is shown beside UTC. The bundled database is asked, so that every machine says the same; a
    /// zone it does not know, which a loaded policy cannot hold, is UTC.
    pub fn time_zone(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.zone).unwrap_or(TimeZone::UTC)
    }
}

impl Reports {
    /// The moment before which reports are only listed. A date means its first moment in UTC.
    pub fn since(&self) -> Option<Timestamp> {
        parse_since(self.since.as_deref()?)
    }
}

/// A date (`2026-01-31`) or an RFC 3339 time (`2026-01-31T08:00:00Z`), and none of the other forms that `jiff` reads.
fn parse_since(text: &str) -> Option<Timestamp> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_uppercase() }).collect();
    if shape == "0000-00-00" {
        let date: Date = text.parse().ok()?;
        return date.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
    }
    let zone = shape.strip_prefix("0000-00-00T00:00:00").or_else(|| shape.strip_prefix("0000-00-00 00:00:00"))?;
    let zone = zone.strip_prefix('.').map_or(zone, |fraction| fraction.trim_start_matches('0'));
    if matches!(zone, "Z" | "+00:00" | "-00:00") { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
