//! What each operation does to keys, on a draft that becomes true or is thrown away. Must
//! not know storage, audit or who may do what.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::draft::{Draft, Held};
use super::export::export;
use super::frame::{Frame, check_input, is_name};
use super::key::{Key, KeySpec};
use super::kind::Usage;
use super::material::Material;
use super::message::{Operation, Response};
use super::state::{Act, KeyState, Transition};
use crate::crypto::Result;
use crate::limits::MAX_VAULT_KEYS;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Carries `operation` out on `draft`; `enforce` says whether states and cryptoperiods count.
pub(super) fn execute(
    draft: &mut Draft,
    actor: &str,
    operation: &Operation,
    enforce: bool,
    rng: &mut dyn CryptoRng,
    now: UnixNanos,
) -> Result<Response> {
    if let Some(transition) = operation.transition() {
        let name = operation.key()?.ok_or(Reason::Malformed)?;
        return change(draft, name, transition, operation, actor, now);
    }
    match operation {
        Operation::Generate { key, spec } => generate(draft, key, spec, actor, rng, now),
        Operation::Encrypt { key, version, plaintext, context } => {
            check_input(&[plaintext, context])?;
            draft.get(key)?.check(Usage::Encrypt, Act::Encrypt, false, enforce)?;
            encrypt(draft, key, *version, plaintext, context, rng, now)
        }
        Operation::Decrypt { ciphertext, context, accept_risk } => {
            let frame = Frame::read(ciphertext)?;
            let held = draft.get(frame.key)?;
            held.check(Usage::Encrypt, Act::Decrypt, *accept_risk, enforce)?;
            Ok(Response::Plaintext(decrypt(held, frame, context, enforce, now)?.into()))
        }
        Operation::Rewrap { ciphertext, context } => {
            let frame = Frame::read(ciphertext)?;
            let held = draft.get(frame.key)?;
            held.check(Usage::Encrypt, Act::Rewrap, false, enforce)?;
            let text = decrypt(held, frame, context, enforce, now)?;
            encrypt(draft, frame.key, None, &text, context, rng, now)
        }
        Operation::Sign { key, message } => {
            check_input(&[message])?;
            draft.get(key)?.check(Usage::Sign, Act::Sign, false, enforce)?;
            let version = draft.spend(key, None, rng, now)?;
            let signature = draft.get(key)?.secret(version)?.sign(message, rng)?;
            Ok(Response::Signature(Frame { key, version, body: &signature }.write().into()))
        }
        Operation::Verify { message, signature, accept_risk } => {
            check_input(&[message])?;
            let frame = Frame::read(signature)?;
            let held = draft.get(frame.key)?;
            held.check(Usage::Sign, Act::Verify, *accept_risk, enforce)?;
            process(held, frame.version, enforce, now, Reason::BadSignature)?.verify(message, frame.body)?;
            Ok(Response::Done)
        }
        Operation::Agree { key, share } => {
            check_input(&[share])?;
            draft.get(key)?.check(Usage::Agree, Act::Agree, false, enforce)?;
            let version = draft.spend(key, None, rng, now)?;
            Ok(Response::Secret(draft.get(key)?.secret(version)?.agree(share)?.into()))
        }
        Operation::Export { key, version, under } => export(draft, key, *version, under, enforce, rng, now),
        Operation::PublicKey { key, version } => {
            let held = draft.get(key)?;
            let version = held.key.find(version.unwrap_or(held.key.latest().number))?.number;
            Ok(Response::PublicKey(held.secret(version)?.public()?.into()))
        }
        Operation::Describe { key } => Ok(Response::Key(Box::new(draft.get(key)?.key.clone()))),
        Operation::List {} => Ok(Response::Names(draft.names())),
        Operation::Rotate { key } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Rotate, false, enforce)?;
            Ok(Response::Version(held.rotate(rng, now)?))
        }
        Operation::Configure { key, changes } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Configure, false, enforce)?;
            held.key.spec.settings = held.key.changed_settings(*changes)?;
            Ok(Response::Done)
        }
        Operation::Trim { key, below } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Configure, false, enforce)?;
            held.key.trim(*below)?;
            held.secrets.retain(|version, _| version >= below);
            Ok(Response::Done)
        }
        _ => Err(Reason::Malformed),
    }
}

fn generate(
    draft: &mut Draft,
    name: &str,
    spec: &KeySpec,
    actor: &str,
    rng: &mut dyn CryptoRng,
    now: UnixNanos,
) -> Result<Response> {
    if !is_name(name) || !is_name(&spec.owner) {
        return Err(Reason::Malformed);
    }
    if draft.get(name).is_ok() {
        return Err(Reason::KeyExists);
    }
    if draft.base.len() >= MAX_VAULT_KEYS {
        return Err(Reason::VaultUnavailable);
    }
    spec.kind.check(spec.usage)?;
    let mut held = Held::new(Key::new(name, spec, actor, now));
    held.key.check_settings(&spec.settings)?;
    held.secrets.insert(1, Material::generate(spec.kind, spec.usage, rng));
    draft.change.keys.insert(name.to_owned(), held);
    Ok(Response::Version(1))
}

fn change(
    draft: &mut Draft,
    name: &str,
    transition: Transition,
    operation: &Operation,
    actor: &str,
    now: UnixNanos,
) -> Result<Response> {
    let held = draft.get_mut(name)?;
    // A waiting period that anybody could cut short would be none.
    if held.key.state == KeyState::PendingDestruction && transition == Transition::Destroy {
        return Err(Reason::PendingDestruction);
    }
    held.change(transition, actor, now)?;
    if let Operation::ScheduleDestruction { wait, .. } = operation {
        held.key.destroy_at = Some(now.after(*wait));
    }
    Ok(Response::Done)
}

fn encrypt(
    draft: &mut Draft,
    key: &str,
    version: Option<u32>,
    text: &[u8],
    context: &[u8],
    rng: &mut dyn CryptoRng,
    now: UnixNanos,
) -> Result<Response> {
    let version = draft.spend(key, version, rng, now)?;
    let secret = draft.get(key)?.secret(version)?;
    let body = secret.encrypt(&Frame::bind(key, version, context), text, rng)?;
    Ok(Response::Ciphertext(Frame { key, version, body: &body }.write().into()))
}

fn decrypt(
    held: &Held,
    frame: Frame,
    context: &[u8],
    enforce: bool,
    now: UnixNanos,
) -> Result<Zeroizing<Vec<u8>>> {
    check_input(&[context])?;
    let aad = Frame::bind(frame.key, frame.version, context);
    process(held, frame.version, enforce, now, Reason::DecryptFailed)?.decrypt(&aad, frame.body)
}

/// The secret that processes what says it is of `version`; a version that never was is what
/// a forged frame has.
fn process(held: &Held, version: u32, enforce: bool, now: UnixNanos, forged: Reason) -> Result<&Material> {
    match held.key.check_processing(version, now) {
        Err(Reason::UnknownKey) => return Err(forged),
        Err(Reason::KeyExpired) if !enforce => {}
        other => other?,
    }
    held.secret(version)
}
