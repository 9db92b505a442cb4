//! Terms as they are written, and values as they come in a play. Symbolic: two values are
//! the same bytes exactly if they are the same value here.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

/// A term of the notation, in a normal form: `k(X,Y)`, `g^x^y` and `xor` do not mind the order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    Name(String),
    Text(String),
    Pow(Vec<String>),
    Enc(Vec<Term>, Box<Term>),
    Pk(String),
    Sk(String),
    Key(String, String),
    Sign(String, Vec<Term>),
    Mac(Vec<Term>),
    Hash(Vec<Term>),
    Kdf(Vec<Term>),
    Succ(Box<Term>),
    Pred(Box<Term>),
    Xor(Box<Term>, Box<Term>),
}

impl Term {
    pub fn name(text: &str) -> Term {
        Term::Name(text.to_owned())
    }

    pub fn pow<S: AsRef<str>>(exponents: &[S]) -> Term {
        let mut all: Vec<String> = exponents.iter().map(|e| e.as_ref().to_owned()).collect();
        all.sort();
        Term::Pow(all)
    }

    pub fn key(x: &str, y: &str) -> Term {
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        Term::Key(x.to_owned(), y.to_owned())
    }

    pub fn xor(x: Term, y: Term) -> Term {
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        Term::Xor(Box::new(x), Box::new(y))
    }

    /// The terms right inside, keys included.
    pub fn inner(&self) -> Vec<&Term> {
        match self {
            Term::Enc(body, key) => body.iter().chain([&**key]).collect(),
            Term::Sign(_, list) | Term::Mac(list) | Term::Hash(list) | Term::Kdf(list) => {
                list.iter().collect()
            }
            Term::Succ(one) | Term::Pred(one) => vec![one],
            Term::Xor(x, y) => vec![x, y],
            Term::Name(_) | Term::Text(_) | Term::Pow(_) | Term::Pk(_) | Term::Sk(_) | Term::Key(..) => {
                vec![]
            }
        }
    }

    /// The same term with each name replaced, and each whole subterm for which `leaf` has another.
    pub fn map(&self, leaf: &dyn Fn(&Term) -> Option<Term>, name: &dyn Fn(&str) -> String) -> Term {
        if let Some(other) = leaf(self) {
            return other;
        }
        let list = |terms: &[Term]| terms.iter().map(|t| t.map(leaf, name)).collect::<Vec<_>>();
        match self {
            Term::Name(n) => Term::Name(name(n)),
            Term::Text(_) => self.clone(),
            Term::Pow(exponents) => Term::pow(&exponents.iter().map(|e| name(e)).collect::<Vec<_>>()),
            Term::Enc(body, key) => Term::Enc(list(body), Box::new(key.map(leaf, name))),
            Term::Pk(x) => Term::Pk(name(x)),
            Term::Sk(x) => Term::Sk(name(x)),
            Term::Key(x, y) => Term::key(&name(x), &name(y)),
            Term::Sign(x, body) => Term::Sign(name(x), list(body)),
            Term::Mac(body) => Term::Mac(list(body)),
            Term::Hash(body) => Term::Hash(list(body)),
            Term::Kdf(body) => Term::Kdf(list(body)),
            Term::Succ(one) => Term::Succ(Box::new(one.map(leaf, name))),
            Term::Pred(one) => Term::Pred(Box::new(one.map(leaf, name))),
            Term::Xor(x, y) => Term::xor(x.map(leaf, name), y.map(leaf, name)),
        }
    }

    /// Whether a subterm satisfies this, the term itself included.
    pub fn any(&self, test: &mut dyn FnMut(&Term) -> bool) -> bool {
        test(self) || self.inner().into_iter().any(|t| t.any(test))
    }

    /// The names in it, in the order in which they stand.
    pub fn names(&self, into: &mut Vec<String>) {
        match self {
            Term::Name(n) | Term::Pk(n) | Term::Sk(n) => into.push(n.clone()),
            Term::Pow(exponents) => into.extend(exponents.iter().cloned()),
            Term::Key(x, y) => into.extend([x.clone(), y.clone()]),
            Term::Sign(x, _) => into.push(x.clone()),
            _ => {}
        }
        for inner in self.inner() {
            inner.names(into);
        }
    }
}

