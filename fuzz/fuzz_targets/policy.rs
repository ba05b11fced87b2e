//! Whatever the policy file holds, it is a policy within its limits or a list of problems, and never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../laws/policy.rs"]
mod law;

fuzz_target!(|bytes: &[u8]| {
    law::holds(bytes);
});
