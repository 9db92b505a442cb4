//! What the attacker holds and can compute. What follows from what is found on symbols, over
//! how values were made; what is told as a finding is then carried out on her bytes, and counts
//! only if it gives the value's bytes. Must not know goals.

mod closure;
mod graph;
mod guess;
mod held;
mod kems;
mod proof;
mod quantum;
mod sums;
mod untagged;

use crate::algebra::{How, Value};
use crate::crypto::Suite;
use crate::journal::{Gain, Journal, Sight, What, Wire};
use crate::limits::MAX_DERIVATION_STEPS;
use crate::notation::{Kind, Name};
use crate::wire::{Encoding, Widths};

use graph::Graph;
use held::{Exhausted, Held, Way};
use untagged::Blobs;

use super::traffic::place_of;

pub use proof::{Derivation, DerivationStep};

/// Why it cannot be said what the attacker can compute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Undecided {
    /// `MAX_DERIVATION_STEPS` was reached.
    Limit {
        /// Its value.
        steps: u64,
    },
}

impl From<Exhausted> for Undecided {
    fn from(_: Exhausted) -> Self {
        Undecided::Limit { steps: MAX_DERIVATION_STEPS as u64 }
    }
}

/// What surrounds what she holds.
pub struct Setting<'a> {
    /// The algorithms.
    pub suite: Suite,
    /// The encoding of a protocol; none of what is outside the notation.
    pub encoding: &'a dyn Fn(&str) -> Option<&'a Encoding>,
    /// The encodings that there are.
    pub encodings: Vec<&'a Encoding>,
    /// The attacker, if there is one.
    pub attacker: Option<&'a Name>,
    /// Private keys of public ones that everybody knows: a quantum computer finds them.
    pub breakable: Vec<Value>,
    /// The words that the attacker tries for passwords, in this order.
    pub dictionary: &'a [String],
}

/// Everything that the attacker holds or can compute at the end of a play, and how.
#[derive(Clone, Debug)]
pub struct Holdings {
    suite: Suite,
    attacker: Option<Name>,
    graph: Graph,
    held: Held,
    blobs: Blobs,
}

impl Holdings {
    /// What she holds at the end of a play. `leaked` are long-term keys that she is given on top
    /// of it. Without an attacker nobody holds anything.
    ///
    /// # Errors
    /// The limit, if it was reached before everything was found: what was found until then must
    /// not be taken for all.
    pub fn of(
        journal: &Journal,
        setting: &Setting<'_>,
        leaked: &[(String, Value)],
    ) -> Result<Holdings, Undecided> {
        let graph = match setting.attacker {
            Some(_) => {
                let spoken_of = journal.events().iter().flat_map(|event| spoken_of(&event.what));
                let mut graph = Graph::of(journal, spoken_of.chain(leaked.iter().map(|(_, value)| value)));
                kems::complete(&mut graph, journal);
                if let Some(since) = quantum_since(journal) {
                    quantum::add(&mut graph, journal, since, &setting.breakable);
                }
                graph.pair(journal);
                graph
            }
            // Of what nobody attacked there is nothing to find out.
            None => Graph::default(),
        };
        let mut holdings = Holdings {
            suite: setting.suite,
            attacker: setting.attacker.cloned(),
            held: Held::of(&graph),
            blobs: Blobs::of(widths(&setting.encodings)),
            graph,
        };
        if setting.attacker.is_some() {
            holdings.collect(journal, setting);
            for (term, value) in leaked {
                holdings.take(value, Way::Handed(term.clone()), None);
            }
            holdings.saturate(journal, setting)?;
            holdings.collect_ingredients(journal, setting);
            // What she sent she made of what she had: it comes last, or it would explain itself.
            for event in journal.events() {
                if let What::Injected { message, .. } = &event.what {
                    let way = Way::Sent { place: place_of(message).into() };
                    holdings.see(message, &way, event.number, setting);
                }
            }
            holdings.saturate(journal, setting)?;
        }
        Ok(holdings)
    }

    fn saturate(&mut self, journal: &Journal, setting: &Setting<'_>) -> Result<(), Exhausted> {
        let Holdings { graph, held, blobs, .. } = self;
        closure::saturate(held, graph, blobs, journal)?;
        guess::guess(held, graph, blobs, journal, setting.dictionary)
    }

