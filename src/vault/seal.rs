//! The seal: the master key at rest, under a passphrase or under k of n shares. Must not
//! know what the master key opens.

use std::sync::OnceLock;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::ceremony::HeldShares;
use super::entropy::System;
use super::secret::{Secret, burn};
use crate::crypto::{
    Result, STRETCH_SALT_LEN, Share, StretchCost, Symmetric, combine_shares, sha256, stretch_into,
};
use crate::reason::Reason;

const FORMAT: u32 = 1;
const CIPHER: Symmetric = Symmetric::Aes256Gcm;

/// How a vault is to be sealed: under what its owner has already, so that a crash at any moment
/// leaves a vault that somebody can open. `E` is where the vault's random bytes come from, and
/// those of the shares.
pub enum Sealing<'a, E = System> {
    /// Under Argon2id of a passphrase.
    Passphrase {
        /// The passphrase.
        passphrase: &'a [u8],
        /// What each guess costs. The default is 19 MiB and two passes.
        cost: StretchCost,
    },
    /// Under a random key whose shares their holders have shown to have
    /// ([`Ceremony`](super::Ceremony)).
    Shares(&'a HeldShares<E>),
}

impl<E> Clone for Sealing<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Sealing<'_, E> {}

/// What opens a vault.
#[derive(Clone, Copy)]
pub enum Unsealing<'a> {
    /// A passphrase.
    Passphrase(&'a [u8]),
    /// Shares, enough of them, in any order.
    Shares(&'a [Share]),
}

/// What is stored in the clear: how to try a passphrase, and the wrapped master key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    format: u32,
    #[serde(with = "hex::serde")]
    pub vault: [u8; 16],
    method: Method,
    #[serde(with = "hex::serde")]
    master: Vec<u8>,
    /// Every transaction names it, and nothing in it changes.
    #[serde(skip)]
    digest: OnceLock<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Method {
    Passphrase {
        #[serde(with = "hex::serde")]
        salt: [u8; STRETCH_SALT_LEN],
        cost: StretchCost,
    },
    Shares {
        threshold: u8,
        count: u8,
    },
}

impl Seal {
    /// Seals `master`.
    pub fn new<E>(
        vault: [u8; 16],
        master: &Secret,
        how: Sealing<E>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Seal> {
        let (method, key) = match how {
            Sealing::Passphrase { passphrase, cost } => {
                let mut salt = [0; STRETCH_SALT_LEN];
                rng.fill_bytes(&mut salt);
                let key = Secret::try_fill(|key| stretch_into(key, passphrase, &salt, cost))?;
                (Method::Passphrase { salt, cost }, key)
            }
            Sealing::Shares(HeldShares { threshold, count, key, .. }) => {
                (Method::Shares { threshold: *threshold, count: *count }, key.clone())
            }
        };
        let mut seal = Seal { format: FORMAT, vault, method, master: Vec::new(), digest: OnceLock::new() };
        seal.master = CIPHER.seal(key.as_slice(), &seal.context(), master.as_slice(), rng);
        burn();
        Ok(seal)
    }

    /// Opens the master key. A wrong passphrase, too few shares and shares of another
    /// vault all answer alike.
    pub fn open(&self, with: Unsealing) -> Result<Secret> {
        let key = match (&self.method, with) {
            (Method::Passphrase { salt, cost }, Unsealing::Passphrase(passphrase)) => {
                Secret::try_fill(|key| stretch_into(key, passphrase, salt, *cost)).map_err(|reason| {
                    match reason {
                        Reason::MemoryUnavailable => reason,
                        _ => Reason::VaultTampered,
                    }
                })?
            }
            (Method::Shares { .. }, Unsealing::Shares(shares)) => {
                Secret::copy_of(&combine_shares(shares).map_err(|_| Reason::DecryptFailed)?)?
            }
            _ => return Err(Reason::DecryptFailed),
        };
        let opened = CIPHER.open(key.as_slice(), &self.context(), &self.master);
        burn();
        Secret::copy_of(&opened?)
    }

    pub fn takes_shares(&self) -> bool {
        matches!(self.method, Method::Shares { .. })
    }

    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a seal has no keys but texts")
    }

    /// SHA-256 of what is written.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| sha256(&[&self.write()]))
    }

    pub fn read(bytes: &[u8]) -> Result<Seal> {
        let seal: Seal = serde_json::from_slice(bytes).map_err(|_| Reason::VaultTampered)?;
        if seal.format == FORMAT { Ok(seal) } else { Err(Reason::VaultTampered) }
    }

    /// The associated data of the wrapped key: everything else in the seal, so that nobody
    /// makes a later guess cheaper.
    fn context(&self) -> Vec<u8> {
        let method = serde_json::to_vec(&self.method).expect("a method has no keys but texts");
        [b"mallory vault seal 1".as_slice(), &self.vault, &method].concat()
    }
}
