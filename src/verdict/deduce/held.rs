//! What the attacker has and how she came to each value. Must not know what follows from what.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::graph::{Graph, Id, RuleId};
use crate::algebra::Bytes;
use crate::limits::MAX_DERIVATION_STEPS;
use crate::notation::Name;

/// How she comes to a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// Everybody knows it.
    Public,
    /// An honest party put it on the wire.
    Seen {
        /// Where.
        place: Arc<str>,
        /// Who sent it.
        from: Name,
    },
    /// She put it on the wire herself.
    Sent {
        /// Where.
        place: Arc<str>,
    },
    /// She had it from the start.
    Own(String),
    /// She drew or made it.
    Made,
    /// An event handed it to her.
    Handed(String),
    /// A word of her dictionary that opens or gives `tested`; she tried so many.
    Guessed {
        /// The password.
        term: String,
        /// How many words she tried.
        words: usize,
        /// What told the right one.
        tested: Bytes,
    },
    /// A word of her dictionary by which `tested` opens or comes out, with these.
    Fits {
        /// How many words she tries.
        words: usize,
        /// What tells the right one.
        tested: Id,
        /// What she has besides that it takes.
        with: Vec<Id>,
    },
    /// She computed it as nobody meant her to, in this way from these.
    Recovered {
        /// How, in words that go before what it was computed from.
        how: Arc<str>,
        /// What from.
        from: Vec<Bytes>,
    },
    /// By a rule.
    By(RuleId),
    /// The exclusive or of these.
    Sum(Vec<Id>),
    /// Bytes out of a message or a text that she opened.
    CutOut {
        /// Its number among the blobs.
        blob: usize,
    },
    /// These, side by side.
    Joined(Vec<Id>),
}

/// The limit was reached: nothing can be said of what she does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted;

/// What she has, and how she came to it.
#[derive(Clone, Debug)]
pub struct Held {
    ways: Vec<Option<Way>>,
    /// The event with which she came to what follows from nothing else; none after the play.
    since: Vec<Option<u64>>,
    /// How many of a rule's inputs she lacks.
    lacks: Vec<u32>,
    /// What she has come to have and whose rules were not looked at yet, in that order, so that
    /// short ways are found before long ones.
    fresh: VecDeque<Id>,
    /// Values that stand in a linear relation and came since it was last solved.
    summed: bool,
    steps: usize,
}

impl Held {
    /// Nothing but what everybody knows.
    pub fn of(graph: &Graph) -> Held {
        let mut held = Held {
            ways: vec![None; graph.nodes.len()],
            since: vec![None; graph.nodes.len()],
            lacks: graph.rules.iter().map(|rule| distinct(&rule.from)).collect(),
            fresh: VecDeque::new(),
            summed: true,
            steps: 0,
        };
        for id in graph.ids().filter(|id| graph.nodes[id.index()].is_public) {
            held.take(id, Way::Public);
        }
        held
    }

    pub fn has(&self, id: Id) -> bool {
        self.ways[id.index()].is_some()
    }

    pub fn way(&self, id: Id) -> Option<&Way> {
        self.ways[id.index()].as_ref()
    }

    /// She has this by an event, or once the play is over, unless she had it before.
    pub fn take_at(&mut self, id: Id, way: Way, event: Option<u64>) {
        if !self.has(id) {
            self.since[id.index()] = event;
        }
        self.take(id, way);
    }

    /// The event by which she came to what follows from nothing else.
    pub fn since(&self, id: Id) -> Option<u64> {
        self.since[id.index()]
    }

    /// She has this, unless she had it before.
    pub fn take(&mut self, id: Id, way: Way) {
        let place = &mut self.ways[id.index()];
        if place.is_none() {
            *place = Some(way);
            self.fresh.push_back(id);
        }
    }

    /// Counts steps towards the limit.
    pub fn count(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_DERIVATION_STEPS { Err(Exhausted) } else { Ok(()) }
    }

    /// How many steps were counted since this was the other.
    pub fn steps_since(&self, other: &Held) -> usize {
        self.steps - other.steps
    }

    /// The next value whose rules were not looked at yet.
    pub fn next(&mut self) -> Option<Id> {
        let next = self.fresh.pop_front();
        self.summed |= next.is_some();
        next
    }

    /// Whether there is none.
    pub fn is_settled(&self) -> bool {
        self.fresh.is_empty()
    }

    /// Whether something came since the last time that this was asked.
    pub fn has_news(&mut self) -> bool {
        std::mem::take(&mut self.summed)
    }

    /// One input of a rule is there; whether it was the last.
    pub fn lessen(&mut self, graph: &Graph, rule: RuleId) -> bool {
        let lacks = &mut self.lacks[rule.index()];
        *lacks -= 1;
        if *lacks > 0 {
            return false;
        }
        for id in &graph.rules[rule.index()].gives {
            self.take(*id, Way::By(rule));
        }
        true
    }
}

fn distinct(ids: &[Id]) -> u32 {
    let mut ids: SmallVec<[Id; 4]> = ids.into();
    ids.sort_unstable();
    ids.dedup();
    ids.len() as u32
}
