//! The states of a key, and the one table of what is permitted in each and where each
//! leads (SP 800-57 pt 1 rev. 5 §7; KMIP 2.1 §4.57). Must not know keys or who asks.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// Where a key is in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Generated, not yet authorised for use (§7.1).
    PreActivation,
    /// May protect and process (§7.2).
    Active,
    /// Out of use for a while: may process at a risk that somebody accepts (§7.3).
    Suspended,
    /// May process what is protected already, and protect nothing more (§7.4).
    Deactivated,
    /// Somebody else may have it: processes only at an accepted risk (§7.5).
    Compromised,
    /// Waits to be destroyed and does nothing meanwhile (AWS KMS `PendingDeletion`).
    PendingDestruction,
    /// Its secrets are gone, its metadata stays (§7.6).
    Destroyed,
    /// Destroyed, and known to have been compromised before or after (KMIP).
    DestroyedCompromised,
}

/// What is done with a key's secrets or settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Act {
    /// Protect data.
    Encrypt,
    /// Process protected data.
    Decrypt,
    /// Protect by a signature.
    Sign,
    /// Process a signature.
    Verify,
    /// Establish a secret, which protects what comes after.
    Agree,
    /// Protect another key.
    Wrap,
    /// Decrypt under an old version and encrypt under the latest.
    Rewrap,
    /// Make a new version.
    Rotate,
    /// Hand the secret itself out, wrapped.
    Export,
    /// Change settings, or trim old versions.
    Configure,
}

/// What moves a key from state to state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// Authorise a key for use.
    Activate,
    /// Take it out of use for a while.
    Suspend,
    /// Take it back into use.
    Resume,
    /// End its originator usage period: by revocation for another reason than compromise,
    /// or because its time is up.
    Deactivate,
    /// Revoke it because somebody else may have it.
    Compromise,
    /// Have it destroyed after a waiting period.
    ScheduleDestruction,
    /// Think better of it.
    CancelDestruction,
    /// Destroy its secrets.
    Destroy,
}

/// What the table says about an act in a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Go on.
    Allowed,
    /// Only if the request says that it accepts the risk; else refused for this reason.
    AtRisk(Reason),
    /// Never.
    Refused(Reason),
}

impl KeyState {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            KeyState::PreActivation => "pre-activation",
            KeyState::Active => "active",
            KeyState::Suspended => "suspended",
            KeyState::Deactivated => "deactivated",
            KeyState::Compromised => "compromised",
            KeyState::PendingDestruction => "pending-destruction",
            KeyState::Destroyed => "destroyed",
            KeyState::DestroyedCompromised => "destroyed-compromised",
        }
    }

    /// Every state.
    pub const ALL: &'static [KeyState] = &[
        KeyState::PreActivation,
        KeyState::Active,
        KeyState::Suspended,
        KeyState::Deactivated,
        KeyState::Compromised,
        KeyState::PendingDestruction,
        KeyState::Destroyed,
        KeyState::DestroyedCompromised,
    ];

    /// The table of state × act.
    pub fn permits(self, act: Act) -> Permission {
        use Permission::{Allowed, AtRisk, Refused};
        match (self, act) {
            (KeyState::Active, _) => Allowed,
            (KeyState::PreActivation, Act::Configure) => Allowed,
            (KeyState::PreActivation, _) => Refused(Reason::KeyNotActive),
            (KeyState::Suspended, Act::Configure) => Allowed,
            (KeyState::Suspended, Act::Decrypt | Act::Verify) => AtRisk(Reason::KeySuspended),
            (KeyState::Suspended, _) => Refused(Reason::KeySuspended),
            (KeyState::Deactivated, Act::Decrypt | Act::Verify | Act::Configure) => Allowed,
            (KeyState::Deactivated, _) => Refused(Reason::KeyDeactivated),
            (KeyState::Compromised, Act::Configure) => Allowed,
            (KeyState::Compromised, Act::Decrypt | Act::Verify) => AtRisk(Reason::KeyCompromised),
            (KeyState::Compromised, _) => Refused(Reason::KeyCompromised),
            (KeyState::PendingDestruction, _) => Refused(Reason::PendingDestruction),
            (KeyState::Destroyed | KeyState::DestroyedCompromised, _) => Refused(Reason::KeyDestroyed),
        }
    }

    /// The table of state × transition: the next state, or `None` if there is none.
    ///
    /// `before`: the state that led to this one, to which a cancelled destruction goes back. Only
    /// what was active is suspended then (AWS KMS: disabled, until somebody enables it): who
    /// schedules a destruction has taken the key out of use, and has not ended its period.
    /// A compromised key is destroyed at once or kept; there is no waiting for it.
    pub fn after(self, transition: Transition, before: KeyState) -> Option<KeyState> {
        use KeyState::{
            Active, Compromised, Deactivated, Destroyed, DestroyedCompromised, PendingDestruction,
            PreActivation, Suspended,
        };
        match (self, transition) {
            (PreActivation, Transition::Activate) => Some(Active),
            (Active, Transition::Suspend) => Some(Suspended),
            (Suspended, Transition::Resume) => Some(Active),
            (Active | Suspended, Transition::Deactivate) => Some(Deactivated),
            (
                PreActivation | Active | Suspended | Deactivated | PendingDestruction,
                Transition::Compromise,
            ) => Some(Compromised),
            (Destroyed, Transition::Compromise) => Some(DestroyedCompromised),
            (PreActivation | Active | Suspended | Deactivated, Transition::ScheduleDestruction) => {
                Some(PendingDestruction)
            }
            (PendingDestruction, Transition::CancelDestruction) => {
                Some(if before == Active { Suspended } else { before })
            }
            (PreActivation | Active | Suspended | Deactivated | PendingDestruction, Transition::Destroy) => {
                Some(Destroyed)
            }
            (Compromised, Transition::Destroy) => Some(DestroyedCompromised),
            _ => None,
        }
    }
}

impl Act {
    /// Every act.
    pub const ALL: &'static [Act] = &[
        Act::Encrypt,
        Act::Decrypt,
        Act::Sign,
        Act::Verify,
        Act::Agree,
        Act::Wrap,
        Act::Rewrap,
        Act::Rotate,
        Act::Export,
        Act::Configure,
    ];
}

impl Transition {
    /// Every transition.
    pub const ALL: &'static [Transition] = &[
        Transition::Activate,
        Transition::Suspend,
        Transition::Resume,
        Transition::Deactivate,
        Transition::Compromise,
        Transition::ScheduleDestruction,
        Transition::CancelDestruction,
        Transition::Destroy,
    ];
}
