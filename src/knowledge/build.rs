//! Builds bytes from terms. Every value that is made is noted with how it was made.

use super::keys::{self, Private, Public};
use super::learn::clock;
use super::made::{How, Made, OneWay, Part, Parts};
use super::value::Value;
use super::{Context, Knowledge, Supply, pair};
use crate::crypto::{self, Suite};
use crate::notation::plan::other_share;
use crate::notation::table::Place;
use crate::notation::{Func, Id, Kind, Node, Type};
use crate::reason::Reason;
use crate::time::UnixNanos;
use crate::wire::{Encoding, Field};

type Result<T> = std::result::Result<T, Reason>;

impl Knowledge {
    /// The value of a term: known already, or made now and kept.
    ///
    /// # Errors
    /// A reason of the check that failed on the way, such as `weak-parameter`; `malformed`
    /// if something is missing that the program's checks should have shown to be there.
    pub fn build(&mut self, id: Id, ctx: &mut Context<'_>) -> Result<Value> {
        if let Some(value) = self.get(id) {
            return Ok(value.clone());
        }
        let value = self.construct(id, ctx)?;
        self.set(id, value.clone());
        Ok(value)
    }

    /// Builds the bytes of a message of these parts.
    pub fn build_message(&mut self, parts: &[Id], ctx: &mut Context<'_>) -> Result<Vec<u8>> {
        let parts = self.parts((None, 0), parts, ctx)?;
        self.encode(&parts)
    }

    /// Builds fields that stand side by side, the first at this place.
    fn parts(&mut self, (within, first): Place, ids: &[Id], ctx: &mut Context<'_>) -> Result<Parts> {
        (first..)
            .zip(ids)
            .map(|(at, id)| {
                let mut value = self.build(*id, ctx)?;
                if let Some(kind) = ctx.casts.get(&(within, at))
                    && self.grounds().encoding.has_tags()
                {
                    value.kind = *kind;
                }
                let width = match &*self.grounds().encoding {
                    Encoding::Untagged(widths) => self.width(*id, widths, ctx.keys.suite()),
                    _ => None,
                };
                let width = width.map(u32::try_from).transpose().map_err(|_| Reason::Malformed)?;
                Ok(Part { value, width })
            })
            .collect()
    }

    fn encode(&self, parts: &[Part]) -> Result<Vec<u8>> {
        encode(&self.grounds().encoding, parts)
    }

    fn construct(&mut self, id: Id, ctx: &mut Context<'_>) -> Result<Value> {
        let table = self.table().clone();
        let node = table.node(id);
        match node {
            Node::Name(name) => self.supply(id, name, ctx),
            Node::Text(text) => Ok(Value::new(Kind::Text, text.as_bytes())),
            Node::Exp(exponents) => self.exp(id, exponents, ctx),
            Node::Enc(body, key) => {
                let key = self.encryption_key(*key, ctx)?;
                let parts = self.parts((Some(id), 0), body, ctx)?;
                self.seal(id, key, parts, ctx)
            }
            Node::App(Func::K | Func::Pw, _) => self.shared(id, node, ctx),
            Node::App(Func::Sk, args) => Ok(self.private(id, args[0], ctx)?.to_value()),
            Node::App(Func::Pk, args) => self.public(id, args[0], ctx),
            Node::App(Func::Cert, args) => {
                let subject = self.agent(args[0])?;
                ctx.trust.certificate(&subject).ok_or(Reason::UnknownClient)
            }
            Node::App(Func::Sign, args) => self.sign(id, args, ctx),
            Node::App(Func::Mac, args) => {
                let key = self.key(args[0], ctx)?;
                self.one_way(OneWay::Mac, id, Some(key), &args[1..], ctx)
            }
            Node::App(Func::Hash, args) => self.one_way(OneWay::Hash, id, None, args, ctx),
            Node::App(Func::Kdf, args) => self.one_way(OneWay::Kdf, id, None, args, ctx),
            Node::App(func @ (Func::Succ | Func::Pred), args) => {
                let from = self.build(args[0], ctx)?;
                let up = *func == Func::Succ;
                let value = Value::new(from.kind, step(&from.bytes, up));
                ctx.made.push(Made { value: value.clone(), how: How::Stepped { from, up } });
                Ok(value)
            }
            Node::App(Func::Xor, args) => {
                let (a, b) = (self.build(args[0], ctx)?, self.build(args[1], ctx)?);
                let value = Value::new(Kind::Masked, xor(&a.bytes, &b.bytes)?);
                ctx.made.push(Made { value: value.clone(), how: How::Xored(a, b) });
                Ok(value)
            }
        }
    }

