//! What several languages need of a reading: which terms it has, and, for those that read a
//! message by a pattern, what each variable turned out to be.

use std::collections::{BTreeMap, BTreeSet};

use crate::notation::{Func, Name, Protocol, Term};

use super::Unsayable;
use super::reading::{Act, Expr, Part};

/// Refuses a protocol with an exclusive or, for a tool that has none.
pub fn no_xor(protocol: &Protocol, tool: &str) -> Result<(), Unsayable> {
    none(protocol, &|t| matches!(t, Term::App(Func::Xor, _)), &format!("{tool} has no exclusive or"))
}

/// Refuses a protocol with more than two exponents on one base.
pub fn no_three_exponents(protocol: &Protocol, why: &str) -> Result<(), Unsayable> {
    none(protocol, &|t| matches!(t, Term::Exp(xs) if xs.len() > 2), why)
}

fn none(protocol: &Protocol, test: &dyn Fn(&Term) -> bool, why: &str) -> Result<(), Unsayable> {
    let mut found = None;
    let all =
        protocol.lines.iter().flat_map(|l| &l.parts).chain(protocol.goals.iter().flat_map(|g| g.terms()));
    all.for_each(|t| {
        t.walk(&mut |t| {
            if found.is_none() && test(t) {
                found = Some(t.to_string());
            }
        });
    });
    found.map_or(Ok(()), |term| Err(Unsayable::new(term, why)))
}

/// Every term of an act.
pub fn terms(act: &Act) -> Vec<&Expr> {
    match act {
        Act::Meet(_) => Vec::new(),
        Act::Send { to, parts, .. } => std::iter::once(to).chain(parts).collect(),
        Act::Receive { from, into, .. } => std::iter::once(from).chain(into).collect(),
        Act::Open { what, key, into } => [what, key].into_iter().chain(into).collect(),
        Act::Equal { what, to } => vec![what, to],
        Act::Verify { what, under, text } => [what, under].into_iter().chain(text).collect(),
        Act::Trust { what, of, key } => vec![what, of, key],
        Act::Unstep { what, into, .. } => vec![what, into],
        Act::Secret { term, honest, .. } => std::iter::once(term).chain(honest).collect(),
        Act::Running { me, with, on, .. } | Act::Commit { me, with, on, .. } => {
            [me, with].into_iter().chain(on).collect()
        }
    }
}

/// The first term of the parts that passes a test, whole.
pub fn has_any(parts: &[Part], test: impl Fn(&Expr) -> bool) -> Option<Expr> {
    let mut found = None;
    for expr in parts.iter().flat_map(|p| &p.acts).flat_map(terms) {
        expr.walk(&mut |e| {
            if found.is_none() && test(e) {
                found = Some(e.clone());
            }
        });
    }
    found
}

/// Whether the parts make of a goal all that it takes to judge it.
pub fn claimed(parts: &[Part], protocol: &Protocol, nth: usize) -> bool {
    let acts = || parts.iter().flat_map(|p| &p.acts);
    let secret = acts().any(|a| matches!(a, Act::Secret { goal, .. } if *goal == nth));
    let running = acts().any(|a| matches!(a, Act::Running { goal, .. } if *goal == nth));
    let commit = acts().any(|a| matches!(a, Act::Commit { goal, .. } if *goal == nth));
    nth < protocol.goals.len() && (secret || (running && commit))
}

/// What to say of the goals that no part can claim.
pub fn left_out(protocol: &Protocol, parts: &[Part]) -> Vec<String> {
    let lost = (0..protocol.goals.len()).filter(|n| !claimed(parts, protocol, *n));
    lost.map(|n| {
        format!("The goal `{}` is left out: no part has all that it speaks of.", protocol.goals[n].text)
    })
    .collect()
}

/// The names of long-term values.
pub fn long_terms(parts: &[Part]) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    each(parts, &mut |e| {
        if let Expr::LongTerm(name, _) = e {
            found.insert(name.clone());
        }
    });
    found
}

