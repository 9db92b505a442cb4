//! Certificate revocation lists as relying parties read them (RFC 5280 §5, §6.3). Must not
//! know the policy of who reads, nor what the time is.

use const_oid::AssociatedOid;
use der::Decode;
use x509_cert::certificate::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber};
use x509_cert::serial_number::SerialNumber;

use super::path::Root;
use super::x509::{self, Signed};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What a CRL says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrlSummary {
    /// Its CRLNumber (RFC 5280 §5.2.3).
    pub number: u64,
    /// When it was issued.
    pub this_update: UnixNanos,
    /// From when on it says nothing.
    pub next_update: UnixNanos,
    /// How many certificates it lists.
    pub entries: usize,
}

/// A complete CRL that one of the roots signed.
pub(super) struct Crl {
    der: Vec<u8>,
    /// The root that signed it, by index.
    pub root: usize,
    pub summary: CrlSummary,
    /// Sorted.
    revoked: Vec<SerialNumber>,
}

impl Crl {
    /// Parses a CRL and finds the root that signed it.
    ///
    /// # Errors
    /// `Malformed`, also for a CRL of which a part that is critical is unknown here, such as
    /// a delta CRL; `CrlBadSignature` if no root signed it; `CertificateWrongUsage` if the
    /// root may not sign CRLs.
    pub(super) fn read(der: &[u8], roots: &[Root]) -> Result<Crl, Reason> {
        let signed = Signed::read(der)?;
        let list = TbsCertList::from_der(&signed.body()?).map_err(|_| Reason::Malformed)?;
        // RFC 5280 §5.1.1.2, §5.1.2.1: one algorithm, named twice, and version 2.
        if list.signature != *signed.algorithm() || list.version != Version::V2 {
            return Err(Reason::Malformed);
        }
        let extensions = list.crl_extensions.as_deref().unwrap_or_default();
        // RFC 5280 §5.2: an unknown critical extension forbids using the CRL.
        let is_known =
            |e: &Extension| e.extn_id == CrlNumber::OID || e.extn_id == AuthorityKeyIdentifier::OID;
        if extensions.iter().any(|extension| extension.critical && !is_known(extension)) {
            return Err(Reason::Malformed);
        }
        // RFC 5280 §6.3.3 (f), (g): the issuer's key, which must be the certificate's issuer's.
        let root = roots
            .iter()
            .position(|root| root.subject == list.issuer && signed.is_signed_by(&root.public_key))
            .ok_or(Reason::CrlBadSignature)?;
        if roots[root].usage.is_some_and(|usage| !usage.crl_sign()) {
            return Err(Reason::CertificateWrongUsage);
        }
        let summary = CrlSummary {
            number: number(extensions)?,
            this_update: x509::clock(list.this_update),
            // RFC 5280 §5.1.2.5: nextUpdate must be there.
            next_update: x509::clock(list.next_update.ok_or(Reason::Malformed)?),
            entries: list.revoked_certificates.as_ref().map_or(0, Vec::len),
        };
        let revoked = serials(list.revoked_certificates.unwrap_or_default())?;
        Ok(Crl { der: der.to_vec(), root, summary, revoked })
    }

    /// Whether these bytes are this CRL.
    pub(super) fn is(&self, der: &[u8]) -> bool {
        self.der == der
    }

    /// Whether it speaks of the status at `now`: thisUpdate ≤ now < nextUpdate.
    pub(super) fn is_current(&self, now: UnixNanos) -> bool {
        self.summary.this_update <= now && now < self.summary.next_update
    }

    /// Whether it lists a certificate.
    pub(super) fn lists(&self, serial: &SerialNumber) -> bool {
        self.revoked.binary_search(serial).is_ok()
    }
}

/// The CRLNumber, which RFC 5280 §5.2.3 demands. It may have 20 octets; 8 are read here, of
/// which an authority that publishes every nanosecond has enough for five centuries.
fn number(extensions: &[Extension]) -> Result<u64, Reason> {
    let number: CrlNumber = x509::extension(extensions)?.ok_or(Reason::Malformed)?;
    let bytes = number.0.as_bytes();
    if bytes.len() > 8 {
        return Err(Reason::Malformed);
    }
    Ok(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

fn serials(entries: Vec<RevokedCert>) -> Result<Vec<SerialNumber>, Reason> {
    let mut serials = Vec::with_capacity(entries.len());
    for entry in entries {
        // RFC 5280 §5.3: an unknown critical extension of an entry forbids it too, such as the
        // certificateIssuer of an indirect CRL.
        if entry.crl_entry_extensions.iter().flatten().any(|extension| extension.critical) {
            return Err(Reason::Malformed);
        }
        serials.push(entry.serial_number);
    }
    serials.sort_unstable();
    Ok(serials)
}
