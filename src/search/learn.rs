//! What a role takes apart and checks, on symbols: each operation of a step that receives. The
//! bytes' meaning is `knowledge::learn`'s. Must not know who sends.

use super::role::{Moment, Reader};
use super::sort::Sort;
use super::term::{Args, Head, Term};
use crate::algebra::{Form, Func};
use crate::notation::plan::verification_key;
use crate::notation::{Id, Kind, Node, Op, Source};

impl Reader<'_, '_> {
    /// What a message must be, and what the role has from it; none if it cannot be said.
    pub fn receive(&mut self, line: u32, from: Id, ops: &[Op]) -> Option<Moment> {
        let mut moment =
            Moment { line, sends: false, peer: Term(0), parts: vec![], equal: vec![], concludes: vec![] };
        for op in ops {
            self.carry_out(op, &mut moment)?;
        }
        moment.peer = self.value(from)?;
        Some(moment)
    }

    fn carry_out(&mut self, op: &Op, moment: &mut Moment) -> Option<()> {
        match op {
            Op::Sender(role) => {
                if !self.has.contains_key(role) {
                    let name = self.var(Sort::Name, None);
                    self.has.insert(*role, name);
                }
            }
            Op::Split(parts) => moment.parts = self.split(parts),
            Op::Open(source, id, inner) => {
                let Node::Enc(body, key) = self.ground.protocol.table.clone().node(*id).clone() else {
                    return None;
                };
                let asymmetric = matches!(self.ground.protocol.table.node(key), Node::App(Func::Pk, _));
                let key = self.value(key)?;
                let shape = self.shape(&body);
                let head = Head::Seal { asymmetric, label: self.label(*id), shape };
                let coins = self.var(Sort::Coins, None);
                let args = [key, coins].into_iter().chain(self.split(inner)).collect();
                let sealed = self.terms.raw(head, args);
                self.is(*source, sealed, moment)?;
                self.has.insert(*id, sealed);
            }
            Op::Verify(source, id) => {
                let table = self.ground.protocol.table.clone();
                let Node::App(Func::Sign, args) = table.node(*id) else { return None };
                let private = match self.has.get(&verification_key(&table, args[0])?).copied() {
                    Some(public) => {
                        let public = self.settle(public);
                        self.terms.inverse(public)
                    }
                    None => self.of_agents_named(args[0])?,
                };
                let shape = self.shape(&args[1..]);
                let head = Head::OneWay { func: Func::Sign, label: self.label(*id), shape };
                let signed = std::iter::once(private).chain(self.values(&args[1..])?).collect();
                let signature = self.terms.make(head, signed);
                self.is(*source, signature, moment)?;
                self.has.insert(*id, signature);
            }
            Op::Equal(source, id) => {
                let arrived = self.at(*source)?;
                if let Source::Kept(_) = source {
                    self.has.remove(id);
                }
                let own = self.value(*id)?;
                self.equate(arrived, own, moment);
            }
            Op::Bind(source, id) => {
                let arrived = self.at(*source)?;
                let kind = self.ground.protocol.table.kind(*id);
                self.refine(arrived, Sort::of_kind(kind, None), self.width(*id), *id);
                self.has.insert(*id, arrived);
            }
            Op::Keep(source, id) => {
                let arrived = self.at(*source)?;
                self.refine(arrived, Sort::Any, None, *id);
                self.has.insert(*id, arrived);
            }
            Op::Certificate(source, id) => {
                let table = self.ground.protocol.table.clone();
                let Node::App(Func::Cert, args) = table.node(*id) else { return None };
                let subject = match self.has.get(&args[0]) {
                    Some(subject) => *subject,
                    None => {
                        let name = self.var(Sort::Name, None);
                        self.has.insert(args[0], name);
                        name
                    }
                };
                let certificate = self.terms.raw(Head::OfAgents(Func::Cert), Args::from_slice(&[subject]));
                self.is(*source, certificate, moment)?;
                if let Some(public) = table.find_node(&Node::App(Func::Pk, args.clone())) {
                    let key = self.terms.raw(Head::OfAgents(Func::Pk), Args::from_slice(&[subject]));
                    self.has.insert(public, key);
                }
                self.has.insert(*id, certificate);
            }
            Op::Invert(source, id, unknown) => {
                let arrived = self.at(*source)?;
                let table = self.ground.protocol.table.clone();
                let Node::App(func, args) = table.node(*id) else { return None };
                let found = match func.definition().form {
                    Form::Step { up } => self.terms.step(arrived, !up),
                    Form::Sum => {
                        let other = args.iter().find(|arg| *arg != unknown)?;
                        let other = self.value(*other)?;
                        self.terms.sum(&[arrived, other])
                    }
                    _ => return None,
                };
                self.has.insert(*unknown, found);
                self.has.insert(*id, arrived);
            }
        }
        Some(())
    }

    fn of_agents_named(&mut self, private: Id) -> Option<Term> {
        let table = self.ground.protocol.table.clone();
        match table.node(private) {
            Node::App(Func::Sk, args) => self.of_agents(Func::Sk, args[0], args),
            _ => None,
        }
    }

    fn split(&mut self, parts: &[(u16, Id)]) -> Vec<Term> {
        let mut fields = Vec::new();
        for (slot, id) in parts {
            let kind = self.ground.protocol.table.kind(*id);
            let elastic = matches!(kind, None | Some(Kind::Cipher | Kind::List | Kind::Masked));
            let width = if elastic { None } else { self.width(*id) };
            let field = self.var(Sort::Any, width);
            if let Some(slot) = self.slots.last_mut() {
                slot.kind = kind;
                // How long a sum is follows from what it is of.
                slot.hint = (kind == Some(Kind::Masked)).then_some(*id);
            }
            self.read[usize::from(*slot)] = Some(field);
            fields.push(field);
        }
        fields
    }

    fn at(&self, source: Source) -> Option<Term> {
        match source {
            Source::Slot(slot) => self.read[usize::from(slot)],
            Source::Kept(id) => self.has.get(&id).copied(),
        }
    }

    fn is(&mut self, source: Source, what: Term, moment: &mut Moment) -> Option<()> {
        let arrived = self.at(source)?;
        self.equate(arrived, what, moment);
        Some(())
    }

    /// What arrived is this: settled at once if nothing is known of it yet.
    fn equate(&mut self, arrived: Term, what: Term, moment: &mut Moment) {
        let arrived = self.settle(arrived);
        match self.terms.head(arrived) {
            Head::Var(var) if self.slots[var as usize].sort == Sort::Any && !self.stands_in(var, what) => {
                self.stands_for[var as usize] = Some(what);
            }
            _ if arrived == what => {}
            _ => moment.equal.push((arrived, what)),
        }
    }

    fn stands_in(&mut self, var: u32, term: Term) -> bool {
        let term = self.settle(term);
        self.terms.head(term) == Head::Var(var)
            || Args::from_slice(self.terms.args(term)).iter().any(|arg| self.stands_in(var, *arg))
    }

    fn refine(&mut self, term: Term, sort: Sort, width: Option<u32>, hint: Id) {
        if let Head::Var(var) = self.terms.head(term) {
            let slot = &mut self.slots[var as usize];
            slot.sort = slot.sort.meet(sort).unwrap_or(sort);
            slot.width = slot.width.or(width);
            slot.hint = slot.hint.or(Some(hint));
        }
    }
}
