//! What a role makes, on symbols: the terms for what it has, generates and computes. The bytes'
//! meaning is `knowledge::build`'s. Must not know messages.

use super::role::{Fresh, Reader};
use super::term::{Args, Head, Term};
use crate::algebra::{Form, Func, Syntax};
use crate::notation::plan::other_share;
use crate::notation::{self, Id, Kind, Name, Node, Origin, Type};

impl Reader<'_, '_> {
    /// What the role has for a term, or makes now.
    pub fn value(&mut self, id: Id) -> Option<Term> {
        if let Some(value) = self.has.get(&id) {
            return Some(*value);
        }
        let value = self.make(id)?;
        self.has.insert(id, value);
        Some(value)
    }

    /// What it has for several.
    pub fn values(&mut self, ids: &[Id]) -> Option<Args> {
        ids.iter().map(|id| self.value(*id)).collect()
    }

    fn make(&mut self, id: Id) -> Option<Term> {
        let protocol = self.ground.protocol;
        let table = protocol.table.clone();
        match table.node(id) {
            Node::Name(name) => self.supply(id, name),
            Node::Text(_) => Some(self.terms.leaf(Head::Text(id.0))),
            Node::Exp(exponents) => self.power(id, exponents),
            Node::Enc(body, key) => {
                let asymmetric = matches!(table.node(*key), Node::App(Func::Pk, _));
                let key = self.value(*key)?;
                let shape = self.shape(body);
                let head = Head::Seal { asymmetric, label: self.label(id), shape };
                let body = self.values(body)?;
                let coins = self.fresh(id, Type::Coins, None);
                Some(self.terms.make(head, [key, coins].into_iter().chain(body).collect()))
            }
            Node::App(func, args) => match func.definition().form {
                Form::OfAgents => self.of_agents(*func, args[0], args),
                Form::Signature | Form::OneWay(_) => {
                    let keyed =
                        usize::from(matches!(func.definition().syntax, Syntax::Keyed | Syntax::Signed));
                    let shape = self.shape(&args[keyed..]);
                    let label = if keyed == 1 { self.label(id) } else { 0 };
                    let args = self.values(args)?;
                    Some(self.terms.make(Head::OneWay { func: *func, label, shape }, args))
                }
                Form::Step { up } => {
                    let args = self.values(args)?;
                    Some(self.terms.make(Head::Step { up }, args))
                }
                Form::Sum => {
                    let args = self.values(args)?;
                    Some(self.terms.make(Head::Sum, args))
                }
                // It cannot say that one secret comes of two computations.
                Form::Encapsulation(_) | Form::Cipher(_) | Form::Power => None,
            },
        }
    }

    /// A key, password or certificate of agents or of a key pair.
    pub fn of_agents(&mut self, func: Func, owner: Id, args: &[Id]) -> Option<Term> {
        if self.ground.protocol.table.kind(owner) == Some(Kind::Private) {
            let pair = self.value(owner)?;
            return Some(match func {
                Func::Pk => self.terms.raw(Head::OfAgents(func), Args::from_slice(&[pair])),
                _ => pair,
            });
        }
        let names = args.iter().map(|arg| self.has.get(arg).copied()).collect::<Option<Args>>()?;
        Some(self.terms.raw(Head::OfAgents(func), names))
    }

    /// A value that the role does not receive, if it is its own.
    fn supply(&mut self, id: Id, name: &Name) -> Option<Term> {
        let value = self.ground.protocol.value(name)?;
        if let Origin::LongTerm = value.origin {
            let has = self.me.grants.contains(&notation::Term::Name(name.clone()));
            return if has { self.long_term(name) } else { None };
        }
        if value.role != self.me.name {
            return None;
        }
        let width = self.width(id).or(match value.of {
            Type::Nonce => Some(16),
            Type::Key => Some(32),
            Type::Time | Type::Expiry => Some(8),
            Type::Dh | Type::Keypair | Type::Data | Type::Kem | Type::Coins => None,
        });
        Some(self.fresh(id, value.of, width))
    }

    /// A value that it draws.
    fn fresh(&mut self, id: Id, of: Type, width: Option<u32>) -> Term {
        self.atoms.push(Fresh { id, of, width });
        self.terms.leaf(Head::Atom(self.atoms.len() as u32 - 1))
    }

    /// What the agent who is taken for a role holds for the long term.
    fn long_term(&mut self, name: &Name) -> Option<Term> {
        let protocol = self.ground.protocol;
        let nth = protocol.values.iter().position(|value| value.name == *name)?;
        let owner = *self.has.get(&protocol.table.find_name(&protocol.values[nth].role)?)?;
        Some(self.terms.raw(Head::LongTerm(nth as u32), Args::from_slice(&[owner])))
    }

    fn power(&mut self, id: Id, exponents: &[Id]) -> Option<Term> {
        let protocol = self.ground.protocol;
        let table = &*protocol.table;
        let is_granted = self.me.grants.iter().any(|grant| table.find(grant) == Some(id));
        if let [exponent] = exponents
            && let Node::Name(name) = table.node(*exponent)
            && is_granted
        {
            let secret = self.long_term(name)?;
            return Some(self.terms.power(None, &[secret]));
        }
        for exponent in exponents {
            let Some(secret) = self.value(*exponent) else { continue };
            let Some(other) = other_share(table, exponents, *exponent) else {
                return Some(self.terms.power(None, &[secret]));
            };
            if let Some(share) = self.value(other) {
                return Some(self.terms.power(Some(share), &[secret]));
            }
        }
        None
    }
}
