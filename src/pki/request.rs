//! Requests for certificates (PKCS#10, RFC 2986): made by who holds a key, read by an
//! authority. Must not know who may have which name.

use const_oid::AssociatedOid;
use der::asn1::SetOfVec;
use der::{Decode, Encode};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::request::{CertReqInfo, ExtensionReq, Version};

use super::x509::{self, Purpose, Signed};
use crate::algebra::Private;
use crate::crypto::{DecryptionKey, Signature, SigningKey, VerifyingKey};
use crate::reason::Reason;

/// A request, DER, for a certificate that binds `name` to a key that signs. It asks for
/// keyUsage digitalSignature and is signed with the key itself (RFC 2986 §3).
pub fn request_for_signing(name: &str, key: &SigningKey) -> Vec<u8> {
    write(name, &key.public(), Purpose::Signature, key.suite(), |info| key.sign_x509(info))
}

/// A request, DER, for a certificate that binds `name` to an RSA key that decrypts. It asks
/// for keyUsage keyEncipherment; the key's one signature ever proves its possession.
pub fn request_for_encryption(name: &str, key: &DecryptionKey) -> Vec<u8> {
    // An imported key that cannot sign proves nothing: no authority takes an empty signature.
    let sign = |info: &[u8]| key.sign_x509(info).unwrap_or_default();
    write(name, &key.public(), Purpose::Encryption, Signature::Rsa2048Pss, sign)
}

/// As `request_for_signing`, for a public key that somebody else holds: signed with a key of
/// the requester's own, it proves possession of nothing.
pub fn foreign_request_for_signing(name: &str, public: &[u8], own: &SigningKey) -> Vec<u8> {
    write(name, public, Purpose::Signature, own.suite(), |info| own.sign_x509(info))
}

/// As `request_for_encryption`, for a public key that somebody else holds.
pub fn foreign_request_for_encryption(name: &str, public: &[u8], own: &SigningKey) -> Vec<u8> {
    write(name, public, Purpose::Encryption, own.suite(), |info| own.sign_x509(info))
}

/// Requests for a certificate for each of the keys that somebody has, for encryption first.
pub fn requests(name: &str, keys: &Private) -> Vec<Vec<u8>> {
    let encryption = keys.decryption.as_ref().map(|key| request_for_encryption(name, key));
    let signature = keys.signing.as_ref().map(|key| request_for_signing(name, key));
    encryption.into_iter().chain(signature).collect()
}

/// What an authority reads from a request whose proof of possession holds.
pub(super) struct Request {
    pub name: String,
    pub public_key: SubjectPublicKeyInfoOwned,
    /// The same, DER.
    pub spki: Vec<u8>,
    pub purpose: Purpose,
}

impl Request {
    /// Parses a request and, if the authority demands proof of possession, checks its signature.
    ///
    /// # Errors
    /// `Malformed`; `BadProofOfPossession`; `CertificateWrongUsage` for a use other than
    /// one of the two, such as keyCertSign, or encryption to a key that cannot.
    pub(super) fn read(der: &[u8], proof_of_possession: bool) -> Result<Request, Reason> {
        let malformed = |_| Reason::Malformed;
        let signed = Signed::read(der)?;
        let info = CertReqInfo::from_der(&signed.body()?).map_err(malformed)?;
        let spki = info.public_key.to_der().map_err(malformed)?;
        let suite = VerifyingKey::from_spki(&spki)?.suite();
        // RFC 2986 §3: the signature prevents a request for somebody else's public key.
        if proof_of_possession && !signed.is_signed_by(&spki) {
            return Err(Reason::BadProofOfPossession);
        }
        let name = info.subject.common_name().map_err(malformed)?.ok_or(Reason::Malformed)?;
        let usage = requested_usage(&info.attributes)?;
        let purpose = [Purpose::Signature, Purpose::Encryption]
            .into_iter()
            .find(|purpose| purpose.key_usage() == usage)
            .filter(|purpose| *purpose == Purpose::Signature || suite == Signature::Rsa2048Pss)
            .ok_or(Reason::CertificateWrongUsage)?;
        Ok(Request { name: name.value().into_owned(), public_key: info.public_key, spki, purpose })
    }
}

/// The keyUsage of the extensionRequest (RFC 2985 §5.4.2); digitalSignature if none is asked for.
fn requested_usage(attributes: &Attributes) -> Result<KeyUsage, Reason> {
    let Some(attribute) = attributes.iter().find(|attribute| attribute.oid == ExtensionReq::OID) else {
        return Ok(Purpose::Signature.key_usage());
    };
    let value = attribute.values.get(0).ok_or(Reason::Malformed)?;
    let asked: Extensions = value.decode_as().map_err(|_| Reason::Malformed)?;
    Ok(x509::extension(&asked)?.unwrap_or(Purpose::Signature.key_usage()))
}

fn write(
    name: &str,
    spki: &[u8],
    purpose: Purpose,
    suite: Signature,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let request = || -> der::Result<Vec<u8>> {
        let subject = x509::name(name)?;
        let mut asked = Extensions::new();
        x509::extend(&mut asked, &subject, &purpose.key_usage())?;
        let info = CertReqInfo {
            version: Version::V1,
            subject,
            public_key: SubjectPublicKeyInfoOwned::from_der(spki)?,
            attributes: SetOfVec::try_from(vec![Attribute::try_from(ExtensionReq(asked))?])?,
        }
        .to_der()?;
        x509::frame(&info, x509::signature_algorithm(suite), &sign(&info))
    };
    request().expect("a name and a key of the program's own encode")
}