    /// What she was given, saw, drew and guessed.
    fn collect(&mut self, journal: &Journal, setting: &Setting<'_>) {
        for event in journal.events() {
            let topics = event.what.topics();
            if let Some(Wire::Sent(message)) = topics.wire {
                let (place, from) = (place_of(message).into(), message.from.clone());
                self.see(message, &Way::Seen { place, from }, event.number, setting);
            }
            let now = Some(event.number);
            match topics.gain {
                Some(Gain::Equipped(term, value)) => self.take(value, Way::Own(term.to_owned()), now),
                Some(Gain::Handed(term, _, value)) => self.take(value, Way::Handed(term.to_owned()), now),
                Some(Gain::Guessed(term, value, words, tested)) => {
                    let (term, tested) = (term.to_owned(), tested.bytes.clone());
                    self.take(value, Way::Guessed { term, words, tested }, now);
                }
                // Others have these.
                // Her bytes, whatever she takes them for: where they are not those of the value,
                // she has another.
                Some(Gain::Recovered(_, value, how, from)) => {
                    let from = from.iter().map(|value| value.bytes.clone()).collect();
                    self.take(value, Way::Recovered { how: how.into(), from }, now);
                }
                Some(Gain::Concluded(..) | Gain::Obtained(..)) | None => {}
            }
        }
        // What she made of what she has follows from it; what she drew does not.
        let hers = journal.made().iter().filter(|maker| Some(&maker.by) == setting.attacker);
        for maker in hers.filter(|maker| matches!(maker.made.how, How::Drawn)) {
            self.take(&maker.made.value, Way::Made, Some(maker.event));
        }
    }

    /// What she made things of she had: a name or a constant that she passed off as a key or a
    /// nonce comes from nowhere else. What is said between people is no secret for being said.
    fn collect_ingredients(&mut self, journal: &Journal, setting: &Setting<'_>) {
        for maker in journal.made().iter().filter(|maker| Some(&maker.by) == setting.attacker) {
            if let How::Computed(of) = &maker.made.how {
                let passed_off = of.inputs.iter().filter(|part| part.value.kind != Kind::Data);
                passed_off.for_each(|part| self.take(&part.value, Way::Made, Some(maker.event)));
            }
        }
    }

    fn see(&mut self, message: &Sight, way: &Way, event: u64, setting: &Setting<'_>) {
        message.shown.values().for_each(|value| self.take(value, way.clone(), Some(event)));
        if (setting.encoding)(&message.protocol).is_some_and(|encoding| !encoding.has_tags()) {
            self.blobs.message(message.bytes.clone(), message.run, message.line, event);
        }
    }

    /// She has these bytes, whatever they are taken for, by an event or once the play is over.
    fn take(&mut self, value: &Value, way: Way, event: Option<u64>) {
        let Holdings { graph, held, .. } = self;
        graph.alike(&value.bytes).for_each(|id| held.take_at(id, way.clone(), event));
    }

    /// Whether she holds or can compute these very bytes.
    pub fn derivable(&self, value: &Value) -> bool {
        self.attacker.is_some() && self.graph.find(value).is_some_and(|id| self.held.has(id))
    }
}

/// The event with which she comes to have a quantum computer.
fn quantum_since(journal: &Journal) -> Option<u64> {
    let mut all = journal.events().iter().filter(|event| matches!(event.what, What::Quantum { .. }));
    all.next().map(|event| event.number)
}

/// The values that an event is about.
fn spoken_of(what: &What) -> Vec<&Value> {
    let mut all = what.secrets();
    let topics = what.topics();
    if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = topics.wire {
        all.extend(message.shown.values());
    }
    match topics.gain {
        Some(Gain::Guessed(_, _, _, tested)) => all.push(tested),
        Some(Gain::Recovered(_, _, _, from)) => all.extend(from),
        Some(Gain::Concluded(..) | Gain::Equipped(..) | Gain::Handed(..) | Gain::Obtained(..)) | None => {}
    }
    all
}

/// To how many bytes names and data are padded in protocols without tags.
fn widths(encodings: &[&Encoding]) -> Vec<(Kind, usize)> {
    let of = |widths: &Widths| [(Kind::Name, widths.name), (Kind::Data, widths.data)];
    let untagged = encodings.iter().filter_map(|encoding| match encoding {
        Encoding::Untagged(widths) => Some(of(widths)),
        Encoding::Tagged | Encoding::Labelled => None,
    });
    untagged.flatten().collect()
}
