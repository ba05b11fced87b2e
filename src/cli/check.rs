//! `wardroom check`: whether the policy and the checklist can be used, and what they mean. Nothing is sent anywhere.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::checklist::{read, shown, title};
use super::{Exit, Usage, policy_file};
use crate::domain::checklist::{Checklist, template};
use crate::domain::incident::{Standing, phase_order};
use crate::domain::labels;
use crate::domain::policy::{Advisories, LabelKey, LabelSpec, Mode, Policy, Reports, RoleSetting, Rule};
use crate::domain::texts::utc;

/// Says whether a policy and a checklist can be used. Reads files only; GitHub is not asked.
///
/// Without --policy it reads .github/wardroom.yml, if there is one. Without --checklist it reads the policy's
/// `template`, if it lies beside the policy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  printf 'mode: watch\\n' > wardroom.yml && wardroom check --policy wardroom.yml\n  \
                        wardroom check --checklist .github/checklist.md\n\nExit codes: 0 both can be used, 2 one cannot."
)]
pub struct Args {
    /// The policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A checklist of your own; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub checklist: Option<PathBuf>,
}

/// Checks what was named and writes what it found.
///
/// # Errors
/// A [`Usage`] error if the policy or the checklist cannot be read or used; that of the policy comes first.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let usual = Path::new(policy_file::USUAL_PATH);
    let path = match &args.policy {
        Some(path) => Some(path.as_path()),
        None if usual.exists() => Some(usual),
        None if args.checklist.is_some() => None,
        None => {
            let message = format!("there is no {}; name a policy with --policy FILE", policy_file::USUAL_PATH);
            return Err(Usage(message).into());
        }
    };
    let policy = match path {
        Some(path) => policy_file::read(path)?,
        None => Policy::default(),
    };
    if let Some(path) = path {
        writeln!(out, "{}: can be used", path.display())?;
        write_policy(&policy, out)?;
    }
    match (&args.checklist, path) {
        (Some(checklist), _) => check_checklist(checklist, &policy, out)?,
        (None, Some(path)) => check_template(path, &policy, out)?,
        (None, None) => {}
    }
    Ok(Exit::Done)
}

fn write_policy(policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    let mode = match policy.mode {
        Mode::Off => "off: Wardroom does nothing",
        Mode::Watch => "watch: Wardroom prints its plan and writes nothing",
        Mode::On => "on: Wardroom works",
    };
    line(out, "mode", mode)?;
    let tracker = policy.tracker.as_ref().map_or("the repository Wardroom runs for".to_owned(), ToString::to_string);
    line(out, "tracker", &tracker)?;
    line(out, "reports", &reports(&policy.reports))?;
    line(out, "advisories", &advisories(&policy.advisories))?;
    line(out, "labels", &or(labels(policy), "the usual ones"))?;
    line(out, "roster", &or(policy.roster.join(", "), "nobody is assigned"))?;
    for word in policy.roles.keys() {
        line(out, "roles", &format!("{word}: {}", rule(policy, word)))?;
    }
    line(out, "zone", &policy.zone)?;
    for note in notes(policy) {
        writeln!(out, "  note: {note}")?;
    }
    Ok(())
}

fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

fn line(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "  {name:<11} {text}")
}

fn reports(reports: &Reports) -> String {
    let from = match reports.repositories.as_slice() {
        [] => "the tracker's own issues".to_owned(),
        repositories => repositories.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let since = reports.since().map_or(String::new(), |since| format!(", opened since {}", utc(since)));
    format!("{from}, labelled {}{since}; at most {} become incidents an hour", reports.label, reports.open_per_hour)
}

fn advisories(advisories: &Advisories) -> String {
    let packages: Vec<&str> = advisories.packages.iter().map(|package| package.name.as_str()).collect();
    match (&advisories.repository, packages.as_slice()) {
        (None, []) => "none".to_owned(),
        (None, packages) => format!("no repository; packages {}", packages.join(", ")),
        (Some(repository), []) => repository.to_string(),
        (Some(repository), packages) => format!("{repository}; packages {}", packages.join(", ")),
    }
}

/// What is not as it would be without the policy.
fn labels(policy: &Policy) -> String {
    let usual = Policy::default();
    let changed = LabelKey::ALL.into_iter().filter(|key| policy.label(*key) != usual.label(*key));
    let phases = policy.phases.iter().filter(|phase| phase.label.is_some());
    let keys = changed.map(|key| described(key.word(), &policy.label(key)));
    let phases = phases.filter_map(|phase| {
        let label = policy.phase_label(Some(phase.number), "")?;
        // A label whose name comes from the checklist has none yet.
        let name = phase.label.as_ref().and_then(|label| label.name()).map(|_| label);
        name.map(|label| described(&format!("phase {}", phase.number), &label))
    });
    keys.chain(phases).collect::<Vec<_>>().join(", ")
}

fn described(what: &str, label: &LabelSpec) -> String {
    match &label.was {
        Some(was) => format!("{what} is {:?} (renamed from {was:?})", label.name),
        None => format!("{what} is {:?}", label.name),
    }
}

fn rule(policy: &Policy, word: &str) -> String {
    let Rule { logins, .. } = policy.required_role(word);
    match (logins.as_deref(), policy.roles.get(word)) {
        (Some([]), _) => "nobody".to_owned(),
        (Some(logins), _) => format!("only {}", logins.join(", ")),
        (None, Some(RoleSetting::AtLeast(role))) => format!("at least {}", format!("{role:?}").to_lowercase()),
        (None, _) => String::new(),
    }
}

/// What can be used and is probably not meant.
fn notes(policy: &Policy) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if policy.allow_public_tracker {
        notes.push("allow_public_tracker lets everyone read the tracker; with copy_report, the reports as well");
    }
    if policy.acknowledge_public && policy.product.private_reporting.is_none() {
        notes.push(
            "acknowledge_public points to GitHub's page for private reports; switch that on in each reports repository, \
             or set product.private_reporting",
        );
    }
    if !policy.advisories.packages.is_empty() && policy.advisories.repository.is_none() {
        notes.push("advisories.packages are used only with advisories.repository");
    }
    let usual = Policy::default();
    if policy.draft != usual.draft && policy.advisories.repository.is_none() {
        notes.push("draft: at-mitigation is used only with advisories.repository");
    }
    if policy.publish != usual.publish && policy.advisories.repository.is_none() {
        notes.push("publish is used only with advisories.repository");
    }
    if policy.publish == usual.publish && policy.publish_needs_two != usual.publish_needs_two {
        notes.push("publish_needs_two is used only with publish: allowed; a person publishes on the advisory's page");
    }
    if policy.advisory_gap != usual.advisory_gap {
        notes
            .push("advisory_gap has no effect in this version; the status comment says at once that the two are apart");
    }
    notes
}

