//! A play: runs, messages and thefts in order of time, honest parts, and the attacker's lines.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::deduce::Holdings;
use super::file::{CENTRE, MALLORY, SECOND, SERVICE, Scenario, Sort, Stolen, party};
use super::load;
use super::mind::{Mind, Source};
use super::notebook::Notebook;
use super::parse::{End, Goal, Step};
use super::term::{Field, Term, Type, Value};

const LATENCY: i64 = SECOND / 50;
/// Messages in one play: a narration of a few lines makes fewer by far.
const MAX_MESSAGES: usize = 2_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Completes,
    Rejects {
        line: usize,
        reason: &'static str,
        /// What it is if other faults of the line come first.
        or: Vec<&'static str>,
    },
    Waits {
        line: usize,
    },
}

/// One party's part in one run.
#[derive(Clone, Debug)]
pub struct Part<'p> {
    pub run: u32,
    pub party: String,
    pub role: String,
    pub mind: Mind<'p>,
    /// The lines that it takes part in and has not done.
    todo: Vec<usize>,
    done: Vec<usize>,
    pub outcome: Outcome,
    /// When it completed, as a number of steps of the play.
    pub ended: usize,
    /// Whether something of the attacker's, or that answers it, came to it in this run.
    is_touched: bool,
    /// Whether what it refused was such a message.
    pub refused_hers: bool,
    /// When it first had a value for each term of a goal, and which.
    pub had: BTreeMap<Term, (usize, Value)>,
    /// When it first knew who plays a role.
    pub met: BTreeMap<String, usize>,
}

impl Part<'_> {
    /// The lines that it takes part in.
    pub fn lines(&self) -> Vec<usize> {
        self.done.iter().chain(&self.todo).copied().collect()
    }
}

#[derive(Clone, Debug)]
struct Message {
    run: u32,
    line: usize,
    from: String,
    to: String,
    fields: Vec<Field>,
    /// Sent by the attacker, or in answer to what she sent.
    is_hers: bool,
}

#[derive(Clone, Debug)]
enum Happening {
    Start(usize),
    Theft(usize),
    Deliver(Message),
    Wake,
}

/// Everything that the verdicts speak of.
pub struct Play<'p> {
    pub scenario: &'p Scenario,
    pub parts: Vec<Part<'p>>,
    pub holdings: Option<Holdings>,
    pub after_leak: Option<Holdings>,
    /// Values of runs that events handed over.
    pub handed: BTreeSet<(u32, Value)>,
    /// When each line of the attack was carried out, as a number of steps of the play.
    pub done: Vec<Option<usize>>,
    /// Whether something happened of which the definition does not say what comes of it.
    pub is_moot: bool,
    /// What honest parts sent, in order.
    pub sent: Vec<Sent>,
}

/// A message of an honest part.
#[derive(Clone, Debug)]
pub struct Sent {
    pub step: usize,
    pub run: u32,
    pub line: usize,
    pub from: String,
    pub to: String,
    /// Whether a line of the attack speaks of it.
    pub is_mentioned: bool,
}

struct World<'p> {
    scenario: &'p Scenario,
    queue: BTreeMap<(i64, usize), Happening>,
    parts: Vec<Part<'p>>,
    /// Messages that a line of the attack will read, and when they were sent.
    held: Vec<(Message, usize)>,
    has_stopped: bool,
    /// Messages that came before their line's turn.
    early: Vec<Message>,
    notebook: Option<Notebook<'p>>,
    seen: Vec<Value>,
    done: Vec<Option<usize>>,
    sent: Vec<Sent>,
    handed: BTreeSet<(u32, Value)>,
    programs: BTreeMap<String, Vec<Vec<usize>>>,
    lasting: Rc<BTreeMap<(String, String), Value>>,
    source: Source,
    watched: Vec<Term>,
    sequence: usize,
    step: usize,
    messages: usize,
}

