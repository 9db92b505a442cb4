//! The certificates' room: an authority that binds names to keys, and relying parties that
//! judge what it signed, both with real X.509 (RFC 5280). Must not know protocols or
//! parties: it is handed names, keys and a clock's reading, and answers with bytes or a
//! reason. Draws no randomness: serial numbers count, and every signature is deterministic.

mod authority;
mod certificates;
mod crl;
mod path;
mod relying_party;
mod request;
mod revocation_reason;
mod x509;

pub use authority::{Authority, AuthorityPolicy, Issued};
pub use certificates::Certificates;
pub use crl::CrlSummary;
pub use relying_party::{OnUnavailable, RelyingParty, Revocation, TrustPolicy};
pub use request::{
    foreign_request_for_encryption, foreign_request_for_signing, request_for_encryption, request_for_signing,
};
pub use revocation_reason::RevocationReason;
