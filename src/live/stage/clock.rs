//! How much time has passed, for a play whose clock is the wall's. Must not know what happens.

#![expect(clippy::disallowed_methods, reason = "a rehearsal with programs lives in real time")]

use std::time::Instant;

use crate::live::clock::Clock;
use crate::time::{SimTime, Span, UnixNanos};

/// A clock of virtual time that runs as the wall's does, from some moment on.
pub struct Wall {
    from: SimTime,
    since: Instant,
}

impl Wall {
    /// A clock that shows `from` now.
    pub fn starting(from: SimTime) -> Wall {
        Wall { from, since: Instant::now() }
    }

    /// What it shows.
    pub fn now(&self) -> SimTime {
        let passed = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.from.after(Span(passed))
    }

    /// Puts it ahead to a time, if that is not past.
    pub fn advance(&mut self, to: SimTime) {
        let now = self.now();
        self.from = self.from.after(to.since(now));
    }

    /// The date at which virtual time is zero if it is `at` now: whole seconds, as X.509 has them.
    pub fn epoch(at: SimTime) -> UnixNanos {
        let now = Clock::default().now();
        UnixNanos(Span::seconds(now.0.saturating_sub(at.0) / 1_000_000_000).0)
    }
}
