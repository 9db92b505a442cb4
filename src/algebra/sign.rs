//! `sign(sk(X), M…)`: a detached signature over the label, if there is one, with its length
//! before it (u32, big endian), and the arguments as fields. It does not reveal them.

use super::{Definition, Form, Gives, Syntax, Told};
use crate::wire::Kind;

pub(super) static SIGN: Definition = Definition {
    name: "sign",
    syntax: Syntax::Signed,
    unordered: false,
    gives: Gives::Kind(Kind::Signature),
    form: Form::Signature,
    costs_public_key_operation: true,
    told: Told { verb: "signs with", between: ", " },
};
