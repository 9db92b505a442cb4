//! The attacker's hand: the engine of knowledge with her trust, clock and generator, and a plan
//! made on the spot from what she holds. Must not know why she acts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Desk;
use super::format::{Format, Spelling};
use crate::algebra::{Bytes, How, Private, Provenance, Public, Value};
use crate::crypto::Rng;
use crate::journal::Sight;
use crate::knowledge::{Arrived, Context, Grounds, Knowledge};
use crate::notation::{Func, Id, Name, Node, Op, Planner, Source, Table, Term};
use crate::party::{AttackerEffect, Effects, PartyTrust};
use crate::pki::Certificates;
use crate::reason::Reason;

/// A notebook and what it takes to work with it.
pub struct Hand {
    pub knowledge: Knowledge,
    rng: Rng,
    trust: PartyTrust,
    unchecked: Vec<Id>,
    /// The format in which each term came that she took off the wire.
    kept: BTreeMap<Id, Arc<Format>>,
    /// How the terms of her own making are spelt.
    made: BTreeMap<Id, Spelling>,
}

/// A message to make: where it goes and what it claims to be.
pub struct Address<'a> {
    pub run: u32,
    pub line: u32,
    pub protocol: &'a str,
    pub from: &'a Name,
    pub to: &'a Name,
}

/// What to do about a step of a plan that fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// The message does not read so.
    Ends,
    /// A check that fails is no reason for her to stop: she keeps the part as it is.
    IsPassedOver,
}

impl Hand {
    pub fn new(grounds: Arc<Grounds>, rng: Rng, trust: PartyTrust) -> Hand {
        let (kept, made) = (BTreeMap::new(), BTreeMap::new());
        Hand { knowledge: Knowledge::new(grounds, 0), rng, trust, unchecked: Vec::new(), kept, made }
    }

    fn table(&self) -> &Table {
        self.knowledge.table()
    }

