//! One party's part in one run: it interprets its role's program. Must not know other
//! sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cast::{Cast, Character, Spoken};
use super::trust::PartyTrust;
use super::{Effect, Effects};
use crate::crypto::{self, Rng};
use crate::journal::{MessageId, Refusal, SessionId, Sight, What};
use crate::knowledge::{Bytes, Context, Knowledge, Value};
use crate::notation::table::Casts;
use crate::notation::{Action, Id, Name, Op, Program};
use crate::reason::Reason;
use crate::time::{SimTime, Span};
use crate::vault::Limiter;

/// One party's part in one run.
pub struct Session {
    /// Which.
    pub id: Arc<SessionId>,
    spoken: Arc<Spoken>,
    program: Arc<Program>,
    knowledge: Knowledge,
    rng: Rng,
    next: usize,
    /// When it began, and when it last looked whether its peers' certificates stand.
    since: SimTime,
    checked: SimTime,
    /// The certificates that it accepted, with their subjects.
    accepted: Vec<(Vec<u8>, String)>,
    /// The message that it looks at.
    at_hand: Option<MessageId>,
    /// Messages for lines that come later, in order of arrival.
    early: Vec<Arc<Sight>>,
}

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for this line.
    Waits(u32),
    /// It is over: every step is done, or a check failed.
    Over,
}

/// What reading a message came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// The session went on, or refused.
    Done,
    /// It read nothing yet: its party wants to know something first.
    Postponed,
}

/// Whether a service still serves a name.
pub type Admission<'a> = dyn Fn(&str) -> Result<(), Reason> + 'a;

/// From where a session works: what it shares, its party's character, the time.
pub struct Stand<'a> {
    /// What all share.
    pub cast: &'a Cast,
    /// The party's character.
    pub character: &'a Character,
    /// The party's trust.
    pub trust: &'a mut PartyTrust,
    /// The time.
    pub now: SimTime,
    /// How far the party's clock is ahead.
    pub clock_offset: i64,
    /// How many lines that cost public-key operations the party can still send, if it has
    /// only so much strength.
    pub strength: Option<&'a mut Limiter>,
    /// A last look at what was read before the session goes on: the service's register.
    pub admit: Option<&'a Admission<'a>>,
    /// Digests of the opening messages that the party has accepted, if it remembers any.
    pub accepted: Option<&'a mut BTreeSet<[u8; 32]>>,
}

impl Session {
    /// A session at its first step. `names` are the parties that the role knows already.
    pub fn new(
        cast: &Cast,
        id: Arc<SessionId>,
        spoken: &Arc<Spoken>,
        program: &Arc<Program>,
        names: &BTreeMap<Name, Name>,
        (stream, now): (&str, SimTime),
    ) -> Session {
        let grounds = &spoken.grounds[&program.role];
        let mut knowledge = Knowledge::new(grounds.clone(), program.slots);
        let table = knowledge.table().clone();
        knowledge.set(program.me, Value::name(&id.party));
        let known = spoken.services.iter().chain(names);
        for (role, name) in known.filter(|(role, _)| **role != program.role) {
            if let Some(role) = table.find_name(role) {
                knowledge.set(role, Value::name(name));
            }
        }
        for value in spoken.protocol.values.iter().filter(|v| v.role == program.role) {
            let given = cast.given(id.run, &spoken.protocol.name).and_then(|g| g.get(&value.name));
            if let (Some(term), Some(given)) = (table.find_name(&value.name), given) {
                knowledge.set(term, given.clone());
            }
        }
        let run = id.run.to_string();
        let rng = cast.keys.stream(&[&id.party, "run", &run, &id.role, stream]);
        let (spoken, program) = (spoken.clone(), program.clone());
        Session {
            id,
            spoken,
            program,
            knowledge,
            rng,
            next: 0,
            since: now,
            checked: now,
            accepted: Vec::new(),
            at_hand: None,
            early: Vec::new(),
        }
    }

    /// The line for which it waits.
    pub fn state(&self) -> State {
        match self.program.steps.get(self.next) {
            Some(step) => State::Waits(step.line),
            None => State::Over,
        }
    }

    /// From whom it waits for its next line.
    pub fn waits_for(&self) -> String {
        match self.program.steps.get(self.next).map(|s| &s.action) {
            Some(Action::Receive { from, .. }) => {
                let name = self.knowledge.get(*from).and_then(Value::text);
                name.map_or_else(|| self.knowledge.table().show(*from), str::to_owned)
            }
            _ => String::new(),
        }
    }