pub fn play(scenario: &Scenario) -> Play<'_> {
    let source = Source::default();
    let protocol = &scenario.protocol;
    let parties = parties(scenario);
    let mut lasting = BTreeMap::new();
    for name in protocol.lasting.keys() {
        for party in &parties {
            lasting.insert((name.clone(), party.clone()), Value::Fresh(source.next(), 32));
        }
    }
    let notebook = scenario.attacker.as_ref().map(|attacker| {
        let given: Vec<String> = scenario.thefts.iter().filter_map(|t| t.name.clone()).collect();
        Notebook::new(protocol, attacker, &given, parties.clone(), source.clone())
    });
    let mut world = World {
        scenario,
        queue: BTreeMap::new(),
        parts: Vec::new(),
        seen: notebook.iter().flat_map(Notebook::own).chain(granted(scenario, &lasting)).collect(),
        done: vec![None; scenario.attacker.as_ref().map_or(0, |a| a.steps.len())],
        sent: Vec::new(),
        early: Vec::new(),
        held: Vec::new(),
        has_stopped: false,
        notebook,
        handed: BTreeSet::new(),
        programs: load::parts(protocol).unwrap_or_default(),
        lasting: Rc::new(lasting),
        source,
        watched: watched(scenario),
        sequence: 0,
        step: 0,
        messages: 0,
    };
    for (at, run) in scenario.runs.iter().enumerate() {
        world.schedule(run.at, Happening::Start(at));
    }
    for (at, theft) in scenario.thefts.iter().enumerate() {
        world.schedule(theft.at, Happening::Theft(at));
    }
    for &at in scenario.attacker.iter().flat_map(|a| a.not_before.values()) {
        world.schedule(at, Happening::Wake);
    }
    world.progress(0);
    while let Some(((now, _), happening)) = world.queue.pop_first() {
        match happening {
            Happening::Start(run) => world.start(run, now),
            Happening::Theft(theft) => world.rob(theft, now),
            Happening::Deliver(message) => world.deliver(&message, now),
            Happening::Wake => world.progress(now),
        }
    }
    let is_moot =
        world.notebook.as_ref().is_some_and(|n| n.is_moot) || world.parts.iter().any(|p| p.mind.is_moot);
    let World { parts, mut seen, done, handed, lasting, sent, notebook, .. } = world;
    // What she encrypted she has, wherever she put it.
    seen.extend(notebook.iter().flat_map(Notebook::ciphertexts));
    let insider = scenario.attacker.as_ref().map(|a| a.insider);
    let holdings = insider.map(|i| Holdings::new(seen.iter().cloned(), i, false));
    let leaked = seen.into_iter().chain(lasting.values().cloned());
    let after_leak = insider.map(|i| Holdings::new(leaked, i, true));
    Play { scenario, parts, holdings, after_leak, handed, done, is_moot, sent }
}

/// The shares of long-term exponents that `[knows]` grants to others: they are public.
fn granted(scenario: &Scenario, lasting: &BTreeMap<(String, String), Value>) -> Vec<Value> {
    let grants = |name: &String| scenario.protocol.knows.values().flatten().any(|t| *t == Term::pow(&[name]));
    let public = lasting.iter().filter(|((name, _), _)| grants(name));
    public.map(|(_, value)| Value::Share(vec![value.clone()])).collect()
}

/// Every party that the file names, the attacker left out.
pub fn parties(scenario: &Scenario) -> BTreeSet<String> {
    let cast = scenario.runs.iter().flat_map(|r| r.cast.values().cloned());
    let steps = scenario.attacker.iter().flat_map(|a| &a.steps);
    let ends = steps.flat_map(|s| [&s.from, &s.to]).filter_map(|end| match end {
        End::Party(name) | End::Attacker(Some(name)) => Some(party(name)),
        End::Attacker(None) => None,
    });
    let mut all: BTreeSet<String> = cast.chain(ends).chain(scenario.parties.iter().cloned()).collect();
    if scenario.protocol.is_role(SERVICE) {
        all.insert(CENTRE.to_owned());
    }
    all.remove(MALLORY);
    all
}

/// The terms whose values matter: names, lets, and what goals speak of.
fn watched(scenario: &Scenario) -> Vec<Term> {
    let protocol = &scenario.protocol;
    let mut all: BTreeSet<Term> = protocol.sorts.keys().map(|n| Term::name(n)).collect();
    all.extend(protocol.lets.values().cloned());
    for (_, goal) in &protocol.goals {
        match goal {
            Goal::Secret { of, .. } => drop(all.insert(of.clone())),
            Goal::Authentication { on, .. } => all.extend(on.iter().cloned()),
        }
    }
    all.into_iter().collect()
}

