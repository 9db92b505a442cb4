//! What a party stands on in whatever it does: what all share, its character, its clock, what it
//! trusts and what it has strength for. Must not know sessions or services.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Effects;
use super::cast::{Cast, Character};
use super::trust::PartyTrust;
use crate::journal::{Sight, What};
use crate::notation::Name;
use crate::reason::Reason;
use crate::time::{SimTime, UnixNanos};
use crate::vault::Limiter;

/// What a party stands on.
pub struct Footing {
    /// What all share.
    pub cast: Arc<Cast>,
    /// How it behaves.
    pub character: Arc<Character>,
    /// Its trust, keys and certificates.
    pub trust: PartyTrust,
    /// Whom it serves no more, or was told to refuse.
    pub denied: BTreeSet<Name>,
    /// How far its clock is ahead, in nanoseconds.
    pub clock_offset: i64,
    /// How many lines that cost public-key operations it can still send, if it is limited.
    strength: Option<Limiter>,
}

impl Footing {
    /// That of a party at the beginning of a play.
    pub fn new(cast: &Arc<Cast>, character: Arc<Character>) -> Footing {
        Footing {
            trust: PartyTrust::of(cast, &character),
            denied: BTreeSet::new(),
            clock_offset: character.clock_offset,
            strength: character.strength.map(Limiter::new),
            cast: cast.clone(),
            character,
        }
    }

    /// The party's name.
    pub fn name(&self) -> &Name {
        &self.character.name
    }

    /// The reading of its clock.
    pub fn clock(&self, now: SimTime) -> UnixNanos {
        self.cast.clock(now, self.clock_offset)
    }

    /// Spends strength on a line.
    ///
    /// # Errors
    /// `RateLimited` if there is none left; `is_costly` says whether it takes any.
    pub fn spend(&mut self, now: SimTime, is_costly: impl FnOnce() -> bool) -> Result<(), Reason> {
        let clock = self.clock(now);
        match self.strength.as_mut() {
            Some(strength) if is_costly() => strength.take("", clock),
            _ => Ok(()),
        }
    }

    /// Whether it must first ask for responses to go with its own certificates; then its trust
    /// says which.
    pub fn wants_staples(&mut self, now: SimTime) -> bool {
        let clock = self.clock(now);
        self.character.staples && self.trust.wants_staples(clock)
    }
}

/// One input's moment: what the party stands on, the time, and what comes of it.
pub struct Moment<'a> {
    /// What the party stands on.
    pub footing: &'a mut Footing,
    /// The time.
    pub now: SimTime,
    /// What comes of it.
    pub effects: &'a mut Effects,
}

impl Moment<'_> {
    /// The reading of the party's clock.
    pub fn clock(&self) -> UnixNanos {
        self.footing.clock(self.now)
    }

    /// Pays no heed to a message.
    pub fn ignore(&mut self, message: &Sight, why: &'static str) {
        let by = self.footing.name().clone();
        self.effects.note(What::Ignored { id: message.id, by, why });
    }
}
