//! What several test binaries share.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub(crate) mod canaries;
pub(crate) mod counted;
pub(crate) mod demo;
pub(crate) mod desk;
pub(crate) mod dice;
pub(crate) mod naive;
pub(crate) mod npm;
pub(crate) mod reports;
pub(crate) mod room;
pub(crate) mod town;
pub(crate) mod webhooks;
pub(crate) mod workflow;
