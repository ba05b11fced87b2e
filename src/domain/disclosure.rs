//! What an incident knows of its advisory: which one it is, how it fits the fields, what the facts prove, and what the
//! status comment says of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::advisory::cve::{self, Asked, Decision};
use super::advisory::drift::{self, Part, Row};
use super::advisory::evidence::{self, Evidence, Facts, Verdict, VersionRelease};
use super::advisory::interlock::{self, Apart};
use super::advisory::lint::{self, Finding, Weight};
use super::advisory::request::NewAdvisory;
use super::advisory::show;
use super::advisory::{self, Advisory, AdvisoryState, Draft, Ghsa, Known};
use super::answers::FORK;
use super::checklist::{Checklist, TaskState};
use super::command::{Command, Side};
use super::decisions::{Decisions, Ruling, Verdict as Ruled};
use super::drafting;
use super::facts::RepoName;
use super::fence;
use super::findings::{CVE, Findings, GHSA_FIELDS, RELEASE_TIME};
use super::incident;
use super::memory::Memory;
use super::observed::{AdvisorySight, Needs, Observed, ReleaseSight};
use super::policy::{DraftWhen, Policy, Publishing};
use super::record::{OnBehalf, Value};
use super::template::TemplateError;
use super::texts::{plain_link, task_name, time, utc};
use super::version::{self, Version};

/// Most lines of the lint that the status comment shows.
const MOST_FINDINGS: usize = 12;

/// The advisory of an incident, as far as it is known.
pub struct Disclosure<'a> {
    /// The repository that holds it.
    pub repository: &'a RepoName,
    /// Its id, where one is linked.
    pub linked: Option<Ghsa>,
    /// The advisory itself, where it could be read.
    pub advisory: Option<&'a Advisory>,
    /// What it should say.
    pub draft: Draft,
    /// Where the two differ.
    pub rows: Vec<Row>,
    /// What stands between it and publication.
    pub findings: Vec<Finding>,
    /// Whether a CVE ID is wanted.
    pub cve: Decision,
    /// What the facts prove or deny about tasks.
    pub evidence: Vec<Evidence>,
    /// Release and advisory are apart.
    pub apart: Option<Apart>,
    /// What the fields say for it.
    pub known: Known,
    /// What is known of a request for a CVE ID.
    pub asked: Asked,
    /// The fixed versions with their releases; `None` where they were not read.
    releases: Option<&'a [VersionRelease]>,
    /// The body as it was read.
    checklist: Checklist,
    /// When the last of the fixed versions came out, once all are.
    released_at: Option<Timestamp>,
    /// Why the advisory cannot be read, in words.
    pub unreadable: Option<&'a str>,
    /// Why the releases cannot be read, in words.
    releases_unreadable: Option<&'a str>,
    /// The policy's own template, if it is not there.
    missing_template: Option<&'a str>,
}

/// The advisory that an incident is about: the one in its fields, else the one that a command named, else the private
/// report that it was opened for, else the draft that Wardroom made and whose answer was lost. Fields that name one come
/// first, so that a command which is refused because of them lets nothing be judged by another advisory. `wanted`: what a
/// draft would say now.
fn linked(observed: &Observed, decisions: &Decisions<'_>, checklist: &Checklist, wanted: &NewAdvisory) -> Option<Ghsa> {
    let in_fields = incident::named_advisory(checklist);
    let found = || match (decisions.drafted, decisions.drafting) {
        (Some(command), _) => found_again(observed, command, wanted),
        (None, due) => drafting::found(observed, due?, wanted),
    };
    in_fields.or_else(|| decisions.linked.cloned()).or_else(|| reported(observed, checklist)).or_else(found)
}

/// The private report that this incident was opened for.
fn reported(observed: &Observed, checklist: &Checklist) -> Option<Ghsa> {
    let mine = observed.is_mine(observed.issue.user.as_ref());
    incident::marked_report(checklist).filter(|_| mine)?.advisory().cloned()
}

