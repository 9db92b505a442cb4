//! What happens at set times: `[[event]]`.

use super::amounts::offset;
use super::leaks::leaked;
use super::references::{RunsThere, check_revocable};
use crate::notation::{Func, Term};
use crate::party::Leak;
use crate::pki::RevocationReason;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, name, string};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::setup::event::{EventDeed, EventSpec, Stolen};
use crate::scenario::toml_tree::Node;
use crate::time::SimTime;

/// The events, in the order of the file.
pub fn read(setup: &Setup, table: &Reader<'_>, attacker: Option<&str>) -> Result<Vec<EventSpec>, Problem> {
    let Some(node) = table.get("event") else { return Ok(Vec::new()) };
    array(node)?.iter().map(|node| event(setup, node, attacker)).collect()
}

/// Reports what is stolen of a run that there cannot be: it would be handed to nobody.
pub fn check_runs(setup: &Setup, table: &Reader<'_>) -> Result<(), Problem> {
    let runs = RunsThere::of(setup, setup.attacker.as_ref());
    let nodes = table.get("event").map(array).transpose()?.unwrap_or_default();
    for (event, node) in setup.events.iter().zip(nodes) {
        if let EventDeed::Compromise { what: Stolen::OfRun(of), .. } = &event.deed
            && let Some(place) = Reader::new(node)?.get("compromise")
        {
            runs.check_value(of, place)?;
        }
    }
    Ok(())
}

fn event(setup: &Setup, node: &Node, attacker: Option<&str>) -> Result<EventSpec, Problem> {
    let table = Reader::of(node, &schema::EVENT)?;
    let at = SimTime::ZERO.after(table.span("at")?.ok_or_else(|| table.missing("at"))?);
    let kinds = ["compromise", "revoke", "restart", "rotate", "clock", "put_back", "quantum"];
    let found: Vec<(&str, &Node)> = kinds.iter().filter_map(|key| Some((*key, table.get(key)?))).collect();
    let deed = match found.as_slice() {
        [("rotate", node)] => rotation(setup, node, &table)?,
        [("put_back", node)] if string(node)? == "vault" && setup.key_centre.is_some() => EventDeed::PutBack,
        [("put_back", node)] => {
            return Err(node
                .problem("only the key centre's disk can be put back")
                .help("write `put_back = \"vault\"`, with [services.kdc.keys]"));
        }
        [("quantum", node)] => quantum(setup, node, table.boolean("quantum")?, attacker)?,
        [("restart", node)] => EventDeed::Restart { party: setup.known_party(node)? },
        [("clock", node)] => {
            let offset = table.get("offset").ok_or_else(|| table.missing("offset"))?;
            EventDeed::Clock { party: setup.known_party(node)?, offset: self::offset(offset)? }
        }
        [("compromise", what)] => {
            if attacker.is_none() {
                return Err(what.problem("there is no attacker to hand this to").help("add an [attacker]"));
            }
            if let Some((what, of, term)) = leaked(what, setup)? {
                table.finish()?;
                return Ok(EventSpec { at, deed: EventDeed::Leak { of, leak: Leak { what, term } } });
            }
            let what = setup.stolen(what)?;
            let term = match (&what, table.get("as")) {
                (Stolen::OfRun(_), Some(node)) => Term::Name(name(node)?),
                (Stolen::OfRun(of), None) => Term::Name(of.name.clone()),
                (Stolen::LongTerm(term), None) => term.clone(),
                (Stolen::LongTerm(_), Some(node)) => {
                    return Err(
                        node.problem("only a run's value takes another name: a long-term key has its own")
                    );
                }
            };
            EventDeed::Compromise { what, term }
        }
        [("revoke", node)] => {
            let subject = setup.known_party(node)?;
            check_revocable(node, &subject)?;
            let words: Vec<&str> = RevocationReason::ALL.iter().map(|r| r.word()).collect();
            let reason = table
                .word("reason", "reason for a revocation", &words)?
                .unwrap_or(RevocationReason::Unspecified);
            let by = match table.get("by") {
                None => setup.services.iter().map(|s| s.name().into()).collect(),
                Some(node) => vec![setup.known_party(node)?],
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
                "an event has one of `compromise`, `revoke`, `restart`, `rotate`, `clock`, `put_back` and `quantum`",
            ));
        }
    };
    table.finish()?;
    Ok(EventSpec { at, deed })
}

/// `quantum = true`.
fn quantum(
    setup: &Setup,
    node: &Node,
    has: Option<bool>,
    attacker: Option<&str>,
) -> Result<EventDeed, Problem> {
    if has != Some(true) {
        return Err(node
            .problem("an event does not take a quantum computer away")
            .help("write `quantum = true`"));
    }
    if attacker.is_none() {
        return Err(node.problem("there is no attacker to have it").help("add an [attacker]"));
    }
    if setup.key_centre.is_some() {
        return Err(node
            .problem("what it finds of keys that the key centre keeps cannot be said yet")
            .help("leave out [services.kdc.keys]"));
    }
    Ok(EventDeed::Quantum)
}

/// `rotate = "k(bob,kdc)"`, with `keep`.
fn rotation(setup: &Setup, node: &Node, table: &Reader<'_>) -> Result<EventDeed, Problem> {
    let key = match setup.stolen(node)? {
        Stolen::LongTerm(key @ Term::App(Func::K | Func::Pw, _)) => key,
        other => {
            return Err(node
                .problem(format!("`{other}` cannot be rotated"))
                .help("expected a key or password of two parties, such as `k(bob,kdc)` or `pw(alice,kdc)`"));
        }
    };
    if let Some(host) =
        key.names().iter().find(|n| setup.parties.get(*n).is_some_and(|p| p.shares_key_of.is_some()))
    {
        return Err(node
            .problem(format!("{host} has no key of its own to rotate"))
            .help("rotate that of the party whose keys it shares"));
    }
    Ok(EventDeed::Rotate { key, keep: table.integer("keep", 0)?.unwrap_or(0) })
}
