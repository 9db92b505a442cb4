//! Plays a narration on terms: every message of the attacker's must be one that she can build.
//! Must not know who takes part in which run.

use std::collections::BTreeSet;

use super::standing::Standing;
use super::{AttackLine, Deed, Setting};
use crate::algebra::Func;
use crate::notation::fault::Fault;
use crate::notation::plan::{Planner, Rights};
use crate::notation::table::{Id, Node, Table, Type};
use crate::notation::term::{Name, Term};
use crate::wire::Kind;

/// Finds the first message that she could never build. Names on her own sends that were never
/// bound are hers, and join `fresh`.
pub fn check(
    standings: &[Standing],
    lines: &[AttackLine],
    table: &Table,
    fresh: &mut Vec<(Name, Type)>,
    setting: &Setting<'_>,
) -> Result<(), Vec<Fault>> {
    let mut planner = Planner::new(table, rights(table, setting.attacker, setting.insider));
    for id in table.ids() {
        let held = match table.node(id) {
            Node::Name(n) => {
                setting.parties.contains(n) || **n == *setting.attacker || fresh.iter().any(|(f, _)| f == n)
            }
            Node::App(Func::Pw, _) => setting.guesses,
            _ => false,
        };
        if held {
            planner.hold(id);
        }
    }
    setting.handed.iter().filter_map(|t| table.find(t)).for_each(|id| planner.hold(id));
    let mut unread: BTreeSet<Name> = BTreeSet::new();
    for (Standing { line: written, .. }, line) in standings.iter().zip(lines) {
        planner.table = &line.table;
        let names = written.parts.iter().flat_map(|part| part.names());
        let open = |planner: &Planner<'_>, n: &Name| table.find_name(n).is_some_and(|id| !planner.holds(id));
        if !matches!(line.deed, Deed::Send { .. }) {
            planner.receive(&line.parts);
            unread.extend(names.filter(|n| open(&planner, n)));
            continue;
        }
        for name in names.filter(|n| open(&planner, n) && !unread.contains(n)).collect::<BTreeSet<_>>() {
            let id = table.find_name(&name).expect("the line's names were interned");
            if line.parts.iter().any(|p| needs(table, &planner, *p, id)) {
                let of = match table.kind(id) {
                    Some(Kind::Exponent) => Type::Dh,
                    Some(Kind::Decapsulation) => Type::Kem,
                    Some(Kind::Coins) => Type::Coins,
                    _ => Type::Nonce,
                };
                fresh.push((name.clone(), of));
                planner.hold(id);
            }
        }
        if !setting.certificates && has_certificate(&written.parts) {
            let fault = written.fault("nobody has a certificate here");
            return Err(vec![
                fault.help("no protocol of this scenario says `cert(…)`, so the authority issues none"),
            ]);
        }
        if let Some(part) = line.parts.iter().find(|p| !planner.can_build(**p)) {
            let missing: Vec<String> = planner.missing(*part).iter().map(|m| table.show(*m)).collect();
            let message = format!(
                "line {}.{}: {} cannot build {}: she never has {}",
                line.run,
                line.step,
                setting.attacker,
                table.show(*part),
                missing.join(" or ")
            );
            let at = missing.first().map_or_else(|| written.fault(""), |m| written.fault_at(m, ""));
            return Err(vec![Fault { message, ..at }.help(
                "let her take or overhear it in an earlier line, or hand it to her with an [[event]] compromise",
            )]);
        }
        line.parts.iter().for_each(|p| planner.sent(*p));
    }
    Ok(())
}

fn has_certificate(terms: &[Term]) -> bool {
    let mut found = false;
    terms.iter().for_each(|t| t.walk(&mut |t| found |= matches!(t, Term::App(Func::Cert, _))));
    found
}

/// Whether the value `id` is needed to build `part`: not inside something that is held whole,
/// and not as an exponent or a decapsulation key whose public half is held.
fn needs(table: &Table, planner: &Planner<'_>, part: Id, id: Id) -> bool {
    let halves = [Node::Exp(vec![id]), Node::App(Func::Ek, vec![id])];
    let share = || halves.iter().any(|half| table.find_node(half).is_some_and(|half| planner.holds(half)));
    part == id && !share()
        || part != id
            && !planner.holds(part)
            && table.parts(part).iter().any(|p| needs(table, planner, *p, id))
}

/// What the attacker may use without having received it: public keys and certificates are
/// public documents; her own long-term keys if she is registered.
pub fn rights(table: &Table, attacker: &str, insider: bool) -> Rights {
    Rights {
        own: table.find_name(attacker).into_iter().collect(),
        directory: true,
        certificates: true,
        registered: insider,
        granted: BTreeSet::new(),
    }
}
