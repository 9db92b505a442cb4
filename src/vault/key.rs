//! A key's description: everything but its secrets. Must not know storage or who asks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::{KeyKind, Usage};
use super::state::{Act, KeyState, Permission, Transition};
use crate::limits::{MAX_KEY_CHANGES, MAX_KEY_VERSIONS};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

/// What a new key is to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// Its algorithm.
    pub kind: KeyKind,
    /// Its purpose.
    pub usage: Usage,
    /// Who may use it.
    pub owner: String,
    /// Whether its secret may leave the vault, wrapped. Fixed for the key's life.
    pub exportable: bool,
    /// When it becomes active; at once if `None`.
    pub activate_at: Option<UnixNanos>,
    /// What may be changed later.
    pub settings: Settings,
}

impl KeySpec {
    /// A key that is active at once, never leaves the vault and has no limits of its own.
    pub fn new(kind: KeyKind, usage: Usage, owner: &str) -> KeySpec {
        KeySpec {
            kind,
            usage,
            owner: owner.to_owned(),
            exportable: false,
            activate_at: None,
            settings: Settings::default(),
        }
    }
}

/// What may be changed while a key lives.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The oldest version that may protect; 0: the latest only.
    pub min_encryption: u32,
    /// The oldest version that may process. It can be moved back: a policy, not destruction.
    pub min_decryption: u32,
    /// Rotate when the latest version is this old.
    pub auto_rotate_period: Option<Span>,
    /// Protecting operations that one version may do.
    pub max_operations: Option<u64>,
    /// Whether a version that is used up is rotated, or its operations refused.
    pub rotate_when_used_up: bool,
    /// How long a version protects (originator usage period, SP 800-57 pt 1 §5.3.5). When
    /// the latest version's has passed, the key is deactivated.
    pub originator_period: Option<Span>,
    /// How long a version processes, from the same start (recipient usage period).
    pub recipient_period: Option<Span>,
}

/// What is to be different about a key's settings: what is `None` stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// See [`Settings::min_encryption`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_encryption: Option<u32>,
    /// See [`Settings::min_decryption`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_decryption: Option<u32>,
    /// See [`Settings::auto_rotate_period`]; a period of nothing lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_rotate_period: Option<Span>,
    /// See [`Settings::max_operations`]; 0 lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_operations: Option<u64>,
    /// See [`Settings::rotate_when_used_up`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_when_used_up: Option<bool>,
    /// See [`Settings::originator_period`]; a period of nothing lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originator_period: Option<Span>,
    /// See [`Settings::recipient_period`]; a period of nothing lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_period: Option<Span>,
}

impl Changes {
    /// The settings that come of it.
    pub fn on(self, to: Settings) -> Settings {
        let period = |new: Option<Span>, old| new.map_or(old, |new| Some(new).filter(|new| *new != Span(0)));
        let most = |new: u64| Some(new).filter(|new| *new != 0);
        Settings {
            min_encryption: self.min_encryption.unwrap_or(to.min_encryption),
            min_decryption: self.min_decryption.unwrap_or(to.min_decryption),
            auto_rotate_period: period(self.auto_rotate_period, to.auto_rotate_period),
            max_operations: self.max_operations.map_or(to.max_operations, most),
            rotate_when_used_up: self.rotate_when_used_up.unwrap_or(to.rotate_when_used_up),
            originator_period: period(self.originator_period, to.originator_period),
            recipient_period: period(self.recipient_period, to.recipient_period),
        }
    }
}

/// What it takes to have just these settings, whatever was before.
impl From<Settings> for Changes {
    fn from(all: Settings) -> Changes {
        Changes {
            min_encryption: Some(all.min_encryption),
            min_decryption: Some(all.min_decryption),
            auto_rotate_period: Some(all.auto_rotate_period.unwrap_or(Span(0))),
            max_operations: Some(all.max_operations.unwrap_or(0)),
            rotate_when_used_up: Some(all.rotate_when_used_up),
            originator_period: Some(all.originator_period.unwrap_or(Span(0))),
            recipient_period: Some(all.recipient_period.unwrap_or(Span(0))),
        }
    }
}

/// One version of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyVersion {
    /// Counted from 1.
    pub number: u32,
    /// When its cryptoperiod began: at its making, or at the key's activation.
    pub since: UnixNanos,
    /// Protecting operations that it has done.
    pub operations: u64,
}

/// A transition that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateChange {
    /// What happened.
    pub transition: Transition,
    /// The state that it led to.
    pub to: KeyState,
    /// When.
    pub at: UnixNanos,
    /// Who did it; the vault itself, if the time had come.
    pub actor: String,
}

/// The actor of what the vault does by itself because the time has come.
pub const VAULT: &str = "vault";

/// A key without its secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name, unique in the vault.
    pub name: String,
    /// What it was made as, with its present settings.
    pub spec: KeySpec,
    /// Its state.
    pub state: KeyState,
    /// Whether it was deactivated because its time was up.
    pub expired: bool,
    /// When it will be destroyed.
    pub destroy_at: Option<UnixNanos>,
    /// Its versions that are not trimmed, by number; never empty.
    pub versions: Vec<KeyVersion>,
    /// How its state changed, in order.
    pub history: Vec<StateChange>,
}

