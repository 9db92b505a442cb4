//! Programs: what a role does, step by step. Actors work from them, and a search can. Must not
//! know how they come about.

use std::sync::Arc;

use super::plan::Op;
use super::table::Id;
use super::term::Name;

/// What a role does, from the line at which it joins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// The role.
    pub role: Name,
    /// The role's own name as a term.
    pub me: Id,
    /// The line at which it joins, from 1.
    pub entry: u32,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// How many slots its receiving steps need.
    pub slots: usize,
}

/// One line of the protocol, as a role sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The line, from 1.
    pub line: u32,
    /// What the role does.
    pub action: Action,
    /// Terms whose value the role has from here on: names, `let` names, goals' terms.
    pub concludes: Vec<Id>,
}

/// What a role does in a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Build the parts and send them.
    Send {
        /// The receiving role.
        to: Id,
        /// The parts.
        parts: Arc<[Id]>,
    },
    /// Wait for a message and read it.
    Receive {
        /// The sending role.
        from: Id,
        /// The parts.
        parts: Arc<[Id]>,
        /// How to read it.
        ops: Vec<Op>,
    },
}
