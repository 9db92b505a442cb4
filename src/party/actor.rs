//! The contracts between those who take part and whatever drives them: what an honest party is
//! told and may do, what the attacker is told and may do, and what befalls a party because a
//! scenario says so. Each is a state machine; a simulator drives it in virtual time, and nothing
//! in it says that sockets and a wall clock could not. Must not know who drives.

use std::sync::Arc;

use super::cast::RunSpec;
use super::errand::RequestSpec;
use crate::algebra::{Bytes, Made, Value};
use crate::journal::{MessageId, QuestionId, Sight, What};
use crate::limits::Reached;
use crate::notation::{Kind, Name, Term};
use crate::pki::RevocationReason;
use crate::reason::Reason;
use crate::time::{SimTime, Span};

/// What an honest party is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// What it does every so often begins.
    Begin,
    /// Start this run as its initiator.
    Start(Arc<RunSpec>),
    /// Ask a service for something.
    Request(Arc<RequestSpec>),
    /// A message arrived.
    Message(Arc<Sight>),
    /// A timer that the party set went off.
    Timer(u64),
    /// What somebody outside made of the certificates that were presented under this number.
    Judged(QuestionId, Result<(), Reason>),
    /// Whoever runs the party has it do this.
    Order(Order),
    /// Nothing more will happen.
    End,
}

/// What whoever runs an honest party can have it do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Set its clock so far ahead of virtual time, in nanoseconds; negative is behind.
    Clock(i64),
    /// Serve this party no more; of the authority: revoke its certificates.
    Revoke {
        /// The party.
        subject: Name,
        /// Why.
        reason: RevocationReason,
    },
    /// Take a new version of this long-term key.
    Rotate {
        /// The key: `k(..)` or `pw(..)`.
        key: Term,
        /// How many older versions still open what was made under them.
        keep: u32,
    },
    /// Start anew: sessions and what was kept in memory are gone.
    Restart,
}

/// What an honest party wants done. It can send in nobody's place, and stop nothing.
#[derive(Debug)]
pub enum Effect {
    /// Record this.
    Note(What),
    /// Put this message on the wire.
    Send(Arc<Sight>),
    /// Call back at this time with this number.
    Timer(SimTime, u64),
    /// Have somebody outside judge these certificates in the party's place.
    Present(Presented),
}

/// Certificates that somebody outside is to judge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Presented {
    /// In whose place.
    pub party: Name,
    /// The number under which the word is waited for.
    pub question: QuestionId,
    /// The message that they came in.
    pub message: MessageId,
    /// They, as [`Certificates`](crate::pki::Certificates) has them.
    pub bundle: Bytes,
}

/// An honest party.
pub trait Actor: Send {
    /// Takes one input at a time and says what comes of it.
    fn handle(&mut self, input: Input, now: SimTime, effects: &mut Effects);

    /// Suffers what a scenario has happen to it; answers what a thief gets. Only the director of
    /// a rehearsal does this: a party in earnest has no such door.
    fn suffer(&mut self, _intrusion: &Intrusion, _now: SimTime, _effects: &mut Effects) -> Option<Value> {
        None
    }
}

/// What the director has happen to a party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Intrusion {
    /// Something of its own is stolen.
    Theft(Leak),
    /// Somebody puts the old copy of the key centre's disk back that was stolen last.
    PutBack,
}

/// What the attacker is told.
#[derive(Clone, Debug)]
pub enum AttackerInput {
    /// The play begins.
    Begin,
    /// Start a run of her own.
    Start(Arc<RunSpec>),
    /// Ask a service for something.
    Request(Arc<RequestSpec>),
    /// A message is on the wire, and goes no further than she lets it.
    OnWire(Arc<Sight>),
    /// An event handed her this.
    Handed(Handed),
    /// A timer that she set went off.
    Timer(u64),
    /// Nothing more will happen.
    End,
}

/// A value that an event hands to the attacker.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The term under which her notebook has it.
    pub term: Term,
    /// The value.
    pub value: Value,
    /// The run whose value it is, if it is one's.
    pub run: Option<u32>,
}

/// What the attacker does.
#[derive(Debug)]
pub enum AttackerEffect {
    /// Record this.
    Note(What),
    /// Let the message at hand go on, at once or later.
    Pass(Arc<Sight>, Span),
    /// Put a message on the wire.
    Inject {
        /// The message.
        message: Arc<Sight>,
        /// The message in whose place it goes.
        instead_of: Option<MessageId>,
        /// How much later than now.
        after: Span,
    },
    /// Put a message on the wire to hear what its receiver answers. What is refused and comes to
    /// nothing else is not recorded: of thousands she keeps count herself.
    Query(Arc<Sight>),
    /// End the play: a limit was reached, and what is not done for it could change a verdict.
    Halt(Reached),
    /// Call back at this time with this number.
    Timer(SimTime, u64),
}

/// The attacker, whom every message passes.
pub trait Adversary: Send {
    /// Takes one input at a time and says what comes of it.
    fn handle(&mut self, input: AttackerInput, now: SimTime, effects: &mut Effects<AttackerEffect>);
}

/// What one input brought about, in order.
#[derive(Debug)]
pub struct Effects<E = Effect> {
    /// What is to be done.
    pub all: Vec<E>,
    /// The values that were made.
    pub made: Vec<Made>,
}

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Effects { all: Vec::new(), made: Vec::new() }
    }
}

impl<E: From<What>> Effects<E> {
    /// Adds an event to record.
    pub fn note(&mut self, what: What) {
        self.all.push(what.into());
    }
}

impl Effects {
    /// Puts a message on the wire.
    pub fn send(&mut self, message: Sight) {
        self.all.push(Effect::Send(Arc::new(message)));
    }
}

impl From<What> for Effect {
    fn from(what: What) -> Self {
        Effect::Note(what)
    }
}

impl From<What> for AttackerEffect {
    fn from(what: What) -> Self {
        AttackerEffect::Note(what)
    }
}

/// Something that a party has and an event hands to the attacker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leak {
    /// What.
    pub what: Leaked,
    /// The term under which her notebook has it.
    pub term: Term,
}

impl Leak {
    /// What it is, in words: what a request gave and the ciphertext that its asker keeps of it
    /// are two values.
    pub fn told(&self, value: Option<&Value>) -> String {
        match (&self.what, value) {
            (Leaked::Result { .. }, Some(Value { kind: Kind::Cipher, .. })) => {
                format!("the ciphertext of {}", self.what)
            }
            _ => self.what.to_string(),
        }
    }
}

/// What leaks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Leaked {
    /// A version of a key of the centre's: `key(orders,1)`.
    Key {
        /// Its name.
        name: String,
        /// Its version.
        version: u32,
    },
    /// The centre's disk: `vault`.
    Vault,
    /// One of the shares under which the vault is sealed: `share(1)`.
    Share {
        /// Its custodian, from 1.
        custodian: u8,
    },
    /// What a request gave: `r2`.
    Result {
        /// The request.
        request: u32,
        /// Who asked.
        by: Name,
    },
    /// The one-time code that somebody's device shows: `code(alice)`.
    Code {
        /// Whose.
        of: Name,
    },
}

impl std::fmt::Display for Leaked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Leaked::Key { name, version } => write!(f, "key({name},{version})"),
            Leaked::Vault => f.write_str("vault"),
            Leaked::Share { custodian } => write!(f, "share({custodian})"),
            Leaked::Result { request, .. } => write!(f, "r{request}"),
            Leaked::Code { of } => write!(f, "code({of})"),
        }
    }
}
