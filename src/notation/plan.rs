//! Plans what to do with a message, from what is known: open, check, bind, keep.
//! One planner serves roles (when a file is loaded) and the attacker (as messages come),
//! so that what is checked before a play and what happens in it cannot drift apart.
//! Must not know bytes.

use std::collections::BTreeSet;

use super::table::{Id, Node, Table};
use crate::algebra::{Encapsulation, Form, Func};
use crate::wire::Kind;

/// Where an operation finds its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A part of the message or of an opened ciphertext.
    Slot(u16),
    /// A part of an earlier message, kept under its term.
    Kept(Id),
}

/// One operation on a received message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Take the claimed sender for this role's name.
    Sender(Id),
    /// Split the message into its parts.
    Split(Vec<(u16, Id)>),
    /// Open a ciphertext and split what is inside.
    Open(Source, Id, Vec<(u16, Id)>),
    /// Check a signature.
    Verify(Source, Id),
    /// Compute the term; it must equal what arrived.
    Equal(Source, Id),
    /// Take what arrived for the term's value.
    Bind(Source, Id),
    /// Keep what arrived, unread.
    Keep(Source, Id),
    /// Check a certificate; its subject is the given agent, or becomes it.
    Certificate(Source, Id),
    /// Undo `succ`, `pred` or `xor` to find the value of the second term.
    Invert(Source, Id, Id),
}

/// What someone may use without having received it.
#[derive(Clone, Default, Debug)]
pub struct Rights {
    /// The names under which one has keys of one's own.
    pub own: BTreeSet<Id>,
    /// Whether everyone's public key is in a directory that all trust.
    pub directory: bool,
    /// Whether certificates can be had for the asking, as documents that are public.
    pub certificates: bool,
    /// Whether one is registered: shares long-term keys, has a certificate.
    pub registered: bool,
    /// Terms that one was given beyond that.
    pub granted: BTreeSet<Id>,
}

/// What a term is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// To be sent.
    Send,
    /// To be compared with what arrives, or to open or check it.
    Compare,
}

/// What someone knows, as terms, and what one still hopes to check.
#[derive(Clone, Debug)]
pub struct Planner<'t> {
    /// The terms.
    pub table: &'t Table,
    /// What needs no receiving.
    pub rights: Rights,
    held: BTreeSet<Id>,
    unchecked: Vec<Id>,
    slots: u16,
}

impl<'t> Planner<'t> {
    /// Someone who has only these rights.
    pub fn new(table: &'t Table, rights: Rights) -> Self {
        Planner { table, rights, held: BTreeSet::new(), unchecked: Vec::new(), slots: 0 }
    }

    /// Someone who holds these terms and keeps those unchecked.
    pub fn resume(table: &'t Table, rights: Rights, held: BTreeSet<Id>, unchecked: Vec<Id>) -> Self {
        Planner { table, rights, held, unchecked, slots: 0 }
    }

    /// Has it hold a term.
    pub fn hold(&mut self, id: Id) {
        self.held.insert(id);
    }

    /// Whether it holds this very term.
    pub fn holds(&self, id: Id) -> bool {
        self.held.contains(&id)
    }

    /// What was kept and not yet checked.
    pub fn unchecked(&self) -> &[Id] {
        &self.unchecked
    }

    /// The number of slots that the plans so far need.
    pub fn slots(&self) -> usize {
        usize::from(self.slots)
    }

    /// Whether the term can be sent: held, or made from what is.
    pub fn can_build(&self, id: Id) -> bool {
        self.holds(id) || self.can_make(id, Purpose::Send)
    }

    /// Whether the term's bytes can be told before they arrive: held, or computed from what
    /// is. A ciphertext or a signature that is not held is another each time it is made.
    pub fn can_compute(&self, id: Id) -> bool {
        self.holds(id) || self.can_make(id, Purpose::Compare)
    }

