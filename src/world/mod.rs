//! The world: virtual time, the order of events, the network. One loop owns them; parties
//! are tasks that wait for it. Must not know what a message means: it never sees a key.

mod agenda;
mod edge;
mod halt;
mod network;
mod shell;
mod spans;

use std::sync::Arc;

use smol_str::SmolStr;

use crate::algebra::Value;
use crate::crypto::Rng;
use crate::hashed::Hashed;
use crate::journal::{Journal, Prints, Sight, What};
use crate::limits::{
    MAX_EVENTS, MAX_JOURNAL_BYTES, MAX_MESSAGE_BYTES, MAX_MESSAGES, MAX_VIRTUAL_SECONDS, Reached,
};
use crate::notation::Name;
use crate::party::{
    Actor, Adversary, AttackerEffect, AttackerInput, Effect, Effects, Handed, Input, Intrusion,
};
use crate::time::{SimTime, Span};

/// How a message comes to be longer than one may be.
const LARGE_PARTS: &str = "messages made of whole messages";

use agenda::Agenda;
pub use edge::{Arrival, Edge, Waited};
pub use halt::Halt;
pub use network::{Link, Network};
use shell::{Letter, Troupe};
use spans::Turn;

/// Everything that a play consists of, before it begins.
pub struct Stage {
    /// The honest parties.
    pub actors: Vec<(Name, Box<dyn Actor>)>,
    /// The attacker, if there is one: all messages pass her.
    pub attacker: Option<(Name, Box<dyn Adversary>)>,
    /// How messages travel.
    pub network: Network,
    /// The network's generator.
    pub rng: Rng,
    /// What happens at set times, in order for equal times.
    pub timeline: Vec<(SimTime, Cue)>,
    /// What is recorded before anything happens.
    pub prologue: Vec<What>,
    /// How fingerprints leave the play.
    pub prints: Prints,
    /// Where it touches what is not of it, if it does.
    pub edge: Option<Box<dyn Edge>>,
    /// The number of the event after which the attacker is but a wire: all messages pass, and she
    /// sends none. Never if none.
    pub wire_after: Option<u64>,
}

/// Looks at what happened so far and says what is recorded, and what the attacker gets.
pub type Question = Box<dyn FnOnce(&Journal) -> (What, Option<Handed>) + Send>;

/// Something that happens at a set time. What is for somebody who does not play does not happen.
pub enum Cue {
    /// An honest party is told something.
    Input(Name, Input),
    /// Something befalls an honest party; what is stolen is the attacker's.
    Intrusion(Name, Intrusion),
    /// The attacker is told something.
    Attacker(AttackerInput),
    /// Looks at what happened so far; then this is recorded, and the attacker gets that.
    Ask(Question),
}

impl Stage {
    /// Plays to the end: until nothing is due any more.
    ///
    /// # Errors
    /// A limit that was reached, or a defect.
    pub fn play(self) -> Result<Journal, Halt> {
        // Without Tokio's clock: time is the heap's, and no task can sleep on another.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|e| Halt::Runtime(e.to_string()))?;
        // As a task among the parties: the way to it is then as short as the way to them.
        let world = runtime.spawn(self.run());
        runtime.block_on(world).unwrap_or_else(|died| std::panic::resume_unwind(died.into_panic()))
    }

