//! Which events of a long play a reader wants to see.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::journal::{Event, Part, What, Wire};
use crate::notation::Name;
use crate::notation::fault::suggest;
use crate::scenario::{Scenario, Variant};
use crate::time::{SimTime, Span};

use super::telling::{Teller, Told};

/// A choice of events: of these parties, runs and kinds, in this time. Of each sort any, of all
/// sorts at once; nothing said is everything.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    /// Parties, as senders, receivers or doers.
    pub parties: Vec<Name>,
    /// Runs.
    pub runs: Vec<u32>,
    /// Kinds of event, as docs/JSON.md names them.
    pub kinds: Vec<String>,
    /// Not before this time.
    pub from: Option<SimTime>,
    /// Not after this time.
    pub to: Option<SimTime>,
}

impl Filter {
    /// Adds a word: a run's number, a kind of event or a party of these plays.
    ///
    /// # Errors
    /// What the word might have been.
    pub fn only(&mut self, word: &str, parties: &[Name]) -> Result<(), String> {
        if let Ok(run) = word.parse() {
            self.runs.push(run);
        } else if What::KINDS.iter().any(|kind| kind.word == word) {
            self.kinds.push(word.to_owned());
        } else if parties.iter().any(|party| **party == *word) {
            self.parties.push(word.into());
        } else {
            let known = parties.iter().map(|party| &**party).chain(What::KINDS.iter().map(|kind| kind.word));
            let help = suggest(word, known).map(|help| format!(": {help}")).unwrap_or_default();
            return Err(format!("`{word}` is no party, run or kind of event here{help}"));
        }
        Ok(())
    }

    /// Bounds the time: spans from the beginning of the play.
    pub fn within(&mut self, from: Option<Span>, to: Option<Span>) {
        self.from = from.map(|span| SimTime::ZERO.after(span));
        self.to = to.map(|span| SimTime::ZERO.after(span));
    }

    /// The events that are wanted, with what they are told as.
    pub fn chosen<'a>(&self, teller: &Teller<'a>) -> Vec<(&'a Event, Told<'a>)> {
        let mut kept = BTreeSet::new();
        let wanted = |(event, told): &(&'a Event, Told<'a>)| {
            let wants = match told {
                Told::Fate { of, .. } => {
                    kept.contains(of) && self.wants_kind(event) && self.wants_time(event)
                }
                _ => self.wants(event, told, &teller.attacker),
            };
            if let (true, Some(Wire::Sent(message) | Wire::Injected(message, _))) =
                (wants, event.what.topics().wire)
            {
                kept.insert(message.id);
            }
            wants
        };
        teller.events().filter(wanted).collect()
    }

    fn wants(&self, event: &Event, told: &Told<'_>, attacker: &Name) -> bool {
        let topics = event.what.topics();
        let run = match (topics.wire, topics.part) {
            (Some(Wire::Sent(message) | Wire::Injected(message, _)), _) => Some(message.run),
            (_, Some(Part::Started(id, _) | Part::Completed(id))) => Some(id.run),
            (_, Some(Part::Refused(id, ..))) => Some(id.run),
            (_, Some(Part::Has(id, ..))) => Some(id.run),
            (_, Some(Part::Waits(id, ..))) => Some(id.run),
            (Some(Wire::HeldBack(_)) | None, None) => None,
        };
        let concerns = |party: &Name| match (told, topics.wire) {
            (_, Some(Wire::Sent(message))) => message.from == *party || message.to == *party,
            (_, Some(Wire::Injected(message, _))) => {
                party == attacker || message.from == *party || message.to == *party
            }
            (Told::Deed { by, .. }, _) => by == party,
            _ => false,
        };
        (self.parties.is_empty() || self.parties.iter().any(concerns))
            && (self.runs.is_empty() || run.is_some_and(|run| self.runs.contains(&run)))
            && self.wants_kind(event)
            && self.wants_time(event)
    }

    fn wants_kind(&self, event: &Event) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.what.word())
    }

    fn wants_time(&self, event: &Event) -> bool {
        self.from.is_none_or(|from| event.at >= from) && self.to.is_none_or(|to| event.at <= to)
    }

    /// Whether it leaves anything out.
    pub fn is_everything(&self) -> bool {
        self.parties.is_empty()
            && self.runs.is_empty()
            && self.kinds.is_empty()
            && self.from.is_none()
            && self.to.is_none()
    }
}

/// Everybody of whom a scenario's plays may tell: parties, services, the attacker.
pub fn everybody(scenario: &Scenario) -> Vec<Name> {
    let of = |variant: &Arc<Variant>| {
        let her = variant.setup.attacker.iter().map(|attacker| attacker.name.clone());
        variant.setup.parties.keys().cloned().chain(her).collect::<Vec<_>>()
    };
    scenario.variants.iter().flat_map(of).collect()
}
