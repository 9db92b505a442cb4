//! A vault as its callers see it: sealed and unsealed, one transaction for each operation.
//! Must not know what operations mean, nor how rows are sealed or kept.

use std::collections::{BTreeMap, BTreeSet};

use rand::CryptoRng;

use super::audit::AuditHead;
use super::draft::{Change, Draft};
use super::entropy::{Entropy, System};
use super::frame::is_name;
use super::key::{Key, VAULT};
use super::message::Operation;
use super::message::Response;
use super::opened::{Entry, Open, ready};
use super::records::{self, Keyring, Written};
use super::seal::{Seal, Sealing, Unsealing};
use super::secret::Secret;
use super::store::{Batch, Store};
use super::work;
use crate::crypto::Result;
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

/// Whoever acts on a key is in its history for ever.
fn check_actor(name: &str) -> Result<()> {
    if is_name(name) { Ok(()) } else { Err(Reason::Malformed) }
}

/// Keys behind a seal, with an audit log, in a store. Its random bytes are the operating
/// system's ([`System`]); only a rehearsal's are not, and its type says so.
pub struct Vault<S, E = System> {
    store: S,
    entropy: E,
    seal: Seal,
    open: Option<Open>,
    /// Whether the store's rows have been seen to be the vault's since it was opened.
    verified: bool,
}

impl<S: Store> Vault<S> {
    /// Makes a vault in an empty store, and leaves it unsealed.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store is not empty; `AuditUnavailable` if it cannot be written;
    /// `OutcomeUnknown` if there is a vault or none; `Malformed` for a cost that is not permitted;
    /// `EntropyUnavailable`.
    pub fn create(store: S, how: Sealing, actor: &str, now: UnixNanos) -> Result<Vault<S>> {
        Vault::create_from(System::new(), store, how, actor, now)
    }

    /// The generator of its own random bytes, for what a service makes beside keys.
    ///
    /// # Errors
    /// `EntropyUnavailable`.
    pub fn generator(&mut self) -> Result<&mut dyn CryptoRng> {
        self.entropy.generator()
    }

    /// Finds a vault in `store`, sealed.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store cannot be read or has none, `VaultTampered`.
    pub fn open(store: S) -> Result<Vault<S>> {
        Vault::open_from(System::new(), store)
    }
}

impl<S: Store, E: Entropy> Vault<S, E> {
    pub(super) fn create_from(
        mut entropy: E,
        mut store: S,
        how: Sealing<E>,
        actor: &str,
        now: UnixNanos,
    ) -> Result<Vault<S, E>> {
        check_actor(actor)?;
        if store.get(records::SEAL)?.is_some() {
            return Err(Reason::VaultUnavailable);
        }
        let rng = entropy.generator()?;
        let mut vault = [0; 16];
        rng.fill_bytes(&mut vault);
        let master = Secret::random(rng);
        let seal = Seal::new(vault, &master, how, rng)?;
        let mut open = Open {
            keyring: Keyring::new(vault, master),
            generation: 0,
            root: [0; 32],
            audit: AuditHead::EMPTY,
            keys: BTreeMap::new(),
            kept: BTreeMap::new(),
            due: BTreeSet::new(),
            written: Written::default(),
            certain: true,
        };
        let entry = Entry { actor, operation: "create", key: None, refused: None, at_risk: false, at: now };
        let batch = Batch::from([(records::SEAL.to_vec(), Some(seal.write()))]);
        open.commit(&mut store, &seal, batch, Change::default(), Some(entry), rng)?;
        Ok(Vault { store, entropy, seal, open: Some(open), verified: true })
    }

    pub(super) fn open_from(entropy: E, store: S) -> Result<Vault<S, E>> {
        let seal = Seal::read(&store.get(records::SEAL)?.ok_or(Reason::VaultUnavailable)?)?;
        Ok(Vault { store, entropy, seal, open: None, verified: false })
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
        let keyring = Keyring::new(self.seal.vault, master);
        self.open = Some(Open::load(&mut self.store, keyring)?);
        self.verified = true;
        Ok(())
    }

    /// Forgets every key; what follows is refused as `Sealed`.
    pub fn seal(&mut self) {
        self.open = None;
    }

    /// Where it keeps its rows.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }

