//! Keys with their secrets, and the draft of a change to them, which becomes true or is
//! thrown away. Must not know storage, audit or who may do what.

use std::collections::BTreeMap;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::key::{Key, KeySpec, KeyVersion, VAULT};
use super::kind::Usage;
use super::material::Material;
use super::state::{Act, KeyState, Transition};
use crate::crypto::Result;
use crate::limits::MAX_KEY_VERSIONS;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A key and its versions' secrets, which a destroyed key has no more.
#[derive(Clone)]
pub(super) struct Held {
    pub key: Key,
    pub secrets: BTreeMap<u32, Material>,
}

impl Held {
    pub fn new(key: Key) -> Held {
        Held { key, secrets: BTreeMap::new() }
    }

    /// Takes a secret in that was read back.
    pub fn insert(&mut self, version: u32, secret: Zeroizing<Vec<u8>>) {
        let KeySpec { kind, usage, .. } = self.key.spec;
        self.secrets.insert(version, Material::new(kind, usage, secret));
    }

    /// The versions that have secrets.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.secrets.keys().copied()
    }

    pub fn has(&self, version: u32) -> bool {
        self.secrets.contains_key(&version)
    }

    pub fn secret(&self, version: u32) -> Result<&Material> {
        self.secrets.get(&version).ok_or(Reason::KeyDestroyed)
    }

    /// Moves along `transition`; a key that is destroyed loses its secrets.
    pub fn change(&mut self, transition: Transition, actor: &str, now: UnixNanos) -> Result<()> {
        self.key.change(transition, actor, now)?;
        if matches!(self.key.state, KeyState::Destroyed | KeyState::DestroyedCompromised) {
            self.secrets.clear();
        }
        Ok(())
    }

    pub fn rotate(&mut self, rng: &mut dyn CryptoRng, now: UnixNanos) -> Result<u32> {
        let number = self.key.latest().number.checked_add(1).ok_or(Reason::KeyUsageLimit)?;
        if self.key.versions.len() >= MAX_KEY_VERSIONS {
            return Err(Reason::KeyUsageLimit);
        }
        let KeySpec { kind, usage, .. } = self.key.spec;
        self.secrets.insert(number, Material::generate(kind, usage, rng));
        self.key.versions.push(KeyVersion { number, since: now, operations: 0 });
        Ok(number)
    }

    /// Does what the time has come for.
    pub fn settle(&mut self, rng: &mut dyn CryptoRng, now: UnixNanos) -> Result<()> {
        let is_past = |at: Option<UnixNanos>| at.is_some_and(|at| at <= now);
        match self.key.state {
            KeyState::PreActivation if is_past(self.key.spec.activate_at) => {
                let at = self.key.spec.activate_at.unwrap_or(now);
                self.change(Transition::Activate, VAULT, at)?;
            }
            KeyState::PendingDestruction if is_past(self.key.destroy_at) => {
                return self.change(Transition::Destroy, VAULT, now);
            }
            _ => {}
        }
        if is_past(self.key.rotates_at()) {
            self.rotate(rng, now)?;
        }
        if is_past(self.key.deactivates_at()) {
            self.change(Transition::Deactivate, VAULT, now)?;
            self.key.expired = true;
        }
        Ok(())
    }

    /// Checks purpose and state before `act`.
    pub fn check(&self, usage: Usage, act: Act, accept_risk: bool, enforce: bool) -> Result<()> {
        if self.key.spec.usage != usage {
            return Err(Reason::WrongKeyUsage);
        }
        if enforce { self.key.check_state(act, accept_risk) } else { Ok(()) }
    }
}

/// What an operation changes.
#[derive(Default)]
pub(super) struct Change {
    /// Keys with another description or other secrets.
    pub keys: BTreeMap<String, Held>,
    /// Uses of keys that stay as they are.
    pub uses: Vec<Uses>,
    /// Documents by name; `None` removes one.
    pub kept: BTreeMap<String, Option<Zeroizing<Vec<u8>>>>,
}

/// Protecting operations that a version will have done.
pub(super) struct Uses {
    pub key: String,
    pub version: u32,
    pub operations: u64,
}

/// The keys as they will be if all goes well.
pub(super) struct Draft<'a> {
    pub base: &'a BTreeMap<String, Held>,
    pub change: Change,
}

impl<'a> Draft<'a> {
    pub fn new(base: &'a BTreeMap<String, Held>) -> Self {
        Draft { base, change: Change::default() }
    }

    pub fn get(&self, name: &str) -> Result<&Held> {
        self.change.keys.get(name).or_else(|| self.base.get(name)).ok_or(Reason::UnknownKey)
    }

    pub fn get_mut(&mut self, name: &str) -> Result<&mut Held> {
        let held = self.get(name)?.clone();
        Ok(self.change.keys.entry(name.to_owned()).or_insert(held))
    }

    /// The version that protects, with one operation more on its account.
    pub fn spend(
        &mut self,
        name: &str,
        wanted: Option<u32>,
        rng: &mut dyn CryptoRng,
        now: UnixNanos,
    ) -> Result<u32> {
        let key = &self.get(name)?.key;
        let mut version = key.protecting(wanted)?;
        let mut operations = key.operations(version);
        if operations >= key.most_operations() {
            if wanted.is_some() || !key.spec.settings.rotate_when_used_up {
                return Err(Reason::KeyUsageLimit);
            }
            (version, operations) = (self.get_mut(name)?.rotate(rng, now)?, 0);
        }
        let operations = operations.saturating_add(1);
        match self.change.keys.get_mut(name) {
            Some(held) => held.key.count(version, operations),
            None => self.change.uses.push(Uses { key: name.to_owned(), version, operations }),
        }
        Ok(version)
    }

    pub fn names(&self) -> Vec<String> {
        self.base.keys().cloned().collect()
    }
}
