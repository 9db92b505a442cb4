//! Long-term keys: who shares what with whom. Made where a scenario uses them, from the
//! seed and the names alone, so that a party more or less changes nobody else's keys.
//! Must not know protocols; hands a key to whoever may have it, which its callers decide.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use smol_str::SmolStr;

use super::value::{Bytes, Value};
use crate::crypto::{self, DecryptionKey, Rng, SigningKey, Suite};
use crate::hashed::{Equivalent, Hashed};
use crate::notation::{KeyUses, Kind, Type};
use crate::reason::Reason;

/// The long-term keys of one seed and suite, made on first use and kept.
pub struct Keys {
    seed: u64,
    suite: Suite,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    signing: BTreeMap<String, SigningKey>,
    decryption: BTreeMap<String, DecryptionKey>,
    stretched: BTreeMap<(String, Bytes), Bytes>,
    /// By the two names, in order, and the version.
    shared: Hashed<(SmolStr, SmolStr, u32), Bytes>,
}

/// Two names and a version, to look up by: hashed as the tuple that owns its names is.
#[derive(Hash)]
struct Slot<'a>(&'a str, &'a str, u32);

impl Equivalent<(SmolStr, SmolStr, u32)> for Slot<'_> {
    fn equivalent(&self, (a, b, version): &(SmolStr, SmolStr, u32)) -> bool {
        (self.0, self.1, self.2) == (a, b, *version)
    }
}

/// The private keys of one owner.
#[derive(Clone, Default)]
pub struct Private {
    /// The key that opens `{M}pk(X)`.
    pub decryption: Option<DecryptionKey>,
    /// The key that signs.
    pub signing: Option<SigningKey>,
}

/// The public keys of one owner, as SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Public {
    /// The key for `{M}pk(X)`.
    pub encryption: Option<Vec<u8>>,
    /// The key under which signatures verify.
    pub signature: Option<Vec<u8>>,
}

impl Keys {
    /// No keys yet.
    pub fn new(seed: u64, suite: Suite) -> Self {
        Keys { seed, suite, made: Mutex::default() }
    }

    /// The algorithms for which keys are made.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The seed from which everything is drawn.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A generator of its own for each purpose.
    pub fn stream(&self, labels: &[&str]) -> Rng {
        crypto::stream(self.seed, labels)
    }

    /// `k(a,b)` in this version: 32 bytes.
    pub fn shared(&self, a: &str, b: &str, version: u32) -> Value {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let made = self.lock().shared.get(&Slot(a, b, version)).cloned();
        let bytes = made.unwrap_or_else(|| {
            let key = Bytes::from(random(&mut self.versioned("k", a, b, version), 32));
            self.lock().shared.insert((a.into(), b.into(), version), key.clone());
            key
        });
        Value { kind: Kind::Key, bytes }
    }

    /// The stream of a secret of two names; every version has one of its own.
    fn versioned(&self, purpose: &str, a: &str, b: &str, version: u32) -> Rng {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        match version {
            0 => self.stream(&[purpose, a, b]),
            later => self.stream(&[purpose, a, b, &later.to_string()]),
        }
    }

    /// `pw(a,b)` in this version: a word that a person might choose, `WORDS` long, drawn from
    /// the seed.
    pub fn password(&self, a: &str, b: &str, version: u32) -> Value {
        const WORDS: [&str; 16] = [
            "sunshine", "dragon", "football", "monkey", "letmein", "princess", "shadow", "master", "welcome",
            "flower", "hunter", "summer", "ginger", "pepper", "cheese", "soccer",
        ];
        let drawn = random(&mut self.versioned("pw", a, b, version), 2);
        let word = WORDS[usize::from(drawn[0]) % WORDS.len()];
        Value::new(Kind::Key, format!("{word}{}", drawn[1]).into_bytes())
    }

    /// The key into which a password is stretched; the salt is the owners' names.
    pub fn stretched(&self, password: &Value, a: &str, b: &str) -> Value {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let slot = (format!("{a} {b}"), password.bytes.clone());
        if let Some(key) = self.lock().stretched.get(&slot) {
            return Value { kind: Kind::Key, bytes: key.clone() };
        }
        let key = Bytes::from(crypto::stretch(&password.bytes, slot.0.as_bytes()).to_vec());
        self.lock().stretched.insert(slot, key.clone());
        Value { kind: Kind::Key, bytes: key }
    }

    /// The private keys of `owner`, those that `uses` asks for.
    pub fn private(&self, owner: &str, uses: KeyUses) -> Private {
        Private {
            decryption: uses.encryption.then(|| self.decryption(owner)),
            signing: uses.signature.then(|| self.signing(owner)),
        }
    }

    /// The keys that `owner` makes in place of its first ones, for the n-th time.
    pub fn renewed(&self, owner: &str, nth: u32, uses: KeyUses) -> Private {
        // No name has a space in it.
        self.private(&format!("{owner} {nth}"), uses)
    }

    /// The signing key of `owner`.
    pub fn signing(&self, owner: &str) -> SigningKey {
        if let Some(key) = self.lock().signing.get(owner) {
            return key.clone();
        }
        let key = self.suite.signature.generate(&mut self.stream(&["signing key", owner]));
        self.lock().signing.insert(owner.to_owned(), key.clone());
        key
    }

