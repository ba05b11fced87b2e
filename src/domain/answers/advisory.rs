//! Commands that draft, link and fill in the advisory.

use super::{Answers, Deed, Desk, Join, set_field};
use crate::domain::advisory::drift::{self, Part, Row};
use crate::domain::advisory::request::AdvisoryPatch;
use crate::domain::advisory::{Advisory, AdvisoryState, Cve, Ghsa};
use crate::domain::command::Side;
use crate::domain::decisions::Ruling;
use crate::domain::disclosure::Disclosure;
use crate::domain::fence;
use crate::domain::findings::{self, CVE, GHSA_FIELDS};
use crate::domain::observed::Observed;
use crate::domain::texts;

/// What a command on the advisory is answered where there is no place for one.
pub(super) fn no_advisories(desk: &Desk<'_>) -> String {
    match desk.disclosure {
        Err(error) => {
            format!("The advisory’s template cannot be used: {}. Nothing was done.", fence::plain(&error.to_string()))
        }
        Ok(_) => "The policy names no repository for advisories, so there is no place for one. Nothing was done. Set \
                  `advisories.repository` in `.github/wardroom.yml`."
            .to_owned(),
    }
}

/// The incident's advisory as it was read, or why there is none, in words.
pub(super) fn read<'a>(desk: &Desk<'a>) -> Result<(&'a Disclosure<'a>, &'a Ghsa, &'a Advisory), String> {
    let Ok(Some(disclosure)) = desk.disclosure else { return Err(no_advisories(desk)) };
    match (&disclosure.linked, disclosure.advisory) {
        (Some(id), Some(advisory)) => Ok((disclosure, id, advisory)),
        (Some(id), None) => {
            let why = disclosure.unreadable.unwrap_or("it was not read");
            Err(format!("Nothing was done, because `{id}` cannot be read: {why}"))
        }
        (None, _) => Err("No advisory is linked to this incident, so nothing was done. `/wardroom draft` makes one, \
                          `/wardroom link GHSA-…` names one that there is."
            .to_owned()),
    }
}

pub(super) fn draft(answers: &mut Answers, observed: &Observed, ruling: &Ruling<'_>, desk: &Desk<'_>) {
    let Ok(Some(advisory)) = desk.disclosure else {
        answers.no(ruling, no_advisories(desk));
        return;
    };
    match &advisory.linked {
        // Made before, and the answer was lost: the list of drafts shows it.
        Some(_) if observed.drafts.is_some() => answers.yes(ruling),
        Some(id) => answers.no(
            ruling,
            format!("This incident has its advisory already: `{id}`. Nothing was done. Another one is named with `/wardroom link`."),
        ),
        None => {
            let (advisory, paste) = advisory.to_make();
            answers.act(Deed::Draft { to: Some(ruling.comment.id), advisory: Box::new(advisory), paste });
        }
    }
}

pub(super) fn link(answers: &mut Answers, observed: &Observed, ruling: &Ruling<'_>, desk: &Desk<'_>, id: &Ghsa) {
    let Ok(Some(advisory)) = desk.disclosure else {
        answers.no(ruling, no_advisories(desk));
        return;
    };
    match (&advisory.linked, advisory.unreadable) {
        (Some(there), _) if there != id => answers.no(
            ruling,
            format!(
                "This incident names `{there}` already. Nothing was changed. If `{id}` is right, write it into the fields \
                 **{}** and **{}**.",
                GHSA_FIELDS[0], GHSA_FIELDS[1]
            ),
        ),
        (_, Some(why)) => answers.no(ruling, format!("`{id}` was not linked: {why}")),
        _ => {
            join(answers, observed, ruling, desk, id);
            answers.yes(ruling);
        }
    }
}

