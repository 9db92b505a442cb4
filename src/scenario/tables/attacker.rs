//! `[attacker]`: who she is and what she sets out to do.

use std::collections::{BTreeMap, BTreeSet};

use super::rules;
use super::scope::Scope;
use crate::algebra::Value;
use crate::limits::{MAX_GUESSES, MAX_QUERIES, MAX_SEARCH_RUNS, MAX_TRIALS, MAX_WORDS};
use crate::notation::attack::{Deed, Says, Scheduled};
use crate::notation::fault::near;
use crate::notation::{self, Func, Name, Quoted, Service, Term, Type, parse};
use crate::party::attacker::{Forger, Forgery, Plan};
use crate::pki::Flaw;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::protocol_file::{pairs, quoted};
use crate::scenario::reader::{Reader, array, key_problem, name, one_of, span, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::setup::attacker::AttackerSpec;
use crate::scenario::setup::party::Party;
use crate::scenario::toml_tree::{Data, Node, Places};
use crate::time::SimTime;

/// How often she asks a party, if she is not told how often she may.
const QUERIES: u32 = 10_000;

/// The tactic of asking whether a padding is right.
const PADDING: &str = "padding-oracle";

/// The tactic of sending shares of small order.
const SUBGROUP: &str = "small-subgroup";

/// The tactic of asking whether a padding of RSA is right.
const BLEICHENBACHER: &str = "bleichenbacher";

/// The tactics that ask a party again and again, by the tags of its fields.
const ASKING: [&str; 3] = [PADDING, SUBGROUP, BLEICHENBACHER];

/// Runs with which she looks for an attack, if she is not told how many.
const RUNS: usize = 2;

/// What has no place beside a search, which writes her lines itself.
const NOT_BESIDE_A_SEARCH: [&str; 4] = ["from", "fresh", "at", "rule"];

/// The attacker's name, if there is one.
pub fn name_of(table: &Reader<'_>) -> Result<Option<String>, Problem> {
    let Some(node) = table.get("attacker") else { return Ok(None) };
    match Reader::new(node)?.get("name") {
        Some(node) => {
            let text = name(node)?;
            if Service::of(&text).is_some() {
                return Err(node.problem(format!("`{text}` is a service's name")));
            }
            Ok(Some(text.to_string()))
        }
        None => Ok(Some("mallory".to_owned())),
    }
}

/// The parties that only the attacker's lines name, as senders and receivers. A name that may
/// be a slip for another, or that is a role's, names none.
pub fn narrated(scenario: &Reader<'_>, setup: &Setup, known: &BTreeMap<Name, Party>) -> Vec<Name> {
    let table = scenario.get("attacker").and_then(|node| Reader::new(node).ok());
    let attacker = name_of(scenario).ok().flatten();
    let Some(table) = table else { return Vec::new() };
    let rules = table.get("rule").and_then(|node| array(node).ok()).unwrap_or_default();
    let injected = rules.iter().filter_map(|rule| {
        Reader::new(rule).ok()?.string("action").ok()??.trim().strip_prefix("inject").map(str::to_owned)
    });
    let lines = table.get("attack").map(words).unwrap_or_default().into_iter().chain(injected);
    let mut found: Vec<Name> = Vec::new();
    for line in lines.filter_map(|text| parse::line(&Quoted::new(text)).ok()) {
        for party in [line.from, line.to] {
            let (parse::Party::Named(name) | parse::Party::AttackerAs(name)) = party else { continue };
            let roles = || setup.protocols.iter().flat_map(|(file, _)| &file.protocol.roles);
            let taken = Service::of(&name).is_some()
                || name.contains('\'')
                || attacker.as_deref() == Some(&*name)
                || roles().any(|role| role.name == name);
            let others = known.keys().chain(&found).map(|n| &**n);
            if !taken && !known.contains_key(&name) && near(&name, others).is_none() {
                found.push(name);
            }
        }
    }
    found
}

/// Reads `[attacker]`.
pub fn read(scenario: &Reader<'_>, setup: &Setup) -> Result<Option<AttackerSpec>, Problems> {
    let Some(node) = scenario.get("attacker") else { return Ok(None) };
    let table = Reader::of(node, &schema::ATTACKER)?;
    let attacker = name_of(scenario)?.unwrap_or_default();
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
                return Err(key_problem(node, key, message, &words).into());
            };
            let value = Value::new(declared.of.kind(), string(value)?.as_bytes());
            given.insert(key.name.as_str().into(), value);
        }
    }
    let dictionary = dictionary(&table, setup)?;
    let runs = setup.runs.iter().map(|run| {
        let protocol = setup.protocol_named(&run.protocol).unwrap_or(setup.protocol());
        (run.number, Scheduled { protocol, names: &run.names })
    });
    let compares_nonces = table.boolean("compares_nonces")?.unwrap_or(false);
    let compares_moduli = table.boolean("compares_moduli")?.unwrap_or(false);
    let computes_logarithms = logarithms(&table, setup)?;
    let mut papers = papers(&table)?;
    if compares_nonces || compares_moduli {
        // A private key may be hers some day.
        let keys = setup.parties.keys().map(|name| Term::of(Func::Sk, &[name]));
        papers.extend(keys);
    }
    if computes_logarithms {
        // So may exponents, under the names that the protocols have for them.
        let values = setup.protocols.iter().flat_map(|(file, _)| &file.protocol.values);
        papers.extend(values.filter(|v| v.of == Type::Dh).map(|v| Term::Name(v.name.clone())));
    }
    let scope = Scope {
        name: &attacker,
        insider,
        guesses: !dictionary.is_empty(),
        setup,
        runs: runs.collect(),
        papers,
    };
    let mut places = Places::default();
    let fresh = table.get("fresh").map_or(Ok(Vec::new()), |n| quoted(n, &mut places))?;
    let finds = pairs(&table, "finds", &mut places)?;
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
    let queries = queries(&table)?;
    let search = table.get("tactic").map(|node| search(node, &table, setup)).transpose()?.flatten();
    let plan = if search.is_some() {
        Plan::Eavesdrop
    } else if let Some(node) = table.get("tactic") {
        tactic(node, setup, queries)?
    } else if let Some(node) = table.get("attack") {
        let lines = quoted(node, &mut places)?;
        // Rules bring others into runs, too.
        let says = if table.get("rule").is_some() { Says::Some } else { Says::All };
        Plan::Narration(scope.attack(&lines, says, &fresh, &finds, &places)?)
    } else {
        Plan::Eavesdrop
    };
    if let (Some(node), false) = (table.get("finds"), matches!(plan, Plan::Narration(_))) {
        return Err(node
            .problem("what she finds goes into lines of hers")
            .help("say them in `attack`")
            .into());
    }
    let trials = trials(&table)?;
    let rules = match table.get("rule") {
        Some(node) => array(node)?
            .iter()
            .map(|node| rules::read(&scope, node, &fresh, &mut places))
            .collect::<Result<_, Problems>>()?,
        None => Vec::new(),
    };
    let times = times(&table, &plan)?;
    table.finish()?;
    let name = attacker.as_str().into();
    Ok(Some(AttackerSpec {
        name,
        insider,
        enrols_key_of,
        rules,
        forgeries,
        plan,
        search,
        from,
        given,
        dictionary,
        compares_nonces,
        compares_moduli,
        computes_logarithms,
        trials,
        times,
        words,
    }))
}

