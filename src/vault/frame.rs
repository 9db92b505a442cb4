//! The frame of what a vault hands out: which key and which version made it. Must not
//! know what is inside.

use crate::limits::{MAX_NAME_BYTES, MAX_VAULT_INPUT_BYTES};
use crate::reason::Reason;

const FORMAT: u8 = 1;
/// Bytes before the body, the name apart.
const HEAD: usize = 6;
/// What a cipher and a frame add to a text: far less than this.
const OVERHEAD: usize = 1_024;

/// A ciphertext, a signature or a wrapped key, taken apart.
///
/// Bytes: 1 ‖ u8(length of the name) ‖ name ‖ u32-BE(version) ‖ body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The name of the key.
    pub key: &'a str,
    /// The version, from 1.
    pub version: u32,
    /// What the key made.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The bytes.
    ///
    /// # Panics
    /// If the name is longer than 255 bytes, which no vault gives a key.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.key.len() + self.body.len());
        Frame::head(self.key, self.version, &mut bytes);
        bytes.extend_from_slice(self.body);
        bytes
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(bytes: &'a [u8]) -> Result<Frame<'a>, Reason> {
        if bytes.len() > MAX_VAULT_INPUT_BYTES + OVERHEAD {
            return Err(Reason::Malformed);
        }
        let parse = || {
            let (&[FORMAT, len], rest) = bytes.split_first_chunk::<2>()? else { return None };
            let (key, rest) = rest.split_at_checked(usize::from(len))?;
            let (version, body) = rest.split_first_chunk::<4>()?;
            let key = std::str::from_utf8(key).ok().filter(|key| is_name(key))?;
            Some(Frame { key, version: u32::from_be_bytes(*version), body })
        };
        parse().ok_or(Reason::Malformed)
    }

    /// Everything before the body.
    fn head(key: &str, version: u32, to: &mut Vec<u8>) {
        let len = u8::try_from(key.len()).expect("a key's name has at most 128 bytes");
        to.extend_from_slice(&[FORMAT, len]);
        to.extend_from_slice(key.as_bytes());
        to.extend_from_slice(&version.to_be_bytes());
    }

    /// The associated data of the body: its frame, and the caller's context. The frame
    /// tells its own length, so no byte can move between the two.
    pub(super) fn bind(key: &str, version: u32, context: &[u8]) -> Vec<u8> {
        const PURPOSE: &[u8] = b"mallory vault";
        let mut bound = Vec::with_capacity(PURPOSE.len() + HEAD + key.len() + context.len());
        bound.extend_from_slice(PURPOSE);
        Frame::head(key, version, &mut bound);
        bound.extend_from_slice(context);
        bound
    }
}

/// Whether `name` may name a key or a principal: 1 to 128 bytes, no control characters.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// Checks that no input is longer than the limit.
pub(super) fn check_input(inputs: &[&[u8]]) -> Result<(), Reason> {
    let fits = inputs.iter().all(|input| input.len() <= MAX_VAULT_INPUT_BYTES);
    if fits { Ok(()) } else { Err(Reason::Malformed) }
}
