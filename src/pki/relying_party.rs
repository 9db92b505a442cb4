//! A party that relies on certificates: its roots, its policy and what it holds about
//! revocation. Must not know where certificates and statements come from: it says what it
//! wants, judges what it is handed and remembers what it accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use x509_cert::serial_number::SerialNumber;

use super::Certificates;
use super::crl::CrlSummary;
use super::ocsp::{self, CertId};
use super::path::{self, Leaf, Leaves, Root, Signer};
use super::policy::{Fetch, OnUnavailable, Revocation, TrustPolicy};
use super::statements::{self, Came, Known, Library, Statements};
use super::x509::Purpose;
use crate::algebra::{Bytes, Public};
use crate::knowledge::Certified;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Something that a party wants to know before it decides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Want {
    /// What the repository has: complete CRLs, or only deltas.
    Crl {
        /// Whether deltas will do.
        only_deltas: bool,
    },
    /// What the responder says of a certificate.
    Ocsp {
        /// The certificate's name there, a CertID, DER (RFC 6960 §4.1.1).
        id: Vec<u8>,
    },
    /// What a judge in the party's place says of the bundle at hand.
    Word,
}

/// What a party makes of a bundle of certificates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// They are good.
    Good(Certified),
    /// They are not.
    Refused(Reason),
    /// That depends on what it does not know.
    Wants(BTreeSet<Want>),
}

/// A party that relies on certificates. Make one for a policy and clone it: clones hold
/// statements of their own, but share the roots, and what several of them are handed is
/// parsed, verified and kept in memory once.
#[derive(Clone)]
pub struct RelyingParty {
    shared: Arc<Shared>,
    statements: Statements,
    /// The authorities that it has met on paths, by their keys.
    met: BTreeMap<[u8; 32], Signer>,
    /// The newest time that somebody whom it trusts has signed.
    floor: UnixNanos,
}

struct Shared {
    policy: Arc<TrustPolicy>,
    roots: Vec<Root>,
    library: Library,
    leaves: Leaves,
}

/// A certificate of a bundle, with the authorities on its path.
struct Judged {
    purpose: Purpose,
    leaf: Arc<Leaf>,
    path: Vec<Signer>,
}

impl RelyingParty {
    /// A party that holds nothing about revocation.
    pub fn new(policy: Arc<TrustPolicy>) -> Self {
        let roots = policy.roots.iter().filter_map(|root| Root::read(root).ok()).collect();
        RelyingParty {
            shared: Arc::new(Shared {
                policy,
                roots,
                library: Library::default(),
                leaves: Leaves::default(),
            }),
            statements: Statements::default(),
            met: BTreeMap::new(),
            floor: UnixNanos(0),
        }
    }

    /// Its policy.
    pub fn policy(&self) -> &TrustPolicy {
        &self.shared.policy
    }

    /// Forgets what it holds and the times that it has seen: a restart without a disk.
    pub fn forget(&mut self) {
        (self.statements, self.floor) = (Statements::default(), UnixNanos(0));
    }

    /// Takes what a repository handed out (see [`super::repository`]) in place of what it
    /// holds of the same authorities.
    ///
    /// # Errors
    /// `Malformed`, `UnknownCriticalExtension`; `CrlIssuerMismatch`, `CrlBadSignature`,
    /// `CertificateWrongUsage` by who signed; `CrlNotYetValid` and `CrlExpired` by the clock's
    /// reading `now`; `CrlRollback` if one is older than the one held; `DeltaBaseMissing`.
    /// Then nothing changes, but that a delta whose base is newer than the one held waits for
    /// it, and is reason enough to want it.
    pub fn accept(&mut self, answer: &Bytes, now: UnixNanos) -> Result<Vec<CrlSummary>, Reason> {
        let Shared { policy, roots, library, .. } = &*self.shared;
        let answer = library.read(answer, roots, policy)?;
        // Signed is signed, whether it is of use or not: a list that is not valid yet tells above
        // all that the clock is behind.
        self.floor = self.floor.max(answer.signed_at());
        self.statements.accept(&answer, policy, now)
    }

