//! What each operation does to keys, on a draft that becomes true or is thrown away. Must
//! not know storage, audit or who may do what.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::frame::{Frame, is_name};
use super::key::{Key, KeySpec, KeyVersion, VAULT};
use super::kind::Usage;
use super::material::{Material, wrap_to};
use super::message::{Operation, Response, WrapUnder};
use super::state::{Act, KeyState, Transition};
use crate::crypto::{DecryptionKey, PublicKeyEncryption, Result, Rng, Symmetric};
use crate::limits::{MAX_KEY_VERSIONS, MAX_VAULT_INPUT_BYTES, MAX_VAULT_KEYS};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A key and its versions' secrets, which a destroyed key has no more.
#[derive(Clone)]
pub(super) struct Held {
    pub key: Key,
    secrets: BTreeMap<u32, Material>,
}

impl Held {
    pub fn new(key: Key) -> Held {
        Held { key, secrets: BTreeMap::new() }
    }

    /// Takes a secret in that was read back.
    pub fn insert(&mut self, version: u32, secret: Zeroizing<Vec<u8>>) {
        let KeySpec { kind, usage, .. } = self.key.spec;
        self.secrets.insert(version, Material::new(kind, usage, secret));
    }

    /// The versions that have secrets.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.secrets.keys().copied()
    }

    pub fn has(&self, version: u32) -> bool {
        self.secrets.contains_key(&version)
    }

    pub fn secret(&self, version: u32) -> Result<&Material> {
        self.secrets.get(&version).ok_or(Reason::KeyDestroyed)
    }

    /// Moves along `transition`; a key that is destroyed loses its secrets.
    fn change(&mut self, transition: Transition, actor: &str, now: UnixNanos) -> Result<()> {
        self.key.change(transition, actor, now)?;
        if matches!(self.key.state, KeyState::Destroyed | KeyState::DestroyedCompromised) {
            self.secrets.clear();
        }
        Ok(())
    }

    fn rotate(&mut self, rng: &mut Rng, now: UnixNanos) -> Result<u32> {
        let number = self.key.latest().number.checked_add(1).ok_or(Reason::KeyUsageLimit)?;
        if self.key.versions.len() >= MAX_KEY_VERSIONS {
            return Err(Reason::KeyUsageLimit);
        }
        let KeySpec { kind, usage, .. } = self.key.spec;
        self.secrets.insert(number, Material::generate(kind, usage, rng));
        self.key.versions.push(KeyVersion { number, since: now, operations: 0 });
        Ok(number)
    }

    /// Does what the time has come for.
    fn settle(&mut self, rng: &mut Rng, now: UnixNanos) -> Result<()> {
        let is_due = |at: Option<UnixNanos>| at.is_some_and(|at| at <= now);
        match self.key.state {
            KeyState::PreActivation if is_due(self.key.spec.activate_at) => {
                let at = self.key.spec.activate_at.unwrap_or(now);
                self.change(Transition::Activate, VAULT, at)?;
            }
            KeyState::PendingDestruction if is_due(self.key.destroy_at) => {
                return self.change(Transition::Destroy, VAULT, now);
            }
            _ => {}
        }
        if self.key.is_due_for_rotation(now) {
            self.rotate(rng, now)?;
        }
        let protects = matches!(self.key.state, KeyState::Active | KeyState::Suspended);
        if protects && self.key.is_past_originator_period(now) {
            self.change(Transition::Deactivate, VAULT, now)?;
            self.key.expired = true;
        }
        Ok(())
    }

    /// The version that protects, with one operation more on its account.
    fn spend(&mut self, wanted: Option<u32>, rng: &mut Rng, now: UnixNanos) -> Result<u32> {
        let version = self.key.protecting(wanted)?;
        let most = self.key.most_operations();
        let used_up = |v: &KeyVersion| v.number == version && v.operations >= most;
        let version = if !self.key.versions.iter().any(used_up) {
            version
        } else if wanted.is_none() && self.key.spec.settings.rotate_when_used_up {
            self.rotate(rng, now)?
        } else {
            return Err(Reason::KeyUsageLimit);
        };
        for v in self.key.versions.iter_mut().filter(|v| v.number == version) {
            v.operations = v.operations.saturating_add(1);
        }
        Ok(version)
    }

    /// Checks purpose and state before `act`.
    fn check(&self, usage: Usage, act: Act, accept_risk: bool, enforce: bool) -> Result<()> {
        if self.key.spec.usage != usage {
            return Err(Reason::WrongKeyUsage);
        }
        if enforce { self.key.check_state(act, accept_risk) } else { Ok(()) }
    }
}

/// The keys as they will be if all goes well.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    base: &'a BTreeMap<String, Held>,
    changed: BTreeMap<String, Held>,
}

impl<'a> Draft<'a> {
    pub fn new(base: &'a BTreeMap<String, Held>) -> Self {
        Draft { base, changed: BTreeMap::new() }
    }

    pub fn into_changed(self) -> BTreeMap<String, Held> {
        self.changed
    }

