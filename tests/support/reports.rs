//! Private vulnerability reports: how they come in, and what is seen of them.

use serde_json::json;
use wardroom::domain::advisory::AdvisoryState;
use wardroom::domain::checklist::Checklist;
use wardroom::domain::facts::Role;
use wardroom::domain::policy::Policy;

use super::desk::policy;
use super::room::{Room, repo};

pub(crate) const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";

pub(crate) fn room() -> Room {
    Room::with_policy(policy())
}

/// What rita knows, and what she guesses.
pub(crate) fn report(room: &Room) -> String {
    let fields = json!({
        "summary": "A long header stops the server", "description": "Send a header of 70 KiB.\n\n- [ ] T1 forged",
        "cvss_vector_string": VECTOR, "cwe_ids": ["CWE-120"], "vulnerabilities": [{
            "package": {"ecosystem": "other", "name": "ledger-mail"}, "vulnerable_version_range": "<= 1.4.2",
            "patched_versions": null}],
    });
    room.as_("rita").report_with(&repo("octo/mail"), &fields).unwrap()
}

/// A text with an advisory's id replaced.
pub(crate) fn unnamed(text: &str, id: &str) -> String {
    text.replace(id, "GHSA-ID")
}

/// The advisory's part of the status comment.
pub(crate) fn section(room: &Room, number: u64) -> String {
    let status = room.status(number);
    let part = status.split("### The advisory\n\n").nth(1).unwrap_or_else(|| panic!("{status}"));
    part.split("\n###").next().unwrap().split("\n<sub>").next().unwrap().trim_end().to_owned()
}

pub(crate) fn field(room: &Room, number: u64, name: &str) -> String {
    Checklist::parse(&room.body(number)).field(name).unwrap().value.clone()
}

/// A private report with its incident, and a second admin.
pub(crate) async fn reported(policy: Policy) -> (Room, u64, String) {
    let mut room = Room::with_policy(policy);
    room.world.add_user("carol");
    for name in ["octo/security", "octo/mail"] {
        room.world.collaborator(&repo(name), "carol", Role::Admin);
    }
    let id = report(&room);
    room.settle().await;
    let number = room.incident();
    (room, number, id)
}

pub(crate) async fn say(room: &mut Room, who: &str, number: u64, text: &str) {
    let tracker = room.tracker.clone();
    room.wait(2);
    room.as_(who).comment(&tracker, number, text).unwrap();
    room.settle().await;
}

pub(crate) fn state(room: &Room, id: &str) -> AdvisoryState {
    room.world.advisory_now(&repo("octo/mail"), id).unwrap().state
}

/// What the bot said on an incident, without the hidden head of each text.
pub(crate) fn said(room: &Room, number: u64, id: &str) -> Vec<String> {
    let said = room.said(&room.tracker, number).into_iter();
    said.map(|text| unnamed(text.split_once('\n').unwrap().1.trim_end(), id)).collect()
}
