//! Everything that a variant sets up: protocols, parties, runs, events, network. Read from
//! its table and checked as a whole before anything is played.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::attacker_table::{self, AttackerSpec};
use super::choice;
use super::events::EventSpec;
use super::key_centre::KeyCentre;
use super::parties::Party;
use super::problem::{Problem, Problems};
use super::protocol_file::{self, ProtocolFile};
use super::reader::{Reader, array, name, string};
use super::services::CaSpec;
use super::surroundings::{lifetimes, network, suite};
use super::toml_tree::{Data, Key, Node};
use crate::crypto::Suite;
use crate::knowledge::{Lifetimes, Value};
use crate::limits::MAX_RUNS;
use crate::notation::{Kind, Name, Origin, Protocol, Service};
use crate::party::{RequestSpec, RunSpec};
use crate::time::SimTime;
use crate::wire::Encoding;
use crate::world::Network;

/// What a variant sets up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The protocols; the first is the scenario's, others are those of single runs.
    pub protocols: Vec<(ProtocolFile, Encoding)>,
    /// Whether the file names a protocol. Where there are requests alone, `protocols` has one
    /// that nobody speaks.
    pub plays_protocol: bool,
    /// The algorithms.
    pub suite: Suite,
    /// Lifetimes of `expiry` values.
    pub lifetimes: Lifetimes,
    /// How messages travel.
    pub network: Network,
    /// How clients behave, by name. Services too.
    pub parties: BTreeMap<Name, Party>,
    /// The services that roles need.
    pub services: BTreeSet<Service>,
    /// How the authority works.
    pub ca: CaSpec,
    /// How the key centre works, if there is one.
    pub key_centre: Option<KeyCentre>,
    /// What parties ask services for.
    pub requests: Vec<Arc<RequestSpec>>,
    /// Until when those who do something every so often go on.
    pub until: SimTime,
    /// The runs, in order of their numbers.
    pub runs: Vec<RunSpec>,
    /// What happens at set times.
    pub events: Vec<EventSpec>,
    /// The attacker.
    pub attacker: Option<AttackerSpec>,
}

