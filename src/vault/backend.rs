//! The layout of a vault's file: a head page that says how old the file is, and the
//! embedded database behind it. Must not know rows.

use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::{BackendError, StorageBackend};

use super::store::Result;
use crate::crypto::sha256;
use crate::limits::MAX_VAULT_FILE_BYTES;
use crate::reason::Reason;

/// Bytes of the head page; the database begins behind it.
pub const HEAD: u64 = 4_096;
const MAGIC: &[u8; 16] = b"mallory vault 1\n";
const PREFIX: usize = MAGIC.len() + 8;

/// A backend of which the database sees all but the head page.
#[derive(Debug)]
pub struct Behind(pub Arc<dyn StorageBackend>);

impl StorageBackend for Behind {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len()?.saturating_sub(HEAD))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset.saturating_add(HEAD), out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len.saturating_add(HEAD))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset.saturating_add(HEAD), data)
    }

    // `close` stays here: the head is written, and the locks are released, after the
    // database has closed.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}

/// Writes the head page: magic (16) ‖ u64-BE(generation) ‖ SHA-256 of both (32) ‖ zeros.
/// It is not trusted: it only tells an old file from a changed one.
pub fn write_head(backend: &dyn StorageBackend, generation: u64) -> io::Result<()> {
    let mut page = vec![0; HEAD as usize];
    page[..MAGIC.len()].copy_from_slice(MAGIC);
    page[MAGIC.len()..PREFIX].copy_from_slice(&generation.to_be_bytes());
    let check = sha256(&[&page[..PREFIX]]);
    page[PREFIX..PREFIX + check.len()].copy_from_slice(&check);
    if backend.len()? < HEAD {
        backend.set_len(HEAD)?;
    }
    backend.write(0, &page)?;
    backend.sync_data()
}

/// Whether these bytes begin as a vault's file does.
pub fn is_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The generation of the last clean close, if the head page is whole.
pub fn read_head(backend: &dyn StorageBackend) -> Option<u64> {
    let mut page = [0; PREFIX + 32];
    backend.read(0, &mut page).ok()?;
    let (prefix, check) = page.split_at(PREFIX);
    let (magic, generation) = prefix.split_first_chunk::<16>()?;
    let is_whole = magic == MAGIC && sha256(&[prefix]) == check;
    is_whole.then_some(u64::from_be_bytes(generation.try_into().ok()?))
}

/// SHA-256 of the whole file.
pub fn digest(backend: &dyn StorageBackend) -> Result<[u8; 32]> {
    let len = backend.len().map_err(|_| Reason::VaultUnavailable)?;
    if len > MAX_VAULT_FILE_BYTES {
        return Err(Reason::VaultUnavailable);
    }
    let mut file = vec![0; usize::try_from(len).map_err(|_| Reason::VaultUnavailable)?];
    backend.read(0, &mut file).map_err(|_| Reason::VaultUnavailable)?;
    Ok(sha256(&[&file]))
}
