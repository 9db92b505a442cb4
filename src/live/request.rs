//! A request as the desk gets it, and a refusal. Must not know sockets.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use serde::de::DeserializeOwned;

use crate::legible::legible;
use crate::reason::Reason;

/// Who asks, as far as its connection and its headers say.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The address that it comes from.
    pub source: String,
    /// Its certificate, which was verified and whose key it has shown to hold.
    pub certificate: Option<Arc<Vec<u8>>>,
    /// X-Vault-Token.
    pub token: Option<String>,
    /// X-Mallory-Code, a one-time code.
    pub code: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// What stands in the path in the places of names.
    pub path: BTreeMap<String, String>,
    /// What stands behind the question mark.
    pub query: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why something is not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// In a word.
    pub reason: Reason,
    /// In more words, for who sent it.
    pub detail: Option<String>,
    /// Whether the audit log has it already.
    pub is_recorded: bool,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Refusal {
        Refusal { reason, detail: None, is_recorded: false }
    }
}

impl Refusal {
    /// `Malformed`, and what is.
    pub fn malformed(detail: impl Into<String>) -> Refusal {
        Refusal { reason: Reason::Malformed, detail: Some(detail.into()), is_recorded: false }
    }

    /// That the gate refused and recorded.
    pub fn recorded(reason: Reason) -> Refusal {
        Refusal { reason, detail: None, is_recorded: true }
    }
}

impl Call {
    /// The body as JSON; none at all is `{}`.
    ///
    /// # Errors
    /// `Malformed`, with line, column and what was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = if self.body.is_empty() { b"{}" } else { self.body.as_slice() };
        serde_json::from_slice(body)
            .map_err(|error| Refusal::malformed(format!("the body: {}", legible(&error.to_string()))))
    }

    /// A part of the path.
    pub fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A number behind the question mark.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, Refusal> {
        let Some(text) = self.query.get(name) else { return Ok(default) };
        text.parse()
            .map_err(|_| Refusal::malformed(format!("{name} is `{}`: expected a number", legible(text))))
    }
}

/// Bytes from base64.
///
/// # Errors
/// `Malformed`, with the field's name.
pub fn from_base64(field: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    Base64::decode_vec(text).map_err(|_| Refusal::malformed(format!("{field}: expected base64 with padding")))
}

/// Bytes as base64.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
