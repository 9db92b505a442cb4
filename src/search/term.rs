//! Symbolic terms, each written once: what values are before anybody drew a byte. Must not know
//! who has what.

use smallvec::SmallVec;

use crate::algebra::Func;
use crate::hashed::Hashed;
use crate::notation::Kind;

/// The number of a term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Term(pub u32);

/// The arguments of a term.
pub type Args = SmallVec<[Term; 4]>;

/// The kinds of fields that stand side by side, interned; `Shape(0)` where fields have no kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Shape(u32);

/// What a term is, its arguments apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Head {
    /// A value that is not settled yet.
    Var(u32),
    /// A party's name.
    Name(u32),
    /// A public constant.
    Text(u32),
    /// A value that a part generates.
    Atom(u32),
    /// `k(X,Y)`, `pw(X,Y)`, `pk(X)`, `sk(X)`, `cert(X)`: the arguments are names, or a key pair.
    OfAgents(Func),
    /// A declared value, by its number, that the agent who is the argument holds for the long term.
    LongTerm(u32),
    /// `{M…}K`: the key first, then the random choices that went into it, by which one ciphertext
    /// differs from another of the same text. Bound to a label, 0 if to none.
    Seal {
        /// Whether the key is the public half of a pair.
        asymmetric: bool,
        /// The line to which it is bound.
        label: u32,
        /// The kinds of the fields inside.
        shape: Shape,
    },
    /// `sign(…)`, `mac(…)`, `h(…)`, `kdf(…)`: of the first two the key first.
    OneWay {
        /// Which.
        func: Func,
        /// The line to which it is bound.
        label: u32,
        /// The kinds of the fields.
        shape: Shape,
    },
    /// `succ(N)` or `pred(N)`.
    Step {
        /// Whether it is the greater.
        up: bool,
    },
    /// A power of `g` or of a share that nobody knows the exponent of: the base first if there is
    /// one, then the exponents in order.
    Power {
        /// Whether the first argument is a base.
        based: bool,
    },
    /// The exclusive or of all arguments, in order.
    Sum,
    /// Fields side by side that are one value to a reader, where fields have no borders.
    Joined,
    /// The private half of a public key that is not settled yet.
    Inverse,
}

/// A term, one level deep.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Node {
    head: Head,
    args: Args,
}

/// All terms of a search.
#[derive(Default, Debug)]
pub struct Terms {
    nodes: Vec<Node>,
    ground: Vec<bool>,
    ids: Hashed<Node, Term>,
    shapes: Vec<Vec<Option<Kind>>>,
    /// Whether ways to make terms equal were left out, since there are more than `MAX_UNIFICATIONS`.
    pub gave_up: bool,
}

impl Terms {
    /// No terms yet.
    pub fn new() -> Terms {
        Terms { shapes: vec![Vec::new()], ..Terms::default() }
    }

    /// The shape of fields of these kinds.
    pub fn shape(&mut self, kinds: Vec<Option<Kind>>) -> Shape {
        let at = self.shapes.iter().position(|shape| *shape == kinds).unwrap_or_else(|| {
            self.shapes.push(kinds);
            self.shapes.len() - 1
        });
        Shape(at as u32)
    }

    /// The shape of fields without kinds.
    pub fn no_shape() -> Shape {
        Shape(0)
    }

    /// The term with this head and these arguments, as they are.
    pub fn raw(&mut self, head: Head, args: Args) -> Term {
        let node = Node { head, args };
        if let Some(term) = self.ids.get(&node) {
            return *term;
        }
        let term = Term(self.nodes.len() as u32);
        let ground = !matches!(head, Head::Var(_)) && node.args.iter().all(|arg| self.is_ground(*arg));
        self.ids.insert(node.clone(), term);
        self.nodes.push(node);
        self.ground.push(ground);
        term
    }

