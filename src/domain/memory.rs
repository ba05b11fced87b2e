//! The machine part of the status comment: a small cache of the record, sealed with a digest.
//!
//! It is never a source for roles or approvals. Deleted, damaged or changed by hand, it is dropped and made anew from
//! the edit history; what the history does not tell is then "someone, before 14:05 UTC".

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::advisory::Ghsa;

/// Lines of the record that are kept; older ones stay readable in the issue's own edit history.
pub const LOG_LINES: usize = 60;

/// What the status comment remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Digest of the body that is accounted for in `items` and `log`.
    pub body: String,
    /// When the newest edit that is accounted for was saved.
    pub at: Option<Timestamp>,
    /// Each task's and field's last state, by its key.
    pub items: BTreeMap<String, Last>,
    /// The record, oldest first.
    pub log: Vec<Entry>,
    /// How many older lines were dropped.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped: u32,
    /// Commands whose edit of the body is done, or was overtaken by a person.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub applied: BTreeSet<u64>,
    /// Commands that were answered, and how: for servers that cannot tell whose a reaction is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answered: BTreeMap<u64, Answer>,
    /// Fields that Wardroom filled and with what (a digest), so that it never fills one again that a person emptied.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub filled: BTreeSet<String>,
    /// A write of ours overwrote a person's edit and it is not put back yet: the history is read again from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
    /// Whether the report was answered, or needs no answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub acknowledged: bool,
    /// When a draft that the policy asks for was tried first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drafting: Option<Timestamp>,
    /// There was no room for the last states: a task or field that is missing in `items` is not new.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
    /// What became of the report, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// GitHub is asked for a CVE ID, or was: written before it is asked, because GitHub does not show it afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cve: Option<CveIntent>,
}

/// That GitHub is to be asked for a CVE ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CveIntent {
    /// The command's comment. Its mark tells the outcome: a rocket that GitHub took it, a confused face that it did not,
    /// anything else that nobody knows.
    pub comment: u64,
    /// For which advisory.
    pub ghsa: Ghsa,
    /// When the intent was written.
    pub at: Timestamp,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The last known state of a task or field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// A task: `open`, `done` or `na`. A field: a digest of its value.
    pub v: String,
    /// Who made it so; absent while nobody touched it, or where nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// When, exactly; or, without a name, before when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
}

/// A repair of the body that waits for a quiet moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Edits since this moment matter; `None`: all of them.
    pub since: Option<Timestamp>,
}

/// A line of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was done; if `late`, the moment before which it was done.
    pub at: Timestamp,
    /// The login; `None` where nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// Whether `at` is only an upper bound.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub late: bool,
    /// What was done, as Markdown that mentions nobody.
    pub what: String,
}

/// How a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It counts.
    Yes,
    /// It does not.
    No,
    /// It was answered with words and has no effect of its own.
    Words,
}

const OPEN: &str = "<!-- wardroom:memory ";
const CLOSE: &str = " -->";

impl Memory {
    /// Adds a line to the record, dropping the oldest beyond [`LOG_LINES`].
    pub fn record(&mut self, entry: Entry) {
        self.log.push(entry);
        if self.log.len() > LOG_LINES {
            let extra = self.log.len() - LOG_LINES;
            self.log.drain(..extra);
            self.dropped = self.dropped.saturating_add(u32::try_from(extra).unwrap_or(u32::MAX));
        }
    }

    /// Makes the memory smaller: the older half of the record goes, then all last states. `false` if nothing can go.
    pub fn shrink(&mut self) -> bool {
        if self.log.len() > 4 {
            let extra = self.log.len().div_ceil(2);
            self.log.drain(..extra);
            self.dropped = self.dropped.saturating_add(u32::try_from(extra).unwrap_or(u32::MAX));
            return true;
        }
        let had_items = !self.items.is_empty();
        self.items.clear();
        self.sparse = true;
        had_items
    }

