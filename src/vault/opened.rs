//! An unsealed vault in memory: how it is read back and compared with the anchor, and how a
//! change becomes durable, all or nothing. Must not know what operations mean.

use std::collections::{BTreeMap, BTreeSet};

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::audit::{AuditHead, AuditRecord};
use super::draft::{Change, Held};
use super::frame::is_name;
use super::key::Key;
use super::message::{self, Response};
use super::records::{self, Keyring, Root, Written};
use super::seal::Seal;
use super::store::{Batch, Store};
use crate::crypto::{Result, sha256};
use crate::limits::MAX_AUDIT_PAGE;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What is in memory while a vault is unsealed.
pub(super) struct Open {
    pub keyring: Keyring,
    pub generation: u64,
    /// The digest of the root row.
    pub root: [u8; 32],
    pub audit: AuditHead,
    pub keys: BTreeMap<String, Held>,
    /// Documents that a service keeps, by name.
    pub kept: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// When something is next to happen to which key by itself.
    pub due: BTreeSet<(UnixNanos, String)>,
    pub written: Written,
    /// Whether the store is known to hold just this.
    pub certain: bool,
}

/// What goes into an audit record, its place in the log apart.
pub(super) struct Entry<'a> {
    pub actor: &'a str,
    pub operation: &'a str,
    pub key: Option<&'a str>,
    pub refused: Option<Reason>,
    pub at_risk: bool,
    pub at: UnixNanos,
}

/// The vault's memory, after a transaction whose fate is not known has been looked up: keys and
/// seal are those that became durable.
pub(super) fn ready<'a, S: Store>(
    store: &mut S,
    seal: &mut Seal,
    open: &'a mut Option<Open>,
) -> Result<&'a mut Open> {
    let open = open.as_mut().ok_or(Reason::Sealed)?;
    if !open.certain {
        let mut look = || {
            let found = Seal::read(&store.get(records::SEAL)?.ok_or(Reason::VaultTampered)?)?;
            Ok((found, Open::load(store, open.keyring.clone())?))
        };
        (*seal, *open) = look().map_err(|reason| match reason {
            Reason::VaultUnavailable => Reason::AuditUnavailable,
            other => other,
        })?;
    }
    Ok(open)
}

impl Open {
    pub fn load<S: Store>(store: &mut S, keyring: Keyring) -> Result<Open> {
        let row = store.get(records::ROOT)?.ok_or(Reason::VaultTampered)?;
        let root = Root::read(&keyring, &row)?;
        let mark = records::mark(root.generation, &row);
        // The transaction is durable before the anchor knows of it, so a crash between the
        // two leaves the store ahead by one: the honest owner is never locked out.
        match store.anchored()? {
            None => {}
            Some(anchored) if anchored == mark => {}
            Some(anchored)
                if anchored.generation.checked_add(1) == Some(root.generation)
                    && (anchored.root == root.previous || anchored.generation == 0) =>
            {
                store.catch_up(mark)?;
            }
            Some(_) => return Err(Reason::VaultRollback),
        }
        let mut open = Open {
            keyring,
            generation: root.generation,
            root: mark.root,
            audit: root.audit,
            keys: BTreeMap::new(),
            kept: BTreeMap::new(),
            due: BTreeSet::new(),
            written: Written::default(),
            certain: true,
        };
        open.load_keys(store)?;
        open.load_kept(store)?;
        let seal = store.get(records::SEAL)?.ok_or(Reason::VaultTampered)?;
        if root.is_of(sha256(&[&seal]), &open.written) { Ok(open) } else { Err(Reason::VaultTampered) }
    }

