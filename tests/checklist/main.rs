//! The checklist on generated documents: its laws, another Markdown reader as judge, and the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod cli;
mod generate;
mod laws;
mod oracle;
mod says;
mod worst;
