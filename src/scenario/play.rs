//! Plays a setup: casts it, runs the world, and judges what happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::enrolment;
use super::protocol_file::ProtocolFile;
use super::setup::Setup;
use super::setup::attacker::AttackerSpec;
use super::setup::event::{EventDeed, Stolen, ValueRef};
use super::setup::party::Party;
use crate::algebra::Value;
use crate::crypto::Suite;
use crate::journal::{Journal, Prints, What};
use crate::knowledge::{Keys, Ring};
use crate::limits::Reached;
use crate::notation::{Func, Id, KeyUses, Kind, Name, Origin, Protocol, Service, Term, Type};
use crate::party::attacker::{Attacker, Plan, Profile};
use crate::party::{
    Actor, Adversary, AttackerInput, Bureau, Cast, Character, Handed, Input, Intrusion, KMS_PROTOCOL, Keeper,
    KeeperSpec, Office, Order, Principal, RunSpec, Spoken, totp,
};
use crate::pki::{self, Authority, Fetch, Profiles, RelyingParty, TrustPolicy};
use crate::time::{EPOCH, SimTime, UnixNanos};
use crate::vault::Role;
use crate::verdict::{Bench, GoalVerdict, Holdings, Sessions, Setting, Traffic, Undecided, judge};
use crate::wire::Encoding;
use crate::world::{Cue, Edge, Halt, Stage};

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
    /// The versions of the long-term keys that were asked for.
    pub long_term: BTreeMap<Term, Vec<Value>>,
}

/// Plays a setup with its attacker and her compromises, or without. `asked` are long-term keys
/// whose values are of interest.
///
/// # Errors
/// A limit that was reached, or a defect.
pub fn play(
    setup: &Setup,
    seed: u64,
    with_attacker: bool,
    asked: &[&Term],
    pool: &KeyPool,
) -> Result<Played, Halt> {
    play_in(setup, seed, with_attacker, asked, pool, Surroundings::default())
}

/// Makes the edge of a play, of its long-term keys and the authority's certificate.
pub type Opening<'a> = Box<dyn FnOnce(&Arc<Keys>, &[u8]) -> Result<Box<dyn Edge>, Halt> + 'a>;

/// Where a play takes place.
pub struct Surroundings<'a> {
    /// The date at which virtual time is zero.
    pub epoch: UnixNanos,
    /// What certificates say beside names and keys.
    pub profiles: Profiles,
    /// In whose place somebody outside stands, and where the play meets that one.
    pub outside: Option<(Name, Opening<'a>)>,
}

impl Default for Surroundings<'_> {
    /// Nowhere: no program, no socket, the same date always.
    fn default() -> Self {
        Surroundings { epoch: EPOCH, profiles: Profiles::default(), outside: None }
    }
}

