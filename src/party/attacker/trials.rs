//! Values that she finds by trying: so many are drawn until two hashes come out the same, of one
//! value for a hash that is there already, or of two for two hashes (a birthday's worth). Every
//! trial is a hash of the bytes that the others would hash. Must not know anybody's secret.

use std::sync::Arc;

use super::Desk;
use super::format::Format;
use super::hand::Hand;
use crate::algebra::{Bytes, Made, Provenance, Value};
use crate::crypto::{Rng, sha256};
use crate::hashed::Hashed;
use crate::journal::What;
use crate::notation::attack::Find;
use crate::notation::{Id, Node};
use crate::reason::Reason;

/// What she still looks for.
pub struct Trials {
    finds: Vec<Find>,
    /// How many hashes she may try for each.
    budget: u32,
    rng: Rng,
    /// What she lacked when a line first needed something of it.
    lacked: Option<String>,
}

/// Whether a line can go on.
pub enum Ready {
    /// All that it needs is there.
    Yes,
    /// Not before she has more.
    NotYet,
    /// She tried, and did not find it.
    Never(String),
}

impl Trials {
    pub fn new(finds: Vec<Find>, budget: u32, rng: Rng) -> Trials {
        Trials { finds, budget, rng, lacked: None }
    }

    /// What she lacks for a line that waits, if it waits for that.
    pub fn lacked(&self) -> Option<&String> {
        self.lacked.as_ref()
    }

    /// Finds what a message of these parts needs.
    pub fn ready(
        &mut self,
        parts: &[Id],
        hand: &mut Hand,
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> Ready {
        self.lacked = None;
        let table = hand.knowledge.table().clone();
        let needs =
            |find: &Find| find.names.iter().any(|name| parts.iter().any(|part| table.is_part(*name, *part)));
        while let Some(at) = self.finds.iter().position(needs) {
            let find = self.finds[at].clone();
            let (grounds, line, casts) = (format.grounds.clone(), format.line, find.casts.clone());
            let format = Arc::new(Format { grounds, line, casts });
            if !hand.can_build(&find.sides, &format) {
                self.lacked = Some(hand.missing(&find.sides));
                return Ready::NotYet;
            }
            if let Err(reason) = settle(&find, hand, &format, desk) {
                return Ready::Never(format!("she cannot make what they are to fit ({reason})"));
            }
            let (trials, found) = self.search(&find, hand, &format, desk);
            let names: Vec<String> = find.names.iter().map(|name| table.show(*name)).collect();
            desk.effects.note(What::Searched {
                names: names.join(", ").into(),
                fits: find.text.as_str().into(),
                trials,
                budget: self.budget,
                found: found.is_some(),
            });
            let Some(found) = found else {
                return Ready::Never(format!("{trials} trials gave no {} that fits", names.join(" and ")));
            };
            for (name, value) in find.names.iter().zip(found) {
                desk.effects.made.push(Made::drawn(value.clone()));
                hand.knowledge.set(*name, value);
            }
            self.finds.remove(at);
        }
        Ready::Yes
    }

    /// How many hashes she tried, and values that fit.
    fn search(
        &mut self,
        find: &Find,
        hand: &mut Hand,
        format: &Arc<Format>,
        desk: &mut Desk<'_>,
    ) -> (u32, Option<Vec<Value>>) {
        let mut seed = [0; 32];
        rand::Rng::fill_bytes(&mut self.rng, &mut seed);
        let mut sides = Vec::new();
        for (nth, side) in find.sides.into_iter().enumerate() {
            let Some((value, recipe)) = hand.recipe(side, format, desk) else { return (0, None) };
            let (Node::App(_, args), name) = (hand.knowledge.table().node(side), find.names.get(nth)) else {
                return (0, None);
            };
            // A keyed function would have its key first; a hash has its arguments in their order.
            let place = name.and_then(|name| args.iter().position(|arg| arg == name));
            sides.push(Side { value, recipe, place, seed: sha256(&[&seed, &[nth as u8]]) });
        }
        let [left, right] = &mut sides[..] else { return (0, None) };
        match right.place {
            None => {
                let fits = |nth: &u32| left.hash(*nth).is_some_and(|hash| hash == right.value.bytes);
                let found = (0..self.budget).find(fits);
                (
                    found.map_or(self.budget, |nth| nth + 1),
                    found.and_then(|nth| Some(vec![left.candidate(nth)?])),
                )
            }
            Some(_) => birthday(left, right, self.budget),
        }
    }
}

/// Makes what else stands in the hashes, which stays what it is from then on.
fn settle(find: &Find, hand: &mut Hand, format: &Format, desk: &mut Desk<'_>) -> Result<(), Reason> {
    let table = hand.knowledge.table().clone();
    for arg in find.sides.iter().flat_map(|side| table.parts(*side)) {
        if !find.names.contains(&arg) {
            hand.build(arg, format, desk)?;
        }
    }
    Ok(())
}

/// One of the hashes.
struct Side {
    value: Value,
    recipe: Provenance,
    /// Where the value stands that she may choose.
    place: Option<usize>,
    seed: [u8; 32],
}

impl Side {
    /// The value to try at this time: as many bytes as it has.
    fn candidate(&self, nth: u32) -> Option<Value> {
        let own = &self.recipe.inputs.get(self.place?)?.value;
        let mut bytes = Vec::new();
        for block in 0_u32.. {
            if bytes.len() >= own.bytes.len() {
                break;
            }
            bytes.extend(sha256(&[&self.seed, &nth.to_be_bytes(), &block.to_be_bytes()]));
        }
        bytes.truncate(own.bytes.len());
        Some(Value::new(own.kind, bytes))
    }

    /// The hash with it.
    fn hash(&mut self, nth: u32) -> Option<Bytes> {
        let candidate = self.candidate(nth)?;
        self.recipe.inputs.get_mut(self.place?)?.value = candidate;
        Some(self.recipe.compute().ok()??.bytes)
    }
}

/// Two values whose hashes are the same: each new one is compared with all of the other side.
fn birthday(left: &mut Side, right: &mut Side, budget: u32) -> (u32, Option<Vec<Value>>) {
    let mut seen = [Hashed::default(), Hashed::default()];
    for trial in 0..budget {
        let (nth, is_right) = (trial / 2, trial % 2 == 1);
        let side = if is_right { &mut *right } else { &mut *left };
        let Some(hash) = side.hash(nth) else { return (trial, None) };
        let first = first_bytes(&hash);
        if let Some(other) = seen[usize::from(!is_right)].get(&first).copied() {
            let (l, r) = if is_right { (other, nth) } else { (nth, other) };
            if left.hash(l).is_some() && left.hash(l) == right.hash(r) {
                let values = [left.candidate(l), right.candidate(r)].into_iter().collect();
                return (trial + 1, values);
            }
        }
        seen[usize::from(is_right)].insert(first, nth);
    }
    (budget, None)
}

/// The first bytes of a hash, by which it is looked up.
fn first_bytes(hash: &[u8]) -> u64 {
    hash.iter().chain(&[0; 8]).take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
