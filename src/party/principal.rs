//! An honest party: a client, the key distribution centre or the certificate authority.
//! It starts and answers runs, in several roles at once; a service also keeps a register.
//! Must not know who attacks it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cast::{Cast, Character, RunSpec, Spoken};
use super::session::{Session, Stand, State};
use super::trust::PartyTrust;
use super::{Actor, Effect, Effects, Input};
use crate::crypto;
use crate::journal::{Refusal, SessionId, Sight, What};
use crate::knowledge::{Bytes, Made, Shown};
use crate::notation::{Kind, Name, Service};
use crate::pki::{Authority, RevocationReason};
use crate::reason::Reason;
use crate::time::{SimTime, Span};
use crate::wire;

/// The name under which messages to and from the authority's repository travel: line 1
/// asks for the revocation list, line 2 is the list.
pub const CRL_PROTOCOL: &str = "crl";

/// How long a party waits for a revocation list before it decides without.
const CRL_PATIENCE: Span = Span::seconds(10);

/// What a party does beside speaking protocols.
pub enum Office {
    /// Nothing.
    Client,
    /// Keeps the register of principals.
    Kdc {
        /// The principals that it serves no more.
        revoked: BTreeSet<Name>,
    },
    /// Issues certificates and says which are revoked.
    Ca {
        /// The authority; none where no protocol uses certificates.
        authority: Option<Box<Authority>>,
    },
}

