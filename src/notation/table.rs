//! Terms as numbered nodes, each written once. Steps, sessions and the verdict speak of
//! terms by number. Must not know roles' knowledge or bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::term::{Name, Term};
use crate::algebra::{Func, kind_of};
use crate::limits::MAX_TERMS;
use crate::wire::Kind;

/// The number of a term in its table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub u32);

impl Id {
    /// For indexing vectors that run parallel to the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A term whose parts are numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Node {
    /// A value, a role or a party.
    Name(Name),
    /// A public constant.
    Text(Name),
    /// `g^x^y`; each exponent is a `Name`.
    Exp(Vec<Id>),
    /// `{M…}K`.
    Enc(Vec<Id>, Id),
    /// A function.
    App(Func, Vec<Id>),
}

/// What a protocol may declare a value to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Type {
    /// 16 random bytes.
    Nonce,
    /// 32 random bytes.
    Key,
    /// A secret exponent.
    Dh,
    /// A fresh key pair.
    Keypair,
    /// The sender's clock when it sends.
    Time,
    /// The sender's clock plus a lifetime.
    Expiry,
    /// Bytes of the application.
    Data,
    /// A key that decapsulates.
    Kem,
    /// The random bytes of an encapsulation.
    Coins,
}

impl Type {
    /// Every type with its word.
    pub const ALL: [(Type, &'static str); 9] = [
        (Type::Nonce, "nonce"),
        (Type::Key, "key"),
        (Type::Dh, "dh"),
        (Type::Keypair, "keypair"),
        (Type::Time, "time"),
        (Type::Expiry, "expiry"),
        (Type::Data, "data"),
        (Type::Kem, "kem"),
        (Type::Coins, "coins"),
    ];

    /// The type with this word.
    pub fn from_word(word: &str) -> Option<Type> {
        Type::ALL.iter().find(|t| t.1 == word).map(|t| t.0)
    }

    /// The word for it in files.
    pub fn word(self) -> &'static str {
        Type::ALL[self as usize].1
    }

    /// The kind of the field that carries such a value.
    pub fn kind(self) -> Kind {
        match self {
            Type::Nonce => Kind::Nonce,
            Type::Key => Kind::Key,
            Type::Dh => Kind::Exponent,
            Type::Keypair => Kind::Private,
            Type::Time => Kind::Time,
            Type::Expiry => Kind::Expiry,
            Type::Data => Kind::Data,
            Type::Kem => Kind::Decapsulation,
            Type::Coins => Kind::Coins,
        }
    }
}

/// Where a field stands: in which term, at which place from 0; in the message itself if in none.
pub type Place = (Option<Id>, usize);

/// The types that are written on fields in place of their values' own.
pub type Casts = BTreeMap<Place, Kind>;

/// All the terms of a protocol or of an attack.
#[derive(Clone, Default, Debug)]
pub struct Table {
    /// What the tables of an attack's lines share.
    terms: Arc<Terms>,
    /// Kinds of names in this line of an attack, where they are others.
    in_line: BTreeMap<Name, Kind>,
    first_line: BTreeMap<Id, u32>,
}

#[derive(Clone, Default, Debug)]
struct Terms {
    nodes: Vec<Node>,
    ids: BTreeMap<Node, Id>,
    names: BTreeMap<Name, Id>,
    kinds: BTreeMap<Name, Kind>,
    shown_as: BTreeMap<Id, Name>,
}

/// A table is full: `MAX_TERMS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyTerms;

impl Table {
    /// An empty table in which names are of these kinds.
    pub fn new(kinds: BTreeMap<Name, Kind>) -> Self {
        Table { terms: Arc::new(Terms { kinds, ..Terms::default() }), ..Table::default() }
    }

    /// The same terms, as a line has them in which these names are of these kinds, and these
    /// terms are those that a protocol first has in these lines.
    pub fn in_line(&self, kinds: BTreeMap<Name, Kind>, first_line: BTreeMap<Id, u32>) -> Table {
        Table { terms: self.terms.clone(), in_line: kinds, first_line }
    }

