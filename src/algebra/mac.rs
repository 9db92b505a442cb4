//! `mac(K, M…)`: HMAC-SHA-256 (RFC 2104) under the key of the label, if there is one, with its
//! length before it (u32, big endian), and the other arguments as fields; 32 bytes.

use super::{Bytes, Definition, Form, Gives, Inputs, OneWay, Result, Syntax, Told};
use crate::crypto::hmac_sha256;
use crate::reason::Reason;
use crate::wire::Kind;

pub(super) static MAC: Definition = Definition {
    name: "mac",
    syntax: Syntax::Keyed,
    unordered: false,
    gives: Gives::Kind(Kind::Mac),
    form: Form::OneWay(&Mac),
    costs_public_key_operation: false,
    told: Told { verb: "computes the code with", between: ", " },
};

struct Mac;

impl OneWay for Mac {
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes> {
        let (key, message) = of.parts.split_first().ok_or(Reason::Malformed)?;
        let label = of.binding.label();
        let length = (label.len() as u32).to_be_bytes();
        let prefix: &[u8] = if label.is_empty() { &[] } else { &length };
        Ok(hmac_sha256(&key.value.bytes, &[prefix, label, &of.encoded(message)?]).as_slice().into())
    }
}