/// An honest party.
pub struct Principal {
    cast: Arc<Cast>,
    character: Arc<Character>,
    office: Office,
    trust: PartyTrust,
    parts: BTreeMap<(u32, Name), Vec<Part>>,
    /// Messages that came ahead of the line with which its part in their run begins.
    strays: Vec<Arc<Sight>>,
    /// Messages that wait for a revocation list.
    undecided: Vec<Arc<Sight>>,
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
            cast: cast.clone(),
            character,
            office,
            parts: BTreeMap::new(),
            strays: Vec::new(),
            undecided: Vec::new(),
            accepted: BTreeSet::new(),
            own: BTreeSet::new(),
            denied: BTreeSet::new(),
        }
    }

    fn start(&mut self, run: &RunSpec, now: SimTime, effects: &mut Effects) {
        let cast = self.cast.clone();
        let Some(spoken) = cast.protocols.get(&run.protocol) else { return };
        let role = spoken.protocol.initiator().clone();
        let id = SessionId { run: run.number, party: self.character.name.clone(), role: role.clone() };
        let Some(program) = spoken.program_at(&role, 1) else { return };
        effects.note(What::Started { session: id.clone() });
        let mut session = Session::new(&cast, id, spoken, program, &run.names, "");
        self.with_stand(now, |stand| session.go_on(stand, effects));
        self.remember_own(&effects.made);
        let part = match session.state() {
            State::Waits(_) => Part::Running(Box::new(session)),
            State::Over => Part::Over,
        };
        self.parts.entry((run.number, role)).or_default().push(part);
    }

    fn message(&mut self, message: Arc<Sight>, now: SimTime, effects: &mut Effects) {
        if *message.protocol == *CRL_PROTOCOL {
            return self.repository(&message, now, effects);
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
            Some((State::Waits(line), session)) if line == message.line => {
                if session.reads_certificate() && self.must_fetch(&message, now, effects) {
                    return;
                }
                self.read(message, role, now, effects);
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
        let id = SessionId { run: message.run, party: self.character.name.clone(), role: role.clone() };
        effects.note(What::Started { session: id.clone() });
        if self.character.replay_cache && !self.accepted.insert(crypto::sha256(&[&message.bytes])) {
            let refusal = Refusal { line: message.line, reason: Reason::Replayed };
            effects.note(What::Refused { session: id, refusal });
            self.parts.entry((message.run, role)).or_default().push(Part::Over);
            return;
        }
        let nth = self.parts.get(&(message.run, role.clone())).map_or(0, Vec::len).to_string();
        let names = self.cast.peers_known(message.run, spoken, &role);
        let mut session = Session::new(&self.cast, id, spoken, program, &names, &nth);
        let mine = |m: &Arc<Sight>| m.run == message.run && spoken.protocol.receiver_of(m.line) == &role;
        let (early, strays) = std::mem::take(&mut self.strays).into_iter().partition(mine);
        self.strays = strays;
        Vec::into_iter(early).for_each(|m| session.keep_early(m));
        let fetches = session.reads_certificate();
        self.parts.entry((message.run, role.clone())).or_default().push(Part::Running(Box::new(session)));
        if !(fetches && self.must_fetch(&message, now, effects)) {
            self.read(message, role, now, effects);
        }
    }

    /// Lets the running session read the message, and what was kept for its next lines.
    fn read(&mut self, message: Arc<Sight>, role: Name, now: SimTime, effects: &mut Effects) {
        let key = (message.run, role);
        let Some((at, mut session)) = self.take_running(&key) else { return };
        if let Some(line) = self.reflected(&message) {
            let refusal = Refusal { line, reason: Reason::Reflected };
            effects.note(What::Refused { session: session.id.clone(), refusal });
            return;
        }
        let before = effects.made.len();
        self.with_stand(now, |stand| session.receive(&message, stand, effects));
        while let Some(next) = session.take_early() {
            self.with_stand(now, |stand| session.receive(&next, stand, effects));
        }
        self.remember_own(&effects.made[before..]);
        if let (State::Waits(_), Some(parts)) = (session.state(), self.parts.get_mut(&key)) {
            parts[at] = Part::Running(session);
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

    fn ignore(&self, message: &Sight, why: &'static str, effects: &mut Effects) {
        effects.note(What::Ignored { id: message.id, by: self.character.name.clone(), why });
    }

    fn with_stand(&mut self, now: SimTime, work: impl FnOnce(&mut Stand<'_>)) {
        let refused = match &self.office {
            Office::Kdc { revoked } => revoked,
            Office::Client | Office::Ca { .. } => &self.denied,
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
            admit: if refused.is_empty() { None } else { Some(&admit) },
        };
        work(&mut stand);
    }

    /// Whether the message must wait for a revocation list, which is then asked for.
    fn must_fetch(&mut self, message: &Arc<Sight>, now: SimTime, effects: &mut Effects) -> bool {
        let clock = self.cast.clock(now, self.character.clock_offset);
        if !self.trust.relying.needs_crl(clock) {
            return false;
        }
        if self.undecided.is_empty() {
            let text = "please send your revocation list";
            effects.all.push(Effect::Send(self.note_to(
                Service::Ca.name(),
                message.run,
                1,
                text,
                text.as_bytes(),
            )));
            effects.all.push(Effect::Timer(now.after(CRL_PATIENCE), 0));
        }
        self.undecided.push(message.clone());
        true
    }

    fn note_to(&self, to: &str, run: u32, line: u32, text: &str, bytes: &[u8]) -> Arc<Sight> {
        Arc::new(Sight {
            id: 0,
            run,
            protocol: CRL_PROTOCOL.into(),
            line,
            from: self.character.name.clone(),
            to: to.into(),
            bytes: Bytes::from(bytes),
            shown: Shown::words(text),
        })
    }

    fn repository(&mut self, message: &Sight, now: SimTime, effects: &mut Effects) {
        let clock = self.cast.clock(now, self.character.clock_offset);
        match (&mut self.office, message.line) {
            (Office::Ca { authority: Some(authority) }, 1) => {
                let crl = authority.crl(clock);
                let answer = self.note_to(&message.from, message.run, 2, "revocation list", &crl);
                effects.all.push(Effect::Send(answer));
            }
            (_, 2) if !self.undecided.is_empty() => {
                let outcome = match self.trust.relying.accept_crl(&message.bytes, clock) {
                    Ok(crl) => format!("CRL number {} with {} entries", crl.number, crl.entries),
                    Err(reason) => format!("refused: {reason}"),
                };
                effects.note(What::Fetched { by: self.character.name.clone(), outcome });
                self.decide(now, effects);
            }
            _ => self.ignore(message, "it did not ask", effects),
        }
    }

    fn decide(&mut self, now: SimTime, effects: &mut Effects) {
        for message in std::mem::take(&mut self.undecided) {
            let role = self
                .cast
                .protocols
                .get(&message.protocol)
                .map(|s| s.protocol.receiver_of(message.line).clone());
            if let Some(role) = role {
                self.read(message, role, now, effects);
            }
        }
    }

    fn revoke(&mut self, subject: Name, reason: String, now: SimTime, effects: &mut Effects) {
        let clock = self.cast.clock(now, self.character.clock_offset);
        match &mut self.office {
            Office::Client => {
                self.denied.insert(subject.clone());
            }
            Office::Kdc { revoked } => {
                revoked.insert(subject.clone());
            }
            Office::Ca { authority } => {
                let why = reason.parse::<RevocationReason>().unwrap_or(RevocationReason::Unspecified);
                if let Some(authority) = authority {
                    authority.revoke(&subject, why, clock);
                }
            }
        }
        effects.note(What::Revoked { by: self.character.name.clone(), subject, reason });
    }

    /// Long-term keys, the register and what was written to disk outlive it.
    fn restart(&mut self, now: SimTime, effects: &mut Effects) {
        self.tell_who_waits(effects);
        self.parts.values_mut().flatten().for_each(|part| *part = Part::Over);
        self.strays.clear();
        self.undecided.clear();
        self.own.clear();
        if !self.character.persistent_cache {
            self.accepted.clear();
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
            Input::Start(run) => self.start(&run, now, effects),
            Input::Message(message) => self.message(message, now, effects),
            Input::Restart => self.restart(now, effects),
            Input::Rotate { key, keep } => {
                self.trust.ring.rotate(&key, keep);
                let (by, term) = (self.character.name.clone(), key.to_string());
                effects.note(What::Rotated { by, term, keep });
            }
            Input::Revoke { subject, reason } => self.revoke(subject, reason, now, effects),
            Input::Timer(_) if !self.undecided.is_empty() => {
                let outcome = format!("no answer within {CRL_PATIENCE}");
                effects.note(What::Fetched { by: self.character.name.clone(), outcome });
                self.decide(now, effects);
            }
            Input::End => self.end(effects),
            Input::Begin | Input::Timer(_) | Input::OnWire(_) | Input::Handed { .. } => {}
        }
    }
}
