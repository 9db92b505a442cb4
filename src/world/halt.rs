//! Why a play stopped before its end.

use std::fmt;

use crate::limits::Reached;
use crate::notation::Name;

/// Why a play stopped before its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Halt {
    /// A limit was reached.
    Limit {
        /// The limit's name.
        name: &'static str,
        /// Its value.
        value: u64,
        /// What most likely brought it about.
        cause: &'static str,
    },
    /// The attacker's search for an attack was not finished.
    Open {
        /// The goal.
        goal: String,
        /// Why.
        why: String,
    },
    /// A party's task died: a defect of this program.
    Died {
        /// The party.
        party: Name,
    },
    /// The runtime could not be built.
    Runtime(String),
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Limit { name, value, cause } => {
                write!(f, "the limit {name} ({value}) was reached: {cause}")
            }
            Halt::Open { goal, why } => {
                write!(f, "the search for an attack on `{goal}` was not finished: {why}")
            }
            Halt::Died { party } => write!(f, "the task of {party} died; this is a defect of mallory"),
            Halt::Runtime(why) => write!(f, "the runtime could not be built: {why}"),
        }
    }
}

impl std::error::Error for Halt {}

impl From<Reached> for Halt {
    fn from(Reached { name, value, cause }: Reached) -> Halt {
        Halt::Limit { name, value: value as u64, cause }
    }
}
