//! An incident with an advisory, and what people do and see there.

use wardroom::domain::checklist::{Checklist, TaskState};
use wardroom::domain::facts::{RepoName, Role};
use wardroom::domain::policy::{Advisories, Ecosystem, Package, Policy, Product, Publishing};

use super::room::{Room, repo};

/// A policy with a place for advisories.
pub(crate) fn policy() -> Policy {
    Policy {
        product: Product { name: "Ledger Mail".into(), ..Product::default() },
        advisories: Advisories {
            repository: Some(repo("octo/mail")),
            packages: vec![Package { ecosystem: Ecosystem::Other, name: "ledger-mail".into() }],
        },
        roster: vec!["alice".into()],
        ..Policy::default()
    }
}

/// The same, and Wardroom may publish.
pub(crate) fn may_publish() -> Policy {
    Policy { publish: Publishing::Allowed, ..policy() }
}

/// The repository of advisories.
pub(crate) fn mail() -> RepoName {
    repo("octo/mail")
}

/// An incident of a team with two admins: alice and carol.
pub(crate) struct Desk {
    pub(crate) room: Room,
    pub(crate) number: u64,
}

impl Desk {
    pub(crate) async fn with(room: Room) -> Desk {
        let mut room = room;
        room.world.add_user("carol");
        for name in ["octo/security", "octo/mail"] {
            room.world.collaborator(&repo(name), "carol", Role::Admin);
        }
        room.report("Crash", "It crashes.");
        room.settle().await;
        let number = room.incident();
        Desk { room, number }
    }

    /// With a draft from filled fields, linked.
    pub(crate) async fn drafted(policy: Policy) -> (Desk, String) {
        let mut desk = Desk::with(Room::with_policy(policy)).await;
        desk.fill().await;
        desk.say("bob", "/wardroom draft").await;
        let id = desk.only_advisory();
        (desk, id)
    }

    /// With a draft that nothing stands against, and its release out.
    pub(crate) async fn ready(policy: Policy) -> (Desk, String) {
        let (mut desk, id) = Desk::drafted(policy).await;
        desk.complete(&id).await;
        (desk, id)
    }

    /// Writes the text, and publishes the release.
    pub(crate) async fn complete(&mut self, id: &str) {
        let text = serde_json::json!({
            "summary": "Ledger Mail: a long header crashes the server",
            "description": "## Summary\n\nA long header crashes the server. Update to 1.4.3.\n",
        });
        self.room.as_("alice").edit_advisory(&mail(), id, &text).unwrap();
        self.room.as_("alice").publish_release(&mail(), "v1.4.3", &[]).unwrap();
        self.room.wait(60);
        self.room.heal().await;
    }

    pub(crate) async fn fill(&mut self) {
        let tracker = self.room.tracker.clone();
        for (name, value) in [
            ("CVSS vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
            ("Affects versions", "1.2.0 to 1.4.2"),
            ("Patch/hotfix version", "1.4.3"),
            ("Root cause", "The length of a header is not checked"),
            ("CWE", "CWE-120"),
            ("Credits", "@rita"),
        ] {
            self.room.as_("alice").set_field(&tracker, self.number, name, value).unwrap();
        }
        self.room.settle().await;
    }

    pub(crate) async fn say(&mut self, who: &str, text: &str) -> u64 {
        let tracker = self.room.tracker.clone();
        self.room.wait(2);
        let id = self.room.as_(who).comment(&tracker, self.number, text).unwrap();
        self.room.settle().await;
        id
    }

    pub(crate) async fn set(&mut self, who: &str, name: &str, value: &str) {
        let tracker = self.room.tracker.clone();
        self.room.wait(2);
        self.room.as_(who).set_field(&tracker, self.number, name, value).unwrap();
        self.room.settle().await;
    }

    pub(crate) fn field(&self, name: &str) -> String {
        Checklist::parse(&self.room.body(self.number)).field(name).unwrap().value.clone()
    }

    pub(crate) fn task(&self, task: &str) -> TaskState {
        Checklist::parse(&self.room.body(self.number)).find_task(task).unwrap().state
    }

    /// The advisory's part of the status comment.
    pub(crate) fn section(&self) -> String {
        let status = self.room.status(self.number);
        let part = status.split("### The advisory\n\n").nth(1).unwrap_or_else(|| panic!("{status}"));
        part.split("\n###").next().unwrap().split("\n<sub>").next().unwrap().trim_end().to_owned()
    }

    pub(crate) fn only_advisory(&self) -> String {
        let all = self.room.world.advisories_of(&mail());
        assert_eq!(all.len(), 1, "{all:?}\n{}", self.room.call_log(40));
        all[0].clone()
    }

    pub(crate) fn advisory(&self, id: &str) -> wardroom::domain::advisory::Advisory {
        self.room.world.advisory_now(&mail(), id).unwrap()
    }

    /// Wardroom's words to a command; empty where it has none.
    pub(crate) fn answer(&self, comment: u64) -> String {
        let head = format!("<!-- wardroom:reply {comment} -->\n");
        let said = self.room.said(&self.room.tracker, self.number);
        let found = said.iter().find_map(|text| text.strip_prefix(&head)).unwrap_or_default();
        found.trim_end().to_owned()
    }

    /// Wardroom's newest words.
    pub(crate) fn last_said(&self) -> String {
        let said = self.room.said(&self.room.tracker, self.number).pop().unwrap_or_default();
        said.split_once('\n').map_or_else(String::new, |(_, words)| words.trim_end().to_owned())
    }

    /// The marks on a comment.
    pub(crate) fn marks(&self, comment: u64) -> Vec<String> {
        let all = self.room.world.comments_of(&self.room.tracker, self.number);
        let found = all.into_iter().find(|said| said.id == comment).unwrap();
        found.reactions.into_iter().map(|(_, reaction)| reaction.to_owned()).collect()
    }

    /// Nothing is left to do, and a look writes nothing.
    pub(crate) async fn is_steady(&mut self) {
        self.room.wait(60);
        self.room.world.clear_calls();
        self.room.look(self.number).await;
        assert_eq!(self.room.writes(), [], "{}", self.room.status(self.number));
    }
}