/// The words for the texts that stand in the parts, and for that of certificates.
pub fn texts(parts: &[Part]) -> BTreeSet<String> {
    let mut found = BTreeSet::from([word("certificate")]);
    each(parts, &mut |e| {
        if let Expr::Text(text) = e {
            found.insert(word(text));
        }
    });
    found
}

fn each(parts: &[Part], visit: &mut dyn FnMut(&Expr)) {
    parts.iter().flat_map(|p| &p.acts).flat_map(terms).for_each(|e| e.walk(&mut |e| visit(e)));
}

/// The agents that play services' roles.
pub fn services(protocol: &Protocol) -> BTreeSet<String> {
    protocol.roles.iter().filter_map(|r| r.service).map(|s| format!("the_{}", s.name())).collect()
}

/// A text as a word that every language takes.
pub fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("t_{}", text.chars().map(plain).collect::<String>())
}

/// A name as a word that every language takes.
pub fn plain(name: &str) -> String {
    name.replace('\'', "_p")
}

/// A term as our notation has it, for messages.
pub fn written(protocol: &Protocol, expr: &Expr) -> String {
    let list = |es: &[Expr]| es.iter().map(|e| written(protocol, e)).collect::<Vec<_>>().join(", ");
    match expr {
        Expr::Key(name) => name.strip_prefix("pk").map_or_else(|| name.clone(), |of| format!("pk({of})")),
        Expr::Var(name) => name.clone(),
        Expr::Inside { what, .. } => written(protocol, what),
        Expr::Agent(name) | Expr::LongTerm(name, _) => name.to_string(),
        Expr::Text(text) => format!("\"{text}\""),
        Expr::Power(base, by) => {
            let base = base.as_deref().map_or_else(|| "g".to_owned(), |b| written(protocol, b));
            let base = match base.strip_prefix('g').filter(|x| protocol.value(x).is_some()) {
                Some(x) if !base.contains('^') => format!("g^{x}"),
                _ => base,
            };
            format!("{base}^{}", written(protocol, by))
        }
        Expr::Sealed(body, key) => format!("{{{}}}{}", list(body), written(protocol, key)),
        Expr::Certificate(of, _) => format!("cert({})", written(protocol, of)),
        Expr::App(func @ (Func::K | Func::Pw), of) => {
            format!("{}({},{})", func.name(), written(protocol, &of[0]), written(protocol, &of[1]))
        }
        Expr::App(func, args) => format!("{}({})", func.name(), list(args)),
    }
}

/// What variables turned out to be.
#[derive(Clone, Default)]
pub struct Meaning(BTreeMap<Expr, Expr>);

impl Meaning {
    /// Whether nothing is known of it but its name.
    pub fn is_open(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Var(_) | Expr::Key(_)) && !self.0.contains_key(expr)
    }

    /// Says what a variable is.
    pub fn set(&mut self, variable: &Expr, is: Expr) {
        self.0.insert(variable.clone(), is);
    }

    /// A term with all that is known put in.
    pub fn of(&self, expr: &Expr) -> Expr {
        expr.replace(&|e| self.0.get(e).map(|found| self.of(found)))
    }

    /// How many nodes `of` would give: a key inside what another such key opens doubles it.
    pub fn size(&self, expr: &Expr, known: &mut BTreeMap<Expr, usize>) -> usize {
        let mut size = 0_usize;
        expr.walk(&mut |e| {
            let of = match (known.get(e), self.0.get(e)) {
                (Some(size), _) => *size,
                (None, Some(is)) => {
                    let size = self.size(is, known);
                    known.insert(e.clone(), size);
                    size
                }
                (None, None) => 1,
            };
            size = size.saturating_add(of);
        });
        size
    }

    /// Takes in what an act says of its variables, as a reader by patterns does.
    pub fn take(&mut self, act: &Act) {
        match act {
            Act::Open { what, key, into } if self.is_open(what) => {
                self.set(what, Expr::Sealed(into.clone(), Box::new(key.clone())));
            }
            Act::Equal { what, to } if self.is_open(what) && what != to => self.set(what, to.clone()),
            Act::Verify { what, under, text } if self.is_open(what) => {
                let Expr::App(Func::Pk, of) = self.of(under) else { return };
                let by = Expr::App(Func::Sk, of);
                self.set(
                    what,
                    Expr::App(Func::Sign, std::iter::once(by).chain(text.iter().cloned()).collect()),
                );
            }
            Act::Trust { what, of, key } => {
                let real = Expr::App(Func::Pk, vec![of.clone()]);
                self.set(key, real.clone());
                if self.is_open(what) {
                    self.set(what, Expr::Certificate(Box::new(of.clone()), Box::new(real)));
                }
            }
            Act::Unstep { what, func, into } if self.is_open(what) => {
                self.set(what, Expr::App(*func, vec![into.clone()]));
            }
            _ => {}
        }
    }
}

