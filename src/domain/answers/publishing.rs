//! Commands that order what GitHub cannot take back: to ask for a CVE ID, and to publish. Each goes through
//! [`orders::check`], and nothing else here makes an approval.

use std::fmt::Write as _;

use super::advisory::read;
use super::{Answers, Deed, Desk};
use crate::domain::advisory::approval::{Act, Approval, Refusal};
use crate::domain::advisory::cve::{self, NotNow};
use crate::domain::advisory::{Advisory, AdvisoryState, Ghsa, page, show};
use crate::domain::command::Command;
use crate::domain::decisions::{Ruling, Verdict};
use crate::domain::disclosure::Disclosure;
use crate::domain::facts::RepoName;
use crate::domain::fence;
use crate::domain::observed::{CveStep, Observed};
use crate::domain::orders::{self, Ordered};
use crate::domain::policy::{Policy, Publishing};
use crate::domain::texts::utc;

/// What is lost by publishing.
pub(in crate::domain) const FORK: &str = "Publishing deletes the advisory’s private fork with everything in it that is not merged \
                               (Wardroom cannot see it): save first what is still needed.";

/// Asks for a CVE ID. The intent is written down first, and an intent without an outcome goes to a person.
pub(super) fn request_cve(
    answers: &mut Answers,
    observed: &Observed,
    policy: &Policy,
    rulings: &[Ruling<'_>],
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    id: &Ghsa,
) {
    let (disclosure, linked, advisory) = match read(desk) {
        Ok(read) => read,
        Err(why) => return answers.no(ruling, why),
    };
    let here = ruling.comment.id;
    if let Some(intent) = desk.memory.cve.as_ref().filter(|intent| intent.comment == here) {
        let step = observed.cve_step.filter(|(comment, _)| *comment == here).map(|(_, step)| step);
        match step {
            Some(CveStep::Planned) => {}
            Some(CveStep::Taken) => return answers.yes(ruling),
            Some(CveStep::Sent) | None => {
                return answers.words(ruling, format!("About a CVE ID for `{id}`: {}.", NotNow::Perhaps(intent.at)));
            }
        }
    }
    let approval = match orders::check(Act::RequestCve, ruling, None, linked, observed, policy, desk.now) {
        Ordered::Approved(approval) => approval,
        Ordered::Wait(until) => return answers.wait(until),
        Ordered::Refused(refusal) => {
            return answers.no(ruling, format!("GitHub was not asked for a CVE ID: {refusal}."));
        }
    };
    let asked = orders::asked(observed, desk.memory, rulings, linked, Some(here));
    let public = observed.advisories_public.unwrap_or(true);
    match cve::may_ask(advisory, &disclosure.known, public, asked) {
        Ok(()) => answers.act(Deed::RequestCve { approval }),
        Err(why) => answers.no(ruling, format!("GitHub was not asked for a CVE ID: {why}.")),
    }
}

/// `publish`, and the second person's `approve`.
pub(super) fn publish(
    answers: &mut Answers,
    observed: &Observed,
    policy: &Policy,
    rulings: &[Ruling<'_>],
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    command: &Command,
) {
    let (disclosure, linked, advisory) = match read(desk) {
        Ok(read) => read,
        Err(why) => return answers.no(ruling, why),
    };
    let (id, despite) = match command {
        Command::Publish { ghsa, despite } => (ghsa, despite.as_deref()),
        Command::Approve(ghsa) => (ghsa, None),
        _ => return,
    };
    if advisory.state == AdvisoryState::Published && id == linked {
        // By this command, whose answer was lost, or by a person since.
        let since = advisory.published_at.zip(ruling.comment.created_at).is_some_and(|(at, said)| at >= said);
        let at = advisory.published_at.map_or_else(String::new, |at| format!(", {}", utc(at)));
        return match since {
            true => answers.yes(ruling),
            false => answers.no(ruling, format!("`{id}` is published already{at}. Nothing was done.")),
        };
    }
    let Command::Approve(_) = command else {
        return match orders::check(Act::Publish, ruling, None, linked, observed, policy, desk.now) {
            Ordered::Approved(approval) => act(answers, ruling, disclosure, advisory, approval, despite),
            Ordered::Wait(until) => answers.wait(until),
            Ordered::Refused(Refusal::Handoff) => answers.words(ruling, handoff(disclosure, linked, advisory)),
            Ordered::Refused(Refusal::NeedsSecond { until, .. }) => {
                let against = disclosure.against_publication(despite.is_some());
                let agreed = |other: &Ruling<'_>| {
                    other.verdict == Verdict::New
                        && matches!(&other.command, Ok(Command::Approve(named)) if named == id)
                };
                if !against.is_empty() {
                    answers.no(ruling, refused(id, &against));
                } else if rulings.iter().any(agreed) {
                    // The second person spoke already. If that does not count, this one is answered at the next look.
                    answers.wait(desk.now + crate::domain::plan::READ_LAG);
                } else {
                    answers.words(ruling, waiting(disclosure, id, despite, &utc(until)));
                }
            }
            Ordered::Refused(refusal) => answers.no(ruling, format!("Nothing was published: {refusal}.")),
        };
    };
    if policy.publish == Publishing::Handoff {
        return answers.no(ruling, format!("Nothing was published: {}.", Refusal::Handoff));
    }
    if !policy.publish_needs_two {
        let why = "The policy asks for no second person (`publish_needs_two: false`), so there is nothing to agree to. \
                   Nothing was done.";
        return answers.no(ruling, why.to_owned());
    }
    let Some(first) = orders::publish_before(rulings, ruling, id) else {
        return answers.no(
            ruling,
            format!(
                "Nobody’s `/wardroom publish {id}` of the last 30 minutes waits for a second person. Nothing was done. One \
                 person says that first; then another one agrees."
            ),
        );
    };
    match orders::check(Act::Publish, first, Some(ruling), linked, observed, policy, desk.now) {
        Ordered::Approved(approval) => {
            let despite = match &first.command {
                Ok(Command::Publish { despite, .. }) => despite.as_deref(),
                _ => None,
            };
            act(answers, ruling, disclosure, advisory, approval, despite);
        }
        Ordered::Wait(until) => answers.wait(until),
        Ordered::Refused(refusal) => answers.no(ruling, format!("Nothing was published: {refusal}.")),
    }
}

/// Publishes, if nothing stands against it.
fn act(
    answers: &mut Answers,
    ruling: &Ruling<'_>,
    disclosure: &Disclosure<'_>,
    advisory: &Advisory,
    approval: Approval,
    despite: Option<&str>,
) {
    let against = disclosure.against_publication(despite.is_some());
    if !against.is_empty() {
        return answers.no(ruling, refused(approval.ghsa(), &against));
    }
    let otherwise = by_hand(disclosure.repository, approval.ghsa(), advisory);
    answers.act(Deed::Conclude { approval, otherwise });
}

fn list(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "- {line}");
        text
    })
}