    /// Whether the term can be made without holding it whole.
    fn can_make(&self, id: Id, purpose: Purpose) -> bool {
        let rights = &self.rights;
        let can = |id: Id| self.holds(id) || self.can_make(id, purpose);
        if rights.granted.contains(&id) {
            // A key of somebody's can be used once one knows who that is.
            return match self.table.node(id) {
                Node::App(_, owners) => owners.iter().all(|o| self.holds(*o)),
                _ => true,
            };
        }
        match self.table.node(id) {
            Node::Name(_) => false,
            Node::Text(_) => true,
            Node::Exp(xs) => xs.iter().any(|x| can(*x) && other_share(self.table, xs, *x).is_none_or(can)),
            Node::Enc(body, key) => purpose == Purpose::Send && can(*key) && body.iter().all(|b| can(*b)),
            Node::App(Func::K | Func::Pw, args) => {
                rights.registered
                    && args.iter().all(|a| self.holds(*a))
                    && args.iter().any(|a| rights.own.contains(a))
            }
            Node::App(Func::Sk, args) => rights.own.contains(&args[0]) || self.is_held_keypair(args[0]),
            Node::App(Func::Pk, args) => {
                rights.own.contains(&args[0])
                    || self.is_held_keypair(args[0])
                    || (rights.directory && self.holds(args[0]) && self.is_agent(args[0]))
            }
            Node::App(Func::Cert, args) => {
                (rights.registered && rights.own.contains(&args[0]))
                    || (rights.certificates && self.holds(args[0]))
            }
            Node::App(func, args) => match func.definition().form {
                Form::Signature if purpose == Purpose::Compare => false,
                Form::Signature | Form::OneWay(_) | Form::Step { .. } | Form::Sum => {
                    args.iter().all(|a| can(*a))
                }
                Form::Encapsulation(what) => self.can_encapsulate(what, args),
                Form::OfAgents | Form::Cipher(_) | Form::Power => false,
            },
        }
    }

    /// Whether what a KEM makes of a decapsulation key and random bytes can be made: of its public
    /// half and the random bytes, and the secret also of the key itself and the ciphertext.
    fn can_encapsulate(&self, what: Encapsulation, args: &[Id]) -> bool {
        // A long-term key of one's own is granted, and so may be the public half of another's.
        let has = |id: Id| self.holds(id) || self.rights.granted.contains(&id);
        let has_key = || has(args[0]) || table_find(self.table, Func::Ek, &args[..1]).is_some_and(has);
        match what {
            Encapsulation::Key => has_key(),
            Encapsulation::Ciphertext => has(args[1]) && has_key(),
            Encapsulation::Secret => {
                let ciphertext = table_find(self.table, Func::Encap, args);
                has(args[1]) && has_key() || has(args[0]) && ciphertext.is_some_and(|id| self.holds(id))
            }
            Encapsulation::Opened => false,
        }
    }

    fn is_agent(&self, id: Id) -> bool {
        self.table.kind(id) == Some(Kind::Name)
    }

    fn is_held_keypair(&self, id: Id) -> bool {
        self.holds(id) && self.table.kind(id) == Some(Kind::Private)
    }

    /// The smallest terms that are missing to build `id`.
    pub fn missing(&self, id: Id) -> Vec<Id> {
        if self.can_build(id) {
            return Vec::new();
        }
        let parts = match self.table.node(id) {
            Node::Enc(..) => self.table.parts(id),
            Node::App(func, _) if !func.is_of_agents() && !is_of_a_kem(*func) => self.table.parts(id),
            Node::App(..) | Node::Name(_) | Node::Text(_) | Node::Exp(_) => return vec![id],
        };
        let mut all = Vec::new();
        for part in parts.into_iter().flat_map(|p| self.missing(p)) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        all
    }

    /// Records that a term was sent. Ciphertexts and signatures that were made for it can be
    /// recognised later; what stands in one that was only passed on was never seen.
    pub fn sent(&mut self, id: Id) {
        if self.holds(id) {
            return;
        }
        if self.is_made_anew(id) {
            self.hold(id);
        }
        for part in self.table.parts(id) {
            self.sent(part);
        }
    }