    /// Takes the answer to a request about a certificate that it wanted to know about.
    ///
    /// # Errors
    /// As RFC 6960 §3.2: `Malformed`, `OcspTryLater`, `UnknownCriticalExtension`,
    /// `OcspCertIdMismatch`, `OcspBadSignature`, `OcspUnauthorizedSigner`, `OcspNotYetValid`,
    /// `OcspExpired`, `OcspNonceMismatch`. Then nothing changes.
    pub fn accept_ocsp(
        &mut self,
        id: &[u8],
        nonce: Option<&[u8]>,
        response: &[u8],
        now: UnixNanos,
    ) -> Result<ocsp::Status, Reason> {
        let issuer = self.issuer_of(&statements::id_from(id)?)?;
        self.take(id, &issuer, response, Came::Asked(nonce), now)
    }

    /// Takes a response, however it came.
    fn take(
        &mut self,
        id: &[u8],
        issuer: &Signer,
        response: &[u8],
        came: Came<'_>,
        now: UnixNanos,
    ) -> Result<ocsp::Status, Reason> {
        let policy = self.shared.policy.clone();
        let response = statements::authentic(response, &statements::id_from(id)?, issuer, &policy, now)?;
        self.floor = self.floor.max(response.this_update);
        statements::check_current(&response, came, &policy, now)?;
        self.statements.keep(id, &response, &policy);
        Ok(response.status)
    }

    /// Takes a response that it did not ask for, which an authority sends round when it has
    /// revoked a certificate. Where the policy wants a nonce, that is all that it may say.
    ///
    /// # Errors
    /// As `accept_ocsp`.
    pub fn accept_notice(&mut self, response: &[u8], now: UnixNanos) -> Result<ocsp::Status, Reason> {
        let name = ocsp::Response::read(response)?.certificate;
        let issuer = self.issuer_of(&name)?;
        self.take(&statements::id_bytes(&name)?, &issuer, response, Came::Unasked, now)
    }

    /// The names in OCSP of a bundle's certificates, with the authorities that it met.
    pub fn ids(&mut self, bundle: &[u8], now: UnixNanos) -> Vec<Vec<u8>> {
        let Ok((_, judged, _)) = self.identify(bundle, None, now) else { return Vec::new() };
        self.meet(&judged);
        let by_sha1 = self.shared.policy.ocsp_sha1;
        let ids = judged.iter().filter_map(|of| cert_id(of, by_sha1).ok());
        ids.filter_map(|(id, _)| statements::id_bytes(&id).ok()).collect()
    }

    /// Whether something that it holds says that a certificate of a bundle is revoked.
    pub fn is_known_revoked(&mut self, bundle: &[u8], now: UnixNanos) -> bool {
        let policy = self.shared.policy.clone();
        let ids = self.ids(bundle, now);
        ids.iter().any(|id| self.statements.by_ocsp(id, &policy, now) == Known::Revoked)
    }

    /// When a response that it holds is half over: time to ask for the next.
    pub fn is_half_over(&self, id: &[u8], now: UnixNanos) -> bool {
        self.statements.is_half_over(id, now)
    }

    /// What it wants to know in any case, for a party that asks every so often.
    pub fn standing_wants(&self) -> BTreeSet<Want> {
        match self.shared.policy.revocation {
            Revocation::None | Revocation::Stapled => BTreeSet::new(),
            Revocation::Crl => BTreeSet::from([Want::Crl { only_deltas: false }]),
            Revocation::Ocsp => self.statements.ids().map(|id| Want::Ocsp { id }).collect(),
        }
    }

