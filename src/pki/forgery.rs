//! What somebody writes who poses as an authority, with a key that is not one's, or is stolen.
//! Real X.509 that relying parties must judge. Must not know whom it deceives.

use der::Decode;
use x509_cert::Certificate;

use super::issuer::Issuer;
use super::ocsp::{self, Query, Statement, Status};
use super::path::Leaf;
use super::profile::Profile;
use super::publication;
use super::request::Request;
use super::x509::{self, Purpose};
use crate::crypto::SigningKey;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

/// A certificate for what a request asks for, with `name` as its issuer and signed with `key`;
/// what it says beside that is as `profile` has it.
///
/// # Errors
/// `Malformed`, `CertificateWrongUsage`, `NotAuthorisedForName` for a name that no
/// certificate can hold.
pub fn forge_certificate(
    name: &str,
    key: &SigningKey,
    request: &[u8],
    serial: u64,
    (not_before, not_after): (UnixNanos, UnixNanos),
    profile: &Profile,
) -> Result<Vec<u8>, Reason> {
    let request = Request::read(request, false)?;
    let forge = || -> der::Result<Vec<u8>> {
        let issuer = Issuer::root(name, key.clone(), not_before, not_after)?;
        issuer.leaf(serial, &request, (not_before, not_after), (false, profile))
    };
    forge().map_err(|_| Reason::NotAuthorisedForName)
}

/// A complete CRL with `name` as its issuer, signed with `key`, that lists these certificates.
/// Its number is as high as numbers go.
pub fn forge_crl(
    name: &str,
    key: &SigningKey,
    serials: &[u64],
    (this_update, next_update): (UnixNanos, UnixNanos),
) -> Vec<u8> {
    let forge = || -> der::Result<Vec<u8>> {
        let issuer = Issuer::root(name, key.clone(), this_update, next_update)?;
        publication::listing(&issuer, serials, this_update, next_update)
    };
    forge().unwrap_or_default()
}

/// An OCSP response that says `good` to a request, signed with the key of a certificate that
/// comes with it.
///
/// # Errors
/// `Malformed`.
pub fn forge_good(
    request: &[u8],
    key: &SigningKey,
    certificate: &[u8],
    now: UnixNanos,
    lifetime: Span,
) -> Result<Vec<u8>, Reason> {
    let query = Query::read(request)?;
    let malformed = |_| Reason::Malformed;
    let own = Certificate::from_der(certificate).map_err(malformed)?;
    let statement = Statement {
        responder: own.tbs_certificate().subject(),
        certificate: &query.certificate,
        status: Status::Good,
        reason: None,
        produced_at: now,
        this_update: now,
        next_update: now.after(lifetime),
        nonce: query.nonce.as_deref(),
    };
    ocsp::response(&statement, key, &[certificate]).map_err(malformed)
}

/// Whether two OCSP responses are about one certificate.
pub fn is_about_the_same(one: &[u8], other: &[u8]) -> bool {
    match (ocsp::Response::read(one), ocsp::Response::read(other)) {
        (Ok(one), Ok(other)) => one.certificate == other.certificate,
        _ => false,
    }
}

/// Whether a certificate is for a key that others encrypt to.
pub fn is_for_encryption(certificate: &[u8]) -> bool {
    let usage = Leaf::read(certificate).ok().and_then(|leaf| leaf.usage);
    usage.is_some_and(|usage| Purpose::Encryption.is_permitted_by(usage))
}

/// A certificate's serial number, if it is as short as authorities here give them.
pub fn serial_of(certificate: &[u8]) -> Option<u64> {
    x509::small(Certificate::from_der(certificate).ok()?.tbs_certificate().serial_number())
}
