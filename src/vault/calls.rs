//! The operations that most callers want, as methods. Must not know more than
//! [`Operation`] does: everything else goes through [`Vault::perform`].

use super::handle::{Care, Vault};
use super::key::KeySpec;
use super::message::{Operation, Response, RevocationCause};
use super::store::Store;
use crate::crypto::{Result, Rng};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A caller: who it is, by its own word, and what it lends the vault for one operation.
#[derive(Debug)]
pub struct Caller<'a> {
    /// Its name, for the audit log and the keys' histories.
    pub name: &'a str,
    /// Where random bytes come from.
    pub rng: &'a mut Rng,
    /// What its clock says.
    pub now: UnixNanos,
}

impl<S: Store> Vault<S> {
    /// [`perform`](Vault::perform) with all checks.
    ///
    /// # Errors
    /// As [`perform`](Vault::perform).
    pub fn call(&mut self, by: &mut Caller, operation: &Operation) -> Result<Response> {
        self.perform(by.name, operation, Care::default(), by.rng, by.now)
    }

    /// Makes the key `name`.
    ///
    /// # Errors
    /// `KeyExists`; `WrongKeyUsage` if the kind does not fit the usage; `Malformed`.
    pub fn generate(&mut self, by: &mut Caller, name: &str, spec: KeySpec) -> Result<()> {
        self.call(by, &Operation::Generate { key: name.to_owned(), spec }).map(drop)
    }

    /// Encrypts under the latest version of the key `name`, and binds `context` to it.
    ///
    /// # Errors
    /// By state `KeyNotActive`, `KeySuspended`, `KeyDeactivated`, `KeyExpired`,
    /// `KeyCompromised`, `PendingDestruction`, `KeyDestroyed`; `KeyUsageLimit`,
    /// `WrongKeyUsage`, `UnknownKey`, `Malformed` for more than 1 MiB.
    pub fn encrypt(&mut self, by: &mut Caller, name: &str, context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let operation = Operation::Encrypt {
            key: name.to_owned(),
            version: None,
            plaintext: text.into(),
            context: context.into(),
        };
        bytes(self.call(by, &operation)?)
    }

    /// Decrypts what [`encrypt`](Vault::encrypt) made with the same `context`.
    ///
    /// # Errors
    /// By state as `encrypt`, except that a deactivated key still decrypts;
    /// `VersionBelowMinimum`, `VersionTrimmed`, `KeyExpired`, `DecryptFailed`, `Malformed`.
    pub fn decrypt(&mut self, by: &mut Caller, context: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>> {
        let operation =
            Operation::Decrypt { ciphertext: ciphertext.into(), context: context.into(), accept_risk: false };
        bytes(self.call(by, &operation)?)
    }

    /// Encrypts anew under the latest version, without the text leaving the vault.
    ///
    /// # Errors
    /// As [`encrypt`](Vault::encrypt) and [`decrypt`](Vault::decrypt).
    pub fn rewrap(&mut self, by: &mut Caller, context: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>> {
        let operation = Operation::Rewrap { ciphertext: ciphertext.into(), context: context.into() };
        bytes(self.call(by, &operation)?)
    }

    /// Signs with the latest version of the key `name`. The answer is a
    /// [`Frame`](super::Frame), whose body is the plain signature.
    ///
    /// # Errors
    /// As [`encrypt`](Vault::encrypt).
    pub fn sign(&mut self, by: &mut Caller, name: &str, message: &[u8]) -> Result<Vec<u8>> {
        bytes(self.call(by, &Operation::Sign { key: name.to_owned(), message: message.into() })?)
    }

    /// Verifies what [`sign`](Vault::sign) made.
    ///
    /// # Errors
    /// `BadSignature`; else as [`decrypt`](Vault::decrypt).
    pub fn verify(&mut self, by: &mut Caller, message: &[u8], signature: &[u8]) -> Result<()> {
        let operation =
            Operation::Verify { message: message.into(), signature: signature.into(), accept_risk: false };
        self.call(by, &operation).map(drop)
    }

    /// Makes a new version of the key `name`, and answers its number.
    ///
    /// # Errors
    /// By state; `UnknownKey`.
    pub fn rotate(&mut self, by: &mut Caller, name: &str) -> Result<u32> {
        match self.call(by, &Operation::Rotate { key: name.to_owned() })? {
            Response::Version(version) => Ok(version),
            _ => Err(Reason::Malformed),
        }
    }

    /// Revokes the key `name`: compromised for [`RevocationCause::KeyCompromise`], else
    /// deactivated.
    ///
    /// # Errors
    /// `InvalidTransition`, `UnknownKey`.
    pub fn revoke(&mut self, by: &mut Caller, name: &str, cause: RevocationCause) -> Result<()> {
        self.call(by, &Operation::Revoke { key: name.to_owned(), cause }).map(drop)
    }
}

fn bytes(response: Response) -> Result<Vec<u8>> {
    match response {
        Response::Ciphertext(bytes) | Response::Plaintext(bytes) | Response::Signature(bytes) => {
            Ok(bytes.to_vec())
        }
        _ => Err(Reason::Malformed),
    }
}
