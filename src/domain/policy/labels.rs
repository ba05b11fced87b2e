//! The labels that Wardroom owns: their names, colours and descriptions, and which group a label belongs to.
//!
//! One label of the phase group and one of the severity group hangs on a tracking issue at a time; every other label
//! stands for itself. No label outside these groups is ever touched.

use super::{LabelDetails, LabelKey, LabelSetting, Policy};
use crate::domain::cvss::Severity;

/// GitHub's limit for a label's name, in characters.
pub const MAX_LABEL: usize = 50;
/// GitHub's limit for a label's description, in characters.
pub const MAX_DESCRIPTION: usize = 100;

/// What every default label of a phase begins with. Any label that begins so is ours, whatever the policy says now.
pub(super) const PHASE_PREFIX: &str = "phase/";
/// The colour of a phase that the default checklist does not have.
const CUSTOM_PHASE_COLOR: &str = "bfd4f2";

/// A label as it should be in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSpec {
    /// At most 50 characters.
    pub name: String,
    /// Six hex digits, without `#`.
    pub color: String,
    /// At most 100 characters.
    pub description: String,
    /// The name it had: a label of that name is renamed instead of a new one created.
    pub was: Option<String>,
}

/// What a label of ours stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelGroup {
    /// A phase, the review, `resolved` or `rejected`: at most one hangs on an issue.
    Phase,
    /// A severity: at most one hangs on an issue.
    Severity,
    /// A label that stands for itself: it hangs there, or it does not.
    Flag(LabelKey),
}

impl LabelKey {
    /// Every key, in the order of the policy reference.
    pub const ALL: [LabelKey; 13] = [
        LabelKey::Incident,
        LabelKey::Review,
        LabelKey::Resolved,
        LabelKey::Rejected,
        LabelKey::Critical,
        LabelKey::High,
        LabelKey::Medium,
        LabelKey::Low,
        LabelKey::Exploited,
        LabelKey::Embargo,
        LabelKey::CvePending,
        LabelKey::Overdue,
        LabelKey::Paused,
    ];

    /// The key as the policy writes it.
    pub fn word(self) -> &'static str {
        match self {
            LabelKey::Incident => "incident",
            LabelKey::Review => "review",
            LabelKey::Resolved => "resolved",
            LabelKey::Rejected => "rejected",
            LabelKey::Critical => "critical",
            LabelKey::High => "high",
            LabelKey::Medium => "medium",
            LabelKey::Low => "low",
            LabelKey::Exploited => "exploited",
            LabelKey::Embargo => "embargo",
            LabelKey::CvePending => "cve-pending",
            LabelKey::Overdue => "overdue",
            LabelKey::Paused => "paused",
        }
    }

    /// The key of a severity's label; a severity of none has no label.
    pub fn of_severity(severity: Severity) -> Option<LabelKey> {
        match severity {
            Severity::None => None,
            Severity::Low => Some(LabelKey::Low),
            Severity::Medium => Some(LabelKey::Medium),
            Severity::High => Some(LabelKey::High),
            Severity::Critical => Some(LabelKey::Critical),
        }
    }

    /// The group that its label belongs to.
    pub fn group(self) -> LabelGroup {
        match self {
            LabelKey::Review | LabelKey::Resolved | LabelKey::Rejected => LabelGroup::Phase,
            LabelKey::Critical | LabelKey::High | LabelKey::Medium | LabelKey::Low => LabelGroup::Severity,
            flag => LabelGroup::Flag(flag),
        }
    }

    /// Name, colour and description where the policy says nothing.
    fn default_label(self) -> (&'static str, &'static str, &'static str) {
        match self {
            LabelKey::Incident => ("incident", "5319e7", "A security incident; its checklist is the issue's body"),
            LabelKey::Review => {
                ("phase/review", "006b75", "All phases are done; the review after the incident is open")
            }
            LabelKey::Resolved => ("resolved", "0e8a16", "The incident is over and all of its tasks are settled"),
            LabelKey::Rejected => ("rejected", "cfd3d7", "Closed as invalid, duplicate or out of scope"),
            LabelKey::Critical => ("severity/critical", "b60205", "CVSS 9.0 to 10.0"),
            LabelKey::High => ("severity/high", "d93f0b", "CVSS 7.0 to 8.9"),
            LabelKey::Medium => ("severity/medium", "fbca04", "CVSS 4.0 to 6.9"),
            LabelKey::Low => ("severity/low", "fef2c0", "CVSS 0.1 to 3.9"),
            LabelKey::Exploited => ("exploited", "e11d21", "Evidence of exploitation was found"),
            LabelKey::Embargo => ("embargo", "24292f", "Nothing may be made public before the agreed time"),
            LabelKey::CvePending => ("cve-pending", "d4c5f9", "A CVE was asked for and has not come"),
            LabelKey::Overdue => ("overdue", "e99695", "A promise is past its time"),
            LabelKey::Paused => ("paused", "ededed", "Wardroom writes nothing here until it is told to resume"),
        }
    }
}

