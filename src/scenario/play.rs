//! Plays a setup: casts it, runs the world, and judges what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::attacker_table::AttackerSpec;
use super::events::{EventDeed, Stolen, ValueRef};
use super::parties::Party;
use super::setup::Setup;
use crate::crypto::{SigningKey, Suite};
use crate::journal::{Journal, What};
use crate::knowledge::{Keys, Private, Public, Ring, Value};
use crate::notation::{Func, KeyUses, Name, Origin, Service, Term};
use crate::party::attacker::{Attacker, Plan, Profile};
use crate::party::{Actor, Cast, Character, Input, Office, Principal, RunSpec, Spoken};
use crate::pki::{self, Authority, TrustPolicy};
use crate::time::{SimTime, UnixNanos};
use crate::verdict::{Bench, GoalVerdict, Holdings, Sessions, judge};
use crate::world::{Cue, Halt, Stage};

/// The date at which virtual time is zero: 2026-01-01T00:00:00Z.
pub const EPOCH: UnixNanos = UnixNanos(1_767_225_600 * 1_000_000_000);

/// Long-term keys of several plays: an RSA key is dear, and the same seed and name give
/// the same key anyway.
#[derive(Default)]
pub struct KeyPool(Mutex<BTreeMap<(u64, Suite), Arc<Keys>>>);

impl KeyPool {
    fn keys(&self, seed: u64, suite: Suite) -> Arc<Keys> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pool.entry((seed, suite)).or_insert_with(|| Arc::new(Keys::new(seed, suite))).clone()
    }
}

/// What came of a play.
#[derive(Clone, Debug)]
pub struct Played {
    /// What happened.
    pub journal: Journal,
    /// What sessions came to.
    pub sessions: Sessions,
    /// What became of each goal.
    pub goals: Vec<GoalVerdict>,
    /// What the attacker holds in the end.
    pub holdings: Holdings,
}

/// Plays a setup with its attacker and her compromises, or without.
///
/// # Errors
/// A limit that was reached, or a defect.
pub fn play(setup: &Setup, seed: u64, with_attacker: bool, pool: &KeyPool) -> Result<Played, Halt> {
    let attacker = setup.attacker.as_ref().filter(|_| with_attacker);
    let mut company = Company::gather(setup, pool.keys(seed, setup.suite), attacker)?;
    let journal = company.stage(setup, attacker).play()?;
    let sessions = Sessions::of(&journal);
    let her = attacker.map(|a| &a.name);
    let mut holdings = company.holdings(setup, &journal, her, &[]);
    let mut goals = Vec::new();
    for (file, _) in &setup.protocols {
        let protocol = &file.protocol;
        let main = &setup.protocol().name;
        let is_of = |run: u32| match company.cast.runs.get(&run) {
            Some(spec) => *spec.protocol == *protocol.name,
            None => protocol.name == *main,
        };
        let mut after_leak = || company.holdings(setup, &journal, her, &company.long_term_keys(setup));
        goals.extend(judge(&mut Bench {
            protocol,
            journal: &journal,
            sessions: &sessions,
            is_of: &is_of,
            attacker: her,
            holdings: &mut holdings,
            after_leak: &mut after_leak,
        }));
    }
    Ok(Played { journal, sessions, goals, holdings })
}

/// Everybody who takes part, before the play.
struct Company {
    cast: Arc<Cast>,
    authority: Option<Box<Authority>>,
    root: Vec<Vec<u8>>,
    prologue: Vec<What>,
}

