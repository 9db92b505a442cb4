//! A disk for rehearsals: rows, or a database file with its anchor, all in memory, so that a
//! play leaves nothing behind; somebody may copy it and put the copy back. Must not know what
//! rows mean.

use std::sync::Arc;

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::anchor::MemoryAnchor;
use super::file::FileStore;
use super::store::{Batch, Mark, MemoryStore, Result, Store, Visitor};
use super::truth::{copy_rows, read_rows};
use crate::reason::Reason;

/// Where a rehearsed vault keeps its rows.
pub enum Disk {
    /// Rows and nothing else: an old copy is as good as the newest.
    Rows(MemoryStore),
    /// A database file, with an anchor that is not on the disk.
    File {
        /// The store.
        store: Box<FileStore>,
        /// The file.
        file: Arc<InMemoryBackend>,
        /// What the anchor remembers.
        anchor: MemoryAnchor,
    },
}

impl Disk {
    /// An empty disk with a database file.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    pub fn file() -> Result<Disk> {
        let (file, anchor) = (Arc::new(InMemoryBackend::new()), MemoryAnchor::default());
        let store = Box::new(FileStore::create_with(file.clone(), anchor.clone())?);
        Ok(Disk::File { store, file, anchor })
    }

    /// A copy of it.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    pub fn copy(&mut self) -> Result<DiskCopy> {
        Ok(match self {
            Disk::Rows(rows) => DiskCopy { rows: copy_rows(rows), file: None },
            Disk::File { store, file, .. } => DiskCopy {
                rows: copy_rows(&mut store.rows()?),
                file: Some(read_all(file).ok_or(Reason::VaultUnavailable)?),
            },
        })
    }

    /// The disk after a restart: as it is, or with a copy that somebody put back.
    ///
    /// # Errors
    /// `VaultRollback` for a file that is older than its anchor, `VaultTampered`,
    /// `VaultUnavailable`, `Malformed`.
    pub fn reopened(self, put_back: Option<&DiskCopy>) -> Result<Disk> {
        match (self, put_back) {
            (Disk::Rows(rows), None) => Ok(Disk::Rows(rows)),
            (Disk::Rows(_), Some(copy)) => Ok(Disk::Rows(read_copy(&copy.rows)?)),
            (Disk::File { mut store, file, anchor }, put_back) => {
                store.close()?;
                drop(store);
                let file = match put_back.and_then(|copy| copy.file.as_ref()) {
                    None => Arc::new(write_all(&read_all(&file).ok_or(Reason::VaultUnavailable)?)?),
                    Some(copy) => Arc::new(write_all(copy)?),
                };
                let store = Box::new(FileStore::open_with(file.clone(), anchor.clone())?);
                Ok(Disk::File { store, file, anchor })
            }
        }
    }
}

/// What somebody has who copied a disk.
#[derive(Clone)]
pub struct DiskCopy {
    rows: Vec<u8>,
    file: Option<Vec<u8>>,
}

impl DiskCopy {
    /// Every row in the order of its name, which is all that a thief can go by. The same rows lie
    /// in a file in this way or that, as the database likes.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }
}

/// A store with the [`rows`](DiskCopy::rows) of a copy. No anchor is asked: a thief has none.
///
/// # Errors
/// `Malformed`.
pub fn read_copy(rows: &[u8]) -> Result<MemoryStore> {
    read_rows(rows)
}

fn read_all(file: &InMemoryBackend) -> Option<Vec<u8>> {
    let mut all = vec![0; usize::try_from(file.len().ok()?).ok()?];
    file.read(0, &mut all).ok()?;
    Some(all)
}

fn write_all(bytes: &[u8]) -> Result<InMemoryBackend> {
    let file = InMemoryBackend::new();
    file.set_len(bytes.len() as u64).map_err(|_| Reason::VaultUnavailable)?;
    file.write(0, bytes).map_err(|_| Reason::VaultUnavailable)?;
    Ok(file)
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self {
            Disk::Rows(rows) => rows.get(key),
            Disk::File { store, .. } => store.get(key),
        }
    }

    fn visit(&self, from: &[u8], to: &[u8], visit: &mut Visitor) -> Result<()> {
        match self {
            Disk::Rows(rows) => rows.visit(from, to, visit),
            Disk::File { store, .. } => store.visit(from, to, visit),
        }
    }

    fn apply(&mut self, batch: Batch, mark: Mark) -> Result<()> {
        match self {
            Disk::Rows(rows) => rows.apply(batch, mark),
            Disk::File { store, .. } => store.apply(batch, mark),
        }
    }

    fn anchored(&self) -> Result<Option<Mark>> {
        match self {
            Disk::Rows(rows) => rows.anchored(),
            Disk::File { store, .. } => store.anchored(),
        }
    }

    fn catch_up(&mut self, mark: Mark) -> Result<()> {
        match self {
            Disk::Rows(rows) => rows.catch_up(mark),
            Disk::File { store, .. } => store.catch_up(mark),
        }
    }

    fn close(&mut self) -> Result<()> {
        match self {
            Disk::Rows(rows) => rows.close(),
            Disk::File { store, .. } => store.close(),
        }
    }
}
