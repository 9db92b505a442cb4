//! Logarithms of shares in a group that is too small: she computes the exponent of every share
//! that passes her. Must not know anybody's exponent.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::index_calculus::IndexCalculus;
use crate::algebra::{Bytes, Value};
use crate::crypto::modp64::{G, LEN, P, power};
use crate::crypto::{Agreement, Rng};
use crate::journal::{Sight, What};
use crate::limits::{MAX_LOGARITHMS, Reached};
use crate::notation::{Kind, Node, Term};
use crate::party::AttackerEffect;
use crate::wire::tagged_fields;

/// What she has of logarithms.
pub struct Logician {
    looks: bool,
    rng: Rng,
    /// The logarithms of small primes, once they were needed.
    group: Option<IndexCalculus>,
    found: BTreeMap<Bytes, Value>,
    /// Groups in which she saw shares and gets no logarithms.
    too_large: BTreeSet<Agreement>,
    /// Terms that she was told of.
    told: BTreeSet<(u32, String, Bytes)>,
}

impl Logician {
    pub fn new(looks: bool, rng: Rng) -> Logician {
        let (found, too_large, told) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Logician { looks, rng, group: None, found, too_large, told }
    }

    /// The exponents of the shares that are fields of a message, each under its term in the
    /// protocol's line.
    pub fn look(&mut self, message: &Sight, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        let suite = desk.cast.keys.suite();
        if !self.looks || !suite.all_groups().any(|group| group == Agreement::Modp64) {
            return Vec::new();
        }
        let fields = tagged_fields(&message.bytes).unwrap_or_default().into_iter().enumerate();
        let mut all = Vec::new();
        for (nth, (_, range)) in fields.filter(|(_, (kind, _))| *kind == Kind::Share) {
            let share = Bytes::from(&message.bytes[range]);
            if suite.group_of(&share) != Agreement::Modp64 {
                self.too_large.insert(suite.group_of(&share));
                continue;
            }
            let Some(exponent) = self.logarithm(&share, desk) else { continue };
            let Some(name) = exponent_of(message, nth, desk) else { continue };
            if self.told.insert((message.run, name.to_string(), share.clone())) {
                desk.effects.note(What::Recovered {
                    term: name.to_string().into(),
                    how: "index calculus on".into(),
                    from: Box::new(vec![Value { kind: Kind::Share, bytes: share }]),
                    value: exponent.clone(),
                });
                all.push((Term::Name(name), exponent));
            }
        }
        all
    }

    /// Says why she has none, in a group that is too large.
    pub fn end(&self, desk: &mut Desk<'_>) {
        let group = desk.cast.keys.suite().agreement;
        let is_too_large = self.group.is_none() && self.too_large.contains(&group);
        if self.looks
            && (group != Agreement::Modp64 && desk.cast.keys.suite().groups.is_empty() || is_too_large)
        {
            let lacked = format!("logarithms in {group} are out of her reach: she gets as far as 64 bits");
            desk.effects.note(What::AttackStopped { line: "the first share".to_owned(), lacked });
        }
    }

    /// The exponent of a share, if it is one of the group's.
    fn logarithm(&mut self, share: &Bytes, desk: &mut Desk<'_>) -> Option<Value> {
        if let Some(known) = self.found.get(share) {
            return Some(known.clone());
        }
        let number = u64::from_be_bytes(<[u8; LEN]>::try_from(share.as_slice()).ok()?);
        Agreement::Modp64.validate(share).ok()?;
        if self.found.len() >= MAX_LOGARITHMS {
            let (name, value) = ("MAX_LOGARITHMS", MAX_LOGARITHMS);
            let cause = "many shares in a small group";
            desk.effects.all.push(AttackerEffect::Halt(Reached { name, value, cause }));
            return None;
        }
        let group = self.group.get_or_insert_with(IndexCalculus::of_the_group);
        // What does not come out is none.
        let exponent = group.logarithm(number, &mut self.rng);
        let exponent = exponent.filter(|exponent| power(G, *exponent, P) == number)?;
        let exponent = Value::new(Kind::Exponent, exponent.to_be_bytes().to_vec());
        self.found.insert(share.clone(), exponent.clone());
        Some(exponent)
    }
}

/// The name of the exponent of the share that stands in this field, from 0, of a message's line.
fn exponent_of(message: &Sight, field: usize, desk: &Desk<'_>) -> Option<crate::notation::Name> {
    let protocol = &desk.cast.protocols.get(&message.protocol)?.protocol;
    let line = protocol.lines.get((message.line as usize).checked_sub(1)?)?;
    let Node::Exp(exponents) = protocol.table.node(protocol.table.find(line.parts.get(field)?)?) else {
        return None;
    };
    let [one] = exponents.as_slice() else { return None };
    match protocol.table.node(*one) {
        Node::Name(name) => Some(name.clone()),
        _ => None,
    }
}
