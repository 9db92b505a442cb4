//! Models for ProVerif, in its typed pi calculus with all terms of one type. Each act of a part
//! is one step of its process.

use std::fmt::Write as _;

use crate::notation::{Claim, Func, Protocol, Type};

use super::header::header;
use super::pattern::{
    claimed, has_any, left_out, long_terms, no_three_exponents, no_xor, services, texts, word,
};
use super::reading::{Act, Expr, Part, read};
use super::{About, Target, Unsayable};

/// The names of agents beside the attacker's.
const AGENTS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// A model.
pub fn model(protocol: &Protocol, about: &About<'_>) -> Result<String, Unsayable> {
    let parts = read(protocol)?;
    no_xor(protocol, "ProVerif")?;
    no_three_exponents(protocol, "the equation of the model is for two exponents")?;
    let mut out = header(protocol, about, Target::Proverif, &left_out(protocol, &parts));
    let clients = protocol.client_roles().count().clamp(2, AGENTS.len());
    declare(&mut out, protocol, &parts, clients);
    queries(&mut out, protocol, &parts);
    for part in &parts {
        process(&mut out, protocol, part);
    }
    main(&mut out, protocol, &parts, clients);
    Ok(out)
}

fn declare(out: &mut String, protocol: &Protocol, parts: &[Part], clients: usize) {
    let uses = |test: fn(&Expr) -> bool| has_any(parts, test).is_some();
    out.push_str("\nfree c: channel.\n");
    let _ = writeln!(out, "free mallory, {}: bitstring.", AGENTS[..clients].join(", "));
    for service in services(protocol) {
        let _ = writeln!(out, "free {service}: bitstring.");
    }
    out.push_str("free ca: bitstring [private].\n\n(* Long-term keys, of which each agent has its own. *)\n");
    out.push_str("fun sk(bitstring): bitstring [private].\nfun pk(bitstring): bitstring.\n");
    for (func, word) in [(Func::K, "k"), (Func::Pw, "pw")] {
        if has_any(parts, |e| matches!(e, Expr::App(f, _) if *f == func)).is_some() {
            let _ = writeln!(out, "fun {word}(bitstring, bitstring): bitstring [private].");
            let _ = writeln!(out, "equation forall x: bitstring, y: bitstring; {word}(x, y) = {word}(y, x).");
        }
    }
    for value in long_terms(parts) {
        let _ = writeln!(out, "fun own_{value}(bitstring): bitstring [private].");
    }
    out.push_str("\n(* What can be made, and what can be taken apart. *)\n");
    if uses(|e| matches!(e, Expr::Sealed(_, key) if !key.is_public_key())) {
        out.push_str("fun senc(bitstring, bitstring): bitstring.\nreduc forall m: bitstring, k: bitstring; sdec(senc(m, k), k) = m.\n");
    }
    if uses(|e| matches!(e, Expr::Sealed(_, key) if key.is_public_key())) {
        out.push_str("fun aenc(bitstring, bitstring): bitstring.\nreduc forall m: bitstring, s: bitstring; adec(aenc(m, pk(s)), s) = m.\n");
    }
    out.push_str("fun sign(bitstring, bitstring): bitstring.\nreduc forall m: bitstring, s: bitstring; checksign(sign(m, s), m, pk(s)) = true.\n");
    for (func, word, arity) in [
        (Func::Hash, "h", 1),
        (Func::Short, "short", 1),
        (Func::Kdf, "kdf", 1),
        (Func::Mac, "mac", 2),
        (Func::Succ, "succ", 1),
        (Func::Pred, "pred", 1),
    ] {
        if has_any(parts, |e| matches!(e, Expr::App(f, _) if *f == func)).is_none() && !unsteps(parts, func) {
            continue;
        }
        let args = vec!["bitstring"; arity].join(", ");
        let _ = writeln!(out, "fun {word}({args}): bitstring.");
        if matches!(func, Func::Succ | Func::Pred) {
            let _ = writeln!(out, "reduc forall n: bitstring; un{word}({word}(n)) = n.");
        }
    }
    if uses(|e| matches!(e, Expr::Power(..))) {
        out.push_str("const g: bitstring.\nfun exp(bitstring, bitstring): bitstring.\nequation forall x: bitstring, y: bitstring; exp(exp(g, x), y) = exp(exp(g, y), x).\n");
    }
    let names: Vec<String> = texts(parts).into_iter().collect();
    let _ = writeln!(out, "const {}: bitstring.", names.join(", "));
}