/// `aes-256 to encrypt, active, version 2, of alice`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeySpec { kind, usage, owner, .. } = &self.spec;
        let (state, version) = (self.state.word(), self.latest().number);
        write!(f, "{} to {}, {state}, version {version}, of {owner}", kind.word(), usage.word())
    }
}

impl Key {
    /// A new key with one version, in pre-activation, or active if it is to be at once.
    pub(super) fn new(name: &str, spec: &KeySpec, actor: &str, now: UnixNanos) -> Key {
        let mut key = Key {
            name: name.to_owned(),
            spec: spec.clone(),
            state: KeyState::PreActivation,
            expired: false,
            destroy_at: None,
            versions: vec![KeyVersion { number: 1, since: now, operations: 0 }],
            history: Vec::new(),
        };
        if spec.activate_at.is_none() {
            key.enter(Transition::Activate, KeyState::Active, actor, now);
        }
        key
    }

    /// The latest version.
    pub fn latest(&self) -> KeyVersion {
        *self.versions.last().expect("a key has a version")
    }

    /// Moves along `transition`, recording who and when.
    ///
    /// # Errors
    /// `InvalidTransition` if the table has none from here.
    pub(super) fn change(
        &mut self,
        transition: Transition,
        actor: &str,
        now: UnixNanos,
    ) -> Result<(), Reason> {
        let to = self.state.after(transition, self.before()).ok_or(Reason::InvalidTransition)?;
        // A key that is compromised or destroyed must be able to say so whatever came before.
        let may_go_round =
            matches!(transition, Transition::Suspend | Transition::Resume | Transition::ScheduleDestruction);
        if may_go_round && self.history.len() >= MAX_KEY_CHANGES {
            return Err(Reason::InvalidTransition);
        }
        self.enter(transition, to, actor, now);
        Ok(())
    }

    /// The state before the present one.
    fn before(&self) -> KeyState {
        self.history.iter().nth_back(1).map_or(KeyState::PreActivation, |change| change.to)
    }

    fn enter(&mut self, transition: Transition, to: KeyState, actor: &str, now: UnixNanos) {
        if transition == Transition::Activate
            && let Some(version) = self.versions.last_mut()
        {
            version.since = now;
        }
        self.destroy_at = None;
        self.state = to;
        self.history.push(StateChange { transition, to, at: now, actor: actor.to_owned() });
    }

    /// Checks the key's state for `act`.
    ///
    /// # Errors
    /// The table's reason, `KeyExpired` in place of `KeyDeactivated` if that is why.
    pub(super) fn check_state(&self, act: Act, accept_risk: bool) -> Result<(), Reason> {
        match self.state.permits(act) {
            Permission::Allowed => Ok(()),
            Permission::AtRisk(_) if accept_risk => Ok(()),
            Permission::Refused(Reason::KeyDeactivated) if self.expired => Err(Reason::KeyExpired),
            Permission::AtRisk(reason) | Permission::Refused(reason) => Err(reason),
        }
    }

    /// The version that protects: `wanted` or the latest.
    ///
    /// # Errors
    /// `VersionBelowMinimum`, `VersionTrimmed`, `UnknownKey`.
    pub(super) fn protecting(&self, wanted: Option<u32>) -> Result<u32, Reason> {
        let latest = self.latest().number;
        let version = self.find(wanted.unwrap_or(latest))?.number;
        let Settings { min_encryption, min_decryption, .. } = self.spec.settings;
        let permitted = version == latest || (min_encryption != 0 && version >= min_encryption);
        // Nobody could read what a version protects that may not process.
        if permitted && version >= min_decryption { Ok(version) } else { Err(Reason::VersionBelowMinimum) }
    }

    /// Checks that `version` may process at `now`.
    ///
    /// # Errors
    /// `VersionBelowMinimum`, `VersionTrimmed`, `UnknownKey`, `KeyExpired`.
    pub(super) fn check_processing(&self, version: u32, now: UnixNanos) -> Result<(), Reason> {
        let found = self.find(version)?;
        if version < self.spec.settings.min_decryption {
            return Err(Reason::VersionBelowMinimum);
        }
        if is_over(found.since, self.spec.settings.recipient_period, now) {
            return Err(Reason::KeyExpired);
        }
        Ok(())
    }

    /// A version that is there.
    ///
    /// # Errors
    /// `VersionTrimmed`, `UnknownKey`.
    pub(super) fn find(&self, version: u32) -> Result<&KeyVersion, Reason> {
        let found = self.versions.iter().find(|v| v.number == version);
        let trimmed = version >= 1 && version <= self.latest().number;
        found.ok_or(if trimmed { Reason::VersionTrimmed } else { Reason::UnknownKey })
    }

    /// Protecting operations that `version` has done.
    pub(super) fn operations(&self, version: u32) -> u64 {
        self.versions.iter().find(|v| v.number == version).map_or(0, |v| v.operations)
    }

