//! What a relying party holds about revocation: CRLs and OCSP responses that it accepted, by
//! the rules of RFC 5280 §6.3 and RFC 6960 §3.2. Must not know where they come from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use der::{Decode, Encode};
use rustls_pki_types::CertificateDer;
use x509_cert::serial_number::SerialNumber;

use super::crl::{Crl, CrlSummary, Listing};
use super::ocsp::{CertId, Response, Status};
use super::path::{self, Leaf, Root, Signer};
use super::policy::TrustPolicy;
use super::repository::{self, Item};
use super::x509::Signed;
use crate::algebra::Bytes;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Answers of repositories that the clones of a party remember as read: publications overlap,
/// and an attacker replays old ones.
const REMEMBERED_ANSWERS: usize = 4;

/// What is known of a certificate's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    Good,
    Revoked,
    /// The responder knows no such certificate.
    Unknown,
    /// Nothing that is current speaks of it: not the same as good.
    Undetermined,
}

/// CRLs as read from one answer.
pub(super) struct Answer {
    bytes: Bytes,
    crls: Vec<Arc<Crl>>,
}

/// Answers that were parsed and verified, shared by all clones of a party.
#[derive(Default)]
pub(super) struct Library(Mutex<VecDeque<Arc<Answer>>>);

/// What one party holds.
#[derive(Clone, Default)]
pub(super) struct Statements {
    crls: BTreeMap<[u8; 32], Held>,
    responses: BTreeMap<Vec<u8>, HeldResponse>,
}

#[derive(Clone)]
struct Held {
    complete: Arc<Crl>,
    delta: Option<Arc<Crl>>,
    /// Until when no newer delta is to be expected.
    delta_until: UnixNanos,
    /// A delta to a newer complete CRL than the one held, which goes with it when it comes.
    ahead: Option<Arc<Crl>>,
}

#[derive(Clone, Copy)]
struct HeldResponse {
    status: Status,
    this_update: UnixNanos,
    next_update: Option<UnixNanos>,
}

impl Library {
    /// Parses and verifies an answer, or finds it among those read before. What it answers is
    /// a function of the bytes alone, so that no clone can tell whether another was first.
    pub(super) fn read(
        &self,
        bytes: &Bytes,
        roots: &[Root],
        policy: &TrustPolicy,
    ) -> Result<Arc<Answer>, Reason> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = read.iter().find(|answer| answer.bytes == *bytes) {
            return Ok(answer.clone());
        }
        let answer = Arc::new(Answer::read(bytes, roots, policy)?);
        read.truncate(REMEMBERED_ANSWERS - 1);
        read.push_front(answer.clone());
        Ok(answer)
    }
}

impl Answer {
    /// The newest time that its lists were signed at.
    pub(super) fn signed_at(&self) -> UnixNanos {
        self.crls.iter().map(|crl| crl.summary.this_update).max().unwrap_or(UnixNanos(0))
    }

    fn read(bytes: &Bytes, roots: &[Root], policy: &TrustPolicy) -> Result<Answer, Reason> {
        let items = repository::read(bytes)?;
        let of = |kind: Item| items.iter().filter(move |(item, _)| *item == kind).map(|(_, der)| *der);
        let mut authorities = Vec::new();
        for certificate in of(Item::Certificate) {
            let signer = Signer::read(certificate)?;
            if signer.is_authority {
                authorities.push((CertificateDer::from(certificate), signer));
            }
        }
        let ders: Vec<_> = authorities.iter().map(|(der, _)| der.clone()).collect();
        let below: Vec<Signer> = authorities
            .into_iter()
            .filter(|(der, _)| is_below(der, &ders, roots))
            .map(|(_, signer)| signer)
            .collect();
        let signers: Vec<&Signer> = roots.iter().map(|root| &root.signer).chain(&below).collect();
        let read = |der| Crl::read(der, &signers, policy.check_crl_signature).map(Arc::new);
        let crls = of(Item::Crl).map(read).collect::<Result<Vec<_>, _>>()?;
        if crls.is_empty() {
            return Err(Reason::Malformed);
        }
        Ok(Answer { bytes: bytes.clone(), crls })
    }
}

