//! How values came to be: the ground truth from which it is later judged what an attacker can
//! compute. Must not know who made them.

use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use super::value::{Bytes, Value};
use super::{Form, Func, Gives, Result};
use crate::crypto::{Agreement, Kem};
use crate::limits::MAX_MESSAGE_BYTES;
use crate::reason::Reason;
use crate::wire::{Encoding, Field, Kind, TAG_LEN, Widths};

/// A value and how it was made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Made {
    /// The result.
    pub value: Value,
    /// Where it comes from.
    pub how: How,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum How {
    /// Drawn at random, or read off a clock.
    Drawn,
    /// The public half of a private key.
    PublicOf(Value),
    /// Computed.
    Computed(Provenance),
}

/// A computation: what of, by which primitive, and bound to what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Provenance {
    /// The primitive.
    pub func: Func,
    /// Its arguments; a key comes first, of `g^x^y` the share.
    pub inputs: Parts,
    /// The encoding and the label.
    pub binding: Binding,
}

/// In which bytes arguments are fields, and what the result is bound to: the encoding and the
/// label of the protocol that made it, in which alone it can be judged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Binding {
    /// Whether what is made consists of nothing but its inputs as fields.
    notated: bool,
    untagged: bool,
    label: Label,
}

/// A value as a field of some encoding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part {
    /// The value.
    pub value: Value,
    /// The width to which it was padded, in bytes, where fields have one.
    pub width: Option<u32>,
}

/// Values as fields, one after another.
pub type Parts = SmallVec<[Part; 2]>;
/// Bytes to which a computation is bound.
pub type Label = SmallVec<[u8; 16]>;

/// What a primitive computes from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The arguments.
    pub parts: &'a [Part],
    /// The encoding and the label.
    pub binding: &'a Binding,
}

impl Part {
    /// A value that stands alone.
    pub fn of(value: Value) -> Part {
        Part { value, width: None }
    }
}

impl From<Value> for Part {
    fn from(value: Value) -> Part {
        Part::of(value)
    }
}

impl Binding {
    /// Of a protocol in this encoding, to this label.
    pub fn new(encoding: &Encoding, label: &[u8]) -> Binding {
        Binding { notated: true, untagged: !encoding.has_tags(), label: label.into() }
    }

    /// Of a message outside the notation, to this label.
    pub fn to(label: &[u8]) -> Binding {
        Binding { notated: false, untagged: false, label: label.into() }
    }

    /// Of a power of `g`: in this group.
    pub fn group(agreement: Agreement) -> Binding {
        Binding::to(agreement.name().as_bytes())
    }

    /// Of what a KEM makes: of this one.
    pub fn of_kem(kem: Kem) -> Binding {
        Binding::to(kem.name().as_bytes())
    }

    /// The label; empty if there is none.
    pub fn label(&self) -> &[u8] {
        &self.label
    }

    /// Whether what is made consists of nothing but its inputs as fields: messages outside the
    /// notation have more in them.
    pub fn is_notated(&self) -> bool {
        self.notated
    }

    /// Whether fields have no types and no borders.
    pub fn is_untagged(&self) -> bool {
        self.untagged
    }

    /// The encoding, as far as what is made depends on it.
    pub fn encoding(&self) -> Encoding {
        if self.untagged { Encoding::Untagged(Widths::default()) } else { Encoding::Tagged }
    }

    /// The KEM of a key, a ciphertext or a secret of one.
    pub(super) fn kem(&self) -> Result<Kem> {
        let name = std::str::from_utf8(&self.label).map_err(|_| Reason::Malformed)?;
        name.parse().map_err(|()| Reason::Malformed)
    }

    /// The group of a power of `g`.
    fn agreement(&self) -> Result<Agreement> {
        let name = std::str::from_utf8(&self.label).map_err(|_| Reason::Malformed)?;
        name.parse().map_err(|()| Reason::Malformed)
    }
}

impl Inputs<'_> {
    /// Parts as the bytes of fields.
    ///
    /// # Errors
    /// `malformed` if a value does not fit its width.
    pub fn encoded(&self, parts: &[Part]) -> Result<Zeroizing<Vec<u8>>> {
        encode(&self.binding.encoding(), parts).map(Zeroizing::new)
    }
}

