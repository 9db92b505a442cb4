//! A party that relies on certificates: its roots, its policy and the CRLs that it holds.
//! Must not know where certificates and CRLs come from: it says when it needs one, judges
//! what it is handed and remembers what it accepted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::CertificateDer;

use super::Certificates;
use super::crl::{Crl, CrlSummary};
use super::path::{self, Leaf, Root};
use super::x509::Purpose;
use crate::knowledge::{Certified, Public};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// CRLs that the clones of a party remember as read: publications overlap, and an attacker
/// replays old ones.
const REMEMBERED_CRLS: usize = 4;

/// Where a party learns whether a certificate was revoked.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Revocation {
    /// Nowhere: it does not ask.
    None,
    /// From complete CRLs.
    #[default]
    Crl,
}

/// What a party does if it cannot learn whether a certificate was revoked.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OnUnavailable {
    /// It takes the certificate, as browsers do.
    SoftFail,
    /// It refuses.
    #[default]
    HardFail,
}

/// How a party judges certificates. The default is strict and trusts nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustPolicy {
    /// The trusted root certificates, DER. One that is none is as good as absent.
    pub roots: Vec<Vec<u8>>,
    /// Where it learns about revocation.
    pub revocation: Revocation,
    /// What it does if it cannot.
    pub on_unavailable: OnUnavailable,
    /// Whether a path to a root is asked for. A weak client does without, and takes anybody's word.
    pub check_chain: bool,
    /// Whether the name is compared. A weak client takes anybody's certificate.
    pub check_name: bool,
}

impl Default for TrustPolicy {
    fn default() -> Self {
        TrustPolicy {
            roots: Vec::new(),
            revocation: Revocation::default(),
            on_unavailable: OnUnavailable::default(),
            check_chain: true,
            check_name: true,
        }
    }
}

/// A party that relies on certificates. Make one for a policy and clone it: clones have CRLs
/// of their own, but share the roots, and a CRL that several of them accept is parsed,
/// verified and kept in memory once.
#[derive(Clone)]
pub struct RelyingParty {
    shared: Arc<Shared>,
    /// The latest accepted CRL of each root.
    crls: Vec<Arc<Crl>>,
}

struct Shared {
    policy: Arc<TrustPolicy>,
    roots: Vec<Root>,
    read: Mutex<VecDeque<Arc<Crl>>>,
}

impl RelyingParty {
    /// A party that holds no CRL.
    pub fn new(policy: Arc<TrustPolicy>) -> Self {
        let roots = policy.roots.iter().filter_map(|root| Root::read(root).ok()).collect();
        RelyingParty { shared: Arc::new(Shared { policy, roots, read: Mutex::default() }), crls: Vec::new() }
    }

    /// Whether its policy asks for CRLs and that of some root is missing or expired.
    pub fn needs_crl(&self, now: UnixNanos) -> bool {
        let has = |root| self.held(root).is_some_and(|crl| now < crl.summary.next_update);
        self.shared.policy.revocation == Revocation::Crl && !(0..self.shared.roots.len()).all(has)
    }

    /// Takes a CRL in place of the one that it holds from the same root.
    ///
    /// # Errors
    /// `Malformed`; `CrlBadSignature` if no root signed it; `CertificateWrongUsage` if that
    /// root lacks cRLSign; `CrlNotYetValid` and `CrlExpired` by the clock's reading `now`;
    /// `CrlRollback` if it is older than the one held. Then nothing changes.
    pub fn accept_crl(&mut self, der: &[u8], now: UnixNanos) -> Result<CrlSummary, Reason> {
        let crl = self.shared.read(der)?;
        let summary = crl.summary;
        // RFC 5280 §5.1.2.4, §5.1.2.5: issued at thisUpdate, superseded by nextUpdate.
        if now < summary.this_update {
            return Err(Reason::CrlNotYetValid);
        }
        if summary.next_update <= now {
            return Err(Reason::CrlExpired);
        }
        match self.crls.iter_mut().find(|held| held.root == crl.root) {
            // RFC 5280 §5.2.3: numbers increase, and so does thisUpdate.
            Some(held)
                if summary.number < held.summary.number || summary.this_update < held.summary.this_update =>
            {
                return Err(Reason::CrlRollback);
            }
            Some(held) => *held = crl,
            None => self.crls.push(crl),
        }
        Ok(summary)
    }

