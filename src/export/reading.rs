//! A symbolic reading of a protocol's programs, which every model is written from: what each
//! part makes, takes apart, compares and keeps. Knows no target's language.

use std::collections::{BTreeMap, BTreeSet};

use crate::algebra::Form;
use crate::notation::plan::verification_key;
use crate::notation::{Action, Claim, Func, Id, Name, Node, Op, Origin, Program, Protocol, Source, Type};

use super::{NO_ENCAPSULATION, Unsayable};

/// A term as one part sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Expr {
    /// A value of the part's own, or one that it took from a message, read or unread.
    Var(String),
    /// A public key that a certificate or a message brought.
    Key(String),
    /// A field of a ciphertext that is opened, from 0, and how many it has; where a language
    /// cannot say so with a pattern.
    Inside { what: Box<Expr>, key: Box<Expr>, nth: usize, of: usize },
    /// Who plays this role, as the part takes it.
    Agent(Name),
    /// A public constant.
    Text(Name),
    /// A long-term value of an agent's.
    LongTerm(Name, Box<Expr>),
    /// A power of `g`, or of a share.
    Power(Option<Box<Expr>>, Box<Expr>),
    /// A ciphertext: what is inside, and the key, which may be public.
    Sealed(Vec<Expr>, Box<Expr>),
    /// A certificate: of this agent, for this public key.
    Certificate(Box<Expr>, Box<Expr>),
    /// A function.
    App(Func, Vec<Expr>),
}

impl Expr {
    /// Calls `visit` for this and every part, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Var(_) | Expr::Key(_) | Expr::Agent(_) | Expr::Text(_) => {}
            Expr::Inside { what, key, .. } => {
                what.walk(visit);
                key.walk(visit);
            }
            Expr::LongTerm(_, of) => of.walk(visit),
            Expr::Power(base, by) => {
                base.iter().for_each(|b| b.walk(visit));
                by.walk(visit);
            }
            Expr::Sealed(body, key) => {
                body.iter().for_each(|b| b.walk(visit));
                key.walk(visit);
            }
            Expr::Certificate(of, key) => {
                of.walk(visit);
                key.walk(visit);
            }
            Expr::App(_, args) => args.iter().for_each(|a| a.walk(visit)),
        }
    }

    /// Whether some part of it passes the test.
    pub fn any(&self, test: impl Fn(&Expr) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |e| found |= test(e));
        found
    }

    /// This with every variable and agent replaced that `with` answers.
    pub fn replace(&self, with: &dyn Fn(&Expr) -> Option<Expr>) -> Expr {
        if let Some(other) = with(self) {
            return other;
        }
        let one = |e: &Expr| Box::new(e.replace(with));
        let all = |es: &[Expr]| es.iter().map(|e| e.replace(with)).collect::<Vec<_>>();
        match self {
            Expr::Var(_) | Expr::Key(_) | Expr::Agent(_) | Expr::Text(_) => self.clone(),
            Expr::Inside { what, key, nth, of } => {
                Expr::Inside { what: one(what), key: one(key), nth: *nth, of: *of }
            }
            Expr::LongTerm(name, of) => Expr::LongTerm(name.clone(), one(of)),
            Expr::Power(base, by) => Expr::Power(base.as_deref().map(one), one(by)),
            Expr::Sealed(body, key) => Expr::Sealed(all(body), one(key)),
            Expr::Certificate(of, key) => Expr::Certificate(one(of), one(key)),
            Expr::App(func, args) => Expr::App(*func, all(args)),
        }
    }

    /// Whether it is a public key, of an agent or of a pair.
    pub fn is_public_key(&self) -> bool {
        matches!(self, Expr::App(Func::Pk, _) | Expr::Key(_))
    }
}

