//! Sealed rows: what each is called, and how its place is bound to it. Must not know what
//! keys are for, nor where rows are kept.

use std::collections::BTreeMap;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::audit::AuditHead;
use super::secret::Secret;
use super::store::Mark;
use crate::crypto::{Result, Symmetric, hkdf_sha256, hmac_sha256, sha256};
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
/// Where the rows of documents begin that a service keeps, and where they end.
pub const KEPT: [&[u8]; 2] = [b"d", b"e"];
/// How the row of a secret begins.
const SECRET: &[u8] = b"m";
/// How the row of a version's uses begins. What changes at every use is written apart from
/// what seldom does.
const USES: &[u8] = b"u";

/// The row of an audit record.
pub fn audit_row(sequence: u64) -> Vec<u8> {
    [b"a".as_slice(), &sequence.to_be_bytes()].concat()
}

/// The master key at work.
#[derive(Clone)]
pub struct Keyring {
    vault: [u8; 16],
    master: Secret,
    names: Secret,
    places: Secret,
}

impl Keyring {
    pub fn new(vault: [u8; 16], master: Secret) -> Keyring {
        let derive = |info| derive(&vault, &master, info);
        Keyring {
            names: derive(b"mallory vault names"),
            places: derive(b"mallory vault places"),
            vault,
            master,
        }
    }

    pub fn master(&self) -> &Secret {
        &self.master
    }

    /// The row of a key's description. The name goes through HMAC: rows say nothing.
    pub fn key_row(&self, name: &str) -> Vec<u8> {
        [KEYS[0], &self.tag(name)].concat()
    }

    /// The row of a document.
    pub fn kept_row(&self, name: &str) -> Vec<u8> {
        [KEPT[0], &self.tag(name)].concat()
    }

    /// The row of a version's secret.
    pub fn secret_row(&self, name: &str, version: u32) -> Vec<u8> {
        [SECRET, &self.tag(name), &version.to_be_bytes()].concat()
    }

    /// The row of how many protecting operations a version has done.
    pub fn uses_row(&self, name: &str, version: u32) -> Vec<u8> {
        [USES, &self.tag(name), &version.to_be_bytes()].concat()
    }

    fn tag(&self, name: &str) -> [u8; TAG] {
        hmac_sha256(self.names.as_slice(), &[name.as_bytes()])[..TAG].try_into().expect("half an HMAC")
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

    fn generation_key(&self, generation: u64) -> Secret {
        let info = [b"mallory vault rows".as_slice(), &generation.to_be_bytes()].concat();
        derive(&self.vault, &self.master, &info)
    }

    fn context(&self, row: &[u8], generation: u64) -> Vec<u8> {
        // The row alone has no fixed length.
        [b"mallory vault row 1".as_slice(), &self.vault, &generation.to_be_bytes(), row].concat()
    }
}

fn derive(vault: &[u8; 16], master: &Secret, info: &[u8]) -> Secret {
    Secret::fill(|key| hkdf_sha256(master.as_slice(), vault, info, key))
}

/// Seals the rows of one generation, whose key is derived once for all of them.
pub struct Sealer<'a> {
    keyring: &'a Keyring,
    generation: u64,
    key: Secret,
}

impl Sealer<'_> {
    /// A sealed row.
    pub fn seal(&self, row: &[u8], text: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        let context = self.keyring.context(row, self.generation);
        let generation = self.generation.to_be_bytes();
        let mut sealed = Vec::with_capacity(generation.len() + CIPHER.sealed_len(text.len()));
        sealed.extend_from_slice(&generation);
        CIPHER.seal_to(&mut sealed, self.key.as_slice(), &context, text, rng);
        sealed
    }
}

/// Which generation wrote each row that has a key's tag, and a digest of that.
///
/// The digest follows a change without a look at the other rows: it is the exclusive or of a
/// keyed hash of each row (MSet-XOR-Hash, Clarke et al., ASIACRYPT 2003). Nobody sees it: it
/// lies under the seal, as the key does.
#[derive(Default)]
pub struct Written {
    rows: BTreeMap<Vec<u8>, u64>,
    sum: [u8; 32],
}

