//! An honest party: a client, the key distribution centre or the certificate authority. It has
//! its runs, its dealings with services, and perhaps an office; what it is told is for one of
//! them. Must not know who attacks it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alert::ALERT_PROTOCOL;
use super::bureau::{OCSP_PROTOCOL, SERVICE_PROTOCOLS};
use super::cast::{Cast, Character, RunSpec};
use super::clerk::{Undecided, Work};
use super::custody::totp;
use super::dealings::Dealings;
use super::footing::{Footing, Moment};
use super::office::Office;
use super::runs::{Postponed, Runs};
use super::{Actor, Effects, Input, Intrusion, Leaked, Order};
use crate::algebra::Value;
use crate::journal::{Sight, What};
use crate::notation::Kind;
use crate::pki::Want;
use crate::time::SimTime;

/// An honest party.
pub struct Principal {
    footing: Footing,
    runs: Runs,
    dealings: Dealings,
    office: Office,
}

impl Principal {
    /// A party at the beginning of a play.
    pub fn new(cast: &Arc<Cast>, character: Arc<Character>, office: Office) -> Principal {
        let dealings = Dealings::new(cast, &character.name);
        Principal { footing: Footing::new(cast, character), runs: Runs::default(), dealings, office }
    }

    /// Starts a run, once its certificates have what goes with them; it has `asked` for so much.
    fn start(&mut self, run: Arc<RunSpec>, asked: BTreeSet<Want>, now: SimTime, effects: &mut Effects) {
        self.footing.trust.asked = asked;
        let moment = &mut Moment { footing: &mut self.footing, now, effects };
        match moment.footing.wants_staples(now) {
            true => self.dealings.put_off(Work::Start(run), moment),
            false => self.runs.start(&run, moment),
        }
    }

    fn message(&mut self, message: Arc<Sight>, now: SimTime, effects: &mut Effects) {
        // Whoever is told that it was refused has nothing to do about it here.
        if *message.protocol == *ALERT_PROTOCOL {
            return;
        }
        if SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            return self.service_message(&message, now, effects);
        }
        self.footing.trust.asked.clear();
        let moment = &mut Moment { footing: &mut self.footing, now, effects };
        if let Some(Postponed(message)) = self.runs.message(message, moment) {
            self.dealings.put_off(Work::Message(message), moment);
        }
    }

    /// Does what was put off and need not wait any more.
    fn decide(&mut self, now: SimTime, effects: &mut Effects) {
        for Undecided { work, asked } in self.dealings.ready() {
            let message = match work {
                Work::Start(run) => {
                    self.start(run, asked, now, effects);
                    continue;
                }
                Work::Message(message) => message,
            };
            self.footing.trust.asked = asked;
            let moment = &mut Moment { footing: &mut self.footing, now, effects };
            if let Some(Postponed(message)) = self.runs.resume(message, moment) {
                self.dealings.put_off(Work::Message(message), moment);
            }
        }
    }

    /// A message to or from a service.
    fn service_message(&mut self, message: &Sight, now: SimTime, effects: &mut Effects) {
        let moment = &mut Moment { footing: &mut self.footing, now, effects };
        let heeded = match (message.line, &*message.protocol) {
            (1, _) => self.office.answer(message, moment),
            (2, _) => self.dealings.answer(message, moment),
            (3, OCSP_PROTOCOL) => {
                notice(message, &mut self.runs, moment);
                Ok(())
            }
            _ => Err("that protocol has no such line"),
        };
        if let Err(why) = heeded {
            moment.ignore(message, why);
        }
        self.decide(now, effects);
    }

    /// Does what whoever runs it says.
    fn obey(&mut self, order: Order, now: SimTime, effects: &mut Effects) {
        match order {
            Order::Clock(offset) => {
                self.footing.clock_offset = offset;
                effects.note(What::ClockSet { party: self.footing.name().clone(), offset });
            }
            Order::Rotate { key, keep } => {
                self.footing.trust.ring.rotate(&key, keep);
                let (by, term) = (self.footing.name().clone(), key.to_string());
                effects.note(What::Rotated { by, term, keep });
            }
            Order::Revoke { subject, reason } => {
                let moment = &mut Moment { footing: &mut self.footing, now, effects };
                self.office.revoke(subject, reason, moment);
            }
            Order::Restart => self.restart(now, effects),
        }
    }

    /// Long-term keys, the register and what was written to disk outlive it.
    fn restart(&mut self, now: SimTime, effects: &mut Effects) {
        let Footing { cast, character, trust, .. } = &mut self.footing;
        self.runs.forget(character.persistent_cache, effects);
        self.dealings.forget();
        if !character.persistent_cache {
            trust.relying.forget();
        }
        self.office.restart();
        if character.stamps_after_start {
            // Who lost track of what it accepted rejects what it may have (RFC 4120 §3.2.3).
            let clock = cast.clock(now, character.clock_offset);
            trust.earliest_stamp = Some(clock.after(character.max_skew));
        }
        effects.note(What::Restarted { party: character.name.clone() });
    }
}