    fn issuer_of(&self, id: &CertId) -> Result<Signer, Reason> {
        let roots = self.shared.roots.iter().map(|root| &root.signer);
        let by_sha1 = self.shared.policy.ocsp_sha1;
        let is_of = |signer: &&Signer| signer.cert_id(&id.serial_number, by_sha1).is_ok_and(|own| own == *id);
        self.met.values().chain(roots).find(is_of).cloned().ok_or(Reason::OcspCertIdMismatch)
    }

    fn meet(&mut self, judged: &[Judged]) {
        for signer in judged.iter().flat_map(|of| &of.path) {
            self.met.entry(signer.key).or_insert_with(|| signer.clone());
        }
    }

    /// The request for what it wants to know of a certificate, DER; with a nonce if its policy
    /// has one.
    pub fn ocsp_request(&self, id: &[u8], nonce: &[u8; ocsp::NONCE_LEN]) -> Vec<u8> {
        let nonce = self.shared.policy.nonce.then_some(&nonce[..]);
        let request =
            statements::id_from(id).and_then(|id| ocsp::request(&id, nonce).map_err(|_| Reason::Malformed));
        request.unwrap_or_default()
    }

    /// Judges with what it holds, and wants nothing more.
    ///
    /// # Errors
    /// As `judge`.
    pub fn check(
        &mut self,
        bundle: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
    ) -> Result<Certified, Reason> {
        match self.decide(bundle, expected, now, None) {
            Judgement::Good(certified) => Ok(certified),
            Judgement::Refused(reason) => Err(reason),
            Judgement::Wants(_) => Err(Reason::RevocationUnavailable),
        }
    }

    /// Judges a bundle of certificates (see [`Certificates`]), all of which must pass and
    /// name one subject: path, time, key usage, name, revocation. Each check goes over all
    /// certificates before the next begins, so that the most telling failure is reported. If
    /// it depends on what it does not know and has not asked for yet, it says what it wants.
    ///
    /// Refusals are `ClockWentBackwards`; `Malformed`; of the path `CertificateUntrusted`,
    /// `CertificateNotACa`, `PathLenExceeded`, `NameConstraintViolation`,
    /// `UnknownCriticalExtension`, `CertificateWrongUsage`; `CertificateExpired`, `CertificateNotYetValid`;
    /// `CertificateNameMismatch`; `CertificateRevoked`, `CertificateUnknown`,
    /// `RevocationUnavailable`, `MissingStaple`, and what is wrong with a staple.
    pub fn judge(
        &mut self,
        bundle: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
        asked: &BTreeSet<Want>,
    ) -> Judgement {
        self.decide(bundle, expected, now, Some(asked))
    }

    fn decide(
        &mut self,
        bundle: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
        asked: Option<&BTreeSet<Want>>,
    ) -> Judgement {
        if self.shared.policy.clock_floor && now < self.floor {
            return Judgement::Refused(Reason::ClockWentBackwards);
        }
        let (certificates, judged, subject) = match self.identify(bundle, expected, now) {
            Ok(identified) => identified,
            Err(reason) => return Judgement::Refused(reason),
        };
        if let Some(asked) = asked {
            let wants: BTreeSet<Want> =
                self.wants(&judged, now).into_iter().filter(|w| !asked.contains(w)).collect();
            if !wants.is_empty() {
                self.meet(&judged);
                if self.shared.policy.nonce || self.shared.policy.fetch == Fetch::PerConnection {
                    // Only the answer to this question will do.
                    for want in &wants {
                        if let Want::Ocsp { id } = want {
                            self.statements.drop_response(id);
                        }
                    }
                }
                return Judgement::Wants(wants);
            }
        }
        for of in &judged {
            if let Err(reason) = self.check_status(of, &certificates.staples, now) {
                return Judgement::Refused(reason);
            }
        }
        let mut public = Public::default();
        for Judged { purpose, leaf, .. } in judged {
            self.floor = self.floor.max(leaf.not_before);
            match purpose {
                Purpose::Encryption => public.encryption = Some(leaf.public_key.clone()),
                Purpose::Signature => public.signature = Some(leaf.public_key.clone()),
            }
        }
        Judgement::Good(Certified { subject, public })
    }

