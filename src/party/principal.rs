//! An honest party: a client, the key distribution centre or the certificate authority.
//! It starts and answers runs, in several roles at once; a service also keeps a register.
//! Must not know who attacks it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bureau::{Bureau, SERVICE_PROTOCOLS};
use super::cast::{Cast, Character, RunSpec, Spoken};
use super::clerk::{Clerk, Work};
use super::custody::Custody;
use super::dealings::Alarm;
use super::errand::Errands;
use super::keeper::Keeper;
use super::session::{Reading, Session, Stand, State};
use super::trust::PartyTrust;
use super::{Actor, Effects, Input};
use crate::journal::{Refusal, SessionId, Sight, What};
use crate::knowledge::{Bytes, Made};
use crate::notation::{Kind, Name};
use crate::pki::{RevocationReason, Want};
use crate::reason::Reason;
use crate::time::SimTime;
use crate::vault::Limiter;
use crate::wire;

/// What a party does beside speaking protocols.
pub enum Office {
    /// Nothing.
    Client,
    /// Keeps the register of principals, and keys for them.
    Kdc {
        /// The principals that it serves no more.
        revoked: BTreeSet<Name>,
        /// The keys, if it keeps any.
        keeper: Option<Box<Keeper>>,
    },
    /// Issues certificates and says which are revoked; nothing where no protocol uses any.
    Ca(Option<Box<Bureau>>),
}

/// An honest party.
pub struct Principal {
    pub(super) cast: Arc<Cast>,
    pub(super) character: Arc<Character>,
    pub(super) office: Office,
    pub(super) trust: PartyTrust,
    pub(super) clerk: Clerk,
    pub(super) errands: Errands,
    pub(super) custody: Custody,
    /// How far its clock is ahead.
    pub(super) clock_offset: i64,
    /// How many costly lines it can still send.
    strength: Option<Limiter>,
    /// What is due at its timers.
    pub(super) alarms: Vec<Alarm>,
    parts: BTreeMap<(u32, Name), Vec<Part>>,
    /// Messages that came ahead of the line with which its part in their run begins.
    strays: Vec<Arc<Sight>>,
    /// Digests of opening messages that were accepted.
    accepted: BTreeSet<[u8; 32]>,
    /// Ciphertexts, codes and signatures of its own.
    own: BTreeSet<Bytes>,
    /// Whom a client was told to refuse.
    denied: BTreeSet<Name>,
}

enum Part {
    Running(Box<Session>),
    Over,
}

impl Principal {
    /// A party at the beginning of a play.
    pub fn new(cast: &Arc<Cast>, character: Arc<Character>, office: Office) -> Principal {
        Principal {
            trust: PartyTrust::of(cast, &character),
            clerk: Clerk::new(character.name.clone(), cast.keys.stream(&[&character.name, "lookups"])),
            errands: Errands::default(),
            custody: Custody::new(cast.keys.stream(&[&character.name, "key centre"])),
            clock_offset: character.clock_offset,
            strength: character.strength.map(Limiter::new),
            alarms: Vec::new(),
            cast: cast.clone(),
            character,
            office,
            parts: BTreeMap::new(),
            strays: Vec::new(),
            accepted: BTreeSet::new(),
            own: BTreeSet::new(),
            denied: BTreeSet::new(),
        }
    }