/// The policy's own template, where the file lies in a copy of the tracker's repository.
fn check_template(policy_path: &Path, policy: &Policy, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(template) = &policy.template else { return Ok(()) };
    let Some(root) = policy_path.parent().filter(|_| policy_path.ends_with(policy_file::USUAL_PATH)) else {
        writeln!(out, "  note: {template} was not looked at; name it with --checklist FILE")?;
        return Ok(());
    };
    let path = root.parent().unwrap_or(Path::new("")).join(template);
    if !path.exists() {
        return Err(Usage(format!("the policy's template {} is not there", path.display())).into());
    }
    check_checklist(&path, policy, out)
}

fn check_checklist(path: &Path, policy: &Policy, out: &mut dyn Write) -> anyhow::Result<()> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let text = read(path).map_err(|error| Usage(format!("{error:#}")))?;
    let body = template::render(&text, policy).map_err(|error| Usage(format!("{name}: {error}")))?;
    let checklist = Checklist::parse(&body);
    let totals = checklist.totals();
    writeln!(out, "{name}: can be used")?;
    let counts = [
        count(checklist.phases.len(), "phase"),
        count(totals.tasks, "task"),
        count(checklist.fields.len(), "field"),
        count(checklist.empty_slots, "empty slot"),
    ];
    writeln!(out, "  {}", counts.join(", "))?;
    for (index, phase) in checklist.phases.iter().enumerate() {
        let label = labels::phase_label(&checklist, &Standing::Phase(index), policy);
        let label = label.map_or("no label".to_owned(), |label| label.name);
        writeln!(out, "  {}: {}, {label}", shown(&title(phase)), count(phase.tasks.len(), "task"))?;
    }
    for note in checklist_notes(&checklist, policy)? {
        writeln!(out, "  note: {}", shown(&note))?;
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The first eight and how many more there are; `None` if there are none.
fn some_of<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let (first, rest) = names.split_at(names.len().min(8));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    (!names.is_empty()).then(|| format!("{}{more}", first.join(", ")))
}

/// What the checklist lacks that the built-in one has, and what of the policy finds nothing in it.
fn checklist_notes(checklist: &Checklist, policy: &Policy) -> anyhow::Result<Vec<String>> {
    let built_in = Checklist::parse(&template::render(template::DEFAULT, policy)?);
    let mut notes = Vec::new();
    if checklist.tasks().next().is_none() {
        notes.push("there is no task in it, so there will be no phase and no progress".to_owned());
    }
    let has = |anchor: &Option<String>| checklist.tasks().any(|task| task.anchor == *anchor);
    let anchors = built_in.tasks().filter(|task| !has(&task.anchor)).filter_map(|task| task.anchor.as_deref());
    if let Some(anchors) = some_of(anchors) {
        notes.push(format!("built-in tasks that are not in it: {anchors}"));
    }
    let fields = built_in.fields.iter().map(|field| field.name.as_str());
    if let Some(fields) = some_of(fields.filter(|name| checklist.field(name).is_none())) {
        notes.push(format!("built-in fields that are not in it, so that nothing is read from them: {fields}"));
    }
    let numbers: Vec<u32> = (0..checklist.phases.len()).map(|index| phase_order(checklist, index)).collect();
    for phase in policy.phases.iter().filter(|phase| !numbers.contains(&phase.number)) {
        notes.push(format!("the policy speaks of phase {}, which is not in the checklist", phase.number));
    }
    Ok(notes)
}