    /// A value that is not received: generated, read off the clock, or held for the long term.
    fn supply(&mut self, id: Id, name: &str, ctx: &mut Context<'_>) -> Result<Value> {
        let supply = self.grounds().supply.get(&id).cloned().ok_or(Reason::Malformed)?;
        let suite = ctx.keys.suite();
        let value = match supply {
            Supply::Generate(Type::Time) => at_clock(Kind::Time, ctx.now),
            Supply::Generate(Type::Expiry) => at_clock(Kind::Expiry, expiry(name, ctx)),
            // A ticket ends with the one that bought it at the latest (RFC 4120 §3.3.3).
            Supply::Until(bound) => {
                let bound = clock(&self.build(bound, ctx)?)?;
                at_clock(Kind::Expiry, expiry(name, ctx).min(bound))
            }
            Supply::Generate(of) => {
                let mut value = keys::generate(of, suite, self.grounds().uses, ctx.rng);
                if let Encoding::Untagged(widths) = &*self.grounds().encoding
                    && matches!(of, Type::Nonce | Type::Key)
                    && let Some(width) = self.width(id, widths, suite)
                    && width != value.bytes.len()
                {
                    value = Value::new(value.kind, keys::random(ctx.rng, width));
                }
                value
            }
            Supply::LongTerm { owner, of, own: true } => {
                let owner = self.agent(owner)?;
                return Ok(ctx.keys.long_term(ctx.trust.ring().owner(&owner), name, of));
            }
            Supply::LongTerm { own: false, .. } => return Err(Reason::Malformed),
        };
        ctx.made.push(Made { value: value.clone(), how: How::Generated });
        Ok(value)
    }

    fn exp(&mut self, id: Id, exponents: &[Id], ctx: &mut Context<'_>) -> Result<Value> {
        let table = self.table().clone();
        let agreement = ctx.keys.suite().agreement;
        if self.grounds().rights.granted.contains(&id)
            && let [x] = exponents
            && let Some(Supply::LongTerm { owner, of, .. }) = self.grounds().supply.get(x).cloned()
            && let Node::Name(name) = table.node(*x)
        {
            let secret = ctx.keys.long_term(&self.agent(owner)?, name, of);
            let value = Value::new(Kind::Share, agreement.share(&secret.bytes)?);
            ctx.made.push(Made { value: value.clone(), how: How::Share { secret } });
            return Ok(value);
        }
        for x in exponents {
            let Ok(secret) = self.build(*x, ctx) else { continue };
            let Some(other) = other_share(&table, exponents, *x) else {
                let value = Value::new(Kind::Share, agreement.share(&secret.bytes)?);
                ctx.made.push(Made { value: value.clone(), how: How::Share { secret } });
                return Ok(value);
            };
            // A share that can be neither received nor made is the sign to try another exponent.
            let share = match self.build(other, ctx) {
                Err(Reason::Malformed) => continue,
                share => share?,
            };
            let value = Value::new(Kind::Share, agreement.agree(&secret.bytes, &share.bytes)?.to_vec());
            ctx.made.push(Made { value: value.clone(), how: How::Agreed { secret, share } });
            return Ok(value);
        }
        Err(Reason::Malformed)
    }

    fn shared(&mut self, id: Id, node: &Node, ctx: &mut Context<'_>) -> Result<Value> {
        let (a, b) = self.sharers(id, node, ctx)?;
        let Node::App(func, _) = node else { return Err(Reason::Malformed) };
        Ok(ctx.trust.ring().newest(ctx.keys, *func, &a, &b))
    }

    /// The two names that share a secret, if one may use it and the centre knows both.
    fn sharers(&self, id: Id, node: &Node, ctx: &Context<'_>) -> Result<(String, String)> {
        let (a, b) = pair(node).ok_or(Reason::Malformed)?;
        let rights = &self.grounds().rights;
        let is_party = rights.registered && [a, b].iter().any(|x| self.is_own(*x));
        if !is_party && !rights.granted.contains(&id) {
            return Err(Reason::Malformed);
        }
        let (a, b) = (self.agent(a)?, self.agent(b)?);
        if ![&a, &b].iter().all(|name| ctx.trust.is_registered(name)) {
            return Err(Reason::UnknownClient);
        }
        Ok((a, b))
    }

    /// The older versions of a long-term key that still open what was made under them.
    pub(super) fn older_keys(&self, id: Id, ctx: &Context<'_>) -> Vec<Value> {
        let node = self.table().node(id);
        let Node::App(func @ (Func::K | Func::Pw), _) = node else { return Vec::new() };
        let Ok((a, b)) = self.sharers(id, node, ctx) else { return Vec::new() };
        let ring = ctx.trust.ring();
        let as_key = |secret: Value| match func {
            Func::Pw => ring.stretched(ctx.keys, &secret, &a, &b),
            _ => secret,
        };
        ring.older(ctx.keys, *func, &a, &b).into_iter().map(as_key).collect()
    }