/// A phase of the default checklist.
struct DefaultPhase {
    number: u32,
    title: &'static str,
    name: &'static str,
    color: &'static str,
}

const DEFAULT_PHASES: [DefaultPhase; 4] = [
    DefaultPhase { number: 1, title: "Initial Assessment & Validation", name: "phase/1-assessment", color: "c5def5" },
    DefaultPhase { number: 2, title: "Immediate Response & Mitigation", name: "phase/2-mitigation", color: "9ec5ee" },
    DefaultPhase { number: 3, title: "Impact Assessment & User Analysis", name: "phase/3-impact", color: "5f9fe0" },
    DefaultPhase { number: 4, title: "Communication & Release", name: "phase/4-release", color: "1d76db" },
];

impl Policy {
    /// The label for a key: what the policy says of it, the defaults for the rest.
    pub fn label(&self, key: LabelKey) -> LabelSpec {
        let (name, color, description) = key.default_label();
        let default = LabelSpec {
            name: name.to_owned(),
            color: color.to_owned(),
            description: description.to_owned(),
            was: None,
        };
        settle(default, self.labels.get(&key))
    }

    /// The label of a phase by its number and title.
    ///
    /// An unnumbered phase is known by its place in the document, from 1: pass that as its number. Without a number
    /// there is no label: a body without phases has none until the review.
    pub fn phase_label(&self, number: Option<u32>, title: &str) -> Option<LabelSpec> {
        let number = number?;
        let setting = self.phases.iter().find(|phase| phase.number == number).and_then(|phase| phase.label.as_ref());
        let same_title = |phase: &&DefaultPhase| words(phase.title).eq(words(title));
        let default = DEFAULT_PHASES.iter().find(|phase| phase.number == number).filter(same_title);
        let spec = LabelSpec {
            name: default.map_or_else(|| phase_name(number, title), |phase| phase.name.to_owned()),
            color: default.map_or(CUSTOM_PHASE_COLOR, |phase| phase.color).to_owned(),
            description: cut(&format!("Phase {number}: {}", title.trim()), MAX_DESCRIPTION),
            was: None,
        };
        Some(settle(spec, setting))
    }

    /// What a label of this name stands for; `None` for a label that is not ours, which is never touched.
    ///
    /// Ours are the names that the policy or the defaults give now, and everything that begins with `phase/`: a phase
    /// that was renamed in the checklist leaves such a label behind. Case does not count, as on GitHub.
    pub fn owns_label(&self, name: &str) -> Option<LabelGroup> {
        let lower = name.to_lowercase();
        if let Some(key) = LabelKey::ALL.into_iter().find(|key| self.label(*key).name.to_lowercase() == lower) {
            return Some(key.group());
        }
        let of_phase = |setting: &LabelSetting| setting.name().is_some_and(|name| name.to_lowercase() == lower);
        let named = self.phases.iter().filter_map(|phase| phase.label.as_ref()).any(of_phase);
        // Only the form that Wardroom gives: a team's own `phase/beta` is theirs.
        let numbered = lower.strip_prefix(PHASE_PREFIX).is_some_and(|rest| {
            let slug = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            slug.len() < rest.len() && (slug.is_empty() || slug.starts_with('-'))
        });
        (named || numbered).then_some(LabelGroup::Phase)
    }

