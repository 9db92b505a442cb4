//! The key centre and the authority that stand in plays as actors, served on real sockets and
//! real time: the vault with its gate, and the authority with its ledger, behind HTTP over TLS
//! with certificates on both sides. The only room that has sockets and a wall clock. Must not
//! know scenarios, protocols or plays, nor decide what the gate decides.
//!
//! ```text
//! socket ─▶ door (TLS, who is at the other end) ─▶ routes (the table) ─▶ desk ─▶ engine, a thread
//!                                                                          └─ gate ─▶ vault
//! ```

mod answer;
mod backup;
mod certifying;
mod clock;
mod consents;
mod demo;
mod desk;
mod door;
mod engine;
mod enrolment;
mod folder;
mod heard;
mod kept;
mod members;
mod metrics;
mod openapi;
mod own;
mod people;
mod pki;
mod places;
mod race;
mod relying;
mod request;
mod routes;
mod service;
mod settings;
pub mod stage;
mod sys;
mod table;
mod tls;
mod tokens;
mod transit;

pub use backup::{Restored, Restoring, restore};
pub use demo::Demo;
pub use enrolment::{Enrolment, code};
pub use service::{Begun, Failure, Service, stopped};
pub use settings::{Limits, Settings};