    pub(super) fn opened(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Whether it is sealed under shares, and not under a passphrase: anybody can see that.
    pub fn takes_shares(&self) -> bool {
        self.seal.takes_shares()
    }

    /// Whether the vault is sealed.
    pub fn is_sealed(&self) -> bool {
        self.open.is_none()
    }

    /// Seals under another passphrase or new shares from now on. Until this has become durable
    /// the old seal opens, and whoever is to open the new one has what it takes already. The
    /// master key stays, so a copy of the old file still opens with the old one.
    ///
    /// # Errors
    /// `Sealed`; `Malformed` as [`create`](Vault::create); `AuditUnavailable` if the old seal is
    /// the seal; `OutcomeUnknown` if it is the one or the other; `EntropyUnavailable`.
    pub fn reseal(&mut self, how: Sealing<E>, actor: &str, now: UnixNanos) -> Result<()> {
        let open = ready(&mut self.store, &mut self.seal, &mut self.open)?;
        check_actor(actor)?;
        let rng = self.entropy.generator()?;
        let seal = Seal::new(self.seal.vault, open.keyring.master(), how, rng)?;
        let batch = Batch::from([(records::SEAL.to_vec(), Some(seal.write()))]);
        let entry = Entry { actor, operation: "reseal", key: None, refused: None, at_risk: false, at: now };
        open.commit(&mut self.store, &seal, batch, Change::default(), Some(entry), rng)?;
        self.seal = seal;
        Ok(())
    }

    /// Carries `operation` out for `actor`, who may do it as far as the vault is concerned,
    /// and makes what it changed and its audit record durable as one transaction before it
    /// answers. A refusal is recorded too, and changes nothing else.
    ///
    /// # Errors
    /// `Sealed`; `AuditUnavailable` if the transaction cannot be written (`VaultUnavailable`
    /// if `care` wants no record), and then the operation is not done; `OutcomeUnknown` if it was
    /// written and cannot be confirmed; `Malformed` for an actor whose name is none;
    /// `EntropyUnavailable`; else the operation's.
    pub fn perform(
        &mut self,
        actor: &str,
        operation: &Operation,
        care: Care,
        now: UnixNanos,
    ) -> Result<Response> {
        check_actor(actor)?;
        if care.key_state {
            self.tick(now).map_err(not_done)?;
        }
        let open = ready(&mut self.store, &mut self.seal, &mut self.open)?;
        let rng = self.entropy.generator()?;
        let mut draft = Draft::new(&open.keys);
        let answer = match operation {
            Operation::ReadAudit { from, count } => open.audit_page(&self.store, *from, *count),
            _ => work::execute(&mut draft, actor, operation, care.key_state, rng, now),
        };
        let change = if answer.is_ok() { draft.change } else { Change::default() };
        let entry = Entry {
            actor,
            operation: operation.verb().word(),
            key: operation.key().ok().flatten(),
            refused: answer.as_ref().err().copied(),
            at_risk: operation.accepts_risk(),
            at: now,
        };
        open.commit(&mut self.store, &self.seal, Batch::new(), change, care.audit.then_some(entry), rng)?;
        answer
    }

    /// Records that `actor` was refused before the vault was asked, or that nobody can tell for
    /// what it asked.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`, `EntropyUnavailable`.
    pub fn record_refusal(
        &mut self,
        actor: &str,
        operation: Option<&Operation>,
        refused: Reason,
        now: UnixNanos,
    ) -> Result<()> {
        self.record(Entry {
            actor,
            operation: operation.map_or("unreadable", |operation| operation.verb().word()),
            key: operation.and_then(|operation| operation.key().ok().flatten()),
            refused: Some(refused),
            at_risk: operation.is_some_and(Operation::accepts_risk),
            at: now,
        })
    }

    /// Writes a record of something that changes nothing.
    pub(super) fn record(&mut self, entry: Entry) -> Result<()> {
        self.change(entry, Change::default())
    }

    /// Makes a change durable with its record.
    pub(super) fn change(&mut self, entry: Entry, change: Change) -> Result<()> {
        let open = ready(&mut self.store, &mut self.seal, &mut self.open)?;
        let rng = self.entropy.generator()?;
        open.commit(&mut self.store, &self.seal, Batch::new(), change, Some(entry), rng)
    }

    /// Does what the time has come for, as it would be done before the next operation:
    /// activates, rotates, deactivates and destroys. Answers the names of the keys that
    /// changed, earliest first, each with an audit record of its own.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`, `EntropyUnavailable`; `OutcomeUnknown` if the last of them
    /// has changed or not.
    pub fn tick(&mut self, now: UnixNanos) -> Result<Vec<String>> {
        let open = ready(&mut self.store, &mut self.seal, &mut self.open)?;
        let due = open.due.iter().take_while(|(at, _)| *at <= now);
        let names: Vec<String> = due.map(|(_, name)| name.clone()).collect();
        for name in &names {
            let rng = self.entropy.generator()?;
            let mut draft = Draft::new(&open.keys);
            draft.get_mut(name)?.settle(rng, now)?;
            let change = draft.change;
            let entry = Entry {
                actor: VAULT,
                operation: "tick",
                key: Some(name),
                refused: None,
                at_risk: false,
                at: now,
            };
            open.commit(&mut self.store, &self.seal, Batch::new(), change, Some(entry), rng)?;
        }
        Ok(names)
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

    /// Seals the vault and closes its store cleanly. A store that was never unsealed is
    /// only let go: nobody knows that it is the right one, and an anchor that was told so
    /// would refuse the right one.
    ///
    /// # Errors
    /// `VaultUnavailable` if the store cannot say that it was closed; nothing that was
    /// acknowledged is lost by that.
    pub fn close(mut self) -> Result<()> {
        self.seal();
        if self.verified { self.store.close() } else { Ok(()) }
    }

    /// The store, with the vault sealed and not closed.
    pub fn into_store(self) -> S {
        self.store
    }

    pub(super) fn into_parts(self) -> (S, E) {
        (self.store, self.entropy)
    }
}

/// What comes before an operation failed, whatever became of that.
fn not_done(reason: Reason) -> Reason {
    if reason == Reason::OutcomeUnknown { Reason::AuditUnavailable } else { reason }
}
