//! The key centre's counter: it opens what it is sent, proves who asks, and lets the vault's
//! gate decide. Must not know why they ask.

use std::sync::Arc;

use smallvec::smallvec;

use super::cast::Cast;
use super::envelope::{Envelope, Opened};
use super::{Effects, exchange};
use crate::algebra::{Bytes, Label, Made, Part, Value};
use crate::algebra::{Func, Provenance};
use crate::crypto::{self, Agreement, Rng, Share, StretchCost, Totp};
use crate::hashed::Hashed;
use crate::journal::Sight;
use crate::knowledge::{Ring, Shown, Values};
use crate::notation::{KeyUses, Kind, Name, Service};
use crate::reason::Reason;
use crate::time::UnixNanos;
use crate::vault::{
    Answer, Ceremony, Disk, DiskCopy, Frame, Gate, KeyKind, MemoryStore, Operation, Policy, Response, Role,
    Sealing, Seeded, Unsealing, Vault, encode_answer,
};

/// How a key centre is set up.
pub struct KeeperSpec {
    /// Under what the vault is sealed.
    pub sealed_under: SealedUnder,
    /// Whether it lies in a file with an anchor.
    pub in_file: bool,
    /// Which guards stand.
    pub policy: Policy,
    /// Who is known, as what, with which device for one-time codes.
    pub principals: Vec<(String, Role, Option<Totp>)>,
}

/// Under what a key centre's vault is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SealedUnder {
    /// A passphrase; an empty one is nothing that anybody must know.
    Passphrase(String),
    /// Shares, of which some are enough.
    Shares {
        /// How many.
        threshold: u8,
        /// How many there are.
        count: u8,
    },
}

/// The key centre at its counter.
pub struct Keeper {
    /// The vault, with guards in front of it; or why it did not open after a restart.
    gate: Result<Gate<Disk, Seeded>, Reason>,
    spec: KeeperSpec,
    /// What its answers are sealed with.
    rng: Rng,
    /// The shares under which the vault is sealed. Custodians have them, one each, and bring them
    /// when it must be opened.
    shares: Vec<Share>,
    /// Its commonest answer, which many messages share.
    granted: Arc<str>,
    /// Digests of the sealed requests that it has taken: each is fresh, so none comes twice.
    /// They lie with the register, and outlive a restart as it does.
    taken: Hashed<[u8; 32], ()>,
    /// The copy of its disk that was taken last, and whether somebody put it back.
    copied: Option<(DiskCopy, bool)>,
}

impl Keeper {
    /// A centre with an empty vault. `stream`: the play's random bytes for a purpose.
    ///
    /// # Errors
    /// As [`Vault::rehearse`].
    pub fn new(spec: KeeperSpec, stream: impl Fn(&str) -> Rng, now: UnixNanos) -> Result<Keeper, Reason> {
        let disk = if spec.in_file { Disk::file()? } else { Disk::Rows(MemoryStore::default()) };
        let create = |sealing| Vault::rehearse(disk, sealing, Service::Kdc.name(), stream("vault"), now);
        let (vault, shares) = match &spec.sealed_under {
            SealedUnder::Passphrase(passphrase) => {
                let passphrase = passphrase.as_bytes();
                (create(Sealing::Passphrase { passphrase, cost: StretchCost::default() })?, Vec::new())
            }
            SealedUnder::Shares { threshold, count } => {
                let ceremony = Ceremony::rehearse(*threshold, *count, stream("shares"))?;
                let held = ceremony.confirm(ceremony.shares())?;
                (create(Sealing::Shares(&held))?, ceremony.shares().to_vec())
            }
        };
        let gate = Ok(guarded(vault, &spec));
        Ok(Keeper {
            gate,
            spec,
            rng: stream("answers"),
            granted: "granted".into(),
            shares,
            taken: Hashed::default(),
            copied: None,
        })
    }

    /// Starts anew: the vault is opened as it lies on the disk. The register, and what the guards
    /// counted there, has outlived it.
    pub fn restart(&mut self) {
        let gate = std::mem::replace(&mut self.gate, Err(Reason::VaultUnavailable));
        self.gate = gate.and_then(|gate| gate.restarted(|vault| self.reopened(vault)));
        // The old disk is the one that runs on now.
        if let Some((_, put_back)) = &mut self.copied {
            *put_back = false;
        }
    }

