//! The attacker: a task on the wire. Every message passes her before it goes anywhere. She
//! works by a narration, by rules or by a tactic, and builds what she sends with the same
//! engine as everyone else, from what she holds. Must not know anybody's secrets but her own.

mod bleichenbacher;
mod change;
mod connections;
mod dictionary;
mod directory;
mod ecdsa;
mod extension;
mod format;
mod gcm;
mod hand;
mod index_calculus;
mod logarithm;
mod low_order;
mod meddling;
mod moduli;
mod narration;
mod oracle;
mod padding;
mod papers;
mod plain;
mod puppet;
mod records;
mod rules;
mod subgroup;
mod tactics;
mod trials;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cast::{Cast, Character, RunSpec};
use super::{Adversary, AttackerEffect, AttackerInput, Effects, Handed};
use crate::algebra::Value;
use crate::journal::{Sight, What};
use crate::limits::{MAX_ATTACKER_ACTIONS, MAX_GUESSES, Reached};
use crate::notation::{Attack, Func, KeyUses, Name, Node, Term};
use crate::reason::Reason;
use crate::time::{SimTime, Span};

pub use change::{Change, Place};
use connections::Connections;
use dictionary::{Guesser, Notes};
use directory::Directory;
pub use extension::Extension;
pub use meddling::Meddling;
pub use papers::{Forger, Forgery, SHARE};
pub use rules::{Action, Match, Rule};

/// What the attacker sets out to do.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Listen.
    Eavesdrop,
    /// Follow a narration.
    Narration(Arc<Attack>),
    /// Stand between clients and play each to the other, with values of her own.
    Mitm,
    /// Send again, in runs of her own, what clients said in earlier ones.
    Replay,
    /// Return to each client what it sent, as if its peer had.
    Reflect,
    /// Change a bit of each message.
    Tamper,
    /// Play this party.
    Impersonate(Name),
    /// Decrypt a recorded message by asking its receiver at most so often whether a padding is
    /// right.
    PaddingOracle(u32),
    /// The same with a ciphertext of RSA.
    Bleichenbacher(u32),
    /// Find a party's exponent by sending it at most so many shares of small order.
    SmallSubgroup(u32),
}

/// How a scenario describes the attacker.
#[derive(Clone)]
pub struct Profile {
    /// Her name, clock and trust.
    pub character: Arc<Character>,
    /// Whether she is registered: has long-term keys and a certificate of her own.
    pub insider: bool,
    /// What becomes of messages whatever she sets out to do: the first rule that fits counts.
    pub rules: Vec<Rule>,
    /// Certificates that she forges.
    pub forgeries: Vec<Forgery>,
    /// What she sets out to do.
    pub plan: Plan,
    /// Until then she only listens.
    pub from: SimTime,
    /// Data of hers, in place of what a scenario gives to honest parties.
    pub given: BTreeMap<Name, Value>,
    /// Words that she tries for passwords, in this order.
    pub dictionary: Vec<String>,
    /// Whether she looks for signatures with one nonce.
    pub compares_nonces: bool,
    /// Whether she looks for keys of RSA with a prime in common.
    pub compares_moduli: bool,
    /// Whether she computes the exponents of shares, where the group is small enough.
    pub computes_logarithms: bool,
    /// How many hashes she may try for a value that she finds so.
    pub trials: u32,
    /// The time before which she does not send a line of her narration, by run and line.
    pub times: BTreeMap<(u32, u32), SimTime>,
}

/// The attacker.
pub struct Attacker {
    cast: Arc<Cast>,
    profile: Profile,
    ruler: rules::Ruler,
    papers: papers::Papers,
    directory: Directory,
    connections: Connections,
    mind: Box<dyn Mind>,
    guesser: Guesser,
    analyst: ecdsa::Analyst,
    logician: logarithm::Logician,
}

