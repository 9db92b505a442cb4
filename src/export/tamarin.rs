//! Models for Tamarin: a rule for each stretch of a part that begins with a message. Messages
//! are read by patterns, and by destructors and equalities where a pattern would hold a power
//! or an exclusive or, which Tamarin does not match.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::limits::MAX_TERMS;
use crate::notation::{Claim, Func, Protocol, Type};

use super::header::header;
use super::pattern::{
    Meaning, claimed, has_any, left_out, long_terms, plain, services, terms, variables, written,
};
use super::reading::{Act, Expr, Part, read};
use super::{About, Target, Unsayable};

/// A model.
pub fn model(protocol: &Protocol, about: &About<'_>) -> Result<String, Unsayable> {
    let parts = read(protocol)?;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "theory {}\nbegin\n",
        plain(&protocol.name).replace(|c: char| !c.is_alphanumeric(), "_")
    );
    out.push_str(&header(protocol, about, Target::Tamarin, &left_out(protocol, &parts)));
    signature(&mut out, &parts);
    set_up(&mut out, protocol, &parts);
    for part in &parts {
        Rules::new(protocol, part).write(&mut out)?;
    }
    lemmas(&mut out, protocol, &parts);
    out.push_str("\nend\n");
    Ok(out)
}

fn signature(out: &mut String, parts: &[Part]) {
    let uses = |test: fn(&Expr) -> bool| has_any(parts, test).is_some();
    let mut builtins = vec!["symmetric-encryption", "asymmetric-encryption", "signing", "hashing"];
    if uses(|e| matches!(e, Expr::Power(..))) {
        builtins.push("diffie-hellman");
    }
    if uses(|e| matches!(e, Expr::App(Func::Xor, _))) {
        builtins.push("xor");
    }
    let _ = writeln!(
        out,
        "\nbuiltins: {}\nfunctions: mac/2, kdf/1, succ/1, unsucc/1, pred/1, unpred/1\nequations: unsucc(succ(n)) = n, unpred(pred(n)) = n",
        builtins.join(", ")
    );
    out.push_str("\nrestriction Equality: \"All x y #i. Eq(x, y) @ i ==> x = y\"\n");
    out.push_str("restriction Once: \"All x #i #j. Once(x) @ i & Once(x) @ j ==> #i = #j\"\n");
}

fn set_up(out: &mut String, protocol: &Protocol, parts: &[Part]) {
    for service in services(protocol) {
        let _ = writeln!(out, "restriction Trusted_{service}: \"All #i. Reveal('{service}') @ i ==> F\"");
    }
    out.push_str(
        "
rule Authority: [ Fr(~ca) ] --[ Once('authority') ]-> [ !Authority(~ca), Out(pk(~ca)) ]
rule Pair: [ Fr(~sk) ] --[ Once(<'pair', $A>) ]-> [ !Pair($A, ~sk), Out(pk(~sk)) ]
rule Reveal_pair: [ !Pair(A, sk) ] --[ Reveal(A) ]-> [ Out(sk) ]
",
    );
    if protocol.has_certificates {
        out.push_str(
            "rule Certify: [ !Pair(A, sk), !Authority(ca) ] --> [ Out(<A, pk(sk), sign(<'certificate', A, pk(sk)>, ca)>) ]\n",
        );
    }
    for (func, name) in [(Func::K, "k"), (Func::Pw, "pw")] {
        if has_any(parts, |e| matches!(e, Expr::App(f, _) if *f == func)).is_some() {
            // In both orders, of which only one pair can be registered.
            let _ = writeln!(
                out,
                "rule Shared_{name}: [ Fr(~s) ]\n  --[ Once(<'{name}', $A, $B>), Once(<'{name}', $B, $A>) ]->\n  [ !Shared_{name}($A, $B, ~s), !Shared_{name}($B, $A, ~s) ]\nrule Reveal_{name}: [ !Shared_{name}(A, B, s) ] --[ Reveal(A) ]-> [ Out(s) ]"
            );
        }
    }
    for name in long_terms(parts) {
        let is_exponent = protocol.value(&name).is_some_and(|v| v.of == Type::Dh);
        let share = if is_exponent { ", Out('g'^~s)" } else { "" };
        let name = plain(&name);
        let _ = writeln!(
            out,
            "rule Own_{name}: [ Fr(~s) ] --[ Once(<'own_{name}', $A>) ]-> [ !Own_{name}($A, ~s){share} ]\nrule Reveal_own_{name}: [ !Own_{name}(A, s) ] --[ Reveal(A) ]-> [ Out(s) ]"
        );
    }
}