/// A draft of Wardroom's own from after the command: it was made, and the answer was lost. Other incidents ask for drafts
/// too. So while the command has no mark only a draft of the same words is this one's; after that, the oldest one that no
/// other incident names.
fn found_again(observed: &Observed, command: &Ruling<'_>, wanted: &NewAdvisory) -> Option<Ghsa> {
    let said_at = command.comment.created_at;
    let mine = |advisory: &&Advisory| observed.is_mine(advisory.author.as_ref());
    let later = |advisory: &&Advisory| said_at.zip(advisory.created_at).is_some_and(|(said, made)| made >= said);
    let free = |advisory: &&Advisory| advisory.id().is_some_and(|id| !observed.linked_elsewhere.contains(&id));
    let same = |advisory: &&Advisory| match command.verdict {
        Ruled::New => wanted.is(advisory),
        _ => advisory.state == AdvisoryState::Draft,
    };
    let drafts = observed.drafts.iter().flatten().filter(mine).filter(later).filter(free).filter(same);
    drafts.min_by_key(|advisory| advisory.created_at).and_then(Advisory::id)
}

/// What a draft would say now.
///
/// # Errors
/// If the advisory's template cannot be rendered.
fn draft_of(
    observed: &Observed,
    policy: &Policy,
    checklist: &Checklist,
    found: &Findings,
) -> Result<(Known, Draft), TemplateError> {
    let mut known = Known::of(checklist, found);
    known.reported_at = observed.issue.created_at;
    let draft = advisory::draft(&known, policy, &observed.advisory_template.text)?;
    Ok((known, draft))
}

