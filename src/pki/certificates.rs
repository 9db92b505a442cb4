//! A party's certificates as one value on the wire, with what comes with them. Must not know
//! what is in them.

use crate::algebra::Value;
use crate::algebra::pair::{ENCRYPTION, SIGNATURE, join, parts};
use crate::notation::Kind;
use crate::reason::Reason;

/// Marks an authority's certificate in a bundle.
const CHAIN: u8 = 3;
/// Marks a stapled OCSP response.
const STAPLE: u8 = 4;

/// The certificates of one subject, each DER, by what its key is for, with what helps to
/// judge them.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Certificates {
    /// For the key that others encrypt to.
    pub encryption: Option<Vec<u8>>,
    /// For the key under which signatures verify.
    pub signature: Option<Vec<u8>>,
    /// Certificates of authorities between the subject and a root (RFC 8446 §4.4.2).
    pub chain: Vec<Vec<u8>>,
    /// OCSP responses about the subject's certificates (RFC 6066 §8).
    pub staples: Vec<Vec<u8>>,
}

impl Certificates {
    /// As a value: for each part a mark (1 encryption, 2 signature, 3 authority, 4 staple),
    /// two bytes of length and DER, in this order.
    pub fn to_value(&self) -> Value {
        Value::new(Kind::Certificate, self.to_bytes())
    }

    /// Reads what `to_value` wrote, and nothing else: one bundle has one encoding, so that
    /// no two readers take different certificates from it.
    ///
    /// # Errors
    /// `Malformed`, also for a bundle without a subject's certificate.
    pub fn from_bytes(bytes: &[u8]) -> Result<Certificates, Reason> {
        let mut certificates = Certificates::default();
        for (mark, part) in parts(bytes)? {
            let part = part.to_vec();
            match mark {
                ENCRYPTION => certificates.encryption = Some(part),
                SIGNATURE => certificates.signature = Some(part),
                CHAIN => certificates.chain.push(part),
                STAPLE => certificates.staples.push(part),
                _ => return Err(Reason::Malformed),
            }
        }
        let has_subject = certificates.encryption.is_some() || certificates.signature.is_some();
        let is_canonical = has_subject && certificates.to_bytes() == bytes;
        if is_canonical { Ok(certificates) } else { Err(Reason::Malformed) }
    }

    /// The subject's certificates.
    pub fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.encryption.iter().chain(&self.signature).map(Vec::as_slice)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let subject = [(ENCRYPTION, self.encryption.as_deref()), (SIGNATURE, self.signature.as_deref())];
        let subject = subject.into_iter().filter_map(|(mark, part)| Some((mark, part?)));
        let chain = self.chain.iter().map(|part| (CHAIN, part.as_slice()));
        join(subject.chain(chain).chain(self.staples.iter().map(|part| (STAPLE, part.as_slice()))))
    }
}
