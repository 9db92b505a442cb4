//! A key leaves the vault, wrapped, for its owner, who unwraps it without one. Must not know
//! who asked, or who consented.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::draft::Draft;
use super::frame::check_input;
use super::frame::{Frame, is_name};
use super::kind::Usage;
use super::material::wrap_to;
use super::message::{Response, WrapUnder};
use super::state::Act;
use crate::crypto::{DecryptionKey, PublicKeyEncryption, Result, Symmetric};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Wraps a version of the key `name`, if it may leave.
pub(super) fn export(
    draft: &mut Draft,
    name: &str,
    version: Option<u32>,
    under: &WrapUnder,
    enforce: bool,
    rng: &mut dyn CryptoRng,
    now: UnixNanos,
) -> Result<Response> {
    if let WrapUnder::PublicKey(spki) = under {
        check_input(&[spki])?;
    }
    let held = draft.get(name)?;
    held.check(held.key.spec.usage, Act::Export, false, enforce)?;
    if !held.key.spec.exportable {
        return Err(Reason::NotExportable);
    }
    let version = version.unwrap_or(held.key.latest().number);
    held.key.check_processing(version, now)?;
    let owner = held.key.spec.owner.clone();
    let secret = Zeroizing::new(held.secret(version)?.secret().to_vec());
    let aad = export_context(name, version);
    let wrapped = match under {
        WrapUnder::OwnersChannel => return Ok(Response::Secret(secret.into())),
        WrapUnder::PublicKey(spki) => {
            let body = wrap_to(spki, &aad, &secret, rng)?;
            Frame { key: name, version, body: &body }.write()
        }
        WrapUnder::Key(wrapping) => {
            // It leaves for its owner, and for nobody else who has a key to wrap with. Whether
            // there is such a key is none of an owner's business either.
            let held = draft.get(wrapping).ok().filter(|held| held.key.spec.owner == owner);
            held.ok_or(Reason::Forbidden)?.check(Usage::Wrap, Act::Wrap, false, enforce)?;
            let version = draft.spend(wrapping, None, rng, now)?;
            let body = draft.get(wrapping)?.secret(version)?.encrypt(&aad, &secret, rng)?;
            Frame { key: wrapping, version, body: &body }.write()
        }
    };
    Ok(Response::Wrapped(wrapped.into()))
}

fn export_context(name: &str, version: u32) -> Vec<u8> {
    Frame::bind(name, version, b"export")
}

/// What its owner unwraps an exported key with.
#[derive(Clone, Copy, Debug)]
pub enum Unwrapping<'a> {
    /// An AES-256 key.
    Aes256(&'a [u8; 32]),
    /// An RSA-2048 key.
    Rsa2048(&'a DecryptionKey),
}

/// The secret of `version` of the key `name` out of an answer [`Response::Wrapped`]: 32
/// bytes or DER PKCS#8. The owner's side of an export; needs no vault.
///
/// # Errors
/// `Malformed`, `DecryptFailed`.
pub fn unwrap_exported(
    wrapped: &[u8],
    name: &str,
    version: u32,
    with: Unwrapping,
) -> Result<Zeroizing<Vec<u8>>> {
    let body = Frame::read(wrapped)?.body;
    if !is_name(name) {
        return Err(Reason::Malformed);
    }
    let aad = export_context(name, version);
    match with {
        Unwrapping::Aes256(key) => Symmetric::Aes256Gcm.open(key, &aad, body),
        Unwrapping::Rsa2048(key) => PublicKeyEncryption::Rsa2048Oaep.decrypt(key, &aad, body),
    }
}
