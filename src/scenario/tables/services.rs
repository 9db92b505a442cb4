//! How services work: `[services.kdc]` and `[services.ca]`.

use std::collections::BTreeSet;

use super::amounts::{period, seconds};
use super::{key_centre, parties};
use crate::limits::{MAX_CRL_HISTORY, MAX_INTERMEDIATES};
use crate::notation::Service;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, integer};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::setup::services::CaSpec;

/// Sets up the services that have a table.
pub fn read(setup: &mut Setup, table: &Reader<'_>) -> Result<(), Problem> {
    let Some(node) = table.get("services") else { return Ok(()) };
    let services = Reader::of(node, &schema::SERVICES)?;
    if let Some(node) = services.get("kdc") {
        setup.services.insert(Service::Kdc);
        let mut kdc = parties::party(setup, Service::Kdc.name(), node, &schema::KDC)?;
        setup.key_centre = Reader::of(node, &schema::KDC)?.get("keys").map(key_centre::read).transpose()?;
        kdc.rechecks = Reader::of(node, &schema::KDC)?.boolean("rechecks")?.unwrap_or(kdc.rechecks);
        setup.parties.insert(Service::Kdc.name().into(), kdc);
    }
    if let Some(node) = services.get("ca") {
        setup.services.insert(Service::Ca);
        setup.ca = read_ca(&Reader::of(node, &schema::CA)?)?;
        let ca = parties::party(setup, Service::Ca.name(), node, &schema::CA)?;
        setup.parties.insert(Service::Ca.name().into(), ca);
    }
    services.finish()
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
