//! Certification paths: from a certificate to a root, as rustls-webpki validates them, with
//! our cryptography and our reasons. Must not know revocation or whom the caller expects.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use der::{Decode, Encode};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor,
    UnixTime, alg_id,
};
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use webpki::{EndEntityCert, Error, KeyUsage as ExtendedKeyUse, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

use super::ocsp::CertId;
use super::x509::{self, Signed};
use crate::crypto::{VerifyingKey, sha256};
use crate::limits::MAX_PATH_LEN;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Certificates of subjects that the clones of a party remember as parsed: those of its peers.
const REMEMBERED_LEAVES: usize = 16;

/// An authority, by its certificate.
#[derive(Clone)]
pub(super) struct Signer {
    pub subject: Name,
    pub issuer: Name,
    pub serial: SerialNumber,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    pub usage: Option<KeyUsage>,
    /// Whether it says so (RFC 5280 §4.2.1.9).
    pub is_authority: bool,
    /// SHA-256 of the public key, by which it is known.
    pub key: [u8; 32],
}

/// A certificate that is trusted because the party was told so (RFC 5280 §6.1.1 (d)).
pub(super) struct Root {
    anchor: TrustAnchor<'static>,
    pub signer: Signer,
}

/// What a party reads from a subject's certificate.
pub(super) struct Leaf {
    pub serial: SerialNumber,
    pub issuer: Name,
    /// The first dNSName: its principal. Others are of the hosts at which that one is met.
    pub name: Option<String>,
    pub not_before: UnixNanos,
    pub not_after: UnixNanos,
    pub usage: Option<KeyUsage>,
    pub public_key: Vec<u8>,
    /// Whether it demands a stapled response (RFC 7633).
    pub must_staple: bool,
    /// Whether its key may sign OCSP responses for its issuer.
    pub signs_ocsp: bool,
}

/// Subjects' certificates that were parsed, shared by all clones of a party.
#[derive(Default)]
pub(super) struct Leaves(Mutex<VecDeque<(Vec<u8>, Arc<Leaf>)>>);

impl Leaves {
    /// As `Leaf::read`, which depends on nothing but the bytes; what was read before is not
    /// parsed again.
    pub(super) fn read(&self, der: &[u8]) -> Result<Arc<Leaf>, Reason> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, leaf)) = read.iter().find(|(bytes, _)| bytes == der) {
            return Ok(leaf.clone());
        }
        let leaf = Arc::new(Leaf::read(der)?);
        read.truncate(REMEMBERED_LEAVES - 1);
        read.push_front((der.to_vec(), leaf.clone()));
        Ok(leaf)
    }
}

impl Root {
    /// Parses a root certificate, which is believed, not checked.
    pub(super) fn read(der: &[u8]) -> Result<Root, Reason> {
        let certificate = CertificateDer::from(der);
        let anchor = anchor_from_trusted_cert(&certificate).map_err(reason)?.to_owned();
        Ok(Root { anchor, signer: Signer::read(der)? })
    }
}

impl Signer {
    /// Parses an authority's certificate and believes nothing of it.
    pub(super) fn read(der: &[u8]) -> Result<Signer, Reason> {
        let parsed = parse(der)?;
        let tbs = parsed.tbs_certificate();
        let public_key = tbs.subject_public_key_info().to_der().map_err(|_| Reason::Malformed)?;
        Ok(Signer {
            subject: tbs.subject().clone(),
            issuer: tbs.issuer().clone(),
            serial: tbs.serial_number().clone(),
            key: sha256(&[&public_key]),
            public_key,
            usage: x509::extension(extensions(&parsed))?,
            is_authority: x509::extension::<BasicConstraints>(extensions(&parsed))?.is_some_and(|c| c.ca),
        })
    }

    /// The certificate of this authority's with a serial number, as OCSP names it: by SHA-256, or
    /// by SHA-1.
    pub(super) fn cert_id(&self, serial: &SerialNumber, by_sha1: bool) -> Result<CertId, Reason> {
        let spki = SubjectPublicKeyInfoOwned::from_der(&self.public_key).map_err(|_| Reason::Malformed)?;
        let id = match by_sha1 {
            true => CertId::by_sha1(&self.subject, &spki, serial),
            false => CertId::new(&self.subject, &spki, serial),
        };
        id.map_err(|_| Reason::Malformed)
    }
}

