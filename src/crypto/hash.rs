//! SHA-256 and what is built on it. Must not know what the bytes mean: callers
//! encode lengths where a concatenation would be ambiguous.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 (FIPS 180-4 §6.2) over the plain concatenation of `parts`; 32 bytes.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// SHA-256 over chunks that need not be in memory together; 32 bytes.
///
/// # Errors
/// The first that a chunk's reading gives.
pub fn sha256_of<C: AsRef<[u8]>, E>(chunks: impl IntoIterator<Item = Result<C, E>>) -> Result<[u8; 32], E> {
    let mut hash = Sha256::new();
    for chunk in chunks {
        hash.update(chunk?);
    }
    Ok(hash.finalize().into())
}

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the plain concatenation of `parts`,
/// under a key of any length; 32 bytes.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104 §2)");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA-256 (RFC 5869), extract and expand, filling `out`. An empty `salt`
/// is 32 zero bytes (§2.2).
///
/// # Panics
/// If `out` is longer than 8,160 bytes (255 × 32, §2.3): lengths are the
/// program's own, never a message's.
pub fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, out)
        .expect("callers ask for at most 255 blocks (RFC 5869 §2.3)");
}

/// Whether `a` equals `b`, in a time that depends on their lengths only.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// The first `bits` of SHA-256, at most 256, in whole bytes whose last is filled up with zeros.
pub fn truncated_sha256(data: &[u8], bits: u16) -> Vec<u8> {
    let bits = usize::from(bits.min(256));
    let mut hash = sha256(&[data])[..bits.div_ceil(8)].to_vec();
    if let (Some(last), rest @ 1..) = (hash.last_mut(), bits % 8) {
        *last &= 0xff << (8 - rest);
    }
    hash
}
