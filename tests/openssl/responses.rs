//! OCSP responses before both judges.

use mallory::pki::{RecordKind, Revocation, Status, date};
use mallory::reason::Reason;
use mallory::report::Artefact;
use mallory::time::UnixNanos;

use crate::court::Court;
use crate::exhibit::{Exhibit, Leaf, subject};

const NO_STATUS: &str = "ERROR: No Status found.";

impl Court {
    /// Every OCSP response: whether who signed it may, and what it says, of the certificate
    /// that it is about and of another.
    pub fn response(&mut self, exhibit: &Exhibit, response: &Artefact) {
        let file = self.tool.file(&response.der);
        let record = &response.record;
        let is_error = record.status == Some("error");
        let (same, others): (Vec<&Leaf>, Vec<&Leaf>) =
            exhibit.leaves.iter().partition(|leaf| record.serial.as_ref() == Some(&leaf.serial));
        for leaf in same.into_iter().chain(others.into_iter().take(2)) {
            let mut party = exhibit.party(Revocation::Ocsp);
            // Of a certificate that leads nowhere nobody asks.
            let [id] = &party.ids(&leaf.bundle(), leaf.from)[..] else { continue };
            let above = || exhibit.above().chain(leaf.candidates.iter().map(Vec::as_slice));
            let Some(issuer) = above().find(|der| subject(der) == leaf.issuer) else { continue };
            let issuer = self.tool.pem(RecordKind::Certificate, &[issuer]);
            let root = self.tool.pem(RecordKind::Certificate, &[&exhibit.root]);
            let others = self.tool.pem(RecordKind::Certificate, &exhibit.above().collect::<Vec<_>>());
            if !self.is_new(format!("{file} {} {issuer} {root}", leaf.file)) {
                continue;
            }
            let at = record.from.unwrap_or(leaf.from);
            let ours = party.accept_ocsp(id, None, &response.der, at);
            let theirs = self.tool.response(&file, &leaf.file, [&issuer, &others, &root], at.seconds());
            let agreed = match ours {
                Err(Reason::OcspTryLater) => is_error && theirs.status == "error",
                Err(Reason::OcspCertIdMismatch) => theirs.status == NO_STATUS,
                Err(Reason::OcspUnauthorizedSigner | Reason::OcspBadSignature) => {
                    !theirs.verified && theirs.status != NO_STATUS
                }
                Err(_) => false,
                Ok(status) => {
                    let word = match status {
                        Status::Good => "good",
                        Status::Revoked { .. } => "revoked",
                        Status::Unknown => "unknown",
                    };
                    let times = [record.from, record.until].map(|at| at.map(as_openssl_writes));
                    theirs.verified && theirs.status == word && times == theirs.times
                }
            };
            match ours {
                Ok(status) => {
                    self.counts.responses += 1;
                    let revoked = matches!(status, Status::Revoked { .. });
                    self.counts.revoked_by_response += usize::from(revoked);
                }
                Err(Reason::OcspTryLater) => self.counts.errors_of_responders += 1,
                Err(Reason::OcspCertIdMismatch) => self.counts.other_certificate += 1,
                Err(_) => self.counts.forged_responses += 1,
            }
            if !agreed {
                let about = format!("{} for certificate {} by {}", response.name, leaf.serial, leaf.issuer);
                self.object(exhibit, &about, &format!("{ours:?}"), &format!("{theirs:?}"));
            }
        }
    }
}

/// `Jan  1 00:10:00 2026 GMT`.
fn as_openssl_writes(at: UnixNanos) -> String {
    let date = date(at);
    let (day, time) = date.trim_end_matches('Z').split_once('T').expect("a date and a time");
    let parts: Vec<&str> = day.split('-').collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |part: &str| part.parse::<usize>().expect("a number");
    format!("{} {:>2} {time} {} GMT", months[number(parts[1]) - 1], number(parts[2]), parts[0])
}
