//! Models for Scyther: roles that read messages by patterns. What a part kept and could read
//! later is a `match`; that both orders of exponents are one is an oracle beside the protocol.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::notation::{Func, Protocol, Term, Type};

use super::header::header;
use super::pattern::{
    Meaning, claimed, has_any, left_out, long_terms, no_three_exponents, no_xor, plain, terms, texts,
    variables, whole_roles, word, written,
};
use super::reading::{Act, Expr, Part, read};
use super::{About, Target, Unsayable};

/// A model.
pub fn model(protocol: &Protocol, about: &About<'_>) -> Result<String, Unsayable> {
    let parts = whole_roles(protocol, read(protocol)?);
    no_xor(protocol, "Scyther")?;
    no_three_exponents(protocol, "the model has words for two exponents and no more")?;
    let mut more = left_out(protocol, &parts);
    let of_clients = |t: &Term| {
        let is_client =
            |t: &Term| matches!(t, Term::Name(n) if protocol.role(n).is_some_and(|r| r.service.is_none()));
        matches!(t, Term::App(Func::K | Func::Pw, of) if of.iter().all(is_client))
    };
    let mut found = false;
    protocol.lines.iter().flat_map(|l| &l.parts).for_each(|t| t.walk(&mut |t| found |= of_clients(t)));
    if found {
        more.push(SWAPPED.to_owned());
    }
    let mut out = header(protocol, about, Target::Scyther, &more);
    let mut roles = String::new();
    let mut sent = BTreeSet::new();
    for part in &parts {
        Role { protocol, part, meaning: Meaning::default() }.write(&parts, &mut roles, &mut sent)?;
    }
    declare(&mut out, protocol, &parts);
    oracles(&mut out, protocol, &sent);
    let names: Vec<String> = parts.iter().map(|p| role(&p.role)).collect();
    let title = plain(&protocol.name).replace(|c: char| !c.is_alphanumeric(), "-");
    let _ = writeln!(out, "\nprotocol {title}({})\n{{{roles}}}", names.join(", "));
    Ok(out)
}

const SWAPPED: &str =
    "Long-term keys: k(A,B) of two clients is another key where they have swapped their roles.";

fn declare(out: &mut String, protocol: &Protocol, parts: &[Part]) {
    out.push_str("\nusertype SessionKey, Time, Data, Text;\nhashfunction h, kdf, mac, digest, g, dh, pw;\n");
    let own: Vec<String> = long_terms(parts).iter().map(|n| format!("own_{}", plain(n))).collect();
    if !own.is_empty() {
        let _ = writeln!(out, "hashfunction {};", own.join(", "));
    }
    let _ = writeln!(out, "const {}: Text;", texts(parts).into_iter().collect::<Vec<_>>().join(", "));
    if protocol.values.iter().any(|v| v.of == Type::Keypair) {
        out.push_str("const pkof: Function;\nsecret skof: Function;\ninversekeys(pkof, skof);\n");
    }
    if protocol.has_certificates {
        out.push_str("const Authority: Agent;\n\nprotocol @certificates(X)\n{\n  role X\n  {\n    send_!certificate(X, X, { t_certificate, X, pk(X) }sk(Authority));\n  }\n}\n");
    }
    let uses = |func: Func| {
        let unstep = |a: &Act| matches!(a, Act::Unstep { func: f, .. } if *f == func);
        has_any(parts, |e| matches!(e, Expr::App(f, _) if *f == func)).is_some()
            || parts.iter().any(|p| p.acts.iter().any(unstep))
    };
    let steps: Vec<&str> = [(Func::Succ, "succ"), (Func::Pred, "pred")]
        .into_iter()
        .filter(|(f, _)| uses(*f))
        .map(|s| s.1)
        .collect();
    for step in steps {
        let _ = writeln!(
            out,
            "const {step}: Function;\n\nprotocol @un{step}(X)\n{{\n  role X\n  {{\n    var T: Ticket;\n    recv_!{step}1(X, X, {step}(T));\n    send_!{step}2(X, X, T);\n  }}\n}}"
        );
    }
    if protocol.goals.is_empty() {
        out.push_str("# no goals, so no claims\n");
    }
}

