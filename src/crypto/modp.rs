//! Diffie–Hellman modulo a prime (RFC 2631), in the groups of RFC 7919, in one whose order has
//! small factors, and in one so small that anybody computes logarithms in it. Must not know who
//! agrees.

use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{U256, U2048, U3072, const_monty_params};
use zeroize::Zeroizing;

use super::Result;
use crate::reason::Reason;

/// Bytes of an exponent: 256 bits (RFC 7919 §5.2 asks for 225 and 275 bits at least in its groups
/// of 2048 and 3072; twice the strength of the group suffices).
pub const EXPONENT: usize = 32;

/// A group of the integers modulo p, with exponents of 256 bits.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident, $int:ident, $generator:expr, $p:expr) => {
        $(#[$doc])*
        pub mod $name {
            use super::*;

            const_monty_params!(Modulus, $int, $p, "p, big endian.");

            type Element = ConstMontyForm<Modulus, { $int::LIMBS }>;

            /// Bytes of a share and of a shared secret.
            pub const LEN: usize = $int::BYTES;

            /// g^x mod p.
            pub fn share(exponent: &[u8; EXPONENT]) -> Zeroizing<[u8; LEN]> {
                power(&$generator, exponent)
            }

            /// Y^x mod p.
            pub fn agree(exponent: &[u8; EXPONENT], share: &$int) -> Zeroizing<[u8; LEN]> {
                power(share, exponent)
            }

            /// Y, if 2 ≤ Y ≤ p − 2 (RFC 7919 §5.1).
            pub fn parse_share(share: &[u8; LEN]) -> Result<$int> {
                let p = <Modulus as ConstMontyParams<{ $int::LIMBS }>>::PARAMS.modulus().get();
                let share = $int::from_be_slice(share);
                let two = $int::from_u8(2);
                if share < two || share > p.wrapping_sub(&two) {
                    return Err(Reason::WeakParameter);
                }
                Ok(share)
            }

            /// Base and exponent, both big endian; the base below p.
            pub fn power(base: &$int, exponent: &[u8; EXPONENT]) -> Zeroizing<[u8; LEN]> {
                let exponent = Zeroizing::new(U256::from_be_slice(exponent));
                // The exponent's type bounds the number of squarings, a fraction of p's.
                let power = Element::new(base).pow_bounded_exp(&exponent, U256::BITS);
                let power = Zeroizing::new(Zeroizing::new(power).retrieve());
                let mut bytes = Zeroizing::new([0; LEN]);
                bytes.copy_from_slice(power.to_be_bytes().as_ref());
                bytes
            }
        }
    };
}

group! {
    /// RFC 7919 appendix A.1. p is a safe prime: who checks 2 ≤ Y ≤ p − 2 has an element of order
    /// q or 2q.
    ffdhe2048, U2048, U2048::from_u8(2),
    concat!(
        "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695",
        "A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617A",
        "D3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935",
        "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797A",
        "BC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4",
        "AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61",
        "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005",
        "C58EF1837D1683B2C6F34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF",
    )
}

group! {
    /// RFC 7919 appendix A.2, of a safe prime, too.
    ffdhe3072, U3072, U3072::from_u8(2),
    concat!(
        "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695",
        "A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617A",
        "D3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935",
        "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797A",
        "BC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4",
        "AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61",
        "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005",
        "C58EF1837D1683B2C6F34A26C1B2EFFA886B4238611FCFDCDE355B3B6519035B",
        "BC34F4DEF99C023861B46FC9D6E6C9077AD91D2691F7F7EE598CB0FAC186D91C",
        "AEFE130985139270B4130C93BC437944F4FD4452E2D74DD364F2E21E71F54BFF",
        "5CAE82AB9C9DF69EE86D2BC522363A0DABC521979B0DEADA1DBF9A42D5C4484E",
        "0ABCD06BFA53DDEF3C1B20EE3FD59D7C25E41D2B66C62E37FFFFFFFFFFFFFFFF",
    )
}

group! {
    /// A group as for DSA (FIPS 186-4 §4.1): g has the prime order q of 256 bits, and (p − 1) / q
    /// has the small factors of [`SMALL_FACTORS`] beside a large one, so that elements of small
    /// order are there for whoever does not ask for Y^q = 1 (SP 800-56A rev. 3 §5.6.2.3.1). q and
    /// the upper bits of p come from SHA-256 of "mallory modp-2048 q", and "… p 0" and so on.
    modp2048, U2048, GENERATOR,
    concat!(
        "EB3C46A3D889E8BAEA564B99C635EC9AB86C0F4AD0AB5713B9DF2B166DA385B8",
        "9BCE6BB7CE9FBF5D2536EC83E22F1B32619DCFB488502A5775E60A616DD6A8B9",
        "511E4941E302FBDBCB7A60A82F06EB8E96316A6774D1876D9542E82DDC07AB82",
        "6B163F1EB6337652F447590D45E28F09D012BD5FAEBA2B6321EE60FD1C2C1B88",
        "232A4FF82A19A3D44A431500102CB7AAE4C6F20ACB2779FB1F2569DA8748C88F",
        "80A4937AC85A0621E3D059310BC8D5C7EB973C5D071521ACBB7E4883FFF58688",
        "88B150C0BC962A4B0243D5CFECFC484BE6B3A34835CA76E78E0A6793F18CD39B",
        "6E3803F49EB0B2A951B5BECFDCCAF67BF03DE92E8BF4B41DCBD40A25E7636ABF",
    )
}

