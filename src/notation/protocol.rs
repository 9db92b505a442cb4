//! A protocol: what a file declares, checked and brought to programs for its roles.
//! Must not know TOML or bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Fault, Quoted};
use super::goal::{self, Goal};
use super::parse::{self, Line, Party};
use super::plan::Rights;
use super::project::{self, Program};
use super::slips::Warning;
use super::table::{Id, Kind, Table, Type};
use super::term::{Func, Name, Term};
use crate::limits::{MAX_LINES, MAX_TERMS};

/// The built-in services that may play a role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Service {
    /// A key distribution centre: shares a long-term key with each client.
    Kdc,
    /// A certificate authority.
    Ca,
}

impl Service {
    /// Every service with its name, which is also its party's name.
    pub const ALL: [(Service, &'static str); 2] = [(Service::Kdc, "kdc"), (Service::Ca, "ca")];

    /// The name of the party that plays it.
    pub fn name(self) -> &'static str {
        Service::ALL[self as usize].1
    }

    fn by_default(role: &str) -> Option<Service> {
        match role {
            "S" | "KDC" | "AS" | "TGS" => Some(Service::Kdc),
            "CA" => Some(Service::Ca),
            _ => None,
        }
    }
}

/// What a file says of a protocol, before it is understood.
#[derive(Clone, Default, Debug)]
pub struct Draft {
    /// The name under which runs and labels know it.
    pub name: String,
    /// The lines.
    pub messages: Vec<Quoted>,
    /// The goals.
    pub goals: Vec<Quoted>,
    /// Names for terms.
    pub lets: Vec<(Quoted, Quoted)>,
    /// What each role generates.
    pub fresh: Vec<(Quoted, Vec<Quoted>)>,
    /// What the scenario hands to each role.
    pub given: Vec<(Quoted, Vec<Quoted>)>,
    /// What a role knows beyond the defaults.
    pub knows: Vec<(Quoted, Vec<Quoted>)>,
    /// Which service plays a role; `client` makes it none.
    pub services: Vec<(Quoted, Quoted)>,
    /// The lines at which a client's role may join beside its first.
    pub joins: Vec<(Quoted, Vec<Quoted>)>,
}

/// A value that a protocol declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declared {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub of: Type,
    /// The role that generates it, is given it, or owns it for the long term.
    pub role: Name,
    /// How the role comes by it.
    pub origin: Origin,
}

/// How a role comes by a declared value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Generated anew in every run.
    Fresh,
    /// Handed in by the scenario.
    Given,
    /// Held for the long term, the same in every run.
    LongTerm,
}

/// A role and who may play it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// The role's name.
    pub name: Name,
    /// The service that plays it; a client if none.
    pub service: Option<Service>,
    /// What `[knows]` grants it, as terms.
    pub grants: Vec<Term>,
    /// Lines beside its first at which a client may join, with no memory of earlier ones:
    /// where a part begins that can be repeated, as with a ticket.
    pub joins: Vec<u32>,
}

/// A protocol, understood: roles have programs, and every fault was reported.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Its name.
    pub name: String,
    /// Its roles in the order in which they first appear.
    pub roles: Vec<Role>,
    /// Its lines, `let` names written out.
    pub lines: Vec<Line>,
    /// Its declared values.
    pub values: Vec<Declared>,
    /// Its `let` names and their terms.
    pub lets: Vec<(Name, Term)>,
    /// Its goals, `let` names written out.
    pub goals: Vec<Goal>,
    /// Its terms.
    pub table: Arc<Table>,
    /// The program of each role; a service has one for each line at which it may join.
    pub programs: BTreeMap<Name, Vec<Arc<Program>>>,
    /// Whether some message carries a certificate.
    pub has_certificates: bool,
    /// Whether key pairs encrypt, and whether they sign.
    pub uses: KeyUses,
    /// What a role never checks; see [`super::slips::warnings`] for all that is unwise.
    pub warnings: Vec<Warning>,
}

