//! What came of an attacker's own search for an attack, for programs and for views.

/// What an attacker's search for an attack came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunt {
    /// Runs at most.
    pub runs: usize,
    /// What was found on each goal of the scenario's protocol, in their order.
    pub goals: Vec<Hunted>,
    /// Which of them has the attack that she plays; none if she found none and only listens.
    pub plays: Option<usize>,
}

/// What was found on a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunted {
    /// The goal.
    pub goal: String,
    /// What.
    pub prey: Prey,
}

/// What a search came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prey {
    /// An attack with so many runs and so many lines of hers.
    Attack {
        /// Runs.
        runs: usize,
        /// Lines of hers.
        lines: usize,
    },
    /// None within the bound.
    Nothing,
    /// It was not finished.
    Open {
        /// Why.
        why: String,
    },
}
