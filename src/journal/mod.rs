//! What happened: events in order, each with its cause, and how every value was made.
//! Must not know how it is shown or what it means for a goal.

mod event;
mod json;
mod matter;
pub mod prints;
mod schema;
mod topics;

use crate::algebra::Made;
use crate::notation::Name;
use crate::time::SimTime;

pub use event::{Event, What};
pub use matter::{MessageId, QuestionId, Refusal, SessionId, Sight, Told};
pub use prints::Prints;
pub use schema::Kind;
pub use topics::{Gain, Part, Revocation, Topics, Wire};

/// The record of one play.
#[derive(Clone, Default, Debug)]
pub struct Journal {
    events: Vec<Event>,
    made: Vec<Maker>,
    /// What both take, in bytes.
    weight: usize,
    /// How fingerprints are shown.
    prints: Prints,
}

/// Events that come of a run of a few lines or of a request.
const EVENTS_OF_A_CUE: usize = 8;
/// Values that are made in their course.
const VALUES_OF_A_CUE: usize = 4;

/// About what the smaller things weigh that lie beside an entry: names, a term, a short value.
const SMALL: usize = 64;

/// What an event keeps beside itself.
fn carried(what: &What) -> usize {
    match what {
        What::Sent { message } | What::Injected { message, .. } => {
            size_of::<Sight>() + SMALL + message.bytes.weight()
        }
        _ => SMALL,
    }
}

/// A value that somebody made, and when.
#[derive(Clone, Debug)]
pub struct Maker {
    /// Who made it.
    pub by: Name,
    /// The event in whose course it was made.
    pub event: u64,
    /// The value and how it was made.
    pub made: Made,
}

impl Journal {
    /// A journal of what comes of so many things that are set to happen, which has room for all
    /// that usually does.
    pub fn of(cues: usize, prints: Prints) -> Journal {
        let room = cues.saturating_add(1);
        Journal {
            events: Vec::with_capacity(room.saturating_mul(EVENTS_OF_A_CUE)),
            made: Vec::with_capacity(room.saturating_mul(VALUES_OF_A_CUE)),
            weight: 0,
            prints,
        }
    }

    /// Records an event and answers its number, which counts from 1.
    pub fn push(&mut self, at: SimTime, cause: Option<u64>, what: What) -> u64 {
        let number = self.events.len() as u64 + 1;
        self.weight += size_of::<Event>() + carried(&what);
        let event = Event { number, cause, at, what };
        event.what.trace(number, at.0, &|| self.prints.in_json(event.to_json()).to_string());
        self.events.push(event);
        number
    }

    /// How fingerprints leave the play.
    pub fn prints(&self) -> &Prints {
        &self.prints
    }

    /// Records how a value was made.
    pub fn push_made(&mut self, by: &Name, event: u64, made: Made) {
        self.weight += size_of::<Maker>() + SMALL + made.value.bytes.weight();
        self.made.push(Maker { by: by.clone(), event, made });
    }

    /// About how many bytes it takes. What lies in several of its entries, as a list that goes to
    /// thousands, counts once or twice.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The event with this number.
    pub fn event(&self, number: u64) -> Option<&Event> {
        self.events.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// How values were made, in order.
    pub fn made(&self) -> &[Maker] {
        &self.made
    }

    /// One JSON object for each event, each on a line; equal journals give equal bytes.
    pub fn to_json_lines(&self) -> String {
        self.events.iter().fold(String::new(), |mut text, event| {
            text.push_str(&self.prints.in_json(event.to_json()).to_string());
            text.push('\n');
            text
        })
    }

    /// SHA-256 over every event's JSON and every made value's bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = self.to_json_lines().into_bytes();
        for maker in &self.made {
            bytes.extend_from_slice(&maker.made.value.bytes);
        }
        crate::crypto::sha256(&[&bytes])
    }
}
