//! A password stretched to a key by Argon2id (RFC 9106), 32 bytes; the label is its salt.

use super::{Bytes, Definition, Form, Gives, Inputs, OneWay, Result, Syntax, Told};
use crate::crypto;
use crate::reason::Reason;
use crate::wire::Kind;

pub(super) static STRETCH: Definition = Definition {
    name: "stretch",
    syntax: Syntax::Special,
    unordered: false,
    gives: Gives::Kind(Kind::Key),
    form: Form::OneWay(&Stretch),
    costs_public_key_operation: false,
    told: Told { verb: "stretches", between: "" },
};

struct Stretch;

impl OneWay for Stretch {
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes> {
        let password = of.parts.first().ok_or(Reason::Malformed)?;
        Ok(crypto::stretch(&password.value.bytes, of.binding.label())?.as_slice().into())
    }
}