    /// As `play`, on a `current_thread` runtime that is there already.
    pub async fn run(self) -> Result<Journal, Halt> {
        let Stage { actors, attacker, network, rng, mut timeline, prologue, prints, edge, wire_after } = self;
        let (mut honest, mut names, mut places) = (Troupe::new(), Vec::new(), Hashed::default());
        for (name, mut actor) in actors {
            let work = move |told, now, outcome: &mut Outcome| match told {
                Told::Input(input) => actor.handle(input, now, &mut outcome.effects),
                Told::Intrusion(intrusion) => {
                    let value = actor.suffer(&intrusion, now, &mut outcome.effects);
                    outcome.suffered = Some((intrusion, value));
                }
            };
            places.insert((&*name).into(), honest.add(work));
            names.push(name);
        }
        if attacker.is_some() {
            timeline.insert(0, (SimTime::ZERO, Cue::Attacker(AttackerInput::Begin)));
        }
        timeline.sort_by_key(|(at, _)| *at);
        let attacker = attacker.map(|(name, mut adversary)| {
            let mut task = Troupe::new();
            let work = move |input, now, effects: &mut Effects<AttackerEffect>| {
                adversary.handle(input, now, effects);
            };
            task.add(work);
            (name, task)
        });
        // All at once, while the places are at hand.
        let place = |name: &Name| places.get(&**name).copied();
        let set = |(at, cue)| {
            let due = match cue {
                Cue::Ask(ask) => Due::Ask(ask),
                Cue::Input(name, input) => Due::Told(place(&name)?, Box::new(Told::Input(input))),
                Cue::Intrusion(name, intrusion) => {
                    Due::Told(place(&name)?, Box::new(Told::Intrusion(intrusion)))
                }
                Cue::Attacker(input) => Due::Attacker(Box::new(attacker.as_ref().map(|_| input)?)),
            };
            Some((at, due))
        };
        let mut world = World {
            journal: Journal::of(timeline.len(), prints),
            agenda: Agenda::of(timeline.into_iter().filter_map(set).collect()),
            met: vec![false; names.len()],
            honest,
            names,
            places,
            attacker,
            network,
            rng,
            edge,
            wire_after,
            now: SimTime::ZERO,
            messages: 0,
        };
        for what in prologue {
            world.journal.push(SimTime::ZERO, None, what);
        }
        world.run().await
    }
}

struct World {
    honest: Troupe<Told, Outcome>,
    /// The honest parties' names, and whether they took part yet.
    names: Vec<Name>,
    met: Vec<bool>,
    places: Hashed<SmolStr, usize>,
    attacker: Option<(Name, Troupe<AttackerInput, Effects<AttackerEffect>>)>,
    network: Network,
    rng: Rng,
    edge: Option<Box<dyn Edge>>,
    wire_after: Option<u64>,
    agenda: Agenda<Due>,
    journal: Journal,
    now: SimTime,
    messages: u64,
}

/// What an honest party's task is told.
enum Told {
    Input(Input),
    Intrusion(Intrusion),
}

/// What comes of it.
#[derive(Default)]
struct Outcome {
    effects: Effects,
    /// What befell the party, and what a thief got.
    suffered: Option<(Intrusion, Option<Value>)>,
}

/// What is due at some time.
enum Due {
    Told(usize, Box<Told>),
    Attacker(Box<AttackerInput>),
    Ask(Question),
    Delivery(Arc<Sight>),
    Injection(Arc<Sight>, Option<u64>),
    Query(Arc<Sight>),
}

impl Outcome {
    /// Whether a message came to nothing but a refusal, and words about it that carry no value.
    fn is_mere_refusal(&self) -> bool {
        let is_refusal = |effect: &Effect| match effect {
            Effect::Note(what) => {
                what.topics().refusal.is_some_and(|reason| Reached::behind(reason).is_none())
            }
            Effect::Send(_) | Effect::Timer(..) | Effect::Present(_) => false,
        };
        let is_of_it = |effect: &Effect| match effect {
            Effect::Note(What::Started { .. }) => true,
            Effect::Note(_) => is_refusal(effect),
            Effect::Send(message) => message.shown.values().next().is_none(),
            Effect::Timer(..) | Effect::Present(_) => false,
        };
        let all = &self.effects.all;
        let leaves_nothing = self.effects.made.is_empty() && self.suffered.is_none();
        leaves_nothing && all.iter().any(is_refusal) && all.iter().all(is_of_it)
    }
}

impl World {
    /// What comes from outside before what is due next, if anything does.
    async fn hear_from_outside(&mut self) -> Result<bool, Halt> {
        let due = self.agenda.due();
        let Some(edge) = &mut self.edge else { return Ok(false) };
        let Waited::Came(at, arrival) = edge.wait(due, &self.journal) else { return Ok(false) };
        self.now = self.now.max(at);
        match arrival {
            Arrival::Told(name, input) => {
                if let Some(place) = self.places.get(&*name).copied() {
                    self.give(place, Told::Input(input), None).await?;
                }
            }
            Arrival::Sent(message) => self.send(message, None).await?,
        }
        Ok(true)
    }