    /// Counts protecting operations of `version` up to `operations`.
    pub(super) fn count(&mut self, version: u32, operations: u64) {
        for v in self.versions.iter_mut().filter(|v| v.number == version) {
            v.operations = v.operations.max(operations);
        }
    }

    /// Protecting operations that each version may do.
    pub(super) fn most_operations(&self) -> u64 {
        let most = self.spec.kind.most_operations();
        self.spec.settings.max_operations.map_or(most, |max| max.min(most))
    }

    /// When the latest version should give way to a new one. A key that can have no more
    /// versions goes on with its last one.
    pub(super) fn rotates_at(&self) -> Option<UnixNanos> {
        let period = self.spec.settings.auto_rotate_period?;
        let may = self.state == KeyState::Active && self.versions.len() < MAX_KEY_VERSIONS;
        may.then(|| self.latest().since.after(period))
    }

    /// When the latest version may protect no more.
    pub(super) fn deactivates_at(&self) -> Option<UnixNanos> {
        let period = self.spec.settings.originator_period?;
        let protects = matches!(self.state, KeyState::Active | KeyState::Suspended);
        protects.then(|| self.latest().since.after(period))
    }

    /// When something is next to happen to it by itself.
    pub(super) fn due_at(&self) -> Option<UnixNanos> {
        let once = match self.state {
            KeyState::PreActivation => self.spec.activate_at,
            KeyState::PendingDestruction => self.destroy_at,
            _ => None,
        };
        [once, self.rotates_at(), self.deactivates_at()].into_iter().flatten().min()
    }

    /// Destroys the versions below one. A minimum among them goes up with what is left: it speaks
    /// of versions that there are.
    ///
    /// # Errors
    /// `UnknownKey` above the latest version.
    pub(super) fn trim(&mut self, below: u32) -> Result<(), Reason> {
        if below > self.latest().number {
            return Err(Reason::UnknownKey);
        }
        self.versions.retain(|version| version.number >= below);
        let oldest = self.oldest().number;
        let Settings { min_encryption, min_decryption, .. } = &mut self.spec.settings;
        for minimum in [min_encryption, min_decryption] {
            if *minimum != 0 {
                *minimum = oldest.max(*minimum);
            }
        }
        Ok(())
    }

    fn oldest(&self) -> KeyVersion {
        *self.versions.first().expect("a key has a version")
    }

    /// Checks what is to be different about the settings, and answers those that come of it.
    ///
    /// # Errors
    /// `VersionTrimmed` for a minimum below the oldest version that is left; else as
    /// [`check_settings`](Self::check_settings).
    pub(super) fn changed_settings(&self, changes: Changes) -> Result<Settings, Reason> {
        let mut minimums = changes.min_encryption.into_iter().chain(changes.min_decryption);
        if minimums.any(|minimum| minimum != 0 && minimum < self.oldest().number) {
            return Err(Reason::VersionTrimmed);
        }
        let settings = changes.on(self.spec.settings);
        self.check_settings(&settings)?;
        Ok(settings)
    }

    /// Checks that settings fit the key's versions.
    ///
    /// # Errors
    /// `InvalidSettings` for a minimum above the latest version, one that lets protect what may
    /// not be processed, a period of nothing, or one in which the key would protect what it may
    /// no longer process.
    pub(super) fn check_settings(&self, settings: &Settings) -> Result<(), Reason> {
        let latest = self.latest().number;
        let Settings { auto_rotate_period, originator_period, recipient_period, .. } = *settings;
        let protects_for = originator_period.into_iter().chain(auto_rotate_period).min();
        let reads_too_briefly =
            recipient_period.zip(protects_for).is_some_and(|(reads, writes)| reads < writes);
        let sound = settings.min_encryption <= latest
            && settings.min_decryption <= latest
            && (settings.min_encryption == 0 || settings.min_encryption >= settings.min_decryption)
            && settings.max_operations != Some(0)
            && ![auto_rotate_period, originator_period, recipient_period].contains(&Some(Span(0)))
            && !reads_too_briefly;
        if sound { Ok(()) } else { Err(Reason::InvalidSettings) }
    }
}

fn is_over(since: UnixNanos, period: Option<Span>, now: UnixNanos) -> bool {
    period.is_some_and(|period| now >= since.after(period))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scheduling a destruction and cancelling it is as much of a loop as suspending and resuming.
    #[test]
    fn no_loop_of_changes_is_without_a_limit() {
        for round in [
            [Transition::Suspend, Transition::Resume],
            [Transition::ScheduleDestruction, Transition::CancelDestruction],
        ] {
            let spec = KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice");
            let mut key = Key::new("k", &spec, "alice", UnixNanos(0));
            let mut round = round.iter().cycle();
            let step = |key: &mut Key, next| key.change(next, "alice", UnixNanos(0)).is_ok();
            while step(&mut key, *round.next().expect("it goes round")) {
                assert!(key.history.len() <= MAX_KEY_CHANGES + 1);
            }
            assert!(step(&mut key, Transition::Compromise), "a key can always say so");
        }
    }
}