    fn reopened(&self, vault: Vault<Disk, Seeded>) -> Result<Vault<Disk, Seeded>, Reason> {
        let put_back = self.copied.as_ref().filter(|(_, put_back)| *put_back).map(|(copy, _)| copy);
        let (disk, rng) = vault.into_rehearsed();
        let mut vault = Vault::open_rehearsed(disk.reopened(put_back)?, rng)?;
        vault.unseal(match &self.spec.sealed_under {
            SealedUnder::Passphrase(passphrase) => Unsealing::Passphrase(passphrase.as_bytes()),
            SealedUnder::Shares { .. } => Unsealing::Shares(&self.shares),
        })?;
        Ok(vault)
    }

    /// Serves `name` no more.
    pub fn revoke(&mut self, name: &Name) {
        if let Ok(gate) = &mut self.gate {
            gate.revoke(name);
        }
    }

    /// Somebody puts the copy of its disk back that was taken last; a restart will find it.
    pub fn put_back(&mut self) -> bool {
        self.copied.as_mut().map(|(_, put_back)| *put_back = true).is_some()
    }

    /// Answers a message, if it is for it. `ring`: the centre's key table.
    pub fn answer(
        &mut self,
        message: &Sight,
        (cast, ring): (&Cast, &Ring),
        clock: UnixNanos,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        if message.line != 1 {
            return Err("it did not ask");
        }
        let envelope = Envelope::read(&message.bytes);
        let opened = envelope.as_ref().map_err(|reason| *reason).and_then(|envelope| {
            let opened = envelope.open(message, cast, ring)?;
            let is_new = opened.key.is_none() || self.taken.insert(envelope.digest, ()).is_none();
            if is_new { Ok(opened) } else { Err(Reason::Replayed) }
        });
        let answer = match &opened {
            Err(reason) => {
                let from = envelope.as_ref().ok().and_then(|envelope| envelope.sender).unwrap_or(NOBODY);
                self.turn_away(from, *reason, clock)
            }
            Ok(opened) => self.decide(opened, cast, clock),
        };
        let digest = envelope.map_or_else(|_| crypto::sha256(&[&message.bytes]), |envelope| envelope.digest);
        let key = opened.as_ref().ok().and_then(|opened| opened.key.clone());
        let operation = opened.as_ref().ok().map(|opened| &opened.received.request.operation);
        let (answer, inside) = self.inside(answer, operation, effects);
        let bytes = encode_answer(&answer);
        let words = match &answer {
            Ok(_) => self.granted.clone(),
            Err(reason) => reason.word().into(),
        };
        let (bytes, shown) = match key {
            None => (Bytes::from(bytes), Shown::with_values(words, inside)),
            Some(key) => {
                let sealed = cast.keys.suite().symmetric.seal(&key.bytes, &digest, &bytes, &mut self.rng);
                let value = Value::new(Kind::Cipher, sealed);
                let inside = inside.into_iter().map(Part::of).collect();
                effects.made.push(Made::sealed(value.clone(), Func::Encrypt, key, inside, &digest));
                (value.bytes.clone(), Shown::with_values(words, smallvec![value]))
            }
        };
        effects.send(exchange::answer(message, bytes, shown));
        Ok(())
    }

    /// Refuses what cannot be read, and has it recorded.
    fn turn_away(&mut self, from: &str, reason: Reason, clock: UnixNanos) -> Answer {
        let gate = self.gate.as_mut().map_err(|reason| *reason)?;
        gate.note_unreadable(from, reason, clock)?;
        Err(reason)
    }

    fn decide(&mut self, opened: &Opened, cast: &Cast, clock: UnixNanos) -> Answer {
        let request = &opened.received.request;
        if !self.spec.policy.hide_names && !cast.registered.contains(request.claimed.as_str()) {
            return Err(Reason::UnknownClient);
        }
        let gate = self.gate.as_mut().map_err(|reason| *reason)?;
        if let Operation::Export { key, .. } = &request.operation
            && let Ok(owner) = gate.vault().key(key).map(|key| key.spec.owner.clone())
            && let Some(key) = cast.keys.private(&owner, UNWRAPS).decryption
        {
            gate.enrol_public_key(&owner, key.public());
        }
        gate.handle(&opened.received, clock)
    }

