//! The key centre's counter: it opens what it is sent, proves who asks, and lets the vault's
//! gate decide. Must not know why they ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bureau::KMS_PROTOCOL;
use super::cast::Cast;
use super::{Effect, Effects};
use crate::crypto::{self, Rng, StretchCost, Totp};
use crate::journal::Sight;
use crate::knowledge::keys::{join, parts};
use crate::knowledge::{Bytes, How, Made, Part, Shown, Value};
use crate::notation::{Func, Kind, Name, Service};
use crate::reason::Reason;
use crate::time::UnixNanos;
use crate::vault::{
    Answer, Approval, Disk, Frame, Gate, MemoryStore, Operation, Policy, Request, Response, Role, Sealing,
    Unsealing, Vault, encode_answer,
};

/// Marks the name under whose key a request is sealed.
pub const SENDER: u8 = 1;
/// Marks a request that is sealed.
pub const SEALED: u8 = 2;
/// Marks one that is not.
pub const PLAIN: u8 = 3;
/// Marks who consents.
pub const APPROVER: u8 = 4;
/// Marks the proof of it: HMAC-SHA-256 over the operation.
pub const CONSENT: u8 = 5;
/// To what requests are bound.
pub const REQUEST_LABEL: &[u8] = b"kms request";

/// How a key centre is set up.
pub struct KeeperSpec {
    /// Under which the vault is sealed.
    pub passphrase: String,
    /// Whether it lies in a file with an anchor.
    pub in_file: bool,
    /// Which guards stand.
    pub policy: Policy,
    /// Who is known, as what, with which device for one-time codes.
    pub principals: Vec<(String, Role, Option<Totp>)>,
}

/// The key centre at its counter.
pub struct Keeper {
    /// The vault, with guards in front of it; or why it did not open after a restart.
    gate: Result<Gate<Disk>, Reason>,
    spec: KeeperSpec,
    rng: Rng,
    /// Digests of the requests that it has taken: each is fresh, so none comes twice.
    taken: BTreeSet<[u8; 32]>,
    /// The copy of its disk that was taken last, and whether somebody put it back.
    copied: Option<(Vec<u8>, bool)>,
}

/// Who sent a request, and what it says.
struct Opened {
    request: Request,
    /// The key under which it came, and under which the answer goes.
    key: Option<Value>,
}