fn unsteps(parts: &[Part], func: Func) -> bool {
    parts.iter().any(|p| p.acts.iter().any(|a| matches!(a, Act::Unstep { func: f, .. } if *f == func)))
}

fn queries(out: &mut String, protocol: &Protocol, parts: &[Part]) {
    out.push_str("\n(* The goals. *)\n");
    for (nth, goal) in protocol.goals.iter().enumerate().filter(|(n, _)| claimed(parts, protocol, *n)) {
        let _ = writeln!(out, "(* {} *)", goal.text);
        match &goal.claim {
            Claim::Secret { forward, .. } => {
                let phase = u8::from(*forward);
                let _ = writeln!(out, "event secret{nth}(bitstring).");
                let _ = writeln!(
                    out,
                    "query x: bitstring; event(secret{nth}(x)) && attacker(x) phase {phase} ==> false."
                );
            }
            Claim::Agreement { on, injective, .. } => {
                let vars: Vec<String> = (0..on.len()).map(|n| format!("x{n}")).collect();
                let list = ["a", "b"].into_iter().chain(vars.iter().map(String::as_str)).collect::<Vec<_>>();
                let typed = list.iter().map(|v| format!("{v}: bitstring")).collect::<Vec<_>>().join(", ");
                let types = vec!["bitstring"; list.len()].join(", ");
                let kind = if *injective { "inj-event" } else { "event" };
                let list = list.join(", ");
                let _ = writeln!(out, "event commit{nth}({types}).\nevent running{nth}({types}).");
                let _ = writeln!(
                    out,
                    "query {typed};\n  {kind}(commit{nth}({list})) ==> {kind}(running{nth}({list}))."
                );
            }
        }
    }
}

fn process(out: &mut String, protocol: &Protocol, part: &Part) {
    let params = std::iter::once(&part.role).chain(&part.peers);
    let params: Vec<String> = params
        .filter(|r| service(protocol, r).is_none())
        .map(|r| format!("{}: bitstring", agent(protocol, r)))
        .collect();
    match params.as_slice() {
        [] => {
            let _ = writeln!(out, "\nlet part_{} =", part.name());
        }
        some => {
            let _ = writeln!(out, "\nlet part_{}({}) =", part.name(), some.join(", "));
        }
    }
    for (name, of) in &part.own {
        let _ = writeln!(out, "  new {}: bitstring;", var(name));
        if matches!(of, Type::Time | Type::Expiry) {
            let _ = writeln!(out, "  out(c, {});", var(name));
        }
    }
    let term = |e: &Expr| term(protocol, e);
    let mut last_claims = Vec::new();
    let mut beside = 0;
    for act in &part.acts {
        match act {
            Act::Meet(role) => {
                let _ = writeln!(out, "  in(c, {}: bitstring);", agent(protocol, role));
            }
            Act::Send { line, parts, .. } => {
                let _ = writeln!(out, "  (* {line} *) out(c, {});", tuple(parts, &term));
            }
            Act::Receive { line, into, .. } => {
                let _ = writeln!(out, "  (* {line} *) in(c, {});", pattern(into, &term));
            }
            Act::Open { what, key, into } => {
                let opened = match key {
                    Expr::App(Func::Pk, _) => format!("adec({}, {})", term(what), private(protocol, key)),
                    _ => format!("sdec({}, {})", term(what), term(key)),
                };
                let _ = writeln!(out, "  let {} = {opened} in", pattern(into, &term));
            }
            Act::Equal { what, to } => {
                let _ = writeln!(out, "  if {} = {} then", term(what), term(to));
            }
            Act::Verify { what, under, text } => {
                let _ = writeln!(
                    out,
                    "  if checksign({}, {}, {}) = true then",
                    term(what),
                    tuple(text, &term),
                    term(under)
                );
            }
            Act::Trust { what, of, key } => {
                let known = known_before(part, act, of);
                let subject =
                    if known { format!("={}", term(of)) } else { format!("{}: bitstring", term(of)) };
                let of_term = term(of);
                let _ = writeln!(
                    out,
                    "  let ({subject}, {key}: bitstring, by_{key}: bitstring) = {} in\n  if checksign(by_{key}, (t_certificate, {of_term}, {key}), pk(ca)) = true then",
                    term(what),
                    key = term(key),
                );
            }
            Act::Unstep { what, func, into } => {
                let _ =
                    writeln!(out, "  let {}: bitstring = un{}({}) in", term(into), func.name(), term(what));
            }
            Act::Running { goal, me, with, on } => {
                let _ = writeln!(out, "  event running{goal}({});", list(&[with, me], on, &term));
            }
            Act::Commit { goal, me, with, on } => {
                let event = format!("event commit{goal}({})", list(&[me, with], on, &term));
                last_claims.push(guarded(protocol, std::slice::from_ref(with), &event));
            }
            Act::Secret { goal, term: secret, honest } => {
                let event = format!("event secret{goal}({})", term(secret));
                let event = guarded(protocol, honest, &event);
                if part.acts.iter().skip_while(|a| *a != act).any(|a| !is_claim(a)) {
                    // Beside the rest of the part, which goes on whoever the peer is.
                    let _ = writeln!(out, "  ( ({event}) | (");
                    beside += 1;
                } else {
                    last_claims.push(event);
                }
            }
        }
    }
    match last_claims.as_slice() {
        [] => out.push_str("  0"),
        some => {
            let all: Vec<String> = some.iter().map(|c| format!("({c})")).collect();
            let _ = write!(out, "  ( {} )", all.join("\n  | "));
        }
    }
    let _ = writeln!(out, "{}.", " ))".repeat(beside));
}

