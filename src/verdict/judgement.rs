//! What a goal comes to: three words, and why. Must not know how it was found out.

use super::evidence::{Finding, Step};
use crate::journal::Refusal;
use crate::notation::{Claim, Name};

/// Which goal of which protocol.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GoalId {
    /// The protocol.
    pub protocol: Name,
    /// Its place among the protocol's goals, from 0.
    pub nth: usize,
}

/// What became of a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoalVerdict {
    /// Which.
    pub id: GoalId,
    /// The goal, as the protocol has it.
    pub goal: String,
    /// What it claims, `let` names written out.
    pub claim: Claim,
    /// What became of it.
    pub judgement: Judgement,
}

/// Whether a goal holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// It happened.
    Violated {
        /// What.
        finding: Finding,
        /// The chain of events that led there.
        steps: Vec<Step>,
    },
    /// It was put to the test and stood.
    Holds {
        /// In so many parts that completed.
        completed: usize,
        /// In those that refused what came of the attacker's doing.
        refused: Vec<Rebuff>,
    },
    /// Nothing put it to the test.
    Untested(Untested),
}

/// A part that refused a message that the attacker sent, changed or held back, or an answer to
/// such a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebuff {
    /// The party.
    pub party: Name,
    /// The run.
    pub run: u32,
    /// At which line and why.
    pub refusal: Refusal,
}

/// Why a goal was not put to the test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untested {
    /// Without an attacker nobody listens.
    NobodyAttacked,
    /// No part of which it speaks completed, or refused what came of the attacker's doing.
    NoPartGotSoFar {
        /// So many of them refused what nobody had touched.
        refused: usize,
        /// So many still wait.
        waiting: usize,
    },
}

/// A verdict's word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Word {
    /// It happened.
    Violated,
    /// It was put to the test and stood.
    Holds,
    /// Nothing put it to the test.
    Untested,
}

impl Word {
    /// The word, as files and logs have it.
    pub fn text(self) -> &'static str {
        match self {
            Word::Violated => "violated",
            Word::Holds => "holds",
            Word::Untested => "untested",
        }
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.text())
    }
}

impl GoalVerdict {
    /// Its word.
    pub fn word(&self) -> Word {
        match self.judgement {
            Judgement::Violated { .. } => Word::Violated,
            Judgement::Holds { .. } => Word::Holds,
            Judgement::Untested(_) => Word::Untested,
        }
    }

    /// Whether the goal was put to the test and stood.
    pub fn holds(&self) -> bool {
        self.word() == Word::Holds
    }

    /// Whether the goal fell.
    pub fn is_violated(&self) -> bool {
        self.word() == Word::Violated
    }
}
