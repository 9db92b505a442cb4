//! Long-term keys of everybody who takes part: which there are, in which versions, and by which
//! name the notation knows them.

use std::collections::BTreeMap;

use super::setup::Setup;
use super::setup::event::EventDeed;
use crate::algebra::Value;
use crate::journal::{Journal, What};
use crate::knowledge::Ring;
use crate::notation::{Func, KeyUses, Name, Origin, Term};
use crate::party::Cast;

/// The versions of a long-term key that there are, newest first.
pub fn versions(setup: &Setup, cast: &Cast, key: &Term, ring: &Ring) -> Vec<Value> {
    let Term::App(func, _) = key else { return Vec::new() };
    let names = key.names();
    let keys = &cast.keys;
    match (func, names.as_slice()) {
        (Func::Sk, [owner]) => vec![keys.private(owner, all_uses(setup)).to_value()],
        (Func::K | Func::Pw, [a, b]) => {
            let mut all = vec![ring.newest(keys, *func, a, b)];
            all.extend(ring.older(keys, *func, a, b));
            all
        }
        _ => Vec::new(),
    }
}

/// Every long-term key that the protocols use: what leaks in the game of forward secrecy.
pub fn all(setup: &Setup, cast: &Cast) -> Vec<(String, Value)> {
    let names: Vec<&Name> = cast.registered.names().collect();
    let mut terms: Vec<Term> = names.iter().map(|n| Term::of(Func::Sk, &[n])).collect();
    for (nth, a) in names.iter().enumerate() {
        for b in &names[nth..] {
            terms.push(Term::of(Func::K, &[a, b]));
            terms.push(Term::of(Func::Pw, &[a, b]));
        }
    }
    let ring = setup.ring_at(setup.events.len());
    let of = |t: Term| versions(setup, cast, &t, &ring).into_iter().map(move |v| (t.to_string(), v));
    terms.into_iter().flat_map(of).chain(declared(cast)).collect()
}

/// The values that protocols declare as held for the long term, of everyone who may own
/// them: the attacker opens runs in which nobody says who plays.
fn declared(cast: &Cast) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for spoken in cast.protocols.values() {
        for value in spoken.protocol.values.iter().filter(|v| v.origin == Origin::LongTerm) {
            let owners = cast.registered.names().chain(spoken.services.get(&value.role));
            for owner in owners.map(|owner| cast.principal_of(owner)) {
                let held = cast.keys.long_term(owner, &value.name, value.of);
                all.insert(format!("{} of {owner}", value.name), held);
            }
        }
    }
    all
}

/// Everybody's private keys by now, where some event gives the attacker a quantum computer.
pub fn breakable(setup: &Setup, cast: &Cast, journal: &Journal) -> Vec<Value> {
    if setup.events.iter().all(|event| event.deed != EventDeed::Quantum) {
        return Vec::new();
    }
    let (keys, uses) = (&cast.keys, all_uses(setup));
    let of = |owner: &Name| {
        let newest = renewed(journal, &Term::of(Func::Sk, &[owner])).map_or(0, |(_, nth)| nth);
        let renewed = (1..=newest).map(|nth| keys.renewed(owner, nth, uses));
        let all: Vec<Value> = renewed.chain([keys.private(owner, uses)]).map(|k| k.to_value()).collect();
        all
    };
    cast.registered.names().flat_map(of).collect()
}

pub fn all_uses(setup: &Setup) -> KeyUses {
    let uses = setup.protocols.iter().map(|(file, _)| file.protocol.uses);
    uses.fold(KeyUses::default(), KeyUses::and)
}

/// Whose keys these are and for how manieth time they were renewed, if they were.
pub fn renewed(journal: &Journal, key: &Term) -> Option<(Name, u32)> {
    let Term::App(Func::Sk, _) = key else { return None };
    let [owner] = &key.names()[..] else { return None };
    journal.events().iter().rev().find_map(|e| match &e.what {
        What::Rekeyed { party, version } if party == owner => Some((party.clone(), *version)),
        _ => None,
    })
}