    fn planner(&self) -> Planner<'_> {
        let (known, grounds) = (self.knowledge.known(), self.knowledge.grounds());
        let mut planner =
            Planner::resume(&grounds.table, grounds.rights.clone(), known, self.unchecked.clone());
        grounds.supply.keys().for_each(|id| planner.hold(*id));
        planner
    }

    /// Whether she can build all of these now, to write them in this format.
    pub fn can_build(&mut self, parts: &[Id], format: &Format) -> bool {
        self.knowledge.stand_on(format.grounds.clone());
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
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        let before = (self.knowledge.clone(), self.unchecked.clone(), self.kept.clone(), self.made.clone());
        let read = self.read_with(Failing::Ends, message, parts, format, desk);
        if read.is_err() {
            (self.knowledge, self.unchecked, self.kept, self.made) = before;
        }
        read
    }

    /// Reads a message of these parts as far as it can be read.
    pub fn read_leniently(
        &mut self,
        message: &Sight,
        parts: &[Id],
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) {
        let read = self.read_with(Failing::IsPassedOver, message, parts, format, desk);
        debug_assert!(read.is_ok(), "what fails is passed over");
    }

    fn read_with(
        &mut self,
        failing: Failing,
        message: &Sight,
        parts: &[Id],
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        self.take_up(parts, format, desk);
        for id in self.within(parts) {
            // A certificate that comes is taken as it comes, whichever she knew before.
            if let Some((Func::Cert, _)) = self.paper(id) {
                self.knowledge.unset(id);
            }
        }
        let (ops, unchecked) = self.plan(|planner| planner.receive(parts));
        let arrived = Arrived { from: &message.from, bytes: &message.bytes };
        self.carry_out_each(&ops, &arrived, format, failing, desk)?;
        self.unchecked = unchecked;
        Ok(())
    }

    /// A plan from what she holds, with room for it, and what stays unchecked after it.
    fn plan(&mut self, make: impl FnOnce(&mut Planner<'_>) -> Vec<Op>) -> (Vec<Op>, Vec<Id>) {
        let (ops, unchecked, slots) = {
            let mut planner = self.planner();
            let ops = make(&mut planner);
            (ops, planner.unchecked().to_vec(), planner.slots())
        };
        self.knowledge.reserve_slots(slots);
        (ops, unchecked)
    }

    /// How a value of `id` would be tested against what she kept: the operations up to the
    /// first that opens something with it, or computes something from it and compares, and
    /// the term that this one is about.
    fn test_of(&self, id: Id) -> Option<(Vec<Op>, Id)> {
        let mut planner = self.planner();
        planner.hold(id);
        let mut ops = planner.recheck();
        let (at, of) = ops.iter().enumerate().find_map(|(at, op)| match op {
            Op::Open(_, of, _) | Op::Equal(_, of) | Op::Verify(_, of) => Some((at, *of)),
            _ => None,
        })?;
        let depends = match self.table().node(of) {
            Node::Enc(_, key) => planner.table.is_part(id, *key),
            _ => planner.table.is_part(id, of),
        };
        if !depends {
            return None;
        }
        ops.truncate(at + 1);
        Some((ops, of))
    }

    /// What of what she kept would tell a right value from a wrong one, and the bytes of all that
    /// she has of it.
    pub fn testable(&self, id: Id) -> Option<(Value, Vec<Bytes>)> {
        let (_, of) = self.test_of(id)?;
        let parts = self.within(&[of]);
        let bytes = parts.into_iter().filter_map(|part| Some(self.knowledge.get(part)?.bytes.clone()));
        Some((self.knowledge.get(of)?.clone(), bytes.collect()))
    }

    /// Whether something opens, or comes out right, if this is what stands there.
    pub fn fits(&mut self, id: Id, word: &Value, desk: &mut Desk<'_>) -> bool {
        let Some((ops, _)) = self.test_of(id) else { return false };
        let before = self.knowledge.clone();
        self.knowledge.set(id, word.clone());
        let fits = self.with_scratch(desk, |hand, desk| hand.carry_out(&ops, desk));
        self.knowledge = before;
        fits.is_ok()
    }

    /// Works beside the play: what she computes in order to guess is not yet of it. A limit that
    /// keeps her from it is.
    pub fn with_scratch<T>(
        &mut self,
        desk: &mut Desk<'_>,
        work: impl FnOnce(&mut Hand, &mut Desk<'_>) -> T,
    ) -> T {
        let mut effects = Effects::default();
        let Desk { cast, profile, directory, connections, now, active, .. } = *desk;
        let done = work(
            self,
            &mut Desk { cast, profile, directory, connections, now, active, effects: &mut effects },
        );
        let is_halt = |effect: &AttackerEffect| matches!(effect, AttackerEffect::Halt(_));
        desk.effects.all.extend(effects.all.into_iter().filter(is_halt));
        done
    }

    /// The passwords in her terms that she does not have and whose owners she knows.
    pub fn passwords(&self) -> Vec<(Id, Term)> {
        let table = self.table();
        let name = |id: &Id| self.knowledge.get(*id).and_then(Value::text);
        let all = table.ids().filter(|id| self.knowledge.get(*id).is_none());
        let password = |id: Id| match table.node(id) {
            Node::App(Func::Pw, args) => {
                Some((id, Term::of(Func::Pw, &args.iter().map(name).collect::<Option<Vec<_>>>()?)))
            }
            _ => None,
        };
        all.filter_map(password).collect()
    }

    /// Carries out operations on what she kept.
    fn carry_out(&mut self, ops: &[Op], desk: &mut Desk<'_>) -> Result<(), Reason> {
        let slots = ops.iter().flat_map(|op| match op {
            Op::Open(_, _, inner) => inner.iter().map(|(slot, _)| usize::from(*slot) + 1).max(),
            _ => None,
        });
        self.knowledge.reserve_slots(slots.max().unwrap_or(0));
        self.on_what_was_kept(ops, Failing::Ends, desk)
    }

    /// Carries out operations on a message.
    pub fn learn(
        &mut self,
        ops: &[Op],
        message: &Sight,
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        let arrived = Arrived { from: &message.from, bytes: &message.bytes };
        self.carry_out_each(ops, &arrived, format, Failing::Ends, desk)
    }

    /// After she was handed something: opens what she kept and can open now.
    pub fn look_again(&mut self, desk: &mut Desk<'_>) {
        let (ops, unchecked) = self.plan(|planner| planner.recheck());
        let looked = self.on_what_was_kept(&ops, Failing::IsPassedOver, desk);
        debug_assert!(looked.is_ok(), "what fails is passed over");
        self.unchecked = unchecked;
    }

    fn on_what_was_kept(&mut self, ops: &[Op], failing: Failing, desk: &mut Desk<'_>) -> Result<(), Reason> {
        let Some(format) = self.kept.values().next().cloned() else { return Ok(()) };
        let nothing = Bytes::from(Vec::new());
        self.carry_out_each(ops, &Arrived { from: "", bytes: &nothing }, &format, failing, desk)
    }

    /// Carries out a plan: each operation in the format in which the part came that it is about.
    fn carry_out_each(
        &mut self,
        ops: &[Op],
        message: &Arrived<'_>,
        format: &Arc<Format>,
        failing: Failing,
        desk: &mut Desk<'_>,
    ) -> Result<(), Reason> {
        let known = self.knowledge.known();
        let mut taken = BTreeSet::new();
        let mut slots: BTreeMap<u16, Arc<Format>> = BTreeMap::new();
        for op in ops {
            let (source, arrives) = subject(op);
            let of = match source {
                Some(Source::Kept(id)) => self.kept.get(&id),
                Some(Source::Slot(slot)) => slots.get(&slot),
                None => None,
            };
            let of = of.unwrap_or(format).clone();
            self.knowledge.stand_on(of.grounds.clone());
            let (knowledge, mut ctx) = self.context(&of, desk);
            if let Err(reason) = knowledge.learn(std::slice::from_ref(op), message, &mut ctx) {
                desk.stop_at_limit(reason);
                if failing == Failing::Ends {
                    return Err(reason);
                }
            }
            taken.extend(arrives.iter().copied());
            for id in arrives {
                self.kept.insert(id, of.clone());
            }
            if let Op::Open(_, _, inner) = op {
                slots.extend(inner.iter().map(|(slot, _)| (*slot, of.clone())));
            }
        }
        self.note_made(&known, &taken, format);
        Ok(())
    }

    /// Goes on in this format: what she made of these terms for another she will make anew.
    /// Public keys are those of now.
    fn take_up(&mut self, parts: &[Id], format: &Format, desk: &Desk<'_>) {
        self.knowledge.stand_on(format.grounds.clone());
        let is_stale = |id: &Id| {
            let made = self.made.get(id).filter(|_| format.knows(*id));
            made.is_some() && format.spelling(*id, &self.knowledge).as_ref() != made
        };
        let terms = self.within(parts);
        for id in terms.iter().copied().filter(is_stale).collect::<Vec<_>>() {
            self.knowledge.unset(id);
            self.made.remove(&id);
        }
        for id in terms {
            if let Some((Func::Pk, name)) = self.paper(id)
                && let Some(keys) = desk.directory.keys_since(&name)
            {
                self.knowledge.set(id, keys);
            }
        }
    }

    /// Looks up certificates that are to be sent. Of several of a party's it is the newest; the
    /// newest for the private key that she holds, if she holds one of that party's.
    fn look_up(&mut self, parts: &[Id], desk: &Desk<'_>) {
        for id in self.within(parts) {
            let Some((Func::Cert, name)) = self.paper(id) else { continue };
            let table = self.table();
            let private = table.find_node(&Node::App(Func::Sk, table.parts(id)));
            let private = private.and_then(|id| Private::from_bytes(&self.knowledge.get(id)?.bytes).ok());
            let Some(newest) = desk.directory.newest(&name, private.as_ref()) else { continue };
            // What she took off the wire may have a staple with it.
            let held = self.knowledge.get(id).and_then(|held| Certificates::from_bytes(&held.bytes).ok());
            if held.is_none_or(|held| !held.subjects().eq(newest.subjects())) {
                self.knowledge.set(id, newest.to_value());
            }
        }
    }

    /// The party whose public key or certificate a term is.
    fn paper(&self, id: Id) -> Option<(Func, Name)> {
        let Node::App(func @ (Func::Cert | Func::Pk), args) = self.table().node(id) else { return None };
        Some((*func, self.knowledge.get(args[0])?.text()?.into()))
    }

    /// These terms and all that stand in them.
    fn within(&self, parts: &[Id]) -> BTreeSet<Id> {
        let mut terms = BTreeSet::new();
        let mut open: Vec<Id> = parts.to_vec();
        while let Some(id) = open.pop() {
            if terms.insert(id) {
                open.extend(self.table().each_part(id));
            }
        }
        terms
    }

    /// Notes what she has made since she knew only `known`, beside what she took.
    fn note_made(&mut self, known: &BTreeSet<Id>, taken: &BTreeSet<Id>, format: &Format) {
        for id in self.knowledge.known() {
            if !known.contains(&id)
                && !taken.contains(&id)
                && let Some(spelling) = format.spelling(id, &self.knowledge)
            {
                self.made.insert(id, spelling);
            }
        }
    }

    /// Builds a message.
    pub fn write(
        &mut self,
        at: &Address<'_>,
        parts: &[Id],
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> Result<Sight, Reason> {
        self.take_up(parts, format, desk);
        self.look_up(parts, desk);
        let known = self.knowledge.known();
        let (knowledge, mut ctx) = self.context(format, desk);
        let bytes = knowledge.build_message(parts, &mut ctx);
        let bytes = bytes.inspect_err(|reason| desk.stop_at_limit(*reason))?;
        self.note_made(&known, &BTreeSet::new(), format);
        Ok(self.sight(at, Bytes::from(bytes), parts))
    }

    /// Builds one term.
    pub fn build(&mut self, id: Id, format: &Format, desk: &mut Desk<'_>) -> Result<Value, Reason> {
        self.take_up(&[id], format, desk);
        self.look_up(&[id], desk);
        let (knowledge, mut ctx) = self.context(format, desk);
        let value = knowledge.build(id, &mut ctx);
        value.inspect_err(|reason| desk.stop_at_limit(*reason))
    }

    /// What a term that nothing follows from is computed from, and its value: beside the play, as
    /// nothing is made yet.
    pub fn recipe(&mut self, id: Id, format: &Format, desk: &mut Desk<'_>) -> Option<(Value, Provenance)> {
        let mut effects = Effects::default();
        let Desk { cast, profile, directory, connections, now, active, .. } = *desk;
        let mut beside = Desk { cast, profile, directory, connections, now, active, effects: &mut effects };
        let before = (self.knowledge.clone(), self.made.clone());
        self.knowledge.unset(id);
        let value = self.build(id, format, &mut beside);
        (self.knowledge, self.made) = before;
        let value = value.inspect_err(|reason| desk.stop_at_limit(*reason)).ok()?;
        let made = effects.made.into_iter().rev().find(|made| made.value == value)?;
        match made.how {
            How::Computed(provenance) => Some((value, provenance)),
            How::Drawn | How::PublicOf(_) => None,
        }
    }

    /// What a signature is of, and the public key under which it verifies; none of what she cannot
    /// make.
    pub fn signed(
        &mut self,
        id: Id,
        owner: Id,
        format: &Format,
        desk: &mut Desk<'_>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let table = self.knowledge.grounds().table.clone();
        let Node::App(_, args) = table.node(id) else { return None };
        let public = table.find_node(&Node::App(Func::Pk, [owner].into_iter().collect()))?;
        let planner = self.planner();
        if !planner.can_build(public) || !args[1..].iter().all(|part| planner.can_build(*part)) {
            return None;
        }
        let public = self.build(public, format, desk).ok()?;
        let (knowledge, mut ctx) = self.context(format, desk);
        let text = knowledge.bytes_to_verify(id, &args[1..], &mut ctx);
        let text = text.inspect_err(|reason| desk.stop_at_limit(*reason)).ok()?;
        Some((text, Public::from_bytes(&public.bytes).ok()?.signature?))
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
        format: &'a Format,
        desk: &'a mut Desk<'_>,
    ) -> (&'a mut Knowledge, Context<'a>) {
        let character = &desk.profile.character;
        let context = Context {
            rng: &mut self.rng,
            now: desk.cast.clock(desk.now, character.clock_offset),
            max_skew: character.max_skew,
            max_lifetime: None,
            min_strength: 0,
            lifetime: &desk.cast.lifetimes,
            keys: &desk.cast.keys,
            trust: &mut self.trust,
            line: format.line,
            casts: &format.casts,
            made: &mut desk.effects.made,
        };
        (&mut self.knowledge, context)
    }
}

/// Where an operation finds what it is about, and the terms that it takes as they came.
fn subject(op: &Op) -> (Option<Source>, Vec<Id>) {
    match op {
        Op::Sender(id) => (None, vec![*id]),
        Op::Split(_) => (None, Vec::new()),
        Op::Equal(source, _) => (Some(*source), Vec::new()),
        Op::Open(source, id, _)
        | Op::Verify(source, id)
        | Op::Bind(source, id)
        | Op::Keep(source, id)
        | Op::Certificate(source, id) => (Some(*source), vec![*id]),
        Op::Invert(source, id, unknown) => (Some(*source), vec![*id, *unknown]),
    }
}
