//! A party's parts in runs: which session a message is for, and what becomes of those that come
//! ahead of their line. Must not know services beside runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Effects;
use super::cast::{RunSpec, Spoken};
use super::footing::{Footing, Moment};
use super::replay::{OwnWork, ReplayCache};
use super::session::{Heard, Session, State};
use crate::journal::{MessageId, SessionId, Sight, What};
use crate::limits::Reached;
use crate::notation::Name;
use crate::reason::Reason;

/// A party's parts in runs.
#[derive(Default)]
pub struct Runs {
    parts: BTreeMap<Place, Vec<Part>>,
    /// The runs in which a part of the party's completed.
    completed: BTreeSet<u32>,
    /// Messages that came ahead of their line, or of their part's first.
    strays: Vec<Arc<Sight>>,
    /// What the party remembers of messages that it accepted.
    accepted: ReplayCache,
    /// Ciphertexts, codes and signatures of its own.
    own: OwnWork,
}

/// A run and a role in it. A service may have several parts there: each time that somebody opens
/// one, another.
type Place = (u32, Name);

/// Where a part is: its place, and its number there.
type Seat<'a> = (&'a Place, usize);

enum Part {
    Running(Running),
    Over,
}

struct Running {
    session: Box<Session>,
    ponders: Option<Ponders>,
}

/// The message that a session would read next, if only its party knew enough.
struct Ponders {
    message: MessageId,
    /// Whether others may want it if the session cannot read it.
    spares: bool,
}

/// A message that can be read only when its reader knows more: its trust says what.
#[must_use]
pub struct Postponed(pub Arc<Sight>);

/// A message that a session cannot read, and that does not harm it.
struct NotForIt;

impl Runs {
    /// Starts a run.
    pub fn start(&mut self, run: &RunSpec, moment: &mut Moment<'_>) {
        if let Some(from) = run.falls_back_from.filter(|from| self.completed.contains(from)) {
            let by = moment.footing.name().clone();
            return moment.effects.note(What::NotBegun { by, run: run.number, completed: from });
        }
        let cast = moment.footing.cast.clone();
        let Some(spoken) = cast.protocols.get(&run.protocol) else { return };
        let mine = |role: &Name| run.names.get(role) == Some(moment.footing.name());
        let Some((role, line)) = spoken.protocol.starters().find(|(role, _)| mine(role)) else { return };
        let Some(program) = spoken.program_at(role, line) else { return };
        let place = (run.number, role.clone());
        // Nobody answers what was not begun.
        let early = self.strays.extract_if(.., |message| is_for(message, &place, moment.footing));
        for message in early.collect::<Vec<_>>() {
            moment.ignore(&message, "its part in this run had not begun");
        }
        let id = self.identity(&place, &spoken.name, moment.footing);
        // Whoever opens the run knows whom it talks to; others know whom [knows] names.
        let names = Arc::new(match line {
            1 => run.names.clone(),
            _ => cast.peers_known(run.number, spoken, role),
        });
        moment.effects.note(What::Started { session: id.clone(), peers: names.clone() });
        let mut session = Session::new(&cast, id, spoken, program, &names, ("", moment.now));
        let before = moment.effects.made.len();
        session.go_on(moment);
        self.note_completed(&session);
        self.own.note(&moment.effects.made[before..], moment.footing);
        self.parts.entry(place).or_default().push(part_of(Box::new(session)));
    }

    /// Takes a message for one of its parts, or for a new one.
    pub fn message(&mut self, message: Arc<Sight>, moment: &mut Moment<'_>) -> Option<Postponed> {
        let cast = moment.footing.cast.clone();
        let Some(spoken) = cast.protocols.get(&message.protocol) else {
            moment.ignore(&message, "it does not speak that protocol");
            return None;
        };
        let Some(role) = spoken.receiver_of(message.line) else {
            moment.ignore(&message, "that protocol has no such line");
            return None;
        };
        let is_service = spoken.services.contains_key(role);
        let opens = spoken.program_at(role, message.line).is_some();
        let place = (message.run, role.clone());
        let parts = self.parts.get(&place).map(Vec::as_slice).unwrap_or_default();
        let waiting: Vec<usize> = (0..parts.len()).filter(|at| parts[*at].waits_for(message.line)).collect();
        if !waiting.is_empty() {
            return self.offer(&place, &waiting, message, opens && is_service, moment);
        }
        let is_running = parts.iter().any(|part| matches!(part, Part::Running(_)));
        let is_ahead = parts.iter().any(|part| part.comes_to(message.line));
        if is_ahead && !(is_service && opens) {
            self.strays.push(message);
        } else if is_running && !is_service {
            moment.ignore(&message, "it is past that line");
        } else if !parts.is_empty() && !is_service {
            moment.ignore(&message, "its part in this run is over");
        } else if opens {
            return self.open(&place, message, moment);
        } else {
            self.strays.push(message);
        }
        None
    }

