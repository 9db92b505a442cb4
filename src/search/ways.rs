//! The ways in which the attacker can make a term: of its parts, from what is hers or leaked, or
//! from what parties send (lazy intruder: Millen & Shmatikov, CCS 2001; bundles with steps in order
//! only as far as it matters, as in Cremers, CCS 2008). A variable alone is never asked for: she
//! has something for it. Must not know goals.

use super::bundle::{Bundle, END, Had, Wanted};
use super::intruder::Intruder;
use super::sort::{HER, Sort};
use super::store::Slot;
use super::term::{Args, Head, Term};
use crate::algebra::Func;

impl Intruder<'_> {
    /// Every way to make a term that was taken out of what is wanted.
    pub fn ways(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        let mut bundle = bundle.clone();
        let number = bundle.had.len();
        bundle.had.push(Had { since: wanted.at, term: wanted.term, from: None });
        if let Some(other) = wanted.made_for {
            bundle.needs.push((other as u16, number as u16));
        }
        let first = next.len();
        self.compose(&bundle, wanted, next);
        self.own(&bundle, wanted, next);
        self.find(&bundle, wanted, next);
        if self.powers.old_session_keys {
            self.leaked(&bundle, wanted, next);
        }
        debug_assert!(next.len() == first || self.chances(&bundle, wanted, usize::MAX) > 0);
        let mut free: Option<usize> = None;
        for at in first..next.len() {
            if self.is_free(&bundle, &next[at]) && free.is_none_or(|best| next[at].taken < next[best].taken) {
                free = Some(at);
            }
        }
        if let Some(free) = free {
            next.swap(first, free);
            next.truncate(first + 1);
            let joined = &mut next[first].parts[bundle.parts.len()..];
            joined.iter_mut().for_each(|part| part.is_free = true);
        }
    }

    /// Whether a way costs nothing that another may need: it settles no variable, brings no order
    /// that was not there, and takes no more than a session of a service that answers everybody.
    fn is_free(&mut self, before: &Bundle, after: &Bundle) -> bool {
        let joined = &after.parts[before.parts.len()..];
        let are_services = joined.iter().all(|part| self.cast.templates[part.template].is_service);
        let old = before.places.len();
        let in_order =
            before.places.iter().zip(after.places.iter()).all(|(b, a)| a.before & low_bits(old) == b.before);
        are_services
            && in_order
            && after.parts.iter().zip(before.parts.iter()).all(|(a, b)| a.done.len() == b.done.len())
            && after.store.settles_nothing_of(&before.store)
            && after.wanted[before.wanted.len()..].iter().all(|wanted| {
                let term = after.store.walk(self.terms, wanted.term);
                matches!(self.terms.head(term), Head::Var(_)) || self.is_everyones(after, wanted.at, term)
            })
    }

    /// She makes it from its parts.
    fn compose(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        let args = Args::from_slice(self.terms.args(wanted.term));
        match self.terms.head(wanted.term) {
            Head::Seal { .. } | Head::OneWay { .. } | Head::Step { .. } | Head::Sum | Head::Joined
                if self.may_have_all(bundle, wanted.at, &args) =>
            {
                next.push(self.with(bundle.clone(), wanted, &args));
            }
            Head::OfAgents(Func::Pk) => next.push(self.with(bundle.clone(), wanted, &args)),
            Head::Inverse => {
                let hers = self.terms.leaf(HER);
                let hers = self.terms.raw(Head::OfAgents(Func::Pk), Args::from_slice(&[hers]));
                if self.powers.insider {
                    self.equal(bundle, wanted, &[(args[0], hers)], &[], next);
                }
            }
            Head::Power { based } => self.raise(bundle, wanted, based, &args, next),
            _ => {}
        }
    }

    /// A power of `g` from one with an exponent less, and that exponent.
    fn raise(&mut self, bundle: &Bundle, wanted: &Wanted, based: bool, args: &Args, next: &mut Vec<Bundle>) {
        let exponents = &args[usize::from(based)..];
        let base = based.then(|| args[0]);
        for (at, exponent) in exponents.iter().enumerate() {
            let mut rest = Args::from_slice(exponents);
            rest.remove(at);
            let mut needs = Args::from_slice(&[*exponent]);
            match (base, rest.is_empty()) {
                (None, true) => {}
                (Some(base), true) => needs.push(base),
                (_, false) => needs.push(self.terms.power(base, &rest)),
            }
            next.push(self.with(bundle.clone(), wanted, &needs));
        }
        // A share that she chose herself.
        if let Some(base) = base
            && let Head::Var(_) = self.terms.head(base)
        {
            let mut bundle = bundle.clone();
            let secret = bundle.store.var(Slot { sort: Sort::Exponent, width: None, hint: None, kind: None });
            let secret = self.terms.leaf(secret);
            let share = self.terms.power(None, &[secret]);
            let known = self.terms.power(None, exponents);
            self.equal(&bundle, wanted, &[(base, share)], &[known], next);
        }
    }

    /// A key that is hers if the agent of whom it is is her, or one whose keys she has.
    fn own(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        if !matches!(self.terms.head(wanted.term), Head::OfAgents(_) | Head::LongTerm(_)) {
            return;
        }
        let her = self.terms.leaf(HER);
        let had = bundle.stolen.iter().filter(|(_, what)| what.gives_keys(wanted.at));
        let mut agents: Vec<Term> = had.map(|(name, _)| *name).collect();
        if self.powers.insider {
            agents.push(her);
        }
        let args = Args::from_slice(self.terms.args(wanted.term));
        for arg in args {
            let arg = bundle.store.walk(self.terms, arg);
            if let Head::Var(_) = self.terms.head(arg) {
                for agent in &agents {
                    self.equal(bundle, wanted, &[(arg, *agent)], &[], next);
                }
            }
        }
    }

    /// Session keys of runs that were over before.
    fn leaked(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        if wanted.at != END && bundle.epoch(wanted.at) == 0 {
            return;
        }
        let mut from = |intruder: &mut Self, bundle: &Bundle, part: usize| {
            if bundle.parts[part].epoch != 0
                || intruder.cast.templates[bundle.parts[part].template].is_service
            {
                return;
            }
            let last = bundle.parts[part].instance.steps.len() - 1;
            let mut bundle = bundle.clone();
            let mut equal = Vec::new();
            if !bundle.advance(part, last, &mut equal) {
                intruder.left_out = true;
                return;
            }
            let keys = intruder.cast.templates[bundle.parts[part].template].session_keys.clone();
            for key in keys {
                if let Some((_, value)) = bundle.value(part, key)
                    && !intruder.is_chosen_by_her(&bundle, value)
                {
                    let mut pairs = equal.clone();
                    pairs.push((value, wanted.term));
                    intruder.equal(&bundle, wanted, &pairs, &[], next);
                }
            }
        };
        for part in 0..bundle.parts.len() {
            from(self, bundle, part);
        }
        for template in 0..self.cast.templates.len() {
            if self.may_join(bundle, template) {
                let mut with = bundle.clone();
                let part = self.join(&mut with, template, 0);
                from(self, &with, part);
            }
        }
    }

    /// The bundle in which these pairs are equal and these terms are wanted for `wanted`.
    pub fn equal(
        &mut self,
        bundle: &Bundle,
        wanted: &Wanted,
        pairs: &[(Term, Term)],
        needs: &[Term],
        next: &mut Vec<Bundle>,
    ) {
        for store in bundle.store.unify(self.terms, self.widths, pairs) {
            let bundle = Bundle { store, ..bundle.clone() };
            if bundle.differs(self.terms) {
                next.push(self.with(bundle, wanted, needs));
            }
        }
    }

    fn with(&mut self, mut bundle: Bundle, wanted: &Wanted, needs: &[Term]) -> Bundle {
        if needs.is_empty() {
            return bundle;
        }
        let made_for = Some(bundle.had.len() - 1);
        let want = |term: &Term| Wanted { at: wanted.at, term: *term, made_for };
        bundle.wanted.extend(needs.iter().map(want));
        bundle
    }
}

/// The set of the first so many steps.
fn low_bits(many: usize) -> u128 {
    1u128.checked_shl(many as u32).map_or(u128::MAX, |bit| bit - 1)
}
