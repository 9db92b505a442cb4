//! Mallory is a rehearsal stage for key management: it plays a protocol in the
//! Alice-and-Bob notation of textbooks among Tokio tasks, with real cryptography and an
//! attacker on the wire, in virtual time, the same bytes for the same seed; then it says
//! what the attacker really holds and which security goals fell, with evidence.
//!
//! ```
//! let report = mallory::Scenario::named("dh-mitm")?.run()?;
//! report.assert_expected();
//! let weak = report.variant("weak");
//! assert!(weak.run(1).party("alice").completed());
//! for step in weak.attacker().derivation("1.alice.Payload").unwrap().texts() {
//!     println!("{step}");
//! }
//! # Ok::<(), mallory::RunError>(())
//! ```
//!
//! A scenario of one's own is a file or a text:
//!
//! ```
//! let text = r#"
//!     [protocol]
//!     messages = ["A -> B : A, {Order}k(A,B)"]
//!     goals    = ["secret Order", "B authenticates A on Order"]
//!     given    = { A = ["Order: data"] }
//!     [[run]]
//!     A = "alice"
//!     B = "bob"
//!     Order = "sell"
//!     [attacker]
//!     tactic = "replay"
//! "#;
//! let report = mallory::Scenario::from_text("order", text)?.seed(7).run()?;
//! let goals = report.plays()[0].goals();
//! assert!(goals[0].holds(), "nobody else reads the order");
//! assert!(!goals[1].holds(), "bob carries it out twice");
//! # Ok::<(), mallory::RunError>(())
//! ```
//!
//! [`scenarios!`] (feature `testing`, on by default) makes each scenario file of a folder a test of the caller's own crate.
pub mod algebra;
pub mod crypto;
pub mod export;
mod hashed;
pub mod journal;
pub mod knowledge;
pub mod legible;
pub mod limits;
#[cfg(feature = "live")]
pub mod live;
pub mod notation;
pub mod party;
pub mod pki;
pub mod reason;
pub mod report;
pub mod scenario;
pub mod search;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod vault;
pub mod verdict;
pub mod wire;
pub mod world;

pub use scenario::{Report, RunError, Scenario};
