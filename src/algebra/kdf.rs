//! `kdf(M…)`: HKDF-SHA-256 (RFC 5869) without a salt, 32 bytes. Strings are labels: they go to
//! its info, the other arguments to its input (§3.2).

use super::{Bytes, Definition, Form, Gives, Inputs, OneWay, Part, Result, Syntax, Told};
use crate::crypto::hkdf_sha256;
use crate::wire::Kind;

pub(super) static KDF: Definition = Definition {
    name: "kdf",
    syntax: Syntax::Terms(1, usize::MAX),
    unordered: false,
    gives: Gives::Kind(Kind::Key),
    form: Form::OneWay(&Kdf),
    costs_public_key_operation: false,
    told: Told { verb: "derives a key from", between: ", " },
};

struct Kdf;

impl OneWay for Kdf {
    fn compute(&self, of: &Inputs<'_>) -> Result<Bytes> {
        let (info, input): (Vec<Part>, Vec<Part>) =
            of.parts.iter().cloned().partition(|p| p.value.kind == Kind::Text);
        let mut out = zeroize::Zeroizing::new([0; 32]);
        hkdf_sha256(&of.encoded(&input)?, &[], &of.encoded(&info)?, &mut *out);
        Ok(out.as_slice().into())
    }
}
