//! Signatures, in the fixed encodings that messages carry and in those of
//! X.509. Must not know certificates, nor what was signed.

use std::fmt;
use std::sync::Arc;

use const_oid::ObjectIdentifier;
use ml_dsa::MlDsa65;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rand::CryptoRng;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use signature::{Signer, Verifier};
use spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::hash::sha256;
use super::public_key::{
    RSA_2048_LEN, RSA_2048_SPKI_LEN, generate_rsa, parse_rsa_private, parse_rsa_public, rsa_pkcs8, rsa_spki,
};
use super::{Result, Signature};
use crate::reason::Reason;

const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");

/// Bytes of an ML-DSA-65 signature (FIPS 204 §4, table 2).
const ML_DSA_65_LEN: usize = 3309;

/// A private key that signs; parsed once, cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<Private>);

enum Private {
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(RsaPrivateKey),
    P256(p256::ecdsa::SigningKey),
    P256RepeatedNonce(p256::ecdsa::SigningKey),
    MlDsa65(ml_dsa::SigningKey<MlDsa65>),
}

/// A public key that verifies; parsed once, cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Public>);

enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    MlDsa65(ml_dsa::VerifyingKey<MlDsa65>),
}

impl Signature {
    /// A new key. RSA takes about 56 ms, the others some microseconds.
    pub fn generate(self, rng: &mut dyn CryptoRng) -> SigningKey {
        SigningKey(Arc::new(match self {
            Signature::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill_bytes(seed.as_mut_slice());
                Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
            Signature::Rsa2048Pss => Private::Rsa(generate_rsa(rng)),
            Signature::EcdsaP256 => Private::P256(p256_secret(rng).into()),
            Signature::EcdsaP256RepeatedNonce => Private::P256RepeatedNonce(p256_secret(rng).into()),
            Signature::MlDsa65 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill_bytes(seed.as_mut_slice());
                Private::MlDsa65(ml_dsa::SigningKey::from_seed(&(*seed).into()))
            }
        }))
    }

    /// Verifies under `public`, a DER SubjectPublicKeyInfo of this algorithm.
    ///
    /// # Errors
    /// `Malformed` for a key of another kind or none; `BadSignature` for a
    /// signature that does not verify, whatever its length.
    pub fn verify(self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
        let key = VerifyingKey::from_spki(public)?;
        if key.suite() != self.verifies_as() {
            return Err(Reason::Malformed);
        }
        key.verify(message, signature)
    }

    /// Bytes of a signature: 64, 256, 64 (ECDSA as r ‖ s, each 32 bytes), 3309.
    pub fn signature_len(self) -> usize {
        match self {
            Signature::Ed25519 | Signature::EcdsaP256 | Signature::EcdsaP256RepeatedNonce => 64,
            Signature::Rsa2048Pss => RSA_2048_LEN,
            Signature::MlDsa65 => ML_DSA_65_LEN,
        }
    }

    /// Bytes of a public key as a DER SubjectPublicKeyInfo: 44, 294, 91, 1974.
    pub fn spki_len(self) -> usize {
        match self {
            Signature::Ed25519 => 44,
            Signature::Rsa2048Pss => RSA_2048_SPKI_LEN,
            Signature::EcdsaP256 | Signature::EcdsaP256RepeatedNonce => 91,
            Signature::MlDsa65 => 1974,
        }
    }
}

impl VerifyingKey {
    /// Parses a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), telling the
    /// algorithm by its OID: id-Ed25519 (RFC 8410), rsaEncryption (RFC 3279),
    /// id-ecPublicKey on P-256 (RFC 5480) or id-ml-dsa-65 (RFC 9881).
    ///
    /// # Errors
    /// `Malformed` for anything else, an RSA key of other than 2048 bits included.
    pub fn from_spki(spki: &[u8]) -> Result<Self> {
        VerifyingKey::from_info(SubjectPublicKeyInfoRef::try_from(spki).map_err(|_| Reason::Malformed)?)
    }

    /// As `from_spki`, of one that is parsed already.
    ///
    /// # Errors
    /// As `from_spki`.
    pub fn from_info(info: SubjectPublicKeyInfoRef<'_>) -> Result<Self> {
        let malformed = |_| Reason::Malformed;
        let key = match known(info.algorithm.oid)? {
            Signature::Ed25519 => Public::Ed25519(info.try_into().map_err(malformed)?),
            Signature::Rsa2048Pss => Public::Rsa(parse_rsa_public(info)?),
            Signature::EcdsaP256 | Signature::EcdsaP256RepeatedNonce => {
                Public::P256(info.try_into().map_err(malformed)?)
            }
            Signature::MlDsa65 => Public::MlDsa65(info.try_into().map_err(malformed)?),
        };
        Ok(VerifyingKey(Arc::new(key)))
    }

    /// The algorithm that the key is for.
    pub fn suite(&self) -> Signature {
        match *self.0 {
            Public::Ed25519(_) => Signature::Ed25519,
            Public::Rsa(_) => Signature::Rsa2048Pss,
            Public::P256(_) => Signature::EcdsaP256,
            Public::MlDsa65(_) => Signature::MlDsa65,
        }
    }

