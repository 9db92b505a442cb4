//! Rules: the first that matches a message says what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Change;
use super::extension::Extension;
use super::format::Format;
use super::hand::{Address, Hand};
use super::low_order::confined;
use super::meddling::Meddling;
use super::narration::notebook;
use super::records::Records;
use super::tactics::flip_a_bit;
use super::{Desk, Profile};
use crate::algebra::Value;
use crate::crypto::Rng;
use crate::journal::{Sight, What};
use crate::notation::attack::Deed;
use crate::notation::{Attack, Name, Term};
use crate::party::{AttackerEffect, Cast, SERVICE_PROTOCOLS};
use crate::time::{SimTime, Span};

/// Which messages a rule is for; what is not set matches all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Match {
    /// The sender that the message claims.
    pub from: Option<Name>,
    /// The receiver.
    pub to: Option<Name>,
    /// The protocol.
    pub protocol: Option<Name>,
    /// The protocol's line.
    pub line: Option<u32>,
    /// The run.
    pub run: Option<u32>,
    /// Not before this time.
    pub after: Option<SimTime>,
    /// Not at or after this time.
    pub before: Option<SimTime>,
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum Action {
    /// It goes on.
    Pass,
    /// It is gone.
    Drop,
    /// It goes on, so much later.
    Delay(Span),
    /// It is kept until a rule releases it, or until a time.
    Hold(Option<SimTime>),
    /// It goes on, and what is kept goes with it.
    Release,
    /// It goes on twice.
    Duplicate,
    /// It goes on, and again so much later in a run of the attacker's.
    Replay(Span),
    /// It goes to another party.
    Redirect(Name),
    /// A bit of it is changed.
    Tamper,
    /// Bytes of it are changed by a mask of hers.
    Change(Change),
    /// More text goes behind it, with the hash that it then has.
    Extend(Extension),
    /// Each share in it becomes this one of small order, counted from 0.
    Confine(usize),
    /// The one line of this attack goes in its place.
    Replace(Arc<Attack>),
    /// It goes on, and the one line of this attack too.
    Inject(Arc<Attack>),
    /// In its place goes what she does to an authority's answers.
    Meddle(Meddling),
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which messages it is for.
    pub matches: Match,
    /// What becomes of them.
    pub action: Action,
}

pub(super) fn is_service(protocol: &str) -> bool {
    SERVICE_PROTOCOLS.contains(&protocol)
}

impl Match {
    fn fits(&self, message: &Sight, now: SimTime) -> bool {
        let is = |want: &Option<Name>, have: &Name| want.as_ref().is_none_or(|w| w == have);
        is(&self.from, &message.from)
            && is(&self.to, &message.to)
            && is(&self.protocol, &message.protocol)
            && self.line.is_none_or(|l| l == message.line)
            && self.run.is_none_or(|r| r == message.run)
            && self.after.is_none_or(|t| now >= t)
            && self.before.is_none_or(|t| now < t)
    }
}

pub struct Ruler {
    rules: Vec<Rule>,
    /// What services answered, when, for those who roll back to it.
    answers: Vec<(SimTime, Sight)>,
    hands: Vec<Option<(Hand, Vec<Arc<Format>>)>>,
    /// By rule: the line that she could not make when it was due, and what she lacked.
    stopped: BTreeMap<usize, (String, String)>,
    /// What rules that tag anew need.
    records: Records,
    kept: Vec<Sight>,
    later: Vec<Sight>,
    next_run: u32,
    rng: Rng,
}

impl Ruler {
    pub fn new(cast: &Arc<Cast>, profile: &Profile) -> Ruler {
        let rules = &profile.rules;
        let hand = |(nth, rule): (usize, &Rule)| match &rule.action {
            Action::Replace(attack) | Action::Inject(attack) => {
                Some(notebook(cast, profile, attack, &format!("rule {nth}")))
            }
            _ => None,
        };
        Ruler {
            answers: Vec::new(),
            stopped: BTreeMap::new(),
            hands: rules.iter().enumerate().map(hand).collect(),
            rules: rules.to_vec(),
            records: Records::default(),
            kept: Vec::new(),
            later: Vec::new(),
            next_run: cast.runs.keys().max().copied().unwrap_or(0) + 1,
            rng: cast.keys.stream(&[&profile.character.name, "rules"]),
        }
    }

    fn make(
        &mut self,
        nth: usize,
        attack: &Attack,
        like: &Sight,
        as_run: Option<u32>,
        desk: &mut Desk<'_>,
    ) -> Option<Sight> {
        let (line, (hand, formats)) = (attack.lines.first()?, self.hands[nth].as_mut()?);
        let (Deed::Send { from, to }, format) = (&line.deed, formats.first()?) else { return None };
        let (from, to) = if as_run.is_some() { (&like.from, &like.to) } else { (from, to) };
        let at =
            Address { run: as_run.unwrap_or(line.run), line: line.step, protocol: &line.protocol, from, to };
        let made = match hand.can_build(&line.parts, format) {
            true => hand.write(&at, &line.parts, format, desk).map_err(|reason| reason.to_string()),
            false => Err(format!("she never had {}", hand.missing(&line.parts))),
        };
        let made =
            made.map_err(|lacked| self.stopped.entry(nth).or_insert((line.text.clone(), lacked))).ok()?;
        // What goes in a message's place goes on its connection.
        let question = as_run.and(like.question);
        Some(Sight { question, ..made })
    }

