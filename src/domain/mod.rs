//! The rules. No I/O, no clock, no HTTP, no randomness: facts in, decisions and texts out.

pub mod advisory;
pub mod answers;
pub mod body;
pub mod checklist;
pub mod command;
pub mod cvss;
pub mod decisions;
pub mod disclosure;
pub mod drafting;
pub mod facts;
pub mod fence;
pub mod findings;
pub mod incident;
pub mod labels;
pub mod mail;
pub mod memory;
pub mod observed;
pub mod opening;
pub mod orders;
pub mod plan;
pub mod policy;
pub mod record;
pub mod status;
pub mod template;
pub mod texts;
pub mod version;
