//! `[[attacker.rule]]`: which messages a rule is for, and what becomes of them. Lines of terms
//! are of the protocol of their run, or of the message in whose place they go.

use super::scope::Scope;
use crate::crypto::{Agreement, X25519_SMALL_ORDER};
use crate::limits::MAX_MESSAGE_BYTES;
use crate::notation::attack::Says;
use crate::notation::{Name, Protocol, Quoted};
use crate::party::attacker::{Action, Change, Extension, Match, Meddling, Place, Rule};
use crate::party::{ALERT_PROTOCOL, OCSP_PROTOCOL, SERVICE_PROTOCOLS};
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::reader::{Reader, string, unknown};
use crate::scenario::schema;
use crate::scenario::toml_tree::{Data, Node, Places};
use crate::time::{SPAN_EXPECTED, SimTime, Span};

/// Reads one rule.
pub fn read(scope: &Scope<'_>, node: &Node, fresh: &[Quoted], places: &mut Places) -> Result<Rule, Problems> {
    let table = Reader::of(node, &schema::RULE)?;
    let mut on = match table.get("match") {
        Some(node) => matches(scope, node)?,
        None => Match::default(),
    };
    let node = table.get("action").ok_or_else(|| table.missing("action"))?;
    let action = action(scope, node, &on, fresh, places)?;
    if let Action::Replace(attack) = &action {
        on.protocol = attack.lines.first().map(|line| line.protocol.clone());
    }
    table.finish()?;
    Ok(Rule { matches: on, action })
}

fn matches(scope: &Scope<'_>, node: &Node) -> Result<Match, Problem> {
    let table = Reader::of(node, &schema::MATCH)?;
    let party = |key: &str| match table.get(key) {
        Some(node) if string(node)? == scope.name || string(node)? == "I" => Ok(Some(Name::from(scope.name))),
        Some(node) => scope.setup.known_party(node).map(Some),
        None => Ok(None),
    };
    let time = |key: &str| Ok::<_, Problem>(table.span(key)?.map(|s| SimTime::ZERO.after(s)));
    let mut protocol = None;
    if let Some(node) = table.get("protocol") {
        let files = scope.setup.protocol_files();
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
    check_match(scope, &table, &matches)?;
    Ok(matches)
}

/// A rule that no message can match is a fault of the file.
fn check_match(scope: &Scope<'_>, table: &Reader<'_>, of: &Match) -> Result<(), Problem> {
    let scheduled = of.run.and_then(|run| scope.runs.get(&run)).map(|run| run.protocol);
    let named = of.protocol.as_ref().and_then(|name| scope.setup.protocol_named(name));
    if let (Some(scheduled), Some(named), Some(node)) = (scheduled, named, table.get("run"))
        && scheduled.name != named.name
    {
        let run = of.run.unwrap_or_default();
        return Err(node
            .problem(format!("run {run} is not of protocol {}", named.name))
            .help(format!("it is of {}", scheduled.name)));
    }
    let (Some(line), Some(node)) = (of.line, table.get("line")) else { return Ok(()) };
    let count = |protocol: &Protocol| protocol.lines.len() as u32;
    let last = match (&of.protocol, named) {
        (_, Some(protocol)) => count(protocol),
        (Some(service), None) => lines_of_service(service),
        (None, None) => {
            let all = scope.setup.protocol_files().map(|file| count(&file.protocol));
            all.chain(SERVICE_PROTOCOLS.map(lines_of_service)).max().unwrap_or(0)
        }
    };
    if line > last {
        let of = of.protocol.as_deref().map_or("no protocol here".to_owned(), |p| format!("protocol {p}"));
        let verb = if of.starts_with("no ") { "has a" } else { "has no" };
        return Err(node
            .problem(format!("{of} {verb} line {line}"))
            .help(format!("lines are numbered 1 to {last}")));
    }
    Ok(())
}

/// The run as a line of which terms replace a message: any one of its protocol.
fn run_replaced(scope: &Scope<'_>, node: &Node, of: &Match) -> Result<u32, Problem> {
    if let Some(service) = of.protocol.as_ref().filter(|name| SERVICE_PROTOCOLS.contains(&&***name)) {
        return Err(node
            .problem(format!("messages of `{service}` are not written in terms"))
            .help("drop, delay or tamper with them, or answer with `forge good`, `forge list NAMES`"));
    }
    if let Some(run) = of.run.filter(|run| scope.runs.contains_key(run)) {
        return Ok(run);
    }
    let files: Vec<&str> = scope.setup.protocol_files().map(|file| file.protocol.name.as_str()).collect();
    let protocol = match (&of.protocol, files.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => *only,
        (None, _) => {
            return Err(node
                .problem("of which protocol is the line that this replaces?")
                .help(format!("match on `run`, or on `protocol`: {}", files.join(", "))));
        }
    };
    let run = scope.runs.iter().find(|(_, run)| run.protocol.name == *protocol).map(|(number, _)| *number);
    Ok(run.unwrap_or_else(|| scope.runs.keys().max().map_or(1, |last| last + 1)))
}

fn action(
    scope: &Scope<'_>,
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
            Action::Redirect(scope.setup.known_party(&place)?)
        }
        ("tamper", "") => Action::Tamper,
        ("change", rest) if !rest.is_empty() => Action::Change(change(node, rest)?),
        ("low-order", nth) => Action::Confine(low_order(scope, node, nth)?),
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
                _ => return Err(unknown(node, "action", text, &schema::RULE.words("action")).into()),
            };
            let party = |name: &str| {
                scope.setup.known_party(&Node { data: Data::String(name.to_owned()), ..node.clone() })
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
            let run = run_replaced(scope, node, of)?;
            let text = format!("{run}.{line} I({from}) -> {to} : {terms}");
            Action::Replace(scope.attack(&[places.quote(&text, node)], Says::Nothing, fresh, &[], places)?)
        }
        ("extend", rest) => Action::Extend(extension(node, rest)?),
        ("inject", line) if !line.is_empty() => {
            Action::Inject(scope.attack(&[places.quote(line, node)], Says::Some, fresh, &[], places)?)
        }
        _ => return Err(unknown(node, "action", text, &schema::RULE.words("action")).into()),
    })
}