impl<'a> Disclosure<'a> {
    /// Puts together what is known. `None` where the policy names no repository for advisories. `read_for_it`: what was
    /// read is this incident's advisory, not one that a refused command named. `asked`: whether GitHub was asked for a CVE
    /// ID for an advisory.
    ///
    /// # Errors
    /// If the advisory's template cannot be rendered.
    pub fn of(
        observed: &'a Observed,
        policy: &'a Policy,
        decisions: &Decisions<'_>,
        checklist: &Checklist,
        found: &Findings,
        read_for_it: bool,
        asked: impl Fn(&Ghsa) -> Asked,
    ) -> Result<Option<Disclosure<'a>>, TemplateError> {
        let Some(repository) = &policy.advisories.repository else { return Ok(None) };
        let (known, draft) = draft_of(observed, policy, checklist, found)?;
        let linked = linked(observed, decisions, checklist, &NewAdvisory::of(&draft.wanted));
        let (advisory, unreadable) = match &observed.advisory {
            AdvisorySight::Seen(advisory) if read_for_it => (Some(&**advisory), None),
            AdvisorySight::Unreadable(why) if read_for_it => (None, Some(why.as_str())),
            _ => (None, None),
        };
        let asked = linked.as_ref().map_or(Asked::Never, asked);
        let rows = advisory.map_or_else(Vec::new, |advisory| drift::rows(&draft.wanted, &known, advisory));
        let findings = advisory.map_or_else(Vec::new, |advisory| lint::lint(advisory, &known));
        let decision = cve::decide(&known, advisory, policy);
        let releases = match &observed.releases {
            ReleaseSight::Seen(releases) => Some(releases.as_slice()),
            ReleaseSight::NotRead | ReleaseSight::Unreadable(_) => None,
        };
        let releases_unreadable = match &observed.releases {
            ReleaseSight::Unreadable(why) => Some(why.as_str()),
            ReleaseSight::NotRead | ReleaseSight::Seen(_) => None,
        };
        let facts = Facts {
            advisory,
            advisories_readable: unreadable.is_none(),
            rows: &rows,
            findings: &findings,
            releases,
            cve: &decision,
        };
        let evidence = evidence::evidence(&facts, policy);
        let apart = advisory.zip(releases).and_then(|(advisory, releases)| interlock::apart(advisory, releases));
        Ok(Some(Disclosure {
            repository,
            linked,
            advisory,
            rows,
            findings,
            cve: decision,
            evidence,
            apart,
            unreadable,
            releases_unreadable,
            missing_template: observed.advisory_template.missing.as_deref(),
            draft,
            known,
            asked,
            releases,
            released_at: releases.and_then(all_out_at),
            checklist: checklist.clone(),
        }))
    }

    /// What is to be made by `/wardroom draft`, and the same for a person to paste where Wardroom may not make it.
    pub fn to_make(&self) -> (NewAdvisory, String) {
        (NewAdvisory::of(&self.draft.wanted), show::to_paste(&self.draft.wanted))
    }

    /// What facts prove about a task, with the remark for the record.
    pub fn proven(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.evidence.iter().filter_map(|evidence| match &evidence.verdict {
            Verdict::Proven { because, link } => {
                let link = link.as_ref().map_or_else(String::new, |link| format!(" ([proof]({link}))"));
                Some((evidence.task, format!("because {because}{link}")))
            }
            Verdict::Denied(_) | Verdict::Silent => None,
        })
    }

    /// Whether a CVE ID was asked for and has not come. `None`: someone may have asked on the advisory's page.
    pub fn awaits_cve(&self) -> Option<bool> {
        match (&self.cve, self.asked) {
            (Decision::Assigned(_), _) => Some(false),
            (_, Asked::At(_)) => Some(true),
            (_, Asked::Never | Asked::Perhaps(_)) => None,
        }
    }

    /// The lines of the table of differences that a command names; all of them where it names none.
    pub fn chosen<'b>(&'b self, parts: &'b [Part]) -> impl Iterator<Item = &'b Row> {
        self.rows.iter().filter(move |row| parts.is_empty() || parts.contains(&row.part))
    }

    /// The fields that take over what the advisory says in these lines: name and value.
    pub fn values(&self, parts: &[Part]) -> Vec<(&'static str, String)> {
        let named: Vec<Part> = self.chosen(parts).map(|row| row.part).collect();
        drift::from_advisory(&named, &self.rows, &self.checklist)
    }

    /// What the lint objects to.
    pub fn passed_over(&self) -> Vec<String> {
        let stops = self.findings.iter().filter(|finding| finding.weight == Weight::Stops);
        stops.take(MOST_FINDINGS).map(|finding| finding.text.clone()).collect()
    }

    /// What stands against publishing, a line each. `despite`: someone gave a reason to pass over what the lint says.
    pub fn against_publication(&self, despite: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(advisory) = self.advisory.filter(|advisory| advisory.state != AdvisoryState::Draft) {
            let is = match advisory.state {
                AdvisoryState::Triage => "a private report that nobody accepted yet",
                state => state.word(),
            };
            lines.push(format!("It is {is}; only a draft can be published."));
        }
        if let Some(why) = self.releases_unreadable {
            lines.push(format!("Whether the fixed versions are released cannot be told: {why}"));
        }
        for one in self.releases.into_iter().flatten() {
            lines.extend(one.lacks().map(|lacks| format!("{} {lacks}.", fence::code_span(&one.tag, 100))));
        }
        if self.releases_unreadable.is_none() {
            lines.extend(self.unchecked());
        }
        if !despite {
            lines.extend(self.passed_over());
        }
        lines
    }

    /// Fixed versions that the advisory names and whose release was not looked at, a line each.
    fn unchecked(&self) -> Vec<String> {
        let texts = self.advisory.into_iter().flat_map(|advisory| &advisory.vulnerabilities);
        let mut lines = Vec::new();
        for text in texts.filter_map(|one| one.patched_versions.as_deref()).filter(|text| !text.trim().is_empty()) {
            let looked_at = |version: &Version| self.releases.into_iter().flatten().any(|one| one.version == *version);
            if !version::versions(text).is_ok_and(|all| all.iter().all(looked_at)) {
                let text = fence::code_span(text, 100);
                lines.push(format!("Whether the fixed version {text} is released was not looked at."));
            }
        }
        lines
    }

    /// Notes for the record who ordered that fields take over what the advisory says.
    pub fn remark_sync(&self, rulings: &[Ruling<'_>], on_behalf: &mut OnBehalf) {
        for ruling in rulings.iter().filter(|ruling| matches!(ruling.verdict, Ruled::Counted | Ruled::New)) {
            let Ok(Command::Sync { from: Side::Advisory, parts }) = &ruling.command else { continue };
            for (name, value) in self.values(parts) {
                let Some(field) = self.checklist.field(name) else { continue };
                let by = format!("as the advisory says, by a command of {}", fence::login(&ruling.author.login));
                on_behalf.add(field.key(), &Value::Field(value, false), by);
            }
        }
    }

    /// Notes for the record on what word each proven box is ticked.
    pub fn remark(&self, checklist: &Checklist, on_behalf: &mut OnBehalf) {
        for (anchor, because) in self.proven() {
            if let Some(task) = checklist.anchored(anchor) {
                on_behalf.add(task.key(), &Value::Task(TaskState::Done), because);
            }
        }
    }

    /// Fields that a fact gives: name and value, to be filled while they hold their placeholder, or what Wardroom wrote.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(id) = self.linked.as_ref().filter(|_| self.unreadable.is_none()) {
            facts.extend(GHSA_FIELDS.map(|name| (name, id.to_string())));
        }
        facts.extend(self.released_at.map(|at| (RELEASE_TIME, utc(at))));
        let Some(advisory) = self.advisory else { return facts };
        facts.extend(advisory.cve().map(|cve| (CVE, cve.to_string())));
        // What a private report says of versions is its reporter's guess, and an advisory may hold anything as a range:
        // only a draft or a published one gives a fact, and only one that can be read.
        if matches!(advisory.state, AdvisoryState::Draft | AdvisoryState::Published) {
            let affected = drift::from_advisory(&[Part::Affected], &self.rows, &self.checklist);
            facts.extend(affected.into_iter().filter(|(_, range)| version::check_range(range).is_ok()));
        }
        facts
    }

    /// A line for each task that a person ticked and a fact contradicts. The tick stays.
    pub fn not_confirmed(&self, checklist: &Checklist, memory: &Memory, mine: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for evidence in &self.evidence {
            let Verdict::Denied(why) = &evidence.verdict else { continue };
            let Some(task) = checklist.anchored(evidence.task) else { continue };
            let by_us = memory.items.get(task.key()).and_then(|last| last.by.as_deref()) == Some(mine);
            if task.state == TaskState::Done && !by_us {
                lines.push(format!("{} is ticked and not confirmed: {why}.", task_name(task)));
            }
        }
        lines
    }

    /// Lines that ask for a person, the loudest first.
    pub fn warnings(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.apart.iter().map(Apart::words).collect();
        if let Some(why) = self.unreadable {
            lines.push(format!("The advisory cannot be read: {why}"));
        }
        if let Some(why) = self.releases_unreadable {
            lines.push(format!("Whether the fixed versions are released cannot be told: {why}"));
        }
        if let Some(path) = self.missing_template {
            lines.push(format!(
                "The policy’s `advisory_template` is {}, and there is no such file on the tracker’s default branch: the \
                 built-in text is used.",
                fence::code_span(path, 200)
            ));
        }
        lines
    }

    /// The section of the status comment.
    pub fn section(&self, policy: &Policy, memory: &Memory, checklist: &Checklist) -> String {
        let mut text = "\n### The advisory\n\n".to_owned();
        match (&self.linked, self.advisory) {
            (Some(id), Some(advisory)) => {
                let _ = writeln!(text, "{} in `{}`: {}.", link(id, advisory), self.repository, state(advisory, policy));
            }
            (Some(id), None) => {
                let _ = writeln!(text, "`{id}` in `{}`.", self.repository);
            }
            (None, _) if policy.draft == DraftWhen::AtMitigation && !drafting::was_tried(memory) => text.push_str(
                "None is linked yet. One is drafted from the fields when phase 2 begins; `/wardroom draft` makes it now, and \
                 `/wardroom link GHSA-…` names one that there is.\n",
            ),
            (None, _) => text.push_str(
                "None is linked. `/wardroom draft` makes one from the fields; `/wardroom link GHSA-…` names one that \
                 there is.\n",
            ),
        }
        let waits = self.state() == Some(AdvisoryState::Triage);
        if let Some(id) = self.linked.as_ref().filter(|_| waits) {
            let _ = writeln!(
                text,
                "\nAn admin of `{}` decides: `/wardroom accept {id}` makes it a draft, `/wardroom reject {id} REASON` closes it.",
                self.repository
            );
        }
        // The score of a report is its reporter's guess.
        if !waits && (self.linked.is_some() || self.cve != Decision::NoScore) {
            // GitHub takes the question for these states only.
            let open = |advisory: &&Advisory| matches!(advisory.state, AdvisoryState::Draft | AdvisoryState::Published);
            let id = self.linked.as_ref().filter(|_| self.advisory.as_ref().is_some_and(open));
            let _ = writeln!(text, "\n{}", self.cve.words(policy, self.asked, id));
        }
        let proposals =
            self.advisory.filter(|_| waits).map_or_else(Vec::new, |report| show::proposals(report, checklist));
        if !proposals.is_empty() {
            text.push_str(
                "\nIts reporter proposes this. Reporters often guess, so no field takes it over by itself: write there what is \
                 right, or say `/wardroom sync from-advisory FIELD`.\n\n",
            );
            text.push_str(&show::table_of(&proposals));
        }
        // What a report does not say yet is no difference.
        let differs = |row: &&Row| !waits || (row.issue.is_some() && row.advisory.is_some());
        let rows: Vec<&Row> = self.rows.iter().filter(differs).collect();
        if !rows.is_empty() {
            text.push_str(
                "\nThe fields and the advisory differ. Nothing is overwritten by itself: change the one that is wrong, or \
                 say `/wardroom sync to-advisory FIELD` or `/wardroom sync from-advisory FIELD`.\n\n",
            );
            text.push_str(&drift::table(&rows, |row| last_change(row, memory, checklist, policy)));
        }
        let credits = self.advisory.map(show::credits).unwrap_or_default();
        if !credits.is_empty() {
            let _ = writeln!(text, "\nThanked, once they accept: {}.", credits.join("; "));
        }
        self.lint(&mut text);
        self.how_to_publish(policy, &mut text);
        // Before there is a draft, the fields that are empty are listed anyway.
        if self.linked.is_some() && self.state().is_none_or(|state| state == AdvisoryState::Draft) {
            let questions: Vec<&str> = self.draft.questions.iter().map(|question| question.text.as_str()).collect();
            if !questions.is_empty() {
                text.push_str("\nStill missing for it:\n\n");
                questions.iter().for_each(|question| {
                    let _ = writeln!(text, "- {question}");
                });
            }
        }
        text
    }

    fn state(&self) -> Option<AdvisoryState> {
        self.advisory.map(|advisory| advisory.state)
    }

    fn how_to_publish(&self, policy: &Policy, text: &mut String) {
        let draft = self.advisory.filter(|advisory| advisory.state == AdvisoryState::Draft);
        let Some(id) = draft.and_then(Advisory::id) else { return };
        let how = match (policy.publish, policy.publish_needs_two) {
            (Publishing::Handoff, _) => "An admin publishes it on its page".to_owned(),
            (Publishing::Allowed, false) => format!("`/wardroom publish {id}` makes it public"),
            (Publishing::Allowed, true) => {
                format!("`/wardroom publish {id}`, and `/wardroom approve {id}` by a second person, make it public")
            }
        };
        let _ = writeln!(text, "\n{how}. {FORK}");
    }

    fn lint(&self, text: &mut String) {
        let open = self.advisory.is_some_and(|advisory| advisory.state == AdvisoryState::Draft);
        if !open || self.findings.is_empty() {
            return;
        }
        text.push_str("\nBefore it is published:\n\n");
        for finding in self.findings.iter().take(MOST_FINDINGS) {
            let mark = if finding.weight == Weight::Stops { "" } else { "(a thought) " };
            let _ = writeln!(text, "- {mark}{}", finding.text);
        }
        let more = self.findings.len().saturating_sub(MOST_FINDINGS);
        if more > 0 {
            let _ = writeln!(text, "- and {more} more");
        }
    }
}

