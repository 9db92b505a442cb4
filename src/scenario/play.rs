//! Plays a setup: casts it, runs the world, and judges what happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::enrolment;
use super::long_term;
use super::protocol_file::ProtocolFile;
use super::setup::Setup;
use super::setup::attacker::AttackerSpec;
use super::setup::party::Party;
use super::timeline::Timeline;
use crate::algebra::Value;
use crate::crypto::Suite;
use crate::journal::{Journal, Prints, What};
use crate::knowledge::Keys;
use crate::limits::Reached;
use crate::notation::{Name, Protocol, Service, Term};
use crate::party::attacker::{Attacker, Profile};
use crate::party::{
    Actor, Adversary, Bureau, Cast, Character, KMS_PROTOCOL, Keeper, KeeperSpec, Office, Principal, Spoken,
    totp,
};
use crate::pki::{self, Authority, Profiles, RelyingParty, TrustPolicy};
use crate::time::{EPOCH, UnixNanos};
use crate::vault::Role;
use crate::verdict::{Bench, GoalVerdict, Holdings, Sessions, Setting, Traffic, Undecided, judge};
use crate::wire::Encoding;
use crate::world::{Edge, Halt, Stage};

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
    /// The number of the event after which the attacker is but a wire, if she is stopped.
    pub wire_after: Option<u64>,
}

impl Default for Surroundings<'_> {
    /// Nowhere: no program, no socket, the same date always.
    fn default() -> Self {
        Surroundings { epoch: EPOCH, profiles: Profiles::default(), outside: None, wire_after: None }
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
    stage.wire_after = surroundings.wire_after;
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
        let after_leak = || company.holdings(setup, &journal, her, &long_term::all(setup, &company.cast));
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
        let mut all = long_term::versions(setup, &company.cast, key, &ring);
        if let Some((owner, newest)) = long_term::renewed(&journal, key) {
            let renewed = |nth| company.cast.keys.renewed(&owner, nth, long_term::all_uses(setup)).to_value();
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
        let Surroundings { epoch, profiles, outside, wire_after: _ } = surroundings;
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
            min_strength: party.min_strength,
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
            newest: party.newest.clone(),
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
                compares_moduli: spec.compares_moduli,
                computes_logarithms: spec.computes_logarithms,
                trials: spec.trials,
                times: spec.times.clone(),
            };
            (spec.name.clone(), Box::new(Attacker::new(&self.cast, profile)) as Box<dyn Adversary>)
        });
        let timeline = Timeline { setup, cast: &self.cast, attacker, outside: self.outside.as_ref() };
        Ok(Stage {
            actors,
            attacker: her,
            network: setup.network.clone(),
            rng: self.cast.keys.stream(&["network"]),
            timeline: timeline.cues(),
            prologue: self.prologue.clone(),
            prints: Prints::of(self.cast.keys.seed()),
            edge: None,
            wire_after: None,
        })
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
            breakable: long_term::breakable(setup, &self.cast, journal),
            dictionary: setup.attacker.as_ref().map_or(&[], |her| &her.dictionary),
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
