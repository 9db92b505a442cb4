//! Judges goals, each from the view of each party that completed. Must not know how they
//! are shown.

use std::collections::{BTreeMap, BTreeSet};

use super::derive::Holdings;
use super::evidence::{interference, unchecked};
use super::outcome::{SessionOutcome, Sessions};
use crate::journal::{Event, Journal, What};
use crate::knowledge::{Bytes, Value};
use crate::notation::{Claim, Goal, Kind, Name, Protocol, Term};

/// What became of a goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoalVerdict {
    /// The goal, as the protocol has it.
    pub goal: String,
    /// What became of it.
    pub judgement: Judgement,
}

/// Whether a goal holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// It holds in so many completed parts of runs; in none, nothing put it to the test.
    Holds {
        /// How many.
        cases: usize,
    },
    /// It is violated.
    Violated {
        /// What happened, in one sentence.
        finding: String,
        /// The chain of events that led there.
        steps: Vec<String>,
    },
}

impl GoalVerdict {
    /// Whether the goal holds.
    pub fn holds(&self) -> bool {
        matches!(self.judgement, Judgement::Holds { .. })
    }
}

/// Who claims to have agreed with whom, on what.
type Claimed<'a> = (&'a str, &'a str, Vec<Value>);

/// What a judgement is made from.
pub struct Bench<'a> {
    /// The protocol whose goals are judged.
    pub protocol: &'a Protocol,
    /// What happened.
    pub journal: &'a Journal,
    /// What sessions came to.
    pub sessions: &'a Sessions,
    /// The runs of this protocol; a run that nobody scheduled is of the first protocol.
    pub is_of: &'a dyn Fn(u32) -> bool,
    /// The attacker's name.
    pub attacker: Option<&'a Name>,
    /// What she holds.
    pub holdings: &'a mut Holdings,
    /// What she holds when all long-term keys leak too; made when a goal asks for it.
    pub after_leak: &'a mut dyn FnMut() -> Holdings,
}

/// Judges every goal of a protocol.
pub fn judge(bench: &mut Bench<'_>) -> Vec<GoalVerdict> {
    let goals = bench.protocol.goals.clone();
    goals.iter().map(|g| GoalVerdict { goal: g.text.clone(), judgement: bench.goal(g) }).collect()
}

impl<'a> Bench<'a> {
    fn goal(&mut self, goal: &Goal) -> Judgement {
        match &goal.claim {
            Claim::Secret { term, between, forward: false } => self.secret(term, between, None),
            Claim::Secret { term, between, forward: true } => {
                let mut leaked = (self.after_leak)();
                self.secret(term, between, Some(&mut leaked))
            }
            Claim::Agreement { who, with, on, injective } => self.agreement(who, with, on, *injective),
        }
    }

