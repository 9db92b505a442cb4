//! What came of a scenario, for programs and for views: sessions, goals, the attacker's holdings.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::decided::Decided;
use super::expect::Expect;
use super::hunt::Hunt;
use super::play::{KeyPool, Played, play};
use super::problem::Problems;
use super::setup::event::ValueRef;
use super::{Scenario, Variant};
use crate::algebra::{Func, Value};
use crate::journal::{Event, Journal, What};
use crate::notation::{Name, Term};
use crate::reason::Reason;
use crate::verdict::{
    Derivation, Exposure, GoalVerdict, Holdings, Outcome, SessionOutcome, Sessions, Traffic, exposures,
};
use crate::world::Halt;

/// Why there is no report.
#[derive(Debug)]
pub enum RunError {
    /// The input is wrong.
    Input(Problems),
    /// A limit was reached, or a defect.
    Halt(Halt),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Input(problems) => problems.fmt(f),
            RunError::Halt(halt) => halt.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<Problems> for RunError {
    fn from(problems: Problems) -> Self {
        RunError::Input(problems)
    }
}

impl From<Halt> for RunError {
    fn from(halt: Halt) -> Self {
        RunError::Halt(halt)
    }
}

/// What came of a scenario: one play for each variant.
pub struct Report {
    scenario: Scenario,
    plays: Vec<PlayReport>,
}

/// What came of one play.
pub struct PlayReport {
    /// The scenario's name, with the variant's: `dh-mitm/weak`.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// Whether the attacker took part.
    pub with_attacker: bool,
    pub(super) repeat_with: String,
    pub(super) variant: Arc<Variant>,
    pub(super) journal: Journal,
    pub(super) sessions: Sessions,
    pub(super) goals: Vec<GoalVerdict>,
    /// What became of requests.
    answers: BTreeMap<u32, Option<Reason>>,
    pub(super) holdings: Holdings,
    /// The versions of the long-term keys that `[expect]` names.
    pub(super) long_term: BTreeMap<Term, Vec<Value>>,
    /// What the attacker looked for and found, where that is her tactic.
    pub(super) hunt: Option<Hunt>,
    /// From which event on it was decided which goals fall, if that was asked.
    pub(super) decided: Option<Arc<Decided>>,
    /// In whose place a program stood, if one did.
    pub(super) judged_outside: Option<Name>,
}

impl Scenario {
    /// Plays every variant.
    ///
    /// # Errors
    /// A limit that was reached, or a defect.
    ///
    /// # Examples
    /// ```
    /// let report = mallory::Scenario::named("dh-mitm/weak")?.seed(7).run()?;
    /// assert!(report.run(1).party("alice").completed());
    /// assert!(report.attacker().learned("1.Payload"));
    /// report.assert_expected();
    /// # Ok::<(), mallory::RunError>(())
    /// ```
    pub fn run(&self) -> Result<Report, RunError> {
        let pool = KeyPool::default();
        let plays = self.variants.iter().map(|v| self.play(v, true, &pool)).collect::<Result<_, _>>()?;
        Ok(Report { scenario: self.clone(), plays })
    }

    /// Plays a variant with its attacker, who does what her lines or her tactic say, or without her.
    pub(super) fn play_as_set_up(
        &self,
        variant: &Arc<Variant>,
        with_attacker: bool,
        pool: &KeyPool,
    ) -> Result<PlayReport, Halt> {
        let span = tracing::info_span!(
            target: "mallory",
            "play",
            scenario = self.name,
            variant = variant.name,
            seed = self.seed,
            with_attacker,
        );
        let _within = span.enter();
        let expected = [&variant.expect].into_iter().chain(&variant.honest);
        let asked: Vec<&Term> = expected.flat_map(Expect::long_term).collect();
        let played = play(&variant.setup, self.seed, with_attacker, &asked, pool)?;
        Ok(self.report(variant, played, with_attacker))
    }

    /// What came of a play, as a report.
    pub(super) fn report(&self, variant: &Arc<Variant>, played: Played, with_attacker: bool) -> PlayReport {
        let Played { journal, sessions, goals, holdings, long_term } = played;
        PlayReport {
            name: variant.of(&self.name),
            repeat_with: self.repeat_with(Some(variant), with_attacker),
            seed: self.seed,
            with_attacker,
            variant: variant.clone(),
            answers: answers(&journal),
            journal,
            sessions,
            goals,
            holdings,
            long_term,
            hunt: None,
            decided: None,
            judged_outside: None,
        }
    }
}

impl Report {
    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The plays, in the order of the variants.
    pub fn plays(&self) -> &[PlayReport] {
        &self.plays
    }

    /// The play of one variant.
    ///
    /// # Panics
    /// If there is no such variant.
    pub fn variant(&self, name: &str) -> &PlayReport {
        let found = self.plays.iter().find(|p| p.variant.name.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("{} has no variant {name}", self.scenario.name))
    }

