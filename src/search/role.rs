//! What each operation of a program means on symbols: a role's program as the terms that it
//! wants, sends and comes to have. The bytes' meaning of the same operations is `knowledge`'s
//! (`learn` and `build`). Must not know the attacker.

use std::collections::BTreeMap;

use super::sort::Sort;
use super::store::Slot;
use super::term::{Args, Head, Term, Terms};
use crate::algebra::{Form, Func, Syntax};
use crate::notation::plan::{other_share, verification_key};
use crate::notation::{
    self, Action, Id, Kind, Name, Node, Op, Origin, Program, Protocol, Role, Source, Type,
};
use crate::wire::Encoding;

/// A role's program on symbols: its variables and values are numbered from 0.
#[derive(Clone, Debug)]
pub struct Template {
    /// The role.
    pub role: usize,
    /// Which of its programs.
    pub program: usize,
    /// Whether a service plays it.
    pub is_service: bool,
    /// What is known of its variables. Those that stand for names that it knows come first.
    pub slots: Vec<Slot>,
    /// The values that it generates.
    pub atoms: Vec<Fresh>,
    /// Its steps.
    pub steps: Vec<Moment>,
    /// The names of the roles, as it takes them.
    pub names: BTreeMap<Id, Term>,
    /// Its own name, and those that it chooses before it begins: they differ from one another.
    pub chosen: Vec<Term>,
    /// Whom it takes for the other clients' roles.
    pub others: Vec<Term>,
    /// What its session keys are: values of this type that are fresh, and `let`s.
    pub session_keys: Vec<Id>,
}

/// A value that a part generates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fresh {
    /// The term.
    pub id: Id,
    /// Its type.
    pub of: Type,
    /// Its length in bytes, if it is settled.
    pub width: Option<u32>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The line, from 1.
    pub line: u32,
    /// Whether it sends.
    pub sends: bool,
    /// From whom the message is, or to whom.
    pub peer: Term,
    /// The parts of the message.
    pub parts: Vec<Term>,
    /// What must be equal besides.
    pub equal: Vec<(Term, Term)>,
    /// What it has from here on.
    pub concludes: Vec<(Id, Term)>,
}

/// What all roles have in common.
pub struct Ground<'a> {
    /// The protocol.
    pub protocol: &'a Protocol,
    /// How fields become bytes.
    pub encoding: &'a Encoding,
    /// Which name a service's role has.
    pub services: &'a dyn Fn(&str) -> Option<Head>,
}

impl Template {
    /// The meaning of a program; none if it cannot be said on symbols.
    pub fn of(ground: &Ground<'_>, terms: &mut Terms, role: usize, program: usize) -> Option<Template> {
        let protocol = ground.protocol;
        let of = protocol.programs.get(&protocol.roles[role].name)?.get(program)?.clone();
        let mut reader = Reader {
            ground,
            me: &protocol.roles[role],
            terms,
            has: BTreeMap::new(),
            read: vec![None; of.slots],
            slots: Vec::new(),
            stands_for: Vec::new(),
            atoms: Vec::new(),
        };
        let template = reader.begin(role, &of)?;
        Some(Template { program, ..template })
    }
}

struct Reader<'a, 'g> {
    ground: &'a Ground<'g>,
    me: &'g Role,
    terms: &'a mut Terms,
    has: BTreeMap<Id, Term>,
    read: Vec<Option<Term>>,
    slots: Vec<Slot>,
    stands_for: Vec<Option<Term>>,
    atoms: Vec<Fresh>,
}

impl Reader<'_, '_> {
    fn begin(&mut self, role: usize, of: &Program) -> Option<Template> {
        let protocol = self.ground.protocol;
        let own = self.me;
        let me = match (self.ground.services)(&own.name) {
            Some(service) => self.terms.leaf(service),
            None => self.var(Sort::Honest, None),
        };
        self.has.insert(of.me, me);
        let initiates = of.entry == 1 && protocol.initiator() == &own.name;
        let mut chosen = vec![me];
        for other in protocol.roles.iter().filter(|other| other.name != own.name) {
            let id = protocol.table.find_name(&other.name)?;
            if let Some(service) = (self.ground.services)(&other.name) {
                let service = self.terms.leaf(service);
                self.has.insert(id, service);
            } else if initiates || own.grants.contains(&notation::Term::Name(other.name.clone())) {
                let name = self.var(Sort::Client, None);
                self.has.insert(id, name);
                chosen.push(name);
            }
        }
        let mut steps = Vec::new();
        for step in &of.steps {
            let mut moment = match &step.action {
                Action::Send { to, parts } => {
                    let peer = self.value(*to)?;
                    let parts = parts.iter().map(|part| self.value(*part)).collect::<Option<_>>()?;
                    Moment { line: step.line, sends: true, peer, parts, equal: vec![], concludes: vec![] }
                }
                Action::Receive { from, ops, .. } => self.receive(step.line, *from, ops)?,
            };
            for id in &step.concludes {
                if let Some(value) = self.value(*id) {
                    moment.concludes.push((*id, value));
                }
            }
            steps.push(moment);
        }
        let mut names = BTreeMap::new();
        for other in &protocol.roles {
            let id = protocol.table.find_name(&other.name)?;
            if let Some(name) = self.has.get(&id) {
                names.insert(id, *name);
            }
        }
        for moment in &mut steps {
            moment.peer = self.settle(moment.peer);
            moment.parts.iter_mut().for_each(|part| *part = self.settle(*part));
            moment.equal.iter_mut().for_each(|(a, b)| (*a, *b) = (self.settle(*a), self.settle(*b)));
            moment.concludes.iter_mut().for_each(|(_, value)| *value = self.settle(*value));
        }
        for name in names.values_mut() {
            *name = self.settle(*name);
        }
        Some(Template {
            role,
            program: 0,
            is_service: own.service.is_some(),
            slots: std::mem::take(&mut self.slots),
            atoms: std::mem::take(&mut self.atoms),
            steps,
            others: {
                let clients = protocol.client_roles().filter(|role| role.name != own.name);
                let ids = clients.filter_map(|role| protocol.table.find_name(&role.name));
                ids.filter_map(|id| names.get(&id).copied()).collect()
            },
            names,
            chosen,
            session_keys: session_keys(protocol),
        })
    }

