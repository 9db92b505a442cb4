//! Links: how long a message takes, whether it is lost or comes twice. Draws from the
//! seed only where a link leaves something to chance.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::RngExt as _;

use crate::crypto::Rng;
use crate::notation::Name;
use crate::time::Span;

/// How messages travel from one party to another.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The latency, both ends included.
    pub latency: Range<Span>,
    /// The share of messages that are lost, 0 to 1.
    pub loss: f64,
    /// The share of messages that arrive twice, 0 to 1.
    pub duplicate: f64,
}

impl Default for Link {
    /// 20 ms, reliable.
    fn default() -> Self {
        Link { latency: Span::millis(20)..Span::millis(20), loss: 0.0, duplicate: 0.0 }
    }
}

/// All links.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Network {
    /// For links that are not listed.
    pub default: Link,
    /// Links from one party to another.
    pub links: BTreeMap<(Name, Name), Link>,
}

/// What becomes of one message.
pub(super) struct Fate {
    /// After how long it arrives, if it does.
    pub first: Option<Span>,
    /// After how long it arrives a second time, if it does.
    pub second: Option<Span>,
}

impl Network {
    pub(super) fn fate(&self, from: &Name, to: &Name, rng: &mut Rng) -> Fate {
        let link = match self.links.is_empty() {
            true => &self.default,
            false => self.links.get(&(from.clone(), to.clone())).unwrap_or(&self.default),
        };
        let mut chance = |p: f64| p > 0.0 && rng.random::<f64>() < p;
        let (lost, twice) = (chance(link.loss), chance(link.duplicate));
        let mut latency = || match &link.latency {
            Range { start, end } if start == end => *start,
            Range { start, end } => Span(rng.random_range(start.0..=end.0)),
        };
        if lost {
            return Fate { first: None, second: None };
        }
        let first = Some(latency());
        Fate { first, second: if twice { Some(latency()) } else { None } }
    }
}
