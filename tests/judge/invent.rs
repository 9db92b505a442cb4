//! Random protocols: each line is made from what its sender has at that point.

use super::case::{Case, Dice};
use super::file::{Scenario, Sort};
use super::load;
use super::mind::Mind;
use super::parse::Line;
use super::term::{Term, Type};

/// A protocol that can be carried out, with goals; the rest of the case is empty.
pub fn protocol(dice: &mut Dice) -> Case {
    let clients = [2, 2, 2, 3, 3, 4][dice.below(6)];
    let mut roles: Vec<String> = ["A", "B", "C", "D"][..clients].iter().map(|r| (*r).to_owned()).collect();
    if dice.percent(35) {
        roles.push("S".to_owned());
    }
    let encoding = if dice.percent(30) { "labelled" } else { "tagged" };
    let mut inventor = Inventor { case: Case { encoding, ..Case::default() }, roles, dice, names: 0 };
    inventor.know();
    let lines = 1 + inventor.dice.below(5) + inventor.dice.below(2);
    for _ in 0..lines {
        inventor.line();
    }
    inventor.forget_absent();
    inventor.join();
    inventor.goals();
    inventor.case
}

struct Inventor<'d> {
    case: Case,
    roles: Vec<String>,
    dice: &'d mut Dice,
    names: usize,
}

/// What the sender of a line may use.
struct Sender<'p> {
    mind: Mind<'p>,
    role: String,
    to: String,
    /// Terms of earlier lines that it has.
    pool: Vec<Term>,
}

