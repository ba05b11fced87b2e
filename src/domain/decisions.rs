//! The fold of command comments into decisions.
//!
//! A command counts if the comment was never edited and its author's live role allowed it when it was first seen. The
//! mark of that answer is a reaction which only Wardroom's own account can leave, so it survives the loss of every
//! store and cannot be forged by anyone with write access.

use super::advisory::approval::FRESH_FOR;
use super::advisory::{Cve, Ghsa};
use super::command::{self, Close, Command, CommandError};
use super::cvss::Severity;
use super::drafting;
use super::facts::{Account, Comment, Reaction, Role};
use super::memory::{Answer, Memory};
use super::observed::{Missing, Needs, Observed};
use super::policy::{Place, Policy};

/// A comment that is a command, and what is to be thought of it.
#[derive(Clone, Debug)]
pub struct Ruling<'a> {
    /// The comment.
    pub comment: &'a Comment,
    /// Its author.
    pub author: &'a Account,
    /// The command, if it could be read.
    pub command: Result<Command, CommandError>,
    /// Whether it counts.
    pub verdict: Verdict,
}

/// Whether a command counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts and was answered before.
    Counted,
    /// It is new and its author may.
    New,
    /// It was refused before, or answered with words.
    Settled,
    /// It counts, was answered with words, and still waits for a second person.
    Waiting,
    /// It cannot be read.
    Unreadable,
    /// Its author may not.
    NotAllowed {
        /// The least role that may.
        need: Role,
        /// The author's role.
        has: Role,
        /// Whether the policy names logins, and the author is none of them.
        named: bool,
        /// Where the role is asked for.
        on: Place,
    },
    /// It was edited before it was answered.
    Edited,
    /// It counted, and was edited since: it counts no longer.
    EditedLater,
    /// This server cannot tell its author's role, so it counts for nothing: the status comment says so, once for all.
    Unjudged,
    /// Not enough is known yet.
    Unknown,
}

/// The decisions that hold now, each with the comment that made it.
#[derive(Clone, Debug, Default)]
pub struct Decisions<'a> {
    /// `pause` without a later `resume`.
    pub paused: Option<&'a Ruling<'a>>,
    /// `adopt`, by someone who may.
    pub adopted: Option<&'a Ruling<'a>>,
    /// The last `severity`.
    pub severity: Option<Severity>,
    /// Who gave it.
    pub severity_by: Option<&'a Account>,
    /// The last `cvss`.
    pub vector: Option<&'a str>,
    /// Who gave it.
    pub vector_by: Option<&'a Account>,
    /// The last `draft`.
    pub drafted: Option<&'a Ruling<'a>>,
    /// The policy asks for a draft by itself. The fold knows nothing of that: whoever folds says so.
    pub drafting: Option<drafting::Due>,
    /// What the last `link` names.
    pub linked: Option<&'a Ghsa>,
    /// What the last `cve set` says, and who said it.
    pub cve: Option<(&'a Cve, &'a Account)>,
}

/// All commands among the comments, oldest first. Those of bots, Wardroom among them, never count.
pub fn rulings<'a>(observed: &'a Observed, memory: &Memory, policy: &Policy) -> Vec<Ruling<'a>> {
    let commands = observed.comments.iter().filter_map(|comment| {
        let author = comment.user.as_ref()?;
        // Wardroom's own comments begin with a marker, so they hold no command even where it uses a person's token.
        if author.kind == "Bot" {
            return None;
        }
        let command = command::parse(comment.text())?;
        let verdict = judge(observed, memory, policy, comment, author, &command);
        Some(Ruling { comment, author, command, verdict })
    });
    commands.collect()
}

