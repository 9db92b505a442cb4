//! An authority's OCSP responder (RFC 6960): what it says about a certificate, when it signs
//! it and with whose key. Must not know who asks.

use der::Decode;
use x509_cert::Certificate;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

use super::RevocationReason;
use super::issuer::Issuer;
use super::ledger::Entry;
use super::ocsp::{self, CertId, Query, Statement, Status};
use super::x509;
use crate::crypto::SigningKey;
use crate::time::{Span, UnixNanos};

/// How a responder works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OcspPolicy {
    /// From a response's thisUpdate to its nextUpdate.
    pub lifetime: Span,
    /// How often it signs responses in advance; none: it signs when it is asked. Who signs in
    /// advance repeats no nonce.
    pub presign: Option<Span>,
    /// Whether it says `good` only of what the authority issued. A responder that knows only
    /// who is revoked says it of everything else (RFC 6960 §2.2).
    pub knows_issued: bool,
}

impl Default for OcspPolicy {
    /// Signed on demand, valid for 12 hours, as of OpenBao.
    fn default() -> Self {
        OcspPolicy { lifetime: Span::seconds(12 * 3_600), presign: None, knows_issued: true }
    }
}

/// An authority's responder.
pub(super) struct Responder {
    /// A key of its own with a certificate for it; the issuer's if there is none.
    delegated: Option<(SigningKey, Vec<u8>)>,
    since: UnixNanos,
    policy: OcspPolicy,
}

impl Responder {
    pub(super) fn new(
        delegated: Option<(SigningKey, Vec<u8>)>,
        since: UnixNanos,
        policy: OcspPolicy,
    ) -> Self {
        Responder { delegated, since, policy }
    }

    /// Answers a request about a certificate of one of the issuers. To what it cannot read it
    /// answers tryLater.
    pub(super) fn answer(&self, issuers: &[Issuer], request: &[u8], now: UnixNanos) -> Vec<u8> {
        let answer = || -> Option<Vec<u8>> {
            let query = Query::read(request).ok()?;
            let serial = &query.certificate.serial_number;
            let is_of = |issuer: &&Issuer| query.certificate.is_of(&issuer.name, &issuer.public_key);
            let issuer = issuers.iter().find(is_of).or(issuers.last())?;
            let entry = issuers.iter().find(is_of).and_then(|i| i.ledger.get(x509::small(serial)?));
            // It may speak for the authority that named it, and for no other (RFC 6960 §4.2.2.2).
            let delegated =
                self.delegated.as_ref().filter(|_| std::ptr::eq(issuer, &issuers[issuers.len() - 1]));
            self.sign(issuer, delegated, entry, &query, now).ok()
        };
        answer().unwrap_or_else(ocsp::try_later)
    }

    /// What it would answer about a certificate, signed at `now`.
    pub(super) fn notice(&self, issuers: &[Issuer], serial: u64, now: UnixNanos) -> Vec<u8> {
        let notice = || -> Option<Vec<u8>> {
            let issuer = issuers.last()?;
            let serial = SerialNumber::from(serial);
            let certificate = CertId::new(&issuer.name, &issuer.public_key, &serial).ok()?;
            let on_demand = OcspPolicy { presign: None, ..self.policy };
            let responder =
                Responder { delegated: self.delegated.clone(), since: self.since, policy: on_demand };
            Some(responder.answer(issuers, &ocsp::request(&certificate, None).ok()?, now))
        };
        notice().unwrap_or_else(ocsp::try_later)
    }

    /// From when on it can say that a certificate was revoked at `revoked`.
    pub(super) fn told(&self, revoked: UnixNanos) -> UnixNanos {
        match self.policy.presign {
            None => revoked,
            Some(period) => {
                let latest = self.signed_at(revoked);
                if latest < revoked { latest.after(period) } else { latest }
            }
        }
    }

    /// When what it hands out at `now` was signed.
    fn signed_at(&self, now: UnixNanos) -> UnixNanos {
        match self.policy.presign {
            None => now,
            Some(Span(period)) => {
                let since = now.0.saturating_sub(self.since.0);
                self.since.after(Span(since - since % period.max(1)))
            }
        }
    }

    fn sign(
        &self,
        issuer: &Issuer,
        delegated: Option<&(SigningKey, Vec<u8>)>,
        entry: Option<&Entry>,
        query: &Query,
        now: UnixNanos,
    ) -> der::Result<Vec<u8>> {
        let this_update = self.signed_at(now);
        let revoked = entry.and_then(|entry| entry.revoked_at(this_update));
        let status = match (entry, revoked) {
            (_, Some(revoked)) => Status::Revoked { at: revoked.at },
            (None, None) if self.policy.knows_issued => Status::Unknown,
            _ => Status::Good,
        };
        let reason = revoked.map(|revoked| revoked.reason);
        let name: Name;
        let (responder, key, certificates) = match delegated {
            Some((key, certificate)) => {
                name = Certificate::from_der(certificate)?.tbs_certificate().subject().clone();
                (&name, key, vec![certificate.as_slice()])
            }
            None => (&issuer.name, &issuer.key, Vec::new()),
        };
        let statement = Statement {
            responder,
            certificate: &query.certificate,
            status,
            reason: reason.filter(|r| *r != RevocationReason::Unspecified).map(RevocationReason::crl_reason),
            produced_at: this_update,
            this_update,
            next_update: this_update.after(self.policy.lifetime),
            nonce: query.nonce.as_deref().filter(|_| self.policy.presign.is_none()),
        };
        ocsp::response(&statement, key, &certificates)
    }
}
