//! How services work: `[services.kdc]` and `[services.ca]`.

use std::collections::BTreeSet;
use std::ops::Range;

use super::parties::seconds;
use super::problem::Problem;
use super::reader::{Reader, array, integer, string};
use super::setup::Setup;
use super::toml_tree::Node;
use crate::limits::{MAX_CRL_HISTORY, MAX_INTERMEDIATES};
use crate::notation::Service;
use crate::pki::AuthorityPolicy;
use crate::time::{SPAN_EXPECTED, SimTime, Span};

/// How the certificate authority works.
#[derive(Clone, Debug)]
pub struct CaSpec {
    /// What it issues and publishes.
    pub policy: AuthorityPolicy,
    /// Authorities between its root and the subjects.
    pub intermediates: u32,
    /// Whether signing OCSP responses is delegated to a key of its own.
    pub ocsp_delegated: bool,
    /// Whether it looks at who asks.
    pub authorises: bool,
    /// Who may revoke certificates of others.
    pub officers: BTreeSet<String>,
    /// Whose certificates demand a stapled response.
    pub must_staple: BTreeSet<String>,
    /// When nobody answers.
    pub down: Vec<Range<SimTime>>,
}

impl Default for CaSpec {
    fn default() -> Self {
        CaSpec {
            policy: AuthorityPolicy::default(),
            intermediates: 0,
            ocsp_delegated: false,
            authorises: true,
            officers: BTreeSet::new(),
            must_staple: BTreeSet::new(),
            down: Vec::new(),
        }
    }
}

/// Keys that an authority has beside those of any party.
const CA_KEYS: [&str; 16] = [
    "crl_period",
    "crl_lifetime",
    "certificate_lifetime",
    "delta_period",
    "crl_history",
    "proof_of_possession",
    "blocks_keys",
    "ocsp_lifetime",
    "ocsp_presign",
    "ocsp_knows_issued",
    "ocsp_delegated",
    "intermediates",
    "authorises",
    "officers",
    "must_staple",
    "down",
];

impl Setup {
    pub(super) fn read_services(&mut self, table: &Reader<'_>) -> Result<(), Problem> {
        let Some(node) = table.get("services") else { return Ok(()) };
        let services = Reader::new(node)?;
        if let Some(node) = services.get("kdc") {
            self.services.insert(Service::Kdc);
            self.read_party(&Service::Kdc.name().into(), node, &["rechecks", "keys"])?;
            self.key_centre = Reader::new(node)?.get("keys").map(super::key_centre::read).transpose()?;
            let rechecks = Reader::new(node)?.boolean("rechecks")?;
            if let (Some(kdc), Some(rechecks)) = (self.parties.get_mut(Service::Kdc.name()), rechecks) {
                kdc.rechecks = rechecks;
            }
        }
        if let Some(node) = services.get("ca") {
            self.services.insert(Service::Ca);
            self.ca = read_ca(&Reader::new(node)?)?;
            self.read_party(&Service::Ca.name().into(), node, &CA_KEYS)?;
        }
        services.finish()
    }
}

fn read_ca(table: &Reader<'_>) -> Result<CaSpec, Problem> {
    let mut ca = CaSpec::default();
    let policy = &mut ca.policy;
    for (key, slot) in [
        ("crl_period", &mut policy.crl_period),
        ("crl_lifetime", &mut policy.crl_lifetime),
        ("certificate_lifetime", &mut policy.certificate_lifetime),
        ("ocsp_lifetime", &mut policy.ocsp.lifetime),
    ] {
        *slot = table.get(key).map(seconds).transpose()?.unwrap_or(*slot);
    }
    policy.delta_period = table.get("delta_period").map(seconds).transpose()?;
    policy.ocsp.presign = table.get("ocsp_presign").map(seconds).transpose()?;
    if let Some(node) = table.get("crl_history") {
        let count = integer(node, 0)? as usize;
        if count > MAX_CRL_HISTORY {
            let limit = format!("more than the limit MAX_CRL_HISTORY, {MAX_CRL_HISTORY}");
            return Err(node.problem(limit));
        }
        policy.history = count;
    }
    for (key, slot) in [
        ("proof_of_possession", &mut policy.proof_of_possession),
        ("blocks_keys", &mut policy.blocks_keys),
        ("ocsp_knows_issued", &mut policy.ocsp.knows_issued),
        ("ocsp_delegated", &mut ca.ocsp_delegated),
        ("authorises", &mut ca.authorises),
    ] {
        *slot = table.boolean(key)?.unwrap_or(*slot);
    }
    if let Some(node) = table.get("intermediates") {
        ca.intermediates = integer(node, 0)?;
        if ca.intermediates > MAX_INTERMEDIATES {
            return Err(node.problem(format!("more than the limit MAX_INTERMEDIATES, {MAX_INTERMEDIATES}")));
        }
    }
    let names = |key: &str| -> Result<BTreeSet<String>, Problem> {
        Ok(table.strings(key)?.into_iter().map(|(name, _)| name.to_owned()).collect())
    };
    ca.officers = names("officers")?;
    ca.must_staple = names("must_staple")?;
    if let Some(node) = table.get("down") {
        ca.down = array(node)?.iter().map(period).collect::<Result<_, _>>()?;
    }
    Ok(ca)
}

/// `"2h..5h"`: from one time to another.
fn period(node: &Node) -> Result<Range<SimTime>, Problem> {
    let text = string(node)?;
    let ends = text.split_once("..").and_then(|(from, to)| Some((Span::parse(from)?, Span::parse(to)?)));
    match ends {
        Some((from, to)) if from < to => Ok(SimTime::ZERO.after(from)..SimTime::ZERO.after(to)),
        _ => Err(node
            .problem(format!("`{text}` is no period"))
            .help(format!("expected two times, such as `2h..5h`; a time is {SPAN_EXPECTED}"))),
    }
}
