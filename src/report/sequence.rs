//! A play as a sequence chart: who there is, and what passes between them, line by line. The
//! chart in a terminal, and every other picture, is a drawing of it.

use std::collections::BTreeMap;

use super::filter::Filter;
use super::short::Shortener;
use super::telling::{Teller, Told, Tone};
use crate::journal::{Event, MessageId, What};
use crate::legible::legible;
use crate::limits::MAX_CHART_ROWS;
use crate::notation::{Name, Service};
use crate::party::SERVICE_PROTOCOLS;
use crate::scenario::PlayReport;
use crate::time::{Clock, SimTime};
use crate::verdict::place_of;

/// A play as a sequence chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sequence {
    /// Who there is, from left to right.
    pub lifelines: Vec<Lifeline>,
    /// What happens, from top to bottom.
    pub rows: Vec<Row>,
    /// How many rows were left out, beyond `MAX_CHART_ROWS`.
    pub left_out: usize,
    /// How many messages to and from services stand for nothing but a request that is told.
    pub folded: usize,
}

/// Somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lifeline {
    /// The name.
    pub name: String,
    /// Who that is.
    pub kind: Lives,
}

/// Who somebody is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lives {
    /// A client.
    Client,
    /// The attacker.
    Attacker,
    /// A service.
    Service,
}

/// Something that happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The event's number.
    pub event: u64,
    /// When, as the play's clock shows it.
    pub at: String,
    /// Run and line, of a message.
    pub place: String,
    /// How it is meant.
    pub tone: Tone,
    /// What.
    pub act: Act,
}

/// What happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// A message passes.
    Arrow {
        /// From this lifeline.
        from: usize,
        /// To this one, where it ends: the attacker's if she takes it.
        to: usize,
        /// Whether it gets no further than on its way.
        is_lost: bool,
        /// The message, and in whose name if not the sender's.
        text: String,
        /// What else becomes of it.
        fates: Vec<String>,
    },
    /// Somebody does something.
    Note {
        /// Who.
        by: usize,
        /// In words.
        text: String,
        /// What explains it, line by line.
        asides: Vec<String>,
    },
}

impl Sequence {
    /// The chart of what is wanted of a play, of events that are told at this level. Messages to
    /// and from services that nobody touched are folded: their requests are told.
    pub fn of(play: &PlayReport, filter: &Filter, level: tracing::Level) -> Sequence {
        let full = Sequence::with_full_fingerprints(play, filter, level);
        let short = Shortener::of(full.texts());
        full.shortened(short)
    }

    /// As `of`, for whoever shows it beside other texts and shortens all of them alike.
    pub fn with_full_fingerprints(play: &PlayReport, filter: &Filter, level: tracing::Level) -> Sequence {
        let teller = Teller::of(play);
        let events = play.journal().events();
        let mut drawing = Drawing {
            attacker: teller.attacker.clone(),
            clock: Clock::upto(events.last().map_or(SimTime::ZERO, |event| event.at)),
            names: Vec::new(),
            rows: Vec::new(),
            arrows: BTreeMap::new(),
            folded: 0,
        };
        let touched = touched(play);
        for (event, told) in filter.chosen(&teller) {
            if event.what.level() <= level {
                drawing.draw(event, told, &touched);
            }
        }
        drawing.finish(play)
    }

    /// Every text in which a fingerprint may stand.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flat_map(|row| row.act.said())
    }

    /// The chart with its fingerprints at this length.
    pub fn shortened(mut self, short: Shortener) -> Sequence {
        let texts = self.rows.iter_mut().flat_map(|row| row.act.texts());
        texts.for_each(|text| *text = short.short(text));
        self
    }
}

/// The messages that the attacker or the network did something to.
fn touched(play: &PlayReport) -> Vec<MessageId> {
    let of = |event: &Event| match &event.what {
        What::Taken { id } | What::Delayed { id, .. } | What::Lost { id } | What::Duplicated { id } => {
            Some(*id)
        }
        What::Injected { message, .. } => Some(message.id),
        _ => None,
    };
    let mut all: Vec<MessageId> = play.journal().events().iter().filter_map(of).collect();
    all.sort_unstable();
    all
}

struct Drawing {
    attacker: Name,
    clock: Clock,
    names: Vec<Name>,
    rows: Vec<Row>,
    /// The row of each message.
    arrows: BTreeMap<MessageId, usize>,
    folded: usize,
}

