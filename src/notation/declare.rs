//! Reads what a draft declares: lines, roles, values, names for terms; and reports every
//! name that nobody declares or that stands where its kind cannot. Must not know bytes.

use std::collections::BTreeSet;

use super::fault::{Fault, Quoted};
use super::goal::Goal;
use super::parse::{self, Line, Party};
use super::protocol::{Declared, Draft, Origin, Role, Service, expand, limit_terms, role_of};
use super::table::Type;
use super::term::{Name, Term};
use crate::algebra::Func;
use crate::limits::{MAX_LINES, MAX_TERMS};

pub(super) fn read_lines(draft: &Draft, faults: &mut Vec<Fault>) -> Vec<Line> {
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

pub(super) fn read_roles(draft: &Draft, lines: &[Line], faults: &mut Vec<Fault>) -> Vec<Role> {
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

pub(super) fn read_joins(
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

pub(super) fn read_values(
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
    let word = kind.as_deref().map_or(default, |kind| match origin {
        Origin::Fresh => super::bound::split(kind).0,
        Origin::Given | Origin::LongTerm => kind,
    });
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
        values.push(Declared { name, of, role: role.text.as_str().into(), origin, until: None });
    }
}

pub(super) fn read_knows(
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
                Ok(term @ (Term::Exp(_) | Term::App(Func::K | Func::Pw | Func::Pk | Func::Cert | Func::Ek, _))) => {
                    roles[at].grants.push(term);
                }
                Ok(_) => faults.push(
                    source
                        .fault("a role can be given names, `NAME: type`, `g^x`, `ek(..)`, `k(..)`, `pw(..)`, `pk(..)` or `cert(..)`"),
                ),
                Err(fault) => faults.push(fault),
            }
        }
    }
}

pub(super) fn read_lets(
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

/// The lines that people say to each other.
pub(super) fn read_voice(declared: &[Quoted], lines: usize, faults: &mut Vec<Fault>) -> BTreeSet<u32> {
    let line = |source: &Quoted| source.text.parse().ok().filter(|n| (1..=lines as u32).contains(n));
    let missing = declared.iter().filter(|source| line(source).is_none());
    faults.extend(missing.map(|source| source.fault(format!("there is no line {}", source.text))));
    declared.iter().filter_map(line).collect()
}

/// The value that names groups, or a protocol: data that a scenario gives.
pub(super) fn read_given(
    declared: Option<&Quoted>,
    names: &str,
    values: &[Declared],
    faults: &mut Vec<Fault>,
) -> Option<Name> {
    let source = declared?;
    let is_data = |value: &&Declared| value.origin == Origin::Given && value.of == Type::Data;
    let given = || values.iter().filter(is_data);
    let found = given().find(|value| *value.name == *source.text).map(|value| value.name.clone());
    if found.is_none() {
        let message = format!("no role is given `{}`, data that names {names}", source.text);
        faults.push(source.fault(message).nearest(&source.text, given().map(|value| &*value.name)));
    }
    found
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

pub(super) fn check_names(
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
        Term::App(func @ (Func::Ek | Func::Encap | Func::Secret), args) => {
            let wanted = [Type::Kem, Type::Coins];
            let named = args.iter().zip(wanted).filter_map(|(arg, wanted)| match arg {
                Term::Name(name) => Some((name, wanted)),
                _ => None,
            });
            let is_wrong = |(name, wanted): &(&Name, Type)| {
                roles.contains(name) || of(name).is_some_and(|declared| declared != *wanted)
            };
            let (name, wanted) = named.into_iter().find(is_wrong)?;
            Some((
                name.clone(),
                format!("`{name}` stands in `{}` here, so its type must be `{}`", func.name(), wanted.word()),
            ))
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
