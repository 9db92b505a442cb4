//! Sealed rows: what each is called, and how its place is bound to it. Must not know what
//! keys are for, nor where rows are kept.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::audit::AuditHead;
use super::seal::Master;
use super::store::Mark;
use crate::crypto::{Result, Rng, Symmetric, hkdf_sha256, hmac_sha256, sha256};
use crate::reason::Reason;

const CIPHER: Symmetric = Symmetric::Aes256Gcm;
/// Bytes of a name's tag: 128 bits, against chance only.
const TAG: usize = 16;

/// The row of the seal, the only one that is not sealed.
pub const SEAL: &[u8] = b"seal";
/// The row that says what all others are.
pub const ROOT: &[u8] = b"root";
/// Where the rows of keys' descriptions begin, and where they end.
pub const KEYS: [&[u8]; 2] = [b"k", b"l"];
/// How the row of a secret begins.
const SECRET: &[u8] = b"m";

/// The row of an audit record.
pub fn audit_row(sequence: u64) -> Vec<u8> {
    [b"a".as_slice(), &sequence.to_be_bytes()].concat()
}

/// Which generation wrote each row of a key or of a secret.
pub type Written = BTreeMap<Vec<u8>, u64>;

/// The master key at work.
#[derive(Clone)]
pub struct Keyring {
    pub vault: [u8; 16],
    pub master: Master,
}

impl Keyring {
    /// The row of a key's description. The name goes through HMAC: rows say nothing.
    pub fn key_row(&self, name: &str) -> Vec<u8> {
        [KEYS[0], &self.tag(name)].concat()
    }

    /// The row of a version's secret.
    pub fn secret_row(&self, name: &str, version: u32) -> Vec<u8> {
        [SECRET, &self.tag(name), &version.to_be_bytes()].concat()
    }

    fn tag(&self, name: &str) -> [u8; TAG] {
        let key = self.derive(b"mallory vault names");
        hmac_sha256(key.as_slice(), &[name.as_bytes()])[..TAG].try_into().expect("half an HMAC")
    }

    fn derive(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(self.master.as_slice(), &self.vault, info, key.as_mut_slice());
        key
    }

    /// u64-BE(generation) ‖ AES-256-GCM, under a key of this generation, bound to the vault,
    /// the row (which says key and version) and the generation. With a key for each
    /// generation no number of transactions wears the master key out (SP 800-38D §8.3).
    pub fn sealer(&self, generation: u64) -> Sealer<'_> {
        Sealer { keyring: self, generation, key: self.generation_key(generation) }
    }

    /// The generation and the text of what a [`Sealer`] made for this row.
    ///
    /// # Errors
    /// `VaultTampered`.
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<(u64, Zeroizing<Vec<u8>>)> {
        let (generation, sealed) = sealed.split_first_chunk::<8>().ok_or(Reason::VaultTampered)?;
        let generation = u64::from_be_bytes(*generation);
        let key = self.generation_key(generation);
        let text = CIPHER
            .open(key.as_slice(), &self.context(row, generation), sealed)
            .map_err(|_| Reason::VaultTampered)?;
        Ok((generation, text))
    }

    fn generation_key(&self, generation: u64) -> Zeroizing<[u8; 32]> {
        self.derive(&[b"mallory vault rows".as_slice(), &generation.to_be_bytes()].concat())
    }

    fn context(&self, row: &[u8], generation: u64) -> Vec<u8> {
        // The row alone has no fixed length.
        [b"mallory vault row 1".as_slice(), &self.vault, &generation.to_be_bytes(), row].concat()
    }
}

/// Seals the rows of one generation, whose key is derived once for all of them.
pub struct Sealer<'a> {
    keyring: &'a Keyring,
    generation: u64,
    key: Zeroizing<[u8; 32]>,
}

impl Sealer<'_> {
    /// A sealed row.
    pub fn seal(&self, row: &[u8], text: &[u8], rng: &mut Rng) -> Vec<u8> {
        let context = self.keyring.context(row, self.generation);
        let mut sealed = self.generation.to_be_bytes().to_vec();
        sealed.extend(CIPHER.seal(self.key.as_slice(), &context, text, rng));
        sealed
    }
}

/// The root: what the vault's rows are in this generation. Without it, a thief could put a
/// row of an older generation in its successor's place.
#[derive(Clone, Copy)]
pub struct Root {
    pub generation: u64,
    /// The digest of the root row before.
    pub previous: [u8; 32],
    pub audit: AuditHead,
    /// SHA-256 over the seal and over which generation wrote which row.
    pub rows: [u8; 32],
}

impl Root {
    /// previous (32) ‖ u64-BE(audit records) ‖ audit hash (32) ‖ rows (32).
    pub fn write(&self, sealer: &Sealer<'_>, rng: &mut Rng) -> Vec<u8> {
        let records = self.audit.records.to_be_bytes();
        let text = [self.previous.as_slice(), &records, &self.audit.hash, &self.rows].concat();
        sealer.seal(ROOT, &text, rng)
    }

    pub fn read(keyring: &Keyring, row: &[u8]) -> Result<Root> {
        let (generation, text) = keyring.open(ROOT, row)?;
        let parse = || {
            let (previous, rest) = text.split_first_chunk::<32>()?;
            let (records, rest) = rest.split_first_chunk::<8>()?;
            let (hash, rest) = rest.split_first_chunk::<32>()?;
            let audit = AuditHead { records: u64::from_be_bytes(*records), hash: *hash };
            Some(Root { generation, previous: *previous, audit, rows: rest.try_into().ok()? })
        };
        parse().ok_or(Reason::VaultTampered)
    }
}

/// What an anchor remembers of a root row.
pub fn mark(generation: u64, row: &[u8]) -> Mark {
    Mark { generation, root: sha256(&[row]) }
}

/// The digest of a vault's rows: of the seal itself, since whoever puts an old one back
/// would bring an old passphrase back, and of the generation of each other row.
pub fn digest(seal: [u8; 32], written: &Written) -> [u8; 32] {
    let mut bytes = seal.to_vec();
    for (row, generation) in written {
        bytes.push(row.len() as u8);
        bytes.extend_from_slice(row);
        bytes.extend_from_slice(&generation.to_be_bytes());
    }
    sha256(&[&bytes])
}
