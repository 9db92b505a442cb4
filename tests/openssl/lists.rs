//! CRLs before both judges, alone and with certificates.

use std::collections::{BTreeMap, BTreeSet};

use mallory::algebra::Bytes;
use mallory::journal::What;
use mallory::pki::repository::{self, Item};
use mallory::pki::{Record, RecordKind, RelyingParty, Revocation};
use mallory::reason::Reason;
use mallory::report::Artefact;
use mallory::scenario::{EPOCH, PlayReport};
use mallory::time::{Span, UnixNanos};

use crate::court::Court;
use crate::exhibit::{Exhibit, Leaf, SECOND};

/// Sets of CRLs of one play that are compared, from its beginning and from its end: a year of
/// hourly lists would take the afternoon.
const SETS: usize = 10;

impl Court {
    /// Every CRL: whether it is signed by who it says.
    pub fn crl(&mut self, exhibit: &Exhibit, crl: &Artefact) {
        let file = self.tool.pem(RecordKind::Crl, &[&crl.der]);
        let above: Vec<&[u8]> = exhibit.above().collect();
        let authorities = self.tool.pem(RecordKind::Certificate, &above);
        if !self.is_new(format!("{file} {authorities}")) {
            return;
        }
        let theirs = self.tool.crl_is_signed(&file, &authorities);
        let mut items: Vec<_> =
            exhibit.authorities.iter().map(|der| (Item::Certificate, der.clone())).collect();
        items.push((Item::Crl, crl.der.to_vec()));
        let answer = Bytes::from(repository::write(&items));
        let at = crl.record.from.expect("it has a thisUpdate");
        let ours = exhibit.party(Revocation::Crl).accept(&answer, at).map(drop);
        let signed = !matches!(ours, Err(Reason::CrlBadSignature | Reason::CrlIssuerMismatch));
        self.counts.crls += 1;
        self.counts.forged_crls += usize::from(!signed);
        if signed != theirs {
            self.object(exhibit, &crl.name, &format!("{ours:?}"), &format!("signed: {theirs}"));
        }
    }

    /// Every certificate with the CRLs that were current at a time: a party that takes all
    /// answers in their order, and one that has only the latest.
    pub fn lists(&mut self, exhibit: &Exhibit, play: &PlayReport) {
        let answers = play.journal().events().iter().filter_map(|event| match &event.what {
            What::Sent { message } | What::Injected { message, .. }
                if &*message.protocol == "crl" && message.line == 2 =>
            {
                Some((EPOCH.after(Span(event.at.0)), message.bytes.clone()))
            }
            _ => None,
        });
        let mut seen = BTreeSet::new();
        let answers: Vec<_> = answers.filter(|(_, bytes)| seen.insert(bytes.clone())).collect();
        let mut steady = exhibit.party(Revocation::Crl);
        let mut held: BTreeMap<(String, bool), Vec<u8>> = BTreeMap::new();
        for (nth, (at, bytes)) in answers.iter().enumerate() {
            let Ok(items) = repository::read(bytes) else { continue };
            let crls = || items.iter().filter(|(item, _)| *item == Item::Crl).map(|(_, der)| *der);
            let mut fresh = exhibit.party(Revocation::Crl);
            let accepted = steady.accept(bytes, *at).is_ok();
            if accepted {
                for der in crls() {
                    let record = Record::read(RecordKind::Crl, der).expect("it was accepted");
                    held.insert((record.issuer.unwrap_or_default(), record.base.is_some()), der.to_vec());
                }
            }
            if nth >= SETS && nth + SETS < answers.len() {
                self.counts.passed_over_sets_of_crls += 1;
                continue;
            }
            // A delta alone is nothing to a party that has no base; openssl says so, too.
            let _ = fresh.accept(bytes, *at);
            self.with_crls(exhibit, &fresh, &crls().collect::<Vec<_>>(), *at);
            if accepted {
                let set: Vec<&[u8]> = held.values().map(Vec::as_slice).collect();
                self.with_crls(exhibit, &steady, &set, *at);
            }
        }
    }

    fn with_crls(&mut self, exhibit: &Exhibit, party: &RelyingParty, crls: &[&[u8]], at: UnixNanos) {
        let mut times = BTreeSet::from([at]);
        let mut has_delta = false;
        for der in crls {
            let Some(record) = Record::read(RecordKind::Crl, der) else { return };
            has_delta |= record.base.is_some();
            if let Some(until) = record.until.filter(|_| record.base.is_none()) {
                times.extend([UnixNanos(until.0 - SECOND.0), until]);
            }
        }
        let lists = self.tool.pem(RecordKind::Crl, crls);
        for at in times {
            let mut groups: BTreeMap<&[Vec<u8>], Vec<&Leaf>> = BTreeMap::new();
            for leaf in &exhibit.leaves {
                if self.is_new(format!("{lists} {at:?} {} {:?}", leaf.file, leaf.candidates)) {
                    groups.entry(&leaf.candidates).or_default().push(leaf);
                }
            }
            for (candidates, leaves) in groups {
                for (leaf, why) in leaves.iter().zip(self.verify(exhibit, &leaves, candidates, at, crls)) {
                    let ours = party.clone().check(&leaf.bundle(), None, at).map(drop);
                    self.counts.certificates_with_crls += 1;
                    self.counts.revoked_by_crl += usize::from(ours == Err(Reason::CertificateRevoked));
                    self.counts.with_deltas += usize::from(has_delta);
                    self.compare(exhibit, leaf, at, ours, &why);
                }
            }
        }
    }
}
