//! Exclusive ors: what she has determines whatever is a linear combination of it. Gaussian
//! elimination over GF(2) on the relations of a play, each group of connected ones apart.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Id};
use super::held::{Exhausted, Held, Way};

/// A relation: the exclusive or of all is zero. What is unknown of it stands apart from what is
/// known.
#[derive(Clone, Debug)]
struct Row {
    unknown: BTreeSet<Id>,
    known: BTreeSet<Id>,
}

/// Takes every value that is a combination of what she has.
pub fn solve(graph: &Graph, held: &mut Held) -> Result<(), Exhausted> {
    if graph.relations.is_empty() {
        return Ok(());
    }
    let mut pivots: BTreeMap<Id, Row> = BTreeMap::new();
    // Which rows an unknown that is no pivot stands in, so that only those are touched.
    for relation in &graph.relations {
        let mut row = Row { unknown: BTreeSet::new(), known: BTreeSet::new() };
        for id in relation {
            let side = if held.has(*id) { &mut row.known } else { &mut row.unknown };
            toggle(side, *id);
        }
        insert(row, &mut pivots, held)?;
    }
    reduce(&mut pivots, held)?;
    for (id, row) in &pivots {
        if row.unknown.len() == 1 {
            held.take(*id, Way::Sum(row.known.iter().copied().collect()));
        }
    }
    Ok(())
}

/// Takes the pivots that are there out of a row; what is left gets one of its own.
fn insert(mut row: Row, pivots: &mut BTreeMap<Id, Row>, held: &mut Held) -> Result<(), Exhausted> {
    let mut from = row.unknown.first().copied();
    while let Some(id) = from {
        match pivots.get(&id) {
            Some(pivot) => {
                held.count(pivot.unknown.len() + pivot.known.len())?;
                add(&mut row, pivot);
                from = row.unknown.range(id..).next().copied();
            }
            None => {
                pivots.insert(id, row);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Takes the later pivots out of each row, the last row first.
fn reduce(pivots: &mut BTreeMap<Id, Row>, held: &mut Held) -> Result<(), Exhausted> {
    let order: Vec<Id> = pivots.keys().rev().copied().collect();
    for id in order {
        let Some(mut row) = pivots.remove(&id) else { continue };
        let others: Vec<Id> = row.unknown.iter().copied().filter(|other| *other != id).collect();
        for other in others {
            if let Some(pivot) = pivots.get(&other) {
                held.count(pivot.unknown.len() + pivot.known.len())?;
                add(&mut row, pivot);
            }
        }
        pivots.insert(id, row);
    }
    Ok(())
}

fn add(row: &mut Row, other: &Row) {
    other.unknown.iter().for_each(|id| toggle(&mut row.unknown, *id));
    other.known.iter().for_each(|id| toggle(&mut row.known, *id));
}

fn toggle(set: &mut BTreeSet<Id>, id: Id) {
    if !set.remove(&id) {
        set.insert(id);
    }
}
