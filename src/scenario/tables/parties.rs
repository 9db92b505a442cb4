//! How parties behave: `[parties]`.

use std::collections::BTreeMap;

use super::amounts::{offset, rate, seconds};
use super::attacker;
use crate::limits::MAX_NAME_BYTES;
use crate::notation::{Name, Service, Term, parse};
use crate::party::{Alerts, Remembers};
use crate::pki::{Fetch, OnUnavailable, Revocation, TrustPolicy};
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, name, string, unknown};
use crate::scenario::schema::{self, Table};
use crate::scenario::setup::Setup;
use crate::scenario::setup::party::Party;
use crate::scenario::toml_tree::{Data, Node, Places};
use crate::time::Span;

/// Bits of strength beyond which no group has any here.
const MAX_STRENGTH: u32 = 256;

/// Reads how a party or service behaves. What else its table has is not read here.
pub fn party(setup: &Setup, name: &str, node: &Node, of: &'static Table) -> Result<Party, Problem> {
    let table = Reader::of(node, of)?;
    let besides = of.keys().filter(|key| !schema::PARTY.has(key.name));
    besides.for_each(|key| {
        table.get(key.name);
    });
    let mut party = Party::default();
    if let Some(node) = table.get("clock_offset") {
        party.clock_offset = offset(node)?;
    }
    party.max_skew = table.span("max_skew")?.unwrap_or(party.max_skew);
    party.max_lifetime = table.span("max_lifetime")?;
    if let (Some(bits), Some(node)) = (table.integer("min_strength", 0)?, table.get("min_strength")) {
        if bits > MAX_STRENGTH {
            return Err(node.problem(format!("no group has more than {MAX_STRENGTH} bits of strength")));
        }
        party.min_strength = bits;
    }
    party.strength = table.get("strength").map(rate).transpose()?;
    read_trust(setup, &table, &mut party.trust)?;
    party.replay_cache = table.get("replay_cache").map(|node| remembers(setup, node)).transpose()?.flatten();
    if let Some(node) = table.get("alerts") {
        party.alerts = match string(node)? {
            "none" => None,
            "reason" => Some(Alerts::Reason),
            "uniform" => Some(Alerts::Uniform),
            other => {
                return Err(unknown(node, "way to tell a refusal", other, &schema::PARTY.words("alerts")));
            }
        };
    }
    for (key, slot) in [
        ("staples", &mut party.staples),
        ("push", &mut party.push),
        ("persistent_cache", &mut party.persistent_cache),
        ("knows_own", &mut party.knows_own),
        ("stamps_after_start", &mut party.stamps_after_start),
    ] {
        *slot = table.boolean(key)?.unwrap_or(*slot);
    }
    for (key, slot) in [
        ("session_max_age", &mut party.session_max_age),
        ("recheck", &mut party.recheck),
        ("watch_issuance", &mut party.watch_issuance),
    ] {
        *slot = table.get(key).map(seconds).transpose()?;
    }
    if Service::of(name).is_none() {
        read_secrets(&table, &mut party)?;
        party.newest = table.get("newest").map(|node| newest(setup, node)).transpose()?;
    }
    table.finish()?;
    Ok(party)
}

/// `true`, `false`, or the terms by which messages are known again: `"C, T2"`.
fn remembers(setup: &Setup, node: &Node) -> Result<Option<Remembers>, Problem> {
    let text = match &node.data {
        Data::Boolean(remembers) => return Ok(remembers.then_some(Remembers::Protected)),
        _ => string(node)?,
    };
    let mut places = Places::default();
    let fault = |places: &Places, fault| places.problem(&fault).unwrap_or_else(|| node.problem("not terms"));
    let quoted = places.quote(text, node);
    let terms = parse::terms(&quoted).map_err(|f| fault(&places, f))?;
    let has = |term: &Term| setup.protocols.iter().any(|(file, _)| file.protocol.table.find(term).is_some());
    match terms.iter().find(|term| !has(term)) {
        None => Ok(Some(Remembers::Terms(terms))),
        Some(term) => Err(node
            .problem(format!("no line of a protocol has {term}"))
            .help("write `true`, or terms that a line has, with `let` names written out")),
    }
}

