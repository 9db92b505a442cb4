//! How the values and terms of an attack are written in a narration. Must not know lines.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{Bundle, StepId};
use super::intruder::Intruder;
use super::names::Run;
use super::sort::{HER, Sort};
use super::term::{Args, Head, Term};
use crate::algebra::Form;
use crate::notation::{Func, Id, Kind, Name, Node, Protocol, Type};

/// The parts of an attack in runs.
pub struct Grouping<'a> {
    /// The runs.
    pub runs: &'a [Run],
    /// The run of each part, from 0.
    pub of: &'a [usize],
    /// The runs that the world has of its own, from run 1 on, with who plays which client's role;
    /// none of a run in which an attack does not take part.
    pub scheduled: &'a [Option<BTreeMap<Name, Name>>],
    /// The passwords that honest parties have in the world.
    pub passwords: &'a BTreeMap<Name, String>,
    /// Whether the attacker of the world has a dictionary.
    pub has_dictionary: bool,
}

/// An attack and the names by which its narration knows what is in it.
pub struct Writer<'a, 'i> {
    /// The protocol.
    pub protocol: &'a Protocol,
    /// The terms.
    pub at: &'a mut Intruder<'i>,
    /// The attack.
    pub bundle: &'a Bundle,
    /// The run of each part, from 0.
    pub of: &'a [usize],
    /// The numbers of the runs.
    pub numbers: Vec<usize>,
    /// Who plays which client's role in each run.
    pub casts: Vec<BTreeMap<Name, String>>,
    /// What values go by.
    pub named: BTreeMap<Head, String>,
    /// What of her own making is no nonce, with its type.
    pub fresh: Vec<String>,
    /// The first ciphertext of each text and key.
    first: BTreeMap<Term, Term>,
    /// The names of the others that parties made: under the same key the same text is other bytes.
    again: BTreeMap<Term, String>,
}

impl<'a, 'i> Writer<'a, 'i> {
    /// A writer of an attack; none if a value or a party in it has no name.
    pub fn new(
        protocol: &'a Protocol,
        at: &'a mut Intruder<'i>,
        bundle: &'a Bundle,
        grouping: &Grouping<'a>,
    ) -> Option<Writer<'a, 'i>> {
        let mut writer = Writer {
            protocol,
            at,
            bundle,
            of: grouping.of,
            numbers: Vec::new(),
            casts: Vec::new(),
            named: BTreeMap::new(),
            fresh: Vec::new(),
            first: BTreeMap::new(),
            again: BTreeMap::new(),
        };
        writer.number_runs(grouping)?;
        writer.name_values()?;
        Some(writer)
    }

    /// The name that a value goes by in the narration: its own, with the run where several are
    /// called the same.
    fn name_values(&mut self) -> Option<()> {
        let mut heads: Vec<Head> = Vec::new();
        for place in self.bundle.places.iter() {
            let step = self.bundle.parts[place.part].instance.steps[place.step].clone();
            for part in &step.parts {
                let term = self.bundle.store.write_out(self.at.terms, *part);
                self.leaves(term, &mut heads);
            }
        }
        let mut called: Vec<(Head, String, Option<usize>)> = Vec::new();
        for head in heads {
            match head {
                Head::Atom(atom) => {
                    let atom = self.at.widths.atoms[atom as usize];
                    let name = self.protocol.table.show(atom.id);
                    called.push((head, name, Some(self.number_of(atom.part as usize))));
                }
                Head::Var(var) => {
                    let (name, of) = self.hers(var)?;
                    if of != Type::Nonce && of != Type::Dh {
                        self.fresh.push(String::new());
                    }
                    called.push((head, name, None));
                }
                _ => {}
            }
        }
        self.fresh.clear();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (head, name, run) in &called {
            let many = called.iter().filter(|(_, other, _)| other == name).count() > 1;
            let mut full = match run {
                Some(run) if many && name.ends_with(|c: char| c.is_ascii_digit()) => format!("{name}_{run}"),
                Some(run) if many => format!("{name}{run}"),
                _ => name.clone(),
            };
            while !taken.insert(full.clone()) {
                full.push('\'');
            }
            if let Head::Var(var) = head {
                let (_, of) = self.hers(*var)?;
                if of != Type::Nonce && of != Type::Dh {
                    self.fresh.push(format!("{full}: {}", of.word()));
                }
            }
            self.named.insert(*head, full);
        }
        Some(())
    }

