//! `xor(M, N)`: bitwise exclusive or of equally long values.

use super::{Definition, Form, Gives, Result, Syntax, Told};
use crate::reason::Reason;
use crate::wire::Kind;

pub(super) static XOR: Definition = Definition {
    name: "xor",
    syntax: Syntax::Terms(2, 2),
    unordered: true,
    gives: Gives::Kind(Kind::Masked),
    form: Form::Sum,
    costs_public_key_operation: false,
    told: Told { verb: "takes the exclusive or of", between: " and " },
};

/// The exclusive or of two values.
///
/// # Errors
/// `malformed` if one is longer than the other.
pub fn xor(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    if a.len() != b.len() {
        return Err(Reason::Malformed);
    }
    Ok(a.iter().zip(b).map(|(x, y)| x ^ y).collect())
}
