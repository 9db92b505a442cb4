//! Encryption to the holder of an RSA-2048 key, with an envelope for texts that
//! RSA cannot hold. Must not know certificates or who holds the key.

use std::fmt;
use std::sync::Arc;

use pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rand::CryptoRng;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::hash::{constant_time_eq, sha256};
use super::{PublicKeyEncryption, Result, Symmetric};
use crate::reason::Reason;

/// Bytes of an RSA-2048 ciphertext, and of a signature.
pub const RSA_2048_LEN: usize = 256;
/// Bytes of an RSA-2048 public key as a DER SubjectPublicKeyInfo (RFC 8017
/// appendix A.1.1, exponent 65537).
pub const RSA_2048_SPKI_LEN: usize = 294;

const BITS: usize = 2048;
/// Longest direct plaintexts: 256 − 2·32 − 2 (RFC 8017 §7.1.1) and 256 − 11 (§7.2.1).
const OAEP_CAPACITY: usize = 190;
const PKCS1V15_CAPACITY: usize = 245;
/// Bytes of the key that an envelope carries.
const ENVELOPE_KEY: usize = 32;
const ENVELOPE: Symmetric = Symmetric::Aes256Gcm;

/// An RSA-2048 private key that decrypts; parsed once, cheap to clone.
#[derive(Clone)]
pub struct DecryptionKey(Arc<RsaPrivateKey>);

impl PublicKeyEncryption {
    /// A new RSA-2048 key with exponent 65537 (FIPS 186-5 appendix A.1); about 56 ms.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> DecryptionKey {
        DecryptionKey(Arc::new(generate_rsa(rng)))
    }

    /// Encrypts `plaintext` to `public`, a DER SubjectPublicKeyInfo.
    ///
    /// Direct, 256 bytes: the RSA ciphertext, for texts of up to 190 bytes
    /// (OAEP) or 245 (PKCS#1 v1.5; 213 with a label). Longer texts go as an
    /// envelope: RSA of a fresh 32-byte key (256) ‖ the text sealed under it by
    /// [`Symmetric::Aes256Gcm`] with `label` as associated data (28 + text).
    /// The length tells which.
    ///
    /// `label` is the label L of OAEP. PKCS#1 v1.5 has none: there a label that
    /// is not empty goes as its SHA-256 before the plaintext.
    ///
    /// # Errors
    /// `Malformed` if `public` is no RSA-2048 key.
    pub fn encrypt(
        self,
        public: &[u8],
        label: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>> {
        let public = parse_rsa_public(public.try_into().map_err(|_| Reason::Malformed)?)?;
        if self.is_direct(label.len(), plaintext.len()) {
            return Ok(self.encrypt_rsa(&public, label, plaintext, rng));
        }
        let mut key = Zeroizing::new([0; ENVELOPE_KEY]);
        rng.fill_bytes(key.as_mut_slice());
        let mut sealed = self.encrypt_rsa(&public, label, key.as_slice(), rng);
        sealed.extend(ENVELOPE.seal(key.as_slice(), label, plaintext, rng));
        Ok(sealed)
    }

    /// Decrypts what [`encrypt`](Self::encrypt) made with the same `label`.
    ///
    /// # Errors
    /// `DecryptFailed`, whatever was wrong. A direct PKCS#1 v1.5 ciphertext
    /// without a label is the exception: bad padding answers with a made-up
    /// text instead (implicit rejection, draft-irtf-cfrg-rsa-guidance §7.2), so
    /// success there says nothing.
    pub fn decrypt(self, key: &DecryptionKey, label: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (rsa, envelope) = sealed.split_at_checked(RSA_2048_LEN).ok_or(Reason::DecryptFailed)?;
        let text = self.decrypt_rsa(key, label, rsa)?;
        if envelope.is_empty() {
            return Ok(text);
        }
        if text.len() != ENVELOPE_KEY {
            return Err(Reason::DecryptFailed);
        }
        ENVELOPE.open(&text, label, envelope)
    }

    /// Bytes that [`encrypt`](Self::encrypt) makes.
    pub fn sealed_len(self, label_len: usize, plaintext_len: usize) -> usize {
        if self.is_direct(label_len, plaintext_len) {
            RSA_2048_LEN
        } else {
            RSA_2048_LEN + ENVELOPE.sealed_len(plaintext_len)
        }
    }

    fn is_direct(self, label_len: usize, plaintext_len: usize) -> bool {
        let capacity = match self {
            PublicKeyEncryption::Rsa2048Oaep => OAEP_CAPACITY,
            PublicKeyEncryption::Rsa2048Pkcs1v15 if label_len == 0 => PKCS1V15_CAPACITY,
            PublicKeyEncryption::Rsa2048Pkcs1v15 => PKCS1V15_CAPACITY - 32,
        };
        plaintext_len <= capacity
    }

    /// One RSA encryption of a text that fits.
    fn encrypt_rsa(
        self,
        public: &RsaPublicKey,
        label: &[u8],
        text: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Vec<u8> {
        match self {
            PublicKeyEncryption::Rsa2048Oaep => {
                public.encrypt(rng, Oaep::<Sha256>::new_with_label(label), text)
            }
            PublicKeyEncryption::Rsa2048Pkcs1v15 => {
                let text = Zeroizing::new([&label_prefix(label), text].concat());
                public.encrypt(rng, Pkcs1v15Encrypt, &text)
            }
        }
        .expect("the key was parsed and the text fits")
    }

    fn decrypt_rsa(self, key: &DecryptionKey, label: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        // Without blinding, which would need randomness: no remote observer of
        // time exists in a rehearsal (RUSTSEC-2023-0071).
        let text = match self {
            PublicKeyEncryption::Rsa2048Oaep => key.0.decrypt(Oaep::<Sha256>::new_with_label(label), sealed),
            PublicKeyEncryption::Rsa2048Pkcs1v15 => key.0.decrypt(Pkcs1v15Encrypt, sealed),
        }
        .map(Zeroizing::new)
        .map_err(|_| Reason::DecryptFailed)?;
        if self == PublicKeyEncryption::Rsa2048Oaep || label.is_empty() {
            return Ok(text);
        }
        let prefix = label_prefix(label);
        match text.split_at_checked(prefix.len()) {
            Some((found, rest)) if constant_time_eq(found, &prefix) => Ok(Zeroizing::new(rest.to_vec())),
            _ => Err(Reason::DecryptFailed),
        }
    }
}

impl DecryptionKey {
    /// The public key as a DER SubjectPublicKeyInfo, 294 bytes.
    pub fn public(&self) -> Vec<u8> {
        rsa_spki(self.0.as_public_key())
    }

    /// Signs `tbs` as sha256WithRSAEncryption (RFC 4055 §5): the proof that a
    /// certificate request gives of possessing this key (RFC 2986 §3). Draws nothing.
    ///
    /// # Errors
    /// `Malformed` for an imported key whose primes are none.
    pub fn sign_x509(&self, tbs: &[u8]) -> Result<Vec<u8>> {
        self.0.sign(Pkcs1v15Sign::new::<Sha256>(), &sha256(&[tbs])).map_err(|_| Reason::Malformed)
    }

    /// The private key as DER PKCS#8 (RFC 5958 version 1).
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        rsa_pkcs8(&self.0)
    }

    /// Parses DER PKCS#8.
    ///
    /// # Errors
    /// `Malformed` for anything but a consistent RSA key of 2048 bits and two primes.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        Ok(DecryptionKey(Arc::new(parse_rsa_private(der)?)))
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").finish_non_exhaustive()
    }
}

