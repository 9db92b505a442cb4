//! What all parties of a play share: protocols, keys, the register. Must not know who wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use super::alert::Alerts;
use crate::algebra::Value;
use crate::hashed::Hashed;
use crate::knowledge::{Grounds, Keys, Lifetimes, Ring, label};
use crate::notation::{Func, Name, Program, Protocol, Term};
use crate::pki::{Profiles, RelyingParty};
use crate::time::{SimTime, Span, UnixNanos};
use crate::vault::Rate;
use crate::wire::Encoding;

/// What all parties of a play share.
pub struct Cast {
    /// The protocols that are spoken, by name.
    pub protocols: BTreeMap<Name, Arc<Spoken>>,
    /// The scenario's own protocol, of which every run is that says nothing else.
    pub main: Name,
    /// The long-term keys.
    pub keys: Arc<Keys>,
    /// Which of them names have when the play begins.
    pub ring: Ring,
    /// The key centre's name.
    pub kdc: Name,
    /// The protocol in which it is asked for keys.
    pub kms: Name,
    /// The date at which virtual time is zero.
    pub epoch: UnixNanos,
    /// The names for which long-term keys exist.
    pub registered: Register,
    /// The certificates that the authority issued, by subject.
    pub certificates: BTreeMap<Name, Value>,
    /// What certificates say beside names and keys.
    pub profiles: Profiles,
    /// Lifetimes of `expiry` values.
    pub lifetimes: Lifetimes,
    /// How many digits one-time codes have.
    pub code_digits: u32,
    /// The last time at which a scenario schedules anything.
    pub horizon: SimTime,
    /// The scheduled runs, by number.
    pub runs: BTreeMap<u32, Arc<RunSpec>>,
}

/// Names for which long-term keys exist.
#[derive(Default)]
pub struct Register {
    /// In order.
    names: BTreeSet<Name>,
    known: Hashed<SmolStr, Name>,
}

impl Register {
    /// Whether it has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// This name, to share.
    pub fn get(&self, name: &str) -> Option<&Name> {
        self.known.get(name)
    }

    /// All of them, in order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }
}

impl FromIterator<Name> for Register {
    fn from_iter<T: IntoIterator<Item = Name>>(all: T) -> Register {
        let names: BTreeSet<Name> = all.into_iter().collect();
        let mut known = Hashed::default();
        for name in &names {
            known.insert(SmolStr::new(name), name.clone());
        }
        Register { names, known }
    }
}

/// A protocol in an encoding, ready to be spoken.
#[derive(Debug)]
pub struct Spoken {
    /// Its name, as messages carry it.
    pub name: Name,
    /// The protocol.
    pub protocol: Protocol,
    /// How fields become bytes.
    pub encoding: Arc<Encoding>,
    /// What each role stands on.
    pub grounds: BTreeMap<Name, Arc<Grounds>>,
    /// The party that plays each service's role.
    pub services: BTreeMap<Name, Name>,
}

/// A run that a scenario schedules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSpec {
    /// Its number, from 1.
    pub number: u32,
    /// The protocol.
    pub protocol: Name,
    /// When it starts.
    pub at: SimTime,
    /// Who plays which role.
    pub names: BTreeMap<Name, Name>,
    /// The run in whose stead it begins: not if whoever begins it has completed that.
    pub falls_back_from: Option<u32>,
    /// The values that the scenario hands in.
    pub given: BTreeMap<Name, Value>,
}

/// By what a party knows a message again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remembers {
    /// By each part that its sender made for it and the party itself opened or checked: of an
    /// AP-REQ the authenticator. What the sender only passes on, as a ticket, may come again,
    /// and what nothing protects anybody could change. A message without such a part is known
    /// by all its bytes.
    Protected,
    /// By the values of these terms together, where a line has them; else as above.
    Terms(Vec<Term>),
}

/// How one party behaves.
#[derive(Clone)]
pub struct Character {
    /// Its name.
    pub name: Name,
    /// How far its clock is ahead of virtual time, in nanoseconds; negative is behind.
    pub clock_offset: i64,
    /// How far a time stamp may be from its clock.
    pub max_skew: Span,
    /// How many lines that cost public-key operations it can send in a time, if it is limited.
    pub strength: Option<Rate>,
    /// How far ahead of its clock an expiry may lie: any distance if none.
    pub max_lifetime: Option<Span>,
    /// Bits of strength that a group must have for it to compute in it.
    pub min_strength: u32,
    /// How it judges certificates, at the beginning.
    pub trust: RelyingParty,
    /// Whether somebody outside judges them in its place.
    pub is_judged_outside: bool,
    /// Whether it sends an OCSP response along with its own certificates.
    pub staples: bool,
    /// The greatest age of a live session, if there is one.
    pub session_max_age: Option<Span>,
    /// How long a live session goes on without a look whether its peers' certificates stand.
    pub recheck: Option<Span>,
    /// How often it looks at what the authority issued in its name.
    pub watch_issuance: Option<Span>,
    /// By what it knows messages again that it has accepted, if it refuses them then.
    pub replay_cache: Option<Remembers>,
    /// Whether what it remembers so outlives a restart.
    pub persistent_cache: bool,
    /// Whether it refuses ciphertexts, codes and signatures that it made itself.
    pub knows_own: bool,
    /// Whether after a restart it refuses time stamps that it may have accepted before.
    pub stamps_after_start: bool,
    /// What it tells whoever sent a message that it refuses; nothing if none.
    pub alerts: Option<Alerts>,
    /// The newest protocol that it speaks: it refuses to fall back from that.
    pub newest: Option<Name>,
    /// Whether a centre looks a name up again that one of its own tickets vouches for.
    pub rechecks: bool,
}

