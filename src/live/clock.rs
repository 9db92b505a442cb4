//! The wall clock, which nothing but this room may look at. Must not know who asks.

#![expect(clippy::disallowed_types, reason = "a service on sockets lives in real time")]

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::UnixNanos;

/// A clock that never goes back: if the system's does, it stands still until that has caught up.
#[derive(Default)]
pub struct Clock {
    latest: UnixNanos,
}

impl Clock {
    /// What time it is.
    pub fn now(&mut self) -> UnixNanos {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        self.latest = self.latest.max(now);
        self.latest
    }
}

/// A time as headers of HTTP have it (RFC 9110 §5.6.7).
pub fn http_date(at: UnixNanos) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_secs(at.seconds()))
}

/// A time as RFC 3339 has it.
pub fn rfc3339(at: UnixNanos) -> String {
    let time = der::DateTime::from_unix_duration(std::time::Duration::from_secs(at.seconds()));
    time.map(|time| time.to_string()).unwrap_or_default()
}
