//! A certificate authority: a root, the certificates that it issued and the CRLs that it
//! publishes on schedule. Must not know who asks; its caller says which name a requester
//! may have.

use std::collections::BTreeMap;

use der::Decode;
use der::asn1::Ia5String;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::certificate::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Validity;

use super::RevocationReason;
use super::request::Request;
use super::x509::{self, TbsCertificate};
use crate::crypto::SigningKey;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

const ROOT_LIFETIME: Span = Span::seconds(20 * 365 * 86_400);
/// How long before its first day the root is valid: clocks of others may be behind.
const ROOT_BACKDATING: Span = Span::seconds(3_600);

/// How an authority works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuthorityPolicy {
    /// From notBefore to notAfter of what it issues, cut off at the root's notAfter.
    pub certificate_lifetime: Span,
    /// From one CRL to the next.
    pub crl_period: Span,
    /// From a CRL's thisUpdate to its nextUpdate.
    pub crl_lifetime: Span,
    /// Whether a requester must prove that it holds the key that it wants certified.
    pub proof_of_possession: bool,
}

impl Default for AuthorityPolicy {
    fn default() -> Self {
        AuthorityPolicy {
            certificate_lifetime: Span::seconds(90 * 86_400),
            crl_period: Span::seconds(3_600),
            crl_lifetime: Span::seconds(24 * 3_600),
            proof_of_possession: true,
        }
    }
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
    name: Name,
    key: SigningKey,
    public_key: SubjectPublicKeyInfoOwned,
    since: UnixNanos,
    until: UnixNanos,
    policy: AuthorityPolicy,
    root: Vec<u8>,
    /// What was issued; serial numbers count from 1.
    issued: Vec<Record>,
    /// Indices into `issued`.
    by_subject: BTreeMap<String, Vec<usize>>,
    /// The last CRL that was asked for, by publication.
    published: Option<(u64, Vec<u8>)>,
}

struct Record {
    not_after: UnixNanos,
    revoked: Option<(RevocationReason, UnixNanos)>,
}

impl Authority {
    /// An authority with a new root: X.509 v3, CN = `name`, valid from an hour before
    /// `since` for 20 years; it publishes its first CRL at `since`.
    pub fn new(name: &str, key: SigningKey, since: UnixNanos, policy: AuthorityPolicy) -> Authority {
        let from = UnixNanos(since.0.saturating_sub(ROOT_BACKDATING.0));
        let until = x509::truncated(from.after(ROOT_LIFETIME));
        let start = || -> der::Result<Authority> {
            let mut authority = Authority {
                name: x509::name(name)?,
                public_key: SubjectPublicKeyInfoOwned::from_der(&key.public())?,
                key,
                since,
                until,
                policy,
                root: Vec::new(),
                issued: Vec::new(),
                by_subject: BTreeMap::new(),
                published: None,
            };
            authority.root = authority.write_root(from)?;
            Ok(authority)
        };
        start().expect("a name, a key and a time of the program's own encode")
    }

    /// The root certificate, DER.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// Issues what `request` asks for: CN and dNSName are the requester's name, keyUsage is
    /// digitalSignature or keyEncipherment, notBefore is `now`. Whatever else the request
    /// asks for is the requester's wish only, and left out.
    ///
    /// # Errors
    /// `BadProofOfPossession` if the request is not signed with the key that it names (RFC
    /// 2986 §3) and the policy demands it, `NotAuthorisedForName` if its subject is not `authorised_for`,
    /// `CertificateWrongUsage` if it asks for another use, `Malformed`.
    pub fn issue(&mut self, request: &[u8], authorised_for: &str, now: UnixNanos) -> Result<Issued, Reason> {
        let request = Request::read(request, self.policy.proof_of_possession)?;
        if request.name != authorised_for {
            return Err(Reason::NotAuthorisedForName);
        }
        let serial = self.issued.len() as u64 + 1;
        // A certificate that outlives its issuer's could not be validated to its end.
        let not_after = x509::truncated(now.after(self.policy.certificate_lifetime)).min(self.until);
        let subject = request.name.clone();
        // Only a name that a dNSName cannot hold, which is ASCII, does not encode.
        let der =
            self.write_leaf(serial, request, now, not_after).map_err(|_| Reason::NotAuthorisedForName)?;
        self.by_subject.entry(subject).or_default().push(self.issued.len());
        self.issued.push(Record { not_after, revoked: None });
        Ok(Issued { serial, der })
    }

    /// Revokes every certificate of `subject` that is not revoked yet, and answers with
    /// their serial numbers. Revocation is for good: a second one changes neither the
    /// reason nor the date of the first.
    pub fn revoke(&mut self, subject: &str, reason: RevocationReason, now: UnixNanos) -> Vec<u64> {
        let mut revoked = Vec::new();
        for &index in self.by_subject.get(subject).into_iter().flatten() {
            if let Some(record @ Record { revoked: None, .. }) = self.issued.get_mut(index) {
                record.revoked = Some((reason, now));
                revoked.push(index as u64 + 1);
            }
        }
        revoked
    }

    /// Whether `subject` had certificates and every one of them is revoked.
    pub fn is_revoked(&self, subject: &str) -> bool {
        self.by_subject
            .get(subject)
            .is_some_and(|indices| indices.iter().all(|index| self.issued[*index].revoked.is_some()))
    }

