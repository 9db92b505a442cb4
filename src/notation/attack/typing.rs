//! What the protocol of a line's run says of each place in it: types, and the lines to which
//! labels bind. A value may stand in places of several types, in runs of several protocols.
//! Must not know who holds what.

use std::collections::BTreeMap;

use super::standing::Standing;
use super::{AttackLine, Setting};
use crate::algebra::Func;
use crate::notation::table::{Casts, Id, Place, Table, Type};
use crate::notation::term::{Name, Term};
use crate::wire::Kind;

/// The kinds of names.
pub type Kinds = BTreeMap<Name, Kind>;

/// The kinds that names have wherever they stand: parties, what the attacker generates as
/// declared, exponents, what events hand to her.
pub fn fixed(lines: &[Standing], fresh: &[(Name, Type)], setting: &Setting<'_>) -> Kinds {
    let mut kinds: Kinds = setting.parties.iter().map(|p| (p.clone(), Kind::Name)).collect();
    kinds.insert(setting.attacker.into(), Kind::Name);
    kinds.extend(fresh.iter().map(|(n, t)| (n.clone(), t.kind())));
    for part in lines.iter().flat_map(|standing| &standing.line.parts) {
        part.walk(&mut |t| {
            if let Term::Exp(xs) = t {
                xs.iter().for_each(|x| {
                    kinds.entry(x.clone()).or_insert(Kind::Exponent);
                });
            }
            if let Term::App(Func::Ek | Func::Encap | Func::Secret, args) = t {
                for (arg, kind) in args.iter().zip([Kind::Decapsulation, Kind::Coins]) {
                    if let Term::Name(name) = arg {
                        kinds.entry(name.clone()).or_insert(kind);
                    }
                }
            }
        });
    }
    kinds
}

/// The kinds of all names, those that are not fixed as they first stand.
pub fn kinds(lines: &[Standing], fixed: &Kinds, setting: &Setting<'_>) -> Kinds {
    let mut kinds = fixed.clone();
    for standing in lines {
        for (name, kind) in in_line(standing, setting) {
            kinds.entry(name).or_insert(kind);
        }
    }
    for term in setting.handed {
        if let Term::Name(n) = term
            && let Some(value) = setting.protocols().find_map(|protocol| protocol.value(n))
        {
            kinds.entry(n.clone()).or_insert(value.of.kind());
        }
    }
    kinds
}

/// The kinds of the names that are fields of a line.
fn in_line(standing: &Standing, setting: &Setting<'_>) -> Kinds {
    let protocol = setting.protocol_of(standing.run);
    let (mine, theirs) = (&standing.line.parts, &protocol.lines[standing.step as usize - 1].parts);
    if let ([Term::Name(whole)], true) = (mine.as_slice(), theirs.len() > 1) {
        return Kinds::from([(whole.clone(), Kind::List)]);
    }
    let mut kinds = Kinds::new();
    side_by_side(None, mine, theirs, &mut |_, mine, theirs| {
        if let (Term::Name(n), Some(id)) = (mine, protocol.table.find(theirs))
            && let Some(kind) = protocol.table.kind(id)
        {
            kinds.entry(n.clone()).or_insert(kind);
        }
    });
    kinds
}

/// A line in the terms of the table, with what its protocol says of each place.
pub fn typed(standing: &Standing, table: &Table, fixed: &Kinds, setting: &Setting<'_>) -> AttackLine {
    let Standing { run, step, deed, line } = standing;
    let protocol = setting.protocol_of(*run);
    let theirs = &protocol.lines[*step as usize - 1].parts;
    let find = |term: &Term| table.find(term).expect("the line's terms were interned");
    let mut casts = Casts::new();
    let mut first_line = BTreeMap::new();
    side_by_side(None, &line.parts, theirs, &mut |(within, at), mine, theirs| {
        let Some(theirs) = protocol.table.find(theirs) else { return };
        let place: Place = (within.map(find), at);
        if let Some(kind) = protocol.table.kind(theirs) {
            casts.insert(place, kind);
        }
        if let Some(first) = protocol.table.first_line(theirs) {
            first_line.entry(find(mine)).or_insert(first);
        }
    });
    let mut kinds = in_line(standing, setting);
    kinds.retain(|name, _| !fixed.contains_key(name));
    AttackLine {
        run: *run,
        protocol: protocol.name.as_str().into(),
        step: *step,
        deed: deed.clone(),
        parts: line.parts.iter().map(find).collect::<Vec<Id>>(),
        uses: protocol.uses.with(&line.parts),
        casts,
        table: table.in_line(kinds, first_line).into(),
        text: line.source.text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// A place in a message, as terms are written.
type Spot<'a> = (Option<&'a Term>, usize);

/// Calls `visit` for the terms of two lists that stand in the same place of the same
/// structure: the place in `mine`, the term there, and that of `theirs`.
fn side_by_side<'a>(
    within: Option<&'a Term>,
    mine: &'a [Term],
    theirs: &'a [Term],
    visit: &mut dyn FnMut(Spot<'a>, &'a Term, &'a Term),
) {
    if mine.len() == theirs.len() {
        let both = mine.iter().zip(theirs);
        both.enumerate().for_each(|(at, (m, t))| at_one_spot((within, at), m, t, visit));
    }
}

fn at_one_spot<'a>(
    spot: Spot<'a>,
    mine: &'a Term,
    theirs: &'a Term,
    visit: &mut dyn FnMut(Spot<'a>, &'a Term, &'a Term),
) {
    visit(spot, mine, theirs);
    match (mine, theirs) {
        (Term::Enc(a, k), Term::Enc(b, l)) => {
            side_by_side(Some(mine), a, b, visit);
            at_one_spot((Some(mine), a.len()), k, l, visit);
        }
        (Term::App(f, a), Term::App(g, b)) if f == g => side_by_side(Some(mine), a, b, visit),
        _ => {}
    }
}
