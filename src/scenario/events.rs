//! What happens at set times: `[[event]]`, and the values that events and expectations name.

use super::problem::Problem;
use super::reader::{Reader, array, name, string};
use super::setup::Setup;
use super::toml_tree::{Node, Places};
use crate::notation::{Func, Name, Service, Term, parse};
use crate::party::Leak;
use crate::pki::RevocationReason;
use crate::time::SimTime;

/// Something that happens at a set time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventSpec {
    /// When.
    pub at: SimTime,
    /// What.
    pub deed: EventDeed,
}

/// What an event does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventDeed {
    /// Hands a value to the attacker.
    Compromise {
        /// What.
        what: Stolen,
        /// The term under which her notebook has it.
        term: Term,
    },
    /// Has services revoke a party.
    Revoke {
        /// The party.
        subject: Name,
        /// Why.
        reason: RevocationReason,
        /// Which parties.
        by: Vec<Name>,
    },
    /// Gives a long-term key a new version at all who have it.
    Rotate {
        /// The key: `k(..)` or `pw(..)`.
        key: Term,
        /// How many older versions still open what was made under them.
        keep: u32,
    },
    /// Hands something of the key centre's or of who asked it to the attacker.
    Leak {
        /// Whose.
        of: Name,
        /// What, and the term under which her notebook has it.
        leak: Leak,
    },
    /// Puts the copy of the key centre's disk back that was handed to the attacker last.
    PutBack,
    /// Sets a party's clock.
    Clock {
        /// The party.
        party: Name,
        /// How far it is ahead from then on, in nanoseconds.
        offset: i64,
    },
    /// Has a party start anew: what it kept in memory is gone.
    Restart {
        /// The party.
        party: Name,
    },
}

/// What a compromise hands over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stolen {
    /// A long-term key: `sk(bob)`, `k(alice,kdc)`, `pw(alice,kdc)`.
    LongTerm(Term),
    /// A value of a run, as some party there has it.
    OfRun(ValueRef),
}

impl std::fmt::Display for Stolen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stolen::LongTerm(term) => term.fmt(f),
            Stolen::OfRun(of) => of.fmt(f),
        }
    }
}

/// A value of a run: `1.Kab`, or `1.alice.Kab` for one party's view of it. A role is a value,
/// too: `1.bob.A` is whom bob takes for A. What a request to the key centre is about or gave
/// is `r2`: its run is 0, which no run is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ValueRef {
    /// The run.
    pub run: u32,
    /// Whose view; anybody's if none.
    pub party: Option<Name>,
    /// The value's or the `let`'s name.
    pub name: Name,
}

impl std::fmt::Display for ValueRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.run == 0 {
            return f.write_str(&self.name);
        }
        write!(f, "{}.", self.run)?;
        self.party.as_ref().map_or(Ok(()), |p| write!(f, "{p}."))?;
        write!(f, "{}", self.name)
    }
}

impl ValueRef {
    /// Reads `1.Kab` or `1.alice.Kab`.
    pub fn parse(text: &str) -> Option<ValueRef> {
        if text.strip_prefix('r').is_some_and(|number| number.parse::<u32>().is_ok()) {
            return Some(ValueRef { run: 0, party: None, name: text.into() });
        }
        let mut parts = text.split('.');
        let run = parts.next()?.trim().parse().ok().filter(|r| *r > 0)?;
        let (party, name) = match (parts.next()?.trim(), parts.next()) {
            (name, None) => (None, name),
            (party, Some(name)) => (Some(Name::from(party)), name.trim()),
        };
        let named = parse::is_name(name) && parts.next().is_none();
        named.then(|| ValueRef { run, party, name: name.into() })
    }
}

/// A trust anchor is not revocable in-band (RFC 5280 §6.1): who would say so?
pub(super) fn check_revocable(node: &Node, subject: &Name) -> Result<(), Problem> {
    match **subject == *Service::Ca.name() {
        true => Err(node
            .problem("nobody can revoke the authority: its root is what everybody trusts")
            .help("name a party that it issued a certificate to")),
        false => Ok(()),
    }
}

impl Setup {
    pub(super) fn read_events(
        &self,
        table: &Reader<'_>,
        attacker: Option<&str>,
    ) -> Result<Vec<EventSpec>, Problem> {
        let Some(node) = table.get("event") else { return Ok(Vec::new()) };
        array(node)?.iter().map(|event| self.read_event(event, attacker)).collect()
    }

