//! Values: bytes with a kind. They are wiped when dropped and shown only as fingerprints.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, OnceLock};

use zeroize::{Zeroize, Zeroizing};

use crate::crypto;
use crate::wire::Kind;

/// Shared bytes, wiped when the last owner lets go.
#[derive(Clone)]
pub struct Bytes(Arc<Wiped>);

/// Up to so many bytes lie beside their count of owners: nonces, keys, shares, most
/// signatures and short messages.
const SHORT: usize = 64;
/// So many share what is counted as theirs.
const FEW: usize = 2;

enum Wiped {
    Short(u8, [u8; SHORT]),
    /// With the first bytes of their SHA-256, once somebody asked: a list of revocations has
    /// megabytes and goes to thousands.
    Long(Vec<u8>, OnceLock<[u8; 8]>),
    /// A part of others, which are wiped when nobody has a part of them either.
    Within(Bytes, std::ops::Range<usize>),
}

impl Drop for Wiped {
    fn drop(&mut self) {
        match self {
            Wiped::Short(len, bytes) => bytes[..usize::from(*len)].zeroize(),
            Wiped::Long(bytes, _) => bytes.zeroize(),
            Wiped::Within(..) => {}
        }
    }
}

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match &*self.0 {
            Wiped::Short(len, bytes) => &bytes[..usize::from(*len)],
            Wiped::Long(bytes, _) => bytes,
            Wiped::Within(whole, range) => &whole.as_slice()[range.clone()],
        }
    }

    /// A part of these bytes, which lies where they lie.
    ///
    /// # Panics
    /// If they have no such part.
    pub fn part(&self, range: std::ops::Range<usize>) -> Bytes {
        assert!(range.start <= range.end && range.end <= self.len(), "a part lies within the whole");
        Bytes(Arc::new(Wiped::Within(self.clone(), range)))
    }

    /// How many bytes of memory they take, if not many share them: what thousands have is none
    /// of theirs.
    pub fn weight(&self) -> usize {
        match &*self.0 {
            Wiped::Short(..) | Wiped::Within(..) => size_of::<Wiped>(),
            Wiped::Long(bytes, _) if Arc::strong_count(&self.0) <= FEW => size_of::<Wiped>() + bytes.len(),
            Wiped::Long(..) => 0,
        }
    }

    /// `#` and 16 hex digits of their SHA-256.
    pub fn fingerprint(&self) -> String {
        match &*self.0 {
            Wiped::Short(..) | Wiped::Within(..) => fingerprint(self),
            Wiped::Long(bytes, digest) => show(digest.get_or_init(|| digest_of(bytes))),
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() > SHORT {
            return Bytes(Arc::new(Wiped::Long(bytes.to_vec(), OnceLock::new())));
        }
        let mut shared = Arc::new(Wiped::Short(bytes.len() as u8, [0; SHORT]));
        // Filled where they stay: a copy on the stack would not be wiped.
        if let Some(Wiped::Short(_, place)) = Arc::get_mut(&mut shared) {
            place[..bytes.len()].copy_from_slice(bytes);
        }
        Bytes(shared)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() > SHORT {
            return Bytes(Arc::new(Wiped::Long(bytes, OnceLock::new())));
        }
        Bytes::from(Zeroizing::new(bytes).as_slice())
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        // Megabytes that many parties hold are compared once.
        Arc::ptr_eq(&self.0, &other.0) || self.as_slice() == other.as_slice()
    }
}

impl Eq for Bytes {}

impl std::hash::Hash for Bytes {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Self) -> Ordering {
        match Arc::ptr_eq(&self.0, &other.0) {
            true => Ordering::Equal,
            false => self.as_slice().cmp(other.as_slice()),
        }
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
        f.write_str(&self.fingerprint())
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
        self.bytes.fingerprint()
    }
}

/// `#` and 16 hex digits of the SHA-256 of `bytes`.
pub fn fingerprint(bytes: &[u8]) -> String {
    show(&digest_of(bytes))
}

fn digest_of(bytes: &[u8]) -> [u8; 8] {
    let all = crypto::sha256(&[bytes]);
    std::array::from_fn(|at| all[at])
}

fn show(digest: &[u8; 8]) -> String {
    use fmt::Write as _;
    digest.iter().fold(String::from("#"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.fingerprint())
    }
}
