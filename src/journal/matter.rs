//! What events are about: sessions, messages, refusals. Must not know the kinds of event.

use crate::algebra::Bytes;
use crate::knowledge::Shown;
use crate::notation::Name;
use crate::reason::Reason;
use crate::time::SimTime;

/// The number of a message on the wire, from 1.
pub type MessageId = u64;

/// The number of a question to a service, as whoever asks numbers its own, from 1.
pub type QuestionId = u64;

/// One party's part in one run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SessionId {
    /// The run.
    pub run: u32,
    /// The party.
    pub party: Name,
    /// The role that it plays.
    pub role: Name,
    /// The protocol that it speaks.
    pub protocol: Name,
    /// Which of the party's parts in that role and run, from 0: a service has several.
    pub nth: u32,
}

/// A message as it was on the wire.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Its number.
    pub id: MessageId,
    /// The run to which it belongs.
    pub run: u32,
    /// The protocol.
    pub protocol: Name,
    /// The protocol's line that it is, or passes for.
    pub line: u32,
    /// The question that it asks a service, or answers: the connection on which it goes. None of
    /// a protocol's line, and of what a service says unasked.
    pub question: Option<QuestionId>,
    /// The sender that it claims.
    pub from: Name,
    /// Its receiver.
    pub to: Name,
    /// Its bytes.
    pub bytes: Bytes,
    /// How its maker sees it.
    pub shown: Shown,
}

/// When a revocation can first be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// From a CRL, complete or delta.
    pub crl: SimTime,
    /// From the OCSP responder.
    pub ocsp: SimTime,
}

/// Why a session ended without completing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The line at which.
    pub line: u32,
    /// The check that failed.
    pub reason: Reason,
}
