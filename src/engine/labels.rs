//! The tracker's labels: missing ones are created with colour and description, renamed ones are moved.

use jiff::SignedDuration;

use super::{Engine, LookError};
use crate::domain::facts::Label;
use crate::domain::policy::LabelSpec;

/// How long the list of a repository's labels is kept. A label that a person deletes meanwhile is created by GitHub
/// itself when it is hung on an issue, with its default colour.
const LABELS_LIFE: SignedDuration = SignedDuration::from_hours(1);

impl Engine {
    /// Makes sure that a label exists as the policy describes it. Returns how many writes it took.
    pub(super) async fn ensure_label(&self, spec: &LabelSpec) -> Result<usize, LookError> {
        let now = self.now();
        let key = format!("labels {}", self.tracker);
        let kept = self.store.get(&key, now).await?;
        let mut names: Vec<String> = match kept.and_then(|text| serde_json::from_str(&text).ok()) {
            Some(names) => names,
            None => self.github.labels(&self.tracker).await?.into_iter().map(|label| label.name).collect(),
        };
        let has = |names: &[String], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut writes = 0;
        if !has(&names, &spec.name) {
            let label = Label {
                name: spec.name.clone(),
                color: Some(spec.color.clone()),
                description: Some(spec.description.clone()),
            };
            match spec.was.as_deref().filter(|was| has(&names, was)) {
                Some(was) => {
                    self.github.rename_label(&self.tracker, was, &label).await?;
                    names.retain(|known| !known.eq_ignore_ascii_case(was));
                }
                None => self.github.create_label(&self.tracker, &label).await?,
            }
            writes = 1;
            names.push(spec.name.clone());
        }
        let text = serde_json::to_string(&names).unwrap_or_default();
        self.store.put(&key, &text, now + LABELS_LIFE).await?;
        Ok(writes)
    }
}
