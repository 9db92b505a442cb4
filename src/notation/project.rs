//! Projects a protocol to one program for each role: the list of steps from which actors
//! work and a search can. What a role cannot build is a fault, what it never checks a
//! warning. Must not know bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fault::Fault;
use super::plan::{Op, Planner};
use super::program::{Action, Program, Step};
use super::protocol::{Origin, Protocol, Role};
use super::table::{Id, Node, Table};
use super::term::Name;
use super::warning::{Slip, Warning};
use crate::algebra::Func;

/// Gives the protocol its programs and warnings, or reports what a role cannot do.
pub fn project(protocol: &mut Protocol) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    for role in protocol.roles.clone() {
        let mine = lines_of(protocol, &role.name);
        let programs = if role.service.is_some() {
            service_programs(protocol, &role, &mine)
        } else {
            client_programs(protocol, &role, &mine)
        };
        match programs {
            Ok(compiled) => {
                warnings.extend(compiled.iter().flat_map(|c| c.warnings.clone()));
                let programs = compiled.into_iter().map(|c| Arc::new(c.program)).collect();
                protocol.programs.insert(role.name.clone(), programs);
            }
            Err(fault) => faults.push(fault),
        }
    }
    protocol.warnings = warnings;
    faults.sort_by_key(|f| (f.key, f.range.start));
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

struct Compiled {
    program: Program,
    warnings: Vec<Warning>,
}

fn lines_of(protocol: &Protocol, role: &Name) -> Vec<u32> {
    (1..=protocol.lines.len() as u32)
        .filter(|n| protocol.sender_of(*n) == role || protocol.receiver_of(*n) == role)
        .collect()
}

/// A service keeps no memory that it does not need: it may join at every line from which
/// on it can do its part, and a program ends before the next such line. What it made itself it
/// needs to remember, unless that comes back sealed by its own hand.
fn service_programs(protocol: &Protocol, role: &Role, mine: &[u32]) -> Result<Vec<Compiled>, Fault> {
    if let Some(first) = mine.first().filter(|n| protocol.sender_of(**n) == &role.name) {
        let line = &protocol.lines[*first as usize - 1];
        let message = format!("line {first}: {} is a service, and a service only answers", role.name);
        let instead = format!("let a client play it with `services = {{ {} = \"client\" }}`", role.name);
        return Err(line.fault(message).help(instead));
    }
    let whole = compile(protocol, role, mine)?;
    let mut starts = vec![0];
    for at in 1..mine.len() {
        let receives = protocol.receiver_of(mine[at]) == &role.name;
        let answers = mine[at..].iter().any(|n| protocol.sender_of(*n) == &role.name);
        let remembers = must_remember(protocol, role, &mine[..at], &mine[at..]);
        if receives && answers && !remembers && compile(protocol, role, &mine[at..]).is_ok() {
            starts.push(at);
        }
    }
    if starts.len() == 1 {
        return Ok(vec![whole]);
    }
    let ends = starts.iter().skip(1).copied().chain([mine.len()]);
    starts.iter().zip(ends).map(|(from, to)| compile(protocol, role, &mine[*from..to])).collect()
}

/// Whether later lines have a value again that the service made before, other than in a
/// ciphertext of its own that comes back: a challenge is compared, a ticket is read.
fn must_remember(protocol: &Protocol, role: &Role, before: &[u32], after: &[u32]) -> bool {
    let table = &*protocol.table;
    let parts = |lines: &[u32]| -> Vec<Id> {
        let terms = lines.iter().flat_map(|n| &protocol.lines[*n as usize - 1].parts);
        terms.filter_map(|t| table.find(t)).collect()
    };
    let sent: Vec<u32> = before.iter().copied().filter(|n| protocol.sender_of(*n) == &role.name).collect();
    let made = ciphertexts(table, parts(&sent));
    let tickets = ciphertexts(table, parts(&after[..1])).intersection(&made).copied().collect();
    let sealed = all_parts(table, tickets);
    let (earlier, later) = (all_parts(table, parts(before)), all_parts(table, parts(after)));
    let own = protocol.values.iter().filter(|v| v.role == role.name && v.origin == Origin::Fresh);
    own.map(|v| id_of(protocol, &v.name))
        .any(|id| earlier.contains(&id) && later.contains(&id) && !sealed.contains(&id))
}

/// The ciphertexts in these parts that somebody can come to see.
fn ciphertexts(table: &Table, mut open: Vec<Id>) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if let Node::Enc(body, _) = table.node(id)
            && found.insert(id)
        {
            open.extend(body);
        }
    }
    found
}

