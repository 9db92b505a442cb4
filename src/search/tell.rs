//! Writes an attack that was found as a scenario that anybody can play. Must not know how it was
//! found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::bundle::{Bundle, Instance, StepId};
use super::intruder::Intruder;
use super::names::{Run, choose};
use super::sort::{HER, Sort};
use super::term::{Args, Head, Term};
use crate::notation::{Func, Id, Kind, Name, Node, Origin, Protocol, Type};

/// An attack as lines that can be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Its `[[run]]`s, `[[event]]`s and `[attacker]`, as they stand in a file.
    pub text: String,
    /// The lines of the narration.
    pub lines: Vec<String>,
    /// How many of them are messages of hers.
    pub hers: usize,
    /// The runs.
    pub runs: usize,
}

/// An hour at which what was before is old: longer than tickets live and clocks differ.
const LATER: &str = "2d";
/// When what leaks comes to her.
const LEAK: &str = "1d";

/// Writes a bundle down; none if something in it has no name in the notation.
pub fn tell(
    protocol: &Protocol,
    at: &mut Intruder<'_>,
    bundle: &Bundle,
    (runs, of): (&[Run], &[usize]),
) -> Option<Told> {
    let store = choose(protocol, at, &bundle.store)?;
    let mut bundle = Bundle { store, ..bundle.clone() };
    // What follows a message of its own accord happens, too.
    for part in 0..bundle.parts.len() {
        let instance = bundle.parts[part].instance.clone();
        let done = bundle.parts[part].done.len();
        let follows = instance.steps[done..].iter().take_while(|step| step.sends).count();
        if follows > 0 && !bundle.advance(part, done + follows - 1, &mut Vec::new()) {
            return None;
        }
    }
    let mut writer = Writer { protocol, at, bundle: &bundle, of, named: BTreeMap::new(), fresh: Vec::new() };
    writer.name_values()?;
    let order = writer.linear();
    let mut lines: Vec<Line> = Vec::new();
    for step in &order {
        let line = writer.line(*step)?;
        match lines.last_mut() {
            // What she takes and sends on as it is just passes.
            Some(last) if last.is_taken && !line.is_taken && last.same_way(&line) => {
                last.is_taken = false;
                last.passes = true;
            }
            _ => lines.push(line),
        }
    }
    let mut text = String::new();
    for (number, run) in (1..).zip(runs) {
        writer.run(number, run, &mut text)?;
    }
    writer.leaks(runs, &order, &mut text);
    let fresh = std::mem::take(&mut writer.fresh);
    writer.bystanders(&text.clone(), &lines, &mut text);
    text.push_str("[attacker]\n");
    if !writer.at.powers.insider {
        text.push_str("insider = false\n");
    }
    if !fresh.is_empty() {
        let shown: Vec<String> = fresh.iter().map(|one| format!("{one:?}")).collect();
        let _ = writeln!(text, "fresh   = [{}]", shown.join(", "));
    }
    let late = lines.iter().find(|line| line.epoch > 0 && !line.is_taken && !line.passes);
    if let Some(line) = late {
        let _ = writeln!(text, "at      = {{ \"{}\" = \"{LATER}\" }}", line.place);
    }
    let shown: Vec<String> = lines.iter().map(Line::shown).collect();
    text.push_str("attack  = [\n");
    for line in &shown {
        let quoted = if line.contains('\'') { format!("{line:?}") } else { format!("'{line}'") };
        let _ = writeln!(text, "  {quoted},");
    }
    text.push_str("]\n");
    Some(Told {
        text,
        hers: lines.iter().filter(|line| !line.is_taken && !line.passes).count(),
        lines: shown,
        runs: runs.len(),
    })
}

struct Writer<'a, 'i> {
    protocol: &'a Protocol,
    at: &'a mut Intruder<'i>,
    bundle: &'a Bundle,
    of: &'a [usize],
    named: BTreeMap<Head, String>,
    fresh: Vec<String>,
}

/// A line of the narration.
struct Line {
    place: String,
    from: String,
    to: String,
    parts: String,
    is_taken: bool,
    passes: bool,
    epoch: u8,
}

impl Line {
    fn same_way(&self, other: &Line) -> bool {
        (&self.place, &self.from, &self.to, &self.parts)
            == (&other.place, &other.from, &other.to, &other.parts)
    }

    fn shown(&self) -> String {
        let Line { place, from, to, parts, .. } = self;
        let hers = |name: &str| if name == "I" { "I".to_owned() } else { format!("I({name})") };
        match (self.passes, self.is_taken) {
            (true, _) => format!("{place} {from} -> {to} : {parts}"),
            (_, true) => format!("{place} {from} -> {} : {parts}", hers(to)),
            (_, false) => format!("{place} {} -> {to} : {parts}", hers(from)),
        }
    }
}

