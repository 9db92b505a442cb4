//! Where a vault's rows are kept: the trait, and rows in memory. A store sees sealed
//! bytes only, and must not know what they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// What a store answers.
pub type Result<T> = std::result::Result<T, Reason>;

/// Which state of a vault: what an anchor remembers outside the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Transactions since the vault was made.
    pub generation: u64,
    /// SHA-256 of the sealed row that says what all others are, which differs even
    /// between two states of one generation.
    #[serde(with = "hex::serde")]
    pub root: [u8; 32],
}

/// Rows to write, or to remove where there is `None`: all of them or none, and none twice.
pub type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What is done with each row, by key and value; an error ends the visit.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// Rows by key, and an anchor that notices when they are older than they were.
pub trait Store {
    /// The row of `key`.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Hands every row from `from` to before `to` to `visit`, in order of the keys.
    ///
    /// # Errors
    /// `VaultUnavailable`, or the visitor's.
    fn visit(&self, from: &[u8], to: &[u8], visit: &mut Visitor) -> Result<()>;

    /// Makes `batch` durable as one transaction, then has the anchor remember `mark`.
    ///
    /// # Errors
    /// `VaultUnavailable` if nothing was written; `OutcomeUnknown` if the batch may have become
    /// durable or not, whole in either case.
    fn apply(&mut self, batch: Batch, mark: Mark) -> Result<()>;

    /// What the anchor remembers; `None` if this store has none.
    ///
    /// # Errors
    /// `VaultUnavailable`, `VaultRollback`.
    fn anchored(&self) -> Result<Option<Mark>>;

    /// Has the anchor remember `mark`, for a transaction that was durable when the anchor
    /// was not yet.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    fn catch_up(&mut self, mark: Mark) -> Result<()>;

    /// Ends the work cleanly.
    ///
    /// # Errors
    /// `VaultUnavailable`.
    fn close(&mut self) -> Result<()>;
}

/// Rows in memory, which are gone with the process. A clone is a thief's copy.
#[derive(Clone, Default, Debug)]
pub struct MemoryStore {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryStore {
    /// Every row: what somebody has who reads the memory.
    pub fn rows(&mut self) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        &mut self.rows
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.rows.get(key).cloned())
    }

    fn visit(&self, from: &[u8], to: &[u8], visit: &mut Visitor) -> Result<()> {
        self.rows.range(from.to_vec()..to.to_vec()).try_for_each(|(key, row)| visit(key, row))
    }

    fn apply(&mut self, batch: Batch, _: Mark) -> Result<()> {
        for (key, row) in batch {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }

    fn anchored(&self) -> Result<Option<Mark>> {
        Ok(None)
    }

    fn catch_up(&mut self, _: Mark) -> Result<()> {
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
