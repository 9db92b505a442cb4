//! Where a line of a narration stands: its run, the line of the run's protocol that it is, and
//! what the attacker does. Must not know terms' types.

use super::{Deed, Setting};
use crate::notation::fault::{Fault, Quoted};
use crate::notation::parse::{self, Line, Party};
use crate::notation::table::Type;
use crate::notation::term::{Name, Term};

/// A line in its place.
pub struct Standing {
    pub run: u32,
    pub step: u32,
    pub deed: Deed,
    pub line: Line,
}

/// The values that the attacker generates: `NAME: type`.
pub fn declared(sources: &[Quoted], setting: &Setting<'_>, faults: &mut Vec<Fault>) -> Vec<(Name, Type)> {
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

impl Standing {
    /// Resolves a line's place and parties; `I` becomes the attacker's name.
    pub fn of(mut line: Line, setting: &Setting<'_>) -> Result<Standing, Fault> {
        let Some((run, step)) = line.place else {
            return Err(line
                .fault("a line of an attack starts with its run and line")
                .help("as in `2.1 I(alice) -> bob : …`: run 2, line 1 of the protocol"));
        };
        if run == 0 {
            return Err(line.fault("runs are numbered from 1"));
        }
        let protocol = setting.protocol_of(run);
        let last = protocol.lines.len() as u32;
        if step == 0 || step > last {
            return Err(line
                .fault(format!("protocol {} has no line {step}", protocol.name))
                .help(format!("its lines are numbered 1 to {last}")));
        }
        if protocol.voice.contains(&step) {
            let fault =
                line.fault(format!("people say line {step} to each other: she hears it, and no more"));
            return Err(fault.help("leave it out; what she hears she has"));
        }
        let deed = deed(&line, setting)?;
        line.parts = line.parts.iter().map(|t| resolve(t, setting)).collect();
        for name in &mut line.names {
            if &*name.0 == "I" {
                name.0 = setting.attacker.into();
            }
        }
        Ok(Standing { run, step, deed, line })
    }
}

fn deed(line: &Line, setting: &Setting<'_>) -> Result<Deed, Fault> {
    let party = |name: &Name| party(name, line, setting);
    let is_attacker = |name: &Name| **name == *setting.attacker;
    let me: Name = setting.attacker.into();
    Ok(match (&line.from, &line.to) {
        (Party::Named(a), Party::Named(b)) if !is_attacker(a) && !is_attacker(b) => {
            Deed::Overhear { from: party(a)?, to: party(b)? }
        }
        (Party::Named(a), Party::AttackerAs(b)) if !is_attacker(a) => {
            Deed::Take { from: party(a)?, to: party(b)? }
        }
        (Party::Named(a), Party::Attacker | Party::Named(_)) if !is_attacker(a) => {
            Deed::Take { from: party(a)?, to: me }
        }
        (Party::AttackerAs(a), Party::Named(b)) if !is_attacker(b) => {
            Deed::Send { from: party(a)?, to: party(b)? }
        }
        (Party::Attacker | Party::Named(_), Party::Named(b)) if !is_attacker(b) => {
            Deed::Send { from: me, to: party(b)? }
        }
        _ => return Err(line.fault("the attacker does not send to herself")),
    })
}

/// The party that a line names, by its own name or by that of the role that a service plays.
fn party(name: &Name, line: &Line, setting: &Setting<'_>) -> Result<Name, Fault> {
    if let Some(found) = setting.parties.iter().find(|p| *p == name) {
        return Ok(found.clone());
    }
    if let Some((_, party)) = setting.aliases.iter().find(|(role, _)| role == name) {
        return Ok(party.clone());
    }
    let run = line.place.map_or(0, |(run, _)| run);
    if setting.protocol_of(run).role(name).is_some() {
        let player = setting.runs.get(&run).and_then(|run| run.names.get(name));
        let help = match player {
            Some(player) => format!("in run {run}, {player} plays it"),
            None => "name the party who plays it".to_owned(),
        };
        return Err(line
            .fault_at(name, format!("`{name}` is a role, and a narration names parties"))
            .help(help));
    }
    let words = setting.parties.iter().map(|p| &**p).chain(["I"]);
    let fault = line.fault_at(name, format!("there is no party `{name}`")).nearest(name, words);
    let help = fault.help.clone().unwrap_or_default();
    Err(fault
        .help(format!("{help} A party of its own is declared with [parties.{name}]").trim_start().to_owned()))
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
