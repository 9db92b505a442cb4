//! The ceremony that hands out shares of a new sealing key, before anything is sealed under it.
//! Must not know vaults: whoever is to be locked out by a lost share must have had none yet.

use std::fmt;

use super::entropy::{Entropy, Seeded, System};
use super::secret::Secret;
use crate::crypto::{Result, Rng, Share, combine_shares, constant_time_eq, split_secret};
use crate::reason::Reason;

/// Shares that nothing depends on yet. A crash loses a ceremony and no vault: what was sealed
/// before is sealed as before until the shares have been brought back.
pub struct Ceremony {
    held: HeldShares,
    shares: Vec<Share>,
}

/// A sealing key of which enough shares are in their holders' hands: they were brought to
/// [`Ceremony::confirm`], which alone makes this.
#[derive(Clone)]
pub struct HeldShares {
    pub(super) threshold: u8,
    pub(super) count: u8,
    pub(super) key: Secret,
}

impl Ceremony {
    /// A new sealing key in `count` shares, of which `threshold` open what it seals.
    ///
    /// # Errors
    /// `Malformed` unless 1 ≤ `threshold` ≤ `count`; `EntropyUnavailable`.
    pub fn new(threshold: u8, count: u8) -> Result<Ceremony> {
        Ceremony::draw(threshold, count, &mut System::new())
    }

    /// As [`new`](Self::new), from a seed: for vaults that
    /// [`Vault::rehearse`](super::Vault::rehearse) makes.
    ///
    /// # Errors
    /// `Malformed` as [`new`](Self::new).
    pub fn rehearse(threshold: u8, count: u8, rng: Rng) -> Result<Ceremony> {
        Ceremony::draw(threshold, count, &mut Seeded(rng))
    }

    fn draw(threshold: u8, count: u8, entropy: &mut impl Entropy) -> Result<Ceremony> {
        let rng = entropy.generator()?;
        let key = Secret::random(rng);
        let shares = split_secret(key.as_slice(), threshold, count, rng)?;
        Ok(Ceremony { held: HeldShares { threshold, count, key }, shares })
    }

    /// One for each holder, kept nowhere else.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// Whether these shares, which their holders have brought, are enough to open what will be
    /// sealed.
    ///
    /// # Errors
    /// `DecryptFailed` if they are too few, or any is not one that was handed out.
    pub fn confirm(&self, brought: &[Share]) -> Result<HeldShares> {
        let key = combine_shares(brought).map_err(|_| Reason::DecryptFailed)?;
        let is_held = constant_time_eq(&key, self.held.key.as_slice());
        if is_held { Ok(self.held.clone()) } else { Err(Reason::DecryptFailed) }
    }
}

impl fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.fmt(f)
    }
}

/// How many; the key is nobody's to see.
impl fmt::Debug for HeldShares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} shares", self.threshold, self.count)
    }
}
