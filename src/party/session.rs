//! One party's part in one run: it interprets its role's program. Must not know other
//! sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Effects;
use super::cast::{Cast, Spoken};
use super::footing::{Footing, Moment};
use super::replay::{Accepted, ReplayCache};
use crate::algebra::{Bytes, Value};
use crate::crypto::Rng;
use crate::journal::{MessageId, Refusal, SessionId, Sight, What};
use crate::knowledge::{Context, Knowledge};
use crate::limits::Reached;
use crate::notation::table::Casts;
use crate::notation::{Action, Id, Name, Op, Program};
use crate::pki::Judgement;
use crate::reason::Reason;
use crate::time::SimTime;

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
    /// Whether it did every step of its part.
    is_complete: bool,
    /// The message that it looks at.
    at_hand: Option<MessageId>,
}

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for this line.
    Waits(u32),
    /// It is over: every step is done, or a check failed.
    Over,
}

/// What came of a message that a session heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It read it, and may go on.
    Read,
    /// It read nothing yet: its party wants to know something first, and its trust says what.
    Ponders,
    /// It refuses it.
    Refused(Reason),
    /// It is over, whatever the message says.
    Over,
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
            is_complete: false,
            at_hand: None,
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

    /// Whether it did every step of its part.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The certificates that it accepted, with their subjects.
    pub fn accepted(&self) -> &[(Vec<u8>, String)] {
        &self.accepted
    }

    /// Ends a live session from outside.
    pub fn terminate(&mut self, effects: &mut Effects) {
        self.refuse(Reason::SessionTerminated, effects);
    }

    /// Refuses the line for which it waits, and is over.
    pub fn refuse(&mut self, reason: Reason, effects: &mut Effects) {
        if let State::Waits(line) = self.state() {
            self.refuse_at(line, reason, effects);
        }
    }

    /// Whether it may show its own certificate in what it sends yet.
    fn shows_own(&self) -> bool {
        self.program.steps[self.next.min(self.program.steps.len())..]
            .iter()
            .any(|step| matches!(step.action, Action::Send { .. }))
            && self.spoken.protocol.has_certificates
    }

    /// This is the message that it looks at, and refuses if it refuses.
    pub fn has_at_hand(&mut self, message: MessageId) {
        self.at_hand = Some(message);
    }

    /// Does its steps up to the next line for which it must wait.
    pub fn go_on(&mut self, moment: &mut Moment<'_>) {
        let program = self.program.clone();
        while let Some(step) = program.steps.get(self.next) {
            let Action::Send { to, parts } = &step.action else {
                self.at_hand = None;
                return;
            };
            match self.send(*to, parts, step.line, moment) {
                Ok(message) => moment.effects.send(message),
                Err(reason) => return self.refuse_at(step.line, reason, moment.effects),
            }
            if let Err(reason) = self.conclude(&step.concludes, step.line, moment) {
                return self.refuse_at(step.line, reason, moment.effects);
            }
            self.next += 1;
        }
        self.is_complete = true;
        moment.effects.note(What::Completed { session: self.id.clone() });
        self.knowledge.forget();
    }

    /// Reads the message for which it waits; or reads nothing, if that depends on what its party
    /// does not know yet. `spares`: what it refuses leaves it as it was.
    pub fn hear(
        &mut self,
        message: &Sight,
        spares: bool,
        accepted: &mut ReplayCache,
        moment: &mut Moment<'_>,
    ) -> Heard {
        let program = self.program.clone();
        let Some(step) = program.steps.get(self.next) else { return Heard::Over };
        let Action::Receive { ops, .. } = &step.action else { return Heard::Over };
        let trust = &mut moment.footing.trust;
        trust.wants.clear();
        trust.passed.clear();
        if let Some(heard) = self.look_after(moment) {
            return heard;
        }
        if self.shows_own() && moment.footing.wants_staples(moment.now) {
            return Heard::Ponders;
        }
        // What is postponed is read again from its beginning, and sets the same values.
        let before = spares.then(|| self.knowledge.clone());
        let (noted, made) = (moment.effects.all.len(), moment.effects.made.len());
        let read = self
            .read(ops, message, step.line, moment)
            .and_then(|()| self.admit(step.line, moment.footing))
            .and_then(|()| self.stands_by_newest(moment.footing))
            .and_then(|()| self.check_replay(message, step.line, ops, accepted, moment.footing))
            .and_then(|()| self.conclude(&step.concludes, step.line, moment));
        let trust = &mut moment.footing.trust;
        let is_limit = read.is_err_and(|reason| Reached::behind(reason).is_some());
        let ponders = read.is_err() && !is_limit && !trust.wants.is_empty();
        if ponders || (read.is_err() && spares) {
            moment.effects.all.truncate(noted);
            moment.effects.made.truncate(made);
        }
        if let (Err(_), Some(knowledge)) = (read, before) {
            self.knowledge = knowledge;
        }
        if ponders {
            return Heard::Ponders;
        }
        match read {
            Err(reason) => Heard::Refused(reason),
            Ok(()) => {
                let passed = std::mem::take(&mut trust.passed);
                if !passed.is_empty() {
                    self.accepted.extend(passed);
                    self.checked = moment.now;
                }
                self.next += 1;
                Heard::Read
            }
        }
    }

    /// Before a live session reads on: is it too old, and do its peers' certificates stand?
    fn look_after(&mut self, moment: &mut Moment<'_>) -> Option<Heard> {
        let (now, clock) = (moment.now, moment.clock());
        let Footing { character, trust, .. } = &mut *moment.footing;
        if character.session_max_age.is_some_and(|most| now.since(self.since) > most) {
            self.terminate(moment.effects);
            return Some(Heard::Over);
        }
        let is_due = character.recheck.is_some_and(|every| now.since(self.checked) >= every);
        if is_due && !self.accepted.is_empty() {
            for (bundle, subject) in self.accepted.clone() {
                match trust.relying.judge(&bundle, Some(&subject), clock, &trust.asked) {
                    Judgement::Good(_) => {}
                    Judgement::Refused(_) => {
                        self.terminate(moment.effects);
                        return Some(Heard::Over);
                    }
                    Judgement::Wants(wants) => {
                        trust.wants = wants;
                        return Some(Heard::Ponders);
                    }
                }
            }
            self.checked = now;
        }
        None
    }

    /// Refuses what its party has accepted before, where somebody who opens a part could repeat
    /// it. The last of the checks, so that an old message is `expired` or `stale` first (RFC 4120
    /// §3.2.3).
    fn check_replay(
        &self,
        message: &Sight,
        line: u32,
        ops: &[Op],
        accepted: &mut ReplayCache,
        footing: &Footing,
    ) -> Result<(), Reason> {
        let Some(by) = &footing.character.replay_cache else { return Ok(()) };
        if self.spoken.program_at(&self.program.role, line).is_none() {
            return Ok(());
        }
        let (protocol, knowledge) = (&self.spoken.protocol, &self.knowledge);
        accepted.take(&Accepted { protocol, line, ops, knowledge, bytes: &message.bytes }, by)
    }

    fn refuse_at(&mut self, line: u32, reason: Reason, effects: &mut Effects) {
        let (session, message) = (self.id.clone(), self.at_hand);
        effects.note(What::Refused { session, refusal: Refusal { line, reason }, message });
        self.next = self.program.steps.len();
        self.knowledge.forget();
    }

    /// Holds the names that it read against the register. A centre that does not recheck
    /// believes its own ticket instead.
    fn admit(&self, line: u32, footing: &Footing) -> Result<(), Reason> {
        if footing.denied.is_empty() {
            return Ok(());
        }
        let (table, protocol) = (self.knowledge.table(), &self.spoken.protocol);
        let looked_up = |role: &Name| footing.character.rechecks || !protocol.vouches(line, role);
        let clients = protocol.client_roles().filter(|r| looked_up(&r.name));
        let clients = clients.filter_map(|r| table.find_name(&r.name));
        let mut names = clients.filter_map(|id| self.knowledge.get(id)?.text());
        if names.any(|name| footing.denied.contains(name)) { Err(Reason::ClientRevoked) } else { Ok(()) }
    }

    /// Refuses an older protocol if the peer says that it tried the newest one first.
    fn stands_by_newest(&self, footing: &Footing) -> Result<(), Reason> {
        let (Some(newest), Some(tried)) = (&footing.character.newest, &self.spoken.protocol.fallback) else {
            return Ok(());
        };
        let tried = self.knowledge.table().find_name(tried).and_then(|id| self.knowledge.get(id)?.text());
        let is_needless = self.spoken.name != *newest && tried == Some(newest);
        if is_needless { Err(Reason::InappropriateFallback) } else { Ok(()) }
    }

    fn read(
        &mut self,
        ops: &[Op],
        message: &Sight,
        line: u32,
        moment: &mut Moment<'_>,
    ) -> Result<(), Reason> {
        let arrived = crate::knowledge::Arrived { from: &message.from, bytes: &message.bytes };
        let (knowledge, mut ctx) = self.context(line, moment);
        knowledge.learn(ops, &arrived, &mut ctx)
    }

    fn send(
        &mut self,
        to: Id,
        parts: &Arc<[Id]>,
        line: u32,
        moment: &mut Moment<'_>,
    ) -> Result<Sight, Reason> {
        let is_costly = |part: &Id| self.knowledge.table().costs_public_key_operations(*part);
        moment.footing.spend(moment.now, || parts.iter().any(is_costly))?;
        let cast = moment.footing.cast.clone();
        let (knowledge, mut ctx) = self.context(line, moment);
        let bytes = knowledge.build_message(parts, &mut ctx)?;
        let to = knowledge.get(to).and_then(Value::text).ok_or(Reason::Malformed)?;
        let to = cast.registered.get(to).cloned().unwrap_or_else(|| to.into());
        Ok(Sight {
            id: 0,
            run: self.id.run,
            protocol: self.spoken.name.clone(),
            line,
            question: None,
            from: self.id.party.clone(),
            to,
            shown: self.knowledge.show(parts.clone()),
            bytes: Bytes::from(bytes),
        })
    }

    fn conclude(&mut self, terms: &[Id], line: u32, moment: &mut Moment<'_>) -> Result<(), Reason> {
        for id in terms {
            let (knowledge, mut ctx) = self.context(line, moment);
            let value = match knowledge.build(*id, &mut ctx) {
                Ok(value) => value,
                Err(Reason::Malformed) => continue,
                Err(reason) => return Err(reason),
            };
            let (id, term) = (*id, knowledge.table().show(*id));
            moment.effects.note(What::Concluded { session: self.id.clone(), id, term, value });
        }
        Ok(())
    }

    fn context<'a>(&'a mut self, line: u32, moment: &'a mut Moment<'_>) -> (&'a mut Knowledge, Context<'a>) {
        static NO_CASTS: Casts = Casts::new();
        let now = moment.clock();
        let Footing { cast, character, trust, .. } = &mut *moment.footing;
        let context = Context {
            rng: &mut self.rng,
            now,
            max_skew: character.max_skew,
            max_lifetime: character.max_lifetime,
            min_strength: character.min_strength,
            lifetime: &cast.lifetimes,
            keys: &cast.keys,
            trust,
            line,
            casts: &NO_CASTS,
            made: &mut moment.effects.made,
        };
        (&mut self.knowledge, context)
    }
}
