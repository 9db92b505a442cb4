//! What others have seen of an authority, held against what it knows: an authority that was set
//! back has forgotten some of it. Must not know how it came to be set back.

use super::authority::Authority;
use super::crl::{Crl, Listing};
use super::path::{Leaf, Signer};
use super::x509::{self, Signed};
use crate::reason::Reason;
use crate::time::UnixNanos;

impl Authority {
    /// Whether this authority knows at `now` what a CRL of its own says, complete or delta: every
    /// certificate that it lists is revoked, and its number is not ahead.
    ///
    /// # Errors
    /// `CrlRollback` if not; `Malformed`, `CrlIssuerMismatch`, `CrlBadSignature` if it is none of
    /// its own.
    pub fn check_seen_crl(&self, crl: &[u8], now: UnixNanos) -> Result<(), Reason> {
        let crl = Crl::read(crl, &[&self.signer()?], true)?;
        let is_known = |serial: &_| {
            let entry = x509::small(serial).and_then(|serial| self.entry(serial));
            entry.is_some_and(|entry| entry.revoked().is_some())
        };
        let has_forgotten =
            crl.listed().any(|(serial, listing)| listing == Listing::Revoked && !is_known(serial));
        if has_forgotten || crl.summary.number > self.number(now) {
            return Err(Reason::CrlRollback);
        }
        Ok(())
    }

    /// Whether this authority knows a certificate that it issued to a subject.
    ///
    /// # Errors
    /// `CertificateUnknown` if not; `Malformed`, `CertificateUntrusted` if it is none of its own.
    pub fn check_seen_certificate(&self, certificate: &[u8]) -> Result<(), Reason> {
        let signer = self.signer()?;
        let leaf = Leaf::read(certificate)?;
        if leaf.issuer != signer.subject || !Signed::read(certificate)?.is_signed_by(&signer.public_key) {
            return Err(Reason::CertificateUntrusted);
        }
        self.issued(certificate).map(drop).ok_or(Reason::CertificateUnknown)
    }

    /// Whoever issues to subjects.
    fn signer(&self) -> Result<Signer, Reason> {
        Signer::read(self.chain().next().unwrap_or_else(|| self.root()))
    }
}
