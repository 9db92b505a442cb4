//! A variant's tables, read in the order in which they speak of one another, and checked as a
//! whole before anything is played.

mod amounts;
mod attacker;
mod choice;
mod events;
pub mod expect;
mod goals;
mod key_centre;
mod leaks;
mod live;
mod parties;
mod periods;
mod pleas;
mod references;
mod requests;
mod rules;
mod runs;
mod scope;
mod searches;
mod services;
mod sizes;
mod surroundings;
mod widths;

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::Problems;
use super::protocol_file;
use super::reader::{Reader, array};
use super::setup::Setup;
use super::setup::services::CaSpec;
use crate::notation::{Protocol, Service};
use crate::time::SimTime;

use surroundings::{lifetimes, network, suite};

/// Reads a variant's table. `folder` is where paths of protocols start.
pub fn read(table: &Reader<'_>, folder: &Path) -> Result<Setup, Problems> {
    let encoding = table.get("encoding").map(protocol_file::encoding).transpose()?;
    let runs_node = table.get("run").map(array).transpose()?.unwrap_or_default();
    let protocols = choice::protocols(table, runs_node, folder)?;
    if let Some(node) = table.get("encoding") {
        let all: Vec<&Protocol> = protocols.iter().map(|p| &p.protocol).collect();
        protocol_file::check_width_names(node, &all)?;
    }
    let her = attacker::name_of(table)?;
    let her = her.as_deref();
    let (suite, weak_algorithms) = suite(table)?;
    let mut setup = Setup {
        plays_protocol: table.get("protocol").is_some(),
        suite,
        weak_algorithms,
        lifetimes: lifetimes(table, &protocols)?,
        services: protocols.iter().flat_map(|p| &p.protocol.roles).filter_map(|r| r.service).collect(),
        protocols: protocols
            .into_iter()
            .map(|p| {
                let encoding = encoding.clone().or_else(|| p.encoding.clone()).unwrap_or_default();
                (p, encoding)
            })
            .collect(),
        network: network(table)?,
        parties: BTreeMap::new(),
        ca: CaSpec::default(),
        key_centre: None,
        requests: Vec::new(),
        until: SimTime::ZERO.after(table.span("until")?.unwrap_or_default()),
        runs: Vec::new(),
        events: Vec::new(),
        attacker: None,
        live: None,
    };
    if setup.protocols.iter().any(|(p, _)| p.protocol.has_certificates) {
        setup.services.insert(Service::Ca);
    }
    setup.runs = runs::read(&setup, runs_node, her)?;
    services::read(&mut setup, table)?;
    setup.parties = parties::read(&setup, table, her)?;
    parties::check_hosts(&setup, table)?;
    requests::read(&mut setup, table, her)?;
    setup.events = events::read(&setup, table, her)?;
    setup.live = live::read(table, &setup)?;
    let attacker = attacker::read(table, &setup)?;
    setup.admit(attacker);
    events::check_runs(&setup, table)?;
    periods::check(&setup, table)?;
    widths::check(&setup, table)?;
    sizes::check(&setup)?;
    Ok(setup)
}