/// What a protocol uses agents' key pairs for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct KeyUses {
    /// `{M}pk(X)`.
    pub encryption: bool,
    /// `sign(sk(X), M)`.
    pub signature: bool,
}

impl Protocol {
    /// Understands a draft, or reports what is wrong with it, all at once as far as possible.
    pub fn compile(draft: &Draft) -> Result<Protocol, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut lines = read_lines(draft, &mut faults);
        let mut goals: Vec<(Goal, &Quoted)> = Vec::new();
        for source in &draft.goals {
            match goal::goal(source) {
                Ok(g) => goals.push((g, source)),
                Err(f) => faults.push(f),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut roles = read_roles(draft, &lines, &mut faults);
        let role_names: Vec<Name> = roles.iter().map(|r| r.name.clone()).collect();
        let mut values = Vec::new();
        read_joins(&draft.joins, &lines, &mut roles, &mut faults);
        read_values(&draft.fresh, Origin::Fresh, &role_names, &mut values, &mut faults);
        read_values(&draft.given, Origin::Given, &role_names, &mut values, &mut faults);
        read_knows(&draft.knows, &mut roles, &role_names, &mut values, &mut faults);
        let lets = read_lets(&draft.lets, &role_names, &values, &mut faults);
        check_names(&lines, &goals, &lets, &role_names, &values, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let expand = |term: &Term| expand(term, &lets);
        for line in &mut lines {
            line.parts = line.parts.iter().map(expand).collect();
            let size: usize = line.parts.iter().map(Term::size).sum();
            if size > MAX_TERMS {
                return Err(vec![
                    line.fault("this line is too large with its `let` names written out").help(limit_terms()),
                ]);
            }
        }
        for (goal, _) in &mut goals {
            goal.terms_mut().iter_mut().for_each(|t| *t = expand(t));
        }
        let mut protocol = Protocol {
            name: draft.name.clone(),
            roles,
            has_certificates: any_term(&lines, |t| matches!(t, Term::App(Func::Cert, _))),
            uses: KeyUses {
                encryption: any_term(
                    &lines,
                    |t| matches!(t, Term::Enc(_, k) if matches!(**k, Term::App(Func::Pk, _))),
                ),
                signature: any_term(&lines, |t| matches!(t, Term::App(Func::Sign, _))),
            },
            lines,
            values,
            lets,
            goals: goals.into_iter().map(|(g, _)| g).collect(),
            table: Arc::default(),
            programs: BTreeMap::new(),
            warnings: Vec::new(),
        };
        if !protocol.uses.encryption && !protocol.uses.signature {
            protocol.uses.signature =
                any_term(&protocol.lines, |t| matches!(t, Term::App(Func::Pk | Func::Cert, _)));
        }
        protocol.table = Arc::new(table_of(&protocol).map_err(|()| vec![too_large(draft)])?);
        project::project(&mut protocol)?;
        Ok(protocol)
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|r| &*r.name == name)
    }

    /// The roles that clients play.
    pub fn client_roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter().filter(|r| r.service.is_none())
    }

    /// The role that sends the first message.
    pub fn initiator(&self) -> &Name {
        self.sender_of(1)
    }

    /// The role that sends line `number`, which counts from 1.
    pub fn sender_of(&self, number: u32) -> &Name {
        role_of(&self.lines[number as usize - 1].from)
    }

    /// The role that receives line `number`, which counts from 1.
    pub fn receiver_of(&self, number: u32) -> &Name {
        role_of(&self.lines[number as usize - 1].to)
    }

    /// Whether line `number` has a part that its receiver sent in an earlier line.
    pub fn returns_own(&self, number: u32) -> bool {
        let (at, receiver) = (number as usize - 1, self.receiver_of(number));
        let earlier = || self.lines[..at].iter().filter(|l| role_of(&l.from) == receiver);
        let cryptic = |t: &&Term| matches!(t, Term::Enc(..) | Term::App(Func::Mac | Func::Sign, _));
        self.lines[at].parts.iter().filter(cryptic).any(|t| earlier().any(|l| l.parts.contains(t)))
    }

