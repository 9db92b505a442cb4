//! A request to a vault's gate, as a value and as bytes, and a second administrator's consent to
//! it. Must not know what becomes of it.

use serde::{Deserialize, Serialize};

use super::message::{self, Operation};
use crate::crypto::{Result, sha256};

/// A second administrator's consent to one operation and to no other. It says nothing
/// about when or how often: the service takes it in with the request that it is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who, as the service has proved.
    pub approver: String,
    /// SHA-256 of the encoded operation.
    #[serde(with = "hex::serde")]
    operation: [u8; 32],
}

impl Approval {
    /// The consent of `approver`, whose name the service has proved, to `operation`.
    pub fn new(approver: &str, operation: &Operation) -> Approval {
        Approval { approver: approver.to_owned(), operation: sha256(&[&operation.encode()]) }
    }
}

/// A request, with what the service knows of who sent it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who it says that it is from.
    pub claimed: String,
    /// Whom the service has proved it to be from: by a ticket, a certificate, a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved: Option<String>,
    /// Where it comes from, such as an address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// A one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Somebody else's consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What it asks for.
    pub operation: Operation,
}

impl Request {
    /// A request of `principal`, who has proved to be that, without code or consent.
    pub fn new(principal: &str, source: &str, operation: Operation) -> Request {
        Request {
            claimed: principal.to_owned(),
            proved: Some(principal.to_owned()),
            source: source.to_owned(),
            code: None,
            approval: None,
            operation,
        }
    }

    /// As bytes: JSON, byte strings in hexadecimal.
    pub fn encode(&self) -> Vec<u8> {
        message::encode(self)
    }

    /// Reads what [`encode`](Self::encode) wrote. What a service has proved it must set
    /// itself: bytes from outside prove nothing.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Request> {
        message::decode(bytes)
    }
}
