//! What follows from what the attacker has: every rule fires once, when all that it needs is
//! there, so the work is linear in what was computed in the play. Must not compute bytes.

use super::graph::Graph;
use super::held::{Exhausted, Held};
use super::sums;
use super::untagged::Blobs;
use crate::journal::Journal;

/// Has her take everything that follows.
pub fn saturate(
    held: &mut Held,
    graph: &Graph,
    blobs: &mut Blobs,
    journal: &Journal,
) -> Result<(), Exhausted> {
    loop {
        while let Some(id) = held.next() {
            for rule in &graph.nodes[id.index()].used_in {
                held.count(1)?;
                if held.lessen(graph, *rule) {
                    blobs.open(graph, *rule, journal);
                }
            }
        }
        if held.has_news() {
            sums::solve(graph, held)?;
        }
        if held.is_settled() {
            blobs.search(graph, held)?;
        }
        if held.is_settled() {
            return Ok(());
        }
    }
}
