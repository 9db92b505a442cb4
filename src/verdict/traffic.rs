//! Every message of a play by its number, and what the attacker did to it. One pass over the
//! journal. Must not judge.

use std::collections::{BTreeMap, BTreeSet};

use crate::algebra::Bytes;
use crate::journal::{Event, Journal, MessageId, SessionId, Sight, What, Wire};
use crate::notation::Name;
use crate::party::SERVICE_PROTOCOLS;

/// The messages of a play.
#[derive(Debug)]
pub struct Traffic<'a> {
    /// By number, which counts from 1.
    messages: Vec<Option<Passage<'a>>>,
    /// What she put on the wire, by protocol and run: a request to a service has a run, too.
    injected: BTreeMap<(Name, u32), Vec<Injection<'a>>>,
    /// What each party said in its own name, by its bytes.
    said: BTreeSet<(&'a Name, &'a Bytes)>,
}

/// A message and its way.
#[derive(Clone, Copy, Debug)]
struct Passage<'a> {
    message: &'a Sight,
    /// Whether the attacker sent it, changed it or held it back, or it answers one of its run
    /// that is so.
    is_touched: bool,
}

/// A message that the attacker put on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Injection<'a> {
    /// The event.
    pub event: u64,
    /// The message.
    pub message: &'a Sight,
    /// The message in whose place it went.
    pub instead_of: Option<MessageId>,
}

impl<'a> Traffic<'a> {
    /// Reads the messages off a journal.
    pub fn of(journal: &'a Journal) -> Traffic<'a> {
        let mut all = Traffic { messages: Vec::new(), injected: BTreeMap::new(), said: BTreeSet::new() };
        for event in journal.events() {
            all.note(event, journal);
        }
        all
    }

    /// The message that was delivered before this event and brought it about.
    fn answered(&self, event: &Event, journal: &'a Journal) -> Option<&Passage<'a>> {
        let mut cause = event.cause;
        // A part that begins with a message stands between it and what it brings about.
        while let Some(event) = cause.and_then(|number| journal.event(number)) {
            match &event.what {
                What::Delivered { id, .. } => return self.passage(*id),
                What::Started { .. } => cause = event.cause,
                _ => return None,
            }
        }
        None
    }

    fn note(&mut self, event: &'a Event, journal: &'a Journal) {
        match event.what.topics().wire {
            Some(Wire::Sent(message)) => {
                let answers_touched = self
                    .answered(event, journal)
                    .is_some_and(|asked| asked.is_touched && is_of_one_run(asked.message, message));
                self.put(message, answers_touched);
                self.said.insert((&message.from, &message.bytes));
            }
            Some(Wire::Injected(message, instead_of)) => {
                self.put(message, true);
                let injection = Injection { event: event.number, message, instead_of };
                self.injected.entry((message.protocol.clone(), message.run)).or_default().push(injection);
            }
            // What she took and let go later she held back.
            Some(Wire::HeldBack(id)) => {
                if let Some(Some(passage)) = place(id).and_then(|at| self.messages.get_mut(at)) {
                    passage.is_touched = true;
                }
            }
            None => {}
        }
    }

    fn put(&mut self, message: &'a Sight, is_touched: bool) {
        let Some(at) = place(message.id) else { return };
        if self.messages.len() <= at {
            self.messages.resize(at + 1, None);
        }
        self.messages[at] = Some(Passage { message, is_touched });
    }

    fn passage(&self, id: MessageId) -> Option<&Passage<'a>> {
        self.messages.get(place(id)?)?.as_ref()
    }

    /// A message.
    pub fn message(&self, id: MessageId) -> Option<&'a Sight> {
        self.passage(id).map(|passage| passage.message)
    }

    /// A message that the attacker sent, changed or held back, or an answer to one.
    pub fn touched(&self, id: MessageId) -> Option<&'a Sight> {
        self.passage(id).filter(|passage| passage.is_touched).map(|passage| passage.message)
    }

    /// A message that the attacker put on the wire.
    pub fn injection(&self, id: MessageId) -> Option<&'a Sight> {
        let message = self.message(id)?;
        let of_run = self.injected.get(&(message.protocol.clone(), message.run))?;
        let at = of_run.binary_search_by_key(&id, |injection| injection.message.id).ok()?;
        of_run.get(at).map(|injection| injection.message)
    }

    /// What the attacker put on the wire in a session's run, in order.
    pub fn injected(&self, session: &SessionId) -> &[Injection<'a>] {
        self.injected.get(&(session.protocol.clone(), session.run)).map_or(&[], Vec::as_slice)
    }

    /// Whether a party itself ever put these bytes on the wire.
    pub fn was_said_by(&self, party: &Name, bytes: &Bytes) -> bool {
        self.said.contains(&(party, bytes))
    }
}

fn is_of_one_run(a: &Sight, b: &Sight) -> bool {
    a.run == b.run && a.protocol == b.protocol
}

/// Where a message stands, as logs and evidence tell it: its run and line, or the service's
/// protocol and line.
pub fn place_of(message: &Sight) -> String {
    match &*message.protocol {
        service if SERVICE_PROTOCOLS.contains(&service) => format!("{service}.{}", message.line),
        _ => format!("{}.{}", message.run, message.line),
    }
}

/// Where a message lies: they are numbered from 1.
fn place(id: MessageId) -> Option<usize> {
    usize::try_from(id.checked_sub(1)?).ok()
}
