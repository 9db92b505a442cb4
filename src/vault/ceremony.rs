//! The ceremony that hands out shares of a new sealing key, before anything is sealed under it.
//! Must not know vaults: whoever is to be locked out by a lost share must have had none yet.

use std::fmt;
use std::marker::PhantomData;

use super::entropy::{Entropy, Seeded, System};
use super::secret::Secret;
use crate::crypto::{Result, Rng, Share, combine_shares, constant_time_eq, split_secret};
use crate::reason::Reason;

/// Shares that nothing depends on yet. A crash loses a ceremony and no vault: what was sealed
/// before is sealed as before until the shares have been brought back. Like a vault's, its type
/// says where its random bytes come from.
pub struct Ceremony<E = System> {
    held: HeldShares<E>,
    shares: Vec<Share>,
}

/// A sealing key of which enough shares are in their holders' hands: they were brought to
/// [`Ceremony::confirm`], which alone makes this.
pub struct HeldShares<E = System> {
    pub(super) threshold: u8,
    pub(super) count: u8,
    pub(super) key: Secret,
    drawn_from: PhantomData<fn() -> E>,
}

impl Ceremony {
    /// A new sealing key in `count` shares, of which `threshold` open what it seals.
    ///
    /// # Errors
    /// `Malformed` unless 1 ≤ `threshold` ≤ `count`; `EntropyUnavailable`.
    pub fn new(threshold: u8, count: u8) -> Result<Ceremony> {
        Ceremony::draw(threshold, count, &mut System::new())
    }
}

impl Ceremony<Seeded> {
    /// As [`new`](Self::new), from a seed: for vaults that
    /// [`Vault::rehearse`](super::Vault::rehearse) makes.
    ///
    /// # Errors
    /// `Malformed` as [`new`](Self::new).
    pub fn rehearse(threshold: u8, count: u8, rng: Rng) -> Result<Ceremony<Seeded>> {
        Ceremony::draw(threshold, count, &mut Seeded(rng))
    }
}

impl<E: Entropy> Ceremony<E> {
    fn draw(threshold: u8, count: u8, entropy: &mut E) -> Result<Ceremony<E>> {
        let rng = entropy.generator()?;
        let key = Secret::random(rng);
        let shares = split_secret(key.as_slice(), threshold, count, rng)?;
        Ok(Ceremony { held: HeldShares { threshold, count, key, drawn_from: PhantomData }, shares })
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
    pub fn confirm(&self, brought: &[Share]) -> Result<HeldShares<E>> {
        let key = combine_shares(brought).map_err(|_| Reason::DecryptFailed)?;
        let is_held = constant_time_eq(&key, self.held.key.as_slice());
        if is_held { Ok(self.held.clone()) } else { Err(Reason::DecryptFailed) }
    }
}

impl<E> fmt::Debug for Ceremony<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.fmt(f)
    }
}

impl<E> Clone for HeldShares<E> {
    fn clone(&self) -> Self {
        HeldShares { key: self.key.clone(), ..*self }
    }
}

/// How many; the key is nobody's to see.
impl<E> fmt::Debug for HeldShares<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} shares", self.threshold, self.count)
    }
}
