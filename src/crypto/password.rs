//! From a password to a key, slowly. Must not know who logs in.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::hash::sha256;

/// Memory that one guess costs, in KiB: 19 MiB, the smallest that the OWASP
/// password storage cheat sheet permits for two iterations.
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
pub const ARGON2_ITERATIONS: u32 = 2;
/// Lanes: one, so that a guess is sequential.
pub const ARGON2_LANES: u32 = 1;
/// Bytes of salt that Argon2id sees (RFC 9106 §3.1 recommends 16).
pub const STRETCH_SALT_LEN: usize = 16;

/// Argon2id version 1.3 (RFC 9106) of `password`, 32 bytes, with the costs
/// above; about 23 ms.
///
/// `salt` may have any length, such as a principal's name (RFC 4120 §4): the
/// first 16 bytes of its SHA-256 are used.
pub fn stretch(password: &[u8], salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_ITERATIONS, ARGON2_LANES, Some(32))
        .expect("the named costs lie within RFC 9106 §3.1");
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, &sha256(&[salt])[..STRETCH_SALT_LEN], key.as_mut_slice())
        .expect("salt and key have permitted lengths, and a password below 4 GiB has too");
    key
}