/// A client's program starts with its first line; where the protocol has a part that can
/// be repeated, another starts there.
fn client_programs(protocol: &Protocol, role: &Role, mine: &[u32]) -> Result<Vec<Compiled>, Fault> {
    let starts = mine.iter().enumerate().filter(|(at, line)| *at == 0 || role.joins.contains(line));
    starts.map(|(at, _)| compile(protocol, role, &mine[at..])).collect()
}

fn compile(protocol: &Protocol, role: &Role, mine: &[u32]) -> Result<Compiled, Fault> {
    let table = &*protocol.table;
    let me = id_of(protocol, &role.name);
    let entry = mine.first().copied().unwrap_or(1);
    let mut planner = Planner::new(table, protocol.rights(&role.name));
    planner.hold(me);
    let initiates = entry == 1 && protocol.initiator() == &role.name;
    for other in &protocol.roles {
        let granted = role.grants.contains(&super::term::Term::Name(other.name.clone()));
        if initiates || granted || other.service.is_some() {
            planner.hold(id_of(protocol, &other.name));
        }
    }
    let returns = returns(protocol, role, mine);
    for value in &protocol.values {
        let id = id_of(protocol, &value.name);
        if value.role == role.name && value.origin != Origin::LongTerm && !returns.contains(&id) {
            planner.hold(id);
        }
    }
    let interesting = interesting(protocol, role);
    let mut concluded = BTreeSet::new();
    // A time stamp is read off the clock when it is sent: nothing may ask for it before.
    let mut unused: BTreeSet<Id> = protocol
        .values
        .iter()
        .filter(|v| v.role == role.name && v.origin == Origin::Fresh)
        .map(|v| id_of(protocol, &v.name))
        .collect();
    let mut steps = Vec::new();
    for &number in mine {
        let line = &protocol.lines[number as usize - 1];
        let parts: Arc<[Id]> =
            line.parts.iter().map(|t| table.find(t).expect("every line's terms were interned")).collect();
        let action = if protocol.sender_of(number) == &role.name {
            let to = id_of(protocol, protocol.receiver_of(number));
            if let Some(fault) = cannot_send(protocol, &planner, role, number, to, &parts) {
                return Err(fault);
            }
            if let Some(fault) = unbounded(protocol, &planner, role, number, &parts, &unused) {
                return Err(fault);
            }
            parts.iter().for_each(|p| planner.sent(*p));
            Action::Send { to, parts }
        } else {
            let from = id_of(protocol, protocol.sender_of(number));
            let opens = steps.is_empty() && !planner.holds(from);
            let mut ops = Vec::new();
            if opens {
                ops.push(Op::Sender(from));
                planner.hold(from);
            }
            ops.extend(planner.receive(&parts));
            if !planner.holds(from) {
                ops.push(Op::Sender(from));
                planner.hold(from);
                ops.extend(planner.recheck());
            }
            Action::Receive { from, parts, ops }
        };
        parts_of(table, &action).into_iter().for_each(|id| {
            unused.remove(&id);
        });
        let ready =
            |id: &Id| !concluded.contains(id) && planner.can_compute(*id) && !uses_any(table, *id, &unused);
        let concludes: Vec<Id> = interesting.iter().copied().filter(ready).collect();
        concluded.extend(concludes.iter().copied());
        steps.push(Step { line: number, action, concludes });
    }
    let warnings = warnings(protocol, role, &planner, &steps);
    Ok(Compiled {
        program: Program { role: role.name.clone(), me, entry, steps, slots: planner.slots() },
        warnings,
    })
}

/// Values that a role made in lines before those that are `mine` and that come back to it
/// here, as in a ticket: it reads them there and has no memory of them.
fn returns(protocol: &Protocol, role: &Role, mine: &[u32]) -> BTreeSet<Id> {
    let table = &*protocol.table;
    let terms = |n: &u32| {
        let line = &protocol.lines[*n as usize - 1];
        let parts = line.parts.iter().filter_map(|t| table.find(t)).collect();
        all_parts(table, parts)
    };
    let first = mine.first().copied().unwrap_or(1);
    let earlier: BTreeSet<Id> =
        lines_of(protocol, &role.name).iter().filter(|n| **n < first).flat_map(terms).collect();
    if earlier.is_empty() {
        return BTreeSet::new();
    }
    let mut sent = BTreeSet::new();
    let mut back = BTreeSet::new();
    for number in mine {
        match protocol.receiver_of(*number) == &role.name {
            true => back.extend(terms(number).difference(&sent).copied()),
            false => sent.extend(terms(number)),
        }
    }
    back.retain(|id| earlier.contains(id));
    back
}

/// A step's terms and all their parts.
fn parts_of(table: &Table, action: &Action) -> BTreeSet<Id> {
    let (Action::Send { parts, .. } | Action::Receive { parts, .. }) = action;
    all_parts(table, parts.to_vec())
}

