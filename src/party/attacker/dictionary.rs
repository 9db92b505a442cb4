//! Offline guessing: the attacker tries the words of her dictionary on whatever was made with
//! a password and passed her (RFC 4120 §10). Each word is stretched as the party would, and
//! counts only if it opens a ciphertext, or gives a code, that she recorded. It costs no
//! virtual time and nobody notices. Must not know anybody's password.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::format::Format;
use super::hand::Hand;
use super::{Desk, Profile};
use crate::algebra::{Bytes, Value};
use crate::journal::{Sight, What};
use crate::knowledge::Grounds;
use crate::notation::{Id, Kind, Name, Rights, Table, Term};
use crate::party::{PartyTrust, Spoken};

/// A password that she found, under the term by which her notebook knows it.
pub type Found = (Term, Value);

/// What she keeps in order to guess.
pub struct Guesser {
    words: Vec<Value>,
    /// For each run what she can read of it, in the protocol's terms.
    runs: BTreeMap<u32, Reading>,
    found: Vec<Found>,
    /// How many words she has tried, all together.
    tried: usize,
    /// Passwords that no word is, by what she read of a run or by her notebook: what she changed on
    /// the way is two values there, and one to whoever only listens.
    given_up: BTreeSet<(Term, Notes)>,
    /// What she checked words against, with what else it takes: the same gives the same.
    tests: BTreeSet<(Term, Vec<Bytes>)>,
}

/// Where she finds what to check a word against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notes {
    /// In what passes in a run.
    OfARun,
    /// In the notebook of her plan.
    OfHerPlan,
}

/// What she can read of a run, in its protocol's terms.
pub(super) struct Reading {
    spoken: Arc<Spoken>,
    grounds: Arc<Grounds>,
    pub(super) hand: Hand,
}

impl Guesser {
    pub fn new(profile: &Profile) -> Guesser {
        let words = profile.dictionary.iter().map(|w| Value::new(Kind::Key, w.as_bytes())).collect();
        Guesser {
            words,
            runs: BTreeMap::new(),
            found: Vec::new(),
            tried: 0,
            given_up: BTreeSet::new(),
            tests: BTreeSet::new(),
        }
    }

    /// Whether she has any words to try.
    pub fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    /// Reads a message of her own: it tells who plays which role.
    pub fn note(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        self.read(message, desk);
    }

    /// Reads a message of somebody's and tries her words on it. Answers what she found.
    pub fn look(&mut self, message: &Sight, desk: &mut Desk<'_>) -> Vec<Found> {
        if !self.has_words() || !self.read(message, desk) {
            return Vec::new();
        }
        let Some(mut reading) = self.runs.remove(&message.run) else { return Vec::new() };
        let found = self.look_in((&mut reading.hand, Notes::OfARun), message, desk);
        self.runs.insert(message.run, reading);
        found
    }

    /// Tries her words on what is in a notebook, with this message last. Answers what she found.
    pub fn look_in(
        &mut self,
        (hand, notes): (&mut Hand, Notes),
        message: &Sight,
        desk: &mut Desk<'_>,
    ) -> Vec<Found> {
        let mut found = Vec::new();
        for (id, term) in hand.passwords() {
            let Some(value) = self.guess((hand, notes), (id, &term), message, desk) else { continue };
            hand.knowledge.set(id, value.clone());
            hand.with_scratch(desk, Hand::look_again);
            if !self.found.contains(&(term.clone(), value.clone())) {
                self.found.push((term.clone(), value.clone()));
                found.push((term, value));
            }
        }
        found
    }

    fn read(&mut self, message: &Sight, desk: &mut Desk<'_>) -> bool {
        let Some(spoken) = desk.cast.protocols.get(&message.protocol) else { return false };
        let reading = self.runs.entry(message.run).or_insert_with(|| Reading::new(message, spoken, desk));
        if reading.spoken.name != message.protocol {
            return false;
        }
        reading.read(message, desk);
        true
    }

