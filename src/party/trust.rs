//! A party's eyes on certificates and on the register. Must not know protocols.

use std::sync::Arc;

use super::cast::{Cast, Character};
use crate::knowledge::{Certified, Ring, Trust, Value};
use crate::notation::Name;
use crate::pki::RelyingParty;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What one party trusts.
pub struct PartyTrust {
    cast: Arc<Cast>,
    name: Name,
    /// Whether any certificate can be had for the asking: to the attacker they are public.
    every_certificate: bool,
    /// How it judges certificates.
    pub relying: RelyingParty,
    /// Its key table.
    pub ring: Ring,
    /// It takes no time stamp that is not later than this.
    pub earliest_stamp: Option<UnixNanos>,
}

impl PartyTrust {
    /// The trust of a principal.
    pub fn of(cast: &Arc<Cast>, character: &Character) -> PartyTrust {
        let relying = RelyingParty::new(character.trust.clone());
        PartyTrust {
            cast: cast.clone(),
            name: character.name.clone(),
            every_certificate: false,
            relying,
            ring: cast.ring.clone(),
            earliest_stamp: None,
        }
    }

    /// The attacker's: she has every certificate and checks none.
    pub fn of_attacker(cast: &Arc<Cast>, character: &Character) -> PartyTrust {
        PartyTrust { every_certificate: true, ..PartyTrust::of(cast, character) }
    }
}

impl Trust for PartyTrust {
    fn check(
        &mut self,
        certificate: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
    ) -> Result<Certified, Reason> {
        self.relying.check(certificate, expected, now)
    }

    fn certificate(&self, subject: &str) -> Option<Value> {
        let allowed = self.every_certificate || *self.name == *subject;
        self.cast.certificates.get(subject).filter(|_| allowed).cloned()
    }

    fn is_registered(&self, name: &str) -> bool {
        self.cast.registered.contains(name)
    }

    fn ring(&self) -> &Ring {
        &self.ring
    }

    fn earliest_stamp(&self) -> Option<UnixNanos> {
        self.earliest_stamp
    }
}