    pub(super) fn start(&mut self, run: &RunSpec, now: SimTime, effects: &mut Effects) {
        let cast = self.cast.clone();
        let Some(spoken) = cast.protocols.get(&run.protocol) else { return };
        let mine = |role: &Name| run.names.get(role) == Some(&self.character.name);
        let Some((role, line)) = spoken.protocol.starters().find(|(role, _)| mine(role)) else { return };
        let role = role.clone();
        let Some(program) = spoken.program_at(&role, line) else { return };
        let id = self.new_part(run.number, spoken, &role);
        effects.note(What::Started { session: id.clone() });
        // Whoever opens the run knows whom it talks to; others know whom [knows] names.
        let names = match line {
            1 => run.names.clone(),
            _ => cast.peers_known(run.number, spoken, &role),
        };
        let mut session = Session::new(&cast, id, spoken, program, &names, ("", now));
        self.with_stand(now, |stand| session.go_on(stand, effects));
        self.remember_own(&effects.made);
        let part = match session.state() {
            State::Waits(_) => Part::Running(Box::new(session)),
            State::Over => Part::Over,
        };
        self.parts.entry((run.number, role)).or_default().push(part);
    }

    /// The next part of this party's in that role and run.
    fn new_part(&self, run: u32, spoken: &Spoken, role: &Name) -> Arc<SessionId> {
        let nth = self.parts.get(&(run, role.clone())).map_or(0, Vec::len) as u32;
        let (party, role, protocol) = (self.character.name.clone(), role.clone(), spoken.name.clone());
        Arc::new(SessionId { run, party, role, protocol, nth })
    }

