//! Random plays of a protocol: runs, thefts, and an attack that grows line by line with what
//! the play so far has her see and has others wait for.

use std::collections::BTreeMap;

use super::case::{Case, Dice, Narration};
use super::file::{MALLORY, Scenario, Sort};
use super::invent;
use super::load;
use super::parse::{End, Step};
use super::term::Term;
use super::world::{self, Play, Sent};

const PARTIES: [(&str, &str); 5] = [("A", "alice"), ("B", "bob"), ("C", "carol"), ("D", "dave"), ("S", "S")];

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    dice.next();
    let mut case = invent::protocol(&mut dice);
    let Ok(scenario) = Scenario::read(&case.toml()) else { return case };
    if scenario.protocol.lines.is_empty() {
        return case;
    }
    let style = dice.below(100);
    runs(&mut case, &scenario, &mut dice, style >= 20);
    if style < 8 {
        return case;
    }
    case.attacker = Some(Narration { is_outsider: dice.percent(15), ..Narration::default() });
    if case.attacker.as_ref().is_some_and(|a| a.is_outsider) {
        // Somebody whom no role has so far.
        case.runs
            .iter_mut()
            .flat_map(|(_, cast)| cast)
            .filter(|(_, p)| p == "I")
            .for_each(|(_, p)| *p = "erin".into());
    }
    thefts(&mut case, &scenario, &mut dice);
    if style < 20 {
        return case;
    }
    let steps = 2 + dice.below(7);
    for _ in 0..steps {
        grow(&mut case, &mut dice);
    }
    case
}

fn runs(case: &mut Case, scenario: &Scenario, dice: &mut Dice, with_insider: bool) {
    let protocol = &scenario.protocol;
    let clients: Vec<&String> = protocol.roles.iter().filter(|r| *r != "S").collect();
    let count = 1 + usize::from(dice.percent(40));
    for run in 1..=count {
        let mut names = ["alice", "bob", "carol", "dave"];
        if dice.percent(25) {
            names.swap(0, 1);
        }
        let mut cast: Vec<(String, String)> =
            clients.iter().zip(names).map(|(role, name)| ((*role).clone(), name.to_owned())).collect();
        if with_insider && dice.percent(20) && cast.len() > 1 {
            let at = 1 + dice.below(cast.len() - 1);
            cast[at].1 = "I".to_owned();
        }
        for name in protocol.given.keys() {
            cast.push((name.clone(), format!("value {name} of run {run}")));
        }
        let at = if run == 1 { "0s" } else { ["0s", "1m", "1h"][dice.below(3)] };
        case.runs.push((at.to_owned(), cast));
    }
}

fn thefts(case: &mut Case, scenario: &Scenario, dice: &mut Dice) {
    if !dice.percent(25) {
        return;
    }
    let sorts = &scenario.protocol.sorts;
    let fresh: Vec<&String> =
        scenario.protocol.fresh.keys().filter(|n| matches!(sorts[*n], Sort::Nonce | Sort::Key)).collect();
    let at = ["1s", "30m"][dice.below(2)].to_owned();
    if let (Some(name), true) = (dice.pick(&fresh), dice.percent(60)) {
        case.thefts.push((at, format!("1.{name}"), Some(format!("{name}_1"))));
    } else {
        let keys = ["k(alice,bob)", "sk(bob)", "sk(alice)", "k(alice,kdc)", "k(bob,kdc)"];
        let some = if scenario.protocol.is_role("S") { 5 } else { 3 };
        case.thefts.push((at, keys[dice.below(some)].to_owned(), None));
    }
}

/// Adds one line to the attack.
fn grow(case: &mut Case, dice: &mut Dice) {
    let text = case.toml();
    let Ok(scenario) = Scenario::read(&text) else { return };
    if load::check(&scenario).is_err() {
        return;
    }
    let play = world::play(&scenario);
    let unmentioned: Vec<&Sent> = play.sent.iter().filter(|s| !s.is_mentioned).collect();
    if dice.percent(if unmentioned.is_empty() { 0 } else { 50 }) {
        if let Some(sent) = dice.pick(&unmentioned) {
            listen(case, &play, sent, dice);
        }
    } else {
        speak(case, &scenario, &play, dice);
    }
}