/// `trials`: how many hashes she may try, where she finds something so.
fn trials(table: &Reader<'_>) -> Result<u32, Problem> {
    let (Some(trials), Some(node)) = (table.integer("trials", 1)?, table.get("trials")) else {
        return Ok(MAX_TRIALS);
    };
    if trials > MAX_TRIALS {
        return Err(node.problem(format!("more than the limit MAX_TRIALS, {MAX_TRIALS}")));
    }
    match table.get("finds") {
        Some(_) => Ok(trials),
        None => Err(node.problem("she tries nothing").help("`trials` goes with `finds`")),
    }
}

/// `computes_logarithms`: where that takes seconds.
fn logarithms(table: &Reader<'_>, setup: &Setup) -> Result<bool, Problem> {
    let computes = table.boolean("computes_logarithms")?.unwrap_or(false);
    let encoding = setup.protocols.iter().any(|(_, encoding)| !encoding.has_tags());
    match table.get("computes_logarithms") {
        Some(node) if computes && encoding => {
            Err(node.problem("she finds shares by their tags").help("leave out `untagged`"))
        }
        _ => Ok(computes),
    }
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
    let table = Reader::of(node, &schema::CERTIFICATE)?;
    let term = table.get("as").ok_or_else(|| table.missing("as")).and_then(name)?;
    let subject = setup.known_party(table.get("subject").ok_or_else(|| table.missing("subject"))?)?;
    let by = table.get("signed_by").ok_or_else(|| table.missing("signed_by"))?;
    let by = match string(by)? {
        "false-ca" => Forger::FalseCa,
        "herself" => Forger::Leaf,
        "stolen-ca" => Forger::StolenCa,
        other => return Err(unknown(by, "signer", other, &schema::CERTIFICATE.words("signed_by"))),
    };
    let flaw = match table.get("flaw") {
        Some(node) => Some(one_of(node, "flaw", Flaw::ALL, Flaw::word)?),
        None => None,
    };
    table.finish()?;
    Ok(Forgery { term, subject, by, flaw })
}

