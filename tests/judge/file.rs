//! What a scenario's file says, as far as the judge goes: read from the same text that the
//! product is given, with a reader of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::{self, Goal, Line, Step};
use super::term::{Term, Type};

pub const SECOND: i64 = 1_000_000_000;

/// What a name is declared to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sort {
    Nonce,
    Key,
    Exponent,
    KeyPair,
    Time,
    Expiry,
    Data,
}

impl Sort {
    fn read(word: &str) -> Result<Sort, String> {
        Ok(match word {
            "nonce" => Sort::Nonce,
            "key" => Sort::Key,
            "dh" => Sort::Exponent,
            "keypair" => Sort::KeyPair,
            "time" => Sort::Time,
            "expiry" => Sort::Expiry,
            "data" => Sort::Data,
            _ => return Err(format!("no type `{word}`")),
        })
    }

    /// The bytes of such a value, where they are always as many.
    pub fn width(&self) -> usize {
        match self {
            Sort::Nonce => 16,
            Sort::Key | Sort::Exponent => 32,
            Sort::Time | Sort::Expiry => 8,
            Sort::KeyPair | Sort::Data => 0,
        }
    }

    pub fn field_type(&self) -> Type {
        match self {
            Sort::Nonce => Type::Nonce,
            Sort::Key => Type::Key,
            Sort::Exponent => Type::Exponent,
            Sort::KeyPair => Type::KeyPair,
            Sort::Time | Sort::Expiry => Type::Time,
            Sort::Data => Type::Data,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Tagged,
    Labelled,
}

/// A protocol, its `let`s written out.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub lines: Vec<Line>,
    pub roles: Vec<String>,
    pub sorts: BTreeMap<String, Sort>,
    /// Who generates a value anew in every run, who is given it, who has it for the long term.
    pub fresh: BTreeMap<String, String>,
    pub given: BTreeMap<String, String>,
    pub lasting: BTreeMap<String, String>,
    pub knows: BTreeMap<String, Vec<Term>>,
    pub joins: BTreeMap<String, Vec<usize>>,
    pub lets: BTreeMap<String, Term>,
    pub goals: Vec<(String, Goal)>,
    pub encoding: Encoding,
    /// The roles whose public key a message carries: nobody has it from the directory.
    pub carried: BTreeSet<String>,
    /// The line that first has each ciphertext, signature and code.
    pub labels: BTreeMap<Term, u32>,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub at: i64,
    pub cast: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stolen {
    LongTerm(Term),
    OfRun { run: u32, party: Option<String>, name: String },
}

#[derive(Clone, Debug)]
pub struct Theft {
    pub at: i64,
    pub what: Stolen,
    pub name: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Attacker {
    pub insider: bool,
    pub fresh: BTreeMap<String, Sort>,
    pub steps: Vec<Step>,
    /// Not before this time, by step.
    pub not_before: BTreeMap<usize, i64>,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub protocol: Protocol,
    pub parties: Vec<String>,
    pub runs: Vec<Run>,
    pub thefts: Vec<Theft>,
    pub attacker: Option<Attacker>,
}

pub const SERVICE: &str = "S";
pub const CENTRE: &str = "kdc";
pub const MALLORY: &str = "mallory";

/// The party that a name of a role or of an attack's line means.
pub fn party(name: &str) -> String {
    match name {
        SERVICE => CENTRE.to_owned(),
        "I" => MALLORY.to_owned(),
        other => other.to_owned(),
    }
}

type Table = toml::Table;

fn strings(table: &Table, key: &str) -> Vec<String> {
    let array = table.get(key).and_then(|v| v.as_array());
    array.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn table<'a>(table: &'a Table, key: &str) -> Option<&'a Table> {
    table.get(key).and_then(|v| v.as_table())
}

/// Each role's list of strings.
fn by_role(protocol: &Table, key: &str) -> Vec<(String, String)> {
    let Some(roles) = table(protocol, key) else { return Vec::new() };
    roles.iter().flat_map(|(role, _)| strings(roles, role).into_iter().map(|s| (role.clone(), s))).collect()
}

fn time(text: &str) -> Result<i64, String> {
    let mut all = 0;
    for word in text.split_whitespace() {
        let split = word.find(|c: char| !c.is_ascii_digit()).ok_or("a time without a unit")?;
        let (number, unit) = word.split_at(split);
        let unit = match unit {
            "ms" => SECOND / 1000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            "d" => 86_400 * SECOND,
            _ => return Err(format!("no unit `{unit}`")),
        };
        all += number.parse::<i64>().map_err(|e| e.to_string())? * unit;
    }
    Ok(all)
}

fn declared(text: &str) -> Result<(String, Sort), String> {
    let (name, sort) = text.split_once(':').ok_or("expected NAME: type")?;
    Ok((name.trim().to_owned(), Sort::read(sort.trim())?))
}

impl Scenario {
    pub fn read(text: &str) -> Result<Scenario, String> {
        let root: Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let protocol =
            Protocol::read(table(&root, "protocol").ok_or("no protocol")?, table(&root, "encoding"))?;
        let array = |key: &str| root.get(key).and_then(|v| v.as_array()).into_iter().flatten();
        let at = |t: &Table| t.get("at").and_then(|v| v.as_str()).map_or(Ok(0), time);
        let mut runs = Vec::new();
        for run in array("run").filter_map(|v| v.as_table()) {
            let cast = protocol.roles.iter().map(|role| {
                let name = run.get(role).and_then(|v| v.as_str()).unwrap_or(role);
                (role.clone(), party(name))
            });
            runs.push(Run { at: at(run)?, cast: cast.collect() });
        }
        let mut thefts = Vec::new();
        for event in array("event").filter_map(|v| v.as_table()) {
            let what = event.get("compromise").and_then(|v| v.as_str()).ok_or("only compromises")?;
            let what = match what.split_once('.') {
                None => Stolen::LongTerm(parse::term(what)?),
                Some((run, rest)) => {
                    let run = run.parse().map_err(|_| "a run")?;
                    let (party, name) = match rest.split_once('.') {
                        Some((party, name)) => (Some(party.to_owned()), name),
                        None => (None, rest),
                    };
                    Stolen::OfRun { run, party, name: name.to_owned() }
                }
            };
            let name = event.get("as").and_then(|v| v.as_str()).map(str::to_owned);
            thefts.push(Theft { at: at(event)?, what, name });
        }
        let attacker = table(&root, "attacker").map(Attacker::read).transpose()?;
        let parties = table(&root, "parties").into_iter().flat_map(|t| t.keys().cloned()).collect();
        Ok(Scenario { protocol, parties, runs, thefts, attacker })
    }
}

impl Attacker {
    fn read(from: &Table) -> Result<Attacker, String> {
        let steps = strings(from, "attack").iter().map(|s| parse::step(s)).collect::<Result<Vec<_>, _>>()?;
        let mut not_before = BTreeMap::new();
        for (number, at) in table(from, "at").into_iter().flatten() {
            let is_it = |s: &Step| {
                format!("{}.{}", s.run, s.line) == *number && !matches!(s.from, parse::End::Party(_))
            };
            let step = steps.iter().position(is_it).ok_or("a time for no line of hers")?;
            not_before.insert(step, time(at.as_str().ok_or("a time")?)?);
        }
        Ok(Attacker {
            insider: from.get("insider").and_then(|v| v.as_bool()).unwrap_or(true),
            fresh: strings(from, "fresh").iter().map(|s| declared(s)).collect::<Result<_, _>>()?,
            steps,
            not_before,
        })
    }
}

impl Protocol {
    fn read(from: &Table, encoding: Option<&Table>) -> Result<Protocol, String> {
        let mut lets = BTreeMap::new();
        for (name, text) in table(from, "let").into_iter().flatten() {
            lets.insert(name.clone(), parse::term(text.as_str().ok_or("a term")?)?);
        }
        let raw = lets.clone();
        let expand = |t: &Term| expanded(t, &raw, 0);
        for term in lets.values_mut() {
            *term = expand(term);
        }
        let all = |terms: &[Term]| terms.iter().map(expand).collect::<Vec<_>>();
        let mut lines = Vec::new();
        for text in strings(from, "messages") {
            let line = parse::line(&text)?;
            lines.push(Line { terms: all(&line.terms), ..line });
        }
        let mut roles: Vec<String> = Vec::new();
        for end in lines.iter().flat_map(|l| [&l.from, &l.to]) {
            if !roles.contains(end) {
                roles.push(end.clone());
            }
        }
        let mut sorts = BTreeMap::new();
        let mut owners = |key: &str| -> Result<BTreeMap<String, String>, String> {
            let mut of = BTreeMap::new();
            for (role, text) in by_role(from, key).into_iter().filter(|(_, t)| t.contains(':')) {
                let (name, sort) = declared(&text)?;
                sorts.insert(name.clone(), sort);
                of.entry(name).or_insert(role);
            }
            Ok(of)
        };
        let (fresh, given, lasting) = (owners("fresh")?, owners("given")?, owners("knows")?);
        let mut knows: BTreeMap<String, Vec<Term>> = BTreeMap::new();
        for (role, text) in by_role(from, "knows") {
            let bare = text.split_once(':').map_or(text.as_str(), |(name, _)| name.trim());
            knows.entry(role).or_default().push(parse::term(bare)?);
        }
        let mut joins: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (role, lines) in table(from, "joins").into_iter().flatten() {
            let lines = lines.as_array().into_iter().flatten().filter_map(|v| v.as_integer());
            joins.insert(role.clone(), lines.map(|l| l as usize - 1).collect());
        }
        let mut goals = Vec::new();
        for text in strings(from, "goals") {
            let goal = match parse::goal(&text)? {
                Goal::Secret { of, between, forward } => Goal::Secret { of: expand(&of), between, forward },
                Goal::Authentication { of, by, on, injective } => {
                    Goal::Authentication { of, by, on: all(&on), injective }
                }
            };
            goals.push((text, goal));
        }
        let encoding = match encoding.and_then(|t| t.get("kind")).and_then(|v| v.as_str()) {
            None | Some("tagged") => Encoding::Tagged,
            Some("labelled") => Encoding::Labelled,
            Some(other) => return Err(format!("the judge has no encoding `{other}`")),
        };
        let mut labels = BTreeMap::new();
        let mut carried = BTreeSet::new();
        lines.iter().flat_map(|l| &l.terms).for_each(|t| carry(t, &mut carried));
        for (number, line) in (1..).zip(&lines) {
            for term in &line.terms {
                label(term, number, &mut labels);
            }
        }
        Ok(Protocol {
            lines,
            roles,
            sorts,
            fresh,
            given,
            lasting,
            knows,
            joins,
            lets,
            goals,
            encoding,
            carried,
            labels,
        })
    }

    pub fn is_role(&self, name: &str) -> bool {
        self.roles.iter().any(|r| r == name)
    }

    /// Whether every value of the role's own in a term has come up in a line that it has done: a
    /// value exists from the first line that has it.
    pub fn exists(&self, term: &Term, role: &str, done: &[usize]) -> bool {
        let mut names = Vec::new();
        term.names(&mut names);
        let own = names.iter().filter(|n| self.fresh.get(*n).is_some_and(|owner| owner == role));
        let has_come_up =
            |name: &String| done.iter().any(|&l| self.lines[l].terms.iter().any(|t| has_name(t, name)));
        own.into_iter().all(has_come_up)
    }

    /// A value that no line has is no part of a protocol: whether a role has it is moot.
    ///
    /// # Errors
    /// The name of the value.
    pub fn speaks_of_what_it_says(&self) -> Result<(), String> {
        let is_said = |name: &&String| self.lines.iter().any(|l| l.terms.iter().any(|t| has_name(t, name)));
        match self
            .fresh
            .keys()
            .chain(self.given.keys())
            .chain(self.lasting.keys())
            .find(|name| !is_said(name))
        {
            Some(name) => Err(format!("no line has {name}")),
            None => Ok(()),
        }
    }

    /// The lines that a role takes part in.
    pub fn lines_of(&self, role: &str) -> Vec<usize> {
        (0..self.lines.len()).filter(|&l| self.lines[l].from == role || self.lines[l].to == role).collect()
    }

    /// Whether a value of the role's own comes back to it before it sends it, in these lines:
    /// then it is read, and not generated.
    pub fn returns(&self, role: &str, name: &str, lines: &[usize]) -> bool {
        let first = lines.iter().find(|&&l| self.lines[l].terms.iter().any(|t| has_name(t, name)));
        first.is_some_and(|&l| self.lines[l].to == role)
    }

    /// Whether a service could forget all before this line of its own: it answers later, and
    /// what it made before comes back with this line in a ciphertext that it made, or is not
    /// spoken of again.
    pub fn is_request(&self, lines: &[usize], at: usize) -> bool {
        let answers = lines[at..].iter().any(|&l| self.lines[l].from == SERVICE);
        let terms = |lines: &[usize]| lines.iter().flat_map(|&l| &self.lines[l].terms).collect::<Vec<_>>();
        let (before, after) = (terms(&lines[..at]), terms(&lines[at..]));
        let mut tickets = Vec::new();
        ciphertexts(&self.lines[lines[at]].terms, &mut tickets);
        let mut made = Vec::new();
        for &line in lines[..at].iter().filter(|&&l| self.lines[l].from == SERVICE) {
            ciphertexts(&self.lines[line].terms, &mut made);
        }
        let is_needed = |name: &String| {
            let said = |terms: &[&Term]| terms.iter().any(|t| has_name(t, name));
            let is_back = tickets.iter().any(|t| made.contains(t) && has_name(t, name));
            said(&before) && said(&after) && !is_back
        };
        let own = self.fresh.iter().filter(|(_, role)| *role == SERVICE).map(|(name, _)| name);
        self.lines[lines[at]].to == SERVICE && answers && !own.into_iter().any(is_needed)
    }

    /// The clients whose part begins with a line of their own.
    pub fn starters(&self) -> Vec<String> {
        let begins = |role: &&String| {
            self.lines.iter().find(|l| l.from == **role || l.to == **role).is_some_and(|l| l.from == **role)
        };
        self.roles.iter().filter(|r| *r != SERVICE).filter(begins).cloned().collect()
    }

    /// Whether a role is told at the start of a run who plays another.
    pub fn introduces(&self, role: &str, of: &str) -> bool {
        let is_first = self.lines.first().is_some_and(|l| l.from == role);
        is_first || self.knows.get(role).is_some_and(|k| k.contains(&Term::name(of)))
    }

    /// What a field says that carries this term, where the protocol has it.
    pub fn field_type(&self, term: &Term) -> Type {
        match term {
            Term::Name(n) if self.is_role(n) => Type::Name,
            Term::Name(n) => self.sorts.get(n).map_or(Type::Data, Sort::field_type),
            Term::Text(_) => Type::Data,
            Term::Pow(_) => Type::Share,
            Term::Enc(..) => Type::Cipher,
            Term::Pk(_) => Type::Public,
            Term::Sk(_) => Type::KeyPair,
            Term::Key(..) | Term::Kdf(_) => Type::Key,
            Term::Sign(..) => Type::Signature,
            Term::Mac(_) => Type::Code,
            Term::Hash(_) => Type::Hash,
            Term::Succ(one) | Term::Pred(one) => self.field_type(one),
            Term::Xor(x, _) => self.field_type(x),
        }
    }

    /// The label of a term that the labelled encoding binds to its line.
    pub fn label(&self, term: &Term) -> Option<u32> {
        match self.encoding {
            Encoding::Labelled => self.labels.get(term).copied(),
            Encoding::Tagged => None,
        }
    }
}

fn label(term: &Term, line: u32, into: &mut BTreeMap<Term, u32>) {
    if matches!(term, Term::Enc(..) | Term::Sign(..) | Term::Mac(_)) {
        into.entry(term.clone()).or_insert(line);
    }
    for inner in term.inner() {
        label(inner, line, into);
    }
}

fn has_name(term: &Term, name: &str) -> bool {
    let mut names = Vec::new();
    term.names(&mut names);
    names.iter().any(|n| n == name)
}

/// The ciphertexts in a line that its reader can come to see.
fn ciphertexts<'t>(terms: &'t [Term], into: &mut Vec<&'t Term>) {
    for term in terms {
        if let Term::Enc(body, _) = term {
            into.push(term);
            ciphertexts(body, into);
        }
    }
}

fn carry(term: &Term, into: &mut BTreeSet<String>) {
    match term {
        Term::Pk(x) => drop(into.insert(x.clone())),
        Term::Enc(body, _) => body.iter().for_each(|t| carry(t, into)),
        _ => {}
    }
}

fn expanded(term: &Term, lets: &BTreeMap<String, Term>, depth: u32) -> Term {
    let leaf = |t: &Term| match t {
        Term::Name(n) if depth < 32 => lets.get(n).map(|inner| expanded(inner, lets, depth + 1)),
        _ => None,
    };
    term.map(&leaf, &|n| n.to_owned())
}