    /// The declared value of this name.
    pub fn value(&self, name: &str) -> Option<&Declared> {
        self.values.iter().find(|v| &*v.name == name)
    }

    /// What a role may use though it never received it (see "What a role knows" in the
    /// notation's documentation). Public keys are in a directory that all trust, except
    /// where a message brings them: as a certificate, or as the key itself. Services are
    /// configured, and a service has its register.
    pub fn rights(&self, role: &str) -> Rights {
        let mine = self.role(role);
        let is_service = mine.is_some_and(|r| r.service.is_some());
        let in_directory = |owner: &&Role| {
            is_service
                || owner.service.is_some()
                || !(self.has_certificates || self.carries_key_of(&owner.name))
        };
        let keys = self.roles.iter().filter(in_directory).map(|owner| Term::of(Func::Pk, &[&owner.name]));
        let grants = mine.map(|r| &r.grants[..]).unwrap_or_default();
        Rights {
            own: self.table.find_name(role).into_iter().collect(),
            directory: false,
            certificates: false,
            registered: true,
            granted: grants.iter().cloned().chain(keys).filter_map(|t| self.table.find(&t)).collect(),
        }
    }

    fn carries_key_of(&self, role: &Name) -> bool {
        self.lines.iter().flat_map(|l| &l.parts).any(|t| carries_key(t, role))
    }

    /// The number of a term in which `let` names may stand.
    pub fn find(&self, term: &Term) -> Option<Id> {
        self.table.find(&expand(term, &self.lets))
    }
}

fn limit_terms() -> String {
    format!("the limit MAX_TERMS is {MAX_TERMS}")
}

fn too_large(draft: &Draft) -> Fault {
    let first = draft.messages.first().cloned().unwrap_or_else(|| Quoted::new(""));
    first.fault("the protocol has too many terms").help(limit_terms())
}

/// The role that a protocol's line names; the attacker is refused when lines are read.
fn role_of(party: &Party) -> &Name {
    match party {
        Party::Named(n) | Party::AttackerAs(n) => n,
        Party::Attacker => unreachable!("read_lines refuses the attacker in a protocol"),
    }
}

fn any_term(lines: &[Line], test: impl Fn(&Term) -> bool) -> bool {
    let mut found = false;
    lines.iter().flat_map(|l| &l.parts).for_each(|t| t.walk(&mut |t| found |= test(t)));
    found
}

/// Whether whoever reads this part gets the role's public key from it.
fn carries_key(part: &Term, role: &Name) -> bool {
    match part {
        Term::App(Func::Pk, of) => matches!(&of[0], Term::Name(n) if n == role),
        Term::Enc(body, _) => body.iter().any(|t| carries_key(t, role)),
        _ => false,
    }
}

