//! More text behind a text whose hash is its code, where the key stands before it: of
//! SHA-256(key ‖ text) anybody who knows how long the key is makes that of
//! key ‖ text ‖ padding ‖ more, since a hash is the state in which the next block would be
//! taken up (FIPS 180-4 §6.2.2; Duong & Rizzo, Flickr's API signature forgery, 2009). Must not know
//! any key.

use std::fmt;

use sha2::block_api::compress256;

use crate::algebra::Bytes;
use crate::journal::Sight;
use crate::knowledge::Shown;

/// Bytes of a block and of a hash.
const BLOCK: usize = 64;
const HASH: usize = 32;

/// What she puts behind a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// The text.
    pub more: String,
    /// How many bytes are hashed before the text that she sees.
    pub behind: usize,
}

impl Extension {
    /// The message, text ‖ hash, with more text and the hash of that.
    ///
    /// # Errors
    /// What it lacks, in words.
    pub(super) fn carry_out(&self, message: &Sight) -> Result<Sight, String> {
        let at = message.bytes.len().checked_sub(HASH).ok_or("the message has no hash at its end")?;
        let (text, hash) = message.bytes.split_at(at);
        let padded = padding(self.behind + text.len());
        let before = self.behind + text.len() + padded.len();
        let longer = [text, &padded, self.more.as_bytes()].concat();
        let hash = go_on(hash, before, self.more.as_bytes());
        let bytes = Bytes::from([longer.as_slice(), &hash].concat());
        let text = format!("{}, with more behind it: {}", message.shown.text(), bytes.fingerprint());
        Ok(Sight { bytes, shown: Shown::words(text), ..message.clone() })
    }
}

/// What SHA-256 puts behind so many bytes (FIPS 180-4 §5.1.1): a bit, zeros, and their number.
fn padding(len: usize) -> Vec<u8> {
    let zeros = (2 * BLOCK - 9 - len % BLOCK) % BLOCK;
    let bits = (len as u64).wrapping_mul(8);
    [&[0x80][..], &vec![0; zeros], &bits.to_be_bytes()].concat()
}

/// The hash of all that led to this one, whole blocks of so many bytes, and more.
fn go_on(hash: &[u8], before: usize, more: &[u8]) -> Vec<u8> {
    let mut state = [0; 8];
    for (word, bytes) in state.iter_mut().zip(hash.chunks(4)) {
        *word = bytes.iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte));
    }
    let rest = [more, &padding(before + more.len())].concat();
    let blocks: Vec<[u8; BLOCK]> = rest.chunks(BLOCK).filter_map(|block| block.try_into().ok()).collect();
    compress256(&mut state, &blocks);
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extend by \"{}\" behind {}", self.more, self.behind)
    }
}
