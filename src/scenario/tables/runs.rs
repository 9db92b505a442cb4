//! Who plays which role in which run: `[[run]]`.

use std::collections::BTreeMap;

use super::choice;
use crate::algebra::Value;
use crate::crypto::Agreement;
use crate::limits::MAX_RUNS;
use crate::notation::{Origin, Service};
use crate::party::RunSpec;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, name, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::{Data, Node};
use crate::time::SimTime;

/// The runs, numbered from 1 in the order of the file.
pub fn read(setup: &Setup, nodes: &[Node], attacker: Option<&str>) -> Result<Vec<RunSpec>, Problem> {
    if let Some(extra) = nodes.get(MAX_RUNS) {
        return Err(extra.problem(format!("more runs than the limit MAX_RUNS, {MAX_RUNS}")));
    }
    let runs: Vec<RunSpec> = (1..)
        .zip(nodes)
        .map(|(number, node)| run(setup, number, node, attacker))
        .collect::<Result<_, _>>()?;
    for (node, run) in nodes.iter().zip(&runs) {
        let Some(of) = run.falls_back_from.and_then(|from| runs.get(from as usize - 1)) else { continue };
        let opens = |run: &RunSpec| {
            run.names
                .get(setup.protocol_named(&run.protocol).unwrap_or(setup.protocol()).initiator())
                .cloned()
        };
        if opens(run).is_none() || opens(run) != opens(of) {
            let who = opens(of).unwrap_or_else(|| "nobody".into());
            let place = Reader::new(node)?.get("falls_back_from").unwrap_or(node);
            return Err(place
                .problem(format!("{who} begins run {}, and not run {}", of.number, run.number))
                .help("who falls back has tried the other run"));
        }
    }
    Ok(runs)
}

/// Whether each word of a list is a group's name.
fn groups(node: &Node, text: &str) -> Result<(), Problem> {
    let names: Vec<&str> = Agreement::ALL.iter().map(|group| group.name()).collect();
    match text.split(',').map(str::trim).find(|word| !names.contains(word)) {
        Some(word) => Err(unknown(node, "key agreement", word, &names)),
        None => Ok(()),
    }
}

fn run(setup: &Setup, number: u32, node: &Node, attacker: Option<&str>) -> Result<RunSpec, Problem> {
    let table = Reader::of(node, &schema::RUN)?;
    let of = match table.get("protocol") {
        Some(Node { data: Data::String(of), .. }) => choice::name_of(of),
        _ => setup.protocol().name.clone(),
    };
    let protocol = setup.protocol_named(&of).unwrap_or(setup.protocol());
    let at = SimTime::ZERO.after(table.span("at")?.unwrap_or_default());
    let falls_back_from = table.integer("falls_back_from", 1)?;
    if let (Some(from), Some(node)) = (falls_back_from, table.get("falls_back_from"))
        && from >= number
    {
        return Err(node
            .problem(format!("run {number} cannot begin in the stead of run {from}"))
            .help("name the number of a run before it"));
    }
    let mut names = BTreeMap::new();
    for role in protocol.client_roles() {
        let Some(node) = table.get(&role.name) else {
            return Err(table
                .node
                .problem(format!("run {number} does not say who plays role {}", role.name))
                .help(format!("as in `{} = \"alice\"`", role.name)));
        };
        let mut player = name(node)?;
        if &*player == "I" {
            player = attacker.ok_or_else(|| node.problem("there is no attacker in this scenario"))?.into();
        }
        if names.values().any(|n| *n == player) {
            return Err(node.problem(format!("{player} plays two roles in run {number}")));
        }
        if Service::ALL.iter().any(|s| s.1 == &*player) {
            return Err(node.problem(format!("`{player}` is a service and plays no client's role")));
        }
        names.insert(role.name.clone(), player);
    }
    let mut given = BTreeMap::new();
    for value in protocol.values.iter().filter(|v| v.origin == Origin::Given) {
        let Some(node) = table.get(&value.name) else {
            return Err(table
                .node
                .problem(format!("run {number} does not say what {} is", value.name))
                .help(format!(
                    "{} is [given] to role {}: write `{} = \"…\"`",
                    value.name, value.role, value.name
                )));
        };
        let text = string(node)?;
        if protocol.group.as_ref() == Some(&value.name) {
            groups(node, text)?;
        }
        given.insert(value.name.clone(), Value::new(value.of.kind(), text.as_bytes()));
    }
    let services: Vec<&str> =
        protocol.roles.iter().filter(|r| r.service.is_some()).map(|r| &*r.name).collect();
    if let Some((key, _)) = table.others().into_iter().find(|(k, _)| services.contains(&&*k.name)) {
        return Err(Problem::at(&node.file, key.range.clone(), format!("role {} is a service's", key.name))
            .help(format!(
                "let a client play it with `services = {{ {} = \"client\" }}` in the protocol",
                key.name
            )));
    }
    let roles = protocol.client_roles().map(|r| &*r.name);
    let words: Vec<&str> =
        roles.chain(given.keys().map(|k| &**k)).chain(["at", "protocol", "falls_back_from"]).collect();
    match Reader::new(node)?.entries().iter().find(|(k, _)| !words.contains(&k.name.as_str())) {
        Some((key, _)) => Err(table.unknown_key(key, words)),
        None => Ok(RunSpec { number, protocol: of.into(), at, names, falls_back_from, given }),
    }
}