fn is_claim(act: &Act) -> bool {
    matches!(act, Act::Secret { .. } | Act::Commit { .. } | Act::Running { .. })
}

/// Whether the part has the agent's name before this act.
fn known_before(part: &Part, at: &Act, of: &Expr) -> bool {
    let Expr::Agent(role) = of else { return true };
    let named = |a: &Act| match a {
        Act::Meet(r) => r == role,
        Act::Receive { into, .. } | Act::Open { into, .. } => into.contains(of),
        Act::Trust { of: other, .. } => other == of,
        _ => false,
    };
    *role == part.role || part.peers.contains(role) || part.acts.iter().take_while(|a| *a != at).any(named)
}

fn guarded(protocol: &Protocol, honest: &[Expr], event: &str) -> String {
    let peers: Vec<String> = honest
        .iter()
        .filter(|e| !matches!(e, Expr::Agent(r) if service(protocol, r).is_some()))
        .map(|e| format!("{} <> mallory", term(protocol, e)))
        .collect();
    if peers.is_empty() { event.to_owned() } else { format!("if {} then {event}", peers.join(" && ")) }
}

fn main(out: &mut String, protocol: &Protocol, parts: &[Part], clients: usize) {
    let mut lines = Vec::new();
    for part in parts {
        let peers: Vec<String> = part.peers.iter().map(|p| agent(protocol, p)).collect();
        if part.is_service {
            lines.push(format!("!part_{}", part.name()));
            continue;
        }
        for me in &AGENTS[..clients] {
            let args =
                std::iter::once((*me).to_owned()).chain(peers.iter().cloned()).collect::<Vec<_>>().join(", ");
            let taken: String = peers.iter().map(|p| format!("in(c, {p}: bitstring); ")).collect();
            lines.push(format!("!{taken}part_{}({args})", part.name()));
        }
    }
    let forward = protocol.goals.iter().any(|g| matches!(g.claim, Claim::Secret { forward: true, .. }));
    let mut hers = vec!["out(c, sk(mallory))".to_owned()];
    let mut later = vec!["(!in(c, x: bitstring); out(c, sk(x)))".to_owned()];
    for (func, word) in [(Func::K, "k"), (Func::Pw, "pw")] {
        if has_any(parts, |e| matches!(e, Expr::App(f, _) if *f == func)).is_some() {
            hers.push(format!("(!in(c, x: bitstring); out(c, {word}(mallory, x)))"));
            later.push(format!("(!in(c, (x: bitstring, y: bitstring)); out(c, {word}(x, y)))"));
        }
    }
    for value in long_terms(parts) {
        hers.push(format!("out(c, own_{value}(mallory))"));
        later.push(format!("(!in(c, x: bitstring); out(c, own_{value}(x)))"));
        if has_any(
            parts,
            |e| matches!(e, Expr::Power(None, by) if matches!(&**by, Expr::LongTerm(n, _) if *n == value)),
        )
        .is_some()
        {
            hers.push(format!("(!in(c, x: bitstring); out(c, exp(g, own_{value}(x))))"));
        }
    }
    hers.push("(!in(c, x: bitstring); out(c, pk(sk(x))))".to_owned());
    hers.push("out(c, pk(ca))".to_owned());
    if protocol.has_certificates {
        hers.push(
            "(!in(c, x: bitstring); out(c, (x, pk(sk(x)), sign((t_certificate, x, pk(sk(x))), ca))))"
                .to_owned(),
        );
    }
    // Events before phase 1, so that what leaks there helps nobody to impersonate.
    if forward {
        hers.push(format!("(phase 1; ({}))", later.join(" | ")));
    }
    let _ = writeln!(out, "\nprocess\n  {}\n  | {}", hers.join("\n  | "), lines.join("\n  | "));
}

