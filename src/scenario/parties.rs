//! How parties behave: `[parties]`.

use std::collections::BTreeMap;

use super::problem::Problem;
use super::reader::{Reader, array, name, span, string, unknown};
use super::setup::Setup;
use super::toml_tree::{Data, Node, Places};
use crate::limits::MAX_NAME_BYTES;
use crate::notation::{Name, Service, Term, parse};
use crate::party::Remembers;
use crate::pki::{Fetch, OnUnavailable, Revocation, TrustPolicy};
use crate::time::Span;
use crate::vault::Rate;

/// How a party behaves.
#[derive(Clone, Debug)]
pub struct Party {
    /// How far its clock is ahead, in nanoseconds.
    pub clock_offset: i64,
    /// How far a time stamp may be from its clock.
    pub max_skew: Span,
    /// How many lines that cost public-key operations it can send in a time: any number if none.
    pub strength: Option<Rate>,
    /// How far ahead of its clock an expiry may lie: any distance if none.
    pub max_lifetime: Option<Span>,
    /// How it judges certificates; the roots are not known yet.
    pub trust: TrustPolicy,
    /// Whether it sends an OCSP response along with its own certificates.
    pub staples: bool,
    /// The greatest age of a live session.
    pub session_max_age: Option<Span>,
    /// How long a live session goes on without a look whether its peers' certificates stand.
    pub recheck: Option<Span>,
    /// How often it looks at what the authority issued in its name.
    pub watch_issuance: Option<Span>,
    /// Whether the authority tells it at once of a revocation.
    pub push: bool,
    /// By what it knows messages again that it has accepted, if it refuses them then.
    pub replay_cache: Option<Remembers>,
    /// Whether what it remembers so outlives a restart.
    pub persistent_cache: bool,
    /// Whether it refuses ciphertexts, codes and signatures of its own.
    pub knows_own: bool,
    /// Whether after a restart it refuses time stamps that it may have accepted before.
    pub stamps_after_start: bool,
    /// Whether a centre looks a name up again that one of its own tickets vouches for.
    pub rechecks: bool,
    /// The password that it chose; drawn from the seed if none.
    pub password: Option<String>,
    /// The party under whose keys it works; its own if none.
    pub shares_key_of: Option<Name>,
}

impl Default for Party {
    fn default() -> Self {
        Party {
            clock_offset: 0,
            max_skew: Span::seconds(300),
            strength: None,
            max_lifetime: None,
            trust: TrustPolicy { revocation: Revocation::None, ..TrustPolicy::default() },
            staples: false,
            session_max_age: None,
            recheck: None,
            watch_issuance: None,
            push: false,
            replay_cache: None,
            persistent_cache: false,
            knows_own: false,
            stamps_after_start: false,
            rechecks: true,
            password: None,
            shares_key_of: None,
        }
    }
}

impl Setup {
    pub(super) fn read_party(&mut self, name: &Name, node: &Node, besides: &[&str]) -> Result<(), Problem> {
        let table = Reader::new(node)?;
        besides.iter().for_each(|key| {
            table.get(key);
        });
        let mut party = Party::default();
        if let Some(node) = table.get("clock_offset") {
            party.clock_offset = offset(node)?;
        }
        party.max_skew = table.span("max_skew")?.unwrap_or(party.max_skew);
        party.max_lifetime = table.span("max_lifetime")?;
        party.strength = table.get("strength").map(super::key_centre::rate).transpose()?;
        self.read_trust(&table, &mut party.trust)?;
        party.replay_cache =
            table.get("replay_cache").map(|node| self.remembers(node)).transpose()?.flatten();
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
        if !is_service(name) {
            super::secrets::read(&table, &mut party)?;
        }
        table.finish()?;
        self.parties.insert(name.clone(), party);
        Ok(())
    }

    /// `true`, `false`, or the terms by which messages are known again: `"C, T2"`.
    fn remembers(&self, node: &Node) -> Result<Option<Remembers>, Problem> {
        let text = match &node.data {
            Data::Boolean(remembers) => return Ok(remembers.then_some(Remembers::Protected)),
            _ => string(node)?,
        };
        let mut places = Places::default();
        let fault =
            |places: &Places, fault| places.problem(&fault).unwrap_or_else(|| node.problem("not terms"));
        let quoted = places.quote(text, node);
        let terms = parse::terms(&quoted).map_err(|f| fault(&places, f))?;
        let has =
            |term: &Term| self.protocols.iter().any(|(file, _)| file.protocol.table.find(term).is_some());
        match terms.iter().find(|term| !has(term)) {
            None => Ok(Some(Remembers::Terms(terms))),
            Some(term) => Err(node
                .problem(format!("no line of a protocol has {term}"))
                .help("write `true`, or terms that a line has, with `let` names written out")),
        }
    }

