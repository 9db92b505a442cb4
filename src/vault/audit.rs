//! The audit log: records each bound to the one before by a hash. Must not know secrets,
//! which never come near it, nor where it is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::bytes::hexadecimal;
use crate::crypto::sha256;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// The head of a log without records.
pub const NO_RECORD: [u8; 32] = [0; 32];

/// Bytes of most records.
const ROOM: usize = 256;

/// Who asked for what, when, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Counted from 1.
    pub sequence: u64,
    /// By the vault's clock.
    pub at: UnixNanos,
    /// Who, as far as was proved.
    pub actor: String,
    /// The operation's name.
    pub operation: String,
    /// The key that it names.
    pub key: Option<String>,
    /// `None` if it was done, else why not.
    pub refused: Option<Reason>,
    /// Whether the request accepted the risk of a suspended or compromised key.
    pub at_risk: bool,
    /// The hash of the record before, [`NO_RECORD`] for the first.
    #[serde(serialize_with = "hexadecimal", deserialize_with = "hex::serde::deserialize")]
    pub previous: [u8; 32],
}

/// `7 alice decrypt orders: key-compromised`.
impl fmt::Display for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.sequence, self.actor, self.operation)?;
        if let Some(key) = &self.key {
            write!(f, " {key}")?;
        }
        write!(f, ": {}", self.refused.map_or("done", Reason::word))
    }
}

impl AuditRecord {
    /// SHA-256 over every field, each text with its length before it, so that no two
    /// records have one encoding.
    pub fn hash(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(ROOM);
        bytes.extend_from_slice(b"mallory audit 1");
        bytes.extend_from_slice(&self.previous);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.at.0.to_be_bytes());
        bytes.push(u8::from(self.at_risk));
        let refused = self.refused.map(Reason::word);
        for text in [Some(self.actor.as_str()), Some(self.operation.as_str()), self.key.as_deref(), refused] {
            bytes.push(u8::from(text.is_some()));
            let text = text.unwrap_or_default();
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        sha256(&[&bytes])
    }
}

/// Where a log ends: what must be known from elsewhere to notice that its end is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// How many records there are.
    pub records: u64,
    /// The hash of the last one.
    #[serde(with = "hex::serde")]
    pub hash: [u8; 32],
}

impl AuditHead {
    /// The head of a log without records.
    pub const EMPTY: AuditHead = AuditHead { records: 0, hash: NO_RECORD };

    /// The head after `record`.
    ///
    /// # Errors
    /// `AuditChainBroken` if the record does not follow this head.
    pub fn follow(self, record: &AuditRecord) -> Result<AuditHead, Reason> {
        if Some(record.sequence) != self.records.checked_add(1) || record.previous != self.hash {
            return Err(Reason::AuditChainBroken);
        }
        Ok(AuditHead { records: record.sequence, hash: record.hash() })
    }
}

/// Checks that `records` are the whole log that ends at `head`.
///
/// # Errors
/// `AuditChainBroken` if any was changed, removed, added or moved.
pub fn verify_chain<'a>(
    records: impl IntoIterator<Item = &'a AuditRecord>,
    head: AuditHead,
) -> Result<(), Reason> {
    let end = records.into_iter().try_fold(AuditHead::EMPTY, |head, record| head.follow(record))?;
    if end == head { Ok(()) } else { Err(Reason::AuditChainBroken) }
}
