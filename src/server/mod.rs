//! What runs for long: the webhook receiver and the worker that looks at what it received.
//!
//! [`webhook`] verifies a delivery, keeps it and answers; [`worker`] looks at incidents, later. They meet in the store, and
//! a bell tells the worker that something came. [`page`] is a page for the browser over whatever stands behind it.

pub mod admin;
mod body;
pub mod listen;
pub mod metrics;
pub mod page;
pub mod rounds;
pub mod webhook;
pub mod worker;

pub use worker::run_worker;