    /// How long ago it began.
    pub fn age(&self, now: SimTime) -> Span {
        now.since(self.since)
    }

    /// How long ago it last looked whether its peers' certificates stand.
    pub fn unchecked_for(&self, now: SimTime) -> Span {
        now.since(self.checked)
    }

    /// The certificates that it accepted, with their subjects.
    pub fn accepted(&self) -> &[(Vec<u8>, String)] {
        &self.accepted
    }

    /// Its peers' certificates stand, as of now.
    pub fn note_checked(&mut self, now: SimTime) {
        self.checked = now;
    }

    /// Ends a live session from outside.
    pub fn terminate(&mut self, effects: &mut Effects) {
        if let State::Waits(line) = self.state() {
            self.refuse(line, Reason::SessionTerminated, effects);
        }
    }

    /// Whether it may show its own certificate in what it sends yet.
    pub fn shows_own(&self) -> bool {
        self.program.steps[self.next.min(self.program.steps.len())..]
            .iter()
            .any(|step| matches!(step.action, Action::Send { .. }))
            && self.spoken.protocol.has_certificates
    }

    /// Whether reading its next line involves a certificate.
    fn reads_certificate(&self) -> bool {
        match self.program.steps.get(self.next).map(|s| &s.action) {
            Some(Action::Receive { ops, .. }) => ops.iter().any(|op| matches!(op, Op::Certificate(..))),
            _ => false,
        }
    }

    /// This is the message that it looks at, and refuses if it refuses.
    pub fn has_at_hand(&mut self, message: MessageId) {
        self.at_hand = Some(message);
    }

    /// Keeps a message that is ahead of its line.
    pub fn keep_early(&mut self, message: Arc<Sight>) {
        self.early.push(message);
    }

    /// A message that was kept for the line at hand.
    pub fn take_early(&mut self) -> Option<Arc<Sight>> {
        let State::Waits(line) = self.state() else { return None };
        let at = self.early.iter().position(|m| m.line == line)?;
        Some(self.early.remove(at))
    }

    /// Does its steps up to the next line for which it must wait.
    pub fn go_on(&mut self, stand: &mut Stand<'_>, effects: &mut Effects) {
        let program = self.program.clone();
        while let Some(step) = program.steps.get(self.next) {
            let Action::Send { to, parts } = &step.action else { return };
            match self.send(*to, parts, step.line, stand, effects) {
                Ok(message) => effects.all.push(Effect::Send(message)),
                Err(reason) => return self.refuse(step.line, reason, effects),
            }
            if let Err(reason) = self.conclude(&step.concludes, step.line, stand, effects) {
                return self.refuse(step.line, reason, effects);
            }
            self.next += 1;
        }
        effects.note(What::Completed { session: self.id.clone() });
        self.knowledge.forget();
    }

    /// Refuses an opening message that was accepted before: the last of the checks, so that an
    /// old message is `expired` or `stale` first (RFC 4120 §3.2.3).
    fn check_replay(&self, message: &Sight, stand: &mut Stand<'_>) -> Result<(), Reason> {
        let Some(accepted) = stand.accepted.as_deref_mut().filter(|_| self.next == 0) else { return Ok(()) };
        let is_new = accepted.insert(crypto::sha256(&[&message.bytes]));
        if is_new { Ok(()) } else { Err(Reason::Replayed) }
    }

    /// Reads the message for which it waits, then goes on; or reads nothing, if that depends
    /// on what its party does not know yet.
    pub fn receive(&mut self, message: &Sight, stand: &mut Stand<'_>, effects: &mut Effects) -> Reading {
        self.has_at_hand(message.id);
        let program = self.program.clone();
        let Some(step) = program.steps.get(self.next) else { return Reading::Done };
        let Action::Receive { ops, .. } = &step.action else { return Reading::Done };
        let may_ask = stand.trust.relying.asks() && self.reads_certificate();
        let before = if may_ask { Some(self.knowledge.clone()) } else { None };
        let read = self
            .read(ops, message, step.line, stand, effects)
            .and_then(|()| self.admit(step.line, stand))
            .and_then(|()| self.check_replay(message, stand))
            .and_then(|()| self.conclude(&step.concludes, step.line, stand, effects));
        match read {
            Ok(()) => {
                self.next += 1;
                self.go_on(stand, effects);
            }
            Err(_) if !stand.trust.wants.is_empty() && before.is_some() => {
                self.knowledge = before.unwrap_or_else(|| self.knowledge.clone());
                return Reading::Postponed;
            }
            Err(reason) => self.refuse(step.line, reason, effects),
        }
        let passed = std::mem::take(&mut stand.trust.passed);
        if !passed.is_empty() {
            self.accepted.extend(passed);
            self.checked = stand.now;
        }
        self.at_hand = None;
        Reading::Done
    }

