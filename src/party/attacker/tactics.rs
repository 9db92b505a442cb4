//! Tactics that need no keys: listening, replaying, reflecting, tampering.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Desk, Mind, Profile};
use crate::algebra::Bytes;
use crate::crypto::Rng;
use crate::journal::Sight;
use crate::knowledge::Shown;
use crate::notation::Kind;
use crate::party::{AttackerEffect, Cast, SERVICE_PROTOCOLS};
use crate::time::Span;
use crate::wire::{Field, tagged_fields};

/// Listens.
pub struct Eavesdrop;

impl Mind for Eavesdrop {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        desk.pass(message);
    }
}

/// Says again, in a run of her own, what one client said to another.
#[derive(Default)]
pub struct Replay {
    /// What clients said, by run, in order.
    said: BTreeMap<u32, Vec<Sight>>,
    /// Her runs: the run that each repeats, and the next thing to say in it.
    again: BTreeMap<u32, (u32, usize)>,
    /// The runs that timers will repeat.
    planned: Vec<u32>,
}

/// How long she waits before she repeats a run.
const REPLAY_AFTER: Span = Span::seconds(1);

impl Replay {
    /// Says the next thing of the original run that goes to the party at hand.
    fn say(&mut self, run: u32, desk: &mut Desk<'_>) {
        let Some((original, next)) = self.again.get_mut(&run) else { return };
        let Some(said) = self.said.get(original) else { return };
        let Some(first) = said.first() else { return };
        let mine = said.iter().enumerate().skip(*next);
        let Some((at, message)) = mine.into_iter().find(|(_, m)| m.from == first.from && m.to == first.to)
        else {
            return;
        };
        *next = at + 1;
        desk.inject(Sight { run, ..message.clone() }, None);
    }
}

impl Mind for Replay {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        if self.again.contains_key(&message.run) {
            let to_original = self.again.get(&message.run).and_then(|(o, _)| self.said.get(o)?.first());
            if to_original.is_some_and(|first| first.from == message.to) {
                desk.take(&message);
                return self.say(message.run, desk);
            }
            return desk.pass(message);
        }
        let between_clients = desk.is_client(&message.from) && desk.is_client(&message.to);
        if between_clients && !SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            let said = self.said.entry(message.run).or_default();
            said.push(message.clone());
            if said.len() == 1 {
                self.planned.push(message.run);
                let at = desk.now.after(REPLAY_AFTER);
                desk.effects.all.push(AttackerEffect::Timer(at, self.planned.len() as u64 - 1));
            }
        }
        desk.pass(message);
    }

    fn timer(&mut self, number: u64, desk: &mut Desk<'_>) {
        let Some(original) = usize::try_from(number).ok().and_then(|n| self.planned.get(n)).copied() else {
            return;
        };
        let taken = desk.cast.runs.keys().chain(self.again.keys()).max().copied().unwrap_or(0);
        self.again.insert(taken + 1, (original, 0));
        self.say(taken + 1, desk);
        // Messages that follow without an answer between them follow here too.
        let said = &self.said[&original];
        let unanswered = said.iter().take_while(|m| m.from == said[0].from && m.to == said[0].to).count();
        for _ in 1..unanswered {
            self.say(taken + 1, desk);
        }
    }
}

/// Answers each client with what it sent itself: she opens a run with it in the other role
/// and has it answer its own questions.
#[derive(Default)]
pub struct Reflect {
    /// The mirror of a run, both ways, for one client.
    mirror: BTreeMap<(u32, String), u32>,
    next_run: u32,
}

impl Mind for Reflect {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        let between_clients = desk.is_client(&message.from) && desk.is_client(&message.to);
        if !between_clients || SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            return desk.pass(message);
        }
        let key = (message.run, message.from.to_string());
        let run = match self.mirror.get(&key) {
            Some(run) => *run,
            None => {
                let first = desk.cast.runs.keys().max().copied().unwrap_or(0) + 1;
                self.next_run = self.next_run.max(first);
                let run = self.next_run;
                self.next_run += 1;
                self.mirror.insert((message.run, message.from.to_string()), run);
                self.mirror.insert((run, message.from.to_string()), message.run);
                run
            }
        };
        desk.take(&message);
        let id = message.id;
        let bytes = mirrored(&message, desk).unwrap_or(message.bytes.clone());
        let back = Sight { run, from: message.to.clone(), to: message.from.clone(), bytes, ..message };
        desk.inject(back, Some(id));
    }
}

/// The message with sender and receiver exchanged where it names them in the clear: names
/// outside any cryptography are hers to write.
fn mirrored(message: &Sight, desk: &Desk<'_>) -> Option<Bytes> {
    let encoding = desk.cast.protocols.get(&message.protocol).map(|s| s.encoding.clone())?;
    if !encoding.has_tags() {
        return None;
    }
    let mut out = Vec::new();
    for (kind, range) in tagged_fields(&message.bytes).ok()? {
        let bytes = &message.bytes[range];
        let bytes = match kind {
            Kind::Name if bytes == message.from.as_bytes() => message.to.as_bytes(),
            Kind::Name if bytes == message.to.as_bytes() => message.from.as_bytes(),
            _ => bytes,
        };
        encoding.write(Field { kind, bytes, width: None }, &mut out).ok()?;
    }
    Some(Bytes::from(out))
}

/// Changes a bit of each message.
pub struct Tamper {
    rng: Rng,
}

impl Tamper {
    pub fn new(cast: &Arc<Cast>, profile: &Profile) -> Tamper {
        Tamper { rng: cast.keys.stream(&[&profile.character.name, "tamper"]) }
    }
}

impl Mind for Tamper {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        desk.take(&message);
        let changed = flip_a_bit(&message, &mut self.rng, desk);
        desk.inject(changed, Some(message.id));
    }
}

/// The message with one bit changed: in the contents of a field that is no name or public
/// constant where fields are marked, else anywhere.
pub fn flip_a_bit(message: &Sight, rng: &mut Rng, desk: &Desk<'_>) -> Sight {
    use rand::RngExt as _;
    let mut bytes = message.bytes.to_vec();
    let tagged = desk.cast.protocols.get(&message.protocol).is_some_and(|s| s.encoding.has_tags());
    let fields = if tagged { tagged_fields(&bytes).unwrap_or_default() } else { Vec::new() };
    let targets: Vec<_> = fields
        .into_iter()
        .filter(|(kind, range)| !matches!(kind, Kind::Name | Kind::Text) && !range.is_empty())
        .map(|(_, range)| range)
        .collect();
    let range = match targets.len() {
        0 => 0..bytes.len(),
        n => targets[rng.random_range(0..n)].clone(),
    };
    if !range.is_empty() {
        let at = rng.random_range(range);
        bytes[at] ^= 1 << rng.random_range(0..8);
    }
    let bytes = Bytes::from(bytes);
    let text = format!("{}, one bit of it changed: {}", message.shown.text(), bytes.fingerprint());
    Sight { bytes, shown: Shown::words(text), ..message.clone() }
}
