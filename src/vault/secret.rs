//! A key of 32 bytes that stays where it was made. Must not know what it opens.

use std::ops::Deref;
use std::sync::Arc;

use rand::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use super::store::Result;
use crate::reason::Reason;

/// A key of 32 bytes, wiped with its last clone. It is made in its place and never moved: a
/// move copies, and wipes the copy only.
#[derive(Clone)]
pub(super) struct Secret(Arc<Zeroizing<[u8; 32]>>);

impl Secret {
    /// A key that `fill` fills in.
    pub fn fill(fill: impl FnOnce(&mut [u8; 32])) -> Secret {
        let mut key = Arc::new(Zeroizing::new([0; 32]));
        fill(Arc::get_mut(&mut key).expect("nobody else has it yet"));
        burn();
        Secret(key)
    }

    /// A key that `fill` fills in, or says why it cannot.
    pub fn try_fill(fill: impl FnOnce(&mut [u8; 32]) -> Result<()>) -> Result<Secret> {
        let mut filled = Ok(());
        let key = Secret::fill(|key| filled = fill(key));
        filled.map(|()| key)
    }

    /// A new key.
    pub fn random(rng: &mut dyn CryptoRng) -> Secret {
        Secret::fill(|key| rng.fill_bytes(key))
    }

    /// A key that was opened.
    ///
    /// # Errors
    /// `DecryptFailed` for another number of bytes.
    pub fn copy_of(bytes: &[u8]) -> Result<Secret> {
        let is_key = bytes.len() == 32;
        if is_key { Ok(Secret::fill(|key| key.copy_from_slice(bytes))) } else { Err(Reason::DecryptFailed) }
    }
}

/// Overwrites what the calls before left on the stack: ciphers and hashes copy a key into states of
/// their own, and move those (as `burn_stack` of libgcrypt does). To be called where they were
/// called from.
#[inline(never)]
pub(super) fn burn() {
    let mut below = [0_u64; BURNT / 8];
    below.zeroize();
    std::hint::black_box(&below);
}

/// Bytes: more than any of them needs in a build without optimisation.
const BURNT: usize = 1 << 14;

impl Deref for Secret {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}
