//! What follows from the keys, ciphertexts and secrets of KEMs that somebody computed: a secret
//! from the random bytes and the public key, and from the private key and the ciphertext, whoever
//! of the two computed it. Must not know who has what.

use std::collections::BTreeMap;

use smallvec::smallvec;

use super::graph::{By, Graph, Id};
use crate::algebra::{Func, How, Provenance};
use crate::journal::Journal;

/// Adds the rules by which a secret follows in the way that nobody took.
pub fn complete(graph: &mut Graph, journal: &Journal) {
    let mut keys: BTreeMap<Id, Id> = BTreeMap::new();
    let mut ciphertexts: BTreeMap<(Id, Id), (Id, &Provenance)> = BTreeMap::new();
    let mut secrets: BTreeMap<(Id, Id), Id> = BTreeMap::new();
    let mut opened: BTreeMap<(Id, Id), Id> = BTreeMap::new();
    for maker in journal.made() {
        let How::Computed(of) = &maker.made.how else { continue };
        let inputs: Vec<Id> = of.inputs.iter().filter_map(|part| graph.find(&part.value)).collect();
        let Some(result) = graph.find(&maker.made.value) else { continue };
        match (of.func, inputs.as_slice()) {
            (Func::Ek, [private]) => {
                keys.insert(result, *private);
            }
            (Func::Encap, [public, coins]) => {
                ciphertexts.insert((*public, *coins), (result, of));
            }
            (Func::Secret, [public, coins]) => {
                secrets.insert((*public, *coins), result);
            }
            (Func::Decap, [private, ciphertext]) => {
                opened.insert((*private, *ciphertext), result);
            }
            _ => {}
        }
    }
    for ((public, coins), (ciphertext, of)) in ciphertexts {
        let private = keys.get(&public).copied();
        let made = secrets.get(&(public, coins)).copied();
        let found = private.and_then(|private| opened.get(&(private, ciphertext)).copied());
        let another = |func: Func, graph: &Graph, from: [Id; 2]| {
            let inputs = from.iter().map(|id| graph.value(*id).clone().into()).collect();
            By::Computed(Box::new(Provenance { func, inputs, binding: of.binding.clone() }))
        };
        if let (Some(secret), Some(private), None) = (made, private, found) {
            let by = another(Func::Decap, graph, [private, ciphertext]);
            graph.rule(smallvec![private, ciphertext], smallvec![secret], by);
        }
        if let (None, Some(secret)) = (made, found) {
            let by = another(Func::Secret, graph, [public, coins]);
            graph.rule(smallvec![public, coins], smallvec![secret], by);
        }
    }
}
