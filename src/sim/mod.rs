//! A simulated GitHub: precise where real bugs hide, not broad. One [`World`] behind two faces, [`SimTransport`] in memory
//! and [`http`] over a socket. It knows the port and its types only; nothing but the demo and the tests knows it.

mod advisories;
mod apps;
mod comments;
mod fault;
mod handle;
pub mod http;
mod issues;
mod json;
mod labels;
mod limits;
mod people;
mod releases;
mod routes;
mod security;
#[cfg(test)]
mod tests;
mod transport;
mod webhooks;
mod world;

pub use fault::{Fault, Faults, When};
pub use handle::{Answer, Broken, Call};
pub use people::{Done, PageRefuses, Person, Said};
pub use transport::SimTransport;
pub use webhooks::sign;
pub use world::{CallRecord, Delivery, LIST_LAG, SINGLE_READ_LAG, Visibility, World};