impl Leaf {
    /// Parses a certificate and believes nothing of it.
    pub(super) fn read(der: &[u8]) -> Result<Leaf, Reason> {
        let parsed = parse(der)?;
        let tbs = parsed.tbs_certificate();
        let all = extensions(&parsed);
        let names = x509::extension::<SubjectAltName>(all)?;
        let features = all.iter().find(|extension| extension.extn_id == x509::TLS_FEATURE);
        let features = features.and_then(|f| Vec::<u8>::from_der(f.extn_value.as_bytes()).ok());
        let usages = x509::extension::<ExtendedKeyUsage>(all)?;
        Ok(Leaf {
            serial: tbs.serial_number().clone(),
            issuer: tbs.issuer().clone(),
            name: names.and_then(|names| match names.0.first() {
                Some(GeneralName::DnsName(name)) => Some(name.to_string()),
                _ => None,
            }),
            not_before: x509::clock(tbs.validity().not_before),
            not_after: x509::clock(tbs.validity().not_after),
            usage: x509::extension(all)?,
            public_key: tbs.subject_public_key_info().to_der().map_err(|_| Reason::Malformed)?,
            must_staple: features.is_some_and(|all| all.contains(&x509::STATUS_REQUEST)),
            signs_ocsp: usages.is_some_and(|usages| usages.0.contains(&x509::OCSP_SIGNING)),
        })
    }
}

/// Validates a path (RFC 5280 §6.1) from `certificate` to one of `roots`, at a time, and
/// answers with the authorities on it, from the certificate's issuer to the root.
/// `candidates` may serve as issuers in between.
pub(super) fn validate(
    certificate: &[u8],
    candidates: &[CertificateDer<'_>],
    roots: &[Root],
    at: UnixNanos,
) -> Result<Vec<Signer>, Reason> {
    let der = CertificateDer::from(certificate);
    let leaf = EndEntityCert::try_from(&der).map_err(reason)?;
    let anchors: Vec<_> = roots.iter().map(|root| root.anchor.clone()).collect();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.seconds()));
    // Ours name no extended key usage, and then any of these passes (RFC 5280 §4.2.1.12).
    let usage = ExtendedKeyUse::client_auth();
    let path =
        leaf.verify_for_usage(ALGORITHMS, &anchors, candidates, at, usage, None, None).map_err(reason)?;
    let root = anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
    let root = root.ok_or(Reason::CertificateUntrusted)?;
    let between = path.intermediate_certificates().map(|certificate| Signer::read(&certificate.der()));
    let path = between.chain([Ok(roots[root].signer.clone())]).collect::<Result<Vec<_>, _>>()?;
    // RFC 5280 §6.1.4 (n), which webpki leaves to cA.
    if path.iter().any(|signer| signer.usage.is_some_and(|usage| !usage.key_cert_sign())) {
        return Err(Reason::CertificateWrongUsage);
    }
    Ok(path)
}

