//! Sealing under a shared key: encrypt-then-MAC, GCM, and CBC alone as the
//! lesson. Must not know what the text or the associated data mean.

use aes::Aes256;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::hash::{constant_time_eq, hkdf_sha256, hmac_sha256};
use super::{Result, Symmetric};
use crate::reason::Reason;

/// Bytes of an AES block and of a CBC initialisation vector.
const BLOCK: usize = 16;
/// Bytes of an HMAC-SHA-256 tag, untruncated.
const HMAC_TAG: usize = 32;
/// Bytes of a GCM nonce (SP 800-38D §8.2.1) and of its tag.
const GCM_NONCE: usize = 12;
const GCM_TAG: usize = 16;

type Key = Zeroizing<[u8; 32]>;

impl Symmetric {
    /// Seals `plaintext` under `key`, drawing the IV or nonce from `rng`.
    ///
    /// | suite | output | `aad` |
    /// |---|---|---|
    /// | aes-256-cbc-hmac-sha256 | IV (16) ‖ ciphertext ‖ tag (32) | authenticated |
    /// | aes-256-cbc-hmac-sha256-without-iv | the same | authenticated, the IV is **not** |
    /// | aes-256-cbc | IV (16) ‖ ciphertext | **ignored**: CBC has no place for it |
    /// | aes-256-gcm | nonce (12) ‖ ciphertext ‖ tag (16) | authenticated |
    /// | aes-256-gcm-repeated-nonce | the same, the nonce is always 1 | authenticated, until two are seen |
    ///
    /// CBC pads as PKCS#7 (RFC 5652 §6.3). The tag of the first is
    /// HMAC-SHA-256 over u64-BE(length of `aad`) ‖ `aad` ‖ IV ‖ ciphertext; of the second it
    /// is the same without the IV.
    ///
    /// A key of 32 bytes is used as it is by aes-256-cbc and both of GCM; one
    /// of another length is brought there by HKDF-SHA-256. The first two suites
    /// always derive two keys by HKDF-SHA-256, since one key must not serve
    /// two purposes (SP 800-57 part 1 §5.2).
    pub fn seal(self, key: &[u8], aad: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        let mut sealed = Vec::new();
        self.seal_to(&mut sealed, key, aad, plaintext, rng);
        sealed
    }

    /// Appends to `out` what [`seal`](Self::seal) makes.
    pub fn seal_to(
        self,
        out: &mut Vec<u8>,
        key: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) {
        out.reserve_exact(self.sealed_len(plaintext.len()));
        let start = out.len();
        match self {
            Symmetric::Aes256CbcHmacSha256 | Symmetric::Aes256CbcHmacSha256WithoutIv => {
                let keys = EtmKeys::derive(key);
                seal_cbc(&keys.encryption, plaintext, rng, out);
                let tag = keys.tag(aad, self.covered(&out[start..]));
                out.extend_from_slice(&tag);
            }
            Symmetric::Aes256Cbc => seal_cbc(&self.aes_key(key), plaintext, rng, out),
            Symmetric::Aes256Gcm | Symmetric::Aes256GcmRepeatedNonce => {
                let mut nonce = [0; GCM_NONCE];
                match self {
                    Symmetric::Aes256GcmRepeatedNonce => nonce[GCM_NONCE - 1] = 1,
                    _ => rng.fill_bytes(&mut nonce),
                }
                out.extend_from_slice(&nonce);
                out.extend_from_slice(plaintext);
                let text = &mut out[start + GCM_NONCE..];
                let tag = gcm(&self.aes_key(key))
                    .encrypt_inout_detached(&Nonce::from(nonce), aad, text.into())
                    .expect("a text in memory is shorter than 2^36 - 32 bytes (SP 800-38D §5.2.1)");
                out.extend_from_slice(&tag);
            }
        }
    }

