//! Words that a person or a secret alone has, put into everything that goes in and searched for in everything that comes
//! out of a server: its log, what it prints, its metrics and its answers.

use wardroom::domain::facts::{RepoName, Role};
use wardroom::sim::World;

/// Who reports.
pub(crate) const LOGIN: &str = "canary-login";
pub(crate) const TITLE: &str = "canary-title: it crashes";
pub(crate) const BODY: &str = "canary-body: on every letter.\n\nCanaria Nomen <canaria@post.example>";
/// What people write into the incident.
pub(crate) const REASON: &str = "canary-reason";
pub(crate) const CAUSE: &str = "canary-cause";
/// What a webhook is signed with.
pub(crate) const SECRET: &str = "canary-webhook-secret";

/// Lets the reporter into the tracker.
pub(crate) fn introduce(world: &World, tracker: &RepoName) {
    world.add_user(LOGIN);
    world.collaborator(tracker, LOGIN, Role::Read);
}

/// A report full of canaries, and its label. Returns the report's number.
pub(crate) fn report(world: &World, tracker: &RepoName) -> u64 {
    let number = world.person(LOGIN).open_issue(tracker, TITLE, BODY, &[]).unwrap();
    world.person("alice").label(tracker, number, "security-report").unwrap();
    number
}

/// What must not be found, with what it is.
pub(crate) struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// Those that people write, and every secret of this environment, line by line.
    pub(crate) fn of(env: &[(String, String)]) -> Canaries {
        let people = [
            ("the reporter's login", LOGIN),
            ("a title", "canary-title"),
            ("a body", "canary-body"),
            ("a name", "Canaria Nomen"),
            ("a mail address", "canaria@post.example"),
            ("a comment", REASON),
            ("a field", CAUSE),
        ];
        let minted =
            [("an installation's token", "ghs_"), ("an App's JWT", "eyJ"), ("a private key", "PRIVATE KEY-----")];
        let mut all: Vec<(String, String)> =
            people.iter().chain(&minted).map(|(what, word)| ((*what).to_owned(), (*word).to_owned())).collect();
        let is_secret = |name: &str| ["SECRET", "TOKEN", "KEY"].iter().any(|word| name.contains(word));
        for (name, value) in env.iter().filter(|(name, _)| is_secret(name)) {
            // A key in PEM form is one secret, and each of its lines tells a part.
            let lines = value.lines().map(str::trim).filter(|line| line.len() > 7);
            all.extend(lines.map(|line| (name.clone(), line.to_owned())));
        }
        Canaries(all)
    }

    /// What of it stands in a text, each with its line.
    pub(crate) fn found(&self, text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let seen = self.0.iter().filter(|(_, word)| lower.contains(&word.to_lowercase()));
        let told = seen.map(|(what, word)| {
            let line = lower.lines().find(|line| line.contains(&word.to_lowercase())).unwrap_or_default();
            format!("{what}: {line}")
        });
        told.collect()
    }

    /// The words, for a test that plants each.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, word)| word.as_str())
    }
}

/// Fails where one is found.
pub(crate) fn none_in(env: &[(String, String)], what: &str, text: &str) {
    assert_eq!(Canaries::of(env).found(text), Vec::<String>::new(), "{what} tells what is private");
}