    /// The number of terms.
    pub fn len(&self) -> usize {
        self.terms.nodes.len()
    }

    /// Whether there are no terms.
    pub fn is_empty(&self) -> bool {
        self.terms.nodes.is_empty()
    }

    /// Every number in the table.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.terms.nodes.len() as u32).map(Id)
    }

    /// The term with this number, one level deep.
    pub fn node(&self, id: Id) -> &Node {
        &self.terms.nodes[id.index()]
    }

    /// The number of a term that is in the table.
    pub fn find(&self, term: &Term) -> Option<Id> {
        let all = |ts: &[Term]| ts.iter().map(|t| self.find(t)).collect::<Option<Vec<_>>>();
        let node = match term {
            Term::Name(n) => Node::Name(n.clone()),
            Term::Text(t) => Node::Text(t.clone()),
            Term::Exp(xs) => Node::Exp(xs.iter().map(|x| self.find_name(x)).collect::<Option<Vec<_>>>()?),
            Term::Enc(body, key) => Node::Enc(all(body)?, self.find(key)?),
            Term::App(func, args) => Node::App(*func, all(args)?),
        };
        self.terms.ids.get(&node).copied()
    }

    /// The number of a name that is in the table.
    pub fn find_name(&self, name: &str) -> Option<Id> {
        self.terms.names.get(name).copied()
    }

    /// The number of a node that is in the table.
    pub fn find_node(&self, node: &Node) -> Option<Id> {
        self.terms.ids.get(node).copied()
    }

    /// The number of a term, which joins the table with all that is needed to speak of it:
    /// the smaller shares of a `g^x^y`, the other half of a key pair, the ciphertext of a secret.
    pub fn intern(&mut self, term: &Term) -> Result<Id, TooManyTerms> {
        let node = match term {
            Term::Name(n) => Node::Name(n.clone()),
            Term::Text(t) => Node::Text(t.clone()),
            Term::Exp(xs) => {
                if xs.len() > 1 {
                    for skip in 0..xs.len() {
                        let mut fewer = xs.clone();
                        fewer.remove(skip);
                        self.intern(&Term::Exp(fewer))?;
                    }
                }
                Node::Exp(xs.iter().map(|x| self.intern(&Term::Name(x.clone()))).collect::<Result<_, _>>()?)
            }
            Term::Enc(body, key) => Node::Enc(self.intern_all(body)?, self.intern(key)?),
            Term::App(func, args) => Node::App(*func, self.intern_all(args)?),
        };
        let id = self.add(node)?;
        if let Term::App(func @ (Func::Encap | Func::Secret), args) = term {
            let key = Term::app(Func::Ek, args[..1].to_vec());
            self.intern(&key)?;
            if *func == Func::Secret {
                self.intern(&Term::app(Func::Encap, args.clone()))?;
            }
        }
        if let Term::App(Func::Pk | Func::Sk | Func::Cert, args) = term {
            let args = self.intern_all(args)?;
            for func in [Func::Pk, Func::Sk] {
                self.add(Node::App(func, args.clone()))?;
            }
        }
        Ok(id)
    }

    fn add(&mut self, node: Node) -> Result<Id, TooManyTerms> {
        if let Some(id) = self.terms.ids.get(&node) {
            return Ok(*id);
        }
        if self.terms.nodes.len() >= MAX_TERMS {
            return Err(TooManyTerms);
        }
        let id = Id(self.terms.nodes.len() as u32);
        let terms = Arc::make_mut(&mut self.terms);
        if let Node::Name(name) = &node {
            terms.names.insert(name.clone(), id);
        }
        terms.ids.insert(node.clone(), id);
        terms.nodes.push(node);
        Ok(id)
    }

    /// The numbers of several terms.
    pub fn intern_all(&mut self, terms: &[Term]) -> Result<Vec<Id>, TooManyTerms> {
        terms.iter().map(|t| self.intern(t)).collect()
    }

    /// Declares the kind of a name.
    pub fn set_kind(&mut self, name: &Name, kind: Kind) {
        Arc::make_mut(&mut self.terms).kinds.insert(name.clone(), kind);
    }

    /// The declared kind of a name.
    pub fn kind_of_name(&self, name: &str) -> Option<Kind> {
        self.in_line.get(name).or_else(|| self.terms.kinds.get(name)).copied()
    }

    /// What kind of field carries this term; `None` for a name whose kind nobody declared.
    pub fn kind(&self, id: Id) -> Option<Kind> {
        Some(match self.node(id) {
            Node::Name(n) => return self.kind_of_name(n),
            Node::Text(_) => Kind::Text,
            Node::Exp(_) => Kind::Share,
            Node::Enc(..) => Kind::Cipher,
            Node::App(func, args) => return kind_of(*func, self.kind(args[0])),
        })
    }

    /// Has `id` shown under a `let` name.
    pub fn show_as(&mut self, id: Id, name: &Name) {
        Arc::make_mut(&mut self.terms).shown_as.insert(id, name.clone());
    }

    /// Records that `id` and its parts stand in this line, unless an earlier line has them.
    pub fn mark_line(&mut self, id: Id, line: u32) {
        self.first_line.entry(id).or_insert(line);
        for part in self.parts(id) {
            self.mark_line(part, line);
        }
    }

    /// The first line in which a term stands: there it is made.
    pub fn first_line(&self, id: Id) -> Option<u32> {
        self.first_line.get(&id).copied()
    }

    /// The direct parts of a term; of a ciphertext its key last.
    pub fn parts(&self, id: Id) -> Vec<Id> {
        self.each_part(id).collect()
    }

    /// Whether a term is another or stands in it.
    pub fn is_part(&self, part: Id, whole: Id) -> bool {
        part == whole || self.each_part(whole).any(|p| self.is_part(part, p))
    }

    /// As `parts`, one after another.
    pub fn each_part(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let (many, key): (&[Id], Option<Id>) = match self.node(id) {
            Node::Name(_) | Node::Text(_) => (&[], None),
            Node::Exp(xs) => (xs, None),
            Node::Enc(body, key) => (body, Some(*key)),
            Node::App(_, args) => (args, None),
        };
        many.iter().copied().chain(key)
    }

    /// Whether making a term takes an exponentiation, a signature or a public-key encryption.
    pub fn costs_public_key_operations(&self, id: Id) -> bool {
        let of_itself = match self.node(id) {
            Node::Exp(_) => true,
            Node::Enc(_, key) => matches!(self.node(*key), Node::App(Func::Pk, _)),
            Node::App(func, _) => func.definition().costs_public_key_operation,
            Node::Name(_) | Node::Text(_) => false,
        };
        of_itself || self.each_part(id).any(|part| self.costs_public_key_operations(part))
    }

    /// The term as people write it, with `let` names where the protocol has them.
    pub fn show(&self, id: Id) -> String {
        self.terms.shown_as.get(&id).map_or_else(|| self.show_written_out(id), ToString::to_string)
    }

    /// The term as people write it, its own `let` name written out.
    pub fn show_written_out(&self, id: Id) -> String {
        let list = |ids: &[Id], by: &str| ids.iter().map(|i| self.show(*i)).collect::<Vec<_>>().join(by);
        match self.node(id) {
            Node::Name(n) => n.to_string(),
            Node::Text(t) => format!("\"{t}\""),
            Node::Exp(xs) => format!("g^{}", list(xs, "^")),
            Node::Enc(body, key) => format!("{{{}}}{}", list(body, ", "), self.show(*key)),
            Node::App(func @ (Func::K | Func::Pw), args) => format!("{}({})", func.name(), list(args, ",")),
            Node::App(func, args) => format!("{}({})", func.name(), list(args, ", ")),
        }
    }

    /// The `let` name under which a term is shown, if it has one.
    pub fn shown_name(&self, id: Id) -> Option<&Name> {
        self.terms.shown_as.get(&id)
    }
}
