//! `[attacker]`: who she is and what she sets out to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::events::EventDeed;
use super::problem::{Problem, Problems};
use super::protocol_file::quoted;
use super::reader::{Reader, array, name, string, unknown};
use super::setup::Setup;
use super::toml_tree::{Data, Node, Places};
use crate::knowledge::Value;
use crate::limits::MAX_WORDS;
use crate::notation::attack::{Deed, Setting};
use crate::notation::{Attack, Name, Quoted, Term};
use crate::party::SERVICE_PROTOCOLS;
use crate::party::attacker::{Action, Forger, Forgery, Match, Meddling, Plan, Rule};
use crate::time::{SPAN_EXPECTED, SimTime, Span};

/// The attacker of a variant.
#[derive(Clone, Debug)]
pub struct AttackerSpec {
    /// Her name.
    pub name: Name,
    /// Whether she is registered and has a certificate.
    pub insider: bool,
    /// The party whose public key she asks the authority to certify in her name; her own if none.
    pub enrols_key_of: Option<Name>,
    /// What becomes of messages whatever she sets out to do.
    pub rules: Vec<Rule>,
    /// Certificates that she forges.
    pub forgeries: Vec<Forgery>,
    /// What she sets out to do.
    pub plan: Plan,
    /// Until then she only listens.
    pub from: SimTime,
    /// Data of hers.
    pub given: BTreeMap<Name, Value>,
    /// Words that she tries for passwords, in this order.
    pub dictionary: Vec<String>,
    /// The time before which she does not send a line of her narration, by run and line.
    pub times: BTreeMap<(u32, u32), SimTime>,
    /// What she sets out to do, line by line as the file has it.
    pub words: Vec<String>,
}

impl AttackerSpec {
    /// The times at which she sets out to do something.
    pub fn moments(&self) -> impl Iterator<Item = SimTime> {
        [self.from].into_iter().chain(self.times.values().copied())
    }
}

const TACTICS: [&str; 6] = ["eavesdrop", "mitm", "replay", "reflect", "tamper", "impersonate NAME"];
const ACTIONS: [&str; 16] = [
    "pass",
    "drop",
    "delay 2s",
    "hold",
    "hold until 2h",
    "release",
    "duplicate",
    "replay 1s",
    "redirect NAME",
    "tamper",
    "replace TERMS",
    "roll back to 2h",
    "try-later",
    "forge good",
    "forge list NAMES",
    "forge own list NAMES",
];

/// The attacker's name, if there is one.
pub fn name_of(table: &Reader<'_>) -> Result<Option<String>, Problem> {
    let Some(node) = table.get("attacker") else { return Ok(None) };
    match Reader::new(node)?.get("name") {
        Some(node) => {
            let text = name(node)?;
            if crate::notation::Service::ALL.iter().any(|s| s.1 == &*text) {
                return Err(node.problem(format!("`{text}` is a service's name")));
            }
            Ok(Some(text.to_string()))
        }
        None => Ok(Some("mallory".to_owned())),
    }
}

