//! What the types cannot say: limits of GitHub, names that must differ, rules that may only narrow.

mod label_names;
mod text;

use std::collections::HashMap;

use jiff::tz::TimeZoneDatabase;

use self::text::{is_login, line_problem, link_problem, login_problem};
use super::advisories::{VERSION, parse_gap};
use super::problem::{Problem, nearest, quote, words};
use super::roles::{ROLES, built_in, role_word};
use super::shape::{Places, shown};
use super::{Policy, RoleSetting};

/// Finds every problem in a policy that was read.
pub(super) fn check(policy: &Policy, places: &Places) -> Vec<Problem> {
    let mut check = Check { places, problems: Vec::new() };
    check.product(policy);
    check.reports(policy);
    check.advisories(policy);
    check.releases(policy);
    check.path("template", policy.template.as_deref(), ".github/checklist.md");
    check.path("advisory_template", policy.advisory_template.as_deref(), ".github/advisory.md");
    check.people(policy);
    check.roles(policy);
    check.contacts(policy);
    check.zone(policy);
    label_names::check(policy, &mut check);
    check.problems
}

struct Check<'a> {
    places: &'a Places,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Notes a problem with the value at a path; the sentence begins with the key.
    fn problem(&mut self, path: &str, what: impl AsRef<str>) {
        self.problem_of(path, format!("`{}` {}", shown(path), what.as_ref()));
    }

    fn problem_of(&mut self, path: &str, message: String) {
        self.problems.push(Problem { at: self.places.of(path), message });
    }

    fn line(&mut self, path: &str, text: &str) {
        if let Some(what) = line_problem(text) {
            self.problem(path, what);
        }
    }

    fn product(&mut self, policy: &Policy) {
        let product = &policy.product;
        self.line("product.name", &product.name);
        self.line("product.community", &product.community);
        if let Some(what) = product.security_policy.as_deref().and_then(link_problem) {
            self.problem("product.security_policy", what);
        }
        let address = product.private_reporting.as_deref();
        if let Some(what) = address.and_then(text::address_problem) {
            self.problem("product.private_reporting", what);
        }
    }

    fn reports(&mut self, policy: &Policy) {
        let reports = &policy.reports;
        let names = reports.repositories.iter().map(|repo| repo.to_string().to_lowercase());
        self.unlike("reports.repositories", names.enumerate());
        if let Some(since) = reports.since.as_deref().filter(|_| reports.since().is_none()) {
            let hint = if since.contains([':', 'T']) { "; a time ends in `Z` for UTC, or in its offset" } else { "" };
            let what = format!(
                "cannot be {}: write a date like `2026-01-31` or a time like `2026-01-31T08:00:00Z`{hint}",
                quote(since)
            );
            self.problem("reports.since", what);
        }
        if !(1..=100).contains(&reports.open_per_hour) {
            self.problem("reports.open_per_hour", "must be 1 to 100");
        }
    }

    fn advisories(&mut self, policy: &Policy) {
        let packages = &policy.advisories.packages;
        for (index, package) in packages.iter().enumerate() {
            self.line(&format!("advisories.packages[{index}].name"), &package.name);
        }
        let names = packages.iter().map(|package| format!("{:?} {}", package.ecosystem, package.name));
        self.unlike("advisories.packages", names.enumerate());
    }

    fn releases(&mut self, policy: &Policy) {
        let releases = &policy.releases;
        let places = releases.tag.matches(VERSION).count();
        let bare = releases.tag.replace(VERSION, "");
        if places != 1 || bare.chars().count() > 200 || bare.contains(|c: char| c.is_whitespace() || "{}".contains(c)) {
            let what = format!(
                "cannot be {}: write a tag with `{VERSION}` in the version's place, for example `v{VERSION}`",
                quote(&releases.tag)
            );
            self.problem("releases.tag", what);
        }
        for (index, name) in releases.assets.iter().enumerate() {
            self.line(&format!("releases.assets[{index}]"), name);
        }
        self.unlike("releases.assets", releases.assets.iter().cloned().enumerate());
        if parse_gap(&policy.advisory_gap).is_none() {
            let what = format!(
                "cannot be {}: write minutes, hours or days, for example `30m`, `1h` or `2d`",
                quote(&policy.advisory_gap)
            );
            self.problem("advisory_gap", what);
        }
    }

    /// A template is read from the tracker's repository: nothing may lead out of it.
    fn path(&mut self, key: &str, path: Option<&str>, example: &str) {
        let Some(path) = path else { return };
        let steps = || path.split('/');
        let what = if let Some(what) = line_problem(path) {
            what
        } else if path.contains("://") {
            "wants a path in the tracker's repository, not a link".to_owned()
        } else if path.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) {
            "is a path of names with `/` between them; it cannot hold any of \\ : * ? \" < > |".to_owned()
        } else if path.starts_with('/') || steps().any(|step| step == "..") {
            "must stay in the tracker's repository: no `/` in front, no `..`".to_owned()
        } else if steps().any(|step| step.is_empty() || step == "." || step == ".git") {
            "has a part that is empty, `.` or `.git`".to_owned()
        } else {
            return;
        };
        self.problem(key, format!("{what}; write for example `{example}`"));
    }

    fn people(&mut self, policy: &Policy) {
        self.logins("roster", &policy.roster);
        let mut seen = HashMap::new();
        for (index, phase) in policy.phases.iter().enumerate() {
            self.logins(&format!("phases[{index}].owners"), &phase.owners);
            if phase.number == 0 {
                self.problem(&format!("phases[{index}].number"), "counts from 1");
            }
            if let Some(first) = seen.insert(phase.number, index) {
                let line = self.places.of(&format!("phases[{first}]")).line;
                let what = format!("`phases` names phase {} twice; the other is in line {line}", phase.number);
                self.problem_of(&format!("phases[{index}].number"), what);
            }
        }
    }

    fn logins(&mut self, path: &str, logins: &[String]) {
        for (index, login) in logins.iter().enumerate() {
            if let Some(what) = login_problem(login) {
                self.problem(&format!("{path}[{index}]"), what);
            }
        }
        let good = logins.iter().enumerate().filter(|(_, login)| is_login(login));
        self.unlike(path, good.map(|(index, login)| (index, login.to_lowercase())));
    }

    /// A rule may ask for more than Wardroom's own, never for less.
    fn roles(&mut self, policy: &Policy) {
        for (word, setting) in &policy.roles {
            let path = format!("roles.{word}");
            match (setting, built_in(word)) {
                (_, None) => self.problem(&path, "is about a command that does not exist"),
                (RoleSetting::Logins(logins), Some(_)) => self.logins(&path, logins),
                (RoleSetting::AtLeast(role), Some(command)) if *role < command.at_least => {
                    let enough = ROLES.into_iter().filter(|role| *role >= command.at_least).map(role_word);
                    let what = format!(
                        "cannot be `{}`: `{word}` itself asks for {}, and a policy narrows a rule, it never widens one; \
                         write {} or a list of logins",
                        role_word(*role),
                        role_word(command.at_least),
                        words(enough, "or"),
                    );
                    self.problem(&path, what);
                }
                (RoleSetting::AtLeast(_), Some(_)) => {}
            }
        }
    }

    fn contacts(&mut self, policy: &Policy) {
        for (index, contact) in policy.contacts.iter().enumerate() {
            self.line(&format!("contacts[{index}].role"), &contact.role);
            self.line(&format!("contacts[{index}].reach"), &contact.reach);
        }
    }

    fn zone(&mut self, policy: &Policy) {
        let database = TimeZoneDatabase::bundled();
        if database.get(&policy.zone).is_ok() {
            return;
        }
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let city = |name: &&String| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&policy.zone));
        let meant = names.iter().find(city).map(String::as_str);
        let meant = meant.or_else(|| nearest(&policy.zone, names.iter().map(String::as_str)));
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write an IANA name, for example `Europe/Madrid` or `UTC`".to_owned(),
        };
        self.problem("zone", format!("cannot be {}: no time zone has that name; {hint}", quote(&policy.zone)));
    }

    /// Notes every entry of a list that was there before.
    fn unlike(&mut self, path: &str, entries: impl Iterator<Item = (usize, String)>) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (index, entry) in entries {
            match seen.get(&entry) {
                Some(first) => {
                    let line = self.places.of(&format!("{path}[{first}]")).line;
                    let what = format!("has this entry twice; the other is in line {line}");
                    self.problem(&format!("{path}[{index}]"), what);
                }
                None => {
                    seen.insert(entry, index);
                }
            }
        }
    }
}
