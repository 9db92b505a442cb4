//! What an authority knows of the certificates that it issued: whose they are, which key
//! they certify, and when each was revoked. Must not know how CRLs or responses are written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::RevocationReason;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// When and why a certificate was revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Why.
    pub reason: RevocationReason,
    /// When the authority processed it.
    pub at: UnixNanos,
    /// Since when the key is suspected to be in other hands (RFC 5280 §5.3.2).
    pub invalid_since: Option<UnixNanos>,
}

/// A certificate's line in the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its serial number.
    pub serial: u64,
    /// Its subject's name.
    pub subject: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    #[serde(with = "hex::serde")]
    pub key: [u8; 32],
    /// Its notBefore.
    pub not_before: UnixNanos,
    /// Its notAfter.
    pub not_after: UnixNanos,
    /// The last is the one in force, if it has no end; only a hold has one.
    marks: Vec<(Revoked, Option<UnixNanos>)>,
}

/// Every certificate of one issuer.
#[derive(Default)]
pub(super) struct Ledger {
    /// Serial numbers count from 1.
    entries: Vec<Entry>,
    /// Indices into `entries`.
    by_subject: BTreeMap<String, Vec<usize>>,
    /// Keys of certificates that were revoked as compromised.
    compromised: BTreeSet<[u8; 32]>,
}

impl Entry {
    /// When and why it was revoked, as of an instant.
    pub fn revoked_at(&self, at: UnixNanos) -> Option<&Revoked> {
        let is_in_force = |(revoked, until): &&(Revoked, Option<UnixNanos>)| {
            revoked.at <= at && until.is_none_or(|u| at < u)
        };
        self.marks.iter().find(is_in_force).map(|(revoked, _)| revoked)
    }

    /// When and why it was revoked, as things stand.
    pub fn revoked(&self) -> Option<&Revoked> {
        self.marks.last().filter(|(_, until)| until.is_none()).map(|(revoked, _)| revoked)
    }

    /// Whether its status changed after one instant and not after another.
    pub(super) fn changed(&self, after: UnixNanos, by: UnixNanos) -> bool {
        let within = |at: UnixNanos| after < at && at <= by;
        self.marks.iter().any(|(revoked, until)| within(revoked.at) || until.is_some_and(within))
    }
}

impl Ledger {
    /// The next serial number.
    pub(super) fn next_serial(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// Enters a certificate under `next_serial`.
    pub(super) fn enter(
        &mut self,
        subject: &str,
        key: [u8; 32],
        not_before: UnixNanos,
        not_after: UnixNanos,
    ) -> u64 {
        let serial = self.next_serial();
        self.by_subject.entry(subject.to_owned()).or_default().push(self.entries.len());
        self.entries.push(Entry {
            serial,
            subject: subject.to_owned(),
            key,
            not_before,
            not_after,
            marks: Vec::new(),
        });
        serial
    }

    /// Enters certificates of nobody in particular that were revoked long ago.
    pub(super) fn enter_history(&mut self, count: usize, at: UnixNanos, not_after: UnixNanos) {
        let revoked = Revoked { reason: RevocationReason::Superseded, at, invalid_since: None };
        for serial in (self.next_serial()..).take(count) {
            self.entries.push(Entry {
                serial,
                subject: String::new(),
                key: [0; 32],
                not_before: at,
                not_after,
                marks: vec![(revoked, None)],
            });
        }
    }

    /// Enters what an authority had kept, in the order of its serial numbers.
    ///
    /// # Errors
    /// `Malformed` if a number is missing or another's.
    pub(super) fn restore(&mut self, entries: Vec<Entry>) -> Result<(), Reason> {
        for entry in entries {
            if entry.serial != self.next_serial() {
                return Err(Reason::Malformed);
            }
            let is_compromised = |(revoked, _): &(Revoked, Option<UnixNanos>)| {
                revoked.reason == RevocationReason::KeyCompromise
            };
            if entry.marks.iter().any(is_compromised) {
                self.compromised.insert(entry.key);
            }
            self.by_subject.entry(entry.subject.clone()).or_default().push(self.entries.len());
            self.entries.push(entry);
        }
        Ok(())
    }

    pub(super) fn get(&self, serial: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(serial).ok()?.checked_sub(1)?)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The certificates of a subject.
    pub(super) fn of(&self, subject: &str) -> impl Iterator<Item = &Entry> {
        self.by_subject.get(subject).into_iter().flatten().map(|index| &self.entries[*index])
    }

    /// Revokes a certificate that is not revoked yet, and says whether it did. Revocation is
    /// for good: a second one changes neither the reason nor the date of the first, unless
    /// the first was a hold (RFC 5280 §5.3.1).
    pub(super) fn revoke(&mut self, serial: u64, revoked: Revoked) -> bool {
        let index = usize::try_from(serial).ok().and_then(|serial| serial.checked_sub(1));
        let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) else { return false };
        match entry.marks.last_mut() {
            Some((held, until @ None)) if held.reason == RevocationReason::CertificateHold => {
                *until = Some(revoked.at);
            }
            Some((_, None)) => return false,
            _ => {}
        }
        if revoked.reason == RevocationReason::KeyCompromise {
            self.compromised.insert(entry.key);
        }
        entry.marks.push((revoked, None));
        true
    }

    /// Ends a hold, and says whether there was one.
    pub(super) fn release(&mut self, serial: u64, at: UnixNanos) -> bool {
        let index = usize::try_from(serial).ok().and_then(|serial| serial.checked_sub(1));
        match index.and_then(|index| self.entries.get_mut(index)?.marks.last_mut()) {
            Some((held, until @ None)) if held.reason == RevocationReason::CertificateHold => {
                *until = Some(at);
                true
            }
            _ => false,
        }
    }

    /// Whether a key is known to be in other hands.
    pub(super) fn is_compromised(&self, key: &[u8; 32]) -> bool {
        self.compromised.contains(key)
    }
}