    /// Verifies what [`SigningKey::sign`] made.
    ///
    /// Ed25519 is verified strictly: canonical encodings, no key of small order
    /// (Chalkias et al., SSR 2020), so that one signature is of one message.
    ///
    /// # Errors
    /// `BadSignature`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let valid = match &*self.0 {
            Public::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::Rsa(key) => key.verify(Pss::<Sha256>::new(), &sha256(&[message]), signature).is_ok(),
            Public::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::MlDsa65(key) => ml_dsa::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        };
        if valid { Ok(()) } else { Err(Reason::BadSignature) }
    }

    /// Verifies what [`SigningKey::sign_x509`] made.
    ///
    /// # Errors
    /// `BadSignature`.
    pub fn verify_x509(&self, tbs: &[u8], signature: &[u8]) -> Result<()> {
        let valid = match &*self.0 {
            Public::Ed25519(_) | Public::MlDsa65(_) => return self.verify(tbs, signature),
            Public::Rsa(key) => {
                let scheme = Pkcs1v15Sign::new::<Sha256>();
                key.verify(scheme, &sha256(&[tbs]), signature).is_ok()
            }
            Public::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(tbs, &signature).is_ok()),
        };
        if valid { Ok(()) } else { Err(Reason::BadSignature) }
    }
}

impl SigningKey {
    /// Signs `message`; [`Signature::signature_len`] bytes.
    ///
    /// Only RSA-PSS draws from `rng`, for its salt and blinding. Ed25519 and ML-DSA
    /// need no randomness and ECDSA takes its nonce from RFC 6979, so for them one
    /// message has one signature.
    pub fn sign(&self, message: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        self.only(message).unwrap_or_else(|key| {
            key.sign_with_rng(rng, Pss::<Sha256>::new(), &sha256(&[message]))
                .expect("a checked 2048-bit key signs a SHA-256 digest")
        })
    }

    /// The signature of `message` if it has only one, as [`sign`](Self::sign) says.
    pub fn sign_again(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.only(message).ok()
    }