fn all_out_at(releases: &[VersionRelease]) -> Option<Timestamp> {
    let moments: Option<Vec<Timestamp>> = releases.iter().map(VersionRelease::out_at).collect();
    moments?.into_iter().max()
}

fn link(id: &Ghsa, advisory: &Advisory) -> String {
    plain_link(&advisory.html_url).map_or_else(|| format!("`{id}`"), |address| format!("[{id}]({address})"))
}

fn state(advisory: &Advisory, policy: &Policy) -> String {
    let at = |moment: Option<Timestamp>| moment.map_or_else(String::new, |at| format!(" on {}", time(at, policy)));
    match advisory.state {
        AdvisoryState::Draft => "a draft".to_owned(),
        AdvisoryState::Triage => "a private report that nobody accepted yet".to_owned(),
        AdvisoryState::Published => format!("published{}", at(advisory.published_at)),
        AdvisoryState::Closed => format!("closed{}", at(advisory.closed_at)),
        AdvisoryState::Withdrawn => "withdrawn".to_owned(),
        AdvisoryState::Other => fence::plain(advisory.state.word()),
    }
}

/// Who changed a field last, as the record knows it.
fn last_change(row: &Row, memory: &Memory, checklist: &Checklist, policy: &Policy) -> Option<String> {
    let field = checklist.field(row.part.field())?;
    let last = memory.items.get(field.key())?;
    let who = fence::login(last.by.as_deref()?);
    Some(last.at.map_or_else(|| who.clone(), |at| format!("{who}, {}", time(at, policy))))
}

