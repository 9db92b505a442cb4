//! Bytes that are wiped when they are dropped, written in hexadecimal in messages and
//! not shown in logs. Must not know what they mean.

use std::fmt;
use std::ops::Deref;

use serde::de::{self, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A text, a ciphertext, a key: whatever a request or an answer carries.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(Zeroizing<Vec<u8>>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for Bytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Bytes {
        Bytes(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        bytes.to_vec().into()
    }
}

impl<const LEN: usize> From<&[u8; LEN]> for Bytes {
    fn from(bytes: &[u8; LEN]) -> Bytes {
        bytes.to_vec().into()
    }
}

/// Its length alone: what it holds may be secret.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hexadecimal(&self.0[..], serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes in hexadecimal")
    }

    fn visit_str<E: de::Error>(self, digits: &str) -> Result<Bytes, E> {
        base16ct::mixed::decode_vec(digits).map(Bytes::from).map_err(E::custom)
    }
}

/// Writes bytes in one piece: character by character takes longer than to encrypt them.
pub(super) fn hexadecimal<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = bytes.as_ref();
    let mut digits = Zeroizing::new(vec![0; 2 * bytes.len()]);
    base16ct::lower::encode(bytes, &mut digits).map_err(S::Error::custom)?;
    serializer.serialize_str(std::str::from_utf8(&digits).map_err(S::Error::custom)?)
}