    fn read_trust(&self, table: &Reader<'_>, trust: &mut TrustPolicy) -> Result<(), Problem> {
        if let Some(node) = table.get("revocation") {
            trust.revocation = match string(node)? {
                "none" => Revocation::None,
                "crl" => Revocation::Crl,
                "ocsp" => Revocation::Ocsp,
                "stapled" => Revocation::Stapled,
                other => {
                    let words = ["none", "crl", "ocsp", "stapled"];
                    return Err(unknown(node, "source of revocations", other, &words));
                }
            };
        }
        if let Some(node) = table.get("on_unavailable") {
            trust.on_unavailable = match string(node)? {
                "soft-fail" => OnUnavailable::SoftFail,
                "hard-fail" => OnUnavailable::HardFail,
                other => return Err(unknown(node, "policy", other, &["soft-fail", "hard-fail"])),
            };
        }
        if let Some(node) = table.get("fetch") {
            trust.fetch = match string(node)?.split_once(' ') {
                None if string(node)? == "on-expiry" => Fetch::OnExpiry,
                None if string(node)? == "at-publication" => Fetch::AtPublication(self.ca.policy.crl_period),
                None if string(node)? == "per-connection" => Fetch::PerConnection,
                Some(("every", span)) if Span::parse(span).is_some_and(|span| span.0 > 0) => {
                    Fetch::Every(Span::parse(span).unwrap_or_default())
                }
                _ => {
                    let words = ["on-expiry", "at-publication", "per-connection", "every 15m"];
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
            ("clock_floor", &mut trust.clock_floor),
        ] {
            *slot = table.boolean(key)?.unwrap_or(*slot);
        }
        Ok(())
    }

    pub(super) fn read_parties(
        &mut self,
        table: &Reader<'_>,
        attacker: Option<&str>,
    ) -> Result<BTreeMap<Name, Party>, Problem> {
        if let Some(node) = table.get("parties") {
            for (key, node) in Reader::new(node)?.entries() {
                let known =
                    parse::is_name(&key.name) && !key.name.contains('\'') && key.name.len() <= MAX_NAME_BYTES;
                if !known || Some(key.name.as_str()) == attacker || key.name == "I" {
                    let message = format!("`{}` cannot be a party's name", key.name);
                    return Err(Problem::at(&node.file, key.range.clone(), message));
                }
                if is_service(&key.name) {
                    let message = format!("`{}` is a service and no party", key.name);
                    return Err(Problem::at(&node.file, key.range.clone(), message)
                        .help(format!("its table is [services.{}]", key.name)));
                }
                self.read_party(&key.name.as_str().into(), node, &[])?;
            }
        }
        let mut parties = std::mem::take(&mut self.parties);
        let services = self.services.iter().map(|s| Name::from(s.name()));
        let in_runs = self.runs.iter().flat_map(|r| r.names.values().cloned());
        let asking = table.get("request").and_then(|node| array(node).ok()).unwrap_or_default();
        let named = |node, key| name(Reader::new(node).ok()?.get(key)?).ok();
        let asking = asking.iter().flat_map(|node| ["by", "owner"].map(|key| named(node, key))).flatten();
        let asking = asking.filter(|name| &**name != "I" && !is_service(name));
        let centre = self.key_centre.iter();
        let known = centre.flat_map(|centre| centre.roles.keys().chain(&centre.codes)).cloned();
        for name in services.chain(in_runs).chain(asking).chain(known).filter(|n| Some(&**n) != attacker) {
            parties.entry(name).or_default();
        }
        for name in super::attacker_table::narrated(table, self, &parties) {
            parties.entry(name).or_default();
        }
        Ok(parties)
    }
}

/// Whether this is a service's name, which no client has.
pub(super) fn is_service(name: &str) -> bool {
    Service::ALL.iter().any(|service| service.1 == name)
}

/// A duration of at least a second: X.509 times have whole ones.
pub(super) fn seconds(node: &Node) -> Result<Span, Problem> {
    let span = span(node)?;
    if span.0 < Span::seconds(1).0 {
        return Err(node.problem("X.509 times have whole seconds").help("give at least `1s`"));
    }
    Ok(span)
}

/// A duration with a sign: `"+3s"`, `"-2m"`, or without one.
pub(super) fn offset(node: &Node) -> Result<i64, Problem> {
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
