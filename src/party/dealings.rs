//! What a party wants of services beside its runs: what it looks up, what it asks for, and what
//! it does every so often. Must not know runs, nor what services make of it.

use std::sync::Arc;

use super::bureau::{CA_PROTOCOL, KMS_PROTOCOL};
use super::cast::Cast;
use super::clerk::{Clerk, PATIENCE, Undecided, Work};
use super::custody::{Custody, Held, Means};
use super::errand::{Errand, Errands, RequestSpec};
use super::footing::{Footing, Moment};
use super::{Effect, Effects};
use crate::journal::{QuestionId, Sight};
use crate::notation::{Func, Name, Service};
use crate::pki::Fetch;
use crate::time::{SimTime, Span};

/// What a party wants of services.
pub struct Dealings {
    clerk: Clerk,
    errands: Errands,
    custody: Custody,
    /// What is due at its timers, by their numbers.
    alarms: Vec<Alarm>,
}

/// What is due at a timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Alarm {
    /// To give up on answers that did not come.
    Lookup,
    /// To ask anew who is revoked.
    Poll(Span),
    /// To look at what the authority issued in its name.
    Watch(Span),
    /// To try a request again.
    Retry(u32),
}

impl Dealings {
    /// Those of somebody who wants nothing yet.
    pub fn new(cast: &Cast, me: &Name) -> Dealings {
        Dealings {
            clerk: Clerk::new(me.clone(), cast.keys.stream(&[me, "lookups"])),
            errands: Errands::default(),
            custody: Custody::new(cast.keys.stream(&[me, "key centre"])),
            alarms: Vec::new(),
        }
    }

    /// What is done every so often begins.
    pub fn begin(&mut self, moment: &mut Moment<'_>) {
        if let Fetch::Every(period) = moment.footing.trust.relying.policy().fetch {
            self.poll(period, moment);
        }
        if let Some(period) = moment.footing.character.watch_issuance {
            self.watch(period, moment);
        }
    }

    fn alarm(&mut self, at: SimTime, alarm: Alarm, effects: &mut Effects) {
        effects.all.push(Effect::Timer(at, self.alarms.len() as u64));
        self.alarms.push(alarm);
    }

    /// Nothing is done any more after the last thing that a scenario schedules.
    fn again(&mut self, period: Span, alarm: Alarm, moment: &mut Moment<'_>) {
        let next = moment.now.after(period);
        if next <= moment.footing.cast.horizon && period.0 > 0 {
            self.alarm(next, alarm, moment.effects);
        }
    }

    fn poll(&mut self, period: Span, moment: &mut Moment<'_>) {
        let trust = &moment.footing.trust;
        let wants = trust.relying.standing_wants();
        if !wants.is_empty() {
            self.clerk.ask(&wants, 0, trust, moment.now, moment.effects);
            self.alarm(moment.now.after(PATIENCE), Alarm::Lookup, moment.effects);
        }
        self.again(period, Alarm::Poll(period), moment);
    }

    fn watch(&mut self, period: Span, moment: &mut Moment<'_>) {
        let Footing { cast, character, .. } = &*moment.footing;
        self.errands.look(&character.name, cast, moment.effects);
        self.again(period, Alarm::Watch(period), moment);
    }

    /// Does what is due at a timer.
    pub fn timer(&mut self, number: u64, moment: &mut Moment<'_>) {
        let alarm = usize::try_from(number).ok().and_then(|number| self.alarms.get(number).copied());
        match alarm {
            Some(Alarm::Lookup) => self.clerk.expire(moment.now, moment.effects),
            Some(Alarm::Poll(period)) => self.poll(period, moment),
            Some(Alarm::Watch(period)) => self.watch(period, moment),
            Some(Alarm::Retry(request)) => {
                let Some(spec) = self.custody.spec(request).cloned() else { return };
                let cast = moment.footing.cast.clone();
                let means = means(&spec, &cast, moment);
                if let Some(message) = self.custody.again(request, &means, moment.effects) {
                    moment.effects.send(message);
                }
            }
            None => {}
        }
    }

    /// Asks a service for what a scenario schedules.
    pub fn ask(&mut self, spec: &Arc<RequestSpec>, moment: &mut Moment<'_>) {
        let Errand::Keys(_) = &spec.errand else {
            return self.errands.set_out(spec, &moment.footing.cast, &moment.footing.trust, moment.effects);
        };
        let cast = moment.footing.cast.clone();
        let means = means(spec, &cast, moment);
        if let Some(message) = self.custody.set_out(spec, &means, moment.effects) {
            moment.effects.send(message);
        }
    }

    /// Puts work off until what its party's trust wants is known.
    pub fn put_off(&mut self, work: Work, moment: &mut Moment<'_>) {
        let trust = &mut moment.footing.trust;
        let (wants, asked) = (std::mem::take(&mut trust.wants), std::mem::take(&mut trust.asked));
        let until = self.clerk.put_off(work, asked, wants, trust, moment.now, moment.effects);
        self.alarm(until, Alarm::Lookup, moment.effects);
    }

    /// Whether a word about a bundle is waited for under this number; then it is not any more.
    pub fn hears(&mut self, question: QuestionId) -> bool {
        self.clerk.hears(question)
    }

    /// The work that need not wait any more, in order.
    pub fn ready(&mut self) -> Vec<Undecided> {
        self.clerk.ready()
    }

    /// Takes a service's answer.
    ///
    /// # Errors
    /// Why nobody waits for it, in words.
    pub fn answer(&mut self, message: &Sight, moment: &mut Moment<'_>) -> Result<(), &'static str> {
        let clock = moment.clock();
        let Moment { footing, now, effects } = moment;
        let Footing { cast, trust, .. } = &mut **footing;
        match &*message.protocol {
            KMS_PROTOCOL => {
                if let Some(at) = self.custody.answer(message, cast, *now, effects)? {
                    self.alarm(at, Alarm::Retry(message.run), effects);
                }
                Ok(())
            }
            CA_PROTOCOL => self.errands.answer(message, cast, trust, effects),
            _ => self.clerk.answer(message, trust, clock, effects),
        }
    }

    /// The result of a request.
    pub fn held(&self, request: u32) -> Option<&Held> {
        self.custody.held(request)
    }

    /// A restart: no answer is waited for any more.
    pub fn forget(&mut self) {
        self.clerk.forget();
        self.errands.forget();
    }
}

fn means<'a>(spec: &RequestSpec, cast: &'a Cast, moment: &Moment<'_>) -> Means<'a> {
    let trust = &moment.footing.trust;
    let secret = |name: &Name| {
        let key = trust.ring.newest(&cast.keys, Func::K, name, Service::Kdc.name());
        Some((name.clone(), key))
    };
    let approver = match &spec.errand {
        Errand::Keys(plea) => plea.approved_by.as_ref().and_then(secret),
        _ => None,
    };
    Means { cast, clock: moment.clock(), secret: secret(&spec.by), code: None, approver }
}