fn read_lines(draft: &Draft, faults: &mut Vec<Fault>) -> Vec<Line> {
    let mut lines = Vec::new();
    for source in draft.messages.iter().take(MAX_LINES + 1) {
        match parse::line(source) {
            Ok(line) => {
                match (&line.place, &line.from, &line.to) {
                    (Some(_), ..) => faults.push(
                        line.fault("a protocol's lines are numbered by their order")
                            .help("leave out the number; `run.line` belongs to attacks"),
                    ),
                    (_, Party::Named(a), Party::Named(b)) if a == b => {
                        faults.push(line.fault(format!("{a} sends this line to itself")));
                    }
                    (_, Party::Named(_), Party::Named(_)) => {}
                    _ => faults.push(
                        line.fault("`I`, the attacker, has no role in a protocol")
                            .help("lines with `I` belong to `attack` in a scenario"),
                    ),
                }
                lines.push(line);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if draft.messages.len() > MAX_LINES {
        faults.push(
            draft.messages[MAX_LINES].fault(format!("more lines than the limit MAX_LINES, {MAX_LINES}")),
        );
    }
    lines
}

fn read_roles(draft: &Draft, lines: &[Line], faults: &mut Vec<Fault>) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for name in lines.iter().flat_map(|l| [role_of(&l.from), role_of(&l.to)]) {
        if !roles.iter().any(|r| r.name == *name) {
            roles.push(Role {
                name: name.clone(),
                service: Service::by_default(name),
                grants: Vec::new(),
                joins: Vec::new(),
            });
        }
    }
    let names: Vec<Name> = roles.iter().map(|r| r.name.clone()).collect();
    for (role, service) in &draft.services {
        let Some(found) = roles.iter_mut().find(|r| *r.name == *role.text) else {
            faults.push(unknown_role(role, &names));
            continue;
        };
        match Service::ALL.iter().find(|s| s.1 == service.text) {
            Some((s, _)) => found.service = Some(*s),
            None if service.text == "client" => found.service = None,
            None => faults.push(
                service
                    .fault(format!("there is no service `{}`", service.text))
                    .nearest(&service.text, Service::ALL.iter().map(|s| s.1).chain(["client"])),
            ),
        }
    }
    roles
}

fn read_joins(
    declared: &[(Quoted, Vec<Quoted>)],
    lines: &[Line],
    roles: &mut [Role],
    faults: &mut Vec<Fault>,
) {
    let names: Vec<Name> = roles.iter().map(|r| r.name.clone()).collect();
    for (role, numbers) in declared {
        let Some(found) = roles.iter_mut().find(|r| *r.name == *role.text) else {
            faults.push(unknown_role(role, &names));
            continue;
        };
        if found.service.is_some() {
            faults.push(
                role.fault(format!("role {} is a service's", role.text))
                    .help("a service joins wherever it can do its part"),
            );
        }
        for number in numbers {
            let line = number.text.parse().ok().filter(|n| *n > 0);
            let receives =
                |n: &u32| lines.get(*n as usize - 1).is_some_and(|l| role_of(&l.to) == &found.name);
            match line.filter(receives) {
                Some(line) => found.joins.push(line),
                None => faults.push(
                    number
                        .fault(format!("{} receives no line {}", role.text, number.text))
                        .help("a role joins with a message that it receives"),
                ),
            }
        }
    }
}

fn unknown_role(role: &Quoted, names: &[Name]) -> Fault {
    role.fault(format!("no line has a role `{}`", role.text)).nearest(&role.text, names.iter().map(|n| &**n))
}

fn read_values(
    declared: &[(Quoted, Vec<Quoted>)],
    origin: Origin,
    roles: &[Name],
    values: &mut Vec<Declared>,
    faults: &mut Vec<Fault>,
) {
    for (role, sources) in declared {
        if !roles.iter().any(|r| **r == *role.text) {
            faults.push(unknown_role(role, roles));
        }
        for source in sources {
            match parse::declaration(source) {
                Ok((name, kind)) => declare(source, role, name, kind, origin, roles, values, faults),
                Err(fault) => faults.push(fault),
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one declaration needs all that surrounds it")]
fn declare(
    source: &Quoted,
    role: &Quoted,
    name: Name,
    kind: Option<String>,
    origin: Origin,
    roles: &[Name],
    values: &mut Vec<Declared>,
    faults: &mut Vec<Fault>,
) {
    let default = match origin {
        Origin::Fresh => "nonce",
        Origin::Given => "data",
        Origin::LongTerm => "key",
    };
    let word = kind.as_deref().unwrap_or(default);
    let of = Type::from_word(word).unwrap_or_else(|| {
        faults.push(
            source.fault(format!("there is no type `{word}`")).nearest(word, Type::ALL.iter().map(|t| t.1)),
        );
        Type::Data
    });
    if roles.contains(&name) || &*name == "I" || &*name == "g" {
        faults
            .push(source.fault(format!("`{name}` is taken: it names a role, the attacker or the generator")));
    } else if let Some(other) = values.iter().find(|v| v.name == name) {
        if origin != Origin::LongTerm || other.origin != Origin::LongTerm {
            faults.push(source.fault(format!("`{name}` is declared twice; {} has it already", other.role)));
        }
    } else {
        values.push(Declared { name, of, role: role.text.as_str().into(), origin });
    }
}

fn read_knows(
    declared: &[(Quoted, Vec<Quoted>)],
    roles: &mut [Role],
    names: &[Name],
    values: &mut Vec<Declared>,
    faults: &mut Vec<Fault>,
) {
    for (role, sources) in declared {
        let Some(at) = roles.iter().position(|r| *r.name == *role.text) else {
            faults.push(unknown_role(role, names));
            continue;
        };
        for source in sources {
            if let Ok((name, kind)) = parse::declaration(source) {
                if names.contains(&name) {
                    roles[at].grants.push(Term::Name(name));
                } else {
                    roles[at].grants.push(Term::Name(name.clone()));
                    declare(source, role, name, kind, Origin::LongTerm, names, values, faults);
                }
                continue;
            }
            match parse::term(source) {
                Ok(term @ (Term::Exp(_) | Term::App(Func::K | Func::Pw | Func::Pk | Func::Cert, _))) => {
                    roles[at].grants.push(term);
                }
                Ok(_) => faults.push(
                    source
                        .fault("a role can be given names, `NAME: type`, `g^x`, `k(..)`, `pw(..)`, `pk(..)` or `cert(..)`"),
                ),
                Err(fault) => faults.push(fault),
            }
        }
    }
}

fn read_lets(
    declared: &[(Quoted, Quoted)],
    roles: &[Name],
    values: &[Declared],
    faults: &mut Vec<Fault>,
) -> Vec<(Name, Term)> {
    let mut raw: Vec<(Name, Term, &Quoted)> = Vec::new();
    for (name, source) in declared {
        if !parse::is_name(&name.text) || roles.iter().any(|r| **r == *name.text) || &*name.text == "I" {
            faults.push(name.fault(format!("`{}` cannot name a term", name.text)));
        } else if values.iter().any(|v| *v.name == *name.text) {
            faults.push(name.fault(format!("`{}` is declared as a value already", name.text)));
        } else {
            match parse::term(source) {
                Ok(term) => raw.push((name.text.as_str().into(), term, source)),
                Err(fault) => faults.push(fault),
            }
        }
    }
    resolve_lets(raw, faults)
}

/// Writes each `let` out in terms that use no other; a name that leads back to itself is a fault.
fn resolve_lets(mut raw: Vec<(Name, Term, &Quoted)>, faults: &mut Vec<Fault>) -> Vec<(Name, Term)> {
    let mut done: Vec<(Name, Term)> = Vec::new();
    while !raw.is_empty() {
        let open: Vec<Name> = raw.iter().map(|r| r.0.clone()).collect();
        let ready = raw.iter().position(|(_, term, _)| !term.names().iter().any(|n| open.contains(n)));
        let Some(at) = ready else {
            let names = open.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            faults.push(raw[0].2.fault(format!("`let` goes in a circle through {names}")));
            done.extend(raw.into_iter().map(|(name, term, _)| (name, term)));
            return done;
        };
        let (name, term, source) = raw.remove(at);
        let term = expand(&term, &done);
        if term.size() > MAX_TERMS {
            faults.push(source.fault("this term is too large when written out").help(limit_terms()));
            return done;
        }
        done.push((name, term));
    }
    done
}

/// A term with its `let` names written out.
pub fn expand(term: &Term, lets: &[(Name, Term)]) -> Term {
    term.replace(&|n| lets.iter().find(|(name, _)| name == n).map(|(_, t)| t.clone()))
}

fn check_names(
    lines: &[Line],
    goals: &[(Goal, &Quoted)],
    lets: &[(Name, Term)],
    roles: &[Name],
    values: &[Declared],
    faults: &mut Vec<Fault>,
) {
    let known = |n: &Name| {
        roles.contains(n) || values.iter().any(|v| v.name == *n) || lets.iter().any(|(l, _)| l == n)
    };
    let words = || {
        roles.iter().chain(values.iter().map(|v| &v.name)).chain(lets.iter().map(|(l, _)| l)).map(|n| &**n)
    };
    let unknown = |fault: Fault, n: &Name| match super::fault::suggest(n, words()) {
        Some(help) if help.ends_with('?') => {
            fault.help(format!("{help} Otherwise declare it in [fresh], [given] or [let]"))
        }
        Some(help) => fault.help(format!("{help}; or declare it in [fresh], [given] or [let]")),
        None => fault.help("declare it in [fresh], [given] or [let]"),
    };
    for line in lines {
        for name in line.parts.iter().flat_map(Term::names) {
            if !known(&name) {
                faults.push(unknown(
                    line.fault_at(&name, format!("nobody generates or is given `{name}`")),
                    &name,
                ));
                break;
            }
        }
        for part in &line.parts {
            part.walk(&mut |t| {
                if let Some((name, message)) = misused(t, roles, values) {
                    faults.push(line.fault_at(&name, message));
                }
            });
        }
    }
    for (goal, source) in goals {
        for role in goal.roles() {
            if !roles.contains(role) {
                faults.push(
                    source
                        .fault(format!("no line has a role `{role}`"))
                        .nearest(role, roles.iter().map(|r| &**r)),
                );
            }
        }
        for name in goal.terms().iter().flat_map(Term::names) {
            if !known(&name) {
                faults.push(unknown(source.fault(format!("nobody generates or is given `{name}`")), &name));
            }
        }
    }
}

/// A name in a place where only another kind of name can stand.
fn misused(term: &Term, roles: &[Name], values: &[Declared]) -> Option<(Name, String)> {
    let of = |n: &Name| values.iter().find(|v| v.name == *n).map(|v| v.of);
    match term {
        Term::Exp(xs) => {
            let wrong = xs.iter().find(|x| of(x).is_some_and(|t| t != Type::Dh) || roles.contains(x))?;
            Some((wrong.clone(), format!("`{wrong}` is an exponent here, so its type must be `dh`")))
        }
        Term::App(func @ (Func::K | Func::Pw | Func::Cert), args) => {
            let n = args.iter().find_map(|a| not_in(a, roles))?;
            Some((n.clone(), format!("`{}` takes roles, and `{n}` is none", func.name())))
        }
        Term::App(func @ (Func::Pk | Func::Sk), args) => {
            let name = not_in(&args[0], roles)?;
            (of(name) != Some(Type::Keypair)).then(|| {
                (
                    name.clone(),
                    format!("`{}` takes a role or a `keypair`, and `{name}` is neither", func.name()),
                )
            })
        }
        _ => None,
    }
}

fn not_in<'a>(term: &'a Term, roles: &[Name]) -> Option<&'a Name> {
    match term {
        Term::Name(n) if !roles.contains(n) => Some(n),
        _ => None,
    }
}

fn table_of(protocol: &Protocol) -> Result<Table, ()> {
    let mut kinds: BTreeMap<Name, Kind> =
        protocol.roles.iter().map(|r| (r.name.clone(), Kind::Name)).collect();
    kinds.extend(protocol.values.iter().map(|v| (v.name.clone(), v.of.kind())));
    let mut table = Table::new(kinds);
    let mut add = |term: &Term| table.intern(term).map_err(|_| ());
    for role in &protocol.roles {
        add(&Term::Name(role.name.clone()))?;
        role.grants.iter().try_for_each(|g| add(g).map(|_| ()))?;
    }
    for value in &protocol.values {
        add(&Term::Name(value.name.clone()))?;
    }
    let mut in_lines = Vec::new();
    for (number, line) in (1..).zip(&protocol.lines) {
        for part in &line.parts {
            in_lines.push((add(part)?, number));
        }
    }
    protocol.goals.iter().flat_map(Goal::terms).try_for_each(|t| add(t).map(|_| ()))?;
    let mut shown = Vec::new();
    for (name, term) in &protocol.lets {
        shown.push((add(term)?, name));
    }
    in_lines.iter().for_each(|(id, line)| table.mark_line(*id, *line));
    shown.iter().for_each(|(id, name)| table.show_as(*id, name));
    Ok(table)
}