    /// The term with this head and these arguments, in the one form in which equal terms are
    /// equal.
    pub fn make(&mut self, head: Head, args: Args) -> Term {
        match head {
            Head::Step { up } => self.step(args[0], up),
            Head::Power { based } => self.power(based.then(|| args[0]), &args[usize::from(based)..]),
            Head::Sum => self.sum(&args),
            Head::Joined => self.joined(&args),
            Head::Inverse => self.inverse(args[0]),
            _ => self.raw(head, args),
        }
    }

    /// A term without arguments.
    pub fn leaf(&mut self, head: Head) -> Term {
        self.raw(head, Args::new())
    }

    /// `succ` and `pred` cancel.
    pub fn step(&mut self, of: Term, up: bool) -> Term {
        match self.head(of) {
            Head::Step { up: other } if other != up => self.args(of)[0],
            _ => self.raw(Head::Step { up }, Args::from_slice(&[of])),
        }
    }

    /// A power of a power is a power of its base.
    pub fn power(&mut self, base: Option<Term>, exponents: &[Term]) -> Term {
        let (mut base, mut all) = (base, Args::from_slice(exponents));
        while let Some(share) = base
            && let Head::Power { based } = self.head(share)
        {
            let args = self.args(share);
            base = based.then(|| args[0]);
            all.extend_from_slice(&args[usize::from(based)..]);
        }
        all.sort_unstable();
        let args: Args = base.into_iter().chain(all).collect();
        self.raw(Head::Power { based: base.is_some() }, args)
    }

    /// An exclusive or: what stands in it twice is gone.
    pub fn sum(&mut self, of: &[Term]) -> Term {
        let mut all: Vec<Term> = Vec::new();
        for term in of {
            match self.head(*term) {
                Head::Sum => all.extend_from_slice(self.args(*term)),
                _ => all.push(*term),
            }
        }
        all.sort_unstable();
        let mut left = Args::new();
        for term in all {
            if left.last() == Some(&term) {
                left.pop();
            } else {
                left.push(term);
            }
        }
        match left.as_slice() {
            [one] => *one,
            _ => self.raw(Head::Sum, left),
        }
    }

    /// Fields side by side; one alone is itself.
    pub fn joined(&mut self, of: &[Term]) -> Term {
        let mut all = Args::new();
        for term in of {
            match self.head(*term) {
                Head::Joined => all.extend_from_slice(self.args(*term)),
                _ => all.push(*term),
            }
        }
        match all.as_slice() {
            [one] => *one,
            _ => self.raw(Head::Joined, all),
        }
    }

    /// The private half of a public key: of a party's by its name, of a fresh pair the pair itself.
    pub fn inverse(&mut self, public: Term) -> Term {
        match self.head(public) {
            Head::OfAgents(Func::Pk) => {
                let owner = self.args(public)[0];
                match self.head(owner) {
                    Head::Atom(_) => owner,
                    _ => self.raw(Head::OfAgents(Func::Sk), Args::from_slice(&[owner])),
                }
            }
            _ => self.raw(Head::Inverse, Args::from_slice(&[public])),
        }
    }

    /// What a term is.
    pub fn head(&self, term: Term) -> Head {
        self.nodes[term.0 as usize].head
    }

    /// Its arguments.
    pub fn args(&self, term: Term) -> &[Term] {
        &self.nodes[term.0 as usize].args
    }

    /// Whether no variable stands in it.
    pub fn is_ground(&self, term: Term) -> bool {
        self.ground[term.0 as usize]
    }

    /// The term with every leaf replaced that `with` answers.
    pub fn replace(&mut self, term: Term, with: &mut dyn FnMut(&mut Terms, Head) -> Option<Term>) -> Term {
        let head = self.head(term);
        if let Some(other) = with(self, head) {
            return other;
        }
        let args = self.nodes[term.0 as usize].args.clone();
        if args.is_empty() {
            return term;
        }
        let replaced: Args = args.iter().map(|arg| self.replace(*arg, with)).collect();
        if replaced == args { term } else { self.make(head, replaced) }
    }
}
