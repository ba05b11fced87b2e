//! Labels that GitHub takes and that cannot be mistaken for each other.

use std::collections::HashMap;

use super::Check;
use super::text::is_hidden;
use crate::domain::policy::labels::{PHASE_PREFIX, phase_number};
use crate::domain::policy::problem::{quote, quote_key};
use crate::domain::policy::shape::shown;
use crate::domain::policy::{LabelDetails, LabelGroup, LabelKey, LabelSetting, MAX_DESCRIPTION, MAX_LABEL, Policy};

/// A label's setting with the path where it stands.
struct Setting<'a> {
    path: String,
    setting: &'a LabelSetting,
}

/// A name with the path of the key that has it, also where the name is a default.
struct Named {
    path: String,
    /// What a sentence calls that key.
    whose: String,
    name: String,
}

impl Named {
    fn is(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }
}

pub(super) fn check(policy: &Policy, check: &mut Check) {
    if let Some(what) = name_problem(&policy.reports.label) {
        check.problem("reports.label", what);
    }
    let settings = settings(policy);
    for Setting { path, setting } in &settings {
        details(path, setting, check);
    }
    namespaces(policy, check);
    let names = names(policy);
    twice(&names, check);
    renames(&settings, &names, policy, check);
    report_label(&names, policy, check);
}

fn settings(policy: &Policy) -> Vec<Setting<'_>> {
    let keys = policy.labels.iter().map(|(key, setting)| Setting { path: format!("labels.{}", key.word()), setting });
    let phases = policy.phases.iter().enumerate().filter_map(|(index, phase)| {
        Some(Setting { path: format!("phases[{index}].label"), setting: phase.label.as_ref()? })
    });
    keys.chain(phases).collect()
}

/// The names as they will be, phases that take theirs from the checklist left out: those begin with their number.
fn names(policy: &Policy) -> Vec<Named> {
    let keys = LabelKey::ALL.into_iter().map(|key| {
        let path = format!("labels.{}", key.word());
        Named { whose: format!("`{path}`"), path, name: policy.label(key).name }
    });
    let phases = policy.phases.iter().enumerate().filter_map(|(index, phase)| {
        let name = phase.label.as_ref()?.name()?.to_owned();
        Some(Named { path: format!("phases[{index}].label"), whose: format!("phase {}", phase.number), name })
    });
    keys.chain(phases).collect()
}

/// Each part of a label by itself.
fn details(path: &str, setting: &LabelSetting, check: &mut Check) {
    let (name, was, color, description) = match setting {
        LabelSetting::Name(name) => (Some((path.to_owned(), name)), None, None, None),
        LabelSetting::Full(LabelDetails { name, was, color, description }) => (
            name.as_ref().map(|name| (format!("{path}.name"), name)),
            was.as_ref(),
            color.as_ref(),
            description.as_ref(),
        ),
    };
    if let Some((path, name)) = name
        && let Some(what) = name_problem(name)
    {
        check.problem(&path, what);
    }
    if let Some(what) = was.and_then(|was| name_problem(was)) {
        check.problem(&format!("{path}.was"), what);
    }
    let is_color = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(color) = color.filter(|color| !is_color(color)) {
        let hint = match color.strip_prefix('#').filter(|bare| is_color(bare)) {
            Some(bare) => format!("`{bare}`, without `#`"),
            None => "six hex digits, for example `d93f0b`".to_owned(),
        };
        check.problem(&format!("{path}.color"), format!("cannot be {}: write {hint}", quote(color)));
    }
    if let Some(description) = description {
        let length = description.chars().count();
        if length > MAX_DESCRIPTION {
            let what = format!("has {length} characters; GitHub takes at most {MAX_DESCRIPTION}");
            check.problem(&format!("{path}.description"), what);
        } else if description.chars().any(is_hidden) {
            check.problem(&format!("{path}.description"), "must be one line without invisible characters");
        }
    }
}