/// The rules of one part.
struct Rules<'p> {
    protocol: &'p Protocol,
    part: &'p Part,
    own: BTreeSet<Expr>,
}

impl<'p> Rules<'p> {
    fn new(protocol: &'p Protocol, part: &'p Part) -> Self {
        let own = part.own.iter().map(|(name, _)| Expr::Var(name.clone())).collect();
        Rules { protocol, part, own }
    }

    fn write(&self, out: &mut String) -> Result<(), Unsayable> {
        let acts = &self.part.acts;
        let mut starts: Vec<usize> = vec![0];
        let begins = |a: &Act| matches!(a, Act::Receive { .. } | Act::Meet(_));
        for (at, act) in acts.iter().enumerate().skip(1) {
            if begins(act) && !matches!(acts[at - 1], Act::Meet(_)) {
                starts.push(at);
            }
        }
        let mut known: BTreeSet<Expr> = self.own.clone();
        known.extend(self.part.peers.iter().map(|p| Expr::Agent(p.clone())));
        known.insert(Expr::Agent(self.part.role.clone()));
        let mut carried: Vec<Expr> = Vec::new();
        for (nth, start) in starts.iter().enumerate() {
            let end = starts.get(nth + 1).copied().unwrap_or(acts.len());
            let mut needed = BTreeSet::new();
            acts[end..].iter().flat_map(terms).for_each(|e| variables(e, &mut needed));
            for act in &acts[*start..end] {
                terms(act).into_iter().for_each(|e| variables(e, &mut known));
                if let Act::Meet(role) = act {
                    known.insert(Expr::Agent(role.clone()));
                }
            }
            let next: Vec<Expr> =
                known.iter().filter(|v| needed.contains(v) && !self.is_constant(v)).cloned().collect();
            self.rule(out, nth, &acts[*start..end], &carried, (end < acts.len()).then_some(&next))?;
            carried = next;
        }
        Ok(())
    }

