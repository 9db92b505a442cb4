//! An attack narration: the same lines as a protocol's, with parties for roles, in the
//! order in which things happen. Checked when it is loaded: a message that the attacker
//! could never build is a fault. Must not know bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fault::{Fault, Quoted};
use super::parse::{self, Line, Party};
use super::plan::{Planner, Rights};
use super::protocol::Protocol;
use super::table::{Id, Kind, Table, Type};
use super::term::{Func, Name, Term};
use crate::limits::MAX_LINES;

/// What surrounds an attack: who there is, and what she has.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The protocol that is attacked.
    pub protocol: &'a Protocol,
    /// The attacker's name.
    pub attacker: &'a str,
    /// Whether she is registered: has long-term keys and a certificate.
    pub insider: bool,
    /// The other parties' names, services included.
    pub parties: &'a [Name],
    /// Role names that stand for a party, such as `S` for `kdc`.
    pub aliases: &'a [(Name, Name)],
    /// Terms that events hand to her at some time.
    pub handed: &'a [Term],
    /// Whether she may come to know a password by trying words.
    pub guesses: bool,
    /// `NAME: type` of the values that she generates.
    pub fresh: &'a [Quoted],
}

/// A narration, understood.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Its lines, in order.
    pub lines: Vec<AttackLine>,
    /// Her terms: one notebook for all lines.
    pub table: Arc<Table>,
    /// The names that she generates.
    pub fresh: Vec<(Name, Type)>,
}

/// A line of a narration.
#[derive(Clone, Debug)]
pub struct AttackLine {
    /// The run.
    pub run: u32,
    /// The protocol's line that this message is, or passes for.
    pub step: u32,
    /// What she does.
    pub deed: Deed,
    /// The message's parts.
    pub parts: Vec<Id>,
    /// The types that she writes on fields of hers, where the line calls for another
    /// one than the value came with: types are the sender's to write.
    pub casts: BTreeMap<Id, Kind>,
    /// The line as written.
    pub text: String,
}

/// What the attacker does in a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Takes the message off the wire.
    Take {
        /// Who sent it.
        from: Name,
        /// To whom.
        to: Name,
    },
    /// Lets the message pass and reads it.
    Overhear {
        /// Who sent it.
        from: Name,
        /// To whom.
        to: Name,
    },
    /// Sends a message of her own.
    Send {
        /// The sender that it claims.
        from: Name,
        /// To whom.
        to: Name,
    },
}

