//! What became of each goal: docs/NOTATION.md, "Goals".

use std::collections::BTreeSet;

use super::file::{MALLORY, Protocol};
use super::load;
use super::parse::Goal;
use super::term::{Term, Value};
use super::world::{Outcome, Part, Play};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Violated,
    Holds,
    Untested,
}

pub fn judge(play: &Play<'_>) -> Vec<(String, Verdict)> {
    let protocol = &play.scenario.protocol;
    protocol.goals.iter().map(|(text, goal)| (text.clone(), verdict(play, goal))).collect()
}

fn verdict(play: &Play<'_>, goal: &Goal) -> Verdict {
    match goal {
        Goal::Secret { of, between, forward } => {
            let between = between.clone().unwrap_or_else(|| holders(&play.scenario.protocol, of));
            secrecy(play, of, &between, *forward)
        }
        Goal::Authentication { of, by, on, injective } => authentication(play, by, of, on, *injective),
    }
}

/// The roles that have a term by the end of their own part.
fn holders(protocol: &Protocol, of: &Term) -> Vec<String> {
    let honest = load::honest(protocol).unwrap_or_default();
    honest.into_iter().filter_map(|(role, mut mind)| mind.recall(of).is_some().then_some(role)).collect()
}

/// Whether the part takes somebody honest for the role, or nobody yet.
fn is_honest(part: &Part<'_>, role: &str) -> bool {
    part.mind.peer(role) != Some(MALLORY)
}

fn was_tested(part: &Part<'_>) -> bool {
    part.outcome == Outcome::Completes || part.refused_hers
}

fn secrecy(play: &Play<'_>, of: &Term, between: &[String], forward: bool) -> Verdict {
    let holdings = if forward { &play.after_leak } else { &play.holdings };
    let Some(holdings) = holdings else { return Verdict::Untested };
    let mut verdict = Verdict::Untested;
    for part in play.parts.iter().filter(|p| between.iter().all(|role| is_honest(p, role))) {
        let Some((_, value)) = part.had.get(of) else { continue };
        if play.handed.contains(&(part.run, value.clone())) && is_made_in(play, part.run, value) {
            continue;
        }
        let vouches = part.outcome == Outcome::Completes || is_own(&play.scenario.protocol, &part.role, of);
        if vouches && holdings.can(value) {
            return Verdict::Violated;
        }
        if was_tested(part) {
            verdict = Verdict::Holds;
        }
    }
    verdict
}

/// Whether a term is made of the role's own values and long-term keys.
fn is_own(protocol: &Protocol, role: &str, of: &Term) -> bool {
    let mut names = Vec::new();
    of.names(&mut names);
    names.iter().all(|name| {
        let owners = [&protocol.fresh, &protocol.given, &protocol.lasting];
        protocol.is_role(name) || owners.iter().any(|o| o.get(name).is_some_and(|owner| owner == role))
    })
}

/// Whether a run's value is its own, and not one that an earlier run had.
fn is_made_in(play: &Play<'_>, run: u32, value: &Value) -> bool {
    let mut holders = play.parts.iter().filter(|p| p.had.values().any(|(_, v)| v == value));
    let first =
        holders.clone().min_by_key(|p| p.had.values().filter(|(_, v)| v == value).map(|(at, _)| *at).min());
    first.is_some_and(|p| p.run == run) || holders.all(|p| p.run == run)
}

fn authentication(play: &Play<'_>, by: &str, of: &str, on: &[Term], injective: bool) -> Verdict {
    let speaks_of = |p: &&Part<'_>| p.role == by && p.mind.peer(of).is_some_and(|b| b != MALLORY);
    let mut verdict = Verdict::Untested;
    let mut partners: Vec<BTreeSet<usize>> = Vec::new();
    for part in play.parts.iter().filter(speaks_of) {
        // A part that joined later and never has a value for T claims nothing about it, however
        // it ends.
        let completes = part.outcome == Outcome::Completes;
        let lines = part.lines();
        let claims = |term: &Term| load::comes_to_have(&play.scenario.protocol, &part.role, &lines, term);
        if !on.iter().all(|term| part.had.contains_key(term) || !completes && claims(term)) {
            continue;
        }
        if was_tested(part) {
            verdict = Verdict::Holds;
        }
        if completes {
            let fits = (0..play.parts.len()).filter(|&at| is_partner(part, &play.parts[at], by, of, on));
            partners.push(fits.collect());
        }
    }
    if partners.iter().any(BTreeSet::is_empty) || injective && !have_one_each(&partners) {
        return Verdict::Violated;
    }
    verdict
}

fn is_partner(part: &Part<'_>, other: &Part<'_>, by: &str, of: &str, on: &[Term]) -> bool {
    other.role == of
        && part.mind.peer(of) == Some(&other.party)
        && other.mind.peer(by) == Some(&part.party)
        && other.met.get(by).is_some_and(|at| *at <= part.ended)
        && on.iter().all(|term| match (part.had.get(term), other.had.get(term)) {
            (Some((_, mine)), Some((at, theirs))) => mine == theirs && *at <= part.ended,
            _ => false,
        })
}

/// Whether each can have a partner of its own (a matching, by augmenting paths).
fn have_one_each(partners: &[BTreeSet<usize>]) -> bool {
    fn place(
        who: usize,
        partners: &[BTreeSet<usize>],
        taken: &mut Vec<(usize, usize)>,
        tried: &mut BTreeSet<usize>,
    ) -> bool {
        for &partner in &partners[who] {
            if !tried.insert(partner) {
                continue;
            }
            let holder = taken.iter().position(|(p, _)| *p == partner);
            let is_free = match holder {
                None => true,
                Some(at) => {
                    let (_, other) = taken[at];
                    place(other, partners, taken, tried)
                }
            };
            if is_free {
                taken.retain(|(p, w)| *p != partner && *w != who);
                taken.push((partner, who));
                return true;
            }
        }
        false
    }
    let mut taken = Vec::new();
    (0..partners.len()).all(|who| place(who, partners, &mut taken, &mut BTreeSet::new()))
}
