//! Who plays what in an attack that was found: parties for names that are still open, and run
//! numbers for parts. Must not know how lines are written.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::Bundle;
use super::intruder::Intruder;
use super::sort::{HER, Sort};
use super::store::{Slot, Store};
use super::term::{Args, Head, Term, Terms};
use crate::limits::MAX_GROUPINGS;
use crate::notation::{Func, Id, Kind, Name, Node, Protocol};

/// A run, as a scenario declares it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Who plays each client's role; the attacker where nobody honest does.
    pub players: BTreeMap<Name, Term>,
    /// The roles whose part is in the bundle.
    pub taken: BTreeSet<Name>,
    /// When it happens.
    pub epoch: u8,
}

/// An attack with its parts in runs.
#[derive(Clone)]
pub struct Grouped {
    /// The attack, in which the parts of a run agree on who plays what.
    pub bundle: Bundle,
    /// The runs.
    pub runs: Vec<Run>,
    /// The run of each part, from 0.
    pub of: Vec<usize>,
}

/// `MAX_GROUPINGS` was reached: whether fewer runs suffice is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyGroupings;

/// A part that is to be put into a run.
struct Member<'a> {
    /// Its number in the bundle.
    part: usize,
    role: &'a Name,
    /// Starters come first, services last.
    rank: u8,
    epoch: u8,
    /// Whom it is told to play the roles, and whom it takes for them in the end.
    told: BTreeMap<Name, Term>,
    believed: BTreeMap<Name, Term>,
}

impl Member<'_> {
    fn is_client(&self) -> bool {
        self.rank < 2
    }
}

impl Grouped {
    fn with(mut self, part: &Member<'_>, number: usize) -> Grouped {
        self.of[part.part] = number;
        if part.is_client() {
            let run = &mut self.runs[number];
            run.taken.insert(part.role.clone());
            run.players.extend(part.told.iter().map(|(role, name)| (role.clone(), *name)));
        }
        self
    }
}