impl Writer<'_, '_> {
    /// The name that a value goes by in the narration: its own, with the run where several are
    /// called the same.
    fn name_values(&mut self) -> Option<()> {
        let mut heads: Vec<Head> = Vec::new();
        for place in &self.bundle.places {
            let step = self.bundle.parts[place.part].instance.steps[place.step].clone();
            for part in &step.parts {
                let term = self.bundle.store.write_out(self.at.terms, *part);
                self.leaves(term, &mut heads);
            }
        }
        let mut called: Vec<(Head, String, Option<usize>)> = Vec::new();
        for head in heads {
            match head {
                Head::Atom(atom) => {
                    let atom = self.at.widths.atoms[atom as usize];
                    let name = self.protocol.table.show(atom.id);
                    called.push((head, name, Some(self.of[atom.part as usize] + 1)));
                }
                Head::Var(var) => {
                    let (name, of) = self.hers(var)?;
                    if of != Type::Nonce && of != Type::Dh {
                        self.fresh.push(String::new());
                    }
                    called.push((head, name, None));
                }
                _ => {}
            }
        }
        self.fresh.clear();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (head, name, run) in &called {
            let many = called.iter().filter(|(_, other, _)| other == name).count() > 1;
            let mut full = match run {
                Some(run) if many && name.ends_with(|c: char| c.is_ascii_digit()) => format!("{name}_{run}"),
                Some(run) if many => format!("{name}{run}"),
                _ => name.clone(),
            };
            while !taken.insert(full.clone()) {
                full.push('\'');
            }
            if let Head::Var(var) = head {
                let (_, of) = self.hers(*var)?;
                if of != Type::Nonce && of != Type::Dh {
                    self.fresh.push(format!("{full}: {}", of.word()));
                }
            }
            self.named.insert(*head, full);
        }
        Some(())
    }

    fn leaves(&self, term: Term, heads: &mut Vec<Head>) {
        let head = self.at.terms.head(term);
        if matches!(head, Head::Atom(_) | Head::Var(_)) && !heads.contains(&head) {
            heads.push(head);
        }
        self.at.terms.args(term).iter().for_each(|arg| self.leaves(*arg, heads));
    }