    fn decryption(&self, owner: &str) -> DecryptionKey {
        if let Some(key) = self.lock().decryption.get(owner) {
            return key.clone();
        }
        let key = self.suite.public_key.generate(&mut self.stream(&["decryption key", owner]));
        self.lock().decryption.insert(owner.to_owned(), key.clone());
        key
    }

    /// A long-term value that a protocol declares, such as a static exponent.
    pub fn long_term(&self, owner: &str, name: &str, of: Type) -> Value {
        generate(of, self.suite, KeyUses::default(), &mut self.stream(&["long-term", owner, name]))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Random bytes.
pub fn random(rng: &mut Rng, len: usize) -> Vec<u8> {
    use rand::Rng as _;
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A fresh value of a type that needs no clock; `data` is never generated and stays empty.
pub fn generate(of: Type, suite: Suite, uses: KeyUses, rng: &mut Rng) -> Value {
    let bytes = match of {
        Type::Nonce => random(rng, 16),
        Type::Key => random(rng, 32),
        Type::Dh => suite.agreement.generate(rng).to_vec(),
        Type::Keypair => {
            let private = Private {
                decryption: uses.encryption.then(|| suite.public_key.generate(rng)),
                signing: uses.signature.then(|| suite.signature.generate(rng)),
            };
            return private.to_value();
        }
        Type::Time | Type::Expiry | Type::Data => Vec::new(),
    };
    Value::new(of.kind(), bytes)
}

/// Marks the key, or the certificate, for encryption in a bundle.
pub const ENCRYPTION: u8 = 1;
/// Marks the one for signatures.
pub const SIGNATURE: u8 = 2;

/// Bytes before each part of a bundle: its mark and its length.
pub const HEADER: usize = 5;

/// A bundle: for each part a mark, four bytes of length and the part.
///
/// # Panics
/// If a part is longer than 4 GiB, which no limit permits.
pub fn join<'a>(parts: impl IntoIterator<Item = (u8, &'a [u8]), IntoIter: Clone>) -> Vec<u8> {
    let parts = parts.into_iter();
    let mut out = Vec::with_capacity(parts.clone().map(|(_, bytes)| HEADER + bytes.len()).sum());
    for (mark, bytes) in parts {
        let len = u32::try_from(bytes.len()).expect("a part is shorter than a message may be");
        out.push(mark);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// The parts of a bundle that `join` made, in order.
///
/// # Errors
/// `Malformed`.
pub fn parts(mut bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, Reason> {
    let mut parts = Vec::new();
    while let [mark, a, b, c, d, rest @ ..] = bytes {
        let len = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| Reason::Malformed)?;
        parts.push((*mark, rest.get(..len).ok_or(Reason::Malformed)?));
        bytes = &rest[len..];
    }
    if bytes.is_empty() { Ok(parts) } else { Err(Reason::Malformed) }
}

/// Keys for both uses as a bundle, and back.
fn pair(encryption: Option<&[u8]>, signature: Option<&[u8]>) -> Vec<u8> {
    let parts = [(ENCRYPTION, encryption), (SIGNATURE, signature)];
    join(parts.into_iter().filter_map(|(mark, part)| Some((mark, part?))))
}

fn take_apart(bytes: &[u8]) -> Result<[Option<&[u8]>; 2], Reason> {
    let mut pair = [None, None];
    for (mark, part) in parts(bytes)? {
        match mark {
            ENCRYPTION => pair[0] = Some(part),
            SIGNATURE => pair[1] = Some(part),
            _ => return Err(Reason::Malformed),
        }
    }
    Ok(pair)
}

impl Private {
    /// The public halves.
    pub fn public(&self) -> Public {
        Public {
            encryption: self.decryption.as_ref().map(DecryptionKey::public),
            signature: self.signing.as_ref().map(SigningKey::public),
        }
    }

    /// As a value: for each key a use, a length and PKCS#8.
    pub fn to_value(&self) -> Value {
        let decryption = self.decryption.as_ref().map(DecryptionKey::to_pkcs8);
        let signing = self.signing.as_ref().map(SigningKey::to_pkcs8);
        let bytes = pair(decryption.as_ref().map(|k| k.as_slice()), signing.as_ref().map(|k| k.as_slice()));
        Value::new(Kind::Private, bytes)
    }

    /// Reads what `to_value` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Private, Reason> {
        let [decryption, signing] = take_apart(bytes)?;
        Ok(Private {
            decryption: decryption.map(DecryptionKey::from_pkcs8).transpose()?,
            signing: signing.map(SigningKey::from_pkcs8).transpose()?,
        })
    }
}

impl Public {
    /// As a value: for each key a use, a length and a SubjectPublicKeyInfo.
    pub fn to_value(&self) -> Value {
        Value::new(Kind::Public, pair(self.encryption.as_deref(), self.signature.as_deref()))
    }

    /// Reads what `to_value` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Public, Reason> {
        let [encryption, signature] = take_apart(bytes)?;
        Ok(Public { encryption: encryption.map(<[u8]>::to_vec), signature: signature.map(<[u8]>::to_vec) })
    }
}

/// Keys that many plays share.
pub type SharedKeys = Arc<Keys>;
