//! What a service has proved about who speaks: a name, and a consent. Nothing deserialises
//! either, so no bytes from outside can bring one along. Must not know requests.

use super::message::Operation;
use crate::crypto::{self, Result, Symmetric, sha256};
use crate::reason::Reason;
use zeroize::Zeroizing;

/// A name that somebody has proved to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proved {
    name: String,
}

impl Proved {
    /// Opens `sealed` under the key that `name` shares with the service, which nobody else has,
    /// and answers what was inside. An unauthenticated cipher proves as little here as anywhere.
    ///
    /// # Errors
    /// Those of [`Symmetric::open`].
    pub fn by_seal(
        name: &str,
        key: &[u8],
        cipher: Symmetric,
        label: &[u8],
        sealed: &[u8],
    ) -> Result<(Proved, Zeroizing<Vec<u8>>)> {
        let text = cipher.open(key, label, sealed)?;
        Ok((Proved { name: name.to_owned() }, text))
    }

    /// Checks HMAC-SHA-256 over `parts`, under the key that `name` shares with the service.
    ///
    /// # Errors
    /// `BadMac`.
    pub fn by_mac(name: &str, key: &[u8], parts: &[&[u8]], mac: &[u8]) -> Result<Proved> {
        let is_hers = crypto::constant_time_eq(&crypto::hmac_sha256(key, parts), mac);
        if is_hers { Ok(Proved { name: name.to_owned() }) } else { Err(Reason::BadMac) }
    }

    /// The word of a service that has checked it in a way of its own, such as by a client
    /// certificate of TLS. The gate takes this word.
    pub fn asserted(name: &str) -> Proved {
        Proved { name: name.to_owned() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The consent of this principal to one operation and to no other. It says nothing about
    /// when or how often: the service takes it in with the request that it is for.
    pub fn consent_to(self, operation: &Operation) -> Consent {
        Consent { by: self, operation: digest(operation) }
    }
}

/// A second administrator's consent to one operation, by somebody who was proved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    by: Proved,
    operation: [u8; 32],
}

impl Consent {
    /// Who consents.
    pub fn by(&self) -> &str {
        self.by.name()
    }

    /// Whether it is to this operation.
    pub fn is_to(&self, operation: &Operation) -> bool {
        self.operation == digest(operation)
    }
}

/// SHA-256 of the encoded operation.
fn digest(operation: &Operation) -> [u8; 32] {
    sha256(&[&operation.encode()])
}
