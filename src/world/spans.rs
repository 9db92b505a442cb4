//! Spans for who listens in with `tracing`: whose turn it is, and in which run and line. Without
//! a subscriber there are none.

use std::pin::Pin;

use tracing::level_filters::LevelFilter;
use tracing::{Instrument as _, Span, info_span};

use crate::journal::Sight;
use crate::notation::Name;
use crate::party::{AttackerInput, Input};

/// A party's turn: its span, and where its input is a message or the beginning of a run, those of
/// the run and the line inside it.
pub(super) struct Turn {
    party: Span,
    run: Span,
    line: Span,
}

/// The run in which something happens, its protocol, and the line if it is a message's.
type Place<'a> = (u32, &'a str, Option<u32>);

impl Turn {
    /// An honest party's turn with this input.
    pub(super) fn of_party(name: &Name, input: &Input) -> Turn {
        let place = match input {
            Input::Message(message) => Some(place(message)),
            Input::Start(run) => Some((run.number, &*run.protocol, None)),
            Input::Begin
            | Input::Request(_)
            | Input::Timer(_)
            | Input::Judged(..)
            | Input::Order(_)
            | Input::End => None,
        };
        Turn::of(name, place)
    }

    /// The attacker's turn with this input.
    pub(super) fn of_attacker(name: &Name, input: &AttackerInput) -> Turn {
        let place = match input {
            AttackerInput::OnWire(message) => Some(place(message)),
            AttackerInput::Start(run) => Some((run.number, &*run.protocol, None)),
            AttackerInput::Begin
            | AttackerInput::Request(_)
            | AttackerInput::Handed(_)
            | AttackerInput::Timer(_)
            | AttackerInput::End => None,
        };
        Turn::of(name, place)
    }

    /// Somebody's turn, in a run's place if it has one.
    pub(super) fn of(name: &Name, place: Option<Place<'_>>) -> Turn {
        if LevelFilter::current() < LevelFilter::INFO {
            return Turn { party: Span::none(), run: Span::none(), line: Span::none() };
        }
        let party = info_span!(target: "mallory", "party", name = &**name);
        let mut turn = Turn { party, run: Span::none(), line: Span::none() };
        if let Some((run, protocol, line)) = place {
            let in_run = || info_span!(target: "mallory", "run", run, protocol);
            turn.run = turn.party.in_scope(in_run);
            if let Some(line) = line {
                let at_line = || info_span!(target: "mallory", "line", line);
                turn.line = turn.party.in_scope(|| turn.run.in_scope(at_line));
            }
        }
        turn
    }

    /// Whether nobody listens.
    pub(super) fn is_unheard(&self) -> bool {
        [&self.party, &self.run, &self.line].into_iter().all(Span::is_disabled)
    }

    /// Has what comes of it happen within it. A filter knows a span when it is entered, so all are.
    pub(super) async fn hear<T>(self, work: Pin<Box<impl Future<Output = T>>>) -> T {
        work.instrument(self.line).instrument(self.run).instrument(self.party).await
    }
}

fn place(message: &Sight) -> Place<'_> {
    (message.run, &message.protocol, Some(message.line))
}
