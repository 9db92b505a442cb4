//! How parties and services behave: `[parties]` and `[services]`.

use std::collections::BTreeMap;

use super::problem::Problem;
use super::reader::{Reader, string, unknown};
use super::setup::Setup;
use super::toml_tree::Node;
use crate::notation::{Name, Service, parse};
use crate::pki::{OnUnavailable, Revocation};
use crate::time::Span;

/// How a party behaves.
#[derive(Clone, Debug)]
pub struct Party {
    /// How far its clock is ahead, in nanoseconds.
    pub clock_offset: i64,
    /// How far a time stamp may be from its clock.
    pub max_skew: Span,
    /// How far ahead of its clock an expiry may lie: any distance if none.
    pub max_lifetime: Option<Span>,
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
            max_lifetime: None,
            revocation: Revocation::None,
            on_unavailable: OnUnavailable::HardFail,
            check_chain: true,
            check_name: true,
            replay_cache: false,
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
    pub(super) fn read_services(&mut self, table: &Reader<'_>) -> Result<(), Problem> {
        let Some(node) = table.get("services") else { return Ok(()) };
        let services = Reader::new(node)?;
        if let Some(node) = services.get("kdc") {
            self.services.insert(Service::Kdc);
            self.read_party(&Service::Kdc.name().into(), node, &["rechecks"])?;
            let rechecks = Reader::new(node)?.boolean("rechecks")?;
            if let (Some(kdc), Some(rechecks)) = (self.parties.get_mut(Service::Kdc.name()), rechecks) {
                kdc.rechecks = rechecks;
            }
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
        party.max_lifetime = table.span("max_lifetime")?;
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
            ("stamps_after_start", &mut party.stamps_after_start),
        ] {
            *slot = table.boolean(key)?.unwrap_or(*slot);
        }
        if !Service::ALL.iter().any(|s| *s.1 == **name) {
            super::secrets::read(&table, &mut party)?;
        }
        table.finish()?;
        self.parties.insert(name.clone(), party);
        Ok(())
    }

    pub(super) fn read_parties(
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
