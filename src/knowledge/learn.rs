//! Learns from bytes by a plan. The first check that fails ends it with a reason.

use zeroize::Zeroizing;

use super::{Context, Knowledge};
use crate::algebra::{Binding, Bytes, Cipher, Form, Func, Made, Part, Parts, Public, Value, step, xor};
use crate::crypto::{self, Suite};
use crate::notation::plan::{decryption_key, verification_key};
use crate::notation::{Id, Kind, Node, Op, Source};
use crate::reason::Reason;
use crate::time::UnixNanos;

type Result<T> = std::result::Result<T, Reason>;

/// A message as it came: its claimed sender and its bytes.
#[derive(Clone, Debug)]
pub struct Arrived<'a> {
    /// The sender that the message claims.
    pub from: &'a str,
    /// The message.
    pub bytes: &'a Bytes,
}

impl Knowledge {
    /// Carries out a plan on a message.
    ///
    /// # Errors
    /// The reason of the first check that failed. What was bound before it stays bound:
    /// the session that called this ends with the refusal.
    pub fn learn(&mut self, ops: &[Op], message: &Arrived<'_>, ctx: &mut Context<'_>) -> Result<()> {
        ops.iter().try_for_each(|op| self.carry_out(op, message, ctx))
    }

    fn carry_out(&mut self, op: &Op, message: &Arrived<'_>, ctx: &mut Context<'_>) -> Result<()> {
        match op {
            Op::Sender(role) => {
                if self.get(*role).is_none() {
                    self.set(*role, Value::name(message.from));
                }
                Ok(())
            }
            Op::Split(parts) => self.split(message.bytes, parts, ctx),
            Op::Open(source, term, inner) => {
                let sealed = self.read(*source)?;
                let plain = self.unseal(*term, &sealed, ctx)?;
                self.take(*term, sealed);
                self.split(&plain, inner, ctx)
            }
            Op::Verify(source, term) => {
                let signature = self.read(*source)?;
                self.verify(*term, &signature, ctx)?;
                self.take(*term, signature);
                Ok(())
            }
            Op::Equal(source, term) => self.compare(*source, *term, ctx),
            Op::Bind(source, term) => {
                let value = self.read(*source)?;
                self.accept(*term, &value, ctx)?;
                self.joins_group(&value, ctx);
                self.set(*term, value);
                Ok(())
            }
            Op::Keep(source, term) => {
                let value = self.read(*source)?;
                self.joins_group(&value, ctx);
                self.set(*term, value);
                Ok(())
            }
            Op::Certificate(source, term) => self.certificate(*source, *term, ctx),
            Op::Invert(source, term, unknown) => self.invert(*source, *term, *unknown, ctx),
        }
    }

    fn read(&self, source: Source) -> Result<Value> {
        match source {
            Source::Slot(slot) => self.slots.get(usize::from(slot)).cloned().flatten(),
            Source::Kept(term) => self.get(term).cloned(),
        }
        .ok_or(Reason::Malformed)
    }

    fn split(&mut self, bytes: &Bytes, parts: &[(u16, Id)], ctx: &Context<'_>) -> Result<()> {
        let expected = self.expected(parts, ctx.keys.suite());
        let fields = self.grounds.encoding.split(bytes, &expected)?;
        for ((slot, _), (kind, range)) in parts.iter().zip(fields) {
            self.slots[usize::from(*slot)] = Some(Value::new(kind, &bytes[range]));
        }
        Ok(())
    }

