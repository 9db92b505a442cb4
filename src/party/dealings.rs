//! A party's dealings with services beside its runs: what it looks up, what it asks for, what
//! it does every so often, and what it is told. Must not know protocols.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bureau::{CA_PROTOCOL, KMS_PROTOCOL, OCSP_PROTOCOL};
use super::cast::{Cast, RunSpec};
use super::clerk::Work;
use super::custody::{Means, totp};
use super::errand::{Errand, RequestSpec};
use super::principal::{Office, Principal};
use super::session::{Reading, Session};
use super::{Effect, Effects, Leak, Leaked};
use crate::journal::{Sight, What};
use crate::knowledge::Value;
use crate::notation::{Func, Kind, Name, Service};
use crate::pki::{Fetch, Judgement, Want};
use crate::time::{SimTime, Span, UnixNanos};

/// What is due at a timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alarm {
    /// To give up on answers that did not come.
    Lookup,
    /// To ask anew who is revoked.
    Poll(Span),
    /// To look at what the authority issued in its name.
    Watch(Span),
    /// To try a request again.
    Retry(u32),
}

impl Principal {
    /// The reading of its clock.
    pub(super) fn clock(&self, now: SimTime) -> UnixNanos {
        self.cast.clock(now, self.clock_offset)
    }

    /// What it does every so often begins.
    pub(super) fn begin(&mut self, now: SimTime, effects: &mut Effects) {
        if let Fetch::Every(period) = self.trust.relying.policy().fetch {
            self.poll(period, now, effects);
        }
        if let Some(period) = self.character.watch_issuance {
            self.watch(period, now, effects);
        }
    }

    fn alarm(&mut self, at: SimTime, alarm: Alarm, effects: &mut Effects) {
        effects.all.push(Effect::Timer(at, self.alarms.len() as u64));
        self.alarms.push(alarm);
    }

    /// Nothing is done any more after the last thing that a scenario schedules.
    fn again(&mut self, period: Span, alarm: Alarm, now: SimTime, effects: &mut Effects) {
        let next = now.after(period);
        if next <= self.cast.horizon && period.0 > 0 {
            self.alarm(next, alarm, effects);
        }
    }

    fn poll(&mut self, period: Span, now: SimTime, effects: &mut Effects) {
        let wants = self.trust.relying.standing_wants();
        if !wants.is_empty() {
            self.clerk.ask(&wants, 0, &self.trust, now, effects);
            self.alarm(now.after(super::clerk::PATIENCE), Alarm::Lookup, effects);
        }
        self.again(period, Alarm::Poll(period), now, effects);
    }

    fn watch(&mut self, period: Span, now: SimTime, effects: &mut Effects) {
        self.errands.look(&self.character.name, &self.cast, effects);
        self.again(period, Alarm::Watch(period), now, effects);
    }

    pub(super) fn timer(&mut self, number: u64, now: SimTime, effects: &mut Effects) {
        let alarm = usize::try_from(number).ok().and_then(|number| self.alarms.get(number).copied());
        match alarm {
            Some(Alarm::Lookup) => {
                self.clerk.expire(now, effects);
                self.decide(now, effects);
            }
            Some(Alarm::Poll(period)) => self.poll(period, now, effects),
            Some(Alarm::Watch(period)) => self.watch(period, now, effects),
            Some(Alarm::Retry(number)) => {
                let Some(spec) = self.custody.spec(number).cloned() else { return };
                let cast = self.cast.clone();
                let means = self.means(&spec, &cast, now);
                if let Some(message) = self.custody.again(number, &means, effects) {
                    effects.all.push(Effect::Send(Arc::new(message)));
                }
            }
            None => {}
        }
    }

