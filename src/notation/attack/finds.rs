//! What she looks for by trying: names so drawn that two hashes come out the same, as in
//! `N = 'short(g^x, g^m, Na, N) = short(g^e, g^y, Ne, Nb)'`. Must not know bytes.

use super::Setting;
use super::standing::{Standing, resolve};
use crate::algebra::Form;
use crate::notation::fault::{Fault, Quoted};
use crate::notation::parse;
use crate::notation::table::{Casts, Id, Node, Table, Type};
use crate::notation::term::{Name, Term};

/// What she looks for.
#[derive(Clone, Debug)]
pub struct Find {
    /// The name that stands in the left hash, and that of the right one if there are two.
    pub names: Vec<Id>,
    /// The hashes.
    pub sides: [Id; 2],
    /// The types that the protocol has in the places of such hashes.
    pub casts: Casts,
    /// As it is written.
    pub text: String,
}

/// The same with terms that are in no table yet.
pub struct Wanted {
    names: Vec<Name>,
    pub sides: [Term; 2],
    text: String,
}

/// Reads names and what they are to fit.
pub fn read((names, equation): &(Quoted, Quoted), setting: &Setting<'_>) -> Result<Wanted, Fault> {
    let all: Vec<Name> = names.text.split(',').map(|name| name.trim().into()).collect();
    if all.len() > 2 || !all.iter().all(|name| parse::is_name(name)) {
        return Err(names.fault("she looks for one value, or for two").help("as in `N` or `N, M`"));
    }
    let mut in_text = false;
    let equals = equation.text.find(|c| {
        in_text ^= c == '"';
        c == '=' && !in_text
    });
    let sides = equals.map(|at| [&equation.text[..at], &equation.text[at + 1..]]);
    let Some(sides) = sides else {
        let fault = equation.fault("what are they to fit?");
        return Err(fault.help("as in `short(Na, N) = short(Na, Nb)`"));
    };
    let [left, right] = sides.map(|side| parse::term(&Quoted::new(side.trim())));
    let placed = |fault: Fault| Fault { help: fault.help, ..equation.fault(fault.message) };
    let sides = [left.map_err(placed)?, right.map_err(placed)?].map(|side| resolve(&side, setting));
    for (side, name) in sides.iter().zip([all.first(), all.get(1)]) {
        let args = match side {
            Term::App(func, args) if matches!(func.definition().form, Form::OneWay(_)) => args,
            _ => return Err(equation.fault(format!("`{side}` is no hash")).help("as in `short(Na, N)`")),
        };
        if let Some(name) = name.filter(|name| !args.contains(&Term::Name((*name).clone()))) {
            return Err(equation.fault(format!("`{name}` does not stand in {side} itself")));
        }
    }
    let text = equation.text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Wanted { names: all, sides, text })
}

impl Wanted {
    /// The same in the terms of a table, in which they are.
    pub fn in_table(
        self,
        table: &Table,
        lines: &[Standing],
        fresh: &[(Name, Type)],
        setting: &Setting<'_>,
        (names, _): &(Quoted, Quoted),
    ) -> Result<Find, Fault> {
        for name in &self.names {
            let of = fresh.iter().find(|(own, _)| own == name).map(|(_, of)| *of);
            if !matches!(of, Some(Type::Nonce | Type::Key | Type::Data)) {
                let fault = names.fault(format!("`{name}` is no nonce, key or data of hers"));
                return Err(fault.help("a name that she sends and nobody said before is hers"));
            }
        }
        let find = |term: &Term| table.find(term).expect("the terms were interned");
        let sides = self.sides.each_ref().map(find);
        let mut casts = Casts::new();
        let protocols = lines.iter().map(|line| setting.protocol_of(line.run));
        for protocol in protocols.chain([setting.protocol]) {
            for side in sides {
                let Node::App(func, args) = table.node(side) else { continue };
                let alike = protocol.table.ids().find_map(|id| match protocol.table.node(id) {
                    Node::App(other, theirs) if other == func && theirs.len() == args.len() => Some(theirs),
                    _ => None,
                });
                for (at, id) in alike.into_iter().flatten().enumerate() {
                    if let Some(kind) = protocol.table.kind(*id) {
                        casts.entry((Some(side), at)).or_insert(kind);
                    }
                }
            }
        }
        let names = self.names.iter().map(|name| find(&Term::Name(name.clone()))).collect();
        Ok(Find { names, sides, casts, text: self.text })
    }
}
