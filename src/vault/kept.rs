//! Documents that a service keeps beside the keys, such as its register: sealed, recorded and
//! anchored as keys are, and handed out to whoever holds the unsealed vault. Must not know what
//! they say.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::calls::Caller;
use super::draft::Change;
use super::entropy::Entropy;
use super::frame::{check_input, is_name};
use super::handle::Vault;
use super::opened::Entry;
use super::store::Store;
use crate::crypto::Result;
use crate::limits::MAX_KEPT_DOCUMENTS;
use crate::reason::Reason;

impl<S: Store, E: Entropy> Vault<S, E> {
    /// Keeps documents by name, or removes those that are `None`, all of them or none, in one
    /// transaction with an audit record that says `operation` was done, about `key` if any.
    ///
    /// # Errors
    /// `Sealed`; `Malformed` for a name that is none or a document of more than
    /// [`MAX_VAULT_INPUT_BYTES`](crate::limits::MAX_VAULT_INPUT_BYTES); `VaultUnavailable` for
    /// more than [`MAX_KEPT_DOCUMENTS`](crate::limits::MAX_KEPT_DOCUMENTS); else as
    /// [`perform`](Vault::perform).
    pub fn keep(
        &mut self,
        by: Caller,
        operation: &str,
        key: Option<&str>,
        documents: Vec<(String, Option<Zeroizing<Vec<u8>>>)>,
    ) -> Result<()> {
        for (name, document) in &documents {
            check_input(&[document.as_ref().map_or(&[], |document| document.as_slice())])?;
            if !is_name(name) {
                return Err(Reason::Malformed);
            }
        }
        let kept = self.opened().ok_or(Reason::Sealed)?.kept.len();
        if kept.saturating_add(documents.len()) > MAX_KEPT_DOCUMENTS {
            return Err(Reason::VaultUnavailable);
        }
        let change = Change { kept: BTreeMap::from_iter(documents), ..Change::default() };
        let (actor, at) = (by.name, by.now);
        self.change(Entry { actor, operation, key, refused: None, at_risk: false, at }, change)
    }

    /// The document of this name.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn kept(&self, name: &str) -> Result<Option<&[u8]>> {
        let open = self.opened().ok_or(Reason::Sealed)?;
        Ok(open.kept.get(name).map(|document| document.as_slice()))
    }

    /// Documents whose names begin so, by name.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn kept_under(&self, prefix: &str) -> Result<impl Iterator<Item = (&str, &[u8])>> {
        let open = self.opened().ok_or(Reason::Sealed)?;
        let from = open.kept.range(prefix.to_owned()..);
        let under = from.take_while(move |(name, _)| name.starts_with(prefix));
        Ok(under.map(|(name, document)| (name.as_str(), document.as_slice())))
    }

    /// Records that a service refused something which is no operation of the vault.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`, `EntropyUnavailable`.
    pub fn note_refused(&mut self, by: Caller, operation: &str, refused: Reason) -> Result<()> {
        let (actor, at) = (by.name, by.now);
        self.record(Entry { actor, operation, key: None, refused: Some(refused), at_risk: false, at })
    }
}
