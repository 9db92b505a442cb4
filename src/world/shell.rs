//! Parties as Tokio tasks: a receive loop around each state machine. The world asks one
//! party at a time and waits for its answer, so that nothing else is runnable between two
//! events. The only place with channels.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use async_channel::{Receiver, Sender};

use super::Halt;
use crate::notation::Name;
use crate::party::{Actor, Effects, Input};
use crate::time::SimTime;

/// The time, the input, and where to write what comes of it.
type Letter = (SimTime, Input, Box<Effects>);
/// What came of a letter; nothing if the task died over it.
type Reply = Option<Box<Effects>>;

/// All parties' tasks.
pub(super) struct Shell {
    parties: Vec<Party>,
    answer: Answer,
    /// An empty sheet, used again for each answer.
    sheet: Option<Box<Effects>>,
}

struct Party {
    name: Name,
    inbox: Sender<Letter>,
    met: bool,
}

impl Shell {
    pub(super) fn new() -> Shell {
        Shell { parties: Vec::new(), answer: Answer::default(), sheet: None }
    }

    /// Starts a party's task and answers its place.
    pub(super) fn add(&mut self, name: Name, actor: Box<dyn Actor>) -> usize {
        let (inbox, letters) = async_channel::bounded(1);
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
    ) -> Result<Box<Effects>, Halt> {
        let party = &mut self.parties[place];
        party.met = true;
        let died = || Halt::Died { party: party.name.clone() };
        let sheet = self.sheet.take().unwrap_or_default();
        party.inbox.try_send((now, input, sheet)).map_err(|_| died())?;
        self.answer.wait().await.ok_or_else(died)
    }

    /// Takes back an answer that was read to its end.
    pub(super) fn take_back(&mut self, read: Box<Effects>) {
        self.sheet = Some(read);
    }
}

/// A party's life: one input at a time.
async fn live(mut actor: Box<dyn Actor>, letters: Receiver<Letter>, answer: Answer) {
    while let Ok((now, input, mut effects)) = letters.recv().await {
        let last_word = LastWord(&answer);
        actor.handle(input, now, &mut effects);
        std::mem::forget(last_word);
        answer.give(Some(effects));
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
