//! Models for OFMC, in AnB. Its lines are ours: OFMC projects them itself, by its own rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::algebra::Form;
use crate::notation::{Action, Claim, Func, Name, Node, Op, Origin, Protocol, Term, Type};

use super::header::header;
use super::pattern::word;
use super::{About, NO_ENCAPSULATION, Target, Unsayable};

/// A model.
pub fn model(protocol: &Protocol, about: &About<'_>) -> Result<String, Unsayable> {
    let names = Names::of(protocol)?;
    undone(protocol)?;
    let mut more = vec![KNOWN.to_owned()];
    let breaks: Vec<String> = (2..=protocol.lines.len() as u32)
        .filter(|n| protocol.sender_of(*n) != protocol.receiver_of(n - 1))
        .map(|n| n.to_string())
        .collect();
    if !breaks.is_empty() {
        more.push(format!(
            "OFMC wants whoever received a line to send the next: before line {} an empty answer may have to be added.",
            breaks.join(", ")
        ));
    }
    let mut goals = String::new();
    for goal in &protocol.goals {
        if let Claim::Agreement { on, .. } = &goal.claim
            && on.is_empty()
        {
            more.push(format!(
                "The goal `{}` is on the names, as AnB wants something to agree on.",
                goal.text
            ));
        }
        match said(protocol, &names, &goal.claim)? {
            Some(line) => {
                let _ = writeln!(goals, "  {line}");
            }
            None => more.push(format!("The goal `{}` is left out.", goal.text)),
        }
    }
    let mut out = header(protocol, about, Target::Anb, &more);
    let title = protocol.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let title =
        if title.starts_with(|c: char| c.is_ascii_alphabetic()) { title } else { format!("P_{title}") };
    let _ = writeln!(out, "\nProtocol: {title}\n\nTypes:\n{}", types(protocol, &names));
    let _ = writeln!(out, "\nKnowledge:\n{}", knowledge(protocol, &names)?);
    out.push_str("\nActions:\n");
    for number in 1..=protocol.lines.len() as u32 {
        let (from, to) =
            (names.of_name(protocol.sender_of(number)), names.of_name(protocol.receiver_of(number)));
        let parts = names.list(&protocol.lines[number as usize - 1].parts)?;
        let _ = writeln!(out, "  {from}->{to}: {parts}");
    }
    let _ = write!(out, "\nGoals:\n{goals}");
    Ok(out)
}

const KNOWN: &str = "Roles know from the start who plays the others: no name is first learnt from a message.";

/// AnB's functions cannot be undone.
fn undone(protocol: &Protocol) -> Result<(), Unsayable> {
    for step in protocol.programs.values().flatten().flat_map(|p| &p.steps) {
        let Action::Receive { ops, .. } = &step.action else { continue };
        for op in ops {
            if let Op::Invert(_, id, _) = op
                && !matches!(protocol.table.node(*id), Node::App(Func::Xor, _))
            {
                let why = "its reader undoes it, and no function of AnB can be undone";
                return Err(Unsayable::new(protocol.table.show(*id), why));
            }
        }
    }
    Ok(())
}

fn said(protocol: &Protocol, names: &Names, claim: &Claim) -> Result<Option<String>, Unsayable> {
    Ok(match claim {
        Claim::Secret { forward: true, .. } => None,
        Claim::Secret { term, between, .. } => {
            let all: Vec<Name> = match between.as_slice() {
                [] => match protocol.table.find(term) {
                    Some(id) => protocol.roles_with(id).cloned().collect(),
                    None => Vec::new(),
                },
                some => some.to_vec(),
            };
            let all: Vec<&str> = all.iter().map(|r| names.of_name(r)).collect();
            Some(format!("{} secret between {}", names.term(term)?, all.join(",")))
        }
        Claim::Agreement { who, with, on, injective } => {
            let on = match on.as_slice() {
                [] => format!("{},{}", names.of_name(who), names.of_name(with)),
                some => names.list(some)?,
            };
            let weakly = if *injective { "" } else { "weakly " };
            Some(format!("{} {weakly}authenticates {} on {on}", names.of_name(who), names.of_name(with)))
        }
    })
}

