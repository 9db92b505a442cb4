//! Events as JSON: stable fields, values as fingerprints only.

use serde_json::{Map, Value as Json, json};

use super::event::{Event, SessionId, Sight, What};

impl Event {
    /// One object: `event`, `cause`, `time_ns`, `kind`, then what this kind has.
    pub fn to_json(&self) -> Json {
        let mut all = Map::new();
        all.insert("event".into(), self.number.into());
        all.insert("cause".into(), self.cause.into());
        all.insert("time_ns".into(), self.at.0.into());
        all.insert("kind".into(), self.what.word().into());
        if let Json::Object(fields) = fields(&self.what) {
            all.extend(fields);
        }
        Json::Object(all)
    }
}

fn session(id: &SessionId) -> Json {
    json!({
        "run": id.run,
        "party": &*id.party,
        "role": &*id.role,
        "protocol": &*id.protocol,
        "nth": id.nth,
    })
}

fn with(base: Json, more: Json) -> Json {
    match (base, more) {
        (Json::Object(mut base), Json::Object(more)) => {
            base.extend(more);
            Json::Object(base)
        }
        (base, _) => base,
    }
}

fn sight(message: &Sight) -> Json {
    json!({
        "message": message.id,
        "run": message.run,
        "protocol": &*message.protocol,
        "line": message.line,
        "question": message.question,
        "from": &*message.from,
        "to": &*message.to,
        "text": message.shown.text(),
        "bytes": message.bytes.len(),
        "fingerprint": message.bytes.fingerprint(),
    })
}

fn fields(what: &What) -> Json {
    match what {
        What::Issued { by, subject, serial, certificate, .. } => {
            let fingerprint = certificate.fingerprint();
            json!({ "by": &**by, "subject": &**subject, "serial": serial, "fingerprint": fingerprint })
        }
        What::NotIssued { by, subject, reason } => {
            json!({ "by": &**by, "subject": &**subject, "reason": reason.word() })
        }
        What::Equipped { term, value } => json!({ "term": term, "fingerprint": value.fingerprint() }),
        What::Started { session: s } | What::Completed { session: s } => session(s),
        What::Sent { message } => sight(message),
        What::Injected { message, instead_of } => with(sight(message), json!({ "instead_of": instead_of })),
        What::Taken { id } | What::Lost { id } | What::Duplicated { id } => json!({ "message": id }),
        What::Delayed { id, by } => json!({ "message": id, "by_ns": by.0 }),
        What::Delivered { id, to } => json!({ "message": id, "to": &**to }),
        What::Ignored { id, by, why } => json!({ "message": id, "by": &**by, "why": why }),
        What::Concluded { session: s, term, value, .. } => {
            with(session(s), json!({ "term": term, "fingerprint": value.fingerprint() }))
        }
        What::Refused { session: s, refusal, message } => {
            let refused =
                json!({ "line": refusal.line, "reason": refusal.reason.word(), "message": message });
            with(session(s), refused)
        }
        What::Waits { session: s, line, from } => with(session(s), json!({ "line": line, "from": from })),
        What::Compromised { term, run, value } => {
            json!({ "term": term, "run": run, "fingerprint": value.as_ref().map(|v| v.fingerprint()) })
        }
        What::Revoked { by, subject, reason, told } => {
            let revoked = json!({ "by": &**by, "subject": &**subject, "reason": reason });
            match told {
                Some(told) => with(revoked, json!({ "crl_ns": told.crl.0, "ocsp_ns": told.ocsp.0 })),
                None => revoked,
            }
        }
        What::Asked { by, request, what, revokes } => {
            json!({ "by": &**by, "request": request, "what": &**what, "revokes": revokes.as_deref() })
        }
        What::Answered { by, request, refusal, tries } => {
            json!({ "by": &**by, "request": request, "refusal": refusal.map(|r| r.word()), "tries": tries })
        }
        What::Obtained { by, request, value } => {
            json!({ "by": &**by, "request": request, "fingerprint": value.fingerprint() })
        }
        What::Lacked { by, request, lacked } => {
            json!({ "by": &**by, "request": request, "lacked": lacked })
        }
        What::Rekeyed { party, version } => json!({ "party": &**party, "version": version }),
        What::Alarmed { party, serial } => json!({ "party": &**party, "serial": serial }),
        What::ClockSet { party, offset } => json!({ "party": &**party, "offset_ns": offset }),
        What::PutBack { at } => json!({ "at": &**at }),
        What::Unsealed { word, tried, shares } => {
            json!({ "word": word, "tried": tried, "shares": shares })
        }
        What::Forged { term, what } => json!({ "term": term, "what": what }),
        What::Rotated { by, term, keep } => json!({ "by": &**by, "term": term, "keep": keep }),
        What::Guessed { term, words, message, tested, value } => json!({
            "term": term,
            "words": words,
            "message": message,
            "tested": tested.fingerprint(),
            "fingerprint": value.as_ref().map(|v| v.fingerprint()),
        }),
        What::Restarted { party } => json!({ "party": &**party }),
        What::Fetched { by, outcome, refusal } => {
            json!({ "by": &**by, "outcome": outcome, "refusal": refusal.map(|r| r.word()) })
        }
        What::Followed { line } => json!({ "line": line }),
        What::AttackStopped { line, lacked } => json!({ "line": line, "lacked": lacked }),
    }
}
