//! Long-term keys: who shares what with whom. Made where a scenario uses them, from the
//! seed and the names alone, so that a party more or less changes nobody else's keys.
//! Must not know protocols; hands a key to whoever may have it, which its callers decide.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use smol_str::SmolStr;

use crate::algebra::{Bytes, Private, Value};
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

    /// The key into which a password is stretched, and the salt: the owners' names.
    ///
    /// # Errors
    /// As [`crypto::stretch`].
    pub fn stretched(&self, password: &Value, a: &str, b: &str) -> Result<(Value, String), Reason> {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let slot = (format!("{a} {b}"), password.bytes.clone());
        if let Some(key) = self.lock().stretched.get(&slot) {
            return Ok((Value { kind: Kind::Key, bytes: key.clone() }, slot.0));
        }
        let key = Bytes::from(crypto::stretch(&password.bytes, slot.0.as_bytes())?.to_vec());
        self.lock().stretched.insert(slot.clone(), key.clone());
        Ok((Value { kind: Kind::Key, bytes: key }, slot.0))
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
        let (mut boot, mut rng) = (self.stream(&["switched on"]), self.stream(&["decryption key", owner]));
        let key = self.suite.public_key.generate_after(&mut boot, &mut rng);
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

/// A fresh value of a type that needs no clock.
pub fn generate(of: Type, suite: Suite, uses: KeyUses, rng: &mut Rng) -> Value {
    let bytes = match of {
        Type::Nonce => random(rng, 16),
        Type::Key | Type::Data => random(rng, 32),
        Type::Dh => suite.agreement.generate(rng).to_vec(),
        Type::Kem => suite.kem.generate(rng).to_vec(),
        Type::Coins => random(rng, suite.kem.coins_len()),
        Type::Keypair => {
            let private = Private {
                decryption: uses.encryption.then(|| suite.public_key.generate(rng)),
                signing: uses.signature.then(|| suite.signature.generate(rng)),
            };
            return private.to_value();
        }
        Type::Time | Type::Expiry => Vec::new(),
    };
    Value::new(of.kind(), bytes)
}

/// Keys that many plays share.
pub type SharedKeys = Arc<Keys>;
