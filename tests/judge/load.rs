//! What is refused when a file is loaded: a protocol in which somebody cannot send a line,
//! and an attack with a line that she could never build.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::file::{CENTRE, MALLORY, Protocol, SERVICE, Scenario, Sort, Stolen, party};
use super::mind::{Mind, Source};
use super::notebook::hers;
use super::parse::{End, Line, Step};
use super::term::{Field, Term, Value};
use super::world::parties;

/// Every role at the end of a run without an attacker; and beside them, parts that begin later.
struct Rehearsal<'p> {
    protocol: &'p Protocol,
    lasting: Rc<BTreeMap<(String, String), Value>>,
    source: Source,
    minds: BTreeMap<String, Mind<'p>>,
}

/// A part that carries out these lines of a role's.
struct Later<'p> {
    role: String,
    lines: Vec<usize>,
    mind: Option<Mind<'p>>,
    can: bool,
}

impl<'p> Rehearsal<'p> {
    fn new(protocol: &'p Protocol) -> Self {
        let source = Source::default();
        let mut lasting = BTreeMap::new();
        for name in protocol.lasting.keys() {
            for role in &protocol.roles {
                lasting.insert((name.clone(), as_party(role)), Value::Fresh(source.next(), 32));
            }
        }
        Rehearsal { protocol, lasting: Rc::new(lasting), source, minds: BTreeMap::new() }
    }

    fn mind(&self, role: &str, lines: &[usize]) -> Mind<'p> {
        let mut mind =
            Mind::new(self.protocol, role, &as_party(role), self.lasting.clone(), self.source.clone());
        mind.is_ideal = true;
        mind.generate(lines);
        let knows = |of: &&String| self.protocol.introduces(role, of);
        self.protocol.roles.iter().filter(knows).for_each(|of| mind.tell(of, &as_party(of)));
        mind
    }

    fn run(&mut self, later: &mut [Later<'p>]) -> Result<(), String> {
        let protocol = self.protocol;
        for (number, line) in protocol.lines.iter().enumerate() {
            let lacks = || format!("{} cannot send line {}", line.from, number + 1);
            if !self.minds.contains_key(&line.from) {
                if line.from == SERVICE {
                    return Err(format!("the service begins with line {}", number + 1));
                }
                self.minds.insert(line.from.clone(), self.mind(&line.from, &protocol.lines_of(&line.from)));
            }
            let sender = self.minds.get_mut(&line.from).ok_or_else(lacks)?;
            let fields = say(sender, line).ok_or_else(lacks)?;
            if !self.minds.contains_key(&line.to) {
                self.minds.insert(line.to.clone(), self.mind(&line.to, &protocol.lines_of(&line.to)));
            }
            let reader = self.minds.get_mut(&line.to).ok_or_else(lacks)?;
            hear(reader, line, &fields, protocol.lines_of(&line.to).first() == Some(&number))
                .map_err(|why| format!("line {}: {why}", number + 1))?;
            for part in later.iter_mut().filter(|p| p.lines.contains(&number)) {
                let opens = part.lines.first() == Some(&number);
                let mut mind = part.mind.take().unwrap_or_else(|| self.mind(&part.role, &part.lines));
                part.can &= if line.from == part.role {
                    say(&mut mind, line).is_some()
                } else {
                    hear(&mut mind, line, &fields, opens).is_ok()
                };
                part.mind = Some(mind);
            }
        }
        Ok(())
    }
}

fn say(mind: &mut Mind<'_>, line: &Line) -> Option<Vec<Field>> {
    mind.peer(&line.to)?;
    mind.build(&line.terms)
}

fn hear(mind: &mut Mind<'_>, line: &Line, fields: &[Field], opens: bool) -> Result<(), &'static str> {
    if opens {
        mind.meet(&line.from, &as_party(&line.from))?;
    }
    mind.read_all(&line.terms, fields)?;
    mind.meet(&line.from, &as_party(&line.from))
}

/// Every role at the end of a run without an attacker, or why there is none.
pub fn honest(protocol: &Protocol) -> Result<BTreeMap<String, Mind<'_>>, String> {
    let mut rehearsal = Rehearsal::new(protocol);
    rehearsal.run(&mut [])?;
    Ok(rehearsal.minds)
}

/// Whether a part of a role that carries out these lines has the term at its end.
pub fn comes_to_have(protocol: &Protocol, role: &str, lines: &[usize], term: &Term) -> bool {
    let mut part = [Later { role: role.to_owned(), lines: lines.to_vec(), mind: None, can: true }];
    let is_played = Rehearsal::new(protocol).run(&mut part).is_ok();
    let [Later { mind, can, .. }] = part;
    let has = |mut mind: Mind<'_>| mind.recall(term).is_some() && protocol.exists(term, role, lines);
    is_played && can && mind.is_some_and(has)
}