pub fn list(terms: &[Term]) -> String {
    terms.iter().map(Term::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Name(n) => f.write_str(n),
            Term::Text(t) => write!(f, "\"{t}\""),
            Term::Pow(exponents) => write!(f, "g^{}", exponents.join("^")),
            Term::Enc(body, key) => write!(f, "{{{}}}{key}", list(body)),
            Term::Pk(x) => write!(f, "pk({x})"),
            Term::Sk(x) => write!(f, "sk({x})"),
            Term::Key(x, y) => write!(f, "k({x},{y})"),
            Term::Sign(x, body) => write!(f, "sign(sk({x}), {})", list(body)),
            Term::Mac(body) => write!(f, "mac({})", list(body)),
            Term::Hash(body) => write!(f, "h({})", list(body)),
            Term::Kdf(body) => write!(f, "kdf({})", list(body)),
            Term::Succ(one) => write!(f, "succ({one})"),
            Term::Pred(one) => write!(f, "pred({one})"),
            Term::Xor(x, y) => write!(f, "xor({x}, {y})"),
        }
    }
}

/// What a field carries, in the encodings that say so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Type {
    Name,
    Nonce,
    Key,
    Exponent,
    Time,
    Data,
    Share,
    Cipher,
    Signature,
    Code,
    Hash,
    Public,
    KeyPair,
}

/// A value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    Name(String),
    Text(String),
    /// Something generated: the number tells it from all others; and how many bytes it has, if
    /// that can be told.
    Fresh(u32, usize),
    /// A long-term key of two.
    Shared(String, String),
    /// Nanoseconds.
    Time(i64),
    /// Of a party (`Name`) or of a fresh key pair.
    Public(Rc<Value>),
    Private(Rc<Value>),
    Share(Vec<Value>),
    /// The key (a public one, or symmetric), what is inside, the label that binds it, and its
    /// randomness.
    Cipher {
        key: Rc<Value>,
        body: Rc<Vec<Field>>,
        label: Option<u32>,
        random: u32,
    },
    Signature {
        by: Rc<Value>,
        body: Rc<Vec<Field>>,
        label: Option<u32>,
    },
    Code {
        body: Rc<Vec<Field>>,
        label: Option<u32>,
    },
    Hash(Rc<Vec<Field>>),
    Derived(Rc<Vec<Field>>),
    /// A value plus a number other than 0.
    Plus(Rc<Value>, i64),
    /// A sum of two or more.
    Xor(BTreeSet<Value>),
    /// Nothing but zero bits.
    Zero,
}

/// A value in its place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Field {
    pub ty: Type,
    pub value: Value,
}

impl Value {
    pub fn shared(x: &str, y: &str) -> Value {
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        Value::Shared(x.to_owned(), y.to_owned())
    }

    pub fn plus(&self, more: i64) -> Value {
        let (base, sum) = match self {
            Value::Plus(base, had) => (base.clone(), had + more),
            other => (Rc::new(other.clone()), more),
        };
        if sum == 0 { (*base).clone() } else { Value::Plus(base, sum) }
    }

    /// The summands.
    pub fn summands(&self) -> BTreeSet<Value> {
        match self {
            Value::Xor(set) => set.clone(),
            Value::Zero => BTreeSet::new(),
            other => BTreeSet::from([other.clone()]),
        }
    }

    pub fn sum(set: BTreeSet<Value>) -> Value {
        match set.len() {
            0 => Value::Zero,
            1 => set.into_iter().next().unwrap_or(Value::Zero),
            _ => Value::Xor(set),
        }
    }

    pub fn xor(&self, other: &Value) -> Value {
        Value::sum(self.summands().symmetric_difference(&other.summands()).cloned().collect())
    }

    /// How many bytes it has, if that can be told.
    pub fn width(&self) -> Option<usize> {
        match self {
            Value::Fresh(_, width) => Some(*width).filter(|w| *w > 0),
            Value::Shared(..) | Value::Share(_) | Value::Code { .. } | Value::Hash(_) | Value::Derived(_) => {
                Some(32)
            }
            Value::Time(_) => Some(8),
            Value::Plus(base, _) => base.width(),
            Value::Xor(set) => set.first().and_then(Value::width),
            _ => None,
        }
    }

    /// A share raised to one exponent more.
    pub fn raised(&self, exponent: &Value) -> Option<Value> {
        let Value::Share(exponents) = self else { return None };
        let mut all = exponents.clone();
        all.push(exponent.clone());
        all.sort();
        Some(Value::Share(all))
    }
}
