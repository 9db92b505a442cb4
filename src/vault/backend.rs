//! The layout of a vault's file: a head page that says how old the file is, and the
//! embedded database behind it. Must not know rows.

use std::io;
use std::ops::{Bound, Deref};
use std::sync::Arc;

use redb::{BackendError, StorageBackend};

use super::store::Result;
use crate::crypto::{sha256, sha256_of};
use crate::limits::{MAX_VAULT_FILE_BYTES, VAULT_FILE_CHUNK};
use crate::reason::Reason;

/// Bytes of the head page; the database begins behind it.
pub const HEAD: u64 = 4_096;
const MAGIC: &[u8; 16] = b"mallory vault 1\n";
const UNFINISHED: &[u8; 16] = b"mallory no vault";
const PREFIX: usize = MAGIC.len() + 8;

/// A backend of which the database sees all but the head page.
#[derive(Debug)]
pub struct Behind(Arc<dyn StorageBackend>);

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

    // `close` stays here: the head is written, and the lock is released, after the database
    // has closed. The store has locked the whole file before it looked at the anchor, so the
    // database gets every lock that it asks for.

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> std::result::Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> std::result::Result<(), BackendError> {
        Ok(())
    }
}

/// A backend that nobody else may touch until this is dropped. It unlocks by itself: a process
/// that was started meanwhile may have the file open for a moment longer.
pub struct Locked(Arc<dyn StorageBackend>);

impl Locked {
    /// Locks a file.
    ///
    /// # Errors
    /// `VaultUnavailable` if somebody else has it open, or there are no locks where it is.
    pub fn file(file: Arc<dyn StorageBackend>) -> Result<Locked> {
        match file.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(true) => Ok(Locked(file)),
            _ => Err(Reason::VaultUnavailable),
        }
    }

    /// Locks a backend that knows of locks: one that does not, such as memory, is nobody else's.
    ///
    /// # Errors
    /// `VaultUnavailable` if somebody else has it open.
    pub fn any(backend: Arc<dyn StorageBackend>) -> Result<Locked> {
        match backend.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(true) | Err(BackendError::Unsupported) => Ok(Locked(backend)),
            _ => Err(Reason::VaultUnavailable),
        }
    }

    /// The backend as the database sees it.
    pub fn behind(&self) -> Behind {
        Behind(self.0.clone())
    }
}

impl Deref for Locked {
    type Target = dyn StorageBackend;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Who cannot unlock has lost the file, and the lock with it.
        drop(self.0.close());
    }
}

/// Writes the head page of a file in which there is no vault yet: magic (16) ‖ zeros.
pub fn write_unfinished(backend: &dyn StorageBackend) -> io::Result<()> {
    backend.set_len(HEAD)?;
    backend.write(0, &unfinished())?;
    backend.sync_data()
}

fn unfinished() -> Vec<u8> {
    let mut page = vec![0; HEAD as usize];
    page[..UNFINISHED.len()].copy_from_slice(UNFINISHED);
    page
}

/// Whether somebody has begun to make a vault here and not come to its first transaction, or
/// there is nothing at all. Whatever else is in a file is somebody's.
pub fn is_unfinished(backend: &dyn StorageBackend) -> io::Result<bool> {
    let len = backend.len()?;
    let mut page = vec![0; len.min(HEAD) as usize];
    backend.read(0, &mut page)?;
    // A crash may leave a part of the page, with zeros for the rest.
    let is_part = || page.iter().zip(unfinished()).all(|(byte, whole)| *byte == whole || *byte == 0);
    Ok(page.starts_with(UNFINISHED) || (len <= HEAD && is_part()))
}

/// Whether a file that begins so is one in which a vault was begun and, as far as its head page
/// says, not finished; or there is nothing.
pub fn begins_unfinished(head: &[u8]) -> bool {
    head.is_empty() || head.starts_with(UNFINISHED)
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

/// Whether it begins as a vault's file does.
pub fn is_vault(backend: &dyn StorageBackend) -> bool {
    let mut magic = [0; MAGIC.len()];
    backend.read(0, &mut magic).is_ok() && (&magic == MAGIC || &magic == UNFINISHED)
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

/// Checks that a file is no longer than the limit.
///
/// # Errors
/// `VaultUnavailable`.
pub fn check_len(backend: &dyn StorageBackend) -> Result<u64> {
    let len = backend.len().map_err(|_| Reason::VaultUnavailable)?;
    if len <= MAX_VAULT_FILE_BYTES { Ok(len) } else { Err(Reason::VaultUnavailable) }
}

/// SHA-256 of the whole file.
pub fn digest(backend: &dyn StorageBackend) -> Result<[u8; 32]> {
    let len = check_len(backend)?;
    let chunks = (0..len).step_by(VAULT_FILE_CHUNK).map(|from| {
        let mut chunk = vec![0; (len - from).min(VAULT_FILE_CHUNK as u64) as usize];
        backend.read(from, &mut chunk).map_err(|_| Reason::VaultUnavailable)?;
        Ok(chunk)
    });
    sha256_of(chunks)
}
