//! The seal: the master key at rest, under a passphrase or under k of n shares. Must not
//! know what the master key opens.

use std::sync::OnceLock;

use rand::Rng as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::{
    Result, Rng, STRETCH_SALT_LEN, Share, StretchCost, Symmetric, combine_shares, sha256, split_secret,
    stretch_at_cost,
};
use crate::reason::Reason;

const FORMAT: u32 = 1;
const CIPHER: Symmetric = Symmetric::Aes256Gcm;

/// A master key.
pub(super) type Master = Zeroizing<[u8; 32]>;

/// How a vault is to be sealed.
#[derive(Clone, Copy)]
pub enum Sealing<'a> {
    /// Under Argon2id of a passphrase.
    Passphrase {
        /// The passphrase.
        passphrase: &'a [u8],
        /// What each guess costs. The default is 19 MiB and two passes.
        cost: StretchCost,
    },
    /// Under a random key of which `threshold` of `count` shares are needed.
    Shares {
        /// How many open it.
        threshold: u8,
        /// How many there are.
        count: u8,
    },
}

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
    /// Seals `master`, and gives the shares if there are to be any.
    pub fn new(vault: [u8; 16], master: &Master, how: Sealing, rng: &mut Rng) -> Result<(Seal, Vec<Share>)> {
        let (method, key, shares) = match how {
            Sealing::Passphrase { passphrase, cost } => {
                let mut salt = [0; STRETCH_SALT_LEN];
                rng.fill_bytes(&mut salt);
                let key = stretch_at_cost(passphrase, &salt, cost)?;
                (Method::Passphrase { salt, cost }, key, Vec::new())
            }
            Sealing::Shares { threshold, count } => {
                let mut key = Zeroizing::new([0; 32]);
                rng.fill_bytes(key.as_mut_slice());
                let shares = split_secret(key.as_slice(), threshold, count, rng)?;
                (Method::Shares { threshold, count }, key, shares)
            }
        };
        let mut seal = Seal { format: FORMAT, vault, method, master: Vec::new(), digest: OnceLock::new() };
        seal.master = CIPHER.seal(key.as_slice(), &seal.context(), master.as_slice(), rng);
        Ok((seal, shares))
    }

    /// Opens the master key. A wrong passphrase, too few shares and shares of another
    /// vault all answer alike.
    pub fn open(&self, with: Unsealing) -> Result<Master> {
        let key = match (&self.method, with) {
            (Method::Passphrase { salt, cost }, Unsealing::Passphrase(passphrase)) => {
                stretch_at_cost(passphrase, salt, *cost).map_err(|_| Reason::VaultTampered)?
            }
            (Method::Shares { .. }, Unsealing::Shares(shares)) => {
                let secret = combine_shares(shares).map_err(|_| Reason::DecryptFailed)?;
                Zeroizing::new(secret.as_slice().try_into().map_err(|_| Reason::DecryptFailed)?)
            }
            _ => return Err(Reason::DecryptFailed),
        };
        let master = CIPHER.open(key.as_slice(), &self.context(), &self.master)?;
        Ok(Zeroizing::new(master.as_slice().try_into().map_err(|_| Reason::DecryptFailed)?))
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
