//! Classic slips that can be seen in a protocol's lines, before anything is played. Each
//! names a story that shows why it matters. Prefers to miss a slip over a false alarm.
//! Must not know bytes, or which stories there are.

use std::collections::{BTreeMap, BTreeSet};

use super::goal::Claim;
use super::plan::Op;
use super::program::Action;
use super::protocol::{Origin, Protocol};
use super::table::{Id, Node, Table};
use super::term::Name;
use super::warning::{Slip, Warning};
use crate::algebra::Func;
use crate::wire::Kind;

/// Every warning of a protocol: what its projection found, and the slips in its lines.
pub fn warnings(protocol: &Protocol) -> Vec<Warning> {
    let view = View::of(protocol);
    let mut all = protocol.warnings.clone();
    all.extend(view.unconfirmed_shares());
    all.extend(view.unconfirmed_keys());
    all.extend(view.nameless_signatures());
    all.extend(view.reflected());
    all.extend(view.exchanged());
    all.sort_by_key(|w| (w.fault.key, w.slip));
    all
}

/// An encryption under a symmetric key, or a code, where it is first sent.
#[derive(Clone, Copy)]
struct Sealed<'p> {
    id: Id,
    key: Id,
    line: u32,
    maker: &'p Name,
    /// Whether the attacker gets such a part by asking: all that its maker waits for
    /// before is without keys.
    asked: bool,
    /// Whether its key is the same in every run.
    long_term: bool,
}

/// What an acceptor reads of somebody's.
#[derive(Clone, Copy)]
struct Accepted<'p> {
    part: Sealed<'p>,
    line: u32,
    by: &'p Name,
}

struct View<'p> {
    protocol: &'p Protocol,
    table: &'p Table,
    /// The parts of each line, from line 1.
    lines: Vec<Vec<Id>>,
    sealed: Vec<Sealed<'p>>,
    accepted: Vec<Accepted<'p>>,
    /// The first line in which a role meets a term.
    met: BTreeMap<(&'p Name, Id), u32>,
}

impl<'p> View<'p> {
    fn of(protocol: &'p Protocol) -> Self {
        let table = &*protocol.table;
        let lines: Vec<Vec<Id>> =
            protocol.lines.iter().map(|l| l.parts.iter().filter_map(|t| table.find(t)).collect()).collect();
        let mut sealed: Vec<Sealed<'p>> = Vec::new();
        let mut met = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (line, parts) in (1..).zip(&lines) {
            for id in all_parts(table, parts) {
                for role in [protocol.sender_of(line), protocol.receiver_of(line)] {
                    met.entry((role, id)).or_insert(line);
                }
                if let Some(key) = symmetric_key(table, id).filter(|_| seen.insert(id)) {
                    sealed.push(Sealed {
                        id,
                        key,
                        line,
                        maker: protocol.sender_of(line),
                        asked: false,
                        long_term: false,
                    });
                }
            }
        }
        let mut view = View { protocol, table, lines, sealed, accepted: Vec::new(), met };
        let secured: Vec<u32> =
            view.numbers().filter(|n| view.line_has(*n, &|id| view.is_secured(id))).collect();
        let long_term: Vec<bool> = view.sealed.iter().map(|s| view.is_long_term(s.key)).collect();
        for (part, long_term) in view.sealed.iter_mut().zip(long_term) {
            part.long_term = long_term;
            let waits = |n: &u32| *n < part.line && protocol.receiver_of(*n) == part.maker;
            part.asked = !secured.iter().any(waits);
        }
        view.accepted = view.all_accepted();
        view
    }

