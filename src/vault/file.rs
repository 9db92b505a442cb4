//! A store in one file, an embedded database (redb), with an anchor beside it. Must not
//! know what rows mean.
//!
//! Order is what keeps the honest owner in and an old copy out:
//!
//! 1. The file is locked before the anchor is read, and until it is closed: who comes second
//!    touches neither.
//! 2. Opening: if the anchor says that the file was closed, its digest must be the
//!    anchor's. Then the anchor is told that the file is at work, and only then is it
//!    touched.
//! 3. A transaction is durable in the file before the anchor is told, and acknowledged after.
//!    A crash in between leaves the file one ahead, which [`Vault`](super::Vault) accepts.
//! 4. Closing: the database, the head page, the digest, the anchor. A crash before the last
//!    leaves an anchor that says "at work", and the rows speak for themselves.
//! 5. Until the first transaction is durable, the head page says that there is no vault yet, and
//!    whoever makes one may begin anew.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, StorageBackend, TableDefinition};

use super::anchor::{Anchor, Anchored};
use super::backend::{self, Locked};
use super::folder;
use super::store::{Batch, Mark, MemoryStore, Result, Store, Visitor};
use crate::limits::VAULT_FILE_CHUNK;
use crate::reason::Reason;

const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");
/// Bytes that the database may cache; a vault's rows are in its own memory anyway.
const CACHE: usize = 1 << 22;

/// A store in one file.
pub struct FileStore {
    database: Option<Database>,
    /// Dropped after the database, which still writes when it is dropped.
    backend: Locked,
    anchor: Box<dyn Anchor>,
    /// Whether nothing has been written to it yet.
    is_unfinished: bool,
}

