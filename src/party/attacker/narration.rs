//! Follows a narration: lines in order; what comes early is held until its line is
//! reached; a line that needs what she does not have yet waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::format::Format;
use super::hand::{Address, Hand};
use super::trials::{Ready, Trials};
use super::{Desk, Mind, Profile};
use crate::algebra::Value;
use crate::journal::{Sight, What};
use crate::knowledge::{Grounds, Supply};
use crate::notation::attack::{AttackLine, Deed, rights};
use crate::notation::{Attack, Kind, Name, Node, Table, Term};
use crate::party::{AttackerEffect, Cast, PartyTrust, Spoken};
use crate::time::SimTime;

pub struct Narrator {
    attack: Arc<Attack>,
    hand: Hand,
    /// The format of each line.
    formats: Vec<Arc<Format>>,
    next: usize,
    /// Messages held for a later line.
    held: Vec<Sight>,
    stopped: Option<String>,
    trials: Trials,
    /// The time before which she does not send a line.
    times: BTreeMap<(u32, u32), SimTime>,
}

/// A notebook for the terms of an attack, and the format of each of its lines. She knows who
/// there is, and her own fresh values.
pub fn notebook(
    cast: &Arc<Cast>,
    profile: &Profile,
    attack: &Attack,
    stream: &str,
) -> (Hand, Vec<Arc<Format>>) {
    let name = &profile.character.name;
    let fresh = attack.fresh.iter();
    let supply: BTreeMap<_, _> =
        fresh.filter_map(|(name, of)| Some((attack.table.find_name(name)?, Supply::Generate(*of)))).collect();
    let labels = cast.labels();
    let grounds = |spoken: &Spoken, table: &Arc<Table>| {
        Arc::new(Grounds {
            rights: rights(table, name, profile.insider),
            supply: supply.clone(),
            group: None,
            voice: BTreeSet::new(),
            uses: spoken.protocol.uses,
            protocol: spoken.protocol.name.as_str().into(),
            encoding: spoken.encoding.clone(),
            labels: labels.clone(),
            table: table.clone(),
        })
    };
    let format = |line: &AttackLine| {
        let spoken = cast.protocols.get(&line.protocol).unwrap_or(cast.main());
        let grounds = grounds(spoken, &line.table);
        Arc::new(Format { grounds, line: line.step, casts: line.casts.clone() })
    };
    let trust = PartyTrust::of_attacker(cast, &profile.character);
    let rng = cast.keys.stream(&[name, "attack", stream]);
    let mut hand = Hand::new(grounds(cast.main(), &attack.table), rng, trust);
    let agents: BTreeSet<&str> = cast.registered.names().map(|n| &**n).chain([&**name]).collect();
    for id in attack.table.ids() {
        if let Node::Name(n) = attack.table.node(id)
            && attack.table.kind(id) == Some(Kind::Name)
            && agents.contains(&**n)
        {
            hand.knowledge.set(id, Value::name(n));
        }
    }
    (hand, attack.lines.iter().map(format).collect())
}

impl Narrator {
    pub fn new(cast: &Arc<Cast>, profile: &Profile, attack: &Arc<Attack>) -> Narrator {
        let (hand, formats) = notebook(cast, profile, attack, "narration");
        let rng = cast.keys.stream(&[&profile.character.name, "trials"]);
        let trials = Trials::new(attack.finds.clone(), profile.trials, rng);
        Narrator {
            hand,
            formats,
            attack: attack.clone(),
            next: 0,
            held: Vec::new(),
            stopped: None,
            trials,
            times: profile.times.clone(),
        }
    }

    fn speaks_of(line: &AttackLine, message: &Sight) -> bool {
        let (Deed::Take { from, to } | Deed::Overhear { from, to }) = &line.deed else { return false };
        *from == message.from
            && *to == message.to
            && line.run == message.run
            && line.step == message.line
            && line.protocol == message.protocol
    }

    /// The line to come that this message is for, if no held message is for it already.
    fn line_for(&self, message: &Sight) -> Option<usize> {
        let alike = self.held.iter().filter(|h| same_place(h, message)).count();
        let lines = self.attack.lines.iter().enumerate().skip(self.next);
        lines.filter(|(_, l)| Self::speaks_of(l, message)).map(|(i, _)| i).nth(alike)
    }