/// As `play`, in these surroundings.
///
/// # Errors
/// A limit that was reached, or a defect.
pub fn play_in(
    setup: &Setup,
    seed: u64,
    with_attacker: bool,
    asked: &[&Term],
    pool: &KeyPool,
    surroundings: Surroundings<'_>,
) -> Result<Played, Halt> {
    let attacker = setup.attacker.as_ref().filter(|_| with_attacker);
    let mut company = Company::gather(setup, pool.keys(seed, setup.suite), attacker, &surroundings)?;
    let mut stage = company.stage(setup, attacker)?;
    if let Some((_, open)) = surroundings.outside {
        let root = company.root.first().map(Vec::as_slice).unwrap_or_default();
        stage.edge = Some(open(&company.cast.keys, root)?);
    }
    let journal = stage.play()?;
    let protocols: BTreeMap<Name, Arc<Protocol>> = (setup.protocols.iter())
        .map(|(file, _)| (file.protocol.name.as_str().into(), Arc::new(file.protocol.clone())))
        .collect();
    let sessions = Sessions::of(&journal, &protocols);
    let traffic = Traffic::of(&journal);
    let her = attacker.map(|a| &a.name);
    let holdings = company.holdings(setup, &journal, her, &[])?;
    let mut goals = Vec::new();
    for (file, _) in &setup.protocols {
        let after_leak = || company.holdings(setup, &journal, her, &company.long_term_keys(setup));
        goals.extend(judge(&Bench {
            protocol: &file.protocol,
            journal: &journal,
            traffic: &traffic,
            sessions: &sessions,
            ring: &company.cast.ring,
            attacker: her,
            holdings: &holdings,
            after_leak: &after_leak,
        })?);
    }
    let ring = setup.ring_at(setup.events.len());
    let versions = |key: &&Term| {
        let mut all = company.long_term(setup, key, &ring);
        if let Some((owner, newest)) = renewed(&journal, key) {
            let renewed = |nth| company.cast.keys.renewed(&owner, nth, all_uses(setup)).to_value();
            all.extend((1..=newest).map(renewed));
        }
        ((*key).clone(), all)
    };
    let long_term = asked.iter().map(versions).collect();
    Ok(Played { journal, sessions, goals, holdings, long_term })
}

/// Everybody who takes part, before the play.
struct Company {
    cast: Arc<Cast>,
    authority: Option<Box<Authority>>,
    root: Vec<Vec<u8>>,
    /// Parties with one policy share what they read.
    trust: BTreeMap<TrustPolicy, RelyingParty>,
    prologue: Vec<What>,
    /// In whose place somebody outside stands.
    outside: Option<Name>,
}

