//! Keys with their secrets, and the draft of a change to them, which becomes true or is
//! thrown away. Must not know storage, audit or who may do what.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::key::{Key, KeySpec, KeyVersion, VAULT};
use super::kind::Usage;
use super::material::Material;
use super::state::{Act, KeyState, Transition};
use crate::crypto::{Result, Rng};
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

    pub fn rotate(&mut self, rng: &mut Rng, now: UnixNanos) -> Result<u32> {
        let number = self.key.latest().number.checked_add(1).ok_or(Reason::KeyUsageLimit)?;
        if self.key.versions.len() >= MAX_KEY_VERSIONS {
            return Err(Reason::KeyUsageLimit);
        }
        let KeySpec { kind, usage, .. } = self.key.spec;
        self.secrets.insert(number, Material::generate(kind, usage, rng));
        self.key.versions.push(KeyVersion { number, since: now, operations: 0 });
        Ok(number)
    }

    /// Whether the time has come for anything.
    pub fn is_due(&self, now: UnixNanos) -> bool {
        let is_past = |at: Option<UnixNanos>| at.is_some_and(|at| at <= now);
        let protects = matches!(self.key.state, KeyState::Active | KeyState::Suspended);
        (self.key.state == KeyState::PreActivation && is_past(self.key.spec.activate_at))
            || (self.key.state == KeyState::PendingDestruction && is_past(self.key.destroy_at))
            || self.key.is_due_for_rotation(now)
            || (protects && self.key.is_past_originator_period(now))
    }

    /// Does what the time has come for.
    pub fn settle(&mut self, rng: &mut Rng, now: UnixNanos) -> Result<()> {
        let is_due = |at: Option<UnixNanos>| at.is_some_and(|at| at <= now);
        match self.key.state {
            KeyState::PreActivation if is_due(self.key.spec.activate_at) => {
                let at = self.key.spec.activate_at.unwrap_or(now);
                self.change(Transition::Activate, VAULT, at)?;
            }
            KeyState::PendingDestruction if is_due(self.key.destroy_at) => {
                return self.change(Transition::Destroy, VAULT, now);
            }
            _ => {}
        }
        // A key that can have no more versions goes on with its last one.
        if self.key.is_due_for_rotation(now) && self.key.versions.len() < MAX_KEY_VERSIONS {
            self.rotate(rng, now)?;
        }
        let protects = matches!(self.key.state, KeyState::Active | KeyState::Suspended);
        if protects && self.key.is_past_originator_period(now) {
            self.change(Transition::Deactivate, VAULT, now)?;
            self.key.expired = true;
        }
        Ok(())
    }

    /// The version that protects, with one operation more on its account.
    pub fn spend(&mut self, wanted: Option<u32>, rng: &mut Rng, now: UnixNanos) -> Result<u32> {
        let version = self.key.protecting(wanted)?;
        let most = self.key.most_operations();
        let used_up = |v: &KeyVersion| v.number == version && v.operations >= most;
        let version = if !self.key.versions.iter().any(used_up) {
            version
        } else if wanted.is_none() && self.key.spec.settings.rotate_when_used_up {
            self.rotate(rng, now)?
        } else {
            return Err(Reason::KeyUsageLimit);
        };
        for v in self.key.versions.iter_mut().filter(|v| v.number == version) {
            v.operations = v.operations.saturating_add(1);
        }
        Ok(version)
    }

    /// Checks purpose and state before `act`.
    pub fn check(&self, usage: Usage, act: Act, accept_risk: bool, enforce: bool) -> Result<()> {
        if self.key.spec.usage != usage {
            return Err(Reason::WrongKeyUsage);
        }
        if enforce { self.key.check_state(act, accept_risk) } else { Ok(()) }
    }
}

/// The keys as they will be if all goes well.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub base: &'a BTreeMap<String, Held>,
    pub changed: BTreeMap<String, Held>,
}

impl<'a> Draft<'a> {
    pub fn new(base: &'a BTreeMap<String, Held>) -> Self {
        Draft { base, changed: BTreeMap::new() }
    }

    pub fn into_changed(self) -> BTreeMap<String, Held> {
        self.changed
    }

    /// Does what the time has come for, if there is such a key.
    pub fn settle(&mut self, name: &str, rng: &mut Rng, now: UnixNanos) -> Result<()> {
        let Some(held) = self.base.get(name).filter(|held| held.is_due(now)) else { return Ok(()) };
        let mut settled = held.clone();
        settled.settle(rng, now)?;
        if settled.key != held.key {
            self.changed.insert(name.to_owned(), settled);
        }
        Ok(())
    }

    pub fn get(&self, name: &str) -> Result<&Held> {
        self.changed.get(name).or_else(|| self.base.get(name)).ok_or(Reason::UnknownKey)
    }

    pub fn get_mut(&mut self, name: &str) -> Result<&mut Held> {
        let held = self.get(name)?.clone();
        Ok(self.changed.entry(name.to_owned()).or_insert(held))
    }

    pub fn names(&self) -> Vec<String> {
        self.base.keys().cloned().collect()
    }
}
