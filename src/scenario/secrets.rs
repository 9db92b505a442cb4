//! Long-term secrets of a scenario: passwords that parties chose, hosts that work under
//! another's keys, and `rotate`, the event that gives a key a new version.

use super::events::{EventDeed, Stolen};
use super::parties::Party;
use super::problem::Problem;
use super::reader::Reader;
use super::setup::Setup;
use super::toml_tree::Node;
use crate::knowledge::Ring;
use crate::notation::{Func, Name, Service, Term};

/// Reads what `[parties.NAME]` says of a party's own secrets.
pub(super) fn read(table: &Reader<'_>, party: &mut Party) -> Result<(), Problem> {
    if let Some(node) = table.get("password") {
        let text = super::reader::string(node)?;
        if text.is_empty() {
            return Err(node.problem("an empty password is none"));
        }
        party.password = Some(text.to_owned());
    }
    if let Some(node) = table.get("shares_key_of") {
        party.shares_key_of = Some(super::reader::name(node)?);
    }
    Ok(())
}

impl Setup {
    /// Whoever works under another's keys does so under those of a party that has its own.
    pub(super) fn check_hosts(&self, table: &Reader<'_>) -> Result<(), Problem> {
        let Some(node) = table.get("parties") else { return Ok(()) };
        for (key, node) in Reader::new(node)?.entries() {
            let Some(of) = Reader::new(node)?.get("shares_key_of") else { continue };
            let owner = self.known_party(of)?;
            let host = |name: &Name| self.parties.get(name).is_some_and(|p| p.shares_key_of.is_some());
            if *owner == *key.name || host(&owner) || Service::ALL.iter().any(|s| *s.1 == *owner) {
                return Err(of
                    .problem(format!("{} cannot work under the keys of {owner}", key.name))
                    .help("name a client that has keys of its own"));
            }
        }
        Ok(())
    }

    /// Which secrets names have when the play begins.
    pub fn ring(&self) -> Ring {
        let passwords = self.parties.iter().filter_map(|(name, p)| Some((name.clone(), p.password.clone()?)));
        let hosts =
            self.parties.iter().filter_map(|(name, p)| Some((name.clone(), p.shares_key_of.clone()?)));
        let stranger = self.attacker.as_ref().map(|attacker| attacker.name.clone());
        Ring::new(passwords.collect(), hosts.collect()).with_stranger(stranger)
    }

    /// The same once event number `nth` comes, counted from 0; after all of them if there is
    /// no such event. Of events at the same time the file's order decides.
    pub fn ring_at(&self, nth: usize) -> Ring {
        let mut rotations: Vec<_> = (self.events.iter().enumerate())
            .filter(|(i, e)| self.events.get(nth).is_none_or(|until| (e.at, *i) < (until.at, nth)))
            .filter_map(|(i, e)| match &e.deed {
                EventDeed::Rotate { key, keep } => Some(((e.at, i), key, *keep)),
                _ => None,
            })
            .collect();
        rotations.sort_unstable_by_key(|(order, ..)| *order);
        let mut ring = self.ring();
        rotations.into_iter().for_each(|(_, key, keep)| ring.rotate(key, keep));
        ring
    }

    /// The shares of long-term exponents that `[knows]` grants to others than their owners, with
    /// the party who owns the exponent: they are public, as public keys are.
    pub fn public_shares(&self) -> Vec<(Term, Name)> {
        let mut all: Vec<(Term, Name)> = Vec::new();
        for (file, _) in &self.protocols {
            let protocol = &file.protocol;
            let Some(run) = self.runs.iter().find(|run| *run.protocol == *protocol.name) else { continue };
            for share in protocol.roles.iter().flat_map(|role| &role.grants) {
                let Term::Exp(exponents) = share else { continue };
                let [exponent] = exponents.as_slice() else { continue };
                let owner = protocol.value(exponent).and_then(|value| run.names.get(&value.role));
                if let Some(owner) = owner.filter(|_| all.iter().all(|(other, _)| other != share)) {
                    all.push((share.clone(), owner.clone()));
                }
            }
        }
        all
    }

    /// The parties that have a key: those it names, and hosts that work under their keys.
    pub fn holders(&self, key: &Term) -> Vec<Name> {
        let (names, ring) = (key.names(), self.ring());
        self.parties.keys().filter(|p| names.iter().any(|n| **n == *ring.owner(p))).cloned().collect()
    }

    /// `rotate = "k(bob,kdc)"`, with `keep`.
    pub(super) fn rotation(&self, node: &Node, table: &Reader<'_>) -> Result<EventDeed, Problem> {
        let key = match self.stolen(node)? {
            Stolen::LongTerm(key @ Term::App(Func::K | Func::Pw, _)) => key,
            other => {
                return Err(node.problem(format!("`{other}` cannot be rotated")).help(
                    "expected a key or password of two parties, such as `k(bob,kdc)` or `pw(alice,kdc)`",
                ));
            }
        };
        if let Some(host) =
            key.names().iter().find(|n| self.parties.get(*n).is_some_and(|p| p.shares_key_of.is_some()))
        {
            return Err(node
                .problem(format!("{host} has no key of its own to rotate"))
                .help("rotate that of the party whose keys it shares"));
        }
        Ok(EventDeed::Rotate { key, keep: table.integer("keep", 0)?.unwrap_or(0) })
    }
}
