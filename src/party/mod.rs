//! The parties: clients, the key distribution centre, the certificate authority, the
//! attacker. Each is a state machine: an input in, effects out. Must not know tasks,
//! channels, files, or printing.

pub mod attacker;
mod bureau;
mod cast;
mod clerk;
mod custody;
mod dealings;
pub mod envelope;
mod errand;
mod exchange;
mod keeper;
mod principal;
mod session;
mod trust;
pub mod wish;

use std::sync::Arc;

use crate::journal::{MessageId, Sight, What};
use crate::knowledge::{Made, Value};
use crate::notation::{Name, Term};
use crate::time::{SimTime, Span};

pub use bureau::{Bureau, CA_PROTOCOL, CRL_PROTOCOL, KMS_PROTOCOL, OCSP_PROTOCOL, SERVICE_PROTOCOLS};
pub use cast::{Cast, Character, Register, RunSpec, Spoken};
pub use custody::totp;
pub use errand::{Errand, RequestSpec, certified_uses};
pub use keeper::{Keeper, KeeperSpec, SealedUnder};
pub use principal::{Office, Principal};
pub use trust::PartyTrust;

/// What the world tells a party.
#[derive(Clone, Debug)]
pub enum Input {
    /// The play begins.
    Begin,
    /// Start its part in this run, which begins with a line that it sends.
    Start(Arc<RunSpec>),
    /// Ask a service for something.
    Request(Arc<RequestSpec>),
    /// The clock is set so far ahead of virtual time, in nanoseconds; negative is behind.
    Clock(i64),
    /// A message arrived.
    Message(Arc<Sight>),
    /// To the attacker: a message is on the wire, and goes no further than she lets it.
    OnWire(Arc<Sight>),
    /// To the attacker: an event handed her this value.
    Handed {
        /// The term under which her notebook has it.
        term: Term,
        /// The value.
        value: Value,
    },
    /// Serve this party no more; to the authority: revoke its certificate.
    Revoke {
        /// The party.
        subject: Name,
        /// Why, in the words of RFC 5280 §5.3.1.
        reason: String,
    },
    /// Take a new version of this long-term key.
    Rotate {
        /// The key: `k(..)` or `pw(..)`.
        key: Term,
        /// How many older versions still open what was made under them.
        keep: u32,
    },
    /// An event hands something of the party's to the attacker.
    Leak(Leak),
    /// To the key centre: somebody puts an old copy of its disk back.
    PutBack,
    /// Start anew: sessions and what was kept in memory are gone.
    Restart,
    /// A timer that the party set went off.
    Timer(u64),
    /// Nothing more will happen.
    End,
}

/// What a party wants done.
#[derive(Debug)]
pub enum Effect {
    /// Record this.
    Note(What),
    /// Put this message on the wire.
    Send(Arc<Sight>),
    /// The attacker lets the message at hand go on, at once or later.
    Pass(Arc<Sight>, Span),
    /// The attacker puts a message on the wire.
    Inject {
        /// The message.
        message: Arc<Sight>,
        /// The message in whose place it goes.
        instead_of: Option<MessageId>,
        /// How much later than now.
        after: Span,
    },
    /// Call back at this time with this number.
    Timer(SimTime, u64),
    /// Hand this to the attacker, who has it in her notebook under the term.
    Leak {
        /// What it is, as the scenario names it.
        what: String,
        /// The term.
        term: Term,
        /// The value; none if the party has none.
        value: Option<Value>,
    },
}

/// Something that a party has and an event hands to the attacker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leak {
    /// What.
    pub what: Leaked,
    /// The term under which her notebook has it.
    pub term: Term,
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

/// What one input brought about, in order.
#[derive(Debug, Default)]
pub struct Effects {
    /// What is to be done.
    pub all: Vec<Effect>,
    /// The values that were made.
    pub made: Vec<Made>,
}

impl Effects {
    /// Adds an event to record.
    pub fn note(&mut self, what: What) {
        self.all.push(Effect::Note(what));
    }
}

/// A party, as the world knows it.
pub trait Actor: Send {
    /// Takes one input at a time and says what comes of it.
    fn handle(&mut self, input: Input, now: SimTime, effects: &mut Effects);
}
