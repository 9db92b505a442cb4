//! What may be asked of the key centre, as scenarios say it. Must not know how it is asked.

use std::fmt;

use crate::notation::{Name, Term};
use crate::time::{SimTime, Span};
use crate::vault::{Changes, KeyKind, RevocationCause, Settings, Usage};

/// What is asked of the key centre. `of` is the number of the request whose result it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// A new key.
    Generate {
        /// Its name.
        key: String,
        /// Its algorithm.
        kind: KeyKind,
        /// Its purpose.
        usage: Usage,
        /// Whose it is.
        owner: Name,
        /// Whether it may leave the centre, wrapped.
        exportable: bool,
        /// When it becomes active; at once if none.
        active_from: Option<SimTime>,
        /// Its periods and limits.
        settings: Settings,
    },
    /// A text under a key.
    Encrypt {
        /// The key.
        key: String,
        /// The text.
        text: String,
        /// What it is bound to.
        context: String,
        /// The key's version; the newest if none.
        version: Option<u32>,
    },
    /// A ciphertext's text.
    Decrypt {
        /// Whose result.
        of: u32,
        /// What it is bound to.
        context: String,
        /// Whether a suspended or compromised key will do.
        accept_risk: bool,
    },
    /// A ciphertext under the newest version.
    Rewrap {
        /// Whose result.
        of: u32,
        /// What it is bound to.
        context: String,
    },
    /// A signature.
    Sign {
        /// The key.
        key: String,
        /// What is signed.
        text: String,
    },
    /// Whether a signature is good.
    Verify {
        /// Whose result.
        of: u32,
        /// What was signed.
        text: String,
        /// Whether a suspended or compromised key will do.
        accept_risk: bool,
    },
    /// A secret agreed with the centre's key.
    Agree {
        /// The key.
        key: String,
        /// Its algorithm.
        kind: KeyKind,
    },
    /// The key itself, wrapped for who asks.
    Export {
        /// The key.
        key: String,
        /// Its version; the newest if none.
        version: Option<u32>,
    },
    /// Other periods and limits.
    Configure {
        /// The key.
        key: String,
        /// Which are different.
        changes: Changes,
    },
    /// The destruction of old versions.
    Trim {
        /// The key.
        key: String,
        /// Below this one.
        below: u32,
    },
    /// That a key be revoked.
    Revoke {
        /// The key.
        key: String,
        /// Why.
        cause: RevocationCause,
    },
    /// That a key be destroyed after a while.
    ScheduleDestruction {
        /// The key.
        key: String,
        /// After which.
        wait: Span,
    },
    /// One of the operations that need no more than the key's name.
    Plain {
        /// Which.
        what: Plain,
        /// The key.
        key: String,
    },
    /// The names of all keys.
    List,
    /// The audit log.
    ReadAudit,
}

/// An operation on a key that needs no more than its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plain {
    /// A new version.
    Rotate,
    /// Take it into use.
    Activate,
    /// Take it out of use for a while.
    Suspend,
    /// Take it back into use.
    Resume,
    /// Destroy it now.
    Destroy,
    /// Do not destroy it after all.
    CancelDestruction,
    /// Everything about it but its secret.
    Describe,
    /// Its public half.
    PublicKey,
}

impl Plain {
    /// Each with its word.
    pub const ALL: [(Plain, &'static str); 8] = [
        (Plain::Rotate, "rotate"),
        (Plain::Activate, "activate"),
        (Plain::Suspend, "suspend"),
        (Plain::Resume, "resume"),
        (Plain::Destroy, "destroy"),
        (Plain::CancelDestruction, "cancel-destruction"),
        (Plain::Describe, "describe"),
        (Plain::PublicKey, "public-key"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Plain::ALL.iter().find(|(plain, _)| *plain == self).map_or("", |(_, word)| word)
    }
}

/// The one-time code that goes with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Code {
    /// None.
    None,
    /// What the asker's own device shows.
    Own,
    /// Numbers drawn at random.
    Guess,
    /// A code that an event handed to the attacker.
    Stolen(Term),
}

/// A wish, and how it is put forward.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plea {
    /// What is asked.
    pub wish: Wish,
    /// Whom the request says that it is from, if not who asks.
    pub claims: Option<Name>,
    /// Whether it is sealed under the key that the asker shares with the centre, which proves
    /// who asks. Without, it is in the clear.
    pub proof: bool,
    /// The one-time code.
    pub code: Code,
    /// Who else consents.
    pub approved_by: Option<Name>,
    /// How often it is tried, if a guessed code is wrong.
    pub attempts: u32,
    /// From one try to the next.
    pub every: Span,
}

impl Wish {
    /// The number of the request whose result it is about.
    pub fn of(&self) -> Option<u32> {
        match self {
            Wish::Decrypt { of, .. } | Wish::Rewrap { of, .. } | Wish::Verify { of, .. } => Some(*of),
            _ => None,
        }
    }
}

fn at_risk(is_accepted: bool) -> &'static str {
    if is_accepted { ", at an accepted risk" } else { "" }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wish::Generate { key, kind, .. } => write!(f, "a new key {key} ({})", kind.word()),
            Wish::Encrypt { key, version: None, .. } => write!(f, "a text under {key}"),
            Wish::Encrypt { key, version: Some(version), .. } => {
                write!(f, "a text under version {version} of {key}")
            }
            Wish::Decrypt { of, accept_risk, .. } => {
                write!(f, "the text in what request {of} gave{}", at_risk(*accept_risk))
            }
            Wish::Rewrap { of, .. } => write!(f, "what request {of} gave under the newest version"),
            Wish::Sign { key, .. } => write!(f, "a signature with {key}"),
            Wish::Verify { of, accept_risk, .. } => {
                write!(f, "whether the signature of request {of} is good{}", at_risk(*accept_risk))
            }
            Wish::Agree { key, .. } => write!(f, "a secret agreed with {key}"),
            Wish::Export { key, .. } => write!(f, "the key {key} itself"),
            Wish::Configure { key, .. } => write!(f, "other limits for {key}"),
            Wish::Trim { key, below } => write!(f, "the destruction of {key} below version {below}"),
            Wish::Revoke { key, cause } => {
                write!(f, "the revocation of {key}: {}", cause.word())
            }
            Wish::ScheduleDestruction { key, wait } => write!(f, "the destruction of {key} in {wait}"),
            Wish::Plain { what, key } => match what {
                Plain::Rotate => write!(f, "a new version of {key}"),
                Plain::Activate => write!(f, "the activation of {key}"),
                Plain::Suspend => write!(f, "the suspension of {key}"),
                Plain::Resume => write!(f, "the end of the suspension of {key}"),
                Plain::Destroy => write!(f, "the destruction of {key}"),
                Plain::CancelDestruction => write!(f, "{key} to be kept after all"),
                Plain::Describe => write!(f, "what is known of {key}"),
                Plain::PublicKey => write!(f, "the public half of {key}"),
            },
            Wish::List => f.write_str("the names of all keys"),
            Wish::ReadAudit => f.write_str("the audit log"),
        }
    }
}
