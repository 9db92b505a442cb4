//! Diffie–Hellman in three groups, with the checks that keep a peer's share
//! honest. Must not know who agrees, nor what becomes of the secret.

use p256::elliptic_curve::sec1::ToSec1Point;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

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
    /// before clamping, a P-256 scalar between 1 and the order, or a 256-bit
    /// exponent (RFC 7919 §5.2 asks for 225 bits at least), big endian.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>> {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked | Agreement::Ffdhe2048 => {
                let mut secret = Zeroizing::new(vec![0; 32]);
                rng.fill_bytes(&mut secret);
                secret
            }
            Agreement::P256 => {
                let secret = Zeroizing::new(p256_secret(rng).to_bytes());
                Zeroizing::new(secret.to_vec())
            }
        }
    }

    /// The public share of `secret`: a u-coordinate (32 bytes, little endian), a
    /// SEC1 uncompressed point (65), or g^x mod p (256, big endian).
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
        }
    }

    /// Checks the peer's `share`, then agrees: the u-coordinate (32 bytes), the
    /// point's x-coordinate (32), or Y^x mod p (256, leading zeros kept).
    ///
    /// # Errors
    /// As [`validate`](Self::validate); X25519 instead refuses an all-zero result
    /// (RFC 7748 §6.1), which is the same set of shares, and x25519-unchecked nothing. `Malformed` for a
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
        }
    }

    /// Checks a peer's `share` without a secret.
    ///
    /// # Errors
    /// `Malformed` for the wrong length or a point that is not uncompressed.
    /// `WeakParameter` for an X25519 share of small order in any encoding
    /// (RFC 7748 §6.1), a P-256 point that is the identity or not on the curve
    /// (SP 800-56A rev. 3 §5.6.2.3.4), a ffdhe2048 share unless 2 ≤ Y ≤ p − 2
    /// (RFC 7919 §5.1).
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
        }
    }

    /// Bytes of a share: 32, 65, 256.
    pub fn share_len(self) -> usize {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked => 32,
            Agreement::P256 => 65,
            Agreement::Ffdhe2048 => ffdhe2048::LEN,
        }
    }

    /// Bytes of a secret: 32 in every group.
    pub fn secret_len(self) -> usize {
        32
    }

    /// Bytes that [`agree`](Self::agree) makes: 32, 32, 256.
    pub fn shared_len(self) -> usize {
        match self {
            Agreement::X25519 | Agreement::X25519Unchecked | Agreement::P256 => 32,
            Agreement::Ffdhe2048 => ffdhe2048::LEN,
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

/// The group of RFC 7919 appendix A.1, with exponents of 256 bits.
mod ffdhe2048 {
    use crypto_bigint::modular::ConstMontyForm;
    use crypto_bigint::{U256, U2048, const_monty_params};
    use zeroize::Zeroizing;

    use super::Result;
    use crate::reason::Reason;

    /// Bytes of a share and of a shared secret.
    pub const LEN: usize = 256;

    const_monty_params!(
        Modulus,
        U2048,
        concat!(
            "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695",
            "A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617A",
            "D3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935",
            "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797A",
            "BC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4",
            "AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61",
            "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005",
            "C58EF1837D1683B2C6F34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF",
        ),
        "The safe prime p, big endian."
    );

    type Element = ConstMontyForm<Modulus, { U2048::LIMBS }>;

    /// 2^x mod p.
    pub fn share(exponent: &[u8; 32]) -> Zeroizing<[u8; LEN]> {
        power(&Element::new(&U2048::from_u8(2)), exponent)
    }

    /// Y^x mod p.
    pub fn agree(exponent: &[u8; 32], share: &U2048) -> Zeroizing<[u8; LEN]> {
        power(&Element::new(share), exponent)
    }

    /// Y, if 2 ≤ Y ≤ p − 2 (RFC 7919 §5.1). As p is a safe prime, such a Y has
    /// order q or 2q, and no further check is needed.
    pub fn parse_share(share: &[u8; LEN]) -> Result<U2048> {
        let p =
            <Modulus as crypto_bigint::modular::ConstMontyParams<{ U2048::LIMBS }>>::PARAMS.modulus().get();
        let share = U2048::from_be_slice(share);
        let two = U2048::from_u8(2);
        if share < two || share > p.wrapping_sub(&two) {
            return Err(Reason::WeakParameter);
        }
        Ok(share)
    }

    fn power(base: &Element, exponent: &[u8; 32]) -> Zeroizing<[u8; LEN]> {
        let exponent = Zeroizing::new(U256::from_be_slice(exponent));
        // The exponent's type bounds the number of squarings, an eighth of p's.
        let power = Zeroizing::new(base.pow_bounded_exp(&exponent, U256::BITS));
        let power = Zeroizing::new(power.retrieve());
        let mut bytes = Zeroizing::new([0; LEN]);
        bytes.copy_from_slice(power.to_be_bytes().as_ref());
        bytes
    }
}