fn words(node: &Node) -> Vec<String> {
    match &node.data {
        Data::Array(items) => items.iter().flat_map(words).collect(),
        Data::String(text) => vec![text.clone()],
        _ => vec![node.leaves(&[]).join(", ")],
    }
}

/// `dictionary`: the words that she tries for passwords.
fn dictionary(table: &Reader<'_>, setup: &Setup) -> Result<Vec<String>, Problem> {
    let words = table.strings("dictionary")?;
    if let Some((_, extra)) = words.get(MAX_WORDS) {
        return Err(extra.problem(format!("more words than the limit MAX_WORDS, {MAX_WORDS}")));
    }
    let words: Vec<String> = words.into_iter().map(|(word, _)| word.to_owned()).collect();
    let tries = |owners: &[Name; 2]| {
        let chosen = owners.iter().find_map(|owner| setup.parties.get(owner)?.password.as_deref());
        words.iter().position(|word| Some(word.as_str()) == chosen).map_or(words.len(), |nth| nth + 1)
    };
    let passwords = passwords(setup);
    let guesses: usize = passwords.iter().map(tries).sum();
    if let Some(node) = table.get("dictionary").filter(|_| guesses > MAX_GUESSES) {
        let (words, passwords) = (words.len(), passwords.len());
        return Err(node
            .problem(format!(
                "{words} words for {passwords} passwords are more guesses than MAX_GUESSES, {MAX_GUESSES}"
            ))
            .help("name fewer words, or fewer parties who use passwords"));
    }
    Ok(words)
}

/// Whose passwords the scheduled runs use, in order of their names.
fn passwords(setup: &Setup) -> BTreeSet<[Name; 2]> {
    let mut all = BTreeSet::new();
    for (file, _) in &setup.protocols {
        let (protocol, table) = (&file.protocol, &file.protocol.table);
        let pairs = table.ids().filter_map(|id| match table.node(id) {
            notation::Node::App(Func::Pw, args) => Some([args[0], args[1]].map(|role| table.show(role))),
            _ => None,
        });
        let pairs: Vec<[String; 2]> = pairs.collect();
        for run in setup.runs.iter().filter(|run| *run.protocol == *protocol.name) {
            let player = |role: &String| {
                let service = protocol.role(role).and_then(|role| role.service);
                run.names.get(role.as_str()).cloned().or_else(|| Some(service?.name().into()))
            };
            for pair in &pairs {
                if let [Some(a), Some(b)] = pair.each_ref().map(player) {
                    all.insert(if a <= b { [a, b] } else { [b, a] });
                }
            }
        }
    }
    all
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
            return Err(key_problem(node, key, message, &words));
        };
        times.insert((sends[at].run, sends[at].step), SimTime::ZERO.after(span(value)?));
    }
    Ok(times)
}