/// A report that came in twice, as an issue and in private, has two incidents: `link` makes one of them. The other is
/// closed, and nothing of it is lost.
pub(super) fn join(answers: &mut Answers, observed: &Observed, ruling: &Ruling<'_>, desk: &Desk<'_>, id: &Ghsa) {
    let names_it = matches!(desk.disclosure, Ok(Some(advisory)) if advisory.linked.as_ref() == Some(id));
    let other = observed.holders.get(id).copied().flatten();
    if let Some(number) = other.filter(|_| names_it && observed.issue.is_open() && !desk.paused) {
        let by = &ruling.author.login;
        answers.elsewhere.push((number, texts::joined(observed.issue.number, by)));
        answers.replies.push((
            ruling.comment.id,
            format!("`{id}` had an incident of its own, #{number}: it is closed as a duplicate. Work goes on here."),
        ));
        answers.join = Some(Join { number, report: id.clone() });
    }
}

/// Settles lines of the table of differences in one direction. What the other side does not say is left alone: an empty
/// field, or an empty advisory, is no order to delete.
pub(super) fn sync(answers: &mut Answers, ruling: &Ruling<'_>, desk: &Desk<'_>, from: Side, parts: &[Part]) {
    let (disclosure, id, advisory) = match read(desk) {
        Ok(read) => read,
        Err(why) => return answers.no(ruling, why),
    };
    let chosen: Vec<&Row> = disclosure.chosen(parts).collect();
    // Agreed already, or the answer was lost.
    if chosen.is_empty() {
        return answers.yes(ruling);
    }
    let named: Vec<Part> = chosen.iter().map(|row| row.part).collect();
    let is_left = |row: &&&Row| match from {
        Side::Issue => row.issue.is_none(),
        Side::Advisory => !disclosure.values(parts).iter().any(|(field, _)| *field == row.part.field()),
    };
    let left: Vec<String> = chosen.iter().filter(is_left).map(|row| format!("**{}**", row.part.field())).collect();
    let (one, other) = match from {
        Side::Issue => ("The fields say", "the advisory"),
        Side::Advisory => ("The advisory says", "a field"),
    };
    let about_left = format!(
        "{one} nothing about {} that {other} could take over, so nothing was changed there: what is empty is no order to \
         delete. Change it by hand.",
        left.join(", ")
    );
    if left.len() == chosen.len() {
        return answers.no(ruling, about_left);
    }
    if from == Side::Advisory {
        if !left.is_empty() {
            answers.replies.push((ruling.comment.id, about_left));
        }
        return answers.yes(ruling);
    }
    if !can_change(advisory) {
        return answers.no(
            ruling,
            format!("`{id}` is {}, and nobody changes it any more. Nothing was done.", advisory.state.word()),
        );
    }
    let patch = drift::to_advisory(&named, &disclosure.draft.wanted, advisory);
    if patch.is_empty() {
        return answers.no(ruling, about_left);
    }
    answers.act(Deed::Edit {
        to: ruling.comment.id,
        id: id.clone(),
        seen: advisory.updated_at,
        patch: Box::new(patch),
        marks: true,
    });
}

/// A CVE ID that came from elsewhere: into the empty field, and into the advisory where that has none.
pub(super) fn set_cve(answers: &mut Answers, ruling: &Ruling<'_>, desk: &Desk<'_>, cve: &Cve) {
    let read = read(desk).ok();
    let there = read.and_then(|(_, id, advisory)| Some((id, advisory.cve()?)));
    if let Some((id, there)) = there.filter(|(_, there)| there != cve) {
        return answers.no(
            ruling,
            format!(
                "`{id}` has the CVE ID `{there}` already. Nothing was changed. If `{cve}` is right, an admin corrects it on \
                 the advisory’s page, and the field follows."
            ),
        );
    }
    let same = |value: &str| findings::identifier(value).parse::<Cve>().is_ok_and(|said| said == *cve);
    set_field(answers, ruling, desk, CVE, &cve.to_string(), same);
    let Some((_, id, advisory)) = read.filter(|_| answers.accepted(ruling.comment.id)) else { return };
    if advisory.cve().is_none() && can_change(advisory) {
        answers.act(Deed::Edit {
            to: ruling.comment.id,
            id: id.clone(),
            seen: advisory.updated_at,
            patch: Box::new(AdvisoryPatch { cve_id: Some(Some(cve.clone())), ..AdvisoryPatch::default() }),
            marks: false,
        });
    }
}

fn can_change(advisory: &Advisory) -> bool {
    matches!(advisory.state, AdvisoryState::Triage | AdvisoryState::Draft | AdvisoryState::Published)
}
