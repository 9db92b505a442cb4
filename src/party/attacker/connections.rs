//! Who waits for a service's answer on which connection: whoever is on the wire can write on any
//! of them. Must not know what questions ask.

use std::collections::BTreeMap;

use crate::journal::{QuestionId, Sight};
use crate::notation::Name;

/// The questions that went over the wire.
#[derive(Default)]
pub struct Connections {
    by_run: BTreeMap<(Name, Name, u32), QuestionId>,
    latest: BTreeMap<(Name, Name), QuestionId>,
}

impl Connections {
    /// Takes note of a question.
    pub fn note(&mut self, message: &Sight) {
        if let (1, Some(question)) = (message.line, message.question) {
            let (from, protocol) = (message.from.clone(), message.protocol.clone());
            self.by_run.insert((from.clone(), protocol.clone(), message.run), question);
            self.latest.insert((from, protocol), question);
        }
    }

    /// The connection on which an answer of the attacker's own goes: that of the question of its
    /// run, else the latest that its receiver opened. None of what answers nothing.
    pub fn of(&self, message: &Sight) -> Option<QuestionId> {
        if message.line != 2 {
            return message.question;
        }
        let place = (message.to.clone(), message.protocol.clone());
        let of_run = self.by_run.get(&(place.0.clone(), place.1.clone(), message.run));
        of_run.or_else(|| self.latest.get(&place)).copied().or(message.question)
    }
}
