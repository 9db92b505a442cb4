//! How the attacker finds a term in what parties send, and opens what is around it. Must not know
//! what else she can do.

use super::bundle::{Bundle, END, StepId, Wanted};
use super::fit::{Side, may_fit};
use super::intruder::Intruder;
use super::term::{Args, Head, Term};
use crate::algebra::Func;
use crate::notation::Kind;

/// Where something can be found: what is there, if that is to be the term itself, and what must
/// be had to get at it.
struct Find {
    there: Option<Term>,
    needs: Vec<Term>,
    /// What must be equal besides.
    equal: Option<(Term, Term)>,
}

impl Intruder<'_> {
    /// She finds it in what a party sends: one that is in the bundle, or one that joins.
    pub fn find(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        for part in 0..bundle.parts.len() {
            for step in 0..bundle.parts[part].instance.steps.len() {
                if bundle.parts[part].instance.steps[step].sends {
                    self.find_in(bundle, part, step, wanted, next);
                }
            }
        }
        for template in 0..self.cast.templates.len() {
            if !self.may_join(bundle, template) {
                continue;
            }
            for epoch in 0..=u8::from(self.powers.old_session_keys) {
                if wanted.at != END && bundle.epoch(wanted.at) < epoch {
                    continue;
                }
                let mut with = bundle.clone();
                let part = self.join(&mut with, template, epoch);
                for step in 0..with.parts[part].instance.steps.len() {
                    if with.parts[part].instance.steps[step].sends {
                        self.find_in(&with, part, step, wanted, next);
                    }
                }
            }
        }
    }

    fn find_in(
        &mut self,
        bundle: &Bundle,
        part: usize,
        step: usize,
        wanted: &Wanted,
        next: &mut Vec<Bundle>,
    ) {
        let instance = bundle.parts[part].instance.clone();
        let done = bundle.parts[part].done.get(step).copied();
        if let Some(done) = done
            && (wanted.at != END && (done == wanted.at || bundle.is_before(wanted.at, done)))
        {
            return;
        }
        let mut finds = Vec::new();
        for sent in &instance.steps[step].parts {
            self.look(bundle, *sent, &mut Vec::new(), (wanted.at, wanted.term), &mut finds);
        }
        if finds.is_empty() {
            return;
        }
        let mut bundle = bundle.clone();
        let mut equal = Vec::new();
        if done.is_none() && !bundle.advance(part, step, &mut equal) {
            self.left_out = true;
            return;
        }
        let number = bundle.parts[part].done[step];
        if !bundle.order(number, wanted.at) {
            return;
        }
        if let Some(had) = bundle.had.last_mut() {
            had.from = Some(number);
        }
        for Find { there, needs, equal: also } in finds {
            if let Some(there) = there
                && (self.is_chosen_by_her(&bundle, there)
                    || self.is_of_another_kind(&bundle, there, wanted.term))
            {
                continue;
            }
            let mut pairs = equal.clone();
            pairs.extend(there.map(|there| (there, wanted.term)));
            pairs.extend(also);
            self.equal(&bundle, wanted, &pairs, &needs, next);
        }
    }

    /// Whether a term is a variable that she fills as she likes: what she has she need not find.
    pub fn is_chosen_by_her(&mut self, bundle: &Bundle, term: Term) -> bool {
        let term = bundle.store.walk(self.terms, term);
        matches!(self.terms.head(term), Head::Var(_))
            && bundle.wanted.iter().any(|wanted| bundle.store.walk(self.terms, wanted.term) == term)
    }

    /// Whether a term is a variable that stands in fields of another kind than what is looked for.
    /// What she does not have gets there only in fields that honest parties wrote, who wrote its
    /// own kind on it; where an exclusive or is undone, a value may change its kind.
    fn is_of_another_kind(&mut self, bundle: &Bundle, term: Term, target: Term) -> bool {
        if self.widths.is_flat() || self.powers.sums {
            return false;
        }
        let term = bundle.store.walk(self.terms, term);
        let Head::Var(var) = self.terms.head(term) else { return false };
        let Some(kind) = bundle.store.slot(var).kind else { return false };
        self.kind(target).is_some_and(|other| other != kind)
    }

    /// The kind that honest parties write on a value.
    pub fn kind(&self, term: Term) -> Option<Kind> {
        Some(match self.terms.head(term) {
            Head::Name(_) => Kind::Name,
            Head::Text(_) => Kind::Text,
            Head::Atom(atom) => self.widths.atoms[atom as usize].of.kind(),
            Head::OfAgents(Func::Pk) => Kind::Public,
            Head::OfAgents(Func::Cert) => Kind::Certificate,
            Head::OfAgents(Func::K | Func::Pw) => Kind::Key,
            Head::Seal { .. } => Kind::Cipher,
            Head::OneWay { func, .. } => crate::algebra::kind_of(func, None)?,
            Head::Power { .. } => Kind::Share,
            Head::Step { .. } => return self.kind(self.terms.args(term)[0]),
            _ => return None,
        })
    }

    /// Every place in a term where `target` may be found.
    fn look(
        &mut self,
        bundle: &Bundle,
        term: Term,
        needs: &mut Vec<Term>,
        (at, target): (StepId, Term),
        finds: &mut Vec<Find>,
    ) {
        let term = bundle.store.walk(self.terms, term);
        let (head, args) = (self.terms.head(term), Args::from_slice(self.terms.args(term)));
        let side = Side::of(&bundle.store);
        if self.may_equal(head, term, target)
            && may_fit(self.terms, self.widths, (term, side), (target, side))
        {
            finds.push(Find { there: Some(term), needs: needs.clone(), equal: None });
        }
        if let Head::OfAgents(Func::Pw) = self.terms.head(target) {
            for test in self.tests(bundle, term) {
                for (arg, weak) in self.weak_owners(bundle, target) {
                    let needs = needs.iter().chain(&test.needs).copied().collect();
                    finds.push(Find { there: Some(test.password), needs, equal: Some((arg, weak)) });
                }
            }
        }
        match head {
            Head::Seal { asymmetric, .. } => {
                let key = bundle.store.walk(self.terms, args[0]);
                let opener = if asymmetric { self.terms.inverse(key) } else { key };
                if self.is_out_of_reach(bundle, at, opener) {
                    return;
                }
                needs.push(opener);
                args[2..].iter().for_each(|arg| self.look(bundle, *arg, needs, (at, target), finds));
                needs.pop();
            }
            Head::Step { .. } | Head::Joined => {
                args.iter().for_each(|arg| self.look(bundle, *arg, needs, (at, target), finds));
            }
            Head::Sum => {
                if self.terms.head(target) == Head::Sum {
                    let rest = self.terms.sum(&[term, target]);
                    let members = match self.terms.head(rest) {
                        Head::Sum => self.terms.args(rest).len(),
                        _ => 1,
                    };
                    // What has nothing in common with it does not help.
                    if members < args.len() + self.terms.args(target).len() {
                        let mut needs = needs.clone();
                        needs.extend((members > 0).then_some(rest));
                        finds.push(Find { there: None, needs, equal: None });
                    }
                }
                for (nth, arg) in args.iter().enumerate() {
                    let mut others = args.clone();
                    others.remove(nth);
                    needs.push(self.terms.sum(&others));
                    self.look(bundle, *arg, needs, (at, target), finds);
                    needs.pop();
                }
            }
            _ => {}
        }
    }

    /// Whether it is worth while to make two terms equal.
    pub fn may_equal(&self, head: Head, term: Term, target: Term) -> bool {
        let wanted = self.terms.head(target);
        match head {
            Head::Atom(_) | Head::Name(_) | Head::Text(_) => term == target,
            Head::Var(_) => true,
            Head::Step { .. } => true,
            Head::Sum => wanted == Head::Sum && !(self.terms.is_ground(term) && self.terms.is_ground(target)),
            Head::Joined => wanted == Head::Joined,
            Head::Power { .. } => matches!(wanted, Head::Power { .. }),
            _ => match wanted {
                Head::Step { .. } | Head::Sum | Head::Joined => true,
                Head::Inverse => matches!(head, Head::OfAgents(Func::Sk)),
                _ => wanted == head,
            },
        }
    }
}
