//! From the file to the policy: text, tree, shape, types, rules. Every stage says all it can find.

use super::problem::{At, PolicyError, Problem};
use super::{Policy, check, schema, shape, yaml};

impl Policy {
    /// Reads a policy. An empty file, or one of comments, is a policy of defaults.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column and what would be right. A text that is no YAML, or
    /// that is too large or too deep, is one problem: what stands behind it cannot be judged.
    pub fn load(text: &str) -> Result<Policy, PolicyError> {
        Policy::load_bytes(text.as_bytes())
    }

    /// Reads a policy from a file's bytes, which may be no text at all.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_bytes(bytes: &[u8]) -> Result<Policy, PolicyError> {
        let Some(root) = yaml::parse(yaml::decode(bytes)?)? else {
            return Ok(Policy::default());
        };
        let shape::Shaped { value, places, mut problems, counted } = shape::shape(&root, &schema());
        match serde_json::from_value::<Policy>(value) {
            Ok(policy) => {
                problems.extend(check::check(&policy, &places));
                if problems.is_empty() {
                    return Ok(policy);
                }
            }
            Err(error) => problems.push(Problem { at: At { line: 1, column: 1 }, message: error.to_string() }),
        }
        Err(PolicyError::new(problems, counted))
    }
}
