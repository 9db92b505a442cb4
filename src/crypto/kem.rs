//! Key encapsulation: ML-KEM-768 (FIPS 203), and two hybrids of it with X25519. Who has a public
//! encapsulation key makes a ciphertext and a secret; who has the decapsulation key has the secret
//! from the ciphertext. Must not know who they are, nor what becomes of the secret.

use ml_kem::kem::{Decapsulate as _, KeyExport as _};
use ml_kem::{DecapsulationKey768, EncapsulationKey768};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{Agreement, Kem, Result};
use crate::reason::Reason;

/// Bytes of an ML-KEM-768 encapsulation key, a ciphertext, and a secret (FIPS 203 §8, table 3).
const ML_KEM_EK: usize = 1184;
const ML_KEM_CT: usize = 1088;
const ML_KEM_SS: usize = 32;
/// Bytes of the seed d ‖ z from which a decapsulation key is made (§7.1), and of the random m that
/// encapsulation takes (§7.2).
const ML_KEM_SEED: usize = 64;
const ML_KEM_COINS: usize = 32;
/// Bytes of a scalar, a share and a secret of X25519.
const X25519: usize = 32;
/// Bytes of the seed of a decapsulation key of X-Wing (draft-connolly-cfrg-xwing-kem §5.1).
const X_WING_SEED: usize = 32;

impl Kem {
    /// A new decapsulation key of [`secret_len`](Self::secret_len) bytes: always as a seed.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> Zeroizing<Vec<u8>> {
        let mut secret = Zeroizing::new(vec![0; self.secret_len()]);
        rng.fill_bytes(&mut secret);
        secret
    }

    /// The encapsulation key of a decapsulation key.
    ///
    /// # Errors
    /// `Malformed` for a decapsulation key of the wrong length.
    pub fn encapsulation_key(self, secret: &[u8]) -> Result<Vec<u8>> {
        match self {
            Kem::MlKem768 => Ok(ml_kem_ek(&ml_kem_key(secret)?)),
            Kem::X25519MlKem768 => {
                let (pq, classical) = split(secret, ML_KEM_SEED, X25519)?;
                let mut key = ml_kem_ek(&ml_kem_key(pq)?);
                key.extend(Agreement::X25519.share(classical)?);
                Ok(key)
            }
            Kem::XWing => Ok(x_wing_key(secret)?.1.to_bytes().to_vec()),
        }
    }

    /// Checks an encapsulation key.
    ///
    /// # Errors
    /// `Malformed` for the wrong length, or an ML-KEM key with a coefficient that is not below
    /// the modulus (FIPS 203 §7.2). `WeakParameter` where X25519MLKEM768 has a share of small order.
    pub fn validate(self, key: &[u8]) -> Result<()> {
        match self {
            Kem::MlKem768 => parse_ek(key).map(drop),
            Kem::X25519MlKem768 => {
                let (pq, classical) = split(key, ML_KEM_EK, X25519)?;
                parse_ek(pq)?;
                Agreement::X25519.validate(classical)
            }
            Kem::XWing => parse_x_wing(key).map(drop),
        }
    }

    /// The ciphertext and the secret that these random bytes, of
    /// [`coins_len`](Self::coins_len), give under an encapsulation key.
    ///
    /// X25519MLKEM768 is that of TLS 1.3 (draft-ietf-tls-ecdhe-mlkem §3): ciphertexts and secrets
    /// of ML-KEM-768 and X25519 side by side, in this order; the key schedule hashes both. X-Wing
    /// hashes them itself, with the share and key of X25519 (draft-connolly-cfrg-xwing-kem §5.3).
    ///
    /// # Errors
    /// As [`validate`](Self::validate); `Malformed` for random bytes of the wrong length.
    pub fn encapsulate(self, key: &[u8], coins: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        match self {
            Kem::MlKem768 => ml_kem_encapsulate(key, coins),
            Kem::X25519MlKem768 => {
                let (pq_key, share) = split(key, ML_KEM_EK, X25519)?;
                let (pq_coins, scalar) = split(coins, ML_KEM_COINS, X25519)?;
                let (mut ciphertext, mut secret) = ml_kem_encapsulate(pq_key, pq_coins)?;
                ciphertext.extend(Agreement::X25519.share(scalar)?);
                secret.extend_from_slice(&Agreement::X25519.agree(scalar, share)?);
                Ok((ciphertext, secret))
            }
            Kem::XWing => {
                let key = parse_x_wing(key)?;
                let coins = Zeroizing::new(fixed::<64>(coins)?);
                let (ciphertext, secret) = key.encapsulate_deterministic(&(*coins).into());
                Ok((ciphertext.to_vec(), Zeroizing::new(secret.to_vec())))
            }
        }
    }

    /// The secret that a ciphertext gives under a decapsulation key. One of ML-KEM that nobody
    /// made for this key gives a secret that nobody else has (implicit rejection, FIPS 203 §6.3).
    ///
    /// # Errors
    /// `Malformed` for a wrong length; `WeakParameter` where the share of X25519 gives zero.
    pub fn decapsulate(self, secret: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Kem::MlKem768 => {
                let ciphertext = Zeroizing::new(fixed::<ML_KEM_CT>(ciphertext)?);
                let shared = ml_kem_key(secret)?.decapsulate(&(*ciphertext).into());
                Ok(Zeroizing::new(shared.to_vec()))
            }
            Kem::X25519MlKem768 => {
                let (seed, scalar) = split(secret, ML_KEM_SEED, X25519)?;
                let (pq, share) = split(ciphertext, ML_KEM_CT, X25519)?;
                let mut shared = Kem::MlKem768.decapsulate(seed, pq)?;
                shared.extend_from_slice(&Agreement::X25519.agree(scalar, share)?);
                Ok(shared)
            }
            Kem::XWing => {
                let ciphertext = fixed::<{ x_wing::CIPHERTEXT_SIZE }>(ciphertext)?;
                let shared = x_wing_key(secret)?.0.decapsulate(&ciphertext.into());
                Ok(Zeroizing::new(shared.to_vec()))
            }
        }
    }

    /// Bytes of a decapsulation key as a seed: 64, 96, 32.
    pub fn secret_len(self) -> usize {
        match self {
            Kem::MlKem768 => ML_KEM_SEED,
            Kem::X25519MlKem768 => ML_KEM_SEED + X25519,
            Kem::XWing => X_WING_SEED,
        }
    }

    /// Random bytes that an encapsulation takes: 32, 64, 64.
    pub fn coins_len(self) -> usize {
        match self {
            Kem::MlKem768 => ML_KEM_COINS,
            Kem::X25519MlKem768 | Kem::XWing => ML_KEM_COINS + X25519,
        }
    }

    /// Bytes of an encapsulation key: 1184, 1216, 1216.
    pub fn key_len(self) -> usize {
        match self {
            Kem::MlKem768 => ML_KEM_EK,
            Kem::X25519MlKem768 | Kem::XWing => ML_KEM_EK + X25519,
        }
    }

    /// Bytes of a ciphertext: 1088, 1120, 1120.
    pub fn ciphertext_len(self) -> usize {
        match self {
            Kem::MlKem768 => ML_KEM_CT,
            Kem::X25519MlKem768 | Kem::XWing => ML_KEM_CT + X25519,
        }
    }

    /// Bytes of a secret: 32, 64, 32.
    pub fn shared_len(self) -> usize {
        match self {
            Kem::MlKem768 | Kem::XWing => ML_KEM_SS,
            Kem::X25519MlKem768 => ML_KEM_SS + X25519,
        }
    }
}