    fn unseal(&mut self, term: Id, sealed: &Value, ctx: &mut Context<'_>) -> Result<Bytes> {
        let table = self.table().clone();
        let Node::Enc(_, key) = table.node(term) else { return Err(Reason::Malformed) };
        let suite = ctx.keys.suite();
        let (func, openers) = match (table.node(*key), decryption_key(&table, *key)) {
            (Node::App(_, owner), Some(sk)) => {
                (Func::EncryptTo, vec![self.private(sk, owner[0], ctx)?.to_value()])
            }
            _ => {
                let mut keys = vec![self.symmetric_key(*key, ctx)?];
                keys.extend(self.older_keys(*key, ctx)?);
                (Func::Encrypt, keys)
            }
        };
        let Form::Cipher(cipher) = func.definition().form else { return Err(Reason::Malformed) };
        let mut last = Reason::DecryptFailed;
        for label in self.labels(term, ctx) {
            match open_with_any(cipher, suite, &openers, &label, &sealed.bytes) {
                Ok(plain) => return Ok(Bytes::from(plain.as_slice())),
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }

    /// The labels under which a ciphertext may have been made: that of its line, and those
    /// that the grounds allow beside it.
    fn labels(&self, term: Id, ctx: &Context<'_>) -> Vec<Vec<u8>> {
        let own = self.label(term, ctx);
        let others: Vec<_> = self.grounds.labels.iter().filter(|other| **other != own).cloned().collect();
        [own].into_iter().chain(others).collect()
    }

    fn verify(&mut self, term: Id, signature: &Value, ctx: &mut Context<'_>) -> Result<()> {
        let table = self.table().clone();
        let Node::App(Func::Sign, args) = table.node(term) else { return Err(Reason::Malformed) };
        let public = verification_key(&table, args[0]).ok_or(Reason::Malformed)?;
        let public = self.build(public, ctx)?;
        let public = Public::from_bytes(&public.bytes)?.signature.ok_or(Reason::BadSignature)?;
        let message = self.bytes_to_verify(term, &args[1..], ctx)?;
        ctx.keys.suite().signature.verify(&public, &message, &signature.bytes)
    }

    fn compare(&mut self, source: Source, term: Id, ctx: &mut Context<'_>) -> Result<()> {
        let arrived = self.read(source)?;
        let own = match source {
            Source::Slot(_) => self.build(term, ctx)?,
            // What was kept stands in the term's place: compute the term anew beside it.
            Source::Kept(_) => {
                self.values[term.index()] = None;
                self.build(term, ctx)?
            }
        };
        if crypto::constant_time_eq(&arrived.bytes, &own.bytes) {
            return Ok(());
        }
        Err(match self.table().node(term) {
            Node::Name(_) if self.is_agent(term) => Reason::WrongPeer,
            _ if self.grounds.voice.contains(&ctx.line) => Reason::SasMismatch,
            Node::App(Func::Mac, _) => Reason::BadMac,
            _ => Reason::Mismatch,
        })
    }

    /// The checks on a value that is taken as it comes.
    fn accept(&self, term: Id, value: &Value, ctx: &Context<'_>) -> Result<()> {
        if self.grounds.rights.certificates {
            return Ok(());
        }
        match self.table().kind(term) {
            Some(Kind::Name) => {
                let readable = value.text().is_some_and(crate::notation::parse::is_name);
                if readable { Ok(()) } else { Err(Reason::Malformed) }
            }
            Some(Kind::Time) => {
                let time = clock(value)?;
                if ctx.trust.earliest_stamp().is_some_and(|earliest| time <= earliest) {
                    return Err(Reason::Stale);
                }
                if time.distance(ctx.now) <= ctx.max_skew { Ok(()) } else { Err(Reason::Stale) }
            }
            Some(Kind::Expiry) => {
                let end = clock(value)?;
                if end <= ctx.now {
                    Err(Reason::Expired)
                } else if ctx.max_lifetime.is_some_and(|most| end > ctx.now.after(most)) {
                    Err(Reason::LifetimeTooLong)
                } else {
                    Ok(())
                }
            }
            Some(Kind::Share) => {
                let group = ctx.keys.suite().group_of(&value.bytes);
                if group.strength() < ctx.min_strength {
                    return Err(Reason::GroupTooSmall);
                }
                group.validate(&value.bytes)
            }
            Some(Kind::Encapsulation) => ctx.keys.suite().kem.validate(&value.bytes),
            Some(Kind::Encapsulated) => {
                let fits = value.bytes.len() == ctx.keys.suite().kem.ciphertext_len();
                if fits { Ok(()) } else { Err(Reason::Malformed) }
            }
            Some(Kind::Public) => Public::from_bytes(&value.bytes).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn certificate(&mut self, source: Source, term: Id, ctx: &mut Context<'_>) -> Result<()> {
        let table = self.table().clone();
        let Node::App(Func::Cert, args) = table.node(term) else { return Err(Reason::Malformed) };
        let value = self.read(source)?;
        let expected = match self.get(args[0]) {
            Some(_) => Some(self.agent(args[0])?),
            None => None,
        };
        let certified = ctx.trust.check(&value.bytes, expected.as_deref(), ctx.now)?;
        if expected.is_none() {
            self.set(args[0], Value::name(&certified.subject));
        }
        if let Some(pk) = table.find_node(&Node::App(Func::Pk, args.clone())) {
            self.set(pk, certified.public.to_value());
        }
        self.set(term, value);
        Ok(())
    }

    fn invert(&mut self, source: Source, term: Id, unknown: Id, ctx: &mut Context<'_>) -> Result<()> {
        let table = self.table().clone();
        let value = self.read(source)?;
        let Node::App(func, args) = table.node(term) else { return Err(Reason::Malformed) };
        let bytes = match func.definition().form {
            Form::Step { up } => step(&value.bytes, !up),
            Form::Sum => {
                let other = args.iter().find(|a| **a != unknown).ok_or(Reason::Malformed)?;
                let other = self.build(*other, ctx)?;
                xor(&value.bytes, &other.bytes)?
            }
            Form::OfAgents
            | Form::OneWay(_)
            | Form::Cipher(_)
            | Form::Signature
            | Form::Power
            | Form::Encapsulation(_) => return Err(Reason::Malformed),
        };
        let kind = table.kind(unknown).unwrap_or(value.kind);
        let found = Value::new(kind, bytes);
        self.accept(unknown, &found, ctx)?;
        // What it found belongs to what came, whoever made that of whatever.
        let mut inputs = Parts::new();
        for arg in args.iter() {
            inputs.push(Part::of(if *arg == unknown { found.clone() } else { self.build(*arg, ctx)? }));
        }
        ctx.made.push(Made::computed(value.clone(), *func, inputs, Binding::default()));
        self.set(unknown, found);
        self.set(term, value);
        Ok(())
    }
}

/// Opens a ciphertext with the first of several versions of a key that fits.
fn open_with_any(
    cipher: &dyn Cipher,
    suite: Suite,
    keys: &[Value],
    label: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let mut last = Reason::DecryptFailed;
    for key in keys {
        match cipher.open(key, label, sealed, suite) {
            Ok(plain) => return Ok(plain),
            Err(reason) => last = reason,
        }
    }
    Err(last)
}

/// The reading of a clock that a field holds: nanoseconds since 1970.
pub(super) fn clock(value: &Value) -> Result<UnixNanos> {
    let bytes: [u8; 8] = value.bytes.as_slice().try_into().map_err(|_| Reason::Malformed)?;
    Ok(UnixNanos(u64::from_be_bytes(bytes)))
}