impl Company {
    fn gather(
        setup: &Setup,
        keys: Arc<Keys>,
        attacker: Option<&AttackerSpec>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Company, Halt> {
        let Surroundings { epoch, profiles, outside } = surroundings;
        let insider = attacker.filter(|a| a.insider).map(|a| a.name.clone());
        let mut company = Company {
            cast: Arc::new(Cast {
                protocols: BTreeMap::new(),
                kdc: Service::Kdc.name().into(),
                kms: KMS_PROTOCOL.into(),
                main: setup.protocol().name.as_str().into(),
                keys: keys.clone(),
                epoch: *epoch,
                profiles: profiles.clone(),
                registered: setup.parties.keys().cloned().chain(insider).collect(),
                certificates: BTreeMap::new(),
                ring: setup.ring(),
                lifetimes: setup.lifetimes.clone(),
                horizon: setup.horizon(),
                code_digits: setup.key_centre.as_ref().map_or(6, |centre| centre.digits),
                runs: setup.runs.iter().map(|r| (r.number, Arc::new(r.clone()))).collect(),
            }),
            authority: None,
            root: Vec::new(),
            trust: BTreeMap::new(),
            prologue: Vec::new(),
            outside: outside.as_ref().map(|(name, _)| name.clone()),
        };
        let spoken = |(file, encoding): &(super::protocol_file::ProtocolFile, _)| {
            let name = Name::from(file.protocol.name.as_str());
            (name, Arc::new(Spoken::new(file.protocol.clone(), Clone::clone(encoding))))
        };
        let protocols = setup.protocols.iter().map(spoken).collect();
        let enrolled = enrolment::enrol(setup, &company.cast, attacker)?;
        let certificates = enrolled.certificates;
        company.root = enrolled.authority.iter().map(|authority| authority.root().to_vec()).collect();
        (company.authority, company.prologue) = (enrolled.authority, enrolled.prologue);
        let cast =
            Arc::get_mut(&mut company.cast).ok_or_else(|| Halt::Runtime("the cast is shared".into()))?;
        cast.protocols = protocols;
        cast.certificates = certificates;
        Ok(company)
    }

    fn character(&mut self, name: &Name, party: &Party) -> Arc<Character> {
        let policy = TrustPolicy { roots: self.root.clone(), ..party.trust.clone() };
        let fresh = || RelyingParty::new(Arc::new(policy.clone()));
        let trust = self.trust.entry(policy.clone()).or_insert_with(fresh).clone();
        Arc::new(Character {
            name: name.clone(),
            clock_offset: party.clock_offset,
            max_skew: party.max_skew,
            strength: party.strength,
            max_lifetime: party.max_lifetime,
            trust,
            is_judged_outside: self.outside.as_ref() == Some(name),
            staples: party.staples,
            session_max_age: party.session_max_age,
            recheck: party.recheck,
            watch_issuance: party.watch_issuance,
            replay_cache: party.replay_cache.clone(),
            persistent_cache: party.persistent_cache,
            knows_own: party.knows_own,
            stamps_after_start: party.stamps_after_start,
            alerts: party.alerts,
            rechecks: party.rechecks,
        })
    }

    /// The key centre at its counter, with a vault of its own.
    fn keeper(&self, setup: &Setup) -> Result<Option<Box<Keeper>>, Halt> {
        let Some(centre) = setup.key_centre.as_ref().filter(|_| setup.keeps_keys()) else { return Ok(None) };
        let principals = self.cast.registered.names().map(|name| {
            let role = centre.roles.get(name).copied().unwrap_or(Role::Client);
            (name.to_string(), role, centre.codes.contains(name).then(|| totp(&self.cast, name)))
        });
        let spec = KeeperSpec {
            sealed_under: centre.sealed_under.clone(),
            in_file: centre.in_file,
            policy: centre.policy.clone(),
            principals: principals.collect(),
        };
        let keeper = Keeper::new(spec, |purpose| self.cast.keys.stream(&["kdc", purpose]), self.cast.epoch);
        keeper.map(|keeper| Some(Box::new(keeper))).map_err(|reason| match Reached::behind(reason) {
            Some(reached) => reached.into(),
            None => Halt::Runtime(format!("no vault: {reason}")),
        })
    }

    fn stage(&mut self, setup: &Setup, attacker: Option<&AttackerSpec>) -> Result<Stage, Halt> {
        let mut actors: Vec<(Name, Box<dyn Actor>)> = Vec::new();
        for (name, party) in &setup.parties {
            let office = match Service::of(name) {
                Some(Service::Kdc) => Office::Kdc(self.keeper(setup)?),
                Some(Service::Ca) => {
                    let authority = self.authority.take();
                    Office::Ca(authority.map(|authority| Box::new(bureau(setup, authority))))
                }
                None => Office::Client,
            };
            let character = self.character(name, party);
            let principal = Principal::new(&self.cast, character, office);
            actors.push((name.clone(), Box::new(principal)));
        }
        let her = attacker.map(|spec| {
            let profile = Profile {
                character: self.character(&spec.name, &credulous()),
                insider: spec.insider,
                rules: spec.rules.clone(),
                forgeries: spec.forgeries.clone(),
                plan: spec.plan.clone(),
                from: spec.from,
                given: spec.given.clone(),
                dictionary: spec.dictionary.clone(),
                compares_nonces: spec.compares_nonces,
                computes_logarithms: spec.computes_logarithms,
                times: spec.times.clone(),
            };
            (spec.name.clone(), Box::new(Attacker::new(&self.cast, profile)) as Box<dyn Adversary>)
        });
        Ok(Stage {
            actors,
            attacker: her,
            network: setup.network.clone(),
            rng: self.cast.keys.stream(&["network"]),
            timeline: self.timeline(setup, attacker),
            prologue: self.prologue.clone(),
            prints: Prints::of(self.cast.keys.seed()),
            edge: None,
        })
    }

    fn timeline(&self, setup: &Setup, attacker: Option<&AttackerSpec>) -> Vec<(SimTime, Cue)> {
        let mut timeline = Vec::new();
        let order = |party: &Name, order| Cue::Input(party.clone(), Input::Order(order));
        let busy =
            |party: &Party| party.watch_issuance.is_some() || matches!(party.trust.fetch, Fetch::Every(_));
        for (name, _) in setup.parties.iter().filter(|(_, party)| busy(party)) {
            timeline.push((SimTime::ZERO, Cue::Input(name.clone(), Input::Begin)));
        }
        if attacker.is_some() {
            timeline.extend(self.directory(setup));
        }
        for (nth, event) in setup.events.iter().enumerate() {
            match &event.deed {
                EventDeed::Compromise { what, term } if attacker.is_some() => {
                    timeline.push((event.at, self.compromise(setup, nth, what, term)));
                }
                EventDeed::Compromise { .. } => {}
                EventDeed::Leak { of, leak } if attacker.is_some() => {
                    let theft = Intrusion::Theft(leak.clone());
                    timeline.push((event.at, Cue::Intrusion(of.clone(), theft)));
                }
                EventDeed::Leak { .. } => {}
                EventDeed::Quantum => {
                    let cues = attacker.into_iter().flat_map(|her| self.quantum(setup, &her.name));
                    timeline.extend(cues.map(|cue| (event.at, cue)));
                }
                EventDeed::PutBack if attacker.is_some() => {
                    let kdc = Service::Kdc.name().into();
                    timeline.push((event.at, Cue::Intrusion(kdc, Intrusion::PutBack)));
                }
                EventDeed::PutBack => {}
                EventDeed::Clock { party, offset } => {
                    timeline.push((event.at, order(party, Order::Clock(*offset))));
                }
                EventDeed::Restart { party } => {
                    timeline.push((event.at, order(party, Order::Restart)));
                }
                EventDeed::Revoke { subject, reason, by } => {
                    for party in by {
                        let revoke = Order::Revoke { subject: subject.clone(), reason: *reason };
                        timeline.push((event.at, order(party, revoke)));
                    }
                }
                EventDeed::Rotate { key, keep } => {
                    for party in setup.holders(key) {
                        let rotate = Order::Rotate { key: key.clone(), keep: *keep };
                        timeline.push((event.at, order(&party, rotate)));
                    }
                }
            }
        }
        for request in &setup.requests {
            let cue = match attacker.is_some_and(|attacker| attacker.name == request.by) {
                true => Cue::Attacker(AttackerInput::Request(request.clone())),
                false => Cue::Input(request.by.clone(), Input::Request(request.clone())),
            };
            timeline.push((request.at, cue));
        }
        for run in self.cast.runs.values() {
            let Some(spoken) = self.cast.protocols.get(&run.protocol) else { continue };
            for name in spoken.protocol.starters().filter_map(|(role, _)| run.names.get(role)) {
                // Whoever stands outside begins when it likes.
                let is_outside = self.outside.as_ref() == Some(name);
                if !is_outside && attacker.is_none_or(|a| a.name != *name) {
                    timeline.push((run.at, Cue::Input(name.clone(), Input::Start(run.clone()))));
                }
            }
        }
        timeline.extend(self.her_runs(attacker));
        timeline
    }

    /// An attacker who plays an initiator starts a run of her own for each of its later ones.
    fn her_runs(&self, attacker: Option<&AttackerSpec>) -> Vec<(SimTime, Cue)> {
        let Some(AttackerSpec { plan: Plan::Impersonate(who), from, .. }) = attacker else {
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
            (run.at, Cue::Attacker(AttackerInput::Start(run)))
        })
        .collect()
    }

