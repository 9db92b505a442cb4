//! The parts of X.509 that authorities, requests and relying parties share: names, times,
//! algorithm identifiers, extensions and what is signed. Must not judge anything.

use std::time::Duration;

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::{Any, AnyRef, BitString, GeneralizedTime, OctetString, Utf8StringRef};
use der::{DateTime, Decode, Encode, Sequence};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, Extensions, ToExtension};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use crate::crypto::{Signature, SigningKey, VerifyingKey, sha256};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// invalidityDate of a CRL's entry (RFC 5280 §5.3.2).
pub(super) const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
/// The TLS feature extension (RFC 7633 §4).
pub(super) const TLS_FEATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24");
/// The feature status_request: the certificate is not valid without a stapled response.
pub(super) const STATUS_REQUEST: u8 = 5;
/// The extended key usage of who may sign OCSP responses (RFC 6960 §4.2.2.2).
pub(super) const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// A responder's certificate that is not itself checked for revocation (RFC 6960 §4.2.2.2.1).
pub(super) const OCSP_NOCHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");

/// Which names an authority may certify (RFC 5280 §4.2.1.10).
pub(super) const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");

/// What a certified key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Encryption,
    Signature,
}

/// What certificates, CRLs and requests have in common: a body, who signed it how, and the
/// signature (RFC 5280 §4.1.1, §5.1.1, RFC 2986 §4.2).
#[derive(Sequence)]
pub(super) struct Signed<'a> {
    body: AnyRef<'a>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// TBSCertificate (RFC 5280 §4.1), for writing: x509-cert's own has private fields.
#[derive(Sequence)]
pub(super) struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub version: Version,
    pub serial_number: SerialNumber,
    pub signature: AlgorithmIdentifierOwned,
    pub issuer: Name,
    pub validity: Validity,
    pub subject: Name,
    pub subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub extensions: Extensions,
}

impl Purpose {
    /// RFC 5280 §4.2.1.3: digitalSignature for signatures other than on certificates and
    /// CRLs, keyEncipherment for key transport.
    pub(super) fn key_usage(self) -> KeyUsage {
        KeyUsage(self.flag().into())
    }

    /// Whether a certificate that says this permits the purpose.
    pub(super) fn is_permitted_by(self, usage: KeyUsage) -> bool {
        usage.0.contains(self.flag())
    }

    fn flag(self) -> KeyUsages {
        match self {
            Purpose::Encryption => KeyUsages::KeyEncipherment,
            Purpose::Signature => KeyUsages::DigitalSignature,
        }
    }
}

impl<'a> Signed<'a> {
    /// Parses the frame, not the body.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Reason> {
        Signed::from_der(der).map_err(|_| Reason::Malformed)
    }

    /// The body, which its signature covers.
    pub(super) fn body(&self) -> Result<Vec<u8>, Reason> {
        self.body.to_der().map_err(|_| Reason::Malformed)
    }

    /// The algorithm that the frame names.
    pub(super) fn algorithm(&self) -> &AlgorithmIdentifierOwned {
        &self.algorithm
    }

    /// Whether `spki` verifies the signature, by the algorithm that the frame names.
    pub(super) fn is_signed_by(&self, spki: &[u8]) -> bool {
        self.body().is_ok_and(|body| verifies(spki, &self.algorithm, &body, &self.signature))
    }
}

/// Whether `spki` verifies a signature by the algorithm that came with it.
pub(super) fn verifies(
    spki: &[u8],
    algorithm: &AlgorithmIdentifierOwned,
    body: &[u8],
    signature: &BitString,
) -> bool {
    let (Ok(key), Some(signature)) = (VerifyingKey::from_spki(spki), signature.as_bytes()) else {
        return false;
    };
    *algorithm == signature_algorithm(key.suite()) && key.verify_x509(body, signature).is_ok()
}

/// Puts `body`, DER, and its `signature` into the frame that they share.
pub(super) fn frame(
    body: &[u8],
    algorithm: AlgorithmIdentifierOwned,
    signature: &[u8],
) -> der::Result<Vec<u8>> {
    Signed { body: AnyRef::from_der(body)?, algorithm, signature: BitString::from_bytes(signature)? }.to_der()
}

