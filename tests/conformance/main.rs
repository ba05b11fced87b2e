//! The client, the simulated GitHub and the webhooks, judged by descriptions that GitHub wrote.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod advisories;
mod bad_samples;
mod client;
mod deliveries;
mod examples;
mod graphql;
mod judge;
mod operations;
mod port;
mod recorded;
mod refusals;
mod schema;
mod simulated;
mod tap;
mod wire;