/// Whether signatures lead from an authority's certificate over those of others to a root.
fn is_below(certificate: &[u8], others: &[CertificateDer<'_>], roots: &[Root]) -> bool {
    let others: Vec<_> = others.iter().filter(|other| ***other != *certificate).cloned().collect();
    path::follow_signatures(certificate, &others, roots).is_ok()
}

impl Held {
    /// Combines what waited for the complete CRL with it, if that is the one.
    fn take_ahead(&mut self) {
        let complete = self.complete.summary.number;
        let fits = |delta: &Arc<Crl>| delta.summary.base.is_some_and(|base| base <= complete);
        if let Some(delta) = self.ahead.take_if(|delta| fits(delta)) {
            self.delta_until = delta.summary.next_update;
            self.delta = Some(delta);
        }
    }
}

impl Statements {
    /// Takes what an answer has in place of what is held. If any of it is refused, nothing
    /// changes, but that deltas to a newer complete CRL wait for it.
    pub(super) fn accept(
        &mut self,
        answer: &Answer,
        policy: &TrustPolicy,
        now: UnixNanos,
    ) -> Result<Vec<CrlSummary>, Reason> {
        let mut next = self.crls.clone();
        for crl in &answer.crls {
            let summary = crl.summary;
            // RFC 5280 §5.1.2.4, §5.1.2.5: issued at thisUpdate, superseded by nextUpdate.
            if now < summary.this_update {
                return Err(Reason::CrlNotYetValid);
            }
            if policy.check_next_update && summary.next_update <= now {
                return Err(Reason::CrlExpired);
            }
            let held = next.get_mut(&crl.issuer);
            // RFC 5280 §5.2.3: numbers increase, and so does thisUpdate.
            let is_older = |than: &CrlSummary| {
                policy.keeps_newest
                    && (summary.number < than.number || summary.this_update < than.this_update)
            };
            match (summary.base, held) {
                (None, Some(held)) if is_older(&held.complete.summary) => return Err(Reason::CrlRollback),
                (None, Some(held)) => {
                    held.complete = crl.clone();
                    held.take_ahead();
                    // RFC 5280 §5.2.4: a delta goes with the CRLs before it.
                    held.delta = held.delta.take().filter(|delta| delta.summary.number > summary.number);
                }
                (None, None) => {
                    let complete = crl.clone();
                    let held = Held { complete, delta: None, delta_until: UnixNanos(0), ahead: None };
                    next.insert(crl.issuer, held);
                }
                (Some(_), None) => return Err(Reason::DeltaBaseMissing),
                (Some(base), Some(held)) if held.complete.summary.number < base => {
                    self.keep_ahead(answer);
                    return Err(Reason::DeltaBaseMissing);
                }
                (Some(_), Some(held)) => {
                    if held.delta.as_ref().is_some_and(|delta| is_older(&delta.summary)) {
                        return Err(Reason::CrlRollback);
                    }
                    held.delta_until = summary.next_update;
                    if held.complete.summary.number < summary.number {
                        held.delta = Some(crl.clone());
                    }
                }
            }
        }
        self.crls = next;
        Ok(answer.crls.iter().map(|crl| crl.summary).collect())
    }

    /// Keeps the deltas of an answer for the complete CRLs that they go with.
    fn keep_ahead(&mut self, answer: &Answer) {
        for crl in &answer.crls {
            if let Some(held) = self.crls.get_mut(&crl.issuer)
                && crl.summary.base.is_some_and(|base| held.complete.summary.number < base)
            {
                held.ahead = Some(crl.clone());
            }
        }
    }

    /// Whether a delta CRL of an authority told that there is a newer complete one.
    pub(super) fn lacks_base(&self, issuer: &[u8; 32]) -> bool {
        self.crls.get(issuer).is_some_and(|held| held.ahead.is_some())
    }

    /// Whether a complete CRL of an authority is held, and when it was issued and expires.
    pub(super) fn complete(&self, issuer: &[u8; 32]) -> Option<&CrlSummary> {
        self.crls.get(issuer).map(|held| &held.complete.summary)
    }

    /// Until when no newer delta CRL of an authority is to be expected.
    pub(super) fn delta_until(&self, issuer: &[u8; 32]) -> UnixNanos {
        self.crls.get(issuer).map_or(UnixNanos(0), |held| held.delta_until)
    }

    /// RFC 5280 §6.3.3: revoked if a current CRL of the issuer lists the certificate.
    pub(super) fn by_crl(
        &self,
        issuer: &[u8; 32],
        serial: &SerialNumber,
        policy: &TrustPolicy,
        now: UnixNanos,
    ) -> Known {
        let Some(held) = self.crls.get(issuer) else { return Known::Undetermined };
        let CrlSummary { this_update, next_update, .. } = held.complete.summary;
        if now < this_update || (policy.check_next_update && next_update <= now) {
            return Known::Undetermined;
        }
        let listing = held.delta.as_ref().and_then(|delta| {
            // A delta that has expired does not end a hold any more: the complete CRL stands.
            let is_over = policy.check_next_update && delta.summary.next_update <= now;
            delta.listing(serial).filter(|listing| !is_over || *listing == Listing::Revoked)
        });
        match listing.or_else(|| held.complete.listing(serial)) {
            Some(Listing::Revoked) => Known::Revoked,
            Some(Listing::Removed) | None => Known::Good,
        }
    }

    /// What a response that was accepted before says of a certificate.
    pub(super) fn by_ocsp(&self, id: &[u8], policy: &TrustPolicy, now: UnixNanos) -> Known {
        let Some(held) = self.responses.get(id) else { return Known::Undetermined };
        let is_over = held.next_update.is_some_and(|next| next <= now);
        if now < held.this_update || (policy.check_next_update && is_over) {
            return Known::Undetermined;
        }
        known(held.status)
    }

    /// Keeps what a response says, unless a newer one is held.
    pub(super) fn keep(&mut self, id: &[u8], response: &Response, policy: &TrustPolicy) {
        let held = self.responses.get(id);
        if policy.keeps_newest && held.is_some_and(|held| response.this_update < held.this_update) {
            return;
        }
        let Response { status, this_update, next_update, .. } = *response;
        self.responses.insert(id.to_vec(), HeldResponse { status, this_update, next_update });
    }

    /// Whether a response that is held is half over, or none is held.
    pub(super) fn is_half_over(&self, id: &[u8], now: UnixNanos) -> bool {
        let Some(held) = self.responses.get(id) else { return true };
        let half = |next: UnixNanos| held.this_update.0 + next.0.saturating_sub(held.this_update.0) / 2;
        held.next_update.is_none_or(|next| half(next) <= now.0)
    }

    /// The certificates about which a response is held.
    pub(super) fn ids(&self) -> impl Iterator<Item = Vec<u8>> {
        self.responses.keys().cloned()
    }

    /// Forgets a response that says no more than that a certificate was good: the next
    /// decision asks for one of its own. Who was revoked stays so.
    pub(super) fn drop_response(&mut self, id: &[u8]) {
        if self.responses.get(id).is_some_and(|held| !matches!(held.status, Status::Revoked { .. })) {
            self.responses.remove(id);
        }
    }
}

fn known(status: Status) -> Known {
    match status {
        Status::Good => Known::Good,
        Status::Revoked { .. } => Known::Revoked,
        Status::Unknown => Known::Unknown,
    }
}

/// How a response came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Came<'a> {
    /// As the answer to a request, with this nonce if it had one.
    Asked(Option<&'a [u8]>),
    /// Along with the certificate that it is about (RFC 6066 §8).
    Stapled,
    /// From an authority that was not asked.
    Unasked,
}

/// Reads a response about a certificate of `issuer` that whoever may has signed (RFC 6960 §3.2,
/// 1 to 4).
///
/// # Errors
/// `Malformed`, `OcspTryLater`, `UnknownCriticalExtension`; `OcspCertIdMismatch`;
/// `OcspBadSignature`, `OcspUnauthorizedSigner`.
pub(super) fn authentic(
    der: &[u8],
    id: &CertId,
    issuer: &Signer,
    policy: &TrustPolicy,
    now: UnixNanos,
) -> Result<Response, Reason> {
    let response = Response::read(der)?;
    if response.certificate != *id {
        return Err(Reason::OcspCertIdMismatch);
    }
    check_signer(&response, issuer, policy, now)?;
    Ok(response)
}

/// Whether an authentic response is current (RFC 6960 §3.2, 5 and 6), and the one that was asked
/// for where a policy insists on that (RFC 9654). What nobody asked for repeats no nonce: to such
/// a policy it may say that a certificate is revoked, and nothing in its favour.
///
/// # Errors
/// `OcspNotYetValid`, `OcspExpired`, `OcspNonceMismatch`.
pub(super) fn check_current(
    response: &Response,
    came: Came<'_>,
    policy: &TrustPolicy,
    now: UnixNanos,
) -> Result<(), Reason> {
    if now < response.this_update {
        return Err(Reason::OcspNotYetValid);
    }
    if policy.check_next_update && response.next_update.is_some_and(|next| next <= now) {
        return Err(Reason::OcspExpired);
    }
    let answers = match came {
        Came::Asked(nonce) => nonce.is_none() || response.nonce.as_deref() == nonce,
        Came::Stapled => true,
        Came::Unasked => matches!(response.status, Status::Revoked { .. }),
    };
    if policy.nonce && !answers { Err(Reason::OcspNonceMismatch) } else { Ok(()) }
}

/// RFC 6960 §4.2.2.2: signed by the issuer, or by whom the issuer certified for it directly.
fn check_signer(
    response: &Response,
    issuer: &Signer,
    policy: &TrustPolicy,
    now: UnixNanos,
) -> Result<(), Reason> {
    // Who names itself by its key is known by its signature.
    let names_issuer = response.responder.as_ref().is_none_or(|name| *name == issuer.subject);
    if names_issuer && response.is_signed_by(&issuer.public_key) {
        return Ok(());
    }
    let mut signed = false;
    for certificate in &response.certificates {
        let leaf = Leaf::read(certificate)?;
        if !response.is_signed_by(&leaf.public_key) {
            continue;
        }
        signed = true;
        let is_current = leaf.not_before <= now && now <= leaf.not_after;
        let is_from_issuer =
            leaf.issuer == issuer.subject && Signed::read(certificate)?.is_signed_by(&issuer.public_key);
        if !policy.check_responder || (is_from_issuer && leaf.signs_ocsp && is_current) {
            return Ok(());
        }
    }
    Err(if signed { Reason::OcspUnauthorizedSigner } else { Reason::OcspBadSignature })
}

/// A certificate's name in OCSP, as a key to what is held.
pub(super) fn id_bytes(id: &CertId) -> Result<Vec<u8>, Reason> {
    id.to_der().map_err(|_| Reason::Malformed)
}

/// Back from `id_bytes`.
pub(super) fn id_from(bytes: &[u8]) -> Result<CertId, Reason> {
    CertId::from_der(bytes).map_err(|_| Reason::Malformed)
}
