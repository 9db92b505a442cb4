//! What other tools can read of a play: the certificates, requests, CRLs, OCSP messages and
//! public keys that appeared in it, each once, and an index of them. Must not know folders or
//! files, and has no secrets: what is none of these is left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::algebra::{Bytes, Public, Value};
use crate::journal::{Event, Journal, Sight, Wire};
use crate::notation::Kind;
use crate::party::{CA_PROTOCOL, CRL_PROTOCOL, OCSP_PROTOCOL};
use crate::pki::repository::{self, Item};
use crate::pki::{self, Certificates, Record, RecordKind};
use crate::pki::{Answer, Petition, Proof};
use crate::scenario::{EPOCH, PlayReport};
use crate::time::Span;

/// Characters of a party's name that a file's name repeats.
const LONGEST_NAME: usize = 40;

/// Something that appeared in a play.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// Its name, unique in the play: `certificate-alice-2`.
    pub name: String,
    /// The thing itself.
    pub der: Bytes,
    /// What it says of itself.
    pub record: Record,
    /// The numbers of the events in which it appeared, in order.
    pub events: Vec<u64>,
    /// Others that are inside, by their indices.
    pub inside: Vec<usize>,
}

/// A file to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArtefactFile {
    /// Its name, of letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What appeared in a play, in the order in which it did.
pub fn artefacts(journal: &Journal) -> Vec<Artefact> {
    let mut collector = Collector::default();
    for event in journal.events() {
        collector.event(event);
    }
    collector.found
}

/// The files of a play: DER and, where that is defined, PEM of everything that appeared, and
/// `index.json`.
pub fn artefact_files(play: &PlayReport) -> Vec<ArtefactFile> {
    let all = artefacts(play.journal());
    let mut files = Vec::new();
    let entries: Vec<Json> = all.iter().map(|artefact| entry(artefact, &all, play.journal())).collect();
    for artefact in &all {
        for (name, bytes) in forms(artefact) {
            files.push(ArtefactFile { name, bytes });
        }
    }
    let index = json!({
        "play": play.name,
        "seed": play.seed.to_string(),
        "with_attacker": play.with_attacker,
        "repeat_with": play.repeat_with(),
        "unix_seconds_at_time_zero": EPOCH.seconds(),
        "artefacts": entries,
    });
    let bytes = format!("{index:#}\n").into_bytes();
    files.push(ArtefactFile { name: "index.json".to_owned(), bytes });
    files
}

/// A name as part of a file's name on every system: other characters become `_`.
pub fn plain_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = name.chars().take(LONGEST_NAME).map(|c| if is_plain(c) { c } else { '_' }).collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if plain.is_empty() => "_".to_owned(),
        None => plain,
    }
}

fn forms(artefact: &Artefact) -> Vec<(String, Vec<u8>)> {
    let pem = artefact.record.kind.pem(&artefact.der);
    let pem = pem.map(|pem| (format!("{}.pem", artefact.name), pem.into_bytes()));
    let der = (format!("{}.der", artefact.name), artefact.der.to_vec());
    pem.into_iter().chain([der]).collect()
}

fn entry(artefact: &Artefact, all: &[Artefact], journal: &Journal) -> Json {
    let record = &artefact.record;
    let mut fields = Map::new();
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            fields.insert(key.to_owned(), value);
        }
    };
    put("name", Some(artefact.name.as_str().into()));
    put("kind", Some(kind(record).into()));
    let files: Vec<String> = forms(artefact).into_iter().map(|(name, _)| name).collect();
    put("files", Some(files.into()));
    put("subject", record.subject.as_deref().map(Json::from));
    put("issuer", record.issuer.as_deref().map(Json::from));
    put("serial", record.serial.as_deref().map(Json::from));
    put("number", record.number.as_deref().map(Json::from));
    put("base", record.base.as_deref().map(Json::from));
    let [from, until] = match record.kind {
        RecordKind::Certificate => ["not_before", "not_after"],
        _ => ["this_update", "next_update"],
    };
    put(from, record.from.map(|at| pki::date(at).into()));
    put(until, record.until.map(|at| pki::date(at).into()));
    put("status", record.status.map(Json::from));
    let inside: Vec<&str> = artefact.inside.iter().map(|at| all[*at].name.as_str()).collect();
    put("inside", (!inside.is_empty()).then(|| inside.into()));
    let events = artefact.events.iter().filter_map(|number| journal.event(*number));
    put("appears", Some(events.map(appearance).collect()));
    Json::Object(fields)
}

fn appearance(event: &Event) -> Json {
    let mut told = Map::new();
    told.insert("event".into(), event.number.into());
    told.insert("kind".into(), event.what.word().into());
    if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = event.what.topics().wire {
        told.insert("from".into(), (*message.from).into());
        told.insert("to".into(), (*message.to).into());
    }
    told.insert("time_ns".into(), event.at.0.to_string().into());
    told.insert("unix_seconds".into(), EPOCH.after(Span(event.at.0)).seconds().into());
    Json::Object(told)
}

/// The word for what it is; a delta CRL is told from a complete one.
fn kind(record: &Record) -> &'static str {
    if record.base.is_some() { "delta-crl" } else { record.kind.word() }
}

