//! The anchor: which state of a vault was acknowledged last, kept apart from its file so
//! that an old copy of the file is noticed. Must not know what the file holds.

use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::folder;
use super::store::{Mark, Result};
use crate::crypto::sha256;
use crate::limits::MAX_ANCHOR_BYTES;
use crate::reason::Reason;

/// What an anchor remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// The state that was acknowledged last.
    pub mark: Mark,
    /// SHA-256 of the whole file if it was closed cleanly, `None` while it is at work.
    #[serde(with = "digest")]
    pub closed: Option<[u8; 32]>,
}

/// A small memory outside a vault's file. Whoever can set it back together with the file
/// can set the vault back: keep it where the file's copies are not, such as on another
/// machine or in a monotonic counter of a TPM. A store reads and writes it under the lock of its
/// file, so no two processes do that at a time.
pub trait Anchor: Send {
    /// What it remembers; `None` before its first use.
    ///
    /// # Errors
    /// `VaultUnavailable`; `VaultTampered` if what it remembers does not parse.
    fn read(&self) -> Result<Option<Anchored>>;

    /// Remembers `anchored` durably, before it returns.
    ///
    /// # Errors
    /// `VaultUnavailable`; `VaultRollback` for an earlier generation than it remembers.
    fn write(&mut self, anchored: Anchored) -> Result<()>;
}

/// An anchor in memory. Its clones share what they remember.
#[derive(Clone, Default, Debug)]
pub struct MemoryAnchor(Arc<Mutex<Option<Anchored>>>);

impl Anchor for MemoryAnchor {
    fn read(&self) -> Result<Option<Anchored>> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&mut self, anchored: Anchored) -> Result<()> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        check_forward(*memory, anchored)?;
        *memory = Some(anchored);
        Ok(())
    }
}

/// An anchor in a file of its own, which only its owner may read: one line of JSON, replaced by
/// renaming. A link is not followed, since renaming would put the file in its place.
#[derive(Clone, Debug)]
pub struct FileAnchor {
    path: PathBuf,
    /// Whether what stopped processes left has been cleared away.
    is_swept: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    format: u32,
    anchored: Anchored,
    /// SHA-256 of `anchored`: against chance, not against who can write the file.
    #[serde(with = "hex::serde")]
    check: [u8; 32],
}

const FORMAT: u32 = 1;

impl FileAnchor {
    /// An anchor in the file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> FileAnchor {
        FileAnchor { path: path.into(), is_swept: false }
    }
}

impl Anchor for FileAnchor {
    fn read(&self) -> Result<Option<Anchored>> {
        let file = match folder::open_to_read(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(Reason::VaultUnavailable),
        };
        let mut bytes = Vec::new();
        file.take(MAX_ANCHOR_BYTES).read_to_end(&mut bytes).map_err(|_| Reason::VaultUnavailable)?;
        let line: Line = serde_json::from_slice(&bytes).map_err(|_| Reason::VaultTampered)?;
        // Written again, it must be the same: JSON has many ways to say one thing.
        let is_own = line.format == FORMAT && line.check == check(&line.anchored) && write(&line) == bytes;
        if !is_own {
            return Err(Reason::VaultTampered);
        }
        Ok(Some(line.anchored))
    }

    fn write(&mut self, anchored: Anchored) -> Result<()> {
        check_forward(self.read()?, anchored)?;
        let line = Line { format: FORMAT, anchored, check: check(&anchored) };
        if !self.is_swept {
            folder::sweep(&self.path).map_err(|_| Reason::VaultUnavailable)?;
            self.is_swept = true;
        }
        folder::replace(&self.path, &write(&line)).map_err(|_| Reason::VaultUnavailable)
    }
}

fn write(line: &Line) -> Vec<u8> {
    serde_json::to_vec(line).expect("an anchor has no keys but texts")
}

fn check(anchored: &Anchored) -> [u8; 32] {
    sha256(&[&serde_json::to_vec(anchored).expect("an anchor has no keys but texts")])
}

fn check_forward(memory: Option<Anchored>, next: Anchored) -> Result<()> {
    match memory {
        Some(now) if now.mark.generation > next.mark.generation => Err(Reason::VaultRollback),
        _ => Ok(()),
    }
}

/// An optional digest, in hexadecimal.
mod digest {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(digest: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.serialize_some(&hex::encode(digest)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[u8; 32]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| de::Error::custom("32 bytes in hexadecimal"))?;
        Ok(Some(digest))
    }
}
