//! `ek(d)`, `encap(d, r)` and `ss(d, r)`: a key to which secrets are encapsulated, the ciphertext
//! and the secret of an encapsulation with the random bytes r, by the KEM that the label names.
//! They are written with the secrets d and r that they hang together by; computed they are from
//! `ek(d)` and r, and the secret also from d and the ciphertext.

use super::{Bytes, Definition, Encapsulation, Form, Gives, Inputs, Result, Syntax, Told};
use crate::reason::Reason;
use crate::wire::Kind;

pub(super) static EK: Definition = of(
    "ek",
    1,
    Kind::Encapsulation,
    Encapsulation::Key,
    Told { verb: "takes the public half of", between: "" },
);
pub(super) static ENCAP: Definition = of(
    "encap",
    2,
    Kind::Encapsulated,
    Encapsulation::Ciphertext,
    Told { verb: "encapsulates to", between: " with " },
);
pub(super) static SECRET: Definition =
    of("ss", 2, Kind::Key, Encapsulation::Secret, Told { verb: "encapsulates to", between: " with " });
pub(super) static DECAP: Definition = Definition {
    syntax: Syntax::Special,
    ..of("decap", 2, Kind::Key, Encapsulation::Opened, Told { verb: "decapsulates with", between: " the " })
};

const fn of(name: &'static str, names: usize, kind: Kind, what: Encapsulation, told: Told) -> Definition {
    Definition {
        name,
        syntax: Syntax::Names(names),
        unordered: false,
        gives: Gives::Kind(kind),
        form: Form::Encapsulation(what),
        costs_public_key_operation: true,
        told,
    }
}

impl Encapsulation {
    /// What it is computed from: `[d]`, `[ek(d), r]`, `[ek(d), r]`, `[d, encap(d, r)]`.
    pub(super) fn compute(self, of: &Inputs<'_>) -> Result<Bytes> {
        let kem = of.binding.kem()?;
        match (self, of.parts) {
            (Encapsulation::Key, [secret]) => Ok(kem.encapsulation_key(&secret.value.bytes)?.into()),
            (Encapsulation::Ciphertext, [key, coins]) => {
                Ok(kem.encapsulate(&key.value.bytes, &coins.value.bytes)?.0.into())
            }
            (Encapsulation::Secret, [key, coins]) => {
                Ok(kem.encapsulate(&key.value.bytes, &coins.value.bytes)?.1.as_slice().into())
            }
            (Encapsulation::Opened, [secret, ciphertext]) => {
                Ok(kem.decapsulate(&secret.value.bytes, &ciphertext.value.bytes)?.as_slice().into())
            }
            _ => Err(Reason::Malformed),
        }
    }
}
