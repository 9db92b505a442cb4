//! Parties as Tokio tasks: a receive loop around each state machine. The world asks one
//! party at a time and waits for its answer, so that nothing else is runnable between two
//! events. The only place with channels.

use async_channel::{Receiver, Sender};

use super::Halt;
use crate::notation::Name;
use crate::party::{Actor, Effects, Input};
use crate::time::SimTime;

type Letter = (SimTime, Input);
/// What came of a letter; nothing if the task died over it.
type Reply = Option<Effects>;

/// All parties' tasks.
pub(super) struct Shell {
    parties: Vec<Party>,
    replies: Receiver<Reply>,
    reply_to: Sender<Reply>,
}

struct Party {
    name: Name,
    inbox: Sender<Letter>,
    met: bool,
}

impl Shell {
    pub(super) fn new() -> Shell {
        let (reply_to, replies) = async_channel::bounded(1);
        Shell { parties: Vec::new(), replies, reply_to }
    }

    /// Starts a party's task and answers its place.
    pub(super) fn add(&mut self, name: Name, actor: Box<dyn Actor>) -> usize {
        let (inbox, letters) = async_channel::unbounded();
        tokio::spawn(live(actor, letters, self.reply_to.clone()));
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
    pub(super) async fn ask(&mut self, place: usize, input: Input, now: SimTime) -> Result<Effects, Halt> {
        let party = &mut self.parties[place];
        party.met = true;
        let died = || Halt::Died { party: party.name.clone() };
        party.inbox.send((now, input)).await.map_err(|_| died())?;
        match self.replies.recv().await {
            Ok(Some(effects)) => Ok(effects),
            _ => Err(died()),
        }
    }
}

/// A party's life: one input at a time.
async fn live(mut actor: Box<dyn Actor>, letters: Receiver<Letter>, replies: Sender<Reply>) {
    while let Ok((now, input)) = letters.recv().await {
        let last_word = LastWord(&replies);
        let mut effects = Effects::default();
        actor.handle(input, now, &mut effects);
        std::mem::forget(last_word);
        if replies.send(Some(effects)).await.is_err() {
            return;
        }
    }
}

/// Tells the world when a task dies of a panic, so that the world does not wait for ever.
struct LastWord<'a>(&'a Sender<Reply>);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_send(None);
    }
}
