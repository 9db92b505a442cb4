//! Guessed passwords: what a word can be checked against, and what else that takes. A ciphertext
//! under a key that comes of the password opens or does not; a code, a hash or a signature of it
//! comes out or does not (Lowe, Analysing protocols subject to guessing attacks, JCS 12(1), 2004).
//! Must not know where it is found.

use super::bundle::{Bundle, Stolen};
use super::intruder::Intruder;
use super::term::{Args, Head, Term};
use crate::algebra::Func;

/// Something that tells a right word from a wrong one.
pub struct Test {
    /// The password.
    pub password: Term,
    /// What must be had besides in order to compute what it is checked with.
    pub needs: Vec<Term>,
}

impl Intruder<'_> {
    /// The words that a term by itself can be checked against, were it had.
    pub fn tests(&mut self, bundle: &Bundle, term: Term) -> Vec<Test> {
        let args = Args::from_slice(self.terms.args(term));
        let checked: &[Term] = match self.terms.head(term) {
            Head::Seal { asymmetric: false, .. } => &args[..1],
            Head::OneWay { func: Func::Sign, .. } => &args[1..],
            Head::OneWay { .. } => &args,
            _ => return Vec::new(),
        };
        let mut passwords = Vec::new();
        checked.iter().for_each(|arg| self.passwords(bundle, *arg, &mut passwords));
        let tests = passwords.into_iter().filter_map(|password| {
            let mut needs = Vec::new();
            let mut all = checked.iter();
            let can = all.all(|arg| self.compute_with(bundle, *arg, password, &mut needs));
            can.then_some(Test { password, needs })
        });
        tests.collect()
    }

    /// The parties to whom a password may belong, with those whose passwords can be guessed.
    pub fn weak_owners(&mut self, bundle: &Bundle, password: Term) -> Vec<(Term, Term)> {
        let owners = Args::from_slice(self.terms.args(password));
        let weak = bundle.stolen.iter().filter(|(_, what)| *what == Stolen::WeakPassword);
        weak.flat_map(|(weak, _)| owners.iter().map(move |owner| (*owner, *weak))).collect()
    }

    /// The passwords in a term of which a part can be computed.
    fn passwords(&mut self, bundle: &Bundle, term: Term, found: &mut Vec<Term>) {
        let term = bundle.store.walk(self.terms, term);
        match self.terms.head(term) {
            Head::OfAgents(Func::Pw) if !found.contains(&term) => found.push(term),
            Head::OneWay { .. } | Head::Step { .. } | Head::Sum | Head::Joined => {
                let args = Args::from_slice(self.terms.args(term));
                args.iter().for_each(|arg| self.passwords(bundle, *arg, found));
            }
            _ => {}
        }
    }

    /// Whether a term can be computed from a password, and what must be had besides.
    fn compute_with(&mut self, bundle: &Bundle, term: Term, password: Term, needs: &mut Vec<Term>) -> bool {
        let term = bundle.store.walk(self.terms, term);
        if term == password {
            return true;
        }
        let mut inside = Vec::new();
        self.passwords(bundle, term, &mut inside);
        if !inside.contains(&password) {
            needs.push(term);
            return true;
        }
        let args = Args::from_slice(self.terms.args(term));
        args.iter().all(|arg| self.compute_with(bundle, *arg, password, needs))
    }
}