impl Intruder<'_> {
    /// The bundle with a party for every name: known ones before new ones, and nobody for its
    /// own peer if that can be helped. None if there are not enough names.
    pub fn name(
        &mut self,
        bundle: &Bundle,
        holds: &mut dyn FnMut(&mut Self, &Bundle) -> bool,
    ) -> Option<Bundle> {
        let few = self.name_with(bundle, true);
        if let Some(few) = few
            && holds(self, &few)
        {
            return Some(few);
        }
        self.name_with(bundle, false).filter(|many| holds(self, many))
    }

    fn name_with(&mut self, bundle: &Bundle, few: bool) -> Option<Bundle> {
        let mut named = bundle.clone();
        let first = 1 + self.widths.services;
        let mut used = 0;
        let mut of_parts: Vec<Term> = Vec::new();
        // Who opens a run is alice, as in textbooks.
        let mut parts: Vec<_> = bundle.parts.iter().collect();
        parts.sort_by_key(|part| !part.instance.steps[0].sends);
        for part in parts {
            of_parts.extend(part.instance.chosen.iter().copied());
            of_parts.extend(part.instance.names.values().copied());
        }
        let mut all: Vec<Term> = of_parts;
        for var in 0..bundle.store.len() as u32 {
            all.push(self.terms.leaf(Head::Var(var)));
        }
        // Names that were settled by what was found count as used.
        for term in &all {
            let term = bundle.store.walk(self.terms, *term);
            if let Head::Name(name) = self.terms.head(term)
                && name as usize >= first
            {
                used = used.max(name as usize - first + 1);
            }
        }
        for term in all {
            let term = named.store.walk(self.terms, term);
            let Head::Var(var) = self.terms.head(term) else { continue };
            if !matches!(named.store.slot(var).sort, Sort::Name | Sort::Client | Sort::Honest) {
                continue;
            }
            let old = if few { 0..used } else { 0..0 };
            let mut candidates: Vec<usize> = old.collect();
            candidates.push(used);
            let mut found = None;
            for strict in [true, false] {
                for candidate in &candidates {
                    if first + candidate >= self.widths.names.len() {
                        continue;
                    }
                    let name = self.terms.leaf(Head::Name((first + candidate) as u32));
                    let ways = named.store.unify(self.terms, self.widths, &[(term, name)]);
                    let Some(store) = ways.into_iter().next() else { continue };
                    let with = Bundle { store, ..named.clone() };
                    if with.differs(self.terms) && !(strict && self.talks_to_itself(&with)) {
                        found = found.or(Some((*candidate, with)));
                    }
                }
                if found.is_some() {
                    break;
                }
            }
            let (candidate, with) = found?;
            used = used.max(candidate + 1);
            named = with;
        }
        Some(named)
    }

    fn talks_to_itself(&mut self, bundle: &Bundle) -> bool {
        bundle.parts.iter().any(|part| {
            let names: Vec<Term> =
                part.instance.names.values().map(|name| bundle.store.walk(self.terms, *name)).collect();
            let settled: Vec<&Term> =
                names.iter().filter(|name| matches!(self.terms.head(**name), Head::Name(_))).collect();
            let different: BTreeSet<&Term> = settled.iter().copied().collect();
            let services = |name: &&&Term| match self.terms.head(***name) {
                Head::Name(name) => self.widths.is_service(name),
                _ => false,
            };
            settled.iter().filter(|name| !services(name)).count()
                > different.iter().filter(|name| !services(name)).count()
        })
    }

    /// The bundle with its parts in at most so many runs, in each of which a role has one player;
    /// none if it takes more. What a party is told before it begins must be so; what it comes to
    /// believe should.
    ///
    /// # Errors
    /// There are more ways to group them than `MAX_GROUPINGS`.
    pub fn runs(
        &mut self,
        protocol: &Protocol,
        bundle: &Bundle,
        most: usize,
        holds: &mut dyn FnMut(&mut Self, &Bundle) -> bool,
    ) -> Result<Option<Grouped>, TooManyGroupings> {
        let starters: BTreeSet<Name> = protocol.starters().map(|(role, _)| role.clone()).collect();
        let mut parts: Vec<Member<'_>> = Vec::new();
        for (part, of) in bundle.parts.iter().enumerate() {
            let template = &self.cast.templates[of.template];
            let role = &protocol.roles[template.role].name;
            let rank = match (template.is_service, starters.contains(role)) {
                (false, true) => 0,
                (false, false) => 1,
                (true, _) => 2,
            };
            let told = self.told(protocol, bundle, part, role);
            let believed = self.believed(protocol, bundle, part);
            parts.push(Member { part, role, rank, epoch: of.epoch, told, believed });
        }
        parts.sort_by_key(|of| (of.epoch, of.rank, of.part));
        let begun = Grouped { bundle: bundle.clone(), runs: Vec::new(), of: vec![0; bundle.parts.len()] };
        let mut left = MAX_GROUPINGS;
        self.group(&parts, begun, most, &mut left, holds)
    }

    /// Puts the first of these parts into each run that it fits into, then into one of its own,
    /// until the others fit, too.
    fn group(
        &mut self,
        parts: &[Member<'_>],
        grouped: Grouped,
        most: usize,
        left: &mut usize,
        holds: &mut dyn FnMut(&mut Self, &Bundle) -> bool,
    ) -> Result<Option<Grouped>, TooManyGroupings> {
        let Some((part, others)) = parts.split_first() else { return Ok(Some(grouped)) };
        for views in [&part.believed, &part.told] {
            for (number, run) in grouped.runs.iter().enumerate() {
                if run.epoch != part.epoch || part.is_client() && run.taken.contains(part.role) {
                    continue;
                }
                let pairs: Vec<(Term, Term)> = (views.iter().chain(&part.told))
                    .filter_map(|(role, name)| Some((*run.players.get(role)?, *name)))
                    .collect();
                for store in grouped.bundle.store.unify(self.terms, self.widths, &pairs) {
                    *left = left.checked_sub(1).ok_or(TooManyGroupings)?;
                    let bundle = Bundle { store, ..grouped.bundle.clone() };
                    if bundle.differs(self.terms) && holds(self, &bundle) {
                        let with = Grouped { bundle, ..grouped.clone() }.with(part, number);
                        if let Some(found) = self.group(others, with, most, left, holds)? {
                            return Ok(Some(found));
                        }
                    }
                }
            }
        }
        if grouped.runs.len() >= most {
            return Ok(None);
        }
        let mut with = grouped;
        with.runs.push(Run { epoch: part.epoch, ..Run::default() });
        let number = with.runs.len() - 1;
        self.group(others, with.with(part, number), most, left, holds)
    }

    /// Whom a part is told to play the clients' roles, its own among them.
    fn told(&self, protocol: &Protocol, bundle: &Bundle, part: usize, role: &Name) -> BTreeMap<Name, Term> {
        let instance = &bundle.parts[part].instance;
        let mut told = self.believed(protocol, bundle, part);
        told.retain(|other, name| other == role || instance.chosen.contains(name));
        told
    }

    /// Whom a part takes for each client's role in the end.
    fn believed(&self, protocol: &Protocol, bundle: &Bundle, part: usize) -> BTreeMap<Name, Term> {
        let names = &bundle.parts[part].instance.names;
        let of = |role: &Name| names.get(&protocol.table.find_name(role)?).copied();
        protocol.client_roles().filter_map(|role| Some((role.name.clone(), of(&role.name)?))).collect()
    }
}

