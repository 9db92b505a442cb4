//! What each session came to. Must not know goals.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::{Journal, Refusal, SessionId, What};
use crate::knowledge::Value;
use crate::notation::Name;
use crate::time::SimTime;

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Every step was done.
    Completed,
    /// A check failed.
    Refused(Refusal),
    /// It still waits for a line.
    Waits {
        /// The line.
        line: u32,
        /// From whom.
        from: String,
    },
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
    /// The value of each name, `let` name and goal's term, as it is written.
    pub values: BTreeMap<String, Value>,
}

impl SessionOutcome {
    /// The party that it takes to play a role.
    pub fn peer(&self, role: &str) -> Option<&str> {
        if *self.id.role == *role {
            return Some(&self.id.party);
        }
        self.values.get(role).and_then(Value::text)
    }

    /// Whether it completed.
    pub fn completed(&self) -> bool {
        self.outcome == Outcome::Completed
    }
}

/// All sessions of a play, in the order in which they began.
#[derive(Clone, Default, Debug)]
pub struct Sessions(pub Vec<SessionOutcome>);

impl Sessions {
    /// Reads the sessions off a journal.
    pub fn of(journal: &Journal) -> Sessions {
        let mut all: Vec<SessionOutcome> = Vec::new();
        let mut latest: BTreeMap<Arc<SessionId>, usize> = BTreeMap::new();
        for event in journal.events() {
            let at = |id: &SessionId| latest.get(id).copied();
            match &event.what {
                What::Started { session } => {
                    latest.insert(session.clone(), all.len());
                    all.push(SessionOutcome {
                        id: session.clone(),
                        outcome: Outcome::Waits { line: 0, from: String::new() },
                        at: event.at,
                        began: event.number,
                        ended: event.number,
                        values: BTreeMap::new(),
                    });
                }
                What::Concluded { session, term, value } => {
                    if let Some(at) = at(session) {
                        all[at].values.insert(term.clone(), value.clone());
                    }
                }
                What::Completed { session } => {
                    end(&mut all, at(session), Outcome::Completed, event.at, event.number);
                }
                What::Refused { session, refusal } => {
                    end(&mut all, at(session), Outcome::Refused(*refusal), event.at, event.number);
                }
                What::Waits { session, line, from } => {
                    let outcome = Outcome::Waits { line: *line, from: from.clone() };
                    end(&mut all, at(session), outcome, event.at, event.number);
                }
                _ => {}
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
            if let Some(value) = session.values.get(name)
                && !found.contains(&value)
            {
                found.push(value);
            }
        }
        found
    }
}

fn end(all: &mut [SessionOutcome], at: Option<usize>, outcome: Outcome, time: SimTime, event: u64) {
    if let Some(at) = at {
        all[at].outcome = outcome;
        all[at].at = time;
        all[at].ended = event;
    }
}
