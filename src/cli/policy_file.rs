//! The policy from a file of this machine.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Usage;
use crate::domain::policy::{MAX_BYTES, Policy};

/// Where the policy lies in the tracker's repository.
pub const USUAL_PATH: &str = ".github/wardroom.yml";

/// Reads and checks a policy.
///
/// # Errors
/// A [`Usage`] error, which ends the process with exit code 2, if the file cannot be read or the policy is wrong.
pub fn read(path: &Path) -> Result<Policy, Usage> {
    let name = path.display().to_string();
    let unreadable = |error| Usage(format!("could not read the policy {name}: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than a policy may have: enough to see that it is too long.
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    parse(&bytes, &name)
}

/// Checks a policy that was read from the file `name`.
///
/// # Errors
/// A [`Usage`] error with all problems of the policy.
pub fn parse(bytes: &[u8], name: &str) -> Result<Policy, Usage> {
    Policy::load_bytes(bytes).map_err(|error| {
        let error = error.named(name);
        let count = match error.problems().len() {
            1 => "one problem".to_owned(),
            more => format!("{more} problems"),
        };
        Usage(format!("the policy cannot be used as it is, {count}:\n{error}"))
    })
}
