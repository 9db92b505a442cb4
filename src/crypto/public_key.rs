//! Encryption to the holder of an RSA key, with an envelope for texts that
//! RSA cannot hold. Must not know certificates or who holds the key.

use std::fmt;
use std::sync::Arc;

use crypto_bigint::modular::BoxedMontyForm;
use crypto_bigint::{BoxedUint, Gcd, Resize};
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
/// What padding takes of a ciphertext's length: 2·32 + 2 (RFC 8017 §7.1.1) and 11 (§7.2.1).
const OAEP_OVERHEAD: usize = 66;
const PKCS1V15_OVERHEAD: usize = 11;
/// Bytes of the key that an envelope carries.
const ENVELOPE_KEY: usize = 32;
const ENVELOPE: Symmetric = Symmetric::Aes256Gcm;

/// An RSA private key that decrypts; parsed once, cheap to clone.
#[derive(Clone)]
pub struct DecryptionKey(Arc<RsaPrivateKey>);

impl PublicKeyEncryption {
    /// A new RSA key with exponent 65537 (FIPS 186-5 appendix A.1); of 2048 bits about 56 ms.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> DecryptionKey {
        DecryptionKey(Arc::new(generate_rsa_of(self.bits(), rng)))
    }

    /// The key of a device whose generator, when it was switched on, was in the state `boot`, which
    /// others may have been in, too, and by then in that of `rng` (Heninger et al., Mining your Ps
    /// and Qs, USENIX Security 2012): of rsa-2048-oaep-shared-prime one prime comes of each.
    pub fn generate_after(self, boot: &mut dyn CryptoRng, rng: &mut dyn CryptoRng) -> DecryptionKey {
        if self != PublicKeyEncryption::Rsa2048OaepSharedPrime {
            return self.generate(rng);
        }
        let shared = generate_rsa_of(BITS, boot).primes()[0].clone().get();
        loop {
            // Refused only if the product is a bit short, or both are the same.
            let own = generate_rsa_of(BITS, rng).primes()[0].clone().get();
            if let Some(key) = DecryptionKey::of_primes(shared.clone(), own) {
                return key;
            }
        }
    }

    fn is_oaep(self) -> bool {
        matches!(self, PublicKeyEncryption::Rsa2048Oaep | PublicKeyEncryption::Rsa2048OaepSharedPrime)
    }

    fn bits(self) -> usize {
        match self {
            PublicKeyEncryption::Rsa2048Oaep
            | PublicKeyEncryption::Rsa2048OaepSharedPrime
            | PublicKeyEncryption::Rsa2048Pkcs1v15 => BITS,
            PublicKeyEncryption::Rsa1024Pkcs1v15 | PublicKeyEncryption::Rsa1024Pkcs1v15Telling => 1024,
        }
    }

    /// Bytes of a direct ciphertext: 256 or 128.
    pub fn modulus_len(self) -> usize {
        self.bits() / 8
    }

    /// Bytes of a public key as a DER SubjectPublicKeyInfo: 294 or 162.
    pub fn spki_len(self) -> usize {
        if self.bits() == BITS { RSA_2048_SPKI_LEN } else { 162 }
    }

    /// Encrypts `plaintext` to `public`, a DER SubjectPublicKeyInfo.
    ///
    /// Direct, 256 bytes with a key of 2048 bits: the RSA ciphertext, for texts of up to 190
    /// bytes (OAEP) or 245 (PKCS#1 v1.5; 213 with a label). Longer texts go as an
    /// envelope: RSA of a fresh 32-byte key (256) ‖ the text sealed under it by
    /// [`Symmetric::Aes256Gcm`] with `label` as associated data (28 + text).
    /// The length tells which.
    ///
    /// `label` is the label L of OAEP. PKCS#1 v1.5 has none: there a label that
    /// is not empty goes as its SHA-256 before the plaintext.
    ///
    /// # Errors
    /// `Malformed` if `public` is no RSA key of the suite's size.
    pub fn encrypt(
        self,
        public: &[u8],
        label: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>> {
        let public = parse_rsa_of(self.bits(), public.try_into().map_err(|_| Reason::Malformed)?)?;
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
    /// success there says nothing. rsa-1024-pkcs1v15-telling answers `BadPadding` there
    /// unless the text begins with 00 02, and `DecryptFailed` if no 00 follows
    /// (Bleichenbacher, CRYPTO 1998).
    pub fn decrypt(self, key: &DecryptionKey, label: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (rsa, envelope) = sealed.split_at_checked(self.modulus_len()).ok_or(Reason::DecryptFailed)?;
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
            self.modulus_len()
        } else {
            self.modulus_len() + ENVELOPE.sealed_len(plaintext_len)
        }
    }

    fn is_direct(self, label_len: usize, plaintext_len: usize) -> bool {
        let overhead = match self {
            _ if self.is_oaep() => OAEP_OVERHEAD,
            _ if label_len == 0 => PKCS1V15_OVERHEAD,
            _ => PKCS1V15_OVERHEAD + 32,
        };
        plaintext_len + overhead <= self.modulus_len()
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
            PublicKeyEncryption::Rsa2048Oaep | PublicKeyEncryption::Rsa2048OaepSharedPrime => {
                public.encrypt(rng, Oaep::<Sha256>::new_with_label(label), text)
            }
            PublicKeyEncryption::Rsa2048Pkcs1v15
            | PublicKeyEncryption::Rsa1024Pkcs1v15
            | PublicKeyEncryption::Rsa1024Pkcs1v15Telling => {
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
            PublicKeyEncryption::Rsa2048Oaep | PublicKeyEncryption::Rsa2048OaepSharedPrime => {
                key.0.decrypt(Oaep::<Sha256>::new_with_label(label), sealed)
            }
            PublicKeyEncryption::Rsa2048Pkcs1v15 | PublicKeyEncryption::Rsa1024Pkcs1v15 => {
                key.0.decrypt(Pkcs1v15Encrypt, sealed)
            }
            PublicKeyEncryption::Rsa1024Pkcs1v15Telling => return tells(&key.0, label, sealed),
        }
        .map(Zeroizing::new)
        .map_err(|_| Reason::DecryptFailed)?;
        if self.is_oaep() || label.is_empty() {
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
    /// The key of two primes with exponent 65537, the greater first; none unless it has 2048 bits.
    fn of_primes(one: BoxedUint, other: BoxedUint) -> Option<DecryptionKey> {
        let (p, q) = if one > other { (one, other) } else { (other, one) };
        let key = RsaPrivateKey::from_p_q(p, q, BoxedUint::from(65_537_u64)).ok()?;
        (key.n().bits() as usize == BITS).then(|| DecryptionKey(Arc::new(key)))
    }

    /// The private key of the first of two public ones, DER SubjectPublicKeyInfos, if their moduli
    /// have a prime in common.
    pub fn of_common_factor(suite: PublicKeyEncryption, own: &[u8], other: &[u8]) -> Option<DecryptionKey> {
        let parse = |spki: &[u8]| parse_rsa_of(suite.bits(), spki.try_into().ok()?).ok();
        let (first, second) = (parse(own)?, parse(other)?);
        let (n, m) = (first.n().as_ref(), second.n().as_ref());
        let common = n.gcd(m);
        if common == BoxedUint::one_with_precision(common.bits_precision()) || common == *n {
            return None;
        }
        let rest = n.wrapping_div(&common.to_nz().into_option()?);
        // A prime is half as long as a modulus.
        let half = |number: BoxedUint| number.try_resize(suite.bits() as u32 / 2);
        // What does not come out is none.
        DecryptionKey::of_primes(half(common)?, half(rest)?).filter(|key| key.public() == own)
    }

    /// The public key as a DER SubjectPublicKeyInfo.
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
    /// `Malformed` for anything but a consistent RSA key of 2048 or 1024 bits and two primes.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        Ok(DecryptionKey(Arc::new(parse_rsa_private_of(&[BITS, 1024], der)?)))
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

/// PKCS#1 v1.5 by a holder who looks at the padding first, and says what he thinks of it.
fn tells(key: &RsaPrivateKey, label: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let number =
        BoxedUint::from_be_slice(sealed, key.n().bits_precision()).map_err(|_| Reason::DecryptFailed)?;
    if number >= *key.n().as_ref() {
        return Err(Reason::DecryptFailed);
    }
    let text = Zeroizing::new(raw_decrypt(key, &number));
    let [0, 2, padded @ ..] = text.as_slice() else { return Err(Reason::BadPadding) };
    let end = padded.iter().position(|byte| *byte == 0).ok_or(Reason::DecryptFailed)?;
    let prefix = label_prefix(label);
    match padded[end + 1..].strip_prefix(prefix.as_slice()) {
        Some(text) => Ok(Zeroizing::new(text.to_vec())),
        None => Err(Reason::DecryptFailed),
    }
}

/// c^d mod n, as long as n.
fn raw_decrypt(key: &RsaPrivateKey, number: &BoxedUint) -> Vec<u8> {
    let params = key.n_params();
    let power = BoxedMontyForm::new(number.clone(), params).pow(key.d());
    let bytes = power.retrieve().to_be_bytes();
    bytes[bytes.len() - key.size()..].to_vec()
}

/// Modulus and exponent of an RSA key that encrypts, big endian.
///
/// # Errors
/// `Malformed` unless it is a DER SubjectPublicKeyInfo of the suite's size.
pub fn rsa_numbers(suite: PublicKeyEncryption, spki: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let key = parse_rsa_of(suite.bits(), spki.try_into().map_err(|_| Reason::Malformed)?)?;
    Ok((key.n_bytes().to_vec(), key.e_bytes().to_vec()))
}

pub(super) fn generate_rsa(rng: &mut dyn CryptoRng) -> RsaPrivateKey {
    generate_rsa_of(BITS, rng)
}

fn generate_rsa_of(bits: usize, rng: &mut dyn CryptoRng) -> RsaPrivateKey {
    RsaPrivateKey::new(rng, bits).expect("the size is permitted and the generator cannot fail")
}

/// A SubjectPublicKeyInfo's RSA key; `Malformed` unless of 2048 bits.
pub(super) fn parse_rsa_public(info: SubjectPublicKeyInfoRef<'_>) -> Result<RsaPublicKey> {
    parse_rsa_of(BITS, info)
}

fn parse_rsa_of(bits: usize, info: SubjectPublicKeyInfoRef<'_>) -> Result<RsaPublicKey> {
    let key = RsaPublicKey::try_from(info).map_err(|_| Reason::Malformed)?;
    if key.n().bits() as usize == bits { Ok(key) } else { Err(Reason::Malformed) }
}

pub(super) fn parse_rsa_private(der: &[u8]) -> Result<RsaPrivateKey> {
    parse_rsa_private_of(&[BITS], der)
}

fn parse_rsa_private_of(sizes: &[usize], der: &[u8]) -> Result<RsaPrivateKey> {
    let key = RsaPrivateKey::from_pkcs8_der(der).map_err(|_| Reason::Malformed)?;
    // PKCS#8 as written here has room for two primes only.
    let fits = sizes.contains(&(key.n().bits() as usize)) && key.primes().len() == 2;
    if fits { Ok(key) } else { Err(Reason::Malformed) }
}

pub(super) fn rsa_spki(key: &RsaPublicKey) -> Vec<u8> {
    key.to_public_key_der().expect("a parsed key encodes").into_vec()
}

pub(super) fn rsa_pkcs8(key: &RsaPrivateKey) -> Zeroizing<Vec<u8>> {
    key.to_pkcs8_der().expect("a parsed key of two primes encodes").to_bytes()
}
