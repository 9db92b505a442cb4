//! What a play came to, as data: the text, the table and JSON are functions of it
//! (docs/JSON.md). Values appear as fingerprints, times in nanoseconds of virtual time as text.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::algebra::Value;
use crate::journal::{Event, What};
use crate::notation::{Id, Kind, Node};
use crate::reason::Reason;
use crate::scenario::{Cut, DecidedGoal, Hunt, Hunted, PlayReport, Prey};
use crate::time::SimTime;
use crate::verdict::{Exposure, Finding, Judgement, Outcome, SessionOutcome, Step, Untested};

/// The version of this form: it grows when a field changes or goes, not when one is added.
pub const VERSION: u32 = 1;

/// What a play came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlayResult {
    /// What was played.
    pub play: PlayId,
    /// What the attacker looked for and found, where that is her tactic.
    #[serde(default)]
    pub search: Option<SearchResult>,
    /// What each session came to, in the order in which they began.
    pub sessions: Vec<SessionResult>,
    /// What became of requests, in their order.
    pub requests: Vec<RequestResult>,
    /// What became of each goal.
    pub verdicts: Vec<VerdictResult>,
    /// The sessions' and requests' values that the attacker holds or can compute.
    pub learned: Vec<Learned>,
    /// How long each stolen credential was of use.
    pub exposures: Vec<ExposureResult>,
    /// From which event on it was decided which goals fall, where that was asked.
    #[serde(default)]
    pub decided: Vec<DecidedResult>,
    /// What was not as the file expects.
    pub unmet: Vec<Unmet>,
}

/// What was played.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlayId {
    /// [`VERSION`].
    pub version: u32,
    /// The scenario's name, with the variant's: `dh-mitm/weak`.
    pub name: String,
    /// The seed, in decimal.
    pub seed: String,
    /// The attacker, if she took part.
    pub attacker: Option<String>,
    /// The command that plays it again.
    pub repeat_with: String,
    /// Whether the file expects anything of this play.
    pub asserts: bool,
}

/// What an attacker's search for an attack came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SearchResult {
    /// Runs at most.
    pub runs: usize,
    /// The goal whose attack she plays; none if she found none and only listens.
    pub plays: Option<String>,
    /// What was found on each goal.
    pub goals: Vec<SearchedGoal>,
}

/// What was found on a goal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SearchedGoal {
    /// The goal.
    pub goal: String,
    /// `attack`, `none` or `limit`, as `mallory search` says.
    pub result: String,
    /// Runs of the attack.
    pub runs: Option<usize>,
    /// Messages of hers in it.
    pub lines: Option<usize>,
    /// Why the search was not finished.
    pub why: Option<String>,
}

/// What a session came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionResult {
    /// The run.
    pub run: u32,
    /// The party.
    pub party: String,
    /// Its role.
    pub role: String,
    /// The protocol.
    pub protocol: String,
    /// Which of the party's sessions in that role and run, from 0.
    pub nth: u32,
    /// When it ended, or when the play did.
    pub at_ns: String,
    /// How.
    #[serde(flatten)]
    pub outcome: OutcomeResult,
    /// Its values, by their terms.
    pub values: BTreeMap<String, ValueResult>,
}

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum OutcomeResult {
    /// Every step was done.
    Completes,
    /// A check failed.
    Rejects {
        /// At this line.
        line: u32,
        /// The check.
        reason: Reason,
    },
    /// It still waits.
    Waits {
        /// For this line.
        line: u32,
        /// From this party or role.
        from: String,
    },
}

impl std::fmt::Display for OutcomeResult {
    /// In the words of expectations.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutcomeResult::Completes => f.write_str("completes"),
            OutcomeResult::Rejects { line, reason } => write!(f, "rejects line {line}: {reason}"),
            OutcomeResult::Waits { line, .. } => write!(f, "waits for line {line}"),
        }
    }
}

