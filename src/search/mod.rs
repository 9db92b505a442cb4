//! Searches for attacks that nobody wrote down: the programs of a protocol's roles on symbols,
//! within a bound; what is found is played on bytes before it is reported. Must not know files.

mod aim;
mod build;
mod bundle;
mod engine;
mod events;
mod find;
mod fit;
mod guess;
mod intruder;
mod learn;
mod names;
mod next;
mod role;
mod shared;
mod size;
mod sort;
mod spell;
mod store;
mod tell;
mod term;
mod unify;
mod ways;

use aim::Aim;
use bundle::{Bundle, Cast};
use engine::{Allowance, Engine};
use intruder::{Intruder, Powers};
use names::{Grouped, TooManyGroupings};
use role::{Ground, Template};
use sort::Widths;
use spell::Grouping;
use term::{Head, Term, Terms};

use std::collections::BTreeMap;

use crate::crypto::Suite;
use crate::notation::{Func, Goal, Name, Node, Origin, Protocol, Service};
use crate::wire::Encoding;

pub use bundle::Stolen;
pub use engine::Stop;
pub use tell::Told;

/// Within what a search looks, and what the attacker has beyond what everybody has.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Runs of the protocol at most.
    pub runs: usize,
    /// How fields become bytes.
    pub encoding: Encoding,
    /// Whether she has long-term keys of her own.
    pub insider: bool,
    /// Whether a party may take itself for its peer.
    pub self_talk: bool,
    /// Whether session keys of runs that are over come to her a day later.
    pub old_session_keys: bool,
    /// Whether parties take readings of clocks that are long past.
    pub lax_clock: bool,
    /// Roles of whose player she comes by something.
    pub stolen: Vec<(Name, Stolen)>,
    /// The passwords that honest parties are given, by their names; others have a common word.
    pub passwords: BTreeMap<Name, String>,
    /// Whether the world's attacker has a dictionary of her own.
    pub has_dictionary: bool,
    /// The algorithms.
    pub suite: Suite,
    /// States to look at for a goal.
    pub states: u64,
    /// Honest parties of the world in which the attack is to be played; others come after them.
    pub honest: Vec<Name>,
    /// The runs that this world has of its own, from run 1 on: who plays which client's role, `I`
    /// for the attacker; none of a run in which an attack does not take part.
    pub scheduled: Vec<Option<BTreeMap<Name, Name>>>,
}

/// What came of a search for attacks on one goal.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The attack, if there is one: the smallest.
    pub attack: Option<Told>,
    /// States that were looked at.
    pub states: u64,
    /// What ended the search before it was through.
    pub stop: Option<Stop>,
}

/// Names for honest parties: an attack needs two or three, and one for each role of a long ring.
const HONEST: [&str; 16] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl", "laura",
    "niaj", "olivia", "peggy", "rupert",
];

/// Searches for the smallest attack on a goal that `confirms`: that many runs first that need fewest.
pub fn search(
    protocol: &Protocol,
    goal: &Goal,
    bounds: &Bounds,
    is_over: &(dyn Fn() -> bool + Sync),
    confirms: &mut dyn FnMut(&Told) -> bool,
) -> Outcome {
    let mut outcome = Outcome { attack: None, states: 0, stop: None };
    if !protocol.voice.is_empty() || protocol.group.is_some() {
        // On symbols everything goes over the wire, and there is one group.
        return Outcome { stop: Some(Stop::Unsaid), ..outcome };
    }
    let Some(aim) = Aim::of(protocol, &goal.claim) else {
        return Outcome { stop: Some(Stop::Unsaid), ..outcome };
    };
    let mut is_unsaid = false;
    for runs in 1..=bounds.runs {
        let allowance = Allowance { states: bounds.states, is_over };
        let mut engine = engine(protocol, &aim, bounds, (runs, allowance));
        engine.states = outcome.states;
        let programs: usize = protocol.programs.values().map(Vec::len).sum();
        is_unsaid |= engine.cast.templates.len() < programs;
        let mut best = None;
        let done = engine.run(&aim, &mut |at, attack| {
            let mut holds =
                |at: &mut Intruder<'_>, bundle: &Bundle| aim.violated(protocol, at, bundle).is_some();
            let grouped = match at.runs(protocol, attack, runs, &mut holds) {
                Ok(Some(grouped)) => grouped,
                // It takes more runs.
                Ok(None) => return false,
                Err(TooManyGroupings) => {
                    is_unsaid = true;
                    return false;
                }
            };
            let named = at.name(&grouped.bundle, &mut holds);
            let told = named.and_then(|named| {
                let Grouped { runs, of, .. } = &grouped;
                let grouping = Grouping {
                    runs,
                    of,
                    scheduled: &bounds.scheduled,
                    passwords: &bounds.passwords,
                    has_dictionary: bounds.has_dictionary,
                };
                tell::tell(protocol, at, &named, &grouping)
            });
            let Some(told) = told else {
                is_unsaid = true;
                return false;
            };
            if !confirms(&told) {
                return false;
            }
            best = Some(told);
            true
        });
        outcome.states = engine.states;
        outcome.stop = done.err();
        outcome.attack = best;
        if outcome.attack.is_some() || outcome.stop.is_some() {
            break;
        }
    }
    // What could not be said was not searched to its end.
    if outcome.attack.is_none() && is_unsaid {
        outcome.stop = outcome.stop.or(Some(Stop::Unsaid));
    }
    outcome
}

