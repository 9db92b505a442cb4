//! What a key is and what it is for. Must not know states, versions or who owns it.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// The algorithm of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// AES-256 in GCM (SP 800-38D), to encrypt or to wrap.
    #[serde(rename = "aes-256")]
    Aes256,
    /// RSA-2048: OAEP to encrypt or to wrap, PSS to sign (RFC 8017).
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// Ed25519 (RFC 8032), to sign.
    Ed25519,
    /// P-256: ECDSA to sign (FIPS 186-5), ECDH to agree (SP 800-56A).
    P256,
    /// X25519 (RFC 7748), to agree.
    X25519,
    /// HMAC-SHA-256 (RFC 2104) with a key of 32 bytes: who may sign may verify, and nobody else.
    #[serde(rename = "hmac-256")]
    Hmac256,
}

/// The one purpose of a key: SP 800-57 pt 1 §5.2 permits a key a single one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// Encrypt and decrypt data.
    Encrypt,
    /// Sign and verify.
    Sign,
    /// Agree on a secret with the holder of another key (Diffie–Hellman).
    Agree,
    /// Encrypt other keys, and nothing else.
    Wrap,
}

impl Usage {
    /// Every usage.
    pub const ALL: &'static [Usage] = &[Usage::Encrypt, Usage::Sign, Usage::Agree, Usage::Wrap];

    /// Its word in messages and scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Usage::Encrypt => "encrypt",
            Usage::Sign => "sign",
            Usage::Agree => "agree",
            Usage::Wrap => "wrap",
        }
    }
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [KeyKind] = &[
        KeyKind::Aes256,
        KeyKind::Rsa2048,
        KeyKind::Ed25519,
        KeyKind::P256,
        KeyKind::X25519,
        KeyKind::Hmac256,
    ];

    /// Its word in messages and scenario files.
    pub fn word(self) -> &'static str {
        match self {
            KeyKind::Aes256 => "aes-256",
            KeyKind::Rsa2048 => "rsa-2048",
            KeyKind::Ed25519 => "ed25519",
            KeyKind::P256 => "p256",
            KeyKind::X25519 => "x25519",
            KeyKind::Hmac256 => "hmac-256",
        }
    }

    /// What a key of this kind may be for.
    pub fn usages(self) -> &'static [Usage] {
        match self {
            KeyKind::Aes256 => &[Usage::Encrypt, Usage::Wrap],
            KeyKind::Rsa2048 => &[Usage::Encrypt, Usage::Sign, Usage::Wrap],
            KeyKind::Ed25519 | KeyKind::Hmac256 => &[Usage::Sign],
            KeyKind::P256 => &[Usage::Sign, Usage::Agree],
            KeyKind::X25519 => &[Usage::Agree],
        }
    }

    /// Operations that one version may do whatever its owner sets: GCM with random nonces
    /// permits 2^32 (SP 800-38D §8.3).
    pub fn most_operations(self) -> u64 {
        if self == KeyKind::Aes256 { 1 << 32 } else { u64::MAX }
    }

    /// Checks that a key of this kind may be for `usage`.
    ///
    /// # Errors
    /// `WrongKeyUsage`.
    pub fn check(self, usage: Usage) -> Result<(), Reason> {
        if self.usages().contains(&usage) { Ok(()) } else { Err(Reason::WrongKeyUsage) }
    }
}