    /// The completed parts to which a goal applies: all whom the party takes to be there
    /// are honest.
    fn cases(&self, roles: &[Name]) -> Vec<&'a SessionOutcome> {
        let clients: Vec<Name> = match roles {
            [] => self.protocol.client_roles().map(|r| r.name.clone()).collect(),
            some => some.to_vec(),
        };
        let honest = |name: &str| self.attacker.is_none_or(|her| **her != *name);
        let applies = |s: &&SessionOutcome| {
            s.completed() && (self.is_of)(s.id.run) && clients.iter().all(|r| s.peer(r).is_none_or(honest))
        };
        let sessions = self.sessions;
        sessions.0.iter().filter(applies).collect()
    }

    fn shown(&self, term: &Term) -> Option<String> {
        self.protocol.table.find(term).map(|id| self.protocol.table.show(id))
    }

    fn secret(&mut self, term: &Term, between: &[Name], mut leaked: Option<&mut Holdings>) -> Judgement {
        let Some(shown) = self.shown(term) else { return Judgement::Holds { cases: 0 } };
        let mut cases = 0;
        let handed = self.handed_over();
        for session in self.cases(between) {
            let Some(value) = session.values.get(&shown) else { continue };
            if handed.contains(&(session.id.run, &value.bytes)) {
                continue;
            }
            cases += 1;
            let holdings = leaked.as_deref_mut().unwrap_or(self.holdings);
            let Some(derivation) = holdings.derive(value) else { continue };
            let her = self.attacker.map_or("the attacker", |a| a);
            let holds = match value.text().filter(|_| value.kind == Kind::Data) {
                Some(text) => format!("\"{text}\""),
                None => format!("{shown} {}", value.fingerprint()),
            };
            let leak = if leaked.is_some() { " once the long-term keys leak" } else { "" };
            let finding = format!(
                "{her} holds {holds}{leak}, which {} has as {shown} in {}",
                session.id.party,
                self.describe(session)
            );
            let mut steps = interference(self.journal, session, her);
            steps.extend(unchecked(self.journal, self.protocol, session, her));
            steps.extend(derivation.steps);
            return Judgement::Violated { finding, steps };
        }
        Judgement::Holds { cases }
    }

    fn describe(&self, session: &SessionOutcome) -> String {
        let peers: Vec<&str> = self
            .protocol
            .client_roles()
            .filter(|r| r.name != session.id.role)
            .filter_map(|r| session.peer(&r.name))
            .collect();
        match peers.is_empty() {
            true => format!("run {}", session.id.run),
            false => format!("run {} with {}", session.id.run, peers.join(" and ")),
        }
    }

    /// The values of runs that events handed over.
    fn handed_over(&self) -> BTreeSet<(u32, &'a Bytes)> {
        let handed = |e: &'a Event| match &e.what {
            What::Compromised { run: Some(run), value: Some(value), .. } => Some((*run, &value.bytes)),
            _ => None,
        };
        self.journal.events().iter().filter_map(handed).collect()
    }

    fn agreement(&mut self, who: &Name, with: &Name, on: &[Term], injective: bool) -> Judgement {
        let Some(terms) = on.iter().map(|t| self.shown(t)).collect::<Option<Vec<_>>>() else {
            return Judgement::Holds { cases: 0 };
        };
        let values = |s: &SessionOutcome| {
            terms.iter().map(|t| s.values.get(t).cloned()).collect::<Option<Vec<Value>>>()
        };
        let cases: Vec<&SessionOutcome> = self.cases(&[]).into_iter().filter(|s| s.id.role == *who).collect();
        let mut claims: BTreeMap<Claimed<'_>, Vec<&SessionOutcome>> = BTreeMap::new();
        for session in &cases {
            if let (Some(peer), Some(values)) = (session.peer(with), values(session)) {
                claims.entry((&session.id.party, peer, values)).or_default().push(session);
            }
        }
        let mut partners: BTreeMap<Claimed<'_>, usize> = BTreeMap::new();
        for session in self.sessions.0.iter().filter(|s| s.id.role == *with && (self.is_of)(s.id.run)) {
            if let (Some(peer), Some(values)) = (session.peer(who), values(session)) {
                *partners.entry((peer, &session.id.party, values)).or_default() += 1;
            }
        }
        for (claim @ (party, peer, agreed), runs) in &claims {
            let partners = partners.get(claim).copied().unwrap_or(0);
            let enough = if injective { partners >= runs.len() } else { partners > 0 };
            if enough {
                continue;
            }
            let session = runs[runs.len() - 1];
            let values: Vec<String> =
                terms.iter().zip(agreed).map(|(t, v)| format!("{t} {}", v.fingerprint())).collect();
            let on = if values.is_empty() { String::new() } else { format!(" on {}", values.join(", ")) };
            let finding = if partners == 0 {
                format!(
                    "{party} completed run {} with {peer}{on}; {}",
                    session.id.run,
                    self.no_partner(with, peer, party)
                )
            } else {
                format!("{party} completed {} runs with {peer}{on}; {peer} has only {partners}", runs.len())
            };
            let her = self.attacker.map_or("the attacker", |a| a);
            let mut steps = interference(self.journal, session, her);
            steps.extend(unchecked(self.journal, self.protocol, session, her));
            steps.extend(self.other_runs(with, peer));
            return Judgement::Violated { finding, steps };
        }
        Judgement::Holds { cases: cases.len() }
    }

    fn no_partner(&self, role: &Name, peer: &str, party: &str) -> String {
        format!("{peer} has no run as {role} with {party} that agrees")
    }

    /// What the supposed partner really did in that role.
    fn other_runs(&self, role: &Name, peer: &str) -> Vec<String> {
        let theirs = self.sessions.0.iter().filter(|s| s.id.role == *role && *s.id.party == *peer);
        let told: Vec<String> =
            theirs.map(|s| format!("{peer} took part as {role} in {}", self.describe(s))).collect();
        if told.is_empty() { vec![format!("{peer} took no part as {role} in any run")] } else { told }
    }
}