/// What a part does, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Takes whoever claims to have sent the next message for this role's player.
    Meet(Name),
    /// Sends line `line`.
    Send { line: u32, to: Expr, parts: Vec<Expr> },
    /// Receives line `line`, and names what it has in each place.
    Receive { line: u32, from: Expr, into: Vec<Expr> },
    /// Opens a ciphertext with a key, its own private one if `public` is the key it was made with.
    Open { what: Expr, key: Expr, into: Vec<Expr> },
    /// Goes on only if both are equal.
    Equal { what: Expr, to: Expr },
    /// Goes on only if this is a signature of the text under the public key.
    Verify { what: Expr, under: Expr, text: Vec<Expr> },
    /// Goes on only if this is a certificate; of whom, and for which key.
    Trust { what: Expr, of: Expr, key: Expr },
    /// Takes one off a successor or a predecessor.
    Unstep { what: Expr, func: Func, into: Expr },
    /// The part has what goal `goal` wants to be secret, and takes these for honest.
    Secret { goal: usize, term: Expr, honest: Vec<Expr> },
    /// The part takes part as the peer that goal `goal` wants authenticated.
    Running { goal: usize, me: Expr, with: Expr, on: Vec<Expr> },
    /// The part concludes goal `goal`.
    Commit { goal: usize, me: Expr, with: Expr, on: Vec<Expr> },
}

/// One part: a role from the line at which it begins.
#[derive(Clone, Debug)]
pub struct Part {
    /// The role.
    pub role: Name,
    /// The line at which it begins.
    pub entry: u32,
    /// Whether a service plays it.
    pub is_service: bool,
    /// Whom it knows from the start.
    pub peers: Vec<Name>,
    /// The values of its own that it makes, with their types.
    pub own: Vec<(String, Type)>,
    /// What it does.
    pub acts: Vec<Act>,
}

impl Part {
    /// A name for it that no other part has.
    pub fn name(&self) -> String {
        if self.entry == 0 { self.role.to_string() } else { format!("{}_from{}", self.role, self.entry) }
    }
}

/// Reads every part of a protocol.
///
/// # Errors
/// A term that no symbolic model has.
pub fn read(protocol: &Protocol) -> Result<Vec<Part>, Unsayable> {
    let mut parts = Vec::new();
    for role in &protocol.roles {
        let programs = protocol.programs.get(&role.name).into_iter().flatten();
        for (nth, program) in programs.enumerate() {
            let mut part = Reader::new(protocol, program).read()?;
            if nth == 0 {
                part.entry = 0;
            }
            parts.push(part);
        }
    }
    Ok(parts)
}

struct Reader<'p> {
    protocol: &'p Protocol,
    program: &'p Program,
    views: BTreeMap<Id, Expr>,
    slots: BTreeMap<u16, Expr>,
    named: BTreeSet<String>,
    own: BTreeMap<Id, Type>,
    used: Vec<Id>,
    acts: Vec<Act>,
}

impl<'p> Reader<'p> {
    fn new(protocol: &'p Protocol, program: &'p Program) -> Self {
        let id = |name: &str| protocol.named(name);
        let ops = program.steps.iter().flat_map(|s| match &s.action {
            Action::Receive { ops, .. } => ops.as_slice(),
            Action::Send { .. } => &[],
        });
        // What a ticket brings back is not the part's own: it read it there.
        let taken: BTreeSet<Id> = ops
            .filter_map(|op| match op {
                Op::Bind(_, id) | Op::Invert(_, _, id) => Some(*id),
                _ => None,
            })
            .collect();
        let own = protocol.values.iter().filter(|v| v.role == program.role && v.origin != Origin::LongTerm);
        let own = own.filter_map(|v| Some((id(&v.name)?, v.of))).filter(|(id, _)| !taken.contains(id));
        let mut views = BTreeMap::new();
        views.insert(program.me, Expr::Agent(program.role.clone()));
        for role in protocol.roles.iter().filter(|r| r.service.is_some()) {
            views.extend(id(&role.name).map(|id| (id, Expr::Agent(role.name.clone()))));
        }
        let named = protocol.values.iter().map(|v| v.name.to_string()).collect();
        let own = own.collect();
        Reader {
            protocol,
            program,
            views,
            slots: BTreeMap::new(),
            named,
            own,
            used: Vec::new(),
            acts: Vec::new(),
        }
    }

