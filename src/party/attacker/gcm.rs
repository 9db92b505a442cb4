//! What follows when two texts were sealed by GCM under one key and one nonce (Joux, comments on
//! SP 800-38D, 2006): the exclusive or of both texts, and for texts of one block the key of the
//! hash, with which tags can be made for others. Must not know any key.

use crate::algebra::{Bytes, Value, xor};

/// Bytes of a block, of a nonce and of a tag.
const BLOCK: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;

/// A ciphertext: nonce ‖ ciphertext ‖ tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record(pub Bytes);

impl Record {
    fn parts(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let (nonce, rest) = self.0.split_at_checked(NONCE)?;
        let (sealed, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        Some((nonce, sealed, tag))
    }

    /// Its nonce.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.parts().map(|(nonce, ..)| nonce)
    }

    /// Whether another text of the same length was sealed under the same nonce.
    pub fn meets(&self, other: &Record) -> bool {
        match (self.parts(), other.parts()) {
            (Some((nonce, sealed, _)), Some((other, others, _))) => {
                nonce == other && sealed.len() == others.len() && sealed != others
            }
            _ => false,
        }
    }

    /// The text of the other of two that meet, where this one's is `text`.
    pub fn text_of_other(&self, text: &[u8], other: &Record) -> Option<Vec<u8>> {
        let ((_, sealed, _), (_, others, _)) = (self.parts()?, other.parts()?);
        xor(&xor(sealed, others).ok()?, text).ok()
    }

    /// The key of the hash, from two that meet and have one block each: their tags differ by the
    /// difference of the blocks times its square.
    pub fn hash_key(&self, other: &Record) -> Option<HashKey> {
        let ((_, sealed, tag), (_, others, other_tag)) = (self.parts()?, other.parts()?);
        if sealed.is_empty() || sealed.len() > BLOCK || sealed.len() != others.len() {
            return None;
        }
        let blocks = block(sealed).0 ^ block(others).0;
        let tags = block(tag).0 ^ block(other_tag).0;
        (blocks != 0).then(|| HashKey(Element(tags).times(Element(blocks).inverse()).root()))
    }

    /// This one with the ciphertext of another, of one block, and the tag that fits it. `None` if
    /// they differ in more than that.
    pub fn with(&self, changed: &Record, key: HashKey) -> Option<Record> {
        let ((nonce, before, tag), (same, sealed, kept)) = (self.parts()?, changed.parts()?);
        if before.len() > BLOCK || sealed.len() != before.len() || (nonce, tag) != (same, kept) {
            return None;
        }
        let blocks = Element(block(before).0 ^ block(sealed).0);
        let tag = block(tag).0 ^ blocks.times(key.0).times(key.0).0;
        Some(Record(Bytes::from([nonce, sealed, &tag.to_be_bytes()].concat())))
    }
}

/// The key of GCM's hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashKey(Element);

impl HashKey {
    /// As a value: 16 bytes.
    pub fn to_value(self) -> Value {
        Value::new(crate::notation::Kind::Key, &self.0.0.to_be_bytes()[..])
    }
}

/// Up to 16 bytes, padded with zeros.
fn block(bytes: &[u8]) -> Element {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    Element(u128::from_be_bytes(block))
}

/// An element of GF(2^128) as SP 800-38D §6.3 writes it: the first bit is the coefficient of 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Element(u128);

impl Element {
    const ONE: Element = Element(1 << 127);

    fn times(self, other: Element) -> Element {
        // x^128 = 1 + x + x^2 + x^7.
        const REDUCTION: u128 = 0xe1 << 120;
        let (mut sum, mut power) = (0, other.0);
        for bit in (0..128).rev() {
            if self.0 >> bit & 1 == 1 {
                sum ^= power;
            }
            power = power >> 1 ^ if power & 1 == 1 { REDUCTION } else { 0 };
        }
        Element(sum)
    }

    fn squared(self, times: u32) -> Element {
        (0..times).fold(self, |power, _| power.times(power))
    }

    /// To the power of 2^128 − 2, which is the product of the squares up to 2^127.
    fn inverse(self) -> Element {
        let mut square = self;
        (1..128).fold(Element::ONE, |product, _| {
            square = square.times(square);
            product.times(square)
        })
    }

    /// The only square root: squaring 128 times changes nothing.
    fn root(self) -> Element {
        self.squared(127)
    }
}