/// Encodes and signs a body that names `signature_algorithm(key.suite())` already.
pub(super) fn sign(body: &impl Encode, key: &SigningKey) -> der::Result<Vec<u8>> {
    let body = body.to_der()?;
    frame(&body, signature_algorithm(key.suite()), &key.sign_x509(&body))
}

/// How keys of this kind sign in X.509: RFC 8410 §3, RFC 4055 §5 (with NULL), RFC 5758 §3.2,
/// RFC 9881 §2.
pub(super) fn signature_algorithm(suite: Signature) -> AlgorithmIdentifierOwned {
    match suite {
        Signature::Ed25519 => AlgorithmIdentifierOwned { oid: ED25519, parameters: None },
        Signature::Rsa2048Pss => {
            AlgorithmIdentifierOwned { oid: SHA256_WITH_RSA, parameters: Some(Any::null()) }
        }
        Signature::EcdsaP256 | Signature::EcdsaP256RepeatedNonce => {
            AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None }
        }
        Signature::MlDsa65 => AlgorithmIdentifierOwned { oid: ML_DSA_65, parameters: None },
    }
}

/// A distinguished name of one common name (RFC 5280 §4.1.2.4, as UTF8String).
pub(super) fn name(common_name: &str) -> der::Result<Name> {
    let value = Any::encode_from(&Utf8StringRef::new(common_name)?)?;
    let part = RelativeDistinguishedName::try_from(vec![AttributeTypeAndValue { oid: COMMON_NAME, value }])?;
    Name::from_der(&RdnSequence::from(vec![part]).to_der()?)
}

/// A time of whole seconds: UTCTime through 2049, then GeneralizedTime (RFC 5280 §4.1.2.5).
pub(super) fn time(at: UnixNanos) -> der::Result<Time> {
    DateTime::from_unix_duration(Duration::from_secs(at.seconds())).map(Time::from)
}

/// A time of X.509 as a clock reads it; those that no clock of ours reaches become the last.
pub(super) fn clock(time: Time) -> UnixNanos {
    UnixNanos(Span::seconds(time.to_unix_duration().as_secs()).0)
}

/// The instant at the start of its second, as X.509 tells it.
pub(super) fn truncated(at: UnixNanos) -> UnixNanos {
    UnixNanos(Span::seconds(at.seconds()).0)
}

/// The leftmost 160 bits of SHA-256 over the key (RFC 7093 §2, method 1).
pub(super) fn key_identifier(spki: &SubjectPublicKeyInfoOwned) -> der::Result<OctetString> {
    OctetString::new(&sha256(&[spki.subject_public_key.raw_bytes()])[..20])
}

/// Adds an extension as critical as RFC 5280 says for a subject that is not empty.
pub(super) fn extend<E: ToExtension<Error = der::Error>>(
    extensions: &mut Extensions,
    subject: &Name,
    extension: E,
) -> der::Result<()> {
    extensions.push(extension.to_extension(subject, extensions)?);
    Ok(())
}

/// A serial number as authorities here give them.
pub(super) fn small(serial: &SerialNumber) -> Option<u64> {
    let bytes = serial.as_bytes();
    let is_small = bytes.len() <= 8;
    is_small.then(|| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// An extension that the library has no type for.
pub(super) fn raw_extension(
    extn_id: ObjectIdentifier,
    critical: bool,
    value: &impl Encode,
) -> der::Result<Extension> {
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value.to_der()?)? })
}

/// A time as GeneralizedTime, which OCSP and invalidityDate use throughout.
pub(super) fn generalized(at: UnixNanos) -> der::Result<GeneralizedTime> {
    GeneralizedTime::from_unix_duration(Duration::from_secs(at.seconds()))
}

/// The extension of this type, if there is one; `Malformed` if there are two (RFC 5280 §4.2).
pub(super) fn extension<'a, E>(extensions: &'a [Extension]) -> Result<Option<E>, Reason>
where
    E: AssociatedOid + Decode<'a>,
{
    let mut found = extensions.iter().filter(|extension| extension.extn_id == E::OID);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => E::from_der(one.extn_value.as_bytes()).map(Some).map_err(|_| Reason::Malformed),
        (Some(_), Some(_)) => Err(Reason::Malformed),
    }
}
