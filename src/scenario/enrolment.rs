//! Before time zero: the authority comes to be, and each client proves possession of its keys
//! and gets a certificate. The attacker may ask for one over somebody else's keys.

use std::collections::BTreeMap;

use super::setup::Setup;
use super::setup::attacker::AttackerSpec;
use crate::algebra::{Bytes, Public, Value};
use crate::crypto::SigningKey;
use crate::journal::What;
use crate::notation::{KeyUses, Name, Service};
use crate::party::Cast;
use crate::pki::{self, Authority, AuthorityKeys, Certificates};
use crate::world::Halt;

/// What came of it.
#[derive(Default)]
pub struct Enrolled {
    /// The authority; none where no protocol uses certificates.
    pub authority: Option<Box<Authority>>,
    /// The certificates, by subject.
    pub certificates: BTreeMap<Name, Value>,
    /// What the journal begins with.
    pub prologue: Vec<What>,
}

/// Has the authority issue certificates to everybody who is registered and no service.
///
/// # Errors
/// It refused an honest party: a defect.
pub fn enrol(setup: &Setup, cast: &Cast, attacker: Option<&AttackerSpec>) -> Result<Enrolled, Halt> {
    let Cast { keys, registered, epoch, .. } = cast;
    let protocols = setup.protocols.iter().map(|(file, _)| &file.protocol);
    let uses = protocols.filter(|p| p.has_certificates).map(|p| p.uses).reduce(KeyUses::and);
    let Some(uses) = uses else { return Ok(Enrolled::default()) };
    let mut authority = authority(setup, cast);
    let ca = Service::Ca.name();
    let mut prologue = Vec::new();
    for der in [authority.root()].into_iter().chain(authority.chain()) {
        prologue.push(What::Issued {
            by: ca.into(),
            subject: ca.into(),
            serial: pki::serial_of(der).unwrap_or_default(),
            certificate: Bytes::from(der),
            request: None,
        });
    }
    let mut certificates = BTreeMap::new();
    let services: Vec<&str> = Service::ALL.iter().map(|s| s.1).collect();
    for name in registered.names().filter(|n| !services.contains(&&***n)) {
        let foreign = attacker.filter(|a| a.name == *name).and_then(|a| a.enrols_key_of.as_ref());
        let requests = match foreign {
            None => pki::requests(name, &keys.private(name, uses)),
            Some(owner) => foreign_requests(name, &keys.signing(name), &keys.private(owner, uses).public()),
        };
        let mut own = Certificates::default();
        for request in requests {
            let issued = match authority.issue(&request, name, *epoch) {
                Ok(issued) => issued,
                Err(reason) if foreign.is_some() => {
                    prologue.push(What::NotIssued { by: ca.into(), subject: name.clone(), reason });
                    continue;
                }
                Err(reason) => {
                    let why = format!("the authority refused {name}'s request: {reason}");
                    return Err(Halt::Runtime(why));
                }
            };
            prologue.push(What::Issued {
                by: ca.into(),
                subject: name.clone(),
                serial: issued.serial,
                certificate: Bytes::from(issued.der.as_slice()),
                request: Some(Bytes::from(request)),
            });
            match pki::is_for_encryption(&issued.der) {
                true => own.encryption = Some(issued.der),
                false => own.signature = Some(issued.der),
            }
        }
        if own != Certificates::default() {
            own.chain = authority.chain().map(<[u8]>::to_vec).collect();
            certificates.insert(name.clone(), own.to_value());
        }
    }
    Ok(Enrolled { authority: Some(Box::new(authority)), certificates, prologue })
}

fn authority(setup: &Setup, cast: &Cast) -> Authority {
    let keys = &cast.keys;
    let ca = Service::Ca.name();
    // No party has a name with a space in it.
    let below = (1..=setup.ca.intermediates).map(|nth| keys.signing(&format!("{ca} {nth}")));
    let all = AuthorityKeys {
        root: keys.signing(ca),
        below: below.collect(),
        responder: setup.ca.ocsp_delegated.then(|| keys.signing(&format!("{ca} responder"))),
    };
    let mut authority = Authority::with_keys(ca, all, cast.epoch, setup.ca.policy);
    authority.describe(cast.profiles.clone());
    authority.must_staple(setup.ca.must_staple.iter().cloned());
    authority
}

fn foreign_requests(name: &str, own: &SigningKey, of: &Public) -> Vec<Vec<u8>> {
    let encryption = of.encryption.as_ref().map(|k| pki::foreign_request_for_encryption(name, k, own));
    let signature = of.signature.as_ref().map(|k| pki::foreign_request_for_signing(name, k, own));
    encryption.into_iter().chain(signature).collect()
}
