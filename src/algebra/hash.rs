//! `h(M…)`: SHA-256 (FIPS 180-4) of its arguments as fields, 32 bytes.

use super::{Bytes, Definition, Form, Gives, Inputs, OneWay, Result, Syntax, Told};
use crate::crypto::sha256;
use crate::wire::Kind;

pub(super) static HASH: Definition = Definition {
    name: "h",
    syntax: Syntax::Terms(1, usize::MAX),
    unordered: false,
    gives: Gives::Kind(Kind::Hash),
    form: Form::OneWay(&Hash),
    costs_public_key_operation: false,
    told: Told { verb: "hashes", between: ", " },
};

struct Hash;

impl OneWay for Hash {
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes> {
        Ok(sha256(&[&of.encoded(of.parts)?]).as_slice().into())
    }
}
