//! How often somebody may try: token buckets. Must not know what is tried, nor a clock.

use smol_str::SmolStr;

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

    /// Takes a token from `bucket`.
    ///
    /// # Errors
    /// `RateLimited` if there is none.
    pub fn take(self, bucket: &mut Bucket, now: UnixNanos) -> Result<(), Reason> {
        let full_at = bucket.full_at.max(now).after(Span(self.interval()));
        let empty_at = now.after(Span(self.interval().saturating_mul(u64::from(self.burst))));
        if full_at > empty_at {
            return Err(Reason::RateLimited);
        }
        bucket.full_at = full_at;
        Ok(())
    }
}

/// A token bucket, which begins full.
#[derive(Clone, Copy, Default, Debug)]
pub struct Bucket {
    /// When it will be full again (the virtual scheduling of GCRA, ITU-T I.371): one number says
    /// all that a count and a time would.
    full_at: UnixNanos,
}

/// Token buckets by name.
#[derive(Clone, Debug)]
pub struct Limiter {
    rate: Rate,
    buckets: Hashed<SmolStr, Bucket>,
}

impl Limiter {
    /// Buckets of `rate`.
    pub fn new(rate: Rate) -> Limiter {
        Limiter { rate, buckets: Hashed::default() }
    }

    /// Checks that there is a token in the bucket of `name`, and leaves it there.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn check(&self, name: &str, now: UnixNanos) -> Result<(), Reason> {
        self.rate.take(&mut self.buckets.get(name).copied().unwrap_or_default(), now)
    }

    /// Takes a token from the bucket of `name`.
    ///
    /// # Errors
    /// `RateLimited` if there is none; also if
    /// [`MAX_TRACKED_RATES`](crate::limits::MAX_TRACKED_RATES) others are not full.
    pub fn take(&mut self, name: &str, now: UnixNanos) -> Result<(), Reason> {
        if let Some(bucket) = self.buckets.get_mut(name) {
            return self.rate.take(bucket, now);
        }
        let mut bucket = Bucket::default();
        self.rate.take(&mut bucket, now)?;
        if self.buckets.len() >= MAX_TRACKED_RATES {
            // A full bucket is as good as none.
            self.buckets.retain(|bucket| bucket.full_at > now);
            if self.buckets.len() >= MAX_TRACKED_RATES {
                return Err(Reason::RateLimited);
            }
        }
        self.buckets.insert(name.into(), bucket);
        Ok(())
    }
}