impl Inventor<'_> {
    fn know(&mut self) {
        if self.roles.len() > 2 && self.dice.percent(25) {
            self.case.declared.push(("knows", "B".to_owned(), "C".to_owned()));
        }
        if self.dice.percent(20) {
            self.case.declared.push(("knows", "B".to_owned(), "Kt: key".to_owned()));
        }
        if self.dice.percent(10) {
            self.case.declared.push(("knows", "B".to_owned(), "b: dh".to_owned()));
            self.case.declared.push(("knows", "A".to_owned(), "g^b".to_owned()));
        }
    }

    /// Declarations of roles that no line has.
    fn forget_absent(&mut self) {
        let Case { lines, declared, .. } = &mut self.case;
        let is_there = |role: &str| lines.iter().any(|l| l.from == role || l.to == role);
        let mut said = Vec::new();
        lines.iter().flat_map(|l| &l.terms).for_each(|t| t.names(&mut said));
        declared.retain(|(table, _, what)| {
            what.split_once(':').map_or(*table == "knows", |(name, _)| said.iter().any(|s| s == name))
        });
        declared.retain(|(table, role, what)| {
            is_there(role)
                && (*table != "knows" || what != "C" || is_there("C"))
                && (what != "g^b" || is_there("B") && said.iter().any(|s| s == "b"))
        });
    }

    fn declare(&mut self, role: &str, stem: &str, sort: &str) -> String {
        self.names += 1;
        let name = format!("{stem}{}{}", role.to_lowercase(), self.names);
        let table = if sort == "data" { "given" } else { "fresh" };
        self.case.declared.push((table, role.to_owned(), format!("{name}: {sort}")));
        name
    }

    fn line(&mut self) {
        let so_far = self.case.clone();
        let (from, to) = if so_far.lines.is_empty() {
            let to = self.roles[1 + self.dice.below(self.roles.len() - 1)].clone();
            ("A".to_owned(), to)
        } else {
            let last = so_far.lines[so_far.lines.len() - 1].to.clone();
            let begun: Vec<String> =
                so_far.lines.iter().flat_map(|l| [l.from.clone(), l.to.clone()]).collect();
            let from =
                if self.dice.percent(75) { last } else { self.dice.pick(&begun).cloned().unwrap_or(last) };
            let others: Vec<String> = self.roles.iter().filter(|r| **r != from).cloned().collect();
            let back = so_far.lines[so_far.lines.len() - 1].from.clone();
            let to = if back != from && self.dice.percent(55) {
                back
            } else {
                others[self.dice.below(others.len())].clone()
            };
            (from, to)
        };
        // A last line that says hello makes every role a role of the protocol so far.
        let mut probe = so_far.clone();
        probe.lines.push(Line {
            from: from.clone(),
            to: to.clone(),
            terms: vec![Term::Text("probe".into())],
        });
        let text = probe.toml();
        let Ok(scenario) = Scenario::read(&text) else { return };
        let Ok(mut minds) = load::honest(&scenario.protocol) else { return };
        let Some(mind) = minds.remove(&from) else { return };
        let mut pool: Vec<Term> = Vec::new();
        for line in &scenario.protocol.lines[..so_far.lines.len()] {
            line.terms.iter().for_each(|t| subterms(t, &mut pool));
        }
        pool.extend(scenario.protocol.sorts.keys().map(|n| Term::name(n)));
        pool.sort();
        pool.dedup();
        let mut sender = Sender { mind, role: from.clone(), to: to.clone(), pool: Vec::new() };
        sender.pool = pool.into_iter().filter(|t| is_field(t) && sender.mind.recall(t).is_some()).collect();
        let fields = 1 + self.dice.below(4);
        let terms = (0..fields).map(|_| self.field(&mut sender, 3)).collect();
        self.case.lines.push(Line { from, to, terms });
    }

    fn list(&mut self, sender: &mut Sender<'_>, depth: usize) -> Vec<Term> {
        let length = 1 + self.dice.below(3);
        (0..length).map(|_| self.field(sender, depth)).collect()
    }

    fn field(&mut self, sender: &mut Sender<'_>, depth: usize) -> Term {
        let role = sender.role.clone();
        let choice = self.dice.below(if depth == 0 { 44 } else { 100 });
        match choice {
            0..8 => self.introduce(sender, "N", "nonce"),
            8..11 => self.introduce(sender, "K", "key"),
            11..12 => self.introduce(sender, "T", "time"),
            12..13 => self.introduce(sender, "T", "expiry"),
            13..15 if role == "A" => self.introduce(sender, "P", "data"),
            15..22 => {
                let roles: Vec<String> =
                    self.roles.iter().filter(|r| sender.mind.peer(r).is_some()).cloned().collect();
                self.dice.pick(&roles).map_or(Term::Text("hello".into()), |r| Term::name(r))
            }
            22..25 => {
                let x = self.declare(&role, "x", "dh");
                sender.mind_generate(&x);
                sender.pool.push(Term::pow(&[&x]));
                Term::pow(&[x])
            }
            25..27 => Term::Text(["yes", "no"][self.dice.below(2)].to_owned()),
            27..28 => {
                let e = self.declare(&role, "E", "keypair");
                sender.pool.push(Term::Pk(e.clone()));
                Term::Pk(e)
            }
            28..44 => self.dice.pick(&sender.pool).cloned().unwrap_or(Term::Text("ok".into())),
            44..72 => {
                let key = self.key(sender);
                let body = self.list(sender, depth - 1);
                Term::Enc(body, Box::new(key))
            }
            72..78 => Term::Sign(role, self.list(sender, depth - 1)),
            78..86 => {
                let mut body = vec![self.symmetric(sender)];
                body.extend(self.list(sender, depth - 1));
                Term::Mac(body)
            }
            86..92 => Term::Hash(self.list(sender, depth - 1)),
            92..93 => Term::Kdf(self.list(sender, depth - 1)),
            93..96 => match self.of_type(sender, Type::Nonce) {
                Some(one) => Term::Succ(Box::new(one)),
                None => self.introduce(sender, "N", "nonce"),
            },
            _ => {
                let ty = if self.dice.percent(60) { Type::Nonce } else { Type::Key };
                match (self.of_type(sender, ty), self.of_type(sender, ty)) {
                    (Some(x), Some(y)) if x != y => Term::xor(x, y),
                    _ => self.introduce(sender, "N", "nonce"),
                }
            }
        }
    }

    fn introduce(&mut self, sender: &mut Sender<'_>, stem: &str, sort: &str) -> Term {
        let term = Term::Name(self.declare(&sender.role.clone(), stem, sort));
        sender.pool.push(term.clone());
        term
    }

    /// A name of this type that the sender has.
    fn of_type(&mut self, sender: &Sender<'_>, ty: Type) -> Option<Term> {
        let stem = if ty == Type::Nonce { 'N' } else { 'K' };
        let all: Vec<Term> = sender
            .pool
            .iter()
            .filter(|t| matches!(t, Term::Name(n) if n.starts_with(stem)))
            .cloned()
            .collect();
        self.dice.pick(&all).cloned()
    }

    fn key(&mut self, sender: &Sender<'_>) -> Term {
        if self.dice.percent(30) {
            let mut to = vec![Term::Pk(sender.to.clone())];
            to.extend(
                self.roles.iter().filter(|r| sender.mind.peer(r).is_some()).map(|r| Term::Pk(r.clone())),
            );
            to.extend(sender.pool.iter().filter(|t| matches!(t, Term::Pk(_))).cloned());
            return to[if self.dice.percent(60) { 0 } else { self.dice.below(to.len()) }].clone();
        }
        self.symmetric(sender)
    }

    fn symmetric(&mut self, sender: &Sender<'_>) -> Term {
        let mut keys = vec![Term::key(&sender.role, &sender.to)];
        keys.extend(sender.pool.iter().filter(|t| matches!(t, Term::Name(n) if n.starts_with('K'))).cloned());
        let others = self.roles.iter().filter(|r| **r != sender.role && sender.mind.peer(r).is_some());
        keys.extend(others.map(|r| Term::key(&sender.role, r)));
        let shares: Vec<Term> = self.agreed(sender);
        keys.extend(shares);
        keys[if self.dice.percent(40) { 0 } else { self.dice.below(keys.len()) }].clone()
    }

    /// Keys from shares that the sender can compute.
    fn agreed(&self, sender: &Sender<'_>) -> Vec<Term> {
        let exponents: Vec<&String> = sender
            .pool
            .iter()
            .filter_map(|t| match t {
                Term::Pow(all) if all.len() == 1 => all.first(),
                _ => None,
            })
            .collect();
        let mut mind = sender.mind.clone();
        let mut all = Vec::new();
        for (at, x) in exponents.iter().enumerate() {
            for y in &exponents[..at] {
                let shared = Term::pow(&[x, y]);
                if mind.recall(&shared).is_some() {
                    all.push(Term::Kdf(vec![shared.clone()]));
                    all.push(Term::Kdf(vec![Term::Text("key".into()), shared]));
                }
            }
        }
        all
    }

    /// Lets a role other than the first begin a part of its own at a later line.
    fn join(&mut self) {
        if !self.dice.percent(25) {
            return;
        }
        let first = |role: &String, lines: &[Line]| lines.iter().position(|l| l.to == *role);
        let later: Vec<(String, usize)> = self
            .case
            .lines
            .iter()
            .enumerate()
            .filter(|(at, l)| {
                l.to != "A" && l.to != "S" && first(&l.to, &self.case.lines).is_some_and(|f| f < *at)
            })
            .map(|(at, l)| (l.to.clone(), at + 1))
            .collect();
        let Some(join) = self.dice.pick(&later).cloned() else { return };
        self.case.joins.push(join);
        let loads = Scenario::read(&self.case.toml()).is_ok_and(|s| load::parts(&s.protocol).is_ok());
        if !loads {
            self.case.joins.clear();
        }
    }

    fn goals(&mut self) {
        let mut case = self.case.clone();
        let text = case.toml();
        let Ok(scenario) = Scenario::read(&text) else { return };
        let Ok(mut minds) = load::honest(&scenario.protocol) else { return };
        let mut shared: Vec<Term> = Vec::new();
        for line in &scenario.protocol.lines {
            line.terms.iter().for_each(|t| subterms(t, &mut shared));
        }
        if self.dice.percent(30)
            && let Some(key) = shared.iter().find(|t| matches!(t, Term::Kdf(_) | Term::Xor(..))).cloned()
        {
            case.lets.push(("L".to_owned(), key.to_string()));
        }
        let sorts = &scenario.protocol.sorts;
        let is_value =
            |n: &&String| !matches!(sorts[*n], Sort::Time | Sort::Expiry | Sort::KeyPair | Sort::Exponent);
        let mut names: Vec<Term> = sorts.keys().filter(is_value).map(|n| Term::name(n)).collect();
        let mut spell: Vec<(Term, String)> = names.drain(..).map(|t| (t.clone(), t.to_string())).collect();
        if let Some((name, text)) = case.lets.first()
            && let Ok(term) = super::parse::term(text)
        {
            spell.push((term, name.clone()));
        }
        let roles: Vec<String> = scenario.protocol.roles.iter().filter(|r| *r != "S").cloned().collect();
        for _ in 0..4 {
            let Some((term, word)) = self.dice.pick(&spell).cloned() else { break };
            let has: Vec<&String> = roles
                .iter()
                .filter(|r| minds.get_mut(*r).is_some_and(|m| m.recall(&term).is_some()))
                .collect();
            let goal = match self.dice.below(8) {
                0 | 1 => format!("secret {word}"),
                2 if has.len() > 1 => format!("secret {word} between {}, {}", has[0], has[1]),
                3 => format!("forward secret {word}"),
                _ if has.len() > 1 => {
                    let by = self.dice.below(has.len());
                    let of = (by + 1 + self.dice.below(has.len() - 1)) % has.len();
                    let weakly = if self.dice.percent(35) { "weakly " } else { "" };
                    let knows = minds.get(has[by]).is_some_and(|m| m.peer(has[of]).is_some())
                        && minds.get(has[of]).is_some_and(|m| m.peer(has[by]).is_some());
                    if !knows {
                        continue;
                    }
                    format!("{} {weakly}authenticates {} on {word}", has[by], has[of])
                }
                _ => continue,
            };
            if !has.is_empty() && !case.goals.contains(&goal) {
                case.goals.push(goal);
            }
        }
        self.case = case;
    }
}

impl Sender<'_> {
    /// Lets the probe of what it has know a new exponent.
    fn mind_generate(&mut self, exponent: &str) {
        self.mind.grant(&Term::name(exponent));
    }
}

/// Whether a term can stand as a field.
fn is_field(term: &Term) -> bool {
    match term {
        Term::Name(n) => !n.starts_with('x') && !n.starts_with('E') && n != "b",
        Term::Sk(_) | Term::Key(..) => false,
        Term::Pow(all) => all.len() == 1,
        _ => true,
    }
}

fn subterms(term: &Term, into: &mut Vec<Term>) {
    into.push(term.clone());
    for inner in term.inner() {
        subterms(inner, into);
    }
}