fn service(protocol: &Protocol, role: &str) -> Option<&'static str> {
    protocol.role(role).and_then(|r| r.service).map(crate::notation::Service::name)
}

fn agent(protocol: &Protocol, role: &str) -> String {
    service(protocol, role).map_or_else(|| format!("agent_{}", role), |s| format!("the_{s}"))
}

fn var(name: &str) -> String {
    format!("{name}_")
}

fn tuple(parts: &[Expr], term: &dyn Fn(&Expr) -> String) -> String {
    let all: Vec<String> = parts.iter().map(term).collect();
    if all.len() == 1 { all.concat() } else { format!("({})", all.join(", ")) }
}

fn pattern(into: &[Expr], term: &dyn Fn(&Expr) -> String) -> String {
    let all: Vec<String> = into.iter().map(|e| format!("{}: bitstring", term(e))).collect();
    if all.len() == 1 { all.concat() } else { format!("({})", all.join(", ")) }
}

fn list(who: &[&Expr], on: &[Expr], term: &dyn Fn(&Expr) -> String) -> String {
    who.iter().copied().chain(on).map(term).collect::<Vec<_>>().join(", ")
}

/// The private half of a public key.
fn private(protocol: &Protocol, key: &Expr) -> String {
    match key {
        Expr::App(Func::Pk, of) => term(protocol, &Expr::App(Func::Sk, of.clone())),
        other => term(protocol, other),
    }
}

fn term(protocol: &Protocol, expr: &Expr) -> String {
    let term = |e: &Expr| term(protocol, e);
    match expr {
        Expr::Var(name) | Expr::Key(name) => var(name),
        Expr::Inside { what, key, .. } => format!("sdec({}, {})", term(what), term(key)),
        Expr::Agent(role) => agent(protocol, role),
        Expr::Text(t) => word(t),
        Expr::LongTerm(name, of) => format!("own_{name}({})", term(of)),
        Expr::Power(base, by) => {
            format!("exp({}, {})", base.as_deref().map_or_else(|| "g".to_owned(), term), term(by))
        }
        Expr::Sealed(body, key) => {
            let word = if key.is_public_key() { "aenc" } else { "senc" };
            format!("{word}({}, {})", tuple(body, &term), term(key))
        }
        Expr::Certificate(of, key) => {
            let (of, key) = (term(of), term(key));
            format!("({of}, {key}, sign((t_certificate, {of}, {key}), ca))")
        }
        Expr::App(Func::Sk, of) => match &of[0] {
            Expr::Var(pair) => var(pair),
            agent => format!("sk({})", term(agent)),
        },
        Expr::App(Func::Pk, _) => format!("pk({})", private(protocol, expr)),
        Expr::App(Func::Sign, args) => format!("sign({}, {})", tuple(&args[1..], &term), term(&args[0])),
        Expr::App(Func::Mac, args) => format!("mac({}, {})", term(&args[0]), tuple(&args[1..], &term)),
        Expr::App(func @ (Func::K | Func::Pw), args) => {
            format!("{}({}, {})", func.name(), term(&args[0]), term(&args[1]))
        }
        Expr::App(func, args) => format!("{}({})", func.name(), tuple(args, &term)),
    }
}
