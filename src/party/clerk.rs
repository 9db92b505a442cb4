//! What a party looks up before it decides about a certificate: it asks the authority's
//! repository and responder, waits for answers for a while, and says what may be decided
//! then. Must not know what is decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bureau::{COMPLETE, CRL_PROTOCOL, DELTAS, OCSP_PROTOCOL};
use super::cast::RunSpec;
use super::exchange::{Question, Questions};
use super::trust::PartyTrust;
use super::{Effect, Effects, Presented};
use crate::algebra::Bytes;
use crate::crypto::Rng;
use crate::journal::{QuestionId, Sight, What};
use crate::knowledge::{Shown, keys};
use crate::notation::{Name, Service};
use crate::pki::{Status, Want};
use crate::reason::Reason;
use crate::time::{SimTime, Span, UnixNanos};

/// How long a party waits for an answer before it decides without.
pub const PATIENCE: Span = Span::seconds(10);

/// How long it waits for a program that judges in its place: such a one asks others in turn.
pub const PATIENCE_WITH_PROGRAMS: Span = Span::seconds(120);

/// What is put off until an answer comes.
#[derive(Clone)]
pub enum Work {
    /// A message is read.
    Message(Arc<Sight>),
    /// A run is started.
    Start(Arc<RunSpec>),
}

/// Work that waits for answers.
pub struct Undecided {
    /// What.
    pub work: Work,
    /// What was asked for its sake.
    pub asked: BTreeSet<Want>,
}

/// A party's lookups.
pub struct Clerk {
    me: Name,
    rng: Rng,
    questions: Questions,
    undecided: Vec<Undecided>,
    outstanding: Vec<Lookup>,
}

struct Lookup {
    question: QuestionId,
    want: Want,
    nonce: [u8; 32],
    until: SimTime,
}

impl Clerk {
    /// A clerk who has asked for nothing yet; nonces are drawn from `rng`.
    pub fn new(me: Name, rng: Rng) -> Clerk {
        let (undecided, outstanding) = (Vec::new(), Vec::new());
        Clerk { me, rng, questions: Questions::default(), undecided, outstanding }
    }

    /// Puts work off until it is known what `wants` asks for. Answers when to call `expire`.
    pub fn put_off(
        &mut self,
        work: Work,
        mut asked: BTreeSet<Want>,
        wants: BTreeSet<Want>,
        trust: &PartyTrust,
        now: SimTime,
        effects: &mut Effects,
    ) -> SimTime {
        let (run, message) = match &work {
            Work::Message(message) => (message.run, message.id),
            Work::Start(run) => (run.number, 0),
        };
        let until = match &trust.outside {
            Some(outside) if wants.contains(&Want::Word) => {
                let (question, until) = (self.questions.next(), now.after(PATIENCE_WITH_PROGRAMS));
                let bundle = Bytes::from(outside.bundle.as_slice());
                let party = self.me.clone();
                effects.all.push(Effect::Present(Presented { party, question, message, bundle }));
                self.outstanding.push(Lookup { question, want: Want::Word, nonce: [0; 32], until });
                until
            }
            _ => now.after(PATIENCE),
        };
        self.ask(&wants, run, trust, now, effects);
        asked.extend(wants);
        self.undecided.push(Undecided { work, asked });
        until
    }

    /// Whether a word about a bundle is waited for under this number; then it is not any more.
    pub fn hears(&mut self, question: QuestionId) -> bool {
        let is_it = |lookup: &Lookup| lookup.want == Want::Word && lookup.question == question;
        let at = self.outstanding.iter().position(is_it);
        at.map(|at| self.outstanding.remove(at)).is_some()
    }