    fn is_constant(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Agent(role) if self.protocol.role(role).is_some_and(|r| r.service.is_some()))
    }

    fn rule(
        &self,
        out: &mut String,
        nth: usize,
        acts: &[Act],
        carried: &[Expr],
        next: Option<&Vec<Expr>>,
    ) -> Result<(), Unsayable> {
        let mut meaning = Meaning::default();
        let mut checks: Vec<(Expr, Expr)> = Vec::new();
        let mut verified: Vec<(Expr, Expr, Vec<Expr>)> = Vec::new();
        for act in acts {
            self.take(act, &mut meaning, &mut checks, &mut verified);
        }
        let mut sizes = BTreeMap::new();
        let all = acts.iter().flat_map(terms).chain(checks.iter().flat_map(|(a, b)| [a, b])).chain(carried);
        for expr in all {
            if meaning.size(expr, &mut sizes) > MAX_TERMS {
                let why =
                    format!("what is opened inside it is too large: the limit MAX_TERMS is {MAX_TERMS}");
                return Err(Unsayable::new(written(self.protocol, expr), why));
            }
        }
        let mut needs = BTreeSet::new();
        let mut term = |e: &Expr| {
            let e = meaning.of(e);
            self.needs(&e, &mut needs);
            self.term(&e)
        };
        let name = plain(&self.part.name());
        let state = |list: &[String]| {
            let all: Vec<&str> = std::iter::once("~id").chain(list.iter().map(String::as_str)).collect();
            all.join(", ")
        };
        let (mut premises, mut actions, mut conclusions) = (Vec::new(), Vec::new(), Vec::new());
        if nth == 0 {
            premises.push("Fr(~id)".to_owned());
            for (value, of) in &self.part.own {
                premises.push(format!("Fr(~{})", variable(value)));
                if matches!(of, Type::Time | Type::Expiry) {
                    conclusions.push(format!("Out(~{})", variable(value)));
                }
            }
        } else {
            let args: Vec<String> = carried.iter().map(&mut term).collect();
            premises.push(format!("Part_{name}_{nth}({})", state(&args)));
        }
        for act in acts {
            match act {
                Act::Receive { into, .. } => {
                    let all: Vec<String> = into.iter().map(&mut term).collect();
                    premises.push(format!("In({})", tuple(&all)));
                }
                Act::Send { parts, .. } => {
                    let all: Vec<String> = parts.iter().map(&mut term).collect();
                    conclusions.push(format!("Out({})", tuple(&all)));
                }
                Act::Secret { goal, term: secret, honest } => {
                    actions.push(format!("Secret_{goal}({})", term(secret)));
                    actions.push(format!("Honest_{goal}({})", term(&Expr::Agent(self.part.role.clone()))));
                    for peer in honest {
                        actions.push(format!("Honest_{goal}({})", term(peer)));
                    }
                }
                Act::Running { goal, me, with, on } => {
                    let on: Vec<String> = on.iter().map(&mut term).collect();
                    actions.push(format!("Running_{goal}({}, {}, {})", term(with), term(me), tuple(&on)));
                }
                Act::Commit { goal, me, with, on } => {
                    let on: Vec<String> = on.iter().map(&mut term).collect();
                    let (me, with) = (term(me), term(with));
                    actions.push(format!("Commit_{goal}({me}, {with}, {})", tuple(&on)));
                    actions.push(format!("Honest_{goal}({me}), Honest_{goal}({with})"));
                }
                _ => {}
            }
        }
        for (left, right) in &checks {
            let equal = format!("Eq({}, {})", term(left), term(right));
            actions.push(equal);
        }
        for (what, under, text) in &verified {
            let text: Vec<String> = text.iter().map(&mut term).collect();
            actions.push(format!("Eq(verify({}, {}, {}), true)", term(what), tuple(&text), term(under)));
        }
        if let Some(next) = next {
            let args: Vec<String> = next.iter().map(&mut term).collect();
            conclusions.push(format!("Part_{name}_{}({})", nth + 1, state(&args)));
        }
        premises.extend(needs);
        let mut seen = BTreeSet::new();
        actions.retain(|a| seen.insert(a.clone()));
        let _ = writeln!(
            out,
            "\nrule {name}_{}:\n  [ {} ]\n  --[ {} ]->\n  [ {} ]",
            nth + 1,
            premises.join(", "),
            actions.join(", "),
            conclusions.join(", ")
        );
        Ok(())
    }

    fn take(
        &self,
        act: &Act,
        meaning: &mut Meaning,
        checks: &mut Vec<(Expr, Expr)>,
        verified: &mut Vec<(Expr, Expr, Vec<Expr>)>,
    ) {
        match act {
            Act::Open { what, key, into } => {
                if meaning.is_open(what) && !is_reducible(&meaning.of(key)) {
                    return meaning.take(act);
                }
                for (nth, field) in into.iter().enumerate() {
                    let (what, key) = (Box::new(what.clone()), Box::new(key.clone()));
                    let inside = Expr::Inside { what, key, nth, of: into.len() };
                    match field {
                        // An agent stays a name, by which its keys are looked up.
                        Expr::Agent(_) => checks.push((field.clone(), inside)),
                        _ => meaning.set(field, inside),
                    }
                }
                checks.push((what.clone(), Expr::Sealed(into.clone(), Box::new(key.clone()))));
            }
            Act::Equal { what, to } => {
                if meaning.is_open(what) && !is_reducible(&meaning.of(to)) {
                    meaning.take(act);
                } else {
                    checks.push((what.clone(), to.clone()));
                }
            }
            Act::Verify { what, under, text } => verified.push((what.clone(), under.clone(), text.clone())),
            Act::Trust { what, of, key } => {
                let certificate = Expr::Certificate(Box::new(of.clone()), Box::new(key.clone()));
                if meaning.is_open(what) {
                    meaning.set(what, certificate);
                } else {
                    // Inside what only a destructor opens, the key is the agent's own.
                    meaning.set(key, Expr::App(Func::Pk, vec![of.clone()]));
                    checks.push((what.clone(), certificate));
                }
            }
            Act::Unstep { what, func, into } => {
                if meaning.is_open(what) {
                    meaning.take(act);
                } else {
                    checks.push((what.clone(), Expr::App(*func, vec![into.clone()])));
                    let none = Box::new(Expr::Text(format!("un{}", func.name()).into()));
                    meaning
                        .set(into, Expr::Inside { what: Box::new(what.clone()), key: none, nth: 0, of: 0 });
                }
            }
            _ => {}
        }
    }

    /// The facts by which a rule has the keys in a term.
    fn needs(&self, expr: &Expr, needs: &mut BTreeSet<String>) {
        expr.walk(&mut |e| match e {
            Expr::App(Func::Pk | Func::Sk, of) if matches!(of[0], Expr::Agent(_)) => {
                needs.insert(format!("!Pair({}, {})", self.term(&of[0]), self.key_of("sk", &of[..1])));
            }
            Expr::App(func @ (Func::K | Func::Pw), of) => {
                let name = func.name();
                needs.insert(format!(
                    "!Shared_{name}({}, {}, {})",
                    self.term(&of[0]),
                    self.term(&of[1]),
                    self.key_of(name, of)
                ));
            }
            Expr::LongTerm(name, of) => {
                let key = self.key_of(&plain(name), std::slice::from_ref(of));
                needs.insert(format!("!Own_{}({}, {key})", plain(name), self.term(of)));
            }
            Expr::Certificate(..) => {
                needs.insert("!Authority(~ca)".to_owned());
            }
            _ => {}
        });
    }

    fn key_of(&self, name: &str, of: &[Expr]) -> String {
        let plain = |e: &Expr| self.term(e).replace(|c: char| !c.is_alphanumeric() && c != '_', "");
        format!("~{name}_{}", of.iter().map(plain).collect::<Vec<_>>().join("_"))
    }

    fn term(&self, expr: &Expr) -> String {
        let list = |es: &[Expr]| tuple(&es.iter().map(|e| self.term(e)).collect::<Vec<_>>());
        match expr {
            Expr::Var(name) if self.own.contains(expr) => format!("~{}", variable(name)),
            Expr::Var(name) | Expr::Key(name) => variable(name),
            Expr::Agent(role) => match self.protocol.role(role).and_then(|r| r.service) {
                Some(service) => format!("'the_{}'", service.name()),
                None => format!("${}", plain(role)),
            },
            Expr::Text(text) => format!("'{}'", super::pattern::word(text)),
            Expr::LongTerm(name, of) => self.key_of(&plain(name), std::slice::from_ref(of)),
            Expr::Power(base, by) => {
                let base =
                    base.as_deref().map_or_else(|| "'g'".to_owned(), |b| format!("({})", self.term(b)));
                format!("{base}^{}", self.term(by))
            }
            Expr::Sealed(body, key) => {
                let word = if key.is_public_key() { "aenc" } else { "senc" };
                format!("{word}({}, {})", list(body), self.term(key))
            }
            Expr::Inside { what, key, of: 0, .. } => match &**key {
                Expr::Text(word) => format!("{word}({})", self.term(what)),
                _ => self.term(what),
            },
            Expr::Inside { what, key, nth, of } => {
                let word = if key.is_public_key() { "adec" } else { "sdec" };
                let key = match &**key {
                    Expr::App(Func::Pk, of) => self.term(&Expr::App(Func::Sk, of.clone())),
                    other => self.term(other),
                };
                let mut text = format!("{word}({}, {key})", self.term(what));
                for _ in 0..*nth {
                    text = format!("snd({text})");
                }
                if nth + 1 < *of { format!("fst({text})") } else { text }
            }
            Expr::Certificate(of, key) => {
                let (of, key) = (self.term(of), self.term(key));
                format!("<{of}, {key}, sign(<'certificate', {of}, {key}>, ~ca)>")
            }
            Expr::App(Func::Sk, of) => match &of[0] {
                Expr::Agent(_) => self.key_of("sk", of),
                pair => self.term(pair),
            },
            Expr::App(Func::Pk, of) => format!("pk({})", self.term(&Expr::App(Func::Sk, of.clone()))),
            Expr::App(func @ (Func::K | Func::Pw), of) => self.key_of(func.name(), of),
            Expr::App(Func::Sign, args) => format!("sign({}, {})", list(&args[1..]), self.term(&args[0])),
            Expr::App(Func::Mac, args) => format!("mac({}, {})", self.term(&args[0]), list(&args[1..])),
            Expr::App(Func::Xor, args) => {
                format!("({})", args.iter().map(|a| self.term(a)).collect::<Vec<_>>().join(" XOR "))
            }
            Expr::App(func, args) => format!("{}({})", func.name(), list(args)),
        }
    }
}

