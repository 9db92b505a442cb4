//! Everything that a variant sets up: protocols, parties, runs, events, network. Read from
//! its table and checked as a whole before anything is played.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attacker_table::{self, AttackerSpec};
use super::library;
use super::problem::{Problem, Problems, Text};
use super::protocol_file::{self, ProtocolFile};
use super::reader::{Reader, array, name, string, unknown};
use super::toml_tree::{Data, Key, Node, Places};
use crate::crypto::{Agreement, PublicKeyEncryption, Signature, Suite, Symmetric};
use crate::knowledge::{Lifetimes, Value};
use crate::limits::MAX_RUNS;
use crate::notation::{Func, Kind, Name, Origin, Protocol, Service, Term, parse};
use crate::party::RunSpec;
use crate::pki::{AuthorityPolicy, OnUnavailable, Revocation, RevocationReason};
use crate::time::{SimTime, Span};
use crate::wire::Encoding;
use crate::world::{Link, Network};

/// What a variant sets up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The protocols; the first is the scenario's, others are those of single runs.
    pub protocols: Vec<(ProtocolFile, Encoding)>,
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
    pub authority: AuthorityPolicy,
    /// The runs, in order of their numbers.
    pub runs: Vec<RunSpec>,
    /// What happens at set times.
    pub events: Vec<EventSpec>,
    /// The attacker.
    pub attacker: Option<AttackerSpec>,
}

/// How a party behaves.
#[derive(Clone, Debug)]
pub struct Party {
    /// How far its clock is ahead, in nanoseconds.
    pub clock_offset: i64,
    /// How far a time stamp may be from its clock.
    pub max_skew: Span,
    /// Whether it asks who is revoked.
    pub revocation: Revocation,
    /// What it does if it cannot know.
    pub on_unavailable: OnUnavailable,
    /// Whether it checks that a path leads to the root.
    pub check_chain: bool,
    /// Whether it checks the name in a certificate.
    pub check_name: bool,
    /// Whether it refuses a message that it has accepted before.
    pub replay_cache: bool,
    /// Whether what it remembers so outlives a restart.
    pub persistent_cache: bool,
    /// Whether it refuses ciphertexts, codes and signatures of its own.
    pub knows_own: bool,
}

impl Default for Party {
    fn default() -> Self {
        Party {
            clock_offset: 0,
            max_skew: Span::seconds(300),
            revocation: Revocation::None,
            on_unavailable: OnUnavailable::HardFail,
            check_chain: true,
            check_name: true,
            replay_cache: false,
            persistent_cache: false,
            knows_own: false,
        }
    }
}

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
        /// Which services.
        by: Vec<Service>,
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
/// too: `1.bob.A` is whom bob takes for A.
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
        write!(f, "{}.", self.run)?;
        self.party.as_ref().map_or(Ok(()), |p| write!(f, "{p}."))?;
        write!(f, "{}", self.name)
    }
}