/// A line that reads a message, and takes it off the wire or lets it pass.
fn listen(case: &mut Case, play: &Play<'_>, sent: &Sent, dice: &mut Dice) {
    let names = Names::of(play, sent.run, dice);
    let line = &play.scenario.protocol.lines[sent.line];
    let terms = if dice.percent(25) {
        vec![Term::Name(format!("X{}_{}", sent.run, sent.line + 1))]
    } else {
        let field = |(at, term): (usize, &Term)| {
            if matches!(term, Term::Enc(..)) && dice.percent(35) {
                return Term::Name(format!("Y{}_{}_{at}", sent.run, sent.line + 1));
            }
            names.spell(term, sent.run, play)
        };
        line.terms.iter().enumerate().map(field).collect()
    };
    let to = match &*sent.to {
        MALLORY => End::Attacker(None),
        other if dice.percent(70) => End::Attacker(Some(other.to_owned())),
        other => End::Party(other.to_owned()),
    };
    let step =
        Step { run: sent.run, line: sent.line as u32 + 1, from: End::Party(sent.from.clone()), to, terms };
    let Some(attacker) = &mut case.attacker else { return };
    let at = play.done.iter().position(|d| d.is_none_or(|d| d > sent.step)).unwrap_or(attacker.steps.len());
    attacker.steps.insert(at, step);
}

/// A line of hers to somebody who waits for one, or to begin a part with.
fn speak(case: &mut Case, scenario: &Scenario, play: &Play<'_>, dice: &mut Dice) {
    let protocol = &scenario.protocol;
    let mut targets: Vec<(u32, String, usize)> = Vec::new();
    for part in &play.parts {
        if let world::Outcome::Waits { line } = part.outcome {
            targets.push((part.run, part.party.clone(), line - 1));
        }
    }
    let opened = case.attacker.iter().flat_map(|a| &a.steps).map(|s| s.run).max().unwrap_or(0);
    let next = opened.max(case.runs.len() as u32) + 1;
    if next < 5 && (targets.is_empty() || dice.percent(35)) {
        let roles: Vec<&String> = protocol.roles.iter().filter(|r| **r != protocol.lines[0].from).collect();
        if let Some(role) = dice.pick(&roles) {
            let party = PARTIES.iter().find(|(r, _)| r == role).map_or("bob", |(_, p)| p);
            let party = if *role != "S" && dice.percent(15) { "alice" } else { party };
            let openings: Vec<usize> = (0..protocol.lines.len())
                .filter(|&l| protocol.lines[l].to == **role || protocol.lines[l].from == **role)
                .take(1)
                .chain(protocol.joins.get(*role).into_iter().flatten().copied())
                .collect();
            if let Some(&line) = dice.pick(&openings)
                && protocol.lines[line].to == **role
            {
                targets = vec![(next, party.to_owned(), line)];
            }
        }
    }
    let Some((run, to, line)) = dice.pick(&targets).cloned() else { return };
    let Some(attacker) = &case.attacker else { return };
    let names = Names::of(play, run, dice);
    let from = &protocol.lines[line].from;
    let from = match play.parts.iter().find(|p| p.run == run && p.party == to).and_then(|p| p.mind.peer(from))
    {
        Some(MALLORY) => End::Attacker(None),
        Some(peer) => End::Attacker(Some(spelled(peer))),
        None if from != "S" && !attacker.is_outsider && dice.percent(15) => End::Attacker(None),
        None => End::Attacker(Some(names.party(from)).filter(|name| name != "I")),
    };
    for attempt in 0..6 {
        let terms = sending(case, play, &names, (run, line), &from, dice);
        let step = Step { run, line: line as u32 + 1, from: from.clone(), to: End::Party(to.clone()), terms };
        let mut longer = case.clone();
        let Some(attacker) = &mut longer.attacker else { return };
        let handed: Vec<String> = case.thefts.iter().filter_map(|(.., name)| name.clone()).collect();
        attacker.declare(&step, &handed, scenario, dice);
        attacker.steps.push(step);
        if dice.percent(10) {
            let own = format!("{run}.{}", line + 1);
            if !attacker.not_before.iter().any(|(s, _)| *s == own) {
                let at = ["1m", "2h", "11h"][dice.below(3)].to_owned();
                attacker.not_before.push((own, at));
            }
        }
        let loads = Scenario::read(&longer.toml()).is_ok_and(|s| load::check(&s).is_ok());
        if loads || attempt == 5 && dice.percent(8) {
            *case = longer;
            return;
        }
    }
}

