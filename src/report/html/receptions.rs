//! What became of messages where they arrived: who took them, and which check refused them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::journal::{Event, Journal, MessageId, What};
use crate::notation::Name;
use crate::reason::Reason;

/// A message that reached somebody.
pub struct Reception<'a> {
    /// Which.
    pub message: MessageId,
    /// The event of its arrival.
    pub event: u64,
    /// Whom.
    pub by: &'a Name,
    /// What came of it.
    pub came_to: CameTo,
}

/// What came of a message where it arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CameTo {
    /// No check refused it.
    Taken,
    /// A check failed, at a line of a protocol if it is one's.
    Refused(Option<u32>, Reason),
    /// Nobody waited for it.
    Unheeded(&'static str),
}

/// Every arrival, in order.
pub fn receptions(journal: &Journal) -> Vec<Reception<'_>> {
    let mut all: Vec<Reception<'_>> = Vec::new();
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut last: BTreeMap<(MessageId, &Name), usize> = BTreeMap::new();
    for event in journal.events() {
        let arrived = arrival(journal, event).and_then(|number| places.get(&number).copied());
        let (place, came_to) = match &event.what {
            What::Delivered { id, to } => {
                places.insert(event.number, all.len());
                last.insert((*id, to), all.len());
                all.push(Reception { message: *id, event: event.number, by: to, came_to: CameTo::Taken });
                continue;
            }
            What::Refused { session, refusal, message } => {
                let named = message.and_then(|id| last.get(&(id, &session.party)).copied());
                (named.or(arrived), CameTo::Refused(Some(refusal.line), refusal.reason))
            }
            What::Ignored { id, by, why } => (last.get(&(*id, by)).copied(), CameTo::Unheeded(why)),
            what => match what.topics().refusal {
                Some(reason) => (arrived, CameTo::Refused(None, reason)),
                None => continue,
            },
        };
        if let Some(at) = place {
            all[at].came_to = came_to;
        }
    }
    all
}

/// The arrival that brought an event about, with a part that begins in between.
fn arrival(journal: &Journal, event: &Event) -> Option<u64> {
    let mut cause = event.cause;
    while let Some(event) = cause.and_then(|number| journal.event(number)) {
        match &event.what {
            What::Delivered { .. } => return Some(event.number),
            What::Started { .. } => cause = event.cause,
            _ => return None,
        }
    }
    None
}

impl Reception<'_> {
    /// As data.
    pub fn data(&self) -> Json {
        let base = |word: &str| json!({ "message": self.message, "event": self.event, "by": **self.by, "came_to": word });
        match self.came_to {
            CameTo::Taken => base("taken"),
            CameTo::Unheeded(why) => {
                let mut data = base("unheeded");
                data["why"] = why.into();
                data
            }
            CameTo::Refused(line, reason) => {
                let mut data = base("refused");
                data["line"] = line.into();
                data["reason"] = reason.word().into();
                data["meaning"] = reason.meaning().into();
                data
            }
        }
    }
}