/// What drives her.
trait Mind: Send {
    /// The play begins, or the time from which she acts has come.
    fn begin(&mut self, _desk: &mut Desk<'_>) {}
    /// A message is on the wire. Unless she says otherwise here, it goes no further.
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>);
    /// A message is on the wire before the time from which she acts; it passes.
    fn listen(&mut self, _message: &Sight) {}
    /// An event handed her a value.
    fn handed(&mut self, _term: &Term, _value: &Value, _desk: &mut Desk<'_>) {}
    /// She starts a run of her own.
    fn start(&mut self, _run: &RunSpec, _desk: &mut Desk<'_>) {}
    /// Her notebook, in which what she made herself stands beside what she read.
    fn notebook(&mut self) -> Option<&mut hand::Hand> {
        None
    }
    /// A timer of hers went off.
    fn timer(&mut self, _number: u64, _desk: &mut Desk<'_>) {}
    /// Nothing more will happen.
    fn end(&mut self, _desk: &mut Desk<'_>) {}
}

/// What she has at hand while she decides.
struct Desk<'a> {
    cast: &'a Arc<Cast>,
    profile: &'a Profile,
    directory: &'a Directory,
    connections: &'a Connections,
    now: SimTime,
    /// Whether the time has come from which she acts; before, she only listens and keeps.
    active: bool,
    effects: &'a mut Effects<AttackerEffect>,
}

impl Desk<'_> {
    /// Lets a message go on.
    fn pass(&mut self, message: Sight) {
        self.effects.all.push(AttackerEffect::Pass(Arc::new(message), Span(0)));
    }

    /// Lets a message go on, later.
    fn pass_later(&mut self, message: Sight, by: Span) {
        self.effects.note(What::Delayed { id: message.id, by });
        self.effects.all.push(AttackerEffect::Pass(Arc::new(message), by));
    }

    /// Takes a message off the wire.
    fn take(&mut self, message: &Sight) {
        self.effects.note(What::Taken { id: message.id });
    }

    /// Puts a message on the wire.
    fn inject(&mut self, mut message: Sight, instead_of: Option<u64>) {
        // What goes in a message's place goes on its connection.
        if instead_of.is_none() && rules::is_service(&message.protocol) {
            message.question = self.connections.of(&message);
        }
        let message = Arc::new(message);
        self.effects.all.push(AttackerEffect::Inject { message, instead_of, after: Span(0) });
    }

    /// Ends the play where a limit keeps her from making or reading something: what she could do
    /// with it is not known.
    fn stop_at_limit(&mut self, reason: Reason) {
        self.effects.all.extend(Reached::behind(reason).map(AttackerEffect::Halt));
    }

    /// Counts a word that she tries; false if she may try no more.
    fn may_guess(&mut self, tried: &mut usize) -> bool {
        *tried += 1;
        let may = *tried <= MAX_GUESSES;
        if !may {
            let cause = "many words for many passwords";
            let (name, value) = ("MAX_GUESSES", MAX_GUESSES);
            self.effects.all.push(AttackerEffect::Halt(Reached { name, value, cause }));
        }
        may
    }

    /// Whether a party is a client: neither a service nor herself.
    fn is_client(&self, name: &str) -> bool {
        *self.profile.character.name != *name && !crate::notation::Service::ALL.iter().any(|s| s.1 == name)
    }
}

impl Attacker {
    /// An attacker with this profile.
    pub fn new(cast: &Arc<Cast>, profile: Profile) -> Attacker {
        let mind: Box<dyn Mind> = match &profile.plan {
            Plan::Eavesdrop => Box::new(tactics::Eavesdrop),
            Plan::Narration(attack) => Box::new(narration::Narrator::new(cast, &profile, attack)),
            Plan::Mitm => Box::new(puppet::Mitm::default()),
            Plan::Impersonate(name) => Box::new(puppet::Impersonator::new(name.clone())),
            Plan::Replay => Box::new(tactics::Replay::default()),
            Plan::Reflect => Box::new(tactics::Reflect::default()),
            Plan::PaddingOracle(budget) => Box::new(oracle::PaddingOracle::new(oracle::Padded::Cbc, *budget)),
            Plan::Bleichenbacher(budget) => {
                Box::new(oracle::PaddingOracle::new(oracle::Padded::Rsa, *budget))
            }
            Plan::SmallSubgroup(budget) => Box::new(subgroup::SmallSubgroup::new(*budget)),
            Plan::Tamper => Box::new(tactics::Tamper::new(cast, &profile)),
        };
        let ruler = rules::Ruler::new(cast, &profile);
        let (guesser, papers) = (Guesser::new(&profile), papers::Papers::new(cast, &profile));
        let directory = Directory::new(cast);
        let connections = Connections::default();
        let analyst = ecdsa::Analyst::new(profile.compares_nonces);
        let rng = cast.keys.stream(&[&profile.character.name, "logarithms"]);
        let logician = logarithm::Logician::new(profile.computes_logarithms, rng);
        Attacker {
            cast: cast.clone(),
            guesser,
            analyst,
            logician,
            profile,
            ruler,
            papers,
            directory,
            connections,
            mind,
        }
    }

    /// Tries her words on what stands in the notebook of her plan, as long as that gives her more.
    fn guess_in_notebook(&mut self, message: &Sight, now: SimTime, effects: &mut Effects<AttackerEffect>) {
        let Attacker { cast, profile, directory, connections, mind, guesser, .. } = self;
        let active = now >= profile.from;
        let mut desk = Desk { cast, profile, directory, connections, now, active, effects };
        // Each time she has one password more.
        while let Some(hand) = mind.notebook() {
            let found = guesser.look_in((hand, Notes::OfHerPlan), message, &mut desk);
            if found.is_empty() {
                return;
            }
            for (term, value) in found {
                mind.handed(&term, &value, &mut desk);
            }
        }
    }

    /// What she has before anything happens: the keys of her own registration.
    fn equip(&self, effects: &mut Effects<AttackerEffect>) {
        let name = &self.profile.character.name;
        let mut own = Vec::new();
        let mut tables = self.cast.protocols.values().map(|spoken| &spoken.protocol.table);
        let passwords = tables.any(|t| t.ids().any(|id| matches!(t.node(id), Node::App(Func::Pw, _))));
        let shared: &[Func] = if passwords { &[Func::K, Func::Pw] } else { &[Func::K] };
        if self.profile.insider {
            for other in self.cast.registered.names().filter(|o| *o != name) {
                let secret =
                    |func: &Func| (Term::of(*func, &[name, other]), self.cast.secret_of(*func, name, other));
                own.extend(shared.iter().map(secret).map(|(term, value)| (term.to_string(), value)));
            }
        }
        let uses = self.cast.protocols.values().map(|spoken| spoken.protocol.uses);
        let uses = uses.fold(KeyUses::default(), KeyUses::and);
        if uses.encryption || uses.signature {
            own.push((format!("sk({name})"), self.cast.keys.private(name, uses).to_value()));
        }
        for (term, value) in own {
            effects.note(What::Equipped { term, value });
        }
    }
}

impl Adversary for Attacker {
    fn handle(&mut self, input: AttackerInput, now: SimTime, effects: &mut Effects<AttackerEffect>) {
        let Attacker {
            cast,
            profile,
            ruler,
            papers,
            directory,
            connections,
            mind,
            guesser,
            analyst,
            logician,
        } = self;
        if let AttackerInput::OnWire(message) = &input {
            directory.note(message);
            connections.note(message);
        }
        let active = now >= profile.from;
        let mut desk = Desk { cast, profile, directory, connections, now, active, effects };
        if let AttackerInput::OnWire(message) = &input {
            for (term, value) in guesser.look(message, &mut desk) {
                mind.handed(&term, &value, &mut desk);
            }
            let computed = analyst.look(message, &mut desk).into_iter();
            for (term, value) in computed.chain(logician.look(message, &mut desk)).collect::<Vec<_>>() {
                ruler.handed(&term, &value, &mut desk);
                mind.handed(&term, &value, &mut desk);
            }
        }
        let seen = match &input {
            AttackerInput::OnWire(message) => Some(message.clone()),
            _ => None,
        };
        match input {
            AttackerInput::Begin => {
                if active {
                    mind.begin(&mut desk);
                } else {
                    let from = profile.from;
                    desk.effects.all.push(AttackerEffect::Timer(from, WAKE));
                }
                for (term, value) in papers.begin(&mut desk) {
                    mind.handed(&term, &value, &mut desk);
                }
                let factored = if profile.compares_moduli { moduli::compare(&mut desk) } else { Vec::new() };
                for (term, value) in factored {
                    ruler.handed(&term, &value, &mut desk);
                    mind.handed(&term, &value, &mut desk);
                }
                self.equip(effects);
            }
            AttackerInput::OnWire(message) => {
                ruler.keep(&message, &mut desk);
                if let Some((term, value)) = papers.answer(&message, &mut desk) {
                    mind.handed(&term, &value, &mut desk);
                }
                papers.key_centre(&message, &mut desk);
                let spoken = cast.protocols.get(&message.protocol);
                if spoken.is_some_and(|spoken| spoken.is_said(message.line)) {
                    // She hears what people say, and no more.
                    mind.listen(&message);
                    desk.effects.all.push(AttackerEffect::Pass(message, Span(0)));
                } else if active {
                    if let Some(message) = ruler.on_wire(Sight::clone(&message), &mut desk) {
                        mind.on_wire(message, &mut desk);
                    }
                } else {
                    mind.listen(&message);
                    desk.effects.all.push(AttackerEffect::Pass(message, Span(0)));
                }
            }
            AttackerInput::Handed(Handed { term, value, run }) => {
                ruler.know(&value, run, &mut desk);
                ruler.handed(&term, &value, &mut desk);
                mind.handed(&term, &value, &mut desk);
                for (term, value) in papers.handed(&term, &value, &mut desk) {
                    mind.handed(&term, &value, &mut desk);
                }
            }
            AttackerInput::Request(spec) => papers.ask(&spec, &mut desk),
            AttackerInput::Start(run) => mind.start(&run, &mut desk),
            AttackerInput::Timer(WAKE) => mind.begin(&mut desk),
            AttackerInput::Timer(number) if number & papers::ASKED != 0 => papers.again(number, &mut desk),
            AttackerInput::Timer(number) if number & rules::RULED != 0 => ruler.timer(number, &mut desk),
            AttackerInput::Timer(number) => mind.timer(number, &mut desk),
            AttackerInput::End => {
                ruler.end(&mut desk);
                logician.end(&mut desk);
                mind.end(&mut desk);
            }
        }
        if let Some(message) = seen.filter(|_| self.guesser.has_words()) {
            self.guess_in_notebook(&message, now, effects);
        }
        silence(&self.cast, effects);
        let is_act = |effect: &&AttackerEffect| {
            matches!(effect, AttackerEffect::Pass(..) | AttackerEffect::Inject { .. })
        };
        if effects.all.iter().filter(is_act).count() > MAX_ATTACKER_ACTIONS {
            let (name, value) = ("MAX_ATTACKER_ACTIONS", MAX_ATTACKER_ACTIONS);
            let cause = "a rule that releases a flood at once";
            effects.all.insert(0, AttackerEffect::Halt(Reached { name, value, cause }));
        }
        let Attacker { cast, profile, directory, connections, guesser, .. } = self;
        if guesser.has_words() {
            let injected = |effect: &AttackerEffect| match effect {
                AttackerEffect::Inject { message, .. } => Some(message.clone()),
                _ => None,
            };
            let injected: Vec<_> = effects.all.iter().filter_map(injected).collect();
            let mut desk = Desk { cast, profile, directory, connections, now, active, effects };
            injected.iter().for_each(|message| guesser.note(message, &mut desk));
        }
    }
}

/// Takes away what she would say in people's voices, and says so.
fn silence(cast: &Cast, effects: &mut Effects<AttackerEffect>) {
    let said = |message: &Sight| {
        cast.protocols.get(&message.protocol).is_some_and(|spoken| spoken.is_said(message.line))
    };
    let mut silenced = Vec::new();
    effects.all.retain(|effect| {
        let (AttackerEffect::Inject { message, .. } | AttackerEffect::Query(message)) = effect else {
            return true;
        };
        if said(message) {
            silenced.push(format!("{}.{}", message.run, message.line));
        }
        !said(message)
    });
    for line in silenced {
        let lacked = "people know each other's voices, and hers is none of them".to_owned();
        effects.note(What::AttackStopped { line, lacked });
    }
}

/// The timer that ends her listening; minds number theirs from 0.
const WAKE: u64 = u64::MAX;
