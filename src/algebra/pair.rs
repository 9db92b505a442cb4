//! Key pairs as values: the keys of one owner for both uses in one bundle.

use super::value::Value;
use crate::crypto::{DecryptionKey, Signature, SigningKey};
use crate::reason::Reason;
use crate::wire::Kind;

/// The private keys of one owner.
#[derive(Clone, Default)]
pub struct Private {
    /// The key that opens `{M}pk(X)`.
    pub decryption: Option<DecryptionKey>,
    /// The key that signs.
    pub signing: Option<SigningKey>,
}

/// The public keys of one owner, as SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Public {
    /// The key for `{M}pk(X)`.
    pub encryption: Option<Vec<u8>>,
    /// The key under which signatures verify.
    pub signature: Option<Vec<u8>>,
}

/// Marks the key, or the certificate, for encryption in a bundle.
pub const ENCRYPTION: u8 = 1;
/// Marks the one for signatures.
pub const SIGNATURE: u8 = 2;

/// Marks a private key for signatures whose signer has one nonce for all of them.
const REPEATED_NONCE: u8 = 3;

/// Bytes before each part of a bundle: its mark and its length.
pub const HEADER: usize = 5;

/// A bundle: for each part a mark, four bytes of length and the part.
///
/// # Panics
/// If a part is longer than 4 GiB, which no limit permits.
pub fn join<'a>(parts: impl IntoIterator<Item = (u8, &'a [u8]), IntoIter: Clone>) -> Vec<u8> {
    let parts = parts.into_iter();
    let mut out = Vec::with_capacity(parts.clone().map(|(_, bytes)| HEADER + bytes.len()).sum());
    for (mark, bytes) in parts {
        let len = u32::try_from(bytes.len()).expect("a part is shorter than a message may be");
        out.push(mark);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// The parts of a bundle that `join` made, in order.
///
/// # Errors
/// `Malformed`.
pub fn parts(mut bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, Reason> {
    let mut parts = Vec::new();
    while let [mark, a, b, c, d, rest @ ..] = bytes {
        let len = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| Reason::Malformed)?;
        parts.push((*mark, rest.get(..len).ok_or(Reason::Malformed)?));
        bytes = &rest[len..];
    }
    if bytes.is_empty() { Ok(parts) } else { Err(Reason::Malformed) }
}

/// Keys for both uses as a bundle, and back.
fn pair(encryption: Option<&[u8]>, (mark, signature): (u8, Option<&[u8]>)) -> Vec<u8> {
    let parts = [(ENCRYPTION, encryption), (mark, signature)];
    join(parts.into_iter().filter_map(|(mark, part)| Some((mark, part?))))
}

fn take_apart(bytes: &[u8]) -> Result<[Option<&[u8]>; 2], Reason> {
    let mut pair = [None, None];
    for (mark, part) in parts(bytes)? {
        match mark {
            ENCRYPTION => pair[0] = Some(part),
            SIGNATURE => pair[1] = Some(part),
            _ => return Err(Reason::Malformed),
        }
    }
    Ok(pair)
}

impl Private {
    /// The public halves.
    pub fn public(&self) -> Public {
        Public {
            encryption: self.decryption.as_ref().map(DecryptionKey::public),
            signature: self.signing.as_ref().map(SigningKey::public),
        }
    }

    /// Those of the keys that a quantum computer finds in the public ones, if any: all of RSA, and
    /// of signatures what [`falls_to_quantum`](Signature::falls_to_quantum) says.
    pub fn falls_to_quantum(&self) -> Option<Private> {
        let signing = self.signing.clone().filter(|key| key.suite().falls_to_quantum());
        let fallen = Private { decryption: self.decryption.clone(), signing };
        (fallen.decryption.is_some() || fallen.signing.is_some()).then_some(fallen)
    }

    /// As a value: for each key a use, a length and PKCS#8.
    pub fn to_value(&self) -> Value {
        let decryption = self.decryption.as_ref().map(DecryptionKey::to_pkcs8);
        let signing = self.signing.as_ref().map(SigningKey::to_pkcs8);
        let repeats = |key: &SigningKey| key.suite() == Signature::EcdsaP256RepeatedNonce;
        let mark = if self.signing.as_ref().is_some_and(repeats) { REPEATED_NONCE } else { SIGNATURE };
        let signing = (mark, signing.as_ref().map(|k| k.as_slice()));
        let bytes = pair(decryption.as_ref().map(|k| k.as_slice()), signing);
        Value::new(Kind::Private, bytes)
    }

    /// Reads what `to_value` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Private, Reason> {
        let mut keys = Private::default();
        for (mark, part) in parts(bytes)? {
            match mark {
                ENCRYPTION => keys.decryption = Some(DecryptionKey::from_pkcs8(part)?),
                SIGNATURE => keys.signing = Some(SigningKey::from_pkcs8(part)?),
                REPEATED_NONCE => keys.signing = Some(SigningKey::from_pkcs8(part)?.with_repeated_nonce()),
                _ => return Err(Reason::Malformed),
            }
        }
        Ok(keys)
    }
}

impl Public {
    /// Whether all keys of the other are here.
    pub fn has(&self, other: &Public) -> bool {
        let is_here = |one: &Option<Vec<u8>>, mine: &Option<Vec<u8>>| one.is_none() || one == mine;
        is_here(&other.encryption, &self.encryption) && is_here(&other.signature, &self.signature)
    }

    /// As a value: for each key a use, a length and a SubjectPublicKeyInfo.
    pub fn to_value(&self) -> Value {
        Value::new(Kind::Public, pair(self.encryption.as_deref(), (SIGNATURE, self.signature.as_deref())))
    }

    /// Reads what `to_value` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Public, Reason> {
        let [encryption, signature] = take_apart(bytes)?;
        Ok(Public { encryption: encryption.map(<[u8]>::to_vec), signature: signature.map(<[u8]>::to_vec) })
    }
}
