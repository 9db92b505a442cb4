//! What an attacker's search for an attack came to, in words.

use crate::scenario::{Hunt, Prey};

/// Its lines: what she plays, then what was found on each goal.
pub fn told(hunt: &Hunt, her: &str) -> Vec<String> {
    let bound = counted(hunt.runs, "run");
    let first = match hunt.plays.and_then(|nth| hunt.goals.get(nth)) {
        Some(played) => format!("{her} looked with up to {bound} and plays the attack on `{}`", played.goal),
        None => format!(
            "{her} found no attack with up to {bound} and only listens: what follows is what honest runs show"
        ),
    };
    let goals = hunt.goals.iter().map(|hunted| {
        let found = match &hunted.prey {
            Prey::Attack { runs, lines } => {
                format!("attack with {} and {} of hers", counted(*runs, "run"), counted(*lines, "line"))
            }
            Prey::Nothing => "none".to_owned(),
            Prey::Open { why } => format!("not finished: {why}"),
        };
        format!("{}: {found}", hunted.goal)
    });
    std::iter::once(first).chain(goals).collect()
}

fn counted(many: usize, what: &str) -> String {
    if many == 1 { format!("1 {what}") } else { format!("{many} {what}s") }
}
