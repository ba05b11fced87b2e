//! What was made to go wrong, from its beginning until Wardroom has caught up. Every number in it is counted, every "it
//! stands" looked for on the simulated GitHub.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::deeds::{self, Deed, Trace};
use super::truth::Truth;
use crate::domain::checklist::Checklist;
use crate::domain::incident::Subject;
use crate::server::page::scene::{ActCheck, Fault, Kind, Trial, TrialState, clock};

/// So many are kept, and more only while they go on.
const KEPT: usize = 4;

/// So many lines tell how one healed.
const HEALING: usize = 8;

/// What someone did in the middle of a look: when, and the text before and after.
pub(super) type Moment = Arc<OnceLock<(Timestamp, String, String)>>;

/// All of them, oldest first.
#[derive(Default)]
pub(super) struct Trials {
    all: Vec<Going>,
    count: u64,
}

/// One of them.
struct Going {
    trial: Trial,
    fault: Fault,
    /// When the fault was over.
    over: Option<Timestamp>,
    /// Calls that it struck.
    struck: usize,
    /// Sweeps of a Wardroom that began anew that found nothing out.
    failed_sweeps: usize,
    /// What is to be looked at before it is healed.
    to_see: BTreeSet<Subject>,
    /// The act in the middle of a look that is waited for: the issue, who, and the moment.
    planned: Option<(u64, &'static str, Moment)>,
    /// Who must be named in the record for what.
    names: Vec<(u64, String, &'static str)>,
}

impl Trials {
    /// Begins one.
    pub(super) fn begin(&mut self, at: Timestamp, fault: Fault, title: &'static str, happened: Vec<String>) {
        self.count += 1;
        let trial = Trial {
            id: self.count,
            title,
            at,
            state: TrialState::Going,
            happened,
            acts: Vec::new(),
            lost: 0,
            checks: Vec::new(),
            healing: Vec::new(),
            hint: None,
        };
        self.all.push(Going {
            trial,
            fault,
            over: None,
            struck: 0,
            failed_sweeps: 0,
            to_see: BTreeSet::new(),
            planned: None,
            names: Vec::new(),
        });
        while self.all.len() > KEPT {
            let Some(oldest) = self.all.iter().position(|going| going.trial.state == TrialState::Healed) else { break };
            self.all.remove(oldest);
        }
    }

    /// Whether one of this kind has not ended.
    pub(super) fn is_going(&self, fault: Fault) -> bool {
        self.all.iter().any(|going| going.fault == fault && going.over.is_none())
    }

    fn last(&mut self, fault: Fault) -> Option<&mut Going> {
        self.all.iter_mut().rev().find(|going| going.fault == fault && going.trial.state != TrialState::Healed)
    }

    /// The fault is over; now it heals.
    pub(super) fn over(&mut self, at: Timestamp, fault: Fault, happened: &str) {
        if let Some(going) = self.last(fault) {
            going.over = Some(at);
            going.trial.happened.push(happened.to_owned());
        }
    }

    /// A sweep found all that there is to look at: so does each Wardroom that began anew and has not swept yet, and is
    /// healed when it has looked at that.
    pub(super) fn swept(&mut self, at: Timestamp, subjects: &[Subject]) {
        let began = |going: &&mut Going| going.fault == Fault::Restart && going.over.is_none();
        for going in self.all.iter_mut().filter(began) {
            going.to_see = subjects.iter().cloned().collect();
            going.over = Some(at);
            let first = if going.failed_sweeps == 0 { "It began with a sweep" } else { "The next sweep went well" };
            going.trial.happened.push(format!("{first} and found {} to look at.", subjects.len()));
        }
    }

    /// A sweep failed.
    pub(super) fn could_not_sweep(&mut self) {
        let began = |going: &&mut Going| going.fault == Fault::Restart && going.over.is_none();
        for going in self.all.iter_mut().filter(began) {
            going.failed_sweeps += 1;
            if going.failed_sweeps == 1 {
                going.trial.happened.push("Its first sweep failed, so it knows of nothing to look at.".to_owned());
            }
        }
    }

    /// Who must be named in the record for which item.
    pub(super) fn must_name(&mut self, fault: Fault, names: Vec<(u64, String, &'static str)>) {
        if let Some(going) = self.last(fault) {
            going.names = names;
        }
    }

    /// Someone will act in the middle of a look.
    pub(super) fn plan(&mut self, fault: Fault, issue: u64, who: &'static str, moment: Moment) {
        if let Some(going) = self.last(fault) {
            going.planned = Some((issue, who, moment));
        }
    }

    /// Webhooks were lost.
    pub(super) fn webhook_lost(&mut self, at: Timestamp, names: &[String]) {
        let text = format!("GitHub’s webhook never arrived: {}. GitHub does not send it again.", names.join(", "));
        self.over(at, Fault::LoseWebhook, &text);
    }

    /// The number of calls that the fault struck, for its report.
    pub(super) fn struck(&self, fault: Fault) -> usize {
        let newest = self.all.iter().rev().find(|going| going.fault == fault && going.over.is_none());
        newest.map_or(0, |going| going.struck)
    }

    /// A look ended. `failed`: its calls without an answer.
    pub(super) fn looked(&mut self, at: Timestamp, kind: Kind, words: &str, failed: usize) {
        for going in self.all.iter_mut().filter(|going| going.trial.state != TrialState::Healed) {
            if going.over.is_none() {
                going.struck += failed;
            }
            let tells = going.over.is_some() || going.planned.is_some();
            if tells && kind != Kind::Failed && going.trial.healing.len() < HEALING {
                going.trial.healing.push(format!("{} Wardroom {words}", clock(at)));
            }
        }
    }

    /// Something was seen whole.
    pub(super) fn seen(&mut self, subject: &Subject) {
        for going in &mut self.all {
            going.to_see.remove(subject);
        }
    }

    /// The acts that happened in the middle of a look since the last time, as deeds. `read_after`: that look read the edit
    /// history after its write, and did not take its work for finished.
    pub(super) fn happened(&mut self, truth: &Truth<'_>, read_after: bool) -> Vec<Deed> {
        let mut found = Vec::new();
        for going in &mut self.all {
            let Some((issue, who, moment)) = going.planned.take() else { continue };
            let Some((at, before, after)) = moment.get() else {
                going.planned = Some((issue, who, moment));
                continue;
            };
            let deeds = deeds::of_edit(*at, who, issue, before, after);
            let what: Vec<&str> = deeds.iter().map(|deed| deed.what.as_str()).collect();
            let happened = &mut going.trial.happened;
            happened.push(format!(
                "{} between Wardroom’s last read and its write, {who} {}.",
                clock(*at),
                what.join(", ")
            ));
            let gone = deeds::check(&deeds, truth.world, truth.repo).iter().any(|(_, stands)| !stands);
            let words = match (gone, read_after) {
                (false, _) => "It stands after that look.",
                (true, false) => "Wardroom’s write had overwritten that, for GitHub cannot refuse it.",
                (true, true) => {
                    "Wardroom’s write had overwritten that, for GitHub cannot refuse it. It read the edit history just \
                     after, and looks again."
                }
            };
            happened.push(words.to_owned());
            going.over = Some(*at);
            found.extend(deeds);
        }
        found
    }

    /// Measures all that are not healed.
    pub(super) fn judge(&mut self, now: Timestamp, deeds: &[Deed], truth: &Truth<'_>, checks: &[ActCheck]) {
        for going in self.all.iter_mut().filter(|going| going.trial.state != TrialState::Healed) {
            let since: Vec<Deed> = deeds.iter().filter(|deed| deed.at >= going.trial.at).cloned().collect();
            let found = deeds::check(&since, truth.world, truth.repo);
            going.trial.lost = found.iter().filter(|(_, stands)| !stands).count();
            going.trial.acts = found.into_iter().map(|(what, holds)| ActCheck { what, holds }).collect();
            going.trial.hint = going.hint();
            if going.over.is_none() {
                continue;
            }
            let mut checks = checks.to_vec();
            checks.extend(going.names.iter().map(|name| named(truth, name)));
            let whole = checks.iter().all(|check| check.holds) && going.to_see.is_empty() && going.trial.lost == 0;
            going.trial.state = if whole { TrialState::Healed } else { TrialState::Behind };
            going.trial.checks = checks;
            if whole {
                going.trial.hint = None;
                going.trial.healing.push(format!("{} everything was as it should be", clock(now)));
            }
        }
    }

    /// As the page shows them, newest first.
    pub(super) fn shown(&self) -> Vec<Trial> {
        self.all.iter().rev().map(|going| going.trial.clone()).collect()
    }
}

impl Going {
    fn hint(&self) -> Option<&'static str> {
        match (self.fault, self.over) {
            (Fault::Down, None) => Some(
                "Go on working: tick, fill in, comment. People’s pages and webhooks work; Wardroom’s calls fail, and it \
                 tries again with growing pauses.",
            ),
            (Fault::LoseWebhook, None) => Some("Now do something on the tracking issue, for example tick a box."),
            (Fault::LoseWebhook, Some(_)) => Some(
                "Nobody told Wardroom. Its next look at this issue finds it: press “Sweep now”, which a schedule does in \
                 production, or do anything else there.",
            ),
            (Fault::Restart, None) => {
                Some("It sweeps again when GitHub is up: press “GitHub is up again”, or “Sweep now” later.")
            }
            (Fault::Collide, None) => {
                Some("Wardroom edits a text only after 30 s of quiet. Press “Let that time pass” until it writes.")
            }
            _ => None,
        }
    }
}

/// Whether the record names who touched an item last.
fn named(truth: &Truth<'_>, (issue, key, who): &(u64, String, &'static str)) -> ActCheck {
    let checklist = Checklist::parse(&truth.world.body(truth.repo, *issue));
    let name = checklist.tasks().find(|task| task.key() == key).map_or_else(|| key.clone(), |task| task.text.clone());
    let memory = truth.memory(*issue);
    let by = memory.and_then(|memory| memory.items.get(key)?.by.clone());
    ActCheck {
        what: format!("the record names {who} for “{}”", deeds::short(&name)),
        holds: by.as_deref() == Some(*who),
    }
}

/// The keys of the tasks that deeds are about.
pub(super) fn keys_of(deeds: &[Deed]) -> Vec<String> {
    let key = |deed: &Deed| match &deed.trace {
        Trace::Item { key, .. } => Some(key.clone()),
        _ => None,
    };
    deeds.iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Policy;
    use crate::sim::World;

    fn at() -> Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn begin(trials: &mut Trials, fault: Fault) {
        trials.begin(at(), fault, "It goes wrong", Vec::new());
    }

    /// Measures all of them where nothing is amiss.
    fn judge(trials: &mut Trials) {
        let (world, repo, policy) = (World::new(), "octo/security".parse().unwrap(), Policy::default());
        trials.judge(at(), &[], &Truth { world: &world, repo: &repo, policy: &policy }, &[]);
    }

    #[test]
    fn what_still_goes_on_is_not_forgotten_however_much_comes_after_it() {
        let mut trials = Trials::default();
        begin(&mut trials, Fault::Down);
        for _ in 0..10 {
            begin(&mut trials, Fault::TwoTicks);
            trials.over(at(), Fault::TwoTicks, "");
            judge(&mut trials);
        }
        assert!(trials.is_going(Fault::Down));
        assert_eq!(trials.shown().iter().map(|trial| trial.id).collect::<Vec<_>>(), [11, 10, 9, 1]);
        trials.over(at(), Fault::Down, "");
        judge(&mut trials);
        begin(&mut trials, Fault::LoseWebhook);
        assert_eq!(trials.shown().iter().map(|trial| trial.id).collect::<Vec<_>>(), [12, 11, 10, 9]);
    }

    #[test]
    fn a_restart_ends_with_a_sweep_that_went_well_and_heals_when_what_it_found_was_seen() {
        let mut trials = Trials::default();
        begin(&mut trials, Fault::Restart);
        trials.could_not_sweep();
        begin(&mut trials, Fault::Restart);
        trials.could_not_sweep();
        judge(&mut trials);
        let states = |trials: &Trials| trials.shown().iter().map(|trial| trial.state).collect::<Vec<_>>();
        assert_eq!(states(&trials), [TrialState::Going; 2]);
        trials.swept(at(), &[Subject::Tracker(2)]);
        judge(&mut trials);
        assert_eq!(states(&trials), [TrialState::Behind; 2]);
        trials.seen(&Subject::Tracker(2));
        judge(&mut trials);
        assert_eq!(states(&trials), [TrialState::Healed; 2]);
        assert_eq!(
            trials.shown()[1].happened,
            [
                "Its first sweep failed, so it knows of nothing to look at.",
                "The next sweep went well and found 1 to look at."
            ]
        );
    }

    #[test]
    fn that_the_history_was_read_is_said_only_where_it_was() {
        for (read_after, ends) in [(true, "just after, and looks again."), (false, "GitHub cannot refuse it.")] {
            let mut trials = Trials::default();
            begin(&mut trials, Fault::Collide);
            let moment = Moment::default();
            moment.set((at(), "- [ ] a task\n".to_owned(), "- [x] a task\n".to_owned())).unwrap();
            trials.plan(Fault::Collide, 2, "bob", moment);
            let (world, repo, policy) = (World::new(), "octo/security".parse().unwrap(), Policy::default());
            let truth = Truth { world: &world, repo: &repo, policy: &policy };
            assert_eq!(trials.happened(&truth, read_after).len(), 1);
            let said = trials.shown()[0].happened.concat();
            assert!(said.contains("had overwritten that") && said.ends_with(ends), "{said}");
        }
    }
}
