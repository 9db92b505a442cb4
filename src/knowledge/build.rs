//! Builds bytes from terms. Every value that is made is noted with how it was made.

use super::keys;
use super::learn::clock;
use super::{Context, Knowledge, Supply, pair};
use crate::algebra::{
    Binding, Encapsulation, Form, Func, How, Inputs, Made, Part, Parts, Private, Provenance, Syntax, Value,
    encode, signed_bytes,
};
use crate::crypto::{Agreement, Suite};
use crate::notation::plan::other_share;
use crate::notation::table::Place;
use crate::notation::{Id, Node, Type};
use crate::reason::Reason;
use crate::time::UnixNanos;
use crate::wire::{Encoding, Kind};

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
        if let Node::App(func, _) = self.table().node(id)
            && matches!(func.definition().form, Form::OneWay(_) | Form::Step { .. } | Form::Sum)
        {
            self.computed.insert(id);
        }
        Ok(value)
    }

    /// Builds the bytes of a message of these parts.
    pub fn build_message(&mut self, parts: &[Id], ctx: &mut Context<'_>) -> Result<Vec<u8>> {
        let parts = self.parts((None, 0), parts, ctx)?;
        encode(&self.grounds().encoding, &parts)
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
            Node::App(func, args) => match func.definition().form {
                Form::OfAgents => self.of_agents(id, *func, node, args, ctx),
                Form::Signature => self.sign(id, *func, args, ctx),
                Form::OneWay(_) | Form::Step { .. } | Form::Sum => self.compute(id, *func, args, ctx),
                Form::Encapsulation(what) => self.encapsulate(id, what, args, ctx),
                Form::Cipher(_) | Form::Power => Err(Reason::Malformed),
            },
        }
    }

    /// What agents have for the long term.
    fn of_agents(
        &mut self,
        id: Id,
        func: Func,
        node: &Node,
        args: &[Id],
        ctx: &mut Context<'_>,
    ) -> Result<Value> {
        match func {
            Func::Sk => Ok(self.private(id, args[0], ctx)?.to_value()),
            Func::Pk => self.public(id, args[0], ctx),
            Func::Cert => {
                let subject = self.agent(args[0])?;
                ctx.trust.certificate(&subject).ok_or(Reason::UnknownClient)
            }
            _ => self.shared(id, func, node, ctx),
        }
    }

    /// A computation that gives the same bytes each time.
    fn compute(&mut self, id: Id, func: Func, args: &[Id], ctx: &mut Context<'_>) -> Result<Value> {
        // Only what a key goes into is bound to a line: a hash is the same wherever it stands.
        let (inputs, label) = match (func.definition().syntax, args) {
            (Syntax::Keyed, [key, message @ ..]) => {
                let key = Part::of(self.key(*key, ctx)?);
                let message = self.parts((Some(id), 1), message, ctx)?;
                let inputs = std::iter::once(key).chain(message).collect();
                (inputs, self.label(id, ctx))
            }
            _ => {
                // How short a hash is belongs to what it is.
                let bits = ctx.keys.suite().short.0.to_be_bytes();
                let label = if func == Func::Short { bits.to_vec() } else { Vec::new() };
                (self.parts((Some(id), 0), args, ctx)?, label)
            }
        };
        let binding = Binding::new(&self.grounds().encoding, &label);
        self.carry(Provenance { func, inputs, binding }, ctx)
    }

    /// Carries a computation out and takes note of it.
    fn carry(&self, provenance: Provenance, ctx: &mut Context<'_>) -> Result<Value> {
        let value = provenance.compute()?.ok_or(Reason::Malformed)?;
        ctx.made.push(Made { value: value.clone(), how: provenance.into() });
        Ok(value)
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
                let suite = match of {
                    Type::Dh => Suite { agreement: self.group(ctx)?, ..suite },
                    _ => suite,
                };
                let mut value = keys::generate(of, suite, self.grounds().uses, ctx.rng);
                if let Encoding::Untagged(widths) = &*self.grounds().encoding
                    && matches!(of, Type::Nonce | Type::Key | Type::Data)
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
        ctx.made.push(Made::drawn(value.clone()));
        Ok(value)
    }

    fn exp(&mut self, id: Id, exponents: &[Id], ctx: &mut Context<'_>) -> Result<Value> {
        let table = self.table().clone();
        let suite = ctx.keys.suite();
        if let [x] = exponents
            && let Some(secret) = self.granted(id, *x, ctx)?
        {
            return self.carry(Provenance::power(secret, None, suite.agreement), ctx);
        }
        for x in exponents {
            let secret = match self.build(*x, ctx) {
                Err(Reason::Malformed) => continue,
                secret => secret?,
            };
            let Some(other) = other_share(&table, exponents, *x) else {
                let group = match self.is_long_term(*x) {
                    true => suite.agreement,
                    false => self.group_with(secret.bytes.len(), ctx)?,
                };
                return self.carry(Provenance::power(secret, None, group), ctx);
            };
            // A share that can be neither received nor made is the sign to try another exponent.
            let share = match self.build(other, ctx) {
                Err(Reason::Malformed) => continue,
                share => share?,
            };
            let group = suite.group_of(&share.bytes);
            return self.carry(Provenance::power(secret, Some(share), group), ctx);
        }
        Err(Reason::Malformed)
    }

    /// The group in which new exponents are: that of a share that came or was made before, else the
    /// first of those offered in which the party would compute (RFC 7919 §3, §4), else the suite's.
    fn group(&mut self, ctx: &Context<'_>) -> Result<Agreement> {
        let suite = ctx.keys.suite();
        if let Some(group) = self.group {
            return Ok(group);
        }
        let Some(offer) = self.grounds().group.and_then(|id| self.get(id)) else {
            return Ok(suite.agreement);
        };
        let offered = offer.text().ok_or(Reason::Malformed)?.split(',').filter_map(|n| n.trim().parse().ok());
        let would = |group: &Agreement| {
            group.strength() >= ctx.min_strength && suite.all_groups().any(|own| own == *group)
        };
        let group = { offered }.find(would).ok_or(Reason::NoCommonGroup)?;
        self.group = Some(group);
        Ok(group)
    }

    /// The group of an exponent of so many bytes: that of new ones if it fits. Whoever has another's
    /// may never have seen a share of it.
    fn group_with(&mut self, len: usize, ctx: &Context<'_>) -> Result<Agreement> {
        let new = self.group(ctx)?;
        let mut all = std::iter::once(new).chain(ctx.keys.suite().all_groups());
        Ok(all.find(|group| group.secret_len() == len).unwrap_or(new))
    }

    /// Takes note of the group of a share.
    pub(super) fn joins_group(&mut self, value: &Value, ctx: &Context<'_>) {
        if value.kind == Kind::Share && !ctx.keys.suite().groups.is_empty() {
            self.group = Some(ctx.keys.suite().group_of(&value.bytes));
        }
    }

    fn is_long_term(&self, id: Id) -> bool {
        matches!(self.grounds().supply.get(&id), Some(Supply::LongTerm { .. }))
    }

    /// A key, a ciphertext or a secret of a KEM.
    fn encapsulate(
        &mut self,
        id: Id,
        what: Encapsulation,
        args: &[Id],
        ctx: &mut Context<'_>,
    ) -> Result<Value> {
        let table = self.table().clone();
        let kem = ctx.keys.suite().kem;
        let find = |func: Func, of: &[Id]| table.find_node(&Node::App(func, of.to_vec()));
        match (what, args) {
            (Encapsulation::Key, [secret]) => {
                let secret = self.granted(id, *secret, ctx)?.map_or_else(|| self.build(*secret, ctx), Ok)?;
                self.carry(Provenance::encapsulation(Func::Ek, [secret], kem), ctx)
            }
            (Encapsulation::Ciphertext | Encapsulation::Secret, [secret, coins]) => {
                let key = find(Func::Ek, &[*secret]).ok_or(Reason::Malformed)?;
                // Random bytes or a key that can be neither made nor received is the sign to
                // open what came.
                let made = self.build(*coins, ctx).and_then(|coins| Ok([self.build(key, ctx)?, coins]));
                match (made, what) {
                    (Ok(of), Encapsulation::Ciphertext) => {
                        self.carry(Provenance::encapsulation(Func::Encap, of, kem), ctx)
                    }
                    (Ok(of), _) => self.carry(Provenance::encapsulation(Func::Secret, of, kem), ctx),
                    (Err(Reason::Malformed), Encapsulation::Secret) => {
                        let ciphertext = find(Func::Encap, args).and_then(|id| self.get(id).cloned());
                        let of = [self.build(*secret, ctx)?, ciphertext.ok_or(Reason::Malformed)?];
                        self.carry(Provenance::encapsulation(Func::Decap, of, kem), ctx)
                    }
                    (Err(reason), _) => Err(reason),
                }
            }
            _ => Err(Reason::Malformed),
        }
    }

    /// The secret of somebody's of which one was granted the public half, this term.
    fn granted(&self, public: Id, secret: Id, ctx: &Context<'_>) -> Result<Option<Value>> {
        if self.grounds().rights.granted.contains(&public)
            && let Some(Supply::LongTerm { owner, of, .. }) = self.grounds().supply.get(&secret).cloned()
            && let Node::Name(name) = self.table().node(secret)
        {
            let owner = self.agent(owner)?;
            return Ok(Some(ctx.keys.long_term(ctx.trust.ring().owner(&owner), name, of)));
        }
        Ok(None)
    }

    fn shared(&mut self, id: Id, func: Func, node: &Node, ctx: &mut Context<'_>) -> Result<Value> {
        let (a, b) = self.sharers(id, node, ctx)?;
        Ok(ctx.trust.ring().newest(ctx.keys, func, &a, &b))
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
    pub(super) fn older_keys(&self, id: Id, ctx: &Context<'_>) -> Result<Vec<Value>> {
        let node = self.table().node(id);
        let Node::App(func @ (Func::K | Func::Pw), _) = node else { return Ok(Vec::new()) };
        let Ok((a, b)) = self.sharers(id, node, ctx) else { return Ok(Vec::new()) };
        let ring = ctx.trust.ring();
        let as_key = |secret: Value| match func {
            Func::Pw => Ok(ring.stretched(ctx.keys, &secret, &a, &b)?.0),
            _ => Ok(secret),
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
                let (key, salt) =
                    ctx.trust.ring().stretched(ctx.keys, &value, &self.agent(a)?, &self.agent(b)?)?;
                let inputs = [Part::of(value)].into_iter().collect::<Parts>();
                ctx.made.push(Made::computed(
                    key.clone(),
                    Func::Stretch,
                    inputs,
                    Binding::to(salt.as_bytes()),
                ));
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
        let plain = zeroize::Zeroizing::new(encode(&self.grounds().encoding, &parts)?);
        let label = self.label(id, ctx);
        let func = if key.kind == Kind::Public { Func::EncryptTo } else { Func::Encrypt };
        let Form::Cipher(cipher) = func.definition().form else { return Err(Reason::Malformed) };
        let sealed = cipher.seal(&key, &label, &plain, ctx.keys.suite(), ctx.rng)?;
        let value = Value::new(Kind::Cipher, sealed);
        let inputs: Parts = std::iter::once(Part::of(key)).chain(parts).collect();
        let binding = Binding::new(&self.grounds().encoding, &label);
        ctx.made.push(Made::computed(value.clone(), func, inputs, binding));
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

    fn sign(&mut self, id: Id, func: Func, args: &[Id], ctx: &mut Context<'_>) -> Result<Value> {
        let owner = match self.table().node(args[0]) {
            Node::App(Func::Sk, owner) => owner[0],
            _ => return Err(Reason::Malformed),
        };
        let private = self.private(args[0], owner, ctx)?;
        let parts = self.parts((Some(id), 1), &args[1..], ctx)?;
        let binding = Binding::new(&self.grounds().encoding, &self.label(id, ctx));
        let message = signed_bytes(&Inputs { parts: &parts, binding: &binding })?;
        let key = private.signing.as_ref().ok_or(Reason::Malformed)?;
        let value = Value::new(Kind::Signature, key.sign(&message, ctx.rng));
        let inputs: Parts = std::iter::once(Part::of(private.to_value())).chain(parts).collect();
        ctx.made.push(Made::computed(value.clone(), func, inputs, binding));
        Ok(value)
    }

    /// The bytes that a signature of these parts must cover.
    ///
    /// # Errors
    /// `malformed` if some part is missing.
    pub fn bytes_to_verify(&mut self, id: Id, parts: &[Id], ctx: &mut Context<'_>) -> Result<Vec<u8>> {
        let parts = self.parts((Some(id), 1), parts, ctx)?;
        let binding = Binding::new(&self.grounds().encoding, &self.label(id, ctx));
        signed_bytes(&Inputs { parts: &parts, binding: &binding })
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
