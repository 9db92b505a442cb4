//! `succ(N)` and `pred(N)`: the next and the previous big-endian integer of the same width.

use super::{Definition, Form, Gives, Syntax, Told};

pub(super) static SUCC: Definition = of("succ", true);
pub(super) static PRED: Definition = of("pred", false);

const fn of(name: &'static str, up: bool) -> Definition {
    Definition {
        name,
        syntax: Syntax::Terms(1, 1),
        unordered: false,
        gives: Gives::First,
        form: Form::Step { up },
        costs_public_key_operation: false,
        told: Told { verb: "counts on from", between: "" },
    }
}

/// Adds one to, or takes one from, a big-endian integer; the width stays, the highest overflows
/// to zero.
pub fn step(bytes: &[u8], up: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for byte in out.iter_mut().rev() {
        let (next, carry) = if up { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = next;
        if !carry {
            break;
        }
    }
    out
}
