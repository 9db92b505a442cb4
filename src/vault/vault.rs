//! A vault: sealed and unsealed, and one durable transaction for each operation. Must not
//! know what operations mean, nor how rows are kept.

use std::collections::BTreeMap;

use rand::Rng as _;
use zeroize::Zeroizing;

use super::audit::{AuditHead, AuditRecord};
use super::frame::is_name;
use super::key::{Key, VAULT};
use super::message::{self, Operation, Response};
use super::records::{self, Keyring, Root, Written};
use super::seal::{Master, Seal, Sealing, Unsealing};
use super::store::{Batch, Store};
use super::work::{self, Draft, Held};
use crate::crypto::{Result, Rng, Share};
use crate::limits::MAX_AUDIT_PAGE;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Which of its own checks a vault makes. A rehearsal of what happens without one leaves
/// it out; everybody else takes the default, which is all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Care {
    /// Ask the table of states, and do what a key's time has come for.
    pub key_state: bool,
    /// Write an audit record.
    pub audit: bool,
}

impl Default for Care {
    fn default() -> Self {
        Care { key_state: true, audit: true }
    }
}

/// Keys behind a seal, with an audit log, in a store.
pub struct Vault<S> {
    store: S,
    seal: Seal,
    open: Option<Open>,
}

/// What is in memory while a vault is unsealed.
struct Open {
    keyring: Keyring,
    generation: u64,
    /// The digest of the root row.
    root: [u8; 32],
    audit: AuditHead,
    keys: BTreeMap<String, Held>,
    written: Written,
    /// Whether the store is known to hold just this.
    certain: bool,
}

/// What goes into an audit record, its place in the log apart.
struct Entry<'a> {
    actor: &'a str,
    operation: &'a str,
    key: Option<&'a str>,
    refused: Option<Reason>,
    at_risk: bool,
    at: UnixNanos,
}

impl<S: Store> Vault<S> {
    /// Makes a vault in an empty store, and leaves it unsealed. With
    /// [`Sealing::Shares`] it answers the shares too, which are kept nowhere.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store is not empty or cannot be written; `Malformed` for a
    /// cost or a threshold that is not permitted.
    pub fn create(
        mut store: S,
        how: Sealing,
        actor: &str,
        rng: &mut Rng,
        now: UnixNanos,
    ) -> Result<(Vault<S>, Vec<Share>)> {
        if store.get(records::SEAL)?.is_some() {
            return Err(Reason::VaultUnavailable);
        }
        let mut vault = [0; 16];
        rng.fill_bytes(&mut vault);
        let mut master: Master = Zeroizing::new([0; 32]);
        rng.fill_bytes(master.as_mut_slice());
        let (seal, shares) = Seal::new(vault, &master, how, rng)?;
        let mut open = Open {
            keyring: Keyring { vault, master },
            generation: 0,
            root: [0; 32],
            audit: AuditHead::EMPTY,
            keys: BTreeMap::new(),
            written: Written::new(),
            certain: true,
        };
        let entry = Entry { actor, operation: "create", key: None, refused: None, at_risk: false, at: now };
        let batch = Batch::from([(records::SEAL.to_vec(), Some(seal.write()))]);
        open.commit(&mut store, &seal, batch, BTreeMap::new(), Some(entry), rng)?;
        Ok((Vault { store, seal, open: Some(open) }, shares))
    }

    /// Finds a vault in `store`, sealed.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store cannot be read or has none, `VaultTampered`.
    pub fn open(store: S) -> Result<Vault<S>> {
        let seal = Seal::read(&store.get(records::SEAL)?.ok_or(Reason::VaultUnavailable)?)?;
        Ok(Vault { store, seal, open: None })
    }