/// Reads `[attacker]`.
pub fn read(scenario: &Reader<'_>, setup: &Setup) -> Result<Option<AttackerSpec>, Problems> {
    let Some(node) = scenario.get("attacker") else { return Ok(None) };
    let table = Reader::new(node)?;
    let her = name_of(scenario)?.unwrap_or_default();
    table.get("name");
    let insider = table.boolean("insider")?.unwrap_or(true);
    let enrols_key_of = match table.get("enrols_key_of") {
        Some(node) if !insider => {
            return Err(node.problem("an outsider enrols no key").help("leave out `insider = false`").into());
        }
        Some(node) => Some(setup.known_party(node)?),
        None => None,
    };
    let from = SimTime::ZERO.after(table.span("from")?.unwrap_or_default());
    let mut given = BTreeMap::new();
    if let Some(node) = table.get("given") {
        for (key, value) in Reader::new(node)?.entries() {
            let known = setup.protocol().value(&key.name);
            let words: Vec<&str> = setup.protocol().values.iter().map(|v| &*v.name).collect();
            let Some(declared) = known else {
                let message = setup.no_value(setup.protocol(), &key.name);
                return Err(super::setup::key_problem(node, key, message, &words).into());
            };
            let value = Value::new(declared.of.kind(), string(value)?.as_bytes());
            given.insert(key.name.as_str().into(), value);
        }
    }
    let dictionary = dictionary(&table)?;
    let hers = Hers { name: &her, insider, guesses: !dictionary.is_empty(), setup, papers: papers(&table)? };
    let mut places = Places::default();
    let fresh = table.get("fresh").map_or(Ok(Vec::new()), |n| quoted(n, &mut places))?;
    let plans: Vec<&Node> = ["tactic", "attack"].iter().filter_map(|k| table.get(k)).collect();
    if let [_, second] = plans.as_slice() {
        return Err(second.problem("an attacker has one of `tactic` and `attack`").into());
    }
    let words = plans.into_iter().chain(table.get("rule")).flat_map(|node| match node {
        Node { data: Data::String(tactic), .. } => vec![format!("tactic: {tactic}")],
        node => words(node),
    });
    let words = words.collect();
    let forgeries = match table.get("certificate") {
        Some(node) => array(node)?.iter().map(|node| forgery(node, setup)).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let plan = if let Some(node) = table.get("tactic") {
        tactic(node, setup)?
    } else if let Some(node) = table.get("attack") {
        let lines = quoted(node, &mut places)?;
        Plan::Narration(hers.attack(&lines, &fresh, &places)?)
    } else {
        Plan::Eavesdrop
    };
    let rules = match table.get("rule") {
        Some(node) => {
            array(node)?.iter().map(|r| hers.rule(r, &fresh, &mut places)).collect::<Result<_, Problems>>()?
        }
        None => Vec::new(),
    };
    let times = times(&table, &plan)?;
    table.finish()?;
    let name = her.as_str().into();
    Ok(Some(AttackerSpec {
        name,
        insider,
        enrols_key_of,
        rules,
        forgeries,
        plan,
        from,
        given,
        dictionary,
        times,
        words,
    }))
}

/// The names under which her notebook has certificates that she forges.
fn papers(table: &Reader<'_>) -> Result<Vec<Term>, Problem> {
    let Some(node) = table.get("certificate") else { return Ok(Vec::new()) };
    let named = array(node)?.iter().map(|node| {
        let table = Reader::new(node)?;
        table.get("as").ok_or_else(|| table.missing("as")).and_then(name).map(Term::Name)
    });
    named.collect()
}

/// A certificate that she forges: `[[attacker.certificate]]`.
fn forgery(node: &Node, setup: &Setup) -> Result<Forgery, Problem> {
    let table = Reader::new(node)?;
    let term = table.get("as").ok_or_else(|| table.missing("as")).and_then(name)?;
    let subject = setup.known_party(table.get("subject").ok_or_else(|| table.missing("subject"))?)?;
    let by = table.get("signed_by").ok_or_else(|| table.missing("signed_by"))?;
    let by = match string(by)? {
        "false-ca" => Forger::FalseCa,
        "herself" => Forger::Leaf,
        "stolen-ca" => Forger::StolenCa,
        other => return Err(unknown(by, "signer", other, &["false-ca", "herself", "stolen-ca"])),
    };
    table.finish()?;
    Ok(Forgery { term, subject, by })
}

fn words(node: &Node) -> Vec<String> {
    match &node.data {
        Data::Array(items) => items.iter().flat_map(words).collect(),
        Data::String(text) => vec![text.clone()],
        _ => vec![node.leaves(&[]).join(", ")],
    }
}

/// `dictionary`: the words that she tries for passwords.
fn dictionary(table: &Reader<'_>) -> Result<Vec<String>, Problem> {
    let words = table.strings("dictionary")?;
    match words.get(MAX_WORDS) {
        Some((_, extra)) => Err(extra.problem(format!("more words than the limit MAX_WORDS, {MAX_WORDS}"))),
        None => Ok(words.into_iter().map(|(word, _)| word.to_owned()).collect()),
    }
}

/// `at`: the time before which she does not send a line of hers, as in `"2.3" = "9h"`.
fn times(table: &Reader<'_>, plan: &Plan) -> Result<BTreeMap<(u32, u32), SimTime>, Problem> {
    let Some(node) = table.get("at") else { return Ok(BTreeMap::new()) };
    let lines = match plan {
        Plan::Narration(attack) => &attack.lines[..],
        _ => &[],
    };
    let sends: Vec<_> = lines.iter().filter(|l| matches!(l.deed, Deed::Send { .. })).collect();
    let words: Vec<String> = sends.iter().map(|l| format!("{}.{}", l.run, l.step)).collect();
    let mut times = BTreeMap::new();
    for (key, value) in Reader::new(node)?.entries() {
        let Some(at) = words.iter().position(|w| *w == key.name) else {
            let message = format!("she sends no line `{}`", key.name);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            return Err(super::setup::key_problem(node, key, message, &words));
        };
        times.insert((sends[at].run, sends[at].step), SimTime::ZERO.after(super::reader::span(value)?));
    }
    Ok(times)
}

fn tactic(node: &Node, setup: &Setup) -> Result<Plan, Problem> {
    let text = string(node)?;
    Ok(match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["eavesdrop"] => Plan::Eavesdrop,
        ["mitm"] => Plan::Mitm,
        ["replay"] => Plan::Replay,
        ["reflect"] => Plan::Reflect,
        ["tamper"] => Plan::Tamper,
        ["impersonate", who] => {
            let place = Node { data: Data::String((*who).to_owned()), ..node.clone() };
            Plan::Impersonate(setup.known_party(&place)?)
        }
        ["impersonate"] => {
            return Err(node.problem("whom does she impersonate?").help("as in `impersonate bob`"));
        }
        _ => return Err(unknown(node, "tactic", text, &TACTICS)),
    })
}

