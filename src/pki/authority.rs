//! A certificate authority: a root, perhaps authorities below it, the certificates that they
//! issue and what they say about them. Must not know who asks; its caller says which name a
//! requester may have.

use std::collections::BTreeSet;

use super::issuer::Issuer;
use super::ledger::{Entry, Revoked};
use super::path::Leaf;
use super::profile::{Profile, Profiles};
use super::publication::{self, Schedule};
use super::repository::{self, Item};
use super::request::Request;
use super::responder::{OcspPolicy, Responder};
use super::{RevocationReason, x509};
use crate::algebra::Bytes;
use crate::crypto::{SigningKey, sha256};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

const ROOT_LIFETIME: Span = Span::seconds(20 * 365 * 86_400);
/// How long before its first day the root is valid: clocks of others may be behind.
const ROOT_BACKDATING: Span = Span::seconds(3_600);

/// How an authority works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuthorityPolicy {
    /// From notBefore to notAfter of what it issues, cut off at its own notAfter.
    pub certificate_lifetime: Span,
    /// From one complete CRL to the next.
    pub crl_period: Span,
    /// From a complete CRL's thisUpdate to its nextUpdate.
    pub crl_lifetime: Span,
    /// From one delta CRL to the next, if it publishes any.
    pub delta_period: Option<Span>,
    /// Whether a requester must prove that it holds the key that it wants certified.
    pub proof_of_possession: bool,
    /// Whether it certifies no key that it has revoked as compromised.
    pub blocks_keys: bool,
    /// How its OCSP responder works.
    pub ocsp: OcspPolicy,
    /// Certificates of others that were revoked before, to make its CRLs as long as real ones.
    pub history: usize,
}

impl Default for AuthorityPolicy {
    fn default() -> Self {
        AuthorityPolicy {
            certificate_lifetime: Span::seconds(90 * 86_400),
            crl_period: Span::seconds(3_600),
            crl_lifetime: Span::seconds(24 * 3_600),
            delta_period: None,
            proof_of_possession: true,
            blocks_keys: true,
            ocsp: OcspPolicy::default(),
            history: 0,
        }
    }
}

/// The keys of an authority.
pub struct AuthorityKeys {
    /// The root's.
    pub root: SigningKey,
    /// Of the authorities below it, from the root's side.
    pub below: Vec<SigningKey>,
    /// Of an OCSP responder to which signing responses is delegated, if it is.
    pub responder: Option<SigningKey>,
}

/// A new certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// Its serial number.
    pub serial: u64,
    /// The certificate.
    pub der: Vec<u8>,
}

/// A certificate authority whose root is self-signed.
pub struct Authority {
    /// From the root down; the last one issues to subjects.
    issuers: Vec<Issuer>,
    responder: Responder,
    schedule: Schedule,
    policy: AuthorityPolicy,
    must_staple: BTreeSet<String>,
    profiles: Profiles,
    /// The last publications, with their numbers: complete CRLs, and those with deltas.
    published: [Option<(u64, Bytes)>; 2],
}

impl Authority {
    /// An authority with a new root: X.509 v3, CN = `name`, valid from an hour before
    /// `since` for 20 years; it publishes its first CRL at `since`.
    pub fn new(name: &str, key: SigningKey, since: UnixNanos, policy: AuthorityPolicy) -> Authority {
        let keys = AuthorityKeys { root: key, below: Vec::new(), responder: None };
        Authority::with_keys(name, keys, since, policy)
    }