    async fn run(mut self) -> Result<Journal, Halt> {
        let mut steps = 0;
        loop {
            steps += 1;
            limit("MAX_EVENTS", steps, MAX_EVENTS, "parties that answer each other for ever")?;
            self.check_memory()?;
            if self.edge.is_some() && self.hear_from_outside().await? {
                continue;
            }
            let Some((at, cause, due)) = self.agenda.next() else { break };
            limit(
                "MAX_VIRTUAL_SECONDS",
                at.0 / 1_000_000_000,
                MAX_VIRTUAL_SECONDS,
                "an event far in the future",
            )?;
            // What came from outside meanwhile was not earlier.
            self.now = self.now.max(at);
            match due {
                Due::Told(place, told) => self.give(place, *told, cause).await?,
                Due::Attacker(input) => self.tell_attacker(*input, cause).await?,
                Due::Ask(ask) => self.ask(ask).await?,
                Due::Delivery(message) => self.deliver(message, cause).await?,
                // She was stopped before it went out.
                Due::Injection(..) | Due::Query(_) if self.is_wire_only() => {}
                Due::Injection(message, instead_of) => self.inject(message, instead_of, cause)?,
                Due::Query(message) => self.put_query(message, cause).await?,
            }
        }
        for place in 0..self.names.len() {
            if self.met[place] {
                self.give(place, Told::Input(Input::End), None).await?;
            }
        }
        self.tell_attacker(AttackerInput::End, None).await?;
        Ok(self.journal)
    }

    async fn ask(&mut self, ask: Question) -> Result<(), Halt> {
        let (what, handed) = ask(&self.journal);
        let event = self.journal.push(self.now, None, what);
        match handed {
            Some(handed) => self.tell_attacker(AttackerInput::Handed(handed), Some(event)).await,
            None => Ok(()),
        }
    }

    async fn deliver(&mut self, message: Arc<Sight>, cause: Option<u64>) -> Result<(), Halt> {
        let Some(place) = self.places.get(&*message.to).copied() else { return Ok(()) };
        let delivered = What::Delivered { id: message.id, to: message.to.clone() };
        let event = self.journal.push(self.now, cause, delivered);
        if self.edge.as_mut().is_some_and(|edge| edge.takes(&message)) {
            return Ok(());
        }
        self.give(place, Told::Input(Input::Message(message)), Some(event)).await
    }

    /// Tells an honest party something and does what comes of it, heard by whoever listens.
    async fn give(&mut self, place: usize, told: Told, cause: Option<u64>) -> Result<(), Halt> {
        let turn = match &told {
            Told::Input(input) => Turn::of_party(&self.names[place], input),
            Told::Intrusion(_) => Turn::of(&self.names[place], None),
        };
        match turn.is_unheard() {
            true => self.take_turn(place, told, cause).await,
            false => turn.hear(Box::pin(self.take_turn(place, told, cause))).await,
        }
    }

    async fn take_turn(&mut self, place: usize, told: Told, cause: Option<u64>) -> Result<(), Halt> {
        let letter = self.hear(place, told).await?;
        self.carry_out(place, letter, cause).await
    }

    /// What an honest party makes of what it is told.
    async fn hear(&mut self, place: usize, told: Told) -> Result<Box<Letter<Told, Outcome>>, Halt> {
        self.met[place] = true;
        let letter = self.honest.ask(place, told, self.now).await;
        letter.ok_or_else(|| Halt::Died { party: self.names[place].clone() })
    }

    /// Puts a query of the attacker's to a party, and has her hear the answer.
    async fn put_query(&mut self, message: Arc<Sight>, cause: Option<u64>) -> Result<(), Halt> {
        let Some(place) = self.places.get(&*message.to).copied() else { return Ok(()) };
        let mut letter = self.hear(place, Told::Input(Input::Message(message.clone()))).await?;
        if !letter.outcome.is_mere_refusal() {
            let to = message.to.clone();
            let delivered = What::Delivered { id: message.id, to };
            let injected = What::Injected { message, instead_of: None };
            let injected = self.journal.push(self.now, cause, injected);
            let delivered = self.journal.push(self.now, Some(injected), delivered);
            return self.carry_out(place, letter, Some(delivered)).await;
        }
        for effect in letter.outcome.effects.all.drain(..) {
            if let Effect::Send(mut answer) = effect {
                Arc::make_mut(&mut answer).id = self.number(&answer)?;
                self.tell_attacker(AttackerInput::OnWire(answer), cause).await?;
            }
        }
        self.honest.take_back(letter);
        Ok(())
    }

