//! Diffie–Hellman on two curves and modulo primes, with the checks that keep a peer's share
//! honest. Must not know who agrees, nor what becomes of the secret.

use p256::elliptic_curve::sec1::ToSec1Point;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::modp::{ffdhe2048, ffdhe3072, in_subgroup, modp64, modp2048};
use super::signature::p256_secret;
use super::{Agreement, Result};
use crate::reason::Reason;

/// The u-coordinates of small order on Curve25519 and its twist, and the two
/// values p and p + 1 that also mean 0 and 1; little endian, top bit clear
/// (<https://cr.yp.to/ecdh.html#validate>). No secret is contributed by them.
pub const X25519_SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    low(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    near_p(0xec),
    near_p(0xed),
    near_p(0xee),
];

impl Agreement {
    /// A new secret of [`secret_len`](Self::secret_len) bytes: an X25519 scalar
    /// before clamping, a P-256 scalar or an exponent of modp-64 between 1 and the order, or a
    /// 256-bit exponent (RFC 7919 §5.2), big endian.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>> {
        match self {
            Agreement::X25519
            | Agreement::X25519Unchecked
            | Agreement::Ffdhe2048
            | Agreement::Ffdhe3072
            | Agreement::Modp2048
            | Agreement::Modp2048Unchecked => {
                let mut secret = Zeroizing::new(vec![0; 32]);
                rng.fill_bytes(&mut secret);
                secret
            }
            Agreement::P256 => {
                let secret = Zeroizing::new(p256_secret(rng).to_bytes());
                Zeroizing::new(secret.to_vec())
            }
            Agreement::Modp64 => loop {
                let mut secret = Zeroizing::new([0; modp64::LEN]);
                rng.fill_bytes(secret.as_mut_slice());
                if modp64::parse_exponent(*secret).is_ok() {
                    return Zeroizing::new(secret.to_vec());
                }
            },
        }
    }

    /// The public share of `secret`: a u-coordinate (32 bytes, little endian), a
    /// SEC1 uncompressed point (65), or g^x mod p (big endian).
    ///
    /// # Errors
    /// `Malformed` for a secret of the wrong length or out of range.
    pub fn share(self, secret: &[u8]) -> Result<Vec<u8>> {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked => {
                let secret = Zeroizing::new(fixed(secret)?);
                // By the base point's table, three times faster than `x25519`.
                let secret = x25519_dalek::StaticSecret::from(*secret);
                Ok(x25519_dalek::PublicKey::from(&secret).to_bytes().to_vec())
            }
            Agreement::P256 => {
                let public = parse_p256_secret(secret)?.public_key();
                Ok(public.to_sec1_point(false).as_bytes().to_vec())
            }
            Agreement::Ffdhe2048 => {
                let secret = Zeroizing::new(fixed(secret)?);
                Ok(ffdhe2048::share(&secret).to_vec())
            }
            Agreement::Ffdhe3072 => {
                let secret = Zeroizing::new(fixed(secret)?);
                Ok(ffdhe3072::share(&secret).to_vec())
            }
            Agreement::Modp2048 | Agreement::Modp2048Unchecked => {
                let secret = Zeroizing::new(fixed(secret)?);
                Ok(modp2048::share(&secret).to_vec())
            }
            Agreement::Modp64 => {
                let secret = modp64::parse_exponent(fixed(secret)?)?;
                Ok(modp64::power(modp64::G, secret, modp64::P).to_be_bytes().to_vec())
            }
        }
    }

    /// Checks the peer's `share`, then agrees: the u-coordinate (32 bytes), the
    /// point's x-coordinate (32), or Y^x mod p (leading zeros kept).
    ///
    /// # Errors
    /// As [`validate`](Self::validate); X25519 instead refuses an all-zero result
    /// (RFC 7748 §6.1), which is the same set of shares, and x25519-unchecked nothing;
    /// modp-2048-unchecked takes shares of every order. `Malformed` for a
    /// secret of the wrong length or out of range.
    pub fn agree(self, secret: &[u8], share: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked => {
                let secret = Zeroizing::new(fixed(secret)?);
                let shared = Zeroizing::new(x25519_dalek::x25519(*secret, fixed(share)?));
                if self == Agreement::X25519 && shared.ct_eq(&[0; 32]).into() {
                    return Err(Reason::WeakParameter);
                }
                Ok(Zeroizing::new(shared.to_vec()))
            }
            Agreement::P256 => {
                let secret = parse_p256_secret(secret)?;
                let shared = secret.diffie_hellman(&parse_p256_share(share)?);
                Ok(Zeroizing::new(shared.raw_secret_bytes().to_vec()))
            }
            Agreement::Ffdhe2048 => {
                let secret = Zeroizing::new(fixed(secret)?);
                let share = ffdhe2048::parse_share(&fixed(share)?)?;
                Ok(Zeroizing::new(ffdhe2048::agree(&secret, &share).to_vec()))
            }
            Agreement::Ffdhe3072 => {
                let secret = Zeroizing::new(fixed(secret)?);
                let share = ffdhe3072::parse_share(&fixed(share)?)?;
                Ok(Zeroizing::new(ffdhe3072::agree(&secret, &share).to_vec()))
            }
            Agreement::Modp2048 | Agreement::Modp2048Unchecked => {
                let secret = Zeroizing::new(fixed(secret)?);
                let share = self.modp2048_share(share)?;
                Ok(Zeroizing::new(modp2048::agree(&secret, &share).to_vec()))
            }
            Agreement::Modp64 => {
                let secret = modp64::parse_exponent(fixed(secret)?)?;
                let share = modp64::parse_share(fixed(share)?)?;
                Ok(Zeroizing::new(modp64::power(share, secret, modp64::P).to_be_bytes().to_vec()))
            }
        }
    }

    /// Checks a peer's `share` without a secret.
    ///
    /// # Errors
    /// `Malformed` for the wrong length or a point that is not uncompressed.
    /// `WeakParameter` for an X25519 share of small order in any encoding
    /// (RFC 7748 §6.1), a P-256 point that is the identity or not on the curve
    /// (SP 800-56A rev. 3 §5.6.2.3.4), a share modulo a prime unless 2 ≤ Y ≤ p − 2
    /// (RFC 7919 §5.1), and in modp-2048 and modp-64 Y^q = 1 (SP 800-56A rev. 3 §5.6.2.3.1).
    pub fn validate(self, share: &[u8]) -> Result<()> {
        match self {
            Agreement::X25519 => {
                let mut share: [u8; 32] = fixed(share)?;
                // The top bit carries no meaning (RFC 7748 §5).
                share[31] &= 0x7f;
                if X25519_SMALL_ORDER.contains(&share) {
                    return Err(Reason::WeakParameter);
                }
                Ok(())
            }
            Agreement::X25519Unchecked => fixed::<32>(share).map(drop),
            Agreement::P256 => parse_p256_share(share).map(drop),
            Agreement::Ffdhe2048 => ffdhe2048::parse_share(&fixed(share)?).map(drop),
            Agreement::Ffdhe3072 => ffdhe3072::parse_share(&fixed(share)?).map(drop),
            Agreement::Modp2048 | Agreement::Modp2048Unchecked => self.modp2048_share(share).map(drop),
            Agreement::Modp64 => modp64::parse_share(fixed(share)?).map(drop),
        }
    }

    /// A share modulo p of modp-2048, with the check of its order or without.
    fn modp2048_share(self, share: &[u8]) -> Result<crypto_bigint::U2048> {
        let share = fixed(share)?;
        match self {
            Agreement::Modp2048Unchecked => modp2048::parse_share(&share),
            _ => in_subgroup(&share),
        }
    }

    /// Bytes of a share: 32 (X25519), 65 (P-256), 256, 384 and 8 modulo primes.
    pub fn share_len(self) -> usize {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked => 32,
            Agreement::P256 => 65,
            Agreement::Ffdhe2048 => ffdhe2048::LEN,
            Agreement::Ffdhe3072 => ffdhe3072::LEN,
            Agreement::Modp2048 | Agreement::Modp2048Unchecked => modp2048::LEN,
            Agreement::Modp64 => modp64::LEN,
        }
    }

    /// Bytes of a secret: 32 in every group but modp-64, which has 8.
    pub fn secret_len(self) -> usize {
        if self == Agreement::Modp64 { modp64::LEN } else { 32 }
    }

    /// Bytes that [`agree`](Self::agree) makes: 32 on curves, else as many as a share has.
    pub fn shared_len(self) -> usize {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked | Agreement::P256 => 32,
            Agreement::Ffdhe2048
            | Agreement::Ffdhe3072
            | Agreement::Modp2048
            | Agreement::Modp2048Unchecked
            | Agreement::Modp64 => self.share_len(),
        }
    }
}

fn fixed<const LEN: usize>(bytes: &[u8]) -> Result<[u8; LEN]> {
    bytes.try_into().map_err(|_| Reason::Malformed)
}

fn parse_p256_secret(secret: &[u8]) -> Result<p256::SecretKey> {
    let secret = Zeroizing::new(fixed::<32>(secret)?);
    p256::SecretKey::from_slice(secret.as_slice()).map_err(|_| Reason::Malformed)
}

fn parse_p256_share(share: &[u8]) -> Result<p256::PublicKey> {
    // SEC1 §2.3.3 writes the identity as one zero byte.
    if share == [0] {
        return Err(Reason::WeakParameter);
    }
    if share.len() != 65 || share[0] != 0x04 {
        return Err(Reason::Malformed);
    }
    p256::PublicKey::from_sec1_bytes(share).map_err(|_| Reason::WeakParameter)
}

/// The number `value`, little endian.
const fn low(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

/// A number near p = 2^255 − 19, whose lowest byte is 0xed; little endian.
const fn near_p(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7f;
    bytes
}