    fn var(&mut self, sort: Sort, width: Option<u32>) -> Term {
        let width = match (sort, self.ground.encoding) {
            (Sort::Name | Sort::Client | Sort::Honest, Encoding::Untagged(widths)) => {
                Some(widths.name as u32)
            }
            _ => width,
        };
        self.slots.push(Slot { sort, width, hint: None, kind: None });
        self.stands_for.push(None);
        self.terms.leaf(Head::Var(self.slots.len() as u32 - 1))
    }

    /// A term with the variables written out that were settled while the program was read.
    fn settle(&mut self, term: Term) -> Term {
        let stands_for = std::mem::take(&mut self.stands_for);
        let mut term = term;
        loop {
            let next = self.terms.replace(term, &mut |_, head| match head {
                Head::Var(var) => stands_for[var as usize],
                _ => None,
            });
            if next == term {
                break;
            }
            term = next;
        }
        self.stands_for = stands_for;
        term
    }

    fn width(&self, id: Id) -> Option<u32> {
        let Encoding::Untagged(widths) = self.ground.encoding else { return None };
        let table = &self.ground.protocol.table;
        if let Node::Name(name) = table.node(id)
            && let Some(width) = widths.of.get(name)
        {
            return width.map(|width| width as u32);
        }
        Some(match table.kind(id)? {
            Kind::Name => widths.name as u32,
            Kind::Nonce => widths.nonce as u32,
            Kind::Key => widths.key as u32,
            Kind::Time | Kind::Expiry => widths.time as u32,
            Kind::Data => widths.data as u32,
            Kind::Share | Kind::Mac | Kind::Hash | Kind::Exponent => 32,
            Kind::Signature => 64,
            _ => return None,
        })
    }

    /// The label of a term that is bound to its line.
    fn label(&self, id: Id) -> u32 {
        match self.ground.encoding {
            Encoding::Labelled => self.ground.protocol.table.first_line(id).unwrap_or(0),
            Encoding::Tagged | Encoding::Untagged(_) => 0,
        }
    }

    fn shape(&mut self, of: &[Id]) -> super::term::Shape {
        if !self.ground.encoding.has_tags() {
            return Terms::no_shape();
        }
        let kinds = of.iter().map(|id| self.ground.protocol.table.kind(*id)).collect();
        self.terms.shape(kinds)
    }

    /// What the role has for a term, or makes now.
    fn value(&mut self, id: Id) -> Option<Term> {
        if let Some(value) = self.has.get(&id) {
            return Some(*value);
        }
        let value = self.make(id)?;
        self.has.insert(id, value);
        Some(value)
    }

    fn values(&mut self, ids: &[Id]) -> Option<Args> {
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
                let args = std::iter::once(key).chain(self.values(body)?).collect();
                Some(self.terms.make(head, args))
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
                Form::Cipher(_) | Form::Power => None,
            },
        }
    }

    fn of_agents(&mut self, func: Func, owner: Id, args: &[Id]) -> Option<Term> {
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
            Type::Dh | Type::Keypair | Type::Data => None,
        });
        self.atoms.push(Fresh { id, of: value.of, width });
        Some(self.terms.leaf(Head::Atom(self.atoms.len() as u32 - 1)))
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

    fn receive(&mut self, line: u32, from: Id, ops: &[Op]) -> Option<Moment> {
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
                let args = std::iter::once(key).chain(self.split(inner)).collect();
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

/// The terms that are a run's session keys.
fn session_keys(protocol: &Protocol) -> Vec<Id> {
    let fresh = protocol.values.iter().filter(|v| v.origin == Origin::Fresh && v.of == Type::Key);
    let fresh = fresh.filter_map(|value| protocol.table.find_name(&value.name));
    let is_fresh = |name: &Name| protocol.value(name).is_some_and(|value| value.origin == Origin::Fresh);
    let of_a_run = protocol.lets.iter().filter(|(_, term)| term.names().iter().any(is_fresh));
    let derived = of_a_run.filter_map(|(_, term)| protocol.table.find(term));
    let derived = derived.filter(|id| protocol.table.kind(*id) == Some(Kind::Key));
    fresh.chain(derived).collect()
}
