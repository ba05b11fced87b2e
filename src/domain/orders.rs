//! From a command comment to an [`Approval`]: what is known of the comment, its author and the time is put together, and
//! [`Approval::check`] judges it. Every act that GitHub cannot take back goes through here.

use jiff::Timestamp;

use super::advisory::approval::{Act, Approval, Order, Refusal};
use super::advisory::cve::Asked;
use super::advisory::{Ghsa, Known};
use super::checklist::Checklist;
use super::command::{self, Command};
use super::decisions::{Ruling, Verdict};
use super::facts::{Reaction, Role};
use super::findings::Findings;
use super::memory::{Answer, Memory};
use super::observed::{Missing, Observed};
use super::plan::READ_LAG;
use super::policy::Policy;

/// What is to be thought of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It may be carried out.
    Approved(Approval),
    /// GitHub's replicas may not show yet that someone edited it: look again then.
    Wait(Timestamp),
    /// It is not carried out.
    Refused(Refusal),
}

/// The advisory that a command orders something about which GitHub cannot take back.
fn about(command: &Command) -> Option<&Ghsa> {
    match command {
        Command::Accept(id)
        | Command::Reject { ghsa: id, .. }
        | Command::CveRequest(id)
        | Command::Approve(id)
        | Command::Publish { ghsa: id, .. } => Some(id),
        _ => None,
    }
}

/// Whether a comment orders something that GitHub cannot take back.
pub fn is_order(comment: &str) -> bool {
    matches!(command::parse(comment), Some(Ok(command)) if about(&command).is_some())
}

/// Judges an order, and for publishing where the policy asks for it the second person's. `linked`: the incident's
/// advisory. `now`: our own clock, for how long replicas lag; how old an order is GitHub's own time tells.
pub fn check(
    act: Act,
    ruling: &Ruling<'_>,
    second: Option<&Ruling<'_>>,
    linked: &Ghsa,
    observed: &Observed,
    policy: &Policy,
    now: Timestamp,
) -> Ordered {
    let changed = [Some(ruling), second].into_iter().flatten().filter_map(|ruling| ruling.comment.updated_at).max();
    if let Some(until) = changed.and_then(|at| at.checked_add(READ_LAG).ok()).filter(|until| now < *until) {
        return Ordered::Wait(until);
    }
    let Some(time) = observed.server_time else { return Ordered::Refused(Refusal::NoClock) };
    let first = match order(ruling, observed, policy) {
        Ok(order) => order,
        Err(refusal) => return Ordered::Refused(refusal),
    };
    let second = match second.map(|ruling| order(ruling, observed, policy)).transpose() {
        Ok(second) => second,
        Err(refusal) => return Ordered::Refused(Refusal::Second(Box::new(refusal))),
    };
    match Approval::check(act, &first, second.as_ref(), linked, policy, time) {
        Ok(approval) => Ordered::Approved(approval),
        Err(refusal) => Ordered::Refused(refusal),
    }
}

/// What is known of an order. What cannot be known counts against it.
fn order<'a>(ruling: &'a Ruling<'_>, observed: &Observed, policy: &Policy) -> Result<Order<'a>, Refusal> {
    let (Ok(command), Some(said_at)) = (&ruling.command, ruling.comment.created_at) else {
        return Err(Refusal::Edited);
    };
    let ghsa = about(command).ok_or(Refusal::Edited)?;
    // Times alone do not show an edit within the second of the writing.
    if observed.lacks(Missing::GraphQl) {
        return Err(Refusal::CannotTellEdits);
    }
    if ruling.comment.performed_via_github_app.is_some() {
        return Err(Refusal::Bot);
    }
    let facts = observed.facts.get(&ruling.comment.id);
    let on = policy.required_role(command.word()).on;
    let role = observed.roles.get(&(on, ruling.author.id)).copied().unwrap_or(Role::None);
    let unedited = facts.is_some_and(|facts| facts.last_edited_at.is_none());
    Ok(Order { comment: ruling.comment.id, by: ruling.author, role, unedited, said_at, ghsa })
}

/// How a command was answered: by the mark that only Wardroom can leave, else as the status comment remembers it.
fn answered(observed: &Observed, memory: &Memory, comment: u64) -> Option<Answer> {
    let has = |reaction| observed.facts.get(&comment).is_some_and(|facts| facts.own_reactions.contains(&reaction));
    let marks = [(Reaction::Rocket, Answer::Yes), (Reaction::Eyes, Answer::Words), (Reaction::Confused, Answer::No)];
    let marked = marks.into_iter().find(|(reaction, _)| has(*reaction)).map(|(_, answer)| answer);
    marked.or_else(|| memory.answered.get(&comment).copied())
}

/// What is known of an earlier request for a CVE ID. The intent in the status comment tells, and so do the marks on the
/// commands, which nobody can take away. An edited one may have been another command when it was marked, so it tells
/// nothing. `besides`: a command that is about to be answered.
pub fn asked(observed: &Observed, memory: &Memory, rulings: &[Ruling<'_>], id: &Ghsa, besides: Option<u64>) -> Asked {
    let outcome = |comment: u64, at: Timestamp| match answered(observed, memory, comment) {
        Some(Answer::Yes) => Asked::At(at),
        Some(Answer::No) => Asked::Never,
        Some(Answer::Words) | None => Asked::Perhaps(at),
    };
    let noted = memory.cve.as_ref().filter(|intent| intent.ghsa == *id && Some(intent.comment) != besides);
    let noted = noted.map(|intent| outcome(intent.comment, intent.at)).filter(|asked| *asked != Asked::Never);
    let marked = rulings.iter().rev().filter(|ruling| Some(ruling.comment.id) != besides).find_map(|ruling| {
        let is_it = matches!(&ruling.command, Ok(Command::CveRequest(named)) if named == id);
        let facts = observed.facts.get(&ruling.comment.id);
        let is_it = is_it && facts.is_some_and(|facts| facts.last_edited_at.is_none());
        let answer = answered(observed, memory, ruling.comment.id).filter(|_| is_it)?;
        let at = ruling.comment.created_at.unwrap_or_default();
        (answer != Answer::No).then(|| outcome(ruling.comment.id, at))
    });
    noted.or(marked).unwrap_or(Asked::Never)
}

/// The newest `publish` of this advisory that `approve` can be about: of another person, said before, and still waiting.
pub fn publish_before<'a>(rulings: &'a [Ruling<'a>], approve: &Ruling<'_>, id: &Ghsa) -> Option<&'a Ruling<'a>> {
    let earlier = |ruling: &&Ruling<'_>| {
        let waits = matches!(ruling.verdict, Verdict::New | Verdict::Waiting);
        let same = matches!(&ruling.command, Ok(Command::Publish { ghsa, .. }) if ghsa == id);
        waits && same && ruling.comment.id < approve.comment.id
    };
    let by_another = |ruling: &&Ruling<'_>| ruling.author.id != approve.author.id;
    let all = || rulings.iter().rev().filter(earlier);
    all().find(by_another).or_else(|| all().next())
}

/// An order that is made to name the advisory in the fields of this body, whichever it names.
pub fn about_its_own(comment: &str, body: &str) -> String {
    let own = Known::of(&Checklist::parse(body), &Findings::default()).ghsa;
    match (command::parse(comment), own) {
        (Some(Ok(command)), Some(own)) => match about(&command) {
            Some(named) => comment.replacen(&named.to_string(), &own.to_string(), 1),
            None => comment.to_owned(),
        },
        _ => comment.to_owned(),
    }
}
