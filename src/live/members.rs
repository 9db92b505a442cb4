//! Who is enrolled, as it is kept in the vault. Must not know requests.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::Totp;
use crate::reason::Reason;
use crate::vault::{Bytes, Role};

/// How documents about members are called.
pub const MEMBERS: &str = "member/";

/// What is kept of somebody who is enrolled.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What it is.
    pub role: Role,
    /// The secret of its device for one-time codes.
    pub codes: Option<Bytes>,
    /// The last step whose code it has used.
    pub last_step: Option<u64>,
    /// Whether it is served no more.
    pub revoked: bool,
}

impl Member {
    /// The document.
    pub fn write(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("a member has no keys but texts"))
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(document: &[u8]) -> Result<Member, Reason> {
        serde_json::from_slice(document).map_err(|_| Reason::VaultTampered)
    }

    /// The verifier of its codes.
    pub fn totp(&self) -> Option<Totp> {
        self.codes.as_ref().map(|secret| Totp::new(secret).resumed(self.last_step))
    }
}

/// The name of the document about somebody.
pub fn document(name: &str) -> String {
    format!("{MEMBERS}{name}")
}

/// Whether the key of one could have a name that looks like the other's: names of keys begin with
/// their owner's and `_`.
pub fn are_confusable(one: &str, other: &str) -> bool {
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    begins(one, other) || begins(other, one)
}

/// Whether a client may have this name, which its certificate names as a dNSName, its keys begin
/// with and URLs carry.
pub fn is_client_name(name: &str) -> bool {
    let is_one_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len())
        && name.chars().all(is_one_of)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}