    /// Whether a label is an older name (`was`) of one of Wardroom's own.
    pub fn owned_before(&self, name: &str) -> bool {
        let phases = self.phases.iter().filter_map(|phase| phase.label.as_ref());
        let of_phases = phases.filter_map(|setting| match setting {
            LabelSetting::Full(details) => details.was.clone(),
            LabelSetting::Name(_) => None,
        });
        let of_keys = LabelKey::ALL.into_iter().filter_map(|key| self.label(key).was);
        of_keys.chain(of_phases).any(|was| was.eq_ignore_ascii_case(name))
    }
}

impl LabelSetting {
    /// The name that is set, if one is.
    pub fn name(&self) -> Option<&str> {
        match self {
            LabelSetting::Name(name) => Some(name),
            LabelSetting::Full(details) => details.name.as_deref(),
        }
    }
}

/// Lays a setting over a default.
fn settle(default: LabelSpec, setting: Option<&LabelSetting>) -> LabelSpec {
    match setting {
        None => default,
        Some(LabelSetting::Name(name)) => LabelSpec { name: name.clone(), ..default },
        Some(LabelSetting::Full(LabelDetails { name, was, color, description })) => LabelSpec {
            name: name.clone().unwrap_or(default.name),
            color: color.clone().unwrap_or(default.color),
            description: description.clone().unwrap_or(default.description),
            was: was.clone(),
        },
    }
}

/// The phase whose default label begins so: 2 for `phase/2-mitigation`, nothing for `phase/review`.
pub(super) fn phase_number(name: &str) -> Option<u32> {
    let rest = name.strip_prefix(PHASE_PREFIX)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

/// Words without regard to case and spacing, to compare titles.
fn words(title: &str) -> impl Iterator<Item = String> + '_ {
    title.split_whitespace().map(str::to_lowercase)
}

/// `phase/N-slug`, or `phase/N` where the title has no letter that a slug can hold.
fn phase_name(number: u32, title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        match ascii(c) {
            "" if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            letters => slug.push_str(letters),
        }
    }
    let start = format!("{PHASE_PREFIX}{number}");
    let room = MAX_LABEL.saturating_sub(start.len() + 1);
    let mut slug = slug.trim_end_matches('-');
    if slug.len() > room {
        // The slug is ASCII: bytes are characters. A cut within a word goes back to the word's start.
        let cut = &slug[..room];
        slug = if slug.as_bytes()[room] == b'-' { cut } else { cut.rsplit_once('-').map_or(cut, |(whole, _)| whole) };
        slug = slug.trim_end_matches('-');
    }
    if slug.is_empty() { start } else { format!("{start}-{slug}") }
}

/// A lower-case letter in ASCII: itself, or a Latin letter without its accent. Empty for everything else.
fn ascii(c: char) -> &'static str {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    if let Some(at) = PLAIN.find(c) {
        return &PLAIN[at..at + 1];
    }
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