fn refused(id: &Ghsa, against: &[String]) -> String {
    format!(
        "`{id}` was not published. This stands against it:\n\n{}\nPut it right and say it again. What only the text or \
         its fields lack can be passed over with `/wardroom publish {id} --despite REASON`; a release that is missing \
         cannot.",
        list(against)
    )
}

fn waiting(disclosure: &Disclosure<'_>, id: &Ghsa, despite: Option<&str>, until: &str) -> String {
    let mut text = format!(
        "`{id}` waits for a second person. Nothing is published yet. Someone else who is an admin of `{}` has to say \
         `/wardroom approve {id}` before {until}; then it is published at once, and nobody can take that back.\n\n{FORK}",
        disclosure.repository
    );
    let passed_over = disclosure.passed_over();
    if let Some(reason) = despite.filter(|_| !passed_over.is_empty()) {
        let _ = write!(
            text,
            "\n\nIt will be published in spite of this, for the reason {}:\n\n{}",
            fence::code_span(reason, 200),
            list(&passed_over)
        );
    }
    text
}

fn handoff(disclosure: &Disclosure<'_>, id: &Ghsa, advisory: &Advisory) -> String {
    let against = disclosure.against_publication(false);
    let against = match against.as_slice() {
        [] => "Nothing that Wardroom can see stands against it.".to_owned(),
        lines => format!("This stands against it:\n\n{}", list(lines)),
    };
    format!(
        "The policy leaves publishing to people (`publish: handoff`), so nothing was published. {against}\n\n{}",
        by_hand(disclosure.repository, id, advisory)
    )
}

