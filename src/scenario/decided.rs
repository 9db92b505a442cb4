//! From which event on it was decided that a goal falls, as data.

/// How often goals fall if the attacker is stopped after each of her acts: from then on all
/// messages pass, and she puts none on the wire. What she has taken by then stays taken; she still
/// listens, computes, and gets what the scenario's events hand her.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// For how many seeds it was played, from the play's own on.
    pub seeds: u32,
    /// How often she acts in the play itself.
    pub acts: usize,
    /// After how many acts she was stopped; all of them, if there is room (MAX_DECIDED_CUTS).
    pub cuts: Vec<Cut>,
    /// Each goal that falls in the play, or with another of the seeds.
    pub goals: Vec<DecidedGoal>,
}

/// A place at which she was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// After so many of her acts.
    pub acts: usize,
    /// The event in the play itself that is the last of them; 0 before the first.
    pub event: u64,
}

/// How often one goal falls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecidedGoal {
    /// Its place among the play's goals.
    pub nth: usize,
    /// In so many seeds if she goes on.
    pub going_on: u32,
    /// In so many seeds if she is stopped, cut by cut.
    pub stopped: Vec<u32>,
    /// The first cut from which on it makes no difference in any seed.
    pub decided: usize,
}

impl DecidedGoal {
    /// Whether it falls at all.
    pub(super) fn ever_falls(&self) -> bool {
        self.going_on > 0 || self.stopped.iter().any(|falls| *falls > 0)
    }
}