/// A session's value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValueResult {
    /// What it is: `nonce`, `key`, `name` …
    #[serde(rename = "type")]
    pub kind: String,
    /// The text of a name; others have none.
    pub name: Option<String>,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RequestResult {
    /// Its number.
    pub request: u32,
    /// Who asked.
    pub by: String,
    /// When the answer came.
    pub at_ns: Option<String>,
    /// Whether it was `granted`, `refused` or `unanswered`.
    pub answer: String,
    /// The check that failed.
    pub reason: Option<Reason>,
}

/// What became of a goal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VerdictResult {
    /// The protocol.
    pub protocol: String,
    /// The goal, as the protocol has it.
    pub goal: String,
    /// `violated`, `holds` or `untested`.
    pub verdict: String,
    /// What happened, if it is violated.
    pub finding: Option<Finding>,
    /// The chain of events that led there.
    pub evidence: Vec<Step>,
    /// How many parts completed, if it holds.
    pub completed: usize,
    /// Who refused what came of the attacker's doing, if it holds.
    pub refused: Vec<RefusalResult>,
    /// Why it was not tested, if it was not.
    pub untested: Option<String>,
}

/// Who refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RefusalResult {
    /// The party.
    pub party: String,
    /// The run.
    pub run: u32,
    /// The line.
    pub line: u32,
    /// The check that failed.
    pub reason: Reason,
}

/// A value that the attacker holds or can compute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Learned {
    /// The run whose value it is; none if a request's.
    pub run: Option<u32>,
    /// The request whose value it is.
    pub request: Option<u32>,
    /// The term.
    pub term: String,
    /// Who has it.
    pub parties: Vec<String>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// How long a stolen credential was of use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExposureResult {
    /// Whose it is.
    pub of: String,
    /// What was stolen.
    pub stolen: String,
    /// When.
    pub at_ns: String,
    /// When somebody asked for its revocation.
    pub reported_ns: Option<String>,
    /// When it was revoked.
    pub revoked_ns: Option<String>,
    /// When a CRL could first tell.
    pub crl_ns: Option<String>,
    /// When the OCSP responder could first tell.
    pub ocsp_ns: Option<String>,
    /// How many times somebody accepted the thief.
    pub accepted: usize,
    /// When last.
    pub last_accepted: Option<MeetingResult>,
    /// The first refusal after that, if there was one.
    pub refused: Option<MeetingResult>,
    /// From the theft to the last acceptance.
    pub length_ns: String,
    /// Whether somebody refused her in the end. If not, the true length may be greater.
    pub has_ended: bool,
}

/// Somebody met the thief.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MeetingResult {
    /// When.
    pub at_ns: String,
    /// Who.
    pub by: String,
    /// In which run.
    pub run: u32,
    /// The check that failed; none if she was accepted or found no session.
    pub reason: Option<Reason>,
}

/// From which event on it was decided that a goal falls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecidedResult {
    /// The goal.
    pub goal: String,
    /// For how many seeds it was played, from the play's own on.
    pub seeds: u32,
    /// In so many of them it falls if the attacker goes on.
    pub going_on: u32,
    /// The first of her acts, by its event, after which it makes no difference in any seed whether
    /// she is stopped; none if it never made one.
    pub decided_by: Option<u64>,
    /// In so many of them it falls if she is stopped.
    pub cuts: Vec<CutResult>,
}

/// What comes of an attacker who is stopped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CutResult {
    /// After so many of her acts.
    pub acts: usize,
    /// The event that is the last of these; none before the first.
    pub event: Option<u64>,
    /// In so many seeds the goal falls all the same.
    pub falls: u32,
}

/// An expectation that was not met.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Unmet {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl PlayResult {
    /// What this play came to.
    pub fn of(play: &PlayReport) -> PlayResult {
        let attacker = play.variant().setup.attacker.as_ref().filter(|_| play.with_attacker);
        PlayResult {
            play: PlayId {
                version: VERSION,
                name: play.name.clone(),
                seed: play.seed.to_string(),
                attacker: attacker.map(|attacker| attacker.name.to_string()),
                repeat_with: play.repeat_with().to_owned(),
                asserts: play.variant().asserts(),
            },
            search: play.hunt().map(hunt),
            sessions: play.sessions().iter().map(session).collect(),
            requests: requests(play),
            verdicts: play.goals().iter().map(verdict).collect(),
            learned: learned(play),
            exposures: play.exposures().iter().map(exposure).collect(),
            decided: decided(play),
            unmet: play
                .unmet()
                .into_iter()
                .map(|failure| Unmet { expected: failure.expected, found: failure.found })
                .collect(),
        }
    }
}

