//! Values: bytes with a kind. They are wiped when dropped and shown only as fingerprints.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroize;

use crate::crypto;
use crate::notation::Kind;

/// Shared bytes, wiped when the last owner lets go.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(Arc<Wiped>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(Arc::new(Wiped(bytes)))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Bytes::from(bytes.to_vec())
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&fingerprint(self))
    }
}

/// A field's bytes and what it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Value {
    /// A value of this kind.
    pub fn new(kind: Kind, bytes: impl Into<Bytes>) -> Self {
        Value { kind, bytes: bytes.into() }
    }

    /// An agent's name.
    pub fn name(name: &str) -> Self {
        Value::new(Kind::Name, name.as_bytes())
    }

    /// The bytes as text, if they are text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// `#` and 16 hex digits of the SHA-256 of the bytes.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.bytes)
    }
}

/// `#` and 16 hex digits of the SHA-256 of `bytes`.
pub fn fingerprint(bytes: &[u8]) -> String {
    use fmt::Write as _;
    crypto::sha256(&[bytes]).iter().take(8).fold(String::from("#"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.fingerprint())
    }
}