impl Narration {
    /// Declares what of her own making in a line is no nonce.
    fn declare(&mut self, step: &Step, handed: &[String], scenario: &Scenario, dice: &mut Dice) {
        let mut names = Vec::new();
        step.terms.iter().for_each(|t| t.names(&mut names));
        for name in names {
            let Some((of, _)) = name.rsplit_once('_') else { continue };
            let word = match scenario.protocol.sorts.get(of) {
                Some(Sort::KeyPair) => "keypair",
                Some(Sort::Key) if dice.percent(80) => "key",
                Some(Sort::Time) => "time",
                Some(Sort::Expiry) => "expiry",
                Some(Sort::Data) if dice.percent(50) => "data",
                _ => continue,
            };
            let is_said = |f: &String| f.starts_with(&format!("{name}:"));
            if !handed.contains(&name)
                && !self.fresh.iter().any(is_said)
                && !self.steps.iter().any(|s| s.to_string().contains(&name))
            {
                self.fresh.push(format!("{name}: {word}"));
            }
        }
    }
}

/// What she says in a line: a message that she has, or the line's terms with values that she
/// took from other runs or that are her own.
fn sending(
    case: &Case,
    play: &Play<'_>,
    names: &Names,
    (run, line): (u32, usize),
    from: &End,
    dice: &mut Dice,
) -> Vec<Term> {
    let attacker = case.attacker.clone().unwrap_or_default();
    let heard = |s: &&Step| matches!(s.from, End::Party(_)) && s.line as usize == line + 1;
    let same: Vec<&Step> = attacker.steps.iter().filter(heard).collect();
    if dice.percent(45)
        && let Some(step) = dice.pick(&same)
    {
        return step.terms.clone();
    }
    let sources: Vec<u32> = attacker.steps.iter().map(|s| s.run).chain([0, run]).collect();
    let usual = sources[dice.below(sources.len())];
    let mut names = names.clone();
    if *from == End::Attacker(None) {
        names.cast.insert(play.scenario.protocol.lines[line].from.clone(), "I".to_owned());
    }
    let terms = &play.scenario.protocol.lines[line].terms;
    let parts: Vec<Term> = attacker
        .steps
        .iter()
        .filter(|s| matches!(s.from, End::Party(_)))
        .flat_map(|s| s.terms.clone())
        .filter(|t| !matches!(t, Term::Name(n) if n.starts_with('X')))
        .collect();
    terms
        .iter()
        .map(|term| {
            if dice.percent(12)
                && let Some(other) = dice.pick(&parts)
            {
                return other.clone();
            }
            let source = if dice.percent(15) { sources[dice.below(sources.len())] } else { usual };
            names.spell(term, source, play)
        })
        .collect()
}

fn spelled(party: &str) -> String {
    match party {
        MALLORY => "I".to_owned(),
        "kdc" => "S".to_owned(),
        other => other.to_owned(),
    }
}

/// Who plays which role in a run, as far as can be told.
#[derive(Clone, Debug)]
struct Names {
    cast: BTreeMap<String, String>,
}

impl Names {
    fn of(play: &Play<'_>, run: u32, dice: &mut Dice) -> Names {
        let mut cast: BTreeMap<String, String> =
            PARTIES.iter().map(|(role, party)| ((*role).to_owned(), (*party).to_owned())).collect();
        for part in play.parts.iter().filter(|p| p.run == run) {
            for role in &play.scenario.protocol.roles {
                if let Some(party) = part.mind.peer(role) {
                    cast.insert(role.clone(), spelled(party));
                }
            }
        }
        if dice.percent(5) {
            cast.insert("A".to_owned(), "carol".to_owned());
        }
        Names { cast }
    }

    fn party(&self, role: &str) -> String {
        self.cast.get(role).cloned().unwrap_or_else(|| role.to_owned())
    }

    /// A term of the protocol in her words: parties for roles, and for values the names that
    /// she has for those of a run; run 0 is of her own making.
    fn spell(&self, term: &Term, run: u32, play: &Play<'_>) -> Term {
        let protocol = &play.scenario.protocol;
        term.map(&|_| None, &|name| {
            if protocol.is_role(name) { self.party(name) } else { format!("{name}_{run}") }
        })
    }
}
