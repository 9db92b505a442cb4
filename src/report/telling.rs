//! What each event is told as: by whom, in which words. The log and every picture take theirs
//! from here, so that a new kind of event is told once.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{Event, MessageId, SessionId, Sight, What};
use crate::notation::{Kind, Name};
use crate::scenario::PlayReport;
use crate::time::Span;
use crate::verdict::{SessionOutcome, Traffic, place_of};

/// How a line is meant: what a colour, a dash or a mark is chosen by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tone {
    /// As it goes.
    Plain,
    /// An aside.
    Dim,
    /// The attacker's doing.
    Attacker,
    /// A completion, a grant.
    Good,
    /// A refusal.
    Bad,
}

impl Tone {
    /// What begins it on a terminal: an SGR sequence (ECMA-48 §8.3.117), or nothing.
    pub fn ansi(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Dim => "\x1b[2m",
            Tone::Attacker => "\x1b[35m",
            Tone::Good => "\x1b[32m",
            Tone::Bad => "\x1b[1;31m",
        }
    }
}

/// What an event is told as. Text may hold names and payloads of others' making, and full
/// fingerprints: whoever shows it makes it legible and short.
#[derive(Clone, Debug)]
pub enum Told<'a> {
    /// A message that somebody sent.
    Message {
        /// The message.
        message: &'a Sight,
        /// The sender as it is shown: `I(alice)` if the attacker speaks in alice's name.
        from: String,
        /// How it is meant.
        tone: Tone,
    },
    /// Something that somebody does.
    Deed {
        /// Who.
        by: Name,
        /// How it is meant.
        tone: Tone,
        /// In words.
        text: String,
        /// What explains it.
        aside: Option<String>,
    },
    /// What becomes of a message.
    Fate {
        /// Of which.
        of: MessageId,
        /// How it is meant.
        tone: Tone,
        /// In words.
        text: String,
    },
    /// A text that somebody got, in lines.
    Lines(Vec<String>),
    /// Nothing: another event tells it.
    Nothing,
}

/// Puts the events of a play into words.
pub struct Teller<'a> {
    play: &'a PlayReport,
    /// The attacker's name, or what stands for it.
    pub attacker: Name,
    /// Sessions, by the event with which they ended.
    ended: BTreeMap<u64, &'a SessionOutcome>,
    traffic: Traffic<'a>,
}