    /// As `new`, with an authority below the last for each further key, named `name-1`, …
    /// (pathLenConstraint as short as it can be), and a responder named `name-ocsp`.
    pub fn with_keys(
        name: &str,
        keys: AuthorityKeys,
        since: UnixNanos,
        policy: AuthorityPolicy,
    ) -> Authority {
        let from = UnixNanos(since.0.saturating_sub(ROOT_BACKDATING.0));
        let until = x509::truncated(from.after(ROOT_LIFETIME));
        let start = || -> der::Result<Authority> {
            let mut issuers = vec![Issuer::root(name, keys.root, from, until)?];
            let depth = keys.below.len();
            for (nth, key) in (1..).zip(keys.below) {
                let deeper = u8::try_from(depth - nth).unwrap_or(u8::MAX);
                let above = issuers.last_mut().expect("a root stands first");
                let below = above.below(&format!("{name}-{nth}"), key, deeper, (from, until))?;
                issuers.push(below);
            }
            let last = issuers.last_mut().expect("a root stands first");
            last.ledger.enter_history(policy.history, since, until);
            let certificate = match &keys.responder {
                Some(key) => Some(last.responder(&format!("{name}-ocsp"), key, (from, until))?),
                None => None,
            };
            let responder = Responder::new(keys.responder.zip(certificate), since, policy.ocsp);
            let AuthorityPolicy { crl_period: period, crl_lifetime: lifetime, delta_period: delta, .. } =
                policy;
            let schedule = Schedule { since, period, lifetime, delta };
            let (must_staple, profiles, published) = (BTreeSet::new(), Profiles::default(), [None, None]);
            Ok(Authority { issuers, responder, schedule, policy, must_staple, profiles, published })
        };
        start().expect("a name, keys and a time of the program's own encode")
    }

    /// From now on, certificates of these subjects demand a stapled response (RFC 7633).
    pub fn must_staple(&mut self, subjects: impl IntoIterator<Item = String>) {
        self.must_staple.extend(subjects);
    }

    /// From now on, certificates say this besides.
    pub fn describe(&mut self, profiles: Profiles) {
        self.profiles = profiles;
    }

    /// The root certificate, DER.
    pub fn root(&self) -> &[u8] {
        &self.issuers[0].certificate
    }

