//! Two signatures by ECDSA with one nonce give the private key away (fail0verflow, Console hacking
//! 2010, 27C3): she looks for them among those that pass her and whose text she knows. Must not
//! know anybody's key.

use std::collections::{BTreeMap, BTreeSet};

use p256::Scalar;
use p256::ecdsa::Signature;
use p256::elliptic_curve::ops::Reduce;
use pkcs8::EncodePrivateKey as _;

use super::Desk;
use super::dictionary::Reading;
use crate::algebra::{Private, Value};
use crate::crypto::{self, SigningKey};
use crate::journal::{Sight, What};
use crate::notation::{Func, Id, Name, Node, Term};

/// What she keeps of signatures.
pub struct Analyst {
    looks: bool,
    /// For each run what she can read of it.
    runs: BTreeMap<u32, Reading>,
    /// The first signature with each nonce: r stands for it.
    seen: BTreeMap<Nonce, Signed>,
    found: BTreeSet<Name>,
}

/// Whose nonce, under which public key as she knows it, and r.
type Nonce = (Name, Vec<u8>, Vec<u8>);

/// A signature and what it is of.
struct Signed {
    by: Name,
    /// The signer's public key, as she knows it.
    public: Vec<u8>,
    text: Vec<u8>,
    signature: Value,
}

impl Analyst {
    pub fn new(looks: bool) -> Analyst {
        Analyst { looks, runs: BTreeMap::new(), seen: BTreeMap::new(), found: BTreeSet::new() }
    }

    /// Reads a message and answers the private keys that follow from it and those before.
    pub fn look(&mut self, message: &Sight, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        let Some(spoken) = desk.cast.protocols.get(&message.protocol).filter(|_| self.looks) else {
            return Vec::new();
        };
        let reading = self.runs.entry(message.run).or_insert_with(|| Reading::new(message, spoken, desk));
        if !reading.speaks(&message.protocol) {
            return Vec::new();
        }
        reading.read(message, desk);
        let mut keys = Vec::new();
        for signed in reading.signatures(message.line, desk) {
            let r = signed.signature.bytes[..signed.signature.bytes.len() / 2].to_vec();
            let nonce = (signed.by.clone(), signed.public.clone(), r);
            let Some(other) = self.seen.get(&nonce) else {
                self.seen.insert(nonce, signed);
                continue;
            };
            if let Some(key) = private_key(other, &signed)
                && self.found.insert(signed.by.clone())
            {
                let term = Term::of(Func::Sk, &[&signed.by]);
                let from = Box::new(vec![other.signature.clone(), signed.signature.clone()]);
                let (told, how) = (term.to_string().into(), "the one nonce of".into());
                desk.effects.note(What::Recovered { term: told, how, from, value: key.clone() });
                keys.push((term, key));
            }
        }
        keys
    }
}

impl Reading {
    /// The signatures of a line that she has, and of which she knows text and public key.
    fn signatures(&mut self, line: u32, desk: &mut Desk<'_>) -> Vec<Signed> {
        let table = self.table();
        let is_signature = |id: &Id| matches!(table.node(*id), Node::App(Func::Sign, _));
        let signed = |id: Id| {
            let Node::App(_, args) = table.node(id) else { return None };
            let Node::App(Func::Sk, owner) = table.node(*args.first()?) else { return None };
            let (owner, signature) = (owner[0], self.value(id)?.clone());
            let by = Name::from(self.value(owner)?.text()?);
            let (text, public) = self.signed(id, owner, line, desk)?;
            Some(Signed { by, public, text, signature })
        };
        table.ids().filter(is_signature).filter_map(signed).collect()
    }
}

/// The private key, where both signatures have one nonce: k = (z₁ − z₂) / (s₁ − s₂) and
/// d = (s₁ k − z₁) / r. Only if it is the one of the public key.
fn private_key(one: &Signed, other: &Signed) -> Option<Value> {
    let parsed = |signed: &Signed| Signature::from_slice(&signed.signature.bytes).ok();
    let (first, second) = (parsed(one)?, parsed(other)?);
    let ((r, s1), (same, s2)) = (first.split_scalars(), second.split_scalars());
    if *r != *same || one.text == other.text {
        return None;
    }
    let digest = |text: &[u8]| <Scalar as Reduce<p256::FieldBytes>>::reduce(&crypto::sha256(&[text]).into());
    let (z1, z2) = (digest(&one.text), digest(&other.text));
    let k = (z1 - z2) * Option::<Scalar>::from((*s1 - *s2).invert())?;
    let d = (*s1 * k - z1) * Option::<Scalar>::from(r.as_ref().invert())?;
    let secret = p256::SecretKey::from_slice(&d.to_bytes()).ok()?;
    let key = SigningKey::from_pkcs8(secret.to_pkcs8_der().ok()?.as_bytes()).ok()?;
    let fits = key.public() == one.public;
    // Whose nonce repeats is how its signer works, and no secret.
    fits.then(|| Private { decryption: None, signing: Some(key.with_repeated_nonce()) }.to_value())
}