/// For each message that holds a shared secret: what its maker writes with the exponents in one
/// order, its reader writes in the other.
fn oracles(out: &mut String, protocol: &Protocol, sent: &BTreeSet<Expr>) {
    for (nth, part) in sent.iter().enumerate() {
        let mut bases = Vec::new();
        part.walk(&mut |e| {
            if let Expr::Power(Some(base), by) = e {
                bases.push(((**base).clone(), (**by).clone()));
            }
        });
        let distinct =
            |all: Vec<Expr>| all.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let shares = distinct(bases.iter().map(|b| b.0.clone()).collect());
        let exponents = distinct(bases.iter().map(|b| b.1.clone()).collect());
        let at = |all: &[Expr], e: &Expr, letter: &str| {
            all.iter().position(|o| o == e).map(|n| Expr::Var(format!("'{letter}{n}")))
        };
        let share = |e: &Expr| Some(Expr::Power(None, Box::new(at(&shares, e, "i")?)));
        let swap = |flip: bool| {
            part.replace(&|e| match e {
                Expr::Power(Some(base), by) if flip => Some(Expr::Power(
                    Some(Box::new(Expr::Power(None, Box::new(at(&exponents, by, "r")?)))),
                    Box::new(at(&shares, base, "i")?),
                )),
                Expr::Power(Some(base), by) => {
                    Some(Expr::Power(Some(Box::new(share(base)?)), Box::new(at(&exponents, by, "r")?)))
                }
                e => share(e).or_else(|| at(&exponents, e, "r")),
            })
        };
        let (one, other) = (swap(false), swap(true));
        let mut vars = BTreeSet::new();
        variables(&one, &mut vars);
        let declared: String = vars
            .iter()
            .map(|v| match v {
                Expr::Agent(r) => format!("    var {}: Agent;\n", role(r)),
                Expr::Var(name) if protocol.value(name).is_some() => {
                    format!("    var {}: {};\n", name_of(v), type_of(protocol, v))
                }
                v => format!("    var {}: Ticket;\n", name_of(v)),
            })
            .collect();
        let _ = writeln!(
            out,
            "\nprotocol @exponents{nth}(O)\n{{\n  role O\n  {{\n{declared}    recv_!o{nth}a(O, O, {});\n    send_!o{nth}b(O, O, {});\n  }}\n}}",
            term(&one),
            term(&other)
        );
    }
}

struct Role<'p> {
    protocol: &'p Protocol,
    part: &'p Part,
    meaning: Meaning,
}

impl Role<'_> {
    fn write(mut self, parts: &[Part], out: &mut String, sent: &mut BTreeSet<Expr>) -> Result<(), Unsayable> {
        let name = role(&self.part.role);
        let mut body = String::new();
        let mut used = BTreeSet::new();
        let mut read = BTreeSet::new();
        let acts = &self.part.acts;
        let mut at = 0;
        let mut claims = 0;
        while let Some(act) = acts.get(at) {
            let end = acts[at + 1..].iter().position(|a| !is_reading(a)).map_or(acts.len(), |n| at + 1 + n);
            match act {
                Act::Receive { line, from, into } => {
                    let before = self.meaning.clone();
                    self.learn(&acts[at + 1..end])?;
                    let all: Vec<Expr> = into.iter().map(|e| self.meaning.of(e)).collect();
                    let shown: Vec<String> = all.iter().map(term).collect();
                    let _ = writeln!(body, "    recv_{line}({}, {name}, {});", term(from), shown.join(", "));
                    all.iter().for_each(|e| variables(e, &mut used));
                    for var in &read {
                        let (was, is) = (before.of(var), self.meaning.of(var));
                        if was != is {
                            let _ = writeln!(body, "    match({}, {});", term(&was), term(&is));
                            variables(&is, &mut used);
                        }
                    }
                    all.iter().for_each(|e| variables(e, &mut read));
                    at = end;
                    continue;
                }
                Act::Send { line, to, parts } => {
                    let all: Vec<Expr> = parts.iter().map(|e| self.meaning.of(e)).collect();
                    let shown: Vec<String> = all.iter().map(term).collect();
                    let _ = writeln!(body, "    send_{line}({name}, {}, {});", term(to), shown.join(", "));
                    all.iter().for_each(|e| variables(e, &mut used));
                    self.sayable(&all)?;
                    sent.extend(all.into_iter().filter(|e| e.any(|e| matches!(e, Expr::Power(Some(_), _)))));
                }
                Act::Secret { goal, term: secret, .. } if claimed(parts, self.protocol, *goal) => {
                    claims += 1;
                    let secret = self.meaning.of(secret);
                    let _ = writeln!(body, "    claim_{name}{claims}({name}, Secret, {});", term(&secret));
                }
                Act::Running { goal, with, on, .. } | Act::Commit { goal, with, on, .. }
                    if claimed(parts, self.protocol, *goal) =>
                {
                    let is_commit = matches!(act, Act::Commit { .. });
                    claims += 1;
                    let on: String = on.iter().map(|e| format!(", {}", term(&self.meaning.of(e)))).collect();
                    let _ = match (is_commit, on.is_empty()) {
                        (true, true) => writeln!(body, "    claim_{name}{claims}({name}, Weakagree);"),
                        (false, true) => Ok(()),
                        (_, false) => {
                            let word = if is_commit { "Commit" } else { "Running" };
                            writeln!(body, "    claim_{name}{claims}({name}, {word}, {}{on});", term(with))
                        }
                    };
                }
                _ => {}
            }
            at += 1;
        }
        let mut known = String::new();
        let _ = writeln!(out, "\n  role {name}\n  {{");
        for (own, of) in &self.part.own {
            let _ = writeln!(out, "    fresh {}: {};", value(own), word_of(*of));
            used.remove(&Expr::Var(own.clone()));
            if matches!(of, Type::Time | Type::Expiry) {
                let _ = writeln!(known, "    send_!time{}({name}, {name}, {});", plain(own), value(own));
            }
        }
        for var in used.iter().filter(|v| !matches!(v, Expr::Agent(_))) {
            let _ = writeln!(out, "    var {}: {};", name_of(var), type_of(self.protocol, var));
        }
        let _ = writeln!(out, "{known}{body}  }}");
        Ok(())
    }

    fn learn(&mut self, acts: &[Act]) -> Result<(), Unsayable> {
        for act in acts {
            if let Act::Verify { under, .. } = act
                && matches!(self.meaning.of(under), Expr::Key(_))
            {
                return Err(Unsayable::new(written(self.protocol, under), BROUGHT));
            }
            self.meaning.take(act);
            let all: Vec<Expr> = terms(act).into_iter().cloned().collect();
            self.sayable(&all)?;
        }
        Ok(())
    }

    fn sayable(&self, all: &[Expr]) -> Result<(), Unsayable> {
        let bad =
            |e: &Expr| matches!(e, Expr::Sealed(_, key) if matches!(self.meaning.of(key), Expr::Key(_)));
        match all.iter().find(|e| e.any(bad)) {
            Some(term) => Err(Unsayable::new(written(self.protocol, term), BROUGHT)),
            None => Ok(()),
        }
    }
}