impl Keeper {
    /// A centre with an empty vault.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn new(spec: KeeperSpec, mut rng: Rng, now: UnixNanos) -> Result<Keeper, Reason> {
        let disk = if spec.in_file { Disk::file()? } else { Disk::Rows(MemoryStore::default()) };
        let passphrase = spec.passphrase.as_bytes();
        let sealing = Sealing::Passphrase { passphrase, cost: StretchCost::default() };
        let (vault, _) = Vault::create(disk, sealing, Service::Kdc.name(), &mut rng, now)?;
        let gate = Ok(guarded(vault, &spec));
        Ok(Keeper { gate, spec, rng, taken: BTreeSet::new(), copied: None })
    }

    /// Starts anew: the vault is opened as it lies on the disk. What the guards counted is gone.
    pub fn restart(&mut self) {
        let gate = std::mem::replace(&mut self.gate, Err(Reason::VaultUnavailable));
        self.gate = gate.and_then(|gate| self.reopened(gate));
        self.taken.clear();
    }

    fn reopened(&self, gate: Gate<Disk>) -> Result<Gate<Disk>, Reason> {
        let put_back = self.copied.as_ref().filter(|(_, put_back)| *put_back).map(|(copy, _)| &copy[..]);
        let mut vault = Vault::open(gate.into_vault().into_store().reopened(put_back)?)?;
        vault.unseal(Unsealing::Passphrase(self.spec.passphrase.as_bytes()))?;
        Ok(guarded(vault, &self.spec))
    }

    /// Somebody puts the copy of its disk back that was taken last; a restart will find it.
    pub fn put_back(&mut self) -> bool {
        self.copied.as_mut().map(|(_, put_back)| *put_back = true).is_some()
    }

    /// Answers a message, if it is for it. `refuses`: whom the register has revoked.
    pub fn answer(
        &mut self,
        message: &Sight,
        cast: &Cast,
        clock: UnixNanos,
        refuses: impl Fn(&str) -> bool,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        if message.line != 1 {
            return Err("it did not ask");
        }
        let digest = crypto::sha256(&[&message.bytes]);
        let opened =
            open(message, cast).and_then(|opened| match opened.key.is_none() || self.taken.insert(digest) {
                true => Ok(opened),
                false => Err(Reason::Replayed),
            });
        let answer = match &opened {
            Err(reason) => Err(*reason),
            Ok(opened) => self.decide(opened, cast, clock, refuses),
        };
        let key = opened.as_ref().ok().and_then(|opened| opened.key.clone());
        let operation = opened.as_ref().ok().map(|opened| &opened.request.operation);
        let inside = self.inside(&answer, operation, effects);
        let bytes = encode_answer(&answer);
        let words = match &answer {
            Ok(_) => "granted",
            Err(reason) => reason.word(),
        };
        let (bytes, shown) = match key {
            None => (Bytes::from(bytes), Shown::with_values(words, &inside)),
            Some(key) => {
                let sealed = cast.keys.suite().symmetric.seal(&key.bytes, &digest, &bytes, &mut self.rng);
                let value = Value::new(Kind::Cipher, sealed);
                let parts = inside.into_iter().map(|value| Part { value, width: None }).collect();
                let how = How::Sealed { key, parts, label: digest.to_vec() };
                effects.made.push(Made { value: value.clone(), how });
                (value.bytes.clone(), Shown::with_values(words, &[value]))
            }
        };
        effects.all.push(Effect::Send(Arc::new(Sight {
            id: 0,
            run: message.run,
            protocol: KMS_PROTOCOL.into(),
            line: 2,
            from: message.to.clone(),
            to: message.from.clone(),
            bytes,
            shown,
        })));
        Ok(())
    }

    fn decide(
        &mut self,
        opened: &Opened,
        cast: &Cast,
        clock: UnixNanos,
        refuses: impl Fn(&str) -> bool,
    ) -> Answer {
        let claimed = &opened.request.claimed;
        if !self.spec.policy.hide_names && !cast.registered.contains(claimed.as_str()) {
            return Err(Reason::UnknownClient);
        }
        if refuses(claimed) {
            return Err(Reason::ClientRevoked);
        }
        // What a key's time has come for happens before anybody asks for it.
        let gate = self.gate.as_mut().map_err(|reason| *reason)?;
        gate.vault().tick(&mut self.rng, clock)?;
        gate.handle(&opened.request, &mut self.rng, clock)
    }

    /// The values in an answer, with how they were made: what it takes to judge who can read
    /// what. A ciphertext is noted with the key under which it really is.
    fn inside(
        &mut self,
        answer: &Answer,
        operation: Option<&Operation>,
        effects: &mut Effects,
    ) -> Vec<Value> {
        let Ok(response) = answer else { return Vec::new() };
        let data = |bytes: &[u8]| Value::new(Kind::Data, bytes);
        match response {
            Response::Plaintext(text) => vec![data(text)],
            Response::Secret(secret) => vec![Value::new(Kind::Key, &secret[..])],
            Response::Ciphertext(framed) => {
                let value = Value::new(Kind::Cipher, &framed[..]);
                if let Some((key, text, context)) = self.truth(framed, operation) {
                    let parts = vec![Part { value: data(&text), width: None }];
                    let how = How::Framed { key, context, parts };
                    effects.made.push(Made { value: value.clone(), how });
                }
                vec![value]
            }
            Response::Wrapped(_) => {
                let Some(Operation::Export { key, version, .. }) = operation else { return Vec::new() };
                self.secret(key, *version).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The key, the text and the context of a ciphertext that was just made.
    fn truth(&mut self, framed: &[u8], operation: Option<&Operation>) -> Option<(Value, Vec<u8>, Vec<u8>)> {
        let frame = Frame::read(framed).ok()?;
        let key = self.secret(frame.key, Some(frame.version))?;
        match operation? {
            Operation::Encrypt { plaintext, context, .. } => {
                Some((key, plaintext.to_vec(), context.to_vec()))
            }
            Operation::Rewrap { context, .. } => {
                let text = crate::vault::open_framed(&key.bytes, context, framed).ok()?;
                Some((key, text.to_vec(), context.to_vec()))
            }
            _ => None,
        }
    }

    /// A key's secret, which a rehearsal notes and no operation hands out.
    pub fn secret(&mut self, key: &str, version: Option<u32>) -> Option<Value> {
        let secret = self.gate.as_mut().ok()?.vault().secret_of(key, version)?;
        Some(Value::new(Kind::Key, secret.as_slice()))
    }

    /// What a thief of the disk has.
    pub fn copy(&mut self) -> Option<Vec<u8>> {
        let copy = self.gate.as_mut().ok()?.vault().store().copy();
        self.copied = Some((copy.clone(), false));
        Some(copy)
    }
}

fn guarded(vault: Vault<Disk>, spec: &KeeperSpec) -> Gate<Disk> {
    let mut gate = Gate::new(vault, spec.policy.clone());
    for (name, role, codes) in &spec.principals {
        gate.enrol(name, *role, codes.clone());
    }
    gate
}

/// Opens a request and finds out who sent it.
fn open(message: &Sight, cast: &Cast) -> Result<Opened, Reason> {
    let parts = parts(&message.bytes)?;
    let of = |mark: u8| parts.iter().find(|(m, _)| *m == mark).map(|(_, part)| *part);
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Reason::Malformed);
    let secret = |name: &str| {
        let known = cast.registered.contains(name);
        known.then(|| cast.ring.newest(&cast.keys, Func::K, name, Service::Kdc.name()))
    };
    let (bytes, sender, key) = match (of(SENDER), of(SEALED), of(PLAIN)) {
        (Some(name), Some(sealed), None) => {
            let name = text(name)?;
            // Who has no key here and who has another one are told the same.
            let key = secret(&name).ok_or(Reason::Unauthenticated)?;
            let opened = cast.keys.suite().symmetric.open(&key.bytes, REQUEST_LABEL, sealed);
            (opened.map_err(|_| Reason::Unauthenticated)?.to_vec(), Some(name), Some(key))
        }
        (None, None, Some(plain)) => (plain.to_vec(), None, None),
        _ => return Err(Reason::Malformed),
    };
    let mut request = Request::decode(&bytes)?;
    request.proved = sender;
    request.source = message.from.to_string();
    request.approval = match (of(APPROVER), of(CONSENT)) {
        (Some(name), Some(code)) => {
            let name = text(name)?;
            let key = secret(&name).ok_or(Reason::NeedsSecondApprover)?;
            let own = consent(&key, &name, &request.operation);
            let consents = crypto::constant_time_eq(&own, code);
            Some(Approval::new(&name, &request.operation)).filter(|_| consents)
        }
        _ => None,
    };
    Ok(Opened { request, key })
}

/// How somebody shows that it consents to an operation.
pub fn consent(key: &Value, name: &str, operation: &Operation) -> [u8; 32] {
    crypto::hmac_sha256(&key.bytes, &[b"kms consent", name.as_bytes(), &operation.encode()])
}

/// A request as it goes over the wire.
pub fn envelope(
    request: &Request,
    sealed_under: Option<(&Name, &Value)>,
    approver: Option<(&Name, &Value)>,
    cast: &Cast,
    rng: &mut Rng,
) -> (Vec<u8>, Option<Value>) {
    let plain = request.encode();
    let mut parts: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut sealed = None;
    match sealed_under {
        Some((name, key)) => {
            let bytes = cast.keys.suite().symmetric.seal(&key.bytes, REQUEST_LABEL, &plain, rng);
            parts.push((SENDER, name.as_bytes().to_vec()));
            parts.push((SEALED, bytes.clone()));
            sealed = Some(Value::new(Kind::Cipher, bytes));
        }
        None => parts.push((PLAIN, plain)),
    }
    if let Some((name, key)) = approver {
        parts.push((APPROVER, name.as_bytes().to_vec()));
        parts.push((CONSENT, consent(key, name, &request.operation).to_vec()));
    }
    (join(parts.iter().map(|(mark, part)| (*mark, part.as_slice()))), sealed)
}
