//! Certificate revocation lists as relying parties read them (RFC 5280 §5, §6.3). Must not
//! know the policy of who reads, nor what the time is.

use const_oid::AssociatedOid;
use der::Decode;
use der::asn1::Uint;
use x509_cert::certificate::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BaseCrlNumber, CrlNumber, CrlReason};
use x509_cert::serial_number::SerialNumber;

use super::path::Signer;
use super::x509::{self, Signed};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What a CRL says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrlSummary {
    /// Its CRLNumber (RFC 5280 §5.2.3).
    pub number: u64,
    /// The BaseCRLNumber of a delta CRL (RFC 5280 §5.2.4).
    pub base: Option<u64>,
    /// When it was issued.
    pub this_update: UnixNanos,
    /// From when on it says nothing.
    pub next_update: UnixNanos,
    /// How many certificates it lists.
    pub entries: usize,
}

/// What a CRL says of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Listing {
    Revoked,
    /// Only a delta CRL says so: it is on hold no more.
    Removed,
}

/// A CRL, complete or delta, that one of the signers signed.
pub(super) struct Crl {
    /// The key of the authority of which it is, as [`Signer::key`].
    pub issuer: [u8; 32],
    pub summary: CrlSummary,
    /// Sorted.
    listed: Vec<(SerialNumber, Listing)>,
}

impl Crl {
    /// Parses a CRL and finds who signed it. `verify`: whether the signature is looked at; a
    /// careless client takes the name for it.
    ///
    /// # Errors
    /// `Malformed`; `UnknownCriticalExtension` (RFC 5280 §5.2); `CrlIssuerMismatch` if no
    /// signer has its issuer's name; `CrlBadSignature` if none of that name signed it;
    /// `CertificateWrongUsage` if who did may not sign CRLs.
    pub(super) fn read(der: &[u8], signers: &[&Signer], verify: bool) -> Result<Crl, Reason> {
        let signed = Signed::read(der)?;
        let list = TbsCertList::from_der(&signed.body()?).map_err(|_| Reason::Malformed)?;
        // RFC 5280 §5.1.1.2, §5.1.2.1: one algorithm, named twice, and version 2.
        if list.signature != *signed.algorithm() || list.version != Version::V2 {
            return Err(Reason::Malformed);
        }
        let extensions = list.crl_extensions.as_deref().unwrap_or_default();
        let is_known = |e: &Extension| {
            [CrlNumber::OID, AuthorityKeyIdentifier::OID, BaseCrlNumber::OID].contains(&e.extn_id)
        };
        if extensions.iter().any(|extension| extension.critical && !is_known(extension)) {
            return Err(Reason::UnknownCriticalExtension);
        }
        // RFC 5280 §6.3.3 (b), (f), (g): of the certificate's issuer, and signed with its key.
        let named: Vec<_> = signers.iter().filter(|signer| signer.subject == list.issuer).collect();
        if named.is_empty() {
            return Err(Reason::CrlIssuerMismatch);
        }
        let signer = named.into_iter().find(|signer| !verify || signed.is_signed_by(&signer.public_key));
        let signer = signer.ok_or(Reason::CrlBadSignature)?;
        if signer.usage.is_some_and(|usage| !usage.crl_sign()) {
            return Err(Reason::CertificateWrongUsage);
        }
        let base: Option<BaseCrlNumber> = x509::extension(extensions)?;
        let summary = CrlSummary {
            number: number(&x509::extension::<CrlNumber>(extensions)?.ok_or(Reason::Malformed)?.0)?,
            base: base.map(|base| number(&base.0)).transpose()?,
            this_update: x509::clock(list.this_update),
            // RFC 5280 §5.1.2.5: nextUpdate must be there.
            next_update: x509::clock(list.next_update.ok_or(Reason::Malformed)?),
            entries: list.revoked_certificates.as_ref().map_or(0, Vec::len),
        };
        let listed = listings(list.revoked_certificates.unwrap_or_default(), summary.base.is_some())?;
        Ok(Crl { issuer: signer.key, summary, listed })
    }

    /// Every certificate of which it says something.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&SerialNumber, Listing)> {
        self.listed.iter().map(|(serial, listing)| (serial, *listing))
    }

    /// What it says of a certificate.
    pub(super) fn listing(&self, serial: &SerialNumber) -> Option<Listing> {
        let at = self.listed.binary_search_by(|(listed, _)| listed.cmp(serial)).ok()?;
        Some(self.listed[at].1)
    }
}

/// A CRLNumber. It may have 20 octets; 8 are read here, of which an authority that publishes
/// every nanosecond has enough for five centuries.
fn number(number: &Uint) -> Result<u64, Reason> {
    let bytes = number.as_bytes();
    if bytes.len() > 8 {
        return Err(Reason::Malformed);
    }
    Ok(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

fn listings(entries: Vec<RevokedCert>, is_delta: bool) -> Result<Vec<(SerialNumber, Listing)>, Reason> {
    let mut listed = Vec::with_capacity(entries.len());
    for entry in entries {
        let extensions = entry.crl_entry_extensions.as_deref().unwrap_or_default();
        // RFC 5280 §5.3: an unknown critical extension of an entry forbids it too, such as the
        // certificateIssuer of an indirect CRL.
        if extensions.iter().any(|extension| extension.critical) {
            return Err(Reason::UnknownCriticalExtension);
        }
        let reason: Option<CrlReason> = if is_delta { x509::extension(extensions)? } else { None };
        let listing = match reason {
            Some(CrlReason::RemoveFromCRL) => Listing::Removed,
            _ => Listing::Revoked,
        };
        listed.push((entry.serial_number, listing));
    }
    listed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(listed)
}
