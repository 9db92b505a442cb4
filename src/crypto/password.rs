//! From a password to a key, slowly. Must not know who logs in.

use std::cell::RefCell;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::Result;
use super::hash::sha256;
use crate::limits::{ARGON2_MEMORY_KIB, MAX_ARGON2_ITERATIONS, MAX_ARGON2_MEMORY_KIB};
use crate::reason::Reason;

/// Passes over the memory that one guess costs ([`ARGON2_MEMORY_KIB`]).
pub const ARGON2_ITERATIONS: u32 = 2;
/// Lanes: one, so that a guess is sequential.
pub const ARGON2_LANES: u32 = 1;
/// Bytes of salt that Argon2id sees (RFC 9106 §3.1 recommends 16).
pub const STRETCH_SALT_LEN: usize = 16;

/// What one guess costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StretchCost {
    /// Memory in KiB: at least 8 for each lane (RFC 9106 §3.1).
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for StretchCost {
    fn default() -> Self {
        StretchCost { memory_kib: ARGON2_MEMORY_KIB, iterations: ARGON2_ITERATIONS, lanes: ARGON2_LANES }
    }
}

thread_local! {
    // Given back each time, this much memory is cut up by small allocations before it is asked for
    // again: forty log-ins took 1.6 GB. What costs more than the usual is given back all the same.
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Argon2id version 1.3 (RFC 9106) of `password`, 32 bytes, with the costs
/// above; about 23 ms.
///
/// `salt` may have any length, such as a principal's name (RFC 4120 §4): the
/// first 16 bytes of its SHA-256 are used.
///
/// # Errors
/// `MemoryUnavailable`.
pub fn stretch(password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    stretch_into(&mut key, password, salt, StretchCost::default())?;
    Ok(key)
}

/// As [`stretch`], at another cost, and written to where the key is to be: one that is handed
/// on by value leaves a copy behind wherever it was.
///
/// # Errors
/// `Malformed` for a cost outside RFC 9106 §3.1 or above
/// [`limits`](crate::limits): a file that asks for all memory is not obeyed. `MemoryUnavailable`.
pub fn stretch_into(key: &mut [u8; 32], password: &[u8], salt: &[u8], cost: StretchCost) -> Result<()> {
    if cost.memory_kib > MAX_ARGON2_MEMORY_KIB || cost.iterations > MAX_ARGON2_ITERATIONS {
        return Err(Reason::Malformed);
    }
    let params =
        Params::new(cost.memory_kib, cost.iterations, cost.lanes, Some(32)).map_err(|_| Reason::Malformed)?;
    let needed = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = sha256(&[salt]);
    BLOCKS.with_borrow_mut(|blocks| {
        let missing = needed.saturating_sub(blocks.len());
        blocks.try_reserve_exact(missing).map_err(|_| Reason::MemoryUnavailable)?;
        blocks.resize(blocks.len() + missing, Block::new());
        let done = argon2.hash_password_into_with_memory(
            password,
            &salt[..STRETCH_SALT_LEN],
            key,
            &mut blocks[..needed],
        );
        done.expect("salt and key have permitted lengths, and a password below 4 GiB has too");
        // The key follows from the last of them.
        blocks[..needed].iter_mut().for_each(Zeroize::zeroize);
        if cost.memory_kib > ARGON2_MEMORY_KIB {
            *blocks = Vec::new();
        }
        Ok(())
    })
}