    /// Does what the time has come for, if there is such a key.
    pub fn settle(&mut self, name: &str, rng: &mut Rng, now: UnixNanos) -> Result<()> {
        let Some(held) = self.base.get(name) else { return Ok(()) };
        let mut settled = held.clone();
        settled.settle(rng, now)?;
        if settled.key != held.key {
            self.changed.insert(name.to_owned(), settled);
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Result<&Held> {
        self.changed.get(name).or_else(|| self.base.get(name)).ok_or(Reason::UnknownKey)
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut Held> {
        let held = self.get(name)?.clone();
        Ok(self.changed.entry(name.to_owned()).or_insert(held))
    }

    fn names(&self) -> Vec<String> {
        self.base.keys().cloned().collect()
    }
}

/// Carries `operation` out on `draft`; `enforce` says whether states and cryptoperiods count.
pub(super) fn execute(
    draft: &mut Draft,
    actor: &str,
    operation: &Operation,
    enforce: bool,
    rng: &mut Rng,
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
            let held = draft.get_mut(key)?;
            held.check(Usage::Encrypt, Act::Encrypt, false, enforce)?;
            encrypt(held, *version, plaintext, context, rng, now)
        }
        Operation::Decrypt { ciphertext, context, accept_risk } => {
            let frame = Frame::read(ciphertext)?;
            let held = draft.get(frame.key)?;
            held.check(Usage::Encrypt, Act::Decrypt, *accept_risk, enforce)?;
            Ok(Response::Plaintext(decrypt(held, frame, context, enforce, now)?.into()))
        }
        Operation::Rewrap { ciphertext, context } => {
            let frame = Frame::read(ciphertext)?;
            let held = draft.get_mut(frame.key)?;
            held.check(Usage::Encrypt, Act::Rewrap, false, enforce)?;
            let text = decrypt(held, frame, context, enforce, now)?;
            encrypt(held, None, &text, context, rng, now)
        }
        Operation::Sign { key, message } => {
            check_input(&[message])?;
            let held = draft.get_mut(key)?;
            held.check(Usage::Sign, Act::Sign, false, enforce)?;
            let version = held.spend(None, rng, now)?;
            let signature = held.secret(version)?.sign(message, rng)?;
            Ok(Response::Signature(Frame { key, version, body: &signature }.write().into()))
        }
        Operation::Verify { message, signature, accept_risk } => {
            check_input(&[message])?;
            let frame = Frame::read(signature)?;
            let held = draft.get(frame.key)?;
            held.check(Usage::Sign, Act::Verify, *accept_risk, enforce)?;
            process(held, frame.version, enforce, now, Reason::BadSignature)?
                .verify(message, frame.body)?;
            Ok(Response::Done)
        }
        Operation::Agree { key, share } => {
            let held = draft.get_mut(key)?;
            held.check(Usage::Agree, Act::Agree, false, enforce)?;
            let version = held.spend(None, rng, now)?;
            Ok(Response::Secret(held.secret(version)?.agree(share)?.into()))
        }
        Operation::Export { key, version, under } => export(draft, key, *version, under, enforce, rng, now),
        Operation::PublicKey { key, version } => {
            let held = draft.get(key)?;
            let version = version.unwrap_or(held.key.latest().number);
            Ok(Response::PublicKey(held.secret(version)?.public()?.into()))
        }
        Operation::Describe { key } => Ok(Response::Key(Box::new(draft.get(key)?.key.clone()))),
        Operation::List {} => Ok(Response::Names(draft.names())),
        Operation::Rotate { key } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Rotate, false, enforce)?;
            Ok(Response::Version(held.rotate(rng, now)?))
        }
        Operation::Configure { key, settings } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Configure, false, enforce)?;
            held.key.check_settings(settings)?;
            held.key.spec.settings = *settings;
            Ok(Response::Done)
        }
        Operation::Trim { key, below } => {
            let held = draft.get_mut(key)?;
            held.check(held.key.spec.usage, Act::Configure, false, enforce)?;
            if *below > held.key.latest().number {
                return Err(Reason::Malformed);
            }
            held.key.versions.retain(|version| version.number >= *below);
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
    rng: &mut Rng,
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
    draft.changed.insert(name.to_owned(), held);
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
    held: &mut Held,
    version: Option<u32>,
    text: &[u8],
    context: &[u8],
    rng: &mut Rng,
    now: UnixNanos,
) -> Result<Response> {
    let version = held.spend(version, rng, now)?;
    let key = held.key.name.as_str();
    let body = held.secret(version)?.encrypt(&Frame::bind(key, version, context), text, rng)?;
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

fn export(
    draft: &mut Draft,
    name: &str,
    version: Option<u32>,
    under: &WrapUnder,
    enforce: bool,
    rng: &mut Rng,
    now: UnixNanos,
) -> Result<Response> {
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
        WrapUnder::PublicKey(spki) => {
            let body = wrap_to(spki, &aad, &secret, rng)?;
            Frame { key: name, version, body: &body }.write()
        }
        WrapUnder::Key(wrapping) => {
            if enforce {
                draft.settle(wrapping, rng, now)?;
            }
            let held = draft.get_mut(wrapping)?;
            held.check(Usage::Wrap, Act::Wrap, false, enforce)?;
            // It leaves for its owner, and for nobody else who has a key to wrap with.
            if held.key.spec.owner != owner {
                return Err(Reason::Forbidden);
            }
            let version = held.spend(None, rng, now)?;
            let body = held.secret(version)?.encrypt(&aad, &secret, rng)?;
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

fn check_input(inputs: &[&[u8]]) -> Result<()> {
    let fits = inputs.iter().all(|input| input.len() <= MAX_VAULT_INPUT_BYTES);
    if fits { Ok(()) } else { Err(Reason::Malformed) }
}