fn fixed<const LEN: usize>(bytes: &[u8]) -> Result<[u8; LEN]> {
    bytes.try_into().map_err(|_| Reason::Malformed)
}

/// The first so many bytes and the rest, if that are so many.
fn split(bytes: &[u8], first: usize, rest: usize) -> Result<(&[u8], &[u8])> {
    bytes.split_at_checked(first).filter(|(_, tail)| tail.len() == rest).ok_or(Reason::Malformed)
}

fn ml_kem_key(seed: &[u8]) -> Result<DecapsulationKey768> {
    let seed = Zeroizing::new(fixed::<ML_KEM_SEED>(seed)?);
    Ok(DecapsulationKey768::from_seed((*seed).into()))
}

fn ml_kem_ek(key: &DecapsulationKey768) -> Vec<u8> {
    key.encapsulation_key().to_bytes().to_vec()
}

fn parse_ek(key: &[u8]) -> Result<EncapsulationKey768> {
    EncapsulationKey768::new(&fixed::<ML_KEM_EK>(key)?.into()).map_err(|_| Reason::Malformed)
}

fn ml_kem_encapsulate(key: &[u8], coins: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    let coins = Zeroizing::new(fixed::<ML_KEM_COINS>(coins)?);
    let (ciphertext, secret) = parse_ek(key)?.encapsulate_deterministic(&(*coins).into());
    Ok((ciphertext.to_vec(), Zeroizing::new(secret.to_vec())))
}

fn x_wing_key(seed: &[u8]) -> Result<(x_wing::DecapsulationKey, x_wing::EncapsulationKey)> {
    use ml_kem::kem::Decapsulator as _;
    let seed = Zeroizing::new(fixed::<X_WING_SEED>(seed)?);
    let key = x_wing::DecapsulationKey::from(*seed);
    let public = key.encapsulation_key().clone();
    Ok((key, public))
}

fn parse_x_wing(key: &[u8]) -> Result<x_wing::EncapsulationKey> {
    x_wing::EncapsulationKey::try_from(key).map_err(|_| Reason::Malformed)
}
