//! One play's artefacts, as both judges are shown them.

use std::sync::Arc;

use der::Decode;
use mallory::journal::What;
use mallory::pki::{Certificates, RecordKind, RelyingParty, Revocation, TrustPolicy, is_for_encryption};
use mallory::report::Artefact;
use mallory::scenario::{EPOCH, PlayReport};
use mallory::time::{Span, UnixNanos};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};

use crate::tool::Tool;

pub const SECOND: Span = Span::seconds(1);

/// A play's artefacts.
pub struct Exhibit {
    pub name: String,
    pub root: Vec<u8>,
    /// Below the root.
    pub authorities: Vec<Vec<u8>>,
    pub leaves: Vec<Leaf>,
}

pub struct Leaf {
    pub der: Vec<u8>,
    pub file: String,
    pub issuer: String,
    pub serial: String,
    pub from: UnixNanos,
    pub until: UnixNanos,
    pub first_seen: UnixNanos,
    pub candidates: Vec<Vec<u8>>,
}

impl Exhibit {
    /// None of a play without certificates.
    pub fn of(play: &PlayReport, all: &[Artefact], tool: &Tool) -> Option<Exhibit> {
        let mut trusted = play.journal().events().iter().filter_map(|event| match &event.what {
            What::Issued { certificate, request: None, .. } => Some(certificate.to_vec()),
            _ => None,
        });
        let root = trusted.next()?;
        let authorities: Vec<Vec<u8>> = trusted.collect();
        let certificates: Vec<_> = all.iter().filter(|a| a.record.kind == RecordKind::Certificate).collect();
        let ends = certificates.iter().filter(|a| is_end(&a.der));
        let leaves = ends.map(|artefact| {
            let record = &artefact.record;
            let issues = |other: &&&Artefact| {
                other.record.subject == record.issuer && other.der != artefact.der && *other.der != *root
            };
            let mut candidates = authorities.clone();
            candidates.extend(certificates.iter().filter(issues).map(|other| other.der.to_vec()));
            candidates.sort();
            candidates.dedup();
            let first = play.journal().event(artefact.events[0]).expect("it is in the journal").at;
            Leaf {
                file: tool.pem(RecordKind::Certificate, &[&artefact.der]),
                der: artefact.der.to_vec(),
                issuer: record.issuer.clone().unwrap_or_default(),
                serial: record.serial.clone().unwrap_or_default(),
                from: record.from.expect("it has a notBefore"),
                until: record.until.expect("it has a notAfter"),
                first_seen: EPOCH.after(Span(first.0)),
                candidates,
            }
        });
        let leaves = leaves.collect();
        Some(Exhibit { name: play.name.clone(), root, authorities, leaves })
    }

    pub fn root(&self) -> String {
        mallory::algebra::fingerprint(&self.root)
    }

    pub fn above(&self) -> impl Iterator<Item = &[u8]> {
        [&self.root].into_iter().chain(&self.authorities).map(Vec::as_slice)
    }

    pub fn party(&self, revocation: Revocation) -> RelyingParty {
        let roots = vec![self.root.clone()];
        RelyingParty::new(Arc::new(TrustPolicy { roots, revocation, ..TrustPolicy::default() }))
    }
}

impl Leaf {
    pub fn bundle(&self) -> Vec<u8> {
        let mut bundle = Certificates { chain: self.candidates.clone(), ..Certificates::default() };
        match is_for_encryption(&self.der) {
            true => bundle.encryption = Some(self.der.clone()),
            false => bundle.signature = Some(self.der.clone()),
        }
        bundle.to_value().bytes.to_vec()
    }
}

/// Whether a certificate is a subject's: neither an authority's nor a responder's, which are
/// judged on the paths of others.
fn is_end(der: &[u8]) -> bool {
    let certificate = Certificate::from_der(der).expect("it is an artefact");
    let tbs = certificate.tbs_certificate();
    let authority = tbs.get_extension::<BasicConstraints>().ok().flatten().is_some_and(|(_, c)| c.ca);
    !authority && tbs.get_extension::<ExtendedKeyUsage>().ok().flatten().is_none()
}

pub fn subject(der: &[u8]) -> String {
    let certificate = Certificate::from_der(der).expect("it is an artefact");
    let name = certificate.tbs_certificate().subject();
    let name = name.common_name().expect("it has a name").expect("it has a common name");
    name.value().into_owned()
}
