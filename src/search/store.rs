//! What variables stand for, and what is known of what they may. Must not know how terms are made
//! equal.

use super::shared::Shared;
use super::sort::{HER, Sort, Widths};
use super::term::{Args, Head, Term, Terms};
use crate::algebra::{Form, Func};
use crate::notation::{Id, Kind, Type};

/// What is known of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// What it may stand for.
    pub sort: Sort,
    /// The width of its field in bytes, where fields have one.
    pub width: Option<u32>,
    /// The term of the protocol that it is first taken for.
    pub hint: Option<Id>,
    /// The kind of the field in which it first stands.
    pub kind: Option<Kind>,
}

/// Variables and what they stand for.
#[derive(Clone, Default, Debug)]
pub struct Store {
    pub(super) slots: Shared<Slot>,
    pub(super) bound: Shared<Option<Term>>,
}

impl Store {
    /// The number of variables.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// A new variable.
    pub fn var(&mut self, slot: Slot) -> Head {
        self.slots.push(slot);
        self.bound.push(None);
        Head::Var(self.slots.len() as u32 - 1)
    }

    /// What is known of a variable.
    pub fn slot(&self, var: u32) -> Slot {
        self.slots[var as usize]
    }

    /// Whether no variable that was there before stands for more, or may stand for less.
    pub fn settles_nothing_of(&self, before: &Store) -> bool {
        let old = before.len();
        self.bound[..old] == before.bound[..] && self.slots[..old] == before.slots[..]
    }

    /// What a term stands for, as it is.
    pub fn peek(&self, terms: &Terms, mut term: Term) -> Term {
        while let Head::Var(var) = terms.head(term)
            && let Some(other) = self.bound[var as usize]
        {
            term = other;
        }
        term
    }

    /// What a term stands for, as far as its head goes.
    pub fn walk(&self, terms: &mut Terms, term: Term) -> Term {
        let mut term = term;
        while let Head::Var(var) = terms.head(term) {
            match self.bound[var as usize] {
                Some(other) => term = other,
                None => return term,
            }
        }
        match terms.head(term) {
            head @ (Head::Step { .. } | Head::Power { .. } | Head::Sum | Head::Joined | Head::Inverse)
                if !terms.is_ground(term) =>
            {
                let args = Args::from_slice(terms.args(term));
                let walked: Args = args.iter().map(|arg| self.write_out(terms, *arg)).collect();
                if walked == args { term } else { terms.make(head, walked) }
            }
            _ => term,
        }
    }

    /// A term with everything written out.
    pub fn write_out(&self, terms: &mut Terms, term: Term) -> Term {
        if terms.is_ground(term) {
            return term;
        }
        let term = self.walk(terms, term);
        let head = terms.head(term);
        let args = Args::from_slice(terms.args(term));
        let out: Args = args.iter().map(|arg| self.write_out(terms, *arg)).collect();
        if out == args { term } else { terms.make(head, out) }
    }

    /// Has a variable, or what it stands for, be of this sort.
    pub fn restrict(&mut self, terms: &mut Terms, widths: &Widths, term: Term, sort: Sort) -> bool {
        let term = self.walk(terms, term);
        match terms.head(term) {
            Head::Var(var) => match self.slots[var as usize].sort.meet(sort) {
                Some(both) => {
                    if self.slots[var as usize].sort != both {
                        self.slots[var as usize].sort = both;
                    }
                    true
                }
                None => false,
            },
            _ => self.fits(terms, widths, sort, term),
        }
    }

    /// Whether a term can be of a sort.
    pub fn fits(&self, terms: &mut Terms, widths: &Widths, sort: Sort, term: Term) -> bool {
        let head = terms.head(term);
        let is_of = |of: Type| match head {
            Head::Atom(atom) => Some(widths.atoms[atom as usize]).filter(|atom| atom.of == of),
            _ => None,
        };
        match sort {
            Sort::Any => true,
            Sort::Name => matches!(head, Head::Name(_)),
            Sort::Client => matches!(head, Head::Name(name) if !widths.is_service(name)),
            Sort::Honest => matches!(head, Head::Name(name) if head != HER && !widths.is_service(name)),
            Sort::Time(epoch) => is_of(Type::Time).is_some_and(|atom| epoch.is_none_or(|e| e == atom.epoch)),
            Sort::Expiry(epoch) => {
                is_of(Type::Expiry).is_some_and(|atom| epoch.is_none_or(|e| e == atom.epoch))
            }
            Sort::Public => matches!(head, Head::OfAgents(Func::Pk)),
            Sort::Share => match head {
                Head::Power { .. } => true,
                _ => self.width(terms, widths, term) == Some(32),
            },
            Sort::Coins => is_of(Type::Coins).is_some(),
            Sort::Exponent => false,
        }
    }

    /// The length of a value in bytes, as far as it is known.
    pub fn width(&self, terms: &mut Terms, widths: &Widths, term: Term) -> Option<u32> {
        let term = self.walk(terms, term);
        match terms.head(term) {
            Head::Var(var) => self.slot(var).width,
            Head::Name(name) => Some(match &widths.fields {
                Some(fields) => fields.name as u32,
                None => widths.names.get(name as usize)?.len() as u32,
            }),
            Head::Text(_) => None,
            Head::Atom(atom) => widths.atoms[atom as usize].width,
            Head::OfAgents(Func::K) => Some(32),
            Head::OfAgents(_) | Head::LongTerm(_) | Head::Inverse => None,
            Head::Seal { asymmetric, .. } => {
                let func = if asymmetric { Func::EncryptTo } else { Func::Encrypt };
                let Form::Cipher(cipher) = func.definition().form else { return None };
                widths.fields.as_ref()?;
                let fields: Vec<Term> = terms.args(term)[2..].to_vec();
                let inside = fields.iter().map(|field| self.width(terms, widths, *field));
                let inside: u32 = inside.sum::<Option<u32>>()?;
                Some(cipher.sealed_len(inside as usize, widths.suite) as u32)
            }
            Head::OneWay { func: Func::Sign, .. } => Some(64),
            Head::OneWay { .. } | Head::Power { .. } => Some(32),
            Head::Step { .. } | Head::Sum => {
                let first = *terms.args(term).first()?;
                self.width(terms, widths, first)
            }
            Head::Joined => {
                let fields: Vec<Term> = terms.args(term).to_vec();
                fields.iter().map(|field| self.width(terms, widths, *field)).sum()
            }
        }
    }

    /// Whether a variable stands in a term.
    pub fn occurs(&self, terms: &mut Terms, var: u32, term: Term) -> bool {
        if terms.is_ground(term) {
            return false;
        }
        let term = self.walk(terms, term);
        match terms.head(term) {
            Head::Var(other) => other == var,
            _ => {
                let args = Args::from_slice(terms.args(term));
                args.iter().any(|arg| self.occurs(terms, var, *arg))
            }
        }
    }
}