/// An authority says of itself that a certificate is revoked: sessions with its subject end.
fn notice(message: &Sight, runs: &mut Runs, moment: &mut Moment<'_>) {
    let clock = moment.clock();
    let Moment { footing, effects, .. } = moment;
    let relying = &mut footing.trust.relying;
    let (outcome, refusal) = match relying.accept_notice(&message.bytes, clock) {
        Ok(_) => ("told of a revocation".to_owned(), None),
        Err(reason) => (format!("refused: {reason}"), Some(reason)),
    };
    let by = footing.character.name.clone();
    effects.note(What::Fetched { by, outcome, refusal });
    let relying = &mut footing.trust.relying;
    let is_revoked = |bundle: &[u8]| relying.is_known_revoked(bundle, clock);
    runs.terminate(is_revoked, effects);
}

impl Actor for Principal {
    fn handle(&mut self, input: Input, now: SimTime, effects: &mut Effects) {
        match input {
            Input::Begin => {
                self.dealings.begin(&mut Moment { footing: &mut self.footing, now, effects });
            }
            Input::Start(run) => self.start(run, BTreeSet::new(), now, effects),
            Input::Request(request) => {
                self.dealings.ask(&request, &mut Moment { footing: &mut self.footing, now, effects });
            }
            Input::Message(message) => self.message(message, now, effects),
            Input::Timer(number) => {
                self.dealings.timer(number, &mut Moment { footing: &mut self.footing, now, effects });
                self.decide(now, effects);
            }
            Input::Judged(question, word) => {
                if self.dealings.hears(question) {
                    if let Some(outside) = &mut self.footing.trust.outside {
                        outside.word = Some(word);
                    }
                    self.decide(now, effects);
                    if let Some(outside) = &mut self.footing.trust.outside {
                        outside.word = None;
                    }
                }
            }
            Input::Order(order) => self.obey(order, now, effects),
            Input::End => self.runs.end(&self.footing, effects),
        }
    }

    fn suffer(&mut self, intrusion: &Intrusion, now: SimTime, effects: &mut Effects) -> Option<Value> {
        let leak = match intrusion {
            Intrusion::Theft(leak) => leak,
            Intrusion::PutBack => {
                if self.office.put_back() {
                    effects.note(What::PutBack { at: self.footing.name().clone() });
                }
                return None;
            }
        };
        match &leak.what {
            Leaked::Result { request, .. } => self.dealings.held(*request).and_then(|held| {
                let bytes = held.bytes.as_ref().map(|bytes| Value::new(Kind::Cipher, &bytes[..]));
                bytes.or(held.value.clone())
            }),
            Leaked::Code { of } => {
                let code = totp(&self.footing.cast, of).code(self.footing.clock(now).seconds());
                Some(Value::new(Kind::Data, code.as_bytes()))
            }
            of_office => self.office.stolen(of_office),
        }
    }
}
