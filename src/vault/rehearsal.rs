//! The door for rehearsals: vaults whose random bytes come from a seed, so that a play can be
//! repeated. No other vault can be made of a seed. Must not know who rehearses what.

use super::entropy::Seeded;
use super::handle::Vault;
use super::seal::Sealing;
use super::store::Store;
use crate::crypto::{Result, Rng};
use crate::time::UnixNanos;

impl<S: Store> Vault<S, Seeded> {
    /// As [`create`](Vault::create), with the random bytes of `rng`. Whoever has the seed has
    /// every key: this is no vault to keep anything in.
    ///
    /// # Errors
    /// As [`create`](Vault::create).
    pub fn rehearse(
        store: S,
        how: Sealing<Seeded>,
        actor: &str,
        rng: Rng,
        now: UnixNanos,
    ) -> Result<Vault<S, Seeded>> {
        Vault::create_from(Seeded(rng), store, how, actor, now)
    }

    /// As [`open`](Vault::open), with the random bytes of `rng`.
    ///
    /// # Errors
    /// As [`open`](Vault::open).
    pub fn open_rehearsed(store: S, rng: Rng) -> Result<Vault<S, Seeded>> {
        Vault::open_from(Seeded(rng), store)
    }

    /// The store, with the vault sealed and not closed, and the rest of the random bytes.
    pub fn into_rehearsed(self) -> (S, Rng) {
        let (store, Seeded(rng)) = self.into_parts();
        (store, rng)
    }
}