    /// Asks, unless it has asked already and waits.
    pub fn ask(
        &mut self,
        wants: &BTreeSet<Want>,
        run: u32,
        trust: &PartyTrust,
        now: SimTime,
        effects: &mut Effects,
    ) {
        for want in wants {
            if self.outstanding.iter().any(|lookup| lookup.want == *want) {
                continue;
            }
            let mut nonce = [0; 32];
            let (protocol, text, bytes) = match want {
                Want::Crl { only_deltas: true } => (CRL_PROTOCOL, DELTAS, DELTAS.as_bytes().to_vec()),
                Want::Crl { only_deltas: false } => (CRL_PROTOCOL, COMPLETE, COMPLETE.as_bytes().to_vec()),
                Want::Ocsp { id } => {
                    nonce.copy_from_slice(&keys::random(&mut self.rng, 32));
                    (OCSP_PROTOCOL, "OCSP request", trust.relying.ocsp_request(id, &nonce))
                }
                // Nobody on the wire is asked for it.
                Want::Word => continue,
            };
            let (id, until) = (self.questions.next(), now.after(PATIENCE));
            let (protocol, to) = (protocol.into(), Service::Ca.name().into());
            let question = Question { id, run, from: &self.me, to, protocol };
            let message = question.asked(Bytes::from(bytes), Shown::words(text));
            effects.send(message);
            self.outstanding.push(Lookup { question: id, want: want.clone(), nonce, until });
        }
    }

    /// Takes an answer, if it asked for one.
    pub fn answer(
        &mut self,
        message: &Sight,
        trust: &mut PartyTrust,
        clock: UnixNanos,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        let is_for = |lookup: &Lookup| {
            let protocol = match lookup.want {
                Want::Crl { .. } => CRL_PROTOCOL,
                Want::Ocsp { .. } => OCSP_PROTOCOL,
                Want::Word => return false,
            };
            message.question == Some(lookup.question) && *message.protocol == *protocol
        };
        let at = self.outstanding.iter().position(is_for).ok_or("it did not ask")?;
        let lookup = self.outstanding.remove(at);
        let outcome = match &lookup.want {
            Want::Crl { .. } => trust.relying.accept(&message.bytes, clock).map(|crls| {
                let words = crls.iter().map(|crl| {
                    let kind = if crl.base.is_some() { "delta CRL" } else { "CRL" };
                    format!("{kind} number {} with {} entries", crl.number, crl.entries)
                });
                words.collect::<Vec<_>>().join(", ")
            }),
            Want::Ocsp { id } => {
                let status = trust.relying.accept_ocsp(id, Some(&lookup.nonce), &message.bytes, clock);
                if status.is_ok() {
                    trust.keep_staple(id, &message.bytes);
                }
                status.map(words)
            }
            Want::Word => return Err("it did not ask"),
        };
        let (outcome, refusal) = match outcome {
            Ok(words) => (words, None),
            Err(reason) => (format!("refused: {reason}"), Some(reason)),
        };
        effects.note(What::Fetched { by: self.me.clone(), outcome, refusal });
        Ok(())
    }

    /// Gives up on what did not come in time.
    pub fn expire(&mut self, now: SimTime, effects: &mut Effects) {
        let (late, waiting): (Vec<_>, _) =
            std::mem::take(&mut self.outstanding).into_iter().partition(|lookup| lookup.until <= now);
        self.outstanding = waiting;
        for _ in late {
            let (outcome, refusal) = (format!("no answer within {PATIENCE}"), Some(Reason::Timeout));
            effects.note(What::Fetched { by: self.me.clone(), outcome, refusal });
        }
    }

    /// The work for which nothing is outstanding any more, in order.
    pub fn ready(&mut self) -> Vec<Undecided> {
        let waits =
            |work: &Undecided| self.outstanding.iter().any(|lookup| work.asked.contains(&lookup.want));
        let (waiting, ready) = std::mem::take(&mut self.undecided).into_iter().partition(waits);
        self.undecided = waiting;
        ready
    }

    /// A restart: nothing is waited for any more.
    pub fn forget(&mut self) {
        (self.undecided, self.outstanding) = (Vec::new(), Vec::new());
    }
}

fn words(status: Status) -> String {
    match status {
        Status::Good => "good".to_owned(),
        Status::Revoked { .. } => "revoked".to_owned(),
        Status::Unknown => "unknown".to_owned(),
    }
}