/// What stands for the label before a PKCS#1 v1.5 plaintext.
fn label_prefix(label: &[u8]) -> Vec<u8> {
    if label.is_empty() { Vec::new() } else { sha256(&[label]).to_vec() }
}

pub(super) fn generate_rsa(rng: &mut dyn CryptoRng) -> RsaPrivateKey {
    RsaPrivateKey::new(rng, BITS).expect("2048 bits are permitted and the generator cannot fail")
}

/// A SubjectPublicKeyInfo's RSA key; `Malformed` unless of 2048 bits.
pub(super) fn parse_rsa_public(info: SubjectPublicKeyInfoRef<'_>) -> Result<RsaPublicKey> {
    let key = RsaPublicKey::try_from(info).map_err(|_| Reason::Malformed)?;
    if key.n().bits() as usize == BITS { Ok(key) } else { Err(Reason::Malformed) }
}

pub(super) fn parse_rsa_private(der: &[u8]) -> Result<RsaPrivateKey> {
    let key = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| Reason::Malformed)?;
    // PKCS#8 as written here has room for two primes only.
    let fits = key.n().bits() as usize == BITS && key.primes().len() == 2;
    if fits { Ok(key) } else { Err(Reason::Malformed) }
}

pub(super) fn rsa_spki(key: &RsaPublicKey) -> Vec<u8> {
    key.to_public_key_der().expect("a parsed key encodes").into_vec()
}

pub(super) fn rsa_pkcs8(key: &RsaPrivateKey) -> Zeroizing<Vec<u8>> {
    key.to_pkcs8_der().expect("a parsed key of two primes encodes").to_bytes()
}