    /// Opens what [`seal`](Self::seal) made with the same `key` and `aad`.
    ///
    /// # Errors
    /// `DecryptFailed` for all suites with a tag, whatever was wrong:
    /// they check the tag first and decrypt nothing that they do not
    /// trust. `BadPadding` for aes-256-cbc if the length is no whole number of
    /// blocks or the padding is wrong; most changes pass unnoticed there, and
    /// the answer is a padding oracle (Vaudenay, EUROCRYPT 2002).
    pub fn open(self, key: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Symmetric::Aes256CbcHmacSha256 | Symmetric::Aes256CbcHmacSha256WithoutIv => {
                let (body, tag) = split_tail(sealed, HMAC_TAG).ok_or(Reason::DecryptFailed)?;
                let keys = EtmKeys::derive(key);
                if !constant_time_eq(&keys.tag(aad, self.covered(body)), tag) {
                    return Err(Reason::DecryptFailed);
                }
                open_cbc(&keys.encryption, body).ok_or(Reason::DecryptFailed)
            }
            Symmetric::Aes256Cbc => open_cbc(&self.aes_key(key), sealed).ok_or(Reason::BadPadding),
            Symmetric::Aes256Gcm | Symmetric::Aes256GcmRepeatedNonce => {
                let (nonce, sealed) = sealed.split_first_chunk::<GCM_NONCE>().ok_or(Reason::DecryptFailed)?;
                let (ciphertext, tag) = sealed.split_last_chunk::<GCM_TAG>().ok_or(Reason::DecryptFailed)?;
                let mut text = Zeroizing::new(ciphertext.to_vec());
                gcm(&self.aes_key(key))
                    .decrypt_inout_detached(
                        &Nonce::from(*nonce),
                        aad,
                        text.as_mut_slice().into(),
                        &Tag::from(*tag),
                    )
                    .map_err(|_| Reason::DecryptFailed)?;
                Ok(text)
            }
        }
    }

    /// Bytes that [`seal`](Self::seal) makes of `plaintext_len` bytes.
    pub fn sealed_len(self, plaintext_len: usize) -> usize {
        // PKCS#7 always adds between 1 and 16 bytes.
        let cbc = BLOCK + (plaintext_len / BLOCK + 1) * BLOCK;
        match self {
            Symmetric::Aes256CbcHmacSha256 | Symmetric::Aes256CbcHmacSha256WithoutIv => cbc + HMAC_TAG,
            Symmetric::Aes256Cbc => cbc,
            Symmetric::Aes256Gcm | Symmetric::Aes256GcmRepeatedNonce => GCM_NONCE + plaintext_len + GCM_TAG,
        }
    }

    /// The part of IV ‖ ciphertext that a tag is over.
    fn covered(self, body: &[u8]) -> &[u8] {
        match self {
            Symmetric::Aes256CbcHmacSha256WithoutIv => body.get(BLOCK..).unwrap_or_default(),
            Symmetric::Aes256CbcHmacSha256
            | Symmetric::Aes256Cbc
            | Symmetric::Aes256Gcm
            | Symmetric::Aes256GcmRepeatedNonce => body,
        }
    }

    /// `key` itself if it has 32 bytes, else 32 bytes that HKDF makes of it.
    fn aes_key(self, key: &[u8]) -> Key {
        let mut aes = Zeroizing::new([0; 32]);
        if key.len() == aes.len() {
            aes.copy_from_slice(key);
        } else {
            let info = format!("mallory {} key", self.name());
            hkdf_sha256(key, b"", info.as_bytes(), aes.as_mut_slice());
        }
        aes
    }
}

/// The two keys of encrypt-then-MAC.
struct EtmKeys {
    encryption: Key,
    mac: Key,
}

impl EtmKeys {
    fn derive(key: &[u8]) -> Self {
        let derive = |info: &[u8]| {
            let mut derived = Zeroizing::new([0; 32]);
            hkdf_sha256(key, b"", info, derived.as_mut_slice());
            derived
        };
        EtmKeys {
            encryption: derive(b"mallory aes-256-cbc-hmac-sha256 encryption"),
            mac: derive(b"mallory aes-256-cbc-hmac-sha256 mac"),
        }
    }

    /// The tag over `aad` and `body`. The length of
    /// `aad` comes first, so that no byte can move between the two.
    fn tag(&self, aad: &[u8], body: &[u8]) -> [u8; HMAC_TAG] {
        let aad_len = (aad.len() as u64).to_be_bytes();
        hmac_sha256(self.mac.as_slice(), &[&aad_len, aad, body])
    }
}

/// Appends IV ‖ ciphertext to `sealed`.
fn seal_cbc(key: &Key, plaintext: &[u8], rng: &mut dyn CryptoRng, sealed: &mut Vec<u8>) {
    let mut iv = [0; BLOCK];
    rng.fill_bytes(&mut iv);
    sealed.extend_from_slice(&iv);
    let start = sealed.len();
    sealed.extend_from_slice(plaintext);
    sealed.resize(start + (plaintext.len() / BLOCK + 1) * BLOCK, 0);
    cbc::Encryptor::<Aes256>::new((&**key).into(), &iv.into())
        .encrypt_padded::<Pkcs7>(&mut sealed[start..], plaintext.len())
        .expect("there is room for the padding");
}

/// Decrypts IV ‖ ciphertext; `None` for a wrong length or wrong padding.
fn open_cbc(key: &Key, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, ciphertext) = sealed.split_first_chunk::<BLOCK>()?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let cipher = cbc::Decryptor::<Aes256>::new((&**key).into(), iv.into());
    let len = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

fn gcm(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new((&**key).into())
}

/// `bytes` before and within its last `tail` bytes, if it has as many.
fn split_tail(bytes: &[u8], tail: usize) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(bytes.len().checked_sub(tail)?)
}
