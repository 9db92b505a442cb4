//! The certificate authority's counter: what it answers to those who want a certificate, a
//! revocation, its list or its word about a certificate. Must not know why they ask.

use std::ops::Range;

use super::alert::ALERT_PROTOCOL;
use super::cast::Cast;
use super::{Effects, exchange};
use crate::algebra::Bytes;
use crate::journal::{Sight, Told, What};
use crate::knowledge::Shown;
use crate::notation::{Name, Service};
use crate::pki::{Answer, Ask, Authority, Office, Petition, RevocationReason};
use crate::time::{SimTime, UnixNanos};

/// The name under which messages to and from the authority's repository travel: line 1
/// asks for the revocation list, line 2 is the list.
pub const CRL_PROTOCOL: &str = "crl";
/// To and from its responder: line 1 is an OCSP request, line 2 the response, line 3 a
/// response that nobody asked for.
pub const OCSP_PROTOCOL: &str = "ocsp";
/// To and from its counter: line 1 is a petition, line 2 the answer.
pub const CA_PROTOCOL: &str = "ca";
/// To and from the key centre: line 1 is a request, line 2 the answer.
pub const KMS_PROTOCOL: &str = "kms";
/// Every name that messages outside the notation travel under, which no protocol of a file may
/// have: those of services, and alerts.
pub const SERVICE_PROTOCOLS: [&str; 5] =
    [CRL_PROTOCOL, OCSP_PROTOCOL, CA_PROTOCOL, KMS_PROTOCOL, ALERT_PROTOCOL];

/// What a party that lists asks for, in words that are its bytes.
pub const COMPLETE: &str = "please send your revocation list";
/// The same, if deltas will do.
pub const DELTAS: &str = "please send what changed in your revocation list";

/// The authority at its counter.
pub struct Bureau {
    /// The authority.
    pub authority: Box<Authority>,
    /// Who may ask for what.
    pub office: Office,
    /// When nobody answers.
    pub down: Vec<Range<SimTime>>,
    /// Whom it tells at once that a certificate was revoked.
    pub subscribers: Vec<Name>,
}

impl Bureau {
    /// Answers a message, if it is for it.
    pub fn answer(
        &mut self,
        message: &Sight,
        cast: &Cast,
        (now, clock): (SimTime, UnixNanos),
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        if message.line != 1 {
            return Err("it did not ask");
        }
        if self.down.iter().any(|span| span.contains(&now)) {
            return Err("it is down");
        }
        let (text, bytes) = match &*message.protocol {
            CRL_PROTOCOL => {
                let deltas = *message.bytes == *DELTAS.as_bytes();
                let words = if deltas { "what changed in the revocation list" } else { "revocation list" };
                (words.to_owned(), self.authority.publication(deltas, clock))
            }
            OCSP_PROTOCOL => {
                ("OCSP response".to_owned(), Bytes::from(self.authority.ocsp(&message.bytes, clock)))
            }
            _ => {
                let answer = self.petition(message, cast, (now, clock), effects);
                (words(&answer), Bytes::from(answer.to_bytes()))
            }
        };
        let answer = exchange::answer(message, bytes, Shown::words(text));
        effects.send(answer);
        Ok(())
    }

    fn petition(
        &mut self,
        message: &Sight,
        cast: &Cast,
        (now, clock): (SimTime, UnixNanos),
        effects: &mut Effects,
    ) -> Answer {
        let petition = match Petition::read(&message.bytes) {
            Ok(petition) => petition,
            Err(reason) => return Answer::Refused(reason),
        };
        let secret = |name: &str| {
            let known = cast.registered.contains(name);
            known.then(|| cast.keys.shared(name, Service::Ca.name(), 0).bytes.to_vec())
        };
        let before = self.authority.log().len();
        let answer = self.office.decide(&mut self.authority, &petition, &secret, clock);
        let by = Name::from(Service::Ca.name());
        match (&petition.ask, &answer) {
            (_, Answer::Refused(reason)) => {
                let subject = message.from.clone();
                effects.note(What::NotIssued { by, subject, reason: *reason });
            }
            (Ask::Revoke { subject, reason, .. }, Answer::Done(serials)) if !serials.is_empty() => {
                self.tell(subject.as_str().into(), *reason, serials, (now, clock), effects);
            }
            _ => {}
        }
        if let Answer::Granted(certificates) = &answer {
            let issued = self.authority.log()[before..].iter().zip(certificates.subjects());
            for ((entry, der), request) in issued.zip(petition.ask.requests()) {
                effects.note(What::Issued {
                    by: Service::Ca.name().into(),
                    subject: entry.subject.as_str().into(),
                    serial: entry.serial,
                    certificate: Bytes::from(der),
                    request: Some(Bytes::from(request.as_slice())),
                });
            }
        }
        answer
    }

    /// Revokes everything of a party's, because an event says so.
    pub fn revoke(
        &mut self,
        subject: &Name,
        reason: RevocationReason,
        (now, clock): (SimTime, UnixNanos),
        effects: &mut Effects,
    ) {
        let serials = self.authority.revoke(subject, reason, clock);
        // Whoever has no certificate that stands is not revoked by it.
        if serials.is_empty() {
            return;
        }
        self.tell(subject.clone(), reason, &serials, (now, clock), effects);
    }

    /// Notes what was revoked, and tells those who want to be told.
    fn tell(
        &mut self,
        subject: Name,
        reason: RevocationReason,
        serials: &[u64],
        (now, clock): (SimTime, UnixNanos),
        effects: &mut Effects,
    ) {
        let (crl, ocsp) = self.authority.first_told(clock);
        let until = |at: UnixNanos| now.after(crate::time::Span(at.0.saturating_sub(clock.0)));
        let told = Some(Told { crl: until(crl), ocsp: until(ocsp) });
        let by = Name::from(Service::Ca.name());
        effects.note(What::Revoked {
            by: by.clone(),
            subject,
            reason: reason.word().into(),
            told: told.map(Box::new),
        });
        for serial in serials {
            for subscriber in &self.subscribers {
                let bytes = Bytes::from(self.authority.notice(*serial, clock));
                effects.send(Sight {
                    id: 0,
                    run: 0,
                    protocol: OCSP_PROTOCOL.into(),
                    line: 3,
                    question: None,
                    from: by.clone(),
                    to: subscriber.clone(),
                    bytes,
                    shown: Shown::words("notice of a revocation"),
                });
            }
        }
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Granted(_) => "granted: certificate".to_owned(),
        Answer::Done(serials) => format!("done: {} certificates", serials.len()),
        Answer::Log(entries) => format!("log: {} certificates", entries.len()),
        Answer::Refused(reason) => format!("refused: {reason}"),
    }
}