    fn refuse(&mut self, line: u32, reason: Reason, effects: &mut Effects) {
        let (session, message) = (self.id.clone(), self.at_hand);
        effects.note(What::Refused { session, refusal: Refusal { line, reason }, message });
        self.next = self.program.steps.len();
        self.knowledge.forget();
    }

    /// Holds the names that it read against the register. A centre that does not recheck
    /// believes its own ticket instead.
    fn admit(&self, line: u32, stand: &Stand<'_>) -> Result<(), Reason> {
        let Some(admit) = stand.admit else { return Ok(()) };
        let (table, protocol) = (self.knowledge.table(), &self.spoken.protocol);
        let looked_up = |role: &Name| stand.character.rechecks || !protocol.vouches(line, role);
        let clients = protocol.client_roles().filter(|r| looked_up(&r.name));
        let clients = clients.filter_map(|r| table.find_name(&r.name));
        clients.filter_map(|id| self.knowledge.get(id)?.text()).try_for_each(admit)
    }

    fn read(
        &mut self,
        ops: &[Op],
        message: &Sight,
        line: u32,
        stand: &mut Stand<'_>,
        effects: &mut Effects,
    ) -> Result<(), Reason> {
        let arrived = crate::knowledge::Arrived { from: &message.from, bytes: &message.bytes };
        let (knowledge, mut ctx) = self.context(line, stand, effects);
        knowledge.learn(ops, &arrived, &mut ctx)
    }

    fn send(
        &mut self,
        to: Id,
        parts: &Arc<[Id]>,
        line: u32,
        stand: &mut Stand<'_>,
        effects: &mut Effects,
    ) -> Result<Arc<Sight>, Reason> {
        let cast = stand.cast;
        let is_costly = |part: &Id| self.knowledge.table().costs_public_key_operations(*part);
        if stand.strength.is_some() && parts.iter().any(is_costly) {
            let clock = cast.clock(stand.now, stand.clock_offset);
            stand.strength.as_mut().map_or(Ok(()), |strength| strength.take("", clock))?;
        }
        let (knowledge, mut ctx) = self.context(line, stand, effects);
        let bytes = knowledge.build_message(parts, &mut ctx)?;
        let to = knowledge.get(to).and_then(Value::text).ok_or(Reason::Malformed)?;
        let to = cast.registered.get(to).cloned().unwrap_or_else(|| to.into());
        Ok(Arc::new(Sight {
            id: 0,
            run: self.id.run,
            protocol: self.spoken.name.clone(),
            line,
            question: None,
            from: self.id.party.clone(),
            to,
            shown: self.knowledge.show(parts.clone()),
            bytes: Bytes::from(bytes),
        }))
    }

    fn conclude(
        &mut self,
        terms: &[Id],
        line: u32,
        stand: &mut Stand<'_>,
        effects: &mut Effects,
    ) -> Result<(), Reason> {
        for id in terms {
            let (knowledge, mut ctx) = self.context(line, stand, effects);
            let value = match knowledge.build(*id, &mut ctx) {
                Ok(value) => value,
                Err(Reason::Malformed) => continue,
                Err(reason) => return Err(reason),
            };
            let (id, term) = (*id, knowledge.table().show(*id));
            effects.note(What::Concluded { session: self.id.clone(), id, term, value });
        }
        Ok(())
    }

    fn context<'a>(
        &'a mut self,
        line: u32,
        stand: &'a mut Stand<'_>,
        effects: &'a mut Effects,
    ) -> (&'a mut Knowledge, Context<'a>) {
        static NO_CASTS: Casts = Casts::new();
        let context = Context {
            rng: &mut self.rng,
            now: stand.cast.clock(stand.now, stand.clock_offset),
            max_skew: stand.character.max_skew,
            max_lifetime: stand.character.max_lifetime,
            lifetime: &stand.cast.lifetimes,
            keys: &stand.cast.keys,
            trust: stand.trust,
            line,
            casts: &NO_CASTS,
            made: &mut effects.made,
        };
        (&mut self.knowledge, context)
    }
}