/// The variables and agents in a term.
pub fn variables(expr: &Expr, found: &mut BTreeSet<Expr>) {
    expr.walk(&mut |e| {
        if matches!(e, Expr::Var(_) | Expr::Key(_) | Expr::Agent(_)) {
            found.insert(e.clone());
        }
    });
}

/// One part for each role, for languages in which a role begins once: of a service all its lines
/// in their order, of a client those from its first.
pub fn whole_roles(protocol: &Protocol, parts: Vec<Part>) -> Vec<Part> {
    let mut whole: Vec<Part> = Vec::new();
    for part in parts {
        match whole.iter_mut().find(|w| w.role == part.role) {
            None => whole.push(part),
            Some(first) if part.is_service => {
                let renamed = |e: &Expr| match e {
                    Expr::Var(name) if protocol.value(name).is_none() => {
                        Some(Expr::Var(format!("{name}_{}", part.entry)))
                    }
                    Expr::Key(name) => Some(Expr::Key(format!("{name}_{}", part.entry))),
                    _ => None,
                };
                first.acts.extend(part.acts.iter().map(|a| with_terms(a, &|e| e.replace(&renamed))));
                let new: Vec<_> = part.own.into_iter().filter(|o| !first.own.contains(o)).collect();
                first.own.extend(new);
            }
            Some(_) => {}
        }
    }
    whole
}

/// An act with other terms.
fn with_terms(act: &Act, of: &dyn Fn(&Expr) -> Expr) -> Act {
    let all = |es: &[Expr]| es.iter().map(of).collect::<Vec<_>>();
    match act {
        Act::Meet(role) => Act::Meet(role.clone()),
        Act::Send { line, to, parts } => Act::Send { line: *line, to: of(to), parts: all(parts) },
        Act::Receive { line, from, into } => Act::Receive { line: *line, from: of(from), into: all(into) },
        Act::Open { what, key, into } => Act::Open { what: of(what), key: of(key), into: all(into) },
        Act::Equal { what, to } => Act::Equal { what: of(what), to: of(to) },
        Act::Verify { what, under, text } => {
            Act::Verify { what: of(what), under: of(under), text: all(text) }
        }
        Act::Trust { what, of: whom, key } => Act::Trust { what: of(what), of: of(whom), key: of(key) },
        Act::Unstep { what, func, into } => Act::Unstep { what: of(what), func: *func, into: of(into) },
        Act::Secret { goal, term, honest } => {
            Act::Secret { goal: *goal, term: of(term), honest: all(honest) }
        }
        Act::Running { goal, me, with, on } => {
            Act::Running { goal: *goal, me: of(me), with: of(with), on: all(on) }
        }
        Act::Commit { goal, me, with, on } => {
            Act::Commit { goal: *goal, me: of(me), with: of(with), on: all(on) }
        }
    }
}