    /// Reads a message that was postponed: its party knows more now, or will not know more.
    pub fn resume(&mut self, message: Arc<Sight>, moment: &mut Moment<'_>) -> Option<Postponed> {
        let (place, at) = self.parts.iter().find_map(|(place, parts)| {
            let ponders = |part: &Part| part.ponders().is_some_and(|of| of.message == message.id);
            Some((place.clone(), parts.iter().position(ponders)?))
        })?;
        let Running { session, ponders } = self.take((&place, at))?;
        let spares = ponders.is_some_and(|ponders| ponders.spares);
        match self.hear((&place, at), session, message.clone(), spares, moment) {
            Ok(postponed) => postponed,
            Err(NotForIt) => self.message(message, moment),
        }
    }

    /// Opens a part with a message.
    fn open(&mut self, place: &Place, message: Arc<Sight>, moment: &mut Moment<'_>) -> Option<Postponed> {
        let cast = moment.footing.cast.clone();
        let spoken: &Arc<Spoken> = cast.protocols.get(&message.protocol)?;
        let program = spoken.program_at(&place.1, message.line)?;
        let id = self.identity(place, &spoken.name, moment.footing);
        let names = Arc::new(cast.peers_known(message.run, spoken, &place.1));
        moment.effects.note(What::Started { session: id.clone(), peers: names.clone() });
        let stream = id.nth.to_string();
        let session = Box::new(Session::new(&cast, id, spoken, program, &names, (&stream, moment.now)));
        let parts = self.parts.entry(place.clone()).or_default();
        parts.push(Part::Over);
        let at = parts.len() - 1;
        self.hear((place, at), session, message, false, moment).ok().flatten()
    }

    /// Offers a message to those who wait for its line, one after another: it is for the first
    /// that can read it. If nobody can, it opens a part of its own where it may; else the first
    /// of them refuses it.
    fn offer(
        &mut self,
        place: &Place,
        waiting: &[usize],
        message: Arc<Sight>,
        opens: bool,
        moment: &mut Moment<'_>,
    ) -> Option<Postponed> {
        if opens || waiting.len() > 1 {
            for at in waiting {
                let Some(Running { session, .. }) = self.take((place, *at)) else { continue };
                if let Ok(heard) = self.hear((place, *at), session, message.clone(), true, moment) {
                    return heard;
                }
            }
        }
        if opens {
            return self.open(place, message, moment);
        }
        let first = (place, waiting[0]);
        let Running { session, .. } = self.take(first)?;
        self.hear(first, session, message, false, moment).ok().flatten()
    }

    /// Has a session read a message, and then what was kept for its next lines. `spares`: what it
    /// cannot read leaves it as it was.
    fn hear(
        &mut self,
        seat: Seat<'_>,
        mut session: Box<Session>,
        message: Arc<Sight>,
        mut spares: bool,
        moment: &mut Moment<'_>,
    ) -> Result<Option<Postponed>, NotForIt> {
        let mut next = message;
        loop {
            let before = moment.effects.made.len();
            session.has_at_hand(next.id);
            let heard = match self.own.shows(&next, &moment.footing.cast) {
                true => Heard::Refused(Reason::Reflected),
                false => session.hear(&next, spares, &mut self.accepted, moment),
            };
            match heard {
                Heard::Read => {
                    session.go_on(moment);
                    self.note_completed(&session);
                }
                Heard::Over => {}
                Heard::Refused(reason) if spares && Reached::behind(reason).is_none() => {
                    self.put(seat, Part::Running(Running { session, ponders: None }));
                    return Err(NotForIt);
                }
                Heard::Refused(reason) => {
                    session.refuse(reason, moment.effects);
                    let Footing { character, .. } = &*moment.footing;
                    let alert = character.alerts.map(|of| of.about(&next, &character.name, reason));
                    alert.into_iter().for_each(|alert| moment.effects.send(alert));
                }
                Heard::Ponders => {
                    let ponders = Some(Ponders { message: next.id, spares });
                    self.put(seat, Part::Running(Running { session, ponders }));
                    return Ok(Some(Postponed(next)));
                }
            }
            self.own.note(&moment.effects.made[before..], moment.footing);
            let State::Waits(line) = session.state() else { return Ok(None) };
            match self.stray(seat.0, line, moment.footing) {
                Some(stray) => (next, spares) = (stray, false),
                None => {
                    self.put(seat, part_of(session));
                    return Ok(None);
                }
            }
        }
    }

