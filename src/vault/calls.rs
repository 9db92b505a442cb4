//! The operations that most callers want, as methods. Must not know more than
//! [`Operation`] does: everything else goes through [`Vault::perform`].

use super::bytes::Bytes;
use super::entropy::Entropy;
use super::frame::Frame;
use super::frame::check_input;
use super::handle::{Care, Vault};
use super::key::KeySpec;
use super::message::{Operation, Response, RevocationCause, Verb};
use super::opened::Entry;
use super::store::Store;
use crate::crypto::Result;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A caller: who it is, by its own word, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Its name, for the audit log and the keys' histories.
    pub name: &'a str,
    /// What its clock says.
    pub now: UnixNanos,
}

impl<S: Store, E: Entropy> Vault<S, E> {
    /// [`perform`](Vault::perform) with all checks.
    ///
    /// # Errors
    /// As [`perform`](Vault::perform).
    pub fn call(&mut self, by: Caller, operation: &Operation) -> Result<Response> {
        self.perform(by.name, operation, Care::default(), by.now)
    }

    /// Makes the key `name`.
    ///
    /// # Errors
    /// `KeyExists`; `WrongKeyUsage` if the kind does not fit the usage; `Malformed`.
    pub fn generate(&mut self, by: Caller, name: &str, spec: KeySpec) -> Result<()> {
        self.call(by, &Operation::Generate { key: name.to_owned(), spec }).map(drop)
    }

    /// Encrypts under the latest version of the key `name`, and binds `context` to it.
    ///
    /// # Errors
    /// By state `KeyNotActive`, `KeySuspended`, `KeyDeactivated`, `KeyExpired`,
    /// `KeyCompromised`, `PendingDestruction`, `KeyDestroyed`; `KeyUsageLimit`,
    /// `WrongKeyUsage`, `UnknownKey`, `Malformed` for more than 1 MiB.
    pub fn encrypt(&mut self, by: Caller, name: &str, context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let [plaintext, context] = self.take(by, Verb::Encrypt, Some(name), [text, context])?;
        let operation = Operation::Encrypt { key: name.to_owned(), version: None, plaintext, context };
        bytes(self.call(by, &operation)?)
    }

    /// Decrypts what [`encrypt`](Vault::encrypt) made with the same `context`.
    ///
    /// # Errors
    /// By state as `encrypt`, except that a deactivated key still decrypts;
    /// `VersionBelowMinimum`, `VersionTrimmed`, `KeyExpired`, `DecryptFailed`, `Malformed`.
    pub fn decrypt(&mut self, by: Caller, context: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>> {
        let [ciphertext, context] = self.take_framed(by, Verb::Decrypt, ciphertext, context)?;
        let operation = Operation::Decrypt { ciphertext, context, accept_risk: false };
        bytes(self.call(by, &operation)?)
    }

    /// Encrypts anew under the latest version, without the text leaving the vault.
    ///
    /// # Errors
    /// As [`encrypt`](Vault::encrypt) and [`decrypt`](Vault::decrypt).
    pub fn rewrap(&mut self, by: Caller, context: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>> {
        let [ciphertext, context] = self.take_framed(by, Verb::Rewrap, ciphertext, context)?;
        let operation = Operation::Rewrap { ciphertext, context };
        bytes(self.call(by, &operation)?)
    }

    /// Signs with the latest version of the key `name`. The answer is a
    /// [`Frame`](super::Frame), whose body is the plain signature.
    ///
    /// # Errors
    /// As [`encrypt`](Vault::encrypt).
    pub fn sign(&mut self, by: Caller, name: &str, message: &[u8]) -> Result<Vec<u8>> {
        let [message] = self.take(by, Verb::Sign, Some(name), [message])?;
        bytes(self.call(by, &Operation::Sign { key: name.to_owned(), message })?)
    }

    /// Verifies what [`sign`](Vault::sign) made.
    ///
    /// # Errors
    /// `BadSignature`; else as [`decrypt`](Vault::decrypt).
    pub fn verify(&mut self, by: Caller, message: &[u8], signature: &[u8]) -> Result<()> {
        let [signature, message] = self.take_framed(by, Verb::Verify, signature, message)?;
        let operation = Operation::Verify { message, signature, accept_risk: false };
        self.call(by, &operation).map(drop)
    }

    /// Makes a new version of the key `name`, and answers its number.
    ///
    /// # Errors
    /// By state; `UnknownKey`.
    pub fn rotate(&mut self, by: Caller, name: &str) -> Result<u32> {
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
    pub fn revoke(&mut self, by: Caller, name: &str, cause: RevocationCause) -> Result<()> {
        self.call(by, &Operation::Revoke { key: name.to_owned(), cause }).map(drop)
    }

    /// Copies inputs whose lengths are permitted, and records that others were refused.
    fn take<const N: usize>(
        &mut self,
        by: Caller,
        verb: Verb,
        key: Option<&str>,
        inputs: [&[u8]; N],
    ) -> Result<[Bytes; N]> {
        match check_input(&inputs) {
            Ok(()) => Ok(inputs.map(Bytes::from)),
            Err(refused) => {
                let (actor, operation, refused) = (by.name, verb.word(), Some(refused));
                self.record(Entry { actor, operation, key, refused, at_risk: false, at: by.now })?;
                Err(Reason::Malformed)
            }
        }
    }

    /// As [`take`](Self::take), of what a vault made, which is a little longer, and an input.
    fn take_framed(&mut self, by: Caller, verb: Verb, framed: &[u8], input: &[u8]) -> Result<[Bytes; 2]> {
        let frame = Frame::read(framed);
        let fits = if frame.is_ok() { framed } else { &[] };
        let key = frame.ok().map(|frame| frame.key);
        let [_, input] = self.take(by, verb, key, [&[], input])?;
        Ok([fits.into(), input])
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