    fn leaves(&self, term: Term, heads: &mut Vec<Head>) {
        let head = self.at.terms.head(term);
        if matches!(head, Head::Atom(_) | Head::Var(_)) && !heads.contains(&head) {
            heads.push(head);
        }
        let args = self.at.terms.args(term);
        let named = match head {
            Head::Seal { .. } => [&args[..1], &args[2..]].concat(),
            _ => args.to_vec(),
        };
        named.into_iter().for_each(|arg| self.leaves(arg, heads));
    }

    /// The name and the type of a value of hers, after what takes it.
    fn hers(&self, var: u32) -> Option<(String, Type)> {
        let slot = self.bundle.store.slot(var);
        let of = match slot.sort {
            Sort::Exponent => return Some(("z".to_owned(), Type::Dh)),
            Sort::Time(_) => Type::Time,
            Sort::Expiry(_) => Type::Expiry,
            Sort::Any => match slot.width {
                None if matches!(slot.kind, Some(Kind::Masked | Kind::Key)) => Type::Key,
                Some(32) => Type::Key,
                Some(8) => Type::Time,
                Some(_) | None => match slot.hint.and_then(|id| self.declared(id)) {
                    Some(of @ (Type::Nonce | Type::Key | Type::Time | Type::Expiry | Type::Data)) => of,
                    _ => Type::Nonce,
                },
            },
            Sort::Name | Sort::Client | Sort::Honest | Sort::Public | Sort::Share | Sort::Coins => {
                return None;
            }
        };
        let hint = slot.hint.map(|id| self.protocol.table.show(id));
        let of = match slot.hint.and_then(|id| self.declared(id)) {
            Some(of) if slot.width.is_none() && !matches!(of, Type::Keypair | Type::Dh) => of,
            _ => of,
        };
        let hint = hint.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '\''));
        Some((format!("{}i", hint.unwrap_or_else(|| "X".to_owned())), of))
    }

    /// The type that what stands here is declared with; a sum or a step is as long as what goes
    /// into it.
    fn declared(&self, id: Id) -> Option<Type> {
        match self.protocol.table.node(id) {
            Node::Name(name) => self.protocol.value(name).map(|value| value.of),
            Node::App(func, args) if matches!(func.definition().form, Form::Sum | Form::Step { .. }) => {
                args.iter().find_map(|arg| self.declared(*arg))
            }
            _ => None,
        }
    }

    /// Has every ciphertext of a step's message have a name of its own.
    pub fn message(&mut self, step: StepId) {
        let place = self.bundle.places[usize::from(step)];
        let moment = self.bundle.parts[place.part].instance.steps[place.step].clone();
        let mut ciphertexts = Vec::new();
        for part in &moment.parts {
            let term = self.bundle.store.write_out(self.at.terms, *part);
            self.ciphertexts(term, &mut ciphertexts);
        }
        for term in ciphertexts {
            let (text, term) = (self.notated(term, false), self.notated(term, true));
            let first = *self.first.entry(text).or_insert(term);
            // One that she made in two ways she can make in either.
            let is_hers = matches!(self.at.terms.head(self.at.terms.args(term)[1]), Head::Var(_));
            if first != term && !is_hers && !self.again.contains_key(&term) {
                let name = format!("Y{}_{}_{}", self.of[place.part] + 1, moment.line, self.again.len());
                self.again.insert(term, name);
            }
        }
    }

    /// A term in the one form that it has in the notation, where a key of two does not depend on who
    /// is named first; without what encryptions drew, if that is not to count.
    fn notated(&mut self, term: Term, with_coins: bool) -> Term {
        let mut args: Args = Args::from_slice(self.at.terms.args(term));
        let head = self.at.terms.head(term);
        if let (Head::Seal { .. }, false) = (head, with_coins) {
            args[1] = args[0];
        }
        let mut args: Args = args.into_iter().map(|arg| self.notated(arg, with_coins)).collect();
        if let Head::OfAgents(Func::K | Func::Pw) = head {
            args.sort_unstable();
        }
        self.at.terms.make(head, args)
    }

    fn ciphertexts(&self, term: Term, found: &mut Vec<Term>) {
        if matches!(self.at.terms.head(term), Head::Seal { .. }) {
            found.push(term);
        }
        self.at.terms.args(term).iter().for_each(|arg| self.ciphertexts(*arg, found));
    }

    /// A party, as lines name it.
    pub fn party(&mut self, name: Term) -> Option<String> {
        let name = self.bundle.store.walk(self.at.terms, name);
        match self.at.terms.head(name) {
            HER => Some("I".to_owned()),
            Head::Name(name) => Some(self.at.widths.names[name as usize].clone()),
            _ => None,
        }
    }

    /// Terms side by side.
    pub fn list(&mut self, terms: &[Term]) -> Option<String> {
        let shown = terms.iter().map(|term| self.term(*term)).collect::<Option<Vec<_>>>()?;
        Some(shown.join(", "))
    }

    /// A term in the notation; none if it has no words there.
    pub fn term(&mut self, term: Term) -> Option<String> {
        let term = self.bundle.store.write_out(self.at.terms, term);
        let head = self.at.terms.head(term);
        let args = Args::from_slice(self.at.terms.args(term));
        if let Head::Seal { .. } = head {
            let ciphertext = self.notated(term, true);
            if let Some(name) = self.again.get(&ciphertext) {
                return Some(name.clone());
            }
        }
        Some(match head {
            Head::Atom(_) | Head::Var(_) => self.named.get(&head)?.clone(),
            Head::Name(_) => self.party(term)?,
            Head::Text(id) => self.protocol.table.show_written_out(Id(id)),
            Head::OfAgents(func) => {
                let by = if matches!(func, Func::K | Func::Pw) { "," } else { ", " };
                let shown = args.iter().map(|arg| self.term(*arg)).collect::<Option<Vec<_>>>()?;
                format!("{}({})", func.name(), shown.join(by))
            }
            Head::LongTerm(value) => self.protocol.values.get(value as usize)?.name.to_string(),
            Head::Seal { .. } => format!("{{{}}}{}", self.list(&args[2..])?, self.term(args[0])?),
            Head::OneWay { func, .. } => {
                let key = match (func, self.at.terms.head(args[0])) {
                    (Func::Sign, Head::Atom(_)) => format!("sk({})", self.term(args[0])?),
                    _ => self.term(args[0])?,
                };
                let rest =
                    if args.len() > 1 { format!(", {}", self.list(&args[1..])?) } else { String::new() };
                format!("{}({key}{rest})", func.name())
            }
            Head::Step { up } => format!("{}({})", if up { "succ" } else { "pred" }, self.term(args[0])?),
            Head::Power { based: false } => {
                let shown = args.iter().map(|arg| self.term(*arg)).collect::<Option<Vec<_>>>()?;
                format!("g^{}", shown.join("^"))
            }
            Head::Power { based: true } | Head::Inverse => return None,
            Head::Sum => {
                let (first, rest) = args.split_first()?;
                let mut shown = self.term(*first)?;
                for other in rest {
                    shown = format!("xor({shown}, {})", self.term(*other)?);
                }
                shown
            }
            Head::Joined => self.list(&args)?,
        })
    }
}