    fn note_completed(&mut self, session: &Session) {
        if session.is_complete() {
            self.completed.insert(session.id.run);
        }
    }

    /// A message that was kept for a line.
    fn stray(&mut self, place: &Place, line: u32, footing: &Footing) -> Option<Arc<Sight>> {
        let kept = |message: &Arc<Sight>| message.line == line && is_for(message, place, footing);
        let at = self.strays.iter().position(kept)?;
        Some(self.strays.remove(at))
    }

    /// Takes a running part out of its place, which is over until it is put back.
    fn take(&mut self, (place, at): Seat<'_>) -> Option<Running> {
        match std::mem::replace(self.parts.get_mut(place)?.get_mut(at)?, Part::Over) {
            Part::Running(running) => Some(running),
            Part::Over => None,
        }
    }

    fn put(&mut self, (place, at): Seat<'_>, part: Part) {
        if let Some(slot) = self.parts.get_mut(place).and_then(|parts| parts.get_mut(at)) {
            *slot = part;
        }
    }

    /// The identity of the next session at a place.
    fn identity(&self, place: &Place, protocol: &Name, footing: &Footing) -> Arc<SessionId> {
        let ((run, role), protocol) = (place.clone(), protocol.clone());
        let nth = self.parts.get(place).map_or(0, Vec::len) as u32;
        Arc::new(SessionId { run, party: footing.name().clone(), role, protocol, nth })
    }

    /// Ends every session that accepted a certificate of which this holds, given as a bundle.
    pub fn terminate(&mut self, mut is_revoked: impl FnMut(&[u8]) -> bool, effects: &mut Effects) {
        for part in self.parts.values_mut().flatten() {
            if let Part::Running(Running { session, .. }) = part
                && session.accepted().iter().any(|(bundle, _)| is_revoked(bundle))
            {
                session.terminate(effects);
            }
        }
    }

    /// A restart: sessions and what was kept in memory are gone.
    pub fn forget(&mut self, keeps_cache: bool, effects: &mut Effects) {
        self.tell_who_waits(effects);
        self.parts.values_mut().flatten().for_each(|part| *part = Part::Over);
        self.strays.clear();
        self.completed.clear();
        self.own = OwnWork::default();
        if !keeps_cache {
            self.accepted.forget();
        }
    }

    /// Nothing more will happen.
    pub fn end(&mut self, footing: &Footing, effects: &mut Effects) {
        for message in std::mem::take(&mut self.strays) {
            let role =
                footing.cast.protocols.get(&message.protocol).and_then(|s| s.receiver_of(message.line));
            let had_part = role.is_some_and(|role| self.parts.contains_key(&(message.run, role.clone())));
            let why = match had_part {
                true => "its part in this run never came to that line",
                false => "it has no part in this run to which the line belongs",
            };
            let (id, by) = (message.id, footing.name().clone());
            effects.note(What::Ignored { id, by, why });
        }
        self.tell_who_waits(effects);
    }

    fn tell_who_waits(&self, effects: &mut Effects) {
        for part in self.parts.values().flatten() {
            let Part::Running(Running { session, .. }) = part else { continue };
            if let State::Waits(line) = session.state() {
                let (session, from) = (session.id.clone(), session.waits_for());
                effects.note(What::Waits { session, line, from });
            }
        }
    }
}

impl Part {
    /// Whether it waits for this line, and not for what its party wants to know.
    fn waits_for(&self, line: u32) -> bool {
        match self {
            Part::Running(Running { session, ponders: None }) => session.state() == State::Waits(line),
            Part::Running(_) | Part::Over => false,
        }
    }

    /// Whether it may wait for this line yet.
    fn comes_to(&self, line: u32) -> bool {
        match self {
            Part::Running(Running { session, ponders }) => match session.state() {
                State::Waits(at) => at < line || (at == line && ponders.is_some()),
                State::Over => false,
            },
            Part::Over => false,
        }
    }

    fn ponders(&self) -> Option<&Ponders> {
        match self {
            Part::Running(running) => running.ponders.as_ref(),
            Part::Over => None,
        }
    }
}

/// Whether a message is for this role in this run.
fn is_for(message: &Sight, (run, role): &Place, footing: &Footing) -> bool {
    let spoken = footing.cast.protocols.get(&message.protocol);
    message.run == *run && spoken.and_then(|spoken| spoken.receiver_of(message.line)) == Some(role)
}

fn part_of(session: Box<Session>) -> Part {
    match session.state() {
        State::Waits(_) => Part::Running(Running { session, ponders: None }),
        State::Over => Part::Over,
    }
}
