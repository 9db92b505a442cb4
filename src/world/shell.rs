//! Parties as Tokio tasks: a receive loop around each state machine. The world asks one
//! party at a time and waits for its answer, so that nothing else is runnable between two
//! events. The only place with channels.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Halt;
use crate::notation::Name;
use crate::party::{Actor, Effects, Input};
use crate::time::SimTime;

/// What goes to a party and comes back: one sheet, used again and again.
#[derive(Default)]
pub(super) struct Letter {
    now: SimTime,
    input: Option<Input>,
    /// What came of it.
    pub(super) effects: Effects,
}

/// A letter that was answered; nothing if the task died over it.
type Reply = Option<Box<Letter>>;

/// All parties' tasks.
pub(super) struct Shell {
    parties: Vec<Party>,
    answer: Answer,
    /// A letter that was read to its end.
    blank: Option<Box<Letter>>,
}

struct Party {
    name: Name,
    /// Unbounded by its type: it never holds more than the one letter that is under way.
    inbox: UnboundedSender<Box<Letter>>,
    met: bool,
}

impl Shell {
    pub(super) fn new() -> Shell {
        Shell { parties: Vec::new(), answer: Answer::default(), blank: None }
    }

    /// Starts a party's task and answers its place.
    pub(super) fn add(&mut self, name: Name, actor: Box<dyn Actor>) -> usize {
        let (inbox, letters) = unbounded_channel();
        tokio::spawn(live(actor, letters, self.answer.clone()));
        self.parties.push(Party { name, inbox, met: false });
        self.parties.len() - 1
    }

    pub(super) fn name(&self, place: usize) -> &Name {
        &self.parties[place].name
    }

    /// The parties that took part, in their order.
    pub(super) fn met(&self) -> Vec<usize> {
        (0..self.parties.len()).filter(|p| self.parties[*p].met).collect()
    }

    /// Gives a party an input and waits for what comes of it.
    pub(super) async fn ask(
        &mut self,
        place: usize,
        input: Input,
        now: SimTime,
    ) -> Result<Box<Letter>, Halt> {
        let party = &mut self.parties[place];
        party.met = true;
        let died = || Halt::Died { party: party.name.clone() };
        let mut letter = self.blank.take().unwrap_or_default();
        (letter.now, letter.input) = (now, Some(input));
        party.inbox.send(letter).map_err(|_| died())?;
        self.answer.wait().await.ok_or_else(died)
    }

    /// Takes back an answer that was read to its end.
    pub(super) fn take_back(&mut self, read: Box<Letter>) {
        self.blank = Some(read);
    }
}

/// A party's life: one input at a time.
async fn live(mut actor: Box<dyn Actor>, mut letters: UnboundedReceiver<Box<Letter>>, answer: Answer) {
    while let Some(mut letter) = letters.recv().await {
        let last_word = LastWord(&answer);
        if let Some(input) = letter.input.take() {
            actor.handle(input, letter.now, &mut letter.effects);
        }
        std::mem::forget(last_word);
        answer.give(Some(letter));
    }
}

/// Tells the world when a task dies of a panic, so that the world does not wait for ever.
struct LastWord<'a>(&'a Answer);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        self.0.give(None);
    }
}

/// The place where the one party that was asked leaves its answer. A channel would do, at
/// the price of a second hop for each event.
#[derive(Clone, Default)]
struct Answer(Arc<Mutex<Option<Reply>>>);

impl Answer {
    fn give(&self, reply: Reply) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    }

    /// Lets the others run until the answer is there. The party that was asked is the only
    /// one that is runnable, and ahead in the runtime's queue: one round is enough.
    async fn wait(&self) -> Reply {
        poll_fn(|context| match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }
}
