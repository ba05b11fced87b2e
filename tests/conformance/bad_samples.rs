//! The judge bites: twenty-six exchanges, each GitHub's own example with one thing wrong, and it names that thing.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::examples::all_examples;
use crate::judge::Judge;
use crate::tap::Exchange;

/// A file of `bad/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    /// What is wrong, for a reader.
    why: String,
    /// The example that it is made of.
    from: String,
    /// What is set in the example itself, where it is older than the description.
    #[serde(default)]
    mend: HashMap<String, Value>,
    /// What is set: JSON pointers into the exchange, with values.
    #[serde(default)]
    set: HashMap<String, Value>,
    /// What is taken away.
    #[serde(default)]
    remove: Vec<String>,
    /// The violations that the judge must name, and no others.
    refused: Vec<Named>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Named {
    rule: String,
    at: String,
}

impl Sample {
    fn good(&self, example: &Exchange) -> Exchange {
        serde_json::from_value(with(example, &self.mend)).unwrap()
    }

    fn spoil(&self, good: &Exchange) -> Exchange {
        let mut bad = with(good, &self.set);
        for pointer in &self.remove {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        }
        serde_json::from_value(bad).unwrap()
    }
}

/// An exchange with these values set.
fn with(exchange: &Exchange, values: &HashMap<String, Value>) -> Value {
    let mut changed = serde_json::to_value(exchange).unwrap();
    for (pointer, value) in values {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value.clone());
    }
    changed
}

#[test]
fn bad_samples_are_refused_with_their_reason_and_their_good_twins_accepted() {
    let Some(judge) = Judge::load() else { return };
    let examples: HashMap<String, Exchange> = all_examples(judge).into_iter().collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/bad");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let sample: Sample = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let example = examples.get(&sample.from).unwrap_or_else(|| panic!("no example {}", sample.from));
        let good = sample.good(example);
        assert_eq!(judge.check(&good), [], "the good twin of {}", path.display());
        let found = judge.check(&sample.spoil(&good)).into_iter();
        let found: Vec<Named> = found.map(|one| Named { rule: one.rule, at: one.at }).collect();
        assert_eq!(found, sample.refused, "{}: {}", path.display(), sample.why);
        count += 1;
    }
    assert_eq!(count, 26);
}