fn read_trust(setup: &Setup, table: &Reader<'_>, trust: &mut TrustPolicy) -> Result<(), Problem> {
    if let Some(node) = table.get("revocation") {
        trust.revocation = match string(node)? {
            "none" => Revocation::None,
            "crl" => Revocation::Crl,
            "ocsp" => Revocation::Ocsp,
            "stapled" => Revocation::Stapled,
            other => {
                let words = schema::PARTY.words("revocation");
                return Err(unknown(node, "source of revocations", other, &words));
            }
        };
    }
    if let Some(node) = table.get("on_unavailable") {
        trust.on_unavailable = match string(node)? {
            "soft-fail" => OnUnavailable::SoftFail,
            "hard-fail" => OnUnavailable::HardFail,
            other => return Err(unknown(node, "policy", other, &schema::PARTY.words("on_unavailable"))),
        };
    }
    if let Some(node) = table.get("fetch") {
        trust.fetch = match string(node)?.split_once(' ') {
            None if string(node)? == "on-expiry" => Fetch::OnExpiry,
            None if string(node)? == "at-publication" => Fetch::AtPublication(setup.ca.policy.crl_period),
            None if string(node)? == "per-connection" => Fetch::PerConnection,
            Some(("every", span)) if Span::parse(span).is_some_and(|span| span.0 > 0) => {
                Fetch::Every(Span::parse(span).unwrap_or_default())
            }
            _ => {
                let words = schema::PARTY.words("fetch");
                return Err(unknown(node, "time to fetch", string(node)?, &words));
            }
        };
    }
    for (key, slot) in [
        ("deltas", &mut trust.deltas),
        ("check_chain", &mut trust.check_chain),
        ("check_ca", &mut trust.check_ca),
        ("check_name", &mut trust.check_name),
        ("check_crl_signature", &mut trust.check_crl_signature),
        ("check_responder", &mut trust.check_responder),
        ("check_next_update", &mut trust.check_next_update),
        ("keeps_newest", &mut trust.keeps_newest),
        ("nonce", &mut trust.nonce),
        ("ocsp_sha1", &mut trust.ocsp_sha1),
        ("clock_floor", &mut trust.clock_floor),
    ] {
        *slot = table.boolean(key)?.unwrap_or(*slot);
    }
    Ok(())
}

/// Everybody who takes part, with those of whom some line, request or service speaks and no
/// table; the attacker apart.
pub fn read(setup: &Setup, table: &Reader<'_>, her: Option<&str>) -> Result<BTreeMap<Name, Party>, Problem> {
    let mut parties = setup.parties.clone();
    if let Some(node) = table.get("parties") {
        for (key, node) in Reader::new(node)?.entries() {
            let known =
                parse::is_name(&key.name) && !key.name.contains('\'') && key.name.len() <= MAX_NAME_BYTES;
            if !known || Some(key.name.as_str()) == her || key.name == "I" {
                let message = format!("`{}` cannot be a party's name", key.name);
                return Err(Problem::at(&node.file, key.range.clone(), message));
            }
            if Service::of(&key.name).is_some() {
                let message = format!("`{}` is a service and no party", key.name);
                return Err(Problem::at(&node.file, key.range.clone(), message)
                    .help(format!("its table is [services.{}]", key.name)));
            }
            parties.insert(key.name.as_str().into(), party(setup, &key.name, node, &schema::PARTY)?);
        }
    }
    let services = setup.services.iter().map(|s| Name::from(s.name()));
    let in_runs = setup.runs.iter().flat_map(|r| r.names.values().cloned());
    let asking = table.get("request").and_then(|node| array(node).ok()).unwrap_or_default();
    let named = |node, key| name(Reader::new(node).ok()?.get(key)?).ok();
    let asking = asking.iter().flat_map(|node| ["by", "owner"].map(|key| named(node, key))).flatten();
    let asking = asking.filter(|name| &**name != "I" && Service::of(name).is_none());
    let centre = setup.key_centre.iter();
    let known = centre.flat_map(|centre| centre.roles.keys().chain(&centre.codes)).cloned();
    for name in services.chain(in_runs).chain(asking).chain(known).filter(|n| Some(&**n) != her) {
        parties.entry(name).or_default();
    }
    for name in attacker::narrated(table, setup, &parties) {
        parties.entry(name).or_default();
    }
    Ok(parties)
}

/// A protocol of the scenario's.
fn newest(setup: &Setup, node: &Node) -> Result<Name, Problem> {
    let of = string(node)?;
    match setup.protocol_named(of) {
        Some(protocol) => Ok(protocol.name.as_str().into()),
        None => {
            let names: Vec<&str> = setup.protocols.iter().map(|(file, _)| &*file.protocol.name).collect();
            let mut problem = node.problem(format!("nobody speaks a protocol `{of}` here"));
            problem.help = crate::notation::fault::suggest(of, names);
            Err(problem)
        }
    }
}

/// Reads what `[parties.NAME]` says of a party's own secrets.
fn read_secrets(table: &Reader<'_>, party: &mut Party) -> Result<(), Problem> {
    if let Some(node) = table.get("password") {
        let text = string(node)?;
        if text.is_empty() {
            return Err(node.problem("an empty password is none"));
        }
        party.password = Some(text.to_owned());
    }
    if let Some(node) = table.get("shares_key_of") {
        party.shares_key_of = Some(name(node)?);
    }
    Ok(())
}

/// Whoever works under another's keys does so under those of a party that has its own.
pub fn check_hosts(setup: &Setup, table: &Reader<'_>) -> Result<(), Problem> {
    let Some(node) = table.get("parties") else { return Ok(()) };
    for (key, node) in Reader::new(node)?.entries() {
        let Some(of) = Reader::new(node)?.get("shares_key_of") else { continue };
        let owner = setup.known_party(of)?;
        let host = |name: &Name| setup.parties.get(name).is_some_and(|p| p.shares_key_of.is_some());
        if *owner == *key.name || host(&owner) || Service::ALL.iter().any(|s| *s.1 == *owner) {
            return Err(of
                .problem(format!("{} cannot work under the keys of {owner}", key.name))
                .help("name a client that has keys of its own"));
        }
    }
    Ok(())
}