/// The parts of each role: the lines that one session of it carries out. A client has one,
/// and one from each line of `[joins]`; a service has a session for each request that it can
/// answer by itself.
pub fn parts(protocol: &Protocol) -> Result<BTreeMap<String, Vec<Vec<usize>>>, String> {
    let mut later: Vec<Later<'_>> = Vec::new();
    for role in &protocol.roles {
        let lines = protocol.lines_of(role);
        for at in 1..lines.len() {
            let joins = protocol.joins.get(role).is_some_and(|j| j.contains(&lines[at]));
            if joins || role == SERVICE && protocol.is_request(&lines, at) {
                later.push(Later { role: role.clone(), lines: lines[at..].to_vec(), mind: None, can: true });
            }
        }
    }
    let mut rehearsal = Rehearsal::new(protocol);
    rehearsal.run(&mut later)?;
    let mut parts = BTreeMap::new();
    for role in &protocol.roles {
        let lines = protocol.lines_of(role);
        let mine = later.iter().filter(|p| p.role == *role);
        let mut all = vec![lines.clone()];
        for part in mine {
            if role != SERVICE && !part.can {
                return Err(format!("{role} cannot join at line {}", part.lines[0] + 1));
            }
            if part.can {
                if role == SERVICE
                    && let Some(last) = all.last_mut()
                {
                    last.retain(|l| *l < part.lines[0]);
                }
                all.push(part.lines.clone());
            }
        }
        parts.insert(role.clone(), all);
    }
    Ok(parts)
}

fn as_party(role: &str) -> String {
    if role == SERVICE { party(role) } else { role.to_lowercase() }
}

/// Whether the file is one that loads.
pub fn check(scenario: &Scenario) -> Result<(), String> {
    let protocol = &scenario.protocol;
    if protocol.lines.is_empty() {
        return Err("a protocol without a line".to_owned());
    }
    let owners = [&protocol.fresh, &protocol.given, &protocol.lasting].into_iter().flat_map(|t| t.values());
    if let Some(role) = owners.chain(protocol.knows.keys()).find(|r| !protocol.is_role(r)) {
        return Err(format!("no line has a role {role}"));
    }
    parts(protocol)?;
    for run in &scenario.runs {
        let cast: BTreeSet<&String> = run.cast.values().collect();
        if cast.len() < run.cast.len() {
            return Err("somebody plays two roles".to_owned());
        }
    }
    fits(scenario)?;
    let mut page = Page::new(scenario);
    for step in scenario.attacker.iter().flat_map(|a| &a.steps) {
        let terms = step.terms.iter().map(|t| t.map(&|_| None, &party));
        if matches!(step.from, End::Party(_)) {
            terms.for_each(|term| page.bind(&term));
            page.settle();
        } else if let Some(term) = terms.into_iter().find(|term| !page.can(term)) {
            return Err(format!("she can never build {term} of {}.{}", step.run, step.line));
        }
    }
    Ok(())
}

/// Whether whoever is honest and sends a line of the attack, or is sent one by her, has a part
/// in its run by then.
fn fits(scenario: &Scenario) -> Result<(), String> {
    let mut casting = Casting { scenario, programs: parts(&scenario.protocol)?, players: BTreeMap::new() };
    for (run, number) in scenario.runs.iter().zip(1..) {
        for (role, name) in run.cast.iter().filter(|(role, name)| *role != SERVICE && *name != MALLORY) {
            casting.players.entry((number, role.clone())).or_default().insert(name.clone());
        }
    }
    for step in scenario.attacker.iter().flat_map(|a| &a.steps) {
        if !casting.follow(step) {
            return Err(format!("a line {}.{} that nobody can have a part in", step.run, step.line));
        }
    }
    Ok(())
}

/// Who plays which role in which run, as far as runs and the attack's lines so far say.
struct Casting<'p> {
    scenario: &'p Scenario,
    programs: BTreeMap<String, Vec<Vec<usize>>>,
    players: BTreeMap<(u32, String), BTreeSet<String>>,
}

