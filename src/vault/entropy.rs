//! Where a vault's random bytes come from: the operating system, or in a rehearsal a seed. Must
//! not know what is made of them.

#![expect(clippy::disallowed_types, reason = "a vault that no play made keeps real keys")]

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rand::{CryptoRng, TryRng as _};

use super::store::Result;
use crate::crypto::Rng;
use crate::reason::Reason;

/// A source of random bytes. There are two, and a vault's type says which one it has:
/// `Vault<S>` is `Vault<S, System>`.
pub trait Entropy: closed::Closed {
    /// The generator for one operation.
    ///
    /// # Errors
    /// `EntropyUnavailable`.
    fn generator(&mut self) -> Result<&mut dyn CryptoRng>;
}

mod closed {
    pub trait Closed {}
}

/// The operating system. Nothing is kept between two draws, so nothing can be stolen from memory
/// or repeated after a fork.
pub struct System(UnwrapErr<SysRng>);

impl System {
    /// The operating system's generator.
    pub(super) fn new() -> System {
        System(UnwrapErr(SysRng))
    }
}

impl closed::Closed for System {}

impl Entropy for System {
    fn generator(&mut self) -> Result<&mut dyn CryptoRng> {
        // A system without entropy says so here; one that has answered goes on to (getrandom(2)).
        self.0.0.try_fill_bytes(&mut [0]).map_err(|_| Reason::EntropyUnavailable)?;
        Ok(&mut self.0)
    }
}

/// A seed's stream: equal seeds make equal vaults, which anybody can make again. Made by
/// [`Vault::rehearse`](super::Vault::rehearse) and in no other way.
pub struct Seeded(pub(super) Rng);

impl closed::Closed for Seeded {}

impl Entropy for Seeded {
    fn generator(&mut self) -> Result<&mut dyn CryptoRng> {
        Ok(&mut self.0)
    }
}