    /// Path, time, usage and name: everything but revocation.
    fn identify(
        &self,
        bundle: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
    ) -> Result<(Certificates, Vec<Judged>, String), Reason> {
        let certificates = Certificates::from_bytes(bundle)?;
        let bytes = [
            (Purpose::Encryption, certificates.encryption.as_deref()),
            (Purpose::Signature, certificates.signature.as_deref()),
        ];
        let bytes: Vec<_> = bytes.into_iter().filter_map(|(purpose, der)| Some((purpose, der?))).collect();
        let leaves =
            bytes.iter().map(|(_, der)| self.shared.leaves.read(der)).collect::<Result<Vec<_>, _>>()?;
        let paths =
            bytes.iter().zip(&leaves).map(|((_, der), leaf)| self.path(der, leaf, &certificates, now));
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        leaves.iter().try_for_each(|leaf| check_time(leaf, now))?;
        // RFC 5280 §4.2.1.3: without the extension, the key may be used for anything.
        let is_permitted = |(purpose, _): &(Purpose, _), leaf: &Arc<Leaf>| {
            leaf.usage.is_none_or(|usage| purpose.is_permitted_by(usage))
        };
        if !bytes.iter().zip(&leaves).all(|(part, leaf)| is_permitted(part, leaf)) {
            return Err(Reason::CertificateWrongUsage);
        }
        let subject = self.check_name(&leaves, expected)?;
        let purposes: Vec<Purpose> = bytes.iter().map(|(purpose, _)| *purpose).collect();
        let judged = purposes.into_iter().zip(leaves).zip(paths);
        let judged = judged.map(|((purpose, leaf), path)| Judged { purpose, leaf, path }).collect();
        Ok((certificates, judged, subject))
    }

    /// The authorities from a certificate's issuer to the root.
    fn path(
        &self,
        der: &[u8],
        leaf: &Leaf,
        bundle: &Certificates,
        now: UnixNanos,
    ) -> Result<Vec<Signer>, Reason> {
        let Shared { policy, roots, .. } = &*self.shared;
        if !policy.check_chain {
            let named = roots.iter().filter(|root| root.signer.subject == leaf.issuer);
            return Ok(named.map(|root| root.signer.clone()).take(1).collect());
        }
        // The bundle's other certificate is tried as an issuer, so that a subject which signs
        // certificates itself is told from a stranger. It cannot succeed: an authority's
        // certificate does not pass as a subject's, and all of a bundle must.
        let others = bundle.subjects().filter(|other| *other != der);
        let candidates: Vec<_> =
            others.chain(bundle.chain.iter().map(Vec::as_slice)).map(CertificateDer::from).collect();
        if !policy.check_ca {
            return path::follow_signatures(der, &candidates, roots);
        }
        // At a time when the certificate itself is valid: of an expired one from a stranger,
        // that it is a stranger's tells more.
        let at = now.min(leaf.not_after).max(leaf.not_before);
        path::validate(der, &candidates, roots, at)
    }

    /// The one name of all certificates.
    fn check_name(&self, leaves: &[Arc<Leaf>], expected: Option<&str>) -> Result<String, Reason> {
        let mut names = leaves.iter().map(|leaf| leaf.name.as_deref());
        let name = names.next().flatten().ok_or(Reason::CertificateNameMismatch)?;
        // RFC 9525 §6: the dNSName, never the common name. The names here are principals, not
        // hosts, so case counts.
        let is_expected = !self.shared.policy.check_name || expected.is_none_or(|expected| expected == name);
        if is_expected && names.all(|other| other == Some(name)) {
            Ok(name.to_owned())
        } else {
            Err(Reason::CertificateNameMismatch)
        }
    }