    /// Unseals: opens the master key, then every row, and compares all of it with the root
    /// and the root with the store's anchor.
    ///
    /// # Errors
    /// `DecryptFailed` for a wrong passphrase or shares that are wrong or too few;
    /// `VaultTampered` if a row is not what the vault wrote; `VaultRollback` if the rows
    /// are older than the anchor, or of another history; `VaultUnavailable`.
    pub fn unseal(&mut self, with: Unsealing) -> Result<()> {
        let master = self.seal.open(with)?;
        let keyring = Keyring { vault: self.seal.vault, master };
        self.open = Some(Open::load(&mut self.store, keyring)?);
        Ok(())
    }

    /// Forgets every key; what follows is refused as `Sealed`.
    pub fn seal(&mut self) {
        self.open = None;
    }

    /// Whether the vault is sealed.
    pub fn is_sealed(&self) -> bool {
        self.open.is_none()
    }

    /// Seals under another passphrase or new shares from now on. The master key stays, so
    /// a copy of the old file still opens with the old one.
    ///
    /// # Errors
    /// `Sealed`, `Malformed` as [`create`](Self::create), `AuditUnavailable`.
    pub fn reseal(
        &mut self,
        how: Sealing,
        actor: &str,
        rng: &mut Rng,
        now: UnixNanos,
    ) -> Result<Vec<Share>> {
        let open = ready(&mut self.store, &mut self.open)?;
        let (seal, shares) = Seal::new(self.seal.vault, &open.keyring.master, how, rng)?;
        let batch = Batch::from([(records::SEAL.to_vec(), Some(seal.write()))]);
        let entry = Entry { actor, operation: "reseal", key: None, refused: None, at_risk: false, at: now };
        open.commit(&mut self.store, &seal, batch, BTreeMap::new(), Some(entry), rng)?;
        self.seal = seal;
        Ok(shares)
    }

    /// Carries `operation` out for `actor`, who may do it as far as the vault is concerned,
    /// and makes what it changed and its audit record durable as one transaction before it
    /// answers. A refusal is recorded too, and changes nothing else.
    ///
    /// # Errors
    /// `Sealed`; `AuditUnavailable` if the transaction cannot be written (`VaultUnavailable`
    /// if `care` wants no record), and then nothing has changed; else the operation's.
    pub fn perform(
        &mut self,
        actor: &str,
        operation: &Operation,
        care: Care,
        rng: &mut Rng,
        now: UnixNanos,
    ) -> Result<Response> {
        let open = ready(&mut self.store, &mut self.open)?;
        let mut draft = Draft::new(&open.keys);
        if care.key_state
            && let Ok(Some(name)) = operation.key()
        {
            draft.settle(name, rng, now)?;
        }
        let settled = draft.clone();
        let answer = match operation {
            Operation::ReadAudit { from, count } => open.audit_page(&self.store, *from, *count),
            _ => work::execute(&mut draft, actor, operation, care.key_state, rng, now),
        };
        if answer.is_err() {
            draft = settled;
        }
        let entry = Entry {
            actor,
            operation: operation.verb().word(),
            key: operation.key().ok().flatten(),
            refused: answer.as_ref().err().copied(),
            at_risk: operation.accepts_risk(),
            at: now,
        };
        let changed = draft.into_changed();
        open.commit(&mut self.store, &self.seal, Batch::new(), changed, care.audit.then_some(entry), rng)?;
        answer
    }

