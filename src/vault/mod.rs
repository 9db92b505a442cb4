//! The vault's room.
#![allow(clippy::module_inception)]
mod audit;
mod bytes;
mod frame;
mod key;
mod kind;
mod material;
mod message;
mod records;
mod seal;
mod state;
mod store;
mod vault;
mod work;

pub use audit::{AuditHead, AuditRecord, NO_RECORD, verify_chain};
pub use bytes::Bytes;
pub use frame::Frame;
pub use key::{Key, KeySpec, KeyVersion, Settings, StateChange, VAULT};
pub use kind::{KeyKind, Usage};
pub use message::{
    Answer, Operation, Response, RevocationCause, Verb, WrapUnder, decode_answer, encode_answer,
};
pub use seal::{Sealing, Unsealing};
pub use state::{Act, KeyState, Permission, Transition};
pub use store::{Batch, Mark, MemoryStore, Store};
pub use vault::{Care, Vault};
pub use work::{Unwrapping, unwrap_exported};