    /// The only signature of `message`, or the key that makes another each time.
    fn only(&self, message: &[u8]) -> std::result::Result<Vec<u8>, &RsaPrivateKey> {
        match &*self.0 {
            Private::Ed25519(key) => Ok(key.sign(message).to_vec()),
            Private::Rsa(key) => Err(key),
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                Ok(signature.to_bytes().to_vec())
            }
            Private::P256RepeatedNonce(key) => Ok(sign_with_one_nonce(key, message).to_bytes().to_vec()),
            Private::MlDsa65(key) => Ok(key.sign(message).encode().to_vec()),
        }
    }

    /// Signs `tbs` as X.509 encodes it: Ed25519 raw (RFC 8410 §6), ML-DSA raw with an empty
    /// context (RFC 9881 §3), RSA as
    /// sha256WithRSAEncryption, which is PKCS#1 v1.5 (RFC 4055 §5), ECDSA as a
    /// DER Ecdsa-Sig-Value (RFC 5758 §3.2). Draws nothing.
    pub fn sign_x509(&self, tbs: &[u8]) -> Vec<u8> {
        match &*self.0 {
            Private::Ed25519(key) => key.sign(tbs).to_vec(),
            Private::Rsa(key) => key
                .sign(Pkcs1v15Sign::new::<Sha256>(), &sha256(&[tbs]))
                .expect("a checked 2048-bit key signs a SHA-256 digest"),
            Private::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(tbs);
                signature.as_bytes().to_vec()
            }
            Private::P256RepeatedNonce(key) => sign_with_one_nonce(key, tbs).to_der().as_bytes().to_vec(),
            Private::MlDsa65(key) => key.sign(tbs).encode().to_vec(),
        }
    }

    /// The public key as a DER SubjectPublicKeyInfo, [`Signature::spki_len`] bytes.
    pub fn public(&self) -> Vec<u8> {
        match &*self.0 {
            Private::Ed25519(key) => key.verifying_key().to_public_key_der(),
            Private::Rsa(key) => return rsa_spki(key.as_public_key()),
            Private::P256(key) | Private::P256RepeatedNonce(key) => key.verifying_key().to_public_key_der(),
            Private::MlDsa65(key) => key.expanded_key().verifying_key().to_public_key_der(),
        }
        .expect("a parsed key encodes")
        .into_vec()
    }

    /// The algorithm that the key is for.
    pub fn suite(&self) -> Signature {
        match *self.0 {
            Private::Ed25519(_) => Signature::Ed25519,
            Private::Rsa(_) => Signature::Rsa2048Pss,
            Private::P256(_) => Signature::EcdsaP256,
            Private::P256RepeatedNonce(_) => Signature::EcdsaP256RepeatedNonce,
            Private::MlDsa65(_) => Signature::MlDsa65,
        }
    }

    /// The private key as DER PKCS#8 (RFC 5958), version 1.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        match &*self.0 {
            // Without the public key, as RFC 8410 §10.3 shows first: OpenSSL
            // does not read the other form.
            Private::Ed25519(key) => {
                ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None }
                    .to_pkcs8_der()
            }
            Private::Rsa(key) => return rsa_pkcs8(key),
            Private::P256(key) | Private::P256RepeatedNonce(key) => key.to_pkcs8_der(),
            // As a seed (RFC 9881 §6).
            Private::MlDsa65(key) => key.to_pkcs8_der(),
        }
        .expect("a parsed key encodes")
        .to_bytes()
    }

    /// Parses DER PKCS#8, telling the algorithm by its OID.
    ///
    /// # Errors
    /// `Malformed` for anything but a consistent key of one of the four.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let malformed = |_| Reason::Malformed;
        let info = pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| Reason::Malformed)?;
        let key = match known(info.algorithm.oid)? {
            Signature::Ed25519 => {
                Private::Ed25519(ed25519_dalek::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
            Signature::Rsa2048Pss => Private::Rsa(checked_rsa(parse_rsa_private(der)?)?),
            Signature::EcdsaP256 | Signature::EcdsaP256RepeatedNonce => {
                Private::P256(p256::ecdsa::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
            Signature::MlDsa65 => {
                Private::MlDsa65(ml_dsa::SigningKey::from_pkcs8_der(der).map_err(malformed)?)
            }
        };
        Ok(SigningKey(Arc::new(key)))
    }

    /// The same key of a signer with one nonce, if it is for ECDSA: PKCS#8 has no place for how
    /// somebody draws.
    pub fn with_repeated_nonce(&self) -> SigningKey {
        match &*self.0 {
            Private::P256(key) => SigningKey(Arc::new(Private::P256RepeatedNonce(key.clone()))),
            Private::Ed25519(_) | Private::Rsa(_) | Private::P256RepeatedNonce(_) | Private::MlDsa65(_) => {
                self.clone()
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.suite()).finish()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.suite()).finish()
    }
}

/// The algorithm that a key's OID names.
fn known(oid: ObjectIdentifier) -> Result<Signature> {
    match oid {
        ID_ED25519 => Ok(Signature::Ed25519),
        RSA_ENCRYPTION => Ok(Signature::Rsa2048Pss),
        ID_EC_PUBLIC_KEY => Ok(Signature::EcdsaP256),
        ID_ML_DSA_65 => Ok(Signature::MlDsa65),
        _ => Err(Reason::Malformed),
    }
}

/// Refuses an imported key that cannot sign (pairwise consistency, FIPS 140-3 IG
/// 10.3.A): composite "primes" would else surface at the first signature.
fn checked_rsa(key: RsaPrivateKey) -> Result<RsaPrivateKey> {
    let digest = sha256(&[b"mallory pairwise consistency"]);
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).map_err(|_| Reason::Malformed)?;
    Ok(key)
}

/// ECDSA with a nonce that follows from the key alone, where FIPS 186-5 §6.3 wants another each
/// time.
fn sign_with_one_nonce(key: &p256::ecdsa::SigningKey, message: &[u8]) -> p256::ecdsa::Signature {
    let mut nonce = Zeroizing::new(sha256(&[b"mallory repeated nonce", &key.to_bytes()]));
    loop {
        // Refused with a chance of 2^-32: zero, or not below the order.
        let secret = p256::SecretKey::from_slice(nonce.as_slice()).ok();
        if let Some(signature) = secret.and_then(|nonce| sign_with_nonce(key, &nonce, message)) {
            return signature;
        }
        *nonce = sha256(&[nonce.as_slice()]);
    }
}

/// r is the x-coordinate of kG, and s = (z + r d) / k (FIPS 186-5 §6.4.1); none if one is zero.
fn sign_with_nonce(
    key: &p256::ecdsa::SigningKey,
    nonce: &p256::SecretKey,
    message: &[u8],
) -> Option<p256::ecdsa::Signature> {
    let point = nonce.public_key().to_sec1_point(false);
    let scalar = |bytes: &p256::FieldBytes| <p256::Scalar as Reduce<p256::FieldBytes>>::reduce(bytes);
    let (r, z) = (scalar(point.x()?), scalar(&sha256(&[message]).into()));
    let (k, d): (p256::Scalar, p256::Scalar) = (*nonce.to_nonzero_scalar(), **key.as_nonzero_scalar());
    let s = (z + r * d) * Option::<p256::Scalar>::from(k.invert())?;
    p256::ecdsa::Signature::from_scalars(r.to_bytes(), s.to_bytes()).ok()
}

/// A P-256 private key, by rejection sampling (FIPS 186-5 appendix A.2.2).
pub(super) fn p256_secret(rng: &mut dyn CryptoRng) -> p256::SecretKey {
    let mut bytes = Zeroizing::new([0; 32]);
    loop {
        rng.fill_bytes(bytes.as_mut_slice());
        // Refused with a chance of 2^-32: zero, or not below the order.
        if let Ok(secret) = p256::SecretKey::from_slice(bytes.as_slice()) {
            return secret;
        }
    }
}