/// The store in which shares and keys that she chose are hers, and where fields have no borders
/// what nobody reads is as long as what belongs there: its reader finds what follows by its length.
pub fn choose(protocol: &Protocol, at: &mut Intruder<'_>, store: &Store) -> Option<Store> {
    let mut store = store.clone();
    let mut var = 0;
    while var < store.len() as u32 {
        let term = at.terms.leaf(Head::Var(var));
        if store.walk(at.terms, term) == term {
            let Slot { sort, width, hint, .. } = store.slot(var);
            let hers = match sort {
                Sort::Share => {
                    let secret =
                        store.var(Slot { sort: Sort::Exponent, width: None, hint: None, kind: None });
                    let secret = at.terms.leaf(secret);
                    Some(at.terms.power(None, &[secret]))
                }
                Sort::Public => {
                    let her = at.terms.leaf(HER);
                    Some(at.terms.raw(Head::OfAgents(Func::Pk), Args::from_slice(&[her])))
                }
                Sort::Any if at.widths.is_flat() && width.is_none() => match hint {
                    Some(id) if matches!(protocol.table.node(id), Node::Enc(..)) => {
                        Some(filler(protocol, at, &mut store, id))
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(hers) = hers {
                store = store.unify(at.terms, at.widths, &[(term, hers)]).into_iter().next()?;
            }
        }
        var += 1;
    }
    Some(store)
}

/// A term of hers of the form and length of one of the protocol's.
fn filler(protocol: &Protocol, at: &mut Intruder<'_>, store: &mut Store, id: Id) -> Term {
    let her = at.terms.leaf(HER);
    match protocol.table.node(id) {
        Node::Enc(body, key) => {
            let asymmetric = matches!(protocol.table.node(*key), Node::App(Func::Pk, _));
            let (func, owners) = match asymmetric {
                true => (Func::Pk, Args::from_slice(&[her])),
                false => (Func::K, Args::from_slice(&[her, at.terms.leaf(Head::Name(1))])),
            };
            let key = at.terms.raw(Head::OfAgents(func), owners);
            let inside: Vec<Term> = body.iter().map(|part| filler(protocol, at, store, *part)).collect();
            let head = Head::Seal { asymmetric, label: 0, shape: Terms::no_shape() };
            let coins = store.var(Slot { sort: Sort::Coins, width: None, hint: None, kind: None });
            let coins = at.terms.leaf(coins);
            at.terms.raw(head, [key, coins].into_iter().chain(inside).collect())
        }
        _ if protocol.table.kind(id) == Some(Kind::Name) => her,
        _ => {
            let width = match (protocol.table.kind(id), &at.widths.fields) {
                (Some(Kind::Nonce), Some(widths)) => Some(widths.nonce as u32),
                (Some(Kind::Key), Some(widths)) => Some(widths.key as u32),
                (Some(Kind::Time | Kind::Expiry), Some(widths)) => Some(widths.time as u32),
                _ => None,
            };
            let kind = protocol.table.kind(id);
            let var = store.var(Slot { sort: Sort::of_kind(kind, None), width, hint: Some(id), kind });
            at.terms.leaf(var)
        }
    }
}