    /// Whether a term is another each time it is made.
    fn is_made_anew(&self, id: Id) -> bool {
        match self.table.node(id) {
            Node::Enc(..) => true,
            Node::App(func, _) => matches!(func.definition().form, Form::Signature | Form::Cipher(_)),
            Node::Name(_) | Node::Text(_) | Node::Exp(_) => false,
        }
    }

    /// Plans the reading of a message of these parts. What cannot be read is kept.
    pub fn receive(&mut self, parts: &[Id]) -> Vec<Op> {
        let split = self.slots_for(parts);
        let open = split.iter().map(|(s, id)| (Source::Slot(*s), *id)).collect();
        let mut ops = vec![Op::Split(split)];
        self.work_off(open, &mut ops);
        ops
    }

    /// Plans the checks that became possible for what was kept.
    pub fn recheck(&mut self) -> Vec<Op> {
        let mut ops = Vec::new();
        self.work_off(Vec::new(), &mut ops);
        ops
    }

    /// Reads what is open as far as it can be read and keeps the rest, which may be just what
    /// a code or a signature beside it takes to be checked.
    fn work_off(&mut self, mut open: Vec<(Source, Id)>, ops: &mut Vec<Op>) {
        loop {
            self.settle(&mut open, ops);
            if open.is_empty() {
                return;
            }
            for (source, id) in open.drain(..) {
                if !self.held.insert(id) {
                    ops.push(Op::Equal(source, id));
                    continue;
                }
                ops.push(Op::Keep(source, id));
                if !matches!(self.table.node(id), Node::Name(_)) {
                    self.unchecked.push(id);
                }
            }
        }
    }

    fn slots_for(&mut self, parts: &[Id]) -> Vec<(u16, Id)> {
        let first = self.slots;
        self.slots = self.slots.saturating_add(u16::try_from(parts.len()).unwrap_or(u16::MAX));
        (first..self.slots).zip(parts.iter().copied()).collect()
    }

    /// Works on what is open, left to right, until nothing more can be done.
    fn settle(&mut self, open: &mut Vec<(Source, Id)>, ops: &mut Vec<Op>) {
        loop {
            let before = ops.len();
            let waiting = std::mem::take(open);
            for (source, id) in waiting {
                self.attempt(source, id, ops, open);
            }
            for id in std::mem::take(&mut self.unchecked) {
                let mut rest = Vec::new();
                self.attempt(Source::Kept(id), id, ops, &mut rest);
                match rest.as_slice() {
                    [(Source::Kept(same), _)] if *same == id => self.unchecked.push(id),
                    _ => open.extend(rest),
                }
            }
            if ops.len() == before {
                return;
            }
        }
    }

    /// Reads one part as far as it can be read now; what must wait goes to `open`.
    fn attempt(&mut self, source: Source, id: Id, ops: &mut Vec<Op>, open: &mut Vec<(Source, Id)>) {
        let table = self.table;
        let known_whole = matches!(source, Source::Slot(_)) && self.holds(id);
        match table.node(id) {
            Node::Enc(body, key) if self.can_decrypt(*key) => {
                let inner = self.slots_for(body);
                ops.push(Op::Open(source, id, inner.clone()));
                self.hold(id);
                for (slot, part) in inner {
                    self.attempt(Source::Slot(slot), part, ops, open);
                }
                return;
            }
            Node::App(func, args) => match func.definition().form {
                Form::Signature if self.can_verify(args) => {
                    ops.push(Op::Verify(source, id));
                    self.hold(id);
                    return;
                }
                Form::OfAgents if *func == Func::Cert => {
                    if !known_whole && !self.rights.own.contains(&args[0]) {
                        return self.take_certificate(source, id, args, ops);
                    }
                }
                Form::Signature
                | Form::OfAgents
                | Form::OneWay(_)
                | Form::Cipher(_)
                | Form::Step { .. }
                | Form::Sum
                | Form::Power
                | Form::Encapsulation(_) => {}
            },
            Node::Enc(..) | Node::Name(_) | Node::Text(_) | Node::Exp(_) => {}
        }
        if known_whole || self.can_make(id, Purpose::Compare) {
            ops.push(Op::Equal(source, id));
            self.hold(id);
            return;
        }
        match table.node(id) {
            Node::Name(_) | Node::Exp(_) => self.bind(source, id, ops),
            Node::Text(_) | Node::Enc(..) => open.push((source, id)),
            Node::App(func, args) => match func.definition().form {
                Form::OfAgents if *func != Func::Cert => self.bind(source, id, ops),
                Form::Encapsulation(Encapsulation::Key | Encapsulation::Ciphertext) => {
                    self.bind(source, id, ops);
                }
                Form::Step { .. } | Form::Sum => self.invert(source, id, args, ops, open),
                Form::OfAgents
                | Form::OneWay(_)
                | Form::Signature
                | Form::Cipher(_)
                | Form::Power
                | Form::Encapsulation(_) => open.push((source, id)),
            },
        }
    }

