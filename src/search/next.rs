//! Which of the things that she must make comes next, and what need not or cannot be made. Must
//! not know how anything is made.

use super::bundle::{Bundle, StepId, Wanted};
use super::intruder::Intruder;
use super::term::{Head, Term};
use crate::algebra::Func;

/// So many ways or more to make something are counted alike.
const MANY: usize = 64;

/// What comes next.
pub enum Next {
    /// This is to be made.
    Make(Wanted),
    /// Everything can be made.
    Done,
    /// Something never can.
    Never,
}

/// Whether something is made already.
enum Already {
    /// It is: as this.
    Made(u16),
    /// It would be made with the help of itself.
    ForItself,
    /// It is not.
    Not,
}

impl Intruder<'_> {
    /// The next term that she must make, taken out of what is wanted; none if all that is left
    /// are variables. What everybody has, and what she made before, is dropped.
    pub fn next(&mut self, bundle: &mut Bundle) -> Next {
        let mut at = 0;
        // Once for all that is wanted: each is held against each of these.
        for at in 0..bundle.had.len() {
            let term = bundle.store.write_out(self.terms, bundle.had[at].term);
            if term != bundle.had[at].term {
                bundle.had[at].term = term;
            }
        }
        while at < bundle.wanted.len() {
            let term = bundle.store.walk(self.terms, bundle.wanted[at].term);
            if term != bundle.wanted[at].term {
                bundle.wanted[at].term = term;
            }
            if matches!(self.terms.head(term), Head::Var(_)) {
                at += 1;
                continue;
            }
            if self.is_everyones(bundle, bundle.wanted[at].at, term) {
                bundle.wanted.remove(at);
                continue;
            }
            let written = bundle.store.write_out(self.terms, term);
            match self.had(bundle, at, written) {
                Already::Made(had) => {
                    let wanted = bundle.wanted.remove(at);
                    if let Some(other) = wanted.made_for {
                        bundle.needs.push((other as u16, had));
                    }
                    continue;
                }
                Already::ForItself => return Next::Never,
                Already::Not => {}
            }
            if self.is_out_of_reach(bundle, bundle.wanted[at].at, term)
                || self.is_roundabout(bundle, bundle.wanted[at].at, written)
            {
                return Next::Never;
            }
            at += 1;
        }
        let mut best: Option<((usize, u8), usize)> = None;
        for at in 0..bundle.wanted.len() {
            let wanted = bundle.wanted[at];
            if matches!(self.terms.head(wanted.term), Head::Var(_)) {
                continue;
            }
            let most = best.map_or(MANY, |((least, _), _)| least + 1);
            let chances = self.chances(bundle, &wanted, most);
            if chances == 0 {
                return Next::Never;
            }
            let rank = (chances, self.rank(bundle, wanted.term));
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, at));
            }
        }
        match best {
            Some((_, at)) => Next::Make(bundle.wanted.remove(at)),
            None => Next::Done,
        }
    }

    /// What has fewest ways to be made comes first.
    fn rank(&mut self, bundle: &Bundle, term: Term) -> u8 {
        match self.terms.head(term) {
            Head::Atom(_) | Head::OfAgents(_) | Head::LongTerm(_) | Head::Inverse => 0,
            Head::OneWay { func: Func::Sign, .. } => 1,
            Head::Joined => 0,
            Head::Seal { asymmetric: false, .. } | Head::OneWay { func: Func::Mac, .. } => {
                let key = self.terms.args(term)[0];
                let key = bundle.store.walk(self.terms, key);
                match self.terms.head(key) {
                    Head::OfAgents(_) | Head::Atom(_) => 2,
                    _ => 4,
                }
            }
            Head::Seal { .. } => 3,
            _ => 5,
        }
    }

    /// Whether she makes a wanted term already, and not with the help of itself.
    fn had(&self, bundle: &Bundle, at: usize, term: Term) -> Already {
        let wanted = &bundle.wanted[at];
        let mut above = None;
        let mut found = Already::Not;
        for (number, had) in bundle.had.iter().enumerate().filter(|(_, had)| had.term == term) {
            if had.since != wanted.at && !bundle.is_before(had.since, wanted.at) {
                continue;
            }
            if above.get_or_insert_with(|| bundle.above(wanted.made_for)).contains(&number) {
                return Already::ForItself;
            }
            found = Already::Made(number as u16);
        }
        found
    }

    /// Whether she has this from a step before which she needs it: then there is a shorter way.
    fn is_roundabout(&self, bundle: &Bundle, at: StepId, term: Term) -> bool {
        let mut had = bundle.had.iter().filter(|had| had.term == term);
        had.any(|had| had.from.is_some_and(|from| at == from || bundle.is_before(at, from)))
    }
}