    fn read_event(&self, node: &Node, attacker: Option<&str>) -> Result<EventSpec, Problem> {
        let table = Reader::new(node)?;
        let at = SimTime::ZERO.after(table.span("at")?.ok_or_else(|| table.missing("at"))?);
        let kinds = ["compromise", "revoke", "restart", "rotate", "clock", "put_back"];
        let found: Vec<(&str, &Node)> =
            kinds.iter().filter_map(|key| Some((*key, table.get(key)?))).collect();
        let deed = match found.as_slice() {
            [("rotate", node)] => self.rotation(node, &table)?,
            [("put_back", node)] if string(node)? == "vault" && self.key_centre.is_some() => {
                EventDeed::PutBack
            }
            [("put_back", node)] => {
                return Err(node
                    .problem("only the key centre's disk can be put back")
                    .help("write `put_back = \"vault\"`, with [services.kdc.keys]"));
            }
            [("restart", node)] => EventDeed::Restart { party: self.known_party(node)? },
            [("clock", node)] => {
                let offset = table.get("offset").ok_or_else(|| table.missing("offset"))?;
                EventDeed::Clock { party: self.known_party(node)?, offset: super::parties::offset(offset)? }
            }
            [("compromise", what)] => {
                if attacker.is_none() {
                    return Err(what
                        .problem("there is no attacker to hand this to")
                        .help("add an [attacker]"));
                }
                if let Some((what, of, term)) = super::key_centre::leaked(what, self)? {
                    table.finish()?;
                    return Ok(EventSpec { at, deed: EventDeed::Leak { of, leak: Leak { what, term } } });
                }
                let what = self.stolen(what)?;
                let term = match (&what, table.get("as")) {
                    (Stolen::OfRun(_), Some(node)) => Term::Name(name(node)?),
                    (Stolen::OfRun(of), None) => Term::Name(of.name.clone()),
                    (Stolen::LongTerm(term), None) => term.clone(),
                    (Stolen::LongTerm(_), Some(node)) => {
                        return Err(node
                            .problem("only a run's value takes another name: a long-term key has its own"));
                    }
                };
                EventDeed::Compromise { what, term }
            }
            [("revoke", node)] => {
                let subject = self.known_party(node)?;
                check_revocable(node, &subject)?;
                let words: Vec<&str> = RevocationReason::ALL.iter().map(|r| r.word()).collect();
                let reason = table
                    .word("reason", "reason for a revocation", &words)?
                    .unwrap_or(RevocationReason::Unspecified);
                let by = match table.get("by") {
                    None => self.services.iter().map(|s| s.name().into()).collect(),
                    Some(node) => vec![self.known_party(node)?],
                };
                if by.is_empty() {
                    return Err(node
                        .problem("there is no service that could revoke")
                        .help("add [services.ca] or [services.kdc]"));
                }
                EventDeed::Revoke { subject, reason, by }
            }
            _ => {
                return Err(node.problem(
                    "an event has one of `compromise`, `revoke`, `restart`, `rotate`, `clock` and `put_back`",
                ));
            }
        };
        table.finish()?;
        Ok(EventSpec { at, deed })
    }

    /// The party that a string names.
    pub fn known_party(&self, node: &Node) -> Result<Name, Problem> {
        let text = string(node)?;
        match self.parties.get_key_value(text) {
            Some((party, _)) => Ok(party.clone()),
            None => {
                let mut problem = node.problem(format!("there is no party `{text}`"));
                problem.help = crate::notation::fault::suggest(text, self.parties.keys().map(|p| &**p));
                Err(problem)
            }
        }
    }

    pub(super) fn stolen(&self, node: &Node) -> Result<Stolen, Problem> {
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
                problem.help = crate::notation::fault::suggest(&arg, self.parties.keys().map(|p| &**p));
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
                true => crate::notation::fault::suggest(&found.name, words),
                false => Some("what request 1 is about or gave is `r1`".to_owned()),
            };
            return Err(problem);
        }
        if let Some(party) = &found.party
            && !self.parties.contains_key(party)
        {
            let mut problem = node.problem(format!("there is no party `{party}`"));
            problem.help = crate::notation::fault::suggest(party, self.parties.keys().map(|p| &**p));
            return Err(problem);
        }
        Ok(found)
    }
}
