//! Those who take part as Tokio tasks: a receive loop around each state machine. The world asks
//! one at a time and waits for its answer, so that nothing else is runnable between two events.
//! The only place with channels.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use async_channel::{Receiver, Sender, bounded};

use crate::time::SimTime;

/// What goes to a task and comes back: one sheet, used again and again.
pub(super) struct Letter<I, O> {
    now: SimTime,
    input: Option<I>,
    /// What came of it.
    pub(super) outcome: O,
}

/// A letter that was answered; nothing if the task died over it.
type Reply<I, O> = Option<Box<Letter<I, O>>>;

/// Tasks of one kind, which are told of `I` and answer with `O`.
pub(super) struct Troupe<I, O> {
    /// Each holds no more than the one letter that is under way.
    inboxes: Vec<Sender<Box<Letter<I, O>>>>,
    answer: Answer<I, O>,
    /// A letter that was read to its end.
    blank: Reply<I, O>,
}

impl<I: Send + 'static, O: Default + Send + 'static> Troupe<I, O> {
    pub(super) fn new() -> Self {
        Troupe { inboxes: Vec::new(), answer: Answer::default(), blank: None }
    }

    /// Starts a task that does this with each input, and answers its place.
    pub(super) fn add(&mut self, work: impl FnMut(I, SimTime, &mut O) + Send + 'static) -> usize {
        let (inbox, letters) = bounded(1);
        tokio::spawn(live(work, letters, self.answer.clone()));
        self.inboxes.push(inbox);
        self.inboxes.len() - 1
    }

    /// Gives a task an input and waits for what comes of it; nothing if it died.
    pub(super) async fn ask(&mut self, place: usize, input: I, now: SimTime) -> Reply<I, O> {
        let mut letter = self.blank.take().unwrap_or_else(|| {
            let (now, input, outcome) = (SimTime::ZERO, None, O::default());
            Box::new(Letter { now, input, outcome })
        });
        (letter.now, letter.input) = (now, Some(input));
        self.inboxes[place].try_send(letter).ok()?;
        self.answer.wait().await
    }

    /// Takes back an answer that was read to its end.
    pub(super) fn take_back(&mut self, read: Box<Letter<I, O>>) {
        self.blank = Some(read);
    }
}

/// A task's life: one input at a time.
async fn live<I, O>(
    mut work: impl FnMut(I, SimTime, &mut O),
    letters: Receiver<Box<Letter<I, O>>>,
    answer: Answer<I, O>,
) {
    while let Ok(mut letter) = letters.recv().await {
        let last_word = LastWord(&answer);
        if let Some(input) = letter.input.take() {
            work(input, letter.now, &mut letter.outcome);
        }
        std::mem::forget(last_word);
        answer.give(Some(letter));
    }
}

/// Tells the world when a task dies of a panic, so that the world does not wait for ever.
struct LastWord<'a, I, O>(&'a Answer<I, O>);

impl<I, O> Drop for LastWord<'_, I, O> {
    fn drop(&mut self) {
        self.0.give(None);
    }
}

/// The place where the one task that was asked leaves its answer. A channel would do, at the
/// price of a second hop for each event.
struct Answer<I, O>(Arc<Mutex<Option<Reply<I, O>>>>);

impl<I, O> Clone for Answer<I, O> {
    fn clone(&self) -> Self {
        Answer(self.0.clone())
    }
}

impl<I, O> Default for Answer<I, O> {
    fn default() -> Self {
        Answer(Arc::default())
    }
}

impl<I, O> Answer<I, O> {
    fn give(&self, reply: Reply<I, O>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    }

    /// Lets the others run until the answer is there. The task that was asked is the only one
    /// that is runnable, and ahead in the runtime's queue: one round is enough.
    async fn wait(&self) -> Reply<I, O> {
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