    fn bind(&mut self, source: Source, id: Id, ops: &mut Vec<Op>) {
        ops.push(Op::Bind(source, id));
        self.hold(id);
    }

    fn take_certificate(&mut self, source: Source, id: Id, subject: &[Id], ops: &mut Vec<Op>) {
        ops.push(Op::Certificate(source, id));
        self.hold(id);
        self.hold(subject[0]);
        if let Some(pk) = table_find(self.table, Func::Pk, subject) {
            self.hold(pk);
        }
    }

    /// Finds the one argument that is missing, unless it stands in another, too.
    fn invert(
        &mut self,
        source: Source,
        id: Id,
        args: &[Id],
        ops: &mut Vec<Op>,
        open: &mut Vec<(Source, Id)>,
    ) {
        let unknown: Vec<Id> = args.iter().copied().filter(|a| !self.can_compute(*a)).collect();
        match unknown.as_slice() {
            [one] if !args.iter().any(|p| p != one && self.table.is_part(*one, *p)) => {
                ops.push(Op::Invert(source, id, *one));
                self.hold(id);
                self.hold(*one);
                if !matches!(self.table.node(*one), Node::Name(_)) {
                    self.unchecked.push(*one);
                }
            }
            _ => open.push((source, id)),
        }
    }

    fn can_decrypt(&self, key: Id) -> bool {
        match self.table.node(key) {
            Node::App(Func::Pk, _) => decryption_key(self.table, key).is_some_and(|sk| self.can_compute(sk)),
            _ => self.can_compute(key),
        }
    }

    fn can_verify(&self, args: &[Id]) -> bool {
        verification_key(self.table, args[0]).is_some_and(|pk| self.can_compute(pk))
            && args[1..].iter().all(|a| self.can_compute(*a))
    }
}

/// The public key under which a signature by `private` verifies.
pub fn verification_key(table: &Table, private: Id) -> Option<Id> {
    match table.node(private) {
        Node::App(Func::Sk, args) => table_find(table, Func::Pk, args),
        _ => None,
    }
}

/// The private key that opens what `public` encrypts.
pub fn decryption_key(table: &Table, public: Id) -> Option<Id> {
    match table.node(public) {
        Node::App(Func::Pk, args) => table_find(table, Func::Sk, args),
        _ => None,
    }
}

/// Whether it is a key, a ciphertext or a secret of a KEM.
fn is_of_a_kem(func: Func) -> bool {
    matches!(func.definition().form, Form::Encapsulation(_))
}

fn table_find(table: &Table, func: Func, args: &[Id]) -> Option<Id> {
    table.find_node(&Node::App(func, args.to_vec()))
}

/// The share to which `exponent` is applied to make the product `of`; none for `g` itself.
pub fn other_share(table: &Table, of: &[Id], exponent: Id) -> Option<Id> {
    let mut rest = of.to_vec();
    let at = rest.iter().position(|x| *x == exponent)?;
    rest.remove(at);
    if rest.is_empty() { None } else { table.find_node(&Node::Exp(rest)) }
}
