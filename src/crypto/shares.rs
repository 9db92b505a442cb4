//! A secret in n shares of which any k give it back and fewer say nothing: Shamir's
//! scheme (CACM 22(11), 1979) over GF(2^8). Must not know what the secret opens.

use std::fmt;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::Result;
use crate::limits::MAX_SHARED_SECRET_BYTES;
use crate::reason::Reason;

/// One share: the point `x`, never zero, and the value there of each byte's polynomial.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    x: u8,
    y: Zeroizing<Vec<u8>>,
}

impl Share {
    /// x ‖ y: one byte more than the secret has.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.y.len() + 1));
        bytes.push(self.x);
        bytes.extend_from_slice(&self.y);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// `Malformed` for fewer than two bytes, more than a shared secret may have, or a point of
    /// zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Share> {
        match bytes {
            [x, y @ ..] if *x != 0 && (1..=MAX_SHARED_SECRET_BYTES).contains(&y.len()) => {
                Ok(Share { x: *x, y: Zeroizing::new(y.to_vec()) })
            }
            _ => Err(Reason::Malformed),
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("x", &self.x).finish_non_exhaustive()
    }
}

/// Splits `secret` into `count` shares, any `threshold` of which give it back.
///
/// # Errors
/// `Malformed` unless 1 ≤ `threshold` ≤ `count`, and for a secret that is empty or longer than
/// [`MAX_SHARED_SECRET_BYTES`].
pub fn split_secret(secret: &[u8], threshold: u8, count: u8, rng: &mut dyn CryptoRng) -> Result<Vec<Share>> {
    let fits = (1..=MAX_SHARED_SECRET_BYTES).contains(&secret.len());
    if threshold == 0 || threshold > count || !fits {
        return Err(Reason::Malformed);
    }
    let mut shares: Vec<Share> =
        (1..=count).map(|x| Share { x, y: Zeroizing::new(Vec::with_capacity(secret.len())) }).collect();
    let mut polynomial = Zeroizing::new(vec![0; usize::from(threshold)]);
    for byte in secret {
        rng.fill_bytes(&mut polynomial);
        polynomial[0] = *byte;
        for share in &mut shares {
            // Horner's rule, from the highest coefficient.
            let y = polynomial.iter().rev().fold(0, |sum, coefficient| mul(sum, share.x) ^ coefficient);
            share.y.push(y);
        }
    }
    Ok(shares)
}

/// The secret that `shares` are of. Too few shares, or shares of several secrets, give
/// other bytes and no error: nothing in a share tells.
///
/// # Errors
/// `Malformed` for no shares, two of one point, or of different lengths.
pub fn combine_shares(shares: &[Share]) -> Result<Zeroizing<Vec<u8>>> {
    let len = shares.first().ok_or(Reason::Malformed)?.y.len();
    let distinct = |i: usize, share: &Share| shares[..i].iter().all(|other| other.x != share.x);
    if !shares.iter().enumerate().all(|(i, share)| share.y.len() == len && distinct(i, share)) {
        return Err(Reason::Malformed);
    }
    let mut secret = Zeroizing::new(vec![0; len]);
    for share in shares {
        // Lagrange's basis polynomial of this point, at zero; subtraction is XOR.
        let others = shares.iter().filter(|other| other.x != share.x);
        let basis = others.fold(1, |product, other| mul(product, mul(other.x, inverse(other.x ^ share.x))));
        for (byte, y) in secret.iter_mut().zip(share.y.iter()) {
            *byte ^= mul(*y, basis);
        }
    }
    Ok(secret)
}

/// The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 §4.2), without
/// branches or tables that a secret would choose.
fn mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        a = a << 1 ^ 0x1b & (a >> 7).wrapping_neg();
        b >>= 1;
    }
    product
}

/// a^254, which is 1/a, as the group of units has 255 elements.
fn inverse(a: u8) -> u8 {
    let mut power = a;
    for _ in 0..6 {
        power = mul(mul(power, power), a);
    }
    mul(power, power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197 §4.2.
        assert_eq!(mul(0x57, 0x83), 0xc1);
        assert_eq!(mul(0x57, 0x13), 0xfe);
        for a in 1..=255 {
            assert_eq!(mul(a, inverse(a)), 1, "{a}");
        }
    }
}
