//! How a table names what others set up: parties, keys, codes, the values of runs.

use std::collections::BTreeSet;

use crate::notation::fault::suggest;
use crate::notation::{Func, Name, Protocol, Service, Term, parse};
use crate::scenario::problem::Problem;
use crate::scenario::reader::string;
use crate::scenario::setup::Setup;
use crate::scenario::setup::attacker::AttackerSpec;
use crate::scenario::setup::event::{Stolen, ValueRef};
use crate::scenario::toml_tree::{Node, Places};

/// A trust anchor is not revocable in-band (RFC 5280 §6.1): who would say so?
pub fn check_revocable(node: &Node, subject: &Name) -> Result<(), Problem> {
    match **subject == *Service::Ca.name() {
        true => Err(node
            .problem("nobody can revoke the authority: its root is what everybody trusts")
            .help("name a party that it issued a certificate to")),
        false => Ok(()),
    }
}

/// The runs that there may be: the scheduled ones, and those that the attacker opens.
pub struct RunsThere<'a> {
    scheduled: usize,
    attacker: Option<&'a AttackerSpec>,
    /// Of which her lines speak.
    narrated: BTreeSet<u32>,
}

impl<'a> RunsThere<'a> {
    /// Those of a play with this attacker.
    pub fn of(setup: &Setup, attacker: Option<&'a AttackerSpec>) -> RunsThere<'a> {
        let narrated = attacker.map(AttackerSpec::narrated_runs).unwrap_or_default();
        RunsThere { scheduled: setup.runs.len(), attacker, narrated }
    }

    /// Reports a run that nobody has scheduled and that the attacker cannot open.
    pub fn check(&self, run: u32, place: &Node) -> Result<(), Problem> {
        // Runs are numbered from 1.
        let is_scheduled = run as usize <= self.scheduled;
        if is_scheduled || self.narrated.contains(&run) || self.attacker.is_some_and(AttackerSpec::opens_runs)
        {
            return Ok(());
        }
        let (message, hers) = match self.attacker {
            None => (format!("there is no run {run}, and no attacker who could open it"), String::new()),
            Some(_) => {
                let hers: Vec<String> = self.narrated.iter().map(u32::to_string).collect();
                let hers = match hers.as_slice() {
                    [] => "the attacker opens none".to_owned(),
                    [one] => format!("the attacker's lines are of run {one}"),
                    hers => format!("the attacker's lines are of runs {}", hers.join(", ")),
                };
                (format!("there is no run {run}"), format!("; {hers}"))
            }
        };
        Err(place.problem(message).help(format!("the scenario has {} [[run]]{hers}", self.scheduled)))
    }

    /// Reports a value of a run that there cannot be.
    pub fn check_value(&self, of: &ValueRef, place: &Node) -> Result<(), Problem> {
        // A request's value is of no run.
        if of.run > 0 { self.check(of.run, place) } else { Ok(()) }
    }
}

/// The name under which her notebook has somebody's code.
pub fn code_term(of: &str) -> Term {
    Term::Name(format!("code_{of}").as_str().into())
}

impl Setup {
    /// The party that a string names.
    pub fn known_party(&self, node: &Node) -> Result<Name, Problem> {
        let text = string(node)?;
        match self.parties.get_key_value(text) {
            Some((party, _)) => Ok(party.clone()),
            None => {
                let mut problem = node.problem(format!("there is no party `{text}`"));
                problem.help = suggest(text, self.parties.keys().map(|p| &**p));
                Err(problem)
            }
        }
    }

    /// A party, or the attacker. Services are among the parties, and offered to nobody: they
    /// do not ask, own or consent.
    pub fn known_person(&self, node: &Node, attacker: Option<&str>) -> Result<Name, Problem> {
        match string(node)? {
            her if attacker == Some(her) => Ok(her.into()),
            "I" if attacker.is_some() => Ok(attacker.unwrap_or_default().into()),
            _ => self.known_party(node).map_err(|problem| {
                let clients =
                    self.parties.keys().map(|party| &**party).filter(|party| Service::of(party).is_none());
                Problem { help: string(node).ok().and_then(|text| suggest(text, clients)), ..problem }
            }),
        }
    }