    /// What each client opens or recomputes, when it begins at its first line.
    fn all_accepted(&self) -> Vec<Accepted<'p>> {
        let mut all = Vec::new();
        for role in self.protocol.client_roles() {
            let Some(program) = self.protocol.programs.get(&role.name).and_then(|p| p.first()) else {
                continue;
            };
            for step in &program.steps {
                let Action::Receive { ops, .. } = &step.action else { continue };
                for op in ops {
                    let (Op::Open(_, id, _) | Op::Equal(_, id)) = op else { continue };
                    let made = self.sealed.iter().find(|s| s.id == *id && s.maker != &role.name);
                    all.extend(made.map(|part| Accepted { part: *part, line: step.line, by: &role.name }));
                }
            }
        }
        all
    }

    /// A role that takes a key from shares, and in the whole run gets nothing that is
    /// under a key from shares, and nothing secured that holds its own share.
    fn unconfirmed_shares(&self) -> Vec<Warning> {
        let shared = |id: Id| matches!(self.table.node(id), Node::Exp(xs) if xs.len() > 1);
        let used = self.sealed.iter().find(|s| self.within(s.key, &|id| shared(id)));
        let Some(used) = used else { return Vec::new() };
        let mut all = Vec::new();
        for role in self.protocol.client_roles() {
            let share = |id: Id| match self.table.node(id) {
                Node::Exp(xs) => xs.len() == 1 && self.is_own_fresh(xs[0], &role.name),
                _ => false,
            };
            let sends = |n: u32| self.protocol.sender_of(n) == &role.name;
            let takes_part = self.numbers().any(|n| sends(n) && self.line_has(n, &share));
            let confirms = |id: Id| match self.table.node(id) {
                Node::Enc(_, key) => self.within(*key, &shared) || self.within(id, &share),
                Node::App(Func::Mac | Func::Sign | Func::Hash | Func::Short, _) => {
                    self.within(id, &share) || self.within(id, &shared)
                }
                _ => false,
            };
            let confirmed = self.received(&role.name).any(|n| self.line_has(n, &confirms));
            let foreign =
                |id: Id| matches!(self.table.node(id), Node::Exp(xs) if xs.len() == 1) && !share(id);
            let at = self.received(&role.name).find(|n| self.line_has(*n, &foreign));
            if let Some(line) = at.filter(|_| takes_part && !confirmed) {
                let key = self.table.show(used.key);
                let message =
                    format!("line {line}: {} never sees that its peer has the key {key}", role.name);
                all.push(self.warn(Slip::Unconfirmed, line, message));
            }
        }
        all
    }

    /// A role that is sent a key with nothing that says that it is new, and to which
    /// nothing comes under it.
    fn unconfirmed_keys(&self) -> Vec<Warning> {
        let mut all = Vec::new();
        for value in &self.protocol.values {
            let Some(key) = self.table.find_name(&value.name) else { continue };
            if value.origin != Origin::Fresh || value.of.kind() != Kind::Key {
                continue;
            }
            for role in self.protocol.client_roles().filter(|r| r.name != value.role) {
                let carries = |a: &&Accepted<'_>| {
                    a.by == &role.name
                        && matches!(self.table.node(a.part.id), Node::Enc(body, _) if body.contains(&key))
                };
                let Some(carrier) = self.accepted.iter().find(carries) else { continue };
                let holds = |id: Id| self.within(id, &|i| i == key);
                let dated = |id: Id| match self.table.node(id) {
                    Node::Name(n) => {
                        let value = self.protocol.value(n);
                        self.is_own_fresh(id, &role.name)
                            || value.is_some_and(|v| matches!(v.of.kind(), Kind::Time | Kind::Expiry))
                    }
                    _ => false,
                };
                // Something secured with the key and what is new, or under the key.
                let proof = |id: Id| match self.table.node(id) {
                    Node::Enc(body, k) => {
                        holds(*k) || (body.iter().any(|b| holds(*b)) && self.within(id, &dated))
                    }
                    Node::App(Func::Mac | Func::Sign | Func::Hash | Func::Short, _) => holds(id),
                    _ => false,
                };
                let new = self.received(&role.name).any(|n| self.line_has(n, &proof));
                if !new {
                    let message = format!(
                        "line {}: {} cannot tell that the key {} is new, and gets nothing under it",
                        carrier.line, role.name, value.name
                    );
                    let story = Some("andrew-rpc-stale-key");
                    all.push(Warning { story, ..self.warn(Slip::Unconfirmed, carrier.line, message) });
                }
            }
        }
        all
    }

    /// Signatures that authenticate somebody and in which nobody but the signer is named.
    fn nameless_signatures(&self) -> Vec<Warning> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (number, parts) in (1..).zip(&self.lines) {
            let everything = all_parts(self.table, parts);
            for &id in &everything {
                let Some(signer) = self.signer(id).filter(|_| seen.insert(id)) else { continue };
                let promised = self
                    .protocol
                    .goals
                    .iter()
                    .any(|g| matches!(&g.claim, Claim::Agreement { with, .. } if *with == signer));
                let bound = everything.iter().any(|other| match self.table.node(*other) {
                    // A signature around it, or beside it over the same, that does say it.
                    Node::App(Func::Sign, _) if self.signer(*other).as_ref() == Some(&signer) => {
                        self.within(*other, &|i| i == id) && self.names_another(*other, &signer)
                    }
                    Node::Enc(body, key) => {
                        self.within(*key, &|i| self.is_pairwise(i))
                            && body.iter().any(|b| self.within(*b, &|i| i == id))
                    }
                    // SIGMA: a code under the new key that names the signer.
                    Node::App(Func::Mac, args) => args[1..].iter().any(|a| self.says(*a, &signer)),
                    _ => false,
                });
                if promised && !bound {
                    let message =
                        format!("line {number}: {} does not say for whom it is", self.table.show(id));
                    let encrypted = matches!(self.line_key(number, id), Some(Node::App(Func::Pk, _)));
                    let story = encrypted.then_some("denning-sacco-pk");
                    all.push(Warning { story, ..self.warn(Slip::Nameless, number, message) });
                }
            }
        }
        all
    }

    /// Parts of the peer's in whose place a role's own would pass.
    fn reflected(&self) -> Vec<Warning> {
        let mut all = Vec::new();
        for a in &self.accepted {
            let own = |s: &&Sealed<'p>| s.maker == a.by && s.key == a.part.key && s.line != a.part.line;
            let passes = |s: &&Sealed<'p>| {
                let parallel = s.long_term && s.asked;
                let same_run = s.line < a.line;
                (parallel && self.passes(a, s, false)) || (same_run && self.passes(a, s, true))
            };
            if let Some(own) = self.sealed.iter().filter(own).find(passes) {
                let [made, due] = [own.id, a.part.id].map(|id| self.table.show(id));
                let message = format!(
                    "line {}: {}'s own {made} of line {} passes for {}'s {due}",
                    a.line, a.by, own.line, a.part.maker
                );
                all.push(self.warn(Slip::Reflected, a.line, message));
            }
        }
        all
    }

    /// Parts in whose place one of another line would pass: from the same peer, or, under
    /// the key that it shares with a service, its own from when it played the peer's role.
    fn exchanged(&self) -> Vec<Warning> {
        let mut all = Vec::new();
        for a in &self.accepted {
            let other = |s: &&Sealed<'p>| {
                if s.line == a.part.line
                    || s.maker == a.by
                    || self.protocol.role(s.maker).is_none_or(|r| r.service.is_some())
                {
                    return false;
                }
                if s.key == a.part.key {
                    let parallel = s.long_term && s.asked;
                    let earlier = s.maker == a.part.maker && s.line < a.line;
                    return earlier && self.passes(a, s, !parallel);
                }
                s.asked && self.same_service_key(a, s) && self.passes(a, s, false)
            };
            if let Some(other) = self.sealed.iter().find(other) {
                let [made, due] = [other.id, a.part.id].map(|id| self.table.show(id));
                let who = if other.key == a.part.key {
                    String::new()
                } else {
                    format!(", from a run in which {} plays {}", a.by, other.maker)
                };
                let message = format!("line {}: {made} of line {} passes for {due}{who}", a.line, other.line);
                let story =
                    (other.key != a.part.key && self.has_own_fresh(a)).then_some("woo-lam-pi-parallel");
                all.push(Warning { story, ..self.warn(Slip::Exchanged, a.line, message) });
            }
        }
        all
    }

    /// Whether the acceptor would take `made` for what it accepts. In the `same_run`, what
    /// its maker repeats must have come after the acceptor's own values were out.
    fn passes(&self, a: &Accepted<'p>, made: &Sealed<'p>, same_run: bool) -> bool {
        if !self.have_one_shape(a.part.id, made.id) {
            return false;
        }
        let mut renaming = Renaming(vec![(made.maker.clone(), self.player(a, made).clone())]);
        let (due, found) = (self.table.node(a.part.id), self.table.node(made.id));
        let alike = match (due, found) {
            (Node::Enc(p, _), Node::Enc(q, _)) => self.all_fit(a, made, same_run, p, q, &mut renaming),
            (Node::App(Func::Mac, p), Node::App(Func::Mac, q)) => {
                self.all_fit(a, made, same_run, &p[1..], &q[1..], &mut renaming)
            }
            _ => false,
        };
        alike && (self.has_own_fresh(a) || !self.is_challenged(a))
    }

    /// Whether two sealed parts have as many fields, and the same constants: a quick look
    /// before the thorough one.
    fn have_one_shape(&self, due: Id, found: Id) -> bool {
        let (p, q) = match (self.table.node(due), self.table.node(found)) {
            (Node::Enc(p, _), Node::Enc(q, _)) => (p, q),
            (Node::App(Func::Mac, p), Node::App(Func::Mac, q)) => (p, q),
            _ => return false,
        };
        let constant = |id: &Id| matches!(self.table.node(*id), Node::Text(_));
        p.len() == q.len() && p.iter().zip(q).all(|(p, q)| p == q || !(constant(p) || constant(q)))
    }

    /// Who, in the acceptor's names, made the part.
    fn player<'a>(&self, a: &Accepted<'a>, made: &Sealed<'a>) -> &'a Name {
        if made.key == a.part.key { made.maker } else { a.by }
    }

    fn all_fit(
        &self,
        a: &Accepted<'p>,
        made: &Sealed<'p>,
        same_run: bool,
        p: &[Id],
        q: &[Id],
        r: &mut Renaming,
    ) -> bool {
        p.len() == q.len() && p.iter().zip(q).all(|(p, q)| self.fits(a, made, same_run, *p, *q, r))
    }

    fn fits(
        &self,
        a: &Accepted<'p>,
        made: &Sealed<'p>,
        same_run: bool,
        p: Id,
        q: Id,
        r: &mut Renaming,
    ) -> bool {
        let unseen = |id: Id| self.met.get(&(a.by, id)).is_none_or(|line| *line >= a.line);
        match (self.table.node(p), self.table.node(q)) {
            (Node::Name(x), Node::Name(y)) if self.is_role(x) || self.is_role(y) => {
                let swapped = made.key != a.part.key;
                self.is_role(x) && self.is_role(y) && if swapped { r.maps(y, x) } else { x == y }
            }
            (Node::Name(x), Node::Name(y)) => {
                let Some(value) = self.protocol.value(x) else { return false };
                if self.table.kind(p) != self.table.kind(q) {
                    return false;
                }
                if value.role != *a.by {
                    return unseen(p);
                }
                let after = if same_run { self.first_sent(a.by, p) } else { Some(0) };
                value.origin == Origin::Fresh && after.is_some_and(|s| self.comes_in_clear(made, y, s))
            }
            (Node::Name(x), Node::App(Func::Succ | Func::Pred, _)) => {
                let foreign = self.protocol.value(x).is_some_and(|v| v.role != *a.by);
                foreign && unseen(p) && self.table.kind(p) == self.table.kind(q)
            }
            (Node::Text(x), Node::Text(y)) => x == y,
            (Node::Exp(x), Node::Exp(y)) => {
                x.len() == 1 && y.len() == 1 && !self.is_own_fresh(x[0], a.by) && unseen(p)
            }
            (Node::Enc(x, k), Node::Enc(y, l)) => {
                self.all_fit(a, made, same_run, x, y, r) && self.fits(a, made, same_run, *k, *l, r)
            }
            (Node::App(f, x), Node::App(g, y)) => f == g && self.all_fit(a, made, same_run, x, y, r),
            _ => false,
        }
    }

    /// Whether both are under the key of a client and the same service.
    fn same_service_key(&self, a: &Accepted<'p>, made: &Sealed<'p>) -> bool {
        let (Node::App(Func::K, p), Node::App(Func::K, q)) =
            (self.table.node(a.part.key), self.table.node(made.key))
        else {
            return false;
        };
        let service = |id: &Id| matches!(self.table.node(*id), Node::Name(n) if self.protocol.role(n).is_some_and(|r| r.service.is_some()));
        let is = |id: &Id, name: &Name| matches!(self.table.node(*id), Node::Name(n) if n == name);
        let shared = p.iter().find(|i| service(i) && q.contains(i));
        shared.is_some() && p.iter().any(|i| is(i, a.by)) && q.iter().any(|i| is(i, made.maker))
    }

    /// Whether the maker of the part got `value` in the clear, after line `after`.
    fn comes_in_clear(&self, made: &Sealed<'p>, value: &str, after: u32) -> bool {
        self.received(made.maker).filter(|n| (after + 1..made.line).contains(n)).any(|n| {
            self.lines[n as usize - 1]
                .iter()
                .any(|id| matches!(self.table.node(*id), Node::Name(v) if &**v == value))
        })
    }

    /// Whether the acceptor asks for its own values in what it accepts.
    fn has_own_fresh(&self, a: &Accepted<'p>) -> bool {
        self.within(a.part.id, &|id| self.is_own_fresh(id, a.by))
    }

    /// Whether a value of the acceptor's own must come back with or after this part.
    fn is_challenged(&self, a: &Accepted<'p>) -> bool {
        let own = |id: Id| self.is_own_fresh(id, a.by);
        self.received(a.by)
            .filter(|n| *n >= a.line)
            .any(|n| self.line_has(n, &|id| self.is_secured(id) && self.within(id, &own)))
    }

    /// Whether a key is the same in every run.
    fn is_long_term(&self, key: Id) -> bool {
        !self.within(key, &|id| match self.table.node(id) {
            Node::Name(n) => self.protocol.value(n).is_some_and(|v| v.origin != Origin::LongTerm),
            _ => false,
        })
    }

    fn is_secured(&self, id: Id) -> bool {
        matches!(self.table.node(id), Node::Enc(..) | Node::App(Func::Mac | Func::Sign, _))
    }

    fn is_pairwise(&self, id: Id) -> bool {
        matches!(self.table.node(id), Node::App(Func::K | Func::Pw, _))
    }

    fn is_role(&self, name: &str) -> bool {
        self.protocol.role(name).is_some()
    }

    fn is_own_fresh(&self, id: Id, role: &Name) -> bool {
        match self.table.node(id) {
            Node::Name(n) => {
                self.protocol.value(n).is_some_and(|v| v.role == *role && v.origin == Origin::Fresh)
            }
            _ => false,
        }
    }

    fn signer(&self, id: Id) -> Option<Name> {
        let Node::App(Func::Sign, args) = self.table.node(id) else { return None };
        let Node::App(Func::Sk, owner) = self.table.node(args[0]) else { return None };
        match self.table.node(owner[0]) {
            Node::Name(n) if self.is_role(n) => Some(n.clone()),
            _ => None,
        }
    }

    /// Whether what is signed names a role other than the signer, or holds a key of two.
    fn names_another(&self, signature: Id, signer: &Name) -> bool {
        let Node::App(_, args) = self.table.node(signature) else { return false };
        args[1..].iter().any(|a| {
            self.within(*a, &|id| match self.table.node(id) {
                Node::Name(n) => n != signer && self.is_role(n),
                _ => self.is_pairwise(id),
            })
        })
    }

    /// Whether a term says a role's name itself, or in its certificate.
    fn says(&self, id: Id, role: &Name) -> bool {
        match self.table.node(id) {
            Node::Name(n) => n == role,
            Node::App(Func::Cert, of) => self.says(of[0], role),
            Node::App(Func::Hash | Func::Short, args) => args.iter().any(|a| self.says(*a, role)),
            _ => false,
        }
    }

    /// The key of the encryption in which a part of a line stands.
    fn line_key(&self, number: u32, id: Id) -> Option<&Node> {
        all_parts(self.table, &self.lines[number as usize - 1]).into_iter().find_map(|other| {
            match self.table.node(other) {
                Node::Enc(body, key) if body.contains(&id) => Some(self.table.node(*key)),
                _ => None,
            }
        })
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        1..=self.lines.len() as u32
    }

    fn received<'a>(&'a self, role: &'a Name) -> impl Iterator<Item = u32> + 'a {
        self.numbers().filter(move |n| self.protocol.receiver_of(*n) == role)
    }

    fn first_sent(&self, role: &Name, value: Id) -> Option<u32> {
        self.numbers().find(|n| self.protocol.sender_of(*n) == role && self.line_has(*n, &|id| id == value))
    }

    fn line_has(&self, number: u32, test: &dyn Fn(Id) -> bool) -> bool {
        self.lines[number as usize - 1].iter().any(|id| self.within(*id, test))
    }

    /// Whether the term or a part of it passes the test.
    fn within(&self, id: Id, test: &dyn Fn(Id) -> bool) -> bool {
        test(id) || self.table.parts(id).into_iter().any(|p| self.within(p, test))
    }

    fn warn(&self, slip: Slip, line: u32, message: String) -> Warning {
        Warning { slip, fault: self.protocol.lines[line as usize - 1].fault(message), story: None }
    }
}

/// Roles of the run in which a part was made, and who they are to its acceptor.
struct Renaming(Vec<(Name, Name)>);

impl Renaming {
    /// Whether `made` may be the acceptor's `due`, and no one else.
    fn maps(&mut self, made: &Name, due: &Name) -> bool {
        match self.0.iter().find(|(m, d)| m == made || d == due) {
            Some((m, d)) => m == made && d == due,
            None => {
                self.0.push((made.clone(), due.clone()));
                true
            }
        }
    }
}

fn symmetric_key(table: &Table, id: Id) -> Option<Id> {
    match table.node(id) {
        Node::Enc(_, key) if !matches!(table.node(*key), Node::App(Func::Pk, _)) => Some(*key),
        Node::App(Func::Mac, args) => Some(args[0]),
        _ => None,
    }
}

/// The terms and all their parts, outermost first, each once.
fn all_parts(table: &Table, of: &[Id]) -> Vec<Id> {
    let mut open: Vec<Id> = of.iter().rev().copied().collect();
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            all.push(id);
            open.extend(table.parts(id).into_iter().rev());
        }
    }
    all
}
