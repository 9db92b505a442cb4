//! What came of a scenario, for programs and for views: sessions, goals, the attacker's
//! holdings, and every expectation that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::events::{Stolen, ValueRef};
use super::expect::{Expect, RequestExpect, RunExpect, RunRef};
use super::play::{KeyPool, Played, play};
use super::problem::Problems;
use super::{Scenario, Variant};
use crate::algebra::{Func, Value};
use crate::journal::{Event, Journal, Sight, What};
use crate::legible::legible;
use crate::notation::{Name, Term};
use crate::party::SERVICE_PROTOCOLS;
use crate::party::attacker::Plan;
use crate::reason::Reason;
use crate::time::Span;
use crate::verdict::{
    Derivation, Exposure, GoalVerdict, Holdings, Outcome, SessionOutcome, Sessions, Traffic, Word, exposures,
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
    repeat_with: String,
    variant: Arc<Variant>,
    journal: Journal,
    sessions: Sessions,
    goals: Vec<GoalVerdict>,
    /// What became of requests.
    answers: BTreeMap<u32, Option<Reason>>,
    holdings: Holdings,
    /// The versions of the long-term keys that `[expect]` names.
    long_term: BTreeMap<Term, Vec<Value>>,
}

/// An expectation that was not met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was found may be anybody's text.
        f.write_str(&legible(&format!("expected {}, but {}", self.expected, self.found)))
    }
}

/// A variant, tested: with its attacker, and without.
pub struct Checked {
    /// With the attacker.
    pub play: PlayReport,
    /// Without; none where the file asserts nothing or has no attacker.
    pub honest: Option<PlayReport>,
    /// What was not met in either.
    pub failures: Vec<Failure>,
}

impl Checked {
    /// What was not met, each with the command that repeats the play in which it was not.
    pub fn told(&self) -> Vec<(String, String)> {
        let plays = [Some(&self.play), self.honest.as_ref()];
        let of = |play: &PlayReport| {
            let repeat_with = play.repeat_with().to_owned();
            play.unmet().into_iter().map(move |failure| (failure.to_string(), repeat_with.clone()))
        };
        plays.into_iter().flatten().flat_map(of).collect()
    }
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

    /// Plays a variant with its attacker, or without her.
    ///
    /// # Errors
    /// A limit that was reached, or a defect.
    pub fn play(
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
        let Played { journal, sessions, goals, holdings, long_term } =
            play(&variant.setup, self.seed, with_attacker, &asked, pool)?;
        Ok(PlayReport {
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
        })
    }