/// A name that GitHub takes, and that its lists of labels can be asked for.
fn name_problem(name: &str) -> Option<String> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Some("is empty; a label needs a name".to_owned())
    } else if length > MAX_LABEL {
        Some(format!("has {length} characters; GitHub takes at most {MAX_LABEL} for a label's name"))
    } else if name.contains(',') {
        Some("holds a comma, by which GitHub's lists separate labels; use another character".to_owned())
    } else if name.chars().any(is_hidden) || name.trim() != name {
        Some("has line breaks, invisible characters or spaces at its ends; remove them".to_owned())
    } else {
        None
    }
}

/// `phase/…` belongs to phases, and `phase/2…` to phase 2.
fn namespaces(policy: &Policy, check: &mut Check) {
    for key in LabelKey::ALL {
        let name = policy.label(key).name.to_lowercase();
        let path = format!("labels.{}", key.word());
        if key.group() != LabelGroup::Phase && name.starts_with(PHASE_PREFIX) {
            check.problem(&path, format!("cannot begin with `{PHASE_PREFIX}`, which only labels of phases do"));
        } else if let Some(number) = phase_number(&name) {
            check.problem(&path, format!("cannot begin with `{PHASE_PREFIX}{number}`, which phase {number} does"));
        }
    }
    for (index, phase) in policy.phases.iter().enumerate() {
        let name = phase.label.as_ref().and_then(LabelSetting::name).unwrap_or_default().to_lowercase();
        if let Some(number) = phase_number(&name).filter(|number| *number != phase.number) {
            let what = format!("begins with `{PHASE_PREFIX}{number}`, but this is phase {}", phase.number);
            check.problem(&format!("phases[{index}].label"), what);
        }
    }
}

fn twice(names: &[Named], check: &mut Check) {
    for (index, second) in names.iter().enumerate() {
        let Some(first) = names.iter().take(index).find(|first| first.is(&second.name)) else { continue };
        // One of the two may be a default, which stands nowhere.
        let (at, other) = if check.places.holds(&second.path) { (second, first) } else { (first, second) };
        let what = format!("is named {}, as {} is; two labels need two names", quote_key(&at.name), other.whose);
        check.problem(&at.path, what);
    }
}

/// The label of reports must not be one that Wardroom sets and removes: a tracking issue would be a report itself.
fn report_label(names: &[Named], policy: &Policy, check: &mut Check) {
    let label = &policy.reports.label;
    if check.places.holds("reports.label") {
        if policy.owns_label(label).is_some() {
            let what = format!("cannot be {}: Wardroom sets and removes that label itself", quote_key(label));
            check.problem("reports.label", what);
        }
    } else if let Some(named) = names.iter().find(|named| named.is(label)) {
        check.problem(&named.path, format!("cannot be {}: that is the label of reports", quote_key(label)));
    }
}

/// `was` renames a label: never one that is in use, and none to two names.
fn renames(settings: &[Setting], names: &[Named], policy: &Policy, check: &mut Check) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for Setting { path, setting } in settings {
        let LabelSetting::Full(LabelDetails { was: Some(was), .. }) = setting else { continue };
        let old = was.to_lowercase();
        let was_path = format!("{path}.was");
        if let Some(named) = names.iter().find(|named| named.is(was)) {
            let what = if named.path == *path {
                "is the name that the label has now; remove `was`".to_owned()
            } else {
                format!("is {}, the name of {}, which would lose it", quote_key(was), named.whose)
            };
            check.problem(&was_path, what);
        } else if policy.reports.label.to_lowercase() == old {
            check.problem(
                &was_path,
                format!("is {}, the label of reports; renaming it would hide new reports", quote_key(was)),
            );
        }
        if let Some(first) = seen.insert(old, path) {
            let first = shown(first);
            check
                .problem(&was_path, format!("is {}, as `{first}.was` is; one label becomes one other", quote_key(was)));
        }
    }
}
