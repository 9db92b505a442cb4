//! Judges goals, each from the view of each party (docs/NOTATION.md, Goals). Must not know how
//! they are shown.

use std::collections::{BTreeMap, BTreeSet};

use super::deduce::{Holdings, Undecided};
use super::evidence::{Finding, Lack, Part, Step, interference, unchecked};
use super::judgement::{GoalId, GoalVerdict, Judgement, Rebuff, Untested};
use super::outcome::{Outcome, SessionOutcome, Sessions};
use super::traffic::Traffic;
use crate::algebra::{Bytes, Value};
use crate::journal::{Event, Journal, Refusal, Sight, What};
use crate::knowledge::Ring;
use crate::notation::{Claim, Goal, Id, Kind, Name, Program, Protocol, Term};

/// What a judgement is made from.
pub struct Bench<'a> {
    /// The protocol whose goals are judged.
    pub protocol: &'a Protocol,
    /// What happened.
    pub journal: &'a Journal,
    /// The messages of it.
    pub traffic: &'a Traffic<'a>,
    /// What sessions came to.
    pub sessions: &'a Sessions,
    /// Which hosts work under another's keys: they are that service.
    pub ring: &'a Ring,
    /// The attacker's name, if anybody attacked.
    pub attacker: Option<&'a Name>,
    /// What she holds.
    pub holdings: &'a Holdings,
    /// What she holds when all long-term keys leak too; made when a goal asks for it.
    pub after_leak: &'a dyn Fn() -> Result<Holdings, Undecided>,
}

/// Judges every goal of a protocol.
///
/// # Errors
/// What the attacker can compute could not be decided.
pub fn judge(bench: &Bench<'_>) -> Result<Vec<GoalVerdict>, Undecided> {
    let protocol = bench.protocol;
    let verdict = |(nth, goal): (usize, &Goal)| {
        Ok(GoalVerdict {
            id: GoalId { protocol: protocol.name.as_str().into(), nth },
            goal: goal.text.clone(),
            claim: goal.claim.clone(),
            judgement: bench.goal(goal)?,
        })
    };
    protocol.goals.iter().enumerate().map(verdict).collect()
}

/// Who claims to have agreed with whom, on what.
type Claimed<'a> = (&'a str, &'a str, Vec<Value>);

/// So many parts of a supposed partner are told.
const PARTS_TOLD: usize = 20;

/// How far the parts of which a goal speaks got.
#[derive(Default)]
struct Trial {
    completed: usize,
    refused: Vec<Rebuff>,
    refused_untouched: usize,
    waiting: usize,
}

impl Trial {
    fn judgement(self) -> Judgement {
        let Trial { completed, refused, refused_untouched, waiting } = self;
        match completed > 0 || !refused.is_empty() {
            true => Judgement::Holds { completed, refused },
            false => Judgement::Untested(Untested::NoPartGotSoFar { refused: refused_untouched, waiting }),
        }
    }
}

impl<'a> Bench<'a> {
    fn goal(&self, goal: &Goal) -> Result<Judgement, Undecided> {
        Ok(match &goal.claim {
            Claim::Secret { .. } if self.attacker.is_none() => Judgement::Untested(Untested::NobodyAttacked),
            Claim::Secret { term, between, forward: false } => self.secret(goal, term, between, None),
            Claim::Secret { term, between, forward: true } => {
                let leaked = (self.after_leak)()?;
                self.secret(goal, term, between, Some(&leaked))
            }
            Claim::Agreement { who, with, on, injective } => {
                let on: Option<Vec<Id>> = on.iter().map(|term| self.protocol.table.find(term)).collect();
                match on {
                    Some(on) => self.agreement(goal, (who, with), &on, *injective),
                    None => Trial::default().judgement(),
                }
            }
        })
    }

    fn parts(&self) -> impl Iterator<Item = &'a SessionOutcome> + use<'a> {
        let (sessions, protocol) = (self.sessions, self.protocol);
        sessions.0.iter().filter(move |s| *s.id.protocol == *protocol.name)
    }

