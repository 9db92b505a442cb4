//! A party's eyes on certificates and on the register. Must not know protocols.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cast::{Cast, Character};
use crate::algebra::{Private, Value};
use crate::knowledge::{Certified, Ring, Trust};
use crate::limits::MAX_LOOKUPS;
use crate::notation::Name;
use crate::pki::{Certificates, Judgement, RelyingParty, Want, at_face_value};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What one party trusts, and the keys and certificates that it has got since it began.
pub struct PartyTrust {
    cast: Arc<Cast>,
    name: Name,
    /// Whether any certificate can be had for the asking: to the attacker they are public.
    every_certificate: bool,
    /// How it judges certificates.
    pub relying: RelyingParty,
    /// What it has asked for already, for the decision at hand.
    pub asked: BTreeSet<Want>,
    /// What it wants to know before it decides; then `check` has decided nothing.
    pub wants: BTreeSet<Want>,
    /// The certificates that passed since this was last emptied, with their subjects.
    pub passed: Vec<(Vec<u8>, String)>,
    /// Its own certificates, if they are others than it began with.
    certificates: Option<Certificates>,
    /// Its own keys, if they are others than it began with.
    pub keys: Option<Private>,
    /// The latest OCSP response about each of its own certificates, by their names there (CertID,
    /// DER), to go with them; empty where it has none yet.
    staples: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Its key table.
    pub ring: Ring,
    /// It takes no time stamp that is not later than this.
    pub earliest_stamp: Option<UnixNanos>,
    /// Who judges certificates in its place, if somebody does.
    pub outside: Option<Outside>,
}

/// A judge outside, who stands in a party's place.
#[derive(Default)]
pub struct Outside {
    /// The bundle about which a word is wanted.
    pub bundle: Vec<u8>,
    /// The word, for the decision at hand.
    pub word: Option<Result<(), Reason>>,
}

impl PartyTrust {
    /// The trust of a principal.
    pub fn of(cast: &Arc<Cast>, character: &Character) -> PartyTrust {
        PartyTrust {
            cast: cast.clone(),
            name: character.name.clone(),
            every_certificate: false,
            relying: character.trust.clone(),
            asked: BTreeSet::new(),
            wants: BTreeSet::new(),
            passed: Vec::new(),
            certificates: None,
            keys: None,
            staples: BTreeMap::new(),
            ring: cast.ring.clone(),
            earliest_stamp: None,
            outside: character.is_judged_outside.then(Outside::default),
        }
    }

    /// The attacker's: she has every certificate and checks none.
    pub fn of_attacker(cast: &Arc<Cast>, character: &Character) -> PartyTrust {
        PartyTrust { every_certificate: true, ..PartyTrust::of(cast, character) }
    }

    /// Whether it must ask so that its own certificates can go with responses that are not half
    /// over yet; `wants` says for what.
    pub fn wants_staples(&mut self, clock: UnixNanos) -> bool {
        let Some(own) = self.own() else { return false };
        let ids = self.relying.ids(&own.to_value().bytes, clock);
        self.staples.retain(|id, _| ids.contains(id));
        for id in &ids {
            self.staples.entry(id.clone()).or_default();
        }
        let stale =
            ids.into_iter().filter(|id| self.staples[id].is_empty() || self.relying.is_half_over(id, clock));
        let wants = stale.map(|id| Want::Ocsp { id });
        self.wants = wants.filter(|want| !self.asked.contains(want)).collect();
        !self.wants.is_empty()
    }

    /// Keeps a response, if it is about a certificate of its own.
    pub fn keep_staple(&mut self, id: &[u8], response: &[u8]) {
        if let Some(staple) = self.staples.get_mut(id) {
            *staple = response.to_vec();
        }
    }

    /// Takes new certificates and their keys; they need responses of their own.
    pub fn renew(&mut self, certificates: Certificates, keys: Private) {
        (self.certificates, self.keys) = (Some(certificates), Some(keys));
        self.staples.clear();
    }

    /// Its own certificates, if it has any.
    pub fn own(&self) -> Option<Certificates> {
        self.certificates
            .clone()
            .or_else(|| Certificates::from_bytes(&self.cast.certificates.get(&self.name)?.bytes).ok())
    }
}

impl Trust for PartyTrust {
    fn check(
        &mut self,
        certificate: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
    ) -> Result<Certified, Reason> {
        if let Some(outside) = &mut self.outside {
            return match outside.word {
                Some(Ok(())) => at_face_value(certificate, expected),
                Some(Err(reason)) => Err(reason),
                None if self.asked.contains(&Want::Word) => Err(Reason::Timeout),
                None => {
                    outside.bundle = certificate.to_vec();
                    self.wants = BTreeSet::from([Want::Word]);
                    Err(Reason::RevocationUnavailable)
                }
            };
        }
        match self.relying.judge(certificate, expected, now, &self.asked) {
            Judgement::Good(certified) => {
                if !self.every_certificate {
                    self.passed.push((certificate.to_vec(), certified.subject.clone()));
                }
                Ok(certified)
            }
            Judgement::Refused(reason) => Err(reason),
            Judgement::Wants(_) if self.asked.len() >= MAX_LOOKUPS => {
                self.relying.check(certificate, expected, now)
            }
            Judgement::Wants(wants) => {
                self.wants = wants;
                Err(Reason::RevocationUnavailable)
            }
        }
    }

    fn certificate(&self, subject: &str) -> Option<Value> {
        let staples: Vec<Vec<u8>> = self.staples.values().filter(|s| !s.is_empty()).cloned().collect();
        if *self.name == *subject && (self.certificates.is_some() || !staples.is_empty()) {
            return Some(Certificates { staples, ..self.own()? }.to_value());
        }
        let allowed = self.every_certificate || *self.name == *subject;
        self.cast.certificates.get(subject).filter(|_| allowed).cloned()
    }

    fn own_keys(&self, name: &str) -> Option<&Private> {
        self.keys.as_ref().filter(|_| *self.name == *name)
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
