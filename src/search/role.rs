//! A role's program on symbols: the terms that it wants, sends and comes to have. What each
//! operation means stands in `learn` and `build`, as that on bytes in `knowledge`'s files of the
//! same names. Must not know the attacker.

use std::collections::BTreeMap;

use super::sort::Sort;
use super::store::Slot;
use super::term::{Head, Shape, Term, Terms};
use crate::notation::{self, Action, Id, Kind, Name, Node, Origin, Program, Protocol, Role, Type};
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

/// A program that is being read.
pub struct Reader<'a, 'g> {
    /// What all roles have in common.
    pub ground: &'a Ground<'g>,
    /// The role.
    pub me: &'g Role,
    /// All terms.
    pub terms: &'a mut Terms,
    /// What the role has.
    pub has: BTreeMap<Id, Term>,
    /// What the fields of messages hold, by their slot.
    pub read: Vec<Option<Term>>,
    /// What is known of its variables.
    pub slots: Vec<Slot>,
    /// What variables were settled to be.
    pub stands_for: Vec<Option<Term>>,
    /// The values that it generates.
    pub atoms: Vec<Fresh>,
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

    /// A new variable.
    pub fn var(&mut self, sort: Sort, width: Option<u32>) -> Term {
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
    pub fn settle(&mut self, term: Term) -> Term {
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

    /// The length of a field in bytes, where fields have no borders.
    pub fn width(&self, id: Id) -> Option<u32> {
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
    pub fn label(&self, id: Id) -> u32 {
        match self.ground.encoding {
            Encoding::Labelled => self.ground.protocol.table.first_line(id).unwrap_or(0),
            Encoding::Tagged | Encoding::Untagged(_) => 0,
        }
    }

    /// The kinds of fields side by side.
    pub fn shape(&mut self, of: &[Id]) -> Shape {
        if !self.ground.encoding.has_tags() {
            return Terms::no_shape();
        }
        let kinds = of.iter().map(|id| self.ground.protocol.table.kind(*id)).collect();
        self.terms.shape(kinds)
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