/// `search`, `search 3`: with how many runs she looks for an attack, if that is her tactic.
fn search(node: &Node, table: &Reader<'_>, setup: &Setup) -> Result<Option<usize>, Problem> {
    let text = string(node)?;
    let runs = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["search"] => RUNS,
        ["search", runs] => {
            let runs = runs.parse().ok().filter(|runs| (1..=MAX_SEARCH_RUNS).contains(runs));
            runs.ok_or_else(|| {
                let limit = format!("a search is with 1 to {MAX_SEARCH_RUNS} runs (MAX_SEARCH_RUNS)");
                node.problem(limit).help("as in `search 3`")
            })?
        }
        _ => return Ok(None),
    };
    if !setup.plays_protocol || setup.protocol().goals.is_empty() {
        return Err(node.problem("there is no goal on which to look for an attack"));
    }
    if let Some((key, _)) = table.entries().iter().find(|(key, _)| NOT_BESIDE_A_SEARCH.contains(&&*key.name))
    {
        let problem = Problem::at(&node.file, key.range.clone(), format!("`{}` beside a search", key.name));
        return Err(problem.help("a search writes her lines itself: write `attack` to say them"));
    }
    Ok(Some(runs))
}

/// `queries`: how often she may ask a party, where her tactic is to ask.
fn queries(table: &Reader<'_>) -> Result<u32, Problem> {
    let Some(queries) = table.integer("queries", 1)? else { return Ok(QUERIES) };
    let place = |message: String| match table.get("queries") {
        Some(node) => node.problem(message),
        None => table.missing("queries"),
    };
    if queries > MAX_QUERIES {
        return Err(place(format!("more than the limit MAX_QUERIES, {MAX_QUERIES}")));
    }
    let asks =
        table.get("tactic").is_some_and(|node| string(node).is_ok_and(|text| ASKING.contains(&text.trim())));
    match asks {
        true => Ok(queries),
        false => Err(place("she asks nobody".to_owned())
            .help(format!("`queries` goes with the tactics `{}`", ASKING.join("`, `")))),
    }
}

fn tactic(node: &Node, setup: &Setup, queries: u32) -> Result<Plan, Problem> {
    let text = string(node)?;
    Ok(match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["eavesdrop"] => Plan::Eavesdrop,
        ["mitm"] => Plan::Mitm,
        ["replay"] => Plan::Replay,
        ["reflect"] => Plan::Reflect,
        ["tamper"] => Plan::Tamper,
        [asks] if ASKING.contains(asks) && setup.protocols.iter().any(|(_, of)| !of.has_tags()) => {
            return Err(node
                .problem("she reads what she asks about by the tags of its fields")
                .help("in the untagged encoding fields have none"));
        }
        [PADDING] => Plan::PaddingOracle(queries),
        [SUBGROUP] => Plan::SmallSubgroup(queries),
        [BLEICHENBACHER] => Plan::Bleichenbacher(queries),
        ["impersonate", who] => {
            let place = Node { data: Data::String((*who).to_owned()), ..node.clone() };
            Plan::Impersonate(setup.known_party(&place)?)
        }
        ["impersonate"] => {
            return Err(node.problem("whom does she impersonate?").help("as in `impersonate bob`"));
        }
        _ => return Err(unknown(node, "tactic", text, &schema::ATTACKER.words("tactic"))),
    })
}