struct Hers<'a> {
    name: &'a str,
    insider: bool,
    /// Whether she may come to know a password by trying words.
    guesses: bool,
    setup: &'a Setup,
    /// Certificates that she will have.
    papers: Vec<Term>,
}

impl Hers<'_> {
    fn attack(&self, lines: &[Quoted], fresh: &[Quoted], places: &Places) -> Result<Arc<Attack>, Problems> {
        let parties = self.setup.party_names();
        let aliases = self.setup.aliases();
        let handed: Vec<Term> = self
            .setup
            .events
            .iter()
            .filter_map(|e| match &e.deed {
                EventDeed::Compromise { term, .. } => Some(term.clone()),
                _ => None,
            })
            .chain(self.setup.requests.iter().filter_map(|request| request.term.clone()))
            .chain(self.papers.iter().cloned())
            .collect();
        let setting = Setting {
            protocol: self.setup.protocol(),
            attacker: self.name,
            insider: self.insider,
            parties: &parties,
            aliases: &aliases,
            handed: &handed,
            guesses: self.guesses,
            fresh,
        };
        Attack::compile(lines, &setting).map(Arc::new).map_err(|faults| Problems(places.problems(&faults)))
    }

    fn rule(&self, node: &Node, fresh: &[Quoted], places: &mut Places) -> Result<Rule, Problems> {
        let table = Reader::new(node)?;
        let matches = match table.get("match") {
            Some(node) => self.matches(node)?,
            None => Match::default(),
        };
        let action = table.get("action").ok_or_else(|| table.missing("action"))?;
        let action = self.action(action, &matches, fresh, places)?;
        table.finish()?;
        Ok(Rule { matches, action })
    }

    fn matches(&self, node: &Node) -> Result<Match, Problem> {
        let table = Reader::new(node)?;
        let party = |key: &str| match table.get(key) {
            Some(node) if string(node)? == self.name || string(node)? == "I" => {
                Ok(Some(Name::from(self.name)))
            }
            Some(node) => self.setup.known_party(node).map(Some),
            None => Ok(None),
        };
        let time = |key: &str| Ok::<_, Problem>(table.span(key)?.map(|s| SimTime::ZERO.after(s)));
        let mut protocol = None;
        if let Some(node) = table.get("protocol") {
            let files = self.setup.protocol_files();
            let names: Vec<&str> = files.map(|p| p.protocol.name.as_str()).chain(SERVICE_PROTOCOLS).collect();
            let text = string(node)?;
            if !names.contains(&text) {
                return Err(unknown(node, "protocol in this scenario", text, &names));
            }
            protocol = Some(text.into());
        }
        let matches = Match {
            from: party("from")?,
            to: party("to")?,
            protocol,
            line: table.integer("line", 1)?,
            run: table.integer("run", 1)?,
            after: time("after")?,
            before: time("before")?,
        };
        table.finish()?;
        Ok(matches)
    }

    fn action(
        &self,
        node: &Node,
        of: &Match,
        fresh: &[Quoted],
        places: &mut Places,
    ) -> Result<Action, Problems> {
        let text = string(node)?.trim();
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let span = |text: &str| {
            Span::parse(text).ok_or_else(|| {
                node.problem(format!("`{text}` is not a duration")).help(format!("expected {SPAN_EXPECTED}"))
            })
        };
        Ok(match (verb, rest) {
            ("pass", "") => Action::Pass,
            ("drop", "") => Action::Drop,
            ("delay", by) => Action::Delay(span(by)?),
            ("hold", "") => Action::Hold(None),
            ("hold", until) if until.starts_with("until") => {
                Action::Hold(Some(SimTime::ZERO.after(span(until.trim_start_matches("until").trim())?)))
            }
            ("release", "") => Action::Release,
            ("duplicate", "") => Action::Duplicate,
            ("replay", "") => Action::Replay(Span::seconds(1)),
            ("replay", after) => Action::Replay(span(after)?),
            ("redirect", to) if !to.is_empty() => {
                let place = Node { data: Data::String(to.to_owned()), ..node.clone() };
                Action::Redirect(self.setup.known_party(&place)?)
            }
            ("tamper", "") => Action::Tamper,
            ("try-later", "") => Action::Meddle(Meddling::TryLater),
            ("roll", rest) if rest.starts_with("back to") => {
                let until = span(rest.trim_start_matches("back to").trim())?;
                Action::Meddle(Meddling::RollBack(SimTime::ZERO.after(until)))
            }
            ("forge", "good") => Action::Meddle(Meddling::ForgeGood),
            ("forge", rest) => {
                let (in_own_name, names) = match (rest.strip_prefix("list"), rest.strip_prefix("own list")) {
                    (Some(names), _) => (false, names),
                    (_, Some(names)) => (true, names),
                    _ => return Err(unknown(node, "action", text, &ACTIONS).into()),
                };
                let party = |name: &str| {
                    self.setup.known_party(&Node { data: Data::String(name.to_owned()), ..node.clone() })
                };
                let listed = names.split_whitespace().map(party).collect::<Result<_, _>>()?;
                Action::Meddle(Meddling::ForgeList { listed, in_own_name })
            }
            ("replace", terms) if !terms.is_empty() => {
                let (Some(from), Some(to), Some(line)) = (&of.from, &of.to, of.line) else {
                    return Err(node
                        .problem("a rule that replaces a message says which one")
                        .help("match on `from`, `to` and `line`")
                        .into());
                };
                let text = format!("1.{line} I({from}) -> {to} : {terms}");
                Action::Replace(self.attack(&[places.quote(&text, node)], fresh, places)?)
            }
            ("inject", line) if !line.is_empty() => {
                Action::Inject(self.attack(&[places.quote(line, node)], fresh, places)?)
            }
            _ => return Err(unknown(node, "action", text, &ACTIONS).into()),
        })
    }
}
