//! Whatever is sent to the receiver is refused in the right way, or kept as it came and asks for a look at what is ours.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../laws/request.rs"]
mod law;

fuzz_target!(|bytes: &[u8]| {
    law::holds(bytes);
});