    fn read(mut self) -> Result<Part, Unsayable> {
        let role = self.protocol.role(&self.program.role);
        let initiates = self.program.entry == 1 && self.protocol.initiator() == &self.program.role;
        let mut peers = Vec::new();
        for other in self.protocol.client_roles().filter(|o| o.name != self.program.role) {
            let granted =
                role.is_some_and(|r| r.grants.iter().any(|g| *g == crate::notation::Term::name(&other.name)));
            let meets = self.program.steps.iter().any(|s| match &s.action {
                Action::Receive { ops, .. } => {
                    ops.iter().any(|op| matches!(op, Op::Bind(_, id) if self.is_role(*id, &other.name)))
                }
                Action::Send { .. } => false,
            });
            if (initiates || granted) && !meets {
                peers.push(other.name.clone());
                if let Some(id) = self.protocol.named(&other.name) {
                    self.views.insert(id, Expr::Agent(other.name.clone()));
                }
            }
        }
        let mut concluded: BTreeSet<Id> = BTreeSet::new();
        let mut claimed = BTreeSet::new();
        let last = self.program.steps.len().saturating_sub(1);
        for (nth, step) in self.program.steps.iter().enumerate() {
            concluded.extend(&step.concludes);
            match &step.action {
                Action::Receive { from, parts: _, ops } => {
                    self.receive(step.line, *from, ops)?;
                    self.claim(&concluded, &mut claimed, nth == last)?;
                }
                Action::Send { to, parts } => {
                    // The peer must have said that it takes part before anybody can agree.
                    self.claim(&concluded, &mut claimed, false)?;
                    let to = self.expr(*to)?;
                    let parts = parts.iter().map(|p| self.expr(*p)).collect::<Result<_, _>>()?;
                    self.acts.push(Act::Send { line: step.line, to, parts });
                    self.claim(&concluded, &mut claimed, nth == last)?;
                }
            }
        }
        let own = self.used.iter().filter_map(|id| Some((self.name_of(*id), *self.own.get(id)?))).collect();
        Ok(Part {
            role: self.program.role.clone(),
            entry: self.program.entry,
            is_service: role.is_some_and(|r| r.service.is_some()),
            peers,
            own,
            acts: self.acts,
        })
    }

    fn is_role(&self, id: Id, role: &str) -> bool {
        self.protocol.named(role) == Some(id)
    }

    fn name_of(&self, id: Id) -> String {
        self.protocol.table.show_written_out(id)
    }

