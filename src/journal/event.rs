//! The kinds of event. Must not know how they are shown.

use std::sync::Arc;

use crate::knowledge::{Bytes, Shown, Value};
use crate::notation::{Id, Name};
use crate::reason::Reason;
use crate::time::{SimTime, Span};

/// The number of a message on the wire, from 1.
pub type MessageId = u64;

/// The number of a question to a service, as whoever asks numbers its own, from 1.
pub type QuestionId = u64;

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number, from 1.
    pub number: u64,
    /// The event that brought it about.
    pub cause: Option<u64>,
    /// When it happened.
    pub at: SimTime,
    /// What happened.
    pub what: What,
}

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

/// What happened. A journal has millions, so what is large and rare lies elsewhere.
#[derive(Clone, Debug)]
pub enum What {
    /// A certificate authority issued a certificate.
    Issued {
        /// The authority.
        by: Name,
        /// Whose certificate.
        subject: Name,
        /// Its serial number.
        serial: u64,
        /// The certificate, DER.
        certificate: Bytes,
        /// The request for it (PKCS#10, DER), if there was one.
        request: Option<Bytes>,
    },
    /// A certificate authority refused to issue one, or whatever else was asked.
    NotIssued {
        /// The authority.
        by: Name,
        /// Who asked.
        subject: Name,
        /// The check that failed.
        reason: Reason,
    },
    /// The attacker has something from the start.
    Equipped {
        /// What, in the notation.
        term: String,
        /// Its value.
        value: Value,
    },
    /// A party began its part in a run.
    Started {
        /// Which.
        session: Arc<SessionId>,
    },
    /// An honest party put a message on the wire.
    Sent {
        /// The message.
        message: Arc<Sight>,
    },
    /// The attacker put a message on the wire.
    Injected {
        /// The message.
        message: Arc<Sight>,
        /// The message in whose place it goes.
        instead_of: Option<MessageId>,
    },
    /// The attacker took a message off the wire.
    Taken {
        /// The message.
        id: MessageId,
    },
    /// The attacker kept a message back for a while.
    Delayed {
        /// The message.
        id: MessageId,
        /// How long.
        by: Span,
    },
    /// The network lost a message.
    Lost {
        /// The message.
        id: MessageId,
    },
    /// The network delivered a message twice.
    Duplicated {
        /// The message.
        id: MessageId,
    },
    /// A message reached a party.
    Delivered {
        /// The message.
        id: MessageId,
        /// The party.
        to: Name,
    },
    /// A party paid no heed to a message.
    Ignored {
        /// The message.
        id: MessageId,
        /// The party.
        by: Name,
        /// Why, in words.
        why: &'static str,
    },
    /// A session has a value for a term.
    Concluded {
        /// Which session.
        session: Arc<SessionId>,
        /// The term's number in the table of the session's protocol.
        id: Id,
        /// The term, in the role's names.
        term: String,
        /// Its value.
        value: Value,
    },
    /// A session came to its end.
    Completed {
        /// Which.
        session: Arc<SessionId>,
    },
    /// A session refused.
    Refused {
        /// Which.
        session: Arc<SessionId>,
        /// Where and why.
        refusal: Refusal,
        /// The message that it had at hand, if it was one that it refused.
        message: Option<MessageId>,
    },
    /// A session still waits when the play is over.
    Waits {
        /// Which.
        session: Arc<SessionId>,
        /// The line for which it waits.
        line: u32,
        /// From whom.
        from: String,
    },
    /// An event handed a value to the attacker.
    Compromised {
        /// What, as the scenario names it.
        term: String,
        /// The run whose own value it is, if it is one's.
        run: Option<u32>,
        /// The value; none if nobody had it.
        value: Option<Value>,
    },
    /// A service revoked a party.
    Revoked {
        /// The service.
        by: Name,
        /// The party.
        subject: Name,
        /// Why, in the words of RFC 5280.
        reason: Box<str>,
        /// When that can first be read, of an authority.
        told: Option<Box<Told>>,
    },
    /// A party asked a service for something.
    Asked {
        /// The party.
        by: Name,
        /// The number of the request.
        request: u32,
        /// For what, in words.
        what: Arc<str>,
        /// Whose credentials it wants revoked, if it does.
        revokes: Option<Name>,
    },
    /// A service's answer to a request reached who asked.
    Answered {
        /// Who asked.
        by: Name,
        /// The number of the request.
        request: u32,
        /// The check that failed; none if what was asked for was granted.
        refusal: Option<Reason>,
        /// How often it was tried.
        tries: u32,
    },
    /// The value that a request to the key centre is about, or what it gave.
    Obtained {
        /// Who asked.
        by: Name,
        /// The number of the request.
        request: u32,
        /// The value.
        value: Value,
    },
    /// A party could not even ask.
    Lacked {
        /// The party.
        by: Name,
        /// The number of the request.
        request: u32,
        /// What it lacked, in words.
        lacked: String,
    },
    /// A party has new keys.
    Rekeyed {
        /// The party.
        party: Name,
        /// For the how manieth time.
        version: u32,
    },
    /// A party found a certificate in its name that it never asked for.
    Alarmed {
        /// The party.
        party: Name,
        /// The certificate's serial number.
        serial: u64,
    },
    /// Somebody set a party's clock.
    ClockSet {
        /// The party.
        party: Name,
        /// How far it is ahead of virtual time now, in nanoseconds; negative is behind.
        offset: i64,
    },
    /// The attacker tried to open a copy of the key centre's vault.
    Unsealed {
        /// The word of her dictionary that did it: 0 is no passphrase at all. None did if none.
        word: Option<usize>,
        /// How many she tried.
        tried: usize,
        /// How many shares she put together in their place: none of a vault under a passphrase.
        shares: Option<usize>,
    },
    /// The attacker put an old copy of the key centre's disk back.
    PutBack {
        /// The service.
        at: Name,
    },
    /// The attacker made something that poses as an authority's.
    Forged {
        /// Under which name her notebook has it.
        term: String,
        /// What, in words.
        what: String,
    },
    /// A party took a new version of a long-term key.
    Rotated {
        /// The party.
        by: Name,
        /// The key, in the notation.
        term: String,
        /// How many older versions still open what was made under them.
        keep: u32,
    },
    /// The attacker tried words for a password.
    Guessed {
        /// The password, in the notation.
        term: String,
        /// How many words she tried.
        words: usize,
        /// The message that she tried them on.
        message: MessageId,
        /// The part of it that tells right from wrong.
        tested: Box<Value>,
        /// The password, if the last word that she tried was it.
        value: Option<Box<Value>>,
    },
    /// A party started anew.
    Restarted {
        /// The party.
        party: Name,
    },
    /// A party looked up who is revoked.
    Fetched {
        /// The party.
        by: Name,
        /// What came of it, in words.
        outcome: String,
        /// Why the answer was not believed, or that none came.
        refusal: Option<Reason>,
    },
    /// The attacker read or sent what a line of her narration says.
    Followed {
        /// The line.
        line: String,
    },
    /// The attacker's narration ended before its last line.
    AttackStopped {
        /// The line at which.
        line: String,
        /// What she lacked.
        lacked: String,
    },
}