    /// What a string names that can be stolen: a long-term key, or a run's value.
    pub fn stolen(&self, node: &Node) -> Result<Stolen, Problem> {
        let text = string(node)?;
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(Stolen::OfRun(self.value_ref(node)?));
        }
        let mut places = Places::default();
        let term = parse::term(&places.quote(text, node))
            .map_err(|f| places.problem(&f).unwrap_or_else(|| node.problem("not a term")))?;
        let Term::App(Func::Sk | Func::K | Func::Pw, args) = &term else {
            return Err(node.problem(format!("`{text}` cannot be compromised")).help(
                "expected `sk(bob)`, `k(alice,kdc)`, `pw(alice,kdc)` or a run's value such as `1.Kab`",
            ));
        };
        let aliases = self.aliases();
        for arg in args.iter().flat_map(Term::names) {
            let known = self.parties.contains_key(&arg) || aliases.iter().any(|(role, _)| *role == arg);
            if !known {
                let mut problem = node.problem(format!("there is no party `{arg}`"));
                problem.help = suggest(&arg, self.parties.keys().map(|p| &**p));
                return Err(problem);
            }
        }
        let named = |n: &Name| aliases.iter().find(|(role, _)| role == n).map(|(_, p)| Term::Name(p.clone()));
        Ok(Stolen::LongTerm(term.replace(&named)))
    }

    /// The run's value that a string names.
    pub fn value_ref(&self, node: &Node) -> Result<ValueRef, Problem> {
        let text = string(node)?;
        if let Some(number) = text.strip_prefix('r').and_then(|number| number.parse::<u32>().ok()) {
            return match self.request(number).is_some() {
                true => Ok(ValueRef { run: 0, party: None, name: text.into() }),
                false => Err(node
                    .problem(format!("there is no request {number}"))
                    .help(format!("the scenario has {} [[request]]", self.requests.len()))),
            };
        }
        let expected =
            "expected a run's value such as `1.Kab`, or one party's view of it such as `1.alice.Kab`";
        let found = ValueRef::parse(text)
            .ok_or_else(|| node.problem(format!("`{text}` names no value")).help(expected))?;
        let spec = self.runs.iter().find(|r| r.number == found.run);
        let protocol = spec.and_then(|r| self.protocol_named(&r.protocol)).unwrap_or(self.protocol());
        let words: Vec<&str> = (protocol.values.iter().map(|v| &*v.name))
            .chain(protocol.lets.iter().map(|(n, _)| &**n))
            .chain(protocol.roles.iter().map(|r| &*r.name))
            .collect();
        if !self.plays_protocol || !words.contains(&&*found.name) {
            let mut problem = node.problem(self.no_value(protocol, &found.name));
            problem.help = match self.plays_protocol {
                true => suggest(&found.name, words),
                false => Some("what request 1 is about or gave is `r1`".to_owned()),
            };
            return Err(problem);
        }
        if let Some(party) = &found.party
            && !self.parties.contains_key(party)
        {
            let mut problem = node.problem(format!("there is no party `{party}`"));
            problem.help = suggest(party, self.parties.keys().map(|p| &**p));
            return Err(problem);
        }
        Ok(found)
    }

    /// The party whose one-time code is meant.
    pub fn code_owner(&self, of: &str, node: &Node) -> Result<Name, Problem> {
        let codes = self.key_centre.as_ref().map_or(&[][..], |centre| &centre.codes);
        codes.iter().find(|owner| ***owner == *of.trim()).cloned().ok_or_else(|| {
            let mut problem = node.problem(format!("`{}` has no device for one-time codes", of.trim()));
            problem.help = match codes.is_empty() {
                true => Some(format!("add `one_time_codes = [\"{}\"]` to [services.kdc.keys]", of.trim())),
                false => suggest(of.trim(), codes.iter().map(|owner| &**owner)),
            };
            problem
        })
    }

    /// The problem that the scenario's protocol has no value `name`.
    pub fn no_value(&self, protocol: &Protocol, name: &str) -> String {
        match self.plays_protocol {
            true => format!("protocol {} has no value `{name}`", protocol.name),
            false => format!("there is no protocol here to have a value `{name}`"),
        }
    }
}