fn types(protocol: &Protocol, names: &Names) -> String {
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for role in &protocol.roles {
        all.entry("Agent").or_default().push(names.of_name(&role.name).to_owned());
    }
    if protocol.has_certificates {
        all.entry("Agent").or_default().push("ca".to_owned());
    }
    for value in &protocol.values {
        let of = match value.of {
            Type::Key => "Symmetric_key",
            Type::Keypair => "PublicKey",
            Type::Nonce | Type::Dh | Type::Time | Type::Expiry | Type::Data | Type::Kem | Type::Coins => {
                "Number"
            }
        };
        all.entry(of).or_default().push(names.of_name(&value.name).to_owned());
    }
    let constants = constants(protocol);
    if !constants.is_empty() {
        all.entry("Number").or_default().extend(constants);
    }
    all.entry("Function").or_default().extend(functions(protocol).into_iter().chain(private(protocol)));
    let lines: Vec<String> =
        all.iter().filter(|t| !t.1.is_empty()).map(|(of, all)| format!("  {of} {}", all.join(","))).collect();
    lines.join(";\n")
}

/// What stands for texts and for the generator, in lower case: the same for everybody.
fn constants(protocol: &Protocol) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each(protocol, &mut |t| match t {
        Term::Text(text) => {
            found.insert(word(text));
        }
        Term::Exp(_) => {
            found.insert("g".to_owned());
        }
        Term::App(Func::Cert, _) => {
            found.insert(word("certificate"));
        }
        _ => {}
    });
    found
}

/// The functions that everybody can compute.
fn functions(protocol: &Protocol) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each(protocol, &mut |t| {
        let word = match t {
            Term::App(Func::Hash, _) => "hash",
            Term::App(Func::Sign, _) => "digest",
            Term::App(func @ (Func::Short | Func::Mac | Func::Kdf | Func::Succ | Func::Pred), _) => {
                func.name()
            }
            _ => return,
        };
        found.insert(word.to_owned());
    });
    found
}

fn private(protocol: &Protocol) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each(protocol, &mut |t| {
        let word = match t {
            Term::App(Func::K, _) => "shk",
            Term::App(Func::Pw, _) => "pw",
            Term::App(Func::Pk | Func::Sk | Func::Cert, _) => "pk",
            _ => return,
        };
        found.insert(word.to_owned());
    });
    found
}

fn each(protocol: &Protocol, visit: &mut dyn FnMut(&Term)) {
    protocol.lines.iter().flat_map(|l| &l.parts).for_each(|t| t.walk(&mut |t| visit(t)));
    protocol.goals.iter().flat_map(|g| g.terms()).for_each(|t| t.walk(&mut |t| visit(t)));
}

fn knowledge(protocol: &Protocol, names: &Names) -> Result<String, Unsayable> {
    let mut lines = Vec::new();
    for role in &protocol.roles {
        let mut has: Vec<String> = vec![names.of_name(&role.name).to_owned()];
        has.extend(
            protocol.roles.iter().filter(|r| r.name != role.name).map(|r| names.of_name(&r.name).to_owned()),
        );
        has.extend(constants(protocol));
        has.extend(functions(protocol));
        let pairs = protocol.uses.encryption || protocol.uses.signature || protocol.has_certificates;
        if pairs && private(protocol).contains("pk") {
            let keys = protocol.rights(&role.name).granted.into_iter().filter_map(|id| {
                match protocol.table.node(id) {
                    Node::App(Func::Pk, of) => Some(protocol.table.show(of[0])),
                    _ => None,
                }
            });
            let mut keys: BTreeSet<String> = keys.collect();
            keys.insert(role.name.to_string());
            has.extend(keys.iter().map(|k| format!("pk({})", names.of_name(k))));
            has.push(format!("inv(pk({}))", names.of_name(&role.name)));
        }
        if protocol.has_certificates {
            has.push("ca".to_owned());
            has.push("pk(ca)".to_owned());
            has.push(certificate(names.of_name(&role.name)));
        }
        let mut shared = BTreeSet::new();
        each(protocol, &mut |t| {
            if let Term::App(Func::K | Func::Pw, of) = t
                && of.contains(&Term::Name(role.name.clone()))
            {
                shared.insert(t.clone());
            }
        });
        for key in &shared {
            has.push(names.term(key)?);
        }
        let mut seen = BTreeSet::new();
        has.retain(|h| seen.insert(h.clone()));
        lines.push(format!("  {}: {}", names.of_name(&role.name), has.join(",")));
    }
    Ok(lines.join(";\n"))
}

fn certificate(of: &str) -> String {
    format!("{{t_certificate,{of},pk({of})}}inv(pk(ca))")
}