    /// The claims that the goals make of this part now.
    fn claim(
        &mut self,
        has: &BTreeSet<Id>,
        made: &mut BTreeSet<(usize, bool)>,
        done: bool,
    ) -> Result<(), Unsayable> {
        let me = Expr::Agent(self.program.role.clone());
        let protocol = self.protocol;
        for (nth, goal) in protocol.goals.iter().enumerate() {
            let ids: Option<Vec<Id>> = goal.terms().iter().map(|t| protocol.table.find(t)).collect();
            let Some(ids) = ids.filter(|ids| ids.iter().all(|id| has.contains(id) || self.owns(*id))) else {
                continue;
            };
            match &goal.claim {
                Claim::Secret { between, .. } => {
                    let all: Vec<Name> = match between.as_slice() {
                        [] => protocol.roles_with(ids[0]).cloned().collect(),
                        some => some.to_vec(),
                    };
                    if !all.contains(&self.program.role) || made.contains(&(nth, true)) {
                        continue;
                    }
                    let known: Vec<Expr> = all
                        .iter()
                        .filter(|r| **r != self.program.role)
                        .filter(|r| protocol.role(r).is_some_and(|r| r.service.is_none()))
                        .filter_map(|r| self.views.get(&protocol.named(r)?).cloned())
                        .collect();
                    let clients = all
                        .iter()
                        .filter(|r| {
                            **r != self.program.role && protocol.role(r).is_some_and(|r| r.service.is_none())
                        })
                        .count();
                    // What is its own is a secret from the start, what it took only at the end.
                    if done || (self.is_own(ids[0]) && known.len() == clients && self.is_used(ids[0])) {
                        made.insert((nth, true));
                        let term = self.expr(ids[0])?;
                        self.acts.push(Act::Secret { goal: nth, term, honest: known });
                    }
                }
                Claim::Agreement { who, with, .. } => {
                    let (other, is_peer) = match &self.program.role {
                        role if role == with => (who, true),
                        role if role == who && done => (with, false),
                        _ => continue,
                    };
                    let Some(other) = protocol.named(other).and_then(|id| self.views.get(&id).cloned())
                    else {
                        continue;
                    };
                    if !made.insert((nth, !is_peer)) {
                        continue;
                    }
                    let on = ids.iter().map(|id| self.expr(*id)).collect::<Result<Vec<_>, _>>()?;
                    self.acts.push(match is_peer {
                        true => Act::Running { goal: nth, me: me.clone(), with: other, on },
                        false => Act::Commit { goal: nth, me: me.clone(), with: other, on },
                    });
                }
            }
        }
        Ok(())
    }

    fn owns(&self, id: Id) -> bool {
        self.own.contains_key(&id)
    }

    fn is_used(&self, id: Id) -> bool {
        !self.owns(id) || self.used.contains(&id)
    }

    /// Whether a term is made of the part's own values and long-term keys alone.
    fn is_own(&self, id: Id) -> bool {
        match self.protocol.table.node(id) {
            Node::Name(_) => self.owns(id),
            Node::Text(_) => true,
            Node::App(func, _) if func.is_of_agents() => true,
            _ => self.protocol.table.each_part(id).all(|p| self.is_own(p)),
        }
    }

    fn receive(&mut self, line: u32, from: Id, ops: &[Op]) -> Result<(), Unsayable> {
        let mut into = Vec::new();
        let mut later = Vec::new();
        for op in ops {
            match op {
                Op::Sender(id) if later.is_empty() && into.is_empty() => self.meet(*id, true),
                Op::Sender(id) => self.meet(*id, false),
                Op::Split(slots) => into = slots.iter().map(|(s, id)| self.slot(*s, *id, ops)).collect(),
                other => later.push(other),
            }
        }
        let from = self.expr(from)?;
        self.acts.push(Act::Receive { line, from, into });
        for op in later {
            self.op(op, ops)?;
        }
        Ok(())
    }

    fn meet(&mut self, id: Id, first: bool) {
        let name: Name = self.name_of(id).into();
        if first || !self.views.contains_key(&id) {
            self.views.insert(id, Expr::Agent(name.clone()));
            self.acts.push(Act::Meet(name));
        }
    }

    /// A name for what stands in a slot: that of the value, where the part reads it.
    fn slot(&mut self, slot: u16, id: Id, ops: &[Op]) -> Expr {
        let bound = ops.iter().any(|op| matches!(op, Op::Bind(Source::Slot(s), _) if *s == slot));
        let table = &self.protocol.table;
        let expr = match table.node(id) {
            Node::Name(n) if bound && self.protocol.role(n).is_some() => Expr::Agent(n.clone()),
            Node::Name(n) if bound => Expr::Var(n.to_string()),
            Node::Exp(xs) if bound && xs.len() == 1 => {
                Expr::Var(self.unused(&format!("g{}", table.show(xs[0]))))
            }
            Node::App(Func::Pk, of) if bound => Expr::Key(self.unused(&format!("pk{}", table.show(of[0])))),
            Node::Enc(..) => Expr::Var(self.unused(&format!("c{slot}"))),
            _ => Expr::Var(self.unused(&format!("v{slot}"))),
        };
        self.slots.insert(slot, expr.clone());
        expr
    }

