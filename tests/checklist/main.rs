//! The checklist on generated documents: its laws, another Markdown reader as judge, and the command line.

mod cli;
mod generate;
mod laws;
mod oracle;
mod worst;
