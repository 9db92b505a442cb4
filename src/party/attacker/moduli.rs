//! Two keys of RSA that have a prime in common give each other away: the greatest common divisor of
//! their moduli is that prime (Lenstra et al., Ron was wrong, Whit is right, CRYPTO 2012). She
//! compares the public keys of everybody. Must not know anybody's private key.

use super::Desk;
use crate::algebra::{Private, Public, Value};
use crate::crypto::DecryptionKey;
use crate::journal::What;
use crate::limits::{MAX_MODULI, Reached};
use crate::notation::{Func, KeyUses, Name, Term};
use crate::party::AttackerEffect;

/// The private keys that follow from the public ones of all who are registered.
pub fn compare(desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
    let uses = KeyUses { encryption: true, signature: false };
    let her = &desk.profile.character.name;
    let clients: Vec<Name> = desk.cast.registered.names().filter(|name| *name != her).cloned().collect();
    let public = |name: &Name| desk.cast.keys.private(name, uses).public().encryption;
    let keys: Vec<(Name, Vec<u8>)> =
        clients.into_iter().filter_map(|name| Some((name.clone(), public(&name)?))).collect();
    if keys.len() > MAX_MODULI {
        let cause = "moduli of many parties, each compared with all others";
        let (name, value) = ("MAX_MODULI", MAX_MODULI);
        desk.effects.all.push(AttackerEffect::Halt(Reached { name, value, cause }));
        return Vec::new();
    }
    let suite = desk.cast.keys.suite().public_key;
    let mut found = Vec::new();
    for (name, own) in &keys {
        let factored = keys
            .iter()
            .filter(|(other, _)| other != name)
            .find_map(|(by, other)| Some((DecryptionKey::of_common_factor(suite, own, other)?, by, other)));
        let Some((key, by, other)) = factored else { continue };
        let value = Private { decryption: Some(key), signing: None }.to_value();
        let term = Term::of(Func::Sk, &[name]);
        let of = |key: &[u8]| Public { encryption: Some(key.to_vec()), signature: None }.to_value();
        for (name, key) in [(name, own), (by, other)] {
            desk.effects
                .note(What::Equipped { term: Term::of(Func::Pk, &[name]).to_string(), value: of(key) });
        }
        desk.effects.note(What::Recovered {
            term: term.to_string().into(),
            how: "the greatest common divisor of the moduli of".into(),
            from: Box::new(vec![of(own), of(other)]),
            value: value.clone(),
        });
        found.push((term, value));
    }
    if found.is_empty() {
        let lacked = format!("of {} public keys no two have a prime in common", keys.len());
        desk.effects.note(What::AttackStopped { line: "the public keys".to_owned(), lacked });
    }
    found
}
