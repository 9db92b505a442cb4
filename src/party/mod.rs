//! The parties: clients, the key distribution centre, the certificate authority, the
//! attacker. Each is a state machine: an input in, effects out. Must not know tasks,
//! channels, files, or printing.

mod actor;
mod alert;
pub mod attacker;
mod bureau;
mod cast;
mod clerk;
mod custody;
mod dealings;
pub mod envelope;
mod errand;
mod exchange;
mod footing;
mod keeper;
mod office;
mod principal;
mod replay;
mod runs;
mod session;
mod trust;
pub mod wish;

pub use actor::{
    Actor, Adversary, AttackerEffect, AttackerInput, Effect, Effects, Handed, Input, Intrusion, Leak, Leaked,
    Order, Presented,
};
pub use alert::{ALERT_PROTOCOL, Alerts};
pub use bureau::{
    Bureau, CA_PROTOCOL, COMPLETE, CRL_PROTOCOL, KMS_PROTOCOL, OCSP_PROTOCOL, SERVICE_PROTOCOLS,
};
pub use cast::Remembers;
pub use cast::{Cast, Character, Register, RunSpec, Spoken};
pub use custody::totp;
pub use errand::{Errand, RequestSpec, certified_uses};
pub use keeper::{Keeper, KeeperSpec, SealedUnder};
pub use office::Office;
pub use principal::Principal;
pub use trust::PartyTrust;