impl Written {
    /// Notes that `generation` wrote `row`, or removed it if `None`. Answers whether there was
    /// such a row.
    pub fn note(&mut self, keyring: &Keyring, row: &[u8], generation: Option<u64>) -> bool {
        let before = match generation {
            Some(generation) => self.rows.insert(row.to_vec(), generation),
            None => self.rows.remove(row),
        };
        for generation in before.into_iter().chain(generation) {
            let place = hmac_sha256(keyring.places.as_slice(), &[row, &generation.to_be_bytes()]);
            self.sum.iter_mut().zip(place).for_each(|(sum, byte)| *sum ^= byte);
        }
        before.is_some()
    }

    /// SHA-256 over the seal's digest, the number of rows and the digest of who wrote them. The
    /// seal itself counts: whoever puts an old one back would bring an old passphrase back.
    pub fn digest(&self, seal: [u8; 32]) -> [u8; 32] {
        sha256(&[&seal, &(self.rows.len() as u64).to_be_bytes(), &self.sum])
    }

    /// The digest of the first format: SHA-256 over the seal's and every row with its generation.
    fn first_digest(&self, seal: [u8; 32]) -> [u8; 32] {
        let mut bytes = seal.to_vec();
        for (row, generation) in &self.rows {
            bytes.push(row.len() as u8);
            bytes.extend_from_slice(row);
            bytes.extend_from_slice(&generation.to_be_bytes());
        }
        sha256(&[&bytes])
    }
}

/// How a root begins since uses have rows of their own; the first format began with the digest
/// of the root before.
const FORMAT: u8 = 2;

/// The root: what the vault's rows are in this generation. Without it, a thief could put a
/// row of an older generation in its successor's place.
#[derive(Clone, Copy)]
pub struct Root {
    pub generation: u64,
    /// The digest of the root row before.
    pub previous: [u8; 32],
    pub audit: AuditHead,
    /// The digest of which generation wrote which row.
    rows: [u8; 32],
    is_first_format: bool,
}

impl Root {
    pub fn new(generation: u64, previous: [u8; 32], audit: AuditHead, rows: [u8; 32]) -> Root {
        Root { generation, previous, audit, rows, is_first_format: false }
    }

    /// 2 ‖ previous (32) ‖ u64-BE(audit records) ‖ audit hash (32) ‖ rows (32).
    pub fn write(&self, sealer: &Sealer<'_>, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let records = self.audit.records.to_be_bytes();
        let text = [&[FORMAT][..], &self.previous, &records, &self.audit.hash, &self.rows].concat();
        sealer.seal(ROOT, &text, rng)
    }

    pub fn read(keyring: &Keyring, row: &[u8]) -> Result<Root> {
        let (generation, text) = keyring.open(ROOT, row)?;
        let parse = |text: &[u8], is_first_format| {
            let (previous, rest) = text.split_first_chunk::<32>()?;
            let (records, rest) = rest.split_first_chunk::<8>()?;
            let (hash, rest) = rest.split_first_chunk::<32>()?;
            let audit = AuditHead { records: u64::from_be_bytes(*records), hash: *hash };
            let rows = rest.try_into().ok()?;
            Some(Root { generation, previous: *previous, audit, rows, is_first_format })
        };
        let root = match text.split_first() {
            Some((&FORMAT, rest)) if rest.len() == 104 => parse(rest, false),
            _ => parse(&text, true),
        };
        root.ok_or(Reason::VaultTampered)
    }

    /// Whether these are the rows that it speaks of.
    pub fn is_of(&self, seal: [u8; 32], written: &Written) -> bool {
        self.rows == if self.is_first_format { written.first_digest(seal) } else { written.digest(seal) }
    }
}

/// What an anchor remembers of a root row.
pub fn mark(generation: u64, row: &[u8]) -> Mark {
    Mark { generation, root: sha256(&[row]) }
}

/// A document with its name: u8(length of the name) ‖ name ‖ document.
pub fn write_kept(name: &str, document: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = u8::try_from(name.len()).expect("a name has at most 128 bytes");
    Zeroizing::new([&[len][..], name.as_bytes(), document].concat())
}

/// Reads what [`write_kept`] wrote.
pub fn read_kept(text: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = text.split_first()?;
    let (name, document) = rest.split_at_checked(usize::from(*len))?;
    Some((std::str::from_utf8(name).ok()?, document))
}
