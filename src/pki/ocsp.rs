//! OCSP requests and responses (RFC 6960 §4), in the parts that are used here: one
//! certificate a request, nonces (RFC 9654), responders named by name. Must not know who may
//! sign, nor what the time is.

use const_oid::ObjectIdentifier;
use der::asn1::{BitString, GeneralizedTime, Null, OctetString};
use der::{Choice, Decode, Encode, Enumerated, Sequence};
use sha1::{Digest as _, Sha1};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

use super::x509;
use crate::crypto::{SigningKey, sha256};
use crate::reason::Reason;
use crate::time::UnixNanos;

const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// Bytes of a nonce (RFC 9654 §2.1: 32 should be used).
pub(super) const NONCE_LEN: usize = 32;

/// Which certificate is meant: hashes of its issuer's name and key, and its serial number.
#[derive(Clone, PartialEq, Eq, Debug, Sequence)]
pub struct CertId {
    hash_algorithm: AlgorithmIdentifierOwned,
    issuer_name_hash: OctetString,
    issuer_key_hash: OctetString,
    /// The serial number.
    pub(super) serial_number: SerialNumber,
}

#[derive(Sequence)]
struct OcspRequest {
    tbs_request: TbsRequest,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    signature: Option<der::Any>,
}

#[derive(Sequence)]
struct TbsRequest {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    version: Version,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    requestor_name: Option<der::Any>,
    request_list: Vec<Request>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Request {
    certificate: CertId,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct OcspResponse {
    status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Enumerated)]
#[asn1(type = "ENUMERATED")]
#[repr(u32)]
enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Sequence)]
struct ResponseBytes {
    response_type: ObjectIdentifier,
    response: OctetString,
}

#[derive(Sequence)]
struct BasicResponse {
    data: ResponseData,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<Certificate>>,
}

#[derive(Sequence)]
struct ResponseData {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    version: Version,
    responder: ResponderId,
    produced_at: GeneralizedTime,
    responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum ResponderId {
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", constructed = "true")]
    ByName(Name),
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    ByKey(OctetString),
}

#[derive(Sequence)]
struct SingleResponse {
    certificate: CertId,
    status: CertStatus,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Clone, Copy, Choice)]
enum CertStatus {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Clone, Copy, Sequence)]
struct RevokedInfo {
    time: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<CrlReason>,
}

/// What a responder says of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is not known to be revoked; not even that it was issued.
    Good,
    /// It was revoked, or is to be taken so.
    Revoked {
        /// Since when.
        at: UnixNanos,
    },
    /// The responder does not know it.
    Unknown,
}

/// A request, read.
pub(super) struct Query {
    pub certificate: CertId,
    pub nonce: Option<Vec<u8>>,
}

/// What a response says before anybody signs it.
pub(super) struct Statement<'a> {
    pub responder: &'a Name,
    pub certificate: &'a CertId,
    pub status: Status,
    pub reason: Option<CrlReason>,
    pub produced_at: UnixNanos,
    pub this_update: UnixNanos,
    pub next_update: UnixNanos,
    pub nonce: Option<&'a [u8]>,
}