    /// Whether an agent's term names the owner of this knowledge.
    fn is_own(&self, id: Id) -> bool {
        let own = &self.grounds().rights.own;
        own.contains(&id) || self.get(id).is_some_and(|name| own.iter().any(|o| self.get(*o) == Some(name)))
    }

    /// The bytes that work as a key: a password is stretched first.
    fn key(&mut self, id: Id, ctx: &mut Context<'_>) -> Result<Value> {
        let value = self.build(id, ctx)?;
        match self.table().node(id) {
            node @ Node::App(Func::Pw, _) => {
                let (a, b) = pair(node).ok_or(Reason::Malformed)?;
                let key = ctx.trust.ring().stretched(ctx.keys, &value, &self.agent(a)?, &self.agent(b)?);
                ctx.made.push(Made { value: key.clone(), how: How::Stretched(value) });
                Ok(key)
            }
            _ => Ok(value),
        }
    }

    fn encryption_key(&mut self, id: Id, ctx: &mut Context<'_>) -> Result<Value> {
        match self.table().node(id) {
            Node::App(Func::Pk, _) => self.build(id, ctx),
            _ => self.key(id, ctx),
        }
    }

    fn seal(&mut self, id: Id, key: Value, parts: Parts, ctx: &mut Context<'_>) -> Result<Value> {
        let plain = zeroize::Zeroizing::new(self.encode(&parts)?);
        let label = self.label(id, ctx);
        let suite = ctx.keys.suite();
        let sealed = if key.kind == Kind::Public {
            let public = Public::from_bytes(&key.bytes)?.encryption.ok_or(Reason::Malformed)?;
            suite.public_key.encrypt(&public, &label, &plain, ctx.rng)?
        } else {
            suite.symmetric.seal(&key.bytes, &label, &plain, ctx.rng)
        };
        let value = Value::new(Kind::Cipher, sealed);
        ctx.made.push(Made { value: value.clone(), how: How::Sealed { key, parts, label: label.into() } });
        Ok(value)
    }

    /// The symmetric key, if `id` is one that is known.
    pub(super) fn symmetric_key(&mut self, id: Id, ctx: &mut Context<'_>) -> Result<Value> {
        self.key(id, ctx)
    }

    /// The private keys of an agent or of a fresh key pair, if they are known.
    pub(super) fn private(&mut self, id: Id, owner: Id, ctx: &mut Context<'_>) -> Result<Private> {
        if let Some(value) = self.get(id).or_else(|| self.get(owner).filter(|v| v.kind == Kind::Private)) {
            return Private::from_bytes(&value.bytes);
        }
        if self.is_agent(owner) {
            return if self.is_own(owner) {
                let owner = self.agent(owner)?;
                Ok(self.keys_of(&owner, ctx))
            } else {
                Err(Reason::Malformed)
            };
        }
        let value = self.build(owner, ctx)?;
        Private::from_bytes(&value.bytes)
    }

    fn public(&mut self, id: Id, owner: Id, ctx: &mut Context<'_>) -> Result<Value> {
        if self.is_agent(owner) {
            let name = self.agent(owner)?;
            let rights = &self.grounds().rights;
            if !self.is_own(owner) && !rights.directory && !rights.granted.contains(&id) {
                return Err(Reason::Malformed);
            }
            if !ctx.trust.is_registered(&name) && !self.is_own(owner) {
                return Err(Reason::UnknownClient);
            }
            return Ok(self.keys_of(&name, ctx).public().to_value());
        }
        let private = self.build(owner, ctx)?;
        let value = Private::from_bytes(&private.bytes)?.public().to_value();
        ctx.made.push(Made { value: value.clone(), how: How::PublicOf(private) });
        Ok(value)
    }

    fn keys_of(&self, name: &str, ctx: &Context<'_>) -> Private {
        match ctx.trust.own_keys(name) {
            Some(keys) => keys.clone(),
            None => ctx.keys.private(name, self.grounds().uses),
        }
    }

    fn sign(&mut self, id: Id, args: &[Id], ctx: &mut Context<'_>) -> Result<Value> {
        let owner = match self.table().node(args[0]) {
            Node::App(Func::Sk, owner) => owner[0],
            _ => return Err(Reason::Malformed),
        };
        let private = self.private(args[0], owner, ctx)?;
        let parts = self.parts((Some(id), 1), &args[1..], ctx)?;
        let message = self.signed_bytes(id, &parts, ctx)?;
        let key = private.signing.as_ref().ok_or(Reason::Malformed)?;
        let value = Value::new(Kind::Signature, key.sign(&message, ctx.rng));
        let how = How::Signed { key: private.to_value(), parts };
        ctx.made.push(Made { value: value.clone(), how });
        Ok(value)
    }

