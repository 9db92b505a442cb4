//! Questions to services and their answers, as messages. Must not know what is asked.

use crate::algebra::Bytes;
use crate::journal::{QuestionId, Sight};
use crate::knowledge::Shown;
use crate::notation::Name;

/// Numbers somebody's questions. No number comes twice, not after a restart either: an answer
/// to a question that was forgotten is the answer to none.
#[derive(Default)]
pub struct Questions(QuestionId);

impl Questions {
    /// The number of the next one.
    pub fn next(&mut self) -> QuestionId {
        self.0 += 1;
        self.0
    }
}

/// What a question is about, and whom it goes to.
pub struct Question<'a> {
    /// Its number.
    pub id: QuestionId,
    /// The run for whose sake it is asked, or the number of the request.
    pub run: u32,
    /// Who asks.
    pub from: &'a Name,
    /// The service that is asked.
    pub to: Name,
    /// The name under which its messages travel.
    pub protocol: Name,
}

impl Question<'_> {
    /// It as a message.
    pub fn asked(self, bytes: Bytes, shown: Shown) -> Sight {
        let Question { id, run, from, to, protocol } = self;
        let (question, from) = (Some(id), from.clone());
        Sight { id: 0, run, protocol, line: 1, question, from, to, bytes, shown }
    }
}

/// The answer to a question, which says which one it answers.
pub fn answer(to: &Sight, bytes: Bytes, shown: Shown) -> Sight {
    Sight {
        id: 0,
        run: to.run,
        protocol: to.protocol.clone(),
        line: 2,
        question: to.question,
        from: to.to.clone(),
        to: to.from.clone(),
        bytes,
        shown,
    }
}