/// `by "TEXT" behind BYTES`.
fn extension(node: &Node, text: &str) -> Result<Extension, Problem> {
    let expected = || {
        node.problem("by what does she extend it, and how much is hashed before it?")
            .help("as in `extend by \"&pay 900\" behind 32`: behind a key of 32 bytes")
    };
    let text = text.strip_prefix("by \"").ok_or_else(expected)?;
    let (more, behind) = text.rsplit_once("\" behind ").ok_or_else(expected)?;
    let behind = behind.trim().parse().ok().filter(|behind| *behind <= MAX_MESSAGE_BYTES);
    let behind = behind.ok_or_else(expected)?;
    if more.is_empty() {
        return Err(expected());
    }
    Ok(Extension { more: more.to_owned(), behind })
}

/// `"TEXT" to "TEXT" at FIELD:BYTE`, or `at BYTE` where fields carry no tags.
fn change(node: &Node, text: &str) -> Result<Change, Problem> {
    let expected = || {
        node.problem("she changes what, to what, and where?")
            .help("as in `change \"pay 100\" to \"pay 900\" at 2:5`: from byte 5 of field 2 on")
    };
    let [before, guess, to, wish, at] = text.split('"').collect::<Vec<_>>()[..] else {
        return Err(expected());
    };
    let Some(at) = at.trim().strip_prefix("at ").filter(|_| before.is_empty() && to.trim() == "to") else {
        return Err(expected());
    };
    let (at, tags_anew) = match at.split_once(',') {
        Some((at, "tagged anew")) | Some((at, " tagged anew")) => (at, true),
        Some(_) => return Err(expected()),
        None => (at, false),
    };
    let number = |text: &str| text.trim().parse::<usize>().map_err(|_| expected());
    let place = match at.split_once(':') {
        Some((field, byte)) => Place { field: Some(number(field)?), byte: number(byte)? },
        None => Place { field: None, byte: number(at)? },
    };
    if tags_anew && place.field.is_none() {
        return Err(node.problem("whose tag? She tags a field anew").help("as in `at 2:17, tagged anew`"));
    }
    if place.field == Some(0) {
        return Err(node.problem("fields are numbered from 1"));
    }
    Change::new(guess, wish, place, tags_anew).ok_or_else(|| {
        node.problem(format!("`{guess}` and `{wish}` are not equally long, or are the same"))
            .help("what she writes over a text has as many bytes, and other ones")
    })
}

/// Which share of small order: if nothing is said the second, u = 1, which is not zero itself.
fn low_order(scope: &Scope<'_>, node: &Node, nth: &str) -> Result<usize, Problem> {
    let agreement = scope.setup.suite.agreement;
    if !matches!(agreement, Agreement::X25519 | Agreement::X25519Unchecked) {
        return Err(node
            .problem(format!("{agreement} has no such shares"))
            .help("those of x25519 are known"));
    }
    let count = X25519_SMALL_ORDER.len();
    let nth = if nth.is_empty() { Some(2) } else { nth.parse().ok() };
    nth.filter(|nth| (1..=count).contains(nth))
        .map(|nth| nth - 1)
        .ok_or_else(|| node.problem(format!("shares of small order are numbered from 1 to {count}")))
}

/// The lines of messages to and from a service: a question, an answer; to OCSP also a
/// response that nobody asked for.
fn lines_of_service(name: &str) -> u32 {
    match name {
        OCSP_PROTOCOL => 3,
        ALERT_PROTOCOL => 1,
        _ => 2,
    }
}