impl ValueRef {
    /// Reads `1.Kab` or `1.alice.Kab`.
    pub fn parse(text: &str) -> Option<ValueRef> {
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

impl Setup {
    /// The scenario's protocol.
    pub fn protocol(&self) -> &Protocol {
        &self.protocols[0].0.protocol
    }

    /// The protocols with what their files say about them.
    pub fn protocol_files(&self) -> impl Iterator<Item = &ProtocolFile> {
        self.protocols.iter().map(|(file, _)| file)
    }

    /// What is unwise in any of the protocols.
    pub fn warnings(&self) -> impl Iterator<Item = Problem> {
        self.protocol_files().flat_map(ProtocolFile::warnings)
    }

    /// The protocol of this name.
    pub fn protocol_named(&self, name: &str) -> Option<&Protocol> {
        self.protocols.iter().map(|(file, _)| &file.protocol).find(|p| p.name == name)
    }

    /// Reads a variant's table. `folder` is where paths of protocols start.
    pub fn read(table: &Reader<'_>, folder: &Path) -> Result<Setup, Problems> {
        let encoding = table.get("encoding").map(protocol_file::encoding).transpose()?;
        let mut protocols = Vec::new();
        let Some(node) = table.get("protocol") else {
            return Err(table
                .missing("protocol")
                .help("name one of the library, or write it inline as [protocol]")
                .into());
        };
        protocols.push(protocol(node, folder)?);
        let runs_node = table.get("run").map(array).transpose()?.unwrap_or_default();
        for run in runs_node {
            if let Some(node) = Reader::new(run)?.get("protocol") {
                let file = protocol(node, folder)?;
                if !protocols.iter().any(|p: &ProtocolFile| p.protocol.name == file.protocol.name) {
                    protocols.push(file);
                }
            }
        }
        if let Some(node) = table.get("encoding") {
            let all: Vec<&Protocol> = protocols.iter().map(|p| &p.protocol).collect();
            protocol_file::check_width_names(node, &all)?;
        }
        let attacker_name = attacker_table::name_of(table)?;
        let mut setup = Setup {
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
            authority: AuthorityPolicy::default(),
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
        setup.events = setup.read_events(table, attacker_name.as_deref())?;
        setup.attacker = attacker_table::read(table, &setup)?;
        setup.check_widths(table)?;
        Ok(setup)
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
            Some(Node { data: Data::String(of), .. }) => protocol_name(of),
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

    fn read_services(&mut self, table: &Reader<'_>) -> Result<(), Problem> {
        let Some(node) = table.get("services") else { return Ok(()) };
        let services = Reader::new(node)?;
        if let Some(node) = services.get("kdc") {
            self.services.insert(Service::Kdc);
            self.read_party(&Service::Kdc.name().into(), node, &[])?;
        }
        if let Some(node) = services.get("ca") {
            self.services.insert(Service::Ca);
            let ca = Reader::new(node)?;
            let policy = &mut self.authority;
            for (key, slot) in [
                ("crl_period", &mut policy.crl_period),
                ("crl_lifetime", &mut policy.crl_lifetime),
                ("certificate_lifetime", &mut policy.certificate_lifetime),
            ] {
                if let Some(node) = ca.get(key) {
                    *slot = super::reader::span(node)?;
                    if slot.0 < Span::seconds(1).0 {
                        return Err(node
                            .problem("X.509 times have whole seconds")
                            .help("give at least `1s`"));
                    }
                }
            }
            if let Some(demands) = ca.boolean("proof_of_possession")? {
                self.authority.proof_of_possession = demands;
            }
            self.read_party(
                &Service::Ca.name().into(),
                node,
                &["crl_period", "crl_lifetime", "certificate_lifetime", "proof_of_possession"],
            )?;
        }
        services.finish()
    }

    fn read_party(&mut self, name: &Name, node: &Node, besides: &[&str]) -> Result<(), Problem> {
        let table = Reader::new(node)?;
        besides.iter().for_each(|key| {
            table.get(key);
        });
        let mut party = Party::default();
        if let Some(node) = table.get("clock_offset") {
            party.clock_offset = offset(node)?;
        }
        party.max_skew = table.span("max_skew")?.unwrap_or(party.max_skew);
        if let Some(node) = table.get("revocation") {
            party.revocation = match string(node)? {
                "none" => Revocation::None,
                "crl" => Revocation::Crl,
                other => return Err(unknown(node, "source of revocations", other, &["none", "crl"])),
            };
        }
        if let Some(node) = table.get("on_unavailable") {
            party.on_unavailable = match string(node)? {
                "soft-fail" => OnUnavailable::SoftFail,
                "hard-fail" => OnUnavailable::HardFail,
                other => return Err(unknown(node, "policy", other, &["soft-fail", "hard-fail"])),
            };
        }
        for (key, slot) in [
            ("check_chain", &mut party.check_chain),
            ("check_name", &mut party.check_name),
            ("replay_cache", &mut party.replay_cache),
            ("persistent_cache", &mut party.persistent_cache),
            ("knows_own", &mut party.knows_own),
        ] {
            *slot = table.boolean(key)?.unwrap_or(*slot);
        }
        table.finish()?;
        self.parties.insert(name.clone(), party);
        Ok(())
    }

    fn read_parties(
        &mut self,
        table: &Reader<'_>,
        attacker: Option<&str>,
    ) -> Result<BTreeMap<Name, Party>, Problem> {
        if let Some(node) = table.get("parties") {
            for (key, node) in Reader::new(node)?.entries() {
                let known = parse::is_name(&key.name) && !key.name.contains('\'');
                if !known || Some(key.name.as_str()) == attacker || key.name == "I" {
                    let message = format!("`{}` cannot be a party's name", key.name);
                    return Err(Problem::at(&node.file, key.range.clone(), message));
                }
                self.read_party(&key.name.as_str().into(), node, &[])?;
            }
        }
        let mut parties = std::mem::take(&mut self.parties);
        let services = self.services.iter().map(|s| Name::from(s.name()));
        let in_runs = self.runs.iter().flat_map(|r| r.names.values().cloned());
        for name in services.chain(in_runs).filter(|n| Some(&**n) != attacker) {
            parties.entry(name).or_default();
        }
        Ok(parties)
    }

    fn read_events(&self, table: &Reader<'_>, attacker: Option<&str>) -> Result<Vec<EventSpec>, Problem> {
        let Some(node) = table.get("event") else { return Ok(Vec::new()) };
        array(node)?.iter().map(|event| self.read_event(event, attacker)).collect()
    }

    fn read_event(&self, node: &Node, attacker: Option<&str>) -> Result<EventSpec, Problem> {
        let table = Reader::new(node)?;
        let at = SimTime::ZERO.after(table.span("at")?.ok_or_else(|| table.missing("at"))?);
        let deed = match (table.get("compromise"), table.get("revoke"), table.get("restart")) {
            (None, None, Some(node)) => EventDeed::Restart { party: self.known_party(node)? },
            (Some(what), None, None) => {
                if attacker.is_none() {
                    return Err(what
                        .problem("there is no attacker to hand this to")
                        .help("add an [attacker]"));
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
            (None, Some(node), None) => {
                let subject = self.known_party(node)?;
                let words: Vec<&str> = RevocationReason::ALL.iter().map(|r| r.word()).collect();
                let reason = table
                    .word("reason", "reason for a revocation", &words)?
                    .unwrap_or(RevocationReason::Unspecified);
                let by = match table.get("by") {
                    None => self.services.iter().copied().collect(),
                    Some(node) => {
                        let text = string(node)?;
                        let found = Service::ALL.iter().find(|s| s.1 == text);
                        vec![found.ok_or_else(|| unknown(node, "service", text, &["kdc", "ca"]))?.0]
                    }
                };
                if by.is_empty() {
                    return Err(node
                        .problem("there is no service that could revoke")
                        .help("add [services.ca] or [services.kdc]"));
                }
                EventDeed::Revoke { subject, reason, by }
            }
            _ => return Err(node.problem("an event has one of `compromise`, `revoke` and `restart`")),
        };
        table.finish()?;
        Ok(EventSpec { at, deed })
    }

    /// The party that a string names.
    pub fn known_party(&self, node: &Node) -> Result<Name, Problem> {
        let text = string(node)?;
        match self.parties.keys().find(|p| ***p == *text) {
            Some(party) => Ok(party.clone()),
            None => {
                let mut problem = node.problem(format!("there is no party `{text}`"));
                problem.help = crate::notation::fault::suggest(text, self.parties.keys().map(|p| &**p));
                Err(problem)
            }
        }
    }

    fn stolen(&self, node: &Node) -> Result<Stolen, Problem> {
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
        if !words.contains(&&*found.name) {
            let mut problem =
                node.problem(format!("protocol {} has no value `{}`", protocol.name, found.name));
            problem.help = crate::notation::fault::suggest(&found.name, words);
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

fn protocol_name(of: &str) -> String {
    let stem = Path::new(of).file_stem().and_then(|s| s.to_str());
    stem.unwrap_or(of).to_owned()
}

/// A protocol: a name of the library, a path, or an inline table.
fn protocol(node: &Node, folder: &Path) -> Result<ProtocolFile, Problems> {
    let Data::String(of) = &node.data else { return protocol_file::read(node, "inline") };
    let name = protocol_name(of);
    if name == crate::party::CRL_PROTOCOL {
        return Err(node
            .problem(format!("`{name}` names the messages to and from the authority's repository"))
            .into());
    }
    let text = if of.ends_with(".toml") {
        let path: PathBuf = folder.join(of);
        let text =
            read_text(&path).map_err(|why| node.problem(format!("cannot read {}: {why}", path.display())))?;
        Arc::new(Text { name: path.display().to_string(), text })
    } else {
        let Some(entry) = library::protocol(of) else {
            let names: Vec<String> = library::protocols().into_iter().map(|e| e.name).collect();
            let mut problem = node.problem(format!("there is no protocol `{of}` in the library"));
            problem.help = crate::notation::fault::suggest(of, names.iter().map(String::as_str));
            return Err(problem.into());
        };
        entry.text
    };
    let tree = Node::parse(&text)?;
    protocol_file::read(&tree, &name)
}

/// A file's text, if it is not larger than the limit.
///
/// # Errors
/// Why it cannot be read, as a fragment.
pub fn read_text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > crate::limits::MAX_FILE_BYTES as u64 {
        return Err(format!(
            "it has {size} bytes, more than the limit MAX_FILE_BYTES, {}",
            crate::limits::MAX_FILE_BYTES
        ));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|x| name(*x)).collect()
}

fn suite(table: &Reader<'_>) -> Result<Suite, Problem> {
    let mut suite = Suite::default();
    let Some(node) = table.get("crypto") else { return Ok(suite) };
    let crypto = Reader::new(node)?;
    if let Some(s) =
        crypto.word("symmetric", "symmetric algorithm", &names(Symmetric::ALL, Symmetric::name))?
    {
        suite.symmetric = s;
    }
    if let Some(s) = crypto.word(
        "public_key",
        "public-key encryption",
        &names(PublicKeyEncryption::ALL, PublicKeyEncryption::name),
    )? {
        suite.public_key = s;
    }
    if let Some(s) =
        crypto.word("signature", "signature algorithm", &names(Signature::ALL, Signature::name))?
    {
        suite.signature = s;
    }
    if let Some(s) = crypto.word("agreement", "key agreement", &names(Agreement::ALL, Agreement::name))? {
        suite.agreement = s;
    }
    crypto.finish()?;
    Ok(suite)
}

fn lifetimes(table: &Reader<'_>, protocols: &[ProtocolFile]) -> Result<Lifetimes, Problem> {
    let mut lifetimes = Lifetimes::default();
    protocols.iter().for_each(|p| lifetimes.of.extend(p.lifetimes.clone()));
    lifetimes.of.extend(protocol_file::lifetimes(table)?);
    Ok(lifetimes)
}

fn network(table: &Reader<'_>) -> Result<Network, Problem> {
    let mut network = Network::default();
    let Some(node) = table.get("network") else { return Ok(network) };
    let reader = Reader::new(node)?;
    network.default = link(&reader, &Link::default())?;
    if let Some(links) = reader.get("link") {
        for node in array(links)? {
            let reader = Reader::new(node)?;
            let end = |key: &str| reader.get(key).ok_or_else(|| reader.missing(key)).and_then(name);
            let ends = (end("from")?, end("to")?);
            network.links.insert(ends, link(&reader, &network.default)?);
            reader.finish()?;
        }
    }
    reader.finish()?;
    Ok(network)
}

fn link(table: &Reader<'_>, default: &Link) -> Result<Link, Problem> {
    let latency = match table.get("latency") {
        None => default.latency.clone(),
        Some(node) => Span::parse_range(string(node)?).ok_or_else(|| {
            node.problem(format!("`{}` is not a latency", string(node).unwrap_or_default()))
                .help("expected a duration such as `20ms`, or a range such as `10ms..50ms`")
        })?,
    };
    Ok(Link {
        latency,
        loss: table.ratio("loss")?.unwrap_or(default.loss),
        duplicate: table.ratio("duplicate")?.unwrap_or(default.duplicate),
    })
}

/// A duration with a sign: `"+3s"`, `"-2m"`, or without one.
fn offset(node: &Node) -> Result<i64, Problem> {
    let text = string(node)?;
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = Span::parse(rest).and_then(|s| i64::try_from(s.0).ok());
    span.map(|s| sign * s).ok_or_else(|| {
        node.problem(format!("`{text}` is not a clock's offset"))
            .help("expected a duration with a sign, such as `-2m`")
    })
}

/// A key's problem, for keys that name something.
pub fn key_problem(node: &Node, key: &Key, message: String, valid: &[&str]) -> Problem {
    let mut problem = Problem::at(&node.file, key.range.clone(), message);
    problem.help = crate::notation::fault::suggest(&key.name, valid.iter().copied());
    problem
}
