//! What is counted, in the text format of Prometheus. Must not know names of clients or keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::vault::Verb;

/// What was counted since the start.
#[derive(Default)]
pub struct Counts {
    requests: BTreeMap<(&'static str, &'static str, u16), u64>,
    operations: BTreeMap<(&'static str, bool), u64>,
}

/// What is measured now.
pub struct Gauges {
    /// Whether the vault is sealed.
    pub sealed: bool,
    /// Audit records.
    pub audit_records: u64,
    /// Certificates that were issued.
    pub certificates: usize,
    /// Of which revoked.
    pub revoked: usize,
}

impl Counts {
    /// A request to a route, and its status.
    pub fn request(&mut self, method: &'static str, path: &'static str, status: u16) {
        *self.requests.entry((method, path, status)).or_default() += 1;
    }

    /// An operation of the vault, done or refused.
    pub fn operation(&mut self, verb: Verb, done: bool) {
        *self.operations.entry((verb.word(), done)).or_default() += 1;
    }

    /// All of it.
    pub fn text(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut text, "mallory_requests_total", "counter", "Requests by route and status.");
        for ((method, path, status), count) in &self.requests {
            let _ = writeln!(
                text,
                "mallory_requests_total{{method=\"{method}\",route=\"{path}\",status=\"{status}\"}} {count}"
            );
        }
        head(&mut text, "mallory_operations_total", "counter", "Operations of the vault by outcome.");
        for ((verb, done), count) in &self.operations {
            let outcome = if *done { "done" } else { "refused" };
            let _ = writeln!(
                text,
                "mallory_operations_total{{operation=\"{verb}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        let Gauges { sealed, audit_records, certificates, revoked } = gauges;
        head(&mut text, "mallory_sealed", "gauge", "1 while the vault is sealed.");
        let _ = writeln!(text, "mallory_sealed {}", u8::from(*sealed));
        head(&mut text, "mallory_audit_records", "gauge", "Records in the audit log.");
        let _ = writeln!(text, "mallory_audit_records {audit_records}");
        head(&mut text, "mallory_certificates", "gauge", "Certificates that the authority has issued.");
        let _ = writeln!(text, "mallory_certificates {certificates}");
        head(&mut text, "mallory_certificates_revoked", "gauge", "Of which revoked.");
        let _ = writeln!(text, "mallory_certificates_revoked {revoked}");
        text
    }
}
