//! What events are about, for views that each look at one thing. Here alone every kind is gone
//! through: a new one is given its topics, and the compiler then points to the views of those.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::What;
use super::matter::{MessageId, Refusal, SessionId, Sight, Told};
use crate::algebra::{Bytes, Value};
use crate::notation::{Id, Name};
use crate::reason::Reason;

/// What one event is about.
#[derive(Clone, Copy, Default, Debug)]
pub struct Topics<'a> {
    /// A message on its way.
    pub wire: Option<Wire<'a>>,
    /// A party's part in a run.
    pub part: Option<Part<'a>>,
    /// A value that somebody has come to hold.
    pub gain: Option<Gain<'a>>,
    /// Credentials that somebody wants revoked, or that are.
    pub revocation: Option<Revocation<'a>>,
    /// Why something was refused.
    pub refusal: Option<Reason>,
    /// A certificate that was issued, and the request for it.
    pub papers: Option<(&'a Bytes, Option<&'a Bytes>)>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug)]
pub enum Wire<'a> {
    /// An honest party sent it.
    Sent(&'a Sight),
    /// The attacker sent it, in the place of another if there is one.
    Injected(&'a Sight, Option<MessageId>),
    /// The attacker took it, or kept it back for a while.
    HeldBack(MessageId),
}

/// What becomes of a session.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// It began.
    Started(&'a Arc<SessionId>, &'a Arc<BTreeMap<Name, Name>>),
    /// It has a value for a term.
    Has(&'a Arc<SessionId>, Id, &'a Value),
    /// It completed.
    Completed(&'a Arc<SessionId>),
    /// It refused, a message if it was one.
    Refused(&'a Arc<SessionId>, Refusal, Option<MessageId>),
    /// It still waits for a line, from somebody.
    Waits(&'a Arc<SessionId>, u32, &'a str),
}

/// A value that somebody has come to hold.
#[derive(Clone, Copy, Debug)]
pub enum Gain<'a> {
    /// A session has it for a term.
    Concluded(&'a SessionId, &'a str, &'a Value),
    /// The attacker had it from the start.
    Equipped(&'a str, &'a Value),
    /// An event handed it to the attacker; of one run, if it is one's own.
    Handed(&'a str, Option<u32>, &'a Value),
    /// The attacker guessed it with so many words, and what was tested told the right one.
    Guessed(&'a str, &'a Value, usize, &'a Value),
    /// The attacker computed it, in this way, from these.
    Recovered(&'a str, &'a Value, &'a str, &'a [Value]),
    /// Somebody has it from a request of that number.
    Obtained(&'a Name, u32, &'a Value),
}

/// A word about somebody's credentials.
#[derive(Clone, Copy, Debug)]
pub enum Revocation<'a> {
    /// Somebody asked a service to revoke them.
    Asked(&'a Name),
    /// A service did, and when that can first be read.
    Done(&'a Name, Option<Told>),
}

impl Gain<'_> {
    /// The term or the request by which people know the value, and the value.
    pub fn named(&self) -> (String, &Value) {
        match self {
            Gain::Concluded(_, term, value)
            | Gain::Equipped(term, value)
            | Gain::Handed(term, _, value)
            | Gain::Guessed(term, value, ..)
            | Gain::Recovered(term, value, ..) => ((*term).to_owned(), value),
            Gain::Obtained(_, request, value) => (format!("r{request}"), value),
        }
    }
}

impl What {
    /// What it is about.
    pub fn topics(&self) -> Topics<'_> {
        let none = Topics::default();
        let of_part = |part| Topics { part: Some(part), ..none };
        let on_wire = |wire| Topics { wire: Some(wire), ..none };
        let of_gain = |gain: Option<_>| Topics { gain, ..none };
        match self {
            What::Issued { certificate, request, .. } => {
                Topics { papers: Some((certificate, request.as_ref())), ..none }
            }
            What::Sent { message } => on_wire(Wire::Sent(message)),
            What::Injected { message, instead_of } => on_wire(Wire::Injected(message, *instead_of)),
            What::Taken { id } | What::Delayed { id, .. } => on_wire(Wire::HeldBack(*id)),
            What::Started { session, peers } => of_part(Part::Started(session, peers)),
            What::Completed { session } => of_part(Part::Completed(session)),
            What::Refused { session, refusal, message } => Topics {
                part: Some(Part::Refused(session, *refusal, *message)),
                refusal: Some(refusal.reason),
                ..none
            },
            What::Waits { session, line, from } => of_part(Part::Waits(session, *line, from)),
            What::Concluded { session, id, term, value } => Topics {
                part: Some(Part::Has(session, *id, value)),
                gain: Some(Gain::Concluded(session, term, value)),
                ..none
            },
            What::Equipped { term, value } => of_gain(Some(Gain::Equipped(term, value))),
            What::Compromised { term, run, value } => {
                of_gain(value.as_ref().map(|value| Gain::Handed(term, *run, value)))
            }
            What::Guessed { term, words, tested, value, .. } => {
                of_gain(value.as_ref().map(|value| Gain::Guessed(term, value, *words, tested)))
            }
            What::Recovered { term, how, from, value } => {
                of_gain(Some(Gain::Recovered(term, value, how, from)))
            }
            What::Obtained { by, request, value } => of_gain(Some(Gain::Obtained(by, *request, value))),
            What::Asked { revokes, .. } => {
                Topics { revocation: revokes.as_ref().map(Revocation::Asked), ..none }
            }
            What::Revoked { subject, told, .. } => {
                let told = told.as_deref().copied();
                Topics { revocation: Some(Revocation::Done(subject, told)), ..none }
            }
            What::NotIssued { reason, .. } => Topics { refusal: Some(*reason), ..none },
            What::Answered { refusal, .. } | What::Fetched { refusal, .. } => {
                Topics { refusal: *refusal, ..none }
            }
            What::NotBegun { .. }
            | What::Lost { .. }
            | What::Duplicated { .. }
            | What::Delivered { .. }
            | What::Ignored { .. }
            | What::Lacked { .. }
            | What::Rekeyed { .. }
            | What::Alarmed { .. }
            | What::ClockSet { .. }
            | What::Unsealed { .. }
            | What::PutBack { .. }
            | What::Forged { .. }
            | What::Queried { .. }
            | What::Searched { .. }
            | What::Quantum { .. }
            | What::Rotated { .. }
            | What::Restarted { .. }
            | What::Followed { .. }
            | What::AttackStopped { .. } => none,
        }
    }
}