    /// The certificates between a subject and the root, from the subject's side.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.issuers[1..].iter().rev().map(|issuer| issuer.certificate.as_slice())
    }

    /// Its policy.
    pub fn policy(&self) -> &AuthorityPolicy {
        &self.policy
    }

    /// Every certificate that it issued to subjects, in order: the log of issuance (RFC 9162).
    pub fn log(&self) -> &[Entry] {
        self.issuing().ledger.entries()
    }

    /// The certificate with this serial number.
    pub fn entry(&self, serial: u64) -> Option<&Entry> {
        self.issuing().ledger.get(serial)
    }

    /// As [`new`](Self::new), of one that was at work before: with what it had issued and revoked
    /// by then, as [`log`](Self::log) told it, in this order.
    ///
    /// # Errors
    /// `Malformed` if there is a gap in the serial numbers.
    pub fn resumed(
        name: &str,
        key: SigningKey,
        since: UnixNanos,
        policy: AuthorityPolicy,
        log: Vec<Entry>,
    ) -> Result<Authority, Reason> {
        let mut authority = Authority::new(name, key, since, policy);
        authority.issuing_mut().ledger.restore(log)?;
        Ok(authority)
    }

    /// The line of a certificate, DER, if this authority issued this very key under its number.
    pub fn issued(&self, certificate: &[u8]) -> Option<&Entry> {
        let leaf = Leaf::read(certificate).ok()?;
        let entry = self.entry(x509::small(&leaf.serial)?)?;
        (entry.key == sha256(&[&leaf.public_key])).then_some(entry)
    }

    /// Issues what `request` asks for: CN and dNSName are the requester's name, keyUsage is
    /// digitalSignature or keyEncipherment, notBefore is `now`; beside that, what
    /// [`describe`](Self::describe) said. Whatever else the request
    /// asks for is the requester's wish only, and left out.
    ///
    /// # Errors
    /// `BadProofOfPossession` if the request is not signed with the key that it names (RFC
    /// 2986 §3) and the policy demands it, `NotAuthorisedForName` if its subject is not
    /// `authorised_for`, `KeyCompromised` for a key that it has revoked as compromised,
    /// `CertificateWrongUsage` if it asks for another use, `Malformed`.
    pub fn issue(&mut self, request: &[u8], authorised_for: &str, now: UnixNanos) -> Result<Issued, Reason> {
        let profile = self.profiles.of(authorised_for).clone();
        self.issue_as(request, authorised_for, &profile, now)
    }

    /// As [`issue`](Self::issue), with what `profile` adds.
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    pub fn issue_as(
        &mut self,
        request: &[u8],
        authorised_for: &str,
        profile: &Profile,
        now: UnixNanos,
    ) -> Result<Issued, Reason> {
        let request = Request::read(request, self.policy.proof_of_possession)?;
        if request.name != authorised_for {
            return Err(Reason::NotAuthorisedForName);
        }
        let key = sha256(&[&request.spki]);
        if self.policy.blocks_keys && self.issuing().ledger.is_compromised(&key) {
            return Err(Reason::KeyCompromised);
        }
        let lifetime = self.policy.certificate_lifetime;
        let must_staple = self.must_staple.contains(&request.name);
        let issuer = self.issuers.last_mut().expect("a root stands first");
        // A certificate that outlives its issuer's could not be validated to its end.
        let not_after = x509::truncated(now.after(lifetime)).min(issuer.until);
        let der = issuer
            .leaf(issuer.ledger.next_serial(), &request, (now, not_after), (must_staple, profile))
            // Only a name that a dNSName cannot hold, which is ASCII, does not encode.
            .map_err(|_| Reason::NotAuthorisedForName)?;
        Ok(Issued { serial: issuer.ledger.enter(&request.name, key, now, not_after), der })
    }

    /// Revokes every certificate of `subject` that is not revoked yet, and answers with
    /// their serial numbers. Revocation is for good: a second one changes neither the
    /// reason nor the date of the first, unless the first was a hold.
    pub fn revoke(&mut self, subject: &str, reason: RevocationReason, now: UnixNanos) -> Vec<u64> {
        let serials: Vec<u64> = self.issuing().ledger.of(subject).map(|entry| entry.serial).collect();
        let revoked = Revoked { reason, at: now, invalid_since: None };
        serials.into_iter().filter(|serial| self.revoke_certificate(*serial, revoked)).collect()
    }

    /// Revokes one certificate, and says whether it did.
    pub fn revoke_certificate(&mut self, serial: u64, revoked: Revoked) -> bool {
        self.issuing_mut().ledger.revoke(serial, revoked)
    }

    /// Ends the holds on a subject's certificates, and answers with their serial numbers.
    pub fn release(&mut self, subject: &str, now: UnixNanos) -> Vec<u64> {
        let serials: Vec<u64> = self.issuing().ledger.of(subject).map(|entry| entry.serial).collect();
        let ledger = &mut self.issuing_mut().ledger;
        serials.into_iter().filter(|serial| ledger.release(*serial, now)).collect()
    }

    /// Revokes the certificate of the authority that issues to subjects, if it is not the
    /// root: a root is not revocable in-band (RFC 5280 §6.1).
    pub fn revoke_intermediate(&mut self, now: UnixNanos) -> bool {
        let revoked = Revoked { reason: RevocationReason::CaCompromise, at: now, invalid_since: None };
        match self.issuers.len().checked_sub(2) {
            Some(above) => self.issuers[above].ledger.revoke(1, revoked),
            None => false,
        }
    }

    /// Whether `subject` had certificates and every one of them is revoked.
    pub fn is_revoked(&self, subject: &str) -> bool {
        let mut all = self.issuing().ledger.of(subject).peekable();
        all.peek().is_some() && all.all(|entry| entry.revoked().is_some())
    }

    /// The complete CRL (RFC 5280 §5) of whoever issues to subjects, of the latest publication
    /// at or before `now`, the first one if there was none yet. Publication n = 0, 1, … is at
    /// `since` + n periods, which is its thisUpdate.
    pub fn crl(&mut self, now: UnixNanos) -> Vec<u8> {
        let publication = self.schedule.complete(now);
        publication::complete(self.issuing(), &self.schedule, publication).expect(ENCODES)
    }

    /// From now on, complete CRLs name this URL as that of the delta CRLs (RFC 5280 §5.2.6).
    pub fn deltas_at(&mut self, url: String) {
        self.issuing_mut().deltas_at = Some(url);
    }

    /// The delta CRL (RFC 5280 §5.2.4) of whoever issues to subjects, of the latest publication at
    /// or before `now`; none if it publishes none.
    pub fn delta_crl(&self, now: UnixNanos) -> Option<Vec<u8>> {
        let (period, nth) = (self.schedule.delta?, self.schedule.delta(now)?);
        Some(publication::delta(self.issuing(), &self.schedule, period, nth).expect(ENCODES))
    }

    /// When the delta CRL that is handed out at `now` appeared, and when the next will.
    pub fn delta_times(&self, now: UnixNanos) -> Option<(UnixNanos, UnixNanos)> {
        let nth = self.schedule.delta(now)?;
        Some((self.schedule.delta_at(nth)?, self.schedule.delta_at(nth.saturating_add(1))?))
    }

    /// What its repository hands out: certificates of authorities below the root and the
    /// CRLs of all, complete ones or, where it publishes them, only deltas.
    pub fn publication(&mut self, only_deltas: bool, now: UnixNanos) -> Bytes {
        let delta = self.schedule.delta.filter(|_| only_deltas);
        let publication = match delta {
            Some(_) => self.schedule.delta(now).unwrap_or(0),
            None => self.schedule.complete(now),
        };
        let slot = usize::from(delta.is_some());
        if let Some((of, bytes)) = &self.published[slot]
            && *of == publication
        {
            return bytes.clone();
        }
        let mut items: Vec<(Item, Vec<u8>)> =
            self.issuers[1..].iter().map(|issuer| (Item::Certificate, issuer.certificate.clone())).collect();
        for issuer in &self.issuers {
            let crl = match delta {
                Some(period) => publication::delta(issuer, &self.schedule, period, publication),
                None => publication::complete(issuer, &self.schedule, publication),
            };
            items.push((Item::Crl, crl.expect(ENCODES)));
        }
        let bytes = Bytes::from(repository::write(&items));
        self.published[slot] = Some((publication, bytes.clone()));
        bytes
    }

    /// The number of the latest CRL, complete or delta, at `now`.
    pub(super) fn number(&self, now: UnixNanos) -> u64 {
        self.schedule.number(now)
    }

    /// When the complete CRL that is handed out at `now` appeared, and when the next will.
    pub fn crl_times(&self, now: UnixNanos) -> (UnixNanos, UnixNanos) {
        let n = self.schedule.complete(now);
        (self.schedule.complete_at(n), self.schedule.complete_at(n.saturating_add(1)))
    }

    /// Answers an OCSP request (RFC 6960); with an error response if it cannot be read.
    pub fn ocsp(&mut self, request: &[u8], now: UnixNanos) -> Vec<u8> {
        self.responder.answer(&self.issuers, request, now)
    }

    /// A response that nobody asked for: what its responder says of a certificate.
    pub fn notice(&self, serial: u64, now: UnixNanos) -> Vec<u8> {
        self.responder.notice(&self.issuers, serial, now)
    }

    /// When a revocation at `revoked` can first be read: from a CRL, and from the responder.
    pub fn first_told(&self, revoked: UnixNanos) -> (UnixNanos, UnixNanos) {
        (self.schedule.published(revoked), self.responder.told(revoked))
    }

    fn issuing(&self) -> &Issuer {
        self.issuers.last().expect("a root stands first")
    }

    fn issuing_mut(&mut self) -> &mut Issuer {
        self.issuers.last_mut().expect("a root stands first")
    }
}

const ENCODES: &str = "times and numbers of the program's own encode";
