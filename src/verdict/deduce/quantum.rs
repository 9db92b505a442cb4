//! What a quantum computer adds to what follows from what (Shor, FOCS 1994): an exponent from a
//! share, and a private key from a public one, of the algorithms that rest on factors and discrete
//! logarithms. That she has one is declared, not computed: the rules are there, and each result is
//! checked by the way that anybody can go. Must not know who has what.

use smallvec::{SmallVec, smallvec};

use super::graph::{By, Graph, Id};
use crate::algebra::{Form, Func, How, Private, Value};
use crate::journal::Journal;
use crate::notation::Kind;

/// Adds the rules of one that she has from this event on. `breakable` are private keys that
/// belong to public ones which everybody knows.
pub fn add(graph: &mut Graph, journal: &Journal, since: u64, breakable: &[Value]) {
    graph.quantum_since = Some(since);
    for (nth, maker) in (0..).zip(journal.made()) {
        let How::Computed(of) = &maker.made.how else { continue };
        if matches!(of.func.definition().form, Form::Power) {
            logarithm(graph, nth, of.func, &maker.made.value, &of.inputs);
        }
    }
    for key in breakable {
        graph.note(key);
        if let Ok(private) = Private::from_bytes(&key.bytes) {
            graph.note(&private.public().to_value());
        }
    }
    let private = graph.ids().filter(|id| graph.value(*id).kind == Kind::Private);
    for id in private.collect::<Vec<_>>() {
        factor(graph, id);
    }
}

/// The exponent from the power and, of one that is not of `g` itself, its base. Zero, which a share
/// of small order gives, has none.
fn logarithm(graph: &mut Graph, nth: u32, func: Func, result: &Value, inputs: &[crate::algebra::Part]) {
    let is_zero = result.bytes.iter().all(|byte| *byte == 0);
    let of = inputs.iter().map(|part| graph.find(&part.value)).collect::<Option<SmallVec<[Id; 2]>>>();
    let (Some(of), Some(power), false) = (of, graph.find(result), is_zero) else { return };
    match (func, of.as_slice()) {
        (Func::Share, [exponent]) => {
            graph.rule(smallvec![power], smallvec![*exponent], By::Logarithm(nth));
        }
        (_, [base, exponent]) => {
            graph.rule(smallvec![power, *base], smallvec![*exponent], By::Logarithm(nth));
        }
        _ => {}
    }
}

/// Those of an owner's private keys that fall, from the public ones.
fn factor(graph: &mut Graph, id: Id) {
    let Ok(private) = Private::from_bytes(&graph.value(id).bytes) else { return };
    // A public key that nobody ever showed gives nothing away.
    let Some(public) = graph.find(&private.public().to_value()) else { return };
    if let Some(broken) = private.falls_to_quantum() {
        let broken = graph.note(&broken.to_value());
        graph.rule(smallvec![public], smallvec![broken], By::Factoring);
    }
}