    fn only(&self) -> &PlayReport {
        match self.plays.as_slice() {
            [one] => one,
            several => panic!(
                "{} was played in {} variants: say which, as in Scenario::named(\"{}\") or report.variant(\"…\")",
                self.scenario.name,
                several.len(),
                several.first().map_or("", |p| &p.name),
            ),
        }
    }

    /// A run of the only variant that was played.
    ///
    /// # Panics
    /// If several variants were played.
    pub fn run(&self, number: u32) -> RunReport<'_> {
        self.only().run(number)
    }

    /// The attacker of the only variant that was played.
    ///
    /// # Panics
    /// If several variants were played.
    pub fn attacker(&self) -> AttackerReport<'_> {
        self.only().attacker()
    }

    /// Panics unless everything came as the file expects, with the attacker and without.
    ///
    /// # Panics
    /// With every expectation that was not met, and the command that repeats the play.
    pub fn assert_expected(&self) {
        let pool = KeyPool::default();
        let mut text = String::new();
        for play in &self.plays {
            match self.scenario.check(&play.variant, &pool) {
                Ok(checked) => {
                    let line = |(wrong, repeat_with): (String, String)| {
                        format!("\n  {}: {wrong}\n    repeat with: {repeat_with}", play.name)
                    };
                    text.extend(checked.told().into_iter().map(line));
                }
                Err(halt) => {
                    text.push_str(&format!(
                        "\n  {}: {halt}\n    repeat with: {}",
                        play.name, play.repeat_with
                    ));
                }
            }
        }
        assert!(text.is_empty(), "not as expected:{text}");
    }
}

impl PlayReport {
    /// What happened.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The variant that was played.
    pub fn variant(&self) -> &Variant {
        &self.variant
    }

    /// What every session came to, in the order in which they began.
    pub fn sessions(&self) -> &[SessionOutcome] {
        &self.sessions.0
    }

    /// What became of each goal.
    pub fn goals(&self) -> &[GoalVerdict] {
        &self.goals
    }

    /// What the attacker's search for an attack came to, where that is her tactic.
    pub fn hunt(&self) -> Option<&Hunt> {
        self.hunt.as_ref()
    }

    /// A goal as its protocol has it; with the protocol's name in front where several have it.
    pub fn goal_text(&self, of: &GoalVerdict) -> String {
        let is_shared = self.goals.iter().any(|other| other.goal == of.goal && other.id != of.id);
        if is_shared { format!("{}: {}", of.id.protocol, of.goal) } else { of.goal.clone() }
    }

    /// A run.
    pub fn run(&self, number: u32) -> RunReport<'_> {
        RunReport { play: self, number }
    }

    /// The attacker.
    pub fn attacker(&self) -> AttackerReport<'_> {
        AttackerReport { play: self }
    }

    /// What became of a request: no answer, or an answer that grants it or gives a reason.
    pub fn request(&self, number: u32) -> Option<Option<Reason>> {
        self.answers.get(&number).copied()
    }

    /// Why a party did not believe answers about who is revoked, in order.
    pub fn disbelieved(&self, party: &str) -> impl Iterator<Item = Reason> {
        self.journal.events().iter().filter_map(move |event| match &event.what {
            What::Fetched { by, refusal, .. } if **by == *party => *refusal,
            _ => None,
        })
    }

    /// How many public-key operations a party did: shares, agreed secrets, keys, ciphertexts and
    /// secrets of KEMs, and signatures that it made.
    pub fn public_key_operations(&self, party: &str) -> usize {
        let by_it = self.journal.made().iter().filter(|maker| *maker.by == *party);
        // A secret comes with its ciphertext.
        let costly = |func: Func| {
            let of_kem = matches!(func, Func::Ek | Func::Encap | Func::Decap);
            of_kem || matches!(func, Func::Share | Func::Agree | Func::Sign)
        };
        by_it.filter(|maker| maker.made.func().is_some_and(costly)).count()
    }

    /// How long each stolen credential was of use.
    pub fn exposures(&self) -> Vec<Exposure> {
        exposures(&self.journal, &Traffic::of(&self.journal), &self.sessions)
    }

    /// The command that repeats this play.
    pub fn repeat_with(&self) -> &str {
        &self.repeat_with
    }

    pub(super) fn values(&self, of: &ValueRef) -> Vec<Value> {
        let Some(number) = of.name.strip_prefix('r').filter(|_| of.run == 0) else {
            let values = self.sessions.values(of.run, of.party.as_ref(), &of.name);
            return values.into_iter().cloned().collect();
        };
        let obtained = self.journal.events().iter().filter_map(|event| match &event.what {
            What::Obtained { request, value, .. } if request.to_string() == number => Some(value.clone()),
            _ => None,
        });
        obtained.collect()
    }
}

/// The last answer to each request: what anybody says in the clear counts until there is one
/// that only the service can have given.
fn answers(journal: &Journal) -> BTreeMap<u32, Option<Reason>> {
    let answered = journal.events().iter().filter_map(|event| match &event.what {
        What::Answered { request, refusal, .. } => Some((*request, *refusal)),
        _ => None,
    });
    answered.collect()
}