    /// The complete CRL (RFC 5280 §5) of the latest publication at or before `now`, the
    /// first one if there was none yet. Publication n = 0, 1, … is at `since` + n periods,
    /// which is its thisUpdate; its CRLNumber is n + 1.
    pub fn crl(&mut self, now: UnixNanos) -> Vec<u8> {
        // A period of nothing would divide by zero.
        let publication = now.0.saturating_sub(self.since.0) / self.policy.crl_period.0.max(1);
        match &self.published {
            Some((of, crl)) if *of == publication => crl.clone(),
            _ => {
                let crl = self.write_crl(publication).expect("times and numbers of the program's own encode");
                self.published = Some((publication, crl.clone()));
                crl
            }
        }
    }

    fn published_at(&self, publication: u64) -> UnixNanos {
        self.since.after(Span(publication.saturating_mul(self.policy.crl_period.0)))
    }

    /// Whether the CRL of this publication lists a certificate. RFC 5280 §3.3: an entry
    /// must not be removed until it appears on one regularly scheduled CRL issued beyond
    /// the certificate's validity period.
    fn is_listed(&self, record: &Record, publication: u64) -> bool {
        let Some((_, revoked)) = record.revoked else { return false };
        let appeared_beyond = publication.checked_sub(1).is_some_and(|previous| {
            let previous = self.published_at(previous);
            revoked <= previous && record.not_after < previous
        });
        revoked <= self.published_at(publication) && !appeared_beyond
    }

    fn write_root(&self, from: UnixNanos) -> der::Result<Vec<u8>> {
        let key_id = x509::key_identifier(&self.public_key)?;
        // Serial numbers are unique for an issuer (RFC 5280 §4.1.2.2), and the root's issuer
        // is this authority too: its number is far from those that count from 1.
        let serial = key_id.as_bytes().iter().take(7).fold(1, |n, byte| n << 8 | u64::from(*byte));
        let mut extensions = Extensions::new();
        let ca = BasicConstraints { ca: true, path_len_constraint: None };
        x509::extend(&mut extensions, &self.name, &ca)?;
        let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
        x509::extend(&mut extensions, &self.name, &usage)?;
        x509::extend(&mut extensions, &self.name, &SubjectKeyIdentifier(key_id))?;
        let validity = Validity::new(x509::time(from)?, x509::time(self.until)?);
        self.certify(serial, validity, self.name.clone(), self.public_key.clone(), extensions)
    }

    fn write_leaf(
        &self,
        serial: u64,
        request: Request,
        not_before: UnixNanos,
        not_after: UnixNanos,
    ) -> der::Result<Vec<u8>> {
        let subject = x509::name(&request.name)?;
        let mut extensions = Extensions::new();
        x509::extend(&mut extensions, &subject, &request.purpose.key_usage())?;
        let names = vec![GeneralName::DnsName(Ia5String::new(&request.name)?)];
        x509::extend(&mut extensions, &subject, &SubjectAltName(names))?;
        let key_id = x509::key_identifier(&request.public_key)?;
        x509::extend(&mut extensions, &subject, &SubjectKeyIdentifier(key_id))?;
        x509::extend(&mut extensions, &subject, &self.key_id()?)?;
        let validity = Validity::new(x509::time(not_before)?, x509::time(not_after)?);
        self.certify(serial, validity, subject, request.public_key, extensions)
    }

    fn certify(
        &self,
        serial: u64,
        validity: Validity,
        subject: Name,
        subject_public_key_info: SubjectPublicKeyInfoOwned,
        extensions: Extensions,
    ) -> der::Result<Vec<u8>> {
        let body = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::from(serial),
            signature: x509::signature_algorithm(self.key.suite()),
            issuer: self.name.clone(),
            validity,
            subject,
            subject_public_key_info,
            extensions,
        };
        x509::sign(&body, &self.key)
    }

    fn write_crl(&self, publication: u64) -> der::Result<Vec<u8>> {
        let this_update = self.published_at(publication);
        let mut extensions = Extensions::new();
        x509::extend(&mut extensions, &self.name, &self.key_id()?)?;
        let number = CrlNumber::try_from(publication.saturating_add(1))?;
        x509::extend(&mut extensions, &self.name, &number)?;
        let entries = self.entries(publication)?;
        let body = TbsCertList {
            version: Version::V2,
            signature: x509::signature_algorithm(self.key.suite()),
            issuer: self.name.clone(),
            this_update: x509::time(this_update)?,
            next_update: Some(x509::time(this_update.after(self.policy.crl_lifetime))?),
            // RFC 5280 §5.1.2.6: absent when there are no revoked certificates.
            revoked_certificates: Some(entries).filter(|entries| !entries.is_empty()),
            crl_extensions: Some(extensions),
        };
        x509::sign(&body, &self.key)
    }

    fn entries(&self, publication: u64) -> der::Result<Vec<RevokedCert>> {
        let mut entries = Vec::new();
        for (index, record) in self.issued.iter().enumerate() {
            let Some((reason, at)) = record.revoked.filter(|_| self.is_listed(record, publication)) else {
                continue;
            };
            let mut extensions = Extensions::new();
            // RFC 5280 §5.3.1: the reason code should be absent instead of unspecified.
            if reason != RevocationReason::Unspecified {
                x509::extend(&mut extensions, &self.name, &reason.crl_reason())?;
            }
            entries.push(RevokedCert {
                serial_number: SerialNumber::from(index as u64 + 1),
                revocation_date: x509::time(at)?,
                crl_entry_extensions: Some(extensions).filter(|extensions| !extensions.is_empty()),
            });
        }
        Ok(entries)
    }

    fn key_id(&self) -> der::Result<AuthorityKeyIdentifier> {
        let key_identifier = Some(x509::key_identifier(&self.public_key)?);
        Ok(AuthorityKeyIdentifier { key_identifier, ..AuthorityKeyIdentifier::default() })
    }
}