/// At most so many characters, with an ellipsis where something was cut.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PhaseSetting;
    use super::*;

    fn phase(number: u32, title: &str) -> String {
        Policy::default().phase_label(Some(number), title).unwrap().name
    }

    fn renamed(key: LabelKey, setting: LabelSetting) -> Policy {
        Policy { labels: [(key, setting)].into(), ..Policy::default() }
    }

    #[test]
    fn the_default_labels_are_those_of_the_design_within_githubs_limits() {
        let policy = Policy::default();
        let names: Vec<_> = LabelKey::ALL.into_iter().map(|key| policy.label(key).name).collect();
        insta::assert_snapshot!(names.join(" "), @"incident phase/review resolved rejected severity/critical severity/high severity/medium severity/low exploited embargo cve-pending overdue paused");
        for key in LabelKey::ALL {
            let label = policy.label(key);
            assert!(label.color.len() == 6 && label.color.bytes().all(|b| b.is_ascii_hexdigit()), "{label:?}");
            assert!(!label.description.is_empty() && label.description.len() <= MAX_DESCRIPTION, "{label:?}");
            assert_eq!(serde_json::to_value(key).unwrap(), key.word());
        }
    }

    #[test]
    fn the_default_checklists_phases_have_short_names() {
        assert_eq!(phase(1, "Initial Assessment & Validation"), "phase/1-assessment");
        assert_eq!(phase(2, "Immediate Response & Mitigation"), "phase/2-mitigation");
        assert_eq!(phase(3, "  impact assessment &  user ANALYSIS "), "phase/3-impact");
        assert_eq!(phase(4, "Communication & Release"), "phase/4-release");
    }

    #[test]
    fn another_phase_is_named_by_its_number_and_title() {
        assert_eq!(phase(1, "Triage"), "phase/1-triage");
        assert_eq!(phase(2, "Initial Assessment & Validation"), "phase/2-initial-assessment-validation");
        assert_eq!(phase(3, "Évaluation – œuvre & Größe"), "phase/3-evaluation-oeuvre-grosse");
        assert_eq!(phase(4, "评估"), "phase/4");
        assert_eq!(phase(5, ""), "phase/5");
        assert_eq!(phase(6, "--- ???"), "phase/6");
        assert_eq!(Policy::default().phase_label(None, "Triage"), None);
    }

    #[test]
    fn a_long_title_is_cut_between_words() {
        let title = "Coordination with every downstream distributor and packager";
        assert_eq!(phase(12, title), "phase/12-coordination-with-every-downstream");
        assert_eq!(phase(1, &"x".repeat(80)).len(), MAX_LABEL);
        let spec = Policy::default().phase_label(Some(1), &"wörter ".repeat(40)).unwrap();
        assert_eq!(spec.description.chars().count(), MAX_DESCRIPTION);
    }

    #[test]
    fn the_policy_renames_labels_and_keeps_what_it_does_not_name() {
        let policy = renamed(LabelKey::High, LabelSetting::Name("sev: high".into()));
        let label = policy.label(LabelKey::High);
        assert_eq!((label.name.as_str(), label.color.as_str()), ("sev: high", "d93f0b"));

        let details = LabelDetails { was: Some("security".into()), color: Some("000000".into()), ..Default::default() };
        let label = renamed(LabelKey::Incident, LabelSetting::Full(details)).label(LabelKey::Incident);
        assert_eq!((label.name.as_str(), label.color.as_str()), ("incident", "000000"));
        assert_eq!(label.was.as_deref(), Some("security"));
    }

    #[test]
    fn the_policy_names_a_phase_whatever_its_title() {
        let setting = PhaseSetting { number: 1, label: Some(LabelSetting::Name("triage".into())), owners: vec![] };
        let policy = Policy { phases: vec![setting], ..Policy::default() };
        for title in ["Initial Assessment & Validation", "Anything"] {
            assert_eq!(policy.phase_label(Some(1), title).unwrap().name, "triage");
        }
        assert_eq!(policy.owns_label("Triage"), Some(LabelGroup::Phase));
    }

    #[test]
    fn only_our_labels_are_ours() {
        let policy = renamed(LabelKey::Low, LabelSetting::Name("minor".into()));
        for (name, group) in [
            ("incident", Some(LabelGroup::Flag(LabelKey::Incident))),
            ("Embargo", Some(LabelGroup::Flag(LabelKey::Embargo))),
            ("phase/review", Some(LabelGroup::Phase)),
            ("resolved", Some(LabelGroup::Phase)),
            ("phase/7-renamed-since", Some(LabelGroup::Phase)),
            ("severity/HIGH", Some(LabelGroup::Severity)),
            ("minor", Some(LabelGroup::Severity)),
            ("severity/low", None),
            ("bug", None),
            ("phase", None),
            ("phase/beta", None),
            ("phase/2nd", None),
            ("", None),
        ] {
            assert_eq!(policy.owns_label(name), group, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_title_gives_a_label_that_github_takes_and_that_is_ours(number: u32, title in "\\PC{0,70}") {
            let label = Policy::default().phase_label(Some(number), &title).unwrap();
            prop_assert!(label.name.chars().count() <= MAX_LABEL);
            prop_assert!(label.description.chars().count() <= MAX_DESCRIPTION);
            prop_assert!(!label.name.ends_with('-') && !label.name.contains("--"));
            prop_assert_eq!(Policy::default().owns_label(&label.name), Some(LabelGroup::Phase));
        }
    }
}