/// The generator of [`modp2048`]: 2^((p − 1) / q).
const GENERATOR: U2048 = U2048::from_be_hex(concat!(
    "C84498776BDEEA3B8AC47800149BA359C7A6B82B9EE2C8E9223C735C0C9085A1",
    "DB7C82B6E6A9E79D7BFEB07FC2920D97144E69E756641B4BC76CC93BDD8F8698",
    "C8D7E24CA3BD13BB9CC1FEE25AB93F86F00C44DA9F4713EE040E1F8331F3F5B7",
    "E2406B9505CFDEBC822ABF55C5D76E4EC416BD4C54A2710DD4F0076D2223003D",
    "4093384657E90EFF80813E480B11E002407EEE1DC12316E3210FA9403D11F0CA",
    "5870D7642C196C24001AE35CC8F0D047C77D5F0FBF34354C541526BEFB39FEA5",
    "BC2EED6842B57FBD20B7766EAD83B4B811BF4981A5AC2485768616D7814198B6",
    "EFAC98E93C90D9FA112CE4CD09CBF9EA9EFD1F0999D9A36ED33D6360A387B894",
));

/// q of [`modp2048`], big endian.
const ORDER: U256 = U256::from_be_hex("A5DA2BE264FA7B545A2C804DB6224BF1FAA4E1FC2090D03378BF8CB9719E0D6B");

/// The small primes that divide p − 1 of [`modp2048`], whose product has 264 bits.
pub const SMALL_FACTORS: [u16; 34] = [
    131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239,
    241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307, 311, 313,
];

/// Y, if it lies in the subgroup of order q of [`modp2048`].
pub fn in_subgroup(share: &[u8; modp2048::LEN]) -> Result<U2048> {
    let share = modp2048::parse_share(share)?;
    let mut order = [0; EXPONENT];
    order.copy_from_slice(ORDER.to_be_bytes().as_ref());
    let power = modp2048::power(&share, &order);
    let (last, rest) = power.split_last().ok_or(Reason::Malformed)?;
    if *last != 1 || rest.iter().any(|byte| *byte != 0) {
        return Err(Reason::WeakParameter);
    }
    Ok(share)
}

/// An element of [`modp2048`] whose order is this one of [`SMALL_FACTORS`]: 3^((p − 1) / r) or the
/// like.
pub fn of_small_order(factor: u16) -> Option<Vec<u8>> {
    use crypto_bigint::NonZero;
    let p = <modp2048::Modulus as ConstMontyParams<{ U2048::LIMBS }>>::PARAMS.modulus();
    let order =
        NonZero::new(U2048::from(factor)).into_option().filter(|_| SMALL_FACTORS.contains(&factor))?;
    let exponent = p.get().wrapping_sub(&U2048::ONE).wrapping_div_vartime(&order);
    (3..64_u8).find_map(|base| {
        let element = ConstMontyForm::<modp2048::Modulus, { U2048::LIMBS }>::new(&U2048::from_u8(base));
        let element = element.pow(&exponent).retrieve();
        (element != U2048::ONE).then(|| element.to_be_bytes().as_ref().to_vec())
    })
}

/// The first so many powers of an element of [`modp2048`], from the zeroth on.
pub fn powers_of(element: &[u8], count: usize) -> Vec<Vec<u8>> {
    type Element = ConstMontyForm<modp2048::Modulus, { U2048::LIMBS }>;
    if element.len() != modp2048::LEN {
        return Vec::new();
    }
    let element = Element::new(&U2048::from_be_slice(element));
    let mut power = Element::ONE;
    let next = |_| {
        let bytes = power.retrieve().to_be_bytes().as_ref().to_vec();
        power = power.mul(&element);
        bytes
    };
    (0..count).map(next).collect()
}

/// The largest safe prime of 64 bits, 2^64 − 1469, with g = 4, a square, of order q: logarithms take
/// a second.
pub mod modp64 {
    use super::{Reason, Result};

    /// p.
    pub const P: u64 = 18_446_744_073_709_550_147;
    /// q = (p − 1) / 2, prime.
    pub const Q: u64 = (P - 1) / 2;
    /// The generator of the squares.
    pub const G: u64 = 4;
    /// Bytes of a share, a secret and an exponent, big endian.
    pub const LEN: usize = 8;

    /// a b mod m.
    pub fn times(a: u64, b: u64, m: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(m)) as u64
    }

    /// a^x mod m.
    pub fn power(mut base: u64, mut exponent: u64, m: u64) -> u64 {
        let mut power = 1 % m;
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = times(power, base, m);
            }
            base = times(base, base, m);
            exponent >>= 1;
        }
        power
    }

    /// Y, if 2 ≤ Y ≤ p − 2 and Y^q = 1.
    ///
    /// # Errors
    /// `WeakParameter` otherwise.
    pub fn parse_share(share: [u8; LEN]) -> Result<u64> {
        let share = u64::from_be_bytes(share);
        let is_square = (2..P - 1).contains(&share) && power(share, Q, P) == 1;
        if is_square { Ok(share) } else { Err(Reason::WeakParameter) }
    }

    /// An exponent between 1 and q − 1.
    ///
    /// # Errors
    /// `Malformed` otherwise.
    pub fn parse_exponent(secret: [u8; LEN]) -> Result<u64> {
        let secret = u64::from_be_bytes(secret);
        if (1..Q).contains(&secret) { Ok(secret) } else { Err(Reason::Malformed) }
    }
}