impl What {
    /// The word for this kind of event in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            What::Issued { .. } => "issued",
            What::NotIssued { .. } => "not-issued",
            What::Equipped { .. } => "equipped",
            What::Started { .. } => "started",
            What::Sent { .. } => "sent",
            What::Injected { .. } => "injected",
            What::Taken { .. } => "taken",
            What::Delayed { .. } => "delayed",
            What::Lost { .. } => "lost",
            What::Duplicated { .. } => "duplicated",
            What::Delivered { .. } => "delivered",
            What::Ignored { .. } => "ignored",
            What::Concluded { .. } => "concluded",
            What::Completed { .. } => "completed",
            What::Refused { .. } => "refused",
            What::Waits { .. } => "waits",
            What::Compromised { .. } => "compromised",
            What::Revoked { .. } => "revoked",
            What::Asked { .. } => "asked",
            What::Answered { .. } => "answered",
            What::Obtained { .. } => "obtained",
            What::Lacked { .. } => "lacked",
            What::Rekeyed { .. } => "rekeyed",
            What::Alarmed { .. } => "alarmed",
            What::ClockSet { .. } => "clock-set",
            What::Unsealed { .. } => "unsealed",
            What::PutBack { .. } => "put-back",
            What::Forged { .. } => "forged",
            What::Rotated { .. } => "rotated",
            What::Guessed { .. } => "guessed",
            What::Restarted { .. } => "restarted",
            What::Fetched { .. } => "fetched",
            What::Followed { .. } => "followed",
            What::AttackStopped { .. } => "attack-stopped",
        }
    }
}
