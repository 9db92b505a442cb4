//! Her hand: the engine of knowledge with her trust, clock and generator, and a plan made
//! on the spot from what she holds. Must not know why she acts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::Rng;
use crate::journal::Sight;
use crate::knowledge::{Arrived, Bytes, Context, Grounds, Knowledge, Value};
use crate::notation::{Id, Kind, Name, Node, Op, Planner, Table};
use crate::party::PartyTrust;
use crate::reason::Reason;

use super::Desk;

/// A notebook and what it takes to work with it.
pub struct Hand {
    pub knowledge: Knowledge,
    grounds: Arc<Grounds>,
    rng: Rng,
    trust: PartyTrust,
    unchecked: Vec<Id>,
}

/// A message to make: where it goes and what it claims to be.
pub struct Address<'a> {
    pub run: u32,
    pub line: u32,
    pub protocol: &'a str,
    pub from: &'a Name,
    pub to: &'a Name,
}

impl Hand {
    pub fn new(grounds: Arc<Grounds>, rng: Rng, trust: PartyTrust) -> Hand {
        Hand { knowledge: Knowledge::new(grounds.clone(), 0), grounds, rng, trust, unchecked: Vec::new() }
    }

    fn table(&self) -> &Table {
        &self.grounds.table
    }

    fn planner(&self) -> Planner<'_> {
        let known = self.knowledge.known();
        let mut planner =
            Planner::resume(self.table(), self.grounds.rights.clone(), known, self.unchecked.clone());
        self.grounds.supply.keys().for_each(|id| planner.hold(*id));
        planner
    }

    /// Whether she can build all of these now.
    pub fn can_build(&self, parts: &[Id]) -> bool {
        let planner = self.planner();
        parts.iter().all(|p| planner.can_build(*p))
    }

    /// What she lacks to build these, in the notation.
    pub fn missing(&self, parts: &[Id]) -> String {
        let planner = self.planner();
        let missing = parts.iter().flat_map(|p| planner.missing(*p));
        missing.map(|m| self.table().show(m)).collect::<Vec<_>>().join(", ")
    }

    /// Reads a message by a pattern. If it does not read so, she has learnt nothing.
    pub fn read(
        &mut self,
        message: &Sight,
        parts: &[Id],
        line: u32,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        let (ops, unchecked, slots) = {
            let mut planner = self.planner();
            let ops = planner.receive(parts);
            (ops, planner.unchecked().to_vec(), planner.slots())
        };
        let before = self.knowledge.clone();
        self.knowledge.reserve_slots(slots);
        let read = self.learn(&ops, message, line, desk);
        match read {
            Ok(()) => self.unchecked = unchecked,
            Err(_) => self.knowledge = before,
        }
        read
    }

    /// Reads a message of these parts as far as it can be read: a check that fails is no
    /// reason for her to stop.
    pub fn read_leniently(&mut self, message: &Sight, parts: &[Id], line: u32, desk: &mut Desk<'_>) {
        let (ops, unchecked, slots) = {
            let mut planner = self.planner();
            let ops = planner.receive(parts);
            (ops, planner.unchecked().to_vec(), planner.slots())
        };
        self.knowledge.reserve_slots(slots);
        for op in &ops {
            let _ = self.learn(std::slice::from_ref(op), message, line, desk);
        }
        self.unchecked = unchecked;
    }

    /// How a value of `id` would be tested against what she kept: the operations up to the
    /// first that opens something with it, or computes something from it and compares, and
    /// the term that this one is about.
    pub fn test_of(&self, id: Id) -> Option<(Vec<Op>, Id)> {
        let mut planner = self.planner();
        planner.hold(id);
        let mut ops = planner.recheck();
        let (at, of) = ops.iter().enumerate().find_map(|(at, op)| match op {
            Op::Open(_, of, _) | Op::Equal(_, of) => Some((at, *of)),
            _ => None,
        })?;
        let depends = match self.table().node(of) {
            Node::Enc(_, key) => planner.is_part(id, *key),
            _ => planner.is_part(id, of),
        };
        if !depends {
            return None;
        }
        ops.truncate(at + 1);
        Some((ops, of))
    }

    /// Carries out operations on what she kept.
    pub fn carry_out(&mut self, ops: &[Op], desk: &mut Desk<'_>) -> Result<(), Reason> {
        let slots = ops.iter().flat_map(|op| match op {
            Op::Open(_, _, inner) => inner.iter().map(|(slot, _)| usize::from(*slot) + 1).max(),
            _ => None,
        });
        self.knowledge.reserve_slots(slots.max().unwrap_or(0));
        let nothing = Bytes::from(Vec::new());
        let (casts, arrived) = (BTreeMap::new(), Arrived { from: "", bytes: &nothing });
        let (knowledge, mut ctx) = self.context(u32::MAX, &casts, desk);
        knowledge.learn(ops, &arrived, &mut ctx)
    }

    /// Carries out operations on a message.
    pub fn learn(
        &mut self,
        ops: &[Op],
        message: &Sight,
        line: u32,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        let arrived = Arrived { from: &message.from, bytes: &message.bytes };
        let casts = BTreeMap::new();
        let (knowledge, mut ctx) = self.context(line, &casts, desk);
        knowledge.learn(ops, &arrived, &mut ctx)
    }

    /// After she was handed something: opens what she kept and can open now.
    pub fn look_again(&mut self, desk: &mut Desk<'_>) {
        let (ops, unchecked, slots) = {
            let mut planner = self.planner();
            let ops = planner.recheck();
            (ops, planner.unchecked().to_vec(), planner.slots())
        };
        self.knowledge.reserve_slots(slots);
        let nothing = Bytes::from(Vec::new());
        let arrived = Arrived { from: "", bytes: &nothing };
        let last = u32::MAX;
        for op in &ops {
            let casts = BTreeMap::new();
            let (knowledge, mut ctx) = self.context(last, &casts, desk);
            // What does not open is not what she took it for; she keeps it as it is.
            let _ = knowledge.learn(std::slice::from_ref(op), &arrived, &mut ctx);
        }
        self.unchecked = unchecked;
    }

    /// Builds a message.
    pub fn write(
        &mut self,
        at: &Address<'_>,
        parts: &[Id],
        casts: &BTreeMap<Id, Kind>,
        desk: &mut Desk<'_>,
    ) -> Result<Sight, Reason> {
        let (knowledge, mut ctx) = self.context(at.line, casts, desk);
        let bytes = knowledge.build_message(parts, &mut ctx)?;
        Ok(self.sight(at, Bytes::from(bytes), parts))
    }

    /// Builds one term.
    pub fn build(&mut self, id: Id, line: u32, desk: &mut Desk<'_>) -> Result<Value, Reason> {
        let casts = BTreeMap::new();
        let (knowledge, mut ctx) = self.context(line, &casts, desk);
        knowledge.build(id, &mut ctx)
    }

    /// A message of these bytes, shown as these terms.
    pub fn sight(&self, at: &Address<'_>, bytes: Bytes, parts: &[Id]) -> Sight {
        Sight {
            id: 0,
            run: at.run,
            protocol: at.protocol.into(),
            line: at.line,
            question: None,
            from: at.from.clone(),
            to: at.to.clone(),
            shown: self.knowledge.show(parts.into()),
            bytes,
        }
    }

    fn context<'a>(
        &'a mut self,
        line: u32,
        casts: &'a BTreeMap<Id, Kind>,
        desk: &'a mut Desk<'_>,
    ) -> (&'a mut Knowledge, Context<'a>) {
        let character = &desk.profile.character;
        let context = Context {
            rng: &mut self.rng,
            now: desk.cast.clock(desk.now, character.clock_offset),
            max_skew: character.max_skew,
            max_lifetime: None,
            lifetime: &desk.cast.lifetimes,
            keys: &desk.cast.keys,
            trust: &mut self.trust,
            line,
            casts,
            made: &mut desk.effects.made,
        };
        (&mut self.knowledge, context)
    }
}
