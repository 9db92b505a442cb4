//! The certificates' room: an authority that binds names to keys, and relying parties that
//! judge what it signed, both with real X.509 (RFC 5280) and OCSP (RFC 6960). Must not know
//! protocols or parties: it is handed names, keys and a clock's reading, and answers with
//! bytes or a reason. Draws no randomness: serial numbers count, and every signature is
//! deterministic.

mod authority;
mod certificates;
mod crl;
mod flaw;
mod forgery;
mod issuer;
mod ledger;
mod ocsp;
mod path;
mod petition;
mod policy;
mod profile;
mod publication;
mod record;
mod registration;
mod relying_party;
pub mod repository;
mod request;
mod responder;
mod revocation_reason;
mod seen;
mod statements;
mod x509;

pub use authority::{Authority, AuthorityKeys, AuthorityPolicy, Issued};
pub use certificates::Certificates;
pub use crl::CrlSummary;
pub use flaw::{Flaw, Hand, forge_flawed};
pub use forgery::{
    forge_certificate, forge_crl, forge_good, is_about_the_same, is_for_encryption, serial_of,
};
pub use ledger::{Entry, Revoked};
pub use ocsp::{Status, try_later};
pub use petition::{Answer, Ask, Petition, Proof};
pub use policy::{Fetch, OnUnavailable, Revocation, TrustPolicy};
pub use profile::{Profile, Profiles, TlsEnd};
pub use record::{Record, RecordKind, date};
pub use registration::{Office, Secrets};
pub use relying_party::{Judgement, RelyingParty, Want, at_face_value};
pub use request::{
    foreign_request_for_encryption, foreign_request_for_signing, request_for_encryption, request_for_signing,
    requests,
};
pub use responder::OcspPolicy;
pub use revocation_reason::RevocationReason;