    /// What its policy wants to know about these certificates at this time.
    fn wants(&self, judged: &[Judged], now: UnixNanos) -> BTreeSet<Want> {
        let policy = &self.shared.policy;
        let issuers = judged.iter().flat_map(|of| &of.path).map(|signer| &signer.key);
        match policy.revocation {
            Revocation::None | Revocation::Stapled => BTreeSet::new(),
            Revocation::Crl => issuers.filter_map(|issuer| self.wants_crl(issuer, now)).collect(),
            Revocation::Ocsp => {
                let ids = judged.iter().flat_map(|of| ids_on_path(of, policy.ocsp_sha1));
                let lacks = |id: &Vec<u8>| {
                    policy.fetch == Fetch::PerConnection
                        || self.statements.by_ocsp(id, policy, now) == Known::Undetermined
                };
                ids.filter(lacks).map(|id| Want::Ocsp { id }).collect()
            }
        }
    }

    fn wants_crl(&self, issuer: &[u8; 32], now: UnixNanos) -> Option<Want> {
        let policy = &self.shared.policy;
        let held = self.statements.complete(issuer);
        let current = held.filter(|crl| crl.this_update <= now && now < crl.next_update);
        let is_due = |crl: &&CrlSummary| match policy.fetch {
            Fetch::OnExpiry | Fetch::Every(_) => false,
            Fetch::AtPublication(period) => crl.this_update.after(period) <= now,
            Fetch::PerConnection => true,
        };
        match current {
            None => Some(Want::Crl { only_deltas: false }),
            Some(_) if policy.deltas && self.statements.lacks_base(issuer) => {
                Some(Want::Crl { only_deltas: false })
            }
            Some(_) if policy.deltas && self.statements.delta_until(issuer) <= now => {
                Some(Want::Crl { only_deltas: true })
            }
            Some(_) if policy.deltas => None,
            Some(crl) => Some(crl).filter(is_due).map(|_| Want::Crl { only_deltas: false }),
        }
    }

    /// Whether a certificate and the authorities on its path stand. Without a current
    /// statement the status is undetermined, which is another thing than good.
    fn check_status(&mut self, of: &Judged, staples: &[Vec<u8>], now: UnixNanos) -> Result<(), Reason> {
        let policy = self.shared.policy.clone();
        let id = || cert_id(of, policy.ocsp_sha1).and_then(|(id, _)| statements::id_bytes(&id));
        let known = match policy.revocation {
            Revocation::None => return Ok(()),
            // Whatever it asks elsewhere, an authority may have told it so.
            _ if id().is_ok_and(|id| self.statements.by_ocsp(&id, &policy, now) == Known::Revoked) => {
                Known::Revoked
            }
            Revocation::Crl => {
                let by_crl = |(serial, issuer): (_, &Signer)| {
                    self.statements.by_crl(&issuer.key, serial, &policy, now)
                };
                worst(issued_on_path(of).map(by_crl))
            }
            Revocation::Ocsp => worst(
                ids_on_path(of, policy.ocsp_sha1).iter().map(|id| self.statements.by_ocsp(id, &policy, now)),
            ),
            Revocation::Stapled => match self.by_staple(of, staples, now)? {
                Some(known) => known,
                None if of.leaf.must_staple => return Err(Reason::MissingStaple),
                None if policy.on_unavailable == OnUnavailable::HardFail => {
                    return Err(Reason::MissingStaple);
                }
                None => return Ok(()),
            },
        };
        match known {
            Known::Good => Ok(()),
            Known::Revoked => Err(Reason::CertificateRevoked),
            Known::Unknown => Err(Reason::CertificateUnknown),
            Known::Undetermined if policy.on_unavailable == OnUnavailable::SoftFail => Ok(()),
            Known::Undetermined => Err(Reason::RevocationUnavailable),
        }
    }