    /// The attacker reads the shares and keys that are public, too, before anything happens.
    fn directory(&self, setup: &Setup) -> impl Iterator<Item = (SimTime, Cue)> {
        let (keys, ring, suite) = (self.cast.keys.clone(), setup.ring(), setup.suite);
        setup.public_shares().into_iter().filter_map(move |(term, owner)| {
            let [secret] = &term.names()[..] else { return None };
            let secret = |of: Type| keys.long_term(ring.owner(&owner), secret, of);
            let value = match &term {
                Term::Exp(_) => Value::new(Kind::Share, suite.agreement.share(&secret(Type::Dh).bytes).ok()?),
                _ => {
                    let key = suite.kem.encapsulation_key(&secret(Type::Kem).bytes).ok()?;
                    Value::new(Kind::Encapsulation, key)
                }
            };
            let what = What::Equipped { term: format!("{term} of {owner}"), value: value.clone() };
            Some((
                SimTime::ZERO,
                Cue::Ask(Box::new(move |_| (what, Some(Handed { term, value, run: None })))),
            ))
        })
    }

    fn compromise(&self, setup: &Setup, nth: usize, what: &Stolen, term: &Term) -> Cue {
        let term = term.clone();
        match what.clone() {
            Stolen::LongTerm(key) => {
                let value = self.long_term(setup, &key, &setup.ring_at(nth)).into_iter().next();
                let (keys, uses) = (self.cast.keys.clone(), all_uses(setup));
                let shown = key.to_string();
                Cue::Ask(Box::new(move |journal| {
                    let value = renewed(journal, &key)
                        .map(|(owner, nth)| keys.renewed(&owner, nth, uses).to_value())
                        .or(value);
                    let what = What::Compromised { term: shown, run: None, value: value.clone() };
                    (what, value.map(|value| Handed { term, value, run: None }))
                }))
            }
            Stolen::OfRun(of) => {
                let named = setup.protocols.iter().filter_map(|(file, _)| {
                    let id = file.protocol.named(&of.name)?;
                    Some((Name::from(file.protocol.name.as_str()), id))
                });
                let named: BTreeMap<Name, Id> = named.collect();
                Cue::Ask(Box::new(move |journal| {
                    let value = held_in(journal, &of, &named);
                    let what =
                        What::Compromised { term: of.to_string(), run: Some(of.run), value: value.clone() };
                    (what, value.map(|value| Handed { term, value, run: Some(of.run) }))
                }))
            }
        }
    }

