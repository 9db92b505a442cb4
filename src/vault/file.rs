//! A store in one file, an embedded database (redb), with an anchor beside it. Must not
//! know what rows mean.
//!
//! Order is what keeps the honest owner in and an old copy out:
//!
//! 1. Opening: if the anchor says that the file was closed, its digest must be the
//!    anchor's. Then the anchor is told that the file is at work, and only then is it
//!    touched.
//! 2. A transaction is durable in the file before the anchor is told, and acknowledged after.
//!    A crash in between leaves the file one ahead, which [`Vault`](super::Vault) accepts.
//! 3. Closing: the database, the head page, the digest, the anchor. A crash before the last
//!    leaves an anchor that says "at work", and the rows speak for themselves.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, TableDefinition};

use super::anchor::{Anchor, Anchored, MemoryAnchor, sync_folder};
use super::backend::{self, Behind};
use super::store::{Batch, Mark, MemoryStore, Result, Store, Visitor};
use crate::reason::Reason;

const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");
/// Bytes that the database may cache; a vault's rows are in its own memory anyway.
const CACHE: usize = 1 << 22;

/// A store in one file.
pub struct FileStore {
    backend: Arc<dyn StorageBackend>,
    database: Option<Database>,
    anchor: Box<dyn Anchor>,
}

impl FileStore {
    /// A new file at `path`.
    ///
    /// # Errors
    /// `VaultUnavailable` if there is a file already or it cannot be written, or if `anchor`
    /// knows a vault already.
    pub fn create(path: impl AsRef<Path>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        let path = path.as_ref();
        check_unused(&anchor)?;
        // An anchor that was mistyped must not cost a vault.
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(unavailable)?;
        sync_folder(path).map_err(unavailable)?;
        FileStore::create_with(Arc::new(FileBackend::new(file).map_err(unavailable)?), anchor)
    }

    /// As [`create`](Self::create), in any backend, which must be empty.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(
        backend: Arc<dyn StorageBackend>,
        mut anchor: impl Anchor + 'static,
    ) -> Result<FileStore> {
        check_unused(&anchor)?;
        anchor.write(Anchored { mark: UNUSED, closed: None })?;
        backend::write_head(&*backend, UNUSED.generation).map_err(unavailable)?;
        FileStore::start(backend, Box::new(anchor), false)
    }

    /// The file at `path`, which must be no older than `anchor` remembers.
    ///
    /// # Errors
    /// `VaultUnavailable` if it cannot be read or somebody else has it open;
    /// `VaultTampered` if it was closed cleanly and has another byte than then, or is no
    /// database; `VaultRollback` if it is an older one, or has no anchor.
    pub fn open(path: impl AsRef<Path>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(unavailable)?;
        FileStore::open_with(Arc::new(FileBackend::new(file).map_err(unavailable)?), anchor)
    }

    /// As [`open`](Self::open), in any backend.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        backend: Arc<dyn StorageBackend>,
        mut anchor: impl Anchor + 'static,
    ) -> Result<FileStore> {
        let anchored = anchor.read()?.ok_or(Reason::VaultRollback)?;
        if let Some(closed) = anchored.closed {
            if backend::digest(&*backend)? != closed {
                let is_older =
                    backend::read_head(&*backend).is_some_and(|head| head < anchored.mark.generation);
                return Err(if is_older { Reason::VaultRollback } else { Reason::VaultTampered });
            }
            anchor.write(Anchored { closed: None, ..anchored })?;
        }
        // What was closed cleanly is known to the bit; what was not might be anything.
        FileStore::start(backend, Box::new(anchor), anchored.closed.is_none())
    }

    /// The rows of a file, whatever anchor it belongs to: what who has only the file has.
    ///
    /// # Errors
    /// `VaultTampered`, `VaultUnavailable`.
    pub(super) fn rows_of(backend: Arc<dyn StorageBackend>) -> Result<MemoryStore> {
        let store = FileStore::start(backend, Box::new(MemoryAnchor::default()), true)?;
        let mut rows = MemoryStore::default();
        let last = [u8::MAX; 64];
        store.visit(&[], &last, &mut |key, row| {
            rows.rows().insert(key.to_vec(), row.to_vec());
            Ok(())
        })?;
        Ok(rows)
    }

    fn start(
        backend: Arc<dyn StorageBackend>,
        anchor: Box<dyn Anchor>,
        check_integrity: bool,
    ) -> Result<FileStore> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(check_integrity)
            .create_with_backend(Behind(backend.clone()))
            .map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => Reason::VaultUnavailable,
                DatabaseError::Storage(redb::StorageError::Io(error))
                    if error.kind() != std::io::ErrorKind::InvalidData =>
                {
                    Reason::VaultUnavailable
                }
                _ => Reason::VaultTampered,
            })?;
        Ok(FileStore { backend, database: Some(database), anchor })
    }

    fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or(Reason::VaultUnavailable)
    }

    fn write(&self, batch: &Batch) -> std::result::Result<(), redb::Error> {
        let database = self.database.as_ref().ok_or(redb::Error::DatabaseAlreadyOpen)?;
        let mut transaction = database.begin_write()?;
        // Half a transaction with a matching checksum is unlikely; with two phases there
        // is none.
        transaction.set_two_phase_commit(true);
        {
            let mut rows = transaction.open_table(ROWS)?;
            for (key, row) in batch {
                match row {
                    Some(row) => rows.insert(key.as_slice(), row.as_slice())?,
                    None => rows.remove(key.as_slice())?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// What the anchor of a vault remembers that is being made.
const UNUSED: Mark = Mark { generation: 0, root: [0; 32] };

fn check_unused(anchor: &impl Anchor) -> Result<()> {
    match anchor.read()? {
        Some(anchored) if anchored.mark != UNUSED => Err(Reason::VaultUnavailable),
        _ => Ok(()),
    }
}

fn unavailable<E>(_: E) -> Reason {
    Reason::VaultUnavailable
}

impl Store for FileStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let transaction = self.database()?.begin_read().map_err(unavailable)?;
        let rows = match transaction.open_table(ROWS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            rows => rows.map_err(unavailable)?,
        };
        let row = rows.get(key).map_err(unavailable)?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn visit(&self, from: &[u8], to: &[u8], visit: &mut Visitor) -> Result<()> {
        let transaction = self.database()?.begin_read().map_err(unavailable)?;
        let rows = transaction.open_table(ROWS).map_err(unavailable)?;
        for entry in rows.range::<&[u8]>(from..to).map_err(unavailable)? {
            let (key, row) = entry.map_err(unavailable)?;
            visit(key.value(), row.value())?;
        }
        Ok(())
    }

    fn apply(&mut self, batch: Batch, mark: Mark) -> Result<()> {
        self.write(&batch).map_err(unavailable)?;
        self.catch_up(mark)
    }

    fn anchored(&self) -> Result<Option<Mark>> {
        Ok(Some(self.anchor.read()?.ok_or(Reason::VaultRollback)?.mark))
    }

    fn catch_up(&mut self, mark: Mark) -> Result<()> {
        self.anchor.write(Anchored { mark, closed: None })
    }

    fn close(&mut self) -> Result<()> {
        self.database.take().ok_or(Reason::VaultUnavailable)?.close().map_err(unavailable)?;
        let mark = self.anchored()?.ok_or(Reason::VaultRollback)?;
        backend::write_head(&*self.backend, mark.generation).map_err(unavailable)?;
        let closed = Some(backend::digest(&*self.backend)?);
        self.anchor.write(Anchored { mark, closed })?;
        self.backend.close().map_err(unavailable)
    }
}