    /// What a signature covers: the label, its length first, then the parts.
    fn signed_bytes(&self, id: Id, parts: &[Part], ctx: &Context<'_>) -> Result<Vec<u8>> {
        let label = self.label(id, ctx);
        let mut message = Vec::new();
        if !label.is_empty() {
            message.extend_from_slice(&(label.len() as u32).to_be_bytes());
            message.extend_from_slice(&label);
        }
        message.extend(self.encode(parts)?);
        Ok(message)
    }

    /// The bytes that a signature of these parts must cover.
    pub(super) fn bytes_to_verify(&mut self, id: Id, parts: &[Id], ctx: &mut Context<'_>) -> Result<Vec<u8>> {
        let parts = self.parts((Some(id), 1), parts, ctx)?;
        self.signed_bytes(id, &parts, ctx)
    }

    fn one_way(
        &mut self,
        function: OneWay,
        id: Id,
        key: Option<Value>,
        args: &[Id],
        ctx: &mut Context<'_>,
    ) -> Result<Value> {
        let first = usize::from(function == OneWay::Mac);
        let parts = self.parts((Some(id), first), args, ctx)?;
        let label = if function == OneWay::Mac { self.label(id, ctx) } else { Vec::new() };
        let value = compute_one_way(function, key.as_ref(), &parts, &label, &self.grounds().encoding)?;
        let how = How::OneWay { function, key, parts, label: label.into() };
        ctx.made.push(Made { value: value.clone(), how });
        Ok(value)
    }
}

/// A clock's reading as a field.
fn at_clock(kind: Kind, reading: UnixNanos) -> Value {
    Value::new(kind, reading.0.to_be_bytes().to_vec())
}

/// The clock plus the lifetime that the party gives to values of this name.
fn expiry(name: &str, ctx: &Context<'_>) -> UnixNanos {
    ctx.now.after(ctx.lifetime.of.get(name).copied().unwrap_or(ctx.lifetime.default))
}

/// The bytes of parts, one after another.
pub fn encode(encoding: &Encoding, parts: &[Part]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(parts.iter().map(|p| p.value.bytes.len() + crate::wire::TAG_LEN).sum());
    for Part { value, width } in parts {
        let field = Field { kind: value.kind, bytes: &value.bytes, width: width.map(|w| w as usize) };
        encoding.write(field, &mut out).map_err(|_| Reason::Malformed)?;
    }
    Ok(out)
}

/// Computes a hash, a MAC or a derived key. In a derivation, strings are labels: they go
/// to HKDF's info, the other arguments to its input (RFC 5869 §3.2).
pub fn compute_one_way(
    function: OneWay,
    key: Option<&Value>,
    parts: &[Part],
    label: &[u8],
    encoding: &Encoding,
) -> Result<Value> {
    Ok(match function {
        OneWay::Hash => Value::new(Kind::Hash, crypto::sha256(&[&encode(encoding, parts)?]).to_vec()),
        OneWay::Mac => {
            let key = key.ok_or(Reason::Malformed)?;
            let length = (label.len() as u32).to_be_bytes();
            let prefix: &[u8] = if label.is_empty() { &[] } else { &length };
            let mac = crypto::hmac_sha256(&key.bytes, &[prefix, label, &encode(encoding, parts)?]);
            Value::new(Kind::Mac, mac.to_vec())
        }
        OneWay::Kdf => {
            let (info, input): (Vec<Part>, Vec<Part>) =
                parts.iter().cloned().partition(|p| p.value.kind == Kind::Text);
            let mut out = vec![0; 32];
            let input = zeroize::Zeroizing::new(encode(encoding, &input)?);
            crypto::hkdf_sha256(&input, &[], &encode(encoding, &info)?, &mut out);
            Value::new(Kind::Key, out)
        }
    })
}

/// Adds one to, or takes one from, a big-endian integer; the width stays.
pub fn step(bytes: &[u8], up: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for byte in out.iter_mut().rev() {
        let (next, carry) = if up { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = next;
        if !carry {
            break;
        }
    }
    out
}

/// Exclusive or of equally long values.
pub fn xor(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    if a.len() != b.len() {
        return Err(Reason::Malformed);
    }
    Ok(a.iter().zip(b).map(|(x, y)| x ^ y).collect())
}

/// Opens a ciphertext with a key's bytes, as a reader of the suite does.
pub fn open(suite: Suite, key: &Value, label: &[u8], sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    if key.kind == Kind::Private {
        let private = Private::from_bytes(&key.bytes)?;
        let key = private.decryption.ok_or(Reason::DecryptFailed)?;
        return suite.public_key.decrypt(&key, label, sealed);
    }
    suite.symmetric.open(&key.bytes, label, sealed)
}
