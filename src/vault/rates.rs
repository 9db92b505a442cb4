//! How often somebody may try: token buckets, and a lock after too many wrong codes. Must
//! not know what is tried, nor a clock.

use std::collections::BTreeMap;

use crate::hashed::Hashed;
use crate::limits::MAX_TRACKED_RATES;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

/// So many at once, and as many again over so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// How long an empty bucket takes to fill.
    pub per: Span,
}

impl Rate {
    /// From one token to the next.
    fn interval(self) -> u64 {
        (self.per.0 / u64::from(self.burst.max(1))).max(1)
    }

    /// When a bucket that is full at some time is full again without one token more.
    fn without_one(self, full_at: UnixNanos, now: UnixNanos) -> Result<UnixNanos, Reason> {
        let full_at = full_at.max(now).after(Span(self.interval()));
        let empty_at = now.after(Span(self.interval().saturating_mul(u64::from(self.burst))));
        if full_at > empty_at { Err(Reason::RateLimited) } else { Ok(full_at) }
    }
}

/// Token buckets by name, which begin full.
#[derive(Clone, Debug)]
pub struct Limiter {
    rate: Rate,
    /// When each bucket will be full again (the virtual scheduling of GCRA, ITU-T I.371):
    /// one number says all that a count and a time would.
    full_at: Hashed<String, UnixNanos>,
}

impl Limiter {
    /// Buckets of `rate`.
    pub fn new(rate: Rate) -> Limiter {
        Limiter { rate, full_at: Hashed::default() }
    }

    /// Checks that there is a token in the bucket of `name`, and leaves it there. Answers when
    /// the bucket would be full again without it.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn check(&self, name: &str, now: UnixNanos) -> Result<UnixNanos, Reason> {
        self.rate.without_one(self.full_at.get(name).copied().unwrap_or(now), now)
    }

    /// Takes a token from the bucket of `name`.
    ///
    /// # Errors
    /// `RateLimited` if there is none; also if
    /// [`MAX_TRACKED_RATES`](crate::limits::MAX_TRACKED_RATES) others are not full.
    pub fn take(&mut self, name: &str, now: UnixNanos) -> Result<(), Reason> {
        if let Some(full_at) = self.full_at.get_mut(name) {
            *full_at = self.rate.without_one(*full_at, now)?;
            return Ok(());
        }
        let full_at = self.rate.without_one(now, now)?;
        if self.full_at.len() >= MAX_TRACKED_RATES {
            // A full bucket is as good as none.
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MAX_TRACKED_RATES {
                return Err(Reason::RateLimited);
            }
        }
        self.full_at.insert(name.to_owned(), full_at);
        Ok(())
    }
}

/// Wrong codes in a row, by name. A lock holds until somebody lifts it: it stops guessing
/// for good, and lets whoever knows a name lock its owner out (RFC 4226 §7.3).
#[derive(Clone, Default, Debug)]
pub struct LockOut {
    wrong: BTreeMap<String, u32>,
}

impl LockOut {
    /// Checks that `name` has had fewer than `most` wrong codes in a row.
    ///
    /// # Errors
    /// `LockedOut`.
    pub fn check(&self, name: &str, most: u32) -> Result<(), Reason> {
        let wrong = self.wrong.get(name).copied().unwrap_or(0);
        if wrong < most { Ok(()) } else { Err(Reason::LockedOut) }
    }

    /// Notes a wrong code.
    pub fn count(&mut self, name: &str) {
        let wrong = self.wrong.entry(name.to_owned()).or_default();
        *wrong = wrong.saturating_add(1);
    }

    /// Forgets the wrong codes of `name`: after a right one, or to lift its lock.
    pub fn clear(&mut self, name: &str) {
        self.wrong.remove(name);
    }
}
