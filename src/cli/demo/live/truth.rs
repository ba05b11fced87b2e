//! Whether Wardroom has caught up with what is true on GitHub, measured from outside: from issues, labels and comments,
//! not from what Wardroom says of itself.

use crate::cli::demo::wires::BOT;
use crate::domain::checklist::Checklist;
use crate::domain::command;
use crate::domain::facts::{Issue, RepoName};
use crate::domain::incident::{ReportKey, Standing, marked_report};
use crate::domain::labels::phase_label;
use crate::domain::memory::{Memory, short_digest};
use crate::domain::policy::{LabelGroup, LabelKey, Policy};
use crate::domain::status;
use crate::server::page::scene::ActCheck;
use crate::sim::World;

/// What is measured.
pub(super) struct Truth<'a> {
    pub(super) world: &'a World,
    pub(super) repo: &'a RepoName,
    pub(super) policy: &'a Policy,
}

impl Truth<'_> {
    /// Whether Wardroom keeps this issue as an incident.
    pub(super) fn is_incident(&self, issue: &Issue) -> bool {
        let mine = issue.user.as_ref().is_some_and(|user| user.login == BOT);
        mine && marked_report(&Checklist::parse(issue.text())).is_some()
    }

    /// The open tracking issues, newest first.
    pub(super) fn incidents(&self) -> Vec<Issue> {
        let mut issues = self.world.issues_of(self.repo);
        issues.retain(|issue| issue.is_open() && self.is_incident(issue));
        issues.reverse();
        issues
    }

    /// What Wardroom remembers of a tracking issue, as its status comment holds it.
    pub(super) fn memory(&self, number: u64) -> Option<Memory> {
        let said = self.world.comments_of(self.repo, number);
        let status = said.iter().find(|said| said.by == BOT && said.text.starts_with(status::HEAD))?;
        Memory::unseal(&status.text, None)
    }

    /// What should hold, one by one.
    pub(super) fn checks(&self) -> Vec<ActCheck> {
        let issues = self.world.issues_of(self.repo);
        let (incidents, others): (Vec<&Issue>, Vec<&Issue>) = issues.iter().partition(|issue| self.is_incident(issue));
        let mut checks = Vec::new();
        let mut check = |what: String, holds: bool| checks.push(ActCheck { what, holds });
        let report_label = &self.policy.reports.label;
        for report in others.iter().filter(|issue| issue.is_open() && issue.has_label(report_label)) {
            let of_it = incidents.iter().filter(|incident| {
                marked_report(&Checklist::parse(incident.text()))
                    .is_some_and(|id| id.key == ReportKey::Issue(report.number))
            });
            let count = of_it.count();
            check(format!("report #{} has one tracking issue ({count})", report.number), count == 1);
        }
        for incident in incidents {
            let number = incident.number;
            if incident.has_label(&self.policy.label(LabelKey::Paused).name) {
                check(format!("#{number} is paused, so Wardroom writes nothing there until someone resumes it"), true);
                continue;
            }
            let memory = self.memory(number);
            let recorded =
                memory.is_some_and(|memory| memory.body == short_digest(incident.text()) && memory.repair.is_none());
            check(format!("the record of #{number} holds every tick and field"), recorded);
            check(format!("the labels of #{number} fit its text"), self.labels_fit(incident));
            check(format!("every command on #{number} has its answer"), self.is_answered(number));
        }
        checks
    }

    /// Exactly one label of the phase group hangs there, and it is the one that the text asks for.
    fn labels_fit(&self, incident: &Issue) -> bool {
        let checklist = Checklist::parse(incident.text());
        let wanted = phase_label(&checklist, &Standing::of(incident, &checklist), self.policy).map(|label| label.name);
        let hangs: Vec<&String> = incident
            .labels
            .iter()
            .map(|label| &label.name)
            .filter(|name| self.policy.owns_label(name) == Some(LabelGroup::Phase))
            .collect();
        hangs.len() == usize::from(wanted.is_some()) && hangs.into_iter().eq(wanted.iter())
    }

    /// Each command of a person carries a reaction of Wardroom's.
    fn is_answered(&self, number: u64) -> bool {
        let said = self.world.comments_of(self.repo, number);
        let commands = said.iter().filter(|said| !said.by.ends_with("[bot]") && command::parse(&said.text).is_some());
        commands.into_iter().all(|said| said.reactions.iter().any(|(who, _)| who == BOT))
    }
}
