//! Findings and steps of evidence, in words.

use crate::verdict::{Finding, Lack, Part, Step};

/// What fell, in one sentence; `her` is the attacker's name.
pub fn finding(finding: &Finding, her: &str) -> String {
    match finding {
        Finding::Held { term, fingerprint, text, after_leak, part } => {
            let holds =
                text.as_ref().map_or_else(|| format!("{term} {fingerprint}"), |text| format!("\"{text}\""));
            let leak = if *after_leak { " once the long-term keys leak" } else { "" };
            format!("{her} holds {holds}{leak}, which {} has as {term} in {}", part.party, run_of(part))
        }
        Finding::NoPartner { part, peer, role, on, lack } => {
            let Part { party, run, .. } = part;
            let values: Vec<String> = on.iter().map(|(term, print)| format!("{term} {print}")).collect();
            let on = if values.is_empty() { String::new() } else { format!(" on {}", values.join(", ")) };
            match lack {
                Lack::Nobody => format!(
                    "{party} completed run {run} with {peer}{on}; {peer} has no run as {role} with {party} that agrees"
                ),
                Lack::TooLate => format!(
                    "{party} completed run {run} with {peer}{on}; {peer} has a run as {role} with {party} that \
                     agrees, but only afterwards"
                ),
                Lack::TooFew { completed, agree } => {
                    format!("{party} completed {completed} runs with {peer}{on}; {peer} has only {agree}")
                }
            }
        }
    }
}

/// A step, in one sentence; `her` is the attacker's name.
pub fn step(step: &Step, her: &str) -> String {
    match step {
        Step::Replaced { run, line, from, to, sent, put, .. } => {
            format!(
                "what {from} sent {to} in {run}.{line}, {sent}, never arrived: {her} put {put} in its place"
            )
        }
        Step::Sent { run, line, from, to, put, .. } => {
            format!("{her} sent {to} in {run}.{line}, as {from}: {put}")
        }
        Step::Unchecked { party, term, fingerprint, line } => format!(
            "{party} took {fingerprint} for {term} in line {line}; no check of {party}'s says who made it"
        ),
        Step::Derived { text, .. } => text.clone(),
        Step::TookPart { part } => format!("{} took part as {} in {}", part.party, part.role, run_of(part)),
        Step::TookNoPart { party, role } => format!("{party} took no part as {role} in any run"),
    }
}

/// `run 1 with bob`.
fn run_of(part: &Part) -> String {
    match part.peers.is_empty() {
        true => format!("run {}", part.run),
        false => format!("run {} with {}", part.run, part.peers.join(" and ")),
    }
}