const BROUGHT: &str = "Scyther has no words for a public key that a message brings without a certificate";

fn is_reading(act: &Act) -> bool {
    matches!(
        act,
        Act::Open { .. } | Act::Equal { .. } | Act::Verify { .. } | Act::Trust { .. } | Act::Unstep { .. }
    )
}

/// A role's name, which is no word of Scyther's or of the model's.
fn role(name: &str) -> String {
    let name = plain(name);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) { format!("R{name}") } else { name }
}

fn value(name: &str) -> String {
    format!("v{}", plain(name))
}

fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Var(name) | Expr::Key(name) => value(name),
        Expr::Agent(name) => role(name),
        _ => String::new(),
    }
}

fn word_of(of: Type) -> &'static str {
    match of {
        Type::Nonce | Type::Dh | Type::Keypair | Type::Kem | Type::Coins => "Nonce",
        Type::Key => "SessionKey",
        Type::Time | Type::Expiry => "Time",
        Type::Data => "Data",
    }
}

fn type_of(protocol: &Protocol, var: &Expr) -> &'static str {
    match var {
        Expr::Var(name) => protocol.value(name).map_or("Ticket", |v| word_of(v.of)),
        _ => "Ticket",
    }
}

fn list(all: &[Expr]) -> String {
    all.iter().map(term).collect::<Vec<_>>().join(", ")
}

fn term(expr: &Expr) -> String {
    match expr {
        Expr::Var(_) | Expr::Key(_) | Expr::Agent(_) => name_of(expr),
        Expr::Inside { what, .. } => term(what),
        Expr::Text(text) => word(text),
        // Of the private key, so that untrusted agents' are the attacker's.
        Expr::LongTerm(name, of) => format!("own_{}(sk({}))", plain(name), term(of)),
        Expr::Power(None, by) => format!("g({})", term(by)),
        Expr::Power(Some(base), by) => format!("dh({}, {})", term(base), term(by)),
        Expr::Sealed(body, key) => format!("{{ {} }}{}", list(body), term(key)),
        Expr::Certificate(of, key) => {
            format!(
                "{}, {}, {{ t_certificate, {}, {} }}sk(Authority)",
                term(of),
                term(key),
                term(of),
                term(key)
            )
        }
        Expr::App(func @ (Func::Pk | Func::Sk), of) => match &of[0] {
            Expr::Agent(role) => format!("{}({})", func.name(), self::role(role)),
            pair => format!("{}of({})", func.name(), term(pair)),
        },
        Expr::App(Func::Pw, of) => format!("pw(k({}))", list(of)),
        Expr::App(Func::Sign, args) => format!("{{ digest({}) }}{}", list(&args[1..]), term(&args[0])),
        Expr::App(func, args) => format!("{}({})", func.name(), list(args)),
    }
}