    /// What the staple for a certificate says, if there is one. A staple that does not hold
    /// is refused, not overlooked.
    fn by_staple(
        &mut self,
        of: &Judged,
        staples: &[Vec<u8>],
        now: UnixNanos,
    ) -> Result<Option<Known>, Reason> {
        let Ok((id, issuer)) = cert_id(of, self.shared.policy.ocsp_sha1) else { return Ok(None) };
        let id = statements::id_bytes(&id)?;
        let policy = self.shared.policy.clone();
        let mut failure = None;
        for staple in staples {
            match self.take(&id, issuer, staple, Came::Stapled, now) {
                Ok(_) => return Ok(Some(self.statements.by_ocsp(&id, &policy, now))),
                // A bundle of two certificates has a staple for each.
                Err(Reason::OcspCertIdMismatch) if staples.len() > 1 => {}
                Err(reason) => failure = failure.or(Some(reason)),
            }
        }
        failure.map_or(Ok(None), Err)
    }
}

/// What a bundle of certificates says of itself, for whoever has it judged by somebody else.
///
/// # Errors
/// `Malformed`; `CertificateNameMismatch` if nobody is expected and it names nobody.
pub fn at_face_value(bundle: &[u8], expected: Option<&str>) -> Result<Certified, Reason> {
    let certificates = Certificates::from_bytes(bundle)?;
    let leaf = |der: &Option<Vec<u8>>| der.as_deref().map(Leaf::read).transpose();
    let (encryption, signature) = (leaf(&certificates.encryption)?, leaf(&certificates.signature)?);
    let named = [&encryption, &signature].into_iter().flatten().find_map(|leaf| leaf.name.clone());
    let subject = expected.map(str::to_owned).or(named).ok_or(Reason::CertificateNameMismatch)?;
    let key = |leaf: Option<Leaf>| leaf.map(|leaf| leaf.public_key);
    Ok(Certified { subject, public: Public { encryption: key(encryption), signature: key(signature) } })
}

/// A certificate's name in OCSP, and who issued it.
fn cert_id(of: &Judged, by_sha1: bool) -> Result<(CertId, &Signer), Reason> {
    let issuer = of.path.first().ok_or(Reason::CertificateUntrusted)?;
    Ok((issuer.cert_id(&of.leaf.serial, by_sha1)?, issuer))
}

/// The serial number of a certificate and of each authority on its path but the root, with who
/// issued it: a root has no issuer and is not revocable in-band.
fn issued_on_path(of: &Judged) -> impl Iterator<Item = (&SerialNumber, &Signer)> {
    [&of.leaf.serial].into_iter().chain(of.path.iter().map(|signer| &signer.serial)).zip(&of.path)
}

/// The same by their names in OCSP.
fn ids_on_path(of: &Judged, by_sha1: bool) -> Vec<Vec<u8>> {
    let ids = issued_on_path(of).filter_map(|(serial, issuer)| issuer.cert_id(serial, by_sha1).ok());
    ids.filter_map(|id| statements::id_bytes(&id).ok()).collect()
}

/// What is known of a path, of what is known of each certificate on it.
fn worst(known: impl Iterator<Item = Known>) -> Known {
    let all: Vec<Known> = known.collect();
    let worst = [Known::Revoked, Known::Unknown, Known::Undetermined];
    let none = if all.is_empty() { Known::Undetermined } else { Known::Good };
    worst.into_iter().find(|known| all.contains(known)).unwrap_or(none)
}

/// RFC 5280 §6.1.3 (a)(2): notBefore ≤ now ≤ notAfter, in whole seconds.
fn check_time(leaf: &Leaf, now: UnixNanos) -> Result<(), Reason> {
    if now < leaf.not_before {
        Err(Reason::CertificateNotYetValid)
    } else if leaf.not_after.seconds() < now.seconds() {
        Err(Reason::CertificateExpired)
    } else {
        Ok(())
    }
}
