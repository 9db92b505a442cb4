//! The chain of events behind a violated goal, in the scenario's own names. Must not judge.

use crate::journal::Journal;
use crate::notation::{Action, Node, Op, Protocol};

use super::outcome::SessionOutcome;
use super::traffic::Traffic;

/// What the attacker did to the messages of a session, in order.
pub fn interference(traffic: &Traffic<'_>, session: &SessionOutcome, attacker: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let to = &session.id.party;
    for injection in traffic.injected(session.id.run).iter().take_while(|i| i.event <= session.ended) {
        let message = injection.message;
        let original = injection.instead_of.and_then(|id| traffic.message(id));
        let place = format!("{}.{}", message.run, message.line);
        match original {
            Some(sent) if sent.to == message.to && sent.run == message.run => steps.push(format!(
                "what {} sent {} in {place}, {}, never arrived: {attacker} put {} in its place",
                sent.from,
                sent.to,
                sent.shown.text(),
                message.shown.text()
            )),
            _ if message.to == *to => steps.push(format!(
                "{attacker} sent {} in {place}, as {}: {}",
                message.to,
                message.from,
                message.shown.text()
            )),
            _ => {}
        }
    }
    steps
}

/// Values that a session took for its peer's although the attacker made them, and that
/// none of its checks covers.
pub fn unchecked(
    journal: &Journal,
    protocol: &Protocol,
    session: &SessionOutcome,
    attacker: &str,
) -> Vec<String> {
    let table = &protocol.table;
    let mut steps = Vec::new();
    for (id, had) in &session.values {
        let (id, value) = (*id, &had.value);
        let maker = journal.made().iter().find(|m| m.made.value.bytes == value.bytes);
        let binds = |op: &Op| matches!(op, Op::Bind(_, t) if *t == id);
        let Some(line) = line_of(protocol, session, &binds) else { continue };
        if maker.is_none_or(|m| *m.by != *attacker) {
            continue;
        }
        let covers = |op: &Op| match op {
            Op::Open(_, t, _) | Op::Verify(_, t) => contains(protocol, *t, id),
            Op::Equal(_, t) => matches!(table.node(*t), Node::App(..)) && contains(protocol, *t, id),
            _ => false,
        };
        if line_of(protocol, session, &covers).is_none() {
            steps.push(format!(
                "{} took {} for {} in line {line}; no check of {}'s says who made it",
                session.id.party,
                value.fingerprint(),
                table.show(id),
                session.id.party
            ));
        }
    }
    steps
}

fn line_of(protocol: &Protocol, session: &SessionOutcome, test: &dyn Fn(&Op) -> bool) -> Option<u32> {
    let programs = protocol.programs.get(&session.id.role)?;
    programs.iter().flat_map(|p| &p.steps).find_map(|step| match &step.action {
        Action::Receive { ops, .. } if ops.iter().any(test) => Some(step.line),
        _ => None,
    })
}

fn contains(protocol: &Protocol, whole: crate::notation::Id, part: crate::notation::Id) -> bool {
    whole == part || protocol.table.parts(whole).iter().any(|p| contains(protocol, *p, part))
}
