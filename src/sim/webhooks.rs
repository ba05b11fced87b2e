//! The webhooks that happen here, with payloads like GitHub's own.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::json::object;
use super::world::{Delivery, State};
use crate::domain::facts::RepoName;

impl State {
    fn deliver(&mut self, event: &str, payload: Value) {
        // A count of its own: how many are sent does not move the ids of issues and comments.
        self.last_delivery += 1;
        let id = self.last_delivery;
        let guid = format!("{id:08x}-0000-4000-8000-{:012x}", id * 7919);
        self.deliveries.push_back(Delivery { guid, event: event.to_owned(), payload });
    }

    fn envelope(&self, repo: &RepoName, action: &str, sender: u64) -> serde_json::Map<String, Value> {
        let Some(repo) = self.repo(repo) else { return serde_json::Map::new() };
        let mut payload = object(json!({
            "action": action, "repository": self.repo_json(repo), "sender": self.user_json(Some(sender)),
        }));
        let app = self.apps.values().find(|app| app.repositories.contains(&repo.name));
        if let Some(app) = app {
            payload.insert("installation".into(), json!({ "id": app.installation, "node_id": "MDIz" }));
        }
        payload
    }

    /// An `issues` event. `more` holds what this action adds: `changes`, or the name of a label.
    pub(super) fn issue_event(&mut self, name: &RepoName, number: u64, action: &str, sender: u64, more: Value) {
        let Some((repo, issue)) = self.repo(name).zip(self.issue(name, number)) else { return };
        let mut payload = self.envelope(name, action, sender);
        payload.insert("issue".into(), self.issue_json(repo, issue));
        for (key, value) in object(more) {
            let value = match (key.as_str(), value.as_str()) {
                ("label", Some(label)) => {
                    let found = repo.labels.iter().find(|(_, known)| known.name == label);
                    found.map_or(Value::Null, |(id, label)| self.label_json(repo, *id, label))
                }
                _ => value,
            };
            payload.insert(key, value);
        }
        self.deliver("issues", Value::Object(payload));
    }

    pub(super) fn comment_event(
        &mut self,
        name: &RepoName,
        number: u64,
        id: u64,
        action: &str,
        sender: u64,
        more: Value,
    ) {
        let Some((repo, issue)) = self.repo(name).zip(self.issue(name, number)) else { return };
        let Some(comment) = issue.comments.iter().find(|comment| comment.id == id) else { return };
        let mut payload = self.envelope(name, action, sender);
        payload.insert("issue".into(), self.issue_json(repo, issue));
        payload.insert("comment".into(), self.comment_json(repo, number, comment));
        payload.extend(object(more));
        self.deliver("issue_comment", Value::Object(payload));
    }

    /// A `repository_advisory` event: `reported` or `published`, and no other.
    pub(super) fn advisory_event(&mut self, name: &RepoName, ghsa: &str, action: &str, sender: u64) {
        let Some((repo, row)) = self.repo(name).zip(self.advisory(name, ghsa)) else { return };
        let mut advisory = object(self.advisory_json(repo, row, false));
        advisory.insert("collaborating_teams".into(), Value::Null);
        let mut payload = self.envelope(name, action, sender);
        payload.insert("repository_advisory".into(), Value::Object(advisory));
        self.deliver("repository_advisory", Value::Object(payload));
    }

    pub(super) fn repository_event(&mut self, name: &RepoName, action: &str, sender: u64) {
        let payload = self.envelope(name, action, sender);
        self.deliver("repository", Value::Object(payload));
    }
}

/// The value of `X-Hub-Signature-256` for a body (GitHub Docs, "Validating webhook deliveries").
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    // An HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}
