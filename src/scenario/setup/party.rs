//! How a party behaves, and how it does unless its table says otherwise.

use crate::notation::Name;
use crate::party::{Alerts, Remembers};
use crate::pki::{Revocation, TrustPolicy};
use crate::time::Span;
use crate::vault::Rate;

/// How a party behaves.
#[derive(Clone, Debug)]
pub struct Party {
    /// How far its clock is ahead, in nanoseconds.
    pub clock_offset: i64,
    /// How far a time stamp may be from its clock.
    pub max_skew: Span,
    /// How many lines that cost public-key operations it can send in a time: any number if none.
    pub strength: Option<Rate>,
    /// How far ahead of its clock an expiry may lie: any distance if none.
    pub max_lifetime: Option<Span>,
    /// Bits of strength that a group must have for it to compute in it.
    pub min_strength: u32,
    /// How it judges certificates; the roots are not known yet.
    pub trust: TrustPolicy,
    /// Whether it sends an OCSP response along with its own certificates.
    pub staples: bool,
    /// The greatest age of a live session.
    pub session_max_age: Option<Span>,
    /// How long a live session goes on without a look whether its peers' certificates stand.
    pub recheck: Option<Span>,
    /// How often it looks at what the authority issued in its name.
    pub watch_issuance: Option<Span>,
    /// Whether the authority tells it at once of a revocation.
    pub push: bool,
    /// By what it knows messages again that it has accepted, if it refuses them then.
    pub replay_cache: Option<Remembers>,
    /// Whether what it remembers so outlives a restart.
    pub persistent_cache: bool,
    /// Whether it refuses ciphertexts, codes and signatures of its own.
    pub knows_own: bool,
    /// Whether after a restart it refuses time stamps that it may have accepted before.
    pub stamps_after_start: bool,
    /// What it tells whoever sent a message that it refuses; nothing if none.
    pub alerts: Option<Alerts>,
    /// The newest protocol that it speaks, if it refuses to fall back from that.
    pub newest: Option<Name>,
    /// Whether a centre looks a name up again that one of its own tickets vouches for.
    pub rechecks: bool,
    /// The password that it chose; drawn from the seed if none.
    pub password: Option<String>,
    /// The party under whose keys it works; its own if none.
    pub shares_key_of: Option<Name>,
}

impl Default for Party {
    fn default() -> Self {
        Party {
            clock_offset: 0,
            max_skew: Span::seconds(300),
            strength: None,
            max_lifetime: None,
            min_strength: 0,
            trust: TrustPolicy { revocation: Revocation::None, ..TrustPolicy::default() },
            staples: false,
            session_max_age: None,
            recheck: None,
            watch_issuance: None,
            push: false,
            replay_cache: None,
            persistent_cache: false,
            knows_own: false,
            stamps_after_start: false,
            alerts: None,
            newest: None,
            rechecks: true,
            password: None,
            shares_key_of: None,
        }
    }
}