impl Setup {
    /// The scenario's protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.protocols[0].0.protocol
    }

    /// The protocols with what their files say about them.
    pub fn protocol_files(&self) -> impl Iterator<Item = &ProtocolFile> {
        self.protocols.iter().filter(|_| self.plays_protocol).map(|(file, _)| file)
    }

    /// What is unwise in any of the protocols.
    pub fn warnings(&self) -> impl Iterator<Item = Problem> {
        self.protocol_files().flat_map(ProtocolFile::warnings)
    }

    /// The protocol of this name.
    pub fn protocol_named(&self, name: &str) -> Option<&Protocol> {
        self.protocols.iter().map(|(file, _)| &file.protocol).find(|p| p.name == name)
    }

    /// The problem that the scenario's protocol has no value `name`.
    pub(super) fn no_value(&self, protocol: &Protocol, name: &str) -> String {
        match self.plays_protocol {
            true => format!("protocol {} has no value `{name}`", protocol.name),
            false => format!("there is no protocol here to have a value `{name}`"),
        }
    }

    /// Reads a variant's table. `folder` is where paths of protocols start.
    pub fn read(table: &Reader<'_>, folder: &Path) -> Result<Setup, Problems> {
        let encoding = table.get("encoding").map(protocol_file::encoding).transpose()?;
        let runs_node = table.get("run").map(array).transpose()?.unwrap_or_default();
        let protocols = choice::protocols(table, runs_node, folder)?;
        if let Some(node) = table.get("encoding") {
            let all: Vec<&Protocol> = protocols.iter().map(|p| &p.protocol).collect();
            protocol_file::check_width_names(node, &all)?;
        }
        let attacker_name = attacker_table::name_of(table)?;
        let mut setup = Setup {
            plays_protocol: table.get("protocol").is_some(),
            suite: suite(table)?,
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
        };
        if setup.protocols.iter().any(|(p, _)| p.protocol.has_certificates) {
            setup.services.insert(Service::Ca);
        }
        setup.runs = setup.read_runs(runs_node, attacker_name.as_deref())?;
        setup.read_services(table)?;
        setup.parties = setup.read_parties(table, attacker_name.as_deref())?;
        setup.check_hosts(table)?;
        setup.read_requests(table, attacker_name.as_deref())?;
        setup.events = setup.read_events(table, attacker_name.as_deref())?;
        setup.attacker = attacker_table::read(table, &setup)?;
        setup.check_periods(table)?;
        setup.check_widths(table)?;
        setup.check_sizes()?;
        Ok(setup)
    }

    /// The last time at which anything is scheduled.
    pub fn horizon(&self) -> SimTime {
        let runs = self.runs.iter().map(|run| run.at);
        let events = self.events.iter().map(|event| event.at);
        let requests = self.requests.iter().map(|request| request.at);
        let hers = self.attacker.iter().flat_map(AttackerSpec::moments);
        runs.chain(events).chain(requests).chain(hers).max().unwrap_or(SimTime::ZERO).max(self.until)
    }

    /// The names of the parties, services included, the attacker not.
    pub fn party_names(&self) -> Vec<Name> {
        self.parties.keys().cloned().collect()
    }

    /// The names of roles that stand for a service, where no party has that name.
    pub fn aliases(&self) -> Vec<(Name, Name)> {
        let roles = self.protocols.iter().flat_map(|(p, _)| &p.protocol.roles);
        let alias =
            |r: &crate::notation::protocol::Role| Some((r.name.clone(), Name::from(r.service?.name())));
        roles.filter_map(alias).filter(|(role, _)| !self.parties.contains_key(role)).collect()
    }

    fn read_runs(&self, nodes: &[Node], attacker: Option<&str>) -> Result<Vec<RunSpec>, Problem> {
        if let Some(extra) = nodes.get(MAX_RUNS) {
            return Err(extra.problem(format!("more runs than the limit MAX_RUNS, {MAX_RUNS}")));
        }
        (1..).zip(nodes).map(|(number, node)| self.read_run(number, node, attacker)).collect()
    }

    fn read_run(&self, number: u32, node: &Node, attacker: Option<&str>) -> Result<RunSpec, Problem> {
        let table = Reader::new(node)?;
        let of = match table.get("protocol") {
            Some(Node { data: Data::String(of), .. }) => choice::name_of(of),
            _ => self.protocol().name.clone(),
        };
        let protocol = self.protocol_named(&of).unwrap_or(self.protocol());
        let at = SimTime::ZERO.after(table.span("at")?.unwrap_or_default());
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
                player =
                    attacker.ok_or_else(|| node.problem("there is no attacker in this scenario"))?.into();
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
            given.insert(value.name.clone(), Value::new(value.of.kind(), text.as_bytes()));
        }
        let services: Vec<&str> =
            protocol.roles.iter().filter(|r| r.service.is_some()).map(|r| &*r.name).collect();
        if let Some((key, _)) = table.others().into_iter().find(|(k, _)| services.contains(&&*k.name)) {
            return Err(Problem::at(
                &node.file,
                key.range.clone(),
                format!("role {} is a service's", key.name),
            )
            .help(format!(
                "let a client play it with `services = {{ {} = \"client\" }}` in the protocol",
                key.name
            )));
        }
        let roles = protocol.client_roles().map(|r| &*r.name);
        let words: Vec<&str> = roles.chain(given.keys().map(|k| &**k)).chain(["at", "protocol"]).collect();
        match Reader::new(node)?.entries().iter().find(|(k, _)| !words.contains(&k.name.as_str())) {
            Some((key, _)) => Err(table.unknown_key(key, words)),
            None => Ok(RunSpec { number, protocol: of.into(), at, names, given }),
        }
    }

    /// In the untagged encoding, names and data must fit their widths.
    fn check_widths(&self, table: &Reader<'_>) -> Result<(), Problem> {
        for (file, encoding) in &self.protocols {
            let Encoding::Untagged(widths) = encoding else { continue };
            let attacker = self.attacker.as_ref().map(|a| &a.name);
            let long = self.parties.keys().chain(attacker).find(|n| n.len() > widths.name);
            if let Some(name) = long {
                return Err(place_of(table, |_, text| text == &**name)
                    .problem(format!("`{name}` does not fit the untagged width of names, {}", widths.name))
                    .help(format!("widen it with `name = {}` in [encoding]", name.len())));
            }
            for run in self.runs.iter().filter(|r| *r.protocol == *file.protocol.name) {
                for (name, value) in run.given.iter().filter(|(_, v)| v.kind == Kind::Data) {
                    let width = widths.of.get(name).copied().unwrap_or(Some(widths.data));
                    if width.is_some_and(|w| value.bytes.len() > w) {
                        let (wide, limit) = (value.bytes.len(), width.unwrap_or_default());
                        let here = |key: &str, text: &str| key == &**name && Some(text) == value.text();
                        return Err(place_of(table, here)
                            .problem(format!(
                                "this has {wide} bytes and does not fit the untagged width {limit}"
                            ))
                            .help(format!("widen it with `{name} = {wide}` in [encoding]")));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The string under some key of the scenario's runs or attacker, else a key of its parties.
fn place_of(table: &Reader<'_>, is_meant: impl Fn(&str, &str) -> bool) -> Node {
    let runs = table.get("run").and_then(|n| array(n).ok()).unwrap_or_default();
    for node in runs.iter().chain(table.get("attacker")) {
        for (key, value) in Reader::new(node).map_or(&[][..], |r| r.entries()) {
            if matches!(&value.data, Data::String(text) if is_meant(&key.name, text)) {
                return value.clone();
            }
        }
    }
    let parties = table.get("parties").and_then(|n| Reader::new(n).ok());
    let key = parties.and_then(|p| p.entries().iter().find(|(key, _)| is_meant("", &key.name)));
    match key {
        Some((key, node)) => Node { range: key.range.clone(), ..node.clone() },
        None => table.node.clone(),
    }
}

/// A key's problem, for keys that name something.
pub fn key_problem(node: &Node, key: &Key, message: String, valid: &[&str]) -> Problem {
    let mut problem = Problem::at(&node.file, key.range.clone(), message);
    problem.help = crate::notation::fault::suggest(&key.name, valid.iter().copied());
    problem
}