#[derive(Default)]
struct Collector {
    found: Vec<Artefact>,
    /// Where each is that was met before; none for what is not of the kind.
    known: BTreeMap<(RecordKind, Bytes), Option<usize>>,
    /// How many have a name that begins alike, in small letters: some systems do not tell
    /// capitals apart.
    names: BTreeMap<String, u32>,
}

impl Collector {
    fn event(&mut self, event: &Event) {
        let number = event.number;
        let topics = event.what.topics();
        if let Some((certificate, request)) = topics.papers {
            if let Some(request) = request {
                self.take(number, RecordKind::Request, request, None);
            }
            self.take(number, RecordKind::Certificate, certificate, None);
        }
        if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = topics.wire {
            self.message(number, message);
        }
        if let Some(gain) = topics.gain {
            let (term, value) = gain.named();
            self.value(number, &term, value);
        }
    }

    /// What a message carries: of the services' protocols in its bytes, of others in its terms.
    fn message(&mut self, event: u64, message: &Sight) {
        match (&*message.protocol, message.line) {
            (CRL_PROTOCOL, 2) => {
                for (item, der) in repository::read(&message.bytes).unwrap_or_default() {
                    let kind = match item {
                        Item::Certificate => RecordKind::Certificate,
                        Item::Crl => RecordKind::Crl,
                    };
                    self.take(event, kind, der, None);
                }
            }
            (OCSP_PROTOCOL, 1) => drop(self.take(event, RecordKind::OcspRequest, &message.bytes, None)),
            (OCSP_PROTOCOL, _) => drop(self.take(event, RecordKind::OcspResponse, &message.bytes, None)),
            (CA_PROTOCOL, 1) => {
                let Ok(petition) = Petition::read(&message.bytes) else { return };
                for request in petition.ask.requests() {
                    self.take(event, RecordKind::Request, request, None);
                }
                if let Proof::Key(certificate, _) = &petition.proof {
                    self.take(event, RecordKind::Certificate, certificate, None);
                }
            }
            (CA_PROTOCOL, _) => {
                if let Ok(Answer::Granted(certificates)) = Answer::read(&message.bytes) {
                    self.certificates(event, &certificates);
                }
            }
            _ => {
                for (term, value) in message.shown.named() {
                    self.value(event, &term, value);
                }
            }
        }
    }

    fn value(&mut self, event: u64, term: &str, value: &Value) {
        match value.kind {
            Kind::Certificate => {
                if let Ok(certificates) = Certificates::from_bytes(&value.bytes) {
                    self.certificates(event, &certificates);
                }
            }
            Kind::Public => {
                let Ok(public) = Public::from_bytes(&value.bytes) else { return };
                let owner = term.strip_prefix("pk(").and_then(|rest| rest.strip_suffix(')'));
                for key in [public.encryption, public.signature].into_iter().flatten() {
                    self.take(event, RecordKind::PublicKey, &key, owner);
                }
            }
            _ => {}
        }
    }

    fn certificates(&mut self, event: u64, certificates: &Certificates) {
        let chain = certificates.chain.iter().map(Vec::as_slice);
        for der in certificates.subjects().chain(chain) {
            self.take(event, RecordKind::Certificate, der, None);
        }
        for staple in &certificates.staples {
            self.take(event, RecordKind::OcspResponse, staple, None);
        }
    }

    fn take(&mut self, event: u64, kind: RecordKind, der: &[u8], owner: Option<&str>) -> Option<usize> {
        let key = (kind, Bytes::from(der));
        if let Some(known) = self.known.get(&key) {
            let at = (*known)?;
            self.appears(at, event);
            return Some(at);
        }
        let Some(mut record) = Record::read(kind, der) else {
            self.known.insert(key, None);
            return None;
        };
        if kind == RecordKind::PublicKey {
            record.subject = owner.map(str::to_owned);
        }
        let name = self.name(&record);
        let at = self.found.len();
        let parts = std::mem::take(&mut record.inside);
        let subject = record.subject.clone();
        let der = key.1.clone();
        self.found.push(Artefact { name, der, record, events: vec![event], inside: Vec::new() });
        self.known.insert(key, Some(at));
        let parts = parts.iter().filter_map(|(kind, der)| self.take(event, *kind, der, subject.as_deref()));
        self.found[at].inside = parts.collect();
        Some(at)
    }

    fn appears(&mut self, at: usize, event: u64) {
        let artefact = &mut self.found[at];
        if artefact.events.last() != Some(&event) {
            artefact.events.push(event);
        }
        for part in self.found[at].inside.clone() {
            self.appears(part, event);
        }
    }

    fn name(&mut self, record: &Record) -> String {
        let about = match record.kind {
            RecordKind::Crl => record.issuer.as_deref(),
            RecordKind::OcspRequest | RecordKind::OcspResponse => None,
            _ => record.subject.as_deref(),
        };
        let stem = match about {
            Some(about) => format!("{}-{}", kind(record), plain_name(about)),
            None => kind(record).to_owned(),
        };
        let nth = self.names.entry(stem.to_lowercase()).or_default();
        *nth += 1;
        format!("{stem}-{nth}")
    }
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_are_plain_everywhere() {
        for (name, plain) in [
            ("alice", "alice"),
            ("KDC_1", "KDC_1"),
            ("../../etc", "_._.._etc"),
            (".", "_"),
            ("", "_"),
            ("a b/c\\d:e", "a_b_c_d_e"),
            ("Bøb", "B_b"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
        assert_eq!(plain_name(&"n".repeat(300)).len(), 40);
    }
}