    /// The hidden comment that holds this memory. With a key the digest is an HMAC, which people cannot forge.
    pub fn seal(&self, key: Option<&[u8]>) -> String {
        // Serialising plain maps, numbers and strings cannot fail; an empty memory would only be read as damaged.
        let json = serde_json::to_string(self).unwrap_or_default();
        // Nothing in it may end the HTML comment early: JSON allows any character of a string as an escape.
        let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "\\u002d\\u002d");
        let digest = digest_of(&json, key);
        format!("{OPEN}{digest} {json}{CLOSE}")
    }

    /// Reads the memory at the end of a status comment. `None` if it is missing, damaged, or not sealed with `key`. A
    /// process without a key takes a keyed seal on trust: it could not check it, and the memory decides nothing.
    pub fn unseal(comment: &str, key: Option<&[u8]>) -> Option<Memory> {
        let start = comment.rfind(OPEN)? + OPEN.len();
        let rest = comment.get(start..)?;
        let sealed = rest.get(..rest.find(CLOSE)?)?;
        let (digest, json) = sealed.split_once(' ')?;
        let checks = match (key, digest.starts_with("hmac:")) {
            (None, true) => true,
            (key, _) => digest == digest_of(json, key),
        };
        if !checks {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    /// A comment's text without its machine part, to compare what people see.
    pub fn visible(comment: &str) -> &str {
        comment.rfind(OPEN).map_or(comment, |at| &comment[..at])
    }
}

fn digest_of(json: &str, key: Option<&[u8]>) -> String {
    // An HMAC takes a key of any length, so the fallback is never used.
    match key.and_then(|key| Hmac::<Sha256>::new_from_slice(key).ok()) {
        Some(mut mac) => {
            mac.update(b"wardroom status memory\0");
            mac.update(json.as_bytes());
            format!("hmac:{}", hex(&mac.finalize().into_bytes()[..16]))
        }
        None => format!("sha256:{}", hex(&Sha256::digest(json.as_bytes())[..16])),
    }
}

/// A short digest (64 bits of SHA-256, in hex) for noticing that a text changed. Not a defence.
pub fn short_digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..8])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(text: &str) -> Memory {
        let at = "2026-03-02T09:00:00Z".parse().unwrap();
        let mut memory = Memory { body: short_digest(text), at: Some(at), ..Memory::default() };
        memory.items.insert(text.to_owned(), Last { v: "done".into(), by: Some(text.into()), at: Some(at) });
        memory.record(Entry { at, by: None, late: true, what: text.to_owned() });
        memory.answered.insert(7, Answer::No);
        memory
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_read_back_whatever_the_words(text in any::<String>(), keyed in any::<bool>()) {
            let memory = sample(&text);
            let key = keyed.then_some(b"secret".as_slice());
            let comment = format!("{text}\n{}\n", memory.seal(key));
            prop_assert_eq!(Memory::unseal(&comment, key), Some(memory.clone()));
            let inside = memory.seal(key);
            prop_assert_eq!(inside.matches("-->").count(), 1);
        }
    }

    #[test]
    fn a_changed_or_foreign_memory_is_dropped() {
        let sealed = sample("x").seal(None);
        assert!(Memory::unseal(&sealed.replace("done", "open"), None).is_none());
        assert!(Memory::unseal(&sealed, Some(b"secret")).is_none(), "a keyed process wants its own seal");
        let keyed = sample("x").seal(Some(b"secret"));
        assert!(Memory::unseal(&keyed, Some(b"other")).is_none());
        assert!(Memory::unseal(&keyed, None).is_some(), "it is only a cache");
        assert!(Memory::unseal("no memory here", None).is_none());
    }

    #[test]
    fn the_record_rolls() {
        let mut memory = Memory::default();
        for n in 0..100 {
            memory.record(Entry { at: Timestamp::from_second(n).unwrap(), by: None, late: false, what: n.to_string() });
        }
        assert_eq!((memory.log.len(), memory.dropped), (LOG_LINES, 40));
        assert_eq!(memory.log[0].what, "40");
    }
}
