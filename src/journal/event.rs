//! The kinds of event. Must not know how they are shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::matter::{MessageId, Refusal, SessionId, Sight, Told};
use super::schema::events;
use crate::algebra::{Bytes, Value};
use crate::notation::{Id, Name};
use crate::reason::Reason;
use crate::time::{SimTime, Span};

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

// Each kind is declared here and nowhere else: its word in JSON, the level at which it is told
// (INFO in the log, DEBUG in the log with `-v`), and its fields, each with the form and the name
// that it has in JSON. Views match on kinds without a wildcard, so that a new one is in none of
// them forgotten.
events! {
    /// A certificate authority issued a certificate.
    Issued "issued" DEBUG {
        /// The authority.
        by: Name => plain("by"),
        /// Whose certificate.
        subject: Name => plain("subject"),
        /// Its serial number.
        serial: u64 => text("serial"),
        /// The certificate, DER.
        certificate: Bytes => print("fingerprint"),
        /// The request for it (PKCS#10, DER), if there was one.
        request: Option<Bytes> => unseen(),
    }
    /// A certificate authority refused to issue one, or whatever else was asked.
    NotIssued "not-issued" INFO {
        /// The authority.
        by: Name => plain("by"),
        /// Who asked.
        subject: Name => plain("subject"),
        /// The check that failed.
        reason: Reason => plain("reason"),
    }
    /// The attacker has something from the start.
    Equipped "equipped" DEBUG {
        /// What, in the notation.
        term: String => plain("term"),
        /// Its value.
        value: Value => secret("fingerprint"),
    }
    /// A party began its part in a run.
    Started "started" DEBUG {
        /// Which.
        session: Arc<SessionId> => flat(),
        /// Whom it takes for clients' roles before it hears of anybody.
        peers: Arc<BTreeMap<Name, Name>> => unseen(),
    }
    /// A party did not begin a run, since it had completed the one in whose stead it was.
    NotBegun "not-begun" INFO {
        /// The party.
        by: Name => plain("by"),
        /// The run.
        run: u32 => plain("run"),
        /// The run that it had completed.
        completed: u32 => plain("completed"),
    }
    /// An honest party put a message on the wire.
    Sent "sent" INFO {
        /// The message.
        message: Arc<Sight> => flat(),
    }
    /// The attacker put a message on the wire.
    Injected "injected" INFO {
        /// The message.
        message: Arc<Sight> => flat(),
        /// The message in whose place it goes.
        instead_of: Option<MessageId> => plain("instead_of"),
    }
    /// The attacker took a message off the wire.
    Taken "taken" INFO {
        /// The message.
        id: MessageId => plain("message"),
    }
    /// The attacker kept a message back for a while.
    Delayed "delayed" INFO {
        /// The message.
        id: MessageId => plain("message"),
        /// How long.
        by: Span => nanos("by_ns"),
    }
    /// The network lost a message.
    Lost "lost" INFO {
        /// The message.
        id: MessageId => plain("message"),
    }
    /// The network delivered a message twice.
    Duplicated "duplicated" INFO {
        /// The message.
        id: MessageId => plain("message"),
    }
    /// A message reached a party.
    Delivered "delivered" DEBUG {
        /// The message.
        id: MessageId => plain("message"),
        /// The party.
        to: Name => plain("to"),
    }
    /// A party paid no heed to a message.
    Ignored "ignored" INFO {
        /// The message.
        id: MessageId => plain("message"),
        /// The party.
        by: Name => plain("by"),
        /// Why, in words.
        why: &'static str => plain("why"),
    }
    /// A session has a value for a term.
    Concluded "concluded" DEBUG {
        /// Which session.
        session: Arc<SessionId> => flat(),
        /// The term's number in the table of the session's protocol.
        id: Id => unseen(),
        /// The term, in the role's names.
        term: String => plain("term"),
        /// Its value.
        value: Value => secret("fingerprint"),
    }
    /// A session came to its end.
    Completed "completed" INFO {
        /// Which.
        session: Arc<SessionId> => flat(),
    }
    /// A session refused.
    Refused "refused" INFO {
        /// Which.
        session: Arc<SessionId> => flat(),
        /// Where and why.
        refusal: Refusal => flat(),
        /// The message that it had at hand, if it was one that it refused.
        message: Option<MessageId> => plain("message"),
    }
    /// A session still waits when the play is over.
    Waits "waits" INFO {
        /// Which.
        session: Arc<SessionId> => flat(),
        /// The line for which it waits.
        line: u32 => plain("line"),
        /// From whom.
        from: String => plain("from"),
    }
    /// An event handed a value to the attacker.
    Compromised "compromised" INFO {
        /// What, as the scenario names it.
        term: String => plain("term"),
        /// The run whose own value it is, if it is one's.
        run: Option<u32> => plain("run"),
        /// The value; none if nobody had it.
        value: Option<Value> => secret("fingerprint"),
    }
    /// A service revoked a party.
    Revoked "revoked" INFO {
        /// The service.
        by: Name => plain("by"),
        /// The party.
        subject: Name => plain("subject"),
        /// Why, in the words of RFC 5280.
        reason: Box<str> => plain("reason"),
        /// When that can first be read, of an authority.
        told: Option<Box<Told>> => flat(),
    }
    /// A party asked a service for something.
    Asked "asked" INFO {
        /// The party.
        by: Name => plain("by"),
        /// The number of the request.
        request: u32 => plain("request"),
        /// For what, in words.
        what: Arc<str> => plain("what"),
        /// Whose credentials it wants revoked, if it does.
        revokes: Option<Name> => plain("revokes"),
    }
    /// A service's answer to a request reached who asked.
    Answered "answered" INFO {
        /// Who asked.
        by: Name => plain("by"),
        /// The number of the request.
        request: u32 => plain("request"),
        /// The check that failed; none if what was asked for was granted.
        refusal: Option<Reason> => plain("refusal"),
        /// How often it was tried.
        tries: u32 => plain("tries"),
    }
    /// The value that a request to the key centre is about, or what it gave.
    Obtained "obtained" INFO {
        /// Who asked.
        by: Name => plain("by"),
        /// The number of the request.
        request: u32 => plain("request"),
        /// The value.
        value: Value => secret("fingerprint"),
    }
    /// A party could not even ask.
    Lacked "lacked" INFO {
        /// The party.
        by: Name => plain("by"),
        /// The number of the request.
        request: u32 => plain("request"),
        /// What it lacked, in words.
        lacked: String => plain("lacked"),
    }
    /// A party has new keys.
    Rekeyed "rekeyed" INFO {
        /// The party.
        party: Name => plain("party"),
        /// For the how manieth time.
        version: u32 => plain("version"),
    }
    /// A party found a certificate in its name that it never asked for.
    Alarmed "alarmed" INFO {
        /// The party.
        party: Name => plain("party"),
        /// The certificate's serial number.
        serial: u64 => text("serial"),
    }
    /// Somebody set a party's clock.
    ClockSet "clock-set" INFO {
        /// The party.
        party: Name => plain("party"),
        /// How far it is ahead of virtual time now, in nanoseconds; negative is behind.
        offset: i64 => text("offset_ns"),
    }
    /// The attacker tried to open a copy of the key centre's vault.
    Unsealed "unsealed" INFO {
        /// The word of her dictionary that did it: 0 is no passphrase at all. None did if none.
        word: Option<usize> => plain("word"),
        /// How many she tried.
        tried: usize => plain("tried"),
        /// How many shares she put together in their place: none of a vault under a passphrase.
        shares: Option<usize> => plain("shares"),
    }
    /// The attacker put an old copy of the key centre's disk back.
    PutBack "put-back" INFO {
        /// The service.
        at: Name => plain("at"),
    }
    /// The attacker made something that poses as an authority's.
    Forged "forged" INFO {
        /// Under which name her notebook has it.
        term: String => plain("term"),
        /// What, in words.
        what: String => plain("what"),
    }
    /// A party took a new version of a long-term key.
    Rotated "rotated" INFO {
        /// The party.
        by: Name => plain("by"),
        /// The key, in the notation.
        term: String => plain("term"),
        /// How many older versions still open what was made under them.
        keep: u32 => plain("keep"),
    }
    /// The attacker tried words for a password.
    Guessed "guessed" INFO {
        /// The password, in the notation.
        term: String => plain("term"),
        /// How many words she tried.
        words: usize => plain("words"),
        /// The message that she tried them on.
        message: MessageId => plain("message"),
        /// The part of it that tells right from wrong.
        tested: Box<Value> => print("tested"),
        /// The password, if the last word that she tried was it.
        value: Option<Box<Value>> => secret("fingerprint"),
    }
    /// The attacker asked a party again and again.
    Queried "queried" INFO {
        /// The party.
        party: Name => plain("party"),
        /// The message that she made her questions of.
        message: MessageId => plain("message"),
        /// How often she asked.
        queries: u32 => plain("queries"),
        /// How often she might have.
        budget: u32 => plain("budget"),
        /// How much of what she is after she found: of a text its bytes.
        found: u32 => plain("found"),
        /// Of how much; of a text with its padding.
        of: u32 => plain("of"),
        /// Of what, in words.
        unit: &'static str => plain("unit"),
        /// What the party answered, and how often.
        answers: Box<str> => plain("answers"),
    }
    /// The attacker drew values until two hashes came out the same.
    Searched "searched" INFO {
        /// The values, in the notation.
        names: Box<str> => plain("names"),
        /// What they are to fit.
        fits: Box<str> => plain("fits"),
        /// How many hashes she tried.
        trials: u32 => plain("trials"),
        /// How many she might have.
        budget: u32 => plain("budget"),
        /// Whether she found what she looked for.
        found: bool => plain("found"),
    }
    /// The attacker computed a value by which nobody meant her to come to it.
    Recovered "recovered" INFO {
        /// What, in the notation.
        term: Box<str> => plain("term"),
        /// By what, in words that go before what it was computed from.
        how: Box<str> => plain("how"),
        /// What she computed it from.
        from: Box<Vec<Value>> => unseen(),
        /// The value.
        value: Value => secret("fingerprint"),
    }
    /// From here on the attacker has a quantum computer.
    Quantum "quantum-computer" INFO {
        /// The attacker.
        by: Name => plain("by"),
    }
    /// A party started anew.
    Restarted "restarted" INFO {
        /// The party.
        party: Name => plain("party"),
    }
    /// A party looked up who is revoked.
    Fetched "fetched" INFO {
        /// The party.
        by: Name => plain("by"),
        /// What came of it, in words.
        outcome: String => plain("outcome"),
        /// Why the answer was not believed, or that none came.
        refusal: Option<Reason> => plain("refusal"),
    }
    /// The attacker read or sent what a line of her narration says.
    Followed "followed" DEBUG {
        /// The line.
        line: String => plain("line"),
    }
    /// The attacker's narration ended before its last line.
    AttackStopped "attack-stopped" INFO {
        /// The line at which.
        line: String => plain("line"),
        /// What she lacked.
        lacked: String => plain("lacked"),
    }
}
