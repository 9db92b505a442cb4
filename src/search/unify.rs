//! How two terms are made equal: the most general way there is, or the few that together are.
//! Where fields have no borders, one value may be several of the other. Must not know who has what.

use smallvec::SmallVec;

use super::sort::{Sort, Widths};
use super::store::{Slot, Store};
use super::term::{Args, Head, Term, Terms};
use crate::algebra::Func;
use crate::limits::MAX_UNIFICATIONS;

/// The ways in which terms are made equal: none, one, rarely more.
pub type Ways = SmallVec<[Store; 1]>;

impl Store {
    /// The ways in which all of these pairs are equal.
    pub fn unify(&self, terms: &mut Terms, widths: &Widths, pairs: &[(Term, Term)]) -> Ways {
        let mut ways = Ways::new();
        let mut unifier = Unifier { terms, widths, ways: &mut ways, left: MAX_UNIFICATIONS };
        unifier.solve(self.clone(), pairs.to_vec());
        ways
    }
}

struct Unifier<'a> {
    terms: &'a mut Terms,
    widths: &'a Widths,
    ways: &'a mut Ways,
    left: usize,
}

type Pairs = Vec<(Term, Term)>;

impl Unifier<'_> {
    fn solve(&mut self, mut store: Store, mut pairs: Pairs) {
        let Some(left) = self.left.checked_sub(1) else {
            self.terms.gave_up = true;
            return;
        };
        self.left = left;
        while let Some((a, b)) = pairs.pop() {
            let (a, b) = (store.walk(self.terms, a), store.walk(self.terms, b));
            if a == b {
                continue;
            }
            let (head_a, head_b) = (self.terms.head(a), self.terms.head(b));
            match (head_a, head_b) {
                (Head::Var(var), _) => {
                    if !self.bind(&mut store, var, a, b) {
                        return;
                    }
                }
                (_, Head::Var(var)) => {
                    if !self.bind(&mut store, var, b, a) {
                        return;
                    }
                }
                (Head::Sum, _) | (_, Head::Sum) => return self.sums(store, a, b, pairs),
                (Head::Step { .. }, _) | (_, Head::Step { .. }) => match self.steps(a, b) {
                    Some(pair) => pairs.push(pair),
                    None => return,
                },
                (Head::Joined, _) | (_, Head::Joined) => {
                    let (a, b) = (self.fields(a), self.fields(b));
                    return self.sequences(store, a, b, pairs);
                }
                (Head::Power { .. }, Head::Power { .. }) => return self.powers(store, a, b, pairs),
                (Head::Inverse, Head::Atom(_) | Head::OfAgents(Func::Sk)) => {
                    pairs.push((self.terms.args(a)[0], self.public_half(b)));
                }
                (Head::Atom(_) | Head::OfAgents(Func::Sk), Head::Inverse) => {
                    pairs.push((self.terms.args(b)[0], self.public_half(a)));
                }
                _ if head_a != head_b => return,
                (Head::OfAgents(Func::K | Func::Pw), _) => {
                    let (x, y) = (self.pair(a), self.pair(b));
                    let mut crossed = pairs.clone();
                    crossed.extend([(x.0, y.1), (x.1, y.0)]);
                    let straight = self.ways.len();
                    pairs.extend([(x.0, y.0), (x.1, y.1)]);
                    self.solve(store.clone(), pairs);
                    // Names that are settled fit one way at most, unless all are the same.
                    if self.ways.len() == straight || !(self.terms.is_ground(a) && self.terms.is_ground(b)) {
                        self.solve(store, crossed);
                    }
                    return;
                }
                (Head::Seal { .. } | Head::OneWay { func: Func::Sign | Func::Mac, .. }, _)
                    if self.widths.is_flat() =>
                {
                    let (x, y) = (Args::from_slice(self.terms.args(a)), Args::from_slice(self.terms.args(b)));
                    let before = if matches!(head_a, Head::Seal { .. }) { 2 } else { 1 };
                    pairs.extend(x[..before].iter().copied().zip(y[..before].iter().copied()));
                    return self.sequences(store, x[before..].into(), y[before..].into(), pairs);
                }
                (Head::OneWay { .. }, _) if self.widths.is_flat() => {
                    let (x, y) = (self.terms.args(a).into(), self.terms.args(b).into());
                    return self.sequences(store, x, y, pairs);
                }
                _ => {
                    let (x, y) = (self.terms.args(a), self.terms.args(b));
                    if x.len() != y.len() {
                        return;
                    }
                    pairs.extend(x.iter().copied().zip(y.iter().copied()).rev());
                }
            }
        }
        self.ways.push(store);
    }

    fn public_half(&mut self, private: Term) -> Term {
        let owner = match self.terms.head(private) {
            Head::OfAgents(_) => self.terms.args(private)[0],
            _ => private,
        };
        self.terms.raw(Head::OfAgents(Func::Pk), Args::from_slice(&[owner]))
    }

    fn pair(&self, of: Term) -> (Term, Term) {
        (self.terms.args(of)[0], self.terms.args(of)[1])
    }

    fn fields(&self, term: Term) -> Args {
        match self.terms.head(term) {
            Head::Joined => self.terms.args(term).into(),
            _ => Args::from_slice(&[term]),
        }
    }

    fn bind(&mut self, store: &mut Store, var: u32, itself: Term, to: Term) -> bool {
        let slot = store.slots[var as usize];
        if let Head::Var(other) = self.terms.head(to) {
            let theirs = store.slots[other as usize];
            let Some(sort) = slot.sort.meet(theirs.sort) else { return false };
            let width = match (slot.width, theirs.width) {
                (Some(a), Some(b)) if a != b => return false,
                (a, b) => a.or(b),
            };
            // The older one stays, so that equal states have equal names.
            let (stays, goes, to) = if var < other { (var, other, itself) } else { (other, var, to) };
            let both = Slot {
                sort,
                width,
                hint: slot.hint.or(theirs.hint),
                kind: if slot.kind == theirs.kind { slot.kind } else { None },
            };
            if store.slots[stays as usize] != both {
                store.slots[stays as usize] = both;
            }
            store.bound[goes as usize] = Some(to);
            return true;
        }
        if !store.fits(self.terms, self.widths, slot.sort, to) || store.occurs(self.terms, var, to) {
            return false;
        }
        if let (true, Some(mine), Some(theirs)) =
            (self.widths.is_flat(), slot.width, store.width(self.terms, self.widths, to))
            && mine != theirs
        {
            return false;
        }
        store.bound[var as usize] = Some(to);
        true
    }

    /// Two terms of which one is a successor or predecessor, both brought to where they start.
    fn steps(&mut self, a: Term, b: Term) -> Option<(Term, Term)> {
        let ((base_a, up_a), (base_b, up_b)) = (self.start(a), self.start(b));
        let shift = up_b - up_a;
        let is_var = |unifier: &Self, term| matches!(unifier.terms.head(term), Head::Var(_));
        if shift == 0 {
            return Some((base_a, base_b));
        }
        if is_var(self, base_a) {
            return Some((base_a, self.shift(base_b, shift)));
        }
        is_var(self, base_b).then(|| (base_b, self.shift(base_a, -shift)))
    }

    fn start(&self, mut term: Term) -> (Term, i32) {
        let mut up = 0;
        while let Head::Step { up: is_up } = self.terms.head(term) {
            up += if is_up { 1 } else { -1 };
            term = self.terms.args(term)[0];
        }
        (term, up)
    }

    fn shift(&mut self, mut term: Term, by: i32) -> Term {
        for _ in 0..by.abs() {
            term = self.terms.step(term, by > 0);
        }
        term
    }

    /// The exclusive or of both is nothing: one unknown is solved for; without one, members must
    /// cancel in pairs.
    fn sums(&mut self, store: Store, a: Term, b: Term, pairs: Pairs) {
        let sum = self.terms.sum(&[a, b]);
        let members = match self.terms.head(sum) {
            Head::Sum => Args::from_slice(self.terms.args(sum)),
            _ => Args::from_slice(&[sum]),
        };
        if members.is_empty() {
            return self.solve(store, pairs);
        }
        let is_var = |unifier: &Self, term: &Term| matches!(unifier.terms.head(*term), Head::Var(_));
        if let Some(at) = members.iter().position(|member| is_var(self, member)) {
            let mut rest = members.clone();
            let var = rest.remove(at);
            let rest = self.terms.sum(&rest);
            let mut pairs = pairs;
            pairs.push((var, rest));
            return self.solve(store, pairs);
        }
        let first = members[0];
        for other in 1..members.len() {
            let mut rest = members.clone();
            let partner = rest.remove(other);
            rest.remove(0);
            let mut pairs = pairs.clone();
            if !rest.is_empty() {
                let (left, nothing) = (self.terms.sum(&rest), self.terms.sum(&[]));
                pairs.push((left, nothing));
            }
            pairs.push((first, partner));
            self.solve(store.clone(), pairs);
        }
    }

    /// `g^S` and `h^T`: what stands on both sides cancels, unknown bases take what is left over.
    fn powers(&mut self, mut store: Store, a: Term, b: Term, pairs: Pairs) {
        let ((base_a, mut left_a), (base_b, mut left_b)) = (self.parts_of(a), self.parts_of(b));
        left_a.retain(|exponent| match left_b.iter().position(|other| other == exponent) {
            Some(at) => {
                left_b.remove(at);
                false
            }
            None => true,
        });
        let also = |unifier: &mut Self, store: &Store, more: &[(Term, Term)]| {
            let mut pairs = pairs.clone();
            pairs.extend_from_slice(more);
            unifier.solve(store.clone(), pairs);
        };
        match (base_a, base_b) {
            (None, None) => {
                if let (Some(first), true) = (left_a.first().copied(), left_a.len() == left_b.len()) {
                    let rest = self.terms.power(None, &left_a[1..]);
                    for at in 0..left_b.len() {
                        let mut others = left_b.clone();
                        let partner = others.remove(at);
                        let others = self.terms.power(None, &others);
                        also(self, &store, &[(first, partner), (rest, others)]);
                    }
                } else if left_a.is_empty() && left_b.is_empty() {
                    also(self, &store, &[]);
                }
            }
            (Some(base), None) if left_a.is_empty() && !left_b.is_empty() => {
                let power = self.terms.power(None, &left_b);
                also(self, &store, &[(base, power)]);
            }
            (None, Some(base)) if left_b.is_empty() && !left_a.is_empty() => {
                let power = self.terms.power(None, &left_a);
                also(self, &store, &[(base, power)]);
            }
            (Some(x), Some(y)) => match (left_a.is_empty(), left_b.is_empty()) {
                (true, true) => also(self, &store, &[(x, y)]),
                (true, false) => {
                    let power = self.terms.power(Some(y), &left_b);
                    also(self, &store, &[(x, power)]);
                }
                (false, true) => {
                    let power = self.terms.power(Some(x), &left_a);
                    also(self, &store, &[(y, power)]);
                }
                (false, false) => {
                    let (to_x, to_y) = (self.terms.power(None, &left_b), self.terms.power(None, &left_a));
                    also(self, &store, &[(x, to_x), (y, to_y)]);
                    let common =
                        store.var(Slot { sort: Sort::Exponent, width: None, hint: None, kind: None });
                    let common = self.terms.leaf(common);
                    left_a.push(common);
                    left_b.push(common);
                    let (to_x, to_y) = (self.terms.power(None, &left_b), self.terms.power(None, &left_a));
                    also(self, &store, &[(x, to_x), (y, to_y)]);
                }
            },
            _ => {}
        }
    }

    fn parts_of(&self, power: Term) -> (Option<Term>, Args) {
        let args = self.terms.args(power);
        match self.terms.head(power) {
            Head::Power { based: true } => (Some(args[0]), args[1..].into()),
            _ => (None, args.into()),
        }
    }

    /// Fields side by side without borders: one of a known width takes so many bytes, one of an
    /// unknown width as many fields as there are.
    fn sequences(&mut self, store: Store, a: Args, b: Args, pairs: Pairs) {
        let (mut store, mut pairs) = (store, pairs);
        let (mut a, mut b) = (self.queue(&store, &a), self.queue(&store, &b));
        loop {
            let (x, y) = match (a.last().copied(), b.last().copied()) {
                (None, None) => return self.solve(store, pairs),
                (Some(x), Some(y)) => (x, y),
                _ => return,
            };
            if x == y {
                a.pop();
                b.pop();
                continue;
            }
            let (wide_x, wide_y) =
                (store.width(self.terms, self.widths, x), store.width(self.terms, self.widths, y));
            match (wide_x, wide_y) {
                (Some(p), Some(q)) if p == q => {
                    a.pop();
                    b.pop();
                    pairs.push((x, y));
                }
                (Some(p), Some(q)) if p < q => match self.split(&mut store, y, x, q - p) {
                    Some(rest) => {
                        a.pop();
                        b.pop();
                        b.push(rest);
                    }
                    None => return,
                },
                (Some(p), Some(q)) => match self.split(&mut store, x, y, p - q) {
                    Some(rest) => {
                        b.pop();
                        a.pop();
                        a.push(rest);
                    }
                    None => return,
                },
                _ => return self.elastic(store, a, b, pairs),
            }
        }
    }

    /// Fields, last first, those that stand for several written out.
    fn queue(&mut self, store: &Store, fields: &[Term]) -> Vec<Term> {
        let mut queue = Vec::new();
        for field in fields {
            let field = store.walk(self.terms, *field);
            queue.extend(self.fields(field));
        }
        queue.reverse();
        queue
    }

    /// An unknown of more bytes than what stands opposite is that and something more.
    fn split(&mut self, store: &mut Store, unknown: Term, first: Term, rest: u32) -> Option<Term> {
        let Head::Var(var) = self.terms.head(unknown) else { return None };
        if store.slot(var).sort != Sort::Any {
            return None;
        }
        let rest = store.var(Slot { sort: Sort::Any, width: Some(rest), hint: None, kind: None });
        let rest = self.terms.leaf(rest);
        let whole = self.terms.joined(&[first, rest]);
        self.bind(store, var, unknown, whole).then_some(rest)
    }

    /// Something of unknown width: an unknown takes one field after another.
    fn elastic(&mut self, store: Store, a: Vec<Term>, b: Vec<Term>, pairs: Pairs) {
        let open = |unifier: &Self, term: &Term| match unifier.terms.head(*term) {
            Head::Var(var) => store.slot(var).width.is_none() && store.slot(var).sort == Sort::Any,
            _ => false,
        };
        let (x, y) = (a[a.len() - 1], b[b.len() - 1]);
        let (unknown, mine, theirs) = match (open(self, &x), open(self, &y)) {
            (true, _) => (x, &a, &b),
            (false, true) => (y, &b, &a),
            (false, false) => {
                let (mut a, mut b, mut pairs) = (a, b, pairs);
                a.pop();
                b.pop();
                a.reverse();
                b.reverse();
                pairs.push((x, y));
                return self.sequences(store, a.into(), b.into(), pairs);
            }
        };
        for taken in 1..=theirs.len() {
            let fields: Args = theirs.iter().rev().take(taken).copied().collect();
            let rest: Args = theirs.iter().rev().skip(taken).copied().collect();
            let others: Args = mine.iter().rev().skip(1).copied().collect();
            if others.is_empty() != rest.is_empty() {
                continue;
            }
            let pairs = pairs.clone();
            let whole = self.terms.joined(&fields);
            let mut store = store.clone();
            let Head::Var(var) = self.terms.head(unknown) else { return };
            if whole != unknown && !self.bind(&mut store, var, unknown, whole) {
                continue;
            }
            self.sequences(store, others, rest, pairs);
        }
    }
}