impl Company {
    fn gather(setup: &Setup, keys: Arc<Keys>, attacker: Option<&AttackerSpec>) -> Result<Company, Halt> {
        let insider = attacker.filter(|a| a.insider).map(|a| a.name.clone());
        let registered: BTreeSet<Name> = setup.parties.keys().cloned().chain(insider).collect();
        let mut company = Company {
            cast: Arc::new(Cast {
                protocols: BTreeMap::new(),
                main: setup.protocol().name.as_str().into(),
                keys: keys.clone(),
                epoch: EPOCH,
                registered,
                certificates: BTreeMap::new(),
                ring: setup.ring(),
                lifetimes: setup.lifetimes.clone(),
                runs: setup.runs.iter().map(|r| (r.number, Arc::new(r.clone()))).collect(),
            }),
            authority: None,
            root: Vec::new(),
            prologue: Vec::new(),
        };
        let spoken = |(file, encoding): &(super::protocol_file::ProtocolFile, _)| {
            let name = Name::from(file.protocol.name.as_str());
            (name, Arc::new(Spoken::new(file.protocol.clone(), Clone::clone(encoding))))
        };
        let protocols = setup.protocols.iter().map(spoken).collect();
        let certificates = company.enrol(setup, &keys, attacker)?;
        let cast =
            Arc::get_mut(&mut company.cast).ok_or_else(|| Halt::Runtime("the cast is shared".into()))?;
        cast.protocols = protocols;
        cast.certificates = certificates;
        Ok(company)
    }

    /// Before time zero, each client proves possession of its keys and gets a certificate.
    /// The attacker may ask for one over somebody else's keys.
    fn enrol(
        &mut self,
        setup: &Setup,
        keys: &Keys,
        attacker: Option<&AttackerSpec>,
    ) -> Result<BTreeMap<Name, Value>, Halt> {
        let uses =
            setup.protocols.iter().map(|(f, _)| &f.protocol).filter(|p| p.has_certificates).map(|p| p.uses);
        let Some(uses) = uses.reduce(|a, b| KeyUses {
            encryption: a.encryption || b.encryption,
            signature: a.signature || b.signature,
        }) else {
            return Ok(BTreeMap::new());
        };
        let ca = Service::Ca.name();
        let mut authority = Authority::new(ca, keys.signing(ca), EPOCH, setup.authority);
        self.root = vec![authority.root().to_vec()];
        let mut all = BTreeMap::new();
        let services: Vec<&str> = Service::ALL.iter().map(|s| s.1).collect();
        for name in self.cast.registered.iter().filter(|n| !services.contains(&&***n)) {
            let foreign = attacker.filter(|a| a.name == *name).and_then(|a| a.enrols_key_of.as_ref());
            let requests = match foreign {
                None => requests(name, &keys.private(name, uses)),
                Some(owner) => {
                    foreign_requests(name, &keys.signing(name), &keys.private(owner, uses).public())
                }
            };
            let mut issued = [None, None];
            for (request, slot) in requests.into_iter().zip(&mut issued) {
                let Some(request) = request else { continue };
                let certificate = match authority.issue(&request, name, EPOCH) {
                    Ok(certificate) => certificate,
                    Err(reason) if foreign.is_some() => {
                        self.prologue.push(What::NotIssued { by: ca.into(), subject: name.clone(), reason });
                        continue;
                    }
                    Err(reason) => {
                        let why = format!("the authority refused {name}'s request: {reason}");
                        return Err(Halt::Runtime(why));
                    }
                };
                self.prologue.push(What::Issued {
                    by: ca.into(),
                    subject: name.clone(),
                    serial: certificate.serial,
                });
                *slot = Some(certificate.der);
            }
            let [encryption, signature] = issued;
            if encryption.is_some() || signature.is_some() {
                all.insert(name.clone(), pki::Certificates { encryption, signature }.to_value());
            }
        }
        self.authority = Some(Box::new(authority));
        Ok(all)
    }

    fn character(&self, name: &Name, party: &Party) -> Arc<Character> {
        Arc::new(Character {
            name: name.clone(),
            clock_offset: party.clock_offset,
            max_skew: party.max_skew,
            max_lifetime: party.max_lifetime,
            trust: Arc::new(TrustPolicy {
                roots: self.root.clone(),
                revocation: party.revocation,
                on_unavailable: party.on_unavailable,
                check_chain: party.check_chain,
                check_name: party.check_name,
            }),
            replay_cache: party.replay_cache,
            persistent_cache: party.persistent_cache,
            knows_own: party.knows_own,
            stamps_after_start: party.stamps_after_start,
            rechecks: party.rechecks,
        })
    }