    fn later(&mut self, message: Sight, at: SimTime, desk: &mut Desk<'_>) {
        self.later.push(message);
        desk.effects.all.push(AttackerEffect::Timer(at, RULED | (self.later.len() as u64 - 1)));
    }
}

/// Marks timers of rules.
pub(super) const RULED: u64 = 1 << 62;

impl Ruler {
    /// Keeps what a service answered, and ciphertexts where a rule tags anew: they may be of use
    /// later.
    pub fn keep(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let now = desk.now;
        if self.tags_anew() {
            self.records.keep(message, desk);
        }
        let rolls_back = |rule: &Rule| matches!(rule.action, Action::Meddle(Meddling::RollBack(_)));
        if message.line == 2 && is_service(&message.protocol) && self.rules.iter().any(rolls_back) {
            self.answers.push((now, message.clone()));
        }
    }

    fn tags_anew(&self) -> bool {
        self.rules.iter().any(|rule| matches!(&rule.action, Action::Change(change) if change.tags_anew))
    }

    /// Does what the first rule that fits says; if none does, gives the message back.
    pub fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) -> Option<Sight> {
        let found = self.rules.iter().position(|r| r.matches.fits(&message, desk.now));
        let Some(nth) = found else { return Some(message) };
        match self.rules[nth].action.clone() {
            Action::Meddle(meddling) => match meddling.answer(&message, &self.answers, desk) {
                Some(answer) => {
                    desk.take(&message);
                    desk.inject(answer, Some(message.id));
                }
                None => desk.pass(message),
            },
            Action::Pass => desk.pass(message),
            Action::Drop => desk.take(&message),
            Action::Delay(by) => desk.pass_later(message, by),
            Action::Hold(Some(until)) => {
                let by = until.since(desk.now);
                desk.pass_later(message, by);
            }
            Action::Hold(None) => {
                desk.take(&message);
                self.kept.push(message);
            }
            Action::Release => {
                desk.pass(message);
                for kept in std::mem::take(&mut self.kept) {
                    desk.pass(kept);
                }
            }
            Action::Duplicate => {
                desk.effects.note(What::Duplicated { id: message.id });
                desk.pass(message.clone());
                desk.inject(message, None);
            }
            Action::Replay(after) => {
                let mut again = message.clone();
                again.run = self.next_run;
                self.next_run += 1;
                desk.pass(message);
                self.later(again, desk.now.after(after), desk);
            }
            Action::Redirect(to) => {
                desk.take(&message);
                let id = message.id;
                desk.inject(Sight { to, ..message }, Some(id));
            }
            Action::Tamper => {
                desk.take(&message);
                let changed = flip_a_bit(&message, &mut self.rng, desk);
                desk.inject(changed, Some(message.id));
            }
            Action::Change(change) => match change.carry_out(&message, &self.records) {
                Ok((changed, recovered)) => {
                    recovered.into_iter().for_each(|what| desk.effects.note(what));
                    desk.take(&message);
                    desk.inject(changed, Some(message.id));
                }
                Err(lacked) => {
                    self.stopped.entry(nth).or_insert((change.to_string(), lacked));
                    desk.pass(message);
                }
            },
            Action::Extend(extension) => match extension.carry_out(&message) {
                Ok(own) => {
                    desk.take(&message);
                    desk.inject(own, Some(message.id));
                }
                Err(lacked) => {
                    self.stopped.entry(nth).or_insert((extension.to_string(), lacked));
                    desk.pass(message);
                }
            },
            Action::Confine(low) => match confined(&message, low) {
                Ok(own) => {
                    desk.take(&message);
                    desk.inject(own, Some(message.id));
                }
                Err(lacked) => {
                    self.stopped.entry(nth).or_insert(("low-order".to_owned(), lacked));
                    desk.pass(message);
                }
            },
            Action::Replace(attack) => match self.make(nth, &attack, &message, Some(message.run), desk) {
                Some(own) => {
                    desk.take(&message);
                    desk.inject(own, Some(message.id));
                }
                None => desk.pass(message),
            },
            Action::Inject(attack) => {
                let own = self.make(nth, &attack, &message, None, desk);
                desk.pass(message);
                if let Some(own) = own {
                    desk.inject(own, None);
                }
            }
        }
        None
    }

    /// She knows this text, which is of this run if it is of one.
    pub fn know(&mut self, text: &Value, run: Option<u32>, desk: &mut Desk<'_>) {
        if let Some(run) = run.filter(|_| self.tags_anew()) {
            self.records.know(text, run, desk);
        }
    }

    pub fn handed(&mut self, term: &Term, value: &Value, desk: &mut Desk<'_>) {
        for (hand, _) in self.hands.iter_mut().flatten() {
            if let Some(id) = hand.knowledge.table().find(term) {
                hand.knowledge.set(id, value.clone());
                hand.look_again(desk);
            }
        }
    }

    /// Says which lines she could not make when they were due, and why.
    pub fn end(&mut self, desk: &mut Desk<'_>) {
        for (line, lacked) in std::mem::take(&mut self.stopped).into_values() {
            desk.effects.note(What::AttackStopped { line, lacked });
        }
    }

    pub fn timer(&mut self, number: u64, desk: &mut Desk<'_>) {
        if let Some(message) = usize::try_from(number & !RULED).ok().and_then(|n| self.later.get(n)) {
            desk.inject(message.clone(), None);
        }
    }
}