impl Casting<'_> {
    fn follow(&mut self, step: &Step) -> bool {
        let Some(at) = (step.line as usize).checked_sub(1) else { return false };
        let Some(line) = self.scenario.protocol.lines.get(at) else { return false };
        let (role, name, is_hers) = match (&step.from, &step.to) {
            (End::Party(from), _) => (&line.from, party(from), false),
            (_, End::Party(to)) => (&line.to, party(to), true),
            _ => return false,
        };
        if (role == SERVICE) != (name == CENTRE) {
            return false;
        }
        let place = (step.run, role.clone());
        if self.players.get(&place).is_some_and(|players| players.contains(&name)) {
            return true;
        }
        let begins = is_hers && self.programs[role].iter().any(|lines| lines[0] == at);
        let has_another = self.players.iter().any(|((run, _), all)| *run == step.run && all.contains(&name));
        let joins = !has_another && !self.players.contains_key(&place) && self.may_join(step.run, role, at);
        if begins || joins {
            self.players.entry(place).or_default().insert(name);
        }
        begins || joins
    }

    /// Whether somebody with a part in the run can have sent what begins a part with this line.
    fn may_join(&self, run: u32, role: &str, line: usize) -> bool {
        self.programs[role].iter().filter(|lines| lines.contains(&line)).any(|lines| {
            let from = &self.scenario.protocol.lines[lines[0]].from;
            let is_there = || self.players.contains_key(&(run, from.clone()));
            from != role && (is_there() || self.may_join(run, from, lines[0]))
        })
    }
}

/// The terms that she may come to have, whatever the order of lines.
pub struct Page {
    has: BTreeSet<Term>,
    kept: Vec<Term>,
    insider: bool,
    pairs: BTreeSet<String>,
    parties: BTreeSet<String>,
}

impl Page {
    pub fn new(scenario: &Scenario) -> Page {
        let attacker = scenario.attacker.as_ref();
        let mut parties = parties(scenario);
        parties.insert(MALLORY.to_owned());
        let insider = attacker.is_some_and(|a| a.insider);
        let pairs = BTreeSet::new();
        let mut page = Page { has: BTreeSet::new(), kept: Vec::new(), insider, pairs, parties };
        let given: Vec<String> = scenario.thefts.iter().filter_map(|t| t.name.clone()).collect();
        page.has.extend(given.iter().map(|n| Term::name(n)));
        for theft in scenario.thefts.iter().filter(|t| t.name.is_none()) {
            if let Stolen::LongTerm(term) = &theft.what {
                page.has.insert(term.map(&|_| None, &party));
            }
        }
        if let Some(attacker) = attacker {
            for name in hers(attacker, &given, &page.parties) {
                if attacker.fresh.get(&name) == Some(&Sort::KeyPair) {
                    page.pairs.insert(name.clone());
                }
                page.has.insert(Term::Name(name));
            }
        }
        page
    }

    fn bind(&mut self, term: &Term) {
        self.has.insert(term.clone());
        self.kept.push(term.clone());
    }

    pub fn settle(&mut self) {
        let mut at = 0;
        while at < self.kept.len() {
            let inner: Option<Vec<Term>> = match &self.kept[at] {
                Term::Enc(body, key) => {
                    let opens = match &**key {
                        Term::Pk(x) => self.can(&Term::Sk(x.clone())),
                        other => self.can(other),
                    };
                    opens.then(|| body.clone())
                }
                Term::Succ(one) | Term::Pred(one) => Some(vec![(**one).clone()]),
                Term::Xor(x, y) => match (self.can(x), self.can(y)) {
                    (true, _) => Some(vec![(**y).clone()]),
                    (_, true) => Some(vec![(**x).clone()]),
                    _ => None,
                },
                _ => Some(Vec::new()),
            };
            match inner {
                None => at += 1,
                Some(inner) => {
                    self.kept.remove(at);
                    for term in inner.iter().filter(|t| !self.has.contains(t)).cloned().collect::<Vec<_>>() {
                        self.bind(&term);
                    }
                    at = 0;
                }
            }
        }
    }

    /// Whether she can have this.
    pub fn can(&self, term: &Term) -> bool {
        if self.has.contains(term) {
            return true;
        }
        let is_party = |n: &String| self.parties.contains(n);
        match term {
            Term::Name(n) => is_party(n),
            Term::Text(_) => true,
            Term::Pow(exponents) => {
                exponents.is_empty()
                    || (0..exponents.len()).any(|at| {
                        let mut rest = exponents.clone();
                        let one = rest.remove(at);
                        self.has.contains(&Term::Name(one)) && self.can(&Term::pow(&rest))
                    })
            }
            Term::Pk(x) => is_party(x) || self.pairs.contains(x),
            Term::Sk(x) => self.insider && x == MALLORY || self.pairs.contains(x),
            Term::Key(x, y) => self.insider && (x == MALLORY || y == MALLORY),
            Term::Sign(by, _) => {
                self.can(&Term::Sk(by.clone())) && term.inner().into_iter().all(|t| self.can(t))
            }
            _ => term.inner().into_iter().all(|t| self.can(t)),
        }
    }
}
