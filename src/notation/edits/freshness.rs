//! Edits that let a role see by a nonce of its own that something is of now. Must not know whether
//! they help.

use super::protection::{keys, with_last};
use super::sketch::Sketch;
use super::{Edit, Kind};
use crate::algebra::Func;
use crate::notation::goal::{Claim, Goal};
use crate::notation::protocol::Protocol;
use crate::notation::table::Type;
use crate::notation::term::{Name, Term};

/// Nonces that come back in what their owner reads, and confirmations at the end.
pub(super) fn edits(sketch: &Sketch, protocol: &Protocol, broken: &[Goal]) -> Vec<Edit> {
    let mut all = Vec::new();
    for container in sketch.containers() {
        returned(sketch, protocol, &container, &mut all);
    }
    for goal in broken {
        if let Claim::Agreement { who, with, .. } = &goal.claim {
            confirmed(sketch, protocol, who, with, &goal.written, &mut all);
        }
    }
    all
}

/// A nonce of each client's who reads it, sent to its maker before: in lines that there are, or
/// where there are none, in two new ones in front.
fn returned(sketch: &Sketch, protocol: &Protocol, container: &Term, all: &mut Vec<Edit>) {
    let lines = sketch.lines_with(container);
    let Some(made) = lines.first().copied() else { return };
    let maker = sketch.lines()[made].from.clone();
    let initiator = &sketch.lines()[0].from;
    let is_client = |role: &Name| protocol.role(role).is_some_and(|role| role.service.is_none());
    let mut readers: Vec<Name> = Vec::new();
    for reader in lines.iter().map(|line| &sketch.lines()[*line].to) {
        if *reader != maker && is_client(reader) && !readers.contains(reader) {
            readers.push(reader.clone());
        }
    }
    for reader in &readers {
        let mut edited = sketch.clone();
        let nonce = Term::Name(edited.declare(reader, "N", Type::Nonce));
        let now = with_last(container, &nonce);
        let (mut size, path) = match way(&edited, reader, &maker, made) {
            Some(path) => (2 + path.len(), path),
            // Which lines a role joins at would be others, and nobody asks itself.
            None if sketch.has_joins() || reader == initiator || !is_client(initiator) => continue,
            None => {
                edited.insert(0, initiator, reader, vec![Term::Name(initiator.clone())]);
                edited.insert(1, reader, initiator, vec![nonce.clone()]);
                let Some(on) = onward(&edited, initiator, &maker, 2, made + 2) else { continue };
                (8 + on.len(), on)
            }
        };
        for line in &path {
            edited.append(*line, nonce.clone());
        }
        size += usize::from(path.is_empty());
        let buys = format!("puts {reader}'s new nonce {nonce} into {container}: {reader} refuses an old one");
        all.push(Edit::new(edited.with(container, &now), Kind::Nonce, size, buys));
    }
}

/// The fewest lines that bring what a role makes to another before a line.
fn way(sketch: &Sketch, from: &Name, to: &Name, before: usize) -> Option<Vec<usize>> {
    let sent = (0..before).filter(|line| sketch.lines()[*line].from == *from);
    let ways = sent.filter_map(|line| {
        let mut path = vec![line];
        path.extend(onward(sketch, &sketch.lines()[line].to, to, line + 1, before)?);
        Some(path)
    });
    ways.min_by_key(Vec::len)
}

/// The lines that bring on to `to` what `at` has from a line on.
fn onward(sketch: &Sketch, at: &Name, to: &Name, from: usize, before: usize) -> Option<Vec<usize>> {
    if at == to {
        return Some(Vec::new());
    }
    // Who has it when, and by which lines: each line is looked at once.
    let mut has: Vec<(Name, Vec<usize>)> = vec![(at.clone(), Vec::new())];
    for (nth, line) in sketch.lines().iter().enumerate().take(before).skip(from) {
        let Some((_, path)) = has.iter().find(|(role, _)| *role == line.from) else { continue };
        if has.iter().any(|(role, _)| *role == line.to) {
            continue;
        }
        let path: Vec<usize> = path.iter().copied().chain([nth]).collect();
        if line.to == *to {
            return Some(path);
        }
        has.push((line.to.clone(), path));
    }
    None
}

/// A nonce of one role's, and a last line in which the other returns it in a code under a key that
/// both have, or signs it with what they are to agree upon.
fn confirmed(
    sketch: &Sketch,
    protocol: &Protocol,
    who: &Name,
    with: &Name,
    on: &[Term],
    all: &mut Vec<Edit>,
) {
    let Some(last) = sketch.lines().last() else { return };
    let mut asked = sketch.clone();
    let nonce = Term::Name(asked.declare(who, "N", Type::Nonce));
    let mut size = 2;
    if last.from == *who && last.to == *with {
        asked.append(sketch.lines().len() - 1, nonce.clone());
    } else {
        asked.insert(sketch.lines().len(), who, with, vec![nonce.clone()]);
        size += 2;
    }
    let mut answers: Vec<Term> = Vec::new();
    for key in keys(sketch, protocol) {
        let over = on.iter().filter(|term| **term != key).cloned();
        let peer = Term::Name(with.clone());
        answers
            .push(Term::app(Func::Mac, [key.clone(), nonce.clone(), peer].into_iter().chain(over).collect()));
    }
    if protocol.uses.signature {
        let start = [Term::of(Func::Sk, &[with]), nonce.clone(), Term::Name(who.clone())];
        answers.push(Term::app(Func::Sign, start.into_iter().chain(on.iter().cloned()).collect()));
    }
    for answer in answers {
        let mut edited = asked.clone();
        let size = size + 2 + answer.size();
        let buys = format!(
            "has {with} answer {who}'s new nonce {nonce} with {answer}: {who} sees that {with} is there now"
        );
        edited.insert(edited.lines().len(), with, who, vec![answer]);
        all.push(Edit::new(edited, Kind::Confirm, size, buys));
    }
}
