//! The search itself: from a goal backwards, one thing that the attacker must make after the
//! other, until nothing but variables is left. Must not know bytes.

use super::aim::Aim;
use super::bundle::{Bundle, Cast};
use super::intruder::{Intruder, Powers};
use super::next::Next;
use super::size::Size;
use super::sort::Widths;
use super::term::Terms;
use crate::notation::Protocol;

/// What ended a search before it was through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// `MAX_SEARCH_STATES`.
    States,
    /// Whoever asked for it wants no more of it.
    Over,
    /// A role, or an attack that was found, cannot be said on symbols or in the notation.
    Unsaid,
    /// `MAX_BUNDLE_STEPS`.
    Steps,
    /// `MAX_UNIFICATIONS`.
    Unifications,
}

/// How far a search may go.
#[derive(Clone, Copy)]
pub struct Allowance<'a> {
    /// States to look at.
    pub states: u64,
    /// Whether it is over, which is asked in every state.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
}

/// States at least, and as many as it took to find an attack, in which a plainer one is looked for
/// that is as long.
const PATIENCE: u64 = 100;

/// What a search knows.
pub struct Engine<'a> {
    /// The protocol.
    pub protocol: &'a Protocol,
    /// All terms.
    pub terms: Terms,
    /// How long they are.
    pub widths: Widths,
    /// The roles.
    pub cast: Cast,
    /// What she has.
    pub powers: Powers,
    /// How far it may go.
    pub allowance: Allowance<'a>,
    /// States that were looked at.
    pub states: u64,
}

/// Takes a bundle in which everything can be made; whether it is what was looked for.
type Accept<'f> = &'f mut dyn FnMut(&mut Intruder<'_>, &Bundle) -> bool;

impl Engine<'_> {
    /// Looks for the smallest bundles that violate a goal: each that is smaller than those
    /// before is offered to `accept`, and those that it takes bound what is still looked for. Of
    /// those that are as long, one with fewer messages of hers counts as smaller, as far as patience
    /// goes.
    ///
    /// # Errors
    /// What ended the search before it was through.
    pub fn run(&mut self, aim: &Aim, accept: Accept<'_>) -> Result<(), Stop> {
        let Engine { protocol, terms, widths, cast, powers, allowance, states } = self;
        let mut at = Intruder { terms, widths, cast, powers, left_out: false };
        let mut most: Size = (usize::MAX, usize::MAX);
        let mut patience = u64::MAX;
        let mut open = aim.starts(protocol, &mut at);
        open.reverse();
        while let Some(mut bundle) = open.pop() {
            if bundle.taken > most.0 || (bundle.taken == most.0 && *states >= patience) {
                continue;
            }
            *states += 1;
            if *states >= allowance.states {
                return Err(Stop::States);
            }
            if (allowance.is_over)() {
                return Err(Stop::Over);
            }
            match at.next(&mut bundle) {
                Next::Never => {}
                Next::Make(wanted) => {
                    let from = open.len();
                    at.ways(&bundle, &wanted, &mut open);
                    open[from..].reverse();
                }
                Next::Done => {
                    let size = at.size(&bundle);
                    if size < most
                        && let Some(attack) = aim.violated(protocol, &mut at, &bundle)
                        && accept(&mut at, &attack)
                    {
                        most = size;
                        patience = *states + (*states).max(PATIENCE);
                    }
                }
            }
        }
        match (at.left_out, at.terms.gave_up) {
            (true, _) => Err(Stop::Steps),
            (_, true) => Err(Stop::Unifications),
            _ => Ok(()),
        }
    }
}
