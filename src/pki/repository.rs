//! What a repository hands out in one answer: certificates of authorities, and CRLs. Must not
//! know what is in them.

use crate::limits::MAX_MESSAGE_BYTES;
use crate::reason::Reason;

/// What a part of an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// An authority's certificate, DER.
    Certificate,
    /// A CRL, DER.
    Crl,
}

/// For each part a mark (1 certificate, 2 CRL), four bytes of length and DER.
pub fn write(items: &[(Item, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (item, der) in items.iter().filter(|(_, der)| der.len() <= MAX_MESSAGE_BYTES) {
        out.push(match item {
            Item::Certificate => 1,
            Item::Crl => 2,
        });
        out.extend_from_slice(&(der.len() as u32).to_be_bytes());
        out.extend_from_slice(der);
    }
    out
}

/// The parts of an answer. An answer that is one CRL, DER, will do as well: a SEQUENCE begins
/// with 0x30, which is no mark.
///
/// # Errors
/// `Malformed`.
pub fn read(mut bytes: &[u8]) -> Result<Vec<(Item, &[u8])>, Reason> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![(Item::Crl, bytes)]);
    }
    let mut items = Vec::new();
    while let [mark, a, b, c, d, rest @ ..] = bytes {
        let len = u32::from_be_bytes([*a, *b, *c, *d]);
        let part = usize::try_from(len).ok().and_then(|len| rest.get(..len)).ok_or(Reason::Malformed)?;
        items.push(match mark {
            1 => (Item::Certificate, part),
            2 => (Item::Crl, part),
            _ => return Err(Reason::Malformed),
        });
        bytes = &rest[part.len()..];
    }
    if bytes.is_empty() { Ok(items) } else { Err(Reason::Malformed) }
}
