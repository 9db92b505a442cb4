//! `{M…}K`: encryption under a shared key, to a public key, and by a vault.

use zeroize::Zeroizing;

use super::{Cipher, Definition, Form, Gives, Private, Public, Result, Syntax, Told, Value};
use crate::crypto::{Rng, Suite};
use crate::reason::Reason;
use crate::vault::open_framed;
use crate::wire::Kind;

pub(super) static ENCRYPT: Definition = cipher("{}K", &Symmetric, false);
pub(super) static ENCRYPT_TO: Definition = cipher("{}pk", &ToPublicKey, true);
pub(super) static FRAME: Definition = cipher("vault", &ByVault, false);

const fn cipher(name: &'static str, cipher: &'static dyn Cipher, costs: bool) -> Definition {
    Definition {
        name,
        syntax: Syntax::Special,
        unordered: false,
        gives: Gives::Kind(Kind::Cipher),
        form: Form::Cipher(cipher),
        costs_public_key_operation: costs,
        told: Told { verb: "encrypts with", between: ", " },
    }
}

struct Symmetric;

impl Cipher for Symmetric {
    fn seal(&self, key: &Value, label: &[u8], plain: &[u8], suite: Suite, rng: &mut Rng) -> Result<Vec<u8>> {
        Ok(suite.symmetric.seal(&key.bytes, label, plain, rng))
    }

    fn open(&self, opener: &Value, label: &[u8], sealed: &[u8], suite: Suite) -> Result<Zeroizing<Vec<u8>>> {
        suite.symmetric.open(&opener.bytes, label, sealed)
    }

    fn is_asymmetric(&self) -> bool {
        false
    }

    fn sealed_len(&self, plain: usize, suite: Suite) -> usize {
        suite.symmetric.sealed_len(plain)
    }
}

struct ToPublicKey;

impl Cipher for ToPublicKey {
    fn seal(&self, key: &Value, label: &[u8], plain: &[u8], suite: Suite, rng: &mut Rng) -> Result<Vec<u8>> {
        let public = Public::from_bytes(&key.bytes)?.encryption.ok_or(Reason::Malformed)?;
        suite.public_key.encrypt(&public, label, plain, rng)
    }

    fn open(&self, opener: &Value, label: &[u8], sealed: &[u8], suite: Suite) -> Result<Zeroizing<Vec<u8>>> {
        let private = Private::from_bytes(&opener.bytes)?;
        let key = private.decryption.ok_or(Reason::DecryptFailed)?;
        suite.public_key.decrypt(&key, label, sealed)
    }

    fn is_asymmetric(&self) -> bool {
        true
    }

    fn sealed_len(&self, plain: usize, suite: Suite) -> usize {
        suite.public_key.sealed_len(0, plain)
    }
}

/// The label is the caller's context.
struct ByVault;

impl Cipher for ByVault {
    fn seal(&self, _: &Value, _: &[u8], _: &[u8], _: Suite, _: &mut Rng) -> Result<Vec<u8>> {
        // Only a vault, which knows the key's name and version, writes its frames.
        Err(Reason::Malformed)
    }

    fn open(&self, opener: &Value, label: &[u8], sealed: &[u8], _: Suite) -> Result<Zeroizing<Vec<u8>>> {
        open_framed(&opener.bytes, label, sealed)
    }

    fn is_asymmetric(&self) -> bool {
        false
    }

    fn sealed_len(&self, plain: usize, _: Suite) -> usize {
        plain
    }
}
