//! The vault's room: keys behind a seal, in the states of SP 800-57 pt 1 §7, with
//! versions, an audit log and guards. Must not know parties, protocols or the world: it
//! is handed a clock's reading, and answers with bytes or a reason.
//!
//! ```
//! use mallory::crypto::StretchCost;
//! use mallory::reason::Reason;
//! use mallory::time::UnixNanos;
//! use mallory::vault::{
//!     Caller, KeyKind, KeySpec, MemoryStore, RevocationCause, Sealing, Unsealing, Usage, Vault,
//! };
//!
//! let now = UnixNanos(1_700_000_000_000_000_000);
//! let how = Sealing::Passphrase { passphrase: b"correct horse", cost: StretchCost::default() };
//! let mut vault = Vault::create(MemoryStore::default(), how, "root", now)?;
//!
//! // Generate.
//! let alice = Caller { name: "alice", now };
//! vault.generate(alice, "orders", KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice"))?;
//!
//! // Encrypt and decrypt; the context must be the same.
//! let first = vault.encrypt(alice, "orders", b"row 17", b"sell")?;
//! assert_eq!(vault.decrypt(alice, b"row 17", &first)?, b"sell");
//! assert_eq!(vault.decrypt(alice, b"row 18", &first), Err(Reason::DecryptFailed));
//!
//! // Rotate: the old version still decrypts, and rewrapping brings a text to the new one.
//! assert_eq!(vault.rotate(alice, "orders")?, 2);
//! let second = vault.rewrap(alice, b"row 17", &first)?;
//! assert_eq!(vault.decrypt(alice, b"row 17", &second)?, b"sell");
//!
//! // Revoke.
//! vault.revoke(alice, "orders", RevocationCause::KeyCompromise)?;
//! assert_eq!(vault.decrypt(alice, b"row 17", &second), Err(Reason::KeyCompromised));
//!
//! // Whoever has a copy of the rows has nothing without the passphrase.
//! let mut copy = Vault::open(vault.into_store())?;
//! assert_eq!(copy.unseal(Unsealing::Passphrase(b"a guess")), Err(Reason::DecryptFailed));
//! # Ok::<(), Reason>(())
//! ```
//!
//! In a file, with the anchor elsewhere:
//!
//! ```no_run
//! # use mallory::reason::Reason;
//! use mallory::vault::{FileAnchor, FileStore, Unsealing, Vault};
//!
//! let store = FileStore::open("keys.vault", FileAnchor::new("other-disk/keys.anchor"))?;
//! let mut vault = Vault::open(store)?;
//! vault.unseal(Unsealing::Passphrase(b"correct horse"))?;
//! vault.close()?;
//! # Ok::<(), Reason>(())
//! ```
//!
//! [`Vault`] trusts its caller; [`Gate`] is what a service puts in front of it. Random bytes are
//! the operating system's; [`Vault::rehearse`] is for who must be able to make them again.

mod anchor;
mod audit;
mod backend;
mod bytes;
mod calls;
mod ceremony;
mod disk;
mod draft;
mod entropy;
mod export;
mod file;
mod folder;
mod frame;
mod gate;
mod guards;
mod handle;
mod kept;
mod key;
mod kind;
mod material;
mod message;
mod opened;
mod policy;
mod principal;
mod proof;
mod rates;
mod records;
mod rehearsal;
mod request;
mod roles;
mod seal;
mod secret;
mod state;
mod store;
mod truth;
mod work;

pub use anchor::{Anchor, Anchored, FileAnchor, MemoryAnchor};
pub use audit::{AuditHead, AuditRecord, NO_RECORD, verify_chain};
pub use bytes::Bytes;
pub use calls::Caller;
pub use ceremony::{Ceremony, HeldShares};
pub use disk::{Disk, DiskCopy, read_copy};
pub use entropy::{Entropy, Seeded, System};
pub use export::{Unwrapping, unwrap_exported};
pub use file::FileStore;
pub use frame::Frame;
pub use gate::{Gate, Matter};
pub use handle::{Care, Vault};
pub use key::{Changes, Key, KeySpec, KeyVersion, Settings, StateChange, VAULT};
pub use kind::{KeyKind, Usage};
pub use message::{
    Answer, Operation, Response, RevocationCause, Verb, WrapUnder, decode_answer, encode_answer,
};
pub use policy::Policy;
pub use proof::{Consent, Proved};
pub use rates::{Bucket, Limiter, Rate};
pub use request::{Received, Request};
pub use roles::{Reach, Role};
pub use seal::{Sealing, Unsealing};
pub use state::{Act, KeyState, Permission, Transition};
pub use store::{Batch, Mark, MemoryStore, Store, Visitor};
pub use truth::open_framed;

/// The guide's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/VAULT.md")]
struct Guide;
