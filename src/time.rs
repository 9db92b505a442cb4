//! Virtual time: nanoseconds since the play began, and how people write spans.
//! Must not know a wall clock.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// An instant of virtual time, in nanoseconds since the play began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct SimTime(pub u64);

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Span(pub u64);

/// The date at which virtual time is zero: 2026-01-01T00:00:00Z.
pub const EPOCH: UnixNanos = UnixNanos(1_767_225_600 * 1_000_000_000);

/// A reading of some party's clock, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct UnixNanos(pub u64);

const NANOS: u64 = 1_000_000_000;
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3_600 * NANOS),
    ("d", 86_400 * NANOS),
    ("w", 7 * 86_400 * NANOS),
];

/// What a span may look like, for error messages.
pub const SPAN_EXPECTED: &str = "a duration such as `250ms`, `20s`, `5m`, `1h 30m` or `7d`";

impl SimTime {
    /// The start of the play.
    pub const ZERO: SimTime = SimTime(0);

    /// This instant, `span` later; saturates at the end of time.
    pub fn after(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }

    /// How long after `earlier` this instant is; zero if it is not.
    pub fn since(self, earlier: SimTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(n: u64) -> Span {
        Span(n.saturating_mul(NANOS))
    }

    /// A span of whole milliseconds.
    pub const fn millis(n: u64) -> Span {
        Span(n.saturating_mul(1_000_000))
    }

    /// Reads `20ms`, `1h 30m`, `1.5s`. `None` if it is not a duration or does not fit.
    pub fn parse(text: &str) -> Option<Span> {
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest == "0" {
            return Some(Span(0));
        }
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let mut nanos = whole.parse::<u64>().ok()?.checked_mul(scale)?;
            let mut place = scale;
            for digit in fraction.bytes() {
                if !digit.is_ascii_digit() {
                    return None;
                }
                place /= 10;
                nanos = nanos.checked_add(place.checked_mul(u64::from(digit - b'0'))?)?;
            }
            total = total.checked_add(nanos)?;
            rest = tail.trim_start();
        }
        Some(Span(total))
    }

    /// Reads one span, or `10ms..50ms` as a range whose end is included.
    pub fn parse_range(text: &str) -> Option<Range<Span>> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (low, high) = (Span::parse(low)?, Span::parse(high)?);
        (low <= high).then_some(low..high)
    }
}

impl fmt::Display for Span {
    /// In full, in units that differ from zero: `2d 23h 40m 10s`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (name, scale) in UNITS.iter().rev().filter(|(name, _)| *name != "w") {
            if left >= *scale {
                let space = if left < self.0 { " " } else { "" };
                write!(f, "{space}{}{name}", left / scale)?;
                left %= scale;
            }
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

impl fmt::Display for SimTime {
    /// As a clock that goes just so far shows it: `0.020`, `2d 03:00:00.020`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&Clock::upto(*self).show(*self))
    }
}

/// The form of all times that stand together, so that they read alike: seconds in a play of less
/// than two minutes, else hours, minutes and seconds, with days where there are any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    has_hours: bool,
}

impl Clock {
    /// The form for times up to this one.
    pub fn upto(last: SimTime) -> Clock {
        Clock { has_hours: last >= SimTime::ZERO.after(Span::seconds(120)) }
    }

    /// A time in this form.
    pub fn show(self, at: SimTime) -> String {
        let millis = at.0 / 1_000_000;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        if !self.has_hours {
            return format!("{seconds}.{millis:03}");
        }
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let days = if days > 0 { format!("{days}d ") } else { String::new() };
        format!("{days}{hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
    }
}

impl UnixNanos {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / NANOS
    }

    /// This reading, `span` later.
    pub fn after(self, span: Span) -> UnixNanos {
        UnixNanos(self.0.saturating_add(span.0))
    }

    /// The distance between two readings, whichever is later.
    pub fn distance(self, other: UnixNanos) -> Span {
        Span(self.0.abs_diff(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_shown() {
        for (text, nanos) in
            [("20ms", 20_000_000), ("1h 30m", 5_400 * NANOS), ("1.5s", 1_500_000_000), ("0", 0)]
        {
            assert_eq!(Span::parse(text), Some(Span(nanos)), "{text}");
        }
        for text in ["", "20", "ms", "5 parsecs", "-1s", "1..s", "99999999999999w"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
        assert_eq!(Span(5_400 * NANOS).to_string(), "1h 30m");
        assert_eq!(Span(0).to_string(), "0s");
        assert_eq!(Span(258_010 * NANOS).to_string(), "2d 23h 40m 10s");
        assert_eq!(Span::parse_range("10ms..50ms"), Some(Span::millis(10)..Span::millis(50)));
        assert_eq!(Span::parse_range("50ms..10ms"), None);
    }

    #[test]
    fn instants_are_shown_for_people() {
        assert_eq!(SimTime(20_000_000).to_string(), "0.020");
        assert_eq!(Clock::upto(SimTime(300 * NANOS)).show(SimTime(60 * NANOS)), "00:01:00.000");
        assert_eq!(SimTime(2 * 86_400 * NANOS + 3 * 3_600 * NANOS).to_string(), "2d 03:00:00.000");
    }
}
