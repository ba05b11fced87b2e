//! The rules. No I/O, no clock, no HTTP, no randomness: facts in, decisions and texts out.

pub mod checklist;
pub mod command;
pub mod cvss;
pub mod facts;
pub mod fence;
pub mod policy;
