//! Which goal a text names, wherever a file speaks of one.

use crate::notation::fault::suggest;
use crate::notation::{Claim, Goal, Protocol, Quoted, Term, goal, protocol};
use crate::scenario::expect::GoalRef;
use crate::scenario::problem::Problem;
use crate::scenario::reader::unknown;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::Node;
use crate::verdict::GoalId;

/// The goal that a text names: `secret K`, or `PROTOCOL: secret K` where several protocols of
/// the scenario have it.
pub fn known(node: &Node, text: &str, setup: &Setup) -> Result<GoalRef, Problem> {
    let all = || setup.protocols.iter().map(|(file, _)| &file.protocol);
    let (of, claim) = match text.split_once(':') {
        Some((protocol, claim)) => (Some(protocol.trim()), claim.trim()),
        None => (None, text),
    };
    if let Some(of) = of.filter(|of| !all().any(|protocol| protocol.name == *of)) {
        let names: Vec<&str> = all().map(|protocol| protocol.name.as_str()).collect();
        return Err(unknown(node, "protocol", of, &names));
    }
    let read = goal::goal(&Quoted::new(claim)).map_err(|f| node.problem(f.message))?;
    let asked = all().filter(|protocol| of.is_none_or(|of| protocol.name == of));
    let found: Vec<GoalRef> = asked.clone().filter_map(|protocol| found_in(&read, protocol)).collect();
    match found.as_slice() {
        [one] => Ok(match of {
            Some(of) => GoalRef { text: format!("{of}: {}", one.text), ..one.clone() },
            None => one.clone(),
        }),
        [first, ..] => Err(node
            .problem(format!("{} protocols have the goal `{text}`", found.len()))
            .help(format!("say which, as in `{}: {}`", first.id.protocol, first.text))),
        [] => {
            let mut problem = node.problem(format!("the protocol has no goal `{text}`"));
            let goals = asked.flat_map(|protocol| &protocol.goals).map(|goal| goal.text.as_str());
            problem.help = suggest(text, goals);
            Err(problem)
        }
    }
}

/// A protocol's goal that claims what `read` does: the one that says it in the same words, if
/// there are several.
fn found_in(read: &Goal, protocol: &Protocol) -> Option<GoalRef> {
    let expand = |term: &mut Term| *term = protocol::expand(term, &protocol.lets);
    let mut claim = read.claim.clone();
    match &mut claim {
        Claim::Secret { term, .. } => expand(term),
        Claim::Agreement { on, .. } => on.iter_mut().for_each(expand),
    }
    let same = || protocol.goals.iter().enumerate().filter(|(_, goal)| goal.claim == claim);
    let (nth, goal) = same().find(|(_, goal)| goal.written == read.written).or_else(|| same().next())?;
    let id = GoalId { protocol: protocol.name.as_str().into(), nth };
    Some(GoalRef { id, text: goal.text.clone() })
}