    fn unused(&mut self, wanted: &str) -> String {
        let taken = |name: &String| self.protocol.role(name).is_some();
        let mut name = wanted.to_owned();
        while taken(&name) || !self.named.insert(name.clone()) {
            name.push('x');
        }
        name
    }

    fn source(&self, source: Source) -> Expr {
        match source {
            Source::Slot(slot) => self.slots[&slot].clone(),
            Source::Kept(id) => self.views[&id].clone(),
        }
    }

    fn op(&mut self, op: &Op, ops: &[Op]) -> Result<(), Unsayable> {
        let table = &*self.protocol.table;
        match op {
            Op::Sender(_) | Op::Split(_) => {}
            Op::Open(source, id, inner) => {
                let Node::Enc(_, key) = table.node(*id) else { return Ok(()) };
                let what = self.source(*source);
                let key = self.expr(*key)?;
                let into = inner.iter().map(|(s, id)| self.slot(*s, *id, ops)).collect();
                self.views.insert(*id, what.clone());
                self.acts.push(Act::Open { what, key, into });
            }
            Op::Verify(source, id) => {
                let Node::App(_, args) = table.node(*id) else { return Ok(()) };
                let what = self.source(*source);
                let public = verification_key(table, args[0]);
                let under = self.expr(public.unwrap_or(args[0]))?;
                let text = args[1..].iter().map(|a| self.expr(*a)).collect::<Result<_, _>>()?;
                self.views.insert(*id, what.clone());
                self.acts.push(Act::Verify { what, under, text });
            }
            Op::Equal(source, id) => {
                let what = self.source(*source);
                let to = match source {
                    Source::Kept(_) => self.made(*id)?,
                    Source::Slot(_) => self.expr(*id)?,
                };
                self.acts.push(Act::Equal { what, to });
            }
            Op::Bind(source, id) | Op::Keep(source, id) => {
                let what = self.source(*source);
                self.views.insert(*id, what);
            }
            Op::Certificate(source, id) => {
                let Node::App(_, args) = table.node(*id) else { return Ok(()) };
                let what = self.source(*source);
                let subject = args[0];
                let of = Expr::Agent(self.name_of(subject).into());
                if self.views.insert(subject, of.clone()).is_none() {
                    self.named.insert(self.name_of(subject));
                }
                let key = Expr::Key(self.unused(&format!("pk{}", table.show(subject))));
                if let Some(public) = table.find_node(&Node::App(Func::Pk, args.clone())) {
                    self.views.insert(public, key.clone());
                }
                self.views.insert(*id, what.clone());
                self.acts.push(Act::Trust { what, of, key });
            }
            Op::Invert(source, id, one) => self.invert(*source, *id, *one)?,
        }
        Ok(())
    }

    fn invert(&mut self, source: Source, id: Id, one: Id) -> Result<(), Unsayable> {
        let what = self.source(source);
        let Node::App(func, args) = self.protocol.table.node(id) else { return Ok(()) };
        self.views.insert(id, what.clone());
        if *func == Func::Xor {
            let rest = args.iter().filter(|a| **a != one).map(|a| self.expr(*a));
            let all = std::iter::once(Ok(what)).chain(rest).collect::<Result<Vec<_>, _>>()?;
            self.views.insert(one, Expr::App(Func::Xor, all));
            return Ok(());
        }
        let into = match self.protocol.table.node(one) {
            Node::Name(n) => Expr::Var(n.to_string()),
            _ => Expr::Var(self.unused(&format!("u{}", one.0))),
        };
        self.views.insert(one, into.clone());
        self.acts.push(Act::Unstep { what, func: *func, into });
        Ok(())
    }

