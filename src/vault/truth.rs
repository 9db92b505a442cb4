//! What a rehearsal must know to judge who can read what: the secrets behind a vault, what a
//! stolen key opens, what a stolen disk holds. No operation of a service; nothing here is
//! checked or recorded.

use zeroize::Zeroizing;

use super::entropy::Entropy;
use super::frame::Frame;
use super::handle::Vault;
use super::kind::{KeyKind, Usage};
use super::material::Material;
use super::store::{MemoryStore, Store};
use crate::crypto::Result;
use crate::reason::Reason;

impl<S: Store, E: Entropy> Vault<S, E> {
    /// The secret of a version of a key, the latest if none is named: 32 bytes or DER PKCS#8.
    pub fn secret_of(&self, key: &str, version: Option<u32>) -> Option<Zeroizing<Vec<u8>>> {
        let held = self.opened()?.keys.get(key)?;
        let version = version.unwrap_or(held.key.latest().number);
        held.secret(version).ok().map(|material| Zeroizing::new(material.secret().to_vec()))
    }

    /// Every secret with its key's name and version.
    pub fn secrets(&self) -> Vec<(String, u32, Zeroizing<Vec<u8>>)> {
        let keys = self.opened().into_iter().flat_map(|open| &open.keys);
        keys.flat_map(|(name, held)| {
            let versions = held.key.versions.iter().map(|version| version.number);
            versions.filter_map(|number| Some((name.clone(), number, self.secret_of(name, Some(number))?)))
        })
        .collect()
    }
}

/// Opens what a vault encrypted, with a key that somebody got hold of: 32 bytes are an
/// AES-256 key, anything else an RSA key in PKCS#8.
///
/// # Errors
/// `Malformed`, `DecryptFailed`.
pub fn open_framed(secret: &[u8], context: &[u8], framed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let frame = Frame::read(framed)?;
    let kind = if secret.len() == 32 { KeyKind::Aes256 } else { KeyKind::Rsa2048 };
    let material = Material::new(kind, Usage::Encrypt, Zeroizing::new(secret.to_vec()));
    material.decrypt(&Frame::bind(frame.key, frame.version, context), frame.body)
}

/// A copy of every row: for each, four bytes of length and the key, four bytes of length and
/// the row.
pub(super) fn copy_rows(store: &mut MemoryStore) -> Vec<u8> {
    let mut copy = Vec::new();
    for bytes in store.rows().iter().flat_map(|(key, row)| [key, row]) {
        copy.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        copy.extend_from_slice(bytes);
    }
    copy
}

/// A store with the rows of a copy.
///
/// # Errors
/// `Malformed`.
pub(super) fn read_rows(mut copy: &[u8]) -> Result<MemoryStore> {
    let mut parts = Vec::new();
    while let Some((len, rest)) = copy.split_first_chunk::<4>() {
        let part = usize::try_from(u32::from_be_bytes(*len)).ok().and_then(|len| rest.get(..len));
        parts.push(part.ok_or(Reason::Malformed)?.to_vec());
        copy = &rest[parts.last().map_or(0, Vec::len)..];
    }
    let mut store = MemoryStore::default();
    for pair in parts.chunks_exact(2) {
        store.rows().insert(pair[0].clone(), pair[1].clone());
    }
    Ok(store)
}
