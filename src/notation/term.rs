//! Terms: what a message is made of, as a tree that people write and read.
//! Must not know bytes.

use std::fmt;
use std::sync::Arc;

use crate::algebra::Func;

/// A name as written: a role, a value, or in a narration a party.
pub type Name = Arc<str>;

/// A term. Build with the constructors, which bring it to the one form in which
/// equal terms are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    /// A value, a role or a party.
    Name(Name),
    /// A public constant.
    Text(Name),
    /// `g^x^y`, exponents in the order of their names.
    Exp(Vec<Name>),
    /// `{M…}K`.
    Enc(Vec<Term>, Box<Term>),
    /// A function and its arguments.
    App(Func, Vec<Term>),
}

impl Term {
    /// A name.
    pub fn name(name: &str) -> Term {
        Term::Name(name.into())
    }

    /// `g^x^y…`; the order of exponents does not matter (g^x^y = g^y^x).
    pub fn exp(mut exponents: Vec<Name>) -> Term {
        exponents.sort();
        Term::Exp(exponents)
    }

    /// A function; some do not care for the order of their arguments.
    pub fn app(func: Func, mut args: Vec<Term>) -> Term {
        if func.definition().unordered {
            args.sort();
        }
        Term::App(func, args)
    }

    /// A function of agents, such as `k(A,S)` or `sk(A)`.
    pub fn of(func: Func, agents: &[&str]) -> Term {
        Term::app(func, agents.iter().map(|a| Term::name(a)).collect())
    }

    /// Calls `visit` for this term and every part of it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Term)) {
        visit(self);
        match self {
            Term::Name(_) | Term::Text(_) | Term::Exp(_) => {}
            Term::Enc(body, key) => {
                body.iter().for_each(|t| t.walk(visit));
                key.walk(visit);
            }
            Term::App(_, args) => args.iter().for_each(|t| t.walk(visit)),
        }
    }

    /// The names in this term, in the order in which they are written.
    pub fn names(&self) -> Vec<Name> {
        let mut names = Vec::new();
        self.walk(&mut |t| match t {
            Term::Name(n) => names.push(n.clone()),
            Term::Exp(xs) => names.extend(xs.iter().cloned()),
            _ => {}
        });
        names
    }

    /// This term with every name replaced that `with` answers.
    pub fn replace(&self, with: &dyn Fn(&Name) -> Option<Term>) -> Term {
        let all = |ts: &[Term]| ts.iter().map(|t| t.replace(with)).collect::<Vec<_>>();
        match self {
            Term::Name(n) => with(n).unwrap_or_else(|| self.clone()),
            Term::Text(_) => self.clone(),
            Term::Exp(xs) => Term::exp(
                xs.iter()
                    .map(|x| match with(x) {
                        Some(Term::Name(n)) => n,
                        _ => x.clone(),
                    })
                    .collect(),
            ),
            Term::Enc(body, key) => Term::Enc(all(body), Box::new(key.replace(with))),
            Term::App(func, args) => Term::app(*func, all(args)),
        }
    }

    /// The number of nodes in this term.
    pub fn size(&self) -> usize {
        let mut n = 0;
        self.walk(&mut |_| n += 1);
        n
    }
}

/// Shows terms separated by commas.
pub fn list(terms: &[Term]) -> String {
    terms.iter().map(Term::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Name(n) => f.write_str(n),
            Term::Text(t) => write!(f, "\"{t}\""),
            Term::Exp(xs) => {
                f.write_str("g")?;
                xs.iter().try_for_each(|x| write!(f, "^{x}"))
            }
            Term::Enc(body, key) => write!(f, "{{{}}}{key}", list(body)),
            Term::App(func, args) if matches!(func, Func::K | Func::Pw) => {
                write!(
                    f,
                    "{}({})",
                    func.name(),
                    args.iter().map(Term::to_string).collect::<Vec<_>>().join(",")
                )
            }
            Term::App(func, args) => write!(f, "{}({})", func.name(), list(args)),
        }
    }
}
