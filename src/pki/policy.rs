//! How a party judges certificates: what it checks, where it learns who is revoked, and what
//! it does if it cannot. Each check that can be left out is one that real clients left out.

use crate::time::Span;

/// Where a party learns whether a certificate was revoked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Revocation {
    /// Nowhere: it does not ask.
    None,
    /// From CRLs (RFC 5280 §5).
    #[default]
    Crl,
    /// From the authority's OCSP responder (RFC 6960).
    Ocsp,
    /// From the OCSP response that comes with the certificate (RFC 6066 §8).
    Stapled,
}

/// What a party does if it cannot learn whether a certificate was revoked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum OnUnavailable {
    /// It takes the certificate, as browsers do.
    SoftFail,
    /// It refuses.
    #[default]
    HardFail,
}

/// When a party asks anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Fetch {
    /// When what it holds has expired (nextUpdate).
    #[default]
    OnExpiry,
    /// When the authority has published since; it knows the authority's period.
    AtPublication(Span),
    /// Every so often, whether it needs it or not.
    Every(Span),
    /// For each certificate that it is shown.
    PerConnection,
}

/// How a party judges certificates. The default is strict and trusts nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TrustPolicy {
    /// The trusted root certificates, DER. One that is none is as good as absent.
    pub roots: Vec<Vec<u8>>,
    /// Where it learns about revocation.
    pub revocation: Revocation,
    /// What it does if it cannot.
    pub on_unavailable: OnUnavailable,
    /// When it asks anew.
    pub fetch: Fetch,
    /// Whether it fetches delta CRLs beside complete ones.
    pub deltas: bool,
    /// Whether a path to a root is asked for. A weak client does without, and takes anybody's word.
    pub check_chain: bool,
    /// Whether who signed a certificate must be an authority (CVE-2002-0862).
    pub check_ca: bool,
    /// Whether the name is compared. A weak client takes anybody's certificate.
    pub check_name: bool,
    /// Whether CRLs must be signed by the certificate's issuer.
    pub check_crl_signature: bool,
    /// Whether an OCSP response must be signed by who may (RFC 6960 §4.2.2.2).
    pub check_responder: bool,
    /// Whether a CRL or response says nothing any more from its nextUpdate on.
    pub check_next_update: bool,
    /// Whether it keeps the newest statement, whatever it is offered later (RFC 5280 §5.2.3).
    pub keeps_newest: bool,
    /// Whether an OCSP response must repeat the nonce of the request (RFC 9654).
    pub nonce: bool,
    /// Whether it names certificates in OCSP by SHA-1, as RFC 5019 has it and most clients do.
    pub ocsp_sha1: bool,
    /// Whether it distrusts its own clock when that is behind a time that was signed.
    pub clock_floor: bool,
}

impl Default for TrustPolicy {
    fn default() -> Self {
        TrustPolicy {
            roots: Vec::new(),
            revocation: Revocation::default(),
            on_unavailable: OnUnavailable::default(),
            fetch: Fetch::default(),
            deltas: false,
            check_chain: true,
            check_ca: true,
            check_name: true,
            check_crl_signature: true,
            check_responder: true,
            check_next_update: true,
            keeps_newest: true,
            nonce: false,
            ocsp_sha1: false,
            clock_floor: false,
        }
    }
}