    /// The answer as it goes out and the values in it, with how they were made: what it takes to
    /// judge who can read what. A ciphertext is noted with the key under which it really is.
    /// What was agreed stays here; the other side gets the share that it takes.
    fn inside(
        &mut self,
        answer: Answer,
        operation: Option<&Operation>,
        effects: &mut Effects,
    ) -> (Answer, Values) {
        let Ok(response) = &answer else { return (answer, Values::new()) };
        let data = |bytes: &[u8]| Value::new(Kind::Data, bytes);
        let inside = match response {
            Response::Plaintext(text) => smallvec![data(text)],
            Response::Secret(_) => {
                let share = operation.and_then(|operation| self.share(operation, effects));
                return match share {
                    Some(share) => (Ok(Response::PublicKey((&share.bytes[..]).into())), smallvec![share]),
                    None => (Err(Reason::VaultUnavailable), Values::new()),
                };
            }
            Response::Ciphertext(framed) => {
                let value = Value::new(Kind::Cipher, &framed[..]);
                if let Some((key, text, context)) = self.truth(framed, operation) {
                    let inside = smallvec![Part::of(text)];
                    effects.made.push(Made::sealed(value.clone(), Func::Frame, key, inside, &context));
                }
                smallvec![value]
            }
            Response::Wrapped(_) => match operation {
                Some(Operation::Export { key, version, .. }) => {
                    self.secret(key, *version).into_iter().collect()
                }
                _ => Values::new(),
            },
            _ => Values::new(),
        };
        (answer, inside)
    }

    /// The share of the key with which something was just agreed.
    fn share(&mut self, operation: &Operation, effects: &mut Effects) -> Option<Value> {
        let Operation::Agree { key, .. } = operation else { return None };
        let exponent = Value { kind: Kind::Exponent, ..self.secret(key, None)? };
        let kind = self.gate.as_mut().ok()?.vault().key(key).ok()?.spec.kind;
        let group = agreement(kind)?;
        let share = Value::new(Kind::Share, group.share(&exponent.bytes).ok()?);
        let how = Provenance::power(exponent, None, group).into();
        effects.made.push(Made { value: share.clone(), how });
        Some(share)
    }

    /// The key, the text and the context of a ciphertext that was just made.
    fn truth(&mut self, framed: &[u8], operation: Option<&Operation>) -> Option<(Value, Value, Label)> {
        let frame = Frame::read(framed).ok()?;
        let key = self.secret(frame.key, Some(frame.version))?;
        let data = |text: &[u8]| Value::new(Kind::Data, text);
        match operation? {
            Operation::Encrypt { plaintext, context, .. } => {
                Some((key, data(plaintext), Label::from_slice(context)))
            }
            Operation::Rewrap { context, .. } => {
                let text = crate::vault::open_framed(&key.bytes, context, framed).ok()?;
                Some((key, data(&text), Label::from_slice(context)))
            }
            _ => None,
        }
    }

    /// A key's secret, which a rehearsal notes and no operation hands out.
    pub fn secret(&mut self, key: &str, version: Option<u32>) -> Option<Value> {
        let secret = self.gate.as_mut().ok()?.vault().secret_of(key, version)?;
        Some(Value::new(Kind::Key, secret.as_slice()))
    }

    /// The share of the n-th custodian, from 1.
    pub fn share_of(&self, custodian: u8) -> Option<Value> {
        let share = self.shares.get(usize::from(custodian).checked_sub(1)?)?;
        Some(Value::new(Kind::Data, share.to_bytes().as_slice()))
    }

    /// What a thief of the disk has.
    pub fn copy(&mut self) -> Option<Vec<u8>> {
        let copy = self.gate.as_mut().ok()?.vault().store().copy().ok()?;
        let rows = copy.rows().to_vec();
        self.copied = Some((copy, false));
        Some(rows)
    }
}

fn guarded(vault: Vault<Disk, Seeded>, spec: &KeeperSpec) -> Gate<Disk, Seeded> {
    let mut gate = Gate::new(vault, spec.policy.clone());
    for (name, role, codes) in &spec.principals {
        gate.enrol(name, *role, codes.clone());
    }
    gate
}

/// Who sends what has no name on it.
const NOBODY: &str = "(nobody)";

/// For what a principal has the key under which its own keys leave the vault.
pub const UNWRAPS: KeyUses = KeyUses { encryption: true, signature: false };

/// What keys of this kind agree by.
pub fn agreement(kind: KeyKind) -> Option<Agreement> {
    match kind {
        KeyKind::X25519 => Some(Agreement::X25519),
        KeyKind::P256 => Some(Agreement::P256),
        _ => None,
    }
}
