//! Whom a service knows, and what its guards have counted of each. Must not judge.

use super::rates::Bucket;
use super::roles::Role;
use crate::crypto::Totp;

/// A principal that a service knows.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub role: Role,
    pub codes: Option<Totp>,
    /// SubjectPublicKeyInfo of the key under which its own keys may leave.
    pub public_key: Option<Vec<u8>>,
    pub revoked: bool,
    pub counted: Counted,
}

/// What the guards have counted of a principal.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counted {
    pub requests: Bucket,
    pub codes: Bucket,
    /// Wrong codes in a row. A lock holds until somebody lifts it: it stops guessing for good,
    /// and lets whoever knows a name lock its owner out (RFC 4226 §7.3).
    pub wrong_codes: u32,
}