    fn stage(&mut self, setup: &Setup, attacker: Option<&AttackerSpec>) -> Stage {
        let mut actors: Vec<(Name, Box<dyn Actor>)> = Vec::new();
        for (name, party) in &setup.parties {
            let office = match &**name {
                "kdc" => Office::Kdc { revoked: BTreeSet::new() },
                "ca" => Office::Ca { authority: self.authority.take() },
                _ => Office::Client,
            };
            let principal = Principal::new(&self.cast, self.character(name, party), office);
            actors.push((name.clone(), Box::new(principal)));
        }
        let her = attacker.map(|spec| {
            let profile = Profile {
                character: self.character(
                    &spec.name,
                    &Party { check_chain: false, check_name: false, ..Party::default() },
                ),
                insider: spec.insider,
                plan: spec.plan.clone(),
                from: spec.from,
                given: spec.given.clone(),
                dictionary: spec.dictionary.clone(),
                times: spec.times.clone(),
            };
            (spec.name.clone(), Box::new(Attacker::new(&self.cast, profile)) as Box<dyn Actor>)
        });
        Stage {
            actors,
            attacker: her,
            network: setup.network.clone(),
            rng: self.cast.keys.stream(&["network"]),
            timeline: self.timeline(setup, attacker),
            prologue: self.prologue.clone(),
        }
    }

    fn timeline(&self, setup: &Setup, attacker: Option<&AttackerSpec>) -> Vec<(SimTime, Cue)> {
        let mut timeline = Vec::new();
        for (nth, event) in setup.events.iter().enumerate() {
            match &event.deed {
                EventDeed::Compromise { what, term } if attacker.is_some() => {
                    timeline.push((event.at, self.compromise(setup, nth, what, term)));
                }
                EventDeed::Compromise { .. } => {}
                EventDeed::Restart { party } => {
                    timeline.push((event.at, Cue::Input(party.clone(), Input::Restart)));
                }
                EventDeed::Revoke { subject, reason, by } => {
                    for party in by {
                        let input =
                            Input::Revoke { subject: subject.clone(), reason: reason.word().to_owned() };
                        timeline.push((event.at, Cue::Input(party.clone(), input)));
                    }
                }
                EventDeed::Rotate { key, keep } => {
                    for party in setup.holders(key) {
                        let input = Input::Rotate { key: key.clone(), keep: *keep };
                        timeline.push((event.at, Cue::Input(party, input)));
                    }
                }
            }
        }
        for run in self.cast.runs.values() {
            let initiator = self.cast.protocols.get(&run.protocol).map(|s| s.protocol.initiator());
            let Some(name) = initiator.and_then(|role| run.names.get(role)) else { continue };
            if attacker.is_none_or(|a| a.name != *name) {
                timeline.push((run.at, Cue::Input(name.clone(), Input::Start(run.clone()))));
            }
        }
        timeline.extend(self.her_runs(attacker));
        timeline
    }

    /// An attacker who plays an initiator starts a run of her own for each of its later ones.
    fn her_runs(&self, attacker: Option<&AttackerSpec>) -> Vec<(SimTime, Cue)> {
        let Some(AttackerSpec { name, plan: Plan::Impersonate(who), from, .. }) = attacker else {
            return Vec::new();
        };
        let starts = |run: &&Arc<RunSpec>| {
            let role = self.cast.protocols.get(&run.protocol).map(|s| s.protocol.initiator());
            role.and_then(|r| run.names.get(r)) == Some(who) && run.at >= *from
        };
        let first = self.cast.runs.keys().max().copied().unwrap_or(0) + 1;
        let hers = self.cast.runs.values().filter(starts).zip(first..);
        hers.map(|(run, number)| {
            let run = Arc::new(RunSpec { number, ..(**run).clone() });
            (run.at, Cue::Input(name.clone(), Input::Start(run)))
        })
        .collect()
    }

