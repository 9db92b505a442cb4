//! Why a certificate was revoked, as CRLs say it. Must not know who revokes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use x509_cert::ext::pkix::CrlReason;

/// Why a certificate was revoked (RFC 5280 §5.3.1). `removeFromCRL` is not among them: it
/// is for delta CRLs only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// No reason is given.
    #[default]
    Unspecified,
    /// Somebody else has the subject's private key.
    KeyCompromise,
    /// Somebody else has the private key of the subject, which is an authority.
    CaCompromise,
    /// The subject's name or affiliation has changed.
    AffiliationChanged,
    /// Another certificate takes this one's place.
    Superseded,
    /// The certificate is not needed any more.
    CessationOfOperation,
    /// The certificate is on hold.
    CertificateHold,
    /// What the certificate granted was withdrawn.
    PrivilegeWithdrawn,
    /// Somebody else has the key of the attribute authority.
    AaCompromise,
}

impl RevocationReason {
    /// Every reason, by code.
    pub const ALL: &'static [RevocationReason] = &[
        RevocationReason::Unspecified,
        RevocationReason::KeyCompromise,
        RevocationReason::CaCompromise,
        RevocationReason::AffiliationChanged,
        RevocationReason::Superseded,
        RevocationReason::CessationOfOperation,
        RevocationReason::CertificateHold,
        RevocationReason::PrivilegeWithdrawn,
        RevocationReason::AaCompromise,
    ];

    /// The word that logs and scenario files use, in kebab case.
    pub fn word(self) -> &'static str {
        match self {
            RevocationReason::Unspecified => "unspecified",
            RevocationReason::KeyCompromise => "key-compromise",
            RevocationReason::CaCompromise => "ca-compromise",
            RevocationReason::AffiliationChanged => "affiliation-changed",
            RevocationReason::Superseded => "superseded",
            RevocationReason::CessationOfOperation => "cessation-of-operation",
            RevocationReason::CertificateHold => "certificate-hold",
            RevocationReason::PrivilegeWithdrawn => "privilege-withdrawn",
            RevocationReason::AaCompromise => "aa-compromise",
        }
    }

    /// The value of CRLReason.
    pub fn code(self) -> u8 {
        self.crl_reason() as u8
    }

    pub(super) fn crl_reason(self) -> CrlReason {
        match self {
            RevocationReason::Unspecified => CrlReason::Unspecified,
            RevocationReason::KeyCompromise => CrlReason::KeyCompromise,
            RevocationReason::CaCompromise => CrlReason::CaCompromise,
            RevocationReason::AffiliationChanged => CrlReason::AffiliationChanged,
            RevocationReason::Superseded => CrlReason::Superseded,
            RevocationReason::CessationOfOperation => CrlReason::CessationOfOperation,
            RevocationReason::CertificateHold => CrlReason::CertificateHold,
            RevocationReason::PrivilegeWithdrawn => CrlReason::PrivilegeWithdrawn,
            RevocationReason::AaCompromise => CrlReason::AaCompromise,
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for RevocationReason {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        RevocationReason::ALL.iter().copied().find(|reason| reason.word() == word).ok_or(())
    }
}