    fn load_keys<S: Store>(&mut self, store: &S) -> Result<()> {
        let (keyring, keys, written) = (&self.keyring, &mut self.keys, &mut self.written);
        let [from, to] = records::KEYS;
        store.visit(from, to, &mut |row, sealed| {
            let (generation, text) = keyring.open(row, sealed)?;
            let key: Key = message::decode(&text).map_err(|_| Reason::VaultTampered)?;
            // A key without versions, or in another's row, was not written by a vault.
            if key.versions.is_empty() || keyring.key_row(&key.name) != row {
                return Err(Reason::VaultTampered);
            }
            written.note(keyring, row, Some(generation));
            keys.insert(key.name.clone(), Held::new(key));
            Ok(())
        })?;
        for held in keys.values_mut() {
            for version in held.key.versions.clone() {
                let row = keyring.secret_row(&held.key.name, version.number);
                if let Some(sealed) = store.get(&row)? {
                    let (generation, secret) = keyring.open(&row, &sealed)?;
                    written.note(keyring, &row, Some(generation));
                    held.insert(version.number, secret);
                }
                let row = keyring.uses_row(&held.key.name, version.number);
                if let Some(sealed) = store.get(&row)? {
                    let (generation, uses) = keyring.open(&row, &sealed)?;
                    written.note(keyring, &row, Some(generation));
                    let uses = uses.as_slice().try_into().map_err(|_| Reason::VaultTampered)?;
                    held.key.count(version.number, u64::from_be_bytes(uses));
                }
            }
        }
        self.due = keys.iter().filter_map(|(name, held)| Some((held.key.due_at()?, name.clone()))).collect();
        Ok(())
    }

    fn load_kept<S: Store>(&mut self, store: &S) -> Result<()> {
        let (keyring, kept, written) = (&self.keyring, &mut self.kept, &mut self.written);
        let [from, to] = records::KEPT;
        store.visit(from, to, &mut |row, sealed| {
            let (generation, text) = keyring.open(row, sealed)?;
            let (name, document) = records::read_kept(&text).ok_or(Reason::VaultTampered)?;
            if keyring.kept_row(name) != row {
                return Err(Reason::VaultTampered);
            }
            written.note(keyring, row, Some(generation));
            kept.insert(name.to_owned(), Zeroizing::new(document.to_vec()));
            Ok(())
        })
    }

