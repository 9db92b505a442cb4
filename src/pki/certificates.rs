//! A party's certificates as one value on the wire. Must not know what is in them.

use crate::knowledge::Value;
use crate::knowledge::keys::{ENCRYPTION, SIGNATURE, join, take_apart};
use crate::notation::Kind;
use crate::reason::Reason;

/// The certificates of one subject, each DER, by what its key is for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Certificates {
    /// For the key that others encrypt to.
    pub encryption: Option<Vec<u8>>,
    /// For the key under which signatures verify.
    pub signature: Option<Vec<u8>>,
}

impl Certificates {
    /// As a value: for each certificate a use (1 encryption, 2 signature), two bytes of
    /// length and DER, in this order.
    pub fn to_value(&self) -> Value {
        Value::new(Kind::Certificate, self.to_bytes())
    }

    /// Reads what `to_value` wrote, and nothing else: one bundle has one encoding, so that
    /// no two readers take different certificates from it.
    ///
    /// # Errors
    /// `Malformed`, also for a bundle without a certificate.
    pub fn from_bytes(bytes: &[u8]) -> Result<Certificates, Reason> {
        let [encryption, signature] = take_apart(bytes)?.map(|part| part.map(<[u8]>::to_vec));
        let certificates = Certificates { encryption, signature };
        let is_canonical = !bytes.is_empty() && certificates.to_bytes() == bytes;
        if is_canonical { Ok(certificates) } else { Err(Reason::Malformed) }
    }

    fn to_bytes(&self) -> Vec<u8> {
        join([(ENCRYPTION, self.encryption.as_deref()), (SIGNATURE, self.signature.as_deref())])
    }
}
