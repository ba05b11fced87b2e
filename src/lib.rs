//! Wardroom runs a security incident as a GitHub issue.
//!
//! ```text
//!   domain  <-  github, store (ports)  <-  engine  <-  server, cli
//!                      ^
//!                     sim (knows the github port and its types only; used by `cli::demo` and tests)
//! ```
//!
//! Arrows point one way; `tests/layers.rs` keeps it so. [`domain`] holds the rules: no I/O, no clock, no randomness.

pub mod cli;
pub mod domain;
pub mod engine;
pub mod github;
pub mod server;
pub mod sim;
pub mod store;