    /// Plays a variant and holds it against its expectations; then plays it without the
    /// attacker, when every run between honest parties must complete unless the file says
    /// otherwise.
    ///
    /// # Errors
    /// A limit that was reached, or a defect.
    pub fn check(&self, variant: &Arc<Variant>, pool: &KeyPool) -> Result<Checked, Halt> {
        let play = self.play(variant, true, pool)?;
        let mut failures = play.unmet();
        let mut honest = None;
        if variant.expect.is_given && variant.setup.attacker.is_some() {
            let without = self.play(variant, false, pool)?;
            failures.extend(without.unmet());
            honest = Some(without);
        }
        for failure in &mut failures {
            failure.found = play.journal.prints().in_text(&failure.found);
        }
        Ok(Checked { play, honest, failures })
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

    /// How many public-key operations a party did: shares, agreed secrets and signatures that
    /// it made.
    pub fn public_key_operations(&self, party: &str) -> usize {
        let by_it = self.journal.made().iter().filter(|maker| *maker.by == *party);
        let costly = |func: Func| matches!(func, Func::Share | Func::Agree | Func::Sign);
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

    /// What was not as the file expects of this play: with the attacker, or without.
    pub fn unmet(&self) -> Vec<Failure> {
        let expect = &self.variant.expect;
        match (self.with_attacker, self.variant.setup.attacker.is_some()) {
            (false, true) if expect.is_given => self.honest_failures(),
            (false, true) => Vec::new(),
            _ => self.failures(expect),
        }
    }

    fn values(&self, of: &ValueRef) -> Vec<Value> {
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

    /// What of these expectations was not met.
    fn failures(&self, expect: &Expect) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut fail = |expected: String, found: String| failures.push(Failure { expected, found });
        let runs = expect.runs.iter().map(|(of, _)| of.run);
        let named = expect.never_learns.iter().chain(&expect.learns).filter_map(|of| match of {
            Stolen::OfRun(of) => Some(of.run).filter(|run| *run > 0),
            Stolen::LongTerm(_) => None,
        });
        let unknown: BTreeSet<u32> = runs.chain(named).filter(|run| !self.has_run(*run)).collect();
        for run in unknown {
            fail(format!("something of run {run}"), "there was no such run".to_owned());
        }
        for (of, expected) in &expect.runs {
            if !self.meets(of, expected) {
                fail(
                    format!("{of} {expected}"),
                    format!("{} {}", of.party, self.run(of.run).party(&of.party)),
                );
            }
        }
        for (goal, expected) in &expect.goals {
            let verdict = self.goals.iter().find(|verdict| verdict.id == goal.id);
            let found = verdict.map(GoalVerdict::word);
            if !found.is_some_and(|word| expected.accepts(word)) {
                let found = found.map_or("nobody judged it".to_owned(), |word| match word {
                    Word::Holds => "it holds".to_owned(),
                    Word::Violated | Word::Untested => format!("it is {word}"),
                });
                fail(format!("that `{}` {expected}", goal.text), found);
            }
        }
        for (number, expected) in &expect.requests {
            let found = self.request(*number);
            let meets = match expected {
                RequestExpect::Granted => found == Some(None),
                RequestExpect::Refused(None) => matches!(found, Some(Some(_))),
                RequestExpect::Refused(reason) => found == Some(*reason),
                RequestExpect::Unanswered => found.is_none(),
            };
            if !meets {
                let found = match found {
                    None => RequestExpect::Unanswered,
                    Some(None) => RequestExpect::Granted,
                    Some(reason) => RequestExpect::Refused(reason),
                };
                fail(format!("request {number} {expected}"), format!("it is {found}"));
            }
        }
        for (by, why) in &expect.lookups {
            let refused: Vec<&str> = self.disbelieved(by).map(|reason| reason.word()).collect();
            if !refused.contains(&why.word()) {
                fail(format!("that {by} does not believe an answer: {why}"), format!("it is {refused:?}"));
            }
        }
        for (by, count) in &expect.work {
            let found = self.public_key_operations(by);
            if found != *count as usize {
                fail(format!("that {by} does {count} public-key operations"), format!("it does {found}"));
            }
        }
        let exposures = self.exposures();
        for expected in &expect.exposures {
            let stolen: Vec<_> = exposures.iter().filter(|exposure| exposure.of == expected.of).collect();
            let within = |span: Span| {
                expected.min.is_none_or(|min| min <= span) && expected.max.is_none_or(|max| span <= max)
            };
            if stolen.is_empty() {
                fail(format!("that {expected}"), "nothing was".to_owned());
            } else if let Some(other) = stolen.iter().find(|exposure| !within(exposure.span())) {
                fail(format!("that {expected}"), format!("{} is for {}", other.stolen, other.span()));
            } else if let Some(open) =
                stolen.iter().find(|exposure| expected.max.is_some() && !exposure.has_ended())
            {
                let found = match open.accepted.is_empty() {
                    true => format!("nobody met the thief of {}, so nothing shows it", open.stolen),
                    false => format!("{} was still accepted at the thief's last try", open.stolen),
                };
                fail(format!("that {expected}"), found);
            }
        }
        for (of, learns) in
            expect.learns.iter().map(|o| (o, true)).chain(expect.never_learns.iter().map(|o| (o, false)))
        {
            let learned = match of {
                Stolen::OfRun(of) => self.attacker().learned_value(of),
                Stolen::LongTerm(key) => {
                    self.long_term.get(key).into_iter().flatten().any(|v| self.holdings.derivable(v))
                }
            };
            if learned != learns {
                let never = |yes: bool| if yes { "learns" } else { "never learns" };
                fail(format!("that the attacker {} {of}", never(learns)), format!("she {}", never(learned)));
            }
        }
        if let Some(guesses) = expect.guesses {
            let found = self.attacker().guesses();
            if found != guesses as usize {
                fail(format!("that the attacker tries {guesses} words"), format!("she tries {found}"));
            }
        }
        for (of, text) in &expect.values {
            let found = self.values(of);
            if !found.iter().any(|v| v.text() == Some(text)) {
                let found: Vec<&str> = found.iter().map(|v| v.text().unwrap_or("no text")).collect();
                fail(format!("that {of} is \"{text}\""), format!("it is {found:?}"));
            }
        }
        let pairs = expect.equal.iter().map(|p| (p, true)).chain(expect.differ.iter().map(|p| (p, false)));
        for ((a, b), same) in pairs {
            let (left, right) = (self.values(a), self.values(b));
            let equal = !left.is_empty() && left == right;
            if equal != same || left.is_empty() || right.is_empty() {
                let word = if same { "equal" } else { "differ" };
                fail(format!("that {a} and {b} {word}"), format!("they are {left:?} and {right:?}"));
            }
        }
        failures
    }

    /// Without the attacker, every run between honest parties completes, unless the file
    /// says otherwise of a part.
    fn honest_failures(&self) -> Vec<Failure> {
        let setup = &self.variant.setup;
        let her: Option<&Name> = setup.attacker.as_ref().map(|a| &a.name);
        let said = self.variant.honest.clone().unwrap_or_default();
        let mut failures = self.failures(&said);
        for run in setup.runs.iter().filter(|r| r.names.values().all(|n| Some(n) != her)) {
            for party in run.names.values() {
                let of = RunRef { run: run.number, party: party.clone() };
                let spoken_of = said.runs.iter().any(|(r, _)| r.run == run.number);
                if !spoken_of && !self.meets(&of, &RunExpect::Completes) {
                    failures.push(Failure {
                        expected: format!("that without the attacker {of} completes"),
                        found: format!("{party} {}", self.run(of.run).party(party)),
                    });
                }
            }
        }
        for failure in &mut failures {
            if !failure.expected.starts_with("that without") {
                failure.expected = format!("that without the attacker {}", failure.expected);
            }
        }
        failures
    }

    /// Whether there was such a run, or was meant to be: one that is scheduled, that the attacker's
    /// narration speaks of, or that some message belonged to.
    fn has_run(&self, run: u32) -> bool {
        let setup = &self.variant.setup;
        let narrated = || match setup.attacker.as_ref().map(|attacker| &attacker.plan) {
            Some(Plan::Narration(attack)) => attack.lines.iter().any(|line| line.run == run),
            _ => false,
        };
        let of_protocol = |message: &Sight| !SERVICE_PROTOCOLS.contains(&&*message.protocol);
        let seen = || {
            self.journal.events().iter().any(|event| match &event.what {
                What::Sent { message } | What::Injected { message, .. } => {
                    message.run == run && of_protocol(message)
                }
                _ => false,
            })
        };
        setup.runs.iter().any(|scheduled| scheduled.number == run) || narrated() || seen()
    }

    fn meets(&self, of: &RunRef, expected: &RunExpect) -> bool {
        let sessions: Vec<&SessionOutcome> = self.sessions.of_party(of.run, &of.party).collect();
        let refused = |s: &&SessionOutcome| s.refusal();
        match expected {
            RunExpect::Completes => {
                sessions.iter().any(|s| s.completed()) && sessions.iter().find_map(refused).is_none()
            }
            RunExpect::Waits => sessions.iter().any(|s| matches!(s.outcome, Outcome::Waits { .. })),
            RunExpect::NeverStarts => sessions.is_empty(),
            RunExpect::Rejects(line, reason) => sessions.iter().filter_map(refused).any(|refusal| {
                line.is_none_or(|l| l == refusal.line) && reason.is_none_or(|r| r == refusal.reason)
            }),
        }
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

    /// How many words she tried for passwords, all together.
    pub fn guesses(&self) -> usize {
        let words = |e: &Event| match &e.what {
            What::Guessed { words, .. } => *words,
            _ => 0,
        };
        self.play.journal().events().iter().map(words).sum()
    }

    /// Whether she holds or can compute a value.
    pub fn holds(&self, value: &Value) -> bool {
        self.play.holdings.derivable(value)
    }

    fn learned_value(&self, of: &ValueRef) -> bool {
        let values = self.play.values(of);
        values.iter().any(|v| self.play.holdings.derivable(v))
    }
}