/// The bytes of parts, one after another.
///
/// # Errors
/// `malformed` if a value does not fit its width, `message-too-long` before memory is taken for
/// more than a message may have.
pub fn encode(encoding: &Encoding, parts: &[Part]) -> Result<Vec<u8>> {
    let len = |part: &Part| part.value.bytes.len().max(part.width.unwrap_or(0) as usize) + TAG_LEN;
    let bytes = parts.iter().map(len).fold(0, usize::saturating_add);
    if bytes > MAX_MESSAGE_BYTES {
        return Err(Reason::MessageTooLong);
    }
    let mut out = Vec::with_capacity(bytes);
    for Part { value, width } in parts {
        let field = Field { kind: value.kind, bytes: &value.bytes, width: width.map(|w| w as usize) };
        encoding.write(field, &mut out).map_err(|_| Reason::Malformed)?;
    }
    Ok(out)
}

impl Made {
    /// A value that was drawn at random or read off a clock.
    pub fn drawn(value: Value) -> Made {
        Made { value, how: How::Drawn }
    }

    /// A value that was computed.
    pub fn computed(value: Value, func: Func, inputs: impl Into<Parts>, binding: Binding) -> Made {
        Made { value, how: How::Computed(Provenance { func, inputs: inputs.into(), binding }) }
    }

    /// A ciphertext outside the notation.
    pub fn sealed(value: Value, func: Func, key: Value, inside: Parts, label: &[u8]) -> Made {
        let inputs: Parts = std::iter::once(Part::of(key)).chain(inside).collect();
        Made::computed(value, func, inputs, Binding::to(label))
    }

    /// The primitive that made it, if one did.
    pub fn func(&self) -> Option<Func> {
        match &self.how {
            How::Computed(provenance) => Some(provenance.func),
            How::Drawn | How::PublicOf(_) => None,
        }
    }
}

impl From<Provenance> for How {
    fn from(provenance: Provenance) -> How {
        How::Computed(provenance)
    }
}

impl Provenance {
    /// A power of `g` by an exponent: of another share, or of `g` itself.
    pub fn power(secret: Value, share: Option<Value>, agreement: Agreement) -> Provenance {
        let (func, inputs): (Func, Parts) = match share {
            Some(share) => (Func::Agree, smallvec![Part::of(share), Part::of(secret)]),
            None => (Func::Share, smallvec![Part::of(secret)]),
        };
        Provenance { func, inputs, binding: Binding::group(agreement) }
    }

    /// A key, a ciphertext or a secret of a KEM, of these.
    pub fn encapsulation(func: Func, inputs: impl IntoIterator<Item = Value>, kem: Kem) -> Provenance {
        let inputs = inputs.into_iter().map(Part::of).collect();
        Provenance { func, inputs, binding: Binding::of_kem(kem) }
    }

    /// Carries the computation out, if it gives the same bytes each time: a ciphertext is another
    /// each time it is made, and so is a signature by RSA.
    ///
    /// # Errors
    /// The check that failed, such as `weak-parameter`.
    pub fn compute(&self) -> Result<Option<Value>> {
        let definition = self.func.definition();
        let argument = |nth: usize| self.inputs.get(nth).map(|p| &p.value).ok_or(Reason::Malformed);
        let kind = match definition.gives {
            Gives::Kind(kind) => kind,
            Gives::First => argument(0)?.kind,
        };
        let inputs = Inputs { parts: &self.inputs, binding: &self.binding };
        let bytes: Bytes = match definition.form {
            Form::OneWay(function) => function.compute(&inputs)?,
            Form::Step { up } => super::step(&argument(0)?.bytes, up).into(),
            Form::Sum => super::xor(&argument(0)?.bytes, &argument(1)?.bytes)?.into(),
            Form::Power => {
                let group = self.binding.agreement()?;
                match self.inputs.as_slice() {
                    [secret] => group.share(&secret.value.bytes)?.into(),
                    [share, secret] => {
                        group.agree(&secret.value.bytes, &share.value.bytes)?.as_slice().into()
                    }
                    _ => return Err(Reason::Malformed),
                }
            }
            Form::Encapsulation(what) => what.compute(&inputs)?,
            Form::Signature => {
                let text = Inputs { parts: self.inputs.get(1..).unwrap_or_default(), ..inputs };
                match super::sign_again(argument(0)?, &text)? {
                    Some(signature) => signature.into(),
                    None => return Ok(None),
                }
            }
            Form::OfAgents | Form::Cipher(_) => return Ok(None),
        };
        Ok(Some(Value::new(kind, bytes)))
    }
}

/// The kind that a primitive gives, of arguments of these kinds.
pub fn kind_of(func: Func, first: Option<Kind>) -> Option<Kind> {
    match func.definition().gives {
        Gives::Kind(kind) => Some(kind),
        Gives::First => first,
    }
}
