//! What a party knows again: messages that it accepted before (replay caches, RFC 4120 §3.2.3),
//! and work of its own that somebody returns to it. Must not know whom it talks to.

use std::collections::BTreeSet;

use super::cast::{Cast, Remembers};
use super::footing::Footing;
use crate::algebra::{Bytes, Made};
use crate::crypto;
use crate::journal::Sight;
use crate::knowledge::Knowledge;
use crate::notation::protocol::Declared;
use crate::notation::{Func, Id, Kind, Node, Op, Origin, Protocol, Term};
use crate::reason::Reason;
use crate::wire;

/// What a party remembers of the messages that it accepted: digests.
#[derive(Default)]
pub struct ReplayCache(BTreeSet<[u8; 32]>);

/// A message as it was read.
pub struct Accepted<'a> {
    /// Its protocol.
    pub protocol: &'a Protocol,
    /// Its line.
    pub line: u32,
    /// How it was read.
    pub ops: &'a [Op],
    /// What its reader knows now.
    pub knowledge: &'a Knowledge,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl ReplayCache {
    /// Takes note of a message.
    ///
    /// # Errors
    /// `Replayed` if it was accepted before.
    pub fn take(&mut self, message: &Accepted<'_>, by: &Remembers) -> Result<(), Reason> {
        let digests = message.digests(by);
        if digests.iter().any(|digest| self.0.contains(digest)) {
            return Err(Reason::Replayed);
        }
        self.0.extend(digests);
        Ok(())
    }

    /// Forgets all of it.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// Ciphertexts, codes and signatures that a party made itself.
#[derive(Default)]
pub struct OwnWork(BTreeSet<Bytes>);

impl OwnWork {
    /// Remembers what was made, if its party does.
    pub fn note(&mut self, made: &[Made], footing: &Footing) {
        if footing.character.knows_own {
            let made = made.iter().map(|made| &made.value);
            let own = made.filter(|v| matches!(v.kind, Kind::Cipher | Kind::Mac | Kind::Signature));
            self.0.extend(own.map(|value| value.bytes.clone()));
        }
    }

    /// Whether a field of a message is its own work, unless the protocol brings the role's own
    /// work back in this line, as a ticket that it issued.
    pub fn shows(&self, message: &Sight, cast: &Cast) -> bool {
        let Some(spoken) = cast.protocols.get(&message.protocol).filter(|_| !self.0.is_empty()) else {
            return false;
        };
        if spoken.protocol.returns_own(message.line) {
            return false;
        }
        match spoken.encoding.has_tags() {
            true => wire::tagged_fields(&message.bytes)
                .unwrap_or_default()
                .into_iter()
                .any(|(_, range)| self.0.contains(&Bytes::from(&message.bytes[range]))),
            false => self.0.iter().any(|own| message.bytes.windows(own.len()).any(|w| w == own.as_slice())),
        }
    }
}

impl Accepted<'_> {
    fn digests(&self, by: &Remembers) -> Vec<[u8; 32]> {
        let of = |id: Id| self.knowledge.get(id).map(|value| crypto::sha256(&[b"part", &value.bytes]));
        let named = match by {
            Remembers::Terms(terms) => self.named(terms),
            Remembers::Protected => None,
        };
        let protected: Vec<[u8; 32]> = match named {
            Some(digest) => vec![digest],
            None => {
                self.ops.iter().filter_map(checked).filter(|id| self.is_fresh(*id)).filter_map(of).collect()
            }
        };
        match protected.is_empty() {
            true => vec![crypto::sha256(&[b"whole", self.bytes])],
            false => protected,
        }
    }

    /// All of these terms together, if this line has one of them and the reader knows the others.
    fn named(&self, terms: &[Term]) -> Option<[u8; 32]> {
        let table = self.knowledge.table();
        let ids = terms.iter().map(|term| table.find(term)).collect::<Option<Vec<Id>>>()?;
        let parts = self.protocol.lines.get(self.line as usize - 1)?.parts.iter();
        let mut here = parts.filter_map(|part| table.find(part));
        here.any(|part| ids.iter().any(|id| contains(self.knowledge, part, *id))).then_some(())?;
        let mut bytes = Vec::new();
        for id in ids {
            let value = self.knowledge.get(id)?;
            bytes.extend_from_slice(&(value.bytes.len() as u64).to_be_bytes());
            bytes.extend_from_slice(&value.bytes);
        }
        Some(crypto::sha256(&[b"terms", &bytes]))
    }

    /// Whether its sender made a part for this very line: it stands in no line before, and is
    /// never made alike twice.
    fn is_fresh(&self, id: Id) -> bool {
        let table = self.knowledge.table();
        table.first_line(id) == Some(self.line)
            && match table.node(id) {
                // Every encryption draws anew.
                Node::Enc(..) => true,
                Node::App(Func::Mac | Func::Sign | Func::Hash | Func::Short, _) => self.draws_anew(id),
                _ => false,
            }
    }

    /// Whether something is in a term that its sender draws in every run.
    fn draws_anew(&self, id: Id) -> bool {
        let table = self.knowledge.table();
        if let Node::Name(name) = table.node(id) {
            let sender = self.protocol.sender_of(self.line);
            let drawn = |value: &Declared| value.origin == Origin::Fresh && value.role == *sender;
            return self.protocol.value(name).is_some_and(drawn);
        }
        table.each_part(id).any(|part| self.draws_anew(part))
    }
}

/// The part that an operation opens or checks.
fn checked(op: &Op) -> Option<Id> {
    match op {
        Op::Open(_, id, _) | Op::Verify(_, id) | Op::Equal(_, id) => Some(*id),
        _ => None,
    }
}

fn contains(knowledge: &Knowledge, term: Id, part: Id) -> bool {
    term == part || knowledge.table().each_part(term).any(|inner| contains(knowledge, inner, part))
}
