//! Models for Verifpal: one cast, whose principals compute line after line. What Verifpal has
//! no pattern for is taken apart and compared step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::notation::{Claim, Func, Name, Protocol, Service};

use super::header::header;
use super::pattern::{has_any, no_three_exponents, no_xor, plain, whole_roles, word};
use super::reading::{Act, Expr, Part, read};
use super::{About, Target, Unsayable};

/// Most arguments that `CONCAT` and `SPLIT` take.
const MOST: usize = 5;

/// A model.
pub fn model(protocol: &Protocol, about: &About<'_>) -> Result<String, Unsayable> {
    let parts = whole_roles(protocol, read(protocol)?);
    no_xor(protocol, "Verifpal")?;
    no_three_exponents(protocol, "Verifpal's DH_KEX takes two exponents and no more")?;
    let mut model = Model::new(protocol, &parts);
    model.lines()?;
    let queries = model.queries();
    if queries.is_empty() {
        let first = protocol.goals.first().map_or("goals", |g| &g.text);
        return Err(Unsayable::new(
            first,
            "Verifpal wants a question, and can ask none of this protocol's goals",
        ));
    }
    let mut out = header(protocol, about, Target::Verifpal, &model.more);
    out.push_str("\nattacker[active]\n");
    out.push_str(&model.set_up());
    out.push_str(&model.body);
    out.push_str(&model.scenarios());
    let _ = write!(out, "\nqueries[\n{queries}]\n");
    Ok(out)
}

/// A model as it is written.
pub struct Model<'p> {
    pub protocol: &'p Protocol,
    pub parts: &'p [Part],
    /// The constant that each role has for a variable.
    pub names: BTreeMap<(Name, Expr), String>,
    taken: BTreeSet<String>,
    sent: BTreeSet<String>,
    /// How each part of a line went over the wire: the constant, and whether it is wrapped.
    wires: BTreeMap<u32, Vec<Option<(String, bool)>>>,
    checked: BTreeSet<(Name, String)>,
    /// What each goal wants secret: the constant, and whether the role took it from a message.
    secrets: Vec<(usize, String, bool)>,
    body: String,
    more: Vec<String>,
    pub insider: Option<Name>,
}

impl<'p> Model<'p> {
    fn new(protocol: &'p Protocol, parts: &'p [Part]) -> Self {
        let mut model = Model {
            protocol,
            parts,
            names: BTreeMap::new(),
            taken: ["nil", "attacker", "active", "passive", "g", "principal", "phase"]
                .map(str::to_owned)
                .into(),
            sent: BTreeSet::new(),
            wires: BTreeMap::new(),
            checked: BTreeSet::new(),
            secrets: Vec::new(),
            body: String::new(),
            more: Vec::new(),
            insider: None,
        };
        model.insider = model.who_may_meet_her();
        model.more.push(match &model.insider {
            Some(role) => format!(
                "The insider: {role} also talks to `mallory`, whose private key leaked; nobody else does."
            ),
            None => "The insider: nobody talks to the attacker under her own name.".to_owned(),
        });
        model
    }

    /// The initiator, if all that it has of its one peer is the peer's public key: then Verifpal
    /// can give it another peer.
    fn who_may_meet_her(&self) -> Option<Name> {
        let first = self.parts.iter().find(|p| &p.role == self.protocol.initiator())?;
        let [peer] = first.peers.as_slice() else { return None };
        let peers_key = |e: &Expr| matches!(e, Expr::App(Func::Pk, of) if of[0] == Expr::Agent(peer.clone()));
        let shared = |e: &Expr| matches!(e, Expr::App(Func::K | Func::Pw, _) | Expr::LongTerm(..));
        let only = std::slice::from_ref(first);
        let fits = has_any(only, peers_key).is_some() && has_any(self.parts, shared).is_none();
        (fits && self.protocol.roles.len() == 2).then(|| first.role.clone())
    }