    /// Records that `actor` was refused before the vault was asked.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn record_refusal(
        &mut self,
        actor: &str,
        operation: &Operation,
        refused: Reason,
        rng: &mut Rng,
        now: UnixNanos,
    ) -> Result<()> {
        let open = ready(&mut self.store, &mut self.open)?;
        let entry = Entry {
            actor,
            operation: operation.verb().word(),
            key: operation.key().ok().flatten(),
            refused: Some(refused),
            at_risk: operation.accepts_risk(),
            at: now,
        };
        open.commit(&mut self.store, &self.seal, Batch::new(), BTreeMap::new(), Some(entry), rng)
    }

    /// Does what the time has come for, as it would be done when a key is next used:
    /// activates, rotates, deactivates and destroys. Answers the names of the keys that
    /// changed, each with an audit record of its own.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn tick(&mut self, rng: &mut Rng, now: UnixNanos) -> Result<Vec<String>> {
        let open = ready(&mut self.store, &mut self.open)?;
        let mut settled = Vec::new();
        let names: Vec<String> = open.keys.keys().cloned().collect();
        for name in names {
            let mut draft = Draft::new(&open.keys);
            draft.settle(&name, rng, now)?;
            let changed = draft.into_changed();
            if changed.is_empty() {
                continue;
            }
            let entry = Entry {
                actor: VAULT,
                operation: "tick",
                key: Some(&name),
                refused: None,
                at_risk: false,
                at: now,
            };
            open.commit(&mut self.store, &self.seal, Batch::new(), changed, Some(entry), rng)?;
            settled.push(name);
        }
        Ok(settled)
    }

    /// A key without its secrets, without an audit record: for guards in front of the vault.
    ///
    /// # Errors
    /// `Sealed`, `UnknownKey`.
    pub fn key(&self, name: &str) -> Result<&Key> {
        let open = self.open.as_ref().ok_or(Reason::Sealed)?;
        open.keys.get(name).map(|held| &held.key).ok_or(Reason::UnknownKey)
    }

    /// The end of the audit log.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn audit_head(&self) -> Result<AuditHead> {
        self.open.as_ref().map(|open| open.audit).ok_or(Reason::Sealed)
    }

    /// Reads the whole audit log from the store and checks it.
    ///
    /// # Errors
    /// `Sealed`, `VaultUnavailable`; `AuditChainBroken` if a record was changed, removed,
    /// added or moved.
    pub fn verify_audit(&self) -> Result<AuditHead> {
        let open = self.open.as_ref().ok_or(Reason::Sealed)?;
        let mut head = AuditHead::EMPTY;
        open.visit_audit(&self.store, 0, u64::MAX, &mut |record| {
            head = head.follow(&record)?;
            Ok(())
        })?;
        if head == open.audit { Ok(head) } else { Err(Reason::AuditChainBroken) }
    }

    /// Seals the vault and closes its store cleanly.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store cannot say that it was closed; nothing that was
    /// acknowledged is lost by that.
    pub fn close(mut self) -> Result<()> {
        self.seal();
        self.store.close()
    }

    /// The store, with the vault sealed and not closed.
    pub fn into_store(self) -> S {
        self.store
    }
}

/// The vault's memory, after a transaction whose fate is not known has been looked up.
fn ready<'a, S: Store>(store: &mut S, open: &'a mut Option<Open>) -> Result<&'a mut Open> {
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
    fn load<S: Store>(store: &mut S, keyring: Keyring) -> Result<Open> {
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
        if records::digest(&seal, &open.written) != root.rows {
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
    fn commit<S: Store>(
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
        let mut written = self.written.clone();
        for (name, held) in &changed {
            let row = self.keyring.key_row(name);
            let sealed = self.keyring.seal(&row, generation, &message::encode(&held.key), rng);
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
                batch.insert(row.clone(), Some(self.keyring.seal(&row, generation, secret, rng)));
                written.insert(row, generation);
            }
        }
        let mut audit = self.audit;
        if let Some(entry) = entry {
            let record = entry.record(audit);
            let row = records::audit_row(record.sequence);
            let sealed = self.keyring.seal(&row, generation, &message::encode(&record), rng);
            batch.insert(row, Some(sealed));
            audit = audit.follow(&record)?;
        }
        let rows = records::digest(&seal.write(), &written);
        let root = Root { generation, previous: self.root, audit, rows };
        let row = root.write(&self.keyring, rng);
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

    fn audit_page<S: Store>(&self, store: &S, from: u64, count: u64) -> Result<Response> {
        let count = count.min(MAX_AUDIT_PAGE as u64);
        let mut records = Vec::new();
        self.visit_audit(store, from, from.saturating_add(count), &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok(Response::Audit(records))
    }

    fn visit_audit<S: Store>(
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