    /// Writes what changed, an audit record and the root that says so, all or nothing.
    ///
    /// # Errors
    /// `AuditUnavailable` (`VaultUnavailable` without a record) if nothing has changed but, at
    /// most, that there is a record; `OutcomeUnknown` if the change may have become durable.
    pub fn commit<S: Store>(
        &mut self,
        store: &mut S,
        seal: &Seal,
        mut batch: Batch,
        change: Change,
        entry: Option<Entry>,
        rng: &mut dyn CryptoRng,
    ) -> Result<()> {
        let generation = self.generation.checked_add(1).ok_or(Reason::AuditUnavailable)?;
        let nothing_changed =
            if entry.is_some() { Reason::AuditUnavailable } else { Reason::VaultUnavailable };
        let changes = !batch.is_empty()
            || !change.keys.is_empty()
            || !change.uses.is_empty()
            || !change.kept.is_empty();
        // Until the store has said so: whoever comes after a failure looks what it holds.
        self.certain = false;
        let Open { keyring, written, keys, .. } = self;
        let sealer = keyring.sealer(generation);
        let mut put = |row: Vec<u8>, text: Option<&[u8]>, rng: &mut dyn CryptoRng| {
            let was_there = written.note(keyring, &row, text.map(|_| generation));
            let sealed = text.map(|text| sealer.seal(&row, text, rng));
            if was_there || sealed.is_some() {
                batch.push((row, sealed));
            }
        };
        for (name, held) in &change.keys {
            put(keyring.key_row(name), Some(&message::encode(&held.key)), rng);
            let before = keys.get(name);
            for version in before.into_iter().flat_map(Held::versions).filter(|v| !held.has(*v)) {
                put(keyring.secret_row(name, version), None, rng);
                put(keyring.uses_row(name, version), None, rng);
            }
            for version in held.versions().filter(|v| !before.is_some_and(|before| before.has(*v))) {
                put(keyring.secret_row(name, version), Some(held.secret(version)?.secret()), rng);
            }
        }
        for uses in &change.uses {
            let row = keyring.uses_row(&uses.key, uses.version);
            put(row, Some(&uses.operations.to_be_bytes()), rng);
        }
        for (name, document) in &change.kept {
            let text = document.as_ref().map(|document| records::write_kept(name, document));
            put(keyring.kept_row(name), text.as_ref().map(|text| text.as_slice()), rng);
        }
        let mut audit = self.audit;
        if let Some(entry) = entry {
            let record = entry.record(audit);
            let row = records::audit_row(record.sequence);
            let sealed = sealer.seal(&row, &message::encode(&record), rng);
            batch.push((row, Some(sealed)));
            audit = audit.follow(&record)?;
        }
        let root = Root::new(generation, self.root, audit, written.digest(seal.digest()));
        let row = root.write(&sealer, rng);
        let mark = records::mark(generation, &row);
        batch.push((records::ROOT.to_vec(), Some(row)));
        store.apply(batch, mark).map_err(|reason| match reason {
            Reason::OutcomeUnknown if changes => reason,
            _ => nothing_changed,
        })?;
        (self.generation, self.root, self.audit, self.certain) = (generation, mark.root, audit, true);
        for uses in change.uses {
            if let Some(held) = self.keys.get_mut(&uses.key) {
                held.key.count(uses.version, uses.operations);
            }
        }
        for (name, document) in change.kept {
            match document {
                Some(document) => self.kept.insert(name, document),
                None => self.kept.remove(&name),
            };
        }
        for (name, held) in change.keys {
            self.due.extend(held.key.due_at().map(|at| (at, name.clone())));
            let due_at = held.key.due_at();
            if let Some(at) = self.keys.insert(name.clone(), held).and_then(|before| before.key.due_at())
                && Some(at) != due_at
            {
                self.due.remove(&(at, name));
            }
        }
        Ok(())
    }

    /// Records from one on, each followed by the next: none is missing among them.
    pub fn audit_page<S: Store>(&self, store: &S, from: u64, count: u64) -> Result<Response> {
        let from = from.max(1);
        let end = from.saturating_add(count.min(MAX_AUDIT_PAGE as u64));
        let end = end.min(self.audit.records.saturating_add(1)).max(from);
        let mut records: Vec<AuditRecord> = Vec::new();
        self.visit_audit(store, from, end, &mut |record| {
            let follows = match records.last() {
                None => record.sequence == from,
                Some(last) => AuditHead { records: last.sequence, hash: last.hash() }.follow(&record).is_ok(),
            };
            records.push(record);
            if follows { Ok(()) } else { Err(Reason::AuditChainBroken) }
        })?;
        let is_whole = records.len() as u64 == end - from;
        if is_whole { Ok(Response::Audit(records)) } else { Err(Reason::AuditChainBroken) }
    }

    pub fn visit_audit<S: Store>(
        &self,
        store: &S,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(AuditRecord) -> Result<()>,
    ) -> Result<()> {
        store.visit(&records::audit_row(from), &records::audit_row(to), &mut |row, sealed| {
            let (_, text) = self.keyring.open(row, sealed).map_err(|_| Reason::AuditChainBroken)?;
            visit(message::decode(&text).map_err(|_| Reason::AuditChainBroken)?)
        })
    }
}

impl Entry<'_> {
    fn record(&self, head: AuditHead) -> AuditRecord {
        // Whoever is refused may have sent anything for a name.
        let name = |name: &str| if is_name(name) { name } else { "(not a name)" }.to_owned();
        AuditRecord {
            sequence: head.records.saturating_add(1),
            at: self.at,
            actor: name(self.actor),
            operation: self.operation.to_owned(),
            key: self.key.map(name),
            refused: self.refused,
            at_risk: self.at_risk,
            previous: head.hash,
        }
    }
}
