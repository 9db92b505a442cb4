//! Both judges, and the certificates before them.

use std::collections::{BTreeMap, BTreeSet};

use mallory::crypto::Signature;
use mallory::pki::{RecordKind, Revocation, date};
use mallory::reason::Reason;
use mallory::report::{Artefact, artefacts};
use mallory::scenario::{EPOCH, PlayReport};
use mallory::time::UnixNanos;

use crate::exhibit::{Exhibit, Leaf, SECOND};
use crate::tool::Tool;

/// How often what was compared.
#[derive(Default, Debug)]
pub struct Counts {
    pub plays: usize,
    pub certificates: usize,
    pub refused_certificates: usize,
    pub requests: usize,
    pub crls: usize,
    pub forged_crls: usize,
    pub certificates_with_crls: usize,
    pub revoked_by_crl: usize,
    pub with_deltas: usize,
    pub passed_over_sets_of_crls: usize,
    pub responses: usize,
    pub revoked_by_response: usize,
    pub forged_responses: usize,
    pub errors_of_responders: usize,
    pub other_certificate: usize,
}

/// Both judges.
pub struct Court {
    pub tool: Tool,
    /// What was compared before, in this or in another play.
    heard: BTreeSet<String>,
    pub counts: Counts,
    pub disagreements: Vec<String>,
}

/// In which respect a certificate is refused, as far as both judges tell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    Path,
    NotYetValid,
    Expired,
    Revoked,
    Undetermined,
    Constraint,
    Extension,
    Other(u32),
}

impl Why {
    fn of_number(number: u32) -> Why {
        match number {
            2 | 7 | 18..=21 | 24 | 25 | 30..=32 | 79 => Why::Path,
            9 => Why::NotYetValid,
            10 => Why::Expired,
            23 => Why::Revoked,
            3 | 8 | 11 | 12 | 33 | 35 | 36 => Why::Undetermined,
            47 | 48 => Why::Constraint,
            34 => Why::Extension,
            other => Why::Other(other),
        }
    }

    fn of_reason(reason: Reason) -> Why {
        match reason {
            Reason::CertificateUntrusted | Reason::CertificateNotACa | Reason::PathLenExceeded => Why::Path,
            Reason::CertificateNotYetValid => Why::NotYetValid,
            Reason::CertificateExpired => Why::Expired,
            Reason::CertificateRevoked => Why::Revoked,
            Reason::RevocationUnavailable => Why::Undetermined,
            Reason::NameConstraintViolation => Why::Constraint,
            Reason::UnknownCriticalExtension => Why::Extension,
            other => panic!("openssl has no such reason: {other}"),
        }
    }
}

impl Court {
    pub fn new(tool: Tool) -> Court {
        let (counts, disagreements) = (Counts::default(), Vec::new());
        Court { tool, heard: BTreeSet::new(), counts, disagreements }
    }

    /// Compares everything of a play.
    pub fn hear(&mut self, play: &PlayReport) {
        // Versions before 3.5 have no ML-DSA.
        if play.variant().setup.suite.signature == Signature::MlDsa65 && !self.tool.knows_ml_dsa {
            return;
        }
        // What clients of openssl make of single flaws, `mallory live --matrix` asks them: `verify`
        // by itself looks at neither names nor uses.
        let forged = play.variant().setup.attacker.iter().flat_map(|her| &her.forgeries);
        if forged.into_iter().any(|forgery| forgery.flaw.is_some()) {
            return;
        }
        let all = artefacts(play.journal());
        let Some(exhibit) = Exhibit::of(play, &all, &self.tool) else { return };
        self.counts.plays += 1;
        self.certificates(&exhibit);
        let of = |kind: RecordKind| all.iter().filter(move |artefact| artefact.record.kind == kind);
        of(RecordKind::Request).for_each(|request| self.request(&exhibit, request));
        of(RecordKind::Crl).for_each(|crl| self.crl(&exhibit, crl));
        self.lists(&exhibit, play);
        of(RecordKind::OcspResponse).for_each(|response| self.response(&exhibit, response));
    }

    pub fn is_new(&mut self, what: String) -> bool {
        self.heard.insert(what)
    }

    pub fn object(&mut self, exhibit: &Exhibit, about: &str, ours: &str, theirs: &str) {
        let name = &exhibit.name;
        self.disagreements.push(format!("{name}: {about}: we say {ours}, openssl says {theirs}"));
    }