/// A variable's name, which is no word of Tamarin's and not the number of a part.
fn variable(name: &str) -> String {
    const WORDS: [&str; 8] = ["in", "let", "rule", "end", "id", "ca", "h", "true"];
    let name = plain(name);
    if WORDS.contains(&name.as_str()) || name.starts_with("sk_") || name.starts_with("k_") {
        format!("{name}_v")
    } else {
        name
    }
}

fn is_reducible(expr: &Expr) -> bool {
    expr.any(|e| matches!(e, Expr::Power(..) | Expr::App(Func::Xor, _) | Expr::Inside { .. }))
}

fn tuple(all: &[String]) -> String {
    if all.len() == 1 {
        all.concat()
    } else if all.is_empty() {
        "'none'".to_owned()
    } else {
        format!("<{}>", all.join(", "))
    }
}

fn lemmas(out: &mut String, protocol: &Protocol, parts: &[Part]) {
    for (nth, goal) in protocol.goals.iter().enumerate().filter(|(n, _)| claimed(parts, protocol, *n)) {
        let _ = writeln!(out, "\n// {}", goal.text);
        match &goal.claim {
            Claim::Secret { forward, .. } => {
                let before = if *forward { " & #r < #i" } else { "" };
                let _ = writeln!(
                    out,
                    "lemma goal_{nth}:\n  \"All x #i. Secret_{nth}(x) @ i ==>\n    not (Ex #j. K(x) @ j)\n    | (Ex A #r. Reveal(A) @ r & Honest_{nth}(A) @ i{before})\""
                );
            }
            Claim::Agreement { injective, .. } => {
                let once = if *injective {
                    format!("\n      & not (Ex a2 b2 #k. Commit_{nth}(a2, b2, t) @ k & not (#k = #i))")
                } else {
                    String::new()
                };
                let _ = writeln!(
                    out,
                    "lemma goal_{nth}:\n  \"All a b t #i. Commit_{nth}(a, b, t) @ i ==>\n    (Ex #j. Running_{nth}(a, b, t) @ j & #j < #i{once})\n    | (Ex A #r. Reveal(A) @ r & Honest_{nth}(A) @ i)\""
                );
            }
        }
    }
}