/// As `validate`, as careless clients did it (CVE-2002-0862, CVE-2011-0228): names and
/// signatures only, not whether who signed is an authority.
pub(super) fn follow_signatures(
    certificate: &[u8],
    candidates: &[CertificateDer<'_>],
    roots: &[Root],
) -> Result<Vec<Signer>, Reason> {
    let mut path: Vec<Signer> = Vec::new();
    let mut at = certificate;
    loop {
        let signed = Signed::read(at)?;
        let issuer = Signer::read(at)?.issuer;
        let signs = |signer: &Signer| signer.subject == issuer && signed.is_signed_by(&signer.public_key);
        if let Some(root) = roots.iter().find(|root| signs(&root.signer)) {
            path.push(root.signer.clone());
            return Ok(path);
        }
        let mut below = candidates.iter().filter_map(|der| Some((der, Signer::read(der).ok()?)));
        let (der, signer) = below.find(|(_, signer)| signs(signer)).ok_or(Reason::CertificateUntrusted)?;
        if path.len() >= MAX_PATH_LEN {
            return Err(Reason::CertificateUntrusted);
        }
        path.push(signer);
        at = der;
    }
}

fn parse(der: &[u8]) -> Result<Certificate, Reason> {
    Certificate::from_der(der).map_err(|_| Reason::Malformed)
}

fn extensions(certificate: &Certificate) -> &[x509_cert::ext::Extension] {
    certificate.tbs_certificate().extensions().map_or(&[], |extensions| &extensions[..])
}

/// A signature algorithm of ours, as webpki asks for it.
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

/// Those of the suite. RSA keys have 2048 bits there.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    &Algorithm { key: alg_id::ED25519, signature: alg_id::ED25519 },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA256 },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA256 },
    &Algorithm { key: alg_id::ML_DSA_65, signature: alg_id::ML_DSA_65 },
];

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let info = self.info(public_key).map_err(|_| InvalidSignature)?;
        let key = VerifyingKey::from_info(info).map_err(|_| InvalidSignature)?;
        key.verify_x509(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

impl Algorithm {
    /// The SubjectPublicKeyInfo of which webpki hands us the key.
    fn info<'a>(&'a self, public_key: &'a [u8]) -> der::Result<SubjectPublicKeyInfoRef<'a>> {
        use der::asn1::{AnyRef, BitStringRef};
        // pki-types leaves out the sequence's tag and length.
        let algorithm = AnyRef::new(der::Tag::Sequence, &self.key)?.decode_as()?;
        Ok(SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(public_key)? })
    }
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}, RustCrypto", self.signature, self.key)
    }
}

/// What webpki found, in our words. We hand it neither names nor CRLs, so what it says
/// about those cannot arise; together with what a newer webpki may add it counts as a
/// failure to reach a root.
fn reason(error: Error) -> Reason {
    match error {
        Error::CertExpired { .. } => Reason::CertificateExpired,
        Error::CertNotValidYet { .. } => Reason::CertificateNotYetValid,
        Error::EndEntityUsedAsCa => Reason::CertificateNotACa,
        Error::PathLenConstraintViolated => Reason::PathLenExceeded,
        Error::CaUsedAsEndEntity | Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
            Reason::CertificateWrongUsage
        }
        Error::NameConstraintViolation => Reason::NameConstraintViolation,
        Error::UnsupportedCriticalExtension => Reason::UnknownCriticalExtension,
        Error::BadDer
        | Error::BadDerTime
        | Error::ExtensionValueInvalid
        | Error::InvalidCertValidity
        | Error::InvalidNetworkMaskConstraint
        | Error::InvalidSerialNumber
        | Error::MalformedDnsIdentifier
        | Error::MalformedExtensions
        | Error::MalformedNameConstraint
        | Error::SignatureAlgorithmMismatch
        | Error::TrailingData(_)
        | Error::UnsupportedCertVersion => Reason::Malformed,
        Error::CertDistrusted
        | Error::InvalidSignatureForPublicKey
        | Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded
        | Error::UnknownIssuer
        | Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Reason::CertificateUntrusted,
        _ => Reason::CertificateUntrusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_its_reason() {
        let at = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        for (error, expected) in [
            (Error::CertExpired { time: at, not_after: at }, Reason::CertificateExpired),
            (Error::CertNotValidYet { time: at, not_before: at }, Reason::CertificateNotYetValid),
            (Error::EndEntityUsedAsCa, Reason::CertificateNotACa),
            (Error::PathLenConstraintViolated, Reason::PathLenExceeded),
            (Error::CaUsedAsEndEntity, Reason::CertificateWrongUsage),
            (Error::NameConstraintViolation, Reason::NameConstraintViolation),
            (Error::BadDer, Reason::Malformed),
            (Error::UnknownIssuer, Reason::CertificateUntrusted),
            (Error::InvalidSignatureForPublicKey, Reason::CertificateUntrusted),
            (Error::UnsupportedCriticalExtension, Reason::UnknownCriticalExtension),
            // Not ours to see, and still no acceptance.
            (Error::UnknownRevocationStatus, Reason::CertificateUntrusted),
        ] {
            assert_eq!(reason(error), expected);
        }
    }
}
