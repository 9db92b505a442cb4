//! Writes an attack that was found as a scenario that anybody can play. Must not know how it was
//! found.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::bundle::{Bundle, Instance, StepId};
use super::events::LATER;
use super::intruder::Intruder;
use super::names::choose;
use super::spell::{Grouping, Writer};
use crate::notation::Protocol;

/// An attack as lines that can be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Its `[[run]]`s, `[[event]]`s and `[attacker]`, as they stand in a file.
    pub text: String,
    /// The honest parties in it.
    pub parties: Vec<String>,
    /// Those whose passwords she guesses, with the word that each has.
    pub passwords: Vec<(String, String)>,
    /// Whether those take readings of clocks that are long past.
    pub is_lax: bool,
    /// The lines of the narration.
    pub lines: Vec<String>,
    /// How many of them are messages of hers.
    pub hers: usize,
    /// The runs.
    pub runs: usize,
}

/// Writes a bundle down; none if something in it has no name in the notation.
pub fn tell(
    protocol: &Protocol,
    at: &mut Intruder<'_>,
    bundle: &Bundle,
    grouping: &Grouping<'_>,
) -> Option<Told> {
    let store = choose(protocol, at, &bundle.store)?;
    let mut bundle = Bundle { store, ..bundle.clone() };
    // What follows a message of its own accord happens, too.
    for part in 0..bundle.parts.len() {
        let instance = bundle.parts[part].instance.clone();
        let done = bundle.parts[part].done.len();
        let follows = instance.steps[done..].iter().take_while(|step| step.sends).count();
        if follows > 0 && !bundle.advance(part, done + follows - 1, &mut Vec::new()) {
            return None;
        }
    }
    let mut writer = Writer::new(protocol, at, &bundle, grouping)?;
    let order = writer.linear();
    let mut lines: Vec<Line> = Vec::new();
    for step in &order {
        writer.message(*step);
        let line = writer.line(*step)?;
        match lines.last_mut() {
            // What she takes and sends on as it is just passes.
            Some(last) if last.is_taken && !line.is_taken && last.same_way(&line) => {
                last.is_taken = false;
                last.passes = true;
            }
            _ => lines.push(line),
        }
    }
    let mut text = String::new();
    writer.runs(grouping, &mut text);
    writer.leaks(grouping.runs, &order, &mut text);
    let fresh = std::mem::take(&mut writer.fresh);
    let passwords = writer.guessed(grouping.passwords);
    let spoken: String = lines.iter().map(|line| line.shown() + " ").collect();
    let parties = writer.parties(&(spoken + &text));
    text.push_str("[attacker]\n");
    if !writer.at.powers.insider {
        text.push_str("insider = false\n");
    }
    if !grouping.has_dictionary && !passwords.is_empty() {
        let words: BTreeSet<String> = passwords.iter().map(|(_, word)| format!("{word:?}")).collect();
        let words: Vec<String> = words.into_iter().collect();
        let _ = writeln!(text, "dictionary = [{}]", words.join(", "));
    }
    if !fresh.is_empty() {
        let shown: Vec<String> = fresh.iter().map(|one| format!("{one:?}")).collect();
        let _ = writeln!(text, "fresh   = [{}]", shown.join(", "));
    }
    let late = lines.iter().find(|line| line.epoch > 0 && !line.is_taken && !line.passes);
    if let Some(line) = late {
        let _ = writeln!(text, "at      = {{ \"{}\" = \"{LATER}\" }}", line.place);
    }
    let shown: Vec<String> = lines.iter().map(Line::shown).collect();
    text.push_str("attack  = [\n");
    for line in &shown {
        let quoted = if line.contains('\'') { format!("{line:?}") } else { format!("'{line}'") };
        let _ = writeln!(text, "  {quoted},");
    }
    text.push_str("]\n");
    Some(Told {
        text,
        parties,
        passwords,
        is_lax: at.powers.lax_clock,
        hers: lines.iter().filter(|line| !line.is_taken && !line.passes).count(),
        lines: shown,
        runs: grouping.runs.len(),
    })
}

/// A line of the narration.
struct Line {
    place: String,
    from: String,
    to: String,
    parts: String,
    is_taken: bool,
    passes: bool,
    epoch: u8,
}

impl Line {
    fn same_way(&self, other: &Line) -> bool {
        (&self.place, &self.from, &self.to, &self.parts)
            == (&other.place, &other.from, &other.to, &other.parts)
    }

    fn shown(&self) -> String {
        let Line { place, from, to, parts, .. } = self;
        let hers = |name: &str| if name == "I" { "I".to_owned() } else { format!("I({name})") };
        match (self.passes, self.is_taken) {
            (true, _) => format!("{place} {from} -> {to} : {parts}"),
            (_, true) => format!("{place} {from} -> {} : {parts}", hers(to)),
            (_, false) => format!("{place} {} -> {to} : {parts}", hers(from)),
        }
    }
}

impl Writer<'_, '_> {
    /// The steps in an order that can be played: what a party sends right after what it took,
    /// and what just passes right after it was sent.
    fn linear(&mut self) -> Vec<StepId> {
        let all: Vec<StepId> = (0..self.bundle.places.len() as StepId).collect();
        let mut order: Vec<StepId> = Vec::new();
        let mut left: BTreeSet<StepId> = all.iter().copied().collect();
        while !left.is_empty() {
            let ready: Vec<StepId> = (left.iter().copied())
                .filter(|step| {
                    left.iter().all(|other| other == step || !self.bundle.is_before(*other, *step))
                        && left.iter().all(|other| self.bundle.epoch(*other) >= self.bundle.epoch(*step))
                })
                .collect();
            let last = order.last().copied();
            let next =
                (ready.iter().copied().find(|step| last.is_some_and(|last| self.follows(last, *step))))
                    .or_else(|| ready.iter().copied().find(|step| self.sends(*step)))
                    .or_else(|| ready.first().copied());
            let Some(next) = next else { break };
            left.remove(&next);
            order.push(next);
        }
        order
    }

    fn sends(&self, step: StepId) -> bool {
        let place = &self.bundle.places[usize::from(step)];
        self.bundle.parts[place.part].instance.steps[place.step].sends
    }

    /// Whether a step is what comes of the last one.
    fn follows(&mut self, last: StepId, step: StepId) -> bool {
        let (a, b) = (self.bundle.places[usize::from(last)], self.bundle.places[usize::from(step)]);
        if a.part == b.part {
            return self.sends(step);
        }
        match (self.sends(last), self.sends(step)) {
            (true, false) => match (self.line(last), self.line(step)) {
                (Some(sent), Some(taken)) => sent.same_way(&taken),
                _ => false,
            },
            _ => false,
        }
    }

    fn line(&mut self, step: StepId) -> Option<Line> {
        let place = self.bundle.places[usize::from(step)];
        let part = &self.bundle.parts[place.part];
        let instance: &Instance = &part.instance;
        let moment = instance.steps[place.step].clone();
        let role = &self.protocol.roles[self.at.cast.templates[part.template].role].name;
        let me = *instance.names.get(&self.protocol.table.find_name(role)?)?;
        let (me, peer) = (self.party(me)?, self.party(moment.peer)?);
        let parts = self.list(&moment.parts)?;
        let (from, to) = if moment.sends { (me, peer) } else { (peer, me) };
        Some(Line {
            place: format!("{}.{}", self.number_of(place.part), moment.line),
            from,
            to,
            parts,
            is_taken: moment.sends,
            passes: false,
            epoch: part.epoch,
        })
    }
}
