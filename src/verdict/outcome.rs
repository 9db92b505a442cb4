//! What each session came to. Must not know goals.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::algebra::Value;
use crate::journal::{Journal, MessageId, Part, Refusal, SessionId};
use crate::notation::{Id, Name, Protocol};
use crate::time::SimTime;

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every step was done.
    Completed,
    /// A check failed.
    Refused {
        /// Where and why.
        refusal: Refusal,
        /// The message that it refused, if it had one at hand.
        message: Option<MessageId>,
    },
    /// It still waits for a line.
    Waits {
        /// The line.
        line: u32,
        /// From whom.
        from: String,
    },
}

/// A value that a session has, and since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Had {
    /// The value.
    pub value: Value,
    /// The event with which it had it.
    pub since: u64,
}

/// A session, what it came to, and what it took its values to be.
#[derive(Clone, Debug)]
pub struct SessionOutcome {
    /// Which.
    pub id: Arc<SessionId>,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: SimTime,
    /// The event with which it began.
    pub began: u64,
    /// The event with which it ended.
    pub ended: u64,
    /// The value of each name, `let` and goal's term, by the term.
    pub values: BTreeMap<Id, Had>,
    /// Whom it took for clients' roles before it heard of anybody.
    told: Arc<BTreeMap<Name, Name>>,
    protocol: Arc<Protocol>,
}

impl SessionOutcome {
    /// The protocol that it spoke.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Its value for a term.
    pub fn value(&self, term: Id) -> Option<&Value> {
        self.values.get(&term).map(|had| &had.value)
    }

    /// Its value for a name: a role, a value or a `let` of its protocol.
    pub fn value_named(&self, name: &str) -> Option<&Value> {
        self.value(self.protocol.named(name)?)
    }

    /// The party that it takes to play a role.
    pub fn peer(&self, role: &str) -> Option<&str> {
        if *self.id.role == *role {
            return Some(&self.id.party);
        }
        let heard = self.value(self.protocol.table.find_name(role)?).and_then(Value::text);
        // One that refuses its first message has not said yet what it knew before.
        heard.or_else(|| self.told.get(role).map(|name| &**name))
    }

    /// Whether it completed.
    pub fn completed(&self) -> bool {
        self.outcome == Outcome::Completed
    }

    /// At which line and why it refused, if it did.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.outcome {
            Outcome::Refused { refusal, .. } => Some(refusal),
            Outcome::Completed | Outcome::Waits { .. } => None,
        }
    }
}

/// All sessions of a play, in the order in which they began.
#[derive(Clone, Default, Debug)]
pub struct Sessions(pub Vec<SessionOutcome>);

impl Sessions {
    /// Reads the sessions off a journal of parties who spoke these protocols.
    pub fn of(journal: &Journal, protocols: &BTreeMap<Name, Arc<Protocol>>) -> Sessions {
        let mut all: Vec<SessionOutcome> = Vec::new();
        let mut places: BTreeMap<Arc<SessionId>, usize> = BTreeMap::new();
        for event in journal.events() {
            let Some(part) = event.what.topics().part else { continue };
            let (session, outcome) = match part {
                Part::Started(session, peers) => {
                    let Some(protocol) = protocols.get(&session.protocol) else { continue };
                    places.insert(session.clone(), all.len());
                    all.push(SessionOutcome {
                        id: session.clone(),
                        outcome: Outcome::Waits { line: 0, from: String::new() },
                        at: event.at,
                        began: event.number,
                        ended: event.number,
                        values: BTreeMap::new(),
                        told: peers.clone(),
                        protocol: protocol.clone(),
                    });
                    continue;
                }
                Part::Has(session, id, value) => {
                    if let Some(at) = places.get(session) {
                        let had = Had { value: value.clone(), since: event.number };
                        all[*at].values.insert(id, had);
                    }
                    continue;
                }
                Part::Completed(session) => (session, Outcome::Completed),
                Part::Refused(session, refusal, message) => (session, Outcome::Refused { refusal, message }),
                Part::Waits(session, line, from) => (session, Outcome::Waits { line, from: from.to_owned() }),
            };
            if let Some(at) = places.get(session) {
                let ended = &mut all[*at];
                (ended.outcome, ended.at, ended.ended) = (outcome, event.at, event.number);
            }
        }
        Sessions(all)
    }

    /// The sessions of one party in one run: one, except of a service.
    pub fn of_party<'a>(&'a self, run: u32, party: &'a str) -> impl Iterator<Item = &'a SessionOutcome> {
        self.0.iter().filter(move |s| s.id.run == run && *s.id.party == *party)
    }

    /// The values that a run's parties have for a name, from one party or all.
    pub fn values<'a>(&'a self, run: u32, party: Option<&'a Name>, name: &'a str) -> Vec<&'a Value> {
        let mut found: Vec<&Value> = Vec::new();
        for session in self.0.iter().filter(|s| s.id.run == run && party.is_none_or(|p| *p == s.id.party)) {
            if let Some(value) = session.value_named(name)
                && !found.contains(&value)
            {
                found.push(value);
            }
        }
        found
    }
}