impl Spoken {
    /// Prepares a protocol for an encoding.
    pub fn new(protocol: Protocol, encoding: Encoding) -> Spoken {
        let encoding = Arc::new(encoding);
        let grounds = protocol
            .roles
            .iter()
            .map(|r| (r.name.clone(), Arc::new(Grounds::of_role(&protocol, &r.name, encoding.clone()))));
        let services =
            protocol.roles.iter().filter_map(|r| Some((r.name.clone(), Name::from(r.service?.name()))));
        Spoken {
            name: protocol.name.as_str().into(),
            grounds: grounds.collect(),
            services: services.collect(),
            encoding,
            protocol,
        }
    }

    /// The role that receives a line, counted from 1, if there is such a line.
    pub fn receiver_of(&self, line: u32) -> Option<&Name> {
        let is_line = (1..=self.protocol.lines.len()).contains(&(line as usize));
        is_line.then(|| self.protocol.receiver_of(line))
    }

    /// Whether people say this line to each other.
    pub fn is_said(&self, line: u32) -> bool {
        self.protocol.voice.contains(&line)
    }

    /// The program with which a role joins at this line.
    pub fn program_at(&self, role: &str, line: u32) -> Option<&Arc<Program>> {
        self.protocol.programs.get(role)?.iter().find(|p| p.entry == line)
    }
}

impl Cast {
    /// The protocol of which an attack speaks.
    pub fn main(&self) -> &Arc<Spoken> {
        &self.protocols[&self.main]
    }

    /// Every label to which cryptography of these protocols may be bound; the empty one where
    /// an encoding binds nothing.
    pub fn labels(&self) -> Arc<[Vec<u8>]> {
        let mut labels = BTreeSet::new();
        for spoken in self.protocols.values() {
            let lines = 1..=spoken.protocol.lines.len() as u32;
            match *spoken.encoding {
                Encoding::Labelled => labels.extend(lines.map(|line| label(&spoken.protocol.name, line))),
                Encoding::Tagged | Encoding::Untagged(_) => labels.extend([Vec::new()]),
            }
        }
        labels.into_iter().collect()
    }

    /// The reading of a clock that is `offset` nanoseconds ahead.
    pub fn clock(&self, now: SimTime, offset: i64) -> UnixNanos {
        UnixNanos(self.epoch.0.saturating_add(now.0).saturating_add_signed(offset))
    }

    /// The principal that a party is: itself, or the service that it is a host of. Goals speak of
    /// principals, and whoever talks to a service need not care which host answers.
    pub fn principal_of<'a>(&'a self, party: &'a str) -> &'a str {
        self.ring.owner(party)
    }

    /// What two names share when the play begins.
    pub fn secret_of(&self, func: Func, a: &str, b: &str) -> Value {
        self.ring.newest(&self.keys, func, a, b)
    }

    /// What the scenario hands to a party in a run; in a run that nobody scheduled, what
    /// it hands out in the first run of that protocol.
    pub fn given(&self, run: u32, protocol: &str) -> Option<&BTreeMap<Name, Value>> {
        self.spec(run, protocol).map(|r| &r.given)
    }

    /// The parties whom `[knows]` names to a role that joins a run, as the scenario casts them.
    pub fn peers_known(&self, run: u32, spoken: &Spoken, role: &str) -> BTreeMap<Name, Name> {
        let grants = spoken.protocol.role(role).map(|r| &r.grants[..]).unwrap_or_default();
        let Some(spec) = self.spec(run, &spoken.protocol.name) else { return BTreeMap::new() };
        let granted = |(role, _): &(&Name, &Name)| grants.contains(&Term::Name((*role).clone()));
        spec.names.iter().filter(granted).map(|(role, name)| (role.clone(), name.clone())).collect()
    }

    fn spec(&self, run: u32, protocol: &str) -> Option<&RunSpec> {
        let scheduled = self.runs.get(&run).filter(|r| *r.protocol == *protocol);
        scheduled.or_else(|| self.runs.values().find(|r| *r.protocol == *protocol)).map(|r| &**r)
    }
}
