//! `accept` and `reject`: what becomes of a private report. Each goes through [`orders::check`], as publishing does.

use super::advisory::read;
use super::{Answers, Deed, Desk};
use crate::domain::advisory::approval::Act;
use crate::domain::advisory::{Advisory, AdvisoryState, Ghsa, page};
use crate::domain::decisions::Ruling;
use crate::domain::facts::RepoName;
use crate::domain::observed::Observed;
use crate::domain::orders::{self, Ordered};
use crate::domain::policy::Policy;
use crate::domain::texts::utc;

/// Accepts a report, or closes a report or a draft.
pub(super) fn decide(
    answers: &mut Answers,
    observed: &Observed,
    policy: &Policy,
    ruling: &Ruling<'_>,
    desk: &Desk<'_>,
    act: Act,
    id: &Ghsa,
) {
    let (disclosure, linked, advisory) = match read(desk) {
        Ok(read) => read,
        Err(why) => return answers.no(ruling, why),
    };
    if id == linked {
        match standing(act, ruling, advisory) {
            Standing::Open => {}
            // By this command, whose answer was lost, or by a person since it was said.
            Standing::Done => {
                answers.replies.push((ruling.comment.id, done(act, disclosure.repository, id)));
                return answers.yes(ruling);
            }
            Standing::Past(why) => return answers.no(ruling, format!("{why} Nothing was done.")),
        }
    }
    match orders::check(act, ruling, None, linked, observed, policy, desk.now) {
        Ordered::Approved(approval) => {
            let otherwise = by_hand(act, disclosure.repository, id);
            answers.act(Deed::Conclude { approval, otherwise });
        }
        Ordered::Wait(until) => answers.wait(until),
        Ordered::Refused(refusal) => {
            let what = if act == Act::Accept { "accepted" } else { "closed" };
            answers.no(ruling, format!("Nothing was {what}: {refusal}."));
        }
    }
}

/// Where an advisory stands as to a command.
enum Standing {
    /// It can be done.
    Open,
    /// It is done, since the command was said.
    Done,
    /// It was done before, or can never be; why, as a sentence.
    Past(String),
}

fn standing(act: Act, ruling: &Ruling<'_>, advisory: &Advisory) -> Standing {
    let id = &advisory.ghsa_id;
    let since =
        |at: Option<jiff::Timestamp>| at.zip(ruling.comment.created_at).is_some_and(|(changed, said)| changed >= said);
    match (act, advisory.state) {
        (_, AdvisoryState::Triage) | (Act::Reject, AdvisoryState::Draft) => Standing::Open,
        (Act::Accept, AdvisoryState::Draft) if advisory.submission.is_some() && since(advisory.updated_at) => {
            Standing::Done
        }
        (_, AdvisoryState::Draft) => Standing::Past(format!("`{id}` is a draft already.")),
        (Act::Reject, AdvisoryState::Closed) if since(advisory.closed_at.or(advisory.updated_at)) => Standing::Done,
        (_, AdvisoryState::Closed) => {
            let at = advisory.closed_at.map_or_else(String::new, |at| format!(" since {}", utc(at)));
            Standing::Past(format!("`{id}` is closed{at}."))
        }
        (_, AdvisoryState::Published) => Standing::Past(format!("`{id}` is public, and that cannot be taken back.")),
        (_, AdvisoryState::Withdrawn | AdvisoryState::Other) => {
            Standing::Past(format!("`{id}` is no report that waits (it is {}).", advisory.state.word()))
        }
    }
}

/// What is said once it is done.
fn done(act: Act, repository: &RepoName, id: &Ghsa) -> String {
    let page = page(repository, id);
    match act {
        Act::Accept => format!(
            "[`{id}`]({page}) was accepted: it is a draft now. Its reporter can see that; nobody else can. What the report says \
             is compared with the fields here from now on."
        ),
        _ => format!(
            "[`{id}`]({page}) was closed, and nothing was published. Its reporter sees that it was closed, and not why: tell \
             them there. This incident goes on; `/wardroom close invalid`, `duplicate #N` or `out-of-scope REASON` closes it \
             too, and drafts an answer to the reporter."
        ),
    }
}

fn by_hand(act: Act, repository: &RepoName, id: &Ghsa) -> String {
    let button = if act == Act::Accept { "Accept and open as draft" } else { "Close security advisory" };
    format!("An admin does it by hand: open <{}> and press “{button}”.", page(repository, id))
}

/// Words that are due once what was done can be seen.
pub(super) fn follow_up(answers: &mut Answers, ruling: &Ruling<'_>, desk: &Desk<'_>, act: Act, id: &Ghsa) {
    let Ok((disclosure, linked, advisory)) = read(desk) else { return };
    let seen = match act {
        Act::Accept => AdvisoryState::Draft,
        _ => AdvisoryState::Closed,
    };
    if linked == id && advisory.state == seen {
        answers.replies.push((ruling.comment.id, done(act, disclosure.repository, id)));
    }
}
