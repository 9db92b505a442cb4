//! A key's secret and what it computes. Must not know states, versions or names.

use std::sync::Arc;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::kind::{KeyKind, Usage};
use crate::crypto::{
    Agreement, DecryptionKey, PublicKeyEncryption, Result, Signature, SigningKey, Symmetric,
    constant_time_eq, hmac_sha256,
};
use crate::reason::Reason;

const SYMMETRIC: Symmetric = Symmetric::Aes256Gcm;
const PUBLIC_KEY: PublicKeyEncryption = PublicKeyEncryption::Rsa2048Oaep;

/// A secret: 32 bytes (AES-256, HMAC; the scalar of X25519 or of P-256 that agrees) or PKCS#8.
#[derive(Clone)]
pub(super) struct Material {
    kind: KeyKind,
    usage: Usage,
    secret: Arc<Zeroizing<Vec<u8>>>,
}

impl Material {
    pub fn generate(kind: KeyKind, usage: Usage, rng: &mut dyn CryptoRng) -> Material {
        let secret = match (kind, usage) {
            (KeyKind::Aes256 | KeyKind::Hmac256, _) => {
                let mut key = Zeroizing::new(vec![0; 32]);
                rng.fill_bytes(&mut key);
                key
            }
            (KeyKind::Rsa2048, Usage::Sign) => Signature::Rsa2048Pss.generate(rng).to_pkcs8(),
            (KeyKind::Rsa2048, _) => PUBLIC_KEY.generate(rng).to_pkcs8(),
            (KeyKind::Ed25519, _) => Signature::Ed25519.generate(rng).to_pkcs8(),
            (KeyKind::P256, Usage::Agree) => Agreement::P256.generate(rng),
            (KeyKind::P256, _) => Signature::EcdsaP256.generate(rng).to_pkcs8(),
            (KeyKind::X25519, _) => Agreement::X25519.generate(rng),
        };
        Material::new(kind, usage, secret)
    }

    pub fn new(kind: KeyKind, usage: Usage, secret: Zeroizing<Vec<u8>>) -> Material {
        Material { kind, usage, secret: Arc::new(secret) }
    }

    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The public half: SubjectPublicKeyInfo, or a share to agree with.
    pub fn public(&self) -> Result<Vec<u8>> {
        match (self.kind, self.usage) {
            (KeyKind::Aes256 | KeyKind::Hmac256, _) => Err(Reason::WrongKeyUsage),
            (KeyKind::Rsa2048, Usage::Encrypt | Usage::Wrap) => Ok(self.decryption_key()?.public()),
            (_, Usage::Agree) => self.agreement()?.share(&self.secret),
            _ => Ok(self.signing_key()?.public()),
        }
    }

    pub fn encrypt(&self, aad: &[u8], text: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>> {
        match self.kind {
            KeyKind::Aes256 => Ok(SYMMETRIC.seal(&self.secret, aad, text, rng)),
            KeyKind::Rsa2048 => PUBLIC_KEY.encrypt(&self.decryption_key()?.public(), aad, text, rng),
            _ => Err(Reason::WrongKeyUsage),
        }
    }

    pub fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match self.kind {
            KeyKind::Aes256 => SYMMETRIC.open(&self.secret, aad, sealed),
            KeyKind::Rsa2048 => PUBLIC_KEY.decrypt(&self.decryption_key()?, aad, sealed),
            _ => Err(Reason::WrongKeyUsage),
        }
    }

    pub fn sign(&self, message: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>> {
        if self.kind == KeyKind::Hmac256 {
            return Ok(hmac_sha256(&self.secret, &[message]).to_vec());
        }
        Ok(self.signing_key()?.sign(message, rng))
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        if self.kind == KeyKind::Hmac256 {
            let own = hmac_sha256(&self.secret, &[message]);
            return if constant_time_eq(&own, signature) { Ok(()) } else { Err(Reason::BadSignature) };
        }
        let key = self.signing_key()?;
        key.suite().verify(&key.public(), message, signature)
    }

    pub fn agree(&self, share: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.agreement()?.agree(&self.secret, share)
    }

    fn agreement(&self) -> Result<Agreement> {
        match self.kind {
            KeyKind::X25519 => Ok(Agreement::X25519),
            KeyKind::P256 => Ok(Agreement::P256),
            _ => Err(Reason::WrongKeyUsage),
        }
    }

    fn signing_key(&self) -> Result<SigningKey> {
        SigningKey::from_pkcs8(&self.secret)
    }

    fn decryption_key(&self) -> Result<DecryptionKey> {
        DecryptionKey::from_pkcs8(&self.secret)
    }
}

/// Wraps a secret for the holder of an RSA-2048 key that is not in the vault.
pub(super) fn wrap_to(spki: &[u8], aad: &[u8], secret: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>> {
    PUBLIC_KEY.encrypt(spki, aad, secret, rng)
}
