//! A request to a vault's gate, as a value and as bytes, and as a service received it. Must not
//! know what becomes of it.

use serde::{Deserialize, Serialize};

use super::message::{self, Operation};
use super::proof::{Consent, Proved};
use crate::crypto::Result;

/// What somebody asks for: all of it by its own word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who it says that it is from.
    pub claimed: String,
    /// A one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it asks for.
    pub operation: Operation,
}

impl Request {
    /// A request that says it is from `claimed`, without a code.
    pub fn new(claimed: &str, operation: Operation) -> Request {
        Request { claimed: claimed.to_owned(), code: None, operation }
    }

    /// As bytes: JSON, byte strings in hexadecimal.
    pub fn encode(&self) -> Vec<u8> {
        message::encode(self)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Request> {
        message::decode(bytes)
    }
}

/// A request with what the service knows of it, which no bytes can say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// What is asked.
    pub request: Request,
    /// Where it came from, such as an address.
    pub source: String,
    /// Whom the service has proved it to be from.
    pub proved: Option<Proved>,
    /// Somebody else's consent, proved likewise.
    pub consent: Option<Consent>,
    /// Whether the answer goes to whoever was proved over a channel that nobody else reads, such
    /// as TLS with certificates on both sides.
    pub is_private: bool,
}

impl Received {
    /// A request from `source`, of which nothing is proved.
    pub fn new(request: Request, source: &str) -> Received {
        Received { request, source: source.to_owned(), proved: None, consent: None, is_private: false }
    }
}