impl FileStore {
    /// A new file at `path`, or one in which somebody else's attempt to make a vault ended before
    /// there was one.
    ///
    /// # Errors
    /// `VaultUnavailable` if there is another file already, somebody else is making one, it
    /// cannot be written, or `anchor` knows a vault already.
    pub fn create(path: impl AsRef<Path>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        let path = path.as_ref();
        // An anchor that was mistyped must not cost a vault, nor a path somebody's file.
        let file = match folder::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => folder::open(path),
            file => file,
        };
        let backend = FileBackend::new(file.map_err(unavailable)?).map_err(unavailable)?;
        let backend = Locked::file(Arc::new(backend))?;
        folder::sync(path).map_err(unavailable)?;
        FileStore::create_in(backend, anchor)
    }

    /// As [`create`](Self::create), in any backend, which must be empty.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(backend: Arc<dyn StorageBackend>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        FileStore::create_in(Locked::any(backend)?, anchor)
    }

    /// In a file that is locked.
    fn create_in(backend: Locked, mut anchor: impl Anchor + 'static) -> Result<FileStore> {
        check_unused(&anchor)?;
        if !backend::is_unfinished(&*backend).map_err(unavailable)? {
            return Err(Reason::VaultUnavailable);
        }
        anchor.write(Anchored { mark: UNUSED, closed: None })?;
        // What somebody else began goes.
        backend.set_len(0).map_err(unavailable)?;
        backend::write_unfinished(&*backend).map_err(unavailable)?;
        FileStore::start(backend, Box::new(anchor), false)
    }

    /// Whether whoever starts at `path` makes a vault: there is no file, or one in which another
    /// attempt ended before there was one. What cannot be read is somebody's.
    pub fn is_to_be_made(path: impl AsRef<Path>) -> bool {
        use std::io::Read as _;
        let mut head = Vec::new();
        match folder::open_to_read(path.as_ref()) {
            Err(error) => error.kind() == ErrorKind::NotFound,
            Ok(file) => {
                let read = file.take(VAULT_FILE_CHUNK as u64).read_to_end(&mut head);
                read.is_ok() && backend::begins_unfinished(&head)
            }
        }
    }

    /// The file at `path`, which must be no older than `anchor` remembers.
    ///
    /// # Errors
    /// `VaultUnavailable` if it cannot be read, somebody else has it open, or no vault was
    /// finished in it; `VaultTampered` if it was closed cleanly and has another byte than then,
    /// or is no database; `VaultRollback` if it is an older one, or has no anchor.
    pub fn open(path: impl AsRef<Path>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        let file = folder::open(path.as_ref()).map_err(unavailable)?;
        let backend = FileBackend::new(file).map_err(unavailable)?;
        FileStore::open_in(Locked::file(Arc::new(backend))?, anchor)
    }

    /// As [`open`](Self::open), in any backend.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(backend: Arc<dyn StorageBackend>, anchor: impl Anchor + 'static) -> Result<FileStore> {
        FileStore::open_in(Locked::any(backend)?, anchor)
    }

    /// In a file that is locked.
    fn open_in(backend: Locked, mut anchor: impl Anchor + 'static) -> Result<FileStore> {
        backend::check_len(&*backend)?;
        let anchored = anchor.read()?.ok_or(Reason::VaultRollback)?;
        if let Some(closed) = anchored.closed {
            if backend::digest(&*backend)? != closed {
                let is_older =
                    backend::read_head(&*backend).is_some_and(|head| head < anchored.mark.generation);
                return Err(if is_older { Reason::VaultRollback } else { Reason::VaultTampered });
            }
            anchor.write(Anchored { closed: None, ..anchored })?;
        }
        // A database would be begun behind whatever is there.
        if !backend::is_vault(&*backend) {
            return Err(Reason::VaultTampered);
        }
        let is_unfinished = backend::is_unfinished(&*backend).map_err(unavailable)?;
        // What was closed cleanly is known to the bit; what was not might be anything.
        let started = FileStore::start(backend, Box::new(anchor), anchored.closed.is_none());
        if !is_unfinished {
            return started;
        }
        let mut store = started.map_err(|_| Reason::VaultUnavailable)?;
        if store.is_empty()? {
            return Err(Reason::VaultUnavailable);
        }
        store.finish()?;
        Ok(store)
    }

    /// Every row.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    pub(super) fn rows(&self) -> Result<MemoryStore> {
        let mut rows = MemoryStore::default();
        let last = [u8::MAX; 64];
        self.visit(&[], &last, &mut |key, row| {
            rows.rows().insert(key.to_vec(), row.to_vec());
            Ok(())
        })?;
        Ok(rows)
    }

    /// Copies every row, as of the last transaction, into a new file with an anchor of its own, and
    /// closes that: a backup, which opens as the file itself does. The file stays at work.
    ///
    /// # Errors
    /// As [`create`](Self::create); `OutcomeUnknown` if what is at `path` may be whole or not.
    pub fn copy_to(&self, path: impl AsRef<Path>, anchor: impl Anchor + 'static) -> Result<Mark> {
        let mark = self.anchored()?.ok_or(Reason::VaultRollback)?;
        let mut copy = FileStore::create(path, anchor)?;
        let batch = self.rows()?.rows().iter().map(|(key, row)| (key.clone(), Some(row.clone()))).collect();
        copy.apply(batch, mark)?;
        copy.close()?;
        Ok(mark)
    }

    fn start(backend: Locked, anchor: Box<dyn Anchor>, check_integrity: bool) -> Result<FileStore> {
        let is_unfinished = backend::is_unfinished(&*backend).map_err(unavailable)?;
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(check_integrity)
            .create_with_backend(backend.behind())
            .map_err(|error| match error {
                redb::DatabaseError::Storage(redb::StorageError::Io(error))
                    if error.kind() != ErrorKind::InvalidData =>
                {
                    Reason::VaultUnavailable
                }
                _ => Reason::VaultTampered,
            })?;
        Ok(FileStore { database: Some(database), backend, anchor, is_unfinished })
    }

    /// Has the head page say that there is a vault.
    fn finish(&mut self) -> Result<()> {
        if self.is_unfinished {
            backend::write_head(&*self.backend, UNUSED.generation).map_err(unavailable)?;
            self.is_unfinished = false;
        }
        Ok(())
    }

    fn is_empty(&self) -> Result<bool> {
        let transaction = self.database()?.begin_read().map_err(unavailable)?;
        match transaction.open_table(ROWS) {
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(true),
            rows => rows.map(|_| false).map_err(unavailable),
        }
    }

    fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or(Reason::VaultUnavailable)
    }

    /// A transaction that is not committed yet: nothing of it is durable.
    fn prepare(&self, batch: &Batch) -> std::result::Result<redb::WriteTransaction, redb::Error> {
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
        Ok(transaction)
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
        let transaction = self.prepare(&batch).map_err(unavailable)?;
        let confirm = || {
            transaction.commit().map_err(unavailable)?;
            self.finish()?;
            self.catch_up(mark)
        };
        confirm().map_err(|_| Reason::OutcomeUnknown)
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