impl<'a> Teller<'a> {
    /// For the events of this play.
    pub fn of(play: &'a PlayReport) -> Teller<'a> {
        let attacker = play.variant().setup.attacker.as_ref();
        Teller {
            play,
            attacker: attacker.map_or_else(|| "the attacker".into(), |attacker| attacker.name.clone()),
            ended: play.sessions().iter().map(|session| (session.ended, session)).collect(),
            traffic: Traffic::of(play.journal()),
        }
    }

    /// The play's events, each with what it is told as.
    pub fn events(&self) -> impl Iterator<Item = (&'a Event, Told<'a>)> {
        let events = self.play.journal().events();
        events.iter().enumerate().map(move |(at, event)| (event, self.tell(event, events.get(at + 1))))
    }

    fn tell(&self, event: &'a Event, next: Option<&'a Event>) -> Told<'a> {
        let her = &self.attacker;
        let deed =
            |by: &Name, tone: Tone, text: String| Told::Deed { by: by.clone(), tone, text, aside: None };
        let hers = |text: String| deed(her, Tone::Attacker, text);
        let fate = |of: &MessageId, tone: Tone, text: String| Told::Fate { of: *of, tone, text };
        match &event.what {
            What::Sent { message } => {
                Told::Message { message, from: message.from.to_string(), tone: Tone::Plain }
            }
            What::Taken { id } => match next.map(|n| &n.what) {
                Some(What::Injected { message, instead_of: Some(_) }) => fate(
                    id,
                    Tone::Attacker,
                    format!("{her} takes it and sends instead  {}", message.shown.text()),
                ),
                _ => fate(id, Tone::Attacker, format!("{her} takes it")),
            },
            What::Injected { instead_of: Some(_), .. } => Told::Nothing,
            What::Injected { message, .. } => {
                let from = match message.from == *her {
                    true => message.from.to_string(),
                    false => format!("I({})", message.from),
                };
                Told::Message { message, from, tone: Tone::Attacker }
            }
            What::Delayed { id, by } => fate(id, Tone::Attacker, format!("{her} keeps it back for {by}")),
            What::Lost { id } => fate(id, Tone::Dim, "it is lost on the way".to_owned()),
            What::Duplicated { id } => fate(id, Tone::Dim, "it travels twice".to_owned()),
            What::Ignored { id, by, why } => {
                deed(by, Tone::Dim, format!("{by} pays no heed to message {}: {why}", self.place(*id)))
            }
            What::NotBegun { by, run, completed } => {
                deed(by, Tone::Dim, format!("{by} does not begin run {run}: run {completed} is complete"))
            }
            What::Completed { session } => {
                let text = format!("{} completes {}", session.party, self.run_of(session, event.number));
                deed(&session.party, Tone::Good, text)
            }
            What::Refused { session, refusal, .. } => {
                let (party, run) = (&session.party, session.run);
                let reason = refusal.reason;
                Told::Deed {
                    by: party.clone(),
                    tone: Tone::Bad,
                    text: format!("{party} rejects line {} of run {run}: {reason}", refusal.line),
                    aside: Some(reason.meaning().to_owned()),
                }
            }
            What::Waits { session, line, from } => {
                let SessionId { party, run, .. } = &**session;
                deed(
                    party,
                    Tone::Plain,
                    format!("{party} still waits for line {line} of run {run} from {from}"),
                )
            }
            What::Compromised { term, value: Some(value), .. } => {
                hers(format!("{her} is handed {term} {}", value.fingerprint()))
            }
            What::Compromised { term, value: None, .. } => {
                hers(format!("{her} is handed nothing: nobody has {term} yet"))
            }
            What::Revoked { by, subject, reason, .. } => {
                deed(by, Tone::Plain, format!("{by} revokes {subject}: {reason}"))
            }
            What::Asked { by, request, what, .. } => {
                deed(by, Tone::Plain, format!("{by} asks (request {request}) for {what}"))
            }
            What::Answered { by, request, refusal: None, tries } => {
                deed(by, Tone::Good, format!("{by} is granted request {request}{}", tried(*tries)))
            }
            What::Answered { by, request, refusal: Some(reason), tries } => Told::Deed {
                by: by.clone(),
                tone: Tone::Bad,
                text: format!("{by} is refused request {request}{}: {reason}", tried(*tries)),
                aside: Some(reason.meaning().to_owned()),
            },
            What::Lacked { by, request, lacked } => {
                deed(by, Tone::Plain, format!("{by} cannot make request {request}: it lacks {lacked}"))
            }
            What::Rekeyed { party, .. } => deed(party, Tone::Plain, format!("{party} has a new key")),
            What::Alarmed { party, serial } => deed(
                party,
                Tone::Plain,
                format!("{party} finds certificate {serial} in its name, which it never asked for"),
            ),
            What::ClockSet { party, offset } => {
                deed(party, Tone::Attacker, format!("{party}'s clock is set {}", offset_words(*offset)))
            }
            What::Unsealed { word, tried, shares } => hers(match (word, shares) {
                (Some(_), Some(shares)) => format!("{her} opens the vault with {shares} shares"),
                (None, Some(0)) => format!("{her} has no share of what opens the vault"),
                (None, Some(1)) => format!("{her} has one share, which does not open the vault"),
                (None, Some(shares)) => format!("{her} has {shares} shares, which do not open the vault"),
                (Some(0), None) => format!("{her} opens the vault: it is sealed under nothing"),
                (Some(nth), None) => format!("{her} opens the vault with word {nth} of her dictionary"),
                (None, None) => format!("{her} tries {tried} passphrases on the vault: none opens it"),
            }),
            What::PutBack { at } => hers(format!("{her} puts {at}'s disk back as she copied it")),
            What::Forged { term, what } => hers(format!("{her} makes {what}, {term} in her notebook")),
            What::Rotated { by, term, keep } => {
                let older = match keep {
                    0 => "no older version opens anything any more".to_owned(),
                    1 => "one older version still opens what was made under it".to_owned(),
                    n => format!("{n} older versions still open what was made under them"),
                };
                deed(by, Tone::Plain, format!("{by} has a new {term}; {older}"))
            }
            What::Guessed { term, words, message, tested, value } => {
                let on = format!("on {} of message {}", tested.fingerprint(), self.place(*message));
                hers(match value {
                    Some(value) => {
                        format!("{her} guesses {term} {} at word {words} {on}", value.fingerprint())
                    }
                    None => format!("{her} tries {words} words for {term} {on}: none is right"),
                })
            }
            What::Queried { party, message, queries, budget, found, of, unit, answers } => Told::Deed {
                by: her.clone(),
                tone: Tone::Attacker,
                text: format!(
                    "{her} asks {party} {queries} times about message {}, and may {budget} times: {answers}",
                    self.place(*message)
                ),
                aside: Some(format!("she has {found} of {of} {unit}")),
            },
            What::Searched { names, fits, trials, budget, found } => Told::Deed {
                by: her.clone(),
                tone: Tone::Attacker,
                text: format!("{her} tries {trials} hashes for {names}, and may {budget}"),
                aside: Some(match found {
                    true => format!("{fits}: it comes out the same"),
                    false => format!("{fits}: it never came out the same"),
                }),
            },
            What::Recovered { term, value, .. } => {
                hers(format!("{her} has computed {term} {}", value.fingerprint()))
            }
            What::Quantum { by } => {
                hers(format!("{by} has a quantum computer: it finds discrete logarithms and factors"))
            }
            What::Restarted { party } => deed(party, Tone::Plain, format!("{party} restarts")),
            What::Fetched { by, outcome, .. } => {
                deed(by, Tone::Plain, format!("{by} asked who is revoked: {outcome}"))
            }
            What::AttackStopped { line, lacked } => Told::Deed {
                by: her.clone(),
                tone: Tone::Attacker,
                text: format!("the attack stops at {line}"),
                aside: Some(lacked.clone()),
            },
            What::NotIssued { by, subject, reason } => {
                deed(by, Tone::Plain, format!("{by} refuses {subject}: {reason}"))
            }
            What::Issued { by, subject, serial, .. } => {
                deed(by, Tone::Dim, format!("{by} issues certificate {serial} to {subject}"))
            }
            What::Equipped { term, value } => {
                deed(her, Tone::Dim, format!("{her} has {term} {}", value.fingerprint()))
            }
            What::Started { session, .. } => {
                let SessionId { party, run, role, .. } = &**session;
                deed(party, Tone::Dim, format!("{party} takes part in run {run} as {role}"))
            }
            What::Delivered { id, to } => {
                deed(to, Tone::Dim, format!("{to} receives message {}", self.place(*id)))
            }
            What::Concluded { session, term, value, .. } => {
                let SessionId { party, run, .. } = &**session;
                deed(party, Tone::Dim, format!("{party} has {term} {} in run {run}", value.fingerprint()))
            }
            What::Obtained { by, request, value } => {
                match value.text().filter(|_| value.kind == Kind::Text) {
                    Some(text) => Told::Lines(text.split("; ").map(str::to_owned).collect()),
                    None => deed(by, Tone::Dim, format!("{by} has r{request} {}", value.fingerprint())),
                }
            }
            What::Followed { line } => deed(her, Tone::Dim, format!("{her} is done with {line}")),
        }
    }