/// A response about one certificate, read and not yet believed.
pub(super) struct Response {
    pub responder: Option<Name>,
    pub certificate: CertId,
    pub status: Status,
    pub this_update: UnixNanos,
    pub next_update: Option<UnixNanos>,
    pub nonce: Option<Vec<u8>>,
    /// Certificates that came with it, DER.
    pub certificates: Vec<Vec<u8>>,
    signed: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl CertId {
    /// Whether it is of a certificate of this issuer, by the hash that it names: SHA-256, or SHA-1,
    /// which is all that clients after RFC 5019 use.
    pub(super) fn is_of(&self, issuer: &Name, public_key: &SubjectPublicKeyInfoOwned) -> bool {
        let AlgorithmIdentifierOwned { oid, parameters } = &self.hash_algorithm;
        let hash = |bytes: &[u8]| match *oid {
            SHA256 => Some(sha256(&[bytes]).to_vec()),
            SHA1 => Some(Sha1::digest(bytes).to_vec()),
            _ => None,
        };
        let is_hash_of =
            |hashed: &OctetString, bytes: &[u8]| hash(bytes).is_some_and(|h| h == hashed.as_bytes());
        let Ok(name) = issuer.to_der() else { return false };
        parameters.as_ref().is_none_or(der::Any::is_null)
            && is_hash_of(&self.issuer_name_hash, &name)
            && is_hash_of(&self.issuer_key_hash, public_key.subject_public_key.raw_bytes())
    }

    /// RFC 5019 §2.1.1, with SHA-1; its parameters are NULL, as most clients write them.
    pub(super) fn by_sha1(
        issuer: &Name,
        public_key: &SubjectPublicKeyInfoOwned,
        serial_number: &SerialNumber,
    ) -> der::Result<CertId> {
        let hash = |bytes: &[u8]| OctetString::new(&Sha1::digest(bytes)[..]);
        Ok(CertId {
            hash_algorithm: AlgorithmIdentifierOwned { oid: SHA1, parameters: Some(der::Any::null()) },
            issuer_name_hash: hash(&issuer.to_der()?)?,
            issuer_key_hash: hash(public_key.subject_public_key.raw_bytes())?,
            serial_number: serial_number.clone(),
        })
    }

    /// RFC 6960 §4.1.1, with SHA-256.
    pub(super) fn new(
        issuer: &Name,
        public_key: &SubjectPublicKeyInfoOwned,
        serial_number: &SerialNumber,
    ) -> der::Result<CertId> {
        Ok(CertId {
            hash_algorithm: AlgorithmIdentifierOwned { oid: SHA256, parameters: None },
            issuer_name_hash: OctetString::new(&sha256(&[&issuer.to_der()?])[..])?,
            issuer_key_hash: OctetString::new(&sha256(&[public_key.subject_public_key.raw_bytes()])[..])?,
            serial_number: serial_number.clone(),
        })
    }
}

/// A request about one certificate, DER.
pub(super) fn request(certificate: &CertId, nonce: Option<&[u8]>) -> der::Result<Vec<u8>> {
    let request = Request { certificate: certificate.clone(), extensions: None };
    let tbs_request = TbsRequest {
        version: Version::V1,
        requestor_name: None,
        request_list: vec![request],
        extensions: nonce.map(nonce_extension).transpose()?,
    };
    OcspRequest { tbs_request, signature: None }.to_der()
}

impl Query {
    /// Reads a request.
    ///
    /// # Errors
    /// `Malformed`, also for a request about more certificates than one, or signed;
    /// `UnknownCriticalExtension` (RFC 6960 §4.4).
    pub(super) fn read(der: &[u8]) -> Result<Query, Reason> {
        let request = OcspRequest::from_der(der).map_err(|_| Reason::Malformed)?;
        let OcspRequest { tbs_request, signature: None } = request else { return Err(Reason::Malformed) };
        let [Request { certificate, extensions: of_single }] = &tbs_request.request_list[..] else {
            return Err(Reason::Malformed);
        };
        let extensions = tbs_request.extensions.as_deref().unwrap_or_default();
        if has_unknown_critical(extensions, of_single.as_deref().unwrap_or_default()) {
            return Err(Reason::UnknownCriticalExtension);
        }
        let nonce = nonce_in(extensions)?;
        Ok(Query { certificate: certificate.clone(), nonce })
    }
}

/// A signed response with certificates that may help to judge it, DER.
pub(super) fn response(
    statement: &Statement<'_>,
    key: &SigningKey,
    certificates: &[&[u8]],
) -> der::Result<Vec<u8>> {
    let status = match statement.status {
        Status::Good => CertStatus::Good(Null),
        Status::Unknown => CertStatus::Unknown(Null),
        Status::Revoked { at } => {
            CertStatus::Revoked(RevokedInfo { time: x509::generalized(at)?, reason: statement.reason })
        }
    };
    let data = ResponseData {
        version: Version::V1,
        responder: ResponderId::ByName(statement.responder.clone()),
        produced_at: x509::generalized(statement.produced_at)?,
        responses: vec![SingleResponse {
            certificate: statement.certificate.clone(),
            status,
            this_update: x509::generalized(statement.this_update)?,
            next_update: Some(x509::generalized(statement.next_update)?),
            extensions: None,
        }],
        extensions: statement.nonce.map(nonce_extension).transpose()?,
    };
    let signature = BitString::from_bytes(&key.sign_x509(&data.to_der()?))?;
    let algorithm = x509::signature_algorithm(key.suite());
    let certificates =
        certificates.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
    let certificates = Some(certificates).filter(|all| !all.is_empty());
    let basic = BasicResponse { data, algorithm, signature, certificates }.to_der()?;
    let bytes = ResponseBytes { response_type: BASIC, response: OctetString::new(basic)? };
    OcspResponse { status: ResponseStatus::Successful, bytes: Some(bytes) }.to_der()
}

/// The error response tryLater, which nobody signs (RFC 6960 §2.3).
pub fn try_later() -> Vec<u8> {
    let response = OcspResponse { status: ResponseStatus::TryLater, bytes: None };
    response.to_der().expect("five bytes encode")
}

impl Response {
    /// Reads a response.
    ///
    /// # Errors
    /// `OcspTryLater` for an error response, which says nothing; `Malformed`, also for one
    /// about more certificates than one; `UnknownCriticalExtension`.
    pub(super) fn read(der: &[u8]) -> Result<Response, Reason> {
        let malformed = |_| Reason::Malformed;
        let response = OcspResponse::from_der(der).map_err(malformed)?;
        if response.status != ResponseStatus::Successful {
            return Err(Reason::OcspTryLater);
        }
        let bytes = response.bytes.filter(|bytes| bytes.response_type == BASIC).ok_or(Reason::Malformed)?;
        let basic = BasicResponse::from_der(bytes.response.as_bytes()).map_err(malformed)?;
        let signed = basic.data.to_der().map_err(malformed)?;
        let [single] = &basic.data.responses[..] else { return Err(Reason::Malformed) };
        let extensions = basic.data.extensions.as_deref().unwrap_or_default();
        let of_single = single.extensions.as_deref().unwrap_or_default();
        if has_unknown_critical(extensions, of_single) {
            return Err(Reason::UnknownCriticalExtension);
        }
        let clock = |time: GeneralizedTime| x509::clock(x509_cert::time::Time::GeneralTime(time));
        let certificates = basic.certificates.unwrap_or_default();
        Ok(Response {
            responder: match basic.data.responder {
                ResponderId::ByName(name) => Some(name),
                ResponderId::ByKey(_) => None,
            },
            certificate: single.certificate.clone(),
            status: match single.status {
                CertStatus::Good(_) => Status::Good,
                CertStatus::Unknown(_) => Status::Unknown,
                CertStatus::Revoked(revoked) => Status::Revoked { at: clock(revoked.time) },
            },
            this_update: clock(single.this_update),
            next_update: single.next_update.map(clock),
            nonce: nonce_in(extensions)?,
            certificates: certificates
                .iter()
                .map(|c| c.to_der().map_err(malformed))
                .collect::<Result<_, _>>()?,
            signed,
            algorithm: basic.algorithm,
            signature: basic.signature,
        })
    }

    /// Whether `spki` verifies its signature.
    pub(super) fn is_signed_by(&self, spki: &[u8]) -> bool {
        x509::verifies(spki, &self.algorithm, &self.signed, &self.signature)
    }
}

/// RFC 6960 §4.4.1: an OCTET STRING inside the extension's.
fn nonce_extension(nonce: &[u8]) -> der::Result<Extensions> {
    Ok(vec![x509::raw_extension(NONCE, false, &OctetString::new(nonce)?)?])
}

/// RFC 6960 §4.4: a critical extension that is not recognised forbids using what it is in.
fn has_unknown_critical(of_all: &[Extension], of_single: &[Extension]) -> bool {
    of_all.iter().chain(of_single).any(|extension| extension.critical && extension.extn_id != NONCE)
}

fn nonce_in(extensions: &[Extension]) -> Result<Option<Vec<u8>>, Reason> {
    let mut found = extensions.iter().filter(|extension| extension.extn_id == NONCE);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(nonce), None) => OctetString::from_der(nonce.extn_value.as_bytes())
            .map(|nonce| Some(nonce.as_bytes().to_vec()))
            .map_err(|_| Reason::Malformed),
        (Some(_), Some(_)) => Err(Reason::Malformed),
    }
}