    /// She has a quantum computer, and with it the private keys of everybody's public ones that fall.
    fn quantum(&self, setup: &Setup, her: &Name) -> Vec<Cue> {
        let by = her.clone();
        let mut cues = vec![Cue::Ask(Box::new(move |_| (What::Quantum { by }, None)))];
        for owner in self.cast.registered.names().filter(|name| *name != her) {
            let (keys, uses, owner) = (self.cast.keys.clone(), all_uses(setup), owner.clone());
            let term = Term::of(Func::Sk, &[&owner]);
            if keys.private(&owner, uses).falls_to_quantum().is_none() {
                continue;
            }
            cues.push(Cue::Ask(Box::new(move |journal| {
                let private = match renewed(journal, &term) {
                    Some((owner, nth)) => keys.renewed(&owner, nth, uses),
                    None => keys.private(&owner, uses),
                };
                let value = private.falls_to_quantum().unwrap_or_default().to_value();
                let from = Box::new(vec![private.public().to_value()]);
                let (told, how) = (term.to_string().into(), "a quantum computer's work on".into());
                let what = What::Recovered { term: told, how, from, value: value.clone() };
                (what, Some(Handed { term, value, run: None }))
            })));
        }
        cues
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
        let names: Vec<&Name> = self.cast.registered.names().collect();
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

    /// The values that protocols declare as held for the long term, of everyone who may own
    /// them: the attacker opens runs in which nobody says who plays.
    fn declared_long_term(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for spoken in self.cast.protocols.values() {
            for value in spoken.protocol.values.iter().filter(|v| v.origin == Origin::LongTerm) {
                let owners = self.cast.registered.names().chain(spoken.services.get(&value.role));
                for owner in owners.map(|owner| self.cast.principal_of(owner)) {
                    let held = self.cast.keys.long_term(owner, &value.name, value.of);
                    all.insert(format!("{} of {owner}", value.name), held);
                }
            }
        }
        all
    }

    /// Everybody's private keys by now, where some event gives the attacker a quantum computer.
    fn breakable(&self, setup: &Setup, journal: &Journal) -> Vec<Value> {
        if setup.events.iter().all(|event| event.deed != EventDeed::Quantum) {
            return Vec::new();
        }
        let (keys, uses) = (&self.cast.keys, all_uses(setup));
        let of = |owner: &Name| {
            let newest = renewed(journal, &Term::of(Func::Sk, &[owner])).map_or(0, |(_, nth)| nth);
            let renewed = (1..=newest).map(|nth| keys.renewed(owner, nth, uses));
            let all: Vec<Value> = renewed.chain([keys.private(owner, uses)]).map(|k| k.to_value()).collect();
            all
        };
        self.cast.registered.names().flat_map(of).collect()
    }

    fn holdings(
        &self,
        setup: &Setup,
        journal: &Journal,
        her: Option<&Name>,
        leaked: &[(String, Value)],
    ) -> Result<Holdings, Undecided> {
        let encoding = |protocol: &str| {
            let named = |(file, _): &&(ProtocolFile, Encoding)| file.protocol.name == protocol;
            setup.protocols.iter().find(named).map(|(_, encoding)| encoding)
        };
        let encodings = setup.protocols.iter().map(|(_, encoding)| encoding).collect();
        let setting = Setting {
            suite: setup.suite,
            encoding: &encoding,
            encodings,
            attacker: her,
            breakable: self.breakable(setup, journal),
        };
        Holdings::of(journal, &setting, leaked)
    }
}

/// The authority at its counter, as the scenario describes it.
fn bureau(setup: &Setup, authority: Box<Authority>) -> Bureau {
    let subscribers = setup.parties.iter().filter(|(_, party)| party.push).map(|(name, _)| name.clone());
    Bureau {
        authority,
        office: pki::Office { authorises: setup.ca.authorises, officers: setup.ca.officers.clone() },
        down: setup.ca.down.clone(),
        subscribers: subscribers.collect(),
    }
}

/// The attacker believes whatever she is shown: she only reads it.
fn credulous() -> Party {
    let trust = TrustPolicy { check_chain: false, check_name: false, ..Party::default().trust };
    Party { trust, ..Party::default() }
}

pub(super) fn all_uses(setup: &Setup) -> KeyUses {
    let uses = setup.protocols.iter().map(|(file, _)| file.protocol.uses);
    uses.fold(KeyUses::default(), KeyUses::and)
}

/// Whose keys these are and for how manieth time they were renewed, if they were.
fn renewed(journal: &Journal, key: &Term) -> Option<(Name, u32)> {
    let Term::App(Func::Sk, _) = key else { return None };
    let [owner] = &key.names()[..] else { return None };
    journal.events().iter().rev().find_map(|e| match &e.what {
        What::Rekeyed { party, version } if party == owner => Some((party.clone(), *version)),
        _ => None,
    })
}

/// The value that a run's parties have for a name by now, which stands for these terms: the
/// first of them, or the one named.
fn held_in(journal: &Journal, of: &ValueRef, named: &BTreeMap<Name, Id>) -> Option<Value> {
    journal.events().iter().find_map(|e| match &e.what {
        What::Concluded { session, id, value, .. }
            if session.run == of.run
                && named.get(&session.protocol) == Some(id)
                && of.party.as_ref().is_none_or(|p| *p == session.party) =>
        {
            Some(value.clone())
        }
        _ => None,
    })
}

impl From<Undecided> for Halt {
    fn from(undecided: Undecided) -> Halt {
        let Undecided::Limit { steps } = undecided;
        Halt::Limit {
            name: "MAX_DERIVATION_STEPS",
            value: steps,
            cause: "what the attacker can compute takes more steps to find out",
        }
    }
}