    /// Judges a bundle of certificates (see [`Certificates`]), all of which must pass and
    /// name one subject: path, time, key usage, name, revocation. Each check goes over all
    /// certificates before the next begins, so that the most telling failure is reported.
    ///
    /// # Errors
    /// `Malformed`; of the path `CertificateUntrusted`, `CertificateNotACa`,
    /// `CertificateWrongUsage`; `CertificateExpired`, `CertificateNotYetValid`;
    /// `CertificateWrongUsage`; `CertificateNameMismatch`; `CertificateRevoked`,
    /// `RevocationUnavailable`.
    pub fn check(&self, bundle: &[u8], expected: Option<&str>, now: UnixNanos) -> Result<Certified, Reason> {
        let Certificates { encryption, signature } = Certificates::from_bytes(bundle)?;
        let bytes = [(Purpose::Encryption, &encryption), (Purpose::Signature, &signature)];
        let bytes: Vec<_> = bytes.into_iter().filter_map(|(p, der)| Some((p, der.as_deref()?))).collect();
        let leaves = bytes.iter().map(|(_, der)| Leaf::read(der)).collect::<Result<Vec<_>, _>>()?;

        let paths = bytes.iter().zip(&leaves).map(|((_, der), leaf)| self.issuer(der, leaf, &bytes, now));
        let issuers = paths.collect::<Result<Vec<_>, _>>()?;
        leaves.iter().try_for_each(|leaf| check_time(leaf, now))?;
        // RFC 5280 §4.2.1.3: without the extension, the key may be used for anything.
        let is_permitted = |(purpose, _): &(Purpose, _), leaf: &Leaf| {
            leaf.usage.is_none_or(|usage| purpose.is_permitted_by(usage))
        };
        if !bytes.iter().zip(&leaves).all(|(part, leaf)| is_permitted(part, leaf)) {
            return Err(Reason::CertificateWrongUsage);
        }
        let subject = self.check_name(&leaves, expected)?;
        leaves.iter().zip(issuers).try_for_each(|(leaf, issuer)| self.check_status(leaf, issuer, now))?;

        let mut public = Public::default();
        for ((purpose, _), leaf) in bytes.iter().zip(leaves) {
            match purpose {
                Purpose::Encryption => public.encryption = Some(leaf.public_key),
                Purpose::Signature => public.signature = Some(leaf.public_key),
            }
        }
        Ok(Certified { subject, public })
    }

    /// The root to which a path leads, by index.
    fn issuer(
        &self,
        der: &[u8],
        leaf: &Leaf,
        bundle: &[(Purpose, &[u8])],
        now: UnixNanos,
    ) -> Result<Option<usize>, Reason> {
        if !self.shared.policy.check_chain {
            return Ok(self.shared.roots.iter().position(|root| root.subject == leaf.issuer));
        }
        // The bundle's other certificate is tried as an issuer, so that a subject which signs
        // certificates itself is told from a stranger. It cannot succeed: an authority's
        // certificate does not pass as a subject's, and all of a bundle must.
        let candidates: Vec<_> = bundle
            .iter()
            .filter(|(_, other)| *other != der)
            .map(|(_, other)| CertificateDer::from(*other))
            .collect();
        // At a time when the certificate itself is valid: of an expired one from a stranger,
        // that it is a stranger's tells more.
        let at = now.min(leaf.not_after).max(leaf.not_before);
        path::validate(der, &candidates, &self.shared.roots, at).map(Some)
    }

    /// The one name of all certificates.
    fn check_name(&self, leaves: &[Leaf], expected: Option<&str>) -> Result<String, Reason> {
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

    /// RFC 5280 §6.3.3: revoked if a current CRL of the issuer lists the certificate; without
    /// such a CRL the status is undetermined, which is another thing than good.
    fn check_status(&self, leaf: &Leaf, issuer: Option<usize>, now: UnixNanos) -> Result<(), Reason> {
        let policy = &self.shared.policy;
        if policy.revocation == Revocation::None {
            return Ok(());
        }
        match issuer.and_then(|root| self.held(root)).filter(|crl| crl.is_current(now)) {
            Some(crl) if crl.lists(&leaf.serial) => Err(Reason::CertificateRevoked),
            Some(_) => Ok(()),
            None if policy.on_unavailable == OnUnavailable::SoftFail => Ok(()),
            None => Err(Reason::RevocationUnavailable),
        }
    }

    fn held(&self, root: usize) -> Option<&Arc<Crl>> {
        self.crls.iter().find(|crl| crl.root == root)
    }
}

impl Shared {
    /// Parses and verifies a CRL, or finds it among those read before. What it answers is a
    /// function of the bytes alone, so that no clone can tell whether another was first.
    fn read(&self, der: &[u8]) -> Result<Arc<Crl>, Reason> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(crl) = read.iter().find(|crl| crl.is(der)) {
            return Ok(crl.clone());
        }
        let crl = Arc::new(Crl::read(der, &self.roots)?);
        read.truncate(REMEMBERED_CRLS - 1);
        read.push_front(crl.clone());
        Ok(crl)
    }
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