/// What a person does where Wardroom may not: the page, and the text as it stands.
fn by_hand(repository: &RepoName, id: &Ghsa, advisory: &Advisory) -> String {
    format!(
        "An admin publishes it by hand: open <{}>, read it once more, and press “Publish advisory”. {FORK}\n\n\
         <details><summary>The advisory as it stands</summary>\n\n{}\n</details>",
        page(repository, id),
        show::as_it_stands(advisory)
    )
}

/// Words that are due after an act, once what it did can be seen.
pub(super) fn follow_up(
    answers: &mut Answers,
    observed: &Observed,
    policy: &Policy,
    rulings: &[Ruling<'_>],
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    command: &Command,
) {
    match command {
        // Published meanwhile, by hand or by an answer that was lost.
        Command::Publish { ghsa, .. } if ruling.verdict == Verdict::Waiting => {
            let done = |(_, linked, advisory): &(_, &Ghsa, &Advisory)| {
                advisory.state == AdvisoryState::Published && *linked == ghsa
            };
            if read(desk).as_ref().is_ok_and(done) {
                answers.yes(ruling);
            }
        }
        _ if ruling.verdict != Verdict::Counted => {}
        Command::CveRequest(_) => {
            if let Some(intent) = desk.memory.cve.as_ref().filter(|intent| intent.comment == ruling.comment.id) {
                answers.replies.push((ruling.comment.id, cve::answer(202, "", intent.at)));
            }
        }
        // Where two are needed the answer goes to the second one: the first has been answered.
        Command::Publish { ghsa, .. } if !policy.publish_needs_two => {
            published(answers, observed, ruling, desk, ghsa, &[&ruling.author.login]);
        }
        Command::Approve(ghsa) => {
            let first = rulings.iter().rev().find(|other| {
                let same = matches!(&other.command, Ok(Command::Publish { ghsa: named, .. }) if named == ghsa);
                let stood = matches!(other.verdict, Verdict::Counted | Verdict::Waiting);
                same && stood && other.author.id != ruling.author.id
            });
            let mut by: Vec<&str> = first.map(|first| first.author.login.as_str()).into_iter().collect();
            by.push(&ruling.author.login);
            published(answers, observed, ruling, desk, ghsa, &by);
        }
        _ => {}
    }
}

fn published(
    answers: &mut Answers,
    observed: &Observed,
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    id: &Ghsa,
    ordered_by: &[&str],
) {
    let Ok((disclosure, linked, advisory)) = read(desk) else { return };
    if advisory.state != AdvisoryState::Published || linked != id {
        return;
    }
    let at = advisory.published_at.map_or_else(String::new, |at| format!(", {}", utc(at)));
    let by = match &advisory.publisher {
        Some(publisher) if !observed.is_mine(Some(publisher)) => format!("by {}", fence::login(&publisher.login)),
        _ => {
            let by: Vec<String> = ordered_by.iter().map(|login| fence::login(login)).collect();
            format!("on the word of {}", by.join(" and "))
        }
    };
    answers.replies.push((
        ruling.comment.id,
        format!("[`{id}`]({}) is public{at}, {by}. Everyone can read it now.", page(disclosure.repository, id)),
    ));
}
