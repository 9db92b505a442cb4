//! What happens in a play at set times: who begins, who asks for what, what befalls whom, and what
//! the attacker is handed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::long_term;
use super::setup::Setup;
use super::setup::attacker::AttackerSpec;
use super::setup::event::{EventDeed, Stolen, ValueRef};
use super::setup::party::Party;
use crate::algebra::Value;
use crate::journal::{Journal, What};
use crate::notation::{Func, Id, Kind, Name, Service, Term, Type};
use crate::party::attacker::Plan;
use crate::party::{AttackerInput, Cast, Handed, Input, Intrusion, Order, RunSpec};
use crate::pki::Fetch;
use crate::time::SimTime;
use crate::world::Cue;

/// What a setup has happen, and to whom.
pub struct Timeline<'a> {
    /// The setup.
    pub setup: &'a Setup,
    /// Everybody's keys and names.
    pub cast: &'a Cast,
    /// The attacker, if she takes part.
    pub attacker: Option<&'a AttackerSpec>,
    /// In whose place somebody outside stands.
    pub outside: Option<&'a Name>,
}

impl Timeline<'_> {
    /// Everything, in no order.
    pub fn cues(&self) -> Vec<(SimTime, Cue)> {
        let (setup, attacker) = (self.setup, self.attacker);
        let mut timeline = Vec::new();
        let order = |party: &Name, order| Cue::Input(party.clone(), Input::Order(order));
        let busy =
            |party: &Party| party.watch_issuance.is_some() || matches!(party.trust.fetch, Fetch::Every(_));
        for (name, _) in setup.parties.iter().filter(|(_, party)| busy(party)) {
            timeline.push((SimTime::ZERO, Cue::Input(name.clone(), Input::Begin)));
        }
        if attacker.is_some() {
            timeline.extend(self.directory());
        }
        for (nth, event) in setup.events.iter().enumerate() {
            match &event.deed {
                EventDeed::Compromise { what, term } if attacker.is_some() => {
                    timeline.push((event.at, self.compromise(nth, what, term)));
                }
                EventDeed::Compromise { .. } => {}
                EventDeed::Leak { of, leak } if attacker.is_some() => {
                    let theft = Intrusion::Theft(leak.clone());
                    timeline.push((event.at, Cue::Intrusion(of.clone(), theft)));
                }
                EventDeed::Leak { .. } => {}
                EventDeed::Quantum => {
                    let cues = attacker.into_iter().flat_map(|her| self.quantum(&her.name));
                    timeline.extend(cues.map(|cue| (event.at, cue)));
                }
                EventDeed::PutBack if attacker.is_some() => {
                    let kdc = Service::Kdc.name().into();
                    timeline.push((event.at, Cue::Intrusion(kdc, Intrusion::PutBack)));
                }
                EventDeed::PutBack => {}
                EventDeed::Clock { party, offset } => {
                    timeline.push((event.at, order(party, Order::Clock(*offset))));
                }
                EventDeed::Restart { party } => {
                    timeline.push((event.at, order(party, Order::Restart)));
                }
                EventDeed::Revoke { subject, reason, by } => {
                    for party in by {
                        let revoke = Order::Revoke { subject: subject.clone(), reason: *reason };
                        timeline.push((event.at, order(party, revoke)));
                    }
                }
                EventDeed::Rotate { key, keep } => {
                    for party in setup.holders(key) {
                        let rotate = Order::Rotate { key: key.clone(), keep: *keep };
                        timeline.push((event.at, order(&party, rotate)));
                    }
                }
            }
        }
        for request in &setup.requests {
            let cue = match attacker.is_some_and(|attacker| attacker.name == request.by) {
                true => Cue::Attacker(AttackerInput::Request(request.clone())),
                false => Cue::Input(request.by.clone(), Input::Request(request.clone())),
            };
            timeline.push((request.at, cue));
        }
        for run in self.cast.runs.values() {
            let Some(spoken) = self.cast.protocols.get(&run.protocol) else { continue };
            for name in spoken.protocol.starters().filter_map(|(role, _)| run.names.get(role)) {
                // Whoever stands outside begins when it likes.
                let is_outside = self.outside == Some(name);
                if !is_outside && attacker.is_none_or(|a| a.name != *name) {
                    timeline.push((run.at, Cue::Input(name.clone(), Input::Start(run.clone()))));
                }
            }
        }
        timeline.extend(self.her_runs());
        timeline
    }

    /// An attacker who plays an initiator starts a run of her own for each of its later ones.
    fn her_runs(&self) -> Vec<(SimTime, Cue)> {
        let Some(AttackerSpec { plan: Plan::Impersonate(who), from, .. }) = self.attacker else {
            return Vec::new();
        };
        let starts = |run: &&Arc<RunSpec>| {
            let role = self.cast.protocols.get(&run.protocol).map(|s| s.protocol.initiator());
            role.and_then(|r| run.names.get(r)) == Some(who) && run.at >= *from
        };
        let first = self.cast.runs.keys().max().copied().unwrap_or(0) + 1;
        let hers = self.cast.runs.values().filter(starts).zip(first..);
        hers.map(|(run, number)| {
            let run = Arc::new(RunSpec { number, ..(**run).clone() });
            (run.at, Cue::Attacker(AttackerInput::Start(run)))
        })
        .collect()
    }

    /// The attacker reads the shares and keys that are public, too, before anything happens.
    fn directory(&self) -> impl Iterator<Item = (SimTime, Cue)> {
        let (keys, ring, suite) = (self.cast.keys.clone(), self.setup.ring(), self.setup.suite);
        self.setup.public_shares().into_iter().filter_map(move |(term, owner)| {
            let [secret] = &term.names()[..] else { return None };
            let secret = |of: Type| keys.long_term(ring.owner(&owner), secret, of);
            let value = match &term {
                Term::Exp(_) => Value::new(Kind::Share, suite.agreement.share(&secret(Type::Dh).bytes).ok()?),
                _ => {
                    let key = suite.kem.encapsulation_key(&secret(Type::Kem).bytes).ok()?;
                    Value::new(Kind::Encapsulation, key)
                }
            };
            let what = What::Equipped { term: format!("{term} of {owner}"), value: value.clone() };
            Some((
                SimTime::ZERO,
                Cue::Ask(Box::new(move |_| (what, Some(Handed { term, value, run: None })))),
            ))
        })
    }

    fn compromise(&self, nth: usize, what: &Stolen, term: &Term) -> Cue {
        let (setup, term) = (self.setup, term.clone());
        match what.clone() {
            Stolen::LongTerm(key) => {
                let value =
                    long_term::versions(setup, self.cast, &key, &setup.ring_at(nth)).into_iter().next();
                let (keys, uses) = (self.cast.keys.clone(), long_term::all_uses(setup));
                let shown = key.to_string();
                Cue::Ask(Box::new(move |journal| {
                    let value = long_term::renewed(journal, &key)
                        .map(|(owner, nth)| keys.renewed(&owner, nth, uses).to_value())
                        .or(value);
                    let what = What::Compromised { term: shown, run: None, value: value.clone() };
                    (what, value.map(|value| Handed { term, value, run: None }))
                }))
            }
            Stolen::OfRun(of) => {
                let named = setup.protocols.iter().filter_map(|(file, _)| {
                    let id = file.protocol.named(&of.name)?;
                    Some((Name::from(file.protocol.name.as_str()), id))
                });
                let named: BTreeMap<Name, Id> = named.collect();
                Cue::Ask(Box::new(move |journal| {
                    let value = held_in(journal, &of, &named);
                    let what =
                        What::Compromised { term: of.to_string(), run: Some(of.run), value: value.clone() };
                    (what, value.map(|value| Handed { term, value, run: Some(of.run) }))
                }))
            }
        }
    }

    /// She has a quantum computer, and with it the private keys of everybody's public ones that fall.
    fn quantum(&self, her: &Name) -> Vec<Cue> {
        let by = her.clone();
        let mut cues = vec![Cue::Ask(Box::new(move |_| (What::Quantum { by }, None)))];
        for owner in self.cast.registered.names().filter(|name| *name != her) {
            let (keys, uses, owner) =
                (self.cast.keys.clone(), long_term::all_uses(self.setup), owner.clone());
            let term = Term::of(Func::Sk, &[&owner]);
            if keys.private(&owner, uses).falls_to_quantum().is_none() {
                continue;
            }
            cues.push(Cue::Ask(Box::new(move |journal| {
                let private = match long_term::renewed(journal, &term) {
                    Some((owner, nth)) => keys.renewed(&owner, nth, uses),
                    None => keys.private(&owner, uses),
                };
                let value = private.falls_to_quantum().unwrap_or_default().to_value();
                let from = Box::new(vec![private.public().to_value()]);
                let (told, how) = (term.to_string().into(), "a quantum computer's work on".into());
                let what = What::Recovered { term: told, how, from, value: value.clone() };
                (what, Some(Handed { term, value, run: None }))
            })));
        }
        cues
    }
}

/// The value that a run's parties have for a name by now, which stands for these terms: the
/// first of them, or the one named.
fn held_in(journal: &Journal, of: &ValueRef, named: &BTreeMap<Name, Id>) -> Option<Value> {
    journal.events().iter().find_map(|e| match &e.what {
        What::Concluded { session, id, value, .. }
            if session.run == of.run
                && named.get(&session.protocol) == Some(id)
                && of.party.as_ref().is_none_or(|p| *p == session.party) =>
        {
            Some(value.clone())
        }
        _ => None,
    })
}