/// What came of one run.
pub struct RunReport<'a> {
    play: &'a PlayReport,
    number: u32,
}

/// What came of one party's part in a run.
pub struct PartReport<'a> {
    sessions: Vec<&'a SessionOutcome>,
}

impl<'a> RunReport<'a> {
    /// One party's part.
    pub fn party(&self, name: &str) -> PartReport<'a> {
        let mine = |s: &&SessionOutcome| s.id.run == self.number && *s.id.party == *name;
        PartReport { sessions: self.play.sessions().iter().filter(mine).collect() }
    }
}

impl<'a> PartReport<'a> {
    /// Whether it completed.
    pub fn completed(&self) -> bool {
        self.sessions.iter().any(|s| s.completed())
    }

    /// The line at which and the reason for which it refused, if it did.
    pub fn refusal(&self) -> Option<crate::journal::Refusal> {
        self.sessions.iter().find_map(|s| s.refusal())
    }

    /// The party that it took to play a role.
    pub fn peer(&self, role: &str) -> Option<&'a str> {
        self.sessions.iter().find_map(|s| s.peer(role))
    }

    /// Its sessions: one, except of a service.
    pub fn sessions(&self) -> &[&'a SessionOutcome] {
        &self.sessions
    }
}

impl fmt::Display for PartReport<'_> {
    /// What it came to: `completes`, `rejects line 2: bad-signature`, `waits`, `never starts`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sessions.is_empty() {
            return f.write_str("never starts");
        }
        let words: Vec<String> = self
            .sessions
            .iter()
            .map(|s| match &s.outcome {
                Outcome::Completed => "completes".to_owned(),
                Outcome::Refused { refusal: r, .. } => format!("rejects line {}: {}", r.line, r.reason),
                Outcome::Waits { line, from } => format!("waits for line {line} from {from}"),
            })
            .collect();
        f.write_str(&words.join(" and "))
    }
}

/// What the attacker gained.
pub struct AttackerReport<'a> {
    play: &'a PlayReport,
}

impl AttackerReport<'_> {
    /// Whether she holds or can compute a run's value: `1.Payload`, `1.alice.K`.
    ///
    /// # Panics
    /// If the text names no value.
    pub fn learned(&self, value: &str) -> bool {
        let of =
            ValueRef::parse(value).unwrap_or_else(|| panic!("`{value}` names no value; write `1.Payload`"));
        self.learned_value(&of)
    }

    /// How she comes to a run's value, step by step.
    ///
    /// # Panics
    /// If the text names no value.
    pub fn derivation(&self, value: &str) -> Option<Derivation> {
        let of =
            ValueRef::parse(value).unwrap_or_else(|| panic!("`{value}` names no value; write `1.Payload`"));
        let values = self.play.values(&of);
        values.iter().find_map(|v| self.play.holdings.derive(&self.play.journal, v))
    }

    /// How she comes to these bytes, step by step; nothing if she does not.
    pub fn derivation_of(&self, value: &Value) -> Option<Derivation> {
        self.play.holdings.derive(&self.play.journal, value)
    }

    /// How many words she tried for passwords, all together.
    pub fn guesses(&self) -> usize {
        let words = |e: &Event| match &e.what {
            What::Guessed { words, .. } => *words,
            _ => 0,
        };
        self.play.journal().events().iter().map(words).sum()
    }

    /// How often she asked parties by her tactic, all together.
    pub fn queries(&self) -> u32 {
        self.inquiries().map(|(queries, _)| queries).sum()
    }

    /// How much of what she asked about she found: of a text its bytes.
    pub fn found(&self) -> u32 {
        self.inquiries().map(|(_, found)| found).sum()
    }

    fn inquiries(&self) -> impl Iterator<Item = (u32, u32)> {
        self.play.journal().events().iter().filter_map(|event| match &event.what {
            What::Queried { queries, found, .. } => Some((*queries, *found)),
            _ => None,
        })
    }

    /// Whether she holds or can compute a value.
    pub fn holds(&self, value: &Value) -> bool {
        self.play.holdings.derivable(value)
    }

    pub(super) fn learned_value(&self, of: &ValueRef) -> bool {
        let values = self.play.values(of);
        values.iter().any(|v| self.play.holdings.derivable(v))
    }
}

impl std::fmt::Debug for PlayReport {
    /// What it came to, without the journal and without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdicts: Vec<String> =
            self.goals.iter().map(|goal| format!("{}: {}", goal.goal, goal.word())).collect();
        let parts: Vec<String> = (self.sessions.0.iter())
            .map(|part| format!("{}.{} as {}: {:?}", part.id.run, part.id.party, part.id.role, part.outcome))
            .collect();
        f.debug_struct("PlayReport")
            .field("name", &self.name)
            .field("seed", &self.seed)
            .field("with_attacker", &self.with_attacker)
            .field("verdicts", &verdicts)
            .field("parts", &parts)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.plays).finish()
    }
}