    fn advance(&mut self, desk: &mut Desk<'_>) {
        if !desk.active {
            return;
        }
        let attack = self.attack.clone();
        while let (Some(line), None) = (attack.lines.get(self.next), &self.stopped) {
            let done = match &line.deed {
                Deed::Take { .. } | Deed::Overhear { .. } => self.read(line, desk),
                Deed::Send { from, to } => self.send(line, from, to, desk),
            };
            if !done {
                return;
            }
            desk.effects.note(What::Followed { line: line.text.clone() });
            self.next += 1;
        }
    }

    fn read(&mut self, line: &AttackLine, desk: &mut Desk<'_>) -> bool {
        let Some(at) = self.held.iter().position(|h| Self::speaks_of(line, h)) else { return false };
        let message = self.held.remove(at);
        let format = self.formats[self.next].clone();
        match self.hand.read(&message, &line.parts, &format, desk) {
            Ok(()) => true,
            Err(reason) => {
                self.stop(format!("the message does not read so ({reason})"), desk);
                if matches!(line.deed, Deed::Take { .. }) {
                    desk.pass(message);
                }
                false
            }
        }
    }

    fn send(&mut self, line: &AttackLine, from: &Name, to: &Name, desk: &mut Desk<'_>) -> bool {
        let early = self.times.get(&(line.run, line.step)).is_some_and(|at| desk.now < *at);
        let format = self.formats[self.next].clone();
        if early || !self.hand.can_build(&line.parts, &format) {
            return false;
        }
        match self.trials.ready(&line.parts, &mut self.hand, &format, desk) {
            Ready::Yes => {}
            Ready::NotYet => return false,
            Ready::Never(why) => {
                self.stop(why, desk);
                return false;
            }
        }
        let at = Address { run: line.run, line: line.step, protocol: &line.protocol, from, to };
        match self.hand.write(&at, &line.parts, &format, desk) {
            Ok(message) => {
                desk.inject(message, None);
                true
            }
            Err(reason) => {
                self.stop(format!("she cannot make it ({reason})"), desk);
                false
            }
        }
    }

    fn stop(&mut self, why: String, desk: &mut Desk<'_>) {
        self.stopped = Some(why);
        for message in std::mem::take(&mut self.held) {
            let overheard = self
                .attack
                .lines
                .iter()
                .any(|l| Self::speaks_of(l, &message) && matches!(l.deed, Deed::Overhear { .. }));
            if !overheard {
                desk.pass(message);
            }
        }
    }
}

fn same_place(a: &Sight, b: &Sight) -> bool {
    a.from == b.from && a.to == b.to && a.run == b.run && a.line == b.line && a.protocol == b.protocol
}

impl Mind for Narrator {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.times.values().for_each(|at| desk.effects.all.push(AttackerEffect::Timer(*at, 0)));
        self.advance(desk);
    }

    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        let line = if self.stopped.is_some() { None } else { self.line_for(&message) };
        match line.map(|at| &self.attack.lines[at].deed) {
            Some(Deed::Take { .. }) => desk.take(&message),
            Some(_) => desk.pass(message.clone()),
            None => return desk.pass(message),
        }
        self.held.push(message);
        self.advance(desk);
    }

    fn notebook(&mut self) -> Option<&mut Hand> {
        Some(&mut self.hand)
    }

    fn timer(&mut self, _number: u64, desk: &mut Desk<'_>) {
        self.advance(desk);
    }

    fn listen(&mut self, message: &Sight) {
        let line = self.line_for(message).map(|at| &self.attack.lines[at].deed);
        if self.stopped.is_none() && matches!(line, Some(Deed::Overhear { .. })) {
            self.held.push(message.clone());
        }
    }

    fn handed(&mut self, term: &Term, value: &Value, desk: &mut Desk<'_>) {
        if let Some(id) = self.attack.table.find(term) {
            self.hand.knowledge.set(id, value.clone());
            self.hand.look_again(desk);
            self.advance(desk);
        }
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        let Some(line) = self.attack.lines.get(self.next) else { return };
        let lacked = match (&self.stopped, &line.deed) {
            (Some(why), _) => why.clone(),
            (None, Deed::Send { .. }) => {
                let missing = || self.hand.missing(&line.parts);
                format!("she never had {}", self.trials.lacked().cloned().unwrap_or_else(missing))
            }
            (None, Deed::Take { from, .. } | Deed::Overhear { from, .. }) => format!("{from} never sent it"),
        };
        desk.effects.note(What::AttackStopped { line: line.text.clone(), lacked });
    }
}
