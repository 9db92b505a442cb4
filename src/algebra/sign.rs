//! `sign(sk(X), M…)`: a detached signature over the label, if there is one, with its length
//! before it (u32, big endian), and the arguments as fields. It does not reveal them.

use super::{Definition, Form, Gives, Inputs, Private, Result, Syntax, Told, Value};
use crate::reason::Reason;
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

/// What a signature covers: the label, its length first, then the parts. Of `of` these are only
/// what is signed.
///
/// # Errors
/// As [`encode`](super::encode).
pub fn signed_bytes(of: &Inputs<'_>) -> Result<Vec<u8>> {
    let label = of.binding.label();
    let mut message = Vec::new();
    if !label.is_empty() {
        message.extend_from_slice(&(label.len() as u32).to_be_bytes());
        message.extend_from_slice(label);
    }
    message.extend_from_slice(&of.encoded(of.parts)?);
    Ok(message)
}

/// The signature that whoever has the private key makes of these, if it is the same each time:
/// Ed25519 (RFC 8032 §5.1.6) and ECDSA with nonces by RFC 6979 sign so, RSA-PSS does not.
///
/// # Errors
/// `malformed` if the value is no private key that signs, or the text cannot be encoded.
pub fn sign_again(private: &Value, of: &Inputs<'_>) -> Result<Option<Vec<u8>>> {
    let key = Private::from_bytes(&private.bytes)?.signing.ok_or(Reason::Malformed)?;
    Ok(key.sign_again(&signed_bytes(of)?))
}
