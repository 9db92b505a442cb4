//! `short(M…)`: SHA-256 (FIPS 180-4) of its arguments as fields, cut to its first bits, as many as
//! the label says (SP 800-107 rev. 1 §5.1). The last byte is filled up with zeros.

use super::{Bytes, Definition, Form, Gives, Inputs, OneWay, Result, Syntax, Told};
use crate::crypto::truncated_sha256;
use crate::reason::Reason;
use crate::wire::Kind;

pub(super) static SHORT: Definition = Definition {
    name: "short",
    syntax: Syntax::Terms(1, usize::MAX),
    unordered: false,
    gives: Gives::Kind(Kind::Hash),
    form: Form::OneWay(&Short),
    costs_public_key_operation: false,
    told: Told { verb: "hashes and cuts off", between: ", " },
};

struct Short;

impl OneWay for Short {
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes> {
        let [high, low] = of.binding.label() else { return Err(Reason::Malformed) };
        let bits = u16::from_be_bytes([*high, *low]);
        Ok(truncated_sha256(&of.encoded(of.parts)?, bits).into())
    }
}