impl Attack {
    /// Understands a narration, or reports what is wrong with it.
    pub fn compile(sources: &[Quoted], setting: &Setting<'_>) -> Result<Attack, Vec<Fault>> {
        if let Some(extra) = sources.get(MAX_LINES) {
            return Err(vec![extra.fault(format!("more lines than the limit MAX_LINES, {MAX_LINES}"))]);
        }
        let mut faults = Vec::new();
        let mut fresh = declared(setting.fresh, setting, &mut faults);
        let mut lines = Vec::new();
        for source in sources {
            match parse::line(source).and_then(|line| placed(line, setting)) {
                Ok(line) => lines.push(line),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut table = Table::new(kinds(&lines, &fresh, setting));
        let full = |line: &Line| vec![line.fault("the attack has too many terms")];
        for name in setting.parties.iter().map(|p| &**p).chain([setting.attacker]) {
            let _ = table.intern(&Term::name(name));
        }
        for term in setting.handed {
            let _ = table.intern(term);
        }
        let mut compiled = Vec::new();
        for placed in &lines {
            let parts = table.intern_all(&placed.line.parts).map_err(|_| full(&placed.line))?;
            compiled.push(AttackLine {
                run: placed.run,
                step: placed.step,
                deed: placed.deed.clone(),
                casts: BTreeMap::new(),
                parts,
                text: placed.line.source.text.split_whitespace().collect::<Vec<_>>().join(" "),
            });
        }
        for (placed, line) in lines.iter().zip(&mut compiled) {
            if matches!(line.deed, Deed::Send { .. }) {
                let theirs = &setting.protocol.lines[line.step as usize - 1].parts;
                pairs(&placed.line.parts, theirs, &mut |mine, theirs| {
                    if let (Some(id), Some(kind)) = (table.find(mine), setting.protocol.table.find(theirs))
                        && let Some(kind) = setting.protocol.table.kind(kind)
                    {
                        line.casts.insert(id, kind);
                    }
                });
            }
        }
        check(&lines, &compiled, &table, &mut fresh, setting)?;
        Ok(Attack { lines: compiled, table: Arc::new(table), fresh })
    }
}

struct Placed {
    run: u32,
    step: u32,
    deed: Deed,
    line: Line,
}

fn declared(sources: &[Quoted], setting: &Setting<'_>, faults: &mut Vec<Fault>) -> Vec<(Name, Type)> {
    let mut fresh = Vec::new();
    for source in sources {
        match parse::declaration(source) {
            Ok((name, kind)) => {
                let word = kind.as_deref().unwrap_or("nonce");
                match Type::from_word(word) {
                    _ if setting.parties.contains(&name) => {
                        faults.push(source.fault(format!("`{name}` is a party's name")));
                    }
                    Some(of) => fresh.push((name, of)),
                    None => faults.push(
                        source
                            .fault(format!("there is no type `{word}`"))
                            .nearest(word, Type::ALL.iter().map(|t| t.1)),
                    ),
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    fresh
}

/// Resolves a line's place and parties; `I` becomes the attacker's name.
fn placed(mut line: Line, setting: &Setting<'_>) -> Result<Placed, Fault> {
    let Some((run, step)) = line.place else {
        return Err(line
            .fault("a line of an attack starts with its run and line")
            .help("as in `2.1 I(alice) -> bob : …`: run 2, line 1 of the protocol"));
    };
    let last = setting.protocol.lines.len() as u32;
    if run == 0 {
        return Err(line.fault("runs are numbered from 1"));
    }
    if step == 0 || step > last {
        return Err(line
            .fault(format!("protocol {} has no line {step}", setting.protocol.name))
            .help(format!("its lines are numbered 1 to {last}")));
    }
    let party = |name: &Name| -> Result<Name, Fault> {
        if let Some(found) = setting.parties.iter().find(|p| *p == name) {
            return Ok(found.clone());
        }
        if let Some((_, party)) = setting.aliases.iter().find(|(role, _)| role == name) {
            return Ok(party.clone());
        }
        let words = setting.parties.iter().map(|p| &**p).chain(["I"]);
        Err(line.fault_at(name, format!("there is no party `{name}`")).nearest(name, words))
    };
    let her = |name: &Name| **name == *setting.attacker;
    let me: Name = setting.attacker.into();
    let deed = match (&line.from, &line.to) {
        (Party::Named(a), Party::Named(b)) if !her(a) && !her(b) => {
            Deed::Overhear { from: party(a)?, to: party(b)? }
        }
        (Party::Named(a), Party::AttackerAs(b)) if !her(a) => Deed::Take { from: party(a)?, to: party(b)? },
        (Party::Named(a), Party::Attacker | Party::Named(_)) if !her(a) => {
            Deed::Take { from: party(a)?, to: me }
        }
        (Party::AttackerAs(a), Party::Named(b)) if !her(b) => Deed::Send { from: party(a)?, to: party(b)? },
        (Party::Attacker | Party::Named(_), Party::Named(b)) if !her(b) => {
            Deed::Send { from: me, to: party(b)? }
        }
        _ => return Err(line.fault("the attacker does not send to herself")),
    };
    line.parts = line.parts.iter().map(|t| resolve(t, setting)).collect();
    for name in &mut line.names {
        if &*name.0 == "I" {
            name.0 = setting.attacker.into();
        }
    }
    Ok(Placed { run, step, deed, line })
}

/// A term with `I` and the aliases of services replaced by parties' names.
pub fn resolve(term: &Term, setting: &Setting<'_>) -> Term {
    term.replace(&|n| {
        if &**n == "I" {
            return Some(Term::name(setting.attacker));
        }
        if setting.parties.contains(n) {
            return None;
        }
        setting.aliases.iter().find(|(role, _)| role == n).map(|(_, party)| Term::Name(party.clone()))
    })
}

/// The kinds of her names, read off the protocol's line that each of her lines is.
fn kinds(lines: &[Placed], fresh: &[(Name, Type)], setting: &Setting<'_>) -> BTreeMap<Name, Kind> {
    let mut kinds: BTreeMap<Name, Kind> = setting.parties.iter().map(|p| (p.clone(), Kind::Name)).collect();
    kinds.insert(setting.attacker.into(), Kind::Name);
    kinds.extend(fresh.iter().map(|(n, t)| (n.clone(), t.kind())));
    for placed in lines {
        for part in &placed.line.parts {
            part.walk(&mut |t| {
                if let Term::Exp(xs) = t {
                    xs.iter().for_each(|x| {
                        kinds.entry(x.clone()).or_insert(Kind::Exponent);
                    });
                }
            });
        }
        let theirs = &setting.protocol.lines[placed.step as usize - 1].parts;
        if let ([Term::Name(whole)], true) = (placed.line.parts.as_slice(), theirs.len() > 1) {
            kinds.entry(whole.clone()).or_insert(Kind::List);
            continue;
        }
        pairs(&placed.line.parts, theirs, &mut |mine, theirs| {
            if let (Term::Name(n), Some(id)) = (mine, setting.protocol.table.find(theirs))
                && let Some(kind) = setting.protocol.table.kind(id)
            {
                kinds.entry(n.clone()).or_insert(kind);
            }
        });
    }
    for term in setting.handed {
        if let Term::Name(n) = term
            && let Some(value) = setting.protocol.value(n)
        {
            kinds.entry(n.clone()).or_insert(value.of.kind());
        }
    }
    kinds
}

/// Calls `visit` for the parts of two lists that stand in the same place of the same structure.
fn pairs(mine: &[Term], theirs: &[Term], visit: &mut dyn FnMut(&Term, &Term)) {
    if mine.len() != theirs.len() {
        return;
    }
    for (m, t) in mine.iter().zip(theirs) {
        match (m, t) {
            (Term::Enc(a, k), Term::Enc(b, l)) => {
                pairs(a, b, visit);
                pairs(std::slice::from_ref(k), std::slice::from_ref(l), visit);
            }
            (Term::App(f, a), Term::App(g, b)) if f == g => pairs(a, b, visit),
            (Term::Name(_) | Term::Text(_) | Term::Exp(_), _) => visit(m, t),
            _ => {}
        }
    }
}

/// Plays the narration on terms: every message of hers must be one that she can build.
fn check(
    placed: &[Placed],
    lines: &[AttackLine],
    table: &Table,
    fresh: &mut Vec<(Name, Type)>,
    setting: &Setting<'_>,
) -> Result<(), Vec<Fault>> {
    let mut planner = Planner::new(table, rights(table, setting.attacker, setting.insider));
    for id in table.ids() {
        let held = match table.node(id) {
            super::table::Node::Name(n) => {
                setting.parties.contains(n) || **n == *setting.attacker || fresh.iter().any(|(f, _)| f == n)
            }
            super::table::Node::App(Func::Pw, _) => setting.guesses,
            _ => false,
        };
        if held {
            planner.hold(id);
        }
    }
    setting.handed.iter().filter_map(|t| table.find(t)).for_each(|id| planner.hold(id));
    let mut unread: BTreeSet<Name> = BTreeSet::new();
    for (placed, line) in placed.iter().zip(lines) {
        let names = placed.line.parts.iter().flat_map(Term::names);
        let open = |planner: &Planner<'_>, n: &Name| table.find_name(n).is_some_and(|id| !planner.holds(id));
        if !matches!(line.deed, Deed::Send { .. }) {
            planner.receive(&line.parts);
            unread.extend(names.filter(|n| open(&planner, n)));
            continue;
        }
        for name in names.filter(|n| open(&planner, n) && !unread.contains(n)).collect::<BTreeSet<_>>() {
            let id = table.find_name(&name).expect("the line's names were interned");
            if line.parts.iter().any(|p| needs(table, &planner, *p, id)) {
                let of = if table.kind(id) == Some(Kind::Exponent) { Type::Dh } else { Type::Nonce };
                fresh.push((name.clone(), of));
                planner.hold(id);
            }
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
            let at = missing.first().map_or_else(|| placed.line.fault(""), |m| placed.line.fault_at(m, ""));
            return Err(vec![Fault { message, ..at }.help(
                "let her take or overhear it in an earlier line, or hand it to her with an [[event]] compromise",
            )]);
        }
        line.parts.iter().for_each(|p| planner.sent(*p));
    }
    Ok(())
}

/// Whether the value `id` is needed to build `part`: not inside something that is held whole.
fn needs(table: &Table, planner: &Planner<'_>, part: Id, id: Id) -> bool {
    part == id || (!planner.holds(part) && table.parts(part).iter().any(|p| needs(table, planner, *p, id)))
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