    /// Asks a service for what a scenario schedules.
    pub(super) fn ask(&mut self, spec: &Arc<RequestSpec>, now: SimTime, effects: &mut Effects) {
        let Errand::Keys(_) = &spec.errand else {
            return self.errands.set_out(spec, &self.cast, &self.trust, effects);
        };
        let cast = self.cast.clone();
        let means = self.means(spec, &cast, now);
        if let Some(message) = self.custody.set_out(spec, &means, effects) {
            effects.all.push(Effect::Send(Arc::new(message)));
        }
    }

    fn means<'a>(&self, spec: &RequestSpec, cast: &'a Cast, now: SimTime) -> Means<'a> {
        let secret = |name: &Name| {
            let key = self.trust.ring.newest(&cast.keys, Func::K, name, Service::Kdc.name());
            Some((name.clone(), key))
        };
        let approver = match &spec.errand {
            Errand::Keys(plea) => plea.approved_by.as_ref().and_then(secret),
            _ => None,
        };
        Means { cast, clock: self.clock(now), secret: secret(&spec.by), code: None, approver }
    }

    /// Somebody puts the key centre's disk back as it was copied last.
    pub(super) fn put_back(&mut self, effects: &mut Effects) {
        if let Office::Kdc { keeper: Some(keeper), .. } = &mut self.office
            && keeper.put_back()
        {
            effects.note(What::PutBack { at: self.character.name.clone() });
        }
    }

    /// Hands something of its own to the attacker.
    pub(super) fn leak(&mut self, leak: Leak, now: SimTime, effects: &mut Effects) {
        let clock = self.clock(now);
        let value = match (&leak.what, &mut self.office) {
            (Leaked::Key { name, version }, Office::Kdc { keeper: Some(keeper), .. }) => {
                keeper.secret(name, Some(*version))
            }
            (Leaked::Vault, Office::Kdc { keeper: Some(keeper), .. }) => {
                keeper.copy().map(|copy| Value::new(Kind::Data, copy))
            }
            (Leaked::Share { custodian }, Office::Kdc { keeper: Some(keeper), .. }) => {
                keeper.share_of(*custodian)
            }
            (Leaked::Result { request, .. }, _) => self.custody.held(*request).and_then(|held| {
                let bytes = held.bytes.as_ref().map(|bytes| Value::new(Kind::Cipher, &bytes[..]));
                bytes.or(held.value.clone())
            }),
            (Leaked::Code { of }, _) => {
                let code = totp(&self.cast, of).code(clock.seconds());
                Some(Value::new(Kind::Data, code.as_bytes()))
            }
            _ => None,
        };
        // What a request gave and the ciphertext that its asker keeps of it are two values.
        let what = match (&leak.what, &value) {
            (Leaked::Result { .. }, Some(Value { kind: Kind::Cipher, .. })) => {
                format!("the ciphertext of {}", leak.what)
            }
            _ => leak.what.to_string(),
        };
        effects.all.push(Effect::Leak { what, term: leak.term, value });
    }

    /// Starts a run, once its certificates have what goes with them.
    pub(super) fn set_out(
        &mut self,
        run: Arc<RunSpec>,
        asked: BTreeSet<Want>,
        now: SimTime,
        effects: &mut Effects,
    ) {
        self.trust.asked = asked;
        match self.character.staples && self.want_staples(now) == Reading::Postponed {
            true => self.put_off(Work::Start(run), now, effects),
            false => self.start(&run, now, effects),
        }
    }

    /// Whether it must first ask for responses to go with its certificates.
    pub(super) fn want_staples(&mut self, now: SimTime) -> Reading {
        let clock = self.clock(now);
        let wants = self.clerk.wants_staples(&mut self.trust, clock);
        self.trust.wants = wants.difference(&self.trust.asked).cloned().collect();
        if self.trust.wants.is_empty() { Reading::Done } else { Reading::Postponed }
    }

    /// Puts work off until what its trust wants is known.
    pub(super) fn put_off(&mut self, work: Work, now: SimTime, effects: &mut Effects) {
        let wants = std::mem::take(&mut self.trust.wants);
        let asked = std::mem::take(&mut self.trust.asked);
        let until = self.clerk.put_off(work, asked, wants, &self.trust, now, effects);
        self.alarm(until, Alarm::Lookup, effects);
    }

    /// Does what was put off and need not wait any more.
    fn decide(&mut self, now: SimTime, effects: &mut Effects) {
        for undecided in self.clerk.ready() {
            match undecided.work {
                Work::Message(message, role) => self.read(message, role, undecided.asked, now, effects),
                Work::Start(run) => self.set_out(run, undecided.asked, now, effects),
            }
        }
    }

    /// Before a live session reads on: is it too old, and do its peers' certificates stand?
    pub(super) fn look_after(
        &mut self,
        session: &mut Session,
        now: SimTime,
        effects: &mut Effects,
    ) -> Reading {
        if self.character.session_max_age.is_some_and(|most| session.age(now) > most) {
            session.terminate(effects);
            return Reading::Done;
        }
        let is_due = self.character.recheck.is_some_and(|every| session.unchecked_for(now) >= every);
        if is_due && !session.accepted().is_empty() {
            let clock = self.clock(now);
            for (bundle, subject) in session.accepted().to_vec() {
                match self.trust.relying.judge(&bundle, Some(&subject), clock, &self.trust.asked) {
                    Judgement::Good(_) => {}
                    Judgement::Refused(_) => {
                        session.terminate(effects);
                        return Reading::Done;
                    }
                    Judgement::Wants(wants) => {
                        self.trust.wants = wants;
                        return Reading::Postponed;
                    }
                }
            }
            session.note_checked(now);
        }
        Reading::Done
    }

    /// A message to or from a service.
    pub(super) fn service_message(&mut self, message: &Sight, now: SimTime, effects: &mut Effects) {
        let clock = self.clock(now);
        let heeded = match (&mut self.office, &*message.protocol, message.line) {
            (Office::Ca(Some(bureau)), _, 1) => bureau.answer(message, &self.cast, (now, clock), effects),
            (Office::Kdc { keeper: Some(keeper), .. }, KMS_PROTOCOL, 1) => {
                keeper.answer(message, (&self.cast, &self.trust.ring), clock, effects)
            }
            (_, KMS_PROTOCOL, 2) => match self.custody.answer(message, &self.cast, now, effects) {
                Ok(None) => Ok(()),
                Ok(Some(at)) => {
                    self.alarm(at, Alarm::Retry(message.run), effects);
                    Ok(())
                }
                Err(why) => Err(why),
            },
            (_, CA_PROTOCOL, 2) => {
                let heeded = self.errands.answer(message, &self.cast, &mut self.trust, effects);
                // A new certificate needs a response of its own.
                self.clerk.forget_staples();
                heeded
            }
            (_, _, 2) => {
                let heeded = self.clerk.answer(message, &mut self.trust, clock, effects);
                self.decide(now, effects);
                heeded
            }
            (_, OCSP_PROTOCOL, 3) => self.notice(message, clock, effects),
            _ => Err("it did not ask"),
        };
        if let Err(why) = heeded {
            self.ignore(message, why, effects);
        }
    }

    /// The authority says of itself that a certificate is revoked: sessions with its subject
    /// end.
    fn notice(
        &mut self,
        message: &Sight,
        clock: UnixNanos,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        let (outcome, refusal) = match self.trust.relying.accept_notice(&message.bytes, clock) {
            Ok(_) => ("told of a revocation".to_owned(), None),
            Err(reason) => (format!("refused: {reason}"), Some(reason)),
        };
        effects.note(What::Fetched { by: self.character.name.clone(), outcome, refusal });
        let mut relying = self.trust.relying.clone();
        for session in self.running() {
            let revoked =
                session.accepted().iter().any(|(bundle, _)| relying.is_known_revoked(bundle, clock));
            if revoked {
                session.terminate(effects);
            }
        }
        Ok(())
    }
}