fn all_parts(table: &Table, mut open: Vec<Id>) -> BTreeSet<Id> {
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(table.parts(id));
        }
    }
    seen
}

fn uses_any(table: &Table, id: Id, of: &BTreeSet<Id>) -> bool {
    of.contains(&id) || table.parts(id).iter().any(|p| uses_any(table, *p, of))
}

fn id_of(protocol: &Protocol, name: &str) -> Id {
    protocol.table.find_name(name).expect("every role and value was interned")
}

/// What the journal should record of a role: its names, `let` names and goals' terms.
fn interesting(protocol: &Protocol, role: &Role) -> Vec<Id> {
    let table = &protocol.table;
    let mut all: Vec<Id> = protocol.values.iter().map(|v| id_of(protocol, &v.name)).collect();
    all.extend(protocol.roles.iter().filter(|r| r.name != role.name).map(|r| id_of(protocol, &r.name)));
    all.extend(protocol.lets.iter().filter_map(|(_, t)| table.find(t)));
    all.extend(protocol.goals.iter().flat_map(|g| g.terms()).filter_map(|t| table.find(t)));
    all.extend(table.ids().filter(|id| matches!(table.node(*id), Node::Exp(xs) if xs.len() == 1)));
    let mut seen = BTreeSet::new();
    all.retain(|id| seen.insert(*id));
    all
}

fn cannot_send(
    protocol: &Protocol,
    planner: &Planner<'_>,
    role: &Role,
    number: u32,
    to: Id,
    parts: &[Id],
) -> Option<Fault> {
    let line = &protocol.lines[number as usize - 1];
    let name = &role.name;
    if !planner.holds(to) {
        let to = planner.table.show(to);
        return Some(
            line.fault_at(&to, format!("line {number}: {name} does not know who {to} is"))
                .help(format!("let a message that {name} can read name {to}, or add it to [knows]")),
        );
    }
    let part = parts.iter().find(|p| !planner.can_build(**p))?;
    let shown = planner.table.show(*part);
    let missing: Vec<String> = planner.missing(*part).iter().map(|m| planner.table.show(*m)).collect();
    let ciphertext = match planner.table.node(*part) {
        Node::Enc(..) => " and never received this ciphertext",
        _ => "",
    };
    let message = format!(
        "line {number}: {name} cannot build {shown}: it has no {}{ciphertext}",
        missing.join(", no ")
    );
    Some(match missing.first() {
        Some(first) => line.fault_at(first, message),
        None => line.fault(message),
    })
}

/// An expiry that the role makes in this line although it has no bound for it yet.
fn unbounded(
    protocol: &Protocol,
    planner: &Planner<'_>,
    role: &Role,
    number: u32,
    parts: &[Id],
    unused: &BTreeSet<Id>,
) -> Option<Fault> {
    let line = &protocol.lines[number as usize - 1];
    let here = all_parts(planner.table, parts.to_vec());
    let made =
        protocol.values.iter().filter(|v| v.role == role.name && here.contains(&id_of(protocol, &v.name)));
    let missing = made.filter(|v| unused.contains(&id_of(protocol, &v.name))).find_map(|v| {
        let bound = v.until.as_ref()?;
        (!planner.can_build(id_of(protocol, bound))).then_some((&v.name, bound))
    });
    let (name, bound) = missing?;
    let message =
        format!("line {number}: {} cannot bound {name}: it does not have {bound} by then", role.name);
    Some(line.fault_at(name, message))
}

/// Parts that a role keeps, never checks and never passes on.
fn warnings(protocol: &Protocol, role: &Role, planner: &Planner<'_>, steps: &[Step]) -> Vec<Warning> {
    let table = planner.table;
    let mut sent = BTreeSet::new();
    for step in steps {
        if matches!(step.action, Action::Send { .. }) {
            sent.extend(parts_of(table, &step.action));
        }
    }
    let mut all = Vec::new();
    for id in planner.unchecked().iter().filter(|id| !sent.contains(id)) {
        let kept = steps.iter().find(|s| match &s.action {
            Action::Receive { ops, .. } => ops.iter().any(|op| matches!(op, Op::Keep(_, k) if k == id)),
            Action::Send { .. } => false,
        });
        if let Some(step) = kept {
            let why = match table.node(*id) {
                Node::App(Func::Sign, _) => "signature",
                Node::App(Func::Mac, _) => "code",
                Node::App(Func::Hash | Func::Short, _) => "hash",
                _ => "part",
            };
            let slip = if why == "part" { Slip::Unread } else { Slip::Unchecked };
            let fault = protocol.lines[step.line as usize - 1].fault(format!(
                "line {}: {} never checks the {why} {}",
                step.line,
                role.name,
                table.show(*id)
            ));
            all.push(Warning { slip, fault, story: None });
        }
    }
    all
}