    /// The name under whose keys a party works.
    fn owner<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        let ring: &'a Ring = self.ring;
        ring.owner(name)
    }

    /// Whether a part takes somebody honest for a role. Somebody of whom it has not heard is not
    /// dishonest, unless the message that it refused came from the attacker in her own name.
    fn takes_honest(&self, session: &SessionOutcome, role: &Name) -> bool {
        let claimed = || {
            let message = self.refused(session)?;
            (self.protocol.sender_of(message.line) == role).then_some(&*message.from)
        };
        let taken = session.peer(role).or_else(claimed);
        taken.is_none_or(|name| self.attacker.is_none_or(|her| **her != *name))
    }

    /// The message that a part refused.
    fn refused(&self, session: &SessionOutcome) -> Option<&'a Sight> {
        match session.outcome {
            Outcome::Refused { message, .. } => self.traffic.message(message?),
            Outcome::Completed | Outcome::Waits { .. } => None,
        }
    }

    /// Counts how far a part got.
    fn count(&self, session: &SessionOutcome, trial: &mut Trial) {
        match &session.outcome {
            Outcome::Completed => trial.completed += 1,
            Outcome::Waits { .. } => trial.waiting += 1,
            Outcome::Refused { refusal, message } => match message.and_then(|id| self.traffic.touched(id)) {
                Some(_) => trial.refused.push(rebuff(session, *refusal)),
                None => trial.refused_untouched += 1,
            },
        }
    }

    fn secret(&self, goal: &Goal, term: &Term, between: &[Name], leaked: Option<&Holdings>) -> Judgement {
        let mut trial = Trial::default();
        let Some(id) = self.protocol.table.find(term) else { return trial.judgement() };
        let roles: Vec<&Name> = match between {
            [] => self.protocol.roles_with(id).collect(),
            some => some.iter().collect(),
        };
        let handed = self.handed_over();
        for session in self.parts() {
            let Some(value) = session.value(id) else { continue };
            if handed.contains(&(session.id.run, &value.bytes))
                || !roles.iter().all(|role| self.takes_honest(session, role))
            {
                continue;
            }
            self.count(session, &mut trial);
            // What it has from others it vouches for only once it is done with its checks.
            if !session.completed() && !self.protocol.is_own(id, &session.id.role) {
                continue;
            }
            let holdings = leaked.unwrap_or(self.holdings);
            let Some(derivation) = holdings.derive(self.journal, value) else { continue };
            let finding = Finding::Held {
                term: goal.written.first().map(ToString::to_string).unwrap_or_default(),
                fingerprint: value.fingerprint(),
                text: value.text().filter(|_| value.kind == Kind::Data).map(str::to_owned),
                after_leak: leaked.is_some(),
                part: Part::of(session),
            };
            let mut steps = self.way_to(session);
            let derived = derivation.steps.into_iter();
            steps.extend(derived.map(|step| Step::Derived { text: step.text, since: step.since }));
            return Judgement::Violated { finding, steps };
        }
        trial.judgement()
    }

    /// What she did to a part's messages, and what the part did not check.
    fn way_to(&self, session: &SessionOutcome) -> Vec<Step> {
        let her = self.attacker.map_or("", |her| her);
        let mut steps = interference(self.traffic, session);
        steps.extend(unchecked(self.journal, &self.programs(session), session, her));
        steps
    }

    /// The values of runs that events handed over.
    fn handed_over(&self) -> BTreeSet<(u32, &'a Bytes)> {
        let handed = |e: &'a Event| match &e.what {
            What::Compromised { run: Some(run), value: Some(value), .. } => Some((*run, &value.bytes)),
            _ => None,
        };
        self.journal.events().iter().filter_map(handed).collect()
    }

    fn agreement(&self, goal: &Goal, (who, with): (&Name, &Name), on: &[Id], injective: bool) -> Judgement {
        let mut trial = Trial::default();
        let mut claims: BTreeMap<Claimed<'_>, Vec<&SessionOutcome>> = BTreeMap::new();
        for session in self.parts().filter(|s| s.id.role == *who && self.takes_honest(s, with)) {
            let values = on.iter().map(|id| session.value(*id).cloned()).collect::<Option<Vec<_>>>();
            match (session.completed(), session.peer(with), values) {
                (true, Some(peer), Some(values)) => {
                    self.count(session, &mut trial);
                    let claim = (self.owner(&session.id.party), self.owner(peer), values);
                    claims.entry(claim).or_default().push(session);
                }
                // It says nothing of a peer, or of values, that it never had.
                (true, ..) => {}
                (false, ..) => {
                    if on.iter().all(|id| self.may_have(session, *id)) {
                        self.count(session, &mut trial);
                    }
                }
            }
        }
        let partners = self.partners((who, with), on);
        let lacking = claims.into_iter().filter_map(|(claim, runs)| {
            let partners = partners.get(&claim).map_or(&[][..], Vec::as_slice);
            unmatched(runs, partners, injective)
        });
        match lacking.min_by_key(|(runs, _)| runs.last().map(|session| session.ended)) {
            Some((runs, lack)) => self.no_partner(goal, &runs, lack, with, on),
            None => trial.judgement(),
        }
    }

    /// Whether a part that did not complete has a value, or would have come to have it: one that
    /// joined after the line that brings it would not.
    fn may_have(&self, session: &SessionOutcome, id: Id) -> bool {
        let from = match &session.outcome {
            Outcome::Completed => return session.value(id).is_some(),
            Outcome::Refused { refusal, .. } => refusal.line,
            Outcome::Waits { line, .. } => *line,
        };
        let its = self.programs(session).into_iter();
        let mut to_come = its.flat_map(|program| &program.steps).filter(|step| step.line >= from);
        session.value(id).is_some() || to_come.any(|step| step.concludes.contains(&id))
    }

    /// The programs that a part may follow: the one that begins with the line with which it did.
    fn programs(&self, session: &SessionOutcome) -> Vec<&'a Program> {
        let joined = self.journal.event(session.began).and_then(|event| self.journal.event(event.cause?));
        let line = joined.and_then(|event| match &event.what {
            What::Delivered { id, .. } => self.traffic.message(*id).map(|message| message.line),
            _ => None,
        });
        let all = self.protocol.programs.get(&session.id.role).into_iter().flatten();
        all.filter(|program| line.is_none_or(|line| program.entry == line)).map(AsRef::as_ref).collect()
    }

    /// The parts on which others' claims may rest: by the claim, the events with which each had
    /// all the values.
    fn partners(&self, (who, with): (&Name, &Name), on: &[Id]) -> BTreeMap<Claimed<'a>, Vec<u64>> {
        let mut partners: BTreeMap<Claimed<'_>, Vec<u64>> = BTreeMap::new();
        for session in self.parts().filter(|s| s.id.role == *with) {
            let had = on.iter().map(|id| session.values.get(id)).collect::<Option<Vec<_>>>();
            if let (Some(peer), Some(had)) = (session.peer(who), had) {
                let ready = had.iter().map(|had| had.since).fold(session.began, u64::max);
                let values = had.iter().map(|had| had.value.clone()).collect();
                let claim = (self.owner(peer), self.owner(&session.id.party), values);
                partners.entry(claim).or_default().push(ready);
            }
        }
        partners
    }

    /// The judgement that the last of these runs has no partner.
    fn no_partner(
        &self,
        goal: &Goal,
        runs: &[&SessionOutcome],
        lack: Lack,
        with: &Name,
        on: &[Id],
    ) -> Judgement {
        let Some(session) = runs.last() else { return Trial::default().judgement() };
        let peer = session.peer(with).unwrap_or_default();
        let shown = |(term, id): (&Term, &Id)| {
            (term.to_string(), session.value(*id).map(Value::fingerprint).unwrap_or_default())
        };
        let finding = Finding::NoPartner {
            part: Part::of(session),
            peer: peer.to_owned(),
            role: with.to_string(),
            on: goal.written.iter().zip(on).map(shown).collect(),
            lack,
        };
        let mut steps = self.way_to(session);
        steps.extend(self.other_parts(with, peer));
        Judgement::Violated { finding, steps }
    }

    /// What the supposed partner really did in that role.
    fn other_parts(&self, role: &Name, peer: &str) -> Vec<Step> {
        let is_peers =
            |s: &&SessionOutcome| s.id.role == *role && self.owner(&s.id.party) == self.owner(peer);
        let parts: Vec<Step> = (self.parts().filter(is_peers))
            .take(PARTS_TOLD)
            .map(|session| Step::TookPart { part: Part::of(session) })
            .collect();
        match parts.is_empty() {
            true => vec![Step::TookNoPart { party: peer.to_owned(), role: role.to_string() }],
            false => parts,
        }
    }
}

/// The first of these runs that has no partner, with those before it, and why: each needs one of
/// its own (if `injective`) that had the values before the run completed.
fn unmatched<'a>(
    mut runs: Vec<&'a SessionOutcome>,
    partners: &[u64],
    injective: bool,
) -> Option<(Vec<&'a SessionOutcome>, Lack)> {
    runs.sort_by_key(|session| session.ended);
    let mut ready = partners.to_vec();
    ready.sort_unstable();
    let mut there = 0;
    for (nth, session) in runs.iter().enumerate() {
        there += ready[there..].iter().take_while(|had| **had < session.ended).count();
        let needed = if injective { nth + 1 } else { 1 };
        if there < needed {
            let lack = match there {
                0 if ready.is_empty() => Lack::Nobody,
                0 => Lack::TooLate,
                agree => Lack::TooFew { completed: nth + 1, agree },
            };
            runs.truncate(nth + 1);
            return Some((runs, lack));
        }
    }
    None
}

fn rebuff(session: &SessionOutcome, refusal: Refusal) -> Rebuff {
    Rebuff { party: session.id.party.clone(), run: session.id.run, refusal }
}