    /// Does what comes of what an honest party was told.
    async fn carry_out(
        &mut self,
        place: usize,
        mut letter: Box<Letter<Told, Outcome>>,
        mut cause: Option<u64>,
    ) -> Result<(), Halt> {
        let event = cause.unwrap_or(self.journal.events().len() as u64);
        for made in letter.outcome.effects.made.drain(..) {
            self.journal.push_made(&self.names[place], event, made);
        }
        for effect in letter.outcome.effects.all.drain(..) {
            match effect {
                Effect::Note(what) => self.note(what, &mut cause)?,
                Effect::Send(message) => self.send(message, cause).await?,
                Effect::Present(presented) => {
                    if let Some(edge) = &mut self.edge {
                        edge.present(presented, &self.journal);
                    }
                }
                Effect::Timer(at, number) => {
                    let due = Due::Told(place, Box::new(Told::Input(Input::Timer(number))));
                    self.agenda.add(at.max(self.now), cause, due);
                }
            }
        }
        if let Some((Intrusion::Theft(leak), value)) = letter.outcome.suffered.take() {
            let what = leak.told(value.as_ref());
            let (term, stolen) =
                (leak.term, What::Compromised { term: what, run: None, value: value.clone() });
            let event = self.journal.push(self.now, cause, stolen);
            if let Some(value) = value {
                self.tell_attacker(AttackerInput::Handed(Handed { term, value, run: None }), Some(event))
                    .await?;
            }
        }
        self.honest.take_back(letter);
        Ok(())
    }

    /// Tells the attacker something, if there is one, and does what she does. It is never more
    /// than that: what she puts on the wire does not pass her again.
    async fn tell_attacker(&mut self, input: AttackerInput, cause: Option<u64>) -> Result<(), Halt> {
        let Some((name, _)) = &self.attacker else { return Ok(()) };
        let turn = Turn::of_attacker(name, &input);
        match turn.is_unheard() {
            true => self.take_attackers_turn(input, cause).await,
            false => turn.hear(Box::pin(self.take_attackers_turn(input, cause))).await,
        }
    }

    async fn take_attackers_turn(
        &mut self,
        input: AttackerInput,
        mut cause: Option<u64>,
    ) -> Result<(), Halt> {
        let at_hand = match &input {
            AttackerInput::OnWire(message) => Some(message.clone()),
            _ => None,
        };
        let mut is_dealt_with = false;
        let was_stopped = self.is_wire_only();
        let Some((name, task)) = &mut self.attacker else { return Ok(()) };
        let mut letter = match task.ask(0, input, self.now).await {
            Some(letter) => letter,
            None => return Err(Halt::Died { party: name.clone() }),
        };
        let event = cause.unwrap_or(self.journal.events().len() as u64);
        for made in letter.outcome.made.drain(..) {
            self.journal.push_made(name, event, made);
        }
        for effect in letter.outcome.all.drain(..) {
            let is_of_it = |id: u64| at_hand.as_ref().is_some_and(|message| message.id == id);
            match effect {
                AttackerEffect::Note(what) if self.is_wire_only() => {
                    // What she finds out by listening is hers still.
                    if what.topics().gain.is_some() && what.topics().part.is_none() {
                        self.note(what, &mut cause)?;
                    }
                }
                AttackerEffect::Pass(message, _) if was_stopped || (self.is_wire_only() && is_dealt_with) => {
                    if is_of_it(message.id) && !is_dealt_with {
                        is_dealt_with = true;
                        self.travel(message, Span(0), cause);
                    }
                }
                AttackerEffect::Inject { .. } | AttackerEffect::Query(_) | AttackerEffect::Timer(..)
                    if self.is_wire_only() => {}
                AttackerEffect::Note(what) => {
                    is_dealt_with |= matches!(&what, What::Taken { id } if is_of_it(*id));
                    self.note(what, &mut cause)?;
                }
                AttackerEffect::Pass(message, later) => {
                    is_dealt_with |= is_of_it(message.id);
                    self.travel(message, later, cause);
                }
                AttackerEffect::Inject { message, instead_of, after: Span(0) } => {
                    self.inject(message, instead_of, cause)?;
                }
                AttackerEffect::Inject { message, instead_of, after } => {
                    let at = self.now.after(after);
                    self.agenda.add(at, cause, Due::Injection(message, instead_of));
                }
                AttackerEffect::Query(mut message) => {
                    Arc::make_mut(&mut message).id = self.number(&message)?;
                    // One that is lost is never answered; of one that comes twice the first counts.
                    let fate = self.network.fate(&message.from, &message.to, &mut self.rng);
                    if let Some(latency) = fate.first {
                        self.agenda.add(self.now.after(latency), cause, Due::Query(message));
                    }
                }
                AttackerEffect::Halt(reached) => return Err(reached.into()),
                AttackerEffect::Timer(at, number) => {
                    let due = Due::Attacker(Box::new(AttackerInput::Timer(number)));
                    self.agenda.add(at.max(self.now), cause, due);
                }
            }
        }
        if let Some((_, task)) = &mut self.attacker {
            task.take_back(letter);
        }
        if let Some(message) = at_hand.filter(|_| !is_dealt_with && self.is_wire_only()) {
            self.travel(message, Span(0), cause);
        }
        Ok(())
    }