    /// Every certificate, about the ends of its validity and when it was first seen.
    fn certificates(&mut self, exhibit: &Exhibit) {
        let mut by_time: BTreeMap<(UnixNanos, &[Vec<u8>]), Vec<&Leaf>> = BTreeMap::new();
        for leaf in &exhibit.leaves {
            let before = UnixNanos(leaf.from.0 - SECOND.0);
            // Of the last second the judges differ: openssl leaves notAfter itself out, RFC 5280
            // §4.1.2.5 does not.
            let last = UnixNanos(leaf.until.0 - SECOND.0);
            for at in [before, leaf.from, leaf.first_seen, last, leaf.until.after(SECOND)] {
                if self.is_new(format!("{} {} {at:?} {:?}", exhibit.root(), leaf.file, leaf.candidates)) {
                    by_time.entry((at, &leaf.candidates)).or_default().push(leaf);
                }
            }
        }
        for ((at, candidates), leaves) in by_time {
            let mut party = exhibit.party(Revocation::None);
            for (leaf, why) in leaves.iter().zip(self.verify(exhibit, &leaves, candidates, at, &[])) {
                let ours = party.check(&leaf.bundle(), None, at).map(drop);
                self.counts.certificates += 1;
                self.counts.refused_certificates += usize::from(ours.is_err());
                self.compare(exhibit, leaf, at, ours, &why);
            }
        }
    }

    pub fn verify(
        &self,
        exhibit: &Exhibit,
        leaves: &[&Leaf],
        candidates: &[Vec<u8>],
        at: UnixNanos,
        crls: &[&[u8]],
    ) -> Vec<BTreeSet<Why>> {
        let root = self.tool.pem(RecordKind::Certificate, &[&exhibit.root]);
        let time = at.seconds().to_string();
        let mut arguments = vec!["-attime", &time, "-CAfile", &root];
        let slices: Vec<&[u8]> = candidates.iter().map(Vec::as_slice).collect();
        let untrusted = self.tool.pem(RecordKind::Certificate, &slices);
        if !candidates.is_empty() {
            arguments.extend(["-untrusted", &untrusted]);
        }
        let lists = self.tool.pem(RecordKind::Crl, crls);
        if !crls.is_empty() {
            arguments.extend(["-crl_check_all", "-extended_crl", "-use_deltas", "-CRLfile", &lists]);
        }
        let files: Vec<String> = leaves.iter().map(|leaf| leaf.file.clone()).collect();
        let said = self.tool.verify(&arguments, &files);
        said.iter().map(|said| said.errors.iter().map(|number| Why::of_number(*number)).collect()).collect()
    }

    pub fn compare(
        &mut self,
        exhibit: &Exhibit,
        leaf: &Leaf,
        at: UnixNanos,
        ours: Result<(), Reason>,
        theirs: &BTreeSet<Why>,
    ) {
        let agreed = match ours {
            Ok(()) => theirs.is_empty(),
            Err(reason) => theirs.contains(&Why::of_reason(reason)),
        };
        if !agreed {
            let about = format!("certificate {} by {} at {}", leaf.serial, leaf.issuer, date(at));
            self.object(exhibit, &about, &format!("{ours:?}"), &format!("{theirs:?}"));
        }
    }

    /// Requests prove possession of their keys; who asks for another's key does not.
    fn request(&mut self, exhibit: &Exhibit, request: &Artefact) {
        use mallory::crypto::{Signature, stream};
        use mallory::pki::{Authority, AuthorityPolicy};
        let file = self.tool.pem(RecordKind::Request, &[&request.der]);
        if !self.is_new(file.clone()) {
            return;
        }
        let theirs = self.tool.request_is_signed(&file);
        let key = Signature::Ed25519.generate(&mut stream(7, &["another authority"]));
        let mut authority = Authority::new("another", key, EPOCH, AuthorityPolicy::default());
        let name = request.record.subject.clone().unwrap_or_default();
        let ours = authority.issue(&request.der, &name, EPOCH).map(drop);
        self.counts.requests += 1;
        if theirs == (ours == Err(Reason::BadProofOfPossession)) {
            self.object(exhibit, &request.name, &format!("{ours:?}"), &format!("signed: {theirs}"));
        }
    }
}