    /// Run and line of a message, or its number.
    pub fn place(&self, id: u64) -> String {
        self.traffic.message(id).map_or_else(|| id.to_string(), place_of)
    }

    /// `run 1 with bob, K #77d0`: the peers, and the values that goals speak of.
    fn run_of(&self, id: &SessionId, ended: u64) -> String {
        let Some(session) = self.ended.get(&ended) else { return format!("run {}", id.run) };
        let protocol = session.protocol();
        let peers: Vec<&str> = protocol
            .client_roles()
            .filter(|r| r.name != id.role)
            .filter_map(|r| session.peer(&r.name))
            .collect();
        let mut text = format!("run {}", id.run);
        if !peers.is_empty() {
            text.push_str(&format!(" with {}", peers.join(" and ")));
        }
        let mut said = BTreeSet::new();
        for (written, term) in protocol.goals.iter().flat_map(|g| g.written.iter().zip(g.terms())) {
            let Some(id) = protocol.table.find(term) else { continue };
            if let Some(value) = session.value(id).filter(|_| said.insert(id)) {
                text.push_str(&format!(", {written} {}", value.fingerprint()));
            }
        }
        text
    }
}

fn tried(tries: u32) -> String {
    if tries > 1 { format!(" at try {tries}") } else { String::new() }
}

/// How far a clock is off, in words.
pub fn offset_words(offset: i64) -> String {
    let span = Span(offset.unsigned_abs());
    match offset {
        0 => "right".to_owned(),
        1.. => format!("{span} ahead"),
        _ => format!("back, {span} behind"),
    }
}