fn decided(play: &PlayReport) -> Vec<DecidedResult> {
    let Some(of) = play.decided() else { return Vec::new() };
    let event = |cut: &Cut| Some(cut.event).filter(|event| *event > 0);
    let goal = |goal: &DecidedGoal| {
        let cuts = of.cuts.iter().zip(&goal.stopped);
        DecidedResult {
            goal: play.goal_text(&play.goals()[goal.nth]),
            seeds: of.seeds,
            going_on: goal.going_on,
            decided_by: of.cuts.get(goal.decided).and_then(event),
            cuts: cuts
                .map(|(cut, falls)| CutResult { acts: cut.acts, event: event(cut), falls: *falls })
                .collect(),
        }
    };
    of.goals.iter().map(goal).collect()
}

fn hunt(of: &Hunt) -> SearchResult {
    let goal = |hunted: &Hunted| {
        let (result, runs, lines, why) = match &hunted.prey {
            Prey::Attack { runs, lines } => ("attack", Some(*runs), Some(*lines), None),
            Prey::Nothing => ("none", None, None, None),
            Prey::Open { why } => ("limit", None, None, Some(why.clone())),
        };
        SearchedGoal { goal: hunted.goal.clone(), result: result.to_owned(), runs, lines, why }
    };
    SearchResult {
        runs: of.runs,
        plays: of.plays.and_then(|nth| of.goals.get(nth)).map(|hunted| hunted.goal.clone()),
        goals: of.goals.iter().map(goal).collect(),
    }
}

fn nanos(at: SimTime) -> String {
    at.0.to_string()
}

fn session(of: &SessionOutcome) -> SessionResult {
    let table = &of.protocol().table;
    let value = |value: &Value| ValueResult {
        kind: value.kind.word().to_owned(),
        name: value.text().filter(|_| value.kind == Kind::Name).map(str::to_owned),
        fingerprint: value.fingerprint(),
    };
    SessionResult {
        run: of.id.run,
        party: of.id.party.to_string(),
        role: of.id.role.to_string(),
        protocol: of.id.protocol.to_string(),
        nth: of.id.nth,
        at_ns: nanos(of.at),
        outcome: match &of.outcome {
            Outcome::Completed => OutcomeResult::Completes,
            Outcome::Refused { refusal, .. } => {
                OutcomeResult::Rejects { line: refusal.line, reason: refusal.reason }
            }
            Outcome::Waits { line, from } => OutcomeResult::Waits { line: *line, from: from.clone() },
        },
        values: of.values.iter().map(|(id, had)| (table.show(*id), value(&had.value))).collect(),
    }
}

fn requests(play: &PlayReport) -> Vec<RequestResult> {
    let mut answered: BTreeMap<u32, &Event> = BTreeMap::new();
    for event in play.journal().events() {
        if let What::Answered { request, .. } = &event.what {
            answered.insert(*request, event);
        }
    }
    let result = |number: u32, by: &str| {
        let (answer, reason) = match play.request(number) {
            None => ("unanswered", None),
            Some(None) => ("granted", None),
            Some(Some(reason)) => ("refused", Some(reason)),
        };
        let at_ns = answered.get(&number).map(|event| nanos(event.at));
        RequestResult { request: number, by: by.to_owned(), at_ns, answer: answer.to_owned(), reason }
    };
    play.variant().setup.requests.iter().map(|request| result(request.number, &request.by)).collect()
}

