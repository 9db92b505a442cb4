//! Everything that a variant sets up: protocols, parties, runs, events, network; what follows
//! from that. Must not know how a file says it.

pub mod attacker;
pub mod event;
pub mod live;
pub mod party;
pub mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::problem::Problem;
use super::protocol_file::ProtocolFile;
use crate::crypto::Suite;
use crate::knowledge::{Lifetimes, Ring};
use crate::notation::protocol::Role;
use crate::notation::{Func, Name, Protocol, Service, Term};
use crate::party::{RequestSpec, RunSpec};
use crate::time::SimTime;
use crate::wire::Encoding;
use crate::world::Network;

use attacker::AttackerSpec;
use event::{EventDeed, EventSpec};
use live::LiveSpec;
use party::Party;
use services::{CaSpec, KeyCentre};

/// What a variant sets up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The protocols; the first is the scenario's, others are those of single runs.
    pub protocols: Vec<(ProtocolFile, Encoding)>,
    /// Whether the file names a protocol. Where there are requests alone, `protocols` has one
    /// that nobody speaks.
    pub plays_protocol: bool,
    /// The algorithms.
    pub suite: Suite,
    /// A warning for each of them that is known to be weak.
    pub weak_algorithms: Vec<Problem>,
    /// Lifetimes of `expiry` values.
    pub lifetimes: Lifetimes,
    /// How messages travel.
    pub network: Network,
    /// How clients behave, by name. Services too.
    pub parties: BTreeMap<Name, Party>,
    /// The services that roles need.
    pub services: BTreeSet<Service>,
    /// How the authority works.
    pub ca: CaSpec,
    /// How the key centre works, if there is one.
    pub key_centre: Option<KeyCentre>,
    /// What parties ask services for.
    pub requests: Vec<Arc<RequestSpec>>,
    /// Until when those who do something every so often go on.
    pub until: SimTime,
    /// The runs, in order of their numbers.
    pub runs: Vec<RunSpec>,
    /// What happens at set times.
    pub events: Vec<EventSpec>,
    /// The attacker.
    pub attacker: Option<AttackerSpec>,
    /// In whose place a program can stand, if in anybody's.
    pub live: Option<LiveSpec>,
}

impl Setup {
    /// The scenario's protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.protocols[0].0.protocol
    }

    /// The protocols with what their files say about them.
    pub fn protocol_files(&self) -> impl Iterator<Item = &ProtocolFile> {
        self.protocols.iter().filter(|_| self.plays_protocol).map(|(file, _)| file)
    }

    /// What is unwise in any of the protocols, and in the choice of algorithms.
    pub fn warnings(&self) -> impl Iterator<Item = Problem> {
        self.protocol_files().flat_map(ProtocolFile::warnings).chain(self.weak_algorithms.iter().cloned())
    }

    /// The protocol of this name.
    pub fn protocol_named(&self, name: &str) -> Option<&Protocol> {
        self.protocols.iter().map(|(file, _)| &file.protocol).find(|p| p.name == name)
    }

    /// Admits the attacker. Key pairs are for what her lines ask of them, too: she may seal and
    /// sign where the protocol's own lines do not.
    pub fn admit(&mut self, attacker: Option<AttackerSpec>) {
        for line in attacker.iter().flat_map(AttackerSpec::lines) {
            for (file, _) in self.protocols.iter_mut().filter(|(p, _)| *p.protocol.name == *line.protocol) {
                file.protocol.uses = file.protocol.uses.and(line.uses);
            }
        }
        self.attacker = attacker;
    }

    /// Whether anybody may have a certificate: where no protocol has one the authority issues
    /// none until somebody asks.
    pub fn has_certificates(&self) -> bool {
        self.protocols.iter().any(|(file, _)| file.protocol.has_certificates)
            || self.services.contains(&Service::Ca) && !self.requests.is_empty()
    }

    /// The last time at which anything is scheduled.
    pub fn horizon(&self) -> SimTime {
        let runs = self.runs.iter().map(|run| run.at);
        let events = self.events.iter().map(|event| event.at);
        let requests = self.requests.iter().map(|request| request.at);
        let hers = self.attacker.iter().flat_map(AttackerSpec::moments);
        runs.chain(events).chain(requests).chain(hers).max().unwrap_or(SimTime::ZERO).max(self.until)
    }

    /// The names of the parties, services included, the attacker not.
    pub fn party_names(&self) -> Vec<Name> {
        self.parties.keys().cloned().collect()
    }

    /// The names of roles that stand for a service, where no party has that name.
    pub fn aliases(&self) -> Vec<(Name, Name)> {
        let roles = self.protocols.iter().flat_map(|(p, _)| &p.protocol.roles);
        let alias = |r: &Role| Some((r.name.clone(), Name::from(r.service?.name())));
        roles.filter_map(alias).filter(|(role, _)| !self.parties.contains_key(role)).collect()
    }

    /// The request of this number: they are numbered from 1, in the order of the file.
    pub fn request(&self, number: u32) -> Option<&RequestSpec> {
        self.requests.get(usize::try_from(number).ok()?.checked_sub(1)?).map(|request| &**request)
    }

    /// Whether a party has business with the key centre.
    pub fn keeps_keys(&self) -> bool {
        self.key_centre.is_some() && self.services.contains(&Service::Kdc)
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

    /// The shares of long-term exponents, and the public halves of decapsulation keys, that `[knows]`
    /// grants to others than their owners, with the owner: they are public, as public keys are.
    pub fn public_shares(&self) -> Vec<(Term, Name)> {
        let mut all: Vec<(Term, Name)> = Vec::new();
        for (file, _) in &self.protocols {
            let protocol = &file.protocol;
            let Some(run) = self.runs.iter().find(|run| *run.protocol == *protocol.name) else { continue };
            for share in protocol.roles.iter().flat_map(|role| &role.grants) {
                let secret = match share {
                    Term::Exp(exponents) if exponents.len() == 1 => &exponents[0],
                    Term::App(Func::Ek, of) => match of.as_slice() {
                        [Term::Name(secret)] => secret,
                        _ => continue,
                    },
                    _ => continue,
                };
                let owner = protocol.value(secret).and_then(|value| run.names.get(&value.role));
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
}