    fn compromise(&self, setup: &Setup, nth: usize, what: &Stolen, term: &Term) -> Cue {
        let term = term.clone();
        match what.clone() {
            Stolen::LongTerm(key) => {
                let value = self.long_term(setup, &key, &setup.ring_at(nth)).into_iter().next();
                let shown = key.to_string();
                Cue::Ask(Box::new(move |_| {
                    let what = What::Compromised { term: shown, run: None, value: value.clone() };
                    (what, value.map(|value| Input::Handed { term, value }))
                }))
            }
            Stolen::OfRun(of) => Cue::Ask(Box::new(move |journal| {
                let value = held_in(journal, &of);
                let what =
                    What::Compromised { term: of.to_string(), run: Some(of.run), value: value.clone() };
                (what, value.map(|value| Input::Handed { term, value }))
            })),
        }
    }

    /// The versions of a long-term key that there are, newest first.
    fn long_term(&self, setup: &Setup, key: &Term, ring: &Ring) -> Vec<Value> {
        let Term::App(func, _) = key else { return Vec::new() };
        let names = key.names();
        let keys = &self.cast.keys;
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
    fn long_term_keys(&self, setup: &Setup) -> Vec<(String, Value)> {
        let names: Vec<&Name> = self.cast.registered.iter().collect();
        let mut terms: Vec<Term> = names.iter().map(|n| Term::of(Func::Sk, &[n])).collect();
        for (nth, a) in names.iter().enumerate() {
            for b in &names[nth..] {
                terms.push(Term::of(Func::K, &[a, b]));
                terms.push(Term::of(Func::Pw, &[a, b]));
            }
        }
        let ring = setup.ring_at(setup.events.len());
        let versions =
            |t: Term| self.long_term(setup, &t, &ring).into_iter().map(move |v| (t.to_string(), v));
        terms.into_iter().flat_map(versions).chain(self.declared_long_term()).collect()
    }

    /// The values that protocols declare as held for the long term, of whoever owns them in
    /// some run.
    fn declared_long_term(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for run in self.cast.runs.values() {
            let Some(spoken) = self.cast.protocols.get(&run.protocol) else { continue };
            for value in spoken.protocol.values.iter().filter(|v| v.origin == Origin::LongTerm) {
                let owner = run.names.get(&value.role).or_else(|| spoken.services.get(&value.role));
                if let Some(owner) = owner {
                    let held = self.cast.keys.long_term(owner, &value.name, value.of);
                    all.insert(format!("{} of {owner}", value.name), held);
                }
            }
        }
        all
    }

    fn holdings(
        &self,
        setup: &Setup,
        journal: &Journal,
        her: Option<&Name>,
        leaked: &[(String, Value)],
    ) -> Holdings {
        Holdings::of(journal, setup.suite, &setup.protocols[0].1, her, leaked)
    }
}

/// Requests for certificates: for encryption, for signatures.
type Requests = [Option<Vec<u8>>; 2];

fn requests(name: &str, private: &Private) -> Requests {
    [
        private.decryption.as_ref().map(|k| pki::request_for_encryption(name, k)),
        private.signing.as_ref().map(|k| pki::request_for_signing(name, k)),
    ]
}

fn foreign_requests(name: &str, own: &SigningKey, of: &Public) -> Requests {
    [
        of.encryption.as_ref().map(|k| pki::foreign_request_for_encryption(name, k, own)),
        of.signature.as_ref().map(|k| pki::foreign_request_for_signing(name, k, own)),
    ]
}

fn all_uses(setup: &Setup) -> KeyUses {
    let uses = setup.protocols.iter().map(|(file, _)| file.protocol.uses);
    uses.fold(KeyUses::default(), |a, b| KeyUses {
        encryption: a.encryption || b.encryption,
        signature: a.signature || b.signature,
    })
}

/// The value that a run's parties have for a name by now: the first of them, or the one named.
fn held_in(journal: &Journal, of: &ValueRef) -> Option<Value> {
    journal.events().iter().find_map(|e| match &e.what {
        What::Concluded { session, term, value }
            if session.run == of.run
                && **term == *of.name
                && of.party.as_ref().is_none_or(|p| *p == session.party) =>
        {
            Some(value.clone())
        }
        _ => None,
    })
}