    /// The name and the type of a value of hers, after what takes it.
    fn hers(&self, var: u32) -> Option<(String, Type)> {
        let slot = self.bundle.store.slot(var);
        let of = match slot.sort {
            Sort::Exponent => return Some(("z".to_owned(), Type::Dh)),
            Sort::Time(_) => Type::Time,
            Sort::Expiry(_) => Type::Expiry,
            Sort::Any => match slot.width {
                None if matches!(slot.kind, Some(Kind::Masked | Kind::Key)) => Type::Key,
                Some(32) => Type::Key,
                Some(8) => Type::Time,
                Some(_) | None => match slot.hint.and_then(|id| self.declared(id)) {
                    Some(of @ (Type::Nonce | Type::Key | Type::Time | Type::Expiry | Type::Data)) => of,
                    _ => Type::Nonce,
                },
            },
            Sort::Name | Sort::Client | Sort::Honest | Sort::Public | Sort::Share => return None,
        };
        let hint = slot.hint.map(|id| self.protocol.table.show(id));
        let of = match slot.hint.and_then(|id| self.declared(id)) {
            Some(of) if slot.width.is_none() && !matches!(of, Type::Keypair | Type::Dh) => of,
            _ => of,
        };
        let hint = hint.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '\''));
        Some((format!("{}i", hint.unwrap_or_else(|| "X".to_owned())), of))
    }

    fn declared(&self, id: Id) -> Option<Type> {
        match self.protocol.table.node(id) {
            Node::Name(name) => self.protocol.value(name).map(|value| value.of),
            _ => None,
        }
    }

    /// The steps in an order that can be played: what a party sends right after what it took,
    /// and what just passes right after it was sent.
    fn linear(&mut self) -> Vec<StepId> {
        let all: Vec<StepId> = (0..self.bundle.places.len() as StepId).collect();
        let mut order: Vec<StepId> = Vec::new();
        let mut left: BTreeSet<StepId> = all.iter().copied().collect();
        while !left.is_empty() {
            let ready: Vec<StepId> = (left.iter().copied())
                .filter(|step| {
                    left.iter().all(|other| other == step || !self.bundle.is_before(*other, *step))
                        && left.iter().all(|other| self.bundle.epoch(*other) >= self.bundle.epoch(*step))
                })
                .collect();
            let last = order.last().copied();
            let next =
                (ready.iter().copied().find(|step| last.is_some_and(|last| self.follows(last, *step))))
                    .or_else(|| ready.iter().copied().find(|step| self.sends(*step)))
                    .or_else(|| ready.first().copied());
            let Some(next) = next else { break };
            left.remove(&next);
            order.push(next);
        }
        order
    }

    fn sends(&self, step: StepId) -> bool {
        let place = &self.bundle.places[usize::from(step)];
        self.bundle.parts[place.part].instance.steps[place.step].sends
    }

    /// Whether a step is what comes of the last one.
    fn follows(&mut self, last: StepId, step: StepId) -> bool {
        let (a, b) = (self.bundle.places[usize::from(last)], self.bundle.places[usize::from(step)]);
        if a.part == b.part {
            return self.sends(step);
        }
        match (self.sends(last), self.sends(step)) {
            (true, false) => match (self.line(last), self.line(step)) {
                (Some(sent), Some(taken)) => sent.same_way(&taken),
                _ => false,
            },
            _ => false,
        }
    }

    fn line(&mut self, step: StepId) -> Option<Line> {
        let place = self.bundle.places[usize::from(step)];
        let part = &self.bundle.parts[place.part];
        let instance: &Instance = &part.instance;
        let moment = instance.steps[place.step].clone();
        let role = &self.protocol.roles[self.at.cast.templates[part.template].role].name;
        let me = *instance.names.get(&self.protocol.table.find_name(role)?)?;
        let (me, peer) = (self.party(me)?, self.party(moment.peer)?);
        let parts = self.list(&moment.parts)?;
        let (from, to) = if moment.sends { (me, peer) } else { (peer, me) };
        Some(Line {
            place: format!("{}.{}", self.of[place.part] + 1, moment.line),
            from,
            to,
            parts,
            is_taken: moment.sends,
            passes: false,
            epoch: part.epoch,
        })
    }

    fn party(&mut self, name: Term) -> Option<String> {
        let name = self.bundle.store.walk(self.at.terms, name);
        match self.at.terms.head(name) {
            HER => Some("I".to_owned()),
            Head::Name(name) => Some(self.at.widths.names[name as usize].clone()),
            _ => None,
        }
    }

    fn list(&mut self, terms: &[Term]) -> Option<String> {
        let shown = terms.iter().map(|term| self.term(*term)).collect::<Option<Vec<_>>>()?;
        Some(shown.join(", "))
    }

    fn term(&mut self, term: Term) -> Option<String> {
        let term = self.bundle.store.walk(self.at.terms, term);
        let head = self.at.terms.head(term);
        let args = Args::from_slice(self.at.terms.args(term));
        Some(match head {
            Head::Atom(_) | Head::Var(_) => self.named.get(&head)?.clone(),
            Head::Name(_) => self.party(term)?,
            Head::Text(id) => self.protocol.table.show_written_out(Id(id)),
            Head::OfAgents(func) => {
                let by = if matches!(func, Func::K | Func::Pw) { "," } else { ", " };
                let shown = args.iter().map(|arg| self.term(*arg)).collect::<Option<Vec<_>>>()?;
                format!("{}({})", func.name(), shown.join(by))
            }
            Head::LongTerm(value) => self.protocol.values.get(value as usize)?.name.to_string(),
            Head::Seal { .. } => format!("{{{}}}{}", self.list(&args[1..])?, self.term(args[0])?),
            Head::OneWay { func, .. } => {
                let key = match (func, self.at.terms.head(args[0])) {
                    (Func::Sign, Head::Atom(_)) => format!("sk({})", self.term(args[0])?),
                    _ => self.term(args[0])?,
                };
                let rest =
                    if args.len() > 1 { format!(", {}", self.list(&args[1..])?) } else { String::new() };
                format!("{}({key}{rest})", func.name())
            }
            Head::Step { up } => format!("{}({})", if up { "succ" } else { "pred" }, self.term(args[0])?),
            Head::Power { based: false } => {
                let shown = args.iter().map(|arg| self.term(*arg)).collect::<Option<Vec<_>>>()?;
                format!("g^{}", shown.join("^"))
            }
            Head::Power { based: true } | Head::Inverse => return None,
            Head::Sum => {
                let (first, rest) = args.split_first()?;
                let mut shown = self.term(*first)?;
                for other in rest {
                    shown = format!("xor({shown}, {})", self.term(*other)?);
                }
                shown
            }
            Head::Joined => self.list(&args)?,
        })
    }

    fn run(&mut self, number: usize, run: &Run, text: &mut String) -> Option<()> {
        text.push_str("[[run]]\n");
        if run.epoch > 0 {
            let _ = writeln!(text, "at = \"{LATER}\"");
        }
        let known: BTreeMap<&Name, String> = (run.players.iter())
            .map(|(role, name)| Some((role, self.party(*name)?)))
            .collect::<Option<_>>()?;
        let starters: BTreeSet<&Name> = self.protocol.starters().map(|(role, _)| role).collect();
        // She plays what nobody does, but one role at most; whoever only answers may stand by.
        let open = self.protocol.client_roles().map(|role| &role.name).filter(|r| !known.contains_key(r));
        let mut open: Vec<&Name> = open.collect();
        open.sort_by_key(|role| !starters.contains(role));
        let mut filled = known.clone();
        for role in open {
            let is_free = |name: &String| !filled.values().any(|other| other == name);
            let honest = self.at.widths.names[1 + self.at.widths.services..].iter();
            let name = ["I".to_owned()].into_iter().chain(honest.cloned()).find(is_free)?;
            filled.insert(role, name);
        }
        for role in self.protocol.client_roles().map(|role| &role.name) {
            let name = &filled[role];
            let _ = writeln!(text, "{role} = {name:?}");
        }
        for value in self.protocol.values.iter().filter(|value| value.origin == Origin::Given) {
            let _ = writeln!(text, "{} = \"{} {number}\"", value.name, value.name);
        }
        text.push('\n');
        Some(())
    }

    /// Parties of whom only lines speak.
    fn bystanders(&self, runs: &str, lines: &[Line], text: &mut String) {
        let spoken: String = lines.iter().map(|line| line.shown() + " ").collect();
        for name in &self.at.widths.names[1 + self.at.widths.services..] {
            let is_word =
                |all: &str| all.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            let is_lax = self.at.powers.lax_clock && (is_word(&spoken) || is_word(runs));
            if is_lax || is_word(&spoken) && !is_word(runs) {
                let _ = writeln!(text, "[parties.{name}]");
                if is_lax {
                    let _ = writeln!(text, "max_skew = \"1000d\"");
                }
                text.push('\n');
            }
        }
    }

    /// The events that hand keys to her.
    fn leaks(&mut self, runs: &[Run], order: &[StepId], text: &mut String) {
        if self.at.powers.old_session_keys && runs.iter().any(|run| run.epoch == 0) {
            for (number, run) in (1..).zip(runs) {
                if run.epoch > 0 {
                    continue;
                }
                let keys = self.at.cast.templates.first().map(|t| t.session_keys.clone()).unwrap_or_default();
                for key in keys {
                    let name = self.protocol.table.show(key);
                    let Some(known) = self.known_as(number, key, order) else { continue };
                    let _ = writeln!(text, "[[event]]\nat = \"{LEAK}\"\ncompromise = \"{number}.{name}\"");
                    if known != name {
                        let _ = writeln!(text, "as = {known:?}");
                    }
                    text.push('\n');
                }
            }
        }
        let mut keys: Vec<(Term, bool)> = Vec::new();
        for place in &self.bundle.places {
            for part in &self.bundle.parts[place.part].instance.steps[place.step].parts {
                let term = self.bundle.store.write_out(self.at.terms, *part);
                self.stolen_keys(term, &mut keys);
            }
        }
        for (key, later) in keys {
            let Some(key) = self.term(key) else { continue };
            let when = if later { LEAK } else { "0s" };
            let _ = writeln!(text, "[[event]]\nat = \"{when}\"\ncompromise = \"{key}\"\n");
        }
    }

    /// The stolen keys with which a term is made.
    fn stolen_keys(&mut self, term: Term, keys: &mut Vec<(Term, bool)>) {
        let args = Args::from_slice(self.at.terms.args(term));
        let key = match self.at.terms.head(term) {
            Head::OfAgents(Func::K | Func::Pw | Func::Sk) => Some(term),
            Head::OfAgents(Func::Pk | Func::Cert) => {
                Some(self.at.terms.raw(Head::OfAgents(Func::Sk), args.clone()))
            }
            _ => None,
        };
        if let Some(key) = key {
            for (name, later) in &self.bundle.stolen {
                let name = self.bundle.store.walk(self.at.terms, *name);
                if args.contains(&name) && !keys.iter().any(|(other, _)| *other == key) {
                    keys.push((key, *later));
                }
            }
        }
        args.iter().for_each(|arg| self.stolen_keys(*arg, keys));
    }

    /// The name under which the narration knows a run's session key.
    fn known_as(&mut self, number: usize, key: Id, order: &[StepId]) -> Option<String> {
        let parts: BTreeSet<usize> =
            order.iter().map(|step| self.bundle.places[usize::from(*step)].part).collect();
        for part in parts {
            if self.of[part] + 1 == number
                && let Some((_, value)) = self.bundle.value(part, key)
            {
                let value = self.bundle.store.walk(self.at.terms, value);
                return match self.at.terms.head(value) {
                    head @ Head::Atom(_) => self.named.get(&head).cloned(),
                    // What she chose herself needs no leak.
                    Head::Var(_) => None,
                    _ => Some(self.protocol.table.show(key)),
                };
            }
        }
        None
    }
}