impl Message {
    fn is_of_the_same_place(&self, other: &Message) -> bool {
        (self.run, self.line) == (other.run, other.line) && self.from == other.from && self.to == other.to
    }
}

/// Whether a line of the attack reads such a message.
fn speaks_of(step: &Step, message: &Message) -> bool {
    let is_from = matches!(&step.from, End::Party(p) if party(p) == message.from);
    let is_to = match &step.to {
        End::Party(p) | End::Attacker(Some(p)) => party(p) == message.to,
        End::Attacker(None) => message.to == MALLORY,
    };
    is_from && is_to && (step.run, step.line as usize - 1) == (message.run, message.line)
}

impl<'p> World<'p> {
    fn schedule(&mut self, at: i64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), happening);
    }

    fn part(&self, run: u32, role: &str, party: &str, lines: &[usize]) -> Part<'p> {
        let protocol = &self.scenario.protocol;
        let mut mind = Mind::new(protocol, role, party, self.lasting.clone(), self.source.clone());
        mind.generate(lines);
        // A run that the attacker opens has no cast: there [knows] means who plays in the first.
        let cast = self.scenario.runs.get(run as usize - 1).or(self.scenario.runs.first());
        for (other, party) in cast.into_iter().flat_map(|r| &r.cast) {
            if protocol.introduces(role, other) && other != role {
                mind.tell(other, party);
            }
        }
        Part {
            run,
            party: party.to_owned(),
            role: role.to_owned(),
            mind,
            todo: lines.to_vec(),
            done: Vec::new(),
            outcome: Outcome::Waits { line: 0 },
            ended: usize::MAX,
            is_touched: false,
            refused_hers: false,
            had: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    /// Begins the parts of a run that wait for nobody: the first sender's, who knows whom it
    /// talks to, and those of other clients that begin with a line of their own.
    fn start(&mut self, run: usize, now: i64) {
        let protocol = &self.scenario.protocol;
        let cast = self.scenario.runs[run].cast.clone();
        for role in protocol.starters() {
            if cast[&role] == MALLORY {
                continue;
            }
            let lines = protocol.lines_of(&role);
            let part = self.part(run as u32 + 1, &role, &cast[&role], &lines);
            // Nobody answers what was not begun.
            let run = run as u32 + 1;
            self.early.retain(|m| (m.run, &m.to) != (run, &cast[&role]) || protocol.lines[m.line].to != role);
            self.parts.push(part);
            self.advance(self.parts.len() - 1, now);
            self.remember(self.parts.len() - 1, now);
        }
    }

    /// Sends what the part has to send, until it waits or is done.
    fn advance(&mut self, at: usize, now: i64) {
        let protocol = &self.scenario.protocol;
        loop {
            self.note(at);
            let part = &mut self.parts[at];
            part.mind.at(now);
            let Some(&line) = part.todo.first() else {
                part.outcome = Outcome::Completes;
                part.ended = self.step;
                return;
            };
            part.outcome = Outcome::Waits { line: line + 1 };
            if protocol.lines[line].from != part.role {
                return;
            }
            let (Some(to), Some(fields)) = (
                part.mind.peer(&protocol.lines[line].to).map(str::to_owned),
                part.mind.build(&protocol.lines[line].terms),
            ) else {
                return;
            };
            part.done.push(part.todo.remove(0));
            let (run, from, is_hers) = (part.run, part.party.clone(), part.is_touched);
            self.note(at);
            if self.parts[at].todo.is_empty() {
                self.parts[at].outcome = Outcome::Completes;
                self.parts[at].ended = self.step;
            }
            self.send(Message { run, line, from, to, fields, is_hers }, now);
        }
    }

    /// Notes what the part has come to know.
    fn note(&mut self, at: usize) {
        self.step += 1;
        let part = &mut self.parts[at];
        for term in &self.watched {
            if !part.had.contains_key(term)
                && self.scenario.protocol.exists(term, &part.role, &part.done)
                && let Some(value) = part.mind.recall(term)
            {
                part.had.insert(term.clone(), (self.step, value));
            }
        }
        for role in &self.scenario.protocol.roles {
            if part.mind.peer(role).is_some() {
                part.met.entry(role.clone()).or_insert(self.step);
            }
        }
    }

    fn send(&mut self, message: Message, now: i64) {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return;
        }
        let mut passes = message.to != MALLORY;
        let mut is_mentioned = false;
        self.step += 1;
        let step = self.step;
        if let Some(attacker) = &self.scenario.attacker {
            self.seen.extend(message.fields.iter().map(|f| f.value.clone()));
            let alike = self.held.iter().filter(|(h, _)| h.is_of_the_same_place(&message)).count();
            let next = self.next_step();
            let mut to_come =
                (next..attacker.steps.len()).filter(|&at| speaks_of(&attacker.steps[at], &message));
            if let (Some(at), false) = (to_come.nth(alike), self.has_stopped) {
                is_mentioned = true;
                passes &= matches!(attacker.steps[at].to, End::Party(_));
                self.held.push((message.clone(), step));
            }
        }
        let Message { run, line, ref from, ref to, .. } = message;
        let (from, to) = (from.clone(), to.clone());
        self.sent.push(Sent { step, run, line, from, to, is_mentioned });
        if passes {
            self.schedule(now + LATENCY, Happening::Deliver(message));
        }
        self.progress(now);
    }

    fn next_step(&self) -> usize {
        self.done.iter().position(Option::is_none).unwrap_or(self.done.len())
    }

    /// Carries out the lines of the attack in their order, as far as that goes.
    fn progress(&mut self, now: i64) {
        let Some(attacker) = &self.scenario.attacker else { return };
        while let (Some(step), false) = (attacker.steps.get(self.next_step()), self.has_stopped) {
            let at = self.next_step();
            let carried_out = match (&step.from, &step.to) {
                (End::Attacker(claimed), End::Party(to)) => {
                    let is_early = attacker.not_before.get(&at).is_some_and(|&t| now < t);
                    !is_early && self.speak(step, claimed.as_deref(), to, now)
                }
                _ => self.listen(step, now),
            };
            if !carried_out {
                return;
            }
            self.step += 1;
            self.done[at] = Some(self.step);
        }
    }

    fn speak(&mut self, step: &Step, claimed: Option<&str>, to: &str, now: i64) -> bool {
        let Some(fields) = self.notebook.as_mut().and_then(|n| {
            n.now = now;
            n.build(&step.terms, step.line)
        }) else {
            return false;
        };
        self.seen.extend(fields.iter().map(|f| f.value.clone()));
        let from = claimed.map_or_else(|| MALLORY.to_owned(), party);
        let line = step.line as usize - 1;
        let message = Message { run: step.run, line, from, to: party(to), fields, is_hers: true };
        self.schedule(now + LATENCY, Happening::Deliver(message));
        true
    }

    /// Reads what was held for a line; if it does not read so, the attack ends, and what she
    /// held goes on its way.
    fn listen(&mut self, step: &Step, now: i64) -> bool {
        let Some(at) = self.held.iter().position(|(h, _)| speaks_of(step, h)) else { return false };
        let fields = self.held[at].0.fields.clone();
        if self.notebook.as_mut().is_some_and(|n| n.read(&step.terms, &fields, step.line)) {
            self.held.remove(at);
            return true;
        }
        self.has_stopped = true;
        let Some(attacker) = &self.scenario.attacker else { return false };
        for (mut message, _) in std::mem::take(&mut self.held) {
            let line = attacker.steps.iter().find(|s| speaks_of(s, &message));
            if message.to != MALLORY && line.is_some_and(|s| matches!(s.to, End::Attacker(_))) {
                message.is_hers = true;
                self.schedule(now + LATENCY, Happening::Deliver(message));
            }
        }
        false
    }

    /// Lets a part have what came before its line's turn.
    fn remember(&mut self, at: usize, now: i64) {
        let part = &self.parts[at];
        let (Outcome::Waits { .. }, Some(&line)) = (&part.outcome, part.todo.first()) else { return };
        let is_it = |m: &Message| (m.run, m.line) == (part.run, line) && m.to == part.party;
        if let Some(early) = self.early.iter().position(is_it) {
            let message = self.early.remove(early);
            self.deliver(&message, now);
        }
    }

    fn deliver(&mut self, message: &Message, now: i64) {
        let protocol = &self.scenario.protocol;
        let line = &protocol.lines[message.line];
        let is_service = line.to == SERVICE;
        let program = self.programs[&line.to].iter().find(|p| p.first() == Some(&message.line)).cloned();
        let mine: Vec<usize> = (0..self.parts.len())
            .filter(|&at| {
                let part = &self.parts[at];
                part.run == message.run && part.party == message.to && part.role == line.to
            })
            .collect();
        let is_open = |p: &Part<'_>| matches!(p.outcome, Outcome::Waits { .. });
        let waiting: Vec<usize> = mine
            .iter()
            .copied()
            .filter(|&at| is_open(&self.parts[at]) && self.parts[at].todo.first() == Some(&message.line))
            .collect();
        let reads = |at: &usize| {
            let mut mind = self.parts[*at].mind.clone();
            mind.at(now);
            mind.read_all(&line.terms, &message.fields).is_ok()
        };
        let is_ahead = mine
            .iter()
            .any(|&at| is_open(&self.parts[at]) && self.parts[at].todo[1..].contains(&message.line));
        let fitting = waiting.iter().copied().find(reads);
        let may_open = is_service || mine.is_empty();
        let at = match (fitting, waiting.first(), program) {
            (Some(at), _, _) => at,
            (None, Some(&at), None) => at,
            (None, Some(&at), Some(_)) if !is_service => at,
            (None, None, None) if is_ahead || may_open => {
                self.early.push(message.clone());
                return;
            }
            (None, _, Some(lines)) if may_open => {
                let mut part = self.part(message.run, &line.to, &message.to, &lines);
                part.mind.at(now);
                let _ = part.mind.meet(&line.from, &message.from);
                self.parts.push(part);
                self.parts.len() - 1
            }
            _ => {
                if is_ahead {
                    self.early.push(message.clone());
                }
                return;
            }
        };
        let part = &mut self.parts[at];
        part.mind.at(now);
        part.is_touched |= message.is_hers;
        let mut patient = part.mind.clone();
        patient.is_patient = true;
        let read = part.mind.read_all(&line.terms, &message.fields);
        match read.and_then(|()| part.mind.meet(&line.from, &message.from)) {
            Ok(()) => {
                part.done.push(part.todo.remove(0));
                self.advance(at, now);
                self.remember(at, now);
            }
            Err(reason) => {
                let _ = patient.read_all(&line.terms, &message.fields);
                let or = patient.faults;
                part.outcome = Outcome::Rejects { line: message.line + 1, reason, or };
                part.refused_hers = message.is_hers;
            }
        }
    }

    fn rob(&mut self, theft: usize, now: i64) {
        let theft = &self.scenario.thefts[theft];
        let (term, field, run) = match &theft.what {
            Stolen::LongTerm(Term::Key(x, y)) => {
                let (x, y) = (party(x), party(y));
                (Term::key(&x, &y), Field { ty: Type::Key, value: Value::shared(&x, &y) }, None)
            }
            Stolen::LongTerm(Term::Sk(x)) => {
                let value = Value::Private(Value::Name(party(x)).into());
                (Term::Sk(party(x)), Field { ty: Type::KeyPair, value }, None)
            }
            Stolen::LongTerm(_) => return,
            Stolen::OfRun { run, party, name } => {
                let parts = self.parts.iter().filter(|p| p.run == *run);
                let mine = parts.filter(|p| party.as_ref().is_none_or(|n| *n == p.party));
                let had = mine.filter_map(|p| p.had.get(&Term::name(name)));
                let Some((_, value)) = had.min_by_key(|(since, _)| *since).cloned() else {
                    return;
                };
                let ty = self.scenario.protocol.sorts.get(name).map_or(Type::Key, Sort::field_type);
                (Term::name(name), Field { ty, value }, Some(*run))
            }
        };
        if let Some(run) = run {
            self.handed.insert((run, field.value.clone()));
        }
        if let Some(notebook) = &mut self.notebook {
            self.seen.push(field.value.clone());
            match &theft.name {
                Some(name) => notebook.hand(Term::name(name), field),
                None if run.is_none() => notebook.hand(term, field),
                None => {}
            }
        }
        self.progress(now);
    }
}