impl Drawing {
    fn lifeline(&mut self, name: &Name) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.clone());
            self.names.len() - 1
        })
    }

    fn row(&mut self, event: &Event, place: String, tone: Tone, act: Act) {
        self.rows.push(Row { event: event.number, at: self.clock.show(event.at), place, tone, act });
    }

    fn draw(&mut self, event: &Event, told: Told<'_>, touched: &[MessageId]) {
        match (told, &event.what) {
            (_, What::Injected { message, .. }) => {
                let attacker = self.attacker.clone();
                let (from, to) = (self.lifeline(&attacker), self.lifeline(&message.to));
                let text = message.shown.text();
                let text =
                    if message.from == attacker { text } else { format!("as {}: {text}", message.from) };
                self.arrows.insert(message.id, self.rows.len());
                let act = Act::Arrow { from, to, is_lost: false, text, fates: Vec::new() };
                self.row(event, place_of(message), Tone::Attacker, act);
            }
            (Told::Message { message, tone, .. }, _) => {
                let of_service = SERVICE_PROTOCOLS.contains(&&*message.protocol);
                if of_service && touched.binary_search(&message.id).is_err() {
                    self.folded += 1;
                    return;
                }
                let (from, to) = (self.lifeline(&message.from), self.lifeline(&message.to));
                self.arrows.insert(message.id, self.rows.len());
                let text = message.shown.text();
                let act = Act::Arrow { from, to, is_lost: false, text, fates: Vec::new() };
                self.row(event, place_of(message), tone, act);
            }
            (Told::Fate { of, text, .. }, what) => {
                let Some(row) = self.arrows.get(&of).copied() else { return };
                let attacker = self.attacker.clone();
                let her = matches!(what, What::Taken { .. }).then(|| self.lifeline(&attacker));
                let Act::Arrow { to, is_lost, fates, .. } = &mut self.rows[row].act else { return };
                match what {
                    // Where it ends says it; what she sends instead has an arrow of its own.
                    What::Taken { .. } => *to = her.unwrap_or(*to),
                    What::Lost { .. } => *is_lost = true,
                    _ => fates.push(text),
                }
            }
            (Told::Deed { by, tone, text, aside }, _) => {
                // The lifeline says who.
                let text = text.strip_prefix(&format!("{by} ")).map(str::to_owned).unwrap_or(text);
                let by = self.lifeline(&by);
                let asides = aside.into_iter().collect();
                self.row(event, String::new(), tone, Act::Note { by, text, asides });
            }
            (Told::Lines(lines), What::Obtained { by, .. }) => {
                let by = self.lifeline(by);
                let act = Act::Note { by, text: "is told".to_owned(), asides: lines };
                self.row(event, String::new(), Tone::Dim, act);
            }
            (Told::Lines(_) | Told::Nothing, _) => {}
        }
    }

    /// Puts the lifelines in order, and makes every text fit to be shown.
    fn finish(self, play: &PlayReport) -> Sequence {
        let Drawing { attacker, names, mut rows, folded, .. } = self;
        let kind = |name: &Name| match Service::of(name) {
            Some(_) => Lives::Service,
            None if *name == attacker => Lives::Attacker,
            None => Lives::Client,
        };
        // She stands between the first client and the others, services on the right.
        let mut order: Vec<usize> = (0..names.len()).collect();
        let first = names.iter().position(|name| kind(name) == Lives::Client);
        order.sort_by_key(|at| match kind(&names[*at]) {
            Lives::Client if Some(*at) == first => 0,
            Lives::Attacker => 1,
            Lives::Client => 2,
            Lives::Service => 3,
        });
        let mut places = vec![0; names.len()];
        order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
        let left_out = rows.len().saturating_sub(MAX_CHART_ROWS);
        rows.truncate(MAX_CHART_ROWS);
        let prints = play.journal().prints();
        for row in &mut rows {
            let texts = row.act.texts().into_iter();
            texts.for_each(|text| *text = legible(&prints.in_text(text)).into_owned());
            match &mut row.act {
                Act::Arrow { from, to, .. } => (*from, *to) = (places[*from], places[*to]),
                Act::Note { by, .. } => *by = places[*by],
            }
        }
        let lifelines = order
            .into_iter()
            .map(|at| Lifeline { name: legible(&names[at]).into_owned(), kind: kind(&names[at]) })
            .collect();
        Sequence { lifelines, rows, left_out, folded }
    }
}

impl Row {
    /// What stands before a note, so that no colour is needed to tell how it is meant.
    pub fn mark(&self) -> &'static str {
        match self.tone {
            Tone::Good => "✓ ",
            Tone::Bad => "✗ ",
            Tone::Attacker => "◆ ",
            Tone::Plain | Tone::Dim => "",
        }
    }
}

impl Act {
    /// Its texts.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let (text, more) = match self {
            Act::Arrow { text, fates, .. } => (text, fates),
            Act::Note { text, asides, .. } => (text, asides),
        };
        std::iter::once(text).chain(more).map(String::as_str)
    }

    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Act::Arrow { text, fates, .. } => std::iter::once(text).chain(fates).collect(),
            Act::Note { text, asides, .. } => std::iter::once(text).chain(asides).collect(),
        }
    }
}