fn engine<'a>(
    protocol: &'a Protocol,
    aim: &Aim,
    bounds: &Bounds,
    (runs, allowance): (usize, Allowance<'a>),
) -> Engine<'a> {
    let mut terms = Terms::new();
    let services = |role: &str| {
        let service = protocol.role(role)?.service?;
        let nth = Service::ALL.iter().position(|(other, _)| *other == service)?;
        Some(Head::Name(1 + nth as u32))
    };
    let ground = Ground { protocol, encoding: &bounds.encoding, services: &services };
    let mut cast = Cast::default();
    for (role, of) in protocol.roles.iter().enumerate() {
        let programs = protocol.programs.get(&of.name).map_or(0, Vec::len);
        cast.templates
            .extend((0..programs).filter_map(|program| Template::of(&ground, &mut terms, role, program)));
    }
    let names = ["mallory"].into_iter().chain(Service::ALL.iter().map(|(_, name)| *name));
    let others = HONEST.into_iter().filter(|name| bounds.honest.iter().all(|other| **other != **name));
    let names = names.chain(bounds.honest.iter().map(|name| &**name)).chain(others).map(str::to_owned);
    let more = (HONEST.len()..protocol.client_roles().count() + 2).map(|nth| format!("party{nth}"));
    let fields = match &bounds.encoding {
        Encoding::Untagged(widths) => Some(widths.clone()),
        Encoding::Tagged | Encoding::Labelled => None,
    };
    let shares = protocol.roles.iter().flat_map(|role| role.grants.iter().map(move |grant| (role, grant)));
    let public_shares = shares.filter_map(|(role, grant)| match grant {
        crate::notation::Term::Exp(of) if of.len() == 1 => {
            let nth = protocol.values.iter().position(|value| value.name == of[0])?;
            let value = &protocol.values[nth];
            (value.origin == Origin::LongTerm && value.role != role.name).then_some(nth as u32)
        }
        _ => None,
    });
    let stolen =
        bounds.stolen.iter().filter_map(|(role, what)| Some((protocol.table.find_name(role)?, *what)));
    let stolen = stolen.collect();
    let keys_travel = cast.templates.iter().any(|template| sends_keys(&terms, template));
    Engine {
        protocol,
        terms,
        widths: Widths {
            fields,
            suite: bounds.suite,
            atoms: Vec::new(),
            names: names.chain(more).collect(),
            services: Service::ALL.len(),
        },
        cast,
        powers: Powers {
            runs,
            insider: bounds.insider,
            leaks_at_end: matches!(aim, Aim::Secret { forward: true, .. }),
            stolen,
            self_talk: bounds.self_talk,
            old_session_keys: bounds.old_session_keys,
            lax_clock: bounds.lax_clock,
            public_shares: public_shares.collect(),
            keys_travel,
            sums: protocol.table.ids().any(|id| matches!(protocol.table.node(id), Node::App(Func::Xor, _))),
        },
        allowance,
        states: 0,
    }
}

/// Whether a part sends a long-term key, other than as what something is made with.
fn sends_keys(terms: &Terms, template: &Template) -> bool {
    fn has_key(terms: &Terms, term: Term) -> bool {
        let args = terms.args(term);
        match terms.head(term) {
            Head::OfAgents(Func::K | Func::Pw | Func::Sk) | Head::LongTerm(_) => true,
            Head::OfAgents(_) | Head::OneWay { .. } | Head::Power { .. } => false,
            Head::Seal { .. } => args[2..].iter().any(|arg| has_key(terms, *arg)),
            _ => args.iter().any(|arg| has_key(terms, *arg)),
        }
    }
    let sent = template.steps.iter().filter(|step| step.sends).flat_map(|step| &step.parts);
    sent.into_iter().any(|part| has_key(terms, *part))
}