fn judge(
    observed: &Observed,
    memory: &Memory,
    policy: &Policy,
    comment: &Comment,
    author: &Account,
    command: &Result<Command, CommandError>,
) -> Verdict {
    let facts = observed.facts.get(&comment.id);
    let no_graphql = observed.lacks(Missing::GraphQl);
    let (edited, marked) = match facts {
        Some(facts) => {
            let has = |reaction| facts.own_reactions.contains(&reaction);
            let answer = if has(Reaction::Rocket) {
                Some(Answer::Yes)
            } else if has(Reaction::Confused) {
                Some(Answer::No)
            } else {
                has(Reaction::Eyes).then_some(Answer::Words)
            };
            (facts.last_edited_at.is_some(), answer)
        }
        None if no_graphql => (comment.updated_at != comment.created_at, None),
        None => return Verdict::Unknown,
    };
    // The status comment remembers answers whose reaction is refused or cannot be read. It can be forged, so it spares a
    // second answer and gives nobody a right.
    let noted = memory.answered.get(&comment.id).copied();
    let mut waits = false;
    match (marked.or(noted), edited) {
        (Some(Answer::Yes), true) => return Verdict::EditedLater,
        (Some(Answer::Yes), false) if marked.is_some() => return Verdict::Counted,
        (Some(Answer::Words), false) if may_wait(observed, comment, command) => waits = true,
        (Some(Answer::No | Answer::Words), _) => return Verdict::Settled,
        (None, true) => return Verdict::Edited,
        (Some(Answer::Yes) | None, false) => {}
    }
    let Ok(command) = command else { return Verdict::Unreadable };
    // Where a server cannot tell roles, nobody's command counts: fail closed.
    let rule = policy.required_role(command.word());
    let has = match observed.roles.get(&(rule.on, author.id)) {
        Some(role) => *role,
        None if observed.lacks(Missing::Roles) => return Verdict::Unjudged,
        None => return Verdict::Unknown,
    };
    let named = rule.logins.is_some_and(|logins| !logins.iter().any(|name| name.eq_ignore_ascii_case(&author.login)));
    match (has < rule.at_least || named, noted) {
        (false, _) if waits => Verdict::Waiting,
        (true, _) if waits => Verdict::Settled,
        (false, None) => Verdict::New,
        (false, Some(_)) => Verdict::Counted,
        (true, None) => Verdict::NotAllowed { need: rule.at_least, has, named, on: rule.on },
        (true, Some(_)) => Verdict::Settled,
    }
}

/// Whether a `publish` that was answered with words may still be agreed to.
fn may_wait(observed: &Observed, comment: &Comment, command: &Result<Command, CommandError>) -> bool {
    let age = observed.server_time.zip(comment.created_at).map(|(now, said)| now.duration_since(said));
    matches!(command, Ok(Command::Publish { .. })) && age.is_some_and(|age| age <= FRESH_FOR)
}

/// What must still be read before every command can be judged.
pub fn needs(observed: &Observed, rulings: &[Ruling<'_>], policy: &Policy) -> Needs {
    let mut needs = Needs::default();
    for ruling in rulings.iter().filter(|ruling| ruling.verdict == Verdict::Unknown) {
        if !observed.facts.contains_key(&ruling.comment.id) && !observed.lacks(Missing::GraphQl) {
            needs.facts.push(ruling.comment.clone());
        } else if let Ok(command) = &ruling.command {
            let on = policy.required_role(command.word()).on;
            if !needs.roles.iter().any(|(place, known)| (*place, known.id) == (on, ruling.author.id)) {
                needs.roles.push((on, ruling.author.clone()));
            }
        }
    }
    for ruling in rulings {
        let looks = ruling.verdict == Verdict::New || (ruling.verdict == Verdict::Counted && observed.doubled);
        if let Ok(Command::Link(id)) = &ruling.command
            && looks
            && !observed.holders.contains_key(id)
        {
            needs.holders.push(id.clone());
        }
    }
    for ruling in rulings.iter().filter(|ruling| ruling.verdict == Verdict::New) {
        let other = match &ruling.command {
            Ok(Command::Merge { into }) => Some(*into),
            Ok(Command::Close(Close::Duplicate { of })) => Some(*of),
            _ => None,
        };
        needs.others.extend(other.filter(|number| !observed.others.contains_key(number)));
        needs.visibility |=
            matches!(ruling.command, Ok(Command::CveRequest(_))) && observed.advisories_public.is_none();
    }
    needs
}

impl<'a> Decisions<'a> {
    /// Folds the rulings that count, oldest first; a later one wins over an earlier one of its kind.
    pub fn fold(rulings: &'a [Ruling<'a>]) -> Decisions<'a> {
        let mut decisions = Decisions::default();
        for ruling in rulings {
            if !matches!(ruling.verdict, Verdict::Counted | Verdict::New) {
                continue;
            }
            match &ruling.command {
                Ok(Command::Pause) => decisions.paused = Some(ruling),
                Ok(Command::Resume) => decisions.paused = None,
                Ok(Command::Adopt) => decisions.adopted = decisions.adopted.or(Some(ruling)),
                Ok(Command::Severity(level)) => {
                    (decisions.severity, decisions.severity_by) = (Some(*level), Some(ruling.author));
                }
                Ok(Command::Cvss(vector)) => {
                    (decisions.vector, decisions.vector_by) = (Some(vector.as_str()), Some(ruling.author));
                }
                Ok(Command::Draft) => decisions.drafted = Some(ruling),
                Ok(Command::Link(id)) => decisions.linked = Some(id),
                Ok(Command::CveSet(id)) => decisions.cve = Some((id, ruling.author)),
                _ => {}
            }
        }
        decisions
    }
}