    /// What the insider's victim takes its peer for.
    fn peer_of(&self, role: &Name, other: &Name) -> Option<&'static str> {
        (self.insider.as_ref() == Some(role) && role != other).then_some("peer")
    }

    fn agent(&self, role: &Name, of: &Name) -> String {
        match self.peer_of(role, of) {
            Some(peer) => format!("{peer}_name"),
            None => format!("name_{}", self.tag(of)),
        }
    }

    pub fn tag(&self, role: &Name) -> String {
        match self.service(role) {
            Some(service) => service.name().to_owned(),
            None => plain(role).to_lowercase(),
        }
    }

    fn service(&self, role: &Name) -> Option<Service> {
        self.protocol.role(role).and_then(|r| r.service)
    }

    pub fn principal(&self, role: &Name) -> String {
        const PEOPLE: [&str; 6] = ["Alice", "Bob", "Carol", "Dave", "Erin", "Frank"];
        match self.service(role) {
            Some(Service::Kdc) => "Kdc".to_owned(),
            Some(Service::Ca) => "Ca".to_owned(),
            None => {
                let nth = self.protocol.client_roles().position(|r| r.name == *role).unwrap_or(0);
                PEOPLE.get(nth).map_or_else(|| format!("Person{nth}"), |p| (*p).to_owned())
            }
        }
    }

    fn fresh(&mut self, wanted: &str) -> String {
        // The first letters of the constants that every model has.
        const OURS: [&str; 9] = ["name_", "pk_", "sk_", "cert_", "own_", "peer_", "t_", "k_", "pw_"];
        let wanted = wanted.to_lowercase();
        let is_ours = OURS.iter().any(|ours| wanted.starts_with(ours));
        let wanted = if is_ours { format!("v_{wanted}") } else { wanted };
        let numbered = (2..).map(|n| format!("{wanted}{n}"));
        let mut all = std::iter::once(wanted.clone()).chain(numbered);
        all.find(|name| self.taken.insert(name.clone())).unwrap_or(wanted)
    }

    /// The constant of a role for a variable, a new one the first time.
    pub fn constant(&mut self, role: &Name, expr: &Expr) -> String {
        let key = (role.clone(), expr.clone());
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let wanted = match expr {
            Expr::Var(name) | Expr::Key(name) => format!("{}_{}", plain(name), self.tag(role)),
            _ => "x".to_owned(),
        };
        let name = self.fresh(&wanted);
        self.names.insert(key, name.clone());
        name
    }

    /// A constant for what was read in the place of a variable; a second reading of one that the
    /// role has is compared with the first.
    fn bind(&mut self, role: &Name, expr: &Expr, checks: &mut Vec<String>) -> String {
        match self.names.get(&(role.clone(), expr.clone())).filter(|n| !n.is_empty()).cloned() {
            None => self.constant(role, expr),
            Some(had) => {
                let again = self.fresh(&had);
                checks.push(format!("_ = ASSERT({had}, {again})?"));
                again
            }
        }
    }

    fn lines(&mut self) -> Result<(), Unsayable> {
        let parts = self.parts;
        let mut at: BTreeMap<&Name, usize> = parts.iter().map(|p| (&p.role, 0)).collect();
        for number in 1..=self.protocol.lines.len() as u32 {
            let (from, to) = (self.protocol.sender_of(number), self.protocol.receiver_of(number));
            for role in [from, to] {
                let Some(part) = parts.iter().find(|p| p.role == *role) else { continue };
                let start = at.get(role).copied().unwrap_or(0);
                let mut block = Vec::new();
                let mut next = start;
                let mut done = false;
                while let Some(act) = part.acts.get(next) {
                    let ends =
                        matches!(act, Act::Send { line, .. } | Act::Receive { line, .. } if *line > number);
                    if ends || (done && matches!(act, Act::Send { .. } | Act::Receive { .. } | Act::Meet(_)))
                    {
                        break;
                    }
                    done |=
                        matches!(act, Act::Send { line, .. } | Act::Receive { line, .. } if *line == number);
                    self.act(role, act, &mut block);
                    next += 1;
                }
                at.insert(&part.role, next);
                if !block.is_empty() {
                    let _ = writeln!(
                        self.body,
                        "\nprincipal {}[\n  {}\n]",
                        self.principal(role),
                        block.join("\n  ")
                    );
                }
                if role == from {
                    self.say(number, from, to);
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, number: u32, from: &Name, to: &Name) {
        let wire: Vec<String> =
            self.wires.get(&number).into_iter().flatten().flatten().map(|w| w.0.clone()).collect();
        if self.principal(from) != self.principal(to) && !wire.is_empty() {
            let _ = writeln!(
                self.body,
                "\n{} -> {}: {}",
                self.principal(from),
                self.principal(to),
                wire.join(", ")
            );
        }
    }

    fn act(&mut self, role: &Name, act: &Act, block: &mut Vec<String>) {
        match act {
            Act::Meet(_) | Act::Running { .. } | Act::Commit { .. } => {}
            Act::Send { line, parts, .. } => {
                let mut wire = Vec::new();
                for (nth, part) in parts.iter().enumerate() {
                    // The cast is fixed, and everybody knows texts.
                    if matches!(part, Expr::Agent(_) | Expr::Text(_)) {
                        wire.push(None);
                        continue;
                    }
                    let name = self.fresh(&format!("m{line}_{}", nth + 1));
                    let term = self.term(role, part);
                    let is_constant = matches!(part, Expr::Var(_) | Expr::Key(_)) || !term.contains('(');
                    let value = if is_constant { format!("CONCAT(nil, {term})") } else { term };
                    block.push(format!("{name} = {value}"));
                    self.sent.insert(name.clone());
                    wire.push(Some((name, is_constant)));
                }
                self.wires.insert(*line, wire);
            }
            Act::Receive { line, into, .. } => {
                let wire = self.wires.get(line).cloned().unwrap_or_default();
                for (slot, wire) in into.iter().zip(wire) {
                    match (slot, wire) {
                        (_, None) => {
                            self.names.insert((role.clone(), slot.clone()), String::new());
                        }
                        (Expr::Agent(_), Some(_)) => {}
                        (slot, Some((name, false))) => {
                            self.names.insert((role.clone(), slot.clone()), name);
                        }
                        (slot, Some((name, true))) => {
                            let mut checks = Vec::new();
                            let inner = self.bind(role, slot, &mut checks);
                            let rest = self.fresh("z");
                            block.push(format!("{rest}, {inner} = SPLIT({name})?"));
                            block.append(&mut checks);
                        }
                    }
                }
            }
            Act::Open { what, key, into } => self.open(role, what, key, into, block),
            Act::Equal { what, to } => {
                let what = self.term(role, what);
                // A name or a text in the clear was left out of the message.
                if !what.is_empty() {
                    if matches!(to, Expr::App(..)) {
                        self.checked.insert((role.clone(), what.clone()));
                    }
                    block.push(format!("_ = ASSERT({}, {what})?", self.term(role, to)));
                }
            }
            Act::Verify { what, under, text } => {
                let what = self.term(role, what);
                self.checked.insert((role.clone(), what.clone()));
                let text = self.pack(role, text);
                block.push(format!("_ = SIGNVERIF({}, {text}, {what})?", self.term(role, under)));
            }
            Act::Trust { what, of, key } => {
                let what = self.term(role, what);
                let key = self.constant(role, key);
                let (name, by) = (self.fresh("n"), self.fresh("s"));
                let of = self.term(role, of);
                block.push(format!("{name}, {key}, {by} = SPLIT({what})?"));
                block.push(format!("_ = ASSERT({of}, {name})?"));
                block.push(format!("_ = SIGNVERIF(pk_authority, CONCAT(t_certificate, {of}, {key}), {by})?"));
            }
            Act::Unstep { what, func, into } => {
                let what = self.term(role, what);
                let mut checks = Vec::new();
                let (tag, into) = (self.fresh("w"), self.bind(role, into, &mut checks));
                block.push(format!("{tag}, {into} = SPLIT({what})?"));
                block.append(&mut checks);
                block.push(format!("_ = ASSERT(t_{}, {tag})?", func.name()));
            }
            Act::Secret { goal, term, .. } => {
                let own = self.parts.iter().find(|p| p.role == *role).map_or(&[][..], |p| &p.own);
                let is_taken = matches!(term, Expr::Var(n) if !own.iter().any(|(name, _)| name == n));
                let shown = self.term(role, term);
                let name = if shown.contains('(') {
                    let name = self.fresh(&format!("secret{goal}_{}", self.tag(role)));
                    block.push(format!("{name} = {shown}"));
                    name
                } else {
                    shown
                };
                self.secrets.push((*goal, name, is_taken));
            }
        }
    }

    fn open(&mut self, role: &Name, what: &Expr, key: &Expr, into: &[Expr], block: &mut Vec<String>) {
        let what = self.term(role, what);
        // Anybody can make what a public key opens: that it opens says nothing of its maker.
        if !key.is_public_key() {
            self.checked.insert((role.clone(), what.clone()));
        }
        let opened = self.fresh("d");
        let mut fields: Vec<String> = Vec::new();
        match key {
            Expr::App(Func::Pk, of) => {
                let private = self.term(role, &Expr::App(Func::Sk, of.clone()));
                block.push(format!("{opened} = PKE_DEC({private}, {what})"));
            }
            _ => {
                let key = self.term(role, key);
                block.push(format!("{opened} = DEC({key}, {what})"));
            }
        }
        let tag = self.fresh("w");
        fields.push(tag.clone());
        let mut asserts = Vec::new();
        for field in into {
            match field {
                Expr::Agent(agent) => {
                    let name = self.fresh("n");
                    asserts.push(format!("_ = ASSERT({}, {name})?", self.agent(role, agent)));
                    fields.push(name);
                }
                _ => fields.push(self.bind(role, field, &mut asserts)),
            }
        }
        self.unpack(&fields, &opened, block);
        block.push(format!("_ = ASSERT(t_sealed, {tag})?"));
        block.extend(asserts);
    }

    fn unpack(&mut self, fields: &[String], from: &str, block: &mut Vec<String>) {
        if fields.len() <= MOST {
            block.push(format!("{} = SPLIT({from})?", fields.join(", ")));
            return;
        }
        let rest = self.fresh("r");
        block.push(format!("{}, {rest} = SPLIT({from})?", fields[..MOST - 1].join(", ")));
        self.unpack(&fields[MOST - 1..], &rest, block);
    }

    fn pack(&mut self, role: &Name, all: &[Expr]) -> String {
        let all: Vec<String> = all.iter().map(|e| self.term(role, e)).collect();
        packed(&all)
    }

    fn term(&mut self, role: &Name, expr: &Expr) -> String {
        match expr {
            Expr::Var(_) | Expr::Key(_) => self.constant(role, expr),
            Expr::Inside { what, .. } => self.term(role, what),
            Expr::Agent(of) => self.agent(role, of),
            Expr::Text(text) => word(text),
            Expr::LongTerm(name, _) => format!("own_{}", plain(name).to_lowercase()),
            Expr::Power(None, by) => format!("PUBKEY({})", self.term(role, by)),
            Expr::Power(Some(base), by) => {
                format!("DH_KEX({}, {})", self.term(role, base), self.term(role, by))
            }
            // A tag inside makes what was opened with another key no text.
            Expr::Sealed(body, key) => {
                let word = if key.is_public_key() { "PKE_ENC" } else { "ENC" };
                let body: Vec<String> = body.iter().map(|e| self.term(role, e)).collect();
                let all: Vec<String> = std::iter::once("t_sealed".to_owned()).chain(body).collect();
                format!("{word}({}, {})", self.term(role, key), packed(&all))
            }
            Expr::Certificate(of, _) => match &**of {
                Expr::Agent(of) => format!("cert_{}", self.tag(of)),
                other => self.term(role, other),
            },
            Expr::App(func @ (Func::Pk | Func::Sk), of) => match &of[0] {
                Expr::Agent(of) if *func == Func::Pk && self.peer_of(role, of).is_some() => {
                    "peer_key".to_owned()
                }
                Expr::Agent(of) => format!("{}_{}", func.name(), self.tag(of)),
                pair if *func == Func::Pk => format!("PUBKEY({})", self.term(role, pair)),
                pair => self.term(role, pair),
            },
            Expr::App(func @ (Func::K | Func::Pw), of) => self.shared(*func, of),
            Expr::App(Func::Sign, args) => {
                format!("SIGN({}, {})", self.term(role, &args[0]), self.pack(role, &args[1..]))
            }
            Expr::App(Func::Mac, args) => {
                format!("MAC({}, {})", self.term(role, &args[0]), self.pack(role, &args[1..]))
            }
            Expr::App(func @ (Func::Succ | Func::Pred), args) => {
                format!("CONCAT(t_{}, {})", func.name(), self.term(role, &args[0]))
            }
            Expr::App(func, args) => format!("HASH(t_{}, {})", func.name(), self.pack(role, args)),
        }
    }

    pub fn shared(&self, func: Func, of: &[Expr]) -> String {
        let tag = |e: &Expr| match e {
            Expr::Agent(of) => self.tag(of),
            _ => String::new(),
        };
        let mut tags: Vec<String> = of.iter().map(tag).collect();
        tags.sort();
        format!("{}_{}", func.name(), tags.join("_"))
    }

    fn queries(&mut self) -> String {
        let mut all = Vec::new();
        let protocol = self.protocol;
        for (nth, goal) in protocol.goals.iter().enumerate() {
            let found: Vec<String> = match &goal.claim {
                Claim::Secret { .. } => {
                    // What the attacker made a part take for the value is no secret of anybody's.
                    let of_goal = || self.secrets.iter().filter(|(goal, _, _)| *goal == nth);
                    let made = of_goal().any(|(_, _, taken)| !taken);
                    let asked = of_goal().filter(|(_, _, taken)| !(made && *taken));
                    asked.map(|(_, name, _)| format!("  confidentiality? {name}\n")).collect()
                }
                Claim::Agreement { who, with, .. } => self.last_checked(who, with).into_iter().collect(),
            };
            if found.is_empty() {
                self.more.push(format!("The goal `{}` is left out: its messages have no signature, code or shared key by which Verifpal could ask who sent them.", goal.text));
            }
            for query in found {
                if !all.contains(&query) {
                    all.push(query);
                }
            }
        }
        all.concat()
    }

    /// The last message that `who` has from `with` itself and checks or opens.
    fn last_checked(&self, who: &Name, with: &Name) -> Option<String> {
        let (from, to) = (self.principal(with), self.principal(who));
        let lines = (1..=self.protocol.lines.len() as u32).rev();
        let mut lines =
            lines.filter(|n| self.protocol.sender_of(*n) == with && self.protocol.receiver_of(*n) == who);
        lines.find_map(|n| {
            let wire = self.wires.get(&n)?.iter().flatten();
            let mut checked = wire.filter(|(name, _)| self.checked.contains(&(who.clone(), name.clone())));
            checked.next().map(|(name, _)| format!("  authentication? {from} -> {to}: {name}\n"))
        })
    }
}

fn packed(all: &[String]) -> String {
    match all {
        [only] => only.clone(),
        some if some.len() <= MOST => format!("CONCAT({})", some.join(", ")),
        some => format!("CONCAT({}, {})", some[..MOST - 1].join(", "), packed(&some[MOST - 1..])),
    }
}
