//! The cryptographic room: real primitives behind a few uniform calls, so that a
//! protocol says `seal`, `sign` or `agree` and a scenario chooses the suite.
//!
//! Must not know protocols, parties, time or the operating system's generator.
//! Every random byte comes from a generator that the caller lends: in a play an
//! [`Rng`] made with [`stream`], so that equal seeds replay equal bytes.

mod agreement;
mod hash;
mod kem;
mod modp;
mod otp;
mod password;
mod public_key;
mod rng;
mod shares;
mod signature;
mod suite;
mod symmetric;

pub use agreement::X25519_SMALL_ORDER;
pub use hash::{constant_time_eq, hkdf_sha256, hmac_sha256, sha256, sha256_of, truncated_sha256};
pub use modp::{SMALL_FACTORS, modp64, of_small_order, powers_of};
pub use otp::{OtpHash, Totp, hotp};
pub use password::{ARGON2_ITERATIONS, ARGON2_LANES, STRETCH_SALT_LEN, StretchCost, stretch, stretch_into};
pub use public_key::{DecryptionKey, RSA_2048_LEN, RSA_2048_SPKI_LEN, rsa_numbers};
pub use rng::{Rng, stream};
pub use shares::{Share, combine_shares, split_secret};
pub use signature::{SigningKey, VerifyingKey};
pub use suite::{Agreement, Groups, Kem, PublicKeyEncryption, ShortBits, Signature, Suite, Symmetric};

use crate::reason::Reason;

/// What a primitive answers: the value, or which check failed.
pub type Result<T> = std::result::Result<T, Reason>;
