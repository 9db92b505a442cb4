//! Passwords in the attacker's dictionary: each follows from anything by which a right word can
//! be told from a wrong one (Lowe, Analysing protocols subject to guessing attacks, JCS 12(1),
//! 2004). With the word, a code, a hash or a signature that she has comes out, or a ciphertext that
//! she has opens. Must not know when she tried it in the play.

use std::collections::BTreeSet;

use super::closure;
use super::graph::{By, Graph, Id, provenance};
use super::held::{Exhausted, Held, Way};
use super::untagged::Blobs;
use crate::algebra::{Form, How, Value};
use crate::journal::Journal;
use crate::notation::Kind;

/// Has her take every password that she can tell, and what follows from it.
pub fn guess(
    held: &mut Held,
    graph: &Graph,
    blobs: &mut Blobs,
    journal: &Journal,
    dictionary: &[String],
) -> Result<(), Exhausted> {
    // What one word opens may be what another is checked against.
    loop {
        let mut is_news = false;
        for (nth, word) in dictionary.iter().enumerate() {
            let password = graph.find(&Value::new(Kind::Key, word.as_bytes()));
            let Some(password) = password.filter(|id| !held.has(*id)) else { continue };
            let mut supposed = held.clone();
            supposed.take(password, Way::Made);
            closure::saturate(&mut supposed, graph, &mut blobs.clone(), journal)?;
            held.count(supposed.steps_since(held))?;
            let Some((tested, inputs)) = test(graph, journal, held, &supposed, password) else { continue };
            let with = leaves(graph, held, &supposed, inputs);
            held.take(password, Way::Fits { words: nth + 1, tested, with });
            closure::saturate(held, graph, blobs, journal)?;
            is_news = true;
        }
        if !is_news {
            return Ok(());
        }
    }
}

/// Something that she has and that comes of the password in a way that she can go, and what the
/// computation takes.
fn test(
    graph: &Graph,
    journal: &Journal,
    held: &Held,
    supposed: &Held,
    password: Id,
) -> Option<(Id, Vec<Id>)> {
    let is_new = |id: &Id| *id == password || (supposed.has(*id) && !held.has(*id));
    let had = |id: &Id| held.has(*id) && *id != password;
    let by_rule = graph.rules.iter().find_map(|rule| {
        let can = rule.from.iter().all(|id| supposed.has(*id)) && rule.from.iter().any(is_new);
        let tested = match rule.by {
            By::Computing(_) | By::Computed(_) => *rule.gives.first()?,
            By::Opening(_) => rule.from[0],
            By::SteppingBack { .. }
            | By::Signing(_)
            | By::Confining(_)
            | By::Publishing
            | By::Logarithm(_)
            | By::Factoring => return None,
        };
        let inputs = rule.from.iter().copied().filter(|id| *id != tested).collect();
        (can && had(&tested)).then_some((tested, inputs))
    });
    by_rule.or_else(|| {
        // Everybody can check a signature.
        (0..).zip(journal.made()).find_map(|(nth, maker)| {
            let How::Computed(_) = &maker.made.how else { return None };
            let of = provenance(journal, nth)?;
            if !matches!(of.func.definition().form, Form::Signature) {
                return None;
            }
            let signature = graph.find(&maker.made.value)?;
            let text = of.inputs.iter().skip(1).map(|part| graph.find(&part.value));
            let text = text.collect::<Option<Vec<Id>>>()?;
            let can = text.iter().all(|id| supposed.has(*id)) && text.iter().any(is_new);
            (can && had(&signature)).then_some((signature, text))
        })
    })
}

/// What she has of what it takes to come to these.
fn leaves(graph: &Graph, held: &Held, supposed: &Held, of: Vec<Id>) -> Vec<Id> {
    let (mut leaves, mut seen, mut open) = (Vec::new(), BTreeSet::new(), of);
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        match supposed.way(id) {
            _ if held.has(id) => leaves.push(id),
            Some(Way::By(rule)) => open.extend(&graph.rules[rule.index()].from),
            Some(Way::Sum(from) | Way::Joined(from)) => open.extend(from),
            _ => {}
        }
    }
    leaves.sort_unstable();
    leaves
}
