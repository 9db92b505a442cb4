//! How values came to be: the ground truth from which it is later judged what an attacker
//! can compute. Must not know who made them.

use smallvec::SmallVec;

use super::value::Value;

/// A value and how it was made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Made {
    /// The result.
    pub value: Value,
    /// The computation.
    pub how: How,
}

/// A value as a field of some encoding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part {
    /// The value.
    pub value: Value,
    /// The width to which it was padded, in bytes, where fields have one.
    pub width: Option<u32>,
}

/// Values as fields, one after another.
pub type Parts = SmallVec<[Part; 1]>;
/// Bytes to which a computation is bound.
pub type Label = SmallVec<[u8; 16]>;

/// A computation on values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum How {
    /// Drawn at random, or read off a clock.
    Generated,
    /// Encryption.
    Sealed {
        /// The symmetric key, or the public key.
        key: Value,
        /// What is inside.
        parts: Parts,
        /// The bytes to which the ciphertext is bound.
        label: Label,
    },
    /// Encryption by a vault, bound to a context: opened with the vault's key and no other.
    Framed {
        /// The key, as the vault keeps it.
        key: Value,
        /// What it is bound to.
        context: Label,
        /// What is inside.
        parts: Parts,
    },
    /// A signature; it reveals nothing of what is signed.
    Signed {
        /// The private key.
        key: Value,
        /// What is signed.
        parts: Parts,
    },
    /// A function that cannot be undone, of a key (if it has one) and parts.
    OneWay {
        /// Which.
        function: OneWay,
        /// The key of a MAC.
        key: Option<Value>,
        /// The arguments.
        parts: Parts,
        /// The bytes to which a MAC is bound.
        label: Label,
    },
    /// `g^secret`.
    Share {
        /// The exponent.
        secret: Value,
    },
    /// `share^secret`.
    Agreed {
        /// The exponent.
        secret: Value,
        /// The other's share.
        share: Value,
    },
    /// The argument plus one, or minus one.
    Stepped {
        /// The argument.
        from: Value,
        /// Whether one was added.
        up: bool,
    },
    /// Exclusive or.
    Xored(Value, Value),
    /// The public half of a private key.
    PublicOf(Value),
    /// A password, stretched (RFC 9106).
    Stretched(Value),
}

/// A function that cannot be undone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OneWay {
    /// SHA-256.
    Hash,
    /// HMAC-SHA-256.
    Mac,
    /// HKDF-SHA-256.
    Kdf,
}
