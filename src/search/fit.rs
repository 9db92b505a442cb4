//! Whether terms may become equal, and in how many places at most a term may be found: looked at
//! without making anything equal, so that what cannot be is left out before it costs anything. Must
//! not know goals.

use super::bundle::{Bundle, END, StepId, Wanted};
use super::intruder::Intruder;
use super::sort::{HER, Sort, Widths};
use super::store::{Slot, Store};
use super::term::{Args, Head, Term, Terms};
use crate::algebra::Func;
use crate::notation::Kind;

/// The variables of a part: of one in a bundle, or of one that is in none yet, of which nothing is
/// settled.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    slots: &'a [Slot],
    bound: &'a [Option<Term>],
}

impl<'a> Side<'a> {
    /// Of a bundle.
    pub fn of(store: &'a Store) -> Side<'a> {
        Side { slots: &store.slots, bound: &store.bound }
    }

    /// Of a role's program by itself.
    pub fn unsettled(slots: &'a [Slot]) -> Side<'a> {
        Side { slots, bound: &[] }
    }

    fn peek(self, terms: &Terms, mut term: Term) -> Term {
        while let Head::Var(var) = terms.head(term)
            && let Some(Some(other)) = self.bound.get(var as usize)
        {
            term = *other;
        }
        term
    }
}

/// Whether two terms may become equal; no means that they cannot.
pub fn may_fit(
    terms: &Terms,
    widths: &Widths,
    (a, of_a): (Term, Side<'_>),
    (b, of_b): (Term, Side<'_>),
) -> bool {
    let (a, b) = (of_a.peek(terms, a), of_b.peek(terms, b));
    let (head_a, head_b) = (terms.head(a), terms.head(b));
    match (head_a, head_b) {
        (Head::Var(x), Head::Var(y)) => {
            of_a.slots[x as usize].sort.meet(of_b.slots[y as usize].sort).is_some()
        }
        (Head::Var(x), head) => may_be(widths, of_a.slots[x as usize].sort, head),
        (head, Head::Var(y)) => may_be(widths, of_b.slots[y as usize].sort, head),
        (Head::Sum | Head::Step { .. } | Head::Joined | Head::Inverse, _)
        | (_, Head::Sum | Head::Step { .. } | Head::Joined | Head::Inverse)
        | (Head::Power { .. }, Head::Power { .. }) => true,
        _ if head_a != head_b => false,
        (Head::OfAgents(Func::K | Func::Pw), _) => {
            let pair = |term: Term| (terms.args(term)[0], terms.args(term)[1]);
            let ((a, b), (x, y)) = (pair(a), pair(b));
            let fit = |a, x| may_fit(terms, widths, (a, of_a), (x, of_b));
            fit(a, x) && fit(b, y) || fit(a, y) && fit(b, x)
        }
        _ => {
            let (x, y) = (terms.args(a), terms.args(b));
            // Where fields have no borders, only what stands before them does.
            let many = match head_a {
                Head::Seal { .. } if widths.is_flat() => 2,
                Head::OneWay { func: Func::Sign | Func::Mac, .. } if widths.is_flat() => 1,
                Head::OneWay { .. } if widths.is_flat() => 0,
                _ if x.len() != y.len() => return false,
                _ => x.len(),
            };
            let mut pairs = x.iter().zip(y).take(many);
            pairs.all(|(x, y)| may_fit(terms, widths, (*x, of_a), (*y, of_b)))
        }
    }
}

/// Whether a variable of this sort may stand for what begins so.
fn may_be(widths: &Widths, sort: Sort, head: Head) -> bool {
    match (sort, head) {
        (_, Head::Step { .. } | Head::Sum | Head::Joined | Head::Inverse) => true,
        (Sort::Name, _) => matches!(head, Head::Name(_)),
        (Sort::Client, _) => matches!(head, Head::Name(name) if !widths.is_service(name)),
        (Sort::Honest, _) => matches!(head, Head::Name(name) if head != HER && !widths.is_service(name)),
        (Sort::Time(_) | Sort::Expiry(_), _) => matches!(head, Head::Atom(_)),
        (Sort::Public, _) => matches!(head, Head::OfAgents(Func::Pk)),
        (Sort::Coins, _) => matches!(head, Head::Atom(_)),
        (Sort::Exponent, _) => false,
        (Sort::Any | Sort::Share, _) => true,
    }
}

/// Where places are counted in which a term may be found.
struct Count<'a> {
    target: Term,
    of_target: Side<'a>,
    kind: Option<Kind>,
    /// Whether long-term keys are out of reach of whoever has none.
    locks: bool,
    found: usize,
    /// There is no need to count further.
    most: usize,
}

impl Intruder<'_> {
    /// In how many ways at most a term can be made, up to `most`; none if it cannot.
    pub fn chances(&mut self, bundle: &Bundle, wanted: &Wanted, most: usize) -> usize {
        let (at, target) = (wanted.at, wanted.term);
        let args = Args::from_slice(self.terms.args(target));
        let head = self.terms.head(target);
        let mut found = match head {
            Head::Seal { .. } | Head::OneWay { .. } | Head::Step { .. } | Head::Sum | Head::Joined => {
                usize::from(self.may_have_all(bundle, at, &args))
            }
            Head::OfAgents(Func::Pk) | Head::Inverse => 1,
            Head::Power { .. } => args.len(),
            _ => 0,
        };
        if matches!(head, Head::OfAgents(_) | Head::LongTerm(_)) {
            let is_open =
                |arg: &&Term| matches!(self.terms.head(bundle.store.peek(self.terms, **arg)), Head::Var(_));
            found += args.iter().filter(is_open).count();
        }
        // As many as there are parts that may give her something to check a word against.
        if head == Head::OfAgents(Func::Pw) && !bundle.stolen.is_empty() {
            found += bundle.parts.len() + self.cast.templates.len();
        }
        if self.powers.old_session_keys && (at == END || bundle.epoch(at) > 0) {
            found += self.cast.templates.len();
        }
        let is_flat = self.widths.is_flat();
        let mut count = Count {
            target,
            of_target: Side::of(&bundle.store),
            kind: if is_flat || self.powers.sums { None } else { self.kind(target) },
            locks: !self.powers.keys_travel
                && bundle.stolen.is_empty()
                && !(at == END && self.powers.leaks_at_end),
            found,
            most,
        };
        for part in bundle.parts.iter() {
            for (step, moment) in part.instance.steps.iter().enumerate().filter(|(_, moment)| moment.sends) {
                let done = part.done.get(step).copied();
                if done.is_some_and(|done| at != END && (done == at || bundle.is_before(at, done))) {
                    break;
                }
                let is_hers = |term| {
                    bundle.wanted.iter().any(|wanted| bundle.store.peek(self.terms, wanted.term) == term)
                };
                for sent in &moment.parts {
                    self.places(&mut count, (*sent, Side::of(&bundle.store)), &is_hers);
                }
            }
            if count.found >= most {
                return most;
            }
        }
        for (number, template) in self.cast.templates.iter().enumerate() {
            if count.found >= most {
                return most;
            }
            if !self.may_join(bundle, number) {
                continue;
            }
            for (step, moment) in template.steps.iter().enumerate().filter(|(_, moment)| moment.sends) {
                let took = template.steps[..step].iter().filter(|moment| !moment.sends);
                let is_hers =
                    |term| took.clone().any(|moment| moment.peer == term || moment.parts.contains(&term));
                for sent in &moment.parts {
                    self.places(&mut count, (*sent, Side::unsettled(&template.slots)), &is_hers);
                }
            }
        }
        count.found.min(most)
    }

    /// Whether none of these can never be hers.
    pub fn may_have_all(&mut self, bundle: &Bundle, at: StepId, terms: &[Term]) -> bool {
        terms.iter().all(|term| {
            let term = bundle.store.walk(self.terms, *term);
            !self.is_out_of_reach(bundle, at, term)
        })
    }

    /// Counts the places of a term in which the wanted one may be found.
    fn places(&self, count: &mut Count<'_>, (term, side): (Term, Side<'_>), is_hers: &dyn Fn(Term) -> bool) {
        if count.found >= count.most {
            return;
        }
        let term = side.peek(self.terms, term);
        let head = self.terms.head(term);
        if let Head::Var(var) = head {
            let kind = side.slots[var as usize].kind;
            let fits = kind.is_none() || count.kind.is_none() || kind == count.kind;
            let fits =
                fits && may_fit(self.terms, self.widths, (term, side), (count.target, count.of_target));
            if fits && !is_hers(term) {
                count.found += 1;
            }
            return;
        }
        if self.may_equal(head, term, count.target)
            && may_fit(self.terms, self.widths, (term, side), (count.target, count.of_target))
        {
            count.found += 1;
        }
        let args = self.terms.args(term);
        let inside = match head {
            Head::Seal { asymmetric, .. } if !self.is_locked(count, side, (args[0], asymmetric)) => {
                &args[2..]
            }
            Head::Step { .. } | Head::Joined | Head::Sum => args,
            _ => return,
        };
        if head == Head::Sum && self.terms.head(count.target) == Head::Sum {
            count.found += 1;
        }
        inside.iter().for_each(|arg| self.places(count, (*arg, side), is_hers));
    }

    /// Whether what a key encrypts can never be opened by her.
    fn is_locked(&self, count: &Count<'_>, side: Side<'_>, (key, asymmetric): (Term, bool)) -> bool {
        let key = side.peek(self.terms, key);
        let is_long_term = match self.terms.head(key) {
            Head::OfAgents(Func::Pk) => asymmetric,
            Head::OfAgents(Func::K | Func::Pw) | Head::LongTerm(_) => !asymmetric,
            _ => false,
        };
        is_long_term
            && count.locks
            && self.terms.args(key).iter().all(|arg| {
                let arg = side.peek(self.terms, *arg);
                match self.terms.head(arg) {
                    Head::Var(var) => side.slots[var as usize].sort == Sort::Honest,
                    head @ Head::Name(_) => head != HER,
                    _ => false,
                }
            })
    }
}