/// Most fixed versions whose releases are looked at: a reporter's own words must not cost a call each without end.
const MOST_RELEASES: usize = 20;

/// What must still be read about the advisory.
pub fn needs(observed: &Observed, policy: &Policy, decisions: &Decisions<'_>, needs: &mut Needs) {
    let checklist = observed.read(observed.issue.text());
    let found = Findings::of(&checklist, decisions, &BTreeSet::new());
    // A template that cannot be rendered is said by the plan.
    let Ok((known, draft)) = draft_of(observed, policy, &checklist, &found) else { return };
    match linked(observed, decisions, &checklist, &NewAdvisory::of(&draft.wanted)) {
        Some(id) if observed.advisory == AdvisorySight::NotRead => needs.advisory = Some(id),
        Some(_) => {}
        None => {
            let made = decisions.drafted.is_some() || decisions.drafting.is_some();
            needs.drafts = made && observed.drafts.is_none();
        }
    }
    if observed.releases == ReleaseSight::NotRead && needs.advisory.is_none() && policy.advisories.repository.is_some()
    {
        let advisory = match &observed.advisory {
            AdvisorySight::Seen(advisory) => Some(&**advisory),
            AdvisorySight::NotRead | AdvisorySight::Unreadable(_) => None,
        };
        needs.releases = VersionRelease::to_look_for(&fixed_in(&known, advisory), policy);
    }
}

/// The fixed versions: those of the field, and those that the advisory tells people to install.
fn fixed_in(known: &Known, advisory: Option<&Advisory>) -> Vec<Version> {
    let mut all = known.patched.clone();
    let told = advisory.filter(|advisory| matches!(advisory.state, AdvisoryState::Draft | AdvisoryState::Published));
    let texts = told.into_iter().flat_map(|advisory| &advisory.vulnerabilities);
    let texts = texts.filter_map(|one| one.patched_versions.as_deref());
    for version in texts.filter_map(|text| version::versions(text).ok()).flatten() {
        if !all.contains(&version) && all.len() < MOST_RELEASES {
            all.push(version);
        }
    }
    all
}
