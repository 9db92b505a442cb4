//! Mallory is a rehearsal stage for key management.
pub mod crypto;
pub mod journal;
pub mod knowledge;
pub mod limits;
pub mod notation;
pub mod party;
pub mod pki;
pub mod reason;
pub mod report;
pub mod scenario;
pub mod testing;
pub mod time;
pub mod verdict;
pub mod wire;
pub mod world;

pub use scenario::{Report, RunError, Scenario};