    /// The term as the part has it: what it took, or what it makes.
    fn expr(&mut self, id: Id) -> Result<Expr, Unsayable> {
        match self.views.get(&id) {
            Some(view) => Ok(view.clone()),
            None => self.made(id),
        }
    }

    fn made(&mut self, id: Id) -> Result<Expr, Unsayable> {
        let table = &*self.protocol.table;
        let all = |reader: &mut Self, ids: &[Id]| {
            ids.iter().map(|i| reader.expr(*i)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match table.node(id) {
            Node::Name(n) if self.owns(id) => {
                if !self.used.contains(&id) {
                    self.used.push(id);
                }
                Expr::Var(n.to_string())
            }
            Node::Name(n) => match self.protocol.value(n) {
                Some(value) if value.origin == Origin::LongTerm => {
                    Expr::LongTerm(n.clone(), Box::new(Expr::Agent(value.role.clone())))
                }
                Some(_) => Expr::Var(n.to_string()),
                None => Expr::Agent(n.clone()),
            },
            Node::Text(t) => Expr::Text(t.clone()),
            Node::Exp(xs) => self.power(id, xs)?,
            Node::Enc(body, key) => Expr::Sealed(all(self, body)?, Box::new(self.expr(*key)?)),
            Node::App(Func::Cert, args) => {
                let public = table.find_node(&Node::App(Func::Pk, args.clone()));
                let of = self.expr(args[0])?;
                let key = match public {
                    Some(public) => self.expr(public)?,
                    None => Expr::App(Func::Pk, vec![of.clone()]),
                };
                Expr::Certificate(Box::new(of), Box::new(key))
            }
            Node::App(func, _) if matches!(func.definition().form, Form::Encapsulation(_)) => {
                return Err(Unsayable::new(table.show(id), NO_ENCAPSULATION));
            }
            Node::App(func, args) => Expr::App(*func, all(self, args)?),
        })
    }

    fn power(&mut self, id: Id, xs: &[Id]) -> Result<Expr, Unsayable> {
        for x in xs {
            let rest: Vec<Id> = xs.iter().copied().filter(|o| o != x).collect();
            let share =
                if rest.is_empty() { None } else { self.protocol.table.find_node(&Node::Exp(rest.clone())) };
            if self.has(*x) && (rest.is_empty() || share.is_some_and(|s| self.has(s))) {
                let base = share.map(|s| self.expr(s)).transpose()?.map(Box::new);
                return Ok(Expr::Power(base, Box::new(self.expr(*x)?)));
            }
        }
        // A share that `[knows]` grants is its owner's, as a public key is.
        match xs {
            [x] => Ok(Expr::Power(None, Box::new(self.made(*x)?))),
            _ => Err(Unsayable::new(self.protocol.table.show(id), "no exponent of it is the role's own")),
        }
    }

    fn has(&self, id: Id) -> bool {
        if self.views.contains_key(&id) || self.owns(id) {
            return true;
        }
        let protocol = self.protocol;
        let granted = |id: Id| {
            let term = |g: &crate::notation::Term| protocol.table.find(g) == Some(id);
            protocol.role(&self.program.role).is_some_and(|r| r.grants.iter().any(term))
        };
        match protocol.table.node(id) {
            Node::Name(n) => {
                let value = protocol.value(n);
                granted(id)
                    || value.is_some_and(|v| v.origin == Origin::LongTerm && v.role == self.program.role)
            }
            Node::Exp(xs) => {
                let made = |x: &Id| {
                    let rest: Vec<Id> = xs.iter().copied().filter(|o| o != x).collect();
                    let share = protocol.table.find_node(&Node::Exp(rest.clone()));
                    self.has(*x) && (rest.is_empty() || share.is_some_and(|s| self.has(s)))
                };
                granted(id) || xs.iter().any(made)
            }
            _ => false,
        }
    }
}