/// The words of AnB, in which variables begin in upper case and constants in lower case.
struct Names<'p> {
    protocol: &'p Protocol,
    names: BTreeMap<Name, String>,
}

impl<'p> Names<'p> {
    fn of(protocol: &'p Protocol) -> Result<Self, Unsayable> {
        let mut names: BTreeMap<Name, String> = BTreeMap::new();
        let taken = |names: &BTreeMap<Name, String>, name: &str| names.values().any(|n| n == name);
        for role in &protocol.roles {
            let name = match role.service {
                Some(_) => role.name.to_lowercase(),
                None => capital(&role.name),
            };
            if taken(&names, &name) {
                return Err(Unsayable::new(
                    &*role.name,
                    "AnB tells variables from constants by their first letter alone, and this name is another's then",
                ));
            }
            names.insert(role.name.clone(), name);
        }
        for value in &protocol.values {
            if value.origin == Origin::LongTerm {
                let why = "AnB's long-term secrets are keys, and this is a value of an agent's own";
                return Err(Unsayable::new(&*value.name, why));
            }
            let mut name = capital(&value.name);
            while taken(&names, &name) {
                name.push('x');
            }
            names.insert(value.name.clone(), name);
        }
        Ok(Names { protocol, names })
    }

    fn of_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }

    fn list(&self, terms: &[Term]) -> Result<String, Unsayable> {
        // What is written so far, each with whether it is a signature that took its text in.
        let mut all: Vec<(String, bool)> = Vec::new();
        for (at, term) in terms.iter().enumerate() {
            // A signature that follows its text is AnB's own, which reveals it.
            if let Term::App(Func::Sign, args) = term
                && terms[..at].ends_with(&args[1..])
                && all.len() >= args.len() - 1
                && all[all.len() - (args.len() - 1)..].iter().all(|(_, took)| !took)
            {
                let text = all.split_off(all.len() - (args.len() - 1)).into_iter().map(|t| t.0);
                let text = text.collect::<Vec<_>>().join(",");
                all.push((format!("{{{text}}}{}", self.key(&args[0])?), true));
                continue;
            }
            all.push((self.term(term)?, false));
        }
        Ok(all.into_iter().map(|t| t.0).collect::<Vec<_>>().join(","))
    }

    fn key(&self, key: &Term) -> Result<String, Unsayable> {
        let of = |name: &Term| match name {
            Term::Name(n) if self.protocol.value(n).is_some() => self.of_name(n).to_owned(),
            Term::Name(n) => format!("pk({})", self.of_name(n)),
            other => other.to_string(),
        };
        match key {
            Term::App(Func::Pk, args) => Ok(of(&args[0])),
            Term::App(Func::Sk, args) => Ok(format!("inv({})", of(&args[0]))),
            other => self.term(other),
        }
    }

    fn term(&self, term: &Term) -> Result<String, Unsayable> {
        Ok(match term {
            Term::Name(n) => self.of_name(n).to_owned(),
            Term::Text(text) => word(text),
            Term::Exp(xs) => {
                xs.iter().fold("g".to_owned(), |base, x| format!("exp({base},{})", self.of_name(x)))
            }
            Term::Enc(body, key) => match &**key {
                Term::App(Func::Pk, _) => format!("{{{}}}{}", self.list(body)?, self.key(key)?),
                key => format!("{{|{}|}}{}", self.list(body)?, self.term(key)?),
            },
            Term::App(Func::Pk | Func::Sk, _) => self.key(term)?,
            Term::App(Func::Cert, of) => match &of[0] {
                Term::Name(n) => certificate(self.of_name(n)),
                other => return Err(Unsayable::new(other.to_string(), "a certificate is of an agent")),
            },
            Term::App(Func::Sign, args) => {
                format!("{{digest({})}}{}", self.list(&args[1..])?, self.key(&args[0])?)
            }
            Term::App(func, _) if matches!(func.definition().form, Form::Encapsulation(_)) => {
                return Err(Unsayable::new(term.to_string(), NO_ENCAPSULATION));
            }
            Term::App(func, args) => {
                let word = match func {
                    Func::K => "shk",
                    Func::Hash => "hash",
                    other => other.name(),
                };
                format!("{word}({})", self.list(args)?)
            }
        })
    }
}

fn capital(name: &str) -> String {
    let mut all = name.chars();
    all.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(all).collect()
}