    /// The password, if a word fits. A password that is known or given up costs no more words.
    fn guess(
        &mut self,
        (hand, notes): (&mut Hand, Notes),
        (id, term): (Id, &Term),
        message: &Sight,
        desk: &mut Desk<'_>,
    ) -> Option<Value> {
        let known = self.found.iter().filter(|(t, _)| t == term).map(|(_, value)| value);
        if let Some(value) = known.into_iter().find(|v| hand.fits(id, v, desk)) {
            return Some(value.clone());
        }
        if self.given_up.contains(&(term.clone(), notes)) {
            return None;
        }
        let (tested, with) = hand.testable(id)?;
        if !self.tests.insert((term.clone(), with)) {
            return None;
        }
        let mut at = None;
        for (nth, word) in self.words.iter().enumerate() {
            if !desk.may_guess(&mut self.tried) {
                return None;
            }
            if hand.fits(id, word, desk) {
                at = Some(nth);
                break;
            }
        }
        let value = at.map(|at| self.words[at].clone());
        if value.is_none() {
            self.given_up.insert((term.clone(), notes));
        }
        desk.effects.note(What::Guessed {
            term: term.to_string(),
            words: at.map_or(self.words.len(), |at| at + 1),
            message: message.id,
            tested: Box::new(tested),
            value: value.clone().map(Box::new),
        });
        value
    }
}

impl Reading {
    pub fn new(message: &Sight, spoken: &Arc<Spoken>, desk: &Desk<'_>) -> Reading {
        let Desk { cast, profile, .. } = desk;
        let (protocol, her) = (&spoken.protocol, &profile.character.name);
        let table = protocol.table.clone();
        let roles = [
            (protocol.sender_of(message.line), &message.from),
            (protocol.receiver_of(message.line), &message.to),
        ];
        let own = roles.iter().filter(|(_, name)| *name == her).filter_map(|(role, _)| table.find_name(role));
        let rights = Rights {
            own: own.collect(),
            directory: true,
            certificates: true,
            registered: profile.insider,
            ..Rights::default()
        };
        let base = &spoken.grounds[roles[0].0];
        let (supply, labels) = (BTreeMap::new(), cast.labels());
        let grounds = Arc::new(Grounds { rights, supply, labels, ..(**base).clone() });
        let rng = cast.keys.stream(&[her, "dictionary", &message.run.to_string()]);
        let hand = Hand::new(grounds.clone(), rng, PartyTrust::of_attacker(cast, &profile.character));
        let mut reading = Reading { spoken: spoken.clone(), grounds, hand };
        spoken.services.iter().for_each(|(role, name)| reading.casts(role, name));
        reading
    }

    /// Whether it is of this protocol.
    pub fn speaks(&self, protocol: &str) -> bool {
        *self.spoken.name == *protocol
    }

    /// The terms.
    pub fn table(&self) -> Arc<Table> {
        self.grounds.table.clone()
    }

    /// What she has for a term.
    pub fn value(&self, id: Id) -> Option<&Value> {
        self.hand.knowledge.get(id)
    }

    /// What a signature is of, and the public key under which it verifies, if she can make both.
    pub fn signed(
        &mut self,
        id: Id,
        owner: Id,
        line: u32,
        desk: &mut Desk<'_>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let format = Format::plain(&self.grounds, line);
        self.hand.with_scratch(desk, |hand, desk| hand.signed(id, owner, &format, desk))
    }

    /// Takes note of who plays a role.
    fn casts(&mut self, role: &Name, name: &Name) {
        if let Some(id) = self.spoken.protocol.table.find_name(role)
            && self.hand.knowledge.get(id).is_none()
        {
            self.hand.knowledge.set(id, Value::name(name));
        }
    }

    /// Reads a message as far as it can be read.
    pub fn read(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let spoken = self.spoken.clone();
        let protocol = &spoken.protocol;
        self.casts(protocol.sender_of(message.line), &message.from);
        self.casts(protocol.receiver_of(message.line), &message.to);
        let line = &protocol.lines[message.line as usize - 1];
        let parts: Vec<Id> = line.parts.iter().filter_map(|t| protocol.table.find(t)).collect();
        let format = Format::plain(&self.grounds, message.line);
        self.hand.with_scratch(desk, |hand, desk| hand.read_leniently(message, &parts, &format, desk));
    }
}
