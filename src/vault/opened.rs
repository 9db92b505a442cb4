//! An unsealed vault in memory: how it is read back and compared with the anchor, and how a
//! change becomes durable, all or nothing. Must not know what operations mean.

use std::collections::BTreeMap;

use super::audit::{AuditHead, AuditRecord};
use super::draft::Held;
use super::frame::is_name;
use super::key::Key;
use super::message::{self, Response};
use super::records::{self, Keyring, Root, Written};
use super::seal::Seal;
use super::store::{Batch, Store};
use crate::crypto::{Result, Rng, sha256};
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

/// The vault's memory, after a transaction whose fate is not known has been looked up.
pub(super) fn ready<'a, S: Store>(store: &mut S, open: &'a mut Option<Open>) -> Result<&'a mut Open> {
    let open = open.as_mut().ok_or(Reason::Sealed)?;
    if !open.certain {
        *open = Open::load(store, open.keyring.clone()).map_err(|reason| match reason {
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
            written: Written::new(),
            certain: true,
        };
        open.load_keys(store)?;
        let seal = store.get(records::SEAL)?.ok_or(Reason::VaultTampered)?;
        if records::digest(sha256(&[&seal]), &open.written) != root.rows {
            return Err(Reason::VaultTampered);
        }
        Ok(open)
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
            written.insert(row.to_vec(), generation);
            keys.insert(key.name.clone(), Held::new(key));
            Ok(())
        })?;
        for held in keys.values_mut() {
            for version in held.key.versions.clone() {
                let row = keyring.secret_row(&held.key.name, version.number);
                if let Some(sealed) = store.get(&row)? {
                    let (generation, secret) = keyring.open(&row, &sealed)?;
                    written.insert(row, generation);
                    held.insert(version.number, secret);
                }
            }
        }
        Ok(())
    }

    /// Writes what changed, an audit record and the root that says so, all or nothing.
    pub fn commit<S: Store>(
        &mut self,
        store: &mut S,
        seal: &Seal,
        mut batch: Batch,
        changed: BTreeMap<String, Held>,
        entry: Option<Entry>,
        rng: &mut Rng,
    ) -> Result<()> {
        let generation = self.generation.checked_add(1).ok_or(Reason::AuditUnavailable)?;
        let is_audited = entry.is_some();
        let sealer = self.keyring.sealer(generation);
        let mut written = self.written.clone();
        for (name, held) in &changed {
            let row = self.keyring.key_row(name);
            let sealed = sealer.seal(&row, &message::encode(&held.key), rng);
            batch.insert(row.clone(), Some(sealed));
            written.insert(row, generation);
            let before = self.keys.get(name);
            for version in before.into_iter().flat_map(Held::versions).filter(|v| !held.has(*v)) {
                let row = self.keyring.secret_row(name, version);
                written.remove(&row);
                batch.insert(row, None);
            }
            for version in held.versions().filter(|v| !before.is_some_and(|before| before.has(*v))) {
                let row = self.keyring.secret_row(name, version);
                let secret = held.secret(version)?.secret();
                batch.insert(row.clone(), Some(sealer.seal(&row, secret, rng)));
                written.insert(row, generation);
            }
        }
        let mut audit = self.audit;
        if let Some(entry) = entry {
            let record = entry.record(audit);
            let row = records::audit_row(record.sequence);
            let sealed = sealer.seal(&row, &message::encode(&record), rng);
            batch.insert(row, Some(sealed));
            audit = audit.follow(&record)?;
        }
        let rows = records::digest(seal.digest(), &written);
        let root = Root { generation, previous: self.root, audit, rows };
        let row = root.write(&sealer, rng);
        let mark = records::mark(generation, &row);
        batch.insert(records::ROOT.to_vec(), Some(row));
        if store.apply(&batch, mark).is_err() {
            self.certain = false;
            return Err(if is_audited { Reason::AuditUnavailable } else { Reason::VaultUnavailable });
        }
        (self.generation, self.root, self.audit, self.written) = (generation, mark.root, audit, written);
        self.keys.extend(changed);
        Ok(())
    }

    pub fn audit_page<S: Store>(&self, store: &S, from: u64, count: u64) -> Result<Response> {
        let count = count.min(MAX_AUDIT_PAGE as u64);
        let mut records = Vec::new();
        self.visit_audit(store, from, from.saturating_add(count), &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok(Response::Audit(records))
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
