//! `g^x` and `g^x^y`: Diffie–Hellman shares and secrets, in the group that the label names.

use super::{Definition, Form, Gives, Syntax, Told};
use crate::wire::Kind;

pub(super) static SHARE: Definition = power("g^", Told { verb: "raises g to", between: "" });
pub(super) static AGREE: Definition = power("g^x^", Told { verb: "raises", between: " to " });

const fn power(name: &'static str, told: Told) -> Definition {
    Definition {
        name,
        syntax: Syntax::Special,
        unordered: false,
        gives: Gives::Kind(Kind::Share),
        form: Form::Power,
        costs_public_key_operation: true,
        told,
    }
}