    /// Whether the attacker has been stopped.
    fn is_wire_only(&self) -> bool {
        self.wire_after.is_some_and(|last| self.journal.events().len() as u64 >= last)
    }

    /// Records an event; what comes after a session's beginning comes of it.
    fn note(&mut self, what: What, cause: &mut Option<u64>) -> Result<(), Halt> {
        if let Some(reached) = what.topics().refusal.and_then(Reached::behind) {
            return Err(reached.into());
        }
        let opens = matches!(what, What::Started { .. });
        let number = self.journal.push(self.now, *cause, what);
        if opens {
            *cause = Some(number);
        }
        Ok(())
    }

    /// Before what happens takes all memory that there is.
    fn check_memory(&self) -> Result<(), Halt> {
        let cause = "something that happens again and again";
        limit("MAX_JOURNAL_BYTES", self.journal.weight() as u64, MAX_JOURNAL_BYTES as u64, cause)
    }

    fn number(&mut self, message: &Sight) -> Result<u64, Halt> {
        self.check_memory()?;
        let bytes = message.bytes.len() as u64;
        limit("MAX_MESSAGE_BYTES", bytes, MAX_MESSAGE_BYTES as u64, LARGE_PARTS)?;
        self.messages += 1;
        limit("MAX_MESSAGES", self.messages, MAX_MESSAGES, "an attacker who answers her own answers")?;
        Ok(self.messages)
    }

    /// An honest party's message: it passes the attacker, if there is one.
    async fn send(&mut self, mut message: Arc<Sight>, cause: Option<u64>) -> Result<(), Halt> {
        let id = self.number(&message)?;
        Arc::make_mut(&mut message).id = id;
        let event = self.journal.push(self.now, cause, What::Sent { message: message.clone() });
        match self.attacker {
            None => {
                self.travel(message, Span(0), Some(event));
                Ok(())
            }
            Some(_) => self.tell_attacker(AttackerInput::OnWire(message), Some(event)).await,
        }
    }

    fn inject(
        &mut self,
        mut message: Arc<Sight>,
        instead_of: Option<u64>,
        cause: Option<u64>,
    ) -> Result<(), Halt> {
        let id = self.number(&message)?;
        Arc::make_mut(&mut message).id = id;
        let event =
            self.journal.push(self.now, cause, What::Injected { message: message.clone(), instead_of });
        self.travel(message, Span(0), Some(event));
        Ok(())
    }

    /// Sends a message along its link.
    fn travel(&mut self, message: Arc<Sight>, later: Span, cause: Option<u64>) {
        let fate = self.network.fate(&message.from, &message.to, &mut self.rng);
        let Some(latency) = fate.first else {
            self.journal.push(self.now, cause, What::Lost { id: message.id });
            return;
        };
        let at = self.now.after(later);
        if let Some(second) = fate.second {
            self.journal.push(self.now, cause, What::Duplicated { id: message.id });
            self.agenda.add(at.after(second), cause, Due::Delivery(message.clone()));
        }
        self.agenda.add(at.after(latency), cause, Due::Delivery(message));
    }
}

fn limit(name: &'static str, at: u64, value: u64, cause: &'static str) -> Result<(), Halt> {
    if at <= value { Ok(()) } else { Err(Halt::Limit { name, value, cause }) }
}