fn verdict(of: &crate::verdict::GoalVerdict) -> VerdictResult {
    let mut result = VerdictResult {
        protocol: of.id.protocol.to_string(),
        goal: of.goal.clone(),
        verdict: of.word().to_string(),
        finding: None,
        evidence: Vec::new(),
        completed: 0,
        refused: Vec::new(),
        untested: None,
    };
    match &of.judgement {
        Judgement::Violated { finding, steps } => {
            (result.finding, result.evidence) = (Some(finding.clone()), steps.clone());
        }
        Judgement::Holds { completed, refused } => {
            result.completed = *completed;
            let refused = refused.iter().map(|rebuff| RefusalResult {
                party: rebuff.party.to_string(),
                run: rebuff.run,
                line: rebuff.refusal.line,
                reason: rebuff.refusal.reason,
            });
            result.refused = refused.collect();
        }
        Judgement::Untested(why) => {
            let why = match why {
                Untested::NobodyAttacked => "nobody-attacked",
                Untested::NoPartGotSoFar { .. } => "no-part-got-so-far",
            };
            result.untested = Some(why.to_owned());
        }
    }
    result
}

/// Whether it says anything that the attacker has it: names, keys that are public, shares and
/// times are no secrets.
fn is_worth_telling(of: &SessionOutcome, id: Id, value: &Value) -> bool {
    match value.kind {
        Kind::Name | Kind::Text | Kind::Public | Kind::Certificate | Kind::Time | Kind::Expiry => false,
        Kind::Encapsulation | Kind::Encapsulated => false,
        Kind::Share => matches!(of.protocol().table.node(id), Node::Exp(exponents) if exponents.len() > 1),
        _ => true,
    }
}

fn learned(play: &PlayReport) -> Vec<Learned> {
    learned_values(play).into_iter().map(|(learned, _)| learned).collect()
}

/// What she learned, with the values themselves.
pub(super) fn learned_values(play: &PlayReport) -> Vec<(Learned, Value)> {
    let mut all: Vec<(Learned, Value)> = Vec::new();
    let mut places: BTreeMap<(Option<u32>, Option<u32>, String, String), usize> = BTreeMap::new();
    let her = play.variant().setup.attacker.as_ref().filter(|_| play.with_attacker).map(|a| &a.name);
    let Some(her) = her else { return all };
    let mut add = |run: Option<u32>, request: Option<u32>, term: String, party: &str, value: &Value| {
        let key = (run, request, term.clone(), value.fingerprint());
        if let Some(at) = places.get(&key) {
            let known = &mut all[*at].0;
            if !known.parties.iter().any(|known| known == party) {
                known.parties.push(party.to_owned());
            }
        } else if play.attacker().holds(value) {
            places.insert(key, all.len());
            let learned = Learned {
                run,
                request,
                term,
                parties: vec![party.to_owned()],
                kind: value.kind.word().to_owned(),
                fingerprint: value.fingerprint(),
            };
            all.push((learned, value.clone()));
        }
    };
    for session in play.sessions() {
        for (id, had) in session.values.iter().filter(|(id, had)| is_worth_telling(session, **id, &had.value))
        {
            let term = session.protocol().table.show(*id);
            add(Some(session.id.run), None, term, &session.id.party, &had.value);
        }
    }
    for event in play.journal().events() {
        if let What::Obtained { by, request, value } = &event.what
            && by != her
            && value.kind != Kind::Text
        {
            add(None, Some(*request), format!("r{request}"), by, value);
        }
    }
    all
}

fn exposure(of: &Exposure) -> ExposureResult {
    let meeting = |met: &crate::verdict::Acceptance, reason| MeetingResult {
        at_ns: nanos(met.at),
        by: met.by.to_string(),
        run: met.run,
        reason,
    };
    ExposureResult {
        of: of.of.to_string(),
        stolen: of.stolen.clone(),
        at_ns: nanos(of.at),
        reported_ns: of.reported.map(nanos),
        revoked_ns: of.revoked.map(nanos),
        crl_ns: of.told.map(|told| nanos(told.crl)),
        ocsp_ns: of.told.map(|told| nanos(told.ocsp)),
        accepted: of.accepted.len(),
        last_accepted: of.accepted.last().map(|met| meeting(met, None)),
        refused: of.refused.as_ref().map(|(met, reason)| meeting(met, *reason)),
        length_ns: of.span().0.to_string(),
        has_ended: of.has_ended(),
    }
}