    fn message(&mut self, message: Arc<Sight>, now: SimTime, effects: &mut Effects) {
        if SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            return self.service_message(&message, now, effects);
        }
        let cast = self.cast.clone();
        let Some(spoken) = cast.protocols.get(&message.protocol) else {
            return self.ignore(&message, "it does not speak that protocol", effects);
        };
        let role = spoken.protocol.receiver_of(message.line).clone();
        let is_service = spoken.services.contains_key(&role);
        let parts = self.parts.entry((message.run, role.clone())).or_default();
        let had_part = !parts.is_empty();
        let running = parts.iter_mut().find_map(|p| match p {
            Part::Running(session) => Some(session),
            Part::Over => None,
        });
        let joins = spoken.program_at(&role, message.line);
        match running.map(|session| (session.state(), session)) {
            Some((State::Waits(line), _)) if line == message.line => {
                self.read(message, role, BTreeSet::new(), now, effects);
            }
            Some((State::Waits(line), session))
                if line < message.line && (!is_service || joins.is_none()) =>
            {
                session.keep_early(message);
            }
            Some(_) if !is_service => self.ignore(&message, "it is past that line", effects),
            None if !is_service && had_part => {
                self.ignore(&message, "its part in this run is over", effects);
            }
            _ if joins.is_some() => self.join(message, spoken, role, now, effects),
            _ => self.strays.push(message),
        }
    }

    /// Opens a session for a message that is the first line of a role's part.
    fn join(
        &mut self,
        message: Arc<Sight>,
        spoken: &Arc<Spoken>,
        role: Name,
        now: SimTime,
        effects: &mut Effects,
    ) {
        let Some(program) = spoken.program_at(&role, message.line) else { return };
        let id = self.new_part(message.run, spoken, &role);
        effects.note(What::Started { session: id.clone() });
        let nth = id.nth.to_string();
        let names = self.cast.peers_known(message.run, spoken, &role);
        let mut session = Session::new(&self.cast, id, spoken, program, &names, (&nth, now));
        let mine = |m: &Arc<Sight>| m.run == message.run && spoken.protocol.receiver_of(m.line) == &role;
        let (early, strays) = std::mem::take(&mut self.strays).into_iter().partition(mine);
        self.strays = strays;
        Vec::into_iter(early).for_each(|m| session.keep_early(m));
        self.parts.entry((message.run, role.clone())).or_default().push(Part::Running(Box::new(session)));
        self.read(message, role, BTreeSet::new(), now, effects);
    }

    /// Lets the running session read the message, and what was kept for its next lines; or
    /// puts that off until its party knows enough. `asked`: what it has asked for its sake.
    pub(super) fn read(
        &mut self,
        message: Arc<Sight>,
        role: Name,
        asked: BTreeSet<Want>,
        now: SimTime,
        effects: &mut Effects,
    ) {
        let key = (message.run, role);
        let Some((at, mut session)) = self.take_running(&key) else { return };
        if let Some(line) = self.reflected(&message) {
            let refusal = Refusal { line, reason: Reason::Reflected };
            let (session, message) = (session.id.clone(), Some(message.id));
            effects.note(What::Refused { session, refusal, message });
            return;
        }
        session.has_at_hand(message.id);
        self.trust.wants.clear();
        self.trust.asked = asked;
        let mut reading = self.look_after(&mut session, now, effects);
        if reading == Reading::Done && self.character.staples && session.shows_own() {
            reading = self.want_staples(now);
        }
        let mut next = Some(message.clone());
        let before = effects.made.len();
        while let (Reading::Done, Some(message)) = (reading, next.take()) {
            reading = self.with_stand(now, |stand| session.receive(&message, stand, effects));
            if reading == Reading::Done {
                next = session.take_early();
            } else {
                next = Some(message);
            }
        }
        self.remember_own(&effects.made[before..]);
        if let (State::Waits(_), Some(parts)) = (session.state(), self.parts.get_mut(&key)) {
            parts[at] = Part::Running(session);
        }
        if reading == Reading::Postponed {
            let message = next.unwrap_or(message);
            self.put_off(Work::Message(message, key.1), now, effects);
        }
    }

    fn remember_own(&mut self, made: &[Made]) {
        if self.character.knows_own {
            let made = made.iter().map(|m| &m.value);
            let own = made.filter(|v| matches!(v.kind, Kind::Cipher | Kind::Mac | Kind::Signature));
            self.own.extend(own.map(|v| v.bytes.clone()));
        }
    }

    /// The line, if a field of the message is this party's own work, unless the protocol
    /// brings the role's own work back in this line, as a ticket that it issued.
    fn reflected(&self, message: &Sight) -> Option<u32> {
        let spoken = self.cast.protocols.get(&message.protocol).filter(|_| !self.own.is_empty())?;
        if spoken.protocol.returns_own(message.line) {
            return None;
        }
        let hit = match spoken.encoding.has_tags() {
            true => wire::tagged_fields(&message.bytes)
                .unwrap_or_default()
                .into_iter()
                .any(|(_, range)| self.own.contains(&Bytes::from(&message.bytes[range]))),
            false => self.own.iter().any(|own| message.bytes.windows(own.len()).any(|w| w == own.as_slice())),
        };
        hit.then_some(message.line)
    }

    /// Takes the running session out of its place, which is over until it is put back.
    fn take_running(&mut self, key: &(u32, Name)) -> Option<(usize, Box<Session>)> {
        let parts = self.parts.get_mut(key)?;
        let at = parts.iter().position(|p| matches!(p, Part::Running(_)))?;
        match std::mem::replace(&mut parts[at], Part::Over) {
            Part::Running(session) => Some((at, session)),
            Part::Over => None,
        }
    }

    pub(super) fn ignore(&self, message: &Sight, why: &'static str, effects: &mut Effects) {
        effects.note(What::Ignored { id: message.id, by: self.character.name.clone(), why });
    }

    fn with_stand<T>(&mut self, now: SimTime, work: impl FnOnce(&mut Stand<'_>) -> T) -> T {
        let refused = match &self.office {
            Office::Kdc { revoked, .. } => revoked,
            Office::Client | Office::Ca(_) => &self.denied,
        };
        let admit = |name: &str| match refused.contains(name) {
            true => Err(Reason::ClientRevoked),
            false => Ok(()),
        };
        let mut stand = Stand {
            cast: &self.cast,
            character: &self.character,
            trust: &mut self.trust,
            now,
            clock_offset: self.clock_offset,
            strength: self.strength.as_mut(),
            admit: if refused.is_empty() { None } else { Some(&admit) },
            accepted: self.character.replay_cache.then_some(&mut self.accepted),
        };
        work(&mut stand)
    }

    fn revoke(&mut self, subject: Name, reason: String, now: SimTime, effects: &mut Effects) {
        let clock = self.clock(now);
        match &mut self.office {
            Office::Ca(None) => {}
            Office::Client => {
                self.denied.insert(subject.clone());
                let by = self.character.name.clone();
                effects.note(What::Revoked { by, subject, reason: reason.into(), told: None });
            }
            Office::Kdc { revoked, keeper } => {
                revoked.insert(subject.clone());
                keeper.iter_mut().for_each(|keeper| keeper.revoke(&subject));
                let by = self.character.name.clone();
                effects.note(What::Revoked { by, subject, reason: reason.into(), told: None });
            }
            Office::Ca(Some(bureau)) => {
                let reason = reason.parse::<RevocationReason>().unwrap_or_default();
                bureau.revoke(&subject, reason, (now, clock), effects);
            }
        }
    }

    /// Every session that is not over, with its key and place.
    pub(super) fn running(&mut self) -> impl Iterator<Item = &mut Session> {
        self.parts.values_mut().flatten().filter_map(|part| match part {
            Part::Running(session) => Some(&mut **session),
            Part::Over => None,
        })
    }

    /// Long-term keys, the register and what was written to disk outlive it.
    fn restart(&mut self, now: SimTime, effects: &mut Effects) {
        self.tell_who_waits(effects);
        self.parts.values_mut().flatten().for_each(|part| *part = Part::Over);
        self.strays.clear();
        self.clerk.forget();
        self.errands.forget();
        self.own.clear();
        if !self.character.persistent_cache {
            self.accepted.clear();
            self.trust.relying.forget();
        }
        if let Office::Kdc { keeper: Some(keeper), .. } = &mut self.office {
            keeper.restart();
        }
        if self.character.stamps_after_start {
            // Who lost track of what it accepted rejects what it may have (RFC 4120 §3.2.3).
            let clock = self.cast.clock(now, self.character.clock_offset);
            self.trust.earliest_stamp = Some(clock.after(self.character.max_skew));
        }
        effects.note(What::Restarted { party: self.character.name.clone() });
    }

    fn end(&mut self, effects: &mut Effects) {
        for message in std::mem::take(&mut self.strays) {
            self.ignore(&message, "it has no part in this run to which the line belongs", effects);
        }
        self.tell_who_waits(effects);
    }

    fn tell_who_waits(&self, effects: &mut Effects) {
        for part in self.parts.values().flatten() {
            let Part::Running(session) = part else { continue };
            if let State::Waits(line) = session.state() {
                let (session, from) = (session.id.clone(), session.waits_for());
                effects.note(What::Waits { session, line, from });
            }
        }
    }
}

impl Actor for Principal {
    fn handle(&mut self, input: Input, now: SimTime, effects: &mut Effects) {
        match input {
            Input::Begin => self.begin(now, effects),
            Input::Start(run) => self.set_out(run, BTreeSet::new(), now, effects),
            Input::Request(request) => self.ask(&request, now, effects),
            Input::PutBack => self.put_back(effects),
            Input::Leak(leak) => self.leak(leak, now, effects),
            Input::Message(message) => self.message(message, now, effects),
            Input::Restart => self.restart(now, effects),
            Input::Rotate { key, keep } => {
                self.trust.ring.rotate(&key, keep);
                let (by, term) = (self.character.name.clone(), key.to_string());
                effects.note(What::Rotated { by, term, keep });
            }
            Input::Revoke { subject, reason } => self.revoke(subject, reason, now, effects),
            Input::Clock(offset) => {
                self.clock_offset = offset;
                effects.note(What::ClockSet { party: self.character.name.clone(), offset });
            }
            Input::Timer(number) => self.timer(number, now, effects),
            Input::End => self.end(effects),
            Input::OnWire(_) | Input::Handed { .. } => {}
        }
    }
}
