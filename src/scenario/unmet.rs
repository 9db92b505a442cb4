//! A play held against what the file expects of it, with its attacker and without.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::expect::{Expect, RequestExpect, RunExpect, RunRef};
use super::failure::Failure;
use super::hunt::Prey;
use super::play::KeyPool;
use super::report::PlayReport;
use super::searched::Searched;
use super::setup::event::Stolen;
use super::{Scenario, Variant};
use crate::journal::{Sight, Wire};
use crate::notation::Name;
use crate::party::SERVICE_PROTOCOLS;
use crate::reason::Reason;
use crate::time::Span;
use crate::verdict::{GoalVerdict, Outcome, SessionOutcome, Word};
use crate::world::Halt;

/// A variant, tested: with its attacker, and without.
pub struct Checked {
    /// With the attacker.
    pub play: PlayReport,
    /// Without; none where the file asserts nothing or has no attacker.
    pub honest: Option<PlayReport>,
    /// What searches did not come to, each with the command that shows it.
    pub searches: Vec<(Failure, String)>,
    /// Whether a search was not finished.
    pub is_open: bool,
    /// What was not met in any of them.
    pub failures: Vec<Failure>,
}

impl Checked {
    /// What was not met, each with the command that repeats the play in which it was not.
    pub fn told(&self) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for play in [Some(&self.play), self.honest.as_ref()].into_iter().flatten() {
            for failure in play.unmet() {
                let shown = play.journal().prints().in_text(&failure.to_string());
                told.push((shown, play.repeat_with().to_owned()));
            }
        }
        let searches = self.searches.iter();
        told.extend(searches.map(|(failure, shown)| (failure.to_string(), shown.clone())));
        told
    }
}

impl Scenario {
    /// Plays a variant and holds it against its expectations; then plays it without the
    /// attacker, when every run between honest parties must complete unless the file says
    /// otherwise; then does the searches of which the file expects something.
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
        let Searched { unmet, is_open } =
            self.searched(variant, pool).map_err(|problems| Halt::Runtime(problems.to_string()))?;
        failures.extend(unmet.iter().map(|(failure, _)| failure.clone()));
        Ok(Checked { play, honest, searches: unmet, is_open, failures })
    }
}

impl PlayReport {
    /// What was not as the file expects of this play: with the attacker, or without.
    pub fn unmet(&self) -> Vec<Failure> {
        let expect = &self.variant.expect;
        match (self.with_attacker, self.variant.setup.attacker.is_some()) {
            (false, true) if expect.is_given => self.honest_failures(),
            (false, true) => Vec::new(),
            _ => self.failures(expect),
        }
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
            let only_here = verdict.filter(|_| expected.is_comfort()).and_then(|of| self.open_elsewhere(of));
            if let Some(why) = only_here.filter(|_| found.is_some_and(|word| expected.accepts(word))) {
                fail(format!("that `{}` {expected}", goal.text), why.to_owned());
            }
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
        // What a program makes of answers about who is revoked, nobody sees.
        let is_seen = |(by, _): &&(Name, Reason)| self.judged_outside.as_ref() != Some(by);
        for (by, why) in expect.lookups.iter().filter(is_seen) {
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
        let (asked, found) = (self.attacker().queries(), self.attacker().found());
        if let Some(queries) = expect.queries.filter(|queries| *queries != asked) {
            fail(format!("that the attacker asks {queries} times"), format!("she asks {asked} times"));
        }
        if let Some(wanted) = expect.found.filter(|wanted| *wanted != found) {
            fail(
                format!("that the attacker finds {wanted} of what she asks about"),
                format!("she finds {found}"),
            );
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

    /// Why a goal that did not fall in this play may fall in another: where the attacker looked for
    /// attacks herself, one play shows one of them.
    fn open_elsewhere(&self, verdict: &GoalVerdict) -> Option<&'static str> {
        let own = self.variant.setup.protocol();
        let hunted = self.hunt.as_ref().filter(|_| *verdict.id.protocol == *own.name)?;
        match hunted.goals.get(verdict.id.nth)?.prey {
            Prey::Attack { .. } => Some("the attacker found an attack on it, though she plays another"),
            Prey::Open { .. } => Some("the attacker's search for an attack on it was not finished"),
            Prey::Nothing => None,
        }
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

    /// Whether there was such a run, or was meant to be: one that is scheduled, of which the
    /// attacker's lines speak, or that some message belonged to.
    fn has_run(&self, run: u32) -> bool {
        let setup = &self.variant.setup;
        let narrated = || setup.attacker.as_ref().is_some_and(|her| her.narrated_runs().contains(&run));
        let of_protocol = |message: &Sight| !SERVICE_PROTOCOLS.contains(&&*message.protocol);
        let seen = || {
            self.journal.events().iter().any(|event| match event.what.topics().wire {
                Some(Wire::Sent(message) | Wire::Injected(message, _)) => {
                    message.run == run && of_protocol(message)
                }
                Some(Wire::HeldBack(_)) | None => false,
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
                let is_it = match self.judged_outside.as_ref() == Some(&of.party) {
                    false => reason.is_none_or(|r| r == refusal.reason),
                    // Programs choose their alerts; that the time was up is no refusal of theirs.
                    true => refusal.reason != Reason::Timeout,
                };
                line.is_none_or(|l| l == refusal.line) && is_it
            }),
        }
    }
}
