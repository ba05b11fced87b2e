//! Acts that GitHub cannot take back. Each needs an [`Approval`], and only the checks below make one.
//!
//! What is checked, each for itself: the command was never edited (whoever may write can edit another's words), its
//! author is a person and may do this now, it names the advisory's id, it is fresh, and where the policy asks for two
//! people a second one who may do it said so too.

use jiff::{SignedDuration, Timestamp};

use super::ids::Ghsa;
use crate::domain::facts::{Account, Role};
use crate::domain::policy::{Policy, Publishing};
use crate::domain::texts::utc;

/// A command for such an act is honoured for so long from when it was written, by GitHub's own clock.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_mins(30);

/// An act that GitHub cannot take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A private report becomes a draft.
    Accept,
    /// A private report or a draft is closed.
    Reject,
    /// GitHub is asked for a CVE ID.
    RequestCve,
    /// The advisory becomes public, and its private fork is deleted.
    Publish,
}

impl Act {
    /// The command's word.
    pub fn command(self) -> &'static str {
        match self {
            Act::Accept => "accept",
            Act::Reject => "reject",
            Act::RequestCve => "cve request",
            Act::Publish => "publish",
        }
    }
}

/// A command as it was found.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The comment's id.
    pub comment: u64,
    /// Its author.
    pub by: &'a Account,
    /// The author's role on the advisory's repository, read now.
    pub role: Role,
    /// Whether the comment was never edited, as far as can be known; "not known" is `false`.
    pub unedited: bool,
    /// When it was written, by GitHub's clock.
    pub said_at: Timestamp,
    /// The id that it names.
    pub ghsa: &'a Ghsa,
}

/// That an act was rightly ordered. Only [`Approval::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    act: Act,
    ghsa: Ghsa,
    by: Vec<String>,
    comments: Vec<u64>,
}

/// Why an act is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Someone edited the comment.
    #[error("this comment was edited, so nobody can know whose words they are; say it again in a new comment")]
    Edited,
    /// This server cannot tell whether someone edited it.
    #[error(
        "this server does not tell for sure whether a comment was edited, so nobody can know whose words they are; a person has to do it on the advisory’s page"
    )]
    CannotTellEdits,
    /// GitHub's own time is not known.
    #[error(
        "this server does not tell what time it is, so nobody can know how old this is; a person has to do it on the advisory’s page"
    )]
    NoClock,
    /// A bot wrote it.
    #[error("a bot cannot order this; a person has to")]
    Bot,
    /// The role is not enough.
    #[error("this asks for the role {0} on the advisory’s repository")]
    NotAllowed(String),
    /// It is about another advisory.
    #[error("this incident’s advisory is {linked}; repeat that id, so that it is clear what happens to what")]
    OtherAdvisory {
        /// The advisory that is linked.
        linked: Ghsa,
    },
    /// It is too old.
    #[error("too old: said {}, and it is honoured for {} minutes; say it again", utc(*.0), FRESH_FOR.as_mins())]
    TooOld(Timestamp),
    /// The policy leaves publishing to people.
    #[error("the policy says `publish: handoff`: a person publishes, on the advisory’s page")]
    Handoff,
    /// Another person has to agree.
    #[error("a second person who may publish has to say `/wardroom approve {ghsa}` before {}", utc(*until))]
    NeedsSecond {
        /// The advisory.
        ghsa: Ghsa,
        /// When the first command is no longer fresh.
        until: Timestamp,
    },
    /// The first one agreed with themselves.
    #[error("the second person cannot be the first")]
    SamePerson,
    /// What the second one said does not count.
    #[error("the approval does not count: {0}")]
    Second(Box<Refusal>),
}

impl Approval {
    /// Checks an order, and for publishing where the policy asks for it the second person's `approve`. `linked` is the
    /// advisory of the incident, `now` is GitHub's time.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(
        act: Act,
        order: &Order<'_>,
        second: Option<&Order<'_>>,
        linked: &Ghsa,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Approval, Refusal> {
        good(order, act.command(), linked, policy, now)?;
        let mut approval =
            Approval { act, ghsa: linked.clone(), by: vec![order.by.login.clone()], comments: vec![order.comment] };
        if act != Act::Publish {
            return Ok(approval);
        }
        if policy.publish == Publishing::Handoff {
            return Err(Refusal::Handoff);
        }
        if !policy.publish_needs_two {
            return Ok(approval);
        }
        let Some(second) = second else {
            return Err(Refusal::NeedsSecond { ghsa: linked.clone(), until: order.said_at + FRESH_FOR });
        };
        if second.by.id == order.by.id {
            return Err(Refusal::SamePerson);
        }
        good(second, "approve", linked, policy, now).map_err(|refusal| Refusal::Second(Box::new(refusal)))?;
        approval.by.push(second.by.login.clone());
        approval.comments.push(second.comment);
        Ok(approval)
    }

    /// What may be done.
    pub fn act(&self) -> Act {
        self.act
    }

    /// To which advisory.
    pub fn ghsa(&self) -> &Ghsa {
        &self.ghsa
    }

    /// Who ordered it: one login, or two.
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// The comments that ordered it.
    pub fn comments(&self) -> &[u64] {
        &self.comments
    }
}

fn good(order: &Order<'_>, command: &str, linked: &Ghsa, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
    if !order.unedited {
        return Err(Refusal::Edited);
    }
    if order.by.kind != "User" {
        return Err(Refusal::Bot);
    }
    let rule = policy.required_role(command);
    if !rule.allows(&order.by.login, order.role) {
        let only = if rule.logins.is_some() { ", and to be named in the policy" } else { "" };
        return Err(Refusal::NotAllowed(format!("{:?}{only}", rule.at_least).to_lowercase()));
    }
    if order.ghsa != linked {
        return Err(Refusal::OtherAdvisory { linked: linked.clone() });
    }
    if now.duration_since(order.said_at) > FRESH_FOR {
        return Err(Refusal::TooOld(order.said_at));
    }
    Ok(())
}
