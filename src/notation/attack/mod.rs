//! An attack narration: the same lines as a protocol's, with parties for roles, in the
//! order in which things happen. Each line is one of the protocol of its run. Checked when it
//! is loaded: a message that the attacker could never build, and one that nobody could send or
//! take, is a fault. Must not know bytes.

mod feasible;
mod finds;
mod roles;
mod standing;
mod typing;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Fault, Quoted};
use super::parse;
use super::protocol::{KeyUses, Protocol};
use super::table::{Casts, Id, Table, Type};
use super::term::{Name, Term};
use crate::limits::MAX_LINES;

pub use feasible::rights;
pub use finds::Find;
pub use standing::resolve;
use standing::{Standing, declared};

/// What surrounds an attack: who there is, and what the attacker has.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The scenario's own protocol: also that of runs which nobody scheduled.
    pub protocol: &'a Protocol,
    /// The scheduled runs.
    pub runs: &'a BTreeMap<u32, Scheduled<'a>>,
    /// How much these lines say of who takes part in a run.
    pub says: Says,
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
    /// Whether anybody may have a certificate.
    pub certificates: bool,
    /// Whether she may come to know a password by trying words.
    pub guesses: bool,
    /// `NAME: type` of the values that she generates.
    pub fresh: &'a [Quoted],
    /// Names that she looks for by trying, and what they are to fit.
    pub finds: &'a [(Quoted, Quoted)],
}

/// A run that a scenario schedules.
#[derive(Clone, Copy, Debug)]
pub struct Scheduled<'a> {
    /// Its protocol.
    pub protocol: &'a Protocol,
    /// Who plays each client's role.
    pub names: &'a BTreeMap<Name, Name>,
}

/// How much the lines of an attack say of who takes part in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// Everything: whoever sends a line was scheduled to, or these lines brought it in.
    All,
    /// Something: rules bring others in, too.
    Some,
    /// Nothing: the line goes in the place of one that is on its way already.
    Nothing,
}

impl Setting<'_> {
    /// The scenario's own protocol, then those of its runs.
    fn protocols(&self) -> impl Iterator<Item = &Protocol> {
        [self.protocol].into_iter().chain(self.runs.values().map(|run| run.protocol))
    }

    /// The protocol of a run.
    pub fn protocol_of(&self, run: u32) -> &Protocol {
        self.runs.get(&run).map_or(self.protocol, |run| run.protocol)
    }
}

/// A narration, understood.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Its lines, in order.
    pub lines: Vec<AttackLine>,
    /// The attacker's terms: one notebook for all lines.
    pub table: Arc<Table>,
    /// The names that she generates.
    pub fresh: Vec<(Name, Type)>,
    /// What of it she looks for by trying.
    pub finds: Vec<Find>,
}

/// A line of a narration.
#[derive(Clone, Debug)]
pub struct AttackLine {
    /// The run.
    pub run: u32,
    /// The run's protocol, whose types, encoding and labels the message has.
    pub protocol: Name,
    /// The protocol's line that this message is, or passes for.
    pub step: u32,
    /// What she does.
    pub deed: Deed,
    /// The message's parts.
    pub parts: Vec<Id>,
    /// What the protocol and they ask of key pairs.
    pub uses: KeyUses,
    /// The types that the protocol has in the places of this line: types are the sender's to
    /// write, whatever a value came with or was made as.
    pub casts: Casts,
    /// Her terms as they stand in this line.
    pub table: Arc<Table>,
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
            match parse::line(source).and_then(|line| Standing::of(line, setting)) {
                Ok(line) => lines.push(line),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            faults = roles::check(&lines, setting);
        }
        let mut wanted = Vec::new();
        for source in setting.finds {
            match finds::read(source, setting) {
                Ok(find) => wanted.push(find),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let fixed = typing::fixed(&lines, &fresh, setting);
        let table = table(&lines, &wanted, typing::kinds(&lines, &fixed, setting), setting)?;
        let compiled: Vec<AttackLine> =
            lines.iter().map(|line| typing::typed(line, &table, &fixed, setting)).collect();
        feasible::check(&lines, &compiled, &table, &mut fresh, setting)?;
        let finds = wanted.into_iter().zip(setting.finds);
        let finds = finds.map(|(find, source)| find.in_table(&table, &lines, &fresh, setting, source));
        let finds = finds.collect::<Result<_, _>>().map_err(|fault| vec![fault])?;
        Ok(Attack { lines: compiled, table: Arc::new(table), fresh, finds })
    }
}

/// All terms of the lines, and those that the attacker may be handed.
fn table(
    lines: &[Standing],
    wanted: &[finds::Wanted],
    kinds: typing::Kinds,
    setting: &Setting<'_>,
) -> Result<Table, Vec<Fault>> {
    let mut table = Table::new(kinds);
    let names = setting.parties.iter().map(|p| &**p).chain([setting.attacker]).map(Term::name);
    let sides = wanted.iter().flat_map(|find| find.sides.iter().cloned());
    let others: Vec<Term> = names.chain(setting.handed.iter().cloned()).chain(sides).collect();
    for (nth, standing) in lines.iter().enumerate() {
        let besides = if nth == 0 { &others[..] } else { &[] };
        let interned = table.intern_all(besides).and_then(|_| table.intern_all(&standing.line.parts));
        interned.map_err(|_| {
            vec![standing.line.fault("the attack has too many terms").help(super::protocol::limit_terms())]
        })?;
    }
    Ok(table)
}
